/* text_vector.c — see text_vector.h. */
#include "storage/encoding/text_vector.h"

#include <string.h>
#include "storage/encoding/vector_stream.h"

#define TEXT_STEP 32u /* bytes that are readable behind every text */

uint32_t text_vector_lengths(const ColumnChunk *chunk, uint32_t vector, int64_t *lengths)
{
    const size_t first = (size_t)vector * VECTOR_ROWS;
    const uint32_t rows = chunk_vector_rows(chunk, vector);
    uint32_t sum = 0;
    for (uint32_t i = 0; i < rows; i++) {
        const uint32_t length = text_row(chunk, first + i).length;
        lengths[i] = length;
        sum += length;
    }
    for (uint32_t i = rows; i < VECTOR_ROWS; i++) {
        lengths[i] = lengths[0];
    }
    return sum;
}

size_t text_vector_largest(const ColumnChunk *chunk)
{
    const TextView *views = chunk->values;
    size_t largest = 0;
    for (uint32_t first = 0; first < chunk->row_count; first += VECTOR_ROWS) {
        const uint32_t left = chunk->row_count - first;
        const uint32_t end = first + (left < VECTOR_ROWS ? left : VECTOR_ROWS);
        size_t bytes = 0;
        for (uint32_t i = first; i < end; i++) { // nulls repeat a value: too much, never too little
            bytes += views[i].length;
        }
        largest = bytes > largest ? bytes : largest;
    }
    return largest;
}

void text_vector_gather(const ColumnChunk *chunk, uint32_t vector, char *target)
{
    const TextView *views = (const TextView *)chunk->values + (size_t)vector * VECTOR_ROWS;
    const uint32_t rows = chunk_vector_rows(chunk, vector);
    for (uint32_t i = 0; i < rows; i++) {
        const char *text = text_view_data(&views[i]);
        const uint32_t length = text_row(chunk, (size_t)vector * VECTOR_ROWS + i).length;
        memcpy(target, text, TEXT_STEP); // most texts end here; what is too much is overwritten
        if (length > TEXT_STEP) {
            memcpy(target + TEXT_STEP, text + TEXT_STEP, length - TEXT_STEP);
        }
        target += length;
    }
}

size_t text_vector_write_head(EncodeContext *context, const int64_t *lengths, uint32_t length_min,
                              uint32_t length_max, VectorEntry *entry, const TextHead *head,
                              uint8_t *target)
{
    const PackPlan plan = pack_plan_plain(length_min, length_max);
    memcpy(target, head, sizeof *head);
    return sizeof *head + pack_vector(context->kernels, lengths, &plan, context->lanes, entry,
                                      target + sizeof *head);
}

const TextHead *text_vector_head(const Block *block, uint32_t vector)
{
    return (const TextHead *)(const void *)(block->data +
                                            (size_t)block->vectors[vector].offset * 16);
}

const uint8_t *text_vector_body(const Block *block, uint32_t vector)
{
    return (const uint8_t *)text_vector_head(block, vector) + sizeof(TextHead) +
           pack_bytes(block->vectors[vector].width);
}

static uint32_t length_at(const void *lanes, Lane lane, uint32_t row)
{
    return lane == LANE_U8    ? ((const uint8_t *)lanes)[row]
           : lane == LANE_U16 ? ((const uint16_t *)lanes)[row]
                              : ((const uint32_t *)lanes)[row];
}

Status text_vector_check(const Block *block, uint32_t vector, size_t added_bytes)
{
    const VectorEntry *entry = &block->vectors[vector];
    const size_t offset = (size_t)entry->offset * 16;
    size_t packed;
    if (entry->width > 16 || entry->exceptions != 0 || entry->base < 0 ||
        entry->base > VARCHAR_BYTES_MAX || offset > block->data_bytes ||
        sizeof(TextHead) > block->data_bytes - offset ||
        !pack_entry_is_sound(block, entry, sizeof(TextHead), &packed)) {
        return block_damaged(block, "text lengths out of bounds");
    }
    const TextHead *head = text_vector_head(block, vector);
    const size_t room = block->data_bytes - offset - sizeof *head - packed;
    if (added_bytes > room || head->coded_bytes > room - added_bytes) {
        return block_damaged(block, "text bytes out of bounds");
    }
    _Alignas(64) uint16_t lanes[VECTOR_ROWS + 32];
    const Lane lane = pack_lane_of_width(entry->width);
    KERNELS(pack_kernels)->unpack((const uint8_t *)head + sizeof *head, entry->width, lanes);
    uint64_t sum = 0;
    uint32_t longest = 0;
    for (uint32_t i = 0; i < block_vector_rows(block, vector); i++) {
        const uint32_t length = length_at(lanes, lane, i) + (uint32_t)entry->base;
        longest = length > longest ? length : longest;
        sum += length;
    }
    if (sum != head->plain_bytes || longest > VARCHAR_BYTES_MAX) {
        return block_damaged(block, "impossible text lengths");
    }
    return STATUS_OK;
}

void text_vector_starts(const Block *block, uint32_t vector, DecodeBuffer *buffer, uint32_t *starts)
{
    const VectorEntry *entry = &block->vectors[vector];
    const uint8_t *packed = (const uint8_t *)text_vector_head(block, vector) + sizeof(TextHead);
    const uint32_t base = (uint32_t)entry->base;
    uint32_t position = 0;
    if (entry->width == 0) {
        for (uint32_t i = 0; i <= VECTOR_ROWS; i++) {
            starts[i] = i * base;
        }
        return;
    }
    buffer->kernels->unpack(packed, entry->width, buffer->lanes);
    if (entry->width <= 8) {
        const uint8_t *lengths = buffer->lanes;
        for (uint32_t i = 0; i < VECTOR_ROWS; i++) {
            starts[i] = position;
            position += base + lengths[i];
        }
    } else {
        const uint16_t *lengths = buffer->lanes;
        for (uint32_t i = 0; i < VECTOR_ROWS; i++) {
            starts[i] = position;
            position += base + lengths[i];
        }
    }
    starts[VECTOR_ROWS] = position;
}

/* text_view_make without a branch per length: twelve bytes are read and cut. */
static inline void load_view(TextView *view, const char *text, uint32_t bytes)
{
    uint64_t low, words[2];
    uint32_t high;
    memcpy(&low, text, sizeof low);
    memcpy(&high, text + 8, sizeof high);
    const uint32_t low_bytes = bytes < 8 ? bytes : 8;
    const uint32_t high_bytes = bytes < 8 ? 0 : bytes < TEXT_INLINE_MAX ? bytes - 8 : 4;
    const uint64_t prefix = low_bytes == 0 ? 0 : low & (UINT64_MAX >> (64 - 8 * low_bytes));
    const uint64_t rest = high & ((UINT64_C(1) << (8 * high_bytes)) - 1);
    const bool is_inline = bytes <= TEXT_INLINE_MAX;
    words[0] = bytes | prefix << 32;
    words[1] = is_inline ? prefix >> 32 | rest << 32 : (uint64_t)(uintptr_t)text;
    memcpy(view, words, sizeof *view);
}

void text_vector_views(const Block *block, uint32_t vector, const char *text,
                       const uint32_t *starts, const uint16_t *selection, uint32_t selected_count,
                       DecodeBuffer *buffer, Vector *out)
{
    TextView *views = buffer->lanes;
    const uint32_t rows = block_vector_rows(block, vector);
    if (selection == NULL || selected_count > rows / 2) {
        for (uint32_t i = 0; i < rows; i++) {
            load_view(&views[i], text + starts[i], starts[i + 1] - starts[i]);
        }
    } else {
        memset(views, 0, rows * sizeof *views);
        for (uint32_t k = 0; k < selected_count; k++) {
            const uint32_t i = selection[k];
            load_view(&views[i], text + starts[i], starts[i + 1] - starts[i]);
        }
    }
    *out = (Vector){.type = block->type,
                    .lane = LANE_TEXT,
                    .form = VECTOR_FLAT,
                    .has_trailing_blanks = (block->header->flags & BLOCK_FLAG_TRAILING_BLANKS) != 0,
                    .is_ascending = (block->header->flags & BLOCK_FLAG_ASCENDING) != 0,
                    .validity = block_vector_validity(block, vector),
                    .data = views};
}
