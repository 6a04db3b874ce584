/*
 * fsst.c — text as codes of a symbol table that the block carries (symbol_table.h).
 *
 * Between lengths and codes each vector keeps the start of every 32nd row's codes (u32), so that a
 * few rows decode without the others. STREAM_SYMBOLS: `count` symbols of 8 bytes, then their
 * lengths.
 */
#include <string.h>
#include "storage/encoding/symbol_table.h"
#include "storage/encoding/text_vector.h"
#include "storage/encoding/vector_stream.h"

#define GROUP_ROWS 32u
#define GROUP_COUNT (VECTOR_ROWS / GROUP_ROWS)
#define GROUP_BYTES (GROUP_COUNT * sizeof(uint32_t))
#define SAMPLE_BYTES ((size_t)24 << 10)
#define SAMPLE_ROWS_MAX 2048u
#define RETRAIN_FACTOR 1.1

static size_t frame_bytes(const ColumnProfile *profile)
{
    return profile->vector_count *
           (sizeof(VectorEntry) + GROUP_BYTES +
            text_vector_head_bytes(profile->length_min, profile->length_max));
}

static double sample_ratio(const SymbolTable *table, const TextView *texts, uint32_t count)
{
    uint8_t codes[2 * 4096 + 16];
    size_t plain = 0, coded = 0;
    for (uint32_t i = 0; i < count; i++) {
        const size_t bytes = texts[i].length < 4096 ? texts[i].length : 4096;
        plain += bytes;
        coded += symbol_table_encode(table, text_view_data(&texts[i]), bytes, codes);
    }
    return plain == 0 ? 1 : (double)coded / (double)plain;
}

/* Rows spread over the chunk, cut to a bounded sample. */
static void train(const EncodeJob *job)
{
    const ColumnChunk *chunk = job->chunk;
    const TextView *views = chunk->values;
    TextView *sample = memory_alloc(job->context->budget, SAMPLE_ROWS_MAX * sizeof *sample);
    if (sample == NULL) {
        return;
    }
    const size_t mean = (size_t)(job->profile->text_bytes / chunk->row_count) + 1;
    size_t wanted = SAMPLE_BYTES / mean + 1;
    wanted = wanted < SAMPLE_ROWS_MAX ? wanted : SAMPLE_ROWS_MAX;
    const size_t step = chunk->row_count > wanted ? chunk->row_count / wanted : 1;
    uint32_t count = 0;
    size_t bytes = 0;
    for (size_t i = 0; i < chunk->row_count && count < wanted && bytes < 2 * SAMPLE_BYTES;
         i += step) {
        const size_t length = views[i].length < 4096 ? views[i].length : 4096;
        sample[count++] = text_view_make(text_view_data(&views[i]), length);
        bytes += length;
    }
    job->memory->symbols = symbol_table_train(sample, count);
    if (job->memory->symbols != NULL) {
        job->memory->symbol_ratio = sample_ratio(job->memory->symbols, sample, count);
    }
    memory_free(job->context->budget, sample, SAMPLE_ROWS_MAX * sizeof *sample);
}

static EncodeEstimate fsst_estimate(const EncodeJob *job)
{
    const ColumnProfile *profile = job->profile;
    if (job->chunk->lane != LANE_TEXT || profile->text_bytes < 4096) {
        return (EncodeEstimate){.bytes = SIZE_MAX};
    }
    if (job->memory->symbols == NULL) {
        train(job);
    }
    if (job->memory->symbols == NULL) {
        return (EncodeEstimate){.bytes = SIZE_MAX};
    }
    const double coded = (double)profile->text_bytes * job->memory->symbol_ratio;
    return (EncodeEstimate){.bytes = frame_bytes(profile) + (size_t)coded + SYMBOLS_MAX * 9,
                            .decode_ns =
                                2 + 0.17 * (double)profile->text_bytes / job->chunk->row_count};
}

/* Codes of all groups end to end at `codes`; the start of each. A group is one text to the symbols:
 * they may reach from one row into the next. Returns the bytes. `plain` holds the rows' text, whose
 * groups start at `starts`. */
static size_t encode_codes(const SymbolTable *symbols, const char *plain, const uint32_t *starts,
                           uint32_t group_count, uint8_t *codes, uint32_t *groups)
{
    uint8_t *targets[SYMBOL_STRANDS];
    uint32_t ends[GROUP_COUNT];
    // Each part behind what all parts before may take; then they are moved together.
    for (uint32_t s = 0; s < SYMBOL_STRANDS; s++) {
        targets[s] = codes + 2 * (size_t)starts[symbol_strand_start(group_count, s)] + 8 * s;
    }
    symbol_table_encode_pieces(symbols, plain, starts, group_count, targets, ends);
    size_t bytes = 0;
    for (uint32_t s = 0; s < SYMBOL_STRANDS; s++) {
        const uint32_t first = symbol_strand_start(group_count, s);
        const uint32_t end = symbol_strand_start(group_count, s + 1);
        for (uint32_t i = first; i < end; i++) {
            groups[i] = (uint32_t)bytes + (i == first ? 0 : ends[i - 1]);
        }
        const size_t length = end > first ? ends[end - 1] : 0;
        memmove(codes + bytes, targets[s], length);
        bytes += length;
    }
    for (uint32_t i = group_count; i < GROUP_COUNT; i++) {
        groups[i] = (uint32_t)bytes;
    }
    return bytes;
}

/* `target` has room for twice the text. */
static size_t write_vector(const EncodeJob *job, uint32_t vector, VectorEntry *entry,
                           uint8_t *target, void *state)
{
    char *plain = state;
    const ColumnProfile *profile = job->profile;
    const ColumnChunk *chunk = job->chunk;
    const uint32_t rows = chunk_vector_rows(chunk, vector);
    const uint32_t group_count = (rows + GROUP_ROWS - 1) / GROUP_ROWS;
    int64_t lengths[VECTOR_ROWS];
    uint32_t starts[GROUP_COUNT + 1], groups[GROUP_COUNT], position = 0;
    TextHead head = {.plain_bytes = text_vector_lengths(chunk, vector, lengths)};
    for (uint32_t i = 0; i < rows; i++) {
        if (i % GROUP_ROWS == 0) {
            starts[i / GROUP_ROWS] = position;
        }
        position += (uint32_t)lengths[i];
    }
    starts[group_count] = position;
    text_vector_gather(chunk, vector, plain);

    uint8_t *body = target + text_vector_head_bytes(profile->length_min, profile->length_max);
    uint8_t *codes = body + GROUP_BYTES;
    head.coded_bytes =
        (uint32_t)encode_codes(job->memory->symbols, plain, starts, group_count, codes, groups);
    memcpy(body, groups, sizeof groups);
    text_vector_write_head(job->context, lengths, profile->length_min, profile->length_max, entry,
                           &head, target);
    return vector_stream_pad(target, (size_t)(codes - target) + head.coded_bytes);
}

static void encode_symbols(const SymbolDecoder *decoder, BlockBuilder *builder)
{
    const size_t bytes = decoder->count * (sizeof(uint64_t) + 1);
    uint8_t *target = block_builder_stream(builder, STREAM_SYMBOLS, 0, bytes);
    if (target != NULL) {
        memcpy(target, decoder->symbols, decoder->count * sizeof(uint64_t));
        memcpy(target + decoder->count * sizeof(uint64_t), decoder->lengths, decoder->count);
    }
    block_builder_close(builder, bytes);
}

static Status fsst_encode(const EncodeJob *job)
{
    const ColumnProfile *profile = job->profile;
    BlockBuilder *builder = &job->context->builder;
    if (job->memory->symbols == NULL) {
        train(job);
        if (job->memory->symbols == NULL) {
            return memory_refused(job->context->budget, sizeof(SymbolDecoder), "a symbol table");
        }
    }
    const SymbolDecoder *decoder = symbol_table_decoder(job->memory->symbols);
    block_builder_node(builder, ENCODING_FSST)->count = decoder->count;
    const size_t room =
        frame_bytes(profile) + 2 * profile->text_bytes + (size_t)64 * profile->vector_count;
    size_t bytes;
    TRY(vector_stream_write_texts(job, room, write_vector, &bytes));
    encode_symbols(decoder, builder);
    const size_t frame = frame_bytes(profile) - profile->vector_count * sizeof(VectorEntry);
    const double coded = (double)bytes - (double)frame;
    if (coded > (double)profile->text_bytes * job->memory->symbol_ratio * RETRAIN_FACTOR) {
        symbol_table_destroy(job->memory->symbols); // the next row group learns anew
        job->memory->symbols = NULL;
    }
    return STATUS_OK;
}

static const uint32_t *vector_groups(const Block *block, uint32_t vector)
{
    return (const uint32_t *)(const void *)text_vector_body(block, vector);
}

static Status check_groups(const Block *block, uint32_t vector)
{
    const uint32_t *groups = vector_groups(block, vector);
    const uint32_t end = text_vector_head(block, vector)->coded_bytes;
    for (uint32_t i = 0; i < GROUP_COUNT; i++) {
        if (groups[i] > end || (i > 0 && groups[i] < groups[i - 1])) {
            return block_damaged(block, "text codes out of order");
        }
    }
    return groups[0] == 0 ? STATUS_OK : block_damaged(block, "text codes out of order");
}

static Status fsst_open(Block *block)
{
    const uint32_t count = block->nodes[0].count;
    const BlockStream *symbols = block_stream(block, STREAM_SYMBOLS, 0);
    if (block->header->lane != LANE_TEXT || block->vectors == NULL || block->data == NULL ||
        count > SYMBOLS_MAX || symbols == NULL ||
        symbols->bytes != count * (sizeof(uint64_t) + 1)) {
        return block_damaged(block, "missing symbol table");
    }
    block->derived_bytes = sizeof(SymbolDecoder);
    block->derived = memory_alloc_zeroed(block->budget, block->derived_bytes);
    if (block->derived == NULL) {
        return memory_refused(block->budget, block->derived_bytes, "a symbol table");
    }
    SymbolDecoder *decoder = block->derived;
    const uint8_t *source = block_stream_data(block, symbols);
    decoder->count = count;
    memcpy(decoder->symbols, source, count * sizeof(uint64_t));
    memcpy(decoder->lengths, source + count * sizeof(uint64_t), count);
    for (uint32_t i = 0; i < count; i++) {
        if (decoder->lengths[i] == 0 || decoder->lengths[i] > SYMBOL_BYTES_MAX) {
            return block_damaged(block, "impossible symbol");
        }
    }
    for (uint32_t v = 0; v < block->vector_count; v++) {
        TRY(text_vector_check(block, v, GROUP_BYTES));
        TRY(check_groups(block, v));
    }
    return STATUS_OK;
}

/* Codes of rows first .. end-1, both at borders of groups (or the vector's end). */
static Status decode_groups(const Block *block, uint32_t vector, uint32_t first, uint32_t end,
                            const uint32_t *starts, char *text)
{
    const uint32_t *groups = vector_groups(block, vector);
    const uint8_t *codes = (const uint8_t *)(groups + GROUP_COUNT);
    const uint32_t rows = block_vector_rows(block, vector);
    const uint32_t code_start = groups[first / GROUP_ROWS];
    const uint32_t code_end = end / GROUP_ROWS < GROUP_COUNT
                                  ? groups[end / GROUP_ROWS]
                                  : text_vector_head(block, vector)->coded_bytes;
    const uint32_t text_end = starts[end < rows ? end : rows];
    if (!symbol_decode(block->derived, codes + code_start, code_end - code_start,
                       text + starts[first], text_end - starts[first])) {
        return block_damaged(block, "text codes make another length");
    }
    return STATUS_OK;
}

static Status fsst_decode(const Block *block, uint32_t vector, const uint16_t *selection,
                          uint32_t selected_count, DecodeBuffer *buffer, Vector *out)
{
    const TextHead *head = text_vector_head(block, vector);
    uint32_t starts[VECTOR_ROWS + 1];
    text_vector_starts(block, vector, buffer, starts);
    TRY(decode_buffer_reserve_text(buffer, head->plain_bytes));
    if (selection == NULL || selected_count > GROUP_COUNT * 4) {
        TRY(decode_groups(block, vector, 0, VECTOR_ROWS, starts, buffer->text));
    } else {
        uint32_t done = 0; // rows below are decoded or not wanted; groups ascend
        for (uint32_t i = 0; i < selected_count; i++) {
            if (selection[i] < done) {
                continue;
            }
            const uint32_t first = selection[i] / GROUP_ROWS * GROUP_ROWS;
            done = first + GROUP_ROWS;
            TRY(decode_groups(block, vector, first, done, starts, buffer->text));
        }
    }
    text_vector_views(block, vector, buffer->text, starts, selection, selected_count, buffer, out);
    return STATUS_OK;
}

const EncodingOps fsst_ops = {
    .id = ENCODING_FSST,
    .name = "fsst",
    .estimate = fsst_estimate,
    .encode = fsst_encode,
    .open = fsst_open,
    .decode = fsst_decode,
};
