/* rowset_reader.c — see rowset_reader.h. */
#include "storage/rowset_reader.h"

#include <string.h>
#include "base/hash.h"
#include "base/heap.h"
#include "storage/zone_map.h"

#define TAIL_BYTES ((size_t)64 << 10) /* read first: holds most footers */
#define FOOTER_BYTES_MAX ((uint64_t)256 << 20)

static Status rowset_damaged(const RowsetIdentity *identity, const char *what)
{
    return status_error(SQLSTATE_DATA_CORRUPTED, "%s in rowset %llu of table %llu", what,
                        (unsigned long long)identity->rowset_id,
                        (unsigned long long)identity->table_id);
}

static Status check_trailer(const RowsetIdentity *identity, const uint8_t *bytes, size_t byte_count,
                            uint64_t footer_offset, RowsetTrailer *trailer)
{
    if (byte_count < sizeof *trailer + sizeof(FooterHeader)) {
        return rowset_damaged(identity, "footer too short");
    }
    memcpy(trailer, bytes + byte_count - sizeof *trailer, sizeof *trailer);
    const uint64_t file_bytes = footer_offset + byte_count;
    if (trailer->magic != TRAILER_MAGIC || trailer->version != FORMAT_VERSION ||
        trailer->cluster != identity->cluster || trailer->rowset_id != identity->rowset_id ||
        trailer->footer_offset != footer_offset || trailer->file_bytes != file_bytes ||
        trailer->footer_bytes < sizeof(FooterHeader) ||
        trailer->footer_bytes > byte_count - sizeof *trailer) {
        return rowset_damaged(identity, "wrong trailer");
    }
    if ((identity->byte_count != 0 && identity->byte_count != file_bytes) ||
        (identity->footer_checksum != 0 && identity->footer_checksum != trailer->checksum)) {
        return rowset_damaged(identity, "footer other than the manifest's");
    }
    return STATUS_OK;
}

/* The sum is over everything from the footer on, its own field as zero. `bytes` is restored. */
static Status check_sum(const RowsetIdentity *identity, uint8_t *bytes, size_t byte_count,
                        uint64_t checksum)
{
    uint8_t *field = bytes + byte_count - sizeof(RowsetTrailer) + offsetof(RowsetTrailer, checksum);
    memset(field, 0, sizeof checksum);
    const uint64_t found = hash_bytes(bytes, byte_count, identity->cluster ^ identity->rowset_id);
    memcpy(field, &checksum, sizeof checksum);
    return found == checksum ? STATUS_OK : rowset_damaged(identity, "wrong footer checksum");
}

/* One field; `*used` is set for those known. */
static Status parse_field(RowsetFooter *footer, const RowsetIdentity *identity,
                          const FieldHeader *field, const uint8_t *body)
{
    const FooterHeader *header = footer->header;
    const size_t blocks = (size_t)header->column_count * header->row_group_count;
    const void *data = body;
    switch (field->tag & ~FIELD_CRITICAL) {
    case FIELD_COLUMNS:
        footer->columns = data;
        return field->bytes == header->column_count * sizeof(ColumnRecord)
                   ? STATUS_OK
                   : rowset_damaged(identity, "wrong column table");
    case FIELD_ROW_GROUPS:
        footer->row_group_rows = data;
        return field->bytes == header->row_group_count * sizeof(uint32_t)
                   ? STATUS_OK
                   : rowset_damaged(identity, "wrong row group table");
    case FIELD_LOCATIONS:
        footer->locations = data;
        return field->bytes == blocks * sizeof(BlockLocation)
                   ? STATUS_OK
                   : rowset_damaged(identity, "wrong block directory");
    case FIELD_ZONES:
        footer->zones = data;
        return field->bytes == blocks * sizeof(ZoneRecord)
                   ? STATUS_OK
                   : rowset_damaged(identity, "wrong zone maps");
    case FIELD_SORT_KEY:
        footer->sort_keys = data;
        footer->sort_key_count = field->bytes / sizeof(uint32_t);
        return STATUS_OK;
    case FIELD_LOOKUPS:
        footer->lookups = data;
        footer->lookup_count = field->bytes / sizeof(uint32_t);
        return STATUS_OK;
    default:
        return (field->tag & FIELD_CRITICAL) == 0
                   ? STATUS_OK
                   : rowset_damaged(identity, "critical field of a later version");
    }
}

static Status parse_fields(RowsetFooter *footer, const RowsetIdentity *identity, ByteReader *reader)
{
    for (uint32_t i = 0; i < footer->header->field_count; i++) {
        FieldHeader field = {0};
        const uint8_t *head = byte_reader_view(reader, sizeof field);
        if (head != NULL) {
            memcpy(&field, head, sizeof field);
        }
        const uint8_t *body = byte_reader_view(reader, ((size_t)field.bytes + 7) & ~(size_t)7);
        if (!byte_reader_is_ok(reader)) {
            return rowset_damaged(identity, "footer field out of bounds");
        }
        TRY(parse_field(footer, identity, &field, body));
    }
    if (footer->columns == NULL || footer->row_group_rows == NULL || footer->locations == NULL ||
        footer->zones == NULL) {
        return rowset_damaged(identity, "missing footer field");
    }
    return STATUS_OK;
}

/* Row counts, and blocks that fill the file from header to footer without gaps. */
static Status check_contents(const RowsetFooter *footer, const RowsetIdentity *identity,
                             uint64_t footer_offset)
{
    const FooterHeader *header = footer->header;
    uint64_t rows = 0, end = sizeof(RowsetHeader);
    for (uint32_t i = 0; i < header->row_group_count; i++) {
        if (footer->row_group_rows[i] == 0 || footer->row_group_rows[i] > FORMAT_ROW_GROUP_ROWS) {
            return rowset_damaged(identity, "impossible row group");
        }
        rows += footer->row_group_rows[i];
    }
    const size_t blocks = (size_t)header->column_count * header->row_group_count;
    for (size_t i = 0; i < blocks; i++) {
        const BlockLocation *location = &footer->locations[i];
        if (location->offset != end || location->bytes % FORMAT_ALIGNMENT != 0 ||
            location->bytes < 2 * FORMAT_ALIGNMENT ||
            footer->zones[i].row_count != footer->row_group_rows[i % header->row_group_count]) {
            return rowset_damaged(identity, "impossible block directory");
        }
        const Type type = rowset_footer_type(footer, (uint32_t)(i / header->row_group_count));
        if (!type_is_valid(type)) {
            return rowset_damaged(identity, "invalid type");
        }
        TRY(zone_record_verify(&footer->zones[i], type));
        end += location->bytes;
    }
    return rows == header->row_count && end == footer_offset
               ? STATUS_OK
               : rowset_damaged(identity, "row or byte counts that do not add up");
}

static Status parse_footer(RowsetFooter *footer, const RowsetIdentity *identity, size_t byte_count,
                           uint64_t footer_offset)
{
    RowsetTrailer trailer;
    TRY(check_trailer(identity, footer->bytes, byte_count, footer_offset, &trailer));
    TRY(check_sum(identity, footer->bytes, byte_count, trailer.checksum));
    footer->checksum = trailer.checksum;
    footer->header = (const FooterHeader *)(const void *)footer->bytes;
    const FooterHeader *header = footer->header;
    if (header->version != FORMAT_VERSION || header->table_id != identity->table_id ||
        header->rowset_id != identity->rowset_id || header->row_group_count == 0 ||
        header->row_group_count > FORMAT_ROWSET_ROW_GROUPS || header->column_count == 0 ||
        header->column_count > FORMAT_COLUMNS_MAX) {
        return rowset_damaged(identity, "wrong footer");
    }
    ByteReader reader;
    byte_reader_init(&reader, footer->bytes + sizeof *header,
                     trailer.footer_bytes - sizeof *header);
    TRY(parse_fields(footer, identity, &reader));
    return check_contents(footer, identity, footer_offset);
}

Status rowset_footer_parse(const RowsetIdentity *identity, uint8_t *owned_bytes, size_t byte_count,
                           uint64_t footer_offset, RowsetFooter **out)
{
    RowsetFooter *footer = heap_alloc_zeroed(sizeof *footer);
    if (footer == NULL) {
        heap_free(owned_bytes);
        return status_error(SQLSTATE_OUT_OF_MEMORY, "out of memory for a footer");
    }
    footer->bytes = owned_bytes;
    Status status = parse_footer(footer, identity, byte_count, footer_offset);
    if (status != STATUS_OK) {
        rowset_footer_destroy(footer);
        return status;
    }
    *out = footer;
    return STATUS_OK;
}

void rowset_footer_destroy(RowsetFooter *footer)
{
    if (footer != NULL) {
        heap_free(footer->bytes);
        heap_free(footer);
    }
}

bool rowset_footer_has_lookups(const RowsetFooter *footer, uint32_t column_id)
{
    uint32_t i = 0;
    while (i < footer->lookup_count && footer->lookups[i] != column_id) {
        i++;
    }
    return i < footer->lookup_count;
}

Type rowset_footer_type(const RowsetFooter *footer, uint32_t column)
{
    const ColumnRecord *record = &footer->columns[column];
    return (Type){.id = record->type_id,
                  .precision = record->precision,
                  .scale = record->scale,
                  .length = record->length};
}

int32_t rowset_footer_column(const RowsetFooter *footer, uint32_t column_id)
{
    for (uint32_t i = 0; i < footer->header->column_count; i++) {
        if (footer->columns[i].column_id == column_id) {
            return (int32_t)i;
        }
    }
    return -1;
}

Status rowset_create(FileSystem *system, const char *path, const RowsetIdentity *identity,
                     MemoryBudget *budget, Rowset **out)
{
    Rowset *rowset = heap_alloc_zeroed(sizeof *rowset);
    char *copy = heap_strdup(path);
    if (rowset == NULL || copy == NULL) {
        heap_free(rowset);
        heap_free(copy);
        return status_error(SQLSTATE_OUT_OF_MEMORY, "out of memory for a rowset");
    }
    rowset->system = system;
    rowset->budget = budget;
    rowset->path = copy;
    rowset->identity = *identity;
    *out = rowset;
    return STATUS_OK;
}

void rowset_destroy(Rowset *rowset)
{
    rowset_footer_destroy(atomic_load(&rowset->footer));
    file_close(atomic_load(&rowset->file));
    heap_free((void *)atomic_load(&rowset->slots));
    heap_free(rowset->path);
    heap_free(rowset);
}

/* Several threads may get here at once: the first one's footer stays. */
static Status publish_footer(Rowset *rowset, RowsetFooter *footer)
{
    const size_t blocks = (size_t)footer->header->column_count * footer->header->row_group_count;
    struct CacheEntry **slots = heap_alloc_zeroed(blocks * sizeof *slots);
    if (slots == NULL) {
        rowset_footer_destroy(footer);
        return status_error(SQLSTATE_OUT_OF_MEMORY, "out of memory for a rowset");
    }
    struct CacheEntry **no_slots = NULL;
    if (!atomic_compare_exchange_strong(&rowset->slots, &no_slots, slots)) {
        heap_free((void *)slots);
    }
    RowsetFooter *none = NULL;
    if (!atomic_compare_exchange_strong(&rowset->footer, &none, footer)) {
        rowset_footer_destroy(footer);
    }
    return STATUS_OK;
}

Status rowset_take_footer(Rowset *rowset, uint8_t *owned_bytes, size_t byte_count)
{
    RowsetFooter *footer;
    TRY(rowset_footer_parse(&rowset->identity, owned_bytes, byte_count,
                            rowset->identity.byte_count - byte_count, &footer));
    return publish_footer(rowset, footer);
}

static Status open_file(Rowset *rowset, File **out)
{
    *out = atomic_load(&rowset->file);
    if (*out != NULL) {
        return STATUS_OK;
    }
    File *file, *none = NULL;
    TRY(file_open(rowset->system, rowset->path, FILE_READ | FILE_DIRECT, &file));
    if (atomic_compare_exchange_strong(&rowset->file, &none, file)) {
        *out = file;
    } else {
        file_close(file);
        *out = none;
    }
    return STATUS_OK;
}

/* Footer bytes of a file: the end is read first and tells where the footer starts. */
static Status read_footer(Rowset *rowset, File *file, uint8_t **bytes, size_t *byte_count,
                          uint64_t *footer_offset)
{
    uint64_t file_bytes;
    FilePiece piece;
    RowsetTrailer trailer;
    TRY(file_size(file, &file_bytes));
    if (file_bytes < FORMAT_FILE_ALIGNMENT) {
        return rowset_damaged(&rowset->identity, "file too short");
    }
    const size_t tail = file_bytes < TAIL_BYTES ? (size_t)file_bytes : TAIL_BYTES;
    TRY(column_file_read(file, file_bytes - tail, tail, rowset->budget, &piece));
    memcpy(&trailer, piece.data + tail - sizeof trailer, sizeof trailer);
    const uint64_t wanted = file_bytes - trailer.footer_offset;
    if (trailer.magic != TRAILER_MAGIC || trailer.footer_offset > file_bytes ||
        wanted > FOOTER_BYTES_MAX || wanted < sizeof trailer) {
        file_piece_free(&piece, rowset->budget);
        return rowset_damaged(&rowset->identity, "wrong trailer");
    }
    if (wanted > tail) {
        file_piece_free(&piece, rowset->budget);
        TRY(column_file_read(file, trailer.footer_offset, (size_t)wanted, rowset->budget, &piece));
    }
    const uint8_t *source = wanted > tail ? piece.data : piece.data + tail - wanted;
    *bytes = heap_alloc((size_t)wanted);
    if (*bytes != NULL) {
        memcpy(*bytes, source, (size_t)wanted);
    }
    file_piece_free(&piece, rowset->budget);
    *byte_count = (size_t)wanted;
    *footer_offset = trailer.footer_offset;
    return *bytes != NULL ? STATUS_OK
                          : status_error(SQLSTATE_OUT_OF_MEMORY, "out of memory for a footer");
}

Status rowset_footer(Rowset *rowset, const RowsetFooter **out)
{
    *out = atomic_load(&rowset->footer);
    if (*out != NULL) {
        return STATUS_OK;
    }
    File *file;
    uint8_t *bytes = NULL;
    size_t byte_count = 0;
    uint64_t offset = 0;
    RowsetFooter *footer;
    TRY(open_file(rowset, &file));
    TRY(read_footer(rowset, file, &bytes, &byte_count, &offset));
    TRY(rowset_footer_parse(&rowset->identity, bytes, byte_count, offset, &footer));
    TRY(publish_footer(rowset, footer));
    *out = atomic_load(&rowset->footer);
    return STATUS_OK;
}

Status rowset_read_blocks(Rowset *rowset, uint32_t column, uint32_t first_row_group, uint32_t count,
                          FilePiece *out)
{
    const RowsetFooter *footer = atomic_load(&rowset->footer);
    const BlockLocation *first =
        &footer->locations[rowset_footer_block(footer, column, first_row_group)];
    const BlockLocation *last = first + count - 1;
    File *file;
    TRY(open_file(rowset, &file));
    return column_file_read(file, first->offset,
                            (size_t)(last->offset + last->bytes - first->offset), rowset->budget,
                            out);
}

BlockIdentity rowset_block_identity(const Rowset *rowset, const RowsetFooter *footer,
                                    uint32_t column, uint32_t row_group)
{
    return (BlockIdentity){.cluster = rowset->identity.cluster,
                           .table_id = rowset->identity.table_id,
                           .rowset_id = rowset->identity.rowset_id,
                           .column_id = footer->columns[column].column_id,
                           .row_group = row_group};
}

Status rowset_check_header(const RowsetIdentity *identity, const void *bytes)
{
    RowsetHeader header;
    memcpy(&header, bytes, sizeof header);
    const uint64_t checksum = header.checksum;
    header.checksum = 0;
    if (header.magic != ROWSET_MAGIC || checksum != hash_bytes(&header, sizeof header, 0)) {
        return rowset_damaged(identity, "wrong file header");
    }
    if (header.version != FORMAT_VERSION || header.flags != 0 ||
        header.cluster != identity->cluster || header.table_id != identity->table_id ||
        header.rowset_id != identity->rowset_id || header.vector_rows != FORMAT_VECTOR_ROWS ||
        header.row_group_rows != FORMAT_ROW_GROUP_ROWS) {
        return rowset_damaged(identity, "another rowset's file header");
    }
    return STATUS_OK;
}
