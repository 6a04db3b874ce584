/* table_writer_internal.h — what the files that write tables share: table_writer.c (statements and
 * workers), write_buffer.c (rows of one slice), row_sort.c (sort keys). */
#pragma once
#include "storage/row_buffer.h"
#include "storage/rowset_writer.h"
#include "storage/store_internal.h"

/* Rows up to here are kept as an INSERT batch instead of a rowset of their own. */
#define INSERT_BATCH_ROWS_MAX 8192u
#define INSERT_BATCH_BYTES_MAX ((size_t)1 << 20)
/* A run to sort holds at most so many row groups: what is decoded at once stays bounded. An
 * interleaved key divides them by every column, and no merge makes them more: a whole rowset. */
#define SORT_RUN_ROW_GROUPS 32u
static inline uint32_t table_run_row_groups(const PlanTable *table)
{
    return table->is_interleaved ? FORMAT_ROWSET_ROW_GROUPS : SORT_RUN_ROW_GROUPS;
}

/* Rows of one slice, written by one worker. */
typedef struct WriteBuffer {
    TableWriter *writer;
    uint32_t slice;
    uint16_t first_bucket, last_bucket;
    RowBuffer *rows;          /* not encoded yet */
    RowsetWriter *rowset;     /* encoded row groups; null when there are none */
    EncodingMemory *memories; /* per column */
    ColumnSketch *sketches;   /* the worker's, per column; null: none are made */
    uint32_t sketched_count;  /* columns of the row group being encoded that are in the sketches */
} WriteBuffer;

struct TableWriter {
    Store *store;
    const PlanTable *table;
    uint64_t txn_id;
    uint32_t statement;
    uint32_t row_group_rows;
    MemoryBudget *budget;
    const bool *is_canceled;
    bool is_in_order; /* rows come by the sort key: no rowset is sorted before it is sealed */
    Arena *arena;
    Type *types; /* per column */
    RowsetColumn *columns;
    uint32_t slice_count;
    SliceRange *slices;        /* where rows may go; one for ALL */
    uint16_t *slice_of_bucket; /* KEY: index into slices + 1; 0: not of this node */
    Mutex mutex;               /* guards what follows */
    uint32_t local_count;
    struct WriteRest *rests; /* rows of finished workers that made no row group */
    uint64_t row_count;
    bool is_finished;
    ColumnSketch *sketches; /* of finished workers */
    RowSample *sample;
};

/* One slice's rows handed over by a worker. */
typedef struct WriteRest {
    uint32_t slice_index;
    RowBuffer *rows;
    struct WriteRest *next;
} WriteRest;

Status write_buffer_init(WriteBuffer *buffer, TableWriter *writer, uint32_t slice_index,
                         ColumnSketch *sketches) CHECKED;
void write_buffer_deinit(WriteBuffer *buffer);
/* Appends rows of a batch, encoding row groups and sealing rowsets as they fill. */
Status write_buffer_append(WriteBuffer *buffer, EncodeContext *context, const Batch *batch,
                           const uint16_t *rows, uint32_t row_count) CHECKED;
/* Encodes what waits and seals; nothing is left. */
Status write_buffer_flush(WriteBuffer *buffer, EncodeContext *context) CHECKED;

/* Adds the rows of a chunk that was just encoded with `context`. */
void write_sketch_add(ColumnSketch *sketch, const ColumnChunk *chunk, const EncodedBlock *block,
                      const EncodeContext *context);

/* Keeps small results as an INSERT batch: all rows of `rests` of one slice. */
Status insert_batch_add(TableWriter *writer, uint32_t slice_index, const WriteRest *rests,
                        uint64_t row_count) CHECKED;

/* Makes from a rowset being written (any order) one whose rows ascend by the table's sort key. The
 * old one stays the caller's. 53200. */
Status row_sort_rowset(const RowsetWriter *source, TableWriter *writer, EncodeContext *context,
                       EncodingMemory *memories, const RowsetPlace *place,
                       RowsetWriter **out) CHECKED;
