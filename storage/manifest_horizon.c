/* manifest_horizon.c — forgetting what nobody can read any more: dropped rows with their files,
 * delete masks that newer ones cover. The database forgets first: a file without an entry is
 * garbage, an entry needs its file. */
#include "storage/manifest_internal.h"

#include "base/heap.h"

#define FOLD_BLOBS 16u /* deltas of one rowset before they are merged in the database */
#define FOLDS_MAX                                                                                  \
    64u /* of one table, each a durable transaction; the rest waits for the next call */

/* What one table can forget. */
typedef struct Garbage {
    uint32_t dropped, superseded;
    uint64_t fold_rowset; /* 0: none to merge */
} Garbage;

static bool needs_fold(const DeleteHistory *history, uint64_t horizon)
{
    return history != NULL && history->versions[0].position <= horizon &&
           history->versions[0].blob_count >= FOLD_BLOBS;
}

static Garbage garbage_of(const TableVersion *version, uint64_t horizon)
{
    Garbage garbage = {0};
    for (uint32_t i = 0; version != NULL && i < version->entry_count; i++) {
        const ManifestEntry *entry = &version->entries[i];
        garbage.dropped += entry->dropped <= horizon;
        garbage.superseded += delete_history_superseded(entry->deletes, horizon) > 0;
        if (needs_fold(entry->deletes, horizon)) {
            garbage.fold_rowset = entry->rows->rowset_id;
        }
    }
    return garbage;
}

/* Gives up old masks; what memory is refused for stays until the next horizon. */
static void trim_deletes(ManifestEntry *entry, uint64_t horizon)
{
    const uint32_t superseded = delete_history_superseded(entry->deletes, horizon);
    DeleteHistory *next = superseded == 0 ? NULL : delete_history_since(entry->deletes, superseded);
    if (next != NULL) {
        delete_history_unpin(entry->deletes); // the old version still holds it
        entry->deletes = next;
    }
}

/* The version without what was dropped at or before `horizon`; null when nothing was, or memory is
 * refused (the next horizon tries again). The mutex is held. */
static TableVersion *version_since(const ManifestTable *table, uint64_t horizon)
{
    const Garbage garbage = garbage_of(table->version, horizon);
    if (garbage.dropped == 0 && garbage.superseded == 0) {
        return NULL;
    }
    TableVersion *next = table_version_copy(table->version, 0);
    if (next == NULL) {
        return NULL;
    }
    uint32_t kept = 0;
    for (uint32_t i = 0; i < next->entry_count; i++) {
        if (next->entries[i].dropped <= horizon) {
            stored_rows_doom(next->entries[i].rows);
            stored_rows_unpin(next->entries[i].rows); // the old version still holds it
            delete_history_unpin(next->entries[i].deletes);
        } else {
            trim_deletes(&next->entries[i], horizon);
            next->entries[kept++] = next->entries[i];
        }
    }
    next->entry_count = kept;
    return next;
}

/* The database has one delta where the history of a rowset counted several. The mutex is held. */
static TableVersion *version_folded(const ManifestTable *table, uint64_t rowset_id)
{
    TableVersion *next = table_version_copy(table->version, 0);
    for (uint32_t i = 0; next != NULL && i < next->entry_count; i++) {
        ManifestEntry *entry = &next->entries[i];
        if (entry->rows->rowset_id == rowset_id && entry->deletes != NULL) {
            DeleteHistory *copy = delete_history_since(entry->deletes, 0);
            if (copy != NULL) {
                copy->versions[0].blob_count = 1;
                delete_history_unpin(entry->deletes);
                entry->deletes = copy;
            }
        }
    }
    return next;
}

/* Publishes `next` unless it is null; the mutex is held. The former version is the caller's. */
static TableVersion *replace(ManifestTable *table, TableVersion *next)
{
    TableVersion *old = next == NULL ? NULL : table->version;
    table->version = next == NULL ? table->version : next;
    return old;
}

/* Merges deltas rowset by rowset; the mutex is not held while the database does it. */
static Status fold_table(Manifest *manifest, ManifestTable *table, uint64_t horizon)
{
    uint64_t former = 0;
    for (uint32_t i = 0; i < FOLDS_MAX; i++) {
        mutex_lock(&manifest->mutex);
        const uint64_t rowset_id = garbage_of(table->version, horizon).fold_rowset;
        mutex_unlock(&manifest->mutex);
        if (rowset_id == 0 || rowset_id == former) { // memory was refused: the next horizon
            return STATUS_OK;
        }
        const DeleteFold fold = {.cluster = manifest->cluster,
                                 .table_id = table->table_id,
                                 .rowset_id = rowset_id,
                                 .position = horizon,
                                 .budget = manifest->budget};
        TRY(manifest_store_fold_deletes(manifest->store, &fold));
        mutex_lock(&manifest->mutex);
        TableVersion *old = replace(table, version_folded(table, rowset_id));
        mutex_unlock(&manifest->mutex);
        table_version_unpin(old);
        former = rowset_id;
    }
    return STATUS_OK;
}

/* Tables are never taken off their lists, so that a list can be walked without the mutex once its
 * head is known. */
static ManifestTable *first_table(Manifest *manifest, uint32_t bucket)
{
    mutex_lock(&manifest->mutex);
    ManifestTable *table = manifest->tables[bucket];
    mutex_unlock(&manifest->mutex);
    return table;
}

static bool has_dropped(Manifest *manifest, uint64_t horizon)
{
    bool is_found = false;
    mutex_lock(&manifest->mutex);
    for (uint32_t b = 0; b < MANIFEST_TABLE_BUCKETS && !is_found; b++) {
        for (const ManifestTable *table = manifest->tables[b]; table != NULL; table = table->next) {
            is_found |= garbage_of(table->version, horizon).dropped > 0;
        }
    }
    mutex_unlock(&manifest->mutex);
    return is_found;
}

Status manifest_set_horizon(Manifest *manifest, uint64_t position)
{
    manifest_finish_aborts(manifest);
    if (has_dropped(manifest, position)) {
        TRY(manifest_store_forget(manifest->store, position));
    }
    for (uint32_t b = 0; b < MANIFEST_TABLE_BUCKETS; b++) {
        for (ManifestTable *table = first_table(manifest, b); table != NULL; table = table->next) {
            mutex_lock(&manifest->mutex);
            TableVersion *old = replace(table, version_since(table, position));
            mutex_unlock(&manifest->mutex);
            table_version_unpin(old);
            TRY(fold_table(manifest, table, position));
        }
    }
    return STATUS_OK;
}
