/* Suite of base/mutex.c. */
#include <signal.h>

#include "base/clock.h"
#include "base/mutex.h"
#include "base/thread.h"
#include "tests/support/check_status.h"

typedef struct Shared {
    Mutex mutex;
    Condition condition;
    uint64_t value;
} Shared;

static void add_many(void *object)
{
    Shared *shared = object;
    for (int i = 0; i < 20000; i++) {
        mutex_lock(&shared->mutex);
        shared->value++;
        mutex_unlock(&shared->mutex);
    }
}

START_TEST(excludes)
{
    Shared shared = {0};
    Thread threads[4];
    mutex_init(&shared.mutex, MUTEX_RANK_QUERY);
    for (size_t i = 0; i < 4; i++) {
        ck_assert_ok(thread_start(&threads[i], "adder", -1, add_many, &shared));
    }
    for (size_t i = 0; i < 4; i++) {
        thread_join(&threads[i]);
    }
    ck_assert_uint_eq(shared.value, 80000);
    mutex_deinit(&shared.mutex);
}
END_TEST

START_TEST(waits_no_longer_than_told)
{
    Shared shared = {0};
    mutex_init(&shared.mutex, MUTEX_RANK_QUERY);
    condition_init(&shared.condition);
    mutex_lock(&shared.mutex);
    int64_t start_us = clock_monotonic_us();
    ck_assert(!condition_wait(&shared.condition, &shared.mutex, 20000));
    ck_assert_int_ge(clock_monotonic_us() - start_us, 20000);
    ck_assert(!condition_wait(&shared.condition, &shared.mutex, 0));
    ck_assert(!condition_wait(&shared.condition, &shared.mutex, -5));
    mutex_unlock(&shared.mutex);
    condition_deinit(&shared.condition);
    mutex_deinit(&shared.mutex);
}
END_TEST

static void set_and_signal(void *object)
{
    Shared *shared = object;
    mutex_lock(&shared->mutex);
    shared->value = 1;
    condition_broadcast(&shared->condition);
    mutex_unlock(&shared->mutex);
}

START_TEST(wakes)
{
    Shared shared = {0};
    Thread thread;
    mutex_init(&shared.mutex, MUTEX_RANK_QUERY);
    condition_init(&shared.condition);
    mutex_lock(&shared.mutex);
    ck_assert_ok(thread_start(&thread, "waker", -1, set_and_signal, &shared));
    while (shared.value == 0) {
        ck_assert(condition_wait(&shared.condition, &shared.mutex, INT64_MAX));
    }
    mutex_unlock(&shared.mutex);
    thread_join(&thread);
    condition_deinit(&shared.condition);
    mutex_deinit(&shared.mutex);
}
END_TEST

START_TEST(ranks_rise)
{
    static Mutex outer = MUTEX_STATIC(MUTEX_RANK_SESSION), inner = MUTEX_STATIC(MUTEX_RANK_LOG);
    mutex_lock(&outer);
    mutex_lock(&inner);
    mutex_unlock(&outer); // in any order
    mutex_unlock(&inner);
    mutex_lock(&outer);
    mutex_unlock(&outer);
}
END_TEST

#ifndef NDEBUG
START_TEST(falling_ranks_stop_the_process)
{
    static Mutex outer = MUTEX_STATIC(MUTEX_RANK_SESSION), inner = MUTEX_STATIC(MUTEX_RANK_LOG);
    mutex_lock(&inner);
    mutex_lock(&outer);
}
END_TEST

START_TEST(equal_ranks_stop_the_process)
{
    static Mutex first = MUTEX_STATIC(MUTEX_RANK_QUEUE), second = MUTEX_STATIC(MUTEX_RANK_QUEUE);
    mutex_lock(&first);
    mutex_lock(&second);
}
END_TEST
#endif

int main(void)
{
    Suite *suite = suite_create("base.mutex");
    suite_add_case(suite, "exclusion", excludes);
    suite_add_case(suite, "deadline", waits_no_longer_than_told);
    suite_add_case(suite, "wake", wakes);
    suite_add_case(suite, "ranks", ranks_rise);
#ifndef NDEBUG
    TCase *stops = tcase_create("stops");
    tcase_add_test_raise_signal(stops, falling_ranks_stop_the_process, SIGABRT);
    tcase_add_test_raise_signal(stops, equal_ranks_stop_the_process, SIGABRT);
    suite_add_tcase(suite, stops);
#endif
    return suite_main(suite);
}
