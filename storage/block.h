/*
 * block.h — one column of one row group as bytes, opened for reading (built by block_builder.h).
 *
 * Invariants: (1) a block that block_open accepted decodes without reading outside its bytes,
 * whatever they say; (2) an open block is read-only and may be shared by threads.
 */
#pragma once
#include "base/memory_budget.h"
#include "base/vector/vector.h"
#include "storage/format.h"

struct EncodingOps;

/* Which block this is; seeds its checksum. */
typedef struct BlockIdentity {
    uint64_t cluster; /* cluster_fold of the id */
    uint64_t table_id, rowset_id;
    uint32_t column_id, row_group;
} BlockIdentity;
uint64_t cluster_fold(const uint8_t cluster_id[16]);
uint64_t block_checksum(const void *block, size_t bytes, const BlockIdentity *identity);

/* A block that was checked and is ready to decode. */
typedef struct Block {
    const BlockHeader *header;
    const uint8_t *bytes;
    const struct EncodingOps *encoding; /* of the root */
    const BlockNode *nodes;
    const BlockStream *streams;
    Type type;
    uint32_t row_count, vector_count;
    const uint64_t *validity;   /* null: no nulls; 16 words per vector */
    const VectorEntry *vectors; /* null: the encoding has none */
    const uint8_t *data;        /* STREAM_DATA */
    size_t data_bytes;
    int64_t lo, hi; /* of scaled integers: exact */
    bool has_dictionary;
    Dictionary dictionary;
    void *derived; /* made by the encoding when opened: entries, symbols */
    size_t derived_bytes;
    MemoryBudget *budget; /* pays for `derived` */
} Block;

/* Checks identity, checksum and structure, and prepares decoding. `bytes` stay the caller's,
 * 64-byte aligned with 64 readable bytes behind, and outlive the block. XX001 says what is wrong
 * with which table, column, rowset and row group; 53200. */
Status block_open(const uint8_t *bytes, size_t byte_count, const BlockIdentity *identity, Type type,
                  MemoryBudget *budget, Block *out) CHECKED;
void block_close(Block *block);
/* XX001 for this block: "<what> in block of table …". */
Status block_damaged(const Block *block, const char *what) CHECKED;

/* Whether `block` may be stored as differences from `base`: the same rows, integers, no such block
 * itself. */
bool block_can_be_base(const Block *base, const Block *block);

const BlockStream *block_stream(const Block *block, StreamKind kind, uint32_t node);
static inline const uint8_t *block_stream_data(const Block *block, const BlockStream *stream)
{
    return block->bytes + (size_t)stream->offset * FORMAT_ALIGNMENT;
}
static inline uint32_t block_vector_rows(const Block *block, uint32_t vector)
{
    const uint32_t left = block->row_count - vector * VECTOR_ROWS;
    return left < VECTOR_ROWS ? left : VECTOR_ROWS;
}
/* Validity words of a vector; null when it has no nulls. */
static inline const uint64_t *block_vector_validity(const Block *block, uint32_t vector)
{
    if (block->validity == NULL ||
        (block->vectors != NULL && (block->vectors[vector].flags & VECTOR_FLAG_NULLS) == 0)) {
        return NULL;
    }
    return block->validity + (size_t)vector * VALIDITY_WORDS;
}
