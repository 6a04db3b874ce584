/*
 * multiple.c — integers that are all the same steps apart: amounts in whole units, times in whole
 * seconds.
 *
 * Node: `parameter` is the step, the value the block's bounds as everywhere. A vector packs
 * (value - smallest of the block) / step as in bit_packed.h.
 *
 * Example: 300 1700 4500, in hundredths -> 0 14 42 and step 100: six bits instead of thirteen.
 */
#include "storage/encoding/vector_stream.h"

static uint64_t common_divisor(uint64_t a, uint64_t b)
{
    while (b != 0) {
        const uint64_t rest = a % b;
        a = b;
        b = rest;
    }
    return a;
}

/* The largest step that all values are apart; 1, nearly always after a few values, is none. */
static uint64_t find_step(const EncodeJob *job)
{
    const int64_t *values = job->chunk->values;
    const uint64_t min = (uint64_t)(int64_t)job->profile->min;
    uint64_t step = 0;
    for (uint32_t i = 0; i < job->chunk->row_count && step != 1; i++) {
        const uint64_t offset = (uint64_t)values[i] - min;
        if (step == 0 || offset % step != 0) {
            step = common_divisor(step, offset);
        }
    }
    return step;
}

/* Quotients of a vector, and how to pack them. */
static PackPlan plan_quotients(const EncodeJob *job, uint32_t vector, uint64_t step,
                               int64_t *quotients)
{
    const ColumnChunk *chunk = job->chunk;
    const int64_t *values =
        chunk_vector(chunk->values, chunk->row_count, vector, job->context->values);
    const uint64_t min = (uint64_t)(int64_t)job->profile->min;
    int64_t low = INT64_MAX, high = INT64_MIN;
    for (uint32_t i = 0; i < VECTOR_ROWS; i++) {
        quotients[i] = (int64_t)(((uint64_t)values[i] - min) / step);
        low = quotients[i] < low ? quotients[i] : low;
        high = quotients[i] > high ? quotients[i] : high;
    }
    return pack_plan_plain(low, high);
}

static EncodeEstimate multiple_estimate(const EncodeJob *job)
{
    const ColumnProfile *profile = job->profile;
    int64_t quotients[VECTOR_ROWS];
    if (job->chunk->lane != LANE_I64) {
        return (EncodeEstimate){.bytes = SIZE_MAX};
    }
    const uint64_t step = find_step(job);
    if (step < 2) {
        return (EncodeEstimate){.bytes = SIZE_MAX};
    }
    size_t bytes = profile->vector_count * sizeof(VectorEntry);
    for (uint32_t v = 0; v < profile->vector_count; v++) {
        const PackPlan plan = plan_quotients(job, v, step, quotients);
        bytes += pack_plan_bytes(&plan);
    }
    return (EncodeEstimate){.bytes = bytes, .decode_ns = 0.06};
}

static size_t write_quotients(const EncodeJob *job, uint32_t vector, VectorEntry *entry,
                              uint8_t *target, void *state)
{
    EncodeContext *context = job->context;
    int64_t quotients[VECTOR_ROWS];
    const PackPlan plan = plan_quotients(job, vector, *(uint64_t *)state, quotients);
    vector_entry_mark_ascending(job, vector, entry);
    return pack_vector(context->kernels, quotients, &plan, context->lanes, entry, target);
}

static Status multiple_encode(const EncodeJob *job)
{
    const ColumnProfile *profile = job->profile;
    uint64_t step = find_step(job);
    BlockNode *node = block_builder_node(&job->context->builder, ENCODING_MULTIPLE);
    node->parameter = step;
    node->value_low = (uint64_t)(int64_t)profile->min;
    node->value_high = (uint64_t)(int64_t)profile->max;
    vector_stream_write(job, multiple_estimate(job).bytes, write_quotients, &step);
    return STATUS_OK;
}

static const uint8_t *packed_of(const Block *block, uint32_t vector)
{
    return block->data + (size_t)block->vectors[vector].offset * 16;
}

/* Smallest and largest value that a vector's entry allows, cut by the block's bounds. */
static void vector_bounds(const Block *block, uint32_t vector, int64_t *lo, int64_t *hi)
{
    const VectorEntry *entry = &block->vectors[vector];
    const UInt128 step = block->nodes[0].parameter;
    const UInt128 first = step * (uint64_t)entry->base;
    const UInt128 last = first + step * pack_entry_span(entry, packed_of(block, vector));
    const UInt128 range = (uint64_t)block->hi - (uint64_t)block->lo;
    *lo = (int64_t)((uint64_t)block->lo + (uint64_t)first);
    *hi = last < range ? (int64_t)((uint64_t)block->lo + (uint64_t)last) : block->hi;
}

static Status multiple_open(Block *block)
{
    const BlockNode *node = &block->nodes[0];
    if (block->header->lane != LANE_I64 || block->vectors == NULL || block->data == NULL ||
        node->parameter == 0) {
        return block_damaged(block, "missing multiples");
    }
    block->lo = (int64_t)node->value_low;
    block->hi = (int64_t)node->value_high;
    if (block->lo > block->hi) {
        return block_damaged(block, "impossible bounds");
    }
    const uint64_t range = (uint64_t)block->hi - (uint64_t)block->lo;
    for (uint32_t v = 0; v < block->vector_count; v++) {
        size_t bytes;
        const VectorEntry *entry = &block->vectors[v];
        if (!pack_entry_is_sound(block, entry, 0, &bytes) || entry->exceptions != 0 ||
            (UInt128)node->parameter * (uint64_t)entry->base > range) {
            return block_damaged(block, "multiples out of bounds");
        }
    }
    return STATUS_OK;
}

/* Lanes wide enough for every product; whatever the bounds cut away is refused when the block is
 * opened, where all its values are looked at. */
static Status multiple_decode(const Block *block, uint32_t vector, const uint16_t *selection,
                              uint32_t selected_count, DecodeBuffer *buffer, Vector *out)
{
    (void)selection, (void)selected_count;
    const VectorEntry *entry = &block->vectors[vector];
    const uint64_t step = block->nodes[0].parameter;
    const Lane packed = pack_entry_lane(entry);
    const UInt128 span = (UInt128)step * pack_entry_span(entry, packed_of(block, vector));
    Lane lane = span >> 32 != 0 ? LANE_I64 : pack_lane_of_width(pack_width_of((uint64_t)span));
    lane = lane < packed ? packed : lane;
    *out = (Vector){.type = block->type,
                    .lane = (uint8_t)lane,
                    .form = VECTOR_FLAT,
                    .is_ascending = (entry->flags & VECTOR_FLAG_ASCENDING) != 0,
                    .validity = block_vector_validity(block, vector),
                    .data = buffer->lanes};
    vector_bounds(block, vector, &out->lo, &out->hi);
    out->base = out->lo;
    unpack_vector(buffer->kernels, entry, packed_of(block, vector), buffer->lanes, buffer->scratch);
    buffer->kernels->widen(buffer->scratch, packed, lane, buffer->lanes);
    buffer->kernels->multiply(buffer->lanes, lane, step);
    if (lane == LANE_I64) {
        buffer->kernels->add_base(buffer->lanes, out->base);
        out->base = 0;
    }
    return STATUS_OK;
}

/* What the directory entry decides alone. */
static bool multiple_filter(const Block *block, uint32_t vector, const BlockFilter *filter,
                            DecodeBuffer *buffer, RowMask *mask)
{
    (void)buffer;
    int64_t lo, hi;
    vector_bounds(block, vector, &lo, &hi);
    return filter_by_bounds(filter, lo, hi, mask);
}

const EncodingOps multiple_ops = {
    .id = ENCODING_MULTIPLE,
    .name = "multiple",
    .estimate = multiple_estimate,
    .encode = multiple_encode,
    .open = multiple_open,
    .decode = multiple_decode,
    .filter = multiple_filter,
};
