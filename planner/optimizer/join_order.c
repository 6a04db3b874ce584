/*
 * join_order.c — dynamic programming over sets of inputs; greedy where there are too many of them.
 *
 * Each set keeps its few cheapest plans that differ in distribution: a dearer plan whose rows lie
 * right for the next join may win. For q inputs the exact way looks at 3^q pairs of sets at most;
 * most are not connected and cost a few instructions each. Where too many are (a star of nine
 * dimensions, ten inputs all equal), the pair with the smallest result is joined, again and again.
 */
#include "planner/optimizer/join_order.h"

#include <math.h>
#include <string.h>

#include "planner/logical/logical_tree.h"
#include "planner/optimizer/join_strategy.h"

#define JOIN_EXACT_MAX 10
#define JOIN_PAIRS_EXACT_MAX 1500 /* of connected sets: about two milliseconds */
#define PLANS_MAX 4               /* per set */
#define PLANS_MAX_LARGE 2
#define LARGE_SET 8 /* from so many inputs on sets keep fewer plans */

typedef struct SetPlan {
    Distribution distribution;
    double cost;
    InputMask left, right; /* 0: a single input */
} SetPlan;

typedef struct InputSet {
    InputMask inputs;
    bool is_known;
    double rows, width;
    ColumnSet columns;
    uint32_t plan_count;
    SetPlan plans[PLANS_MAX];
} InputSet;

typedef struct Orderer {
    Estimator *estimator;
    const CostModel *model;
    JoinGraph *graph;
    Arena *arena;
    uint32_t plans_max;
    InputSet *sets; /* exact: by mask; greedy: a list */
    uint32_t class_column_count;
    ColumnNumber *class_columns;
    double *class_distinct;
} Orderer;

Distribution join_order_guess_distribution(const CostModel *model, const LogicalNode *node)
{
    if (model->node_count == 1) {
        return distribution_of(DISTRIBUTION_SINGLE);
    }
    switch (node->kind) {
    case LOGICAL_GET: {
        const LogicalGet *get = (const LogicalGet *)node;
        if (get->table->kind == CATALOG_VIRTUAL) {
            return distribution_of(DISTRIBUTION_LEADER);
        }
        for (uint32_t i = 0; i < node->column_count; i++) {
            if (get->table->style == DISTRIBUTION_STYLE_KEY &&
                (int64_t)get->table_columns[i] == get->table->distribution_column) {
                return distribution_hashed(&node->columns[i].number, 1);
            }
        }
        return distribution_of(get->table->style == DISTRIBUTION_STYLE_ALL
                                   ? DISTRIBUTION_REPLICATED
                                   : DISTRIBUTION_SCATTERED);
    }
    case LOGICAL_VALUES:
        return distribution_of(DISTRIBUTION_REPLICATED);
    case LOGICAL_LIMIT:
        return distribution_of(DISTRIBUTION_SINGLE);
    case LOGICAL_FILTER:
        return join_order_guess_distribution(model, logical_get_child(node, 0));
    case LOGICAL_AGGREGATE: {
        const LogicalAggregate *aggregate = (const LogicalAggregate *)node;
        if (aggregate->key_count == 0) {
            return distribution_of(DISTRIBUTION_SINGLE);
        }
        Distribution below = join_order_guess_distribution(model, aggregate->child);
        for (uint32_t i = 0; i < aggregate->key_count; i++) {
            ColumnNumber key = distribution_column_of(aggregate->keys[i]);
            if (below.kind == DISTRIBUTION_HASHED && key != 0 &&
                distribution_key_has(&below.keys[0], key)) {
                return distribution_hashed(&node->columns[i].number, 1);
            }
        }
        return below.kind == DISTRIBUTION_REPLICATED
                   ? below
                   : distribution_hashed(&node->columns[0].number, 1);
    }
    case LOGICAL_PROJECT: {
        const LogicalProject *project = (const LogicalProject *)node;
        Distribution distribution = join_order_guess_distribution(model, project->child);
        for (uint32_t i = 0; i < node->column_count; i++) {
            ColumnNumber from = distribution_column_of(project->exprs[i]);
            if (from != 0) {
                distribution_rename(&distribution, from, node->columns[i].number);
            }
        }
        return distribution;
    }
    default:
        return distribution_of(DISTRIBUTION_SCATTERED);
    }
}

static void keep_plan(const Orderer *self, InputSet *set, const SetPlan *plan)
{
    uint32_t dearest = 0;
    for (uint32_t i = 0; i < set->plan_count; i++) {
        if (set->plans[i].cost <= plan->cost &&
            distribution_satisfies(&set->plans[i].distribution, &plan->distribution)) {
            return;
        }
        dearest = set->plans[i].cost > set->plans[dearest].cost ? i : dearest;
    }
    uint32_t kept = 0;
    for (uint32_t i = 0; i < set->plan_count; i++) {
        if (set->plans[i].cost < plan->cost ||
            !distribution_satisfies(&plan->distribution, &set->plans[i].distribution)) {
            set->plans[kept++] = set->plans[i];
        }
    }
    bool is_full = kept == set->plan_count && kept == self->plans_max;
    set->plan_count = kept;
    if (!is_full) {
        set->plans[set->plan_count++] = *plan;
    } else if (plan->cost < set->plans[dearest].cost) {
        set->plans[dearest] = *plan;
    }
}

static void add_pair(const Orderer *self, JoinShape *shape, const ColumnSet *left, Expr *conjunct)
{
    if (conjunct->kind != EXPR_CALL ||
        (conjunct->function != FUNCTION_EQUAL && conjunct->function != FUNCTION_IS_NOT_DISTINCT)) {
        return;
    }
    bool is_first_left = column_set_covers_expr(left, conjunct->args[0], self->arena);
    bool is_second_left = column_set_covers_expr(left, conjunct->args[1], self->arena);
    if (is_first_left == is_second_left) {
        return;
    }
    shape->has_keys = true;
    ColumnNumber a = distribution_column_of(conjunct->args[is_first_left ? 0 : 1]);
    ColumnNumber b = distribution_column_of(conjunct->args[is_first_left ? 1 : 0]);
    if (a != 0 && b != 0 && shape->pair_count < JOIN_PAIRS_MAX) {
        shape->pair_distinct[shape->pair_count] =
            fmin(estimate_column(self->estimator, a)->distinct,
                 estimate_column(self->estimator, b)->distinct);
        shape->pairs[shape->pair_count++] = (KeyPair){a, b};
    }
}

/* What joining the two sets means: kind, conditions, rows. */
typedef struct SetJoin {
    JoinKind join;
    int attached;          /* input that is the right side of its own join; -1: inner */
    PointerList on, above; /* conjuncts of the join, and of a filter over it */
} SetJoin;

static SetJoin set_join(const Orderer *self, InputMask left, InputMask right)
{
    SetJoin join = {.join = JOIN_INNER, .attached = -1};
    if ((right & self->graph->attached) == right && (right & (right - 1)) == 0) {
        join.attached = __builtin_ctzll(right);
        const JoinGraphInput *input = &self->graph->inputs[join.attached];
        join.join = input->join;
        join.on = input->conjuncts;
        join_graph_conditions_above(self->graph, left, (uint32_t)join.attached, &join.above);
    } else {
        join_graph_conditions(self->graph, left, right, &join.on);
    }
    return join;
}

/* Columns that were joined inside `set` have no more values than the least of them. */
static void narrow_classes(const Orderer *self, InputMask set)
{
    for (uint32_t i = 0; i < self->graph->classes.count; i++) {
        const JoinClass *class = self->graph->classes.items[i];
        double least = INFINITY;
        for (InputMask rest = class->inputs & set; rest != 0; rest &= rest - 1) {
            ColumnNumber column = class->columns[__builtin_ctzll(rest)];
            least = fmin(least, estimate_column(self->estimator, column)->distinct);
        }
        for (InputMask rest = class->inputs & set; rest != 0; rest &= rest - 1) {
            estimate_set_distinct(self->estimator, class->columns[__builtin_ctzll(rest)], least);
        }
    }
}

static void restore_classes(const Orderer *self)
{
    for (uint32_t i = 0; i < self->class_column_count; i++) {
        estimate_set_distinct(self->estimator, self->class_columns[i], self->class_distinct[i]);
    }
}

/* Remembers the distinct counts of all columns in classes, as they are before any join. */
static void save_classes(Orderer *self)
{
    uint32_t room = self->graph->classes.count * self->graph->input_count;
    self->class_columns = ARENA_ARRAY(self->arena, ColumnNumber, room);
    self->class_distinct = ARENA_ARRAY(self->arena, double, room);
    for (uint32_t i = 0; i < self->graph->classes.count; i++) {
        const JoinClass *class = self->graph->classes.items[i];
        for (InputMask rest = class->inputs; rest != 0; rest &= rest - 1) {
            ColumnNumber column = class->columns[__builtin_ctzll(rest)];
            self->class_columns[self->class_column_count] = column;
            self->class_distinct[self->class_column_count++] =
                estimate_column(self->estimator, column)->distinct;
        }
    }
}

static double set_join_rows(const Orderer *self, const SetJoin *join, const InputSet *left,
                            const InputSet *right)
{
    narrow_classes(self, left->inputs);
    narrow_classes(self, right->inputs);
    double rows = estimate_join(self->estimator, join->join, left->rows, right->rows,
                                (Expr **)join->on.items, join->on.count, &left->columns);
    rows *= estimate_selectivity(self->estimator, (Expr **)join->above.items, join->above.count);
    restore_classes(self);
    return fmax(1, rows);
}

#define HOPELESS                                                                                   \
    2.0 /* inputs that alone cost so many times the best plan: no placement makes up               \
         */

static bool is_hopeless(const InputSet *both, double inputs_cost)
{
    bool is_beaten = both->plan_count > 0;
    for (uint32_t i = 0; i < both->plan_count && is_beaten; i++) {
        is_beaten = inputs_cost > HOPELESS * both->plans[i].cost;
    }
    return is_beaten;
}

/* Adds the ways to join two known sets to the plans of their union. */
static void join_sets(const Orderer *self, const InputSet *left, const InputSet *right,
                      InputSet *both)
{
    SetJoin join = set_join(self, left->inputs, right->inputs);
    if (!both->is_known) {
        both->is_known = true;
        both->inputs = left->inputs | right->inputs;
        both->rows = set_join_rows(self, &join, left, right);
        both->width = left->width + right->width;
        column_set_add_all(&both->columns, &left->columns, self->arena);
        if (join.attached < 0) {
            column_set_add_all(&both->columns, &right->columns, self->arena);
        } else {
            column_set_add_all(&both->columns, &self->graph->inputs[join.attached].columns,
                               self->arena);
            both->width = left->width + (join.join == JOIN_LEFT ? right->width : 1);
        }
    }
    JoinShape shape = {.join = join.join, .output_rows = both->rows};
    shape.needs_whole_right = join.join == JOIN_ANTI_NULL;
    for (uint32_t i = 0; i < join.on.count; i++) {
        add_pair(self, &shape, &left->columns, join.on.items[i]);
    }
    for (uint32_t i = 0; i < left->plan_count; i++) {
        JoinInput left_input = {left->plans[i].distribution, left->rows, left->width,
                                left->plans[i].cost};
        for (uint32_t k = 0; k < right->plan_count; k++) {
            JoinInput right_input = {right->plans[k].distribution, right->rows, right->width,
                                     right->plans[k].cost};
            if (is_hopeless(both, left_input.cost + right_input.cost)) {
                continue;
            }
            JoinPlan plans[JOIN_PLANS_MAX];
            uint32_t count = join_strategies(self->model, &shape, &left_input, &right_input, plans);
            for (uint32_t p = 0; p < count; p++) {
                SetPlan plan = {plans[p].result, plans[p].cost, left->inputs, right->inputs};
                keep_plan(self, both, &plan);
            }
        }
    }
}

/* A single input as a set. */
static InputSet single_set(const Orderer *self, uint32_t index)
{
    const JoinGraphInput *input = &self->graph->inputs[index];
    InputSet set = {.inputs = UINT64_C(1) << index, .is_known = true};
    set.rows = fmax(1, input->node->rows);
    set.width = estimate_width(self->estimator, input->node->columns, input->node->column_count);
    set.columns = column_set_of_node(input->node, self->arena);
    set.plan_count = 1;
    set.plans[0].distribution = join_order_guess_distribution(self->model, input->node);
    set.plans[0].cost = 0; // the same in every order
    return set;
}

/* Attached inputs only together with what their condition uses, and with an input of their own. */
static bool is_valid_set(const JoinGraph *graph, InputMask set)
{
    if ((set & ~graph->attached) == 0) {
        return false;
    }
    for (InputMask rest = set & graph->attached; rest != 0; rest &= rest - 1) {
        if ((graph->inputs[__builtin_ctzll(rest)].required & ~set) != 0) {
            return false;
        }
    }
    return true;
}

static void enumerate_splits(const Orderer *self, InputMask set)
{
    InputSet *both = &self->sets[set];
    for (InputMask rest = set & self->graph->attached; rest != 0; rest &= rest - 1) {
        InputMask own = rest & (~rest + 1);
        const InputSet *left = &self->sets[set & ~own];
        if (left->is_known && is_valid_set(self->graph, set & ~own)) {
            join_sets(self, left, &self->sets[own], both);
        }
    }
    InputMask lowest = set & (~set + 1);
    for (InputMask left = (set - 1) & set; left != 0; left = (left - 1) & set) {
        if ((left & lowest) == 0) {
            continue; // the mirror image was, or will be, seen
        }
        InputMask right = set & ~left;
        if (self->sets[left].is_known && self->sets[right].is_known &&
            is_valid_set(self->graph, left) && is_valid_set(self->graph, right) &&
            join_graph_is_connected(self->graph, left, right)) {
            join_sets(self, &self->sets[left], &self->sets[right], both);
        }
    }
}

static const SetPlan *cheapest_plan(const InputSet *set)
{
    const SetPlan *cheapest = &set->plans[0];
    for (uint32_t i = 1; i < set->plan_count; i++) {
        cheapest = set->plans[i].cost < cheapest->cost ? &set->plans[i] : cheapest;
    }
    return cheapest;
}

static LogicalNode *join_node(const Orderer *self, InputMask left, InputMask right,
                              LogicalNode *left_node, LogicalNode *right_node)
{
    SetJoin join = set_join(self, left, right);
    ColumnNumber mark = join.attached < 0 ? 0 : self->graph->inputs[join.attached].mark;
    LogicalNode *node = logical_join(self->arena, join.join, left_node, right_node,
                                     conjuncts_join(self->arena, &join.on), mark);
    return logical_filter(self->arena, node, conjuncts_join(self->arena, &join.above));
}

static LogicalNode *build_exact(const Orderer *self, InputMask set)
{
    if ((set & (set - 1)) == 0) {
        return self->graph->inputs[__builtin_ctzll(set)].node;
    }
    // The plan chosen for the whole was made with one plan of each part; the distributor looks at
    // all placements of the tree again, so only the tree matters here.
    const SetPlan *plan = cheapest_plan(&self->sets[set]);
    LogicalNode *left = build_exact(self, plan->left);
    LogicalNode *right = build_exact(self, plan->right);
    return join_node(self, plan->left, plan->right, left, right);
}

/* Pairs of connected sets that make up `set`; sets below it are settled in `is_connected`. */
static uint32_t count_splits(const JoinGraph *graph, InputMask set, const bool *is_connected)
{
    uint32_t count = 0;
    for (InputMask rest = set & graph->attached; rest != 0; rest &= rest - 1) {
        count += is_connected[set & ~(rest & (~rest + 1))];
    }
    InputMask lowest = set & (~set + 1);
    for (InputMask left = (set - 1) & set; left != 0; left = (left - 1) & set) {
        count += (left & lowest) != 0 && is_connected[left] && is_connected[set & ~left] &&
                 join_graph_is_connected(graph, left, set & ~left);
    }
    return count;
}

/* Are there few enough pairs of connected sets to look at them all? */
static bool is_small_enough(const JoinGraph *graph)
{
    if (graph->input_count > JOIN_EXACT_MAX) {
        return false;
    }
    InputMask all = (UINT64_C(1) << graph->input_count) - 1;
    bool *is_connected = ARENA_ARRAY(graph->arena, bool, (size_t)all + 1);
    uint32_t pairs = 0;
    for (InputMask set = 1; set <= all && pairs <= JOIN_PAIRS_EXACT_MAX; set++) {
        if (is_valid_set(graph, set)) {
            uint32_t splits = count_splits(graph, set, is_connected);
            is_connected[set] = splits > 0 || (set & (set - 1)) == 0;
            pairs += splits;
        }
    }
    return pairs <= JOIN_PAIRS_EXACT_MAX;
}

static LogicalNode *order_exactly(Orderer *self)
{
    uint32_t count = self->graph->input_count;
    self->sets = ARENA_ARRAY(self->arena, InputSet, (size_t)1 << count);
    for (uint32_t i = 0; i < count; i++) {
        self->sets[(size_t)1 << i] = single_set(self, i);
    }
    InputMask all = (UINT64_C(1) << count) - 1;
    for (InputMask set = 1; set <= all; set++) {
        if ((set & (set - 1)) != 0 && is_valid_set(self->graph, set)) {
            enumerate_splits(self, set);
        }
    }
    return self->sets[all].is_known ? build_exact(self, all) : NULL;
}

/* Is this pair of sets joinable, `right` being attached or both whole? */
static bool can_join(const Orderer *self, const InputSet *left, const InputSet *right)
{
    if (!is_valid_set(self->graph, left->inputs)) {
        return false;
    }
    if (is_valid_set(self->graph, right->inputs)) {
        return join_graph_is_connected(self->graph, left->inputs, right->inputs);
    }
    const JoinGraphInput *input = &self->graph->inputs[__builtin_ctzll(right->inputs)];
    return (input->required & ~left->inputs) == 0;
}

/* How good it would be to join two sets next: the fewer rows the better, cost in second place. */
static double pair_score(const Orderer *self, const InputSet *left, const InputSet *right)
{
    if (!can_join(self, left, right)) {
        return INFINITY;
    }
    InputSet both = {0};
    join_sets(self, left, right, &both);
    double growth = both.rows - fmax(left->rows, right->rows);
    return both.rows + growth + cheapest_plan(&both)->cost / 10;
}

/* The sets not yet joined, and the score of every pair of them. */
typedef struct GreedySets {
    uint32_t count;
    InputSet *sets;
    LogicalNode **nodes;
    double *scores; /* by left * capacity + right */
    uint32_t capacity;
} GreedySets;

/* Scores of pairs with the set at `index`; what is computed on the way is thrown away. */
static void score_pairs(const Orderer *self, GreedySets *greedy, uint32_t index, Arena *scratch)
{
    Arena *kept = self->graph->arena;
    Orderer orderer = *self;
    orderer.arena = self->graph->arena = scratch;
    const InputSet *own = &greedy->sets[index];
    for (uint32_t i = 0; i < greedy->count; i++) {
        const InputSet *other = &greedy->sets[i];
        // Of two whole sets one order is enough: the first is the left one.
        bool is_whole =
            is_valid_set(self->graph, own->inputs) && is_valid_set(self->graph, other->inputs);
        greedy->scores[index * greedy->capacity + i] =
            i == index || (is_whole && i < index) ? INFINITY : pair_score(&orderer, own, other);
        greedy->scores[i * greedy->capacity + index] =
            i == index || (is_whole && i > index) ? INFINITY : pair_score(&orderer, other, own);
        arena_reset(scratch);
    }
    self->graph->arena = kept;
}

static bool find_best_pair(const GreedySets *greedy, uint32_t *left, uint32_t *right)
{
    double best = INFINITY;
    for (uint32_t i = 0; i < greedy->count; i++) {
        for (uint32_t k = 0; k < greedy->count; k++) {
            double score = greedy->scores[i * greedy->capacity + k];
            if (score < best) {
                best = score;
                *left = i;
                *right = k;
            }
        }
    }
    return isfinite(best);
}

/* Joins two sets into the place of the first; the last set takes the place of the second. */
static void join_pair(const Orderer *self, GreedySets *greedy, uint32_t left, uint32_t right)
{
    InputSet both = {0};
    join_sets(self, &greedy->sets[left], &greedy->sets[right], &both);
    greedy->nodes[left] = join_node(self, greedy->sets[left].inputs, greedy->sets[right].inputs,
                                    greedy->nodes[left], greedy->nodes[right]);
    greedy->sets[left] = both;
    uint32_t last = --greedy->count;
    greedy->sets[right] = greedy->sets[last];
    greedy->nodes[right] = greedy->nodes[last];
}

static LogicalNode *order_greedily(Orderer *self)
{
    uint32_t count = self->graph->input_count;
    GreedySets greedy = {.count = count, .capacity = count};
    greedy.sets = ARENA_ARRAY(self->arena, InputSet, count);
    greedy.nodes = ARENA_ARRAY(self->arena, LogicalNode *, count);
    greedy.scores = ARENA_ARRAY(self->arena, double, (size_t)count *count);
    Arena *scratch = arena_create(self->arena, "join_order");
    for (uint32_t i = 0; i < count; i++) {
        greedy.sets[i] = single_set(self, i);
        greedy.nodes[i] = self->graph->inputs[i].node;
    }
    for (uint32_t i = 0; i < count; i++) {
        score_pairs(self, &greedy, i, scratch);
    }
    uint32_t left = 0, right = 0;
    while (greedy.count > 1 && find_best_pair(&greedy, &left, &right)) {
        join_pair(self, &greedy, left, right);
        score_pairs(self, &greedy, left < greedy.count ? left : right, scratch);
        if (right < greedy.count) {
            score_pairs(self, &greedy, right, scratch);
        }
    }
    arena_destroy(scratch);
    return greedy.count == 1 ? greedy.nodes[0] : NULL;
}

LogicalNode *join_order_build(Estimator *estimator, const CostModel *model, JoinGraph *graph)
{
    Orderer self = {.estimator = estimator, .model = model, .graph = graph, .arena = graph->arena};
    self.plans_max = graph->input_count >= LARGE_SET ? PLANS_MAX_LARGE : PLANS_MAX;
    save_classes(&self);
    return is_small_enough(graph) ? order_exactly(&self) : order_greedily(&self);
}
