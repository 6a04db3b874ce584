/*
 * file_journal.h — a file table that notes each change in a file, for images of lost power.
 *
 * Only in builds with BASALT_FAULTS. A test rebuilds from the journals of all processes what their
 * disks may hold when power is lost at one moment (tests/support/power_cut.py): stamps are of the
 * clock that all of them share.
 *
 * A journal is a row of records: FileJournalRecord, `path_bytes` of path, `data_bytes` of data.
 * A change is noted before it is made, a new name right after, a sync before and after: what was
 * noted before its start lasts once its end is there.
 */
#pragma once
#include "base/io/file.h"

typedef enum FileJournalKind {
    FILE_JOURNAL_OPEN = 1, /* of `file`, under `path`; `offset`: flags of file_open */
    FILE_JOURNAL_WRITE,    /* of `data` at `offset` */
    FILE_JOURNAL_TRUNCATE, /* to `offset` bytes */
    FILE_JOURNAL_SYNC,     /* begins, as number `offset` */
    FILE_JOURNAL_REMOVE,
    FILE_JOURNAL_RENAME,         /* of `path` to `data` */
    FILE_JOURNAL_MAKE_DIRECTORY, /* with its parents, durably */
    FILE_JOURNAL_SYNC_DIRECTORY, /* begins, as number `offset` */
    FILE_JOURNAL_SYNCED          /* the sync with number `offset` succeeded */
} FileJournalKind;

typedef struct FileJournalRecord {
    int64_t monotonic_us; /* 0..8 */
    uint64_t offset;      /* 8..16 */
    uint32_t kind;        /* 16..20 */
    uint32_t file;        /* 20..24: from 1, never used again */
    uint32_t path_bytes;  /* 24..28 */
    uint32_t data_bytes;  /* 28..32 */
} FileJournalRecord;
static_assert(sizeof(FileJournalRecord) == 32, "read by scripts");

/* The operating system's files; noted in the file that BASALT_FILE_JOURNAL names, emptied first,
 * where it names one. Of the process, until its end. */
Status file_journal_open(FileSystem **files) CHECKED;
