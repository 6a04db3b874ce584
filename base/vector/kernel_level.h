/*
 * kernel_level.h — which build of the hot loops runs: portable C, or x86-64-v2, -v3, -v4.
 *
 * Kernel sources (`*_kernels.c`) are compiled once per level (cmake/basalt_kernels.cmake) with
 * KERNEL_LEVEL set to the level's suffix. Each defines one table of functions:
 *
 *     sum_kernels.h          typedef struct SumKernels { ... } SumKernels;
 *                            KERNEL_TABLE(SumKernels, sum_kernels);
 *     sum_kernels.c          const SumKernels KERNEL(sum_kernels) = {.sum_u8 = sum_u8, ...};
 *     sum.c                  KERNEL_TABLE_DEFINE(SumKernels, sum_kernels);
 *                            KERNELS(sum_kernels)->sum_u8(...);
 *
 * Everything else in a kernel source is static. Inline functions of shared headers are safe there
 * only when they are `static inline`: an external one could be kept in its AVX-512 form.
 */
#pragma once
#include <stdbool.h>

typedef enum KernelLevel {
    KERNEL_LEVEL_PORTABLE,
    KERNEL_LEVEL_V2,
    KERNEL_LEVEL_V3,
    KERNEL_LEVEL_V4,
    KERNEL_LEVEL_COUNT
} KernelLevel;

/* Chooses by name: "auto" (the best this processor runs), "portable", "v2", "v3", "v4". False, and
 * nothing changes, when the name is unknown or the processor lacks the level. At start only, before
 * other threads; until then it is "auto". */
bool kernel_level_select(const char *name);
const char *kernel_level_name(void);
bool kernel_level_is_supported(KernelLevel level);

extern KernelLevel kernel_level_current; /* read through KERNELS */

#define KERNEL_JOIN_(name, level) name##_##level
#define KERNEL_JOIN(name, level) KERNEL_JOIN_(name, level)
#define KERNEL(name) KERNEL_JOIN(name, KERNEL_LEVEL)

#ifdef __x86_64__
#define KERNEL_TABLE(Table, name)                                                                  \
    extern const Table name##_portable, name##_v2, name##_v3, name##_v4;                           \
    extern const Table *const name##_by_level[KERNEL_LEVEL_COUNT]
#define KERNEL_TABLE_DEFINE(Table, name)                                                           \
    const Table *const name##_by_level[KERNEL_LEVEL_COUNT] = {&name##_portable, &name##_v2,        \
                                                              &name##_v3, &name##_v4}
#else
#define KERNEL_TABLE(Table, name)                                                                  \
    extern const Table name##_portable;                                                            \
    extern const Table *const name##_by_level[KERNEL_LEVEL_COUNT]
#define KERNEL_TABLE_DEFINE(Table, name)                                                           \
    const Table *const name##_by_level[KERNEL_LEVEL_COUNT] = {&name##_portable, &name##_portable,  \
                                                              &name##_portable, &name##_portable}
#endif
#define KERNELS(name) (name##_by_level[kernel_level_current])
