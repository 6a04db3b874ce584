/* sort_order.h — puts entries of packed rows into the order of their keys. */
#pragma once
#include "compute/operators/sort_runs.h"

/* `scratch` has room for as many entries; the result is in `entries`. Stable. Once the query is
 * canceled it stops, with all entries in any order. */
void sort_entries(const SortShape *shape, SortEntry *entries, SortEntry *scratch, uint64_t count);
