/* os_file.c — the operating system's files behind the table of file.h. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/heap.h"
#include "base/io/file.h"
#include "base/log.h"

enum {
    FILE_MODE = 0600,
    DIRECTORY_MODE = 0700,
    PATH_BYTES_MAX = 4096,
    TRANSFER_BYTES_MAX = 1 << 30, /* of one system call; Linux stops a little below 2 GiB */
    SECTOR_BYTES = 512
};

typedef struct OsFile {
    File file;
    int fd;
    bool is_direct;
    atomic_bool needs_full_sync; /* made or resized since the last sync: fsync, not fdatasync */
    char path[];
} OsFile;

static Status os_open(FileSystem *self, const char *path, uint32_t flags, File **out);
static void os_close(File *file);
static Status os_read(File *file, void *data, size_t bytes, uint64_t offset, size_t *read_bytes);
static Status os_write(File *file, const void *data, size_t bytes, uint64_t offset);
static Status os_sync(File *file);
static Status os_truncate(File *file, uint64_t bytes);
static Status os_allocate(File *file, uint64_t bytes);
static Status os_size(File *file, uint64_t *bytes);
static Status os_remove(FileSystem *self, const char *path);
static Status os_rename(FileSystem *self, const char *source, const char *target);
static Status os_make_directory(FileSystem *self, const char *path);
static Status os_sync_directory(FileSystem *self, const char *path);
static Status os_list(FileSystem *self, const char *path,
                      Status (*visit)(void *object, const char *name, bool is_directory),
                      void *object);
static Status os_exists(FileSystem *self, const char *path, bool *exists);
static Status os_free_bytes(FileSystem *self, const char *path, uint64_t *bytes);

static const FileOps os_ops = {
    .open = os_open,
    .close = os_close,
    .read = os_read,
    .write = os_write,
    .sync = os_sync,
    .truncate = os_truncate,
    .allocate = os_allocate,
    .size = os_size,
    .remove = os_remove,
    .rename = os_rename,
    .make_directory = os_make_directory,
    .sync_directory = os_sync_directory,
    .list = os_list,
    .exists = os_exists,
    .free_bytes = os_free_bytes,
};

FileSystem *file_system_os(void)
{
    static FileSystem system = {.ops = &os_ops};
    return &system;
}

static int open_retrying(const char *path, int flags)
{
    int fd;
    do {
        fd = open(path, flags, FILE_MODE);
    } while (fd < 0 && errno == EINTR);
    return fd;
}

static int os_open_flags(uint32_t flags)
{
    bool reads = (flags & FILE_READ) != 0;
    bool writes = (flags & FILE_WRITE) != 0;
    int os_flags = O_CLOEXEC | (writes ? (reads ? O_RDWR : O_WRONLY) : O_RDONLY);
    os_flags |= (flags & FILE_CREATE) != 0 ? O_CREAT : 0;
    os_flags |= (flags & FILE_EXCLUSIVE) != 0 ? O_CREAT | O_EXCL : 0;
    os_flags |= (flags & FILE_TRUNCATE) != 0 ? O_TRUNC : 0;
    os_flags |= (flags & FILE_DIRECT) != 0 ? O_DIRECT : 0;
    return os_flags;
}

static Status os_open(FileSystem *self, const char *path, uint32_t flags, File **out)
{
    size_t path_bytes = strlen(path) + 1;
    OsFile *file = heap_alloc_zeroed(sizeof *file + path_bytes);
    if (file == NULL) {
        return status_error(SQLSTATE_OUT_OF_MEMORY, "out of memory to open file \"%s\"", path);
    }
    memcpy(file->path, path, path_bytes);
    int os_flags = os_open_flags(flags);
    file->fd = open_retrying(path, os_flags);
    if (file->fd < 0 && errno == EINVAL && (os_flags & O_DIRECT) != 0) {
        // Not every file system has it. The file may exist by now, made by the refused attempt.
        os_flags &= ~(O_DIRECT | O_EXCL);
        file->fd = open_retrying(path, os_flags);
    }
    if (file->fd < 0) {
        int error = errno;
        heap_free(file);
        return status_from_errno(error, "could not open file \"%s\"", path);
    }
    file->file.system = self;
    file->is_direct = (os_flags & O_DIRECT) != 0;
    bool may_change = (flags & (FILE_CREATE | FILE_EXCLUSIVE | FILE_TRUNCATE)) != 0;
    atomic_init(&file->needs_full_sync, may_change);
    *out = &file->file;
    return STATUS_OK;
}

static void os_close(File *file)
{
    OsFile *os_file = (OsFile *)file;
    // What had to be durable was synced and checked before; EINTR has closed it too, on Linux.
    if (close(os_file->fd) != 0 && errno != EINTR) {
        log_warn("file_close_failed", "path=\"%s\" error=%d", os_file->path, errno);
    }
    heap_free(os_file);
}

static Status os_read(File *file, void *data, size_t bytes, uint64_t offset, size_t *read_bytes)
{
    OsFile *os_file = (OsFile *)file;
    size_t done = 0;
    while (done < bytes) {
        size_t wanted = bytes - done < TRANSFER_BYTES_MAX ? bytes - done : TRANSFER_BYTES_MAX;
        ssize_t count = pread(os_file->fd, (char *)data + done, wanted, (off_t)(offset + done));
        if (count < 0 && errno == EINTR) {
            continue;
        }
        if (count < 0) {
            return status_from_errno(errno, "could not read file \"%s\" at offset %lu",
                                     os_file->path, offset + done);
        }
        done += (size_t)count;
        if (count == 0 || (os_file->is_direct && (size_t)count % SECTOR_BYTES != 0)) {
            break; // the end; a direct read cannot go on from inside a sector, and need not
        }
    }
    *read_bytes = done;
    return STATUS_OK;
}

static Status os_write(File *file, const void *data, size_t bytes, uint64_t offset)
{
    OsFile *os_file = (OsFile *)file;
    size_t done = 0;
    while (done < bytes) {
        size_t wanted = bytes - done < TRANSFER_BYTES_MAX ? bytes - done : TRANSFER_BYTES_MAX;
        ssize_t count =
            pwrite(os_file->fd, (const char *)data + done, wanted, (off_t)(offset + done));
        if (count < 0 && errno == EINTR) {
            continue;
        }
        if (count <= 0) {
            return status_from_errno(count < 0 ? errno : ENOSPC,
                                     "could not write file \"%s\" at offset %lu", os_file->path,
                                     offset + done);
        }
        done += (size_t)count;
    }
    return STATUS_OK;
}

// Never retried, not even after EINTR: the kernel may have dropped the pages it could not write.
static Status os_sync(File *file)
{
    OsFile *os_file = (OsFile *)file;
    bool is_full = atomic_exchange_explicit(&os_file->needs_full_sync, false, memory_order_relaxed);
    if ((is_full ? fsync(os_file->fd) : fdatasync(os_file->fd)) != 0) {
        return status_from_errno(errno, "could not sync file \"%s\"", os_file->path);
    }
    return STATUS_OK;
}

static Status os_truncate(File *file, uint64_t bytes)
{
    OsFile *os_file = (OsFile *)file;
    int result;
    do {
        result = ftruncate(os_file->fd, (off_t)bytes);
    } while (result != 0 && errno == EINTR);
    if (result != 0) {
        return status_from_errno(errno, "could not resize file \"%s\" to %lu bytes", os_file->path,
                                 bytes);
    }
    atomic_store_explicit(&os_file->needs_full_sync, true, memory_order_relaxed);
    return STATUS_OK;
}

// The size stays what was written: space is set aside behind the end.
static Status os_allocate(File *file, uint64_t bytes)
{
    OsFile *os_file = (OsFile *)file;
    int result;
    do {
        result = fallocate(os_file->fd, FALLOC_FL_KEEP_SIZE, 0, (off_t)bytes);
    } while (result != 0 && errno == EINTR);
    if (result != 0 && errno != EOPNOTSUPP && bytes > 0) {
        return status_from_errno(errno, "could not set aside %lu bytes for file \"%s\"", bytes,
                                 os_file->path);
    }
    atomic_store_explicit(&os_file->needs_full_sync, true, memory_order_relaxed);
    return STATUS_OK;
}

static Status os_size(File *file, uint64_t *bytes)
{
    OsFile *os_file = (OsFile *)file;
    struct stat attributes;
    if (fstat(os_file->fd, &attributes) != 0) {
        return status_from_errno(errno, "could not stat file \"%s\"", os_file->path);
    }
    *bytes = (uint64_t)attributes.st_size;
    return STATUS_OK;
}

static Status os_remove(FileSystem *self, const char *path)
{
    (void)self;
    if (remove(path) != 0 && errno != ENOENT) {
        return status_from_errno(errno, "could not remove \"%s\"", path);
    }
    return STATUS_OK;
}

static Status os_rename(FileSystem *self, const char *source, const char *target)
{
    (void)self;
    if (rename(source, target) != 0) {
        return status_from_errno(errno, "could not rename \"%s\" to \"%s\"", source, target);
    }
    return STATUS_OK;
}

static Status make_one_directory(FileSystem *self, char *path)
{
    if (mkdir(path, DIRECTORY_MODE) == 0) {
        // A directory lasts once its own entry does.
        char *slash = strrchr(path, '/');
        if (slash == NULL) {
            return os_sync_directory(self, ".");
        }
        if (slash == path) {
            return os_sync_directory(self, "/");
        }
        *slash = '\0';
        Status status = os_sync_directory(self, path);
        *slash = '/';
        return status;
    }
    int error = errno;
    struct stat attributes;
    if (error == EEXIST && stat(path, &attributes) == 0 && S_ISDIR(attributes.st_mode)) {
        return STATUS_OK;
    }
    return status_from_errno(error, "could not make directory \"%s\"", path);
}

static Status os_make_directory(FileSystem *self, const char *path)
{
    char partial[PATH_BYTES_MAX];
    size_t bytes = strlen(path);
    while (bytes > 1 && path[bytes - 1] == '/') {
        bytes--;
    }
    if (bytes == 0 || bytes >= sizeof partial) {
        return status_from_errno(ENAMETOOLONG, "could not make directory \"%s\"", path);
    }
    memcpy(partial, path, bytes);
    partial[bytes] = '\0';
    for (size_t i = 1; i < bytes; i++) {
        if (partial[i] == '/' && partial[i - 1] != '/') {
            partial[i] = '\0';
            TRY(make_one_directory(self, partial));
            partial[i] = '/';
        }
    }
    return make_one_directory(self, partial);
}

static Status os_sync_directory(FileSystem *self, const char *path)
{
    (void)self;
    int fd = open_retrying(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) {
        return status_from_errno(errno, "could not open directory \"%s\"", path);
    }
    int error = fsync(fd) != 0 ? errno : 0;
    close(fd); // opened for reading: nothing can be lost here
    return error == 0 ? STATUS_OK
                      : status_from_errno(error, "could not sync directory \"%s\"", path);
}

static bool is_directory_entry(int directory_fd, const struct dirent *entry)
{
    if (entry->d_type != DT_UNKNOWN && entry->d_type != DT_LNK) {
        return entry->d_type == DT_DIR;
    }
    struct stat attributes;
    return fstatat(directory_fd, entry->d_name, &attributes, 0) == 0 && S_ISDIR(attributes.st_mode);
}

static Status os_list(FileSystem *self, const char *path,
                      Status (*visit)(void *object, const char *name, bool is_directory),
                      void *object)
{
    (void)self;
    DIR *directory = opendir(path);
    if (directory == NULL) {
        return status_from_errno(errno, "could not list directory \"%s\"", path);
    }
    Status status = STATUS_OK;
    while (status == STATUS_OK) {
        errno = 0;
        const struct dirent *entry = readdir(directory);
        if (entry == NULL) {
            if (errno != 0) {
                status = status_from_errno(errno, "could not list directory \"%s\"", path);
            }
            break;
        }
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0) {
            status = visit(object, entry->d_name, is_directory_entry(dirfd(directory), entry));
        }
    }
    closedir(directory);
    return status;
}

static Status os_exists(FileSystem *self, const char *path, bool *exists)
{
    (void)self;
    struct stat attributes;
    if (stat(path, &attributes) == 0) {
        *exists = true;
        return STATUS_OK;
    }
    if (errno == ENOENT || errno == ENOTDIR) {
        *exists = false;
        return STATUS_OK;
    }
    return status_from_errno(errno, "could not stat \"%s\"", path);
}

static Status os_free_bytes(FileSystem *self, const char *path, uint64_t *bytes)
{
    (void)self;
    struct statvfs attributes;
    if (statvfs(path, &attributes) != 0) {
        return status_from_errno(errno, "could not stat the file system of \"%s\"", path);
    }
    *bytes = (uint64_t)attributes.f_bavail * attributes.f_frsize;
    return STATUS_OK;
}
