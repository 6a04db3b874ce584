/* arithmetic_kernels.c — see arithmetic_kernels.h. Plain C that compilers vectorise. */
#include "compute/kernels/arithmetic_kernels.h"

#define TEMPLATE "compute/kernels/arithmetic_pair.tmpl.h"
#include "compute/kernels/for_each_lane_operands.h"

#define TEMPLATE "compute/kernels/arithmetic_scale.tmpl.h"
#include "compute/kernels/for_each_lane_widening.h"

#define T float
#define NAME(stem) stem##_f32
#include "compute/kernels/arithmetic_float.tmpl.h"
#undef T
#undef NAME
#define T double
#define NAME(stem) stem##_f64
#include "compute/kernels/arithmetic_float.tmpl.h"
#undef T
#undef NAME

static bool add_checked(const int64_t *restrict left, const int64_t *restrict right,
                        uint32_t row_count, int64_t *restrict target)
{
    uint64_t overflow = 0; // in the top bit: both sides differ in sign from the sum
    for (uint32_t i = 0; i < row_count; i++) {
        uint64_t a = (uint64_t)left[i], b = (uint64_t)right[i], sum = a + b;
        target[i] = (int64_t)sum;
        overflow |= (a ^ sum) & (b ^ sum);
    }
    return overflow >> 63 != 0;
}

static bool subtract_checked(const int64_t *restrict left, const int64_t *restrict right,
                             uint32_t row_count, int64_t *restrict target)
{
    uint64_t overflow = 0;
    for (uint32_t i = 0; i < row_count; i++) {
        uint64_t a = (uint64_t)left[i], b = (uint64_t)right[i], difference = a - b;
        target[i] = (int64_t)difference;
        overflow |= (a ^ b) & (a ^ difference);
    }
    return overflow >> 63 != 0;
}

static bool multiply_checked(const int64_t *restrict left, const int64_t *restrict right,
                             uint32_t row_count, int64_t *restrict target)
{
    bool overflow = false;
    for (uint32_t i = 0; i < row_count; i++) {
        overflow |= __builtin_mul_overflow(left[i], right[i], &target[i]);
    }
    return overflow;
}

static void divide_rounded(const int64_t *restrict source, uint32_t row_count, int64_t divisor,
                           int64_t *restrict target)
{
    const int64_t half = divisor / 2 + divisor % 2; // remainders from here on round away
    for (uint32_t i = 0; i < row_count; i++) {
        int64_t quotient = source[i] / divisor, remainder = source[i] % divisor;
        target[i] = quotient + (remainder >= half) - (remainder <= -half);
    }
}

/*
 * Example: 7 / 2. The quotient of doubles, 3.5, is cut to 3; the rest 7 - 3 * 2 = 1 is exact. With
 * up to 52 bits the rounded quotient can only be too large, by one, when the true one lies just
 * below a whole number: then the rest is negative.
 */
static inline void divide_lanes(const int64_t *restrict source, uint32_t row_count, int64_t divisor,
                                DivideMode mode, int64_t *restrict target)
{
    const int64_t size = divisor < 0 ? -divisor : divisor;
    const double divisor_size = (double)size;
    const int64_t divisor_sign = divisor < 0 ? -1 : 0;
    for (uint32_t i = 0; i < row_count; i++) {
        int64_t sign = source[i] >> 63, dividend = (source[i] ^ sign) - sign;
        int64_t quotient = (int64_t)((double)dividend / divisor_size);
        int64_t rest = dividend - quotient * size;
        int64_t is_over = rest >> 63; // -1 or 0
        quotient += is_over;
        rest += is_over & size;
        if (mode == DIVIDE_REMAINDER) {
            target[i] = (rest ^ sign) - sign;
            continue;
        }
        if (mode == DIVIDE_ROUNDED) {
            quotient += rest >= size - rest;
        }
        sign ^= divisor_sign;
        target[i] = (quotient ^ sign) - sign;
    }
}

static void divide_short(const int64_t *source, uint32_t row_count, int64_t divisor,
                         DivideMode mode, int64_t *target)
{
    switch (mode) {
    case DIVIDE_CUT:
        divide_lanes(source, row_count, divisor, DIVIDE_CUT, target);
        return;
    case DIVIDE_ROUNDED:
        divide_lanes(source, row_count, divisor, DIVIDE_ROUNDED, target);
        return;
    default:
        divide_lanes(source, row_count, divisor, DIVIDE_REMAINDER, target);
        return;
    }
}

const ArithmeticKernels KERNEL(arithmetic_kernels) = {
    .pair =
        {
#define OP ARITHMETIC_ADD
#define STEM add
#define TEMPLATE "compute/kernels/arithmetic_entry.tmpl.h"
#include "compute/kernels/for_each_lane_operands.h"
#undef OP
#undef STEM
#define OP ARITHMETIC_SUBTRACT
#define STEM subtract
#define TEMPLATE "compute/kernels/arithmetic_entry.tmpl.h"
#include "compute/kernels/for_each_lane_operands.h"
#undef OP
#undef STEM
#define OP ARITHMETIC_MULTIPLY
#define STEM multiply
#define TEMPLATE "compute/kernels/arithmetic_entry.tmpl.h"
#include "compute/kernels/for_each_lane_operands.h"
#undef OP
#undef STEM
        },
    .multiply_short =
        {
#define TEMPLATE "compute/kernels/multiply_short_entry.tmpl.h"
#include "compute/kernels/for_each_lane_operands.h"
        },
    .scale =
        {
#define TEMPLATE "compute/kernels/scale_entry.tmpl.h"
#include "compute/kernels/for_each_lane_widening.h"
        },
    .checked = {add_checked, subtract_checked, multiply_checked},
    .f32 = {add_f32, subtract_f32, multiply_f32, divide_f32},
    .f64 = {add_f64, subtract_f64, multiply_f64, divide_f64},
    .divide_rounded = divide_rounded,
    .divide_short = divide_short,
};
