/*
 * join_strategy.h — the ways two placed inputs can be joined: what moves, who builds, what it
 * costs.
 *
 * Used by join ordering (many times, on estimates) and by the distributor (once, for the plan).
 */
#pragma once
#include "planner/optimizer/cost.h"

typedef enum JoinMove {
    JOIN_MOVE_NONE,
    JOIN_MOVE_BROADCAST,
    JOIN_MOVE_HASH,  /* to `target` */
    JOIN_MOVE_GATHER /* to one node, or to the leader: `target` */
} JoinMove;

typedef struct JoinInput {
    Distribution distribution;
    double rows, width, cost;
} JoinInput;

#define JOIN_PAIRS_MAX 8
typedef struct JoinShape {
    JoinKind join;
    bool has_keys;          /* at least one equality: a hash join; else a nested loop */
    bool needs_whole_right; /* NULLs on the right side concern every left row */
    uint32_t pair_count;    /* equalities of plain columns: what rows can be hashed by */
    KeyPair pairs[JOIN_PAIRS_MAX];
    double pair_distinct[JOIN_PAIRS_MAX];
    double output_rows;
} JoinShape;

typedef struct JoinPlan {
    JoinMove left_move, right_move;
    Distribution left, right; /* after the moves */
    Distribution result;
    bool builds_left;
    double cost; /* inputs included */
} JoinPlan;

#define JOIN_PLANS_MAX 12
/* All legal plans of the two inputs, at most JOIN_PLANS_MAX; at least one. */
uint32_t join_strategies(const CostModel *model, const JoinShape *shape, const JoinInput *left,
                         const JoinInput *right, JoinPlan plans[JOIN_PLANS_MAX]);
/* Can the physical join keep its left input in the hash table? */
bool join_can_build_left(JoinKind join, bool has_keys);
