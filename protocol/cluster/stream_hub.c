/*
 * stream_hub.c — the streams of one endpoint: who sends, what waits, what is over.
 *
 * Mutexes, outer to inner: the port's, the hub's, a sender's, an inflow's. Wakers run under the
 * inflow's or sender's mutex, so that a closed stream never wakes anyone.
 */
#include "protocol/cluster/cluster_internal.h"

#include <stdlib.h>
#include <string.h>

#include "base/hash.h"

static void inflow_fail(Inflow *inflow, Status reason);
static void sender_fail(StreamSender *sender, Status reason);

static uint32_t bucket_of(uint64_t query_id, uint32_t exchange_id)
{
    return (uint32_t)(hash_combine(query_id, exchange_id) % HUB_BUCKETS);
}

Status stream_hub_create(ClusterPort *port, uint32_t endpoint, StreamHub **out)
{
    StreamHub *hub = calloc(1, sizeof(*hub));
    MemoryBudget *budget = memory_budget_create(NULL, cluster_port_budget(port), "streams", 0);
    if (hub == NULL || budget == NULL) {
        memory_budget_destroy(budget);
        free(hub);
        return status_error(SQLSTATE_OUT_OF_MEMORY, "no memory for a stream hub");
    }
    hub->port = port;
    hub->endpoint = endpoint;
    hub->budget = budget;
    mutex_init(&hub->mutex, MUTEX_RANK_STREAM_HUB);
    cluster_port_add_hub(port, hub);
    *out = hub;
    return STATUS_OK;
}

uint32_t stream_hub_endpoint(const StreamHub *hub)
{
    return hub->endpoint;
}

void stream_item_free(StreamItem *owned_item)
{
    if (owned_item->batch != NULL) {
        shared_batch_unpin(owned_item->batch);
    }
    if (owned_item->message != NULL) {
        transport_nng()->ops->message_destroy(owned_item->message);
    }
    free(owned_item->bytes);
    free(owned_item->whole);
    free(owned_item);
}

static void inflow_free(Inflow *inflow)
{
    for (uint32_t i = 0; i < inflow->queue_capacity; i++) {
        StreamQueue *queue = &inflow->queues[i];
        while (queue->first != NULL) {
            StreamItem *next = queue->first->next;
            stream_item_free(queue->first);
            queue->first = next;
        }
        free(queue->partial);
    }
    free(inflow->queues);
    status_free(inflow->failure);
    mutex_deinit(&inflow->mutex);
    free(inflow);
}

void stream_hub_destroy(StreamHub *hub)
{
    if (hub == NULL) {
        return;
    }
    cluster_port_remove_hub(hub->port, hub);
    for (uint32_t i = 0; i < HUB_BUCKETS; i++) {
        ASSERT(hub->senders[i] == NULL);
        while (hub->inflows[i] != NULL) {
            Inflow *next = hub->inflows[i]->next;
            ASSERT(hub->inflows[i]->reference_count == 1);
            inflow_free(hub->inflows[i]);
            hub->inflows[i] = next;
        }
    }
    memory_budget_destroy(hub->budget);
    mutex_deinit(&hub->mutex);
    free(hub);
}

static bool is_tombstoned(const StreamHub *hub, uint64_t query_id)
{
    return hub->tombstones[query_id % TOMBSTONES] == query_id;
}

bool stream_hub_is_over(StreamHub *hub, uint64_t query_id)
{
    mutex_lock(&hub->mutex);
    bool is_over = is_tombstoned(hub, query_id);
    mutex_unlock(&hub->mutex);
    return is_over;
}

static Inflow *inflow_create(StreamHub *hub, uint64_t query_id, uint32_t exchange_id)
{
    Inflow *inflow = calloc(1, sizeof(*inflow));
    if (inflow == NULL) {
        return NULL;
    }
    inflow->hub = hub;
    inflow->query_id = query_id;
    inflow->exchange_id = exchange_id;
    inflow->reference_count = 1; // the table's
    mutex_init(&inflow->mutex, MUTEX_RANK_STREAM);
    return inflow;
}

Inflow *stream_hub_find_inflow(StreamHub *hub, uint64_t query_id, uint32_t exchange_id)
{
    mutex_lock(&hub->mutex);
    Inflow **slot = &hub->inflows[bucket_of(query_id, exchange_id)];
    Inflow *inflow = *slot;
    while (inflow != NULL && (inflow->query_id != query_id || inflow->exchange_id != exchange_id)) {
        inflow = inflow->next;
    }
    if (inflow == NULL && !is_tombstoned(hub, query_id)) {
        inflow = inflow_create(hub, query_id, exchange_id);
        if (inflow != NULL) {
            inflow->next = *slot;
            *slot = inflow;
        }
    }
    if (inflow != NULL) {
        inflow->reference_count++;
    }
    mutex_unlock(&hub->mutex);
    return inflow;
}

void stream_hub_release_inflow(StreamHub *hub, Inflow *inflow)
{
    mutex_lock(&hub->mutex);
    bool is_last = --inflow->reference_count == 0;
    mutex_unlock(&hub->mutex);
    if (is_last) {
        inflow_free(inflow);
    }
}

StreamQueue *inflow_queue(Inflow *inflow, uint32_t source)
{
    if (source >= inflow->queue_capacity) {
        uint32_t capacity = source < 8 ? 8 : ENDPOINT_MAX;
        StreamQueue *queues = realloc(inflow->queues, capacity * sizeof(*queues));
        if (queues == NULL) {
            return NULL;
        }
        memset(queues + inflow->queue_capacity, 0,
               (capacity - inflow->queue_capacity) * sizeof(*queues));
        for (uint32_t i = inflow->queue_capacity; i < capacity; i++) {
            queues[i].expected_count = UINT64_MAX;
        }
        inflow->queues = queues;
        inflow->queue_capacity = capacity;
    }
    return &inflow->queues[source];
}

void inflow_wake(Inflow *inflow)
{
    if (inflow->has_receiver && inflow->is_receiver_waiting) {
        inflow->is_receiver_waiting = false;
        inflow->receiver_waker.wake(inflow->receiver_waker.object);
    }
}

void inflow_add(Inflow *inflow, StreamQueue *queue, StreamItem *owned_item)
{
    queue->received_count++;
    if (inflow->is_stopped || inflow->failure != STATUS_OK) {
        stream_item_free(owned_item);
    } else {
        owned_item->next = NULL;
        if (queue->last != NULL && queue->first != NULL) {
            queue->last->next = owned_item;
        } else {
            queue->first = owned_item;
        }
        queue->last = owned_item;
        queue->queued_count++;
    }
    inflow_wake(inflow);
}

void inflow_end(Inflow *inflow, StreamQueue *queue, uint64_t message_count)
{
    queue->expected_count = message_count;
    inflow_wake(inflow);
}

/* Data that nobody wants any more: its sender may have opened after the first word of it. */
static void send_stop(StreamHub *hub, const FrameHeader *data)
{
    if (data->kind == FRAME_END) {
        return;
    }
    FrameHeader header = {.kind = FRAME_STOP,
                          .query_id = data->query_id,
                          .exchange_id = data->exchange_id,
                          .source = hub->endpoint,
                          .target = data->source};
    status_ignore(cluster_port_send(hub->port, data->source, &header, NULL, 0),
                  "a sender that is gone needs no stop");
}

/* A data message or end mark for one of our inflows. `damage`: of an end mark; data is checked by
 * whoever takes it. */
static void deliver_to_inflow(StreamHub *hub, const FrameHeader *header,
                              TransportMessage *owned_message, Status damage)
{
    Inflow *inflow = stream_hub_find_inflow(hub, header->query_id, header->exchange_id);
    StreamItem *item = header->kind == FRAME_END ? NULL : calloc(1, sizeof(*item));
    if (item != NULL) {
        item->message = owned_message;
        item->has_credit = true;
    } else {
        transport_nng()->ops->message_destroy(owned_message);
    }
    if (inflow == NULL) { // the query is over here
        if (item != NULL) {
            stream_item_free(item);
        }
        send_stop(hub, header);
        return;
    }
    if (damage != STATUS_OK) {
        inflow_fail(inflow, damage);
        stream_hub_release_inflow(hub, inflow);
        return;
    }
    mutex_lock(&inflow->mutex);
    bool is_stopped = inflow->is_stopped;
    StreamQueue *queue = inflow_queue(inflow, header->source);
    bool is_out_of_order =
        queue != NULL && item != NULL && header->sequence != queue->next_sequence;
    if (queue == NULL || (item == NULL && header->kind != FRAME_END) || is_out_of_order) {
        if (inflow->failure == STATUS_OK) {
            inflow->failure =
                is_out_of_order
                    ? status_error(SQLSTATE_CONNECTION_FAILURE,
                                   "messages from node %u were lost on the way", header->source)
                    : status_error(SQLSTATE_OUT_OF_MEMORY, "no memory for a message");
        }
        if (item != NULL) {
            stream_item_free(item);
        }
        inflow_wake(inflow);
    } else if (item != NULL) {
        queue->next_sequence++;
        if ((header->flags & FRAME_FLAG_LAST) != 0) { // checked with the rows, by who takes them
            queue->expected_count = (uint64_t)header->sequence + 1;
        }
        inflow_add(inflow, queue, item);
    } else {
        inflow_end(inflow, queue, header->sequence);
    }
    mutex_unlock(&inflow->mutex);
    stream_hub_release_inflow(hub, inflow);
    if (is_stopped) {
        send_stop(hub, header);
    }
}

static void deliver_to_sender(StreamHub *hub, const FrameHeader *header, Status damage)
{
    // CREDIT and STOP travel against the stream: their target is the stream's source.
    mutex_lock(&hub->mutex);
    StreamSender *sender = hub->senders[bucket_of(header->query_id, header->exchange_id)];
    while (sender != NULL && (sender->key.query_id != header->query_id ||
                              sender->key.exchange_id != header->exchange_id ||
                              sender->key.target != header->source)) {
        sender = sender->next;
    }
    if (sender != NULL &&
        damage != STATUS_OK) { // under the hub's mutex: it cannot be closed meanwhile
        sender_fail(sender, damage);
    } else if (sender != NULL) {
        mutex_lock(&sender->mutex);
        if (header->kind == FRAME_STOP) {
            sender->is_stopped = true;
        } else if (header->sequence <= STREAM_CREDITS) {
            sender->credits += header->sequence;
        }
        if (sender->is_waiting) {
            sender->is_waiting = false;
            sender->waker.wake(sender->waker.object);
        }
        mutex_unlock(&sender->mutex);
    }
    mutex_unlock(&hub->mutex);
}

void stream_hub_deliver(StreamHub *hub, const FrameHeader *header, TransportMessage *owned_message)
{
    // A mark is all header: nobody looks at its checksum later, and a wrong count would lose rows.
    Status damage = STATUS_OK;
    if (header->kind != FRAME_BATCHES && header->kind != FRAME_BYTES) {
        size_t bytes = 0;
        const uint8_t *frame = transport_nng()->ops->message_data(owned_message, &bytes);
        damage = frame_verify(frame, bytes);
    }
    if (header->kind == FRAME_CREDIT || header->kind == FRAME_STOP) {
        transport_nng()->ops->message_destroy(owned_message);
        deliver_to_sender(hub, header, damage);
    } else {
        deliver_to_inflow(hub, header, owned_message, damage);
    }
    status_free(damage);
}

void stream_hub_add_sender(StreamHub *hub, StreamSender *sender)
{
    mutex_lock(&hub->mutex);
    StreamSender **slot = &hub->senders[bucket_of(sender->key.query_id, sender->key.exchange_id)];
    sender->next = *slot;
    *slot = sender;
    mutex_unlock(&hub->mutex);
}

void stream_hub_remove_sender(StreamHub *hub, StreamSender *sender)
{
    mutex_lock(&hub->mutex);
    StreamSender **slot = &hub->senders[bucket_of(sender->key.query_id, sender->key.exchange_id)];
    while (*slot != sender) {
        slot = &(*slot)->next;
    }
    *slot = sender->next;
    mutex_unlock(&hub->mutex);
}

static void inflow_fail(Inflow *inflow, Status reason)
{
    mutex_lock(&inflow->mutex);
    if (inflow->failure == STATUS_OK) {
        inflow->failure = status_copy(reason);
    }
    for (uint32_t i = 0; i < inflow->queue_capacity; i++) {
        StreamQueue *queue = &inflow->queues[i];
        if (queue->is_sender_waiting) {
            queue->is_sender_waiting = false;
            queue->sender_waker.wake(queue->sender_waker.object);
        }
    }
    inflow_wake(inflow);
    mutex_unlock(&inflow->mutex);
}

static void sender_fail(StreamSender *sender, Status reason)
{
    mutex_lock(&sender->mutex);
    if (sender->failure == STATUS_OK) {
        sender->failure = status_copy(reason);
    }
    if (sender->is_waiting) {
        sender->is_waiting = false;
        sender->waker.wake(sender->waker.object);
    }
    mutex_unlock(&sender->mutex);
}

/* Query ids count up: the table holds the last TOMBSTONES of them. */
static void bury(StreamHub *hub, uint64_t query_id)
{
    hub->tombstones[query_id % TOMBSTONES] = query_id;
}

void stream_hub_cancel_query(StreamHub *hub, uint64_t query_id, Status reason)
{
    mutex_lock(&hub->mutex);
    bury(hub, query_id);
    for (uint32_t i = 0; i < HUB_BUCKETS; i++) {
        for (Inflow *inflow = hub->inflows[i]; inflow != NULL; inflow = inflow->next) {
            if (inflow->query_id == query_id) {
                inflow_fail(inflow, reason);
            }
        }
        for (StreamSender *sender = hub->senders[i]; sender != NULL; sender = sender->next) {
            if (sender->key.query_id == query_id) {
                sender_fail(sender, reason);
            }
        }
    }
    mutex_unlock(&hub->mutex);
}

/* `query_id` 0: of every query; none of them has a stream open here. */
static void end_inflows(StreamHub *hub, uint64_t query_id)
{
    Inflow *ended = NULL;
    mutex_lock(&hub->mutex);
    if (query_id != 0) {
        bury(hub, query_id);
    }
    for (uint32_t i = 0; i < HUB_BUCKETS; i++) {
        Inflow **slot = &hub->inflows[i];
        while (*slot != NULL) {
            Inflow *inflow = *slot;
            if (query_id != 0 && inflow->query_id != query_id) {
                slot = &inflow->next;
                continue;
            }
            *slot = inflow->next;
            if (--inflow->reference_count == 0) {
                inflow->next = ended;
                ended = inflow;
            }
        }
    }
    mutex_unlock(&hub->mutex);
    while (ended != NULL) {
        Inflow *next = ended->next;
        inflow_free(ended);
        ended = next;
    }
}

void stream_hub_end_query(StreamHub *hub, uint64_t query_id)
{
    end_inflows(hub, query_id);
}

void stream_hub_end_all(StreamHub *hub)
{
    end_inflows(hub, 0);
}

void stream_hub_endpoint_lost(StreamHub *hub, uint32_t endpoint)
{
    Status reason = status_with_node(
        status_error(SQLSTATE_CONNECTION_FAILURE, "lost the connection to node %u", endpoint),
        endpoint);
    mutex_lock(&hub->mutex);
    for (uint32_t i = 0; i < HUB_BUCKETS; i++) {
        for (Inflow *inflow = hub->inflows[i]; inflow != NULL; inflow = inflow->next) {
            mutex_lock(&inflow->mutex);
            bool is_fed =
                endpoint < inflow->queue_capacity &&
                (inflow->queues[endpoint].is_known ||
                 inflow->queues[endpoint].received_count > 0) &&
                inflow->queues[endpoint].received_count != inflow->queues[endpoint].expected_count;
            mutex_unlock(&inflow->mutex);
            if (is_fed) {
                inflow_fail(inflow, reason);
            }
        }
        for (StreamSender *sender = hub->senders[i]; sender != NULL; sender = sender->next) {
            if (sender->key.target == endpoint) {
                sender_fail(sender, reason);
            }
        }
    }
    mutex_unlock(&hub->mutex);
    status_free(reason);
}
