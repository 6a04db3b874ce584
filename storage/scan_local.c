/*
 * scan_local.c — one worker's loop: claim a unit, and for each of its vectors filter on encoded
 * data, let the evaluator narrow what is left, and hand out the rest with lazy columns.
 *
 *   unit: zone maps against all predicates known by now -> blocks of predicate columns
 *   vector: mask of rows -> filters, cheapest first, until none is left -> deleted rows -> window
 * -> evaluator -> out
 */
#include <stdlib.h>
#include <string.h>
#include "storage/scan_internal.h"

Status table_scan_local_create(TableScan *scan, ScanEvaluator *evaluator, Arena *arena,
                               TableScanLocal **out)
{
    const uint32_t column_count = scan->request.column_count;
    TableScanLocal *local = ARENA_NEW(arena, TableScanLocal);
    local->scan = scan;
    local->evaluator = evaluator;
    local->arena = arena;
    local->is_counting = scan->request.is_counting && evaluator == NULL;
    local->may_mask = scan->request.may_mask && evaluator == NULL;
    local->unit_arena = arena_create(arena, "scan_unit_arena");
    local->columns = ARENA_ARRAY(arena, ScanColumn, column_count + 1);
    scan_bases_init(&local->bases, local);
    local->vector_count = column_count + (scan->request.has_row_ids ? 2 : 0);
    local->vectors = ARENA_ARRAY(arena, Vector, local->vector_count + 1);
    local->selection = ARENA_ARRAY(arena, uint16_t, VECTOR_ROWS + 32);
    local->filter_capacity = scan->request.predicate_count + SCAN_RUNTIME_PREDICATES_MAX;
    local->filters = ARENA_ARRAY(arena, ScanFilter, local->filter_capacity);
    for (uint32_t i = 0; i < column_count; i++) {
        Status status = scan_column_init(&local->columns[i], local, i);
        if (status != STATUS_OK) {
            table_scan_local_destroy(local);
            return status;
        }
    }
    *out = local;
    return STATUS_OK;
}

/* Adds what was counted since the last unit to the scan's counters. */
static void publish_counters(TableScanLocal *local)
{
    ScanCounters *counters = &local->scan->counters;
    const ScanStatistics *counted = &local->counted;
    atomic_fetch_add_explicit(&counters->rows_seen, counted->rows_seen, memory_order_relaxed);
    atomic_fetch_add_explicit(&counters->rows_out, counted->rows_out, memory_order_relaxed);
    atomic_fetch_add_explicit(&counters->row_groups_read, counted->row_groups_read,
                              memory_order_relaxed);
    atomic_fetch_add_explicit(&counters->row_groups_skipped, counted->row_groups_skipped,
                              memory_order_relaxed);
    atomic_fetch_add_explicit(&counters->blocks_read, counted->blocks_read, memory_order_relaxed);
    atomic_fetch_add_explicit(&counters->blocks_from_disk, counted->blocks_from_disk,
                              memory_order_relaxed);
    atomic_fetch_add_explicit(&counters->bytes_read, counted->bytes_read, memory_order_relaxed);
    local->counted = (ScanStatistics){0};
}

static void close_unit(TableScanLocal *local)
{
    if (local->unit == NULL) {
        return;
    }
    for (uint32_t i = 0; i < local->scan->request.column_count; i++) {
        scan_column_release(&local->columns[i]);
    }
    scan_bases_release(&local->bases);
    scan_batch_close(local);
    publish_counters(local);
    local->unit = NULL;
    local->is_in_vector = false;
}

void table_scan_local_destroy(TableScanLocal *local)
{
    if (local == NULL) {
        return;
    }
    close_unit(local);
    for (uint32_t i = 0; i < local->scan->request.column_count; i++) {
        scan_column_deinit(&local->columns[i]);
    }
    scan_bases_deinit(&local->bases);
}

/* The predicates of this unit: the request's and what has been added since. */
static void collect_filters(TableScanLocal *local)
{
    const ScanRequest *request = &local->scan->request;
    local->filter_count = 0;
    for (uint32_t i = 0; i < request->predicate_count; i++) {
        local->filters[local->filter_count++].predicate = request->predicates[i];
    }
    for (const RuntimePredicate *node = atomic_load(&local->scan->runtime_predicates);
         node != NULL && local->filter_count < local->filter_capacity; node = node->next) {
        local->filters[local->filter_count++].predicate = node->predicate;
    }
}

/* Integers and codes are tested in a fraction of a nanosecond, text costs decoding, a bloom filter
 * a hash per row. */
static uint32_t filter_rank(const Block *block, const BlockFilter *filter)
{
    uint32_t rank = block->header->lane == LANE_TEXT && !block->has_dictionary ? 8 : 0;
    rank += block->header->lane > LANE_I64 && block->header->lane < LANE_TEXT ? 2 : 0;
    rank += filter->predicate->kind == PREDICATE_BITMAP ? 1 : 0;
    return rank + (filter->predicate->kind == PREDICATE_BLOOM ? 4 : 0);
}

static int compare_rank(const void *left, const void *right)
{
    const ScanFilter *a = left, *b = right;
    return a->rank < b->rank ? -1 : a->rank > b->rank;
}

/* Zone maps first, for all predicates; those that all rows pass are dropped. */
static bool prune_unit(TableScanLocal *local)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < local->filter_count; i++) {
        const ScanPredicate predicate = local->filters[i].predicate;
        switch (scan_check_zone(local->scan, local->source, local->unit->row_group, &predicate)) {
        case PREDICATE_NONE:
            return false;
        case PREDICATE_SOME:
            local->filters[kept++].predicate = predicate;
            break;
        default:
            break;
        }
    }
    local->filter_count = kept;
    return true;
}

/* Blocks of the predicates' columns; `*is_empty` when one of them rules the row group out. */
static Status prepare_filters(TableScanLocal *local, bool *is_empty)
{
    *is_empty = false;
    for (uint32_t i = 0; i < local->filter_count && !*is_empty; i++) {
        ScanFilter *filter = &local->filters[i];
        const Block *block;
        TRY(scan_column_block(&local->columns[filter->predicate.column], &block));
        if (filter->filter.bitmap == NULL) {
            filter->filter.bitmap = arena_alloc(local->arena, BLOCK_FILTER_BITMAP_BYTES);
        }
        block_filter_prepare(block, filter->predicate.predicate, &filter->filter);
        filter->rank = filter_rank(block, &filter->filter);
        *is_empty = filter->filter.verdict == PREDICATE_NONE;
    }
    qsort(local->filters, local->filter_count, sizeof *local->filters, compare_rank);
    return STATUS_OK;
}

/* Deleted rows as a bitmap: searching a list for each vector costs more. */
static void spread_deleted(TableScanLocal *local)
{
    if (local->deleted == NULL) {
        return;
    }
    if (local->deleted_scratch == NULL) {
        local->deleted_scratch = ARENA_ARRAY(local->arena, uint64_t, DELETE_GROUP_WORDS);
    }
    local->deleted_words = deleted_rows_words(local->deleted, local->deleted_scratch);
}

/* Claims the next unit that has something to say; `*is_done` when none is left. */
static Status open_unit(TableScanLocal *local, bool *is_done)
{
    TableScan *scan = local->scan;
    for (;;) {
        const uint32_t index = atomic_fetch_add_explicit(&scan->next_unit, 1, memory_order_relaxed);
        if (index >= scan->unit_count) {
            atomic_store_explicit(&scan->next_unit, scan->unit_count, memory_order_relaxed);
            *is_done = true;
            return STATUS_OK;
        }
        local->unit = &scan->units[index];
        local->source = &scan->sources[local->unit->source];
        local->deleted = delete_mask_group(local->source->deleted, local->unit->row_group);
        collect_filters(local);
        if (local->source->rows->kind == ROWS_BATCH) {
            local->counted.rows_seen += local->unit->row_count;
            return scan_batch_open(local);
        }
        bool is_empty = !prune_unit(local);
        if (!is_empty) {
            TRY(prepare_filters(local, &is_empty));
        }
        const bool is_first = local->unit->first_vector == 0;
        local->counted.row_groups_read += is_first && !is_empty;
        local->counted.row_groups_skipped += is_first && is_empty;
        if (!is_empty) {
            local->vector = local->unit->first_vector;
            local->vector_end = local->vector + local->unit->vector_count;
            spread_deleted(local);
            return STATUS_OK;
        }
        close_unit(local);
    }
}

static bool mask_is_empty(const RowMask *mask)
{
    uint64_t any = 0;
    for (uint32_t i = 0; i < VALIDITY_WORDS; i++) {
        any |= mask->words[i];
    }
    return any == 0;
}

/* Narrows the mask to the rows of a vector that pass every filter. */
static Status apply_filters(TableScanLocal *local, uint32_t vector)
{
    for (uint32_t i = 0; i < local->filter_count; i++) {
        const ScanFilter *filter = &local->filters[i];
        ScanColumn *column = &local->columns[filter->predicate.column];
        if (i > 0 && mask_is_empty(&local->mask)) {
            return STATUS_OK;
        }
        Status status =
            block_filter_apply(&column->entry->block, vector, &filter->filter, &column->buffer,
                               &column->vector, &column->is_decoded, &local->mask);
        TRY(scan_name_damage(local->scan, (int32_t)column->index, status));
    }
    return STATUS_OK;
}

/* Takes deleted rows out of the mask. */
static void take_deleted(RowMask *mask, const uint64_t *deleted)
{
    for (uint32_t i = 0; i < VALIDITY_WORDS; i++) {
        mask->words[i] &= ~deleted[i];
    }
}

/* Whether all of the vector's rows are deleted. */
static bool are_all_deleted(const RowMask *mask, const uint64_t *deleted)
{
    uint64_t any = mask->words[0] & ~deleted[0]; // as a rule that is enough
    for (uint32_t i = 1; any == 0 && i < VALIDITY_WORDS; i++) {
        any = mask->words[i] & ~deleted[i];
    }
    return any == 0;
}

/* Filters the next vector of a rowset into the mask. */
static Status filter_vector(TableScanLocal *local, bool *is_done)
{
    *is_done = local->vector == local->vector_end;
    if (*is_done) {
        return STATUS_OK;
    }
    const uint32_t vector = local->vector++;
    const uint32_t rows = local->source->footer->row_group_rows[local->unit->row_group];
    const uint32_t left = rows - vector * VECTOR_ROWS;
    local->vector_rows = left < VECTOR_ROWS ? left : VECTOR_ROWS;
    local->counted.rows_seen += local->vector_rows;
    local->first_row = local->unit->row_group * FORMAT_ROW_GROUP_ROWS + vector * VECTOR_ROWS;
    row_mask_set_first(&local->mask, local->vector_rows);
    for (uint32_t i = 0; i < local->scan->request.column_count; i++) {
        local->columns[i].is_decoded = false;
    }
    if (local->deleted == NULL) {
        return apply_filters(local, vector);
    }
    // Encodings filter whole vectors fastest, so deleted rows go last; but not for nothing.
    const uint64_t *deleted = local->deleted_words + (size_t)vector * VALIDITY_WORDS;
    if (local->filter_count > 0 && !are_all_deleted(&local->mask, deleted)) {
        TRY(apply_filters(local, vector));
    }
    take_deleted(&local->mask, deleted);
    return STATUS_OK;
}

/* Rows window_start .. of the mask that pass, as row numbers of the window. */
static uint32_t select_window(TableScanLocal *local, uint32_t row_count, const uint16_t **selection)
{
    uint32_t count;
    if (local->may_mask && row_count == local->vector_rows) {
        count = row_mask_count(&local->mask);
        if (!scan_column_is_sparse(row_count, count)) {
            *selection = NULL;
            return count;
        }
    }
    if (row_count == local->vector_rows) {
        count = row_mask_to_selection(&local->mask, row_count, local->selection);
    } else {
        count = 0;
        for (uint32_t i = 0; i < row_count; i++) {
            local->selection[count] = (uint16_t)i;
            count += validity_get(local->mask.words, local->window_start + i);
        }
    }
    *selection = count == row_count ? NULL : local->selection;
    return count;
}

/* The next window of the present vector that keeps a row; the batch is empty when none does. */
static Status put_window(TableScanLocal *local, Batch *out)
{
    const uint32_t left = local->vector_rows - local->window_start;
    const uint32_t rows =
        left < local->scan->request.batch_rows ? left : local->scan->request.batch_rows;
    const bool is_batch = local->source->rows->kind == ROWS_BATCH;
    *out =
        (Batch){.row_count = rows, .column_count = local->vector_count, .columns = local->vectors};
    if (local->is_counting) { // rows without columns have no places
        out->row_count = out->selected_count = row_mask_count(&local->mask);
        local->window_start = local->vector_rows;
        return STATUS_OK;
    }
    out->selected_count = select_window(local, rows, &out->selection);
    if (out->selected_count == 0) {
        return STATUS_OK;
    }
    const bool has_mask = rows == local->vector_rows && out->selected_count < rows;
    out->mask = has_mask ? &local->mask : NULL;
    const uint32_t columns = local->scan->request.column_count;
    for (uint32_t i = 0; i < columns; i++) {
        if (is_batch) {
            scan_batch_put(local, i, rows, &local->vectors[i]);
        } else {
            scan_column_put(&local->columns[i], rows, &local->vectors[i]);
        }
    }
    if (local->scan->request.has_row_ids) {
        scan_row_ids_put(local, rows, &local->vectors[columns], &local->vectors[columns + 1]);
    }
    return local->evaluator == NULL ? STATUS_OK : local->evaluator->filter(local->evaluator, out);
}

/* Moves to the next window or vector; `is_in_vector` is false when the unit is finished. */
static Status advance(TableScanLocal *local)
{
    bool is_done = false;
    if (local->is_in_vector) {
        local->window_start += local->scan->request.batch_rows;
        if (local->window_start < local->vector_rows) {
            return STATUS_OK;
        }
    }
    do {
        TRY(local->source->rows->kind == ROWS_BATCH ? scan_batch_next(local, &is_done)
                                                    : filter_vector(local, &is_done));
    } while (!is_done && mask_is_empty(&local->mask));
    local->is_in_vector = !is_done;
    local->window_start = 0;
    return STATUS_OK;
}

Status table_scan_next(TableScanLocal *local, Batch *out, bool *is_done)
{
    *is_done = false;
    for (;;) {
        if (local->unit == NULL) {
            TRY(open_unit(local, is_done));
            if (*is_done) {
                *out = (Batch){.column_count = local->vector_count, .columns = local->vectors};
                publish_counters(local);
                return STATUS_OK;
            }
        }
        TRY(advance(local));
        if (!local->is_in_vector) {
            close_unit(local);
            continue;
        }
        TRY(put_window(local, out));
        if (out->selected_count > 0) {
            local->counted.rows_out += out->selected_count;
            return STATUS_OK;
        }
    }
}
