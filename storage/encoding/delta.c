/*
 * delta.c — steps from row to row, for keys and times in order.
 *
 * Every vector starts anew: value[0] = first, value[i] = value[i-1] + step_base + step[i], the
 * steps packed (with patches) as in bit_packed.h behind a DeltaHead. `base` of the entry is the
 * vector's smallest value and the base of its lanes, `width` and `exceptions` belong to the steps.
 *
 * Example: 1 2 3 4 32 33 34 -> first 1, step_base 1, steps 0 0 0 0 27 0 0: width 0 and one patch.
 */
#include <string.h>
#include "storage/encoding/vector_stream.h"

typedef struct DeltaHead {
    int64_t first;     /* 0-7 */
    int64_t step_base; /* 8-15 */
    int64_t max;       /* 16-23 largest value of the vector */
    uint8_t lane;      /* 24 Lane that holds value - base */
    uint8_t zero[7];   /* 25-31 */
} DeltaHead;
static_assert(sizeof(DeltaHead) == 32, "delta head");

/* Steps of a vector (step[0] repeats the smallest) and their plan. */
static PackPlan plan_steps(const PackKernels *kernels, const int64_t *values,
                           const VectorProfile *profile, uint32_t row_count, int64_t *steps)
{
    steps[0] = profile->delta_min;
    for (uint32_t i = 1; i < VECTOR_ROWS; i++) {
        steps[i] = (int64_t)((uint64_t)values[i] - (uint64_t)values[i - 1]);
    }
    for (uint32_t i = row_count; i < VECTOR_ROWS; i++) {
        steps[i] = profile->delta_min;
    }
    const Int128 total = (Int128)values[row_count - 1] - values[0] + profile->delta_min;
    const VectorProfile step_profile = {
        .min = profile->delta_min, .max = profile->delta_max, .sum = total};
    return pack_plan(kernels, steps, &step_profile, row_count);
}

/* Only ordered vectors of a range whose differences cannot wrap. */
static bool has_steps(const VectorProfile *profile)
{
    return profile->descent_count == 0 &&
           (uint64_t)profile->max - (uint64_t)profile->min <= UINT64_C(1) << 62;
}

static EncodeEstimate delta_estimate(const EncodeJob *job)
{
    const ColumnChunk *chunk = job->chunk;
    const ColumnProfile *profile = job->profile;
    EncodeContext *context = job->context;
    if (chunk->lane != LANE_I64 || profile->vector_count == 0 || !has_steps(&profile->vectors[0])) {
        return (EncodeEstimate){.bytes = SIZE_MAX};
    }
    size_t bytes = profile->vector_count * (sizeof(VectorEntry) + sizeof(DeltaHead));
    for (uint32_t v = 0; v < profile->vector_count; v++) {
        if (!has_steps(&profile->vectors[v])) {
            return (EncodeEstimate){.bytes = SIZE_MAX};
        }
        const PackPlan plan = plan_steps(
            context->kernels, chunk_vector(chunk->values, chunk->row_count, v, context->values),
            &profile->vectors[v], chunk_vector_rows(chunk, v), context->lanes);
        bytes += pack_plan_bytes(&plan);
    }
    return (EncodeEstimate){.bytes = bytes, .decode_ns = 0.35};
}

static size_t write_steps(const EncodeJob *job, uint32_t vector, VectorEntry *entry,
                          uint8_t *target, void *state)
{
    (void)state;
    EncodeContext *context = job->context;
    const ColumnChunk *chunk = job->chunk;
    const VectorProfile *profile = &job->profile->vectors[vector];
    const int64_t *values = chunk_vector(chunk->values, chunk->row_count, vector, context->values);
    int64_t steps[VECTOR_ROWS];
    const PackPlan plan =
        plan_steps(context->kernels, values, profile, chunk_vector_rows(chunk, vector), steps);
    const DeltaHead head = {
        .first = values[0],
        .step_base = plan.base,
        .max = profile->max,
        .lane = (uint8_t)pack_lane_of_width(
            pack_width_of((uint64_t)profile->max - (uint64_t)profile->min)),
    };
    vector_entry_mark_ascending(job, vector, entry);
    memcpy(target, &head, sizeof head);
    const size_t bytes =
        pack_vector(context->kernels, steps, &plan, context->lanes, entry, target + sizeof head);
    entry->base = profile->min;
    return sizeof head + bytes;
}

static Status delta_encode(const EncodeJob *job)
{
    const ColumnProfile *profile = job->profile;
    BlockBuilder *builder = &job->context->builder;
    BlockNode *node = block_builder_node(builder, ENCODING_DELTA);
    node->value_low = (uint64_t)(int64_t)profile->min;
    node->value_high = (uint64_t)(int64_t)profile->max;
    block_builder_node(builder, ENCODING_BIT_PACKED);
    vector_stream_write(job, delta_estimate(job).bytes, write_steps, NULL);
    return STATUS_OK;
}

static const DeltaHead *delta_head(const Block *block, const VectorEntry *entry)
{
    return (const DeltaHead *)(const void *)(block->data + (size_t)entry->offset * 16);
}

static Status delta_open(Block *block)
{
    if (block->header->lane != LANE_I64 || block->vectors == NULL || block->data == NULL) {
        return block_damaged(block, "missing steps");
    }
    for (uint32_t v = 0; v < block->vector_count; v++) {
        size_t bytes;
        const VectorEntry *entry = &block->vectors[v];
        if (!pack_entry_is_sound(block, entry, sizeof(DeltaHead), &bytes) ||
            delta_head(block, entry)->lane > LANE_I64) {
            return block_damaged(block, "steps out of bounds");
        }
    }
    block->lo = (int64_t)block->nodes[0].value_low;
    block->hi = (int64_t)block->nodes[0].value_high;
    return STATUS_OK;
}

static Status delta_decode(const Block *block, uint32_t vector, const uint16_t *selection,
                           uint32_t selected_count, DecodeBuffer *buffer, Vector *out)
{
    (void)selection, (void)selected_count;
    const VectorEntry *entry = &block->vectors[vector];
    const DeltaHead *head = delta_head(block, entry);
    const Lane wanted = (Lane)head->lane;
    *out = (Vector){.type = block->type,
                    .form = VECTOR_FLAT,
                    .is_ascending = (entry->flags & VECTOR_FLAG_ASCENDING) != 0,
                    .lo = entry->base,
                    .hi = head->max,
                    .validity = block_vector_validity(block, vector),
                    .data = buffer->lanes};
    // Wide lanes hold values, narrow ones offsets from the smallest value.
    const uint8_t *packed = (const uint8_t *)head + sizeof *head;
    uint64_t first =
        wanted == LANE_I64 ? (uint64_t)head->first : (uint64_t)head->first - (uint64_t)entry->base;
    unpack_vector(buffer->kernels, entry, packed, buffer->lanes, buffer->scratch);
    const Lane lane = buffer->kernels->prefix_sum(buffer->scratch, pack_entry_lane(entry), first,
                                                  (uint64_t)head->step_base, wanted, buffer->lanes);
    if (lane == LANE_I64 && wanted != LANE_I64) {
        buffer->kernels->add_base(buffer->lanes, entry->base);
    }
    out->lane = (uint8_t)lane;
    out->base = lane == LANE_I64 ? 0 : entry->base;
    return STATUS_OK;
}

static bool delta_filter(const Block *block, uint32_t vector, const BlockFilter *filter,
                         DecodeBuffer *buffer, RowMask *mask)
{
    (void)buffer;
    const VectorEntry *entry = &block->vectors[vector];
    return filter_by_bounds(filter, entry->base, delta_head(block, entry)->max, mask);
}

const EncodingOps delta_ops = {
    .id = ENCODING_DELTA,
    .name = "delta",
    .estimate = delta_estimate,
    .encode = delta_encode,
    .open = delta_open,
    .decode = delta_decode,
    .filter = delta_filter,
};
