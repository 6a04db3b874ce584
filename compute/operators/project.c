/*
 * project.c — new columns beside the same rows and selection.
 *
 * Plain columns pass as views, lazy ones stay lazy; the rest is computed for the selected rows.
 */
#include "compute/operators/project.h"

#include "compute/operators/expr_columns.h"

typedef struct Project {
    Transform transform;
    ExprColumns exprs;
} Project;

typedef struct ProjectLocal {
    ExprColumnsLocal exprs;
} ProjectLocal;

static const TransformOps project_ops;

Status project_create(QueryContext *query, const PlanProject *plan, Transform **out)
{
    Project *project = ARENA_NEW(query->arena, Project);
    transform_init(&project->transform, &project_ops, &plan->node);
    TRY(expr_columns_init(&project->exprs, query->arena, plan->exprs, plan->node.output_count,
                          plan->child->output_types, plan->child->output_count));
    *out = &project->transform;
    return STATUS_OK;
}

static Status project_local_open(Transform *self, void *local, Arena *worker_arena)
{
    ProjectLocal *state = local;
    expr_columns_open(&((Project *)self)->exprs, &state->exprs, worker_arena);
    return STATUS_OK;
}

static Status project_apply(Transform *self, void *local, Batch *in, Batch *out, Flow *flow)
{
    Project *project = (Project *)self;
    ProjectLocal *state = local;
    const ExprColumns *exprs = &project->exprs;

    if (state->exprs.state != NULL) {
        expr_begin(state->exprs.state, in);
    }
    for (uint32_t i = 0; i < exprs->count; i++) {
        const Vector *vector;
        if (exprs->columns[i] != EXPR_COLUMNS_NONE) {
            vector = &in->columns[exprs->columns[i]];
        } else {
            TRY(expr_evaluate(state->exprs.state, exprs->program_index[i], &vector));
        }
        out->columns[i] = *vector;
    }
    out->row_count = in->row_count;
    out->selected_count = in->selected_count;
    out->selection = in->selection;
    out->mask = in->mask;
    out->column_count = exprs->count;
    *flow = FLOW_MORE;
    return STATUS_OK;
}

static const TransformOps project_ops = {
    .name = "Project",
    .local_bytes = sizeof(ProjectLocal),
    .local_open = project_local_open,
    .apply = project_apply,
};
