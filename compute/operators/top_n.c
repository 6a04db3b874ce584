/*
 * top_n.c — the first N rows of an order, without keeping the others.
 *
 * Each worker gathers rows as a sort does. When it has many more than N it sorts them, keeps the
 * first N in a fresh buffer, and remembers the key of the last one: rows behind it are dropped on
 * arrival, by their key word alone, before any other column is loaded. Ties at the threshold are
 * kept, as any of them may be the answer.
 */
#include "compute/operators/top_n.h"

#include <string.h>

#include "compute/operators/sort_order.h"
#include "compute/operators/sort_runs.h"
#include "compute/operators/sort_source.h"

enum { TOP_N_ROWS_MAX = 65536, SPARE_ROWS = 8192 };

typedef struct TopN {
    Sink sink;
    QueryContext *query;
    uint64_t kept_rows;      /* offset + limit */
    SortShape shape;
    SortRuns runs;
} TopN;

typedef struct TopNLocal {
    SortBuffer buffer, spare; /* the rows gathered; where the kept ones go */
    bool has_threshold;
    uint64_t threshold;       /* prefix of the last kept row */
    uint8_t *keys;            /* VECTOR_ROWS key strings */
    uint8_t **key_pointers;
    uint16_t *selection;
} TopNLocal;

static const SinkOps top_n_ops;

bool top_n_is_suitable(const PlanSort *plan)
{
    return plan->limit <= TOP_N_ROWS_MAX && plan->offset <= TOP_N_ROWS_MAX &&
           plan->limit + plan->offset <= TOP_N_ROWS_MAX;
}

Status top_n_create(QueryContext *query, const PlanSort *plan, Sink **sink, Source **source)
{
    TopN *top_n = ARENA_NEW(query->arena, TopN);
    sink_init(&top_n->sink, &top_n_ops, &plan->node);
    top_n->query = query;
    top_n->kept_rows = plan->limit + plan->offset;
    sort_shape_init(&top_n->shape, query, plan->keys, plan->key_count,
                    plan->child->output_types, plan->child->output_count);
    sort_runs_init(&top_n->runs, &top_n->shape, query->arena);
    *sink = &top_n->sink;
    *source = sort_source_create(query, plan, &top_n->runs);
    return STATUS_OK;
}

static Status top_n_local_open(Sink *self, void *local, Arena *worker_arena)
{
    TopN *top_n = (TopN *)self;
    TopNLocal *state = local;
    size_t key_bytes = top_n->shape.keys.bytes;
    sort_buffer_init(&state->buffer, &top_n->shape, worker_arena);
    sort_buffer_init(&state->spare, &top_n->shape, worker_arena);
    state->keys = arena_alloc(worker_arena, VECTOR_ROWS * key_bytes);
    state->key_pointers = ARENA_ARRAY(worker_arena, uint8_t *, VECTOR_ROWS);
    state->selection = ARENA_ARRAY(worker_arena, uint16_t, VECTOR_ROWS);
    for (uint32_t i = 0; i < VECTOR_ROWS; i++) {
        state->key_pointers[i] = state->keys + i * key_bytes;
    }
    return STATUS_OK;
}

// Keeps the first rows of the buffer and drops the others.
static Status prune(TopN *top_n, TopNLocal *local)
{
    SortBuffer *buffer = &local->buffer;
    sort_buffer_sort(buffer);
    uint64_t kept = buffer->store.row_count;
    kept = kept < top_n->kept_rows ? kept : top_n->kept_rows;
    TRY(sort_buffer_copy(&local->spare, buffer, kept));
    if (kept == top_n->kept_rows && kept > 0) {
        local->has_threshold = true;
        local->threshold = buffer->entries[kept - 1].prefix;
    }
    row_store_clear(&buffer->store);
    SortBuffer swap = *buffer;
    *buffer = local->spare;
    local->spare = swap;
    return STATUS_OK;
}

// Narrows the batch to rows that are not behind the threshold.
static Status drop_behind_threshold(TopN *top_n, TopNLocal *local, Batch *in)
{
    TRY(sort_keys_write(&top_n->shape.keys, in, local->key_pointers));
    uint32_t kept = 0;
    for (uint32_t i = 0; i < in->selected_count; i++) {
        local->selection[kept] = (uint16_t)batch_row(in, i);
        kept += sort_key_prefix(local->key_pointers[i]) <= local->threshold;
    }
    in->selection = local->selection;
    in->mask = NULL;
    in->selected_count = kept;
    return STATUS_OK;
}

static Status top_n_consume(Sink *self, void *local, Batch *in, Flow *flow)
{
    TopN *top_n = (TopN *)self;
    TopNLocal *state = local;
    *flow = FLOW_MORE;
    if (top_n->kept_rows == 0) {
        *flow = FLOW_DONE;
        return STATUS_OK;
    }
    if (state->has_threshold) {
        TRY(drop_behind_threshold(top_n, state, in));
        if (in->selected_count == 0) {
            return STATUS_OK;
        }
    }
    TRY(sort_buffer_add(&state->buffer, in));
    return state->buffer.store.row_count >= 2 * top_n->kept_rows + SPARE_ROWS
               ? prune(top_n, state)
               : STATUS_OK;
}

static Status top_n_merge(Sink *self, void *local, Flow *flow)
{
    TopN *top_n = (TopN *)self;
    TopNLocal *state = local;
    *flow = FLOW_MORE;
    sort_buffer_sort(&state->buffer);
    return sort_runs_add(&top_n->runs, &state->buffer, NULL);
}

static void top_n_local_close(Sink *self, void *local)
{
    (void)self;
    TopNLocal *state = local;
    sort_buffer_deinit(&state->buffer);
    sort_buffer_deinit(&state->spare);
}

static void top_n_close(Sink *self)
{
    sort_runs_deinit(&((TopN *)self)->runs);
}

static const SinkOps top_n_ops = {
    .name = "Top-N",
    .local_bytes = sizeof(TopNLocal),
    .local_open = top_n_local_open,
    .consume = top_n_consume,
    .merge = top_n_merge,
    .local_close = top_n_local_close,
    .close = top_n_close,
};
