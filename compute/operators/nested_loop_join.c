/*
 * nested_loop_join.c — every probe row meets every build row, a batch at a time.
 *
 * The build side is kept as batches. One side of a step is a single row, shown as constants; the
 * other is a whole batch, shown as views: nothing is copied. The single row is of whichever side
 * has fewer rows, so a scalar subquery's one row costs one step per probe batch.
 *
 * Example, probe batch of 1,000 rows, 3 build rows: 3 steps of 1,000 pairs. Probe batch of 10 rows,
 * 5,000 build rows: 10 x 5 steps of up to 1,024 pairs.
 */
#include "compute/operators/nested_loop_join.h"

#include <string.h>

#include "compute/expression/expr_eval.h"
#include "compute/operators/batch_collector.h"

enum { CONSTANT_BYTES = 128 }; /* a lane, and what may be read behind it */

typedef struct NestedLoopJoin {
    Sink build;
    Transform probe;
    Source rest;
    QueryContext *query;
    const PlanNestedLoopJoin *plan;
    JoinKind kind;
    uint32_t probe_count, build_count;
    bool *is_used;           /* of probe ++ build columns */
    ExprProgram *condition;  /* null: always true */
    Mutex mutex;             /* guards list while workers merge */
    BatchList list;
    uint64_t *first_rows;    /* number of each batch's first row */
    uint8_t *matched;        /* per build row; RIGHT and FULL */
    uint64_t build_rows;
    uint32_t next_rest;      /* atomic: batch */
} NestedLoopJoin;

typedef struct BuildLocal {
    BatchCollector collector;
} BuildLocal;

typedef struct ProbeLocal {
    ExprState *state;
    Batch pair;              /* probe ++ build columns */
    uint8_t *constants;      /* CONSTANT_BYTES per column */
    bool is_started, is_by_build_row, is_final;
    uint32_t probe_index;    /* by probe row: index of the selected row */
    uint32_t batch_index, build_row;
    RowMask matched, unknown;
    uint16_t *selection;
    VectorBuffer mark;
} ProbeLocal;

static const SinkOps build_ops;
static const TransformOps probe_ops;
static const SourceOps rest_ops;

static const uint64_t none_present[VALIDITY_WORDS];
static const _Alignas(64) uint8_t null_lane[CONSTANT_BYTES];

static Vector null_column(Type type)
{
    return (Vector){.type = type, .lane = (uint8_t)type_widest_lane(type),
                    .form = VECTOR_CONSTANT, .validity = none_present, .data = null_lane};
}

static NestedLoopJoin *join_of_probe(Transform *self)
{
    return (NestedLoopJoin *)((char *)self - offsetof(NestedLoopJoin, probe));
}
static NestedLoopJoin *join_of_rest(Source *self)
{
    return (NestedLoopJoin *)((char *)self - offsetof(NestedLoopJoin, rest));
}

typedef struct ColumnUse {
    bool *is_used;
    uint32_t count;
} ColumnUse;

static bool note_column(void *object, const Expr *expr)
{
    ColumnUse *use = object;
    if (expr->kind == EXPR_COLUMN && expr->column < use->count) {
        use->is_used[expr->column] = true;
    }
    return true;
}

static bool keeps_build_rows(JoinKind kind)
{
    return kind == JOIN_RIGHT || kind == JOIN_FULL;
}

static bool gives_pairs(JoinKind kind)
{
    return kind == JOIN_INNER || kind == JOIN_LEFT || kind == JOIN_SINGLE || keeps_build_rows(kind);
}

static Status compile_condition(NestedLoopJoin *join, Arena *arena)
{
    const PlanNestedLoopJoin *plan = join->plan;
    uint32_t pair_count = join->probe_count + join->build_count;
    if (plan->condition == NULL) {
        return STATUS_OK;
    }
    Type *types = ARENA_ARRAY(arena, Type, pair_count);
    for (uint32_t c = 0; c < pair_count; c++) {
        types[c] = c < join->probe_count ? plan->probe->output_types[c]
                                         : plan->build->output_types[c - join->probe_count];
    }
    Expr **exprs = ARENA_NEW(arena, Expr *);
    *exprs = plan->condition;
    // Conjuncts may go one by one, but a mark must know whether the whole is unknown.
    bool is_split = plan->condition->kind == EXPR_AND && join->kind != JOIN_MARK;
    return expr_compile(arena, is_split ? plan->condition->args : exprs,
                        is_split ? plan->condition->arg_count : 1, types, pair_count,
                        &join->condition);
}

Status nested_loop_join_create(QueryContext *query, const PlanNestedLoopJoin *plan,
                               NestedLoopJoinParts *out)
{
    Arena *arena = query->arena;
    if (!gives_pairs(plan->join) && plan->join != JOIN_SEMI && plan->join != JOIN_ANTI &&
        plan->join != JOIN_MARK) {
        return status_error(SQLSTATE_FEATURE_NOT_SUPPORTED,
                            "this kind of join needs equality conditions");
    }
    NestedLoopJoin *join = ARENA_NEW(arena, NestedLoopJoin);
    sink_init(&join->build, &build_ops, &plan->node);
    transform_init(&join->probe, &probe_ops, &plan->node);
    source_init(&join->rest, &rest_ops, &plan->node);
    join->query = query;
    join->plan = plan;
    join->kind = plan->join;
    join->probe_count = plan->probe->output_count;
    join->build_count = plan->build->output_count;
    mutex_init(&join->mutex, MUTEX_RANK_OPERATOR);
    uint32_t pair_count = join->probe_count + join->build_count;
    join->is_used = ARENA_ARRAY(arena, bool, pair_count);
    ColumnUse use = {.is_used = join->is_used, .count = pair_count};
    if (plan->condition != NULL) {
        expr_walk(plan->condition, note_column, &use);
    }
    for (uint32_t o = 0; o < plan->node.output_count; o++) {
        uint32_t column = plan->outputs[o];
        if (column > pair_count || (column == pair_count && join->kind != JOIN_MARK)) {
            return status_error(SQLSTATE_INTERNAL_ERROR,
                                "join %u of the plan does not fit its inputs", plan->node.id);
        }
        if (column < pair_count) {
            join->is_used[column] = true;
        }
    }
    TRY(compile_condition(join, arena));
    *out = (NestedLoopJoinParts){.build = &join->build, .probe = &join->probe,
                                 .rest = keeps_build_rows(join->kind) ? &join->rest : NULL};
    return STATUS_OK;
}

/* --- build --- */

static Status build_local_open(Sink *self, void *local, Arena *worker_arena)
{
    NestedLoopJoin *join = (NestedLoopJoin *)self;
    (void)worker_arena;
    return batch_collector_init(&((BuildLocal *)local)->collector, join->query->budget,
                                join->plan->build->output_types, join->build_count,
                                join->query->batch_rows);
}

static Status build_consume(Sink *self, void *local, Batch *in, Flow *flow)
{
    (void)self;
    *flow = FLOW_MORE;
    return batch_collector_add(&((BuildLocal *)local)->collector, in);
}

static Status build_merge(Sink *self, void *local, Flow *flow)
{
    NestedLoopJoin *join = (NestedLoopJoin *)self;
    BatchCollector *collector = &((BuildLocal *)local)->collector;
    *flow = FLOW_MORE;
    TRY(batch_collector_flush(collector));
    mutex_lock(&join->mutex);
    Status status = batch_list_append(&join->list, &collector->list);
    mutex_unlock(&join->mutex);
    return status;
}

static Status build_finish(Sink *self, Flow *flow)
{
    NestedLoopJoin *join = (NestedLoopJoin *)self;
    *flow = FLOW_DONE;
    join->build_rows = join->list.row_count;
    if (!keeps_build_rows(join->kind)) {
        return STATUS_OK;
    }
    size_t bytes = join->build_rows + join->list.count * sizeof *join->first_rows + 64;
    join->first_rows = memory_alloc_zeroed(join->query->budget, bytes);
    if (join->first_rows == NULL) {
        return memory_refused(join->query->budget, bytes, "a nested loop join");
    }
    join->matched = (uint8_t *)(join->first_rows + join->list.count);
    uint64_t first = 0;
    for (uint32_t b = 0; b < join->list.count; b++) {
        join->first_rows[b] = first;
        first += join->list.items[b]->batch.selected_count;
    }
    return STATUS_OK;
}

static void build_local_close(Sink *self, void *local)
{
    (void)self;
    batch_collector_deinit(&((BuildLocal *)local)->collector);
}

static void build_close(Sink *self)
{
    NestedLoopJoin *join = (NestedLoopJoin *)self;
    if (join->first_rows != NULL) {
        size_t bytes = join->build_rows + join->list.count * sizeof *join->first_rows + 64;
        memory_free(join->query->budget, join->first_rows, bytes);
    }
    batch_list_clear(&join->list);
    mutex_deinit(&join->mutex);
}

static const SinkOps build_ops = {
    .name = "Nested Loop",
    .local_bytes = sizeof(BuildLocal),
    .local_open = build_local_open,
    .consume = build_consume,
    .merge = build_merge,
    .finish = build_finish,
    .local_close = build_local_close,
    .close = build_close,
};

/* --- probe --- */

static Status probe_local_open(Transform *self, void *local, Arena *worker_arena)
{
    NestedLoopJoin *join = join_of_probe(self);
    ProbeLocal *state = local;
    uint32_t pair_count = join->probe_count + join->build_count;
    batch_init(&state->pair, pair_count, worker_arena);
    state->constants = arena_alloc_aligned(worker_arena, (size_t)pair_count * CONSTANT_BYTES, 64);
    state->selection = ARENA_ARRAY(worker_arena, uint16_t, VECTOR_ROWS);
    if (join->condition != NULL) {
        state->state = expr_state_create(join->condition, worker_arena);
    }
    if (join->kind == JOIN_MARK) {
        vector_buffer_init(&state->mark, worker_arena);
    }
    return STATUS_OK;
}

// Shows row `row` of `batch` as constants from column `first` of the pair on.
static void set_constants(const NestedLoopJoin *join, ProbeLocal *local, const Batch *batch,
                          uint32_t row, uint32_t first, uint32_t count)
{
    for (uint32_t c = 0; c < count; c++) {
        if (join->is_used[first + c]) {
            Value value = vector_value(&batch->columns[c], row);
            vector_set_constant(&local->pair.columns[first + c], &value,
                                local->constants + (size_t)(first + c) * CONSTANT_BYTES);
        }
    }
}

static void set_views(ProbeLocal *local, const Batch *batch, uint32_t first, uint32_t count)
{
    for (uint32_t c = 0; c < count; c++) {
        local->pair.columns[first + c] = batch->columns[c];
    }
    local->pair.row_count = batch->row_count;
    local->pair.selection = batch->selection;
    local->pair.selected_count = batch->selected_count;
}

// A mark needs to know where the condition is unknown, not only where it is true.
static Status evaluate_mark(ProbeLocal *local, uint32_t probe_row)
{
    const Vector *truth;
    Batch *pair = &local->pair;
    expr_begin(local->state, pair);
    TRY(expr_evaluate(local->state, 0, &truth));
    uint32_t kept = 0;
    for (uint32_t i = 0; i < pair->selected_count; i++) {
        uint32_t row = batch_row(pair, i);
        bool is_null = vector_is_null(truth, row);
        if (is_null) {
            validity_set(local->unknown.words, local->is_by_build_row ? row : probe_row);
        }
        local->selection[kept] = (uint16_t)row;
        kept += !is_null && vector_int64(truth, row) != 0;
    }
    pair->selection = local->selection;
    pair->selected_count = kept;
    return STATUS_OK;
}

// Build batches have no selection: the builder made them.
static Status note_matches(NestedLoopJoin *join, ProbeLocal *local, uint32_t probe_row)
{
    const Batch *pair = &local->pair;
    for (uint32_t i = 0; i < pair->selected_count; i++) {
        uint32_t row = batch_row(pair, i);
        uint32_t matched_row = local->is_by_build_row ? row : probe_row;
        if (join->kind == JOIN_SINGLE && validity_get(local->matched.words, matched_row)) {
            return status_error(SQLSTATE_CARDINALITY_VIOLATION,
                                "more than one row returned by a subquery used as an expression");
        }
        validity_set(local->matched.words, matched_row);
        if (join->matched != NULL) {
            uint64_t build_row = join->first_rows[local->batch_index] +
                                 (local->is_by_build_row ? local->build_row : row);
            __atomic_store_n(&join->matched[build_row], 1, __ATOMIC_RELAXED);
        }
    }
    return STATUS_OK;
}

static void emit_pair(const NestedLoopJoin *join, const Batch *pair, Batch *out)
{
    for (uint32_t o = 0; o < join->probe.output_count; o++) {
        out->columns[o] = pair->columns[join->plan->outputs[o]];
    }
    out->column_count = join->probe.output_count;
    out->row_count = pair->row_count;
    out->selection = pair->selection;
    out->selected_count = pair->selected_count;
}

// Moves to the next pair of a batch and a row; false at the end.
static bool advance(const NestedLoopJoin *join, ProbeLocal *local, const Batch *in)
{
    const BatchList *list = &join->list;
    if (local->is_by_build_row) {
        local->build_row++;
        if (local->build_row == list->items[local->batch_index]->batch.selected_count) {
            local->build_row = 0;
            local->batch_index++;
        }
        return local->batch_index < list->count;
    }
    bool is_satisfied =
        (join->kind == JOIN_SEMI || join->kind == JOIN_ANTI || join->kind == JOIN_MARK) &&
        validity_get(local->matched.words, batch_row(in, local->probe_index));
    local->batch_index++;
    if (local->batch_index == list->count || is_satisfied) {
        local->batch_index = 0;
        local->probe_index++;
    }
    return local->probe_index < in->selected_count;
}

// One step: a row of one side, a batch of the other.
static Status join_step(NestedLoopJoin *join, ProbeLocal *local, Batch *in, Batch *out)
{
    const Batch *build = &join->list.items[local->batch_index]->batch;
    uint32_t probe_row = 0;
    local->pair.column_count = join->probe_count + join->build_count;
    if (local->is_by_build_row) {
        set_constants(join, local, build, local->build_row, join->probe_count, join->build_count);
        set_views(local, in, 0, join->probe_count);
    } else {
        probe_row = batch_row(in, local->probe_index);
        set_constants(join, local, in, probe_row, 0, join->probe_count);
        set_views(local, build, join->probe_count, join->build_count);
    }
    if (join->condition != NULL && join->kind == JOIN_MARK) {
        TRY(evaluate_mark(local, probe_row));
    } else if (join->condition != NULL) {
        TRY(expr_filter(local->state, &local->pair));
    }
    if (join->kind != JOIN_INNER) {
        TRY(note_matches(join, local, probe_row));
    }
    if (gives_pairs(join->kind) && local->pair.selected_count > 0) {
        emit_pair(join, &local->pair, out);
    }
    return STATUS_OK;
}

static uint32_t select_by_match(ProbeLocal *local, const Batch *in, bool is_matched)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < in->selected_count; i++) {
        uint32_t row = batch_row(in, i);
        local->selection[kept] = (uint16_t)row;
        kept += validity_get(local->matched.words, row) == is_matched;
    }
    return kept;
}

static void set_mark(ProbeLocal *local, const Batch *in, Vector *out)
{
    uint8_t *lanes = local->mark.lanes;
    for (uint32_t row = 0; row < in->row_count; row++) {
        lanes[row] = validity_get(local->matched.words, row);
    }
    for (uint32_t w = 0; w < VALIDITY_WORDS; w++) {
        local->mark.validity[w] = local->matched.words[w] | ~local->unknown.words[w];
    }
    *out = (Vector){.type = type_of(TYPE_BOOLEAN), .lane = LANE_U8, .form = VECTOR_FLAT, .hi = 1,
                    .validity = local->mark.validity, .data = lanes};
}

// What is known when a probe batch has met all build rows.
static void emit_final(NestedLoopJoin *join, ProbeLocal *local, const Batch *in, Batch *out)
{
    bool is_semi = join->kind == JOIN_SEMI;
    uint32_t count = join->kind == JOIN_MARK ? in->selected_count
                                             : select_by_match(local, in, is_semi);
    if (count == 0) {
        return;
    }
    for (uint32_t o = 0; o < join->probe.output_count; o++) {
        uint32_t column = join->plan->outputs[o];
        if (column < join->probe_count) {
            out->columns[o] = in->columns[column];
        } else if (column == join->probe_count + join->build_count) {
            set_mark(local, in, &out->columns[o]);
        } else {
            out->columns[o] = null_column(join->probe.output_types[o]);
        }
    }
    out->column_count = join->probe.output_count;
    out->row_count = in->row_count;
    out->selection = join->kind == JOIN_MARK ? in->selection : local->selection;
    out->selected_count = count;
}

static Status probe_apply(Transform *self, void *local, Batch *in, Batch *out, Flow *flow)
{
    NestedLoopJoin *join = join_of_probe(self);
    ProbeLocal *state = local;
    if (!state->is_started) {
        TRY(batch_load_all(in));
        state->is_started = true;
        state->is_by_build_row = join->build_rows <= in->selected_count;
        state->is_final = join->build_rows == 0;
        state->probe_index = state->batch_index = state->build_row = 0;
        memset(&state->matched, 0, sizeof state->matched);
        memset(&state->unknown, 0, sizeof state->unknown);
    }
    bool has_final = join->kind != JOIN_INNER && join->kind != JOIN_RIGHT;
    if (!state->is_final) {
        TRY(join_step(join, state, in, out));
        state->is_final = !advance(join, state, in);
        *flow = state->is_final && !has_final ? FLOW_MORE : FLOW_AGAIN;
    } else {
        if (has_final) {
            emit_final(join, state, in, out);
        }
        *flow = FLOW_MORE;
    }
    state->is_started = *flow == FLOW_AGAIN;
    return STATUS_OK;
}

static bool probe_is_done(Transform *self)
{
    NestedLoopJoin *join = join_of_probe(self);
    return join->build_rows == 0 && (join->kind == JOIN_INNER || join->kind == JOIN_SEMI ||
                                     join->kind == JOIN_RIGHT);
}

static const TransformOps probe_ops = {
    .name = "Nested Loop",
    .local_bytes = sizeof(ProbeLocal),
    .local_open = probe_local_open,
    .apply = probe_apply,
    .is_done = probe_is_done,
};

/* --- build rows without a probe row --- */

typedef struct RestLocal {
    uint16_t *selection;
} RestLocal;

static Status rest_local_open(Source *self, void *local, Arena *worker_arena)
{
    (void)self;
    ((RestLocal *)local)->selection = ARENA_ARRAY(worker_arena, uint16_t, VECTOR_ROWS);
    return STATUS_OK;
}

static Status rest_produce(Source *self, void *local, Batch *out, Flow *flow)
{
    NestedLoopJoin *join = join_of_rest(self);
    uint16_t *selection = ((RestLocal *)local)->selection;
    uint32_t index = __atomic_fetch_add(&join->next_rest, 1, __ATOMIC_RELAXED);
    if (index >= join->list.count) {
        *flow = FLOW_DONE;
        return STATUS_OK;
    }
    const Batch *batch = &join->list.items[index]->batch;
    uint32_t kept = 0;
    for (uint32_t row = 0; row < batch->row_count; row++) {
        selection[kept] = (uint16_t)row;
        kept += join->matched[join->first_rows[index] + row] == 0;
    }
    for (uint32_t o = 0; o < self->output_count; o++) {
        uint32_t column = join->plan->outputs[o];
        out->columns[o] = column >= join->probe_count ? batch->columns[column - join->probe_count]
                                                      : null_column(self->output_types[o]);
    }
    out->column_count = self->output_count;
    out->row_count = batch->row_count;
    out->selection = selection;
    out->selected_count = kept;
    *flow = FLOW_MORE;
    return STATUS_OK;
}

static const SourceOps rest_ops = {
    .name = "Nested Loop",
    .local_bytes = sizeof(RestLocal),
    .local_open = rest_local_open,
    .produce = rest_produce,
};
