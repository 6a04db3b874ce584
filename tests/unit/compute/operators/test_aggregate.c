/*
 * Groups and aggregates against an interpreter: key types, NULLs, DISTINCT, FILTER, merging of
 * workers' parts, spilling, wide sums. A failure names its seed.
 */
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

enum { VALUE_COLUMNS = 6, KEYS_MAX = 3, CALLS_MAX = 24 };

typedef struct AggregateCase {
    MadeType keys[KEYS_MAX];
    uint32_t key_count, row_count, distinct, null_every;
    bool has_distinct, has_filter;
    double estimated_groups;
    bool has_key_bounds;
    int64_t key_min, key_max;
    bool is_key_local; /* its lowest options.known_key_bits follow from the rest */
    EngineOptions options;
    uint64_t seed;
} AggregateCase;

static const MadeType value_types[VALUE_COLUMNS] = {MADE_INTEGER, MADE_DECIMAL, MADE_DOUBLE,
                                                    MADE_TEXT,    MADE_BOOLEAN, MADE_WIDE_DECIMAL};

static AggregateCall make_call(AggregateId id, Expr *argument, Type type)
{
    return (AggregateCall){.id = id, .argument = argument, .type = type};
}

static Type sum_type(Type type)
{
    return type_is_integer(type) ? type_of(TYPE_BIGINT)
           : type_is_float(type) ? type_of(TYPE_DOUBLE)
                                 : type_decimal(38, type.scale);
}

static uint32_t make_calls(const AggregateCase *test, PlanMake *make, const PlanNode *scan,
                           AggregateCall *calls)
{
    uint32_t count = 0;
    uint32_t first = test->key_count;
    calls[count++] = make_call(AGGREGATE_COUNT_STAR, NULL, type_of(TYPE_BIGINT));
    for (uint32_t v = 0; v < VALUE_COLUMNS; v++) {
        Expr *column = make_column(make, scan, first + v);
        calls[count++] = make_call(AGGREGATE_COUNT, column, type_of(TYPE_BIGINT));
        if (type_is_numeric(column->type)) {
            calls[count++] = make_call(AGGREGATE_SUM, column, sum_type(column->type));
        }
        calls[count++] = make_call(AGGREGATE_MIN, column, column->type);
        calls[count++] = make_call(AGGREGATE_MAX, column, column->type);
    }
    Expr *truth = make_column(make, scan, first + 4);
    calls[count++] = make_call(AGGREGATE_BOOL_AND, truth, truth->type);
    if (test->has_filter) {
        calls[2].filter = truth;
        calls[3].filter = truth;
        calls[5].filter = truth;
    }
    if (test->has_distinct) {
        calls[1].is_distinct = true;
        calls[2].is_distinct = true;
        calls[13].is_distinct = true; // count(distinct text)
    }
    return count;
}

static EngineResult run_case(const AggregateCase *test, const char **expected, const char **actual)
{
    uint64_t random = test->seed;
    MadeTables tables = {0};
    PlanMake make = {.arena = arena};
    MadeType types[KEYS_MAX + VALUE_COLUMNS];
    Type sql_types[KEYS_MAX + VALUE_COLUMNS];
    uint32_t column_count = test->key_count + VALUE_COLUMNS;
    for (uint32_t c = 0; c < column_count; c++) {
        types[c] = c < test->key_count ? test->keys[c] : value_types[c - test->key_count];
        sql_types[c] = made_type(types[c]);
    }
    MadeTable *table = made_table_add(&tables, arena, sql_types, column_count);
    made_rows_add(table, types, test->row_count, test->distinct, test->null_every, &random);
    if (test->is_key_local) {
        made_rows_fix_low_bits(table, 0, test->options.known_key_bits);
    }
    PlanNode *scan = make_scan(&make, table);
    AggregateCall calls[CALLS_MAX];
    uint32_t call_count = make_calls(test, &make, scan, calls);
    static const uint32_t keys[KEYS_MAX] = {0, 1, 2};
    PlanAggregate *aggregate =
        make_aggregate(&make, scan, keys, test->key_count, calls, call_count);
    aggregate->estimated_groups = test->estimated_groups;
    aggregate->has_key_bounds = test->has_key_bounds;
    aggregate->key_min = test->key_min;
    aggregate->key_max = test->key_max;
    aggregate->is_key_local = test->is_key_local;
    Plan *plan = make_plan(&make, &aggregate->node, NULL, 0);
    PlanRunResult reference = plan_run(plan, &tables.rows, 1, arena);
    EngineOptions options = test->options;
    options.seed = test->seed * 31 + 7;
    EngineResult result = engine_run(plan, &tables.rows, &options, arena);
    rows_canonical(reference.rows);
    rows_canonical(result.rows);
    *expected = reference.failure != NULL ? reference.failure : rows_print(reference.rows, false);
    *actual = result.failure != NULL ? result.failure : rows_print(result.rows, false);
    return result;
}

static void check_case(const AggregateCase *test)
{
    const char *expected;
    const char *actual;
    EngineResult result = run_case(test, &expected, &actual);
    if (strcmp(expected, actual) != 0) {
        ck_abort_msg("seed %llu keys %u(%d,%d) distinct %d filter %d variant %s: %s",
                     (unsigned long long)test->seed, test->key_count, (int)test->keys[0],
                     (int)test->keys[1], test->has_distinct, test->has_filter,
                     engine_variant(&result, 2), lines_difference(arena, expected, actual));
    }
}

START_TEST(matches_for_every_key_type)
{
    for (uint32_t round = 0; round < 6; round++) {
        AggregateCase test = {
            .keys = {(MadeType)_i, MADE_INTEGER, MADE_SHORT_TEXT},
            .key_count = 1 + round % 3,
            .row_count = 300,
            .distinct = round < 3 ? 12 : 200,
            .null_every = (round & 1) != 0 ? 7 : 0,
            .has_distinct = round >= 2,
            .has_filter = round % 2 == 0,
            .seed = (uint64_t)_i * 100 + round,
        };
        check_case(&test);
    }
}
END_TEST

START_TEST(matches_without_keys)
{
    for (uint64_t seed = 0; seed < 10; seed++) {
        AggregateCase test = {
            .row_count = seed == 0 ? 0 : (uint32_t)seed * 40,
            .distinct = 30,
            .null_every = seed % 3 == 0 ? 2 : 0,
            .has_distinct = (seed & 1) != 0,
            .has_filter = (seed & 2) != 0,
            .options = {.worker_count = 3, .batch_rows = seed > 5 ? 3 : 0},
            .seed = seed,
        };
        check_case(&test);
    }
}
END_TEST

START_TEST(matches_with_tiny_batches)
{
    AggregateCase test = {
        .keys = {(MadeType)_i, MADE_TEXT},
        .key_count = 1 + (uint32_t)_i % 2,
        .row_count = 200,
        .distinct = 20,
        .null_every = 9,
        .has_distinct = true,
        .has_filter = true,
        .options = {.worker_count = 3, .batch_rows = 3, .morsel_rows = 11},
        .seed = 1000 + (uint64_t)_i,
    };
    check_case(&test);
}
END_TEST

START_TEST(matches_when_spilling)
{
    for (uint32_t round = 0; round < 4; round++) {
        AggregateCase test = {
            .keys = {(MadeType)_i, MADE_INTEGER},
            .key_count = 1 + (round & 1),
            .row_count = 900,
            .distinct = 2000,
            .null_every = 9,
            .has_distinct = round >= 2,
            .has_filter = true,
            .options = {.force_spill = true, .worker_count = 2},
            .seed = 2000 + (uint64_t)_i * 10 + round,
        };
        const char *expected;
        const char *actual;
        EngineResult result = run_case(&test, &expected, &actual);
        ck_assert_msg(strcmp(expected, actual) == 0, "type %d round %u: %s", _i, round,
                      lines_difference(arena, expected, actual));
        if ((MadeType)_i != MADE_BOOLEAN && (MadeType)_i != MADE_INTERVAL && round % 2 == 1) {
            ck_assert_uint_gt(result.spilled_bytes, 0);
        }
    }
}
END_TEST

static void check_variant(MadeType key, uint32_t key_count, uint32_t distinct, double estimate,
                          const char *variant)
{
    AggregateCase test = {.keys = {key, key},
                          .key_count = key_count,
                          .row_count = 400,
                          .distinct = distinct,
                          .estimated_groups = estimate,
                          .seed = 4};
    const char *expected;
    const char *actual;
    EngineResult result = run_case(&test, &expected, &actual);
    ck_assert_str_eq(lines_difference(arena, expected, actual), "");
    ck_assert_str_eq(engine_variant(&result, 2), variant);
}

START_TEST(chooses_the_index_by_keys)
{
    check_variant(MADE_INTEGER, 2, 30, 0, "dense");
    check_variant(MADE_SHORT_TEXT, 1, 3, 0, "dense");
    check_variant(MADE_BIGINT, 1, 400000, 0, "hash words");
    check_variant(MADE_BIGINT, 1, 400000, 100000, "dense");
    check_variant(MADE_SPARSE_BIGINT, 1, 30, 0, "hash words");
    check_variant(MADE_TEXT, 1, 30, 0, "dense");
    check_variant(MADE_BIGINT, 2, 400000, 0, "hash packed");
    check_variant(MADE_SPARSE_BIGINT, 2, 30, 0, "hash words");
    check_variant(MADE_DOUBLE, 1, 30, 0, "hash rows");
}
END_TEST

// Texts are numbered while there are few: tables turn to packed rows midway, each worker's at
// another time, and meet tables that have not.
START_TEST(texts_become_rows_when_there_are_many)
{
    static const MadeType others[] = {MADE_INTEGER, MADE_SPARSE_BIGINT, MADE_TEXT, MADE_SHORT_TEXT};
    uint32_t turned = 0;
    for (uint32_t round = 0; round < 6; round++) {
        AggregateCase test = {
            .keys = {MADE_TEXT, others[round % 4], MADE_DATE},
            .key_count = 1 + round % 3,
            .row_count = 5500,
            .distinct = 50000,
            .null_every = round % 3 == 0 ? 11 : 0,
            .has_distinct = round % 4 == 3,
            .options = {.worker_count = 1 + round % 4, .force_spill = round % 5 == 4},
            .seed = 7000 + round,
        };
        const char *expected;
        const char *actual;
        EngineResult result = run_case(&test, &expected, &actual);
        ck_assert_msg(strcmp(expected, actual) == 0, "round %u: %s", round,
                      lines_difference(arena, expected, actual));
        turned += strcmp(engine_variant(&result, 2), "hash rows") == 0;
    }
    ck_assert_uint_gt(turned, 2); // the form in which texts come decides
}
END_TEST

// Ranges of several keys grow in either direction until a word no longer holds them.
START_TEST(packs_words_of_several_keys)
{
    static const MadeType types[] = {MADE_BIGINT,    MADE_INTEGER,    MADE_DATE,
                                     MADE_TIMESTAMP, MADE_SHORT_TEXT, MADE_DECIMAL};
    for (uint32_t round = 0; round < 36; round++) {
        AggregateCase test = {
            .keys = {types[round % 6], types[round / 6], MADE_BOOLEAN},
            .key_count = 2 + round % 2,
            .row_count = 500,
            .distinct = round % 5 == 0 ? 40 : 3000000,
            .null_every = round % 4 == 0 ? 13 : 0,
            .has_distinct = round % 7 == 6,
            .options = {.worker_count = 1 + round % 3, .force_spill = round % 6 == 5},
            .seed = 8000 + round,
        };
        check_case(&test);
    }
}
END_TEST

// Right ones, ones that are passed on either side, of other keys and of all numbers.
START_TEST(bounds_of_keys_are_hints)
{
    static const int64_t bounds[][2] = {
        {-400000, 400000}, {0, 399999},      {100, 200000},
        {-90000, 300000},  {700000, 800000}, {7, 7},
        {INT64_MIN, 0},    {0, INT64_MAX},   {INT64_MIN, INT64_MAX}};
    for (size_t i = 0; i < sizeof bounds / sizeof *bounds; i++) {
        AggregateCase test = {.keys = {MADE_BIGINT},
                              .key_count = 1,
                              .row_count = 4000,
                              .distinct = 400000,
                              .null_every = 50,
                              .estimated_groups = 100000,
                              .has_key_bounds = true,
                              .key_min = bounds[i][0],
                              .key_max = bounds[i][1],
                              .options = {.worker_count = 2},
                              .seed = 90 + i};
        const char *expected;
        const char *actual;
        EngineResult result = run_case(&test, &expected, &actual);
        ck_assert_msg(strcmp(expected, actual) == 0, "bounds %zu: %s", i,
                      lines_difference(arena, expected, actual));
        ck_assert_str_eq(engine_variant(&result, 2), "dense");
    }
}
END_TEST

// Arrays over what the node does not know of a key: grown, taken whole, merged by range, closed.
START_TEST(groups_when_low_bits_follow_from_the_others)
{
    static const uint32_t distinct[] = {50, 3000, 200000, 4000000};
    for (uint32_t round = 0; round < 16; round++) {
        const uint32_t bits = 1 + round % 3;
        const uint32_t keys = distinct[round / 2 % 4];
        AggregateCase test = {.keys = {round % 2 == 0 ? MADE_BIGINT : MADE_INTEGER},
                              .key_count = 1,
                              .row_count = round % 8 == 0 ? 30000 : 3000,
                              .distinct = keys,
                              .null_every = round % 3 == 0 ? 40 : 0,
                              .estimated_groups = round % 4 < 3 ? 100000 : 0,
                              .has_key_bounds = round % 5 < 2,
                              .key_min = 3,
                              .key_max = (int64_t)keys << bits,
                              .is_key_local = true,
                              .options = {.known_key_bits = bits, .worker_count = 1 + round % 4},
                              .seed = 3000 + round};
        check_case(&test);
    }
}
END_TEST

// Many groups in several parts: merged by partition of the hash, or by ranges of the key.
START_TEST(merges_many_groups_by_partition)
{
    static const struct {
        MadeType type;
        bool has_distinct, is_dense;
    } cases[] = {{MADE_BIGINT, true, false},  {MADE_SPARSE_BIGINT, true, false},
                 {MADE_TEXT, true, false},    {MADE_BIGINT, true, true},
                 {MADE_BIGINT, false, false}, {MADE_BIGINT, false, true},
                 {MADE_INTEGER, false, true}};
    enum { CASE_COUNT = sizeof(cases) / sizeof(*cases) };
    ck_assert_int_lt(_i, CASE_COUNT);
    uint64_t random = (uint64_t)_i + 5;
    MadeTables tables = {0};
    PlanMake make = {.arena = arena};
    Type sql_types[2] = {made_type(cases[_i].type), type_of(TYPE_BIGINT)};
    MadeType made[2] = {cases[_i].type, MADE_BIGINT};
    MadeTable *table = made_table_add(&tables, arena, sql_types, 2);
    enum { ROWS = 40000, DISTINCT = 1000000 };
    made_rows_add(table, made, ROWS, DISTINCT, 3, &random);
    PlanNode *scan = make_scan(&make, table);
    static const uint32_t keys[] = {0};
    AggregateCall calls[2] = {
        make_call(AGGREGATE_COUNT_STAR, NULL, type_of(TYPE_BIGINT)),
        make_call(AGGREGATE_COUNT, make_column(&make, scan, 1), type_of(TYPE_BIGINT)),
    };
    calls[1].is_distinct = cases[_i].has_distinct;
    PlanAggregate *inner = make_aggregate(&make, scan, keys, 1, calls, 2);
    inner->estimated_groups = cases[_i].is_dense ? DISTINCT : 0;
    // Sums over all groups say whether every row was counted once.
    AggregateCall totals[3] = {
        make_call(AGGREGATE_COUNT_STAR, NULL, type_of(TYPE_BIGINT)),
        make_call(AGGREGATE_SUM, make_column(&make, &inner->node, 1), type_decimal(38, 0)),
        make_call(AGGREGATE_SUM, make_column(&make, &inner->node, 2), type_decimal(38, 0)),
    };
    PlanAggregate *outer = make_aggregate(&make, &inner->node, NULL, 0, totals, 3);
    Plan *plan = make_plan(&make, &outer->node, NULL, 0);
    int64_t answers[2][3];
    for (uint32_t workers = 1; workers <= 4; workers += 3) {
        EngineOptions options = {.worker_count = workers, .morsel_rows = 500, .is_plain = true};
        EngineResult result = engine_run(plan, &tables.rows, &options, arena);
        ck_assert_msg(result.failure == NULL, "%s", result.failure);
        for (uint32_t c = 0; c < 3; c++) {
            const Value *value = &result.rows->items[0][c];
            answers[workers / 4][c] = c == 0 ? value->i64 : (int64_t)value->i128;
        }
        bool is_dense = strcmp(engine_variant(&result, inner->node.id), "dense") == 0;
        ck_assert_int_eq(is_dense, cases[_i].is_dense);
    }
    ck_assert_int_eq(answers[0][1], ROWS);
    ck_assert_int_gt(answers[0][0], ROWS / 2);
    for (uint32_t c = 0; c < 3; c++) {
        ck_assert_int_eq(answers[0][c], answers[1][c]);
    }
}
END_TEST

START_TEST(reports_sums_that_do_not_fit)
{
    MadeTables tables = {0};
    PlanMake make = {.arena = arena};
    Type types[1] = {type_of(TYPE_BIGINT)};
    MadeTable *table = made_table_add(&tables, arena, types, 1);
    for (int i = 0; i < 3; i++) {
        rows_add(table->rows)[0] = value_int64(types[0], INT64_MAX / 2);
    }
    PlanNode *scan = make_scan(&make, table);
    bool fits = _i == 1;
    AggregateCall call = make_call(AGGREGATE_SUM, make_column(&make, scan, 0),
                                   fits ? type_decimal(38, 0) : type_of(TYPE_BIGINT));
    PlanAggregate *aggregate = make_aggregate(&make, scan, NULL, 0, &call, 1);
    Plan *plan = make_plan(&make, &aggregate->node, NULL, 0);
    EngineOptions options = {0};
    EngineResult result = engine_run(plan, &tables.rows, &options, arena);
    if (fits) {
        ck_assert_ptr_null(result.failure);
        ck_assert_str_eq(rows_print(result.rows, true), "13835058055282163709\n");
    } else {
        ck_assert_ptr_nonnull(result.failure);
        ck_assert_int_eq(result.sqlstate, SQLSTATE_NUMERIC_VALUE_OUT_OF_RANGE);
    }
}
END_TEST

START_TEST(takes_a_single_value_only_once)
{
    for (uint32_t rows = 0; rows < 3; rows++) {
        MadeTables tables = {0};
        PlanMake make = {.arena = arena};
        Type types[1] = {type_varchar(40)};
        MadeTable *table = made_table_add(&tables, arena, types, 1);
        static const char text[] = "a text of more than twelve bytes";
        for (uint32_t i = 0; i < rows; i++) {
            rows_add(table->rows)[0] =
                (Value){.type = types[0], .text = text_view_make(text, sizeof text - 1)};
        }
        PlanNode *scan = make_scan(&make, table);
        AggregateCall call =
            make_call(AGGREGATE_SINGLE_VALUE, make_column(&make, scan, 0), types[0]);
        PlanAggregate *aggregate = make_aggregate(&make, scan, NULL, 0, &call, 1);
        Plan *plan = make_plan(&make, &aggregate->node, NULL, 0);
        EngineOptions options = {.morsel_rows = 1, .worker_count = 3};
        EngineResult result = engine_run(plan, &tables.rows, &options, arena);
        if (rows == 2) {
            ck_assert_ptr_nonnull(result.failure);
            ck_assert_int_eq(result.sqlstate, SQLSTATE_CARDINALITY_VIOLATION);
        } else {
            ck_assert_ptr_null(result.failure);
            ck_assert_uint_eq(result.rows->count, 1);
            ck_assert_int_eq(result.rows->items[0][0].is_null, rows == 0);
        }
    }
}
END_TEST

/* Row ids that MERGE deletes: the one that comes twice is found, wherever its rows are. */
START_TEST(takes_a_single_match_per_group)
{
    enum { ROWS = 5000 };
    for (uint32_t repeated = 0; repeated < 2; repeated++) {
        MadeTables tables = {0};
        PlanMake make = {.arena = arena};
        Type types[1] = {type_of(TYPE_BIGINT)};
        MadeTable *table = made_table_add(&tables, arena, types, 1);
        for (uint32_t i = 0; i < ROWS; i++) {
            bool is_repeated = repeated == 1 && i == ROWS - 1;
            rows_add(table->rows)[0] = value_int64(types[0], is_repeated ? 7 : i * 1000003);
        }
        rows_add(table->rows)[0] = value_int64(types[0], 7);
        PlanNode *scan = make_scan(&make, table);
        static const uint32_t key = 0;
        AggregateCall call =
            make_call(AGGREGATE_SINGLE_MATCH, make_column(&make, scan, key), types[0]);
        PlanAggregate *aggregate = make_aggregate(&make, scan, &key, 1, &call, 1);
        Plan *plan = make_plan(&make, &aggregate->node, NULL, 0);
        EngineOptions options = {.morsel_rows = 100, .worker_count = 3};
        EngineResult result = engine_run(plan, &tables.rows, &options, arena);
        if (repeated == 1) {
            ck_assert_ptr_nonnull(result.failure);
            ck_assert_int_eq(result.sqlstate, SQLSTATE_CARDINALITY_VIOLATION);
        } else {
            ck_assert_ptr_null(result.failure);
            ck_assert_uint_eq(result.rows->count, ROWS + 1);
        }
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("aggregate");
    TCase *tcase = tcase_create("aggregate");
    tcase_set_timeout(tcase, 300);
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_add_test(tcase, matches_without_keys);
    tcase_add_loop_test(tcase, matches_with_tiny_batches, 0, MADE_TYPE_COUNT);
    tcase_add_loop_test(tcase, matches_when_spilling, 0, 2);
    tcase_add_test(tcase, chooses_the_index_by_keys);
    tcase_add_test(tcase, texts_become_rows_when_there_are_many);
    tcase_add_test(tcase, packs_words_of_several_keys);
    tcase_add_test(tcase, bounds_of_keys_are_hints);
    tcase_add_test(tcase, groups_when_low_bits_follow_from_the_others);
    tcase_add_loop_test(tcase, merges_many_groups_by_partition, 0, 7);
    tcase_add_loop_test(tcase, reports_sums_that_do_not_fit, 0, 2);
    tcase_add_test(tcase, takes_a_single_value_only_once);
    tcase_add_test(tcase, takes_a_single_match_per_group);
    suite_add_tcase(suite, tcase);
    TCase *types = tcase_create("types");
    tcase_set_timeout(types, 300);
    tcase_set_tags(types, "every_type"); // the same threads again and again
    tcase_add_checked_fixture(types, set_up, tear_down);
    tcase_add_loop_test(types, matches_for_every_key_type, 0, MADE_TYPE_COUNT);
    tcase_add_loop_test(types, matches_when_spilling, 2, MADE_TYPE_COUNT);
    suite_add_tcase(suite, types);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
