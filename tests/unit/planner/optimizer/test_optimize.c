/*
 * test_optimize.c — random queries give the same rows before optimization, after every rule, and
 * as plans on one, two and three nodes. The reference runs subqueries row by row.
 *
 * BASALT_TEST_SEED=<number> runs one query only, with its trees.
 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "planner/distributor/distribute.h"
#include "planner/optimizer/optimize.h"
#include "tests/support/planner/random_query.h"

#define QUERIES 1200
#define QUERIES_PER_CHUNK 75
#define TOO_MANY_ROWS "more than one row returned by a subquery"

typedef struct RuleCheck {
    World *world;
    const char *expected;
    uint64_t seed;
    bool is_verbose, has_too_many_rows;
} RuleCheck;

static LogicalNode *make_query(World *world, uint64_t seed)
{
    world_add_random_tables(world, seed, 7);
    RandomQuery query = {.world = world, .seed = seed * 7919, .budget = 5};
    return random_query(&query, 2, 2);
}

static void check_rule(void *object, const char *rule_name, const LogicalNode *root)
{
    RuleCheck *self = object;
    if (self->is_verbose) {
        printf("after %s\n%s\n", rule_name, world_print(self->world, root));
    }
    const char *failure;
    Rows *rows = logical_run(root, &self->world->table_rows, self->world->arena, &failure);
    if (failure != NULL && strcmp(failure, TOO_MANY_ROWS) == 0) {
        self->has_too_many_rows = true; // asked for rows that the naive run never asks for
    }
    if (self->has_too_many_rows) {
        return;
    }
    const char *text = rows_print(rows, false);
    ck_assert_msg(failure == NULL, "seed %lu, rule %s: %s", (unsigned long)self->seed, rule_name,
                  failure);
    ck_assert_msg(strcmp(text, self->expected) == 0, "seed %lu, rule %s\nexpected\n%sgot\n%s",
                  (unsigned long)self->seed, rule_name, self->expected, text);
}

/* False when the query itself fails at run time: then anything goes. */
static bool check_rules(uint64_t seed, bool is_verbose)
{
    World *world = world_create(2);
    LogicalNode *root = make_query(world, seed);
    if (is_verbose) {
        printf("bound\n%s\n", world_print(world, root));
    }
    const char *failure;
    Rows *rows = logical_run(root, &world->table_rows, world->arena, &failure);
    bool is_comparable = failure == NULL;
    RuleCheck check = {world, rows_print(rows, false), seed, is_verbose, false};
    Status status =
        optimize_traced(&world->context, &root, is_comparable ? check_rule : NULL, &check);
    ck_assert_msg(status == STATUS_OK, "seed %lu: %s", (unsigned long)seed,
                  status == STATUS_OK ? "" : status_message(status));
    world_destroy(world);
    return is_comparable && !check.has_too_many_rows;
}

static void check_plan(uint64_t seed, uint32_t node_count, bool is_verbose)
{
    World *world = world_create(node_count);
    LogicalNode *root = make_query(world, seed);
    const char *failure;
    Rows *rows = logical_run(root, &world->table_rows, world->arena, &failure);
    Plan *plan;
    Status status = plan_query(&world->context, root, NULL, 0, &plan);
    ck_assert_msg(status == STATUS_OK, "seed %lu: %s", (unsigned long)seed,
                  status == STATUS_OK ? "" : status_message(status));
    PlanRunResult result = plan_run(plan, &world->table_rows, node_count, world->arena);
    if (is_verbose) {
        printf("%u nodes\n%s\n", node_count, world_explain(world, plan));
    }
    if (failure == NULL) {
        ck_assert_msg(result.failure == NULL, "seed %lu, %u nodes: %s", (unsigned long)seed,
                      node_count, result.failure);
        const char *expected = rows_print(rows, false), *given = rows_print(result.rows, false);
        ck_assert_msg(strcmp(expected, given) == 0, "seed %lu, %u nodes\nexpected\n%sgot\n%s%s",
                      (unsigned long)seed, node_count, expected, given, world_explain(world, plan));
    }
    world_destroy(world);
}

static void check_query(uint64_t seed, bool is_verbose)
{
    if (check_rules(seed, is_verbose)) {
        for (uint32_t node_count = 1; node_count <= 3; node_count++) {
            check_plan(seed, node_count, is_verbose);
        }
    }
}

START_TEST(random_queries_keep_their_rows)
{
    const char *one = getenv("BASALT_TEST_SEED");
    if (one != NULL) {
        if (_i == 0) {
            check_query(strtoull(one, NULL, 10), true);
        }
        return;
    }
    for (uint64_t i = 0; i < QUERIES_PER_CHUNK; i++) {
        check_query((uint64_t)_i * QUERIES_PER_CHUNK + i + 1, false);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("optimize");
    TCase *tcase = tcase_create("random");
    tcase_set_timeout(tcase, 100);
    tcase_add_loop_test(tcase, random_queries_keep_their_rows, 0, QUERIES / QUERIES_PER_CHUNK);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
