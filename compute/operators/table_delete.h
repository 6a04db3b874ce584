/* table_delete.h — PLAN_TABLE_DELETE: row ids go to storage; one row with their count comes out. */
#pragma once
#include "compute/exec/operator.h"

Status table_delete_create(QueryContext *query, const PlanTableDelete *plan, Sink **sink,
                           Source **source) CHECKED;
bool is_table_delete(const Sink *sink);
/* Appends the table's id, how many rows of it were deleted (both u64), and an empty blob; nothing
 * for any other sink. After the run has succeeded. */
void table_delete_statistics(const Sink *sink, ByteBuffer *target);
