/* inspect.h — dumps and verifies any file Basalt writes: rowsets, databases with their logs and
 * marks, identities. Nothing is changed. */
#pragma once
#include "base/byte_buffer.h"
#include "base/io/file.h"

typedef struct InspectReport {
    uint64_t files, blocks, rows, bytes, faults;
    uint64_t delete_masks, deleted_rows; /* of every position: a row may be in several */
} InspectReport;
/* Verifies one file or, recursively, a directory; each fault is one line in `target`: file, table,
 * column, row group, block and what is wrong. With `is_verbose` headers and zone maps are
 * printed. */
Status inspect_path(FileSystem *system, const char *path, bool is_verbose, ByteBuffer *target,
                    InspectReport *report) CHECKED;
