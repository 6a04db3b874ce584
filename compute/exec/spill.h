/*
 * spill.h — rows that do not fit into the grant, in a file of their own until the query ends.
 *
 * A SpillFile holds any number of streams (partitions, sorted runs). Each stream gathers encoded
 * batches (batch_codec.h) and writes them as extents of some 256 KiB, whole batches each, at 4 KiB
 * boundaries and past the page cache. Where extents lie, and their checksums, stays in memory: the
 * file is of no use to anyone else and is removed when it is destroyed.
 *
 * One worker writes a file; after spill_file_flush several may read different streams.
 */
#pragma once
#include "base/vector/batch_codec.h"
#include "compute/exec/query_context.h"

typedef struct SpillFile SpillFile;

/* 53100, 58030; 53200. */
/* Makes the directory; what a process that was killed has left in it is removed. */
Status spill_directory_open(FileSystem *files, const char *directory) CHECKED;
Status spill_file_create(QueryContext *query, uint32_t stream_count, SpillFile **out) CHECKED;
void spill_file_destroy(SpillFile *file); /* null is allowed */
Status spill_file_add_stream(SpillFile *file, uint32_t *stream) CHECKED;
/* Appends the selected rows of a batch whose lazy columns are loaded. */
Status spill_file_append(SpillFile *file, uint32_t stream, const Batch *batch) CHECKED;
Status spill_file_flush(SpillFile *file) CHECKED; /* before reading */
uint32_t spill_file_stream_count(const SpillFile *file);
uint64_t spill_file_rows(const SpillFile *file, uint32_t stream);
uint64_t spill_file_bytes(const SpillFile *file); /* written */

typedef struct SpillReader {
    SpillFile *file;
    uint32_t stream;
    const Type *types;
    uint32_t column_count;
    MemoryBudget *budget;
    uint32_t next_extent;
    uint8_t *memory; /* of the current extent */
    ByteReader bytes;
} SpillReader;

/* Reads the batches of a stream in the order they were appended. */
void spill_reader_init(SpillReader *reader, SpillFile *file, uint32_t stream, const Type *types,
                       uint32_t column_count, MemoryBudget *budget);
/* Null at the end; else the caller unpins it. 53200, XX001, 58030. */
Status spill_reader_next(SpillReader *reader, SharedBatch **out) CHECKED;
void spill_reader_deinit(SpillReader *reader); /* safe on one never initialised but zeroed */
