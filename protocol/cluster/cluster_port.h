/*
 * cluster_port.h — one process's door to the others: its inboxes, its links, and the hubs of the
 * endpoints that live in it.
 *
 * Endpoints in the same process reach each other by pointer. A process listens on three addresses
 * made from one: role 0 control (a node's calls; the leader's beats), 1 data, 2 urgent.
 */
#pragma once
#include "protocol/cluster/stream.h"
#include "protocol/cluster/transport.h"

#define ENDPOINT_MAX 257u /* the leader and 256 nodes */
#define CLUSTER_ADDRESS_BYTES 256

typedef struct ClusterPort ClusterPort;

typedef enum AddressRole { ADDRESS_CONTROL, ADDRESS_DATA, ADDRESS_URGENT } AddressRole;
/* tcp://host:port becomes port + role, any other address gets the role as suffix. 22023 when it
 * has no port. */
Status cluster_address(const char *base, AddressRole role,
                       char address[CLUSTER_ADDRESS_BYTES]) CHECKED;
/* 0A000 for a tcp address that is not loopback unless `is_insecure_allowed`. */
Status cluster_address_check(const char *base, bool is_insecure_allowed) CHECKED;

/* `base` null: no listening; every endpoint is in this process. Memory of batches on their way is
 * charged to a child of `budget`. */
Status cluster_port_create(Transport *transport, const char *base, MemoryBudget *budget,
                           ClusterPort **out) CHECKED;
void cluster_port_destroy(ClusterPort *port); /* hubs were destroyed before */
/* Links to the process of `endpoint`; replaces an older address, and the connections to an older
 * process (any number that changes with each) at the same one. */
Status cluster_port_connect(ClusterPort *port, uint32_t endpoint, const char *base,
                            uint64_t process) CHECKED;
/* Fails all streams with the endpoint (08006), keeps its link dialling. Any thread. */
void cluster_port_endpoint_lost(ClusterPort *port, uint32_t endpoint);
void cluster_port_set_epoch(ClusterPort *port, uint64_t epoch); /* older frames are dropped */

Status stream_hub_create(ClusterPort *port, uint32_t endpoint, StreamHub **out) CHECKED;
void stream_hub_destroy(StreamHub *hub); /* every sender and receiver was closed before */
