/*
 * blend_kernels.h — bits counted and spread to lanes, lanes written where a flag is set: CASE.
 */
#pragma once
#include "base/types/type.h"
#include "base/vector/kernel_level.h"

/* target[i] = source[i] + add where flags[i] is 1, modulo the target's width. */
typedef void (*BlendKernel)(const void *source, uint32_t row_count, uint64_t add,
                            const uint8_t *flags, void *target);
/* target[i] = value where flags[i] is 1. */
typedef void (*FillKernel)(uint64_t value, uint32_t row_count, const uint8_t *flags, void *target);

typedef struct BlendKernels {
    BlendKernel blend[4][4]; /* [lane of source][lane of target]: U8, U16, U32, I64 */
    FillKernel fill[4];
    /* Row i becomes lane i: 0 or 1. Whole words are written: up to 63 lanes behind the last. */
    void (*words_to_lanes)(const uint64_t *words, uint32_t row_count, uint8_t *lanes);
} BlendKernels;
KERNEL_TABLE(BlendKernels, blend_kernels);
