/*
 * runtime_filters.c — follows a join's probe key down to the scan it is read by.
 *
 * Dropping a scanned row early is right when every operator on the way would only have carried it
 * up to the join, where it finds no partner: filters, projects that pass the column on, probe
 * sides of other joins, aggregates by that column, unions. A limit would let other rows in.
 *
 * A scan of another fragment, behind the network, is told when that saves many rows on their way:
 * all nodes tell all nodes (compute/operators/filter_exchange.h).
 */
#include "planner/distributor/runtime_filters.h"

#include <math.h>
#include <string.h>

#define FILTERS_PER_SCAN_MAX 8
/* A filter that travels delays the scan until the build side is complete on all nodes. */
#define SENT_ROWS_MIN 50000.0
#define SENT_ROWS_PER_BUILD_ROW 4.0

typedef struct FilterTarget { /* a scan's column */
    PlanScan *scan;
    uint32_t column;
} FilterTarget;

#define TARGETS_MAX 16
typedef struct FilterTargets {
    const Plan *plan;
    FilterTarget items[TARGETS_MAX];
    uint32_t count;
    double sent_rows_min; /* go beyond exchanges of at least so many rows */
    bool is_beyond;       /* all targets are behind an exchange between nodes */
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

static PlanSend *find_send(const Plan *plan, const PlanReceive *receive)
{
    for (uint32_t i = 0; i < plan->fragment_count; i++) {
        PlanSend *send = (PlanSend *)plan->fragments[i].root;
        if (send->node.kind == PLAN_SEND && send->exchange_id == receive->exchange_id) {
            return send;
        }
    }
    return NULL;
}

/* Whether all rows of a table come out: most likely every foreign key finds its row there. */
static bool is_whole_table(const Plan *plan, const PlanNode *node)
{
    if (node->kind == PLAN_RECEIVE) {
        node = &find_send(plan, (const PlanReceive *)node)->node;
    }
    while (node->kind == PLAN_PROJECT || node->kind == PLAN_SEND) {
        node = plan_node_child(node, 0);
    }
    const PlanScan *scan = (const PlanScan *)node;
    return node->kind == PLAN_SCAN && scan->filter_count == 0 && scan->runtime_filter_count == 0;
}

/* On from the receiving end of an exchange to what sends. */
static void find_beyond(const PlanReceive *receive, uint32_t column, FilterTargets *targets)
{
    const PlanExchange *exchange = &targets->plan->exchanges[receive->exchange_id - 1];
    bool is_between_nodes =
        exchange->source_site == PLAN_SITE_NODES && exchange->target_site == PLAN_SITE_NODES;
    if (!is_between_nodes || receive->node.estimated_rows < targets->sent_rows_min ||
        targets->count > 0) {
        return;
    }
    targets->is_beyond = true;
    find_targets(find_send(targets->plan, receive)->child, column, targets);
}

static void find_targets(PlanNode *node, uint32_t column, FilterTargets *targets)
{
    switch (node->kind) {
    case PLAN_RECEIVE:
        find_beyond((const PlanReceive *)node, column, targets);
        break;
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
        break; // a store, a limit, a window: not beyond
    }
}

static void use_filter(Arena *arena, const FilterTarget *target, uint32_t filter_id, bool is_beyond)
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
    scan->node.detail =
        arena_printf(arena, "%s%sRuntime Filter: %s (%u%s)", scan->node.detail,
                     has_detail ? "\n" : "", name, filter_id, is_beyond ? ", of all nodes" : "");
}

/* An exchange for the filter's way from all nodes to all. */
static uint32_t add_exchange(Plan *plan, Arena *arena)
{
    PlanExchange *exchanges = ARENA_ARRAY(arena, PlanExchange, plan->exchange_count + 1);
    memcpy(exchanges, plan->exchanges, plan->exchange_count * sizeof(*exchanges));
    exchanges[plan->exchange_count] = (PlanExchange){.id = plan->exchange_count + 1,
                                                     .kind = EXCHANGE_BROADCAST,
                                                     .source_site = PLAN_SITE_NODES,
                                                     .target_site = PLAN_SITE_NODES};
    plan->exchanges = exchanges;
    return ++plan->exchange_count;
}

static uint32_t add_filter(Plan *plan, Arena *arena, bool is_beyond)
{
    uint32_t count = plan->runtime_filter_count;
    uint32_t *exchanges = ARENA_ARRAY(arena, uint32_t, count + 1);
    if (count > 0) {
        memcpy(exchanges, plan->runtime_filter_exchanges, count * sizeof(*exchanges));
    }
    exchanges[count] = is_beyond ? add_exchange(plan, arena) : 0;
    plan->runtime_filter_exchanges = exchanges;
    return ++plan->runtime_filter_count;
}

static void assign_in_join(Plan *plan, Arena *arena, PlanSite site, PlanHashJoin *join)
{
    bool drops_probe_rows = join->join == JOIN_INNER || join->join == JOIN_SEMI ||
                            join->join == JOIN_RIGHT || join->join == JOIN_RIGHT_SEMI ||
                            join->join == JOIN_RIGHT_ANTI;
    double sent_rows_min =
        fmax(SENT_ROWS_MIN, join->build->estimated_rows * SENT_ROWS_PER_BUILD_ROW);
    if (site != PLAN_SITE_NODES || is_whole_table(plan, join->build)) {
        sent_rows_min = INFINITY;
    }
    for (uint32_t i = 0; drops_probe_rows && i < join->key_count; i++) {
        FilterTargets targets = {.plan = plan, .sent_rows_min = sent_rows_min};
        if (!join->is_null_equal[i]) {
            follow_expr(join->probe, join->probe_keys[i], &targets);
        }
        if (targets.count == 0) {
            continue;
        }
        join->runtime_filter_ids[i] = add_filter(plan, arena, targets.is_beyond);
        for (uint32_t k = 0; k < targets.count; k++) {
            use_filter(arena, &targets.items[k], join->runtime_filter_ids[i], targets.is_beyond);
        }
    }
}

static void assign_in_tree(Plan *plan, Arena *arena, PlanSite site, PlanNode *node)
{
    if (node->kind == PLAN_HASH_JOIN) {
        assign_in_join(plan, arena, site, (PlanHashJoin *)node);
    }
    uint32_t child_count = plan_node_child_count(node);
    for (uint32_t i = 0; i < child_count; i++) {
        assign_in_tree(plan, arena, site, plan_node_child(node, i));
    }
}

void assign_runtime_filters(Plan *plan, Arena *arena)
{
    for (uint32_t i = 0; i < plan->fragment_count; i++) {
        assign_in_tree(plan, arena, plan->fragments[i].site, plan->fragments[i].root);
    }
}
