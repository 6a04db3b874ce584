/* logical_build.c — constructors of logical nodes. */
#include "planner/logical/logical_tree.h"

#include <string.h>

ColumnNumber planner_new_column(PlannerContext *context)
{
    return context->next_column++;
}

static void *node_new(Arena *arena, size_t bytes, LogicalKind kind)
{
    LogicalNode *node = arena_alloc(arena, bytes);
    node->kind = kind;
    node->position = POSITION_NONE;
    node->rows = -1;
    return node;
}

#define NODE_NEW(arena, Struct, kind) ((Struct *)node_new((arena), sizeof(Struct), (kind)))

LogicalNode *logical_one_row(Arena *arena)
{
    LogicalValues *values = NODE_NEW(arena, LogicalValues, LOGICAL_VALUES);
    values->row_count = 1;
    values->node.columns = ARENA_ARRAY(arena, LogicalColumn, 0); // an address: columns get copied
    return &values->node;
}

LogicalNode *logical_filter(Arena *arena, LogicalNode *child, Expr *condition)
{
    if (condition == NULL) {
        return child;
    }
    LogicalFilter *filter = NODE_NEW(arena, LogicalFilter, LOGICAL_FILTER);
    filter->child = child;
    filter->condition = condition;
    logical_refresh_columns(arena, &filter->node);
    return &filter->node;
}

LogicalNode *logical_project(Arena *arena, LogicalNode *child, uint32_t count, Expr **exprs,
                             LogicalColumn *columns)
{
    LogicalProject *project = NODE_NEW(arena, LogicalProject, LOGICAL_PROJECT);
    project->child = child;
    project->exprs = exprs;
    project->node.column_count = count;
    project->node.columns = columns;
    return &project->node;
}

LogicalNode *logical_extend(Arena *arena, LogicalNode *child, uint32_t count, Expr **exprs,
                            const LogicalColumn *columns)
{
    uint32_t kept = child->column_count;
    Expr **all = ARENA_ARRAY(arena, Expr *, kept + count);
    LogicalColumn *outputs = ARENA_ARRAY(arena, LogicalColumn, kept + count);
    for (uint32_t i = 0; i < kept; i++) {
        all[i] = logical_column_expr(arena, &child->columns[i]);
        outputs[i] = child->columns[i];
    }
    memcpy(all + kept, exprs, count * sizeof(*exprs));
    memcpy(outputs + kept, columns, count * sizeof(*columns));
    return logical_project(arena, child, kept + count, all, outputs);
}

LogicalNode *logical_join(Arena *arena, JoinKind kind, LogicalNode *left, LogicalNode *right,
                          Expr *condition, ColumnNumber mark)
{
    LogicalJoin *join = NODE_NEW(arena, LogicalJoin, LOGICAL_JOIN);
    join->join = kind;
    join->left = left;
    join->right = right;
    join->condition = condition;
    if (kind == JOIN_MARK) {
        join->node.column_count = 1;
        join->node.columns = ARENA_NEW(arena, LogicalColumn);
        *join->node.columns = (LogicalColumn){
            .number = mark, .name = "mark", .type = type_of(TYPE_BOOLEAN), .is_nullable = true};
    }
    logical_refresh_columns(arena, &join->node);
    return &join->node;
}

LogicalNode *logical_aggregate(Arena *arena, LogicalNode *child, uint32_t key_count, Expr **keys,
                               uint32_t aggregate_count, AggregateCall *aggregates,
                               LogicalColumn *columns)
{
    LogicalAggregate *aggregate = NODE_NEW(arena, LogicalAggregate, LOGICAL_AGGREGATE);
    aggregate->child = child;
    aggregate->key_count = key_count;
    aggregate->keys = keys;
    aggregate->aggregate_count = aggregate_count;
    aggregate->aggregates = aggregates;
    aggregate->node.column_count = key_count + aggregate_count;
    aggregate->node.columns = columns;
    return &aggregate->node;
}

LogicalNode *logical_window(Arena *arena, LogicalNode *child, uint32_t call_count,
                            WindowCall *calls, const LogicalColumn *columns)
{
    LogicalWindow *window = NODE_NEW(arena, LogicalWindow, LOGICAL_WINDOW);
    uint32_t kept = child->column_count;
    window->child = child;
    window->call_count = call_count;
    window->calls = calls;
    window->node.column_count = kept + call_count;
    window->node.columns = ARENA_ARRAY(arena, LogicalColumn, kept + call_count);
    memcpy(window->node.columns, child->columns, kept * sizeof(*columns));
    memcpy(window->node.columns + kept, columns, call_count * sizeof(*columns));
    return &window->node;
}

LogicalNode *logical_distinct(Arena *arena, LogicalNode *child)
{
    LogicalDistinct *distinct = NODE_NEW(arena, LogicalDistinct, LOGICAL_DISTINCT);
    distinct->child = child;
    logical_refresh_columns(arena, &distinct->node);
    return &distinct->node;
}

LogicalNode *logical_set(Arena *arena, SetKind kind, LogicalNode *left, LogicalNode *right,
                         LogicalColumn *columns)
{
    LogicalSet *set = NODE_NEW(arena, LogicalSet, LOGICAL_SET);
    set->set = kind;
    set->left = left;
    set->right = right;
    set->node.column_count = left->column_count;
    set->node.columns = columns;
    return &set->node;
}

LogicalNode *logical_limit(Arena *arena, LogicalNode *child, uint64_t limit, uint64_t offset)
{
    LogicalLimit *node = NODE_NEW(arena, LogicalLimit, LOGICAL_LIMIT);
    node->child = child;
    node->limit = limit;
    node->offset = offset;
    logical_refresh_columns(arena, &node->node);
    return &node->node;
}

LogicalNode *logical_cte(Arena *arena, uint32_t cte_id, const char *name, LogicalNode *definition,
                         LogicalNode *child)
{
    LogicalCte *cte = NODE_NEW(arena, LogicalCte, LOGICAL_CTE);
    cte->cte_id = cte_id;
    cte->name = name;
    cte->definition = definition;
    cte->child = child;
    logical_refresh_columns(arena, &cte->node);
    return &cte->node;
}

LogicalNode *logical_cte_reference(PlannerContext *context, uint32_t cte_id,
                                   const LogicalNode *definition)
{
    LogicalCteReference *reference =
        NODE_NEW(context->arena, LogicalCteReference, LOGICAL_CTE_REFERENCE);
    reference->cte_id = cte_id;
    reference->node.column_count = definition->column_count;
    reference->node.columns = arena_memdup(context->arena, definition->columns,
                                           definition->column_count * sizeof(LogicalColumn));
    for (uint32_t i = 0; i < definition->column_count; i++) {
        reference->node.columns[i].number = planner_new_column(context);
    }
    return &reference->node;
}

LogicalColumn logical_column(ColumnNumber number, const char *name, const Expr *expr,
                             const LogicalNode *child)
{
    LogicalColumn column = {
        .number = number, .name = name, .type = expr->type, .is_nullable = true};
    if (expr->kind == EXPR_COLUMN) {
        const LogicalColumn *origin = logical_find_column(child, expr->column);
        if (origin != NULL) {
            column = *origin;
            column.number = number;
            column.name = name == NULL ? origin->name : name;
        }
    } else if (expr->kind == EXPR_CONSTANT) {
        column.is_nullable = expr->constant.is_null;
    }
    column.name = column.name == NULL ? "?column?" : column.name;
    return column;
}

Expr *logical_column_expr(Arena *arena, const LogicalColumn *column)
{
    return expr_column(arena, column->number, column->type);
}
