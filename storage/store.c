/* store.c — see store.h: opening a node's directory, and the parts of a Store put together. */
#include "storage/store_internal.h"

#include <stdio.h>
#include <string.h>
#include "base/heap.h"
#include "base/io/disk_reserve.h"
#include "base/log.h"
#include "storage/inspect.h"

static Status check_identity(Store *store, const char *name, int64_t expected, bool is_expected)
{
    int64_t found = 0;
    bool is_found = false;
    TRY(manifest_store_get(store->manifest_store, name, &found, &is_found));
    if (!is_found && is_expected) {
        return status_with_hint(status_error(SQLSTATE_DATA_CORRUPTED,
                                             "node %u has lost its database: node.db is empty",
                                             store->node_id),
                                "restore the node's directory from a copy; without the database "
                                "its rowsets cannot be told from garbage");
    }
    if (!is_found) {
        return manifest_store_set(store->manifest_store, name, expected);
    }
    return found == expected ? STATUS_OK
                             : status_error(SQLSTATE_OBJECT_NOT_IN_PREREQUISITE_STATE,
                                            "the data directory belongs to another %s", name);
}

static Status load_slices(Store *store)
{
    SliceRange *slices = NULL;
    uint32_t count = 0;
    int64_t epoch = 0;
    bool is_found = false;
    Arena *arena = arena_create(NULL, "slice_arena");
    Status status = manifest_store_load_slices(store->manifest_store, arena, &slices, &count);
    if (status == STATUS_OK) {
        status = manifest_store_get(store->manifest_store, "map_epoch", &epoch, &is_found);
    }
    if (status == STATUS_OK && count > STORE_SLICES_MAX) {
        status = status_error(SQLSTATE_DATA_CORRUPTED, "too many slices in the node's database");
    }
    if (status == STATUS_OK) {
        memcpy(store->slices, slices, count * sizeof *slices);
        store->slice_count = count;
        store->map_epoch = (uint64_t)epoch;
    }
    arena_destroy(arena);
    return status;
}

/* Not to be made anew: an empty database would take every rowset for garbage. */
static Status check_database_is_there(const Store *store, const StoreOptions *options)
{
    char path[MANIFEST_PATH_BYTES];
    bool exists = false;
    snprintf(path, sizeof path, "%s/node.db", options->directory);
    TRY(file_exists(store->system, path, &exists));
    if (!exists && options->is_expected) {
        return status_with_hint(status_error(SQLSTATE_DATA_CORRUPTED,
                                             "node %u has lost its database: \"%s\" is missing",
                                             store->node_id, path),
                                "restore the node's directory from a copy");
    }
    return STATUS_OK;
}

static Status open_parts(Store *store, const StoreOptions *options)
{
    TRY(file_make_directory(store->system, options->directory));
    TRY(check_database_is_there(store, options));
    TRY(manifest_store_open(store->system, options->directory, &store->manifest_store));
    if (options->metadata_log_bytes > 0) {
        TRY(manifest_store_limit_log(store->manifest_store, options->metadata_log_bytes));
    }
    TRY(check_identity(store, "cluster", (int64_t)store->cluster, options->is_expected));
    TRY(check_identity(store, "node", options->node_id, options->is_expected));
    TRY(load_slices(store));
    TRY(rowset_lease_open(&store->lease, store->manifest_store));
    TRY(block_cache_create(store->budget, options->cache_bytes, &store->cache));
    return manifest_open(store->system, options->directory, store->cluster, store->manifest_store,
                         store->cache, store->budget, &store->manifest);
}

Status store_open(const StoreOptions *options, Store **out)
{
    Store *store = heap_alloc_zeroed(sizeof *store);
    if (store == NULL) {
        return status_error(SQLSTATE_OUT_OF_MEMORY, "out of memory for a store");
    }
    store->host = options->host;
    store->system = options->host->files;
    store->budget = options->budget;
    store->node_id = options->node_id;
    store->cluster = cluster_fold(options->cluster_id);
    store->disk_reserve_bytes = options->disk_reserve_bytes;
    store->directory = heap_strdup(options->directory);
    mutex_init(&store->mutex, MUTEX_RANK_TABLE);
    lookup_counts_init(&store->lookups);
    Status status = store->directory != NULL
                        ? open_parts(store, options)
                        : status_error(SQLSTATE_OUT_OF_MEMORY, "out of memory for a store");
    if (status != STATUS_OK) {
        store_close(store);
        return status;
    }
    log_info("store_opened", "node=%u position=%llu slices=%u", store->node_id,
             (unsigned long long)store_applied_position(store), store->slice_count);
    *out = store;
    return STATUS_OK;
}

void store_close(Store *store)
{
    if (store == NULL) {
        return;
    }
    if (store->manifest_store != NULL) {
        status_ignore(manifest_store_write_outcomes(store->manifest_store),
                      "the leader is asked again when the store opens");
    }
    manifest_close(store->manifest);
    block_cache_destroy(store->cache);
    rowset_lease_close(&store->lease);
    manifest_store_close(store->manifest_store);
    lookup_counts_deinit(&store->lookups);
    mutex_deinit(&store->mutex);
    heap_free(store->directory);
    heap_free(store);
}

Status store_check_room(const Store *store)
{
    return disk_reserve_check(store->system, store->directory, store->disk_reserve_bytes);
}

Status store_set_slices(Store *store, uint64_t map_epoch, const SliceRange *slices,
                        uint32_t slice_count)
{
    if (slice_count > STORE_SLICES_MAX) {
        return status_error(SQLSTATE_PROGRAM_LIMIT_EXCEEDED, "%u slices on one node are too many",
                            slice_count);
    }
    TRY(manifest_store_set_slices(store->manifest_store, map_epoch, slices, slice_count));
    mutex_lock(&store->mutex);
    memcpy(store->slices, slices, slice_count * sizeof *slices);
    store->slice_count = slice_count;
    store->map_epoch = map_epoch;
    mutex_unlock(&store->mutex);
    return STATUS_OK;
}

Status store_slices(Store *store, Arena *arena, SliceRange **slices, uint32_t *count)
{
    mutex_lock(&store->mutex);
    *count = store->slice_count;
    *slices = arena_memdup(arena, store->slices, store->slice_count * sizeof *store->slices + 1);
    mutex_unlock(&store->mutex);
    return *count > 0 ? STATUS_OK
                      : status_error(SQLSTATE_OBJECT_NOT_IN_PREREQUISITE_STATE,
                                     "node %u has no slices yet", store->node_id);
}

Status store_lease_rowsets(Store *store, uint64_t first_id, uint64_t id_count)
{
    return rowset_lease_add(&store->lease, first_id, id_count);
}

uint64_t store_leased_rowsets(const Store *store)
{
    return rowset_lease_left((RowsetLease *)&store->lease);
}

Status store_prepare(Store *store, uint64_t txn_id)
{
    return manifest_prepare(store->manifest, txn_id);
}

Status store_commit(Store *store, uint64_t txn_id, uint64_t position)
{
    return manifest_commit(store->manifest, txn_id, position);
}

Status store_vote(Store *store, uint64_t txn_id, ByteBuffer *redo)
{
    return manifest_vote(store->manifest, txn_id, redo);
}

Status store_redo(Store *store, uint64_t txn_id, uint64_t position, const uint8_t *redo,
                  size_t redo_bytes)
{
    return manifest_redo(store->manifest, txn_id, position, redo, redo_bytes);
}

Status store_write_outcomes(Store *store)
{
    return manifest_store_write_outcomes(store->manifest_store);
}

bool store_has_writes(Store *store, uint64_t txn_id)
{
    return manifest_has_txn(store->manifest, txn_id);
}

Status store_abort(Store *store, uint64_t txn_id)
{
    return manifest_abort(store->manifest, txn_id);
}

Status store_rollback_statements(Store *store, uint64_t txn_id, uint32_t statement)
{
    return manifest_rollback_statements(store->manifest, txn_id, statement);
}

uint64_t store_applied_position(const Store *store)
{
    return manifest_applied(store->manifest);
}

void store_advance(Store *store, uint64_t position)
{
    manifest_advance(store->manifest, position);
}

uint32_t store_prepared(Store *store, uint64_t *txn_ids, uint32_t max)
{
    return manifest_prepared(store->manifest, txn_ids, max);
}

Status store_abort_unprepared(Store *store, uint64_t txn_id)
{
    return manifest_abort_unprepared(store->manifest, txn_id);
}

void store_set_horizon(Store *store, uint64_t position)
{
    Status status = manifest_set_horizon(store->manifest, position);
    if (status != STATUS_OK) { // nothing is lost: the next horizon tries again
        log_status(LOG_WARN, "horizon_not_applied", status);
        status_free(status);
    }
}

void store_rest(Store *store)
{
    manifest_store_rest(store->manifest_store);
}

Status store_truncate_table(Store *store, uint64_t table_id, const Snapshot *snapshot)
{
    return manifest_drop(store->manifest, table_id, snapshot, false);
}

Status store_drop_table(Store *store, uint64_t table_id, const Snapshot *snapshot)
{
    return manifest_drop(store->manifest, table_id, snapshot, true);
}

static TableUsage *usage_of_slice(TableUsage *usages, uint32_t *count, uint32_t slice)
{
    for (uint32_t i = 0; i < *count; i++) {
        if (usages[i].slice == slice) {
            return &usages[i];
        }
    }
    usages[*count] = (TableUsage){.slice = slice};
    return &usages[(*count)++];
}

Status store_table_usage(Store *store, uint64_t table_id, const Snapshot *snapshot, Arena *arena,
                         TableUsage **out, uint32_t *count)
{
    VisibleRows *visible;
    uint32_t visible_count;
    TRY(manifest_visible(store->manifest, table_id, snapshot, arena, &visible, &visible_count));
    *out = ARENA_ARRAY(arena, TableUsage, visible_count + 1);
    *count = 0;
    for (uint32_t i = 0; i < visible_count; i++) {
        const StoredRows *rows = visible[i].rows;
        TableUsage *usage = usage_of_slice(*out, count, rows->slice);
        usage->rows += rows->row_count - delete_mask_row_count(visible[i].deleted);
        usage->bytes += rows->byte_count;
        usage->rowsets += rows->kind == ROWS_FILE;
        usage->insert_batches += rows->kind == ROWS_BATCH;
    }
    manifest_unpin_visible(visible, visible_count);
    return STATUS_OK;
}
