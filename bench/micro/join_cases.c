/* join_cases.c — hash joins: the build side by build row, the probe side by probe row. */
#include <stdio.h>

#include "bench/micro/operator_case.h"
#include "compute/operators/hash_join.h"

enum { SMALL = 150, LARGE = 1465, PROBES = 512 }; // batches: 150 k, 1.5 M and 0.5 M rows
enum { SMALL_ROWS = SMALL * VECTOR_ROWS, LARGE_ROWS = LARGE * VECTOR_ROWS };
enum { OUTPUTS_MAX = 4 };

#define PAYLOAD                                                                                    \
    {.letter = 'd', .value = made_any_below, .parameter = 2500},                                   \
    {                                                                                              \
        .letter = 'i', .value = made_any_below, .parameter = 5                                     \
    }
#define KEY(make, limit)                                                                           \
    {                                                                                              \
        .letter = 'b', .value = (make), .parameter = (limit)                                       \
    }
#define TEXT_KEY(make, limit)                                                                      \
    {                                                                                              \
        .letter = 'v', .text = (make), .parameter = (limit)                                        \
    }
#define KEYED(name, batches, ...)                                                                  \
    static MadeTable name = {                                                                      \
        .batch_count = (batches), .column_count = 3, .columns = {__VA_ARGS__, PAYLOAD}}

KEYED(small, SMALL, KEY(made_row_number, 4));
KEYED(large, LARGE, KEY(made_row_number, 4));
KEYED(probe_small, PROBES, KEY(made_any_below, SMALL_ROWS * 4));
KEYED(probe_large, PROBES, KEY(made_any_below, LARGE_ROWS * 4));
KEYED(probe_hits, PROBES, KEY(made_any_of, LARGE_ROWS));
KEYED(probe_clustered, PROBES, KEY(made_clustered, 4));
KEYED(sparse_small, SMALL, KEY(made_sparse_row, 0));
KEYED(sparse_large, LARGE, KEY(made_sparse_row, 0));
KEYED(sparse_twice, LARGE, KEY(made_sparse_again, LARGE_ROWS / 2));
KEYED(sparse_few, PROBES, KEY(made_sparse, SMALL_ROWS));
KEYED(sparse_hits, PROBES, KEY(made_sparse, LARGE_ROWS));
KEYED(sparse_half, PROBES, KEY(made_sparse, LARGE_ROWS / 2));
KEYED(sparse_tenth, PROBES, KEY(made_sparse, LARGE_ROWS * 10));
KEYED(names, LARGE, TEXT_KEY(made_name_row, 0));
KEYED(name_hits, PROBES, TEXT_KEY(made_name, LARGE_ROWS));
// Two keys that do not fit a word together, both following from the number of the build row.
static int64_t other_of_row(uint64_t row, int64_t unused)
{
    return made_sparse_row(row * 3 + 1, unused);
}
static uint64_t far_row(uint64_t row, int64_t row_count)
{
    return row * 611953 % (uint64_t)row_count;
}
static int64_t first_of_far_row(uint64_t row, int64_t row_count)
{
    return made_sparse_row(far_row(row, row_count), 0);
}
static int64_t other_of_far_row(uint64_t row, int64_t row_count)
{
    return other_of_row(far_row(row, row_count), 0);
}
static MadeTable wide = {.batch_count = LARGE,
                         .column_count = 4,
                         .columns = {KEY(made_sparse_row, 0), KEY(other_of_row, 0), PAYLOAD}};
static MadeTable wide_hits = {
    .batch_count = PROBES,
    .column_count = 4,
    .columns = {KEY(first_of_far_row, LARGE_ROWS), KEY(other_of_far_row, LARGE_ROWS), PAYLOAD}};

typedef struct JoinCase {
    OperatorCase head;
    bool is_build; /* timed is the build side */
    JoinKind kind;
    MadeTable *probe, *build;
    uint32_t key_count; /* the first columns of both */
    uint32_t payload_count;
    bool is_unique;
} JoinCase;

static PlanHashJoin *make_plan(const JoinCase *join, Arena *arena)
{
    PlanHashJoin *plan = ARENA_NEW(arena, PlanHashJoin);
    const MadeTable *probe = join->probe, *build = join->build;
    *plan = (PlanHashJoin){.join = join->kind,
                           .probe = &join->probe->node,
                           .build = &join->build->node,
                           .key_count = join->key_count,
                           .is_build_unique = join->is_unique,
                           .probe_keys = ARENA_ARRAY(arena, Expr *, join->key_count),
                           .build_keys = ARENA_ARRAY(arena, Expr *, join->key_count),
                           .is_null_equal = ARENA_ARRAY(arena, bool, join->key_count),
                           .outputs = ARENA_ARRAY(arena, uint32_t, OUTPUTS_MAX)};
    plan->node = (PlanNode){.kind = PLAN_HASH_JOIN,
                            .id = 1,
                            .output_count = 1 + join->payload_count,
                            .output_types = ARENA_ARRAY(arena, Type, OUTPUTS_MAX)};
    for (uint32_t k = 0; k < join->key_count; k++) {
        plan->probe_keys[k] = expr_column(arena, k, probe->types[k]);
        plan->build_keys[k] = expr_column(arena, k, build->types[k]);
    }
    plan->node.output_types[0] = probe->types[0];
    for (uint32_t c = 0; c < join->payload_count; c++) {
        plan->outputs[1 + c] = probe->column_count + join->key_count + c;
        plan->node.output_types[1 + c] = build->types[join->key_count + c];
    }
    return plan;
}

// All of the build side, as its pipelines do it; returns its time.
static double run_build(const HashJoinParts *parts, const MadeTable *build, void **local)
{
    Flow flow;
    Batch none = {0};
    const double start = cpu_ns();
    *local = sink_start(parts->build);
    sink_offer(parts->build, *local, build, 1);
    sink_finish(parts->build, *local);
    do {
        must(parts->insert->ops->produce(parts->insert, NULL, &none, &flow));
    } while (flow == FLOW_MORE);
    must(parts->inserted->ops->finish(parts->inserted, &flow));
    return cpu_ns() - start;
}

static double run_probe(const HashJoinParts *parts, void *local, const MadeTable *probe, Batch *out,
                        uint64_t *rows)
{
    Flow flow;
    const double start = cpu_ns();
    for (uint32_t b = 0; b < probe->batch_count; b++) {
        Batch in = probe->batches[b];
        do {
            out->selected_count = 0;
            must(parts->probe->ops->apply(parts->probe, local, &in, out, &flow));
            *rows += out->selected_count;
        } while (flow == FLOW_AGAIN);
    }
    return cpu_ns() - start;
}

static double run_join(OperatorCase *self)
{
    JoinCase *join = (JoinCase *)self;
    const MadeTable *probe = made_table(join->probe), *build = made_table(join->build);
    QueryContext *query = bench_query_begin();
    HashJoinParts parts;
    Batch out;
    void *build_local;
    uint64_t rows = 0;
    must(hash_join_create(query, make_plan(join, query->arena), &parts));
    double ns = run_build(&parts, build, &build_local) / made_table_rows(build);
    void *local = transform_start(parts.probe);
    batch_init(&out, 1 + join->payload_count, query->arena);
    if (!join->is_build) {
        run_probe(&parts, local, probe, &out, &rows);
        rows = 0;
        ns = run_probe(&parts, local, probe, &out, &rows) / made_table_rows(probe);
    }
    transform_close(parts.probe, local);
    sink_close(parts.build, build_local);
    snprintf(self->note, sizeof self->note, "%s", parts.probe->statistics.variant);
    if (!join->is_build) {
        snprintf(self->note, sizeof self->note, "%s, %.2f rows out",
                 parts.probe->statistics.variant, (double)rows / made_table_rows(probe));
    }
    bench_query_end();
    return ns;
}

#define TIMED(title, what, gate, loop)                                                             \
    .head = {.name = (title), .unit = (what), .gate_ns = (gate), .reference = (loop)}
#define PROBE(title, gate) TIMED(title, "probe", gate, REFERENCE_LANES), .is_build = false
#define FAR_PROBE(title, gate) TIMED(title, "probe", gate, REFERENCE_READS), .is_build = false
#define FAR_BUILD(title, gate) TIMED(title, "build row", gate, REFERENCE_READS), .is_build = true

static JoinCase joins[] = {
    {PROBE("bitmap semi join, 150 k keys", 1.2), JOIN_SEMI, &probe_small, &small, 1, 0, true},
    {PROBE("bitmap semi join, 1.5 M keys", 1.2), JOIN_SEMI, &probe_large, &large, 1, 0, true},
    {PROBE("dense array join, 150 k keys, payload", 5), JOIN_INNER, &probe_small, &small, 1, 1,
     true},
    {FAR_PROBE("dense array join, 1.5 M keys, payload", 5), JOIN_INNER, &probe_large, &large, 1, 1,
     true},
    {FAR_PROBE("dense array join, 1.5 M keys, payload, all hit", 5), JOIN_INNER, &probe_hits,
     &large, 1, 1, true},
    {PROBE("dense array join, 1.5 M keys, 2 payloads, clustered", 5), JOIN_INNER, &probe_clustered,
     &large, 1, 2, true},
    {PROBE("dense array left join, 150 k keys, payload", 0), JOIN_LEFT, &probe_small, &small, 1, 1,
     true},
    {FAR_BUILD("flat hash join build, 1.5 M keys", 12), JOIN_INNER, &sparse_hits, &sparse_large, 1,
     1, true},
    {FAR_PROBE("flat hash join probe, 1.5 M keys", 10), JOIN_INNER, &sparse_hits, &sparse_large, 1,
     1, true},
    {FAR_PROBE("flat hash join probe, 1.5 M keys, 10 % hit", 0), JOIN_INNER, &sparse_tenth,
     &sparse_large, 1, 1, true},
    {PROBE("flat hash join probe, 150 k keys", 0), JOIN_INNER, &sparse_few, &sparse_small, 1, 1,
     true},
    {FAR_PROBE("adjacency join probe, 1.5 M rows, each key twice", 22), JOIN_INNER, &sparse_half,
     &sparse_twice, 1, 1, false},
    {FAR_PROBE("adjacency join probe, 1.5 M rows, two wide keys", 22), JOIN_INNER, &wide_hits,
     &wide, 2, 1, true},
    {FAR_PROBE("adjacency join probe, 1.5 M rows, text key", 22), JOIN_INNER, &name_hits, &names, 1,
     1, true},
};

void join_cases_add(void)
{
    for (uint32_t i = 0; i < sizeof joins / sizeof joins[0]; i++) {
        joins[i].head.run = run_join;
        operator_case_add(&joins[i].head);
    }
}
