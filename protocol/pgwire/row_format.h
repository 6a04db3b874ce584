/*
 * row_format.h — batches as DataRow messages, each column in text or binary form.
 *
 * Text is what psql shows: booleans t and f, CHAR(n) padded with blanks, ISO dates, floats as the
 * shortest text that reads back. Binary is PostgreSQL's: big endian, epoch 2000-01-01, numerics in
 * base 10,000. The bytes depend on the options alone, not on a connection.
 */
#pragma once
#include "base/byte_buffer.h"
#include "base/vector/batch.h"

typedef struct RowFormat RowFormat;

typedef struct RowFormatOptions {
    int32_t
        extra_float_digits; /* > 0: shortest text; else that many beyond 15 (DOUBLE), 6 (REAL) */
} RowFormatOptions;

/* `formats` as in Bind: none (all text), one for all, or one per column. Lives in `query_arena`. */
RowFormat *row_format_create(Arena *query_arena, const Type *types, uint32_t column_count,
                             const uint16_t *formats, uint32_t format_count,
                             RowFormatOptions options);

/*
 * Appends one DataRow per selected row of `batch`, beginning with the selected row `first`, until
 * the rows end or at least `bytes_wanted` have been added: `*next` is the first row not written.
 * Columns of the batch are the columns of the result. Fails with 53200 or 54000 when `out` cannot
 * grow.
 */
Status row_format_write(RowFormat *format, Batch *batch, uint32_t first, size_t bytes_wanted,
                        ByteBuffer *out, uint32_t *next) CHECKED;
