/* test_distribute.c — simple queries, all the way from a logical tree to rows, on 1 to 3 nodes. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "planner/distributor/distribute.h"
#include "planner/plan/plan_check.h"
#include "tests/support/planner/world.h"

typedef LogicalNode *(*Build)(World *world);

static LogicalNode *scan_filter(World *world)
{
    LogicalNode *r = world_get(world, "r");
    Expr *condition =
        world_call(world, FUNCTION_GREATER, world_column(world, r, "c"), world_number(world, 1));
    return logical_filter(world->arena, r, condition);
}

static LogicalNode *join_collocated(World *world)
{
    LogicalNode *r = world_get(world, "r"), *s = world_get(world, "s");
    return logical_join(
        world->arena, JOIN_INNER, r, s,
        world_call(world, FUNCTION_EQUAL, world_column(world, r, "k"), world_column(world, s, "k")),
        0);
}

static LogicalNode *join_elsewhere(World *world)
{
    LogicalNode *r = world_get(world, "r"), *s = world_get(world, "s");
    return logical_join(
        world->arena, JOIN_FULL, r, s,
        world_call(world, FUNCTION_EQUAL, world_column(world, r, "a"), world_column(world, s, "b")),
        0);
}

static LogicalNode *left_join_of_replicated(World *world)
{
    LogicalNode *d = world_get(world, "d"), *u = world_get(world, "u");
    return logical_join(
        world->arena, JOIN_LEFT, d, u,
        world_call(world, FUNCTION_EQUAL, world_column(world, d, "a"), world_column(world, u, "a")),
        0);
}

static LogicalNode *cross_join(World *world)
{
    LogicalNode *d = world_get(world, "d"), *u = world_get(world, "u");
    return logical_join(world->arena, JOIN_INNER, u, d, NULL, 0);
}

static LogicalNode *grouped(World *world)
{
    LogicalNode *u = world_get(world, "u");
    Expr *keys[] = {world_column(world, u, "a")};
    AggregateCall calls[] = {world_call_of(AGGREGATE_COUNT_STAR, NULL),
                             world_call_of(AGGREGATE_SUM, world_column(world, u, "b")),
                             world_call_of(AGGREGATE_AVG, world_column(world, u, "c"))};
    return world_aggregate(world, u, 1, keys, 3, calls);
}

static LogicalNode *grouped_replicated(World *world)
{
    LogicalNode *d = world_get(world, "d");
    Expr *keys[] = {world_column(world, d, "a")};
    AggregateCall calls[] = {world_call_of(AGGREGATE_COUNT, world_column(world, d, "b"))};
    return world_aggregate(world, d, 1, keys, 1, calls);
}

static LogicalNode *total(World *world)
{
    LogicalNode *r = world_get(world, "r");
    AggregateCall calls[] = {world_call_of(AGGREGATE_COUNT_STAR, NULL),
                             world_call_of(AGGREGATE_MIN, world_column(world, r, "b"))};
    return world_aggregate(world, r, 0, NULL, 2, calls);
}

static LogicalNode *distinct_counts(World *world)
{
    LogicalNode *r = world_get(world, "r");
    Expr *keys[] = {world_column(world, r, "a")};
    AggregateCall calls[] = {world_call_of(AGGREGATE_COUNT, world_column(world, r, "b")),
                             world_call_of(AGGREGATE_SUM, world_column(world, r, "c")),
                             world_call_of(AGGREGATE_COUNT_STAR, NULL)};
    calls[0].is_distinct = true;
    return world_aggregate(world, r, 1, keys, 3, calls);
}

static LogicalNode *two_distinct_totals(World *world)
{
    LogicalNode *u = world_get(world, "u");
    AggregateCall calls[] = {world_call_of(AGGREGATE_COUNT, world_column(world, u, "b")),
                             world_call_of(AGGREGATE_SUM, world_column(world, u, "c"))};
    calls[0].is_distinct = calls[1].is_distinct = true;
    return world_aggregate(world, u, 0, NULL, 2, calls);
}

static LogicalNode *ordered(World *world)
{
    LogicalNode *u = world_get(world, "u");
    Expr *keys[] = {world_column(world, u, "a")};
    AggregateCall calls[] = {world_call_of(AGGREGATE_COUNT_STAR, NULL)};
    LogicalNode *groups = world_aggregate(world, u, 1, keys, 1, calls);
    return world_sort(world, groups, world_column(world, groups, "c1"), true);
}

static LogicalNode *top(World *world)
{
    return logical_limit(world->arena, ordered(world), 2, 1);
}

static LogicalNode *union_of_all_kinds(World *world)
{
    LogicalNode *left = world_get(world, "r"), *right = world_get(world, "d");
    LogicalNode *both = world_set(world, SET_UNION_ALL, left, right);
    return world_set(world, SET_UNION, both, world_get(world, "u"));
}

static LogicalNode *intersected(World *world)
{
    LogicalNode *left = world_get(world, "r"), *right = world_get(world, "u");
    Expr *left_exprs[] = {world_column(world, left, "a"), world_column(world, left, "b")};
    Expr *right_exprs[] = {world_column(world, right, "a"), world_column(world, right, "b")};
    return world_set(world, SET_INTERSECT, world_project(world, left, 2, left_exprs),
                     world_project(world, right, 2, right_exprs));
}

static LogicalNode *subtracted(World *world)
{
    LogicalNode *left = world_get(world, "d"), *right = world_get(world, "u");
    Expr *left_exprs[] = {world_column(world, left, "a"), world_column(world, left, "b")};
    Expr *right_exprs[] = {world_column(world, right, "a"), world_column(world, right, "b")};
    return world_set(world, SET_EXCEPT, world_project(world, left, 2, left_exprs),
                     world_project(world, right, 2, right_exprs));
}

static const Build builds[] = {
    scan_filter,
    join_collocated,
    join_elsewhere,
    left_join_of_replicated,
    cross_join,
    grouped,
    grouped_replicated,
    total,
    distinct_counts,
    two_distinct_totals,
    ordered,
    top,
    union_of_all_kinds,
    intersected,
    subtracted,
};
#define BUILD_COUNT (int)(sizeof(builds) / sizeof(builds[0]))

static void check_build(Build build, uint32_t node_count, uint64_t seed)
{
    World *world = world_create(node_count);
    world_add_random_tables(world, seed, 12);
    LogicalNode *root = build(world);
    const char *failure;
    Rows *expected = logical_run(root, &world->table_rows, world->arena, &failure);
    ck_assert_ptr_null(failure);
    Plan *plan;
    Status status = plan_query(&world->context, root, NULL, 0, &plan);
    ck_assert_msg(status == STATUS_OK, "%s", status == STATUS_OK ? "" : status_message(status));
    PlanRunResult result = plan_run(plan, &world->table_rows, node_count, world->arena);
    ck_assert_ptr_null(result.failure);
    bool is_ordered = build == ordered || build == top;
    const char *wanted = rows_print(expected, is_ordered);
    const char *given = rows_print(result.rows, is_ordered);
    ck_assert_msg(strcmp(wanted, given) == 0, "nodes %u seed %lu\nexpected\n%sgot\n%s%s",
                  node_count, (unsigned long)seed, wanted, given, world_explain(world, plan));
    world_destroy(world);
}

START_TEST(gives_the_rows_of_its_definition)
{
    for (uint32_t node_count = 1; node_count <= 3; node_count++) {
        for (uint64_t seed = 1; seed <= 20; seed++) {
            check_build(builds[_i], node_count, seed);
        }
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("distribute");
    TCase *tcase = tcase_create("rows");
    tcase_set_timeout(tcase, 60);
    tcase_add_loop_test(tcase, gives_the_rows_of_its_definition, 0, BUILD_COUNT);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
