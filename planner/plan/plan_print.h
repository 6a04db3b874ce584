/* plan_print.h — a plan as the text EXPLAIN shows: Redshift's "XN …" lines with DS_* labels, and
 * with statistics, per operator and node, what EXPLAIN ANALYZE measured. */
#pragma once
#include "planner/plan/plan.h"

/* What one site measured for one plan node. */
typedef struct PlanNodeStatistics {
    uint32_t site;        /* 0 leader, else the compute node's number */
    uint32_t plan_node_id;
    uint64_t rows;        /* out of the operator */
    uint64_t bytes;       /* sent, received, read or spilled, by kind of operator */
    uint64_t time_ns;     /* CPU of all workers in this operator */
    /* Scans: blocks whose values were needed, blocks that were not; those of the first for
     * which the disk was asked, neighbours come along; row groups answered without a block. */
    uint64_t blocks_read, blocks_skipped, blocks_from_disk, row_groups_from_zone_maps;
    uint64_t spilled_bytes;
    char variant[48];     /* the physical variant chosen at run time, or "" */
} PlanNodeStatistics;

void plan_print(const Plan *plan, const PlanNodeStatistics *statistics, uint32_t statistic_count,
                bool is_verbose, ByteBuffer *target);
