/*
 * engine_bench.c — joins, groups and sorts on one core, operator by operator, in ns per row.
 *
 * Batches are made once, with the lanes a scan would give, and offered again and again; so what is
 * measured is the operator alone. Usage: engine_bench [name part]
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/micro/bench.h"
#include "compute/exec/scheduler.h"
#include "compute/operators/hash_aggregate.h"
#include "compute/operators/hash_join.h"
#include "compute/operators/sort.h"

enum { BATCHES = 512, ROWS = BATCHES * VECTOR_ROWS, COLUMNS_MAX = 8, PASSES = 20 };

static QueryContext query;
static const char *wanted = "";

typedef struct Table {
    uint32_t batch_count, column_count;
    Type types[COLUMNS_MAX];
    Batch *batches;
    PlanValues node;
} Table;

static Table *table_create(uint32_t batch_count, const Type *types, uint32_t column_count)
{
    Table *table = ARENA_NEW(query.arena, Table);
    table->batch_count = batch_count;
    table->column_count = column_count;
    memcpy(table->types, types, column_count * sizeof *types);
    table->batches = ARENA_ARRAY(query.arena, Batch, batch_count);
    for (uint32_t b = 0; b < batch_count; b++) {
        batch_init(&table->batches[b], column_count, query.arena);
        table->batches[b].row_count = table->batches[b].selected_count = VECTOR_ROWS;
    }
    table->node.node = (PlanNode){.kind = PLAN_VALUES, .output_count = column_count,
                                  .output_types = table->types,
                                  .estimated_rows = (double)batch_count * VECTOR_ROWS};
    return table;
}

// Column `column` of value(row): the narrowest lane that holds each batch.
static void fill(Table *table, uint32_t column, int64_t (*value)(uint64_t row, int64_t parameter),
                 int64_t parameter)
{
    for (uint32_t b = 0; b < table->batch_count; b++) {
        int64_t values[VECTOR_ROWS];
        int64_t lo = INT64_MAX;
        int64_t hi = INT64_MIN;
        for (uint32_t i = 0; i < VECTOR_ROWS; i++) {
            values[i] = value((uint64_t)b * VECTOR_ROWS + i, parameter);
            lo = values[i] < lo ? values[i] : lo;
            hi = values[i] > hi ? values[i] : hi;
        }
        uint64_t span = (uint64_t)(hi - lo);
        Lane lane = span < 256 ? LANE_U8 : span < 65536 ? LANE_U16 : span >> 32 ? LANE_I64 : LANE_U32;
        int64_t base = lane == LANE_I64 ? 0 : lo;
        char *lanes = arena_alloc_aligned(query.arena, VECTOR_ROWS * lane_bytes(lane) + 64, 64);
        for (uint32_t i = 0; i < VECTOR_ROWS; i++) {
            int64_t offset = values[i] - base;
            memcpy(lanes + i * lane_bytes(lane), &offset, lane_bytes(lane));
        }
        table->batches[b].columns[column] =
            (Vector){.type = table->types[column], .lane = (uint8_t)lane, .form = VECTOR_FLAT,
                     .base = base, .lo = lo, .hi = hi, .data = lanes};
    }
}

static void fill_codes(Table *table, uint32_t column, const char *const *texts, uint32_t count)
{
    TextView *entries = ARENA_ARRAY(query.arena, TextView, count + 8);
    Dictionary *dictionary = ARENA_NEW(query.arena, Dictionary);
    for (uint32_t i = 0; i < count; i++) {
        entries[i] = text_view_make(texts[i], strlen(texts[i]));
    }
    *dictionary = (Dictionary){.lane = LANE_TEXT, .entry_count = count, .entries = entries,
                               .is_sorted = true, .is_unique = true, .identity = column + 1};
    for (uint32_t b = 0; b < table->batch_count; b++) {
        uint8_t *codes = arena_alloc_aligned(query.arena, VECTOR_ROWS + 64, 64);
        for (uint32_t i = 0; i < VECTOR_ROWS; i++) {
            codes[i] = (uint8_t)draw(count);
        }
        table->batches[b].columns[column] =
            (Vector){.type = table->types[column], .lane = LANE_U8, .form = VECTOR_DICTIONARY,
                     .data = codes, .dictionary = dictionary};
    }
}

static int64_t any_below(uint64_t row, int64_t limit)
{
    (void)row;
    return (int64_t)draw((uint64_t)limit);
}
static int64_t row_number(uint64_t row, int64_t step)
{
    return (int64_t)row * step;
}
static int64_t clustered(uint64_t row, int64_t per_key)
{
    return (int64_t)row / per_key * 4;
}
static int64_t sparse(uint64_t row, int64_t limit)
{
    (void)row;
    return (int64_t)(draw((uint64_t)limit) * UINT64_C(0x9E3779B97F4A7C15) >> 3);
}
static int64_t sparse_row(uint64_t row, int64_t unused)
{
    (void)unused;
    return (int64_t)(row * UINT64_C(0x9E3779B97F4A7C15) >> 3);
}

static Expr *column_of(const Table *table, uint32_t column)
{
    return expr_column(query.arena, column, table->types[column]);
}

static void run_sink(Sink *sink, Table *table, void *local)
{
    Flow flow;
    for (uint32_t b = 0; b < table->batch_count; b++) {
        Batch batch = table->batches[b];
        must(sink->ops->consume(sink, local, &batch, &flow));
    }
}

static void report(const char *name, double ns, double rows, const char *note)
{
    printf("%-44s %8.2f ns/row  %s\n", name, ns / rows, note);
}

static void bench_join(const char *name, JoinKind kind, Table *probe, Table *build,
                       uint32_t payload_count, bool is_unique)
{
    if (strstr(name, wanted) == NULL) {
        return;
    }
    PlanHashJoin plan = {.join = kind, .probe = &probe->node.node, .build = &build->node.node,
                         .key_count = 1, .is_build_unique = is_unique};
    Expr *probe_key = column_of(probe, 0);
    Expr *build_key = column_of(build, 0);
    bool null_equal = false;
    uint32_t outputs[COLUMNS_MAX] = {0};
    Type types[COLUMNS_MAX] = {probe->types[0]};
    plan.probe_keys = &probe_key;
    plan.build_keys = &build_key;
    plan.is_null_equal = &null_equal;
    plan.outputs = outputs;
    plan.node = (PlanNode){.kind = PLAN_HASH_JOIN, .id = 1, .output_count = 1 + payload_count,
                           .output_types = types};
    for (uint32_t c = 0; c < payload_count; c++) {
        outputs[1 + c] = probe->column_count + 1 + c;
        types[1 + c] = build->types[1 + c];
    }
    HashJoinParts parts;
    must(hash_join_create(&query, &plan, &parts));
    Arena *arena = arena_create(query.arena, "worker");
    Flow flow;
    double start = cpu_ns();
    void *local = arena_alloc_aligned(arena, parts.build->ops->local_bytes, 64);
    must(parts.build->ops->local_open(parts.build, local, arena));
    run_sink(parts.build, build, local);
    must(parts.build->ops->merge(parts.build, local, &flow));
    must(parts.build->ops->finish(parts.build, &flow));
    Batch none = {0};
    do {
        must(parts.insert->ops->produce(parts.insert, NULL, &none, &flow));
    } while (flow == FLOW_MORE);
    must(parts.inserted->ops->finish(parts.inserted, &flow));
    double built = cpu_ns() - start;
    local = arena_alloc_aligned(arena, parts.probe->ops->local_bytes, 64);
    must(parts.probe->ops->local_open(parts.probe, local, arena));
    Batch out;
    batch_init(&out, 1 + payload_count, arena);
    double best = 1e300;
    uint64_t rows = 0;
    for (int pass = 0; pass < PASSES; pass++) {
        rows = 0;
        start = cpu_ns();
        for (uint32_t b = 0; b < probe->batch_count; b++) {
            Batch in = probe->batches[b];
            do {
                out.selected_count = 0;
                must(parts.probe->ops->apply(parts.probe, local, &in, &out, &flow));
                rows += out.selected_count;
            } while (flow == FLOW_AGAIN);
        }
        double spent = cpu_ns() - start;
        best = spent < best ? spent : best;
    }
    parts.build->ops->close(parts.build);
    char note[128];
    snprintf(note, sizeof note, "build %.2f ns/row, %s, %.0f%% hits",
             built / ((double)build->batch_count * VECTOR_ROWS), parts.probe->statistics.variant,
             100.0 * (double)rows / ((double)probe->batch_count * VECTOR_ROWS));
    report(name, best, (double)probe->batch_count * VECTOR_ROWS, note);
}

static void bench_aggregate(const char *name, Table *table, uint32_t key_count,
                            uint32_t sum_count, double estimated_groups)
{
    if (strstr(name, wanted) == NULL) {
        return;
    }
    Expr *keys[COLUMNS_MAX];
    AggregateCall calls[COLUMNS_MAX + 1];
    Type types[2 * COLUMNS_MAX];
    for (uint32_t k = 0; k < key_count; k++) {
        keys[k] = column_of(table, k);
        types[k] = table->types[k];
    }
    calls[0] = (AggregateCall){.id = AGGREGATE_COUNT_STAR, .type = type_of(TYPE_BIGINT)};
    for (uint32_t s = 0; s < sum_count; s++) {
        calls[1 + s] = (AggregateCall){.id = AGGREGATE_SUM,
                                       .argument = column_of(table, key_count + s),
                                       .type = type_decimal(38, 0)};
    }
    PlanAggregate plan = {.child = &table->node.node, .key_count = key_count, .keys = keys,
                          .aggregate_count = 1 + sum_count, .aggregates = calls,
                          .estimated_groups = estimated_groups};
    for (uint32_t a = 0; a <= sum_count; a++) {
        types[key_count + a] = calls[a].type;
    }
    plan.node = (PlanNode){.kind = PLAN_AGGREGATE, .id = 1, .output_types = types,
                           .output_count = key_count + 1 + sum_count};
    Sink *sink;
    Source *source;
    Arena *arena = arena_create(query.arena, "worker");
    must(hash_aggregate_create(&query, &plan, &sink, &source));
    void *local = arena_alloc_aligned(arena, sink->ops->local_bytes, 64);
    Flow flow;
    double start = cpu_ns();
    must(sink->ops->local_open(sink, local, arena));
    run_sink(sink, table, local);
    double first = cpu_ns() - start;
    double best = 1e300;
    for (int pass = 0; pass < PASSES; pass++) {
        start = cpu_ns();
        run_sink(sink, table, local);
        double spent = cpu_ns() - start;
        best = spent < best ? spent : best;
    }
    must(sink->ops->merge(sink, local, &flow));
    must(sink->ops->finish(sink, &flow));
    void *source_local = arena_alloc_aligned(arena, source->ops->local_bytes, 64);
    must(source->ops->local_open(source, source_local, arena));
    Batch out;
    batch_init(&out, key_count + 1 + sum_count, arena);
    uint64_t groups = 0;
    start = cpu_ns();
    do {
        out.selected_count = 0;
        must(source->ops->produce(source, source_local, &out, &flow));
        groups += out.selected_count;
    } while (flow == FLOW_MORE);
    double given = cpu_ns() - start;
    source->ops->local_close(source, source_local);
    sink->ops->close(sink);
    char note[160];
    snprintf(note, sizeof note, "first pass %.2f, %llu groups, %s, output %.1f ns/group",
             first / ((double)table->batch_count * VECTOR_ROWS), (unsigned long long)groups,
             sink->statistics.variant, given / (double)(groups + 1));
    report(name, best, (double)table->batch_count * VECTOR_ROWS, note);
}

static void bench_sort(const char *name, Table *table)
{
    if (strstr(name, wanted) == NULL) {
        return;
    }
    PlanSortKey key = {.column = 0};
    PlanSort plan = {.child = &table->node.node, .key_count = 1, .keys = &key,
                     .limit = PLAN_NO_LIMIT};
    plan.node = (PlanNode){.kind = PLAN_SORT, .id = 1, .output_count = table->column_count,
                           .output_types = table->types};
    Sink *sink;
    Source *source;
    Arena *arena = arena_create(query.arena, "worker");
    must(sort_create(&query, &plan, &sink, &source));
    void *local = arena_alloc_aligned(arena, sink->ops->local_bytes, 64);
    Flow flow;
    double start = cpu_ns();
    must(sink->ops->local_open(sink, local, arena));
    run_sink(sink, table, local);
    double gathered = cpu_ns();
    must(sink->ops->merge(sink, local, &flow));
    double sorted = cpu_ns();
    void *source_local = arena_alloc_aligned(arena, source->ops->local_bytes, 64);
    must(source->ops->local_open(source, source_local, arena));
    Batch out;
    batch_init(&out, table->column_count, arena);
    do {
        out.selected_count = 0;
        must(source->ops->produce(source, source_local, &out, &flow));
    } while (flow == FLOW_MORE);
    double end = cpu_ns();
    sink->ops->local_close(sink, local);
    sink->ops->close(sink);
    double rows = (double)table->batch_count * VECTOR_ROWS;
    char note[128];
    snprintf(note, sizeof note, "gather %.1f, sort %.1f, output %.1f", (gathered - start) / rows,
             (sorted - gathered) / rows, (end - sorted) / rows);
    report(name, end - start, rows, note);
}

static Table *key_table(uint32_t batches, Type type,
                        int64_t (*value)(uint64_t row, int64_t parameter), int64_t parameter)
{
    Type types[3] = {type, type_of(TYPE_DATE), type_of(TYPE_INTEGER)};
    Table *table = table_create(batches, types, 3);
    fill(table, 0, value, parameter);
    fill(table, 1, any_below, 2500);
    fill(table, 2, any_below, 5);
    return table;
}

static void bench_joins(void)
{
    enum { SMALL = 150, LARGE = 1465 }; // batches: 150 k and 1.5 M rows
    Type bigint = type_of(TYPE_BIGINT);
    Table *small = key_table(SMALL, bigint, row_number, 4);
    Table *large = key_table(LARGE, bigint, row_number, 4);
    int64_t small_range = (int64_t)SMALL * VECTOR_ROWS * 4;
    int64_t large_range = (int64_t)LARGE * VECTOR_ROWS * 4;
    Table *probe_small = key_table(BATCHES, bigint, any_below, small_range);
    Table *probe_large = key_table(BATCHES, bigint, any_below, large_range);
    Table *probe_clustered = key_table(BATCHES, bigint, clustered, 4);
    bench_join("semi bitmap 150k, random 25% hits", JOIN_SEMI, probe_small, small, 0, true);
    bench_join("semi bitmap 1.5M, random 25% hits", JOIN_SEMI, probe_large, large, 0, true);
    bench_join("inner dense 150k, 1 payload, 25% hits", JOIN_INNER, probe_small, small, 1, true);
    bench_join("inner dense 1.5M, 1 payload, 25% hits", JOIN_INNER, probe_large, large, 1, true);
    bench_join("inner dense 1.5M, 2 payloads, clustered", JOIN_INNER, probe_clustered, large, 2,
               true);
    bench_join("inner dense 1.5M, not known unique", JOIN_INNER, probe_clustered, large, 1, false);
    bench_join("left dense 150k, 1 payload", JOIN_LEFT, probe_small, small, 1, true);
    Table *sparse_build = key_table(LARGE, bigint, sparse_row, 0);
    Table *sparse_small = key_table(SMALL, bigint, sparse_row, 0);
    Table *sparse_probe = key_table(BATCHES, bigint, sparse, (int64_t)LARGE * VECTOR_ROWS);
    Table *sparse_few = key_table(BATCHES, bigint, sparse, (int64_t)SMALL * VECTOR_ROWS);
    Table *sparse_miss = key_table(BATCHES, bigint, sparse, (int64_t)LARGE * VECTOR_ROWS * 10);
    bench_join("inner hash 1.5M, 1 payload, all hit", JOIN_INNER, sparse_probe, sparse_build, 1,
               true);
    bench_join("inner hash 1.5M, 1 payload, 10% hits", JOIN_INNER, sparse_miss, sparse_build, 1,
               true);
    bench_join("inner hash 150k, 1 payload, all hit", JOIN_INNER, sparse_few, sparse_small, 1,
               true);
}

// Few enough rows to stay in cache, as what a scan has just decoded does.
enum { CACHED_BATCHES = 32 };

static Table *group_table(Type key, int64_t (*value)(uint64_t row, int64_t parameter),
                          int64_t parameter)
{
    Type types[3] = {key, type_decimal(12, 2), type_decimal(12, 2)};
    Table *table = table_create(parameter <= 1000 ? CACHED_BATCHES : BATCHES, types, 3);
    fill(table, 0, value, parameter);
    fill(table, 1, any_below, 10000000);
    fill(table, 2, any_below, 5000);
    return table;
}

static void bench_groups(void)
{
    Type integer = type_of(TYPE_INTEGER);
    Type bigint = type_of(TYPE_BIGINT);
    bench_aggregate("group dense 4, 2 sums", group_table(integer, any_below, 4), 1, 2, 4);
    bench_aggregate("group dense 1e3, 2 sums", group_table(integer, any_below, 1000), 1, 2, 1e3);
    bench_aggregate("group dense 3e5, 2 sums", group_table(integer, any_below, 300000), 1, 2,
                    3e5);
    bench_aggregate("group dense clustered by 4, 2 sums", group_table(bigint, clustered, 4), 1, 2,
                    5e5);
    bench_aggregate("group hash 1e3, 2 sums", group_table(bigint, sparse, 1000), 1, 2, 0);
    bench_aggregate("group hash 3e4, 2 sums", group_table(bigint, sparse, 30000), 1, 2, 0);
    bench_aggregate("group hash 3e5, 2 sums", group_table(bigint, sparse, 300000), 1, 2, 0);
    bench_aggregate("no keys, 2 sums", group_table(bigint, any_below, 10), 0, 2, 1);

    // The shape of TPC-H query 1: two short texts, five sums and a count.
    Type types[7] = {type_char(1), type_char(1), type_decimal(12, 2), type_decimal(12, 2),
                     type_decimal(38, 4), type_decimal(38, 6), type_decimal(12, 2)};
    static const char *const flags[] = {"A", "N", "R"};
    static const char *const states[] = {"F", "O"};
    Table *table = table_create(CACHED_BATCHES, types, 7);
    fill_codes(table, 0, flags, 3);
    fill_codes(table, 1, states, 2);
    fill(table, 2, any_below, 5000);
    fill(table, 3, any_below, 10000000);
    fill(table, 4, any_below, 1000000000);
    fill(table, 5, any_below, INT64_C(100000000000));
    fill(table, 6, any_below, 10);
    bench_aggregate("group query 1, 5 sums", table, 2, 5, 6);
}

int main(int argc, char **argv)
{
    wanted = argc > 1 ? argv[1] : "";
    Host *host;
    must(host_create(setting_set_create(NULL), NULL, NULL, &host));
    must(scheduler_create(1, NULL, &host->scheduler));
    query = (QueryContext){.query_id = 1, .host = host, .arena = arena_create(NULL, "bench"),
                           .budget = memory_budget_create(NULL, host->budget, "query", 0)};
    query_context_init(&query);
    bench_joins();
    bench_groups();
    Type types[5] = {type_of(TYPE_INTEGER), type_of(TYPE_BIGINT), type_of(TYPE_DATE),
                     type_of(TYPE_INTEGER), type_decimal(12, 2)};
    Table *table = table_create(BATCHES * 4, types, 5);
    for (uint32_t c = 0; c < 5; c++) {
        fill(table, c, any_below, INT32_MAX);
    }
    bench_sort("sort 2 M by 32-bit key, 4 payload columns", table);
    query_context_deinit(&query);
    memory_budget_destroy(query.budget);
    arena_destroy(query.arena);
    scheduler_destroy(host->scheduler);
    host_destroy(host);
    return 0;
}
