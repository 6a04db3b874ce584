/* aggregate_kernels.c — one loop per lane; compiled once per kernel level. */
#include "compute/kernels/aggregate_kernels.h"

#if !defined(KERNEL_PORTABLE) && defined(__AVX512BW__)
#include "compute/kernels/sum_kept_avx512.h"
#define HAS_SUM_KEPT
#endif

#define TEMPLATE "compute/kernels/aggregate.tmpl.h"
#define T uint8_t
#define NAME(stem) stem##_u8
#include TEMPLATE
#ifndef HAS_SUM_KEPT
#include "compute/kernels/sum_kept.tmpl.h"
#endif
#include "compute/kernels/aggregate_masked.tmpl.h"
#undef T
#undef NAME
#define T uint16_t
#define NAME(stem) stem##_u16
#include TEMPLATE
#ifndef HAS_SUM_KEPT
#include "compute/kernels/sum_kept.tmpl.h"
#endif
#include "compute/kernels/aggregate_masked.tmpl.h"
#undef T
#undef NAME
#define T uint32_t
#define NAME(stem) stem##_u32
#include TEMPLATE
#ifndef HAS_SUM_KEPT
#include "compute/kernels/sum_kept.tmpl.h"
#endif
#include "compute/kernels/aggregate_masked.tmpl.h"
#undef T
#undef NAME
#define T int64_t
#define NAME(stem) stem##_i64
#include TEMPLATE
#ifndef HAS_SUM_KEPT
#include "compute/kernels/sum_kept.tmpl.h"
#endif
#undef T
#undef NAME

static void count_groups(const uint32_t *groups, uint32_t count, int64_t *counts)
{
    for (uint32_t i = 0; i < count; i++) {
        counts[groups[i]]++;
    }
}

static void count_few(const uint32_t *groups, uint32_t count, uint32_t group_count, int64_t *counts)
{
    uint32_t parts[4][AGGREGATE_FEW_GROUPS];
    for (uint32_t p = 0; p < 4; p++) {
        for (uint32_t g = 0; g < group_count; g++) {
            parts[p][g] = 0;
        }
    }
    uint32_t i = 0;
    for (; i + 4 <= count; i += 4) {
        parts[0][groups[i]]++;
        parts[1][groups[i + 1]]++;
        parts[2][groups[i + 2]]++;
        parts[3][groups[i + 3]]++;
    }
    for (; i < count; i++) {
        parts[0][groups[i]]++;
    }
    for (uint32_t g = 0; g < group_count; g++) {
        counts[g] += (int64_t)(parts[0][g] + parts[1][g]) + (int64_t)(parts[2][g] + parts[3][g]);
    }
}

static void count_masked(const uint32_t *groups, uint32_t count, uint32_t group_count,
                         int64_t *counts)
{
    for (uint32_t g = 0; g < group_count; g++) {
        uint32_t found = 0;
        for (uint32_t i = 0; i < count; i++) {
            found += groups[i] == g;
        }
        counts[g] += found;
    }
}

// Not for I64 lanes: a pass per group over wide lanes is slower than sum_few.
#define BY_LANE(stem)                                                                              \
    {                                                                                              \
        stem##_u8, stem##_u16, stem##_u32, stem##_i64                                              \
    }
const AggregateKernels KERNEL(aggregate_kernels) = {
    .sum_all = BY_LANE(sum_all),
    .sum_kept = BY_LANE(sum_kept),
    .sum_groups = BY_LANE(sum_groups),
    .sum_few = BY_LANE(sum_few),
    .sum_masked = {sum_masked_u8, sum_masked_u16, sum_masked_u32},
    .min_max_all = BY_LANE(min_max_all),
    .min_groups = BY_LANE(min_groups),
    .max_groups = BY_LANE(max_groups),
    .count_groups = count_groups,
    .count_few = count_few,
    .count_masked = count_masked,
};
