/* node_internal.h — the node's state, shared by its files. */
#pragma once
#include "base/mutex.h"
#include "base/queue.h"
#include "base/thread.h"
#include "compute/exec/query_run.h"
#include "compute/node/node.h"
#include "protocol/cluster/message.h"
#include "storage/store.h"

#define NODE_THREADS 4
#define NODE_REQUESTS_MAX 256
#define BEAT_INTERVAL_US 500000

typedef struct FragmentRun {
    struct FragmentRun *next;      /* in the node's list */
    Node *node;
    TransportRequest *request;     /* answered at the end */
    Arena *arena;
    SettingSet *settings;
    QueryContext query;
    MemoryBudget *budget;
    QueryRun *run;
    bool has_statistics;
    bool is_voting;                /* prepares the transaction at the end */
    bool takes_redo;               /* by a redo where that does */
    int64_t start_us;
    int64_t deadline_us;           /* 0: none */
} FragmentRun;

/* What the handler threads do: a request, or a run that has ended. */
typedef struct NodeWork {
    TransportRequest *request;
    FragmentRun *ended;
} NodeWork;

struct Node {
    Host *host;
    Transport *transport;
    ClusterPort *port;
    StreamHub *hub;                /* made by the first HELLO: it knows the endpoint */
    MemoryBudget *budget;
    char *directory, *address, *leader_address, *spill_directory;
    size_t cache_bytes;
    bool is_local;
    bool is_named;                 /* the directory holds the node's identity; HELLO and start */
    uint64_t boot_id;

    TransportServer *server;
    TransportLink *beat_link;
    Queue *work;
    Thread threads[NODE_THREADS];
    Thread beat_thread;
    bool is_stopping;              /* atomic */
    int64_t leader_lost_us;        /* atomic, set by the link's callback; 0: heard already */

    Mutex mutex;                   /* guards all below */
    Condition idle;
    uint8_t cluster_id[CLUSTER_ID_BYTES];
    uint32_t node_id;              /* 0: none yet */
    uint32_t node_count;
    uint64_t epoch, map_epoch;
    uint64_t greeting;             /* what requests must build upon; 0: HELLO is under way */
    uint64_t newest_greeting;      /* of this epoch; older HELLOs are refused */
    bool is_greeting;              /* one HELLO at a time */
    uint32_t request_count;        /* admitted and not answered yet, but for HELLO and RUN */
    uint32_t *bucket_nodes;        /* BUCKET_COUNT; a HELLO replaces it, old ones live on */
    uint32_t known_key_bits;       /* by that map: bucket_map_known_bits */
    Arena *map_arena;
    Store *store;
    FragmentRun *runs;
    uint32_t run_count;            /* until everything of a run is released */
    uint64_t horizon;              /* what the store was told last */
    int64_t horizon_us;            /* when */
};

/* node.c */
void node_reply(Node *node, TransportRequest *owned_request, const Reply *reply);
void node_reply_status(Node *node, TransportRequest *owned_request, MessageKind kind,
                       Status owned_status);
/* node_hello.c */
Status node_hello(Node *node, const Request *request, Arena *arena, Reply *reply) CHECKED;
Status node_read_identity(Node *node) CHECKED;
Status node_open_store(Node *node) CHECKED;
/* node_transaction.c */
Status node_apply_outcomes(Node *node, const Request *request) CHECKED;
Status node_prepare(Node *node, const PrepareMessage *prepare) CHECKED;
Status node_truncate(Node *node, const TruncateMessage *truncate) CHECKED;
Status node_usage(Node *node, const UsageMessage *usage, Arena *arena, Reply *reply) CHECKED;
/* fragment_run.c */
void node_run(Node *node, TransportRequest *owned_request, const Request *request,
              Arena *owned_arena);
void node_run_ended(Node *node, FragmentRun *run);
void node_cancel(Node *node, uint64_t query_id);
/* Runs that began at or before `until_us`. */
void node_cancel_all(Node *node, int64_t until_us, Status reason);
void node_check_deadlines(Node *node);
