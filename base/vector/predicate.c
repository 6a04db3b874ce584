/*
 * predicate.c — applies predicates to vectors of every form.
 *
 * Bounds are moved into the domain of the lanes once per vector; the loop over rows is then a
 * kernel on u8, u16, u32 or i64. Dictionaries are decided on their entries (or, sorted ones, by
 * binary search) and then on codes. What has no kernel looks only at rows still alive.
 */
#include "base/vector/predicate.h"

#include <math.h>
#include <string.h>

#include "base/vector/bloom.h"
#include "base/vector/distribution_hash.h"
#include "base/vector/predicate_internal.h"
#include "base/vector/predicate_kernels.h"
#include "base/vector/vector_internal.h"

KERNEL_TABLE_DEFINE(PredicateKernels, predicate_kernels);

static void apply_flat(const Predicate *predicate, const Vector *vector, uint32_t row_count,
                       RowMask *mask);
static void apply_dictionary(const Predicate *predicate, const Vector *vector, uint32_t row_count,
                             RowMask *mask);

static void apply_validity(const Vector *vector, bool is_null_wanted, RowMask *mask)
{
    if (vector->form == VECTOR_CONSTANT) {
        if (vector_is_null(vector, 0) != is_null_wanted) {
            memset(mask, 0, sizeof *mask);
        }
        return;
    }
    if (vector->validity == NULL) {
        if (is_null_wanted) {
            memset(mask, 0, sizeof *mask);
        }
        return;
    }
    const uint64_t flip = is_null_wanted ? UINT64_MAX : 0;
    for (uint32_t i = 0; i < VALIDITY_WORDS; i++) {
        if (mask->words[i] != 0) { // words behind the last row may not exist in the validity
            mask->words[i] &= vector->validity[i] ^ flip;
        }
    }
}

void predicate_apply(const Predicate *predicate, const Vector *vector, uint32_t row_count,
                     RowMask *mask)
{
    DEBUG_ASSERT(vector->form != VECTOR_LAZY);
    apply_validity(vector, predicate->kind == PREDICATE_IS_NULL, mask);
    if (predicate->kind == PREDICATE_IS_NULL || predicate->kind == PREDICATE_IS_NOT_NULL ||
        row_count == 0) {
        return;
    }
    if (vector->form == VECTOR_CONSTANT) {
        Value value = vector_value(vector, 0);
        if (value.is_null || !predicate_accepts(predicate, &value)) {
            memset(mask, 0, sizeof *mask);
        }
    } else if (vector->form == VECTOR_DICTIONARY) {
        apply_dictionary(predicate, vector, row_count, mask);
    } else {
        apply_flat(predicate, vector, row_count, mask);
    }
}

/* --- scaled integers --- */

typedef enum Reach { REACH_NONE, REACH_SOME } Reach;

/* Bounds in the lanes' domain: [lo, hi] of values becomes first and span of lanes. */
static Reach lane_range(const Vector *vector, int64_t lo, int64_t hi, uint64_t *first,
                        uint64_t *span)
{
    Lane lane = (Lane)vector->lane;
    if (lo > hi) {
        return REACH_NONE;
    }
    if (lane == LANE_I64) {
        *first = (uint64_t)lo;
        *span = (uint64_t)hi - (uint64_t)lo;
        return REACH_SOME;
    }
    const Int128 lane_max = ((Int128)1 << (8 * lane_bytes(lane))) - 1;
    Int128 lane_lo = (Int128)lo - vector->base, lane_hi = (Int128)hi - vector->base;
    lane_lo = lane_lo < 0 ? 0 : lane_lo;
    lane_hi = lane_hi > lane_max ? lane_max : lane_hi;
    if (lane_lo > lane_hi) {
        return REACH_NONE;
    }
    *first = (uint64_t)lane_lo;
    *span = (uint64_t)(lane_hi - lane_lo);
    return REACH_SOME;
}

static void keep_range(const Vector *vector, uint32_t row_count, int64_t lo, int64_t hi,
                       bool is_inverted, RowMask *mask)
{
    uint64_t first, span;
    if (lane_range(vector, lo, hi, &first, &span) == REACH_NONE) {
        if (!is_inverted) {
            memset(mask, 0, sizeof *mask);
        }
        return;
    }
    KERNELS(predicate_kernels)
        ->range[vector->lane](vector->data, row_count, first, span, is_inverted, mask->words);
}

/* Bits for `values` values from `base` on, one for every 2^shift of them. */
static void keep_bitmap(const Vector *vector, uint32_t row_count, const uint64_t *bitmap,
                        int64_t base, uint64_t values, uint32_t shift, RowMask *mask)
{
    if (values == 0) {
        memset(mask, 0, sizeof *mask);
        return;
    }
    const PredicateKernels *kernels = KERNELS(predicate_kernels);
    Lane lane = (Lane)vector->lane;
    uint64_t offset = (uint64_t)vector->base - (uint64_t)base;
    if (lane != LANE_I64) {
        // 32-bit indexes wrap: they are right when no value can wrap into the bitmap. Lanes of null
        // rows may; the mask does not have them.
        Int128 index_lo = (Int128)vector->lo - base;
        Int128 index_hi = (Int128)vector->hi - base;
        const Int128 wrap = (Int128)1 << 32;
        if (values <= (uint64_t)wrap && index_hi < wrap && index_lo > (Int128)values - 1 - wrap) {
            kernels->bitmap[lane](vector->data, row_count, offset, bitmap, values - 1, shift,
                                  mask->words);
            return;
        }
        int64_t wide[VECTOR_ROWS];
        vector_read_int64(vector, NULL, row_count, wide);
        kernels->bitmap[LANE_I64](wide, row_count, -(uint64_t)base, bitmap, values - 1, shift,
                                  mask->words);
        return;
    }
    kernels->bitmap[LANE_I64](vector->data, row_count, offset, bitmap, values - 1, shift,
                              mask->words);
}

/* The first of `count` ascending values that is not below `bound`. */
static uint32_t lower_bound(const Value *values, uint32_t count, int64_t bound)
{
    const Value *first = values;
    while (count > 1) { // without branches on data: rows overlap
        uint32_t half = count / 2;
        first += first[half - 1].i64 < bound ? half : 0;
        count -= half;
    }
    return (uint32_t)(first - values) + (count == 1 && first->i64 < bound);
}

#define IN_BITMAP_BITS 65536u
#define IN_COMPARES_MAX 16u /* a compare of all rows costs a hundredth of a search for each */

static void keep_in(const Predicate *predicate, const Vector *vector, uint32_t row_count,
                    RowMask *mask)
{
    const Value *values = predicate->values;
    uint32_t first = 0, last = predicate->value_count; // those that the lanes can hold at all
    if (vector->lane != LANE_I64) {
        Int128 lane_end = (Int128)vector->base + ((Int128)1 << (8 * lane_bytes(vector->lane)));
        first = lower_bound(values, last, vector->base);
        last = lane_end > INT64_MAX ? last : lower_bound(values, last, (int64_t)lane_end);
    }
    if (first >= last) {
        memset(mask, 0, sizeof *mask);
        return;
    }
    uint64_t span = (uint64_t)values[last - 1].i64 - (uint64_t)values[first].i64;
    if (last - first <= IN_COMPARES_MAX) {
        RowMask found = {{0}};
        for (uint32_t i = first; i < last; i++) {
            RowMask equal = *mask;
            keep_range(vector, row_count, values[i].i64, values[i].i64, false, &equal);
            for (uint32_t word = 0; word < VALIDITY_WORDS; word++) {
                found.words[word] |= equal.words[word];
            }
        }
        *mask = found;
    } else if (span < IN_BITMAP_BITS) {
        uint64_t bitmap[IN_BITMAP_BITS / 64];
        memset(bitmap, 0, (span / 64 + 1) * sizeof(uint64_t));
        for (uint32_t i = first; i < last; i++) {
            uint64_t bit = (uint64_t)values[i].i64 - (uint64_t)values[first].i64;
            bitmap[bit / 64] |= UINT64_C(1) << (bit % 64);
        }
        keep_bitmap(vector, row_count, bitmap, values[first].i64, span + 1, 0, mask);
    } else {
        int64_t wide[VECTOR_ROWS];
        vector_read_int64(vector, NULL, row_count, wide);
        for (MaskCursor cursor = mask_cursor(mask, row_count); mask_next(&cursor);) {
            int64_t value = wide[cursor.row];
            uint32_t at = first + lower_bound(values + first, last - first, value);
            mask_keep(&cursor, at < last && values[at].i64 == value);
        }
    }
}

static void apply_integers(const Predicate *predicate, const Vector *vector, uint32_t row_count,
                           RowMask *mask)
{
    switch (predicate->kind) {
    case PREDICATE_RANGE:
        keep_range(vector, row_count, predicate_lo_int64(predicate), predicate_hi_int64(predicate),
                   false, mask);
        return;
    case PREDICATE_NOT_EQUAL:
        keep_range(vector, row_count, predicate->lo.i64, predicate->lo.i64, true, mask);
        return;
    case PREDICATE_IN:
        keep_in(predicate, vector, row_count, mask);
        return;
    default:
        keep_bitmap(vector, row_count, predicate->bitmap, predicate->bitmap_base,
                    predicate_bitmap_values(predicate), predicate->bitmap_shift, mask);
        return;
    }
}

/* --- floats --- */

/* Open bounds become the next float inside; NaN is above every number. False when nothing but NaN
 * can pass. */
static void float_range(const Predicate *predicate, FloatRange *range)
{
    *range = (FloatRange){.lo = -INFINITY, .hi = INFINITY, .is_nan_passed = true};
    if (predicate->kind == PREDICATE_NOT_EQUAL) {
        range->is_inverted = true;
        range->lo = range->hi = predicate->lo.f64;
        range->is_nan_passed = isnan(predicate->lo.f64);
        return; // a NaN bound compares false to every number
    }
    if (predicate->has_lo) {
        double lo = predicate->lo.f64;
        range->is_nan_passed = !isnan(lo) || !predicate->is_lo_open;
        range->lo = lo;
        if (predicate->is_lo_open && lo < INFINITY) {
            range->lo = nextafter(lo, INFINITY);
        } else if (predicate->is_lo_open) {
            range->lo = NAN; // above infinity there is only NaN
        }
    }
    if (predicate->has_hi) {
        double hi = predicate->hi.f64;
        if (isnan(hi)) {
            range->is_nan_passed = range->is_nan_passed && !predicate->is_hi_open;
            return; // every number is below
        }
        range->is_nan_passed = false;
        range->hi = hi;
        if (predicate->is_hi_open && hi > -INFINITY) {
            range->hi = nextafter(hi, -INFINITY);
        } else if (predicate->is_hi_open) {
            range->hi = NAN;
        }
    }
}

/* --- the other rows, one by one --- */

static void apply_rows(const Predicate *predicate, const Vector *vector, uint32_t row_count,
                       RowMask *mask)
{
    for (MaskCursor cursor = mask_cursor(mask, row_count); mask_next(&cursor);) {
        Value value = vector_value(vector, cursor.row);
        mask_keep(&cursor, predicate_accepts(predicate, &value));
    }
}

static void apply_bloom(const Predicate *predicate, const Vector *vector, uint32_t row_count,
                        RowMask *mask)
{
    uint64_t hashes[VECTOR_ROWS];
    Batch rows = {.row_count = row_count, .selected_count = row_count};
    uint32_t alive_count = row_mask_count(mask);
    const BloomFilter *bloom = predicate->bloom;
    if (alive_count >= row_count / 4) {
        row_hash_column(vector, &rows, false, hashes);
        KERNELS(predicate_kernels)
            ->bloom(hashes, row_count, bloom->blocks, bloom->block_mask, mask->words);
        return;
    }
    uint16_t selection[VECTOR_ROWS];
    rows.selected_count = row_mask_to_selection(mask, row_count, selection);
    rows.selection = selection;
    row_hash_column(vector, &rows, false, hashes);
    for (uint32_t i = 0; i < rows.selected_count; i++) {
        if (!bloom_filter_contains(bloom, hashes[i])) {
            validity_clear(mask->words, selection[i]);
        }
    }
}

static void apply_flat(const Predicate *predicate, const Vector *vector, uint32_t row_count,
                       RowMask *mask)
{
    Lane lane = (Lane)vector->lane;
    if (predicate->kind == PREDICATE_BLOOM) {
        apply_bloom(predicate, vector, row_count, mask);
    } else if (lane_is_integer(lane) && type_is_scaled_integer(vector->type)) {
        apply_integers(predicate, vector, row_count, mask);
    } else if (lane == LANE_TEXT) {
        predicate_apply_text(predicate, vector, row_count, mask);
    } else if ((lane == LANE_F32 || lane == LANE_F64) &&
               (predicate->kind == PREDICATE_RANGE || predicate->kind == PREDICATE_NOT_EQUAL)) {
        const PredicateKernels *kernels = KERNELS(predicate_kernels);
        FloatRange range;
        float_range(predicate, &range);
        (lane == LANE_F32 ? kernels->range_f32 : kernels->range_f64)(vector->data, row_count,
                                                                     &range, mask->words);
    } else {
        apply_rows(predicate, vector, row_count, mask);
    }
}

/* --- dictionaries --- */

#define FEW_ENTRIES 64u               /* evaluated rather than searched */
#define ENTRIES_MAX (2 * VECTOR_ROWS) /* evaluated at most: rows times two */

/* The span of set bits among the first `count`; false when there are gaps in it or no bits. */
static bool find_run(const uint64_t *words, uint32_t count, bool is_inverted, uint32_t *first,
                     uint32_t *last)
{
    uint32_t total = 0;
    for (uint32_t i = 0; i < (count + 63) / 64; i++) {
        uint64_t word = is_inverted ? ~words[i] : words[i];
        if (count - i * 64 < 64) {
            word &= (UINT64_C(1) << (count % 64)) - 1;
        }
        if (word != 0) {
            *first = total == 0 ? i * 64 + (uint32_t)__builtin_ctzll(word) : *first;
            *last = i * 64 + 63 - (uint32_t)__builtin_clzll(word);
            total += (uint32_t)__builtin_popcountll(word);
        }
    }
    return total > 0 && total == *last - *first + 1;
}

/* Decides every entry and tests the codes: against a range when the entries that pass (or those
 * that fail) stand together, as after = and <>, else against a bitmap. */
static void apply_to_entries(const Predicate *predicate, const Vector *vector, uint32_t row_count,
                             RowMask *mask)
{
    const PredicateKernels *kernels = KERNELS(predicate_kernels);
    RowMask passed[ENTRIES_MAX / VECTOR_ROWS];
    Vector entries = dictionary_entries(vector);
    uint32_t entry_count = vector->dictionary->entry_count;
    size_t bytes = lane_bytes((Lane)entries.lane);
    const char *data = entries.data;
    for (uint32_t first = 0; first < entry_count; first += VECTOR_ROWS) {
        uint32_t left = entry_count - first;
        uint32_t count = left < VECTOR_ROWS ? left : VECTOR_ROWS;
        RowMask *part = &passed[first / VECTOR_ROWS];
        row_mask_set_first(part, count);
        entries.data = data + first * bytes;
        apply_flat(predicate, &entries, count, part);
    }
    const uint64_t *words = passed[0].words;
    uint32_t first = 0, last = 0;
    if (find_run(words, entry_count, false, &first, &last)) {
        kernels->range[vector->lane](vector->data, row_count, first, last - first, false,
                                     mask->words);
    } else if (find_run(words, entry_count, true, &first, &last)) {
        kernels->range[vector->lane](vector->data, row_count, first, last - first, true,
                                     mask->words);
    } else {
        kernels->bitmap[vector->lane](vector->data, row_count, 0, words, entry_count - 1, 0,
                                      mask->words);
    }
}

/* The first entry of a sorted dictionary at or above (`is_after`: above) the bound. */
static uint32_t find_entry(const Vector *entries, uint32_t count, const Value *bound, bool is_after)
{
    uint32_t first = 0;
    while (count > 0) {
        uint32_t half = count / 2;
        Value entry = vector_value(entries, first + half);
        int order = value_compare(&entry, bound);
        if (order < 0 || (is_after && order == 0)) {
            first += half + 1;
            count -= half + 1;
        } else {
            count = half;
        }
    }
    return first;
}

/* A range over sorted entries is a range over codes. */
static void apply_to_codes(const Predicate *predicate, const Vector *vector, uint32_t row_count,
                           RowMask *mask)
{
    Vector entries = dictionary_entries(vector);
    uint32_t first = 0, last = vector->dictionary->entry_count;
    bool is_inverted = predicate->kind == PREDICATE_NOT_EQUAL;
    if (predicate->has_lo || is_inverted) {
        first = find_entry(&entries, last, &predicate->lo, predicate->is_lo_open && !is_inverted);
    }
    if (is_inverted) {
        last = find_entry(&entries, last, &predicate->lo, true);
    } else if (predicate->has_hi) {
        last = find_entry(&entries, last, &predicate->hi, !predicate->is_hi_open);
    }
    if (first >= last) {
        if (!is_inverted) {
            memset(mask, 0, sizeof *mask);
        }
        return;
    }
    KERNELS(predicate_kernels)
        ->range[vector->lane](vector->data, row_count, first, last - first - 1, is_inverted,
                              mask->words);
}

static void apply_dictionary(const Predicate *predicate, const Vector *vector, uint32_t row_count,
                             RowMask *mask)
{
    const Dictionary *dictionary = vector->dictionary;
    bool is_range = predicate->kind == PREDICATE_RANGE || predicate->kind == PREDICATE_NOT_EQUAL;
    if (dictionary->entry_count == 0) {
        return; // all rows are null and cleared already
    }
    if (dictionary->is_sorted && is_range && dictionary->entry_count > FEW_ENTRIES) {
        apply_to_codes(predicate, vector, row_count, mask);
    } else if (dictionary->entry_count <= FEW_ENTRIES ||
               dictionary->entry_count <= 2 * row_mask_count(mask)) {
        apply_to_entries(predicate, vector, row_count, mask);
    } else {
        _Alignas(64) char lanes[VECTOR_ROWS * 16 + 64];
        VectorBuffer buffer = {.lanes = lanes};
        Vector flat;
        vector_flatten(vector, row_count, NULL, 0, &buffer, &flat);
        apply_flat(predicate, &flat, row_count, mask);
    }
}
