/*
 * fuzz_streams.c — any frames from two peers, in any order, for the streams of one endpoint.
 *
 * Endpoint 1 receives exchange 1 from endpoints 0 and 2, and sends exchange 2 to endpoint 0. The
 * transport is nng's but for inboxes and links, which are ours. The input is a list of steps:
 *
 *   step u8      low 4 bits: what happens; bit 4: from endpoint 2; bit 5: the frame is damaged on
 *                its way; bit 6: MORE is set; bit 7: the sequence number jumps
 *   data frames are followed by their payload: length u8 (times 8 for BYTES), bytes
 *
 * A frame is sealed before it is damaged. Promised: a stream ends only after a sound end mark whose
 * count is reached, never inside a batch, and when all is closed no memory is held.
 */
#include <string.h>

#include "base/byte_reader.h"
#include "protocol/cluster/cluster_port.h"
#include "protocol/cluster/frame.h"
#include "tests/fuzz/fuzz.h"

enum { HERE = 1, SOURCE_COUNT = 2, STEPS_MAX = 64 };
enum { QUERY = 9, EXCHANGE_IN = 1, EXCHANGE_OUT = 2 };

typedef enum Step {
    STEP_DATA,
    STEP_END = 4,
    STEP_CREDIT,
    STEP_STOP,
    STEP_FOREIGN, /* a frame of a query or an exchange nobody knows */
    STEP_RECEIVE,
    STEP_LOST = 13,
    STEP_CANCEL,
    STEP_STOP_RECEIVING
} Step;

typedef struct Peer {
    uint32_t sequence;
    uint64_t data_count, end_count; /* end_count: of a sound end mark; UINT64_MAX: none yet */
    bool is_inside_batch;
} Peer;

static const Type types[] = {{.id = TYPE_BIGINT}, {.id = TYPE_VARCHAR, .length = 20}};
static const uint32_t sources[SOURCE_COUNT] = {0, 2};

/* ---- a transport that keeps the callback and drops what is sent ---- */

static void (*deliver_cb)(void *object, TransportMessage *owned_message);
static void *deliver_object;

static Status inbox_open(Transport *self, const char *address,
                         void (*message_cb)(void *object, TransportMessage *owned_message),
                         void *object, TransportInbox **out)
{
    (void)self;
    (void)address;
    deliver_cb = message_cb;
    deliver_object = object;
    *out = NULL;
    return STATUS_OK;
}

static void inbox_close(TransportInbox *inbox)
{
    (void)inbox;
}

static Status link_open(Transport *self, const char *address, void (*lost_cb)(void *object),
                        void *object, TransportLink **out)
{
    static int link;
    (void)self;
    (void)address;
    (void)lost_cb;
    (void)object;
    *out = (TransportLink *)&link;
    return STATUS_OK;
}

static Status send_nowhere(TransportLink *link, TransportMessage *owned_message)
{
    (void)link;
    transport_nng()->ops->message_destroy(owned_message);
    return STATUS_OK;
}

static void link_close(TransportLink *link)
{
    (void)link;
}

/* ---- the world ---- */

static MemoryBudget *budget;
static ClusterPort *port;
static Peer peers[SOURCE_COUNT];

static void wake_nobody(void *object)
{
    (void)object;
}

static void open_port(void)
{
    static PagePool *pool;
    static TransportOps ops;
    static Transport transport = {.ops = &ops};
    ops = *transport_nng()->ops;
    ops.inbox_open = inbox_open;
    ops.inbox_close = inbox_close;
    ops.link_open = link_open;
    ops.link_close = link_close;
    ops.send = send_nowhere;
    require(page_pool_create(&pool, (size_t)256 << 20) == STATUS_OK);
    budget = memory_budget_create(pool, NULL, "fuzz", 0);
    require(cluster_port_create(&transport, "inproc://here", budget, &port) == STATUS_OK);
    for (uint32_t i = 0; i < SOURCE_COUNT; i++) {
        require(cluster_port_connect(port, sources[i], "inproc://there", 1) == STATUS_OK);
    }
}

static void deliver(const FrameHeader *frame, const uint8_t *payload, size_t bytes, bool is_damaged)
{
    FrameHeader header = *frame;
    TransportMessage *message;
    size_t message_bytes;
    frame_seal(&header, payload, bytes);
    if (is_damaged) {
        header.sequence ^= 1;
    }
    const TransportOps *ops = transport_nng()->ops;
    require(ops->message_create(transport_nng(), sizeof(header) + bytes, &message) == STATUS_OK);
    uint8_t *data = ops->message_data(message, &message_bytes);
    memcpy(data, &header, sizeof(header));
    if (bytes > 0) {
        memcpy(data + sizeof(header), payload, bytes);
    }
    deliver_cb(deliver_object, message);
}

static void deliver_step(uint8_t step, ByteReader *input, bool has_rows)
{
    bool is_damaged = (step & 32) != 0;
    uint32_t index = (step & 16) != 0;
    Peer *peer = &peers[index];
    const uint8_t *payload = NULL;
    size_t bytes = 0;
    FrameHeader header = {.kind = has_rows ? FRAME_BATCHES : FRAME_BYTES,
                          .flags = (step & 64) != 0 ? FRAME_FLAG_MORE : 0,
                          .query_id = QUERY,
                          .exchange_id = EXCHANGE_IN,
                          .source = sources[index],
                          .target = HERE,
                          .sequence = peer->sequence + ((step & 128) != 0)};
    switch (step & 15) {
    case STEP_END:
        header.kind = FRAME_END;
        if (!is_damaged) {
            peer->end_count = header.sequence;
        }
        break;
    case STEP_CREDIT:
    case STEP_STOP:
        header.kind = (step & 15) == STEP_STOP ? FRAME_STOP : FRAME_CREDIT;
        header.exchange_id = EXCHANGE_OUT;
        break;
    case STEP_FOREIGN:
        header.query_id += (step & 64) != 0;
        header.exchange_id += (step & 128) != 0 ? 7 : 0;
        header.source = byte_reader_u16(input);
        header.target = byte_reader_u8(input) % 4;
        header.kind = byte_reader_u8(input);
        break;
    default:
        bytes = byte_reader_u8(input);
        payload = byte_reader_view(input, bytes);
        bytes = payload == NULL ? 0 : bytes;
        header.kind =
            (step & 15) == STEP_DATA + 3 ? FRAME_BATCHES + FRAME_BYTES - header.kind : header.kind;
        peer->sequence++;
        peer->data_count++;
        peer->is_inside_batch = (header.flags & FRAME_FLAG_MORE) != 0;
        break;
    }
    deliver(&header, payload, bytes, is_damaged);
}

/* True when something came. `is_over`: the receiver was stopped or has failed; then an end means
 * nothing more. */
static bool receive(StreamReceiver *receiver, bool has_rows, bool *is_over)
{
    SharedBatch *batch = NULL;
    uint8_t *data = NULL;
    size_t bytes = 0;
    ReceiveResult result;
    Status status = has_rows ? stream_receiver_next(receiver, &batch, &result)
                             : stream_receiver_next_bytes(receiver, &data, &bytes, &result);
    if (status != STATUS_OK) {
        require(batch == NULL && data == NULL);
        status_free(status);
        *is_over = true;
        return false;
    }
    if (batch != NULL) {
        require(batch->batch.column_count == 2 && batch->batch.row_count <= VECTOR_ROWS);
        plant(batch->batch.row_count > 4);
        shared_batch_unpin(batch);
    }
    free(data);
    if (result == RECEIVE_END && !*is_over) {
        for (uint32_t i = 0; i < SOURCE_COUNT; i++) {
            require(peers[i].end_count <= peers[i].data_count && !peers[i].is_inside_batch);
        }
    }
    return result == RECEIVE_BATCH;
}

static void run_steps(ByteReader *input, StreamHub *hub, StreamReceiver *receiver,
                      StreamSender *sender, bool has_rows)
{
    bool is_over = false;
    for (uint32_t i = 0; i < STEPS_MAX && byte_reader_remaining(input) > 0; i++) {
        uint8_t step = byte_reader_u8(input);
        Status reason;
        switch (step & 15) {
        case STEP_LOST:
            cluster_port_endpoint_lost(port, sources[(step & 16) != 0]);
            break;
        case STEP_CANCEL:
            reason = status_error(SQLSTATE_QUERY_CANCELED, "canceled");
            stream_hub_cancel_query(hub, QUERY, reason);
            status_free(reason);
            break;
        case STEP_STOP_RECEIVING:
            stream_receiver_stop(receiver);
            is_over = true;
            break;
        default:
            if ((step & 15) < STEP_RECEIVE) {
                deliver_step(step, input, has_rows);
            } else if (!receive(receiver, has_rows, &is_over)) {
                (void)stream_sender_is_ready(sender);
                status_free(stream_sender_send_bytes(sender, "abc", 3));
            }
            break;
        }
    }
    for (uint32_t i = 0; i < STEPS_MAX && receive(receiver, has_rows, &is_over); i++) {
    }
    status_free(stream_sender_finish(sender));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    ByteReader input;
    StreamHub *hub;
    StreamReceiver *receiver;
    StreamSender *sender;
    Waker waker = {.wake = wake_nobody};
    StreamKey key = {
        .query_id = QUERY, .exchange_id = EXCHANGE_OUT, .source = HERE, .target = sources[0]};
    if (port == NULL) {
        open_port();
    }
    byte_reader_init(&input, data, bytes);
    bool has_rows = byte_reader_u8(&input) % 2 == 0;
    for (uint32_t i = 0; i < SOURCE_COUNT; i++) {
        peers[i] = (Peer){.end_count = UINT64_MAX};
    }
    require(stream_hub_create(port, HERE, &hub) == STATUS_OK);
    require(stream_sender_open(hub, &key, true, budget, waker, &sender) == STATUS_OK);
    require(stream_receiver_open(hub, QUERY, EXCHANGE_IN, sources, SOURCE_COUNT,
                                 has_rows ? types : NULL, has_rows ? 2 : 0, budget, waker,
                                 &receiver) == STATUS_OK);
    run_steps(&input, hub, receiver, sender, has_rows);
    stream_receiver_close(receiver);
    stream_sender_close(sender);
    stream_hub_end_query(hub, QUERY);
    stream_hub_destroy(hub);
    require(memory_budget_used_bytes(budget) == 0);
    return 0;
}
