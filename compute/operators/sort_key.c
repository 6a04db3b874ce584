/* sort_key.c — normalised keys (Graefe, "Implementing sorting in database systems", 2006, 2.1). */
#include "compute/operators/sort_key.h"

#include <string.h>

#include "compute/kernels/lanes.h"

static uint32_t value_bytes(Type type)
{
    switch (type.id) {
    case TYPE_BOOLEAN:
        return 1;
    case TYPE_SMALLINT:
        return 2;
    case TYPE_INTEGER:
    case TYPE_DATE:
        return 4;
    case TYPE_INTERVAL:
        return 16;
    default:
        break;
    }
    if (type_is_text(type)) {
        bool is_short = type.length > 0 && type.length <= SORT_KEY_TEXT_BYTES;
        return is_short ? (uint32_t)type.length : SORT_KEY_TEXT_BYTES;
    }
    return type_widest_lane(type) == LANE_I128 ? 16 : 8;
}

void sort_keys_init(SortKeys *self, Arena *arena, const PlanSortKey *keys, uint32_t key_count,
                    const Type *input_types)
{
    *self = (SortKeys){.count = key_count, .keys = ARENA_ARRAY(arena, SortKey, key_count),
                       .is_complete = true};
    for (uint32_t i = 0; i < key_count; i++) {
        Type type = input_types[keys[i].column];
        SortKey *key = &self->keys[i];
        *key = (SortKey){
            .column = keys[i].column,
            .type = type,
            .offset = self->bytes,
            .bytes = value_bytes(type),
            .is_descending = keys[i].is_descending,
            .is_nulls_first = keys[i].is_nulls_first,
            .is_prefix = type_is_text(type) &&
                         (type.length <= 0 || type.length > SORT_KEY_TEXT_BYTES),
        };
        self->bytes += 1 + key->bytes;
        self->is_complete &= !key->is_prefix;
    }
    self->bytes = self->bytes == 0 ? 8 : (self->bytes + 7) & ~7u;
}

// The `bytes` lowest bytes of `value`, most significant first.
static void write_bytes(uint8_t *target, uint64_t value, uint32_t bytes)
{
    uint64_t swapped = __builtin_bswap64(value << (64 - 8 * bytes));
    memcpy(target, &swapped, bytes);
}

static void write_int64(const SortKey *key, const Vector *vector, const uint16_t *rows,
                        uint32_t row_count, uint8_t *const *targets)
{
    int64_t values[VECTOR_ROWS];
    uint64_t sign = UINT64_C(1) << (8 * key->bytes - 1);
    uint64_t flip = key->is_descending ? UINT64_MAX : 0;
    lanes_read_int64(vector, rows, row_count, values);
    for (uint32_t i = 0; i < row_count; i++) {
        write_bytes(targets[i] + key->offset + 1, ((uint64_t)values[i] ^ sign) ^ flip, key->bytes);
    }
}

static void write_double(const SortKey *key, const Vector *vector, const uint16_t *rows,
                         uint32_t row_count, uint8_t *const *targets)
{
    double values[VECTOR_ROWS];
    uint64_t flip = key->is_descending ? UINT64_MAX : 0;
    lanes_read_double(vector, rows, row_count, values);
    for (uint32_t i = 0; i < row_count; i++) {
        double value = values[i] == 0.0 ? 0.0 : values[i]; // -0 equals 0
        uint64_t bits;
        memcpy(&bits, &value, sizeof bits);
        if (value != value) {
            bits = UINT64_MAX; // NaN is largest
        } else if (bits >> 63) {
            bits = ~bits;
        } else {
            bits |= UINT64_C(1) << 63;
        }
        write_bytes(targets[i] + key->offset + 1, bits ^ flip, 8);
    }
}

static void write_int128(const SortKey *key, const Vector *vector, const uint16_t *rows,
                         uint32_t row_count, uint8_t *const *targets)
{
    Int128 values[VECTOR_ROWS];
    uint64_t flip = key->is_descending ? UINT64_MAX : 0;
    lanes_read_int128(vector, rows, row_count, values);
    for (uint32_t i = 0; i < row_count; i++) {
        Int128 value = values[i];
        if (key->type.id == TYPE_INTERVAL) {
            Interval interval;
            memcpy(&interval, &values[i], sizeof interval);
            // As PostgreSQL compares: a month is 30 days, a day 24 hours.
            Int128 days = (Int128)interval.months * 30 + interval.days;
            value = days * INT64_C(86400000000) + interval.us;
        }
        UInt128 bits = (UInt128)value;
        uint64_t high = (uint64_t)(bits >> 64) ^ (UINT64_C(1) << 63);
        write_bytes(targets[i] + key->offset + 1, high ^ flip, 8);
        write_bytes(targets[i] + key->offset + 9, (uint64_t)bits ^ flip, 8);
    }
}

static void write_text(const SortKey *key, const Vector *vector, const uint16_t *rows,
                       uint32_t row_count, uint8_t *const *targets)
{
    TextView views[VECTOR_ROWS];
    lanes_read_text(vector, rows, row_count, views);
    uint8_t flip = key->is_descending ? 0xFF : 0;
    for (uint32_t i = 0; i < row_count; i++) {
        uint8_t *target = targets[i] + key->offset + 1;
        if (vector->validity != NULL && vector_is_null(vector, rows == NULL ? i : rows[i])) {
            memset(target, 0, key->bytes);
            continue;
        }
        const char *data = text_view_data(&views[i]);
        uint32_t bytes = text_trimmed_length(data, views[i].length);
        uint32_t taken = bytes < key->bytes ? bytes : key->bytes;
        memcpy(target, data, taken);
        memset(target + taken, 0, key->bytes - taken);
        for (uint32_t b = 0; flip != 0 && b < key->bytes; b++) {
            target[b] ^= flip;
        }
    }
}

static void write_nulls(const SortKey *key, const Vector *vector, const uint16_t *rows,
                        uint32_t row_count, uint8_t *const *targets)
{
    uint8_t nulls[VECTOR_ROWS];
    uint8_t null_byte = key->is_nulls_first ? 0 : 1;
    bool has_nulls = lanes_read_nulls(vector, rows, row_count, nulls);
    for (uint32_t i = 0; i < row_count; i++) {
        uint8_t *target = targets[i] + key->offset;
        bool is_null = has_nulls && nulls[i] != 0;
        *target = is_null ? null_byte : (uint8_t)(1 - null_byte);
        if (is_null) {
            memset(target + 1, 0, key->bytes); // all NULLs are one value
        }
    }
}

Status sort_keys_write(const SortKeys *self, Batch *batch, uint8_t *const *targets)
{
    const uint16_t *rows = batch->selection;
    uint32_t row_count = batch->selected_count;
    for (uint32_t k = 0; k < self->count; k++) {
        const SortKey *key = &self->keys[k];
        const Vector *vector;
        TRY(batch_column(batch, key->column, &vector));
        if (type_is_text(key->type)) {
            write_text(key, vector, rows, row_count, targets);
        } else if (type_is_scaled_integer(key->type)) {
            write_int64(key, vector, rows, row_count, targets);
        } else if (type_is_float(key->type)) {
            write_double(key, vector, rows, row_count, targets);
        } else {
            write_int128(key, vector, rows, row_count, targets);
        }
        write_nulls(key, vector, rows, row_count, targets);
    }
    uint32_t used = self->count == 0 ? 0 : self->keys[self->count - 1].offset + 1 +
                                               self->keys[self->count - 1].bytes;
    for (uint32_t i = 0; i < row_count && used < self->bytes; i++) {
        memset(targets[i] + used, 0, self->bytes - used);
    }
    return STATUS_OK;
}

static int compare_texts(const SortKey *key, const TextView *left, const TextView *right)
{
    Value left_value = {.type = key->type, .text = *left};
    Value right_value = {.type = key->type, .text = *right};
    int order = value_compare(&left_value, &right_value);
    return key->is_descending ? -order : order;
}

// Whether the key strings agree in key `key` and it is a text that may go on behind its prefix.
static bool needs_texts(const SortKey *key, const uint8_t *left, const uint8_t *right, int *order)
{
    *order = memcmp(left + key->offset, right + key->offset, 1 + key->bytes);
    if (*order != 0 || !key->is_prefix) {
        return false;
    }
    bool is_null = left[key->offset] == (key->is_nulls_first ? 0 : 1);
    uint8_t pad = key->is_descending ? 0xFF : 0;
    return !is_null && left[key->offset + key->bytes] != pad; // a padded prefix is the whole text
}

int sort_keys_compare_first(const SortKeys *self, uint32_t key_count, const RowLayout *layout,
                            const uint8_t *left, const uint8_t *right)
{
    for (uint32_t k = 0; k < key_count; k++) {
        const SortKey *key = &self->keys[k];
        int order = 0;
        if (needs_texts(key, left, right, &order)) {
            TextView left_view;
            TextView right_view;
            uint32_t offset = layout->fields[key->column].offset;
            memcpy(&left_view, left + offset, sizeof left_view);
            memcpy(&right_view, right + offset, sizeof right_view);
            order = compare_texts(key, &left_view, &right_view);
        }
        if (order != 0) {
            return order;
        }
    }
    return 0;
}

int sort_keys_compare_rows(const SortKeys *self, const RowLayout *layout, const uint8_t *left,
                           const uint8_t *right)
{
    if (self->is_complete) {
        return memcmp(left, right, self->bytes);
    }
    return sort_keys_compare_first(self, self->count, layout, left, right);
}

int sort_keys_compare(const SortKeys *self, const uint8_t *left_key, const Batch *left,
                      uint32_t left_row, const uint8_t *right_key, const Batch *right,
                      uint32_t right_row)
{
    if (self->is_complete) {
        return memcmp(left_key, right_key, self->bytes);
    }
    for (uint32_t k = 0; k < self->count; k++) {
        const SortKey *key = &self->keys[k];
        int order = 0;
        if (needs_texts(key, left_key, right_key, &order)) {
            TextView left_view = vector_text(&left->columns[key->column], left_row);
            TextView right_view = vector_text(&right->columns[key->column], right_row);
            order = compare_texts(key, &left_view, &right_view);
        }
        if (order != 0) {
            return order;
        }
    }
    return 0;
}
