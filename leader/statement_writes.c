/* statement_writes.c — what a writing query leaves behind: votes, statistics of what it changed. */
#include "base/io/disk_reserve.h"
#include "leader/session_internal.h"

typedef struct WriteCollector {
    Txn *txn;
    const Plan *plan;
    bool has_told; /* another node, what it did */
    Status status;
} WriteCollector;

typedef struct WriteSearch {
    uint64_t table_id;
    bool is_replicated;
} WriteSearch;

static void search_write(void *object, PlanNode *node)
{
    WriteSearch *search = object;
    const PlanTable *table = node->kind == PLAN_TABLE_WRITE ? ((const PlanTableWrite *)node)->table
                             : node->kind == PLAN_TABLE_DELETE
                                 ? ((const PlanTableDelete *)node)->table
                                 : NULL;
    search->is_replicated =
        search->is_replicated || (table != NULL && table->table_id == search->table_id &&
                                  table->style == DISTRIBUTION_STYLE_ALL);
    plan_node_children(node, search_write, search);
}

/* Whether every node wrote the same rows of this table. */
static bool is_replicated(const Plan *plan, uint64_t table_id)
{
    WriteSearch search = {.table_id = table_id};
    for (uint32_t i = 0; i < plan->fragment_count; i++) {
        search_write(&search, plan->fragments[i].root);
    }
    return search.is_replicated;
}

static void search_table_write(void *object, PlanNode *node)
{
    bool *is_found = object;
    *is_found = *is_found || node->kind == PLAN_TABLE_WRITE;
    plan_node_children(node, search_table_write, is_found);
}

Status statement_check_room(const QueryServices *services, const Plan *plan)
{
    bool is_found = false;
    for (uint32_t i = 0; i < plan->fragment_count; i++) {
        search_table_write(&is_found, plan->fragments[i].root);
    }
    int64_t reserve = setting_integer(services->host->settings, SETTING_DISK_RESERVE_BYTES);
    return is_found ? disk_reserve_check(services->host->files, services->spill_directory,
                                         (uint64_t)reserve)
                    : STATUS_OK;
}

/* One write as a change of the catalog; those of a transaction are applied once, at commit. */
static void add_write(WriteCollector *collector, const CatalogChange *change, const uint8_t *blob)
{
    Txn *txn = collector->txn;
    if (collector->has_told && is_replicated(collector->plan, change->table_id)) {
        return; // every node did the same
    }
    if (change->kind == CATALOG_REMOVE_ROWS && change->row_count == 0) {
        return;
    }
    CatalogChange *added = txn_new_change(txn, change->kind);
    added->table_id = change->table_id;
    added->row_count = change->row_count;
    added->statistics_bytes = change->statistics_bytes;
    added->statistics = arena_memdup(txn->arena, blob, change->statistics_bytes);
    catalog_change_add(&txn->changes, added);
}

static void collect_writes(void *object, const uint8_t *data, size_t bytes)
{
    WriteCollector *collector = object;
    ByteReader reader;
    byte_reader_init(&reader, data, bytes);
    uint32_t writes = byte_reader_count(&reader, 17);
    for (uint32_t i = 0; i < writes && collector->status == STATUS_OK; i++) {
        CatalogChange change = {.table_id = byte_reader_u64(&reader),
                                .row_count = byte_reader_u64(&reader)};
        const uint8_t *blob = byte_reader_blob(&reader, &change.statistics_bytes);
        if (!byte_reader_is_ok(&reader)) {
            collector->status =
                status_error(SQLSTATE_PROTOCOL_VIOLATION, "malformed statistics from a node");
            return;
        }
        change.kind = change.statistics_bytes > 0 ? CATALOG_ADD_STATISTICS : CATALOG_REMOVE_ROWS;
        add_write(collector, &change, blob);
    }
    collector->has_told = true;
}

Status statement_collect_writes(Txn *txn, DistributedQuery *query, const Plan *plan)
{
    distributed_query_note_votes(query, txn);
    WriteCollector collector = {.txn = txn, .plan = plan};
    distributed_query_visit_writes(query, collect_writes, &collector);
    return collector.status;
}
