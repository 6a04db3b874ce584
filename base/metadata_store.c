/*
 * metadata_store.c — SQLite behind statements, transactions and Statuses.
 *
 * SQLite allocates from our heap (heap.h), reads and writes through our file table (sqlite_vfs.c)
 * and keeps its temporary structures in memory. The error a client hears is the first one our own
 * layers met; SQLite's word is taken only when there was none.
 */
#include "base/metadata_store.h"

#include <sqlite3.h>
#include <string.h>

#include "base/clock.h"
#include "base/fault.h"
#include "base/heap.h"
#include "base/io/sqlite_vfs.h"
#include "base/io/wal_guard.h"
#include "base/log.h"
#include "base/metrics.h"
#include "base/mutex.h"

enum {
    SQL_BYTES_MAX = 256,
    LOG_BYTES_DEFAULT = 64 << 20,
    FREE_PAGES_MIN = 64,     /* fewer stay for what comes */
    FREE_PAGES_CUT = 4096,   /* at a time: others may want to commit */
    MEMORY_PREFIX_BYTES = 16 /* before each block: its size, and the alignment of what follows */
};

struct MetadataQuery {
    MetadataStore *store;
    MetadataQuery *next, *previous; /* of the store's */
    sqlite3_stmt *statement;        /* null while the store is closed */
    char *sql;
    int bind_code;   /* the first refused bind since the last step */
    bool is_running; /* between its first step and the reset */
};

struct MetadataStore {
    sqlite3 *connection; /* null, and vfs too, after a failed reopen */
    SqliteVfs *vfs;
    Status reopen_error; /* of the last attempt, when it failed */
    FileSystem *system;
    bool is_in_doubt, is_writable;
    uint64_t log_pages, log_pages_max; /* of the WAL: after the last commit; that it may have */
    int64_t busy_us;                   /* when the log grew last, or could not be emptied */
    bool needs_rest;                   /* the log may hold pages, or the file free ones */
    MetadataQuery *queries;
    char path[];
};

static Status sqlite_prepare_process(void);
static Status store_configure(MetadataStore *store);
static Status query_attach(MetadataQuery *query);
static Status store_check_schema(MetadataStore *store, const char *schema_sql,
                                 uint32_t schema_version);

static SqlState state_of(int code)
{
    if (code == SQLITE_IOERR_NOMEM) {
        return SQLSTATE_OUT_OF_MEMORY;
    }
    switch (code & 0xFF) {
    case SQLITE_NOMEM:
        return SQLSTATE_OUT_OF_MEMORY;
    case SQLITE_FULL:
        return SQLSTATE_DISK_FULL;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
        return SQLSTATE_DATA_CORRUPTED;
    case SQLITE_IOERR:
    case SQLITE_CANTOPEN:
        return SQLSTATE_IO_ERROR;
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        return SQLSTATE_OBJECT_IN_USE;
    case SQLITE_TOOBIG:
        return SQLSTATE_PROGRAM_LIMIT_EXCEEDED;
    default:
        return SQLSTATE_INTERNAL_ERROR;
    }
}

static Status store_failed(MetadataStore *store, int code, const char *what)
{
    Status cause = store->vfs != NULL ? sqlite_vfs_take_error(store->vfs) : STATUS_OK;
    if (cause != STATUS_OK) {
        return status_with_context(cause, "metadata store \"%s\": %s", store->path, what);
    }
    const char *reason =
        store->connection != NULL ? sqlite3_errmsg(store->connection) : sqlite3_errstr(code);
    return status_error(state_of(code), "metadata store \"%s\": %s: %s", store->path, what, reason);
}

// An error that SQLite met and coped with must not be told at a later call.
static void forget_former_error(MetadataStore *store)
{
    if (store->vfs != NULL) {
        status_ignore(sqlite_vfs_take_error(store->vfs), "SQLite coped with it");
    }
}

static Status store_attach(MetadataStore *store, int create_flag)
{
    TRY(sqlite_vfs_create(store->system, store->path, create_flag == 0 && !store->is_writable,
                          &store->vfs));
    int flags = SQLITE_OPEN_READWRITE | create_flag | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE |
                SQLITE_OPEN_PRIVATECACHE;
    int code = sqlite3_open_v2(store->path, &store->connection, flags, sqlite_vfs_name(store->vfs));
    return code == SQLITE_OK ? store_configure(store) : store_failed(store, code, "open");
}

static void store_detach(MetadataStore *store)
{
    for (MetadataQuery *query = store->queries; query != NULL; query = query->next) {
        sqlite3_finalize(query->statement);
        query->statement = NULL;
        query->is_running = false;
        query->bind_code = SQLITE_OK;
    }
    int code = sqlite3_close(store->connection); // null is allowed
    ASSERT(code == SQLITE_OK);                   // every statement was finalized above
    store->connection = NULL;
    sqlite_vfs_destroy(store->vfs);
    store->vfs = NULL;
}

static Status store_connect(FileSystem *system, const char *path, int create_flag,
                            MetadataStore **out)
{
    Status status = STATUS_OK;
    size_t path_bytes = strlen(path) + 1;
    TRY(sqlite_prepare_process());
    MetadataStore *store = heap_alloc_zeroed(sizeof *store + path_bytes);
    if (store == NULL) {
        return status_error(SQLSTATE_OUT_OF_MEMORY, "out of memory to open \"%s\"", path);
    }
    memcpy(store->path, path, path_bytes);
    store->system = system;
    store->is_writable = create_flag != 0;
    TRY_OR(cleanup, store_attach(store, create_flag));
    *out = store;
    store = NULL;
cleanup:
    metadata_store_close(store);
    return status;
}

Status metadata_store_open(FileSystem *system, const char *path, const char *schema_sql,
                           uint32_t schema_version, MetadataStore **out)
{
    MetadataStore *store = NULL;
    TRY(store_connect(system, path, SQLITE_OPEN_CREATE, &store));
    Status status = store_check_schema(store, schema_sql, schema_version);
    if (status != STATUS_OK) {
        metadata_store_close(store);
        return status;
    }
    *out = store;
    return STATUS_OK;
}

Status metadata_store_open_read(FileSystem *system, const char *path, MetadataStore **out)
{
    bool exists = false;
    MetadataStore *store = NULL;
    TRY(file_exists(system, path, &exists));
    if (!exists) {
        return status_error(SQLSTATE_UNDEFINED_FILE, "there is no metadata store \"%s\"", path);
    }
    TRY(store_connect(system, path, 0, &store));
    sqlite3_db_config(store->connection, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
    Status status = metadata_store_exec(store, "PRAGMA query_only = ON");
    if (status != STATUS_OK) {
        metadata_store_close(store);
        return status;
    }
    *out = store;
    return STATUS_OK;
}

void metadata_store_close(MetadataStore *store)
{
    if (store == NULL) {
        return;
    }
    while (store->queries != NULL) {
        metadata_query_destroy(store->queries);
    }
    store_detach(store);
    status_free(store->reopen_error);
    heap_free(store);
}

Status metadata_store_exec(MetadataStore *store, const char *sql)
{
    TRY(status_copy(store->reopen_error));
    forget_former_error(store);
    int code = sqlite3_exec(store->connection, sql, NULL, NULL, NULL);
    return code == SQLITE_OK ? STATUS_OK : store_failed(store, code, "statement");
}

Status metadata_store_begin(MetadataStore *store)
{
    return metadata_store_exec(store, "BEGIN IMMEDIATE");
}

Status metadata_store_limit_log(MetadataStore *store, uint64_t bytes)
{
    char sql[SQL_BYTES_MAX];
    store->log_pages_max = bytes / SQLITE_PAGE_BYTES;
    sqlite3_snprintf(sizeof sql, sql, "PRAGMA journal_size_limit = %lld", (long long)bytes);
    return metadata_store_exec(store, sql);
}

// SQLite's own checkpoint by itself would tell nobody when it fails.
static int note_log_pages(void *object, sqlite3 *connection, const char *schema, int pages)
{
    (void)connection, (void)schema;
    MetadataStore *store = object;
    store->log_pages = (uint64_t)pages;
    store->busy_us = clock_monotonic_us();
    store->needs_rest = true;
    return SQLITE_OK;
}

// The commit is durable whatever becomes of this; the next one tries again.
static void shorten_log(MetadataStore *store)
{
    if (store->log_pages < store->log_pages_max) {
        return;
    }
    Status status = metadata_store_checkpoint(store);
    if (status != STATUS_OK) {
        log_status(LOG_WARN, "checkpoint_failed", status);
        status_free(status);
    }
}

// SQLite leaves some failed commits open; here a failed one is over.
Status metadata_store_commit(MetadataStore *store)
{
    Status status = FAULT("metadata.before_commit");
    if (status == STATUS_OK) {
        status = metadata_store_exec(store, "COMMIT");
    }
    if (status == STATUS_OK) {
        metric_add(METRIC_METADATA_COMMITS, 1);
        status = FAULT("metadata.after_commit");
        store->is_in_doubt = store->is_in_doubt || status != STATUS_OK;
        shorten_log(store);
        return status;
    }
    store->is_in_doubt = store->is_in_doubt || sqlite_vfs_has_broken_log(store->vfs);
    metadata_store_rollback(store);
    return status;
}

bool metadata_store_is_in_doubt(const MetadataStore *store)
{
    return store->is_in_doubt;
}

bool metadata_store_is_broken(const MetadataStore *store)
{
    return store->is_in_doubt || store->vfs == NULL || sqlite_vfs_is_broken(store->vfs) ||
           sqlite3_get_autocommit(store->connection) == 0; // a rollback was refused memory
}

void metadata_store_rollback(MetadataStore *store)
{
    if (store->connection != NULL && sqlite3_get_autocommit(store->connection) == 0) {
        status_ignore(metadata_store_exec(store, "ROLLBACK"), "there is no other way out");
    }
}

static Status checkpoint(MetadataStore *store, int mode)
{
    TRY(status_copy(store->reopen_error));
    forget_former_error(store);
    TRY(FAULT("metadata.checkpoint"));
    int code = sqlite3_wal_checkpoint_v2(store->connection, NULL, mode, NULL, NULL);
    if (code != SQLITE_OK) {
        return store_failed(store, code, "checkpoint");
    }
    metric_add(METRIC_METADATA_CHECKPOINTS, 1);
    return STATUS_OK;
}

Status metadata_store_checkpoint(MetadataStore *store)
{
    // RESTART: the next transaction writes the log from its start, so it does not grow.
    return checkpoint(store, SQLITE_CHECKPOINT_RESTART);
}

static Status read_number(MetadataStore *store, const char *sql, int64_t *value);

// Free pages go to the end of the file, some at a time, and the file becomes shorter.
static Status cut_free_pages(MetadataStore *store, bool *has_more)
{
    int64_t before = 0, after = 0;
    *has_more = false;
    TRY(read_number(store, "PRAGMA freelist_count", &before));
    if (before < FREE_PAGES_MIN) {
        return STATUS_OK;
    }
    char sql[SQL_BYTES_MAX];
    sqlite3_snprintf(sizeof sql, sql, "PRAGMA incremental_vacuum(%d)", FREE_PAGES_CUT);
    TRY(metadata_store_exec(store, sql));
    TRY(read_number(store, "PRAGMA freelist_count", &after));
    *has_more = after < before; // a file from before auto_vacuum keeps its pages
    return STATUS_OK;
}

void metadata_store_rest(MetadataStore *store, int64_t quiet_us)
{
    const int64_t now_us = clock_monotonic_us();
    if (!store->needs_rest || now_us - store->busy_us < quiet_us ||
        metadata_store_is_broken(store)) {
        return;
    }
    bool has_more = false;
    store->busy_us = now_us;
    Status status = cut_free_pages(store, &has_more);
    if (status == STATUS_OK) {
        status = checkpoint(store, SQLITE_CHECKPOINT_TRUNCATE);
    }
    if (status == STATUS_OK) {
        store->needs_rest = has_more;
        return;
    }
    log_status(LOG_WARN, "checkpoint_failed", status);
    status_free(status);
}

// An emptied log: frames whose sync failed once may be on the disk or not, whatever a later sync
// says, and a cut log under a newer file would take it back.
static Status reattach(MetadataStore *store)
{
    uint64_t log_bytes = store->log_pages_max * SQLITE_PAGE_BYTES;
    TRY(store_attach(store, 0));
    TRY(metadata_store_limit_log(store, log_bytes));
    for (MetadataQuery *query = store->queries; query != NULL; query = query->next) {
        TRY(query_attach(query));
    }
    return checkpoint(store, SQLITE_CHECKPOINT_TRUNCATE);
}

Status metadata_store_reopen(MetadataStore *store)
{
    ASSERT(store->is_writable);
    metadata_store_rollback(store);
    store_detach(store);
    status_free(store->reopen_error);
    store->reopen_error = STATUS_OK;
    Status status = reattach(store);
    if (status != STATUS_OK) {
        store_detach(store);
        store->reopen_error = status_copy(status);
        return status;
    }
    store->is_in_doubt = false;
    log_warn("metadata_store_reopened", "path=\"%s\"", store->path);
    return STATUS_OK;
}

Status metadata_store_verify(MetadataStore *store)
{
    // What is cached would hide what the disk holds.
    sqlite3_db_release_memory(store->connection);
    TRY(sqlite_vfs_check_pages(store->system, store->path));
    MetadataQuery *query = NULL;
    TRY(metadata_query_prepare(store, "PRAGMA integrity_check(1)", &query));
    bool has_row = false;
    Status status = metadata_query_step(query, &has_row);
    if (status == STATUS_OK) {
        const char *text = has_row ? metadata_query_text(query, 0) : NULL;
        if (text == NULL || strcmp(text, "ok") != 0) {
            status = status_error(SQLSTATE_DATA_CORRUPTED, "metadata store \"%s\" is damaged",
                                  store->path);
            status = status_with_detail(status, "%s", text != NULL ? text : "no answer");
        }
    }
    metadata_query_destroy(query);
    return status;
}

static Status query_attach(MetadataQuery *query)
{
    MetadataStore *store = query->store;
    TRY(status_copy(store->reopen_error));
    forget_former_error(store);
    int code = sqlite3_prepare_v3(store->connection, query->sql, -1, SQLITE_PREPARE_PERSISTENT,
                                  &query->statement, NULL);
    if (code != SQLITE_OK) {
        return store_failed(store, code, "prepare");
    }
    ASSERT(query->statement != NULL); // no statement in the text
    return STATUS_OK;
}

Status metadata_query_prepare(MetadataStore *store, const char *sql, MetadataQuery **out)
{
    MetadataQuery *query = heap_alloc_zeroed(sizeof *query);
    char *copy = heap_strdup(sql);
    if (query == NULL || copy == NULL) {
        heap_free(query);
        heap_free(copy);
        return status_error(SQLSTATE_OUT_OF_MEMORY, "out of memory for a query");
    }
    *query = (MetadataQuery){.store = store, .sql = copy};
    Status status = query_attach(query);
    if (status != STATUS_OK) {
        heap_free(query);
        heap_free(copy);
        return status;
    }
    query->next = store->queries;
    if (store->queries != NULL) {
        store->queries->previous = query;
    }
    store->queries = query;
    *out = query;
    return STATUS_OK;
}

void metadata_query_destroy(MetadataQuery *query)
{
    if (query == NULL) {
        return;
    }
    if (query->previous != NULL) {
        query->previous->next = query->next;
    } else {
        query->store->queries = query->next;
    }
    if (query->next != NULL) {
        query->next->previous = query->previous;
    }
    sqlite3_finalize(query->statement); // repeats the last step's error, which was told then
    heap_free(query->sql);
    heap_free(query);
}

// SQLite binds only between a reset and the first step.
static sqlite3_stmt *bindable(MetadataQuery *query)
{
    if (query->is_running) {
        metadata_query_reset(query);
    }
    return query->statement;
}

static void note_bind(MetadataQuery *query, int code)
{
    if (query->bind_code == SQLITE_OK) {
        query->bind_code = code;
    }
}

void metadata_query_bind_i64(MetadataQuery *query, int index, int64_t value)
{
    note_bind(query, sqlite3_bind_int64(bindable(query), index, value));
}

void metadata_query_bind_f64(MetadataQuery *query, int index, double value)
{
    note_bind(query, sqlite3_bind_double(bindable(query), index, value));
}

void metadata_query_bind_text(MetadataQuery *query, int index, const char *text)
{
    note_bind(query, sqlite3_bind_text(bindable(query), index, text, -1, SQLITE_TRANSIENT));
}

void metadata_query_bind_blob(MetadataQuery *query, int index, const void *data, size_t bytes)
{
    // A null pointer would bind NULL; a blob without bytes is not that.
    const void *source = data != NULL ? data : "";
    note_bind(query, sqlite3_bind_blob64(bindable(query), index, source, bytes, SQLITE_TRANSIENT));
}

void metadata_query_bind_null(MetadataQuery *query, int index)
{
    note_bind(query, sqlite3_bind_null(bindable(query), index));
}

Status metadata_query_step(MetadataQuery *query, bool *has_row)
{
    MetadataStore *store = query->store;
    TRY(status_copy(store->reopen_error));
    if (query->bind_code != SQLITE_OK) {
        int code = query->bind_code;
        query->bind_code = SQLITE_OK;
        return store_failed(store, code, "bind");
    }
    forget_former_error(store);
    query->is_running = true;
    int code = sqlite3_step(query->statement);
    if (code == SQLITE_ROW) {
        *has_row = true;
        return STATUS_OK;
    }
    Status status = code == SQLITE_DONE ? STATUS_OK : store_failed(store, code, "query");
    metadata_query_reset(query);
    if (status == STATUS_OK) {
        *has_row = false;
    }
    return status;
}

Status metadata_query_run(MetadataQuery *query)
{
    bool has_row = true;
    while (has_row) {
        TRY(metadata_query_step(query, &has_row));
    }
    return STATUS_OK;
}

void metadata_query_reset(MetadataQuery *query)
{
    sqlite3_reset(query->statement); // repeats the last step's error, which was told then
    query->is_running = false;
}

int64_t metadata_query_i64(MetadataQuery *query, int column)
{
    return sqlite3_column_int64(query->statement, column);
}

double metadata_query_f64(MetadataQuery *query, int column)
{
    return sqlite3_column_double(query->statement, column);
}

const char *metadata_query_text(MetadataQuery *query, int column)
{
    return (const char *)sqlite3_column_text(query->statement, column);
}

const void *metadata_query_blob(MetadataQuery *query, int column, size_t *bytes)
{
    const void *blob = sqlite3_column_blob(query->statement, column);
    *bytes = (size_t)sqlite3_column_bytes(query->statement, column);
    return blob;
}

bool metadata_query_is_null(MetadataQuery *query, int column)
{
    return sqlite3_column_type(query->statement, column) == SQLITE_NULL;
}

static void *sqlite_realloc_method(void *memory, int bytes)
{
    char *block = memory != NULL ? (char *)memory - MEMORY_PREFIX_BYTES : NULL;
    block = heap_realloc(block, (size_t)bytes + MEMORY_PREFIX_BYTES);
    if (block == NULL) {
        return NULL;
    }
    memcpy(block, &bytes, sizeof bytes);
    return block + MEMORY_PREFIX_BYTES;
}

static void *sqlite_malloc_method(int bytes)
{
    return sqlite_realloc_method(NULL, bytes);
}

static void sqlite_free_method(void *memory)
{
    heap_free(memory != NULL ? (char *)memory - MEMORY_PREFIX_BYTES : NULL);
}

static int sqlite_size_method(void *memory)
{
    int bytes = 0;
    if (memory != NULL) {
        memcpy(&bytes, (char *)memory - MEMORY_PREFIX_BYTES, sizeof bytes);
    }
    return bytes;
}

static int sqlite_roundup_method(int bytes)
{
    return (bytes + 7) & ~7;
}

static int sqlite_init_method(void *object)
{
    (void)object;
    return SQLITE_OK;
}

static void sqlite_shutdown_method(void *object)
{
    (void)object;
}

// Stores live in several threads, but each in one at a time: SQLite locks what they share and no
// more.
static int sqlite_start(void)
{
    static const sqlite3_mem_methods methods = {
        .xMalloc = sqlite_malloc_method,
        .xFree = sqlite_free_method,
        .xRealloc = sqlite_realloc_method,
        .xSize = sqlite_size_method,
        .xRoundup = sqlite_roundup_method,
        .xInit = sqlite_init_method,
        .xShutdown = sqlite_shutdown_method,
    };
    sqlite3_config(SQLITE_CONFIG_MULTITHREAD);
    sqlite3_config(SQLITE_CONFIG_MALLOC, &methods);
    sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
    return sqlite3_initialize();
}

// Once per process; a start that was refused memory is tried again at the next store.
static Status sqlite_prepare_process(void)
{
    static Mutex mutex = MUTEX_STATIC(MUTEX_RANK_METADATA); // guards the flag
    static bool is_started;
    int code = SQLITE_OK;
    mutex_lock(&mutex);
    if (!is_started) {
        code = sqlite_start();
        is_started = code == SQLITE_OK;
    }
    mutex_unlock(&mutex);
    if (code != SQLITE_OK) {
        return status_error(state_of(code), "could not start SQLite: %s", sqlite3_errstr(code));
    }
    return STATUS_OK;
}

// Runs a statement of one row and one number.
static Status read_number(MetadataStore *store, const char *sql, int64_t *value)
{
    MetadataQuery *query = NULL;
    bool has_row = false;
    TRY(metadata_query_prepare(store, sql, &query));
    Status status = metadata_query_step(query, &has_row);
    if (status == STATUS_OK) {
        *value = has_row ? metadata_query_i64(query, 0) : 0;
    }
    metadata_query_destroy(query);
    return status;
}

static Status check_journal_mode(MetadataStore *store)
{
    MetadataQuery *query = NULL;
    bool has_row = false;
    TRY(metadata_query_prepare(store, "PRAGMA journal_mode = WAL", &query));
    Status status = metadata_query_step(query, &has_row);
    if (status == STATUS_OK) {
        const char *mode = has_row ? metadata_query_text(query, 0) : NULL;
        if (mode == NULL || strcmp(mode, "wal") != 0) {
            status =
                status_error(SQLSTATE_SYSTEM_ERROR,
                             "metadata store \"%s\" cannot keep a write-ahead log", store->path);
        }
    }
    metadata_query_destroy(query);
    return status;
}

// Order matters: exclusive before the first read (the log's index then lives in our memory), page
// size and reserved bytes before the first write.
static Status store_configure(MetadataStore *store)
{
    sqlite3 *connection = store->connection;
    sqlite3_db_config(connection, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
    sqlite3_db_config(connection, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
    sqlite3_db_config(connection, SQLITE_DBCONFIG_DQS_DML, 0, NULL);
    sqlite3_db_config(connection, SQLITE_DBCONFIG_DQS_DDL, 0, NULL);
    int reserved = SQLITE_RESERVED_BYTES;
    sqlite3_file_control(connection, "main", SQLITE_FCNTL_RESERVE_BYTES, &reserved);
    TRY(metadata_store_exec(store, "PRAGMA locking_mode = EXCLUSIVE;"
                                   "PRAGMA page_size = 4096;"
                                   "PRAGMA temp_store = MEMORY;"
                                   "PRAGMA cell_size_check = ON;"
                                   "PRAGMA cache_size = -8192;"));
    int64_t page_count = 0;
    TRY(read_number(store, "PRAGMA page_count", &page_count));
    if (page_count == 0 && store->is_writable) { // later it is not heard
        TRY(metadata_store_exec(store, "PRAGMA auto_vacuum = INCREMENTAL"));
    }
    TRY(check_journal_mode(store));
    TRY(metadata_store_exec(store, "PRAGMA synchronous = FULL;"
                                   "PRAGMA wal_autocheckpoint = 0;"));
    TRY(metadata_store_limit_log(store, LOG_BYTES_DEFAULT));
    sqlite3_wal_hook(connection, note_log_pages, store);
    store->needs_rest = true; // a process that died leaves its log
    reserved = -1;
    int code = sqlite3_file_control(connection, "main", SQLITE_FCNTL_RESERVE_BYTES, &reserved);
    if (code != SQLITE_OK || reserved != SQLITE_RESERVED_BYTES) {
        return status_error(SQLSTATE_DATA_CORRUPTED,
                            "metadata store \"%s\" has no checksums in its pages", store->path);
    }
    return STATUS_OK;
}

static Status change_schema(MetadataStore *store, const char *sql, uint32_t version);

// A store without a version is new, or was left before its first commit.
static Status store_check_schema(MetadataStore *store, const char *schema_sql,
                                 uint32_t schema_version)
{
    ASSERT(schema_version > 0 && schema_version <= INT32_MAX);
    int64_t found = 0;
    TRY(read_number(store, "PRAGMA user_version", &found));
    if (found > (int64_t)schema_version || found < 0) {
        return status_error(SQLSTATE_DATA_CORRUPTED,
                            "metadata store \"%s\" has schema version %ld, this program knows %u",
                            store->path, found, schema_version);
    }
    return found > 0 ? STATUS_OK : change_schema(store, schema_sql, schema_version);
}

Status metadata_store_upgrade(MetadataStore *store, uint32_t version, const char *sql)
{
    int64_t found = 0;
    TRY(read_number(store, "PRAGMA user_version", &found));
    return found >= (int64_t)version ? STATUS_OK : change_schema(store, sql, version);
}

static Status change_schema(MetadataStore *store, const char *sql, uint32_t version)
{
    char set_version[SQL_BYTES_MAX];
    sqlite3_snprintf(sizeof set_version, set_version, "PRAGMA user_version = %u", version);
    TRY(metadata_store_begin(store));
    Status status = metadata_store_exec(store, sql);
    if (status == STATUS_OK) {
        status = metadata_store_exec(store, set_version);
    }
    if (status == STATUS_OK) {
        return metadata_store_commit(store);
    }
    metadata_store_rollback(store);
    return status;
}
