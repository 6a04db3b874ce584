/*
 * fixed_xxh3.h — XXH3-64 with seed 0 of 8 and of 16 bytes, written out so that it inlines, and the
 * distribution hash of an integer (distribution_hash.h) over it.
 *
 * Equal to hash_bytes(data, 8, 0) and hash_bytes(data, 16, 0), which the suites check. Source: the
 * xxHash specification, XXH3 for inputs of 4 to 8 and of 9 to 16 bytes; the constants are the words
 * of its default secret that these lengths use.
 */
#pragma once
#include <stdint.h>

static inline uint64_t xxh3_of_8_bytes(uint64_t value)
{
    const uint64_t multiplier = UINT64_C(0x9FB21C651E98DF25);
    uint64_t hash = (value >> 32 | value << 32) ^ UINT64_C(0xC73AB174C5ECD5A2);
    hash ^= (hash << 49 | hash >> 15) ^ (hash << 24 | hash >> 40);
    hash *= multiplier;
    hash ^= (hash >> 35) + 8;
    hash *= multiplier;
    return hash ^ hash >> 28;
}

static inline uint64_t distribution_hash_of_word(uint64_t value)
{
    uint64_t turn = (value & 1) << 63 | (value & 2) << 61 | (value & 4) << 59 | (value & 8) << 57;
    return xxh3_of_8_bytes(value >> 4) ^ turn;
}

static inline uint64_t xxh3_of_16_bytes(uint64_t low, uint64_t high)
{
    __extension__ typedef unsigned __int128 Wide;
    low ^= UINT64_C(0x6782737BEA4239B9);
    high ^= UINT64_C(0xAF56BC3B0996523A);
    Wide product = (Wide)low * high;
    uint64_t hash =
        16 + __builtin_bswap64(low) + high + ((uint64_t)product ^ (uint64_t)(product >> 64));
    hash ^= hash >> 37;
    hash *= UINT64_C(0x165667919E3779F9);
    return hash ^ hash >> 32;
}
