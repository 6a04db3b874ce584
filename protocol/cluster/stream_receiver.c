/*
 * stream_receiver.c — the receiving half: takes what waits, checks and decodes it in the caller's
 * thread, gives credit back.
 */
#include "protocol/cluster/cluster_internal.h"

#include <stdlib.h>
#include <string.h>

#include "base/vector/batch_codec.h"

struct StreamReceiver {
    StreamHub *hub;
    Inflow *inflow;
    MemoryBudget *budget;
    uint32_t source_count;
    uint32_t *sources;
    const Type *types;
    uint32_t column_count;
};

Status stream_receiver_open(StreamHub *hub, uint64_t query_id, uint32_t exchange_id,
                            const uint32_t *sources, uint32_t source_count, const Type *types,
                            uint32_t column_count, MemoryBudget *budget, Waker waker,
                            StreamReceiver **out)
{
    StreamReceiver *receiver = calloc(1, sizeof(*receiver));
    uint32_t *copy = calloc(source_count, sizeof(*copy));
    if (receiver == NULL || copy == NULL) {
        free(receiver);
        free(copy);
        return status_error(SQLSTATE_OUT_OF_MEMORY, "no memory for a stream");
    }
    memcpy(copy, sources, source_count * sizeof(*copy));
    *receiver = (StreamReceiver){.hub = hub,
                                 .budget = budget,
                                 .sources = copy,
                                 .source_count = source_count,
                                 .types = types,
                                 .column_count = column_count};
    receiver->inflow = stream_hub_find_inflow(hub, query_id, exchange_id);
    if (receiver->inflow == NULL) {
        free(copy);
        free(receiver);
        return status_error(SQLSTATE_QUERY_CANCELED, "the query was canceled before it began");
    }
    Inflow *inflow = receiver->inflow;
    Status status = STATUS_OK;
    mutex_lock(&inflow->mutex);
    for (uint32_t i = 0; i < source_count; i++) {
        StreamQueue *queue = inflow_queue(inflow, sources[i]);
        if (queue == NULL) {
            status = status_error(SQLSTATE_OUT_OF_MEMORY, "no memory for a stream");
            break;
        }
        queue->is_known = true;
    }
    inflow->has_receiver = status == STATUS_OK;
    inflow->source_count = source_count;
    inflow->receiver_waker = waker;
    mutex_unlock(&inflow->mutex);
    if (status != STATUS_OK) {
        stream_receiver_close(receiver);
        return status;
    }
    *out = receiver;
    return STATUS_OK;
}

/* Takes the next item of a queue; `*credits` is what a remote sender is now owed. */
static StreamItem *queue_take(StreamQueue *queue, uint32_t *credits)
{
    StreamItem *item = queue->first;
    queue->first = item->next;
    if (queue->first == NULL) {
        queue->last = NULL;
    }
    *credits = 0;
    if (item->has_credit) {
        queue->queued_count--;
        if (item->message != NULL) {
            queue->credits_owed++;
            if (queue->credits_owed >= STREAM_CREDITS / 2) {
                *credits = queue->credits_owed;
                queue->credits_owed = 0;
            }
        } else if (queue->is_sender_waiting && queue->queued_count <= LOCAL_BATCHES_MAX / 2) {
            queue->is_sender_waiting = false;
            queue->sender_waker.wake(queue->sender_waker.object);
        }
    }
    return item;
}

/* Whether the source has given everything. */
static bool queue_is_complete(const StreamQueue *queue)
{
    return queue->first == NULL && queue->expected_count != UINT64_MAX &&
           queue->received_count >= queue->expected_count;
}

static Status tell_sender(StreamReceiver *receiver, uint32_t source, FrameKind kind,
                          uint32_t credits)
{
    FrameHeader header = {
        .kind = (uint8_t)kind,
        .query_id = receiver->inflow->query_id,
        .exchange_id = receiver->inflow->exchange_id,
        .source = receiver->hub->endpoint,
        .target = source,
        .sequence = credits,
    };
    return cluster_port_send(receiver->hub->port, source, &header, NULL, 0);
}

static const uint8_t *item_frame(const StreamItem *item, size_t *bytes)
{
    if (item->message != NULL) {
        return transport_nng()->ops->message_data(item->message, bytes);
    }
    *bytes = item->byte_count;
    return item->bytes;
}

static Status check_kind(FrameKind arrived, FrameKind expected)
{
    if (arrived == expected) {
        return STATUS_OK;
    }
    return status_error(SQLSTATE_PROTOCOL_VIOLATION, expected == FRAME_BATCHES
                                                         ? "rows expected, bytes arrived"
                                                         : "bytes expected, rows arrived");
}

/* A message that is part of a large batch is joined to the parts before it while the mutex is still
 * held: of two workers that take two parts, the second must not come first. */
static Status join_piece(StreamQueue *queue, StreamItem *item, FrameKind kind)
{
    size_t bytes = 0;
    FrameHeader header;
    const uint8_t *frame = item_frame(item, &bytes);
    TRY(frame_open(frame, bytes, &header));
    bool has_more = (header.flags & FRAME_FLAG_MORE) != 0;
    if (!has_more && queue->partial == NULL) {
        return STATUS_OK;
    }
    TRY(frame_verify(frame, bytes));
    TRY(check_kind(header.kind, kind));
    size_t total = queue->partial_bytes + header.payload_bytes;
    uint8_t *grown = total > REASSEMBLY_BYTES_MAX ? NULL : realloc(queue->partial, total + 64);
    if (grown == NULL) {
        return status_error(SQLSTATE_OUT_OF_MEMORY, "no memory for a batch of %zu bytes", total);
    }
    memcpy(grown + queue->partial_bytes, frame + sizeof(header), header.payload_bytes);
    memset(grown + total, 0, 64);
    item->is_piece = has_more;
    item->whole = has_more ? NULL : grown;
    item->whole_bytes = has_more ? 0 : total;
    queue->partial = has_more ? grown : NULL;
    queue->partial_bytes = has_more ? total : 0;
    return STATUS_OK;
}

/* Finds an item: from one source, or from any in turn. */
static StreamItem *take_item(StreamReceiver *receiver, const uint32_t *only, FrameKind kind,
                             uint32_t *source, uint32_t *credits, ReceiveResult *result,
                             Status *status)
{
    Inflow *inflow = receiver->inflow;
    StreamItem *item = NULL;
    *result = RECEIVE_END;
    *status = STATUS_OK;
    mutex_lock(&inflow->mutex);
    if (inflow->failure != STATUS_OK) {
        *status = status_copy(inflow->failure);
    }
    uint32_t count = only != NULL ? 1 : receiver->source_count;
    for (uint32_t i = 0; *status == STATUS_OK && item == NULL && i < count; i++) {
        uint32_t turn = (inflow->turn + i) % receiver->source_count;
        *source = only != NULL ? *only : receiver->sources[turn];
        StreamQueue *queue = &inflow->queues[*source];
        if (inflow->is_stopped) {
            break;
        }
        if (queue->first != NULL) {
            item = queue_take(queue, credits);
            inflow->turn = turn + 1;
            *result = RECEIVE_BATCH;
            *status = item->batch == NULL ? join_piece(queue, item, kind) : STATUS_OK;
        } else if (!queue_is_complete(queue)) {
            *result = RECEIVE_EMPTY;
        } else if (queue->partial != NULL) {
            *status = status_error(SQLSTATE_PROTOCOL_VIOLATION,
                                   "the stream from node %u ended inside a batch", *source);
        }
    }
    if (item == NULL && *result == RECEIVE_EMPTY) {
        inflow->is_receiver_waiting = true;
    }
    mutex_unlock(&inflow->mutex);
    if (item != NULL && *status != STATUS_OK) {
        stream_item_free(item);
        item = NULL;
    }
    return item;
}

/* The payload of an item that is no piece: of one message, checked here, or of all its pieces. */
static Status item_payload(const StreamItem *item, FrameKind kind, const uint8_t **payload,
                           size_t *bytes)
{
    if (item->whole != NULL) {
        *payload = item->whole;
        *bytes = item->whole_bytes;
        return STATUS_OK;
    }
    size_t frame_bytes = 0;
    const uint8_t *frame = item_frame(item, &frame_bytes);
    FrameHeader header;
    TRY(frame_verify(frame, frame_bytes));
    TRY(frame_open(frame, frame_bytes, &header));
    *payload = frame + sizeof(header);
    *bytes = header.payload_bytes;
    return check_kind(header.kind, kind);
}

/* Puts the batches after the first back at the head of the queue, in order. */
static void put_back(StreamReceiver *receiver, uint32_t source, StreamItem *first, StreamItem *last)
{
    if (first == NULL) {
        return;
    }
    mutex_lock(&receiver->inflow->mutex);
    StreamQueue *queue = &receiver->inflow->queues[source];
    last->next = queue->first;
    queue->first = first;
    if (queue->last == NULL) {
        queue->last = last;
    }
    inflow_wake(receiver->inflow);
    mutex_unlock(&receiver->inflow->mutex);
}

static Status decode_payload(StreamReceiver *receiver, uint32_t source, const uint8_t *payload,
                             size_t bytes, SharedBatch **out)
{
    ByteReader reader;
    byte_reader_init(&reader, payload, bytes);
    StreamItem *first = NULL, *last = NULL;
    Status status = STATUS_OK;
    *out = NULL;
    while (status == STATUS_OK && byte_reader_remaining(&reader) > 0) {
        SharedBatch *batch = NULL;
        status = batch_decode(&reader, receiver->types, receiver->column_count, receiver->budget,
                              &batch);
        if (status != STATUS_OK) {
            break;
        }
        if (*out == NULL) {
            *out = batch;
            continue;
        }
        StreamItem *item = calloc(1, sizeof(*item));
        if (item == NULL) {
            shared_batch_unpin(batch);
            status = status_error(SQLSTATE_OUT_OF_MEMORY, "no memory for a stream");
            break;
        }
        item->batch = batch;
        if (last != NULL) {
            last->next = item;
        } else {
            first = item;
        }
        last = item;
    }
    if (status != STATUS_OK) {
        while (first != NULL) {
            StreamItem *next = first->next;
            stream_item_free(first);
            first = next;
        }
        shared_batch_unpin(*out);
        *out = NULL;
        return status;
    }
    put_back(receiver, source, first, last);
    return STATUS_OK;
}

/* An item with bytes; `*out` stays null for a piece. */
static Status decode_item(StreamReceiver *receiver, uint32_t source, const StreamItem *item,
                          SharedBatch **out)
{
    const uint8_t *payload = NULL;
    size_t bytes = 0;
    if (item->is_piece) {
        return STATUS_OK;
    }
    TRY(item_payload(item, FRAME_BATCHES, &payload, &bytes));
    return decode_payload(receiver, source, payload, bytes, out);
}

static Status receive(StreamReceiver *receiver, const uint32_t *only, SharedBatch **out,
                      ReceiveResult *result)
{
    *out = NULL;
    while (*out == NULL) {
        uint32_t source = 0, credits = 0;
        Status status = STATUS_OK;
        StreamItem *item =
            take_item(receiver, only, FRAME_BATCHES, &source, &credits, result, &status);
        if (item == NULL) {
            return status;
        }
        if (item->batch != NULL) {
            *out = item->batch;
            item->batch = NULL;
        } else {
            status = decode_item(receiver, source, item, out);
        }
        stream_item_free(item);
        if (status == STATUS_OK && credits > 0) {
            status = tell_sender(receiver, source, FRAME_CREDIT, credits);
        }
        if (status != STATUS_OK) {
            shared_batch_unpin(*out);
            *out = NULL;
            return status;
        }
    }
    mutex_lock(&receiver->inflow->mutex);
    receiver->inflow->rows += (*out)->batch.selected_count;
    receiver->inflow->bytes += (*out)->bytes;
    mutex_unlock(&receiver->inflow->mutex);
    return STATUS_OK;
}

Status stream_receiver_next(StreamReceiver *receiver, SharedBatch **out, ReceiveResult *result)
{
    return receive(receiver, NULL, out, result);
}

Status stream_receiver_next_from(StreamReceiver *receiver, uint32_t source_index, SharedBatch **out,
                                 ReceiveResult *result)
{
    ASSERT(source_index < receiver->source_count);
    return receive(receiver, &receiver->sources[source_index], out, result);
}

/* The payload of an item, as the caller's own; null for a piece. */
static Status take_bytes(StreamItem *item, uint8_t **out, size_t *bytes)
{
    const uint8_t *payload = NULL;
    if (item->is_piece) {
        return STATUS_OK;
    }
    if (item->batch != NULL) {
        return check_kind(FRAME_BATCHES, FRAME_BYTES);
    }
    TRY(item_payload(item, FRAME_BYTES, &payload, bytes));
    if (item->whole != NULL) {
        *out = item->whole;
        item->whole = NULL;
        return STATUS_OK;
    }
    uint8_t *copy = malloc(*bytes + 64);
    if (copy == NULL) {
        return status_error(SQLSTATE_OUT_OF_MEMORY, "no memory for a message of %zu bytes", *bytes);
    }
    memcpy(copy, payload, *bytes);
    memset(copy + *bytes, 0, 64);
    *out = copy;
    return STATUS_OK;
}

Status stream_receiver_next_bytes(StreamReceiver *receiver, uint8_t **out, size_t *bytes,
                                  ReceiveResult *result)
{
    *out = NULL;
    while (*out == NULL) {
        uint32_t source = 0, credits = 0;
        Status status = STATUS_OK;
        StreamItem *item =
            take_item(receiver, NULL, FRAME_BYTES, &source, &credits, result, &status);
        if (item == NULL) {
            return status;
        }
        status = take_bytes(item, out, bytes);
        stream_item_free(item);
        if (status == STATUS_OK && credits > 0) {
            status = tell_sender(receiver, source, FRAME_CREDIT, credits);
        }
        if (status != STATUS_OK) {
            free(*out);
            *out = NULL;
            return status;
        }
    }
    return STATUS_OK;
}

void stream_receiver_stop(StreamReceiver *receiver)
{
    Inflow *inflow = receiver->inflow;
    mutex_lock(&inflow->mutex);
    bool was_stopped = inflow->is_stopped;
    inflow->is_stopped = true;
    bool is_open[ENDPOINT_MAX] = {0}; // sources that still send
    for (uint32_t i = 0; i < inflow->queue_capacity; i++) {
        StreamQueue *queue = &inflow->queues[i];
        is_open[i] = queue->received_count < queue->expected_count;
        while (queue->first != NULL) {
            StreamItem *next = queue->first->next;
            stream_item_free(queue->first);
            queue->first = next;
        }
        queue->last = NULL;
        queue->queued_count = 0;
        if (queue->is_sender_waiting) {
            queue->is_sender_waiting = false;
            queue->sender_waker.wake(queue->sender_waker.object);
        }
    }
    inflow_wake(inflow);
    mutex_unlock(&inflow->mutex);
    for (uint32_t i = 0; !was_stopped && i < receiver->source_count; i++) {
        uint32_t source = receiver->sources[i];
        if (is_open[source] && cluster_port_hub(receiver->hub->port, source) == NULL) {
            status_ignore(tell_sender(receiver, source, FRAME_STOP, 0),
                          "a sender that is gone needs no stop");
        }
    }
}

uint64_t stream_receiver_bytes(const StreamReceiver *receiver)
{
    return receiver->inflow->bytes;
}

uint64_t stream_receiver_rows(const StreamReceiver *receiver)
{
    return receiver->inflow->rows;
}

void stream_receiver_close(StreamReceiver *receiver)
{
    if (receiver == NULL) {
        return;
    }
    mutex_lock(&receiver->inflow->mutex);
    receiver->inflow->has_receiver = false;
    mutex_unlock(&receiver->inflow->mutex);
    stream_hub_release_inflow(receiver->hub, receiver->inflow);
    free(receiver->sources);
    free(receiver);
}
