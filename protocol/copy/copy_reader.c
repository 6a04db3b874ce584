/*
 * copy_reader.c — blocks into batches: scan a window, group its rows, convert column by column.
 *
 * A window of text is scanned for marks; its whole rows form a group small enough that their bytes
 * stay in the first cache while every column's kernel walks over them:
 *
 *   marks      -1   3    8 | 12   17 | …          rows end at the marks that are newlines
 *   field (row, column) = data[marks[before(row) + column] + 1 .. marks[before(row) + column + 1])
 */
#include "protocol/copy/copy_reader_internal.h"

#include <string.h>

enum { WINDOW_BYTES = 16 << 10 }; /* scanned at once */

static void init_column(CopyReader *reader, ReaderColumn *column, Arena *arena);
static void find_rows(CopyReader *reader);
static void close_last_row(CopyReader *reader);
static Status fill_group(CopyReader *reader, uint32_t room);
static Status convert_group(CopyReader *reader, uint32_t batch_row);
static void locate(CopyReader *reader, uint32_t column, uint64_t *odd);
static void convert_odd(CopyReader *reader, uint32_t column_index, uint32_t batch_row,
                        const uint64_t *odd);
static uint32_t drop_faulty_rows(CopyReader *reader, uint32_t batch_row);
static void finish_batch(CopyReader *reader, uint32_t row_count, Batch *out);

Status copy_reader_create(const CopyFormat *format, const CopyColumn *columns,
                          uint32_t column_count, const CopyReaderOptions *options,
                          Arena *query_arena, CopyReader **out)
{
    CopyReader *reader = ARENA_NEW(query_arena, CopyReader);
    reader->format = *format;
    TRY(field_rules_init(&reader->rules, &reader->format));
    reader->table_name = options->table_name;
    reader->column_count = column_count;
    reader->batch_rows = options->batch_rows == 0 ? VECTOR_ROWS : options->batch_rows;
    ASSERT(column_count > 0 && reader->batch_rows <= VECTOR_ROWS);
    scan_rules_init(&reader->scan_rules, format);
    reader->kernels = scan_kernels_choose(&reader->scan_rules);
    reader->plain_kernels = reader->kernels;
    if (format->removes_quotes && format->delimiter_bytes == 1) {
        ScanRules plain = reader->scan_rules;
        plain.needs_bytewise = false;
        reader->plain_kernels = scan_kernels_choose(&plain);
    }
    reader->columns = ARENA_ARRAY(query_arena, ReaderColumn, column_count);
    reader->vectors = ARENA_ARRAY(query_arena, Vector, column_count);
    for (uint32_t i = 0; i < column_count; i++) {
        reader->columns[i].column = columns[i];
        init_column(reader, &reader->columns[i], query_arena);
    }
    // A row that goes on beyond the window keeps no more marks than tell that it is too long.
    size_t marks_max = WINDOW_BYTES + column_count + 32;
    reader->scan.marks = ARENA_ARRAY(query_arena, uint32_t, marks_max);
    reader->scan.row_marks = ARENA_ARRAY(query_arena, uint32_t, marks_max);
    reader->batch_arena = arena_create(query_arena, "copy_batch");
    reader->error_arena = arena_create(query_arena, "copy_errors");
    *out = reader;
    return STATUS_OK;
}

void copy_reader_block(CopyReader *reader, const void *data, size_t bytes, uint64_t first_line)
{
    ASSERT(bytes < UINT32_MAX);
    FieldScan *scan = &reader->scan;
    reader->data = data;
    reader->bytes = bytes;
    reader->next = 0;
    reader->first_line = first_line;
    reader->row_next = 0;
    reader->fault_count = 0;
    reader->counted_bytes = 0;
    reader->counted_lines = 0;
    reader->error_count = 0;
    arena_reset(reader->error_arena);
    reader->errors = NULL;
    reader->error_capacity = 0;
    *scan = (FieldScan){.marks = scan->marks, .row_marks = scan->row_marks};
    scan->marks[0] = UINT32_MAX; // "the newline before the first row": its successor is 0
    scan->mark_count = 1;
    bool may_be_wrapped = reader->format.removes_quotes &&
                          (memchr(data, '"', bytes) != NULL || memchr(data, '\'', bytes) != NULL);
    reader->kernels =
        may_be_wrapped ? scan_kernels_choose(&reader->scan_rules) : reader->plain_kernels;
}

Status copy_reader_next(CopyReader *reader, Batch *out, bool *is_done)
{
    uint32_t row_count = 0;
    arena_reset(reader->batch_arena);
    for (uint32_t i = 0; i < reader->column_count; i++) {
        reader->columns[i].has_nulls = false;
        memset(reader->columns[i].buffer.validity, 0xFF, VALIDITY_WORDS * sizeof(uint64_t));
        reader->columns[i].field.has_trailing_blanks = false;
    }
    while (row_count < reader->batch_rows) {
        if (reader->row_next == reader->scan.row_count) {
            find_rows(reader);
            if (reader->row_next == reader->scan.row_count) {
                break;
            }
        }
        TRY(fill_group(reader, reader->batch_rows - row_count));
        TRY(convert_group(reader, row_count));
        row_count += drop_faulty_rows(reader, row_count);
    }
    finish_batch(reader, row_count, out);
    *is_done = row_count == 0;
    return STATUS_OK;
}

const CopyError *copy_reader_errors(const CopyReader *reader, uint32_t *count)
{
    *count = reader->error_count;
    return reader->errors;
}

uint64_t copy_reader_error_count(const CopyReader *reader)
{
    return reader->errors_total;
}

static void init_column(CopyReader *reader, ReaderColumn *column, Arena *arena)
{
    const CopyFormat *format = &reader->format;
    Type type = column->column.type;
    bool has_pattern = (type.id == TYPE_DATE && reader->rules.has_date_pattern) ||
                       (type.id == TYPE_TIMESTAMP &&
                        (reader->rules.has_time_pattern || reader->rules.epoch_unit_us != 0));
    column->kernel = has_pattern ? field_kernel_none : field_kernel_choose(type);
    column->lane_bytes = lane_bytes(type_widest_lane(type));
    column->field = (FieldColumn){
        .type = type,
        .text_bytes_max = type.length > 0 ? (uint32_t)type.length : UINT32_MAX,
        .quote = (uint8_t)format->quote,
        .null_bytes = format->null_bytes,
        .null_as = format->null_as,
    };
    if (type_is_scaled_integer(type)) {
        column->field.value_min = type_int64_min(type);
        column->field.value_max = type_int64_max(type);
    }
    vector_buffer_init(&column->buffer, arena);
}

/* Scans on until there are rows that nobody has taken, or the block ends. */
static void find_rows(CopyReader *reader)
{
    FieldScan *scan = &reader->scan;
    // The marks of rows taken go; the last newline among them stays as the new first mark.
    uint32_t base = reader->row_next == 0 ? 0 : scan->row_marks[reader->row_next - 1];
    scan->mark_count -= base;
    memmove(scan->marks, scan->marks + base, scan->mark_count * sizeof(uint32_t));
    scan->row_count = 0;
    reader->row_next = 0;
    while (scan->row_count == 0 && reader->next < reader->bytes) {
        // A row with far too many fields need not keep all their marks.
        uint32_t marks_max = reader->column_count + 3;
        if (scan->mark_count > marks_max) {
            scan->mark_count = marks_max;
        }
        size_t last = reader->next + WINDOW_BYTES;
        last = last < reader->bytes ? last : reader->bytes;
        reader->kernels->fields(scan, &reader->scan_rules, reader->data, reader->next, last,
                                reader->bytes);
        reader->next = last;
    }
    if (reader->next == reader->bytes) {
        close_last_row(reader);
    }
}

/* A row at the end of the block that has no newline ends with the block. */
static void close_last_row(CopyReader *reader)
{
    FieldScan *scan = &reader->scan;
    uint32_t last_row_mark = scan->row_count == 0 ? 0 : scan->row_marks[scan->row_count - 1];
    uint32_t row_first = scan->marks[last_row_mark] + 1;
    if (row_first < reader->bytes) {
        scan->row_marks[scan->row_count++] = scan->mark_count;
        scan->marks[scan->mark_count++] = (uint32_t)reader->bytes;
    }
}

static uint32_t field_first(const CopyReader *reader, uint32_t mark, bool is_first)
{
    return reader->scan.marks[mark] + (is_first ? 1 : reader->scan_rules.delimiter_bytes);
}

/* The end of the field before mark `mark`, without the carriage return of a CRLF. */
static uint32_t field_last(const CopyReader *reader, uint32_t first, uint32_t mark)
{
    uint32_t last = reader->scan.marks[mark];
    bool is_row_end = last == reader->bytes || reader->data[last] == '\n';
    return last - (uint32_t)(is_row_end && last > first && reader->data[last - 1] == '\r');
}

typedef enum RowShape { ROW_GOOD, ROW_SHORT, ROW_SKIPPED, ROW_TOO_SHORT, ROW_TOO_LONG } RowShape;

static RowShape row_shape(const CopyReader *reader, uint32_t before, uint32_t field_count)
{
    const CopyFormat *format = &reader->format;
    if (field_count == 1) {
        uint32_t first = field_first(reader, before, true);
        uint32_t bytes = field_last(reader, first, before + 1) - first;
        if (bytes == 0 && format->skips_blank_lines) {
            return ROW_SKIPPED;
        }
        // The end mark of old clients; bytes after it would be odd, and are read as rows.
        if (bytes == 2 && format->dialect == COPY_DIALECT_POSTGRES &&
            memcmp(reader->data + first, "\\.", 2) == 0) {
            return ROW_SKIPPED;
        }
    }
    if (field_count == reader->column_count) {
        return ROW_GOOD;
    }
    if (field_count < reader->column_count) {
        return format->fills_record ? ROW_SHORT : ROW_TOO_SHORT;
    }
    if (field_count == reader->column_count + 1 && format->allows_last_delimiter) {
        uint32_t first = field_first(reader, before + reader->column_count, false);
        bool is_empty = field_last(reader, first, before + field_count) == first;
        return is_empty ? ROW_GOOD : ROW_TOO_LONG;
    }
    return ROW_TOO_LONG;
}

static Status reject_shape(CopyReader *reader, uint32_t before, uint32_t field_count, bool is_long)
{
    uint32_t first = field_first(reader, before, true);
    uint32_t last = field_last(reader, first, before + field_count);
    RowFault fault = {.column = reader->column_count, .first = first, .last = last};
    bool is_open =
        reader->scan.marks[before + field_count] == reader->bytes && reader->scan.state.quoted != 0;
    if (is_open) {
        fault.status = status_error(SQLSTATE_BAD_COPY_FILE_FORMAT, "unterminated CSV quoted field");
    } else if (is_long) {
        fault.status =
            status_error(SQLSTATE_BAD_COPY_FILE_FORMAT, "extra data after last expected column");
    } else {
        fault.column = field_count;
        fault.first = last;
        fault.status = status_error(SQLSTATE_BAD_COPY_FILE_FORMAT, "missing data for column \"%s\"",
                                    reader->columns[field_count].column.name);
    }
    return reader_reject_row(reader, first, &fault);
}

/* Takes at most `room` rows of the right shape. */
static Status fill_group(CopyReader *reader, uint32_t room)
{
    FieldScan *scan = &reader->scan;
    RowGroup *group = &reader->group;
    group->row_count = 0;
    group->has_short = false;
    room = room < FIELD_GROUP_ROWS ? room : FIELD_GROUP_ROWS;
    for (; reader->row_next < scan->row_count && group->row_count < room; reader->row_next++) {
        uint32_t before = reader->row_next == 0 ? 0 : scan->row_marks[reader->row_next - 1];
        uint32_t field_count = scan->row_marks[reader->row_next] - before;
        RowShape shape = row_shape(reader, before, field_count);
        if (shape == ROW_TOO_SHORT || shape == ROW_TOO_LONG) {
            if (group->row_count > 0) {
                break; // rows before it may have errors, which come first
            }
            TRY(reject_shape(reader, before, field_count, shape == ROW_TOO_LONG));
            continue;
        }
        if (shape == ROW_SKIPPED) {
            continue;
        }
        group->has_short |= shape == ROW_SHORT;
        group->before[group->row_count] = before;
        group->field_count[group->row_count++] = field_count;
    }
    return STATUS_OK;
}

/* What texts of this block may need beside being taken as they are. */
static uint32_t text_checks(const CopyReader *reader, Type type)
{
    const CopyFormat *format = &reader->format;
    const FieldScan *scan = &reader->scan;
    uint32_t checks = 0;
    checks |=
        scan->has_backslashes && format->escape_kind != COPY_ESCAPE_NONE ? TEXT_CHECK_BACKSLASH : 0;
    checks |= scan->has_quotes && format->style == COPY_STYLE_CSV ? TEXT_CHECK_QUOTE : 0;
    checks |= format->removes_quotes ? TEXT_CHECK_WRAPPED : 0;
    checks |= scan->has_zeroes ? TEXT_CHECK_ZERO : 0;
    checks |= scan->high_bits != 0 ? TEXT_CHECK_UTF8 : 0;
    checks |= format->is_blank_null ? TEXT_CHECK_FIRST_BLANK : 0;
    checks |= format->trims_blanks || type.id == TYPE_CHAR ? TEXT_CHECK_LAST_BLANK : 0;
    checks |= format->is_empty_null ? TEXT_CHECK_EMPTY : 0;
    return checks;
}

static Status convert_group(CopyReader *reader, uint32_t batch_row)
{
    for (uint32_t i = 0; i < reader->column_count && reader->group.row_count > 0; i++) {
        ReaderColumn *column = &reader->columns[i];
        uint64_t odd[FIELD_MASK_WORDS] = {0};
        locate(reader, i, odd);
        column->field.text_checks = text_checks(reader, column->column.type);
        column->kernel(&column->field, &reader->spans,
                       (uint8_t *)column->buffer.lanes + batch_row * column->lane_bytes, odd);
        convert_odd(reader, i, batch_row, odd);
    }
    return reader_settle_faults(reader);
}

/* Quotes around a whole field go; what is left inside of them makes the field odd. */
static void strip_quotes(const CopyReader *reader, FieldSpans *spans)
{
    uint8_t quote = (uint8_t)reader->format.quote;
    for (uint32_t row = 0; row < spans->row_count; row++) {
        const uint8_t *at = reader->data + spans->first[row];
        uint32_t length = spans->length[row];
        uint32_t is_quoted = length >= 2 && at[0] == quote && at[length - 1] == quote;
        spans->first[row] += is_quoted;
        spans->length[row] -= 2 * is_quoted;
    }
}

/* Where the group's fields of a column are; fields that a short row lacks are odd. */
static void locate(CopyReader *reader, uint32_t column, uint64_t *odd)
{
    const RowGroup *group = &reader->group;
    const uint32_t *marks = reader->scan.marks + column;
    FieldSpans *spans = &reader->spans;
    uint32_t skip = column == 0 ? 1 : reader->scan_rules.delimiter_bytes;
    spans->data = reader->data;
    spans->row_count = group->row_count;
    for (uint32_t row = 0; row < group->row_count; row++) {
        uint32_t mark = group->before[row];
        uint32_t first = marks[mark] + skip;
        spans->first[row] = first;
        spans->length[row] = marks[mark + 1] - first;
    }
    if (group->has_short) {
        for (uint32_t row = 0; row < group->row_count; row++) {
            if (column >= group->field_count[row]) {
                spans->first[row] = 0;
                spans->length[row] = 0;
                odd[row >> 6] |= UINT64_C(1) << (row & 63);
            }
        }
    }
    if (column + 1 == reader->column_count || group->has_short) {
        for (uint32_t row = 0; row < group->row_count; row++) {
            if (column < group->field_count[row]) {
                uint32_t first = spans->first[row];
                spans->length[row] =
                    field_last(reader, first, group->before[row] + column + 1) - first;
            }
        }
    }
    bool strips_quotes = reader->format.style == COPY_STYLE_CSV && reader->scan.has_quotes &&
                         reader->format.quote == reader->format.quote_escape;
    if (strips_quotes) {
        strip_quotes(reader, spans);
    }
}

static void store_value(ReaderColumn *column, uint32_t row, const Value *value)
{
    void *lanes = column->buffer.lanes;
    switch (type_widest_lane(column->column.type)) {
    case LANE_U8:
        ((uint8_t *)lanes)[row] = (uint8_t)value->i64;
        break;
    case LANE_I64:
        ((int64_t *)lanes)[row] = value->i64;
        break;
    case LANE_F32:
        ((float *)lanes)[row] = (float)value->f64;
        break;
    case LANE_F64:
        ((double *)lanes)[row] = value->f64;
        break;
    case LANE_TEXT:
        ((TextView *)lanes)[row] = value->text;
        column->field.has_trailing_blanks |=
            value->text.length > 0 && text_view_data(&value->text)[value->text.length - 1] == ' ';
        break;
    case LANE_I128: // wide decimals and intervals alike: sixteen bytes of the value
        memcpy((uint8_t *)lanes + (size_t)row * sizeof(Int128), &value->i128, sizeof(Int128));
        break;
    case LANE_U16:
    case LANE_U32:
    case LANE_COUNT:
        break;
    }
}

/* One field by the slow road. */
static void convert_field(CopyReader *reader, uint32_t column_index, uint32_t row,
                          uint32_t batch_row)
{
    ReaderColumn *column = &reader->columns[column_index];
    const RowGroup *group = &reader->group;
    uint32_t before = group->before[row] + column_index;
    RowFault fault = {.row = row, .column = column_index};
    Value value;
    if (column_index < group->field_count[row]) {
        uint32_t first = field_first(reader, before, column_index == 0);
        fault.first = first;
        fault.last = field_last(reader, first, before + 1);
        fault.status =
            field_value_read(&reader->rules, (const char *)reader->data + first, fault.last - first,
                             column->column.type, reader->batch_arena, &value);
    } else {
        value = field_value_missing(&reader->rules, column->column.type);
    }
    if (fault.status == STATUS_OK && value.is_null && column->column.is_not_null) {
        fault.status = status_error(SQLSTATE_NOT_NULL_VIOLATION,
                                    "null value in column \"%s\" violates not-null constraint",
                                    column->column.name);
    }
    if (fault.status != STATUS_OK) {
        reader_fault(reader, &fault);
    } else if (value.is_null) {
        column->has_nulls = true;
        validity_clear(column->buffer.validity, batch_row + row);
    } else {
        store_value(column, batch_row + row, &value);
    }
}

static void convert_odd(CopyReader *reader, uint32_t column_index, uint32_t batch_row,
                        const uint64_t *odd)
{
    for (uint32_t word = 0; word < FIELD_MASK_WORDS; word++) {
        for (uint64_t bits = odd[word]; bits != 0; bits &= bits - 1) {
            uint32_t row = word * 64 + (uint32_t)__builtin_ctzll(bits);
            convert_field(reader, column_index, row, batch_row);
        }
    }
}

/* Moves the rows after a faulty one forward; returns how many rows the group is left with. */
static uint32_t drop_faulty_rows(CopyReader *reader, uint32_t batch_row)
{
    uint32_t row_count = reader->group.row_count;
    if (reader->fault_count == 0) {
        return row_count;
    }
    uint32_t kept = 0;
    for (uint32_t c = 0; c < reader->column_count; c++) {
        ReaderColumn *column = &reader->columns[c];
        uint8_t *lanes = (uint8_t *)column->buffer.lanes + batch_row * column->lane_bytes;
        uint64_t *validity = column->buffer.validity;
        uint32_t fault = 0;
        kept = 0;
        for (uint32_t row = 0; row < row_count; row++) {
            if (fault < reader->fault_count && reader->faults[fault].row == row) {
                fault++;
                continue;
            }
            memmove(lanes + kept * column->lane_bytes, lanes + row * column->lane_bytes,
                    column->lane_bytes);
            bool is_present = validity_get(validity, batch_row + row);
            validity_set(validity, batch_row + kept);
            if (!is_present) {
                validity_clear(validity, batch_row + kept);
            }
            kept++;
        }
        for (uint32_t row = kept; row < row_count; row++) {
            validity_set(validity, batch_row + row);
        }
    }
    reader->fault_count = 0;
    return kept;
}

/* The exact bounds of the rows that are not null. */
static void find_bounds(const ReaderColumn *column, uint32_t row_count, Vector *vector)
{
    const int64_t *values = column->buffer.lanes;
    int64_t lo = INT64_MAX, hi = INT64_MIN;
    if (!column->has_nulls) {
        for (uint32_t row = 0; row < row_count; row++) {
            lo = values[row] < lo ? values[row] : lo;
            hi = values[row] > hi ? values[row] : hi;
        }
    } else {
        for (uint32_t row = 0; row < row_count; row++) {
            if (validity_get(column->buffer.validity, row)) {
                lo = values[row] < lo ? values[row] : lo;
                hi = values[row] > hi ? values[row] : hi;
            }
        }
    }
    vector->lo = lo <= hi ? lo : 0;
    vector->hi = lo <= hi ? hi : 0;
}

static void finish_batch(CopyReader *reader, uint32_t row_count, Batch *out)
{
    for (uint32_t i = 0; i < reader->column_count; i++) {
        const ReaderColumn *column = &reader->columns[i];
        Type type = column->column.type;
        Vector *vector = &reader->vectors[i];
        *vector = (Vector){
            .type = type,
            .lane = (uint8_t)type_widest_lane(type),
            .form = VECTOR_FLAT,
            .has_trailing_blanks = column->field.has_trailing_blanks,
            .validity = column->has_nulls ? column->buffer.validity : NULL,
            .data = column->buffer.lanes,
        };
        if (vector->lane == LANE_I64) {
            find_bounds(column, row_count, vector);
        } else if (vector->lane == LANE_U8) {
            vector->hi = 1;
        }
    }
    *out = (Batch){
        .row_count = row_count,
        .selected_count = row_count,
        .column_count = reader->column_count,
        .columns = reader->vectors,
    };
}
