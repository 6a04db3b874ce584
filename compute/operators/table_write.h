/* table_write.h — PLAN_TABLE_WRITE: rows go to this node's slices; one row with their count comes
 * out. */
#pragma once
#include "compute/exec/operator.h"

Status table_write_create(QueryContext *query, const PlanTableWrite *plan, Sink **sink,
                          Source **source) CHECKED;
bool is_table_write(const Sink *sink);
/* Appends the table's id, 0 for the rows deleted (both u64), and a blob of what the writer has
 * learnt of the rows; nothing for any other sink. After the run has succeeded. */
void table_write_statistics(const Sink *sink, ByteBuffer *target);
