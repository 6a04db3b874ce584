/*
 * nodes.h — the compute nodes of the cluster as the leader sees them: who is in, who is gone, and
 * how to call them.
 *
 *            beat of a process not gone             HELLO answered
 *   ABSENT ------------------------------> GREETED ----------------> READY
 *      ^        (nodes_greet)                 |                        |
 *      +--------------------------------------+------------------------+
 *        2.5 s without a beat, a lost connection, a beat of a new process (nodes_lose)
 *
 * A node counts as away from the moment its connection ends. Time in which the leader itself did
 * not look (it was stopped, or greeted somebody) is no silence of the nodes.
 * Every request carries the epoch, the number of the greeting it builds upon, and the outcomes that
 * node has not acknowledged. What a transaction wrote under one greeting is gone under the next one
 * unless it was prepared: its PREPARE must name the greeting it wrote under.
 */
#pragma once
#include "leader/txn/commit_log.h"
#include "protocol/cluster/cluster_port.h"

typedef struct Nodes Nodes;

#define NODE_DEAD_US 2500000       /* without a beat */
#define NODE_CALL_TIMEOUT_US 10000000

typedef struct NodesOptions {
    Transport *transport;
    ClusterPort *port;
    CommitLog *log;
    const char *address;           /* the leader's base address: beats arrive at its control role */
    bool is_local;                 /* nodes are in this process: no links for data */
    void (*lost)(void *object, uint32_t node, Status reason); /* a ready node was lost; not freed */
    void *object;
} NodesOptions;

Status nodes_create(const NodesOptions *options, Nodes **out) CHECKED;
void nodes_destroy(Nodes *nodes);
bool nodes_are_ready(Nodes *nodes); /* all of them */
/* 57P03 naming the first node that is away. */
Status nodes_check_ready(Nodes *nodes) CHECKED;
/* The same, and the greeting of each node, by node (MESSAGE_NODES_MAX + 1 entries). */
Status nodes_greetings(Nodes *nodes, uint64_t *greetings) CHECKED;

/* One call, possibly one of several at once; results live in `arena`. */
typedef struct NodeCall {
    uint32_t node;
    uint64_t greeting;             /* to call under; 0: the present one, which is filled in */
    Arena *arena;                  /* of this call alone while it is open */
    Reply reply;                   /* reply.status is the node's answer or the loss of it; yours */
    bool is_done;
    /* inside */
    Nodes *nodes;
    uint64_t told_mark; /* of the log, at the start */
    MessageKind kind;
    Outcome *outcomes;
    uint32_t outcome_count;
    void (*done)(void *object, struct NodeCall *call); /* network thread; may be null */
    void *object;
} NodeCall;
/* Starts a call; `request` is encoded before it returns. Epoch and outcomes are filled in. */
void nodes_call_start(Nodes *nodes, NodeCall *call, Request *request, int64_t timeout_us);
void nodes_call_wait(NodeCall *call);
typedef struct NodeSet {
    uint32_t count;
    const uint32_t *nodes;
    const uint64_t *greetings;     /* of each; null: the present ones */
} NodeSet;
/* Calls several nodes with the same request and waits; the first error, the others' are freed.
 * `calls` (may be null) is set also on failure. */
Status nodes_call_all(Nodes *nodes, const NodeSet *set, Request *request, int64_t timeout_us,
                      Arena *arena, NodeCall **calls) CHECKED;
/* Rowset ids for a RUN that writes: fills the lease fields when the node has few left. */
Status nodes_lease(Nodes *nodes, uint32_t node, RunMessage *run) CHECKED;
void nodes_note_lease(Nodes *nodes, uint32_t node, uint64_t lease_left);

/* For system tables. */
typedef struct NodeInfo {
    uint32_t node;
    const char *address;
    const char *state;             /* "ready", "greeted", "absent" */
    uint64_t applied_position, disk_free_bytes, memory_bytes;
    int64_t beat_age_us;
} NodeInfo;
void nodes_info(Nodes *nodes, Arena *arena, NodeInfo **out, uint32_t *count);
