/*
 * run_length.c — long runs of equal integers: sorted columns with few values.
 *
 * Every vector has its own runs, at least one: `exceptions` counts them. Its bytes: the value of
 * each run as a lane (offsets from `base`; int64 lanes hold the value itself), filled up to 64
 * bytes, then the row behind each run as u16, all filled up to 16 bytes.
 *
 * Example: 5 5 5 7 7 (and no more rows) -> base 5, lanes 0 2, ends 3 1024. Null rows belong to the
 * run before them.
 */
#include <string.h>
#include "storage/encoding/vector_stream.h"

#define RUN_VALUE_ALIGNMENT 64u

static size_t run_value_bytes(uint32_t runs, Lane lane)
{
    return (runs * lane_bytes(lane) + RUN_VALUE_ALIGNMENT - 1) & ~(size_t)(RUN_VALUE_ALIGNMENT - 1);
}

static size_t run_vector_bytes(uint32_t runs, Lane lane)
{
    const size_t bytes = run_value_bytes(runs, lane) + runs * sizeof(uint16_t);
    return (bytes + 15) & ~(size_t)15;
}

static Lane profile_lane(const VectorProfile *profile)
{
    return pack_lane_of_width(pack_width_of((uint64_t)profile->max - (uint64_t)profile->min));
}

static EncodeEstimate run_length_estimate(const EncodeJob *job)
{
    const ColumnProfile *profile = job->profile;
    if (job->chunk->lane != LANE_I64 || profile->change_count > job->chunk->row_count / 4) {
        return (EncodeEstimate){.bytes = SIZE_MAX};
    }
    size_t bytes = profile->vector_count * sizeof(VectorEntry);
    uint64_t runs = 0;
    for (uint32_t v = 0; v < profile->vector_count; v++) {
        const VectorProfile *vector = &profile->vectors[v];
        bytes += run_vector_bytes(vector->change_count + 1, profile_lane(vector));
        runs += vector->change_count + 1;
    }
    // A run costs about 2.5 ns, whatever its length up to a cache line of lanes.
    return (EncodeEstimate){.bytes = bytes,
                            .decode_ns = 0.02 + 2.5 * (double)runs / job->chunk->row_count};
}

static void put_run(void *lanes, Lane lane, uint32_t index, int64_t value, int64_t base)
{
    const uint64_t offset = (uint64_t)value - (uint64_t)base;
    switch (lane) {
    case LANE_U8:
        ((uint8_t *)lanes)[index] = (uint8_t)offset;
        return;
    case LANE_U16:
        ((uint16_t *)lanes)[index] = (uint16_t)offset;
        return;
    case LANE_U32:
        ((uint32_t *)lanes)[index] = (uint32_t)offset;
        return;
    default:
        ((int64_t *)lanes)[index] = value;
        return;
    }
}

static size_t write_runs(const EncodeJob *job, uint32_t vector, VectorEntry *entry, uint8_t *target,
                         void *state)
{
    (void)state;
    const ColumnChunk *chunk = job->chunk;
    const VectorProfile *profile = &job->profile->vectors[vector];
    const int64_t *values =
        chunk_vector(chunk->values, chunk->row_count, vector, job->context->values);
    vector_entry_mark_ascending(job, vector, entry);
    const Lane lane = profile_lane(profile);
    const uint32_t runs = profile->change_count + 1;
    const size_t bytes = run_vector_bytes(runs, lane);
    memset(target, 0, bytes);
    uint16_t *ends = (uint16_t *)(void *)(target + run_value_bytes(runs, lane));
    uint32_t run = 0;
    put_run(target, lane, 0, values[0], profile->min);
    for (uint32_t i = 1; i < VECTOR_ROWS; i++) {
        if (values[i] != values[i - 1]) {
            ends[run++] = (uint16_t)i;
            put_run(target, lane, run, values[i], profile->min);
        }
    }
    ends[run] = VECTOR_ROWS;
    ASSERT(run + 1 == runs);
    entry->base = profile->min;
    entry->width = (uint8_t)(8 * lane_bytes(lane));
    entry->exceptions = (uint16_t)runs;
    entry->flags = (uint8_t)(entry->flags | (lane << VECTOR_FLAG_LANE_SHIFT));
    return bytes;
}

static Status run_length_encode(const EncodeJob *job)
{
    const ColumnProfile *profile = job->profile;
    BlockNode *node = block_builder_node(&job->context->builder, ENCODING_RUN_LENGTH);
    node->value_low = (uint64_t)(int64_t)profile->min;
    node->value_high = (uint64_t)(int64_t)profile->max;
    vector_stream_write(job, run_length_estimate(job).bytes, write_runs, NULL);
    return STATUS_OK;
}

static const uint8_t *run_values(const Block *block, const VectorEntry *entry)
{
    return block->data + (size_t)entry->offset * 16;
}

static const uint16_t *run_ends(const Block *block, const VectorEntry *entry)
{
    const Lane lane = pack_entry_lane(entry);
    return (const uint16_t *)(const void *)(run_values(block, entry) +
                                            run_value_bytes(entry->exceptions, lane));
}

static bool runs_are_sound(const Block *block, const VectorEntry *entry)
{
    const size_t offset = (size_t)entry->offset * 16;
    if (entry->exceptions == 0 || entry->exceptions > VECTOR_ROWS || offset > block->data_bytes ||
        run_vector_bytes(entry->exceptions, pack_entry_lane(entry)) > block->data_bytes - offset) {
        return false;
    }
    const uint16_t *ends = run_ends(block, entry);
    uint32_t start = 0;
    for (uint32_t i = 0; i < entry->exceptions; i++) {
        if (ends[i] <= start || ends[i] > VECTOR_ROWS) {
            return false;
        }
        start = ends[i];
    }
    return start == VECTOR_ROWS;
}

static Status run_length_open(Block *block)
{
    if (block->header->lane != LANE_I64 || block->vectors == NULL || block->data == NULL) {
        return block_damaged(block, "missing runs");
    }
    for (uint32_t v = 0; v < block->vector_count; v++) {
        if (!runs_are_sound(block, &block->vectors[v])) {
            return block_damaged(block, "impossible runs");
        }
    }
    block->lo = (int64_t)block->nodes[0].value_low;
    block->hi = (int64_t)block->nodes[0].value_high;
    return STATUS_OK;
}

#define LANE_TYPE uint8_t
#define EXPAND_NAME expand_u8
#include "storage/encoding/run_expand.tmpl.h"
#define LANE_TYPE uint16_t
#define EXPAND_NAME expand_u16
#include "storage/encoding/run_expand.tmpl.h"
#define LANE_TYPE uint32_t
#define EXPAND_NAME expand_u32
#include "storage/encoding/run_expand.tmpl.h"
#define LANE_TYPE int64_t
#define EXPAND_NAME expand_i64
#include "storage/encoding/run_expand.tmpl.h"

static void set_header(const Block *block, const VectorEntry *entry, Vector *out)
{
    const Lane lane = pack_entry_lane(entry);
    int64_t top = INT64_MAX;
    if (lane != LANE_I64) {
        const int64_t lane_max = (int64_t)((UINT64_C(1) << (8 * lane_bytes(lane))) - 1);
        top = entry->base < INT64_MAX - lane_max ? entry->base + lane_max : INT64_MAX;
    }
    *out = (Vector){.type = block->type,
                    .lane = (uint8_t)lane,
                    .form = VECTOR_FLAT,
                    .is_ascending = (entry->flags & VECTOR_FLAG_ASCENDING) != 0,
                    .base = lane == LANE_I64 ? 0 : entry->base,
                    .lo = entry->base,
                    .hi = top < block->hi ? top : block->hi};
}

static Status run_length_decode(const Block *block, uint32_t vector, const uint16_t *selection,
                                uint32_t selected_count, DecodeBuffer *buffer, Vector *out)
{
    (void)selection, (void)selected_count;
    const VectorEntry *entry = &block->vectors[vector];
    const uint16_t *ends = run_ends(block, entry);
    const uint8_t *values = run_values(block, entry);
    set_header(block, entry, out);
    out->validity = block_vector_validity(block, vector);
    out->data = buffer->lanes;
    switch (pack_entry_lane(entry)) {
    case LANE_U8:
        expand_u8(values, ends, entry->exceptions, buffer->lanes);
        break;
    case LANE_U16:
        expand_u16((const void *)values, ends, entry->exceptions, buffer->lanes);
        break;
    case LANE_U32:
        expand_u32((const void *)values, ends, entry->exceptions, buffer->lanes);
        break;
    default:
        expand_i64((const void *)values, ends, entry->exceptions, buffer->lanes);
        break;
    }
    return STATUS_OK;
}

/* Clears bits first .. end-1. */
static void clear_rows(RowMask *mask, uint32_t first, uint32_t end)
{
    while (first < end) {
        const uint32_t word = first / 64, bit = first % 64;
        const uint32_t stop = end - word * 64 < 64 ? end - word * 64 : 64;
        const uint64_t below = stop == 64 ? UINT64_MAX : (UINT64_C(1) << stop) - 1;
        mask->words[word] &= ~(below & (UINT64_MAX << bit));
        first = word * 64 + stop;
    }
}

/* The predicate looks at each run once: the run values are a vector of their own. */
static bool run_length_filter(const Block *block, uint32_t vector, const BlockFilter *filter,
                              DecodeBuffer *buffer, RowMask *mask)
{
    (void)buffer;
    const VectorEntry *entry = &block->vectors[vector];
    Vector runs;
    RowMask passing;
    set_header(block, entry, &runs);
    runs.is_ascending = false;
    runs.data = run_values(block, entry);
    memset(&passing, 0xff, sizeof passing);
    predicate_apply(filter->predicate, &runs, entry->exceptions, &passing);
    const uint16_t *ends = run_ends(block, entry);
    uint32_t start = 0;
    for (uint32_t i = 0; i < entry->exceptions; i++) {
        if (!validity_get(passing.words, i)) {
            clear_rows(mask, start, ends[i]);
        }
        start = ends[i];
    }
    return true;
}

const EncodingOps run_length_ops = {
    .id = ENCODING_RUN_LENGTH,
    .name = "run_length",
    .estimate = run_length_estimate,
    .encode = run_length_encode,
    .open = run_length_open,
    .decode = run_length_decode,
    .filter = run_length_filter,
};
