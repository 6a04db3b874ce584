/* table_change.c — see table_change.h. */
#include "leader/ddl/table_change.h"

#define DDL_TIMEOUT_US INT64_C(30000000)

static const char *copy_text(Arena *arena, const char *text)
{
    return text == NULL ? NULL : arena_strdup(arena, text);
}

CatalogTable *ddl_copy_table(Arena *arena, const CatalogTable *source)
{
    CatalogTable *table = ARENA_NEW(arena, CatalogTable);
    *table = *source;
    table->schema_name = arena_strdup(arena, source->schema_name);
    table->name = arena_strdup(arena, source->name);
    table->view_text = copy_text(arena, source->view_text);
    table->columns =
        arena_memdup(arena, source->columns, source->column_count * sizeof(*table->columns));
    for (uint32_t i = 0; i < table->column_count; i++) {
        CatalogColumn *column = &table->columns[i];
        column->name = arena_strdup(arena, column->name);
        column->default_text = copy_text(arena, column->default_text);
        column->encoding_text = copy_text(arena, column->encoding_text);
        column->source_name = copy_text(arena, column->source_name);
        column->missing_value = value_copy(arena, &column->missing_value);
    }
    table->sort_keys =
        arena_memdup(arena, source->sort_keys, source->sort_key_count * sizeof(*table->sort_keys));
    return table;
}

Status ddl_drop_rows(Txn *txn, const Snapshot *snapshot, uint64_t table_id, bool is_drop)
{
    uint32_t count = commit_log_node_count(txn->log);
    uint32_t *nodes = ARENA_ARRAY(txn->arena, uint32_t, count);
    for (uint32_t i = 0; i < count; i++) {
        nodes[i] = i + 1;
    }
    NodeSet set = {.count = count, .nodes = nodes};
    NodeCall *calls = NULL;
    txn->has_dropped = true;
    Request request = {.kind = MESSAGE_TRUNCATE,
                       .truncate = {.txn_id = txn->txn_id,
                                    .position = snapshot->position,
                                    .statement = snapshot->statement,
                                    .table_id = table_id,
                                    .is_drop = is_drop}};
    Status status = nodes_call_all(txn->nodes, &set, &request, DDL_TIMEOUT_US, txn->arena, &calls);
    for (uint32_t i = 0; i < count; i++) {
        status = status_first(status, txn_add_participant(txn, nodes[i], calls[i].greeting));
    }
    return status;
}

Status ddl_replace_table(Txn *txn, uint64_t old_id, const CatalogTable *definition,
                         CatalogTable **out)
{
    CatalogChange *change = txn_new_change(txn, CATALOG_REPLACE_TABLE);
    change->table = ddl_copy_table(txn->arena, definition);
    change->table->generation++;
    change->table->table_id = commit_log_next_table(txn->log);
    change->table_id = old_id;
    change->snapshot = txn->position;
    txn->is_single = false; // the nodes hear of the old rows after the query
    *out = change->table;
    return txn_add_change(txn, change);
}
