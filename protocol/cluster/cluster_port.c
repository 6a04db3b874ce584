/* cluster_port.c — inboxes, links and hubs of one process. */
#include "protocol/cluster/cluster_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"

typedef struct PortPeer {
    ClusterPort *port;
    uint32_t endpoint;
    char *base;
    uint64_t process;
    TransportLink *data, *urgent;
} PortPeer;

struct ClusterPort {
    Transport *transport;
    MemoryBudget *budget;
    TransportInbox *data, *urgent;
    uint64_t epoch; /* atomic */
    Mutex mutex;    /* guards hubs; outside of the hubs' mutexes */
    StreamHub *hubs[ENDPOINT_MAX];
    Mutex peer_mutex; /* guards peers; inside of the streams' mutexes */
    PortPeer *peers[ENDPOINT_MAX];
};

Status cluster_address(const char *base, AddressRole role, char address[CLUSTER_ADDRESS_BYTES])
{
    if (strlen(base) + 16 > CLUSTER_ADDRESS_BYTES) {
        return status_error(SQLSTATE_INVALID_PARAMETER_VALUE, "cluster address is too long");
    }
    if (strncmp(base, "tcp://", 6) != 0) {
        snprintf(address, CLUSTER_ADDRESS_BYTES, "%s.%u", base, (unsigned)role);
        return STATUS_OK;
    }
    const char *colon = strrchr(base, ':');
    char *end = NULL;
    long port = strtol(colon + 1, &end, 10);
    if (colon == base + 3 || *end != '\0' || port < 1 || port > 65533) {
        return status_error(SQLSTATE_INVALID_PARAMETER_VALUE,
                            "cluster address \"%s\" needs a port from 1 to 65533", base);
    }
    snprintf(address, CLUSTER_ADDRESS_BYTES, "%.*s:%ld", (int)(colon - base), base,
             port + (long)role);
    return STATUS_OK;
}

Status cluster_address_check(const char *base, bool is_insecure_allowed)
{
    bool is_loopback = strncmp(base, "tcp://", 6) != 0 || strncmp(base, "tcp://127.", 10) == 0 ||
                       strncmp(base, "tcp://localhost:", 16) == 0 ||
                       strncmp(base, "tcp://[::1]:", 12) == 0;
    if (is_loopback || is_insecure_allowed) {
        return STATUS_OK;
    }
    return status_with_hint(
        status_error(SQLSTATE_FEATURE_NOT_SUPPORTED,
                     "node traffic over \"%s\" would leave this machine without TLS", base),
        "set cluster_insecure = on to allow it on a network you trust");
}

static void message_cb(void *object, TransportMessage *owned_message)
{
    ClusterPort *port = object;
    size_t bytes = 0;
    const uint8_t *data = port->transport->ops->message_data(owned_message, &bytes);
    FrameHeader header;
    Status status = frame_open(data, bytes, &header);
    if (status != STATUS_OK) {
        log_status(LOG_WARN, "frame_refused", status);
        status_free(status);
        port->transport->ops->message_destroy(owned_message);
        return;
    }
    StreamHub *hub = NULL;
    bool is_current = header.epoch >= __atomic_load_n(&port->epoch, __ATOMIC_ACQUIRE);
    mutex_lock(&port->mutex);
    if (header.target < ENDPOINT_MAX && header.source < ENDPOINT_MAX && is_current) {
        hub = port->hubs[header.target];
    }
    if (hub != NULL) {
        stream_hub_deliver(hub, &header, owned_message); // under the mutex: the hub cannot go away
    }
    mutex_unlock(&port->mutex);
    if (hub == NULL) {
        port->transport->ops->message_destroy(owned_message);
    }
}

Status cluster_port_create(Transport *transport, const char *base, MemoryBudget *budget,
                           ClusterPort **out)
{
    ClusterPort *port = calloc(1, sizeof(*port));
    MemoryBudget *own_budget = memory_budget_create(NULL, budget, "exchange", 0);
    if (port == NULL || own_budget == NULL) {
        memory_budget_destroy(own_budget);
        free(port);
        return status_error(SQLSTATE_OUT_OF_MEMORY, "no memory for a cluster port");
    }
    port->transport = transport;
    port->budget = own_budget;
    mutex_init(&port->mutex, MUTEX_RANK_STREAM_PORT);
    mutex_init(&port->peer_mutex, MUTEX_RANK_PEER_TABLE);
    Status status = STATUS_OK;
    if (base != NULL) {
        char address[CLUSTER_ADDRESS_BYTES];
        TRY_OR(cleanup, cluster_address(base, ADDRESS_DATA, address));
        TRY_OR(cleanup,
               transport->ops->inbox_open(transport, address, message_cb, port, &port->data));
        TRY_OR(cleanup, cluster_address(base, ADDRESS_URGENT, address));
        TRY_OR(cleanup,
               transport->ops->inbox_open(transport, address, message_cb, port, &port->urgent));
    }
    *out = port;
    return STATUS_OK;
cleanup:
    cluster_port_destroy(port);
    return status;
}

static void peer_destroy(ClusterPort *port, PortPeer *peer)
{
    if (peer == NULL) {
        return;
    }
    port->transport->ops->link_close(peer->data);
    port->transport->ops->link_close(peer->urgent);
    free(peer->base);
    free(peer);
}

void cluster_port_destroy(ClusterPort *port)
{
    if (port == NULL) {
        return;
    }
    port->transport->ops->inbox_close(port->data);
    port->transport->ops->inbox_close(port->urgent);
    for (uint32_t i = 0; i < ENDPOINT_MAX; i++) {
        peer_destroy(port, port->peers[i]);
    }
    memory_budget_destroy(port->budget);
    mutex_deinit(&port->peer_mutex);
    mutex_deinit(&port->mutex);
    free(port);
}

static void lost_cb(void *object)
{
    PortPeer *peer = object;
    cluster_port_endpoint_lost(peer->port, peer->endpoint);
}

Status cluster_port_connect(ClusterPort *port, uint32_t endpoint, const char *base,
                            uint64_t process)
{
    ASSERT(endpoint < ENDPOINT_MAX);
    mutex_lock(&port->peer_mutex);
    PortPeer *old = port->peers[endpoint];
    bool is_same = old != NULL && strcmp(old->base, base) == 0;
    bool is_restarted = is_same && old->process != process;
    if (!is_same) {
        port->peers[endpoint] = NULL;
    } else {
        old->process = process;
    }
    mutex_unlock(&port->peer_mutex);
    if (is_restarted) {
        port->transport->ops->link_reset(old->data);
        port->transport->ops->link_reset(old->urgent);
    }
    if (is_same) {
        return STATUS_OK;
    }
    peer_destroy(port, old);
    char data[CLUSTER_ADDRESS_BYTES], urgent[CLUSTER_ADDRESS_BYTES];
    TRY(cluster_address(base, ADDRESS_DATA, data));
    TRY(cluster_address(base, ADDRESS_URGENT, urgent));
    PortPeer *peer = calloc(1, sizeof(*peer));
    if (peer == NULL || (peer->base = strdup(base)) == NULL) {
        free(peer);
        return status_error(SQLSTATE_OUT_OF_MEMORY, "no memory for a peer");
    }
    peer->port = port;
    peer->endpoint = endpoint;
    peer->process = process;
    Status status =
        port->transport->ops->link_open(port->transport, data, lost_cb, peer, &peer->data);
    if (status == STATUS_OK) {
        status =
            port->transport->ops->link_open(port->transport, urgent, lost_cb, peer, &peer->urgent);
    }
    if (status != STATUS_OK) {
        peer_destroy(port, peer);
        return status;
    }
    mutex_lock(&port->peer_mutex);
    port->peers[endpoint] = peer;
    mutex_unlock(&port->peer_mutex);
    return STATUS_OK;
}

void cluster_port_endpoint_lost(ClusterPort *port, uint32_t endpoint)
{
    mutex_lock(&port->mutex);
    for (uint32_t i = 0; i < ENDPOINT_MAX; i++) {
        if (port->hubs[i] != NULL && i != endpoint) {
            stream_hub_endpoint_lost(port->hubs[i], endpoint);
        }
    }
    mutex_unlock(&port->mutex);
}

void cluster_port_set_epoch(ClusterPort *port, uint64_t epoch)
{
    __atomic_store_n(&port->epoch, epoch, __ATOMIC_RELEASE);
}

StreamHub *cluster_port_hub(ClusterPort *port, uint32_t endpoint)
{
    mutex_lock(&port->mutex);
    StreamHub *hub = endpoint < ENDPOINT_MAX ? port->hubs[endpoint] : NULL;
    mutex_unlock(&port->mutex);
    return hub;
}

MemoryBudget *cluster_port_budget(ClusterPort *port)
{
    return port->budget;
}

void cluster_port_add_hub(ClusterPort *port, StreamHub *hub)
{
    mutex_lock(&port->mutex);
    port->hubs[hub->endpoint] = hub;
    mutex_unlock(&port->mutex);
}

void cluster_port_remove_hub(ClusterPort *port, StreamHub *hub)
{
    mutex_lock(&port->mutex);
    port->hubs[hub->endpoint] = NULL;
    mutex_unlock(&port->mutex);
}

Status cluster_port_send(ClusterPort *port, uint32_t endpoint, FrameHeader *header,
                         const void *payload, size_t payload_bytes)
{
    header->epoch = __atomic_load_n(&port->epoch, __ATOMIC_ACQUIRE);
    frame_seal(header, payload, payload_bytes);
    TransportMessage *message = NULL;
    TRY(port->transport->ops->message_create(port->transport, sizeof(*header) + payload_bytes,
                                             &message));
    size_t bytes = 0;
    uint8_t *data = port->transport->ops->message_data(message, &bytes);
    memcpy(data, header, sizeof(*header));
    if (payload_bytes > 0) {
        memcpy(data + sizeof(*header), payload, payload_bytes);
    }
    bool is_urgent = header->kind != FRAME_BATCHES && header->kind != FRAME_BYTES;
    mutex_lock(&port->peer_mutex);
    PortPeer *peer = endpoint < ENDPOINT_MAX ? port->peers[endpoint] : NULL;
    TransportLink *link = peer == NULL ? NULL : is_urgent ? peer->urgent : peer->data;
    mutex_unlock(&port->peer_mutex);
    // Links are replaced only while the endpoint has no streams (it rejoins after it was lost).
    if (link == NULL) {
        port->transport->ops->message_destroy(message);
        return status_error(SQLSTATE_CONNECTION_FAILURE, "no connection to node %u", endpoint);
    }
    return port->transport->ops->send(link, message);
}
