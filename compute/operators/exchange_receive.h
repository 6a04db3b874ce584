/* exchange_receive.h — PLAN_RECEIVE: rows that arrive over an exchange, in any order or merged. */
#pragma once
#include "compute/exec/operator.h"

Status exchange_receive_create(QueryContext *query, const Plan *plan, const PlanReceive *node,
                               Source **out) CHECKED;
/* Rows received so far; 0 for any other source. Any thread. */
uint64_t exchange_receive_rows(const Source *source);
