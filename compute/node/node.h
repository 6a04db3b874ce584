/*
 * node.h — a compute node: keeps its slices, answers the leader, runs fragments.
 *
 * A node without an identity (an empty directory) asks the leader to be let in; the leader's HELLO
 * tells it who it is, which is kept in `<directory>/node.json` from then on. Control requests are
 * handled by a few threads; fragments run on the host's workers and are answered at their end.
 *
 * Invariants: (1) a request of an older epoch is refused, one of a newer epoch is only taken with a
 * HELLO; (2) outcomes a request carries are applied before the request; (3) the node decides no
 * outcome.
 */
#pragma once
#include "base/host.h"
#include "protocol/cluster/cluster_port.h"

typedef struct Node Node;

typedef struct NodeOptions {
    Host *host;
    Transport *transport;
    ClusterPort *port;          /* of the process */
    const char *directory;
    const char *address;        /* this node's base address */
    const char *leader_address; /* the leader's base address */
    size_t memory_bytes;        /* limit of this node; 0: the process's */
    size_t cache_bytes;
    bool is_local;              /* the leader and all nodes are in this process */
} NodeOptions;

Status node_create(const NodeOptions *options, Node **out) CHECKED;
/* Answers what is open with 57P01, waits for running fragments to end (at most 5 s), closes. */
void node_destroy(Node *node);
/* True once the leader has greeted it. */
bool node_is_ready(const Node *node);
