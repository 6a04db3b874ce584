/* virtual_scan.h — PLAN_VIRTUAL_SCAN: a system view computed by the leader. */
#pragma once
#include "compute/exec/operator.h"

Status virtual_scan_create(QueryContext *query, const PlanVirtualScan *plan, Source **out) CHECKED;
