/* kernel_level.c — asks the processor once, and keeps the choice. */
#include "base/vector/kernel_level.h"

#include <string.h>

static const char *const level_names[KERNEL_LEVEL_COUNT] = {
    [KERNEL_LEVEL_PORTABLE] = "portable",
    [KERNEL_LEVEL_V2] = "v2",
    [KERNEL_LEVEL_V3] = "v3",
    [KERNEL_LEVEL_V4] = "v4",
};

// Written before threads start and only read afterwards. Kernels that run before anyone has
// selected a level (tests, tools) are correct with the portable one.
KernelLevel kernel_level_current = KERNEL_LEVEL_PORTABLE;

bool kernel_level_is_supported(KernelLevel level)
{
#ifdef __x86_64__
    __builtin_cpu_init();
    switch (level) {
    case KERNEL_LEVEL_PORTABLE:
        return true;
    case KERNEL_LEVEL_V2:
        return __builtin_cpu_supports("sse4.2") && __builtin_cpu_supports("popcnt");
    case KERNEL_LEVEL_V3:
        return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi") &&
               __builtin_cpu_supports("bmi2") && __builtin_cpu_supports("fma");
    case KERNEL_LEVEL_V4:
        return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
               __builtin_cpu_supports("avx512cd") && __builtin_cpu_supports("avx512dq") &&
               __builtin_cpu_supports("avx512vl");
    default:
        return false;
    }
#else
    return level == KERNEL_LEVEL_PORTABLE;
#endif
}

static KernelLevel best_level(void)
{
    KernelLevel level = KERNEL_LEVEL_V4;
    while (!kernel_level_is_supported(level)) {
        level--;
    }
    return level;
}

__attribute__((constructor)) static void kernel_level_start(void)
{
    kernel_level_current = best_level();
}

bool kernel_level_select(const char *name)
{
    if (strcmp(name, "auto") == 0) {
        kernel_level_current = best_level();
        return true;
    }
    for (int level = 0; level < KERNEL_LEVEL_COUNT; level++) {
        if (strcmp(name, level_names[level]) == 0) {
            if (!kernel_level_is_supported((KernelLevel)level)) {
                return false;
            }
            kernel_level_current = (KernelLevel)level;
            return true;
        }
    }
    return false;
}

const char *kernel_level_name(void)
{
    return level_names[kernel_level_current];
}
