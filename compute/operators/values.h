/* values.h — PLAN_VALUES: rows written in the statement. */
#pragma once
#include "compute/exec/operator.h"

Status values_create(QueryContext *query, const PlanValues *plan, Source **out) CHECKED;
