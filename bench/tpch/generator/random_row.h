/*
 * random_row.h — random numbers addressed by (seed, table, row, column), so that any chunk of any
 * table can be made alone and always gets the same bytes.
 *
 * There is no generator state to advance: a number is a hash of its address. Example: the quantity
 * of line 3 of order 17 is random_between(random_row(seed, TABLE_LINEITEM, 17 * 8 + 3),
 * LINE_QUANTITY, 1, 50), whoever asks and in whatever order.
 *
 * The hash is the finaliser of SplitMix64 (Steele, Lea, Flood: Fast splittable pseudorandom number
 * generators, 2014), applied once to the row's address and once more to the column's.
 */
#pragma once

#include <stdint.h>

__extension__ typedef unsigned __int128 RandomWide;

/* All the random numbers of one row. */
typedef struct RandomRow {
    uint64_t state;
} RandomRow;

/* A bijection of 64-bit numbers in which every input bit reaches every output bit. */
static inline uint64_t random_mix(uint64_t x)
{
    x ^= x >> 30;
    x *= UINT64_C(0xbf58476d1ce4e5b9);
    x ^= x >> 27;
    x *= UINT64_C(0x94d049bb133111eb);
    x ^= x >> 31;
    return x;
}

static inline RandomRow random_row(uint64_t seed, uint32_t table, uint64_t row)
{
    uint64_t origin = random_mix(seed * UINT64_C(0xd1342543de82ef95) + table + 1);
    return (RandomRow){random_mix(origin + row * UINT64_C(0x9e3779b97f4a7c15))};
}

static inline uint64_t random_bits(RandomRow row, uint32_t column)
{
    return random_mix(row.state + (column + 1) * UINT64_C(0x9e3779b97f4a7c15));
}

/* Draws of a column that needs several: column number `part` of the result is its part-th draw. */
static inline RandomRow random_parts(RandomRow row, uint32_t column)
{
    return (RandomRow){random_bits(row, column)};
}

/* Takes one digit in 0 .. count - 1 off the front of `*fraction`, a number in [0, 1) with 64 bits
 * after the point. Several small draws can share one hash while the product of their counts stays
 * far below 2^64. */
static inline uint64_t random_digit(uint64_t *fraction, uint64_t count)
{
    RandomWide product = (RandomWide)*fraction * count;
    *fraction = (uint64_t)product;
    return (uint64_t)(product >> 64);
}

/* Uniform in 0 .. count - 1. */
static inline uint64_t random_below(RandomRow row, uint32_t column, uint64_t count)
{
    uint64_t fraction = random_bits(row, column);
    return random_digit(&fraction, count);
}

/* Uniform in first .. last, both included. */
static inline int64_t random_between(RandomRow row, uint32_t column, int64_t first, int64_t last)
{
    return first + (int64_t)random_below(row, column, (uint64_t)(last - first + 1));
}
