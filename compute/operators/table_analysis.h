/* table_analysis.h — PLAN_TABLE_WRITE that only learns of rows: they are read, nothing is written;
 * one row with their count comes out. */
#pragma once
#include "compute/exec/operator.h"

Status table_analysis_create(QueryContext *query, const PlanTableWrite *plan, Sink **sink,
                             Source **source) CHECKED;
