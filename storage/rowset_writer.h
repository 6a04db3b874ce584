/*
 * rowset_writer.h — gathers the encoded row groups of one rowset in memory and seals them into a
 * file, column by column.
 *
 * Invariants: (1) nothing is written before sealing, so a rowset that is given up leaves no file;
 * (2) a sealed rowset is complete on disk but not yet durable: its open File is synced at prepare.
 */
#pragma once
#include "storage/column_file.h"
#include "storage/encoding/encode_block.h"

typedef struct RowsetColumn {
    uint32_t column_id;
    Type type;
    bool is_looked_up; /* its chunks were encoded with filters */
} RowsetColumn;

/* Where and for whom a rowset is written. */
typedef struct RowsetPlace {
    FileSystem *system;
    uint64_t cluster;
    uint64_t table_id, rowset_id, txn_id;
    uint32_t slice;
    uint16_t first_bucket, last_bucket;
} RowsetPlace;

typedef struct RowsetWriter RowsetWriter;

/* `columns` is copied. 53200. */
Status rowset_writer_create(const RowsetPlace *place, const RowsetColumn *columns,
                            uint32_t column_count, MemoryBudget *budget,
                            RowsetWriter **out) CHECKED;
void rowset_writer_destroy(RowsetWriter *writer); /* null is allowed */
uint32_t rowset_writer_row_group_count(const RowsetWriter *writer);
uint64_t rowset_writer_row_count(const RowsetWriter *writer);
const RowsetPlace *rowset_writer_place(const RowsetWriter *writer);

BlockIdentity rowset_writer_identity(const RowsetWriter *writer, uint32_t column,
                                     uint32_t row_group);
/* Keeps a copy of an encoded column of a row group; blocks come in any order. */
Status rowset_writer_add(RowsetWriter *writer, uint32_t column, uint32_t row_group,
                         const EncodedBlock *block) CHECKED;
/* All columns of the next row group are there. */
void rowset_writer_end_row_group(RowsetWriter *writer, uint32_t row_count);
/* The rows ascend by these columns (indexes). */
void rowset_writer_set_sort_keys(RowsetWriter *writer, const uint32_t *columns, uint32_t count);

/* Encoded bytes so far: for reading back what is not sealed yet (sorting). Borrowed. */
const uint8_t *rowset_writer_block(const RowsetWriter *writer, uint32_t column, uint32_t row_group,
                                   size_t *bytes);
uint32_t rowset_writer_row_group_rows(const RowsetWriter *writer, uint32_t row_group);

typedef struct SealedRowset {
    File *file; /* open for sync; the caller's */
    uint64_t byte_count;
    uint64_t footer_checksum;
    uint8_t *footer; /* heap: footer and trailer as on disk, for rowset_take_footer */
    size_t footer_bytes;
} SealedRowset;
/* Writes the file; on failure nothing of it is left. The writer keeps its memory until
 * destroyed. */
Status rowset_writer_seal(RowsetWriter *writer, const char *path, SealedRowset *out) CHECKED;
