/*
 * Streams between endpoints: by pointer, encoded in one process, and between two ports over nng;
 * credits, ends, stop, cancel, lost peers.
 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/thread.h"
#include "base/vector/value_batch.h"
#include "protocol/cluster/cluster_port.h"

enum { LOCAL, LOCAL_ENCODED, REMOTE, ROAD_COUNT };

static Arena *arena;
static PagePool *pool;
static MemoryBudget *budget;
static ClusterPort *ports[2];
static StreamHub *hubs[2];
static int wake_count; /* atomic */

static void count_wake(void *object)
{
    (void)object;
    __atomic_add_fetch(&wake_count, 1, __ATOMIC_RELAXED);
}

static const Waker waker = {.wake = count_wake};

static void set_up_road(int road)
{
    char bases[2][64];
    arena = arena_create(NULL, "test");
    ck_assert_ptr_null(page_pool_create(&pool, 256u << 20));
    budget = memory_budget_create(pool, NULL, "test", 0);
    for (int i = 0; i < 2; i++) {
        snprintf(bases[i], sizeof(bases[i]), "ipc:///tmp/basalt-test-%d-%d", (int)getpid(), i);
        ports[i] = NULL;
        if (i == 0 || road == REMOTE) {
            ck_assert_ptr_null(cluster_port_create(
                transport_nng(), road == REMOTE ? bases[i] : NULL, budget, &ports[i]));
        }
    }
    if (road == REMOTE) {
        ck_assert_ptr_null(cluster_port_connect(ports[0], 1, bases[1], 1));
        ck_assert_ptr_null(cluster_port_connect(ports[1], 0, bases[0], 1));
    }
    ck_assert_ptr_null(stream_hub_create(ports[0], 0, &hubs[0]));
    ck_assert_ptr_null(stream_hub_create(road == REMOTE ? ports[1] : ports[0], 1, &hubs[1]));
}

static void tear_down_road(void)
{
    stream_hub_destroy(hubs[0]);
    stream_hub_destroy(hubs[1]);
    cluster_port_destroy(ports[0]);
    cluster_port_destroy(ports[1]);
    memory_budget_destroy(budget);
    page_pool_destroy(pool);
    arena_destroy(arena);
}

static SharedBatch *make_batch(int64_t first, uint32_t rows)
{
    Type type = type_of(TYPE_BIGINT);
    Value cells[VECTOR_ROWS];
    Batch *batches = NULL;
    uint32_t count = 0, taken = 0;
    uint16_t indexes[VECTOR_ROWS];
    for (uint32_t i = 0; i < rows; i++) {
        cells[i] = value_int64(type, first + i);
        indexes[i] = (uint16_t)i;
    }
    value_batches(arena, &type, 1, cells, rows, &batches, &count);
    BatchBuilder *builder = batch_builder_create(budget, &type, 1, VECTOR_ROWS);
    ck_assert_ptr_null(batch_builder_append(builder, batches, indexes, rows, &taken));
    ck_assert_uint_eq(taken, rows);
    SharedBatch *batch = NULL;
    ck_assert_ptr_null(batch_builder_take(builder, &batch));
    batch_builder_destroy(builder);
    return batch;
}

static StreamSender *open_sender(int road)
{
    StreamKey key = {.query_id = 9, .exchange_id = 1, .source = 0, .target = 1};
    StreamSender *sender = NULL;
    ck_assert_ptr_null(
        stream_sender_open(hubs[0], &key, road == LOCAL_ENCODED, budget, waker, &sender));
    return sender;
}

static StreamReceiver *open_receiver(const Type *types, uint32_t column_count)
{
    StreamReceiver *receiver = NULL;
    uint32_t source = 0;
    ck_assert_ptr_null(stream_receiver_open(hubs[1], 9, 1, &source, 1, types, column_count, budget,
                                            waker, &receiver));
    return receiver;
}

/* Waits for a result other than EMPTY, at most five seconds. */
static Status receive(StreamReceiver *receiver, SharedBatch **batch, ReceiveResult *result)
{
    int64_t deadline = clock_monotonic_us() + 5000000;
    for (;;) {
        Status status = stream_receiver_next(receiver, batch, result);
        if (status != STATUS_OK || *result != RECEIVE_EMPTY || clock_monotonic_us() > deadline) {
            return status;
        }
        clock_sleep_us(200);
    }
}

static void wait_ready(StreamSender *sender, StreamReceiver *receiver, int64_t *sum,
                       uint64_t *rows);

static void take_all(StreamReceiver *receiver, int64_t *sum, uint64_t *rows, bool *is_end)
{
    ReceiveResult result = RECEIVE_BATCH;
    while (result == RECEIVE_BATCH) {
        SharedBatch *batch = NULL;
        ck_assert_ptr_null(stream_receiver_next(receiver, &batch, &result));
        for (uint32_t i = 0; batch != NULL && i < batch->batch.selected_count; i++) {
            *sum += vector_int64(&batch->batch.columns[0], batch_row(&batch->batch, i));
            (*rows)++;
        }
        shared_batch_unpin(batch);
    }
    *is_end = result == RECEIVE_END;
}

static void wait_ready(StreamSender *sender, StreamReceiver *receiver, int64_t *sum, uint64_t *rows)
{
    int64_t deadline = clock_monotonic_us() + 5000000;
    bool is_end = false;
    while (!stream_sender_is_ready(sender)) {
        ck_assert_int_lt(clock_monotonic_us(), deadline);
        take_all(receiver, sum, rows, &is_end);
    }
}

START_TEST(rows_arrive_with_credits_and_end)
{
    const int batch_count = 400;
    Type type = type_of(TYPE_BIGINT);
    set_up_road(_i);
    StreamSender *sender = open_sender(_i);
    StreamReceiver *receiver = open_receiver(&type, 1);
    int64_t sum = 0, expected = 0;
    uint64_t rows = 0;
    for (int b = 0; b < batch_count; b++) {
        wait_ready(sender, receiver, &sum, &rows);
        ck_assert_ptr_null(stream_sender_send(sender, make_batch(b * 1000, 1000)));
        for (int i = 0; i < 1000; i++) {
            expected += b * 1000 + i;
        }
    }
    ck_assert_ptr_null(stream_sender_finish(sender));
    int64_t deadline = clock_monotonic_us() + 5000000;
    bool is_end = false;
    while (!is_end) {
        ck_assert_int_lt(clock_monotonic_us(), deadline);
        take_all(receiver, &sum, &rows, &is_end);
    }
    ck_assert_uint_eq(rows, (uint64_t)batch_count * 1000);
    ck_assert_int_eq(sum, expected);
    ck_assert_uint_eq(stream_sender_rows(sender), rows);
    ck_assert_uint_eq(stream_receiver_rows(receiver), rows);
    stream_sender_close(sender);
    stream_receiver_close(receiver);
    stream_hub_end_query(hubs[0], 9);
    stream_hub_end_query(hubs[1], 9);
    tear_down_road();
}
END_TEST

START_TEST(full_stream_is_not_ready_and_wakes)
{
    Type type = type_of(TYPE_BIGINT);
    set_up_road(_i);
    StreamSender *sender = open_sender(_i);
    StreamReceiver *receiver = open_receiver(&type, 1);
    int sent = 0;
    while (stream_sender_is_ready(sender) && sent < 5000) {
        ck_assert_ptr_null(stream_sender_send(sender, make_batch(rand(), 1000)));
        sent++;
    }
    ck_assert_int_lt(sent, 5000); // bounded
    int before = __atomic_load_n(&wake_count, __ATOMIC_RELAXED);
    int64_t deadline = clock_monotonic_us() + 5000000, sum = 0;
    uint64_t rows = 0;
    bool is_end = false;
    while (__atomic_load_n(&wake_count, __ATOMIC_RELAXED) == before) {
        ck_assert_int_lt(clock_monotonic_us(), deadline);
        take_all(receiver, &sum, &rows, &is_end);
    }
    stream_sender_close(sender);
    stream_receiver_close(receiver);
    stream_hub_end_query(hubs[0], 9);
    stream_hub_end_query(hubs[1], 9);
    tear_down_road();
}
END_TEST

START_TEST(cancel_fails_both_ends_and_drops_late_rows)
{
    Type type = type_of(TYPE_BIGINT);
    set_up_road(_i);
    StreamSender *sender = open_sender(_i);
    StreamReceiver *receiver = open_receiver(&type, 1);
    ck_assert_ptr_null(stream_sender_send(sender, make_batch(1, 10)));
    Status reason = status_error(SQLSTATE_QUERY_CANCELED, "canceled");
    stream_hub_cancel_query(hubs[0], 9, reason);
    stream_hub_cancel_query(hubs[1], 9, reason);
    status_free(reason);
    Status status = stream_sender_send(sender, make_batch(1, 10));
    ck_assert_int_eq(status_sqlstate(status), SQLSTATE_QUERY_CANCELED);
    status_free(status);
    SharedBatch *batch = NULL;
    ReceiveResult result = RECEIVE_EMPTY;
    status = receive(receiver, &batch, &result);
    ck_assert_int_eq(status_sqlstate(status), SQLSTATE_QUERY_CANCELED);
    status_free(status);
    stream_sender_close(sender);
    stream_receiver_close(receiver);
    stream_hub_end_query(hubs[0], 9);
    stream_hub_end_query(hubs[1], 9);
    StreamReceiver *late = NULL;
    uint32_t source = 0;
    status = stream_receiver_open(hubs[1], 9, 1, &source, 1, &type, 1, budget, waker, &late);
    ck_assert_int_eq(status_sqlstate(status), SQLSTATE_QUERY_CANCELED);
    status_free(status);
    tear_down_road();
}
END_TEST

START_TEST(stop_makes_sends_no_ops)
{
    Type type = type_of(TYPE_BIGINT);
    set_up_road(_i);
    StreamSender *sender = open_sender(_i);
    StreamReceiver *receiver = open_receiver(&type, 1);
    stream_receiver_stop(receiver);
    int64_t deadline = clock_monotonic_us() + 5000000;
    while (!stream_sender_is_stopped(sender)) {
        ck_assert_int_lt(clock_monotonic_us(), deadline);
        clock_sleep_us(200);
    }
    for (int i = 0; i < 1000; i++) {
        ck_assert(stream_sender_is_ready(sender));
        ck_assert_ptr_null(stream_sender_send(sender, make_batch(i, 100)));
    }
    SharedBatch *batch = NULL;
    ReceiveResult result = RECEIVE_EMPTY;
    ck_assert_ptr_null(receive(receiver, &batch, &result));
    ck_assert_int_eq(result, RECEIVE_END);
    stream_sender_close(sender);
    stream_receiver_close(receiver);
    stream_hub_end_query(hubs[0], 9);
    stream_hub_end_query(hubs[1], 9);
    tear_down_road();
}
END_TEST

START_TEST(bytes_of_any_size_stay_one_piece)
{
    set_up_road(_i);
    StreamSender *sender = open_sender(_i == LOCAL ? LOCAL_ENCODED : _i);
    StreamReceiver *receiver = open_receiver(NULL, 0);
    size_t bytes = 9u << 20;
    uint8_t *data = malloc(bytes);
    for (size_t i = 0; i < bytes; i++) {
        data[i] = (uint8_t)(i * 7 + i / 1000);
    }
    ck_assert_ptr_null(stream_sender_send_bytes(sender, data, bytes));
    ck_assert_ptr_null(stream_sender_send_bytes(sender, "x", 1));
    ck_assert_ptr_null(stream_sender_finish(sender));
    size_t wanted[] = {bytes, 1};
    int64_t deadline = clock_monotonic_us() + 5000000;
    for (int piece = 0; piece < 3;) {
        uint8_t *back = NULL;
        size_t back_bytes = 0;
        ReceiveResult result = RECEIVE_EMPTY;
        ck_assert_ptr_null(stream_receiver_next_bytes(receiver, &back, &back_bytes, &result));
        ck_assert_int_lt(clock_monotonic_us(), deadline);
        if (result == RECEIVE_EMPTY) {
            clock_sleep_us(200);
            continue;
        }
        if (piece < 2) {
            ck_assert_int_eq(result, RECEIVE_BATCH);
            ck_assert_uint_eq(back_bytes, wanted[piece]);
            ck_assert_mem_eq(back, piece == 0 ? data : (const uint8_t *)"x", back_bytes);
        } else {
            ck_assert_int_eq(result, RECEIVE_END);
        }
        free(back);
        piece++;
    }
    free(data);
    stream_sender_close(sender);
    stream_receiver_close(receiver);
    stream_hub_end_query(hubs[0], 9);
    stream_hub_end_query(hubs[1], 9);
    tear_down_road();
}
END_TEST

enum { LARGE_BLOCKS = 24, LARGE_BYTES = (8 << 20) + 1, TAKERS = 4 };

/* A worker that takes blocks until their end; each must be whole and in order. */
typedef struct BlockTaker {
    StreamReceiver *receiver;
    uint32_t block_count, bad_count;
} BlockTaker;

static void take_blocks(void *object)
{
    BlockTaker *taker = object;
    int64_t deadline = clock_monotonic_us() + 20000000;
    ReceiveResult result = RECEIVE_EMPTY;
    while (result != RECEIVE_END && clock_monotonic_us() < deadline) {
        uint8_t *block = NULL;
        size_t bytes = 0;
        Status status = stream_receiver_next_bytes(taker->receiver, &block, &bytes, &result);
        bool is_bad = status != STATUS_OK || (block != NULL && bytes != LARGE_BYTES);
        for (size_t i = 0; !is_bad && i < bytes; i += 4096) {
            is_bad = block[i] != (uint8_t)(block[0] + (i >> 20));
        }
        taker->block_count += block != NULL;
        taker->bad_count += is_bad;
        free(block);
        status_free(status);
    }
}

START_TEST(workers_do_not_mix_up_pieces)
{
    BlockTaker takers[TAKERS] = {{.block_count = 0}};
    Thread threads[TAKERS] = {{.is_running = false}};
    uint32_t block_count = 0;
    set_up_road(LOCAL_ENCODED);
    StreamSender *sender = open_sender(LOCAL_ENCODED);
    StreamReceiver *receiver = open_receiver(NULL, 0);
    uint8_t *data = malloc(LARGE_BYTES);
    for (uint32_t i = 0; i < LARGE_BLOCKS; i++) {
        for (size_t k = 0; k < LARGE_BYTES; k++) {
            data[k] = (uint8_t)(i + (k >> 20));
        }
        ck_assert_ptr_null(stream_sender_send_bytes(sender, data, LARGE_BYTES));
    }
    ck_assert_ptr_null(stream_sender_finish(sender));
    for (int i = 0; i < TAKERS; i++) {
        takers[i].receiver = receiver;
        ck_assert_ptr_null(thread_start(&threads[i], "taker", -1, take_blocks, &takers[i]));
    }
    for (int i = 0; i < TAKERS; i++) {
        thread_join(&threads[i]);
        block_count += takers[i].block_count;
        ck_assert_uint_eq(takers[i].bad_count, 0);
    }
    ck_assert_uint_eq(block_count, LARGE_BLOCKS);
    free(data);
    stream_sender_close(sender);
    stream_receiver_close(receiver);
    stream_hub_end_query(hubs[0], 9);
    stream_hub_end_query(hubs[1], 9);
    tear_down_road();
}
END_TEST

START_TEST(lost_peer_fails_its_streams)
{
    Type type = type_of(TYPE_BIGINT);
    set_up_road(REMOTE);
    StreamSender *sender = open_sender(REMOTE);
    StreamReceiver *receiver = open_receiver(&type, 1);
    ck_assert_ptr_null(stream_sender_send(sender, make_batch(1, 10)));
    cluster_port_endpoint_lost(ports[0], 1);
    cluster_port_endpoint_lost(ports[1], 0);
    Status status = stream_sender_send(sender, make_batch(1, 10));
    ck_assert_int_eq(status_sqlstate(status), SQLSTATE_CONNECTION_FAILURE);
    status_free(status);
    SharedBatch *batch = NULL;
    ReceiveResult result = RECEIVE_EMPTY;
    status = receive(receiver, &batch, &result);
    ck_assert_int_eq(status_sqlstate(status), SQLSTATE_CONNECTION_FAILURE);
    ck_assert_uint_eq(status_node(status), 0);
    status_free(status);
    stream_sender_close(sender);
    stream_receiver_close(receiver);
    stream_hub_end_query(hubs[0], 9);
    stream_hub_end_query(hubs[1], 9);
    tear_down_road();
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("stream");
    TCase *cases = tcase_create("stream");
    tcase_set_timeout(cases, 60);
    tcase_add_loop_test(cases, rows_arrive_with_credits_and_end, 0, ROAD_COUNT);
    tcase_add_loop_test(cases, full_stream_is_not_ready_and_wakes, 0, ROAD_COUNT);
    tcase_add_loop_test(cases, cancel_fails_both_ends_and_drops_late_rows, 0, ROAD_COUNT);
    tcase_add_loop_test(cases, stop_makes_sends_no_ops, 0, ROAD_COUNT);
    tcase_add_loop_test(cases, bytes_of_any_size_stay_one_piece, 0, ROAD_COUNT);
    tcase_add_test(cases, workers_do_not_mix_up_pieces);
    tcase_add_test(cases, lost_peer_fails_its_streams);
    suite_add_tcase(suite, cases);
    SRunner *runner = srunner_create(suite); // nng starts in each forked test, never before it
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
