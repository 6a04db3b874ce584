/*
 * vector_stream.h — what encodings share that write their vectors one after the other: the loop
 * over a chunk's vectors with its directory, and the look at a vector's bounds before it is
 * decoded.
 */
#pragma once
#include "base/hash.h"
#include "storage/encoding/bit_packed.h"

static inline uint32_t chunk_vector_rows(const ColumnChunk *chunk, uint32_t vector)
{
    const uint32_t left = chunk->row_count - vector * VECTOR_ROWS;
    return left < VECTOR_ROWS ? left : VECTOR_ROWS;
}

/* Row `index` of a sample that takes one row of every `step`: at irregular distances, so that what
 * repeats in the column does not repeat in the sample. */
static inline uint32_t sample_row(uint32_t index, uint32_t step)
{
    return index * step + (uint32_t)(hash_mix(index) % step);
}

/* Writes vector `vector` at `target` and completes `entry`, whose offset and null flag are set;
 * returns the bytes, a multiple of 16. */
typedef size_t (*VectorWriter)(const EncodeJob *job, uint32_t vector, VectorEntry *entry,
                               uint8_t *target, void *state);

/* Adds STREAM_DATA with all vectors, at most `bytes_max`, and STREAM_VECTORS to the block. Returns
 * the bytes of the vectors; 0 when memory was refused (block_builder_finish reports that). */
size_t vector_stream_write(const EncodeJob *job, size_t bytes_max, VectorWriter write, void *state);

/* A VectorWriter of codes, which stand in the context's residuals; its state is the PackPlan. */
size_t vector_stream_pack_codes(const EncodeJob *job, uint32_t vector, VectorEntry *entry,
                                uint8_t *target, void *plan);

/* Vectors of texts: the writer's state is room for the plain text of one vector. 53200. `*bytes`:
 * of the vectors. */
Status vector_stream_write_texts(const EncodeJob *job, size_t bytes_max, VectorWriter write,
                                 size_t *bytes) CHECKED;
/* Fills a vector of texts up to 16 bytes; returns its bytes. */
size_t vector_stream_pad(uint8_t *target, size_t bytes);

/* Integers: promises that the vector ascends, when it does and has no nulls. */
void vector_entry_mark_ascending(const EncodeJob *job, uint32_t vector, VectorEntry *entry);

/* An EncodingOps.filter for vectors whose values lie in [lo, hi]. */
bool filter_by_bounds(const BlockFilter *filter, int64_t lo, int64_t hi, RowMask *mask);
