/*
 * file_journal.c — a table in front of the operating system's.
 *
 * Records are written under one mutex, those that change names together with the change: their
 * order in the journal is the order of their effects. That lock over I/O is for tests alone.
 */
#include "base/io/file_journal.h"

#ifdef BASALT_FAULTS

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fault.h"
#include "base/heap.h"
#include "base/mutex.h"

enum { JOURNAL_MODE = 0600, JOURNAL_WRITE_BYTES_MAX = 1 << 30 };

typedef struct FileJournal {
    FileSystem system;
    FileSystem *inner;
    Mutex mutex; /* of the order of records */
    int fd;
    uint32_t file_count;
    uint64_t sync_count;
} FileJournal;

typedef struct JournalFile {
    File file;
    File *inner;
    uint32_t number;
} JournalFile;

static FileJournal *journal_of(const File *file)
{
    return (FileJournal *)file->system;
}

static const FileOps *inner_ops(const FileJournal *journal)
{
    return journal->inner->ops;
}

// A journal with a gap would prove nothing: the process ends.
static void journal_write(FileJournal *journal, struct iovec *parts, int part_count)
{
    while (part_count > 0) {
        ssize_t count = writev(journal->fd, parts, part_count);
        ASSERT(count >= 0 || errno == EINTR);
        size_t done = count > 0 ? (size_t)count : 0;
        while (part_count > 0 && done >= parts->iov_len) {
            done -= parts->iov_len;
            parts++;
            part_count--;
        }
        if (part_count > 0) {
            parts->iov_base = (char *)parts->iov_base + done;
            parts->iov_len -= done;
        }
    }
}

/* `path` may be null; under the mutex. */
static void note(FileJournal *journal, FileJournalRecord record, const char *path, const void *data,
                 size_t data_bytes)
{
    ASSERT(data_bytes <= JOURNAL_WRITE_BYTES_MAX);
    record.monotonic_us = clock_monotonic_us();
    record.path_bytes = path != NULL ? (uint32_t)strlen(path) : 0;
    record.data_bytes = (uint32_t)data_bytes;
    struct iovec parts[3] = {{.iov_base = &record, .iov_len = sizeof(record)}};
    int part_count = 1;
    if (record.path_bytes > 0) {
        parts[part_count++] =
            (struct iovec){.iov_base = (void *)(uintptr_t)path, .iov_len = record.path_bytes};
    }
    if (data_bytes > 0) {
        parts[part_count++] =
            (struct iovec){.iov_base = (void *)(uintptr_t)data, .iov_len = data_bytes};
    }
    journal_write(journal, parts, part_count);
}

static void note_alone(FileJournal *journal, FileJournalRecord record, const char *path,
                       const void *data, size_t data_bytes)
{
    mutex_lock(&journal->mutex);
    note(journal, record, path, data, data_bytes);
    mutex_unlock(&journal->mutex);
}

static Status journal_open(FileSystem *self, const char *path, uint32_t flags, File **out)
{
    FileJournal *journal = (FileJournal *)self;
    JournalFile *file = heap_alloc_zeroed(sizeof(*file));
    if (file == NULL) {
        return status_error(SQLSTATE_OUT_OF_MEMORY, "out of memory to open file \"%s\"", path);
    }
    mutex_lock(&journal->mutex);
    Status status = inner_ops(journal)->open(journal->inner, path, flags, &file->inner);
    if (status == STATUS_OK) {
        file->number = ++journal->file_count;
        note(journal,
             (FileJournalRecord){.kind = FILE_JOURNAL_OPEN, .file = file->number, .offset = flags},
             path, NULL, 0);
    }
    mutex_unlock(&journal->mutex);
    if (status != STATUS_OK) {
        heap_free(file);
        return status;
    }
    *out = &file->file;
    return STATUS_OK;
}

static void journal_close(File *file)
{
    inner_ops(journal_of(file))->close(((JournalFile *)file)->inner);
    heap_free(file);
}

static Status journal_read(File *file, void *data, size_t bytes, uint64_t offset,
                           size_t *read_bytes)
{
    File *inner = ((JournalFile *)file)->inner;
    return inner_ops(journal_of(file))->read(inner, data, bytes, offset, read_bytes);
}

static Status journal_write_file(File *file, const void *data, size_t bytes, uint64_t offset)
{
    JournalFile *self = (JournalFile *)file;
    for (size_t done = 0; done < bytes;) {
        size_t piece = bytes - done;
        piece = piece < JOURNAL_WRITE_BYTES_MAX ? piece : JOURNAL_WRITE_BYTES_MAX;
        note_alone(journal_of(file),
                   (FileJournalRecord){
                       .kind = FILE_JOURNAL_WRITE, .file = self->number, .offset = offset + done},
                   NULL, (const char *)data + done, piece);
        done += piece;
    }
    return inner_ops(journal_of(file))->write(self->inner, data, bytes, offset);
}

/* The number that the sync's end will carry. */
static uint64_t note_sync(FileJournal *journal, FileJournalKind kind, uint32_t file,
                          const char *path)
{
    mutex_lock(&journal->mutex);
    uint64_t number = ++journal->sync_count;
    note(journal, (FileJournalRecord){.kind = kind, .file = file, .offset = number}, path, NULL, 0);
    mutex_unlock(&journal->mutex);
    return number;
}

static Status note_synced(FileJournal *journal, uint64_t number, Status owned_status,
                          const char *broken)
{
    if (owned_status == STATUS_OK && !FAULT_BREAKS(broken)) {
        note_alone(journal, (FileJournalRecord){.kind = FILE_JOURNAL_SYNCED, .offset = number},
                   NULL, NULL, 0);
    }
    return owned_status;
}

static Status journal_sync(File *file)
{
    JournalFile *self = (JournalFile *)file;
    FileJournal *journal = journal_of(file);
    uint64_t number = note_sync(journal, FILE_JOURNAL_SYNC, self->number, NULL);
    return note_synced(journal, number, inner_ops(journal)->sync(self->inner), "file.sync");
}

static Status journal_truncate(File *file, uint64_t bytes)
{
    JournalFile *self = (JournalFile *)file;
    note_alone(
        journal_of(file),
        (FileJournalRecord){.kind = FILE_JOURNAL_TRUNCATE, .file = self->number, .offset = bytes},
        NULL, NULL, 0);
    return inner_ops(journal_of(file))->truncate(self->inner, bytes);
}

static Status journal_allocate(File *file, uint64_t bytes) // no byte that could be read changes
{
    return inner_ops(journal_of(file))->allocate(((JournalFile *)file)->inner, bytes);
}

static Status journal_size(File *file, uint64_t *bytes)
{
    return inner_ops(journal_of(file))->size(((JournalFile *)file)->inner, bytes);
}

static Status journal_remove(FileSystem *self, const char *path)
{
    FileJournal *journal = (FileJournal *)self;
    mutex_lock(&journal->mutex);
    Status status = inner_ops(journal)->remove(journal->inner, path);
    if (status == STATUS_OK) {
        note(journal, (FileJournalRecord){.kind = FILE_JOURNAL_REMOVE}, path, NULL, 0);
    }
    mutex_unlock(&journal->mutex);
    return status;
}

static Status journal_rename(FileSystem *self, const char *source, const char *target)
{
    FileJournal *journal = (FileJournal *)self;
    mutex_lock(&journal->mutex);
    Status status = inner_ops(journal)->rename(journal->inner, source, target);
    if (status == STATUS_OK) {
        note(journal, (FileJournalRecord){.kind = FILE_JOURNAL_RENAME}, source, target,
             strlen(target));
    }
    mutex_unlock(&journal->mutex);
    return status;
}

static Status journal_make_directory(FileSystem *self, const char *path)
{
    FileJournal *journal = (FileJournal *)self;
    mutex_lock(&journal->mutex);
    Status status = inner_ops(journal)->make_directory(journal->inner, path);
    if (status == STATUS_OK) {
        note(journal, (FileJournalRecord){.kind = FILE_JOURNAL_MAKE_DIRECTORY}, path, NULL, 0);
    }
    mutex_unlock(&journal->mutex);
    return status;
}

static Status journal_sync_directory(FileSystem *self, const char *path)
{
    FileJournal *journal = (FileJournal *)self;
    uint64_t number = note_sync(journal, FILE_JOURNAL_SYNC_DIRECTORY, 0, path);
    return note_synced(journal, number, inner_ops(journal)->sync_directory(journal->inner, path),
                       "file.sync_directory");
}

static Status journal_list(FileSystem *self, const char *path,
                           Status (*visit)(void *object, const char *name, bool is_directory),
                           void *object)
{
    FileJournal *journal = (FileJournal *)self;
    return inner_ops(journal)->list(journal->inner, path, visit, object);
}

static Status journal_exists(FileSystem *self, const char *path, bool *exists)
{
    FileJournal *journal = (FileJournal *)self;
    return inner_ops(journal)->exists(journal->inner, path, exists);
}

static Status journal_free_bytes(FileSystem *self, const char *path, uint64_t *bytes)
{
    FileJournal *journal = (FileJournal *)self;
    return inner_ops(journal)->free_bytes(journal->inner, path, bytes);
}

static const FileOps journal_ops = {
    .open = journal_open,
    .close = journal_close,
    .read = journal_read,
    .write = journal_write_file,
    .sync = journal_sync,
    .truncate = journal_truncate,
    .allocate = journal_allocate,
    .size = journal_size,
    .remove = journal_remove,
    .rename = journal_rename,
    .make_directory = journal_make_directory,
    .sync_directory = journal_sync_directory,
    .list = journal_list,
    .exists = journal_exists,
    .free_bytes = journal_free_bytes,
};

Status file_journal_open(FileSystem **files)
{
    static FileJournal journal = {.system = {.ops = &journal_ops},
                                  .mutex = MUTEX_STATIC(MUTEX_RANK_FILE_JOURNAL)};
    const char *path = getenv("BASALT_FILE_JOURNAL");
    if (path == NULL) {
        *files = file_system_os();
        return STATUS_OK;
    }
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, JOURNAL_MODE);
    if (fd < 0) {
        return status_from_errno(errno, "could not open the journal \"%s\"", path);
    }
    journal.inner = file_system_os();
    journal.fd = fd;
    *files = &journal.system;
    return STATUS_OK;
}

#else

Status file_journal_open(FileSystem **files)
{
    *files = file_system_os();
    return STATUS_OK;
}

#endif
