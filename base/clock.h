/* clock.h — time through a replaceable table, so that tests and a simulator can run it. */
#pragma once
#include "base/status.h"

typedef struct ClockOps {
    int64_t (*monotonic_us)(void *self); /* deadlines, leases, durations */
    int64_t (*wall_us)(void *self);      /* since 1970-01-01 UTC; only shown, never decided on */
    void (*sleep_us)(void *self, int64_t us);
} ClockOps;
typedef struct Clock {
    const ClockOps *ops;
    void *self;
} Clock;
extern const Clock system_clock;

int64_t clock_monotonic_us(void); /* of the system clock, for code without a Host */
int64_t clock_wall_us(void);
void clock_sleep_us(int64_t us);

/* Randomness: a seedable generator for decisions (not secrets; those come from crypto.h). */
typedef struct Random {
    uint64_t state[4];
} Random;
void random_seed(Random *random, uint64_t seed);
uint64_t random_next(Random *random);
uint64_t random_below(Random *random, uint64_t bound); /* 0 .. bound-1; bound >= 1 */
