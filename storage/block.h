/*
 * block.h — one column of one row group as bytes: built by a writer, opened by readers.
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

/*
 * BlockBuilder — where encoders write. Streams are built one after the other behind a gap that is
 * large enough for header, nodes and stream directory; finishing moves those up against the
 * streams. One per writing worker, reused from block to block.
 */
typedef struct BlockBuilder {
    MemoryBudget *budget;
    uint8_t *memory;      /* `capacity` bytes of pool memory */
    size_t capacity, end; /* bytes used, from `memory` */
    bool is_failed;       /* memory was refused */
    uint32_t node_count, stream_count;
    BlockNode nodes[BLOCK_NODES_MAX];
    BlockStream streams[BLOCK_STREAMS_MAX];
} BlockBuilder;

void block_builder_init(BlockBuilder *builder, MemoryBudget *budget);
void block_builder_deinit(BlockBuilder *builder);
void block_builder_begin(BlockBuilder *builder);
/* Adds a node to the encoding tree; borrowed until the next begin. */
BlockNode *block_builder_node(BlockBuilder *builder, uint16_t encoding);
/* Opens a stream of at most `bytes_max` bytes, not zeroed; null when memory is refused. Pointers
 * into earlier streams are then invalid (use block_builder_data). */
uint8_t *block_builder_stream(BlockBuilder *builder, StreamKind kind, uint32_t node,
                              size_t bytes_max);
/* Closes the stream opened last. */
void block_builder_close(BlockBuilder *builder, size_t bytes);
uint8_t *block_builder_data(BlockBuilder *builder, uint32_t stream);
/* Fills header and checksum; the bytes are the builder's until the next begin. `header` gives
 * row_count, null_count, flags and lane. 53200 when memory was refused on the way. */
Status block_builder_finish(BlockBuilder *builder, const BlockIdentity *identity,
                            const BlockHeader *header, const uint8_t **out, size_t *bytes) CHECKED;

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
