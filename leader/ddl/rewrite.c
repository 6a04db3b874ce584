/*
 * rewrite.c — rows written anew by the transaction: ALTER TABLE ... ALTER DISTSTYLE, DISTKEY and
 * SORTKEY, and APPEND.
 *
 * ALTER reads the table at the transaction's snapshot and writes it under a new id, with the new
 * distribution and order; the commit puts that in the place of the old one. Readers from before go
 * on with the old rows. Writers do not wait either: when one commits first, this transaction gets
 * 40001; when it commits later, the writer does. A kill or ROLLBACK leaves the old table.
 *
 *   t (id 7) --INSERT SELECT--> t' (id 9) --commit at 42--> t is 9; snapshots before 42 see 7
 */
#include <stdio.h>

#include "leader/ddl/rewrite.h"

Status ddl_fill(Session *session, Portal *portal, PlannerContext *planner,
                const Snapshot *snapshot, LogicalNode *insert, int64_t *rows)
{
    const Plan *plan = NULL;
    TRY(statement_start_query(session, portal, planner, snapshot, insert, 1,
                              &(PlanResultColumn){.name = "rows", .type = type_of(TYPE_BIGINT)},
                              NULL, false, true, &plan));
    TRY(statement_wait(session, portal->query));
    TRY(statement_collect_writes(&session->txn, portal->query, plan));
    *rows = result_queue_first_value(portal->results);
    return STATUS_OK;
}

Status rewrite_table(Session *session, Portal *portal, PlannerContext *planner,
                     const Snapshot *snapshot)
{
    const BoundStatement *bound = portal->bound;
    CatalogTable *table = NULL;
    int64_t rows = 0;
    TRY(ddl_replace_table(&session->txn, bound->target->table_id, bound->create, &table));
    LogicalNode *insert = logical_insert(planner, table, bound->root);
    TRY(ddl_fill(session, portal, planner, snapshot, insert, &rows));
    session_notice(session, PG_SEVERITY_NOTICE, "%ld rows were written anew", (long)rows);
    return ddl_drop_rows(&session->txn, snapshot, bound->target->table_id, true);
}

Status rewrite_append(Session *session, Portal *portal, PlannerContext *planner,
                      const Snapshot *snapshot)
{
    Txn *txn = &session->txn;
    const BoundStatement *bound = portal->bound;
    const uint64_t source_id = bound->truncate[0]->table_id;
    int64_t rows = 0;
    snprintf(session->last_tag, sizeof(session->last_tag), "ALTER TABLE APPEND");
    if (txn->is_explicit || txn->txn_id != 0) {
        return status_error(SQLSTATE_ACTIVE_SQL_TRANSACTION,
                            "ALTER TABLE APPEND cannot run inside a transaction block");
    }
    Snapshot writing = *snapshot;
    TRY(txn_begin_write(txn, &writing));
    txn->is_single = false;
    TRY(ddl_fill(session, portal, planner, &writing, bound->root, &rows));
    CatalogChange *change = txn_new_change(txn, CATALOG_CLEAR_STATISTICS);
    change->table_id = source_id;
    TRY(txn_add_change(txn, change));
    session_notice(session, PG_SEVERITY_NOTICE, "%ld rows were appended", (long)rows);
    return ddl_drop_rows(txn, &writing, source_id, false);
}
