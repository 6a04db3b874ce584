/*
 * window.c — rows are scattered by the hash of their partition into buckets, each bucket is sorted
 * by partition and order, and the source goes through its partitions.
 *
 * Averages and variances become sums and counts, put together again by an expression over the
 * output, so that they agree with those of aggregates.
 */
#include "compute/operators/window.h"

#include <string.h>

#include "base/vector/distribution_hash.h"
#include "compute/operators/batch_collector.h"
#include "compute/operators/window/window_internal.h"

enum { FORCED_SPILL_ROWS = 64, COLUMNS_PER_CALL = 3 };

typedef struct WindowLocal {
    ExprColumnsLocal arguments;
    const Vector **vectors;
    Batch fields;
    SortBuffer buffers[WINDOW_BUCKETS];
    SpillFile *files[WINDOW_BUCKETS];
    uint64_t *hashes;
    uint16_t *rows; /* bucket_count lists of VECTOR_ROWS */
} WindowLocal;

/* While the plan is taken apart. */
typedef struct WindowPlanner {
    Window *window;
    Arena *arena;
    Expr **computed; /* arguments that are no plain columns */
    uint32_t computed_count;
    Expr **outputs; /* per call, over the columns */
} WindowPlanner;

static const SinkOps window_ops;

static uint32_t field_of_expr(WindowPlanner *planner, Expr *expr)
{
    Window *window = planner->window;
    if (expr->kind == EXPR_COLUMN) {
        return expr->column;
    }
    for (uint32_t i = 0; i < planner->computed_count; i++) {
        if (expr_equal(planner->computed[i], expr)) {
            return window->child_count + i;
        }
    }
    planner->computed[planner->computed_count] = expr;
    return window->child_count + planner->computed_count++;
}

static Expr *add_column(WindowPlanner *planner, WindowColumn column)
{
    Window *window = planner->window;
    window->columns[window->column_count] = column;
    return expr_column(planner->arena, window->column_count++, column.type);
}

static Expr *add_aggregate(WindowPlanner *planner, const WindowCall *call, WindowOp op,
                           Expr *argument, Type type)
{
    return add_column(
        planner, (WindowColumn){
                     .kind = WINDOW_COLUMN_AGGREGATE,
                     .call = call,
                     .type = type,
                     .field = argument == NULL ? WINDOW_NO_FIELD : field_of_expr(planner, argument),
                     .op = op,
                 });
}

static Expr *plan_variance(WindowPlanner *planner, const WindowCall *call, Expr *argument)
{
    Arena *arena = planner->arena;
    Type real = type_of(TYPE_DOUBLE);
    Expr *number =
        type_equal(argument->type, real) ? argument : expr_cast(arena, argument, real, false);
    Expr *square = expr_call2(arena, FUNCTION_MULTIPLY, real, number, number);
    Expr **args = ARENA_ARRAY(arena, Expr *, 4);
    args[0] = add_aggregate(planner, call, WINDOW_OP_SUM, number, real);
    args[1] = add_aggregate(planner, call, WINDOW_OP_SUM, square, real);
    args[2] = add_aggregate(planner, call, WINDOW_OP_COUNT, argument, type_of(TYPE_BIGINT));
    args[3] =
        expr_int64(arena, TYPE_INTEGER, (int64_t)call->aggregate - (int64_t)AGGREGATE_VAR_SAMP);
    Expr *result = expr_call(arena, FUNCTION_VARIANCE_FINAL, real, 4, args);
    return type_equal(call->type, real) ? result : expr_cast(arena, result, call->type, false);
}

static Type sum_type(Type type)
{
    if (type_is_float(type)) {
        return type_of(TYPE_DOUBLE);
    }
    return type_decimal(DECIMAL_PRECISION_MAX, type.id == TYPE_DECIMAL ? type.scale : 0);
}

// 0A000 for aggregates that have no window form.
static Status plan_aggregate(WindowPlanner *planner, const WindowCall *call, Expr **out)
{
    Type bigint = type_of(TYPE_BIGINT);
    Expr *argument = call->arg_count > 0 ? call->args[0] : NULL;
    bool is_summable = argument != NULL && type_is_numeric(argument->type);
    switch (call->aggregate) {
    case AGGREGATE_COUNT_STAR:
        *out = add_aggregate(planner, call, WINDOW_OP_COUNT, NULL, bigint);
        return STATUS_OK;
    case AGGREGATE_COUNT:
        *out = add_aggregate(planner, call, WINDOW_OP_COUNT, argument, bigint);
        return STATUS_OK;
    case AGGREGATE_MIN:
    case AGGREGATE_BOOL_AND:
        *out = add_aggregate(planner, call, WINDOW_OP_MIN, argument, call->type);
        return STATUS_OK;
    case AGGREGATE_MAX:
    case AGGREGATE_BOOL_OR:
    case AGGREGATE_ANY_VALUE:
        *out = add_aggregate(planner, call, WINDOW_OP_MAX, argument, call->type);
        return STATUS_OK;
    default:
        break;
    }
    if (is_summable && call->aggregate == AGGREGATE_SUM) {
        *out = add_aggregate(planner, call, WINDOW_OP_SUM, argument, call->type);
        return STATUS_OK;
    }
    if (is_summable && call->aggregate == AGGREGATE_AVG) {
        Expr *sum = add_aggregate(planner, call, WINDOW_OP_SUM, argument, sum_type(argument->type));
        Expr *count = add_aggregate(planner, call, WINDOW_OP_COUNT, argument, bigint);
        *out = expr_call2(planner->arena, FUNCTION_AVG_FINAL, call->type, sum, count);
        return STATUS_OK;
    }
    if (is_summable && call->aggregate >= AGGREGATE_VAR_SAMP &&
        call->aggregate <= AGGREGATE_STDDEV_POP) {
        *out = plan_variance(planner, call, argument);
        return STATUS_OK;
    }
    return status_error(SQLSTATE_FEATURE_NOT_SUPPORTED, "%s is not supported as a window function",
                        aggregate_name(call->aggregate));
}

static Status plan_call(WindowPlanner *planner, const WindowCall *call, Expr **out)
{
    WindowColumn column = {.call = call,
                           .type = call->type,
                           .field = WINDOW_NO_FIELD,
                           .number_field = WINDOW_NO_FIELD,
                           .default_field = WINDOW_NO_FIELD};
    switch (call->id) {
    case WINDOW_AGGREGATE:
        return plan_aggregate(planner, call, out);
    case WINDOW_ROW_NUMBER:
    case WINDOW_RANK:
    case WINDOW_DENSE_RANK:
    case WINDOW_PERCENT_RANK:
    case WINDOW_CUME_DIST:
        column.kind = WINDOW_COLUMN_RANK;
        break;
    case WINDOW_NTILE:
        column.kind = WINDOW_COLUMN_RANK;
        column.number_field = field_of_expr(planner, call->args[0]);
        break;
    default: // LAG, LEAD, FIRST_VALUE, LAST_VALUE, NTH_VALUE
        column.kind = WINDOW_COLUMN_REFERENCE;
        column.field = field_of_expr(planner, call->args[0]);
        if (call->arg_count > 1) {
            column.number_field = field_of_expr(planner, call->args[1]);
        }
        if (call->arg_count > 2) {
            column.default_field = field_of_expr(planner, call->args[2]);
        }
        break;
    }
    *out = add_column(planner, column);
    return STATUS_OK;
}

// Sorted rows: the child's columns, then computed arguments.
static Status plan_fields(WindowPlanner *planner)
{
    Window *window = planner->window;
    const PlanNode *child = window->plan->child;
    window->field_count = window->child_count + planner->computed_count;
    window->field_types = ARENA_ARRAY(planner->arena, Type, window->field_count);
    for (uint32_t f = 0; f < window->field_count; f++) {
        window->field_types[f] = f < window->child_count
                                     ? child->output_types[f]
                                     : planner->computed[f - window->child_count]->type;
    }
    return expr_columns_init(&window->arguments, planner->arena, planner->computed,
                             planner->computed_count, child->output_types, child->output_count);
}

static void plan_order(Window *window, Arena *arena)
{
    const PlanWindow *plan = window->plan;
    uint32_t key_count = plan->partition_count + plan->order_count;
    PlanSortKey *keys = ARENA_ARRAY(arena, PlanSortKey, key_count);
    for (uint32_t k = 0; k < plan->partition_count; k++) {
        keys[k].column = plan->partition[k];
    }
    for (uint32_t k = 0; k < plan->order_count; k++) {
        keys[plan->partition_count + k] = plan->order[k];
    }
    sort_shape_init(&window->shape, window->query, keys, key_count, window->field_types,
                    window->field_count);
    window->shape.budget = window->query->tables;
    window->share = memory_share_create(
        window->query, window->plan->child->estimated_rows *
                           (window->shape.layout.row_bytes + 2 * sizeof(SortEntry)));
    window->bucket_count = plan->partition_count > 0 ? WINDOW_BUCKETS : 1;
    window->buckets = ARENA_ARRAY(arena, SortRuns, window->bucket_count);
    for (uint32_t b = 0; b < window->bucket_count; b++) {
        sort_runs_init(&window->buckets[b], &window->shape, arena);
    }
}

Status window_create(QueryContext *query, const PlanWindow *plan, Sink **sink, Source **source)
{
    Arena *arena = query->arena;
    Window *window = ARENA_NEW(arena, Window);
    sink_init(&window->sink, &window_ops, &plan->node);
    source_init(&window->source, &window_source_ops, &plan->node);
    window->query = query;
    window->plan = plan;
    window->child_count = plan->child->output_count;
    window->columns = ARENA_ARRAY(arena, WindowColumn, COLUMNS_PER_CALL * plan->call_count);
    WindowPlanner planner = {
        .window = window,
        .arena = arena,
        .computed = ARENA_ARRAY(arena, Expr *, COLUMNS_PER_CALL * plan->call_count),
        .outputs = ARENA_ARRAY(arena, Expr *, plan->call_count),
    };
    for (uint32_t c = 0; c < plan->call_count; c++) {
        TRY(plan_call(&planner, &plan->calls[c], &planner.outputs[c]));
    }
    TRY(plan_fields(&planner));
    Type *column_types = ARENA_ARRAY(arena, Type, window->column_count);
    for (uint32_t c = 0; c < window->column_count; c++) {
        column_types[c] = window->columns[c].type;
    }
    TRY(expr_columns_init(&window->outputs, arena, planner.outputs, plan->call_count, column_types,
                          window->column_count));
    plan_order(window, arena);
    *sink = &window->sink;
    *source = &window->source;
    return STATUS_OK;
}

static Status window_local_open(Sink *self, void *local, Arena *worker_arena)
{
    Window *window = (Window *)self;
    WindowLocal *state = local;
    memory_share_begin(window->query, window->share);
    expr_columns_open(&window->arguments, &state->arguments, worker_arena);
    state->vectors = ARENA_ARRAY(worker_arena, const Vector *, window->arguments.count);
    batch_init(&state->fields, window->field_count, worker_arena);
    for (uint32_t b = 0; b < window->bucket_count; b++) {
        sort_buffer_init(&state->buffers[b], &window->shape, worker_arena);
    }
    if (window->bucket_count > 1) {
        state->hashes = ARENA_ARRAY(worker_arena, uint64_t, VECTOR_ROWS);
        state->rows =
            ARENA_ARRAY(worker_arena, uint16_t, (size_t)window->bucket_count * VECTOR_ROWS);
    }
    return STATUS_OK;
}

static Status spill(Window *window, WindowLocal *local, uint32_t bucket)
{
    if (local->files[bucket] == NULL) {
        TRY(spill_file_create(window->query, 0, &local->files[bucket]));
    }
    return sort_buffer_spill(&local->buffers[bucket], local->files[bucket]);
}

// All of a worker's buckets go to disk when one of them cannot grow.
static Status add_to_bucket(Window *window, WindowLocal *local, uint32_t bucket, Batch *batch)
{
    SortBuffer *buffer = &local->buffers[bucket];
    if (window->query->force_spill && buffer->store.row_count >= FORCED_SPILL_ROWS) {
        TRY(spill(window, local, bucket));
    }
    Status status = sort_buffer_add(buffer, batch);
    if (status == STATUS_OK || status_sqlstate(status) != SQLSTATE_OUT_OF_MEMORY) {
        return status;
    }
    status_ignore(status, "the rows so far go to disk instead");
    for (uint32_t b = 0; b < window->bucket_count; b++) {
        if (local->buffers[b].store.row_count > 0) {
            TRY(spill(window, local, b));
        }
    }
    return sort_buffer_add(buffer, batch);
}

static Status scatter(Window *window, WindowLocal *local, Batch *fields)
{
    uint32_t counts[WINDOW_BUCKETS] = {0};
    for (uint32_t k = 0; k < window->plan->partition_count; k++) {
        row_hash_column(&fields->columns[window->plan->partition[k]], fields, k > 0, local->hashes);
    }
    const uint16_t *selected = batch_selected_rows(fields);
    for (uint32_t i = 0; i < fields->selected_count; i++) {
        uint32_t bucket = (uint32_t)(local->hashes[i] >> 60);
        local->rows[bucket * VECTOR_ROWS + counts[bucket]++] = selected[i];
    }
    for (uint32_t b = 0; b < window->bucket_count; b++) {
        if (counts[b] > 0) {
            Batch part = *fields;
            part.selection = local->rows + (size_t)b * VECTOR_ROWS;
            part.selected_count = counts[b];
            TRY(add_to_bucket(window, local, b, &part));
        }
    }
    return STATUS_OK;
}

static Status window_consume(Sink *self, void *local, Batch *in, Flow *flow)
{
    Window *window = (Window *)self;
    WindowLocal *state = local;
    Batch *fields = &state->fields;
    *flow = FLOW_MORE;
    TRY(expr_columns_evaluate(&window->arguments, &state->arguments, in, state->vectors));
    TRY(batch_load_all(in));
    for (uint32_t f = 0; f < window->field_count; f++) {
        fields->columns[f] =
            f < window->child_count ? in->columns[f] : *state->vectors[f - window->child_count];
    }
    fields->column_count = window->field_count;
    fields->row_count = in->row_count;
    fields->selection = in->selection;
    fields->selected_count = in->selected_count;
    return window->bucket_count > 1 ? scatter(window, state, fields)
                                    : add_to_bucket(window, state, 0, fields);
}

static Status window_merge(Sink *self, void *local, Flow *flow)
{
    Window *window = (Window *)self;
    WindowLocal *state = local;
    *flow = FLOW_MORE;
    for (uint32_t b = 0; b < window->bucket_count; b++) {
        SpillFile *file = state->files[b];
        TRY(query_context_check(window->query));
        state->files[b] = NULL;
        if (state->buffers[b].store.row_count > 0) {
            sort_buffer_sort(&state->buffers[b]);
        }
        TRY(sort_runs_add(&window->buckets[b], &state->buffers[b], file));
    }
    return STATUS_OK;
}

static void window_local_close(Sink *self, void *local)
{
    Window *window = (Window *)self;
    WindowLocal *state = local;
    for (uint32_t b = 0; b < window->bucket_count; b++) {
        sort_buffer_deinit(&state->buffers[b]);
        spill_file_destroy(state->files[b]);
    }
}

static void window_close(Sink *self)
{
    Window *window = (Window *)self;
    for (uint32_t b = 0; b < window->bucket_count; b++) {
        SortRuns *runs = &window->buckets[b];
        for (uint32_t f = 0; runs->shape != NULL && f < runs->file_count; f++) {
            self->statistics.spilled_bytes += spill_file_bytes(runs->files[f]);
        }
        sort_runs_deinit(runs);
    }
}

static const SinkOps window_ops = {
    .name = "WindowAgg",
    .local_bytes = sizeof(WindowLocal),
    .local_open = window_local_open,
    .consume = window_consume,
    .merge = window_merge,
    .local_close = window_local_close,
    .close = window_close,
};
