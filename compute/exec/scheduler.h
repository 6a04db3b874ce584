/*
 * scheduler.h — the worker threads of a process: they run pipelines of all its nodes, a morsel at a
 * time.
 *
 * Invariants: (1) a worker never blocks on the network or a full queue: blocked pipelines park and
 * are woken; (2) tasks of different queries take turns; (3) a small pipeline wakes no more workers
 * than its source can use.
 */
#pragma once
#include "base/host.h"

typedef struct Scheduler Scheduler;
typedef struct Task {  /* embedded in whatever is run */
    struct Task *next; /* of the queue */
    /* Runs for at most a morsel or so; called by one worker at a time for one Task. Returns what
     * becomes of the task. */
    enum TaskResult {
        TASK_AGAIN,
        TASK_PARKED,
        TASK_DONE
    } (*run)(struct Task *self, uint32_t worker);
    uint64_t group; /* query id: groups take turns */
    uint32_t state; /* the scheduler's: atomic */
} Task;

/* `cpus`: null, or the CPU per worker to pin it to. */
Status scheduler_create(uint32_t worker_count, const int *cpus, Scheduler **out) CHECKED;
void scheduler_destroy(Scheduler *scheduler); /* no task may remain */
uint32_t scheduler_worker_count(const Scheduler *scheduler);
void scheduler_submit(Scheduler *scheduler, Task *task);
/* Makes a parked task ready; a wake while it runs is remembered. Any thread, never blocks long. */
void scheduler_wake(Scheduler *scheduler, Task *task);
