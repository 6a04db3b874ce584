/*
 * bind_target.c — the table that UPDATE, DELETE and MERGE change: its rows, told apart by row id
 * and node, which are columns without a name.
 */
#include "planner/binder/binder_internal.h"

#include <string.h>

// Two more columns behind the table's own, which no name in the statement can reach.
static void add_row_ids(Binder *binder, LogicalGet *get, ChangeTarget *target)
{
    uint32_t count = get->table->column_count;
    LogicalColumn *columns = ARENA_ARRAY(binder->arena, LogicalColumn, count + 2);
    uint32_t *table_columns = ARENA_ARRAY(binder->arena, uint32_t, count + 2);
    memcpy(columns, get->node.columns, count * sizeof(*columns));
    memcpy(table_columns, get->table_columns, count * sizeof(*table_columns));
    columns[count] = (LogicalColumn){.number = planner_new_column(binder->context),
                                     .name = "row_id",
                                     .type = type_of(TYPE_BIGINT)};
    columns[count + 1] = (LogicalColumn){.number = planner_new_column(binder->context),
                                         .name = "row_node",
                                         .type = type_of(TYPE_INTEGER),
                                         .column_id = COLUMN_ID_ROW_NODE};
    table_columns[count] = GET_ROW_ID(get->table);
    table_columns[count + 1] = GET_ROW_NODE(get->table);
    get->table_columns = table_columns;
    get->node.columns = columns;
    get->node.column_count = count + 2;
    target->row_id = columns[count];
    target->row_node = columns[count + 1];
}

Status bind_change_target(Binder *binder, const AstObjectName *name, const char *alias,
                          const char *action, ChangeTarget *out)
{
    TRY(bind_writable_table(binder, name, action, &out->table));
    LogicalNode *get = get_make(binder, out->table, alias);
    get->position = name->position;
    ScopeRelation *relation = scope_relation(binder, get, alias != NULL ? alias : out->table->name);
    relation->schema = alias != NULL ? NULL : out->table->schema_name;
    relation->table_name = alias != NULL ? out->table->name : NULL;
    from_item_init(&out->item, binder, get, relation);
    add_row_ids(binder, (LogicalGet *)get, out);
    return STATUS_OK;
}

LogicalNode *delete_make(Binder *binder, const ChangeTarget *target, LogicalNode *rows)
{
    LogicalColumn *ids = ARENA_ARRAY(binder->arena, LogicalColumn, 2);
    Expr **exprs = ARENA_ARRAY(binder->arena, Expr *, 2);
    ids[0] = target->row_id;
    ids[1] = target->row_node;
    for (uint32_t i = 0; i < 2; i++) {
        exprs[i] = logical_column_expr(binder->arena, &ids[i]);
    }
    LogicalDelete *node = ARENA_NEW(binder->arena, LogicalDelete);
    node->node = (LogicalNode){.kind = LOGICAL_DELETE,
                               .position = POSITION_NONE,
                               .column_count = 1,
                               .columns = row_count_column(binder->context),
                               .rows = 1};
    node->child = logical_project(binder->arena, rows, 2, exprs, ids);
    node->table = target->table;
    return &node->node;
}
