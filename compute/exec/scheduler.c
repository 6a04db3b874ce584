/*
 * scheduler.c — the worker threads of a process.
 *
 * Ready tasks wait in one queue per group (query); groups take turns, so a long query cannot starve
 * a short one. One mutex guards it all: a task runs for a morsel, tens of microseconds at least, so
 * the lock is taken rarely.
 *
 *            submit                pop                 TASK_AGAIN
 *   IDLE ------------> QUEUED ----------> RUNNING -----------------> QUEUED
 *                        ^                 |   | wake
 *                        |                 |   v
 *                        |                 |  WOKEN  -- TASK_PARKED --> QUEUED
 *                        |     TASK_PARKED v
 *                        +------------- PARKED       TASK_DONE: the task is never touched again
 *                             wake
 *
 * Waking a sleeping thread costs some 50 us on a virtual machine, so one idle worker spins for a
 * while before it sleeps, and a worker that submits tasks wakes others only when it returns from
 * what it runs: it takes the first of them itself.
 */
#include "compute/exec/scheduler.h"

#include <sched.h>
#include <stdio.h>

#include "base/heap.h"
#include "base/mutex.h"
#include "base/thread.h"
#include "base/thread_turn.h"

enum {
    SPIN_US = 40,
    SPIN_ROUNDS_PER_LOOK = 64,
    SLEEP_US = 1000000, /* every wait has an end */
    GROUPS_MIN = 16,
};

enum TaskState { STATE_IDLE, STATE_QUEUED, STATE_RUNNING, STATE_WOKEN, STATE_PARKED };

typedef struct Group {
    uint64_t id;
    Task *first, *last;
} Group;

typedef struct Worker {
    Scheduler *scheduler;
    Thread thread;
    uint32_t index;
} Worker;

struct Scheduler {
    Mutex mutex;
    Condition ready;
    /* Guarded by mutex: */
    Group *groups; /* those with ready tasks */
    uint32_t group_count, group_capacity, next_group;
    uint32_t sleeping_count, spinning_count;
    bool is_stopping;
    /* Written under the mutex, read by spinning workers without it. */
    uint32_t queued_count;

    uint32_t worker_count;
    Worker *workers;
};

/* What a worker knows of the task it runs: submissions made inside are announced afterwards. */
static _Thread_local Scheduler *current_scheduler;
static _Thread_local uint32_t deferred_count;

static void worker_run(void *object);

Status scheduler_create(uint32_t worker_count, const int *cpus, Scheduler **out)
{
    ASSERT(worker_count > 0);
    Scheduler *scheduler = heap_alloc_zeroed(sizeof *scheduler);
    Worker *workers = heap_alloc_zeroed(worker_count * sizeof *workers);
    Group *groups = heap_alloc_zeroed(GROUPS_MIN * sizeof *groups);
    if (scheduler == NULL || workers == NULL || groups == NULL) {
        heap_free(scheduler);
        heap_free(workers);
        heap_free(groups);
        return status_error(SQLSTATE_OUT_OF_MEMORY, "out of memory for %u workers", worker_count);
    }
    mutex_init(&scheduler->mutex, MUTEX_RANK_SCHEDULER);
    condition_init(&scheduler->ready);
    scheduler->workers = workers;
    scheduler->groups = groups;
    scheduler->group_capacity = GROUPS_MIN;

    for (uint32_t i = 0; i < worker_count; i++) {
        char name[16];
        snprintf(name, sizeof name, "worker-%u", i % 100000);
        workers[i] = (Worker){.scheduler = scheduler, .index = i};
        Status status = thread_start(&workers[i].thread, name, cpus == NULL ? -1 : cpus[i],
                                     worker_run, &workers[i]);
        if (status != STATUS_OK) {
            scheduler_destroy(scheduler);
            return status;
        }
        scheduler->worker_count = i + 1;
    }
    *out = scheduler;
    return STATUS_OK;
}

void scheduler_destroy(Scheduler *scheduler)
{
    if (scheduler == NULL) {
        return;
    }
    mutex_lock(&scheduler->mutex);
    scheduler->is_stopping = true;
    condition_broadcast(&scheduler->ready);
    mutex_unlock(&scheduler->mutex);
    for (uint32_t i = 0; i < scheduler->worker_count; i++) {
        thread_join(&scheduler->workers[i].thread);
    }
    ASSERT(scheduler->queued_count == 0);
    condition_deinit(&scheduler->ready);
    mutex_deinit(&scheduler->mutex);
    heap_free(scheduler->groups);
    heap_free(scheduler->workers);
    heap_free(scheduler);
}

uint32_t scheduler_worker_count(const Scheduler *scheduler)
{
    return scheduler->worker_count;
}

static Group *find_group(Scheduler *scheduler, uint64_t id)
{
    for (uint32_t i = 0; i < scheduler->group_count; i++) {
        if (scheduler->groups[i].id == id) {
            return &scheduler->groups[i];
        }
    }
    if (scheduler->group_count == scheduler->group_capacity) {
        uint32_t capacity = scheduler->group_capacity * 2;
        Group *groups = heap_realloc(scheduler->groups, capacity * sizeof *groups);
        if (groups == NULL) {
            return &scheduler->groups[id % scheduler->group_count]; // unfair, but it runs
        }
        scheduler->groups = groups;
        scheduler->group_capacity = capacity;
    }
    Group *group = &scheduler->groups[scheduler->group_count++];
    *group = (Group){.id = id};
    return group;
}

static void set_state(Task *task, enum TaskState state)
{
    // Release: scheduler_wake's look without the mutex pairs with it.
    __atomic_store_n(&task->state, (uint32_t)state, __ATOMIC_RELEASE);
}

// With the mutex held.
static void push_task(Scheduler *scheduler, Task *task)
{
    Group *group = find_group(scheduler, task->group);
    set_state(task, STATE_QUEUED);
    task->next = NULL;
    if (group->last == NULL) {
        group->first = task;
    } else {
        group->last->next = task;
    }
    group->last = task;
    __atomic_store_n(&scheduler->queued_count, scheduler->queued_count + 1, __ATOMIC_RELEASE);
}

// With the mutex held; null when nothing is ready.
static Task *pop_task(Scheduler *scheduler)
{
    if (scheduler->group_count == 0) {
        return NULL;
    }
    uint32_t index = scheduler->next_group % scheduler->group_count;
    Group *group = &scheduler->groups[index];
    Task *task = group->first;
    group->first = task->next;
    if (group->first == NULL) {
        *group = scheduler->groups[--scheduler->group_count];
        scheduler->next_group = index; // the last group moved here: its turn is next
    } else {
        scheduler->next_group = index + 1;
    }
    __atomic_store_n(&scheduler->queued_count, scheduler->queued_count - 1, __ATOMIC_RELEASE);
    set_state(task, STATE_RUNNING);
    return task;
}

// With the mutex held: wakes sleepers for the ready tasks that neither a spinning worker nor
// `taken_count` others will take.
static void wake_workers(Scheduler *scheduler, uint32_t taken_count)
{
    uint32_t served = scheduler->spinning_count + taken_count;
    uint32_t queued = scheduler->queued_count;
    for (uint32_t i = 0; i < scheduler->sleeping_count && served + i < queued; i++) {
        condition_signal(&scheduler->ready);
    }
}

void scheduler_submit(Scheduler *scheduler, Task *task)
{
    mutex_lock(&scheduler->mutex);
    push_task(scheduler, task);
    if (current_scheduler == scheduler) {
        deferred_count++;
    } else {
        wake_workers(scheduler, 0);
    }
    mutex_unlock(&scheduler->mutex);
}

void scheduler_wake(Scheduler *scheduler, Task *task)
{
    // A queued task will look at everything that was published before this call: its run begins
    // after a mutex that the publisher held, so the state seen here cannot be older than that.
    uint32_t state = __atomic_load_n(&task->state, __ATOMIC_ACQUIRE);
    if (state == STATE_QUEUED || state == STATE_WOKEN) {
        return;
    }
    mutex_lock(&scheduler->mutex);
    if (task->state == STATE_PARKED) {
        push_task(scheduler, task);
        if (current_scheduler == scheduler) {
            deferred_count++;
        } else {
            wake_workers(scheduler, 0);
        }
    } else if (task->state == STATE_RUNNING) {
        set_state(task, STATE_WOKEN);
    }
    mutex_unlock(&scheduler->mutex);
}

// With the mutex held, after a task has run.
static void settle_task(Scheduler *scheduler, Task *task, enum TaskResult result)
{
    bool is_queued = result == TASK_AGAIN;
    if (result == TASK_PARKED) {
        is_queued = task->state == STATE_WOKEN;
        if (!is_queued) {
            set_state(task, STATE_PARKED);
        }
    }
    if (is_queued) {
        push_task(scheduler, task);
    }
    if (deferred_count > 0 || is_queued) {
        deferred_count = 0;
        wake_workers(scheduler, 1);
    }
}

// Looks for work for a while without the mutex; true when there is some.
static bool spin_for_work(Scheduler *scheduler)
{
    int64_t deadline_us = clock_monotonic_us() + SPIN_US;
    do {
        for (uint32_t i = 0; i < SPIN_ROUNDS_PER_LOOK; i++) {
            if (__atomic_load_n(&scheduler->queued_count, __ATOMIC_ACQUIRE) > 0) {
                return true;
            }
#if defined(__x86_64__)
            __builtin_ia32_pause();
#endif
        }
        sched_yield(); // a session or network thread may need this core
    } while (clock_monotonic_us() < deadline_us);
    return false;
}

// With the mutex held; it is released meanwhile.
static void wait_for_work(Scheduler *scheduler)
{
    if (scheduler->spinning_count == 0) {
        scheduler->spinning_count++;
        mutex_unlock(&scheduler->mutex);
        bool has_work = spin_for_work(scheduler);
        mutex_lock(&scheduler->mutex);
        scheduler->spinning_count--;
        if (has_work || scheduler->queued_count > 0 || scheduler->is_stopping) {
            return;
        }
    }
    scheduler->sleeping_count++;
    condition_wait(&scheduler->ready, &scheduler->mutex, SLEEP_US);
    scheduler->sleeping_count--;
}

static void worker_run(void *object)
{
    Worker *worker = object;
    Scheduler *scheduler = worker->scheduler;
    current_scheduler = scheduler;
    thread_ask_for_turn(THREAD_TURN_WORKING_US);
    mutex_lock(&scheduler->mutex);
    for (;;) {
        Task *task = pop_task(scheduler);
        if (task != NULL) {
            mutex_unlock(&scheduler->mutex);
            enum TaskResult result = task->run(task, worker->index);
            mutex_lock(&scheduler->mutex);
            settle_task(scheduler, task, result);
        } else if (scheduler->is_stopping) {
            break;
        } else {
            wait_for_work(scheduler);
        }
    }
    mutex_unlock(&scheduler->mutex);
}
