/* query_run_internal.h — what the builder fills in and the run closes. */
#pragma once
#include "compute/exec/pipeline.h"
#include "compute/exec/query_run.h"

struct QueryRun {
    QueryContext *query;
    const Plan *plan;
    PointerList pipelines;                  /* Pipeline */
    PointerList sources, transforms, sinks; /* every operator, in the order they are opened */
    PipelineEvent **filter_events; /* by filter id - 1: it has come from all nodes; or null */
    uint32_t pending_count;        /* atomic: pipelines that have not ended */
    void (*done_cb)(void *object, QueryRun *run);
    void *done_object;
    bool is_closed;  /* every operator's close has been called */
    Task empty_task; /* calls done_cb when there is no pipeline */
    Mutex mutex;
    Condition released;
    uint32_t holder_count; /* guarded by mutex: start and done_cb still inside */
};
