/*
 * test_sql_rows.c — SQL text to rows without an engine: bound trees run by definition against plans
 * run on make-believe clusters of one to three nodes, over random tables.
 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "planner/distributor/distribute.h"
#include "tests/support/planner/sql_world.h"

#define SEEDS 6

static const char *const queries[] = {
#define QUERY(text) text,
#include "tests/unit/planner/distributor/queries.def"
#undef QUERY
};
#define QUERY_COUNT (int)(sizeof(queries) / sizeof(queries[0]))

static void must(Status status, const char *text)
{
    ck_assert_msg(status == STATUS_OK, "%s\n%s", text,
                  status == STATUS_OK ? "" : status_message(status));
}

static const char *explain(Arena *arena, const Plan *plan)
{
    World world = {.arena = arena};
    return world_explain(&world, plan);
}

static void check_query(const char *text, uint64_t seed, uint32_t node_count)
{
    SqlWorld *self = sql_world_create(seed);
    PlannerContext context;
    BoundStatement *bound;
    must(sql_bind(&self->catalog, text, node_count, self->arena, &context, &bound), text);
    const char *failure;
    Rows *expected = logical_run(bound->root, &self->tables, self->arena, &failure);
    ck_assert_msg(failure == NULL, "%s\n%s", text, failure);
    Plan *plan;
    must(plan_query(&context, bound->root, bound->results, bound->result_count, &plan), text);
    must(plan_through_codec(&plan, self->arena), text);
    PlanRunResult result = plan_run(plan, &self->tables, node_count, self->arena);
    ck_assert_msg(result.failure == NULL, "%s\n%s", text, result.failure);
    ck_assert_msg(!result.has_misplaced_write, "%s\n%s", text, explain(self->arena, plan));
    const char *wanted = rows_print(expected, false), *given = rows_print(result.rows, false);
    ck_assert_msg(strcmp(wanted, given) == 0, "%s\nseed %lu, %u nodes\nexpected\n%sgot\n%s%s", text,
                  (unsigned long)seed, node_count, wanted, given, explain(self->arena, plan));
    sql_world_destroy(self);
}

START_TEST(plans_give_the_rows_of_the_query)
{
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        for (uint32_t node_count = 1; node_count <= 3; node_count++) {
            check_query(queries[_i], seed * 1000 + (uint64_t)_i, node_count);
        }
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("sql_rows");
    TCase *tcase = tcase_create("rows");
    tcase_set_timeout(tcase, 60);
    tcase_add_loop_test(tcase, plans_give_the_rows_of_the_query, 0, QUERY_COUNT);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
