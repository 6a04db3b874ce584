/*
 * copy_read.h — PLAN_COPY_READ: COPY's text as batches of table rows.
 *
 * Text comes as blocks of whole rows: from the leader's stream (each message: u64 number of its
 * first line, then the rows) or from files below the configured roots, each node reading its share.
 */
#pragma once
#include "compute/exec/operator.h"

Status copy_read_create(QueryContext *query, const PlanCopyRead *plan, Source **out) CHECKED;
