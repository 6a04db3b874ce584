/* bench.h — what the programs of this folder share: random numbers, the clock, errors. */
#pragma once
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/status.h"

/* The same numbers in each run of a program (splitmix64). */
static inline uint64_t draw_bits(void)
{
    static uint64_t state = 12345;
    state += UINT64_C(0x9e3779b97f4a7c15);
    uint64_t bits = state;
    bits = (bits ^ (bits >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    bits = (bits ^ (bits >> 27)) * UINT64_C(0x94d049bb133111eb);
    return bits ^ (bits >> 31);
}

static inline uint64_t draw(uint64_t limit)
{
    return draw_bits() % limit;
}

/* Time of this thread on a core: what neighbours take is not counted. */
static inline double cpu_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

static inline void must(Status status)
{
    if (status != STATUS_OK) {
        fprintf(stderr, "%s %s\n", status_sqlstate_code(status), status_message(status));
        exit(1);
    }
}
