/*
 * plan_make.h — short words for plans made by hand: one fragment on the nodes, whose rows the leader
 * gathers.
 */
#pragma once
#include "tests/support/planner/plan_run.h"

typedef struct PlanMake {
    Arena *arena;
    uint32_t node_count;      /* plan node ids given so far */
    uint32_t filter_count;    /* runtime filters */
} PlanMake;

typedef struct MadeTable {
    PlanTable plan;
    Rows *rows;
} MadeTable;

#define MADE_TABLES_MAX 8
typedef struct MadeTables {
    MadeTable tables[MADE_TABLES_MAX];
    uint32_t count;
    TableRows rows;
} MadeTables;

/* A table of `types`; rows are added by the test. Distributed EVEN. */
MadeTable *made_table_add(MadeTables *tables, Arena *arena, const Type *types,
                          uint32_t column_count);
PlanNode *make_scan(PlanMake *make, MadeTable *table);
PlanNode *make_values(PlanMake *make, MadeTable *table); /* the same rows, written in the plan */
PlanNode *make_filter(PlanMake *make, PlanNode *child, Expr *filter);
PlanNode *make_project(PlanMake *make, PlanNode *child, Expr **exprs, uint32_t count);
/* Outputs: probe columns, build columns, and the mark for MARK; for semi and anti joins one side. */
PlanHashJoin *make_hash_join(PlanMake *make, JoinKind kind, PlanNode *probe, PlanNode *build,
                             const uint32_t *probe_keys, const uint32_t *build_keys,
                             uint32_t key_count);
PlanNestedLoopJoin *make_nested_loop(PlanMake *make, JoinKind kind, PlanNode *probe,
                                     PlanNode *build, Expr *condition);
PlanAggregate *make_aggregate(PlanMake *make, PlanNode *child, const uint32_t *keys,
                              uint32_t key_count, const AggregateCall *calls, uint32_t call_count);
PlanSort *make_sort(PlanMake *make, PlanNode *child, const PlanSortKey *keys, uint32_t key_count);
PlanNode *make_limit(PlanMake *make, PlanNode *child, uint64_t limit, uint64_t offset);
PlanNode *make_union_all(PlanMake *make, PlanNode **children, uint32_t count);
/* SEND (with merge keys on the other side) and RESULT around `root`. */
Plan *make_plan(PlanMake *make, PlanNode *root, const PlanSortKey *merge_keys,
                uint32_t merge_key_count);
Expr *make_column(PlanMake *make, const PlanNode *node, uint32_t column);
/* A column of probe ++ build, for residuals. */
Expr *make_pair_column(PlanMake *make, const PlanNode *probe, const PlanNode *build,
                       uint32_t column);
Expr *make_comparison(PlanMake *make, FunctionId function, Expr *left, Expr *right);
