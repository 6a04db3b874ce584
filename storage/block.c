/* block.c — see block.h and the layout in format.h. */
#include "storage/block.h"

#include <stdlib.h>
#include <string.h>
#include "base/hash.h"
#include "base/types/decimal.h"
#include "base/vector/vector_kernels.h"
#include "storage/encoding/encoding.h"
#include "storage/lookup_filter.h"

static size_t align_up(size_t bytes)
{
    return (bytes + FORMAT_ALIGNMENT - 1) & ~(size_t)(FORMAT_ALIGNMENT - 1);
}

uint64_t cluster_fold(const uint8_t cluster_id[16])
{
    return hash_bytes(cluster_id, 16, 0);
}

/* The sum covers the whole block with its own field as zero: what precedes it, then what
 * follows. */
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

bool block_can_be_base(const Block *base, const Block *block)
{
    return base->row_count == block->row_count && base->header->lane == LANE_I64 &&
           base->header->row_group == block->header->row_group && !base->encoding->needs_base;
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
    const BlockStream *lookup = block_stream(block, STREAM_LOOKUP, 0);
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
    if (lookup != NULL && (header->lane != LANE_TEXT || !lookup_filter_is_sound(lookup))) {
        return block_damaged(block, "wrong lookup filter");
    }
    return STATUS_OK;
}

static bool dictionary_is_bounded(const Block *block)
{
    const int64_t *entries = block->dictionary.entries;
    for (uint32_t i = 0; i < block->dictionary.entry_count; i++) {
        if (entries[i] < block->lo || entries[i] > block->hi) {
            return false;
        }
    }
    return true;
}

/* The values of a vector lie within the bounds it comes with, whose width kernels and arrays of the
 * engine are chosen by. */
static bool vector_is_bounded(const Block *block, uint32_t number, const Vector *vector)
{
    int64_t min, max;
    if (vector->form != VECTOR_FLAT) {
        return true; // a constant is its own bound
    }
    KERNELS(vector_kernels)
        ->min_max[vector->lane](vector->data, block_vector_rows(block, number), &min, &max);
    // The vector's own bounds come from its entry, the block's from its node: both must hold.
    // Narrow lanes are offsets from the base, which no bound of the type can make overflow.
    const Int128 lowest = (Int128)min + vector->base, highest = (Int128)max + vector->base;
    return lowest >= vector->lo && lowest >= block->lo && highest <= vector->hi &&
           highest <= block->hi;
}

/* Decimals of 128 bits have no bounds but their precision. */
static bool wides_are_bounded(const Block *block, uint32_t number, const Vector *vector)
{
    const Int128 limit = decimal_power_of_ten(block->type.precision);
    const Int128 *values = vector->data;
    const uint32_t rows = vector->form == VECTOR_CONSTANT ? 1 : block_vector_rows(block, number);
    for (uint32_t i = 0; i < rows; i++) {
        if (validity_get(vector->validity, i) && (values[i] >= limit || values[i] <= -limit)) {
            return false;
        }
    }
    return true;
}

/* One look at all integers when a block enters: what the checksum passed may still be a lie. */
static Status check_values(const Block *block)
{
    const bool is_wide = block->header->lane == LANE_I128;
    if (!is_wide && (block->lo > block->hi || block->lo < type_int64_min(block->type) ||
                     block->hi > type_int64_max(block->type))) {
        return block_damaged(block, "impossible bounds");
    }
    if (block->has_dictionary) {
        return dictionary_is_bounded(block) ? STATUS_OK
                                            : block_damaged(block, "values beyond their bounds");
    }
    if (block->encoding->needs_base) {
        return STATUS_OK; // its values are looked at whenever they are decoded
    }
    DecodeBuffer buffer;
    TRY(decode_buffer_init(&buffer, block->budget));
    Status status = STATUS_OK;
    for (uint32_t v = 0; v < block->vector_count && status == STATUS_OK; v++) {
        Vector vector;
        status = block->encoding->decode(block, v, NULL, 0, &buffer, &vector);
        if (status == STATUS_OK &&
            !(is_wide ? wides_are_bounded : vector_is_bounded)(block, v, &vector)) {
            status = block_damaged(block, "values beyond their bounds");
        }
    }
    decode_buffer_deinit(&buffer);
    return status;
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
    if (status == STATUS_OK && (header->lane == LANE_I64 || type.id == TYPE_DECIMAL)) {
        status = check_values(&block);
    }
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
