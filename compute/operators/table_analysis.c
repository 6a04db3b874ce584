/*
 * table_analysis.c — ANALYZE: what a writer would have learnt of the rows that are there.
 *
 * Each worker sketches the columns of its batches and samples their rows; the sketches meet at the
 * end. Nothing is written.
 */
#include "compute/operators/table_analysis.h"

#include "base/mutex.h"
#include "base/vector/column_sketch.h"
#include "compute/operators/row_count.h"

#define SAMPLE_ROWS 4096u

typedef struct TableAnalysis {
    Sink sink;
    const PlanTableWrite *plan;
    const Type *types;
    uint32_t column_count;
    Mutex mutex; /* guards what follows while workers merge */
    ColumnSketch *sketches;
    RowSample *sample;
    uint64_t row_count;
    ByteBuffer statistics; /* what was learnt, once all have merged */
} TableAnalysis;

typedef struct TableAnalysisLocal {
    ColumnSketch *sketches;
    RowSample *sample;
} TableAnalysisLocal;

static const SinkOps table_analysis_ops;

static ColumnSketch *make_sketches(const TableAnalysis *analysis, Arena *arena)
{
    ColumnSketch *sketches = ARENA_ARRAY(arena, ColumnSketch, analysis->column_count);
    for (uint32_t i = 0; i < analysis->column_count; i++) {
        column_sketch_init(&sketches[i], analysis->types[i]);
    }
    return sketches;
}

static Status make_sample(const TableAnalysis *analysis, uint64_t seed, RowSample **out)
{
    *out = row_sample_create(analysis->types, analysis->column_count, SAMPLE_ROWS, seed);
    return *out != NULL ? STATUS_OK
                        : status_error(SQLSTATE_OUT_OF_MEMORY, "no memory for a sample of rows");
}

static void free_statistics(void *object)
{
    byte_buffer_deinit(&((TableAnalysis *)object)->statistics);
}

Status table_analysis_create(QueryContext *query, const PlanTableWrite *plan, Sink **sink,
                             Source **source)
{
    const PlanTable *table = plan->table;
    TableAnalysis *analysis = ARENA_NEW(query->arena, TableAnalysis);
    Type *types = ARENA_ARRAY(query->arena, Type, table->column_count);
    sink_init(&analysis->sink, &table_analysis_ops, &plan->node);
    analysis->plan = plan;
    analysis->column_count = table->column_count;
    for (uint32_t i = 0; i < table->column_count; i++) {
        types[i] = table->columns[i].type;
    }
    analysis->types = types;
    mutex_init(&analysis->mutex, MUTEX_RANK_OPERATOR);
    byte_buffer_init(&analysis->statistics, 0);
    arena_on_reset(query->arena, free_statistics, analysis);
    *sink = &analysis->sink;
    *source = row_count_create(query, &plan->node, table_analysis_ops.name, &analysis->row_count);
    return STATUS_OK;
}

static Status table_analysis_open(Sink *self, QueryContext *query)
{
    TableAnalysis *analysis = (TableAnalysis *)self;
    analysis->sketches = make_sketches(analysis, query->arena);
    return make_sample(analysis, analysis->plan->table->table_id, &analysis->sample);
}

static Status table_analysis_local_open(Sink *self, void *local, Arena *worker_arena)
{
    TableAnalysisLocal *state = local;
    state->sketches = make_sketches((TableAnalysis *)self, worker_arena);
    return make_sample((TableAnalysis *)self, (uint64_t)(uintptr_t)local, &state->sample);
}

static Status table_analysis_consume(Sink *self, void *local, Batch *in, Flow *flow)
{
    TableAnalysisLocal *state = local;
    *flow = FLOW_MORE;
    TRY(batch_load_all(in));
    for (uint32_t i = 0; i < ((TableAnalysis *)self)->column_count; i++) {
        column_sketch_add(&state->sketches[i], &in->columns[i], in);
    }
    return row_sample_add(state->sample, in);
}

static Status table_analysis_merge(Sink *self, void *local, Flow *flow)
{
    TableAnalysis *analysis = (TableAnalysis *)self;
    TableAnalysisLocal *state = local;
    *flow = FLOW_MORE;
    mutex_lock(&analysis->mutex);
    analysis->row_count += state->sketches[0].row_count;
    for (uint32_t i = 0; i < analysis->column_count; i++) {
        column_sketch_merge(&analysis->sketches[i], &state->sketches[i]);
    }
    Status status = row_sample_merge(analysis->sample, state->sample);
    mutex_unlock(&analysis->mutex);
    return status;
}

static Status table_analysis_finish(Sink *self, Flow *flow)
{
    TableAnalysis *analysis = (TableAnalysis *)self;
    ByteBuffer *target = &analysis->statistics;
    *flow = FLOW_DONE;
    byte_buffer_add_varint(target, analysis->column_count);
    for (uint32_t i = 0; i < analysis->column_count; i++) {
        byte_buffer_add_u32(target, analysis->plan->table->columns[i].column_id);
        column_sketch_encode(&analysis->sketches[i], target);
    }
    row_sample_encode(analysis->sample, target);
    return byte_buffer_status(target);
}

static void table_analysis_add_write(const Sink *self, ByteBuffer *target)
{
    const TableAnalysis *analysis = (const TableAnalysis *)self;
    byte_buffer_add_u64(target, analysis->plan->table->table_id);
    byte_buffer_add_u64(target, 0); // none deleted
    byte_buffer_add_blob(target, analysis->statistics.data, analysis->statistics.bytes);
}

static void table_analysis_local_close(Sink *self, void *local)
{
    (void)self;
    row_sample_destroy(((TableAnalysisLocal *)local)->sample);
    ((TableAnalysisLocal *)local)->sample = NULL;
}

static void table_analysis_close(Sink *self)
{
    TableAnalysis *analysis = (TableAnalysis *)self;
    row_sample_destroy(analysis->sample);
    analysis->sample = NULL;
    mutex_deinit(&analysis->mutex);
}

static const SinkOps table_analysis_ops = {
    .name = "Analyze",
    .local_bytes = sizeof(TableAnalysisLocal),
    .open = table_analysis_open,
    .local_open = table_analysis_local_open,
    .consume = table_analysis_consume,
    .merge = table_analysis_merge,
    .finish = table_analysis_finish,
    .add_write = table_analysis_add_write,
    .local_close = table_analysis_local_close,
    .close = table_analysis_close,
};
