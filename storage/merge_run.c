/* merge_run.c — see merge_run.h. */
#include "storage/merge_run.h"

#include "base/heap.h"
#include "storage/row_sort.h"

Status merge_run_open(MergeRun *run, const ScanRequest *request, const MergeSource *sources,
                      uint32_t source_count, Arena *arena)
{
    const PlanTable *table = request->table;
    Type *types = ARENA_ARRAY(arena, Type, table->column_count);
    *run = (MergeRun){.request = request,
                      .sources = sources,
                      .source_count = source_count,
                      .arena = arena_create(NULL, "merge_run_arena"),
                      .chunks = ARENA_ARRAY(arena, ColumnChunk, table->column_count)};
    for (uint32_t i = 0; i < table->column_count; i++) {
        types[i] = table->columns[i].type;
    }
    return row_buffer_create(types, table->column_count, request->budget, &run->rows);
}

static void free_order(MergeRun *run)
{
    if (run->order != NULL) {
        memory_free(run->request->budget, run->order,
                    ((size_t)run->rows->row_count + 1) * sizeof *run->order);
        run->order = NULL;
    }
}

static void close_scan(MergeRun *run)
{
    table_scan_local_destroy(run->local);
    table_scan_close(run->scan);
    run->local = NULL;
    run->scan = NULL;
    arena_reset(run->arena);
}

void merge_run_close(MergeRun *run)
{
    if (run->arena == NULL) {
        return; // never opened
    }
    free_order(run);
    close_scan(run);
    row_buffer_destroy(run->rows);
    arena_destroy(run->arena);
    *run = (MergeRun){0};
}

static Status open_scan(MergeRun *run)
{
    TRY(table_scan_open_rows(run->request, run->sources[run->next_source].rows, run->arena,
                             &run->scan));
    return table_scan_local_create(run->scan, NULL, run->arena, &run->local);
}

Status merge_run_next_batch(MergeRun *run, Batch *out, bool *is_done)
{
    for (;;) {
        bool is_end = false;
        *is_done = run->next_source == run->source_count;
        if (*is_done) {
            return STATUS_OK;
        }
        if (run->scan == NULL) {
            TRY(open_scan(run));
        }
        TRY(table_scan_next(run->local, out, &is_end));
        if (!is_end) {
            return batch_load_all(out);
        }
        close_scan(run);
        run->next_source++;
    }
}

static Status sort_rows(MergeRun *run)
{
    const PlanTable *table = run->request->table;
    MemoryBudget *budget = run->request->budget;
    const uint32_t row_count = run->rows->row_count;
    const size_t bytes = ((size_t)row_count + 1) * sizeof *run->order;
    run->order = memory_alloc(budget, bytes);
    if (run->order == NULL) {
        return memory_refused(budget, bytes, "sorting rows");
    }
    for (uint32_t i = 0; i < row_count; i++) {
        run->order[i] = i;
    }
    for (uint32_t k = table->sort_key_count; k > 0; k--) { // the last key first
        const ColumnChunk *chunk = &run->chunks[table->sort_keys[k - 1]];
        const SortColumn key = {
            .lane = chunk->lane, .values = chunk->values, .validity = chunk->validity};
        TRY(row_sort_by(&key, row_count, budget, run->order));
    }
    return STATUS_OK;
}

static void take_chunks(MergeRun *run)
{
    for (uint32_t i = 0; i < run->rows->column_count; i++) {
        row_buffer_chunk(run->rows, i, &run->chunks[i]);
    }
    run->position = 0;
    run->row_count = run->rows->row_count;
}

/* All rows of an INSERT batch that the scan has begun to give: they are few. */
static Status gather_rest(MergeRun *run)
{
    const uint32_t source = run->next_source;
    for (;;) {
        Batch batch;
        bool is_end = false;
        TRY(table_scan_next(run->local, &batch, &is_end));
        if (is_end) {
            close_scan(run);
            run->next_source = source + 1;
            return STATUS_OK;
        }
        TRY(batch_load_all(&batch));
        if (run->rows->row_count + batch.selected_count > ROW_BUFFER_ROWS_MAX) {
            return status_error(SQLSTATE_DATA_CORRUPTED,
                                "an INSERT batch of table %llu has too many rows",
                                (unsigned long long)run->request->table->table_id);
        }
        TRY(row_buffer_append(run->rows, &batch, batch.selection, batch.selected_count));
    }
}

Status merge_run_fill(MergeRun *run)
{
    Batch batch;
    bool is_done = false;
    free_order(run);
    row_buffer_clear(run->rows);
    run->position = run->row_count = 0;
    TRY(merge_run_next_batch(run, &batch, &is_done));
    if (is_done) {
        return STATUS_OK;
    }
    const bool is_unordered = run->sources[run->next_source].is_unordered;
    TRY(row_buffer_append(run->rows, &batch, batch.selection, batch.selected_count));
    if (is_unordered) {
        TRY(gather_rest(run));
    }
    take_chunks(run);
    return is_unordered ? sort_rows(run) : STATUS_OK;
}

/* Comparing. */

static int compare_doubles(double left, double right)
{
    if (left != left || right != right) { // NaN is the largest
        return (left != left) - (right != right);
    }
    return left < right ? -1 : left > right;
}

static int compare_values(const ColumnChunk *left, uint32_t left_row, const ColumnChunk *right,
                          uint32_t right_row)
{
    switch (left->lane) {
    case LANE_I64: {
        const int64_t a = ((const int64_t *)left->values)[left_row];
        const int64_t b = ((const int64_t *)right->values)[right_row];
        return a < b ? -1 : a > b;
    }
    case LANE_I128: {
        const Int128 a = ((const Int128 *)left->values)[left_row];
        const Int128 b = ((const Int128 *)right->values)[right_row];
        return a < b ? -1 : a > b;
    }
    case LANE_F32:
        return compare_doubles((double)((const float *)left->values)[left_row],
                               (double)((const float *)right->values)[right_row]);
    case LANE_F64:
        return compare_doubles(((const double *)left->values)[left_row],
                               ((const double *)right->values)[right_row]);
    default:
        return text_view_compare(&((const TextView *)left->values)[left_row],
                                 &((const TextView *)right->values)[right_row]);
    }
}

int merge_run_compare(const MergeRun *left, const MergeRun *right)
{
    const PlanTable *table = left->request->table;
    const uint32_t left_row = merge_run_row(left), right_row = merge_run_row(right);
    for (uint32_t k = 0; k < table->sort_key_count; k++) {
        const ColumnChunk *a = &left->chunks[table->sort_keys[k]];
        const ColumnChunk *b = &right->chunks[table->sort_keys[k]];
        const bool is_null = !validity_get(a->validity, left_row);
        const bool is_other_null = !validity_get(b->validity, right_row);
        if (is_null || is_other_null) {
            if (is_null != is_other_null) {
                return is_null ? 1 : -1;
            }
            continue;
        }
        const int order = compare_values(a, left_row, b, right_row);
        if (order != 0) {
            return order;
        }
    }
    return 0;
}
