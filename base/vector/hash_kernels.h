/*
 * hash_kernels.h — loops that hash fixed-width values: the frozen distribution hash and the row
 * hash of tables.
 */
#pragma once
#include "base/vector/kernel_level.h"
#include "base/vector/vector.h"

typedef struct HashKernels {
    /* distribution_hash_of_word of each value; in place is allowed. */
    void (*distribution)(const uint64_t *values, uint32_t count, uint64_t *hashes);
    /* hashes[i] = XXH3-64 of the 16 bytes (hashes[i], next[i]). */
    void (*distribution_combine)(const uint64_t *next, uint32_t count, uint64_t *hashes);
    /* hash_mix of each value; in place is allowed. */
    void (*row)(const uint64_t *values, uint32_t count, uint64_t *hashes);
    /* hashes[i] = hash_combine(hashes[i], next[i]). */
    void (*row_combine)(const uint64_t *next, uint32_t count, uint64_t *hashes);
} HashKernels;
KERNEL_TABLE(HashKernels, hash_kernels);
