/*
 * cast_kernels.h — lanes of integers to floats.
 */
#pragma once
#include "base/types/type.h"
#include "base/vector/kernel_level.h"

typedef struct CastKernels {
    /* target[i] = (lane + base) / divisor: one rounding when the value has at most 53 bits and the
     * divisor is a power of ten up to 10^22. */
    void (*to_f64[4])(const void *lanes, uint32_t row_count, int64_t base, double divisor,
                      double *target);
    void (*f64_to_f32)(const double *source, uint32_t row_count, float *target);
    void (*f32_to_f64)(const float *source, uint32_t row_count, double *target);
} CastKernels;
KERNEL_TABLE(CastKernels, cast_kernels);
