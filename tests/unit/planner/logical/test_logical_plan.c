/* test_logical_plan.c — trees of the algebra: copies, verification, printing, what they use. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "planner/logical/column_set.h"
#include "tests/support/planner/world.h"

static World *world;

static void setup(void)
{
    world = world_create(2);
    world_add_random_tables(world, 1, 5);
}

static void teardown(void)
{
    world_destroy(world);
}

static Expr *equal(Expr *left, Expr *right)
{
    return world_call(world, FUNCTION_EQUAL, left, right);
}

/* r where exists (s where s.k = r.k) */
static LogicalNode *correlated_query(LogicalNode **outer)
{
    LogicalNode *r = world_get(world, "r"), *s = world_get(world, "s");
    LogicalNode *inner = logical_filter(
        world->arena, s, equal(world_column(world, s, "k"), world_column(world, r, "k")));
    *outer = r;
    return logical_filter(
        world->arena, r,
        world_subquery(world, SUBQUERY_EXISTS, inner, NULL, FUNCTION_EQUAL, false));
}

START_TEST(sets_of_columns)
{
    ColumnSet a = {0}, b = {0};
    column_set_add(&a, 3, world->arena);
    column_set_add(&a, 700, world->arena);
    ck_assert(column_set_has(&a, 700) && !column_set_has(&a, 4) && !column_set_has(&a, 100000));
    ck_assert_uint_eq(column_set_next(&a, 0), 3);
    ck_assert_uint_eq(column_set_next(&a, 3), 700);
    ck_assert_uint_eq(column_set_next(&a, 700), 0);
    column_set_add(&b, 3, world->arena);
    ck_assert(column_set_is_subset(&b, &a) && !column_set_is_subset(&a, &b));
    ck_assert(column_set_intersects(&a, &b));
    column_set_remove_all(&a, &b);
    ck_assert_uint_eq(column_set_count(&a), 1);
    column_set_remove(&a, 700);
    ck_assert(column_set_is_empty(&a));
}
END_TEST

START_TEST(a_subquery_is_correlated_by_its_outer_columns)
{
    LogicalNode *r, *query = correlated_query(&r);
    const Expr *subquery = ((LogicalFilter *)query)->condition;
    ColumnSet free = {0};
    column_set_add_free(&free, subquery->subquery.plan, world->arena);
    ck_assert_uint_eq(column_set_count(&free), 1);
    ck_assert(column_set_has(&free, r->columns[0].number));
    ck_assert(logical_is_correlated(subquery->subquery.plan, world->arena));
    ck_assert(!logical_is_correlated(query, world->arena));
}
END_TEST

START_TEST(copies_have_new_numbers_and_the_same_shape)
{
    LogicalNode *r, *query = correlated_query(&r);
    ColumnRenumbering map = {0};
    LogicalNode *copy = logical_copy(&world->context, query, &map);
    ck_assert_ptr_null(logical_verify(query, "original"));
    ck_assert_ptr_null(logical_verify(copy, "copy"));
    ColumnSet old_numbers = column_set_of_node(query, world->arena);
    ColumnSet new_numbers = column_set_of_node(copy, world->arena);
    ck_assert(!column_set_intersects(&old_numbers, &new_numbers));
    ck_assert_uint_eq(column_renumbering_get(&map, r->columns[1].number), copy->columns[1].number);
    // The copied subquery refers to the copied table.
    ck_assert(!logical_is_correlated(copy, world->arena));
}
END_TEST

START_TEST(copies_leave_outer_columns_alone)
{
    LogicalNode *r, *query = correlated_query(&r);
    ColumnRenumbering map = {0};
    LogicalNode *plan = ((LogicalFilter *)query)->condition->subquery.plan;
    LogicalNode *copy = logical_copy(&world->context, plan, &map);
    ColumnSet free = {0};
    column_set_add_free(&free, copy, world->arena);
    ck_assert(column_set_has(&free, r->columns[0].number));
}
END_TEST

START_TEST(join_columns_follow_the_kind)
{
    LogicalNode *r = world_get(world, "r"), *s = world_get(world, "s");
    Expr *same = equal(world_column(world, r, "k"), world_column(world, s, "k"));
    LogicalNode *left = logical_join(world->arena, JOIN_LEFT, r, s, same, 0);
    ck_assert_uint_eq(left->column_count, 8);
    ck_assert(!left->columns[3].is_nullable && left->columns[7].is_nullable);
    LogicalNode *semi = logical_join(world->arena, JOIN_SEMI, r, s, same, 0);
    ck_assert_uint_eq(semi->column_count, 4);
    ColumnNumber number = planner_new_column(&world->context);
    LogicalNode *mark = logical_join(world->arena, JOIN_MARK, r, s, same, number);
    ck_assert_uint_eq(mark->column_count, 5);
    ck_assert_uint_eq(mark->columns[4].number, number);
    ck_assert_uint_eq(mark->columns[4].type.id, TYPE_BOOLEAN);
}
END_TEST

static void check_refused(const LogicalNode *node, const char *part)
{
    Status status = logical_verify(node, "rule");
    ck_assert_ptr_nonnull(status);
    ck_assert_msg(strstr(status_message(status), part) != NULL, "%s", status_message(status));
    status_free(status);
}

START_TEST(verification_finds_what_is_wrong)
{
    LogicalNode *r = world_get(world, "r"), *s = world_get(world, "s");
    Expr *foreign = equal(world_column(world, s, "k"), world_number(world, 1));
    check_refused(logical_filter(world->arena, r, foreign), "rule: no child gives column");
    Expr *wrong_type = equal(expr_column(world->arena, r->columns[0].number, type_of(TYPE_DATE)),
                             world_number(world, 1));
    check_refused(logical_filter(world->arena, r, wrong_type), "another type is given");
    check_refused(logical_filter(world->arena, r, world_number(world, 1)), "not boolean");
    check_refused(logical_join(world->arena, JOIN_INNER, r, r, NULL, 0), "given twice");
    check_refused(logical_cte_reference(&world->context, 9, r), "not in scope");
}
END_TEST

START_TEST(prints_an_indented_tree)
{
    LogicalNode *r, *query = correlated_query(&r);
    ck_assert_str_eq(world_print(world, query), "FILTER (EXISTS (subquery))\n"
                                                "  subquery:\n"
                                                "    FILTER (k#5 = k#1)\n"
                                                "      GET s: k#5 a#6 b#7 c#8\n"
                                                "  GET r: k#1 a#2 b#3 c#4\n");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("logical_plan");
    TCase *tcase = tcase_create("tree");
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, sets_of_columns);
    tcase_add_test(tcase, a_subquery_is_correlated_by_its_outer_columns);
    tcase_add_test(tcase, copies_have_new_numbers_and_the_same_shape);
    tcase_add_test(tcase, copies_leave_outer_columns_alone);
    tcase_add_test(tcase, join_columns_follow_the_kind);
    tcase_add_test(tcase, verification_finds_what_is_wrong);
    tcase_add_test(tcase, prints_an_indented_tree);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
