/*
 * fuzz.h — what the fuzz targets share: their entry, their demands, their planted bugs.
 *
 * A target is one file: it hands the input to its decoder and demands of what was accepted that it
 * keeps the decoder's promises. libFuzzer calls it (preset `fuzz`), or replay_main.c (every other).
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

/* `data` may be null when `bytes` is 0, and nothing behind it is readable. Always returns 0. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes);

/* A promise of the decoder; a broken one ends the run. */
static inline void require(bool is_kept)
{
    if (!is_kept) {
        abort();
    }
}

/* Marks what only an input that gets deep reaches: something that the decoder accepted and no file
 * of the corpus holds. Built with BASALT_PLANTED_BUG, reaching it writes out of bounds; a fuzzer
 * that does not find this would not find a real bug there either (run_fuzz.py --plant). */
static inline void plant(bool is_reached)
{
#ifdef BASALT_PLANTED_BUG
    volatile char *byte = malloc(1);
    byte[is_reached ? 1 : 0] = 0;
    free((void *)byte);
#else
    (void)is_reached;
#endif
}
