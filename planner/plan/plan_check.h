/*
 * plan_check.h — is a plan sound? The decoder asks about every plan that arrives, debug builds of
 * the planner about every plan they make.
 *
 * Checked: every column index lies in the operator's input and has the type the expression says;
 * arguments fit the function; conditions are boolean; outputs have the types their operators give;
 * exchanges join a SEND and a RECEIVE of equal types; ids are unique. XX001 names what is wrong.
 */
#pragma once
#include "planner/plan/plan.h"

Status plan_check(const Plan *plan) CHECKED;
/* Is a fragment or an expression deeper than a decoder accepts (PLAN_DEPTH_MAX)? */
bool plan_is_too_deep(const Plan *plan);
/* One expression over input columns of the given types; not deeper than PLAN_DEPTH_MAX. */
Status expr_check(const Expr *expr, const Type *columns, uint32_t column_count) CHECKED;
