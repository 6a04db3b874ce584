/* row_count.h — the one row that a write gives: how many rows it has written or deleted here. */
#pragma once
#include "compute/exec/operator.h"

/* `row_count` is read when the row is asked for, after the write has finished. */
Source *row_count_create(QueryContext *query, const PlanNode *node, const char *name,
                         const uint64_t *row_count);
