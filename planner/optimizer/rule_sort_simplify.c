/*
 * rule_sort_simplify.c — sorts nobody sees go, limits sink to the sort they belong to.
 *
 *   sort below an aggregate, a join, a set operation, another sort, …   ->  gone
 *   LIMIT (PROJECT r)                                                   ->  PROJECT (LIMIT r)
 *   keys that are constant, or repeat an earlier key                    ->  gone
 */
#include "planner/optimizer/rules.h"

static LogicalNode *simplify(PlannerContext *context, LogicalNode *node, bool is_order_seen);

static void simplify_keys(LogicalSort *sort)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < sort->key_count; i++) {
        bool is_needed = !expr_is_constant(sort->keys[i].expr, NULL);
        for (uint32_t k = 0; k < kept; k++) {
            is_needed = is_needed && !expr_equal(sort->keys[k].expr, sort->keys[i].expr);
        }
        if (is_needed) {
            sort->keys[kept++] = sort->keys[i];
        }
    }
    sort->key_count = kept;
}

static bool has_volatile(const LogicalProject *project)
{
    for (uint32_t i = 0; i < project->node.column_count; i++) {
        if (expr_is_volatile(project->exprs[i])) {
            return true;
        }
    }
    return false;
}

static LogicalNode *simplify_limit(PlannerContext *context, LogicalLimit *limit, bool is_order_seen)
{
    LogicalNode *child = limit->child;
    if (limit->limit == PLAN_NO_LIMIT && limit->offset == 0) {
        return simplify(context, child, is_order_seen);
    }
    if (child->kind == LOGICAL_PROJECT && !has_volatile((LogicalProject *)child)) {
        LogicalProject *project = (LogicalProject *)child;
        limit->child = project->child;
        logical_refresh_columns(context->arena, &limit->node);
        project->child = simplify(context, &limit->node, is_order_seen);
        return child;
    }
    if (child->kind == LOGICAL_LIMIT) {
        // The inner one first: of its rows the outer skips and takes.
        LogicalLimit *inner = (LogicalLimit *)child;
        uint64_t left = inner->limit == PLAN_NO_LIMIT  ? PLAN_NO_LIMIT
                        : inner->limit > limit->offset ? inner->limit - limit->offset
                                                       : 0;
        uint64_t offset;
        if (!__builtin_add_overflow(inner->offset, limit->offset, &offset)) {
            inner->limit = limit->limit < left ? limit->limit : left;
            inner->offset = offset;
            return simplify(context, child, is_order_seen);
        }
    }
    limit->child = simplify(context, child, true); // which rows it takes depends on the order
    logical_refresh_columns(context->arena, &limit->node);
    return &limit->node;
}

static LogicalNode *simplify(PlannerContext *context, LogicalNode *node, bool is_order_seen)
{
    bool passes_order = false;
    switch (node->kind) {
    case LOGICAL_LIMIT:
        return simplify_limit(context, (LogicalLimit *)node, is_order_seen);
    case LOGICAL_SORT:
        simplify_keys((LogicalSort *)node);
        if (!is_order_seen || ((LogicalSort *)node)->key_count == 0) {
            return simplify(context, ((LogicalSort *)node)->child, is_order_seen);
        }
        break;
    case LOGICAL_PROJECT:
    case LOGICAL_FILTER:
        passes_order = is_order_seen;
        break;
    case LOGICAL_CTE:
        logical_set_child(node, 0, simplify(context, logical_get_child(node, 0), false));
        logical_set_child(node, 1, simplify(context, logical_get_child(node, 1), is_order_seen));
        logical_refresh_columns(context->arena, node);
        return node;
    default:
        break;
    }
    LogicalNode *child;
    for (uint32_t i = 0; (child = logical_get_child(node, i)) != NULL; i++) {
        logical_set_child(node, i, simplify(context, child, passes_order));
    }
    logical_refresh_columns(context->arena, node);
    return node;
}

Status rule_sort_simplify(PlannerContext *context, LogicalNode **root)
{
    *root = simplify(context, *root, true);
    return STATUS_OK;
}
