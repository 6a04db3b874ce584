/*
 * store.h — everything one node keeps at rest: its slices, their tables, its manifest.
 *
 * Layout below the node's directory:
 *   node.db                        SQLite: manifest, prepared and applied transactions, INSERT
 *                                  batches, settings of the node (cluster, node, slices)
 *   tables/<table>/<slice>/<rowset>.rows
 * A rowset file is written once under a transaction, synced, then listed; files in no list are
 * garbage, removed at open. The leader alone decides outcomes: prepared transactions of unknown
 * outcome stay prepared until told.
 *
 * Invariants: (1) store_prepare returns success only when every file of the transaction and the
 * PREPARED row are durable; (2) applying a commit or an abort twice is harmless; (3) a scan pins
 * the rows its snapshot sees; (4) positions applied only grow.
 */
#pragma once
#include "base/host.h"
#include "base/vector/column_sketch.h"
#include "planner/plan/plan.h"
#include "planner/plan/snapshot.h"

typedef struct Store Store;

#define CLUSTER_ID_BYTES 16

typedef struct StoreOptions {
    Host *host;
    MemoryBudget *budget; /* the node's */
    const char *directory;
    uint32_t node_id; /* from 1 */
    uint8_t cluster_id[CLUSTER_ID_BYTES];
    size_t cache_bytes;          /* of encoded blocks */
    bool is_expected;            /* the node was here before: so must be its database */
    uint64_t disk_reserve_bytes; /* free space below which nobody writes rows; 0: none */
    uint64_t metadata_log_bytes; /* of the database's write-ahead log; 0: the default */
} StoreOptions;

/* Opens or creates; removes garbage; 55000 when the directory belongs to another cluster or
 * node; XX001 when what is expected is not there, or damaged. */
Status store_open(const StoreOptions *options, Store **out) CHECKED;
void store_close(Store *store);

/* Slices this node owns: contiguous bucket ranges, told by the leader before anything else. */
typedef struct SliceRange {
    uint32_t slice;
    uint16_t first_bucket, last_bucket;
} SliceRange;
Status store_set_slices(Store *store, uint64_t map_epoch, const SliceRange *slices,
                        uint32_t slice_count) CHECKED;
/* Rowset ids are unique in the cluster: the leader leases ranges. 55000 when none is left. */
Status store_lease_rowsets(Store *store, uint64_t first_id, uint64_t id_count) CHECKED;
uint64_t store_leased_rowsets(const Store *store); /* ids left */

/* Outcomes. `position` is the commit's place in the leader's log. */
Status store_prepare(Store *store, uint64_t txn_id) CHECKED;
/* The same; what has only added little is not made durable: `redo` then gets what store_redo needs
 * to write it again, and stays empty otherwise. */
Status store_vote(Store *store, uint64_t txn_id, ByteBuffer *redo) CHECKED;
/* Visible on return; durable with the next vote, or by store_write_outcomes. Until then the
 * transaction is prepared again after a crash, and the leader is asked again. */
Status store_commit(Store *store, uint64_t txn_id, uint64_t position) CHECKED;
/* The same for a transaction that voted with a redo, whether this process knows it or not. In the
 * order of positions; again is harmless. XX001. */
Status store_redo(Store *store, uint64_t txn_id, uint64_t position, const uint8_t *redo,
                  size_t redo_bytes) CHECKED;
Status store_write_outcomes(Store *store) CHECKED;
/* Whether the transaction has written anything here. */
bool store_has_writes(Store *store, uint64_t txn_id);
Status store_abort(Store *store, uint64_t txn_id) CHECKED;
/* ROLLBACK TO and failed statements: forgets what `txn_id` wrote in statements >= `statement`. */
Status store_rollback_statements(Store *store, uint64_t txn_id, uint32_t statement) CHECKED;
uint64_t store_applied_position(const Store *store);
/* A position without changes here: readers at it need not wait. Durable only with the next
 * commit. */
void store_advance(Store *store, uint64_t position);
/* Transactions that are prepared and of unknown outcome; returns how many, at most `max`. */
uint32_t store_prepared(Store *store, uint64_t *txn_ids, uint32_t max);
/* Aborts whatever is unprepared of transactions below `txn_id`. */
Status store_abort_unprepared(Store *store, uint64_t txn_id) CHECKED;
/* The oldest position anyone may still read: rowsets dropped at or before it are unlinked once no
 * scan holds them, older delete masks merged. Deletes cost memory and rows of the database until it
 * moves on. */
void store_set_horizon(Store *store, uint64_t position);
/* For a node with nothing to do: its database gives back what its log takes of the disk. */
void store_rest(Store *store);

/*
 * Writing: one TableWriter per statement and table on a node; each worker has a TableWriterLocal.
 * Rows are full table rows in the table's column order; the writer routes them to slices by
 * bucket (KEY), keeps them in the worker's slice, the next one when a rowset is full (EVEN), or in
 * the replica slice (ALL).
 */
typedef struct TableWriter TableWriter;
typedef struct TableWriterLocal TableWriterLocal;
typedef struct TableWriteOptions {
    Store *store;
    const PlanTable *table;
    uint64_t txn_id;
    uint32_t statement;
    uint32_t row_group_rows;
    MemoryBudget *budget; /* the statement's */
    const bool *is_canceled;
} TableWriteOptions;
Status table_writer_create(const TableWriteOptions *options, TableWriter **out) CHECKED;
/* By any thread. */
Status table_writer_local_create(TableWriter *writer, TableWriterLocal **out) CHECKED;
/* Encodes full row groups as they fill. 23502 names the column of a NULL where none is allowed. */
Status table_writer_append(TableWriterLocal *local, Batch *batch) CHECKED;
/* Writes what is left, or leaves it to table_writer_finish to be gathered with what other locals
 * left; the local is gone afterwards, also on failure. */
Status table_writer_local_finish(TableWriterLocal *owned_local) CHECKED;
/* Gives up what the local still holds: the statement has failed. */
void table_writer_local_abandon(TableWriterLocal *owned_local);
/* After all locals: what they left becomes one rowset per slice, or an INSERT batch when it is
 * small. */
Status table_writer_finish(TableWriter *writer) CHECKED;
uint64_t table_writer_row_count(const TableWriter *writer);
/* Sketches of all columns and a sample of the rows written, encoded for the leader. */
void table_writer_statistics(const TableWriter *writer, ByteBuffer *target);
/* Unfinished writers leave nothing behind. */
void table_writer_destroy(TableWriter *writer);

/*
 * Deleting: one TableDeleter per statement and table on a node. Row ids are those a scan with
 * has_row_ids gave for the same snapshot. A deleted row is gone for later statements of the
 * transaction at once, for others when it commits.
 *
 * Conflicts: first committer wins, on rows. store_prepare answers 40001 (Redshift's 1023) when a
 * row it deletes has been deleted, or its rowset dropped, by a transaction that committed after
 * this one's snapshot, or by one that is prepared and of unknown outcome. Likewise when it drops a
 * rowset that lost rows since; two that drop the same rowset do not conflict.
 */
typedef struct TableDeleter TableDeleter;
typedef struct TableDeleteOptions {
    Store *store;
    const PlanTable *table;
    Snapshot snapshot; /* position, txn_id, statement */
    MemoryBudget *budget;
} TableDeleteOptions;
Status table_deleter_create(const TableDeleteOptions *options, TableDeleter **out) CHECKED;
/* Thread-safe. XX000 for an id of no visible rowset. */
Status table_deleter_add(TableDeleter *deleter, const int64_t *row_ids, uint32_t count) CHECKED;
/* Once, after all adds. The rows go with the transaction; `*row_count`: those that were visible,
 * each counted once. 55000 when the transaction is prepared. */
Status table_deleter_finish(TableDeleter *deleter, uint64_t *row_count) CHECKED;
void table_deleter_destroy(TableDeleter *deleter); /* unfinished: nothing is deleted */

/*
 * Merging: VACUUM, and what a node does when it is idle. Rowsets that overlap by the sort key, are
 * small, or have many deleted rows are written anew, in order, without the deleted rows; the same
 * transaction drops the old ones. Older snapshots go on reading those. Memory is bounded: rowsets
 * are read as runs, a vector of each at a time.
 *
 * A merge yields to everybody who changes its rowsets: its store_prepare answers 40001 when rows of
 * them were deleted, or they were dropped, since its snapshot, by a transaction whatever its state;
 * it may then be tried again. Deletes and TRUNCATE that began before a merge and come after its
 * commit are refused as above.
 */
typedef struct TableMerger TableMerger;
typedef struct TableMergeOptions {
    Store *store;
    const PlanTable *table;
    Snapshot snapshot; /* position, txn_id, statement */
    uint32_t row_group_rows;
    VacuumMode mode;
    uint32_t percent;       /* as PlanTableVacuum says */
    uint64_t idle_rows_max; /* VACUUM_IDLE: rows that one merge reads at most */
    uint32_t ratio, runs_max, deleted_percent; /* as the settings merge_… say */
    MemoryBudget *budget;
    const bool *is_canceled;
} TableMergeOptions;
/* Chooses what is to be merged, by slice. */
Status table_merger_create(const TableMergeOptions *options, TableMerger **out) CHECKED;
/* Merges some thousand rows; at the end (`*is_done`) the new rowsets and the drop of the old ones
 * are the transaction's. */
Status table_merger_step(TableMerger *merger, bool *is_done) CHECKED;
uint64_t table_merger_row_count(const TableMerger *merger); /* of the rowsets taken so far */
/* Unfinished mergers leave nothing behind. */
void table_merger_destroy(TableMerger *merger); /* null is allowed */

/* Drops all rows of a table as `txn_id` sees them (TRUNCATE), or the table itself. */
Status store_truncate_table(Store *store, uint64_t table_id, const Snapshot *snapshot) CHECKED;
Status store_drop_table(Store *store, uint64_t table_id, const Snapshot *snapshot) CHECKED;
/* Rows (less the deleted ones), bytes on disk, rowsets of a table at a snapshot, by slice: for
 * system tables. */
typedef struct TableUsage {
    uint32_t slice;
    uint64_t rows, bytes, rowsets, insert_batches;
} TableUsage;
Status store_table_usage(Store *store, uint64_t table_id, const Snapshot *snapshot, Arena *arena,
                         TableUsage **out, uint32_t *count) CHECKED;
