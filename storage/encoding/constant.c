/*
 * constant.c — every present value of the block is the same, or there is none.
 *
 * The value lies in the node (128 bits, or the bits of a double), text in STREAM_ENTRIES.
 */
#include <string.h>
#include "storage/encoding/encoding.h"

static EncodeEstimate constant_estimate(const EncodeJob *job)
{
    if (!job->profile->is_constant) {
        return (EncodeEstimate){.bytes = SIZE_MAX};
    }
    const size_t text = job->chunk->lane == LANE_TEXT ? job->profile->length_max : 0;
    return (EncodeEstimate){.bytes = 2 * FORMAT_ALIGNMENT + text, .decode_ns = 0};
}

static Status constant_encode(const EncodeJob *job)
{
    const ColumnChunk *chunk = job->chunk;
    BlockBuilder *builder = &job->context->builder;
    BlockNode *node = block_builder_node(builder, ENCODING_CONSTANT);
    switch (chunk->lane) {
    case LANE_I64: {
        const int64_t value = *(const int64_t *)chunk->values;
        node->value_low = (uint64_t)value;
        node->value_high = value < 0 ? UINT64_MAX : 0;
        break;
    }
    case LANE_I128:
        memcpy(&node->value_low, chunk->values, sizeof(Int128));
        break;
    case LANE_F32:
        memcpy(&node->value_low, chunk->values, sizeof(float));
        break;
    case LANE_F64:
        memcpy(&node->value_low, chunk->values, sizeof(double));
        break;
    default: {
        const TextView *view = chunk->values;
        uint8_t *text = block_builder_stream(builder, STREAM_ENTRIES, 0, view->length);
        if (text != NULL) {
            memcpy(text, text_view_data(view), view->length);
        }
        block_builder_close(builder, view->length);
        break;
    }
    }
    return STATUS_OK;
}

/* Text is one dictionary entry, so that blocks with nulls need no view per row. */
static Status constant_open(Block *block)
{
    const BlockNode *node = &block->nodes[0];
    if (block->header->lane == LANE_I64) {
        block->lo = block->hi = (int64_t)node->value_low;
        return STATUS_OK;
    }
    if (block->header->lane != LANE_TEXT) {
        return STATUS_OK;
    }
    const BlockStream *text = block_stream(block, STREAM_ENTRIES, 0);
    if (text == NULL || text->bytes > VARCHAR_BYTES_MAX) {
        return block_damaged(block, "impossible constant");
    }
    block->derived_bytes = sizeof(TextView) + FORMAT_ALIGNMENT;
    block->derived = memory_alloc_zeroed(block->budget, block->derived_bytes);
    if (block->derived == NULL) {
        return memory_refused(block->budget, block->derived_bytes, "a constant");
    }
    *(TextView *)block->derived =
        text_view_make((const char *)block_stream_data(block, text), text->bytes);
    block->has_dictionary = true;
    block->dictionary = (Dictionary){.lane = LANE_TEXT,
                                     .entry_count = 1,
                                     .entries = block->derived,
                                     .is_sorted = true,
                                     .is_unique = true};
    return STATUS_OK;
}

static const uint64_t zero_validity[VALIDITY_WORDS];

/* A wide value for every row, for blocks that also have nulls. */
static void fill_lanes(const Block *block, DecodeBuffer *buffer, Vector *out)
{
    const size_t bytes = lane_bytes((Lane)block->header->lane);
    uint8_t *lanes = buffer->lanes;
    for (size_t i = 0; i < VECTOR_ROWS; i++) {
        memcpy(lanes + i * bytes, &block->nodes[0].value_low, bytes);
    }
    out->form = VECTOR_FLAT;
    out->data = lanes;
}

static Status constant_decode(const Block *block, uint32_t vector, const uint16_t *selection,
                              uint32_t selected_count, DecodeBuffer *buffer, Vector *out)
{
    (void)selection, (void)selected_count;
    const BlockHeader *header = block->header;
    const bool is_null = header->null_count == header->row_count;
    const bool is_mixed = header->null_count > 0 && !is_null;
    *out = (Vector){.type = block->type,
                    .lane = header->lane,
                    .form = VECTOR_CONSTANT,
                    .has_trailing_blanks = (header->flags & BLOCK_FLAG_TRAILING_BLANKS) != 0,
                    .is_ascending = header->null_count == 0,
                    .lo = block->lo,
                    .hi = block->hi,
                    .data = &block->nodes[0].value_low};
    out->validity = is_null ? zero_validity : block_vector_validity(block, vector);
    if (header->lane == LANE_TEXT) {
        out->data = block->derived;
    }
    if (!is_mixed) {
        return STATUS_OK;
    }
    if (header->lane == LANE_I64 || header->lane == LANE_TEXT) {
        memset(buffer->lanes, 0, VECTOR_ROWS);
        out->form = header->lane == LANE_TEXT ? VECTOR_DICTIONARY : VECTOR_FLAT;
        out->lane = LANE_U8;
        out->base = header->lane == LANE_TEXT ? 0 : block->lo;
        out->data = buffer->lanes;
        out->dictionary = header->lane == LANE_TEXT ? &block->dictionary : NULL;
    } else {
        fill_lanes(block, buffer, out);
    }
    return STATUS_OK;
}

const EncodingOps constant_ops = {
    .id = ENCODING_CONSTANT,
    .name = "constant",
    .estimate = constant_estimate,
    .encode = constant_encode,
    .open = constant_open,
    .decode = constant_decode,
};
