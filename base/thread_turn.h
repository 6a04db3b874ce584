/*
 * thread_turn.h — how long a thread wants the processor at a time.
 *
 * Threads that answer messages need it at once and briefly, workers need it long. The kernel's fair
 * scheduler lets a thread finish its turn (some 3 ms) before one that woke up gets the core, unless
 * that one asked for shorter turns: on cores kept busy by workers each message would wait so long.
 * Turns move no share of the processor between threads. Source: the request size of EEVDF
 * (I. Stoica, H. Abdel-Wahab: Earliest Eligible Virtual Deadline First, 1995), which Linux takes
 * from sched_runtime of sched_setattr(2) since 6.12.
 */
#pragma once

enum {
    THREAD_TURN_ANSWERING_US = 100, /* the kernel's least */
    THREAD_TURN_WORKING_US = 4000,
};

/* Of the calling thread and of those it starts afterwards. A wish: an older kernel, a container
 * without the call or another scheduling policy leave things as they were. */
void thread_ask_for_turn(int turn_us);
