/* join_order.h — the cheapest tree for a join graph, with where the rows are in mind. */
#pragma once
#include "planner/optimizer/cost.h"
#include "planner/optimizer/join_graph.h"

/* Rebuilds the nest: the same rows in some order of joins. Inputs have estimates. */
LogicalNode *join_order_build(Estimator *estimator, const CostModel *model, JoinGraph *graph);
/* Where an input's rows will probably be when it has been computed. */
Distribution join_order_guess_distribution(const CostModel *model, const LogicalNode *node);
