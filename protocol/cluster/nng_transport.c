/*
 * nng_transport.c — the door to nng: REQ/REP for calls, PUSH/PULL for messages.
 *
 * What nng needs to be told (all seen in tests): REQ re-sends by itself unless the resend time is
 * infinite; receive sizes are unlimited unless set; a lost pipe is silent for the sender unless
 * pipe events are watched; nng must not be used after fork.
 *
 * What nng does wrong in all versions up to 1.11 (how sockets are closed is told in
 * socket_end_internal.h): a PUSH socket whose pipe is closed while a message has just
 * left it lists the pipe as ready once more, behind its end; the next message is then sent through
 * freed memory. So a link sends nothing through a socket whose pipe is gone: it gets another one.
 */
#include "protocol/cluster/transport.h"

#include <nng/nng.h>
#include <nng/protocol/pipeline0/pull.h>
#include <nng/protocol/pipeline0/push.h>
#include <nng/protocol/reqrep0/rep.h>
#include <nng/protocol/reqrep0/req.h>
#include <nng/transport/inproc/inproc.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mutex.h"
#include "base/thread.h"
#include "protocol/cluster/socket_end_internal.h"

#define RECONNECT_MIN_MS 20
#define RECONNECT_MAX_MS 250
#define LINK_FLUSH_US 1000000

struct TransportRequest {
    TransportServer *server;
    nng_ctx ctx;
    nng_aio *aio;
    nng_msg *message;
    enum { REQUEST_RECEIVING, REQUEST_OPEN, REQUEST_REPLYING } state;
};

struct TransportServer {
    nng_socket socket;
    Uses uses;
    uint32_t request_count;
    TransportRequest *requests;
    void (*request_cb)(void *object, TransportRequest *owned_request);
    void *object;
};

typedef struct PeerCall {
    TransportPeer *peer;
    nng_ctx ctx;
    nng_aio *aio;
    bool is_receiving;
    void (*done_cb)(void *object, Status owned_status, const uint8_t *data, size_t bytes);
    void *object;
    struct PeerCall *next_free;
} PeerCall;

struct TransportPeer {
    nng_socket socket;
    Uses uses;
    char *address;
    void (*lost_cb)(void *object);
    void *object;
    Mutex mutex;
    Condition idle;
    PeerCall *free_calls;
    uint32_t active_count;
};

struct TransportInbox {
    nng_socket socket;
    nng_aio *aio;
    void (*message_cb)(void *object, TransportMessage *owned_message);
    void *object;
};

typedef struct LinkSend {
    TransportLink *link;
    nng_aio *aio;
    uint64_t generation; /* of the socket it went to */
    struct LinkSend *next_free, *next_made;
} LinkSend;

struct TransportLink {
    nng_socket socket; /* has had one pipe at most */
    uint64_t generation;
    bool is_lost; /* that pipe is gone, and there is no other socket yet */
    char *address;
    uint32_t replaced_count; /* former sockets that are being closed */
    void (*lost_cb)(void *object);
    void *object;
    Mutex mutex;
    Condition idle;
    LinkSend *free_sends;
    LinkSend *made_sends; /* all of them */
    uint32_t active_count;
    uint32_t starting_count; /* being handed to nng */
    bool is_closing;
};

static Status nng_error(int error, const char *what, const char *address)
{
    return status_error(SQLSTATE_CONNECTION_FAILURE, "%s %s: %s", what, address,
                        nng_strerror(error));
}

static Status set_limits(nng_socket socket)
{
    int error = nng_socket_set_size(socket, NNG_OPT_RECVMAXSZ, TRANSPORT_MESSAGE_MAX);
    if (error == 0) {
        error = nng_socket_set_ms(socket, NNG_OPT_RECONNMINT, RECONNECT_MIN_MS);
    }
    if (error == 0) {
        error = nng_socket_set_ms(socket, NNG_OPT_RECONNMAXT, RECONNECT_MAX_MS);
    }
    return error == 0 ? STATUS_OK : nng_error(error, "could not set up", "a socket");
}

/* ---- calls: the answering side ---- */

static void request_listen(TransportRequest *request)
{
    Uses *uses = &request->server->uses;
    if (use_begin(uses)) {
        request->state = REQUEST_RECEIVING;
        nng_ctx_recv(request->ctx, request->aio);
        use_end(uses);
    }
}

static void request_aio_cb(void *object)
{
    TransportRequest *request = object;
    int error = nng_aio_result(request->aio);
    if (request->state == REQUEST_REPLYING && error != 0) {
        nng_msg_free(nng_aio_get_msg(request->aio)); // the caller is gone, or we are
    }
    if (error == NNG_ECLOSED) {
        return; // the server is closing
    }
    if (request->state == REQUEST_REPLYING || error != 0) {
        request_listen(request);
        return;
    }
    request->message = nng_aio_get_msg(request->aio);
    request->state = REQUEST_OPEN;
    request->server->request_cb(request->server->object, request);
}

static void server_close(TransportServer *server)
{
    if (server == NULL) {
        return;
    }
    uses_end(&server->uses);
    socket_end(server->socket);
    for (uint32_t i = 0; i < server->request_count; i++) {
        TransportRequest *request = &server->requests[i];
        if (request->aio != NULL) {
            nng_aio_stop(request->aio);
            nng_aio_free(request->aio);
        }
        if (request->message != NULL) {
            nng_msg_free(request->message);
        }
    }
    uses_deinit(&server->uses);
    free(server->requests);
    free(server);
}

static Status serve(Transport *self, const char *address, uint32_t parallel_max,
                    void (*request_cb)(void *object, TransportRequest *owned_request), void *object,
                    TransportServer **out)
{
    (void)self;
    TransportServer *server = calloc(1, sizeof(*server));
    if (server == NULL) {
        return status_error(SQLSTATE_OUT_OF_MEMORY, "no memory for a server");
    }
    Status status = STATUS_OK;
    int error = nng_rep0_open(&server->socket);
    if (error != 0) {
        free(server);
        return nng_error(error, "could not open a server at", address);
    }
    uses_init(&server->uses);
    server->request_cb = request_cb;
    server->object = object;
    server->requests = calloc(parallel_max, sizeof(*server->requests));
    TRY_OR(cleanup, set_limits(server->socket));
    for (uint32_t i = 0; server->requests != NULL && i < parallel_max && error == 0; i++) {
        TransportRequest *request = &server->requests[i];
        request->server = server;
        error = nng_ctx_open(&request->ctx, server->socket);
        if (error == 0) {
            error = nng_aio_alloc(&request->aio, request_aio_cb, request);
        }
        server->request_count = i + 1;
    }
    if (error == 0) {
        error =
            server->requests == NULL ? NNG_ENOMEM : nng_listen(server->socket, address, NULL, 0);
    }
    if (error != 0) {
        status = nng_error(error, "could not listen on", address);
        goto cleanup;
    }
    for (uint32_t i = 0; i < parallel_max; i++) {
        request_listen(&server->requests[i]);
    }
    *out = server;
    return STATUS_OK;
cleanup:
    server_close(server);
    return status;
}

static const uint8_t *request_data(const TransportRequest *request, size_t *bytes)
{
    *bytes = nng_msg_len(request->message);
    return nng_msg_body(request->message);
}

static void reply(TransportRequest *owned_request, const void *data, size_t bytes)
{
    TransportRequest *request = owned_request;
    nng_msg *message = request->message;
    request->message = NULL;
    nng_msg_clear(message);
    if (nng_msg_append(message, data, bytes) != 0) {
        nng_msg_clear(message); // an empty reply: the caller reports a malformed one
    }
    Uses *uses = &request->server->uses;
    if (!use_begin(uses)) {
        nng_msg_free(message);
        return;
    }
    request->state = REQUEST_REPLYING;
    nng_aio_set_msg(request->aio, message);
    nng_ctx_send(request->ctx, request->aio);
    use_end(uses);
}

/* ---- calls: the asking side ---- */

static void call_end(PeerCall *call)
{
    TransportPeer *peer = call->peer;
    mutex_lock(&peer->mutex);
    call->next_free = peer->free_calls;
    peer->free_calls = call;
    peer->active_count--;
    if (peer->active_count == 0) {
        condition_broadcast(&peer->idle);
    }
    mutex_unlock(&peer->mutex);
}

static void call_aio_cb(void *object)
{
    PeerCall *call = object;
    Uses *uses = &call->peer->uses;
    int error = nng_aio_result(call->aio);
    if (error == 0 && !call->is_receiving) {
        call->is_receiving = true;
        if (use_begin(uses)) {
            nng_ctx_recv(call->ctx, call->aio);
            use_end(uses);
            return;
        }
        error = NNG_ECLOSED;
    }
    if (error != 0) {
        if (!call->is_receiving) {
            nng_msg_free(nng_aio_get_msg(call->aio));
        }
        Status status = error == NNG_ETIMEDOUT
                            ? status_error(SQLSTATE_CONNECTION_FAILURE, "no answer from %s in time",
                                           call->peer->address)
                            : nng_error(error, "lost the connection to", call->peer->address);
        call->done_cb(call->object, status, NULL, 0);
    } else {
        nng_msg *message = nng_aio_get_msg(call->aio);
        call->done_cb(call->object, STATUS_OK, nng_msg_body(message), nng_msg_len(message));
        nng_msg_free(message);
    }
    call_end(call);
}

static void peer_pipe_cb(nng_pipe pipe, nng_pipe_ev event, void *object)
{
    (void)pipe;
    TransportPeer *peer = object;
    if (event == NNG_PIPE_EV_REM_POST) {
        peer->lost_cb(peer->object);
    }
}

static Status peer_open(Transport *self, const char *address, void (*lost_cb)(void *object),
                        void *object, TransportPeer **out)
{
    (void)self;
    TransportPeer *peer = calloc(1, sizeof(*peer));
    if (peer == NULL || (peer->address = strdup(address)) == NULL) {
        free(peer);
        return status_error(SQLSTATE_OUT_OF_MEMORY, "no memory for a peer");
    }
    peer->lost_cb = lost_cb;
    peer->object = object;
    mutex_init(&peer->mutex, MUTEX_RANK_PEER);
    condition_init(&peer->idle);
    uses_init(&peer->uses);
    int error = nng_req0_open(&peer->socket);
    if (error != 0) {
        free(peer->address);
        free(peer);
        return nng_error(error, "could not open a connection to", address);
    }
    Status status = set_limits(peer->socket);
    if (status == STATUS_OK) {
        error = nng_socket_set_ms(peer->socket, NNG_OPT_REQ_RESENDTIME, NNG_DURATION_INFINITE);
        if (error == 0) {
            error = nng_pipe_notify(peer->socket, NNG_PIPE_EV_REM_POST, peer_pipe_cb, peer);
        }
        if (error == 0) {
            error = nng_dial(peer->socket, address, NULL, NNG_FLAG_NONBLOCK);
        }
        status = error == 0 ? STATUS_OK : nng_error(error, "could not dial", address);
    }
    if (status != STATUS_OK) {
        nng_close(peer->socket);
        free(peer->address);
        free(peer);
        return status;
    }
    *out = peer;
    return STATUS_OK;
}

/* A call object from the free list, or a new one; null without memory. */
static PeerCall *call_take(TransportPeer *peer)
{
    mutex_lock(&peer->mutex);
    PeerCall *call = peer->free_calls;
    if (call != NULL) {
        peer->free_calls = call->next_free;
    } else if ((call = calloc(1, sizeof(*call))) != NULL) {
        call->peer = peer;
        if (nng_ctx_open(&call->ctx, peer->socket) != 0) {
            free(call);
            call = NULL;
        } else if (nng_aio_alloc(&call->aio, call_aio_cb, call) != 0) {
            nng_ctx_close(call->ctx);
            free(call);
            call = NULL;
        }
    }
    if (call != NULL) {
        peer->active_count++;
    }
    mutex_unlock(&peer->mutex);
    return call;
}

static void call(TransportPeer *peer, const void *data, size_t bytes, int64_t timeout_us,
                 void (*done_cb)(void *object, Status owned_status, const uint8_t *data,
                                 size_t bytes),
                 void *object)
{
    bool may_use = use_begin(&peer->uses);
    PeerCall *made = may_use ? call_take(peer) : NULL;
    nng_msg *message = NULL;
    if (made == NULL || bytes > TRANSPORT_MESSAGE_MAX || nng_msg_alloc(&message, 0) != 0 ||
        nng_msg_append(message, data, bytes) != 0) {
        nng_msg_free(message);
        if (made != NULL) {
            call_end(made);
        }
        if (may_use) {
            use_end(&peer->uses);
        }
        done_cb(object,
                status_error(SQLSTATE_CONNECTION_FAILURE, "could not call %s", peer->address), NULL,
                0);
        return;
    }
    made->is_receiving = false;
    made->done_cb = done_cb;
    made->object = object;
    int64_t timeout_ms = (timeout_us + 999) / 1000;
    nng_aio_set_timeout(made->aio, timeout_ms > INT32_MAX ? INT32_MAX : (nng_duration)timeout_ms);
    nng_aio_set_msg(made->aio, message);
    nng_ctx_send(made->ctx, made->aio);
    use_end(&peer->uses);
}

static void peer_close(TransportPeer *peer)
{
    if (peer == NULL) {
        return;
    }
    uses_end(&peer->uses);
    nng_pipe_notify(peer->socket, NNG_PIPE_EV_REM_POST, NULL, NULL);
    socket_end(peer->socket); // every outstanding call ends with NNG_ECLOSED
    mutex_lock(&peer->mutex);
    while (peer->active_count > 0) {
        condition_wait(&peer->idle, &peer->mutex, 100000);
    }
    mutex_unlock(&peer->mutex);
    while (peer->free_calls != NULL) {
        PeerCall *next = peer->free_calls->next_free;
        nng_aio_stop(peer->free_calls->aio);
        nng_aio_free(peer->free_calls->aio);
        free(peer->free_calls);
        peer->free_calls = next;
    }
    uses_deinit(&peer->uses);
    condition_deinit(&peer->idle);
    mutex_deinit(&peer->mutex);
    free(peer->address);
    free(peer);
}

/* ---- messages ---- */

static void inbox_aio_cb(void *object)
{
    TransportInbox *inbox = object;
    int error = nng_aio_result(inbox->aio);
    if (error == NNG_ECLOSED || error == NNG_ECANCELED) {
        return;
    }
    if (error == 0) {
        nng_msg *message = nng_aio_get_msg(inbox->aio);
        inbox->message_cb(inbox->object, (TransportMessage *)message);
    }
    nng_recv_aio(inbox->socket, inbox->aio);
}

static void inbox_close(TransportInbox *inbox)
{
    if (inbox == NULL) {
        return;
    }
    if (inbox->aio != NULL) {
        nng_aio_stop(inbox->aio); // no callback runs from here on
    }
    socket_end(inbox->socket);
    if (inbox->aio != NULL) {
        nng_aio_free(inbox->aio);
    }
    free(inbox);
}

static Status inbox_open(Transport *self, const char *address,
                         void (*message_cb)(void *object, TransportMessage *owned_message),
                         void *object, TransportInbox **out)
{
    (void)self;
    TransportInbox *inbox = calloc(1, sizeof(*inbox));
    if (inbox == NULL) {
        return status_error(SQLSTATE_OUT_OF_MEMORY, "no memory for an inbox");
    }
    inbox->message_cb = message_cb;
    inbox->object = object;
    int error = nng_pull0_open(&inbox->socket);
    if (error != 0) {
        free(inbox);
        return nng_error(error, "could not open an inbox at", address);
    }
    Status status = set_limits(inbox->socket);
    if (status == STATUS_OK) {
        error = nng_aio_alloc(&inbox->aio, inbox_aio_cb, inbox);
        if (error == 0) {
            error = nng_listen(inbox->socket, address, NULL, 0);
        }
        status = error == 0 ? STATUS_OK : nng_error(error, "could not listen on", address);
    }
    if (status != STATUS_OK) {
        inbox_close(inbox);
        return status;
    }
    nng_recv_aio(inbox->socket, inbox->aio);
    *out = inbox;
    return STATUS_OK;
}

static void link_pipe_cb(nng_pipe pipe, nng_pipe_ev event, void *object);

static Status open_link_socket(TransportLink *link, nng_socket *out)
{
    int error = nng_push0_open(out);
    if (error != 0) {
        return nng_error(error, "could not open a link to", link->address);
    }
    Status status = set_limits(*out);
    if (status == STATUS_OK) {
        error = nng_pipe_notify(*out, NNG_PIPE_EV_REM_POST, link_pipe_cb, link);
        status = error == 0 ? STATUS_OK : nng_error(error, "could not watch", link->address);
    }
    if (status != STATUS_OK) {
        nng_close(*out);
    }
    return status;
}

/* A former socket of a link, closed by a thread of its own. */
typedef struct FormerSocket {
    TransportLink *link;
    nng_socket socket;
} FormerSocket;

static void close_former_main(void *object)
{
    FormerSocket *former = object;
    TransportLink *link = former->link;
    nng_pipe_notify(former->socket, NNG_PIPE_EV_REM_POST, NULL, NULL);
    nng_close(former->socket); // what still waits in it ends
    free(former);
    mutex_lock(&link->mutex);
    link->replaced_count--;
    condition_broadcast(&link->idle);
    mutex_unlock(&link->mutex);
}

static Status start_closing(TransportLink *link, nng_socket socket)
{
    FormerSocket *former = calloc(1, sizeof(*former));
    if (former == NULL) {
        return status_error(SQLSTATE_OUT_OF_MEMORY, "no memory to close a link");
    }
    *former = (FormerSocket){.link = link, .socket = socket};
    Thread thread;
    Status status = thread_start(&thread, "close", -1, close_former_main, former);
    if (status != STATUS_OK) {
        free(former);
        return status;
    }
    thread_detach(&thread);
    return STATUS_OK;
}

/* Gives the link another socket when its own has lost its pipe. */
static Status replace_socket(TransportLink *link)
{
    nng_socket fresh, former;
    TRY(open_link_socket(link, &fresh));
    mutex_lock(&link->mutex);
    bool is_needed = link->is_lost && !link->is_closing;
    former = is_needed ? link->socket : fresh;
    if (is_needed) {
        link->socket = fresh;
        link->generation++;
        link->is_lost = false;
    }
    link->replaced_count++;
    mutex_unlock(&link->mutex);
    Status status = start_closing(link, former);
    if (status != STATUS_OK) { // it stays as it is: nobody sends through it any more
        mutex_lock(&link->mutex);
        link->replaced_count--;
        mutex_unlock(&link->mutex);
        status_ignore(status, "a socket is left behind");
    }
    if (is_needed) {
        int error = nng_dial(fresh, link->address, NULL, NNG_FLAG_NONBLOCK);
        return error == 0 ? STATUS_OK : nng_error(error, "could not dial", link->address);
    }
    return STATUS_OK;
}

/* The pipe is freed when this returns: nobody may be sending then, nor later. */
static void link_pipe_cb(nng_pipe pipe, nng_pipe_ev event, void *object)
{
    TransportLink *link = object;
    if (event != NNG_PIPE_EV_REM_POST) {
        return;
    }
    mutex_lock(&link->mutex);
    bool is_own = nng_socket_id(nng_pipe_socket(pipe)) == nng_socket_id(link->socket);
    link->is_lost = link->is_lost || is_own;
    while (is_own && link->starting_count > 0) { // ends: handing over waits for nothing
        condition_wait(&link->idle, &link->mutex, 50000);
    }
    bool is_closing = link->is_closing;
    mutex_unlock(&link->mutex);
    if (is_own) {
        link->lost_cb(link->object);
    }
    if (is_own && !is_closing) {
        status_ignore(replace_socket(link), "the next message tries again");
    }
}

static void send_end(LinkSend *send_state)
{
    TransportLink *link = send_state->link;
    mutex_lock(&link->mutex);
    send_state->next_free = link->free_sends;
    link->free_sends = send_state;
    link->active_count--;
    if (link->active_count == 0) {
        condition_broadcast(&link->idle);
    }
    mutex_unlock(&link->mutex);
}

static void send_aio_cb(void *object)
{
    LinkSend *send_state = object;
    TransportLink *link = send_state->link;
    if (nng_aio_result(send_state->aio) != 0) {
        nng_msg_free(nng_aio_get_msg(send_state->aio));
        mutex_lock(&link->mutex);
        bool is_told = send_state->generation != link->generation; // when that pipe was lost
        mutex_unlock(&link->mutex);
        if (!is_told) {
            link->lost_cb(link->object);
        }
    }
    send_end(send_state);
}

static Status link_open(Transport *self, const char *address, void (*lost_cb)(void *object),
                        void *object, TransportLink **out)
{
    (void)self;
    TransportLink *link = calloc(1, sizeof(*link));
    if (link == NULL || (link->address = strdup(address)) == NULL) {
        free(link);
        return status_error(SQLSTATE_OUT_OF_MEMORY, "no memory for a link");
    }
    link->lost_cb = lost_cb;
    link->object = object;
    mutex_init(&link->mutex, MUTEX_RANK_PEER);
    condition_init(&link->idle);
    Status status = open_link_socket(link, &link->socket);
    if (status == STATUS_OK) {
        int error = nng_dial(link->socket, address, NULL, NNG_FLAG_NONBLOCK);
        if (error != 0) {
            nng_close(link->socket);
            status = nng_error(error, "could not dial", address);
        }
    }
    if (status != STATUS_OK) {
        free(link->address);
        free(link);
        return status;
    }
    *out = link;
    return STATUS_OK;
}

static void link_reset(TransportLink *link)
{
    mutex_lock(&link->mutex);
    link->is_lost = true;
    while (link->starting_count > 0) { // ends: handing over waits for nothing
        condition_wait(&link->idle, &link->mutex, 50000);
    }
    mutex_unlock(&link->mutex);
    status_ignore(replace_socket(link), "the next message tries again");
}

static Status message_create(Transport *self, size_t bytes, TransportMessage **out)
{
    (void)self;
    nng_msg *message = NULL;
    if (bytes > TRANSPORT_MESSAGE_MAX || nng_msg_alloc(&message, bytes) != 0) {
        return status_error(SQLSTATE_OUT_OF_MEMORY, "no memory for a message of %zu bytes", bytes);
    }
    *out = (TransportMessage *)message;
    return STATUS_OK;
}

static uint8_t *message_data(TransportMessage *message, size_t *bytes)
{
    *bytes = nng_msg_len((nng_msg *)message);
    return nng_msg_body((nng_msg *)message);
}

static void message_destroy(TransportMessage *owned_message)
{
    nng_msg_free((nng_msg *)owned_message);
}

static Status send(TransportLink *link, TransportMessage *owned_message)
{
    mutex_lock(&link->mutex);
    if (link->is_lost && !link->is_closing) {
        mutex_unlock(&link->mutex);
        status_ignore(replace_socket(link), "the message is refused below");
        mutex_lock(&link->mutex);
    }
    LinkSend *made = link->free_sends;
    if (link->is_closing || link->is_lost) {
        made = NULL;
    } else if (made != NULL) {
        link->free_sends = made->next_free;
        link->active_count++;
    } else if ((made = calloc(1, sizeof(*made))) != NULL) {
        made->link = link;
        if (nng_aio_alloc(&made->aio, send_aio_cb, made) != 0) {
            free(made);
            made = NULL;
        } else {
            made->next_made = link->made_sends;
            link->made_sends = made;
            link->active_count++;
        }
    }
    if (made == NULL) {
        mutex_unlock(&link->mutex);
        nng_msg_free((nng_msg *)owned_message);
        return status_error(SQLSTATE_CONNECTION_FAILURE, "could not send to a peer");
    }
    nng_aio_set_timeout(made->aio, NNG_DURATION_INFINITE);
    nng_aio_set_msg(made->aio, (nng_msg *)owned_message);
    link->starting_count++;
    made->generation = link->generation;
    nng_socket socket = link->socket;
    mutex_unlock(&link->mutex);
    nng_send_aio(socket, made->aio);
    mutex_lock(&link->mutex);
    link->starting_count--;
    condition_broadcast(&link->idle);
    mutex_unlock(&link->mutex);
    return STATUS_OK;
}

static void link_close(TransportLink *link)
{
    if (link == NULL) {
        return;
    }
    int64_t deadline = clock_monotonic_us() + LINK_FLUSH_US;
    mutex_lock(&link->mutex);
    link->is_closing = true;
    while (link->active_count > 0 && clock_monotonic_us() < deadline) {
        condition_wait(&link->idle, &link->mutex, 50000);
    }
    while (link->starting_count > 0) { // ends: handing over waits for nothing
        condition_wait(&link->idle, &link->mutex, 50000);
    }
    mutex_unlock(&link->mutex);
    nng_pipe_notify(link->socket, NNG_PIPE_EV_REM_POST, NULL, NULL);
    for (LinkSend *made = link->made_sends; made != NULL; made = made->next_made) {
        nng_aio_stop(made->aio); // what could not be flushed ends here
    }
    socket_end(link->socket);
    deadline = socket_end_deadline();
    mutex_lock(&link->mutex);
    while (link->replaced_count > 0 && clock_monotonic_us() < deadline) {
        condition_wait(&link->idle, &link->mutex, 50000);
    }
    bool is_left_behind = link->replaced_count > 0;
    mutex_unlock(&link->mutex);
    while (link->made_sends != NULL) {
        LinkSend *next = link->made_sends->next_made;
        nng_aio_free(link->made_sends->aio);
        free(link->made_sends);
        link->made_sends = next;
    }
    if (is_left_behind) { // nng holds a former socket, and the link with it
        log_warn("close_given_up", "socket=%d", nng_socket_id(link->socket));
        return;
    }
    condition_deinit(&link->idle);
    mutex_deinit(&link->mutex);
    free(link->address);
    free(link);
}

static const TransportOps nng_ops = {
    .serve = serve,
    .server_close = server_close,
    .request_data = request_data,
    .reply = reply,
    .peer_open = peer_open,
    .call = call,
    .peer_close = peer_close,
    .inbox_open = inbox_open,
    .inbox_close = inbox_close,
    .link_open = link_open,
    .link_reset = link_reset,
    .message_create = message_create,
    .message_data = message_data,
    .message_destroy = message_destroy,
    .send = send,
    .link_close = link_close,
};

Transport *transport_nng(void)
{
    static Transport transport = {.ops = &nng_ops};
    return &transport;
}
