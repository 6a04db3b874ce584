/*
 * node_calls.c — calls to nodes: outcomes out with the request, acknowledged by a good answer.
 *
 * A call belongs to one greeting of its node. One that was begun under an earlier greeting is
 * refused here or there: the node has forgotten what it may build upon.
 */
#include <string.h>

#include "leader/membership/nodes_internal.h"

#define REQUEST_BYTES_MAX (15u << 20)

/* The end of a call, as its user reads it: nodes have numbers, and the membership knows better than
 * the transport; what that said is the detail. */
static Status describe_failure(Nodes *nodes, const NodeCall *call, Status owned_status)
{
    mutex_lock(&nodes->mutex);
    const NodeEntry *entry = &nodes->entries[call->node];
    bool is_gone = entry->state == NODE_ABSENT || entry->greeting != call->greeting;
    bool is_broken = !is_gone && entry->is_broken; // the membership thread has not looked yet
    const char *why = is_broken ? "its connection ended" : is_gone ? entry->why_absent : NULL;
    mutex_unlock(&nodes->mutex);
    Status status = why != NULL ? status_error(SQLSTATE_CONNECTION_FAILURE, "node %u was lost: %s",
                                               call->node, why)
                                : status_error(SQLSTATE_CONNECTION_FAILURE,
                                               "node %u did not answer", call->node);
    status = status_with_detail(status, "%s", status_message(owned_status));
    status_free(owned_status);
    return status_with_hint(status, "run the statement again; a node rejoins by itself as soon as "
                                    "its process is back, svv_cluster_nodes shows it");
}

static void end_call(Nodes *nodes, NodeCall *call)
{
    if (call->done != NULL) {
        call->done(call->object, call);
    }
    mutex_lock(&nodes->mutex);
    call->is_done = true; // from here on the call may be gone
    condition_broadcast(&nodes->done);
    mutex_unlock(&nodes->mutex);
}

static void call_done_cb(void *object, Status owned_status, const uint8_t *data, size_t bytes)
{
    NodeCall *call = object;
    Nodes *nodes = call->nodes;
    if (owned_status != STATUS_OK) {
        owned_status = describe_failure(nodes, call, owned_status);
    } else if (bytes == 0) {
        owned_status = status_error(SQLSTATE_CONNECTION_FAILURE,
                                    "node %u is overloaded or stopping", call->node);
    } else {
        uint8_t *copy = arena_memdup(call->arena, data, bytes);
        owned_status = reply_decode(copy, bytes, call->arena, &call->reply);
    }
    if (owned_status != STATUS_OK) {
        call->reply.status = status_with_node(owned_status, call->node);
    }
    // An error may mean that the request was refused before its outcomes were applied: they are
    // told again, which is harmless; forgetting one would lose a commit.
    if (call->reply.status == STATUS_OK) {
        const Acknowledgement acknowledgement = {
            .node = call->node,
            .greeting = call->greeting,
            .outcomes = call->outcomes,
            .count = call->outcome_count,
            .is_durable = call->kind == MESSAGE_OUTCOME, // the node has synced before its answer
            .mark = call->told_mark};
        commit_log_acknowledge(nodes->options.log, &acknowledgement);
    }
    end_call(nodes, call);
}

/* Finds the peer, which stays until `release_peer`, and names the greeting the call belongs to. */
static Status take_peer(Nodes *nodes, NodeCall *call, Request *request, TransportPeer **peer)
{
    Status status = STATUS_OK;
    bool is_greeting = request->kind == MESSAGE_HELLO || request->kind == MESSAGE_OUTCOME;
    mutex_lock(&nodes->mutex);
    NodeEntry *entry = &nodes->entries[call->node];
    bool is_reachable = entry->peer != NULL && !entry->is_broken;
    if (!is_reachable || (entry->state != NODE_READY && !is_greeting)) {
        status =
            status_error(SQLSTATE_CANNOT_CONNECT_NOW, "node %u is not available: %s", call->node,
                         entry->why_absent == NULL ? "it has not joined yet" : entry->why_absent);
    } else if (call->greeting != 0 && call->greeting != entry->greeting) {
        status = status_error(SQLSTATE_CONNECTION_FAILURE,
                              "node %u was lost in the meantime: %s", call->node,
                              entry->why_absent == NULL ? "it has rejoined" : entry->why_absent);
    } else {
        *peer = entry->peer;
        entry->starting_count++;
        request->greeting = call->greeting = entry->greeting;
    }
    mutex_unlock(&nodes->mutex);
    return status;
}

static void release_peer(Nodes *nodes, uint32_t node)
{
    mutex_lock(&nodes->mutex);
    nodes->entries[node].starting_count--;
    condition_broadcast(&nodes->done);
    mutex_unlock(&nodes->mutex);
}

void nodes_call_start(Nodes *nodes, NodeCall *call, Request *request, int64_t timeout_us)
{
    ByteBuffer bytes;
    byte_buffer_init(&bytes, REQUEST_BYTES_MAX);
    call->nodes = nodes;
    call->is_done = false;
    request->epoch = commit_log_epoch(nodes->options.log);
    request->horizon = commit_log_horizon(nodes->options.log);
    call->kind = request->kind;
    call->told_mark = commit_log_told_mark(nodes->options.log);
    // A node that is greeted may have lost what it had heard.
    commit_log_pending(nodes->options.log, call->node, request->kind == MESSAGE_HELLO, call->arena,
                       &call->outcomes, &call->outcome_count);
    request->outcomes = call->outcomes;
    request->outcome_count = call->outcome_count;
    uint32_t node = call->node; // the call may be gone once it was made
    TransportPeer *peer = NULL;
    Status status = take_peer(nodes, call, request, &peer);
    if (status == STATUS_OK) {
        request_encode(request, &bytes);
        status = byte_buffer_status(&bytes);
    }
    if (status == STATUS_OK) {
        nodes->options.transport->ops->call(peer, bytes.data, bytes.bytes, timeout_us,
                                            call_done_cb, call);
    } else {
        call->reply.status = status_with_node(status, node);
        end_call(nodes, call);
    }
    if (peer != NULL) {
        release_peer(nodes, node);
    }
    byte_buffer_deinit(&bytes);
}

void nodes_call_wait(NodeCall *call)
{
    mutex_lock(&call->nodes->mutex);
    while (!call->is_done) { // ends: the transport times every call out
        condition_wait(&call->nodes->done, &call->nodes->mutex, 1000000);
    }
    mutex_unlock(&call->nodes->mutex);
}

Status nodes_call_all(Nodes *nodes, const NodeSet *set, Request *request, int64_t timeout_us,
                      Arena *arena, NodeCall **calls)
{
    NodeCall *started = ARENA_ARRAY(arena, NodeCall, set->count + 1);
    for (uint32_t i = 0; i < set->count; i++) {
        started[i].node = set->nodes[i];
        started[i].greeting = set->greetings == NULL ? 0 : set->greetings[i];
        started[i].arena = arena_create(arena, "node call");
    }
    for (uint32_t i = 0; i < set->count; i++) {
        nodes_call_start(nodes, &started[i], request, timeout_us);
    }
    Status status = STATUS_OK;
    for (uint32_t i = 0; i < set->count; i++) {
        nodes_call_wait(&started[i]);
        status = status_first(status, started[i].reply.status);
        started[i].reply.status = STATUS_OK;
    }
    if (calls != NULL) {
        *calls = started;
    }
    return status;
}

