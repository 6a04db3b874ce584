/*
 * row_buffer.h — rows waiting to become a row group, column by column, as wide as encoders want
 * them: int64, int128, float, double, text views.
 *
 * Invariants: (1) null rows repeat the value before them (the first present one at the start), so
 * that they never widen a block; (2) text bytes belong to the buffer; (3) memory is a multiple of
 * 1,024 rows long.
 */
#pragma once
#include "storage/encoding/encoding.h"

#define ROW_BUFFER_ROWS_MAX FORMAT_ROW_GROUP_ROWS

/* Text bytes, end to end in pieces that never move. */
typedef struct TextPiece {
    struct TextPiece *next;
    size_t capacity, used; /* of the bytes behind this struct */
} TextPiece;

typedef struct ColumnBuffer {
    Type type;
    Lane lane;
    uint32_t capacity;      /* rows */
    void *values;
    uint64_t *validity;     /* null as long as there is no null */
    uint32_t null_count;
    bool has_value;         /* some row is present */
    TextPiece *text;        /* the piece in use first */
    TextFacts facts;
} ColumnBuffer;

typedef struct RowBuffer {
    MemoryBudget *budget;
    uint32_t column_count;
    ColumnBuffer *columns;
    uint32_t row_count, capacity;
    VectorBuffer widened;   /* for vectors that are not flat; lanes in `arena` */
    Arena *arena;
} RowBuffer;

/* `types`: one per column. */
Status row_buffer_create(const Type *types, uint32_t column_count, MemoryBudget *budget,
                         RowBuffer **out) CHECKED;
void row_buffer_destroy(RowBuffer *buffer); /* null is allowed */
void row_buffer_clear(RowBuffer *buffer);   /* keeps the memory */

/* Appends rows[0 .. row_count) of a batch (null: rows 0 ..), all columns loaded; there is room
 * (ROW_BUFFER_ROWS_MAX). 53200, 22001; after an error the buffer can only be destroyed. */
Status row_buffer_append(RowBuffer *buffer, const Batch *batch, const uint16_t *rows,
                         uint32_t row_count) CHECKED;

/* A column as encoders take it; borrowed until the next append. */
void row_buffer_chunk(const RowBuffer *buffer, uint32_t column, ColumnChunk *out);
/* Rows first .. (a multiple of 1,024) as a batch of views; `vectors` has room for all columns.
 * Returns its row count. */
uint32_t row_buffer_batch(const RowBuffer *buffer, uint32_t first_row, Vector *vectors, Batch *out);
/* Bytes of values and text held by rows. */
size_t row_buffer_bytes(const RowBuffer *buffer);
