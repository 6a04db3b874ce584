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
#include "leader/membership/nodes_internal.h"

#define BEATS_MAX 4096
#define LEASE_LOW 256u
#define LEASE_COUNT 4096u
#define TICK_US 100000
#define OUTCOME_TIMEOUT_US 2000000
#define WATCH_GAP_US 500000 /* a longer time between two looks is no silence of the nodes */

typedef struct ReceivedBeat {
    TransportMessage *message;
    int64_t received_us;
} ReceivedBeat;

static void beat_free(Nodes *nodes, ReceivedBeat *beat)
{
    nodes->options.transport->ops->message_destroy(beat->message);
    free(beat);
}

static void beat_cb(void *object, TransportMessage *owned_message)
{
    Nodes *nodes = object;
    ReceivedBeat *beat = malloc(sizeof(*beat));
    if (beat == NULL) {
        nodes->options.transport->ops->message_destroy(owned_message);
        return;
    }
    *beat = (ReceivedBeat){.message = owned_message, .received_us = clock_monotonic_us()};
    if (!queue_push(nodes->beats, beat, 0)) {
        beat_free(nodes, beat); // the next one comes soon
    }
}

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

void nodes_lose(Nodes *nodes, uint32_t node, const char *why)
{
    NodeEntry *entry = &nodes->entries[node];
    mutex_lock(&nodes->mutex);
    bool was_ready = entry->state == NODE_READY;
    entry->state = NODE_ABSENT;
    entry->why_absent = why;
    TransportPeer *peer = entry->peer;
    entry->peer = NULL;
    while (entry->starting_count > 0) { // ends: handing over a call waits for nothing
        condition_wait(&nodes->done, &nodes->mutex, 1000000);
    }
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

static void handle_beat(Nodes *nodes, const BeatMessage *beat, int64_t received_us, Arena *arena)
{
    uint32_t node = identify(nodes, beat);
    if (node == 0) {
        log_warn("beat_refused", "address=%s claimed_node=%u", beat->address, beat->node);
        return;
    }
    NodeEntry *entry = &nodes->entries[node];
    mutex_lock(&nodes->mutex);
    bool is_gone = entry->gone_boot_id != 0 && entry->gone_boot_id == beat->boot_id;
    bool is_known = entry->boot_id == beat->boot_id;
    bool is_ready = is_known && entry->state == NODE_READY && !entry->is_broken;
    if (!is_gone) {
        entry->last_beat_us = received_us;
        entry->applied_position = beat->applied_position;
        entry->disk_free_bytes = beat->disk_free_bytes;
        entry->memory_bytes = beat->memory_bytes;
    }
    mutex_unlock(&nodes->mutex);
    // A beat that has waited long tells nothing about now; a living node sends the next one soon.
    if (is_gone || is_ready || clock_monotonic_us() - received_us > NODE_DEAD_US) {
        return;
    }
    if (entry->state != NODE_ABSENT) {
        nodes_lose(nodes, node, is_known ? "its connection ended" : "it has restarted");
    }
    Status status = nodes_greet(nodes, node, beat, arena);
    if (status != STATUS_OK) {
        log_status(LOG_WARN, "greeting_failed", status);
        status_free(status);
        nodes_lose(nodes, node, "it could not be greeted");
    }
}

/* Gives up who is silent or cut off. `unwatched_us`: time that is no silence. */
static void look_for_lost(Nodes *nodes, int64_t unwatched_us)
{
    int64_t now = clock_monotonic_us();
    for (uint32_t i = 1; i <= nodes->node_count; i++) {
        NodeEntry *entry = &nodes->entries[i];
        mutex_lock(&nodes->mutex);
        if (entry->last_beat_us != 0 && unwatched_us > 0) {
            entry->last_beat_us += unwatched_us;
            entry->last_beat_us = entry->last_beat_us > now ? now : entry->last_beat_us;
        }
        bool is_ready = entry->state == NODE_READY;
        bool is_broken = is_ready && entry->is_broken;
        bool is_silent = is_ready && now - entry->last_beat_us > NODE_DEAD_US;
        mutex_unlock(&nodes->mutex);
        if (is_broken || is_silent) {
            nodes_lose(nodes, i, is_broken ? "its connection ended" : "no heartbeat for 2.5 s");
        }
    }
}

static void take_beat(Nodes *nodes, ReceivedBeat *beat)
{
    Transport *transport = nodes->options.transport;
    Arena *arena = arena_create(NULL, "beat");
    size_t bytes = 0;
    const uint8_t *data = transport->ops->message_data(beat->message, &bytes);
    Request request;
    Status status = request_decode(data, bytes, arena, &request);
    if (status == STATUS_OK && request.kind == MESSAGE_BEAT) {
        handle_beat(nodes, &request.beat, beat->received_us, arena);
    }
    status_ignore(status, "whatever this was, it was no beat of ours");
    beat_free(nodes, beat);
    arena_destroy(arena);
}

/* Outcomes go along with requests; where none came for a tick, one goes for them alone. */
static void tell_outcomes(Nodes *nodes)
{
    for (uint32_t i = 1; i <= nodes->node_count; i++) {
        NodeCall *call = &nodes->entries[i].outcome_call;
        mutex_lock(&nodes->mutex);
        bool is_ready = nodes->entries[i].state == NODE_READY && !nodes->entries[i].is_broken;
        bool is_open = call->arena != NULL && !call->is_done;
        mutex_unlock(&nodes->mutex);
        if (!is_ready || is_open || !commit_log_has_pending(nodes->options.log, i)) {
            continue;
        }
        if (call->arena == NULL) {
            call->arena = arena_create(NULL, "outcomes");
        }
        status_ignore(call->reply.status, "the outcomes are still pending, and go once more");
        arena_reset(call->arena);
        *call = (NodeCall){.node = i, .arena = call->arena};
        Request request = {.kind = MESSAGE_OUTCOME};
        nodes_call_start(nodes, call, &request, OUTCOME_TIMEOUT_US);
    }
}

static void membership_main(void *object)
{
    Nodes *nodes = object;
    int64_t looked_us = clock_monotonic_us();
    int64_t told_us = looked_us;
    while (!__atomic_load_n(&nodes->is_stopping, __ATOMIC_ACQUIRE)) {
        ReceivedBeat *beat = queue_pop(nodes->beats, TICK_US);
        if (beat != NULL) {
            take_beat(nodes, beat);
        }
        int64_t now = clock_monotonic_us();
        int64_t gap = now - looked_us;
        looked_us = now;
        look_for_lost(nodes, gap > WATCH_GAP_US ? gap : 0);
        if (now - told_us >= TICK_US) {
            told_us = now;
            tell_outcomes(nodes);
        }
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
        nodes->entries[i].nodes = nodes;
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
    ReceivedBeat *beat = NULL;
    while ((beat = queue_pop(nodes->beats, 0)) != NULL) {
        beat_free(nodes, beat);
    }
    for (uint32_t i = 1; i <= nodes->node_count; i++) {
        NodeEntry *entry = &nodes->entries[i];
        transport->ops->peer_close(entry->peer);
        free(entry->address);
        if (entry->outcome_call.arena != NULL) {
            nodes_call_wait(&entry->outcome_call);
            status_free(entry->outcome_call.reply.status);
            arena_destroy(entry->outcome_call.arena);
        }
    }
    queue_destroy(nodes->beats);
    condition_deinit(&nodes->done);
    mutex_deinit(&nodes->mutex);
    free(nodes);
}

Status nodes_greetings(Nodes *nodes, uint64_t *greetings)
{
    Status status = STATUS_OK;
    mutex_lock(&nodes->mutex);
    for (uint32_t i = 1; status == STATUS_OK && i <= nodes->node_count; i++) {
        const NodeEntry *entry = &nodes->entries[i];
        if (entry->state != NODE_READY || entry->is_broken) {
            status = status_error(SQLSTATE_CANNOT_CONNECT_NOW, "node %u is not available%s%s", i,
                                  entry->why_absent == NULL ? "" : ": ",
                                  entry->why_absent == NULL ? "" : entry->why_absent);
        }
        greetings[i] = entry->greeting;
    }
    mutex_unlock(&nodes->mutex);
    return status;
}

Status nodes_check_ready(Nodes *nodes)
{
    uint64_t greetings[MESSAGE_NODES_MAX + 1];
    return nodes_greetings(nodes, greetings);
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
            .state = names[entry->is_broken ? NODE_ABSENT : entry->state],
            .applied_position = entry->applied_position,
            .disk_free_bytes = entry->disk_free_bytes,
            .memory_bytes = entry->memory_bytes,
            .beat_age_us = entry->last_beat_us == 0 ? -1 : now - entry->last_beat_us,
        };
    }
    mutex_unlock(&nodes->mutex);
}
