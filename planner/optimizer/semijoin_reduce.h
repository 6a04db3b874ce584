/* semijoin_reduce.h — groups that no outer row will ask for are not computed. Inside the room only.
 */
#pragma once
#include "planner/optimizer/join_graph.h"

/* For an input of the graph that groups by a column which some small, cheap input of the graph is
 * joined with: the rows to be grouped are first reduced to that input's keys.
 *   part (200 rows) join (avg(q) of lineitem by partkey) on partkey
 *     -> … join (avg(q) of lineitem semi join part' by partkey)
 * Inputs have estimates. What it did is kept in `*reductions`, for after they are estimated anew.
 */
void semijoin_reduce(PlannerContext *context, Estimator *estimator, JoinGraph *graph,
                     PointerList *reductions);
/* The groups left are just those of the reducing keys: joining the two drops none of them. */
void semijoin_reduce_estimates(Estimator *estimator, const PointerList *reductions);
