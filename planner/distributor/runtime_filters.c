/*
 * runtime_filters.c — follows a join's probe key down to the scan it is read by.
 *
 * Dropping a scanned row early is right when every operator on the way would only have carried it
 * up to the join, where it finds no partner: filters, projects that pass the column on, probe
 * sides of other joins, aggregates by that column, unions. A limit would let other rows in.
 */
#include "planner/distributor/runtime_filters.h"

#define FILTERS_PER_SCAN_MAX 8

typedef struct FilterTarget { /* a scan's column */
    PlanScan *scan;
    uint32_t column;
} FilterTarget;

#define TARGETS_MAX 16
typedef struct FilterTargets {
    FilterTarget items[TARGETS_MAX];
    uint32_t count;
} FilterTargets;

static void find_targets(PlanNode *node, uint32_t column, FilterTargets *targets);

static void follow_expr(PlanNode *child, const Expr *expr, FilterTargets *targets)
{
    if (expr->kind == EXPR_COLUMN) {
        find_targets(child, expr->column, targets);
    }
}

static void find_in_join(const PlanHashJoin *join, uint32_t column, FilterTargets *targets)
{
    bool gives_probe_rows = join->join != JOIN_RIGHT_SEMI && join->join != JOIN_RIGHT_ANTI;
    uint32_t picked = join->outputs[column];
    // NULLs that a right or full join fills in never find a partner above either.
    if (gives_probe_rows && picked < join->probe->output_count) {
        find_targets(join->probe, picked, targets);
    }
}

static void find_targets(PlanNode *node, uint32_t column, FilterTargets *targets)
{
    switch (node->kind) {
    case PLAN_SCAN: {
        PlanScan *scan = (PlanScan *)node;
        if (targets->count < TARGETS_MAX && scan->runtime_filter_count < FILTERS_PER_SCAN_MAX) {
            targets->items[targets->count++] = (FilterTarget){scan, scan->outputs[column]};
        }
        break;
    }
    case PLAN_FILTER:
        find_targets(((PlanFilter *)node)->child, column, targets);
        break;
    case PLAN_PROJECT:
        follow_expr(((PlanProject *)node)->child, ((PlanProject *)node)->exprs[column], targets);
        break;
    case PLAN_HASH_JOIN:
        find_in_join((PlanHashJoin *)node, column, targets);
        break;
    case PLAN_AGGREGATE: {
        PlanAggregate *aggregate = (PlanAggregate *)node;
        if (column < aggregate->key_count) {
            follow_expr(aggregate->child, aggregate->keys[column], targets);
        }
        break;
    }
    case PLAN_UNION_ALL: {
        PlanUnionAll *append = (PlanUnionAll *)node;
        for (uint32_t i = 0; i < append->child_count; i++) {
            find_targets(append->children[i], column, targets);
        }
        break;
    }
    default:
        break; // the network, a store, a limit, a window: not beyond
    }
}

static void use_filter(Arena *arena, const FilterTarget *target, uint32_t filter_id)
{
    PlanScan *scan = target->scan;
    if (scan->runtime_filters == NULL) {
        scan->runtime_filters = ARENA_ARRAY(arena, PlanRuntimeFilterUse, FILTERS_PER_SCAN_MAX);
    }
    if (scan->runtime_filter_count == FILTERS_PER_SCAN_MAX) {
        return;
    }
    scan->runtime_filters[scan->runtime_filter_count++] =
        (PlanRuntimeFilterUse){filter_id, target->column};
    const char *name = scan->table->columns[scan->columns[target->column]].name;
    bool has_detail = scan->node.detail[0] != '\0';
    scan->node.detail = arena_printf(arena, "%s%sRuntime Filter: %s (%u)", scan->node.detail,
                                     has_detail ? "\n" : "", name, filter_id);
}

static void assign_in_join(Plan *plan, Arena *arena, PlanHashJoin *join)
{
    bool drops_probe_rows = join->join == JOIN_INNER || join->join == JOIN_SEMI ||
                            join->join == JOIN_RIGHT || join->join == JOIN_RIGHT_SEMI;
    for (uint32_t i = 0; drops_probe_rows && i < join->key_count; i++) {
        FilterTargets targets = {.count = 0};
        if (!join->is_null_equal[i]) {
            follow_expr(join->probe, join->probe_keys[i], &targets);
        }
        if (targets.count == 0) {
            continue;
        }
        join->runtime_filter_ids[i] = ++plan->runtime_filter_count;
        for (uint32_t k = 0; k < targets.count; k++) {
            use_filter(arena, &targets.items[k], join->runtime_filter_ids[i]);
        }
    }
}

static void assign_in_tree(Plan *plan, Arena *arena, PlanNode *node)
{
    if (node->kind == PLAN_HASH_JOIN) {
        assign_in_join(plan, arena, (PlanHashJoin *)node);
    }
    uint32_t child_count = plan_node_child_count(node);
    for (uint32_t i = 0; i < child_count; i++) {
        assign_in_tree(plan, arena, plan_node_child(node, i));
    }
}

void assign_runtime_filters(Plan *plan, Arena *arena)
{
    for (uint32_t i = 0; i < plan->fragment_count; i++) {
        assign_in_tree(plan, arena, plan->fragments[i].root);
    }
}
