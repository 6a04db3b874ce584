/*
 * message.h — control messages between leader and nodes, and their bytes.
 *
 * Every request carries the leader's epoch, the greeting it builds upon, and the outcomes the node
 * has not acknowledged, so that it has applied whatever a snapshot needs before it reads. Decoding
 * trusts nothing: 08P01.
 */
#pragma once
#include "base/arena.h"
#include "base/byte_buffer.h"
#include "base/byte_reader.h"

#define MESSAGE_REDO_BYTES_MAX 16384u
#define MESSAGE_VERSION 6u
#define MESSAGE_NODES_MAX 256u
#define MESSAGE_SLICES_MAX 4096u
#define MESSAGE_LIST_MAX 65536u

typedef enum MessageKind {
#define MESSAGE(id, number, name) MESSAGE_##id = number,
#include "protocol/cluster/messages.def"
#undef MESSAGE
    MESSAGE_KIND_MAX = 63
} MessageKind;
const char *message_name(MessageKind kind);

typedef enum OutcomeState { OUTCOME_COMMITTED = 1, OUTCOME_ABORTED = 2 } OutcomeState;
typedef struct Outcome {
    uint64_t txn_id;
    uint64_t position; /* committed: in the commit log */
    uint8_t state;
    size_t redo_bytes; /* committed by a node without a sync: how it does so again; else 0 */
    const uint8_t *redo;
} Outcome;

typedef struct MessageSlice {
    uint32_t slice, node;
    uint16_t first_bucket, last_bucket;
} MessageSlice;

typedef struct MessagePeer {
    uint32_t endpoint;
    const char *address; /* base address; "": in the same process */
    uint64_t process;    /* changes with each start */
} MessagePeer;

typedef struct HelloMessage {
    uint8_t cluster_id[16];
    uint32_t node, node_count;
    uint64_t boot_id;             /* of the process that is meant */
    uint64_t map_epoch, position; /* newest commit */
    uint64_t txn_floor;           /* a new greeting forgets unprepared work of older transactions */
    uint64_t lease_first, lease_count;
    uint32_t slice_count, peer_count;
    MessageSlice *slices; /* of all nodes */
    MessagePeer *peers;
} HelloMessage;
typedef struct HelloReply {
    uint64_t applied_position, lease_left;
    uint32_t prepared_count;
    uint64_t *prepared; /* transactions of unknown outcome */
} HelloReply;

typedef struct RunMessage {
    uint64_t query_id, txn_id, position, map_epoch;
    uint32_t statement;
    bool is_replica_reader, has_statistics;
    bool is_voting;                    /* the transaction ends with this: PREPARE, too */
    bool takes_redo;                   /* a vote may be a redo */
    int64_t timeout_us;                /* 0: none */
    uint64_t lease_first, lease_count; /* more rowset ids; 0: none */
    size_t setting_bytes, plan_bytes;
    const uint8_t *settings, *plan;
} RunMessage;
typedef struct RunReply {
    uint64_t lease_left;
    bool has_writes; /* the node takes part in the transaction; has voted if that was asked for */
    size_t write_statistics_bytes, statistics_bytes;
    const uint8_t *write_statistics; /* as query_run_write_statistics makes it */
    const uint8_t *statistics;       /* plan node statistics, encoded */
    size_t redo_bytes;               /* 0: the vote is durable on the node */
    const uint8_t *redo;             /* for the leader's record */
} RunReply;

typedef struct CancelMessage {
    uint64_t query_id;
} CancelMessage;

typedef struct PrepareMessage {
    uint64_t txn_id;
} PrepareMessage;

typedef struct TruncateMessage {
    uint64_t txn_id, position, table_id;
    uint32_t statement;
    bool is_drop;
} TruncateMessage;

typedef struct RollbackMessage {
    uint64_t txn_id;
    uint32_t statement; /* this one and later ones */
} RollbackMessage;

typedef struct UsageMessage {
    uint64_t table_id, position;
} UsageMessage;
typedef struct UsageReply {
    uint32_t count;
    struct UsageRow {
        uint32_t slice;
        uint64_t rows, bytes, rowsets, insert_batches;
    } * rows;
} UsageReply;

typedef struct BeatMessage {
    uint8_t cluster_id[16]; /* zeroes: new here */
    uint32_t node;          /* 0: wants to join */
    uint64_t boot_id;       /* changes with each start */
    const char *address;    /* base address */
    uint64_t epoch, applied_position;
    uint64_t disk_free_bytes, memory_bytes;
} BeatMessage;

typedef struct Request {
    MessageKind kind;
    uint64_t epoch;
    uint64_t greeting; /* number of the HELLO it builds upon; 0 in beats */
    uint64_t horizon;  /* nobody reads at an older position any more */
    uint32_t outcome_count;
    Outcome *outcomes;
    union {
        HelloMessage hello;
        RunMessage run;
        CancelMessage cancel;
        PrepareMessage prepare;
        TruncateMessage truncate;
        RollbackMessage rollback;
        UsageMessage usage;
        BeatMessage beat;
    };
} Request;

typedef struct Reply {
    MessageKind kind;
    Status status; /* of the work; owned by the reply's user */
    union {
        HelloReply hello;
        RunReply run;
        UsageReply usage;
    };
} Reply;

void request_encode(const Request *request, ByteBuffer *target);
/* Views and copies live as long as `data` and `arena`. */
Status request_decode(const uint8_t *data, size_t bytes, Arena *arena, Request *out) CHECKED;
void reply_encode(const Reply *reply, ByteBuffer *target);
Status reply_decode(const uint8_t *data, size_t bytes, Arena *arena, Reply *out) CHECKED;
/* Statuses cross the wire unchanged. */
void status_encode(Status status, ByteBuffer *target);
Status status_decode(ByteReader *reader, Arena *arena, Status *out) CHECKED;
