/*
 * distribute.h — from an optimized logical plan to fragments for leader and nodes.
 *
 * plan_query is the planner's one entry after binding: optimize, place, cut.
 */
#pragma once
#include "planner/logical/logical_plan.h"

/* `results`: what the client sees of the root's columns, one each, in order. */
Status distribute(PlannerContext *context, LogicalNode *root, const PlanResultColumn *results,
                  uint32_t result_count, Plan **out) CHECKED;
Status plan_query(PlannerContext *context, LogicalNode *bound_root, const PlanResultColumn *results,
                  uint32_t result_count, Plan **out) CHECKED;
