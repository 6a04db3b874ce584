/*
 * stream_sender.c — the sending half of a stream: by pointer inside the process, or encoded.
 *
 * A local sender hands each batch to the target's inflow. Otherwise batches are encoded into a
 * buffer that leaves as one message when it has grown to FRAME_PAYLOAD_TARGET; a batch larger than
 * FRAME_PAYLOAD_MAX goes on in further messages (FRAME_FLAG_MORE).
 */
#include "protocol/cluster/cluster_internal.h"

#include <stdlib.h>
#include <string.h>

#include "base/vector/batch_codec.h"

#define BATCH_BYTES_MAX REASSEMBLY_BYTES_MAX
#define READABLE_TAIL 64u

Status stream_sender_open(StreamHub *hub, const StreamKey *key, bool is_encoded,
                          MemoryBudget *budget, Waker waker, StreamSender **out)
{
    (void)budget; // what waits is charged to the hub, what is on its way is bounded by credits
    StreamSender *sender = calloc(1, sizeof(*sender));
    if (sender == NULL) {
        return status_error(SQLSTATE_OUT_OF_MEMORY, "no memory for a stream");
    }
    sender->hub = hub;
    sender->key = *key;
    sender->waker = waker;
    sender->credits = STREAM_CREDITS;
    mutex_init(&sender->mutex, MUTEX_RANK_STREAM_SENDER);
    StreamHub *target = cluster_port_hub(hub->port, key->target);
    sender->is_encoded = is_encoded || target == NULL;
    if (target != NULL) {
        sender->local = stream_hub_find_inflow(target, key->query_id, key->exchange_id);
        // The query may be over there already: its fragments needed nothing of ours. (When it was
        // canceled, this endpoint hears of it too.)
        sender->is_over = sender->local == NULL;
        sender->is_stopped = sender->is_over;
    }
    stream_hub_add_sender(hub, sender);
    *out = sender;
    return STATUS_OK;
}

bool stream_sender_is_ready(StreamSender *sender)
{
    bool is_ready = true;
    mutex_lock(&sender->mutex);
    if (sender->failure == STATUS_OK && !sender->is_stopped) {
        if (sender->local != NULL) {
            Inflow *inflow = sender->local;
            mutex_lock(&inflow->mutex);
            StreamQueue *queue = inflow_queue(inflow, sender->key.source);
            uint32_t items_max = sender->is_encoded ? STREAM_CREDITS : LOCAL_BATCHES_MAX;
            if (queue != NULL && queue->queued_count >= items_max && !inflow->is_stopped &&
                inflow->failure == STATUS_OK) {
                is_ready = false;
                queue->is_sender_waiting = true;
                queue->sender_waker = sender->waker;
            }
            mutex_unlock(&inflow->mutex);
        } else if (sender->credits == 0) {
            is_ready = false;
            sender->is_waiting = true;
        }
    }
    mutex_unlock(&sender->mutex);
    return is_ready;
}

bool stream_sender_is_stopped(StreamSender *sender)
{
    mutex_lock(&sender->mutex);
    if (sender->local != NULL && !sender->is_stopped) {
        mutex_lock(&sender->local->mutex);
        sender->is_stopped = sender->local->is_stopped;
        mutex_unlock(&sender->local->mutex);
    }
    bool is_stopped = sender->is_stopped;
    mutex_unlock(&sender->mutex);
    return is_stopped;
}

/* Puts one item into the local inflow; under the sender's mutex. */
static Status add_local(StreamSender *sender, StreamItem *owned_item)
{
    Inflow *inflow = sender->local;
    Status status = STATUS_OK;
    mutex_lock(&inflow->mutex);
    StreamQueue *queue = inflow_queue(inflow, sender->key.source);
    if (queue == NULL) {
        status = status_error(SQLSTATE_OUT_OF_MEMORY, "no memory for a stream");
    } else if (inflow->failure != STATUS_OK) {
        status = status_copy(inflow->failure);
    }
    if (status != STATUS_OK) {
        stream_item_free(owned_item);
    } else {
        sender->is_stopped = sender->is_stopped || inflow->is_stopped;
        sender->sequence++;
        inflow_add(inflow, queue, owned_item);
    }
    mutex_unlock(&inflow->mutex);
    return status;
}

static Status send_batch_local(StreamSender *sender, SharedBatch *owned_batch)
{
    StreamItem *item = calloc(1, sizeof(*item));
    if (item == NULL) {
        shared_batch_unpin(owned_batch);
        return status_error(SQLSTATE_OUT_OF_MEMORY, "no memory for a stream");
    }
    item->batch = owned_batch;
    item->has_credit = true;
    sender->bytes += owned_batch->bytes;
    if (!shared_batch_recharge(owned_batch, sender->local->hub->budget)) {
        stream_item_free(item);
        return status_error(SQLSTATE_OUT_OF_MEMORY, "no memory for rows on their way");
    }
    return add_local(sender, item);
}

/* Sends one message of the stream; under the sender's mutex. */
static Status send_message(StreamSender *sender, FrameKind kind, uint8_t flags, const void *payload,
                           size_t bytes, uint64_t rows)
{
    FrameHeader header = {
        .kind = (uint8_t)kind,
        .flags = flags,
        .query_id = sender->key.query_id,
        .exchange_id = sender->key.exchange_id,
        .source = sender->key.source,
        .target = sender->key.target,
        .sequence = sender->sequence,
        .row_count = rows,
    };
    sender->bytes += bytes;
    if (sender->local == NULL) {
        if (kind != FRAME_END) {
            sender->sequence++;
            sender->credits -= sender->credits > 0;
        }
        return cluster_port_send(sender->hub->port, sender->key.target, &header, payload, bytes);
    }
    StreamItem *item = calloc(1, sizeof(*item));
    uint8_t *copy = malloc(sizeof(header) + bytes + READABLE_TAIL);
    if (item == NULL || copy == NULL) {
        free(item);
        free(copy);
        return status_error(SQLSTATE_OUT_OF_MEMORY, "no memory for a message");
    }
    frame_seal(&header, payload, bytes);
    memcpy(copy, &header, sizeof(header));
    memcpy(copy + sizeof(header), payload, bytes);
    memset(copy + sizeof(header) + bytes, 0, READABLE_TAIL);
    item->bytes = copy;
    item->byte_count = sizeof(header) + bytes;
    item->has_credit = true;
    return add_local(sender, item);
}

/* `flags`: FRAME_FLAG_LAST when nothing comes after it. */
static Status flush_buffer(StreamSender *sender, uint8_t flags)
{
    if (sender->buffer_bytes == 0) {
        return STATUS_OK;
    }
    size_t bytes = sender->buffer_bytes;
    uint64_t rows = sender->buffered_rows;
    sender->buffer_bytes = 0;
    sender->buffered_rows = 0;
    return send_message(sender, FRAME_BATCHES, flags, sender->buffer, bytes, rows);
}

/* Appends one encoded batch to the buffer, or sends a large one in pieces. */
static Status add_encoded(StreamSender *sender, const ByteBuffer *encoded, uint64_t rows)
{
    if (sender->buffer_bytes + encoded->bytes > FRAME_PAYLOAD_MAX) {
        TRY(flush_buffer(sender, 0));
    }
    if (encoded->bytes > FRAME_PAYLOAD_MAX) {
        size_t offset = 0;
        while (offset < encoded->bytes) {
            size_t piece = encoded->bytes - offset;
            bool has_more = piece > FRAME_PAYLOAD_MAX;
            piece = has_more ? FRAME_PAYLOAD_MAX : piece;
            TRY(send_message(sender, FRAME_BATCHES, has_more ? FRAME_FLAG_MORE : 0,
                             encoded->data + offset, piece, has_more ? 0 : rows));
            offset += piece;
        }
        return STATUS_OK;
    }
    size_t needed = sender->buffer_bytes + encoded->bytes;
    if (needed > sender->buffer_capacity) {
        size_t capacity = needed < FRAME_PAYLOAD_TARGET ? FRAME_PAYLOAD_TARGET : needed * 2;
        uint8_t *buffer = realloc(sender->buffer, capacity);
        if (buffer == NULL) {
            return status_error(SQLSTATE_OUT_OF_MEMORY, "no memory for a message");
        }
        sender->buffer = buffer;
        sender->buffer_capacity = capacity;
    }
    memcpy(sender->buffer + sender->buffer_bytes, encoded->data, encoded->bytes);
    sender->buffer_bytes = needed;
    sender->buffered_rows += rows;
    return needed >= FRAME_PAYLOAD_TARGET ? flush_buffer(sender, 0) : STATUS_OK;
}

static Status send_batch_encoded(StreamSender *sender, SharedBatch *owned_batch)
{
    ByteBuffer encoded;
    byte_buffer_init(&encoded, BATCH_BYTES_MAX);
    batch_encode(&owned_batch->batch, &encoded); // outside of the mutex: the costly part
    uint64_t rows = owned_batch->batch.selected_count;
    shared_batch_unpin(owned_batch);
    Status status = byte_buffer_status(&encoded);
    if (status == STATUS_OK) {
        mutex_lock(&sender->mutex);
        if (sender->failure != STATUS_OK) {
            status = status_copy(sender->failure);
        } else if (!sender->is_stopped) {
            status = add_encoded(sender, &encoded, rows);
        }
        mutex_unlock(&sender->mutex);
    }
    byte_buffer_deinit(&encoded);
    return status;
}

Status stream_sender_send(StreamSender *sender, SharedBatch *owned_batch)
{
    Status status = STATUS_OK;
    mutex_lock(&sender->mutex);
    if (sender->failure != STATUS_OK) {
        status = status_copy(sender->failure);
    }
    bool is_taken = status == STATUS_OK && !sender->is_stopped;
    if (is_taken) {
        sender->rows += owned_batch->batch.selected_count;
        if (!sender->is_encoded) {
            status = send_batch_local(sender, owned_batch);
        }
    }
    mutex_unlock(&sender->mutex);
    if (!is_taken) {
        shared_batch_unpin(owned_batch);
        return status;
    }
    return sender->is_encoded ? send_batch_encoded(sender, owned_batch) : status;
}

Status stream_sender_send_bytes(StreamSender *sender, const void *data, size_t bytes)
{
    if (bytes > REASSEMBLY_BYTES_MAX) {
        return status_error(SQLSTATE_PROGRAM_LIMIT_EXCEEDED, "a block of %zu bytes is too large",
                            bytes);
    }
    mutex_lock(&sender->mutex);
    Status status = sender->failure == STATUS_OK ? STATUS_OK : status_copy(sender->failure);
    size_t offset = 0;
    do {
        size_t piece = bytes - offset;
        bool has_more = piece > FRAME_PAYLOAD_MAX;
        piece = has_more ? FRAME_PAYLOAD_MAX : piece;
        if (status == STATUS_OK && !sender->is_stopped) {
            status = send_message(sender, FRAME_BYTES, has_more ? FRAME_FLAG_MORE : 0,
                                  (const uint8_t *)data + offset, piece, 0);
        }
        offset += piece;
    } while (offset < bytes);
    mutex_unlock(&sender->mutex);
    return status;
}

Status stream_sender_finish(StreamSender *sender)
{
    mutex_lock(&sender->mutex);
    Status status = STATUS_OK;
    bool is_marked = false; // the last rows say themselves that they are the last
    if (sender->failure != STATUS_OK) {
        status = status_copy(sender->failure);
    } else {
        if (sender->is_stopped) {
            sender->buffer_bytes = 0;
        }
        is_marked = sender->buffer_bytes > 0 && sender->local == NULL;
        status = flush_buffer(sender, is_marked ? FRAME_FLAG_LAST : 0);
    }
    if (sender->is_over) {
        sender->is_finished = true;
    } else if (status == STATUS_OK && sender->local != NULL) {
        mutex_lock(&sender->local->mutex);
        StreamQueue *queue = inflow_queue(sender->local, sender->key.source);
        if (queue != NULL) {
            inflow_end(sender->local, queue, sender->sequence);
        } else {
            status = status_error(SQLSTATE_OUT_OF_MEMORY, "no memory for a stream");
        }
        mutex_unlock(&sender->local->mutex);
    } else if (status == STATUS_OK && !is_marked) {
        status = send_message(sender, FRAME_END, 0, NULL, 0, sender->rows);
    }
    sender->is_finished = status == STATUS_OK;
    mutex_unlock(&sender->mutex);
    return status;
}

uint64_t stream_sender_bytes(const StreamSender *sender)
{
    return sender->bytes;
}

uint64_t stream_sender_rows(const StreamSender *sender)
{
    return sender->rows;
}

void stream_sender_close(StreamSender *sender)
{
    if (sender == NULL) {
        return;
    }
    stream_hub_remove_sender(sender->hub, sender);
    if (sender->local != NULL) {
        Inflow *inflow = sender->local;
        mutex_lock(&inflow->mutex);
        if (sender->key.source < inflow->queue_capacity) {
            inflow->queues[sender->key.source].is_sender_waiting = false;
        }
        mutex_unlock(&inflow->mutex);
        stream_hub_release_inflow(inflow->hub, inflow);
    }
    free(sender->buffer);
    status_free(sender->failure);
    mutex_deinit(&sender->mutex);
    free(sender);
}
