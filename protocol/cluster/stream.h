/*
 * stream.h — rows on their way between endpoints: credits, order, end marks, cancel.
 *
 * An endpoint is the leader (0) or a compute node (its number, from 1). A stream is (query,
 * exchange, source endpoint, target endpoint). Within one process batches pass by pointer; between
 * processes they are encoded (batch_codec.h) into messages of 256 KiB to 4 MiB over nng. The
 * `exchange_encode` setting takes the encoded road even within one process.
 *
 * Nothing here blocks: a sender without credit and a receiver without rows report it and call the
 * waker later, from any thread; the waker only enqueues.
 *
 * Invariants: (1) a stream is complete when its end mark has arrived and its count is reached;
 * (2) a lost peer fails every stream with it (08006); (3) a query that was canceled or has ended
 * leaves a tombstone until 4,096 later ones have, so that late messages are dropped, not kept.
 */
#pragma once
#include "base/memory_budget.h"
#include "base/vector/batch.h"

typedef struct StreamHub StreamHub; /* one per endpoint: the streams that end or start there */

typedef struct Waker {
    void (*wake)(void *object);
    void *object;
} Waker;

typedef struct StreamKey {
    uint64_t query_id;
    uint32_t exchange_id;
    uint32_t source, target; /* endpoints */
} StreamKey;

typedef struct StreamSender StreamSender;
typedef struct StreamReceiver StreamReceiver;

/* A sender; opened before the pipeline runs. Streams of one query share its cancel and failure.
 * What waits is charged to the hub, never to `budget`. */
Status stream_sender_open(StreamHub *hub, const StreamKey *key, bool is_encoded,
                          MemoryBudget *budget, Waker waker, StreamSender **out) CHECKED;
/* True when a batch would be taken now; otherwise the waker is called once there is credit. */
bool stream_sender_is_ready(StreamSender *sender);
/* Hands over one reference, also on failure. Call only when ready (a batch over the credit is
 * taken all the same: credits bound, they do not cut). 57014, 08006, 53200. Thread-safe. */
Status stream_sender_send(StreamSender *sender, SharedBatch *owned_batch) CHECKED;
/* Raw bytes instead of rows (COPY text); copied, and received as one piece. At most 256 MiB. */
Status stream_sender_send_bytes(StreamSender *sender, const void *data, size_t bytes) CHECKED;
/* Marks the end; the sender is still to be closed. */
Status stream_sender_finish(StreamSender *sender) CHECKED;
/* The receiver wants nothing more: sends are dropped, the pipeline may end early. */
bool stream_sender_is_stopped(StreamSender *sender);
uint64_t stream_sender_bytes(const StreamSender *sender); /* sent: encoded or in-memory size */
uint64_t stream_sender_rows(const StreamSender *sender);
void stream_sender_close(StreamSender *sender); /* null is allowed; unfinished: the query failed */

/* A receiver of (query, exchange) at this endpoint, from all `source_count` sources. `types` are
 * what decoded batches must have; null for raw bytes. Messages that came before it are kept. 57014
 * when the query is over already. */
Status stream_receiver_open(StreamHub *hub, uint64_t query_id, uint32_t exchange_id,
                            const uint32_t *sources, uint32_t source_count, const Type *types,
                            uint32_t column_count, MemoryBudget *budget, Waker waker,
                            StreamReceiver **out) CHECKED;
typedef enum ReceiveResult {
    RECEIVE_BATCH,  /* `*out` is yours: unpin it */
    RECEIVE_EMPTY,  /* nothing now; the waker will be called */
    RECEIVE_END     /* from this source (or all): complete */
} ReceiveResult;
/* The next batch from any source, or from the one at index `source_index` (merging receivers).
 * Thread-safe; decoding happens in the caller. 57014, 08006, 08P01, 53200, XX001. */
Status stream_receiver_next(StreamReceiver *receiver, SharedBatch **out,
                            ReceiveResult *result) CHECKED;
Status stream_receiver_next_from(StreamReceiver *receiver, uint32_t source_index,
                                 SharedBatch **out, ReceiveResult *result) CHECKED;
/* Raw bytes: malloc'ed, `*out` is yours to free. */
Status stream_receiver_next_bytes(StreamReceiver *receiver, uint8_t **out, size_t *bytes,
                                  ReceiveResult *result) CHECKED;
/* Nothing more is wanted (LIMIT reached): senders are told and drop what they have. */
void stream_receiver_stop(StreamReceiver *receiver);
uint64_t stream_receiver_bytes(const StreamReceiver *receiver);
uint64_t stream_receiver_rows(const StreamReceiver *receiver);
void stream_receiver_close(StreamReceiver *receiver); /* null is allowed */

/* Fails every stream of the query at this endpoint and leaves a tombstone; `reason` is copied. */
void stream_hub_cancel_query(StreamHub *hub, uint64_t query_id, Status reason);
/* The query is over at this endpoint: forgets its streams; late messages are dropped. */
void stream_hub_end_query(StreamHub *hub, uint64_t query_id);
/* Forgets what has arrived for any query; no stream may be open at this endpoint. */
void stream_hub_end_all(StreamHub *hub);
uint32_t stream_hub_endpoint(const StreamHub *hub);
