/*
 * transaction_modes.c — isolation level and access of transactions: BEGIN's own, SET TRANSACTION,
 * and what the session has as default.
 *
 * SERIALIZABLE is that. All other levels are SNAPSHOT, which is at least what they ask for.
 */
#include <string.h>

#include "leader/session_internal.h"

static TxnIsolation isolation_of(AstIsolation asked, TxnIsolation otherwise)
{
    if (asked == AST_ISOLATION_DEFAULT) {
        return otherwise;
    }
    return asked == AST_ISOLATION_SERIALIZABLE ? TXN_SERIALIZABLE : TXN_SNAPSHOT;
}

void transaction_take_modes(Session *session, const AstTransactionModes *modes)
{
    Txn *txn = &session->txn;
    txn->isolation = isolation_of(modes->isolation, session->default_isolation);
    txn->is_read_only = modes->has_access ? modes->is_read_only : session->is_default_read_only;
}

void transaction_set_defaults(Session *session, const AstTransactionModes *modes)
{
    session->default_isolation = isolation_of(modes->isolation, session->default_isolation);
    if (modes->has_access) {
        session->is_default_read_only = modes->is_read_only;
    }
}

Status transaction_set_modes(Session *session, const AstTransactionModes *modes)
{
    Txn *txn = &session->txn;
    if (txn->state == TXN_IDLE || !txn->is_explicit) {
        session_notice(session, PG_SEVERITY_WARNING,
                       "SET TRANSACTION can only be used in transaction blocks");
        return STATUS_OK;
    }
    TxnIsolation wanted = isolation_of(modes->isolation, txn->isolation);
    if (wanted != txn->isolation && txn->has_snapshot) {
        return status_error(SQLSTATE_ACTIVE_SQL_TRANSACTION,
                            "SET TRANSACTION ISOLATION LEVEL must be called before any query");
    }
    if (modes->has_access && !modes->is_read_only && txn->is_read_only && txn->has_snapshot) {
        return status_error(SQLSTATE_ACTIVE_SQL_TRANSACTION,
                            "transaction read-write mode must be set before any query");
    }
    txn->isolation = wanted;
    txn->is_read_only = modes->has_access ? modes->is_read_only : txn->is_read_only;
    return STATUS_OK;
}

const char *transaction_show(const Session *session, const char *name)
{
    static const char *const levels[] = {
        [TXN_SNAPSHOT] = "snapshot", [TXN_SERIALIZABLE] = "serializable"};
    const Txn *txn = &session->txn;
    bool is_open = txn->state != TXN_IDLE;
    TxnIsolation isolation = is_open ? txn->isolation : session->default_isolation;
    bool is_read_only = is_open ? txn->is_read_only : session->is_default_read_only;
    if (strcmp(name, "transaction_isolation") == 0 ||
        strcmp(name, "transaction isolation level") == 0) {
        return levels[isolation];
    }
    if (strcmp(name, "default_transaction_isolation") == 0) {
        return levels[session->default_isolation];
    }
    if (strcmp(name, "transaction_read_only") == 0) {
        return is_read_only ? "on" : "off";
    }
    if (strcmp(name, "default_transaction_read_only") == 0) {
        return session->is_default_read_only ? "on" : "off";
    }
    return NULL;
}

static void note_tables(void *object, PlanNode *node)
{
    Txn *txn = object;
    if (node->kind == PLAN_SCAN) {
        txn_note_read(txn, ((const PlanScan *)node)->table->table_id);
    } else if (node->kind == PLAN_TABLE_WRITE) {
        txn_note_write(txn, ((const PlanTableWrite *)node)->table->table_id);
    } else if (node->kind == PLAN_TABLE_DELETE) {
        txn_note_write(txn, ((const PlanTableDelete *)node)->table->table_id);
    }
    plan_node_children(node, note_tables, txn);
}

void transaction_note_plan(Session *session, const Plan *plan)
{
    if (session->txn.isolation == TXN_SERIALIZABLE) {
        for (uint32_t i = 0; i < plan->fragment_count; i++) {
            note_tables(&session->txn, plan->fragments[i].root);
        }
    }
}
