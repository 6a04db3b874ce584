/* analyze.c — ANALYZE: a table's statistics are made anew from all of its rows. */
#include <stdio.h>
#include <string.h>

#include "leader/session_internal.h"

/* Rows that others commit meanwhile are counted on top of what was read. */
static Status renew(Session *session, const CatalogTable *table)
{
    CatalogChange *change = txn_new_change(&session->txn, CATALOG_RENEW_STATISTICS);
    change->table_id = table->table_id;
    change->row_count = (uint64_t)table->row_count;
    change->is_analysis = true;
    return txn_add_change(&session->txn, change);
}

/* The changes behind `last`; null: all. */
static void mark_changes(const Session *session, CatalogChange *last)
{
    CatalogChange *change = last == NULL ? session->txn.changes.first : last->next;
    for (; change != NULL; change = change->next) {
        change->is_analysis = true;
    }
}

static Status analyze_table(Session *session, Portal *portal, PlannerContext *planner,
                            const Snapshot *snapshot, const CatalogTable *table)
{
    const Plan *plan = NULL;
    CatalogChange *last = session->txn.changes.last;
    LogicalNode *root = logical_analysis(planner, table);
    TRY(statement_start_query(session, portal, planner, snapshot, root, 1,
                              &(PlanResultColumn){.name = "rows", .type = type_of(TYPE_BIGINT)},
                              NULL, false, false, &plan));
    TRY(statement_wait(session, portal->query));
    TRY(renew(session, table));
    TRY(statement_collect_writes(&session->txn, portal->query, plan));
    mark_changes(session, last);
    portal_end_query(session, portal);
    return STATUS_OK;
}

bool analyze_is_meant(const Session *session, const CatalogTable *table)
{
    bool is_own = strcmp(table->schema_name, session->temporary_schema) == 0;
    bool is_temporary = strncmp(table->schema_name, "pg_temp_", 8) == 0;
    return table->kind == CATALOG_TABLE && (is_own || !is_temporary);
}

Status analyze_run(Session *session, Portal *portal, PlannerContext *planner,
                   const Snapshot *snapshot)
{
    const CatalogTable *target = portal->bound->target;
    Snapshot writing = *snapshot;
    TRY(txn_begin_write(&session->txn, &writing));
    snprintf(session->last_tag, sizeof(session->last_tag), "ANALYZE");
    if (target != NULL && target->kind == CATALOG_TABLE) {
        TRY(analyze_table(session, portal, planner, &writing, target));
    }
    for (uint32_t i = 0; target == NULL && i < catalog_version_table_count(portal->catalog); i++) {
        const CatalogTable *table = &catalog_version_table_at(portal->catalog, i)->table;
        if (analyze_is_meant(session, table)) {
            TRY(analyze_table(session, portal, planner, &writing, table));
        }
    }
    portal->is_ended = true;
    return STATUS_OK;
}
