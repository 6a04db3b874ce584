/* manifest_deletes.c — rows that transactions delete: kept apart until they commit, checked against
 * each other at prepare, part of the table afterwards.
 *
 * First committer wins, on rows. A delete holds the rows that its statement saw, so a row of it
 * that the newest mask of the rowset has as well was deleted by someone who committed since; and
 * a transaction that is prepared may commit at any moment. */
#include "storage/manifest_internal.h"

#include <stdlib.h>
#include <string.h>
#include "base/heap.h"

static Status no_memory(void)
{
    return status_error(SQLSTATE_OUT_OF_MEMORY, "out of memory for the manifest");
}

static int compare_rowsets(const PendingDelete *left, uint64_t table_id, uint64_t rowset_id)
{
    if (left->table_id != table_id) {
        return left->table_id < table_id ? -1 : 1;
    }
    return left->rowset_id < rowset_id ? -1 : left->rowset_id > rowset_id;
}

static int compare_deletes(const void *left, const void *right)
{
    const PendingDelete *a = left, *b = right;
    const int order = compare_rowsets(a, b->table_id, b->rowset_id);
    return order != 0 ? order : a->statement < b->statement ? -1 : a->statement > b->statement;
}

Status manifest_txn_add_deletes(ManifestTxn *txn, const PendingDelete *deletes,
                                uint32_t delete_count)
{
    if (txn == NULL) {
        return no_memory();
    }
    const uint32_t needed = txn->delete_count + delete_count;
    if (needed > txn->delete_capacity) {
        const uint32_t doubled = 2 * txn->delete_capacity;
        const uint32_t capacity = needed > doubled ? needed : doubled;
        PendingDelete *larger = heap_realloc(txn->deletes, capacity * sizeof *larger);
        if (larger == NULL) {
            return no_memory();
        }
        txn->deletes = larger;
        txn->delete_capacity = capacity;
    }
    for (uint32_t i = 0; i < delete_count; i++) {
        txn->deletes[txn->delete_count++] = deletes[i];
        delete_mask_pin(deletes[i].rows);
    }
    qsort(txn->deletes, txn->delete_count, sizeof *txn->deletes, compare_deletes);
    return STATUS_OK;
}

void manifest_txn_drop_deletes(ManifestTxn *txn, uint32_t first_statement)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < txn->delete_count; i++) {
        if (txn->deletes[i].statement < first_statement) {
            txn->deletes[kept++] = txn->deletes[i];
        } else {
            delete_mask_unpin(txn->deletes[i].rows);
        }
    }
    txn->delete_count = kept;
}

Status manifest_delete(Manifest *manifest, uint64_t txn_id, const PendingDelete *deletes,
                       uint32_t delete_count)
{
    if (delete_count == 0) {
        return STATUS_OK;
    }
    mutex_lock(&manifest->mutex);
    ManifestTxn *txn = manifest_make_txn(manifest, txn_id);
    Status status = STATUS_OK;
    if (txn != NULL && (txn->is_prepared || txn->is_preparing)) {
        status = status_error(SQLSTATE_OBJECT_NOT_IN_PREREQUISITE_STATE,
                              "transaction %llu is prepared", (unsigned long long)txn_id);
    } else {
        status = manifest_txn_add_deletes(txn, deletes, delete_count);
    }
    mutex_unlock(&manifest->mutex);
    return status;
}

Status manifest_begin_delete(Manifest *manifest, uint64_t table_id)
{
    mutex_lock(&manifest->mutex);
    ManifestTable *table = manifest_make_table(manifest, table_id);
    if (table != NULL) {
        table->deleter_count++;
    }
    mutex_unlock(&manifest->mutex);
    return table != NULL ? STATUS_OK : no_memory();
}

void manifest_end_delete(Manifest *manifest, uint64_t table_id)
{
    mutex_lock(&manifest->mutex);
    manifest_find_table(manifest, table_id)->deleter_count--;
    mutex_unlock(&manifest->mutex);
}

const PendingDelete *manifest_txn_deletes_of(const ManifestTxn *txn, const StoredRows *rows,
                                             uint32_t *count)
{
    uint32_t low = 0, high = txn->delete_count;
    while (low < high) {
        const uint32_t middle = low + (high - low) / 2;
        if (compare_rowsets(&txn->deletes[middle], rows->table_id, rows->rowset_id) < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    uint32_t end = low;
    while (end < txn->delete_count &&
           compare_rowsets(&txn->deletes[end], rows->table_id, rows->rowset_id) == 0) {
        end++;
    }
    *count = end - low;
    return txn->deletes + low;
}

bool manifest_deletes_with(Manifest *manifest, DeleteHistory *deletes, const StoredRows *rows,
                           const ManifestTxn *txn, uint64_t position, DeleteHistory **out)
{
    uint32_t count;
    const PendingDelete *own = manifest_txn_deletes_of(txn, rows, &count);
    DeleteHistory *history = NULL;
    for (uint32_t i = 0; i < count; i++) {
        DeleteHistory *next = NULL;
        Status status = delete_history_with(i == 0 ? deletes : history, position, own[i].rows,
                                            manifest->budget, &next);
        delete_history_unpin(history);
        if (status != STATUS_OK) {
            status_ignore(status, "memory was refused: the caller says so");
            return false;
        }
        history = next;
    }
    *out = history;
    return true;
}

/* Conflicts. */

static Status conflict(uint64_t table_id, uint64_t rowset_id, const char *what)
{
    // Redshift's words: clients look for the number to try again.
    Status status = status_error(SQLSTATE_SERIALIZATION_FAILURE, "1023");
    return status_with_detail(status,
                              "Serializable isolation violation on table - %llu: another "
                              "transaction committed first (rowset %llu: %s)",
                              (unsigned long long)table_id, (unsigned long long)rowset_id, what);
}

/* Deletes of one entry against what has become of it. */
static Status check_entry(const ManifestEntry *entry, const PendingDelete *deletes, uint32_t count)
{
    const DeleteVersion *newest = delete_history_newest(entry->deletes);
    for (uint32_t i = 0; i < count; i++) {
        if (entry->dropped != POSITION_NEVER) {
            return conflict(entry->rows->table_id, entry->rows->rowset_id, "it was dropped");
        }
        if (newest != NULL && delete_mask_intersects(deletes[i].rows, newest->mask)) {
            return conflict(entry->rows->table_id, entry->rows->rowset_id,
                            "some of the same rows were deleted");
        }
    }
    return STATUS_OK;
}

/* Deletes of one table, all of them: `deletes` .. `deletes + count`. */
static Status check_table(const Manifest *manifest, const ManifestTxn *txn,
                          const PendingDelete *deletes, uint32_t count)
{
    const uint64_t table_id = deletes->table_id;
    const ManifestTable *table = manifest_find_table(manifest, table_id);
    uint32_t found = 0, matched;
    for (uint32_t i = 0; table != NULL && i < table->entry_count; i++) {
        const ManifestEntry *entry = &table->entries[i];
        const PendingDelete *own = manifest_txn_deletes_of(txn, entry->rows, &matched);
        TRY(check_entry(entry, own, matched));
        found += matched;
    }
    for (uint32_t i = 0; i < txn->row_count; i++) {
        if (txn->rows[i].pending.rows->table_id == table_id) {
            manifest_txn_deletes_of(txn, txn->rows[i].pending.rows, &matched);
            found += matched;
        }
    }
    return found == count ? STATUS_OK
                          : conflict(table_id, deletes->rowset_id, "it or another was dropped");
}

/* Whether one of the two drops a rowset that the other deletes rows of. */
static Status check_drops(const ManifestTxn *dropping, const ManifestTxn *deleting)
{
    for (uint32_t i = 0; dropping->drop_count > 0 && i < deleting->delete_count; i++) {
        const PendingDelete *deletes = &deleting->deletes[i];
        if (manifest_txn_drop_of(dropping, deletes->table_id, deletes->rowset_id) != NULL) {
            return conflict(deletes->table_id, deletes->rowset_id,
                            "a transaction that is prepared drops it or rows of it");
        }
    }
    return STATUS_OK;
}

/* What a merge drops lives on in what it wrote: nobody else may drop it, too. A merge also yields
 * to a drop of the whole table, which itself takes whatever there is. */
static Status check_merges(const ManifestTxn *txn, const ManifestTxn *other)
{
    for (uint32_t i = 0; i < txn->drop_count; i++) {
        const PendingDrop *own = &txn->drops[i];
        for (uint32_t k = 0; k < other->drop_count; k++) {
            const PendingDrop *drop = &other->drops[k];
            if (drop->table_id == own->table_id &&
                ((drop->rowset_id == own->rowset_id && (own->is_merge || drop->is_merge)) ||
                 (drop->rowset_id == 0 && own->is_merge))) {
                return conflict(own->table_id, own->rowset_id,
                                "a merge and another transaction drop it");
            }
        }
    }
    return STATUS_OK;
}

/* Against a transaction that may still commit. */
static Status check_undecided(const ManifestTxn *txn, const ManifestTxn *other)
{
    TRY(check_drops(txn, other));
    TRY(check_drops(other, txn));
    TRY(check_merges(txn, other));
    uint32_t i = 0, k = 0;
    while (i < txn->delete_count && k < other->delete_count) {
        const PendingDelete *own = &txn->deletes[i];
        const int order =
            compare_rowsets(own, other->deletes[k].table_id, other->deletes[k].rowset_id);
        if (order != 0) {
            i += order < 0;
            k += order > 0;
            continue;
        }
        // All statements of the one against all of the other.
        uint32_t end = k;
        for (; end < other->delete_count && compare_rowsets(own, other->deletes[end].table_id,
                                                            other->deletes[end].rowset_id) == 0;
             end++) {
            if (delete_mask_intersects(own->rows, other->deletes[end].rows)) {
                return conflict(own->table_id, own->rowset_id,
                                "a transaction that is prepared deletes some of the same rows");
            }
        }
        i++;
    }
    return STATUS_OK;
}

/* The rowset lost no row since the snapshot of its drop, and was not rewritten since. */
static Status check_dropped_entry(const ManifestEntry *entry, const PendingDrop *drop)
{
    const DeleteVersion *newest = delete_history_newest(entry->deletes);
    if (newest != NULL && newest->position > drop->position) {
        return conflict(drop->table_id, entry->rows->rowset_id, "rows of it were deleted");
    }
    if (drop->rowset_id != 0 && entry->dropped != POSITION_NEVER && entry->is_merged) {
        return conflict(drop->table_id, drop->rowset_id, "it was merged with others");
    }
    return STATUS_OK;
}

/* All that `txn` drops; what a merge drops is still there. One look at each rowset of the tables:
 * a merge of many INSERT batches drops thousands. */
static Status check_dropped(const Manifest *manifest, const ManifestTxn *txn)
{
    uint32_t merged = 0, there = 0;
    for (uint32_t i = 0; i < txn->drop_count; i++) {
        merged += txn->drops[i].is_merge;
    }
    for (uint32_t i = 0, end; i < txn->drop_count; i = end) {
        const uint64_t table_id = txn->drops[i].table_id;
        for (end = i; end < txn->drop_count && txn->drops[end].table_id == table_id;) {
            end++;
        }
        const ManifestTable *table = manifest_find_table(manifest, table_id);
        for (uint32_t k = 0; table != NULL && k < table->entry_count; k++) {
            const ManifestEntry *entry = &table->entries[k];
            const PendingDrop *drop = manifest_txn_drop_of(txn, table_id, entry->rows->rowset_id);
            if (drop != NULL) {
                TRY(check_dropped_entry(entry, drop));
                there += drop->is_merge && entry->dropped == POSITION_NEVER;
            }
        }
    }
    return there == merged ? STATUS_OK
                           : conflict(txn->drops[0].table_id, txn->drops[0].rowset_id,
                                      "it or another was dropped");
}

static bool is_merge(const ManifestTxn *txn)
{
    return txn->drop_count > 0 && txn->drops[0].is_merge;
}

/* A merge yields to statements that are collecting rows to delete, and to what transactions have
 * deleted or dropped without a vote: after it they could only fail. */
static Status check_open(const Manifest *manifest, const ManifestTxn *merge)
{
    const uint64_t table_id = merge->drops[0].table_id;
    const ManifestTable *table = manifest_find_table(manifest, table_id);
    if (table != NULL && table->deleter_count > 0) {
        return conflict(table_id, merge->drops[0].rowset_id, "a statement is deleting rows");
    }
    for (const ManifestTxn *other = manifest->txns; other != NULL; other = other->next) {
        if (other != merge && !is_merge(other)) {
            TRY(check_drops(merge, other));
            TRY(check_merges(merge, other));
        }
    }
    return STATUS_OK;
}

Status manifest_check_conflicts(const Manifest *manifest, const ManifestTxn *txn)
{
    for (uint32_t i = 0; i < txn->delete_count;) {
        uint32_t end = i;
        while (end < txn->delete_count && txn->deletes[end].table_id == txn->deletes[i].table_id) {
            end++;
        }
        TRY(check_table(manifest, txn, txn->deletes + i, end - i));
        i = end;
    }
    if (txn->drop_count > 0) {
        TRY(check_dropped(manifest, txn));
    }
    if (is_merge(txn)) {
        TRY(check_open(manifest, txn));
    }
    for (const ManifestTxn *other = manifest->txns; other != NULL; other = other->next) {
        if (other != txn && (other->is_preparing || other->is_prepared)) {
            TRY(check_undecided(txn, other));
        }
    }
    return STATUS_OK;
}
