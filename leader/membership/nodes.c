/*
 * nodes.c — membership: beats in, HELLOs out, calls in between.
 *
 * Beats are queued by the network thread and handled by the membership thread, which also looks
 * for silent nodes; greeting a node blocks only that thread.
 */
#include "leader/membership/nodes.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mutex.h"
#include "base/queue.h"
#include "base/thread.h"

#define BEATS_MAX 4096
#define REQUEST_BYTES_MAX (15u << 20)
#define LEASE_LOW 256u
#define LEASE_COUNT 4096u
#define HELLO_TIMEOUT_US 10000000
#define TICK_US 200000

typedef enum NodeState { NODE_ABSENT, NODE_GREETED, NODE_READY } NodeState;

typedef struct NodeEntry {
    NodeState state;
    char *address;
    uint64_t boot_id;
    int64_t last_beat_us;
    uint64_t lease_left, applied_position, disk_free_bytes, memory_bytes;
    TransportPeer *peer;
    uint32_t call_count; /* open calls: the peer stays until they end */
} NodeEntry;

struct Nodes {
    NodesOptions options;
    uint32_t node_count;
    TransportInbox *inbox;
    Queue *beats;
    Thread thread;
    bool is_stopping; /* atomic */
    Mutex mutex;      /* guards the entries */
    Condition done;   /* a call has ended */
    NodeEntry entries[MESSAGE_NODES_MAX + 1];
};

static void beat_cb(void *object, TransportMessage *owned_message)
{
    Nodes *nodes = object;
    if (!queue_push(nodes->beats, owned_message, 0)) {
        nodes->options.transport->ops->message_destroy(owned_message); // the next one comes soon
    }
}

/* ---- calls ---- */

static void call_done_cb(void *object, Status owned_status, const uint8_t *data, size_t bytes)
{
    NodeCall *call = object;
    Nodes *nodes = call->nodes;
    if (owned_status == STATUS_OK && bytes == 0) {
        owned_status = status_error(SQLSTATE_CONNECTION_FAILURE,
                                    "node %u is overloaded or stopping", call->node);
    }
    if (owned_status == STATUS_OK) {
        uint8_t *copy = arena_memdup(call->arena, data, bytes);
        owned_status = reply_decode(copy, bytes, call->arena, &call->reply);
        commit_log_acknowledge(nodes->options.log, call->node, call->outcomes, call->outcome_count);
    }
    if (owned_status != STATUS_OK) {
        call->reply.status = status_with_node(owned_status, call->node);
    }
    void (*done)(void *, NodeCall *) = call->done;
    void *done_object = call->object;
    if (done != NULL) {
        done(done_object, call);
    }
    mutex_lock(&nodes->mutex);
    nodes->entries[call->node].call_count--;
    call->is_done = true; // from here on the call may be gone
    condition_broadcast(&nodes->done);
    mutex_unlock(&nodes->mutex);
}

static Status call_peer(Nodes *nodes, NodeCall *call, const Request *request, TransportPeer **peer,
                        ByteBuffer *bytes)
{
    request_encode(request, bytes);
    TRY(byte_buffer_status(bytes));
    mutex_lock(&nodes->mutex);
    NodeEntry *entry = &nodes->entries[call->node];
    bool is_callable =
        entry->peer != NULL && (entry->state == NODE_READY || request->kind == MESSAGE_HELLO ||
                                request->kind == MESSAGE_OUTCOME);
    if (is_callable) {
        *peer = entry->peer;
        entry->call_count++;
    }
    mutex_unlock(&nodes->mutex);
    return is_callable
               ? STATUS_OK
               : status_error(SQLSTATE_CANNOT_CONNECT_NOW, "node %u is not available", call->node);
}

void nodes_call_start(Nodes *nodes, NodeCall *call, Request *request, int64_t timeout_us)
{
    ByteBuffer bytes;
    byte_buffer_init(&bytes, REQUEST_BYTES_MAX);
    call->nodes = nodes;
    call->is_done = false;
    request->epoch = commit_log_epoch(nodes->options.log);
    commit_log_pending(nodes->options.log, call->node, call->arena, &call->outcomes,
                       &call->outcome_count);
    request->outcomes = call->outcomes;
    request->outcome_count = call->outcome_count;
    TransportPeer *peer = NULL;
    Status status = call_peer(nodes, call, request, &peer, &bytes);
    if (status != STATUS_OK) {
        call->reply.status = status_with_node(status, call->node);
        byte_buffer_deinit(&bytes);
        if (call->done != NULL) {
            call->done(call->object, call);
        }
        mutex_lock(&nodes->mutex);
        call->is_done = true;
        condition_broadcast(&nodes->done);
        mutex_unlock(&nodes->mutex);
        return;
    }
    nodes->options.transport->ops->call(peer, bytes.data, bytes.bytes, timeout_us, call_done_cb,
                                        call);
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

Status nodes_call_all(Nodes *nodes, const uint32_t *node_ids, uint32_t node_count, Request *request,
                      int64_t timeout_us, Arena *arena, NodeCall **calls)
{
    NodeCall *started = ARENA_ARRAY(arena, NodeCall, node_count + 1);
    for (uint32_t i = 0; i < node_count; i++) {
        started[i].node = node_ids[i];
        started[i].arena = arena_create(arena, "node call");
    }
    for (uint32_t i = 0; i < node_count; i++) {
        nodes_call_start(nodes, &started[i], request, timeout_us);
    }
    Status status = STATUS_OK;
    for (uint32_t i = 0; i < node_count; i++) {
        nodes_call_wait(&started[i]);
        status = status_first(status, started[i].reply.status);
        started[i].reply.status = STATUS_OK;
    }
    if (calls != NULL) {
        *calls = started;
    }
    return status;
}

/* ---- membership ---- */

/* Which node a beat comes from: its own claim, its old address, or the first free place. */
static uint32_t identify(Nodes *nodes, const BeatMessage *beat)
{
    if (beat->node != 0) {
        bool is_ours = memcmp(beat->cluster_id, commit_log_cluster_id(nodes->options.log), 16) == 0;
        return is_ours && beat->node <= nodes->node_count ? beat->node : 0;
    }
    for (uint32_t i = 1; i <= nodes->node_count; i++) {
        if (nodes->entries[i].address != NULL &&
            strcmp(nodes->entries[i].address, beat->address) == 0) {
            return i;
        }
    }
    for (uint32_t i = 1; i <= nodes->node_count; i++) {
        if (nodes->entries[i].address == NULL) {
            return i;
        }
    }
    return 0;
}

static void lose(Nodes *nodes, uint32_t node, const char *why)
{
    NodeEntry *entry = &nodes->entries[node];
    mutex_lock(&nodes->mutex);
    bool was_ready = entry->state == NODE_READY;
    entry->state = NODE_ABSENT;
    TransportPeer *peer = entry->peer;
    entry->peer = NULL;
    mutex_unlock(&nodes->mutex);
    if (peer != NULL) {
        nodes->options.transport->ops->peer_close(peer); // ends its open calls with 08006
    }
    if (was_ready) {
        log_warn("node_lost", "lost_node=%u reason=\"%s\"", node, why);
        cluster_port_endpoint_lost(nodes->options.port, node);
        Status reason = status_with_node(
            status_error(SQLSTATE_CONNECTION_FAILURE, "node %u was lost: %s", node, why), node);
        nodes->options.lost(nodes->options.object, node, reason);
        status_free(reason);
    }
}

static void fill_hello(Nodes *nodes, uint32_t node, Arena *arena, HelloMessage *hello)
{
    CommitLog *log = nodes->options.log;
    memcpy(hello->cluster_id, commit_log_cluster_id(log), sizeof(hello->cluster_id));
    hello->node = node;
    hello->node_count = nodes->node_count;
    hello->map_epoch = commit_log_map_epoch(log);
    catalog_version_unpin(commit_log_snapshot(log, &hello->position));
    hello->txn_floor = TXN_ID_FIRST(commit_log_epoch(log));
    hello->slices = (MessageSlice *)commit_log_slices(log, &hello->slice_count);
    hello->peers = ARENA_ARRAY(arena, MessagePeer, nodes->node_count + 2);
    if (nodes->options.is_local) {
        return;
    }
    hello->peers[hello->peer_count++] =
        (MessagePeer){.endpoint = 0, .address = nodes->options.address};
    for (uint32_t i = 1; i <= nodes->node_count; i++) {
        if (i != node && nodes->entries[i].address != NULL) {
            hello->peers[hello->peer_count++] = (MessagePeer){
                .endpoint = i, .address = arena_strdup(arena, nodes->entries[i].address)};
        }
    }
}

static Status call_hello(Nodes *nodes, uint32_t node, Arena *arena, Reply *reply)
{
    NodeCall call = {.node = node, .arena = arena};
    Request request = {.kind = MESSAGE_HELLO};
    fill_hello(nodes, node, arena, &request.hello);
    if (nodes->entries[node].lease_left < LEASE_LOW) {
        TRY(commit_log_lease_rowsets(nodes->options.log, LEASE_COUNT, &request.hello.lease_first));
        request.hello.lease_count = LEASE_COUNT;
    }
    nodes_call_start(nodes, &call, &request, HELLO_TIMEOUT_US);
    nodes_call_wait(&call);
    *reply = call.reply;
    return call.reply.status;
}

/* Tells a node that has prepared transactions without a known outcome what became of them. */
static Status settle(Nodes *nodes, uint32_t node, const HelloReply *hello, Arena *arena)
{
    uint64_t own_floor = TXN_ID_FIRST(commit_log_epoch(nodes->options.log));
    NodeCall call = {.node = node, .arena = arena};
    Request request = {.kind = MESSAGE_OUTCOME};
    bool has_any = false;
    for (uint32_t i = 0; i < hello->prepared_count; i++) {
        if (hello->prepared[i] >= own_floor) {
            continue; // of this leader: its session decides
        }
        Outcome outcome;
        TRY(commit_log_outcome(nodes->options.log, hello->prepared[i], &outcome));
        if (outcome.state == OUTCOME_ABORTED) {
            commit_log_abort(nodes->options.log, outcome.txn_id, &node, 1);
        } // a committed one is in the pending list already
        has_any = true;
    }
    if (!has_any) {
        return STATUS_OK;
    }
    nodes_call_start(nodes, &call, &request, HELLO_TIMEOUT_US);
    nodes_call_wait(&call);
    return call.reply.status;
}

/* A new node's address must reach the nodes greeted before it. */
static void spread_addresses(Nodes *nodes, uint32_t newest, Arena *arena)
{
    for (uint32_t i = 1; i <= nodes->node_count && !nodes->options.is_local; i++) {
        if (i != newest && nodes->entries[i].state == NODE_READY) {
            Reply reply = {0};
            status_ignore(call_hello(nodes, i, arena, &reply), "it is greeted again when it fails");
        }
    }
}

static Status greet(Nodes *nodes, uint32_t node, const BeatMessage *beat, Arena *arena)
{
    NodeEntry *entry = &nodes->entries[node];
    Transport *transport = nodes->options.transport;
    if (entry->address == NULL || strcmp(entry->address, beat->address) != 0) {
        TRY(commit_log_set_node_address(nodes->options.log, node, beat->address));
        mutex_lock(&nodes->mutex);
        free(entry->address);
        entry->address = strdup(beat->address);
        mutex_unlock(&nodes->mutex);
    }
    char address[CLUSTER_ADDRESS_BYTES];
    TRY(cluster_address(beat->address, ADDRESS_CONTROL, address));
    TransportPeer *peer = NULL;
    TRY(transport->ops->peer_open(transport, address, &peer));
    mutex_lock(&nodes->mutex);
    entry->peer = peer;
    entry->state = NODE_GREETED;
    entry->lease_left = 0;
    mutex_unlock(&nodes->mutex);
    if (!nodes->options.is_local) {
        TRY(cluster_port_connect(nodes->options.port, node, beat->address));
    }
    Reply reply = {0};
    TRY(call_hello(nodes, node, arena, &reply));
    TRY(settle(nodes, node, &reply.hello, arena));
    spread_addresses(nodes, node, arena); // before any fragment can send to it
    mutex_lock(&nodes->mutex);
    entry->state = NODE_READY;
    entry->boot_id = beat->boot_id;
    entry->lease_left = reply.hello.lease_left;
    mutex_unlock(&nodes->mutex);
    log_info("node_ready", "ready_node=%u address=%s", node, beat->address);
    return STATUS_OK;
}

static void handle_beat(Nodes *nodes, const BeatMessage *beat, Arena *arena)
{
    uint32_t node = identify(nodes, beat);
    if (node == 0) {
        log_warn("beat_refused", "address=%s claimed_node=%u", beat->address, beat->node);
        return;
    }
    NodeEntry *entry = &nodes->entries[node];
    mutex_lock(&nodes->mutex);
    entry->last_beat_us = clock_monotonic_us();
    entry->applied_position = beat->applied_position;
    entry->disk_free_bytes = beat->disk_free_bytes;
    entry->memory_bytes = beat->memory_bytes;
    bool is_known = entry->state == NODE_READY && entry->boot_id == beat->boot_id;
    mutex_unlock(&nodes->mutex);
    if (is_known) {
        return;
    }
    lose(nodes, node, "it has restarted");
    Status status = greet(nodes, node, beat, arena);
    if (status != STATUS_OK) {
        log_status(LOG_WARN, "greeting_failed", status);
        status_free(status);
        lose(nodes, node, "greeting failed");
    }
}

static void look_for_silent(Nodes *nodes)
{
    int64_t now = clock_monotonic_us();
    for (uint32_t i = 1; i <= nodes->node_count; i++) {
        mutex_lock(&nodes->mutex);
        bool is_silent = nodes->entries[i].state == NODE_READY &&
                         now - nodes->entries[i].last_beat_us > NODE_DEAD_US;
        mutex_unlock(&nodes->mutex);
        if (is_silent) {
            lose(nodes, i, "no heartbeat for 2.5 s");
        }
    }
}

static void membership_main(void *object)
{
    Nodes *nodes = object;
    Transport *transport = nodes->options.transport;
    while (!__atomic_load_n(&nodes->is_stopping, __ATOMIC_ACQUIRE)) {
        TransportMessage *message = queue_pop(nodes->beats, TICK_US);
        if (message != NULL) {
            Arena *arena = arena_create(NULL, "beat");
            size_t bytes = 0;
            const uint8_t *data = transport->ops->message_data(message, &bytes);
            Request request;
            Status status = request_decode(data, bytes, arena, &request);
            if (status == STATUS_OK && request.kind == MESSAGE_BEAT) {
                handle_beat(nodes, &request.beat, arena);
            }
            status_ignore(status, "whatever this was, it was no beat of ours");
            transport->ops->message_destroy(message);
            arena_destroy(arena);
        }
        look_for_silent(nodes);
    }
}

Status nodes_create(const NodesOptions *options, Nodes **out)
{
    Nodes *nodes = calloc(1, sizeof(*nodes));
    if (nodes == NULL) {
        return status_error(SQLSTATE_OUT_OF_MEMORY, "no memory for the membership");
    }
    nodes->options = *options;
    nodes->node_count = commit_log_node_count(options->log);
    nodes->beats = queue_create("beats", BEATS_MAX);
    mutex_init(&nodes->mutex, MUTEX_RANK_MEMBERSHIP);
    condition_init(&nodes->done);
    for (uint32_t i = 1; i <= nodes->node_count; i++) {
        const char *address = commit_log_node_address(options->log, i);
        nodes->entries[i].address = address[0] == '\0' ? NULL : strdup(address);
    }
    char address[CLUSTER_ADDRESS_BYTES];
    Status status = cluster_address(options->address, ADDRESS_CONTROL, address);
    if (status == STATUS_OK) {
        status = options->transport->ops->inbox_open(options->transport, address, beat_cb, nodes,
                                                     &nodes->inbox);
    }
    if (status == STATUS_OK) {
        status = thread_start(&nodes->thread, "membership", -1, membership_main, nodes);
    }
    if (status != STATUS_OK) {
        nodes_destroy(nodes);
        return status;
    }
    *out = nodes;
    return STATUS_OK;
}

void nodes_destroy(Nodes *nodes)
{
    if (nodes == NULL) {
        return;
    }
    Transport *transport = nodes->options.transport;
    __atomic_store_n(&nodes->is_stopping, true, __ATOMIC_RELEASE);
    thread_join(&nodes->thread);
    transport->ops->inbox_close(nodes->inbox);
    queue_close(nodes->beats);
    TransportMessage *message = NULL;
    while ((message = queue_pop(nodes->beats, 0)) != NULL) {
        transport->ops->message_destroy(message);
    }
    for (uint32_t i = 1; i <= nodes->node_count; i++) {
        transport->ops->peer_close(nodes->entries[i].peer);
        free(nodes->entries[i].address);
    }
    queue_destroy(nodes->beats);
    condition_deinit(&nodes->done);
    mutex_deinit(&nodes->mutex);
    free(nodes);
}

Status nodes_check_ready(Nodes *nodes)
{
    Status status = STATUS_OK;
    mutex_lock(&nodes->mutex);
    for (uint32_t i = 1; status == STATUS_OK && i <= nodes->node_count; i++) {
        if (nodes->entries[i].state != NODE_READY) {
            status = status_error(SQLSTATE_CANNOT_CONNECT_NOW, "node %u is not available", i);
        }
    }
    mutex_unlock(&nodes->mutex);
    return status;
}

bool nodes_are_ready(Nodes *nodes)
{
    Status status = nodes_check_ready(nodes);
    bool is_ready = status == STATUS_OK;
    status_ignore(status, "only the answer is wanted");
    return is_ready;
}

Status nodes_lease(Nodes *nodes, uint32_t node, RunMessage *run)
{
    mutex_lock(&nodes->mutex);
    uint64_t left = nodes->entries[node].lease_left;
    mutex_unlock(&nodes->mutex);
    run->lease_count = 0;
    if (left >= LEASE_LOW) {
        return STATUS_OK;
    }
    TRY(commit_log_lease_rowsets(nodes->options.log, LEASE_COUNT, &run->lease_first));
    run->lease_count = LEASE_COUNT;
    return STATUS_OK;
}

void nodes_note_lease(Nodes *nodes, uint32_t node, uint64_t lease_left)
{
    mutex_lock(&nodes->mutex);
    nodes->entries[node].lease_left = lease_left;
    mutex_unlock(&nodes->mutex);
}

void nodes_info(Nodes *nodes, Arena *arena, NodeInfo **out, uint32_t *count)
{
    static const char *const names[] = {"absent", "greeted", "ready"};
    *out = ARENA_ARRAY(arena, NodeInfo, nodes->node_count + 1);
    *count = nodes->node_count;
    int64_t now = clock_monotonic_us();
    mutex_lock(&nodes->mutex);
    for (uint32_t i = 1; i <= nodes->node_count; i++) {
        const NodeEntry *entry = &nodes->entries[i];
        (*out)[i - 1] = (NodeInfo){
            .node = i,
            .address = arena_strdup(arena, entry->address == NULL ? "" : entry->address),
            .state = names[entry->state],
            .applied_position = entry->applied_position,
            .disk_free_bytes = entry->disk_free_bytes,
            .memory_bytes = entry->memory_bytes,
            .beat_age_us = entry->last_beat_us == 0 ? -1 : now - entry->last_beat_us,
        };
    }
    mutex_unlock(&nodes->mutex);
}
