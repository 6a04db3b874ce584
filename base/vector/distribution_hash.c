/*
 * distribution_hash.c — the frozen hash of distribution keys; see distribution_hash.h.
 *
 * Rows on disk lie where this function says: it never changes. base/vector/README.md holds test
 * vectors.
 */
#include "base/vector/distribution_hash.h"

#include <math.h>
#include <string.h>

#include "base/hash.h"
#include "base/vector/fixed_xxh3.h"
#include "base/vector/hash_kernels.h"
#include "base/vector/hash_method.h"

KERNEL_TABLE_DEFINE(HashKernels, hash_kernels);

/* 12.300 at scale 3 is 123: the value without the zeroes behind its last fractional digit. */
static void drop_fraction_zeroes(uint32_t scale, uint64_t *values, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        int64_t value = (int64_t)values[i];
        for (uint32_t left = scale; left > 0 && value % 10 == 0 && value != 0; left--) {
            value /= 10;
        }
        values[i] = (uint64_t)value;
    }
}

static void hash_integers(Type type, uint64_t *values, uint32_t count)
{
    if (type.id == TYPE_DECIMAL && type.scale > 0) {
        drop_fraction_zeroes(type.scale, values, count);
    }
    KERNELS(hash_kernels)->distribution(values, count, values);
}

static uint64_t hash_wide(Type type, Int128 value)
{
    if (type.id == TYPE_INTERVAL) {
        Interval interval;
        memcpy(&interval, &value, sizeof interval);
        value = interval_span_us(&interval);
    } else {
        for (uint32_t left = type.scale; left > 0 && value % 10 == 0 && value != 0; left--) {
            value /= 10;
        }
    }
    if (value >= INT64_MIN && value <= INT64_MAX) {
        return distribution_hash_of_word((uint64_t)value);
    }
    return xxh3_of_16_bytes((uint64_t)value, (uint64_t)((UInt128)value >> 64));
}

static void hash_wides(Type type, const Int128 *values, uint32_t count, uint64_t *hashes)
{
    for (uint32_t i = 0; i < count; i++) {
        hashes[i] = hash_wide(type, values[i]);
    }
}

static uint64_t canonical_double(double value)
{
    if (value >= -0x1p63 && value < 0x1p63 && value == trunc(value)) {
        return (uint64_t)(int64_t)value; // -0 too
    }
    if (isnan(value)) {
        return UINT64_C(0x7FF8000000000000);
    }
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits;
}

static void hash_doubles(const double *values, uint32_t count, uint64_t *hashes)
{
    for (uint32_t i = 0; i < count; i++) {
        hashes[i] = canonical_double(values[i]);
    }
    KERNELS(hash_kernels)->distribution(hashes, count, hashes);
}

static void hash_texts(const TextView *values, uint32_t count, bool is_trimmed, uint64_t *hashes)
{
    for (uint32_t i = 0; i < count; i++) {
        const char *data = text_view_data(&values[i]);
        uint32_t bytes = values[i].length;
        hashes[i] = hash_bytes(data, is_trimmed ? bytes : text_trimmed_length(data, bytes), 0);
    }
}

static void combine_hashes(const uint64_t *next, uint32_t count, uint64_t *hashes)
{
    KERNELS(hash_kernels)->distribution_combine(next, count, hashes);
}

static const HashMethod distribution_method = {
    .null_hash = NULL_HASH,
    .integers = hash_integers,
    .wides = hash_wides,
    .doubles = hash_doubles,
    .texts = hash_texts,
    .combine = combine_hashes,
};

void distribution_hash_column(const Vector *vector, const Batch *batch, bool is_combined,
                              uint64_t *hashes)
{
    hash_column(&distribution_method, vector, batch, is_combined, hashes);
}

uint64_t distribution_hash_value(const Value *value)
{
    return hash_single_value(&distribution_method, value);
}

uint32_t bucket_map_known_bits(const uint32_t *bucket_nodes, uint32_t node)
{
    uint32_t first = BUCKET_COUNT, differing = 0;
    for (uint32_t b = 0; b < BUCKET_COUNT; b++) {
        if (bucket_nodes[b] == node) {
            first = first < BUCKET_COUNT ? first : b;
            differing |= b ^ first;
        }
    }
    uint32_t known = 0;
    while (known < NEIGHBOUR_BITS && (differing & (BUCKET_COUNT >> 1 >> known)) == 0) {
        known++;
    }
    return first < BUCKET_COUNT ? known : 0;
}

uint64_t distribution_hash_combine(uint64_t hash, uint64_t next)
{
    return xxh3_of_16_bytes(hash, next);
}
