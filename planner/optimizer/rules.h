/* rules.h — the optimizer's rules, in the order optimize.c runs them. Inside the room only. */
#pragma once
#include "planner/logical/column_set.h"
#include "planner/logical/logical_tree.h"

/* Gives sides of set operations, inserts and the result a project that fixes their columns' order,
 * so that rules below may reorder. */
Status rule_fix_order(PlannerContext *context, LogicalNode **root) CHECKED;
Status rule_cte_inline(PlannerContext *context, LogicalNode **root) CHECKED;
Status rule_constant_fold(PlannerContext *context, LogicalNode **root) CHECKED;
Status rule_subquery_to_join(PlannerContext *context, LogicalNode **root) CHECKED;
Status rule_set_operation(PlannerContext *context, LogicalNode **root) CHECKED;
Status rule_filter_pushdown(PlannerContext *context, LogicalNode **root) CHECKED;
Status rule_row_number(PlannerContext *context, LogicalNode **root) CHECKED;
Status rule_aggregate_split(PlannerContext *context, LogicalNode **root) CHECKED;
Status rule_rename(PlannerContext *context, LogicalNode **root) CHECKED;
Status rule_sort_simplify(PlannerContext *context, LogicalNode **root) CHECKED;
Status rule_column_prune(PlannerContext *context, LogicalNode **root) CHECKED;
Status rule_join_order(PlannerContext *context, LogicalNode **root) CHECKED;
Status rule_key_columns(PlannerContext *context, LogicalNode **root) CHECKED;

/* Filters and projects over one table or a few rows: reading it again costs little. */
bool is_cheap_to_repeat(LogicalNode *node);
