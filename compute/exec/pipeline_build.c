/*
 * pipeline_build.c — the PlanNode tree of a fragment becomes pipelines.
 *
 * The tree is walked from the root down. A Chain says what rows meet on their way from here to the
 * sink; a node with one input puts its transform before the chain and goes on below; a node that
 * starts rows (scan, receive, the output side of an aggregate) closes the chain into a pipeline.
 * A chain may be closed several times: by each input of a UNION ALL, and by the rows a join gives
 * after its probe side has ended.
 *
 * Example:  SEND <- AGGREGATE <- JOIN(probe: SCAN a, build: SCAN b)
 *   scan b -> [build]                      fires `built`
 *   insert -> []          after built      fires `inserted`
 *   scan a -> probe -> [aggregate]         after inserted, signals `probed`
 *   rest   -> [aggregate]                  after probed
 *   groups -> [send]                       after the aggregate is finished
 */
#include "compute/exec/pipeline_build.h"

#include "compute/operators/copy_read.h"
#include "compute/operators/exchange_receive.h"
#include "compute/operators/exchange_send.h"
#include "compute/operators/filter.h"
#include "compute/operators/filter_exchange.h"
#include "compute/operators/hash_aggregate.h"
#include "compute/operators/hash_join.h"
#include "compute/operators/limit.h"
#include "compute/operators/nested_loop_join.h"
#include "compute/operators/project.h"
#include "compute/operators/result.h"
#include "compute/operators/sort.h"
#include "compute/operators/store.h"
#include "compute/operators/table_analysis.h"
#include "compute/operators/table_compression.h"
#include "compute/operators/table_delete.h"
#include "compute/operators/table_scan.h"
#include "compute/operators/table_vacuum.h"
#include "compute/operators/table_write.h"
#include "compute/operators/top_n.h"
#include "compute/operators/values.h"
#include "compute/operators/virtual_scan.h"
#include "compute/operators/window.h"

/* A link of the way down: the newest is the one rows meet first. */
typedef struct Chain {
    const struct Chain *next;
    Transform *transform;    /* may be null */
    PipelineEvent *wait_for; /* before rows may come; may be null */
    PipelineEvent *signals;  /* told when the pipeline has ended; may be null */
    SinkGroup *target;       /* only in the last link */
    uint32_t worker_max;     /* only in the last link */
} Chain;

typedef struct Builder {
    QueryRun *run;
    QueryContext *query;
    const PlanFragment *fragment;
    ScanSummaries *summaries; /* asked by the aggregate whose input is built next; or null */
} Builder;

static Status build_node(Builder *builder, const PlanNode *node, const Chain *chain);

static void add_source(Builder *builder, Source *source)
{
    pointer_list_add(builder->query->arena, &builder->run->sources, source);
}

static SinkGroup *add_sink(Builder *builder, Sink *sink)
{
    pointer_list_add(builder->query->arena, &builder->run->sinks, sink);
    return sink_group_create(builder->query->arena, sink);
}

static Chain sink_chain(Builder *builder, Sink *sink)
{
    return (Chain){.target = add_sink(builder, sink),
                   .worker_max = scheduler_worker_count(builder->query->host->scheduler)};
}

static Chain transform_chain(Builder *builder, Transform *transform, const Chain *next)
{
    pointer_list_add(builder->query->arena, &builder->run->transforms, transform);
    return (Chain){.next = next, .transform = transform};
}

// Closes the chain: the rows of `source` pass all its transforms into its sink.
static Pipeline *add_pipeline(Builder *builder, Source *source, const Chain *chain)
{
    QueryContext *query = builder->query;
    uint32_t transform_count = 0;
    const Chain *last = chain;
    for (const Chain *link = chain; link != NULL; link = link->next) {
        transform_count += link->transform != NULL;
        last = link;
    }
    Transform **transforms = ARENA_ARRAY(query->arena, Transform *, transform_count);
    uint32_t i = 0;
    for (const Chain *link = chain; link != NULL; link = link->next) {
        if (link->transform != NULL) {
            transforms[i++] = link->transform;
        }
    }
    add_source(builder, source);
    Pipeline *pipeline =
        pipeline_create(query, source, transforms, transform_count, last->target, last->worker_max);
    for (const Chain *link = chain; link != NULL; link = link->next) {
        if (link->wait_for != NULL) {
            pipeline_wait_for(pipeline, link->wait_for);
        }
        if (link->signals != NULL) {
            pipeline_signals(pipeline, link->signals);
        }
    }
    pointer_list_add(query->arena, &builder->run->pipelines, pipeline);
    return pipeline;
}

// A pipeline without rows, for work between two others; returns the event of its end.
static PipelineEvent *add_work(Builder *builder, Source *work, Sink *done, PipelineEvent *after)
{
    Chain chain = sink_chain(builder, done);
    pipeline_wait_for(add_pipeline(builder, work, &chain), after);
    return &chain.target->finished;
}

static Status build_hash_join(Builder *builder, const PlanHashJoin *plan, const Chain *chain)
{
    HashJoinParts parts;
    TRY(hash_join_create(builder->query, plan, &parts));
    Chain build = sink_chain(builder, parts.build);
    TRY(build_node(builder, plan->build, &build));
    PipelineEvent *inserted =
        add_work(builder, parts.insert, parts.inserted, &build.target->finished);
    inserted = add_work(builder, parts.reinsert, parts.reinserted, inserted);

    PipelineEvent *probed = ARENA_NEW(builder->query->arena, PipelineEvent);
    Chain probe = transform_chain(builder, parts.probe, chain);
    probe.wait_for = inserted;
    probe.signals = probed;
    TRY(build_node(builder, plan->probe, &probe));
    pipeline_wait_for(add_pipeline(builder, parts.rest, chain), probed);
    return STATUS_OK;
}

static Status build_nested_loop_join(Builder *builder, const PlanNestedLoopJoin *plan,
                                     const Chain *chain)
{
    NestedLoopJoinParts parts;
    TRY(nested_loop_join_create(builder->query, plan, &parts));
    Chain build = sink_chain(builder, parts.build);
    TRY(build_node(builder, plan->build, &build));

    PipelineEvent *probed = ARENA_NEW(builder->query->arena, PipelineEvent);
    Chain probe = transform_chain(builder, parts.probe, chain);
    probe.wait_for = &build.target->finished;
    probe.signals = probed;
    TRY(build_node(builder, plan->probe, &probe));
    if (parts.rest != NULL) {
        pipeline_wait_for(add_pipeline(builder, parts.rest, chain), probed);
    }
    return STATUS_OK;
}

// A breaker: the child's rows end in `sink`, those of `source` start when it is finished.
static Status build_breaker(Builder *builder, const PlanNode *child, Sink *sink, Source *source,
                            const Chain *chain)
{
    Chain input = sink_chain(builder, sink);
    pipeline_wait_for(add_pipeline(builder, source, chain), &input.target->finished);
    return build_node(builder, child, &input);
}

static Status build_aggregate(Builder *builder, const PlanAggregate *plan, const Chain *chain)
{
    Sink *sink;
    Source *source;
    TRY(hash_aggregate_create(builder->query, plan, &sink, &source));
    builder->summaries = hash_aggregate_summaries(sink);
    Status status = build_breaker(builder, plan->child, sink, source, chain);
    builder->summaries = NULL;
    return status;
}

static Status build_sort(Builder *builder, const PlanSort *plan, const Chain *chain)
{
    Sink *sink;
    Source *source;
    if (top_n_is_suitable(plan)) {
        TRY(top_n_create(builder->query, plan, &sink, &source));
    } else {
        TRY(sort_create(builder->query, plan, &sink, &source));
    }
    return build_breaker(builder, plan->child, sink, source, chain);
}

static Status build_window(Builder *builder, const PlanWindow *plan, const Chain *chain)
{
    Sink *sink;
    Source *source;
    TRY(window_create(builder->query, plan, &sink, &source));
    return build_breaker(builder, plan->child, sink, source, chain);
}

static Status build_table_write(Builder *builder, const PlanTableWrite *plan, const Chain *chain)
{
    Sink *sink;
    Source *source;
    TRY(plan->compression_rows > 0
            ? table_compression_create(builder->query, plan, &sink, &source)
        : plan->is_analysis ? table_analysis_create(builder->query, plan, &sink, &source)
                            : table_write_create(builder->query, plan, &sink, &source));
    return build_breaker(builder, plan->child, sink, source, chain);
}

static Status build_table_delete(Builder *builder, const PlanTableDelete *plan, const Chain *chain)
{
    Sink *sink;
    Source *source;
    TRY(table_delete_create(builder->query, plan, &sink, &source));
    return build_breaker(builder, plan->child, sink, source, chain);
}

static Status build_union_all(Builder *builder, const PlanUnionAll *plan, const Chain *chain)
{
    for (uint32_t i = 0; i < plan->child_count; i++) {
        TRY(build_node(builder, plan->children[i], chain));
    }
    return STATUS_OK;
}

static Status build_stored(Builder *builder, const PlanStored *plan, const Chain *chain)
{
    Source *source;
    TRY(stored_create(builder->query, plan, &source));
    Pipeline *pipeline = add_pipeline(builder, source, chain);
    // The store's fragment was built before: producers come first in a plan.
    PipelineEvent *filled = stored_rows_event(builder->query, plan->store_id);
    if (filled == NULL) {
        return status_error(SQLSTATE_INTERNAL_ERROR, "the plan reads store %u before it is made",
                            plan->store_id);
    }
    pipeline_wait_for(pipeline, filled);
    return STATUS_OK;
}

static Status build_scan(Builder *builder, const PlanScan *plan, const Chain *chain)
{
    bool is_one_node = builder->fragment->site == PLAN_SITE_ONE_NODE;
    Source *source = NULL;
    TRY(scan_source_create(builder->query, plan, is_one_node, builder->summaries, &source));
    Pipeline *pipeline = add_pipeline(builder, source, chain);
    for (uint32_t i = 0; i < plan->runtime_filter_count; i++) {
        PipelineEvent *has_come =
            builder->run->filter_events[plan->runtime_filters[i].filter_id - 1];
        if (has_come != NULL) {
            pipeline_wait_for(pipeline, has_come);
        }
    }
    return STATUS_OK;
}

// Nodes that start rows.
static Status build_source(Builder *builder, const PlanNode *node, const Chain *chain)
{
    QueryContext *query = builder->query;
    Source *source = NULL;
    switch (node->kind) {
    case PLAN_SCAN:
        return build_scan(builder, (const PlanScan *)node, chain);
    case PLAN_VIRTUAL_SCAN:
        TRY(virtual_scan_create(query, (const PlanVirtualScan *)node, &source));
        break;
    case PLAN_VALUES:
        TRY(values_create(query, (const PlanValues *)node, &source));
        break;
    case PLAN_RECEIVE:
        TRY(exchange_receive_create(query, builder->run->plan, (const PlanReceive *)node, &source));
        break;
    case PLAN_COPY_READ:
        TRY(copy_read_create(query, (const PlanCopyRead *)node, &source));
        break;
    case PLAN_TABLE_VACUUM:
        TRY(table_vacuum_create(query, (const PlanTableVacuum *)node, &source));
        break;
    default:
        return status_error(SQLSTATE_FEATURE_NOT_SUPPORTED, "%s cannot stand inside a plan",
                            plan_node_name(node->kind));
    }
    add_pipeline(builder, source, chain);
    return STATUS_OK;
}

// Nodes that pass rows on.
static Status build_transform(Builder *builder, const PlanNode *node, const Chain *chain)
{
    QueryContext *query = builder->query;
    Transform *transform;
    const PlanNode *child;
    if (node->kind == PLAN_FILTER) {
        TRY(filter_create(query, (const PlanFilter *)node, &transform));
        child = ((const PlanFilter *)node)->child;
    } else if (node->kind == PLAN_PROJECT) {
        TRY(project_create(query, (const PlanProject *)node, &transform));
        child = ((const PlanProject *)node)->child;
    } else {
        TRY(limit_create(query, (const PlanLimit *)node, &transform));
        child = ((const PlanLimit *)node)->child;
    }
    Chain link = transform_chain(builder, transform, chain);
    return build_node(builder, child, &link);
}

static Status build_node(Builder *builder, const PlanNode *node, const Chain *chain)
{
    switch (node->kind) {
    case PLAN_FILTER:
    case PLAN_PROJECT:
    case PLAN_LIMIT:
        return build_transform(builder, node, chain);
    case PLAN_HASH_JOIN:
        return build_hash_join(builder, (const PlanHashJoin *)node, chain);
    case PLAN_NESTED_LOOP_JOIN:
        return build_nested_loop_join(builder, (const PlanNestedLoopJoin *)node, chain);
    case PLAN_AGGREGATE:
        return build_aggregate(builder, (const PlanAggregate *)node, chain);
    case PLAN_SORT:
        return build_sort(builder, (const PlanSort *)node, chain);
    case PLAN_UNION_ALL:
        return build_union_all(builder, (const PlanUnionAll *)node, chain);
    case PLAN_WINDOW:
        return build_window(builder, (const PlanWindow *)node, chain);
    case PLAN_TABLE_WRITE:
        return build_table_write(builder, (const PlanTableWrite *)node, chain);
    case PLAN_TABLE_DELETE:
        return build_table_delete(builder, (const PlanTableDelete *)node, chain);
    case PLAN_STORED:
        return build_stored(builder, (const PlanStored *)node, chain);
    default:
        return build_source(builder, node, chain);
    }
}

void pipeline_build_filters(QueryRun *run)
{
    const Plan *plan = run->plan;
    run->filter_events =
        ARENA_ARRAY(run->query->arena, PipelineEvent *, plan->runtime_filter_count);
    Builder builder = {.run = run, .query = run->query};
    for (uint32_t id = 1; run->query->endpoint != 0 && id <= plan->runtime_filter_count; id++) {
        uint32_t exchange_id = plan_runtime_filter_exchange(plan, id);
        if (exchange_id != 0) {
            Source *source;
            Sink *sink;
            filter_exchange_create(run->query, id, exchange_id, &source, &sink);
            Chain chain = sink_chain(&builder, sink);
            add_pipeline(&builder, source, &chain);
            run->filter_events[id - 1] = &chain.target->finished;
        }
    }
}

Status pipeline_build_fragment(QueryRun *run, const PlanFragment *fragment)
{
    Builder builder = {.run = run, .query = run->query, .fragment = fragment};
    const PlanNode *root = fragment->root;
    Sink *sink;
    switch (root->kind) {
    case PLAN_SEND: {
        const PlanSend *plan = (const PlanSend *)root;
        TRY(exchange_send_create(run->query, run->plan, plan, &sink));
        Chain chain = sink_chain(&builder, sink);
        return build_node(&builder, plan->child, &chain);
    }
    case PLAN_STORE: {
        const PlanStore *plan = (const PlanStore *)root;
        TRY(store_sink_create(run->query, plan, &sink));
        Chain chain = sink_chain(&builder, sink);
        stored_rows_set_event(run->query, plan->store_id, &chain.target->finished);
        return build_node(&builder, plan->child, &chain);
    }
    case PLAN_RESULT: {
        const PlanResult *plan = (const PlanResult *)root;
        TRY(result_create(run->query, plan, &sink));
        Chain chain = sink_chain(&builder, sink);
        chain.worker_max = 1; // the receiver takes one batch at a time
        return build_node(&builder, plan->child, &chain);
    }
    default:
        return status_error(SQLSTATE_INTERNAL_ERROR, "a fragment cannot end in %s",
                            plan_node_name(root->kind));
    }
}
