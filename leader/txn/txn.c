/* txn.c — begin, statements, votes, commit, rollback, savepoints. */
#include "leader/txn/txn.h"

#include <string.h>

#include "base/clock.h"
#include "base/fault.h"
#include "base/log.h"

#define PREPARE_TIMEOUT_US INT64_C(120000000) /* fsync of much data takes its time */
#define OUTCOME_TIMEOUT_US INT64_C(2000000)
#define GATE_WAIT_US 1000000 /* for a merge that commits; fsync may take its time */
#define GATE_CHECK_US 20000

void txn_init(Txn *txn, CommitLog *log, Nodes *nodes)
{
    *txn = (Txn){.log = log, .nodes = nodes, .arena = arena_create(NULL, "transaction")};
}

void txn_deinit(Txn *txn)
{
    if (txn->state != TXN_IDLE) {
        txn_rollback(txn);
    }
    arena_destroy(txn->arena);
}

void txn_begin(Txn *txn, bool is_explicit)
{
    if (txn->state == TXN_IDLE) {
        txn->state = TXN_OPEN;
        txn->statement = 0;
        txn->start_us = clock_wall_us();
    }
    txn->is_explicit = txn->is_explicit || is_explicit;
    txn->is_single = txn->is_single && !txn->is_explicit;
}

Status txn_enter_gate(Txn *txn, Status (*check)(void *object), void *object)
{
    if (txn->gate == NULL || txn->is_inside || txn->has_snapshot || txn->state != TXN_OPEN) {
        return STATUS_OK;
    }
    const int64_t deadline = clock_monotonic_us() + GATE_WAIT_US;
    while (!txn->is_inside) {
        const bool is_last = clock_monotonic_us() >= deadline;
        txn->is_inside = change_gate_enter(txn->gate, is_last ? 0 : GATE_CHECK_US, is_last);
        if (!txn->is_inside) {
            TRY(check(object));
        }
    }
    return STATUS_OK;
}

/* `first_statement` 0: all of them. */
static void release_locks(Txn *txn, uint32_t first_statement)
{
    if (txn->locks != NULL) {
        table_locks_release(txn->locks, &txn->lock_owner, first_statement);
    }
}

void txn_forget_snapshot(Txn *txn)
{
    if (txn->has_snapshot && txn->snapshot_statement == txn->statement && txn->txn_id == 0) {
        commit_log_release_snapshot(txn->log, &txn->hold);
        txn->has_snapshot = false;
    }
}

Status txn_begin_statement(Txn *txn, Snapshot *snapshot, CatalogVersion **catalog)
{
    if (txn->state == TXN_FAILED) {
        return status_error(SQLSTATE_IN_FAILED_SQL_TRANSACTION,
                            "current transaction is aborted, commands ignored until end of "
                            "transaction block");
    }
    uint64_t newest = 0;
    CatalogVersion *committed = NULL;
    if (txn->has_snapshot) {
        committed = commit_log_snapshot(txn->log, &newest);
    } else {
        committed = commit_log_hold_snapshot(txn->log, &txn->hold);
        txn->position = txn->hold.position;
        txn->has_snapshot = true;
        txn->snapshot_statement = txn->statement + 1;
    }
    Status status = catalog_version_apply(committed, &txn->changes, catalog);
    catalog_version_unpin(committed);
    TRY(status);
    txn->statement++;
    *snapshot =
        (Snapshot){.position = txn->position, .txn_id = txn->txn_id, .statement = txn->statement};
    return STATUS_OK;
}

Status txn_begin_write(Txn *txn, Snapshot *snapshot)
{
    if (txn->is_read_only) {
        return status_error(SQLSTATE_READ_ONLY_SQL_TRANSACTION,
                            "cannot write in a read-only transaction");
    }
    if (txn->txn_id == 0) {
        txn->txn_id = commit_log_next_txn(txn->log);
    }
    snapshot->txn_id = txn->txn_id;
    return STATUS_OK;
}

Status txn_add_participant(Txn *txn, uint32_t node, uint64_t greeting)
{
    if (greeting == 0) {
        return STATUS_OK;
    }
    for (uint32_t i = 0; i < txn->participant_count; i++) {
        if (txn->participants[i] == node) {
            return txn->greetings[i] == greeting
                       ? STATUS_OK
                       : status_error(SQLSTATE_CONNECTION_FAILURE,
                                      "node %u was lost during the transaction", node);
        }
    }
    txn->participants[txn->participant_count] = node;
    txn->greetings[txn->participant_count++] = greeting;
    return STATUS_OK;
}

void txn_note_votes(Txn *txn, const NodeVote *votes, uint32_t count)
{
    uint32_t kept = 0;
    txn->has_voted = true;
    txn->redos = ARENA_ARRAY(txn->arena, NodeRedo, txn->participant_count + 1);
    for (uint32_t i = 0; i < txn->participant_count; i++) {
        uint32_t voter = 0;
        while (voter < count && votes[voter].node != txn->participants[i]) {
            voter++;
        }
        txn->has_voted = txn->has_voted && voter < count;
        if (voter < count && votes[voter].has_writes) {
            const NodeRedo *redo = &votes[voter].redo;
            txn->redos[kept] = (NodeRedo){.data = arena_memdup(txn->arena, redo->data, redo->bytes),
                                          .bytes = redo->bytes};
        }
        if (voter == count || votes[voter].has_writes) {
            txn->participants[kept] = txn->participants[i];
            txn->greetings[kept++] = txn->greetings[i];
        }
    }
    txn->participant_count = kept;
}

/* All participants; `is_strict`: under the greetings they were written to. */
static NodeSet participants(const Txn *txn, bool is_strict)
{
    return (NodeSet){.count = txn->participant_count,
                     .nodes = txn->participants,
                     .greetings = is_strict ? txn->greetings : NULL};
}

CatalogChange *txn_new_change(Txn *txn, CatalogChangeKind kind)
{
    CatalogChange *change = ARENA_NEW(txn->arena, CatalogChange);
    change->kind = kind;
    change->statement = txn->statement;
    return change;
}

Status txn_add_change(Txn *txn, CatalogChange *change)
{
    CatalogChange *old_last = txn->changes.last;
    catalog_change_add(&txn->changes, change);
    uint64_t position = 0;
    CatalogVersion *committed = commit_log_snapshot(txn->log, &position);
    CatalogVersion *applied = NULL;
    Status status = catalog_version_apply(committed, &txn->changes, &applied);
    catalog_version_unpin(committed);
    if (status != STATUS_OK) {
        txn->changes.last = old_last;
        if (old_last == NULL) {
            txn->changes.first = NULL;
        } else {
            old_last->next = NULL;
        }
        return status;
    }
    catalog_version_unpin(applied);
    return STATUS_OK;
}

static void end(Txn *txn)
{
    CommitLog *log = txn->log;
    Nodes *nodes = txn->nodes;
    Arena *arena = txn->arena;
    ChangeGate *gate = txn->gate;
    TableLocks *locks = txn->locks;
    release_locks(txn, 0);
    if (txn->is_inside) {
        change_gate_leave(gate);
    }
    if (txn->has_snapshot) {
        commit_log_release_snapshot(log, &txn->hold);
    }
    arena_reset(arena);
    *txn = (Txn){.log = log,
                 .nodes = nodes,
                 .arena = arena,
                 .gate = gate,
                 .locks = locks,
                 .lock_owner = {.process_id = txn->lock_owner.process_id}};
}

void txn_rollback(Txn *txn)
{
    if (txn->txn_id != 0 && txn->participant_count > 0) {
        commit_log_abort(txn->log, txn->txn_id, txn->participants, txn->participant_count);
        Request request = {.kind = MESSAGE_OUTCOME}; // carries the abort to each node
        NodeSet set = participants(txn, false);
        status_ignore(
            nodes_call_all(txn->nodes, &set, &request, OUTCOME_TIMEOUT_US, txn->arena, NULL),
            "nodes that did not hear of the abort are told with the next request");
    }
    end(txn);
}

void txn_fail(Txn *txn)
{
    if (txn->state == TXN_OPEN && txn->is_explicit) {
        txn->state = TXN_FAILED;
        // What a savepoint cannot bring back is over: nobody waits for it any longer.
        release_locks(txn, txn->savepoints == NULL ? 0 : txn->savepoints->statement);
    } else if (txn->state == TXN_OPEN) {
        txn_rollback(txn);
    }
}

void txn_note_read(Txn *txn, uint64_t table_id)
{
    if (txn->isolation == TXN_SERIALIZABLE) {
        table_set_add(&txn->reads, table_id);
    }
}

void txn_note_write(Txn *txn, uint64_t table_id)
{
    if (txn->isolation == TXN_SERIALIZABLE) {
        table_set_add(&txn->writes, table_id);
    }
}

/* What the conflict graph is to know; null under SNAPSHOT. */
static const SerialTxn *make_serial(Txn *txn)
{
    if (txn->isolation != TXN_SERIALIZABLE || !txn->has_snapshot) {
        return NULL;
    }
    for (const CatalogChange *change = txn->changes.first; change != NULL; change = change->next) {
        uint64_t table_id = catalog_change_table_id(change);
        if (table_id != 0) {
            txn_note_write(txn, table_id);
        }
    }
    SerialTxn *serial = ARENA_NEW(txn->arena, SerialTxn);
    *serial = (SerialTxn){.txn_id = txn->txn_id,
                          .snapshot = txn->position,
                          .reads = txn->reads,
                          .writes = txn->writes};
    return serial;
}

static Status prepare(Txn *txn)
{
    if (txn->participant_count == 0 || txn->has_voted) {
        return STATUS_OK;
    }
    Request request = {.kind = MESSAGE_PREPARE, .prepare = {.txn_id = txn->txn_id}};
    NodeSet set = participants(txn, true); // another greeting knows nothing of the writes
    return nodes_call_all(txn->nodes, &set, &request, PREPARE_TIMEOUT_US, txn->arena, NULL);
}

/* Rows were dropped and nobody may read them any more: the nodes need not wait for the next
 * statement to remove their files. */
static void tell_horizon(Txn *txn)
{
    Request request = {.kind = MESSAGE_OUTCOME};
    NodeSet set = participants(txn, false);
    if (txn->has_snapshot) {
        commit_log_release_snapshot(txn->log, &txn->hold);
        txn->has_snapshot = false;
    }
    status_ignore(nodes_call_all(txn->nodes, &set, &request, OUTCOME_TIMEOUT_US, txn->arena, NULL),
                  "the horizon comes again with every request");
}

Status txn_commit(Txn *txn)
{
    if (txn->state == TXN_FAILED) {
        txn_rollback(txn);
        return STATUS_OK; // the caller's tag says ROLLBACK
    }
    bool has_written = txn->participant_count > 0 || txn->changes.first != NULL;
    const SerialTxn *serial = make_serial(txn);
    if (!has_written) {
        Status seen = serial == NULL ? STATUS_OK : commit_log_end_reader(txn->log, serial);
        end(txn);
        return seen;
    }
    if (txn->txn_id == 0) {
        txn->txn_id = commit_log_next_txn(txn->log);
    }
    Status status = prepare(txn);
    if (status == STATUS_OK) {
        status = FAULT("txn.after_prepare");
    }
    uint64_t position = 0;
    if (status == STATUS_OK) {
        CommitRequest request = {.txn_id = txn->txn_id,
                                 .changes = &txn->changes,
                                 .serial = serial,
                                 .participant_count = txn->participant_count,
                                 .participants = txn->participants,
                                 .redos = txn->redos};
        status = commit_log_commit(txn->log, &request, &position);
    }
    if (status != STATUS_OK && FAULT_BREAKS("txn.acknowledge_failed")) {
        status_ignore(status, "a test wants to see that it notices");
        status = STATUS_OK;
    }
    if (status != STATUS_OK && status_sqlstate(status) == SQLSTATE_TRANSACTION_RESOLUTION_UNKNOWN) {
        end(txn); // what is prepared stays so until the log is read again
        return status;
    }
    if (status != STATUS_OK) {
        txn_rollback(txn);
        return status;
    }
    // Committed. From here on nothing can fail the transaction; nodes hear of it with their next
    // request, and each request builds upon what they have heard.
    status_ignore(FAULT("txn.after_record"), "the record is written: it is committed");
    if (txn->has_dropped) {
        tell_horizon(txn);
    }
    end(txn);
    return STATUS_OK;
}

/* ---- savepoints ---- */

static Savepoint *find_savepoint(Txn *txn, const char *name)
{
    Savepoint *savepoint = txn->savepoints;
    while (savepoint != NULL && strcmp(savepoint->name, name) != 0) {
        savepoint = savepoint->next;
    }
    return savepoint;
}

static Status no_savepoint(const char *name)
{
    return status_error(SQLSTATE_INVALID_SAVEPOINT, "savepoint \"%s\" does not exist", name);
}

Status txn_savepoint(Txn *txn, const char *name)
{
    Savepoint *savepoint = ARENA_NEW(txn->arena, Savepoint);
    savepoint->name = arena_strdup(txn->arena, name);
    savepoint->statement = txn->statement + 1;
    savepoint->last_change = txn->changes.last;
    savepoint->next = txn->savepoints;
    txn->savepoints = savepoint;
    return STATUS_OK;
}

Status txn_release(Txn *txn, const char *name)
{
    Savepoint *savepoint = find_savepoint(txn, name);
    if (savepoint == NULL) {
        return no_savepoint(name);
    }
    txn->savepoints = savepoint->next;
    return STATUS_OK;
}

Status txn_rollback_to(Txn *txn, const char *name)
{
    Savepoint *savepoint = find_savepoint(txn, name);
    if (savepoint == NULL) {
        return no_savepoint(name);
    }
    if (txn->participant_count > 0) {
        Request request = {.kind = MESSAGE_ROLLBACK,
                           .rollback = {.txn_id = txn->txn_id, .statement = savepoint->statement}};
        NodeSet set = participants(txn, true);
        TRY(nodes_call_all(txn->nodes, &set, &request, NODE_CALL_TIMEOUT_US, txn->arena, NULL));
    }
    release_locks(txn, savepoint->statement);
    txn->savepoints = savepoint; // it stays, later ones go
    txn->changes.last = savepoint->last_change;
    if (savepoint->last_change == NULL) {
        txn->changes.first = NULL;
    } else {
        savepoint->last_change->next = NULL;
    }
    txn->state = TXN_OPEN;
    return STATUS_OK;
}
