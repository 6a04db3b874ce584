/* commit_log.c — the control thread: group commit, leases, and the published snapshot. */
#include <stdlib.h>
#include <string.h>

#include "base/fault.h"
#include "base/log.h"
#include "leader/txn/commit_log_internal.h"

#define TASKS_MAX 65536
#define GROUP_MAX 256u
#define ACKED_MAX 65536u

const uint8_t *commit_log_cluster_id(const CommitLog *log)
{
    return log->cluster_id;
}

uint64_t commit_log_epoch(const CommitLog *log)
{
    return log->epoch;
}

uint32_t commit_log_node_count(const CommitLog *log)
{
    return log->node_count;
}

const MessageSlice *commit_log_slices(const CommitLog *log, uint32_t *count)
{
    *count = log->slice_count;
    return log->slices;
}

uint64_t commit_log_map_epoch(const CommitLog *log)
{
    return log->map_epoch;
}

const char *commit_log_node_address(const CommitLog *log, uint32_t node)
{
    const char *address = log->node_addresses[node];
    return address == NULL ? "" : address;
}

const uint8_t *commit_log_secret(const CommitLog *log)
{
    return log->secret;
}

uint64_t commit_log_next_txn(CommitLog *log)
{
    return __atomic_fetch_add(&log->next_txn, 1, __ATOMIC_RELAXED);
}

uint64_t commit_log_next_query(CommitLog *log)
{
    return __atomic_fetch_add(&log->next_query, 1, __ATOMIC_RELAXED);
}

uint64_t commit_log_next_table(CommitLog *log)
{
    return __atomic_fetch_add(&log->next_table, 1, __ATOMIC_RELAXED);
}

CatalogVersion *commit_log_snapshot(CommitLog *log, uint64_t *position)
{
    mutex_lock(&log->mutex);
    CatalogVersion *version = catalog_version_pin(log->version);
    *position = log->position;
    mutex_unlock(&log->mutex);
    return version;
}

CatalogVersion *commit_log_hold_snapshot(CommitLog *log, SnapshotHold *hold)
{
    mutex_lock(&log->mutex);
    CatalogVersion *version = catalog_version_pin(log->version);
    *hold = (SnapshotHold){.previous = log->last_hold, .position = log->position};
    if (log->last_hold != NULL) {
        log->last_hold->next = hold;
    } else {
        log->holds = hold;
    }
    log->last_hold = hold;
    mutex_unlock(&log->mutex);
    return version;
}

void commit_log_release_snapshot(CommitLog *log, SnapshotHold *hold)
{
    mutex_lock(&log->mutex);
    if (hold->previous != NULL) {
        hold->previous->next = hold->next;
    } else {
        log->holds = hold->next;
    }
    if (hold->next != NULL) {
        hold->next->previous = hold->previous;
    } else {
        log->last_hold = hold->previous;
    }
    mutex_unlock(&log->mutex);
}

uint64_t commit_log_horizon(CommitLog *log)
{
    mutex_lock(&log->mutex);
    uint64_t horizon = log->holds != NULL ? log->holds->position : log->position;
    mutex_unlock(&log->mutex);
    return horizon;
}

/* ---- pending outcomes ---- */

void commit_log_add_pending(CommitLog *log, uint32_t node, const Outcome *outcome, bool is_stored)
{
    PendingOutcome *pending = calloc(1, sizeof(*pending) + outcome->redo_bytes);
    ASSERT(pending != NULL); // losing an outcome in memory would be worse than stopping
    pending->outcome = *outcome;
    pending->is_stored = is_stored;
    if (outcome->redo_bytes > 0) {
        memcpy(pending + 1, outcome->redo, outcome->redo_bytes);
        pending->outcome.redo = (const uint8_t *)(pending + 1);
        log->redo_bytes += outcome->redo_bytes;
    }
    PendingOutcome **slot = &log->pending[node];
    while (*slot != NULL) {
        slot = &(*slot)->next;
    }
    *slot = pending;
}

void commit_log_abort(CommitLog *log, uint64_t txn_id, const uint32_t *participants,
                      uint32_t participant_count)
{
    Outcome outcome = {.txn_id = txn_id, .state = OUTCOME_ABORTED};
    mutex_lock(&log->mutex);
    for (uint32_t i = 0; i < participant_count; i++) {
        commit_log_add_pending(log, participants[i], &outcome, false);
    }
    mutex_unlock(&log->mutex);
}

void commit_log_tell(CommitLog *log, const Outcome *outcome, uint32_t node)
{
    mutex_lock(&log->mutex);
    PendingOutcome *known = log->pending[node];
    while (known != NULL && known->outcome.txn_id != outcome->txn_id) {
        known = known->next;
    }
    if (known == NULL) {
        commit_log_add_pending(log, node, outcome, false);
    }
    mutex_unlock(&log->mutex);
}

void commit_log_pending(CommitLog *log, uint32_t node, bool is_all, Arena *arena, Outcome **out,
                        uint32_t *count)
{
    mutex_lock(&log->mutex);
    uint32_t pending_count = 0;
    for (PendingOutcome *p = log->pending[node]; p != NULL; p = p->next) {
        pending_count++;
    }
    *out = ARENA_ARRAY(arena, Outcome, pending_count + 1);
    *count = 0;
    for (PendingOutcome *p = log->pending[node]; p != NULL; p = p->next) {
        if (is_all || p->told_greeting == 0) {
            Outcome *outcome = &(*out)[(*count)++];
            *outcome = p->outcome;
            outcome->redo = arena_memdup(arena, p->outcome.redo, p->outcome.redo_bytes);
        }
    }
    mutex_unlock(&log->mutex);
}

uint64_t commit_log_told_mark(CommitLog *log)
{
    mutex_lock(&log->mutex);
    uint64_t mark = log->told_mark;
    mutex_unlock(&log->mutex);
    return mark;
}

bool commit_log_has_redo_room(CommitLog *log)
{
    mutex_lock(&log->mutex);
    bool has_room = log->redo_bytes < REDO_PENDING_BYTES_MAX;
    mutex_unlock(&log->mutex);
    return has_room;
}

bool commit_log_has_pending(CommitLog *log, uint32_t node)
{
    mutex_lock(&log->mutex);
    bool has_pending = log->pending[node] != NULL;
    mutex_unlock(&log->mutex);
    return has_pending;
}

static void remember_acked(CommitLog *log, uint32_t node, uint64_t txn_id)
{
    if (log->acked_count == log->acked_capacity) {
        uint32_t capacity = log->acked_capacity == 0 ? 256 : log->acked_capacity * 2;
        void *grown =
            capacity > ACKED_MAX ? NULL : realloc(log->acked, capacity * sizeof(*log->acked));
        if (grown == NULL) {
            return; // the row stays and is told again after a restart: harmless
        }
        log->acked = grown;
        log->acked_capacity = capacity;
    }
    log->acked[log->acked_count].node = node;
    log->acked[log->acked_count++].txn_id = txn_id;
}

/* The node need not hear of it again; the mutex is held. */
static void remove_pending(CommitLog *log, uint32_t node, PendingOutcome **slot)
{
    PendingOutcome *pending = *slot;
    *slot = pending->next;
    if (pending->is_stored) {
        remember_acked(log, node, pending->outcome.txn_id);
    }
    log->redo_bytes -= pending->outcome.redo_bytes;
    free(pending);
}

static PendingOutcome **find_pending(CommitLog *log, uint32_t node, uint64_t txn_id)
{
    PendingOutcome **slot = &log->pending[node];
    while (*slot != NULL && (*slot)->outcome.txn_id != txn_id) {
        slot = &(*slot)->next;
    }
    return slot;
}

void commit_log_acknowledge(CommitLog *log, const Acknowledgement *acknowledgement)
{
    const uint32_t node = acknowledgement->node;
    mutex_lock(&log->mutex);
    for (uint32_t i = 0; i < acknowledgement->count; i++) {
        PendingOutcome **slot = find_pending(log, node, acknowledgement->outcomes[i].txn_id);
        if (*slot == NULL) {
            continue; // another answer was faster
        }
        if ((*slot)->outcome.redo_bytes == 0 || acknowledgement->is_durable) {
            remove_pending(log, node, slot);
        } else if ((*slot)->told_greeting < acknowledgement->greeting) {
            (*slot)->told_greeting = acknowledgement->greeting;
            (*slot)->told_mark = ++log->told_mark;
        }
    }
    for (PendingOutcome **slot = &log->pending[node];
         acknowledgement->is_durable && *slot != NULL;) {
        if ((*slot)->told_greeting == acknowledgement->greeting &&
            (*slot)->told_mark <= acknowledgement->mark) {
            remove_pending(log, node, slot);
        } else {
            slot = &(*slot)->next;
        }
    }
    mutex_unlock(&log->mutex);
}

/* ---- the control thread ---- */

typedef struct CommitGroup {
    ControlTask *tasks[GROUP_MAX];
    uint32_t count;
    CatalogVersion *version; /* after the group */
    uint64_t position;
} CommitGroup;

/* Changes of the group's own list learn where they are committed. */
static void note_position(CatalogChangeList *changes, uint64_t position, uint64_t horizon)
{
    for (CatalogChange *change = changes->first; change != NULL; change = change->next) {
        change->position = position;
        change->horizon = horizon;
    }
}

/* A store whose files refuse everything is opened again, unless its last commit is open. */
static Status heal(CommitLog *log)
{
    return log_database_is_broken(log->database) ? log_database_reopen(log->database) : STATUS_OK;
}

/* After a failed commit that may be durable: the group is committed when one of it is. */
static Status settle(CommitLog *log, const CommitGroup *group, Status owned_status)
{
    bool is_committed = false;
    uint32_t i = 0;
    while (i < group->count && group->tasks[i]->status != STATUS_OK) {
        i++; // those that were refused are not in it
    }
    uint64_t txn_id = i < group->count ? group->tasks[i]->commit->txn_id : 0;
    Status status = log_database_settle(log->database, txn_id, &is_committed);
    if (status != STATUS_OK) {
        log_status(LOG_ERROR, "commit_log_lost", status);
        status_free(status);
        return owned_status;
    }
    if (is_committed) {
        log_status(LOG_WARN, "commit_found", owned_status);
        status_free(owned_status);
        return STATUS_OK;
    }
    return owned_status;
}

/* Writes every commit of the group; a commit whose changes no longer apply leaves it alone. */
static Status write_group(CommitLog *log, CommitGroup *group)
{
    struct AckedOutcome *acked = NULL;
    mutex_lock(&log->mutex);
    uint32_t acked_count = log->acked_count;
    acked = log->acked;
    log->acked = NULL;
    log->acked_count = log->acked_capacity = 0;
    mutex_unlock(&log->mutex);
    const uint64_t horizon = commit_log_horizon(log);
    conflict_graph_forget(log->graph, horizon);
    uint32_t entered = conflict_graph_count(log->graph);
    Status status = heal(log);
    if (status == STATUS_OK) {
        status = log_database_begin(log->database);
    }
    Arena *arena = arena_create(NULL, "commit group");
    for (uint32_t i = 0; status == STATUS_OK && i < group->count; i++) {
        ControlTask *task = group->tasks[i];
        CommitRequest commit = *task->commit;
        CatalogChangeList changes;
        CatalogVersion *next = NULL;
        task->status = statistics_buffer_filter(log->statistics, group->version, commit.changes,
                                                arena, &changes);
        if (task->status == STATUS_OK) {
            task->status = last_writes_check(log->last_writes, commit.changes);
        }
        if (task->status == STATUS_OK) {
            note_position(&changes, group->position + 1, horizon);
            task->status = catalog_version_apply(group->version, &changes, &next);
        }
        if (task->status == STATUS_OK && commit.serial != NULL) {
            task->status = conflict_graph_commit(log->graph, commit.serial, group->position + 1);
        }
        if (task->status != STATUS_OK) {
            catalog_version_unpin(next);
            continue;
        }
        last_writes_note(log->last_writes, commit.changes, group->position + 1);
        commit.changes = &changes;
        task->position = group->position + 1;
        status = log_database_write_commit(log->database, &commit, next, task->position,
                                           __atomic_load_n(&log->next_table, __ATOMIC_RELAXED));
        catalog_version_unpin(group->version);
        group->version = next;
        group->position = task->position;
    }
    for (uint32_t i = 0; status == STATUS_OK && i < acked_count; i++) {
        status = log_database_delete_pending(log->database, acked[i].node, acked[i].txn_id);
    }
    free(acked);
    arena_destroy(arena);
    if (status == STATUS_OK) {
        status = FAULT("commit_log.before_commit");
    }
    if (status == STATUS_OK) {
        status = log_database_commit(log->database);
    }
    if (status != STATUS_OK) {
        log_database_rollback(log->database);
    }
    if (status != STATUS_OK && log_database_is_in_doubt(log->database)) {
        status = settle(log, group, status);
    }
    if (status != STATUS_OK) {
        conflict_graph_cut(log->graph, entered);
    }
    return status;
}

static void publish_group(CommitLog *log, CommitGroup *group)
{
    mutex_lock(&log->mutex);
    catalog_version_unpin(log->version);
    log->version = catalog_version_pin(group->version);
    log->position = group->position;
    for (uint32_t i = 0; i < group->count; i++) {
        ControlTask *task = group->tasks[i];
        Outcome outcome = {
            .txn_id = task->commit->txn_id, .position = task->position, .state = OUTCOME_COMMITTED};
        for (uint32_t p = 0; task->status == STATUS_OK && p < task->commit->participant_count;
             p++) {
            if (task->commit->redos != NULL) {
                outcome.redo = task->commit->redos[p].data;
                outcome.redo_bytes = task->commit->redos[p].bytes;
            }
            commit_log_add_pending(log, task->commit->participants[p], &outcome, true);
        }
    }
    mutex_unlock(&log->mutex);
}

static void finish_task(CommitLog *log, ControlTask *task)
{
    mutex_lock(&log->mutex);
    task->is_done = true;
    condition_signal(&task->done); // before the mutex goes: then the task may be gone
    mutex_unlock(&log->mutex);
}

/* A failed commit that may be durable: only the next start of the leader can tell. Until then
 * nobody is told anything about it, and nothing is built upon it. */
static Status note_doubt(CommitLog *log, Status owned_status)
{
    if (!log_database_is_in_doubt(log->database)) {
        return owned_status;
    }
    log_status(LOG_ERROR, "commit_in_doubt", owned_status);
    log->failure = status_with_hint(status_error(SQLSTATE_IO_ERROR, "the commit log has failed: %s",
                                                 status_message(owned_status)),
                                    "restart the leader once its disk works again");
    Status unknown =
        status_error(SQLSTATE_TRANSACTION_RESOLUTION_UNKNOWN,
                     "the commit may have happened or not: %s", status_message(owned_status));
    status_free(owned_status);
    return status_with_hint(unknown, "restart the leader: its log decides; look then");
}

static void run_group(CommitLog *log, CommitGroup *group)
{
    group->version = commit_log_snapshot(log, &group->position);
    Status status = log->failure != STATUS_OK ? status_copy(log->failure) : write_group(log, group);
    if (status == STATUS_OK) {
        publish_group(log, group);
    } else if (log->failure == STATUS_OK) {
        status = note_doubt(log, status);
    }
    catalog_version_unpin(group->version);
    for (uint32_t i = 0; i < group->count; i++) {
        if (status != STATUS_OK) {
            group->tasks[i]->status = status_first(group->tasks[i]->status, status_copy(status));
        }
        finish_task(log, group->tasks[i]);
    }
    status_free(status);
    group->count = 0;
}

static void run_other(CommitLog *log, ControlTask *task)
{
    Status status = log->failure != STATUS_OK ? status_copy(log->failure) : heal(log);
    switch (status == STATUS_OK ? task->kind : CONTROL_COMMIT) {
    case CONTROL_LEASE:
        task->first = log->next_rowset;
        status = log_database_set_next_rowset(log->database, log->next_rowset + task->count);
        if (status == STATUS_OK) {
            log->next_rowset += task->count;
        }
        break;
    case CONTROL_NODE_ADDRESS:
        status = log_database_set_node_address(log->database, task->node, task->address);
        break;
    case CONTROL_OUTCOME:
        status =
            log_database_find_commit(log->database, task->outcome.txn_id, &task->outcome.position);
        task->outcome.state = task->outcome.position != 0 ? OUTCOME_COMMITTED : OUTCOME_ABORTED;
        break;
    case CONTROL_READER:
        status = conflict_graph_commit(log->graph, task->serial, log->position);
        break;
    case CONTROL_COMMIT:
        break;
    }
    task->status = status;
    finish_task(log, task);
}

static void control_main(void *object)
{
    CommitLog *log = object;
    CommitGroup group = {.count = 0};
    for (;;) {
        ControlTask *task = queue_pop(log->tasks, 1000000);
        if (task == NULL) {
            if (queue_is_closed(log->tasks)) {
                return;
            }
            log_database_rest(log->database);
        }
        while (task != NULL) { // everything that waits goes into one group
            if (task->kind != CONTROL_COMMIT) {
                run_other(log, task);
            } else {
                group.tasks[group.count++] = task;
            }
            task = group.count < GROUP_MAX ? queue_pop(log->tasks, 0) : NULL;
        }
        if (group.count > 0) {
            run_group(log, &group);
        }
    }
}

static Status run_task(CommitLog *log, ControlTask *task)
{
    condition_init(&task->done);
    if (!queue_push(log->tasks, task, 10000000)) {
        condition_deinit(&task->done);
        return status_error(SQLSTATE_ADMIN_SHUTDOWN, "the leader is shutting down");
    }
    mutex_lock(&log->mutex);
    while (!task->is_done) { // ends: the control thread finishes every task it was given
        condition_wait(&task->done, &log->mutex, 1000000);
    }
    mutex_unlock(&log->mutex);
    condition_deinit(&task->done);
    return task->status;
}

Status commit_log_commit(CommitLog *log, const CommitRequest *request, uint64_t *position)
{
    ControlTask task = {.kind = CONTROL_COMMIT, .commit = request};
    TRY(run_task(log, &task));
    *position = task.position;
    return STATUS_OK;
}

Status commit_log_end_reader(CommitLog *log, const SerialTxn *serial)
{
    ControlTask task = {.kind = CONTROL_READER, .serial = serial};
    return run_task(log, &task);
}

Status commit_log_outcome(CommitLog *log, uint64_t txn_id, Outcome *out)
{
    ControlTask task = {.kind = CONTROL_OUTCOME, .outcome = {.txn_id = txn_id}};
    TRY(run_task(log, &task));
    *out = task.outcome;
    return STATUS_OK;
}

Status commit_log_lease_rowsets(CommitLog *log, uint64_t count, uint64_t *first)
{
    ControlTask task = {.kind = CONTROL_LEASE, .count = count};
    TRY(run_task(log, &task));
    *first = task.first;
    return STATUS_OK;
}

Status commit_log_set_node_address(CommitLog *log, uint32_t node, const char *address)
{
    ControlTask task = {.kind = CONTROL_NODE_ADDRESS, .node = node, .address = address};
    return run_task(log, &task);
}

Status commit_log_open(const CommitLogOptions *options, CommitLog **out)
{
    CommitLog *log = calloc(1, sizeof(*log));
    if (log == NULL) {
        return status_error(SQLSTATE_OUT_OF_MEMORY, "no memory for the commit log");
    }
    log->arena = arena_create(NULL, "commit log");
    log->statistics = statistics_buffer_create();
    log->graph = conflict_graph_create();
    log->last_writes = last_writes_create();
    log->tasks = queue_create("control", TASKS_MAX);
    mutex_init(&log->mutex, MUTEX_RANK_TXN);
    Status status = log->statistics == NULL || log->graph == NULL || log->last_writes == NULL
                        ? status_error(SQLSTATE_OUT_OF_MEMORY, "no memory for the commit log")
                        : log_database_open(log, options);
    if (status == STATUS_OK) {
        log->next_txn = TXN_ID_FIRST(log->epoch) + 1;
        log->next_query = TXN_ID_FIRST(log->epoch) + 1;
        status = thread_start(&log->thread, "control", -1, control_main, log);
    }
    if (status != STATUS_OK) {
        commit_log_close(log);
        return status;
    }
    *out = log;
    return STATUS_OK;
}

void commit_log_close(CommitLog *log)
{
    if (log == NULL) {
        return;
    }
    queue_close(log->tasks);
    thread_join(&log->thread);
    log_database_close(log->database);
    for (uint32_t i = 0; i <= MESSAGE_NODES_MAX; i++) {
        while (log->pending[i] != NULL) {
            PendingOutcome *next = log->pending[i]->next;
            free(log->pending[i]);
            log->pending[i] = next;
        }
    }
    free(log->acked);
    status_free(log->failure);
    catalog_version_unpin(log->version);
    statistics_buffer_destroy(log->statistics);
    conflict_graph_destroy(log->graph);
    last_writes_destroy(log->last_writes);
    queue_destroy(log->tasks);
    mutex_deinit(&log->mutex);
    arena_destroy(log->arena);
    free(log);
}
