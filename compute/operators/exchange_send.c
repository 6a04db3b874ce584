/*
 * exchange_send.c — rows leave a fragment: to one endpoint, to all, or to the owner of their
 * bucket.
 *
 * Each worker gathers rows into one builder per target and hands over full batches. The endpoint's
 * own rows go through its stream like all others, by pointer. Nothing is taken while a target has
 * no credit: the batch comes again after the wake, so a worker keeps at most one open batch per
 * target, and credits are exceeded by that much at most.
 *
 * Example, hash over nodes 1..2: keys -> distribution hash -> bucket -> node, then the rows of each
 * node are appended to its builder in one go.
 */
#include "compute/operators/exchange_send.h"

#include <string.h>

#include "base/vector/distribution_hash.h"
#include "base/vector/predicate_kernels.h"
#include "compute/operators/batch_collector.h"

enum { PASSES_MAX = 4 };

typedef struct ExchangeTarget {
    uint32_t endpoint;
    StreamSender *sender;
} ExchangeTarget;

typedef struct ExchangeSend {
    Sink sink;
    const PlanSend *plan;
    QueryContext *query;
    uint32_t target_count;
    ExchangeTarget *targets;
    uint16_t *bucket_targets; /* HASH, several targets: bucket -> index of its target */
    uint32_t next_target;     /* atomic: round robin */
} ExchangeSend;

typedef struct ExchangeSendLocal {
    uint32_t builder_count; /* one per target; broadcast: one for all */
    BatchBuilder **builders;
    uint64_t *hashes;
    uint16_t *row_targets; /* of the batch's selected rows */
    uint16_t *rows;        /* target_count lists of VECTOR_ROWS */
    uint32_t *row_counts;
    uint32_t flushed_count; /* builders emptied by merge */
} ExchangeSendLocal;

static const SinkOps exchange_send_ops;

static const PlanExchange *find_exchange(const Plan *plan, uint32_t exchange_id)
{
    for (uint32_t i = 0; i < plan->exchange_count; i++) {
        if (plan->exchanges[i].id == exchange_id) {
            return &plan->exchanges[i];
        }
    }
    return NULL;
}

static void add_targets(ExchangeSend *send, const PlanExchange *exchange)
{
    QueryContext *query = send->query;
    uint32_t first = 0;
    uint32_t count = 1;
    if (exchange->target_site == PLAN_SITE_NODES) {
        first = 1;
        count = query->node_count;
    } else if (exchange->target_site == PLAN_SITE_ONE_NODE) {
        first = query->one_node;
    }
    send->target_count = count;
    send->targets = ARENA_ARRAY(query->arena, ExchangeTarget, count);
    for (uint32_t i = 0; i < count; i++) {
        send->targets[i].endpoint = first + i;
    }
}

/* A copy of the map in lanes that leave room in the nearest cache. */
static void note_bucket_targets(ExchangeSend *send)
{
    const uint32_t *nodes = send->query->bucket_nodes;
    uint16_t *targets = ARENA_ARRAY(send->query->arena, uint16_t, BUCKET_COUNT);
    for (uint32_t i = 0; i < BUCKET_COUNT; i++) {
        targets[i] = (uint16_t)(nodes[i] - send->targets[0].endpoint);
    }
    send->bucket_targets = targets;
}

Status exchange_send_create(QueryContext *query, const Plan *plan, const PlanSend *node, Sink **out)
{
    const PlanExchange *exchange = find_exchange(plan, node->exchange_id);
    if (exchange == NULL || query->hub == NULL ||
        exchange->column_count != node->child->output_count) {
        return status_error(SQLSTATE_INTERNAL_ERROR, "exchange %u is not in the plan",
                            node->exchange_id);
    }
    if (node->exchange == EXCHANGE_HASH &&
        (query->bucket_nodes == NULL || exchange->target_site != PLAN_SITE_NODES)) {
        return status_error(SQLSTATE_INTERNAL_ERROR, "exchange %u has no bucket map",
                            node->exchange_id);
    }
    if (node->exchange == EXCHANGE_NODE && exchange->target_site != PLAN_SITE_NODES) {
        return status_error(SQLSTATE_INTERNAL_ERROR, "exchange %u does not go to the nodes",
                            node->exchange_id);
    }
    ExchangeSend *send = ARENA_NEW(query->arena, ExchangeSend);
    sink_init(&send->sink, &exchange_send_ops, &node->node);
    send->plan = node;
    send->query = query;
    add_targets(send, exchange);
    if (node->exchange == EXCHANGE_HASH && send->target_count > 1) {
        note_bucket_targets(send);
    }
    *out = &send->sink;
    return STATUS_OK;
}

static Status exchange_send_open(Sink *self, QueryContext *query)
{
    ExchangeSend *send = (ExchangeSend *)self;
    for (uint32_t i = 0; i < send->target_count; i++) {
        StreamKey key = {.query_id = query->query_id,
                         .exchange_id = send->plan->exchange_id,
                         .source = query->endpoint,
                         .target = send->targets[i].endpoint};
        TRY(stream_sender_open(query->hub, &key, query->exchange_encode, query->budget,
                               sink_waker(self), &send->targets[i].sender));
    }
    return STATUS_OK;
}

static Status exchange_send_local_open(Sink *self, void *local, Arena *worker_arena)
{
    ExchangeSend *send = (ExchangeSend *)self;
    ExchangeSendLocal *state = local;
    const PlanNode *child = send->plan->child;
    uint32_t count = send->plan->exchange == EXCHANGE_BROADCAST ? 1 : send->target_count;
    state->builders = ARENA_ARRAY(worker_arena, BatchBuilder *, count);
    state->builder_count = count;
    for (uint32_t i = 0; i < count; i++) {
        state->builders[i] = batch_builder_create(send->query->budget, child->output_types,
                                                  child->output_count, send->query->batch_rows);
        if (state->builders[i] == NULL) {
            return status_error(SQLSTATE_OUT_OF_MEMORY, "out of memory for rows to be sent");
        }
    }
    if (send->plan->exchange == EXCHANGE_HASH || send->plan->exchange == EXCHANGE_NODE) {
        state->hashes = ARENA_ARRAY(worker_arena, uint64_t, VECTOR_ROWS);
        state->row_targets = ARENA_ARRAY(worker_arena, uint16_t, VECTOR_ROWS);
        state->rows = ARENA_ARRAY(worker_arena, uint16_t, (size_t)count * VECTOR_ROWS);
        state->row_counts = ARENA_ARRAY(worker_arena, uint32_t, count);
    }
    return STATUS_OK;
}

static bool is_ready(const ExchangeSend *send)
{
    for (uint32_t i = 0; i < send->target_count; i++) {
        if (!stream_sender_is_ready(send->targets[i].sender)) {
            return false;
        }
    }
    return true;
}

// Hands what the builder has to its target, or to all of them.
static Status send_builder(ExchangeSend *send, ExchangeSendLocal *local, uint32_t index)
{
    SharedBatch *full = NULL;
    TRY(batch_builder_take(local->builders[index], &full));
    if (full == NULL) {
        return STATUS_OK;
    }
    if (send->plan->exchange != EXCHANGE_BROADCAST) {
        return stream_sender_send(send->targets[index].sender, full);
    }
    Status status = STATUS_OK;
    for (uint32_t i = 0; i < send->target_count && status == STATUS_OK; i++) {
        status = stream_sender_send(send->targets[i].sender, shared_batch_pin(full));
    }
    shared_batch_unpin(full);
    return status;
}

static Status append_rows(ExchangeSend *send, ExchangeSendLocal *local, uint32_t index,
                          const Batch *in, const uint16_t *rows, uint32_t row_count)
{
    uint32_t done = 0;
    while (done < row_count) {
        uint32_t taken = 0;
        TRY(batch_builder_append(local->builders[index], in, rows + done, row_count - done,
                                 &taken));
        done += taken;
        if (batch_builder_row_count(local->builders[index]) >= send->query->batch_rows) {
            TRY(send_builder(send, local, index));
        }
    }
    return STATUS_OK;
}

// Lists the rows of one target by a mask of them.
static uint32_t list_target(const uint16_t *targets, uint32_t target, const Batch *in,
                            uint16_t *list)
{
    const uint32_t count = in->selected_count;
    RowMask mask;
    row_mask_set_first(&mask, count);
    KERNELS(predicate_kernels)->range[LANE_U16](targets, count, target, 0, false, mask.words);
    const uint32_t listed = row_mask_to_selection(&mask, count, list);
    for (uint32_t i = 0; in->selection != NULL && i < listed; i++) {
        list[i] = in->selection[list[i]];
    }
    return listed;
}

// Lists the rows of each target in order. A pass per target has no chain from row to row and serves
// a few; many are counted up side by side.
static void list_rows(const ExchangeSend *send, ExchangeSendLocal *local, const Batch *in)
{
    const uint16_t *rows = batch_selected_rows(in), *targets = local->row_targets;
    const uint32_t count = in->selected_count;
    for (uint32_t t = 0; send->target_count <= PASSES_MAX && t < send->target_count; t++) {
        local->row_counts[t] = list_target(targets, t, in, local->rows + (size_t)t * VECTOR_ROWS);
    }
    if (send->target_count > PASSES_MAX) {
        memset(local->row_counts, 0, send->target_count * sizeof(*local->row_counts));
        for (uint32_t i = 0; i < count; i++) {
            uint32_t target = targets[i];
            local->rows[(size_t)target * VECTOR_ROWS + local->row_counts[target]++] = rows[i];
        }
    }
}

// Hashes the keys and lists the rows of each target.
static Status partition_rows(ExchangeSend *send, ExchangeSendLocal *local, Batch *in)
{
    for (uint32_t k = 0; k < send->plan->key_count; k++) {
        const Vector *key;
        TRY(batch_column(in, send->plan->keys[k], &key));
        distribution_hash_column(key, in, k > 0, local->hashes);
    }
    const uint16_t *bucket_targets = send->bucket_targets;
    for (uint32_t i = 0; i < in->selected_count; i++) {
        local->row_targets[i] = bucket_targets[bucket_of_hash(local->hashes[i])];
    }
    list_rows(send, local, in);
    return STATUS_OK;
}

// Lists the rows of each target by the node that the key names.
static Status divide_rows(ExchangeSend *send, ExchangeSendLocal *local, Batch *in)
{
    const Vector *key;
    const uint16_t *rows = batch_selected_rows(in);
    TRY(batch_column(in, send->plan->keys[0], &key));
    for (uint32_t i = 0; i < in->selected_count; i++) {
        int64_t node = vector_int64(key, rows[i]);
        if (node < 1 || node > send->target_count) {
            return status_error(SQLSTATE_INTERNAL_ERROR, "a row of node %lld of %u",
                                (long long)node, send->target_count);
        }
        local->row_targets[i] = (uint16_t)(node - 1); // targets are nodes 1 .. target_count
    }
    list_rows(send, local, in);
    return STATUS_OK;
}

static Status append_divided(ExchangeSend *send, ExchangeSendLocal *local, const Batch *in)
{
    for (uint32_t i = 0; i < send->target_count; i++) {
        TRY(append_rows(send, local, i, in, local->rows + (size_t)i * VECTOR_ROWS,
                        local->row_counts[i]));
    }
    return STATUS_OK;
}

static Status exchange_send_consume(Sink *self, void *local, Batch *in, Flow *flow)
{
    ExchangeSend *send = (ExchangeSend *)self;
    ExchangeSendLocal *state = local;
    if (!is_ready(send)) {
        *flow = FLOW_BLOCKED;
        return STATUS_OK;
    }
    *flow = FLOW_MORE;
    TRY(batch_load_all(in));
    const uint16_t *rows = batch_selected_rows(in);
    switch (send->plan->exchange) {
    case EXCHANGE_HASH:
        if (send->target_count == 1) {
            return append_rows(send, state, 0, in, rows, in->selected_count);
        }
        TRY(partition_rows(send, state, in));
        return append_divided(send, state, in);
    case EXCHANGE_NODE:
        TRY(divide_rows(send, state, in));
        return append_divided(send, state, in);
    case EXCHANGE_ROUND_ROBIN: {
        uint32_t turn = __atomic_fetch_add(&send->next_target, 1, __ATOMIC_RELAXED);
        return append_rows(send, state, turn % send->target_count, in, rows, in->selected_count);
    }
    case EXCHANGE_GATHER:
    case EXCHANGE_BROADCAST:
        return append_rows(send, state, 0, in, rows, in->selected_count);
    }
    return STATUS_OK;
}

static Status exchange_send_merge(Sink *self, void *local, Flow *flow)
{
    ExchangeSend *send = (ExchangeSend *)self;
    ExchangeSendLocal *state = local;
    while (state->flushed_count < state->builder_count) {
        if (batch_builder_row_count(state->builders[state->flushed_count]) > 0 && !is_ready(send)) {
            *flow = FLOW_BLOCKED;
            return STATUS_OK;
        }
        TRY(send_builder(send, state, state->flushed_count));
        state->flushed_count++;
    }
    *flow = FLOW_MORE;
    return STATUS_OK;
}

static Status exchange_send_finish(Sink *self, Flow *flow)
{
    ExchangeSend *send = (ExchangeSend *)self;
    for (uint32_t i = 0; i < send->target_count; i++) {
        TRY(stream_sender_finish(send->targets[i].sender));
    }
    *flow = FLOW_DONE;
    return STATUS_OK;
}

static void exchange_send_local_close(Sink *self, void *local)
{
    (void)self;
    ExchangeSendLocal *state = local;
    for (uint32_t i = 0; i < state->builder_count; i++) {
        if (state->builders[i] != NULL) {
            batch_builder_destroy(state->builders[i]);
        }
    }
}

static void exchange_send_close(Sink *self)
{
    ExchangeSend *send = (ExchangeSend *)self;
    for (uint32_t i = 0; i < send->target_count; i++) {
        StreamSender *sender = send->targets[i].sender;
        if (sender != NULL) {
            self->statistics.bytes += stream_sender_bytes(sender);
            stream_sender_close(sender);
            send->targets[i].sender = NULL;
        }
    }
}

static const SinkOps exchange_send_ops = {
    .name = "Send",
    .local_bytes = sizeof(ExchangeSendLocal),
    .open = exchange_send_open,
    .local_open = exchange_send_local_open,
    .consume = exchange_send_consume,
    .merge = exchange_send_merge,
    .finish = exchange_send_finish,
    .local_close = exchange_send_local_close,
    .close = exchange_send_close,
};
