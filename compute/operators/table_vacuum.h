/* table_vacuum.h — PLAN_TABLE_VACUUM: rowsets are written anew; one row with the count of rows read
 * comes out. */
#pragma once
#include "compute/exec/operator.h"

Status table_vacuum_create(QueryContext *query, const PlanTableVacuum *plan,
                           Source **source) CHECKED;
