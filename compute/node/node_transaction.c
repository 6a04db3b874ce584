/* node_transaction.c — outcomes, votes, truncation: what transactions ask of a node. */
#include "compute/node/node_internal.h"

Status node_apply_outcomes(Node *node, const Request *request)
{
    Status status = STATUS_OK;
    for (uint32_t i = 0; status == STATUS_OK && i < request->outcome_count; i++) {
        const Outcome *outcome = &request->outcomes[i];
        if (outcome->redo_bytes > 0) {
            status = store_redo(node->store, outcome->txn_id, outcome->position, outcome->redo,
                                outcome->redo_bytes);
        } else if (outcome->state == OUTCOME_COMMITTED) {
            status = store_commit(node->store, outcome->txn_id, outcome->position);
        } else {
            status = store_abort(node->store, outcome->txn_id);
        }
    }
    return status;
}

Status node_prepare(Node *node, const PrepareMessage *prepare)
{
    return store_prepare(node->store, prepare->txn_id);
}

Status node_truncate(Node *node, const TruncateMessage *truncate)
{
    Snapshot snapshot = {.position = truncate->position,
                         .txn_id = truncate->txn_id,
                         .statement = truncate->statement};
    return truncate->is_drop ? store_drop_table(node->store, truncate->table_id, &snapshot)
                             : store_truncate_table(node->store, truncate->table_id, &snapshot);
}

Status node_usage(Node *node, const UsageMessage *usage, Arena *arena, Reply *reply)
{
    Snapshot snapshot = {.position = usage->position};
    TableUsage *slices = NULL;
    uint32_t count = 0;
    TRY(store_table_usage(node->store, usage->table_id, &snapshot, arena, &slices, &count));
    reply->usage.count = count;
    reply->usage.rows = ARENA_ARRAY(arena, struct UsageRow, count + 1);
    for (uint32_t i = 0; i < count; i++) {
        reply->usage.rows[i] = (struct UsageRow){.slice = slices[i].slice,
                                                 .rows = slices[i].rows,
                                                 .bytes = slices[i].bytes,
                                                 .rowsets = slices[i].rowsets,
                                                 .insert_batches = slices[i].insert_batches};
    }
    return STATUS_OK;
}
