/*
 * raw.c — values as they are: floats, intervals, and 128-bit decimals whose range needs it.
 *
 * Vector v starts at v * 1,024 lanes; the last one is filled up with zeroes.
 */
#include <string.h>
#include "storage/encoding/encoding.h"

static EncodeEstimate raw_estimate(const EncodeJob *job)
{
    const ColumnChunk *chunk = job->chunk;
    if (chunk->lane == LANE_TEXT) {
        return (EncodeEstimate){.bytes = SIZE_MAX};
    }
    const size_t rows = (size_t)job->profile->vector_count * VECTOR_ROWS;
    return (EncodeEstimate){.bytes = rows * lane_bytes(chunk->lane), .decode_ns = 0};
}

static Status raw_encode(const EncodeJob *job)
{
    const ColumnChunk *chunk = job->chunk;
    BlockBuilder *builder = &job->context->builder;
    const size_t lane = lane_bytes(chunk->lane);
    const size_t bytes = (size_t)job->profile->vector_count * VECTOR_ROWS * lane;
    BlockNode *node = block_builder_node(builder, ENCODING_RAW);
    if (chunk->lane == LANE_I64) {
        node->value_low = (uint64_t)(int64_t)job->profile->min;
        node->value_high = (uint64_t)(int64_t)job->profile->max;
    }
    uint8_t *data = block_builder_stream(builder, STREAM_DATA, 0, bytes);
    if (data != NULL) {
        memcpy(data, chunk->values, chunk->row_count * lane);
        memset(data + chunk->row_count * lane, 0, bytes - chunk->row_count * lane);
    }
    block_builder_close(builder, bytes);
    return STATUS_OK;
}

static Status raw_open(Block *block)
{
    const size_t lane = lane_bytes((Lane)block->header->lane);
    if (block->header->lane == LANE_TEXT ||
        block->data_bytes != (size_t)block->vector_count * VECTOR_ROWS * lane) {
        return block_damaged(block, "wrong length of raw values");
    }
    block->lo = (int64_t)block->nodes[0].value_low;
    block->hi = (int64_t)block->nodes[0].value_high;
    return STATUS_OK;
}

static Status raw_decode(const Block *block, uint32_t vector, const uint16_t *selection,
                         uint32_t selected_count, DecodeBuffer *buffer, Vector *out)
{
    (void)selection, (void)selected_count, (void)buffer;
    const size_t lane = lane_bytes((Lane)block->header->lane);
    *out = (Vector){.type = block->type,
                    .lane = block->header->lane,
                    .form = VECTOR_FLAT,
                    .lo = block->lo,
                    .hi = block->hi,
                    .is_ascending = (block->header->flags & BLOCK_FLAG_ASCENDING) != 0,
                    .validity = block_vector_validity(block, vector),
                    .data = block->data + (size_t)vector * VECTOR_ROWS * lane};
    return STATUS_OK;
}

const EncodingOps raw_ops = {
    .id = ENCODING_RAW,
    .name = "raw",
    .estimate = raw_estimate,
    .encode = raw_encode,
    .open = raw_open,
    .decode = raw_decode,
};
