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
    memcpy(target->ids, &columns[count], sizeof(target->ids));
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

// ---- rows of the target ----

Status bind_change_rows(Binder *binder, CteBinding *ctes, const ChangeTarget *target,
                        const AstTableList *others, const AstExpr *where, ChangeRows *out)
{
    FromItem names = target->item;
    if (others->count > 0) {
        TRY(bind_from(binder, NULL, ctes, others, &out->others));
        TRY(from_item_add_names(&names, binder, &out->others));
    }
    scope_init(&out->scope, NULL, ctes, &names);
    if (where != NULL) {
        TRY(bind_condition(binder, &out->scope, where, CLAUSE_WHERE, &out->condition));
    }
    return STATUS_OK;
}

LogicalNode *change_rows_once(Binder *binder, const ChangeTarget *target, const ChangeRows *rows)
{
    Expr *condition = rows->condition;
    if (rows->others.node != NULL) {
        LogicalNode *partners = logical_filter(binder->arena, rows->others.node, condition);
        condition = subquery_make(binder, SUBQUERY_EXISTS, partners, type_of(TYPE_BOOLEAN),
                                  partners->position);
    }
    return logical_filter(binder->arena, target->item.node, condition);
}

// ---- SET ----

static Status bind_set_value(Binder *binder, const CatalogColumn *column, Scope *scope,
                             const AstExpr *ast, Expr **out)
{
    Expr *expr = NULL;
    TRY(identity_check_assigned(column, ast->position));
    if (ast->kind == AST_DEFAULT && column->is_identity) {
        return status_at(ast->position, SQLSTATE_FEATURE_NOT_SUPPORTED,
                         "an identity column cannot be set to DEFAULT");
    }
    if (ast->kind == AST_DEFAULT) {
        return bind_column_default(binder, column, out);
    }
    scope->clause = CLAUSE_UPDATE;
    TRY(bind_expr(binder, scope, ast, &expr));
    return bind_assignment(binder, column, expr, out);
}

Status bind_set(Binder *binder, const CatalogTable *table, Scope *scope,
                const AstAssignmentList *assignments, Expr ***out)
{
    Expr **values = ARENA_ARRAY(binder->arena, Expr *, table->column_count + 1);
    for (uint32_t i = 0; i < assignments->count; i++) {
        const AstWord *name = &assignments->items[i].column;
        uint32_t index = 0;
        TRY(bind_column_name(table, name, &index));
        if (values[index] != NULL) {
            return status_at(name->position, SQLSTATE_SYNTAX_ERROR,
                             "multiple assignments to same column \"%s\"", name->text);
        }
        TRY(bind_set_value(binder, &table->columns[index], scope, assignments->items[i].value,
                           &values[index]));
    }
    *out = values;
    return STATUS_OK;
}

// ---- rows that are read twice ----

SharedRows shared_rows_make(Binder *binder, const char *name, LogicalNode *definition)
{
    return (SharedRows){
        .cte_id = binder->context->next_cte++, .name = name, .definition = definition};
}

LogicalNode *shared_rows_reference(Binder *binder, const SharedRows *rows)
{
    return logical_cte_reference(binder->context, rows->cte_id, rows->definition);
}

typedef struct ReferenceMap {
    Arena *arena;
    const LogicalNode *definition, *reference;
} ReferenceMap;

static Expr *map_column(void *object, const Expr *column)
{
    const ReferenceMap *map = object;
    for (uint32_t i = 0; i < map->definition->column_count; i++) {
        if (map->definition->columns[i].number == column->column) {
            Expr *mapped = logical_column_expr(map->arena, &map->reference->columns[i]);
            return expr_at(mapped, column->position);
        }
    }
    return NULL; // a subquery's own
}

Expr *shared_rows_expr(Binder *binder, const SharedRows *rows, const LogicalNode *reference,
                       Expr *expr)
{
    ReferenceMap map = {binder->arena, rows->definition, reference};
    return logical_replace_in_expr(binder->arena, expr, map_column, &map);
}

// ---- the changes ----

LogicalNode *delete_make(Binder *binder, const CatalogTable *table, LogicalNode *rows,
                         const LogicalColumn ids[2])
{
    LogicalColumn *columns = arena_memdup(binder->arena, ids, 2 * sizeof(*ids));
    Expr **exprs = ARENA_ARRAY(binder->arena, Expr *, 2);
    for (uint32_t i = 0; i < 2; i++) {
        exprs[i] = logical_column_expr(binder->arena, &columns[i]);
    }
    LogicalDelete *deletion = ARENA_NEW(binder->arena, LogicalDelete);
    deletion->node = (LogicalNode){.kind = LOGICAL_DELETE,
                                   .position = POSITION_NONE,
                                   .column_count = 1,
                                   .columns = row_count_column(binder->context),
                                   .rows = 1};
    deletion->child = logical_project(binder->arena, rows, 2, exprs, columns);
    deletion->table = table;
    return &deletion->node;
}

// Columns that are only passed on keep their numbers: so rows stay distributed by them.
LogicalNode *insert_make(Binder *binder, const CatalogTable *table, LogicalNode *rows, Expr **exprs)
{
    uint32_t count = table->column_count;
    LogicalColumn *columns = ARENA_ARRAY(binder->arena, LogicalColumn, count + 1);
    for (uint32_t i = 0; i < count; i++) {
        ColumnNumber number = exprs[i]->kind == EXPR_COLUMN ? exprs[i]->column : 0;
        for (uint32_t k = 0; k < i; k++) {
            number = columns[k].number == number ? 0 : number;
        }
        number = number == 0 ? planner_new_column(binder->context) : number;
        columns[i] = logical_column(number, table->columns[i].name, exprs[i], rows);
    }
    return logical_insert(binder->context, table,
                          logical_project(binder->arena, rows, count, exprs, columns));
}

LogicalNode *change_make(Binder *binder, const SharedRows *shared, const LogicalChange *change)
{
    LogicalChange *copy = arena_memdup(binder->arena, change, sizeof(*change));
    copy->node = (LogicalNode){.kind = LOGICAL_CHANGE,
                               .position = POSITION_NONE,
                               .column_count = 1,
                               .columns = row_count_column(binder->context),
                               .rows = 1};
    return logical_cte(binder->arena, shared->cte_id, shared->name, shared->definition,
                       &copy->node);
}
