/* Control messages: what is encoded comes back; every cut-off or changed byte is refused or
 * harmless. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "protocol/cluster/message.h"

static Arena *arena;

static void set_up(void)
{
    arena = arena_create(NULL, "test");
}

static void tear_down(void)
{
    arena_destroy(arena);
}

static Request run_request(void)
{
    static Outcome outcomes[] = {{.txn_id = 7, .position = 3, .state = OUTCOME_COMMITTED},
                                 {.txn_id = 8, .position = 0, .state = OUTCOME_ABORTED}};
    return (Request){.kind = MESSAGE_RUN,
                     .epoch = 5,
                     .greeting = 6,
                     .outcome_count = 2,
                     .outcomes = outcomes,
                     .run = {.query_id = 11,
                             .txn_id = 12,
                             .position = 13,
                             .map_epoch = 1,
                             .statement = 2,
                             .is_replica_reader = true,
                             .timeout_us = -1,
                             .lease_first = 100,
                             .lease_count = 10,
                             .settings = (const uint8_t *)"set",
                             .setting_bytes = 3,
                             .plan = (const uint8_t *)"plan!",
                             .plan_bytes = 5}};
}

START_TEST(run_comes_back)
{
    Request request = run_request(), back;
    ByteBuffer bytes;
    byte_buffer_init(&bytes, 1 << 20);
    request_encode(&request, &bytes);
    ck_assert_ptr_null(request_decode(bytes.data, bytes.bytes, arena, &back));
    ck_assert_int_eq(back.kind, MESSAGE_RUN);
    ck_assert_uint_eq(back.epoch, 5);
    ck_assert_uint_eq(back.greeting, 6);
    ck_assert_uint_eq(back.outcome_count, 2);
    ck_assert_uint_eq(back.outcomes[0].position, 3);
    ck_assert_uint_eq(back.outcomes[1].state, OUTCOME_ABORTED);
    ck_assert_uint_eq(back.run.query_id, 11);
    ck_assert_uint_eq(back.run.plan_bytes, 5);
    ck_assert_mem_eq(back.run.plan, "plan!", 5);
    ck_assert_int_eq(back.run.timeout_us, -1);
    ck_assert(back.run.is_replica_reader);
    byte_buffer_deinit(&bytes);
}
END_TEST

START_TEST(every_cut_is_refused)
{
    Request request = run_request(), back;
    ByteBuffer bytes;
    byte_buffer_init(&bytes, 1 << 20);
    request_encode(&request, &bytes);
    for (size_t length = 0; length < bytes.bytes; length++) {
        uint8_t *cut = malloc(length + 1); // exact, so that sanitizers see an overrun
        memcpy(cut, bytes.data, length);
        Status status = request_decode(cut, length, arena, &back);
        ck_assert_ptr_nonnull(status);
        ck_assert_int_eq(status_sqlstate(status), SQLSTATE_PROTOCOL_VIOLATION);
        status_free(status);
        free(cut);
    }
    byte_buffer_deinit(&bytes);
}
END_TEST

START_TEST(every_flipped_byte_is_survived)
{
    Request request = run_request(), back;
    ByteBuffer bytes;
    byte_buffer_init(&bytes, 1 << 20);
    request_encode(&request, &bytes);
    for (size_t i = 0; i < bytes.bytes; i++) {
        for (int bit = 0; bit < 8; bit++) {
            bytes.data[i] ^= (uint8_t)(1 << bit);
            status_free(request_decode(bytes.data, bytes.bytes, arena, &back));
            bytes.data[i] ^= (uint8_t)(1 << bit);
        }
    }
    byte_buffer_deinit(&bytes);
}
END_TEST

START_TEST(status_crosses_unchanged)
{
    Status status = status_at(17, SQLSTATE_DIVISION_BY_ZERO, "division by %s", "zero");
    status = status_with_detail(status, "the detail");
    status = status_with_hint(status, "the hint");
    status = status_with_context(status, "the context");
    status = status_with_node(status, 3);
    Reply reply = {.kind = MESSAGE_PREPARE, .status = status}, back;
    ByteBuffer bytes;
    byte_buffer_init(&bytes, 1 << 20);
    reply_encode(&reply, &bytes);
    ck_assert_ptr_null(reply_decode(bytes.data, bytes.bytes, arena, &back));
    ck_assert_str_eq(status_sqlstate_code(back.status), "22012");
    ck_assert_str_eq(status_message(back.status), "division by zero");
    ck_assert_str_eq(status_detail(back.status), "the detail");
    ck_assert_str_eq(status_hint(back.status), "the hint");
    ck_assert_str_eq(status_context(back.status), "the context");
    ck_assert_int_eq(status_position(back.status), 17);
    ck_assert_uint_eq(status_node(back.status), 3);
    status_free(status);
    status_free(back.status);
    byte_buffer_deinit(&bytes);
}
END_TEST

START_TEST(hello_and_usage_come_back)
{
    MessageSlice slices[] = {{.slice = 0, .node = 1, .first_bucket = 0, .last_bucket = 16383}};
    MessagePeer peers[] = {{.endpoint = 0, .address = "tcp://127.0.0.1:1"}};
    Request request = {.kind = MESSAGE_HELLO,
                       .hello = {.node = 1,
                                 .node_count = 1,
                                 .slice_count = 1,
                                 .slices = slices,
                                 .peer_count = 1,
                                 .peers = peers}},
            back;
    ByteBuffer bytes;
    byte_buffer_init(&bytes, 1 << 20);
    request_encode(&request, &bytes);
    ck_assert_ptr_null(request_decode(bytes.data, bytes.bytes, arena, &back));
    ck_assert_uint_eq(back.hello.slices[0].last_bucket, 16383);
    ck_assert_str_eq(back.hello.peers[0].address, "tcp://127.0.0.1:1");
    byte_buffer_clear(&bytes);
    struct UsageRow row = {.slice = 1, .rows = 2, .bytes = 3, .rowsets = 4, .insert_batches = 5};
    Reply reply = {.kind = MESSAGE_USAGE, .usage = {.count = 1, .rows = &row}}, reply_back;
    reply_encode(&reply, &bytes);
    ck_assert_ptr_null(reply_decode(bytes.data, bytes.bytes, arena, &reply_back));
    ck_assert_uint_eq(reply_back.usage.rows[0].insert_batches, 5);
    byte_buffer_deinit(&bytes);
}
END_TEST

/* The leader keeps it in its log: a node may not make that long. */
START_TEST(a_long_redo_is_refused)
{
    static uint8_t redo[MESSAGE_REDO_BYTES_MAX + 1];
    Reply reply = {.kind = MESSAGE_RUN, .run = {.redo = redo}}, back;
    for (size_t extra = 0; extra < 2; extra++) {
        ByteBuffer bytes;
        byte_buffer_init(&bytes, 1 << 20);
        reply.run.redo_bytes = MESSAGE_REDO_BYTES_MAX + extra;
        reply_encode(&reply, &bytes);
        Status status = reply_decode(bytes.data, bytes.bytes, arena, &back);
        ck_assert_int_eq(status == STATUS_OK, extra == 0);
        status_free(status);
        byte_buffer_deinit(&bytes);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("message");
    TCase *cases = tcase_create("codec");
    tcase_add_checked_fixture(cases, set_up, tear_down);
    tcase_add_test(cases, a_long_redo_is_refused);
    tcase_add_test(cases, run_comes_back);
    tcase_add_test(cases, every_cut_is_refused);
    tcase_add_test(cases, every_flipped_byte_is_survived);
    tcase_add_test(cases, status_crosses_unchanged);
    tcase_add_test(cases, hello_and_usage_come_back);
    suite_add_tcase(suite, cases);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
