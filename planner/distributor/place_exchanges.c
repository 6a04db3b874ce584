/*
 * place_exchanges.c — walks the logical tree bottom-up and keeps, per node, the cheapest steps by
 * distribution; exchanges are put where an operator cannot work on rows where they are.
 */
#include "planner/distributor/place.h"

#include "planner/logical/logical_tree.h"

Distribution placer_spread(const Placer *placer, DistributionKind kind)
{
    return distribution_of(placer->cost.node_count > 1 ? kind : DISTRIBUTION_SINGLE);
}

uint32_t placer_by_columns(const Placer *placer, const ColumnNumber *columns, uint32_t count,
                           Distribution places[PLACES_BY_COLUMNS_MAX])
{
    const double enough = (double)DISTINCT_PER_NODE_MIN * placer->cost.node_count;
    uint32_t place_count = 0;
    places[place_count++] = distribution_hashed(columns, count);
    for (uint32_t i = 0; count > 1 && i < count && i < PLACES_ALONE_MAX; i++) {
        if (estimate_column(placer->estimator, columns[i])->distinct >= enough) {
            places[place_count++] = distribution_hashed(&columns[i], 1);
        }
    }
    for (uint32_t i = 0; count > 2 && count <= DISTRIBUTION_KEYS_MAX && i < count; i++) {
        ColumnNumber others[DISTRIBUTION_KEYS_MAX];
        uint32_t other_count = 0;
        double distinct = 1;
        for (uint32_t k = 0; k < count; k++) {
            if (k != i) {
                others[other_count++] = columns[k];
                distinct *= estimate_column(placer->estimator, columns[k])->distinct;
            }
        }
        if (distinct >= enough) {
            places[place_count++] = distribution_hashed(others, other_count);
        }
    }
    return place_count;
}

Distribution placer_table_distribution(const Placer *placer, const CatalogTable *table,
                                       ColumnNumber distribution_column)
{
    if (placer->cost.node_count > 1 && table->style == DISTRIBUTION_STYLE_KEY &&
        distribution_column != 0) {
        return distribution_hashed(&distribution_column, 1);
    }
    return placer_spread(placer, table->style == DISTRIBUTION_STYLE_ALL ? DISTRIBUTION_REPLICATED
                                                                        : DISTRIBUTION_SCATTERED);
}

/* The needed columns of a node, in its order. */
static LogicalColumn *pick_columns(Placer *placer, const LogicalNode *node, const ColumnSet *needed,
                                   uint32_t *count)
{
    LogicalColumn *columns = ARENA_ARRAY(placer->arena, LogicalColumn, node->column_count);
    *count = 0;
    for (uint32_t i = 0; i < node->column_count; i++) {
        if (column_set_has(needed, node->columns[i].number)) {
            columns[(*count)++] = node->columns[i];
        }
    }
    return columns;
}

/* The column with the node that keeps a row, or 0. */
static ColumnNumber row_node_among(const LogicalColumn *columns, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        if (columns[i].column_id == COLUMN_ID_ROW_NODE) {
            return columns[i].number;
        }
    }
    return 0;
}

static Status place_get(Placer *placer, LogicalGet *get, const ColumnSet *needed, StepList *out)
{
    ColumnNumber key = 0;
    for (uint32_t i = 0; i < get->node.column_count; i++) {
        if ((int64_t)get->table_columns[i] == get->table->distribution_column) {
            key = get->node.columns[i].number;
        }
    }
    Distribution distribution = get->table->kind == CATALOG_VIRTUAL
                                    ? distribution_of(DISTRIBUTION_LEADER)
                                    : placer_table_distribution(placer, get->table, key);
    double rows = cost_rows_per_site(&placer->cost, &distribution, get->table->row_count);
    double cost = rows * (COST_SCAN_ROW + COST_FILTER_ROW * get->filter_count);
    Step *scan = step_new(placer, STEP_SCAN, &get->node, 0, NULL, cost);
    uint32_t count;
    LogicalColumn *columns = pick_columns(placer, &get->node, needed, &count);
    step_set_columns(placer, scan, count, columns);
    scan->distribution = distribution;
    scan->home = row_node_among(columns, count);
    step_list_add(out, scan);
    return STATUS_OK;
}

static Status place_values(Placer *placer, LogicalValues *values, StepList *out)
{
    bool is_volatile = false;
    for (uint32_t i = 0; i < values->row_count * values->node.column_count; i++) {
        is_volatile |= expr_is_volatile(values->cells[i]);
    }
    DistributionKind kinds[] = {DISTRIBUTION_LEADER, placer->cost.node_count > 1 && !is_volatile
                                                         ? DISTRIBUTION_REPLICATED
                                                         : DISTRIBUTION_SINGLE};
    // No row of a table that is changed can match: none is away from home, on whatever node.
    ColumnNumber home = values->row_count == 0
                            ? row_node_among(values->node.columns, values->node.column_count)
                            : 0;
    for (int i = home == 0 ? 0 : 1; i < 2; i++) {
        Step *step = step_new(placer, STEP_VALUES, &values->node, 0, NULL, 0);
        step_set_columns(placer, step, values->node.column_count, values->node.columns);
        step->distribution = distribution_of(kinds[i]);
        step->home = home;
        step_list_add(out, step);
    }
    return STATUS_OK;
}

/* Every node would compute another random value: one node's rows stand for all. */
static void unreplicate(Step *step)
{
    if (step->distribution.kind == DISTRIBUTION_REPLICATED) {
        step->distribution = distribution_of(DISTRIBUTION_SINGLE);
    }
}

static Status place_filter(Placer *placer, LogicalFilter *filter, const ColumnSet *needed,
                           bool is_ordered, StepList *out)
{
    ColumnSet below = {0};
    column_set_add_all(&below, needed, placer->arena);
    column_set_add_expr(&below, filter->condition, placer->arena);
    StepList inputs = {0};
    TRY(place_node(placer, filter->child, &below, is_ordered, &inputs));
    for (uint32_t i = 0; i < inputs.count; i++) {
        double rows = cost_rows_per_site(&placer->cost, &inputs.steps[i]->distribution,
                                         inputs.steps[i]->rows);
        Step *step = step_new(placer, STEP_FILTER, &filter->node, 1, &inputs.steps[i],
                              rows * COST_FILTER_ROW);
        step->condition = filter->condition;
        if (expr_is_volatile(filter->condition)) {
            unreplicate(step);
        }
        step_list_add(out, step);
    }
    return STATUS_OK;
}

static Status place_project(Placer *placer, LogicalProject *project, const ColumnSet *needed,
                            bool is_ordered, StepList *out)
{
    uint32_t count = 0, computed = 0;
    ColumnSet below = {0};
    LogicalColumn *columns = ARENA_ARRAY(placer->arena, LogicalColumn, project->node.column_count);
    Expr **exprs = ARENA_ARRAY(placer->arena, Expr *, project->node.column_count);
    bool is_volatile = false;
    for (uint32_t i = 0; i < project->node.column_count; i++) {
        if (column_set_has(needed, project->node.columns[i].number)) {
            column_set_add_expr(&below, project->exprs[i], placer->arena);
            computed += project->exprs[i]->kind == EXPR_COLUMN ? 0 : 1;
            is_volatile |= expr_is_volatile(project->exprs[i]);
            columns[count] = project->node.columns[i];
            exprs[count++] = project->exprs[i];
        }
    }
    StepList inputs = {0};
    TRY(place_node(placer, project->child, &below, is_ordered, &inputs));
    for (uint32_t i = 0; i < inputs.count; i++) {
        double rows = cost_rows_per_site(&placer->cost, &inputs.steps[i]->distribution,
                                         inputs.steps[i]->rows);
        Step *step = step_new(placer, STEP_PROJECT, &project->node, 1, &inputs.steps[i],
                              rows * computed * COST_PROJECT_VALUE);
        step->exprs = exprs;
        if (is_volatile) {
            unreplicate(step);
        }
        step_set_columns(placer, step, count, columns);
        ColumnSet visible = {0};
        for (uint32_t k = 0; k < count; k++) {
            ColumnNumber from = distribution_column_of(exprs[k]);
            column_set_add(&visible, columns[k].number, placer->arena);
            if (from != 0) {
                distribution_rename(&step->distribution, from, columns[k].number);
                step->home = step->home == from ? columns[k].number : step->home;
            }
        }
        distribution_restrict(&step->distribution, &visible);
        step->home = column_set_has(&visible, step->home) ? step->home : 0;
        step_list_add(out, step);
    }
    return STATUS_OK;
}

/* A union of two inputs brought to one distribution. */
static void add_union(Placer *placer, const LogicalSet *set, Step *left, Step *right,
                      const Distribution *result, StepList *out)
{
    Step *inputs[2] = {left, right};
    Step *step = step_new(placer, STEP_UNION_ALL, &set->node, 2, inputs, 0);
    step_set_columns(placer, step, set->node.column_count, set->node.columns);
    step->distribution = *result;
    step->home = 0;
    step_list_add(out, step);
}

/* Both hashed by the same positions: so is their union, by its own columns. */
static bool union_keeps_hash(const LogicalSet *set, const Step *left, const Step *right,
                             Distribution *result)
{
    if (left->distribution.kind != DISTRIBUTION_HASHED ||
        right->distribution.kind != DISTRIBUTION_HASHED ||
        left->distribution.key_count != right->distribution.key_count) {
        return false;
    }
    ColumnNumber columns[DISTRIBUTION_KEYS_MAX];
    for (uint32_t i = 0; i < left->distribution.key_count; i++) {
        columns[i] = 0;
        for (uint32_t k = 0; k < set->node.column_count; k++) {
            if (distribution_key_has(&left->distribution.keys[i], left->columns[k].number) &&
                distribution_key_has(&right->distribution.keys[i], right->columns[k].number)) {
                columns[i] = set->node.columns[k].number;
            }
        }
        if (columns[i] == 0) {
            return false;
        }
    }
    *result = distribution_hashed(columns, left->distribution.key_count);
    return true;
}

/* The step's columns are exactly the node's, in its order: what a union needs of its inputs. */
static Step *step_in_order(Placer *placer, Step *step, const LogicalNode *node)
{
    bool is_same = step->column_count == node->column_count;
    for (uint32_t i = 0; is_same && i < node->column_count; i++) {
        is_same = step->columns[i].number == node->columns[i].number;
    }
    if (is_same) {
        return step;
    }
    Expr **exprs = ARENA_ARRAY(placer->arena, Expr *, node->column_count);
    for (uint32_t i = 0; i < node->column_count; i++) {
        exprs[i] = logical_column_expr(placer->arena, &node->columns[i]);
    }
    Step *project = step_new(placer, STEP_PROJECT, NULL, 1, &step, 0);
    project->exprs = exprs;
    step_set_columns(placer, project, node->column_count, node->columns);
    return project;
}

static Status place_union(Placer *placer, LogicalSet *set, StepList *out)
{
    if (set->set != SET_UNION_ALL) {
        return status_error(SQLSTATE_INTERNAL_ERROR, "set operation was not rewritten");
    }
    ColumnSet left_all = column_set_of_node(set->left, placer->arena);
    ColumnSet right_all = column_set_of_node(set->right, placer->arena);
    StepList left_list = {0}, right_list = {0};
    TRY(place_node(placer, set->left, &left_all, false, &left_list));
    TRY(place_node(placer, set->right, &right_all, false, &right_list));
    Distribution targets[] = {
        placer_spread(placer, DISTRIBUTION_SCATTERED), distribution_of(DISTRIBUTION_LEADER),
        distribution_of(DISTRIBUTION_SINGLE), placer_spread(placer, DISTRIBUTION_REPLICATED)};
    for (uint32_t i = 0; i < left_list.count * right_list.count; i++) {
        Step *left = step_in_order(placer, left_list.steps[i / right_list.count], set->left);
        Step *right = step_in_order(placer, right_list.steps[i % right_list.count], set->right);
        Distribution hashed;
        if (union_keeps_hash(set, left, right, &hashed)) {
            add_union(placer, set, left, right, &hashed, out);
            continue;
        }
        for (int k = 0; k < 4; k++) {
            bool is_costly = targets[k].kind != DISTRIBUTION_SCATTERED &&
                             !distribution_satisfies(&left->distribution, &targets[k]) &&
                             !distribution_satisfies(&right->distribution, &targets[k]);
            if (!is_costly || k == 0) {
                add_union(placer, set, step_move(placer, left, &targets[k], &left_all),
                          step_move(placer, right, &targets[k], &right_all), &targets[k], out);
            }
        }
    }
    return STATUS_OK;
}

static Status place_cte(Placer *placer, LogicalCte *cte, const ColumnSet *needed, bool is_ordered,
                        StepList *out)
{
    ColumnSet all = column_set_of_node(cte->definition, placer->arena);
    StepList definitions = {0};
    TRY(place_node(placer, cte->definition, &all, false, &definitions));
    SharedCte *shared = ARENA_NEW(placer->arena, SharedCte);
    shared->cte_id = cte->cte_id;
    shared->name = cte->name;
    Step *cheapest = (Step *)step_list_cheapest(&definitions);
    shared->definition = step_in_order(placer, cheapest, cte->definition);
    pointer_list_add(placer->arena, &placer->ctes, shared);
    return place_node(placer, cte->child, needed, is_ordered, out);
}

static Status place_reference(Placer *placer, LogicalCteReference *reference, StepList *out)
{
    const SharedCte *shared = NULL;
    for (uint32_t i = 0; i < placer->ctes.count; i++) {
        const SharedCte *candidate = placer->ctes.items[i];
        shared = candidate->cte_id == reference->cte_id ? candidate : shared;
    }
    if (shared == NULL) {
        return status_error(SQLSTATE_INTERNAL_ERROR, "common table expression is not in scope");
    }
    const Step *definition = shared->definition;
    double rows = cost_rows_per_site(&placer->cost, &definition->distribution, definition->rows);
    Step *step = step_new(placer, STEP_STORED, &reference->node, 0, NULL, rows * COST_SCAN_ROW);
    step_set_columns(placer, step, reference->node.column_count, reference->node.columns);
    step->cte_id = reference->cte_id;
    step->distribution = definition->distribution;
    ColumnSet visible = {0};
    for (uint32_t i = 0; i < step->column_count; i++) {
        distribution_rename(&step->distribution, definition->columns[i].number,
                            step->columns[i].number);
        if (definition->home != 0 && definition->columns[i].number == definition->home) {
            step->home = step->columns[i].number;
        }
        column_set_add(&visible, step->columns[i].number, placer->arena);
    }
    distribution_restrict(&step->distribution, &visible);
    step_list_add(out, step);
    return STATUS_OK;
}

Status place_node(Placer *placer, LogicalNode *node, const ColumnSet *needed, bool is_ordered,
                  StepList *out)
{
    switch (node->kind) {
    case LOGICAL_GET:
        return place_get(placer, (LogicalGet *)node, needed, out);
    case LOGICAL_VALUES:
        return place_values(placer, (LogicalValues *)node, out);
    case LOGICAL_FILTER:
        return place_filter(placer, (LogicalFilter *)node, needed, is_ordered, out);
    case LOGICAL_PROJECT:
        return place_project(placer, (LogicalProject *)node, needed, is_ordered, out);
    case LOGICAL_JOIN:
        return place_join(placer, (LogicalJoin *)node, needed, out);
    case LOGICAL_AGGREGATE:
        return place_aggregate(placer, (LogicalAggregate *)node, needed, out);
    case LOGICAL_SORT:
        return place_sort(placer, (LogicalSort *)node, PLAN_NO_LIMIT, 0, needed, is_ordered, out);
    case LOGICAL_LIMIT:
        return place_limit(placer, (LogicalLimit *)node, needed, is_ordered, out);
    case LOGICAL_SET:
        return place_union(placer, (LogicalSet *)node, out);
    case LOGICAL_WINDOW:
        return place_window(placer, (LogicalWindow *)node, needed, out);
    case LOGICAL_CTE:
        return place_cte(placer, (LogicalCte *)node, needed, is_ordered, out);
    case LOGICAL_CTE_REFERENCE:
        return place_reference(placer, (LogicalCteReference *)node, out);
    case LOGICAL_INSERT:
        return place_insert(placer, (LogicalInsert *)node, out);
    case LOGICAL_DELETE:
        return place_delete(placer, (LogicalDelete *)node, out);
    case LOGICAL_CHANGE:
        return place_change(placer, (LogicalChange *)node, out);
    case LOGICAL_COPY:
        return place_copy(placer, (LogicalCopy *)node, out);
    case LOGICAL_VACUUM:
        return place_vacuum(placer, (LogicalVacuum *)node, out);
    default:
        return status_error(SQLSTATE_INTERNAL_ERROR, "logical node of kind %d was not rewritten",
                            (int)node->kind);
    }
}
