/*
 * bind_expr.c — one expression: the switch over its kinds, and what all kinds share.
 */
#include "planner/binder/binder_internal.h"

#include <string.h>

static const char *const clause_names[CLAUSE_COUNT] = {
    [CLAUSE_SELECT] = "SELECT",
    [CLAUSE_WHERE] = "WHERE",
    [CLAUSE_ON] = "JOIN conditions",
    [CLAUSE_GROUP_BY] = "GROUP BY",
    [CLAUSE_HAVING] = "HAVING",
    [CLAUSE_QUALIFY] = "QUALIFY",
    [CLAUSE_ORDER_BY] = "ORDER BY",
    [CLAUSE_LIMIT] = "LIMIT",
    [CLAUSE_VALUES] = "VALUES",
    [CLAUSE_AGGREGATE] = "aggregate functions",
    [CLAUSE_FILTER] = "FILTER",
    [CLAUSE_WINDOW] = "window definitions",
    [CLAUSE_DEFAULT] = "DEFAULT expressions",
    [CLAUSE_ARGUMENTS] = "EXECUTE parameters",
    [CLAUSE_UPDATE] = "UPDATE",
};

const char *clause_name(Clause clause)
{
    return clause_names[clause];
}

Status binder_enter(Binder *binder, uint32_t levels, int32_t position)
{
    if (binder->depth + levels > BIND_DEPTH_MAX) {
        return status_at(position, SQLSTATE_STATEMENT_TOO_COMPLEX,
                         "statement is nested too deeply");
    }
    binder->depth += levels;
    return STATUS_OK;
}

void binder_leave(Binder *binder, uint32_t levels)
{
    binder->depth -= levels;
}

Expr *expr_at(Expr *expr, int32_t position)
{
    expr->position = position;
    return expr;
}

// ---- naming an expression twice ----

typedef struct Repeat {
    Binder *binder;
    uint32_t count;
    bool has_subquery;
} Repeat;

static bool count_node(void *object, const Expr *expr)
{
    Repeat *repeat = object;
    repeat->count++;
    repeat->has_subquery = repeat->has_subquery || expr->kind == EXPR_SUBQUERY;
    return repeat->binder->repeated_count + repeat->count <= BIND_REPEATS_MAX;
}

static Expr *copy_subquery(void *object, const Expr *expr)
{
    Repeat *repeat = object;
    if (expr->kind != EXPR_SUBQUERY) {
        return NULL;
    }
    Expr *copy = arena_memdup(repeat->binder->arena, expr, sizeof(*expr));
    ColumnRenumbering map = {0};
    copy->subquery.plan = logical_copy(repeat->binder->context, expr->subquery.plan, &map);
    for (uint32_t i = 0; i < copy->arg_count; i++) {
        if (i == 0) {
            copy->args = ARENA_ARRAY(repeat->binder->arena, Expr *, copy->arg_count);
        }
        copy->args[i] = expr_rewrite(repeat->binder->arena, expr->args[i], copy_subquery, repeat);
    }
    return copy;
}

// Expressions are immutable, so the same tree may stand in two places, but every walk then visits
// it twice: nesting that doubles at each level must be refused before it is exponential.
Status bind_repeat(Binder *binder, Expr *expr, Expr **out)
{
    Repeat repeat = {.binder = binder};
    expr_walk(expr, count_node, &repeat);
    binder->repeated_count += repeat.count;
    if (binder->repeated_count > BIND_REPEATS_MAX) {
        return status_at(expr->position, SQLSTATE_STATEMENT_TOO_COMPLEX,
                         "statement is too complex");
    }
    *out = repeat.has_subquery ? expr_rewrite(binder->arena, expr, copy_subquery, &repeat) : expr;
    return STATUS_OK;
}

// ---- kinds ----

static Status bind_parameter(Binder *binder, const AstExpr *ast, Expr **out)
{
    BindParameters *parameters = binder->parameters;
    uint32_t number = ast->parameter;
    if (parameters == NULL || number > parameters->capacity ||
        (parameters->values != NULL && number > parameters->count)) {
        return status_at(ast->position, SQLSTATE_UNDEFINED_PARAMETER,
                         "there is no parameter $%u", number);
    }
    for (; parameters->count < number; parameters->count++) {
        parameters->types[parameters->count] = type_of(TYPE_UNKNOWN);
    }
    Expr *expr = ARENA_NEW(binder->arena, Expr);
    *expr = (Expr){.kind = EXPR_PARAMETER,
                   .type = type_of(TYPE_UNKNOWN),
                   .position = ast->position,
                   .parameter = number};
    *out = expr;
    Type declared = parameters->types[number - 1];
    if (declared.id == TYPE_UNKNOWN && parameters->values != NULL) {
        declared = parameters->values[number - 1].type;
    }
    // an unknown one waits for its place; a known one is cast to its own type: value or not
    return declared.id == TYPE_UNKNOWN ? STATUS_OK
                                       : coerce(binder, expr, declared, CAST_EXPLICIT, out);
}

static Status bind_connective(Binder *binder, Scope *scope, const AstExpr *ast, Expr **out)
{
    bool is_and = ast->kind == AST_AND;
    Expr **args = ARENA_ARRAY(binder->arena, Expr *, ast->arg_count);
    for (uint32_t i = 0; i < ast->arg_count; i++) {
        TRY(bind_expr(binder, scope, ast->args[i], &args[i]));
        TRY(coerce_condition(binder, args[i], is_and ? "AND" : "OR", &args[i]));
    }
    *out = is_and ? expr_and(binder->arena, ast->arg_count, args)
                  : expr_or(binder->arena, ast->arg_count, args);
    return STATUS_OK;
}

static Status bind_not(Binder *binder, Scope *scope, const AstExpr *ast, Expr **out)
{
    Expr *arg = NULL;
    TRY(bind_expr(binder, scope, ast->args[0], &arg));
    TRY(coerce_condition(binder, arg, "NOT", &arg));
    if (arg->kind == EXPR_SUBQUERY && arg->subquery.kind == SUBQUERY_EXISTS) {
        // NOT EXISTS is the optimizer's anti join: one node says it
        Expr *negated = arena_memdup(binder->arena, arg, sizeof(*arg));
        negated->subquery.is_negated = !arg->subquery.is_negated;
        *out = negated;
        return STATUS_OK;
    }
    *out = expr_not(binder->arena, arg);
    return STATUS_OK;
}

static Status bind_cast(Binder *binder, Scope *scope, const AstExpr *ast, Expr **out)
{
    Type type;
    Expr *arg = NULL;
    if (ast->is_try) {
        return status_at(ast->position, SQLSTATE_FEATURE_NOT_SUPPORTED,
                         "TRY_CAST is not supported yet");
    }
    bool is_known = false;
    TRY(bind_reg_cast(binder, scope, ast, &is_known, out));
    if (is_known) {
        return STATUS_OK;
    }
    TRY(type_resolve(binder, ast->type, false, &type));
    TRY(bind_expr(binder, scope, ast->args[0], &arg));
    if (cast_level(arg->type, type) == CAST_NONE) {
        return status_at(ast->position, SQLSTATE_CANNOT_COERCE, "cannot cast type %s to %s",
                         type_name(arg->type), type_name(type));
    }
    return coerce(binder, arg, type, CAST_EXPLICIT, out);
}

static Status unsupported(const AstExpr *ast, const char *what)
{
    return status_at(ast->position, SQLSTATE_FEATURE_NOT_SUPPORTED, "%s are not supported", what);
}

static Status bind_by_kind(Binder *binder, Scope *scope, const AstExpr *ast, Expr **out)
{
    switch ((AstExprKind)ast->kind) {
    case AST_COLUMN:
        return scope_find_column(binder, scope, ast, out);
    case AST_STAR:
        return status_at(ast->position, SQLSTATE_SYNTAX_ERROR, "syntax error at or near \"*\"");
    case AST_NUMBER:
        return bind_number(binder, ast, out);
    case AST_STRING:
        *out = constant_text(binder, ast->text, type_of(TYPE_UNKNOWN));
        return STATUS_OK;
    case AST_NULL:
        *out = constant_null(binder, type_of(TYPE_UNKNOWN));
        return STATUS_OK;
    case AST_BOOLEAN:
        *out = expr_boolean(binder->arena, ast->is_true);
        return STATUS_OK;
    case AST_DEFAULT:
        return status_at(ast->position, SQLSTATE_SYNTAX_ERROR,
                         "DEFAULT is not allowed in this context");
    case AST_PARAMETER:
        return bind_parameter(binder, ast, out);
    case AST_TYPED_LITERAL:
        return bind_typed_literal(binder, ast, out);
    case AST_OPERATOR:
        return bind_operator(binder, scope, ast, out);
    case AST_AND:
    case AST_OR:
        return bind_connective(binder, scope, ast, out);
    case AST_NOT:
        return bind_not(binder, scope, ast, out);
    case AST_IS:
        return bind_is(binder, scope, ast, out);
    case AST_IS_DISTINCT:
        return bind_is_distinct(binder, scope, ast, out);
    case AST_BETWEEN:
        return bind_between(binder, scope, ast, out);
    case AST_IN_LIST:
        return bind_in_list(binder, scope, ast, out);
    case AST_LIKE:
        return bind_like(binder, scope, ast, out);
    case AST_IN_QUERY:
    case AST_QUANTIFIED:
    case AST_EXISTS:
    case AST_SUBQUERY:
    case AST_ARRAY_QUERY:
        return bind_subquery(binder, scope, ast, out);
    case AST_CASE:
        return bind_case(binder, scope, ast, out);
    case AST_CAST:
        return bind_cast(binder, scope, ast, out);
    case AST_CALL:
        return bind_call(binder, scope, ast, out);
    case AST_ROW:
        return unsupported(ast, "row values outside comparisons");
    case AST_ARRAY:
    case AST_SUBSCRIPT:
        return unsupported(ast, "arrays");
    case AST_COLLATE:
        return bind_expr(binder, scope, ast->args[0], out); // there is one collation: bytes
    }
    return status_at(ast->position, SQLSTATE_INTERNAL_ERROR, "unknown expression kind %d",
                     ast->kind);
}

Status bind_expr(Binder *binder, Scope *scope, const AstExpr *ast, Expr **out)
{
    Expr *expr = NULL;
    TRY(binder_enter(binder, 1, ast->position));
    Status status = bind_by_kind(binder, scope, ast, &expr);
    binder_leave(binder, 1);
    TRY(status);
    if (expr->position == POSITION_NONE) {
        expr->position = ast->position;
    }
    *out = expr;
    return STATUS_OK;
}

Status bind_exprs(Binder *binder, Scope *scope, uint32_t count, AstExpr *const *asts, Expr ***out)
{
    Expr **exprs = ARENA_ARRAY(binder->arena, Expr *, count + 1);
    for (uint32_t i = 0; i < count; i++) {
        TRY(bind_expr(binder, scope, asts[i], &exprs[i]));
    }
    *out = exprs;
    return STATUS_OK;
}

Status bind_condition(Binder *binder, Scope *scope, const AstExpr *ast, Clause clause, Expr **out)
{
    Expr *expr = NULL;
    Clause before = scope->clause;
    scope->clause = clause;
    Status status = bind_expr(binder, scope, ast, &expr);
    scope->clause = before;
    TRY(status);
    const char *what = clause == CLAUSE_ON ? "JOIN/ON" : clause_name(clause);
    return coerce_condition(binder, expr, what, out);
}
