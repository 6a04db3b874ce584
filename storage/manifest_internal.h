/* manifest_internal.h — what the files of the manifest share: manifest.c (reading, opening),
 * manifest_txn.c (outcomes), manifest_deletes.c (deleted rows), manifest_horizon.c (forgetting). */
#pragma once
#include "base/mutex.h"
#include "storage/delete_history.h"
#include "storage/manifest.h"

#define MANIFEST_TABLE_BUCKETS 1024u

typedef struct ManifestEntry {
    StoredRows *rows; /* the version's reference */
    uint64_t created, dropped;
    DeleteHistory *deletes; /* likewise; null: none */
    bool is_merged;         /* dropped because its rows were written anew, or before a restart */
} ManifestEntry;

/* The committed entries of a table; immutable once published. */
typedef struct TableVersion {
    _Atomic uint32_t reference_count;
    uint32_t entry_count;
    ManifestEntry entries[];
} TableVersion;
TableVersion *table_version_copy(const TableVersion *source, uint32_t added);
void table_version_unpin(TableVersion *version);

typedef struct ManifestTable {
    uint64_t table_id;
    TableVersion *version;
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
    bool is_busy;       /* a vote or an outcome is under way: others wait for its end */
    uint32_t row_count, row_capacity;
    TxnRows *rows;
    uint32_t drop_count, drop_capacity;
    PendingDrop *drops;
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
    Mutex mutex;          /* guards tables, versions' publication, txns, aborted */
    ManifestTxn *aborted; /* the database, which refused to write, still has them as prepared */
    Condition decided;    /* a transaction is no longer busy */
    ManifestTable *tables[MANIFEST_TABLE_BUCKETS];
    ManifestTxn *txns;
    _Atomic uint64_t applied;
};

ManifestTable *manifest_find_table(const Manifest *manifest, uint64_t table_id);
ManifestTable *manifest_make_table(Manifest *manifest, uint64_t table_id);
ManifestTxn *manifest_find_txn(const Manifest *manifest, uint64_t txn_id);
/* Finds or makes; null when memory is refused. */
ManifestTxn *manifest_make_txn(Manifest *manifest, uint64_t txn_id);
/* False when memory is refused. The mutex is held, or nobody else knows the manifest yet. */
bool manifest_txn_add_rows(ManifestTxn *txn, const TxnRows *rows);
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
/* Gives the entry the deletes of `txn` as of `position`; false when memory is refused. */
bool manifest_entry_delete(Manifest *manifest, ManifestEntry *entry, const ManifestTxn *txn,
                           uint64_t position);
/* Releases rows without dooming them. */
void manifest_txn_destroy(ManifestTxn *txn);
/* Tells the database of transactions that were undone while it could not write. */
void manifest_finish_aborts(Manifest *manifest);
Status manifest_sync_directories(Manifest *manifest, uint64_t table_id, uint32_t slice) CHECKED;
