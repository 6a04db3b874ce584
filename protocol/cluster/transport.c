/* transport.c — the blocking form of a call. */
#include "protocol/cluster/transport.h"

#include <stdlib.h>
#include <string.h>

#include "base/mutex.h"

typedef struct Waiter {
    Mutex mutex;
    Condition condition;
    bool is_done;
    Status status;
    uint8_t *reply;
    size_t reply_bytes;
} Waiter;

static void waiter_done_cb(void *object, Status owned_status, const uint8_t *data, size_t bytes)
{
    Waiter *waiter = object;
    uint8_t *copy = NULL;
    if (owned_status == STATUS_OK) {
        copy = malloc(bytes + 1);
        if (copy == NULL) {
            owned_status = status_error(SQLSTATE_OUT_OF_MEMORY, "no memory for a reply");
        } else {
            memcpy(copy, data, bytes);
        }
    }
    mutex_lock(&waiter->mutex);
    waiter->status = owned_status;
    waiter->reply = copy;
    waiter->reply_bytes = bytes;
    waiter->is_done = true;
    condition_broadcast(&waiter->condition);
    mutex_unlock(&waiter->mutex);
}

Status transport_call(Transport *transport, TransportPeer *peer, const void *data, size_t bytes,
                      int64_t timeout_us, uint8_t **reply, size_t *reply_bytes)
{
    Waiter waiter = {0};
    mutex_init(&waiter.mutex, MUTEX_RANK_PEER);
    condition_init(&waiter.condition);
    transport->ops->call(peer, data, bytes, timeout_us, waiter_done_cb, &waiter);
    mutex_lock(&waiter.mutex);
    while (!waiter.is_done) { // ends: the transport itself times the call out
        condition_wait(&waiter.condition, &waiter.mutex, 1000000);
    }
    mutex_unlock(&waiter.mutex);
    condition_deinit(&waiter.condition);
    mutex_deinit(&waiter.mutex);
    if (waiter.status == STATUS_OK) {
        *reply = waiter.reply;
        *reply_bytes = waiter.reply_bytes;
    }
    return waiter.status;
}
