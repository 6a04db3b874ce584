/*
 * place_join.c — joins of placed inputs: every pair of input steps, every legal way to bring them
 * together (join_strategy.h).
 */
#include "planner/distributor/place.h"

#include <string.h>

#include "planner/logical/logical_tree.h"

typedef struct JoinSides {
    ColumnSet left, right;
} JoinSides;

/* Adds `left = right` as a key if each side of it belongs to one input. */
static bool add_key(Placer *placer, StepJoin *join, const JoinSides *sides, Expr *conjunct)
{
    if (conjunct->kind != EXPR_CALL ||
        (conjunct->function != FUNCTION_EQUAL && conjunct->function != FUNCTION_IS_NOT_DISTINCT)) {
        return false;
    }
    for (int side = 0; side < 2; side++) {
        Expr *left = conjunct->args[side], *right = conjunct->args[1 - side];
        ColumnSet left_used = {0}, right_used = {0};
        column_set_add_expr(&left_used, left, placer->arena);
        column_set_add_expr(&right_used, right, placer->arena);
        if (!column_set_is_empty(&left_used) && !column_set_is_empty(&right_used) &&
            column_set_is_subset(&left_used, &sides->left) &&
            column_set_is_subset(&right_used, &sides->right)) {
            join->left_keys[join->key_count] = left;
            join->right_keys[join->key_count] = right;
            join->is_null_equal[join->key_count++] = conjunct->function == FUNCTION_IS_NOT_DISTINCT;
            return true;
        }
    }
    return false;
}

/* The condition as key pairs, each side over one input, and a residual. */
static StepJoin *split_condition(Placer *placer, const LogicalJoin *logical, const JoinSides *sides)
{
    PointerList conjuncts = {0}, residual = {0};
    conjuncts_add(placer->arena, &conjuncts, logical->condition);
    StepJoin *join = ARENA_NEW(placer->arena, StepJoin);
    join->join = logical->join;
    join->left_keys = ARENA_ARRAY(placer->arena, Expr *, conjuncts.count);
    join->right_keys = ARENA_ARRAY(placer->arena, Expr *, conjuncts.count);
    join->is_null_equal = ARENA_ARRAY(placer->arena, bool, conjuncts.count);
    for (uint32_t i = 0; i < conjuncts.count; i++) {
        if (!add_key(placer, join, sides, conjuncts.items[i])) {
            pointer_list_add(placer->arena, &residual, conjuncts.items[i]);
        }
    }
    join->residual = conjuncts_join(placer->arena, &residual);
    if (logical->join == JOIN_MARK) {
        join->mark = logical->node.columns[logical->node.column_count - 1].number;
    }
    return join;
}

static bool is_nullable(const LogicalNode *node, const Expr *expr)
{
    const LogicalColumn *column =
        expr->kind == EXPR_COLUMN ? logical_find_column(node, expr->column) : NULL;
    return column == NULL || column->is_nullable;
}

/* NOT IN and MARK answer NULL when a NULL was on the right, for whatever left row. */
static bool needs_whole_right(const LogicalJoin *logical, const StepJoin *join)
{
    if (logical->join != JOIN_ANTI_NULL && logical->join != JOIN_MARK) {
        return false;
    }
    if (join->key_count == 0 || join->residual != NULL) {
        return true;
    }
    for (uint32_t i = 0; i < join->key_count; i++) {
        bool has_null = is_nullable(logical->left, join->left_keys[i]) ||
                        is_nullable(logical->right, join->right_keys[i]);
        if (has_null && !join->is_null_equal[i]) {
            return true;
        }
    }
    return false;
}

static JoinShape shape_of(Placer *placer, const LogicalJoin *logical, const StepJoin *join)
{
    JoinShape shape = {.join = logical->join,
                       .has_keys = join->key_count > 0,
                       .needs_whole_right = needs_whole_right(logical, join),
                       .output_rows = logical->node.rows};
    for (uint32_t i = 0; i < join->key_count && shape.pair_count < JOIN_PAIRS_MAX; i++) {
        ColumnNumber left = distribution_column_of(join->left_keys[i]);
        ColumnNumber right = distribution_column_of(join->right_keys[i]);
        if (left != 0 && right != 0) {
            double left_distinct = estimate_column(placer->estimator, left)->distinct;
            double right_distinct = estimate_column(placer->estimator, right)->distinct;
            shape.pair_distinct[shape.pair_count] =
                left_distinct < right_distinct ? left_distinct : right_distinct;
            shape.pairs[shape.pair_count++] = (KeyPair){left, right};
        }
    }
    return shape;
}

/* Do the build keys contain all keys of an aggregate below? Then each is there once. */
static bool is_unique_by(const LogicalNode *node, Expr *const *keys, uint32_t key_count)
{
    while (node->kind == LOGICAL_FILTER || node->kind == LOGICAL_LIMIT ||
           node->kind == LOGICAL_SORT) {
        node = logical_get_child(node, 0);
    }
    if (node->kind != LOGICAL_AGGREGATE) {
        return false;
    }
    const LogicalAggregate *aggregate = (const LogicalAggregate *)node;
    for (uint32_t i = 0; i < aggregate->key_count; i++) {
        bool is_found = false;
        for (uint32_t k = 0; k < key_count; k++) {
            is_found |= keys[k]->kind == EXPR_COLUMN && keys[k]->column == node->columns[i].number;
        }
        if (!is_found) {
            return false;
        }
    }
    return true;
}

typedef struct JoinPlacer {
    Placer *placer;
    const LogicalJoin *logical;
    const StepJoin *join;
    JoinShape shape;
    ColumnSet left_needed, right_needed;
    const LogicalColumn *columns; /* outputs */
    uint32_t column_count;
    ColumnSet visible;
} JoinPlacer;

static Step *moved(const JoinPlacer *self, Step *step, JoinMove move, const Distribution *target,
                   const ColumnSet *needed)
{
    return move == JOIN_MOVE_NONE ? step : step_move(self->placer, step, target, needed);
}

static Step *join_step(const JoinPlacer *self, Step *left, Step *right, const JoinPlan *plan)
{
    StepJoin *join = arena_memdup(self->placer->arena, self->join, sizeof(*self->join));
    join->builds_left = plan->builds_left;
    join->left_move = plan->left_move;
    join->right_move = plan->right_move;
    join->is_build_unique =
        plan->builds_left ? is_unique_by(self->logical->left, join->left_keys, join->key_count)
                          : is_unique_by(self->logical->right, join->right_keys, join->key_count);
    Step *inputs[2] = {moved(self, left, plan->left_move, &plan->left, &self->left_needed),
                       moved(self, right, plan->right_move, &plan->right, &self->right_needed)};
    Step *step = step_new(self->placer, STEP_JOIN, &self->logical->node, 2, inputs, 0);
    step->join = join;
    step->cost = plan->cost;
    step_set_columns(self->placer, step, self->column_count, self->columns);
    step->distribution = plan->result;
    distribution_restrict(&step->distribution, &self->visible);
    step->home = 0;
    for (uint32_t i = 0; i < 2; i++) {
        if (column_set_has(&self->visible, inputs[i]->home)) {
            step->home = inputs[i]->home;
        }
    }
    return step;
}

static JoinInput input_of(const Step *step)
{
    return (JoinInput){step->distribution, step->rows, step->width, step->cost};
}

/* Copies of a table's rows stay where they are, on every node: so the other side comes to all. */
static Step *join_replicas(const JoinPlacer *self, Step *left, Step *right)
{
    Step *both_left =
        step_is_replica(left) ? left : step_replicate(self->placer, left, &self->left_needed);
    Step *both_right =
        step_is_replica(right) ? right : step_replicate(self->placer, right, &self->right_needed);
    JoinInput left_input = input_of(both_left), right_input = input_of(both_right);
    JoinPlan plans[JOIN_PLANS_MAX];
    join_strategies(&self->placer->cost, &self->shape, &left_input, &right_input, plans);
    plans[0].left_move = both_left == left ? JOIN_MOVE_NONE : JOIN_MOVE_BROADCAST;
    plans[0].right_move = both_right == right ? JOIN_MOVE_NONE : JOIN_MOVE_BROADCAST;
    return join_step(self, both_left, both_right, &plans[0]); // the first one moves nothing more
}

static void combine(const JoinPlacer *self, const StepList *lefts, const StepList *rights,
                    StepList *out)
{
    for (uint32_t i = 0; i < lefts->count; i++) {
        JoinInput left = input_of(lefts->steps[i]);
        for (uint32_t k = 0; k < rights->count; k++) {
            JoinInput right = input_of(rights->steps[k]);
            if (step_is_replica(lefts->steps[i]) || step_is_replica(rights->steps[k])) {
                step_list_add(out, join_replicas(self, lefts->steps[i], rights->steps[k]));
                continue;
            }
            JoinPlan plans[JOIN_PLANS_MAX];
            uint32_t count =
                join_strategies(&self->placer->cost, &self->shape, &left, &right, plans);
            for (uint32_t p = 0; p < count; p++) {
                step_list_add(out, join_step(self, lefts->steps[i], rights->steps[k], &plans[p]));
            }
        }
    }
}

Status place_join(Placer *placer, LogicalJoin *logical, const ColumnSet *needed, StepList *out)
{
    JoinSides sides = {column_set_of_node(logical->left, placer->arena),
                       column_set_of_node(logical->right, placer->arena)};
    JoinPlacer self = {.placer = placer, .logical = logical};
    self.join = split_condition(placer, logical, &sides);
    self.shape = shape_of(placer, logical, self.join);

    ColumnSet used = {0};
    column_set_add_all(&used, needed, placer->arena);
    if (logical->condition != NULL) {
        column_set_add_expr(&used, logical->condition, placer->arena);
    }
    for (ColumnNumber number = 0; (number = column_set_next(&used, number)) != 0;) {
        if (column_set_has(&sides.left, number)) {
            column_set_add(&self.left_needed, number, placer->arena);
        } else if (column_set_has(&sides.right, number)) {
            column_set_add(&self.right_needed, number, placer->arena);
        }
    }
    LogicalColumn *columns = ARENA_ARRAY(placer->arena, LogicalColumn, logical->node.column_count);
    for (uint32_t i = 0; i < logical->node.column_count; i++) {
        if (column_set_has(needed, logical->node.columns[i].number)) {
            columns[self.column_count++] = logical->node.columns[i];
            column_set_add(&self.visible, logical->node.columns[i].number, placer->arena);
        }
    }
    self.columns = columns;

    StepList lefts = {0}, rights = {0};
    TRY(place_node(placer, logical->left, &self.left_needed, false, &lefts));
    TRY(place_node(placer, logical->right, &self.right_needed, false, &rights));
    combine(&self, &lefts, &rights, out);
    return out->count > 0 ? STATUS_OK
                          : status_error(SQLSTATE_INTERNAL_ERROR, "join has no legal placement");
}
