/* manifest_internal.h — what manifest.c and manifest_txn.c share. */
#pragma once
#include "base/mutex.h"
#include "storage/manifest.h"

#define MANIFEST_TABLE_BUCKETS 1024u

typedef struct ManifestEntry {
    StoredRows *rows; /* the version's reference */
    uint64_t created, dropped;
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
    struct ManifestTable *next; /* in the bucket */
} ManifestTable;

/* Rows of an open transaction; the file is open until it was synced. */
typedef struct TxnRows {
    PendingRows pending;
    File *file;
} TxnRows;

typedef struct ManifestTxn {
    uint64_t txn_id;
    bool is_prepared;
    bool is_busy; /* a vote or an outcome is under way: others wait for its end */
    uint32_t row_count, row_capacity;
    TxnRows *rows;
    uint32_t drop_count, drop_capacity;
    PendingDrop *drops;
    struct ManifestTxn *next;
} ManifestTxn;

struct Manifest {
    FileSystem *system;
    char *directory;
    uint64_t cluster;
    ManifestStore *store;
    BlockCache *cache;
    MemoryBudget *budget;
    Mutex mutex;       /* guards tables, versions' publication, txns */
    Condition decided; /* a transaction is no longer busy */
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
/* Releases rows without dooming them. */
void manifest_txn_destroy(ManifestTxn *txn);
Status manifest_sync_directories(Manifest *manifest, uint64_t table_id, uint32_t slice) CHECKED;
