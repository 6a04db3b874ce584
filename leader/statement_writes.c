/* statement_writes.c — what a writing query leaves behind: votes, statistics of what it wrote. */
#include "leader/session_internal.h"

typedef struct WriteCollector {
    Session *session;
    const Plan *plan;
    uint64_t replicated_id; /* a table on every node, of which one node has told already */
    Status status;
} WriteCollector;

typedef struct WriteSearch {
    uint64_t table_id;
    bool is_replicated;
} WriteSearch;

static void search_write(void *object, PlanNode *node)
{
    WriteSearch *search = object;
    if (node->kind == PLAN_TABLE_WRITE) {
        const PlanTable *table = ((const PlanTableWrite *)node)->table;
        search->is_replicated = search->is_replicated || (table->table_id == search->table_id &&
                                                          table->style == DISTRIBUTION_STYLE_ALL);
    }
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

static void collect_write(void *object, const uint8_t *data, size_t bytes)
{
    WriteCollector *collector = object;
    Txn *txn = &collector->session->txn;
    ByteReader reader;
    byte_reader_init(&reader, data, bytes);
    uint32_t tables = byte_reader_count(&reader, 9);
    for (uint32_t i = 0; i < tables && collector->status == STATUS_OK; i++) {
        CatalogChange *change = txn_new_change(txn, CATALOG_ADD_STATISTICS);
        change->table_id = byte_reader_u64(&reader);
        const uint8_t *blob = byte_reader_blob(&reader, &change->statistics_bytes);
        if (!byte_reader_is_ok(&reader)) {
            collector->status =
                status_error(SQLSTATE_PROTOCOL_VIOLATION, "malformed statistics from a node");
            return;
        }
        if (change->table_id == collector->replicated_id) {
            continue;
        }
        if (is_replicated(collector->plan, change->table_id)) {
            collector->replicated_id = change->table_id;
        }
        change->statistics = arena_memdup(txn->arena, blob, change->statistics_bytes);
        catalog_change_add(&txn->changes, change); // applied once, at commit
    }
}

/* A transaction of one statement has the votes of its nodes with their answers. */
static void note_votes(Session *session, const DistributedQuery *query)
{
    bool has_writes[MESSAGE_NODES_MAX];
    if (!session->txn.is_single) {
        return;
    }
    for (uint32_t i = 0; i < session->txn.participant_count; i++) {
        has_writes[i] = distributed_query_has_writes(query, i);
    }
    txn_note_votes(&session->txn, has_writes);
}

Status statement_collect_writes(Session *session, DistributedQuery *query, const Plan *plan)
{
    note_votes(session, query);
    WriteCollector collector = {.session = session, .plan = plan};
    distributed_query_visit_writes(query, collect_write, &collector);
    return collector.status;
}
