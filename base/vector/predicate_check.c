/* predicate_check.c — predicates on single values and on bounds; the bloom filter. */
#include <string.h>

#include "base/vector/bloom.h"
#include "base/vector/distribution_hash.h"
#include "base/vector/predicate_internal.h"

#define BITMAP_CHECK_BITS 65536u /* bits looked at before the answer is "some" */

static bool is_in_range(const Predicate *predicate, const Value *value)
{
    if (predicate->has_lo) {
        int order = value_compare(value, &predicate->lo);
        if (order < 0 || (order == 0 && predicate->is_lo_open)) {
            return false;
        }
    }
    if (predicate->has_hi) {
        int order = value_compare(value, &predicate->hi);
        if (order > 0 || (order == 0 && predicate->is_hi_open)) {
            return false;
        }
    }
    return true;
}

/* The first listed value at or above `value`. */
static uint32_t find_listed(const Predicate *predicate, const Value *value)
{
    uint32_t first = 0, count = predicate->value_count;
    while (count > 0) {
        uint32_t half = count / 2;
        if (value_compare(&predicate->values[first + half], value) < 0) {
            first += half + 1;
            count -= half + 1;
        } else {
            count = half;
        }
    }
    return first;
}

static bool is_listed(const Predicate *predicate, const Value *value)
{
    uint32_t at = find_listed(predicate, value);
    return at < predicate->value_count && value_compare(&predicate->values[at], value) == 0;
}

bool predicate_accepts(const Predicate *predicate, const Value *value)
{
    if (value->is_null || predicate->kind == PREDICATE_IS_NULL) {
        return value->is_null && predicate->kind == PREDICATE_IS_NULL;
    }
    switch (predicate->kind) {
    case PREDICATE_RANGE:
        return is_in_range(predicate, value);
    case PREDICATE_NOT_EQUAL:
        return value_compare(value, &predicate->lo) != 0;
    case PREDICATE_IN:
        return is_listed(predicate, value);
    case PREDICATE_BITMAP: {
        uint64_t bit = (uint64_t)value->i64 - (uint64_t)predicate->bitmap_base;
        if (!type_is_scaled_integer(value->type) || bit >= predicate_bitmap_values(predicate)) {
            return false;
        }
        bit >>= predicate->bitmap_shift;
        return (predicate->bitmap[bit / 64] >> (bit % 64) & 1) != 0;
    }
    case PREDICATE_BLOOM:
        return bloom_filter_contains(predicate->bloom, row_hash_value(value));
    default:
        return true;
    }
}

/* How many of the bits for values lo..hi are set: none, some, or all. */
static PredicateVerdict check_bitmap(const Predicate *predicate, int64_t lo, int64_t hi)
{
    Int128 first = (Int128)lo - predicate->bitmap_base;
    Int128 last = (Int128)hi - predicate->bitmap_base;
    const Int128 values = predicate_bitmap_values(predicate);
    bool is_inside = first >= 0 && last < values;
    first = first < 0 ? 0 : first;
    last = last >= values ? values - 1 : last;
    if (first > last) {
        return PREDICATE_NONE;
    }
    first >>= predicate->bitmap_shift;
    last >>= predicate->bitmap_shift;
    if (last - first >= BITMAP_CHECK_BITS) {
        return PREDICATE_SOME;
    }
    bool has_set = false, has_clear = !is_inside;
    for (uint64_t bit = (uint64_t)first; bit <= (uint64_t)last;) {
        uint64_t count = 64 - bit % 64;
        count = count > (uint64_t)last - bit + 1 ? (uint64_t)last - bit + 1 : count;
        uint64_t wanted = (count == 64 ? UINT64_MAX : (UINT64_C(1) << count) - 1) << (bit % 64);
        uint64_t found = predicate->bitmap[bit / 64] & wanted;
        has_set |= found != 0;
        has_clear |= found != wanted;
        if (has_set && has_clear) {
            return PREDICATE_SOME;
        }
        bit += count;
    }
    return has_set ? PREDICATE_ALL : PREDICATE_NONE;
}

static PredicateVerdict check_present(const Predicate *predicate, int64_t lo, int64_t hi)
{
    switch (predicate->kind) {
    case PREDICATE_RANGE: {
        int64_t first = predicate_lo_int64(predicate), last = predicate_hi_int64(predicate);
        if (hi < first || lo > last) {
            return PREDICATE_NONE;
        }
        return lo >= first && hi <= last ? PREDICATE_ALL : PREDICATE_SOME;
    }
    case PREDICATE_NOT_EQUAL:
        if (predicate->lo.i64 < lo || predicate->lo.i64 > hi) {
            return PREDICATE_ALL;
        }
        return lo == hi ? PREDICATE_NONE : PREDICATE_SOME;
    case PREDICATE_IN: {
        Value bound = value_int64(predicate->type, lo);
        uint32_t at = find_listed(predicate, &bound);
        if (at == predicate->value_count || predicate->values[at].i64 > hi) {
            return PREDICATE_NONE;
        }
        return lo == hi ? PREDICATE_ALL : PREDICATE_SOME;
    }
    case PREDICATE_BITMAP:
        return check_bitmap(predicate, lo, hi);
    default:
        return PREDICATE_SOME;
    }
}

PredicateVerdict predicate_check_bounds(const Predicate *predicate, int64_t lo, int64_t hi,
                                        bool has_nulls)
{
    if (predicate->kind == PREDICATE_IS_NULL) {
        return has_nulls ? PREDICATE_SOME : PREDICATE_NONE;
    }
    if (predicate->kind == PREDICATE_IS_NOT_NULL) {
        return has_nulls ? PREDICATE_SOME : PREDICATE_ALL;
    }
    if (lo > hi || !type_is_scaled_integer(predicate->type)) {
        return PREDICATE_SOME;
    }
    PredicateVerdict verdict = check_present(predicate, lo, hi);
    return verdict == PREDICATE_ALL && has_nulls ? PREDICATE_SOME : verdict;
}

bool bloom_filter_contains(const BloomFilter *bloom, uint64_t hash)
{
    uint32_t bits = bloom_bits(hash);
    return (bloom->blocks[bloom_block(hash, bloom->block_mask)] & bits) == bits;
}

void bloom_filter_add(BloomFilter *bloom, uint64_t hash)
{
    bloom->blocks[bloom_block(hash, bloom->block_mask)] |= bloom_bits(hash);
}
