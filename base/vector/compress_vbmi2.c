/*
 * compress_vbmi2.c — mask to selection with vpcompressw: 32 rows a step.
 *
 * AVX-512 VBMI2 is not part of x86-64-v4, hence a file of its own beside the kernel levels. The
 * result is compressed in a register and stored whole: the memory form of the instruction is
 * microcoded on AMD's cores.
 */
#include "base/vector/compress_vbmi2.h"

#include "base/vector/kernel_level.h"

bool compress_vbmi2_is_used(void)
{
    static int has_vbmi2 = -1; // a constant of the machine: any thread may find it out
    int known = __atomic_load_n(&has_vbmi2, __ATOMIC_RELAXED);
    if (known < 0) {
        known = compress_vbmi2_is_supported();
        __atomic_store_n(&has_vbmi2, known, __ATOMIC_RELAXED);
    }
    return known && kernel_level_current == KERNEL_LEVEL_V4;
}

#ifdef __x86_64__
#include <immintrin.h>

bool compress_vbmi2_is_supported(void)
{
    __builtin_cpu_init();
    return __builtin_cpu_supports("avx512vbmi2") && __builtin_cpu_supports("avx512bw") &&
           __builtin_cpu_supports("avx512vl");
}

__attribute__((target("avx512f,avx512bw,avx512vl,avx512vbmi2,popcnt"))) uint32_t
compress_vbmi2_mask_to_selection(const uint64_t *words, uint32_t row_count, uint16_t *selection)
{
    const __m512i step = _mm512_set1_epi16(32);
    __m512i rows = _mm512_set_epi16(31, 30, 29, 28, 27, 26, 25, 24, 23, 22, 21, 20, 19, 18, 17, 16,
                                    15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0);
    uint32_t count = 0;
    for (uint32_t first = 0; first < row_count; first += 32) {
        uint32_t bits = (uint32_t)(words[first / 64] >> (first & 32));
        if (row_count - first < 32) {
            bits &= (1u << (row_count - first)) - 1;
        }
        _mm512_storeu_si512(selection + count, _mm512_maskz_compress_epi16(bits, rows));
        count += (uint32_t)__builtin_popcount(bits);
        rows = _mm512_add_epi16(rows, step);
    }
    return count;
}

__attribute__((target("avx512f,avx512bw,avx512vl,avx512vbmi2,popcnt"))) void
compress_vbmi2_lanes(const void *source, uint32_t lane_bytes, const uint64_t *words,
                     uint32_t row_count, void *target)
{
    const char *from = source;
    char *to = target;
    const uint32_t step = 64 / lane_bytes; // lanes of a register
    for (uint32_t first = 0; first < row_count; first += step, from += 64) {
        uint64_t bits = words[first / 64] >> (first & 63);
        const uint32_t count = row_count - first < step ? row_count - first : step;
        bits &= count < 64 ? (UINT64_C(1) << count) - 1 : UINT64_MAX;
        const __m512i lanes = _mm512_loadu_si512(from);
        __m512i kept;
        switch (lane_bytes) {
        case 1:
            kept = _mm512_maskz_compress_epi8(bits, lanes);
            break;
        case 2:
            kept = _mm512_maskz_compress_epi16((__mmask32)bits, lanes);
            break;
        case 4:
            kept = _mm512_maskz_compress_epi32((__mmask16)bits, lanes);
            break;
        default:
            kept = _mm512_maskz_compress_epi64((__mmask8)bits, lanes);
            break;
        }
        _mm512_storeu_si512(to, kept);
        to += (uint32_t)__builtin_popcountll(bits) * lane_bytes;
    }
}

#else

void compress_vbmi2_lanes(const void *source, uint32_t lane_bytes, const uint64_t *words,
                          uint32_t row_count, void *target)
{
    (void)source;
    (void)lane_bytes;
    (void)words;
    (void)row_count;
    (void)target;
}

bool compress_vbmi2_is_supported(void)
{
    return false;
}

uint32_t compress_vbmi2_mask_to_selection(const uint64_t *words, uint32_t row_count,
                                          uint16_t *selection)
{
    (void)words;
    (void)row_count;
    (void)selection;
    return 0;
}
#endif
