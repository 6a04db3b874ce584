/* test_pg_reader.c — messages and COPY bytes out of a socket that delivers them in any pieces. */
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "protocol/pgwire/pg_decode.h"
#include "protocol/pgwire/pg_reader.h"
#include "tests/support/check_status.h"

static int client;
static PgConnection *connection;
static PgReader reader;

static void setup(void)
{
    int pair[2];
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
    client = pair[0];
    ck_assert_ok(pg_connection_open(pair[1], &connection));
    pg_reader_init(&reader, connection);
    reader.phase = PG_PHASE_SESSION;
}

static void teardown(void)
{
    if (client >= 0) {
        close(client);
    }
    pg_connection_close(connection);
}

static void send_bytes(const void *data, size_t bytes)
{
    ck_assert_int_eq(send(client, data, bytes, 0), (ssize_t)bytes);
}

static int64_t soon(void)
{
    return clock_monotonic_us() + 5000000;
}

static PgMessage next_message(void)
{
    PgMessage message;
    bool is_closed;
    ck_assert_ok(pg_reader_next(&reader, soon(), &message, &is_closed));
    ck_assert(!is_closed);
    return message;
}

#define SELECT_FRAME "Q\0\0\0\15select 1\0"

START_TEST(messages_in_one_piece)
{
    send_bytes(SELECT_FRAME "S\0\0\0\4", 14 + 5);
    PgMessage message = next_message();
    ck_assert_int_eq(message.type, PG_FRONTEND_QUERY);
    ck_assert_str_eq((const char *)message.body, "select 1");
    ck_assert(pg_reader_has_message(&reader));
    ck_assert(pg_reader_is_followed_by(&reader, PG_FRONTEND_SYNC));
    ck_assert(!pg_reader_is_followed_by(&reader, PG_FRONTEND_FLUSH));
    message = next_message();
    ck_assert_int_eq(message.type, PG_FRONTEND_SYNC);
    ck_assert(!pg_reader_has_message(&reader));
    ck_assert(!pg_reader_is_followed_by(&reader, PG_FRONTEND_SYNC));
}
END_TEST

START_TEST(message_byte_by_byte)
{
    static const char frame[] = SELECT_FRAME;
    for (size_t i = 0; i < 14; i++) {
        PgMessage message;
        bool is_closed;
        ck_assert(!pg_reader_has_message(&reader));
        assert_fails(pg_reader_next(&reader, clock_monotonic_us() + 2000, &message, &is_closed),
                     "08006", "took too long to send");
        send_bytes(frame + i, 1);
    }
    ck_assert_str_eq((const char *)next_message().body, "select 1");
}
END_TEST

START_TEST(large_message)
{
    size_t bytes = 3 << 20;
    char *text = malloc(bytes);
    memset(text, 'x', bytes);
    text[bytes - 1] = '\0';
    uint32_t length = __builtin_bswap32((uint32_t)bytes + 4);
    if (fork() == 0) {
        send(client, "Q", 1, 0);
        send(client, &length, 4, 0);
        for (size_t at = 0; at < bytes;) {
            at += (size_t)send(client, text + at, bytes - at, 0);
        }
        _exit(0);
    }
    PgMessage message = next_message();
    ck_assert_uint_eq(message.bytes, bytes);
    ck_assert_mem_eq(message.body, text, bytes);
    free(text);
}
END_TEST

START_TEST(client_closes)
{
    PgMessage message;
    bool is_closed;
    send_bytes("S\0\0\0\4Q\0\0", 8);
    close(client);
    client = -1;
    ck_assert_int_eq(next_message().type, PG_FRONTEND_SYNC);
    assert_fails(pg_reader_next(&reader, soon(), &message, &is_closed), "08006",
                 "inside a message");
}
END_TEST

START_TEST(client_closes_between)
{
    PgMessage message;
    bool is_closed;
    close(client);
    client = -1;
    ck_assert_ok(pg_reader_next(&reader, soon(), &message, &is_closed));
    ck_assert(is_closed);
    ck_assert(pg_connection_has_hung_up(connection));
}
END_TEST

START_TEST(bad_type_fails_at_once)
{
    PgMessage message;
    bool is_closed;
    send_bytes("\x16", 1); // a TLS record
    assert_fails(pg_reader_next(&reader, soon(), &message, &is_closed), "08P01", "type 22");
    ck_assert(pg_reader_has_message(&reader));
}
END_TEST

/* Reads pieces until the COPY ends; returns how it did. */
static PgCopyKind gather_copy(char *target, size_t *bytes)
{
    PgCopyKind kind;
    *bytes = 0;
    for (;;) {
        const uint8_t *body;
        size_t body_bytes;
        ck_assert_ok(pg_reader_copy(&reader, soon(), &kind, &body, &body_bytes));
        if (kind != PG_COPY_BYTES) {
            return kind;
        }
        ck_assert_uint_gt(body_bytes, 0);
        memcpy(target + *bytes, body, body_bytes);
        *bytes += body_bytes;
    }
}

START_TEST(copy_pieces)
{
    char data[64];
    size_t bytes;
    send_bytes("d\0\0\0\7abcd\0\0\0\4d\0\0\0\5dH\0\0\0\4S\0\0\0\4c\0\0\0\4S\0\0\0\4",
               8 + 5 + 6 + 5 + 5 + 5 + 5);
    ck_assert_int_eq(gather_copy(data, &bytes), PG_COPY_DONE);
    ck_assert_uint_eq(bytes, 4);
    ck_assert_mem_eq(data, "abcd", 4);
    ck_assert_int_eq(next_message().type, PG_FRONTEND_SYNC);
}
END_TEST

START_TEST(copy_frame_larger_than_any_buffer)
{
    static char data[1 << 20];
    uint32_t length = __builtin_bswap32((uint32_t)sizeof(data) + 4);
    if (fork() == 0) {
        memset(data, 'y', sizeof(data));
        send(client, "d", 1, 0);
        send(client, &length, 4, 0);
        for (size_t at = 0; at < sizeof(data);) {
            at += (size_t)send(client, data + at, sizeof(data) - at, 0);
        }
        send(client, "f\0\0\0\6x\0", 7, 0);
        _exit(0);
    }
    size_t bytes;
    ck_assert_int_eq(gather_copy(data, &bytes), PG_COPY_FAILED);
    ck_assert_uint_eq(bytes, sizeof(data));
    size_t buffered;
    (void)pg_connection_input(connection, &buffered);
    ck_assert_uint_lt(buffered, 65536 + 1);
}
END_TEST

START_TEST(copy_refuses_other_messages)
{
    PgCopyKind kind;
    const uint8_t *body;
    size_t bytes;
    send_bytes(SELECT_FRAME, 14);
    assert_fails(pg_reader_copy(&reader, soon(), &kind, &body, &bytes), "08P01",
                 "unexpected Query message during COPY");
}
END_TEST

START_TEST(copy_ends_with_the_connection)
{
    char data[16];
    size_t bytes;
    send_bytes("d\0\0\0\10ab", 7);
    close(client);
    client = -1;
    ck_assert_int_eq(gather_copy(data, &bytes), PG_COPY_CLOSED);
}
END_TEST

START_TEST(leftovers_of_a_failed_copy_are_passed_over)
{
    PgCopyKind kind;
    const uint8_t *body;
    size_t bytes;
    send_bytes("d\0\0\0\10ab", 7);
    ck_assert_ok(pg_reader_copy(&reader, soon(), &kind, &body, &bytes)); // and then COPY fails
    send_bytes("cdd\0\0\0\5ec\0\0\0\4f\0\0\0\5\0" SELECT_FRAME, 2 + 6 + 5 + 6 + 14);
    ck_assert_int_eq(next_message().type, PG_FRONTEND_QUERY);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("pg_reader");
    TCase *tcase = tcase_create("messages");
    tcase_set_timeout(tcase, 60);
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, messages_in_one_piece);
    tcase_add_test(tcase, message_byte_by_byte);
    tcase_add_test(tcase, large_message);
    tcase_add_test(tcase, client_closes);
    tcase_add_test(tcase, client_closes_between);
    tcase_add_test(tcase, bad_type_fails_at_once);
    suite_add_tcase(suite, tcase);
    tcase = tcase_create("copy");
    tcase_set_timeout(tcase, 60);
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, copy_pieces);
    tcase_add_test(tcase, copy_frame_larger_than_any_buffer);
    tcase_add_test(tcase, copy_refuses_other_messages);
    tcase_add_test(tcase, copy_ends_with_the_connection);
    tcase_add_test(tcase, leftovers_of_a_failed_copy_are_passed_over);
    suite_add_tcase(suite, tcase);
    return suite_main(suite);
}
