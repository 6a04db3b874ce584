/* disk_reserve.c — asks the file system each time: others fill the disk, too. */
#include "base/io/disk_reserve.h"

Status disk_reserve_check(FileSystem *system, const char *path, uint64_t reserve_bytes)
{
    uint64_t free_bytes = 0;
    if (reserve_bytes == 0) {
        return STATUS_OK;
    }
    TRY(file_free_bytes(system, path, &free_bytes));
    if (free_bytes >= reserve_bytes) {
        return STATUS_OK;
    }
    Status status = status_error(SQLSTATE_DISK_FULL,
                                 "the disk is nearly full: %lu bytes are free, writing needs %lu",
                                 free_bytes, reserve_bytes);
    status = status_with_detail(status, "the setting disk_reserve_bytes keeps space free at \"%s\"",
                                path);
    return status_with_hint(status, "drop or truncate tables, or give the disk more space; "
                                    "queries and DELETE go on");
}
