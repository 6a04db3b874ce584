/* commit_log_internal.h — state shared by the log's thread and its database. */
#pragma once
#include "base/metadata_store.h"
#include "base/mutex.h"
#include "base/queue.h"
#include "base/thread.h"
#include "leader/txn/commit_log.h"
#include "leader/txn/last_writes.h"
#include "leader/txn/statistics_buffer.h"

#define SECRET_BYTES 32
#define REDO_PENDING_BYTES_MAX ((size_t)4 << 20) /* a greeting carries all of a node */

typedef struct PendingOutcome {
    struct PendingOutcome *next;
    Outcome outcome; /* with a redo of its own, behind this */
    bool is_stored;  /* a row of `pending` */
    uint64_t told_greeting; /* a redo: the node has heard of it under that one; 0: not yet */
    uint64_t told_mark;     /* and when, by the log's count */
} PendingOutcome;

/* Work for the control thread; lives on the stack of the session that waits for it. */
typedef struct ControlTask {
    enum {
        CONTROL_COMMIT,
        CONTROL_LEASE,
        CONTROL_NODE_ADDRESS,
        CONTROL_OUTCOME,
        CONTROL_READER
    } kind;
    const CommitRequest *commit;
    const SerialTxn *serial;
    uint64_t count, first; /* lease */
    uint32_t node;
    const char *address;
    Outcome outcome;
    uint64_t position;
    Status status;
    bool is_done;
    Condition done; /* with the mutex of the log */
} ControlTask;

typedef struct LogDatabase LogDatabase;

struct CommitLog {
    Arena *arena;
    LogDatabase *database; /* the control thread's, after open */
    uint8_t cluster_id[16];
    uint8_t secret[SECRET_BYTES];
    uint64_t epoch, map_epoch;
    uint32_t node_count, slice_count;
    MessageSlice *slices;
    const char *node_addresses[MESSAGE_NODES_MAX + 1];
    uint64_t next_txn, next_query, next_table; /* atomic */
    uint64_t next_rowset;     /* the control thread's */
    StatisticsBuffer *statistics; /* the control thread's */
    ConflictGraph *graph;         /* the control thread's */
    LastWrites *last_writes;      /* the control thread's */
    Status failure;           /* the control thread's: a commit is in doubt, no more is written */
    Queue *tasks;
    Thread thread;

    Mutex mutex; /* guards all below */
    CatalogVersion *version;
    uint64_t position;
    SnapshotHold *holds; /* oldest first: positions only grow */
    SnapshotHold *last_hold;
    PendingOutcome *pending[MESSAGE_NODES_MAX + 1]; /* by position */
    uint64_t told_mark;
    size_t redo_bytes; /* of all that are pending */
    struct AckedOutcome {
        uint32_t node;
        uint64_t txn_id;
    } * acked; /* rows of `pending` to delete with the next commit */
    uint32_t acked_count, acked_capacity;
};

/* log_database.c */
Status log_database_open(CommitLog *log, const CommitLogOptions *options) CHECKED;
void log_database_close(LogDatabase *database);
Status log_database_begin(LogDatabase *database) CHECKED;
Status log_database_commit(LogDatabase *database) CHECKED;
void log_database_rollback(LogDatabase *database);
/* A file refuses everything after a failed write; the store can be opened again. */
bool log_database_is_broken(const LogDatabase *database);
Status log_database_reopen(LogDatabase *database) CHECKED;
void log_database_rest(LogDatabase *database); /* metadata_store_rest */
/* Ends the doubt: opens the store again and looks whether it has the commit. */
Status log_database_settle(LogDatabase *database, uint64_t txn_id, bool *is_committed) CHECKED;
/* The last commit failed, and may be durable all the same. */
bool log_database_is_in_doubt(const LogDatabase *database);
/* Writes one commit within the open transaction. `version` is the state after it. */
Status log_database_write_commit(LogDatabase *database, const CommitRequest *request,
                                 const CatalogVersion *version, uint64_t position,
                                 uint64_t next_table) CHECKED;
Status log_database_delete_pending(LogDatabase *database, uint32_t node, uint64_t txn_id) CHECKED;
Status log_database_set_next_rowset(LogDatabase *database, uint64_t next) CHECKED;
Status log_database_set_node_address(LogDatabase *database, uint32_t node,
                                     const char *address) CHECKED;
Status log_database_find_commit(LogDatabase *database, uint64_t txn_id, uint64_t *position) CHECKED;
void commit_log_add_pending(CommitLog *log, uint32_t node, const Outcome *outcome, bool is_stored);
