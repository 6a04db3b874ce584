/*
 * join_strategy.c — enumerates placements of a join's inputs.
 *
 * Which pairs of placements give the right answer depends on the kind of join. A row that is kept
 * without a match must be seen whole, once, next to all its possible matches:
 *
 *                      left spread,       left replicated,    both hashed on
 *                      right replicated   right spread        joined columns
 *   INNER              yes                yes                 yes
 *   LEFT SINGLE ANTI   yes                no (every node      yes
 *                                         would keep it)
 *   SEMI               yes                right hashed on     yes
 *                                         joined columns
 *   RIGHT              no                 yes                 yes
 *   FULL               no                 no                  yes
 *   ANTI_NULL, MARK    yes                no                  no (a NULL anywhere on the right
 *                                                             concerns every left row)
 */
#include "planner/optimizer/join_strategy.h"

#include <math.h>

typedef struct Strategies {
    const CostModel *model;
    const JoinShape *shape;
    const JoinInput *left, *right;
    JoinPlan *plans;
    uint32_t count;
} Strategies;

static bool is_on_one_site(const Distribution *distribution)
{
    return distribution->kind == DISTRIBUTION_SINGLE || distribution->kind == DISTRIBUTION_LEADER;
}

bool join_can_build_left(JoinKind join, bool has_keys)
{
    switch (join) {
    case JOIN_INNER:
    case JOIN_LEFT:
    case JOIN_RIGHT:
    case JOIN_FULL:
        return true;
    case JOIN_SEMI:
    case JOIN_ANTI:
        return has_keys; // a nested loop keeps no marks on its stored side
    default:
        return false;
    }
}

/* Left spread over the nodes, right replicated. */
static bool join_left_spread(const JoinShape *shape, const Distribution *left, Distribution *result)
{
    *result = *left;
    return shape->join != JOIN_RIGHT && shape->join != JOIN_FULL;
}

/* Left replicated, right spread. */
static bool join_right_spread(const JoinShape *shape, const Distribution *right,
                              Distribution *result)
{
    *result = *right;
    if (shape->join == JOIN_INNER || shape->join == JOIN_RIGHT) {
        return true;
    }
    return shape->join == JOIN_SEMI &&
           distribution_partner(right, false, shape->pairs, shape->pair_count, result);
}

static bool join_hashed(const JoinShape *shape, const Distribution *left, const Distribution *right,
                        Distribution *result)
{
    *result = shape->join == JOIN_RIGHT  ? *right
              : shape->join == JOIN_FULL ? distribution_of(DISTRIBUTION_SCATTERED)
                                         : *left;
    return !shape->needs_whole_right &&
           distribution_is_collocated(left, right, shape->pairs, shape->pair_count);
}

/* Where the output is when the inputs are there; false when that would give a wrong answer. */
static bool join_result(const JoinShape *shape, const Distribution *left, const Distribution *right,
                        Distribution *result)
{
    bool is_left_spread = distribution_is_partitioned(left);
    bool is_right_spread = distribution_is_partitioned(right);
    bool is_legal;
    if (is_left_spread && is_right_spread) {
        is_legal = join_hashed(shape, left, right, result);
    } else if (is_left_spread) {
        is_legal = right->kind == DISTRIBUTION_REPLICATED && join_left_spread(shape, left, result);
    } else if (is_right_spread) {
        is_legal = left->kind == DISTRIBUTION_REPLICATED && join_right_spread(shape, right, result);
    } else if (left->kind == right->kind) {
        *result = *left;
        is_legal = true;
    } else {
        *result = distribution_of(DISTRIBUTION_SINGLE); // one node has both, or a copy
        is_legal = left->kind != DISTRIBUTION_LEADER && right->kind != DISTRIBUTION_LEADER;
    }
    if (is_legal && shape->join == JOIN_INNER) {
        for (uint32_t i = 0; i < shape->pair_count; i++) {
            distribution_add_pair(result, shape->pairs[i]);
        }
    }
    return is_legal;
}

static double join_cost(const Strategies *self, const JoinPlan *plan, bool builds_left)
{
    double left_rows = cost_rows_per_site(self->model, &plan->left, self->left->rows);
    double right_rows = cost_rows_per_site(self->model, &plan->right, self->right->rows);
    double output_rows = cost_rows_per_site(self->model, &plan->result, self->shape->output_rows);
    double build = builds_left ? left_rows : right_rows;
    double probe = builds_left ? right_rows : left_rows;
    double cost = output_rows * COST_JOIN_OUTPUT_ROW + build * COST_BUILD_ROW;
    return cost + (self->shape->has_keys ? probe * COST_PROBE_ROW : probe * build * COST_LOOP_PAIR);
}

static double move_cost(const Strategies *self, const JoinInput *input, JoinMove move,
                        const Distribution *target)
{
    return move == JOIN_MOVE_NONE ? 0
                                  : cost_exchange(self->model, &input->distribution, target,
                                                  input->rows, input->width);
}

/* Adds the plan if it is legal. */
static void add_plan(Strategies *self, JoinMove left_move, Distribution left, JoinMove right_move,
                     Distribution right)
{
    JoinPlan plan = {
        .left_move = left_move, .right_move = right_move, .left = left, .right = right};
    if (self->count == JOIN_PLANS_MAX || !join_result(self->shape, &left, &right, &plan.result)) {
        return;
    }
    plan.cost = self->left->cost + self->right->cost +
                move_cost(self, self->left, left_move, &left) +
                move_cost(self, self->right, right_move, &right);
    double right_build = join_cost(self, &plan, false);
    double left_build = join_can_build_left(self->shape->join, self->shape->has_keys)
                            ? join_cost(self, &plan, true)
                            : INFINITY;
    plan.builds_left = left_build < right_build;
    plan.cost += fmin(left_build, right_build);
    self->plans[self->count++] = plan;
}

static void add_broadcasts(Strategies *self)
{
    Distribution replicated = distribution_of(DISTRIBUTION_REPLICATED);
    const Distribution *left = &self->left->distribution, *right = &self->right->distribution;
    if (distribution_is_partitioned(left) && right->kind != DISTRIBUTION_REPLICATED) {
        add_plan(self, JOIN_MOVE_NONE, *left, JOIN_MOVE_BROADCAST, replicated);
    }
    if (distribution_is_partitioned(right) && left->kind != DISTRIBUTION_REPLICATED) {
        add_plan(self, JOIN_MOVE_BROADCAST, replicated, JOIN_MOVE_NONE, *right);
    }
}

/* One side stays where it is hashed, the other comes to it. */
static void add_one_sided(Strategies *self)
{
    const JoinShape *shape = self->shape;
    const Distribution *left = &self->left->distribution, *right = &self->right->distribution;
    Distribution partner;
    if (distribution_partner(left, true, shape->pairs, shape->pair_count, &partner)) {
        add_plan(self, JOIN_MOVE_NONE, *left, JOIN_MOVE_HASH, partner);
    }
    if (distribution_partner(right, false, shape->pairs, shape->pair_count, &partner)) {
        add_plan(self, JOIN_MOVE_HASH, partner, JOIN_MOVE_NONE, *right);
    }
}

/* Both sides move: by all joined columns, or by one that has values enough. */
static void add_two_sided(Strategies *self)
{
    const JoinShape *shape = self->shape;
    ColumnNumber left[JOIN_PAIRS_MAX], right[JOIN_PAIRS_MAX];
    for (uint32_t i = 0; i < shape->pair_count; i++) {
        left[i] = shape->pairs[i].left;
        right[i] = shape->pairs[i].right;
    }
    if (shape->pair_count > 0) {
        add_plan(self, JOIN_MOVE_HASH, distribution_hashed(left, shape->pair_count), JOIN_MOVE_HASH,
                 distribution_hashed(right, shape->pair_count));
    }
    for (uint32_t i = 0; shape->pair_count > 1 && i < shape->pair_count && i < 3; i++) {
        if (shape->pair_distinct[i] >= DISTINCT_PER_NODE_MIN * self->model->node_count) {
            add_plan(self, JOIN_MOVE_HASH, distribution_hashed(&left[i], 1), JOIN_MOVE_HASH,
                     distribution_hashed(&right[i], 1));
        }
    }
}

/* Everything to one site: always legal. */
static void add_gathered(Strategies *self, DistributionKind kind)
{
    Distribution target = distribution_of(kind);
    const Distribution *left = &self->left->distribution, *right = &self->right->distribution;
    add_plan(self, distribution_satisfies(left, &target) ? JOIN_MOVE_NONE : JOIN_MOVE_GATHER,
             distribution_satisfies(left, &target) ? *left : target,
             distribution_satisfies(right, &target) ? JOIN_MOVE_NONE : JOIN_MOVE_GATHER,
             distribution_satisfies(right, &target) ? *right : target);
}

#define LEADER_ROWS_MAX 10000 /* larger inputs never go to the leader */

uint32_t join_strategies(const CostModel *model, const JoinShape *shape, const JoinInput *left,
                         const JoinInput *right, JoinPlan plans[JOIN_PLANS_MAX])
{
    Strategies self = {
        .model = model, .shape = shape, .left = left, .right = right, .plans = plans};
    add_plan(&self, JOIN_MOVE_NONE, left->distribution, JOIN_MOVE_NONE, right->distribution);
    if (self.count > 0 && is_on_one_site(&left->distribution) &&
        is_on_one_site(&right->distribution)) {
        return self.count;
    }
    if (model->node_count > 1) {
        add_broadcasts(&self);
        add_one_sided(&self);
        add_two_sided(&self);
    }
    bool is_leader_input = left->distribution.kind == DISTRIBUTION_LEADER ||
                           right->distribution.kind == DISTRIBUTION_LEADER;
    if (is_leader_input && left->rows <= LEADER_ROWS_MAX && right->rows <= LEADER_ROWS_MAX) {
        add_gathered(&self, DISTRIBUTION_LEADER);
    }
    if (self.count < 2) {
        add_gathered(&self, DISTRIBUTION_SINGLE);
    }
    return self.count;
}
