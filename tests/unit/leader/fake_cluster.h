/*
 * fake_cluster.h — nodes that answer at once, behind a transport that is a table of functions.
 *
 * Every request is written into a log of words such as "prepare 1"; a test may let a node refuse a
 * kind of request, or never hear of it.
 */
#pragma once
#include "base/clock.h"
#include "base/mutex.h"
#include "leader/membership/nodes.h"
#include "tests/unit/leader/leader_fixture.h"

typedef struct FakeNode {
    uint64_t boot_id, applied_position;
    MessageKind refused_kind; /* answered with `refusal`; 0: none */
    SqlState refusal;
    uint32_t prepared_count; /* told at the next HELLO */
    uint64_t prepared[4];
    uint32_t hello_count;   /* atomic: tests wait for greetings */
    uint32_t outcome_count; /* of the newest request that brought some */
    Outcome outcomes[8];
} FakeNode;

struct TransportPeer {
    uint32_t node;
};

struct TransportMessage {
    size_t bytes;
    uint8_t data[];
};

struct TransportInbox {
    void (*message_cb)(void *object, TransportMessage *owned_message);
    void *object;
};

static FakeNode fake_nodes[NODES + 1];
static TransportInbox fake_inbox;
static char request_log[4096]; /* written by whoever calls; tests read it between calls */
static Nodes *nodes;
static ClusterPort *port;
static PagePool *pool;
static MemoryBudget *budget;

static inline Status fake_peer_open(Transport *self, const char *address, void (*lost_cb)(void *),
                                    void *object, TransportPeer **out)
{
    (void)self, (void)lost_cb, (void)object;
    *out = calloc(1, sizeof **out);
    ck_assert_int_eq(sscanf(address, "fake://%u", &(*out)->node), 1);
    return STATUS_OK;
}

static inline void fake_peer_close(TransportPeer *peer)
{
    free(peer);
}

static inline Status fake_answer(FakeNode *node, const Request *request, Reply *reply)
{
    if (request->kind == __atomic_load_n(&node->refused_kind, __ATOMIC_RELAXED)) {
        return status_error(node->refusal, "refused by the test");
    }
    if (request->outcome_count > 0) {
        node->outcome_count = request->outcome_count;
        memcpy(node->outcomes, request->outcomes, request->outcome_count * sizeof(Outcome));
    }
    if (request->kind == MESSAGE_HELLO) {
        reply->hello = (HelloReply){.applied_position = node->applied_position,
                                    .prepared_count = node->prepared_count,
                                    .prepared = node->prepared};
    }
    return STATUS_OK;
}

static inline void fake_call(TransportPeer *peer, const void *data, size_t bytes,
                             int64_t timeout_us,
                             void (*done_cb)(void *, Status, const uint8_t *, size_t), void *object)
{
    (void)timeout_us;
    Arena *request_arena = arena_create(NULL, "request");
    Request request;
    ByteBuffer answer;
    byte_buffer_init(&answer, 1 << 20);
    ck_assert_ok(request_decode(data, bytes, request_arena, &request));
    Reply reply = {.kind = request.kind};
    static Mutex mutex = MUTEX_STATIC(MUTEX_RANK_LOG); // the membership thread calls, too
    mutex_lock(&mutex);
    size_t length = strlen(request_log);
    snprintf(request_log + length, sizeof request_log - length, "%s %u, ",
             message_name(request.kind), peer->node);
    reply.status = fake_answer(&fake_nodes[peer->node], &request, &reply);
    mutex_unlock(&mutex);
    reply_encode(&reply, &answer);
    if (request.kind == MESSAGE_HELLO) { // release: the log is written before it is looked at
        __atomic_fetch_add(&fake_nodes[peer->node].hello_count, 1, __ATOMIC_RELEASE);
    }
    done_cb(object, STATUS_OK, answer.data, answer.bytes);
    status_free(reply.status);
    byte_buffer_deinit(&answer);
    arena_destroy(request_arena);
}

static inline Status fake_inbox_open(Transport *self, const char *address,
                                     void (*message_cb)(void *, TransportMessage *), void *object,
                                     TransportInbox **out)
{
    (void)self, (void)address;
    fake_inbox = (TransportInbox){.message_cb = message_cb, .object = object};
    *out = &fake_inbox;
    return STATUS_OK;
}

static inline void fake_inbox_close(TransportInbox *inbox)
{
    (void)inbox;
}

static inline uint8_t *fake_message_data(TransportMessage *message, size_t *bytes)
{
    *bytes = message->bytes;
    return message->data;
}

static inline void fake_message_destroy(TransportMessage *owned_message)
{
    free(owned_message);
}

static const TransportOps fake_ops = {.peer_open = fake_peer_open,
                                      .peer_close = fake_peer_close,
                                      .call = fake_call,
                                      .inbox_open = fake_inbox_open,
                                      .inbox_close = fake_inbox_close,
                                      .message_data = fake_message_data,
                                      .message_destroy = fake_message_destroy};
static Transport fake_transport = {.ops = &fake_ops};

static inline void fake_lost(void *object, uint32_t node, Status reason)
{
    (void)object, (void)node, (void)reason;
}

/* A beat of the node's present process. */
static inline void beat(uint32_t node)
{
    ByteBuffer bytes;
    char address[32];
    byte_buffer_init(&bytes, 4096);
    snprintf(address, sizeof address, "fake://%u", node);
    Request request = {.kind = MESSAGE_BEAT,
                       .beat = {.node = node,
                                .boot_id = fake_nodes[node].boot_id,
                                .address = address,
                                .applied_position = fake_nodes[node].applied_position}};
    memcpy(request.beat.cluster_id, commit_log_cluster_id(commit_log), 16);
    request_encode(&request, &bytes);
    TransportMessage *message = malloc(sizeof *message + bytes.bytes);
    message->bytes = bytes.bytes;
    memcpy(message->data, bytes.data, bytes.bytes);
    byte_buffer_deinit(&bytes);
    fake_inbox.message_cb(fake_inbox.object, message);
}

/* Until every node is ready, or the other way round; the state is what system tables show. */
static inline void wait_for_nodes(bool is_ready)
{
    for (int i = 0; i < 5000 && nodes_are_ready(nodes) != is_ready; i++) {
        clock_sleep_us(1000);
    }
    ck_assert_int_eq(nodes_are_ready(nodes), is_ready);
}

static inline uint32_t hello_count(uint32_t node)
{
    return __atomic_load_n(&fake_nodes[node].hello_count, __ATOMIC_ACQUIRE);
}

static inline void wait_for_hello(uint32_t node, uint32_t count)
{
    for (int i = 0; i < 5000 && hello_count(node) < count; i++) {
        clock_sleep_us(1000);
    }
    ck_assert_uint_ge(hello_count(node), count);
}

static inline void open_cluster(void)
{
    open_log();
    ck_assert_ok(page_pool_create(&pool, (size_t)64 << 20));
    budget = memory_budget_create(pool, NULL, "test", 0);
    ck_assert_ok(cluster_port_create(&fake_transport, NULL, budget, &port));
    const NodesOptions options = {.transport = &fake_transport,
                                  .port = port,
                                  .log = commit_log,
                                  .address = "fake://0",
                                  .is_local = true,
                                  .lost = fake_lost};
    ck_assert_ok(nodes_create(&options, &nodes));
    for (uint32_t i = 1; i <= NODES; i++) {
        fake_nodes[i].boot_id = fake_nodes[i].boot_id == 0 ? 100 + i : fake_nodes[i].boot_id;
        beat(i);
    }
}

static inline void close_cluster(void)
{
    nodes_destroy(nodes);
    cluster_port_destroy(port);
    memory_budget_destroy(budget);
    page_pool_destroy(pool);
    close_log();
    nodes = NULL;
}

static inline void set_up_cluster(void)
{
    set_up();
    memset(fake_nodes, 0, sizeof fake_nodes);
    open_cluster();
    wait_for_nodes(true);
    request_log[0] = '\0';
}

static inline void tear_down_cluster(void)
{
    if (nodes != NULL) {
        close_cluster();
    }
    tear_down();
}
