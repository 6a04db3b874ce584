/* bit_packed.c — frame of reference and bit packing, the encoding of most integers. The layout of
 * the packed lanes stands in pack_kernels.h, that of a vector in bit_packed.h.
 *
 * 128-bit decimals use the same vectors for value - base128, when that fits 64 bits: the node's
 * value is the base, and vectors are widened to 128 bits when decoded. */
#include "storage/encoding/bit_packed.h"

#include <string.h>
#include "storage/encoding/vector_stream.h"

KERNEL_TABLE_DEFINE(PackKernels, pack_kernels);

#define VECTOR_ALIGNMENT 16u
#define SAMPLE_VALUES 64u
#define EXCEPTION_SHARE_MAX 8u /* at most one value in eight is a patch */

static size_t align_16(size_t bytes)
{
    return (bytes + VECTOR_ALIGNMENT - 1) & ~(size_t)(VECTOR_ALIGNMENT - 1);
}

/* Rows as u16, filled up to 8 bytes so that the values behind them are aligned. */
static size_t exception_row_bytes(uint32_t exceptions)
{
    return ((size_t)exceptions * sizeof(uint16_t) + 7) & ~(size_t)7;
}

static uint64_t width_mask(uint32_t width)
{
    return width == 0 ? 0 : UINT64_MAX >> (64 - width);
}

static Lane plan_lane(const PackPlan *plan)
{
    return pack_lane_of_width(plan->exceptions == 0 ? plan->width : pack_width_of(plan->span));
}

size_t pack_plan_bytes(const PackPlan *plan)
{
    size_t bytes = pack_bytes(plan->width);
    if (plan->exceptions > 0) {
        bytes +=
            exception_row_bytes(plan->exceptions) + plan->exceptions * lane_bytes(plan_lane(plan));
    }
    return align_16(bytes);
}

PackPlan pack_plan_plain(int64_t min, int64_t max)
{
    const uint64_t span = (uint64_t)max - (uint64_t)min;
    return (PackPlan){.base = min, .span = span, .width = pack_width_of(span)};
}

/* The width that most of some values, spread over the vector, need. */
static uint32_t common_width(const int64_t *values, int64_t base)
{
    uint32_t counts[65] = {0}, seen = 0, width = 0;
    for (uint32_t i = 0; i < VECTOR_ROWS; i += VECTOR_ROWS / SAMPLE_VALUES) {
        counts[pack_width_of((uint64_t)values[i] - (uint64_t)base)]++;
    }
    while (seen + counts[width] < SAMPLE_VALUES / 8 * 7) {
        seen += counts[width++];
    }
    return width;
}

/* Patches pay when a few values stand far above the rest; then the mean lies low in the range.
 * Example: 1,000 values below 16 and 24 around 10^6 take 20 bits each without patches, and
 * 4 bits + 24 * 48 bits / 1,024 with them. */
PackPlan pack_plan(const PackKernels *kernels, const int64_t *values, const VectorProfile *profile,
                   uint32_t row_count)
{
    PackPlan best = pack_plan_plain(profile->min, profile->max);
    if (best.width < 3 || row_count < VECTOR_ROWS) {
        return best;
    }
    const Int128 above = profile->sum - (Int128)profile->min * row_count;
    const uint32_t mean_width = pack_width_of((uint64_t)(above / row_count));
    if (mean_width + 2 > best.width) {
        return best;
    }
    size_t best_bytes = pack_plan_bytes(&best);
    const uint32_t common = common_width(values, profile->min);
    // A byte must be won per patch for the scatter to be worth it.
    for (uint32_t width = common > 1 ? common - 1 : 0; width + 1 < best.width; width++) {
        PackPlan plan = best;
        plan.width = width;
        plan.exceptions = kernels->count_above(values, plan.base, width_mask(width));
        if (plan.exceptions > VECTOR_ROWS / EXCEPTION_SHARE_MAX) {
            continue;
        }
        const size_t bytes = pack_plan_bytes(&plan) + plan.exceptions;
        if (plan.exceptions > 0 && bytes < best_bytes) {
            best = plan;
            best_bytes = bytes;
        }
        if (plan.exceptions < 4) {
            break;
        }
    }
    return best;
}

static void put_lane(void *lanes, Lane lane, size_t index, uint64_t value)
{
    switch (lane) {
    case LANE_U8:
        ((uint8_t *)lanes)[index] = (uint8_t)value;
        return;
    case LANE_U16:
        ((uint16_t *)lanes)[index] = (uint16_t)value;
        return;
    case LANE_U32:
        ((uint32_t *)lanes)[index] = (uint32_t)value;
        return;
    default:
        ((uint64_t *)lanes)[index] = value;
        return;
    }
}

static uint64_t get_lane(const void *lanes, Lane lane, size_t index)
{
    switch (lane) {
    case LANE_U8:
        return ((const uint8_t *)lanes)[index];
    case LANE_U16:
        return ((const uint16_t *)lanes)[index];
    case LANE_U32:
        return ((const uint32_t *)lanes)[index];
    default:
        return ((const uint64_t *)lanes)[index];
    }
}

static void put_exceptions(const int64_t *values, const PackPlan *plan, uint8_t *target)
{
    const uint64_t bound = width_mask(plan->width);
    uint16_t *rows = (uint16_t *)(void *)target;
    uint8_t *lanes = target + exception_row_bytes(plan->exceptions);
    uint32_t count = 0;
    for (uint32_t i = 0; i < VECTOR_ROWS; i++) {
        const uint64_t offset = (uint64_t)values[i] - (uint64_t)plan->base;
        if (offset > bound) {
            rows[count] = (uint16_t)i;
            put_lane(lanes, plan_lane(plan), count, offset);
            count++;
        }
    }
    ASSERT(count == plan->exceptions);
}

/* Bits above the width would spill into the next value. */
static void mask_offsets(const int64_t *values, const PackPlan *plan, int64_t *offsets)
{
    const uint64_t mask = width_mask(plan->width);
    for (uint32_t i = 0; i < VECTOR_ROWS; i++) {
        offsets[i] = (int64_t)(((uint64_t)values[i] - (uint64_t)plan->base) & mask);
    }
}

size_t pack_vector(const PackKernels *kernels, const int64_t *values, const PackPlan *plan,
                   void *lanes, VectorEntry *entry, uint8_t *target)
{
    const size_t bytes = pack_plan_bytes(plan);
    const size_t packed = pack_bytes(plan->width);
    const Lane lane = pack_lane_of_width(plan->width);
    entry->base = plan->base;
    entry->width = (uint8_t)plan->width;
    entry->exceptions = (uint16_t)plan->exceptions;
    entry->flags = (uint8_t)(entry->flags | (plan_lane(plan) << VECTOR_FLAG_LANE_SHIFT));
    if (plan->width > 0) {
        if (plan->exceptions > 0) {
            int64_t offsets[VECTOR_ROWS];
            mask_offsets(values, plan, offsets);
            kernels->narrow(offsets, 0, lane, lanes);
        } else {
            kernels->narrow(values, plan->base, lane, lanes);
        }
        kernels->pack(lanes, plan->width, target);
    }
    memset(target + packed, 0, bytes - packed);
    if (plan->exceptions > 0) {
        put_exceptions(values, plan, target + packed);
    }
    return bytes;
}

void unpack_vector(const PackKernels *kernels, const VectorEntry *entry, const uint8_t *packed,
                   void *scratch, void *lanes)
{
    const Lane lane = pack_lane_of_width(entry->width);
    const Lane target = pack_entry_lane(entry);
    if (lane == target) {
        kernels->unpack(packed, entry->width, lanes);
    } else {
        kernels->unpack(packed, entry->width, scratch);
        kernels->widen(scratch, lane, target, lanes);
    }
    const uint8_t *patches = packed + pack_bytes(entry->width);
    const uint16_t *rows = (const uint16_t *)(const void *)patches;
    const uint8_t *values = patches + exception_row_bytes(entry->exceptions);
    for (uint32_t i = 0; i < entry->exceptions; i++) {
        put_lane(lanes, target, rows[i], get_lane(values, target, i));
    }
}

size_t pack_entry_bytes(const VectorEntry *entry)
{
    const size_t packed = pack_bytes(entry->width);
    return align_16(entry->exceptions == 0
                        ? packed
                        : packed + exception_row_bytes(entry->exceptions) +
                              entry->exceptions * lane_bytes(pack_entry_lane(entry)));
}

bool pack_entry_is_sound(const Block *block, const VectorEntry *entry, size_t skipped,
                         size_t *bytes)
{
    const Lane lane = pack_entry_lane(entry);
    const size_t offset = (size_t)entry->offset * VECTOR_ALIGNMENT + skipped;
    const size_t packed = pack_bytes(entry->width);
    const size_t needed = pack_entry_bytes(entry);
    *bytes = needed;
    if (entry->width > 64 || lane < pack_lane_of_width(entry->width) || lane > LANE_I64 ||
        entry->exceptions > VECTOR_ROWS || offset > block->data_bytes ||
        needed > block->data_bytes - offset) {
        return false;
    }
    const uint16_t *rows = (const uint16_t *)(const void *)(block->data + offset + packed);
    for (uint32_t i = 0; i < entry->exceptions; i++) {
        if (rows[i] >= VECTOR_ROWS) {
            return false;
        }
    }
    return true;
}

uint64_t pack_entry_span(const VectorEntry *entry, const uint8_t *packed)
{
    uint64_t span = width_mask(entry->width);
    const uint8_t *values =
        packed + pack_bytes(entry->width) + exception_row_bytes(entry->exceptions);
    for (uint32_t i = 0; i < entry->exceptions; i++) {
        const uint64_t value = get_lane(values, pack_entry_lane(entry), i);
        span = value > span ? value : span;
    }
    return span;
}

const int64_t *chunk_vector(const int64_t *values, uint32_t row_count, uint32_t vector,
                            int64_t *buffer)
{
    const int64_t *source = values + (size_t)vector * VECTOR_ROWS;
    const uint32_t rows = row_count - vector * VECTOR_ROWS;
    if (rows >= VECTOR_ROWS) {
        return source;
    }
    memcpy(buffer, source, rows * sizeof *source);
    for (uint32_t i = rows; i < VECTOR_ROWS; i++) {
        buffer[i] = source[rows - 1];
    }
    return buffer;
}

uint8_t chunk_vector_flags(const ColumnChunk *chunk, uint32_t vector)
{
    if (chunk->validity == NULL) {
        return 0;
    }
    const uint64_t *words = chunk->validity + (size_t)vector * VALIDITY_WORDS;
    const uint32_t left = chunk->row_count - vector * VECTOR_ROWS;
    const uint32_t rows = left < VECTOR_ROWS ? left : VECTOR_ROWS;
    uint32_t present = 0;
    for (uint32_t i = 0; i < VALIDITY_WORDS; i++) {
        present += (uint32_t)__builtin_popcountll(words[i]);
    }
    return present < rows ? VECTOR_FLAG_NULLS : 0;
}

static EncodeEstimate bit_packed_estimate(const EncodeJob *job)
{
    const ColumnProfile *profile = job->profile;
    if (!profile->has_packs) {
        return (EncodeEstimate){.bytes = SIZE_MAX};
    }
    return (EncodeEstimate){.bytes =
                                profile->packed_bytes + profile->vector_count * sizeof(VectorEntry),
                            .decode_ns = 0.03};
}

static size_t write_packed(const EncodeJob *job, uint32_t vector, VectorEntry *entry,
                           uint8_t *target, void *state)
{
    EncodeContext *context = job->context;
    vector_entry_mark_ascending(job, vector, entry);
    return pack_vector(context->kernels,
                       chunk_vector(state, job->chunk->row_count, vector, context->values),
                       &job->profile->packs[vector], context->lanes, entry, target);
}

static Status bit_packed_encode(const EncodeJob *job)
{
    const ColumnProfile *profile = job->profile;
    BlockNode *node = block_builder_node(&job->context->builder, ENCODING_BIT_PACKED);
    int64_t *values = (int64_t *)job->chunk->values;
    if (job->chunk->lane == LANE_I128) {
        values = job->context->residuals;
        memcpy(&node->value_low, &profile->base128, sizeof(Int128));
    } else {
        node->value_low = (uint64_t)(int64_t)profile->min;
        node->value_high = (uint64_t)(int64_t)profile->max;
    }
    vector_stream_write(job, profile->packed_bytes, write_packed, values);
    return STATUS_OK;
}

static Status bit_packed_open(Block *block)
{
    if ((block->header->lane != LANE_I64 && block->header->lane != LANE_I128) ||
        block->vectors == NULL || block->data == NULL) {
        return block_damaged(block, "missing packed vectors");
    }
    for (uint32_t v = 0; v < block->vector_count; v++) {
        size_t bytes;
        if (!pack_entry_is_sound(block, &block->vectors[v], 0, &bytes)) {
            return block_damaged(block, "packed vector out of bounds");
        }
    }
    block->lo = (int64_t)block->nodes[0].value_low;
    block->hi = (int64_t)block->nodes[0].value_high;
    return STATUS_OK;
}

/* Bounds of a vector from its entry, cut by those of the block. */
static void vector_bounds(const Block *block, const VectorEntry *entry, int64_t *lo, int64_t *hi)
{
    const uint8_t *packed = block->data + (size_t)entry->offset * VECTOR_ALIGNMENT;
    const uint64_t span = pack_entry_span(entry, packed);
    const int64_t top = (int64_t)((uint64_t)entry->base + span);
    *lo = entry->base > block->lo ? entry->base : block->lo;
    // A span beyond the largest int64 wraps: the block's bound is then all that is known.
    *hi = top >= entry->base && top < block->hi ? top : block->hi;
}

/* Lanes plus base as 128-bit values. */
static void decode_wide(const Block *block, const VectorEntry *entry, DecodeBuffer *buffer,
                        Vector *out)
{
    Int128 base;
    memcpy(&base, &block->nodes[0].value_low, sizeof base);
    uint64_t *offsets = buffer->scratch;
    Int128 *target = buffer->lanes;
    unpack_vector(buffer->kernels, entry, block->data + (size_t)entry->offset * VECTOR_ALIGNMENT,
                  buffer->lanes, offsets);
    buffer->kernels->widen(offsets, pack_entry_lane(entry), LANE_I64, buffer->lanes);
    memcpy(offsets, buffer->lanes, VECTOR_ROWS * sizeof *offsets);
    base = (Int128)((UInt128)base + (UInt128)(Int128)entry->base);
    for (size_t i = 0; i < VECTOR_ROWS; i++) {
        target[i] = (Int128)((UInt128)base + offsets[i]);
    }
    out->lane = LANE_I128;
    out->base = 0;
}

static Status bit_packed_decode(const Block *block, uint32_t vector, const uint16_t *selection,
                                uint32_t selected_count, DecodeBuffer *buffer, Vector *out)
{
    (void)selection, (void)selected_count;
    const VectorEntry *entry = &block->vectors[vector];
    *out = (Vector){.type = block->type,
                    .lane = (uint8_t)pack_entry_lane(entry),
                    .form = VECTOR_FLAT,
                    .is_ascending = (entry->flags & VECTOR_FLAG_ASCENDING) != 0,
                    .base = entry->base,
                    .validity = block_vector_validity(block, vector),
                    .data = buffer->lanes};
    if (block->header->lane == LANE_I128) {
        decode_wide(block, entry, buffer, out);
        return STATUS_OK;
    }
    vector_bounds(block, entry, &out->lo, &out->hi);
    unpack_vector(buffer->kernels, entry, block->data + (size_t)entry->offset * VECTOR_ALIGNMENT,
                  buffer->scratch, buffer->lanes);
    if (out->lane == LANE_I64) {
        buffer->kernels->add_base(buffer->lanes, entry->base);
        out->base = 0;
    }
    return STATUS_OK;
}

/* What the directory entry decides alone. */
static bool bit_packed_filter(const Block *block, uint32_t vector, const BlockFilter *filter,
                              DecodeBuffer *buffer, RowMask *mask)
{
    (void)buffer;
    if (block->header->lane != LANE_I64) {
        return false;
    }
    int64_t lo, hi;
    vector_bounds(block, &block->vectors[vector], &lo, &hi);
    return filter_by_bounds(filter, lo, hi, mask);
}

const EncodingOps bit_packed_ops = {
    .id = ENCODING_BIT_PACKED,
    .name = "bit_packed",
    .estimate = bit_packed_estimate,
    .encode = bit_packed_encode,
    .open = bit_packed_open,
    .decode = bit_packed_decode,
    .filter = bit_packed_filter,
};
