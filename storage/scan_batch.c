/* scan_batch.c — INSERT batches that are not sealed yet: decoded and filtered like any vectors. */
#include <string.h>
#include "storage/scan_internal.h"

Status scan_batch_open(TableScanLocal *local)
{
    const StoredRows *rows = local->source->rows;
    const TableScan *scan = local->scan;
    arena_reset(local->unit_arena);
    local->first_row = 0;
    local->vector_rows = 0;
    byte_reader_init(&local->reader, rows->bytes, rows->byte_count);
    TRY(insert_batch_read_head(&local->reader, local->unit_arena, &local->head));
    local->batches_left = local->head.batch_count;
    for (uint32_t i = 0; i < scan->request.column_count; i++) {
        const ScanColumnInfo *info = &scan->columns[i];
        for (uint32_t k = 0; k < local->head.column_count; k++) {
            if (local->head.column_ids[k] == info->column_id &&
                type_is_text(local->head.types[k]) != type_is_text(info->type)) {
                return status_error(SQLSTATE_DATA_CORRUPTED,
                                    "column %u of table \"%s\" has another type in an INSERT batch",
                                    info->column_id, scan->request.table->name);
            }
        }
    }
    return STATUS_OK;
}

static int32_t stored_column(const TableScanLocal *local, uint32_t index)
{
    for (uint32_t k = 0; k < local->head.column_count; k++) {
        if (local->head.column_ids[k] == local->scan->columns[index].column_id) {
            return (int32_t)k;
        }
    }
    return -1;
}

/* The whole vector of a request column. */
static void whole_vector(TableScanLocal *local, uint32_t index, Vector *out)
{
    const int32_t stored = stored_column(local, index);
    if (stored < 0) {
        scan_default_vector(&local->scan->columns[index], local->columns[index].default_lane, out);
    } else {
        *out = local->shared->batch.columns[stored];
        out->type = local->scan->columns[index].type;
    }
}

/* Batches of an entry have any number of rows: one may start anywhere in a word. */
static void clear_deleted(TableScanLocal *local)
{
    if (local->first_row % 64 == 0) {
        deleted_rows_clear(local->deleted, local->first_row, &local->mask);
        return;
    }
    for (uint32_t i = 0; i < local->vector_rows; i++) {
        if (deleted_rows_has(local->deleted, local->first_row + i)) {
            validity_clear(local->mask.words, i);
        }
    }
}

Status scan_batch_next(TableScanLocal *local, bool *is_done)
{
    const TableScan *scan = local->scan;
    shared_batch_unpin(local->shared);
    local->shared = NULL;
    *is_done = local->batches_left == 0;
    if (*is_done) {
        return STATUS_OK;
    }
    local->batches_left--;
    TRY(batch_decode(&local->reader, local->head.types, local->head.column_count,
                     scan->request.budget, &local->shared));
    local->first_row += local->vector_rows;
    local->vector_rows = local->shared->batch.row_count;
    row_mask_set_first(&local->mask, local->vector_rows);
    if (local->deleted != NULL) {
        clear_deleted(local);
    }
    for (uint32_t i = 0; i < local->filter_count; i++) {
        const ScanPredicate *predicate = &local->filters[i].predicate;
        Vector vector;
        whole_vector(local, predicate->column, &vector);
        predicate_apply(predicate->predicate, &vector, local->vector_rows, &local->mask);
    }
    return STATUS_OK;
}

void scan_batch_close(TableScanLocal *local)
{
    shared_batch_unpin(local->shared);
    local->shared = NULL;
}

/* Windows are cut by gathering: batches this small are rare and short. */
void scan_batch_put(TableScanLocal *local, uint32_t index, uint32_t row_count, Vector *out)
{
    Vector whole;
    whole_vector(local, index, &whole);
    if (row_count == local->vector_rows) {
        *out = whole;
        return;
    }
    ScanColumn *column = &local->columns[index];
    VectorBuffer buffer = {.lanes = column->buffer.lanes, .validity = column->window_validity};
    uint16_t rows[VECTOR_ROWS];
    for (uint32_t i = 0; i < row_count; i++) {
        rows[i] = (uint16_t)(local->window_start + i);
    }
    vector_gather(&whole, rows, row_count, &buffer, out);
}
