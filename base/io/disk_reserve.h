/*
 * disk_reserve.h — the part of a disk that writers of rows leave free.
 *
 * Commits, DELETE, DROP and TRUNCATE (which give space back), spilling queries and start may use
 * it: a nearly full disk stops writers, and nobody else.
 */
#pragma once
#include "base/io/file.h"

/* 53100 naming the free and the required bytes when the file system of `path` has fewer free than
 * `reserve_bytes`; 0: always content. */
Status disk_reserve_check(FileSystem *system, const char *path, uint64_t reserve_bytes) CHECKED;
