/* merge_query.c — see merge_query.h. */
#include "leader/vacuum/merge_query.h"

#define WAIT_US 20000
#define NODES_WAIT_US INT64_C(5000000) /* for a node that is just coming back */

void merge_query_init(MergeQuery *self, const TableMerge *merge)
{
    *self = (MergeQuery){.merge = merge, .results = result_queue_create(NULL)};
    txn_init(&self->txn, merge->leader->log, merge->leader->nodes);
}

void merge_query_deinit(MergeQuery *self)
{
    txn_deinit(&self->txn);
    result_queue_destroy(self->results);
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
    (void)bytes; // leases are noted on the way
}

Status merge_query_run(MergeQuery *self, const Plan *plan, const Snapshot *snapshot)
{
    const TableMerge *merge = self->merge;
    const DistributedQueryOptions options = {.services = &merge->leader->services,
                                             .plan = plan,
                                             .settings = merge->settings,
                                             .snapshot = *snapshot,
                                             .results = self->results,
                                             .is_writing = true};
    TRY(wait_for_nodes(merge));
    TRY(distributed_query_start(&options, &self->query));
    TRY(distributed_query_enlist(self->query, &self->txn));
    while (!distributed_query_wait(self->query, WAIT_US)) {
        Status status = merge->check(merge->object, self->query);
        if (status != STATUS_OK) {
            distributed_query_cancel(self->query, status);
        }
    }
    distributed_query_visit_writes(self->query, forget_statistics, NULL);
    return distributed_query_status(self->query);
}

void merge_query_end(MergeQuery *self)
{
    result_queue_stop(self->results);
    distributed_query_destroy(self->query);
    self->query = NULL;
}

PlannerContext merge_query_planner(const MergeQuery *self, Arena *arena)
{
    static const CatalogView nothing_to_ask = {0};
    return (PlannerContext){.arena = arena,
                            .catalog = &nothing_to_ask,
                            .next_column = 1,
                            .next_cte = 1,
                            .node_count = commit_log_node_count(self->merge->leader->log)};
}
