/* cost.c — nanoseconds of operators and exchanges; the constants are in cost.h. */
#include "planner/optimizer/cost.h"

#include <math.h>

double cost_rows_per_site(const CostModel *model, const Distribution *distribution, double rows)
{
    return distribution_is_partitioned(distribution) ? rows / model->node_count : rows;
}

double cost_exchange(const CostModel *model, const Distribution *from, const Distribution *to,
                     double rows, double width)
{
    double nodes = model->node_count;
    double bytes = rows * (width + 1);
    double sent_rows = cost_rows_per_site(model, from, rows);
    double cost = COST_EXCHANGE + sent_rows * COST_EXCHANGE_ROW;
    if (distribution_is_partitioned(to)) {
        // A row stays where it is with probability 1/nodes; all links work at once.
        double share =
            distribution_is_partitioned(from) ? (nodes - 1) / (nodes * nodes) : (nodes - 1) / nodes;
        return cost + bytes * share * COST_NETWORK_BYTE;
    }
    if (to->kind == DISTRIBUTION_REPLICATED) {
        // Each node's link carries nearly all rows.
        return cost + bytes * COST_NETWORK_BYTE + rows * COST_EXCHANGE_ROW;
    }
    // One receiver takes everything: its link is the narrow place.
    return cost + bytes * COST_NETWORK_BYTE + rows * COST_EXCHANGE_ROW;
}

double cost_aggregate(double rows, double groups, uint32_t aggregate_count)
{
    // From cache-resident to cache-missing tables on a logarithmic scale: 1e3 to 1e6 groups.
    double miss = groups <= 1e3 ? 0 : groups >= 1e6 ? 1 : (log10(groups) - 3) / 3;
    double per_row = COST_AGGREGATE_ROW + (COST_AGGREGATE_ROW_MANY - COST_AGGREGATE_ROW) * miss +
                     COST_AGGREGATE_VALUE * aggregate_count;
    return rows * (groups <= 1 ? COST_AGGREGATE_VALUE * (1 + aggregate_count) : per_row);
}

double cost_sort(double rows)
{
    return rows * COST_SORT_ROW * (rows <= 1 ? 1 : 0.5 + log2(rows) / 40);
}
