/*
 * rowset_reader.h — a sealed rowset: its footer, read at first need and kept, and its file.
 *
 * Invariants: (1) a loaded footer is immutable and lives as long as the rowset; (2) several threads
 * may load and read at once; (3) nothing of a footer is trusted before it was checked.
 */
#pragma once
#include <stdatomic.h>
#include "base/byte_reader.h"
#include "storage/block.h"
#include "storage/column_file.h"

/* Where a rowset is and what it must be. */
typedef struct RowsetIdentity {
    uint64_t cluster, table_id, rowset_id;
    uint64_t byte_count;      /* of the file; 0: not known */
    uint64_t footer_checksum; /* as the manifest says; 0: not known */
} RowsetIdentity;

/* A checked footer. Blocks and zones lie column by column. */
typedef struct RowsetFooter {
    uint8_t *bytes; /* heap */
    const FooterHeader *header;
    const ColumnRecord *columns;
    const uint32_t *row_group_rows;
    const BlockLocation *locations;
    const ZoneRecord *zones;
    uint32_t sort_key_count;
    const uint32_t *sort_keys; /* column ids */
    uint32_t lookup_count;
    const uint32_t *lookups; /* ids of columns that were written with filters */
    uint64_t checksum;
} RowsetFooter;

/* Parses the bytes from the footer to the end of the file, `footer_offset` being where they start;
 * they become the footer's also on failure. XX001. */
Status rowset_footer_parse(const RowsetIdentity *identity, uint8_t *owned_bytes, size_t byte_count,
                           uint64_t footer_offset, RowsetFooter **out) CHECKED;
void rowset_footer_destroy(RowsetFooter *footer); /* null is allowed */
/* Index of a column by id; -1 when the rowset was written before the column was added. */
int32_t rowset_footer_column(const RowsetFooter *footer, uint32_t column_id);
bool rowset_footer_has_lookups(const RowsetFooter *footer, uint32_t column_id);
Type rowset_footer_type(const RowsetFooter *footer, uint32_t column);
static inline size_t rowset_footer_block(const RowsetFooter *footer, uint32_t column,
                                         uint32_t row_group)
{
    return (size_t)column * footer->header->row_group_count + row_group;
}

typedef struct Rowset {
    FileSystem *system;
    MemoryBudget *budget;
    char *path;
    RowsetIdentity identity;
    _Atomic(RowsetFooter *) footer;
    _Atomic(File *) file;
    _Atomic(struct CacheEntry **) slots; /* the block cache's, per block; set with the footer */
} Rowset;

Status rowset_create(FileSystem *system, const char *path, const RowsetIdentity *identity,
                     MemoryBudget *budget, Rowset **out) CHECKED;
/* Hands over the footer a writer made, so that it is not read again. */
Status rowset_take_footer(Rowset *rowset, uint8_t *owned_bytes, size_t byte_count) CHECKED;
void rowset_destroy(Rowset *rowset); /* closes the file; no block of it may be cached */
Status rowset_footer(Rowset *rowset, const RowsetFooter **out) CHECKED;
/* Reads consecutive blocks first .. first + count - 1 of a column, whole and unchecked. */
Status rowset_read_blocks(Rowset *rowset, uint32_t column, uint32_t first_row_group, uint32_t count,
                          FilePiece *out) CHECKED;
BlockIdentity rowset_block_identity(const Rowset *rowset, const RowsetFooter *footer,
                                    uint32_t column, uint32_t row_group);
Status rowset_check_header(const RowsetIdentity *identity, const void *header) CHECKED;
