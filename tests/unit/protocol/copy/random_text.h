/* random_text.h — seeds and random delimited text for the suites of protocol/copy. */
#pragma once
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"

/* The seed of the run, from the environment when it names one; printed so that it can be. */
static inline void seed_random(Random *random)
{
    const char *text = getenv("SEED");
    uint64_t seed = text == NULL ? 20 : strtoull(text, NULL, 10);
    printf("SEED=%llu\n", (unsigned long long)seed);
    random_seed(random, seed);
}

/* `bytes` of text drawn from `alphabet`; 64 readable bytes behind it. To be freed. */
static inline uint8_t *random_text(Random *random, const char *alphabet, size_t bytes)
{
    uint8_t *text = calloc(1, bytes + 64);
    size_t letters = strlen(alphabet);
    for (size_t i = 0; i < bytes; i++) {
        text[i] = (uint8_t)alphabet[random_below(random, letters)];
    }
    return text;
}
