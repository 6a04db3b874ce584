/*
 * wal_guard.h — what SQLite's write-ahead log does not protect: its end, and reads from it.
 *
 * SQLite takes the first frame that does not check for the end of the log. Bit rot in a synced
 * frame would thus cut acknowledged commits off without a word, while after a power cut the very
 * same bytes are legal, since the frames of the commit in flight may survive in any subset. Three
 * things tell the two apart:
 *   - the mark, a small file beside the log that names the last commit known to be synced. It is
 *     written after the sync and never ahead of it; it may be behind, because it is not synced
 * itself;
 *   - a frame behind a commit frame behind a bad one: it was written after that commit's sync;
 *   - a hash of each frame's page, kept in memory, checked whenever the page is read.
 *
 * Invariants: (1) the mark never names a frame that is not durable; (2) it is withdrawn durably
 * before the log is removed or emptied; (3) one thread at a time.
 */
#pragma once
#include "base/io/file.h"

enum {
    SQLITE_PAGE_BYTES = 4096,
    WAL_HEADER_BYTES = 32,
    WAL_FRAME_HEADER_BYTES = 24,
    WAL_FRAME_BYTES = WAL_FRAME_HEADER_BYTES + SQLITE_PAGE_BYTES
};

typedef struct WalGuard WalGuard;

/* Reads the mark and the log of the database at `path`, before SQLite does. XX001 when synced
 * frames are missing or damaged. Read only: nothing is made, synced or marked. */
Status wal_guard_open(FileSystem *system, const char *path, bool is_read_only,
                      WalGuard **out) CHECKED;
void wal_guard_close(WalGuard *guard); /* null is allowed */
/* XX001 when the mark at `path` does not check: it promises nothing then, so that a log cut short
 * would go unnoticed. */
Status wal_guard_check_mark(FileSystem *system, const char *path) CHECKED;

/* After a write to the log, a read from it (XX001 when a page is not what was written), its sync.
 */
Status wal_guard_wrote(WalGuard *guard, const void *data, size_t bytes, uint64_t offset) CHECKED;
Status wal_guard_check(const WalGuard *guard, const void *data, size_t bytes,
                       uint64_t offset) CHECKED;
void wal_guard_synced(WalGuard *guard);
/* Before the log is removed or emptied: withdraws the mark, and what a failed write may have left
 * of one. On failure the log has to stay. */
Status wal_guard_forget(WalGuard *guard) CHECKED;
