/*
 * difference.c — a column as what it differs from another column of its row group: days of arrival
 * from days of shipping.
 *
 * Node: `parameter` is the id of the base column, the value its bounds as everywhere. A vector
 * packs value - base value as in bit_packed.h behind a DifferenceHead. Bases are packed or delta
 * themselves, so a chain has one link. Reading asks the buffer's BaseReader for the base's vector;
 * since no look at the block alone tells the values, each vector is held against its bounds when it
 * is decoded first.
 *
 * Example: base 9000 9100 9050, column 9003 9120 9051 -> differences 3 20 1: five bits each where
 * the dates themselves take twelve.
 */
#include <stdatomic.h>
#include <string.h>
#include "base/vector/vector_kernels.h"
#include "storage/encoding/vector_stream.h"

typedef struct DifferenceHead {
    int64_t min; /* 0-7 smallest value of the vector */
    int64_t max; /* 8-15 */
} DifferenceHead;
static_assert(sizeof(DifferenceHead) == 16, "difference head");

/* Values and differences stay where no subtraction can wrap. */
#define VALUE_LIMIT (INT64_C(1) << 61)
#define GAIN_BITS_MIN 2u /* of the vector that is looked at first */

/* The difference of the first present row of a vector. */
static int64_t first_difference(const int64_t *values, const int64_t *bases,
                                const uint64_t *validity, uint32_t rows)
{
    for (uint32_t i = 0; i < rows; i++) {
        if (validity_get(validity, i)) {
            return values[i] - bases[i];
        }
    }
    return 0;
}

/* Null rows repeat the difference before them, as far as the vector's bounds allow: what they
 * repeat as values may be far from the base. */
static void fill_nulls(const int64_t *bases, const uint64_t *validity, uint32_t rows,
                       const VectorProfile *bounds, int64_t first, int64_t *differences)
{
    int64_t previous = first;
    for (uint32_t i = 0; i < rows; i++) {
        if (!validity_get(validity, i)) {
            int64_t value = bases[i] + previous;
            value = value < bounds->min ? bounds->min : value;
            value = value > bounds->max ? bounds->max : value;
            differences[i] = value - bases[i];
        } else {
            previous = differences[i];
        }
    }
}

/* Differences of a vector, rows past the last repeat the last; returns how to pack them. */
static PackPlan plan_differences(const EncodeJob *job, const BaseColumn *base, uint32_t vector,
                                 int64_t *differences)
{
    const ColumnChunk *chunk = job->chunk;
    const uint32_t rows = chunk_vector_rows(chunk, vector);
    const int64_t *values = (const int64_t *)chunk->values + (size_t)vector * VECTOR_ROWS;
    const int64_t *bases = (const int64_t *)base->chunk.values + (size_t)vector * VECTOR_ROWS;
    VectorProfile profile;
    for (uint32_t i = 0; i < rows; i++) {
        differences[i] = values[i] - bases[i];
    }
    if (chunk->validity != NULL) {
        const uint64_t *validity = chunk->validity + (size_t)vector * VALIDITY_WORDS;
        fill_nulls(bases, validity, rows, &job->profile->vectors[vector],
                   first_difference(values, bases, validity, rows), differences);
    }
    for (uint32_t i = rows; i < VECTOR_ROWS; i++) {
        differences[i] = differences[rows - 1];
    }
    job->context->kernels->profile(differences, rows, &profile);
    return pack_plan(job->context->kernels, differences, &profile, rows);
}

static bool is_limited(const ColumnChunk *chunk)
{
    const int64_t *values = chunk->values;
    int64_t min = values[0], max = values[0];
    for (uint32_t i = 1; i < chunk->row_count; i++) {
        min = values[i] < min ? values[i] : min;
        max = values[i] > max ? values[i] : max;
    }
    return min > -VALUE_LIMIT && max < VALUE_LIMIT;
}

/* Bytes of the packed differences from `base`; SIZE_MAX when the first vector shows no gain. */
static size_t difference_bytes(const EncodeJob *job, const BaseColumn *base)
{
    const ColumnProfile *profile = job->profile;
    int64_t differences[VECTOR_ROWS];
    size_t bytes = 0;
    if (base->chunk.type.id != job->chunk->type.id ||
        base->chunk.row_count != job->chunk->row_count || !is_limited(&base->chunk)) {
        return SIZE_MAX;
    }
    for (uint32_t v = 0; v < profile->vector_count; v++) {
        const PackPlan plan = plan_differences(job, base, v, differences);
        if (v == 0 && plan.width + GAIN_BITS_MIN > profile->packs[0].width) {
            return SIZE_MAX;
        }
        bytes += sizeof(DifferenceHead) + pack_plan_bytes(&plan);
    }
    return bytes;
}

static EncodeEstimate difference_estimate(const EncodeJob *job)
{
    const ColumnProfile *profile = job->profile;
    EncodeContext *context = job->context;
    size_t best = SIZE_MAX;
    context->base = NULL;
    if (job->chunk->lane != LANE_I64 || job->chunk->type.id == TYPE_DECIMAL ||
        job->chunk->type.id == TYPE_BOOLEAN || profile->min <= -VALUE_LIMIT ||
        profile->max >= VALUE_LIMIT) {
        return (EncodeEstimate){.bytes = SIZE_MAX};
    }
    for (uint32_t i = 0; i < context->base_count; i++) {
        const size_t bytes = difference_bytes(job, &context->bases[i]);
        if (bytes < best) {
            best = bytes;
            context->base = &context->bases[i];
        }
    }
    if (best != SIZE_MAX) {
        best += profile->vector_count * sizeof(VectorEntry);
    }
    return (EncodeEstimate){.bytes = best, .decode_ns = 0.12};
}

static size_t write_differences(const EncodeJob *job, uint32_t vector, VectorEntry *entry,
                                uint8_t *target, void *state)
{
    EncodeContext *context = job->context;
    const VectorProfile *profile = &job->profile->vectors[vector];
    const DifferenceHead head = {.min = profile->min, .max = profile->max};
    int64_t differences[VECTOR_ROWS];
    const PackPlan plan = plan_differences(job, state, vector, differences);
    vector_entry_mark_ascending(job, vector, entry);
    memcpy(target, &head, sizeof head);
    return sizeof head + pack_vector(context->kernels, differences, &plan, context->lanes, entry,
                                     target + sizeof head);
}

static Status difference_encode(const EncodeJob *job)
{
    const ColumnProfile *profile = job->profile;
    EncodeContext *context = job->context;
    BlockNode *node = block_builder_node(&context->builder, ENCODING_DIFFERENCE);
    node->parameter = context->base->column_id;
    node->value_low = (uint64_t)(int64_t)profile->min;
    node->value_high = (uint64_t)(int64_t)profile->max;
    block_builder_node(&context->builder, ENCODING_BIT_PACKED);
    vector_stream_write(job, difference_bytes(job, context->base), write_differences,
                        (void *)context->base);
    return STATUS_OK;
}

static const DifferenceHead *difference_head(const Block *block, uint32_t vector)
{
    return (const DifferenceHead *)(const void *)(block->data +
                                                  (size_t)block->vectors[vector].offset * 16);
}

static Status difference_open(Block *block)
{
    const BlockNode *node = &block->nodes[0];
    if (block->header->lane != LANE_I64 || block->vectors == NULL || block->data == NULL ||
        node->parameter > UINT32_MAX || node->parameter == block->header->column_id) {
        return block_damaged(block, "missing differences");
    }
    block->lo = (int64_t)node->value_low;
    block->hi = (int64_t)node->value_high;
    for (uint32_t v = 0; v < block->vector_count; v++) {
        size_t bytes;
        if (!pack_entry_is_sound(block, &block->vectors[v], sizeof(DifferenceHead), &bytes)) {
            return block_damaged(block, "differences out of bounds");
        }
        const DifferenceHead *head = difference_head(block, v);
        if (head->min > head->max || head->min < block->lo || head->max > block->hi) {
            return block_damaged(block, "impossible bounds");
        }
    }
    static_assert(FORMAT_ROW_GROUP_ROWS / VECTOR_ROWS <= 64, "a bit per vector");
    block->derived_bytes = sizeof(uint64_t);
    block->derived = memory_alloc_zeroed(block->budget, block->derived_bytes);
    return block->derived == NULL
               ? memory_refused(block->budget, block->derived_bytes, "differences")
               : STATUS_OK;
}

/* The narrowest lane that holds base lane + difference lane; 64 bits when they stand for values. */
static Lane sum_lane(const Vector *base, uint64_t span)
{
    const uint64_t base_span = (uint64_t)base->hi - (uint64_t)base->base;
    if (base->lane == LANE_I64 || base->hi < base->base || base_span > UINT32_MAX ||
        span > UINT32_MAX) {
        return LANE_I64;
    }
    const Lane lane = pack_lane_of_width(pack_width_of(base_span + span));
    return lane < (Lane)base->lane ? (Lane)base->lane : lane;
}

/* Sums of the base's lanes and the differences. The buffer's lanes have room for two vectors of 64
 * bits: the second half is scratch. */
static void add_to_base(const Block *block, uint32_t vector, const Vector *base,
                        DecodeBuffer *buffer, Vector *out)
{
    const PackKernels *kernels = buffer->kernels;
    const VectorEntry *entry = &block->vectors[vector];
    const uint8_t *packed =
        (const uint8_t *)difference_head(block, vector) + sizeof(DifferenceHead);
    int64_t *spare = (int64_t *)buffer->lanes + VECTOR_ROWS;
    const Lane lane = sum_lane(base, pack_entry_span(entry, packed));
    unpack_vector(kernels, entry, packed, spare, buffer->scratch);
    kernels->add_lanes(base->data, (Lane)base->lane, buffer->scratch, pack_entry_lane(entry), spare,
                       lane, buffer->lanes);
    out->lane = (uint8_t)lane;
    out->base = (int64_t)((uint64_t)base->base + (uint64_t)entry->base);
    if (lane == LANE_I64) {
        kernels->add_base(buffer->lanes, out->base);
        out->base = 0;
    }
}

/* The block cannot be looked at when it is opened, without its base; so each vector is when it is
 * decoded first. Base and block never change after that. */
static bool is_bounded(const Block *block, uint32_t number, const Vector *vector)
{
    _Atomic(uint64_t) *checked = block->derived; // a bit per vector
    const uint64_t bit = UINT64_C(1) << number;
    int64_t min, max;
    if ((atomic_load_explicit(checked, memory_order_relaxed) & bit) != 0) {
        return true;
    }
    KERNELS(vector_kernels)
        ->min_max[vector->lane](vector->data, block_vector_rows(block, number), &min, &max);
    if ((Int128)min + vector->base < vector->lo || (Int128)max + vector->base > vector->hi) {
        return false;
    }
    atomic_fetch_or_explicit(checked, bit, memory_order_relaxed);
    return true;
}

static Status difference_decode(const Block *block, uint32_t vector, const uint16_t *selection,
                                uint32_t selected_count, DecodeBuffer *buffer, Vector *out)
{
    (void)selection, (void)selected_count;
    const DifferenceHead *head = difference_head(block, vector);
    const Vector *base;
    if (buffer->bases == NULL) {
        return block_damaged(block, "another column is needed and not at hand");
    }
    TRY(buffer->bases->read(buffer->bases, block, (uint32_t)block->nodes[0].parameter, vector,
                            &base));
    if (base->form != VECTOR_FLAT || base->lane > LANE_I64) {
        return block_damaged(block, "differences from a column that cannot be a base");
    }
    *out = (Vector){.type = block->type,
                    .form = VECTOR_FLAT,
                    .is_ascending = (block->vectors[vector].flags & VECTOR_FLAG_ASCENDING) != 0,
                    .lo = head->min,
                    .hi = head->max,
                    .validity = block_vector_validity(block, vector),
                    .data = buffer->lanes};
    add_to_base(block, vector, base, buffer, out);
    return is_bounded(block, vector, out) ? STATUS_OK
                                          : block_damaged(block, "values beyond their bounds");
}

/* What the head decides alone. */
static bool difference_filter(const Block *block, uint32_t vector, const BlockFilter *filter,
                              DecodeBuffer *buffer, RowMask *mask)
{
    (void)buffer;
    const DifferenceHead *head = difference_head(block, vector);
    return filter_by_bounds(filter, head->min, head->max, mask);
}

const EncodingOps difference_ops = {
    .id = ENCODING_DIFFERENCE,
    .name = "difference",
    .needs_base = true,
    .estimate = difference_estimate,
    .encode = difference_encode,
    .open = difference_open,
    .decode = difference_decode,
    .filter = difference_filter,
};
