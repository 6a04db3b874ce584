/* Suite of base/host.c. */
#include <stdlib.h>

#include "base/fault.h"
#include "base/host.h"
#include "base/log.h"
#include "base/machine.h"
#include "tests/support/check_status.h"
#include "tests/support/failing_heap.h"

START_TEST(takes_pool_and_budget_from_the_settings)
{
    Host *host = NULL;
    SettingSet *settings = setting_set_create(NULL);
    ck_assert_ok(setting_set_text(settings, "memory_limit", "100MB", false));
    ck_assert_ok(setting_set_text(settings, "workers", "3", false));
    ck_assert_ok(host_create(settings, NULL, NULL, &host));
    const size_t limit = page_pool_limit_bytes(host->pool); // an eighth is for the heap
    ck_assert_uint_eq(limit, (100 << 20) / 8 * 7);
    ck_assert_uint_eq(host_cache_bytes(host), limit / 5 * 2);
    ck_assert_uint_eq(memory_budget_limit_bytes(host->queries), limit - limit / 5 * 2 - limit / 8);
    ck_assert_uint_eq(memory_budget_available_bytes(host->budget), limit);
    ck_assert_uint_eq(host->worker_count, 3);
    ck_assert_ptr_eq(host->files, file_system_os());
    ck_assert_ptr_eq(host->clock.ops, system_clock.ops);
    host_destroy(host);
    host_destroy(NULL);
}
END_TEST

START_TEST(takes_the_rest_from_the_machine)
{
    Host *host = NULL;
    ck_assert_ok(host_create(setting_set_create(NULL), NULL, NULL, &host));
    ck_assert_uint_eq(host->worker_count, machine_core_count());
    const size_t limit = machine_memory_bytes() / 10 * 6, heap_max = (size_t)512 << 20;
    const size_t heap = limit / 8 < heap_max ? limit / 8 : heap_max;
    ck_assert_uint_eq(page_pool_limit_bytes(host->pool), limit - heap);
    host_destroy(host);
}
END_TEST

START_TEST(lives_without_memory)
{
    bool was_reached = true;
    for (uint64_t n = 1; was_reached; n++) {
        Host *host = NULL;
        SettingSet *settings = setting_set_create(NULL);
        failing_heap_start(n, false);
        Status status = host_create(settings, NULL, NULL, &host);
        was_reached = failing_heap_stop();
        ck_assert_int_eq(status != STATUS_OK, was_reached && host == NULL);
        ck_assert(status == STATUS_OK || status_sqlstate(status) == SQLSTATE_OUT_OF_MEMORY);
        status_free(status);
        host_destroy(host);
    }
}
END_TEST

#ifdef BASALT_FAULTS
START_TEST(arms_faults_from_the_environment)
{
    Host *host = NULL;
    setenv("BASALT_FAULT", "memory.alloc=nomem", 1);
    ck_assert_ok(host_create(setting_set_create(NULL), NULL, NULL, &host));
    ck_assert_ptr_null(memory_alloc(host->budget, 1));
    host_destroy(host);
    setenv("BASALT_FAULT", "nope=error", 1);
    ck_assert_state(host_create(setting_set_create(NULL), NULL, NULL, &host),
                    SQLSTATE_INVALID_PARAMETER_VALUE);
}
END_TEST
#endif

int main(void)
{
    log_set_level(LOG_ERROR);
    Suite *suite = suite_create("base.host");
    suite_add_case(suite, "settings", takes_pool_and_budget_from_the_settings);
    suite_add_case(suite, "machine", takes_the_rest_from_the_machine);
    suite_add_case(suite, "memory", lives_without_memory);
#ifdef BASALT_FAULTS
    suite_add_case(suite, "faults", arms_faults_from_the_environment);
#endif
    return suite_main(suite);
}
