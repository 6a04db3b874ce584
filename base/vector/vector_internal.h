/* vector_internal.h — whole columns as plain arrays, for the sources of this folder. */
#pragma once
#include "base/vector/batch.h"

/* Does `lane` hold scaled integers (U8, U16, U32, I64)? */
static inline bool lane_is_integer(Lane lane)
{
    return lane <= LANE_I64;
}

/* The unsigned lane of `row`: a dictionary vector's code. */
static inline uint64_t vector_code(const Vector *vector, uint32_t row)
{
    switch ((Lane)vector->lane) {
    case LANE_U8:
        return ((const uint8_t *)vector->data)[row];
    case LANE_U16:
        return ((const uint16_t *)vector->data)[row];
    case LANE_U32:
        return ((const uint32_t *)vector->data)[row];
    default:
        return ((const uint64_t *)vector->data)[row];
    }
}

/* The entries of a dictionary vector as a flat vector of entry_count rows. */
Vector dictionary_entries(const Vector *vector);
/* The lane of the values: that of the entries for a dictionary. */
Lane vector_value_lane(const Vector *vector);

/* target[i] = entries[code of the i-th row], for rows[0..count) (null: the first `count`) of a
 * dictionary vector; entries of 8 or 16 bytes, its own or others that belong to its codes. */
void vector_take(const Vector *vector, const void *entries, Lane entry_lane, const uint16_t *rows,
                 uint32_t count, void *target);

/*
 * Values of rows[0..count) (null: rows 0..count) of a flat or dictionary vector, as an array. Null
 * rows give whatever their lane holds. The views may be returned without a copy; `storage` has
 * room for `count` (at most VECTOR_ROWS) lanes otherwise.
 */
void vector_read_int64(const Vector *vector, const uint16_t *rows, uint32_t count, int64_t *target);
void vector_read_int128(const Vector *vector, const uint16_t *rows, uint32_t count, Int128 *target);
void vector_read_double(const Vector *vector, const uint16_t *rows, uint32_t count, double *target);
const TextView *vector_read_text(const Vector *vector, const uint16_t *rows, uint32_t count,
                                 TextView *storage);
