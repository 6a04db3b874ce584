/* thread.h — named threads with a signal mask of their own, and what a thread knows of itself. */
#pragma once
#include <pthread.h>
#include "base/status.h"

typedef struct Thread {
    pthread_t handle;
    bool is_running;
} Thread;

/* `name` has at most 15 characters. Signals are blocked in it; `cpu` < 0 leaves it unpinned. */
Status thread_start(Thread *thread, const char *name, int cpu, void (*run)(void *object),
                    void *object) CHECKED;
void thread_join(Thread *thread);   /* safe on one never started */
void thread_detach(Thread *thread); /* it ends when it will; nobody waits */

/* Context written into log lines by this thread: node id, query id (0 = none). */
void thread_set_context(uint32_t node_id, uint64_t query_id);
uint32_t thread_node_id(void);
uint64_t thread_query_id(void);
/* CPU time of the calling thread in nanoseconds. */
int64_t thread_cpu_ns(void);
