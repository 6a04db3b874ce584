/*
 * merge_run.h — one run of a merge: rows of rowsets that follow each other, a piece at a time.
 *
 * Invariants: (1) at most one vector of rows is held, and one block per column pinned; of an INSERT
 * batch, which is sorted here, all rows; (2) deleted rows do not come; (3) what a piece points to
 * lives until the next fill.
 */
#pragma once
#include "storage/row_buffer.h"
#include "storage/scan_internal.h"

typedef struct MergeSource {
    const VisibleRows *rows;
    bool is_unordered; /* an INSERT batch of a table with a sort key */
} MergeSource;

typedef struct MergeRun {
    const ScanRequest *request; /* all columns of the table */
    const MergeSource *sources; /* in the order of reading */
    uint32_t source_count, next_source;
    Arena *arena; /* of the scan that is open */
    TableScan *scan;
    TableScanLocal *local;
    RowBuffer *rows;
    uint32_t *order;     /* of `rows`, when they had to be sorted; else null */
    ColumnChunk *chunks; /* of `rows`, per column */
    uint32_t position, row_count;
} MergeRun;

/* `arena` keeps what lives as long as the run. */
Status merge_run_open(MergeRun *run, const ScanRequest *request, const MergeSource *sources,
                      uint32_t source_count, Arena *arena) CHECKED;
void merge_run_close(MergeRun *run);
/* The next rows; row_count is 0 at the end of the run. */
Status merge_run_fill(MergeRun *run) CHECKED;
/* The next rows as they are stored, without a piece: for runs that are merged with no other.
 * `*is_done` at the end. */
Status merge_run_next_batch(MergeRun *run, Batch *out, bool *is_done) CHECKED;

static inline uint32_t merge_run_row(const MergeRun *run)
{
    return run->order == NULL ? run->position : run->order[run->position];
}

/* The rows two runs are at, by the table's sort key; nulls come last. */
int merge_run_compare(const MergeRun *left, const MergeRun *right);
