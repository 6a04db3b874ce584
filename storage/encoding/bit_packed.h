/*
 * bit_packed.h — vectors of integers as offsets from a base, packed to the width they need, with
 * patches for the few that need more. Shared by the encodings whose codes, lengths or steps are
 * packed the same way.
 *
 * Bytes of one vector: 128 * width packed lanes; then, when it has exceptions, a u16 row each
 * (filled up to 8 bytes) and the full offset of each as a lane of the output's type; all filled up
 * to 16 bytes.
 */
#pragma once
#include "storage/encoding/encoding.h"

/* The cheapest plan for 1,024 values of known bounds and sum (rows past the last repeat one). */
PackPlan pack_plan(const PackKernels *kernels, const int64_t *values, const VectorProfile *profile,
                   uint32_t row_count);
/* A plan without exceptions. */
PackPlan pack_plan_plain(int64_t min, int64_t max);
size_t pack_plan_bytes(const PackPlan *plan);

/* Writes 1,024 values and fills width, exceptions, base and the lane flag of `entry`; returns the
 * bytes, as pack_plan_bytes. `lanes` is scratch of 1,024 64-bit lanes. */
size_t pack_vector(const PackKernels *kernels, const int64_t *values, const PackPlan *plan,
                   void *lanes, VectorEntry *entry, uint8_t *target);
/* The other way: offsets from the base in lanes of pack_entry_lane(). `scratch`: 1,024 64-bit
 * lanes. */
void unpack_vector(const PackKernels *kernels, const VectorEntry *entry, const uint8_t *packed,
                   void *scratch, void *lanes);

static inline Lane pack_entry_lane(const VectorEntry *entry)
{
    return (Lane)((entry->flags >> VECTOR_FLAG_LANE_SHIFT) & VECTOR_FLAG_LANE_MASK);
}
/* Checks that a packed vector's bytes, `skipped` bytes behind the entry's offset, lie inside the
 * block's data and that its patches are sound. `*bytes`: of the packed form. */
bool pack_entry_is_sound(const Block *block, const VectorEntry *entry, size_t skipped,
                         size_t *bytes);
/* Of a sound entry. */
size_t pack_entry_bytes(const VectorEntry *entry);
/* Largest offset from the base that the entry allows. */
uint64_t pack_entry_span(const VectorEntry *entry, const uint8_t *packed);

/* Vector `vector` of a chunk as 1,024 values: in place, or the last one copied and filled up. */
const int64_t *chunk_vector(const int64_t *values, uint32_t row_count, uint32_t vector,
                            int64_t *buffer);
/* Validity words and the ascending promise of an entry. */
uint8_t chunk_vector_flags(const ColumnChunk *chunk, uint32_t vector);
