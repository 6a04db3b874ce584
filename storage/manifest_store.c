/* manifest_store.c — see manifest_store.h. Integers of 64 bits are stored as they are: SQLite's are
 * signed, the casts lose nothing. */
#include "storage/manifest_store.h"

#include <stdio.h>
#include <string.h>
#include "base/fault.h"
#include "base/heap.h"
#include "base/mutex.h"

#define SCHEMA_VERSION 1u
#define PATH_BYTES 4096

static const char schema_sql[] =
    "CREATE TABLE setting(name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;"
    "CREATE TABLE slice(slice INTEGER PRIMARY KEY, first_bucket INTEGER NOT NULL,"
    " last_bucket INTEGER NOT NULL);"
    "CREATE TABLE lease(first_id INTEGER PRIMARY KEY, next_id INTEGER NOT NULL,"
    " end_id INTEGER NOT NULL);"
    "CREATE TABLE prepared(txn_id INTEGER PRIMARY KEY);"
    "CREATE TABLE rowset(rowset_id INTEGER PRIMARY KEY, table_id INTEGER NOT NULL,"
    " slice INTEGER NOT NULL, first_bucket INTEGER NOT NULL, last_bucket INTEGER NOT NULL,"
    " kind INTEGER NOT NULL, row_count INTEGER NOT NULL, byte_count INTEGER NOT NULL,"
    " footer_checksum INTEGER NOT NULL, txn_id INTEGER NOT NULL, statement INTEGER NOT NULL,"
    " created INTEGER, dropped INTEGER, bytes BLOB);"
    "CREATE INDEX rowset_pending ON rowset(txn_id) WHERE created IS NULL;"
    "CREATE INDEX rowset_dropped ON rowset(dropped) WHERE dropped IS NOT NULL;"
    "CREATE TABLE pending_drop(txn_id INTEGER NOT NULL, table_id INTEGER NOT NULL,"
    " rowset_id INTEGER NOT NULL, statement INTEGER NOT NULL,"
    " PRIMARY KEY(txn_id, table_id, rowset_id)) WITHOUT ROWID;";

/* The statements kept prepared. */
typedef enum StatementId {
    SQL_GET,
    SQL_SET,
    SQL_CLEAR_SLICES,
    SQL_ADD_SLICE,
    SQL_SET_LEASE,
    SQL_ADD_PREPARED,
    SQL_ADD_ROWSET,
    SQL_ADD_DROP,
    SQL_COMMIT_ROWSETS,
    SQL_COMMIT_DROPS,
    SQL_COMMIT_TABLE_DROPS,
    SQL_FORGET_DROPS,
    SQL_FORGET_PREPARED,
    SQL_ABORT_ROWSETS,
    SQL_FORGET_ROWSETS,
    SQL_COUNT
} StatementId;

static const char *const statement_sql[SQL_COUNT] = {
    [SQL_GET] = "SELECT value FROM setting WHERE name = ?1",
    [SQL_SET] = "INSERT INTO setting VALUES(?1, ?2) ON CONFLICT(name) DO UPDATE SET value = ?2",
    [SQL_CLEAR_SLICES] = "DELETE FROM slice",
    [SQL_ADD_SLICE] = "INSERT INTO slice VALUES(?1, ?2, ?3)",
    [SQL_SET_LEASE] = "INSERT INTO lease VALUES(?1, ?2, ?3)"
                      " ON CONFLICT(first_id) DO UPDATE SET next_id = ?2, end_id = ?3",
    [SQL_ADD_PREPARED] = "INSERT INTO prepared VALUES(?1)",
    [SQL_ADD_ROWSET] = "INSERT INTO rowset VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11,"
                       " NULL, NULL, ?12)",
    [SQL_ADD_DROP] = "INSERT OR REPLACE INTO pending_drop VALUES(?1, ?2, ?3, ?4)",
    [SQL_COMMIT_ROWSETS] = "UPDATE rowset SET created = ?2 WHERE txn_id = ?1 AND created IS NULL",
    [SQL_COMMIT_DROPS] =
        "UPDATE rowset SET dropped = ?2 WHERE dropped IS NULL AND created IS NOT NULL AND rowset_id"
        " IN (SELECT rowset_id FROM pending_drop WHERE txn_id = ?1)",
    [SQL_COMMIT_TABLE_DROPS] =
        "UPDATE rowset SET dropped = ?2 WHERE dropped IS NULL AND created IS NOT NULL AND table_id"
        " IN (SELECT table_id FROM pending_drop WHERE txn_id = ?1 AND rowset_id = 0)",
    [SQL_FORGET_DROPS] = "DELETE FROM pending_drop WHERE txn_id = ?1",
    [SQL_FORGET_PREPARED] = "DELETE FROM prepared WHERE txn_id = ?1",
    [SQL_ABORT_ROWSETS] = "DELETE FROM rowset WHERE txn_id = ?1 AND created IS NULL",
    [SQL_FORGET_ROWSETS] = "DELETE FROM rowset WHERE dropped IS NOT NULL AND dropped <= ?1",
};

struct ManifestStore {
    Mutex mutex; /* guards all below */
    MetadataStore *database;
    MetadataQuery *queries[SQL_COUNT];
};

static Status open_store(FileSystem *system, const char *directory, bool is_read_only,
                         ManifestStore **out)
{
    char path[PATH_BYTES];
    if (snprintf(path, sizeof path, "%s/node.db", directory) >= (int)sizeof path) {
        return status_error(SQLSTATE_INVALID_NAME, "directory name \"%s\" is too long", directory);
    }
    ManifestStore *store = heap_alloc_zeroed(sizeof *store);
    if (store == NULL) {
        return status_error(SQLSTATE_OUT_OF_MEMORY, "out of memory for the node's database");
    }
    mutex_init(&store->mutex, MUTEX_RANK_METADATA);
    Status status = is_read_only ? metadata_store_open_read(system, path, &store->database)
                                 : metadata_store_open(system, path, schema_sql, SCHEMA_VERSION,
                                                       &store->database);
    for (int i = 0; i < SQL_COUNT && status == STATUS_OK; i++) {
        status = metadata_query_prepare(store->database, statement_sql[i], &store->queries[i]);
    }
    if (status != STATUS_OK) {
        manifest_store_close(store);
        return status;
    }
    *out = store;
    return STATUS_OK;
}

Status manifest_store_open(FileSystem *system, const char *directory, ManifestStore **out)
{
    return open_store(system, directory, false, out);
}

Status manifest_store_open_read(FileSystem *system, const char *directory, ManifestStore **out)
{
    return open_store(system, directory, true, out);
}

void manifest_store_close(ManifestStore *store)
{
    if (store == NULL) {
        return;
    }
    for (int i = 0; i < SQL_COUNT; i++) {
        if (store->queries[i] != NULL) {
            metadata_query_destroy(store->queries[i]);
        }
    }
    if (store->database != NULL) {
        metadata_store_close(store->database);
    }
    mutex_deinit(&store->mutex);
    heap_free(store);
}

/* Runs one statement with integer parameters; the mutex is held. */
static Status run(ManifestStore *store, StatementId id, const int64_t *values, int count)
{
    MetadataQuery *query = store->queries[id];
    for (int i = 0; i < count; i++) {
        metadata_query_bind_i64(query, i + 1, values[i]);
    }
    return metadata_query_run(query);
}

/* Begins, does `body`, commits; rolls back when something fails. */
static Status in_transaction(ManifestStore *store, Status (*body)(ManifestStore *, const void *),
                             const void *argument)
{
    mutex_lock(&store->mutex);
    Status status = metadata_store_begin(store->database);
    if (status == STATUS_OK) {
        status = body(store, argument);
        if (status == STATUS_OK) {
            status = metadata_store_commit(store->database);
        }
        if (status != STATUS_OK) {
            metadata_store_rollback(store->database);
        }
    }
    mutex_unlock(&store->mutex);
    return status;
}

Status manifest_store_verify(ManifestStore *store)
{
    mutex_lock(&store->mutex);
    Status status = metadata_store_verify(store->database);
    mutex_unlock(&store->mutex);
    return status;
}

Status manifest_store_get(ManifestStore *store, const char *name, int64_t *value, bool *is_found)
{
    mutex_lock(&store->mutex);
    MetadataQuery *query = store->queries[SQL_GET];
    metadata_query_bind_text(query, 1, name);
    Status status = metadata_query_step(query, is_found);
    if (status == STATUS_OK && *is_found) {
        *value = metadata_query_i64(query, 0);
        metadata_query_reset(query);
    }
    mutex_unlock(&store->mutex);
    return status;
}

static Status put_setting(ManifestStore *store, const char *name, int64_t value)
{
    metadata_query_bind_text(store->queries[SQL_SET], 1, name);
    metadata_query_bind_i64(store->queries[SQL_SET], 2, value);
    return metadata_query_run(store->queries[SQL_SET]);
}

typedef struct SettingChange {
    const char *name;
    int64_t value;
} SettingChange;

static Status set_body(ManifestStore *store, const void *argument)
{
    const SettingChange *change = argument;
    return put_setting(store, change->name, change->value);
}

Status manifest_store_set(ManifestStore *store, const char *name, int64_t value)
{
    const SettingChange change = {.name = name, .value = value};
    return in_transaction(store, set_body, &change);
}

typedef struct SliceChange {
    uint64_t map_epoch;
    const SliceRange *slices;
    uint32_t slice_count;
} SliceChange;

static Status set_slices_body(ManifestStore *store, const void *argument)
{
    const SliceChange *change = argument;
    TRY(run(store, SQL_CLEAR_SLICES, NULL, 0));
    for (uint32_t i = 0; i < change->slice_count; i++) {
        const SliceRange *slice = &change->slices[i];
        const int64_t values[] = {slice->slice, slice->first_bucket, slice->last_bucket};
        TRY(run(store, SQL_ADD_SLICE, values, 3));
    }
    return put_setting(store, "map_epoch", (int64_t)change->map_epoch);
}

Status manifest_store_set_slices(ManifestStore *store, uint64_t map_epoch, const SliceRange *slices,
                                 uint32_t slice_count)
{
    const SliceChange change = {
        .map_epoch = map_epoch, .slices = slices, .slice_count = slice_count};
    return in_transaction(store, set_slices_body, &change);
}

/* Rows of a query as records of `item_bytes`, filled by `read`. The mutex is held. */
static Status read_all(ManifestStore *store, const char *sql, Arena *arena, size_t item_bytes,
                       void (*read)(MetadataQuery *, void *), void **out, uint32_t *count)
{
    MetadataQuery *query;
    uint32_t capacity = 16;
    uint8_t *items = arena_array(arena, capacity, item_bytes);
    *count = 0;
    TRY(metadata_query_prepare(store->database, sql, &query));
    Status status;
    bool has_row = false;
    while ((status = metadata_query_step(query, &has_row)) == STATUS_OK && has_row) {
        if (*count == capacity) {
            uint8_t *larger = arena_array(arena, (size_t)capacity * 2, item_bytes);
            memcpy(larger, items, capacity * item_bytes);
            items = larger;
            capacity *= 2;
        }
        read(query, items + (*count)++ * item_bytes);
    }
    metadata_query_destroy(query);
    *out = items;
    return status;
}

static void read_slice(MetadataQuery *query, void *item)
{
    *(SliceRange *)item = (SliceRange){.slice = (uint32_t)metadata_query_i64(query, 0),
                                       .first_bucket = (uint16_t)metadata_query_i64(query, 1),
                                       .last_bucket = (uint16_t)metadata_query_i64(query, 2)};
}

Status manifest_store_load_slices(ManifestStore *store, Arena *arena, SliceRange **slices,
                                  uint32_t *slice_count)
{
    void *items = NULL;
    mutex_lock(&store->mutex);
    Status status =
        read_all(store, "SELECT slice, first_bucket, last_bucket FROM slice ORDER BY slice", arena,
                 sizeof(SliceRange), read_slice, &items, slice_count);
    mutex_unlock(&store->mutex);
    *slices = items;
    return status;
}

static Status set_lease_body(ManifestStore *store, const void *argument)
{
    const LeaseRange *lease = argument;
    const int64_t values[] = {(int64_t)lease->first_id, (int64_t)lease->next_id,
                              (int64_t)lease->end_id};
    return run(store, SQL_SET_LEASE, values, 3);
}

Status manifest_store_set_lease(ManifestStore *store, const LeaseRange *lease)
{
    return in_transaction(store, set_lease_body, lease);
}

static void read_lease(MetadataQuery *query, void *item)
{
    *(LeaseRange *)item = (LeaseRange){.first_id = (uint64_t)metadata_query_i64(query, 0),
                                       .next_id = (uint64_t)metadata_query_i64(query, 1),
                                       .end_id = (uint64_t)metadata_query_i64(query, 2)};
}

Status manifest_store_load_leases(ManifestStore *store, Arena *arena, LeaseRange **leases,
                                  uint32_t *lease_count)
{
    void *items = NULL;
    mutex_lock(&store->mutex);
    Status status = read_all(store, "SELECT first_id, next_id, end_id FROM lease ORDER BY first_id",
                             arena, sizeof(LeaseRange), read_lease, &items, lease_count);
    mutex_unlock(&store->mutex);
    *leases = items;
    return status;
}

typedef struct PrepareChange {
    uint64_t txn_id;
    const PendingRows *rows;
    uint32_t row_count;
    const PendingDrop *drops;
    uint32_t drop_count;
} PrepareChange;

static Status add_rowset(ManifestStore *store, uint64_t txn_id, const PendingRows *pending)
{
    const StoredRows *rows = pending->rows;
    const int64_t values[] = {
        (int64_t)rows->rowset_id, (int64_t)rows->table_id,   rows->slice,
        rows->first_bucket,       rows->last_bucket,         rows->kind,
        (int64_t)rows->row_count, (int64_t)rows->byte_count, (int64_t)rows->footer_checksum,
        (int64_t)txn_id,          pending->statement};
    if (rows->kind == ROWS_BATCH) {
        metadata_query_bind_blob(store->queries[SQL_ADD_ROWSET], 12, rows->bytes, rows->byte_count);
    } else {
        metadata_query_bind_null(store->queries[SQL_ADD_ROWSET], 12);
    }
    return run(store, SQL_ADD_ROWSET, values, 11);
}

static Status prepare_body(ManifestStore *store, const void *argument)
{
    const PrepareChange *change = argument;
    const int64_t txn_id = (int64_t)change->txn_id;
    for (uint32_t i = 0; i < change->row_count; i++) {
        TRY(add_rowset(store, change->txn_id, &change->rows[i]));
    }
    for (uint32_t i = 0; i < change->drop_count; i++) {
        const PendingDrop *drop = &change->drops[i];
        const int64_t values[] = {txn_id, (int64_t)drop->table_id, (int64_t)drop->rowset_id,
                                  drop->statement};
        TRY(run(store, SQL_ADD_DROP, values, 4));
    }
    TRY(FAULT("storage.before_prepared"));
    return run(store, SQL_ADD_PREPARED, &txn_id, 1);
}

Status manifest_store_prepare(ManifestStore *store, uint64_t txn_id, const PendingRows *rows,
                              uint32_t row_count, const PendingDrop *drops, uint32_t drop_count)
{
    const PrepareChange change = {.txn_id = txn_id,
                                  .rows = rows,
                                  .row_count = row_count,
                                  .drops = drops,
                                  .drop_count = drop_count};
    return in_transaction(store, prepare_body, &change);
}

typedef struct OutcomeChange {
    uint64_t txn_id, position;
} OutcomeChange;

static Status commit_body(ManifestStore *store, const void *argument)
{
    const OutcomeChange *change = argument;
    const int64_t values[] = {(int64_t)change->txn_id, (int64_t)change->position};
    TRY(run(store, SQL_COMMIT_ROWSETS, values, 2));
    TRY(run(store, SQL_COMMIT_DROPS, values, 2));
    TRY(run(store, SQL_COMMIT_TABLE_DROPS, values, 2));
    TRY(run(store, SQL_FORGET_DROPS, values, 1));
    TRY(run(store, SQL_FORGET_PREPARED, values, 1));
    TRY(FAULT("storage.before_applied"));
    return put_setting(store, "applied", (int64_t)change->position);
}

Status manifest_store_commit(ManifestStore *store, uint64_t txn_id, uint64_t position)
{
    const OutcomeChange change = {.txn_id = txn_id, .position = position};
    return in_transaction(store, commit_body, &change);
}

static Status abort_body(ManifestStore *store, const void *argument)
{
    const int64_t txn_id = (int64_t) * (const uint64_t *)argument;
    TRY(run(store, SQL_ABORT_ROWSETS, &txn_id, 1));
    TRY(run(store, SQL_FORGET_DROPS, &txn_id, 1));
    return run(store, SQL_FORGET_PREPARED, &txn_id, 1);
}

Status manifest_store_abort(ManifestStore *store, uint64_t txn_id)
{
    return in_transaction(store, abort_body, &txn_id);
}

static Status forget_body(ManifestStore *store, const void *argument)
{
    return run(store, SQL_FORGET_ROWSETS, argument, 1);
}

Status manifest_store_forget(ManifestStore *store, uint64_t position)
{
    const int64_t value = (int64_t)position;
    return in_transaction(store, forget_body, &value);
}

static Status visit_rowset(MetadataQuery *query, const ManifestVisitor *visitor)
{
    size_t bytes = 0;
    const void *blob = metadata_query_blob(query, 13, &bytes);
    const StoredRows facts = {.rowset_id = (uint64_t)metadata_query_i64(query, 0),
                              .table_id = (uint64_t)metadata_query_i64(query, 1),
                              .slice = (uint32_t)metadata_query_i64(query, 2),
                              .first_bucket = (uint16_t)metadata_query_i64(query, 3),
                              .last_bucket = (uint16_t)metadata_query_i64(query, 4),
                              .kind = (RowsKind)metadata_query_i64(query, 5),
                              .row_count = (uint64_t)metadata_query_i64(query, 6),
                              .byte_count = (uint64_t)metadata_query_i64(query, 7),
                              .footer_checksum = (uint64_t)metadata_query_i64(query, 8)};
    const uint64_t created = metadata_query_is_null(query, 11)
                                 ? POSITION_NEVER
                                 : (uint64_t)metadata_query_i64(query, 11);
    const uint64_t dropped = metadata_query_is_null(query, 12)
                                 ? POSITION_NEVER
                                 : (uint64_t)metadata_query_i64(query, 12);
    if ((facts.kind != ROWS_FILE && facts.kind != ROWS_BATCH) ||
        (facts.kind == ROWS_BATCH && facts.byte_count != bytes)) {
        return status_error(SQLSTATE_DATA_CORRUPTED, "impossible manifest entry %llu",
                            (unsigned long long)facts.rowset_id);
    }
    return visitor->rows(visitor->object, &facts, blob, created, dropped,
                         (uint64_t)metadata_query_i64(query, 9),
                         (uint32_t)metadata_query_i64(query, 10));
}

static Status visit_prepared(MetadataQuery *query, const ManifestVisitor *visitor)
{
    return visitor->prepared(visitor->object, (uint64_t)metadata_query_i64(query, 0));
}

static Status visit_drop(MetadataQuery *query, const ManifestVisitor *visitor)
{
    const PendingDrop drop = {.table_id = (uint64_t)metadata_query_i64(query, 1),
                              .rowset_id = (uint64_t)metadata_query_i64(query, 2),
                              .statement = (uint32_t)metadata_query_i64(query, 3)};
    return visitor->drop(visitor->object, (uint64_t)metadata_query_i64(query, 0), &drop);
}

static Status visit_all(ManifestStore *store, const char *sql, const ManifestVisitor *visitor,
                        Status (*visit)(MetadataQuery *, const ManifestVisitor *))
{
    MetadataQuery *query;
    bool has_row = false;
    TRY(metadata_query_prepare(store->database, sql, &query));
    Status status;
    while ((status = metadata_query_step(query, &has_row)) == STATUS_OK && has_row) {
        status = visit(query, visitor);
        if (status != STATUS_OK) {
            break;
        }
    }
    metadata_query_destroy(query);
    return status;
}

Status manifest_store_load(ManifestStore *store, const ManifestVisitor *visitor)
{
    mutex_lock(&store->mutex);
    Status status =
        visit_all(store, "SELECT txn_id FROM prepared ORDER BY txn_id", visitor, visit_prepared);
    if (status == STATUS_OK) {
        status = visit_all(store, "SELECT * FROM rowset ORDER BY rowset_id", visitor, visit_rowset);
    }
    if (status == STATUS_OK) {
        status = visit_all(store, "SELECT txn_id, table_id, rowset_id, statement FROM pending_drop",
                           visitor, visit_drop);
    }
    mutex_unlock(&store->mutex);
    return status;
}
