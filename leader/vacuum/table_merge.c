/* table_merge.c — see table_merge.h. The plan is one row of counts; the work is the nodes'. */
#include "leader/vacuum/table_merge.h"

#include "leader/txn/txn.h"
#include "planner/distributor/distribute.h"

#define WAIT_US 20000
#define DRAIN_US 300000                /* for those who may delete rows to end */
#define IDLE_DRAIN_US 100000           /* newcomers wait as long */
#define NODES_WAIT_US INT64_C(5000000) /* for a node that is just coming back */

/* What lasts as long as one merge. */
typedef struct MergeQuery {
    const TableMerge *merge;
    Txn *txn;
    ResultQueue *results;
    DistributedQuery *query;
} MergeQuery;

static Status plan_merge(const TableMerge *merge, const CatalogTable *table, Arena *arena,
                         Plan **out)
{
    static const CatalogView nothing_to_ask = {0};
    PlannerContext planner = {.arena = arena,
                              .catalog = &nothing_to_ask,
                              .next_column = 1,
                              .next_cte = 1,
                              .node_count = commit_log_node_count(merge->leader->log)};
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

static Status wait_for_nodes(const TableMerge *merge)
{
    const int64_t deadline = clock_monotonic_us() + NODES_WAIT_US;
    Status status = nodes_check_ready(merge->leader->nodes);
    while (status != STATUS_OK && clock_monotonic_us() < deadline) {
        status_free(status);
        clock_sleep_us(WAIT_US);
        TRY(merge->check(merge->object, NULL));
        status = nodes_check_ready(merge->leader->nodes);
    }
    return status;
}

static void forget_statistics(void *object, const uint8_t *data, size_t bytes)
{
    (void)object;
    (void)data;
    (void)bytes; // the rows are the same as before
}

static Status run_query(MergeQuery *query, const Plan *plan, const Snapshot *snapshot)
{
    const TableMerge *merge = query->merge;
    const DistributedQueryOptions options = {.services = &merge->leader->services,
                                             .plan = plan,
                                             .settings = merge->settings,
                                             .snapshot = *snapshot,
                                             .results = query->results,
                                             .is_writing = true};
    TRY(wait_for_nodes(merge));
    TRY(distributed_query_start(&options, &query->query));
    TRY(distributed_query_enlist(query->query, query->txn));
    while (!distributed_query_wait(query->query, WAIT_US)) {
        Status status = merge->check(merge->object, query->query);
        if (status != STATUS_OK) {
            distributed_query_cancel(query->query, status);
        }
    }
    distributed_query_visit_writes(query->query, forget_statistics, NULL);
    return distributed_query_status(query->query);
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
    Snapshot snapshot;
    CatalogVersion *catalog = NULL;
    Plan *plan = NULL;
    txn_begin(query->txn, false);
    TRY(txn_begin_statement(query->txn, &snapshot, &catalog));
    const TableEntry *entry = catalog_version_table_by_id(catalog, merge->table_id);
    Arena *arena = arena_create(NULL, "table_merge");
    Status status = STATUS_OK;
    if (entry != NULL) {
        status = txn_begin_write(query->txn, &snapshot);
        if (status == STATUS_OK) {
            status = plan_merge(merge, &entry->table, arena, &plan);
        }
        if (status == STATUS_OK) {
            status = run_query(query, plan, &snapshot);
        }
        if (status == STATUS_OK) {
            *rows = (uint64_t)result_queue_first_value(query->results);
            status = require_table(query->txn, merge->table_id);
        }
    }
    result_queue_stop(query->results);
    distributed_query_destroy(query->query);
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
    Txn txn;
    *rows = 0;
    txn_init(&txn, merge->leader->log, merge->leader->nodes);
    MergeQuery query = {.merge = merge, .txn = &txn, .results = result_queue_create(NULL)};
    Status status = run_in(&query, rows);
    if (status == STATUS_OK && *rows > 0) { // who came meanwhile has the last word
        status = merge->check(merge->object, NULL);
    }
    if (status == STATUS_OK && *rows > 0) {
        status = commit(merge, &txn);
    }
    txn_deinit(&txn);
    result_queue_destroy(query.results);
    if (status != STATUS_OK && status_sqlstate(status) == SQLSTATE_UNDEFINED_TABLE) {
        status_ignore(status, "the table was dropped: nothing is left to merge");
        status = STATUS_OK;
        *rows = 0;
    }
    return status;
}
