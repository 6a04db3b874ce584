/*
 * column_file.h — a rowset file as bytes: written once front to back, read in ranges.
 *
 * Both ways go around the page cache where the file system allows it, through aligned pool memory:
 * written in pieces of 2 MiB, space set aside first so that a full disk is noticed before the first
 * byte; a range is read in one call.
 * Invariant: a file under its final name was never overwritten; an unfinished one is garbage.
 */
#pragma once
#include "base/io/file.h"
#include "base/memory_budget.h"

/* Writing. The file must not exist. */
typedef struct ColumnFileWriter {
    File *file;
    MemoryBudget *budget;
    uint8_t *memory; /* staging, with room to align it */
    uint8_t *staging;
    size_t staged_bytes;
    uint64_t written_bytes;
} ColumnFileWriter;

/* Sets aside `bytes` (the whole file, or what is known of it). */
Status column_file_create(ColumnFileWriter *writer, FileSystem *system, const char *path,
                          uint64_t bytes, MemoryBudget *budget) CHECKED;
Status column_file_append(ColumnFileWriter *writer, const void *data, size_t bytes) CHECKED;
/* Writes what is staged; the size must now be a multiple of FORMAT_FILE_ALIGNMENT. The open file
 * goes to the caller, who syncs and closes it; the writer is gone also on failure (file closed). */
Status column_file_finish(ColumnFileWriter *writer, File **out) CHECKED;
void column_file_abandon(ColumnFileWriter *writer);
static inline uint64_t column_file_offset(const ColumnFileWriter *writer)
{
    return writer->written_bytes + writer->staged_bytes;
}

/* Reading. A piece of a file in aligned pool memory: `data` points at the wanted byte. */
typedef struct FilePiece {
    uint8_t *memory;
    size_t memory_bytes;
    const uint8_t *data;
} FilePiece;
/* XX001 when the file is shorter. */
Status column_file_read(File *file, uint64_t offset, size_t bytes, MemoryBudget *budget,
                        FilePiece *out) CHECKED;
void file_piece_free(FilePiece *piece, MemoryBudget *budget);
