/*
 * query_run.h — runs the fragments of a plan that belong to one endpoint.
 *
 * create builds pipelines and opens all exchange endpoints; start hands them to the host's
 * scheduler; `done_cb` is called once, from a worker, when every pipeline has ended or failed.
 */
#pragma once
#include "compute/exec/query_context.h"

typedef struct QueryRun QueryRun;
/* Picks the fragments whose site includes this endpoint: NODES for compute nodes, ONE_NODE for the
 * node with is_replica_reader, LEADER for endpoint 0. `plan` outlives the run. */
Status query_run_create(QueryContext *query, const Plan *plan, QueryRun **out) CHECKED;
void query_run_start(QueryRun *run, void (*done_cb)(void *object, QueryRun *run), void *object);
/* Cancels with this reason (takes it); done_cb still comes. Any thread, any time, any number. */
void query_run_cancel(QueryRun *run, Status owned_reason);
/* After done_cb: success, or the first failure (moved out, once). */
Status query_run_status(QueryRun *run) CHECKED;
/* Per plan node at this endpoint, in the query's arena. */
void query_run_statistics(QueryRun *run, PlanNodeStatistics **out, uint32_t *count);
/* What was done to tables here: varint count, then what each sink's add_write appends. */
void query_run_write_statistics(QueryRun *run, ByteBuffer *target);
uint64_t query_run_received_rows(const QueryRun *run); /* over exchanges, for the leader's bound */
/* Waits for done_cb's caller to have returned (so not from done_cb itself); closes everything. A
 * run that was never started may be destroyed too. */
void query_run_destroy(QueryRun *run);
