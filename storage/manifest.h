/*
 * manifest.h — which rowsets and INSERT batches are live on this node, for every snapshot.
 *
 * In memory each table has a list of entries with the positions at which they appeared and went;
 * who reads pins what it saw. A commit costs as much as it changes: an INSERT into a table of
 * 100,000 rowsets adds one entry. Transactions keep their own entries apart until they commit. On
 * disk the same stands in the node's database (manifest_store.h); before PREPARED only the files
 * exist.
 *
 *   add, drop --prepare--> PREPARED --commit at position--> live --dropped, horizon--> gone
 *        \---abort-----------/ \---abort---> gone
 *
 * Invariants: (1) what a snapshot sees never changes, unless the horizon is past it;
 * (2) the applied position only grows; (3) what the database lists exists on disk, whole and
 * durable; (4) the mutex is not held over I/O.
 */
#pragma once
#include "storage/manifest_store.h"
#include "storage/stored_rows.h"
#include "storage/store.h"

typedef struct Manifest Manifest;

/* Reads everything the database lists; removes files it does not. `cluster`: the folded id. */
Status manifest_open(FileSystem *system, const char *directory, uint64_t cluster,
                     ManifestStore *store, BlockCache *cache, MemoryBudget *budget,
                     Manifest **out) CHECKED;
/* A rowset file was given up and may be there: closing removes what no list names. Thread-safe. */
void manifest_note_leftover(Manifest *manifest);
void manifest_close(Manifest *manifest);

/* Where a rowset's file is; `path` has MANIFEST_PATH_BYTES. */
#define MANIFEST_PATH_BYTES 4096
Status manifest_rowset_path(const Manifest *manifest, uint64_t table_id, uint32_t slice,
                            uint64_t rowset_id, char *path) CHECKED;
/* Makes the directory of a table's slice; nothing when it is there. */
Status manifest_make_directory(Manifest *manifest, uint64_t table_id, uint32_t slice) CHECKED;

/* Adds rows a transaction wrote; `owned_file`, when not null, is synced at prepare. Thread-safe. */
Status manifest_add(Manifest *manifest, uint64_t txn_id, uint32_t statement, StoredRows *owned_rows,
                    File *owned_file) CHECKED;
/* Forgets what one statement added to one table: a writer that did not finish. */
Status manifest_forget(Manifest *manifest, uint64_t txn_id, uint32_t statement,
                       uint64_t table_id) CHECKED;
/* Rows that a statement deletes; the masks stay the caller's. 55000 when the transaction is
 * prepared. Thread-safe. */
Status manifest_delete(Manifest *manifest, uint64_t txn_id, const PendingDelete *deletes,
                       uint32_t delete_count) CHECKED;
/* Drops what the snapshot sees, or (is_table) whatever the table has when this commits. */
Status manifest_drop(Manifest *manifest, uint64_t table_id, const Snapshot *snapshot,
                     bool is_table) CHECKED;

/* Drops rowsets whose rows the transaction has written anew. It yields: its prepare is refused with
 * 40001 when anybody else, prepared or not, has dropped them or deletes rows of the table. */
Status manifest_drop_merged(Manifest *manifest, uint64_t table_id, const Snapshot *snapshot,
                            const uint64_t *rowset_ids, uint32_t count) CHECKED;
/* A statement that will delete rows of the table is under way, or has ended: merges make room. */
Status manifest_begin_delete(Manifest *manifest, uint64_t table_id) CHECKED;
void manifest_end_delete(Manifest *manifest, uint64_t table_id);

/* 40001 as store_prepare says. */
Status manifest_prepare(Manifest *manifest, uint64_t txn_id) CHECKED;
/* The same; when the transaction has only added little, nothing is written and `redo` gets what
 * manifest_redo needs. */
Status manifest_vote(Manifest *manifest, uint64_t txn_id, ByteBuffer *redo) CHECKED;
/* Whether the transaction has written anything here. */
bool manifest_has_txn(Manifest *manifest, uint64_t txn_id);
Status manifest_commit(Manifest *manifest, uint64_t txn_id, uint64_t position) CHECKED;
/* Commits a transaction that has a redo, from that when this process does not know it. Such
 * transactions must come in the order of their positions; known ones may come again. XX001. */
Status manifest_redo(Manifest *manifest, uint64_t txn_id, uint64_t position, const uint8_t *redo,
                     size_t redo_bytes) CHECKED;
Status manifest_abort(Manifest *manifest, uint64_t txn_id) CHECKED;
Status manifest_rollback_statements(Manifest *manifest, uint64_t txn_id,
                                    uint32_t statement) CHECKED;
Status manifest_abort_unprepared(Manifest *manifest, uint64_t txn_id) CHECKED;
uint32_t manifest_prepared(Manifest *manifest, uint64_t *txn_ids, uint32_t max);
void manifest_advance(Manifest *manifest, uint64_t position);
uint64_t manifest_applied(const Manifest *manifest);
/* Forgets entries dropped at or before `position`, and delete masks that no reader at or after it
 * needs. */
Status manifest_set_horizon(Manifest *manifest, uint64_t position) CHECKED;

/* An entry that a snapshot sees, less the rows it sees deleted. */
typedef struct VisibleRows {
    StoredRows *rows;
    DeleteMask *deleted; /* null: none */
} VisibleRows;
/* What a snapshot sees of a table, in the order of rowset ids; each is pinned for the caller. */
Status manifest_visible(Manifest *manifest, uint64_t table_id, const Snapshot *snapshot,
                        Arena *arena, VisibleRows **out, uint32_t *count) CHECKED;
void manifest_unpin_visible(VisibleRows *visible, uint32_t count);
