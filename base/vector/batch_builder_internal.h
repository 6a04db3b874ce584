/* batch_builder_internal.h — shared by the batch builder's files. */
#pragma once
#include "base/vector/batch_memory.h"

#define LANES_BLOCK_BYTES ((size_t)16 << 10)

typedef struct BuilderColumn {
    Type type;
    Lane lane;
    bool has_nulls, has_trailing_blanks;
    bool has_bounds; /* lo, hi cover the values of this batch */
    bool has_hint;   /* hint_lo, hint_hi covered those of the last one */
    int64_t base, lo, hi, hint_lo, hint_hi;
    void *lanes;            /* null until the first rows come */
    uint64_t *validity;     /* null until the first null comes */
    Dictionary *dictionary; /* texts as codes: lanes are bytes; else null */
    uint64_t map_identity;  /* of the dictionary that `map` translates; 0: none */
    uint16_t *map;          /* its code -> ours + 1; 0: not in use yet; kept from batch to batch */
} BuilderColumn;

struct BatchBuilder {
    MemoryBudget *budget;
    BatchMemory memory;
    char *text_cursor; /* free part of the newest text block */
    size_t text_left_bytes;
    uint32_t column_count, row_count, rows_max;
    BuilderColumn columns[];
};

/* Rows on their way into a column. */
typedef struct Source {
    const Vector *vector;
    const uint16_t *rows;
    uint32_t count;
} Source;

static inline void *builder_alloc_lanes(BatchBuilder *builder, Lane lane)
{
    return batch_memory_alloc(&builder->memory, builder->rows_max * lane_bytes(lane),
                              LANES_BLOCK_BYTES);
}

static inline void *builder_next_lane(const BatchBuilder *builder, const BuilderColumn *column)
{
    return (char *)column->lanes + builder->row_count * lane_bytes(column->lane);
}

/* --- batch_builder_text.c; false: refused --- */
bool builder_append_texts(BatchBuilder *builder, BuilderColumn *column, const Source *source);
