/* column_file.c — see column_file.h. */
#include "storage/column_file.h"

#include <string.h>
#include "storage/format.h"

#define STAGING_BYTES ((size_t)2 << 20)
#define STAGING_ALLOCATION (STAGING_BYTES + FORMAT_FILE_ALIGNMENT)

static uint8_t *align_pointer(uint8_t *memory)
{
    const uintptr_t address = (uintptr_t)memory;
    return memory + (-address & (FORMAT_FILE_ALIGNMENT - 1));
}

Status column_file_create(ColumnFileWriter *writer, FileSystem *system, const char *path,
                          uint64_t bytes, MemoryBudget *budget)
{
    *writer = (ColumnFileWriter){.budget = budget};
    writer->memory = memory_alloc(budget, STAGING_ALLOCATION);
    if (writer->memory == NULL) {
        return memory_refused(budget, STAGING_ALLOCATION, "a file being written");
    }
    writer->staging = align_pointer(writer->memory);
    Status status;
    TRY_OR(failed, file_open(system, path, FILE_WRITE | FILE_CREATE | FILE_EXCLUSIVE | FILE_DIRECT,
                             &writer->file));
    status = file_allocate(writer->file, bytes);
    if (status != STATUS_OK) {
        status_ignore(file_remove(system, path), "it is empty, and the next start removes it");
        goto failed;
    }
    return STATUS_OK;
failed:
    column_file_abandon(writer);
    return status;
}

static Status write_staged(ColumnFileWriter *writer)
{
    TRY(file_write(writer->file, writer->staging, writer->staged_bytes, writer->written_bytes));
    writer->written_bytes += writer->staged_bytes;
    writer->staged_bytes = 0;
    return STATUS_OK;
}

Status column_file_append(ColumnFileWriter *writer, const void *data, size_t bytes)
{
    const uint8_t *source = data;
    while (bytes > 0) {
        const size_t room = STAGING_BYTES - writer->staged_bytes;
        const size_t taken = bytes < room ? bytes : room;
        memcpy(writer->staging + writer->staged_bytes, source, taken);
        writer->staged_bytes += taken;
        source += taken;
        bytes -= taken;
        if (writer->staged_bytes == STAGING_BYTES) {
            TRY(write_staged(writer));
        }
    }
    return STATUS_OK;
}

Status column_file_finish(ColumnFileWriter *writer, File **out)
{
    ASSERT(writer->staged_bytes % FORMAT_FILE_ALIGNMENT == 0);
    Status status = writer->staged_bytes > 0 ? write_staged(writer) : STATUS_OK;
    // Space set aside beyond the end would be part of the file.
    uint64_t size = 0;
    if (status == STATUS_OK) {
        status = file_size(writer->file, &size);
    }
    if (status == STATUS_OK && size != writer->written_bytes) {
        status = file_truncate(writer->file, writer->written_bytes);
    }
    if (status == STATUS_OK) {
        *out = writer->file;
        writer->file = NULL;
    }
    column_file_abandon(writer);
    return status;
}

void column_file_abandon(ColumnFileWriter *writer)
{
    if (writer->memory != NULL) {
        memory_free(writer->budget, writer->memory, STAGING_ALLOCATION);
        writer->memory = NULL;
    }
    file_close(writer->file);
    writer->file = NULL;
}

Status column_file_read(File *file, uint64_t offset, size_t bytes, MemoryBudget *budget,
                        FilePiece *out)
{
    const uint64_t start = offset & ~(uint64_t)(FORMAT_FILE_ALIGNMENT - 1);
    const size_t skipped = (size_t)(offset - start);
    const size_t wanted =
        (skipped + bytes + FORMAT_FILE_ALIGNMENT - 1) & ~(size_t)(FORMAT_FILE_ALIGNMENT - 1);
    FilePiece piece = {.memory_bytes = wanted + FORMAT_FILE_ALIGNMENT};
    piece.memory = memory_alloc(budget, piece.memory_bytes);
    if (piece.memory == NULL) {
        return memory_refused(budget, piece.memory_bytes, "reading a rowset");
    }
    uint8_t *target = align_pointer(piece.memory);
    size_t read_bytes = 0;
    Status status = file_read(file, target, wanted, start, &read_bytes);
    if (status == STATUS_OK && read_bytes < skipped + bytes) {
        status = status_error(
            SQLSTATE_DATA_CORRUPTED, "rowset file ends at byte %llu, before byte %llu",
            (unsigned long long)(start + read_bytes), (unsigned long long)(offset + bytes));
    }
    if (status != STATUS_OK) {
        file_piece_free(&piece, budget);
        return status;
    }
    piece.data = target + skipped;
    *out = piece;
    return STATUS_OK;
}

void file_piece_free(FilePiece *piece, MemoryBudget *budget)
{
    if (piece->memory != NULL) {
        memory_free(budget, piece->memory, piece->memory_bytes);
        piece->memory = NULL;
    }
}
