/*
 * copy_reader.h — blocks of whole rows into batches of typed columns.
 *
 *   copy_reader_block(reader, data, bytes, first_line)      one block, borrowed until it is done
 *   copy_reader_next(reader, &batch, &is_done) …            until is_done
 *   copy_reader_errors(reader, &count)                      the block's bad rows, if any are
 * allowed
 *
 * Scaled integers come as I64 lanes with exact bounds, BOOLEAN as U8, texts as views into the
 * block: a batch lives until the next call, its texts as long as the block.
 * One thread uses a reader; several readers may work on blocks of the same COPY.
 */
#pragma once
#include "base/vector/batch.h"
#include "protocol/copy/copy_options.h"

typedef struct CopyColumn { /* of the fields in the file, in their order */
    const char *name;
    Type type;
    bool is_not_null;
} CopyColumn;

typedef struct CopyReaderOptions {
    const char *table_name; /* for messages; null: none */
    uint32_t batch_rows;    /* 1..VECTOR_ROWS; 0: VECTOR_ROWS */
} CopyReaderOptions;

#define COPY_ERROR_FIELD_BYTES 100
#define COPY_ERROR_LINE_BYTES 1024

/* A row that was passed over. Texts are valid UTF-8 and live until the next block. */
typedef struct CopyError {
    uint64_t line;     /* where the row starts, from 1 */
    uint32_t column;   /* index of the column; the column count when it is the row's fault */
    uint32_t position; /* bytes from the row's start to the field */
    SqlState sqlstate;
    uint16_t load_code; /* Redshift's number for stl_load_errors */
    const char *reason;
    const char *field;    /* at most COPY_ERROR_FIELD_BYTES */
    const char *raw_line; /* at most COPY_ERROR_LINE_BYTES */
} CopyError;

typedef struct CopyReader CopyReader;

/* `columns` and `format` are copied, but for the names; all memory is the arena's. 22023 for date
 * patterns that are not understood. */
Status copy_reader_create(const CopyFormat *format, const CopyColumn *columns,
                          uint32_t column_count, const CopyReaderOptions *options,
                          Arena *query_arena, CopyReader **out) CHECKED;

/* Begins a block; 64 bytes behind `data` are readable. */
void copy_reader_block(CopyReader *reader, const void *data, size_t bytes, uint64_t first_line);

/*
 * The next rows of the block; none when `*is_done`. Fails at the first bad row that the format does
 * not allow any more, with the context "COPY orders, line 17, column o_orderkey: "abc"": 22P04
 * for missing or extra columns and open quotes, 23502 for NULL in a NOT NULL column, and what
 * field_value_read reports.
 */
Status copy_reader_next(CopyReader *reader, Batch *out, bool *is_done) CHECKED;

/* Bad rows of the current block, in order; of all blocks so far. */
const CopyError *copy_reader_errors(const CopyReader *reader, uint32_t *count);
uint64_t copy_reader_error_count(const CopyReader *reader);
