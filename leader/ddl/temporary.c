/*
 * temporary.c — temporary tables: those of a session's own schema, which dies with it.
 *
 * The schema is named after the leader's run and the session, so that no two ever share one. What a
 * run that ended suddenly has left is dropped by the sessions of the next one, as they end.
 */
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "leader/session_internal.h"

#define TEMPORARY_PREFIX "pg_temp_"

/* Left by a session of an earlier run. */
static bool is_left_over(const Session *session, const char *schema)
{
    char own_run[48];
    int length = snprintf(own_run, sizeof(own_run), TEMPORARY_PREFIX "%lu_",
                          (unsigned long)commit_log_epoch(session->leader->log));
    return strncmp(schema, TEMPORARY_PREFIX, strlen(TEMPORARY_PREFIX)) == 0 &&
           strncmp(schema, own_run, (size_t)length) != 0;
}

static bool is_to_go(const Session *session, const char *schema)
{
    return strcmp(schema, session->temporary_schema) == 0 || is_left_over(session, schema);
}

Status ddl_need_temporary(Session *session, const CatalogVersion *catalog)
{
    if (catalog_version_has_schema(catalog, session->temporary_schema)) {
        return STATUS_OK;
    }
    CatalogChange *change = txn_new_change(&session->txn, CATALOG_CREATE_SCHEMA);
    change->schema = arena_strdup(session->txn.arena, session->temporary_schema);
    return txn_add_change(&session->txn, change);
}

Status ddl_drop_temporary(Session *session, const CatalogVersion *catalog, const Snapshot *snapshot)
{
    for (uint32_t i = 0; i < catalog_version_schema_count(catalog); i++) {
        const char *schema = catalog_version_schema_at(catalog, i);
        if (is_to_go(session, schema)) {
            TRY(ddl_drop_schema(session, catalog, snapshot, schema, true));
        }
    }
    return STATUS_OK;
}

static bool has_temporary(Session *session)
{
    uint64_t position = 0;
    CatalogVersion *catalog = commit_log_snapshot(session->leader->log, &position);
    bool has_one = false;
    for (uint32_t i = 0; i < catalog_version_schema_count(catalog); i++) {
        has_one = has_one || is_to_go(session, catalog_version_schema_at(catalog, i));
    }
    catalog_version_unpin(catalog);
    return has_one;
}

void ddl_end_temporary(Session *session)
{
    Txn *txn = &session->txn;
    Snapshot snapshot;
    CatalogVersion *catalog = NULL;
    if (txn->state != TXN_IDLE) {
        txn_rollback(txn);
    }
    if (!has_temporary(session)) {
        return;
    }
    txn_begin(txn, false);
    Status status = txn_begin_statement(txn, &snapshot, &catalog);
    if (status == STATUS_OK) {
        status = txn_begin_write(txn, &snapshot);
    }
    if (status == STATUS_OK) {
        status = ddl_drop_temporary(session, catalog, &snapshot);
    }
    catalog_version_unpin(catalog);
    if (status == STATUS_OK) {
        status = txn_commit(txn);
    } else {
        txn_rollback(txn);
    }
    if (status != STATUS_OK) { // the next run of the leader drops them
        log_status(LOG_WARN, "temporary_tables_stay", status);
        status_free(status);
    }
}
