/*
 * block_filter.h — a predicate against a block: what can be told for the whole block, then vector
 * by vector on encoded data, decoding only when that does not decide.
 */
#pragma once
#include "storage/encoding/encoding.h"

#define BLOCK_FILTER_BITMAP_BYTES (FORMAT_ROW_GROUP_ROWS / 8 + 128)

/* `filter->bitmap` (BLOCK_FILTER_BITMAP_BYTES) is set by the caller and reused. A dictionary is
 * searched or evaluated here, once per block. `predicate` outlives the filter. */
void block_filter_prepare(const Block *block, const Predicate *predicate, BlockFilter *filter);

/* Clears the bits of rows of `vector` that fail. `decoded` is the column's vector: filled when it
 * had to be decoded (`*is_decoded`), and used when it was before. Text is decoded only for the rows
 * of `mask`. */
Status block_filter_apply(const Block *block, uint32_t vector, const BlockFilter *filter,
                          DecodeBuffer *buffer, Vector *decoded, bool *is_decoded,
                          RowMask *mask) CHECKED;
