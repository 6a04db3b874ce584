/*
 * bind_aggregate.c — aggregate calls: where they may stand, and what type they give.
 *
 * They stay EXPR_AGGREGATE inside the expression until bind_group.c lifts them into a
 * LogicalAggregate.
 */
#include "planner/binder/binder_internal.h"

#include <string.h>

typedef struct AggregateName {
    const char *name;
    AggregateId id;
} AggregateName;

static const AggregateName aggregate_names[] = {
#define AGGREGATE(id, number, name, merge) {name, AGGREGATE_##id},
#include "planner/plan/aggregates.def"
#undef AGGREGATE
    {"variance", AGGREGATE_VAR_SAMP},
    {"stddev", AGGREGATE_STDDEV_SAMP},
    {"every", AGGREGATE_BOOL_AND},
};

bool aggregate_find(const char *name, AggregateId *out)
{
    for (size_t i = 0; i < sizeof(aggregate_names) / sizeof(aggregate_names[0]); i++) {
        if (name[0] != '\0' && strcmp(aggregate_names[i].name, name) == 0) {
            *out = aggregate_names[i].id == AGGREGATE_COUNT_STAR ? AGGREGATE_COUNT
                                                                 : aggregate_names[i].id;
            return true;
        }
    }
    return false;
}

// ---- types ----

// AVG truncates for SMALLINT and INTEGER, as Redshift does; decimals keep their scale.
static Type average_type(Type argument)
{
    if (argument.id == TYPE_SMALLINT || argument.id == TYPE_INTEGER) {
        return type_of(TYPE_BIGINT);
    }
    return aggregate_sum_type(argument);
}

Status aggregate_signature(Binder *binder, AggregateId id, const char *name, Expr *argument,
                           int32_t position, Expr **coerced, Type *type)
{
    bool is_summed = type_is_numeric(argument->type) || argument->type.id == TYPE_INTERVAL;
    *coerced = argument;
    switch (id) {
    case AGGREGATE_COUNT:
        *type = type_of(TYPE_BIGINT);
        return coerce_unknown(binder, argument, coerced);
    case AGGREGATE_SUM:
    case AGGREGATE_AVG:
        if (!is_summed || (id == AGGREGATE_AVG && argument->type.id == TYPE_INTERVAL)) {
            break;
        }
        *type = id == AGGREGATE_SUM ? aggregate_sum_type(argument->type)
                                    : average_type(argument->type);
        return STATUS_OK;
    case AGGREGATE_MIN:
    case AGGREGATE_MAX:
    case AGGREGATE_ANY_VALUE:
        TRY(coerce_unknown(binder, argument, coerced));
        if ((*coerced)->type.id == TYPE_BOOLEAN && id != AGGREGATE_ANY_VALUE) {
            break;
        }
        *type = (*coerced)->type;
        return STATUS_OK;
    case AGGREGATE_BOOL_AND:
    case AGGREGATE_BOOL_OR:
        *type = type_of(TYPE_BOOLEAN);
        if (argument->type.id != TYPE_BOOLEAN && !is_unknown(argument)) {
            break;
        }
        return coerce(binder, argument, *type, CAST_IMPLICIT, coerced);
    case AGGREGATE_VAR_SAMP:
    case AGGREGATE_VAR_POP:
    case AGGREGATE_STDDEV_SAMP:
    case AGGREGATE_STDDEV_POP:
        *type = type_of(TYPE_DOUBLE);
        if (!type_is_numeric(argument->type)) {
            break;
        }
        return coerce(binder, argument, *type, CAST_IMPLICIT, coerced);
    default:
        break;
    }
    return function_missing(binder, name, 1, &argument, position);
}

// ---- places ----

static Status check_place(Scope *scope, const AstExpr *ast)
{
    switch (scope->clause) {
    case CLAUSE_SELECT:
    case CLAUSE_HAVING:
    case CLAUSE_QUALIFY:
    case CLAUSE_ORDER_BY:
    case CLAUSE_WINDOW:
        scope->has_aggregates = true;
        return STATUS_OK;
    case CLAUSE_AGGREGATE:
        return status_at(ast->position, SQLSTATE_GROUPING_ERROR,
                         "aggregate function calls cannot be nested");
    default:
        return status_at(ast->position, SQLSTATE_GROUPING_ERROR,
                         "aggregate functions are not allowed in %s", clause_name(scope->clause));
    }
}

static Status check_form(const AstExpr *ast, AggregateId id)
{
    const AstCall *call = ast->call;
    if (call->within_group.count > 0) {
        return status_at(ast->position, SQLSTATE_WRONG_OBJECT_TYPE,
                         "%s is not an ordered-set aggregate, so it cannot have WITHIN GROUP",
                         call->name);
    }
    if (call->is_star && id != AGGREGATE_COUNT) {
        return status_at(ast->position, SQLSTATE_UNDEFINED_FUNCTION,
                         "function %s() does not exist", call->name);
    }
    if (!call->is_star && ast->arg_count == 0 && id == AGGREGATE_COUNT) {
        return status_at(ast->position, SQLSTATE_WRONG_OBJECT_TYPE,
                         "count(*) must be used to call a parameterless aggregate function");
    }
    return STATUS_OK;
}

/* Whose columns an argument uses. */
typedef struct ColumnOwners {
    const Scope *scope;
    bool has_own, has_outer;
} ColumnOwners;

static bool is_column_of(const Scope *scope, ColumnNumber number)
{
    for (uint32_t i = 0; i < scope->relations.count; i++) {
        const ScopeRelation *relation = scope->relations.items[i];
        for (uint32_t k = 0; k < relation->column_count; k++) {
            const Expr *expr = relation->columns[k].expr;
            if (expr->kind == EXPR_COLUMN && expr->column == number) {
                return true;
            }
        }
    }
    return false;
}

static bool note_owner(void *object, const Expr *expr)
{
    ColumnOwners *owners = object;
    if (expr->kind == EXPR_COLUMN) {
        bool is_own = is_column_of(owners->scope, expr->column);
        owners->has_own |= is_own;
        owners->has_outer |= !is_own;
    }
    owners->has_own |= expr->kind == EXPR_SUBQUERY; // may use them further down
    return true;
}

// SQL gives an aggregate over columns of an enclosing query alone to that query.
static Status check_owner(const Scope *scope, const AstExpr *ast, const AggregateCall *call)
{
    ColumnOwners owners = {.scope = scope};
    if (scope->outer != NULL && call->argument != NULL) {
        expr_walk(call->argument, note_owner, &owners);
    }
    if (owners.has_outer && call->filter != NULL) {
        expr_walk(call->filter, note_owner, &owners);
    }
    if (owners.has_outer && !owners.has_own) {
        return status_at(ast->position, SQLSTATE_FEATURE_NOT_SUPPORTED,
                         "aggregates over columns of an outer query alone are not supported");
    }
    return STATUS_OK;
}

Status bind_aggregate(Binder *binder, Scope *scope, const AstExpr *ast, AggregateId id,
                      Expr **out)
{
    AggregateCall *call = ARENA_NEW(binder->arena, AggregateCall);
    call->id = ast->call->is_star ? AGGREGATE_COUNT_STAR : id;
    call->type = type_of(TYPE_BIGINT);
    TRY(check_form(ast, id));
    TRY(check_place(scope, ast));
    Clause before = scope->clause;
    scope->clause = CLAUSE_AGGREGATE;
    Expr **args = NULL;
    Status status = bind_exprs(binder, scope, ast->arg_count, ast->args, &args);
    scope->clause = before;
    TRY(status);
    if (ast->arg_count > 1 || (ast->arg_count == 0 && !ast->call->is_star)) {
        return function_missing(binder, ast->call->name, ast->arg_count, args, ast->position);
    }
    if (!ast->call->is_star) {
        TRY(aggregate_signature(binder, id, ast->call->name, args[0], ast->position,
                                &call->argument, &call->type));
    }
    if (ast->call->filter != NULL) {
        TRY(bind_condition(binder, scope, ast->call->filter, CLAUSE_FILTER, &call->filter));
    }
    TRY(check_owner(scope, ast, call));
    // DISTINCT changes nothing for the smallest and largest value
    call->is_distinct = ast->call->is_distinct && id != AGGREGATE_MIN && id != AGGREGATE_MAX &&
                        id != AGGREGATE_ANY_VALUE && id != AGGREGATE_BOOL_AND &&
                        id != AGGREGATE_BOOL_OR;
    Expr *expr = ARENA_NEW(binder->arena, Expr);
    *expr = (Expr){.kind = EXPR_AGGREGATE, .type = call->type, .position = ast->position,
                   .aggregate = call};
    *out = expr;
    return STATUS_OK;
}
