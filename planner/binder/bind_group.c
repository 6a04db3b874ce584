/*
 * bind_group.c — from expressions with aggregates inside to a LogicalAggregate below them.
 *
 *   SELECT a + 1, sum(b) / 2 … GROUP BY a + 1
 *   aggregate: key #7 = a + 1, #8 = sum(b);   above it: #7, #8 / 2
 *
 * A key that is a plain column keeps the column's number: within a group it has one value, and
 * correlated subqueries above the aggregate need no rewriting.
 */
#include "planner/binder/binder_internal.h"

typedef struct Lift {
    Binder *binder;
    const Scope *scope;
    const LogicalNode *input;
    const Grouping *grouping;
    LogicalColumn *columns;     /* of the keys */
    PointerList aggregates;     /* AggregateCall */
    PointerList numbers;        /* their columns, as LogicalColumn */
    uint32_t grouping_count;    /* of GROUPING calls, one for each key that is asked for */
    uint32_t grouping_keys[GROUPING_KEYS_MAX];
    LogicalColumn grouping_columns[GROUPING_KEYS_MAX];
    Status status;
} Lift;

static bool is_in_row(const Lift *lift, ColumnNumber number)
{
    return logical_find_column(lift->input, number) != NULL;
}

static LogicalColumn key_column(Lift *lift, uint32_t index)
{
    const Expr *key = lift->grouping->keys[index];
    // a key of GROUPING SETS is NULL where its set has it not: no longer the input's column
    bool keeps_number = key->kind == EXPR_COLUMN && is_in_row(lift, key->column) &&
                        lift->grouping->set_count == 0;
    for (uint32_t i = 0; i < index && keeps_number; i++) {
        keeps_number = lift->columns[i].number != key->column;
    }
    ColumnNumber number =
        keeps_number ? key->column : planner_new_column(lift->binder->context);
    return logical_column(number, NULL, key, lift->input);
}

// GROUPING(key): 0 where the row's set groups by it, else 1.
static Expr *lift_grouping(Lift *lift, const Expr *expr)
{
    const Grouping *grouping = lift->grouping;
    uint32_t key = 0, at = 0;
    while (key < grouping->key_count &&
           !expr_equal(expr->aggregate->argument, grouping->keys[key])) {
        key++;
    }
    if (key == grouping->key_count || key >= GROUPING_KEYS_MAX) {
        lift->status = status_first(
            lift->status, status_at(expr->position, SQLSTATE_GROUPING_ERROR,
                                    "arguments to GROUPING must be grouping expressions of the "
                                    "associated query level"));
        return expr_int64(lift->binder->arena, TYPE_INTEGER, 0);
    }
    if (grouping->set_count == 0) {
        return expr_int64(lift->binder->arena, TYPE_INTEGER, 0);
    }
    while (at < lift->grouping_count && lift->grouping_keys[at] != key) {
        at++;
    }
    if (at == lift->grouping_count) {
        lift->grouping_keys[at] = key;
        lift->grouping_columns[at] =
            (LogicalColumn){.number = planner_new_column(lift->binder->context),
                            .name = "grouping",
                            .type = type_of(TYPE_INTEGER)};
        lift->grouping_count++;
    }
    return logical_column_expr(lift->binder->arena, &lift->grouping_columns[at]);
}

static Expr *lift_aggregate(Lift *lift, const Expr *expr)
{
    if (expr->aggregate->id == AGGREGATE_GROUPING) {
        return expr_at(lift_grouping(lift, expr), expr->position);
    }
    for (uint32_t i = 0; i < lift->aggregates.count; i++) {
        if (aggregate_call_equal(lift->aggregates.items[i], expr->aggregate)) {
            return expr_at(logical_column_expr(lift->binder->arena, lift->numbers.items[i]),
                           expr->position);
        }
    }
    LogicalColumn *column = ARENA_NEW(lift->binder->arena, LogicalColumn);
    AggregateId id = expr->aggregate->id;
    *column = (LogicalColumn){.number = planner_new_column(lift->binder->context),
                              .name = aggregate_name(id),
                              .type = expr->type,
                              .is_nullable = id != AGGREGATE_COUNT && id != AGGREGATE_COUNT_STAR};
    pointer_list_add(lift->binder->arena, &lift->aggregates, expr->aggregate);
    pointer_list_add(lift->binder->arena, &lift->numbers, column);
    return expr_at(logical_column_expr(lift->binder->arena, column), expr->position);
}

static Expr *lift_expr(void *object, const Expr *expr)
{
    Lift *lift = object;
    for (uint32_t i = 0; i < lift->grouping->key_count; i++) {
        if (expr_equal(expr, lift->grouping->keys[i])) {
            return expr_at(logical_column_expr(lift->binder->arena, &lift->columns[i]),
                           expr->position);
        }
    }
    return expr->kind == EXPR_AGGREGATE ? lift_aggregate(lift, expr) : NULL;
}

static bool is_key(const Lift *lift, ColumnNumber number)
{
    for (uint32_t i = 0; i < lift->grouping->key_count; i++) {
        if (lift->columns[i].number == number) {
            return true;
        }
    }
    return false;
}

// "t.x" for messages.
static const char *column_text(const Lift *lift, ColumnNumber number)
{
    for (uint32_t i = 0; i < lift->scope->relations.count; i++) {
        const ScopeRelation *relation = lift->scope->relations.items[i];
        for (uint32_t j = 0; j < relation->column_count; j++) {
            const ScopeColumn *column = &relation->columns[j];
            if (column->expr->kind == EXPR_COLUMN && column->expr->column == number) {
                return relation->name == NULL
                           ? column->name
                           : arena_printf(lift->binder->arena, "%s.%s", relation->name,
                                          column->name);
            }
        }
    }
    const LogicalColumn *column = logical_find_column(lift->input, number);
    return column == NULL ? "?" : column->name;
}

static bool check_column(void *object, const Expr *expr)
{
    Lift *lift = object;
    bool is_loose = expr->kind == EXPR_COLUMN && is_in_row(lift, expr->column) &&
                    !is_key(lift, expr->column);
    if (is_loose && lift->status == STATUS_OK) {
        lift->status = status_at(expr->position, SQLSTATE_GROUPING_ERROR,
                                 "column \"%s\" must appear in the GROUP BY clause or be used in "
                                 "an aggregate function",
                                 column_text(lift, expr->column));
    }
    return lift->status == STATUS_OK;
}

// Subqueries above the aggregate name outer columns by number. Those of GROUPING SETS have new
// ones, so there such a subquery cannot stay as it is.
static Status check_outer_uses(Lift *lift)
{
    for (uint32_t i = 0; i < lift->scope->outer_uses.count; i++) {
        const OuterUse *use = &lift->scope->outer_uses.items[i];
        if (is_in_row(lift, use->number) && lift->grouping->set_count > 0) {
            return status_at(use->position, SQLSTATE_FEATURE_NOT_SUPPORTED,
                             "correlated subqueries above GROUPING SETS are not supported yet");
        }
        if (is_in_row(lift, use->number) && !is_key(lift, use->number)) {
            return status_at(use->position, SQLSTATE_GROUPING_ERROR,
                             "subquery uses ungrouped column \"%s\" from outer query",
                             column_text(lift, use->number));
        }
    }
    return STATUS_OK;
}

static LogicalNode *make_aggregate(Lift *lift)
{
    Arena *arena = lift->binder->arena;
    uint32_t key_count = lift->grouping->key_count, count = lift->aggregates.count;
    AggregateCall *calls = ARENA_ARRAY(arena, AggregateCall, count + 1);
    LogicalColumn *columns = ARENA_ARRAY(arena, LogicalColumn, key_count + count + 1);
    for (uint32_t i = 0; i < key_count; i++) {
        columns[i] = lift->columns[i];
    }
    for (uint32_t i = 0; i < count; i++) {
        calls[i] = *(AggregateCall *)lift->aggregates.items[i];
        columns[key_count + i] = *(LogicalColumn *)lift->numbers.items[i];
    }
    LogicalNode *input = (LogicalNode *)(uintptr_t)lift->input;
    return logical_aggregate(arena, input, key_count, lift->grouping->keys, count, calls, columns);
}

Status lift_aggregates(Binder *binder, const Scope *scope, const Grouping *grouping,
                       LogicalNode **node, uint32_t count, Expr ***exprs)
{
    Lift *lift = ARENA_NEW(binder->arena, Lift);
    *lift = (Lift){.binder = binder, .scope = scope, .input = *node, .grouping = grouping};
    lift->columns = ARENA_ARRAY(binder->arena, LogicalColumn, grouping->key_count + 1);
    for (uint32_t i = 0; i < grouping->key_count; i++) {
        lift->columns[i] = key_column(lift, i);
    }
    for (uint32_t i = 0; i < count; i++) {
        if (*exprs[i] != NULL) {
            *exprs[i] = expr_rewrite(binder->arena, *exprs[i], lift_expr, lift);
            expr_walk(*exprs[i], check_column, lift);
            TRY(lift->status);
        }
    }
    TRY(check_outer_uses(lift));
    LogicalNode *aggregate = make_aggregate(lift);
    if (grouping->set_count == 0) {
        *node = aggregate;
        return STATUS_OK;
    }
    return grouping_sets_build(binder, grouping, (LogicalAggregate *)aggregate,
                               lift->grouping_count, lift->grouping_keys, lift->grouping_columns,
                               node);
}

// GROUPING(a, b) is two bits: GROUPING(a) * 2 + GROUPING(b).
Status bind_grouping_call(Binder *binder, Scope *scope, const AstExpr *ast, Expr **out)
{
    Expr *result = NULL;
    bool is_allowed = scope->clause == CLAUSE_SELECT || scope->clause == CLAUSE_HAVING ||
                      scope->clause == CLAUSE_QUALIFY || scope->clause == CLAUSE_ORDER_BY ||
                      scope->clause == CLAUSE_WINDOW;
    if (!is_allowed) {
        return status_at(ast->position, SQLSTATE_GROUPING_ERROR,
                         "grouping operations are not allowed in %s", clause_name(scope->clause));
    }
    if (ast->arg_count > 31) {
        return status_at(ast->position, SQLSTATE_PROGRAM_LIMIT_EXCEEDED,
                         "GROUPING must have fewer than 32 arguments");
    }
    scope->has_aggregates = true;
    for (uint32_t i = 0; i < ast->arg_count; i++) {
        Expr *bit = ARENA_NEW(binder->arena, Expr);
        *bit = (Expr){.kind = EXPR_AGGREGATE, .type = type_of(TYPE_INTEGER),
                      .position = ast->args[i]->position,
                      .aggregate = ARENA_NEW(binder->arena, AggregateCall)};
        bit->aggregate->id = AGGREGATE_GROUPING;
        bit->aggregate->type = bit->type;
        TRY(bind_expr(binder, scope, ast->args[i], &bit->aggregate->argument));
        if (result != NULL) {
            Expr *two = expr_int64(binder->arena, TYPE_INTEGER, 2);
            TRY(bind_arithmetic(binder, FUNCTION_MULTIPLY, result, two, ast->position, &result));
            TRY(bind_arithmetic(binder, FUNCTION_ADD, result, bit, ast->position, &bit));
        }
        result = bit;
    }
    *out = result;
    return STATUS_OK;
}
