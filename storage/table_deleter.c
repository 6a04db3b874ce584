/*
 * table_deleter.c — one statement deleting rows of one table on this node.
 *
 * Rows arrive in any order, from any worker, perhaps twice: a bitmap per row group collects them.
 * At the end what was deleted before is taken out, the rest becomes a delta mask per rowset under
 * the transaction.
 */
#include <stdlib.h>
#include <string.h>
#include "base/heap.h"
#include "storage/store_internal.h"

#define BITMAP_BYTES (DELETE_GROUP_WORDS * sizeof(uint64_t))

/* A rowset or INSERT batch that the snapshot sees. */
typedef struct DeleteTarget {
    const VisibleRows *visible;
    uint64_t **groups; /* FORMAT_ROWSET_ROW_GROUPS bitmaps, null until a row comes; null likewise */
} DeleteTarget;

struct TableDeleter {
    Store *store;
    uint64_t table_id, txn_id;
    uint32_t statement;
    bool is_announced; /* merges know of the statement */
    MemoryBudget *budget;
    Arena *arena;
    VisibleRows *visible; /* in the order of rowset ids */
    uint32_t target_count;
    DeleteTarget *targets;
    Mutex mutex; /* guards the targets' bitmaps and the arena */
};

Status table_deleter_create(const TableDeleteOptions *options, TableDeleter **out)
{
    Arena *arena = arena_create(NULL, "table_deleter_arena");
    TableDeleter *deleter = ARENA_NEW(arena, TableDeleter);
    *deleter = (TableDeleter){.store = options->store,
                              .table_id = options->table->table_id,
                              .txn_id = options->snapshot.txn_id,
                              .statement = options->snapshot.statement,
                              .budget = options->budget,
                              .arena = arena};
    mutex_init(&deleter->mutex, MUTEX_RANK_TABLE);
    Status status = manifest_begin_delete(options->store->manifest, deleter->table_id);
    deleter->is_announced = status == STATUS_OK;
    if (status == STATUS_OK) {
        status = manifest_visible(options->store->manifest, deleter->table_id, &options->snapshot,
                                  arena, &deleter->visible, &deleter->target_count);
    }
    if (status != STATUS_OK) {
        deleter->target_count = 0;
        table_deleter_destroy(deleter);
        return status;
    }
    deleter->targets = ARENA_ARRAY(arena, DeleteTarget, deleter->target_count + 1);
    for (uint32_t i = 0; i < deleter->target_count; i++) {
        deleter->targets[i].visible = &deleter->visible[i];
    }
    *out = deleter;
    return STATUS_OK;
}

static void free_bitmaps(TableDeleter *deleter, DeleteTarget *target)
{
    for (uint32_t g = 0; target->groups != NULL && g < FORMAT_ROWSET_ROW_GROUPS; g++) {
        if (target->groups[g] != NULL) {
            memory_free(deleter->budget, target->groups[g], BITMAP_BYTES);
        }
    }
    target->groups = NULL;
}

void table_deleter_destroy(TableDeleter *deleter)
{
    if (deleter == NULL) {
        return;
    }
    for (uint32_t i = 0; i < deleter->target_count; i++) {
        free_bitmaps(deleter, &deleter->targets[i]);
    }
    manifest_unpin_visible(deleter->visible, deleter->target_count);
    if (deleter->is_announced) {
        manifest_end_delete(deleter->store->manifest, deleter->table_id);
    }
    mutex_deinit(&deleter->mutex);
    arena_destroy(deleter->arena);
}

/* Null when the snapshot sees no such rowset. */
static DeleteTarget *find_target(const TableDeleter *deleter, uint64_t rowset_id)
{
    uint32_t low = 0, high = deleter->target_count;
    while (low < high) {
        const uint32_t middle = low + (high - low) / 2;
        if (deleter->visible[middle].rows->rowset_id < rowset_id) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low < deleter->target_count && deleter->visible[low].rows->rowset_id == rowset_id
               ? &deleter->targets[low]
               : NULL;
}

/* Whether the rowset has that row: row group << 16 | row. Reads the footer at first need. */
static Status check_row(const StoredRows *rows, uint32_t row, bool *is_there)
{
    const RowsetFooter *footer;
    const uint32_t group = row / FORMAT_ROW_GROUP_ROWS;
    if (rows->kind == ROWS_BATCH) {
        *is_there = row < rows->row_count;
        return STATUS_OK;
    }
    TRY(rowset_footer(rows->rowset, &footer));
    *is_there = group < footer->header->row_group_count &&
                row % FORMAT_ROW_GROUP_ROWS < footer->row_group_rows[group];
    return STATUS_OK;
}

/* Before the mutex is taken: it may have to read. */
static Status check_rows(const TableDeleter *deleter, const int64_t *row_ids, uint32_t count)
{
    const DeleteTarget *target = NULL;
    for (uint32_t i = 0; i < count; i++) {
        const uint64_t id = (uint64_t)row_ids[i], rowset_id = id >> FORMAT_ROW_BITS;
        const uint32_t row = (uint32_t)(id & ((1u << FORMAT_ROW_BITS) - 1));
        bool is_there = false;
        if (target == NULL || target->visible->rows->rowset_id != rowset_id) {
            target = find_target(deleter, rowset_id);
        }
        if (target != NULL) {
            TRY(check_row(target->visible->rows, row, &is_there));
        }
        if (!is_there) {
            return status_error(SQLSTATE_INTERNAL_ERROR,
                                "table %llu has no row %u in a rowset %llu that is visible",
                                (unsigned long long)deleter->table_id, row,
                                (unsigned long long)rowset_id);
        }
    }
    return STATUS_OK;
}

/* The bitmap of a row group; the mutex is held. */
static Status use_bitmap(TableDeleter *deleter, DeleteTarget *target, uint32_t group,
                         uint64_t **out)
{
    if (target->groups == NULL) {
        target->groups = ARENA_ARRAY(deleter->arena, uint64_t *, FORMAT_ROWSET_ROW_GROUPS);
    }
    if (target->groups[group] == NULL) {
        target->groups[group] = memory_alloc_zeroed(deleter->budget, BITMAP_BYTES);
        if (target->groups[group] == NULL) {
            return memory_refused(deleter->budget, BITMAP_BYTES, "rows to delete");
        }
    }
    *out = target->groups[group];
    return STATUS_OK;
}

static Status add_rows(TableDeleter *deleter, const int64_t *row_ids, uint32_t count)
{
    uint64_t *words = NULL, of = 0; // the row group whose bitmap that is
    for (uint32_t i = 0; i < count; i++) {
        const uint64_t id = (uint64_t)row_ids[i];
        const uint32_t group = (uint32_t)(id >> 16) % FORMAT_ROWSET_ROW_GROUPS;
        if (words == NULL || of != id >> 16) {
            TRY(use_bitmap(deleter, find_target(deleter, id >> FORMAT_ROW_BITS), group, &words));
            of = id >> 16;
        }
        validity_set(words, (uint32_t)(id % FORMAT_ROW_GROUP_ROWS));
    }
    return STATUS_OK;
}

Status table_deleter_add(TableDeleter *deleter, const int64_t *row_ids, uint32_t count)
{
    TRY(check_rows(deleter, row_ids, count));
    mutex_lock(&deleter->mutex);
    Status status = add_rows(deleter, row_ids, count);
    mutex_unlock(&deleter->mutex);
    return status;
}

/* Rows of one bitmap that were not deleted before; null in `*out` when there are none. */
static Status group_delta(const TableDeleter *deleter, const DeletedRows *before, uint64_t *words,
                          DeletedRows **out)
{
    uint64_t any = 0;
    for (uint32_t first = 0; before != NULL && first < before->row_end; first += VECTOR_ROWS) {
        deleted_rows_clear(before, first, (RowMask *)(void *)(words + first / 64));
    }
    for (uint32_t i = 0; i < DELETE_GROUP_WORDS; i++) {
        any |= words[i];
    }
    *out = NULL;
    return any == 0 ? STATUS_OK : deleted_rows_from_bitmap(words, deleter->store->budget, out);
}

/* The delta of one rowset; null in `*out` when no row of it was visible. */
static Status target_delta(const TableDeleter *deleter, DeleteTarget *target, DeleteMask **out)
{
    DeletedRows *groups[FORMAT_ROWSET_ROW_GROUPS] = {NULL};
    uint32_t end = 0;
    *out = NULL;
    for (uint32_t g = 0; g < FORMAT_ROWSET_ROW_GROUPS; g++) {
        if (target->groups[g] == NULL) {
            continue;
        }
        Status status = group_delta(deleter, delete_mask_group(target->visible->deleted, g),
                                    target->groups[g], &groups[g]);
        if (status != STATUS_OK) {
            for (uint32_t i = 0; i < end; i++) {
                deleted_rows_unpin(groups[i]);
            }
            return status;
        }
        end = groups[g] == NULL ? end : g + 1;
    }
    return end == 0 ? STATUS_OK : delete_mask_create(groups, end, out);
}

Status table_deleter_finish(TableDeleter *deleter, uint64_t *row_count)
{
    PendingDelete *deletes = ARENA_ARRAY(deleter->arena, PendingDelete, deleter->target_count + 1);
    uint32_t count = 0;
    uint64_t rows = 0;
    Status status = STATUS_OK;
    for (uint32_t i = 0; i < deleter->target_count && status == STATUS_OK; i++) {
        DeleteTarget *target = &deleter->targets[i];
        DeleteMask *mask = NULL;
        if (target->groups == NULL) {
            continue;
        }
        status = target_delta(deleter, target, &mask);
        free_bitmaps(deleter, target);
        if (mask != NULL) {
            rows += mask->row_count;
            deletes[count++] = (PendingDelete){.table_id = deleter->table_id,
                                               .rowset_id = target->visible->rows->rowset_id,
                                               .rows = mask,
                                               .statement = deleter->statement};
        }
    }
    if (status == STATUS_OK) {
        status = manifest_delete(deleter->store->manifest, deleter->txn_id, deletes, count);
    }
    for (uint32_t i = 0; i < count; i++) {
        delete_mask_unpin(deletes[i].rows);
    }
    if (status == STATUS_OK) {
        *row_count = rows;
    }
    return status;
}
