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
    INDEX_BYTES = 16, /* of a group, about */
};

typedef struct AggregateLocal {
    ExprColumnsLocal inputs;
    const Vector **vectors;
    /* Of a batch that came with its mask alone: */
    VectorBuffer *dense_buffers; /* per input */
    uint16_t *listed_rows;
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

// What zone maps know of an aggregate; 0: they do not.
static uint8_t summary_of(const AggregateSpec *spec)
{
    const bool has_range = spec->class != VALUE_CLASS_INTERVAL;
    if (spec->is_distinct || spec->is_single) {
        return 0;
    }
    switch (spec->op) {
    case AGGREGATE_OP_COUNT:
        return SCAN_SUMMARY_COUNT;
    case AGGREGATE_OP_SUM:
        // Sums of wide decimals may exceed 128 bits together: only where rows are added it shows.
        return spec->class == VALUE_CLASS_INT64 ? SCAN_SUMMARY_SUM : 0;
    case AGGREGATE_OP_MIN:
        return has_range ? SCAN_SUMMARY_MIN : 0;
    case AGGREGATE_OP_MAX:
        return has_range ? SCAN_SUMMARY_MAX : 0;
    default:
        return 0;
    }
}

// Aggregates of plain columns of a scan, without keys: zone maps may stand for rows.
static void plan_summaries(HashAggregate *aggregate, Arena *arena)
{
    const PlanAggregate *plan = aggregate->plan;
    const PlanScan *scan = (const PlanScan *)plan->child;
    if (!aggregate->query->has_zone_map_answers || plan->key_count > 0 ||
        plan->child->kind != PLAN_SCAN || !scan_source_can_summarize(scan)) {
        return;
    }
    uint8_t *wanted = ARENA_ARRAY(arena, uint8_t, scan->column_count + 1);
    aggregate->summary_columns = ARENA_ARRAY(arena, uint32_t, plan->aggregate_count + 1);
    for (uint32_t a = 0; a < plan->aggregate_count; a++) {
        const AggregateCall *call = &plan->aggregates[a];
        const uint8_t summary = summary_of(&aggregate->shape.specs[a]);
        if (summary == 0 || call->filter != NULL) {
            return;
        }
        if (call->argument == NULL) {
            continue;
        }
        if (call->argument->kind != EXPR_COLUMN) {
            return;
        }
        aggregate->summary_columns[a] = scan->outputs[call->argument->column];
        wanted[aggregate->summary_columns[a]] |= summary;
    }
    aggregate->summaries = ARENA_NEW(arena, ScanSummaries);
    aggregate->summaries->wanted = wanted;
}

ScanSummaries *hash_aggregate_summaries(Sink *sink)
{
    return ((HashAggregate *)sink)->summaries;
}

// Tables of partitions take of what is set aside; how much memory all groups will need.
static void plan_parts(HashAggregate *aggregate, Arena *arena)
{
    QueryContext *query = aggregate->query;
    const AggregateShape *shape = &aggregate->shape;
    AggregateShape *part = &aggregate->part_shape;
    *part = *shape;
    part->budget = part->groups.budget = query->budget;
    part->groups.estimated_groups /= AGGREGATE_PARTITIONS;
    part->groups.key_range = 0; // a partition has a few of all keys
    part->distinct = ARENA_ARRAY(arena, GroupShape, shape->aggregate_count);
    for (uint32_t a = 0; a < shape->aggregate_count; a++) {
        part->distinct[a] = shape->distinct[a];
        part->distinct[a].budget = query->budget;
    }
    if (shape->key_count > 0) {
        const size_t group_bytes =
            shape->groups.layout.row_bytes + INDEX_BYTES + shape->aggregate_count * sizeof(Int128);
        aggregate->share =
            memory_share_create(query, aggregate->plan->estimated_groups * (double)group_bytes);
    }
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
    shape->budget = query->tables;
    shape->key_count = plan->key_count;
    shape->aggregate_count = plan->aggregate_count;
    TRY(plan_inputs(aggregate, arena));
    plan_summaries(aggregate, arena);
    group_shape_init(&shape->groups, arena, query->tables, shape->input_types, plan->key_count,
                     plan->estimated_groups);
    if (plan->is_key_local) {
        group_shape_know_bits(&shape->groups, query->known_key_bits);
    }
    if (plan->has_key_bounds) {
        group_shape_expect_key(&shape->groups, plan->key_min, plan->key_max);
    }
    shape->distinct = ARENA_ARRAY(arena, GroupShape, plan->aggregate_count);
    for (uint32_t a = 0; a < plan->aggregate_count; a++) {
        if (shape->specs[a].is_distinct) {
            Type *types = ARENA_ARRAY(arena, Type, 2);
            types[0] = type_of(TYPE_BIGINT);
            types[1] = shape->specs[a].argument_type;
            group_shape_init(&shape->distinct[a], arena, query->tables, types, 2, 0);
        }
    }
    plan_parts(aggregate, arena);
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
    if (aggregate->share != NULL) {
        memory_share_begin(aggregate->query, aggregate->share);
    }
    state->part = aggregate_part_create(aggregate);
    expr_columns_open(&aggregate->inputs, &state->inputs, worker_arena);
    state->vectors = ARENA_ARRAY(worker_arena, const Vector *, shape->input_count);
    state->listed_rows = ARENA_ARRAY(worker_arena, uint16_t, VECTOR_ROWS);
    state->dense_buffers = ARENA_ARRAY(worker_arena, VectorBuffer, shape->input_count);
    for (uint32_t c = 0; c < shape->input_count; c++) {
        vector_buffer_init(&state->dense_buffers[c], worker_arena);
    }
    batch_init(&state->columns, shape->input_count, worker_arena);
    AggregateSpace *space = aggregate_space_create(shape, worker_arena);
    aggregate_fill_init(&state->fill, aggregate, &state->part->table, &state->part->spill, 0, space,
                        worker_arena);
    return STATUS_OK;
}

// The rows of the mask: moved together where that is cheap, or else listed.
static void close_gaps(AggregateLocal *state, Batch *columns)
{
    const RowMask *mask = columns->mask;
    bool is_dense = true;
    for (uint32_t c = 0; is_dense && c < columns->column_count; c++) {
        is_dense = vector_close_gaps(state->vectors[c], mask->words, columns->row_count,
                                     &state->dense_buffers[c], &columns->columns[c]);
    }
    if (is_dense) {
        columns->row_count = columns->selected_count;
        columns->mask = NULL;
        return;
    }
    for (uint32_t c = 0; c < columns->column_count; c++) {
        columns->columns[c] = *state->vectors[c];
    }
    row_mask_to_selection(mask, columns->row_count, state->listed_rows);
    columns->selection = state->listed_rows;
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
    if (batch_is_masked(in) && !aggregate_table_takes_mask(&state->part->table, state->vectors)) {
        close_gaps(state, columns);
    }
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

// Row groups that the scan did not read are one more part.
static Status add_summaries(HashAggregate *aggregate)
{
    const ScanSummaries *summaries = aggregate->summaries;
    if (summaries == NULL || summaries->row_count == 0) {
        return STATUS_OK;
    }
    AggregateTable *table = &aggregate_part_create(aggregate)->table;
    TRY(aggregate_table_ensure_group(table));
    for (uint32_t a = 0; a < aggregate->shape.aggregate_count; a++) {
        const bool has_argument = aggregate->shape.specs[a].has_argument;
        TRY(aggregate_state_add_summary(
            &table->states[a], summaries->row_count,
            has_argument ? &summaries->columns[aggregate->summary_columns[a]] : NULL));
    }
    return STATUS_OK;
}

static Status aggregate_sink_finish(Sink *self, Flow *flow)
{
    *flow = FLOW_DONE;
    TRY(add_summaries((HashAggregate *)self));
    return aggregate_finish((HashAggregate *)self);
}

void aggregate_release(HashAggregate *aggregate)
{
    OperatorStatistics *statistics = &aggregate->sink.statistics;
    const char *variant = aggregate->shape.key_count == 0 ? "no keys" : "";
    uint32_t largest = 0;
    for (uint32_t i = 0; i < aggregate->part_count; i++) {
        AggregatePart *part = aggregate->parts[i];
        if (aggregate->shape.key_count > 0 && part->table.group_count >= largest) {
            largest = part->table.group_count;
            variant = group_table_describe(&part->table.groups);
        }
        statistics->bytes += aggregate_table_bytes(&part->table);
        aggregate_part_deinit(aggregate, part);
    }
    if (aggregate->part_count > 0) {
        snprintf(statistics->variant, sizeof statistics->variant, "%s", variant);
    }
    aggregate->part_count = 0;
    aggregate->result = NULL;
    statistics->spilled_bytes = aggregate->spilled_bytes;
}

static void aggregate_close(Sink *self)
{
    HashAggregate *aggregate = (HashAggregate *)self;
    aggregate_release(aggregate);
    group_shape_deinit(&aggregate->shape.groups);
    for (uint32_t a = 0; a < aggregate->shape.aggregate_count; a++) {
        group_shape_deinit(&aggregate->shape.distinct[a]);
    }
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
    .takes_masks = true,
};
