/* manifest.c — see manifest.h. Transactions and their outcomes are in manifest_txn.c. */
#include "storage/manifest_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/heap.h"
#include "base/log.h"

/* Tables. */

ManifestTable *manifest_find_table(const Manifest *manifest, uint64_t table_id)
{
    ManifestTable *table = manifest->tables[table_id % MANIFEST_TABLE_BUCKETS];
    while (table != NULL && table->table_id != table_id) {
        table = table->next;
    }
    return table;
}

/* Finds or makes; null when memory is refused. The mutex is held. */
ManifestTable *manifest_make_table(Manifest *manifest, uint64_t table_id)
{
    ManifestTable *table = manifest_find_table(manifest, table_id);
    if (table != NULL) {
        return table;
    }
    table = heap_alloc_zeroed(sizeof *table);
    if (table == NULL) {
        return NULL;
    }
    table->table_id = table_id;
    table->garbage_position = POSITION_NEVER;
    table->next = manifest->tables[table_id % MANIFEST_TABLE_BUCKETS];
    manifest->tables[table_id % MANIFEST_TABLE_BUCKETS] = table;
    return table;
}

bool manifest_table_reserve(ManifestTable *table, uint32_t added)
{
    const uint32_t needed = table->entry_count + added;
    if (needed <= table->entry_capacity) {
        return true;
    }
    const uint32_t doubled = 2 * table->entry_capacity;
    const uint32_t capacity = needed > doubled ? needed : doubled;
    ManifestEntry *larger = heap_realloc(table->entries, capacity * sizeof *larger);
    if (larger == NULL) {
        return false;
    }
    table->entries = larger;
    table->entry_capacity = capacity;
    return true;
}

static void table_destroy(ManifestTable *table)
{
    for (uint32_t i = 0; i < table->entry_count; i++) {
        stored_rows_unpin(table->entries[i].rows);
        delete_history_unpin(table->entries[i].deletes);
    }
    heap_free(table->entries);
    heap_free(table);
}

/* Paths. */

static Status slice_path(const Manifest *manifest, uint64_t table_id, uint32_t slice, char *path)
{
    char name[16] = "replica";
    if (slice != REPLICA_SLICE) {
        snprintf(name, sizeof name, "%u", slice);
    }
    const int bytes = snprintf(path, MANIFEST_PATH_BYTES, "%s/tables/%llu/%s", manifest->directory,
                               (unsigned long long)table_id, name);
    return bytes < MANIFEST_PATH_BYTES
               ? STATUS_OK
               : status_error(SQLSTATE_INVALID_NAME, "directory name \"%s\" is too long",
                              manifest->directory);
}

Status manifest_rowset_path(const Manifest *manifest, uint64_t table_id, uint32_t slice,
                            uint64_t rowset_id, char *path)
{
    TRY(slice_path(manifest, table_id, slice, path));
    const size_t length = strlen(path);
    const int bytes = snprintf(path + length, MANIFEST_PATH_BYTES - length, "/%llu.rows",
                               (unsigned long long)rowset_id);
    return (size_t)bytes < MANIFEST_PATH_BYTES - length
               ? STATUS_OK
               : status_error(SQLSTATE_INVALID_NAME, "directory name \"%s\" is too long",
                              manifest->directory);
}

Status manifest_make_directory(Manifest *manifest, uint64_t table_id, uint32_t slice)
{
    char path[MANIFEST_PATH_BYTES];
    TRY(slice_path(manifest, table_id, slice, path));
    return file_make_directory(manifest->system, path);
}

/* The slice's directory holds the names of files; its parents hold the names of directories. */
Status manifest_sync_directories(Manifest *manifest, uint64_t table_id, uint32_t slice)
{
    char path[MANIFEST_PATH_BYTES];
    TRY(slice_path(manifest, table_id, slice, path));
    TRY(file_sync_directory(manifest->system, path));
    for (int parent = 0; parent < 2; parent++) {
        *strrchr(path, '/') = 0;
        TRY(file_sync_directory(manifest->system, path));
    }
    return STATUS_OK;
}

/* Opening. */

static Status load_pending(Manifest *manifest, uint64_t txn_id, uint32_t statement,
                           StoredRows *owned_rows)
{
    const TxnRows rows = {.pending = {.rows = owned_rows, .statement = statement}};
    ManifestTxn *txn = manifest_make_txn(manifest, txn_id);
    if (txn == NULL || !manifest_txn_add_rows(txn, &rows)) {
        stored_rows_unpin(owned_rows);
        return status_error(SQLSTATE_OUT_OF_MEMORY, "out of memory for the manifest");
    }
    return STATUS_OK;
}

static Status load_rows(void *object, const StoredRows *facts, const void *bytes, uint64_t created,
                        uint64_t dropped, uint64_t txn_id, uint32_t statement)
{
    Manifest *manifest = object;
    char path[MANIFEST_PATH_BYTES] = "";
    StoredRows own = *facts;
    StoredRows *rows;
    own.budget = manifest->budget;
    own.cache = manifest->cache;
    if (facts->kind == ROWS_FILE) {
        TRY(manifest_rowset_path(manifest, facts->table_id, facts->slice, facts->rowset_id, path));
    }
    TRY(stored_rows_create(&own, bytes, manifest->system, path, manifest->cluster, &rows));
    if (created == POSITION_NEVER) {
        return load_pending(manifest, txn_id, statement, rows);
    }
    ManifestTable *table = manifest_make_table(manifest, facts->table_id);
    if (table == NULL || !manifest_table_reserve(table, 1)) {
        stored_rows_unpin(rows);
        return status_error(SQLSTATE_OUT_OF_MEMORY, "out of memory for the manifest");
    }
    // Whether a merge dropped it is not stored: who would drop it once more is refused to be safe.
    table->entries[table->entry_count++] = (ManifestEntry){.rows = rows,
                                                           .created = created,
                                                           .dropped = dropped,
                                                           .is_merged = dropped != POSITION_NEVER};
    table->garbage_position = 0; // not known yet: the first horizon looks
    return STATUS_OK;
}

static Status load_prepared(void *object, uint64_t txn_id)
{
    ManifestTxn *txn = manifest_make_txn(object, txn_id);
    if (txn == NULL) {
        return status_error(SQLSTATE_OUT_OF_MEMORY, "out of memory for the manifest");
    }
    txn->is_prepared = true;
    return STATUS_OK;
}

static Status load_drop(void *object, uint64_t txn_id, const PendingDrop *drop)
{
    return manifest_txn_add_drop(manifest_make_txn(object, txn_id), drop);
}

/* The entry of a rowset in a table as it was loaded: in the order of ids. */
static ManifestEntry *find_loaded(const Manifest *manifest, uint64_t table_id, uint64_t rowset_id)
{
    const ManifestTable *table = manifest_find_table(manifest, table_id);
    uint32_t low = 0, high = table == NULL ? 0 : table->entry_count;
    while (low < high) {
        const uint32_t middle = low + (high - low) / 2;
        if (table->entries[middle].rows->rowset_id < rowset_id) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return table != NULL && low < table->entry_count &&
                   table->entries[low].rows->rowset_id == rowset_id
               ? &table->entries[low]
               : NULL;
}

static Status load_mask(Manifest *manifest, const StoredDeletes *deletes, DeleteMask *mask)
{
    const PendingDelete pending = {.table_id = deletes->table_id,
                                   .rowset_id = deletes->rowset_id,
                                   .rows = mask,
                                   .statement = deletes->statement};
    if (deletes->position == POSITION_NEVER) {
        return manifest_txn_add_deletes(manifest_make_txn(manifest, deletes->txn_id), &pending, 1);
    }
    ManifestEntry *entry = find_loaded(manifest, deletes->table_id, deletes->rowset_id);
    DeleteHistory *history = NULL;
    if (entry == NULL) {
        return status_error(
            SQLSTATE_DATA_CORRUPTED, "deletes of table %llu, rowset %llu, which is not listed",
            (unsigned long long)deletes->table_id, (unsigned long long)deletes->rowset_id);
    }
    TRY(delete_history_with(entry->deletes, deletes->position, mask, manifest->budget, &history));
    delete_history_unpin(entry->deletes);
    entry->deletes = history;
    return STATUS_OK;
}

static Status load_deletes(void *object, const StoredDeletes *deletes)
{
    Manifest *manifest = object;
    const DeleteIdentity identity = {.cluster = manifest->cluster,
                                     .table_id = deletes->table_id,
                                     .rowset_id = deletes->rowset_id,
                                     .txn_id = deletes->txn_id,
                                     .statement = deletes->statement};
    DeleteMask *mask = NULL;
    TRY(delete_mask_decode(deletes->bytes, deletes->byte_count, &identity, manifest->budget,
                           &mask));
    Status status = load_mask(manifest, deletes, mask);
    delete_mask_unpin(mask);
    return status;
}

/* Files that no list names: left by a crash, an abort, or a write that failed. */
typedef struct Sweep {
    Manifest *manifest;
    char path[MANIFEST_PATH_BYTES];
    uint32_t depth; /* 0: tables, 1: slices, 2: files */
    uint64_t table_id;
    uint32_t removed;
} Sweep;

static bool has_rows(const ManifestTxn *txn, uint64_t rowset_id)
{
    for (; txn != NULL; txn = txn->next) {
        for (uint32_t i = 0; i < txn->row_count; i++) {
            if (txn->rows[i].pending.rows->rowset_id == rowset_id) {
                return true;
            }
        }
    }
    return false;
}

static bool is_listed(const Manifest *manifest, uint64_t table_id, uint64_t rowset_id)
{
    const ManifestTable *table = manifest_find_table(manifest, table_id);
    for (uint32_t i = 0; table != NULL && i < table->entry_count; i++) {
        if (table->entries[i].rows->rowset_id == rowset_id) {
            return true;
        }
    }
    return has_rows(manifest->txns, rowset_id) || has_rows(manifest->aborted, rowset_id);
}

static Status sweep_visit(void *object, const char *name, bool is_directory)
{
    Sweep *sweep = object;
    char *end;
    const size_t length = strlen(sweep->path);
    const unsigned long long number = strtoull(name, &end, 10);
    if (is_directory != (sweep->depth < 2) ||
        snprintf(sweep->path + length, sizeof sweep->path - length, "/%s", name) >=
            (int)(sizeof sweep->path - length)) {
        sweep->path[length] = 0;
        return STATUS_OK; // not ours
    }
    Status status = STATUS_OK;
    if (is_directory) {
        sweep->table_id = sweep->depth == 0 ? number : sweep->table_id;
        sweep->depth++;
        status = file_list(sweep->manifest->system, sweep->path, sweep_visit, sweep);
        sweep->depth--;
    } else if (strcmp(end, ".rows") == 0 && end != name &&
               !is_listed(sweep->manifest, sweep->table_id, number)) {
        status = file_remove(sweep->manifest->system, sweep->path);
        sweep->removed++;
    }
    sweep->path[length] = 0;
    return status;
}

static Status remove_garbage(Manifest *manifest)
{
    Sweep sweep = {.manifest = manifest};
    if (snprintf(sweep.path, sizeof sweep.path, "%s/tables", manifest->directory) >=
        (int)sizeof sweep.path) {
        return status_error(SQLSTATE_INVALID_NAME, "directory name \"%s\" is too long",
                            manifest->directory);
    }
    TRY(file_make_directory(manifest->system, sweep.path));
    TRY(file_list(manifest->system, sweep.path, sweep_visit, &sweep));
    if (sweep.removed > 0) {
        log_info("garbage_removed", "files=%u", sweep.removed);
    }
    return STATUS_OK;
}

Status manifest_open(FileSystem *system, const char *directory, uint64_t cluster,
                     ManifestStore *store, BlockCache *cache, MemoryBudget *budget, Manifest **out)
{
    Manifest *manifest = heap_alloc_zeroed(sizeof *manifest);
    char *copy = heap_strdup(directory);
    if (manifest == NULL || copy == NULL) {
        heap_free(manifest);
        heap_free(copy);
        return status_error(SQLSTATE_OUT_OF_MEMORY, "out of memory for the manifest");
    }
    manifest->system = system;
    manifest->directory = copy;
    manifest->cluster = cluster;
    manifest->store = store;
    manifest->cache = cache;
    manifest->budget = budget;
    mutex_init(&manifest->mutex, MUTEX_RANK_MANIFEST);
    condition_init(&manifest->decided);
    const ManifestVisitor visitor = {.object = manifest,
                                     .rows = load_rows,
                                     .prepared = load_prepared,
                                     .drop = load_drop,
                                     .deletes = load_deletes};
    int64_t applied = 0, redone = 0;
    bool is_found = false;
    Status status = manifest_store_get(store, "applied", &applied, &is_found);
    if (status == STATUS_OK) {
        atomic_store(&manifest->applied, (uint64_t)applied);
        status = manifest_store_get(store, MANIFEST_REDONE, &redone, &is_found);
        manifest->redone = (uint64_t)redone;
        status = manifest_store_load(store, &visitor);
    }
    if (status == STATUS_OK) {
        status = remove_garbage(manifest);
    }
    if (status != STATUS_OK) {
        manifest_close(manifest);
        return status;
    }
    *out = manifest;
    return STATUS_OK;
}

void manifest_note_leftover(Manifest *manifest)
{
    atomic_store(&manifest->has_leftovers, true);
}

void manifest_close(Manifest *manifest)
{
    if (manifest == NULL) {
        return;
    }
    if (atomic_load(&manifest->has_leftovers)) {
        status_ignore(remove_garbage(manifest), "the next start does it");
    }
    for (uint32_t i = 0; i < MANIFEST_TABLE_BUCKETS; i++) {
        while (manifest->tables[i] != NULL) {
            ManifestTable *table = manifest->tables[i];
            manifest->tables[i] = table->next;
            table_destroy(table);
        }
    }
    ManifestTxn *lists[] = {manifest->txns, manifest->aborted};
    for (size_t i = 0; i < sizeof lists / sizeof *lists; i++) {
        for (ManifestTxn *txn = lists[i], *next; txn != NULL; txn = next) {
            next = txn->next;
            manifest_txn_destroy(txn);
        }
    }
    condition_deinit(&manifest->decided);
    mutex_deinit(&manifest->mutex);
    heap_free(manifest->directory);
    heap_free(manifest);
}

/* Reading. */

/* Rows in the order of their ids: batches and rowsets of one load stay together. */
static int compare_visible(const void *left, const void *right)
{
    const uint64_t a = ((const VisibleRows *)left)->rows->rowset_id;
    const uint64_t b = ((const VisibleRows *)right)->rows->rowset_id;
    return a < b ? -1 : a > b;
}

static bool is_dropped_by(const ManifestTxn *txn, const Snapshot *snapshot, const StoredRows *rows)
{
    for (uint32_t i = 0; txn != NULL && i < txn->drop_count; i++) {
        const PendingDrop *drop = &txn->drops[i];
        if (drop->statement < snapshot->statement &&
            (drop->rowset_id == rows->rowset_id ||
             (drop->rowset_id == 0 && drop->table_id == rows->table_id))) {
            return true;
        }
    }
    return false;
}

void manifest_unpin_visible(VisibleRows *visible, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        stored_rows_unpin(visible[i].rows);
        delete_mask_unpin(visible[i].deleted);
        visible[i] = (VisibleRows){0};
    }
}

/* What one look at the manifest found, before own deletes are added to the masks. */
typedef struct VisibleSet {
    VisibleRows *rows;
    uint32_t count;
    PendingDelete *deletes; /* own ones of earlier statements, pinned, sorted by rowset */
    uint32_t delete_count;
} VisibleSet;

/* The mutex is held. */
static void collect_visible(const Manifest *manifest, uint64_t table_id, const Snapshot *snapshot,
                            Arena *arena, VisibleSet *set)
{
    const ManifestTable *table = manifest_find_table(manifest, table_id);
    const ManifestTxn *txn =
        snapshot->txn_id == 0 ? NULL : manifest_find_txn(manifest, snapshot->txn_id);
    const uint32_t own = txn == NULL ? 0 : txn->row_count;
    const uint32_t deletes = txn == NULL ? 0 : txn->delete_count;
    const uint32_t entries = table == NULL ? 0 : table->entry_count;
    set->rows = ARENA_ARRAY(arena, VisibleRows, entries + own + 1);
    set->deletes = ARENA_ARRAY(arena, PendingDelete, deletes + 1);
    for (uint32_t i = 0; i < entries; i++) {
        const ManifestEntry *entry = &table->entries[i];
        if (entry->created <= snapshot->position && snapshot->position < entry->dropped &&
            !is_dropped_by(txn, snapshot, entry->rows)) {
            DeleteMask *deleted = delete_history_at(entry->deletes, snapshot->position);
            set->rows[set->count++] = (VisibleRows){.rows = stored_rows_pin(entry->rows),
                                                    .deleted = delete_mask_pin(deleted)};
        }
    }
    for (uint32_t i = 0; i < own; i++) {
        const PendingRows *pending = &txn->rows[i].pending;
        if (pending->rows->table_id == table_id && pending->statement < snapshot->statement &&
            !is_dropped_by(txn, snapshot, pending->rows)) {
            set->rows[set->count++] = (VisibleRows){.rows = stored_rows_pin(pending->rows)};
        }
    }
    for (uint32_t i = 0; i < deletes; i++) {
        if (txn->deletes[i].table_id == table_id &&
            txn->deletes[i].statement < snapshot->statement) {
            set->deletes[set->delete_count] = txn->deletes[i];
            delete_mask_pin(set->deletes[set->delete_count++].rows);
        }
    }
}

/* Own deletes join the masks; both lists ascend by rowset. */
static Status add_own_deletes(const Manifest *manifest, VisibleSet *set)
{
    uint32_t next = 0;
    for (uint32_t i = 0; i < set->count; i++) {
        VisibleRows *visible = &set->rows[i];
        const uint64_t rowset_id = visible->rows->rowset_id;
        while (next < set->delete_count && set->deletes[next].rowset_id < rowset_id) {
            next++; // dropped since
        }
        for (; next < set->delete_count && set->deletes[next].rowset_id == rowset_id; next++) {
            DeleteMask *both = NULL;
            TRY(delete_mask_union(visible->deleted, set->deletes[next].rows, manifest->budget,
                                  &both));
            delete_mask_unpin(visible->deleted);
            visible->deleted = both;
        }
    }
    return STATUS_OK;
}

Status manifest_visible(Manifest *manifest, uint64_t table_id, const Snapshot *snapshot,
                        Arena *arena, VisibleRows **out, uint32_t *count)
{
    VisibleSet set = {0};
    mutex_lock(&manifest->mutex);
    collect_visible(manifest, table_id, snapshot, arena, &set);
    mutex_unlock(&manifest->mutex);
    qsort(set.rows, set.count, sizeof *set.rows, compare_visible);
    Status status = add_own_deletes(manifest, &set);
    for (uint32_t i = 0; i < set.delete_count; i++) {
        delete_mask_unpin(set.deletes[i].rows);
    }
    if (status != STATUS_OK) {
        manifest_unpin_visible(set.rows, set.count);
        return status;
    }
    *out = set.rows;
    *count = set.count;
    return STATUS_OK;
}
