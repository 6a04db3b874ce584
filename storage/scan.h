/*
 * scan.h — reading a table on one node: prune by zone map, filter on encoded data, decode what is
 * left, yield batches.
 *
 * Order per row group: zone maps -> predicates on encoded vectors (cheapest first; none of a vector
 * that is wholly deleted) -> delete mask -> evaluator for conditions that are no predicate -> lazy
 * vectors for the remaining columns. A morsel is a row group (or a part of one, or an INSERT
 * batch); morsels are claimed by workers.
 */
#pragma once
#include "base/vector/predicate.h"
#include "storage/store.h"

typedef struct TableScan TableScan;
typedef struct TableScanLocal TableScanLocal;

typedef struct ScanPredicate {
    uint32_t column;            /* index into the request's columns */
    const Predicate *predicate; /* lives as long as the scan */
} ScanPredicate;

/* Any other condition: handed down by the engine, one object per worker.
 * `filter` narrows `batch`'s selection in place; columns are lazy. */
typedef struct ScanEvaluator {
    Status (*filter)(struct ScanEvaluator *self, Batch *batch);
} ScanEvaluator;

typedef struct ScanRequest {
    Store *store;
    const PlanTable *table;
    Snapshot snapshot;
    uint32_t column_count;
    const uint32_t *columns; /* indexes into table->columns */
    uint32_t predicate_count;
    const ScanPredicate *predicates;
    uint32_t batch_rows; /* at most VECTOR_ROWS */
    MemoryBudget *budget;
    bool has_exclusive_replica; /* ALL table read by one node only: set on that node */
    bool has_row_ids; /* batches have two columns more: row id (BIGINT, format.h) and the node's
                       * number (INTEGER, constant) */
    bool is_counting; /* nobody looks at the batches' columns: without an evaluator they are rows
                       * that are all alive, with columns of no meaning */
} ScanRequest;

/* Pins the rows that the snapshot sees. */
Status table_scan_open(const ScanRequest *request, Arena *arena, TableScan **out) CHECKED;
void table_scan_close(TableScan *scan);
/* Adds a predicate that became known later (a runtime filter); thread-safe; seen from the next
 * morsel on. The predicate must outlive the scan. */
void table_scan_add_predicate(TableScan *scan, const ScanPredicate *predicate);
uint64_t table_scan_row_estimate(const TableScan *scan);
uint32_t table_scan_morsel_count(const TableScan *scan); /* how many workers are worth waking */

Status table_scan_local_create(TableScan *scan, ScanEvaluator *evaluator, Arena *arena,
                               TableScanLocal **out) CHECKED;
/* The next batch of this worker, claiming morsels as needed; `*is_done` when none is left (then the
 * batch is empty). The batch and what it points to live until the next call. */
Status table_scan_next(TableScanLocal *local, Batch *out, bool *is_done) CHECKED;
void table_scan_local_destroy(TableScanLocal *local);

typedef struct ScanStatistics {
    uint64_t rows_seen, rows_out;
    uint64_t row_groups_read, row_groups_skipped; /* by zone map or runtime filter */
    uint64_t blocks_read, blocks_skipped, blocks_cached, bytes_read;
} ScanStatistics;
void table_scan_statistics(const TableScan *scan, ScanStatistics *out); /* summed over locals */
