/*
 * vacuum_run.c — the statement VACUUM: table after table, merge after merge, each committed by
 * itself, until nothing is left that its thresholds call for.
 */
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "leader/session_internal.h"
#include "leader/vacuum/table_merge.h"

#define MERGES_MAX 1000u /* of one table */
#define ATTEMPTS_MAX 20u /* of one merge that has to yield */
#define ATTEMPT_US 100000

/* What is to be done, taken from the catalog before its snapshot is given up. */
typedef struct VacuumTarget {
    uint64_t table_id;
    const char *schema, *name;
} VacuumTarget;

static Status check_query(void *object, DistributedQuery *query)
{
    return statement_check(object, query);
}

/* Its merges commit by themselves: a transaction around them would be a promise it cannot keep. */
static Status check_no_transaction(const Txn *txn)
{
    if (txn->is_explicit || txn->txn_id != 0 || txn->changes.first != NULL) {
        return status_error(SQLSTATE_ACTIVE_SQL_TRANSACTION,
                            "VACUUM cannot run inside a transaction block");
    }
    return STATUS_OK;
}

static bool is_allowed(const Session *session, const CatalogVersion *catalog,
                       const TableEntry *entry)
{
    const UserEntry *user = catalog_version_user(catalog, session->user);
    return (user != NULL && user->is_superuser) ||
           (entry->owner != NULL && strcmp(entry->owner, session->user) == 0);
}

/* The tables, without those of others. */
static uint32_t list_targets(Session *session, Portal *portal, VacuumTarget *targets)
{
    const CatalogTable *wanted = portal->bound->vacuum->table;
    uint32_t count = 0;
    for (uint32_t i = 0; i < catalog_version_table_count(portal->catalog); i++) {
        const TableEntry *entry = catalog_version_table_at(portal->catalog, i);
        const CatalogTable *table = &entry->table;
        if (table->kind != CATALOG_TABLE ||
            (wanted != NULL && table->table_id != wanted->table_id)) {
            continue;
        }
        if (is_allowed(session, portal->catalog, entry)) {
            targets[count++] =
                (VacuumTarget){.table_id = table->table_id,
                               .schema = arena_strdup(portal->arena, table->schema_name),
                               .name = arena_strdup(portal->arena, table->name)};
        } else if (wanted != NULL) {
            session_notice(session, PG_SEVERITY_WARNING,
                           "skipping \"%s\" --- only table or database owner can vacuum it",
                           table->name);
        }
    }
    return count;
}

/* One merge, as often as it has to yield; `*has_yielded` when that was too often. */
static Status merge_patiently(Session *session, const TableMerge *merge, uint64_t *rows,
                              bool *has_yielded)
{
    *has_yielded = false;
    for (uint32_t attempt = 0; attempt < ATTEMPTS_MAX; attempt++) {
        Status status = table_merge_run(merge, rows);
        if (status == STATUS_OK || status_sqlstate(status) != SQLSTATE_SERIALIZATION_FAILURE) {
            return status;
        }
        log_status(LOG_DEBUG, "merge_yields", status);
        status_free(status);
        TRY(statement_check(session, NULL));
        clock_sleep_us(ATTEMPT_US);
    }
    *has_yielded = true;
    return STATUS_OK;
}

static Status vacuum_table(Session *session, const BoundVacuum *vacuum, const VacuumTarget *target)
{
    MergeGate *gate = &session->leader->merge_gate;
    const TableMerge merge = {.leader = session->leader,
                              .settings = session->settings,
                              .table_id = target->table_id,
                              .mode = vacuum->mode,
                              .percent = vacuum->percent,
                              .check = check_query,
                              .object = session};
    const int64_t start_us = clock_monotonic_us();
    uint64_t rows = 1, all_rows = 0;
    uint32_t merges = 0;
    bool has_yielded = false;
    merge_gate_note_table(gate, target->schema, target->name);
    while (rows > 0 && merges < MERGES_MAX) {
        TRY(merge_patiently(session, &merge, &rows, &has_yielded));
        if (has_yielded) {
            session_notice(session, PG_SEVERITY_WARNING,
                           "VACUUM leaves table \"%s\" unfinished: its rows are being deleted by "
                           "transactions that are still open",
                           target->name);
            break;
        }
        if (rows > 0) {
            merge_gate_note_rows(gate, rows);
            all_rows += rows;
            merges++;
        }
    }
    log_info("table_vacuumed", "table=%lu merges=%u rows=%lu ms=%ld",
             (unsigned long)target->table_id, merges, (unsigned long)all_rows,
             (long)((clock_monotonic_us() - start_us) / 1000));
    return STATUS_OK;
}

Status vacuum_run(Session *session, Portal *portal)
{
    Leader *leader = session->leader;
    const BoundVacuum *vacuum = portal->bound->vacuum;
    TRY(check_no_transaction(&session->txn));
    VacuumTarget *targets =
        ARENA_ARRAY(portal->arena, VacuumTarget, catalog_version_table_count(portal->catalog) + 1);
    const uint32_t count = list_targets(session, portal, targets);
    // Its snapshot would keep the files of what is dropped.
    TRY(txn_commit(&session->txn));
    TRY(merge_gate_enter(&leader->merge_gate, statement_check_session, session));
    Status status = STATUS_OK;
    for (uint32_t i = 0; i < count && status == STATUS_OK; i++) {
        status = vacuum_table(session, vacuum, &targets[i]);
    }
    merge_gate_leave(&leader->merge_gate);
    snprintf(session->last_tag, sizeof(session->last_tag), "VACUUM");
    portal->is_ended = true;
    return status;
}
