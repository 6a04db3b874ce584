/* statistics_buffer.c — see statistics_buffer.h; the control thread's. */
#include "leader/txn/statistics_buffer.h"

#include <stdlib.h>
#include <string.h>

enum {
    TABLES_MAX = 256,
    LARGE_BYTES = 65536, /* of one write: it goes by at once */
    ROWS_ALWAYS = 256,
    ROWS_SHARE = 64,
};

typedef struct WaitingTable {
    uint64_t table_id, row_count;
    uint32_t column_count;
    uint32_t *column_ids;
    Type *types;
    ColumnSketch *sketches;
    RowSample *sample;
} WaitingTable;

struct StatisticsBuffer {
    uint32_t table_count;
    WaitingTable tables[TABLES_MAX];
};

StatisticsBuffer *statistics_buffer_create(void)
{
    return calloc(1, sizeof(StatisticsBuffer));
}

static void table_deinit(WaitingTable *table)
{
    row_sample_destroy(table->sample);
    free(table->column_ids);
    free(table->types);
    free(table->sketches);
}

void statistics_buffer_destroy(StatisticsBuffer *buffer)
{
    if (buffer == NULL) {
        return;
    }
    for (uint32_t i = 0; i < buffer->table_count; i++) {
        table_deinit(&buffer->tables[i]);
    }
    free(buffer);
}

static WaitingTable *find(StatisticsBuffer *buffer, uint64_t table_id)
{
    for (uint32_t i = 0; i < buffer->table_count; i++) {
        if (buffer->tables[i].table_id == table_id) {
            return &buffer->tables[i];
        }
    }
    return NULL;
}

static void forget(StatisticsBuffer *buffer, WaitingTable *table)
{
    table_deinit(table);
    *table = buffer->tables[--buffer->table_count];
}

/* A place for the table's statistics; null when there is none. */
static WaitingTable *make(StatisticsBuffer *buffer, const CatalogTable *catalog_table)
{
    if (buffer->table_count == TABLES_MAX) {
        return NULL;
    }
    uint32_t count = catalog_table->column_count;
    WaitingTable table = {.table_id = catalog_table->table_id, .column_count = count};
    table.column_ids = calloc(count + 1, sizeof(*table.column_ids));
    table.types = calloc(count + 1, sizeof(*table.types));
    table.sketches = calloc(count + 1, sizeof(*table.sketches));
    if (table.column_ids == NULL || table.types == NULL || table.sketches == NULL) {
        table_deinit(&table);
        return NULL;
    }
    for (uint32_t i = 0; i < count; i++) {
        table.column_ids[i] = catalog_table->columns[i].column_id;
        table.types[i] = catalog_table->columns[i].type;
        column_sketch_init(&table.sketches[i], table.types[i]);
    }
    table.sample = row_sample_create(table.types, count, SAMPLE_ROWS_MAX, table.table_id);
    if (table.sample == NULL) {
        table_deinit(&table);
        return NULL;
    }
    buffer->tables[buffer->table_count] = table;
    return &buffer->tables[buffer->table_count++];
}

/* Whether a node wrote these columns: the table may have been altered meanwhile. */
static bool is_of_columns(const WaitingTable *table, const CatalogChange *change)
{
    ByteReader reader;
    byte_reader_init(&reader, change->statistics, change->statistics_bytes);
    bool is_same = byte_reader_count(&reader, 4) == table->column_count;
    for (uint32_t i = 0; is_same && i < table->column_count; i++) {
        ColumnSketch sketch;
        is_same = byte_reader_u32(&reader) == table->column_ids[i];
        Status status = column_sketch_decode(&reader, &sketch);
        is_same = is_same && status == STATUS_OK;
        status_ignore(status, "the catalog refuses what is malformed");
    }
    return is_same;
}

/* Adds what a node wrote (table_writer_statistics). */
static Status merge(WaitingTable *table, const CatalogChange *change)
{
    ByteReader reader;
    byte_reader_init(&reader, change->statistics, change->statistics_bytes);
    uint32_t column_count = byte_reader_count(&reader, 4);
    bool is_known = byte_reader_is_ok(&reader) && column_count == table->column_count;
    uint64_t row_count = 0;
    for (uint32_t i = 0; is_known && i < column_count; i++) {
        ColumnSketch sketch;
        is_known = byte_reader_u32(&reader) == table->column_ids[i];
        TRY(column_sketch_decode(&reader, &sketch));
        row_count = i == 0 ? sketch.row_count : row_count;
        column_sketch_merge(&table->sketches[i], &sketch);
    }
    if (!is_known) {
        return status_error(SQLSTATE_DATA_CORRUPTED, "statistics of other columns of a table");
    }
    RowSample *sample = NULL;
    TRY(row_sample_decode(&reader, table->types, column_count, &sample));
    Status status = row_sample_merge(table->sample, sample);
    row_sample_destroy(sample);
    table->row_count += row_count;
    return status;
}

static void copy_change(const CatalogChange *change, Arena *arena, CatalogChangeList *out)
{
    CatalogChange *copy = ARENA_NEW(arena, CatalogChange);
    *copy = *change;
    copy->next = NULL;
    catalog_change_add(out, copy);
}

/* What waited becomes a change, and waits no more. */
static Status release(StatisticsBuffer *buffer, WaitingTable *table, Arena *arena,
                      CatalogChangeList *out)
{
    ByteBuffer bytes;
    byte_buffer_init(&bytes, 0);
    byte_buffer_add_varint(&bytes, table->column_count);
    for (uint32_t i = 0; i < table->column_count; i++) {
        byte_buffer_add_u32(&bytes, table->column_ids[i]);
        column_sketch_encode(&table->sketches[i], &bytes);
    }
    row_sample_encode(table->sample, &bytes);
    Status status = byte_buffer_status(&bytes);
    if (status == STATUS_OK) {
        CatalogChange *change = ARENA_NEW(arena, CatalogChange);
        change->kind = CATALOG_ADD_STATISTICS;
        change->table_id = table->table_id;
        change->statistics_bytes = bytes.bytes;
        change->statistics = arena_memdup(arena, bytes.data, bytes.bytes);
        catalog_change_add(out, change);
        forget(buffer, table);
    }
    byte_buffer_deinit(&bytes);
    return status;
}

static Status add_statistics(StatisticsBuffer *buffer, const CatalogVersion *version,
                             const CatalogChange *change, Arena *arena, CatalogChangeList *out)
{
    const TableEntry *entry = catalog_version_table_by_id(version, change->table_id);
    bool is_small = change->statistics_bytes <= LARGE_BYTES;
    WaitingTable *table = entry != NULL && is_small ? find(buffer, change->table_id) : NULL;
    if (entry != NULL && is_small && table == NULL && entry->row_count >= ROWS_ALWAYS) {
        table = make(buffer, &entry->table);
    }
    if (table == NULL || !is_of_columns(table, change)) {
        copy_change(change, arena, out);
        return STATUS_OK;
    }
    TRY(merge(table, change));
    bool is_due = table->row_count * ROWS_SHARE >= entry->row_count;
    return is_due ? release(buffer, table, arena, out) : STATUS_OK;
}

static bool is_recount(const CatalogChange *change)
{
    return change->kind == CATALOG_REMOVE_ROWS || change->kind == CATALOG_RENEW_STATISTICS;
}

/* Then what is written into the table does not wait either: rows that go are counted at once. */
static bool is_recounted(const CatalogChangeList *changes, uint64_t table_id)
{
    const CatalogChange *change = changes->first;
    while (change != NULL && (!is_recount(change) || change->table_id != table_id)) {
        change = change->next;
    }
    return change != NULL;
}

Status statistics_buffer_filter(StatisticsBuffer *buffer, const CatalogVersion *version,
                                const CatalogChangeList *changes, Arena *arena,
                                CatalogChangeList *out)
{
    *out = (CatalogChangeList){0};
    for (const CatalogChange *change = changes->first; change != NULL; change = change->next) {
        bool is_added = change->kind == CATALOG_ADD_STATISTICS;
        bool is_altered = change->kind == CATALOG_ALTER_TABLE;
        bool is_gone =
            change->kind == CATALOG_DROP_TABLE || change->kind == CATALOG_CLEAR_STATISTICS ||
            change->kind == CATALOG_REPLACE_TABLE;
        WaitingTable *table = find(buffer, catalog_change_table_id(change));
        if (is_added && !is_recounted(changes, change->table_id)) {
            TRY(add_statistics(buffer, version, change, arena, out));
            continue;
        }
        if (table != NULL && is_gone) { // they tell nothing any more
            forget(buffer, table);
        } else if (table != NULL && (is_added || is_altered || is_recount(change))) {
            TRY(release(buffer, table, arena, out)); // it builds upon what came before
        }
        copy_change(change, arena, out);
    }
    return STATUS_OK;
}
