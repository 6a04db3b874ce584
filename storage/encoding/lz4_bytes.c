/*
 * lz4_bytes.c — text whose vectors are compressed with LZ4, or left plain where that wins nothing.
 *
 * Best for long values with repeats; a vector decodes as a whole.
 */
#include <string.h>
#include "base/compress.h"
#include "storage/encoding/text_vector.h"
#include "storage/encoding/vector_stream.h"

/* LZ4 finds about this much in prose; exact sizes would need compressing. */
#define LZ4_RATIO_EXPECTED 0.55

static size_t frame_bytes(const ColumnProfile *profile)
{
    return profile->vector_count *
           (sizeof(VectorEntry) + text_vector_head_bytes(profile->length_min, profile->length_max));
}

static EncodeEstimate lz4_bytes_estimate(const EncodeJob *job)
{
    const ColumnProfile *profile = job->profile;
    if (job->chunk->lane != LANE_TEXT) {
        return (EncodeEstimate){.bytes = SIZE_MAX};
    }
    const double text = (double)profile->text_bytes * LZ4_RATIO_EXPECTED;
    return (EncodeEstimate){.bytes = frame_bytes(profile) + (size_t)text,
                            .decode_ns =
                                2 + 0.3 * (double)profile->text_bytes / job->chunk->row_count};
}

static size_t write_vector(const EncodeJob *job, uint32_t vector, VectorEntry *entry,
                           uint8_t *target, void *state)
{
    char *plain = state;
    const ColumnProfile *profile = job->profile;
    int64_t lengths[VECTOR_ROWS];
    TextHead head = {.plain_bytes = text_vector_lengths(job->chunk, vector, lengths)};
    text_vector_gather(job->chunk, vector, plain);
    const size_t frame = text_vector_head_bytes(profile->length_min, profile->length_max);
    size_t coded = 0;
    if (head.plain_bytes > 64) { // a gain below an eighth is not worth decoding
        coded = compress_lz4(target + frame, head.plain_bytes - head.plain_bytes / 8, plain,
                             head.plain_bytes);
    }
    if (coded == 0) {
        memcpy(target + frame, plain, head.plain_bytes);
        coded = head.plain_bytes;
        entry->flags |= VECTOR_FLAG_PLAIN;
    }
    head.coded_bytes = (uint32_t)coded;
    text_vector_write_head(job->context, lengths, profile->length_min, profile->length_max, entry,
                           &head, target);
    return vector_stream_pad(target, frame + coded);
}

static Status lz4_bytes_encode(const EncodeJob *job)
{
    const ColumnProfile *profile = job->profile;
    size_t bytes;
    block_builder_node(&job->context->builder, ENCODING_LZ4_BYTES);
    return vector_stream_write_texts(
        job, frame_bytes(profile) + profile->text_bytes + (size_t)16 * profile->vector_count,
        write_vector, &bytes);
}

static Status lz4_bytes_open(Block *block)
{
    if (block->header->lane != LANE_TEXT || block->vectors == NULL || block->data == NULL) {
        return block_damaged(block, "missing text");
    }
    for (uint32_t v = 0; v < block->vector_count; v++) {
        TRY(text_vector_check(block, v, 0));
        const TextHead *head = text_vector_head(block, v);
        if ((block->vectors[v].flags & VECTOR_FLAG_PLAIN) != 0 &&
            head->coded_bytes != head->plain_bytes) {
            return block_damaged(block, "plain text of another length");
        }
    }
    return STATUS_OK;
}

static Status lz4_bytes_decode(const Block *block, uint32_t vector, const uint16_t *selection,
                               uint32_t selected_count, DecodeBuffer *buffer, Vector *out)
{
    const TextHead *head = text_vector_head(block, vector);
    const char *text = (const char *)text_vector_body(block, vector);
    uint32_t starts[VECTOR_ROWS + 1];
    text_vector_starts(block, vector, buffer, starts);
    if ((block->vectors[vector].flags & VECTOR_FLAG_PLAIN) == 0) {
        TRY(decode_buffer_reserve_text(buffer, head->plain_bytes));
        TRY(decompress_lz4(buffer->text, head->plain_bytes, text, head->coded_bytes));
        text = buffer->text;
    }
    text_vector_views(block, vector, text, starts, selection, selected_count, buffer, out);
    return STATUS_OK;
}

const EncodingOps lz4_bytes_ops = {
    .id = ENCODING_LZ4_BYTES,
    .name = "lz4_bytes",
    .estimate = lz4_bytes_estimate,
    .encode = lz4_bytes_encode,
    .open = lz4_bytes_open,
    .decode = lz4_bytes_decode,
};
