/*
 * compare_kernels.h — row by row comparison of two columns, on lanes of any width.
 *
 * `words` has a bit per row: the bits of rows that fail are cleared, words that are zero already
 * are skipped. The bits of rows behind row_count keep whatever they were.
 */
#pragma once
#include "base/types/type.h"
#include "base/vector/kernel_level.h"

/* (left[i] + left_add) op (right[i] + right_add), signed: in 32 bits when both lanes are U8 or U16
 * (the caller checks that the sums fit), in 64 bits otherwise. With `is_inverted` the rows where
 * that does not hold are kept. */
typedef struct CompareTerms {
    int64_t left_add, right_add;
    bool is_inverted;
} CompareTerms;
typedef void (*LaneCompareKernel)(const void *left, const void *right, uint32_t row_count,
                                  const CompareTerms *terms, uint64_t *words);
/* Floats: NaN equals NaN and is larger than every number. */
typedef void (*FloatCompareKernel)(const void *left, const void *right, uint32_t row_count,
                                   bool is_inverted, uint64_t *words);

typedef struct CompareKernels {
    LaneCompareKernel less[4][4],
        equal[4][4]; /* [lane of left][lane of right]: U8, U16, U32, I64 */
    FloatCompareKernel less_f32, equal_f32, less_f64, equal_f64;
} CompareKernels;
KERNEL_TABLE(CompareKernels, compare_kernels);
