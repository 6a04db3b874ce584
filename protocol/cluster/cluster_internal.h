/* cluster_internal.h — shared by the port, the hub, senders and receivers. */
#pragma once
#include "base/mutex.h"
#include "protocol/cluster/cluster_port.h"
#include "protocol/cluster/frame.h"

#define HUB_BUCKETS 256u
#define TOMBSTONES 4096u
#define LOCAL_BATCHES_MAX 64u /* batches by pointer a stream may hold */
#define STREAM_CREDITS 4u     /* messages a stream may have on its way */
#define REASSEMBLY_BYTES_MAX (256u << 20)

/* What waits in a stream: a batch by pointer, or the bytes of one message. */
typedef struct StreamItem {
    struct StreamItem *next;
    SharedBatch *batch; /* or */
    uint8_t *bytes;     /* malloc'ed, `byte_count` and 64 readable more; or */
    size_t byte_count;
    TransportMessage *message; /* a whole frame */
    bool has_credit;           /* taking it gives the sender a credit */
    bool is_piece;             /* once taken: its payload went to the queue's partial */
    uint8_t *whole;            /* once taken: malloc'ed, all the pieces it completes */
    size_t whole_bytes;
} StreamItem;

typedef struct StreamQueue { /* one source of an inflow */
    bool is_known;           /* a source of this exchange */
    StreamItem *first, *last;
    uint32_t queued_count;
    uint64_t received_count; /* data messages (or local batches) so far */
    uint64_t expected_count; /* UINT64_MAX until the end mark */
    uint32_t next_sequence;
    uint32_t credits_owed; /* taken, not yet told */
    uint8_t *partial;      /* payload of an unfinished large batch */
    size_t partial_bytes;
    Waker sender_waker; /* a local sender that waits for room */
    bool is_sender_waiting;
} StreamQueue;

/* All streams of one (query, exchange) that end at this hub. */
typedef struct Inflow {
    struct Inflow *next; /* in the hub's bucket */
    StreamHub *hub;
    uint64_t query_id;
    uint32_t exchange_id;
    uint32_t reference_count; /* guarded by the hub's mutex */
    Mutex mutex;              /* guards all below */
    bool has_receiver, is_stopped;
    Waker receiver_waker;
    bool is_receiver_waiting;
    Status failure;
    uint32_t source_count; /* 0 until the receiver is open */
    uint32_t turn;
    uint64_t bytes, rows;
    StreamQueue *queues; /* ENDPOINT_MAX, by source endpoint; allocated in blocks */
    uint32_t queue_capacity;
} Inflow;

struct StreamSender {
    struct StreamSender *next; /* in the hub's bucket */
    StreamHub *hub;
    StreamKey key;
    bool is_encoded; /* encode even for a local target */
    Inflow *local;   /* target in this process; else null */
    Mutex mutex;     /* guards all below */
    Waker waker;
    bool is_waiting, is_stopped, is_finished;
    bool is_over; /* the target is in this process and has ended the query */
    Status failure;
    uint32_t credits;
    uint32_t sequence;
    uint64_t rows, bytes, buffered_rows;
    uint8_t *buffer; /* encoded batches not yet sent */
    size_t buffer_bytes, buffer_capacity;
};

struct StreamHub {
    ClusterPort *port;
    uint32_t endpoint;
    MemoryBudget *budget; /* batches by pointer are charged here while they wait */
    Mutex mutex;          /* guards the tables */
    Inflow *inflows[HUB_BUCKETS];
    StreamSender *senders[HUB_BUCKETS];
    uint64_t tombstones[TOMBSTONES];
};

/* The port. */
StreamHub *cluster_port_hub(ClusterPort *port, uint32_t endpoint); /* null: another process */
MemoryBudget *cluster_port_budget(ClusterPort *port);
/* Sends a frame to another process; 08006 when there is no link. */
Status cluster_port_send(ClusterPort *port, uint32_t endpoint, FrameHeader *header,
                         const void *payload, size_t payload_bytes) CHECKED;
void cluster_port_add_hub(ClusterPort *port, StreamHub *hub);
void cluster_port_remove_hub(ClusterPort *port, StreamHub *hub);

/* The hub: what the port delivers, on a network thread. */
void stream_hub_deliver(StreamHub *hub, const FrameHeader *header, TransportMessage *owned_message);
void stream_hub_endpoint_lost(StreamHub *hub, uint32_t endpoint);

/* Inflows: found or made (null: the query is over here); each find is a reference. */
Inflow *stream_hub_find_inflow(StreamHub *hub, uint64_t query_id, uint32_t exchange_id);
void stream_hub_release_inflow(StreamHub *hub, Inflow *inflow);
StreamQueue *inflow_queue(Inflow *inflow, uint32_t source); /* under its mutex; null: no memory */
/* Adds an item and wakes the receiver; frees it when nobody wants it. Under the inflow's mutex. */
void inflow_add(Inflow *inflow, StreamQueue *queue, StreamItem *owned_item);
void inflow_end(Inflow *inflow, StreamQueue *queue, uint64_t message_count);
void inflow_wake(Inflow *inflow);
void stream_item_free(StreamItem *owned_item);
void stream_hub_add_sender(StreamHub *hub, StreamSender *sender);
void stream_hub_remove_sender(StreamHub *hub, StreamSender *sender);
bool stream_hub_is_over(StreamHub *hub, uint64_t query_id); /* tombstoned */
