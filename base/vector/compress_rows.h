/*
 * compress_rows.h — bits to row numbers, for kernel sources: 0b10010 at row 64 gives 65, 68.
 *
 * Always writes whole groups and advances by the number of bits, so there is no branch on data.
 */
#pragma once
#include <stdint.h>
#include <string.h>

#if defined(__AVX512F__) && defined(__AVX512BW__)
#include <immintrin.h>
#endif

/* The positions of the set bits of a byte, as eight bytes, lowest first: [0x12] = 1, 4, 0... */
extern const uint64_t bit_positions[256];

/* Appends first + i for each set bit i of `word` at selection[count]; returns the new count. Writes
 * up to the next multiple of 16 rows behind the last of `row_count`. */
static inline uint32_t compress_rows(uint64_t word, uint32_t first, uint32_t row_count,
                                     uint16_t *selection, uint32_t count)
{
#if defined(__AVX512F__) && defined(__AVX512BW__)
    const __m512i lanes = _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
    for (uint32_t i = 0; i < 64 && first + i < row_count; i += 16) {
        __mmask16 bits = (__mmask16)(word >> i);
        __m512i rows = _mm512_add_epi32(lanes, _mm512_set1_epi32((int)(first + i)));
        __m512i kept = _mm512_maskz_compress_epi32(bits, rows); // in a register: to memory is slow
        _mm256_storeu_si256((__m256i *)(selection + count), _mm512_cvtepi32_epi16(kept));
        count += (uint32_t)__builtin_popcount(bits);
    }
#else
#ifdef __POPCNT__
    enum { FEW = 4 }; // as a rule when a filter lets few rows pass
    if (__builtin_popcountll(word) <= FEW) {
        const uint64_t last = UINT64_C(1) << 63; // so that there always is a bit
        uint64_t left = word;
        for (int j = 0; j < FEW; j++, left &= left - 1) {
            selection[count + (uint32_t)j] =
                (uint16_t)(first + (uint32_t)__builtin_ctzll(left | last));
        }
        return count + (uint32_t)__builtin_popcountll(word);
    }
#endif
    for (uint32_t i = 0; i < 64 && first + i < row_count; i += 8) {
        uint8_t bits = (uint8_t)(word >> i), positions[8];
        uint16_t *target = selection + count;
        const uint16_t base = (uint16_t)(first + i);
        memcpy(positions, &bit_positions[bits], 8);
        for (int j = 0; j < 8; j++) {
            target[j] = (uint16_t)(base + positions[j]);
        }
        count += (uint32_t)__builtin_popcount(bits);
    }
#endif
    return count;
}
