/*
 * statement_insert.c — an INSERT of a few rows of constants: with those of other sessions when
 * they come at the same time, else alone.
 */
#include "leader/insert_group.h"
#include "leader/session_internal.h"

enum { GROUPED_ROWS_MAX = 100, WAIT_US = 20000, GATHER_US = 400 };

/* Means the same in every session. */
static bool is_plain(const Expr *cell)
{
    while (cell->kind == EXPR_CAST) {
        cell = cell->args[0];
    }
    return cell->kind == EXPR_CONSTANT;
}

/* The rows of an INSERT that is a transaction of its own and may share one; else null. */
static const LogicalValues *find_values(const Session *session, const BoundStatement *bound)
{
    const Txn *txn = &session->txn;
    if (bound->kind != BOUND_INSERT || !txn->is_single || txn->is_read_only ||
        txn->isolation != TXN_SNAPSHOT) {
        return NULL;
    }
    if (session->identity_table != 0) {
        return NULL; // the numbers it took become durable with its own commit
    }
    const LogicalInsert *insert = (const LogicalInsert *)bound->root;
    const LogicalValues *values = (const LogicalValues *)insert->child;
    if (values->node.kind != LOGICAL_VALUES || values->row_count > GROUPED_ROWS_MAX) {
        return NULL;
    }
    size_t cell_count = (size_t)values->row_count * values->node.column_count;
    for (size_t i = 0; i < cell_count; i++) {
        if (!is_plain(values->cells[i])) {
            return NULL;
        }
    }
    return values;
}

/* The statement once more from its text: planning may have changed the bound tree. */
static Status bind_again(Portal *portal, PlannerContext *planner)
{
    const Prepared *prepared = portal->named != NULL ? portal->named : portal->prepared;
    return bind_statement(planner, prepared->ast, &portal->parameters, &portal->bound);
}

/* A transaction and a snapshot anew, after the group's was rolled back. */
static Status begin_again(Session *session, Portal *portal, PlannerContext *planner,
                          Snapshot *snapshot)
{
    portal_end_query(session, portal);
    txn_rollback(&session->txn);
    txn_begin(&session->txn, false);
    session->txn.is_single = true;
    transaction_take_modes(session, &(AstTransactionModes){0});
    return statement_bind(session, portal, planner, snapshot);
}

/* An INSERT of the rows of all members. */
static LogicalNode *unite(const InsertMember *leading, const LogicalNode *root, Arena *arena)
{
    uint32_t rows = 0, width = leading->values->node.column_count;
    for (const InsertMember *member = leading; member != NULL; member = member->next) {
        rows += member->values->row_count;
    }
    LogicalValues *values = ARENA_NEW(arena, LogicalValues);
    *values = *leading->values;
    values->node.rows = rows;
    values->row_count = rows;
    values->cells = ARENA_ARRAY(arena, Expr *, (size_t)rows * width + 1);
    size_t filled = 0;
    for (const InsertMember *member = leading; member != NULL; member = member->next) {
        size_t cell_count = (size_t)member->values->row_count * width;
        for (size_t i = 0; i < cell_count; i++) {
            values->cells[filled++] = member->values->cells[i];
        }
    }
    LogicalInsert *insert = ARENA_NEW(arena, LogicalInsert);
    *insert = *(const LogicalInsert *)root;
    insert->child = &values->node;
    return &insert->node;
}

/* Writes the group's rows and commits. */
static Status write_group(Session *session, Portal *portal, PlannerContext *planner,
                          const Snapshot *snapshot, const InsertMember *leading)
{
    int64_t rows = 0;
    LogicalNode *root = unite(leading, portal->bound->root, portal->arena);
    TRY(statement_run_change(session, portal, planner, snapshot, root, &rows));
    return txn_commit(&session->txn);
}

/* What the end of a group means to its members: one that may have been written after all must not
 * be written again. */
static InsertState state_of_others(Status status)
{
    if (status == STATUS_OK) {
        return INSERT_DONE;
    }
    return status_sqlstate(status) == SQLSTATE_TRANSACTION_RESOLUTION_UNKNOWN ? INSERT_UNKNOWN
                                                                              : INSERT_ALONE;
}

/* Canceled, timed out, shut down: of the session that led, and not to be tried again. */
static bool is_own_end(Status status)
{
    SqlState state = status_sqlstate(status);
    return state == SQLSTATE_QUERY_CANCELED || state == SQLSTATE_ADMIN_SHUTDOWN;
}

static Status unknown_end(void)
{
    return status_with_hint(status_error(SQLSTATE_TRANSACTION_RESOLUTION_UNKNOWN,
                                         "the commit may have happened or not"),
                            "restart the leader: its log decides; look then");
}

static Status wait_for_turn(Session *session, InsertMember *member, InsertState *state)
{
    InsertGroups *groups = session->leader->insert_groups;
    insert_group_join(groups, member);
    for (;;) {
        *state = insert_group_wait(groups, member, WAIT_US);
        if (*state != INSERT_WAITING && *state != INSERT_TAKEN) {
            return STATUS_OK;
        }
        Status status = *state == INSERT_WAITING ? statement_check(session, NULL) : STATUS_OK;
        if (status != STATUS_OK) {
            if (insert_group_leave(groups, member)) {
                return status;
            }
            status_ignore(status, "its rows are being written: the end of that counts");
        }
    }
}

Status statement_insert(Session *session, Portal *portal, PlannerContext *planner,
                        const Snapshot *snapshot, int64_t *rows)
{
    Snapshot own = *snapshot;
    const LogicalValues *values = find_values(session, portal->bound);
    if (values != NULL) {
        InsertMember member = {.table = portal->bound->target, .values = values};
        InsertState state = INSERT_WAITING;
        *rows = values->row_count;
        TRY(wait_for_turn(session, &member, &state));
        if (state == INSERT_DONE || state == INSERT_UNKNOWN) {
            return state == INSERT_DONE ? STATUS_OK : unknown_end();
        }
        if (state == INSERT_LEADING) {
            insert_group_gather(session->leader->insert_groups, &member, GATHER_US);
            bool is_group = member.next != NULL;
            Status status = write_group(session, portal, planner, snapshot, &member);
            InsertState others = state_of_others(status);
            insert_group_finish(session->leader->insert_groups, &member, others);
            if (!is_group || others != INSERT_ALONE || is_own_end(status)) {
                return status;
            }
            status_free(status);
            TRY(begin_again(session, portal, planner, &own));
        } else {
            TRY(bind_again(portal, planner));
        }
    }
    return statement_run_change(session, portal, planner, &own, portal->bound->root, rows);
}
