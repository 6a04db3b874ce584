/* merge_gate.c — see merge_gate.h. */
#include "leader/vacuum/merge_gate.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"

#define WAIT_US 10000

void merge_gate_init(MergeGate *gate)
{
    *gate = (MergeGate){0};
    mutex_init(&gate->mutex, MUTEX_RANK_CATALOG);
}

void merge_gate_deinit(MergeGate *gate)
{
    mutex_deinit(&gate->mutex);
}

static bool try_enter(MergeGate *gate, bool is_idle_merge)
{
    const bool is_free = !gate->is_taken && (!is_idle_merge || gate->waiting_count == 0);
    if (is_free) {
        gate->is_taken = true;
        gate->is_idle_merge = is_idle_merge;
    }
    return is_free;
}

bool merge_gate_try_enter(MergeGate *gate, bool is_idle_merge)
{
    mutex_lock(&gate->mutex);
    const bool is_in = try_enter(gate, is_idle_merge);
    mutex_unlock(&gate->mutex);
    return is_in;
}

static Status wait_inside(MergeGate *gate, Status (*check)(void *object), void *object)
{
    while (!merge_gate_try_enter(gate, false)) {
        mutex_lock(&gate->mutex);
        const bool is_vacuum = gate->is_taken && !gate->is_idle_merge;
        mutex_unlock(&gate->mutex);
        if (is_vacuum) {
            return status_with_hint(status_error(SQLSTATE_OBJECT_IN_USE, "VACUUM is running"),
                                    "re-execute after the other VACUUM has finished");
        }
        TRY(check(object));
        clock_sleep_us(WAIT_US);
    }
    return STATUS_OK;
}

Status merge_gate_enter(MergeGate *gate, Status (*check)(void *object), void *object)
{
    mutex_lock(&gate->mutex);
    gate->waiting_count++;
    mutex_unlock(&gate->mutex);
    Status status = wait_inside(gate, check, object);
    mutex_lock(&gate->mutex);
    gate->waiting_count--;
    mutex_unlock(&gate->mutex);
    return status;
}

void merge_gate_leave(MergeGate *gate)
{
    mutex_lock(&gate->mutex);
    gate->is_taken = false;
    mutex_unlock(&gate->mutex);
}

bool merge_gate_is_wanted(MergeGate *gate)
{
    mutex_lock(&gate->mutex);
    const bool is_wanted = gate->waiting_count > 0;
    mutex_unlock(&gate->mutex);
    return is_wanted;
}

void merge_gate_note_table(MergeGate *gate, const char *schema, const char *name)
{
    mutex_lock(&gate->mutex);
    snprintf(gate->table, sizeof(gate->table), "%s.%s", schema, name);
    gate->rows = 0;
    gate->merges = 0;
    mutex_unlock(&gate->mutex);
}

void merge_gate_note_rows(MergeGate *gate, uint64_t rows)
{
    mutex_lock(&gate->mutex);
    gate->rows += rows;
    gate->merges++;
    mutex_unlock(&gate->mutex);
}

void merge_gate_progress(MergeGate *gate, MergeProgress *out)
{
    mutex_lock(&gate->mutex);
    memcpy(out->table, gate->table, sizeof(out->table));
    out->is_running = gate->is_taken;
    out->rows = gate->rows;
    out->merges = gate->merges;
    mutex_unlock(&gate->mutex);
}
