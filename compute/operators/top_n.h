/* top_n.h — PLAN_SORT with a small limit: only the first rows are kept. */
#pragma once
#include "compute/exec/operator.h"

bool top_n_is_suitable(const PlanSort *plan);
Status top_n_create(QueryContext *query, const PlanSort *plan, Sink **sink,
                    Source **source) CHECKED;
