/*
 * txn.h — a session's transaction: what it sees, what it changed, who took part.
 *
 *   IDLE --begin--> OPEN --error--> FAILED
 *     ^               | commit         | rollback (a COMMIT rolls back)
 *     +---------------+----------------+
 *
 * A statement outside BEGIN is a transaction of its own. Reads see the snapshot taken at the first
 * statement and the transaction's own earlier statements; the catalog is the newest committed one
 * plus the transaction's own changes. Under SERIALIZABLE the commit is refused, too, when others
 * have changed what was read so that no order of the transactions explains it (conflict_graph.h).
 */
#pragma once
#include "leader/membership/nodes.h"
#include "leader/txn/change_gate.h"
#include "leader/txn/table_locks.h"
#include "planner/plan/snapshot.h"

typedef enum TxnState { TXN_IDLE, TXN_OPEN, TXN_FAILED } TxnState;

typedef enum TxnIsolation { TXN_SNAPSHOT, TXN_SERIALIZABLE } TxnIsolation;

typedef struct Savepoint {
    struct Savepoint *next; /* older */
    const char *name;
    uint32_t statement; /* first statement after it */
    CatalogChange *last_change;
} Savepoint;

typedef struct Txn {
    CommitLog *log;
    Nodes *nodes;
    ChangeGate *gate; /* null: merges do not mind it */
    bool is_inside;   /* the gate */
    TableLocks *locks; /* null: it takes none */
    LockOwner lock_owner;
    TxnState state;
    bool is_explicit; /* BEGIN was said */
    bool is_single;   /* its first statement is its last one: nodes vote at the end of that */
    bool has_voted;   /* they have */
    bool is_read_only;
    TxnIsolation isolation;
    TableSet reads, writes; /* under SERIALIZABLE */
    Arena *arena;      /* from begin to end */
    uint64_t txn_id;   /* 0 until it writes */
    uint64_t position; /* of its snapshot */
    bool has_snapshot;
    uint32_t snapshot_statement; /* which took it */
    SnapshotHold hold;  /* of that snapshot */
    bool has_dropped;   /* rows on the nodes: their files can go after the commit */
    uint32_t statement; /* current, from 1 */
    CatalogChangeList changes;
    Savepoint *savepoints;
    uint32_t participant_count;
    uint32_t participants[MESSAGE_NODES_MAX];
    uint64_t greetings[MESSAGE_NODES_MAX]; /* under which each of them was written to */
    NodeRedo *redos;                       /* of each of them, once they have voted */
    int64_t start_us;                      /* wall clock: now() */
} Txn;

void txn_init(Txn *txn, CommitLog *log, Nodes *nodes);
void txn_deinit(Txn *txn); /* rolls back what is open */
/* Starts a transaction unless one is open. */
void txn_begin(Txn *txn, bool is_explicit);
/* Before the first snapshot of a transaction that may delete rows: no merge commits until its
 * end. `check` tells meanwhile whether to go on. */
Status txn_enter_gate(Txn *txn, Status (*check)(void *object), void *object) CHECKED;
/* Begins a statement: its snapshot, and the catalog it sees (a new reference). 25P02 if failed. */
Status txn_begin_statement(Txn *txn, Snapshot *snapshot, CatalogVersion **catalog) CHECKED;
/* Forgets the snapshot when this statement took it and has not written: the next statement, or this
 * one begun anew, sees what has been committed meanwhile. */
void txn_forget_snapshot(Txn *txn);
/* The statement will write: gives the transaction its id (25006 when read only). */
Status txn_begin_write(Txn *txn, Snapshot *snapshot) CHECKED;
/* The node has been written to under this greeting (0: it was not reached). 08006 when earlier
 * statements wrote under another one: the node has forgotten that. */
Status txn_add_participant(Txn *txn, uint32_t node, uint64_t greeting) CHECKED;
/* A statement of the transaction reads or changes the table. */
void txn_note_read(Txn *txn, uint64_t table_id);
void txn_note_write(Txn *txn, uint64_t table_id);
/* What a node has said about its writes with its answer. */
typedef struct NodeVote {
    uint32_t node;
    bool has_writes;
    NodeRedo redo; /* a view */
} NodeVote;
/* These nodes have voted; those without writes take no part. Participants that are not among them
 * (they heard of a dropped table before) are asked by PREPARE, and all others once more. */
void txn_note_votes(Txn *txn, const NodeVote *votes, uint32_t count);
/* Adds a catalog change in the transaction's arena; fails when it does not apply. */
CatalogChange *txn_new_change(Txn *txn, CatalogChangeKind kind);
Status txn_add_change(Txn *txn, CatalogChange *change) CHECKED;
/* Marks a failed statement: an explicit transaction is FAILED from now on, another one ends. */
void txn_fail(Txn *txn);
/* Two-phase commit: votes, the record, then the outcome to the nodes. On failure it is aborted. */
Status txn_commit(Txn *txn) CHECKED;
void txn_rollback(Txn *txn);
Status txn_savepoint(Txn *txn, const char *name) CHECKED;
Status txn_release(Txn *txn, const char *name) CHECKED; /* 3B001 as 42704's kin */
Status txn_rollback_to(Txn *txn, const char *name) CHECKED;
