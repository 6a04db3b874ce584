/*
 * table_scan.c — the door from pipelines to storage/scan.h.
 *
 * Conjuncts that compare one column with constants become predicates, which storage applies to
 * encoded data; the others go down as an evaluator. Filters of joins arrive later, when their build
 * side is complete. Columns that only filters need are not output.
 */
#include "compute/operators/table_scan.h"

#include "compute/expression/expr_eval.h"
#include "compute/operators/runtime_filter.h"

typedef struct ScanSource {
    Source source;
    const PlanScan *plan;
    bool is_one_node;
    Type *types; /* of the columns read */
    uint32_t predicate_count;
    ScanPredicate *predicates;
    ExprProgram *rest;        /* conjuncts that are no predicates; may be null */
    ScanSummaries *summaries; /* may be null */
    TableScan *scan;
} ScanSource;

typedef struct ScanSourceLocal {
    ScanEvaluator evaluator; /* first: storage hands it back */
    ExprState *state;
    TableScanLocal *scan;
    Batch batch; /* all columns read */
} ScanSourceLocal;

static const SourceOps scan_source_ops;

// Splits the conjuncts into predicates and the rest.
static Status plan_filters(ScanSource *source, Arena *arena)
{
    const PlanScan *plan = source->plan;
    source->predicates = ARENA_ARRAY(arena, ScanPredicate, plan->filter_count);
    Expr **rest = ARENA_ARRAY(arena, Expr *, plan->filter_count);
    uint32_t rest_count = 0;
    for (uint32_t i = 0; i < plan->filter_count; i++) {
        Predicate *predicate = ARENA_NEW(arena, Predicate);
        uint32_t column = 0;
        bool is_exact = false;
        bool is_predicate =
            expr_to_predicate(plan->filters[i], arena, &column, predicate, &is_exact);
        if (is_predicate) {
            source->predicates[source->predicate_count++] =
                (ScanPredicate){.column = column, .predicate = predicate};
        }
        if (!is_predicate || !is_exact) {
            rest[rest_count++] = plan->filters[i];
        }
    }
    if (rest_count == 0) {
        return STATUS_OK;
    }
    return expr_compile(arena, rest, rest_count, source->types, plan->column_count, &source->rest);
}

bool scan_source_can_summarize(const PlanScan *plan)
{
    return plan->runtime_filter_count == 0 && !plan->has_row_ids;
}

Status scan_source_create(QueryContext *query, const PlanScan *plan, bool is_one_node,
                          ScanSummaries *summaries, Source **out)
{
    if (query->store == NULL) {
        return status_error(SQLSTATE_INTERNAL_ERROR, "table \"%s\" cannot be read here",
                            plan->table->name);
    }
    ScanSource *source = ARENA_NEW(query->arena, ScanSource);
    source_init(&source->source, &scan_source_ops, &plan->node);
    source->plan = plan;
    source->is_one_node = is_one_node;
    source->types = ARENA_ARRAY(query->arena, Type, plan->column_count);
    for (uint32_t i = 0; i < plan->column_count; i++) {
        source->types[i] = plan->table->columns[plan->columns[i]].type;
    }
    TRY(plan_filters(source, query->arena));
    source->summaries = source->rest == NULL ? summaries : NULL;
    *out = &source->source;
    return STATUS_OK;
}

static Status scan_source_open(Source *self, QueryContext *query)
{
    ScanSource *source = (ScanSource *)self;
    const PlanScan *plan = source->plan;
    ScanRequest request = {
        .store = query->store,
        .table = plan->table,
        .snapshot = query->snapshot,
        .column_count = plan->column_count,
        .columns = plan->columns,
        .predicate_count = source->predicate_count,
        .predicates = source->predicates,
        .batch_rows = query->batch_rows,
        .budget = query->budget,
        .has_exclusive_replica = source->is_one_node && query->is_replica_reader,
        .has_row_ids = plan->has_row_ids,
        .summaries = source->summaries == NULL ? NULL : source->summaries->wanted,
        .is_counting = plan->node.output_count == 0,
        .may_mask = source_may_mask(self),
    };
    TRY(table_scan_open(&request, query->arena, &source->scan));
    if (source->summaries != NULL) {
        source->summaries->row_count =
            table_scan_summary(source->scan, &source->summaries->columns);
    }
    for (uint32_t i = 0; i < plan->runtime_filter_count; i++) {
        const PlanRuntimeFilterUse *use = &plan->runtime_filters[i];
        runtime_filters_use(query->runtime_filters, use->filter_id, source->scan, use->column,
                            source->types[use->column]);
    }
    return STATUS_OK;
}

static Status evaluate_rest(ScanEvaluator *self, Batch *batch)
{
    return expr_filter(((ScanSourceLocal *)self)->state, batch);
}

static Status scan_source_local_open(Source *self, void *local, Arena *worker_arena)
{
    ScanSource *source = (ScanSource *)self;
    ScanSourceLocal *state = local;
    ScanEvaluator *evaluator = NULL;
    enum { ROW_ID_COLUMNS = 2 };
    batch_init(&state->batch,
               source->plan->column_count + (source->plan->has_row_ids ? ROW_ID_COLUMNS : 0),
               worker_arena);
    if (source->rest != NULL) {
        state->state = expr_state_create(source->rest, worker_arena);
        state->evaluator.filter = evaluate_rest;
        evaluator = &state->evaluator;
    }
    return table_scan_local_create(source->scan, evaluator, worker_arena, &state->scan);
}

static Status scan_source_produce(Source *self, void *local, Batch *out, Flow *flow)
{
    ScanSource *source = (ScanSource *)self;
    ScanSourceLocal *state = local;
    bool is_done = false;
    TRY(table_scan_next(state->scan, &state->batch, &is_done));
    if (is_done) {
        *flow = FLOW_DONE;
        return STATUS_OK;
    }
    const Batch *batch = &state->batch;
    out->row_count = batch->row_count;
    out->selected_count = batch->selected_count;
    out->selection = batch->selection;
    out->mask = batch->mask;
    out->column_count = self->output_count;
    for (uint32_t i = 0; i < self->output_count; i++) {
        out->columns[i] = batch->columns[source->plan->outputs[i]];
    }
    *flow = FLOW_MORE;
    return STATUS_OK;
}

static void scan_source_local_close(Source *self, void *local)
{
    (void)self;
    ScanSourceLocal *state = local;
    if (state->scan != NULL) {
        table_scan_local_destroy(state->scan);
    }
}

static void scan_source_close(Source *self)
{
    ScanSource *source = (ScanSource *)self;
    if (source->scan == NULL) {
        return;
    }
    ScanStatistics statistics = {0};
    table_scan_statistics(source->scan, &statistics);
    self->statistics.bytes = statistics.bytes_read;
    self->statistics.blocks_read = statistics.blocks_read;
    self->statistics.blocks_skipped = statistics.blocks_skipped;
    self->statistics.blocks_from_disk = statistics.blocks_from_disk;
    self->statistics.row_groups_from_zone_maps = statistics.row_groups_summarized;
    table_scan_close(source->scan);
    source->scan = NULL;
}

static uint32_t scan_source_parallelism(Source *self)
{
    uint32_t morsels = table_scan_morsel_count(((ScanSource *)self)->scan);
    return morsels > 0 ? morsels : 1;
}

static bool scan_source_is_done(Source *self)
{
    return table_scan_morsel_count(((ScanSource *)self)->scan) == 0;
}

static const SourceOps scan_source_ops = {
    .name = "Seq Scan",
    .local_bytes = sizeof(ScanSourceLocal),
    .open = scan_source_open,
    .local_open = scan_source_local_open,
    .produce = scan_source_produce,
    .local_close = scan_source_local_close,
    .close = scan_source_close,
    .parallelism = scan_source_parallelism,
    .is_done = scan_source_is_done,
};
