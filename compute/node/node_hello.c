/* node_hello.c — who the node is: its identity on disk, and what the leader's HELLO tells it. */
#include "compute/node/node_internal.h"

#include <string.h>

#include "base/log.h"
#include "base/vector/distribution_hash.h"
#include "compute/exec/spill.h"
#include "storage/node_identity.h"

#define PREPARED_MAX 65536
#define END_WAIT_US 2000000 /* below the leader's patience with a HELLO */

Status node_read_identity(Node *node)
{
    NodeIdentity identity;
    TRY(node_identity_read(node->host->files, node->directory, &identity));
    memcpy(node->cluster_id, identity.cluster_id, sizeof(node->cluster_id));
    node->node_id = identity.node;
    node->is_named = identity.node != 0;
    return STATUS_OK;
}

Status node_open_store(Node *node)
{
    TRY(spill_directory_open(node->host->files, node->spill_directory));
    StoreOptions options = {
        .host = node->host,
        .budget = node->budget,
        .directory = node->directory,
        .node_id = node->node_id,
        .cache_bytes = node->cache_bytes,
        .is_expected = node->is_named,
        .disk_reserve_bytes =
            (uint64_t)setting_integer(node->host->settings, SETTING_DISK_RESERVE_BYTES),
        .metadata_log_bytes =
            (uint64_t)setting_integer(node->host->settings, SETTING_METADATA_LOG_BYTES),
    };
    memcpy(options.cluster_id, node->cluster_id, sizeof(options.cluster_id));
    return store_open(&options, &node->store);
}

/* Identities must agree; a node without one takes what the first HELLO says. */
static Status take_identity(Node *node, const HelloMessage *hello)
{
    if (node->node_id == 0) {
        memcpy(node->cluster_id, hello->cluster_id, sizeof(node->cluster_id));
        node->node_id = hello->node;
    }
    if (node->node_id != hello->node ||
        memcmp(node->cluster_id, hello->cluster_id, sizeof(node->cluster_id)) != 0) {
        return status_error(SQLSTATE_OBJECT_NOT_IN_PREREQUISITE_STATE,
                            "this directory belongs to node %u of another cluster or place",
                            node->node_id);
    }
    return STATUS_OK;
}

/* The name is written behind the store: where there is a name, a store must be. */
static Status open_named_store(Node *node, const HelloMessage *hello)
{
    bool was_unknown = node->node_id == 0;
    TRY(take_identity(node, hello));
    Status status = node->store == NULL ? node_open_store(node) : STATUS_OK;
    if (status == STATUS_OK && !node->is_named) {
        NodeIdentity identity = {.node = node->node_id};
        memcpy(identity.cluster_id, node->cluster_id, sizeof(identity.cluster_id));
        status = node_identity_write(node->host->files, node->directory, &identity);
        node->is_named = status == STATUS_OK;
    }
    if (status != STATUS_OK && was_unknown && node->store == NULL) {
        node->node_id = 0; // another HELLO may say something else
    }
    return status;
}

static Status take_map(Node *node, const HelloMessage *hello, Arena *arena)
{
    SliceRange *own = ARENA_ARRAY(arena, SliceRange, hello->slice_count + 1);
    uint32_t own_count = 0;
    uint32_t *bucket_nodes = ARENA_ARRAY(node->map_arena, uint32_t, BUCKET_COUNT);
    for (uint32_t i = 0; i < hello->slice_count; i++) {
        const MessageSlice *slice = &hello->slices[i];
        if (slice->last_bucket >= BUCKET_COUNT || slice->first_bucket > slice->last_bucket ||
            slice->node == 0 || slice->node > hello->node_count) {
            return status_error(SQLSTATE_PROTOCOL_VIOLATION, "malformed bucket map");
        }
        for (uint32_t b = slice->first_bucket; b <= slice->last_bucket; b++) {
            bucket_nodes[b] = slice->node;
        }
        if (slice->node == hello->node) {
            own[own_count++] = (SliceRange){.slice = slice->slice,
                                            .first_bucket = slice->first_bucket,
                                            .last_bucket = slice->last_bucket};
        }
    }
    for (uint32_t b = 0; b < BUCKET_COUNT; b++) {
        if (bucket_nodes[b] == 0) {
            return status_error(SQLSTATE_PROTOCOL_VIOLATION, "bucket %u has no owner", b);
        }
    }
    TRY(store_set_slices(node->store, hello->map_epoch, own, own_count));
    mutex_lock(&node->mutex);
    node->bucket_nodes = bucket_nodes;
    node->known_key_bits = bucket_map_known_bits(bucket_nodes, hello->node);
    node->map_epoch = hello->map_epoch;
    node->node_count = hello->node_count;
    mutex_unlock(&node->mutex);
    return STATUS_OK;
}

static Status greet(Node *node, const Request *request, bool is_new, Arena *arena)
{
    const HelloMessage *hello = &request->hello;
    TRY(open_named_store(node, hello));
    if (node->hub == NULL) {
        TRY(stream_hub_create(node->port, node->node_id, &node->hub));
    }
    TRY(take_map(node, hello, arena));
    for (uint32_t i = 0; i < hello->peer_count; i++) {
        if (hello->peers[i].address[0] != '\0') {
            TRY(cluster_port_connect(node->port, hello->peers[i].endpoint,
                                     hello->peers[i].address, hello->peers[i].process));
        }
    }
    TRY(node_apply_outcomes(node, request));
    if (is_new) {
        TRY(store_abort_unprepared(node->store, hello->txn_floor));
        stream_hub_end_all(node->hub); // what peers sent for queries that are over
    }
    if (hello->lease_count > 0) {
        TRY(store_lease_rowsets(node->store, hello->lease_first, hello->lease_count));
    }
    return STATUS_OK;
}

/* Is the HELLO for this process, and not overtaken by a newer one? Takes the turn. */
static Status begin_greeting(Node *node, const Request *request, bool *is_new)
{
    Status status = STATUS_OK;
    mutex_lock(&node->mutex);
    if (request->hello.boot_id != node->boot_id) {
        status = status_error(SQLSTATE_CANNOT_CONNECT_NOW, "the node has restarted");
    } else if (request->epoch == node->epoch && request->greeting < node->newest_greeting) {
        status = status_error(SQLSTATE_OBJECT_NOT_IN_PREREQUISITE_STATE,
                              "the leader has greeted this node again since");
    } else if (node->is_greeting) {
        status = status_error(SQLSTATE_CANNOT_CONNECT_NOW, "the node is being greeted already");
    } else {
        *is_new = request->epoch != node->epoch || request->greeting != node->greeting;
        node->is_greeting = true;
        node->newest_greeting = request->greeting;
        if (*is_new) {
            node->greeting = 0; // no other request is admitted until this HELLO has succeeded
        }
    }
    mutex_unlock(&node->mutex);
    return status;
}

/* A new greeting starts from nothing: older queries and requests end first. */
static Status end_older_work(Node *node)
{
    Status reason =
        status_error(SQLSTATE_ADMIN_SHUTDOWN, "the leader has changed, or had given up this node");
    int64_t deadline = clock_monotonic_us() + END_WAIT_US;
    uint32_t left = 0;
    do {
        node_cancel_all(node, INT64_MAX, reason);
        mutex_lock(&node->mutex);
        left = node->run_count + node->request_count;
        if (left > 0) {
            condition_wait(&node->idle, &node->mutex, 50000);
            left = node->run_count + node->request_count;
        }
        mutex_unlock(&node->mutex);
    } while (left > 0 && clock_monotonic_us() < deadline);
    status_free(reason);
    return left == 0 ? STATUS_OK
                     : status_error(SQLSTATE_CANNOT_CONNECT_NOW,
                                    "the node is still ending %u older requests", left);
}

Status node_hello(Node *node, const Request *request, Arena *arena, Reply *reply)
{
    bool is_new = false;
    TRY(begin_greeting(node, request, &is_new));
    Status status = is_new ? end_older_work(node) : STATUS_OK;
    if (status == STATUS_OK) {
        status = greet(node, request, is_new, arena);
    }
    if (status == STATUS_OK && !node->is_local) {
        cluster_port_set_epoch(node->port, request->epoch);
    }
    if (status == STATUS_OK) {
        reply->hello.prepared = ARENA_ARRAY(arena, uint64_t, PREPARED_MAX);
        reply->hello.prepared_count =
            store_prepared(node->store, reply->hello.prepared, PREPARED_MAX);
        reply->hello.applied_position = store_applied_position(node->store);
        reply->hello.lease_left = store_leased_rowsets(node->store);
    }
    mutex_lock(&node->mutex);
    node->is_greeting = false;
    if (status == STATUS_OK) {
        node->epoch = request->epoch;
        node->greeting = request->greeting;
    }
    mutex_unlock(&node->mutex);
    if (status == STATUS_OK && is_new) {
        log_info("node_joined", "epoch=%lu greeting=%lu slices=%u", (unsigned long)request->epoch,
                 (unsigned long)request->greeting, request->hello.slice_count);
    }
    return status;
}
