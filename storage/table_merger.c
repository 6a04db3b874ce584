/*
 * table_merger.c — rowsets of a table written anew: chosen slice by slice, read as runs, merged,
 * and sealed by the write buffer that loads use.
 *
 *   manifest_visible -> merge_policy (by slice) -> runs -> smallest row first -> WriteBuffer
 *   -> rowsets of the transaction; at the end the sources are dropped in it
 *
 * The smallest row stands at the root of a heap of runs. Rows are collected as (run, row) until a
 * vector is full or a run has to be filled; then each column is gathered at once.
 */
#include <string.h>
#include "base/fault.h"
#include "base/heap.h"
#include "base/log.h"
#include "base/vector/vector_kernels.h"
#include "storage/merge_policy.h"
#include "storage/merge_run.h"
#include "storage/table_writer_internal.h"

#define STEP_ROWS 16384u /* a step is short: other queries want the worker, too */
#define LANE_BYTES_MAX 16u
#define GATHER_BYTES ((size_t)VECTOR_ROWS * LANE_BYTES_MAX + 64)

typedef struct SliceWork {
    uint32_t index; /* in the writer's slices */
    uint32_t candidate_count;
    MergeCandidate *candidates;
    MergePolicy policy;
} SliceWork;

struct TableMerger {
    Store *store;
    Snapshot snapshot;
    TableMergeOptions options;
    Arena *arena;
    TableWriter *writer;
    EncodeContext context;
    ScanRequest request;
    VisibleRows *visible;
    uint32_t visible_count;
    uint32_t slice_count, next_slice;
    SliceWork *slices;
    /* The merge under way. */
    bool is_open;
    Arena *merge_arena;
    WriteBuffer buffer;
    uint32_t run_count;
    MergeRun *runs;
    uint32_t heap_count;
    uint32_t *heap; /* runs that have rows, the smallest first */
    /* Rows that were chosen for the next batch, and their columns. */
    uint32_t gathered;
    uint32_t gathered_runs[VECTOR_ROWS], gathered_rows[VECTOR_ROWS];
    Vector *vectors;
    uint8_t **values;
    uint64_t **validities;
    /* What goes. */
    uint32_t dropped_count;
    uint64_t *dropped;
    uint64_t row_count;
};

/* Candidates. */

/* A bound of the first sort key in a zone map; text beyond 16 bytes counts as equal. */
static MergeBound bound_of(const ZoneRecord *zone, Type type, bool is_max)
{
    const uint8_t *side = is_max ? zone->max : zone->min;
    MergeBound bound = {.is_null = (zone->flags & BLOCK_FLAG_HAS_RANGE) == 0};
    if (type_is_text(type)) {
        const uint32_t bytes = is_max ? zone->max_bytes : zone->min_bytes;
        for (uint32_t i = 0; i < 16; i++) {
            bound.key = bound.key << 8 | (i < bytes ? side[i] : 0);
        }
    } else if (type_is_float(type)) {
        uint64_t bits;
        memcpy(&bits, side, sizeof bits);
        bound.key = (bits >> 63) != 0 ? ~bits : bits | UINT64_C(1) << 63;
    } else {
        memcpy(&bound.key, side, sizeof bound.key);
        bound.key ^= (UInt128)1 << 127;
    }
    return bound;
}

static bool is_sorted_by(const RowsetFooter *footer, const PlanTable *table)
{
    bool is_same = footer->sort_key_count >= table->sort_key_count;
    for (uint32_t i = 0; i < table->sort_key_count && is_same; i++) {
        is_same = footer->sort_keys[i] == table->columns[table->sort_keys[i]].column_id;
    }
    return is_same;
}

/* Whether rows have one order in all rowsets, by which those can be merged. An interleaved one is
 * each rowset's own: those are joined as they come and sorted as they are sealed. */
static bool has_order(const PlanTable *table)
{
    return table->sort_key_count > 0 && !table->is_interleaved;
}

/* The range of a rowset's keys; `*is_usable` is false when it has another order. */
static Status find_range(const TableMerger *merger, const StoredRows *rows,
                         MergeCandidate *candidate, bool *is_usable)
{
    const PlanTable *table = merger->options.table;
    const struct PlanTableColumn *key = &table->columns[table->sort_keys[0]];
    const RowsetFooter *footer;
    TRY(rowset_footer(rows->rowset, &footer));
    const int32_t column = rowset_footer_column(footer, key->column_id);
    *is_usable = column >= 0 && is_sorted_by(footer, table);
    candidate->min = candidate->max = (MergeBound){.is_null = true};
    bool has_null = false, has_value = false;
    for (uint32_t g = 0; *is_usable && g < footer->header->row_group_count; g++) {
        const ZoneRecord *zone = &footer->zones[rowset_footer_block(footer, (uint32_t)column, g)];
        const MergeBound min = bound_of(zone, key->type, false);
        const MergeBound max = bound_of(zone, key->type, true);
        has_null = has_null || zone->null_count > 0 || min.is_null;
        if (!min.is_null && (!has_value || merge_bound_compare(&min, &candidate->min) < 0)) {
            candidate->min = min;
        }
        if (!max.is_null && (!has_value || merge_bound_compare(&max, &candidate->max) > 0)) {
            candidate->max = max;
        }
        has_value = has_value || !min.is_null;
    }
    if (has_null) { // they come last
        candidate->max = (MergeBound){.is_null = true};
    }
    return STATUS_OK;
}

/* Whether columns are looked up whose blocks the rowset has no filters for. */
static Status find_filters(const TableMerger *merger, const StoredRows *rows,
                           MergeCandidate *candidate)
{
    const RowsetFooter *footer;
    TRY(rowset_footer(rows->rowset, &footer));
    for (uint32_t i = 0; i < merger->options.table->column_count; i++) {
        const RowsetColumn *column = &merger->writer->columns[i];
        candidate->lacks_filters =
            candidate->lacks_filters ||
            (column->is_looked_up && rowset_footer_column(footer, column->column_id) >= 0 &&
             !rowset_footer_has_lookups(footer, column->column_id));
    }
    return STATUS_OK;
}

static Status add_candidate(TableMerger *merger, SliceWork *slice, VisibleRows *visible)
{
    const StoredRows *rows = visible->rows;
    bool is_usable = true;
    MergeCandidate candidate = {.rowset_id = rows->rowset_id,
                                .row_count = rows->row_count,
                                .deleted_count = delete_mask_row_count(visible->deleted),
                                .is_unordered = rows->kind == ROWS_BATCH,
                                .object = visible};
    if (has_order(merger->options.table) && !candidate.is_unordered) {
        TRY(find_range(merger, rows, &candidate, &is_usable));
    }
    if (rows->kind != ROWS_BATCH) {
        TRY(find_filters(merger, rows, &candidate));
    }
    if (is_usable) {
        slice->candidates[slice->candidate_count++] = candidate;
    }
    return STATUS_OK;
}

static Status list_slice(TableMerger *merger, uint32_t index)
{
    const TableMergeOptions *options = &merger->options;
    SliceWork *slice = &merger->slices[index];
    *slice = (SliceWork){.index = index,
                         .candidates =
                             ARENA_ARRAY(merger->arena, MergeCandidate, merger->visible_count + 1),
                         .policy = {.mode = options->mode,
                                    .has_sort_key = has_order(options->table),
                                    .percent = options->percent,
                                    .rowset_rows = (uint64_t)merger->writer->row_group_rows *
                                                   FORMAT_ROWSET_ROW_GROUPS,
                                    .idle_rows_max = options->idle_rows_max,
                                    .ratio = options->ratio,
                                    .runs_max = options->runs_max,
                                    .deleted_percent = options->deleted_percent}};
    for (uint32_t i = 0; i < merger->visible_count; i++) {
        if (merger->visible[i].rows->slice == merger->writer->slices[index].slice) {
            TRY(add_candidate(merger, slice, &merger->visible[i]));
        }
    }
    merge_policy_prepare(&slice->policy, slice->candidates, slice->candidate_count);
    return STATUS_OK;
}

/* Opening. */

static Status open_writer(TableMerger *merger)
{
    const TableMergeOptions *options = &merger->options;
    const TableWriteOptions writing = {.store = options->store,
                                       .table = options->table,
                                       .txn_id = options->snapshot.txn_id,
                                       .statement = options->snapshot.statement,
                                       .row_group_rows = options->row_group_rows,
                                       .budget = options->budget,
                                       .is_canceled = options->is_canceled};
    TRY(table_writer_create(&writing, &merger->writer));
    merger->writer->is_in_order = has_order(options->table);
    merger->writer->local_count = 1; // so that an unfinished one forgets what it wrote
    return encode_context_init(&merger->context, options->budget);
}

static void make_room(TableMerger *merger)
{
    const uint32_t columns = merger->options.table->column_count;
    uint32_t *all = ARENA_ARRAY(merger->arena, uint32_t, columns);
    for (uint32_t i = 0; i < columns; i++) {
        all[i] = i;
    }
    merger->request = (ScanRequest){.store = merger->store,
                                    .table = merger->options.table,
                                    .snapshot = merger->snapshot,
                                    .column_count = columns,
                                    .columns = all,
                                    .batch_rows = VECTOR_ROWS,
                                    .budget = merger->options.budget};
    merger->vectors = ARENA_ARRAY(merger->arena, Vector, columns);
    merger->values = ARENA_ARRAY(merger->arena, uint8_t *, columns);
    merger->validities = ARENA_ARRAY(merger->arena, uint64_t *, columns);
    for (uint32_t i = 0; i < columns; i++) {
        merger->values[i] = arena_alloc_aligned(merger->arena, GATHER_BYTES, 64);
        merger->validities[i] = ARENA_ARRAY(merger->arena, uint64_t, VALIDITY_WORDS);
    }
    merger->dropped = ARENA_ARRAY(merger->arena, uint64_t, merger->visible_count + 1);
    merger->slices = ARENA_ARRAY(merger->arena, SliceWork, merger->slice_count + 1);
}

Status table_merger_create(const TableMergeOptions *options, TableMerger **out)
{
    Arena *arena = arena_create(NULL, "table_merger_arena");
    TableMerger *merger = ARENA_NEW(arena, TableMerger);
    *merger = (TableMerger){.store = options->store,
                            .snapshot = options->snapshot,
                            .options = *options,
                            .arena = arena,
                            .merge_arena = arena_create(NULL, "merge_arena")};
    Status status =
        manifest_visible(options->store->manifest, options->table->table_id, &options->snapshot,
                         arena, &merger->visible, &merger->visible_count);
    if (status == STATUS_OK) {
        status = open_writer(merger);
    }
    if (status == STATUS_OK) {
        merger->slice_count = merger->writer->slice_count;
        make_room(merger);
    }
    for (uint32_t i = 0; i < merger->slice_count && status == STATUS_OK; i++) {
        status = list_slice(merger, i);
    }
    if (status != STATUS_OK) {
        table_merger_destroy(merger);
        return status;
    }
    *out = merger;
    return STATUS_OK;
}

static void close_merge(TableMerger *merger)
{
    for (uint32_t i = 0; i < merger->run_count; i++) {
        merge_run_close(&merger->runs[i]);
    }
    if (merger->buffer.writer != NULL) {
        write_buffer_deinit(&merger->buffer);
    }
    merger->run_count = merger->heap_count = merger->gathered = 0;
    merger->is_open = false;
    arena_reset(merger->merge_arena);
}

void table_merger_destroy(TableMerger *merger)
{
    if (merger == NULL) {
        return;
    }
    close_merge(merger);
    encode_context_deinit(&merger->context);
    table_writer_destroy(merger->writer);
    manifest_unpin_visible(merger->visible, merger->visible_count);
    arena_destroy(merger->merge_arena);
    arena_destroy(merger->arena);
}

uint64_t table_merger_row_count(const TableMerger *merger)
{
    return merger->row_count;
}

/* The heap of runs. */

/* Equal rows come by run: the order is the same every time. */
static bool comes_before(const TableMerger *merger, uint32_t left, uint32_t right)
{
    const int order = merge_run_compare(&merger->runs[left], &merger->runs[right]);
    return order != 0 ? order < 0 : left < right;
}

static void sift_down(TableMerger *merger, uint32_t at)
{
    uint32_t *heap = merger->heap;
    const uint32_t run = heap[at];
    for (uint32_t child; (child = 2 * at + 1) < merger->heap_count; at = child) {
        if (child + 1 < merger->heap_count && comes_before(merger, heap[child + 1], heap[child])) {
            child++;
        }
        if (comes_before(merger, run, heap[child])) {
            break;
        }
        heap[at] = heap[child];
    }
    heap[at] = run;
}

static void build_heap(TableMerger *merger)
{
    merger->heap_count = 0;
    for (uint32_t i = 0; i < merger->run_count; i++) {
        if (merger->runs[i].row_count > 0) {
            merger->heap[merger->heap_count++] = i;
        }
    }
    for (uint32_t i = merger->heap_count / 2; i > 0; i--) {
        sift_down(merger, i - 1);
    }
}

/* One merge. */

static Status open_runs(TableMerger *merger, SliceWork *slice, uint32_t chosen)
{
    const uint32_t run_count = slice->candidates[chosen - 1].run + 1;
    MergeSource *sources = ARENA_ARRAY(merger->merge_arena, MergeSource, chosen);
    merger->runs = ARENA_ARRAY(merger->merge_arena, MergeRun, run_count);
    merger->heap = ARENA_ARRAY(merger->merge_arena, uint32_t, run_count);
    for (uint32_t i = 0; i < chosen; i++) {
        const MergeCandidate *candidate = &slice->candidates[i];
        sources[i] =
            (MergeSource){.rows = candidate->object,
                          .is_unordered = candidate->is_unordered && slice->policy.has_sort_key};
        merger->dropped[merger->dropped_count++] = candidate->rowset_id;
        merger->row_count += candidate->row_count;
    }
    for (uint32_t first = 0, end; first < chosen; first = end) {
        for (end = first;
             end < chosen && slice->candidates[end].run == slice->candidates[first].run;) {
            end++;
        }
        merger->run_count++;
        TRY(merge_run_open(&merger->runs[merger->run_count - 1], &merger->request, sources + first,
                           end - first, merger->merge_arena));
    }
    return STATUS_OK;
}

/* Rows of one run that need no sorting go through as they are. */
static bool is_plain(const TableMerger *merger)
{
    return merger->run_count == 1 && !merger->runs[0].sources[0].is_unordered;
}

/* The next merge of any slice; none is left when it is not open afterwards. */
static Status open_merge(TableMerger *merger)
{
    while (merger->next_slice < merger->slice_count) {
        SliceWork *slice = &merger->slices[merger->next_slice];
        const uint32_t chosen =
            merge_policy_choose(&slice->policy, slice->candidates, slice->candidate_count);
        if (chosen == 0) {
            merger->next_slice++;
            continue;
        }
        TRY(open_runs(merger, slice, chosen));
        slice->candidates += chosen;
        slice->candidate_count -= chosen;
        if (slice->policy.mode == VACUUM_IDLE) { // a small piece at a time
            merger->next_slice++;
        }
        TRY(write_buffer_init(&merger->buffer, merger->writer, slice->index, NULL));
        for (uint32_t i = 0; i < merger->run_count && !is_plain(merger); i++) {
            TRY(merge_run_fill(&merger->runs[i]));
        }
        if (!is_plain(merger)) {
            build_heap(merger);
        }
        merger->is_open = true;
        return STATUS_OK;
    }
    return STATUS_OK;
}

static void gather_column(TableMerger *merger, uint32_t column)
{
    uint8_t *values = merger->values[column];
    uint64_t *validity = merger->validities[column];
    const ColumnChunk *chunk = &merger->runs[merger->gathered_runs[0]].chunks[column];
    const size_t lane = lane_bytes(chunk->lane);
    bool has_null = false;
    memset(validity, 0xff, VALIDITY_WORDS * sizeof *validity);
    for (uint32_t i = 0; i < merger->gathered; i++) {
        const uint32_t row = merger->gathered_rows[i];
        chunk = &merger->runs[merger->gathered_runs[i]].chunks[column];
        const uint8_t *source = (const uint8_t *)chunk->values + row * lane;
        if (lane == sizeof(int64_t)) {
            memcpy(values + i * 8, source, 8);
        } else {
            memcpy(values + i * lane, source, lane);
        }
        if (chunk->validity != NULL && !validity_get(chunk->validity, row)) {
            validity_clear(validity, i);
            has_null = true;
        }
    }
    Vector *vector = &merger->vectors[column];
    *vector = (Vector){.type = merger->options.table->columns[column].type,
                       .lane = (uint8_t)chunk->lane,
                       .form = VECTOR_FLAT,
                       .has_trailing_blanks = true, // not looked at
                       .validity = has_null ? validity : NULL,
                       .data = values};
    if (chunk->lane == LANE_I64) {
        KERNELS(vector_kernels)
            ->min_max[LANE_I64](values, merger->gathered, &vector->lo, &vector->hi);
    }
}

/* What was collected goes to the write buffer: no run may be filled before. */
static Status write_gathered(TableMerger *merger)
{
    if (merger->gathered == 0) {
        return STATUS_OK;
    }
    const uint32_t columns = merger->options.table->column_count;
    for (uint32_t i = 0; i < columns; i++) {
        gather_column(merger, i);
    }
    const Batch batch = {.row_count = merger->gathered,
                         .selected_count = merger->gathered,
                         .column_count = columns,
                         .columns = merger->vectors};
    const uint32_t rows = merger->gathered;
    merger->gathered = 0;
    return write_buffer_append(&merger->buffer, &merger->context, &batch, NULL, rows);
}

/* The run at the root has no more rows in hand. */
static Status refill_root(TableMerger *merger)
{
    TRY(write_gathered(merger));
    MergeRun *run = &merger->runs[merger->heap[0]];
    TRY(merge_run_fill(run));
    if (run->row_count == 0) {
        merger->heap[0] = merger->heap[--merger->heap_count];
    }
    return STATUS_OK;
}

static Status merge_rows(TableMerger *merger, bool *is_end)
{
    for (uint32_t done = 0; done < STEP_ROWS && merger->heap_count > 0; done++) {
        MergeRun *run = &merger->runs[merger->heap[0]];
        merger->gathered_runs[merger->gathered] = merger->heap[0];
        merger->gathered_rows[merger->gathered++] = merge_run_row(run);
        run->position++;
        if (run->position == run->row_count) {
            TRY(refill_root(merger));
        } else if (merger->gathered == VECTOR_ROWS) {
            TRY(write_gathered(merger));
        }
        if (merger->heap_count > 1) {
            sift_down(merger, 0);
        }
    }
    *is_end = merger->heap_count == 0;
    return *is_end ? write_gathered(merger) : STATUS_OK;
}

static Status pass_rows(TableMerger *merger, bool *is_end)
{
    for (uint32_t done = 0; done < STEP_ROWS && !*is_end; done += VECTOR_ROWS) {
        Batch batch;
        TRY(merge_run_next_batch(&merger->runs[0], &batch, is_end));
        if (!*is_end) {
            TRY(write_buffer_append(&merger->buffer, &merger->context, &batch, batch.selection,
                                    batch.selected_count));
        }
    }
    return STATUS_OK;
}

/* All merges are written: the sources go, if there were any. */
static Status finish(TableMerger *merger)
{
    if (merger->dropped_count > 0) {
        TRY(FAULT("storage.merge_drop"));
    }
    TRY(manifest_drop_merged(merger->store->manifest, merger->options.table->table_id,
                             &merger->snapshot, merger->dropped, merger->dropped_count));
    merger->writer->is_finished = true;
    if (merger->dropped_count > 0) {
        log_debug("rowsets_merged", "table=%llu rowsets=%u rows=%llu",
                  (unsigned long long)merger->options.table->table_id, merger->dropped_count,
                  (unsigned long long)merger->row_count);
    }
    return STATUS_OK;
}

Status table_merger_step(TableMerger *merger, bool *is_done)
{
    bool is_end = false;
    *is_done = false;
    if (!merger->is_open) {
        TRY(open_merge(merger));
        *is_done = !merger->is_open;
        return *is_done ? finish(merger) : STATUS_OK;
    }
    TRY(FAULT("storage.merge_step"));
    TRY(is_plain(merger) ? pass_rows(merger, &is_end) : merge_rows(merger, &is_end));
    if (is_end) {
        TRY(write_buffer_flush(&merger->buffer, &merger->context));
        close_merge(merger);
    }
    return STATUS_OK;
}
