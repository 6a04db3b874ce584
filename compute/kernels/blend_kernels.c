/* blend_kernels.c — see blend_kernels.h. */
#include "compute/kernels/blend_kernels.h"

#include <string.h>

#if !defined(KERNEL_PORTABLE) && defined(__AVX512BW__)
#include <immintrin.h>
#endif

#define TEMPLATE "compute/kernels/blend.tmpl.h"
#include "base/vector/for_each_lane_pair.h"

#define TEMPLATE "compute/kernels/fill.tmpl.h"
#include "base/vector/for_each_integer_lane.h"

static void words_to_lanes(const uint64_t *words, uint32_t row_count, uint8_t *lanes)
{
    for (uint32_t row = 0; row < row_count; row += 64) {
        uint64_t word = words[row / 64];
#if !defined(KERNEL_PORTABLE) && defined(__AVX512BW__)
        _mm512_storeu_si512(lanes + row, _mm512_maskz_set1_epi8(word, 1));
#else
        for (uint32_t i = 0; i < 64; i += 8) {
            // eight bits are spread to eight bytes: copies of the byte, each masked with its bit
            uint64_t copies = (word >> i & 0xff) * UINT64_C(0x0101010101010101);
            uint64_t bits = copies & UINT64_C(0x8040201008040201);
            uint64_t flags = (bits + UINT64_C(0x7f7f7f7f7f7f7f7f)) >> 7 & 0x0101010101010101;
            memcpy(lanes + row + i, &flags, 8);
        }
#endif
    }
}

const BlendKernels KERNEL(blend_kernels) = {
#define LANE_PAIR(IN_LANE, OUT_LANE, in, out) .blend[IN_LANE][OUT_LANE] = blend_##in##_##out,
#include "base/vector/lane_pairs.def"
#undef LANE_PAIR
    .fill = {fill_u8, fill_u16, fill_u32, fill_i64},
    .words_to_lanes = words_to_lanes,
};
