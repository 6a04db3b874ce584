/*
 * lookup_counts.h — which columns of text are looked up by value: their blocks get filters
 * (lookup_filter.h) from then on.
 *
 * A column is worth it after LOOKUPS_MIN scans with such a predicate. A bounded memory of the node,
 * lost with it; a column that is seldom looked up may lose its place to others. Thread-safe.
 */
#pragma once
#include "base/mutex.h"
#include "planner/plan/plan.h"

#define LOOKUPS_MIN 8u
#define LOOKUP_SETS 256u
#define LOOKUP_WAYS 4u

typedef struct LookupCount {
    uint64_t table_id;
    uint32_t column_id;
    uint32_t scans; /* 0: free */
} LookupCount;

typedef struct LookupCounts {
    Mutex mutex;
    LookupCount counts[LOOKUP_SETS][LOOKUP_WAYS];
} LookupCounts;

void lookup_counts_init(LookupCounts *counts);
void lookup_counts_deinit(LookupCounts *counts);
/* One more scan looks a value of the column up. */
void lookup_counts_add(LookupCounts *counts, uint64_t table_id, uint32_t column_id);
/* Whether filters of column number `column` are worth their bytes: not those of a table's first
 * sort key, which zone maps serve. */
bool lookup_counts_want(LookupCounts *counts, const PlanTable *table, uint32_t column);
