/*
 * sqlite_vfs.h — SQLite's files on our file table, each page under a checksum.
 *
 * One VFS per store, under a name of its own. It serves one connection with locking_mode=EXCLUSIVE,
 * so locks and shared memory are not its business. Pages are SQLITE_PAGE_BYTES long and end in 8
 * reserved bytes: the XXH3-64 of the rest, seeded by the page's number, set on each write to the
 * database file and checked on each read from it. The log is under its WalGuard.
 */
#pragma once
#include "base/io/file.h"

enum { SQLITE_RESERVED_BYTES = 8 };

typedef struct SqliteVfs SqliteVfs;

/* Registers a VFS for the database at `path`. XX001 when its log is damaged. Read only: whoever
 * opens the database promises to change nothing. */
Status sqlite_vfs_create(FileSystem *system, const char *path, bool is_read_only,
                         SqliteVfs **out) CHECKED;
void sqlite_vfs_destroy(SqliteVfs *vfs); /* after the connection is closed; null is allowed */
/* A write to the log or its sync failed: the last commit may be durable, or not. */
bool sqlite_vfs_has_broken_log(const SqliteVfs *vfs);
/* A write, sync or cut of any file of the store failed: the file refuses everything since. */
bool sqlite_vfs_is_broken(const SqliteVfs *vfs);
/* XX001 naming the first page of the database file that does not match its checksum. A log that
 * holds frames may hold newer pages, and the file torn ones: then nothing is looked at. */
Status sqlite_vfs_check_pages(FileSystem *system, const char *path) CHECKED;
const char *sqlite_vfs_name(const SqliteVfs *vfs);
/* The first error since the last call, which SQLite could only pass on as a number; or STATUS_OK.
 */
Status sqlite_vfs_take_error(SqliteVfs *vfs) CHECKED;
