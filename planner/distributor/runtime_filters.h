/* runtime_filters.h — which scans learn from which hash join's build side. */
#pragma once
#include "planner/plan/plan.h"

/* Numbers the filters of all hash joins that drop probe rows without a match, and hands each to
 * the scans that its probe key is a plain column of: of its fragment, or of all nodes behind a
 * large exchange. */
void assign_runtime_filters(Plan *plan, Arena *arena);
