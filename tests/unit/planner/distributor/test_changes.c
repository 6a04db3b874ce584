/*
 * test_changes.c — statements that change rows: plans run on make-believe clusters of one to four
 * nodes must leave the table that a query says, on every node that holds it, and count as the bound
 * tree does.
 */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "planner/distributor/distribute.h"
#include "tests/support/planner/sql_world.h"

#define SEEDS 6
#define NODES_MAX 4

typedef struct Change {
    const char *text, *expected;
} Change;

static const Change changes[] = {
#define CHANGE(text, expected) {text, expected},
#include "tests/unit/planner/distributor/changes.def"
#undef CHANGE
};
#define CHANGE_COUNT (int)(sizeof(changes) / sizeof(changes[0]))

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

static BoundStatement *bind(SqlWorld *world, const char *text, uint32_t node_count,
                            PlannerContext *context)
{
    BoundStatement *bound;
    must(sql_bind(&world->catalog, text, node_count, world->arena, context, &bound), text);
    return bound;
}

/* The rows of a bound tree by definition, or why there are none. */
static const char *rows_of(SqlWorld *world, const LogicalNode *root, const char **failure)
{
    return rows_print(logical_run(root, &world->tables, world->arena, failure), false);
}

/* The target after the plan has run: what one node holds of an ALL table, else all of it. */
static const char *rows_after(SqlWorld *world, const PlanRunResult *result,
                              const CatalogTable *target, uint32_t node)
{
    if (result->changes.count == 0) {
        return rows_print(world->tables.find(world->tables.self, target->table_id), false);
    }
    const TableChange *change = &result->changes.items[0];
    ck_assert_uint_eq(result->changes.count, 1);
    ck_assert_uint_eq(change->table->table_id, target->table_id);
    return rows_print(table_change_result(change, node, world->arena), false);
}

static void check_change(const Change *change, uint64_t seed, uint32_t node_count)
{
    SqlWorld *world = sql_world_create(seed);
    PlannerContext context;
    const LogicalNode *query = bind(world, change->expected, node_count, &context)->root;
    const char *query_failure, *failure;
    const char *wanted = rows_of(world, query, &query_failure);
    BoundStatement *bound = bind(world, change->text, node_count, &context);
    const char *wanted_count = rows_of(world, bound->root, &failure);
    Plan *plan;
    must(plan_query(&context, bound->root, NULL, 0, &plan), change->text);
    must(plan_through_codec(&plan, world->arena), change->text);
    PlanRunResult result = plan_run(plan, &world->tables, node_count, world->arena);
    const char *place = arena_printf(world->arena, "%s\nseed %lu, %u nodes\n%s", change->text,
                                     (unsigned long)seed, node_count, explain(world->arena, plan));
    ck_assert_msg((result.failure == NULL) == (failure == NULL), "%s\n%s", place,
                  failure == NULL ? result.failure : failure);
    if (failure != NULL) {
        sql_world_destroy(world);
        return;
    }
    ck_assert_msg(query_failure == NULL, "%s\n%s", change->expected, query_failure);
    ck_assert_msg(!result.has_misplaced_write, "%s", place);
    for (uint32_t node = 0; node < node_count; node++) {
        const char *given = rows_after(world, &result, bound->target, node);
        ck_assert_msg(strcmp(wanted, given) == 0, "%s\nexpected\n%sgot on node %u\n%s", place,
                      wanted, node + 1, given);
    }
    const char *count = rows_print(result.rows, false);
    ck_assert_msg(strcmp(wanted_count, count) == 0, "%s\nexpected count %sgot %s", place,
                  wanted_count, count);
    sql_world_destroy(world);
}

START_TEST(tables_end_as_the_query_says)
{
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        for (uint32_t node_count = 1; node_count <= NODES_MAX; node_count++) {
            check_change(&changes[_i], seed * 1000 + (uint64_t)_i, node_count);
        }
    }
}
END_TEST

/* Statements whose rows meet one partner at most, and some that may meet several. */
static const struct {
    const char *text;
    bool has_choice;
} choices[] = {
    {"update r set a = b", false},
    {"update r set a = 1 from s where r.k = s.k", false},
    {"update r set a = s.b from s where r.k = s.k", true},
    {"update r set a = m from (select k, max(b) m from s group by k) y where r.k = y.k", false},
    {"update r set a = m from (select k, max(b) m from s group by k) y where r.k < y.k", true},
    {"update r set a = m from (select max(b) m from s) y", false},
    {"update r set a = y.a from (select distinct k, a from s) y where r.k = y.k", true},
    {"update r set a = y.a from (select distinct k, a from s) y where y.k = r.k and y.a = 3",
     false},
    {"update d set a = m from (select k + 1 j, max(b) m from s group by 1) y where d.k = y.j",
     false},
    {"update r set a = y.b from (select k, b, row_number() over (partition by k order by c) n "
     "from s) y where r.k = y.k and n = 1",
     false},
    {"update r set a = x.m from (select k, max(a) m from s group by k) x, (select a, min(b) m "
     "from u group by a) y where r.k = x.k and x.m = y.a and y.m > r.b",
     false},
};

/* One match is chosen only where there may be two. */
START_TEST(choices_are_made_where_needed)
{
    for (size_t i = 0; i < sizeof(choices) / sizeof(choices[0]); i++) {
        SqlWorld *world = sql_world_create(1);
        PlannerContext context;
        Plan *plan;
        BoundStatement *bound = bind(world, choices[i].text, 3, &context);
        must(plan_query(&context, bound->root, NULL, 0, &plan), choices[i].text);
        const char *text = explain(world->arena, plan);
        bool has_choice = strstr(text, "match") != NULL;
        ck_assert_msg(has_choice == choices[i].has_choice, "%s\n%s", choices[i].text, text);
        sql_world_destroy(world);
    }
}
END_TEST

/* Random values of an ALL table's rows are drawn once for all nodes. */
START_TEST(random_values_of_an_all_table_are_sent_to_all_nodes)
{
    static const char text[] = "update d set a = cast(random() * 10 as bigint) where b > 1";
    SqlWorld *world = sql_world_create(1);
    PlannerContext context;
    Plan *plan;
    BoundStatement *bound = bind(world, text, 2, &context);
    must(plan_query(&context, bound->root, NULL, 0, &plan), text);
    uint32_t broadcasts = 0;
    for (uint32_t i = 0; i < plan->exchange_count; i++) {
        broadcasts += plan->exchanges[i].kind == EXCHANGE_BROADCAST &&
                      plan->exchanges[i].source_site == PLAN_SITE_ONE_NODE;
    }
    ck_assert_uint_eq(broadcasts, 1);
    sql_world_destroy(world);
}
END_TEST

/* Who chooses an ALL table's rows at random would choose others on every node. */
START_TEST(random_rows_of_an_all_table_are_refused)
{
    SqlWorld *world = sql_world_create(1);
    PlannerContext context;
    Plan *plan;
    for (uint32_t node_count = 1; node_count <= 2; node_count++) {
        BoundStatement *bound =
            bind(world, "delete from d where random() < 0.5", node_count, &context);
        Status status = plan_query(&context, bound->root, NULL, 0, &plan);
        if (node_count == 1) {
            ck_assert_ptr_null(status);
        } else {
            ck_assert_ptr_nonnull(status);
            ck_assert_int_eq(status_sqlstate(status), SQLSTATE_FEATURE_NOT_SUPPORTED);
            status_free(status);
        }
    }
    sql_world_destroy(world);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("changes");
    TCase *tcase = tcase_create("rows");
    tcase_set_timeout(tcase, 60);
    tcase_add_loop_test(tcase, tables_end_as_the_query_says, 0, CHANGE_COUNT);
    tcase_add_test(tcase, choices_are_made_where_needed);
    tcase_add_test(tcase, random_values_of_an_all_table_are_sent_to_all_nodes);
    tcase_add_test(tcase, random_rows_of_an_all_table_are_refused);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
