/* limit.h — PLAN_LIMIT: rows [offset, offset + limit) of those that arrive, over all workers. */
#pragma once
#include "compute/exec/operator.h"

Status limit_create(QueryContext *query, const PlanLimit *plan, Transform **out) CHECKED;
