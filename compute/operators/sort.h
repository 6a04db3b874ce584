/* sort.h — PLAN_SORT of all rows: a sink that makes sorted runs, a source that merges them. */
#pragma once
#include "compute/exec/operator.h"

/* `*merge` is set to work between the two, or stays null. */
Status sort_create(QueryContext *query, const PlanSort *plan, Sink **sink, Source **merge,
                   Source **source) CHECKED;
