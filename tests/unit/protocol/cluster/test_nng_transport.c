/* Suite of protocol/cluster/nng_transport.c: links to peers that come and go, and calls
 * while either side closes. */
#include <dlfcn.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/thread.h"
#include "protocol/cluster/transport.h"
#include "tests/support/check_status.h"

enum {
    SENDERS = 2,
    CYCLES = 15,
    MESSAGE_BYTES = 400,
    WAIT_US = 10000000,
    CALL_CYCLES = 50,
    CALLS = 16,
    CALL_US = 5000000,
    PAIRS = 6,
    CLOSE_ALL_US_MAX = 5000000
};

static const TransportOps *ops;
static TransportLink *link_;
static char address[64];
static bool is_over;
static uint64_t received, lost; /* atomic */
static atomic_bool is_slow;

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

static void answer(void *object, TransportRequest *owned_request)
{
    (void)object;
    ops->reply(owned_request, "yes", 3);
}

static void count_answer(void *object, Status owned_status, const uint8_t *data, size_t bytes)
{
    ck_assert(owned_status != STATUS_OK || (bytes == 3 && memcmp(data, "yes", 3) == 0));
    status_ignore(owned_status, "a side has closed");
    __atomic_add_fetch((uint64_t *)object, 1, __ATOMIC_RELEASE);
}

/* In place of the C library's, nng's mutexes too: a thread may stand still behind any of them while
 * others go on. Shows within seconds what chance shows once in many thousand stops. */
int pthread_mutex_unlock(pthread_mutex_t *mutex)
{
    static int (*_Atomic real)(pthread_mutex_t *);
    static _Thread_local unsigned calls;
    int (*unlock)(pthread_mutex_t *) = atomic_load(&real);
    if (unlock == NULL) {
        void *symbol = dlsym(RTLD_NEXT, "pthread_mutex_unlock");
        memcpy(&unlock, &symbol, sizeof unlock);
        atomic_store(&real, unlock);
    }
    int result = unlock(mutex);
    if (atomic_load_explicit(&is_slow, memory_order_relaxed) && ++calls % 16 == 0) {
        usleep(calls % 32 == 0 ? 4000 : 100);
    }
    return result;
}

/* Each call ends once, whichever step of it meets the end of a socket. */
START_TEST(calls_end_when_a_side_closes)
{
    Transport *transport = transport_nng();
    const bool is_server_first = _i == 1;
    ops = transport->ops;
    snprintf(address, sizeof address, "inproc://calls-%d", _i);
    atomic_store(&is_slow, true);
    for (int cycle = 0; cycle < CALL_CYCLES; cycle++) {
        TransportServer *server = NULL;
        TransportPeer *peer = NULL;
        uint64_t ended = 0;
        ck_assert_ok(ops->serve(transport, address, CALLS, answer, NULL, &server));
        ck_assert_ok(ops->peer_open(transport, address, count_lost, NULL, &peer));
        for (int i = 0; i < CALLS; i++) {
            ops->call(peer, "?", 1, CALL_US, count_answer, &ended);
        }
        while (cycle % 2 == 0 && __atomic_load_n(&ended, __ATOMIC_ACQUIRE) == 0) {
            usleep(10);
        }
        usleep((useconds_t)(cycle % 10) * 1000);
        if (is_server_first) {
            ops->server_close(server);
        }
        ops->peer_close(peer);
        ck_assert_uint_eq(__atomic_load_n(&ended, __ATOMIC_ACQUIRE), CALLS);
        if (!is_server_first) {
            ops->server_close(server);
        }
    }
    atomic_store(&is_slow, false);
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
    TCase *calls = tcase_create("calls");
    tcase_set_timeout(calls, 200);
    tcase_add_loop_test(calls, calls_end_when_a_side_closes, 0, 2);
    suite_add_tcase(suite, calls);
    return suite_main(suite);
}
