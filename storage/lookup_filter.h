/*
 * lookup_filter.h — a bloom filter of a block's texts: a lookup of one that is not there costs a
 * hash instead of decoding all of them.
 *
 * Three bits per value in one 32-bit word (base/vector/bloom.h), 12 to 24 bits for each, of XXH3-64
 * of the text without trailing blanks: one block in fifty is decoded in vain. Only for texts
 * that have no dictionary; integers are compared packed, faster than a filter would be read.
 */
#pragma once
#include "storage/block_builder.h"
#include "storage/encoding/encoding.h"

/* Whether the predicate looks for single texts: = and short lists. */
bool predicate_is_lookup(const Predicate *predicate);
/* Adds the stream to the block being built; refused memory shows when that is finished. */
void lookup_filter_write(const ColumnChunk *chunk, BlockBuilder *builder);
/* True when no row of the block can pass; a block without a filter excludes nothing. */
bool lookup_filter_excludes(const Block *block, const Predicate *predicate);
/* Whether the stream's length is one that a filter has. */
bool lookup_filter_is_sound(const BlockStream *stream);
