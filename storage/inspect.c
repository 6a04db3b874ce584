/*
 * inspect.c — see inspect.h. Everything is read as a node would read it, but nothing is skipped:
 * every byte of a file is covered by one of the sums checked here, and every vector is decoded.
 */
#include "storage/inspect.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/heap.h"
#include "base/io/wal_guard.h"
#include "storage/encoding/encoding.h"
#include "storage/manifest_store.h"
#include "storage/node_identity.h"
#include "storage/rowset_reader.h"
#include "storage/zone_map.h"

#define PATH_BYTES 4096
#define MEMORY_BYTES ((size_t)2 << 30)

/* What the database says of a rowset or INSERT batch. */
typedef struct ListedRows {
    uint64_t rowset_id, table_id, row_count;
} ListedRows;

/* A block in memory, opened. */
typedef struct OpenedBlock {
    uint8_t *bytes; /* null: not open */
    size_t byte_count;
    Block block;
} OpenedBlock;

/* The base column of the block being looked at. */
typedef struct InspectedBase {
    BaseReader reader;
    struct Inspection *inspection;
    Rowset *rowset;
    const RowsetFooter *footer;
    uint32_t row_group;
    OpenedBlock opened;
    DecodeBuffer buffer;
    Vector vector;
} InspectedBase;

typedef struct Inspection {
    FileSystem *system;
    bool is_verbose;
    ByteBuffer *target;
    InspectReport *report;
    MemoryBudget *budget;
    DecodeBuffer buffer;
    InspectedBase base;
    uint64_t cluster;   /* of the database being looked at */
    ListedRows *listed; /* its rows, in the order of rowset ids */
    uint32_t listed_count, listed_capacity;
    char path[PATH_BYTES];
} Inspection;

/* One line per fault: the file and what is wrong with which part of it. */
static void report_fault(Inspection *inspection, Status owned_fault)
{
    inspection->report->faults++;
    byte_buffer_printf(inspection->target, "%s: %s\n", inspection->path,
                       status_message(owned_fault));
    status_free(owned_fault);
}

/* Faults of the file are lines; only what keeps us from looking further is returned. */
static bool is_fault(Status status)
{
    const SqlState state = status_sqlstate(status);
    return state == SQLSTATE_DATA_CORRUPTED || state == SQLSTATE_IO_ERROR ||
           state == SQLSTATE_UNDEFINED_FILE;
}

static Status note(Inspection *inspection, Status owned_status)
{
    if (owned_status != STATUS_OK && is_fault(owned_status)) {
        report_fault(inspection, owned_status);
        return STATUS_OK;
    }
    return owned_status;
}

/* Every vector decodes, and the zone map says what the block says. */
static Status check_block(Inspection *inspection, const Block *block, const ZoneRecord *zone)
{
    for (uint32_t v = 0; v < block->vector_count; v++) {
        Vector vector;
        TRY(block->encoding->decode(block, v, NULL, 0, &inspection->buffer, &vector));
        if (type_is_scaled_integer(block->type) && block->header->null_count < block->row_count) {
            int64_t min, max;
            if (!zone_record_int64(zone, &min, &max) || vector.lo < min || vector.hi > max) {
                return block_damaged(block, "vector beyond the zone map");
            }
        }
    }
    if (block->row_count != zone->row_count || block->header->null_count != zone->null_count ||
        block->header->flags != zone->flags) {
        return block_damaged(block, "zone map of another block");
    }
    return STATUS_OK;
}

static void print_block(Inspection *inspection, const Block *block, const ZoneRecord *zone)
{
    if (!inspection->is_verbose) {
        return;
    }
    byte_buffer_printf(inspection->target, "  column %u row group %u: %s", block->header->column_id,
                       block->header->row_group, block->encoding->name);
    if (block->encoding->needs_base) {
        byte_buffer_printf(inspection->target, " from column %u",
                           (uint32_t)block->nodes[0].parameter);
    }
    byte_buffer_printf(inspection->target, ", %u rows, %u nulls, %u bytes, ", block->row_count,
                       block->header->null_count, block->header->block_bytes);
    zone_record_print(zone, block->type, inspection->target);
    byte_buffer_printf(inspection->target, "\n");
}

static void close_block(Inspection *inspection, OpenedBlock *opened)
{
    if (opened->bytes != NULL) {
        block_close(&opened->block);
        memory_free(inspection->budget, opened->bytes, opened->byte_count);
    }
    *opened = (OpenedBlock){0};
}

static Status open_block(Inspection *inspection, Rowset *rowset, const RowsetFooter *footer,
                         uint32_t column, uint32_t row_group, OpenedBlock *out)
{
    const size_t bytes = footer->locations[rowset_footer_block(footer, column, row_group)].bytes;
    const BlockIdentity identity = rowset_block_identity(rowset, footer, column, row_group);
    FilePiece piece;
    TRY(rowset_read_blocks(rowset, column, row_group, 1, &piece));
    uint8_t *copy = memory_alloc(inspection->budget, bytes); // aligned as blocks want it
    Status status = STATUS_OK;
    if (copy == NULL) {
        status = memory_refused(inspection->budget, bytes, "a block");
    } else {
        memcpy(copy, piece.data, bytes);
        status = block_open(copy, bytes, &identity, rowset_footer_type(footer, column),
                            inspection->budget, &out->block);
    }
    file_piece_free(&piece, inspection->budget);
    if (status != STATUS_OK) {
        memory_free(inspection->budget, copy, bytes);
        return status;
    }
    out->bytes = copy;
    out->byte_count = bytes;
    return STATUS_OK;
}

/* Opens the base at the first vector; close_block follows the last. */
static Status read_base(BaseReader *reader, const Block *block, uint32_t column_id, uint32_t vector,
                        const Vector **out)
{
    InspectedBase *self = (InspectedBase *)reader;
    if (self->opened.bytes == NULL) {
        const int32_t column = rowset_footer_column(self->footer, column_id);
        if (column < 0) {
            return block_damaged(block, "differences from a column that is not there");
        }
        TRY(open_block(self->inspection, self->rowset, self->footer, (uint32_t)column,
                       self->row_group, &self->opened));
    }
    const Block *base = &self->opened.block;
    if (!block_can_be_base(base, block)) {
        return block_damaged(block, "differences from a column that cannot be a base");
    }
    TRY(base->encoding->decode(base, vector, NULL, 0, &self->buffer, &self->vector));
    *out = &self->vector;
    return STATUS_OK;
}

static Status inspect_block(Inspection *inspection, Rowset *rowset, const RowsetFooter *footer,
                            uint32_t column, uint32_t row_group)
{
    const size_t index = rowset_footer_block(footer, column, row_group);
    OpenedBlock opened = {0};
    inspection->report->blocks++;
    TRY(open_block(inspection, rowset, footer, column, row_group, &opened));
    const Block *block = &opened.block;
    Status status = STATUS_OK;
    inspection->base.rowset = rowset;
    inspection->base.footer = footer;
    inspection->base.row_group = row_group;
    if (block->header->checksum != footer->locations[index].checksum) {
        status = block_damaged(block, "checksum other than the footer's");
    } else {
        status = check_block(inspection, block, &footer->zones[index]);
    }
    print_block(inspection, block, &footer->zones[index]);
    close_block(inspection, &inspection->base.opened);
    close_block(inspection, &opened);
    return status;
}

static Status inspect_blocks(Inspection *inspection, Rowset *rowset)
{
    const RowsetFooter *footer;
    Status status = rowset_footer(rowset, &footer);
    if (status != STATUS_OK) {
        return note(inspection, status);
    }
    const FooterHeader *header = footer->header;
    inspection->report->rows += header->row_count;
    if (inspection->is_verbose) {
        byte_buffer_printf(
            inspection->target,
            "%s: rowset %llu of table %llu, slice %u, transaction %llu, %llu rows in "
            "%u row groups, %u columns\n",
            inspection->path, (unsigned long long)header->rowset_id,
            (unsigned long long)header->table_id, header->slice, (unsigned long long)header->txn_id,
            (unsigned long long)header->row_count, header->row_group_count, header->column_count);
    }
    for (uint32_t column = 0; column < header->column_count; column++) {
        for (uint32_t row_group = 0; row_group < header->row_group_count; row_group++) {
            TRY(note(inspection, inspect_block(inspection, rowset, footer, column, row_group)));
        }
    }
    return STATUS_OK;
}

/* The first 64 bytes: who the file says it is. A damaged header is one fault; the trailer then says
 * the same again, so that the blocks can still be looked at. */
static Status read_identity(Inspection *inspection, File *file, uint64_t file_bytes,
                            RowsetIdentity *identity)
{
    FilePiece head, tail;
    RowsetHeader header;
    RowsetTrailer trailer;
    TRY(column_file_read(file, 0, sizeof header, inspection->budget, &head));
    memcpy(&header, head.data, sizeof header);
    *identity = (RowsetIdentity){.cluster = header.cluster,
                                 .table_id = header.table_id,
                                 .rowset_id = header.rowset_id,
                                 .byte_count = file_bytes};
    Status status = rowset_check_header(identity, head.data);
    file_piece_free(&head, inspection->budget);
    if (status == STATUS_OK || !is_fault(status)) {
        return status;
    }
    report_fault(inspection, status);
    TRY(column_file_read(file, file_bytes - sizeof trailer, sizeof trailer, inspection->budget,
                         &tail));
    memcpy(&trailer, tail.data, sizeof trailer);
    file_piece_free(&tail, inspection->budget);
    identity->cluster = trailer.cluster;
    identity->rowset_id = trailer.rowset_id;
    if (trailer.footer_offset > file_bytes - sizeof(FooterHeader)) {
        return status_error(SQLSTATE_DATA_CORRUPTED, "neither header nor trailer is sound");
    }
    FooterHeader footer;
    TRY(column_file_read(file, trailer.footer_offset, sizeof footer, inspection->budget, &head));
    memcpy(&footer, head.data, sizeof footer);
    file_piece_free(&head, inspection->budget);
    identity->table_id = footer.table_id;
    return STATUS_OK;
}

/* "<rowset id>.rows" in a directory of its table; other names are allowed, to look at copies. */
static Status check_name(const char *path, const RowsetIdentity *identity)
{
    const char *name = strrchr(path, '/');
    char *end;
    name = name == NULL ? path : name + 1;
    const unsigned long long number = strtoull(name, &end, 10);
    if (end != name && strcmp(end, ".rows") == 0 && number != identity->rowset_id) {
        return status_error(SQLSTATE_DATA_CORRUPTED, "holds rowset %llu",
                            (unsigned long long)identity->rowset_id);
    }
    return STATUS_OK;
}

static Status inspect_rowset(Inspection *inspection)
{
    File *file;
    uint64_t file_bytes = 0;
    RowsetIdentity identity;
    Rowset *rowset;
    TRY(file_open(inspection->system, inspection->path, FILE_READ | FILE_DIRECT, &file));
    Status status = file_size(file, &file_bytes);
    if (status == STATUS_OK && file_bytes < FORMAT_FILE_ALIGNMENT) {
        status = status_error(SQLSTATE_DATA_CORRUPTED, "file of %llu bytes is no rowset",
                              (unsigned long long)file_bytes);
    }
    if (status == STATUS_OK) {
        status = read_identity(inspection, file, file_bytes, &identity);
    }
    file_close(file);
    TRY(status);
    inspection->report->files++;
    inspection->report->bytes += file_bytes;
    TRY(note(inspection, check_name(inspection->path, &identity)));
    TRY(rowset_create(inspection->system, inspection->path, &identity, inspection->budget,
                      &rowset));
    status = inspect_blocks(inspection, rowset);
    rowset_destroy(rowset);
    return status;
}

static Status add_listed(Inspection *inspection, const StoredRows *facts)
{
    if (inspection->listed_count == inspection->listed_capacity) {
        const uint32_t capacity = inspection->listed_capacity * 2 + 64;
        ListedRows *larger = heap_realloc(inspection->listed, capacity * sizeof *larger);
        if (larger == NULL) {
            return status_error(SQLSTATE_OUT_OF_MEMORY, "out of memory for an inspection");
        }
        inspection->listed = larger;
        inspection->listed_capacity = capacity;
    }
    inspection->listed[inspection->listed_count++] = (ListedRows){
        .rowset_id = facts->rowset_id, .table_id = facts->table_id, .row_count = facts->row_count};
    return STATUS_OK;
}

static const ListedRows *find_listed(const Inspection *inspection, uint64_t rowset_id)
{
    uint32_t low = 0, high = inspection->listed_count;
    while (low < high) {
        const uint32_t middle = low + (high - low) / 2;
        if (inspection->listed[middle].rowset_id < rowset_id) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low < inspection->listed_count && inspection->listed[low].rowset_id == rowset_id
               ? &inspection->listed[low]
               : NULL;
}

/* Each listed rowset is there and is the one that was listed. */
static Status visit_rows(void *object, const StoredRows *facts, const void *bytes, uint64_t created,
                         uint64_t dropped, uint64_t txn_id, uint32_t statement)
{
    Inspection *inspection = object;
    char *slash = strrchr(inspection->path, '/');
    char path[PATH_BYTES], slice[16] = "replica";
    (void)bytes, (void)created, (void)dropped, (void)txn_id, (void)statement;
    TRY(add_listed(inspection, facts));
    if (facts->kind != ROWS_FILE) {
        inspection->report->rows += facts->row_count;
        return STATUS_OK;
    }
    if (facts->slice != REPLICA_SLICE) {
        snprintf(slice, sizeof slice, "%u", facts->slice);
    }
    snprintf(path, sizeof path, "%.*s/tables/%llu/%s/%llu.rows", (int)(slash - inspection->path),
             inspection->path, (unsigned long long)facts->table_id, slice,
             (unsigned long long)facts->rowset_id);
    bool is_there = false;
    TRY(file_exists(inspection->system, path, &is_there));
    if (!is_there) {
        report_fault(inspection,
                     status_error(SQLSTATE_DATA_CORRUPTED,
                                  "lists rowset %llu of table %llu, whose file is missing",
                                  (unsigned long long)facts->rowset_id,
                                  (unsigned long long)facts->table_id));
    }
    return STATUS_OK;
}

static Status visit_prepared(void *object, uint64_t txn_id)
{
    Inspection *inspection = object;
    if (inspection->is_verbose) {
        byte_buffer_printf(inspection->target, "%s: transaction %llu is prepared\n",
                           inspection->path, (unsigned long long)txn_id);
    }
    return STATUS_OK;
}

static Status visit_drop(void *object, uint64_t txn_id, const PendingDrop *drop)
{
    (void)object, (void)txn_id, (void)drop;
    return STATUS_OK;
}

/* The leader's: what its tables mean is the leader's business. */
static Status inspect_other_database(Inspection *inspection)
{
    MetadataStore *store;
    TRY(metadata_store_open_read(inspection->system, inspection->path, &store));
    inspection->report->files++;
    Status status = metadata_store_verify(store);
    metadata_store_close(store);
    return status;
}

static Status inspect_identity(Inspection *inspection)
{
    char directory[PATH_BYTES];
    NodeIdentity identity;
    snprintf(directory, sizeof directory, "%.*s",
             (int)(strrchr(inspection->path, '/') - inspection->path), inspection->path);
    inspection->report->files++;
    return node_identity_read(inspection->system, directory, &identity);
}

static Status inspect_mark(Inspection *inspection)
{
    inspection->report->files++;
    return wal_guard_check_mark(inspection->system, inspection->path);
}

/* "1 list, 3 bitmaps": what a mask is made of. */
static void print_forms(Inspection *inspection, const DeleteMask *mask)
{
    uint32_t counts[DELETE_FORM_BITMAP + 1] = {0};
    for (uint32_t i = 0; i < mask->group_count; i++) {
        if (mask->groups[i] != NULL) {
            counts[mask->groups[i]->form]++;
        }
    }
    byte_buffer_printf(inspection->target, "row groups: %u lists, %u runs, %u bitmaps\n",
                       counts[DELETE_FORM_LIST], counts[DELETE_FORM_RUNS],
                       counts[DELETE_FORM_BITMAP]);
}

static void print_deletes(Inspection *inspection, const StoredDeletes *deletes,
                          const DeleteMask *mask)
{
    if (!inspection->is_verbose) {
        return;
    }
    byte_buffer_printf(inspection->target, "%s: %llu rows of table %llu, rowset %llu deleted ",
                       inspection->path, (unsigned long long)mask->row_count,
                       (unsigned long long)deletes->table_id,
                       (unsigned long long)deletes->rowset_id);
    if (deletes->txn_id == 0) {
        byte_buffer_printf(inspection->target, "up to position %llu",
                           (unsigned long long)deletes->position);
    } else if (deletes->position == POSITION_NEVER) {
        byte_buffer_printf(inspection->target, "by transaction %llu, statement %u, prepared",
                           (unsigned long long)deletes->txn_id, deletes->statement);
    } else {
        byte_buffer_printf(inspection->target, "by transaction %llu, statement %u, position %llu",
                           (unsigned long long)deletes->txn_id, deletes->statement,
                           (unsigned long long)deletes->position);
    }
    byte_buffer_printf(inspection->target, ", %zu bytes, ", deletes->byte_count);
    print_forms(inspection, mask);
}

/* A mask is of a rowset that is listed, and has no more rows than that. */
static Status check_deletes(const Inspection *inspection, const StoredDeletes *deletes,
                            const DeleteMask *mask)
{
    const ListedRows *listed = find_listed(inspection, deletes->rowset_id);
    const bool is_listed = listed != NULL && listed->table_id == deletes->table_id;
    if (is_listed && mask->row_count <= listed->row_count) {
        return STATUS_OK;
    }
    return status_error(SQLSTATE_DATA_CORRUPTED, "deletes of table %llu, rowset %llu, which %s",
                        (unsigned long long)deletes->table_id,
                        (unsigned long long)deletes->rowset_id,
                        is_listed ? "has fewer rows" : "is not listed");
}

static Status visit_deletes(void *object, const StoredDeletes *deletes)
{
    Inspection *inspection = object;
    const DeleteIdentity identity = {.cluster = inspection->cluster,
                                     .table_id = deletes->table_id,
                                     .rowset_id = deletes->rowset_id,
                                     .txn_id = deletes->txn_id,
                                     .statement = deletes->statement};
    DeleteMask *mask = NULL;
    inspection->report->delete_masks++;
    Status status = delete_mask_decode(deletes->bytes, deletes->byte_count, &identity,
                                       inspection->budget, &mask);
    if (status != STATUS_OK) {
        return note(inspection, status);
    }
    inspection->report->deleted_rows += mask->row_count;
    print_deletes(inspection, deletes, mask);
    status = note(inspection, check_deletes(inspection, deletes, mask));
    delete_mask_unpin(mask);
    return status;
}

static Status inspect_database(Inspection *inspection)
{
    int64_t cluster = 0;
    bool is_found = false;
    ManifestStore *store;
    char directory[PATH_BYTES];
    snprintf(directory, sizeof directory, "%.*s",
             (int)(strrchr(inspection->path, '/') - inspection->path), inspection->path);
    TRY(manifest_store_open_read(inspection->system, directory, &store));
    inspection->report->files++;
    const ManifestVisitor visitor = {.object = inspection,
                                     .rows = visit_rows,
                                     .prepared = visit_prepared,
                                     .drop = visit_drop,
                                     .deletes = visit_deletes};
    Status status = manifest_store_verify(store);
    if (status == STATUS_OK) {
        status = manifest_store_get(store, "cluster", &cluster, &is_found);
    }
    if (status == STATUS_OK) {
        inspection->cluster = (uint64_t)cluster;
        status = manifest_store_load(store, &visitor);
    }
    heap_free(inspection->listed);
    inspection->listed = NULL;
    inspection->listed_count = inspection->listed_capacity = 0;
    manifest_store_close(store);
    return status;
}

static bool has_suffix(const char *text, const char *suffix)
{
    const size_t length = strlen(text), wanted = strlen(suffix);
    return length >= wanted && strcmp(text + length - wanted, suffix) == 0;
}

/* What a file is, by its name; other names are allowed for rowsets, to look at copies. */
typedef struct FileKind {
    const char *suffix;
    Status (*inspect)(Inspection *inspection);
} FileKind;

static const FileKind file_kinds[] = {
    {".rows", inspect_rowset},
    {"/node.db", inspect_database},
    {".db", inspect_other_database},
    {".db-mark", inspect_mark},
    {"/" NODE_IDENTITY_NAME, inspect_identity},
};

static const FileKind *kind_of(const char *path)
{
    for (size_t i = 0; i < sizeof file_kinds / sizeof *file_kinds; i++) {
        if (has_suffix(path, file_kinds[i].suffix)) {
            return &file_kinds[i];
        }
    }
    return NULL;
}

static Status inspect_file(Inspection *inspection)
{
    const FileKind *kind = kind_of(inspection->path);
    return note(inspection, kind == NULL ? inspect_rowset(inspection) : kind->inspect(inspection));
}

static Status visit_entry(void *object, const char *name, bool is_directory)
{
    Inspection *inspection = object;
    const size_t length = strlen(inspection->path);
    if (snprintf(inspection->path + length, PATH_BYTES - length, "/%s", name) >=
        (int)(PATH_BYTES - length)) {
        inspection->path[length] = 0;
        return status_error(SQLSTATE_INVALID_NAME, "path \"%s/%s\" is too long", inspection->path,
                            name);
    }
    Status status = STATUS_OK;
    if (is_directory) {
        status = file_list(inspection->system, inspection->path, visit_entry, inspection);
    } else if (kind_of(inspection->path) != NULL) {
        status = inspect_file(inspection);
    }
    inspection->path[length] = 0;
    return status;
}

static bool is_directory_path(FileSystem *system, const char *path)
{
    File *file;
    Status status = file_open(system, path, FILE_READ, &file);
    uint8_t byte;
    size_t read_bytes = 0;
    if (status == STATUS_OK) {
        status = file_read(file, &byte, 1, 0, &read_bytes); // a directory opens, but cannot be read
        file_close(file);
    }
    const bool is_directory = status != STATUS_OK;
    status_ignore(status, "listing it will tell");
    return is_directory;
}

static Status init_buffers(Inspection *inspection)
{
    TRY(decode_buffer_init(&inspection->buffer, inspection->budget));
    Status status = decode_buffer_init(&inspection->base.buffer, inspection->budget);
    if (status != STATUS_OK) {
        decode_buffer_deinit(&inspection->buffer);
    }
    inspection->base.reader.read = read_base;
    inspection->base.inspection = inspection;
    inspection->buffer.bases = &inspection->base.reader;
    return status;
}

Status inspect_path(FileSystem *system, const char *path, bool is_verbose, ByteBuffer *target,
                    InspectReport *report)
{
    PagePool *pool;
    Inspection *inspection = heap_alloc_zeroed(sizeof *inspection);
    if (inspection == NULL) {
        return status_error(SQLSTATE_OUT_OF_MEMORY, "out of memory for an inspection");
    }
    *report = (InspectReport){0};
    inspection->system = system;
    inspection->is_verbose = is_verbose;
    inspection->target = target;
    inspection->report = report;
    Status status = page_pool_create(&pool, MEMORY_BYTES);
    if (status != STATUS_OK) {
        heap_free(inspection);
        return status;
    }
    inspection->budget = memory_budget_create(pool, NULL, "inspect", 0);
    status = inspection->budget == NULL
                 ? status_error(SQLSTATE_OUT_OF_MEMORY, "out of memory for an inspection")
                 : init_buffers(inspection);
    if (status == STATUS_OK) {
        if (snprintf(inspection->path, PATH_BYTES, "%s", path) >= PATH_BYTES) {
            status = status_error(SQLSTATE_INVALID_NAME, "path \"%s\" is too long", path);
        } else if (is_directory_path(system, path)) {
            status = file_list(system, path, visit_entry, inspection);
        } else {
            status = inspect_file(inspection);
        }
        decode_buffer_deinit(&inspection->buffer);
        decode_buffer_deinit(&inspection->base.buffer);
    }
    if (inspection->budget != NULL) {
        memory_budget_destroy(inspection->budget);
    }
    page_pool_destroy(pool);
    heap_free(inspection);
    return status;
}
