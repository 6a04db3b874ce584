/*
 * rule_set_operation.c — DISTINCT and the set operations as aggregates and joins.
 *
 *   DISTINCT r      ->  AGGREGATE r by all its columns
 *   a UNION b       ->  AGGREGATE (a UNION ALL b) by all columns
 *   a INTERSECT b   ->  AGGREGATE (a SEMI JOIN b on all columns, NULL equal to NULL)
 *   a EXCEPT b      ->  AGGREGATE (a ANTI JOIN b on all columns, NULL equal to NULL)
 */
#include "planner/optimizer/rules.h"

/* Groups by all columns of `child` and gives `columns`, which are the same or renamed. */
static LogicalNode *group_by_all(Arena *arena, LogicalNode *child, LogicalColumn *columns)
{
    Expr **keys = ARENA_ARRAY(arena, Expr *, child->column_count);
    for (uint32_t i = 0; i < child->column_count; i++) {
        keys[i] = logical_column_expr(arena, &child->columns[i]);
    }
    return logical_aggregate(arena, child, child->column_count, keys, 0, NULL, columns);
}

static LogicalNode *null_safe_join(Arena *arena, const LogicalSet *set, JoinKind join)
{
    Expr **conjuncts = ARENA_ARRAY(arena, Expr *, set->node.column_count);
    for (uint32_t i = 0; i < set->node.column_count; i++) {
        const LogicalColumn *left = &set->left->columns[i], *right = &set->right->columns[i];
        bool is_plain = !left->is_nullable || !right->is_nullable;
        conjuncts[i] = expr_call2(arena, is_plain ? FUNCTION_EQUAL : FUNCTION_IS_NOT_DISTINCT,
                                  type_of(TYPE_BOOLEAN), logical_column_expr(arena, left),
                                  logical_column_expr(arena, right));
    }
    return logical_join(arena, join, set->left, set->right,
                        expr_and(arena, set->node.column_count, conjuncts), 0);
}

static LogicalNode *rewrite_set(PlannerContext *context, LogicalSet *set)
{
    Arena *arena = context->arena;
    if (set->set == SET_UNION) {
        LogicalColumn *columns = set->node.columns; // the groups give them from now on
        set->node.columns = arena_memdup(arena, columns, set->node.column_count * sizeof(*columns));
        for (uint32_t i = 0; i < set->node.column_count; i++) {
            set->node.columns[i].number = planner_new_column(context);
        }
        set->set = SET_UNION_ALL;
        return group_by_all(arena, &set->node, columns);
    }
    if (set->node.column_count == 0) {
        return &set->node;
    }
    JoinKind join = set->set == SET_INTERSECT ? JOIN_SEMI : JOIN_ANTI;
    return group_by_all(arena, null_safe_join(arena, set, join), set->node.columns);
}

/* Are the rows of the node different from each other anyway? */
static bool is_distinct(const LogicalNode *node)
{
    switch (node->kind) {
    case LOGICAL_FILTER:
    case LOGICAL_SORT:
    case LOGICAL_LIMIT:
        return is_distinct(logical_get_child(node, 0));
    case LOGICAL_AGGREGATE:
        return true; // its keys are among its columns
    case LOGICAL_PROJECT: {
        // Passing on all keys of an aggregate keeps its groups apart.
        const LogicalProject *project = (const LogicalProject *)node;
        const LogicalNode *child = project->child;
        while (child->kind == LOGICAL_FILTER) {
            child = logical_get_child(child, 0);
        }
        if (child->kind != LOGICAL_AGGREGATE) {
            return false;
        }
        for (uint32_t k = 0; k < ((const LogicalAggregate *)child)->key_count; k++) {
            bool is_passed = false;
            for (uint32_t i = 0; i < node->column_count; i++) {
                is_passed |= project->exprs[i]->kind == EXPR_COLUMN &&
                             project->exprs[i]->column == child->columns[k].number;
            }
            if (!is_passed) {
                return false;
            }
        }
        return true;
    }
    default:
        return false;
    }
}

static LogicalNode *rewrite(PlannerContext *context, LogicalNode *node)
{
    LogicalNode *child;
    for (uint32_t i = 0; (child = logical_get_child(node, i)) != NULL; i++) {
        logical_set_child(node, i, rewrite(context, child));
    }
    logical_refresh_columns(context->arena, node);
    if (node->kind == LOGICAL_SET && ((LogicalSet *)node)->set != SET_UNION_ALL) {
        return rewrite_set(context, (LogicalSet *)node);
    }
    if (node->kind == LOGICAL_DISTINCT) {
        child = logical_get_child(node, 0);
        return is_distinct(child) ? child : group_by_all(context->arena, child, child->columns);
    }
    return node;
}

Status rule_set_operation(PlannerContext *context, LogicalNode **root)
{
    *root = rewrite(context, *root);
    return STATUS_OK;
}
