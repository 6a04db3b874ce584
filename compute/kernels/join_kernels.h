/*
 * join_kernels.h — loops that turn keys into positions and look positions up, many at a time.
 *
 * Positions count from the build side's smallest key, which has 1; a key outside its range has
 * position 0, at which nothing lies. `rows`: physical rows, null for 0 .. count - 1.
 */
#pragma once
#include "base/vector/kernel_level.h"
#include "base/vector/vector.h"

typedef struct JoinKernels {
    /* By lane U8, U16, U32, I64: positions[i] = ((lane + delta) >> shift) + 1 when lane + delta <
     * range, else 0. */
    void (*positions[4])(const void *lanes, uint64_t delta, uint64_t range, uint32_t shift,
                         const uint16_t *rows, uint32_t count, uint32_t *positions);
    /* The same for one more key: adds ((lane + delta) >> shift) * stride. */
    void (*add_positions[4])(const void *lanes, uint64_t delta, uint64_t range, uint32_t shift,
                             uint32_t stride, const uint16_t *rows, uint32_t count,
                             uint32_t *positions);
    /* Lists the i whose bit is `wanted` (0 or 1); returns how many. */
    uint32_t (*find_bits)(const uint64_t *bitmap, const uint32_t *positions, uint32_t count,
                          uint32_t wanted, uint16_t *hits);
    /* Lists the i whose head is not 0, and the heads. */
    uint32_t (*find_heads)(const uint32_t *heads, const uint32_t *positions, uint32_t count,
                           uint16_t *hits, uint32_t *found);
    /* out[targets[i]] = column[positions[i]], or out[i] when targets is null; by lane bytes 1, 2,
     * 4, 8, 16 (index 0..4). */
    void (*gather[5])(const void *column, const uint32_t *positions, const uint16_t *targets,
                      uint32_t count, void *out);
} JoinKernels;
KERNEL_TABLE(JoinKernels, join_kernels);
