/* predicate_internal.h — pieces that the predicate sources share. */
#pragma once
#include "base/vector/predicate.h"

/* Walks the set bits below row_count; mask_keep(false) clears the bit of the row just given. */
typedef struct MaskCursor {
    RowMask *mask;
    uint32_t row_count;
    uint32_t word_index;
    uint32_t row;
    uint64_t left; /* bits of the word not given yet */
} MaskCursor;

static inline MaskCursor mask_cursor(RowMask *mask, uint32_t row_count)
{
    return (MaskCursor){.mask = mask, .row_count = row_count, .left = mask->words[0]};
}
static inline bool mask_next(MaskCursor *cursor)
{
    while (cursor->left == 0) {
        if (++cursor->word_index * 64 >= cursor->row_count) {
            return false;
        }
        cursor->left = cursor->mask->words[cursor->word_index];
    }
    cursor->row = cursor->word_index * 64 + (uint32_t)__builtin_ctzll(cursor->left);
    cursor->left &= cursor->left - 1;
    return cursor->row < cursor->row_count;
}
static inline void mask_keep(MaskCursor *cursor, bool is_kept)
{
    if (!is_kept) {
        validity_clear(cursor->mask->words, cursor->row);
    }
}

static inline int64_t predicate_lo_int64(const Predicate *predicate)
{
    return predicate->has_lo ? predicate->lo.i64 : INT64_MIN;
}
static inline int64_t predicate_hi_int64(const Predicate *predicate)
{
    return predicate->has_hi ? predicate->hi.i64 : INT64_MAX;
}

/* Values that have a bit: none beyond the largest int64, so that (value - base) may wrap. */
static inline uint64_t predicate_bitmap_values(const Predicate *predicate)
{
    uint64_t values_max = (uint64_t)INT64_MAX - (uint64_t)predicate->bitmap_base + 1;
    uint64_t values = predicate->bitmap_bits << predicate->bitmap_shift;
    return values_max != 0 && values > values_max ? values_max : values;
}

/* Flat TEXT lanes; any kind but BLOOM and the null tests. */
void predicate_apply_text(const Predicate *predicate, const Vector *vector, uint32_t row_count,
                          RowMask *mask);
