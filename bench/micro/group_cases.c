/* group_cases.c — groups and their aggregates, from the first row to the finished table. */
#include <stdio.h>

#include "bench/micro/operator_case.h"
#include "compute/operators/hash_aggregate.h"

// Few groups: few enough rows to stay in cache, as what a scan has just decoded does.
enum { CACHED = 32, FEW_TIMES = 128, LARGE = 4096 };
enum { CALLS_MAX = 4 };

#define GROUPED(name, batches, key_letter, key, limit)                                             \
    static MadeTable name = {                                                                      \
        .batch_count = (batches),                                                                  \
        .column_count = 2,                                                                         \
        .columns = {{.letter = (key_letter), .value = (key), .parameter = (limit)},                \
                    {.letter = 'p', .value = made_any_below, .parameter = 10000000}}}

GROUPED(dense_4, CACHED, 'i', made_any_below, 4);
GROUPED(dense_1e3, CACHED, 'i', made_any_below, 1000);
GROUPED(dense_1e6, LARGE, 'i', made_any_below, 1000000);
GROUPED(clustered, LARGE, 'b', made_clustered, 4);
GROUPED(sparse_1e3, CACHED, 'b', made_sparse, 1000);
GROUPED(sparse_3e4, LARGE, 'b', made_sparse, 30000);
GROUPED(sparse_1e6, LARGE, 'b', made_sparse, 1000000);

typedef struct GroupCase {
    OperatorCase head;
    MadeTable *table;
    uint32_t key_count, times;
    double groups;
    bool has_bounds; /* of the key, as statistics give them */
} GroupCase;

static PlanAggregate *make_plan(const GroupCase *group, Arena *arena)
{
    MadeTable *table = group->table;
    AggregateCall *calls = ARENA_ARRAY(arena, AggregateCall, CALLS_MAX);
    Expr **keys = ARENA_ARRAY(arena, Expr *, 1);
    Type *types = ARENA_ARRAY(arena, Type, CALLS_MAX);
    const Type amount = table->types[1];
    keys[0] = expr_column(arena, 0, table->types[0]);
    calls[0] = (AggregateCall){.id = AGGREGATE_COUNT_STAR, .type = type_of(TYPE_BIGINT)};
    calls[1] = (AggregateCall){.id = AGGREGATE_SUM,
                               .argument = expr_column(arena, 1, amount),
                               .type = aggregate_sum_type(amount)};
    types[0] = table->types[0];
    types[group->key_count] = calls[0].type;
    types[group->key_count + 1] = calls[1].type;
    PlanAggregate *plan = ARENA_NEW(arena, PlanAggregate);
    *plan = (PlanAggregate){.child = &table->node,
                            .key_count = group->key_count,
                            .keys = keys,
                            .aggregate_count = 2,
                            .aggregates = calls,
                            .estimated_groups = group->groups,
                            .has_key_bounds = group->has_bounds,
                            .key_max = (int64_t)group->groups - 1};
    plan->node = (PlanNode){.kind = PLAN_AGGREGATE,
                            .id = 1,
                            .output_types = types,
                            .output_count = group->key_count + 2};
    return plan;
}

static double run_group(OperatorCase *self)
{
    GroupCase *group = (GroupCase *)self;
    const MadeTable *table = made_table(group->table);
    QueryContext *query = bench_query_begin();
    Sink *sink;
    Source *source;
    must(hash_aggregate_create(query, make_plan(group, query->arena), &sink, &source));
    const double start = cpu_ns();
    void *local = sink_start(sink);
    sink_offer(sink, local, table, group->times);
    sink_finish(sink, local);
    const double ns = cpu_ns() - start;
    sink_close(sink, local);
    snprintf(self->note, sizeof self->note, "%s", sink->statistics.variant);
    bench_query_end();
    return ns / (made_table_rows(table) * group->times);
}

#define GROUP(title, gate) .head = {.name = (title), .unit = "row", .gate_ns = (gate)}
#define FAR_GROUP(title, gate)                                                                     \
    .head = {.name = (title), .unit = "row", .gate_ns = (gate), .reference = REFERENCE_READS}

static GroupCase groups[] = {
    {GROUP("no keys, count and sum", 0), &dense_4, 0, FEW_TIMES, 1, false},
    {GROUP("dense groups, 4", 0), &dense_4, 1, FEW_TIMES, 4, true},
    {GROUP("dense groups, 1e3", 1.5), &dense_1e3, 1, FEW_TIMES, 1e3, true},
    {FAR_GROUP("dense groups, 1e6", 8), &dense_1e6, 1, 1, 1e6, true},
    {GROUP("dense groups of 4 neighbours each, 1e6", 0), &clustered, 1, 1, 1e6, false},
    {GROUP("hash groups, 1e3", 9), &sparse_1e3, 1, FEW_TIMES, 1e3, false},
    {GROUP("hash groups, 3e4", 0), &sparse_3e4, 1, 1, 3e4, false},
    {FAR_GROUP("hash groups, 1e6", 25), &sparse_1e6, 1, 1, 1e6, false},
};

void group_cases_add(void)
{
    for (uint32_t i = 0; i < sizeof groups / sizeof groups[0]; i++) {
        groups[i].head.run = run_group;
        operator_case_add(&groups[i].head);
    }
}
