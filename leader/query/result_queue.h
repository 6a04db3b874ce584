/*
 * result_queue.h — a statement's result on its way from the engine to the client, as bytes.
 *
 * A worker encodes each batch (rows of the wire protocol, COPY text, or nothing but a count) into
 * chunks; the session takes them. The queue is bounded in bytes: when it is full the worker's
 * pipeline parks and is woken by the next take.
 */
#pragma once
#include "compute/exec/query_context.h"

#define RESULT_QUEUE_BYTES (512u << 10) /* full above this; one batch more may be in it */

typedef struct ResultChunk {
    struct ResultChunk *next;
    ByteBuffer bytes;
    uint64_t row_count;
} ResultChunk;

/* How rows become bytes. Called by one worker at a time. `first` and `next` count selected rows. */
typedef struct ResultEncoder {
    void *self;
    Status (*encode)(void *self, Batch *batch, uint32_t first, size_t bytes_wanted, ByteBuffer *out,
                     uint32_t *next);
} ResultEncoder;

typedef struct ResultQueue ResultQueue;
/* Without an encoder rows are dropped; the first row's first bigint is kept (counts of INSERT). */
ResultQueue *result_queue_create(const ResultEncoder *encoder);
void result_queue_destroy(ResultQueue *queue); /* the query has ended */
const ResultReceiver *result_queue_receiver(ResultQueue *queue);
/* The engine has given everything (or failed): takers see the end after what waits. */
void result_queue_close(ResultQueue *queue);
/* The next chunk (yours), or null: at the end (`*is_end`), or because `timeout_us` passed. */
ResultChunk *result_queue_take(ResultQueue *queue, int64_t timeout_us, bool *is_end);
void result_chunk_free(ResultChunk *chunk);
/* No more rows are wanted; the engine is told to stop. */
void result_queue_stop(ResultQueue *queue);
uint64_t result_queue_row_count(const ResultQueue *queue);
int64_t result_queue_first_value(const ResultQueue *queue);
