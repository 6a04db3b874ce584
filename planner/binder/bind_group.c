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
    Status status;
} Lift;

static bool is_in_row(const Lift *lift, ColumnNumber number)
{
    return logical_find_column(lift->input, number) != NULL;
}

static LogicalColumn key_column(Lift *lift, uint32_t index)
{
    const Expr *key = lift->grouping->keys[index];
    bool keeps_number = key->kind == EXPR_COLUMN && is_in_row(lift, key->column);
    for (uint32_t i = 0; i < index && keeps_number; i++) {
        keeps_number = lift->columns[i].number != key->column;
    }
    ColumnNumber number =
        keeps_number ? key->column : planner_new_column(lift->binder->context);
    return logical_column(number, NULL, key, lift->input);
}

static Expr *lift_aggregate(Lift *lift, const Expr *expr)
{
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

static Status check_outer_uses(Lift *lift)
{
    for (uint32_t i = 0; i < lift->scope->outer_uses.count; i++) {
        const OuterUse *use = &lift->scope->outer_uses.items[i];
        if (is_in_row(lift, use->number) && !is_key(lift, use->number)) {
            return status_at(use->position, SQLSTATE_GROUPING_ERROR,
                             "subquery uses ungrouped column \"%s\" from outer query",
                             column_text(lift, use->number));
        }
    }
    return STATUS_OK;
}

Status lift_aggregates(Binder *binder, const Scope *scope, const Grouping *grouping,
                       LogicalNode **node, uint32_t count, Expr ***exprs)
{
    Lift lift = {.binder = binder, .scope = scope, .input = *node, .grouping = grouping};
    uint32_t key_count = grouping->key_count;
    lift.columns = ARENA_ARRAY(binder->arena, LogicalColumn, key_count + 1);
    for (uint32_t i = 0; i < key_count; i++) {
        lift.columns[i] = key_column(&lift, i);
    }
    for (uint32_t i = 0; i < count; i++) {
        if (*exprs[i] != NULL) {
            *exprs[i] = expr_rewrite(binder->arena, *exprs[i], lift_expr, &lift);
            expr_walk(*exprs[i], check_column, &lift);
            TRY(lift.status);
        }
    }
    TRY(check_outer_uses(&lift));
    uint32_t aggregate_count = lift.aggregates.count;
    AggregateCall *calls = ARENA_ARRAY(binder->arena, AggregateCall, aggregate_count + 1);
    LogicalColumn *columns =
        ARENA_ARRAY(binder->arena, LogicalColumn, key_count + aggregate_count + 1);
    for (uint32_t i = 0; i < key_count; i++) {
        columns[i] = lift.columns[i];
    }
    for (uint32_t i = 0; i < aggregate_count; i++) {
        calls[i] = *(AggregateCall *)lift.aggregates.items[i];
        columns[key_count + i] = *(LogicalColumn *)lift.numbers.items[i];
    }
    *node = logical_aggregate(binder->arena, *node, key_count, grouping->keys, aggregate_count,
                              calls, columns);
    return STATUS_OK;
}
