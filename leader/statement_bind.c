/*
 * statement_bind.c — a statement's names made out at a snapshot, its tables taken for it.
 *
 * The binder asks for tables by name, and each is locked as it is found. When one would have to be
 * waited for, the binding is given up, the wait is done outside, and the statement is bound anew:
 * the table may be another one by then, and a first statement sees what has been committed
 * meanwhile.
 */
#include <stdio.h>

#include "leader/session_internal.h"

static bool can_be_executed(const AstStatement *ast)
{
    return ast != NULL && (ast->kind == AST_STATEMENT_QUERY || ast->kind == AST_STATEMENT_INSERT ||
                           ast->kind == AST_STATEMENT_UPDATE || ast->kind == AST_STATEMENT_DELETE ||
                           ast->kind == AST_STATEMENT_MERGE);
}

/* EXECUTE p (…): the portal runs p with these arguments. */
static Status bind_named(Session *session, Portal *portal, PlannerContext *planner)
{
    const AstExecute *ast = portal->bound->ast->execute;
    Prepared *named = prepared_find(session, ast->name);
    if (named == NULL) {
        return status_at(ast->position, SQLSTATE_INVALID_SQL_STATEMENT_NAME,
                         "prepared statement \"%s\" does not exist", ast->name);
    }
    if (!can_be_executed(named->ast)) {
        return status_at(ast->position, SQLSTATE_FEATURE_NOT_SUPPORTED,
                         "EXECUTE runs queries and changes of rows only");
    }
    Value *values = NULL;
    uint32_t count = named->parameter_count;
    TRY(bind_arguments(planner, ast, count, named->parameter_types, &values));
    named->reference_count++; // it may be deallocated while it runs
    portal->named = named;
    portal->parameters = (BindParameters){
        .count = count,
        .types = arena_memdup(portal->arena, named->parameter_types, count * sizeof(Type)),
        .capacity = count,
        .values = values};
    return status_without_position(
        bind_statement(planner, named->ast, &portal->parameters, &portal->bound));
}

Status statement_lock_table(Session *session, const CatalogTable *table)
{
    if (table == NULL || table->kind != CATALOG_TABLE || session->is_describing) {
        return STATUS_OK;
    }
    Txn *txn = &session->txn;
    bool is_granted = false;
    LockRequest request = {.table_id = table->table_id,
                           .mode = session->lock_mode,
                           .statement = txn->statement};
    snprintf(request.name, sizeof(request.name), "%s.%s", table->schema_name, table->name);
    TRY(table_locks_try(txn->locks, &txn->lock_owner, &request, &is_granted));
    if (is_granted) {
        return STATUS_OK;
    }
    session->wanted = request;
    return status_error(SQLSTATE_LOCK_NOT_AVAILABLE, "could not obtain lock on relation \"%s\"",
                        table->name);
}

static Status bind_once(Session *session, Portal *portal, PlannerContext *planner,
                        Snapshot *snapshot)
{
    const AstStatement *ast = portal->prepared->ast;
    catalog_version_unpin(portal->catalog);
    portal->catalog = NULL;
    TRY(txn_begin_statement(&session->txn, snapshot, &portal->catalog));
    statement_fill_planner(session, planner, portal->arena, portal->catalog);
    if (portal->parameters.types == NULL) { // nobody gave it any
        portal->parameters.types = portal->prepared->parameter_types;
        portal->parameters.capacity = 0;
    }
    session->wanted.table_id = 0;
    session->lock_mode = ast->kind == AST_STATEMENT_LOCK ? LOCK_EXCLUSIVE : LOCK_SHARED;
    if (portal->named != NULL) {
        return bind_statement(planner, portal->named->ast, &portal->parameters, &portal->bound);
    }
    TRY(bind_statement(planner, ast, &portal->parameters, &portal->bound));
    return portal->bound->kind == BOUND_EXECUTE ? bind_named(session, portal, planner) : STATUS_OK;
}

/* Others may change the table until it is ours: a snapshot from before would be too old. */
static Status wait_for_table(Session *session)
{
    Txn *txn = &session->txn;
    session_release_identity(session);
    server_begin_wait(session->leader->server);
    Status status = table_locks_wait(txn->locks, &txn->lock_owner, &session->wanted,
                                     statement_check_session, session);
    server_end_wait(session->leader->server);
    txn_forget_snapshot(txn);
    return status;
}

Status statement_bind(Session *session, Portal *portal, PlannerContext *planner,
                      Snapshot *snapshot)
{
    for (;;) {
        Status status = bind_once(session, portal, planner, snapshot);
        if (session->wanted.table_id == 0) {
            return status;
        }
        status_ignore(status, "a table was not there for it: it is bound anew");
        TRY(wait_for_table(session));
    }
}

/* LOCK: the binder has taken the tables. What comes next sees what was committed before that. */
Status statement_run_lock(Session *session)
{
    snprintf(session->last_tag, sizeof(session->last_tag), "LOCK TABLE");
    if (!session->txn.is_explicit) {
        return status_error(SQLSTATE_NO_ACTIVE_SQL_TRANSACTION,
                            "LOCK TABLE can only be used in transaction blocks");
    }
    txn_forget_snapshot(&session->txn);
    return STATUS_OK;
}
