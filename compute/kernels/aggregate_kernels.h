/*
 * aggregate_kernels.h — loops that add lanes to accumulators, by lane and by group.
 *
 * `rows`: physical rows, null for 0 .. count - 1. `groups[i]` is the group of the i-th row. Sums
 * are of the lanes alone: who calls adds base * count. The caller has made sure that nothing
 * overflows.
 */
#pragma once
#include "base/vector/kernel_level.h"
#include "base/vector/vector.h"

#define AGGREGATE_FEW_GROUPS 64   /* sum_few and count_few */
#define AGGREGATE_MASKED_GROUPS 8 /* sum_masked and count_masked: a pass per group */

typedef struct AggregateKernels {
    /* By lane U8, U16, U32, I64: */
    int64_t (*sum_all[4])(const void *lanes, const uint16_t *rows, uint32_t count);
    /* Of the rows below `count` whose bits are set, nearly all of them. */
    int64_t (*sum_kept[4])(const void *lanes, const uint64_t *words, uint32_t count);
    void (*sum_groups[4])(const void *lanes, int64_t base, const uint16_t *rows,
                          const uint32_t *groups, uint32_t count, int64_t *sums);
    /* Few groups: several accumulators per group break the chain from one row to the next. */
    void (*sum_few[4])(const void *lanes, const uint16_t *rows, const uint32_t *groups,
                       uint32_t count, uint32_t group_count, int64_t *sums);
    /* Very few groups, all rows from 0 on: rows of group_count or above are in none. With
     * `is_small` the sum of `count` lanes fits 32 bits. U8, U16, U32. */
    void (*sum_masked[3])(const void *lanes, const uint32_t *groups, uint32_t count,
                          uint32_t group_count, bool is_small, int64_t *sums);
    void (*min_max_all[4])(const void *lanes, const uint16_t *rows, uint32_t count, int64_t *min,
                           int64_t *max); /* of the lanes, count >= 1 */
    void (*min_groups[4])(const void *lanes, int64_t base, const uint16_t *rows,
                          const uint32_t *groups, uint32_t count, int64_t *values);
    void (*max_groups[4])(const void *lanes, int64_t base, const uint16_t *rows,
                          const uint32_t *groups, uint32_t count, int64_t *values);
    void (*count_groups)(const uint32_t *groups, uint32_t count, int64_t *counts);
    void (*count_masked)(const uint32_t *groups, uint32_t count, uint32_t group_count,
                         int64_t *counts);
    void (*count_few)(const uint32_t *groups, uint32_t count, uint32_t group_count,
                      int64_t *counts);
} AggregateKernels;
KERNEL_TABLE(AggregateKernels, aggregate_kernels);
