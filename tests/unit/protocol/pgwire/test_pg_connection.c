/* test_pg_connection.c — waiting with deadlines and interrupts; output that survives both. */
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/thread.h"
#include "protocol/pgwire/pg_connection.h"
#include "tests/support/check_status.h"

static int client;
static PgConnection *connection;

static void setup(void)
{
    int pair[2];
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
    client = pair[0];
    ck_assert_ok(pg_connection_open(pair[1], &connection));
}

static void teardown(void)
{
    close(client);
    pg_connection_close(connection);
}

START_TEST(deadline_ends_a_wait)
{
    bool is_closed;
    int64_t started = clock_monotonic_us();
    assert_fails(pg_connection_fill(connection, 1, started + 20000, &is_closed), "08006",
                 "too long");
    ck_assert_int_ge(clock_monotonic_us() - started, 20000);
}
END_TEST

static void interrupt_soon(void *object)
{
    clock_sleep_us(20000);
    pg_connection_interrupt(object, PG_INTERRUPT_CANCEL);
}

START_TEST(interrupt_ends_a_wait)
{
    bool is_closed;
    Thread thread = {.is_running = false};
    ck_assert_ok(thread_start(&thread, "canceller", -1, interrupt_soon, connection));
    assert_fails(pg_connection_fill(connection, 1, PG_NO_DEADLINE, &is_closed), "57014",
                 "user request");
    thread_join(&thread);
    // It stays until it is cleared, and nothing is lost meanwhile.
    assert_fails(pg_connection_fill(connection, 1, PG_NO_DEADLINE, &is_closed), "57014", "");
    pg_connection_clear_interrupts(connection, PG_INTERRUPT_CANCEL);
    ck_assert_int_eq(send(client, "x", 1, 0), 1);
    ck_assert_ok(pg_connection_fill(connection, 1, PG_NO_DEADLINE, &is_closed));
    size_t bytes;
    ck_assert_int_eq(*pg_connection_input(connection, &bytes), 'x');
}
END_TEST

START_TEST(interrupts_have_their_own_errors)
{
    pg_connection_interrupt(connection, PG_INTERRUPT_TIMEOUT);
    assert_fails(pg_connection_interrupt_status(connection), "57014", "statement timeout");
    pg_connection_interrupt(connection, PG_INTERRUPT_SHUTDOWN);
    assert_fails(pg_connection_interrupt_status(connection), "57P01", "administrator");
    pg_connection_clear_interrupts(connection, PG_INTERRUPT_TIMEOUT);
    ck_assert_uint_eq(pg_connection_interrupts(connection), PG_INTERRUPT_SHUTDOWN);
    pg_connection_clear_interrupts(connection, PG_INTERRUPT_SHUTDOWN);
    ck_assert_ok(pg_connection_interrupt_status(connection));
}
END_TEST

START_TEST(slow_receiver_gets_every_byte)
{
    size_t bytes = 4 << 20;
    uint8_t *expected = malloc(bytes);
    for (size_t i = 0; i < bytes; i++) {
        expected[i] = (uint8_t)(i * 7 + i / 251);
    }
    byte_buffer_add(pg_connection_output(connection), expected, bytes);
    // Nobody reads: the deadline passes with part of it sent, and the rest stays.
    assert_fails(pg_connection_flush(connection, clock_monotonic_us() + 20000), "08006",
                 "too long to receive");
    pid_t child = fork();
    if (child == 0) {
        size_t got = 0;
        static uint8_t data[65536];
        while (got < bytes) {
            ssize_t read_bytes = recv(client, data, sizeof(data), 0);
            if (read_bytes <= 0 || memcmp(data, expected + got, (size_t)read_bytes) != 0) {
                _exit(1);
            }
            got += (size_t)read_bytes;
        }
        send(client, "ok", 2, 0);
        _exit(0);
    }
    ck_assert_ok(pg_connection_flush(connection, clock_monotonic_us() + 10000000));
    bool is_closed;
    ck_assert_ok(pg_connection_fill(connection, 2, clock_monotonic_us() + 10000000, &is_closed));
    free(expected);
}
END_TEST

START_TEST(broken_pipe_is_an_error)
{
    close(client);
    client = socket(AF_UNIX, SOCK_STREAM, 0);
    byte_buffer_add(pg_connection_output(connection), "x", 1);
    assert_fails(pg_connection_flush(connection, PG_NO_DEADLINE), "08006", "broke");
}
END_TEST

START_TEST(trim_keeps_what_is_unread)
{
    bool is_closed;
    size_t bytes;
    ck_assert_int_eq(send(client, "abc", 3, 0), 3);
    ck_assert_ok(pg_connection_fill(connection, 3, PG_NO_DEADLINE, &is_closed));
    pg_connection_consume(connection, 1);
    pg_connection_trim(connection);
    ck_assert(pg_connection_has_input(connection));
    ck_assert_mem_eq(pg_connection_input(connection, &bytes), "bc", 2);
    pg_connection_consume(connection, 2);
    pg_connection_trim(connection);
    ck_assert(!pg_connection_has_input(connection));
    ck_assert_int_eq(send(client, "d", 1, 0), 1);
    ck_assert_ok(pg_connection_fill(connection, 1, PG_NO_DEADLINE, &is_closed));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("pg_connection");
    TCase *tcase = tcase_create("waiting");
    tcase_set_timeout(tcase, 60);
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, deadline_ends_a_wait);
    tcase_add_test(tcase, interrupt_ends_a_wait);
    tcase_add_test(tcase, interrupts_have_their_own_errors);
    tcase_add_test(tcase, slow_receiver_gets_every_byte);
    tcase_add_test(tcase, broken_pipe_is_an_error);
    tcase_add_test(tcase, trim_keeps_what_is_unread);
    suite_add_tcase(suite, tcase);
    return suite_main(suite);
}
