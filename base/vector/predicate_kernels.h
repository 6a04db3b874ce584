/*
 * predicate_kernels.h — loops that test lanes and clear the bits of rows that fail.
 *
 * `words` has a bit per row; the bits of rows behind row_count keep whatever they were. Words that
 * are zero already are skipped: earlier predicates have done the work.
 */
#pragma once
#include "base/vector/kernel_level.h"
#include "base/vector/vector.h"

/* Passes lanes with (lane - lo) <= span, modulo the lane's width; with `is_inverted` all others. */
typedef void (*RangeKernel)(const void *lanes, uint32_t row_count, uint64_t lo, uint64_t span,
                            bool is_inverted, uint64_t *words);
/* Passes lanes whose bit (lane + offset) >> shift is set, and none with lane + offset > last. The
 * arithmetic is modulo 2^32 for U8, U16 and U32, modulo 2^64 for I64. */
typedef void (*BitmapKernel)(const void *lanes, uint32_t row_count, uint64_t offset,
                             const uint64_t *bitmap, uint64_t last, uint32_t shift,
                             uint64_t *words);

/* A closed range of floats and whether NaN passes too. */
typedef struct FloatRange {
    double lo, hi;
    bool is_nan_passed, is_inverted;
} FloatRange;

typedef struct PredicateKernels {
    RangeKernel range[4]; /* [U8, U16, U32, I64] */
    BitmapKernel bitmap[4];
    void (*range_f32)(const void *lanes, uint32_t row_count, const FloatRange *range,
                      uint64_t *words);
    void (*range_f64)(const void *lanes, uint32_t row_count, const FloatRange *range,
                      uint64_t *words);
    /* Rows whose 16 bytes equal (or, inverted, differ from) those of `bound`. */
    void (*equal16)(const void *lanes, uint32_t row_count, const uint64_t bound[2],
                    bool is_inverted, uint64_t *words);
    /* Rows that a blocked bloom filter may contain: bit arithmetic of bloom.h. */
    void (*bloom)(const uint64_t *hashes, uint32_t row_count, const uint32_t *blocks,
                  uint32_t block_mask, uint64_t *words);
} PredicateKernels;
KERNEL_TABLE(PredicateKernels, predicate_kernels);
