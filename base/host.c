/* host.c — makes what a process lends to the leader and the nodes in it. */
#include "base/host.h"

#include <stdlib.h>

#include "base/fault.h"
#include "base/heap.h"
#include "base/log.h"
#include "base/machine.h"

enum {
    HEAP_PARTS = 8, /* of the process's limit */
    SCAN_PARTS = 8, /* of the pool's, at least for blocks being read, and rows being written */
    QUERIES_PARTS_MIN = 4,
};
#define HEAP_BYTES_MAX ((size_t)512 << 20)

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

// What the limit of the process leaves to the heap: sessions, plans, metadata, libraries' buffers.
static size_t heap_share(size_t limit_bytes)
{
    const size_t part = limit_bytes / HEAP_PARTS;
    return part < HEAP_BYTES_MAX ? part : HEAP_BYTES_MAX;
}

size_t host_cache_bytes(const Host *host)
{
    const size_t wanted = (size_t)setting_integer(host->settings, SETTING_CACHE_BYTES);
    return wanted > 0 ? wanted : page_pool_limit_bytes(host->pool) / 5 * 2;
}

// All but the column cache, and what scans and writers of tables need however much queries want.
static size_t queries_bytes(const Host *host)
{
    const size_t limit_bytes = page_pool_limit_bytes(host->pool);
    const size_t others = host_cache_bytes(host) + limit_bytes / SCAN_PARTS;
    const size_t least = limit_bytes / QUERIES_PARTS_MIN;
    return others < limit_bytes - least ? limit_bytes - others : least;
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
    limit_bytes -= heap_share(limit_bytes);
    TRY_OR(cleanup, page_pool_create(&host->pool, limit_bytes));
    host->budget = memory_budget_create(host->pool, NULL, "process", 0);
    host->queries = host->budget == NULL
                        ? NULL
                        : memory_budget_create(NULL, host->budget, "queries",
                                               queries_bytes(host));
    if (host->queries == NULL) {
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
    memory_budget_destroy(host->queries);
    memory_budget_destroy(host->budget);
    page_pool_destroy(host->pool);
    setting_set_destroy(host->settings);
    heap_free(host);
}
