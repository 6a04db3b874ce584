/* table_scan.h — PLAN_SCAN: a table's rows on this node. */
#pragma once
#include "compute/exec/operator.h"

/* `is_one_node`: the fragment runs on one node only, so a replicated table is read there alone. */
Status scan_source_create(QueryContext *query, const PlanScan *plan, bool is_one_node,
                          Source **out) CHECKED;
