/* result.h — PLAN_RESULT: rows leave the engine for the statement's receiver. */
#pragma once
#include "compute/exec/operator.h"

Status result_create(QueryContext *query, const PlanResult *plan, Sink **out) CHECKED;
