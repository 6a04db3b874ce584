/*
 * cost.h — what operators and exchanges cost, in nanoseconds of elapsed time.
 *
 * Rows that are spread over the nodes are worked on by all of them at once; replicated rows cost
 * every node the whole. A node's own cores are not in the model: they divide everything alike.
 */
#pragma once
#include "planner/optimizer/distribution.h"

/* Per row, after the kernels' targets; per byte over the network; fixed per exchange. */
#define COST_SCAN_ROW 0.5
#define COST_FILTER_ROW 0.8
#define COST_PROJECT_VALUE 0.7
#define COST_BUILD_ROW 10.0
#define COST_PROBE_ROW 3.0
#define COST_JOIN_OUTPUT_ROW 2.0
#define COST_LOOP_PAIR 1.0
#define COST_AGGREGATE_ROW 4.0       /* few groups, in cache */
#define COST_AGGREGATE_ROW_MANY 17.0 /* a million groups */
#define COST_AGGREGATE_VALUE 0.5
#define COST_SORT_ROW 25.0
#define COST_TOP_ROW 1.5
#define COST_WINDOW_ROW 30.0
#define COST_WRITE_ROW 100.0
#define COST_DELETE_ROW 10.0
#define COST_EXCHANGE_ROW 5.0
#define COST_NETWORK_BYTE 1.0
#define COST_EXCHANGE 50000.0

typedef struct CostModel {
    uint32_t node_count;
} CostModel;

/* Rows the busiest site handles of `rows` placed like that. */
double cost_rows_per_site(const CostModel *model, const Distribution *distribution, double rows);
/* Moving `rows` of `width` bytes from one place to another. */
double cost_exchange(const CostModel *model, const Distribution *from, const Distribution *to,
                     double rows, double width);
double cost_aggregate(double rows, double groups, uint32_t aggregate_count);
double cost_sort(double rows);
