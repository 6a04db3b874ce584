/* node.c — the life of a compute node: start, requests, beats, stop. */
#include "compute/node/node_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/crypto.h"
#include "base/log.h"

#define REQUEST_BYTES_MAX (1u << 24)
#define HORIZON_US 200000
#define STOP_TICK_US 50000
#define STOP_SLOW_US 5000000

void node_reply(Node *node, TransportRequest *owned_request, const Reply *reply)
{
    ByteBuffer bytes;
    byte_buffer_init(&bytes, REQUEST_BYTES_MAX);
    reply_encode(reply, &bytes);
    node->transport->ops->reply(owned_request, bytes.data, bytes.is_failed ? 0 : bytes.bytes);
    byte_buffer_deinit(&bytes);
}

void node_reply_status(Node *node, TransportRequest *owned_request, MessageKind kind,
                       Status owned_status)
{
    if (owned_status != STATUS_OK) {
        owned_status = status_with_node(owned_status, node->node_id);
    }
    Reply reply = {.kind = kind, .status = owned_status};
    node_reply(node, owned_request, &reply);
    status_free(owned_status);
}

/* Whether this process may act on the request; if so it counts until `leave`. */
static Status admit(Node *node, const Request *request)
{
    mutex_lock(&node->mutex);
    uint64_t epoch = node->epoch;
    bool is_stopping = __atomic_load_n(&node->is_stopping, __ATOMIC_ACQUIRE);
    bool is_current = !is_stopping && request->epoch == epoch && node->greeting != 0 &&
                      request->greeting == node->greeting && node->store != NULL;
    node->request_count += is_current && request->kind != MESSAGE_HELLO;
    mutex_unlock(&node->mutex);
    if (is_stopping) {
        return status_error(SQLSTATE_ADMIN_SHUTDOWN, "the node is shutting down");
    }
    if (request->epoch < epoch) {
        return status_error(SQLSTATE_OBJECT_NOT_IN_PREREQUISITE_STATE,
                            "request of epoch %lu, this node is at %lu",
                            (unsigned long)request->epoch, (unsigned long)epoch);
    }
    if (request->kind != MESSAGE_HELLO && !is_current) {
        return status_error(SQLSTATE_CANNOT_CONNECT_NOW, "the node has not joined yet");
    }
    return STATUS_OK;
}

static void leave(Node *node)
{
    mutex_lock(&node->mutex);
    node->request_count--;
    condition_broadcast(&node->idle);
    mutex_unlock(&node->mutex);
}

/* Rows dropped before the horizon can go; looked at now and then, and after each outcome. */
static void note_horizon(Node *node, const Request *request)
{
    int64_t now = clock_monotonic_us();
    mutex_lock(&node->mutex);
    bool is_due = request->horizon > node->horizon &&
                  (request->kind == MESSAGE_OUTCOME || now - node->horizon_us > HORIZON_US);
    if (is_due) {
        node->horizon = request->horizon;
        node->horizon_us = now;
    }
    mutex_unlock(&node->mutex);
    if (is_due) {
        store_set_horizon(node->store, request->horizon);
    }
}

/* Answers one request; RUN keeps it open and takes the arena. */
static void handle_request(Node *node, TransportRequest *owned_request)
{
    size_t bytes = 0;
    const uint8_t *data = node->transport->ops->request_data(owned_request, &bytes);
    Arena *arena = arena_create(NULL, "request");
    Request request = {0};
    Reply reply = {0};
    Status status = request_decode(data, bytes, arena, &request);
    if (status == STATUS_OK) {
        status = admit(node, &request);
    }
    bool is_counted = status == STATUS_OK && request.kind != MESSAGE_HELLO;
    if (status == STATUS_OK && request.kind != MESSAGE_HELLO) {
        status = node_apply_outcomes(node, &request);
        note_horizon(node, &request);
    }
    if (status == STATUS_OK && request.kind == MESSAGE_RUN) {
        node_run(node, owned_request, &request, arena); // counts as a run from here on
        leave(node);
        return;
    }
    if (status == STATUS_OK) {
        switch (request.kind) {
        case MESSAGE_HELLO:
            status = node_hello(node, &request, arena, &reply);
            break;
        case MESSAGE_CANCEL:
            node_cancel(node, request.cancel.query_id);
            break;
        case MESSAGE_PREPARE:
            status = node_prepare(node, &request.prepare);
            break;
        case MESSAGE_OUTCOME: // nothing follows at once that they could be written with
            status = store_write_outcomes(node->store);
            break;
        case MESSAGE_TRUNCATE:
            status = node_truncate(node, &request.truncate);
            break;
        case MESSAGE_ROLLBACK:
            status = store_rollback_statements(node->store, request.rollback.txn_id,
                                               request.rollback.statement);
            break;
        case MESSAGE_USAGE:
            status = node_usage(node, &request.usage, arena, &reply);
            break;
        case MESSAGE_RUN:
        case MESSAGE_BEAT:
        case MESSAGE_KIND_MAX:
            status = status_error(SQLSTATE_PROTOCOL_VIOLATION, "unexpected request \"%s\"",
                                  message_name(request.kind));
            break;
        }
    }
    if (is_counted) { // before the answer: what the leader says next must find us idle
        leave(node);
    }
    if (status != STATUS_OK) {
        node_reply_status(node, owned_request, request.kind, status);
    } else {
        reply.kind = request.kind;
        node_reply(node, owned_request, &reply);
    }
    arena_destroy(arena);
}

static void rest(Node *node)
{
    mutex_lock(&node->mutex);
    Store *store = node->store;
    mutex_unlock(&node->mutex);
    if (store != NULL) {
        store_rest(store);
    }
}

static void handler_main(void *object)
{
    Node *node = object;
    for (;;) {
        NodeWork *work = queue_pop(node->work, 1000000);
        if (work == NULL) {
            if (queue_is_closed(node->work)) {
                return;
            }
            rest(node);
            continue;
        }
        thread_set_context(node->node_id, 0);
        if (work->request != NULL) {
            handle_request(node, work->request);
        } else {
            node_run_ended(node, work->ended);
        }
        free(work);
    }
}

static void request_cb(void *object, TransportRequest *owned_request)
{
    Node *node = object;
    NodeWork *work = calloc(1, sizeof(*work));
    if (work != NULL) {
        work->request = owned_request;
        if (queue_push(node->work, work, 0)) {
            return;
        }
        free(work);
    }
    node->transport->ops->reply(owned_request, NULL, 0); // overloaded or stopping
}

static void leader_lost_cb(void *object)
{
    Node *node = object;
    __atomic_store_n(&node->leader_lost_us, clock_monotonic_us(), __ATOMIC_RELEASE);
}

static void send_beat(Node *node)
{
    Request request = {.kind = MESSAGE_BEAT};
    BeatMessage *beat = &request.beat;
    mutex_lock(&node->mutex);
    memcpy(beat->cluster_id, node->cluster_id, sizeof(beat->cluster_id));
    beat->node = node->node_id;
    request.epoch = beat->epoch = node->epoch;
    Store *store = node->store;
    mutex_unlock(&node->mutex);
    beat->boot_id = node->boot_id;
    beat->address = node->address;
    beat->memory_bytes = memory_budget_used_bytes(node->budget);
    beat->applied_position = store == NULL ? 0 : store_applied_position(store);
    status_ignore(node->host->files->ops->free_bytes(node->host->files, node->directory,
                                                     &beat->disk_free_bytes),
                  "a beat without the free space is still a beat");
    ByteBuffer bytes;
    byte_buffer_init(&bytes, 4096);
    request_encode(&request, &bytes);
    TransportMessage *message = NULL;
    Status status = byte_buffer_status(&bytes);
    if (status == STATUS_OK) {
        status = node->transport->ops->message_create(node->transport, bytes.bytes, &message);
    }
    if (status == STATUS_OK) {
        size_t size = 0;
        memcpy(node->transport->ops->message_data(message, &size), bytes.data, bytes.bytes);
        status = node->transport->ops->send(node->beat_link, message);
    }
    status_ignore(status, "the next beat follows in half a second");
    byte_buffer_deinit(&bytes);
}

static void beat_main(void *object)
{
    Node *node = object;
    while (!__atomic_load_n(&node->is_stopping, __ATOMIC_ACQUIRE)) {
        int64_t lost_us = __atomic_exchange_n(&node->leader_lost_us, 0, __ATOMIC_ACQ_REL);
        if (lost_us != 0) { // by now the next leader may have begun queries: they go on
            log_warn("leader_lost", "node=%u", node->node_id);
            Status reason = status_error(SQLSTATE_CONNECTION_FAILURE, "lost the leader");
            node_cancel_all(node, lost_us, reason);
            status_free(reason);
        }
        node_check_deadlines(node);
        send_beat(node);
        node->host->clock.ops->sleep_us(node->host->clock.self, BEAT_INTERVAL_US);
    }
}

static Status start(Node *node)
{
    char address[CLUSTER_ADDRESS_BYTES];
    TRY(file_make_directory(node->host->files, node->directory));
    TRY(node_read_identity(node));
    if (node->node_id != 0) {
        TRY(node_open_store(node)); // so that damage is reported at start, not at the first query
    }
    for (uint32_t i = 0; i < NODE_THREADS; i++) {
        TRY(thread_start(&node->threads[i], "node", -1, handler_main, node));
    }
    TRY(cluster_address(node->address, ADDRESS_CONTROL, address));
    TRY(node->transport->ops->serve(node->transport, address, NODE_REQUESTS_MAX, request_cb, node,
                                    &node->server));
    TRY(cluster_address(node->leader_address, ADDRESS_CONTROL, address));
    TRY(node->transport->ops->link_open(node->transport, address, leader_lost_cb, node,
                                        &node->beat_link));
    return thread_start(&node->beat_thread, "beat", -1, beat_main, node);
}

Status node_create(const NodeOptions *options, Node **out)
{
    Node *node = calloc(1, sizeof(*node));
    if (node == NULL) {
        return status_error(SQLSTATE_OUT_OF_MEMORY, "no memory for a node");
    }
    node->host = options->host;
    node->transport = options->transport;
    node->port = options->port;
    node->is_local = options->is_local;
    node->cache_bytes = options->cache_bytes;
    node->budget = memory_budget_create(NULL, options->host->budget, "node", options->memory_bytes);
    node->map_arena = arena_create(NULL, "node map");
    node->directory = arena_strdup(node->map_arena, options->directory);
    node->address = arena_strdup(node->map_arena, options->address);
    node->leader_address = arena_strdup(node->map_arena, options->leader_address);
    node->spill_directory = arena_printf(node->map_arena, "%s/spill", options->directory);
    node->work = queue_create("node work", NODE_REQUESTS_MAX * 4);
    mutex_init(&node->mutex, MUTEX_RANK_MEMBERSHIP);
    condition_init(&node->idle);
    Status status = node->budget == NULL
                        ? status_error(SQLSTATE_OUT_OF_MEMORY, "no memory for a node")
                        : crypto_random(&node->boot_id, sizeof(node->boot_id));
    if (status == STATUS_OK) {
        status = start(node);
    }
    if (status != STATUS_OK) {
        node_destroy(node);
        return status;
    }
    *out = node;
    return STATUS_OK;
}

bool node_is_ready(const Node *node)
{
    Node *mutable = (Node *)node;
    mutex_lock(&mutable->mutex);
    bool is_ready = node->epoch != 0 && node->store != NULL;
    mutex_unlock(&mutable->mutex);
    return is_ready;
}

/* Until nothing runs any more: what is destroyed afterwards is used by it. A run that was admitted
 * just before may enter the list late, so that all are cancelled again and again. */
static void end_all_work(Node *node)
{
    Status reason = status_error(SQLSTATE_ADMIN_SHUTDOWN, "the node is shutting down");
    int64_t slow_us = clock_monotonic_us() + STOP_SLOW_US;
    uint32_t left = 0;
    do {
        node_cancel_all(node, INT64_MAX, reason);
        mutex_lock(&node->mutex);
        left = node->run_count + node->request_count;
        if (left > 0) {
            condition_wait(&node->idle, &node->mutex, STOP_TICK_US);
            left = node->run_count + node->request_count;
        }
        mutex_unlock(&node->mutex);
        if (left > 0 && clock_monotonic_us() > slow_us) {
            log_warn("stop_is_slow", "node=%u requests=%u", node->node_id, left);
            slow_us += STOP_SLOW_US;
        }
    } while (left > 0);
    status_free(reason);
}

void node_destroy(Node *node)
{
    if (node == NULL) {
        return;
    }
    mutex_lock(&node->mutex); // with it: a request was admitted before, and is waited for, or never
    __atomic_store_n(&node->is_stopping, true, __ATOMIC_RELEASE);
    mutex_unlock(&node->mutex);
    thread_join(&node->beat_thread);
    end_all_work(node);
    queue_close(node->work);
    for (uint32_t i = 0; i < NODE_THREADS; i++) {
        thread_join(&node->threads[i]);
    }
    if (node->server != NULL) {
        node->transport->ops->server_close(node->server);
    }
    if (node->beat_link != NULL) {
        node->transport->ops->link_close(node->beat_link);
    }
    stream_hub_destroy(node->hub);
    store_close(node->store);
    queue_destroy(node->work);
    memory_budget_destroy(node->budget);
    condition_deinit(&node->idle);
    mutex_deinit(&node->mutex);
    arena_destroy(node->map_arena);
    free(node);
}
