/*
 * row_format.c — batches as DataRow messages; see row_format.h.
 *
 * Columns are first widened to flat lanes, so that one cell printer per type and format is enough;
 * rows are then written cell by cell into space reserved for the whole row.
 */
#include "protocol/pgwire/row_format.h"

#include <stdio.h>
#include <string.h>

#include "base/types/datetime.h"
#include "base/types/decimal.h"
#include "base/types/text_format.h"
#include "protocol/pgwire/numeric_wire.h"
#include "protocol/pgwire/pg_decode.h"
#include "protocol/pgwire/pg_message.h"

typedef struct Cells Cells;
/* Writes the value at `row` to `target` and returns the end. */
typedef uint8_t *(*CellPrinter)(const Cells *cells, uint32_t row, uint8_t *target);

struct Cells { /* one column of the current batch, flat */
    const void *lanes;
    const uint64_t *validity;
    CellPrinter print;
    size_t bytes_max; /* of a value, text columns apart */
    Type type;
    bool is_text;
    int32_t extra_float_digits;
    VectorBuffer buffer;
};

struct RowFormat {
    uint32_t column_count;
    size_t fixed_bytes_max; /* of a row without the texts */
    uint32_t text_count;
    uint32_t *text_columns;
    Cells *cells;
};

enum { ROW_HEADER_BYTES = 7, LENGTH_BYTES = 4 };

static CellPrinter choose_printer(Type type, uint16_t format, size_t *bytes_max);
static Status flatten_columns(RowFormat *format, Batch *batch);
static size_t row_bytes_max(const RowFormat *format, uint32_t row);
static uint8_t *write_row(const RowFormat *format, uint32_t row, uint8_t *target);

RowFormat *row_format_create(Arena *query_arena, const Type *types, uint32_t column_count,
                             const uint16_t *formats, uint32_t format_count,
                             RowFormatOptions options)
{
    RowFormat *format = ARENA_NEW(query_arena, RowFormat);
    format->column_count = column_count;
    format->cells = ARENA_ARRAY(query_arena, Cells, column_count);
    format->text_columns = ARENA_ARRAY(query_arena, uint32_t, column_count);
    format->fixed_bytes_max = ROW_HEADER_BYTES;
    for (uint32_t i = 0; i < column_count; i++) {
        Cells *cells = &format->cells[i];
        cells->type = types[i];
        cells->extra_float_digits = options.extra_float_digits;
        cells->is_text = type_is_text(types[i]);
        cells->print =
            choose_printer(types[i], pg_format_of(formats, format_count, i), &cells->bytes_max);
        vector_buffer_init(&cells->buffer, query_arena);
        format->fixed_bytes_max += LENGTH_BYTES + cells->bytes_max;
        if (cells->is_text) {
            format->text_columns[format->text_count++] = i;
        }
    }
    return format;
}

Status row_format_write(RowFormat *format, Batch *batch, uint32_t first, size_t bytes_wanted,
                        ByteBuffer *out, uint32_t *next)
{
    ASSERT(batch->column_count >= format->column_count);
    TRY(flatten_columns(format, batch));
    size_t bytes_before = out->bytes;
    uint32_t index = first;
    while (index < batch->selected_count && out->bytes - bytes_before < bytes_wanted) {
        uint32_t row = batch_row(batch, index);
        uint8_t *target = byte_buffer_reserve(out, row_bytes_max(format, row));
        if (target == NULL) {
            // The buffer ends with whole messages still: the error can follow them.
            Status status = byte_buffer_status(out);
            out->is_failed = false;
            return status;
        }
        byte_buffer_commit(out, (size_t)(write_row(format, row, target) - target));
        index++;
    }
    *next = index;
    return STATUS_OK;
}

static Status flatten_columns(RowFormat *format, Batch *batch)
{
    for (uint32_t i = 0; i < format->column_count; i++) {
        const Vector *vector;
        Vector flat;
        Cells *cells = &format->cells[i];
        TRY(batch_column(batch, i, &vector));
        vector_widen(vector, batch->row_count, batch->selection, batch->selected_count,
                     &cells->buffer, &flat);
        cells->lanes = flat.data;
        cells->validity = flat.validity;
    }
    return STATUS_OK;
}

static size_t text_bytes(const Cells *cells, uint32_t row)
{
    size_t bytes = ((const TextView *)cells->lanes)[row].length;
    size_t padded = cells->type.id == TYPE_CHAR ? (size_t)cells->type.length : 0;
    return bytes > padded ? bytes : padded;
}

static size_t row_bytes_max(const RowFormat *format, uint32_t row)
{
    size_t bytes = format->fixed_bytes_max;
    for (uint32_t i = 0; i < format->text_count; i++) {
        const Cells *cells = &format->cells[format->text_columns[i]];
        if (validity_get(cells->validity, row)) {
            bytes += text_bytes(cells, row);
        }
    }
    return bytes;
}

static uint8_t *put_be16(uint8_t *target, uint16_t value)
{
    uint16_t swapped = __builtin_bswap16(value);
    memcpy(target, &swapped, sizeof(swapped));
    return target + sizeof(swapped);
}

static uint8_t *put_be32(uint8_t *target, uint32_t value)
{
    uint32_t swapped = __builtin_bswap32(value);
    memcpy(target, &swapped, sizeof(swapped));
    return target + sizeof(swapped);
}

static uint8_t *put_be64(uint8_t *target, uint64_t value)
{
    uint64_t swapped = __builtin_bswap64(value);
    memcpy(target, &swapped, sizeof(swapped));
    return target + sizeof(swapped);
}

static uint8_t *write_row(const RowFormat *format, uint32_t row, uint8_t *target)
{
    uint8_t *at = target;
    *at = PG_BACKEND_DATA_ROW;
    at = put_be16(at + 5, (uint16_t)format->column_count);
    for (uint32_t i = 0; i < format->column_count; i++) {
        const Cells *cells = &format->cells[i];
        if (!validity_get(cells->validity, row)) {
            at = put_be32(at, UINT32_MAX);
            continue;
        }
        uint8_t *value = at + LENGTH_BYTES;
        uint8_t *end = cells->print(cells, row, value);
        put_be32(at, (uint32_t)(end - value));
        at = end;
    }
    put_be32(target + 1, (uint32_t)(at - target - 1));
    return at;
}

/* ---- text ---- */

static int64_t int64_at(const Cells *cells, uint32_t row)
{
    return ((const int64_t *)cells->lanes)[row];
}

static uint8_t *print_boolean(const Cells *cells, uint32_t row, uint8_t *target)
{
    *target = int64_at(cells, row) != 0 ? 't' : 'f';
    return target + 1;
}

static uint8_t *print_integer(const Cells *cells, uint32_t row, uint8_t *target)
{
    return target + integer_print(int64_at(cells, row), (char *)target);
}

static uint8_t *print_decimal64(const Cells *cells, uint32_t row, uint8_t *target)
{
    return target + decimal_print(int64_at(cells, row), cells->type.scale, (char *)target);
}

static uint8_t *print_decimal128(const Cells *cells, uint32_t row, uint8_t *target)
{
    Int128 value;
    memcpy(&value, (const uint8_t *)cells->lanes + (size_t)row * sizeof(value), sizeof(value));
    return target + decimal_print(value, cells->type.scale, (char *)target);
}

static uint8_t *print_double(const Cells *cells, uint32_t row, uint8_t *target)
{
    double value = ((const double *)cells->lanes)[row];
    if (cells->extra_float_digits > 0 || __builtin_isinf(value) || __builtin_isnan(value)) {
        return target + double_print(value, (char *)target);
    }
    int digits = 15 + cells->extra_float_digits;
    return target +
           snprintf((char *)target, NUMBER_TEXT_BYTES, "%.*g", digits < 1 ? 1 : digits, value);
}

static uint8_t *print_real(const Cells *cells, uint32_t row, uint8_t *target)
{
    float value = ((const float *)cells->lanes)[row];
    if (cells->extra_float_digits > 0 || __builtin_isinf(value) || __builtin_isnan(value)) {
        return target + real_print(value, (char *)target);
    }
    int digits = 6 + cells->extra_float_digits;
    return target + snprintf((char *)target, NUMBER_TEXT_BYTES, "%.*g", digits < 1 ? 1 : digits,
                             (double)value);
}

static uint8_t *print_date(const Cells *cells, uint32_t row, uint8_t *target)
{
    return target + date_print(int64_at(cells, row), (char *)target);
}

static uint8_t *print_timestamp(const Cells *cells, uint32_t row, uint8_t *target)
{
    return target + timestamp_print(int64_at(cells, row), (char *)target);
}

static Interval interval_at(const Cells *cells, uint32_t row)
{
    Interval interval;
    memcpy(&interval, (const uint8_t *)cells->lanes + (size_t)row * sizeof(interval),
           sizeof(interval));
    return interval;
}

static uint8_t *print_interval(const Cells *cells, uint32_t row, uint8_t *target)
{
    Interval interval = interval_at(cells, row);
    return target + interval_print(&interval, (char *)target);
}

static uint8_t *print_text(const Cells *cells, uint32_t row, uint8_t *target)
{
    const TextView *view = &((const TextView *)cells->lanes)[row];
    memcpy(target, text_view_data(view), view->length);
    return target + view->length;
}

static uint8_t *print_char(const Cells *cells, uint32_t row, uint8_t *target)
{
    uint8_t *end = print_text(cells, row, target);
    uint8_t *padded_end = target + text_bytes(cells, row);
    memset(end, ' ', (size_t)(padded_end - end));
    return padded_end;
}

/* ---- binary ---- */

static uint8_t *pack_boolean(const Cells *cells, uint32_t row, uint8_t *target)
{
    *target = int64_at(cells, row) != 0;
    return target + 1;
}

static uint8_t *pack_int16(const Cells *cells, uint32_t row, uint8_t *target)
{
    return put_be16(target, (uint16_t)int64_at(cells, row));
}

static uint8_t *pack_int32(const Cells *cells, uint32_t row, uint8_t *target)
{
    return put_be32(target, (uint32_t)int64_at(cells, row));
}

static uint8_t *pack_int64(const Cells *cells, uint32_t row, uint8_t *target)
{
    return put_be64(target, (uint64_t)int64_at(cells, row));
}

static uint8_t *pack_decimal64(const Cells *cells, uint32_t row, uint8_t *target)
{
    return target + numeric_wire_write(int64_at(cells, row), cells->type.scale, target);
}

static uint8_t *pack_decimal128(const Cells *cells, uint32_t row, uint8_t *target)
{
    Int128 value;
    memcpy(&value, (const uint8_t *)cells->lanes + (size_t)row * sizeof(value), sizeof(value));
    return target + numeric_wire_write(value, cells->type.scale, target);
}

static uint8_t *pack_real(const Cells *cells, uint32_t row, uint8_t *target)
{
    uint32_t bits;
    memcpy(&bits, (const float *)cells->lanes + row, sizeof(bits));
    return put_be32(target, bits);
}

static uint8_t *pack_date(const Cells *cells, uint32_t row, uint8_t *target)
{
    int64_t days = int64_at(cells, row);
    if (days != DATE_INFINITY && days != DATE_MINUS_INFINITY) {
        days -= POSTGRES_EPOCH_DAYS;
    }
    return put_be32(target, (uint32_t)days);
}

static uint8_t *pack_timestamp(const Cells *cells, uint32_t row, uint8_t *target)
{
    int64_t us = int64_at(cells, row);
    if (us != TIMESTAMP_INFINITY && us != TIMESTAMP_MINUS_INFINITY) {
        us -= POSTGRES_EPOCH_DAYS * US_PER_DAY;
    }
    return put_be64(target, (uint64_t)us);
}

static uint8_t *pack_interval(const Cells *cells, uint32_t row, uint8_t *target)
{
    Interval interval = interval_at(cells, row);
    target = put_be64(target, (uint64_t)interval.us);
    target = put_be32(target, (uint32_t)interval.days);
    return put_be32(target, (uint32_t)interval.months);
}

typedef struct PrinterChoice {
    CellPrinter text, binary;
    size_t bytes_max; /* of either; 0 for texts, whose length is known per row */
} PrinterChoice;

static CellPrinter choose_printer(Type type, uint16_t format, size_t *bytes_max)
{
    static const PrinterChoice choices[TYPE_COUNT] = {
        [TYPE_UNKNOWN] = {print_text, print_text, 0},
        [TYPE_BOOLEAN] = {print_boolean, pack_boolean, 1},
        [TYPE_SMALLINT] = {print_integer, pack_int16, NUMBER_TEXT_BYTES},
        [TYPE_INTEGER] = {print_integer, pack_int32, NUMBER_TEXT_BYTES},
        [TYPE_BIGINT] = {print_integer, pack_int64, NUMBER_TEXT_BYTES},
        [TYPE_DECIMAL] = {print_decimal64, pack_decimal64, DECIMAL_TEXT_BYTES},
        [TYPE_REAL] = {print_real, pack_real, NUMBER_TEXT_BYTES},
        [TYPE_DOUBLE] = {print_double, pack_int64, NUMBER_TEXT_BYTES}, // its bits, big endian
        [TYPE_CHAR] = {print_char, print_char, 0},
        [TYPE_VARCHAR] = {print_text, print_text, 0},
        [TYPE_DATE] = {print_date, pack_date, DATETIME_TEXT_BYTES},
        [TYPE_TIMESTAMP] = {print_timestamp, pack_timestamp, DATETIME_TEXT_BYTES},
        [TYPE_INTERVAL] = {print_interval, pack_interval, DATETIME_TEXT_BYTES},
    };
    static const PrinterChoice wide_decimal = {print_decimal128, pack_decimal128,
                                               DECIMAL_TEXT_BYTES};
    ASSERT(type.id < TYPE_COUNT);
    bool is_wide = type.id == TYPE_DECIMAL && type.precision > DECIMAL_PRECISION_INT64;
    const PrinterChoice *choice = is_wide ? &wide_decimal : &choices[type.id];
    *bytes_max = choice->bytes_max;
    return format == PG_FORMAT_BINARY ? choice->binary : choice->text;
}
