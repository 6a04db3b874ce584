/* copy_reader_internal.h — what the reader and its book-keeping of bad rows share. */
#pragma once
#include "protocol/copy/copy_reader.h"
#include "protocol/copy/field_kernels.h"
#include "protocol/copy/field_value.h"
#include "protocol/copy/structure_scan.h"

/* Rows found by the scan and of the right shape, waiting to be converted column by column. */
typedef struct RowGroup {
    uint32_t row_count;
    bool has_short;                    /* FILLRECORD: some rows lack columns */
    uint32_t before[FIELD_GROUP_ROWS]; /* index of the mark before the row's first field */
    uint32_t field_count[FIELD_GROUP_ROWS];
} RowGroup;

typedef struct ReaderColumn {
    CopyColumn column;
    FieldColumn field;
    FieldKernel kernel;
    size_t lane_bytes;
    VectorBuffer buffer;
    bool has_nulls; /* in the current batch */
} ReaderColumn;

/* The first thing wrong with a row of the group. */
typedef struct RowFault {
    uint32_t row; /* of the group */
    uint32_t column;
    size_t first, last; /* the field's bytes in the block */
    Status status;      /* owned */
} RowFault;

struct CopyReader {
    CopyFormat format;
    FieldRules rules;
    ScanRules scan_rules;
    const ScanKernels *plain_kernels; /* when no field is wrapped in quotes */
    const ScanKernels *kernels;
    const char *table_name;
    uint32_t column_count, batch_rows;
    ReaderColumn *columns;
    Vector *vectors;
    /* the block */
    const uint8_t *data;
    size_t bytes, next; /* `next`: first byte the scan has not seen */
    uint64_t first_line;
    FieldScan scan;
    uint32_t row_next; /* of scan.row_marks: the first row not taken */
    RowGroup group;
    FieldSpans spans;
    Arena *batch_arena; /* unescaped texts of the current batch */
    /* bad rows */
    RowFault faults[FIELD_GROUP_ROWS];
    uint32_t fault_count;
    Arena *error_arena;
    CopyError *errors;
    uint32_t error_count, error_capacity;
    uint64_t errors_total;
    size_t counted_bytes; /* newlines of data[0 .. counted_bytes) are in counted_lines */
    uint64_t counted_lines;
};

/* Notes what is wrong with a row of the group; of several faults the one of the first column
 * stays. Takes the status. */
void reader_fault(CopyReader *reader, const RowFault *owned_fault);
/* Turns the noted faults into errors, in row order; fails when there are more than allowed. */
Status reader_settle_faults(CopyReader *reader) CHECKED;
/* The same for a row that never got into the group. */
Status reader_reject_row(CopyReader *reader, size_t row_first, RowFault *owned_fault) CHECKED;
