/*
 * stored_rows.h — one entry of the manifest: a rowset file, or the encoded batches of a small
 * INSERT.
 *
 * Counted and immutable. A doomed entry's file is removed with its last reference: scans that began
 * before the rows were dropped finish undisturbed.
 */
#pragma once
#include "storage/block_cache.h"

typedef enum RowsKind {
    ROWS_FILE = 1, /* stored in the node's database: never renumber */
    ROWS_BATCH = 2
} RowsKind;

#define REPLICA_SLICE UINT32_MAX /* holds ALL tables, outside the bucket map */

typedef struct StoredRows {
    RowsKind kind;
    uint64_t rowset_id, table_id;
    uint32_t slice;
    uint16_t first_bucket, last_bucket;
    uint64_t row_count, byte_count;
    uint64_t footer_checksum; /* FILE */
    Rowset *rowset;           /* FILE */
    uint8_t *bytes;           /* BATCH: pool memory */
    MemoryBudget *budget;     /* pays for `bytes` */
    BlockCache *cache;
    _Atomic uint32_t reference_count;
    atomic_bool is_doomed;
} StoredRows;

/* One reference, the caller's. FILE: also makes the Rowset at `path`. BATCH: copies `bytes`. */
Status stored_rows_create(const StoredRows *facts, const void *bytes, FileSystem *system,
                          const char *path, uint64_t cluster, StoredRows **out) CHECKED;
StoredRows *stored_rows_pin(StoredRows *rows);
void stored_rows_unpin(StoredRows *rows); /* null is allowed */
/* The file goes with the last reference. */
void stored_rows_doom(StoredRows *rows);
