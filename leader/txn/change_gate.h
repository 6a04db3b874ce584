/*
 * change_gate.h — keeps the commits of merges apart from the snapshots of those who may delete
 * rows.
 *
 * Who reads at a position before a merge and deletes after it would be refused with 40001. So
 * whoever may delete enters before it takes its snapshot and leaves when its transaction ends; a
 * merge commits while nobody is inside. Newcomers wait for it, which takes milliseconds:
 *
 *   enter .. snapshot .. deletes .. commit .. leave      close(nobody inside) .. commit .. open
 *
 * Both sides wait for a bounded time only, newcomers minding their statement's end meanwhile:
 * nobody waits for ever. The gate spares statements a failure, the nodes' votes
 * keep the data right without it.
 */
#pragma once
#include "base/mutex.h"

typedef struct ChangeGate {
    Mutex mutex; /* guards what follows */
    Condition changed;
    uint32_t inside_count;
    bool is_closed; /* a merge commits, or waits for those inside to leave */
} ChangeGate;

void change_gate_init(ChangeGate *gate);
void change_gate_deinit(ChangeGate *gate);
/* False when it is still closed after `timeout_us`; `is_forced`: one goes in all the same. */
bool change_gate_enter(ChangeGate *gate, int64_t timeout_us, bool is_forced);
void change_gate_leave(ChangeGate *gate);
/* True: nobody is inside until it is opened. False when some stayed for `timeout_us`: it is open
 * again. */
bool change_gate_close(ChangeGate *gate, int64_t timeout_us);
void change_gate_open(ChangeGate *gate);
