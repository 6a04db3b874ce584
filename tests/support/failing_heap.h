/*
 * failing_heap.h — refuses the n-th allocation of base/heap.h, once or from then on.
 *
 * A walk over n = 1, 2, … until nothing was refused reaches every allocation of what it runs.
 */
#pragma once
#include "base/heap.h"

/* Counts from 1 at this call. */
void failing_heap_start(uint64_t refused, bool is_for_good);
/* True when the wanted allocation was reached; the C library's heap is back. */
bool failing_heap_stop(void);
uint64_t failing_heap_count(void); /* allocations since the start */
