/*
 * wal_guard.c — scans SQLite's write-ahead log at open and follows it from then on.
 *
 * Source for the log's bytes: SQLite, "WAL-mode File Format", chapters 2 and 4.
 */
#include "base/io/wal_guard.h"

#include <string.h>

#include "base/hash.h"
#include "base/heap.h"
#include "base/log.h"

#define MARK_MAGIC 0x4B52414D4C415742u /* "BWALMARK" */
enum { MARK_VERSION = 1, MARK_SEED = 1, PATH_BYTES_MAX = 4096 };

typedef struct Mark {
    uint64_t magic;       /* 0..7 */
    uint32_t version;     /* 8..11 */
    uint32_t frame_count; /* 12..15: frames up to the last synced commit, 0: nothing is promised */
    uint32_t salts[2];    /* 16..23: of the log's generation */
    uint32_t sums[2];     /* 24..31: stored in that commit's frame */
    uint64_t hash;        /* 32..39: XXH3 of the bytes before */
} Mark;
static_assert(sizeof(Mark) == 40, "the mark is one write within a sector");

struct WalGuard {
    FileSystem *system;
    File *mark_file; /* null: read only and there is none, or a write of it failed */
    bool is_read_only;
    Mark mark;        /* as written last */
    bool is_in_doubt; /* a write failed, and may have been done: the file may promise more */
    uint32_t salts[2];
    uint32_t commit_count; /* frames up to the last commit frame written */
    uint32_t commit_sums[2];
    uint64_t *page_hashes; /* per frame; 0: unknown */
    uint32_t hash_count, hash_capacity;
    char path[]; /* of the database */
};

typedef struct Frame {
    uint32_t page, commit_pages, salts[2], sums[2];
} Frame;

/* A walk over the log's frames. */
typedef struct Scan {
    File *file;
    uint64_t bytes;
    bool is_big_endian; /* byte order of the words that are summed */
    uint32_t salts[2];
    uint32_t sums[2]; /* running */
    uint8_t *buffer;  /* one frame */
} Scan;

static Status read_mark(WalGuard *guard);
static Status scan_log(WalGuard *guard, const char *log_path);
static Status check_missing_log(const WalGuard *guard, bool has_database);
static Status page_hash_set(WalGuard *guard, uint32_t index, uint64_t hash);

static Status log_damaged(const WalGuard *guard, const char *what)
{
    Status status = status_error(SQLSTATE_DATA_CORRUPTED,
                                 "the write-ahead log of \"%s\" is damaged: %s", guard->path, what);
    return status_with_hint(status, "restore this node from a copy; starting without the log would "
                                    "lose commits that were acknowledged");
}

static Status path_with(const WalGuard *guard, const char *suffix, char path[PATH_BYTES_MAX])
{
    size_t bytes = strlen(guard->path), suffix_bytes = strlen(suffix);
    if (bytes + suffix_bytes >= PATH_BYTES_MAX) {
        return status_error(SQLSTATE_NAME_TOO_LONG, "path \"%s\" is too long", guard->path);
    }
    memcpy(path, guard->path, bytes);
    memcpy(path + bytes, suffix, suffix_bytes + 1);
    return STATUS_OK;
}

Status wal_guard_open(FileSystem *system, const char *path, bool is_read_only, WalGuard **out)
{
    Status status = STATUS_OK;
    char log_path[PATH_BYTES_MAX];
    bool has_log = false, has_database = false;
    size_t path_bytes = strlen(path) + 1;
    WalGuard *guard = heap_alloc_zeroed(sizeof *guard + path_bytes);
    if (guard == NULL) {
        return status_error(SQLSTATE_OUT_OF_MEMORY, "out of memory to open \"%s\"", path);
    }
    guard->system = system;
    guard->is_read_only = is_read_only;
    memcpy(guard->path, path, path_bytes);
    TRY_OR(cleanup, path_with(guard, "-wal", log_path));
    TRY_OR(cleanup, read_mark(guard));
    TRY_OR(cleanup, file_exists(system, path, &has_database));
    TRY_OR(cleanup, file_exists(system, log_path, &has_log));
    if (!has_database || !has_log) {
        TRY_OR(cleanup, check_missing_log(guard, has_database));
    } else {
        TRY_OR(cleanup, scan_log(guard, log_path));
    }
    *out = guard;
    guard = NULL;
cleanup:
    wal_guard_close(guard);
    return status;
}

void wal_guard_close(WalGuard *guard)
{
    if (guard != NULL) {
        file_close(guard->mark_file);
        heap_free(guard->page_hashes);
        heap_free(guard);
    }
}

static uint32_t read_be32(const uint8_t *bytes)
{
    return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 | bytes[3];
}

static uint32_t read_le32(const uint8_t *bytes)
{
    return (uint32_t)bytes[3] << 24 | (uint32_t)bytes[2] << 16 | (uint32_t)bytes[1] << 8 | bytes[0];
}

static Frame frame_parse(const uint8_t *header)
{
    return (Frame){
        .page = read_be32(header),
        .commit_pages = read_be32(header + 4),
        .salts = {read_be32(header + 8), read_be32(header + 12)},
        .sums = {read_be32(header + 16), read_be32(header + 20)},
    };
}

// Never 0, which stands for "unknown".
static uint64_t page_hash(const void *page)
{
    uint64_t hash = hash_bytes(page, SQLITE_PAGE_BYTES, 0);
    return hash != 0 ? hash : 1;
}

// Frame and place inside it of a position of the log behind its header.
static uint32_t frame_at(uint64_t offset, size_t *place)
{
    *place = (size_t)((offset - WAL_HEADER_BYTES) % WAL_FRAME_BYTES);
    return (uint32_t)((offset - WAL_HEADER_BYTES) / WAL_FRAME_BYTES);
}

// SQLite writes a frame as its header and its page, one after the other. It may write the pages of
// an open transaction again, and then the headers of all frames behind with their new sums.
Status wal_guard_wrote(WalGuard *guard, const void *data, size_t bytes, uint64_t offset)
{
    const uint8_t *source = data;
    if (offset < WAL_HEADER_BYTES) {
        if (offset == 0 && bytes == WAL_HEADER_BYTES) { // a new generation
            guard->salts[0] = read_be32(source + 16);
            guard->salts[1] = read_be32(source + 20);
        }
        guard->commit_count = 0;
        guard->hash_count = 0;
        return STATUS_OK;
    }
    size_t place;
    uint32_t index = frame_at(offset, &place);
    if (place == 0 && bytes >= WAL_FRAME_HEADER_BYTES) {
        Frame frame = frame_parse(source);
        if (frame.commit_pages != 0) {
            guard->commit_count = index + 1;
            memcpy(guard->commit_sums, frame.sums, sizeof frame.sums);
        }
        if (bytes == WAL_FRAME_HEADER_BYTES) {
            return STATUS_OK; // its page keeps the hash it has
        }
    }
    size_t page_place = place == 0 ? WAL_FRAME_HEADER_BYTES : 0;
    bool has_page =
        (place == 0 || place == WAL_FRAME_HEADER_BYTES) && bytes == page_place + SQLITE_PAGE_BYTES;
    return page_hash_set(guard, index, has_page ? page_hash(source + page_place) : 0);
}

Status wal_guard_check(const WalGuard *guard, const void *data, size_t bytes, uint64_t offset)
{
    if (offset < WAL_HEADER_BYTES) {
        return STATUS_OK;
    }
    size_t place;
    uint32_t index = frame_at(offset, &place);
    size_t page_place = place == 0 ? WAL_FRAME_HEADER_BYTES : 0;
    bool has_page =
        (place == 0 || place == WAL_FRAME_HEADER_BYTES) && bytes >= page_place + SQLITE_PAGE_BYTES;
    if (!has_page || index >= guard->hash_count || guard->page_hashes[index] == 0) {
        return STATUS_OK;
    }
    if (page_hash((const uint8_t *)data + page_place) == guard->page_hashes[index]) {
        return STATUS_OK;
    }
    return status_error(SQLSTATE_DATA_CORRUPTED,
                        "frame %u of the write-ahead log of \"%s\" is not what was written",
                        index + 1, guard->path);
}

static void mark_seal(Mark *mark)
{
    mark->magic = MARK_MAGIC;
    mark->version = MARK_VERSION;
    mark->hash = hash_bytes(mark, offsetof(Mark, hash), MARK_SEED);
}

// After a failed write: the file is given up, what it says is not known.
static Status doubt_mark(WalGuard *guard, Status owned_status)
{
    if (owned_status != STATUS_OK) {
        guard->is_in_doubt = true;
        file_close(guard->mark_file);
        guard->mark_file = NULL;
    }
    return owned_status;
}

// Errors are only reported: the commit is durable without the mark, and an old mark is a true one.
void wal_guard_synced(WalGuard *guard)
{
    if (guard->mark_file == NULL || guard->is_read_only || guard->commit_count == 0) {
        return;
    }
    Mark mark = {.frame_count = guard->commit_count};
    memcpy(mark.salts, guard->salts, sizeof mark.salts);
    memcpy(mark.sums, guard->commit_sums, sizeof mark.sums);
    mark_seal(&mark);
    if (memcmp(&mark, &guard->mark, sizeof mark) == 0) {
        return;
    }
    Status status = doubt_mark(guard, file_write(guard->mark_file, &mark, sizeof mark, 0));
    if (status != STATUS_OK) {
        log_status(LOG_WARN, "wal_mark_not_written", status);
        status_free(status);
        return;
    }
    guard->mark = mark;
}

static Status open_mark(WalGuard *guard, uint32_t flags)
{
    char path[PATH_BYTES_MAX];
    TRY(path_with(guard, "-mark", path));
    return file_open(guard->system, path, flags, &guard->mark_file);
}

Status wal_guard_forget(WalGuard *guard)
{
    guard->commit_count = 0; // a sync of the emptied log marks nothing
    if (guard->mark.frame_count == 0 && !guard->is_in_doubt) {
        return STATUS_OK;
    }
    if (guard->mark_file == NULL) {
        TRY(open_mark(guard, FILE_READ | FILE_WRITE | FILE_CREATE));
    }
    Mark none = {0};
    mark_seal(&none);
    TRY(doubt_mark(guard, file_write(guard->mark_file, &none, sizeof none, 0)));
    TRY(doubt_mark(guard, file_sync(guard->mark_file)));
    guard->mark = none;
    guard->is_in_doubt = false;
    return STATUS_OK;
}

static Status load_mark(File *file, Mark *mark, size_t *bytes, bool *is_sound)
{
    TRY(file_read(file, mark, sizeof *mark, 0, bytes));
    *is_sound = *bytes == sizeof *mark && mark->magic == MARK_MAGIC &&
                mark->hash == hash_bytes(mark, offsetof(Mark, hash), MARK_SEED);
    return STATUS_OK;
}

Status wal_guard_check_mark(FileSystem *system, const char *path)
{
    File *file = NULL;
    Mark mark;
    size_t bytes = 0;
    bool is_sound = false;
    TRY(file_open(system, path, FILE_READ, &file));
    Status status = load_mark(file, &mark, &bytes, &is_sound);
    file_close(file);
    if (status == STATUS_OK && !is_sound && bytes > 0) {
        status = status_error(SQLSTATE_DATA_CORRUPTED, "the mark of the log does not check");
    }
    return status;
}

// A mark that is short, empty or does not check promises nothing: a power cut may leave it so.
static Status read_mark(WalGuard *guard)
{
    char path[PATH_BYTES_MAX];
    size_t bytes = 0;
    Mark mark;
    TRY(path_with(guard, "-mark", path));
    if (guard->is_read_only) {
        bool exists = false;
        TRY(file_exists(guard->system, path, &exists));
        if (!exists) {
            return STATUS_OK;
        }
    }
    uint32_t flags = guard->is_read_only ? FILE_READ : FILE_READ | FILE_WRITE | FILE_CREATE;
    TRY(open_mark(guard, flags));
    bool is_sound = false;
    TRY(load_mark(guard->mark_file, &mark, &bytes, &is_sound));
    if (is_sound && mark.version > MARK_VERSION) {
        return status_error(SQLSTATE_DATA_CORRUPTED, "\"%s\" has version %u, this program knows %d",
                            path, mark.version, MARK_VERSION);
    }
    if (is_sound) {
        guard->mark = mark;
    } else if (bytes > 0) {
        log_warn("wal_mark_unsound", "path=\"%s\" bytes=%zu", path, bytes);
    }
    return STATUS_OK;
}

static Status check_missing_log(const WalGuard *guard, bool has_database)
{
    if (guard->mark.frame_count == 0) {
        return STATUS_OK;
    }
    return log_damaged(guard, has_database ? "the log is missing" : "its database is missing");
}

// The log's checksum: two running sums over pairs of 32-bit words.
static void add_sums(const Scan *scan, uint32_t sums[2], const uint8_t *data, size_t bytes)
{
    for (size_t i = 0; i < bytes; i += 8) {
        const uint8_t *pair = data + i;
        uint32_t first = scan->is_big_endian ? read_be32(pair) : read_le32(pair);
        uint32_t second = scan->is_big_endian ? read_be32(pair + 4) : read_le32(pair + 4);
        sums[0] += first + sums[1];
        sums[1] += second + sums[0];
    }
}

// False when the log has no sound header: SQLite takes such a log for empty.
static Status scan_header(Scan *scan, bool *is_sound)
{
    uint8_t header[WAL_HEADER_BYTES];
    size_t bytes = 0;
    *is_sound = false;
    TRY(file_read(scan->file, header, sizeof header, 0, &bytes));
    if (bytes < sizeof header) {
        return STATUS_OK;
    }
    uint32_t magic = read_be32(header);
    scan->is_big_endian = (magic & 1) != 0;
    add_sums(scan, scan->sums, header, 24);
    scan->salts[0] = read_be32(header + 16);
    scan->salts[1] = read_be32(header + 20);
    *is_sound = (magic & ~1u) == 0x377F0682u && read_be32(header + 8) == SQLITE_PAGE_BYTES &&
                scan->sums[0] == read_be32(header + 24) && scan->sums[1] == read_be32(header + 28);
    return STATUS_OK;
}

static bool has_frame(const Scan *scan, uint32_t index)
{
    return scan->bytes >= WAL_HEADER_BYTES + ((uint64_t)index + 1) * WAL_FRAME_BYTES;
}

// Reads frame `index` and tells whether it belongs to this generation and follows from `sums`,
// which then become its own; without a match they become what the frame says of itself.
static Status scan_frame(Scan *scan, uint32_t index, uint32_t sums[2], Frame *frame, bool *is_sound)
{
    uint64_t offset = WAL_HEADER_BYTES + (uint64_t)index * WAL_FRAME_BYTES;
    TRY(file_read_exact(scan->file, scan->buffer, WAL_FRAME_BYTES, offset));
    *frame = frame_parse(scan->buffer);
    add_sums(scan, sums, scan->buffer, 8);
    add_sums(scan, sums, scan->buffer + WAL_FRAME_HEADER_BYTES, SQLITE_PAGE_BYTES);
    *is_sound = frame->page != 0 && memcmp(frame->salts, scan->salts, sizeof scan->salts) == 0 &&
                memcmp(frame->sums, sums, sizeof frame->sums) == 0;
    memcpy(sums, frame->sums, sizeof frame->sums);
    return STATUS_OK;
}

// True when a frame follows a commit frame that stands behind frame `bad`: the commit was synced
// before the frame was written, and with it the bad one. Frames are judged by the sums that the one
// before tells of itself, since the chain is broken. What a rolled-back transaction left behind
// holds no commit and follows none.
static Status is_damage(Scan *scan, uint32_t bad, bool *is_found)
{
    bool follows_commit = false;
    uint32_t sums[2] = {0, 0};
    *is_found = false;
    for (uint32_t index = bad; has_frame(scan, index); index++) {
        Frame frame;
        bool is_sound;
        TRY(scan_frame(scan, index, sums, &frame, &is_sound));
        is_sound = is_sound && index > bad;
        if (is_sound && follows_commit) {
            *is_found = true;
            return STATUS_OK;
        }
        follows_commit = is_sound && frame.commit_pages != 0;
    }
    return STATUS_OK;
}

// Walks the frames SQLite will accept and keeps the hashes of their pages. `promised`: how many the
// mark says were synced.
static Status scan_frames(WalGuard *guard, Scan *scan, uint32_t promised, uint32_t *bad)
{
    uint32_t sums[2] = {scan->sums[0], scan->sums[1]};
    uint32_t index = 0;
    for (; has_frame(scan, index); index++) {
        Frame frame;
        bool is_sound;
        TRY(scan_frame(scan, index, sums, &frame, &is_sound));
        if (!is_sound) {
            break;
        }
        TRY(page_hash_set(guard, index, page_hash(scan->buffer + WAL_FRAME_HEADER_BYTES)));
        if (frame.commit_pages != 0) {
            guard->commit_count = index + 1;
            memcpy(guard->commit_sums, frame.sums, sizeof frame.sums);
        }
        if (index + 1 == promised && memcmp(frame.sums, guard->mark.sums, sizeof frame.sums) != 0) {
            return log_damaged(guard, "it is not the log that was synced");
        }
    }
    *bad = index;
    return STATUS_OK;
}

static Status scan_generation(WalGuard *guard, Scan *scan)
{
    memcpy(guard->salts, scan->salts, sizeof scan->salts);
    // A mark of a former generation promises nothing: its frames are in the database by now.
    bool is_current = memcmp(guard->mark.salts, scan->salts, sizeof scan->salts) == 0;
    uint32_t promised = is_current ? guard->mark.frame_count : 0;
    uint32_t bad = 0;
    bool is_found = false;
    TRY(scan_frames(guard, scan, promised, &bad));
    if (guard->commit_count < promised) {
        return log_damaged(guard, "a synced frame does not check");
    }
    TRY(is_damage(scan, bad, &is_found));
    if (is_found) {
        return log_damaged(guard, "a frame does not check, later ones do");
    }
    // A process that died between write and sync left commits in the page cache only. They are
    // about to be believed, so they must last.
    if (guard->commit_count > promised && !guard->is_read_only) {
        TRY(file_sync(scan->file));
        wal_guard_synced(guard);
    }
    return STATUS_OK;
}

// A log without a sound header holds nothing, yet SQLite names the next generation after it: frames
// of that name behind those to come would look like commits behind a damaged frame.
static Status empty_log(const WalGuard *guard, File *log)
{
    log_warn("wal_header_unsound", "path=\"%s-wal\"", guard->path);
    TRY(file_truncate(log, 0));
    return file_sync(log);
}

static Status scan_log(WalGuard *guard, const char *log_path)
{
    Status status = STATUS_OK;
    bool is_sound = false;
    Scan scan = {.buffer = heap_alloc(WAL_FRAME_BYTES)};
    if (scan.buffer == NULL) {
        return status_error(SQLSTATE_OUT_OF_MEMORY, "out of memory to read \"%s\"", log_path);
    }
    TRY_OR(cleanup, file_open(guard->system, log_path, FILE_READ | FILE_WRITE, &scan.file));
    TRY_OR(cleanup, file_size(scan.file, &scan.bytes));
    TRY_OR(cleanup, scan_header(&scan, &is_sound));
    if (is_sound) {
        TRY_OR(cleanup, scan_generation(guard, &scan));
    } else if (guard->mark.frame_count > 0) {
        status = log_damaged(guard, "its header does not check");
    } else if (scan.bytes > 0 && !guard->is_read_only) {
        status = empty_log(guard, scan.file);
    }
cleanup:
    file_close(scan.file);
    heap_free(scan.buffer);
    return status;
}

static Status page_hash_set(WalGuard *guard, uint32_t index, uint64_t hash)
{
    if (index >= guard->hash_capacity) {
        uint32_t capacity = guard->hash_capacity > 0 ? guard->hash_capacity : 512;
        while (capacity <= index) {
            capacity *= 2;
        }
        uint64_t *hashes = heap_realloc(guard->page_hashes, capacity * sizeof *hashes);
        if (hashes == NULL) {
            return status_error(SQLSTATE_OUT_OF_MEMORY, "out of memory for the log's page hashes");
        }
        guard->page_hashes = hashes;
        guard->hash_capacity = capacity;
    }
    for (; guard->hash_count <= index; guard->hash_count++) {
        guard->page_hashes[guard->hash_count] = 0;
    }
    guard->page_hashes[index] = hash;
    return STATUS_OK;
}
