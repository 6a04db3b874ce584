/*
 * split_aggregate.c — where and in how many phases a grouping is computed.
 *
 *   whole         groups are whole where the rows are (hashed by group keys, or all on one site)
 *   two phases    partial groups on every node -> exchange by keys -> final groups
 *   redistribute  rows -> exchange by keys -> groups: when grouping first would save nothing, and
 *                 for DISTINCT arguments, whose partial states cannot be merged
 *   gather        rows of no keys -> one site, when no partial state exists
 *
 * Partial states merge by the aggregate of the `merge` column of aggregates.def; AVG and the
 * variances were split into sums and counts by the optimizer before.
 */
#include "planner/distributor/place.h"

#include <math.h>
#include <string.h>

#include "planner/logical/logical_tree.h"

#define LEADER_GROUPS_MAX 10000 /* partial groups the leader may finish by itself */

typedef struct AggregatePlacer {
    Placer *placer;
    const LogicalAggregate *logical;
    uint32_t aggregate_count; /* those needed */
    AggregateCall *aggregates;
    const LogicalColumn *columns; /* keys, then needed aggregates */
    uint32_t column_count;
    ColumnSet visible, input_needed, key_columns; /* key_columns: of the input, plain keys only */
    bool is_mergeable;
    double groups;
} AggregatePlacer;

static bool is_mergeable(const AggregateCall *call)
{
    switch (call->id) {
    case AGGREGATE_COUNT_STAR:
    case AGGREGATE_COUNT:
    case AGGREGATE_SUM_COUNT:
    case AGGREGATE_SUM:
    case AGGREGATE_MIN:
    case AGGREGATE_MAX:
    case AGGREGATE_BOOL_AND:
    case AGGREGATE_BOOL_OR:
    case AGGREGATE_ANY_VALUE:
        return !call->is_distinct || call->id == AGGREGATE_MIN || call->id == AGGREGATE_MAX;
    default:
        return false;
    }
}

static Step *aggregate_step(const AggregatePlacer *self, Step *input, Expr **keys,
                            AggregateCall *aggregates, const LogicalColumn *columns,
                            bool is_partial, double groups)
{
    const LogicalAggregate *logical = self->logical;
    double rows = cost_rows_per_site(&self->placer->cost, &input->distribution, input->rows);
    double site_groups = fmin(groups, rows);
    double cost =
        cost_aggregate(rows, logical->key_count == 0 ? 1 : site_groups, self->aggregate_count);
    Step *step =
        step_new(self->placer, STEP_AGGREGATE, is_partial ? NULL : &logical->node, 1, &input, cost);
    step->aggregate.key_count = logical->key_count;
    step->aggregate.keys = keys;
    step->aggregate.aggregate_count = self->aggregate_count;
    step->aggregate.aggregates = aggregates;
    step->aggregate.is_partial = is_partial;
    step_set_columns(self->placer, step, self->column_count, columns);
    step->home = 0;
    for (uint32_t i = 0; i < logical->key_count; i++) {
        if (input->home != 0 && keys[i]->kind == EXPR_COLUMN && keys[i]->column == input->home) {
            step->home = columns[i].number;
        }
    }
    return step;
}

/* Keys get the aggregate's own column numbers; the rest is gone. */
static void rename_keys(const AggregatePlacer *self, Distribution *distribution, Expr *const *keys)
{
    for (uint32_t i = 0; i < self->logical->key_count; i++) {
        ColumnNumber from = distribution_column_of(keys[i]);
        if (from != 0) {
            distribution_rename(distribution, from, self->columns[i].number);
        }
    }
    distribution_restrict(distribution, &self->visible);
}

static void add_whole(const AggregatePlacer *self, Step *input, StepList *out)
{
    Step *step = aggregate_step(self, input, self->logical->keys, self->aggregates, self->columns,
                                false, self->groups);
    rename_keys(self, &step->distribution, self->logical->keys);
    step_list_add(out, step);
}

/* The partial groups of a node's own rows. Keys keep their final numbers, states get new ones. */
static Step *partial_step(const AggregatePlacer *self, Step *input)
{
    Placer *placer = self->placer;
    uint32_t key_count = self->logical->key_count;
    LogicalColumn *columns =
        arena_memdup(placer->arena, self->columns, (self->column_count + 1) * sizeof(*columns));
    for (uint32_t i = 0; i < self->aggregate_count; i++) {
        columns[key_count + i].number = planner_new_column(placer->context);
    }
    Step *step = aggregate_step(self, input, self->logical->keys, self->aggregates, columns, true,
                                self->groups);
    // Rows of a group are spread over the nodes by chance: each node has nearly every group,
    // unless there are more groups than rows per node.
    double node_rows = cost_rows_per_site(&placer->cost, &input->distribution, input->rows);
    double node_groups =
        key_count == 0 ? 1 : self->groups * (1 - exp(-node_rows / fmax(1, self->groups)));
    bool is_spread = distribution_is_partitioned(&input->distribution);
    step->rows = fmax(1, node_groups) * (is_spread ? placer->cost.node_count : 1);
    ColumnSet keys = {0};
    for (uint32_t i = 0; i < key_count; i++) {
        column_set_add(&keys, columns[i].number, placer->arena);
    }
    rename_keys(self, &step->distribution, self->logical->keys);
    distribution_restrict(&step->distribution, &keys);
    return step;
}

/* Merges partial states that have arrived where `moved` is. */
static void add_final(const AggregatePlacer *self, const Step *partial, Step *moved, StepList *out)
{
    Placer *placer = self->placer;
    uint32_t key_count = self->logical->key_count;
    Expr **keys = ARENA_ARRAY(placer->arena, Expr *, key_count);
    AggregateCall *merges = ARENA_ARRAY(placer->arena, AggregateCall, self->aggregate_count);
    for (uint32_t i = 0; i < key_count; i++) {
        keys[i] = logical_column_expr(placer->arena, &partial->columns[i]);
    }
    for (uint32_t i = 0; i < self->aggregate_count; i++) {
        merges[i] = (AggregateCall){
            .id = aggregate_merged_by(self->aggregates[i].id),
            .argument = logical_column_expr(placer->arena, &partial->columns[key_count + i]),
            .type = self->aggregates[i].type};
    }
    Step *step = aggregate_step(self, moved, keys, merges, self->columns, false, self->groups);
    rename_keys(self, &step->distribution, keys);
    step_list_add(out, step);
}

static void add_two_phase(const AggregatePlacer *self, Step *input, StepList *out)
{
    Placer *placer = self->placer;
    const LogicalAggregate *logical = self->logical;
    Step *partial = partial_step(self, input);
    ColumnSet all = {0};
    ColumnNumber keys[DISTRIBUTION_KEYS_MAX];
    uint32_t hash_count = 0;
    for (uint32_t i = 0; i < partial->column_count; i++) {
        column_set_add(&all, partial->columns[i].number, placer->arena);
    }
    for (uint32_t i = 0; i < logical->key_count && hash_count < DISTRIBUTION_KEYS_MAX; i++) {
        keys[hash_count++] = partial->columns[i].number;
    }
    if (hash_count == 0 || partial->rows <= LEADER_GROUPS_MAX) {
        Distribution leader = distribution_of(DISTRIBUTION_LEADER);
        Distribution single = distribution_of(DISTRIBUTION_SINGLE);
        add_final(self, partial, step_move(placer, partial, &leader, &all), out);
        add_final(self, partial, step_move(placer, partial, &single, &all), out);
    }
    if (hash_count == 0 || placer->cost.node_count == 1) {
        return;
    }
    Distribution places[PLACES_BY_COLUMNS_MAX];
    const uint32_t place_count = placer_by_columns(placer, keys, hash_count, places);
    for (uint32_t i = 0; i < place_count; i++) {
        add_final(self, partial, step_move(placer, partial, &places[i], &all), out);
    }
}

/* Rows travel to where their group is, then one phase. */
static void add_redistributed(const AggregatePlacer *self, Step *input, StepList *out)
{
    Placer *placer = self->placer;
    const LogicalAggregate *logical = self->logical;
    if (logical->key_count == 0) {
        Distribution single = distribution_of(DISTRIBUTION_SINGLE);
        add_whole(self, step_move(placer, input, &single, &self->input_needed), out);
        return;
    }
    ColumnNumber *keys = ARENA_ARRAY(placer->arena, ColumnNumber, logical->key_count);
    for (uint32_t i = 0; i < logical->key_count; i++) {
        keys[i] = distribution_column_of(logical->keys[i]);
        if (keys[i] == 0) {
            input = step_with_columns(placer, input, 1, &logical->keys[i], &keys[i]);
        }
    }
    Distribution places[PLACES_BY_COLUMNS_MAX];
    const uint32_t place_count = placer_by_columns(placer, keys, logical->key_count, places);
    for (uint32_t i = 0; i < place_count; i++) {
        add_whole(self, step_move(placer, input, &places[i], &self->input_needed), out);
    }
}

/* Takes the keys and those aggregates that somebody reads. */
static void choose_outputs(AggregatePlacer *self, const ColumnSet *needed)
{
    Arena *arena = self->placer->arena;
    const LogicalAggregate *logical = self->logical;
    LogicalColumn *columns = ARENA_ARRAY(arena, LogicalColumn, logical->node.column_count + 1);
    self->aggregates = ARENA_ARRAY(arena, AggregateCall, logical->aggregate_count);
    self->is_mergeable = true;
    for (uint32_t i = 0; i < logical->node.column_count; i++) {
        const LogicalColumn *column = &logical->node.columns[i];
        if (i < logical->key_count) {
            column_set_add_expr(&self->input_needed, logical->keys[i], arena);
        } else if (column_set_has(needed, column->number)) {
            const AggregateCall *call = &logical->aggregates[i - logical->key_count];
            self->aggregates[self->aggregate_count++] = *call;
            self->is_mergeable &= is_mergeable(call);
            column_set_add_expr(&self->input_needed, call->argument, arena);
            column_set_add_expr(&self->input_needed, call->filter, arena);
        } else {
            continue;
        }
        columns[self->column_count++] = *column;
        column_set_add(&self->visible, column->number, arena);
    }
    for (uint32_t i = 0; i < logical->key_count; i++) {
        ColumnNumber key = distribution_column_of(logical->keys[i]);
        if (key != 0) {
            column_set_add(&self->key_columns, key, arena);
        }
    }
    self->columns = columns;
}

Status place_aggregate(Placer *placer, LogicalAggregate *logical, const ColumnSet *needed,
                       StepList *out)
{
    AggregatePlacer self = {.placer = placer, .logical = logical, .groups = logical->node.rows};
    choose_outputs(&self, needed);
    StepList inputs = {0};
    TRY(place_node(placer, logical->child, &self.input_needed, false, &inputs));
    for (uint32_t i = 0; i < inputs.count; i++) {
        Step *input = inputs.steps[i];
        if (distribution_keeps_groups(&input->distribution, &self.key_columns)) {
            add_whole(&self, input, out);
        }
        bool is_spread = distribution_is_partitioned(&input->distribution);
        if (self.is_mergeable && is_spread) {
            add_two_phase(&self, input, out);
        }
        if (is_spread && (logical->key_count > 0 || !self.is_mergeable)) {
            add_redistributed(&self, input, out);
        }
    }
    return out->count > 0
               ? STATUS_OK
               : status_error(SQLSTATE_INTERNAL_ERROR, "aggregate has no legal placement");
}
