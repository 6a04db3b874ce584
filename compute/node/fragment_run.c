/* fragment_run.c — a RUN request from arrival to answer: context, fragments, statistics. */
#include "compute/node/node_internal.h"

#include <stdlib.h>

#include "base/log.h"
#include "planner/plan/plan_codec.h"
#include "planner/plan/plan_statistics.h"
#include "storage/redo.h"

#define WRITE_STATISTICS_BYTES_MAX (8u << 20)

static void run_free(FragmentRun *run)
{
    Node *node = run->node;
    query_run_destroy(run->run);
    query_context_deinit(&run->query);
    stream_hub_end_query(node->hub, run->query.query_id);
    memory_budget_destroy(run->budget);
    setting_set_destroy(run->settings);
    arena_destroy(run->arena); // `run` itself lives in it
    mutex_lock(&node->mutex);
    node->run_count--;
    condition_broadcast(&node->idle);
    mutex_unlock(&node->mutex);
}

static void unlink_run(Node *node, FragmentRun *run)
{
    mutex_lock(&node->mutex);
    FragmentRun **slot = &node->runs;
    while (*slot != NULL && *slot != run) {
        slot = &(*slot)->next;
    }
    if (*slot == run) {
        *slot = run->next;
    }
    mutex_unlock(&node->mutex);
}

void node_run_ended(Node *node, FragmentRun *run)
{
    unlink_run(node, run);
    Reply reply = {.kind = MESSAGE_RUN, .status = query_run_status(run->run)};
    ByteBuffer written, measured, redo;
    byte_buffer_init(&written, WRITE_STATISTICS_BYTES_MAX);
    byte_buffer_init(&measured, WRITE_STATISTICS_BYTES_MAX);
    byte_buffer_init(&redo, 2 * REDO_BYTES_MAX);
    if (reply.status == STATUS_OK) {
        query_run_write_statistics(run->run, &written);
        reply.status = byte_buffer_status(&written);
    }
    if (reply.status == STATUS_OK && run->has_statistics) {
        PlanNodeStatistics *statistics = NULL;
        uint32_t count = 0;
        query_run_statistics(run->run, &statistics, &count);
        plan_statistics_encode(statistics, count, &measured);
        reply.status = byte_buffer_status(&measured);
    }
    uint64_t txn_id = run->query.snapshot.txn_id;
    reply.run.has_writes = txn_id != 0 && store_has_writes(node->store, txn_id);
    if (reply.status == STATUS_OK && run->is_voting && reply.run.has_writes) {
        reply.status = run->takes_redo ? store_vote(node->store, txn_id, &redo)
                                       : store_prepare(node->store, txn_id);
    }
    if (reply.status != STATUS_OK) {
        reply.status = status_with_node(reply.status, node->node_id);
    }
    reply.run.write_statistics = written.data;
    reply.run.write_statistics_bytes = written.bytes;
    reply.run.statistics = measured.data;
    reply.run.statistics_bytes = measured.bytes;
    reply.run.redo = redo.data;
    reply.run.redo_bytes = redo.bytes;
    reply.run.lease_left = store_leased_rowsets(node->store);
    TransportRequest *request = run->request;
    run_free(run); // everything is released before the leader hears of the end
    node_reply(node, request, &reply);
    status_free(reply.status);
    byte_buffer_deinit(&written);
    byte_buffer_deinit(&measured);
    byte_buffer_deinit(&redo);
}

static void run_done_cb(void *object, QueryRun *ended)
{
    (void)ended;
    FragmentRun *run = object;
    NodeWork *work = calloc(1, sizeof(*work));
    ASSERT(work != NULL); // a few bytes; the reserve of arenas does not reach here
    work->ended = run;
    bool is_queued = queue_push(run->node->work, work, 1000000);
    ASSERT(is_queued); // bounded by the requests that may be open
}

static Status run_prepare(Node *node, FragmentRun *run, const RunMessage *message)
{
    run->settings = setting_set_create(node->host->settings);
    if (run->settings == NULL) {
        return status_error(SQLSTATE_OUT_OF_MEMORY, "no memory for a query's settings");
    }
    ByteReader reader;
    byte_reader_init(&reader, message->settings, message->setting_bytes);
    TRY(setting_set_decode(run->settings, &reader));
    run->query.settings = run->settings;
    run->query.budget = run->budget = query_grant_create(node->host, run->settings);
    if (run->budget == NULL) {
        return status_error(SQLSTATE_OUT_OF_MEMORY, "no memory for a query");
    }
    Plan *plan = NULL;
    byte_reader_init(&reader, message->plan, message->plan_bytes);
    TRY(plan_decode(&reader, run->arena, &plan));
    if (message->lease_count > 0) {
        TRY(store_lease_rowsets(node->store, message->lease_first, message->lease_count));
    }
    mutex_lock(&node->mutex);
    uint64_t map_epoch = node->map_epoch;
    run->query.bucket_nodes = node->bucket_nodes;
    run->query.known_key_bits = node->known_key_bits;
    run->query.node_count = node->node_count;
    mutex_unlock(&node->mutex);
    if (message->map_epoch != map_epoch) {
        return status_error(SQLSTATE_SERIALIZATION_FAILURE,
                            "plan for bucket map %lu, this node has %lu",
                            (unsigned long)message->map_epoch, (unsigned long)map_epoch);
    }
    store_advance(node->store, message->position);
    query_context_init(&run->query);
    return query_run_create(&run->query, plan, &run->run);
}

void node_run(Node *node, TransportRequest *owned_request, const Request *request,
              Arena *owned_arena)
{
    const RunMessage *message = &request->run;
    FragmentRun *run = ARENA_NEW(owned_arena, FragmentRun);
    run->node = node;
    run->arena = owned_arena;
    run->request = owned_request;
    run->has_statistics = message->has_statistics;
    run->is_voting = message->is_voting;
    run->takes_redo = message->takes_redo;
    run->start_us = clock_monotonic_us();
    run->deadline_us = message->timeout_us > 0 ? run->start_us + message->timeout_us : 0;
    run->query = (QueryContext){
        .query_id = message->query_id,
        .endpoint = node->node_id,
        .is_replica_reader = message->is_replica_reader,
        .host = node->host,
        .arena = owned_arena,
        .snapshot = {.position = message->position,
                     .txn_id = message->txn_id,
                     .statement = message->statement},
        .write_budget = node->budget,
        .store = node->store,
        .hub = node->hub,
        .spill_directory = node->spill_directory,
        .copy_roots = setting_text(node->host->settings, SETTING_COPY_ROOTS),
    };
    thread_set_context(node->node_id, message->query_id);
    mutex_lock(&node->mutex);
    node->run_count++;
    mutex_unlock(&node->mutex);
    Status status = run_prepare(node, run, message);
    if (status != STATUS_OK) {
        stream_hub_cancel_query(node->hub, message->query_id, status);
        run_free(run);
        node_reply_status(node, owned_request, MESSAGE_RUN, status);
        return;
    }
    mutex_lock(&node->mutex);
    run->next = node->runs;
    node->runs = run;
    mutex_unlock(&node->mutex);
    query_run_start(run->run, run_done_cb, run);
}

void node_cancel(Node *node, uint64_t query_id)
{
    Status reason =
        status_error(SQLSTATE_QUERY_CANCELED, "canceling statement due to user request");
    mutex_lock(&node->mutex);
    for (FragmentRun *run = node->runs; run != NULL; run = run->next) {
        if (run->query.query_id == query_id) {
            query_run_cancel(run->run, status_copy(reason));
        }
    }
    mutex_unlock(&node->mutex);
    stream_hub_cancel_query(node->hub, query_id, reason);
    status_free(reason);
}

void node_cancel_all(Node *node, int64_t until_us, Status reason)
{
    mutex_lock(&node->mutex);
    for (FragmentRun *run = node->runs; run != NULL; run = run->next) {
        if (run->start_us <= until_us) {
            stream_hub_cancel_query(node->hub, run->query.query_id, reason);
            query_run_cancel(run->run, status_copy(reason));
        }
    }
    mutex_unlock(&node->mutex);
}

void node_check_deadlines(Node *node)
{
    int64_t now = clock_monotonic_us();
    mutex_lock(&node->mutex);
    for (FragmentRun *run = node->runs; run != NULL; run = run->next) {
        if (run->deadline_us != 0 && now > run->deadline_us) {
            Status reason = status_error(SQLSTATE_QUERY_CANCELED,
                                         "canceling statement due to statement timeout");
            stream_hub_cancel_query(node->hub, run->query.query_id, reason);
            query_run_cancel(run->run, reason);
        }
    }
    mutex_unlock(&node->mutex);
}
