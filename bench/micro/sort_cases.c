/* sort_cases.c — a sort, from the first row that comes to the last that goes. */
#include <stdio.h>

#include "bench/micro/operator_case.h"
#include "compute/operators/sort.h"

enum { BATCHES = 5860 }; // 6 M rows

static MadeTable rows = {
    .batch_count = BATCHES,
    .column_count = 5,
    .columns = {{.letter = 'i', .value = made_any_below, .parameter = INT32_MAX},
                {.letter = 'b', .value = made_any_below, .parameter = INT32_MAX},
                {.letter = 'd', .value = made_any_below, .parameter = 2500},
                {.letter = 'i', .value = made_any_below, .parameter = 5},
                {.letter = 'p', .value = made_any_below, .parameter = 10000000}}};

static double run_sort(OperatorCase *self)
{
    MadeTable *table = made_table(&rows);
    QueryContext *query = bench_query_begin();
    PlanSortKey key = {.column = 0};
    const PlanSort plan = {.node = {.kind = PLAN_SORT,
                                    .id = 1,
                                    .output_count = table->column_count,
                                    .output_types = table->types},
                           .child = &table->node,
                           .key_count = 1,
                           .keys = &key,
                           .limit = PLAN_NO_LIMIT};
    Sink *sink;
    Source *source;
    must(sort_create(query, &plan, &sink, &source));
    const double start = cpu_ns();
    void *local = sink_start(sink);
    sink_offer(sink, local, table, 1);
    const double gathered = cpu_ns();
    sink_finish(sink, local);
    const double sorted = cpu_ns();
    void *source_local = source_start(source);
    source_drain(source, source_local, table->column_count);
    const double end = cpu_ns();
    source_close(source, source_local);
    sink_close(sink, local);
    bench_query_end();
    const double count = made_table_rows(table);
    snprintf(self->note, sizeof self->note, "gather %.1f, sort %.1f, output %.1f",
             (gathered - start) / count, (sorted - gathered) / count, (end - sorted) / count);
    return (end - start) / count;
}

static OperatorCase sort_case = {.name = "sort 6 M rows by a 32-bit key, 4 payload columns",
                                 .unit = "row",
                                 .gate_ns = 45,
                                 .reference = REFERENCE_READS,
                                 .run = run_sort};

void sort_cases_add(void)
{
    operator_case_add(&sort_case);
}
