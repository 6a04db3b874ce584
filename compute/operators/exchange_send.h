/* exchange_send.h — PLAN_SEND: the sink that hands rows to other endpoints (and to its own). */
#pragma once
#include "compute/exec/operator.h"

Status exchange_send_create(QueryContext *query, const Plan *plan, const PlanSend *node,
                            Sink **out) CHECKED;
