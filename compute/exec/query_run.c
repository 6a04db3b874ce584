/*
 * query_run.c — one query on one endpoint, from plan to the done callback.
 *
 * A run ends when all its pipelines have ended, each exactly once. A failure cancels: running
 * pipelines stop at their next batch, parked ones are woken to stop, later ones end when their turn
 * comes; so the count always reaches zero.
 */
#include "compute/exec/query_run.h"

#include <string.h>

#include "compute/exec/memory_share.h"
#include "compute/exec/pipeline_build.h"
#include "compute/operators/exchange_receive.h"
#include "compute/operators/runtime_filter.h"
#include "compute/operators/store.h"

enum { RELEASE_WAIT_US = 1000000 };

static void close_operators(QueryRun *run);
static void pipeline_ended(void *object);
static void wake_all(void *object);

static bool fragment_is_here(const QueryContext *query, const PlanFragment *fragment)
{
    switch (fragment->site) {
    case PLAN_SITE_NODES:
        return query->endpoint != 0;
    case PLAN_SITE_ONE_NODE:
        return query->is_replica_reader;
    case PLAN_SITE_LEADER:
        return query->endpoint == 0;
    }
    return false;
}

static Status open_operators(QueryRun *run)
{
    QueryContext *query = run->query;
    for (uint32_t i = 0; i < run->sinks.count; i++) {
        Sink *sink = run->sinks.items[i];
        if (sink->ops->open != NULL) {
            TRY(sink->ops->open(sink, query));
        }
    }
    for (uint32_t i = 0; i < run->transforms.count; i++) {
        Transform *transform = run->transforms.items[i];
        if (transform->ops->open != NULL) {
            TRY(transform->ops->open(transform, query));
        }
    }
    for (uint32_t i = 0; i < run->sources.count; i++) {
        Source *source = run->sources.items[i];
        if (source->ops->open != NULL) {
            TRY(source->ops->open(source, query));
        }
    }
    return STATUS_OK;
}

Status query_run_create(QueryContext *query, const Plan *plan, QueryRun **out)
{
    QueryRun *run = ARENA_NEW(query->arena, QueryRun);
    run->query = query;
    run->plan = plan;
    mutex_init(&run->mutex, MUTEX_RANK_QUERY);
    condition_init(&run->released);
    query->runtime_filters = runtime_filters_create(query->arena, plan);

    Status status;
    pipeline_build_filters(run);
    for (uint32_t i = 0; i < plan->fragment_count; i++) {
        if (fragment_is_here(query, &plan->fragments[i])) {
            TRY_OR(failed, pipeline_build_fragment(run, &plan->fragments[i]));
        }
    }
    run->pending_count = run->pipelines.count;
    for (uint32_t i = 0; i < run->pipelines.count; i++) {
        Pipeline *pipeline = run->pipelines.items[i];
        pipeline->end = pipeline_ended;
        pipeline->end_object = run;
    }
    memory_shares_settle(query);
    TRY_OR(failed, open_operators(run));
    mutex_lock(&query->mutex);
    query->cancel = wake_all;
    query->cancel_object = run;
    mutex_unlock(&query->mutex);
    *out = run;
    return STATUS_OK;

failed:
    close_operators(run);
    condition_deinit(&run->released);
    mutex_deinit(&run->mutex);
    return status;
}

static void release(QueryRun *run)
{
    mutex_lock(&run->mutex);
    run->holder_count--;
    condition_broadcast(&run->released);
    mutex_unlock(&run->mutex);
}

static void finish(QueryRun *run)
{
    close_operators(run); // the query's memory is free before anyone hears of its end
    run->done_cb(run->done_object, run);
    release(run);
}

static void pipeline_ended(void *object)
{
    QueryRun *run = object;
    // Acquire and release: done_cb sees what all pipelines have written.
    if (__atomic_sub_fetch(&run->pending_count, 1, __ATOMIC_ACQ_REL) == 0) {
        finish(run);
    }
}

static enum TaskResult run_empty(Task *task, uint32_t worker_index)
{
    (void)worker_index;
    finish((QueryRun *)((char *)task - offsetof(QueryRun, empty_task)));
    return TASK_DONE;
}

void query_run_start(QueryRun *run, void (*done_cb)(void *object, QueryRun *run), void *object)
{
    run->done_cb = done_cb;
    run->done_object = object;
    run->holder_count = 2;
    if (run->pipelines.count == 0) {
        run->empty_task = (Task){.run = run_empty, .group = run->query->query_id};
        scheduler_submit(run->query->host->scheduler, &run->empty_task);
    }
    for (uint32_t i = 0; i < run->pipelines.count; i++) {
        pipeline_start(run->pipelines.items[i]);
    }
    release(run);
}

static void wake_all(void *object)
{
    QueryRun *run = object;
    if (run->query->hub != NULL) {
        Status reason = query_context_check(run->query);
        stream_hub_cancel_query(run->query->hub, run->query->query_id, reason);
        status_free(reason);
    }
    for (uint32_t i = 0; i < run->pipelines.count; i++) {
        pipeline_wake(run->pipelines.items[i]);
    }
}

void query_run_cancel(QueryRun *run, Status owned_reason)
{
    query_context_fail(run->query, owned_reason);
}

Status query_run_status(QueryRun *run)
{
    QueryContext *query = run->query;
    mutex_lock(&query->mutex);
    Status failure = query->failure;
    query->failure = STATUS_OK;
    mutex_unlock(&query->mutex);
    return failure;
}

static void add_node_statistics(QueryRun *run, PlanNodeStatistics *nodes, uint32_t plan_node_id,
                                const OperatorStatistics *source, bool gives_rows)
{
    if (plan_node_id == 0 || plan_node_id > run->plan->node_count) {
        return; // helpers of an operator belong to no plan node
    }
    PlanNodeStatistics *node = &nodes[plan_node_id];
    node->site = run->query->endpoint;
    node->plan_node_id = plan_node_id;
    node->rows += gives_rows ? source->rows : 0;
    node->time_ns += source->time_ns;
    node->bytes += source->bytes;
    node->blocks_read += source->blocks_read;
    node->blocks_skipped += source->blocks_skipped;
    node->blocks_from_disk += source->blocks_from_disk;
    node->row_groups_from_zone_maps += source->row_groups_from_zone_maps;
    node->spilled_bytes += source->spilled_bytes;
    if (source->variant[0] != '\0') {
        memcpy(node->variant, source->variant, sizeof node->variant);
    }
}

void query_run_statistics(QueryRun *run, PlanNodeStatistics **out, uint32_t *count)
{
    uint32_t node_count = run->plan->node_count;
    PlanNodeStatistics *nodes =
        ARENA_ARRAY(run->query->arena, PlanNodeStatistics, (size_t)node_count + 1);
    bool *gives_rows = ARENA_ARRAY(run->query->arena, bool, (size_t)node_count + 1);
    for (uint32_t i = 0; i < run->sources.count; i++) {
        const Source *source = run->sources.items[i];
        gives_rows[source->plan_node_id <= node_count ? source->plan_node_id : 0] = true;
        add_node_statistics(run, nodes, source->plan_node_id, &source->statistics, true);
    }
    for (uint32_t i = 0; i < run->transforms.count; i++) {
        const Transform *transform = run->transforms.items[i];
        gives_rows[transform->plan_node_id <= node_count ? transform->plan_node_id : 0] = true;
        add_node_statistics(run, nodes, transform->plan_node_id, &transform->statistics, true);
    }
    // A sink's rows are those it took in: they count only where nothing comes out again.
    for (uint32_t i = 0; i < run->sinks.count; i++) {
        const Sink *sink = run->sinks.items[i];
        uint32_t id = sink->plan_node_id <= node_count ? sink->plan_node_id : 0;
        add_node_statistics(run, nodes, sink->plan_node_id, &sink->statistics, !gives_rows[id]);
    }
    uint32_t kept = 0;
    for (uint32_t i = 1; i <= node_count; i++) {
        if (nodes[i].plan_node_id != 0) {
            nodes[kept++] = nodes[i];
        }
    }
    *out = nodes;
    *count = kept;
}

uint64_t query_run_received_rows(const QueryRun *run)
{
    uint64_t rows = 0;
    for (uint32_t i = 0; i < run->sources.count; i++) {
        rows += exchange_receive_rows(run->sources.items[i]);
    }
    return rows;
}

void query_run_write_statistics(QueryRun *run, ByteBuffer *target)
{
    uint32_t write_count = 0;
    for (uint32_t i = 0; i < run->sinks.count; i++) {
        const Sink *sink = run->sinks.items[i];
        write_count += sink->ops->add_write != NULL;
    }
    byte_buffer_add_varint(target, write_count);
    for (uint32_t i = 0; i < run->sinks.count; i++) {
        const Sink *sink = run->sinks.items[i];
        if (sink->ops->add_write != NULL) {
            sink->ops->add_write(sink, target);
        }
    }
}

static void close_operators(QueryRun *run)
{
    if (run->is_closed) {
        return;
    }
    run->is_closed = true;
    for (uint32_t i = 0; i < run->sources.count; i++) {
        Source *source = run->sources.items[i];
        if (source->ops->close != NULL) {
            source->ops->close(source);
        }
    }
    for (uint32_t i = 0; i < run->transforms.count; i++) {
        Transform *transform = run->transforms.items[i];
        if (transform->ops->close != NULL) {
            transform->ops->close(transform);
        }
    }
    for (uint32_t i = 0; i < run->sinks.count; i++) {
        Sink *sink = run->sinks.items[i];
        if (sink->ops->close != NULL) {
            sink->ops->close(sink);
        }
    }
    runtime_filters_destroy(run->query->runtime_filters);
    run->query->runtime_filters = NULL;
}

void query_run_destroy(QueryRun *run)
{
    if (run == NULL) {
        return;
    }
    mutex_lock(&run->mutex);
    while (run->holder_count > 0) {
        condition_wait(&run->released, &run->mutex, RELEASE_WAIT_US);
    }
    mutex_unlock(&run->mutex);
    mutex_lock(&run->query->mutex);
    run->query->cancel = NULL;
    mutex_unlock(&run->query->mutex);
    close_operators(run);
    condition_deinit(&run->released);
    mutex_deinit(&run->mutex);
}
