/* sort.h — PLAN_SORT of all rows: a sink that makes sorted runs, a source that merges them. */
#pragma once
#include "compute/exec/operator.h"

Status sort_create(QueryContext *query, const PlanSort *plan, Sink **sink, Source **source) CHECKED;
