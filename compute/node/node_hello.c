/* node_hello.c — who the node is: its identity on disk, and what the leader's HELLO tells it. */
#include "compute/node/node_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/vector/distribution_hash.h"
#include "compute/exec/spill.h"

#define IDENTITY_BYTES_MAX 4096
#define PREPARED_MAX 65536
#define END_WAIT_US 2000000 /* below the leader's patience with a HELLO */

static char *identity_path(const Node *node, char *path, size_t path_bytes)
{
    snprintf(path, path_bytes, "%s/node.json", node->directory);
    return path;
}

Status node_read_identity(Node *node)
{
    char path[4096];
    bool exists = false;
    TRY(file_exists(node->host->files, identity_path(node, path, sizeof(path)), &exists));
    if (!exists) {
        return STATUS_OK;
    }
    uint8_t *text = NULL;
    size_t bytes = 0;
    TRY(file_read_whole(node->host->files, path, IDENTITY_BYTES_MAX, &text, &bytes));
    char line[IDENTITY_BYTES_MAX + 1];
    memcpy(line, text, bytes);
    line[bytes] = '\0';
    free(text);
    unsigned node_id = 0;
    char cluster[33] = "";
    bool is_good =
        sscanf(line, "{\"cluster\": \"%32[0-9a-f]\", \"node\": %u}", cluster, &node_id) == 2 &&
        strlen(cluster) == 32 && node_id > 0 && node_id <= MESSAGE_NODES_MAX;
    for (uint32_t i = 0; is_good && i < CLUSTER_ID_BYTES; i++) {
        unsigned byte = 0;
        is_good = sscanf(cluster + 2 * i, "%2x", &byte) == 1;
        node->cluster_id[i] = (uint8_t)byte;
    }
    if (!is_good) {
        return status_error(SQLSTATE_DATA_CORRUPTED, "\"%s\" is not a node's identity", path);
    }
    node->node_id = node_id;
    return STATUS_OK;
}

static Status write_identity(Node *node)
{
    char path[4096], line[128], cluster[33];
    for (uint32_t i = 0; i < CLUSTER_ID_BYTES; i++) {
        snprintf(cluster + 2 * i, 3, "%02x", node->cluster_id[i]);
    }
    int bytes = snprintf(line, sizeof(line), "{\"cluster\": \"%s\", \"node\": %u}\n", cluster,
                         node->node_id);
    return file_write_whole(node->host->files, identity_path(node, path, sizeof(path)), line,
                            (size_t)bytes);
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
    };
    memcpy(options.cluster_id, node->cluster_id, sizeof(options.cluster_id));
    return store_open(&options, &node->store);
}

/* First HELLO of a node without identity, or a repeated one: identities must agree. */
static Status take_identity(Node *node, const HelloMessage *hello)
{
    if (node->node_id == 0) {
        memcpy(node->cluster_id, hello->cluster_id, sizeof(node->cluster_id));
        node->node_id = hello->node;
        Status status = write_identity(node);
        if (status != STATUS_OK) {
            node->node_id = 0;
        }
        return status;
    }
    if (node->node_id != hello->node ||
        memcmp(node->cluster_id, hello->cluster_id, sizeof(node->cluster_id)) != 0) {
        return status_error(SQLSTATE_OBJECT_NOT_IN_PREREQUISITE_STATE,
                            "this directory belongs to node %u of another cluster or place",
                            node->node_id);
    }
    return STATUS_OK;
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
    node->map_epoch = hello->map_epoch;
    node->node_count = hello->node_count;
    mutex_unlock(&node->mutex);
    return STATUS_OK;
}

static Status greet(Node *node, const Request *request, bool is_new, Arena *arena)
{
    const HelloMessage *hello = &request->hello;
    TRY(take_identity(node, hello));
    if (node->store == NULL) {
        TRY(node_open_store(node));
    }
    if (node->hub == NULL) {
        TRY(stream_hub_create(node->port, node->node_id, &node->hub));
    }
    TRY(take_map(node, hello, arena));
    for (uint32_t i = 0; i < hello->peer_count; i++) {
        if (hello->peers[i].address[0] != '\0') {
            TRY(cluster_port_connect(node->port, hello->peers[i].endpoint,
                                     hello->peers[i].address));
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
