/*
 * sort_runs.c — sorted runs and their merge.
 *
 * The merge keeps a binary heap of runs by their next rows; the word prefix decides nearly always.
 * A spilled run is read a batch at a time and packed again, with its keys, into a small store of
 * its own; as rows given out point there, the merge stops when such a batch ends and reads the next
 * one only when it is called again.
 */
#include "compute/operators/sort_runs.h"

#include <string.h>

#include "base/heap.h"
#include "compute/operators/sort_order.h"

enum { ENTRIES_MIN = 1024, RUNS_MIN = 8 };

void sort_shape_init(SortShape *shape, QueryContext *query, const PlanSortKey *keys,
                     uint32_t key_count, const Type *types, uint32_t column_count)
{
    shape->query = query;
    shape->budget = query->budget;
    shape->column_count = column_count;
    shape->types = types;
    sort_keys_init(&shape->keys, query->arena, keys, key_count, types);
    row_layout_init(&shape->layout, query->arena, types, column_count, shape->keys.bytes);
}

void sort_buffer_init(SortBuffer *buffer, const SortShape *shape, Arena *worker_arena)
{
    *buffer = (SortBuffer){.shape = shape};
    row_store_init(&buffer->store, &shape->layout, shape->budget, worker_arena);
    buffer->vectors = ARENA_ARRAY(worker_arena, const Vector *, shape->column_count);
    buffer->row_pointers = ARENA_ARRAY(worker_arena, uint8_t *, VECTOR_ROWS);
}

static void free_entries(SortBuffer *buffer)
{
    MemoryBudget *budget = buffer->shape->budget;
    size_t bytes = buffer->entry_capacity * sizeof(SortEntry);
    if (buffer->entries != NULL) {
        memory_free(budget, buffer->entries, bytes);
    }
    if (buffer->scratch != NULL) {
        memory_free(budget, buffer->scratch, bytes);
    }
    buffer->entries = buffer->scratch = NULL;
    buffer->entry_capacity = 0;
}

void sort_buffer_deinit(SortBuffer *buffer)
{
    if (buffer->shape != NULL) {
        free_entries(buffer);
        row_store_deinit(&buffer->store);
        buffer->shape = NULL;
    }
}

// Entries are made when the rows are sorted; their memory is taken now, while a refusal can still
// be answered by spilling.
static Status entries_reserve(SortBuffer *buffer, uint64_t count)
{
    if (count <= buffer->entry_capacity) {
        return STATUS_OK;
    }
    MemoryBudget *budget = buffer->shape->budget;
    uint64_t capacity = buffer->entry_capacity > 0 ? buffer->entry_capacity * 2u : ENTRIES_MIN;
    capacity = capacity < count ? count : capacity;
    size_t bytes = capacity * sizeof(SortEntry);
    SortEntry *entries = capacity > UINT32_MAX ? NULL : memory_alloc(budget, bytes);
    SortEntry *scratch = entries == NULL ? NULL : memory_alloc(budget, bytes);
    if (scratch == NULL) {
        if (entries != NULL) {
            memory_free(budget, entries, bytes);
        }
        return memory_refused(budget, 2 * bytes, "rows to be sorted");
    }
    free_entries(buffer);
    buffer->entries = entries;
    buffer->scratch = scratch;
    buffer->entry_capacity = (uint32_t)capacity;
    return STATUS_OK;
}

Status sort_buffer_add(SortBuffer *buffer, Batch *batch)
{
    for (uint32_t c = 0; c < buffer->shape->column_count; c++) {
        TRY(batch_column(batch, c, &buffer->vectors[c]));
    }
    TRY(entries_reserve(buffer, buffer->store.row_count + batch->selected_count));
    TRY(row_store_append(&buffer->store, buffer->vectors, batch->selection, batch->selected_count,
                         buffer->row_pointers));
    return sort_keys_write(&buffer->shape->keys, batch, buffer->row_pointers);
}

void sort_buffer_sort(SortBuffer *buffer)
{
    const RowStore *store = &buffer->store;
    size_t row_bytes = store->layout->row_bytes;
    uint64_t count = 0;
    for (uint32_t p = 0; p < store->page_count; p++) {
        const uint8_t *row = store->pages[p].rows;
        for (uint32_t i = 0; i < store->pages[p].row_count; i++, row += row_bytes) {
            buffer->entries[count++] = (SortEntry){.prefix = sort_key_prefix(row), .row = row};
        }
    }
    sort_entries(buffer->shape, buffer->entries, buffer->scratch, count);
}

Status sort_buffer_copy(SortBuffer *target, const SortBuffer *source, uint64_t count)
{
    TRY(entries_reserve(target, count));
    const uint8_t *rows[VECTOR_ROWS];
    for (uint64_t first = 0; first < count; first += VECTOR_ROWS) {
        uint32_t taken = count - first < VECTOR_ROWS ? (uint32_t)(count - first) : VECTOR_ROWS;
        for (uint32_t i = 0; i < taken; i++) {
            rows[i] = source->entries[first + i].row;
        }
        TRY(row_store_copy(&target->store, &source->store, rows, taken));
    }
    return STATUS_OK;
}

// Gathers rows of `store` into a batch of `buffers`.
static void gather_rows(const RowStore *store, const uint8_t *const *rows, uint32_t row_count,
                        VectorBuffer *buffers, Batch *out)
{
    uint32_t column_count = store->layout->field_count;
    for (uint32_t c = 0; c < column_count; c++) {
        row_store_gather(store, c, rows, NULL, row_count, false, &buffers[c], &out->columns[c]);
    }
    out->column_count = column_count;
    out->row_count = out->selected_count = row_count;
    out->selection = NULL;
}

Status sort_buffer_spill(SortBuffer *buffer, SpillFile *file)
{
    const SortShape *shape = buffer->shape;
    uint64_t count = buffer->store.row_count;
    uint32_t stream;
    TRY(spill_file_add_stream(file, &stream));
    sort_buffer_sort(buffer);

    Arena *arena = arena_create(NULL, "sort spill");
    VectorBuffer *buffers = ARENA_ARRAY(arena, VectorBuffer, shape->column_count);
    const uint8_t **rows = ARENA_ARRAY(arena, const uint8_t *, VECTOR_ROWS);
    Batch batch;
    batch_init(&batch, shape->column_count, arena);
    for (uint32_t c = 0; c < shape->column_count; c++) {
        vector_buffer_init(&buffers[c], arena);
    }
    Status status = STATUS_OK;
    for (uint64_t first = 0; first < count && status == STATUS_OK; first += VECTOR_ROWS) {
        uint32_t taken = count - first < VECTOR_ROWS ? (uint32_t)(count - first) : VECTOR_ROWS;
        for (uint32_t i = 0; i < taken; i++) {
            rows[i] = buffer->entries[first + i].row;
        }
        gather_rows(&buffer->store, rows, taken, buffers, &batch);
        status = query_context_check(shape->query);
        if (status == STATUS_OK) {
            status = spill_file_append(file, stream, &batch);
        }
    }
    arena_destroy(arena);
    if (status == STATUS_OK) {
        row_store_clear(&buffer->store);
    }
    return status;
}

void sort_runs_init(SortRuns *runs, const SortShape *shape, Arena *query_arena)
{
    *runs = (SortRuns){.shape = shape, .arena = arena_create(query_arena, "sorted runs")};
    runs->vectors = ARENA_ARRAY(runs->arena, const Vector *, shape->column_count);
    mutex_init(&runs->mutex, MUTEX_RANK_OPERATOR);
    row_store_init(&runs->rows, &shape->layout, shape->budget, runs->arena);
}

void sort_runs_deinit(SortRuns *runs)
{
    if (runs->shape == NULL) {
        return;
    }
    for (uint32_t i = 0; i < runs->run_count; i++) {
        SortRun *run = &runs->runs[i];
        if (run->is_spilled) {
            spill_reader_deinit(&run->reader);
            row_store_deinit(&run->batch_rows);
        } else {
            memory_free(runs->shape->budget, run->entries,
                        run->entry_capacity * sizeof(SortEntry));
        }
    }
    for (uint32_t i = 0; i < runs->file_count; i++) {
        spill_file_destroy(runs->files[i]);
    }
    row_store_deinit(&runs->rows);
    heap_free(runs->runs);
    heap_free(runs->files);
    heap_free(runs->heap);
    mutex_deinit(&runs->mutex);
    arena_destroy(runs->arena);
    runs->shape = NULL;
}

static Status add_run(SortRuns *runs, const SortRun *run)
{
    if (runs->run_count == runs->run_capacity) {
        uint32_t capacity = runs->run_capacity > 0 ? runs->run_capacity * 2 : RUNS_MIN;
        SortRun *list = heap_realloc(runs->runs, capacity * sizeof *list);
        if (list == NULL) {
            return status_error(SQLSTATE_OUT_OF_MEMORY, "out of memory for sorted runs");
        }
        runs->runs = list;
        runs->run_capacity = capacity;
    }
    runs->runs[runs->run_count++] = *run;
    return STATUS_OK;
}

static Status add_file(SortRuns *runs, SpillFile *file)
{
    SpillFile **files = heap_realloc(runs->files, (runs->file_count + 1) * sizeof *files);
    if (files == NULL) {
        spill_file_destroy(file);
        return status_error(SQLSTATE_OUT_OF_MEMORY, "out of memory for sorted runs");
    }
    runs->files = files;
    files[runs->file_count++] = file;
    return STATUS_OK;
}

static Status add_parts(SortRuns *runs, SortBuffer *buffer, SpillFile *file, uint32_t stream_count)
{
    if (file != NULL) {
        TRY(add_file(runs, file));
        for (uint32_t i = 0; i < stream_count; i++) {
            SortRun run = {.is_spilled = true};
            row_store_init(&run.batch_rows, &runs->shape->layout, runs->shape->query->budget,
                           runs->arena);
            spill_reader_init(&run.reader, file, i, runs->shape->types, runs->shape->column_count,
                              runs->shape->query->budget);
            TRY(add_run(runs, &run));
        }
    }
    if (buffer->store.row_count == 0) {
        return STATUS_OK;
    }
    SortRun run = {.entries = buffer->entries,
                   .entry_capacity = buffer->entry_capacity,
                   .entry_count = buffer->store.row_count};
    TRY(row_store_join(&runs->rows, &buffer->store));
    TRY(add_run(runs, &run));
    buffer->entries = NULL; // the run's now
    return STATUS_OK;
}

Status sort_runs_add(SortRuns *runs, SortBuffer *buffer, SpillFile *owned_file)
{
    uint32_t stream_count = 0;
    if (owned_file != NULL) {
        Status status = spill_file_flush(owned_file);
        if (status != STATUS_OK) {
            spill_file_destroy(owned_file);
            return status;
        }
        stream_count = spill_file_stream_count(owned_file);
    }
    mutex_lock(&runs->mutex);
    Status status = add_parts(runs, buffer, owned_file, stream_count);
    mutex_unlock(&runs->mutex);
    return status;
}

// Reads the next batch of a spilled run and packs it.
static Status run_refill(SortRuns *runs, SortRun *run)
{
    const SortShape *shape = runs->shape;
    SharedBatch *shared;
    row_store_clear(&run->batch_rows);
    run->row = NULL;
    run->next_entry = run->entry_count = 0;
    TRY(spill_reader_next(&run->reader, &shared));
    if (shared == NULL) {
        return STATUS_OK;
    }
    const Vector **vectors = runs->vectors;
    uint8_t *row_pointers[VECTOR_ROWS];
    for (uint32_t c = 0; c < shape->column_count; c++) {
        vectors[c] = &shared->batch.columns[c];
    }
    Batch *batch = &shared->batch;
    Status status = row_store_append(&run->batch_rows, vectors, batch->selection,
                                     batch->selected_count, row_pointers);
    if (status == STATUS_OK) {
        status = sort_keys_write(&shape->keys, batch, row_pointers);
    }
    run->entry_count = batch->selected_count;
    shared_batch_unpin(shared);
    for (uint32_t c = 0; c < shape->column_count && status == STATUS_OK; c++) {
        row_bounds_merge(&runs->rows.bounds[c], &run->batch_rows.bounds[c]);
    }
    return status;
}

// Moves on to the run's next row; false when there is none in memory.
static bool run_next(SortRun *run)
{
    if (run->next_entry == run->entry_count) {
        run->row = NULL;
        return false;
    }
    if (run->is_spilled) {
        run->row = row_store_row(&run->batch_rows, run->next_entry);
        run->prefix = sort_key_prefix(run->row);
    } else {
        run->row = run->entries[run->next_entry].row;
        run->prefix = run->entries[run->next_entry].prefix;
    }
    run->next_entry++;
    return true;
}

static bool run_is_before(const SortRuns *runs, const SortRun *left, const SortRun *right)
{
    if (left->prefix != right->prefix) {
        return left->prefix < right->prefix;
    }
    return sort_keys_compare_rows(&runs->shape->keys, &runs->shape->layout, left->row, right->row) <
           0;
}

static void sift_down(SortRuns *runs, uint32_t index)
{
    SortRun **heap = runs->heap;
    for (;;) {
        uint32_t child = 2 * index + 1;
        if (child >= runs->heap_count) {
            return;
        }
        if (child + 1 < runs->heap_count && run_is_before(runs, heap[child + 1], heap[child])) {
            child++;
        }
        if (!run_is_before(runs, heap[child], heap[index])) {
            return;
        }
        SortRun *swap = heap[index];
        heap[index] = heap[child];
        heap[child] = swap;
        index = child;
    }
}

Status sort_runs_start(SortRuns *runs)
{
    runs->heap = heap_alloc((runs->run_count + 1) * sizeof *runs->heap);
    if (runs->heap == NULL) {
        return status_error(SQLSTATE_OUT_OF_MEMORY, "out of memory for sorted runs");
    }
    for (uint32_t i = 0; i < runs->run_count; i++) {
        SortRun *run = &runs->runs[i];
        if (run->is_spilled) {
            TRY(run_refill(runs, run));
        }
        if (run_next(run)) {
            runs->heap[runs->heap_count++] = run;
        }
    }
    for (uint32_t i = runs->heap_count / 2; i > 0; i--) {
        sift_down(runs, i - 1);
    }
    return STATUS_OK;
}

// The run at the top has no row left: a spilled one may have more after a refill.
static void drop_top(SortRuns *runs)
{
    SortRun *run = runs->heap[0];
    runs->heap[0] = runs->heap[--runs->heap_count];
    if (runs->heap_count > 0) {
        sift_down(runs, 0);
    }
    runs->exhausted = run->is_spilled ? run : NULL;
}

// Puts the refilled run back.
static Status reinsert_exhausted(SortRuns *runs)
{
    SortRun *run = runs->exhausted;
    runs->exhausted = NULL;
    TRY(run_refill(runs, run));
    if (!run_next(run)) {
        return STATUS_OK;
    }
    uint32_t index = runs->heap_count++;
    runs->heap[index] = run;
    while (index > 0 && run_is_before(runs, runs->heap[index], runs->heap[(index - 1) / 2])) {
        uint32_t parent = (index - 1) / 2;
        SortRun *swap = runs->heap[index];
        runs->heap[index] = runs->heap[parent];
        runs->heap[parent] = swap;
        index = parent;
    }
    return STATUS_OK;
}

Status sort_runs_next(SortRuns *runs, const uint8_t **rows, uint32_t row_max, uint32_t *row_count)
{
    *row_count = 0;
    if (runs->exhausted != NULL) {
        TRY(reinsert_exhausted(runs));
    }
    uint32_t count = 0;
    while (count < row_max && runs->heap_count > 0 && runs->exhausted == NULL) {
        SortRun *top = runs->heap[0];
        rows[count++] = top->row;
        if (!run_next(top)) {
            drop_top(runs);
        } else if (runs->heap_count > 1) {
            sift_down(runs, 0);
        }
    }
    *row_count = count;
    return STATUS_OK;
}

void sort_runs_gather(const SortRuns *runs, const uint8_t *const *rows, uint32_t row_count,
                      VectorBuffer *buffers, Batch *out)
{
    gather_rows(&runs->rows, rows, row_count, buffers, out);
}
