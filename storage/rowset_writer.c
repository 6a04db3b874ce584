/* rowset_writer.c — see rowset_writer.h; the layout is format.h's. */
#include "storage/rowset_writer.h"

#include <string.h>
#include "base/byte_buffer.h"
#include "base/fault.h"
#include "base/hash.h"
#include "base/heap.h"

#define CHUNK_BYTES ((size_t)4 << 20)
#define FOOTER_BYTES_MAX ((size_t)256 << 20)

/* Blocks lie end to end in chunks of pool memory. */
typedef struct BlockChunk {
    uint8_t *memory;
    size_t capacity, used;
} BlockChunk;

typedef struct GatheredBlock {
    const uint8_t *bytes; /* null: not there yet */
    uint32_t byte_count;
    uint64_t checksum;
    ZoneRecord zone;
} GatheredBlock;

struct RowsetWriter {
    RowsetPlace place;
    MemoryBudget *budget;
    uint32_t column_count;
    RowsetColumn *columns;
    uint32_t row_group_count;
    uint32_t row_group_rows[FORMAT_ROWSET_ROW_GROUPS];
    uint64_t row_count;
    GatheredBlock *blocks; /* column_count × FORMAT_ROWSET_ROW_GROUPS, column by column */
    uint32_t sort_key_count;
    uint32_t *sort_keys; /* column ids */
    BlockChunk *chunks;
    uint32_t chunk_count, chunk_capacity;
};

Status rowset_writer_create(const RowsetPlace *place, const RowsetColumn *columns,
                            uint32_t column_count, MemoryBudget *budget, RowsetWriter **out)
{
    RowsetWriter *writer = heap_alloc_zeroed(sizeof *writer);
    if (writer == NULL) {
        return memory_refused(budget, sizeof *writer, "a rowset being written");
    }
    writer->place = *place;
    writer->budget = budget;
    writer->column_count = column_count;
    writer->columns = heap_alloc(column_count * sizeof *columns);
    writer->blocks =
        heap_alloc_zeroed((size_t)column_count * FORMAT_ROWSET_ROW_GROUPS * sizeof *writer->blocks);
    writer->sort_keys = heap_alloc(column_count * sizeof *writer->sort_keys);
    if (writer->columns == NULL || writer->blocks == NULL || writer->sort_keys == NULL) {
        rowset_writer_destroy(writer);
        return memory_refused(budget, column_count * sizeof *writer->blocks,
                              "a rowset being written");
    }
    memcpy(writer->columns, columns, column_count * sizeof *columns);
    *out = writer;
    return STATUS_OK;
}

void rowset_writer_destroy(RowsetWriter *writer)
{
    if (writer == NULL) {
        return;
    }
    for (uint32_t i = 0; i < writer->chunk_count; i++) {
        memory_free(writer->budget, writer->chunks[i].memory, writer->chunks[i].capacity);
    }
    heap_free(writer->chunks);
    heap_free(writer->columns);
    heap_free(writer->blocks);
    heap_free(writer->sort_keys);
    heap_free(writer);
}

uint32_t rowset_writer_row_group_count(const RowsetWriter *writer)
{
    return writer->row_group_count;
}

uint64_t rowset_writer_row_count(const RowsetWriter *writer)
{
    return writer->row_count;
}

const RowsetPlace *rowset_writer_place(const RowsetWriter *writer)
{
    return &writer->place;
}

BlockIdentity rowset_writer_identity(const RowsetWriter *writer, uint32_t column,
                                     uint32_t row_group)
{
    return (BlockIdentity){.cluster = writer->place.cluster,
                           .table_id = writer->place.table_id,
                           .rowset_id = writer->place.rowset_id,
                           .column_id = writer->columns[column].column_id,
                           .row_group = row_group};
}

/* Room for a block in the last chunk, or in a new one. */
static uint8_t *chunk_reserve(RowsetWriter *writer, size_t bytes)
{
    if (writer->chunk_count > 0) {
        BlockChunk *last = &writer->chunks[writer->chunk_count - 1];
        if (last->capacity - last->used >= bytes) {
            last->used += bytes;
            return last->memory + last->used - bytes;
        }
    }
    if (writer->chunk_count == writer->chunk_capacity) {
        const uint32_t capacity = writer->chunk_capacity == 0 ? 16 : 2 * writer->chunk_capacity;
        BlockChunk *chunks = heap_realloc(writer->chunks, capacity * sizeof *chunks);
        if (chunks == NULL) {
            return NULL;
        }
        writer->chunks = chunks;
        writer->chunk_capacity = capacity;
    }
    // The first chunks are small: most rowsets of small tables never need more.
    size_t capacity =
        writer->chunk_count < 4 ? CHUNK_BYTES >> (4 - writer->chunk_count) : CHUNK_BYTES;
    capacity = bytes > capacity ? bytes : capacity;
    uint8_t *memory = memory_alloc(writer->budget, capacity);
    if (memory == NULL) {
        return NULL;
    }
    writer->chunks[writer->chunk_count++] =
        (BlockChunk){.memory = memory, .capacity = capacity, .used = bytes};
    return memory;
}

static GatheredBlock *gathered(const RowsetWriter *writer, uint32_t column, uint32_t row_group)
{
    return &writer->blocks[(size_t)column * FORMAT_ROWSET_ROW_GROUPS + row_group];
}

Status rowset_writer_add(RowsetWriter *writer, uint32_t column, uint32_t row_group,
                         const EncodedBlock *block)
{
    uint8_t *target = chunk_reserve(writer, block->byte_count);
    if (target == NULL) {
        return memory_refused(writer->budget, block->byte_count, "encoded row groups");
    }
    memcpy(target, block->bytes, block->byte_count);
    *gathered(writer, column, row_group) =
        (GatheredBlock){.bytes = target,
                        .byte_count = (uint32_t)block->byte_count,
                        .checksum = ((const BlockHeader *)(const void *)block->bytes)->checksum,
                        .zone = block->zone};
    return STATUS_OK;
}

void rowset_writer_end_row_group(RowsetWriter *writer, uint32_t row_count)
{
    ASSERT(writer->row_group_count < FORMAT_ROWSET_ROW_GROUPS);
    writer->row_group_rows[writer->row_group_count++] = row_count;
    writer->row_count += row_count;
}

void rowset_writer_set_sort_keys(RowsetWriter *writer, const uint32_t *columns, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        writer->sort_keys[i] = writer->columns[columns[i]].column_id;
    }
    writer->sort_key_count = count;
}

const uint8_t *rowset_writer_block(const RowsetWriter *writer, uint32_t column, uint32_t row_group,
                                   size_t *bytes)
{
    const GatheredBlock *block = gathered(writer, column, row_group);
    *bytes = block->byte_count;
    return block->bytes;
}

uint32_t rowset_writer_row_group_rows(const RowsetWriter *writer, uint32_t row_group)
{
    return writer->row_group_rows[row_group];
}

/* Footer fields, one after the other. */

static void add_field(ByteBuffer *footer, uint16_t tag, size_t bytes)
{
    const FieldHeader field = {.tag = tag, .version = FORMAT_VERSION, .bytes = (uint32_t)bytes};
    byte_buffer_add(footer, &field, sizeof field);
}

static void add_columns(const RowsetWriter *writer, ByteBuffer *footer)
{
    add_field(footer, FIELD_COLUMNS | FIELD_CRITICAL, writer->column_count * sizeof(ColumnRecord));
    for (uint32_t i = 0; i < writer->column_count; i++) {
        const RowsetColumn *column = &writer->columns[i];
        const ColumnRecord record = {.column_id = column->column_id,
                                     .type_id = column->type.id,
                                     .precision = column->type.precision,
                                     .scale = column->type.scale,
                                     .length = column->type.length};
        byte_buffer_add(footer, &record, sizeof record);
    }
}

static void add_row_groups(const RowsetWriter *writer, ByteBuffer *footer)
{
    const size_t bytes = writer->row_group_count * sizeof(uint32_t);
    add_field(footer, FIELD_ROW_GROUPS | FIELD_CRITICAL, bytes);
    byte_buffer_add(footer, writer->row_group_rows, bytes);
    byte_buffer_align(footer, 8);
}

/* Blocks follow the header column by column. */
static void add_locations(const RowsetWriter *writer, ByteBuffer *footer)
{
    uint64_t offset = sizeof(RowsetHeader);
    add_field(footer, FIELD_LOCATIONS | FIELD_CRITICAL,
              (size_t)writer->column_count * writer->row_group_count * sizeof(BlockLocation));
    for (uint32_t column = 0; column < writer->column_count; column++) {
        for (uint32_t row_group = 0; row_group < writer->row_group_count; row_group++) {
            const GatheredBlock *block = gathered(writer, column, row_group);
            const BlockLocation location = {
                .offset = offset, .checksum = block->checksum, .bytes = block->byte_count};
            byte_buffer_add(footer, &location, sizeof location);
            offset += block->byte_count;
        }
    }
}

static void add_zones(const RowsetWriter *writer, ByteBuffer *footer)
{
    add_field(footer, FIELD_ZONES,
              (size_t)writer->column_count * writer->row_group_count * sizeof(ZoneRecord));
    for (uint32_t column = 0; column < writer->column_count; column++) {
        for (uint32_t row_group = 0; row_group < writer->row_group_count; row_group++) {
            byte_buffer_add(footer, &gathered(writer, column, row_group)->zone, sizeof(ZoneRecord));
        }
    }
}

static uint32_t count_lookups(const RowsetWriter *writer)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < writer->column_count; i++) {
        count += writer->columns[i].is_looked_up;
    }
    return count;
}

static void add_lookups(const RowsetWriter *writer, ByteBuffer *footer, uint32_t count)
{
    add_field(footer, FIELD_LOOKUPS, count * sizeof(uint32_t));
    for (uint32_t i = 0; i < writer->column_count; i++) {
        if (writer->columns[i].is_looked_up) {
            byte_buffer_add_u32(footer, writer->columns[i].column_id);
        }
    }
    byte_buffer_align(footer, 8);
}

static uint64_t blocks_end(const RowsetWriter *writer)
{
    uint64_t end = sizeof(RowsetHeader);
    for (uint32_t column = 0; column < writer->column_count; column++) {
        for (uint32_t row_group = 0; row_group < writer->row_group_count; row_group++) {
            end += gathered(writer, column, row_group)->byte_count;
        }
    }
    return end;
}

/* Footer, zeroes up to a multiple of the file's alignment, trailer. */
static void build_footer(const RowsetWriter *writer, ByteBuffer *footer, RowsetTrailer *trailer)
{
    const RowsetPlace *place = &writer->place;
    const uint32_t lookups = count_lookups(writer);
    const FooterHeader header = {.version = FORMAT_VERSION,
                                 .field_count = 4u + (writer->sort_key_count > 0) + (lookups > 0),
                                 .table_id = place->table_id,
                                 .rowset_id = place->rowset_id,
                                 .row_count = writer->row_count,
                                 .column_count = writer->column_count,
                                 .row_group_count = writer->row_group_count,
                                 .first_bucket = place->first_bucket,
                                 .last_bucket = place->last_bucket,
                                 .slice = place->slice,
                                 .txn_id = place->txn_id};
    byte_buffer_add(footer, &header, sizeof header);
    add_columns(writer, footer);
    add_row_groups(writer, footer);
    add_locations(writer, footer);
    add_zones(writer, footer);
    if (writer->sort_key_count > 0) {
        add_field(footer, FIELD_SORT_KEY, writer->sort_key_count * sizeof(uint32_t));
        byte_buffer_add(footer, writer->sort_keys, writer->sort_key_count * sizeof(uint32_t));
        byte_buffer_align(footer, 8);
    }
    if (lookups > 0) {
        add_lookups(writer, footer, lookups);
    }
    const uint64_t start = blocks_end(writer), fields_end = start + footer->bytes;
    const uint64_t file_bytes = (fields_end + sizeof *trailer + FORMAT_FILE_ALIGNMENT - 1) &
                                ~(uint64_t)(FORMAT_FILE_ALIGNMENT - 1);
    *trailer = (RowsetTrailer){.footer_offset = start,
                               .footer_bytes = footer->bytes,
                               .file_bytes = file_bytes,
                               .cluster = place->cluster,
                               .rowset_id = place->rowset_id,
                               .version = FORMAT_VERSION,
                               .magic = TRAILER_MAGIC};
    const size_t zeroes = (size_t)(file_bytes - fields_end - sizeof *trailer);
    uint8_t *target = byte_buffer_reserve(footer, zeroes);
    if (target != NULL) {
        memset(target, 0, zeroes);
        byte_buffer_commit(footer, zeroes);
    }
    byte_buffer_add(footer, trailer, sizeof *trailer);
    if (!footer->is_failed) {
        trailer->checksum =
            hash_bytes(footer->data, footer->bytes, place->cluster ^ place->rowset_id);
        memcpy(footer->data + footer->bytes - sizeof *trailer, trailer, sizeof *trailer);
    }
}

static RowsetHeader build_header(const RowsetPlace *place)
{
    RowsetHeader header = {.magic = ROWSET_MAGIC,
                           .version = FORMAT_VERSION,
                           .cluster = place->cluster,
                           .table_id = place->table_id,
                           .rowset_id = place->rowset_id,
                           .vector_rows = FORMAT_VECTOR_ROWS,
                           .row_group_rows = FORMAT_ROW_GROUP_ROWS};
    header.checksum = hash_bytes(&header, sizeof header, 0);
    return header;
}

static Status write_blocks(const RowsetWriter *writer, ColumnFileWriter *file)
{
    const RowsetHeader header = build_header(&writer->place);
    TRY(column_file_append(file, &header, sizeof header));
    for (uint32_t column = 0; column < writer->column_count; column++) {
        for (uint32_t row_group = 0; row_group < writer->row_group_count; row_group++) {
            const GatheredBlock *block = gathered(writer, column, row_group);
            TRY(column_file_append(file, block->bytes, block->byte_count));
        }
    }
    return STATUS_OK;
}

Status rowset_writer_seal(RowsetWriter *writer, const char *path, SealedRowset *out)
{
    ByteBuffer footer;
    RowsetTrailer trailer;
    ColumnFileWriter file = {0};
    Status status;
    ASSERT(writer->row_group_count > 0);
    byte_buffer_init(&footer, FOOTER_BYTES_MAX);
    build_footer(writer, &footer, &trailer);
    TRY_OR(cleanup, byte_buffer_status(&footer));
    TRY_OR(cleanup, FAULT("storage.before_rowset"));
    TRY_OR(cleanup, column_file_create(&file, writer->place.system, path, trailer.file_bytes,
                                       writer->budget));
    status = write_blocks(writer, &file);
    if (status == STATUS_OK) {
        status = column_file_append(&file, footer.data, footer.bytes);
    }
    if (status == STATUS_OK) {
        status = column_file_finish(&file, &out->file);
    }
    if (status != STATUS_OK) {
        column_file_abandon(&file);
        status_ignore(file_remove(writer->place.system, path), "the write already failed");
        goto cleanup;
    }
    out->byte_count = trailer.file_bytes;
    out->footer_checksum = trailer.checksum;
    out->footer = footer.data; // the buffer's memory is of the heap
    out->footer_bytes = footer.bytes;
    return STATUS_OK;
cleanup:
    byte_buffer_deinit(&footer);
    return status;
}
