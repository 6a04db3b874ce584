/*
 * dictionary_builder.h — finds the distinct values of a chunk and numbers them in order.
 */
#pragma once
#include "storage/encoding/encoding.h"

typedef struct DictionaryBuilder {
    MemoryBudget *budget;
    uint32_t *slots; /* open addressing: entry + 1, 0 when free */
    uint32_t slot_mask;
    uint32_t entry_count;
    uint64_t text_bytes; /* of all entries */
    bool is_unique;      /* no two entries are equal to SQL */
    union {              /* FORMAT_ROW_GROUP_ROWS + 1 entries; in order after a run */
        TextView *texts;
        int64_t *integers;
    };
    uint32_t *hashes; /* per entry, in order of appearance */
    uint32_t *ranks;  /* order of appearance -> sorted */
} DictionaryBuilder;

DictionaryBuilder *dictionary_builder_create(MemoryBudget *budget); /* null when refused */
void dictionary_builder_destroy(DictionaryBuilder *builder);        /* null is allowed */
/* Codes of all rows into `codes` (room for FORMAT_ROW_GROUP_ROWS); false as soon as there are more
 * than `entries_max` distinct values, or a sample says that there will be. Lane I64 or TEXT. */
bool dictionary_builder_run(DictionaryBuilder *builder, const ColumnChunk *chunk,
                            uint32_t entries_max, int64_t *codes);
