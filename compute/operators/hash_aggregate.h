/* hash_aggregate.h — PLAN_AGGREGATE: groups and their aggregates; without keys, one row. */
#pragma once
#include "compute/exec/operator.h"
#include "compute/operators/table_scan.h"

Status hash_aggregate_create(QueryContext *query, const PlanAggregate *plan, Sink **sink,
                             Source **source) CHECKED;
/* What this sink asks of the scan that is its input; null when it needs the rows. */
ScanSummaries *hash_aggregate_summaries(Sink *sink);
