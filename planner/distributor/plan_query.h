/* plan_query.h — from a bound tree to the plan that runs: optimize, then distribute. */
#pragma once
#include "planner/logical/logical_plan.h"

/* `results` name what the client sees; an INSERT or COPY has one: bigint rows. */
Status plan_query(PlannerContext *context, LogicalNode *root, const PlanResultColumn *results,
                  uint32_t result_count, Plan **out) CHECKED;
