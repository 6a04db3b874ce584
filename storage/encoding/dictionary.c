/*
 * dictionary.c — few distinct values: sorted entries, and per row the packed number of its entry.
 *
 * Codes compare like their entries (text_order.h), so ranges of values are ranges of codes; two
 * entries differ in their bytes, but may be equal to SQL when one ends in blanks (then the flag
 * DICTIONARY_FLAG_UNIQUE is missing). Text entries lie in STREAM_ENTRIES end to end, their ends in
 * STREAM_OFFSETS; integers are int64 lanes.
 *
 * Example: rows MAIL AIR MAIL SHIP -> entries AIR MAIL SHIP, codes 1 0 1 2 at two bits each.
 */
#include <stdlib.h>
#include <string.h>
#include "base/hash.h"
#include "storage/encoding/dictionary_builder.h"
#include "storage/encoding/dictionary_codes.h"
#include "storage/encoding/vector_stream.h"

#define DICTIONARY_FLAG_UNIQUE 1u

static size_t entry_bytes(const DictionaryBuilder *dictionary, const ColumnChunk *chunk)
{
    return chunk->lane == LANE_TEXT
               ? dictionary->text_bytes + dictionary->entry_count * sizeof(uint32_t)
               : dictionary->entry_count * sizeof(int64_t);
}

static bool is_asked_for(const EncodeJob *job)
{
    return job->encodings == encoding_set(ENCODING_DICTIONARY);
}

/* Numbers and floats of 128 bits are left to other encodings. A sample decides whether counting is
 * worth it; after misses the column is left alone for a while. */
static bool dictionary_may_pay(const EncodeJob *job)
{
    const ColumnChunk *chunk = job->chunk;
    if (is_asked_for(job)) {
        return chunk->lane == LANE_TEXT || chunk->lane == LANE_I64;
    }
    if (chunk->lane == LANE_TEXT) {
        if (job->memory->dictionary_skip_count > 0) {
            job->memory->dictionary_skip_count--;
            return false;
        }
        return true;
    }
    return chunk->lane == LANE_I64 && !job->profile->is_ascending &&
           job->profile->packed_bytes > (size_t)chunk->row_count * 5 / 4 &&
           job->profile->change_count > chunk->row_count / 8;
}

/* Codes unpack at once; what costs is the views of the entries when a block is opened, and for
 * integers the look-up that every operator then does. */
static double decode_ns(const DictionaryBuilder *dictionary, const ColumnChunk *chunk)
{
    return chunk->lane == LANE_TEXT ? 0.03 + 4.0 * dictionary->entry_count / chunk->row_count : 0.4;
}

static EncodeEstimate dictionary_estimate(const EncodeJob *job)
{
    const ColumnChunk *chunk = job->chunk;
    EncodeContext *context = job->context;
    if (!dictionary_may_pay(job)) {
        return (EncodeEstimate){.bytes = SIZE_MAX};
    }
    if (context->dictionary == NULL) {
        context->dictionary = dictionary_builder_create(context->budget);
    }
    // More entries than half of the rows never pay; integers need one code byte less than packed.
    const uint32_t entries_max = chunk->lane == LANE_TEXT || is_asked_for(job)
                                     ? chunk->row_count / 2 + 1
                                     : chunk->row_count / 16 + 1;
    if (context->dictionary == NULL ||
        !dictionary_builder_run(context->dictionary, chunk, entries_max, context->residuals)) {
        job->memory->dictionary_misses++;
        const uint32_t misses = job->memory->dictionary_misses;
        job->memory->dictionary_skip_count = misses < 6 ? (1u << misses) - 1 : 63;
        return (EncodeEstimate){.bytes = SIZE_MAX};
    }
    job->memory->dictionary_misses = 0;
    const uint32_t width = pack_width_of(context->dictionary->entry_count - 1);
    return (EncodeEstimate){.bytes = job->profile->vector_count *
                                         (pack_bytes(width) + sizeof(VectorEntry)) +
                                     entry_bytes(context->dictionary, chunk),
                            .decode_ns = decode_ns(context->dictionary, chunk)};
}

static void encode_entries(const EncodeJob *job, BlockBuilder *builder)
{
    const DictionaryBuilder *dictionary = job->context->dictionary;
    const uint32_t count = dictionary->entry_count;
    if (job->chunk->lane != LANE_TEXT) {
        const size_t bytes = count * sizeof(int64_t);
        uint8_t *target = block_builder_stream(builder, STREAM_ENTRIES, 0, bytes);
        if (target != NULL) {
            memcpy(target, dictionary->integers, bytes);
        }
        block_builder_close(builder, bytes);
        return;
    }
    uint8_t *text = block_builder_stream(builder, STREAM_ENTRIES, 0, dictionary->text_bytes);
    if (text == NULL) {
        return;
    }
    for (uint32_t i = 0; i < count; i++) {
        const TextView *view = &dictionary->texts[i];
        memcpy(text, text_view_data(view), view->length);
        text += view->length;
    }
    block_builder_close(builder, dictionary->text_bytes);
    const size_t bytes = count * sizeof(uint32_t);
    uint8_t *offsets = block_builder_stream(builder, STREAM_OFFSETS, 0, bytes);
    uint32_t end = 0;
    for (uint32_t i = 0; offsets != NULL && i < count; i++) {
        end += dictionary->texts[i].length;
        memcpy(offsets + i * sizeof end, &end, sizeof end);
    }
    block_builder_close(builder, bytes);
}

static Status dictionary_encode(const EncodeJob *job)
{
    BlockBuilder *builder = &job->context->builder;
    const DictionaryBuilder *dictionary = job->context->dictionary;
    BlockNode *node = block_builder_node(builder, ENCODING_DICTIONARY);
    node->count = dictionary->entry_count;
    node->flags = dictionary->is_unique ? DICTIONARY_FLAG_UNIQUE : 0;
    if (job->chunk->lane == LANE_I64) {
        node->value_low = (uint64_t)dictionary->integers[0];
        node->value_high = (uint64_t)dictionary->integers[dictionary->entry_count - 1];
    }
    block_builder_node(builder, ENCODING_BIT_PACKED);
    PackPlan plan = pack_plan_plain(0, dictionary->entry_count - 1);
    vector_stream_write(job, job->profile->vector_count * pack_plan_bytes(&plan),
                        vector_stream_pack_codes, &plan);
    encode_entries(job, builder);
    return STATUS_OK;
}

Status dictionary_check_codes(const Block *block)
{
    const uint32_t count = block->nodes[0].count;
    _Alignas(64) uint32_t lanes[VECTOR_ROWS + 16];
    const PackKernels *kernels = KERNELS(pack_kernels);
    for (uint32_t v = 0; v < block->vector_count; v++) {
        const VectorEntry *entry = &block->vectors[v];
        size_t bytes;
        if (!pack_entry_is_sound(block, entry, 0, &bytes) || entry->base != 0 ||
            entry->width > 17 || entry->exceptions != 0) {
            return block_damaged(block, "dictionary codes out of bounds");
        }
        if ((UINT64_C(1) << entry->width) <= count) {
            continue;
        }
        kernels->unpack(block->data + (size_t)entry->offset * 16, entry->width, lanes);
        const Lane lane = pack_lane_of_width(entry->width);
        for (uint32_t i = 0; i < VECTOR_ROWS; i++) {
            const uint32_t code = lane == LANE_U8    ? ((const uint8_t *)lanes)[i]
                                  : lane == LANE_U16 ? ((const uint16_t *)lanes)[i]
                                                     : lanes[i];
            if (code >= count) {
                return block_damaged(block, "dictionary code without entry");
            }
        }
    }
    return STATUS_OK;
}

static Status open_texts(Block *block, const BlockStream *entries)
{
    const uint32_t count = block->nodes[0].count;
    const BlockStream *offsets = block_stream(block, STREAM_OFFSETS, 0);
    if (offsets == NULL || offsets->bytes != count * sizeof(uint32_t)) {
        return block_damaged(block, "missing dictionary offsets");
    }
    block->derived_bytes = count * sizeof(TextView) + FORMAT_ALIGNMENT;
    block->derived = memory_alloc(block->budget, block->derived_bytes);
    if (block->derived == NULL) {
        return memory_refused(block->budget, block->derived_bytes, "a dictionary");
    }
    TextView *views = block->derived;
    const char *text = (const char *)block_stream_data(block, entries);
    const uint32_t *ends = (const uint32_t *)(const void *)block_stream_data(block, offsets);
    uint32_t start = 0;
    for (uint32_t i = 0; i < count; i++) {
        if (ends[i] < start || ends[i] > entries->bytes || ends[i] - start > VARCHAR_BYTES_MAX) {
            return block_damaged(block, "dictionary entry out of bounds");
        }
        views[i] = text_view_make(text + start, ends[i] - start);
        start = ends[i];
    }
    block->dictionary.entries = views;
    return STATUS_OK;
}

static Status dictionary_open(Block *block)
{
    const BlockHeader *header = block->header;
    const BlockNode *node = &block->nodes[0];
    const BlockStream *entries = block_stream(block, STREAM_ENTRIES, 0);
    if ((header->lane != LANE_TEXT && header->lane != LANE_I64) || entries == NULL ||
        block->vectors == NULL || block->data == NULL || node->count == 0 ||
        node->count > FORMAT_ROW_GROUP_ROWS) {
        return block_damaged(block, "impossible dictionary");
    }
    block->has_dictionary = true;
    block->dictionary = (Dictionary){
        .lane = header->lane,
        .entry_count = node->count,
        .is_sorted = true,
        .is_unique = (node->flags & DICTIONARY_FLAG_UNIQUE) != 0,
        .identity = header->rowset_id << FORMAT_ROW_BITS | (uint64_t)header->row_group << 16 |
                    header->column_id,
    };
    TRY(dictionary_check_codes(block));
    if (header->lane == LANE_TEXT) {
        return open_texts(block, entries);
    }
    if (entries->bytes != node->count * sizeof(int64_t)) {
        return block_damaged(block, "impossible dictionary");
    }
    block->dictionary.entries = block_stream_data(block, entries);
    block->lo = (int64_t)node->value_low;
    block->hi = (int64_t)node->value_high;
    return STATUS_OK;
}

static Status dictionary_decode(const Block *block, uint32_t vector, const uint16_t *selection,
                                uint32_t selected_count, DecodeBuffer *buffer, Vector *out)
{
    (void)selection, (void)selected_count;
    const VectorEntry *entry = &block->vectors[vector];
    const uint8_t *packed = block->data + (size_t)entry->offset * 16;
    buffer->kernels->unpack(packed, entry->width, buffer->lanes);
    *out = (Vector){.type = block->type,
                    .lane = (uint8_t)pack_lane_of_width(entry->width),
                    .form = VECTOR_DICTIONARY,
                    .has_trailing_blanks = (block->header->flags & BLOCK_FLAG_TRAILING_BLANKS) != 0,
                    .lo = block->lo,
                    .hi = block->hi,
                    .validity = block_vector_validity(block, vector),
                    .data = buffer->lanes,
                    .dictionary = &block->dictionary};
    return STATUS_OK;
}

const EncodingOps dictionary_ops = {
    .id = ENCODING_DICTIONARY,
    .name = "dictionary",
    .estimate = dictionary_estimate,
    .encode = dictionary_encode,
    .open = dictionary_open,
    .decode = dictionary_decode,
};
