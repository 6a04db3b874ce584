/*
 * merge_query.h — a writing query of the leader's own, in a transaction of its own, that ends as
 * soon as its merge shall make way.
 */
#pragma once
#include "leader/txn/txn.h"
#include "leader/vacuum/table_merge.h"
#include "planner/logical/logical_plan.h"

typedef struct MergeQuery {
    const TableMerge *merge;
    Txn txn;
    ResultQueue *results;
    DistributedQuery *query; /* null until it runs */
} MergeQuery;

void merge_query_init(MergeQuery *self, const TableMerge *merge);
void merge_query_deinit(MergeQuery *self); /* rolls back what is not committed */
/* Runs the plan to its end; `results` has its one row. */
Status merge_query_run(MergeQuery *self, const Plan *plan, const Snapshot *snapshot) CHECKED;
/* The query is over, and what the plan was made of may go. */
void merge_query_end(MergeQuery *self);
/* What a planner needs that has nothing to ask. */
PlannerContext merge_query_planner(const MergeQuery *self, Arena *arena);
