/* mutex.c — ranked mutexes; debug builds keep the ranks each thread holds. */
#include "base/mutex.h"

#include <errno.h>
#include <time.h>

#ifndef NDEBUG
enum { HELD_MAX = 16 }; /* mutexes one thread holds at once */
static _Thread_local MutexRank held_ranks[HELD_MAX];
static _Thread_local uint32_t held_count;

static void rank_enter(MutexRank rank)
{
    ASSERT(held_count < HELD_MAX);
    for (uint32_t i = 0; i < held_count; i++) {
        ASSERT(held_ranks[i] < rank);
    }
    held_ranks[held_count++] = rank;
}

// Mutexes may be released in any order, so the newest entry of the rank goes.
static void rank_leave(MutexRank rank)
{
    uint32_t i = held_count;
    while (i > 0 && held_ranks[i - 1] != rank) {
        i--;
    }
    ASSERT(i > 0);
    for (; i < held_count; i++) {
        held_ranks[i - 1] = held_ranks[i];
    }
    held_count--;
}
#else
static void rank_enter(MutexRank rank)
{
    (void)rank;
}
static void rank_leave(MutexRank rank)
{
    (void)rank;
}
#endif

void mutex_init(Mutex *mutex, MutexRank rank)
{
    mutex->rank = rank;
    int error = pthread_mutex_init(&mutex->handle, NULL);
    ASSERT(error == 0);
}

void mutex_deinit(Mutex *mutex)
{
    int error = pthread_mutex_destroy(&mutex->handle);
    ASSERT(error == 0);
}

void mutex_lock(Mutex *mutex)
{
    rank_enter(mutex->rank);
    int error = pthread_mutex_lock(&mutex->handle);
    ASSERT(error == 0);
}

void mutex_unlock(Mutex *mutex)
{
    MutexRank rank = mutex->rank; // who waits for this unlock may free the mutex right after it
    int error = pthread_mutex_unlock(&mutex->handle);
    ASSERT(error == 0);
    rank_leave(rank);
}

void condition_init(Condition *condition)
{
    pthread_condattr_t attributes;
    int error = pthread_condattr_init(&attributes);
    ASSERT(error == 0);
    error = pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    ASSERT(error == 0);
    error = pthread_cond_init(&condition->handle, &attributes);
    ASSERT(error == 0);
    pthread_condattr_destroy(&attributes);
}

void condition_deinit(Condition *condition)
{
    int error = pthread_cond_destroy(&condition->handle);
    ASSERT(error == 0);
}

bool condition_wait(Condition *condition, Mutex *mutex, int64_t timeout_us)
{
    enum { US_PER_S = 1000000, WAIT_S_MAX = 1000000000 };
    if (timeout_us < 0) {
        timeout_us = 0;
    }
    struct timespec deadline;
    clock_gettime(CLOCK_MONOTONIC, &deadline);
    int64_t seconds = timeout_us / US_PER_S;
    deadline.tv_sec += seconds < WAIT_S_MAX ? seconds : WAIT_S_MAX;
    deadline.tv_nsec += timeout_us % US_PER_S * 1000;
    if (deadline.tv_nsec >= 1000000000) {
        deadline.tv_nsec -= 1000000000;
        deadline.tv_sec++;
    }
    // The rank stays held: this thread takes no other mutex before it has this one again.
    int error = pthread_cond_timedwait(&condition->handle, &mutex->handle, &deadline);
    ASSERT(error == 0 || error == ETIMEDOUT);
    return error == 0;
}

void condition_signal(Condition *condition)
{
    int error = pthread_cond_signal(&condition->handle);
    ASSERT(error == 0);
}

void condition_broadcast(Condition *condition)
{
    int error = pthread_cond_broadcast(&condition->handle);
    ASSERT(error == 0);
}
