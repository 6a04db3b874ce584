/* block_builder.c — see block_builder.h. */
#include "storage/block_builder.h"

#include <string.h>

/* Room for header, nodes and streams in front of the first stream. */
#define BLOCK_GAP_BYTES                                                                            \
    ((sizeof(BlockHeader) + BLOCK_NODES_MAX * sizeof(BlockNode) +                                  \
      BLOCK_STREAMS_MAX * sizeof(BlockStream) + FORMAT_ALIGNMENT - 1) /                            \
     FORMAT_ALIGNMENT * FORMAT_ALIGNMENT)
#define BLOCK_CAPACITY_FIRST ((size_t)1 << 20)
#define BLOCK_BYTES_MAX ((size_t)UINT32_MAX & ~(size_t)(FORMAT_ALIGNMENT - 1))

static size_t align_up(size_t bytes)
{
    return (bytes + FORMAT_ALIGNMENT - 1) & ~(size_t)(FORMAT_ALIGNMENT - 1);
}

void block_builder_init(BlockBuilder *builder, MemoryBudget *budget)
{
    *builder = (BlockBuilder){.budget = budget};
}

void block_builder_deinit(BlockBuilder *builder)
{
    memory_free(builder->budget, builder->memory, builder->capacity);
    *builder = (BlockBuilder){0};
}

/* Room for `bytes` behind `end`, and the padding behind them. */
static bool builder_reserve(BlockBuilder *builder, size_t bytes)
{
    const size_t wanted = builder->end + bytes + (size_t)2 * FORMAT_ALIGNMENT;
    if (builder->is_failed || bytes > BLOCK_BYTES_MAX || wanted > BLOCK_BYTES_MAX) {
        builder->is_failed = true;
        return false;
    }
    if (wanted <= builder->capacity) {
        return true;
    }
    size_t capacity = builder->capacity == 0 ? BLOCK_CAPACITY_FIRST : builder->capacity;
    while (capacity < wanted) {
        capacity *= 2;
    }
    uint8_t *memory = builder->memory == NULL ? memory_alloc(builder->budget, capacity)
                                              : memory_realloc(builder->budget, builder->memory,
                                                               builder->capacity, capacity);
    if (memory == NULL) {
        builder->is_failed = true;
        return false;
    }
    builder->memory = memory;
    builder->capacity = capacity;
    return true;
}

void block_builder_begin(BlockBuilder *builder)
{
    builder->is_failed = false;
    builder->node_count = builder->stream_count = 0;
    builder->end = BLOCK_GAP_BYTES;
    builder_reserve(builder, 0);
}

BlockNode *block_builder_node(BlockBuilder *builder, uint16_t encoding)
{
    ASSERT(builder->node_count < BLOCK_NODES_MAX);
    BlockNode *node = &builder->nodes[builder->node_count++];
    *node = (BlockNode){.encoding = encoding};
    return node;
}

uint8_t *block_builder_stream(BlockBuilder *builder, StreamKind kind, uint32_t node,
                              size_t bytes_max)
{
    ASSERT(builder->stream_count < BLOCK_STREAMS_MAX);
    if (!builder_reserve(builder, bytes_max)) {
        return NULL;
    }
    BlockStream *stream = &builder->streams[builder->stream_count++];
    *stream = (BlockStream){.kind = (uint16_t)kind,
                            .node = (uint16_t)node,
                            .offset = (uint32_t)(builder->end / FORMAT_ALIGNMENT)};
    return builder->memory + builder->end;
}

void block_builder_close(BlockBuilder *builder, size_t bytes)
{
    if (builder->is_failed) {
        return;
    }
    ASSERT(builder->stream_count > 0);
    builder->streams[builder->stream_count - 1].bytes = bytes;
    const size_t end = align_up(builder->end + bytes);
    memset(builder->memory + builder->end + bytes, 0, end - builder->end - bytes);
    builder->end = end;
}

uint8_t *block_builder_data(BlockBuilder *builder, uint32_t stream)
{
    return builder->memory + (size_t)builder->streams[stream].offset * FORMAT_ALIGNMENT;
}

Status block_builder_finish(BlockBuilder *builder, const BlockIdentity *identity,
                            const BlockHeader *header, const uint8_t **out, size_t *bytes)
{
    if (builder->is_failed) {
        return memory_refused(builder->budget, builder->end, "a block being encoded");
    }
    const size_t node_bytes = builder->node_count * sizeof(BlockNode);
    const size_t stream_bytes = builder->stream_count * sizeof(BlockStream);
    const size_t head_bytes = align_up(sizeof(BlockHeader) + node_bytes + stream_bytes);
    const size_t start = BLOCK_GAP_BYTES - head_bytes;
    for (uint32_t i = 0; i < builder->stream_count; i++) {
        builder->streams[i].offset -= (uint32_t)(start / FORMAT_ALIGNMENT);
    }
    memset(builder->memory + builder->end, 0, FORMAT_ALIGNMENT);
    builder->end += FORMAT_ALIGNMENT;

    uint8_t *block = builder->memory + start;
    BlockHeader *target = (BlockHeader *)block;
    memset(block, 0, head_bytes);
    *target = *header;
    target->magic = BLOCK_MAGIC;
    target->version = FORMAT_VERSION;
    target->cluster = identity->cluster;
    target->table_id = identity->table_id;
    target->rowset_id = identity->rowset_id;
    target->column_id = identity->column_id;
    target->row_group = (uint16_t)identity->row_group;
    target->node_count = (uint8_t)builder->node_count;
    target->stream_count = (uint8_t)builder->stream_count;
    target->block_bytes = (uint32_t)(builder->end - start);
    target->checksum = 0;
    memcpy(block + sizeof *target, builder->nodes, node_bytes);
    memcpy(block + sizeof *target + node_bytes, builder->streams, stream_bytes);
    target->checksum = block_checksum(block, target->block_bytes, identity);
    *out = block;
    *bytes = target->block_bytes;
    return STATUS_OK;
}
