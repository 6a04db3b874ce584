/* test_table_locks.c — who shares, who waits, who may pass; circles are broken and told. */
#include <check.h>
#include <pthread.h>
#include <string.h>

#include "base/clock.h"
#include "leader/txn/table_locks.h"
#include "tests/support/check_status.h"

static TableLocks *locks;
static LockOwner one, two, three;

static void start(void)
{
    locks = table_locks_create();
    one = (LockOwner){.process_id = 1};
    two = (LockOwner){.process_id = 2};
    three = (LockOwner){.process_id = 3};
}

static void stop(void)
{
    table_locks_release(locks, &one, 0);
    table_locks_release(locks, &two, 0);
    table_locks_release(locks, &three, 0);
    LockInfo *infos = NULL;
    Arena *arena = arena_create(NULL, "test");
    ck_assert_uint_eq(table_locks_list(locks, arena, &infos), 0);
    arena_destroy(arena);
    table_locks_destroy(locks);
}

static LockRequest request(uint64_t table_id, LockMode mode, uint32_t statement)
{
    return (LockRequest){
        .table_id = table_id, .mode = mode, .statement = statement, .name = "public.t"};
}

static bool try_lock(LockOwner *owner, uint64_t table_id, LockMode mode, uint32_t statement)
{
    bool is_granted = false;
    const LockRequest wanted = request(table_id, mode, statement);
    ck_assert_ok(table_locks_try(locks, owner, &wanted, &is_granted));
    return is_granted;
}

START_TEST(shared_is_shared_and_exclusive_is_not)
{
    ck_assert(try_lock(&one, 7, LOCK_SHARED, 1));
    ck_assert(try_lock(&two, 7, LOCK_SHARED, 1));
    ck_assert(!try_lock(&three, 7, LOCK_EXCLUSIVE, 1));
    ck_assert(try_lock(&three, 263, LOCK_EXCLUSIVE, 1)); // the same bucket
    ck_assert(try_lock(&three, 263, LOCK_SHARED, 2));
    ck_assert(!try_lock(&one, 263, LOCK_SHARED, 2));
    table_locks_release(locks, &two, 0);
    ck_assert(try_lock(&one, 7, LOCK_EXCLUSIVE, 2));
    ck_assert(!try_lock(&two, 7, LOCK_SHARED, 1));
    table_locks_release(locks, &one, 2); // back to shared
    ck_assert(try_lock(&two, 7, LOCK_SHARED, 1));
}
END_TEST

typedef struct Waiter {
    LockOwner *owner;
    LockRequest wanted;
    Status status;
    bool is_done; /* atomic */
    bool is_canceled;
    pthread_t thread;
} Waiter;

static Status check(void *object)
{
    const Waiter *waiter = object;
    return __atomic_load_n(&waiter->is_canceled, __ATOMIC_ACQUIRE)
               ? status_error(SQLSTATE_QUERY_CANCELED, "canceled")
               : STATUS_OK;
}

static void *run_waiter(void *object)
{
    Waiter *waiter = object;
    waiter->status = table_locks_wait(locks, waiter->owner, &waiter->wanted, check, waiter);
    __atomic_store_n(&waiter->is_done, true, __ATOMIC_RELEASE);
    return NULL;
}

static uint32_t waiting_count(void)
{
    LockInfo *infos = NULL;
    Arena *arena = arena_create(NULL, "test");
    uint32_t waiting = 0;
    const uint32_t count = table_locks_list(locks, arena, &infos);
    for (uint32_t i = 0; i < count; i++) {
        waiting += !infos[i].is_granted;
    }
    arena_destroy(arena);
    return waiting;
}

static void begin_wait(Waiter *waiter, LockOwner *owner, uint64_t table_id, LockMode mode)
{
    const uint32_t before = waiting_count();
    *waiter = (Waiter){.owner = owner, .wanted = request(table_id, mode, 1)};
    ck_assert_int_eq(pthread_create(&waiter->thread, NULL, run_waiter, waiter), 0);
    while (waiting_count() == before) {
        clock_sleep_us(1000);
    }
}

static void end_wait(Waiter *waiter)
{
    ck_assert_int_eq(pthread_join(waiter->thread, NULL), 0);
}

START_TEST(nobody_overtakes_who_waits_but_holders)
{
    Waiter waiter;
    LockOwner late = {.process_id = 4};
    ck_assert(try_lock(&one, 7, LOCK_SHARED, 1));
    ck_assert(try_lock(&late, 7, LOCK_SHARED, 1));
    begin_wait(&waiter, &two, 7, LOCK_EXCLUSIVE);
    ck_assert(!try_lock(&three, 7, LOCK_SHARED, 1));
    ck_assert(try_lock(&one, 7, LOCK_SHARED, 2));
    table_locks_release(locks, &late, 0);
    ck_assert(try_lock(&one, 7, LOCK_EXCLUSIVE, 3));
    table_locks_release(locks, &one, 0);
    end_wait(&waiter);
    ck_assert_ok(waiter.status);
    ck_assert(!try_lock(&three, 7, LOCK_SHARED, 1));
}
END_TEST

START_TEST(a_wait_ends_when_it_is_told_to)
{
    Waiter waiter;
    ck_assert(try_lock(&one, 7, LOCK_EXCLUSIVE, 1));
    begin_wait(&waiter, &two, 7, LOCK_SHARED);
    __atomic_store_n(&waiter.is_canceled, true, __ATOMIC_RELEASE);
    end_wait(&waiter);
    ck_assert_state(waiter.status, SQLSTATE_QUERY_CANCELED);
    ck_assert_uint_eq(waiting_count(), 0);
}
END_TEST

/* Of two that each hold a table and want the other's. */
START_TEST(a_circle_is_broken_at_once)
{
    Waiter waiter;
    Waiter own = {.owner = &one, .wanted = request(8, LOCK_SHARED, 2)};
    ck_assert(try_lock(&one, 7, LOCK_EXCLUSIVE, 1));
    ck_assert(try_lock(&two, 8, LOCK_EXCLUSIVE, 1));
    begin_wait(&waiter, &two, 7, LOCK_SHARED);
    const int64_t start_us = clock_monotonic_us();
    run_waiter(&own);
    ck_assert_int_lt(clock_monotonic_us() - start_us, 1000000);
    ck_assert_str_eq(status_detail(own.status),
                     "Process 1 waits for AccessShareLock on relation 8 (public.t); blocked by "
                     "process 2.\nProcess 2 waits for AccessShareLock on relation 7 (public.t); "
                     "blocked by process 1.");
    ck_assert_state(own.status, SQLSTATE_DEADLOCK_DETECTED);
    ck_assert(!waiter.is_done);
    table_locks_release(locks, &one, 0);
    end_wait(&waiter);
    ck_assert_ok(waiter.status);
}
END_TEST

/* Three, one of them only because it must not overtake. */
START_TEST(a_circle_may_pass_those_in_line)
{
    Waiter first, second;
    Waiter own = {.owner = &one, .wanted = request(9, LOCK_SHARED, 2)};
    ck_assert(try_lock(&one, 7, LOCK_SHARED, 1));
    ck_assert(try_lock(&three, 9, LOCK_EXCLUSIVE, 1));
    begin_wait(&first, &two, 7, LOCK_EXCLUSIVE);
    begin_wait(&second, &three, 7, LOCK_SHARED); // behind it
    run_waiter(&own);
    ck_assert_state(own.status, SQLSTATE_DEADLOCK_DETECTED);
    table_locks_release(locks, &one, 0);
    end_wait(&first);
    ck_assert_ok(first.status);
    table_locks_release(locks, &two, 0);
    end_wait(&second);
    ck_assert_ok(second.status);
}
END_TEST

START_TEST(two_that_share_cannot_both_have_it_alone)
{
    Waiter waiter;
    Waiter own = {.owner = &one, .wanted = request(7, LOCK_EXCLUSIVE, 2)};
    ck_assert(try_lock(&one, 7, LOCK_SHARED, 1));
    ck_assert(try_lock(&two, 7, LOCK_SHARED, 1));
    begin_wait(&waiter, &two, 7, LOCK_EXCLUSIVE);
    run_waiter(&own);
    ck_assert_state(own.status, SQLSTATE_DEADLOCK_DETECTED);
    table_locks_release(locks, &one, 0);
    end_wait(&waiter);
    ck_assert_ok(waiter.status);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("table_locks");
    TCase *tests = tcase_create("locks");
    tcase_set_timeout(tests, 60);
    tcase_add_checked_fixture(tests, start, stop);
    tcase_add_test(tests, shared_is_shared_and_exclusive_is_not);
    tcase_add_test(tests, nobody_overtakes_who_waits_but_holders);
    tcase_add_test(tests, a_wait_ends_when_it_is_told_to);
    tcase_add_test(tests, a_circle_is_broken_at_once);
    tcase_add_test(tests, a_circle_may_pass_those_in_line);
    tcase_add_test(tests, two_that_share_cannot_both_have_it_alone);
    suite_add_tcase(suite, tests);
    return suite_main(suite);
}
