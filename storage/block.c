/* block.c — see block.h and the layout in format.h. */
#include "storage/block.h"

#include <stdlib.h>
#include <string.h>
#include "base/hash.h"
#include "storage/encoding/encoding.h"

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

uint64_t cluster_fold(const uint8_t cluster_id[16])
{
    return hash_bytes(cluster_id, 16, 0);
}

/* The sum covers the whole block with its own field as zero: what precedes it, then what follows.
 */
uint64_t block_checksum(const void *block, size_t bytes, const BlockIdentity *identity)
{
    const uint8_t *data = block;
    uint8_t head[sizeof(BlockHeader)];
    const uint64_t seed = hash_bytes(identity, sizeof *identity, FORMAT_VERSION);
    memcpy(head, data, sizeof head);
    memset(head + offsetof(BlockHeader, checksum), 0, sizeof(uint64_t));
    return hash_bytes(data + sizeof head, bytes - sizeof head, hash_bytes(head, sizeof head, seed));
}
static_assert(sizeof(BlockIdentity) == 32, "identities are hashed as bytes: no padding");

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

static Status identity_damaged(const BlockIdentity *identity, const char *what)
{
    return status_error(SQLSTATE_DATA_CORRUPTED,
                        "%s in block of table %llu, column %u, rowset %llu, row group %u", what,
                        (unsigned long long)identity->table_id, identity->column_id,
                        (unsigned long long)identity->rowset_id, identity->row_group);
}

Status block_damaged(const Block *block, const char *what)
{
    const BlockHeader *header = block->header;
    const BlockIdentity identity = {.cluster = header->cluster,
                                    .table_id = header->table_id,
                                    .rowset_id = header->rowset_id,
                                    .column_id = header->column_id,
                                    .row_group = header->row_group};
    return identity_damaged(&identity, what);
}

const BlockStream *block_stream(const Block *block, StreamKind kind, uint32_t node)
{
    for (uint32_t i = 0; i < block->header->stream_count; i++) {
        if (block->streams[i].kind == kind && block->streams[i].node == node) {
            return &block->streams[i];
        }
    }
    return NULL;
}

/* Identity, version, checksum. */
static Status check_header(const uint8_t *bytes, size_t byte_count, const BlockIdentity *identity)
{
    const BlockHeader *header = (const BlockHeader *)bytes;
    if (byte_count < sizeof *header + FORMAT_ALIGNMENT || byte_count % FORMAT_ALIGNMENT != 0) {
        return identity_damaged(identity, "wrong length");
    }
    if (header->magic != BLOCK_MAGIC) {
        return identity_damaged(identity, "wrong magic number");
    }
    if (header->checksum != block_checksum(bytes, byte_count, identity)) {
        return identity_damaged(identity, "wrong checksum");
    }
    if (header->version != FORMAT_VERSION) {
        return identity_damaged(identity, "unknown format version");
    }
    if (header->encryption != 0) {
        return identity_damaged(identity, "unknown encryption");
    }
    if (header->cluster != identity->cluster || header->table_id != identity->table_id ||
        header->rowset_id != identity->rowset_id || header->column_id != identity->column_id ||
        header->row_group != identity->row_group || header->block_bytes != byte_count) {
        return identity_damaged(identity, "another block's header");
    }
    return STATUS_OK;
}

/* Counts and the bounds of every stream. */
static Status check_structure(Block *block)
{
    const BlockHeader *header = block->header;
    const size_t head_bytes = sizeof *header + header->node_count * sizeof(BlockNode) +
                              header->stream_count * sizeof(BlockStream);
    if (header->node_count == 0 || header->node_count > BLOCK_NODES_MAX ||
        header->stream_count > BLOCK_STREAMS_MAX ||
        align_up(head_bytes) + FORMAT_ALIGNMENT > header->block_bytes || header->row_count == 0 ||
        header->row_count > FORMAT_ROW_GROUP_ROWS || header->null_count > header->row_count) {
        return block_damaged(block, "impossible counts");
    }
    for (uint32_t i = 0; i < header->stream_count; i++) {
        const BlockStream *stream = &block->streams[i];
        const uint64_t offset = (uint64_t)stream->offset * FORMAT_ALIGNMENT;
        const uint64_t room = header->block_bytes - FORMAT_ALIGNMENT;
        if (offset < align_up(head_bytes) || offset > room || stream->bytes > room - offset ||
            stream->node >= header->node_count) {
            return block_damaged(block, "stream out of bounds");
        }
    }
    return STATUS_OK;
}

/* Validity, vector entries and data, which most encodings have. */
static Status find_streams(Block *block)
{
    const BlockHeader *header = block->header;
    const BlockStream *validity = block_stream(block, STREAM_VALIDITY, 0);
    const BlockStream *vectors = block_stream(block, STREAM_VECTORS, 0);
    const BlockStream *data = block_stream(block, STREAM_DATA, 0);
    const size_t validity_bytes = (size_t)block->vector_count * VALIDITY_WORDS * sizeof(uint64_t);
    const bool is_mixed = header->null_count > 0 && header->null_count < header->row_count;
    if (validity != NULL) {
        if (validity->bytes != validity_bytes) {
            return block_damaged(block, "wrong validity stream");
        }
        block->validity = (const uint64_t *)(const void *)block_stream_data(block, validity);
        uint64_t present = 0;
        for (size_t i = 0; i < validity_bytes / sizeof(uint64_t); i++) {
            present += (uint64_t)__builtin_popcountll(block->validity[i]);
        }
        if (present != header->row_count - header->null_count) {
            return block_damaged(block, "wrong null count");
        }
    } else if (is_mixed) {
        return block_damaged(block, "missing validity stream");
    }
    if (vectors != NULL) {
        if (vectors->bytes != block->vector_count * sizeof(VectorEntry)) {
            return block_damaged(block, "wrong vector directory");
        }
        block->vectors = (const VectorEntry *)(const void *)block_stream_data(block, vectors);
    }
    if (data != NULL) {
        block->data = block_stream_data(block, data);
        block->data_bytes = data->bytes;
    }
    return STATUS_OK;
}

static Lane lane_of_type(Type type)
{
    return type_is_scaled_integer(type) ? LANE_I64 : type_widest_lane(type);
}

Status block_open(const uint8_t *bytes, size_t byte_count, const BlockIdentity *identity, Type type,
                  MemoryBudget *budget, Block *out)
{
    TRY(check_header(bytes, byte_count, identity));
    const BlockHeader *header = (const BlockHeader *)bytes;
    Block block = {
        .header = header,
        .bytes = bytes,
        .nodes = (const BlockNode *)(const void *)(bytes + sizeof *header),
        .type = type,
        .row_count = header->row_count,
        .vector_count = (header->row_count + VECTOR_ROWS - 1) / VECTOR_ROWS,
        .budget = budget,
    };
    block.streams = (const BlockStream *)(const void *)(block.nodes + header->node_count);
    TRY(check_structure(&block));
    TRY(find_streams(&block));
    if (header->lane != lane_of_type(type)) {
        return block_damaged(&block, "lane of another type");
    }
    block.encoding = encoding_ops(block.nodes[0].encoding);
    if (block.encoding == NULL) {
        return block_damaged(&block, "unknown encoding");
    }
    if (header->null_count == header->row_count && block.encoding->id != ENCODING_CONSTANT) {
        return block_damaged(&block, "nulls alone, but not constant");
    }
    Status status = block.encoding->open(&block);
    if (status != STATUS_OK) {
        block_close(&block);
        return status;
    }
    *out = block;
    return STATUS_OK;
}

void block_close(Block *block)
{
    if (block->derived != NULL) {
        memory_free(block->budget, block->derived, block->derived_bytes);
        block->derived = NULL;
    }
}
