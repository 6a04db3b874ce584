/* host.c — makes what a process lends to the leader and the nodes in it. */
#include "base/host.h"

#include <stdlib.h>

#include "base/fault.h"
#include "base/heap.h"
#include "base/log.h"
#include "base/machine.h"

static void apply_log_level(const SettingSet *settings)
{
    static const char *const words[] = {"error", "warn", "info", "debug"};
    const char *word = setting_text(settings, SETTING_LOG_LEVEL);
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        if (words[i][0] == word[0]) { // the four differ in their first letter
            log_set_level((LogLevel)i);
        }
    }
}

static Status arm_faults(void)
{
#ifdef BASALT_FAULTS
    const char *specification = getenv("BASALT_FAULT");
    return specification != NULL ? fault_arm(specification) : STATUS_OK;
#else
    return STATUS_OK;
#endif
}

Status host_create(SettingSet *owned_settings, FileSystem *files, const Clock *clock, Host **out)
{
    Status status = STATUS_OK;
    Host *host = heap_alloc_zeroed(sizeof *host);
    if (host == NULL) {
        setting_set_destroy(owned_settings);
        return status_error(SQLSTATE_OUT_OF_MEMORY, "out of memory for the host");
    }
    host->settings = owned_settings;
    host->files = files != NULL ? files : file_system_os();
    host->clock = clock != NULL ? *clock : system_clock;
    apply_log_level(host->settings);
    TRY_OR(cleanup, arm_faults());

    int64_t workers = setting_integer(host->settings, SETTING_WORKERS);
    host->worker_count = workers > 0 ? (uint32_t)workers : machine_core_count();
    int64_t limit = setting_integer(host->settings, SETTING_MEMORY_LIMIT);
    size_t limit_bytes = limit > 0 ? (size_t)limit : (size_t)(machine_memory_bytes() / 10 * 6);
    TRY_OR(cleanup, page_pool_create(&host->pool, limit_bytes));
    host->budget = memory_budget_create(host->pool, NULL, "process", 0);
    if (host->budget == NULL) {
        status = status_error(SQLSTATE_OUT_OF_MEMORY, "out of memory for the host");
        goto cleanup;
    }
    *out = host;
    host = NULL;
cleanup:
    host_destroy(host);
    return status;
}

void host_destroy(Host *host)
{
    if (host == NULL) {
        return;
    }
    memory_budget_destroy(host->budget);
    page_pool_destroy(host->pool);
    setting_set_destroy(host->settings);
    heap_free(host);
}
