/* socket_end.c — a thread for each socket that is closed; who still uses its contexts. */
#include "protocol/cluster/socket_end_internal.h"

#include <stdatomic.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/thread.h"

#define CLOSE_WAIT_US 2000000
#define CLOSE_STUCK_WAIT_US 200000 /* while another close hangs: this one will, too */

/* A socket being closed; whoever comes last frees it. */
typedef struct Closing {
    nng_socket socket;
    Thread thread;
    Mutex mutex;
    Condition done;
    bool is_done, is_given_up;
} Closing;

/* Of the process, as nng's threads are: closes that were given up and have not ended since. */
static _Atomic uint32_t given_up_count;

int64_t socket_end_deadline(void)
{
    // relaxed: it shortens a wait, nothing is published through it.
    bool is_stuck = atomic_load_explicit(&given_up_count, memory_order_relaxed) > 0;
    return clock_monotonic_us() + (is_stuck ? CLOSE_STUCK_WAIT_US : CLOSE_WAIT_US);
}

static void closing_free(Closing *closing)
{
    condition_deinit(&closing->done);
    mutex_deinit(&closing->mutex);
    free(closing);
}

static void close_main(void *object)
{
    Closing *closing = object;
    nng_close(closing->socket);
    mutex_lock(&closing->mutex);
    closing->is_done = true;
    bool is_last = closing->is_given_up;
    condition_broadcast(&closing->done);
    mutex_unlock(&closing->mutex);
    if (is_last) {
        atomic_fetch_sub_explicit(&given_up_count, 1, memory_order_relaxed);
        closing_free(closing);
    }
}

void socket_end(nng_socket socket)
{
    Closing *closing = calloc(1, sizeof(*closing));
    if (closing == NULL) {
        nng_close(socket);
        return;
    }
    closing->socket = socket;
    mutex_init(&closing->mutex, MUTEX_RANK_PEER);
    condition_init(&closing->done);
    Status status = thread_start(&closing->thread, "close", -1, close_main, closing);
    if (status != STATUS_OK) {
        status_ignore(status, "then here, and for as long as it takes");
        nng_close(socket);
        closing_free(closing);
        return;
    }
    int64_t deadline = socket_end_deadline();
    mutex_lock(&closing->mutex);
    while (!closing->is_done && clock_monotonic_us() < deadline) {
        condition_wait(&closing->done, &closing->mutex, 100000);
    }
    bool is_done = closing->is_done;
    if (!is_done) {
        closing->is_given_up = true;
        atomic_fetch_add_explicit(&given_up_count, 1, memory_order_relaxed);
        thread_detach(&closing->thread);
    }
    mutex_unlock(&closing->mutex);
    if (is_done) {
        thread_join(&closing->thread);
        closing_free(closing);
    } else {
        log_warn("close_given_up", "socket=%d", nng_socket_id(socket));
    }
}

void uses_init(Uses *uses)
{
    mutex_init(&uses->mutex, MUTEX_RANK_PEER_USES);
    condition_init(&uses->none);
}

void uses_deinit(Uses *uses)
{
    condition_deinit(&uses->none);
    mutex_deinit(&uses->mutex);
}

bool use_begin(Uses *uses)
{
    mutex_lock(&uses->mutex);
    bool may_use = !uses->is_closing;
    uses->count += may_use;
    mutex_unlock(&uses->mutex);
    return may_use;
}

void use_end(Uses *uses)
{
    mutex_lock(&uses->mutex);
    if (--uses->count == 0) {
        condition_broadcast(&uses->none); // before the mutex goes: then the owner may be gone
    }
    mutex_unlock(&uses->mutex);
}

void uses_end(Uses *uses)
{
    mutex_lock(&uses->mutex);
    uses->is_closing = true;
    while (uses->count > 0) {
        condition_wait(&uses->none, &uses->mutex, 50000);
    }
    mutex_unlock(&uses->mutex);
}
