/*
 * rule_fix_order.c — where the order of columns means something, a project holds it.
 *
 * Rules that move joins change the order of a node's columns; parents that refer to them by
 * number do not care. The result, the sides of set operations, an insert's rows, a
 * deletion's row ids and shared definitions are taken by position.
 */
#include "planner/optimizer/rules.h"

static LogicalNode *fixed(Arena *arena, LogicalNode *node)
{
    switch (node->kind) {
    case LOGICAL_GET:
    case LOGICAL_VALUES:
    case LOGICAL_PROJECT:
    case LOGICAL_SET:
    case LOGICAL_COPY:
    case LOGICAL_VACUUM:
    case LOGICAL_INSERT:
    case LOGICAL_DELETE:
    case LOGICAL_CHANGE:
        return node;
    default:
        break;
    }
    Expr **exprs = ARENA_ARRAY(arena, Expr *, node->column_count);
    for (uint32_t i = 0; i < node->column_count; i++) {
        exprs[i] = logical_column_expr(arena, &node->columns[i]);
    }
    LogicalColumn *columns =
        arena_memdup(arena, node->columns, node->column_count * sizeof(*columns));
    return logical_project(arena, node, node->column_count, exprs, columns);
}

static void fix_tree(Arena *arena, LogicalNode *node);

static bool fix_subquery(void *object, const Expr *expr)
{
    if (expr->kind == EXPR_SUBQUERY) {
        fix_tree(object, expr->subquery.plan);
    }
    return true;
}

static void fix_slot(void *object, Expr **slot)
{
    expr_walk(*slot, fix_subquery, object);
}

static void fix_tree(Arena *arena, LogicalNode *node)
{
    LogicalNode *child;
    for (uint32_t i = 0; (child = logical_get_child(node, i)) != NULL; i++) {
        fix_tree(arena, child);
        bool is_positional = node->kind == LOGICAL_SET || node->kind == LOGICAL_INSERT ||
                             node->kind == LOGICAL_DELETE || (node->kind == LOGICAL_CTE && i == 0);
        if (is_positional) {
            logical_set_child(node, i, fixed(arena, child));
        }
    }
    logical_each_expr(node, fix_slot, arena);
}

Status rule_fix_order(PlannerContext *context, LogicalNode **root)
{
    fix_tree(context->arena, *root);
    *root = fixed(context->arena, *root);
    return STATUS_OK;
}
