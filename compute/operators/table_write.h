/* table_write.h — PLAN_TABLE_WRITE: rows go to this node's slices; one row with their count comes
 * out. */
#pragma once
#include "compute/exec/operator.h"

Status table_write_create(QueryContext *query, const PlanTableWrite *plan, Sink **sink,
                          Source **source) CHECKED;
