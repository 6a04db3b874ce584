/*
 * file.h — the replaceable file table: every byte of ours reaches the disk through it.
 *
 * Tests hand in a table that fails, cuts power or fills the disk. After a failed write or sync a
 * File is poisoned: every later call returns the first error until it is reopened (a retried fsync
 * that "succeeds" proves nothing). Short reads and writes are completed or reported; EINTR retried.
 */
#pragma once
#include "base/status.h"

typedef struct File File;
typedef struct FileSystem FileSystem;

/* Flags of file_open. FILE_DIRECT: O_DIRECT when the file system has it; offsets, sizes and memory
 * by 4 KiB then. */
enum {
    FILE_READ = 1,
    FILE_WRITE = 2,
    FILE_CREATE = 4,    /* may exist */
    FILE_EXCLUSIVE = 8, /* must not exist */
    FILE_TRUNCATE = 16,
    FILE_DIRECT = 32
};

typedef struct FileOps {
    Status (*open)(FileSystem *self, const char *path, uint32_t flags, File **out);
    void (*close)(File *file);
    /* Reads exactly `bytes`, or fewer at the end of the file: `*read_bytes` tells. */
    Status (*read)(File *file, void *data, size_t bytes, uint64_t offset, size_t *read_bytes);
    Status (*write)(File *file, const void *data, size_t bytes, uint64_t offset);
    Status (*sync)(File *file); /* data and the metadata needed to read it */
    Status (*truncate)(File *file, uint64_t bytes);
    Status (*allocate)(File *file, uint64_t bytes); /* so that ENOSPC strikes here */
    Status (*size)(File *file, uint64_t *bytes);
    Status (*remove)(FileSystem *self, const char *path); /* a missing file is OK */
    Status (*rename)(FileSystem *self, const char *source, const char *target);
    Status (*make_directory)(FileSystem *self, const char *path); /* parents too; may exist */
    Status (*sync_directory)(FileSystem *self, const char *path);
    /* Calls `visit` for each entry but . and ..; stops at its first error. */
    Status (*list)(FileSystem *self, const char *path,
                   Status (*visit)(void *object, const char *name, bool is_directory),
                   void *object);
    Status (*exists)(FileSystem *self, const char *path, bool *exists);
    Status (*free_bytes)(FileSystem *self, const char *path, uint64_t *bytes);
} FileOps;

struct FileSystem {
    const FileOps *ops;
};
struct File { /* every implementation starts with this */
    FileSystem *system;
    Status poison;
};

FileSystem *file_system_os(void); /* the operating system's */

/* Wrappers: check poison, call the table; a failed write, sync or truncate poisons. The errors name
 * the path. Several threads may read one File; everything else is one thread at a time. */
Status file_open(FileSystem *system, const char *path, uint32_t flags, File **out) CHECKED;
void file_close(File *file); /* null is allowed */
bool file_is_poisoned(const File *file);
Status file_read(File *file, void *data, size_t bytes, uint64_t offset, size_t *read_bytes) CHECKED;
/* XX001 when the file ends early. */
Status file_read_exact(File *file, void *data, size_t bytes, uint64_t offset) CHECKED;
Status file_write(File *file, const void *data, size_t bytes, uint64_t offset) CHECKED;
Status file_sync(File *file) CHECKED;
Status file_truncate(File *file, uint64_t bytes) CHECKED;
Status file_allocate(File *file, uint64_t bytes) CHECKED;
Status file_size(File *file, uint64_t *bytes) CHECKED;
Status file_remove(FileSystem *system, const char *path) CHECKED;
Status file_rename(FileSystem *system, const char *source, const char *target) CHECKED;
Status file_make_directory(FileSystem *system, const char *path) CHECKED;
Status file_sync_directory(FileSystem *system, const char *path) CHECKED;
Status file_list(FileSystem *system, const char *path,
                 Status (*visit)(void *object, const char *name, bool is_directory),
                 void *object) CHECKED;
Status file_exists(FileSystem *system, const char *path, bool *exists) CHECKED;
Status file_free_bytes(FileSystem *system, const char *path, uint64_t *bytes) CHECKED;
/* Syncs the directory that holds `path`: a new name lasts from then on. */
Status file_sync_parent(FileSystem *system, const char *path) CHECKED;
/* Writes a small file whole and durably: temporary name, sync, rename, directory sync. */
Status file_write_whole(FileSystem *system, const char *path, const void *data,
                        size_t bytes) CHECKED;
/* Reads a file of at most `bytes_max` into malloc'ed memory, a zero byte behind its end. */
Status file_read_whole(FileSystem *system, const char *path, size_t bytes_max, uint8_t **out,
                       size_t *bytes) CHECKED;
