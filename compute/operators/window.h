/* window.h — PLAN_WINDOW: functions over the rows of a partition. */
#pragma once
#include "compute/exec/operator.h"

Status window_create(QueryContext *query, const PlanWindow *plan, Sink **sink,
                     Source **source) CHECKED;
