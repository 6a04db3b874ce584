/* thread.c — named threads. Signals go to the main thread only; faults of a thread stay its own. */
#include "base/thread.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <time.h>

#include "base/heap.h"
#include "base/log.h"
#include "base/metrics.h"

enum { THREAD_NAME_BYTES = 16 }; /* with its end, as the kernel has it */

typedef struct ThreadStart {
    void (*run)(void *object);
    void *object;
    int cpu;
    char name[THREAD_NAME_BYTES];
} ThreadStart;

static _Thread_local uint32_t context_node_id;
static _Thread_local uint64_t context_query_id;

static void *thread_main(void *argument);
static void pin_to_cpu(int cpu);

Status thread_start(Thread *thread, const char *name, int cpu, void (*run)(void *object),
                    void *object)
{
    thread->is_running = false;
    ASSERT(strlen(name) < THREAD_NAME_BYTES);
    ThreadStart *start = heap_alloc_zeroed(sizeof *start);
    if (start == NULL) {
        return status_error(SQLSTATE_OUT_OF_MEMORY, "out of memory for thread \"%s\"", name);
    }
    *start = (ThreadStart){.run = run, .object = object, .cpu = cpu};
    memcpy(start->name, name, strlen(name) + 1);

    // The mask is inherited, so it is set here for the moment of creation. Signals that tell of a
    // fault in the thread itself stay open: sanitizers and core dumps need them.
    sigset_t blocked, former;
    sigfillset(&blocked);
    static const int open_signals[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGTRAP, SIGPROF};
    for (size_t i = 0; i < sizeof open_signals / sizeof *open_signals; i++) {
        sigdelset(&blocked, open_signals[i]);
    }
    pthread_sigmask(SIG_SETMASK, &blocked, &former);
    int error = pthread_create(&thread->handle, NULL, thread_main, start);
    pthread_sigmask(SIG_SETMASK, &former, NULL);
    if (error != 0) {
        heap_free(start);
        // EAGAIN here means a limit on threads, not "try again".
        return status_from_errno(error == EAGAIN ? ENFILE : error, "could not start thread \"%s\"",
                                 name);
    }
    thread->is_running = true;
    return STATUS_OK;
}

void thread_join(Thread *thread)
{
    if (!thread->is_running) {
        return;
    }
    int error = pthread_join(thread->handle, NULL);
    ASSERT(error == 0);
    thread->is_running = false;
}

void thread_detach(Thread *thread)
{
    int error = pthread_detach(thread->handle);
    ASSERT(error == 0);
    thread->is_running = false;
}

void thread_set_context(uint32_t node_id, uint64_t query_id)
{
    context_node_id = node_id;
    context_query_id = query_id;
}

uint32_t thread_node_id(void)
{
    return context_node_id;
}

uint64_t thread_query_id(void)
{
    return context_query_id;
}

int64_t thread_cpu_ns(void)
{
    struct timespec time;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return (int64_t)time.tv_sec * 1000000000 + time.tv_nsec;
}

static void *thread_main(void *argument)
{
    ThreadStart start = *(ThreadStart *)argument;
    heap_free(argument);
    pthread_setname_np(pthread_self(), start.name);
    if (start.cpu >= 0) {
        pin_to_cpu(start.cpu);
    }
    metric_add(METRIC_THREADS, 1);
    start.run(start.object);
    metric_add(METRIC_THREADS, -1);
    return NULL;
}

// Pinning is a wish: a container may not own the core.
static void pin_to_cpu(int cpu)
{
    cpu_set_t cpus;
    CPU_ZERO(&cpus);
    int error = EINVAL;
    if (cpu < CPU_SETSIZE) {
        CPU_SET((size_t)cpu, &cpus);
        error = pthread_setaffinity_np(pthread_self(), sizeof cpus, &cpus);
    }
    if (error != 0) {
        log_debug("thread_not_pinned", "cpu=%d error=%d", cpu, error);
    }
}
