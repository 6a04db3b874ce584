/*
 * group_kernels.h — loops that turn group keys into positions of a dense map, and positions into
 * groups. `rows`: physical rows, null for 0 .. count - 1.
 */
#pragma once
#include "base/vector/kernel_level.h"
#include "base/vector/vector.h"

typedef struct GroupKernels {
    /* By lane U8, U16, U32, I64: positions[i] = ((lane + delta) >> shift) * stride, of the low 32
     * bits; added to what is there when `is_added`. */
    void (*positions[4])(const void *lanes, uint64_t delta, uint32_t shift, uint32_t stride,
                         const uint16_t *rows, uint32_t count, bool is_added, uint32_t *positions);
    /* The same by a table: positions[i] = offsets[code]; by lane U8, U16, U32. */
    void (*code_positions[3])(const void *codes, const uint32_t *offsets, const uint16_t *rows,
                              uint32_t count, bool is_added, uint32_t *positions);
    /* groups[i] = map[positions[i]] - 1; true when every position has a group. */
    bool (*map_groups)(const uint32_t *map, const uint32_t *positions, uint32_t count,
                       uint32_t *groups);
    /* Smallest and largest of `count` >= 1 words. */
    void (*bounds)(const int64_t *words, uint32_t count, int64_t *min, int64_t *max);
    /* How many of i = 1 .. count - 1 differ from their predecessor. */
    uint32_t (*count_changes)(const uint64_t *words, uint32_t count);
} GroupKernels;
KERNEL_TABLE(GroupKernels, group_kernels);
