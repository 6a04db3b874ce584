/*
 * text_vector.h — the frame that the text encodings share: lengths, then bytes.
 *
 * Bytes of one vector: TextHead, packed lengths (width and base of the entry; `base` is the
 * shortest length), what the encoding adds, the coded bytes, filled up to 16 bytes.
 */
#pragma once
#include "storage/encoding/bit_packed.h"

typedef struct TextHead {
    uint32_t plain_bytes; /* 0-3 sum of the lengths */
    uint32_t coded_bytes; /* 4-7 */
    uint64_t reserved;    /* 8-15 zero */
} TextHead;
static_assert(sizeof(TextHead) == 16, "text head");

/* The text of a row as it is stored: nothing for nulls. */
static inline TextView text_row(const ColumnChunk *chunk, size_t row)
{
    if (chunk->validity != NULL && !validity_get(chunk->validity, (uint32_t)row)) {
        return (TextView){0};
    }
    return ((const TextView *)chunk->values)[row];
}

/* Lengths of a vector's rows (rows past the last: as the first) and their sum. */
uint32_t text_vector_lengths(const ColumnChunk *chunk, uint32_t vector, int64_t *lengths);
/* Bytes of the vector that has most. */
size_t text_vector_largest(const ColumnChunk *chunk);
/* Copies the bytes of a vector's rows end to end; `target` has 32 bytes to spare. */
void text_vector_gather(const ColumnChunk *chunk, uint32_t vector, char *target);

/* Writes head and lengths at `target`; returns their bytes. */
size_t text_vector_write_head(EncodeContext *context, const int64_t *lengths, uint32_t length_min,
                              uint32_t length_max, VectorEntry *entry, const TextHead *head,
                              uint8_t *target);
static inline size_t text_vector_head_bytes(uint32_t length_min, uint32_t length_max)
{
    return sizeof(TextHead) + pack_bytes(pack_width_of(length_max - length_min));
}

/* Checks head and lengths of an entry: bounds, and that lengths add up; XX001. `added_bytes`: what
 * the encoding keeps between lengths and coded bytes. */
Status text_vector_check(const Block *block, uint32_t vector, size_t added_bytes) CHECKED;
const TextHead *text_vector_head(const Block *block, uint32_t vector);
/* What follows the lengths. */
const uint8_t *text_vector_body(const Block *block, uint32_t vector);
/* Starts of all rows in the plain bytes, and behind them the end: 1,025 values. */
void text_vector_starts(const Block *block, uint32_t vector, DecodeBuffer *buffer,
                        uint32_t *starts);
/* Views of the rows of `selection` (null: all) into `text`, which has 16 readable bytes to spare;
 * the others are empty. Fills `out`. */
void text_vector_views(const Block *block, uint32_t vector, const char *text,
                       const uint32_t *starts, const uint16_t *selection, uint32_t selected_count,
                       DecodeBuffer *buffer, Vector *out);
