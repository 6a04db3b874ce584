/*
 * optimize.h — makes a bound logical plan a good one: an ordered list of rules, a file each.
 *
 * A rule takes the whole tree and leaves one that gives the same rows in the same columns. Debug
 * builds verify the tree after every rule.
 */
#pragma once
#include "planner/logical/logical_plan.h"

Status optimize(PlannerContext *context, LogicalNode **root) CHECKED;

/* Called after each rule with its name; for tests and for tracing. May be null. */
typedef void (*OptimizeTrace)(void *object, const char *rule_name, const LogicalNode *root);
Status optimize_traced(PlannerContext *context, LogicalNode **root, OptimizeTrace trace,
                       void *object) CHECKED;
