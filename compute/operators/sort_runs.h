/*
 * sort_runs.h — sorted runs of packed rows, in memory or spilled, and merging them.
 *
 * Rows are packed (row_layout.h) with their key string as header and all input columns as fields. A
 * SortBuffer belongs to one worker and becomes a run; SortRuns merges all runs into ordered
 * batches.
 */
#pragma once
#include "compute/exec/operator.h"
#include "compute/exec/spill.h"
#include "compute/operators/sort_key.h"

typedef struct SortEntry {
    uint64_t prefix; /* the first word of the key string */
    const uint8_t *row;
} SortEntry;

/* What all runs of one sort share. */
typedef struct SortShape {
    QueryContext *query;
    MemoryBudget *budget; /* of the rows: all of the grant, unless who sorts can spill them */
    SortKeys keys;
    RowLayout layout;
    uint32_t column_count;
    const Type *types;
} SortShape;
void sort_shape_init(SortShape *shape, QueryContext *query, const PlanSortKey *keys,
                     uint32_t key_count, const Type *types, uint32_t column_count);

typedef struct SortBuffer {
    const SortShape *shape;
    RowStore store;
    SortEntry *entries, *scratch; /* as many as the store has rows, once sorted */
    uint32_t entry_capacity;
    const Vector **vectors; /* per column */
    uint8_t **row_pointers; /* VECTOR_ROWS */
} SortBuffer;

void sort_buffer_init(SortBuffer *buffer, const SortShape *shape, Arena *worker_arena);
void sort_buffer_deinit(SortBuffer *buffer);
/* Packs the selected rows with their keys. 53200: nothing was added. */
Status sort_buffer_add(SortBuffer *buffer, Batch *batch) CHECKED;
/* entries[0 .. store.row_count) in order. Cost: n radix passes on the words that differ. */
void sort_buffer_sort(SortBuffer *buffer);
/* Adds the first `count` sorted rows of `source` to the empty `target`, in order. 53200. */
Status sort_buffer_copy(SortBuffer *target, const SortBuffer *source, uint64_t count) CHECKED;
/* Sorts, writes the rows in order as a new stream of `file`, and empties the buffer. */
Status sort_buffer_spill(SortBuffer *buffer, SpillFile *file) CHECKED;

typedef struct SortRun {
    /* In memory: */
    SortEntry *entries;
    uint32_t entry_capacity;
    uint64_t entry_count, next_entry;
    /* Spilled: a batch at a time, packed again. */
    bool is_spilled;
    SpillReader reader;
    RowStore batch_rows;
    /* Both: the row that is next; null at the end. */
    uint64_t prefix;
    const uint8_t *row;
} SortRun;

typedef struct SortRuns {
    const SortShape *shape;
    Arena *arena;
    const Vector **vectors; /* per column: the batch that is packed */
    Mutex mutex;            /* guards adding runs, and the arena meanwhile */
    RowStore rows;          /* of the runs in memory */
    SortRun *runs;
    uint32_t run_count, run_capacity;
    SpillFile **files;
    uint32_t file_count, file_capacity;
    SortRun **heap; /* runs that have rows, the smallest first */
    uint32_t heap_count;
    SortRun *exhausted; /* its next batch is to be read before the merge goes on */
} SortRuns;

void sort_runs_init(SortRuns *runs, const SortShape *shape, Arena *query_arena);
void sort_runs_deinit(SortRuns *runs);
/* Takes the buffer's sorted rows, and `file` with the runs spilled to it (may be null). Any worker.
 */
Status sort_runs_add(SortRuns *runs, SortBuffer *buffer, SpillFile *owned_file) CHECKED;
/* After all runs were added, by one worker. */
Status sort_runs_start(SortRuns *runs) CHECKED;
/* The next rows in order, at most `row_max`, fewer when a spilled batch has ended; 0 at the end.
 * The rows are valid until the next call. */
Status sort_runs_next(SortRuns *runs, const uint8_t **rows, uint32_t row_max,
                      uint32_t *row_count) CHECKED;
/* Their columns as a batch. */
void sort_runs_gather(const SortRuns *runs, const uint8_t *const *rows, uint32_t row_count,
                      VectorBuffer *buffers, Batch *out);
