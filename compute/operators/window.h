/* window.h — PLAN_WINDOW: functions over the rows of a partition. */
#pragma once
#include "compute/exec/operator.h"

/* 0A000 for functions it does not know. */
Status window_create(QueryContext *query, const PlanWindow *plan, Sink **sink,
                     Source **source) CHECKED;
