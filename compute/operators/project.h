/* project.h — PLAN_PROJECT: one output column per expression. */
#pragma once
#include "compute/exec/operator.h"

Status project_create(QueryContext *query, const PlanProject *plan, Transform **out) CHECKED;
