/* queue.h — a bounded queue of pointers between threads; closing wakes everyone. */
#pragma once
#include "base/status.h"

typedef struct Queue Queue;
/* Null when memory is refused. */
Queue *queue_create(const char *name, uint32_t items_max);
void queue_destroy(Queue *queue); /* must be empty or its items owned elsewhere */
/* False when it stayed full for `timeout_us` (0: no wait) or is closed; the item, never null, stays
 * yours then. */
bool queue_push(Queue *queue, void *item, int64_t timeout_us);
/* Null when it stayed empty for `timeout_us`, or is closed and drained. */
void *queue_pop(Queue *queue, int64_t timeout_us);
void queue_close(Queue *queue);
bool queue_is_closed(const Queue *queue);
uint32_t queue_count(const Queue *queue);
