/* clock.c — the system's clocks, and xoshiro256** (Blackman and Vigna) for decisions by chance. */
#include "base/clock.h"

#include <errno.h>
#include <time.h>

static int64_t clock_us(clockid_t id)
{
    struct timespec time;
    clock_gettime(id, &time);
    return (int64_t)time.tv_sec * 1000000 + time.tv_nsec / 1000;
}

static int64_t system_monotonic_us(void *self)
{
    (void)self;
    return clock_us(CLOCK_MONOTONIC);
}

static int64_t system_wall_us(void *self)
{
    (void)self;
    return clock_us(CLOCK_REALTIME);
}

static void system_sleep_us(void *self, int64_t us)
{
    (void)self;
    if (us <= 0) {
        return;
    }
    struct timespec left = {.tv_sec = us / 1000000, .tv_nsec = us % 1000000 * 1000};
    while (clock_nanosleep(CLOCK_MONOTONIC, 0, &left, &left) == EINTR) {
    }
}

static const ClockOps system_clock_ops = {
    .monotonic_us = system_monotonic_us,
    .wall_us = system_wall_us,
    .sleep_us = system_sleep_us,
};
const Clock system_clock = {.ops = &system_clock_ops};

int64_t clock_monotonic_us(void)
{
    return system_monotonic_us(NULL);
}

int64_t clock_wall_us(void)
{
    return system_wall_us(NULL);
}

void clock_sleep_us(int64_t us)
{
    system_sleep_us(NULL, us);
}

// splitmix64 spreads one word over the state, so that near seeds give unrelated sequences.
void random_seed(Random *random, uint64_t seed)
{
    for (size_t i = 0; i < 4; i++) {
        seed += 0x9E3779B97F4A7C15u;
        uint64_t word = seed;
        word = (word ^ (word >> 30)) * 0xBF58476D1CE4E5B9u;
        word = (word ^ (word >> 27)) * 0x94D049BB133111EBu;
        random->state[i] = word ^ (word >> 31);
    }
}

static uint64_t rotate_left(uint64_t word, int bits)
{
    return word << bits | word >> (64 - bits);
}

uint64_t random_next(Random *random)
{
    uint64_t *state = random->state;
    uint64_t result = rotate_left(state[1] * 5, 7) * 9;
    uint64_t shifted = state[1] << 17;
    state[2] ^= state[0];
    state[3] ^= state[1];
    state[1] ^= state[2];
    state[0] ^= state[3];
    state[2] ^= shifted;
    state[3] = rotate_left(state[3], 45);
    return result;
}

// Lemire, "Fast random integer generation in an interval" (2019): multiply, reject the biased rest.
uint64_t random_below(Random *random, uint64_t bound)
{
    ASSERT(bound > 0);
    __extension__ typedef unsigned __int128 Wide;
    uint64_t rejected = -bound % bound;
    Wide product;
    do {
        product = (Wide)random_next(random) * bound;
    } while ((uint64_t)product < rejected);
    return (uint64_t)(product >> 64);
}
