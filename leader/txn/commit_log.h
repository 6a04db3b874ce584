/*
 * commit_log.h — the one commit point: the leader's SQLite database and the thread that writes it.
 *
 * A commit is one record in `leader.db` that says at which position a transaction became visible,
 * with the catalog's changes and the nodes that must be told, in one SQLite transaction. Sessions
 * hand commits to the control thread; those that wait together are made durable together (group
 * commit). What is not recorded is aborted.
 *
 * Invariants: (1) positions are given out in the order of durability and only grow; (2) a snapshot
 * (version, position) is published only after both are durable; (3) an outcome stays in the log's
 * pending list until its node has applied it, one with a redo until that is durable there; (4) the
 * epoch grows at each start, before anything else, and transaction ids begin with it.
 */
#pragma once
#include "base/host.h"
#include "leader/catalog/catalog.h"
#include "leader/txn/conflict_graph.h"
#include "protocol/cluster/message.h"

typedef struct CommitLog CommitLog;

#define TXN_ID_FIRST(epoch) ((uint64_t)(epoch) << 32)

typedef struct CommitLogOptions {
    FileSystem *files;
    const char *directory;
    uint64_t metadata_log_bytes;      /* of the database's write-ahead log; 0: the default */
    uint32_t node_count, slice_count; /* of a new cluster; an old one keeps its own */
    const char *admin_name;           /* of a new cluster: its superuser */
    const char *admin_verifier;
} CommitLogOptions;

Status commit_log_open(const CommitLogOptions *options, CommitLog **out) CHECKED;
void commit_log_close(CommitLog *log);

/* Fixed while open. */
const uint8_t *commit_log_cluster_id(const CommitLog *log);
uint64_t commit_log_epoch(const CommitLog *log);
uint32_t commit_log_node_count(const CommitLog *log);
const MessageSlice *commit_log_slices(const CommitLog *log, uint32_t *count);
uint64_t commit_log_map_epoch(const CommitLog *log);
const char *commit_log_node_address(const CommitLog *log, uint32_t node); /* "" unknown; at start */
const uint8_t *commit_log_secret(const CommitLog *log); /* 32 bytes: fake salts, cancel keys */

/* Ids for one run of the leader: unique, ascending, not durable by themselves. */
uint64_t commit_log_next_txn(CommitLog *log);
uint64_t commit_log_next_query(CommitLog *log);
uint64_t commit_log_next_table(CommitLog *log); /* becomes durable with the commit that uses it */

/* The newest committed state: a pinned version and its position, consistent with each other. */
CatalogVersion *commit_log_snapshot(CommitLog *log, uint64_t *position);

/* The same for reading for a while: rows of that position stay on the nodes until the release. The
 * hold is the caller's memory. */
typedef struct SnapshotHold {
    struct SnapshotHold *previous, *next;
    uint64_t position;
} SnapshotHold;
CatalogVersion *commit_log_hold_snapshot(CommitLog *log, SnapshotHold *hold);
void commit_log_release_snapshot(CommitLog *log, SnapshotHold *hold);
/* The oldest position that is held, or the newest one. */
uint64_t commit_log_horizon(CommitLog *log);

/* What a node must be told to write its part again. */
typedef struct NodeRedo {
    const uint8_t *data;
    size_t bytes; /* 0: the node has it durably */
} NodeRedo;

typedef struct CommitRequest {
    uint64_t txn_id;
    const CatalogChangeList *changes;
    uint32_t participant_count;
    const uint32_t *participants; /* nodes that prepared */
    const NodeRedo *redos;        /* of each of them; null: none has one */
    const SerialTxn *serial;      /* null under SNAPSHOT */
} CommitRequest;
/* Durable on success. 40001, 42P07 … when the changes no longer apply; nothing happened then. 08007
 * when the disk failed so late that the record may be durable: the nodes must not be told that it
 * is not; the next start decides. From then on every commit is refused (58030). */
Status commit_log_commit(CommitLog *log, const CommitRequest *request, uint64_t *position) CHECKED;
/* Remembers that these nodes must hear of an abort (not durable: absence means aborted). */
void commit_log_abort(CommitLog *log, uint64_t txn_id, const uint32_t *participants,
                      uint32_t participant_count);
/* Remembers that this node must hear of the outcome, unless that is known. */
void commit_log_tell(CommitLog *log, const Outcome *outcome, uint32_t node);
/* What became of a transaction that a node has prepared. */
Status commit_log_outcome(CommitLog *log, uint64_t txn_id, Outcome *out) CHECKED;

/* Whether a vote may be a redo: what is pending of those is bounded. */
bool commit_log_has_redo_room(CommitLog *log);

/* A SERIALIZABLE transaction that has only read ends; nothing is written. 40001. */
Status commit_log_end_reader(CommitLog *log, const SerialTxn *serial) CHECKED;
bool commit_log_has_pending(CommitLog *log, uint32_t node);
/* Outcomes that the node has not acknowledged, in the order of positions, into `arena`; `is_all`:
 * those that it has not made durable, too. */
void commit_log_pending(CommitLog *log, uint32_t node, bool is_all, Arena *arena, Outcome **out,
                        uint32_t *count);
/* What the node has heard so far; for an acknowledgement. */
uint64_t commit_log_told_mark(CommitLog *log);
typedef struct Acknowledgement {
    uint32_t node;
    uint64_t greeting; /* under which the node has heard of the outcomes */
    const Outcome *outcomes;
    uint32_t count;
    bool is_durable; /* these, and all that it had heard of under the greeting up to `mark` */
    uint64_t mark;
} Acknowledgement;
/* An outcome with a redo stays until it is durable on the node. */
void commit_log_acknowledge(CommitLog *log, const Acknowledgement *acknowledgement);

/* Leases `count` rowset ids, durably. */
Status commit_log_lease_rowsets(CommitLog *log, uint64_t count, uint64_t *first) CHECKED;
Status commit_log_set_node_address(CommitLog *log, uint32_t node, const char *address) CHECKED;
