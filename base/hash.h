/* hash.h — the only door to xxHash (XXH3-64), plus the fixed-width mixer of hash tables. */
#pragma once
#include "base/status.h"

uint64_t hash_bytes(const void *data, size_t bytes, uint64_t seed); /* XXH3-64 with seed */

/* XXH3-64 over pieces. */
typedef struct HashStream HashStream;
HashStream *hash_stream_create(uint64_t seed); /* null when memory is refused */
void hash_stream_add(HashStream *stream, const void *data, size_t bytes);
uint64_t hash_stream_digest(const HashStream *stream);
void hash_stream_destroy(HashStream *stream);

/* Folded 64x64->128 multiply: strong enough for tables, about a nanosecond. */
static inline uint64_t hash_mix(uint64_t value)
{
    __extension__ typedef unsigned __int128 Wide;
    uint64_t x = value ^ 0x9E3779B97F4A7C15u;
    Wide product = (Wide)x * 0xD6E8FEB86659FD93u;
    return (uint64_t)product ^ (uint64_t)(product >> 64);
}
static inline uint64_t hash_combine(uint64_t seed, uint64_t hash)
{
    return hash_mix(seed + 0x632BE59BD9B4E019u + (hash ^ (seed << 23)));
}
