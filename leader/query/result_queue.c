/* result_queue.c — bounded chunks between one worker and one session. */
#include "leader/query/result_queue.h"

#include <stdlib.h>

#define CHUNK_BYTES (64u << 10)
#define CHUNK_BYTES_MAX (1u << 30)

struct ResultQueue {
    ResultEncoder encoder;
    ResultReceiver receiver;
    Mutex mutex; /* guards all below */
    Condition filled;
    ResultChunk *first, *last;
    size_t bytes;
    uint64_t row_count;
    int64_t first_value;
    bool is_closed, is_stopped, is_blocked;
    Waker resume;
};

static void open_receiver(void *self, Waker resume)
{
    ResultQueue *queue = self;
    mutex_lock(&queue->mutex);
    queue->resume = resume;
    mutex_unlock(&queue->mutex);
}

static ResultChunk *chunk_create(void)
{
    ResultChunk *chunk = calloc(1, sizeof(*chunk));
    if (chunk != NULL) {
        byte_buffer_init(&chunk->bytes, CHUNK_BYTES_MAX);
    }
    return chunk;
}

void result_chunk_free(ResultChunk *chunk)
{
    if (chunk != NULL) {
        byte_buffer_deinit(&chunk->bytes);
        free(chunk);
    }
}

/* Encodes a whole batch into as many chunks as it takes. */
static Status encode_batch(ResultQueue *queue, Batch *batch, ResultChunk **first)
{
    ResultChunk **slot = first;
    uint32_t row = 0;
    while (row < batch->selected_count) {
        ResultChunk *chunk = chunk_create();
        if (chunk == NULL) {
            return status_error(SQLSTATE_OUT_OF_MEMORY, "no memory for result rows");
        }
        *slot = chunk;
        slot = &chunk->next;
        uint32_t next = row;
        TRY(queue->encoder.encode(queue->encoder.self, batch, row, CHUNK_BYTES, &chunk->bytes,
                                  &next));
        TRY(byte_buffer_status(&chunk->bytes));
        if (next <= row) {
            return status_error(SQLSTATE_INTERNAL_ERROR, "a result row was not encoded");
        }
        chunk->row_count = next - row;
        row = next;
    }
    return STATUS_OK;
}

static Status keep_first_value(ResultQueue *queue, Batch *batch)
{
    if (queue->encoder.encode != NULL || batch->selected_count == 0 || batch->column_count == 0) {
        return STATUS_OK;
    }
    const Vector *vector = NULL;
    TRY(batch_column(batch, 0, &vector));
    uint32_t row = batch_row(batch, 0);
    if (type_is_scaled_integer(vector->type) && !vector_is_null(vector, row)) {
        mutex_lock(&queue->mutex);
        if (queue->row_count == 0) {
            queue->first_value = vector_int64(vector, row);
        }
        mutex_unlock(&queue->mutex);
    }
    return STATUS_OK;
}

/* Puts the chunks at the end of the queue. */
static void add_chunks(ResultQueue *queue, ResultChunk *chunks)
{
    while (chunks != NULL) {
        ResultChunk *next = chunks->next;
        chunks->next = NULL;
        queue->bytes += chunks->bytes.bytes;
        if (queue->last != NULL) {
            queue->last->next = chunks;
        } else {
            queue->first = chunks;
        }
        queue->last = chunks;
        chunks = next;
    }
}

static Status receive(void *self, Batch *batch, ResultAnswer *answer)
{
    ResultQueue *queue = self;
    mutex_lock(&queue->mutex);
    bool is_full = queue->bytes >= RESULT_QUEUE_BYTES && !queue->is_stopped;
    bool is_stopped = queue->is_stopped;
    if (is_full) {
        queue->is_blocked = true;
    }
    mutex_unlock(&queue->mutex);
    if (is_full || is_stopped) {
        *answer = is_full ? RESULT_BLOCKED : RESULT_ENOUGH;
        return STATUS_OK;
    }
    TRY(keep_first_value(queue, batch));
    ResultChunk *chunks = NULL;
    if (queue->encoder.encode != NULL) {
        Status status = encode_batch(queue, batch, &chunks);
        if (status != STATUS_OK) {
            while (chunks != NULL) {
                ResultChunk *next = chunks->next;
                result_chunk_free(chunks);
                chunks = next;
            }
            return status;
        }
    }
    mutex_lock(&queue->mutex);
    add_chunks(queue, chunks);
    queue->row_count += batch->selected_count;
    condition_signal(&queue->filled);
    mutex_unlock(&queue->mutex);
    *answer = RESULT_TAKEN;
    return STATUS_OK;
}

ResultQueue *result_queue_create(const ResultEncoder *encoder)
{
    ResultQueue *queue = calloc(1, sizeof(*queue));
    ASSERT(queue != NULL);
    if (encoder != NULL) {
        queue->encoder = *encoder;
    }
    queue->receiver = (ResultReceiver){.self = queue, .receive = receive, .open = open_receiver};
    mutex_init(&queue->mutex, MUTEX_RANK_OPERATOR);
    condition_init(&queue->filled);
    return queue;
}

void result_queue_destroy(ResultQueue *queue)
{
    if (queue == NULL) {
        return;
    }
    while (queue->first != NULL) {
        ResultChunk *next = queue->first->next;
        result_chunk_free(queue->first);
        queue->first = next;
    }
    condition_deinit(&queue->filled);
    mutex_deinit(&queue->mutex);
    free(queue);
}

const ResultReceiver *result_queue_receiver(ResultQueue *queue)
{
    return &queue->receiver;
}

void result_queue_close(ResultQueue *queue)
{
    mutex_lock(&queue->mutex);
    queue->is_closed = true;
    condition_broadcast(&queue->filled);
    mutex_unlock(&queue->mutex);
}

ResultChunk *result_queue_take(ResultQueue *queue, int64_t timeout_us, bool *is_end)
{
    Waker resume = {0};
    mutex_lock(&queue->mutex);
    if (queue->first == NULL && !queue->is_closed) {
        condition_wait(&queue->filled, &queue->mutex, timeout_us);
    }
    ResultChunk *chunk = queue->first;
    *is_end = chunk == NULL && queue->is_closed;
    if (chunk != NULL) {
        queue->first = chunk->next;
        queue->last = queue->first == NULL ? NULL : queue->last;
        queue->bytes -= chunk->bytes.bytes;
        chunk->next = NULL;
    }
    if (queue->is_blocked && !queue->is_closed && queue->bytes < RESULT_QUEUE_BYTES / 2) {
        queue->is_blocked = false;
        resume = queue->resume;
    }
    if (resume.wake != NULL) {
        resume.wake(resume.object); // under the mutex: the pipeline cannot have ended meanwhile
    }
    mutex_unlock(&queue->mutex);
    return chunk;
}

void result_queue_stop(ResultQueue *queue)
{
    mutex_lock(&queue->mutex);
    queue->is_stopped = true;
    if (queue->is_blocked && !queue->is_closed) {
        queue->is_blocked = false;
        queue->resume.wake(queue->resume.object);
    }
    mutex_unlock(&queue->mutex);
}

uint64_t result_queue_row_count(const ResultQueue *queue)
{
    return queue->row_count;
}

int64_t result_queue_first_value(const ResultQueue *queue)
{
    return queue->first_value;
}
