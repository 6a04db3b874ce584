/* Sorting, top-N, merging receivers and limits: every key type and direction, ties, spilling. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/engine/engine_run.h"
#include "tests/support/engine/made_rows.h"

static Arena *arena;

static void set_up(void)
{
    arena = arena_create(NULL, "test");
}

static void tear_down(void)
{
    arena_destroy(arena);
}

enum { KEYS_MAX = 3 };

typedef struct SortCase {
    MadeType types[KEYS_MAX + 1]; /* the keys, then a payload */
    PlanSortKey keys[KEYS_MAX];
    uint32_t key_count, row_count, distinct, null_every;
    uint64_t limit, offset;
    uint32_t node_count;
    EngineOptions options;
    uint64_t seed;
} SortCase;

static int compare_rows(const SortCase *test, const Value *left, const Value *right)
{
    for (uint32_t k = 0; k < test->key_count; k++) {
        const PlanSortKey *key = &test->keys[k];
        const Value *a = &left[key->column];
        const Value *b = &right[key->column];
        int order = 0;
        if (a->is_null || b->is_null) {
            order = a->is_null && b->is_null ? 0 : a->is_null == key->is_nulls_first ? -1 : 1;
        } else {
            order = value_compare(a, b);
            order = key->is_descending ? -order : order;
        }
        if (order != 0) {
            return order;
        }
    }
    return 0;
}

static EngineResult run_case(const SortCase *test, Rows **input)
{
    uint64_t random = test->seed;
    MadeTables tables = {0};
    PlanMake make = {.arena = arena};
    Type sql_types[KEYS_MAX + 1];
    uint32_t column_count = test->key_count + 1;
    for (uint32_t c = 0; c < column_count; c++) {
        sql_types[c] = made_type(test->types[c]);
    }
    MadeTable *table = made_table_add(&tables, arena, sql_types, column_count);
    made_rows_add(table, test->types, test->row_count, test->distinct, test->null_every, &random);
    PlanSort *sort = make_sort(&make, make_scan(&make, table), test->keys, test->key_count);
    if (test->limit > 0) { // nodes give what any of them may contribute
        sort->limit = test->limit + test->offset;
    }
    Plan *plan = make_plan(&make, &sort->node, test->keys, test->key_count);
    if (test->limit > 0) {
        PlanResult *result = (PlanResult *)plan->fragments[1].root;
        result->child = make_limit(&make, result->child, test->limit, test->offset);
        plan->node_count = make.node_count;
    }
    EngineOptions options = test->options;
    options.node_count = test->node_count;
    options.seed = test->seed + 1;
    *input = table->rows;
    return engine_run(plan, &tables.rows, &options, arena);
}

static void check_case(const SortCase *test)
{
    Rows *input;
    EngineResult result = run_case(test, &input);
    ck_assert_msg(result.failure == NULL, "seed %llu: %s", (unsigned long long)test->seed,
                  result.failure);
    uint64_t offset = test->limit > 0 ? test->offset : 0;
    uint64_t expected = input->count < offset ? 0 : input->count - offset;
    expected = test->limit > 0 && expected > test->limit ? test->limit : expected;
    ck_assert_uint_eq(result.rows->count, expected);
    for (uint32_t i = 1; i < result.rows->count; i++) {
        ck_assert_msg(
            compare_rows(test, result.rows->items[i - 1], result.rows->items[i]) <= 0,
            "seed %llu types %d %d: rows %u and %u are out of order",
            (unsigned long long)test->seed, (int)test->types[0], (int)test->types[1], i - 1, i);
    }
    if (test->limit == 0) {
        ck_assert_str_eq(lines_difference(arena, rows_print(input, false),
                                          rows_print(result.rows, false)),
                         "");
        return;
    }
    // Exactly offset rows, or fewer by ties, come before the first row given.
    uint32_t before = 0;
    uint32_t up_to = 0;
    for (uint32_t i = 0; result.rows->count > 0 && i < input->count; i++) {
        const Value *last = result.rows->items[result.rows->count - 1];
        before += compare_rows(test, input->items[i], result.rows->items[0]) < 0;
        up_to += compare_rows(test, input->items[i], last) <= 0;
    }
    ck_assert_uint_le(before, offset);
    ck_assert_uint_ge(up_to, result.rows->count == 0 ? 0 : offset + result.rows->count);
}

static SortCase make_case(MadeType type, uint32_t variant)
{
    return (SortCase){
        .types = {type, MADE_TEXT, MADE_INTEGER, MADE_TEXT},
        .keys = {{.column = 0, .is_descending = (variant & 1) != 0,
                  .is_nulls_first = (variant & 2) != 0},
                 {.column = 1, .is_descending = (variant & 2) != 0,
                  .is_nulls_first = (variant & 1) != 0},
                 {.column = 2}},
        .key_count = 1 + variant % 3,
        .row_count = 400,
        .distinct = 60,
        .null_every = 8,
        .node_count = 1,
        .seed = (uint64_t)type * 100 + variant,
    };
}

START_TEST(orders_by_every_type)
{
    for (uint32_t variant = 0; variant < 6; variant++) {
        SortCase test = make_case((MadeType)_i, variant);
        check_case(&test);
    }
}
END_TEST

START_TEST(orders_many_rows)
{
    SortCase test = make_case((MadeType)_i, (uint32_t)_i % 3);
    test.row_count = 6000;
    test.distinct = 900;
    test.options.worker_count = 3;
    check_case(&test);
}
END_TEST

START_TEST(orders_with_spilled_runs)
{
    for (uint32_t variant = 0; variant < 3; variant++) {
        SortCase test = make_case((MadeType)_i, variant);
        test.row_count = 1500;
        test.options.force_spill = true;
        test.options.batch_rows = variant == 1 ? 7 : 0;
        check_case(&test);
        Rows *input;
        ck_assert_uint_gt(run_case(&test, &input).spilled_bytes, 0);
    }
}
END_TEST

START_TEST(merges_the_orders_of_nodes)
{
    SortCase test = make_case((MadeType)_i, (uint32_t)_i % 3);
    test.node_count = 3;
    test.options.batch_rows = 50;
    check_case(&test);
    test.options.exchange_encode = true;
    check_case(&test);
}
END_TEST

START_TEST(keeps_the_first_rows)
{
    static const uint64_t limits[][2] = {{1, 0}, {10, 0}, {10, 5}, {1000, 0}, {5, 395}, {5, 500}};
    for (uint32_t i = 0; i < 6; i++) {
        SortCase test = make_case((MadeType)_i, i);
        test.limit = limits[i][0];
        test.offset = limits[i][1];
        test.node_count = 1 + i % 2;
        check_case(&test);
    }
}
END_TEST

START_TEST(prunes_while_it_gathers)
{
    SortCase test = make_case((MadeType)_i, (uint32_t)_i % 3);
    test.row_count = 30000;
    test.distinct = 25000;
    test.limit = 20;
    test.options.is_plain = true;
    test.options.morsel_rows = 5000;
    check_case(&test);
}
END_TEST

START_TEST(keeps_no_rows_for_limit_zero)
{
    uint64_t random = 1;
    MadeTables tables = {0};
    PlanMake make = {.arena = arena};
    Type types[1] = {type_of(TYPE_INTEGER)};
    MadeType made[1] = {MADE_INTEGER};
    MadeTable *table = made_table_add(&tables, arena, types, 1);
    made_rows_add(table, made, 50, 10, 0, &random);
    PlanSortKey key = {.column = 0};
    PlanSort *sort = make_sort(&make, make_scan(&make, table), &key, 1);
    sort->limit = 0;
    EngineOptions options = {0};
    EngineResult result =
        engine_run(make_plan(&make, &sort->node, NULL, 0), &tables.rows, &options, arena);
    ck_assert_ptr_null(result.failure);
    ck_assert_uint_eq(result.rows->count, 0);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("sort");
    TCase *tcase = tcase_create("sort");
    tcase_set_timeout(tcase, 300);
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_add_loop_test(tcase, orders_by_every_type, 0, MADE_TYPE_COUNT);
    tcase_add_loop_test(tcase, orders_many_rows, 0, MADE_TYPE_COUNT);
    tcase_add_loop_test(tcase, orders_with_spilled_runs, 0, MADE_TYPE_COUNT);
    tcase_add_loop_test(tcase, merges_the_orders_of_nodes, 0, MADE_TYPE_COUNT);
    tcase_add_loop_test(tcase, keeps_the_first_rows, 0, MADE_TYPE_COUNT);
    tcase_add_loop_test(tcase, prunes_while_it_gathers, 0, MADE_TYPE_COUNT);
    tcase_add_test(tcase, keeps_no_rows_for_limit_zero);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
