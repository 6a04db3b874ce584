/* hash_aggregate.h — PLAN_AGGREGATE: groups and their aggregates; without keys, one row. */
#pragma once
#include "compute/exec/operator.h"

Status hash_aggregate_create(QueryContext *query, const PlanAggregate *plan, Sink **sink,
                             Source **source) CHECKED;
