/*
 * socket_end_internal.h — how sockets of nng end, in spite of what nng does wrong then.
 *
 * What nng 1.5 does wrong (seen in tests, repaired in later versions): when a pipe is closed
 * between the parts of a message, the part that follows is neither started nor cancelled, and the
 * one thread that reaps pipes waits for its end for ever; nng_close waits for that thread. So
 * closing is left to a thread of its own and given up after a while, sooner when one hangs already:
 * whatever is ours has ended by then, nng's share stays behind. From then on lost pipes are not
 * reported any more; calls still end, silence is noticed by those who expect heartbeats, and links
 * to a process that has come back are reset by those who hear of that.
 *
 * And (so in all versions): a context that is used while its socket is closed is destroyed by its
 * user, behind the back of nng_close, which destroys the socket meanwhile. So no socket is closed
 * before every use of its contexts has returned (`Uses`).
 */
#pragma once
#include <nng/nng.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/mutex.h"

/* Waits for a while at most. Contexts are closed when this returns, and calls and requests with
 * them. */
void socket_end(nng_socket socket);
/* When an end that begins now is given up. */
int64_t socket_end_deadline(void);

/* How many threads hand something to a context of a socket just now; none after uses_end. */
typedef struct Uses {
    Mutex mutex;
    Condition none;
    uint32_t count;
    bool is_closing;
} Uses;

void uses_init(Uses *uses);
void uses_deinit(Uses *uses);
/* False when the socket is being closed: it must not be used any more. */
bool use_begin(Uses *uses);
void use_end(Uses *uses);
/* From here on there are none. Ends: handing over waits for nothing. */
void uses_end(Uses *uses);
