/* distribute.c — places the steps of a plan, brings its result to the leader, cuts fragments. */
#include "planner/distributor/distribute.h"

#include "planner/distributor/cut_fragments.h"
#include "planner/distributor/place.h"
#include "planner/logical/logical_tree.h"
#include "planner/optimizer/optimize.h"

/* The step at the leader, giving exactly the root's columns in their order. */
static Step *result_step(Placer *placer, Step *step, const LogicalNode *root,
                         const ColumnSet *needed)
{
    Distribution leader = distribution_of(DISTRIBUTION_LEADER);
    step = step_move(placer, step, &leader, needed);
    bool is_same = step->column_count == root->column_count;
    Expr **exprs = ARENA_ARRAY(placer->arena, Expr *, root->column_count);
    for (uint32_t i = 0; i < root->column_count; i++) {
        exprs[i] = logical_column_expr(placer->arena, &root->columns[i]);
        is_same = is_same && step->columns[i].number == root->columns[i].number;
    }
    if (is_same) {
        return step;
    }
    Step *project = step_new(placer, STEP_PROJECT, NULL, 1, &step, 0);
    project->exprs = exprs;
    step_set_columns(placer, project, root->column_count, root->columns);
    return project;
}

/* Without results of its own (INSERT, COPY) a statement shows its root's columns. */
static PlanResultColumn *results_of(Arena *arena, const LogicalNode *root)
{
    PlanResultColumn *results = ARENA_ARRAY(arena, PlanResultColumn, root->column_count);
    for (uint32_t i = 0; i < root->column_count; i++) {
        results[i] = (PlanResultColumn){.name = root->columns[i].name,
                                        .type = root->columns[i].type,
                                        .table_id = root->columns[i].table_id,
                                        .column_id = root->columns[i].column_id};
    }
    return results;
}

Status distribute(PlannerContext *context, LogicalNode *root, const PlanResultColumn *results,
                  uint32_t result_count, Plan **out)
{
    Placer placer = {.context = context,
                     .arena = context->arena,
                     .estimator = estimator_create(context),
                     .cost = {.node_count = context->node_count == 0 ? 1 : context->node_count}};
    estimate_tree(placer.estimator, root);
    ColumnNames *names = column_names_create(context->arena, root);
    ColumnSet needed = column_set_of_node(root, context->arena);
    StepList list = {0};
    TRY(place_node(&placer, root, &needed, true, &list));
    const Step *best = NULL;
    for (uint32_t i = 0; i < list.count; i++) {
        const Step *step = result_step(&placer, list.steps[i], root, &needed);
        best = best == NULL || step->cost < best->cost ? step : best;
    }
    if (best == NULL) {
        return status_error(SQLSTATE_INTERNAL_ERROR, "statement has no legal placement");
    }
    if (results == NULL) {
        results = results_of(context->arena, root);
        result_count = root->column_count;
    }
    return cut_fragments(&placer, best, names, results, result_count, out);
}

Status plan_query(PlannerContext *context, LogicalNode *bound_root, const PlanResultColumn *results,
                  uint32_t result_count, Plan **out)
{
    LogicalNode *root = bound_root;
    TRY(optimize(context, &root));
    return distribute(context, root, results, result_count, out);
}
