/*
 * exchange_cases.c — rows leave for four nodes by the hash of a key: partitioned, gathered, encoded
 * and sealed; a transport that forgets them and at once lets the sender send more.
 */
#include <stdio.h>
#include <string.h>

#include "base/vector/distribution_hash.h"
#include "bench/micro/operator_case.h"
#include "compute/exec/pipeline.h"
#include "compute/operators/exchange_send.h"
#include "protocol/cluster/cluster_port.h"
#include "protocol/cluster/frame.h"

enum { BATCHES = 512, NODES = 4, COLUMNS = 4 };

static MadeTable rows = {
    .batch_count = BATCHES,
    .column_count = COLUMNS,
    .columns = {{.letter = 'b', .value = made_any_below, .parameter = 6000000},
                {.letter = 'd', .value = made_any_below, .parameter = 2500},
                {.letter = 'i', .value = made_any_below, .parameter = 50},
                {.letter = 'p', .value = made_any_below, .parameter = 10000000}}};

/* ---- a transport to nowhere ---- */

static void (*receive_cb)(void *object, TransportMessage *owned_message);
static void *receiver;
static FrameHeader taken[NODES + 1]; /* by node: the last message of its stream */
static uint32_t taken_counts[NODES + 1];

static Status open_inbox(Transport *self, const char *address,
                         void (*message_cb)(void *object, TransportMessage *owned_message),
                         void *object, TransportInbox **out)
{
    (void)self;
    (void)address;
    receive_cb = message_cb;
    receiver = object;
    *out = NULL;
    return STATUS_OK;
}
static void close_inbox(TransportInbox *inbox)
{
    (void)inbox;
}
static Status open_link(Transport *self, const char *address, void (*lost_cb)(void *object),
                        void *object, TransportLink **out)
{
    (void)self;
    (void)address;
    (void)lost_cb;
    *out = object;
    return STATUS_OK;
}
static void close_link(TransportLink *link)
{
    (void)link;
}
static Status take_message(TransportLink *link, TransportMessage *owned_message)
{
    const TransportOps *messages = transport_nng()->ops;
    FrameHeader header;
    size_t bytes;
    (void)link;
    memcpy(&header, messages->message_data(owned_message, &bytes), sizeof header);
    messages->message_destroy(owned_message);
    if (header.kind == FRAME_BATCHES) {
        taken[header.target] = header;
        taken_counts[header.target]++;
    }
    return STATUS_OK;
}

// Messages are nng's: what a message costs to make belongs to sending.
static Transport *forgetful_transport(void)
{
    static TransportOps ops;
    static Transport transport = {.ops = &ops};
    ops = *transport_nng()->ops;
    ops.inbox_open = open_inbox;
    ops.inbox_close = close_inbox;
    ops.link_open = open_link;
    ops.link_close = close_link;
    ops.send = take_message;
    return &transport;
}

// What the receivers would answer.
static void give_credits(void)
{
    for (uint32_t node = 1; node <= NODES; node++) {
        if (taken_counts[node] == 0) {
            continue;
        }
        FrameHeader credit = {.kind = FRAME_CREDIT,
                              .query_id = taken[node].query_id,
                              .exchange_id = taken[node].exchange_id,
                              .source = node,
                              .target = taken[node].source,
                              .sequence = taken_counts[node]};
        taken_counts[node] = 0;
        frame_seal(&credit, NULL, 0);
        TransportMessage *message;
        size_t bytes;
        must(transport_nng()->ops->message_create(transport_nng(), sizeof credit, &message));
        memcpy(transport_nng()->ops->message_data(message, &bytes), &credit, sizeof credit);
        receive_cb(receiver, message);
    }
}

/* ---- rounds ---- */

static ClusterPort *port;
static StreamHub *hub;

static void open_port(void)
{
    must(cluster_port_create(forgetful_transport(), "null://", engine_world.budget, &port));
    must(stream_hub_create(port, 0, &hub));
    for (uint32_t node = 1; node <= NODES; node++) {
        must(cluster_port_connect(port, node, "null://", 1));
    }
}

void exchange_cases_close(void)
{
    if (port != NULL) {
        stream_hub_destroy(hub);
        cluster_port_destroy(port);
    }
}

static double run_exchange(OperatorCase *self)
{
    static uint32_t bucket_nodes[BUCKET_COUNT];
    MadeTable *table = made_table(&rows);
    QueryContext *query = bench_query_begin();
    uint32_t key = 0;
    PlanExchange exchange = {.id = 1,
                             .kind = EXCHANGE_HASH,
                             .target_site = PLAN_SITE_NODES,
                             .column_count = COLUMNS,
                             .types = table->types};
    const Plan plan = {.exchange_count = 1, .exchanges = &exchange};
    const PlanSend send = {.node = {.kind = PLAN_SEND, .id = 1},
                           .child = &table->node,
                           .exchange_id = 1,
                           .exchange = EXCHANGE_HASH,
                           .key_count = 1,
                           .keys = &key};
    Sink *sink;
    if (port == NULL) {
        open_port();
    }
    for (uint32_t b = 0; b < BUCKET_COUNT; b++) {
        bucket_nodes[b] = 1 + b * NODES / BUCKET_COUNT;
    }
    query->node_count = NODES;
    query->hub = hub;
    query->bucket_nodes = bucket_nodes;
    must(exchange_send_create(query, &plan, &send, &sink));
    sink_group_create(query->arena, sink);
    void *local = sink_start(sink);
    const double start = cpu_ns();
    for (uint32_t b = 0; b < table->batch_count; b++) {
        Flow flow;
        Batch batch = table->batches[b];
        must(sink->ops->consume(sink, local, &batch, &flow));
        ASSERT(flow == FLOW_MORE);
        give_credits();
    }
    sink_finish(sink, local);
    const double ns = cpu_ns() - start;
    give_credits();
    sink_close(sink, local);
    stream_hub_end_query(hub, query->query_id);
    snprintf(self->note, sizeof self->note, "%.2f bytes per row",
             (double)sink->statistics.bytes / made_table_rows(table));
    bench_query_end();
    return ns / made_table_rows(table);
}

static OperatorCase exchange_case = {.name = "partition and pack 4 columns for 4 nodes",
                                     .unit = "row",
                                     .gate_ns = 9,
                                     .run = run_exchange};

void exchange_cases_add(void)
{
    operator_case_add(&exchange_case);
}
