/*
 * predicate.c — BETWEEN, IN (list), LIKE, IS, IS DISTINCT FROM, and comparisons of rows.
 *
 *   x BETWEEN a AND b      x >= a AND x <= b
 *   x IN (3, 1, NULL, y)   EXPR_IN {1, 3, NULL} OR x = y
 *   (a, b) < (c, d)        a < c OR (a = c AND b < d)
 */
#include "planner/binder/binder_internal.h"

#include <stdlib.h>
#include <string.h>

// ---- BETWEEN ----

static Status between(Binder *binder, Expr *value, Expr *low, Expr *high, int32_t position,
                      Expr **out)
{
    Expr *again = NULL, *sides[2];
    TRY(bind_repeat(binder, value, &again));
    TRY(bind_comparison(binder, FUNCTION_GREATER_EQUAL, value, low, position, &sides[0]));
    TRY(bind_comparison(binder, FUNCTION_LESS_EQUAL, again, high, position, &sides[1]));
    *out = expr_and(binder->arena, 2, sides);
    return STATUS_OK;
}

Status bind_between(Binder *binder, Scope *scope, const AstExpr *ast, Expr **out)
{
    Expr **args = NULL, *result = NULL;
    TRY(bind_exprs(binder, scope, 3, ast->args, &args));
    TRY(between(binder, args[0], args[1], args[2], ast->position, &result));
    if (ast->is_symmetric) {
        Expr *repeated[3], *either[2] = {result, NULL};
        for (int i = 0; i < 3; i++) {
            TRY(bind_repeat(binder, args[i], &repeated[i]));
        }
        TRY(between(binder, repeated[0], repeated[2], repeated[1], ast->position, &either[1]));
        result = expr_or(binder->arena, 2, either);
    }
    *out = ast->is_negated ? expr_not(binder->arena, result) : result;
    return STATUS_OK;
}

// ---- rows ----

static Status row_length_error(const AstExpr *ast)
{
    return status_at(ast->position, SQLSTATE_SYNTAX_ERROR,
                     "unequal number of entries in row expressions");
}

static Status rows_equal(Binder *binder, uint32_t count, Expr *const *left, Expr *const *right,
                         int32_t position, Expr **out)
{
    Expr **parts = ARENA_ARRAY(binder->arena, Expr *, count);
    for (uint32_t i = 0; i < count; i++) {
        TRY(bind_comparison(binder, FUNCTION_EQUAL, left[i], right[i], position, &parts[i]));
    }
    *out = expr_and(binder->arena, count, parts);
    return STATUS_OK;
}

// From the last column to the first: a < c OR (a = c AND rest).
static Status rows_ordered(Binder *binder, FunctionId function, uint32_t count, Expr **left,
                           Expr **right, int32_t position, Expr **out)
{
    FunctionId strict = function == FUNCTION_LESS_EQUAL      ? FUNCTION_LESS
                        : function == FUNCTION_GREATER_EQUAL ? FUNCTION_GREATER
                                                             : function;
    Expr *result = NULL;
    TRY(bind_comparison(binder, function, left[count - 1], right[count - 1], position, &result));
    for (uint32_t i = count - 1; i-- > 0;) {
        Expr *less = NULL, *equal = NULL, *left_again = NULL, *right_again = NULL;
        TRY(bind_repeat(binder, left[i], &left_again));
        TRY(bind_repeat(binder, right[i], &right_again));
        TRY(bind_comparison(binder, strict, left[i], right[i], position, &less));
        TRY(bind_comparison(binder, FUNCTION_EQUAL, left_again, right_again, position, &equal));
        Expr *both = expr_and(binder->arena, 2, (Expr *[]){equal, result});
        result = expr_or(binder->arena, 2, (Expr *[]){less, both});
    }
    *out = result;
    return STATUS_OK;
}

Status bind_row_comparison(Binder *binder, Scope *scope, const AstExpr *ast, FunctionId function,
                           Expr **out)
{
    const AstExpr *left = ast->args[0], *right = ast->args[1];
    Expr **left_exprs = NULL, **right_exprs = NULL;
    if (left->kind != AST_ROW || right->kind != AST_ROW || left->arg_count != right->arg_count) {
        return row_length_error(ast);
    }
    TRY(bind_exprs(binder, scope, left->arg_count, left->args, &left_exprs));
    TRY(bind_exprs(binder, scope, left->arg_count, right->args, &right_exprs));
    if (function == FUNCTION_EQUAL || function == FUNCTION_NOT_EQUAL) {
        TRY(rows_equal(binder, left->arg_count, left_exprs, right_exprs, ast->position, out));
        *out = function == FUNCTION_EQUAL ? *out : expr_not(binder->arena, *out);
        return STATUS_OK;
    }
    return rows_ordered(binder, function, left->arg_count, left_exprs, right_exprs, ast->position,
                        out);
}

// ---- IN (list) ----

static int compare_values(const void *left, const void *right)
{
    return value_compare(left, right);
}

// The list as one EXPR_IN: sorted, each value once, NULL apart.
static Expr *in_make(Binder *binder, Expr *value, uint32_t count, Expr *const *items)
{
    Value *values = ARENA_ARRAY(binder->arena, Value, count + 1);
    uint32_t value_count = 0, kept = 0;
    bool has_null = false;
    for (uint32_t i = 0; i < count; i++) {
        if (items[i]->constant.is_null) {
            has_null = true;
        } else {
            values[value_count++] = items[i]->constant;
        }
    }
    qsort(values, value_count, sizeof(*values), compare_values);
    for (uint32_t i = 0; i < value_count; i++) {
        if (kept == 0 || value_compare(&values[kept - 1], &values[i]) != 0) {
            values[kept++] = values[i];
        }
    }
    Expr *expr = ARENA_NEW(binder->arena, Expr);
    *expr = (Expr){.kind = EXPR_IN, .type = type_of(TYPE_BOOLEAN), .arg_count = 1};
    expr->args = ARENA_ARRAY(binder->arena, Expr *, 1);
    expr->args[0] = value;
    expr->in.values = values;
    expr->in.value_count = kept;
    expr->in.has_null_value = has_null;
    return expr;
}

// A constant as an item of a list beside `type`; false when it does not fit exactly.
static bool fit_item(Binder *binder, Expr *item, Type type, Expr **out)
{
    if (type_equal(item->type, type) || (type_is_text(type) && type_is_text(item->type))) {
        *out = item;
        return true;
    }
    if (item->constant.is_null) {
        *out = constant_null(binder, type);
        return true;
    }
    return constant_narrow(binder, item, type, out);
}

// All items of `list` are constants: one EXPR_IN, over the value as it is or cast to a common type.
static Status in_constants(Binder *binder, Expr *value, uint32_t count, Expr **list,
                           int32_t position, Expr **out)
{
    Expr **items = ARENA_ARRAY(binder->arena, Expr *, count + 1);
    bool fits = true;
    for (uint32_t i = 0; i < count && fits; i++) {
        fits = fit_item(binder, list[i], value->type, &items[i]);
    }
    if (!fits) {
        Type type = value->type;
        items[count] = value;
        for (uint32_t i = 0; i < count; i++) {
            Type merged;
            if (!common_type_of_two(type, list[i]->type, &merged)) {
                return operator_missing("=", value->type, list[i]->type, position);
            }
            type = merged;
            items[i] = list[i];
        }
        for (uint32_t i = 0; i <= count; i++) {
            TRY(coerce(binder, items[i], type, CAST_IMPLICIT, &items[i]));
        }
        value = items[count];
    }
    *out = in_make(binder, value, count, items);
    return STATUS_OK;
}

// A date column beside timestamps and the like: as many comparisons, joined by OR.
static bool is_in_constant(const Expr *value, const Expr *item)
{
    bool mixes_dates = (value->type.id == TYPE_DATE && item->type.id == TYPE_TIMESTAMP) ||
                       (value->type.id == TYPE_TIMESTAMP && item->type.id == TYPE_DATE);
    return item->kind == EXPR_CONSTANT && !mixes_dates;
}

static Status bind_in_rows(Binder *binder, Scope *scope, const AstExpr *ast, Expr **out)
{
    const AstExpr *row = ast->args[0];
    Expr **left = NULL, **right = NULL;
    Expr **parts = ARENA_ARRAY(binder->arena, Expr *, ast->arg_count);
    TRY(bind_exprs(binder, scope, row->arg_count, row->args, &left));
    for (uint32_t i = 1; i < ast->arg_count; i++) {
        const AstExpr *item = ast->args[i];
        if (item->kind != AST_ROW || item->arg_count != row->arg_count) {
            return row_length_error(item);
        }
        TRY(bind_exprs(binder, scope, row->arg_count, item->args, &right));
        for (uint32_t j = 0; j < row->arg_count && i > 1; j++) {
            TRY(bind_repeat(binder, left[j], &left[j]));
        }
        TRY(rows_equal(binder, row->arg_count, left, right, item->position, &parts[i - 1]));
    }
    *out = expr_or(binder->arena, ast->arg_count - 1, parts);
    return STATUS_OK;
}

static Status bind_in_items(Binder *binder, Scope *scope, const AstExpr *ast, Expr **out)
{
    Expr **args = NULL;
    TRY(bind_exprs(binder, scope, ast->arg_count, ast->args, &args));
    for (uint32_t i = 1; i < ast->arg_count; i++) {
        TRY(comparison_resolve(binder, &args[0], args[i]));
        TRY(comparison_resolve(binder, &args[i], args[0]));
    }
    Expr *value = args[0];
    Expr **constants = ARENA_ARRAY(binder->arena, Expr *, ast->arg_count);
    Expr **parts = ARENA_ARRAY(binder->arena, Expr *, ast->arg_count);
    uint32_t constant_count = 0, part_count = 0;
    for (uint32_t i = 1; i < ast->arg_count; i++) {
        if (is_in_constant(value, args[i])) {
            constants[constant_count++] = args[i];
        }
    }
    bool is_only_null = constant_count == 1 && constants[0]->constant.is_null;
    if (constant_count > 1 || is_only_null) {
        TRY(in_constants(binder, value, constant_count, constants, ast->position,
                         &parts[part_count++]));
    }
    for (uint32_t i = 1; i < ast->arg_count; i++) {
        bool is_done = is_in_constant(value, args[i]) && (constant_count > 1 || is_only_null);
        if (is_done) {
            continue;
        }
        Expr *again = value;
        if (part_count > 0) {
            TRY(bind_repeat(binder, value, &again));
        }
        TRY(bind_comparison(binder, FUNCTION_EQUAL, again, args[i], ast->position,
                            &parts[part_count++]));
    }
    *out = expr_or(binder->arena, part_count, parts);
    return STATUS_OK;
}

Status bind_in_list(Binder *binder, Scope *scope, const AstExpr *ast, Expr **out)
{
    Expr *expr = NULL;
    if (ast->args[0]->kind == AST_ROW) {
        TRY(bind_in_rows(binder, scope, ast, &expr));
    } else {
        TRY(bind_in_items(binder, scope, ast, &expr));
    }
    expr->position = ast->position;
    if (ast->is_negated && expr->kind == EXPR_IN) {
        expr->in.is_negated = true;
    } else if (ast->is_negated) {
        expr = expr_not(binder->arena, expr);
    }
    *out = expr;
    return STATUS_OK;
}

// ---- LIKE ----

Status bind_like(Binder *binder, Scope *scope, const AstExpr *ast, Expr **out)
{
    Expr **args = NULL;
    if (ast->like == AST_LIKE_SIMILAR) {
        return status_at(ast->position, SQLSTATE_FEATURE_NOT_SUPPORTED,
                         "SIMILAR TO is not supported yet");
    }
    TRY(bind_exprs(binder, scope, ast->arg_count, ast->args, &args));
    FunctionId function = ast->like == AST_LIKE_ILIKE ? FUNCTION_ILIKE : FUNCTION_LIKE;
    TRY(bind_function(binder, function, ast->arg_count, args, ast->position, out));
    *out = ast->is_negated ? expr_not(binder->arena, *out) : *out;
    return STATUS_OK;
}

// ---- IS ----

Status bind_is(Binder *binder, Scope *scope, const AstExpr *ast, Expr **out)
{
    Expr *arg = NULL;
    TRY(bind_expr(binder, scope, ast->args[0], &arg));
    if (ast->test == AST_IS_NULL) {
        TRY(coerce_unknown(binder, arg, &arg));
        *out = ast->is_negated ? expr_is_not_null(binder->arena, arg)
                               : expr_is_null(binder->arena, arg);
        return STATUS_OK;
    }
    static const char *const names[] = {
        [AST_IS_TRUE] = "IS TRUE", [AST_IS_FALSE] = "IS FALSE", [AST_IS_UNKNOWN] = "IS UNKNOWN"};
    TRY(coerce_condition(binder, arg, names[ast->test], &arg));
    if (ast->test == AST_IS_UNKNOWN) {
        *out = ast->is_negated ? expr_is_not_null(binder->arena, arg)
                               : expr_is_null(binder->arena, arg);
        return STATUS_OK;
    }
    Expr *truth = expr_boolean(binder->arena, ast->test == AST_IS_TRUE);
    Expr *same = expr_call2(binder->arena, FUNCTION_IS_NOT_DISTINCT, type_of(TYPE_BOOLEAN), arg,
                            truth);
    *out = ast->is_negated ? expr_not(binder->arena, same) : same;
    return STATUS_OK;
}

Status bind_is_distinct(Binder *binder, Scope *scope, const AstExpr *ast, Expr **out)
{
    Expr **args = NULL, *same = NULL;
    TRY(bind_exprs(binder, scope, 2, ast->args, &args));
    TRY(bind_comparison(binder, FUNCTION_IS_NOT_DISTINCT, args[0], args[1], ast->position, &same));
    *out = ast->is_negated ? same : expr_not(binder->arena, same);
    return STATUS_OK;
}
