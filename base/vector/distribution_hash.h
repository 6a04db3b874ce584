/*
 * distribution_hash.h — the frozen hash that says where a row lives: hash -> bucket.
 *
 * Canonical values: all integers, and decimals and integral dates alike, hash as int64 of the value
 * with trailing fractional zeroes removed (scale reduced while divisible by ten); decimals beyond
 * int64 hash their 16 bytes after the same reduction; floats that are whole numbers hash as int64,
 * others as their double bits (-0 as 0, one NaN); text hashes its bytes without trailing blanks;
 * booleans as 0 and 1; timestamps as int64 us. NULL has the constant hash 0. The function is
 * XXH3-64 of the 8 (or 16) little-endian bytes, or of the text, with seed 0. Several columns
 * combine left to right: h = XXH3-64 of (h, next) as 16 bytes. Test vectors stand in
 * base/vector/README.md.
 */
#pragma once
#include "base/vector/batch.h"

#define BUCKET_COUNT 16384u
#define NULL_HASH UINT64_C(0)
static inline uint32_t bucket_of_hash(uint64_t hash)
{
    return (uint32_t)(hash >> 50);
}
/* Hashes of the selected rows of one column: hashes[i] for the i-th selected row. With
 * `is_combined` the column's hash is folded into what hashes[] holds. */
void distribution_hash_column(const Vector *vector, const Batch *batch, bool is_combined,
                              uint64_t *hashes);
uint64_t distribution_hash_value(const Value *value);
/* Several columns: the hash so far and the next column's. */
uint64_t distribution_hash_combine(uint64_t hash, uint64_t next);

/* In-memory hash for joins and groups: faster, not frozen, equal for values that SQL finds equal
 * of equal type (text trimmed). NULLs hash alike. */
void row_hash_column(const Vector *vector, const Batch *batch, bool is_combined, uint64_t *hashes);
uint64_t row_hash_value(const Value *value); /* what the column gives for one row, not combined */
