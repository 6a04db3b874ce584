/*
 * idle_merge.h — tables are tidied while nobody waits: a thread of the leader merges rowsets that
 * are small or have lost many rows, a bounded piece at a time, and sorts tables with SORTKEY AUTO
 * by what statements look for (sort_advice.h).
 *
 * It begins when no statement runs for long and no transaction block is open, makes way for both
 * and for VACUUM, and rests between two merges as long as the last one took. What it was told to
 * leave it comes back to: giving up costs work, never rows.
 */
#pragma once
#include "base/thread.h"
#include "leader/leader_internal.h"

/* Starts the thread unless the setting auto_merge is off. */
Status idle_merge_start(Leader *leader) CHECKED;
void idle_merge_stop(Leader *leader); /* safe when it was never started */
