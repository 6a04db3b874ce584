/* stored_rows.c — see stored_rows.h. */
#include "storage/stored_rows.h"

#include <string.h>
#include "base/heap.h"
#include "base/log.h"

Status stored_rows_create(const StoredRows *facts, const void *bytes, FileSystem *system,
                          const char *path, uint64_t cluster, StoredRows **out)
{
    StoredRows *rows = heap_alloc(sizeof *rows);
    if (rows == NULL) {
        return status_error(SQLSTATE_OUT_OF_MEMORY, "out of memory for a manifest entry");
    }
    *rows = (StoredRows){.kind = facts->kind,
                         .rowset_id = facts->rowset_id,
                         .table_id = facts->table_id,
                         .slice = facts->slice,
                         .first_bucket = facts->first_bucket,
                         .last_bucket = facts->last_bucket,
                         .row_count = facts->row_count,
                         .byte_count = facts->byte_count,
                         .footer_checksum = facts->footer_checksum,
                         .budget = facts->budget,
                         .cache = facts->cache};
    atomic_init(&rows->reference_count, 1);
    Status status = STATUS_OK;
    if (rows->kind == ROWS_FILE) {
        const RowsetIdentity identity = {.cluster = cluster,
                                         .table_id = rows->table_id,
                                         .rowset_id = rows->rowset_id,
                                         .byte_count = rows->byte_count,
                                         .footer_checksum = rows->footer_checksum};
        status = rowset_create(system, path, &identity, rows->budget, &rows->rowset);
    } else {
        rows->bytes = memory_alloc(rows->budget, rows->byte_count);
        if (rows->bytes == NULL) {
            status = memory_refused(rows->budget, rows->byte_count, "an INSERT batch");
        } else {
            memcpy(rows->bytes, bytes, rows->byte_count);
        }
    }
    if (status != STATUS_OK) {
        heap_free(rows);
        return status;
    }
    *out = rows;
    return STATUS_OK;
}

StoredRows *stored_rows_pin(StoredRows *rows)
{
    // The caller holds a reference, or the mutex of a list that does: the count is not zero.
    atomic_fetch_add_explicit(&rows->reference_count, 1, memory_order_relaxed);
    return rows;
}

static void destroy_file(StoredRows *rows)
{
    block_cache_forget(rows->cache, rows->rowset);
    if (atomic_load(&rows->is_doomed)) {
        // What cannot be removed now is in no list: the next open removes it.
        Status status = file_remove(rows->rowset->system, rows->rowset->path);
        if (status != STATUS_OK) {
            log_status(LOG_WARN, "rowset_not_removed", status);
            status_free(status);
        }
    }
    rowset_destroy(rows->rowset);
}

void stored_rows_unpin(StoredRows *rows)
{
    // Release our uses, acquire those of all others before destroying.
    if (rows == NULL ||
        atomic_fetch_sub_explicit(&rows->reference_count, 1, memory_order_acq_rel) != 1) {
        return;
    }
    if (rows->kind == ROWS_FILE) {
        destroy_file(rows);
    } else {
        memory_free(rows->budget, rows->bytes, rows->byte_count);
    }
    heap_free(rows);
}

void stored_rows_doom(StoredRows *rows)
{
    atomic_store(&rows->is_doomed, true);
}
