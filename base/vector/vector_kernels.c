/*
 * vector_kernels.c — see vector_kernels.h. Plain C that compilers vectorise; compiled once per
 * kernel level.
 */
#include "base/vector/vector_kernels.h"

#include <string.h>

#include "base/vector/compress_rows.h"
#include "base/vector/pack_flags.h"

typedef struct Pair {
    uint64_t low, high;
} Pair; /* a lane of 16 bytes */

#define TEMPLATE "base/vector/lane_convert.tmpl.h"
#include "base/vector/for_each_lane_pair.h"

#define CODE_LANES_ONLY
#define TEMPLATE "base/vector/lane_take.tmpl.h"
#include "base/vector/for_each_integer_lane.h"
#undef CODE_LANES_ONLY

#define TEMPLATE "base/vector/lane_min_max.tmpl.h"
#include "base/vector/for_each_integer_lane.h"

static void gather16(const void *source, const uint16_t *rows, uint32_t row_count, void *target)
{
    const Pair *restrict in = source;
    Pair *restrict out = target;
    for (uint32_t i = 0; i < row_count; i++) {
        out[i] = in[rows[i]];
    }
}

static bool rows_are_consecutive(const uint16_t *rows, uint32_t row_count)
{
    const uint16_t first = rows[0];
    if (rows[row_count - 1] != first + row_count - 1) {
        return false; // most selections end here
    }
    uint16_t difference = 0;
    for (uint32_t i = 0; i < row_count; i++) {
        difference |= (uint16_t)(rows[i] ^ (uint16_t)(first + i));
    }
    return difference == 0;
}

static bool rows_are_ascending(const uint16_t *rows, uint32_t row_count)
{
    uint16_t descents = 0;
    for (uint32_t i = 1; i < row_count; i++) {
        descents |= rows[i] < rows[i - 1];
    }
    return descents == 0;
}

static void gather_bits(const uint64_t *bits, const uint16_t *rows, uint32_t row_count,
                        uint64_t *target)
{
    const uint8_t *bytes = (const uint8_t *)bits; // little endian: bit r is bit r % 8 of byte r / 8
    uint8_t flags[64] = {0};
    for (uint32_t first = 0; first < row_count; first += 64) {
        uint32_t count = row_count - first < 64 ? row_count - first : 64;
        const uint16_t *group = rows + first;
        for (uint32_t i = 0; i < count; i++) {
            flags[i] = bytes[group[i] >> 3] >> (group[i] & 7) & 1;
        }
        target[first / 64] = pack_flags(flags);
    }
    if (row_count % 64 != 0) { // the flags behind the last row are those of the group before
        target[row_count / 64] &= (UINT64_C(1) << (row_count % 64)) - 1;
    }
}

static uint32_t count_bits(const uint64_t *words, uint32_t word_count)
{
    uint64_t count = 0;
    for (uint32_t i = 0; i < word_count; i++) {
        count += (uint64_t)__builtin_popcountll(words[i]);
    }
    return (uint32_t)count;
}

static uint32_t mask_to_selection(const uint64_t *words, uint32_t row_count, uint16_t *selection)
{
    uint32_t count = 0;
    for (uint32_t first = 0; first < row_count; first += 64) {
        uint64_t word = words[first / 64];
        if (row_count - first < 64) {
            word &= (UINT64_C(1) << (row_count - first)) - 1;
        }
        count = compress_rows(word, first, row_count, selection, count);
    }
    return count;
}

const VectorKernels KERNEL(vector_kernels) = {
#define LANE_PAIR(IN_LANE, OUT_LANE, in, out) .convert[IN_LANE][OUT_LANE] = convert_##in##_##out,
#include "base/vector/lane_pairs.def"
#undef LANE_PAIR
#define LANE_PAIR(IN_LANE, OUT_LANE, in, out) .gather[IN_LANE][OUT_LANE] = gather_##in##_##out,
#include "base/vector/lane_pairs.def"
#undef LANE_PAIR
#define LANE_PAIR(IN_LANE, OUT_LANE, in, out)                                                      \
    .gather_sparse[IN_LANE][OUT_LANE] = gather_sparse_##in##_##out,
#include "base/vector/lane_pairs.def"
#undef LANE_PAIR
    .gather16 = gather16,
    .take8 = {take8_u8, take8_u16, take8_u32},
    .take16 = {take16_u8, take16_u16, take16_u32},
    .min_max = {min_max_u8, min_max_u16, min_max_u32, min_max_i64},
    .rows_are_consecutive = rows_are_consecutive,
    .rows_are_ascending = rows_are_ascending,
    .gather_bits = gather_bits,
    .count_bits = count_bits,
    .mask_to_selection = mask_to_selection,
};
