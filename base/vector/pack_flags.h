/* pack_flags.h — 64 flags of a byte each to a word of bits, for kernel sources. */
#pragma once
#include <stdint.h>
#include <string.h>

#if !defined(KERNEL_PORTABLE) && defined(__x86_64__)
#include <immintrin.h>
#endif

/* Bit i of the result is flags[i], which is 0 or 1. */
static inline uint64_t pack_flags(const uint8_t flags[64])
{
#if !defined(KERNEL_PORTABLE) && defined(__AVX512BW__)
    __m512i bytes = _mm512_loadu_si512(flags);
    return _mm512_test_epi8_mask(bytes, bytes);
#elif !defined(KERNEL_PORTABLE) && defined(__AVX2__)
    __m256i low = _mm256_loadu_si256((const __m256i *)flags);
    __m256i high = _mm256_loadu_si256((const __m256i *)(flags + 32));
    uint32_t low_bits = (uint32_t)_mm256_movemask_epi8(_mm256_slli_epi16(low, 7));
    uint32_t high_bits = (uint32_t)_mm256_movemask_epi8(_mm256_slli_epi16(high, 7));
    return (uint64_t)high_bits << 32 | low_bits;
#elif !defined(KERNEL_PORTABLE) && defined(__SSE2__)
    uint64_t word = 0;
    for (int i = 0; i < 4; i++) {
        __m128i bytes = _mm_loadu_si128((const __m128i *)(flags + 16 * i));
        uint32_t bits = (uint32_t)_mm_movemask_epi8(_mm_slli_epi16(bytes, 7));
        word |= (uint64_t)bits << (16 * i);
    }
    return word;
#else
    uint64_t word = 0;
    for (int i = 0; i < 8; i++) {
        uint64_t bytes;
        memcpy(&bytes, flags + 8 * i, 8);
        // each byte's lowest bit is moved into the top byte, the first one to its bit 0
        word |= (bytes * UINT64_C(0x0102040810204080)) >> 56 << (8 * i);
    }
    return word;
#endif
}
