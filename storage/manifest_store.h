/*
 * manifest_store.h — the node's database: settings, slices, leases, rowsets, prepared transactions.
 *
 * Thread-safe. Each change is durable on return, those of several threads together by one sync;
 * only outcomes need not be: whoever prepared asks the leader again after a crash.
 */
#pragma once
#include "base/metadata_store.h"
#include "storage/delete_codec.h"
#include "storage/stored_rows.h"
#include "storage/store.h"

typedef struct ManifestStore ManifestStore;

Status manifest_store_open(FileSystem *system, const char *directory, ManifestStore **out) CHECKED;
/* As metadata_store_limit_log; before other threads use the store. */
Status manifest_store_limit_log(ManifestStore *store, uint64_t bytes) CHECKED;
void manifest_store_rest(ManifestStore *store); /* metadata_store_rest; any thread */
/* To look at it: nothing is written. */
Status manifest_store_open_read(FileSystem *system, const char *directory,
                                ManifestStore **out) CHECKED;
void manifest_store_close(ManifestStore *store);

/* The database's own consistency; XX001. */
Status manifest_store_verify(ManifestStore *store) CHECKED;

/* Settings: `*value` is untouched and `*is_found` false when there is none. */
Status manifest_store_get(ManifestStore *store, const char *name, int64_t *value,
                          bool *is_found) CHECKED;
Status manifest_store_set(ManifestStore *store, const char *name, int64_t value) CHECKED;

Status manifest_store_set_slices(ManifestStore *store, uint64_t map_epoch, const SliceRange *slices,
                                 uint32_t slice_count) CHECKED;
Status manifest_store_load_slices(ManifestStore *store, Arena *arena, SliceRange **slices,
                                  uint32_t *slice_count) CHECKED;

/* Leased ranges of rowset ids: what is before `next_id` may have been used. */
typedef struct LeaseRange {
    uint64_t first_id, next_id, end_id;
} LeaseRange;
Status manifest_store_set_lease(ManifestStore *store, const LeaseRange *lease) CHECKED;
Status manifest_store_load_leases(ManifestStore *store, Arena *arena, LeaseRange **leases,
                                  uint32_t *lease_count) CHECKED;

/* A change of a transaction. */
typedef struct PendingRows {
    StoredRows *rows;
    uint32_t statement;
} PendingRows;
typedef struct PendingDrop {
    uint64_t table_id, rowset_id; /* 0: the whole table */
    uint64_t position;            /* of the statement's snapshot; not stored */
    uint32_t statement;
    bool is_merge; /* its rows were rewritten: they are in a rowset of the same transaction */
} PendingDrop;
typedef struct PendingDelete {
    uint64_t table_id, rowset_id;
    DeleteMask *rows;
    uint32_t statement;
} PendingDelete;
typedef struct PrepareChange {
    uint64_t txn_id, cluster;
    const PendingRows *rows;
    uint32_t row_count;
    const PendingDrop *drops;
    uint32_t drop_count;
    const PendingDelete *deletes;
    uint32_t delete_count;
} PrepareChange;
/* `*may_be_stored`: it failed where the database may have it all the same; only an abort tells. */
Status manifest_store_prepare(ManifestStore *store, const PrepareChange *change,
                              bool *may_be_stored) CHECKED;
typedef struct CommitChange {
    uint64_t txn_id, position;
    bool has_drops, has_deletes;
    const PendingRows *rows; /* of a transaction that was not prepared here: it has a redo */
    uint32_t row_count;
} CommitChange;
#define MANIFEST_REDONE "redone" /* setting: newest position of such a transaction */
/* Written with the next change, or by manifest_store_write_outcomes; not durable on return. The
 * rows are pinned until then. */
Status manifest_store_commit(ManifestStore *store, const CommitChange *change) CHECKED;
Status manifest_store_write_outcomes(ManifestStore *store) CHECKED;
Status manifest_store_abort(ManifestStore *store, uint64_t txn_id) CHECKED;
/* Deletes what was dropped at or before `position`, and the delete masks of these rowsets. */
Status manifest_store_forget(ManifestStore *store, uint64_t position) CHECKED;

/* Merges the deletes of one rowset that were committed at or before `position` into one mask. */
typedef struct DeleteFold {
    uint64_t cluster, table_id, rowset_id, position;
    MemoryBudget *budget;
} DeleteFold;
Status manifest_store_fold_deletes(ManifestStore *store, const DeleteFold *fold) CHECKED;

#define POSITION_NEVER UINT64_MAX
/* Deleted rows as they are stored: one transaction's, or (txn_id 0) several folded into one. */
typedef struct StoredDeletes {
    uint64_t table_id, rowset_id, txn_id;
    uint32_t statement;
    uint64_t position; /* POSITION_NEVER: prepared */
    const void *bytes; /* delete_codec.h; until the visitor returns */
    size_t byte_count;
} StoredDeletes;

/* Calls the visitors for all that is listed; pending rows have `created` POSITION_NEVER. Deletes
 * come after the rows. */
typedef struct ManifestVisitor {
    void *object;
    Status (*rows)(void *object, const StoredRows *facts, const void *bytes, uint64_t created,
                   uint64_t dropped, uint64_t txn_id, uint32_t statement);
    Status (*prepared)(void *object, uint64_t txn_id);
    Status (*drop)(void *object, uint64_t txn_id, const PendingDrop *drop);
    Status (*deletes)(void *object, const StoredDeletes *deletes);
} ManifestVisitor;
Status manifest_store_load(ManifestStore *store, const ManifestVisitor *visitor) CHECKED;
