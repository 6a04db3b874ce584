/* sort_source.c — one worker merges, skips the offset, gathers, and stops at the limit. */
#include "compute/operators/sort_source.h"

typedef struct SortSource {
    Source source;
    SortRuns *runs;
    uint32_t batch_rows;
    uint64_t skip_rows, left_rows;
} SortSource;

typedef struct SortSourceLocal {
    const uint8_t **rows;
    VectorBuffer *buffers;
} SortSourceLocal;

static const SourceOps sort_source_ops;

Source *sort_source_create(QueryContext *query, const PlanSort *plan, SortRuns *runs)
{
    SortSource *source = ARENA_NEW(query->arena, SortSource);
    source_init(&source->source, &sort_source_ops, &plan->node);
    source->runs = runs;
    source->batch_rows = query->batch_rows;
    source->skip_rows = plan->offset;
    source->left_rows = plan->limit;
    return &source->source;
}

static Status sort_source_local_open(Source *self, void *local, Arena *worker_arena)
{
    SortSource *source = (SortSource *)self;
    SortSourceLocal *state = local;
    state->rows = ARENA_ARRAY(worker_arena, const uint8_t *, VECTOR_ROWS);
    state->buffers = ARENA_ARRAY(worker_arena, VectorBuffer, self->output_count);
    for (uint32_t c = 0; c < self->output_count; c++) {
        vector_buffer_init(&state->buffers[c], worker_arena);
    }
    return sort_runs_start(source->runs);
}

static Status sort_source_produce(Source *self, void *local, Batch *out, Flow *flow)
{
    SortSource *source = (SortSource *)self;
    SortSourceLocal *state = local;
    *flow = FLOW_MORE;
    uint32_t row_count = 0;
    while (source->left_rows > 0) {
        TRY(sort_runs_next(source->runs, state->rows, source->batch_rows, &row_count));
        if (row_count == 0 || row_count > source->skip_rows) {
            break;
        }
        source->skip_rows -= row_count;
    }
    if (source->left_rows == 0 || row_count == 0) {
        *flow = FLOW_DONE;
        return STATUS_OK;
    }
    const uint8_t **rows = state->rows + source->skip_rows;
    row_count -= (uint32_t)source->skip_rows;
    source->skip_rows = 0;
    row_count = row_count < source->left_rows ? row_count : (uint32_t)source->left_rows;
    if (source->left_rows != PLAN_NO_LIMIT) {
        source->left_rows -= row_count;
    }
    sort_runs_gather(source->runs, rows, row_count, state->buffers, out);
    return STATUS_OK;
}

static uint32_t sort_source_parallelism(Source *self)
{
    (void)self;
    return 1; // order is kept by one worker
}

static const SourceOps sort_source_ops = {
    .name = "Sort",
    .local_bytes = sizeof(SortSourceLocal),
    .local_open = sort_source_local_open,
    .produce = sort_source_produce,
    .parallelism = sort_source_parallelism,
};
