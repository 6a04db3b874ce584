/*
 * sort.c — each worker packs its rows with their keys, sorts them when its input ends (or memory
 * does), and the source merges the workers' runs.
 *
 * Cost: packing and gathering a few ns per column, a radix pass per key byte in which rows differ.
 */
#include "compute/operators/sort.h"

#include "compute/exec/memory_share.h"
#include "compute/operators/sort_runs.h"
#include "compute/operators/sort_source.h"

enum { FORCED_SPILL_ROWS = 64, ENTRY_BYTES = 2 * sizeof(SortEntry) };

typedef struct Sort {
    Sink sink;
    QueryContext *query;
    MemoryShare *share;
    SortShape shape;
    SortRuns runs;
} Sort;

typedef struct SortLocal {
    SortBuffer buffer;
    SpillFile *file;
} SortLocal;

static const SinkOps sort_ops;

Status sort_create(QueryContext *query, const PlanSort *plan, Sink **sink, Source **source)
{
    Sort *sort = ARENA_NEW(query->arena, Sort);
    sink_init(&sort->sink, &sort_ops, &plan->node);
    sort->query = query;
    sort_shape_init(&sort->shape, query, plan->keys, plan->key_count,
                    plan->child->output_types, plan->child->output_count);
    sort->shape.budget = query->tables;
    sort->share = memory_share_create(query, plan->child->estimated_rows *
                                                 (sort->shape.layout.row_bytes + ENTRY_BYTES));
    sort_runs_init(&sort->runs, &sort->shape, query->arena);
    *sink = &sort->sink;
    *source = sort_source_create(query, plan, &sort->runs);
    return STATUS_OK;
}

static Status sort_local_open(Sink *self, void *local, Arena *worker_arena)
{
    memory_share_begin(((Sort *)self)->query, ((Sort *)self)->share);
    sort_buffer_init(&((SortLocal *)local)->buffer, &((Sort *)self)->shape, worker_arena);
    return STATUS_OK;
}

static Status spill(Sort *sort, SortLocal *local)
{
    if (local->file == NULL) {
        TRY(spill_file_create(sort->query, 0, &local->file));
    }
    return sort_buffer_spill(&local->buffer, local->file);
}

static Status sort_consume(Sink *self, void *local, Batch *in, Flow *flow)
{
    Sort *sort = (Sort *)self;
    SortLocal *state = local;
    *flow = FLOW_MORE;
    if (sort->query->force_spill && state->buffer.store.row_count >= FORCED_SPILL_ROWS) {
        TRY(spill(sort, state));
    }
    Status status = sort_buffer_add(&state->buffer, in);
    if (status == STATUS_OK || status_sqlstate(status) != SQLSTATE_OUT_OF_MEMORY ||
        state->buffer.store.row_count == 0) {
        return status;
    }
    status_ignore(status, "the rows so far go to disk instead");
    TRY(spill(sort, state));
    return sort_buffer_add(&state->buffer, in);
}

static Status sort_merge(Sink *self, void *local, Flow *flow)
{
    Sort *sort = (Sort *)self;
    SortLocal *state = local;
    *flow = FLOW_MORE;
    sort_buffer_sort(&state->buffer);
    SpillFile *file = state->file;
    state->file = NULL;
    return sort_runs_add(&sort->runs, &state->buffer, file);
}

static void sort_local_close(Sink *self, void *local)
{
    (void)self;
    SortLocal *state = local;
    sort_buffer_deinit(&state->buffer);
    spill_file_destroy(state->file);
}

static void sort_close(Sink *self)
{
    Sort *sort = (Sort *)self;
    for (uint32_t i = 0; i < sort->runs.file_count; i++) {
        self->statistics.spilled_bytes += spill_file_bytes(sort->runs.files[i]);
    }
    sort_runs_deinit(&sort->runs);
}

static const SinkOps sort_ops = {
    .name = "Sort",
    .local_bytes = sizeof(SortLocal),
    .local_open = sort_local_open,
    .consume = sort_consume,
    .merge = sort_merge,
    .local_close = sort_local_close,
    .close = sort_close,
};
