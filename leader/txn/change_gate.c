/* change_gate.c — see change_gate.h. */
#include "leader/txn/change_gate.h"

#include "base/clock.h"

void change_gate_init(ChangeGate *gate)
{
    *gate = (ChangeGate){0};
    mutex_init(&gate->mutex, MUTEX_RANK_TXN);
    condition_init(&gate->changed);
}

void change_gate_deinit(ChangeGate *gate)
{
    condition_deinit(&gate->changed);
    mutex_deinit(&gate->mutex);
}

bool change_gate_enter(ChangeGate *gate, int64_t timeout_us, bool is_forced)
{
    const int64_t deadline = clock_monotonic_us() + timeout_us;
    mutex_lock(&gate->mutex);
    for (int64_t left; gate->is_closed && (left = deadline - clock_monotonic_us()) > 0;) {
        condition_wait(&gate->changed, &gate->mutex, left);
    }
    const bool is_in = !gate->is_closed || is_forced;
    gate->inside_count += is_in;
    mutex_unlock(&gate->mutex);
    return is_in;
}

void change_gate_leave(ChangeGate *gate)
{
    mutex_lock(&gate->mutex);
    gate->inside_count--;
    condition_broadcast(&gate->changed);
    mutex_unlock(&gate->mutex);
}

bool change_gate_close(ChangeGate *gate, int64_t timeout_us)
{
    const int64_t deadline = clock_monotonic_us() + timeout_us;
    mutex_lock(&gate->mutex);
    gate->is_closed = true;
    for (int64_t left; gate->inside_count > 0 && (left = deadline - clock_monotonic_us()) > 0;) {
        condition_wait(&gate->changed, &gate->mutex, left);
    }
    gate->is_closed = gate->inside_count == 0;
    const bool is_closed = gate->is_closed;
    condition_broadcast(&gate->changed);
    mutex_unlock(&gate->mutex);
    return is_closed;
}

void change_gate_open(ChangeGate *gate)
{
    mutex_lock(&gate->mutex);
    gate->is_closed = false;
    condition_broadcast(&gate->changed);
    mutex_unlock(&gate->mutex);
}
