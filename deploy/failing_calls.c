/* failing_calls.c — counts calls and lets some of them fail; the rest go to the C library's heap
 * and to the operating system's files. */
#include "deploy/failing_calls.h"

#ifdef BASALT_FAULTS

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include "deploy/call_paths.h"

enum { SECTOR_BYTES = 512, PAGE_BYTES = 4096 };

static const struct {
    const char *name;
    bool changes, needs_space;
} calls[FAILING_CALL_COUNT] = {
#define FAILING_CALL(NAME, name, changes, needs_space) {name, changes, needs_space},
#include "deploy/failing_calls.def"
#undef FAILING_CALL
};

// Threads count and fail while another changes the plan: relaxed atomics, nothing else is published
// through them, and which thread meets the failure is chance anyway.
static struct {
    _Atomic uint64_t counts[FAILING_CALL_COUNT];
    _Atomic uint64_t number, failures; /* number 0: none fails */
    _Atomic uint64_t path, path_count; /* path 0: any */
    _Atomic int call, error, first;
    atomic_bool goes_on, has_begun, notes_paths;
} failing;

const char *failing_call_name(FailingCall call)
{
    return calls[call].name;
}

bool failing_call_can(FailingCall call, FailingError error)
{
    return (call == FAILING_CALL_ALLOC) == (error == FAILING_ERROR_REFUSED) &&
           (error != FAILING_ERROR_LATE || calls[call].changes) &&
           (error != FAILING_ERROR_FULL || calls[call].needs_space);
}

/* Of those that the plan counts: which one this is, from 1; 0: it is none of them. */
static uint64_t number_of(FailingCall call, uint64_t count, uint64_t path)
{
    const uint64_t wanted = atomic_load_explicit(&failing.path, memory_order_relaxed);
    if ((int)call != atomic_load_explicit(&failing.call, memory_order_relaxed) ||
        (wanted != 0 && path != wanted)) {
        return 0;
    }
    return wanted == 0
               ? count
               : atomic_fetch_add_explicit(&failing.path_count, 1, memory_order_relaxed) + 1;
}

/* Counts a call; whether it fails, and how. */
static __attribute__((noinline)) bool fails(FailingCall call, FailingError *error)
{
    uint64_t count = atomic_fetch_add_explicit(&failing.counts[call], 1, memory_order_relaxed) + 1;
    uint64_t number = atomic_load_explicit(&failing.number, memory_order_relaxed);
    const bool notes_paths = atomic_load_explicit(&failing.notes_paths, memory_order_relaxed);
    const uint64_t path =
        notes_paths || atomic_load_explicit(&failing.path, memory_order_relaxed) != 0
            ? call_path_here()
            : 0;
    *error = (FailingError)atomic_load_explicit(&failing.error, memory_order_relaxed);
    if (notes_paths) {
        call_paths_note((uint32_t)call, path);
    }
    if (number == 0 || !failing_call_can(call, *error)) {
        return false;
    }
    bool goes_on = atomic_load_explicit(&failing.goes_on, memory_order_relaxed);
    if (number_of(call, count, path) == number) {
        atomic_store_explicit(&failing.first, (int)call, memory_order_relaxed);
        atomic_store_explicit(&failing.has_begun, true, memory_order_relaxed);
    } else if (!goes_on || !atomic_load_explicit(&failing.has_begun, memory_order_relaxed)) {
        return false;
    }
    atomic_fetch_add_explicit(&failing.failures, 1, memory_order_relaxed);
    return true;
}

void failing_calls_set(FailingPlan plan)
{
    atomic_store(&failing.number, 0); // nothing fails while the rest changes
    atomic_store(&failing.notes_paths, false);
    call_paths_forget();
    for (int i = 0; i < FAILING_CALL_COUNT; i++) {
        atomic_store(&failing.counts[i], 0);
    }
    atomic_store(&failing.failures, 0);
    atomic_store(&failing.has_begun, false);
    atomic_store(&failing.call, (int)plan.call);
    atomic_store(&failing.error, (int)plan.error);
    atomic_store(&failing.goes_on, plan.goes_on);
    atomic_store(&failing.path, plan.path);
    atomic_store(&failing.path_count, 0);
    atomic_store(&failing.notes_paths, plan.notes_paths);
    atomic_store(&failing.number, plan.number);
}

uint64_t failing_calls_count(FailingCall call)
{
    return atomic_load(&failing.counts[call]);
}

uint64_t failing_calls_failures(FailingCall *first)
{
    *first = (FailingCall)atomic_load(&failing.first);
    return atomic_load(&failing.failures);
}

/* ---- the heap ---- */

static bool is_refused(void)
{
    FailingError error;
    return fails(FAILING_CALL_ALLOC, &error);
}

static void *failing_alloc(size_t bytes)
{
    return is_refused() ? NULL : malloc(bytes);
}

static void *failing_alloc_zeroed(size_t bytes)
{
    return is_refused() ? NULL : calloc(1, bytes);
}

static void *failing_alloc_aligned(size_t alignment, size_t bytes)
{
    void *memory = NULL;
    return !is_refused() && posix_memalign(&memory, alignment, bytes) == 0 ? memory : NULL;
}

static void *failing_realloc(void *memory, size_t bytes)
{
    return is_refused() ? NULL : realloc(memory, bytes);
}

const HeapOps failing_heap = {
    .alloc = failing_alloc,
    .alloc_zeroed = failing_alloc_zeroed,
    .alloc_aligned = failing_alloc_aligned,
    .realloc = failing_realloc,
    .free = free,
};

/* ---- files ---- */

static const FileOps *os(void)
{
    return file_system_os()->ops;
}

static Status failed(FailingCall call, FailingError error)
{
    return status_from_errno(error == FAILING_ERROR_FULL ? ENOSPC : EIO,
                             "the file call \"%s\" was made to fail", calls[call].name);
}

/* Of a call that changes nothing. */
static Status before_query(FailingCall call)
{
    FailingError error;
    return fails(call, &error) ? failed(call, error) : STATUS_OK;
}

/* Of a call that changes something: `*is_late` when it shall be done and fail then. */
static Status before_change(FailingCall call, bool *is_late)
{
    FailingError error;
    *is_late = false;
    if (!fails(call, &error)) {
        return STATUS_OK;
    }
    *is_late = error == FAILING_ERROR_LATE;
    return *is_late ? STATUS_OK : failed(call, error);
}

static Status after_change(FailingCall call, bool is_late, Status owned_status)
{
    return owned_status == STATUS_OK && is_late ? failed(call, FAILING_ERROR_LATE) : owned_status;
}

static Status failing_open(FileSystem *self, const char *path, uint32_t flags, File **out)
{
    bool makes = (flags & (FILE_CREATE | FILE_EXCLUSIVE)) != 0, is_late = false;
    FailingCall call = makes ? FAILING_CALL_CREATE : FAILING_CALL_OPEN;
    TRY(before_change(call, &is_late));
    TRY(os()->open(self, path, flags, out));
    if (is_late) {
        os()->close(*out);
        *out = NULL;
    }
    return after_change(call, is_late, STATUS_OK);
}

static void failing_close(File *file)
{
    os()->close(file);
}

static Status failing_read(File *file, void *data, size_t bytes, uint64_t offset,
                           size_t *read_bytes)
{
    TRY(before_query(FAILING_CALL_READ));
    return os()->read(file, data, bytes, offset, read_bytes);
}

/* How much of a write was done before it failed: about half, up to the end of a sector, since a
 * sector is written wholly or not at all. Direct writes are of whole pages. */
static size_t half_of(size_t bytes, uint64_t offset)
{
    uint64_t unit = bytes > PAGE_BYTES ? PAGE_BYTES : SECTOR_BYTES;
    uint64_t end = (offset + bytes / 2) / unit * unit;
    return end > offset ? (size_t)(end - offset) : 0;
}

static Status failing_write(File *file, const void *data, size_t bytes, uint64_t offset)
{
    bool is_late = false;
    Status status = before_change(FAILING_CALL_WRITE, &is_late);
    if (status != STATUS_OK) {
        size_t half = half_of(bytes, offset);
        if (half > 0) {
            status_ignore(os()->write(file, data, half, offset), "it fails anyway");
        }
        return status;
    }
    return after_change(FAILING_CALL_WRITE, is_late, os()->write(file, data, bytes, offset));
}

static Status failing_sync(File *file)
{
    bool is_late = false;
    TRY(before_change(FAILING_CALL_SYNC, &is_late));
    return after_change(FAILING_CALL_SYNC, is_late, os()->sync(file));
}

static Status failing_truncate(File *file, uint64_t bytes)
{
    bool is_late = false;
    TRY(before_change(FAILING_CALL_TRUNCATE, &is_late));
    return after_change(FAILING_CALL_TRUNCATE, is_late, os()->truncate(file, bytes));
}

static Status failing_allocate(File *file, uint64_t bytes)
{
    bool is_late = false;
    TRY(before_change(FAILING_CALL_ALLOCATE, &is_late));
    return after_change(FAILING_CALL_ALLOCATE, is_late, os()->allocate(file, bytes));
}

static Status failing_size(File *file, uint64_t *bytes)
{
    TRY(before_query(FAILING_CALL_SIZE));
    return os()->size(file, bytes);
}

static Status failing_remove(FileSystem *self, const char *path)
{
    bool is_late = false;
    TRY(before_change(FAILING_CALL_REMOVE, &is_late));
    return after_change(FAILING_CALL_REMOVE, is_late, os()->remove(self, path));
}

static Status failing_rename(FileSystem *self, const char *source, const char *target)
{
    bool is_late = false;
    TRY(before_change(FAILING_CALL_RENAME, &is_late));
    return after_change(FAILING_CALL_RENAME, is_late, os()->rename(self, source, target));
}

static Status failing_make_directory(FileSystem *self, const char *path)
{
    bool is_late = false;
    TRY(before_change(FAILING_CALL_MAKE_DIRECTORY, &is_late));
    return after_change(FAILING_CALL_MAKE_DIRECTORY, is_late, os()->make_directory(self, path));
}

static Status failing_sync_directory(FileSystem *self, const char *path)
{
    bool is_late = false;
    TRY(before_change(FAILING_CALL_SYNC_DIRECTORY, &is_late));
    return after_change(FAILING_CALL_SYNC_DIRECTORY, is_late, os()->sync_directory(self, path));
}

static Status failing_list(FileSystem *self, const char *path,
                           Status (*visit)(void *object, const char *name, bool is_directory),
                           void *object)
{
    TRY(before_query(FAILING_CALL_LIST));
    return os()->list(self, path, visit, object);
}

static Status failing_exists(FileSystem *self, const char *path, bool *exists)
{
    TRY(before_query(FAILING_CALL_EXISTS));
    return os()->exists(self, path, exists);
}

static Status failing_free_bytes(FileSystem *self, const char *path, uint64_t *bytes)
{
    TRY(before_query(FAILING_CALL_FREE_BYTES));
    return os()->free_bytes(self, path, bytes);
}

static const FileOps failing_file_ops = {
    .open = failing_open,
    .close = failing_close,
    .read = failing_read,
    .write = failing_write,
    .sync = failing_sync,
    .truncate = failing_truncate,
    .allocate = failing_allocate,
    .size = failing_size,
    .remove = failing_remove,
    .rename = failing_rename,
    .make_directory = failing_make_directory,
    .sync_directory = failing_sync_directory,
    .list = failing_list,
    .exists = failing_exists,
    .free_bytes = failing_free_bytes,
};

FileSystem *failing_files(void)
{
    static FileSystem system = {.ops = &failing_file_ops};
    return &system;
}

#else

// A translation unit needs a declaration; builds without faults have nothing else here.
typedef int FailingCallsAreAbsent;

#endif
