/* join_kernels.c — compiled once per kernel level. */
#include "compute/kernels/join_kernels.h"

#include "base/types/type.h"
#include "base/vector/compress_rows.h"

#if !defined(KERNEL_PORTABLE) && defined(__AVX2__)
#include "compute/kernels/find_bits_simd.h"
#define HAS_GATHER_BITS
#endif

#define TEMPLATE "compute/kernels/join_positions.tmpl.h"
#define T uint8_t
#define NAME(stem) stem##_u8
#include TEMPLATE
#undef T
#undef NAME
#define T uint16_t
#define NAME(stem) stem##_u16
#include TEMPLATE
#undef T
#undef NAME
#define T uint32_t
#define NAME(stem) stem##_u32
#include TEMPLATE
#undef T
#undef NAME
#define T int64_t
#define NAME(stem) stem##_i64
#include TEMPLATE
#undef T
#undef NAME
#undef TEMPLATE

#define TEMPLATE "compute/kernels/join_gather.tmpl.h"
#define T uint8_t
#define NAME(stem) stem##_1
#include TEMPLATE
#undef T
#undef NAME
#define T uint16_t
#define NAME(stem) stem##_2
#include TEMPLATE
#undef T
#undef NAME
#define T uint32_t
#define NAME(stem) stem##_4
#include TEMPLATE
#undef T
#undef NAME
#define T uint64_t
#define NAME(stem) stem##_8
#include TEMPLATE
#undef T
#undef NAME
#define T Int128
#define NAME(stem) stem##_16
#include TEMPLATE
#undef T
#undef NAME

static uint32_t find_bits(const uint64_t *bitmap, const uint32_t *positions, uint32_t count,
                          uint32_t wanted, uint16_t *hits)
{
    const uint32_t *words =
        (const uint32_t *)bitmap; // little endian: bit p is bit p & 31 of word p / 32
    uint32_t flip = wanted ^ 1;
    uint32_t found = 0;
    uint32_t i = 0;
#ifdef HAS_GATHER_BITS
    for (; i + 64 <= count; i += 64) {
        const uint64_t bits = gather_bits(words, positions + i);
        found = compress_rows(wanted ? bits : ~bits, i, count, hits, found);
    }
#endif
    for (; i < count; i++) {
        uint32_t position = positions[i];
        hits[found] = (uint16_t)i;
        found += ((words[position >> 5] >> (position & 31)) ^ flip) & 1;
    }
    return found;
}

static uint32_t find_heads(const uint32_t *heads, const uint32_t *positions, uint32_t count,
                           uint16_t *hits, uint32_t *found_heads)
{
    uint32_t found = 0;
    for (uint32_t i = 0; i < count; i++) {
        uint32_t head = heads[positions[i]];
        hits[found] = (uint16_t)i;
        found_heads[found] = head;
        found += head != 0;
    }
    return found;
}

#define BY_LANE(stem)                                                                              \
    {                                                                                              \
        stem##_u8, stem##_u16, stem##_u32, stem##_i64                                              \
    }
const JoinKernels KERNEL(join_kernels) = {
    .positions = BY_LANE(positions),
    .add_positions = BY_LANE(add_positions),
    .find_bits = find_bits,
    .find_heads = find_heads,
    .gather = {gather_1, gather_2, gather_4, gather_8, gather_16},
};
