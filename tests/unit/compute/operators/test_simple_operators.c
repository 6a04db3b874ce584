/*
 * Values, filters, projections, limits, UNION ALL, stores, nested loops, exchanges and writes,
 * against an interpreter; and what happens when a query is canceled or its client is slow.
 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/engine/engine_run.h"
#include "tests/support/engine/made_rows.h"

static Arena *arena;
static MadeTables tables;
static PlanMake make;
static uint64_t random_state;

static void set_up(void)
{
    arena = arena_create(NULL, "test");
    tables = (MadeTables){0};
    make = (PlanMake){.arena = arena};
    random_state = 42;
}

static void tear_down(void)
{
    arena_destroy(arena);
}

static const MadeType made[3] = {MADE_INTEGER, MADE_TEXT, MADE_BIGINT};

static MadeTable *add_table(uint32_t row_count)
{
    Type types[3];
    for (uint32_t c = 0; c < 3; c++) {
        types[c] = made_type(made[c]);
    }
    MadeTable *table = made_table_add(&tables, arena, types, 3);
    made_rows_add(table, made, row_count, 20, 9, &random_state);
    return table;
}

static void check_plan(const Plan *plan, const EngineOptions *options)
{
    uint32_t node_count = options->node_count == 0 ? 1 : options->node_count;
    PlanRunResult reference = plan_run(plan, &tables.rows, node_count, arena);
    EngineResult result = engine_run(plan, &tables.rows, options, arena);
    ck_assert_msg(result.failure == NULL, "%s", result.failure);
    ck_assert_ptr_null(reference.failure);
    rows_canonical(reference.rows);
    rows_canonical(result.rows);
    ck_assert_str_eq(lines_difference(arena, rows_print(reference.rows, false),
                                      rows_print(result.rows, false)),
                     "");
    ck_assert_uint_eq(result.written_rows, reference.written_rows);
}

static void check_root(PlanNode *root, const EngineOptions *options)
{
    check_plan(make_plan(&make, root, NULL, 0), options);
}

static Expr *column_below(const PlanNode *node, uint32_t column, int64_t bound)
{
    Expr *left = make_column(&make, node, column);
    Value value = value_int64(left->type, bound);
    return make_comparison(&make, FUNCTION_LESS, left, expr_constant(arena, &value));
}

START_TEST(gives_the_values_of_a_plan)
{
    MadeTable *table = add_table((uint32_t)_i * 50);
    EngineOptions options = {.batch_rows = _i == 2 ? 3 : 0};
    check_root(make_values(&make, table), &options);
}
END_TEST

START_TEST(filters_and_projects)
{
    MadeTable *table = add_table(300);
    PlanNode *filter = make_filter(&make, make_scan(&make, table),
                                   column_below(make_scan(&make, table), 0, 4));
    Expr *exprs[4] = {make_column(&make, filter, 2), make_column(&make, filter, 1),
                      make_column(&make, filter, 2), column_below(filter, 2, 5)};
    PlanNode *project = make_project(&make, filter, exprs, 4);
    EngineOptions options = {.node_count = 2, .batch_rows = _i == 1 ? 3 : 0};
    check_root(project, &options);
}
END_TEST

START_TEST(scans_with_filters_of_every_kind)
{
    MadeTable *table = add_table(300);
    PlanScan *scan = (PlanScan *)make_scan(&make, table);
    scan->filters = ARENA_ARRAY(arena, Expr *, 2);
    scan->filters[scan->filter_count++] = column_below(&scan->node, 0, 8);
    scan->filters[scan->filter_count++] =
        make_comparison(&make, FUNCTION_LESS, expr_cast(arena, make_column(&make, &scan->node, 0),
                                                        type_of(TYPE_BIGINT), false),
                        make_column(&make, &scan->node, 2));
    scan->outputs[0] = 1; // the filtered columns are not all output
    scan->outputs[1] = 2;
    scan->node.output_types[0] = scan->node.output_types[1];
    scan->node.output_types[1] = scan->node.output_types[2];
    scan->node.output_count = 2;
    EngineOptions options = {.node_count = 2};
    check_root(&scan->node, &options);
}
END_TEST

START_TEST(limits_the_rows_of_all_workers)
{
    MadeTable *table = add_table(200);
    static const uint64_t limits[][2] = {{0, 0}, {7, 0}, {50, 20}, {500, 0}, {10, 195}, {10, 500}};
    for (uint32_t i = 0; i < 6; i++) {
        PlanNode *limit =
            make_limit(&make, make_scan(&make, table), limits[i][0], limits[i][1]);
        EngineOptions options = {.worker_count = 3, .morsel_rows = 10, .batch_rows = 4};
        EngineResult result =
            engine_run(make_plan(&make, limit, NULL, 0), &tables.rows, &options, arena);
        ck_assert_ptr_null(result.failure);
        uint64_t left = limits[i][1] < 200 ? 200 - limits[i][1] : 0;
        ck_assert_uint_eq(result.rows->count, left < limits[i][0] ? left : limits[i][0]);
    }
}
END_TEST

START_TEST(appends_the_rows_of_all_children)
{
    PlanNode *children[3];
    for (uint32_t i = 0; i < 3; i++) {
        children[i] = make_scan(&make, add_table(70 * i));
    }
    PlanNode *append = make_union_all(&make, children, 3);
    AggregateCall call = {.id = AGGREGATE_COUNT_STAR, .type = type_of(TYPE_BIGINT)};
    static const uint32_t keys[1] = {0};
    PlanAggregate *aggregate = make_aggregate(&make, append, keys, 1, &call, 1);
    EngineOptions options = {.worker_count = 3};
    check_root(&aggregate->node, &options);
    check_root(append, &options);
}
END_TEST

START_TEST(gives_stored_rows_to_all_readers)
{
    MadeTable *table = add_table(150);
    PlanStore *store = arena_alloc(arena, sizeof *store);
    PlanNode *scan = make_scan(&make, table);
    store->node = *scan;
    store->node.kind = PLAN_STORE;
    store->node.id = ++make.node_count;
    store->child = scan;
    store->store_id = 1;
    PlanNode *readers[2];
    for (uint32_t i = 0; i < 2; i++) {
        PlanStored *stored = arena_alloc(arena, sizeof *stored);
        stored->node = *scan;
        stored->node.kind = PLAN_STORED;
        stored->node.id = ++make.node_count;
        stored->store_id = 1;
        readers[i] = &stored->node;
    }
    static const uint32_t keys[1] = {0};
    PlanHashJoin *join = make_hash_join(&make, JOIN_INNER, readers[0], readers[1], keys, keys, 1);
    Plan *plan = make_plan(&make, &join->node, NULL, 0);
    PlanFragment *fragments = ARENA_ARRAY(arena, PlanFragment, 3);
    fragments[0] = (PlanFragment){.id = 3, .site = PLAN_SITE_NODES, .root = &store->node};
    memcpy(fragments + 1, plan->fragments, 2 * sizeof *fragments);
    plan->fragments = fragments;
    plan->fragment_count = 3;
    EngineOptions options = {.batch_rows = 20};
    check_plan(plan, &options);
}
END_TEST

static const JoinKind loop_kinds[] = {JOIN_INNER, JOIN_LEFT, JOIN_SEMI, JOIN_ANTI,
                                      JOIN_MARK,  JOIN_RIGHT, JOIN_FULL};

START_TEST(joins_by_nested_loops)
{
    JoinKind kind = loop_kinds[_i];
    static const uint32_t rows[][2] = {{50, 1}, {50, 0}, {0, 20}, {90, 7}, {3, 80}, {60, 60}};
    for (uint32_t i = 0; i < 12; i++) {
        PlanNode *probe = make_scan(&make, add_table(rows[i % 6][0]));
        PlanNode *build = make_scan(&make, add_table(rows[i % 6][1]));
        Expr *condition = NULL;
        if (i >= 6 || kind == JOIN_MARK) {
            condition = make_comparison(&make, FUNCTION_LESS,
                                        make_pair_column(&make, probe, build, 0),
                                        make_pair_column(&make, probe, build, 3));
        }
        PlanNestedLoopJoin *join = make_nested_loop(&make, kind, probe, build, condition);
        EngineOptions options = {.batch_rows = i % 2 == 0 ? 0 : 5, .seed = i};
        check_root(&join->node, &options);
        tables.count = 0;
    }
}
END_TEST

START_TEST(reports_a_second_row_of_a_single_join)
{
    PlanNode *probe = make_scan(&make, add_table(5));
    PlanNode *build = make_scan(&make, add_table((uint32_t)_i + 1));
    PlanNestedLoopJoin *join = make_nested_loop(&make, JOIN_SINGLE, probe, build, NULL);
    EngineOptions options = {0};
    EngineResult result =
        engine_run(make_plan(&make, &join->node, NULL, 0), &tables.rows, &options, arena);
    if (_i == 0) {
        ck_assert_ptr_null(result.failure);
        ck_assert_uint_eq(result.rows->count, 5);
    } else {
        ck_assert_ptr_nonnull(result.failure);
        ck_assert_int_eq(result.sqlstate, SQLSTATE_CARDINALITY_VIOLATION);
    }
}
END_TEST

// nodes: SEND (hash, broadcast, round robin) <- SCAN; nodes: SEND gather <- AGGREGATE <- RECEIVE;
// with a build table: nodes: SEND gather <- JOIN <- RECEIVE, SCAN
static Plan *exchange_plan(MadeTable *table, ExchangeKind kind, MadeTable *build)
{
    PlanNode *scan = make_scan(&make, table);
    PlanSend *send = arena_alloc(arena, sizeof *send);
    send->node = *scan;
    send->node.kind = PLAN_SEND;
    send->node.id = ++make.node_count;
    send->child = scan;
    send->exchange_id = 2;
    send->exchange = kind;
    send->key_count = kind == EXCHANGE_HASH ? 1 : 0;
    static uint32_t keys[1] = {1};
    send->keys = keys;
    PlanReceive *receive = arena_alloc(arena, sizeof *receive);
    receive->node = *scan;
    receive->node.kind = PLAN_RECEIVE;
    receive->node.id = ++make.node_count;
    receive->exchange_id = 2;
    AggregateCall call = {.id = AGGREGATE_COUNT_STAR, .type = type_of(TYPE_BIGINT)};
    static const uint32_t group[1] = {1};
    PlanAggregate *aggregate = make_aggregate(&make, &receive->node, group, 1, &call, 1);
    PlanNode *root = kind == EXCHANGE_HASH ? &aggregate->node : &receive->node;
    if (build != NULL) {
        root = &make_hash_join(&make, JOIN_INNER, &receive->node, make_scan(&make, build), group,
                               group, 1)
                    ->node;
    }
    Plan *plan = make_plan(&make, root, NULL, 0);
    PlanFragment *fragments = ARENA_ARRAY(arena, PlanFragment, 3);
    fragments[0] = (PlanFragment){.id = 3, .site = PLAN_SITE_NODES, .root = &send->node};
    memcpy(fragments + 1, plan->fragments, 2 * sizeof *fragments);
    plan->fragments = fragments;
    plan->fragment_count = 3;
    PlanExchange *exchanges = ARENA_ARRAY(arena, PlanExchange, 2);
    exchanges[0] = plan->exchanges[0];
    exchanges[1] = (PlanExchange){.id = 2, .kind = kind, .source_site = PLAN_SITE_NODES,
                                  .target_site = PLAN_SITE_NODES,
                                  .column_count = scan->output_count,
                                  .types = scan->output_types};
    plan->exchanges = exchanges;
    plan->exchange_count = 2;
    return plan;
}

START_TEST(exchanges_rows_between_nodes)
{
    static const ExchangeKind kinds[] = {EXCHANGE_HASH, EXCHANGE_BROADCAST, EXCHANGE_ROUND_ROBIN};
    Plan *plan = exchange_plan(add_table(2000), kinds[_i % 3], NULL);
    for (uint32_t nodes = 1; nodes <= 3; nodes++) {
        EngineOptions options = {.node_count = nodes, .exchange_encode = _i >= 3,
                                 .batch_rows = nodes == 2 ? 6 : 0, .worker_count = nodes};
        check_plan(plan, &options);
    }
}
END_TEST

// A join without build rows takes none of the rows that are sent to it: nobody may wait for that.
START_TEST(senders_end_when_nobody_receives)
{
    for (uint32_t build_rows = 0; build_rows < 2; build_rows++) {
        Plan *plan = exchange_plan(add_table(2000), EXCHANGE_BROADCAST, add_table(build_rows));
        EngineOptions options = {.node_count = 2, .exchange_encode = _i == 1, .batch_rows = 3};
        check_plan(plan, &options);
    }
}
END_TEST

START_TEST(writes_rows_and_counts_them)
{
    MadeTable *table = add_table(120);
    PlanTableWrite *write = arena_alloc(arena, sizeof *write);
    PlanNode *scan = make_scan(&make, table);
    write->node = *scan;
    write->node.kind = PLAN_TABLE_WRITE;
    write->node.id = ++make.node_count;
    write->node.output_count = 1;
    write->node.output_types = ARENA_NEW(arena, Type);
    write->node.output_types[0] = type_of(TYPE_BIGINT);
    write->child = scan;
    write->table = &table->plan;
    EngineOptions options = {.node_count = 2};
    check_root(&write->node, &options);
}
END_TEST

START_TEST(waits_for_a_slow_client)
{
    MadeTable *table = add_table(3000);
    EngineOptions options = {.block_every = 3, .batch_rows = 10, .node_count = 2};
    check_root(make_scan(&make, table), &options);
}
END_TEST

START_TEST(stops_when_canceled)
{
    MadeTable *table = add_table(3000);
    PlanNode *probe = make_scan(&make, table);
    static const uint32_t keys[1] = {0};
    PlanHashJoin *join =
        make_hash_join(&make, JOIN_INNER, probe, make_scan(&make, table), keys, keys, 1);
    EngineOptions options = {.cancel_after_batches = 1 + (uint32_t)_i * 5, .batch_rows = 100,
                             .node_count = 2, .worker_count = 3};
    EngineResult result =
        engine_run(make_plan(&make, &join->node, NULL, 0), &tables.rows, &options, arena);
    ck_assert_ptr_nonnull(result.failure);
    ck_assert_int_eq(result.sqlstate, SQLSTATE_QUERY_CANCELED);
}
END_TEST

START_TEST(counts_rows_per_plan_node)
{
    MadeTable *table = add_table(500);
    PlanNode *limit = make_limit(&make, make_scan(&make, table), 30, 0);
    EngineOptions options = {0};
    EngineResult result =
        engine_run(make_plan(&make, limit, NULL, 0), &tables.rows, &options, arena);
    bool is_found = false;
    for (uint32_t i = 0; i < result.statistic_count; i++) {
        const PlanNodeStatistics *node = &result.statistics[i];
        if (node->plan_node_id == limit->id) {
            ck_assert_uint_eq(node->rows, 30);
            ck_assert_uint_eq(node->site, 1);
            is_found = true;
        }
    }
    ck_assert(is_found);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("simple_operators");
    TCase *tcase = tcase_create("simple_operators");
    tcase_set_timeout(tcase, 300);
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_add_loop_test(tcase, gives_the_values_of_a_plan, 0, 3);
    tcase_add_loop_test(tcase, filters_and_projects, 0, 2);
    tcase_add_test(tcase, scans_with_filters_of_every_kind);
    tcase_add_test(tcase, limits_the_rows_of_all_workers);
    tcase_add_test(tcase, appends_the_rows_of_all_children);
    tcase_add_test(tcase, gives_stored_rows_to_all_readers);
    tcase_add_loop_test(tcase, joins_by_nested_loops, 0, 7);
    tcase_add_loop_test(tcase, reports_a_second_row_of_a_single_join, 0, 2);
    tcase_add_loop_test(tcase, exchanges_rows_between_nodes, 0, 6);
    tcase_add_loop_test(tcase, senders_end_when_nobody_receives, 0, 2);
    tcase_add_test(tcase, writes_rows_and_counts_them);
    tcase_add_test(tcase, waits_for_a_slow_client);
    tcase_add_loop_test(tcase, stops_when_canceled, 0, 4);
    tcase_add_test(tcase, counts_rows_per_plan_node);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
