/*
 * Hash joins of every kind against an interpreter written from the definitions: key types, NULLs,
 * duplicates, residual conditions, spilling, tiny batches. A failure names its seed.
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

typedef struct JoinCase {
    JoinKind kind;
    MadeType keys[2];
    uint32_t key_count;
    uint32_t probe_rows, build_rows, distinct, null_every;
    bool has_residual, is_null_equal, is_unique, has_filters;
    uint32_t local_key; /* as in the plan: its lowest options.known_key_bits follow from the rest */
    EngineOptions options;
    uint64_t seed;
} JoinCase;

static void add_unique_rows(MadeTable *table, const MadeType *types, uint32_t row_count,
                            uint64_t *random)
{
    for (uint32_t i = 0; i < row_count; i++) {
        made_rows_add(table, types, 1, 1000, 0, random);
        table->rows->items[i][0].i64 = (int64_t)i * 3;
    }
}

// residual: probe value <= build value, over a bigint column of either side that may be NULL
static Expr *residual_of(PlanMake *make, const PlanHashJoin *join, uint32_t key_count)
{
    uint32_t build_value = join->probe->output_count + key_count;
    return make_comparison(make, FUNCTION_LESS_EQUAL,
                           make_pair_column(make, join->probe, join->build, key_count),
                           make_pair_column(make, join->probe, join->build, build_value));
}

static EngineResult run_case(const JoinCase *test, const char **expected, const char **actual)
{
    uint64_t random = test->seed;
    MadeTables tables = {0};
    PlanMake make = {.arena = arena};
    MadeType types[5];
    Type sql_types[5];
    for (uint32_t k = 0; k < test->key_count; k++) {
        types[k] = test->keys[k];
    }
    types[test->key_count] = MADE_BIGINT; // the residual's, then more payload
    types[test->key_count + 1] = MADE_TEXT;
    types[test->key_count + 2] = MADE_DATE;
    uint32_t column_count = test->key_count + 3;
    for (uint32_t c = 0; c < column_count; c++) {
        sql_types[c] = made_type(types[c]);
    }
    MadeTable *probe = made_table_add(&tables, arena, sql_types, column_count);
    MadeTable *build = made_table_add(&tables, arena, sql_types, column_count);
    made_rows_add(probe, types, test->probe_rows, test->distinct, test->null_every, &random);
    if (test->is_unique) {
        add_unique_rows(build, types, test->build_rows, &random);
    } else {
        made_rows_add(build, types, test->build_rows, test->distinct, test->null_every, &random);
    }
    if (test->local_key > 0) {
        made_rows_fix_low_bits(probe, test->local_key - 1, test->options.known_key_bits);
        made_rows_fix_low_bits(build, test->local_key - 1, test->options.known_key_bits);
    }
    static const uint32_t keys[2] = {0, 1};
    PlanHashJoin *join = make_hash_join(&make, test->kind, make_scan(&make, probe),
                                        make_scan(&make, build), keys, keys, test->key_count);
    join->is_build_unique = test->is_unique;
    join->local_key = test->local_key;
    join->is_null_equal[0] = test->is_null_equal;
    if (test->has_residual) {
        join->residual = residual_of(&make, join, test->key_count);
    }
    if (test->has_filters) {
        PlanScan *scan = (PlanScan *)join->probe;
        scan->runtime_filter_count = test->key_count;
        scan->runtime_filters = ARENA_ARRAY(arena, PlanRuntimeFilterUse, test->key_count);
        for (uint32_t k = 0; k < test->key_count; k++) {
            join->runtime_filter_ids[k] = k + 1;
            scan->runtime_filters[k] = (PlanRuntimeFilterUse){.filter_id = k + 1, .column = k};
        }
        make.filter_count = test->key_count;
    }
    Plan *plan = make_plan(&make, &join->node, NULL, 0);
    PlanRunResult reference = plan_run(plan, &tables.rows, 1, arena);
    EngineOptions options = test->options;
    options.seed = test->seed * 31 + 7;
    EngineResult result = engine_run(plan, &tables.rows, &options, arena);
    *expected = reference.failure != NULL ? "failed" : rows_print(reference.rows, false);
    *actual = result.failure != NULL ? "failed" : rows_print(result.rows, false);
    if (result.failure != NULL && reference.failure == NULL) {
        *actual = result.failure;
    }
    return result;
}

static void check_case(const JoinCase *test)
{
    const char *expected;
    const char *actual;
    EngineResult result = run_case(test, &expected, &actual);
    if (strcmp(expected, actual) != 0) {
        ck_abort_msg("seed %llu kind %d keys %u(%d,%d) residual %d variant %s: %s",
                     (unsigned long long)test->seed, (int)test->kind, test->key_count,
                     (int)test->keys[0], (int)test->keys[1], test->has_residual,
                     engine_variant(&result, 3), lines_difference(arena, expected, actual));
    }
}

static const JoinKind kinds[] = {JOIN_INNER,      JOIN_LEFT, JOIN_RIGHT,     JOIN_FULL,
                                 JOIN_SEMI,       JOIN_ANTI, JOIN_ANTI_NULL, JOIN_RIGHT_SEMI,
                                 JOIN_RIGHT_ANTI, JOIN_MARK, JOIN_SINGLE};
enum { KIND_COUNT = sizeof kinds / sizeof *kinds };

START_TEST(matches_for_every_kind_and_type)
{
    JoinKind kind = kinds[_i % KIND_COUNT];
    MadeType type = (MadeType)(_i / KIND_COUNT);
    for (uint32_t round = 0; round < 4; round++) {
        JoinCase test = {
            .kind = kind,
            .keys = {type, MADE_INTEGER},
            .key_count = 1 + (round & 1),
            .probe_rows = 150,
            .build_rows = kind == JOIN_SINGLE ? 12 : 90,
            .distinct = kind == JOIN_SINGLE ? 60 : 25,
            .null_every = round < 2 ? 0 : 9,
            .has_residual = round == 1 || round == 3,
            .seed = (uint64_t)_i * 100 + round,
        };
        check_case(&test);
    }
}
END_TEST

START_TEST(matches_with_nulls_on_single_sides)
{
    for (uint64_t seed = 0; seed < 12; seed++) {
        JoinCase test = {
            .kind = kinds[_i],
            .keys = {MADE_INTEGER, MADE_TEXT},
            .key_count = 1 + (seed & 1),
            .probe_rows = 60,
            .build_rows = seed < 2 ? 0 : (uint32_t)seed * 2,
            .distinct = 8,
            .null_every = 4,
            .has_residual = (seed & 2) != 0,
            .is_null_equal = seed >= 8,
            .seed = seed,
        };
        if (test.is_null_equal && (kinds[_i] == JOIN_ANTI_NULL || kinds[_i] == JOIN_SINGLE)) {
            continue;
        }
        check_case(&test);
    }
}
END_TEST

START_TEST(matches_with_tiny_batches_and_many_duplicates)
{
    JoinKind kind = kinds[_i];
    JoinCase test = {
        .kind = kind == JOIN_SINGLE ? JOIN_LEFT : kind,
        .keys = {MADE_BIGINT},
        .key_count = 1,
        .probe_rows = 40,
        .build_rows = 400,
        .distinct = 5,
        .null_every = 6,
        .options = {.batch_rows = 3, .worker_count = 3, .morsel_rows = 7},
        .seed = 5,
    };
    check_case(&test);
    test.has_residual = true;
    test.options.batch_rows = 64;
    check_case(&test);
    test.keys[0] = MADE_TEXT;
    test.options.batch_rows = 1000;
    check_case(&test);
}
END_TEST

START_TEST(matches_with_unique_keys_that_are)
{
    JoinCase test = {
        .kind = kinds[_i],
        .keys = {MADE_BIGINT},
        .key_count = 1,
        .probe_rows = 500,
        .build_rows = 200,
        .distinct = 700,
        .is_unique = true,
        .seed = 9,
    };
    check_case(&test);
}
END_TEST

START_TEST(matches_with_a_wrong_promise_of_uniqueness)
{
    if (kinds[_i] == JOIN_SINGLE) {
        return;
    }
    JoinCase test = {.kind = kinds[_i],
                     .keys = {MADE_BIGINT},
                     .key_count = 1,
                     .probe_rows = 50,
                     .build_rows = 50,
                     .distinct = 20,
                     .null_every = 8,
                     .seed = 11};
    const char *expected;
    const char *actual;
    (void)run_case(&test, &expected, &actual);
    ck_assert_str_eq(expected, actual);
}
END_TEST

START_TEST(filters_scans_by_what_was_built)
{
    static const MadeType types[] = {MADE_INTEGER, MADE_SPARSE_BIGINT, MADE_TEXT, MADE_DATE};
    JoinKind kind = kinds[_i];
    for (uint32_t t = 0; t < 4; t++) {
        JoinCase test = {
            .kind = kind,
            .keys = {types[t], MADE_INTEGER},
            .key_count = 1 + (t & 1),
            .probe_rows = 300,
            .build_rows = 6,
            .distinct = 100,
            .null_every = 10,
            .has_filters = true,
            .seed = 21 + t,
        };
        if (kind == JOIN_SINGLE) {
            continue;
        }
        // The reference drops what filters drop for any kind: it must only be asked for these.
        bool may_filter = kind == JOIN_INNER || kind == JOIN_SEMI || kind == JOIN_RIGHT ||
                          kind == JOIN_RIGHT_SEMI || kind == JOIN_RIGHT_ANTI;
        if (!may_filter) {
            continue;
        }
        const char *expected;
        const char *actual;
        EngineResult result = run_case(&test, &expected, &actual);
        ck_assert_str_eq(expected, actual);
        ck_assert_uint_gt(result.filtered_rows, 100);
    }
}
END_TEST

START_TEST(matches_when_both_sides_are_on_disk)
{
    JoinKind kind = kinds[_i % KIND_COUNT];
    MadeType type = (MadeType)(_i / KIND_COUNT);
    if (kind == JOIN_SINGLE) {
        kind = JOIN_LEFT;
    }
    JoinCase test = {
        .kind = kind,
        .keys = {type, MADE_INTEGER},
        .key_count = 1 + (uint32_t)_i % 2,
        .probe_rows = 400,
        .build_rows = 700,
        .distinct = 500,
        .null_every = 11,
        .has_residual = _i % 3 == 0,
        .options = {.force_spill = true, .batch_rows = _i % 5 == 0 ? 30 : 0},
        .seed = 7000 + (uint64_t)_i,
    };
    const char *expected;
    const char *actual;
    EngineResult result = run_case(&test, &expected, &actual);
    ck_assert_msg(strcmp(expected, actual) == 0, "kind %d type %d: %s", (int)kind, (int)type,
                  lines_difference(arena, expected, actual));
    bool is_null_aware = kind == JOIN_ANTI_NULL || kind == JOIN_MARK;
    bool may_spill = !is_null_aware || (test.key_count == 1 && !test.has_residual);
    if (may_spill) {
        ck_assert_uint_gt(result.spilled_bytes, 0);
    }
}
END_TEST

static void check_variant(MadeType type, JoinKind kind, uint32_t rows, uint32_t distinct,
                          const char *variant)
{
    JoinCase test = {.kind = kind,
                     .keys = {type},
                     .key_count = 1,
                     .probe_rows = 100,
                     .build_rows = rows,
                     .distinct = distinct,
                     .seed = 3};
    const char *expected;
    const char *actual;
    EngineResult result = run_case(&test, &expected, &actual);
    ck_assert_str_eq(expected, actual);
    ck_assert_msg(strncmp(engine_variant(&result, 3), variant, strlen(variant)) == 0,
                  "type %d: %s, not %s", (int)type, engine_variant(&result, 3), variant);
}

START_TEST(chooses_the_index_by_keys)
{
    check_variant(MADE_INTEGER, JOIN_SEMI, 50, 20, "bitmap");
    check_variant(MADE_INTEGER, JOIN_INNER, 50, 20, "dense");
    check_variant(MADE_SPARSE_BIGINT, JOIN_INNER, 50, 20, "keys chained");
    check_variant(MADE_SPARSE_BIGINT, JOIN_ANTI, 50, 20, "keys");
    check_variant(MADE_TEXT, JOIN_INNER, 50, 20, "hash");
}
END_TEST

START_TEST(reports_a_second_row_for_single)
{
    JoinCase test = {.kind = JOIN_SINGLE,
                     .keys = {MADE_INTEGER},
                     .key_count = 1,
                     .probe_rows = 20,
                     .build_rows = 40,
                     .distinct = 5,
                     .seed = 2};
    const char *expected;
    const char *actual;
    EngineResult result = run_case(&test, &expected, &actual);
    ck_assert_ptr_nonnull(result.failure);
    ck_assert_int_eq(result.sqlstate, SQLSTATE_CARDINALITY_VIOLATION);
}
END_TEST

START_TEST(inserts_large_build_sides_in_parallel)
{
    static const MadeType types[] = {MADE_BIGINT, MADE_SPARSE_BIGINT, MADE_TEXT};
    for (uint32_t round = 0; round < 6; round++) {
        JoinCase test = {
            .kind = round < 3 ? JOIN_RIGHT_ANTI : JOIN_SEMI,
            .keys = {types[round % 3]},
            .key_count = 1,
            .probe_rows = 60,
            .build_rows = 1, // replaced below
            .distinct = 3000,
            .options = {.worker_count = 4, .morsel_rows = 1000},
            .seed = 17 + round,
        };
        test.build_rows = 2500;
        check_case(&test);
    }
}
END_TEST

// Keys of which the node knows some bits: every kind, over bitmaps, columns, arrays and slots.
START_TEST(matches_when_low_bits_follow_from_the_others)
{
    static const uint32_t distinct[] = {40, 4000, 3000000};
    const JoinKind kind = kinds[_i];
    const bool drops_probe_rows = kind == JOIN_INNER || kind == JOIN_SEMI || kind == JOIN_RIGHT ||
                                  kind == JOIN_RIGHT_SEMI || kind == JOIN_RIGHT_ANTI;
    for (uint32_t round = 0; round < 12; round++) {
        JoinCase test = {
            .kind = kind,
            .keys = {round % 2 == 0 ? MADE_BIGINT : MADE_INTEGER, MADE_INTEGER},
            .key_count = 1 + (round / 3) % 2,
            .probe_rows = 300,
            .build_rows = kind == JOIN_SINGLE ? 5 : 120,
            .distinct = distinct[round % 3],
            .null_every = round < 6 ? 0 : 7,
            .is_unique = round % 4 == 3,
            .has_filters = drops_probe_rows && round % 2 == 0,
            .options = {.known_key_bits = 1 + round % 4},
            .seed = 900 + (uint64_t)_i * 100 + round,
        };
        test.local_key = 1 + round % test.key_count;
        check_case(&test);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("hash_join");
    TCase *tcase = tcase_create("hash_join");
    tcase_set_timeout(tcase, 300);
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_add_loop_test(tcase, matches_with_nulls_on_single_sides, 0, KIND_COUNT);
    tcase_add_loop_test(tcase, matches_with_tiny_batches_and_many_duplicates, 0, KIND_COUNT);
    tcase_add_loop_test(tcase, matches_with_unique_keys_that_are, 0, KIND_COUNT);
    tcase_add_loop_test(tcase, matches_with_a_wrong_promise_of_uniqueness, 0, KIND_COUNT);
    tcase_add_loop_test(tcase, filters_scans_by_what_was_built, 0, KIND_COUNT);
    tcase_add_loop_test(tcase, matches_when_both_sides_are_on_disk, 0, 1);
    tcase_add_loop_test(tcase, matches_when_low_bits_follow_from_the_others, 0, KIND_COUNT);
    tcase_add_test(tcase, chooses_the_index_by_keys);
    tcase_add_test(tcase, reports_a_second_row_for_single);
    tcase_add_test(tcase, inserts_large_build_sides_in_parallel);
    suite_add_tcase(suite, tcase);
    TCase *types = tcase_create("types");
    tcase_set_timeout(types, 300);
    tcase_set_tags(types, "every_type"); // the same threads again and again
    tcase_add_checked_fixture(types, set_up, tear_down);
    tcase_add_loop_test(types, matches_for_every_kind_and_type, 0, KIND_COUNT * MADE_TYPE_COUNT);
    tcase_add_loop_test(types, matches_when_both_sides_are_on_disk, 1,
                        KIND_COUNT * MADE_TYPE_COUNT);
    suite_add_tcase(suite, types);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
