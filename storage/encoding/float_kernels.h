/*
 * float_kernels.h — the hot loops of the encodings of floats (alp.c, alp_rd.c), built once per
 * kernel level. None of them contracts a product and a sum: all levels give the same bits.
 */
#pragma once
#include <string.h>
#include "base/types/type.h"
#include "base/vector/kernel_level.h"

#define ALP_EXPONENT_MAX 18u       /* of doubles */
#define ALP_EXPONENT_MAX_FLOAT 10u /* of floats */
#define ALP_LIMIT (INT64_C(1) << 51)
#define ALP_INEXACT INT64_MIN
#define ALP_LEFT_ENTRIES 8u

typedef struct FloatKernels {
    /* numbers[i] = round(value * 10^exponent / 10^factor), or ALP_INEXACT when that does not bring
     * back each bit of the value; lane F32 or F64. Returns how many are inexact. */
    uint32_t (*alp_encode)(const void *values, Lane lane, uint32_t count, uint32_t exponent,
                           uint32_t factor, int64_t *numbers);
    /* The other way, for 1,024 numbers base + lane; `target` is F32 or F64. */
    void (*alp_decode)(const void *lanes, Lane lane, int64_t base, uint32_t exponent,
                       uint32_t factor, Lane target, void *out);
    /* out[i] = entries[codes[i]] | rights[i] for 1,024 values of F32 (rights in U32 lanes) or F64
     * (64-bit lanes). Codes are below ALP_LEFT_ENTRIES. */
    void (*join_parts)(const void *rights, const uint8_t *codes,
                       const uint64_t entries[ALP_LEFT_ENTRIES], Lane target, void *out);
} FloatKernels;

KERNEL_TABLE(FloatKernels, float_kernels);

/* 2^52 + 2^51: doubles around it are one apart, so a sum with it rounds to an integer, which its
 * low bits are. */
static const double alp_magic = 6755399441055744.0;
static const double alp_powers[ALP_EXPONENT_MAX + 1] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,
                                                        1e7,  1e8,  1e9,  1e10, 1e11, 1e12, 1e13,
                                                        1e14, 1e15, 1e16, 1e17, 1e18};
static const double alp_fractions[ALP_EXPONENT_MAX + 1] = {
    1e0,   1e-1,  1e-2,  1e-3,  1e-4,  1e-5,  1e-6,  1e-7,  1e-8, 1e-9,
    1e-10, 1e-11, 1e-12, 1e-13, 1e-14, 1e-15, 1e-16, 1e-17, 1e-18};

/* One number as its value: what alp_decode gives. */
static inline double alp_number_value(int64_t number, uint32_t exponent, uint32_t factor,
                                      Lane target)
{
    uint64_t bits;
    double sum;
    memcpy(&bits, &alp_magic, sizeof bits);
    bits += (uint64_t)number;
    memcpy(&sum, &bits, sizeof sum);
    const double value = (sum - alp_magic) * alp_powers[factor] * alp_fractions[exponent];
    return target == LANE_F32 ? (double)(float)value : value;
}
