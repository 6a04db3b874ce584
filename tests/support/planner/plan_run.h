/*
 * plan_run.h — runs a plan's fragments on a make-believe cluster, as the engine would place them.
 *
 * Tables lie on the nodes by their distribution; exchanges route rows by bucket; a fragment of one
 * node runs on node 0 and sees only what node 0 has. So a plan that misplaces rows gives wrong
 * answers here too. Runtime filters are applied.
 */
#pragma once
#include "tests/support/planner/logical_run.h"
#include "tests/support/planner/table_changes.h"

typedef struct PlanRunResult {
    Rows *rows;
    const char *failure;
    uint64_t leader_rows; /* received by the leader's fragments */
    uint64_t exchanged_rows;
    uint64_t written_rows; /* by TABLE_WRITE, copies of ALL tables counted on each node */
    bool has_misplaced_write;
    TableChanges changes;
} PlanRunResult;

PlanRunResult plan_run(const Plan *plan, const TableRows *tables, uint32_t node_count,
                       Arena *arena);
