/* sort_source.h — the source that gives out merged runs in order: of sort and top-N. */
#pragma once
#include "compute/operators/sort_runs.h"

/* Gives rows [offset, offset + limit) of `runs`, which outlives the source. */
Source *sort_source_create(QueryContext *query, const PlanSort *plan, SortRuns *runs);
