/* filter.c — narrows the selection; rows stay where they are. Cost: that of the conjuncts. */
#include "compute/operators/filter.h"

#include "compute/expression/expr_eval.h"

typedef struct Filter {
    Transform transform;
    const PlanFilter *plan;
    ExprProgram *program;
} Filter;

typedef struct FilterLocal {
    ExprState *state;
} FilterLocal;

static const TransformOps filter_ops;

Status filter_create(QueryContext *query, const PlanFilter *plan, Transform **out)
{
    Filter *filter = ARENA_NEW(query->arena, Filter);
    transform_init(&filter->transform, &filter_ops, &plan->node);
    filter->plan = plan;
    TRY(expr_compile(query->arena, plan->filters, plan->filter_count, plan->child->output_types,
                     plan->child->output_count, &filter->program));
    *out = &filter->transform;
    return STATUS_OK;
}

static Status filter_local_open(Transform *self, void *local, Arena *worker_arena)
{
    FilterLocal *state = local;
    state->state = expr_state_create(((Filter *)self)->program, worker_arena);
    return STATUS_OK;
}

static Status filter_apply(Transform *self, void *local, Batch *in, Batch *out, Flow *flow)
{
    (void)self;
    FilterLocal *state = local;
    batch_set_view(out, in);
    *flow = FLOW_MORE;
    return expr_filter(state->state, out);
}

static const TransformOps filter_ops = {
    .name = "Filter",
    .local_bytes = sizeof(FilterLocal),
    .local_open = filter_local_open,
    .apply = filter_apply,
};
