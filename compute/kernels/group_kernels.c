/* group_kernels.c — compiled once per kernel level. */
#include "compute/kernels/group_kernels.h"

#include <string.h>

typedef uint32_t RunWords __attribute__((vector_size(64)));

#define TEMPLATE "compute/kernels/group.tmpl.h"
#define T uint8_t
#define NAME(stem) stem##_u8
#include TEMPLATE
#include "compute/kernels/group_codes.tmpl.h"
#undef T
#undef NAME
#define T uint16_t
#define NAME(stem) stem##_u16
#include TEMPLATE
#include "compute/kernels/group_codes.tmpl.h"
#undef T
#undef NAME
#define T uint32_t
#define NAME(stem) stem##_u32
#include TEMPLATE
#include "compute/kernels/group_codes.tmpl.h"
#undef T
#undef NAME
#define T int64_t
#define NAME(stem) stem##_i64
#include TEMPLATE
#undef T
#undef NAME

static bool map_groups(const uint32_t *map, const uint32_t *positions, uint32_t count,
                       uint32_t *groups)
{
    uint32_t unknown = 0;
    for (uint32_t i = 0; i < count; i++) {
        uint32_t entry = map[positions[i]];
        unknown |= entry == 0;
        groups[i] = entry - 1;
    }
    return unknown == 0;
}

static void bounds(const int64_t *words, uint32_t count, int64_t *min, int64_t *max)
{
    int64_t low = words[0];
    int64_t high = words[0];
    for (uint32_t i = 0; i < count; i++) {
        low = words[i] < low ? words[i] : low;
        high = words[i] > high ? words[i] : high;
    }
    *min = low;
    *max = high;
}

static uint32_t count_changes(const uint64_t *words, uint32_t count)
{
    uint32_t changes = 0;
    for (uint32_t i = 1; i < count; i++) {
        changes += words[i] != words[i - 1];
    }
    return changes;
}

const GroupKernels KERNEL(group_kernels) = {
    .positions = {positions_u8, positions_u16, positions_u32, positions_i64},
    .code_positions = {code_positions_u8, code_positions_u16, code_positions_u32},
    .map_groups = map_groups,
    .bounds = bounds,
    .count_changes = count_changes,
};
