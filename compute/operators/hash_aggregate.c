/*
 * hash_aggregate.c — each worker groups its own rows; merging and the results are in
 * hash_aggregate/.
 *
 * Cost per row: finding the group (an array look-up for small key ranges, a hash probe otherwise),
 * then one addition per aggregate.
 */
#include "compute/operators/hash_aggregate.h"

#include <stdio.h>

#include "compute/operators/hash_aggregate/hash_aggregate_internal.h"

enum {
    PARTITION_GROUPS_MIN = 8192, /* parts of more groups are cut by their own worker */
    PARTS_MIN = 4,
};

typedef struct AggregateLocal {
    ExprColumnsLocal inputs;
    const Vector **vectors;
    Batch columns;
    AggregatePart *part;
    AggregateFill fill;
} AggregateLocal;

static const SinkOps hash_aggregate_ops;

// The list of expressions the input is: keys, then arguments and filters.
static Status plan_inputs(HashAggregate *aggregate, Arena *arena)
{
    const PlanAggregate *plan = aggregate->plan;
    AggregateShape *shape = &aggregate->shape;
    uint32_t expr_max = plan->key_count + 2 * plan->aggregate_count;
    Expr **exprs = ARENA_ARRAY(arena, Expr *, expr_max);
    Type *types = ARENA_ARRAY(arena, Type, expr_max);
    uint32_t count = 0;
    for (uint32_t k = 0; k < plan->key_count; k++) {
        exprs[count++] = plan->keys[k];
    }
    shape->inputs = ARENA_ARRAY(arena, AggregateInput, plan->aggregate_count);
    shape->specs = ARENA_ARRAY(arena, AggregateSpec, plan->aggregate_count);
    for (uint32_t a = 0; a < plan->aggregate_count; a++) {
        const AggregateCall *call = &plan->aggregates[a];
        TRY(aggregate_spec_init(&shape->specs[a], call));
        shape->inputs[a] =
            (AggregateInput){.argument = AGGREGATE_NO_INPUT, .filter = AGGREGATE_NO_INPUT};
        if (call->argument != NULL) {
            shape->inputs[a].argument = count;
            exprs[count++] = call->argument;
        }
        if (call->filter != NULL) {
            shape->inputs[a].filter = count;
            exprs[count++] = call->filter;
        }
    }
    for (uint32_t i = 0; i < count; i++) {
        types[i] = exprs[i]->type;
    }
    shape->input_count = count;
    shape->input_types = types;
    return expr_columns_init(&aggregate->inputs, arena, exprs, count, plan->child->output_types,
                             plan->child->output_count);
}

Status hash_aggregate_create(QueryContext *query, const PlanAggregate *plan, Sink **sink,
                             Source **source)
{
    Arena *arena = query->arena;
    HashAggregate *aggregate = ARENA_NEW(arena, HashAggregate);
    AggregateShape *shape = &aggregate->shape;
    sink_init(&aggregate->sink, &hash_aggregate_ops, &plan->node);
    source_init(&aggregate->source, &hash_aggregate_source_ops, &plan->node);
    aggregate->query = query;
    aggregate->plan = plan;
    mutex_init(&aggregate->mutex, MUTEX_RANK_OPERATOR);
    shape->query = query;
    shape->key_count = plan->key_count;
    shape->aggregate_count = plan->aggregate_count;
    TRY(plan_inputs(aggregate, arena));
    group_shape_init(&shape->groups, arena, query->budget, shape->input_types, plan->key_count,
                     plan->estimated_groups);
    if (plan->has_key_bounds) {
        group_shape_expect_key(&shape->groups, plan->key_min, plan->key_max);
    }
    shape->distinct = ARENA_ARRAY(arena, GroupShape, plan->aggregate_count);
    for (uint32_t a = 0; a < plan->aggregate_count; a++) {
        if (shape->specs[a].is_distinct) {
            Type *types = ARENA_ARRAY(arena, Type, 2);
            types[0] = type_of(TYPE_BIGINT);
            types[1] = shape->specs[a].argument_type;
            group_shape_init(&shape->distinct[a], arena, query->budget, types, 2, 0);
        }
    }
    aggregate->part_capacity = PARTS_MIN;
    aggregate->arena = arena_create(arena, "aggregate");
    *sink = &aggregate->sink;
    *source = &aggregate->source;
    return STATUS_OK;
}

static Status aggregate_local_open(Sink *self, void *local, Arena *worker_arena)
{
    HashAggregate *aggregate = (HashAggregate *)self;
    AggregateLocal *state = local;
    const AggregateShape *shape = &aggregate->shape;
    state->part = aggregate_part_create(aggregate);
    expr_columns_open(&aggregate->inputs, &state->inputs, worker_arena);
    state->vectors = ARENA_ARRAY(worker_arena, const Vector *, shape->input_count);
    batch_init(&state->columns, shape->input_count, worker_arena);
    AggregateSpace *space = aggregate_space_create(shape, worker_arena);
    aggregate_fill_init(&state->fill, aggregate, &state->part->table, &state->part->spill, 0, space,
                        worker_arena);
    return STATUS_OK;
}

static Status aggregate_consume(Sink *self, void *local, Batch *in, Flow *flow)
{
    HashAggregate *aggregate = (HashAggregate *)self;
    AggregateLocal *state = local;
    Batch *columns = &state->columns;
    *flow = FLOW_MORE;
    TRY(expr_columns_evaluate(&aggregate->inputs, &state->inputs, in, state->vectors));
    for (uint32_t c = 0; c < aggregate->shape.input_count; c++) {
        columns->columns[c] = *state->vectors[c];
    }
    columns->column_count = aggregate->shape.input_count;
    columns->row_count = in->row_count;
    columns->selection = in->selection;
    columns->mask = in->mask;
    columns->selected_count = in->selected_count;
    return aggregate_fill_add(&state->fill, columns);
}

static Status aggregate_merge(Sink *self, void *local, Flow *flow)
{
    HashAggregate *aggregate = (HashAggregate *)self;
    AggregatePart *part = ((AggregateLocal *)local)->part;
    *flow = FLOW_MORE;
    if (part->spill != NULL) {
        TRY(spill_partitions_finish(part->spill));
    }
    bool is_large = part->table.group_count >= PARTITION_GROUPS_MIN;
    mutex_lock(&aggregate->mutex);
    bool is_alone = aggregate->part_count == 1;
    mutex_unlock(&aggregate->mutex);
    is_large = is_large && !aggregate_part_has_key_range(aggregate, part);
    return part->spill != NULL || (is_large && !is_alone)
               ? aggregate_part_partition(aggregate, part)
               : STATUS_OK;
}

static Status aggregate_sink_finish(Sink *self, Flow *flow)
{
    *flow = FLOW_DONE;
    return aggregate_finish((HashAggregate *)self);
}

static void aggregate_close(Sink *self)
{
    HashAggregate *aggregate = (HashAggregate *)self;
    const char *variant = aggregate->shape.key_count == 0 ? "no keys" : "";
    uint32_t largest = 0;
    for (uint32_t i = 0; i < aggregate->part_count; i++) {
        AggregatePart *part = aggregate->parts[i];
        if (aggregate->shape.key_count > 0 && part->table.group_count >= largest) {
            largest = part->table.group_count;
            variant = group_table_describe(&part->table.groups);
        }
        self->statistics.bytes += aggregate_table_bytes(&part->table);
        aggregate_part_deinit(aggregate, part);
    }
    snprintf(self->statistics.variant, sizeof self->statistics.variant, "%s", variant);
    self->statistics.spilled_bytes = aggregate->spilled_bytes;
    arena_destroy(aggregate->arena);
    mutex_deinit(&aggregate->mutex);
}

static const SinkOps hash_aggregate_ops = {
    .name = "HashAggregate",
    .local_bytes = sizeof(AggregateLocal),
    .local_open = aggregate_local_open,
    .consume = aggregate_consume,
    .merge = aggregate_merge,
    .finish = aggregate_sink_finish,
    .close = aggregate_close,
};
