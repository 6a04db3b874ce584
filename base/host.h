/*
 * host.h — what one process lends to the leader and the nodes in it: memory, files, clock, workers.
 *
 * One Host per process, made by deploy; no state of Basalt is process-global beside it.
 */
#pragma once
#include "base/clock.h"
#include "base/io/file.h"
#include "base/memory_budget.h"
#include "base/setting.h"

struct Scheduler; /* compute/exec/scheduler.h: the workers, shared by all nodes of the process */

typedef struct Host {
    SettingSet *settings;
    PagePool *pool;
    MemoryBudget *budget;  /* the process's */
    MemoryBudget *queries; /* its part for grants of queries */
    FileSystem *files;
    Clock clock;
    uint32_t worker_count;
    struct Scheduler *scheduler;
} Host;

/* Makes pool and budget from the settings; `files` and `clock` null: the operating system's. */
Status host_create(SettingSet *owned_settings, FileSystem *files, const Clock *clock,
                   Host **out) CHECKED;
void host_destroy(Host *host);
size_t host_cache_bytes(const Host *host); /* of the column caches of the process's nodes */
