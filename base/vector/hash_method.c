/* hash_method.c — walks columns of any form for a hash method. */
#include "base/vector/hash_method.h"

#include <string.h>

#include "base/vector/vector_internal.h"

/* Hashes rows[0..count) (null: the first `count`) of a flat or dictionary vector, nulls ignored. */
static void hash_rows(const HashMethod *method, const Vector *vector, const uint16_t *rows,
                      uint32_t count, uint64_t *hashes)
{
    _Alignas(64) char storage[VECTOR_ROWS * 16 + 64];
    Lane lane = vector_value_lane(vector);
    if (lane == LANE_TEXT) {
        const TextView *views = vector_read_text(vector, rows, count, (TextView *)storage);
        method->texts(views, count, !vector->has_trailing_blanks, hashes);
    } else if (lane == LANE_F32 || lane == LANE_F64) {
        vector_read_double(vector, rows, count, (double *)storage);
        method->doubles((const double *)storage, count, hashes);
    } else if (lane == LANE_I128 || !type_is_scaled_integer(vector->type)) {
        vector_read_int128(vector, rows, count, (Int128 *)storage);
        method->wides(vector->type, (const Int128 *)storage, count, hashes);
    } else {
        vector_read_int64(vector, rows, count, (int64_t *)hashes);
        method->integers(vector->type, hashes, count);
    }
}

static void hash_dictionary(const HashMethod *method, const Vector *vector, const uint16_t *rows,
                            uint32_t count, uint64_t *hashes)
{
    uint32_t entry_count = vector->dictionary->entry_count;
    if (entry_count == 0 || entry_count > count || entry_count > VECTOR_ROWS) {
        hash_rows(method, vector, rows, count, hashes);
        return;
    }
    uint64_t entry_hashes[VECTOR_ROWS];
    Vector entries = dictionary_entries(vector);
    hash_rows(method, &entries, NULL, entry_count, entry_hashes);
    vector_take(vector, entry_hashes, LANE_I64, rows, count, hashes);
}

static void overwrite_nulls(const Vector *vector, const uint16_t *rows, uint32_t count,
                            uint64_t null_hash, uint64_t *hashes)
{
    for (uint32_t i = 0; i < count; i++) {
        bool is_present = validity_get(vector->validity, rows == NULL ? i : rows[i]);
        hashes[i] = is_present ? hashes[i] : null_hash;
    }
}

void hash_column(const HashMethod *method, const Vector *vector, const Batch *batch,
                 bool is_combined, uint64_t *hashes)
{
    DEBUG_ASSERT(vector->form != VECTOR_LAZY);
    uint64_t next_storage[VECTOR_ROWS];
    uint64_t *next = is_combined ? next_storage : hashes;
    const uint16_t *rows = batch->selection;
    uint32_t count = batch->selected_count;
    if (vector->form == VECTOR_CONSTANT) {
        Value value = vector_value(vector, 0);
        uint64_t hash = hash_single_value(method, &value);
        for (uint32_t i = 0; i < count; i++) {
            next[i] = hash;
        }
    } else {
        if (vector->form == VECTOR_DICTIONARY) {
            hash_dictionary(method, vector, rows, count, next);
        } else {
            hash_rows(method, vector, rows, count, next);
        }
        if (vector->validity != NULL) {
            overwrite_nulls(vector, rows, count, method->null_hash, next);
        }
    }
    if (is_combined) {
        method->combine(next, count, hashes);
    }
}

uint64_t hash_single_value(const HashMethod *method, const Value *value)
{
    uint64_t hash;
    if (value->is_null) {
        return method->null_hash;
    }
    switch (type_widest_lane(value->type)) {
    case LANE_TEXT:
        method->texts(&value->text, 1, false, &hash);
        break;
    case LANE_F32:
    case LANE_F64:
        method->doubles(&value->f64, 1, &hash);
        break;
    case LANE_I128:
        method->wides(value->type, &value->i128, 1, &hash);
        break;
    default:
        hash = (uint64_t)value->i64;
        method->integers(value->type, &hash, 1);
        break;
    }
    return hash;
}
