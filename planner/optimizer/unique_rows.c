/*
 * unique_rows.c — proofs that columns tell all rows of a tree apart.
 *
 * Columns are known for a row when they follow from the given ones by equalities that hold for it:
 *   t join (select k, max(b) m from s group by k) y on t.k = y.k,  given t's row id
 *   -> t has one such row, so t.k is known; y.k equals it; y has one row per k
 */
#include "planner/optimizer/unique_rows.h"

#include "planner/logical/logical_tree.h"

/* Adds `to` when it is a column and all that `from` uses is known. */
static bool learn_side(ColumnSet *known, const Expr *from, const Expr *to, Arena *arena)
{
    if (to->kind != EXPR_COLUMN || column_set_has(known, to->column) || expr_is_volatile(from) ||
        !column_set_covers_expr(known, from, arena)) {
        return false;
    }
    column_set_add(known, to->column, arena);
    return true;
}

/* Adds the columns that these conjuncts make equal to known ones, and to constants. */
static void learn(ColumnSet *known, const PointerList *conjuncts, Arena *arena)
{
    bool has_learnt = true;
    while (has_learnt) {
        has_learnt = false;
        for (uint32_t i = 0; i < conjuncts->count; i++) {
            const Expr *conjunct = conjuncts->items[i];
            if (conjunct->kind == EXPR_CALL && conjunct->function == FUNCTION_EQUAL) {
                has_learnt |= learn_side(known, conjunct->args[0], conjunct->args[1], arena) ||
                              learn_side(known, conjunct->args[1], conjunct->args[0], arena);
            }
        }
    }
}

static void learn_condition(ColumnSet *known, Expr *condition, Arena *arena)
{
    PointerList conjuncts = {0};
    conjuncts_add(arena, &conjuncts, condition);
    learn(known, &conjuncts, arena);
}

/* Once one side's row is known, so are all its columns, and what they are equal to. */
static bool is_pair_unique(const LogicalJoin *join, const LogicalNode *first,
                           const LogicalNode *second, const ColumnSet *known, Arena *arena)
{
    if (!rows_are_unique(first, known, arena)) {
        return false;
    }
    ColumnSet more = {0}, own = column_set_of_node(first, arena);
    column_set_add_all(&more, known, arena);
    column_set_add_all(&more, &own, arena);
    learn_condition(&more, join->condition, arena);
    return rows_are_unique(second, &more, arena);
}

static bool is_join_unique(const LogicalJoin *join, const ColumnSet *columns, Arena *arena)
{
    ColumnSet known = {0};
    switch (join->join) {
    case JOIN_INNER:
        column_set_add_all(&known, columns, arena);
        learn_condition(&known, join->condition, arena);
        return is_pair_unique(join, join->left, join->right, &known, arena) ||
               is_pair_unique(join, join->right, join->left, &known, arena);
    case JOIN_LEFT:
        return is_pair_unique(join, join->left, join->right, columns, arena);
    case JOIN_SINGLE:
    case JOIN_SEMI:
    case JOIN_ANTI:
    case JOIN_ANTI_NULL:
    case JOIN_MARK:
        return rows_are_unique(join->left, columns, arena);
    default:
        return false;
    }
}

static bool has_all_columns(const LogicalColumn *outputs, uint32_t count, const ColumnSet *columns)
{
    for (uint32_t i = 0; i < count; i++) {
        if (!column_set_has(columns, outputs[i].number)) {
            return false;
        }
    }
    return true;
}

/* Adds the columns of `node` that have the same value in all its rows, as far as filters say it. */
static void learn_fixed(ColumnSet *fixed, const LogicalNode *node, Arena *arena)
{
    PointerList conjuncts = {0};
    if (node->kind == LOGICAL_FILTER || node->kind == LOGICAL_PROJECT) {
        learn_fixed(fixed, logical_get_child(node, 0), arena);
    }
    if (node->kind == LOGICAL_FILTER) {
        learn_condition(fixed, ((const LogicalFilter *)node)->condition, arena);
    }
    const LogicalGet *get = (const LogicalGet *)node;
    for (uint32_t i = 0; node->kind == LOGICAL_GET && i < get->filter_count; i++) {
        pointer_list_add(arena, &conjuncts, get->filters[i]);
    }
    learn(fixed, &conjuncts, arena);
    const LogicalProject *project = (const LogicalProject *)node;
    for (uint32_t i = 0; node->kind == LOGICAL_PROJECT && i < node->column_count; i++) {
        if (project->exprs[i]->kind == EXPR_COLUMN &&
            column_set_has(fixed, project->exprs[i]->column)) {
            column_set_add(fixed, node->columns[i].number, arena);
        }
    }
}

/* Its keys, but for those of which there is only one value. */
static bool is_aggregate_unique(const LogicalAggregate *aggregate, const ColumnSet *columns,
                                Arena *arena)
{
    ColumnSet fixed = {0};
    learn_fixed(&fixed, aggregate->child, arena);
    for (uint32_t i = 0; i < aggregate->key_count; i++) {
        const Expr *key = aggregate->keys[i];
        bool is_fixed = key->kind == EXPR_COLUMN && column_set_has(&fixed, key->column);
        if (!is_fixed && !column_set_has(columns, aggregate->node.columns[i].number)) {
            return false;
        }
    }
    return true;
}

static bool is_project_unique(const LogicalProject *project, const ColumnSet *columns, Arena *arena)
{
    ColumnSet below = {0};
    for (uint32_t i = 0; i < project->node.column_count; i++) {
        const Expr *expr = project->exprs[i];
        if (expr->kind == EXPR_COLUMN && column_set_has(columns, project->node.columns[i].number)) {
            column_set_add(&below, expr->column, arena);
        }
    }
    return rows_are_unique(project->child, &below, arena);
}

/* A row number and what it counts within tell rows apart. */
static bool is_window_unique(const LogicalWindow *window, const ColumnSet *columns, Arena *arena)
{
    uint32_t first = window->node.column_count - window->call_count;
    for (uint32_t i = 0; i < window->call_count; i++) {
        const WindowCall *call = &window->calls[i];
        bool is_known = call->id == WINDOW_ROW_NUMBER &&
                        column_set_has(columns, window->node.columns[first + i].number);
        for (uint32_t k = 0; k < call->partition_count; k++) {
            is_known = is_known && call->partition[k]->kind == EXPR_COLUMN &&
                       column_set_has(columns, call->partition[k]->column);
        }
        if (is_known) {
            return true;
        }
    }
    return rows_are_unique(window->child, columns, arena);
}

/* Its row ids, when it gives them. */
static bool is_get_unique(const LogicalGet *get, const ColumnSet *columns)
{
    uint32_t found = 0;
    for (uint32_t i = 0; i < get->node.column_count; i++) {
        found += get->table_columns[i] >= get->table->column_count &&
                 column_set_has(columns, get->node.columns[i].number);
    }
    return found == 2;
}

bool rows_are_unique(const LogicalNode *node, const ColumnSet *columns, Arena *arena)
{
    ColumnSet known = {0};
    switch (node->kind) {
    case LOGICAL_GET:
        return is_get_unique((const LogicalGet *)node, columns);
    case LOGICAL_VALUES:
        return ((const LogicalValues *)node)->row_count <= 1;
    case LOGICAL_FILTER:
        column_set_add_all(&known, columns, arena);
        learn_condition(&known, ((const LogicalFilter *)node)->condition, arena);
        return rows_are_unique(((const LogicalFilter *)node)->child, &known, arena);
    case LOGICAL_PROJECT:
        return is_project_unique((const LogicalProject *)node, columns, arena);
    case LOGICAL_JOIN:
        return is_join_unique((const LogicalJoin *)node, columns, arena);
    case LOGICAL_AGGREGATE:
        return is_aggregate_unique((const LogicalAggregate *)node, columns, arena);
    case LOGICAL_WINDOW:
        return is_window_unique((const LogicalWindow *)node, columns, arena);
    case LOGICAL_DISTINCT:
        return has_all_columns(node->columns, node->column_count, columns);
    case LOGICAL_LIMIT:
        return ((const LogicalLimit *)node)->limit <= 1 ||
               rows_are_unique(((const LogicalLimit *)node)->child, columns, arena);
    case LOGICAL_SORT:
        return rows_are_unique(((const LogicalSort *)node)->child, columns, arena);
    default:
        return false;
    }
}
