/* nodes_internal.h — the membership's state, shared by its files. */
#pragma once
#include "base/mutex.h"
#include "base/queue.h"
#include "base/thread.h"
#include "leader/membership/nodes.h"

#define HELLO_TIMEOUT_US 3000000 /* a node answers or says that it is busy within two seconds */

typedef enum NodeState { NODE_ABSENT, NODE_GREETED, NODE_READY } NodeState;

typedef struct NodeEntry {
    Nodes *nodes;
    NodeState state;
    bool is_broken;        /* its connection ended: absent as soon as the membership thread looks */
    const char *why_absent; /* a literal */
    char *address;
    bool is_told;  /* address and process, to the other nodes; membership thread */
    uint64_t greeting;     /* of the newest HELLO series; 0: none yet */
    uint64_t boot_id;      /* of the process that was greeted */
    uint64_t gone_boot_id; /* of the one before: late beats of it mean nothing */
    int64_t last_beat_us;
    uint64_t lease_left, applied_position, disk_free_bytes, memory_bytes;
    TransportPeer *peer;
    uint32_t starting_count; /* calls being handed to the peer: it stays until they are */
    NodeCall outcome_call;   /* membership thread; its arena is null before the first */
} NodeEntry;

struct Nodes {
    NodesOptions options;
    uint32_t node_count;
    TransportInbox *inbox;
    Queue *beats; /* of ReceivedBeat */
    Thread thread;
    bool is_stopping; /* atomic */
    Mutex mutex;      /* guards the entries */
    Condition done;   /* a call has ended, or was handed to its peer */
    NodeEntry entries[MESSAGE_NODES_MAX + 1];
};

/* nodes.c; membership thread. Closes the peer: its open calls end first. */
void nodes_lose(Nodes *nodes, uint32_t node, const char *why);
/* node_greeting.c; membership thread. Opens a peer, says HELLO, settles what was prepared. */
Status nodes_greet(Nodes *nodes, uint32_t node, const BeatMessage *beat, Arena *arena) CHECKED;
