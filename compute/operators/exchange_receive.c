/*
 * exchange_receive.c — the source side of an exchange.
 *
 * Without merge keys workers take batches as they arrive. With them one worker keeps the current
 * batch of each sender, with its key strings, and gives out the smallest row again and again; it is
 * blocked while any sender that has not ended has nothing here.
 */
#include "compute/operators/exchange_receive.h"

#include "compute/operators/batch_collector.h"
#include "compute/operators/sort_key.h"

typedef struct ExchangeReceive {
    Source source;
    const PlanReceive *plan;
    QueryContext *query;
    uint32_t sender_count;
    uint32_t *senders;
    SortKeys keys;
    StreamReceiver *receiver;
    uint64_t row_count; /* atomic; kept when the receiver is closed */
} ExchangeReceive;

/* One sender of a merging receiver. */
typedef struct MergeInput {
    SharedBatch *shared; /* null: to be fetched, or ended */
    uint32_t next_index; /* of the selected rows */
    bool is_ended;
    uint8_t *keys;
    uint8_t **key_pointers;
} MergeInput;

typedef struct ExchangeReceiveLocal {
    SharedBatch *current;
    MergeInput *inputs; /* null when nothing is merged */
    BatchBuilder *builder;
} ExchangeReceiveLocal;

static const SourceOps exchange_receive_ops;

static void list_senders(ExchangeReceive *receive, const PlanExchange *exchange)
{
    QueryContext *query = receive->query;
    uint32_t first = 0;
    uint32_t count = 1;
    if (exchange->source_site == PLAN_SITE_NODES) {
        first = 1;
        count = query->node_count;
    } else if (exchange->source_site == PLAN_SITE_ONE_NODE) {
        first = query->one_node;
    }
    receive->sender_count = count;
    receive->senders = ARENA_ARRAY(query->arena, uint32_t, count);
    for (uint32_t i = 0; i < count; i++) {
        receive->senders[i] = first + i;
    }
}

Status exchange_receive_create(QueryContext *query, const Plan *plan, const PlanReceive *node,
                               Source **out)
{
    const PlanExchange *exchange = NULL;
    for (uint32_t i = 0; i < plan->exchange_count; i++) {
        if (plan->exchanges[i].id == node->exchange_id) {
            exchange = &plan->exchanges[i];
        }
    }
    if (exchange == NULL || query->hub == NULL ||
        exchange->column_count != node->node.output_count) {
        return status_error(SQLSTATE_INTERNAL_ERROR, "exchange %u is not in the plan",
                            node->exchange_id);
    }
    ExchangeReceive *receive = ARENA_NEW(query->arena, ExchangeReceive);
    source_init(&receive->source, &exchange_receive_ops, &node->node);
    receive->plan = node;
    receive->query = query;
    list_senders(receive, exchange);
    if (node->merge_key_count > 0) {
        sort_keys_init(&receive->keys, query->arena, node->merge_keys, node->merge_key_count,
                       node->node.output_types);
    }
    *out = &receive->source;
    return STATUS_OK;
}

static Status exchange_receive_open(Source *self, QueryContext *query)
{
    ExchangeReceive *receive = (ExchangeReceive *)self;
    return stream_receiver_open(query->hub, query->query_id, receive->plan->exchange_id,
                                receive->senders, receive->sender_count, self->output_types,
                                self->output_count, query->budget, source_waker(self),
                                &receive->receiver);
}

static bool is_merging(const ExchangeReceive *receive)
{
    return receive->plan->merge_key_count > 0 && receive->sender_count > 1;
}

static Status exchange_receive_local_open(Source *self, void *local, Arena *worker_arena)
{
    ExchangeReceive *receive = (ExchangeReceive *)self;
    ExchangeReceiveLocal *state = local;
    if (!is_merging(receive)) {
        return STATUS_OK;
    }
    state->inputs = ARENA_ARRAY(worker_arena, MergeInput, receive->sender_count);
    for (uint32_t i = 0; i < receive->sender_count; i++) {
        MergeInput *input = &state->inputs[i];
        size_t key_bytes = receive->keys.bytes;
        input->keys = arena_alloc(worker_arena, VECTOR_ROWS * key_bytes);
        input->key_pointers = ARENA_ARRAY(worker_arena, uint8_t *, VECTOR_ROWS);
        for (uint32_t r = 0; r < VECTOR_ROWS; r++) {
            input->key_pointers[r] = input->keys + r * key_bytes;
        }
    }
    state->builder = batch_builder_create(receive->query->budget, self->output_types,
                                          self->output_count, receive->query->batch_rows);
    if (state->builder == NULL) {
        return status_error(SQLSTATE_OUT_OF_MEMORY, "out of memory for rows to be merged");
    }
    return STATUS_OK;
}

// Makes sure that every sender that has not ended has a row here; false: blocked.
static Status fetch_inputs(ExchangeReceive *receive, ExchangeReceiveLocal *local, bool *is_ready)
{
    *is_ready = true;
    for (uint32_t i = 0; i < receive->sender_count; i++) {
        MergeInput *input = &local->inputs[i];
        while (!input->is_ended && input->shared == NULL) {
            ReceiveResult result;
            TRY(stream_receiver_next_from(receive->receiver, i, &input->shared, &result));
            if (result == RECEIVE_EMPTY) {
                *is_ready = false;
                break;
            }
            if (result == RECEIVE_END) {
                input->is_ended = true;
                break;
            }
            input->next_index = 0;
            if (input->shared->batch.selected_count == 0) {
                shared_batch_unpin(input->shared);
                input->shared = NULL;
            } else {
                TRY(sort_keys_write(&receive->keys, &input->shared->batch, input->key_pointers));
            }
        }
    }
    return STATUS_OK;
}

// Whether the row `index` of an input comes before the next row of another one, or is equal.
static bool comes_first(const ExchangeReceive *receive, const MergeInput *input, uint32_t index,
                        const MergeInput *other)
{
    return sort_keys_compare(&receive->keys, input->key_pointers[index], &input->shared->batch,
                             batch_row(&input->shared->batch, index),
                             other->key_pointers[other->next_index], &other->shared->batch,
                             batch_row(&other->shared->batch, other->next_index)) <= 0;
}

// The input with the smallest row, and the one that follows it (null: no other has rows).
static MergeInput *smallest_input(const ExchangeReceive *receive, ExchangeReceiveLocal *local,
                                  MergeInput **second)
{
    MergeInput *best = NULL;
    *second = NULL;
    for (uint32_t i = 0; i < receive->sender_count; i++) {
        MergeInput *input = &local->inputs[i];
        if (input->shared == NULL) {
            continue;
        }
        if (best == NULL || !comes_first(receive, best, best->next_index, input)) {
            *second = best;
            best = input;
        } else if (*second == NULL ||
                   !comes_first(receive, *second, (*second)->next_index, input)) {
            *second = input;
        }
    }
    return best;
}

// Appends the rows of `input` that come before those of `second`, as far as there is room.
static Status append_run(ExchangeReceive *receive, ExchangeReceiveLocal *local, MergeInput *input,
                         const MergeInput *second)
{
    uint16_t rows[VECTOR_ROWS];
    uint32_t room = receive->query->batch_rows - batch_builder_row_count(local->builder);
    uint32_t left = input->shared->batch.selected_count - input->next_index;
    uint32_t run_max = left < room ? left : room;
    uint32_t count = 0;
    do {
        rows[count] = (uint16_t)batch_row(&input->shared->batch, input->next_index + count);
        count++;
    } while (count < run_max &&
             (second == NULL || comes_first(receive, input, input->next_index + count, second)));
    uint32_t taken = 0;
    TRY(batch_builder_append(local->builder, &input->shared->batch, rows, count, &taken));
    ASSERT(taken == count);
    input->next_index += count;
    if (input->next_index == input->shared->batch.selected_count) {
        shared_batch_unpin(input->shared);
        input->shared = NULL;
    }
    return STATUS_OK;
}

static Status produce_merged(ExchangeReceive *receive, ExchangeReceiveLocal *local, Batch *out,
                             Flow *flow)
{
    shared_batch_unpin(local->current);
    local->current = NULL;
    bool is_ready = true;
    bool is_ended = false;
    while (is_ready && !is_ended &&
           batch_builder_row_count(local->builder) < receive->query->batch_rows) {
        TRY(fetch_inputs(receive, local, &is_ready));
        MergeInput *second = NULL;
        MergeInput *input = is_ready ? smallest_input(receive, local, &second) : NULL;
        is_ended = is_ready && input == NULL;
        if (input != NULL) {
            TRY(append_run(receive, local, input, second));
        }
    }
    TRY(batch_builder_take(local->builder, &local->current));
    if (local->current == NULL) {
        *flow = is_ended ? FLOW_DONE : FLOW_BLOCKED;
        return STATUS_OK;
    }
    batch_set_view(out, &local->current->batch);
    *flow = FLOW_MORE; // a wake that has come meanwhile is answered by the next call
    return STATUS_OK;
}

static Status exchange_receive_produce(Source *self, void *local, Batch *out, Flow *flow)
{
    ExchangeReceive *receive = (ExchangeReceive *)self;
    ExchangeReceiveLocal *state = local;
    if (is_merging(receive)) {
        TRY(produce_merged(receive, state, out, flow));
    } else {
        shared_batch_unpin(state->current);
        state->current = NULL;
        ReceiveResult result;
        TRY(stream_receiver_next(receive->receiver, &state->current, &result));
        if (result != RECEIVE_BATCH) {
            *flow = result == RECEIVE_END ? FLOW_DONE : FLOW_BLOCKED;
            return STATUS_OK;
        }
        batch_set_view(out, &state->current->batch);
        *flow = FLOW_MORE;
    }
    __atomic_fetch_add(&receive->row_count, out->selected_count, __ATOMIC_RELAXED);
    return STATUS_OK;
}

static void exchange_receive_local_close(Source *self, void *local)
{
    ExchangeReceive *receive = (ExchangeReceive *)self;
    ExchangeReceiveLocal *state = local;
    shared_batch_unpin(state->current);
    for (uint32_t i = 0; state->inputs != NULL && i < receive->sender_count; i++) {
        shared_batch_unpin(state->inputs[i].shared);
    }
    if (state->builder != NULL) {
        batch_builder_destroy(state->builder);
    }
}

static void exchange_receive_stop(Source *self)
{
    stream_receiver_stop(((ExchangeReceive *)self)->receiver);
}

static void exchange_receive_close(Source *self)
{
    ExchangeReceive *receive = (ExchangeReceive *)self;
    if (receive->receiver != NULL) {
        self->statistics.bytes = stream_receiver_bytes(receive->receiver);
        stream_receiver_stop(receive->receiver);
        stream_receiver_close(receive->receiver);
        receive->receiver = NULL;
    }
}

static uint32_t exchange_receive_parallelism(Source *self)
{
    ExchangeReceive *receive = (ExchangeReceive *)self;
    return receive->plan->merge_key_count > 0 ? 1 : 0;
}

uint64_t exchange_receive_rows(const Source *source)
{
    if (source->ops != &exchange_receive_ops) {
        return 0;
    }
    return __atomic_load_n(&((const ExchangeReceive *)source)->row_count, __ATOMIC_RELAXED);
}

static const SourceOps exchange_receive_ops = {
    .name = "Network",
    .local_bytes = sizeof(ExchangeReceiveLocal),
    .open = exchange_receive_open,
    .local_open = exchange_receive_local_open,
    .produce = exchange_receive_produce,
    .local_close = exchange_receive_local_close,
    .stop = exchange_receive_stop,
    .close = exchange_receive_close,
    .parallelism = exchange_receive_parallelism,
};
