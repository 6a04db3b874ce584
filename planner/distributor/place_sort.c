/*
 * place_sort.c — order, limits and windows: operators that need rows in one place, or whole
 * partitions of them.
 *
 *   ORDER BY           every node sorts its rows; the leader merges the sorted streams
 *   ORDER BY … LIMIT   every node keeps its first rows only
 *   LIMIT              every node stops early; one site counts again
 *   windows            hash by (some of) the partition columns; none: one node
 */
#include "planner/distributor/place.h"

#include <math.h>
#include <string.h>

#include "planner/logical/logical_tree.h"

static uint64_t add_saturated(uint64_t left, uint64_t right)
{
    uint64_t sum;
    return __builtin_add_overflow(left, right, &sum) ? PLAN_NO_LIMIT : sum;
}

typedef struct SortPlacer {
    Placer *placer;
    const LogicalNode *node;
    uint32_t key_count;
    StepSortKey *keys;
    uint64_t limit, offset;
    const ColumnSet *needed;
} SortPlacer;

static Step *sort_step(const SortPlacer *self, Step *input, uint64_t limit, uint64_t offset)
{
    double rows = cost_rows_per_site(&self->placer->cost, &input->distribution, input->rows);
    double kept = limit == PLAN_NO_LIMIT ? rows : fmin(rows, (double)limit);
    double cost = limit == PLAN_NO_LIMIT ? cost_sort(rows) : rows * COST_TOP_ROW + cost_sort(kept);
    Step *step = step_new(self->placer, STEP_SORT, self->node, 1, &input, cost);
    bool is_spread = distribution_is_partitioned(&input->distribution);
    step->rows = kept * (is_spread ? self->placer->cost.node_count : 1);
    step->sort.key_count = self->key_count;
    step->sort.keys = self->keys;
    step->sort.limit = limit;
    step->sort.offset = offset;
    if (step->distribution.kind == DISTRIBUTION_REPLICATED) {
        // Rows of equal keys could be in another order, or be cut off, on another node.
        step->distribution = distribution_of(DISTRIBUTION_SINGLE);
    }
    return step;
}

static Step *limit_step(const SortPlacer *self, Step *input, uint64_t limit, uint64_t offset)
{
    Step *step = step_new(self->placer, STEP_LIMIT, self->node, 1, &input, 0);
    step->rows = fmin(input->rows, (double)limit);
    step->sort.limit = limit;
    step->sort.offset = offset;
    if (step->distribution.kind == DISTRIBUTION_REPLICATED) {
        step->distribution = distribution_of(DISTRIBUTION_SINGLE);
    }
    return step;
}

/* Sorts the input and brings it to `target`. */
static void add_sorted(const SortPlacer *self, Step *input, DistributionKind target, StepList *out)
{
    bool is_there =
        input->distribution.kind == target ||
        (target == DISTRIBUTION_SINGLE && input->distribution.kind == DISTRIBUTION_REPLICATED);
    bool is_limited = self->limit != PLAN_NO_LIMIT || self->offset > 0;
    if (is_there) {
        step_list_add(out, sort_step(self, input, self->limit, self->offset));
        return;
    }
    bool is_one_sender = !distribution_is_partitioned(&input->distribution);
    Step *local = is_one_sender
                      ? sort_step(self, input, self->limit, self->offset)
                      : sort_step(self, input, add_saturated(self->limit, self->offset), 0);
    Step *merged =
        step_merge(self->placer, local, target, self->key_count, self->keys, self->needed);
    step_list_add(out, is_limited && !is_one_sender
                           ? limit_step(self, merged, self->limit, self->offset)
                           : merged);
}

Status place_sort(Placer *placer, LogicalSort *sort, uint64_t limit, uint64_t offset,
                  const ColumnSet *needed, bool is_ordered, StepList *out)
{
    if (!is_ordered && limit == PLAN_NO_LIMIT && offset == 0) {
        return place_node(placer, sort->child, needed, false, out); // nobody sees the order
    }
    SortPlacer self = {.placer = placer,
                       .node = &sort->node,
                       .key_count = sort->key_count,
                       .limit = limit,
                       .offset = offset,
                       .needed = needed};
    ColumnSet below = {0};
    column_set_add_all(&below, needed, placer->arena);
    Expr **exprs = ARENA_ARRAY(placer->arena, Expr *, sort->key_count);
    for (uint32_t i = 0; i < sort->key_count; i++) {
        exprs[i] = sort->keys[i].expr;
        column_set_add_expr(&below, exprs[i], placer->arena);
    }
    StepList inputs = {0};
    TRY(place_node(placer, sort->child, &below, false, &inputs));
    for (uint32_t i = 0; i < inputs.count; i++) {
        ColumnNumber *numbers = ARENA_ARRAY(placer->arena, ColumnNumber, sort->key_count);
        Step *input = step_with_columns(placer, inputs.steps[i], sort->key_count, exprs, numbers);
        self.keys = ARENA_ARRAY(placer->arena, StepSortKey, sort->key_count);
        for (uint32_t k = 0; k < sort->key_count; k++) {
            self.keys[k] = (StepSortKey){numbers[k], sort->keys[k].is_descending,
                                         sort->keys[k].is_nulls_first};
        }
        add_sorted(&self, input, DISTRIBUTION_LEADER, out);
        if (!is_ordered) {
            add_sorted(&self, input, DISTRIBUTION_SINGLE, out);
        }
    }
    return STATUS_OK;
}

static void add_limited(const SortPlacer *self, Step *input, DistributionKind target, StepList *out)
{
    Distribution to = distribution_of(target);
    if (distribution_satisfies(&input->distribution, &to)) {
        step_list_add(out, limit_step(self, input, self->limit, self->offset));
        return;
    }
    bool is_one_sender = !distribution_is_partitioned(&input->distribution);
    Step *local = is_one_sender
                      ? limit_step(self, input, self->limit, self->offset)
                      : limit_step(self, input, add_saturated(self->limit, self->offset), 0);
    Step *moved = step_move(self->placer, local, &to, self->needed);
    step_list_add(out, is_one_sender ? moved : limit_step(self, moved, self->limit, self->offset));
}

Status place_limit(Placer *placer, LogicalLimit *limit, const ColumnSet *needed, bool is_ordered,
                   StepList *out)
{
    if (limit->child->kind == LOGICAL_SORT) {
        return place_sort(placer, (LogicalSort *)limit->child, limit->limit, limit->offset, needed,
                          is_ordered, out);
    }
    SortPlacer self = {.placer = placer,
                       .node = &limit->node,
                       .limit = limit->limit,
                       .offset = limit->offset,
                       .needed = needed};
    StepList inputs = {0};
    TRY(place_node(placer, limit->child, needed, is_ordered, &inputs));
    for (uint32_t i = 0; i < inputs.count; i++) {
        add_limited(&self, inputs.steps[i], DISTRIBUTION_LEADER, out);
        if (!is_ordered) {
            add_limited(&self, inputs.steps[i], DISTRIBUTION_SINGLE, out);
        }
    }
    return STATUS_OK;
}

/* Calls of a window node that share partitions and order: one sort serves them all. */
typedef struct WindowGroup {
    uint32_t call_count;
    WindowCall *calls;
    LogicalColumn *columns;
} WindowGroup;

static WindowGroup *group_calls(Placer *placer, const LogicalWindow *window,
                                const ColumnSet *needed, uint32_t *group_count)
{
    WindowGroup *groups = ARENA_ARRAY(placer->arena, WindowGroup, window->call_count);
    *group_count = 0;
    for (uint32_t i = 0; i < window->call_count; i++) {
        uint32_t kept = window->node.column_count - window->call_count;
        if (!column_set_has(needed, window->node.columns[kept + i].number)) {
            continue;
        }
        uint32_t g = 0;
        while (g < *group_count &&
               !window_call_same_order(&groups[g].calls[0], &window->calls[i])) {
            g++;
        }
        if (g == *group_count) {
            (*group_count)++;
            groups[g].calls = ARENA_ARRAY(placer->arena, WindowCall, window->call_count);
            groups[g].columns = ARENA_ARRAY(placer->arena, LogicalColumn, window->call_count);
        }
        groups[g].columns[groups[g].call_count] = window->node.columns[kept + i];
        groups[g].calls[groups[g].call_count++] = window->calls[i];
    }
    return groups;
}

static Step *window_step(Placer *placer, const LogicalWindow *window, const WindowGroup *group,
                         Step *input, ColumnNumber *partition, const ColumnNumber *order)
{
    const WindowCall *first = &group->calls[0];
    double rows = cost_rows_per_site(&placer->cost, &input->distribution, input->rows);
    Step *step = step_new(placer, STEP_WINDOW, &window->node, 1, &input,
                          cost_sort(rows) + rows * COST_WINDOW_ROW * group->call_count);
    step->window.partition_count = first->partition_count;
    step->window.partition = partition;
    step->window.order_count = first->order_count;
    step->window.order = ARENA_ARRAY(placer->arena, StepSortKey, first->order_count);
    for (uint32_t i = 0; i < first->order_count; i++) {
        step->window.order[i] =
            (StepSortKey){order[i], first->order[i].is_descending, first->order[i].is_nulls_first};
    }
    step->window.call_count = group->call_count;
    step->window.calls = group->calls;
    uint32_t count = input->column_count + group->call_count;
    LogicalColumn *columns = ARENA_ARRAY(placer->arena, LogicalColumn, count);
    memcpy(columns, input->columns, input->column_count * sizeof(*columns));
    memcpy(columns + input->column_count, group->columns, group->call_count * sizeof(*columns));
    step_set_columns(placer, step, count, columns);
    bool is_by_row = false; // partitions of copies of one row of a table: ties are all the same
    for (uint32_t i = 0; i < first->partition_count; i++) {
        is_by_row |= input->home != 0 && partition[i] == input->home;
    }
    if (step->distribution.kind == DISTRIBUTION_REPLICATED && !is_by_row) {
        step->distribution = distribution_of(DISTRIBUTION_SINGLE); // ties may differ by node
    }
    return step;
}

/* The places where whole partitions can be: the input's own, by partition columns. */
static void add_windows(Placer *placer, const LogicalWindow *window, const WindowGroup *group,
                        Step *input, StepList *out)
{
    const WindowCall *first = &group->calls[0];
    uint32_t partition_count = first->partition_count;
    Expr **exprs = ARENA_ARRAY(placer->arena, Expr *, partition_count + first->order_count);
    ColumnNumber *numbers =
        ARENA_ARRAY(placer->arena, ColumnNumber, partition_count + first->order_count);
    for (uint32_t i = 0; i < partition_count + first->order_count; i++) {
        exprs[i] =
            i < partition_count ? first->partition[i] : first->order[i - partition_count].expr;
    }
    input = step_with_columns(placer, input, partition_count + first->order_count, exprs, numbers);
    ColumnSet all = {0}, partition = {0};
    for (uint32_t i = 0; i < input->column_count; i++) {
        column_set_add(&all, input->columns[i].number, placer->arena);
    }
    for (uint32_t i = 0; i < partition_count; i++) {
        column_set_add(&partition, numbers[i], placer->arena);
    }
    const ColumnNumber *order = numbers + partition_count;
    if (distribution_keeps_groups(&input->distribution, &partition) ||
        column_set_has(&partition, input->home)) {
        step_list_add(out, window_step(placer, window, group, input, numbers, order));
    }
    if (!distribution_is_partitioned(&input->distribution)) {
        return;
    }
    Distribution places[PLACES_BY_COLUMNS_MAX] = {distribution_of(DISTRIBUTION_SINGLE)};
    const uint32_t place_count =
        partition_count == 0 ? 1 : placer_by_columns(placer, numbers, partition_count, places);
    for (uint32_t i = 0; i < place_count; i++) {
        step_list_add(out, window_step(placer, window, group,
                                       step_move(placer, input, &places[i], &all), numbers, order));
    }
}

Status place_window(Placer *placer, LogicalWindow *window, const ColumnSet *needed, StepList *out)
{
    uint32_t group_count;
    WindowGroup *groups = group_calls(placer, window, needed, &group_count);
    ColumnSet below = {0};
    ColumnSet child_columns = column_set_of_node(window->child, placer->arena);
    for (ColumnNumber number = 0; (number = column_set_next(needed, number)) != 0;) {
        if (column_set_has(&child_columns, number)) {
            column_set_add(&below, number, placer->arena);
        }
    }
    for (uint32_t g = 0; g < group_count; g++) {
        for (uint32_t i = 0; i < groups[g].call_count; i++) {
            const WindowCall *call = &groups[g].calls[i];
            for (uint32_t k = 0; k < call->arg_count; k++) {
                column_set_add_expr(&below, call->args[k], placer->arena);
            }
            for (uint32_t k = 0; k < call->partition_count; k++) {
                column_set_add_expr(&below, call->partition[k], placer->arena);
            }
            for (uint32_t k = 0; k < call->order_count; k++) {
                column_set_add_expr(&below, call->order[k].expr, placer->arena);
            }
        }
    }
    StepList current = {0};
    TRY(place_node(placer, window->child, &below, false, &current));
    for (uint32_t g = 0; g < group_count; g++) {
        StepList next = {0};
        for (uint32_t i = 0; i < current.count; i++) {
            add_windows(placer, window, &groups[g], current.steps[i], &next);
        }
        current = next;
    }
    for (uint32_t i = 0; i < current.count; i++) {
        step_list_add(out, current.steps[i]);
    }
    return STATUS_OK;
}
