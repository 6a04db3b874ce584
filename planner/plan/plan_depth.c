/* plan_depth.c — how deep fragments and their expressions are nested. */
#include "planner/plan/plan_check.h"
#include "planner/plan/plan_codec.h"

static bool expr_is_deeper(const Expr *expr, uint32_t limit)
{
    if (limit == 0) {
        return true;
    }
    for (uint32_t i = 0; i < expr->arg_count; i++) {
        if (expr_is_deeper(expr->args[i], limit - 1)) {
            return true;
        }
    }
    return false;
}

static bool any_is_deeper(Expr *const *exprs, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        if (exprs[i] != NULL && expr_is_deeper(exprs[i], PLAN_DEPTH_MAX)) {
            return true;
        }
    }
    return false;
}

static bool calls_are_deeper(const PlanAggregate *aggregate)
{
    for (uint32_t i = 0; i < aggregate->aggregate_count; i++) {
        Expr *exprs[] = {aggregate->aggregates[i].argument, aggregate->aggregates[i].filter};
        if (any_is_deeper(exprs, 2)) {
            return true;
        }
    }
    return any_is_deeper(aggregate->keys, aggregate->key_count);
}

static bool window_is_deeper(const PlanWindow *window)
{
    for (uint32_t i = 0; i < window->call_count; i++) {
        if (any_is_deeper(window->calls[i].args, window->calls[i].arg_count)) {
            return true;
        }
    }
    return false;
}

static bool exprs_are_deeper(const PlanNode *node)
{
    switch (node->kind) {
    case PLAN_SCAN:
        return any_is_deeper(((const PlanScan *)node)->filters,
                             ((const PlanScan *)node)->filter_count);
    case PLAN_VALUES:
        return any_is_deeper(((const PlanValues *)node)->cells,
                             ((const PlanValues *)node)->row_count * node->output_count);
    case PLAN_FILTER:
        return any_is_deeper(((const PlanFilter *)node)->filters,
                             ((const PlanFilter *)node)->filter_count);
    case PLAN_PROJECT:
        return any_is_deeper(((const PlanProject *)node)->exprs, node->output_count);
    case PLAN_HASH_JOIN: {
        const PlanHashJoin *join = (const PlanHashJoin *)node;
        Expr *residual = join->residual;
        return any_is_deeper(join->probe_keys, join->key_count) ||
               any_is_deeper(join->build_keys, join->key_count) || any_is_deeper(&residual, 1);
    }
    case PLAN_NESTED_LOOP_JOIN: {
        Expr *condition = ((const PlanNestedLoopJoin *)node)->condition;
        return any_is_deeper(&condition, 1);
    }
    case PLAN_AGGREGATE:
        return calls_are_deeper((const PlanAggregate *)node);
    case PLAN_WINDOW:
        return window_is_deeper((const PlanWindow *)node);
    default:
        return false;
    }
}

static bool node_is_deeper(const PlanNode *node, uint32_t limit)
{
    if (limit == 0 || exprs_are_deeper(node)) {
        return true;
    }
    uint32_t child_count = plan_node_child_count(node);
    for (uint32_t i = 0; i < child_count; i++) {
        if (node_is_deeper(plan_node_child(node, i), limit - 1)) {
            return true;
        }
    }
    return false;
}

bool plan_is_too_deep(const Plan *plan)
{
    for (uint32_t i = 0; i < plan->fragment_count; i++) {
        if (node_is_deeper(plan->fragments[i].root, PLAN_DEPTH_MAX)) {
            return true;
        }
    }
    return false;
}
