/* manifest_internal.h — what the files of the manifest share: manifest.c (reading, opening),
 * manifest_txn.c (outcomes), manifest_deletes.c (deleted rows), manifest_horizon.c (forgetting). */
#pragma once
#include "base/mutex.h"
#include "storage/delete_history.h"
#include "storage/manifest.h"

#define MANIFEST_TABLE_BUCKETS 1024u

typedef struct ManifestEntry {
    StoredRows *rows; /* the table's reference */
    uint64_t created, dropped;
    DeleteHistory *deletes; /* likewise; null: none */
    bool is_merged;         /* dropped because its rows were written anew, or before a restart */
} ManifestEntry;

/* The committed entries of a table, in the order of their commits. A commit costs as much as it
 * changes, however many there are. */
typedef struct ManifestTable {
    uint64_t table_id;
    uint32_t entry_count, entry_capacity;
    ManifestEntry *entries;
    uint64_t garbage_position;  /* a horizon before it finds nothing to forget */
    uint32_t deleter_count;     /* statements that are collecting rows to delete */
    struct ManifestTable *next; /* in the bucket */
} ManifestTable;

/* Rows of an open transaction; the file is open until it was synced. */
typedef struct TxnRows {
    PendingRows pending;
    File *file;
} TxnRows;

typedef struct ManifestTxn {
    uint64_t txn_id;
    bool is_preparing, is_prepared; /* either: others' rows may conflict with these */
    bool may_be_stored; /* its vote failed where the database may have it all the same */
    bool is_told;       /* the database, of the commit */
    bool has_redo;      /* prepared in memory only: the leader keeps its rows */
    bool is_busy;       /* a vote or an outcome is under way: others wait for its end */
    uint32_t row_count, row_capacity;
    TxnRows *rows;
    uint32_t drop_count, drop_capacity;
    PendingDrop *drops; /* sorted by table, rowset */
    uint32_t delete_count, delete_capacity;
    PendingDelete *deletes; /* sorted by table, rowset, statement */
    struct ManifestTxn *next;
} ManifestTxn;

struct Manifest {
    FileSystem *system;
    char *directory;
    uint64_t cluster;
    ManifestStore *store;
    BlockCache *cache;
    MemoryBudget *budget;
    Mutex mutex;          /* guards tables, txns, aborted */
    ManifestTxn *aborted; /* the database, which refused to write, still has them as prepared */
    Condition decided;    /* a transaction is no longer busy */
    ManifestTable *tables[MANIFEST_TABLE_BUCKETS];
    ManifestTxn *txns;
    uint64_t garbage_position; /* the smallest one of the tables */
    _Atomic uint64_t applied;
    atomic_bool has_leftovers; /* a file that no list names may be there */
    uint64_t redone; /* newest position of a transaction with a redo: older ones are known */
};

ManifestTable *manifest_find_table(const Manifest *manifest, uint64_t table_id);
ManifestTable *manifest_make_table(Manifest *manifest, uint64_t table_id);
/* Room for `added` more entries; false when memory is refused. */
bool manifest_table_reserve(ManifestTable *table, uint32_t added);
ManifestTxn *manifest_find_txn(const Manifest *manifest, uint64_t txn_id);
/* Finds or makes; null when memory is refused. */
ManifestTxn *manifest_make_txn(Manifest *manifest, uint64_t txn_id);
/* False when memory is refused. The mutex is held, or nobody else knows the manifest yet. */
bool manifest_txn_add_rows(ManifestTxn *txn, const TxnRows *rows);
/* Of the rowset or of its whole table; null when the transaction keeps it. */
const PendingDrop *manifest_txn_drop_of(const ManifestTxn *txn, uint64_t table_id,
                                        uint64_t rowset_id);
Status manifest_txn_add_drop(ManifestTxn *txn, const PendingDrop *drop) CHECKED;
/* Pins the masks; nothing has changed when memory is refused. */
Status manifest_txn_add_deletes(ManifestTxn *txn, const PendingDelete *deletes,
                                uint32_t delete_count) CHECKED;
/* Forgets deletes of statements from `first_statement` on. */
void manifest_txn_drop_deletes(ManifestTxn *txn, uint32_t first_statement);
/* Those of one rowset: the first, and how many. */
const PendingDelete *manifest_txn_deletes_of(const ManifestTxn *txn, const StoredRows *rows,
                                             uint32_t *count);
/* 40001 when what `txn` deletes or drops meets what others did. The mutex is held. */
Status manifest_check_conflicts(const Manifest *manifest, const ManifestTxn *txn) CHECKED;
/* `*out` = `deletes` and those of `txn` in the same rows as of `position`, a new reference; null
 * when `txn` has none there. False when memory is refused. */
bool manifest_deletes_with(Manifest *manifest, DeleteHistory *deletes, const StoredRows *rows,
                           const ManifestTxn *txn, uint64_t position, DeleteHistory **out);
/* Releases rows without dooming them. */
void manifest_txn_destroy(ManifestTxn *txn);
/* Tells the database of transactions that were undone while it could not write. */
void manifest_finish_aborts(Manifest *manifest);
Status manifest_sync_directories(Manifest *manifest, uint64_t table_id, uint32_t slice) CHECKED;
