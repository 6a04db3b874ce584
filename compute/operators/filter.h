/* filter.h — PLAN_FILTER: rows for which all conjuncts are true. */
#pragma once
#include "compute/exec/operator.h"

Status filter_create(QueryContext *query, const PlanFilter *plan, Transform **out) CHECKED;
