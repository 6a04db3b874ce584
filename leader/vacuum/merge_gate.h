/*
 * merge_gate.h — one merge at a time in the cluster: VACUUM goes before what is done in idle time.
 */
#pragma once
#include "base/mutex.h"
#include "base/status.h"

#define MERGE_NAME_BYTES 256

typedef struct MergeGate {
    Mutex mutex; /* guards what follows */
    bool is_taken, is_idle_merge;
    uint32_t waiting_count;       /* VACUUMs: an idle merge makes way */
    char table[MERGE_NAME_BYTES]; /* what is being merged, or was the last; "": nothing yet */
    uint64_t rows;                /* read so far */
    uint32_t merges;              /* committed */
} MergeGate;

void merge_gate_init(MergeGate *gate);
void merge_gate_deinit(MergeGate *gate);
/* False when somebody else merges. An idle merge never waits for it. */
bool merge_gate_try_enter(MergeGate *gate, bool is_idle_merge);
/* VACUUM: waits until an idle merge has made way, asking `check` now and then. 55006 when another
 * VACUUM runs. */
Status merge_gate_enter(MergeGate *gate, Status (*check)(void *object), void *object) CHECKED;
void merge_gate_leave(MergeGate *gate);
/* Whether an idle merge should end at once. */
bool merge_gate_is_wanted(MergeGate *gate);
/* For the system view. */
void merge_gate_note_table(MergeGate *gate, const char *schema, const char *name);
void merge_gate_note_rows(MergeGate *gate, uint64_t rows);
typedef struct MergeProgress {
    char table[MERGE_NAME_BYTES];
    bool is_running;
    uint64_t rows;
    uint32_t merges;
} MergeProgress;
void merge_gate_progress(MergeGate *gate, MergeProgress *out);
