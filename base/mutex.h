/*
 * mutex.h — ranked mutexes and condition variables with deadlines.
 *
 * Debug builds assert that a thread takes mutexes in rising rank. No mutex is held over I/O or a
 * callback. Every wait has a deadline.
 */
#pragma once
#include <pthread.h>
#include "base/status.h"

/* Ranks from outer to inner; ARCHITECTURE.md repeats the list. */
typedef enum MutexRank {
    MUTEX_RANK_SERVER = 10,
    MUTEX_RANK_SESSION = 20,
    MUTEX_RANK_CATALOG = 30,
    MUTEX_RANK_TXN = 40,
    MUTEX_RANK_MEMBERSHIP = 50,
    MUTEX_RANK_QUERY = 60,
    MUTEX_RANK_TABLE = 70,
    MUTEX_RANK_MANIFEST = 80,
    MUTEX_RANK_OPERATOR = 100,
    MUTEX_RANK_STREAM_PORT = 107,
    MUTEX_RANK_STREAM_HUB = 108,
    MUTEX_RANK_STREAM_SENDER = 109,
    MUTEX_RANK_STREAM = 110,
    MUTEX_RANK_PEER_TABLE = 119,
    MUTEX_RANK_PEER = 120,
    MUTEX_RANK_PEER_USES = 121,
    MUTEX_RANK_CACHE = 130,
    MUTEX_RANK_METADATA = 140,
    MUTEX_RANK_SCHEDULER = 145, /* wakers run under a stream's mutex */
    MUTEX_RANK_QUEUE = 150,
    MUTEX_RANK_MEMORY_CLASS = 155,
    MUTEX_RANK_MEMORY = 160,
    MUTEX_RANK_FILE_JOURNAL = 165, /* of tests, over I/O */
    MUTEX_RANK_LOG = 170
} MutexRank;

typedef struct Mutex {
    pthread_mutex_t handle;
    MutexRank rank;
} Mutex;
typedef struct Condition {
    pthread_cond_t handle; /* on the monotonic clock */
} Condition;

/* Initialiser of a mutex with static storage, which is never deinitialised. */
#define MUTEX_STATIC(mutex_rank)                                                                   \
    {                                                                                              \
        .handle = PTHREAD_MUTEX_INITIALIZER, .rank = (mutex_rank)                                  \
    }

void mutex_init(Mutex *mutex, MutexRank rank);
void mutex_deinit(Mutex *mutex);
void mutex_lock(Mutex *mutex);
void mutex_unlock(Mutex *mutex);
void condition_init(Condition *condition);
void condition_deinit(Condition *condition);
/* False when `timeout_us` passed first. */
bool condition_wait(Condition *condition, Mutex *mutex, int64_t timeout_us);
void condition_signal(Condition *condition);
void condition_broadcast(Condition *condition);
