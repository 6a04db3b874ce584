/* log_database.c — leader.db: its tables, what is read at start, what a commit writes. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/crypto.h"
#include "base/log.h"
#include "base/vector/distribution_hash.h"
#include "leader/catalog/catalog_version.h"
#include "leader/txn/commit_log_internal.h"

#define SCHEMA_VERSION 2u
#define STRING_OF(number) STRING_OF_TOKEN(number)
#define STRING_OF_TOKEN(token) #token
#define BLOB_BYTES_MAX (256u << 20)

static const char schema_sql[] =
    "CREATE TABLE cluster(name TEXT PRIMARY KEY, value) WITHOUT ROWID;"
    "CREATE TABLE node(node INTEGER PRIMARY KEY, address TEXT NOT NULL);"
    "CREATE TABLE slice(slice INTEGER PRIMARY KEY, node INTEGER NOT NULL,"
    "  first_bucket INTEGER NOT NULL, last_bucket INTEGER NOT NULL);"
    "CREATE TABLE schema(name TEXT PRIMARY KEY) WITHOUT ROWID;"
    "CREATE TABLE user(name TEXT PRIMARY KEY, verifier TEXT NOT NULL,"
    "  is_superuser INTEGER NOT NULL) WITHOUT ROWID;"
    "CREATE TABLE relation(table_id INTEGER PRIMARY KEY, definition BLOB NOT NULL);"
    "CREATE TABLE statistics(table_id INTEGER PRIMARY KEY, data BLOB NOT NULL);"
    "CREATE TABLE commit_record(position INTEGER PRIMARY KEY, txn_id INTEGER NOT NULL UNIQUE);"
    "CREATE TABLE pending(node INTEGER, txn_id INTEGER, position INTEGER NOT NULL,"
    "  redo BLOB, PRIMARY KEY(node, txn_id)) WITHOUT ROWID;";

typedef enum LogQuery {
    QUERY_SET_VALUE,
    QUERY_GET_VALUE,
    QUERY_SET_NODE,
    QUERY_ADD_SLICE,
    QUERY_ADD_SCHEMA,
    QUERY_DROP_SCHEMA,
    QUERY_SET_USER,
    QUERY_DROP_USER,
    QUERY_SET_RELATION,
    QUERY_DROP_RELATION,
    QUERY_SET_STATISTICS,
    QUERY_DROP_STATISTICS,
    QUERY_ADD_COMMIT,
    QUERY_FIND_COMMIT,
    QUERY_ADD_PENDING,
    QUERY_DELETE_PENDING,
    QUERY_COUNT
} LogQuery;

static const char *const query_sql[QUERY_COUNT] = {
    [QUERY_SET_VALUE] = "INSERT OR REPLACE INTO cluster VALUES(?1, ?2)",
    [QUERY_GET_VALUE] = "SELECT value FROM cluster WHERE name = ?1",
    [QUERY_SET_NODE] = "INSERT OR REPLACE INTO node VALUES(?1, ?2)",
    [QUERY_ADD_SLICE] = "INSERT INTO slice VALUES(?1, ?2, ?3, ?4)",
    [QUERY_ADD_SCHEMA] = "INSERT INTO schema VALUES(?1)",
    [QUERY_DROP_SCHEMA] = "DELETE FROM schema WHERE name = ?1",
    [QUERY_SET_USER] = "INSERT OR REPLACE INTO user VALUES(?1, ?2, ?3)",
    [QUERY_DROP_USER] = "DELETE FROM user WHERE name = ?1",
    [QUERY_SET_RELATION] = "INSERT OR REPLACE INTO relation VALUES(?1, ?2)",
    [QUERY_DROP_RELATION] = "DELETE FROM relation WHERE table_id = ?1",
    [QUERY_SET_STATISTICS] = "INSERT OR REPLACE INTO statistics VALUES(?1, ?2)",
    [QUERY_DROP_STATISTICS] = "DELETE FROM statistics WHERE table_id = ?1",
    [QUERY_ADD_COMMIT] = "INSERT INTO commit_record VALUES(?1, ?2)",
    [QUERY_FIND_COMMIT] = "SELECT position FROM commit_record WHERE txn_id = ?1",
    [QUERY_ADD_PENDING] =
        "INSERT OR REPLACE INTO pending(node, txn_id, position, redo) VALUES(?1, ?2, ?3, ?4)",
    [QUERY_DELETE_PENDING] = "DELETE FROM pending WHERE node = ?1 AND txn_id = ?2",
};

struct LogDatabase {
    MetadataStore *store;
    bool is_in_doubt;
    MetadataQuery *queries[QUERY_COUNT];
};

void log_database_close(LogDatabase *database)
{
    if (database == NULL) {
        return;
    }
    for (uint32_t i = 0; i < QUERY_COUNT; i++) {
        metadata_query_destroy(database->queries[i]);
    }
    metadata_store_close(database->store);
    free(database);
}

Status log_database_begin(LogDatabase *database)
{
    return metadata_store_begin(database->store);
}

Status log_database_commit(LogDatabase *database)
{
    Status status = metadata_store_commit(database->store);
    database->is_in_doubt = status != STATUS_OK && metadata_store_is_in_doubt(database->store);
    return status;
}

bool log_database_is_broken(const LogDatabase *database)
{
    return metadata_store_is_broken(database->store);
}

Status log_database_reopen(LogDatabase *database)
{
    return metadata_store_reopen(database->store);
}

void log_database_rest(LogDatabase *database)
{
    metadata_store_rest(database->store, METADATA_QUIET_US);
}

Status log_database_settle(LogDatabase *database, uint64_t txn_id, bool *is_committed)
{
    uint64_t position = 0;
    TRY(metadata_store_reopen(database->store));
    TRY(log_database_find_commit(database, txn_id, &position));
    *is_committed = position != 0;
    database->is_in_doubt = false;
    return STATUS_OK;
}

void log_database_rollback(LogDatabase *database)
{
    metadata_store_rollback(database->store);
}

bool log_database_is_in_doubt(const LogDatabase *database)
{
    return database->is_in_doubt;
}

static Status set_integer(LogDatabase *database, const char *name, uint64_t value)
{
    MetadataQuery *query = database->queries[QUERY_SET_VALUE];
    metadata_query_bind_text(query, 1, name);
    metadata_query_bind_i64(query, 2, (int64_t)value);
    return metadata_query_run(query);
}

static Status set_bytes(LogDatabase *database, const char *name, const void *data, size_t bytes)
{
    MetadataQuery *query = database->queries[QUERY_SET_VALUE];
    metadata_query_bind_text(query, 1, name);
    metadata_query_bind_blob(query, 2, data, bytes);
    return metadata_query_run(query);
}

static Status get_integer(LogDatabase *database, const char *name, uint64_t *value)
{
    MetadataQuery *query = database->queries[QUERY_GET_VALUE];
    bool has_row = false;
    metadata_query_bind_text(query, 1, name);
    TRY(metadata_query_step(query, &has_row));
    if (!has_row) {
        return status_error(SQLSTATE_DATA_CORRUPTED, "the leader's database has no \"%s\"", name);
    }
    *value = (uint64_t)metadata_query_i64(query, 0);
    metadata_query_reset(query);
    return STATUS_OK;
}

static Status get_bytes(LogDatabase *database, const char *name, void *target, size_t bytes)
{
    MetadataQuery *query = database->queries[QUERY_GET_VALUE];
    bool has_row = false;
    metadata_query_bind_text(query, 1, name);
    TRY(metadata_query_step(query, &has_row));
    size_t stored_bytes = 0;
    const void *data = has_row ? metadata_query_blob(query, 0, &stored_bytes) : NULL;
    if (data == NULL || stored_bytes != bytes) {
        metadata_query_reset(query);
        return status_error(SQLSTATE_DATA_CORRUPTED, "the leader's database has no \"%s\"", name);
    }
    memcpy(target, data, bytes);
    metadata_query_reset(query);
    return STATUS_OK;
}

/* ---- a commit ---- */

static Status write_relation(LogDatabase *database, const TableEntry *entry)
{
    ByteBuffer bytes;
    byte_buffer_init(&bytes, BLOB_BYTES_MAX);
    table_entry_encode(entry, &bytes);
    Status status = byte_buffer_status(&bytes);
    if (status == STATUS_OK) {
        MetadataQuery *query = database->queries[QUERY_SET_RELATION];
        metadata_query_bind_i64(query, 1, (int64_t)entry->table.table_id);
        metadata_query_bind_blob(query, 2, bytes.data, bytes.bytes);
        status = metadata_query_run(query);
    }
    byte_buffer_deinit(&bytes);
    return status;
}

static Status write_statistics(LogDatabase *database, const TableEntry *entry)
{
    ByteBuffer bytes;
    byte_buffer_init(&bytes, BLOB_BYTES_MAX);
    table_entry_encode_statistics(entry, &bytes);
    Status status = byte_buffer_status(&bytes);
    if (status == STATUS_OK) {
        MetadataQuery *query = database->queries[QUERY_SET_STATISTICS];
        metadata_query_bind_i64(query, 1, (int64_t)entry->table.table_id);
        metadata_query_bind_blob(query, 2, bytes.data, bytes.bytes);
        status = metadata_query_run(query);
    }
    byte_buffer_deinit(&bytes);
    return status;
}

static Status run_with_id(LogDatabase *database, LogQuery number, uint64_t id)
{
    metadata_query_bind_i64(database->queries[number], 1, (int64_t)id);
    return metadata_query_run(database->queries[number]);
}

static Status run_with_name(LogDatabase *database, LogQuery number, const char *name)
{
    metadata_query_bind_text(database->queries[number], 1, name);
    return metadata_query_run(database->queries[number]);
}

static Status write_user(LogDatabase *database, const UserEntry *user)
{
    MetadataQuery *query = database->queries[QUERY_SET_USER];
    metadata_query_bind_text(query, 1, user->name);
    metadata_query_bind_text(query, 2, user->verifier);
    metadata_query_bind_i64(query, 3, user->is_superuser);
    return metadata_query_run(query);
}

/* A change whose object a later change of the transaction removed again writes nothing. */
static Status write_change(LogDatabase *database, const CatalogChange *change,
                           const CatalogVersion *version)
{
    const TableEntry *entry = NULL;
    switch (change->kind) {
    case CATALOG_REPLACE_VIEW:
        entry = catalog_version_table(version, change->table->schema_name, change->table->name);
        return entry == NULL ? STATUS_OK : write_relation(database, entry);
    case CATALOG_CREATE_TABLE:
        entry = catalog_version_table_by_id(version, change->table->table_id);
        return entry == NULL ? STATUS_OK : write_relation(database, entry);
    case CATALOG_ALTER_TABLE:
        entry = catalog_version_table_by_id(version, change->table->table_id);
        if (entry == NULL) {
            return STATUS_OK;
        }
        TRY(write_relation(database, entry));
        return write_statistics(database, entry); // by column, as the definition has them
    case CATALOG_REPLACE_TABLE:
        TRY(run_with_id(database, QUERY_DROP_RELATION, change->table_id));
        TRY(run_with_id(database, QUERY_DROP_STATISTICS, change->table_id));
        entry = catalog_version_table_by_id(version, change->table->table_id);
        return entry == NULL ? STATUS_OK : write_relation(database, entry);
    case CATALOG_ADVANCE_IDENTITY:
        entry = catalog_version_table_by_id(version, change->table_id);
        return entry == NULL ? STATUS_OK : write_relation(database, entry);
    case CATALOG_DROP_TABLE:
        TRY(run_with_id(database, QUERY_DROP_RELATION, change->table_id));
        return run_with_id(database, QUERY_DROP_STATISTICS, change->table_id);
    case CATALOG_CREATE_SCHEMA:
        return run_with_name(database, QUERY_ADD_SCHEMA, change->schema);
    case CATALOG_DROP_SCHEMA:
        return run_with_name(database, QUERY_DROP_SCHEMA, change->schema);
    case CATALOG_SET_USER:
        return write_user(database, &change->user);
    case CATALOG_DROP_USER:
        return run_with_name(database, QUERY_DROP_USER, change->name);
    case CATALOG_ADD_STATISTICS:
    case CATALOG_CLEAR_STATISTICS:
    case CATALOG_RENEW_STATISTICS:
    case CATALOG_REMOVE_ROWS:
        entry = catalog_version_table_by_id(version, change->table_id);
        return entry == NULL ? STATUS_OK : write_statistics(database, entry);
    case CATALOG_REQUIRE_TABLE:
        return STATUS_OK;
    }
    return status_error(SQLSTATE_INTERNAL_ERROR, "unknown catalog change");
}

static bool is_of_statistics(const CatalogChange *change)
{
    return change->kind == CATALOG_ADD_STATISTICS || change->kind == CATALOG_CLEAR_STATISTICS ||
           change->kind == CATALOG_RENEW_STATISTICS || change->kind == CATALOG_REMOVE_ROWS;
}

/* Statistics of one table may have come from many nodes: only the last state is written. */
static bool is_repeated_later(const CatalogChange *change)
{
    if (!is_of_statistics(change)) {
        return false;
    }
    for (const CatalogChange *later = change->next; later != NULL; later = later->next) {
        if (is_of_statistics(later) && later->table_id == change->table_id) {
            return true;
        }
    }
    return false;
}

Status log_database_write_commit(LogDatabase *database, const CommitRequest *request,
                                 const CatalogVersion *version, uint64_t position,
                                 uint64_t next_table)
{
    MetadataQuery *query = database->queries[QUERY_ADD_COMMIT];
    metadata_query_bind_i64(query, 1, (int64_t)position);
    metadata_query_bind_i64(query, 2, (int64_t)request->txn_id);
    TRY(metadata_query_run(query));
    for (uint32_t i = 0; i < request->participant_count; i++) {
        query = database->queries[QUERY_ADD_PENDING];
        metadata_query_bind_i64(query, 1, request->participants[i]);
        metadata_query_bind_i64(query, 2, (int64_t)request->txn_id);
        metadata_query_bind_i64(query, 3, (int64_t)position);
        const NodeRedo redo = request->redos == NULL ? (NodeRedo){0} : request->redos[i];
        if (redo.bytes > 0) {
            metadata_query_bind_blob(query, 4, redo.data, redo.bytes);
        } else {
            metadata_query_bind_null(query, 4);
        }
        TRY(metadata_query_run(query));
    }
    for (const CatalogChange *change = request->changes->first; change != NULL;
         change = change->next) {
        if (!is_repeated_later(change)) {
            TRY(write_change(database, change, version));
        }
    }
    return set_integer(database, "next_table", next_table);
}

Status log_database_delete_pending(LogDatabase *database, uint32_t node, uint64_t txn_id)
{
    MetadataQuery *query = database->queries[QUERY_DELETE_PENDING];
    metadata_query_bind_i64(query, 1, node);
    metadata_query_bind_i64(query, 2, (int64_t)txn_id);
    return metadata_query_run(query);
}

Status log_database_set_next_rowset(LogDatabase *database, uint64_t next)
{
    return set_integer(database, "next_rowset", next);
}

Status log_database_set_node_address(LogDatabase *database, uint32_t node, const char *address)
{
    MetadataQuery *query = database->queries[QUERY_SET_NODE];
    metadata_query_bind_i64(query, 1, node);
    metadata_query_bind_text(query, 2, address);
    return metadata_query_run(query);
}

Status log_database_find_commit(LogDatabase *database, uint64_t txn_id, uint64_t *position)
{
    MetadataQuery *query = database->queries[QUERY_FIND_COMMIT];
    bool has_row = false;
    metadata_query_bind_i64(query, 1, (int64_t)txn_id);
    TRY(metadata_query_step(query, &has_row));
    *position = has_row ? (uint64_t)metadata_query_i64(query, 0) : 0;
    metadata_query_reset(query);
    return STATUS_OK;
}

/* ---- start ---- */

static Status create_cluster(CommitLog *log, const CommitLogOptions *options)
{
    LogDatabase *database = log->database;
    uint8_t cluster_id[16], secret[SECRET_BYTES];
    TRY(crypto_random(cluster_id, sizeof(cluster_id)));
    TRY(crypto_random(secret, sizeof(secret)));
    TRY(set_bytes(database, "cluster_id", cluster_id, sizeof(cluster_id)));
    TRY(set_bytes(database, "secret", secret, sizeof(secret)));
    TRY(set_integer(database, "epoch", 0));
    TRY(set_integer(database, "map_epoch", 1));
    TRY(set_integer(database, "node_count", options->node_count));
    TRY(set_integer(database, "next_table", 100000)); // below: ids of the system's own tables
    TRY(set_integer(database, "next_rowset", 1));
    TRY(set_integer(database, "distribution_hash", DISTRIBUTION_HASH_VERSION));
    TRY(run_with_name(database, QUERY_ADD_SCHEMA, "public"));
    for (uint32_t i = 0; i < options->slice_count; i++) {
        MetadataQuery *query = database->queries[QUERY_ADD_SLICE];
        metadata_query_bind_i64(query, 1, i);
        metadata_query_bind_i64(query, 2,
                                1 + (int64_t)i * options->node_count / options->slice_count);
        metadata_query_bind_i64(query, 3, (int64_t)i * BUCKET_COUNT / options->slice_count);
        metadata_query_bind_i64(query, 4,
                                ((int64_t)i + 1) * BUCKET_COUNT / options->slice_count - 1);
        TRY(metadata_query_run(query));
    }
    UserEntry admin = {
        .name = options->admin_name, .verifier = options->admin_verifier, .is_superuser = true};
    return write_user(database, &admin);
}

/* Runs a SELECT and calls `visit` for each row. */
static Status for_each_row(CommitLog *log, const char *sql,
                           Status (*visit)(CommitLog *log, MetadataQuery *query, void *object),
                           void *object)
{
    MetadataQuery *query = NULL;
    TRY(metadata_query_prepare(log->database->store, sql, &query));
    Status status = STATUS_OK;
    bool has_row = true;
    while (status == STATUS_OK && has_row) {
        status = metadata_query_step(query, &has_row);
        if (status == STATUS_OK && has_row) {
            status = visit(log, query, object);
        }
    }
    metadata_query_destroy(query);
    return status;
}

static Status read_slice(CommitLog *log, MetadataQuery *query, void *object)
{
    (void)object;
    if (log->slice_count >= MESSAGE_SLICES_MAX) {
        return status_error(SQLSTATE_DATA_CORRUPTED, "too many slices");
    }
    log->slices[log->slice_count++] =
        (MessageSlice){.slice = (uint32_t)metadata_query_i64(query, 0),
                       .node = (uint32_t)metadata_query_i64(query, 1),
                       .first_bucket = (uint16_t)metadata_query_i64(query, 2),
                       .last_bucket = (uint16_t)metadata_query_i64(query, 3)};
    return STATUS_OK;
}

static Status read_node(CommitLog *log, MetadataQuery *query, void *object)
{
    (void)object;
    int64_t node = metadata_query_i64(query, 0);
    if (node >= 1 && node <= (int64_t)MESSAGE_NODES_MAX) {
        log->node_addresses[node] = arena_strdup(log->arena, metadata_query_text(query, 1));
    }
    return STATUS_OK;
}

static Status read_pending(CommitLog *log, MetadataQuery *query, void *object)
{
    (void)object;
    Outcome outcome = {.txn_id = (uint64_t)metadata_query_i64(query, 1),
                       .position = (uint64_t)metadata_query_i64(query, 2),
                       .state = OUTCOME_COMMITTED};
    outcome.redo = metadata_query_blob(query, 3, &outcome.redo_bytes);
    int64_t node = metadata_query_i64(query, 0);
    if (node < 1 || node > (int64_t)MESSAGE_NODES_MAX) {
        return status_error(SQLSTATE_DATA_CORRUPTED, "pending outcome of node %ld", (long)node);
    }
    commit_log_add_pending(log, (uint32_t)node, &outcome, true);
    return STATUS_OK;
}

static Status read_position(CommitLog *log, MetadataQuery *query, void *object)
{
    (void)object;
    log->position = (uint64_t)metadata_query_i64(query, 0);
    return STATUS_OK;
}

/* The catalog being read: tables are sorted in as they come. */
static Status read_relation(CommitLog *log, MetadataQuery *query, void *object)
{
    (void)log;
    CatalogVersion *version = object;
    size_t bytes = 0, statistic_bytes = 0;
    const void *data = metadata_query_blob(query, 0, &bytes);
    TableEntry *entry = NULL;
    TRY(table_entry_decode(data, bytes, &entry));
    Status status = STATUS_OK;
    if (!metadata_query_is_null(query, 1)) {
        const void *statistics = metadata_query_blob(query, 1, &statistic_bytes);
        status = table_entry_decode_statistics(entry, statistics, statistic_bytes);
    } else {
        status = table_entry_derive(entry);
    }
    bool is_found = false;
    uint32_t slot =
        catalog_version_table_slot(version, entry->table.schema_name, entry->table.name, &is_found);
    if (status == STATUS_OK && is_found) {
        status = status_error(SQLSTATE_DATA_CORRUPTED, "table \"%s\" stands twice in the catalog",
                              entry->table.name);
    }
    if (status != STATUS_OK) {
        table_entry_unpin(entry);
        return status;
    }
    memmove(&version->tables[slot + 1], &version->tables[slot],
            (version->table_count - slot) * sizeof(*version->tables));
    version->tables[slot] = entry;
    version->table_count++;
    return STATUS_OK;
}

static Status read_schema(CommitLog *log, MetadataQuery *query, void *object)
{
    (void)log;
    CatalogVersion *version = object;
    version->schemas[version->schema_count++] =
        arena_strdup(version->arena, metadata_query_text(query, 0));
    return STATUS_OK;
}

static Status read_user(CommitLog *log, MetadataQuery *query, void *object)
{
    (void)log;
    CatalogVersion *version = object;
    version->users[version->user_count++] =
        (UserEntry){.name = arena_strdup(version->arena, metadata_query_text(query, 0)),
                    .verifier = arena_strdup(version->arena, metadata_query_text(query, 1)),
                    .is_superuser = metadata_query_i64(query, 2) != 0};
    return STATUS_OK;
}

static Status read_count(CommitLog *log, MetadataQuery *query, void *object)
{
    (void)log;
    uint32_t *count = object;
    *count = (uint32_t)metadata_query_i64(query, 0);
    return STATUS_OK;
}

static Status read_catalog(CommitLog *log)
{
    uint32_t rows = 0;
    TRY(for_each_row(log,
                     "SELECT (SELECT count(*) FROM relation) + (SELECT count(*) FROM schema)"
                     " + (SELECT count(*) FROM user)",
                     read_count, &rows));
    CatalogVersion *empty = catalog_version_create_empty();
    CatalogVersion *version = catalog_version_copy(empty, rows);
    catalog_version_unpin(empty);
    version->schema_count = 0;
    log->version = version;
    TRY(for_each_row(log, "SELECT name FROM schema ORDER BY name", read_schema, version));
    TRY(for_each_row(log, "SELECT name, verifier, is_superuser FROM user ORDER BY name", read_user,
                     version));
    return for_each_row(log,
                        "SELECT definition, data FROM relation LEFT JOIN statistics"
                        " USING(table_id)",
                        read_relation, version);
}

/* Rows that lie by another hash would be looked for on the wrong nodes. */
static Status check_distribution_hash(CommitLog *log)
{
    uint32_t is_known = 0;
    TRY(for_each_row(log,
                     "SELECT count(*) FROM cluster WHERE name = 'distribution_hash' AND value = "
                     STRING_OF(DISTRIBUTION_HASH_VERSION),
                     read_count, &is_known));
    if (is_known == 0) {
        return status_with_hint(
            status_error(SQLSTATE_OBJECT_NOT_IN_PREREQUISITE_STATE,
                         "the rows of this cluster lie by another distribution hash"),
            "unload the tables with the version that wrote them and load them again");
    }
    return STATUS_OK;
}

static Status read_cluster(CommitLog *log)
{
    LogDatabase *database = log->database;
    uint64_t node_count = 0;
    TRY(check_distribution_hash(log));
    TRY(get_bytes(database, "cluster_id", log->cluster_id, sizeof(log->cluster_id)));
    TRY(get_bytes(database, "secret", log->secret, sizeof(log->secret)));
    TRY(get_integer(database, "epoch", &log->epoch));
    log->epoch++;
    TRY(set_integer(database, "epoch", log->epoch)); // durable before anything else happens
    TRY(get_integer(database, "map_epoch", &log->map_epoch));
    TRY(get_integer(database, "node_count", &node_count));
    TRY(get_integer(database, "next_table", &log->next_table));
    TRY(get_integer(database, "next_rowset", &log->next_rowset));
    log->node_count = (uint32_t)node_count;
    log->slices = ARENA_ARRAY(log->arena, MessageSlice, MESSAGE_SLICES_MAX);
    TRY(for_each_row(log, "SELECT slice, node, first_bucket, last_bucket FROM slice ORDER BY slice",
                     read_slice, NULL));
    TRY(for_each_row(log, "SELECT node, address FROM node", read_node, NULL));
    TRY(for_each_row(log, "SELECT node, txn_id, position, redo FROM pending ORDER BY position",
                     read_pending, NULL));
    TRY(for_each_row(log, "SELECT coalesce(max(position), 0) FROM commit_record", read_position,
                     NULL));
    return read_catalog(log);
}

Status log_database_open(CommitLog *log, const CommitLogOptions *options)
{
    char path[4096];
    snprintf(path, sizeof(path), "%s/leader.db", options->directory);
    TRY(file_make_directory(options->files, options->directory));
    log->database = calloc(1, sizeof(*log->database));
    if (log->database == NULL) {
        return status_error(SQLSTATE_OUT_OF_MEMORY, "no memory for the commit log");
    }
    LogDatabase *database = log->database;
    TRY(metadata_store_open(options->files, path, schema_sql, SCHEMA_VERSION, &database->store));
    if (options->metadata_log_bytes > 0) {
        TRY(metadata_store_limit_log(database->store, options->metadata_log_bytes));
    }
    TRY(metadata_store_upgrade(database->store, SCHEMA_VERSION,
                               "ALTER TABLE pending ADD COLUMN redo BLOB;"));
    for (uint32_t i = 0; i < QUERY_COUNT; i++) {
        TRY(metadata_query_prepare(database->store, query_sql[i], &database->queries[i]));
    }
    uint32_t known = 0;
    TRY(for_each_row(log, "SELECT count(*) FROM cluster", read_count, &known));
    if (known == 0) {
        TRY(metadata_store_begin(database->store));
        Status status = create_cluster(log, options);
        if (status != STATUS_OK) {
            metadata_store_rollback(database->store);
            return status;
        }
        TRY(metadata_store_commit(database->store));
    }
    TRY(read_cluster(log));
    if (log->node_count != options->node_count) {
        return status_with_hint(status_error(SQLSTATE_OBJECT_NOT_IN_PREREQUISITE_STATE,
                                             "this cluster was made with %u nodes, not %u",
                                             log->node_count, options->node_count),
                                "start it with the number of nodes it has");
    }
    return STATUS_OK;
}
