/* Suite of base/fault.c; empty in builds without fault points. */
#include <signal.h>
#include <string.h>

#include "base/clock.h"
#include "base/fault.h"
#include "base/log.h"
#include "base/thread.h"
#include "tests/support/check_status.h"

#ifdef BASALT_FAULTS

#include "base/io/file.h"

static Status pass(void)
{
    TRY(FAULT("file.open"));
    return STATUS_OK;
}

START_TEST(does_nothing_until_armed)
{
    for (int i = 0; i < 10; i++) {
        ck_assert_ok(pass());
    }
}
END_TEST

START_TEST(acts_as_told)
{
    ck_assert_ok(fault_arm("file.open=error"));
    ck_assert_state(pass(), SQLSTATE_IO_ERROR);
    ck_assert_state(pass(), SQLSTATE_IO_ERROR);
    ck_assert_ok(fault_arm("file.open=nospace:3;;file.read=nomem"));
    ck_assert_ok(pass());
    ck_assert_ok(pass());
    ck_assert_state(pass(), SQLSTATE_DISK_FULL);
    ck_assert_ok(pass());
    ck_assert_ok(fault_arm("file.open=nomem"));
    ck_assert_state(pass(), SQLSTATE_OUT_OF_MEMORY);
    ck_assert_ok(fault_arm("file.open=sleep"));
    int64_t start_us = clock_monotonic_us();
    ck_assert_ok(pass());
    ck_assert_int_ge(clock_monotonic_us() - start_us, 200000);
    fault_disarm_all();
    ck_assert_ok(pass());
}
END_TEST

START_TEST(kills)
{
    ck_assert_ok(fault_arm("file.open=crash"));
    status_free(pass());
}
END_TEST

static void pass_once(void *object)
{
    *(bool *)object = pass() == STATUS_OK;
}

START_TEST(hangs_until_disarmed)
{
    bool is_ok = false;
    Thread thread;
    ck_assert_ok(fault_arm("file.open=hang"));
    int64_t start_us = clock_monotonic_us();
    ck_assert_ok(thread_start(&thread, "hang", -1, pass_once, &is_ok));
    clock_sleep_us(50000);
    fault_disarm_all();
    thread_join(&thread);
    ck_assert(is_ok);
    ck_assert_int_ge(clock_monotonic_us() - start_us, 50000);
}
END_TEST

START_TEST(refuses_bad_specifications)
{
    static const char *const bad[] = {"nope=error",
                                      "file.open",
                                      "file.open=explode",
                                      "file.open=error:",
                                      "file.open=error:x",
                                      "file.open=error:1x",
                                      "=error",
                                      "file.open=error;nope=error"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        ck_assert_state(fault_arm(bad[i]), SQLSTATE_INVALID_PARAMETER_VALUE);
    }
    ck_assert_ok(fault_arm(""));
}
END_TEST

static void check_listed(void *object, const FaultPoint *point)
{
    ck_assert_msg(fault_is_listed(point->name), "\"%s\" is missing from fault_points.def",
                  point->name);
    (*(size_t *)object)++;
}

// That every listed point is also linked can be demanded of the whole program only.
START_TEST(every_point_of_base_is_listed)
{
    size_t count = 0;
    fault_visit(check_listed, &count);
    ck_assert_uint_gt(count, 5);
    ck_assert(!fault_is_listed("nope"));
    // This program lacks metadata stores, whose points are listed.
    ck_assert_state(fault_check_list(), SQLSTATE_INTERNAL_ERROR);
}
END_TEST

int main(void)
{
    log_set_level(LOG_ERROR);
    // Draws file.c, with its points, into this program.
    file_close(NULL);
    Suite *suite = suite_create("base.fault");
    suite_add_case(suite, "silent", does_nothing_until_armed);
    suite_add_case(suite, "actions", acts_as_told);
    TCase *crash = tcase_create("crash");
    tcase_add_test_raise_signal(crash, kills, SIGKILL);
    suite_add_tcase(suite, crash);
    suite_add_case(suite, "hang", hangs_until_disarmed);
    suite_add_case(suite, "specification", refuses_bad_specifications);
    suite_add_case(suite, "list", every_point_of_base_is_listed);
    return suite_main(suite);
}

#else

int main(void)
{
    return suite_main(suite_create("base.fault"));
}

#endif
