/* csv_writer.c — batches as delimited text or CSV; see csv_writer.h. */
#include "protocol/copy/csv_writer.h"

#include <string.h>

#include "base/types/datetime.h"
#include "base/types/decimal.h"
#include "base/types/text_format.h"

enum { CELL_TEXT_BYTES = 96, FRAME_HEADER_BYTES = 5 }; /* a printed number, date or interval */
static_assert(CELL_TEXT_BYTES >= DATETIME_TEXT_BYTES && CELL_TEXT_BYTES >= DECIMAL_TEXT_BYTES &&
                  CELL_TEXT_BYTES >= NUMBER_TEXT_BYTES,
              "every value but texts fits a cell");

typedef struct OutputColumn {
    Type type;
    bool is_text;
    Vector flat;
    VectorBuffer buffer;
} OutputColumn;

struct CopyWriter {
    CopyFormat format;
    uint32_t column_count;
    OutputColumn *columns;
    uint8_t frame_type;
    bool checks_numbers;  /* the delimiter or quote may occur in numbers and dates */
    uint8_t special[256]; /* nonzero: the byte needs an escape, or its field quotes */
};

static void mark_special(CopyWriter *writer);
static Status flatten_columns(CopyWriter *writer, Batch *batch);
static size_t row_bytes_max(const CopyWriter *writer, uint32_t row);
static uint8_t *write_row(const CopyWriter *writer, uint32_t row, uint8_t *target);
static uint8_t *write_text(const CopyWriter *writer, const char *text, size_t bytes,
                           uint8_t *target);
static size_t print_cell(const OutputColumn *column, uint32_t row, char *target);

CopyWriter *copy_writer_create(const CopyFormat *format, const Type *types, uint32_t column_count,
                               uint8_t frame_type, Arena *query_arena)
{
    CopyWriter *writer = ARENA_NEW(query_arena, CopyWriter);
    writer->format = *format;
    writer->column_count = column_count;
    writer->frame_type = frame_type;
    writer->columns = ARENA_ARRAY(query_arena, OutputColumn, column_count);
    for (uint32_t i = 0; i < column_count; i++) {
        writer->columns[i].type = types[i];
        writer->columns[i].is_text = type_is_text(types[i]);
        vector_buffer_init(&writer->columns[i].buffer, query_arena);
    }
    mark_special(writer);
    return writer;
}

static uint8_t *put(uint8_t *target, const void *data, size_t bytes)
{
    memcpy(target, data, bytes);
    return target + bytes;
}

static uint8_t *begin_row(const CopyWriter *writer, uint8_t *target)
{
    return writer->frame_type == 0 ? target : target + FRAME_HEADER_BYTES;
}

static uint8_t *end_row(const CopyWriter *writer, uint8_t *target, uint8_t *at)
{
    *at++ = '\n';
    if (writer->frame_type != 0) {
        uint32_t length = __builtin_bswap32((uint32_t)(at - target - 1));
        target[0] = writer->frame_type;
        memcpy(target + 1, &length, sizeof(length));
    }
    return at;
}

void copy_writer_header(CopyWriter *writer, const char *const *names, ByteBuffer *out)
{
    if (!writer->format.has_header) {
        return;
    }
    size_t bytes_max = FRAME_HEADER_BYTES + 1;
    for (uint32_t i = 0; i < writer->column_count; i++) {
        bytes_max += strlen(names[i]) * 2 + 2 + writer->format.delimiter_bytes;
    }
    uint8_t *target = byte_buffer_reserve(out, bytes_max);
    if (target == NULL) {
        return;
    }
    uint8_t *at = begin_row(writer, target);
    for (uint32_t i = 0; i < writer->column_count; i++) {
        if (i > 0) {
            at = put(at, writer->format.delimiter, writer->format.delimiter_bytes);
        }
        at = write_text(writer, names[i], strlen(names[i]), at);
    }
    at = end_row(writer, target, at);
    byte_buffer_commit(out, (size_t)(at - target));
}

Status copy_writer_batch(CopyWriter *writer, Batch *batch, uint32_t first, size_t bytes_wanted,
                         ByteBuffer *out, uint32_t *next)
{
    ASSERT(batch->column_count >= writer->column_count);
    TRY(flatten_columns(writer, batch));
    size_t bytes_before = out->bytes;
    uint32_t index = first;
    while (index < batch->selected_count && out->bytes - bytes_before < bytes_wanted) {
        uint32_t row = batch_row(batch, index);
        uint8_t *target = byte_buffer_reserve(out, row_bytes_max(writer, row));
        if (target == NULL) {
            // The buffer ends with a whole row still: the error can follow it.
            Status status = byte_buffer_status(out);
            out->is_failed = false;
            return status;
        }
        byte_buffer_commit(out, (size_t)(write_row(writer, row, target) - target));
        index++;
    }
    *next = index;
    return STATUS_OK;
}

static void mark_special(CopyWriter *writer)
{
    const CopyFormat *format = &writer->format;
    uint8_t *special = writer->special;
    bool is_csv = format->style == COPY_STYLE_CSV;
    if (is_csv || format->escape_kind != COPY_ESCAPE_NONE) {
        special['\n'] = 1;
        special['\r'] = 1;
        special[(uint8_t)format->delimiter[0]] = 1;
    }
    if (is_csv) {
        special[(uint8_t)format->quote] = 1;
    } else if (format->escape_kind != COPY_ESCAPE_NONE) {
        special['\\'] = 1;
    }
    if (format->escape_kind == COPY_ESCAPE_CONTROL) {
        for (const char *c = "\b\f\t\v"; *c != '\0'; c++) {
            special[(uint8_t)*c] = 1;
        }
    }
    for (const char *c = "0123456789.:+- abcdefghijklmnopqrstuvwxyzINTY"; *c != '\0'; c++) {
        writer->checks_numbers |= special[(uint8_t)*c] != 0;
    }
    writer->checks_numbers |= format->forces_quotes;
}

static Status flatten_columns(CopyWriter *writer, Batch *batch)
{
    for (uint32_t i = 0; i < writer->column_count; i++) {
        const Vector *vector;
        OutputColumn *column = &writer->columns[i];
        TRY(batch_column(batch, i, &vector));
        vector_widen(vector, batch->row_count, batch->selection, batch->selected_count,
                     &column->buffer, &column->flat);
    }
    return STATUS_OK;
}

static const TextView *text_at(const OutputColumn *column, uint32_t row)
{
    return &((const TextView *)column->flat.data)[row];
}

/* CHAR is written with its blanks, as SELECT shows it. */
static size_t padding_bytes(const OutputColumn *column, uint32_t row)
{
    uint32_t length = text_at(column, row)->length;
    bool is_padded = column->type.id == TYPE_CHAR && column->type.length > 0 &&
                     (uint32_t)column->type.length > length;
    return is_padded ? (uint32_t)column->type.length - length : 0;
}

static size_t row_bytes_max(const CopyWriter *writer, uint32_t row)
{
    size_t field_bytes = 2u + writer->format.delimiter_bytes + writer->format.null_bytes;
    size_t bytes = FRAME_HEADER_BYTES + 1 + writer->column_count * field_bytes;
    for (uint32_t i = 0; i < writer->column_count; i++) {
        const OutputColumn *column = &writer->columns[i];
        if (!validity_get(column->flat.validity, row)) {
            continue;
        }
        size_t text_bytes = column->is_text
                                ? text_at(column, row)->length + padding_bytes(column, row)
                                : CELL_TEXT_BYTES;
        bytes += text_bytes * 2;
    }
    return bytes;
}

static uint8_t *write_row(const CopyWriter *writer, uint32_t row, uint8_t *target)
{
    const CopyFormat *format = &writer->format;
    uint8_t *at = begin_row(writer, target);
    for (uint32_t i = 0; i < writer->column_count; i++) {
        const OutputColumn *column = &writer->columns[i];
        if (i > 0) {
            at = put(at, format->delimiter, format->delimiter_bytes);
        }
        if (!validity_get(column->flat.validity, row)) {
            at = put(at, format->null_as, format->null_bytes);
        } else if (column->is_text) {
            const TextView *view = text_at(column, row);
            size_t padding = padding_bytes(column, row);
            uint8_t *end = write_text(writer, text_view_data(view), view->length, at);
            // Blanks go inside the closing quote.
            bool is_quoted = padding > 0 && end > at && format->style == COPY_STYLE_CSV &&
                             at[0] == (uint8_t)format->quote;
            uint8_t *blanks = is_quoted ? end - 1 : end;
            memset(blanks, ' ', padding);
            at = end + padding;
            if (is_quoted) {
                at[-1] = (uint8_t)format->quote;
            }
        } else if (writer->checks_numbers) {
            char text[CELL_TEXT_BYTES];
            at = write_text(writer, text, print_cell(column, row, text), at);
        } else {
            at += print_cell(column, row, (char *)at);
        }
    }
    return end_row(writer, target, at);
}

static size_t print_cell(const OutputColumn *column, uint32_t row, char *target)
{
    const void *lanes = column->flat.data;
    switch ((TypeId)column->type.id) {
    case TYPE_BOOLEAN:
        *target = ((const int64_t *)lanes)[row] != 0 ? 't' : 'f';
        return 1;
    case TYPE_SMALLINT:
    case TYPE_INTEGER:
    case TYPE_BIGINT:
        return integer_print(((const int64_t *)lanes)[row], target);
    case TYPE_DECIMAL: {
        Int128 value;
        if (type_is_scaled_integer(column->type)) {
            value = ((const int64_t *)lanes)[row];
        } else {
            memcpy(&value, (const char *)lanes + (size_t)row * sizeof(value), sizeof(value));
        }
        return decimal_print(value, column->type.scale, target);
    }
    case TYPE_REAL:
        return real_print(((const float *)lanes)[row], target);
    case TYPE_DOUBLE:
        return double_print(((const double *)lanes)[row], target);
    case TYPE_DATE:
        return date_print(((const int64_t *)lanes)[row], target);
    case TYPE_TIMESTAMP:
        return timestamp_print(((const int64_t *)lanes)[row], target);
    case TYPE_INTERVAL: {
        Interval interval;
        memcpy(&interval, (const char *)lanes + (size_t)row * sizeof(interval), sizeof(interval));
        return interval_print(&interval, target);
    }
    case TYPE_UNKNOWN:
    case TYPE_CHAR:
    case TYPE_VARCHAR:
    case TYPE_COUNT:
        break;
    }
    return 0;
}

static size_t plain_prefix(const CopyWriter *writer, const char *text, size_t bytes)
{
    size_t plain = 0;
    while (plain < bytes && writer->special[(uint8_t)text[plain]] == 0) {
        plain++;
    }
    return plain;
}

static uint8_t *write_escaped(const CopyWriter *writer, const char *text, size_t bytes,
                              uint8_t *target)
{
    static const char values[] = "\b\f\n\r\t\v", names[] = "bfnrtv";
    bool has_names = writer->format.escape_kind == COPY_ESCAPE_CONTROL;
    for (size_t i = 0; i < bytes; i++) {
        uint8_t byte = (uint8_t)text[i];
        if (writer->special[byte] != 0) {
            const char *found = has_names ? memchr(values, byte, sizeof(values) - 1) : NULL;
            *target++ = '\\';
            byte = found == NULL ? byte : (uint8_t)names[found - values];
        }
        *target++ = byte;
    }
    return target;
}

static uint8_t *write_quoted(const CopyWriter *writer, const char *text, size_t bytes,
                             uint8_t *target)
{
    const CopyFormat *format = &writer->format;
    *target++ = (uint8_t)format->quote;
    for (size_t i = 0; i < bytes; i++) {
        if (text[i] == format->quote || text[i] == format->quote_escape) {
            *target++ = (uint8_t)format->quote_escape;
        }
        *target++ = (uint8_t)text[i];
    }
    *target++ = (uint8_t)format->quote;
    return target;
}

/* A text as the style wants it; at most twice its bytes and two quotes. */
static uint8_t *write_text(const CopyWriter *writer, const char *text, size_t bytes,
                           uint8_t *target)
{
    const CopyFormat *format = &writer->format;
    size_t plain = plain_prefix(writer, text, bytes);
    if (format->style != COPY_STYLE_CSV) {
        target = put(target, text, plain);
        return write_escaped(writer, text + plain, bytes - plain, target);
    }
    bool looks_null = bytes == format->null_bytes && memcmp(text, format->null_as, bytes) == 0;
    bool is_end_mark = writer->column_count == 1 && bytes == 2 && memcmp(text, "\\.", 2) == 0;
    if (plain < bytes || looks_null || is_end_mark || format->forces_quotes) {
        return write_quoted(writer, text, bytes, target);
    }
    return put(target, text, bytes);
}
