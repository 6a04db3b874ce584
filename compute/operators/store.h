/* store.h — PLAN_STORE and PLAN_STORED: rows computed once and read several times on one node. */
#pragma once
#include "compute/exec/operator.h"

struct PipelineEvent;
typedef struct StoredRows StoredRows;

Status store_sink_create(QueryContext *query, const PlanStore *plan, Sink **out) CHECKED;
Status stored_create(QueryContext *query, const PlanStored *plan, Source **out) CHECKED;
/* The event that fires when the store is full; null for an unknown store. */
void stored_rows_set_event(QueryContext *query, uint32_t store_id, struct PipelineEvent *event);
struct PipelineEvent *stored_rows_event(const QueryContext *query, uint32_t store_id);
