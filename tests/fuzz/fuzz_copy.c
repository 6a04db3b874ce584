/*
 * fuzz_copy.c — any bytes as the input of COPY: splitter, reader, writer.
 *
 * The first four bytes choose the format. Cut into small blocks or one large block, the input must
 * give the same rows and the same number of bad ones; what was read is written and read again.
 */
#include <string.h>

#include "protocol/copy/copy_reader.h"
#include "protocol/copy/csv_writer.h"
#include "protocol/copy/row_splitter.h"
#include "tests/fuzz/fuzz.h"

typedef struct Totals {
    uint64_t row_count, error_count, checksum;
} Totals;

static const CopyColumn columns[] = {
    {.name = "a", .type = {.id = TYPE_INTEGER}},
    {.name = "b", .type = {.id = TYPE_VARCHAR, .length = 8}},
    {.name = "c", .type = {.id = TYPE_DECIMAL, .precision = 9, .scale = 2}},
    {.name = "d", .type = {.id = TYPE_DATE}},
    {.name = "e", .type = {.id = TYPE_TIMESTAMP}},
    {.name = "f", .type = {.id = TYPE_DOUBLE}},
    {.name = "g", .type = {.id = TYPE_CHAR, .length = 5}, .is_not_null = true},
    {.name = "h", .type = {.id = TYPE_BOOLEAN}},
};

static const char *const names[] = {"a", "b", "c\t", "d", "e", "f", "\"g\"", "h"};

static bool choose_format(const uint8_t *bits, CopyFormat *format)
{
    copy_format_init(format, (bits[0] & 1) != 0 ? COPY_DIALECT_POSTGRES : COPY_DIALECT_REDSHIFT);
    format->style = (bits[0] & 2) != 0 ? COPY_STYLE_CSV : COPY_STYLE_TEXT;
    format->escape_kind = (bits[0] & 4) != 0 ? COPY_ESCAPE_PLAIN : COPY_ESCAPE_NONE;
    format->removes_quotes = (bits[0] & 8) != 0;
    format->is_empty_null = (bits[0] & 16) != 0;
    format->is_blank_null = (bits[0] & 32) != 0;
    format->trims_blanks = (bits[0] & 64) != 0;
    format->cuts_columns = (bits[0] & 128) != 0;
    format->fills_record = (bits[1] & 1) != 0;
    format->skips_blank_lines = (bits[1] & 2) != 0;
    format->accepts_any_date = (bits[1] & 4) != 0;
    format->invalid_replacement = (bits[1] & 8) != 0 ? '?' : '\0';
    format->header_rows = bits[1] >> 6;
    if ((bits[1] & 16) != 0 && format->style == COPY_STYLE_CSV) {
        format->quote_escape = '\\';
        format->has_quote_escape = true;
    }
    if ((bits[1] & 32) != 0) {
        static const char *const patterns[] = {"DD.MM.YYYY",      "MONTH DD YY",   "YYYYDDD",
                                               "epochsecs",       "HH12:MI:SS AM", "HH24MISSUS",
                                               "YYYY-MM-DDTHHOF", "epochmillisecs"};
        const char *pattern = patterns[(bits[2] & 3) | (bits[2] >> 1 & 4)];
        memcpy(format->time_pattern, pattern, strlen(pattern));
        memcpy(format->date_pattern, patterns[bits[2] >> 2 & 1], 10);
    }
    format->has_header = (bits[2] & 16) != 0;
    format->delimiter[0] = (char)bits[3];
    format->delimiter_bytes = 1;
    format->has_delimiter = bits[3] != 0;
    format->errors_max = UINT32_MAX;
    Status status = copy_format_finish(format);
    bool is_good = status == STATUS_OK;
    status_free(status);
    return is_good;
}

/* Reads a block; rows are summed up and written out again. */
static void read_block(CopyReader *reader, CopyWriter *writer, const RowBlock *block,
                       ByteBuffer *out, Totals *totals)
{
    copy_reader_block(reader, block->data, block->bytes, block->first_line);
    for (;;) {
        Batch batch;
        bool is_done;
        Status status = copy_reader_next(reader, &batch, &is_done);
        require(status == STATUS_OK);
        if (is_done) {
            break;
        }
        totals->row_count += batch.row_count;
        for (uint32_t row = 0; row < batch.row_count; row++) {
            Value value = vector_value(&batch.columns[0], row);
            totals->checksum = totals->checksum * 31 + (value.is_null ? 7 : (uint64_t)value.i64);
            Value price = vector_value(&batch.columns[2], row);
            plant(!price.is_null && price.i64 > 1000);
        }
        uint32_t next;
        status_free(copy_writer_batch(writer, &batch, 0, SIZE_MAX, out, &next));
    }
    totals->error_count = copy_reader_error_count(reader);
}

static Totals read_all(Arena *arena, MemoryBudget *budget, const CopyFormat *format,
                       const uint8_t *data, size_t bytes, size_t block_bytes, ByteBuffer *out)
{
    Totals totals = {.row_count = 0};
    RowSplitter *splitter;
    CopyReader *reader;
    CopyReaderOptions options = {.table_name = "t", .batch_rows = block_bytes < 100 ? 3 : 0};
    Type types[8];
    for (uint32_t i = 0; i < 8; i++) {
        types[i] = columns[i].type;
    }
    Status status = copy_reader_create(format, columns, 8, &options, arena, &reader);
    if (status != STATUS_OK) {
        status_free(status);
        return totals;
    }
    CopyWriter *writer = copy_writer_create(format, types, 8, 'd', arena);
    copy_writer_header(writer, names, out);
    status_free(row_splitter_create(format, budget, block_bytes, &splitter));
    RowBlock block;
    while (bytes > 0) {
        size_t taken;
        status = row_splitter_add(splitter, data, bytes < 37 ? bytes : 37, &taken, &block);
        require(status == STATUS_OK && taken > 0);
        data += taken;
        bytes -= taken;
        if (block.data != NULL) {
            read_block(reader, writer, &block, out, &totals);
            row_block_free(budget, &block);
        }
    }
    status_free(row_splitter_finish(splitter, &block));
    if (block.data != NULL) {
        read_block(reader, writer, &block, out, &totals);
        row_block_free(budget, &block);
    }
    row_splitter_destroy(splitter);
    return totals;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    static Arena *arena;
    static PagePool *pool;
    static MemoryBudget *budget;
    CopyFormat format;
    if (bytes < 4 || !choose_format(data, &format)) {
        return 0;
    }
    if (arena == NULL) {
        arena = arena_create(NULL, "fuzz");
        status_free(page_pool_create(&pool, (size_t)1 << 30));
        budget = memory_budget_create(pool, NULL, "fuzz", 0);
    }
    ByteBuffer small_out, large_out;
    byte_buffer_init(&small_out, 1 << 20);
    byte_buffer_init(&large_out, 1 << 20);
    Totals small = read_all(arena, budget, &format, data + 4, bytes - 4, 64, &small_out);
    Totals large = read_all(arena, budget, &format, data + 4, bytes - 4, 1 << 16, &large_out);
    require(small.row_count == large.row_count && small.error_count == large.error_count &&
            small.checksum == large.checksum);
    require(small_out.bytes == large_out.bytes &&
            (small_out.bytes == 0 || memcmp(small_out.data, large_out.data, small_out.bytes) == 0));
    byte_buffer_deinit(&small_out);
    byte_buffer_deinit(&large_out);
    arena_reset(arena);
    return 0;
}
