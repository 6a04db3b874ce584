/* hash.c — XXH3-64 of libxxhash. */
#include "base/hash.h"

#define XXH_STATIC_LINKING_ONLY /* the state's layout, so that it can live in our heap */
#include <xxhash.h>

#include "base/heap.h"

struct HashStream {
    XXH3_state_t state;
};

uint64_t hash_bytes(const void *data, size_t bytes, uint64_t seed)
{
    return XXH3_64bits_withSeed(data, bytes, seed);
}

HashStream *hash_stream_create(uint64_t seed)
{
    HashStream *stream = heap_alloc_aligned(_Alignof(XXH3_state_t), sizeof *stream);
    if (stream != NULL) {
        XXH3_INITSTATE(&stream->state);
        XXH3_64bits_reset_withSeed(&stream->state, seed);
    }
    return stream;
}

void hash_stream_add(HashStream *stream, const void *data, size_t bytes)
{
    if (bytes > 0) {
        XXH3_64bits_update(&stream->state, data, bytes);
    }
}

uint64_t hash_stream_digest(const HashStream *stream)
{
    return XXH3_64bits_digest(&stream->state);
}

void hash_stream_destroy(HashStream *stream)
{
    heap_free(stream);
}
