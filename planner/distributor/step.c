/* step.c — building steps, moving their rows, and keeping the few alternatives worth keeping. */
#include "planner/distributor/step.h"

#include <string.h>

#include "planner/logical/logical_tree.h"

bool step_is_replica(const Step *step)
{
    return step->home != 0 && step->distribution.kind == DISTRIBUTION_REPLICATED;
}

/* Is `step` no dearer than `other` and its rows wherever `other`'s would do? */
static bool dominates(const Step *step, const Step *other)
{
    return step->cost <= other->cost && (other->home == 0 || step->home == other->home) &&
           distribution_satisfies(&step->distribution, &other->distribution);
}

void step_list_add(StepList *list, Step *step)
{
    for (uint32_t i = 0; i < list->count; i++) {
        if (dominates(list->steps[i], step)) {
            return;
        }
    }
    uint32_t kept = 0;
    for (uint32_t i = 0; i < list->count; i++) {
        if (!dominates(step, list->steps[i])) {
            list->steps[kept++] = list->steps[i];
        }
    }
    list->count = kept;
    if (list->count < STEP_LIST_MAX) {
        list->steps[list->count++] = step;
        return;
    }
    uint32_t dearest = 0;
    for (uint32_t i = 1; i < list->count; i++) {
        dearest = list->steps[i]->cost > list->steps[dearest]->cost ? i : dearest;
    }
    if (step->cost < list->steps[dearest]->cost) {
        list->steps[dearest] = step;
    }
}

const Step *step_list_cheapest(const StepList *list)
{
    const Step *cheapest = list->steps[0];
    for (uint32_t i = 1; i < list->count; i++) {
        cheapest = list->steps[i]->cost < cheapest->cost ? list->steps[i] : cheapest;
    }
    return cheapest;
}

Step *step_new(Placer *placer, StepKind kind, const LogicalNode *node, uint32_t input_count,
               Step *const *inputs, double own_cost)
{
    Step *step = ARENA_NEW(placer->arena, Step);
    step->kind = kind;
    step->node = node;
    step->cost = own_cost;
    step->input_count = input_count;
    if (input_count > 0) {
        step->inputs = ARENA_ARRAY(placer->arena, Step *, input_count);
        memcpy(step->inputs, inputs, input_count * sizeof(*inputs));
        step->distribution = inputs[0]->distribution;
        step->home = inputs[0]->home;
        step->rows = inputs[0]->rows;
        step->width = inputs[0]->width;
        step->column_count = inputs[0]->column_count;
        step->columns = inputs[0]->columns;
    }
    for (uint32_t i = 0; i < input_count; i++) {
        step->cost += inputs[i]->cost;
    }
    if (node != NULL && node->rows >= 0) {
        step->rows = node->rows;
    }
    return step;
}

void step_set_columns(Placer *placer, Step *step, uint32_t count, const LogicalColumn *columns)
{
    step->column_count = count;
    step->columns = columns;
    step->width = estimate_width(placer->estimator, columns, count);
}

const LogicalColumn *step_find_column(const Step *step, ColumnNumber number)
{
    for (uint32_t i = 0; i < step->column_count; i++) {
        if (step->columns[i].number == number) {
            return &step->columns[i];
        }
    }
    return NULL;
}

Step *step_trim(Placer *placer, Step *step, const ColumnSet *needed)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < step->column_count; i++) {
        kept += column_set_has(needed, step->columns[i].number) ? 1 : 0;
    }
    if (kept == step->column_count) {
        return step;
    }
    LogicalColumn *columns = ARENA_ARRAY(placer->arena, LogicalColumn, kept);
    Expr **exprs = ARENA_ARRAY(placer->arena, Expr *, kept);
    kept = 0;
    for (uint32_t i = 0; i < step->column_count; i++) {
        if (column_set_has(needed, step->columns[i].number)) {
            exprs[kept] = logical_column_expr(placer->arena, &step->columns[i]);
            columns[kept++] = step->columns[i];
        }
    }
    Step *project = step_new(placer, STEP_PROJECT, NULL, 1, &step, 0);
    project->exprs = exprs;
    step_set_columns(placer, project, kept, columns);
    project->home = column_set_has(needed, step->home) ? step->home : 0;
    return project;
}

/* Hash keys: of each position a column that the step gives. */
static void choose_hash_keys(Placer *placer, Step *exchange, const Step *input,
                             const Distribution *target)
{
    exchange->exchange.keys = ARENA_ARRAY(placer->arena, ColumnNumber, target->key_count);
    exchange->exchange.key_count = target->key_count;
    for (uint32_t i = 0; i < target->key_count; i++) {
        for (uint32_t k = 0; k < target->keys[i].count; k++) {
            if (step_find_column(input, target->keys[i].columns[k]) != NULL) {
                exchange->exchange.keys[i] = target->keys[i].columns[k];
                break;
            }
        }
        ASSERT(exchange->exchange.keys[i] != 0);
    }
}

static ExchangeKind exchange_kind(const Distribution *target)
{
    switch (target->kind) {
    case DISTRIBUTION_HASHED:
        return EXCHANGE_HASH;
    case DISTRIBUTION_SCATTERED:
        return EXCHANGE_ROUND_ROBIN;
    case DISTRIBUTION_REPLICATED:
        return EXCHANGE_BROADCAST;
    default:
        return EXCHANGE_GATHER;
    }
}

static Step *step_exchange(Placer *placer, Step *input, const Distribution *target)
{
    double cost =
        cost_exchange(&placer->cost, &input->distribution, target, input->rows, input->width);
    Step *exchange = step_new(placer, STEP_EXCHANGE, NULL, 1, &input, cost);
    exchange->exchange.kind = exchange_kind(target);
    exchange->distribution = *target;
    exchange->home = 0;
    if (target->kind == DISTRIBUTION_HASHED) {
        choose_hash_keys(placer, exchange, input, target);
    }
    return exchange;
}

Step *step_move(Placer *placer, Step *step, const Distribution *target, const ColumnSet *needed)
{
    if (distribution_satisfies(&step->distribution, target)) {
        return step;
    }
    ColumnSet sent = {0};
    column_set_add_all(&sent, needed, placer->arena);
    for (uint32_t i = 0; i < target->key_count; i++) {
        for (uint32_t k = 0; k < target->keys[i].count; k++) {
            column_set_add(&sent, target->keys[i].columns[k], placer->arena);
        }
    }
    return step_exchange(placer, step_trim(placer, step, &sent), target);
}

Step *step_move_home(Placer *placer, Step *step, ColumnNumber home, const ColumnSet *needed)
{
    Distribution target = distribution_of(DISTRIBUTION_SCATTERED);
    ColumnSet sent = {0};
    column_set_add_all(&sent, needed, placer->arena);
    column_set_add(&sent, home, placer->arena);
    Step *exchange = step_exchange(placer, step_trim(placer, step, &sent), &target);
    exchange->exchange.kind = EXCHANGE_NODE;
    exchange->exchange.key_count = 1;
    exchange->exchange.keys = ARENA_NEW(placer->arena, ColumnNumber);
    *exchange->exchange.keys = home;
    exchange->home = home;
    return exchange;
}

/* Sums depend on the order of rows where values are rounded, and of equal values one is taken. */
static bool depends_on_order(const Step *aggregate)
{
    bool depends = false;
    for (uint32_t i = 0; i < aggregate->aggregate.key_count; i++) {
        Type type = aggregate->aggregate.keys[i]->type;
        depends |= type_is_text(type) || type_is_float(type);
    }
    for (uint32_t i = 0; i < aggregate->aggregate.aggregate_count; i++) {
        const AggregateCall *call = &aggregate->aggregate.aggregates[i];
        Type type = call->argument == NULL ? type_of(TYPE_BIGINT) : call->argument->type;
        depends |= type_is_text(type) || type_is_float(type) || call->id == AGGREGATE_ANY_VALUE;
    }
    return depends;
}

/* May nodes that compute these rows each for itself come to different ones? */
static bool may_differ_by_node(const Placer *placer, const Step *step)
{
    if (step->kind == STEP_EXCHANGE) {
        return false; // one node computed them for all
    }
    bool may_differ = step->kind == STEP_AGGREGATE && depends_on_order(step);
    for (uint32_t i = 0; step->kind == STEP_STORED && i < placer->ctes.count; i++) {
        const SharedCte *cte = placer->ctes.items[i];
        may_differ |= cte->cte_id == step->cte_id && may_differ_by_node(placer, cte->definition);
    }
    for (uint32_t i = 0; !may_differ && i < step->input_count; i++) {
        may_differ = may_differ_by_node(placer, step->inputs[i]);
    }
    return may_differ;
}

Step *step_replicate(Placer *placer, Step *step, const ColumnSet *needed)
{
    Distribution replicated = distribution_of(DISTRIBUTION_REPLICATED);
    if (step->distribution.kind == DISTRIBUTION_REPLICATED && may_differ_by_node(placer, step)) {
        Step *single = arena_memdup(placer->arena, step, sizeof(*step));
        single->distribution = distribution_of(DISTRIBUTION_SINGLE);
        step = single;
    }
    return step_move(placer, step, &replicated, needed);
}

Step *step_merge(Placer *placer, Step *step, DistributionKind target, uint32_t key_count,
                 StepSortKey *keys, const ColumnSet *needed)
{
    ColumnSet sent = {0};
    column_set_add_all(&sent, needed, placer->arena);
    for (uint32_t i = 0; i < key_count; i++) {
        column_set_add(&sent, keys[i].column, placer->arena);
    }
    Distribution to = distribution_of(target);
    Step *merge = step_exchange(placer, step_trim(placer, step, &sent), &to);
    merge->exchange.merge_key_count = key_count;
    merge->exchange.merge_keys = keys;
    return merge;
}

Step *step_with_columns(Placer *placer, Step *step, uint32_t count, Expr *const *exprs,
                        ColumnNumber *numbers)
{
    LogicalColumn *columns = ARENA_ARRAY(placer->arena, LogicalColumn, step->column_count + count);
    Expr **all = ARENA_ARRAY(placer->arena, Expr *, step->column_count + count);
    uint32_t total = step->column_count;
    for (uint32_t i = 0; i < total; i++) {
        columns[i] = step->columns[i];
        all[i] = logical_column_expr(placer->arena, &step->columns[i]);
    }
    for (uint32_t i = 0; i < count; i++) {
        numbers[i] = exprs[i]->kind == EXPR_COLUMN ? exprs[i]->column : 0;
        for (uint32_t k = 0; numbers[i] == 0 && k < total; k++) {
            if (expr_equal(all[k], exprs[i])) {
                numbers[i] = columns[k].number;
            }
        }
        if (numbers[i] == 0) {
            numbers[i] = planner_new_column(placer->context);
            columns[total] = (LogicalColumn){.number = numbers[i],
                                             .name = "?column?",
                                             .type = exprs[i]->type,
                                             .is_nullable = true};
            all[total++] = exprs[i];
        }
    }
    if (total == step->column_count) {
        return step;
    }
    double rows = cost_rows_per_site(&placer->cost, &step->distribution, step->rows);
    Step *project = step_new(placer, STEP_PROJECT, NULL, 1, &step,
                             rows * COST_PROJECT_VALUE * (total - step->column_count));
    project->exprs = all;
    step_set_columns(placer, project, total, columns);
    return project;
}
