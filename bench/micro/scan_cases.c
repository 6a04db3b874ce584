/*
 * scan_cases.c — table scans, with the aggregate that takes their rows: by row read, from open to
 * the last row. The tables are rowsets whose blocks lie in the block cache.
 */
#include <stdio.h>

#include "bench/micro/operator_case.h"
#include "compute/exec/pipeline.h"
#include "compute/operators/hash_aggregate.h"
#include "compute/operators/hash_join.h"
#include "compute/operators/runtime_filter.h"
#include "compute/operators/table_scan.h"
#include "planner/plan/encode_word.h"
#include "storage/encoding/encoding.h"

// Numbers: few enough to stay in cache, as it is the work on rows that is timed.
enum { NUMBER_BATCHES = 256, COMMENT_BATCHES = 512, KEY_BATCHES = 1465, LINE_BATCHES = 2048 };
enum { PASSES = 8 };
enum { COLUMNS_MAX = 8, CALLS_MAX = 6, FILTERS_MAX = 5 };
enum { DAYS = 2526, YEAR_START = 700, YEAR_END = 1064, LAST_DAY = 2490 };

static int64_t whole_quantity(uint64_t row, int64_t limit)
{
    return 100 * (1 + made_any_below(row, limit));
}
static const char *const flags[] = {"A", "N", "R"}, *const states[] = {"F", "O"};
static const char *const modes[] = {"AIR", "FOB", "MAIL", "RAIL", "REG AIR", "SHIP", "TRUCK"};

enum { DAY, DISCOUNT, QUANTITY, PRICE, TAX, FLAG, STATE, MODE };
static MadeTable numbers = {
    .batch_count = NUMBER_BATCHES,
    .column_count = 8,
    .columns = {
        [DAY] = {.letter = 'd', .value = made_any_below, .parameter = DAYS},
        [DISCOUNT] = {.letter = 'p', .value = made_any_below, .parameter = 11},
        [QUANTITY] = {.letter = 'p', .value = whole_quantity, .parameter = 50},
        [PRICE] = {.letter = 'p', .value = made_any_below, .parameter = 10000000},
        [TAX] = {.letter = 'p', .value = made_any_below, .parameter = 9},
        [FLAG] = {.letter = 'c', .words = flags, .parameter = 3},
        [STATE] = {.letter = 'c', .words = states, .parameter = 2},
        [MODE] = {.letter = 'v', .words = modes, .parameter = 7},
    }};
static MadeTable comments = {.batch_count = COMMENT_BATCHES,
                             .column_count = 1,
                             .columns = {{.letter = 'v', .text = made_comment}}};
static MadeTable lines = {.batch_count = LINE_BATCHES,
                          .column_count = 1,
                          .columns = {{.letter = 'b',
                                       .value = made_any_below,
                                       .parameter = (int64_t)KEY_BATCHES * VECTOR_ROWS * 4}}};
static MadeTable keys = {.batch_count = KEY_BATCHES,
                         .column_count = 1,
                         .columns = {{.letter = 'b', .value = made_row_number, .parameter = 4}}};

/* A table of the store. */
typedef struct StoredTable {
    PlanTable table;
    MadeTable *rows;
    uint16_t encodings[MADE_COLUMNS_MAX]; /* 0: as the writer chooses */
} StoredTable;
static StoredTable stored_numbers = {.table = {.table_id = 1, .name = "numbers"},
                                     .rows = &numbers,
                                     .encodings = {[DAY] = ENCODING_BIT_PACKED}};
static StoredTable stored_fsst = {
    .table = {.table_id = 2, .name = "fsst"}, .rows = &comments, .encodings = {ENCODING_FSST}};
static StoredTable stored_phrases = {.table = {.table_id = 3, .name = "phrases"},
                                     .rows = &comments,
                                     .encodings = {ENCODING_PHRASES}};

static StoredTable stored_lines = {.table = {.table_id = 4, .name = "lines"}, .rows = &lines};

/* The plans of a pass. */
typedef struct ScanPlan {
    Arena *arena;
    PlanScan scan;
    PlanAggregate aggregate;
} ScanPlan;

typedef struct ScanCase {
    OperatorCase head;
    StoredTable *stored;
    uint32_t column_count, output_count;
    uint32_t columns[COLUMNS_MAX]; /* the outputs come first */
    void (*plan)(ScanPlan *plan);
    bool has_join; /* a semi join's bitmap over `keys` filters the first column */
} ScanCase;

/* ---- plans ---- */

static Expr *column(const ScanPlan *plan, uint32_t index)
{
    const uint32_t table_column = plan->scan.columns[index];
    return expr_column(plan->arena, index, plan->scan.table->columns[table_column].type);
}

static void add_filter(ScanPlan *plan, FunctionId function, uint32_t index, Value constant)
{
    Expr *left = column(plan, index);
    constant.type = type_is_text(left->type) ? type_varchar(0) : left->type;
    plan->scan.filters[plan->scan.filter_count++] = expr_call2(
        plan->arena, function, type_of(TYPE_BOOLEAN), left, expr_constant(plan->arena, &constant));
}

static void add_call(ScanPlan *plan, AggregateId id, Expr *argument)
{
    const Type type = argument == NULL ? type_of(TYPE_BIGINT) : aggregate_sum_type(argument->type);
    PlanAggregate *aggregate = &plan->aggregate;
    aggregate->node.output_types[aggregate->node.output_count++] = type;
    aggregate->aggregates[aggregate->aggregate_count++] =
        (AggregateCall){.id = id, .argument = argument, .type = type};
}

static void count_days(ScanPlan *plan)
{
    add_filter(plan, FUNCTION_LESS, 0, (Value){.i64 = DAYS / 2});
    add_call(plan, AGGREGATE_COUNT_STAR, NULL);
}

static void count_mail(ScanPlan *plan)
{
    add_filter(plan, FUNCTION_EQUAL, 0, (Value){.text = text_view_make("MAIL", 4)});
    add_call(plan, AGGREGATE_COUNT_STAR, NULL);
}

static void count_special(ScanPlan *plan)
{
    add_filter(plan, FUNCTION_LIKE, 0, (Value){.text = text_view_make("%special%", 9)});
    add_call(plan, AGGREGATE_COUNT_STAR, NULL);
}

static void count_all(ScanPlan *plan)
{
    add_call(plan, AGGREGATE_COUNT_STAR, NULL);
}

// TPC-H's query 6: sum(price * discount) of a year's cheap orders. Columns: price, discount, day,
// quantity.
static void query_6(ScanPlan *plan)
{
    add_filter(plan, FUNCTION_GREATER_EQUAL, 2, (Value){.i64 = YEAR_START});
    add_filter(plan, FUNCTION_LESS, 2, (Value){.i64 = YEAR_END + 1});
    add_filter(plan, FUNCTION_GREATER_EQUAL, 1, (Value){.i64 = 5});
    add_filter(plan, FUNCTION_LESS_EQUAL, 1, (Value){.i64 = 7});
    add_filter(plan, FUNCTION_LESS, 3, (Value){.i64 = 2400});
    add_call(plan, AGGREGATE_SUM,
             expr_call2(plan->arena, FUNCTION_MULTIPLY, type_decimal(24, 4), column(plan, 0),
                        column(plan, 1)));
}

// 1.00 - value, 1.00 + value
static Expr *from_one(const ScanPlan *plan, FunctionId function, uint32_t index)
{
    const Value one = value_int64(type_decimal(12, 2), 100);
    return expr_call2(plan->arena, function, type_decimal(13, 2), expr_constant(plan->arena, &one),
                      column(plan, index));
}

// TPC-H's query 1, averages as sums. Columns: flag, state, quantity, price, discount, tax, day.
static void query_1(ScanPlan *plan)
{
    add_filter(plan, FUNCTION_LESS_EQUAL, 6, (Value){.i64 = LAST_DAY});
    PlanAggregate *aggregate = &plan->aggregate;
    aggregate->keys = ARENA_ARRAY(plan->arena, Expr *, 2);
    for (uint32_t k = 0; k < 2; k++) {
        aggregate->keys[k] = column(plan, k);
        aggregate->node.output_types[k] = aggregate->keys[k]->type;
    }
    aggregate->key_count = aggregate->node.output_count = 2;
    aggregate->estimated_groups = 6;
    Expr *price = expr_call2(plan->arena, FUNCTION_MULTIPLY, type_decimal(26, 4), column(plan, 3),
                             from_one(plan, FUNCTION_SUBTRACT, 4));
    add_call(plan, AGGREGATE_SUM, column(plan, 2));
    add_call(plan, AGGREGATE_SUM, column(plan, 3));
    add_call(plan, AGGREGATE_SUM, price);
    add_call(plan, AGGREGATE_SUM,
             expr_call2(plan->arena, FUNCTION_MULTIPLY, type_decimal(38, 6), price,
                        from_one(plan, FUNCTION_ADD, 5)));
    add_call(plan, AGGREGATE_SUM, column(plan, 4));
    add_call(plan, AGGREGATE_COUNT_STAR, NULL);
}

/* ---- the store ---- */

static Store *store;

static void open_store(void)
{
    const StoreOptions options = {.host = engine_world.host,
                                  .budget = engine_world.budget,
                                  .directory = engine_world.directory,
                                  .node_id = 1,
                                  .cache_bytes = (size_t)1 << 30};
    must(store_open(&options, &store));
    must(store_lease_rowsets(store, 1, 1000));
}

static void describe_table(StoredTable *stored)
{
    static struct PlanTableColumn columns[4][MADE_COLUMNS_MAX];
    PlanTable *table = &stored->table;
    table->style = DISTRIBUTION_STYLE_ALL;
    table->distribution_column = -1;
    table->column_count = stored->rows->column_count;
    table->columns = columns[table->table_id - 1];
    for (uint32_t c = 0; c < table->column_count; c++) {
        const Type type = stored->rows->types[c];
        table->columns[c] = (struct PlanTableColumn){
            .column_id = c + 1, .name = "column", .type = type, .default_value = value_null(type)};
        if (stored->encodings[c] != 0) {
            table->columns[c].encode_word = (uint16_t)(ENCODE_WORD_ONE + stored->encodings[c]);
        }
    }
}

// Writes the table when it is first wanted.
static const PlanTable *stored_table(StoredTable *stored)
{
    PlanTable *table = &stored->table;
    if (store == NULL) {
        open_store();
    }
    if (table->columns != NULL) {
        return table;
    }
    made_table(stored->rows);
    describe_table(stored);
    const TableWriteOptions options = {.store = store,
                                       .table = table,
                                       .txn_id = table->table_id,
                                       .statement = 1,
                                       .row_group_rows = 65536,
                                       .budget = engine_world.budget};
    TableWriter *writer;
    TableWriterLocal *local;
    must(table_writer_create(&options, &writer));
    must(table_writer_local_create(writer, &local));
    for (uint32_t b = 0; b < stored->rows->batch_count; b++) {
        Batch batch = stored->rows->batches[b];
        must(table_writer_append(local, &batch));
    }
    must(table_writer_local_finish(local));
    must(table_writer_finish(writer));
    table_writer_destroy(writer);
    must(store_prepare(store, table->table_id));
    must(store_commit(store, table->table_id, table->table_id));
    return table;
}

void scan_cases_close(void)
{
    if (store != NULL) {
        store_close(store);
    }
}

/* ---- rounds ---- */

static ScanPlan *make_plan(const ScanCase *scan, Arena *arena)
{
    ScanPlan *plan = ARENA_NEW(arena, ScanPlan);
    plan->arena = arena;
    plan->scan = (PlanScan){.table = (PlanTable *)stored_table(scan->stored),
                            .column_count = scan->column_count,
                            .columns = ARENA_ARRAY(arena, uint32_t, COLUMNS_MAX),
                            .filters = ARENA_ARRAY(arena, Expr *, FILTERS_MAX),
                            .outputs = ARENA_ARRAY(arena, uint32_t, COLUMNS_MAX)};
    plan->scan.node = (PlanNode){.kind = PLAN_SCAN,
                                 .id = 1,
                                 .output_count = scan->output_count,
                                 .output_types = ARENA_ARRAY(arena, Type, COLUMNS_MAX),
                                 .estimated_rows = made_table_rows(scan->stored->rows)};
    for (uint32_t c = 0; c < scan->column_count; c++) {
        plan->scan.columns[c] = scan->columns[c];
        plan->scan.outputs[c] = c;
        plan->scan.node.output_types[c] = plan->scan.table->columns[scan->columns[c]].type;
    }
    plan->aggregate =
        (PlanAggregate){.node = {.kind = PLAN_AGGREGATE,
                                 .id = 2,
                                 .output_types = ARENA_ARRAY(arena, Type, 2 + CALLS_MAX)},
                        .child = &plan->scan.node,
                        .estimated_groups = 1,
                        .aggregates = ARENA_ARRAY(arena, AggregateCall, CALLS_MAX)};
    scan->plan(plan);
    return plan;
}

/* The join that is to filter the scan. */
typedef struct FilterJoin {
    HashJoinParts parts;
    PlanHashJoin plan;
    Expr *probe_key, *build_key;
    bool is_null_equal;
    uint32_t output, filter_id;
    void *local;
} FilterJoin;

static void create_join(FilterJoin *join, QueryContext *query, ScanPlan *plan)
{
    static const Plan filters = {.runtime_filter_count = 1};
    static PlanRuntimeFilterUse use = {.filter_id = 1, .column = 0};
    plan->scan.runtime_filter_count = 1;
    plan->scan.runtime_filters = &use;
    join->filter_id = 1;
    join->build_key = join->probe_key = column(plan, 0);
    join->plan = (PlanHashJoin){.node = {.kind = PLAN_HASH_JOIN,
                                         .id = 3,
                                         .output_count = 1,
                                         .output_types = plan->scan.node.output_types},
                                .join = JOIN_SEMI,
                                .probe = &plan->scan.node,
                                .build = &made_table(&keys)->node,
                                .key_count = 1,
                                .probe_keys = &join->probe_key,
                                .build_keys = &join->build_key,
                                .is_null_equal = &join->is_null_equal,
                                .outputs = &join->output,
                                .runtime_filter_ids = &join->filter_id,
                                .is_build_unique = true};
    query->runtime_filters = runtime_filters_create(query->arena, &filters);
    must(hash_join_create(query, &join->plan, &join->parts));
}

// After the scan is open, whose filter it is.
static void build_join(FilterJoin *join)
{
    Flow flow;
    Batch none = {0};
    join->local = sink_start(join->parts.build);
    sink_offer(join->parts.build, join->local, &keys, 1);
    sink_finish(join->parts.build, join->local);
    do {
        must(join->parts.insert->ops->produce(join->parts.insert, NULL, &none, &flow));
    } while (flow == FLOW_MORE);
    must(join->parts.inserted->ops->finish(join->parts.inserted, &flow));
    must(join->parts.reinserted->ops->finish(join->parts.reinserted, &flow)); // publishes
}

static double time_scan(Source *source, Sink *sink, QueryContext *query, FilterJoin *join,
                        uint64_t *rows)
{
    Flow flow;
    Batch batch;
    batch_init(&batch, source->output_count, query->arena);
    pipeline_create(query, source, NULL, 0, sink_group_create(query->arena, sink), 1);
    void *sink_local = sink_start(sink);
    void *local = source_start(source);
    if (join != NULL) {
        build_join(join);
    }
    const double start = cpu_ns();
    do {
        Flow taken;
        batch.row_count = batch.selected_count = 0;
        must(source->ops->produce(source, local, &batch, &flow));
        *rows += batch.selected_count;
        if (batch.selected_count > 0) {
            must(sink->ops->consume(sink, sink_local, &batch, &taken));
        }
    } while (flow != FLOW_DONE);
    sink_finish(sink, sink_local);
    const double ns = cpu_ns() - start;
    source_close(source, local);
    sink_close(sink, sink_local);
    return ns;
}

static double run_pass(const ScanCase *scan, uint64_t *rows)
{
    QueryContext *query = bench_query_begin();
    ScanPlan *plan = make_plan(scan, query->arena);
    Source *source, *groups;
    Sink *sink;
    FilterJoin join = {0};
    query->store = store;
    if (scan->has_join) {
        create_join(&join, query, plan);
    }
    must(hash_aggregate_create(query, &plan->aggregate, &sink, &groups));
    must(scan_source_create(query, &plan->scan, true, hash_aggregate_summaries(sink), &source));
    const double ns = time_scan(source, sink, query, scan->has_join ? &join : NULL, rows);
    if (scan->has_join) {
        sink_close(join.parts.build, join.local);
        runtime_filters_destroy(query->runtime_filters);
    }
    bench_query_end();
    return ns;
}

// The first pass brings blocks into the cache.
static double run_scan(OperatorCase *self)
{
    const ScanCase *scan = (const ScanCase *)self;
    const uint32_t passes = scan->has_join ? 1 : PASSES;
    const double count = made_table_rows(scan->stored->rows);
    double ns = 0;
    uint64_t rows = 0;
    for (uint32_t pass = 0; pass < passes; pass++) {
        rows = 0;
        const double taken = run_pass(scan, &rows);
        ns += pass > 0 || passes == 1 ? taken : 0;
    }
    snprintf(self->note, sizeof self->note, "%.1f %% of rows", 100.0 * (double)rows / count);
    return ns / (count * (passes == 1 ? 1 : passes - 1));
}

#define SCAN(title, gate) .head = {.name = (title), .unit = "row", .gate_ns = (gate)}

static ScanCase scans[] = {
    {SCAN("scan and filter, packed 12 bits, count", 0.15),
     &stored_numbers,
     1,
     0,
     {DAY},
     count_days,
     false},
    {SCAN("three columns' filters and one sum (query 6)", 0.8),
     &stored_numbers,
     4,
     2,
     {PRICE, DISCOUNT, DAY, QUANTITY},
     query_6,
     false},
    {SCAN("6 groups, 8 outputs (query 1)", 2.5),
     &stored_numbers,
     7,
     6,
     {FLAG, STATE, QUANTITY, PRICE, DISCOUNT, TAX, DAY},
     query_1,
     false},
    {SCAN("scan and join's bitmap of 1.5 M keys, count", 1.2),
     &stored_lines,
     1,
     0,
     {0},
     count_all,
     true},
    {SCAN("text = constant, dictionary of 7, count", 0.2),
     &stored_numbers,
     1,
     0,
     {MODE},
     count_mail,
     false},
    {SCAN("like '%special%', FSST, 49 bytes, count", 25),
     &stored_fsst,
     1,
     0,
     {0},
     count_special,
     false},
    {SCAN("like '%special%', phrases, 49 bytes, count", 25),
     &stored_phrases,
     1,
     0,
     {0},
     count_special,
     false},
};

void scan_cases_add(void)
{
    for (uint32_t i = 0; i < sizeof scans / sizeof scans[0]; i++) {
        scans[i].head.run = run_scan;
        operator_case_add(&scans[i].head);
    }
}
