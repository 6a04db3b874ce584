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

enum { SCAN_SUMMARY_COUNT = 1, SCAN_SUMMARY_SUM = 2, SCAN_SUMMARY_MIN = 4, SCAN_SUMMARY_MAX = 8 };

/* One column in the row groups that were not read; what was not asked for has no meaning. */
typedef struct ScanSummary {
    uint64_t present_rows; /* that are not NULL */
    Int128 sum;
    bool has_range;
    Value min, max; /* text: as long as the scan */
} ScanSummary;

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
    const uint8_t *summaries; /* per column SCAN_SUMMARY_* that are asked for, 0: nothing but its
                               * predicates; null: rows are read. Row groups whose zone maps tell
                               * all of it are not read: table_scan_summary has them. No predicates
                               * may be added and no evaluator used */
    bool is_counting; /* nobody looks at the batches' columns: without an evaluator they are rows
                       * that are all alive, with columns of no meaning */
    bool may_mask;    /* batches may have rows in their mask alone (batch_is_masked), which is done
                       * when nearly all are alive: listing them would cost as much as a sum */
} ScanRequest;

/* Pins the rows that the snapshot sees. */
Status table_scan_open(const ScanRequest *request, Arena *arena, TableScan **out) CHECKED;
void table_scan_close(TableScan *scan);
/* Adds a predicate that became known later (a runtime filter); thread-safe; seen from the next
 * morsel on. The predicate must outlive the scan. */
void table_scan_add_predicate(TableScan *scan, const ScanPredicate *predicate);
/* After opening: the rows of row groups answered by zone maps, and what is known of them by column
 * of the request. */
uint64_t table_scan_summary(const TableScan *scan, const ScanSummary **columns);
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
    uint64_t row_groups_summarized;               /* answered from zone maps */
    uint64_t blocks_read;      /* whose values were needed, wherever they came from */
    uint64_t blocks_from_disk; /* those of them for which the disk was asked: neighbours
                                * come along with them */
    uint64_t blocks_skipped;   /* of the requested columns, not read */
    uint64_t bytes_read;       /* from disk */
} ScanStatistics;
void table_scan_statistics(const TableScan *scan, ScanStatistics *out); /* summed over locals */
