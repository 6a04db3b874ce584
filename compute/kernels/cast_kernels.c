/* cast_kernels.c — see cast_kernels.h. */
#include "compute/kernels/cast_kernels.h"

#define TEMPLATE "compute/kernels/cast.tmpl.h"
#include "base/vector/for_each_integer_lane.h"

static void f64_to_f32(const double *restrict source, uint32_t row_count, float *restrict target)
{
    for (uint32_t i = 0; i < row_count; i++) {
        target[i] = (float)source[i];
    }
}

static void f32_to_f64(const float *restrict source, uint32_t row_count, double *restrict target)
{
    for (uint32_t i = 0; i < row_count; i++) {
        target[i] = (double)source[i];
    }
}

const CastKernels KERNEL(cast_kernels) = {
    .to_f64 = {to_f64_u8, to_f64_u16, to_f64_u32, to_f64_i64},
    .f64_to_f32 = f64_to_f32,
    .f32_to_f64 = f32_to_f64,
};
