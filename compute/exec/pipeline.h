/*
 * pipeline.h — source -> transforms -> sink, run by any number of workers.
 *
 * A pipeline starts when all events it waits for have fired. Several pipelines may end in one sink
 * (UNION ALL; the unmatched rows of an outer join): the sink finishes after the last of them.
 *
 *   worker:  RUN --source ends--> FLUSH --transforms empty--> MERGE --last worker--> FINISH --> END
 *             ^ |                                                     (if the sink's last pipeline)
 *             +-+ a batch at a time; parked while source or sink is blocked
 *
 * Invariants: (1) every pipeline ends exactly once, also when it fails or never runs; (2) after a
 * failure no operator is called but for its close functions.
 */
#pragma once
#include "compute/exec/operator.h"
#include "compute/exec/scheduler.h"

typedef struct Pipeline Pipeline;

/* Fires when `pending_count` causes have ended; starts the pipelines that wait for it. */
typedef struct PipelineEvent {
    uint32_t pending_count; /* atomic */
    PointerList waiters;    /* Pipeline */
} PipelineEvent;

typedef struct SinkGroup {
    Sink *sink;
    uint32_t pending_count; /* atomic: pipelines that have not ended */
    PointerList pipelines;
    PipelineEvent finished;
} SinkGroup;

struct Pipeline {
    QueryContext *query;
    Source *source;
    uint32_t transform_count;
    Transform **transforms;
    SinkGroup *target;
    uint32_t worker_max;
    PointerList signals;           /* PipelineEvent: told when this pipeline has ended */
    void (*end)(void *object);     /* once, last; the pipeline is not touched afterwards */
    void *end_object;

    uint32_t waiting_count;        /* atomic: events not fired yet, and pipeline_start */
    uint32_t started_count, running_count; /* atomic: workers */
    uint32_t stop_stage;           /* atomic: stages up to this one want nothing more; 0: none */
    struct PipelineWorker *workers;
};

/* In the query's arena, by the thread that builds. */
Pipeline *pipeline_create(QueryContext *query, Source *source, Transform **transforms,
                          uint32_t transform_count, SinkGroup *target, uint32_t worker_max);
SinkGroup *sink_group_create(Arena *arena, Sink *sink);
/* The pipeline will not start before `event` has fired. */
void pipeline_wait_for(Pipeline *pipeline, PipelineEvent *event);
/* The event will not fire before the pipeline has ended. */
void pipeline_signals(Pipeline *pipeline, PipelineEvent *event);
/* Once, after all are built: it starts now, or with the last event it waits for. */
void pipeline_start(Pipeline *pipeline);
void pipeline_wake(Pipeline *pipeline); /* any thread: its parked workers look again */
