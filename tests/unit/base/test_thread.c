/* Suite of base/thread.c. */
#include <signal.h>
#include <string.h>

#include "base/clock.h"
#include "base/metrics.h"
#include "base/thread.h"
#include "tests/support/check_status.h"
#include "tests/support/failing_heap.h"

typedef struct Seen {
    char name[16];
    bool is_term_blocked, is_segv_blocked;
    uint32_t node_id;
    uint64_t query_id;
    int64_t cpu_ns;
} Seen;

static void look_around(void *object)
{
    Seen *seen = object;
    sigset_t mask;
    pthread_getname_np(pthread_self(), seen->name, sizeof seen->name);
    pthread_sigmask(SIG_SETMASK, NULL, &mask);
    seen->is_term_blocked = sigismember(&mask, SIGTERM) == 1;
    seen->is_segv_blocked = sigismember(&mask, SIGSEGV) == 1;
    seen->node_id = thread_node_id();
    thread_set_context(3, 9);
    seen->query_id = thread_query_id();
    int64_t start_ns = thread_cpu_ns();
    while (thread_cpu_ns() - start_ns < 1000000) {
    }
    seen->cpu_ns = thread_cpu_ns();
}

START_TEST(runs_with_name_mask_and_context)
{
    Seen seen = {0};
    Thread thread;
    thread_set_context(1, 2);
    ck_assert_ok(thread_start(&thread, "fifteen-letters", 0, look_around, &seen));
    ck_assert(thread.is_running);
    thread_join(&thread);
    ck_assert(!thread.is_running);
    ck_assert_str_eq(seen.name, "fifteen-letters");
    ck_assert(seen.is_term_blocked);
    ck_assert(!seen.is_segv_blocked);
    ck_assert_uint_eq(seen.node_id, 0); // nothing is inherited
    ck_assert_uint_eq(seen.query_id, 9);
    ck_assert_int_ge(seen.cpu_ns, 1000000);
    ck_assert_uint_eq(thread_node_id(), 1);
    ck_assert_int_eq(metric_value(METRIC_THREADS), 0);
    sigset_t mask;
    pthread_sigmask(SIG_SETMASK, NULL, &mask);
    ck_assert_int_eq(sigismember(&mask, SIGTERM), 0); // the starter's mask is its own again
}
END_TEST

START_TEST(join_is_safe_on_one_never_started)
{
    Thread thread = {0};
    thread_join(&thread);
    failing_heap_start(1, false);
    Status status = thread_start(&thread, "x", -1, look_around, NULL);
    failing_heap_stop();
    ck_assert_state(status, SQLSTATE_OUT_OF_MEMORY);
    thread_join(&thread);
}
END_TEST

START_TEST(a_core_that_is_not_ours_is_no_error)
{
    Seen seen = {0};
    Thread thread;
    ck_assert_ok(thread_start(&thread, "x", 1000000, look_around, &seen));
    thread_join(&thread);
    ck_assert_str_eq(seen.name, "x");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("base.thread");
    suite_add_case(suite, "run", runs_with_name_mask_and_context);
    suite_add_case(suite, "join", join_is_safe_on_one_never_started);
    suite_add_case(suite, "pin", a_core_that_is_not_ours_is_no_error);
    return suite_main(suite);
}
