/*
 * predicate_kernels.c — see predicate_kernels.h. Plain C but for packing flags and,
 * with AVX2 or AVX-512, for whole groups of rows.
 */
#include "base/vector/predicate_kernels.h"

#include "base/vector/bloom.h"
#include "base/vector/pack_flags.h"

#if defined(__AVX512BW__) && defined(__AVX512VL__)
#define HAS_GROUP_TESTS
#include "base/vector/group_tests_avx512.h"
#elif !defined(KERNEL_PORTABLE) && defined(__AVX2__)
#define HAS_GROUP_TESTS
#include "base/vector/group_tests_avx2.h"
#endif

#define TEMPLATE "base/vector/lane_predicate.tmpl.h"
#include "base/vector/for_each_integer_lane.h"

#define T float
#define NAME(stem) stem##_f32
#include "base/vector/lane_float_range.tmpl.h"
#undef T
#undef NAME
#define T double
#define NAME(stem) stem##_f64
#include "base/vector/lane_float_range.tmpl.h"
#undef T
#undef NAME

static void equal16(const void *lanes, uint32_t row_count, const uint64_t bound[2],
                    bool is_inverted, uint64_t *words)
{
    const uint64_t *restrict values = lanes;
    const uint64_t low = bound[0], high = bound[1];
    const uint64_t flip = is_inverted ? UINT64_MAX : 0;
    uint8_t flags[64] = {0};
    for (uint32_t row = 0; row < row_count; row += 64, words++) {
        if (*words == 0) {
            continue;
        }
        const uint64_t *group = values + 2 * (size_t)row;
        uint32_t count = row_count - row < 64 ? row_count - row : 64;
        for (uint32_t i = 0; i < count; i++) {
            flags[i] = ((group[2 * i] ^ low) | (group[2 * i + 1] ^ high)) == 0;
        }
        *words &= pack_flags(flags) ^ flip;
    }
}

static void bloom(const uint64_t *hashes, uint32_t row_count, const uint32_t *blocks,
                  uint32_t block_mask, uint64_t *words)
{
    uint8_t flags[64] = {0};
    for (uint32_t row = 0; row < row_count; row += 64, words++) {
        if (*words == 0) {
            continue;
        }
        const uint64_t *group = hashes + row;
#ifdef HAS_GROUP_TESTS
        if (row_count - row >= 64) {
            *words &= test_bloom(group, blocks, block_mask);
            continue;
        }
#endif
        uint32_t count = row_count - row < 64 ? row_count - row : 64;
        for (uint32_t i = 0; i < count; i++) {
            uint64_t hash = group[i];
            uint32_t missing = bloom_bits(hash) & ~blocks[bloom_block(hash, block_mask)];
            flags[i] = missing == 0;
        }
        *words &= pack_flags(flags);
    }
}

const PredicateKernels KERNEL(predicate_kernels) = {
    .range = {range_u8, range_u16, range_u32, range_i64},
    .bitmap = {bitmap_u8, bitmap_u16, bitmap_u32, bitmap_i64},
    .range_f32 = range_f32,
    .range_f64 = range_f64,
    .equal16 = equal16,
    .bloom = bloom,
};
