/* Suite of base/thread_turn.c. */
#include <linux/sched/types.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/thread_turn.h"
#include "tests/support/check_status.h"

static struct sched_attr attributes_now(void)
{
    struct sched_attr attributes = {0};
    ck_assert_int_eq(syscall(SYS_sched_getattr, 0, &attributes, sizeof attributes, 0), 0);
    return attributes;
}

START_TEST(asks_for_turns_and_changes_nothing_else)
{
    struct sched_attr before = attributes_now();
    thread_ask_for_turn(THREAD_TURN_ANSWERING_US);
    struct sched_attr after = attributes_now();
    ck_assert_uint_eq(after.sched_policy, before.sched_policy);
    ck_assert_int_eq(after.sched_nice, before.sched_nice);
    ck_assert_uint_eq(after.sched_flags, before.sched_flags);
    if (before.sched_runtime == 0) {
        return; // a kernel before 6.12 has no turns to show
    }
    ck_assert_uint_eq(after.sched_runtime, THREAD_TURN_ANSWERING_US * 1000);
    thread_ask_for_turn(THREAD_TURN_WORKING_US);
    ck_assert_uint_eq(attributes_now().sched_runtime, THREAD_TURN_WORKING_US * 1000);
}
END_TEST

START_TEST(keeps_a_nice_value)
{
    const int niceness = nice(7); // of whatever the suite runs with
    thread_ask_for_turn(THREAD_TURN_ANSWERING_US);
    ck_assert_int_eq(attributes_now().sched_nice, niceness);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("base.thread_turn");
    suite_add_case(suite, "turns", asks_for_turns_and_changes_nothing_else);
    suite_add_case(suite, "nice", keeps_a_nice_value);
    return suite_main(suite);
}
