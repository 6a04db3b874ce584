/* test_interleave.c — z-order over ranks: columns weigh alike, equal values and nulls stay together. */
#include <check.h>

#include "base/vector/vector.h"
#include "storage/interleave.h"
#include "tests/support/check_status.h"

enum { SIDE = 4, ROWS = SIDE * SIDE };

static PagePool *pool;
static MemoryBudget *budget;

static void start(void)
{
    ck_assert_ok(page_pool_create(&pool, (size_t)1 << 30));
    budget = memory_budget_create(pool, NULL, "test", 0);
}

static void stop(void)
{
    memory_budget_destroy(budget);
    page_pool_destroy(pool);
}

static void add(const SortColumn *column, uint32_t index, uint32_t count, uint64_t *codes)
{
    uint32_t order[ROWS];
    for (uint32_t i = 0; i < ROWS; i++) {
        order[i] = i;
    }
    ck_assert_ok(row_sort_by(column, ROWS, budget, order));
    interleave_ranks(column, order, ROWS, index, count, codes);
}

/* A grid of 4 x 4, its columns of very different ranges, row i at (x, y) = (i / 4, i % 4). */
START_TEST(a_grid_is_walked_in_z)
{
    static const uint32_t wanted[ROWS] = {0, 1, 4, 5, 2, 3, 6, 7, 8, 9, 12, 13, 10, 11, 14, 15};
    int64_t x[ROWS];
    double y[ROWS];
    uint64_t codes[ROWS] = {0};
    uint32_t order[ROWS];
    for (uint32_t i = 0; i < ROWS; i++) {
        x[i] = (int64_t)(i / SIDE) - 2;
        y[i] = i % SIDE == 3 ? 1e300 : (double)(i % SIDE);
        order[i] = ROWS - 1 - i;
    }
    add(&(SortColumn){.lane = LANE_I64, .values = x}, 0, 2, codes);
    add(&(SortColumn){.lane = LANE_F64, .values = y}, 1, 2, codes);
    ck_assert_ok(row_sort_by_codes(codes, ROWS, budget, order));
    for (uint32_t i = 0; i < ROWS; i++) {
        ck_assert_uint_eq(order[i], wanted[i]);
    }
}
END_TEST

START_TEST(nulls_are_one_value_and_come_last)
{
    int64_t x[ROWS];
    uint64_t validity[2] = {0x0F0F, 0};
    uint64_t codes[ROWS] = {0};
    for (uint32_t i = 0; i < ROWS; i++) {
        x[i] = i % 3;
    }
    add(&(SortColumn){.lane = LANE_I64, .values = x, .validity = validity}, 0, 1, codes);
    for (uint32_t i = 0; i < ROWS; i++) {
        for (uint32_t k = 0; k < ROWS; k++) {
            const bool has_i = validity_get(validity, i), has_k = validity_get(validity, k);
            const bool is_less = has_i && (!has_k || x[i] < x[k]);
            ck_assert_int_eq(codes[i] < codes[k], is_less);
        }
    }
}
END_TEST

/* Of the most columns there may be, each still has bits of its own. */
START_TEST(eight_columns_fit)
{
    int64_t x[ROWS];
    uint64_t all = 0;
    for (uint32_t i = 0; i < ROWS; i++) {
        x[i] = i;
    }
    for (uint32_t column = 0; column < 8; column++) {
        uint64_t codes[ROWS] = {0};
        add(&(SortColumn){.lane = LANE_I64, .values = x}, column, 8, codes);
        uint64_t own = 0;
        for (uint32_t i = 0; i < ROWS; i++) {
            own |= codes[i];
        }
        ck_assert_uint_eq(all & own, 0);
        ck_assert_uint_eq(own >> 63, 0);
        ck_assert_int_eq(__builtin_popcountll(own), 4); // of 16 rows
        all |= own;
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("interleave");
    TCase *tests = tcase_create("codes");
    tcase_add_checked_fixture(tests, start, stop);
    tcase_add_test(tests, a_grid_is_walked_in_z);
    tcase_add_test(tests, nulls_are_one_value_and_come_last);
    tcase_add_test(tests, eight_columns_fit);
    suite_add_tcase(suite, tests);
    return suite_main(suite);
}
