/* sqlite_vfs.c — the methods SQLite calls for its files, in the order of sqlite3.h. */
#include "base/io/sqlite_vfs.h"

#include <sqlite3.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/crypto.h"
#include "base/hash.h"
#include "base/heap.h"
#include "base/io/wal_guard.h"

enum {
    PATH_BYTES_MAX = 4096,
    NAME_BYTES = 32,
    CHECKED_BYTES = SQLITE_PAGE_BYTES - SQLITE_RESERVED_BYTES,
    HEADER_READ_BYTES_MAX = 512, /* a shorter read is one of the file's header */
    ALLOCATE_BYTES = 1 << 20     /* space is set aside in such steps */
};

struct SqliteVfs {
    sqlite3_vfs methods; /* first: SQLite hands this pointer back */
    FileSystem *system;
    WalGuard *guard;
    Status error; /* the first since it was taken */
    bool has_broken_log, is_broken;
    char name[NAME_BYTES];
};

typedef enum FileKind { FILE_KIND_DATABASE, FILE_KIND_LOG, FILE_KIND_OTHER } FileKind;

typedef struct VfsFile {
    sqlite3_file methods; /* first */
    SqliteVfs *vfs;
    File *file;
    FileKind kind;
    uint64_t allocated_bytes;
    uint8_t page[SQLITE_PAGE_BYTES]; /* a page with its checksum, on the way out */
} VfsFile;

// Keeps the first error for sqlite_vfs_take_error and gives SQLite the nearest code.
static int vfs_failed(SqliteVfs *vfs, Status owned_status, int code)
{
    switch (status_sqlstate(owned_status)) {
    case SQLSTATE_DISK_FULL:
        code = SQLITE_FULL;
        break;
    case SQLSTATE_OUT_OF_MEMORY:
        code = SQLITE_IOERR_NOMEM;
        break;
    case SQLSTATE_DATA_CORRUPTED:
        code = SQLITE_IOERR_DATA;
        break;
    default:
        break;
    }
    vfs->error = status_first(vfs->error, owned_status);
    return code;
}

// What was written and not synced may be there after a crash, or not.
static int write_failed(VfsFile *self, Status owned_status, int code)
{
    self->vfs->is_broken = self->vfs->is_broken || file_is_poisoned(self->file);
    if (self->kind == FILE_KIND_LOG && file_is_poisoned(self->file)) {
        self->vfs->has_broken_log = true;
    }
    return vfs_failed(self->vfs, owned_status, code);
}

static uint64_t page_sum(const uint8_t *page, uint64_t number)
{
    return hash_bytes(page, CHECKED_BYTES, number);
}

static void page_sum_put(uint8_t *page, uint64_t sum)
{
    for (size_t i = 0; i < SQLITE_RESERVED_BYTES; i++) {
        page[CHECKED_BYTES + i] = (uint8_t)(sum >> (8 * i));
    }
}

static uint64_t page_sum_get(const uint8_t *page)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < SQLITE_RESERVED_BYTES; i++) {
        sum |= (uint64_t)page[CHECKED_BYTES + i] << (8 * i);
    }
    return sum;
}

static int file_close_method(sqlite3_file *object)
{
    VfsFile *self = (VfsFile *)object;
    file_close(self->file);
    self->file = NULL;
    return SQLITE_OK;
}

static Status page_damaged(uint64_t number)
{
    return status_error(SQLSTATE_DATA_CORRUPTED, "page %lu does not match its checksum", number);
}

// Reads of the file's header come before SQLite knows of the log, which may hold a newer page 1
// while a power cut tore the one here. They only find the page size; the page itself is read whole
// before anything in it is believed.
static Status check_database_read(const void *data, size_t bytes, uint64_t offset)
{
    if (bytes < HEADER_READ_BYTES_MAX) {
        return STATUS_OK;
    }
    uint64_t number = offset / SQLITE_PAGE_BYTES + 1;
    if (bytes == SQLITE_PAGE_BYTES && offset % SQLITE_PAGE_BYTES == 0 &&
        page_sum_get(data) == page_sum(data, number)) {
        return STATUS_OK;
    }
    return page_damaged(number);
}

static int file_read_method(sqlite3_file *object, void *data, int bytes, sqlite3_int64 offset)
{
    VfsFile *self = (VfsFile *)object;
    size_t wanted = (size_t)bytes, found = 0;
    Status status = file_read(self->file, data, wanted, (uint64_t)offset, &found);
    if (status != STATUS_OK) {
        return vfs_failed(self->vfs, status, SQLITE_IOERR_READ);
    }
    if (found == wanted || (found > 0 && wanted == SQLITE_PAGE_BYTES)) {
        if (found < wanted) {
            memset((char *)data + found, 0, wanted - found);
        }
        if (self->kind == FILE_KIND_DATABASE) {
            status = found < wanted // a zero at the end may be missed by no checksum
                         ? page_damaged((uint64_t)offset / SQLITE_PAGE_BYTES + 1)
                         : check_database_read(data, wanted, (uint64_t)offset);
        } else if (self->kind == FILE_KIND_LOG) {
            status = wal_guard_check(self->vfs->guard, data, wanted, (uint64_t)offset);
        }
        if (status != STATUS_OK) {
            return vfs_failed(self->vfs, status, SQLITE_IOERR_DATA);
        }
    }
    if (found == wanted) {
        return SQLITE_OK;
    }
    memset((char *)data + found, 0, wanted - found); // SQLite asks for that
    return SQLITE_IOERR_SHORT_READ;
}

// Space is set aside ahead, so that a full disk refuses here, where nothing is half done and the
// file is not poisoned: the transaction ends with 53100 and the store goes on.
static Status make_room(VfsFile *self, uint64_t end)
{
    if (end <= self->allocated_bytes) {
        return STATUS_OK;
    }
    uint64_t wanted = (end + ALLOCATE_BYTES - 1) / ALLOCATE_BYTES * ALLOCATE_BYTES;
    TRY(file_allocate(self->file, wanted));
    self->allocated_bytes = wanted;
    return STATUS_OK;
}

static Status write_database_page(VfsFile *self, const void *data, size_t bytes, uint64_t offset)
{
    if (bytes != SQLITE_PAGE_BYTES || offset % SQLITE_PAGE_BYTES != 0) {
        return status_error(SQLSTATE_INTERNAL_ERROR,
                            "write of %zu bytes at offset %lu is not one of a page", bytes, offset);
    }
    memcpy(self->page, data, CHECKED_BYTES);
    page_sum_put(self->page, page_sum(self->page, offset / SQLITE_PAGE_BYTES + 1));
    return file_write(self->file, self->page, bytes, offset);
}

static Status write_any(VfsFile *self, const void *data, size_t bytes, uint64_t offset)
{
    TRY(make_room(self, offset + bytes));
    switch (self->kind) {
    case FILE_KIND_DATABASE:
        return write_database_page(self, data, bytes, offset);
    case FILE_KIND_LOG:
        TRY(file_write(self->file, data, bytes, offset));
        return wal_guard_wrote(self->vfs->guard, data, bytes, offset);
    case FILE_KIND_OTHER:
        break;
    }
    return file_write(self->file, data, bytes, offset);
}

static int file_write_method(sqlite3_file *object, const void *data, int bytes,
                             sqlite3_int64 offset)
{
    VfsFile *self = (VfsFile *)object;
    Status status = write_any(self, data, (size_t)bytes, (uint64_t)offset);
    return status == STATUS_OK ? SQLITE_OK : write_failed(self, status, SQLITE_IOERR_WRITE);
}

static int file_truncate_method(sqlite3_file *object, sqlite3_int64 bytes)
{
    VfsFile *self = (VfsFile *)object;
    Status status = STATUS_OK;
    if (self->kind == FILE_KIND_LOG && bytes == 0) {
        status = wal_guard_forget(self->vfs->guard);
    }
    if (status == STATUS_OK) {
        status = file_truncate(self->file, (uint64_t)bytes);
    }
    self->allocated_bytes = 0; // asked for again at the next write
    return status == STATUS_OK ? SQLITE_OK : write_failed(self, status, SQLITE_IOERR_TRUNCATE);
}

static int file_sync_method(sqlite3_file *object, int flags)
{
    (void)flags;
    VfsFile *self = (VfsFile *)object;
    Status status = file_sync(self->file);
    if (status != STATUS_OK) {
        return write_failed(self, status, SQLITE_IOERR_FSYNC);
    }
    if (self->kind == FILE_KIND_LOG) {
        wal_guard_synced(self->vfs->guard);
    }
    return SQLITE_OK;
}

static int file_size_method(sqlite3_file *object, sqlite3_int64 *bytes)
{
    VfsFile *self = (VfsFile *)object;
    uint64_t size = 0;
    Status status = file_size(self->file, &size);
    if (status != STATUS_OK) {
        return vfs_failed(self->vfs, status, SQLITE_IOERR_FSTAT);
    }
    *bytes = (sqlite3_int64)size;
    return SQLITE_OK;
}

static int file_lock_method(sqlite3_file *object, int level)
{
    (void)object, (void)level;
    return SQLITE_OK;
}

static int file_check_lock_method(sqlite3_file *object, int *is_reserved)
{
    (void)object;
    *is_reserved = 0;
    return SQLITE_OK;
}

static int file_control_method(sqlite3_file *object, int operation, void *argument)
{
    (void)object, (void)operation, (void)argument;
    return SQLITE_NOTFOUND;
}

static int file_sector_method(sqlite3_file *object)
{
    (void)object;
    return SQLITE_PAGE_BYTES;
}

// A write does not change bytes beside it, even when power fails: then frames of the log are
// written once, and never again as padding.
static int file_device_method(sqlite3_file *object)
{
    (void)object;
    return SQLITE_IOCAP_POWERSAFE_OVERWRITE;
}

static const sqlite3_io_methods file_methods = {
    .iVersion = 1, // no shared memory, no memory mapping
    .xClose = file_close_method,
    .xRead = file_read_method,
    .xWrite = file_write_method,
    .xTruncate = file_truncate_method,
    .xSync = file_sync_method,
    .xFileSize = file_size_method,
    .xLock = file_lock_method,
    .xUnlock = file_lock_method,
    .xCheckReservedLock = file_check_lock_method,
    .xFileControl = file_control_method,
    .xSectorSize = file_sector_method,
    .xDeviceCharacteristics = file_device_method,
};

static Status open_file(SqliteVfs *vfs, const char *path, int flags, File **out)
{
    const bool creates = (flags & SQLITE_OPEN_CREATE) != 0;
    uint32_t file_flags = FILE_READ;
    file_flags |= (flags & SQLITE_OPEN_READWRITE) != 0 ? FILE_WRITE : 0;
    file_flags |= creates ? FILE_CREATE : 0;
    TRY(file_open(vfs->system, path, file_flags, out));
    if (creates) { // also when it was there: who made it may have died before this
        Status status = file_sync_parent(vfs->system, path);
        if (status != STATUS_OK) {
            file_close(*out);
            return status;
        }
    }
    return STATUS_OK;
}

static int vfs_open_method(sqlite3_vfs *object, const char *path, sqlite3_file *file, int flags,
                           int *flags_used)
{
    SqliteVfs *vfs = (SqliteVfs *)object;
    VfsFile *self = (VfsFile *)file;
    *self = (VfsFile){.vfs = vfs, .kind = FILE_KIND_OTHER};
    if (path == NULL) {
        // Temporary files live in memory (temp_store); nobody asks for one.
        return vfs_failed(vfs, status_error(SQLSTATE_INTERNAL_ERROR, "unexpected temporary file"),
                          SQLITE_CANTOPEN);
    }
    if ((flags & SQLITE_OPEN_MAIN_DB) != 0) {
        self->kind = FILE_KIND_DATABASE;
    } else if ((flags & SQLITE_OPEN_WAL) != 0) {
        self->kind = FILE_KIND_LOG;
    }
    Status status = open_file(vfs, path, flags, &self->file);
    if (status != STATUS_OK) {
        return vfs_failed(vfs, status, SQLITE_CANTOPEN);
    }
    self->methods.pMethods = &file_methods;
    if (flags_used != NULL) {
        *flags_used = flags;
    }
    return SQLITE_OK;
}

static bool ends_in(const char *text, const char *suffix)
{
    size_t bytes = strlen(text), suffix_bytes = strlen(suffix);
    return bytes >= suffix_bytes && strcmp(text + bytes - suffix_bytes, suffix) == 0;
}

static int vfs_delete_method(sqlite3_vfs *object, const char *path, int syncs_directory)
{
    SqliteVfs *vfs = (SqliteVfs *)object;
    Status status = ends_in(path, "-wal") ? wal_guard_forget(vfs->guard) : STATUS_OK;
    if (status == STATUS_OK) {
        status = file_remove(vfs->system, path);
    }
    if (status == STATUS_OK && syncs_directory) {
        status = file_sync_parent(vfs->system, path);
    }
    return status == STATUS_OK ? SQLITE_OK : vfs_failed(vfs, status, SQLITE_IOERR_DELETE);
}

static int vfs_access_method(sqlite3_vfs *object, const char *path, int flags, int *result)
{
    (void)flags;
    SqliteVfs *vfs = (SqliteVfs *)object;
    bool exists = false;
    Status status = file_exists(vfs->system, path, &exists);
    if (status != STATUS_OK) {
        return vfs_failed(vfs, status, SQLITE_IOERR_ACCESS);
    }
    *result = exists;
    return SQLITE_OK;
}

static int vfs_full_path_method(sqlite3_vfs *object, const char *path, int bytes_max, char *full)
{
    (void)object;
    size_t bytes = strlen(path) + 1;
    if (bytes > (size_t)bytes_max) {
        return SQLITE_CANTOPEN;
    }
    memcpy(full, path, bytes);
    return SQLITE_OK;
}

static int vfs_randomness_method(sqlite3_vfs *object, int bytes, char *target)
{
    Status status = crypto_random(target, (size_t)bytes);
    if (status != STATUS_OK) {
        vfs_failed((SqliteVfs *)object, status, SQLITE_IOERR);
        return 0;
    }
    return bytes;
}

static int vfs_sleep_method(sqlite3_vfs *object, int us)
{
    (void)object;
    clock_sleep_us(us);
    return us;
}

// Milliseconds since the beginning of Julian day 0: SQLite's own epoch.
static int vfs_time_ms_method(sqlite3_vfs *object, sqlite3_int64 *time_ms)
{
    (void)object;
    *time_ms = 210866760000000 + clock_wall_us() / 1000;
    return SQLITE_OK;
}

static int vfs_time_method(sqlite3_vfs *object, double *days)
{
    sqlite3_int64 time_ms = 0;
    vfs_time_ms_method(object, &time_ms);
    *days = (double)time_ms / 86400000.0;
    return SQLITE_OK;
}

static int vfs_last_error_method(sqlite3_vfs *object, int bytes, char *text)
{
    (void)object, (void)bytes, (void)text;
    return 0;
}

Status sqlite_vfs_create(FileSystem *system, const char *path, bool is_read_only, SqliteVfs **out)
{
    static _Atomic uint64_t vfs_count; // only makes names unique: relaxed
    SqliteVfs *vfs = heap_alloc_zeroed(sizeof *vfs);
    if (vfs == NULL) {
        return status_error(SQLSTATE_OUT_OF_MEMORY, "out of memory to open \"%s\"", path);
    }
    vfs->system = system;
    Status status = wal_guard_open(system, path, is_read_only, &vfs->guard);
    if (status != STATUS_OK) {
        heap_free(vfs);
        return status;
    }
    snprintf(vfs->name, sizeof vfs->name, "basalt-%lu",
             atomic_fetch_add_explicit(&vfs_count, 1, memory_order_relaxed));
    vfs->methods = (sqlite3_vfs){
        .iVersion = 2,
        .szOsFile = sizeof(VfsFile),
        .mxPathname = PATH_BYTES_MAX,
        .zName = vfs->name,
        .xOpen = vfs_open_method,
        .xDelete = vfs_delete_method,
        .xAccess = vfs_access_method,
        .xFullPathname = vfs_full_path_method,
        .xRandomness = vfs_randomness_method,
        .xSleep = vfs_sleep_method,
        .xCurrentTime = vfs_time_method,
        .xGetLastError = vfs_last_error_method,
        .xCurrentTimeInt64 = vfs_time_ms_method,
    };
    if (sqlite3_vfs_register(&vfs->methods, 0) != SQLITE_OK) {
        wal_guard_close(vfs->guard);
        heap_free(vfs);
        return status_error(SQLSTATE_OUT_OF_MEMORY, "out of memory to open \"%s\"", path);
    }
    *out = vfs;
    return STATUS_OK;
}

void sqlite_vfs_destroy(SqliteVfs *vfs)
{
    if (vfs == NULL) {
        return;
    }
    sqlite3_vfs_unregister(&vfs->methods);
    wal_guard_close(vfs->guard);
    status_ignore(vfs->error, "nobody asked for it");
    heap_free(vfs);
}

static Status log_has_frames(FileSystem *system, const char *path, bool *has_frames)
{
    char log_path[PATH_BYTES_MAX];
    bool exists = false;
    File *log = NULL;
    uint64_t bytes = 0;
    *has_frames = false;
    snprintf(log_path, sizeof log_path, "%s-wal", path);
    TRY(file_exists(system, log_path, &exists));
    if (!exists) {
        return STATUS_OK;
    }
    TRY(file_open(system, log_path, FILE_READ, &log));
    Status status = file_size(log, &bytes);
    file_close(log);
    *has_frames = bytes > WAL_HEADER_BYTES;
    return status;
}

static Status check_pages(File *file, const char *path)
{
    uint64_t bytes = 0;
    uint8_t page[SQLITE_PAGE_BYTES];
    TRY(file_size(file, &bytes));
    for (uint64_t number = 1; number <= bytes / SQLITE_PAGE_BYTES; number++) {
        TRY(file_read_exact(file, page, sizeof page, (number - 1) * SQLITE_PAGE_BYTES));
        if (page_sum_get(page) != page_sum(page, number)) {
            return status_with_context(page_damaged(number), "metadata store \"%s\"", path);
        }
    }
    if (bytes % SQLITE_PAGE_BYTES != 0) {
        return status_with_context(page_damaged(bytes / SQLITE_PAGE_BYTES + 1),
                                   "metadata store \"%s\"", path);
    }
    return STATUS_OK;
}

Status sqlite_vfs_check_pages(FileSystem *system, const char *path)
{
    bool has_frames = false;
    File *file = NULL;
    TRY(log_has_frames(system, path, &has_frames));
    if (has_frames) {
        return STATUS_OK;
    }
    TRY(file_open(system, path, FILE_READ, &file));
    Status status = check_pages(file, path);
    file_close(file);
    return status;
}

const char *sqlite_vfs_name(const SqliteVfs *vfs)
{
    return vfs->name;
}

bool sqlite_vfs_has_broken_log(const SqliteVfs *vfs)
{
    return vfs->has_broken_log;
}

bool sqlite_vfs_is_broken(const SqliteVfs *vfs)
{
    return vfs->is_broken;
}

Status sqlite_vfs_take_error(SqliteVfs *vfs)
{
    Status error = vfs->error;
    vfs->error = STATUS_OK;
    return error;
}
