/*
 * subquery.c — subqueries inside expressions: scalar, EXISTS, IN, ANY, ALL.
 *
 * The plan stays behind the expression; the optimizer makes joins of it. Both sides of IN, ANY
 * and ALL get one type here, by casting the left side or the plan's output column.
 */
#include "planner/binder/binder_internal.h"

#include <string.h>

Expr *subquery_make(Binder *binder, SubqueryKind kind, LogicalNode *plan, Type type,
                    int32_t position)
{
    Expr *expr = ARENA_NEW(binder->arena, Expr);
    *expr = (Expr){.kind = EXPR_SUBQUERY, .type = type, .position = position};
    expr->subquery.kind = kind;
    expr->subquery.plan = plan;
    return expr;
}

static Status bind_plan(Binder *binder, Scope *scope, const AstExpr *ast, bool keeps_unknown,
                        LogicalNode **out)
{
    return bind_query(binder, scope, scope->ctes, ast->query, keeps_unknown, out);
}

static Status bind_scalar(Binder *binder, Scope *scope, const AstExpr *ast, Expr **out)
{
    LogicalNode *plan = NULL;
    TRY(bind_plan(binder, scope, ast, false, &plan));
    if (plan->column_count != 1) {
        return status_at(ast->position, SQLSTATE_SYNTAX_ERROR,
                         "subquery must return only one column");
    }
    *out = subquery_make(binder, SUBQUERY_SCALAR, plan, plan->columns[0].type, ast->position);
    return STATUS_OK;
}

// Left sides beside the plan's columns: what both are cast to.
static Status match_columns(Binder *binder, uint32_t count, Expr **args, LogicalNode **plan,
                            const char *symbol, int32_t position)
{
    Type *types = ARENA_ARRAY(binder->arena, Type, count);
    for (uint32_t i = 0; i < count; i++) {
        Type column = (*plan)->columns[i].type;
        types[i] = column;
        // a literal is compared whole, not cut to the column's length or digits
        const Expr *other = logical_column_expr(binder->arena, &(*plan)->columns[i]);
        TRY(comparison_resolve(binder, &args[i], other));
        bool are_texts = type_is_text(column) && type_is_text(args[i]->type);
        bool is_narrow = is_constant(args[i]) &&
                         constant_narrow(binder, args[i], column, &args[i]);
        if (type_equal(args[i]->type, column) || is_narrow || are_texts) {
            continue;
        }
        if (!common_type_of_two(args[i]->type, column, &types[i])) {
            return operator_missing(symbol, args[i]->type, column, position);
        }
        types[i] = types[i].id == TYPE_UNKNOWN ? type_varchar(0) : types[i];
        TRY(coerce(binder, args[i], types[i], CAST_IMPLICIT, &args[i]));
    }
    return query_coerce(binder, plan, types, CAST_IMPLICIT);
}

static Status bind_quantified(Binder *binder, Scope *scope, const AstExpr *ast, SubqueryKind kind,
                              FunctionId comparison, bool is_negated, Expr **out)
{
    const AstExpr *left = ast->args[0];
    uint32_t count = left->kind == AST_ROW ? left->arg_count : 1;
    Expr **args = NULL;
    LogicalNode *plan = NULL;
    TRY(bind_exprs(binder, scope, count, left->kind == AST_ROW ? left->args : ast->args, &args));
    TRY(bind_plan(binder, scope, ast, true, &plan));
    if (plan->column_count != count) {
        return status_at(ast->position, SQLSTATE_SYNTAX_ERROR, "subquery has too %s columns",
                         plan->column_count > count ? "many" : "few");
    }
    if (count > 1 && comparison != FUNCTION_EQUAL) {
        return status_at(ast->position, SQLSTATE_FEATURE_NOT_SUPPORTED,
                         "comparing rows with a subquery by other than = is not supported");
    }
    const char *symbol = ast->kind == AST_QUANTIFIED ? ast->comparison : "=";
    TRY(match_columns(binder, count, args, &plan, symbol, ast->position));
    Expr *expr = subquery_make(binder, kind, plan, type_of(TYPE_BOOLEAN), ast->position);
    expr->arg_count = count;
    expr->args = args;
    expr->subquery.comparison = comparison;
    expr->subquery.is_negated = is_negated;
    *out = expr;
    return STATUS_OK;
}

// = ANY is IN, <> ALL is NOT IN; the other pairs stay what they are.
static Status bind_any_all(Binder *binder, Scope *scope, const AstExpr *ast, Expr **out)
{
    FunctionId comparison = FUNCTION_EQUAL;
    if (ast->query == NULL) {
        return status_at(ast->position, SQLSTATE_FEATURE_NOT_SUPPORTED,
                         "ANY and ALL over arrays are not supported");
    }
    comparison_find(ast->comparison, &comparison);
    if (!ast->is_all) {
        return bind_quantified(binder, scope, ast, SUBQUERY_IN, comparison, false, out);
    }
    if (comparison == FUNCTION_NOT_EQUAL) {
        return bind_quantified(binder, scope, ast, SUBQUERY_IN, FUNCTION_EQUAL, true, out);
    }
    return bind_quantified(binder, scope, ast, SUBQUERY_ALL, comparison, false, out);
}

// ARRAY(query) as the text of an array: '{}' without rows, '{a}' with one. More fail as in every
// scalar subquery: clients ask this of system tables that are empty here.
static Status bind_array(Binder *binder, Scope *scope, const AstExpr *ast, Expr **out)
{
    Type text = type_varchar(0);
    Expr *value = NULL;
    TRY(bind_scalar(binder, scope, ast, &value));
    TRY(coerce(binder, value, text, CAST_EXPLICIT, &value));
    TRY(bind_concat(binder, constant_text(binder, "{", text), value, ast->position, &value));
    TRY(bind_concat(binder, value, constant_text(binder, "}", text), ast->position, &value));
    Expr *args[] = {value, constant_text(binder, "{}", text)};
    return bind_function(binder, FUNCTION_COALESCE, 2, args, ast->position, out);
}

Status bind_subquery(Binder *binder, Scope *scope, const AstExpr *ast, Expr **out)
{
    LogicalNode *plan = NULL;
    switch ((AstExprKind)ast->kind) {
    case AST_EXISTS:
        TRY(bind_plan(binder, scope, ast, false, &plan));
        *out = subquery_make(binder, SUBQUERY_EXISTS, plan, type_of(TYPE_BOOLEAN), ast->position);
        return STATUS_OK;
    case AST_IN_QUERY:
        return bind_quantified(binder, scope, ast, SUBQUERY_IN, FUNCTION_EQUAL, ast->is_negated,
                               out);
    case AST_QUANTIFIED:
        return bind_any_all(binder, scope, ast, out);
    case AST_ARRAY_QUERY:
        return bind_array(binder, scope, ast, out);
    default:
        return bind_scalar(binder, scope, ast, out);
    }
}
