/* table_compression.h — PLAN_TABLE_WRITE that only measures: some of the table's rows are encoded
 * by each word of ENCODE that fits, nothing is written; one row with their count comes out. What a
 * writer tells of its rows is here the bytes: table id, rows, and a blob of per column: its id,
 * then the bytes by each word (0: the word does not fit; 2^52 and more: it could not be obeyed). */
#pragma once
#include "compute/exec/operator.h"

Status table_compression_create(QueryContext *query, const PlanTableWrite *plan, Sink **sink,
                                Source **source) CHECKED;
