/*
 * predicate.h — conditions on one column that every encoding can apply to its own form.
 *
 * The planner's conjuncts of the shapes below, and runtime filters of joins, become Predicates;
 * anything else goes through a ScanEvaluator (storage/scan.h).
 */
#pragma once
#include "base/vector/batch.h"

typedef enum PredicateKind {
    PREDICATE_IS_NULL,
    PREDICATE_IS_NOT_NULL,
    PREDICATE_RANGE,     /* lo <= value <= hi, either side open; equality is lo = hi */
    PREDICATE_NOT_EQUAL, /* value <> lo (NULL fails) */
    PREDICATE_IN,        /* value among sorted `values` */
    PREDICATE_BITMAP,    /* bit (value - bitmap_base) >> bitmap_shift of `bitmap`; outside: fails */
    PREDICATE_BLOOM      /* blocked bloom over row_hash of the value; may admit too much */
} PredicateKind;

typedef struct BloomFilter {
    uint32_t *blocks;      /* power of two of 32-bit words; 3 bits per key in one word */
    uint32_t block_mask;
} BloomFilter;

typedef struct Predicate {
    PredicateKind kind;
    Type type;
    bool has_lo, has_hi;
    bool is_lo_open, is_hi_open;  /* strict bounds; scaled integers always use closed ones */
    Value lo, hi;
    const Value *values;          /* IN: ascending, no NULL */
    uint32_t value_count;
    const uint64_t *bitmap;
    int64_t bitmap_base;
    uint64_t bitmap_bits;
    uint32_t bitmap_shift; /* 2^shift neighbouring values share a bit; at most 16 */
    const BloomFilter *bloom;
} Predicate;

/* Clears the bits of rows that fail; NULL fails all but IS_NULL. Any form but LAZY. */
void predicate_apply(const Predicate *predicate, const Vector *vector, uint32_t row_count,
                     RowMask *mask);
/* What a range [lo, hi] of scaled integers says without looking: */
typedef enum PredicateVerdict { PREDICATE_NONE, PREDICATE_SOME, PREDICATE_ALL } PredicateVerdict;
PredicateVerdict predicate_check_bounds(const Predicate *predicate, int64_t lo, int64_t hi,
                                        bool has_nulls);
bool predicate_accepts(const Predicate *predicate, const Value *value);
bool bloom_filter_contains(const BloomFilter *bloom, uint64_t hash);
void bloom_filter_add(BloomFilter *bloom, uint64_t hash);
