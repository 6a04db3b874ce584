/*
 * runtime_filter.h — what a join's build side knows of its keys, handed to the scans of its probe
 * side.
 *
 * Scans say at open which filters they use; the join publishes once, when its build side is
 * complete, before the probe pipeline starts. Predicates live until the run is closed. A filter for
 * scans of other fragments travels: filter_exchange.h.
 */
#pragma once
#include "base/arena.h"
#include "base/vector/predicate.h"
#include "planner/plan/plan.h"
#include "storage/scan.h"

typedef struct RuntimeFilters RuntimeFilters;

#define RUNTIME_FILTER_PREDICATES 2 /* a range, and a bitmap or a bloom filter */

RuntimeFilters *runtime_filters_create(Arena *query_arena, const Plan *plan);
void runtime_filters_destroy(RuntimeFilters *filters); /* null is allowed */
/* Only while operators are opened. Ids are 1..filter_count; others are ignored. */
void runtime_filters_use(RuntimeFilters *filters, uint32_t filter_id, TableScan *scan,
                         uint32_t column, Type type);
/* Whether a scan here waits for it, or it goes to other nodes' scans. */
bool runtime_filters_is_used(const RuntimeFilters *filters, uint32_t filter_id);
/* The exchange over which all nodes tell all; 0: the filter stays here. */
uint32_t runtime_filters_exchange(const RuntimeFilters *filters, uint32_t filter_id);
/* Of the column that uses it. */
Type runtime_filters_type(const RuntimeFilters *filters, uint32_t filter_id);
/* `predicates` (at most RUNTIME_FILTER_PREDICATES) are kept by pointer. Any thread, once per id. */
void runtime_filters_publish(RuntimeFilters *filters, uint32_t filter_id,
                             const Predicate *predicates, uint32_t predicate_count);
