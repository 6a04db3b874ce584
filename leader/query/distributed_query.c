/* distributed_query.c — start everywhere, hear every end, cancel on the first failure. */
#include "leader/query/distributed_query.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/thread.h"
#include "compute/exec/query_run.h"
#include "planner/plan/plan_codec.h"
#include "planner/plan/plan_statistics.h"

#define PLAN_BYTES_MAX (12u << 20)
#define RUN_TIMEOUT_US INT64_C(1000000000000) /* eleven days: lost nodes end calls much earlier */
#define CANCEL_TIMEOUT_US INT64_C(5000000)
#define END_WAIT_US INT64_C(15000000)

struct DistributedQuery {
    const QueryServices *services;
    const Plan *plan;
    ResultQueue *results;
    Arena *arena;
    uint64_t query_id;
    QueryContext context; /* the leader's endpoint */
    MemoryBudget *budget;
    QueryRun *run;
    uint32_t node_count;
    uint32_t *nodes;
    NodeCall *calls;   /* RUN, per node */
    NodeCall *cancels; /* CANCEL, per node */
    bool has_statistics, is_voting;

    Mutex mutex; /* guards all below */
    Condition ended;
    uint32_t open_count;   /* ends still to come: calls, and the leader's run */
    uint32_t cancel_count; /* cancels still to be answered */
    bool *is_running;      /* per node: its RUN has not ended */
    bool *is_cancel_lost;  /* per node: nobody heard of it; it is sent again */
    bool is_failed;
    Status failure;
};

struct BlockSender {
    DistributedQuery *query;
    Mutex mutex;
    Condition ready;
    bool is_woken;
    uint32_t sender_count, turn;
    StreamSender **senders;
};

static void cancel_done(void *object, NodeCall *call)
{
    DistributedQuery *query = object;
    const size_t index = (size_t)(call - query->cancels);
    const bool is_lost = call->reply.status != STATUS_OK;
    status_ignore(call->reply.status, "the end of the RUN call tells what happened");
    call->reply.status = STATUS_OK;
    mutex_lock(&query->mutex);
    query->is_cancel_lost[index] = is_lost && query->is_running[index];
    query->cancel_count--;
    condition_broadcast(&query->ended);
    mutex_unlock(&query->mutex);
}

/* A cancel that found no memory, here or there, is sent again: its node would wait for good for
 * what nobody sends any more. */
static void cancel_again(DistributedQuery *query)
{
    for (uint32_t i = 0; i < query->node_count; i++) {
        mutex_lock(&query->mutex);
        const bool is_lost = query->is_cancel_lost[i] && query->is_running[i];
        query->is_cancel_lost[i] = false;
        query->cancel_count += is_lost ? 1 : 0;
        mutex_unlock(&query->mutex);
        if (is_lost) {
            Request request = {.kind = MESSAGE_CANCEL, .cancel = {.query_id = query->query_id}};
            nodes_call_wait(&query->cancels[i]); // the callback has left the call
            nodes_call_start(query->services->nodes, &query->cancels[i], &request,
                             CANCEL_TIMEOUT_US);
        }
    }
}

/* Records the first failure and tells every endpoint; any thread, never blocks. */
static void fail(DistributedQuery *query, Status owned_reason)
{
    mutex_lock(&query->mutex);
    bool is_first = !query->is_failed;
    query->is_failed = true;
    if (is_first) {
        query->failure = status_copy(owned_reason);
        query->cancel_count += query->node_count;
    }
    mutex_unlock(&query->mutex);
    if (is_first) {
        for (uint32_t i = 0; i < query->node_count; i++) {
            Request request = {.kind = MESSAGE_CANCEL, .cancel = {.query_id = query->query_id}};
            nodes_call_start(query->services->nodes, &query->cancels[i], &request,
                             CANCEL_TIMEOUT_US);
        }
        stream_hub_cancel_query(query->services->hub, query->query_id, owned_reason);
        query_run_cancel(query->run, status_copy(owned_reason));
        result_queue_stop(query->results);
    }
    status_free(owned_reason);
}

static void end_one(DistributedQuery *query)
{
    mutex_lock(&query->mutex);
    query->open_count--;
    if (query->open_count == 0) {
        result_queue_close(query->results);
        condition_broadcast(&query->ended);
    }
    mutex_unlock(&query->mutex);
}

static void call_done(void *object, NodeCall *call)
{
    DistributedQuery *query = object;
    mutex_lock(&query->mutex);
    query->is_running[call - query->calls] = false;
    mutex_unlock(&query->mutex);
    if (call->reply.status != STATUS_OK) {
        Status reason = call->reply.status;
        call->reply.status = STATUS_OK;
        fail(query, reason);
    }
    end_one(query);
}

static void run_done_cb(void *object, QueryRun *run)
{
    DistributedQuery *query = object;
    Status status = query_run_status(run);
    if (status != STATUS_OK) {
        fail(query, status);
    }
    end_one(query);
}

/* Nodes that have fragments, and the one that reads replicated tables. */
static void choose_nodes(DistributedQuery *query, uint32_t *replica_reader)
{
    bool has_all = false, has_one = false;
    for (uint32_t i = 0; i < query->plan->fragment_count; i++) {
        has_all = has_all || query->plan->fragments[i].site == PLAN_SITE_NODES;
        has_one = has_one || query->plan->fragments[i].site == PLAN_SITE_ONE_NODE;
    }
    uint32_t cluster_nodes = commit_log_node_count(query->services->log);
    *replica_reader = 1 + (uint32_t)(query->query_id % cluster_nodes);
    query->nodes = ARENA_ARRAY(query->arena, uint32_t, cluster_nodes);
    for (uint32_t node = 1; node <= cluster_nodes; node++) {
        if (has_all || (has_one && node == *replica_reader)) {
            query->nodes[query->node_count++] = node;
        }
    }
}

static Status encode_plan(DistributedQuery *query, const SettingSet *settings, ByteBuffer *plan,
                          ByteBuffer *values)
{
    plan_encode(query->plan, plan);
    setting_set_encode(settings, values);
    TRY(byte_buffer_status(plan));
    return byte_buffer_status(values);
}

/* All calls of a query build upon the same greetings: a node that was lost and came back between
 * two of them would miss what its peers have sent it. */
static void prepare_calls(DistributedQuery *query, const uint64_t *greetings)
{
    query->calls = ARENA_ARRAY(query->arena, NodeCall, query->node_count + 1);
    query->cancels = ARENA_ARRAY(query->arena, NodeCall, query->node_count + 1);
    query->is_running = ARENA_ARRAY(query->arena, bool, query->node_count + 1);
    query->is_cancel_lost = ARENA_ARRAY(query->arena, bool, query->node_count + 1);
    for (uint32_t i = 0; i < query->node_count; i++) {
        uint32_t node = query->nodes[i];
        query->is_running[i] = true;
        query->calls[i] = (NodeCall){.node = node,
                                     .greeting = greetings[node],
                                     .arena = arena_create(query->arena, "run call"),
                                     .done = call_done,
                                     .object = query};
        query->cancels[i] = (NodeCall){.node = node,
                                       .greeting = greetings[node],
                                       .arena = arena_create(query->arena, "cancel call"),
                                       .done = cancel_done,
                                       .object = query};
    }
}

static Status send_runs(DistributedQuery *query, const DistributedQueryOptions *options,
                        uint32_t replica_reader)
{
    ByteBuffer plan, values;
    byte_buffer_init(&plan, PLAN_BYTES_MAX);
    byte_buffer_init(&values, PLAN_BYTES_MAX);
    Status status = encode_plan(query, options->settings, &plan, &values);
    uint32_t started = 0;
    for (; status == STATUS_OK && started < query->node_count; started++) {
        uint32_t node = query->nodes[started];
        Request request = {.kind = MESSAGE_RUN,
                           .run = {.query_id = query->query_id,
                                   .txn_id = options->snapshot.txn_id,
                                   .statement = options->snapshot.statement,
                                   .position = options->snapshot.position,
                                   .map_epoch = commit_log_map_epoch(query->services->log),
                                   .is_replica_reader = node == replica_reader,
                                   .has_statistics = options->has_statistics,
                                   .is_voting = options->is_voting,
                                   .takes_redo = options->is_voting &&
                                                 commit_log_has_redo_room(query->services->log),
                                   .settings = values.data,
                                   .setting_bytes = values.bytes,
                                   .plan = plan.data,
                                   .plan_bytes = plan.bytes}};
        if (options->is_writing) {
            status = nodes_lease(query->services->nodes, node, &request.run);
            if (status != STATUS_OK) {
                break;
            }
        }
        nodes_call_start(query->services->nodes, &query->calls[started], &request, RUN_TIMEOUT_US);
    }
    byte_buffer_deinit(&plan);
    byte_buffer_deinit(&values);
    if (status != STATUS_OK) { // the ends of the calls that were never made
        fail(query, status_copy(status));
        for (uint32_t i = started; i < query->node_count; i++) {
            query->is_running[i] = false;
            query->calls[i].is_done = true;
            query->calls[i].nodes = query->services->nodes;
            end_one(query);
        }
        status_free(status);
    }
    return STATUS_OK;
}

Status distributed_query_start(const DistributedQueryOptions *options, DistributedQuery **out)
{
    const QueryServices *services = options->services;
    Arena *arena = arena_create(NULL, "distributed query");
    DistributedQuery *query = ARENA_NEW(arena, DistributedQuery);
    query->arena = arena;
    query->services = services;
    query->plan = options->plan;
    query->results = options->results;
    query->has_statistics = options->has_statistics;
    query->is_voting = options->is_voting;
    query->query_id = commit_log_next_query(services->log);
    query->budget = query_grant_create(services->host, options->settings);
    mutex_init(&query->mutex, MUTEX_RANK_QUERY);
    condition_init(&query->ended);
    uint32_t replica_reader = 0;
    choose_nodes(query, &replica_reader);
    query->context = (QueryContext){
        .query_id = query->query_id,
        .node_count = commit_log_node_count(services->log),
        .host = services->host,
        .arena = arena_create(arena, "leader fragment"),
        .budget = query->budget,
        .settings = options->settings,
        .snapshot = options->snapshot,
        .hub = services->hub,
        .bucket_nodes = services->bucket_nodes,
        .result = result_queue_receiver(options->results),
        .virtual_tables = options->virtual_tables,
        .spill_directory = services->spill_directory,
        .copy_roots = "",
    };
    query_context_init(&query->context);
    uint64_t greetings[MESSAGE_NODES_MAX + 1] = {0};
    Status status = query->budget == NULL
                        ? status_error(SQLSTATE_OUT_OF_MEMORY, "no memory for a query")
                        : STATUS_OK;
    if (status == STATUS_OK && query->node_count > 0) {
        status = nodes_greetings(services->nodes, greetings);
    }
    if (status == STATUS_OK) {
        status = query_run_create(&query->context, query->plan, &query->run);
    }
    if (status != STATUS_OK) {
        query_context_deinit(&query->context);
        stream_hub_end_query(services->hub, query->query_id);
        memory_budget_destroy(query->budget);
        condition_deinit(&query->ended);
        mutex_deinit(&query->mutex);
        arena_destroy(arena);
        return status;
    }
    prepare_calls(query, greetings);
    query->open_count = query->node_count + 1;
    thread_set_context(0, query->query_id);
    *out = query;
    query_run_start(query->run, run_done_cb, query);
    return send_runs(query, options, replica_reader);
}

uint64_t distributed_query_id(const DistributedQuery *query)
{
    return query->query_id;
}

void distributed_query_cancel(DistributedQuery *query, Status owned_reason)
{
    fail(query, owned_reason);
}

bool distributed_query_wait(DistributedQuery *query, int64_t timeout_us)
{
    int64_t deadline = clock_monotonic_us() + timeout_us;
    mutex_lock(&query->mutex);
    while (query->open_count > 0 || query->cancel_count > 0) {
        int64_t left = deadline - clock_monotonic_us();
        if (left <= 0) {
            break;
        }
        condition_wait(&query->ended, &query->mutex, left);
    }
    bool has_ended = query->open_count == 0 && query->cancel_count == 0;
    mutex_unlock(&query->mutex);
    if (!has_ended) {
        cancel_again(query);
    }
    return has_ended;
}

Status distributed_query_status(DistributedQuery *query)
{
    mutex_lock(&query->mutex);
    Status status = query->failure == STATUS_OK ? STATUS_OK : status_copy(query->failure);
    mutex_unlock(&query->mutex);
    return status;
}

Status distributed_query_enlist(const DistributedQuery *query, Txn *txn)
{
    Status status = STATUS_OK;
    for (uint32_t i = 0; i < query->node_count; i++) {
        status = status_first(status,
                              txn_add_participant(txn, query->nodes[i], query->calls[i].greeting));
    }
    return status;
}

void distributed_query_note_votes(const DistributedQuery *query, Txn *txn)
{
    NodeVote votes[MESSAGE_NODES_MAX];
    for (uint32_t i = 0; i < query->node_count; i++) {
        const RunReply *reply = &query->calls[i].reply.run;
        votes[i] = (NodeVote){.node = query->nodes[i],
                              .has_writes = reply->has_writes,
                              .redo = {.data = reply->redo, .bytes = reply->redo_bytes}};
    }
    if (query->is_voting) {
        txn_note_votes(txn, votes, query->node_count);
    }
}

void distributed_query_visit_writes(DistributedQuery *query,
                                    void (*visit)(void *object, const uint8_t *data, size_t bytes),
                                    void *object)
{
    for (uint32_t i = 0; i < query->node_count; i++) {
        const RunReply *reply = &query->calls[i].reply.run;
        nodes_note_lease(query->services->nodes, query->nodes[i], reply->lease_left);
        if (reply->write_statistics_bytes > 0) {
            visit(object, reply->write_statistics, reply->write_statistics_bytes);
        }
    }
}

Status distributed_query_statistics(DistributedQuery *query, Arena *arena, PlanNodeStatistics **out,
                                    uint32_t *count)
{
    PlanNodeStatistics *parts[MESSAGE_NODES_MAX + 1] = {0};
    uint32_t counts[MESSAGE_NODES_MAX + 1] = {0};
    uint32_t total = 0;
    query_run_statistics(query->run, &parts[0], &counts[0]);
    total = counts[0];
    for (uint32_t i = 0; i < query->node_count; i++) {
        const RunReply *reply = &query->calls[i].reply.run;
        if (reply->statistics_bytes > 0) {
            TRY(plan_statistics_decode(reply->statistics, reply->statistics_bytes, arena,
                                       &parts[i + 1], &counts[i + 1]));
            total += counts[i + 1];
        }
    }
    *out = ARENA_ARRAY(arena, PlanNodeStatistics, total + 1);
    *count = 0;
    for (uint32_t i = 0; i <= query->node_count; i++) {
        for (uint32_t j = 0; j < counts[i]; j++) {
            (*out)[(*count)++] = parts[i][j];
        }
    }
    return STATUS_OK;
}

uint64_t distributed_query_leader_rows(const DistributedQuery *query)
{
    return query_run_received_rows(query->run);
}

void distributed_query_destroy(DistributedQuery *query)
{
    if (query == NULL) {
        return;
    }
    if (!distributed_query_wait(query, 0)) {
        distributed_query_cancel(
            query, status_error(SQLSTATE_QUERY_CANCELED, "the statement was abandoned"));
    }
    while (!distributed_query_wait(query, END_WAIT_US)) { // lost nodes end their calls in 2.5 s
        log_warn("query_end_slow", "open=%u", query->open_count);
    }
    for (uint32_t i = 0; i < query->node_count; i++) {
        nodes_call_wait(&query->calls[i]); // the callback has left the call
        if (query->cancels[i].nodes != NULL) {
            nodes_call_wait(&query->cancels[i]);
        }
    }
    query_run_destroy(query->run);
    query_context_deinit(&query->context);
    stream_hub_end_query(query->services->hub, query->query_id);
    memory_budget_destroy(query->budget);
    status_free(query->failure);
    condition_deinit(&query->ended);
    mutex_deinit(&query->mutex);
    arena_destroy(query->arena);
}

/* ---- blocks of COPY text ---- */

static void block_wake(void *object)
{
    BlockSender *sender = object;
    mutex_lock(&sender->mutex);
    sender->is_woken = true;
    condition_signal(&sender->ready);
    mutex_unlock(&sender->mutex);
}

Status block_sender_open(DistributedQuery *query, uint32_t exchange_id, BlockSender **out)
{
    BlockSender *sender = ARENA_NEW(query->arena, BlockSender);
    sender->query = query;
    sender->senders = ARENA_ARRAY(query->arena, StreamSender *, query->node_count + 1);
    mutex_init(&sender->mutex, MUTEX_RANK_QUEUE);
    condition_init(&sender->ready);
    for (uint32_t i = 0; i < query->node_count; i++) {
        StreamKey key = {
            .query_id = query->query_id, .exchange_id = exchange_id, .target = query->nodes[i]};
        Waker waker = {.wake = block_wake, .object = sender};
        Status status = stream_sender_open(query->services->hub, &key, true, query->budget, waker,
                                           &sender->senders[i]);
        if (status != STATUS_OK) {
            block_sender_close(sender);
            return status;
        }
        sender->sender_count++;
    }
    *out = sender;
    return STATUS_OK;
}

/* The next sender in turn that has credit; waits until one has, or the query fails. */
static Status block_sender_choose(BlockSender *sender, StreamSender **out)
{
    for (;;) {
        for (uint32_t i = 0; i < sender->sender_count; i++) {
            StreamSender *candidate = sender->senders[(sender->turn + i) % sender->sender_count];
            if (stream_sender_is_ready(candidate)) {
                sender->turn = (sender->turn + i + 1) % sender->sender_count;
                *out = candidate;
                return STATUS_OK;
            }
        }
        mutex_lock(&sender->mutex);
        if (!sender->is_woken) {
            condition_wait(&sender->ready, &sender->mutex, 100000);
        }
        sender->is_woken = false;
        mutex_unlock(&sender->mutex);
        TRY(distributed_query_status(sender->query));
    }
}

Status block_sender_send(BlockSender *sender, const void *data, size_t bytes)
{
    StreamSender *chosen = NULL;
    TRY(distributed_query_status(sender->query));
    TRY(block_sender_choose(sender, &chosen));
    return stream_sender_send_bytes(chosen, data, bytes);
}

Status block_sender_finish(BlockSender *sender)
{
    for (uint32_t i = 0; i < sender->sender_count; i++) {
        TRY(stream_sender_finish(sender->senders[i]));
    }
    return STATUS_OK;
}

void block_sender_close(BlockSender *sender)
{
    if (sender == NULL) {
        return;
    }
    for (uint32_t i = 0; i < sender->sender_count; i++) {
        stream_sender_close(sender->senders[i]);
    }
    condition_deinit(&sender->ready);
    mutex_deinit(&sender->mutex);
}
