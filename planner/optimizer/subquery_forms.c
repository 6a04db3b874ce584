/*
 * subquery_forms.c — EXISTS, IN, ANY, ALL and scalar subqueries as joins.
 *
 *   where exists (q)            SEMI           where not exists (q)   ANTI
 *   where x in (q)              SEMI           where x not in (q)     ANTI, ANTI_NULL
 *   exists, in as values        MARK
 *   (select agg(…) …)           join with groups, LEFT when correlated; counts of nothing are 0
 *   (select x …)                join with the single value; SINGLE when correlated
 *   x < any (q), x > all (q)    comparisons with min, max and counts of q
 */
#include "planner/optimizer/subquery_forms.h"

#include "planner/optimizer/null_facts.h"
#include "planner/optimizer/selectivity.h"

/* A subquery taken apart from its domain: rows, and the conditions that tie them to outer rows. */
typedef struct Independent {
    LogicalNode *node;
    PointerList conjuncts;
    bool is_correlated;
} Independent;

static Status make_independent(Unnester *unnester, LogicalNode *plan, LogicalNode **input,
                               Independent *out)
{
    Domain domain = domain_create(unnester, input, plan);
    *out = (Independent){.node = plan, .is_correlated = domain.count > 0};
    if (domain.count == 0) {
        return STATUS_OK;
    }
    if (pull_is_possible(&domain, plan, false)) {
        out->node = pull_conditions(&domain, plan, &out->conjuncts);
        return STATUS_OK;
    }
    ColumnNumber *numbers = ARENA_ARRAY(unnester->arena, ColumnNumber, domain.count);
    TRY(push_domain(&domain, plan, numbers, &out->node));
    domain_add_conditions(&domain, numbers, &out->conjuncts);
    return STATUS_OK;
}

/* What EXISTS does not look at: order, duplicates, values, a limit of at least one row. */
static LogicalNode *strip_for_exists(LogicalNode *plan)
{
    for (;;) {
        bool is_plain_limit = plan->kind == LOGICAL_LIMIT && ((LogicalLimit *)plan)->limit > 0 &&
                              ((LogicalLimit *)plan)->offset == 0;
        if (plan->kind != LOGICAL_SORT && plan->kind != LOGICAL_DISTINCT &&
            plan->kind != LOGICAL_PROJECT && !is_plain_limit) {
            return plan;
        }
        plan = logical_get_child(plan, 0);
    }
}

static bool gives_one_row(const LogicalNode *plan)
{
    return (plan->kind == LOGICAL_AGGREGATE && ((const LogicalAggregate *)plan)->key_count == 0) ||
           (plan->kind == LOGICAL_VALUES && ((const LogicalValues *)plan)->row_count == 1);
}

/* args = columns of the subquery, all together. */
static Expr *in_condition(Arena *arena, const Expr *subquery, const LogicalNode *plan)
{
    Expr **conjuncts = ARENA_ARRAY(arena, Expr *, subquery->arg_count);
    for (uint32_t i = 0; i < subquery->arg_count; i++) {
        conjuncts[i] = expr_call2(arena, subquery->subquery.comparison, type_of(TYPE_BOOLEAN),
                                  subquery->args[i], logical_column_expr(arena, &plan->columns[i]));
    }
    return expr_and(arena, subquery->arg_count, conjuncts);
}

static bool is_in(const Expr *subquery)
{
    return subquery->subquery.kind == SUBQUERY_IN &&
           subquery->subquery.comparison == FUNCTION_EQUAL;
}

/* NOT IN: rows go unless the condition is surely false for every row of the list. */
static LogicalNode *not_in_join(Unnester *unnester, const Expr *subquery, LogicalNode *left,
                                const Independent *right, Expr *condition)
{
    Arena *arena = unnester->arena;
    LogicalNode *both = logical_join(arena, JOIN_INNER, left, right->node, NULL, 0);
    Expr *ties = conjuncts_join(arena, &right->conjuncts);
    if (!expr_is_nullable(condition, both)) {
        return logical_join(arena, JOIN_ANTI, left, right->node, expr_and2(arena, condition, ties),
                            0);
    }
    ColumnSet left_columns = column_set_of_node(left, arena), used = {0};
    column_set_add_expr(&used, subquery->args[0], arena);
    bool is_engine_form = subquery->arg_count == 1 && !right->is_correlated &&
                          column_set_intersects(&used, &left_columns);
    if (is_engine_form) {
        return logical_join(arena, JOIN_ANTI_NULL, left, right->node, condition, 0);
    }
    return logical_join(arena, JOIN_ANTI, left, right->node,
                        expr_and2(arena, null_as(arena, condition, true), ties), 0);
}

static Status filter_by_exists(Unnester *unnester, const Expr *subquery, LogicalNode **input)
{
    LogicalNode *plan = strip_for_exists(subquery->subquery.plan);
    if (gives_one_row(plan)) {
        Expr *constant = expr_boolean(unnester->arena, !subquery->subquery.is_negated);
        *input = logical_filter(unnester->arena, *input, constant);
        return STATUS_OK;
    }
    Independent right;
    TRY(make_independent(unnester, plan, input, &right));
    if (!right.is_correlated) {
        right.node = logical_limit(unnester->arena, right.node, 1, 0); // one row says it all
    }
    JoinKind join = subquery->subquery.is_negated ? JOIN_ANTI : JOIN_SEMI;
    *input = logical_join(unnester->arena, join, *input, right.node,
                          conjuncts_join(unnester->arena, &right.conjuncts), 0);
    return STATUS_OK;
}

static Status filter_by_in(Unnester *unnester, const Expr *subquery, LogicalNode **input)
{
    Arena *arena = unnester->arena;
    LogicalNode *plan = subquery->subquery.plan;
    Expr *condition = in_condition(arena, subquery, plan);
    Independent right;
    TRY(make_independent(unnester, plan, input, &right));
    if (subquery->subquery.is_negated) {
        *input = not_in_join(unnester, subquery, *input, &right, condition);
        return STATUS_OK;
    }
    condition = expr_and2(arena, condition, conjuncts_join(arena, &right.conjuncts));
    *input = logical_join(arena, JOIN_SEMI, *input, right.node, condition, 0);
    return STATUS_OK;
}

Status subquery_filter(Unnester *unnester, const Expr *subquery, LogicalNode **input, bool *is_done)
{
    *is_done = true;
    if (subquery->subquery.kind == SUBQUERY_EXISTS) {
        return filter_by_exists(unnester, subquery, input);
    }
    if (is_in(subquery)) {
        return filter_by_in(unnester, subquery, input);
    }
    *is_done = false;
    return STATUS_OK;
}

static Status exists_value(Unnester *unnester, const Expr *subquery, LogicalNode **input,
                           Expr **out)
{
    Arena *arena = unnester->arena;
    LogicalNode *plan = strip_for_exists(subquery->subquery.plan);
    if (gives_one_row(plan)) {
        *out = expr_boolean(arena, !subquery->subquery.is_negated);
        return STATUS_OK;
    }
    Independent right;
    TRY(make_independent(unnester, plan, input, &right));
    ColumnNumber mark = planner_new_column(unnester->context);
    *input = mark_join(unnester, *input, right.node, conjuncts_join(arena, &right.conjuncts), NULL,
                       mark, false);
    Expr *value = expr_column(arena, mark, type_of(TYPE_BOOLEAN));
    *out = subquery->subquery.is_negated ? expr_not(arena, value) : value;
    return STATUS_OK;
}

/* Conditions that tie rows to outer rows must not be NULL themselves: NULL means "not tied". */
static Expr *ties_without_null(Arena *arena, const PointerList *conjuncts)
{
    PointerList ties = {0};
    for (uint32_t i = 0; i < conjuncts->count; i++) {
        Expr *conjunct = conjuncts->items[i];
        if (conjunct->kind == EXPR_CALL && conjunct->function == FUNCTION_EQUAL) {
            // a = b as a key that is never NULL: both present, and the same.
            Expr *same = expr_call2(arena, FUNCTION_IS_NOT_DISTINCT, conjunct->type,
                                    conjunct->args[0], conjunct->args[1]);
            pointer_list_add(arena, &ties, same);
            pointer_list_add(arena, &ties, expr_is_not_null(arena, conjunct->args[0]));
        } else if (conjunct->kind == EXPR_CALL && conjunct->function == FUNCTION_IS_NOT_DISTINCT) {
            pointer_list_add(arena, &ties, conjunct);
        } else {
            pointer_list_add(arena, &ties, null_as(arena, conjunct, false));
        }
    }
    return conjuncts_join(arena, &ties);
}

static Status in_value(Unnester *unnester, const Expr *subquery, LogicalNode **input, Expr **out)
{
    Arena *arena = unnester->arena;
    LogicalNode *plan = subquery->subquery.plan;
    Expr *condition = in_condition(arena, subquery, plan);
    Independent right;
    TRY(make_independent(unnester, plan, input, &right));
    ColumnNumber mark = planner_new_column(unnester->context);
    *input = mark_join(unnester, *input, right.node, condition,
                       ties_without_null(arena, &right.conjuncts), mark, true);
    Expr *value = expr_column(arena, mark, type_of(TYPE_BOOLEAN));
    *out = subquery->subquery.is_negated ? expr_not(arena, value) : value;
    return STATUS_OK;
}

typedef struct ProjectMap {
    const LogicalProject *project;
} ProjectMap;

static Expr *project_expr(void *object, const Expr *column)
{
    const LogicalProject *project = ((const ProjectMap *)object)->project;
    for (uint32_t i = 0; i < project->node.column_count; i++) {
        if (project->node.columns[i].number == column->column) {
            return project->exprs[i];
        }
    }
    return NULL;
}

/* The value of a scalar subquery above the projects on top of `*plan`, which are stripped. */
static Expr *strip_projects(Arena *arena, LogicalNode **plan)
{
    Expr *value = logical_column_expr(arena, &(*plan)->columns[0]);
    while ((*plan)->kind == LOGICAL_PROJECT || (*plan)->kind == LOGICAL_SORT) {
        if ((*plan)->kind == LOGICAL_PROJECT) {
            ProjectMap map = {(const LogicalProject *)*plan};
            value = expr_replace_columns(arena, value, project_expr, &map);
        }
        *plan = logical_get_child(*plan, 0);
    }
    return value;
}

typedef struct CountMap {
    Arena *arena;
    const LogicalAggregate *aggregate;
} CountMap;

/* For an outer row without a group: counts are 0, everything else NULL. */
static Expr *count_or_zero(void *object, const Expr *column)
{
    const CountMap *self = object;
    const LogicalAggregate *aggregate = self->aggregate;
    for (uint32_t i = aggregate->key_count; i < aggregate->node.column_count; i++) {
        AggregateId id = aggregate->aggregates[i - aggregate->key_count].id;
        if (aggregate->node.columns[i].number == column->column &&
            (id == AGGREGATE_COUNT || id == AGGREGATE_COUNT_STAR)) {
            return expr_call2(self->arena, FUNCTION_COALESCE, column->type,
                              expr_column(self->arena, column->column, column->type),
                              expr_int64(self->arena, (TypeId)column->type.id, 0));
        }
    }
    return NULL;
}

/* Joins the one row of an aggregate without keys (per outer row, when correlated). `*value`, an
 * expression over its results, becomes one over `*input`. */
static Status join_aggregate(Unnester *unnester, LogicalAggregate *aggregate, LogicalNode **input,
                             Expr **value)
{
    Arena *arena = unnester->arena;
    Domain domain = domain_create(unnester, input, &aggregate->node);
    if (domain.count == 0) {
        *input = logical_join(arena, JOIN_INNER, *input, &aggregate->node, NULL, 0);
        return STATUS_OK;
    }
    ColumnSet used = {0};
    column_set_add_used(&used, &aggregate->node, arena);
    PointerList conjuncts = {0};
    LogicalNode *rows;
    if (!column_set_intersects(&used, &domain.columns) &&
        pull_is_possible(&domain, aggregate->child, true)) {
        // The equalities' inner sides become keys: as if it had had keys from the start.
        aggregate->key_count = 0;
        aggregate->child = pull_conditions(&domain, aggregate->child, &conjuncts);
        uint32_t key_count = conjuncts.count;
        Expr **keys = ARENA_ARRAY(arena, Expr *, key_count);
        LogicalColumn *columns =
            ARENA_ARRAY(arena, LogicalColumn, key_count + aggregate->aggregate_count);
        for (uint32_t i = 0; i < key_count; i++) {
            Expr *outer = NULL, *inner = NULL;
            bool is_equality = split_domain_equality(&domain, conjuncts.items[i], &outer, &inner);
            ASSERT(is_equality);
            keys[i] = inner;
            columns[i] = logical_column(planner_new_column(unnester->context), NULL, inner,
                                        aggregate->child);
            conjuncts.items[i] = expr_call2(arena, FUNCTION_EQUAL, type_of(TYPE_BOOLEAN), outer,
                                            logical_column_expr(arena, &columns[i]));
        }
        for (uint32_t i = 0; i < aggregate->aggregate_count; i++) {
            columns[key_count + i] = aggregate->node.columns[i];
        }
        rows = logical_aggregate(arena, aggregate->child, key_count, keys,
                                 aggregate->aggregate_count, aggregate->aggregates, columns);
        CountMap counts = {arena, (const LogicalAggregate *)rows};
        *value = expr_replace_columns(arena, *value, count_or_zero, &counts);
    } else {
        ColumnNumber *numbers = ARENA_ARRAY(arena, ColumnNumber, domain.count);
        TRY(push_domain(&domain, &aggregate->node, numbers, &rows));
        domain_add_conditions(&domain, numbers, &conjuncts);
    }
    *input = logical_join(arena, JOIN_LEFT, *input, rows, conjuncts_join(arena, &conjuncts), 0);
    return STATUS_OK;
}

static LogicalAggregate *aggregate_of(Unnester *unnester, LogicalNode *child, uint32_t count,
                                      const AggregateCall *calls)
{
    Arena *arena = unnester->arena;
    AggregateCall *copies = arena_memdup(arena, calls, count * sizeof(*calls));
    LogicalColumn *columns = ARENA_ARRAY(arena, LogicalColumn, count);
    for (uint32_t i = 0; i < count; i++) {
        bool is_count = calls[i].id == AGGREGATE_COUNT || calls[i].id == AGGREGATE_COUNT_STAR;
        columns[i] = (LogicalColumn){.number = planner_new_column(unnester->context),
                                     .name = is_count ? "count" : "value",
                                     .type = calls[i].type,
                                     .is_nullable = !is_count};
    }
    return (LogicalAggregate *)logical_aggregate(arena, child, 0, NULL, count, copies, columns);
}

static Status scalar_value(Unnester *unnester, const Expr *subquery, LogicalNode **input,
                           Expr **out)
{
    Arena *arena = unnester->arena;
    LogicalNode *plan = subquery->subquery.plan, *base = plan;
    Expr *value = strip_projects(arena, &base);
    if (base->kind == LOGICAL_LIMIT && gives_one_row(logical_get_child(base, 0)) &&
        ((LogicalLimit *)base)->limit > 0 && ((LogicalLimit *)base)->offset == 0) {
        base = logical_get_child(base, 0);
    }
    if (base->kind == LOGICAL_AGGREGATE && gives_one_row(base)) {
        TRY(join_aggregate(unnester, (LogicalAggregate *)base, input, &value));
        *out = value;
        return STATUS_OK;
    }
    if (base->kind == LOGICAL_VALUES && gives_one_row(base) && base->column_count == 0) {
        *out = value; // SELECT of an expression: no subquery at all
        return STATUS_OK;
    }
    Expr *column = logical_column_expr(arena, &plan->columns[0]);
    Independent right;
    TRY(make_independent(unnester, plan, input, &right));
    if (!right.is_correlated) {
        AggregateCall single = {
            .id = AGGREGATE_SINGLE_VALUE, .argument = column, .type = column->type};
        LogicalAggregate *one = aggregate_of(unnester, right.node, 1, &single);
        *input = logical_join(arena, JOIN_INNER, *input, &one->node, NULL, 0);
        *out = logical_column_expr(arena, &one->node.columns[0]);
        return STATUS_OK;
    }
    *input = logical_join(arena, JOIN_SINGLE, *input, right.node,
                          conjuncts_join(arena, &right.conjuncts), 0);
    *out = column;
    return STATUS_OK;
}

static Expr *boolean_call(Arena *arena, FunctionId function, Expr *left, Expr *right)
{
    return expr_call2(arena, function, type_of(TYPE_BOOLEAN), left, right);
}

/* x <op> ANY of a bag known by its extremes and counts:
 *   case when count(*) = 0 then false when x <op> extreme then true
 *        when x is null or count(y) < count(*) then null else false end */
static Status any_value(Unnester *unnester, const Expr *subquery, FunctionId op,
                        LogicalNode **input, Expr **out)
{
    Arena *arena = unnester->arena;
    LogicalNode *plan = subquery->subquery.plan;
    Expr *x = subquery->args[0], *y = logical_column_expr(arena, &plan->columns[0]);
    AggregateCall calls[] = {
        {.id = AGGREGATE_MIN, .argument = y, .type = y->type},
        {.id = AGGREGATE_MAX, .argument = y, .type = y->type},
        {.id = AGGREGATE_COUNT_STAR, .type = type_of(TYPE_BIGINT)},
        {.id = AGGREGATE_COUNT, .argument = y, .type = type_of(TYPE_BIGINT)},
    };
    LogicalAggregate *aggregate = aggregate_of(unnester, plan, 4, calls);
    Expr *min = logical_column_expr(arena, &aggregate->node.columns[0]);
    Expr *max = logical_column_expr(arena, &aggregate->node.columns[1]);
    Expr *all = logical_column_expr(arena, &aggregate->node.columns[2]);
    Expr *present = logical_column_expr(arena, &aggregate->node.columns[3]);
    Expr *is_found;
    if (op == FUNCTION_NOT_EQUAL) {
        is_found = expr_or(
            arena, 2, (Expr *[]){boolean_call(arena, op, x, min), boolean_call(arena, op, x, max)});
    } else if (op == FUNCTION_EQUAL) {
        return status_error(SQLSTATE_INTERNAL_ERROR, "equality is no comparison of extremes");
    } else {
        bool is_below = op == FUNCTION_LESS || op == FUNCTION_LESS_EQUAL;
        is_found = boolean_call(arena, op, x, is_below ? max : min);
    }
    Value null = value_null(type_of(TYPE_BOOLEAN));
    Expr **args = ARENA_ARRAY(arena, Expr *, 7);
    args[0] = boolean_call(arena, FUNCTION_EQUAL, all, expr_int64(arena, TYPE_BIGINT, 0));
    args[1] = expr_boolean(arena, false);
    args[2] = is_found;
    args[3] = expr_boolean(arena, true);
    args[4] = expr_or(
        arena, 2,
        (Expr *[]){expr_is_null(arena, x), boolean_call(arena, FUNCTION_LESS, present, all)});
    args[5] = expr_constant(arena, &null);
    args[6] = expr_boolean(arena, false);
    *out = expr_case(arena, type_of(TYPE_BOOLEAN), 7, args);
    return join_aggregate(unnester, aggregate, input, out);
}

Status subquery_value(Unnester *unnester, const Expr *subquery, LogicalNode **input, Expr **out)
{
    Arena *arena = unnester->arena;
    bool is_negated = subquery->subquery.is_negated;
    switch (subquery->subquery.kind) {
    case SUBQUERY_EXISTS:
        return exists_value(unnester, subquery, input, out);
    case SUBQUERY_SCALAR:
        return scalar_value(unnester, subquery, input, out);
    case SUBQUERY_IN:
        if (is_in(subquery)) {
            return in_value(unnester, subquery, input, out);
        }
        TRY(any_value(unnester, subquery, subquery->subquery.comparison, input, out));
        break;
    case SUBQUERY_ALL: {
        // x <op> ALL q is not (x <inverse> ANY q), in all three truth values.
        FunctionId inverse = comparison_inverse(subquery->subquery.comparison);
        if (inverse == FUNCTION_EQUAL) {
            Expr *in = arena_memdup(arena, subquery, sizeof(*subquery));
            in->subquery.kind = SUBQUERY_IN;
            in->subquery.comparison = FUNCTION_EQUAL;
            in->subquery.is_negated = !is_negated;
            return in_value(unnester, in, input, out);
        }
        TRY(any_value(unnester, subquery, inverse, input, out));
        is_negated = !is_negated;
        break;
    }
    }
    *out = is_negated ? expr_not(arena, *out) : *out;
    return STATUS_OK;
}
