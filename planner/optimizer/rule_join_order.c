/*
 * rule_join_order.c — finds the nests of joins in a tree and has each put in its best order.
 *
 * Inputs of a nest are ordered first, so that their estimates are those of what will be run.
 */
#include "planner/optimizer/join_order.h"
#include "planner/optimizer/rules.h"
#include "planner/optimizer/semijoin_reduce.h"

typedef struct OrderRule {
    PlannerContext *context;
    Estimator *estimator;
    CostModel model;
} OrderRule;

static LogicalNode *order(OrderRule *self, LogicalNode *node);

static void order_children(OrderRule *self, LogicalNode *node)
{
    LogicalNode *child;
    for (uint32_t i = 0; (child = logical_get_child(node, i)) != NULL; i++) {
        logical_set_child(node, i, order(self, child));
    }
    logical_refresh_columns(self->context->arena, node);
}

static bool has_join(const LogicalNode *node)
{
    return node->kind == LOGICAL_JOIN ||
           (node->kind == LOGICAL_FILTER && has_join(logical_get_child(node, 0)));
}

static LogicalNode *order(OrderRule *self, LogicalNode *node)
{
    if (!has_join(node) || !join_graph_can_flatten(node)) {
        order_children(self, node);
        return node;
    }
    JoinGraph *graph = join_graph_create(self->context->arena, node);
    for (uint32_t i = 0; i < graph->input_count; i++) {
        estimate_tree(self->estimator, graph->inputs[i].node);
    }
    PointerList reductions = {0};
    semijoin_reduce(self->context, self->estimator, graph, &reductions);
    for (uint32_t i = 0; i < graph->input_count; i++) {
        graph->inputs[i].node = order(self, graph->inputs[i].node);
        estimate_tree(self->estimator, graph->inputs[i].node);
    }
    semijoin_reduce_estimates(self->estimator, &reductions);
    join_graph_add_bridges(graph);
    LogicalNode *ordered = join_order_build(self->estimator, &self->model, graph);
    return ordered == NULL ? node : ordered;
}

Status rule_join_order(PlannerContext *context, LogicalNode **root)
{
    OrderRule self = {.context = context,
                      .estimator = estimator_create(context),
                      .model = {.node_count = context->node_count == 0 ? 1 : context->node_count}};
    estimate_tree(self.estimator, *root);
    *root = order(&self, *root);
    return STATUS_OK;
}
