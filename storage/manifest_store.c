/* manifest_store.c — see manifest_store.h. Integers of 64 bits are stored as they are: SQLite's are
 * signed, the casts lose nothing. */
#include "storage/manifest_store.h"

#include <stdio.h>
#include <string.h>
#include "base/fault.h"
#include "base/heap.h"
#include "base/mutex.h"

#define SCHEMA_VERSION 2u
#define PATH_BYTES 4096
/* Stored with the statement of a drop. */
#define DROP_BY_MERGE (INT64_C(1) << 32)

/* Since version 2. Rows of one transaction until they commit, then of one position. */
#define DELETE_SQL                                                                                 \
    "CREATE TABLE delete_mask(id INTEGER PRIMARY KEY, table_id INTEGER NOT NULL,"                  \
    " rowset_id INTEGER NOT NULL, txn_id INTEGER NOT NULL, statement INTEGER NOT NULL,"            \
    " position INTEGER, bytes BLOB NOT NULL);"                                                     \
    "CREATE INDEX delete_mask_rowset ON delete_mask(rowset_id, position);"                         \
    "CREATE INDEX delete_mask_pending ON delete_mask(txn_id) WHERE position IS NULL;"

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
    " PRIMARY KEY(txn_id, table_id, rowset_id)) WITHOUT ROWID;" DELETE_SQL;

/* The statements kept prepared. */
typedef enum StatementId {
    SQL_GET,
    SQL_SET,
    SQL_CLEAR_SLICES,
    SQL_ADD_SLICE,
    SQL_SET_LEASE,
    SQL_ADD_PREPARED,
    SQL_ADD_ROWSET,
    SQL_ADD_REDONE,
    SQL_ADD_DROP,
    SQL_COMMIT_ROWSETS,
    SQL_COMMIT_DROPS,
    SQL_COMMIT_TABLE_DROPS,
    SQL_FORGET_DROPS,
    SQL_FORGET_PREPARED,
    SQL_ABORT_ROWSETS,
    SQL_FORGET_ROWSETS,
    SQL_ADD_DELETES,
    SQL_COMMIT_DELETES,
    SQL_ABORT_DELETES,
    SQL_LIST_DELETES,
    SQL_CLEAR_DELETES,
    SQL_FORGET_DELETES,
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
    // The commit that failed before may have become durable.
    [SQL_ADD_REDONE] = "INSERT OR IGNORE INTO rowset VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9,"
                       " ?10, ?11, ?13, NULL, ?12)",
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
    [SQL_ADD_DELETES] = "INSERT INTO delete_mask(table_id, rowset_id, txn_id, statement, position,"
                        " bytes) VALUES(?1, ?2, ?3, ?4, ?5, ?6)",
    [SQL_COMMIT_DELETES] =
        "UPDATE delete_mask SET position = ?2 WHERE txn_id = ?1 AND position IS NULL",
    [SQL_ABORT_DELETES] = "DELETE FROM delete_mask WHERE txn_id = ?1 AND position IS NULL",
    [SQL_LIST_DELETES] = "SELECT txn_id, statement, position, bytes FROM delete_mask"
                         " WHERE rowset_id = ?1 AND position <= ?2 ORDER BY position",
    [SQL_CLEAR_DELETES] = "DELETE FROM delete_mask WHERE rowset_id = ?1 AND position <= ?2",
    [SQL_FORGET_DELETES] =
        "DELETE FROM delete_mask WHERE rowset_id IN"
        " (SELECT rowset_id FROM rowset WHERE dropped IS NOT NULL AND dropped <= ?1)",
};

enum { OUTCOMES_MAX = 1024, WRITE_WAIT_US = 1000000 };

typedef Status ChangeBody(ManifestStore *store, const void *argument);

/* A change on its way into the database, on the stack of the thread that waits for it. */
typedef struct Change {
    ChangeBody *body;
    const void *argument;
    Status status;
    bool is_in_doubt; /* it failed, and may be durable all the same */
    bool is_done;
    struct Change *next;
} Change;

struct ManifestStore {
    Mutex queue_mutex; /* guards the queue; never held while the database works */
    Condition written;
    bool is_writing; /* some thread writes what it found in the queue */
    Change *first, *last;

    Mutex mutex; /* guards all below */
    MetadataStore *database;
    MetadataQuery *queries[SQL_COUNT];
    uint32_t outcome_count;              /* commits that the next transaction writes along */
    CommitChange outcomes[OUTCOMES_MAX]; /* with rows of their own (heap), each pinned */
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
    mutex_init(&store->queue_mutex, MUTEX_RANK_METADATA);
    condition_init(&store->written);
    mutex_init(&store->mutex, MUTEX_RANK_METADATA);
    Status status = is_read_only ? metadata_store_open_read(system, path, &store->database)
                                 : metadata_store_open(system, path, schema_sql, SCHEMA_VERSION,
                                                       &store->database);
    if (status == STATUS_OK && !is_read_only) {
        status = metadata_store_upgrade(store->database, SCHEMA_VERSION, DELETE_SQL);
    }
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

Status manifest_store_limit_log(ManifestStore *store, uint64_t bytes)
{
    return metadata_store_limit_log(store->database, bytes);
}

void manifest_store_rest(ManifestStore *store)
{
    mutex_lock(&store->mutex);
    metadata_store_rest(store->database, METADATA_QUIET_US);
    mutex_unlock(&store->mutex);
}

Status manifest_store_open_read(FileSystem *system, const char *directory, ManifestStore **out)
{
    return open_store(system, directory, true, out);
}

/* They are in the database, or the leader knows them. */
static void forget_outcomes(ManifestStore *store)
{
    for (uint32_t i = 0; i < store->outcome_count; i++) {
        const CommitChange *outcome = &store->outcomes[i];
        for (uint32_t k = 0; k < outcome->row_count; k++) {
            stored_rows_unpin(outcome->rows[k].rows);
        }
        heap_free((void *)outcome->rows);
    }
    store->outcome_count = 0;
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
    forget_outcomes(store);
    if (store->database != NULL) {
        metadata_store_close(store->database);
    }
    condition_deinit(&store->written);
    mutex_deinit(&store->queue_mutex);
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

static Status write_outcome(ManifestStore *store, const CommitChange *change);
static Status put_setting(ManifestStore *store, const char *name, int64_t value);

/* Commits that wait for a transaction, then the changes of the list, in one transaction. */
static Status write_bodies(ManifestStore *store, const Change *first, const Change *end)
{
    uint64_t applied = 0, redone = 0;
    for (uint32_t i = 0; i < store->outcome_count; i++) {
        TRY(write_outcome(store, &store->outcomes[i]));
        const uint64_t position = store->outcomes[i].position;
        applied = position > applied ? position : applied;
        redone = position > redone && store->outcomes[i].row_count > 0 ? position : redone;
    }
    if (redone > 0) {
        TRY(put_setting(store, MANIFEST_REDONE, (int64_t)redone));
    }
    if (applied > 0) {
        TRY(put_setting(store, "applied", (int64_t)applied));
    }
    for (const Change *change = first; change != end; change = change->next) {
        TRY(change->body(store, change->argument));
    }
    return STATUS_OK;
}

/* `*is_refused`: a change failed, not the transaction as such. */
static Status write_transaction(ManifestStore *store, const Change *first, const Change *end,
                                bool *is_refused)
{
    if (metadata_store_is_broken(store->database)) {
        TRY(metadata_store_reopen(store->database)); // what failed was told so; it may be there
    }
    TRY(metadata_store_begin(store->database));
    Status status = write_bodies(store, first, end);
    *is_refused = status != STATUS_OK;
    if (status == STATUS_OK) {
        status = metadata_store_commit(store->database);
    }
    if (status != STATUS_OK) {
        metadata_store_rollback(store->database);
        return status;
    }
    forget_outcomes(store);
    return STATUS_OK;
}

/* All changes of the list become durable together; when one of them is refused, each by itself. */
static void write_group(ManifestStore *store, Change *first)
{
    bool is_refused = false;
    mutex_lock(&store->mutex);
    Status status = write_transaction(store, first, NULL, &is_refused);
    const bool is_split = is_refused && first->next != NULL;
    for (Change *change = first; change != NULL; change = change->next) {
        change->status = is_split ? write_transaction(store, change, change->next, &is_refused)
                         : status == STATUS_OK ? STATUS_OK
                                               : status_copy(status);
        change->is_in_doubt =
            change->status != STATUS_OK && metadata_store_is_broken(store->database);
    }
    mutex_unlock(&store->mutex);
    status_free(status);
}

static void enqueue(ManifestStore *store, Change *change)
{
    if (store->last != NULL) {
        store->last->next = change;
    } else {
        store->first = change;
    }
    store->last = change;
}

/* One transaction with `body` in it. Threads that come while another one writes wait and are then
 * written together, by one of them: a commit of SQLite costs a sync. */
static Status in_any_transaction(ManifestStore *store, ChangeBody *body, const void *argument,
                                 bool *is_in_doubt)
{
    Change change = {.body = body, .argument = argument};
    mutex_lock(&store->queue_mutex);
    enqueue(store, &change);
    while (!change.is_done) {
        if (store->is_writing) { // ends: whoever writes waits for the disk only
            condition_wait(&store->written, &store->queue_mutex, WRITE_WAIT_US);
            continue;
        }
        Change *group = store->first;
        store->first = store->last = NULL;
        store->is_writing = true;
        mutex_unlock(&store->queue_mutex);
        write_group(store, group);
        mutex_lock(&store->queue_mutex);
        store->is_writing = false;
        while (group != NULL) {
            Change *next = group->next; // the change is gone once its thread sees it done
            group->is_done = true;
            group = next;
        }
        condition_broadcast(&store->written);
    }
    mutex_unlock(&store->queue_mutex);
    *is_in_doubt = change.is_in_doubt;
    return change.status;
}

/* What is in doubt does no harm when it is repeated, or was never needed. */
static Status in_transaction(ManifestStore *store, ChangeBody *body, const void *argument)
{
    bool is_in_doubt = false;
    return in_any_transaction(store, body, argument, &is_in_doubt);
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

/* `created` POSITION_NEVER: of a prepared transaction. */
static Status add_rowset(ManifestStore *store, uint64_t txn_id, const PendingRows *pending,
                         uint64_t created)
{
    const StoredRows *rows = pending->rows;
    const int64_t values[] = {
        (int64_t)rows->rowset_id, (int64_t)rows->table_id,   rows->slice,
        rows->first_bucket,       rows->last_bucket,         rows->kind,
        (int64_t)rows->row_count, (int64_t)rows->byte_count, (int64_t)rows->footer_checksum,
        (int64_t)txn_id,          pending->statement};
    const StatementId id = created == POSITION_NEVER ? SQL_ADD_ROWSET : SQL_ADD_REDONE;
    MetadataQuery *query = store->queries[id];
    if (created != POSITION_NEVER) {
        metadata_query_bind_i64(query, 13, (int64_t)created);
    }
    if (rows->kind == ROWS_BATCH) {
        metadata_query_bind_blob(query, 12, rows->bytes, rows->byte_count);
    } else {
        metadata_query_bind_null(query, 12);
    }
    return run(store, id, values, 11);
}

/* `position` POSITION_NEVER: of a prepared transaction. */
static Status put_deletes(ManifestStore *store, const DeleteMask *mask,
                          const DeleteIdentity *identity, uint64_t position)
{
    ByteBuffer bytes;
    byte_buffer_init(&bytes, 0); // at most 8 KiB per row group
    Status status = delete_mask_encode(mask, identity, &bytes);
    if (status == STATUS_OK) {
        const int64_t values[] = {(int64_t)identity->table_id, (int64_t)identity->rowset_id,
                                  (int64_t)identity->txn_id, identity->statement};
        MetadataQuery *query = store->queries[SQL_ADD_DELETES];
        metadata_query_bind_blob(query, 6, bytes.data, bytes.bytes);
        if (position == POSITION_NEVER) {
            metadata_query_bind_null(query, 5);
        } else {
            metadata_query_bind_i64(query, 5, (int64_t)position);
        }
        status = run(store, SQL_ADD_DELETES, values, 4);
    }
    byte_buffer_deinit(&bytes);
    return status;
}

static Status prepare_body(ManifestStore *store, const void *argument)
{
    const PrepareChange *change = argument;
    const int64_t txn_id = (int64_t)change->txn_id;
    for (uint32_t i = 0; i < change->row_count; i++) {
        TRY(add_rowset(store, change->txn_id, &change->rows[i], POSITION_NEVER));
    }
    for (uint32_t i = 0; i < change->drop_count; i++) {
        const PendingDrop *drop = &change->drops[i];
        const int64_t values[] = {txn_id, (int64_t)drop->table_id, (int64_t)drop->rowset_id,
                                  drop->statement | (drop->is_merge ? DROP_BY_MERGE : 0)};
        TRY(run(store, SQL_ADD_DROP, values, 4));
    }
    for (uint32_t i = 0; i < change->delete_count; i++) {
        const PendingDelete *deletes = &change->deletes[i];
        const DeleteIdentity identity = {.cluster = change->cluster,
                                         .table_id = deletes->table_id,
                                         .rowset_id = deletes->rowset_id,
                                         .txn_id = change->txn_id,
                                         .statement = deletes->statement};
        TRY(put_deletes(store, deletes->rows, &identity, POSITION_NEVER));
    }
    TRY(FAULT("storage.before_prepared"));
    return run(store, SQL_ADD_PREPARED, &txn_id, 1);
}

Status manifest_store_prepare(ManifestStore *store, const PrepareChange *change,
                              bool *may_be_stored)
{
    return in_any_transaction(store, prepare_body, change, may_be_stored);
}

// The statements for drops look at every rowset of the database.
static Status write_outcome(ManifestStore *store, const CommitChange *change)
{
    const int64_t values[] = {(int64_t)change->txn_id, (int64_t)change->position};
    for (uint32_t i = 0; i < change->row_count; i++) {
        TRY(add_rowset(store, change->txn_id, &change->rows[i], change->position));
    }
    if (change->row_count > 0) {
        return FAULT("storage.before_redone");
    }
    TRY(run(store, SQL_COMMIT_ROWSETS, values, 2));
    if (change->has_drops) {
        TRY(run(store, SQL_COMMIT_DROPS, values, 2));
        TRY(run(store, SQL_COMMIT_TABLE_DROPS, values, 2));
        TRY(run(store, SQL_FORGET_DROPS, values, 1));
    }
    if (change->has_deletes) {
        TRY(run(store, SQL_COMMIT_DELETES, values, 2));
    }
    TRY(run(store, SQL_FORGET_PREPARED, values, 1));
    return FAULT("storage.before_applied");
}

static Status nothing_body(ManifestStore *store, const void *argument)
{
    (void)store, (void)argument;
    return STATUS_OK;
}

Status manifest_store_commit(ManifestStore *store, const CommitChange *change)
{
    CommitChange own = *change;
    PendingRows *rows = NULL;
    if (own.row_count > 0) {
        rows = heap_alloc(own.row_count * sizeof *rows);
        if (rows == NULL) {
            return status_error(SQLSTATE_OUT_OF_MEMORY, "out of memory for the node's database");
        }
        memcpy(rows, own.rows, own.row_count * sizeof *rows);
        own.rows = rows;
    }
    mutex_lock(&store->mutex);
    const bool has_room = store->outcome_count < OUTCOMES_MAX;
    if (has_room) {
        for (uint32_t i = 0; i < own.row_count; i++) {
            stored_rows_pin(rows[i].rows);
        }
        store->outcomes[store->outcome_count++] = own;
    }
    mutex_unlock(&store->mutex);
    if (has_room) {
        return STATUS_OK;
    }
    heap_free(rows);
    TRY(in_transaction(store, nothing_body, NULL));
    return manifest_store_commit(store, change);
}

Status manifest_store_write_outcomes(ManifestStore *store)
{
    mutex_lock(&store->mutex);
    const bool has_some = store->outcome_count > 0;
    mutex_unlock(&store->mutex);
    return has_some ? in_transaction(store, nothing_body, NULL) : STATUS_OK;
}

static Status abort_body(ManifestStore *store, const void *argument)
{
    const int64_t txn_id = (int64_t) * (const uint64_t *)argument;
    TRY(run(store, SQL_ABORT_ROWSETS, &txn_id, 1));
    TRY(run(store, SQL_ABORT_DELETES, &txn_id, 1));
    TRY(run(store, SQL_FORGET_DROPS, &txn_id, 1));
    return run(store, SQL_FORGET_PREPARED, &txn_id, 1);
}

Status manifest_store_abort(ManifestStore *store, uint64_t txn_id)
{
    return in_transaction(store, abort_body, &txn_id);
}

static Status forget_body(ManifestStore *store, const void *argument)
{
    TRY(run(store, SQL_FORGET_DELETES, argument, 1));
    return run(store, SQL_FORGET_ROWSETS, argument, 1);
}

Status manifest_store_forget(ManifestStore *store, uint64_t position)
{
    const int64_t value = (int64_t)position;
    return in_transaction(store, forget_body, &value);
}

/* Adds the mask of the query's row to `*mask`, which it replaces. */
static Status fold_row(MetadataQuery *query, const DeleteFold *fold, DeleteMask **mask,
                       int64_t *position)
{
    const DeleteIdentity identity = {.cluster = fold->cluster,
                                     .table_id = fold->table_id,
                                     .rowset_id = fold->rowset_id,
                                     .txn_id = (uint64_t)metadata_query_i64(query, 0),
                                     .statement = (uint32_t)metadata_query_i64(query, 1)};
    size_t byte_count = 0;
    DeleteMask *delta = NULL, *both = NULL;
    *position = metadata_query_i64(query, 2);
    const void *bytes = metadata_query_blob(query, 3, &byte_count);
    TRY(delete_mask_decode(bytes, byte_count, &identity, fold->budget, &delta));
    Status status = delete_mask_union(*mask, delta, fold->budget, &both);
    delete_mask_unpin(delta);
    if (status == STATUS_OK) {
        delete_mask_unpin(*mask);
        *mask = both;
    }
    return status;
}

/* What is merged is what the database has now: a commit that comes late, at an older position, is
 * merged by the next fold. */
static Status fold_body(ManifestStore *store, const void *argument)
{
    const DeleteFold *fold = argument;
    const int64_t values[] = {(int64_t)fold->rowset_id, (int64_t)fold->position};
    MetadataQuery *query = store->queries[SQL_LIST_DELETES];
    DeleteMask *mask = NULL;
    Status status = STATUS_OK;
    bool has_row = false;
    int64_t position = 0;
    metadata_query_bind_i64(query, 1, values[0]);
    metadata_query_bind_i64(query, 2, values[1]);
    while ((status = metadata_query_step(query, &has_row)) == STATUS_OK && has_row) {
        status = fold_row(query, fold, &mask, &position);
        if (status != STATUS_OK) {
            metadata_query_reset(query);
            break;
        }
    }
    if (status == STATUS_OK && mask != NULL) {
        const DeleteIdentity identity = {
            .cluster = fold->cluster, .table_id = fold->table_id, .rowset_id = fold->rowset_id};
        status = run(store, SQL_CLEAR_DELETES, values, 2);
        if (status == STATUS_OK) {
            status = put_deletes(store, mask, &identity, (uint64_t)position);
        }
    }
    delete_mask_unpin(mask);
    return status;
}

Status manifest_store_fold_deletes(ManifestStore *store, const DeleteFold *fold)
{
    return in_transaction(store, fold_body, fold);
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
                              .statement = (uint32_t)metadata_query_i64(query, 3),
                              .is_merge = (metadata_query_i64(query, 3) & DROP_BY_MERGE) != 0};
    return visitor->drop(visitor->object, (uint64_t)metadata_query_i64(query, 0), &drop);
}

static Status visit_deletes(MetadataQuery *query, const ManifestVisitor *visitor)
{
    StoredDeletes deletes = {.table_id = (uint64_t)metadata_query_i64(query, 0),
                             .rowset_id = (uint64_t)metadata_query_i64(query, 1),
                             .txn_id = (uint64_t)metadata_query_i64(query, 2),
                             .statement = (uint32_t)metadata_query_i64(query, 3)};
    deletes.position =
        metadata_query_is_null(query, 4) ? POSITION_NEVER : (uint64_t)metadata_query_i64(query, 4);
    deletes.bytes = metadata_query_blob(query, 5, &deletes.byte_count);
    return visitor->deletes(visitor->object, &deletes);
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
    if (status == STATUS_OK) {
        status = visit_all(store,
                           "SELECT table_id, rowset_id, txn_id, statement, position, bytes"
                           " FROM delete_mask ORDER BY rowset_id, position, id",
                           visitor, visit_deletes);
    }
    mutex_unlock(&store->mutex);
    return status;
}
