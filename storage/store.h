/*
 * store.h — everything one node keeps at rest: its slices, their tables, its manifest.
 *
 * Layout below the node's directory:
 *   node.db                        SQLite: manifest, prepared and applied transactions, INSERT
 *                                  batches, settings of the node (cluster, node, slices)
 *   tables/<table>/<slice>/<rowset>.rows
 * A rowset file is written once under a transaction, synced, then listed; files in no list are
 * garbage, removed at open and in the background. The leader alone decides outcomes: prepared
 * transactions of unknown outcome stay prepared until told.
 *
 * Invariants: (1) store_prepare returns success only when every file of the transaction and the
 * PREPARED row are durable; (2) applying a commit or an abort twice is harmless; (3) a scan pins
 * one immutable manifest version; (4) positions applied only grow.
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
    size_t cache_bytes; /* of encoded blocks */
    bool is_expected;   /* the node was here before: so must be its database */
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
/* Durable and visible on return. */
Status store_commit(Store *store, uint64_t txn_id, uint64_t position) CHECKED;
Status store_abort(Store *store, uint64_t txn_id) CHECKED;
/* ROLLBACK TO and failed statements: forgets what `txn_id` wrote in statements >= `statement`. */
Status store_rollback_statements(Store *store, uint64_t txn_id, uint32_t statement) CHECKED;
uint64_t store_applied_position(const Store *store);
/* A position without changes here: readers at it need not wait. Durable only with the next
 * commit. */
void store_advance(Store *store, uint64_t position);
/* Transactions that are prepared and of unknown outcome; returns how many, at most `max`. */
uint32_t store_prepared(Store *store, uint64_t *txn_ids, uint32_t max);
/* Aborts everything unprepared, and forgets temporary state, of transactions below `txn_id`. */
Status store_abort_unprepared(Store *store, uint64_t txn_id) CHECKED;
/* The oldest position anyone may still read: older dropped rowsets are unlinked. */
void store_set_horizon(Store *store, uint64_t position);

/*
 * Writing: one TableWriter per statement and table on a node; each worker has a TableWriterLocal.
 * Rows are full table rows in the table's column order; the writer routes them to slices by
 * bucket (KEY), keeps them in this writer's slice in turn (EVEN), or in the replica slice (ALL).
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
/* Writes what is left; the local is gone afterwards, also on failure. */
Status table_writer_local_finish(TableWriterLocal *owned_local) CHECKED;
/* Gives up what the local still holds: the statement has failed. */
void table_writer_local_abandon(TableWriterLocal *owned_local);
/* After all locals: sorts, merges, seals. Small results are kept as INSERT batches. */
Status table_writer_finish(TableWriter *writer) CHECKED;
uint64_t table_writer_row_count(const TableWriter *writer);
/* Sketches of all columns and a sample of the rows written, encoded for the leader. */
void table_writer_statistics(const TableWriter *writer, ByteBuffer *target);
/* Unfinished writers leave nothing behind. */
void table_writer_destroy(TableWriter *writer);

/* Drops all rows of a table as `txn_id` sees them (TRUNCATE), or the table itself. */
Status store_truncate_table(Store *store, uint64_t table_id, const Snapshot *snapshot) CHECKED;
Status store_drop_table(Store *store, uint64_t table_id, const Snapshot *snapshot) CHECKED;
/* Rows, bytes on disk, blocks of a table at a snapshot, by slice: for system tables. */
typedef struct TableUsage {
    uint32_t slice;
    uint64_t rows, bytes, rowsets, insert_batches;
} TableUsage;
Status store_table_usage(Store *store, uint64_t table_id, const Snapshot *snapshot, Arena *arena,
                         TableUsage **out, uint32_t *count) CHECKED;
