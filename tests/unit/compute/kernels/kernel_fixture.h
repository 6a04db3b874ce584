/* kernel_fixture.h — for suites of kernels: every level, every lane, odd row counts. */
#pragma once
#include <check.h>
#include <string.h>

#include "base/clock.h"
#include "base/types/type.h"
#include "base/vector/kernel_level.h"

#define UNUSED __attribute__((unused))
#define ROWS_MAX 1024

static const char *const kernel_levels[] = {"portable", "v2", "v3", "v4"};
#define KERNEL_LEVELS 4
UNUSED static const uint32_t row_counts[] = {1, 2, 63, 64, 65, 100, 1000, 1024};
#define ROW_COUNTS 8
#define LANES_BYTES (ROWS_MAX * 16 + 64)

static Random test_random;

/* Selects level `i` of the loop test; false when this processor lacks it. */
UNUSED static bool fixture_level(int i)
{
    random_seed(&test_random, 42);
    return kernel_level_select(kernel_levels[i]);
}

UNUSED static uint64_t lane_read(const void *lanes, uint32_t lane, uint32_t row)
{
    switch (lane) {
    case LANE_U8:
        return ((const uint8_t *)lanes)[row];
    case LANE_U16:
        return ((const uint16_t *)lanes)[row];
    case LANE_U32:
        return ((const uint32_t *)lanes)[row];
    default:
        return ((const uint64_t *)lanes)[row];
    }
}

UNUSED static uint64_t lane_mask(uint32_t lane)
{
    return lane == LANE_I64 ? UINT64_MAX : (UINT64_C(1) << (8u << lane)) - 1;
}

UNUSED static void lanes_randomise(void *lanes)
{
    for (size_t i = 0; i < LANES_BYTES / 8; i++) {
        ((uint64_t *)lanes)[i] = random_next(&test_random);
    }
}

UNUSED static int fixture_run(const char *name, TCase *tcase)
{
    Suite *suite = suite_create(name);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
