/* test_distribution.c — where rows are, and the ways two inputs may meet. */
#include <check.h>
#include <stdlib.h>

#include "planner/optimizer/join_strategy.h"

static const CostModel model = {.node_count = 4};

static Distribution hashed(ColumnNumber column)
{
    return distribution_hashed(&column, 1);
}

START_TEST(equal_columns_stand_for_each_other)
{
    Distribution left = hashed(1);
    distribution_add_pair(&left, (KeyPair){1, 2});
    Distribution wanted = hashed(2);
    ck_assert(distribution_satisfies(&left, &wanted));
    Distribution other = hashed(3);
    ck_assert(!distribution_satisfies(&left, &other));
}
END_TEST

START_TEST(a_lost_key_leaves_rows_scattered)
{
    Arena *arena = arena_create(NULL, "test");
    Distribution distribution = hashed(1);
    ColumnSet visible = {0};
    column_set_add(&visible, 2, arena);
    distribution_rename(&distribution, 1, 2);
    distribution_restrict(&distribution, &visible);
    ck_assert_int_eq(distribution.kind, DISTRIBUTION_HASHED);
    column_set_remove(&visible, 2);
    distribution_restrict(&distribution, &visible);
    ck_assert_int_eq(distribution.kind, DISTRIBUTION_SCATTERED);
    arena_destroy(arena);
}
END_TEST

START_TEST(groups_are_whole_when_keys_contain_the_hash)
{
    Arena *arena = arena_create(NULL, "test");
    ColumnSet groups = {0};
    column_set_add(&groups, 1, arena);
    column_set_add(&groups, 2, arena);
    Distribution by_one = hashed(1), by_three = hashed(3);
    ck_assert(distribution_keeps_groups(&by_one, &groups));
    ck_assert(!distribution_keeps_groups(&by_three, &groups));
    Distribution scattered = distribution_of(DISTRIBUTION_SCATTERED);
    Distribution single = distribution_of(DISTRIBUTION_SINGLE);
    ck_assert(!distribution_keeps_groups(&scattered, &groups));
    ck_assert(distribution_keeps_groups(&single, &groups));
    arena_destroy(arena);
}
END_TEST

START_TEST(casts_that_keep_the_hash_are_looked_through)
{
    Arena *arena = arena_create(NULL, "test");
    Expr *integer = expr_column(arena, 7, type_of(TYPE_INTEGER));
    Type bigint = type_of(TYPE_BIGINT);
    ck_assert_uint_eq(distribution_column_of(expr_cast(arena, integer, bigint, false)), 7);
    Expr *decimal = expr_cast(arena, integer, type_decimal(12, 2), false);
    ck_assert_uint_eq(distribution_column_of(decimal), 7);
    Expr *date = expr_column(arena, 8, type_of(TYPE_DATE));
    Type timestamp = type_of(TYPE_TIMESTAMP);
    ck_assert_uint_eq(distribution_column_of(expr_cast(arena, date, timestamp, false)), 0);
    Expr *long_text = expr_column(arena, 9, type_varchar(20));
    ck_assert_uint_eq(distribution_column_of(expr_cast(arena, long_text, type_varchar(10), true)),
                      0);
    Expr *fraction = expr_column(arena, 10, type_decimal(12, 4));
    ck_assert_uint_eq(distribution_column_of(expr_cast(arena, fraction, type_decimal(12, 2), true)),
                      0);
    arena_destroy(arena);
}
END_TEST

static JoinShape shape_of(JoinKind join)
{
    return (JoinShape){.join = join,
                       .has_keys = true,
                       .pair_count = 1,
                       .pairs = {{1, 11}},
                       .pair_distinct = {1e6},
                       .output_rows = 1e6,
                       .needs_whole_right = join == JOIN_ANTI_NULL};
}

static JoinInput input_of(Distribution distribution, double rows)
{
    return (JoinInput){.distribution = distribution, .rows = rows, .width = 20};
}

static JoinPlan best_plan(JoinKind join, JoinInput left, JoinInput right)
{
    JoinShape shape = shape_of(join);
    JoinPlan plans[JOIN_PLANS_MAX];
    uint32_t count = join_strategies(&model, &shape, &left, &right, plans);
    ck_assert_uint_gt(count, 0);
    JoinPlan best = plans[0];
    for (uint32_t i = 1; i < count; i++) {
        best = plans[i].cost < best.cost ? plans[i] : best;
    }
    return best;
}

START_TEST(collocated_inputs_stay)
{
    JoinPlan plan = best_plan(JOIN_INNER, input_of(hashed(1), 6e6), input_of(hashed(11), 1.5e6));
    ck_assert_int_eq(plan.left_move, JOIN_MOVE_NONE);
    ck_assert_int_eq(plan.right_move, JOIN_MOVE_NONE);
    ck_assert(plan.result.kind == DISTRIBUTION_HASHED && !plan.builds_left);
}
END_TEST

START_TEST(small_inputs_are_broadcast)
{
    JoinPlan plan = best_plan(JOIN_INNER, input_of(hashed(2), 6e6), input_of(hashed(12), 1e3));
    ck_assert_int_eq(plan.left_move, JOIN_MOVE_NONE);
    ck_assert_int_eq(plan.right_move, JOIN_MOVE_BROADCAST);
}
END_TEST

START_TEST(large_inputs_come_to_the_hashed_side)
{
    JoinPlan plan = best_plan(JOIN_INNER, input_of(hashed(1), 6e6), input_of(hashed(12), 3e6));
    ck_assert_int_eq(plan.left_move, JOIN_MOVE_NONE);
    ck_assert_int_eq(plan.right_move, JOIN_MOVE_HASH);
    plan = best_plan(JOIN_INNER, input_of(hashed(2), 6e6), input_of(hashed(12), 6e6));
    ck_assert_int_eq(plan.left_move, JOIN_MOVE_HASH);
    ck_assert_int_eq(plan.right_move, JOIN_MOVE_HASH);
}
END_TEST

/* What every plan must respect, whatever it costs: the table of join_strategy.c. */
START_TEST(only_legal_placements_are_offered)
{
    static const JoinKind kinds[] = {JOIN_INNER, JOIN_LEFT,      JOIN_RIGHT, JOIN_FULL,  JOIN_SEMI,
                                     JOIN_ANTI,  JOIN_ANTI_NULL, JOIN_MARK,  JOIN_SINGLE};
    Distribution places[] = {hashed(1),
                             hashed(2),
                             distribution_of(DISTRIBUTION_SCATTERED),
                             distribution_of(DISTRIBUTION_REPLICATED),
                             distribution_of(DISTRIBUTION_SINGLE),
                             distribution_of(DISTRIBUTION_LEADER)};
    Distribution right_places[] = {hashed(11), hashed(12), places[2],
                                   places[3],  places[4],  places[5]};
    for (size_t k = 0; k < sizeof(kinds) / sizeof(kinds[0]); k++) {
        for (int i = 0; i < 36; i++) {
            JoinShape shape = shape_of(kinds[k]);
            JoinInput left = input_of(places[i / 6], 1e4),
                      right = input_of(right_places[i % 6], 1e4);
            JoinPlan plans[JOIN_PLANS_MAX];
            uint32_t count = join_strategies(&model, &shape, &left, &right, plans);
            ck_assert_uint_gt(count, 0);
            for (uint32_t p = 0; p < count; p++) {
                bool is_left_spread = distribution_is_partitioned(&plans[p].left);
                bool is_right_spread = distribution_is_partitioned(&plans[p].right);
                bool keeps_left = kinds[k] == JOIN_LEFT || kinds[k] == JOIN_ANTI ||
                                  kinds[k] == JOIN_FULL || kinds[k] == JOIN_SINGLE ||
                                  kinds[k] == JOIN_MARK || kinds[k] == JOIN_ANTI_NULL;
                bool keeps_right = kinds[k] == JOIN_RIGHT || kinds[k] == JOIN_FULL;
                ck_assert(!(keeps_left && is_right_spread && !is_left_spread));
                ck_assert(!(keeps_right && is_left_spread && !is_right_spread));
                ck_assert(!(kinds[k] == JOIN_ANTI_NULL && is_right_spread));
                if (is_left_spread && is_right_spread) {
                    ck_assert(distribution_is_collocated(&plans[p].left, &plans[p].right,
                                                         shape.pairs, 1));
                }
            }
        }
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("distribution");
    TCase *tcase = tcase_create("distribution");
    tcase_add_test(tcase, equal_columns_stand_for_each_other);
    tcase_add_test(tcase, a_lost_key_leaves_rows_scattered);
    tcase_add_test(tcase, groups_are_whole_when_keys_contain_the_hash);
    tcase_add_test(tcase, casts_that_keep_the_hash_are_looked_through);
    tcase_add_test(tcase, collocated_inputs_stay);
    tcase_add_test(tcase, small_inputs_are_broadcast);
    tcase_add_test(tcase, large_inputs_come_to_the_hashed_side);
    tcase_add_test(tcase, only_legal_placements_are_offered);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
