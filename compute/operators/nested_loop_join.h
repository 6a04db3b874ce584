/* nested_loop_join.h — PLAN_NESTED_LOOP_JOIN: any condition, or none. */
#pragma once
#include "compute/exec/operator.h"

typedef struct NestedLoopJoinParts {
    Sink *build;
    Transform *probe;
    Source *rest;   /* unmatched build rows; null when there can be none */
} NestedLoopJoinParts;

/* 0A000 for kinds it does not know (those of NOT IN and of build rows only). */
Status nested_loop_join_create(QueryContext *query, const PlanNestedLoopJoin *plan,
                               NestedLoopJoinParts *out) CHECKED;
