/*
 * raw_text.c — texts as they are: lengths, then bytes, in the frame of text_vector.h. For columns
 * that are told to be stored so (ENCODE RAW).
 */
#include <string.h>
#include "storage/encoding/text_vector.h"
#include "storage/encoding/vector_stream.h"

static size_t frame_bytes(const ColumnProfile *profile)
{
    return profile->vector_count *
           (sizeof(VectorEntry) + text_vector_head_bytes(profile->length_min, profile->length_max));
}

static EncodeEstimate raw_text_estimate(const EncodeJob *job)
{
    if (job->chunk->lane != LANE_TEXT) {
        return (EncodeEstimate){.bytes = SIZE_MAX};
    }
    return (EncodeEstimate){.bytes = frame_bytes(job->profile) + (size_t)job->profile->text_bytes,
                            .decode_ns = 2};
}

static size_t write_vector(const EncodeJob *job, uint32_t vector, VectorEntry *entry,
                           uint8_t *target, void *state)
{
    const ColumnProfile *profile = job->profile;
    int64_t lengths[VECTOR_ROWS];
    TextHead head = {.plain_bytes = text_vector_lengths(job->chunk, vector, lengths)};
    head.coded_bytes = head.plain_bytes;
    const size_t frame = text_vector_head_bytes(profile->length_min, profile->length_max);
    text_vector_gather(job->chunk, vector, state);
    memcpy(target + frame, state, head.plain_bytes);
    text_vector_write_head(job->context, lengths, profile->length_min, profile->length_max, entry,
                           &head, target);
    return vector_stream_pad(target, frame + head.plain_bytes);
}

static Status raw_text_encode(const EncodeJob *job)
{
    const ColumnProfile *profile = job->profile;
    size_t bytes;
    block_builder_node(&job->context->builder, ENCODING_RAW_TEXT);
    return vector_stream_write_texts(
        job, frame_bytes(profile) + profile->text_bytes + (size_t)16 * profile->vector_count,
        write_vector, &bytes);
}

static Status raw_text_open(Block *block)
{
    if (block->header->lane != LANE_TEXT || block->vectors == NULL || block->data == NULL) {
        return block_damaged(block, "missing text");
    }
    for (uint32_t v = 0; v < block->vector_count; v++) {
        TRY(text_vector_check(block, v, 0));
        const TextHead *head = text_vector_head(block, v);
        if (head->coded_bytes != head->plain_bytes) {
            return block_damaged(block, "plain text of another length");
        }
    }
    return STATUS_OK;
}

static Status raw_text_decode(const Block *block, uint32_t vector, const uint16_t *selection,
                              uint32_t selected_count, DecodeBuffer *buffer, Vector *out)
{
    uint32_t starts[VECTOR_ROWS + 1];
    text_vector_starts(block, vector, buffer, starts);
    text_vector_views(block, vector, (const char *)text_vector_body(block, vector), starts,
                      selection, selected_count, buffer, out);
    return STATUS_OK;
}

const EncodingOps raw_text_ops = {
    .id = ENCODING_RAW_TEXT,
    .name = "raw_text",
    .estimate = raw_text_estimate,
    .encode = raw_text_encode,
    .open = raw_text_open,
    .decode = raw_text_decode,
};
