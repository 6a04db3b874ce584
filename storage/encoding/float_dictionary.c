/*
 * float_dictionary.c — doubles of few forms that are no decimals: distinct values, and per row the
 * packed number of its value.
 *
 * STREAM_ENTRIES holds the values as their bits, in the order of those as integers; a vector packs
 * codes as dictionary.c does. Vectors decode to flat lanes: nothing above storage knows that there
 * was a dictionary.
 *
 * Example: times of day in hours, 5.5 5.516666666666667 …: 1,440 values, eleven bits each.
 */
#include <string.h>
#include "storage/encoding/dictionary_builder.h"
#include "storage/encoding/dictionary_codes.h"
#include "storage/encoding/vector_stream.h"

#define ENTRY_SHARE_MAX 4u /* more values than a quarter of the rows never pay */

static EncodeEstimate float_dictionary_estimate(const EncodeJob *job)
{
    EncodeContext *context = job->context;
    if (job->chunk->lane != LANE_F64 || job->chunk->row_count < VECTOR_ROWS) {
        return (EncodeEstimate){.bytes = SIZE_MAX};
    }
    if (context->dictionary == NULL) {
        context->dictionary = dictionary_builder_create(context->budget);
    }
    ColumnChunk bits = *job->chunk;
    bits.type = type_of(TYPE_BIGINT);
    bits.lane = LANE_I64;
    if (context->dictionary == NULL ||
        !dictionary_builder_run(context->dictionary, &bits, bits.row_count / ENTRY_SHARE_MAX + 1,
                                context->residuals)) {
        return (EncodeEstimate){.bytes = SIZE_MAX};
    }
    const uint32_t count = context->dictionary->entry_count;
    const PackPlan plan = pack_plan_plain(0, count - 1);
    return (EncodeEstimate){.bytes = job->profile->vector_count *
                                         (pack_plan_bytes(&plan) + sizeof(VectorEntry)) +
                                     count * sizeof(int64_t),
                            .decode_ns = 0.4};
}

static Status float_dictionary_encode(const EncodeJob *job)
{
    BlockBuilder *builder = &job->context->builder;
    const DictionaryBuilder *dictionary = job->context->dictionary;
    const size_t bytes = dictionary->entry_count * sizeof(int64_t);
    PackPlan plan = pack_plan_plain(0, dictionary->entry_count - 1);
    block_builder_node(builder, ENCODING_FLOAT_DICTIONARY)->count = dictionary->entry_count;
    block_builder_node(builder, ENCODING_BIT_PACKED);
    vector_stream_write(job, job->profile->vector_count * pack_plan_bytes(&plan),
                        vector_stream_pack_codes, &plan);
    uint8_t *target = block_builder_stream(builder, STREAM_ENTRIES, 0, bytes);
    if (target != NULL) {
        memcpy(target, dictionary->integers, bytes);
    }
    block_builder_close(builder, bytes);
    return STATUS_OK;
}

static Status float_dictionary_open(Block *block)
{
    const uint32_t count = block->nodes[0].count;
    const BlockStream *entries = block_stream(block, STREAM_ENTRIES, 0);
    if (block->header->lane != LANE_F64 || entries == NULL || block->vectors == NULL ||
        block->data == NULL || count == 0 || count > FORMAT_ROW_GROUP_ROWS ||
        entries->bytes != count * sizeof(uint64_t)) {
        return block_damaged(block, "impossible dictionary");
    }
    return dictionary_check_codes(block);
}

static Status float_dictionary_decode(const Block *block, uint32_t vector,
                                      const uint16_t *selection, uint32_t selected_count,
                                      DecodeBuffer *buffer, Vector *out)
{
    (void)selection, (void)selected_count;
    const VectorEntry *entry = &block->vectors[vector];
    const BlockStream *stream = block_stream(block, STREAM_ENTRIES, 0);
    const uint64_t *entries = (const uint64_t *)(const void *)block_stream_data(block, stream);
    uint64_t *target = buffer->lanes;
    uint32_t *codes = (uint32_t *)(target + VECTOR_ROWS);
    buffer->kernels->unpack(block->data + (size_t)entry->offset * 16, entry->width,
                            buffer->scratch);
    buffer->kernels->widen(buffer->scratch, pack_lane_of_width(entry->width), LANE_U32, codes);
    for (size_t i = 0; i < VECTOR_ROWS; i++) {
        target[i] = entries[codes[i]];
    }
    *out = (Vector){.type = block->type,
                    .lane = LANE_F64,
                    .form = VECTOR_FLAT,
                    .is_ascending = (block->header->flags & BLOCK_FLAG_ASCENDING) != 0,
                    .validity = block_vector_validity(block, vector),
                    .data = target};
    return STATUS_OK;
}

const EncodingOps float_dictionary_ops = {
    .id = ENCODING_FLOAT_DICTIONARY,
    .name = "float_dictionary",
    .estimate = float_dictionary_estimate,
    .encode = float_dictionary_encode,
    .open = float_dictionary_open,
    .decode = float_dictionary_decode,
};
