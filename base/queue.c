/* queue.c — a bounded ring of pointers under one mutex. */
#include "base/queue.h"

#include "base/clock.h"
#include "base/heap.h"
#include "base/mutex.h"

struct Queue {
    Mutex mutex; /* guards everything below */
    Condition has_items, has_room;
    char *name;
    uint32_t items_max, first, count;
    bool is_closed;
    void *items[];
};

Queue *queue_create(const char *name, uint32_t items_max)
{
    ASSERT(items_max > 0);
    Queue *queue = heap_alloc_zeroed(sizeof *queue + items_max * sizeof queue->items[0]);
    char *name_copy = queue != NULL ? heap_strdup(name) : NULL;
    if (name_copy == NULL) {
        heap_free(queue);
        return NULL;
    }
    mutex_init(&queue->mutex, MUTEX_RANK_QUEUE);
    condition_init(&queue->has_items);
    condition_init(&queue->has_room);
    queue->name = name_copy;
    queue->items_max = items_max;
    return queue;
}

void queue_destroy(Queue *queue)
{
    if (queue == NULL) {
        return;
    }
    condition_deinit(&queue->has_room);
    condition_deinit(&queue->has_items);
    mutex_deinit(&queue->mutex);
    heap_free(queue->name);
    heap_free(queue);
}

// One deadline for the whole wait: being woken in vain must not start it anew.
static int64_t deadline_after(int64_t timeout_us)
{
    int64_t deadline_us;
    if (timeout_us <= 0) {
        return 0;
    }
    return __builtin_add_overflow(clock_monotonic_us(), timeout_us, &deadline_us) ? INT64_MAX
                                                                                  : deadline_us;
}

// False when the deadline has passed; the caller looks at the queue once more in both cases.
static bool wait_until(Condition *condition, Mutex *mutex, int64_t deadline_us)
{
    int64_t left_us = deadline_us > 0 ? deadline_us - clock_monotonic_us() : 0;
    if (left_us <= 0) {
        return false;
    }
    condition_wait(condition, mutex, left_us);
    return true;
}

bool queue_push(Queue *queue, void *item, int64_t timeout_us)
{
    ASSERT(item != NULL); // null is queue_pop's word for "nothing"
    int64_t deadline_us = deadline_after(timeout_us);
    mutex_lock(&queue->mutex);
    while (queue->count == queue->items_max && !queue->is_closed &&
           wait_until(&queue->has_room, &queue->mutex, deadline_us)) {
    }
    bool is_taken = queue->count < queue->items_max && !queue->is_closed;
    if (is_taken) {
        uint64_t slot = ((uint64_t)queue->first + queue->count) % queue->items_max;
        queue->items[slot] = item;
        queue->count++;
        condition_signal(&queue->has_items);
    }
    mutex_unlock(&queue->mutex);
    return is_taken;
}

void *queue_pop(Queue *queue, int64_t timeout_us)
{
    int64_t deadline_us = deadline_after(timeout_us);
    void *item = NULL;
    mutex_lock(&queue->mutex);
    while (queue->count == 0 && !queue->is_closed &&
           wait_until(&queue->has_items, &queue->mutex, deadline_us)) {
    }
    if (queue->count > 0) {
        item = queue->items[queue->first];
        queue->first = (queue->first + 1) % queue->items_max;
        queue->count--;
        condition_signal(&queue->has_room);
    }
    mutex_unlock(&queue->mutex);
    return item;
}

void queue_close(Queue *queue)
{
    mutex_lock(&queue->mutex);
    queue->is_closed = true;
    condition_broadcast(&queue->has_items);
    condition_broadcast(&queue->has_room);
    mutex_unlock(&queue->mutex);
}

// Reading takes the mutex too; only that is not const.
static Queue *lockable(const Queue *queue)
{
    return (Queue *)(uintptr_t)queue;
}

bool queue_is_closed(const Queue *queue)
{
    mutex_lock(&lockable(queue)->mutex);
    bool is_closed = queue->is_closed;
    mutex_unlock(&lockable(queue)->mutex);
    return is_closed;
}

uint32_t queue_count(const Queue *queue)
{
    mutex_lock(&lockable(queue)->mutex);
    uint32_t count = queue->count;
    mutex_unlock(&lockable(queue)->mutex);
    return count;
}
