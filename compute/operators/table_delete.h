/* table_delete.h — PLAN_TABLE_DELETE: row ids go to storage; one row with their count comes out. */
#pragma once
#include "compute/exec/operator.h"

Status table_delete_create(QueryContext *query, const PlanTableDelete *plan, Sink **sink,
                           Source **source) CHECKED;
