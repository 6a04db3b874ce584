/* Suite of base/queue.c. */
#include "base/clock.h"
#include "base/queue.h"
#include "base/thread.h"
#include "tests/support/check_status.h"
#include "tests/support/failing_heap.h"

START_TEST(keeps_order_and_bound)
{
    int items[4];
    Queue *queue = queue_create("test", 3);
    for (int round = 0; round < 5; round++) {
        for (size_t i = 0; i < 3; i++) {
            ck_assert(queue_push(queue, &items[i], 0));
        }
        ck_assert(!queue_push(queue, &items[3], 0));
        ck_assert_uint_eq(queue_count(queue), 3);
        for (size_t i = 0; i < 2; i++) {
            ck_assert_ptr_eq(queue_pop(queue, 0), &items[i]);
        }
        ck_assert(queue_push(queue, &items[3], 0));
        ck_assert_ptr_eq(queue_pop(queue, 0), &items[2]);
        ck_assert_ptr_eq(queue_pop(queue, 0), &items[3]);
        ck_assert_ptr_null(queue_pop(queue, 0));
    }
    queue_destroy(queue);
    queue_destroy(NULL);
}
END_TEST

START_TEST(waits_no_longer_than_told)
{
    int item;
    Queue *queue = queue_create("test", 1);
    int64_t start_us = clock_monotonic_us();
    ck_assert_ptr_null(queue_pop(queue, 15000));
    ck_assert_int_ge(clock_monotonic_us() - start_us, 15000);
    ck_assert(queue_push(queue, &item, 15000));
    start_us = clock_monotonic_us();
    ck_assert(!queue_push(queue, &item, 15000));
    ck_assert_int_ge(clock_monotonic_us() - start_us, 15000);
    queue_destroy(queue);
}
END_TEST

static void pop_until_closed(void *object)
{
    while (queue_pop(object, INT64_MAX) != NULL) {
    }
}

START_TEST(closing_wakes_and_drains)
{
    int item;
    Thread thread;
    Queue *queue = queue_create("test", 2);
    ck_assert_ok(thread_start(&thread, "popper", -1, pop_until_closed, queue));
    clock_sleep_us(5000);
    queue_close(queue);
    thread_join(&thread);
    ck_assert(queue_is_closed(queue));
    ck_assert(!queue_push(queue, &item, 1000000));
    queue_destroy(queue);
    queue = queue_create("test", 2);
    ck_assert(queue_push(queue, &item, 0));
    queue_close(queue);
    ck_assert_ptr_eq(queue_pop(queue, 1000000), &item);
    ck_assert_ptr_null(queue_pop(queue, 1000000));
    queue_destroy(queue);
}
END_TEST

enum { PRODUCERS = 3, CONSUMERS = 3, ITEMS = 20000 };
static uint8_t passed[PRODUCERS * ITEMS];

typedef struct Role {
    Thread thread;
    Queue *queue;
    size_t first;
} Role;

static void produce(void *object)
{
    Role *role = object;
    for (size_t i = 0; i < ITEMS; i++) {
        bool is_taken = queue_push(role->queue, &passed[role->first + i], 30000000);
        ASSERT(is_taken);
    }
}

static void consume(void *object)
{
    Role *role = object;
    for (uint8_t *item; (item = queue_pop(role->queue, 30000000)) != NULL;) {
        __atomic_add_fetch(item, 1, __ATOMIC_RELAXED);
    }
}

START_TEST(passes_each_item_once)
{
    Queue *queue = queue_create("test", 7);
    Role producers[PRODUCERS], consumers[CONSUMERS];
    for (size_t i = 0; i < PRODUCERS; i++) {
        producers[i] = (Role){.queue = queue, .first = i * ITEMS};
        ck_assert_ok(thread_start(&producers[i].thread, "producer", -1, produce, &producers[i]));
        consumers[i] = (Role){.queue = queue};
        ck_assert_ok(thread_start(&consumers[i].thread, "consumer", -1, consume, &consumers[i]));
    }
    for (size_t i = 0; i < PRODUCERS; i++) {
        thread_join(&producers[i].thread);
    }
    queue_close(queue);
    for (size_t i = 0; i < CONSUMERS; i++) {
        thread_join(&consumers[i].thread);
    }
    for (size_t i = 0; i < PRODUCERS * ITEMS; i++) {
        ASSERT(passed[i] == 1);
    }
    queue_destroy(queue);
}
END_TEST

START_TEST(a_refused_heap_is_a_null)
{
    for (uint64_t n = 1; n <= 2; n++) {
        failing_heap_start(n, false);
        ck_assert_ptr_null(queue_create("test", 1));
        ck_assert(failing_heap_stop());
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("base.queue");
    suite_add_case(suite, "order", keeps_order_and_bound);
    suite_add_case(suite, "deadline", waits_no_longer_than_told);
    suite_add_case(suite, "close", closing_wakes_and_drains);
    suite_add_case(suite, "threads", passes_each_item_once);
    suite_add_case(suite, "heap", a_refused_heap_is_a_null);
    return suite_main(suite);
}
