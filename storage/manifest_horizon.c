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

static Garbage garbage_of(const ManifestTable *table, uint64_t horizon)
{
    Garbage garbage = {0};
    for (uint32_t i = 0; table->garbage_position <= horizon && i < table->entry_count; i++) {
        const ManifestEntry *entry = &table->entries[i];
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
        delete_history_unpin(entry->deletes);
        entry->deletes = next;
    }
}

/* The smallest horizon at which there will be something to forget. */
static uint64_t next_garbage(const ManifestTable *table)
{
    uint64_t next = POSITION_NEVER;
    for (uint32_t i = 0; i < table->entry_count; i++) {
        const ManifestEntry *entry = &table->entries[i];
        const DeleteHistory *deletes = entry->deletes;
        next = entry->dropped < next ? entry->dropped : next;
        if (deletes != NULL && deletes->version_count > 1 && deletes->versions[1].position < next) {
            next = deletes->versions[1].position;
        }
        if (deletes != NULL && deletes->versions[0].blob_count >= FOLD_BLOBS &&
            deletes->versions[0].position < next) {
            next = deletes->versions[0].position;
        }
    }
    return next;
}

/* Takes what was dropped at or before `horizon` out of the table and returns it (heap), to be
 * released without the mutex, which is held. Null when nothing was, or memory is refused: the next
 * horizon tries again. */
static StoredRows **take_garbage(ManifestTable *table, uint64_t horizon, uint32_t *count)
{
    const Garbage garbage = garbage_of(table, horizon);
    *count = 0;
    if (garbage.dropped == 0 && garbage.superseded == 0) {
        return NULL;
    }
    StoredRows **gone = heap_alloc((garbage.dropped + 1) * sizeof *gone);
    uint32_t kept = 0;
    for (uint32_t i = 0; gone != NULL && i < table->entry_count; i++) {
        ManifestEntry *entry = &table->entries[i];
        if (entry->dropped <= horizon) {
            stored_rows_doom(entry->rows);
            gone[(*count)++] = entry->rows;
            delete_history_unpin(entry->deletes);
        } else {
            trim_deletes(entry, horizon);
            table->entries[kept++] = *entry;
        }
    }
    table->entry_count = gone == NULL ? table->entry_count : kept;
    return gone;
}

/* The database has one delta where the history of a rowset counted several. The mutex is held. */
static void note_folded(ManifestTable *table, uint64_t rowset_id)
{
    for (uint32_t i = 0; i < table->entry_count; i++) {
        ManifestEntry *entry = &table->entries[i];
        if (entry->rows->rowset_id == rowset_id && entry->deletes != NULL) {
            DeleteHistory *copy = delete_history_since(entry->deletes, 0);
            if (copy != NULL) {
                copy->versions[0].blob_count = 1;
                delete_history_unpin(entry->deletes);
                entry->deletes = copy;
            }
        }
    }
}

/* Merges deltas rowset by rowset; the mutex is not held while the database does it. */
static Status fold_table(Manifest *manifest, ManifestTable *table, uint64_t horizon)
{
    uint64_t former = 0;
    for (uint32_t i = 0; i < FOLDS_MAX; i++) {
        mutex_lock(&manifest->mutex);
        const uint64_t rowset_id = garbage_of(table, horizon).fold_rowset;
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
        note_folded(table, rowset_id);
        mutex_unlock(&manifest->mutex);
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
            is_found |= garbage_of(table, horizon).dropped > 0;
        }
    }
    mutex_unlock(&manifest->mutex);
    return is_found;
}

static Status tidy_table(Manifest *manifest, ManifestTable *table, uint64_t horizon)
{
    uint32_t count;
    mutex_lock(&manifest->mutex);
    const bool is_clean = table->garbage_position > horizon;
    StoredRows **gone = is_clean ? NULL : take_garbage(table, horizon, &count);
    mutex_unlock(&manifest->mutex);
    for (uint32_t i = 0; gone != NULL && i < count; i++) {
        stored_rows_unpin(gone[i]);
    }
    heap_free(gone);
    if (is_clean) {
        return STATUS_OK;
    }
    TRY(fold_table(manifest, table, horizon));
    mutex_lock(&manifest->mutex);
    table->garbage_position = next_garbage(table);
    mutex_unlock(&manifest->mutex);
    return STATUS_OK;
}

static uint64_t smallest_garbage(const Manifest *manifest)
{
    uint64_t next = POSITION_NEVER;
    for (uint32_t b = 0; b < MANIFEST_TABLE_BUCKETS; b++) {
        for (const ManifestTable *table = manifest->tables[b]; table != NULL; table = table->next) {
            next = table->garbage_position < next ? table->garbage_position : next;
        }
    }
    return next;
}

Status manifest_set_horizon(Manifest *manifest, uint64_t position)
{
    manifest_finish_aborts(manifest);
    mutex_lock(&manifest->mutex);
    const bool is_clean = manifest->garbage_position > position;
    mutex_unlock(&manifest->mutex);
    if (is_clean) {
        return STATUS_OK;
    }
    if (has_dropped(manifest, position)) {
        TRY(manifest_store_forget(manifest->store, position));
    }
    for (uint32_t b = 0; b < MANIFEST_TABLE_BUCKETS; b++) {
        for (ManifestTable *table = first_table(manifest, b); table != NULL; table = table->next) {
            TRY(tidy_table(manifest, table, position));
        }
    }
    mutex_lock(&manifest->mutex);
    manifest->garbage_position = smallest_garbage(manifest);
    mutex_unlock(&manifest->mutex);
    return STATUS_OK;
}
