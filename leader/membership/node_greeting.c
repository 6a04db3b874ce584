/*
 * node_greeting.c — HELLO: tells a node who it is and what it owns, and settles its past.
 *
 * Each greeting has a number of its own; every later request carries it. A node that restarted, or
 * was given up and came back, gets a new number, and with it the node drops what was unprepared.
 */
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "leader/membership/nodes_internal.h"

static void fill_hello(Nodes *nodes, uint32_t node, Arena *arena, HelloMessage *hello)
{
    CommitLog *log = nodes->options.log;
    memcpy(hello->cluster_id, commit_log_cluster_id(log), sizeof(hello->cluster_id));
    hello->node = node;
    hello->boot_id = nodes->entries[node].boot_id;
    hello->node_count = nodes->node_count;
    hello->map_epoch = commit_log_map_epoch(log);
    catalog_version_unpin(commit_log_snapshot(log, &hello->position));
    hello->txn_floor = commit_log_next_txn(log);
    hello->slices = (MessageSlice *)commit_log_slices(log, &hello->slice_count);
    hello->peers = ARENA_ARRAY(arena, MessagePeer, nodes->node_count + 2);
    if (nodes->options.is_local) {
        return;
    }
    hello->peers[hello->peer_count++] =
        (MessagePeer){.endpoint = 0,
                      .address = nodes->options.address,
                      .process = commit_log_epoch(log)};
    for (uint32_t i = 1; i <= nodes->node_count; i++) {
        if (i != node && nodes->entries[i].address != NULL) {
            hello->peers[hello->peer_count++] = (MessagePeer){
                .endpoint = i,
                .address = arena_strdup(arena, nodes->entries[i].address),
                .process = nodes->entries[i].boot_id};
        }
    }
}

static Status call_hello(Nodes *nodes, uint32_t node, Arena *arena, Reply *reply)
{
    NodeCall call = {.node = node, .arena = arena};
    Request request = {.kind = MESSAGE_HELLO};
    fill_hello(nodes, node, arena, &request.hello); // no lease: a RUN that writes brings one
    nodes_call_start(nodes, &call, &request, HELLO_TIMEOUT_US);
    nodes_call_wait(&call);
    *reply = call.reply;
    return call.reply.status;
}

/* Tells a node that has prepared transactions without a known outcome what became of them; it may
 * have heard of a commit and lost that with its process. */
static Status settle(Nodes *nodes, uint32_t node, const HelloReply *hello, Arena *arena)
{
    uint64_t own_floor = TXN_ID_FIRST(commit_log_epoch(nodes->options.log));
    NodeCall call = {.node = node, .arena = arena};
    Request request = {.kind = MESSAGE_OUTCOME};
    bool has_any = false;
    for (uint32_t i = 0; i < hello->prepared_count; i++) {
        Outcome outcome;
        TRY(commit_log_outcome(nodes->options.log, hello->prepared[i], &outcome));
        if (hello->prepared[i] >= own_floor && outcome.state != OUTCOME_COMMITTED) {
            continue; // of this leader: its session decides
        }
        commit_log_tell(nodes->options.log, &outcome, node);
        has_any = true;
    }
    if (!has_any) {
        return STATUS_OK;
    }
    nodes_call_start(nodes, &call, &request, HELLO_TIMEOUT_US);
    nodes_call_wait(&call);
    return call.reply.status;
}

/* An old copy of the leader's database would give positions out twice, for other commits. */
static Status check_position(Nodes *nodes, uint32_t node, uint64_t applied)
{
    uint64_t position = 0;
    catalog_version_unpin(commit_log_snapshot(nodes->options.log, &position));
    if (applied <= position) {
        return STATUS_OK;
    }
    return status_with_hint(
        status_error(SQLSTATE_DATA_CORRUPTED,
                     "node %u has applied commit %lu, the leader's log ends at %lu", node,
                     (unsigned long)applied, (unsigned long)position),
        "the leader's database is older than the node's: restore both from one copy");
}

/* A new node's address, or its new process, must reach the nodes greeted before it. */
static void spread_addresses(Nodes *nodes, uint32_t newest, Arena *arena)
{
    for (uint32_t i = 1; i <= nodes->node_count && !nodes->options.is_local; i++) {
        mutex_lock(&nodes->mutex);
        bool is_ready = nodes->entries[i].state == NODE_READY && !nodes->entries[i].is_broken;
        mutex_unlock(&nodes->mutex);
        if (i != newest && is_ready) {
            Reply reply = {0};
            Status status = call_hello(nodes, i, arena, &reply);
            if (status != STATUS_OK) { // it would not find the new node: greet it once more
                log_status(LOG_WARN, "address_not_told", status);
                status_free(status);
                nodes_lose(nodes, i, "it did not take a new address");
            }
        }
    }
}

static void peer_lost_cb(void *object)
{
    NodeEntry *entry = object;
    mutex_lock(&entry->nodes->mutex);
    entry->is_broken = true;
    mutex_unlock(&entry->nodes->mutex);
}

static Status open_peer(Nodes *nodes, uint32_t node, const BeatMessage *beat)
{
    NodeEntry *entry = &nodes->entries[node];
    Transport *transport = nodes->options.transport;
    char address[CLUSTER_ADDRESS_BYTES];
    TRY(cluster_address(beat->address, ADDRESS_CONTROL, address));
    mutex_lock(&nodes->mutex);
    entry->is_broken = false;
    mutex_unlock(&nodes->mutex);
    TransportPeer *peer = NULL;
    TRY(transport->ops->peer_open(transport, address, peer_lost_cb, entry, &peer));
    mutex_lock(&nodes->mutex);
    if (entry->boot_id != beat->boot_id) {
        entry->gone_boot_id = entry->boot_id;
        entry->is_told = false;
    }
    entry->boot_id = beat->boot_id;
    entry->peer = peer;
    entry->greeting = commit_log_next_query(nodes->options.log);
    entry->state = NODE_GREETED;
    entry->lease_left = 0;
    mutex_unlock(&nodes->mutex);
    return STATUS_OK;
}

Status nodes_greet(Nodes *nodes, uint32_t node, const BeatMessage *beat, Arena *arena)
{
    NodeEntry *entry = &nodes->entries[node];
    if (entry->address == NULL || strcmp(entry->address, beat->address) != 0) {
        TRY(commit_log_set_node_address(nodes->options.log, node, beat->address));
        mutex_lock(&nodes->mutex);
        free(entry->address);
        entry->address = strdup(beat->address);
        entry->is_told = false;
        mutex_unlock(&nodes->mutex);
    }
    TRY(open_peer(nodes, node, beat));
    if (!nodes->options.is_local) {
        TRY(cluster_port_connect(nodes->options.port, node, beat->address, beat->boot_id));
    }
    Reply reply = {0};
    TRY(call_hello(nodes, node, arena, &reply));
    TRY(check_position(nodes, node, reply.hello.applied_position));
    TRY(settle(nodes, node, &reply.hello, arena));
    if (!entry->is_told) {
        spread_addresses(nodes, node, arena); // before any fragment can send to it
        entry->is_told = true;
    }
    mutex_lock(&nodes->mutex);
    bool is_broken = entry->is_broken;
    entry->state = is_broken ? entry->state : NODE_READY;
    entry->lease_left = reply.hello.lease_left;
    mutex_unlock(&nodes->mutex);
    if (is_broken) {
        return status_error(SQLSTATE_CONNECTION_FAILURE, "node %u went away while greeted", node);
    }
    log_info("node_ready", "ready_node=%u address=%s greeting=%lu", node, beat->address,
             (unsigned long)entry->greeting);
    return STATUS_OK;
}
