/* hash_join.h — PLAN_HASH_JOIN: equal keys, any kind of join. */
#pragma once
#include "compute/exec/operator.h"

/* The pieces the pipeline builder puts together:
 *   build side -> [build]; insert -> [inserted]; reinsert -> [reinserted]; probe side -> probe ->
 * …; rest -> … each after the one before. `rest` gives what is known only when the probe side has
 * ended. */
typedef struct HashJoinParts {
    Sink *build;
    Source *insert;
    Sink *inserted;
    Source *reinsert;
    Sink *reinserted;
    Transform *probe;
    Source *rest;
} HashJoinParts;

Status hash_join_create(QueryContext *query, const PlanHashJoin *plan, HashJoinParts *out) CHECKED;
