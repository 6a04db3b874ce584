/*
 * block_builder.h — where encoders write. Streams are built one after the other behind a gap that
 * is large enough for header, nodes and stream directory; finishing moves those up against the
 * streams. One per writing worker, reused from block to block.
 */
#pragma once
#include "storage/block.h"

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
