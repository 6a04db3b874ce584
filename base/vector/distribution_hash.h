/*
 * distribution_hash.h — the frozen hash that says where a row lives: hash -> bucket.
 *
 * Canonical values: all integers, and decimals and integral dates alike, hash as int64 of the value
 * with trailing fractional zeroes removed (scale reduced while divisible by ten); decimals beyond
 * int64 hash their 16 bytes after the same reduction; floats that are whole numbers hash as int64,
 * others as their double bits (-0 as 0, one NaN); text hashes its bytes without trailing blanks;
 * booleans as 0 and 1; timestamps as int64 us. NULL has the constant hash 0. The function is
 * XXH3-64 of the 16 little-endian bytes, or of the text, with seed 0. An int64 v hashes as XXH3-64
 * of the 8 bytes of v >> 4, its highest four bits flipped by the lowest four of v in reverse order.
 * Several columns combine left to right: h = XXH3-64 of (h, next) as 16 bytes. Test vectors stand
 * in base/vector/README.md.
 *
 * So each 16 neighbouring integers are dealt out evenly: of 2k and 2k + 1 one goes to either half
 * of the buckets, and chance decides which. Keys without gaps are spread better than by chance, and
 * a node that owns one half of the buckets knows the lowest bit of a key from the others: an array
 * over the keys it may hold needs half the places. For 1/4, 1/8, 1/16 likewise two, three, four.
 */
#pragma once
#include "base/vector/batch.h"

#define DISTRIBUTION_HASH_VERSION 2 /* what a cluster remembers of the function its rows lie by */
#define BUCKET_COUNT 16384u
#define NULL_HASH UINT64_C(0)
static inline uint32_t bucket_of_hash(uint64_t hash)
{
    return (uint32_t)(hash >> 50);
}
#define NEIGHBOUR_BITS 4u /* of an integer that are dealt out */
/* How many low bits of an integer key the others and the node determine, of keys whose rows lie on
 * `node` by the map (BUCKET_COUNT entries). */
uint32_t bucket_map_known_bits(const uint32_t *bucket_nodes, uint32_t node);

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
