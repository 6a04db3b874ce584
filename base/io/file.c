/*
 * file.c — what holds for every file table: poison, fault points, metrics, whole files.
 *
 * Several threads may read one File, so the poison is set once, by compare and exchange.
 */
#include "base/io/file.h"

#include <string.h>

#include "base/clock.h"
#include "base/fault.h"
#include "base/heap.h"
#include "base/log.h"
#include "base/metrics.h"

enum { FILE_PATH_BYTES_MAX = 4096 };

static Status file_check(const File *file)
{
    // acquire: pairs with the release below, so that the status is complete when seen.
    return status_copy(__atomic_load_n(&file->poison, __ATOMIC_ACQUIRE));
}

// Keeps the first error for all later calls and hands this one on.
static Status file_poisoned(File *file, Status owned_status)
{
    if (owned_status == STATUS_OK) {
        return STATUS_OK;
    }
    Status expected = STATUS_OK;
    Status kept = status_copy(owned_status);
    if (!__atomic_compare_exchange_n(&file->poison, &expected, kept, false, __ATOMIC_RELEASE,
                                     __ATOMIC_RELAXED)) {
        status_free(kept);
        return owned_status;
    }
    metric_add(METRIC_FILE_POISONS, 1);
    log_status(LOG_WARN, "file_poisoned", owned_status);
    return owned_status;
}

bool file_is_poisoned(const File *file)
{
    return __atomic_load_n(&file->poison, __ATOMIC_ACQUIRE) != STATUS_OK;
}

Status file_open(FileSystem *system, const char *path, uint32_t flags, File **out)
{
    TRY(FAULT("file.open"));
    File *file = NULL;
    TRY(system->ops->open(system, path, flags, &file));
    file->system = system;
    file->poison = STATUS_OK;
    *out = file;
    return STATUS_OK;
}

void file_close(File *file)
{
    if (file == NULL) {
        return;
    }
    Status poison = file->poison;
    file->system->ops->close(file);
    status_free(poison);
}

Status file_read(File *file, void *data, size_t bytes, uint64_t offset, size_t *read_bytes)
{
    TRY(file_check(file));
    TRY(FAULT("file.read"));
    TRY(file->system->ops->read(file, data, bytes, offset, read_bytes));
    metric_add(METRIC_FILE_READS, 1);
    metric_add(METRIC_FILE_READ_BYTES, (int64_t)*read_bytes);
    return STATUS_OK;
}

Status file_read_exact(File *file, void *data, size_t bytes, uint64_t offset)
{
    size_t read_bytes = 0;
    TRY(file_read(file, data, bytes, offset, &read_bytes));
    if (read_bytes != bytes) {
        return status_error(SQLSTATE_DATA_CORRUPTED,
                            "file ends early: %zu bytes wanted at offset %lu, %zu found", bytes,
                            offset, read_bytes);
    }
    return STATUS_OK;
}

Status file_write(File *file, const void *data, size_t bytes, uint64_t offset)
{
    TRY(file_check(file));
    Status status = FAULT("file.write");
    if (status == STATUS_OK) {
        status = file->system->ops->write(file, data, bytes, offset);
    }
    metric_add(METRIC_FILE_WRITES, 1);
    metric_add(METRIC_FILE_WRITTEN_BYTES, status == STATUS_OK ? (int64_t)bytes : 0);
    return file_poisoned(file, status);
}

Status file_sync(File *file)
{
    TRY(file_check(file));
    Status status = FAULT("file.sync");
    if (status == STATUS_OK) {
        int64_t start_us = clock_monotonic_us();
        status = file->system->ops->sync(file);
        metric_add(METRIC_FILE_SYNCS, 1);
        metric_add(METRIC_FILE_SYNC_US, clock_monotonic_us() - start_us);
    }
    return file_poisoned(file, status);
}

Status file_truncate(File *file, uint64_t bytes)
{
    TRY(file_check(file));
    Status status = FAULT("file.truncate");
    if (status == STATUS_OK) {
        status = file->system->ops->truncate(file, bytes);
    }
    return file_poisoned(file, status);
}

// Space that could not be set aside harms nothing that was written: no poison.
Status file_allocate(File *file, uint64_t bytes)
{
    TRY(file_check(file));
    TRY(FAULT("file.allocate"));
    return file->system->ops->allocate(file, bytes);
}

Status file_size(File *file, uint64_t *bytes)
{
    TRY(file_check(file));
    return file->system->ops->size(file, bytes);
}

Status file_remove(FileSystem *system, const char *path)
{
    TRY(FAULT("file.remove"));
    return system->ops->remove(system, path);
}

Status file_rename(FileSystem *system, const char *source, const char *target)
{
    TRY(FAULT("file.rename"));
    return system->ops->rename(system, source, target);
}

Status file_make_directory(FileSystem *system, const char *path)
{
    TRY(FAULT("file.make_directory"));
    return system->ops->make_directory(system, path);
}

Status file_sync_directory(FileSystem *system, const char *path)
{
    TRY(FAULT("file.sync_directory"));
    return system->ops->sync_directory(system, path);
}

Status file_list(FileSystem *system, const char *path,
                 Status (*visit)(void *object, const char *name, bool is_directory), void *object)
{
    return system->ops->list(system, path, visit, object);
}

Status file_exists(FileSystem *system, const char *path, bool *exists)
{
    return system->ops->exists(system, path, exists);
}

Status file_free_bytes(FileSystem *system, const char *path, uint64_t *bytes)
{
    return system->ops->free_bytes(system, path, bytes);
}

// "a/b/c" -> "a/b", "c" -> ".", "/c" -> "/".
Status file_sync_parent(FileSystem *system, const char *path)
{
    char parent[FILE_PATH_BYTES_MAX] = ".";
    const char *slash = strrchr(path, '/');
    if (slash != NULL) {
        size_t bytes = slash == path ? 1 : (size_t)(slash - path);
        if (bytes >= sizeof parent) {
            return status_error(SQLSTATE_NAME_TOO_LONG, "path of %zu bytes is too long", bytes);
        }
        memcpy(parent, path, bytes);
        parent[bytes] = '\0';
    }
    return file_sync_directory(system, parent);
}

static Status write_and_sync(FileSystem *system, const char *path, const void *data, size_t bytes)
{
    File *file = NULL;
    TRY(file_open(system, path, FILE_WRITE | FILE_CREATE | FILE_TRUNCATE, &file));
    Status status = bytes > 0 ? file_write(file, data, bytes, 0) : STATUS_OK;
    if (status == STATUS_OK) {
        status = file_sync(file);
    }
    file_close(file);
    return status;
}

Status file_write_whole(FileSystem *system, const char *path, const void *data, size_t bytes)
{
    static const char suffix[] = ".new";
    char temporary[FILE_PATH_BYTES_MAX];
    size_t path_bytes = strlen(path);
    if (path_bytes + sizeof suffix > sizeof temporary) {
        return status_error(SQLSTATE_NAME_TOO_LONG, "path of %zu bytes is too long", path_bytes);
    }
    memcpy(temporary, path, path_bytes);
    memcpy(temporary + path_bytes, suffix, sizeof suffix);

    Status status = write_and_sync(system, temporary, data, bytes);
    if (status == STATUS_OK) {
        status = file_rename(system, temporary, path);
    }
    if (status != STATUS_OK) {
        status_ignore(file_remove(system, temporary), "the write failed already");
        return status;
    }
    return file_sync_parent(system, path);
}

Status file_read_whole(FileSystem *system, const char *path, size_t bytes_max, uint8_t **out,
                       size_t *bytes)
{
    Status status = STATUS_OK;
    File *file = NULL;
    uint8_t *data = NULL;
    uint64_t size = 0;
    TRY(file_open(system, path, FILE_READ, &file));
    TRY_OR(cleanup, file_size(file, &size));
    if (size > bytes_max) {
        status = status_error(SQLSTATE_PROGRAM_LIMIT_EXCEEDED,
                              "file \"%s\" has %lu bytes, more than the %zu allowed", path, size,
                              bytes_max);
        goto cleanup;
    }
    data = heap_alloc(size + 1); // a zero behind the end, for readers of text
    if (data == NULL) {
        status = status_error(SQLSTATE_OUT_OF_MEMORY, "out of memory to read file \"%s\"", path);
        goto cleanup;
    }
    TRY_OR(cleanup, file_read_exact(file, data, size, 0));
    data[size] = 0;
    *out = data;
    *bytes = size;
    data = NULL;
cleanup:
    heap_free(data);
    file_close(file);
    return status;
}
