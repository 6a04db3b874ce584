/* table_sort.c — see table_sort.h. */
#include "leader/vacuum/table_sort.h"

#include <stdio.h>
#include "leader/ddl/table_change.h"
#include "leader/session_internal.h"
#include "leader/vacuum/merge_query.h"
#include "planner/binder/bind.h"
#include "planner/distributor/distribute.h"

#define LOCK_WAIT_US 100000 /* newcomers wait as long */

static Status plan_sort(MergeQuery *query, const CatalogTable *from, const CatalogTable *to,
                        Arena *arena, Plan **out)
{
    PlannerContext planner = merge_query_planner(query, arena);
    PlanResultColumn *result = ARENA_NEW(arena, PlanResultColumn); // the plan's
    *result = (PlanResultColumn){.name = "rows", .type = type_of(TYPE_BIGINT)};
    TRY(plan_query(&planner, logical_rewrite(&planner, from, to), result, 1, out));
    return statement_check_room(&query->merge->leader->services, *out);
}

/* Fills the new table; the old one's rows go with the commit. */
static Status write_sorted(MergeQuery *query, const CatalogTable *old, uint32_t column,
                           Snapshot *snapshot, Arena *arena, uint64_t *rows)
{
    Txn *txn = &query->txn;
    CatalogTable definition = *old, *table = NULL;
    Plan *plan = NULL;
    definition.sort_keys = &column;
    definition.sort_key_count = 1;
    definition.is_interleaved = false;
    TRY(txn_begin_write(txn, snapshot));
    TRY(ddl_replace_table(txn, old->table_id, &definition, &table));
    TRY(plan_sort(query, old, table, arena, &plan));
    TRY(merge_query_run(query, plan, snapshot));
    TRY(statement_collect_writes(txn, query->query, plan));
    *rows = (uint64_t)result_queue_first_value(query->results);
    return ddl_drop_rows(txn, snapshot, old->table_id, true);
}

static Status run_in(MergeQuery *query, uint32_t column, uint64_t *rows)
{
    Snapshot snapshot;
    CatalogVersion *catalog = NULL;
    txn_begin(&query->txn, false);
    TRY(txn_begin_statement(&query->txn, &snapshot, &catalog));
    const TableEntry *entry = catalog_version_table_by_id(catalog, query->merge->table_id);
    Arena *arena = arena_create(NULL, "table_sort");
    Status status = STATUS_OK;
    if (entry != NULL && entry->table.is_auto_sorted && column < entry->table.column_count) {
        status = write_sorted(query, &entry->table, column, &snapshot, arena, rows);
    }
    merge_query_end(query);
    arena_destroy(arena);
    catalog_version_unpin(catalog);
    return status;
}

/* Gives up after a while. */
typedef struct LockPatience {
    const TableMerge *merge;
    int64_t end_us;
} LockPatience;

static Status check_patience(void *object)
{
    const LockPatience *patience = object;
    return clock_monotonic_us() > patience->end_us
               ? status_error(SQLSTATE_QUERY_CANCELED, "the table is in use")
               : patience->merge->check(patience->merge->object, NULL);
}

static Status commit_alone(MergeQuery *query)
{
    const TableMerge *merge = query->merge;
    Txn *txn = &query->txn;
    LockPatience patience = {.merge = merge, .end_us = clock_monotonic_us() + LOCK_WAIT_US};
    LockRequest request = {
        .table_id = merge->table_id, .mode = LOCK_EXCLUSIVE, .statement = txn->statement};
    snprintf(request.name, sizeof(request.name), "table %lu", (unsigned long)merge->table_id);
    txn->locks = merge->leader->table_locks;
    TRY(table_locks_wait(txn->locks, &txn->lock_owner, &request, check_patience, &patience));
    TRY(merge->check(merge->object, NULL)); // a transaction that began meanwhile may want it
    return txn_commit(txn);
}

Status table_sort_run(const TableMerge *merge, uint32_t column, uint64_t *rows)
{
    MergeQuery query;
    *rows = 0;
    merge_query_init(&query, merge);
    Status status = run_in(&query, column, rows);
    if (status == STATUS_OK && *rows > 0) {
        status = commit_alone(&query);
    }
    merge_query_deinit(&query);
    return status;
}
