/* unnest_pull.c — takes correlated conditions out of a subquery; see unnest.h. */
#include "planner/optimizer/unnest.h"

#include <string.h>

Domain domain_create(Unnester *unnester, LogicalNode **outer, const LogicalNode *plan)
{
    Arena *arena = unnester->arena;
    Domain domain = {.unnester = unnester, .outer = outer};
    ColumnSet free = {0};
    column_set_add_free(&free, plan, arena);
    domain.list = ARENA_ARRAY(arena, LogicalColumn, (*outer)->column_count);
    for (ColumnNumber number = 0; (number = column_set_next(&free, number)) != 0;) {
        const LogicalColumn *column = logical_find_column(*outer, number);
        if (column != NULL) {
            column_set_add(&domain.columns, number, arena);
            domain.list[domain.count++] = *column;
        }
    }
    return domain;
}

bool domain_is_used(const Domain *domain, const LogicalNode *node)
{
    ColumnSet free = {0};
    column_set_add_free(&free, node, domain->unnester->arena);
    return column_set_intersects(&free, &domain->columns);
}

bool domain_is_used_by(const Domain *domain, const Expr *expr)
{
    ColumnSet used = {0};
    column_set_add_expr(&used, expr, domain->unnester->arena);
    return column_set_intersects(&used, &domain->columns);
}

bool split_domain_equality(const Domain *domain, const Expr *conjunct, Expr **outer, Expr **inner)
{
    if (conjunct->kind != EXPR_CALL || conjunct->function != FUNCTION_EQUAL) {
        return false;
    }
    Arena *arena = domain->unnester->arena;
    for (int side = 0; side < 2; side++) {
        ColumnSet used = {0};
        column_set_add_expr(&used, conjunct->args[side], arena);
        if (!column_set_is_empty(&used) && column_set_is_subset(&used, &domain->columns) &&
            !domain_is_used_by(domain, conjunct->args[1 - side])) {
            *outer = conjunct->args[side];
            *inner = conjunct->args[1 - side];
            return true;
        }
    }
    return false;
}

Expr *null_as(Arena *arena, Expr *expr, bool otherwise)
{
    return expr_call2(arena, FUNCTION_COALESCE, type_of(TYPE_BOOLEAN), expr,
                      expr_boolean(arena, otherwise));
}

/* May the correlated conjuncts of this condition be taken out? */
static bool condition_can_go(const Domain *domain, Expr *condition, bool is_equality_only)
{
    PointerList conjuncts = {0};
    conjuncts_add(domain->unnester->arena, &conjuncts, condition);
    for (uint32_t i = 0; i < conjuncts.count; i++) {
        Expr *outer, *inner;
        Expr *conjunct = conjuncts.items[i];
        if (domain_is_used_by(domain, conjunct) &&
            (expr_is_volatile(conjunct) ||
             (is_equality_only && !split_domain_equality(domain, conjunct, &outer, &inner)))) {
            return false;
        }
    }
    return true;
}

static bool join_can_give(const Domain *domain, const LogicalJoin *join, bool is_equality_only)
{
    switch (join->join) {
    case JOIN_INNER:
        return condition_can_go(domain, join->condition, is_equality_only) &&
               pull_is_possible(domain, join->left, is_equality_only) &&
               pull_is_possible(domain, join->right, is_equality_only);
    case JOIN_LEFT:
    case JOIN_SINGLE:
    case JOIN_SEMI:
    case JOIN_ANTI:
    case JOIN_ANTI_NULL:
    case JOIN_MARK:
        // Rows of the left side come through or not by themselves, so its conditions may wait.
        return (join->condition == NULL || !domain_is_used_by(domain, join->condition)) &&
               !domain_is_used(domain, join->right) &&
               pull_is_possible(domain, join->left, is_equality_only);
    default:
        return false;
    }
}

static bool uses_domain_itself(const Domain *domain, const LogicalNode *node)
{
    ColumnSet used = {0};
    column_set_add_used(&used, node, domain->unnester->arena);
    return column_set_intersects(&used, &domain->columns);
}

bool pull_is_possible(const Domain *domain, const LogicalNode *plan, bool is_equality_only)
{
    if (!domain_is_used(domain, plan)) {
        return true;
    }
    const LogicalNode *child = logical_get_child(plan, 0);
    switch (plan->kind) {
    case LOGICAL_FILTER:
        return condition_can_go(domain, ((const LogicalFilter *)plan)->condition,
                                is_equality_only) &&
               pull_is_possible(domain, child, is_equality_only);
    case LOGICAL_PROJECT:
    case LOGICAL_SORT:
        return !uses_domain_itself(domain, plan) &&
               pull_is_possible(domain, child, is_equality_only);
    case LOGICAL_JOIN:
        return join_can_give(domain, (const LogicalJoin *)plan, is_equality_only);
    case LOGICAL_AGGREGATE:
        return ((const LogicalAggregate *)plan)->key_count > 0 &&
               !uses_domain_itself(domain, plan) && pull_is_possible(domain, child, true);
    case LOGICAL_DISTINCT:
        return pull_is_possible(domain, child, true);
    case LOGICAL_WINDOW:
        return !uses_domain_itself(domain, plan) && pull_is_possible(domain, child, true);
    default:
        return false;
    }
}

/* Moves the correlated conjuncts of a condition to `taken`; gives the rest, or null. */
static Expr *take_correlated(const Domain *domain, Expr *condition, PointerList *taken)
{
    Arena *arena = domain->unnester->arena;
    PointerList conjuncts = {0}, rest = {0};
    conjuncts_add(arena, &conjuncts, condition);
    for (uint32_t i = 0; i < conjuncts.count; i++) {
        bool is_correlated = domain_is_used_by(domain, conjuncts.items[i]);
        pointer_list_add(arena, is_correlated ? taken : &rest, conjuncts.items[i]);
    }
    return conjuncts_join(arena, &rest);
}

/* Appends to a project what the conditions taken out below it use. */
static void pass_through_project(const Domain *domain, LogicalProject *project,
                                 const PointerList *conjuncts)
{
    Arena *arena = domain->unnester->arena;
    ColumnSet used = {0};
    for (uint32_t i = 0; i < conjuncts->count; i++) {
        column_set_add_expr(&used, conjuncts->items[i], arena);
    }
    uint32_t count = project->node.column_count, room = count + project->child->column_count;
    LogicalColumn *columns = ARENA_ARRAY(arena, LogicalColumn, room);
    Expr **exprs = ARENA_ARRAY(arena, Expr *, room);
    for (uint32_t i = 0; i < count; i++) {
        columns[i] = project->node.columns[i];
        exprs[i] = project->exprs[i];
    }
    for (uint32_t i = 0; i < project->child->column_count; i++) {
        const LogicalColumn *column = &project->child->columns[i];
        if (column_set_has(&used, column->number) &&
            logical_find_column(&project->node, column->number) == NULL) {
            exprs[count] = logical_column_expr(arena, column);
            columns[count++] = *column;
        }
    }
    project->exprs = exprs;
    project->node.columns = columns;
    project->node.column_count = count;
}

/* outer = inner over the rows becomes outer = key over the groups, inner being one more key. */
static void pass_through_aggregate(const Domain *domain, LogicalAggregate *aggregate,
                                   PointerList *conjuncts)
{
    Arena *arena = domain->unnester->arena;
    uint32_t old_keys = aggregate->key_count, key_count = old_keys + conjuncts->count;
    Expr **keys = ARENA_ARRAY(arena, Expr *, key_count);
    LogicalColumn *columns =
        ARENA_ARRAY(arena, LogicalColumn, key_count + aggregate->aggregate_count);
    for (uint32_t i = 0; i < old_keys; i++) {
        keys[i] = aggregate->keys[i];
        columns[i] = aggregate->node.columns[i];
    }
    for (uint32_t i = 0; i < conjuncts->count; i++) {
        Expr *outer = NULL, *inner = NULL;
        bool is_equality = split_domain_equality(domain, conjuncts->items[i], &outer, &inner);
        ASSERT(is_equality);
        keys[old_keys + i] = inner;
        columns[old_keys + i] = logical_column(planner_new_column(domain->unnester->context), NULL,
                                               inner, aggregate->child);
        conjuncts->items[i] = expr_call2(arena, FUNCTION_EQUAL, type_of(TYPE_BOOLEAN), outer,
                                         logical_column_expr(arena, &columns[old_keys + i]));
    }
    for (uint32_t i = 0; i < aggregate->aggregate_count; i++) {
        columns[key_count + i] = aggregate->node.columns[old_keys + i];
    }
    aggregate->keys = keys;
    aggregate->key_count = key_count;
    aggregate->node.columns = columns;
    aggregate->node.column_count = key_count + aggregate->aggregate_count;
}

static void pass_through_window(const Domain *domain, LogicalWindow *window,
                                const PointerList *conjuncts)
{
    Arena *arena = domain->unnester->arena;
    for (uint32_t i = 0; i < window->call_count; i++) {
        WindowCall *call = &window->calls[i];
        Expr **partition = ARENA_ARRAY(arena, Expr *, call->partition_count + conjuncts->count);
        for (uint32_t k = 0; k < call->partition_count; k++) {
            partition[k] = call->partition[k];
        }
        for (uint32_t k = 0; k < conjuncts->count; k++) {
            Expr *outer = NULL, *inner = NULL;
            bool is_equality = split_domain_equality(domain, conjuncts->items[k], &outer, &inner);
            ASSERT(is_equality);
            partition[call->partition_count++] = inner;
        }
        call->partition = partition;
    }
}

LogicalNode *pull_conditions(const Domain *domain, LogicalNode *plan, PointerList *conjuncts)
{
    Arena *arena = domain->unnester->arena;
    if (!domain_is_used(domain, plan)) {
        return plan;
    }
    PointerList own = {0};
    if (plan->kind == LOGICAL_FILTER) {
        LogicalFilter *filter = (LogicalFilter *)plan;
        LogicalNode *child = pull_conditions(domain, filter->child, conjuncts);
        Expr *rest = take_correlated(domain, filter->condition, conjuncts);
        return logical_filter(arena, child, rest);
    }
    if (plan->kind == LOGICAL_JOIN) {
        LogicalJoin *join = (LogicalJoin *)plan;
        join->left = pull_conditions(domain, join->left, conjuncts);
        if (join->join == JOIN_INNER) {
            join->right = pull_conditions(domain, join->right, conjuncts);
            join->condition = take_correlated(domain, join->condition, conjuncts);
        }
        logical_refresh_columns(arena, plan);
        return plan;
    }
    logical_set_child(plan, 0, pull_conditions(domain, logical_get_child(plan, 0), &own));
    if (plan->kind == LOGICAL_PROJECT) {
        pass_through_project(domain, (LogicalProject *)plan, &own);
    } else if (plan->kind == LOGICAL_AGGREGATE) {
        pass_through_aggregate(domain, (LogicalAggregate *)plan, &own);
    } else {
        if (plan->kind == LOGICAL_WINDOW) {
            pass_through_window(domain, (LogicalWindow *)plan, &own);
        }
        logical_refresh_columns(arena, plan);
    }
    for (uint32_t i = 0; i < own.count; i++) {
        pointer_list_add(arena, conjuncts, own.items[i]);
    }
    return plan;
}
