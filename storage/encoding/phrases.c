/*
 * phrases.c — text as codes of a table of phrases that the block carries (phrase_table.h).
 *
 * Node: `count` phrases. STREAM_SYMBOLS: their lengths (a byte each), then their bytes end to end;
 * zstd, `parameter` bytes when expanded. Between lengths and codes each vector keeps the start of
 * every 64th row's codes (u32), so that a few rows decode without the others.
 */
#include <string.h>
#include "base/compress.h"
#include "storage/encoding/phrase_table.h"
#include "storage/encoding/text_vector.h"
#include "storage/encoding/vector_stream.h"

#define GROUP_ROWS 64u
#define GROUP_COUNT (VECTOR_ROWS / GROUP_ROWS)
#define GROUP_BYTES (GROUP_COUNT * sizeof(uint32_t))
#define TEXT_BYTES_MIN 4096u
#define SAMPLE_TEXT_MAX 4096u
#define RATIO_MAX 0.7      /* a sample that shrinks less leaves the text to others … */
#define SKIP_ROW_GROUPS 16 /* … for so many row groups */
#define RETRAIN_FACTOR 1.1
#define DICTIONARY_BYTES_MAX (PHRASES_MAX * (1 + PHRASE_BYTES_MAX))
#define DICTIONARY_ZSTD_LEVEL 3

static size_t frame_bytes(const ColumnProfile *profile)
{
    return profile->vector_count *
           (sizeof(VectorEntry) + GROUP_BYTES +
            text_vector_head_bytes(profile->length_min, profile->length_max));
}

/* Rows spread over the chunk, end to end; returns the bytes. */
static size_t gather_sample(const EncodeJob *job, char *sample)
{
    const ColumnChunk *chunk = job->chunk;
    const size_t mean = (size_t)(job->profile->text_bytes / chunk->row_count) + 1;
    const size_t wanted = PHRASE_SAMPLE_BYTES / mean + 1;
    const size_t step = chunk->row_count > wanted ? chunk->row_count / wanted : 1;
    size_t bytes = 0;
    for (size_t i = 0; i < chunk->row_count; i += step) {
        const TextView view = text_row(chunk, i);
        const size_t length = view.length < SAMPLE_TEXT_MAX ? view.length : SAMPLE_TEXT_MAX;
        if (length > PHRASE_SAMPLE_BYTES - bytes) {
            break;
        }
        memcpy(sample + bytes, text_view_data(&view), length);
        bytes += length;
    }
    memset(sample + bytes, 0, 64);
    return bytes;
}

/* A phrase has to save more than its place in the block takes; what is seen only twice in a sample
 * is chance. */
static uint32_t count_min(const EncodeJob *job, size_t sample_bytes)
{
    const double scale = (double)job->profile->text_bytes / ((double)sample_bytes + 1);
    return scale > 2 ? 3 : 6;
}

static void train(const EncodeJob *job)
{
    EncodingMemory *memory = job->memory;
    MemoryBudget *budget = job->context->budget;
    const size_t code_bytes = phrase_code_bytes_max(PHRASE_SAMPLE_BYTES);
    char *sample = memory_alloc(budget, PHRASE_SAMPLE_BYTES + 64);
    uint8_t *codes = memory_alloc(budget, code_bytes);
    if (sample != NULL && codes != NULL) {
        const size_t bytes = gather_sample(job, sample);
        memory->phrases = phrase_table_train(sample, bytes, count_min(job, bytes));
        if (memory->phrases != NULL) {
            const size_t coded = phrase_table_encode(memory->phrases, sample, bytes, codes);
            memory->phrase_ratio = ((double)coded + 1) / ((double)bytes + 1);
        }
    }
    memory_free(budget, sample, PHRASE_SAMPLE_BYTES + 64);
    memory_free(budget, codes, code_bytes);
}

static void forget(EncodingMemory *memory)
{
    phrase_table_destroy(memory->phrases);
    memory->phrases = NULL;
}

/* About what the dictionary takes when compressed. */
static size_t dictionary_estimate(const PhraseDecoder *decoder)
{
    return (size_t)(decoder->code_count - 256) * 6;
}

static EncodeEstimate phrases_estimate(const EncodeJob *job)
{
    const ColumnProfile *profile = job->profile;
    EncodingMemory *memory = job->memory;
    if (job->chunk->lane != LANE_TEXT || profile->text_bytes < TEXT_BYTES_MIN) {
        return (EncodeEstimate){.bytes = SIZE_MAX};
    }
    if (memory->phrase_skip_count > 0) {
        memory->phrase_skip_count--;
        return (EncodeEstimate){.bytes = SIZE_MAX};
    }
    if (memory->phrases == NULL) {
        train(job);
    }
    if (memory->phrases == NULL) {
        return (EncodeEstimate){.bytes = SIZE_MAX};
    }
    if (memory->phrase_ratio > RATIO_MAX) {
        forget(memory);
        memory->phrase_skip_count = SKIP_ROW_GROUPS;
        return (EncodeEstimate){.bytes = SIZE_MAX};
    }
    const double coded = (double)profile->text_bytes * memory->phrase_ratio;
    return (EncodeEstimate){.bytes = frame_bytes(profile) + (size_t)coded +
                                     dictionary_estimate(phrase_table_decoder(memory->phrases)),
                            .decode_ns =
                                2 + 0.14 * (double)profile->text_bytes / job->chunk->row_count};
}

static size_t write_vector(const EncodeJob *job, uint32_t vector, VectorEntry *entry,
                           uint8_t *target, void *state)
{
    char *plain = state;
    const ColumnProfile *profile = job->profile;
    const uint32_t rows = chunk_vector_rows(job->chunk, vector);
    int64_t lengths[VECTOR_ROWS];
    uint32_t groups[GROUP_COUNT];
    TextHead head = {.plain_bytes = text_vector_lengths(job->chunk, vector, lengths)};
    text_vector_gather(job->chunk, vector, plain);
    uint8_t *body = target + text_vector_head_bytes(profile->length_min, profile->length_max);
    uint8_t *codes = body + GROUP_BYTES;
    for (uint32_t g = 0; g < GROUP_COUNT; g++) {
        size_t bytes = 0;
        for (uint32_t i = g * GROUP_ROWS; i < (g + 1) * GROUP_ROWS && i < rows; i++) {
            bytes += (size_t)lengths[i];
        }
        groups[g] = head.coded_bytes;
        head.coded_bytes += (uint32_t)phrase_table_encode(job->memory->phrases, plain, bytes,
                                                          codes + head.coded_bytes);
        plain += bytes;
    }
    memcpy(body, groups, sizeof groups);
    text_vector_write_head(job->context, lengths, profile->length_min, profile->length_max, entry,
                           &head, target);
    return vector_stream_pad(target, (size_t)(codes - target) + head.coded_bytes);
}

static Status encode_dictionary(const EncodeJob *job, BlockNode *node)
{
    const PhraseDecoder *decoder = phrase_table_decoder(job->memory->phrases);
    MemoryBudget *budget = job->context->budget;
    BlockBuilder *builder = &job->context->builder;
    uint8_t *plain = memory_alloc(budget, DICTIONARY_BYTES_MAX);
    if (plain == NULL) {
        return memory_refused(budget, DICTIONARY_BYTES_MAX, "a dictionary of phrases");
    }
    const uint32_t count = decoder->code_count - 256;
    size_t bytes = count;
    memcpy(plain, decoder->lengths + 256, count);
    for (uint32_t code = 256; code < decoder->code_count; code++) {
        memcpy(plain + bytes, decoder->bytes[code], decoder->lengths[code]);
        bytes += decoder->lengths[code];
    }
    const size_t bound = compress_zstd_bound(bytes);
    uint8_t *target = block_builder_stream(builder, STREAM_SYMBOLS, 0, bound);
    size_t coded = 0;
    if (target != NULL) {
        coded = compress_zstd(target, bound, plain, bytes, DICTIONARY_ZSTD_LEVEL);
    }
    block_builder_close(builder, coded);
    memory_free(budget, plain, DICTIONARY_BYTES_MAX);
    node->count = count;
    node->parameter = bytes;
    return target == NULL || coded > 0
               ? STATUS_OK
               : status_error(SQLSTATE_OUT_OF_MEMORY, "out of memory for a dictionary of phrases");
}

static Status phrases_encode(const EncodeJob *job)
{
    const ColumnProfile *profile = job->profile;
    BlockBuilder *builder = &job->context->builder;
    BlockNode *node = block_builder_node(builder, ENCODING_PHRASES);
    const size_t room = frame_bytes(profile) + 2 * profile->text_bytes +
                        (size_t)profile->vector_count * (GROUP_COUNT * 8 + 64);
    size_t bytes;
    TRY(vector_stream_write_texts(job, room, write_vector, &bytes));
    TRY(encode_dictionary(job, node));
    const size_t frame = frame_bytes(profile) - profile->vector_count * sizeof(VectorEntry);
    const double coded = (double)bytes - (double)frame;
    if (coded > (double)profile->text_bytes * job->memory->phrase_ratio * RETRAIN_FACTOR) {
        forget(job->memory); // the next row group learns anew
    }
    return STATUS_OK;
}

/* The dictionary's lengths and bytes, `bytes` in all, as `decoder` wants them. */
static bool open_dictionary(const uint8_t *plain, size_t bytes, uint32_t count,
                            PhraseDecoder *decoder)
{
    const uint8_t *source = plain + count, *end = plain + bytes;
    phrase_decoder_init(decoder);
    for (uint32_t i = 0; i < count; i++) {
        const uint32_t length = plain[i], code = 256 + i;
        if (length < 2 || length > PHRASE_BYTES_MAX || (size_t)(end - source) < length) {
            return false;
        }
        memcpy(decoder->bytes[code], source, length);
        decoder->lengths[code] = (uint8_t)length;
        source += length;
    }
    decoder->code_count = 256 + count;
    return source == end;
}

static Status read_dictionary(Block *block, const BlockStream *stream)
{
    const BlockNode *node = &block->nodes[0];
    const size_t bytes = (size_t)node->parameter;
    uint8_t *plain = memory_alloc(block->budget, bytes + 1);
    if (plain == NULL) {
        return memory_refused(block->budget, bytes, "a dictionary of phrases");
    }
    Status status =
        decompress_zstd(plain, bytes, block_stream_data(block, stream), (size_t)stream->bytes);
    if (status != STATUS_OK && status_sqlstate(status) == SQLSTATE_DATA_CORRUPTED) {
        status_free(status);
        status = block_damaged(block, "unreadable dictionary of phrases");
    } else if (status == STATUS_OK && !open_dictionary(plain, bytes, node->count, block->derived)) {
        status = block_damaged(block, "impossible phrase");
    }
    memory_free(block->budget, plain, bytes + 1);
    return status;
}

static const uint32_t *vector_groups(const Block *block, uint32_t vector)
{
    return (const uint32_t *)(const void *)text_vector_body(block, vector);
}

/* Each group is a whole number of pairs. */
static Status check_groups(const Block *block, uint32_t vector)
{
    const uint32_t *groups = vector_groups(block, vector);
    const uint32_t end = text_vector_head(block, vector)->coded_bytes;
    uint32_t last = 0;
    for (uint32_t i = 0; i < GROUP_COUNT; i++) {
        if (groups[i] > end || groups[i] < last || groups[i] % 3 != 0) {
            return block_damaged(block, "text codes out of order");
        }
        last = groups[i];
    }
    return groups[0] == 0 && end % 3 == 0 ? STATUS_OK
                                          : block_damaged(block, "text codes out of order");
}

static Status phrases_open(Block *block)
{
    const BlockNode *node = &block->nodes[0];
    const BlockStream *stream = block_stream(block, STREAM_SYMBOLS, 0);
    if (block->header->lane != LANE_TEXT || block->vectors == NULL || block->data == NULL ||
        stream == NULL || node->count > PHRASES_MAX || node->parameter < node->count ||
        node->parameter > DICTIONARY_BYTES_MAX) {
        return block_damaged(block, "missing phrases");
    }
    block->derived_bytes = sizeof(PhraseDecoder);
    block->derived = memory_alloc(block->budget, block->derived_bytes);
    if (block->derived == NULL) {
        return memory_refused(block->budget, block->derived_bytes, "a dictionary of phrases");
    }
    TRY(read_dictionary(block, stream));
    for (uint32_t v = 0; v < block->vector_count; v++) {
        TRY(text_vector_check(block, v, GROUP_BYTES));
        TRY(check_groups(block, v));
    }
    return STATUS_OK;
}

/* Rows of one group. */
static Status decode_group(const Block *block, uint32_t vector, uint32_t group,
                           const uint32_t *starts, char *text)
{
    const uint32_t *groups = vector_groups(block, vector);
    const uint8_t *codes = (const uint8_t *)(groups + GROUP_COUNT);
    const uint32_t rows = block_vector_rows(block, vector);
    const uint32_t first = group * GROUP_ROWS, end = first + GROUP_ROWS;
    const uint32_t code_end =
        group + 1 < GROUP_COUNT ? groups[group + 1] : text_vector_head(block, vector)->coded_bytes;
    const uint32_t text_start = starts[first < rows ? first : rows];
    const uint32_t text_end = starts[end < rows ? end : rows];
    if (!phrase_decode(block->derived, codes + groups[group], code_end - groups[group],
                       text + text_start, text_end - text_start)) {
        return block_damaged(block, "text codes make another length");
    }
    return STATUS_OK;
}

static Status phrases_decode(const Block *block, uint32_t vector, const uint16_t *selection,
                             uint32_t selected_count, DecodeBuffer *buffer, Vector *out)
{
    const TextHead *head = text_vector_head(block, vector);
    uint32_t starts[VECTOR_ROWS + 1], done = 0; // groups below are decoded or not wanted
    text_vector_starts(block, vector, buffer, starts);
    TRY(decode_buffer_reserve_text(buffer, head->plain_bytes));
    if (selection == NULL) {
        for (uint32_t group = 0; group < GROUP_COUNT; group++) {
            TRY(decode_group(block, vector, group, starts, buffer->text));
        }
    }
    for (uint32_t i = 0; selection != NULL && i < selected_count; i++) {
        const uint32_t group = selection[i] / GROUP_ROWS;
        if (group >= done) {
            TRY(decode_group(block, vector, group, starts, buffer->text));
            done = group + 1;
        }
    }
    text_vector_views(block, vector, buffer->text, starts, selection, selected_count, buffer, out);
    return STATUS_OK;
}

const EncodingOps phrases_ops = {
    .id = ENCODING_PHRASES,
    .name = "phrases",
    .estimate = phrases_estimate,
    .encode = phrases_encode,
    .open = phrases_open,
    .decode = phrases_decode,
};
