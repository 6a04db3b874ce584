/* hash_kernels.c — see hash_kernels.h. */
#include "base/vector/hash_kernels.h"

#include "base/hash.h"
#include "base/vector/fixed_xxh3.h"

static void distribution(const uint64_t *values, uint32_t count, uint64_t *hashes)
{
    for (uint32_t i = 0; i < count; i++) {
        hashes[i] = distribution_hash_of_word(values[i]);
    }
}

static void distribution_combine(const uint64_t *restrict next, uint32_t count,
                                 uint64_t *restrict hashes)
{
    for (uint32_t i = 0; i < count; i++) {
        hashes[i] = xxh3_of_16_bytes(hashes[i], next[i]);
    }
}

static void row(const uint64_t *values, uint32_t count, uint64_t *hashes)
{
    for (uint32_t i = 0; i < count; i++) {
        hashes[i] = hash_mix(values[i]);
    }
}

static void row_combine(const uint64_t *restrict next, uint32_t count, uint64_t *restrict hashes)
{
    for (uint32_t i = 0; i < count; i++) {
        hashes[i] = hash_combine(hashes[i], next[i]);
    }
}

const HashKernels KERNEL(hash_kernels) = {
    .distribution = distribution,
    .distribution_combine = distribution_combine,
    .row = row,
    .row_combine = row_combine,
};
