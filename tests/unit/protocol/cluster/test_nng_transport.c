/* Suite of protocol/cluster/nng_transport.c: links to peers that come and go. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/thread.h"
#include "protocol/cluster/transport.h"
#include "tests/support/check_status.h"

enum { SENDERS = 2, CYCLES = 15, MESSAGE_BYTES = 400, WAIT_US = 10000000 };
enum { PAIRS = 6, CLOSE_ALL_US_MAX = 5000000 };

static const TransportOps *ops;
static TransportLink *link_;
static char address[64];
static bool is_over;
static uint64_t received, lost; /* atomic */

static void count_lost(void *object)
{
    (void)object;
    __atomic_add_fetch(&lost, 1, __ATOMIC_RELAXED);
}

static void take_message(void *object, TransportMessage *owned_message)
{
    size_t bytes = 0;
    const uint8_t *data = ops->message_data(owned_message, &bytes);
    ck_assert_uint_eq(bytes, MESSAGE_BYTES);
    ck_assert_uint_eq(data[0], 7);
    ops->message_destroy(owned_message);
    __atomic_add_fetch((uint64_t *)object, 1, __ATOMIC_RELAXED);
}

/* All the time, whether somebody listens or not. */
static void send_all(void *object)
{
    while (!__atomic_load_n(&is_over, __ATOMIC_RELAXED)) {
        TransportMessage *message = NULL;
        size_t bytes = 0;
        ck_assert_ok(ops->message_create(object, MESSAGE_BYTES, &message));
        memset(ops->message_data(message, &bytes), 7, MESSAGE_BYTES);
        status_ignore(ops->send(link_, message), "nobody is there");
        usleep(100);
    }
}

static void wait_for_message(void)
{
    const uint64_t before = __atomic_load_n(&received, __ATOMIC_RELAXED);
    const int64_t deadline = clock_monotonic_us() + WAIT_US;
    while (__atomic_load_n(&received, __ATOMIC_RELAXED) == before) {
        ck_assert_int_lt(clock_monotonic_us(), deadline);
        usleep(100);
    }
}

/* Pipes end while messages are on their way, some of them so that nng's own thread hangs. */
START_TEST(messages_go_on_when_the_peer_is_back)
{
    Transport *transport = transport_nng();
    Thread senders[SENDERS];
    TransportInbox *inbox = NULL;
    ops = transport->ops;
    snprintf(address, sizeof address, "tcp://127.0.0.1:%d", 12000 + (int)getpid() % 9000);
    ck_assert_ok(ops->inbox_open(transport, address, take_message, &received, &inbox));
    ck_assert_ok(ops->link_open(transport, address, count_lost, NULL, &link_));
    for (int i = 0; i < SENDERS; i++) {
        ck_assert_ok(thread_start(&senders[i], "sender", -1, send_all, transport));
    }
    for (int i = 0; i < CYCLES; i++) {
        wait_for_message();
        ops->inbox_close(inbox);
        usleep((useconds_t)(i % 7) * 300);
        ck_assert_ok(ops->inbox_open(transport, address, take_message, &received, &inbox));
        ops->link_reset(link_); // as whoever hears of the peer's new process does
    }
    wait_for_message();
    __atomic_store_n(&is_over, true, __ATOMIC_RELAXED);
    for (int i = 0; i < SENDERS; i++) {
        thread_join(&senders[i]);
    }
    ck_assert_uint_gt(__atomic_load_n(&lost, __ATOMIC_RELAXED), 0);
    ops->link_close(link_);
    ops->inbox_close(inbox);
}
END_TEST

static void count_message(void *object, TransportMessage *owned_message)
{
    ops->message_destroy(owned_message);
    __atomic_add_fetch((uint64_t *)object, 1, __ATOMIC_RELAXED);
}

static void ignore_loss(void *object)
{
    (void)object;
}

/* Runs in the one thread of nng that reaps pipes, which closing waits for. */
static void hang_until_over(void *object)
{
    (void)object;
    __atomic_add_fetch(&lost, 1, __ATOMIC_RELAXED);
    while (!__atomic_load_n(&is_over, __ATOMIC_RELAXED)) {
        usleep(1000);
    }
}

/* An inbox with a link to it, whose connection stands. */
typedef struct Pair {
    TransportInbox *inbox;
    TransportLink *link;
    uint64_t received; /* atomic */
} Pair;

static void pair_open(Pair *pair, int number, void (*lost_cb)(void *object))
{
    Transport *transport = transport_nng();
    TransportMessage *message = NULL;
    const int64_t deadline = clock_monotonic_us() + WAIT_US;
    snprintf(address, sizeof address, "inproc://pair%d", number);
    ck_assert_ok(ops->inbox_open(transport, address, count_message, &pair->received, &pair->inbox));
    ck_assert_ok(ops->link_open(transport, address, lost_cb, NULL, &pair->link));
    while (__atomic_load_n(&pair->received, __ATOMIC_RELAXED) == 0) {
        ck_assert_int_lt(clock_monotonic_us(), deadline);
        ck_assert_ok(ops->message_create(transport, MESSAGE_BYTES, &message));
        status_ignore(ops->send(pair->link, message), "the connection comes");
        usleep(1000);
    }
}

START_TEST(a_close_that_hangs_costs_the_others_little)
{
    Pair pairs[1 + PAIRS];
    memset(pairs, 0, sizeof pairs);
    ops = transport_nng()->ops;
    pair_open(&pairs[0], 0, hang_until_over);
    for (int i = 1; i <= PAIRS; i++) {
        pair_open(&pairs[i], i, ignore_loss);
    }
    ops->inbox_close(pairs[0].inbox);
    const int64_t start_us = clock_monotonic_us();
    while (__atomic_load_n(&lost, __ATOMIC_RELAXED) == 0) {
        ck_assert_int_lt(clock_monotonic_us(), start_us + WAIT_US);
        usleep(1000);
    }
    for (int i = 1; i <= PAIRS; i++) {
        ops->inbox_close(pairs[i].inbox);
    }
    ck_assert_int_lt(clock_monotonic_us() - start_us, CLOSE_ALL_US_MAX);
    __atomic_store_n(&is_over, true, __ATOMIC_RELAXED);
    for (int i = 0; i <= PAIRS; i++) {
        ops->link_close(pairs[i].link);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("protocol.cluster.nng_transport");
    TCase *links = tcase_create("links");
    tcase_set_timeout(links, 200);
    tcase_add_test(links, messages_go_on_when_the_peer_is_back);
    tcase_add_test(links, a_close_that_hangs_costs_the_others_little);
    suite_add_tcase(suite, links);
    return suite_main(suite);
}
