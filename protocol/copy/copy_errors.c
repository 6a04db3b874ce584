/* copy_errors.c — the bad rows of a COPY: which line, which column, what was there, and why. */
#include "protocol/copy/copy_reader_internal.h"

#include <stdlib.h>
#include <string.h>

#include "base/types/text_format.h"

static Status record(CopyReader *reader, size_t row_first, RowFault *owned_fault);
static uint64_t line_of(CopyReader *reader, size_t offset);
static const char *excerpt(Arena *arena, const uint8_t *data, size_t bytes, size_t bytes_max);
static uint16_t load_code(const CopyReader *reader, const RowFault *fault);

void reader_fault(CopyReader *reader, const RowFault *owned_fault)
{
    for (uint32_t i = 0; i < reader->fault_count; i++) {
        RowFault *known = &reader->faults[i];
        if (known->row != owned_fault->row) {
            continue;
        }
        // Columns are converted in order, so the known one is of an earlier column.
        status_ignore(owned_fault->status, "the row has failed in an earlier column");
        return;
    }
    reader->faults[reader->fault_count++] = *owned_fault;
}

static int compare_faults(const void *left, const void *right)
{
    const RowFault *a = left, *b = right;
    return a->row < b->row ? -1 : a->row > b->row;
}

Status reader_settle_faults(CopyReader *reader)
{
    if (reader->fault_count == 0) {
        return STATUS_OK;
    }
    qsort(reader->faults, reader->fault_count, sizeof(RowFault), compare_faults);
    Status status = STATUS_OK;
    for (uint32_t i = 0; i < reader->fault_count; i++) {
        RowFault *fault = &reader->faults[i];
        if (status != STATUS_OK) {
            status_ignore(fault->status, "an earlier row has failed the statement");
            continue;
        }
        size_t row_first = (size_t)(reader->scan.marks[reader->group.before[fault->row]] + 1u);
        status = record(reader, row_first, fault);
    }
    reader->fault_count = status == STATUS_OK ? reader->fault_count : 0;
    return status;
}

Status reader_reject_row(CopyReader *reader, size_t row_first, RowFault *owned_fault)
{
    return record(reader, row_first, owned_fault);
}

/* Makes the fault an error of the block, or the end of the statement. */
static Status record(CopyReader *reader, size_t row_first, RowFault *owned_fault)
{
    Status status = owned_fault->status;
    uint64_t line = line_of(reader, row_first);
    bool is_row = owned_fault->column >= reader->column_count;
    const char *column = is_row ? "" : reader->columns[owned_fault->column].column.name;
    const char *field = excerpt(reader->error_arena, reader->data + owned_fault->first,
                                owned_fault->last - owned_fault->first, COPY_ERROR_FIELD_BYTES);
    if (reader->errors_total++ >= reader->format.errors_max) {
        return status_with_context(
            status, "COPY%s%s, line %llu%s%s: \"%s\"", reader->table_name == NULL ? "" : " ",
            reader->table_name == NULL ? "" : reader->table_name, (unsigned long long)line,
            is_row ? "" : ", column ", column, field);
    }
    if (reader->error_count == reader->error_capacity) {
        uint32_t capacity = reader->error_capacity == 0 ? 16 : reader->error_capacity * 2;
        CopyError *errors = ARENA_ARRAY(reader->error_arena, CopyError, capacity);
        if (reader->error_count > 0) {
            memcpy(errors, reader->errors, reader->error_count * sizeof(CopyError));
        }
        reader->errors = errors;
        reader->error_capacity = capacity;
    }
    const uint8_t *row = reader->data + row_first;
    const uint8_t *newline = memchr(row, '\n', reader->bytes - row_first);
    size_t row_bytes = newline == NULL ? reader->bytes - row_first : (size_t)(newline - row);
    reader->errors[reader->error_count++] = (CopyError){
        .line = line,
        .column = owned_fault->column,
        .position = (uint32_t)(owned_fault->first - row_first),
        .sqlstate = status_sqlstate(status),
        .load_code = load_code(reader, owned_fault),
        .reason = arena_strdup(reader->error_arena, status_message(status)),
        .field = field,
        .raw_line = excerpt(reader->error_arena, row, row_bytes, COPY_ERROR_LINE_BYTES),
    };
    status_ignore(status, "the row is passed over");
    return STATUS_OK;
}

/* Rows come in order, so every byte of a block is looked at once. */
static uint64_t line_of(CopyReader *reader, size_t offset)
{
    while (reader->counted_bytes < offset) {
        const uint8_t *at = reader->data + reader->counted_bytes;
        const uint8_t *newline = memchr(at, '\n', offset - reader->counted_bytes);
        if (newline == NULL) {
            reader->counted_bytes = offset;
            break;
        }
        reader->counted_lines++;
        reader->counted_bytes = (size_t)(newline - reader->data) + 1;
    }
    return reader->first_line + reader->counted_lines;
}

/* At most `bytes_max` bytes of the text, fit to be sent: whole characters, no control bytes. */
static const char *excerpt(Arena *arena, const uint8_t *data, size_t bytes, size_t bytes_max)
{
    if (bytes > bytes_max) {
        bytes = bytes_max;
        while (bytes > 0 && (data[bytes] & 0xC0) == 0x80) {
            bytes--;
        }
    }
    char *text = arena_strndup(arena, "", 0);
    if (bytes > 0) {
        text = arena_alloc(arena, bytes + 1);
        memcpy(text, data, bytes);
    }
    bool is_valid = utf8_is_valid(text, bytes);
    for (size_t i = 0; i < bytes; i++) {
        bool is_bad = (uint8_t)text[i] < ' ' || (!is_valid && ((uint8_t)text[i] & 0x80) != 0);
        text[i] = is_bad ? '?' : text[i];
    }
    return text;
}

/* Redshift's error numbers, as stl_load_errors shows them. */
static uint16_t load_code(const CopyReader *reader, const RowFault *fault)
{
    bool is_row = fault->column >= reader->column_count;
    TypeId type = is_row ? TYPE_UNKNOWN : (TypeId)reader->columns[fault->column].column.type.id;
    switch (status_sqlstate(fault->status)) {
    case SQLSTATE_BAD_COPY_FILE_FORMAT:
        return is_row ? 1202 : 1203;
    case SQLSTATE_STRING_DATA_RIGHT_TRUNCATION:
    case SQLSTATE_NUMERIC_VALUE_OUT_OF_RANGE:
        return 1204;
    case SQLSTATE_INVALID_DATETIME_FORMAT:
    case SQLSTATE_DATETIME_FIELD_OVERFLOW:
        return type == TYPE_DATE ? 1205 : 1206;
    case SQLSTATE_NOT_NULL_VIOLATION:
        return 1213;
    case SQLSTATE_CHARACTER_NOT_IN_REPERTOIRE:
        return 1220;
    case SQLSTATE_INVALID_TEXT_REPRESENTATION:
        switch (type) {
        case TYPE_SMALLINT:
        case TYPE_INTEGER:
        case TYPE_BIGINT:
            return 1207;
        case TYPE_REAL:
        case TYPE_DOUBLE:
            return 1208;
        case TYPE_DECIMAL:
            return 1209;
        case TYPE_BOOLEAN:
            return 1210;
        default:
            return 1223;
        }
    default:
        return 1200;
    }
}
