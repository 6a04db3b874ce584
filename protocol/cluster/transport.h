/*
 * transport.h — how processes reach each other: calls for control, messages for data.
 *
 * A table of functions, so that a simulator can stand in for nng (nng_transport.c and socket_end.c
 * are its only door).
 * Callbacks (`_cb`) run on network threads: they check, enqueue and return.
 *
 * Promises: a call is answered, fails, or times out, once; it is never sent twice. Messages of one
 * link and class arrive in order or not at all; a lost connection is reported, and messages that
 * were accepted before it may be gone.
 */
#pragma once
#include "base/status.h"

#define TRANSPORT_MESSAGE_MAX (16u << 20) /* bytes of any message or call */

typedef struct Transport Transport;
typedef struct TransportServer TransportServer;   /* answers calls */
typedef struct TransportPeer TransportPeer;       /* makes calls to one server */
typedef struct TransportRequest TransportRequest; /* one call that came in */
typedef struct TransportInbox TransportInbox;     /* receives messages */
typedef struct TransportLink TransportLink;       /* sends messages to one inbox */
typedef struct TransportMessage TransportMessage;

typedef struct TransportOps {
    /* Calls. `request_cb` owns the request: it must end in `reply`, from any thread. */
    Status (*serve)(Transport *self, const char *address, uint32_t parallel_max,
                    void (*request_cb)(void *object, TransportRequest *owned_request), void *object,
                    TransportServer **out);
    void (*server_close)(TransportServer *server); /* after it no callback runs */
    const uint8_t *(*request_data)(const TransportRequest *request, size_t *bytes);
    void (*reply)(TransportRequest *owned_request, const void *data, size_t bytes);
    /* Dials in the background and again after a loss; `lost_cb` when an established connection
     * ends, never after peer_close. */
    Status (*peer_open)(Transport *self, const char *address, void (*lost_cb)(void *object),
                        void *object, TransportPeer **out);
    /* `done_cb` is called once: with the reply (borrowed bytes), or with an owned error (08006). */
    void (*call)(TransportPeer *peer, const void *data, size_t bytes, int64_t timeout_us,
                 void (*done_cb)(void *object, Status owned_status, const uint8_t *data,
                                 size_t bytes),
                 void *object);
    void (*peer_close)(TransportPeer *peer); /* outstanding calls end with 08006 first */

    /* Messages. */
    Status (*inbox_open)(Transport *self, const char *address,
                         void (*message_cb)(void *object, TransportMessage *owned_message),
                         void *object, TransportInbox **out);
    void (*inbox_close)(TransportInbox *inbox);
    /* `lost_cb` when an established connection ends. */
    Status (*link_open)(Transport *self, const char *address, void (*lost_cb)(void *object),
                        void *object, TransportLink **out);
    Status (*message_create)(Transport *self, size_t bytes, TransportMessage **out);
    uint8_t *(*message_data)(TransportMessage *message, size_t *bytes);
    void (*message_destroy)(TransportMessage *owned_message);
    /* Queues; a later failure to send is reported by `lost_cb`. */
    Status (*send)(TransportLink *link, TransportMessage *owned_message);
    /* The peer's process is another one: connects anew, whatever became of the former connection.
     * What was sent and has not left is dropped. */
    void (*link_reset)(TransportLink *link);
    void (*link_close)(TransportLink *link); /* flushes for at most a second */
} TransportOps;

struct Transport {
    const TransportOps *ops;
};

Transport *transport_nng(void);
