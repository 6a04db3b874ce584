/*
 * alp_rd.c — floats that are no decimals: the high bits, of which few forms occur, as codes of a
 * small dictionary; the low bits as they are.
 *
 * After ALP-RD in Afroozeh, Kuffo, Boncz, "ALP: Adaptive Lossless Floating-Point Compression",
 * SIGMOD 2024. Where a value is cut and the at most eight forms of the high part follow from a
 * sample of the chunk. Other forms are exceptions of the vector.
 *
 * Node: `parameter` is the width of the low part, `count` the entries, the value their u16s. Bytes
 * of one vector: low parts packed as in pack_kernels.h, codes likewise, the u16 row of each
 * exception, then its u16 high part, filled up to 16 bytes; the entry's `exceptions` counts them.
 *
 * Example: readings between 0.5 and 2 with noise in every digit: sign and exponent take one bit
 * instead of twelve.
 */
#include <stdlib.h>
#include <string.h>
#include "storage/encoding/float_kernels.h"
#include "storage/encoding/vector_stream.h"

#define SAMPLE_VECTORS 8u
#define SAMPLE_ROWS 64u
#define SAMPLE_MAX (SAMPLE_VECTORS * SAMPLE_ROWS)
#define LEFT_BITS_MAX 16u       /* of a double … */
#define LEFT_BITS_MAX_FLOAT 15u /* … of a float, so that what is left takes 32-bit lanes */
#define EXCEPTION_BITS 32u

typedef struct SplitVector {
    int64_t rights[VECTOR_ROWS];
    _Alignas(64) uint8_t codes[VECTOR_ROWS];
    uint16_t rows[VECTOR_ROWS], lefts[VECTOR_ROWS]; /* of the exceptions */
    uint32_t exceptions;
} SplitVector;

static uint32_t value_width(Lane lane)
{
    return (uint32_t)(8 * lane_bytes(lane));
}

static uint64_t low_mask(uint32_t width)
{
    return (UINT64_C(1) << width) - 1;
}

static uint32_t code_width(uint32_t entry_count)
{
    return pack_width_of(entry_count - 1);
}

static size_t exception_bytes(uint32_t exceptions)
{
    return ((size_t)exceptions * 2 * sizeof(uint16_t) + 15) & ~(size_t)15;
}

static size_t vector_bytes(uint32_t right_width, uint32_t entry_count, uint32_t exceptions)
{
    return pack_bytes(right_width) + pack_bytes(code_width(entry_count)) +
           exception_bytes(exceptions);
}

static uint64_t bits_at(const ColumnChunk *chunk, size_t row)
{
    return chunk->lane == LANE_F32 ? ((const uint32_t *)chunk->values)[row]
                                   : ((const uint64_t *)chunk->values)[row];
}

static int compare_bits(const void *left, const void *right)
{
    const uint64_t a = *(const uint64_t *)left, b = *(const uint64_t *)right;
    return (a > b) - (a < b);
}

/* The most frequent high parts of an ordered sample; returns how many rows have another one. */
static uint32_t find_entries(const uint64_t *sample, uint32_t count, uint32_t right_width,
                             AlpSplit *split)
{
    uint32_t uses[ALP_LEFT_ENTRIES] = {0}, kept = 0;
    *split = (AlpSplit){.right_width = right_width};
    for (uint32_t i = 0, end; i < count; i = end) {
        const uint64_t left = sample[i] >> right_width;
        for (end = i + 1; end < count && sample[end] >> right_width == left; end++) {
        }
        uint32_t place = split->entry_count;
        while (place > 0 && uses[place - 1] < end - i) {
            place--;
        }
        if (place == ALP_LEFT_ENTRIES) {
            continue;
        }
        split->entry_count += split->entry_count < ALP_LEFT_ENTRIES;
        for (uint32_t k = split->entry_count - 1; k > place; k--) {
            uses[k] = uses[k - 1];
            split->entries[k] = split->entries[k - 1];
        }
        uses[place] = end - i;
        split->entries[place] = (uint16_t)left;
    }
    for (uint32_t k = 0; k < split->entry_count; k++) {
        kept += uses[k];
    }
    return count - kept;
}

/* Where to cut: the fewest bits for a sample of the chunk. */
static void find_split(const EncodeJob *job, AlpSplit *split)
{
    const ColumnChunk *chunk = job->chunk;
    const uint32_t step = chunk->row_count > SAMPLE_MAX ? chunk->row_count / SAMPLE_MAX : 1;
    const uint32_t width = value_width(chunk->lane);
    const uint32_t left_max = chunk->lane == LANE_F32 ? LEFT_BITS_MAX_FLOAT : LEFT_BITS_MAX;
    uint64_t sample[SAMPLE_MAX], best_bits = UINT64_MAX;
    const uint32_t count = chunk->row_count > SAMPLE_MAX ? SAMPLE_MAX : chunk->row_count;
    for (uint32_t i = 0; i < count; i++) {
        sample[i] = bits_at(chunk, sample_row(i, step));
    }
    qsort(sample, count, sizeof *sample, compare_bits);
    for (uint32_t left = 1; left <= left_max; left++) {
        AlpSplit tried;
        const uint32_t exceptions = find_entries(sample, count, width - left, &tried);
        const uint64_t bits = (uint64_t)count * (width - left + code_width(tried.entry_count)) +
                              (uint64_t)exceptions * EXCEPTION_BITS;
        if (bits < best_bits) {
            best_bits = bits;
            *split = tried;
        }
    }
}

static void split_vector(const ColumnChunk *chunk, uint32_t v, const AlpSplit *split,
                         SplitVector *out)
{
    const uint32_t rows = chunk_vector_rows(chunk, v);
    const uint64_t mask = low_mask(split->right_width);
    out->exceptions = 0;
    for (uint32_t i = 0; i < VECTOR_ROWS; i++) {
        const uint32_t row = i < rows ? i : rows - 1;
        const uint64_t bits = bits_at(chunk, (size_t)v * VECTOR_ROWS + row);
        const uint64_t left = bits >> split->right_width;
        uint32_t code = 0;
        for (uint32_t k = 1; k < split->entry_count; k++) {
            code = split->entries[k] == left ? k : code;
        }
        out->rights[i] = (int64_t)(bits & mask);
        out->codes[i] = (uint8_t)code;
        if (split->entries[code] != left) {
            out->rows[out->exceptions] = (uint16_t)i;
            out->lefts[out->exceptions++] = (uint16_t)left;
        }
    }
}

static EncodeEstimate alp_rd_estimate(const EncodeJob *job)
{
    const ColumnProfile *profile = job->profile;
    AlpSplit *split = &job->context->alp_split;
    if (job->chunk->lane != LANE_F32 && job->chunk->lane != LANE_F64) {
        return (EncodeEstimate){.bytes = SIZE_MAX};
    }
    find_split(job, split);
    size_t bytes = profile->vector_count * sizeof(VectorEntry);
    for (uint32_t v = 0; v < profile->vector_count; v++) {
        SplitVector vector;
        split_vector(job->chunk, v, split, &vector);
        bytes += vector_bytes(split->right_width, split->entry_count, vector.exceptions);
    }
    return (EncodeEstimate){.bytes = bytes, .decode_ns = 0.25};
}

static size_t write_parts(const EncodeJob *job, uint32_t v, VectorEntry *entry, uint8_t *target,
                          void *state)
{
    const AlpSplit *split = state;
    EncodeContext *context = job->context;
    const PackPlan plan = {.span = low_mask(split->right_width), .width = split->right_width};
    const size_t codes = pack_bytes(split->right_width);
    const size_t end = codes + pack_bytes(code_width(split->entry_count));
    SplitVector vector;
    split_vector(job->chunk, v, split, &vector);
    pack_vector(context->kernels, vector.rights, &plan, context->lanes, entry, target);
    context->kernels->pack(vector.codes, code_width(split->entry_count), target + codes);
    entry->exceptions = (uint16_t)vector.exceptions;
    const size_t bytes = exception_bytes(vector.exceptions);
    const size_t half = vector.exceptions * sizeof(uint16_t);
    memset(target + end, 0, bytes);
    memcpy(target + end, vector.rows, half);
    memcpy(target + end + half, vector.lefts, half);
    return end + bytes;
}

static Status alp_rd_encode(const EncodeJob *job)
{
    AlpSplit *split = &job->context->alp_split;
    BlockNode *node = block_builder_node(&job->context->builder, ENCODING_ALP_RD);
    node->parameter = split->right_width;
    node->count = split->entry_count;
    memcpy(&node->value_low, split->entries, sizeof split->entries);
    const size_t vector_max = vector_bytes(split->right_width, split->entry_count, VECTOR_ROWS);
    vector_stream_write(job, job->profile->vector_count * vector_max, write_parts, split);
    return STATUS_OK;
}

static const uint8_t *vector_data(const Block *block, uint32_t vector)
{
    return block->data + (size_t)block->vectors[vector].offset * 16;
}

static const uint16_t *exception_rows(const Block *block, uint32_t vector)
{
    const BlockNode *node = &block->nodes[0];
    return (
        const uint16_t *)(const void *)(vector_data(block, vector) +
                                        vector_bytes((uint32_t)node->parameter, node->count, 0));
}

static bool vector_is_sound(const Block *block, uint32_t vector)
{
    const BlockNode *node = &block->nodes[0];
    const VectorEntry *entry = &block->vectors[vector];
    const size_t offset = (size_t)entry->offset * 16;
    if (entry->width != node->parameter || entry->base != 0 || entry->exceptions > VECTOR_ROWS ||
        offset > block->data_bytes ||
        vector_bytes(entry->width, node->count, entry->exceptions) > block->data_bytes - offset) {
        return false;
    }
    const uint16_t *rows = exception_rows(block, vector);
    for (uint32_t i = 0; i < entry->exceptions; i++) {
        if (rows[i] >= VECTOR_ROWS) {
            return false;
        }
    }
    return true;
}

static Status alp_rd_open(Block *block)
{
    const BlockNode *node = &block->nodes[0];
    const Lane lane = (Lane)block->header->lane;
    if ((lane != LANE_F32 && lane != LANE_F64) || block->vectors == NULL || block->data == NULL ||
        node->count == 0 || node->count > ALP_LEFT_ENTRIES) {
        return block_damaged(block, "missing parts of floats");
    }
    const uint32_t width = value_width(lane);
    const uint32_t left_max = lane == LANE_F32 ? LEFT_BITS_MAX_FLOAT : LEFT_BITS_MAX;
    if (node->parameter >= width || node->parameter < width - left_max) {
        return block_damaged(block, "impossible parts of floats");
    }
    for (uint32_t v = 0; v < block->vector_count; v++) {
        if (!vector_is_sound(block, v)) {
            return block_damaged(block, "parts of floats out of bounds");
        }
    }
    return STATUS_OK;
}

/* High parts of the exceptions, over the ones that their codes stand for. */
static void patch(const Block *block, uint32_t vector, void *lanes)
{
    const uint32_t width = (uint32_t)block->nodes[0].parameter;
    const uint32_t count = block->vectors[vector].exceptions;
    const uint16_t *rows = exception_rows(block, vector), *lefts = rows + count;
    for (uint32_t i = 0; i < count; i++) {
        if (block->header->lane == LANE_F32) {
            uint32_t *value = (uint32_t *)lanes + rows[i];
            *value = (uint32_t)((*value & low_mask(width)) | (uint64_t)lefts[i] << width);
        } else {
            uint64_t *value = (uint64_t *)lanes + rows[i];
            *value = (*value & low_mask(width)) | (uint64_t)lefts[i] << width;
        }
    }
}

static Status alp_rd_decode(const Block *block, uint32_t vector, const uint16_t *selection,
                            uint32_t selected_count, DecodeBuffer *buffer, Vector *out)
{
    (void)selection, (void)selected_count;
    const BlockNode *node = &block->nodes[0];
    const uint32_t width = (uint32_t)node->parameter;
    const uint8_t *data = vector_data(block, vector);
    uint8_t *codes = (uint8_t *)buffer->lanes + VECTOR_ROWS * sizeof(double);
    uint16_t lefts[ALP_LEFT_ENTRIES];
    uint64_t entries[ALP_LEFT_ENTRIES] = {0};
    memcpy(lefts, &node->value_low, sizeof lefts);
    for (uint32_t i = 0; i < ALP_LEFT_ENTRIES; i++) {
        entries[i] = (uint64_t)lefts[i] << width; // codes beyond the last entry: any value
    }
    buffer->kernels->unpack(data, width, buffer->scratch);
    buffer->kernels->unpack(data + pack_bytes(width), code_width(node->count), codes);
    KERNELS(float_kernels)
        ->join_parts(buffer->scratch, codes, entries, (Lane)block->header->lane, buffer->lanes);
    patch(block, vector, buffer->lanes);
    *out = (Vector){.type = block->type,
                    .lane = block->header->lane,
                    .form = VECTOR_FLAT,
                    .is_ascending = (block->header->flags & BLOCK_FLAG_ASCENDING) != 0,
                    .validity = block_vector_validity(block, vector),
                    .data = buffer->lanes};
    return STATUS_OK;
}

const EncodingOps alp_rd_ops = {
    .id = ENCODING_ALP_RD,
    .name = "alp_rd",
    .estimate = alp_rd_estimate,
    .encode = alp_rd_encode,
    .open = alp_rd_open,
    .decode = alp_rd_decode,
};
