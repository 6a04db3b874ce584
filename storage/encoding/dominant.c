/*
 * dominant.c — integers of which most are one value: flags, defaults, codes for "unknown".
 *
 * Node: `parameter` is that value, the bounds stand where they always do. Bytes of one vector:
 * which rows have another value (few: a u16 each; more than ROWS_LISTED_MAX: a bit per row), filled
 * up to 16 bytes; those values as lanes, filled up to 16 bytes. `exceptions` of the entry counts
 * them; lanes are offsets from its base (int64 lanes hold the value itself). Null rows take the
 * common value.
 *
 * Example: 0 0 0 -5 0 0 900 0 -> value 0, base -5, rows 3 and 6, u16 lanes 0 905.
 */
#include <string.h>
#include "storage/encoding/vector_stream.h"

#define ROWS_LISTED_MAX 64u
#define BITMAP_BYTES (VALIDITY_WORDS * sizeof(uint64_t))
#define SAMPLE_ROWS 64u
#define EXCEPTION_SHARE_MAX 3u /* more than a third of the rows: not worth it */

static size_t align_16(size_t bytes)
{
    return (bytes + 15) & ~(size_t)15;
}

static size_t rows_bytes(uint32_t exceptions)
{
    return exceptions > ROWS_LISTED_MAX ? BITMAP_BYTES : align_16(exceptions * sizeof(uint16_t));
}

static size_t vector_bytes(uint32_t exceptions, Lane lane)
{
    return rows_bytes(exceptions) + align_16(exceptions * lane_bytes(lane));
}

/* The value that more than half of some rows have; false when there is none. */
static bool find_candidate(const ColumnChunk *chunk, int64_t *out)
{
    const int64_t *values = chunk->values;
    const uint32_t step = chunk->row_count > SAMPLE_ROWS ? chunk->row_count / SAMPLE_ROWS : 1;
    const uint32_t rows = chunk->row_count / step;
    int64_t candidate = values[0];
    uint32_t lead = 0, count = 0;
    // Boyer and Moore's vote, then the count.
    for (uint32_t i = 0; i < rows; i++) {
        const int64_t value = values[sample_row(i, step)];
        if (lead == 0) {
            candidate = value;
        }
        lead = value == candidate ? lead + 1 : lead - 1;
    }
    for (uint32_t i = 0; i < rows; i++) {
        count += values[sample_row(i, step)] == candidate;
    }
    *out = candidate;
    return count > rows / 2;
}

/* Other values of a vector: which, how many, and the entry that tells of them. */
typedef struct Others {
    int64_t values[VECTOR_ROWS];
    uint16_t rows[VECTOR_ROWS];
    uint32_t count;
    int64_t base;
    Lane lane;
} Others;

static void find_others(const ColumnChunk *chunk, uint32_t vector, int64_t common, Others *out)
{
    const int64_t *values = (const int64_t *)chunk->values + (size_t)vector * VECTOR_ROWS;
    const uint64_t *validity =
        chunk->validity == NULL ? NULL : chunk->validity + (size_t)vector * VALIDITY_WORDS;
    int64_t min = common, max = common;
    uint32_t count = 0;
    for (uint32_t i = 0; i < chunk_vector_rows(chunk, vector); i++) {
        out->values[count] = values[i];
        out->rows[count] = (uint16_t)i;
        count += (uint32_t)(values[i] != common) & (uint32_t)validity_get(validity, i);
    }
    for (uint32_t i = 0; i < count; i++) {
        min = out->values[i] < min ? out->values[i] : min;
        max = out->values[i] > max ? out->values[i] : max;
    }
    out->count = count;
    out->base = min;
    out->lane = pack_lane_of_width(pack_width_of((uint64_t)max - (uint64_t)min));
}

static EncodeEstimate dominant_estimate(const EncodeJob *job)
{
    const ColumnChunk *chunk = job->chunk;
    const ColumnProfile *profile = job->profile;
    uint64_t others_count = 0;
    if (chunk->lane != LANE_I64 || chunk->null_count == chunk->row_count ||
        !find_candidate(chunk, &job->context->dominant)) {
        return (EncodeEstimate){.bytes = SIZE_MAX};
    }
    size_t bytes = profile->vector_count * sizeof(VectorEntry);
    for (uint32_t v = 0; v < profile->vector_count; v++) {
        Others others;
        find_others(chunk, v, job->context->dominant, &others);
        bytes += vector_bytes(others.count, others.lane);
        others_count += others.count;
    }
    if (others_count > chunk->row_count / EXCEPTION_SHARE_MAX) {
        return (EncodeEstimate){.bytes = SIZE_MAX};
    }
    return (EncodeEstimate){
        .bytes = bytes, .decode_ns = 0.02 + 0.8 * (double)others_count / (double)chunk->row_count};
}

static void put_lane(uint8_t *lanes, Lane lane, uint32_t index, int64_t value, int64_t base)
{
    const uint64_t offset = lane == LANE_I64 ? (uint64_t)value : (uint64_t)value - (uint64_t)base;
    memcpy(lanes + index * lane_bytes(lane), &offset, lane_bytes(lane)); // little endian
}

static size_t write_others(const EncodeJob *job, uint32_t vector, VectorEntry *entry,
                           uint8_t *target, void *state)
{
    Others others;
    (void)state;
    find_others(job->chunk, vector, job->context->dominant, &others);
    const size_t bytes = vector_bytes(others.count, others.lane);
    memset(target, 0, bytes);
    if (others.count > ROWS_LISTED_MAX) {
        uint64_t words[VALIDITY_WORDS] = {0};
        for (uint32_t i = 0; i < others.count; i++) {
            validity_set(words, others.rows[i]);
        }
        memcpy(target, words, sizeof words);
    } else {
        memcpy(target, others.rows, others.count * sizeof(uint16_t));
    }
    for (uint32_t i = 0; i < others.count; i++) {
        put_lane(target + rows_bytes(others.count), others.lane, i, others.values[i], others.base);
    }
    vector_entry_mark_ascending(job, vector, entry);
    entry->base = others.base;
    entry->exceptions = (uint16_t)others.count;
    entry->width = (uint8_t)(8 * lane_bytes(others.lane));
    entry->flags = (uint8_t)(entry->flags | (others.lane << VECTOR_FLAG_LANE_SHIFT));
    return bytes;
}

static Status dominant_encode(const EncodeJob *job)
{
    const ColumnProfile *profile = job->profile;
    BlockNode *node = block_builder_node(&job->context->builder, ENCODING_DOMINANT);
    node->parameter = (uint64_t)job->context->dominant;
    node->value_low = (uint64_t)(int64_t)profile->min;
    node->value_high = (uint64_t)(int64_t)profile->max;
    vector_stream_write(job, dominant_estimate(job).bytes, write_others, NULL);
    return STATUS_OK;
}

static const uint8_t *vector_data(const Block *block, uint32_t vector)
{
    return block->data + (size_t)block->vectors[vector].offset * 16;
}

static const uint8_t *other_values(const Block *block, uint32_t vector)
{
    return vector_data(block, vector) + rows_bytes(block->vectors[vector].exceptions);
}

/* The rows of other values: as listed, or from the bitmap into `room`. */
static const uint16_t *other_rows(const Block *block, uint32_t vector, uint16_t *room)
{
    const uint8_t *data = vector_data(block, vector);
    if (block->vectors[vector].exceptions <= ROWS_LISTED_MAX) {
        return (const uint16_t *)(const void *)data;
    }
    RowMask mask;
    memcpy(mask.words, data, sizeof mask.words);
    row_mask_to_selection(&mask, VECTOR_ROWS, room);
    return room;
}

static uint32_t bits_set(const uint8_t *data)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < VALIDITY_WORDS; i++) {
        uint64_t word;
        memcpy(&word, data + i * sizeof word, sizeof word);
        count += (uint32_t)__builtin_popcountll(word);
    }
    return count;
}

static bool rows_are_sound(const Block *block, uint32_t vector)
{
    const uint32_t count = block->vectors[vector].exceptions;
    if (count > ROWS_LISTED_MAX) {
        return bits_set(vector_data(block, vector)) == count;
    }
    const uint16_t *rows = (const uint16_t *)(const void *)vector_data(block, vector);
    for (uint32_t i = 0; i < count; i++) {
        if (rows[i] >= VECTOR_ROWS || (i > 0 && rows[i] <= rows[i - 1])) {
            return false;
        }
    }
    return true;
}

/* The common value among the values that the lanes of a vector can hold. */
static bool entry_is_sound(const Block *block, uint32_t vector)
{
    const VectorEntry *entry = &block->vectors[vector];
    const Lane lane = pack_entry_lane(entry);
    const size_t offset = (size_t)entry->offset * 16;
    const int64_t common = (int64_t)block->nodes[0].parameter;
    const uint64_t above = (uint64_t)common - (uint64_t)entry->base;
    return offset <= block->data_bytes && entry->exceptions <= VECTOR_ROWS &&
           vector_bytes(entry->exceptions, lane) <= block->data_bytes - offset &&
           entry->base <= common && (lane == LANE_I64 || above >> (8 * lane_bytes(lane)) == 0) &&
           rows_are_sound(block, vector);
}

static Status dominant_open(Block *block)
{
    const BlockNode *node = &block->nodes[0];
    if (block->header->lane != LANE_I64 || block->vectors == NULL || block->data == NULL) {
        return block_damaged(block, "missing values");
    }
    block->lo = (int64_t)node->value_low;
    block->hi = (int64_t)node->value_high;
    if ((int64_t)node->parameter < block->lo || (int64_t)node->parameter > block->hi) {
        return block_damaged(block, "impossible bounds");
    }
    for (uint32_t v = 0; v < block->vector_count; v++) {
        if (!entry_is_sound(block, v)) {
            return block_damaged(block, "values out of bounds");
        }
    }
    return STATUS_OK;
}

#define LANE_TYPE uint8_t
#define SCATTER_NAME scatter_u8
#include "storage/encoding/scatter.tmpl.h"
#define LANE_TYPE uint16_t
#define SCATTER_NAME scatter_u16
#include "storage/encoding/scatter.tmpl.h"
#define LANE_TYPE uint32_t
#define SCATTER_NAME scatter_u32
#include "storage/encoding/scatter.tmpl.h"
#define LANE_TYPE int64_t
#define SCATTER_NAME scatter_i64
#include "storage/encoding/scatter.tmpl.h"

/* All but the data: what the lanes of a vector stand for. */
static void set_header(const Block *block, const VectorEntry *entry, Vector *out)
{
    const Lane lane = pack_entry_lane(entry);
    const uint64_t span =
        lane == LANE_I64 ? UINT64_MAX : (UINT64_C(1) << (8 * lane_bytes(lane))) - 1;
    const int64_t top = (int64_t)((uint64_t)entry->base + span);
    *out =
        (Vector){.type = block->type,
                 .lane = (uint8_t)lane,
                 .form = VECTOR_FLAT,
                 .base = lane == LANE_I64 ? 0 : entry->base,
                 .lo = lane == LANE_I64 || entry->base < block->lo ? block->lo : entry->base,
                 .hi = lane != LANE_I64 && top >= entry->base && top < block->hi ? top : block->hi};
}

static Status dominant_decode(const Block *block, uint32_t vector, const uint16_t *selection,
                              uint32_t selected_count, DecodeBuffer *buffer, Vector *out)
{
    (void)selection, (void)selected_count;
    const VectorEntry *entry = &block->vectors[vector];
    uint16_t room[VECTOR_ROWS];
    const uint16_t *rows = other_rows(block, vector, room);
    const uint8_t *values = other_values(block, vector);
    const uint32_t count = entry->exceptions;
    set_header(block, entry, out);
    out->is_ascending = (entry->flags & VECTOR_FLAG_ASCENDING) != 0;
    out->validity = block_vector_validity(block, vector);
    out->data = buffer->lanes;
    const int64_t common = (int64_t)block->nodes[0].parameter;
    const uint64_t offset = (uint64_t)common - (uint64_t)entry->base;
    switch (out->lane) {
    case LANE_U8:
        scatter_u8((uint8_t)offset, values, rows, count, buffer->lanes);
        break;
    case LANE_U16:
        scatter_u16((uint16_t)offset, (const void *)values, rows, count, buffer->lanes);
        break;
    case LANE_U32:
        scatter_u32((uint32_t)offset, (const void *)values, rows, count, buffer->lanes);
        break;
    default:
        scatter_i64(common, (const void *)values, rows, count, buffer->lanes);
        break;
    }
    return STATUS_OK;
}

/* The predicate looks at the common value once, and at the others as a vector of their own. */
static bool dominant_filter(const Block *block, uint32_t vector, const BlockFilter *filter,
                            DecodeBuffer *buffer, RowMask *mask)
{
    const VectorEntry *entry = &block->vectors[vector];
    const Value common = value_int64(block->type, (int64_t)block->nodes[0].parameter);
    const RowMask before = *mask;
    uint16_t room[VECTOR_ROWS];
    RowMask passing;
    Vector others;
    (void)buffer;
    set_header(block, entry, &others);
    others.data = other_values(block, vector);
    row_mask_set_first(&passing, entry->exceptions);
    predicate_apply(filter->predicate, &others, entry->exceptions, &passing);
    if (!predicate_accepts(filter->predicate, &common)) {
        memset(mask, 0, sizeof *mask);
    }
    const uint16_t *rows = other_rows(block, vector, room);
    for (uint32_t i = 0; i < entry->exceptions; i++) {
        validity_clear(mask->words, rows[i]);
        if (validity_get(passing.words, i) && validity_get(before.words, rows[i])) {
            validity_set(mask->words, rows[i]);
        }
    }
    return true;
}

const EncodingOps dominant_ops = {
    .id = ENCODING_DOMINANT,
    .name = "dominant",
    .estimate = dominant_estimate,
    .encode = dominant_encode,
    .open = dominant_open,
    .decode = dominant_decode,
    .filter = dominant_filter,
};
