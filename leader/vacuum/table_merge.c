/* table_merge.c — see table_merge.h. The plan is one row of counts; the work is the nodes'. */
#include "leader/vacuum/table_merge.h"

#include "leader/vacuum/merge_query.h"
#include "planner/distributor/distribute.h"

#define DRAIN_US 300000      /* for those who may delete rows to end */
#define IDLE_DRAIN_US 100000 /* newcomers wait as long */

static Status plan_merge(const MergeQuery *query, const CatalogTable *table, Arena *arena,
                         Plan **out)
{
    const TableMerge *merge = query->merge;
    PlannerContext planner = merge_query_planner(query, arena);
    PlanResultColumn *result = ARENA_NEW(arena, PlanResultColumn); // the plan's
    *result = (PlanResultColumn){.name = "rows", .type = type_of(TYPE_BIGINT)};
    LogicalVacuum *vacuum = ARENA_NEW(arena, LogicalVacuum);
    vacuum->node = (LogicalNode){.kind = LOGICAL_VACUUM,
                                 .position = POSITION_NONE,
                                 .column_count = 1,
                                 .columns = ARENA_NEW(arena, LogicalColumn),
                                 .rows = -1};
    vacuum->node.columns[0] = (LogicalColumn){
        .number = planner.next_column++, .name = result->name, .type = result->type};
    vacuum->table = table;
    vacuum->mode = merge->mode;
    vacuum->percent = merge->percent;
    return plan_query(&planner, &vacuum->node, result, 1, out);
}

/* The transaction changes nothing in the catalog, but cannot commit when the table is gone by
 * then. */
static Status require_table(Txn *txn, uint64_t table_id)
{
    CatalogChange *change = txn_new_change(txn, CATALOG_REQUIRE_TABLE);
    change->table_id = table_id;
    catalog_change_add(&txn->changes, change);
    return STATUS_OK;
}

static Status run_in(MergeQuery *query, uint64_t *rows)
{
    const TableMerge *merge = query->merge;
    Txn *txn = &query->txn;
    Snapshot snapshot;
    CatalogVersion *catalog = NULL;
    Plan *plan = NULL;
    txn_begin(txn, false);
    TRY(txn_begin_statement(txn, &snapshot, &catalog));
    const TableEntry *entry = catalog_version_table_by_id(catalog, merge->table_id);
    Arena *arena = arena_create(NULL, "table_merge");
    Status status = STATUS_OK;
    if (entry != NULL) {
        status = txn_begin_write(txn, &snapshot);
        if (status == STATUS_OK) {
            status = plan_merge(query, &entry->table, arena, &plan);
        }
        if (status == STATUS_OK) {
            status = merge_query_run(query, plan, &snapshot);
        }
        if (status == STATUS_OK) {
            *rows = (uint64_t)result_queue_first_value(query->results);
            status = require_table(txn, merge->table_id);
        }
    }
    merge_query_end(query);
    arena_destroy(arena);
    catalog_version_unpin(catalog);
    return status;
}

/* While nobody is about to delete rows it has read. An idle merge is given up otherwise; VACUUM
 * goes on after a while: the nodes refuse it when that is necessary. */
static Status commit(const TableMerge *merge, Txn *txn)
{
    ChangeGate *gate = &merge->leader->change_gate;
    const bool is_idle = merge->mode == VACUUM_IDLE;
    const bool is_closed = change_gate_close(gate, is_idle ? IDLE_DRAIN_US : DRAIN_US);
    if (is_idle && !is_closed) {
        return status_error(SQLSTATE_QUERY_CANCELED, "the merge makes way");
    }
    txn->has_dropped = true;
    Status status = txn_commit(txn);
    if (is_closed) {
        change_gate_open(gate);
    }
    return status;
}

Status table_merge_run(const TableMerge *merge, uint64_t *rows)
{
    MergeQuery query;
    *rows = 0;
    merge_query_init(&query, merge);
    Status status = run_in(&query, rows);
    if (status == STATUS_OK && *rows > 0) { // who came meanwhile has the last word
        status = merge->check(merge->object, NULL);
    }
    if (status == STATUS_OK && *rows > 0) {
        status = commit(merge, &query.txn);
    }
    merge_query_deinit(&query);
    if (status != STATUS_OK && status_sqlstate(status) == SQLSTATE_UNDEFINED_TABLE) {
        status_ignore(status, "the table was dropped: nothing is left to merge");
        status = STATUS_OK;
        *rows = 0;
    }
    return status;
}
