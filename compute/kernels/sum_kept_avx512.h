/*
 * sum_kept_avx512.h — sums of the lanes whose bits are set, with masked loads, for
 * aggregate_kernels.c: no branch on data.
 */
#pragma once
#include <immintrin.h>
#include <stdint.h>

// without optimisation some intrinsics are macros, and the conversions inside them ours
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wsign-conversion"

/* The bits of rows first .. first + 63 that lie below `count`. */
static inline uint64_t kept_bits(const uint64_t *words, uint32_t first, uint32_t count)
{
    const uint32_t left = count - first;
    return left < 64 ? words[first / 64] & ((UINT64_C(1) << left) - 1) : words[first / 64];
}

/* Modulo 2^64, as sum_all. */
static inline int64_t sum_lanes_i64(__m512i sums)
{
    uint64_t lanes[8], sum = 0;
    _mm512_storeu_si512(lanes, sums);
    for (int i = 0; i < 8; i++) {
        sum += lanes[i];
    }
    return (int64_t)sum;
}

static int64_t sum_kept_u8(const void *lanes, const uint64_t *words, uint32_t count)
{
    const uint8_t *values = lanes;
    const __m512i zero = _mm512_setzero_si512();
    __m512i sums = zero;
    for (uint32_t first = 0; first < count; first += 64) {
        const __m512i kept =
            _mm512_maskz_loadu_epi8(kept_bits(words, first, count), values + first);
        sums = _mm512_add_epi64(sums, _mm512_sad_epu8(kept, zero));
    }
    return sum_lanes_i64(sums);
}

static int64_t sum_kept_u16(const void *lanes, const uint64_t *words, uint32_t count)
{
    const uint16_t *values = lanes;
    const __m512i low = _mm512_set1_epi32(0xffff);
    __m512i sums = _mm512_setzero_si512(); // of 32 bits: a batch's rows fit
    for (uint32_t first = 0; first < count; first += 64) {
        const uint64_t bits = kept_bits(words, first, count);
        for (int i = 0; i < 64; i += 32) {
            const __m512i kept =
                _mm512_maskz_loadu_epi16((__mmask32)(bits >> i), values + first + i);
            sums = _mm512_add_epi32(sums, _mm512_and_si512(kept, low));
            sums = _mm512_add_epi32(sums, _mm512_srli_epi32(kept, 16));
        }
    }
    const __m512i half = _mm512_add_epi64(_mm512_and_si512(sums, _mm512_set1_epi64(0xffffffff)),
                                          _mm512_srli_epi64(sums, 32));
    return sum_lanes_i64(half);
}

static int64_t sum_kept_u32(const void *lanes, const uint64_t *words, uint32_t count)
{
    const uint32_t *values = lanes;
    const __m512i low = _mm512_set1_epi64(0xffffffff);
    __m512i sums[2] = {_mm512_setzero_si512(), _mm512_setzero_si512()};
    for (uint32_t first = 0; first < count; first += 64) {
        const uint64_t bits = kept_bits(words, first, count);
        for (int i = 0; i < 64; i += 16) {
            const __m512i kept =
                _mm512_maskz_loadu_epi32((__mmask16)(bits >> i), values + first + i);
            sums[0] = _mm512_add_epi64(sums[0], _mm512_and_si512(kept, low));
            sums[1] = _mm512_add_epi64(sums[1], _mm512_srli_epi64(kept, 32));
        }
    }
    return sum_lanes_i64(_mm512_add_epi64(sums[0], sums[1]));
}

static int64_t sum_kept_i64(const void *lanes, const uint64_t *words, uint32_t count)
{
    const int64_t *values = lanes;
    __m512i sums[2] = {_mm512_setzero_si512(), _mm512_setzero_si512()};
    for (uint32_t first = 0; first < count; first += 64) {
        const uint64_t bits = kept_bits(words, first, count);
        for (int i = 0; i < 64; i += 16) {
            const int64_t *group = values + first + i;
            const __mmask8 kept[2] = {(__mmask8)(bits >> i), (__mmask8)(bits >> (i + 8))};
            sums[0] = _mm512_add_epi64(sums[0], _mm512_maskz_loadu_epi64(kept[0], group));
            sums[1] = _mm512_add_epi64(sums[1], _mm512_maskz_loadu_epi64(kept[1], group + 8));
        }
    }
    return sum_lanes_i64(_mm512_add_epi64(sums[0], sums[1]));
}

#pragma GCC diagnostic pop
