/* row_gather.c — packed rows back to vectors, and comparing them, a field at a time. */
#include <string.h>

#include "compute/exec/row_layout.h"
#include "compute/kernels/lanes.h"

#define TEMPLATE "compute/kernels/row_fields.tmpl.h"
#define T uint8_t
#define NAME(stem) stem##_1
#include TEMPLATE
#undef T
#undef NAME
#define T uint16_t
#define NAME(stem) stem##_2
#include TEMPLATE
#undef T
#undef NAME
#define T uint32_t
#define NAME(stem) stem##_4
#include TEMPLATE
#undef T
#undef NAME
#define T uint64_t
#define NAME(stem) stem##_8
#include TEMPLATE
#undef T
#undef NAME
#define T Int128
#define NAME(stem) stem##_16
#include TEMPLATE
#undef T
#undef NAME

static void gather_lanes(size_t bytes, const uint8_t *const *rows, uint32_t offset,
                         const uint16_t *positions, uint32_t row_count, void *lanes)
{
    switch (bytes) {
    case 1:
        gather_1(rows, offset, positions, row_count, lanes);
        break;
    case 2:
        gather_2(rows, offset, positions, row_count, lanes);
        break;
    case 4:
        gather_4(rows, offset, positions, row_count, lanes);
        break;
    case 8:
        gather_8(rows, offset, positions, row_count, lanes);
        break;
    default:
        gather_16(rows, offset, positions, row_count, lanes);
        break;
    }
}

// Some row pointers are null: their lanes become zeroes.
static void gather_checked(size_t bytes, const uint8_t *const *rows, uint32_t offset,
                           const uint16_t *positions, uint32_t row_count, uint8_t *lanes)
{
    for (uint32_t i = 0; i < row_count; i++) {
        uint8_t *lane = lanes + (positions == NULL ? i : positions[i]) * bytes;
        if (rows[i] == NULL) {
            memset(lane, 0, bytes);
        } else {
            memcpy(lane, rows[i] + offset, bytes);
        }
    }
}

static void gather_validity(const RowLayout *layout, uint32_t field, const uint8_t *const *rows,
                            const uint16_t *positions, uint32_t row_count, uint64_t *validity)
{
    memset(validity, 0xFF, VALIDITY_WORDS * sizeof *validity);
    for (uint32_t i = 0; i < row_count; i++) {
        if (rows[i] == NULL || row_is_null(layout, rows[i], field)) {
            validity_clear(validity, positions == NULL ? i : positions[i]);
        }
    }
}

void row_store_gather(const RowStore *store, uint32_t field, const uint8_t *const *rows,
                      const uint16_t *positions, uint32_t row_count, bool has_null_rows,
                      VectorBuffer *buffer, Vector *out)
{
    const RowField *column = &store->layout->fields[field];
    const RowFieldBounds *bounds = &store->bounds[field];
    size_t bytes = lane_bytes(column->lane);
    if (has_null_rows) {
        gather_checked(bytes, rows, column->offset, positions, row_count, buffer->lanes);
    } else {
        gather_lanes(bytes, rows, column->offset, positions, row_count, buffer->lanes);
    }
    bool has_nulls = has_null_rows || bounds->has_nulls;
    if (has_nulls) {
        gather_validity(store->layout, field, rows, positions, row_count, buffer->validity);
    }
    bool is_bounded = bounds->lo <= bounds->hi;
    *out = (Vector){
        .type = column->type,
        .lane = column->lane,
        .form = VECTOR_FLAT,
        .has_trailing_blanks = bounds->has_trailing_blanks,
        .base = column->base,
        .lo = is_bounded ? bounds->lo : column->base,
        .hi = is_bounded ? bounds->hi : column->base,
        .validity = has_nulls ? buffer->validity : NULL,
        .data = buffer->lanes,
    };
}

Value row_value(const RowLayout *layout, const uint8_t *row, uint32_t field)
{
    const RowField *column = &layout->fields[field];
    Value value = {.type = column->type, .is_null = row_is_null(layout, row, field)};
    const uint8_t *lane = row + column->offset;
    switch ((Lane)column->lane) {
    case LANE_U8:
        value.i64 = *lane;
        break;
    case LANE_U16: {
        uint16_t stored;
        memcpy(&stored, lane, sizeof stored);
        value.i64 = column->base + stored;
        break;
    }
    case LANE_U32: {
        uint32_t stored;
        memcpy(&stored, lane, sizeof stored);
        value.i64 = column->base + (int64_t)stored;
        break;
    }
    case LANE_I64:
        memcpy(&value.i64, lane, sizeof value.i64);
        break;
    case LANE_F32: {
        float stored;
        memcpy(&stored, lane, sizeof stored);
        value.f64 = (double)stored;
        break;
    }
    case LANE_F64:
        memcpy(&value.f64, lane, sizeof value.f64);
        break;
    default: // 16 bytes: wide decimals, intervals, text views
        memcpy(&value.i128, lane, sizeof value.i128);
        break;
    }
    return value;
}

// What joins and groups find equal: text without trailing blanks.
static bool text_is_equal(const TextView *left, const TextView *right)
{
    const char *left_data = text_view_data(left);
    const char *right_data = text_view_data(right);
    uint32_t left_bytes = text_trimmed_length(left_data, left->length);
    uint32_t right_bytes = text_trimmed_length(right_data, right->length);
    return left_bytes == right_bytes && memcmp(left_data, right_data, left_bytes) == 0;
}

static bool field_equals(const RowField *field, const uint8_t *left, const uint8_t *right)
{
    if (field->lane == LANE_TEXT) {
        TextView left_view;
        TextView right_view;
        memcpy(&left_view, left, sizeof left_view);
        memcpy(&right_view, right, sizeof right_view);
        return text_is_equal(&left_view, &right_view);
    }
    return memcmp(left, right, lane_bytes(field->lane)) == 0;
}

// Floats and intervals are equal as SQL compares them, not byte by byte.
static bool is_compared_as_value(const RowField *field)
{
    return field->lane == LANE_F64 || field->lane == LANE_F32 || field->type.id == TYPE_INTERVAL;
}

bool row_equals_row(const RowLayout *layout, uint32_t field_count, const uint8_t *left,
                    const uint8_t *right)
{
    for (uint32_t f = 0; f < field_count; f++) {
        const RowField *field = &layout->fields[f];
        bool is_null = row_is_null(layout, left, f);
        if (is_null != row_is_null(layout, right, f)) {
            return false;
        }
        if (is_null) {
            continue;
        }
        if (is_compared_as_value(field)) {
            Value left_value = row_value(layout, left, f);
            Value right_value = row_value(layout, right, f);
            if (!value_equal(&left_value, &right_value)) {
                return false;
            }
        } else if (!field_equals(field, left + field->offset, right + field->offset)) {
            return false;
        }
    }
    return true;
}

// Compares the i-th candidate's value with its packed row; NULLs have been seen to.
static bool value_matches(const RowLayout *layout, uint32_t field, const Vector *vector,
                          uint32_t row, const uint8_t *packed)
{
    const RowField *column = &layout->fields[field];
    if (column->lane == LANE_TEXT) {
        TextView left = vector_text(vector, row);
        TextView right;
        memcpy(&right, packed + column->offset, sizeof right);
        return text_is_equal(&left, &right);
    }
    if (type_is_scaled_integer(column->type)) {
        return vector_int64(vector, row) == row_value(layout, packed, field).i64;
    }
    if (column->lane == LANE_I128 && column->type.id == TYPE_DECIMAL) {
        uint16_t one_row = (uint16_t)row;
        Int128 value;
        Int128 stored;
        lanes_read_int128(vector, &one_row, 1, &value);
        memcpy(&stored, packed + column->offset, sizeof stored);
        return value == stored;
    }
    Value left = vector_value(vector, row);
    Value right = row_value(layout, packed, field);
    return value_equal(&left, &right);
}

enum { PREFETCH_AHEAD = 16 }; // texts on their way, and as many rows before them

// A long text lies anywhere, perhaps across two cache lines; comparing begins at its end, with
// trailing blanks.
static void prefetch_text(const RowField *field, const uint8_t *packed)
{
    TextView view;
    memcpy(&view, packed + field->offset, sizeof view);
    const char *data = text_view_data(&view);
    __builtin_prefetch(data);
    __builtin_prefetch(data + view.length);
}

uint32_t row_match_field(const RowLayout *layout, uint32_t field, const Vector *vector,
                         const uint16_t *rows, const uint8_t *const *packed,
                         const uint16_t *candidates, uint32_t candidate_count, uint16_t *kept,
                         uint16_t *rejected, uint32_t *rejected_count)
{
    uint32_t kept_count = 0;
    const RowField *column = &layout->fields[field];
    const bool is_text = column->lane == LANE_TEXT;
    for (uint32_t c = 0; is_text && c < candidate_count && c < PREFETCH_AHEAD; c++) {
        prefetch_text(column, packed[candidates[c]]);
    }
    for (uint32_t c = 0; c < candidate_count; c++) {
        if (is_text && c + 2 * PREFETCH_AHEAD < candidate_count) {
            __builtin_prefetch(packed[candidates[c + 2 * PREFETCH_AHEAD]] + column->offset);
        }
        if (is_text && c + PREFETCH_AHEAD < candidate_count) {
            prefetch_text(column, packed[candidates[c + PREFETCH_AHEAD]]);
        }
        uint16_t i = candidates[c];
        uint32_t row = rows == NULL ? i : rows[i];
        bool is_null = vector_is_null(vector, row);
        bool is_equal = is_null == row_is_null(layout, packed[i], field) &&
                        (is_null || value_matches(layout, field, vector, row, packed[i]));
        if (is_equal) {
            kept[kept_count++] = i;
        } else if (rejected != NULL) {
            rejected[(*rejected_count)++] = i;
        }
    }
    return kept_count;
}
