/*
 * csv_writer.h — batches as the bytes of COPY … TO STDOUT: PostgreSQL's text, plain text, or CSV.
 *
 *   value        text (control)   text, ESCAPE   CSV
 *   a,b          a,b              a,b            "a,b"
 *   say "hi"     say "hi"         say "hi"       "say ""hi"""
 *   tab, newline \t  \n           \tab  \newline "tab newline"
 *   NULL         \N               \N             nothing
 *   ''           nothing          nothing        ""
 */
#pragma once
#include "base/byte_buffer.h"
#include "base/vector/batch.h"
#include "protocol/copy/copy_options.h"

typedef struct CopyWriter CopyWriter;

/*
 * `frame_type` nonzero: every row becomes a message of its own, that byte and a big-endian length
 * before it, as clients of COPY TO STDOUT expect ('d', CopyData). All memory is the arena's.
 */
CopyWriter *copy_writer_create(const CopyFormat *format, const Type *types, uint32_t column_count,
                               uint8_t frame_type, Arena *query_arena);

/* The row of column names; nothing unless the format has a header. */
void copy_writer_header(CopyWriter *writer, const char *const *names, ByteBuffer *out);

/* Appends the selected rows of `batch` from the selected row `first` on, until they end or at least
 * `bytes_wanted` have been added; `*next` is the first row not written. 53200, 54000. */
Status copy_writer_batch(CopyWriter *writer, Batch *batch, uint32_t first, size_t bytes_wanted,
                         ByteBuffer *out, uint32_t *next) CHECKED;
