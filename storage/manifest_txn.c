/* manifest_txn.c — transactions on this node: what they add and drop, and their outcomes. Writers
 * of its statements may add rows in parallel; then one thread at a time decides about a
 * transaction: an abort may come while its vote, which the leader has given up, is still being
 * written. */
#include "storage/manifest_internal.h"

#include <string.h>
#include "base/fault.h"
#include "base/heap.h"
#include "base/log.h"
#include "storage/redo.h"

#define DECIDE_WAIT_US 1000000

/* A transaction that is being made from its redo. */
typedef struct Redoing {
    Manifest *manifest;
    ManifestTxn *txn;
} Redoing;

static Status no_memory(void)
{
    return status_error(SQLSTATE_OUT_OF_MEMORY, "out of memory for the manifest");
}

ManifestTxn *manifest_find_txn(const Manifest *manifest, uint64_t txn_id)
{
    ManifestTxn *txn = manifest->txns;
    while (txn != NULL && txn->txn_id != txn_id) {
        txn = txn->next;
    }
    return txn;
}

ManifestTxn *manifest_make_txn(Manifest *manifest, uint64_t txn_id)
{
    ManifestTxn *txn = manifest_find_txn(manifest, txn_id);
    if (txn != NULL) {
        return txn;
    }
    txn = heap_alloc_zeroed(sizeof *txn);
    if (txn != NULL) {
        txn->txn_id = txn_id;
        txn->next = manifest->txns;
        manifest->txns = txn;
    }
    return txn;
}

void manifest_txn_destroy(ManifestTxn *txn)
{
    for (uint32_t i = 0; i < txn->row_count; i++) {
        file_close(txn->rows[i].file);
        stored_rows_unpin(txn->rows[i].pending.rows);
    }
    heap_free(txn->rows);
    heap_free(txn->drops);
    for (uint32_t i = 0; i < txn->delete_count; i++) {
        delete_mask_unpin(txn->deletes[i].rows);
    }
    heap_free(txn->deletes);
    heap_free(txn);
}

/* Out of the list; the mutex is held. */
static void unlink_txn(Manifest *manifest, ManifestTxn *txn)
{
    ManifestTxn **link = &manifest->txns;
    while (*link != txn) {
        link = &(*link)->next;
    }
    *link = txn->next;
}

bool manifest_txn_add_rows(ManifestTxn *txn, const TxnRows *rows)
{
    if (txn->row_count == txn->row_capacity) {
        const uint32_t capacity = txn->row_capacity == 0 ? 8 : 2 * txn->row_capacity;
        TxnRows *larger = heap_realloc(txn->rows, capacity * sizeof *larger);
        if (larger == NULL) {
            return false;
        }
        txn->rows = larger;
        txn->row_capacity = capacity;
    }
    txn->rows[txn->row_count++] = *rows;
    return true;
}

static bool is_drop_before(const PendingDrop *left, const PendingDrop *right)
{
    return left->table_id != right->table_id ? left->table_id < right->table_id
                                             : left->rowset_id < right->rowset_id;
}

Status manifest_txn_add_drop(ManifestTxn *txn, const PendingDrop *drop)
{
    if (txn == NULL) {
        return no_memory();
    }
    if (txn->drop_count == txn->drop_capacity) {
        const uint32_t capacity = txn->drop_capacity == 0 ? 8 : 2 * txn->drop_capacity;
        PendingDrop *larger = heap_realloc(txn->drops, capacity * sizeof *larger);
        if (larger == NULL) {
            return no_memory();
        }
        txn->drops = larger;
        txn->drop_capacity = capacity;
    }
    uint32_t at = txn->drop_count++;
    for (; at > 0 && is_drop_before(drop, &txn->drops[at - 1]); at--) { // they come in order mostly
        txn->drops[at] = txn->drops[at - 1];
    }
    txn->drops[at] = *drop;
    return STATUS_OK;
}

/* The first drop of the table that is not before the rowset's. */
static uint32_t search_drop(const ManifestTxn *txn, const PendingDrop *wanted)
{
    uint32_t low = 0, high = txn->drop_count;
    while (low < high) {
        const uint32_t middle = low + (high - low) / 2;
        if (is_drop_before(&txn->drops[middle], wanted)) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

const PendingDrop *manifest_txn_drop_of(const ManifestTxn *txn, uint64_t table_id,
                                        uint64_t rowset_id)
{
    const uint64_t ids[2] = {rowset_id, 0};
    for (int i = 0; i < 2 && txn->drop_count > 0; i++) {
        const PendingDrop wanted = {.table_id = table_id, .rowset_id = ids[i]};
        const uint32_t at = search_drop(txn, &wanted);
        if (at < txn->drop_count && !is_drop_before(&wanted, &txn->drops[at])) {
            return &txn->drops[at];
        }
    }
    return NULL;
}

Status manifest_add(Manifest *manifest, uint64_t txn_id, uint32_t statement, StoredRows *owned_rows,
                    File *owned_file)
{
    const TxnRows rows = {.pending = {.rows = owned_rows, .statement = statement},
                          .file = owned_file};
    mutex_lock(&manifest->mutex);
    ManifestTxn *txn = manifest_make_txn(manifest, txn_id);
    const bool is_added = txn != NULL && manifest_txn_add_rows(txn, &rows);
    mutex_unlock(&manifest->mutex);
    if (!is_added) {
        file_close(owned_file);
        stored_rows_doom(owned_rows);
        stored_rows_unpin(owned_rows);
        return no_memory();
    }
    return STATUS_OK;
}

Status manifest_drop(Manifest *manifest, uint64_t table_id, const Snapshot *snapshot, bool is_table)
{
    Status status = STATUS_OK;
    VisibleRows *visible = NULL;
    uint32_t count = 0;
    Arena *arena = arena_create(NULL, "drop_arena");
    if (is_table) {
        const PendingDrop drop = {
            .table_id = table_id, .position = snapshot->position, .statement = snapshot->statement};
        mutex_lock(&manifest->mutex);
        status = manifest_txn_add_drop(manifest_make_txn(manifest, snapshot->txn_id), &drop);
        mutex_unlock(&manifest->mutex);
    } else {
        status = manifest_visible(manifest, table_id, snapshot, arena, &visible, &count);
    }
    for (uint32_t i = 0; i < count; i++) {
        const PendingDrop drop = {.table_id = table_id,
                                  .rowset_id = visible[i].rows->rowset_id,
                                  .position = snapshot->position,
                                  .statement = snapshot->statement};
        if (status == STATUS_OK) {
            mutex_lock(&manifest->mutex);
            status = manifest_txn_add_drop(manifest_make_txn(manifest, snapshot->txn_id), &drop);
            mutex_unlock(&manifest->mutex);
        }
    }
    manifest_unpin_visible(visible, count);
    arena_destroy(arena);
    return status;
}

Status manifest_drop_merged(Manifest *manifest, uint64_t table_id, const Snapshot *snapshot,
                            const uint64_t *rowset_ids, uint32_t count)
{
    Status status = STATUS_OK;
    mutex_lock(&manifest->mutex);
    for (uint32_t i = 0; i < count && status == STATUS_OK; i++) {
        const PendingDrop drop = {.table_id = table_id,
                                  .rowset_id = rowset_ids[i],
                                  .position = snapshot->position,
                                  .statement = snapshot->statement,
                                  .is_merge = true};
        status = manifest_txn_add_drop(manifest_make_txn(manifest, snapshot->txn_id), &drop);
    }
    mutex_unlock(&manifest->mutex);
    return status;
}

/* Files first, then the directories that name them, each once. */
static Status sync_files(Manifest *manifest, ManifestTxn *txn)
{
    for (uint32_t i = 0; i < txn->row_count; i++) {
        TxnRows *rows = &txn->rows[i];
        if (rows->file != NULL) {
            TRY(file_sync(rows->file));
            file_close(rows->file);
            rows->file = NULL;
        }
    }
    TRY(FAULT("storage.after_sync"));
    for (uint32_t i = 0; i < txn->row_count; i++) {
        const StoredRows *rows = txn->rows[i].pending.rows;
        bool is_seen = rows->kind != ROWS_FILE;
        for (uint32_t k = 0; k < i && !is_seen; k++) {
            const StoredRows *other = txn->rows[k].pending.rows;
            is_seen = other->kind == ROWS_FILE && other->table_id == rows->table_id &&
                      other->slice == rows->slice;
        }
        if (!is_seen) {
            TRY(manifest_sync_directories(manifest, rows->table_id, rows->slice));
        }
    }
    return STATUS_OK;
}

/* The transaction, now busy for the caller; null when there is none. */
static ManifestTxn *begin_deciding(Manifest *manifest, uint64_t txn_id)
{
    mutex_lock(&manifest->mutex);
    ManifestTxn *txn = manifest_find_txn(manifest, txn_id);
    while (txn != NULL && txn->is_busy) { // ends: whoever is busy waits for the disk only
        condition_wait(&manifest->decided, &manifest->mutex, DECIDE_WAIT_US);
        txn = manifest_find_txn(manifest, txn_id);
    }
    if (txn != NULL) {
        txn->is_busy = true;
    }
    mutex_unlock(&manifest->mutex);
    return txn;
}

/* Not after the transaction has left the list: then whoever waits finds none. */
static Status end_deciding(Manifest *manifest, ManifestTxn *txn, Status owned_status)
{
    mutex_lock(&manifest->mutex);
    txn->is_busy = false;
    condition_broadcast(&manifest->decided);
    mutex_unlock(&manifest->mutex);
    return owned_status;
}

/* What the transaction has added (heap); null when memory is refused. */
static PendingRows *copy_pending(const ManifestTxn *txn)
{
    PendingRows *rows = heap_alloc(txn->row_count * sizeof *rows + 1);
    for (uint32_t i = 0; rows != NULL && i < txn->row_count; i++) {
        rows[i] = txn->rows[i].pending;
    }
    return rows;
}

/* Makes everything of the transaction durable. */
static Status write_prepared(Manifest *manifest, ManifestTxn *txn)
{
    TRY(sync_files(manifest, txn));
    PendingRows *rows = copy_pending(txn);
    if (rows == NULL) {
        return no_memory();
    }
    const PrepareChange change = {.txn_id = txn->txn_id,
                                  .cluster = manifest->cluster,
                                  .rows = rows,
                                  .row_count = txn->row_count,
                                  .drops = txn->drops,
                                  .drop_count = txn->drop_count,
                                  .deletes = txn->deletes,
                                  .delete_count = txn->delete_count};
    Status status = manifest_store_prepare(manifest->store, &change, &txn->may_be_stored);
    heap_free(rows);
    return status;
}

/* Whether the transaction has added little and changed nothing else: then its redo is the vote. */
static Status write_redo(ManifestTxn *txn, ByteBuffer *redo, bool *is_written)
{
    PendingRows *rows = copy_pending(txn);
    if (rows == NULL) {
        return no_memory();
    }
    *is_written = txn->row_count > 0 && txn->drop_count == 0 && txn->delete_count == 0 &&
                  redo_fits(rows, txn->row_count);
    if (*is_written) {
        redo_encode(rows, txn->row_count, redo);
    }
    heap_free(rows);
    return byte_buffer_status(redo);
}

/* From the check for conflicts on others see these deletes as undecided. `redo` may be null. */
static Status write_vote(Manifest *manifest, ManifestTxn *txn, ByteBuffer *redo)
{
    if (txn->is_prepared) {
        return STATUS_OK; // told twice
    }
    mutex_lock(&manifest->mutex);
    Status status = manifest_check_conflicts(manifest, txn);
    txn->is_preparing = status == STATUS_OK;
    mutex_unlock(&manifest->mutex);
    if (status != STATUS_OK) {
        return status;
    }
    bool has_redo = false;
    if (redo != NULL) {
        status = write_redo(txn, redo, &has_redo);
    }
    if (status == STATUS_OK && !has_redo && !FAULT_BREAKS("storage.vote_unwritten")) {
        status = write_prepared(manifest, txn);
    }
    mutex_lock(&manifest->mutex);
    txn->is_preparing = false;
    txn->is_prepared = status == STATUS_OK;
    txn->has_redo = has_redo;
    mutex_unlock(&manifest->mutex);
    return status;
}

bool manifest_has_txn(Manifest *manifest, uint64_t txn_id)
{
    mutex_lock(&manifest->mutex);
    const bool has_txn = manifest_find_txn(manifest, txn_id) != NULL;
    mutex_unlock(&manifest->mutex);
    return has_txn;
}

Status manifest_prepare(Manifest *manifest, uint64_t txn_id)
{
    ManifestTxn *txn = begin_deciding(manifest, txn_id);
    if (txn == NULL) {
        return STATUS_OK; // nothing written here
    }
    Status status = end_deciding(manifest, txn, write_vote(manifest, txn, NULL));
    if (status == STATUS_OK) {
        manifest_finish_aborts(manifest);
    }
    return status;
}

Status manifest_vote(Manifest *manifest, uint64_t txn_id, ByteBuffer *redo)
{
    ManifestTxn *txn = begin_deciding(manifest, txn_id);
    if (txn == NULL) {
        return STATUS_OK; // nothing written here
    }
    return end_deciding(manifest, txn, write_vote(manifest, txn, redo));
}

/* What a commit changes, prepared so that nothing can be refused while it is published. */
typedef struct Publication {
    ManifestTable **tables; /* room for one per row, drop and delete of the transaction */
    uint32_t table_count;
    struct StagedDeletes {
        ManifestTable *table;
        uint32_t entry; /* index, once the transaction's rows are there */
        DeleteHistory *deletes;
    } * deletes; /* room for one per delete */
    uint32_t delete_count;
} Publication;

static bool stage_deletes(Manifest *manifest, const ManifestTxn *txn, uint64_t position,
                          const struct StagedDeletes *place, const StoredRows *rows,
                          Publication *out)
{
    struct StagedDeletes staged = *place;
    if (!manifest_deletes_with(manifest, place->deletes, rows, txn, position, &staged.deletes)) {
        return false;
    }
    if (staged.deletes != NULL) {
        out->deletes[out->delete_count++] = staged;
    }
    return true;
}

static bool stage_table(Manifest *manifest, const ManifestTxn *txn, uint64_t position,
                        ManifestTable *table, Publication *out)
{
    bool is_complete = true;
    uint32_t added = 0;
    for (uint32_t i = 0; txn->delete_count > 0 && i < table->entry_count && is_complete; i++) {
        const struct StagedDeletes place = {
            .table = table, .entry = i, .deletes = table->entries[i].deletes};
        is_complete = stage_deletes(manifest, txn, position, &place, table->entries[i].rows, out);
    }
    for (uint32_t i = 0; i < txn->row_count && is_complete; i++) {
        const StoredRows *rows = txn->rows[i].pending.rows;
        if (rows->table_id == table->table_id) {
            const struct StagedDeletes place = {.table = table,
                                                .entry = table->entry_count + added++};
            is_complete = stage_deletes(manifest, txn, position, &place, rows, out);
        }
    }
    return is_complete && manifest_table_reserve(table, added);
}

static bool list_table(Manifest *manifest, const ManifestTxn *txn, uint64_t position,
                       uint64_t table_id, Publication *out)
{
    for (uint32_t i = 0; i < out->table_count; i++) {
        if (out->tables[i]->table_id == table_id) {
            return true;
        }
    }
    ManifestTable *table = manifest_make_table(manifest, table_id);
    if (table == NULL || !stage_table(manifest, txn, position, table, out)) {
        return false;
    }
    out->tables[out->table_count++] = table;
    return true;
}

/* Prepares all tables before any is changed; the mutex is held. */
static bool list_tables(Manifest *manifest, const ManifestTxn *txn, uint64_t position,
                        Publication *out)
{
    bool is_complete = true;
    for (uint32_t i = 0; i < txn->row_count && is_complete; i++) {
        is_complete = list_table(manifest, txn, position, txn->rows[i].pending.rows->table_id, out);
    }
    for (uint32_t i = 0; i < txn->drop_count && is_complete; i++) {
        is_complete = list_table(manifest, txn, position, txn->drops[i].table_id, out);
    }
    for (uint32_t i = 0; i < txn->delete_count && is_complete; i++) {
        is_complete = list_table(manifest, txn, position, txn->deletes[i].table_id, out);
    }
    return is_complete;
}

static void change_table(const ManifestTxn *txn, uint64_t position, ManifestTable *table)
{
    for (uint32_t i = 0; i < txn->row_count; i++) {
        StoredRows *rows = txn->rows[i].pending.rows;
        if (rows->table_id == table->table_id) {
            table->entries[table->entry_count++] = (ManifestEntry){
                .rows = stored_rows_pin(rows), .created = position, .dropped = POSITION_NEVER};
        }
    }
    for (uint32_t i = 0; txn->drop_count > 0 && i < table->entry_count; i++) {
        ManifestEntry *entry = &table->entries[i];
        const PendingDrop *drop =
            entry->dropped == POSITION_NEVER
                ? manifest_txn_drop_of(txn, table->table_id, entry->rows->rowset_id)
                : NULL;
        if (drop != NULL) {
            entry->dropped = position;
            entry->is_merged = drop->is_merge;
        }
    }
    if ((txn->drop_count > 0 || txn->delete_count > 0) && position < table->garbage_position) {
        table->garbage_position = position;
    }
}

/* The mutex is held. */
static void change_tables(Manifest *manifest, const ManifestTxn *txn, uint64_t position,
                          const Publication *changes)
{
    for (uint32_t i = 0; i < changes->table_count; i++) {
        change_table(txn, position, changes->tables[i]);
        if (changes->tables[i]->garbage_position < manifest->garbage_position) {
            manifest->garbage_position = changes->tables[i]->garbage_position;
        }
    }
    for (uint32_t i = 0; i < changes->delete_count; i++) {
        const struct StagedDeletes *staged = &changes->deletes[i];
        ManifestEntry *entry = &staged->table->entries[staged->entry];
        delete_history_unpin(entry->deletes);
        entry->deletes = staged->deletes;
    }
}

/* All tables and the applied position change together. */
static Status publish(Manifest *manifest, ManifestTxn *txn, uint64_t position)
{
    const uint32_t changes = txn->row_count + txn->drop_count + txn->delete_count;
    Publication list = {.tables = heap_alloc((changes + 1) * sizeof(ManifestTable *)),
                        .deletes = heap_alloc((txn->delete_count + 1) * sizeof *list.deletes)};
    bool is_complete = list.tables != NULL && list.deletes != NULL;
    if (is_complete) {
        mutex_lock(&manifest->mutex);
        is_complete = list_tables(manifest, txn, position, &list);
        if (is_complete) {
            change_tables(manifest, txn, position, &list);
            unlink_txn(manifest, txn);
            manifest_advance(manifest, position);
            if (txn->has_redo && position > manifest->redone) {
                manifest->redone = position;
            }
            condition_broadcast(&manifest->decided);
        }
        mutex_unlock(&manifest->mutex);
    }
    for (uint32_t i = 0; i < list.delete_count && !is_complete; i++) {
        delete_history_unpin(list.deletes[i].deletes);
    }
    heap_free(list.tables);
    heap_free(list.deletes);
    if (!is_complete) {
        return no_memory();
    }
    manifest_txn_destroy(txn);
    return STATUS_OK;
}

/* When memory is refused after the database was told of the commit, the caller repeats it. */
static Status apply_commit(Manifest *manifest, ManifestTxn *txn, uint64_t position)
{
    if (!txn->is_prepared) {
        return status_error(SQLSTATE_OBJECT_NOT_IN_PREREQUISITE_STATE,
                            "transaction %llu was not prepared", (unsigned long long)txn->txn_id);
    }
    CommitChange change = {.txn_id = txn->txn_id,
                           .position = position,
                           .has_drops = txn->drop_count > 0,
                           .has_deletes = txn->delete_count > 0};
    PendingRows *rows = NULL;
    if (txn->has_redo) {
        rows = copy_pending(txn);
        if (rows == NULL) {
            return no_memory();
        }
        change.rows = rows;
        change.row_count = txn->row_count;
    }
    Status status = txn->is_told ? STATUS_OK : manifest_store_commit(manifest->store, &change);
    heap_free(rows);
    TRY(status);
    txn->is_told = true;
    TRY(FAULT("storage.after_applied"));
    return publish(manifest, txn, position);
}

Status manifest_commit(Manifest *manifest, uint64_t txn_id, uint64_t position)
{
    ManifestTxn *txn = begin_deciding(manifest, txn_id);
    if (txn == NULL) {
        manifest_advance(manifest, position);
        return STATUS_OK;
    }
    Status status = apply_commit(manifest, txn, position);
    return status == STATUS_OK ? STATUS_OK : end_deciding(manifest, txn, status);
}

static Status add_redone(void *object, const StoredRows *facts, const uint8_t *bytes,
                         uint32_t statement)
{
    const Redoing *redoing = object;
    StoredRows own = *facts;
    StoredRows *rows = NULL;
    own.budget = redoing->manifest->budget;
    own.cache = redoing->manifest->cache;
    TRY(stored_rows_create(&own, bytes, redoing->manifest->system, "", redoing->manifest->cluster,
                           &rows));
    if (!manifest_txn_add_rows(redoing->txn, &(TxnRows){.pending = {rows, statement}})) {
        stored_rows_unpin(rows);
        return no_memory();
    }
    return STATUS_OK;
}

/* The transaction, busy for the caller, made when it is not known and newer than all that are; null
 * when it is done. */
static Status begin_redoing(Manifest *manifest, uint64_t txn_id, uint64_t position, bool *is_made,
                            ManifestTxn **out)
{
    mutex_lock(&manifest->mutex);
    ManifestTxn *txn = manifest_find_txn(manifest, txn_id);
    while (txn != NULL && txn->is_busy) { // ends: whoever is busy waits for the disk only
        condition_wait(&manifest->decided, &manifest->mutex, DECIDE_WAIT_US);
        txn = manifest_find_txn(manifest, txn_id);
    }
    *is_made = txn == NULL && position > manifest->redone;
    if (*is_made) {
        txn = manifest_make_txn(manifest, txn_id);
    }
    const bool is_refused = *is_made && txn == NULL;
    if (txn != NULL) {
        txn->is_busy = true;
    }
    mutex_unlock(&manifest->mutex);
    *out = txn;
    return is_refused ? no_memory() : STATUS_OK;
}

/* Forgets a transaction that could not be made from its redo. */
static void drop_redoing(Manifest *manifest, ManifestTxn *txn)
{
    mutex_lock(&manifest->mutex);
    unlink_txn(manifest, txn);
    condition_broadcast(&manifest->decided);
    mutex_unlock(&manifest->mutex);
    manifest_txn_destroy(txn);
}

Status manifest_redo(Manifest *manifest, uint64_t txn_id, uint64_t position, const uint8_t *redo,
                     size_t redo_bytes)
{
    ManifestTxn *txn = NULL;
    bool is_made = false;
    TRY(begin_redoing(manifest, txn_id, position, &is_made, &txn));
    if (txn == NULL) {
        manifest_advance(manifest, position);
        return STATUS_OK;
    }
    Status status = STATUS_OK;
    if (is_made) {
        Redoing redoing = {.manifest = manifest, .txn = txn};
        status = redo_decode(redo, redo_bytes, &redoing, add_redone);
        txn->is_prepared = txn->has_redo = true;
    }
    if (status == STATUS_OK) {
        status = apply_commit(manifest, txn, position);
    }
    if (status == STATUS_OK) {
        return STATUS_OK;
    }
    if (is_made && !txn->is_told) {
        drop_redoing(manifest, txn); // it comes again
        return status;
    }
    return end_deciding(manifest, txn, status);
}

/* Nothing of the transaction is listed any more. */
static void forget_txn(ManifestTxn *txn)
{
    for (uint32_t i = 0; i < txn->row_count; i++) {
        stored_rows_doom(txn->rows[i].pending.rows);
    }
    manifest_txn_destroy(txn);
}

static void keep_aborted(Manifest *manifest, ManifestTxn *txn)
{
    txn->next = manifest->aborted;
    manifest->aborted = txn;
}

void manifest_finish_aborts(Manifest *manifest)
{
    mutex_lock(&manifest->mutex);
    ManifestTxn *txn = manifest->aborted;
    manifest->aborted = NULL;
    mutex_unlock(&manifest->mutex);
    while (txn != NULL) {
        ManifestTxn *next = txn->next;
        Status status = manifest_store_abort(manifest->store, txn->txn_id);
        if (status == STATUS_OK) {
            forget_txn(txn);
        } else {
            status_ignore(status, "tried again with the next vote or horizon");
            mutex_lock(&manifest->mutex);
            keep_aborted(manifest, txn);
            mutex_unlock(&manifest->mutex);
        }
        txn = next;
    }
}

/* A database that cannot write, on a full disk, stops neither the outcome nor the statement that
 * brings it: should the process die before it is told, the transaction is prepared again and the
 * leader asked once more. Its files stay until then: what is listed exists. */
Status manifest_abort(Manifest *manifest, uint64_t txn_id)
{
    ManifestTxn *txn = begin_deciding(manifest, txn_id);
    if (txn == NULL) {
        return STATUS_OK;
    }
    Status status = (txn->is_prepared && !txn->has_redo) || txn->may_be_stored
                        ? manifest_store_abort(manifest->store, txn_id)
                        : STATUS_OK;
    const bool is_told = status == STATUS_OK;
    if (!is_told) {
        log_status(LOG_WARN, "abort_deferred", status);
        status_free(status);
    }
    mutex_lock(&manifest->mutex);
    unlink_txn(manifest, txn);
    if (!is_told) {
        keep_aborted(manifest, txn);
    }
    condition_broadcast(&manifest->decided);
    mutex_unlock(&manifest->mutex);
    if (is_told) {
        forget_txn(txn);
    }
    return STATUS_OK;
}

/* Which of a transaction's additions go. */
typedef struct RowsChoice {
    uint32_t first_statement, last_statement;
    uint64_t table_id; /* 0: any */
} RowsChoice;

static bool is_chosen(const RowsChoice *choice, const PendingRows *pending)
{
    return pending->statement >= choice->first_statement &&
           pending->statement <= choice->last_statement &&
           (choice->table_id == 0 || choice->table_id == pending->rows->table_id);
}

/* Moves what goes behind what stays and returns it (heap), for release outside the mutex, which is
 * held. Null when memory is refused: then nothing has changed. */
static TxnRows *take_rows(ManifestTxn *txn, const RowsChoice *choice, uint32_t *count)
{
    TxnRows *gone = heap_alloc(txn->row_count * sizeof *gone + 1);
    uint32_t kept = 0;
    *count = 0;
    for (uint32_t i = 0; gone != NULL && i < txn->row_count; i++) {
        const TxnRows rows = txn->rows[i];
        if (is_chosen(choice, &rows.pending)) {
            gone[(*count)++] = rows;
        } else {
            txn->rows[kept++] = rows;
        }
    }
    txn->row_count = gone == NULL ? txn->row_count : kept;
    return gone;
}

static void drop_drops(ManifestTxn *txn, uint32_t first_statement)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < txn->drop_count; i++) {
        if (txn->drops[i].statement < first_statement) {
            txn->drops[kept++] = txn->drops[i];
        }
    }
    txn->drop_count = kept;
}

/* `is_rollback`: the statements' drops and deletes go as well. */
static Status forget_rows(Manifest *manifest, uint64_t txn_id, const RowsChoice *choice,
                          bool is_rollback)
{
    TxnRows *gone = NULL;
    uint32_t count = 0;
    mutex_lock(&manifest->mutex);
    ManifestTxn *txn = manifest_find_txn(manifest, txn_id);
    const bool is_prepared = txn != NULL && txn->is_prepared;
    if (txn != NULL && !is_prepared) {
        gone = take_rows(txn, choice, &count);
        if (gone != NULL && is_rollback) {
            drop_drops(txn, choice->first_statement);
            manifest_txn_drop_deletes(txn, choice->first_statement);
        }
    }
    mutex_unlock(&manifest->mutex);
    if (is_prepared) {
        return status_error(SQLSTATE_OBJECT_NOT_IN_PREREQUISITE_STATE,
                            "transaction %llu is prepared", (unsigned long long)txn_id);
    }
    if (txn != NULL && gone == NULL) {
        return no_memory();
    }
    for (uint32_t i = 0; i < count; i++) {
        file_close(gone[i].file);
        stored_rows_doom(gone[i].pending.rows);
        stored_rows_unpin(gone[i].pending.rows);
    }
    heap_free(gone);
    return STATUS_OK;
}

Status manifest_rollback_statements(Manifest *manifest, uint64_t txn_id, uint32_t statement)
{
    const RowsChoice choice = {.first_statement = statement, .last_statement = UINT32_MAX};
    return forget_rows(manifest, txn_id, &choice, true);
}

Status manifest_forget(Manifest *manifest, uint64_t txn_id, uint32_t statement, uint64_t table_id)
{
    const RowsChoice choice = {
        .first_statement = statement, .last_statement = statement, .table_id = table_id};
    return forget_rows(manifest, txn_id, &choice, false);
}

Status manifest_abort_unprepared(Manifest *manifest, uint64_t txn_id)
{
    for (;;) {
        mutex_lock(&manifest->mutex);
        const ManifestTxn *txn = manifest->txns;
        while (txn != NULL && (txn->is_prepared || txn->txn_id >= txn_id)) {
            txn = txn->next;
        }
        const uint64_t victim = txn == NULL ? 0 : txn->txn_id;
        mutex_unlock(&manifest->mutex);
        if (victim == 0) {
            return STATUS_OK;
        }
        TRY(manifest_abort(manifest, victim));
    }
}

uint32_t manifest_prepared(Manifest *manifest, uint64_t *txn_ids, uint32_t max)
{
    uint32_t count = 0;
    mutex_lock(&manifest->mutex);
    for (const ManifestTxn *txn = manifest->txns; txn != NULL && count < max; txn = txn->next) {
        if (txn->is_prepared) {
            txn_ids[count++] = txn->txn_id;
        }
    }
    mutex_unlock(&manifest->mutex);
    return count;
}

void manifest_advance(Manifest *manifest, uint64_t position)
{
    uint64_t applied = atomic_load(&manifest->applied);
    while (applied < position &&
           !atomic_compare_exchange_weak(&manifest->applied, &applied, position)) {
    }
}

uint64_t manifest_applied(const Manifest *manifest)
{
    return atomic_load(&manifest->applied);
}
