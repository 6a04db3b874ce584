/* test_change_gate.c — who is inside keeps it open, who comes while it is closed waits, and both
 * for a bounded time. */
#include <check.h>
#include <pthread.h>
#include "base/clock.h"
#include "leader/txn/change_gate.h"

static ChangeGate gate;

static void setup(void)
{
    change_gate_init(&gate);
}

static void teardown(void)
{
    change_gate_deinit(&gate);
}

START_TEST(closes_when_nobody_is_inside)
{
    ck_assert(change_gate_close(&gate, 0));
    change_gate_open(&gate);
    ck_assert(change_gate_enter(&gate, 1000000, false));
    ck_assert(!change_gate_close(&gate, 1000));
    ck_assert(change_gate_enter(&gate, 1000000, false)); // it is open again
    change_gate_leave(&gate);
    change_gate_leave(&gate);
    ck_assert(change_gate_close(&gate, 0));
}
END_TEST

static void *leave_soon(void *object)
{
    (void)object;
    clock_sleep_us(20000);
    change_gate_leave(&gate);
    return NULL;
}

START_TEST(waits_for_those_inside)
{
    pthread_t thread;
    ck_assert(change_gate_enter(&gate, 1000000, false));
    ck_assert_int_eq(pthread_create(&thread, NULL, leave_soon, NULL), 0);
    ck_assert(change_gate_close(&gate, 10000000));
    pthread_join(thread, NULL);
}
END_TEST

static uint32_t entered;

static void *enter_once(void *object)
{
    (void)object;
    ck_assert(change_gate_enter(&gate, 1000000, false));
    __atomic_add_fetch(&entered, 1, __ATOMIC_SEQ_CST);
    return NULL;
}

START_TEST(newcomers_wait)
{
    pthread_t threads[4];
    entered = 0;
    ck_assert(change_gate_close(&gate, 0));
    for (int i = 0; i < 4; i++) {
        ck_assert_int_eq(pthread_create(&threads[i], NULL, enter_once, NULL), 0);
    }
    clock_sleep_us(50000);
    ck_assert_uint_eq(__atomic_load_n(&entered, __ATOMIC_SEQ_CST), 0);
    change_gate_open(&gate);
    for (int i = 0; i < 4; i++) {
        pthread_join(threads[i], NULL);
    }
    ck_assert_uint_eq(entered, 4);
    ck_assert(!change_gate_close(&gate, 1000));
}
END_TEST

START_TEST(newcomers_do_not_wait_for_ever)
{
    ck_assert(change_gate_close(&gate, 0));
    ck_assert(!change_gate_enter(&gate, 1000, false));
    ck_assert(change_gate_enter(&gate, 0, true));
    change_gate_leave(&gate);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("change_gate");
    TCase *cases = tcase_create("change_gate");
    tcase_add_checked_fixture(cases, setup, teardown);
    tcase_add_test(cases, closes_when_nobody_is_inside);
    tcase_add_test(cases, waits_for_those_inside);
    tcase_add_test(cases, newcomers_wait);
    tcase_add_test(cases, newcomers_do_not_wait_for_ever);
    suite_add_tcase(suite, cases);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    const int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
