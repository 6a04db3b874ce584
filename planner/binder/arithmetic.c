/*
 * arithmetic.c — operators: + - * / % ^ || and the comparisons' symbols.
 *
 * Result types are Redshift's (base/types/decimal.h). Before + - % both decimals are cast to the
 * result's scale; * and / take them as they are.
 */
#include "planner/binder/binder_internal.h"

#include <string.h>
#include "base/types/decimal.h"

typedef struct ArithmeticOperator {
    const char *symbol;
    FunctionId function;
} ArithmeticOperator;

static const ArithmeticOperator arithmetic_operators[] = {
    {"+", FUNCTION_ADD},    {"-", FUNCTION_SUBTRACT}, {"*", FUNCTION_MULTIPLY},
    {"/", FUNCTION_DIVIDE}, {"%", FUNCTION_MODULO},
};

static const char *symbol_of(FunctionId function)
{
    for (size_t i = 0; i < sizeof(arithmetic_operators) / sizeof(arithmetic_operators[0]); i++) {
        if (arithmetic_operators[i].function == function) {
            return arithmetic_operators[i].symbol;
        }
    }
    return "?";
}

// ---- numbers ----

static Status rescale(Binder *binder, Expr *expr, uint32_t scale, Expr **out)
{
    Type type = decimal_of_integer(expr->type);
    if (expr->type.id == TYPE_DECIMAL && type.scale == scale) {
        *out = expr;
        return STATUS_OK;
    }
    uint32_t precision = (uint32_t)(type.precision - type.scale) + scale;
    precision = precision > DECIMAL_PRECISION_MAX ? DECIMAL_PRECISION_MAX : precision;
    precision = precision < 1 ? 1 : precision;
    return coerce(binder, expr, type_decimal(precision, scale), CAST_ASSIGNMENT, out);
}

static Status bind_decimals(Binder *binder, FunctionId function, Expr *left, Expr *right,
                            Expr **out)
{
    Type left_type = decimal_of_integer(left->type), right_type = decimal_of_integer(right->type);
    Type type;
    if (function == FUNCTION_MULTIPLY || function == FUNCTION_DIVIDE) {
        type = function == FUNCTION_MULTIPLY ? decimal_multiply_type(left_type, right_type)
                                             : decimal_divide_type(left_type, right_type);
        TRY(coerce(binder, left, left_type, CAST_IMPLICIT, &left));
        TRY(coerce(binder, right, right_type, CAST_IMPLICIT, &right));
    } else {
        type = decimal_add_type(left_type, right_type);
        TRY(rescale(binder, left, type.scale, &left));
        TRY(rescale(binder, right, type.scale, &right));
    }
    *out = expr_call2(binder->arena, function, type, left, right);
    return STATUS_OK;
}

static Status bind_numbers(Binder *binder, FunctionId function, Expr *left, Expr *right,
                           Expr **out)
{
    bool has_float = type_is_float(left->type) || type_is_float(right->type);
    if (!has_float && (left->type.id == TYPE_DECIMAL || right->type.id == TYPE_DECIMAL)) {
        return bind_decimals(binder, function, left, right, out);
    }
    Type type = type_of(TYPE_DOUBLE);
    if (has_float) {
        bool are_real = left->type.id == TYPE_REAL && right->type.id == TYPE_REAL;
        type = type_of(are_real ? TYPE_REAL : TYPE_DOUBLE);
    } else {
        common_type_of_two(left->type, right->type, &type);
    }
    TRY(coerce(binder, left, type, CAST_IMPLICIT, &left));
    TRY(coerce(binder, right, type, CAST_IMPLICIT, &right));
    *out = expr_call2(binder->arena, function, type, left, right);
    return STATUS_OK;
}

Status bind_arithmetic(Binder *binder, FunctionId function, Expr *left, Expr *right,
                       int32_t position, Expr **out)
{
    Expr *expr = NULL;
    bool is_known = false;
    TRY(bind_date_arithmetic(binder, function, left, right, position, &is_known, &expr));
    if (!is_known) {
        // a literal beside a number is a number of that type, as in PostgreSQL
        if (is_unknown(left) && type_is_numeric(right->type)) {
            TRY(comparison_resolve(binder, &left, right));
        } else if (is_unknown(right) && type_is_numeric(left->type)) {
            TRY(comparison_resolve(binder, &right, left));
        }
        bool is_float_modulo = function == FUNCTION_MODULO &&
                               (type_is_float(left->type) || type_is_float(right->type));
        if (!type_is_numeric(left->type) || !type_is_numeric(right->type) || is_float_modulo) {
            return operator_missing(symbol_of(function), left->type, right->type, position);
        }
        TRY(bind_numbers(binder, function, left, right, &expr));
    }
    *out = expr_at(expr, position);
    return STATUS_OK;
}

static bool negate_value(Value *value)
{
    if (value->is_null) {
        return true;
    }
    if (type_is_float(value->type)) {
        value->f64 = -value->f64;
        return true;
    }
    if (value->type.id == TYPE_INTERVAL) {
        Interval span = value->interval;
        if (span.months == INT32_MIN || span.days == INT32_MIN || span.us == INT64_MIN) {
            return false;
        }
        value->interval = (Interval){-span.months, -span.days, -span.us};
        return true;
    }
    if (!type_is_scaled_integer(value->type)) {
        value->i128 = -value->i128;
        return true;
    }
    if (value->i64 == type_int64_min(value->type)) {
        return false;
    }
    value->i64 = -value->i64;
    return true;
}

Status bind_negate(Binder *binder, Expr *operand, int32_t position, Expr **out)
{
    if (is_unknown(operand)) {
        TRY(coerce(binder, operand, type_of(TYPE_DOUBLE), CAST_IMPLICIT, &operand));
    }
    if (!type_is_numeric(operand->type) && operand->type.id != TYPE_INTERVAL) {
        Status status = status_at(position, SQLSTATE_UNDEFINED_FUNCTION,
                                  "operator does not exist: - %s", type_name(operand->type));
        return status_with_hint(status, "No operator matches the given name and argument type. "
                                        "You might need to add an explicit type cast.");
    }
    if (is_constant(operand)) {
        Value value = operand->constant;
        if (negate_value(&value)) {
            *out = constant_value(binder, &value, position);
            return STATUS_OK;
        }
    }
    Expr **args = ARENA_ARRAY(binder->arena, Expr *, 1);
    args[0] = operand;
    *out = expr_at(expr_call(binder->arena, FUNCTION_NEGATE, operand->type, 1, args), position);
    return STATUS_OK;
}

// ---- || ----

// PostgreSQL's rule: one side must be text, the other may be anything.
Status bind_concat(Binder *binder, Expr *left, Expr *right, int32_t position, Expr **out)
{
    bool has_text = type_is_text(left->type) || type_is_text(right->type);
    if (!has_text) {
        return operator_missing("||", left->type, right->type, position);
    }
    Expr *sides[2] = {left, right};
    for (int i = 0; i < 2; i++) {
        TRY(coerce_unknown(binder, sides[i], &sides[i]));
        if (sides[i]->type.id != TYPE_VARCHAR) {
            int32_t length = sides[i]->type.id == TYPE_CHAR ? sides[i]->type.length : 0;
            TRY(coerce(binder, sides[i], type_varchar(length), CAST_ASSIGNMENT, &sides[i]));
        }
    }
    int64_t length = (int64_t)sides[0]->type.length + sides[1]->type.length;
    bool is_limited = sides[0]->type.length > 0 && sides[1]->type.length > 0 &&
                      length <= VARCHAR_BYTES_MAX;
    *out = expr_call2(binder->arena, FUNCTION_CONCAT,
                      type_varchar(is_limited ? (int32_t)length : 0), sides[0], sides[1]);
    *out = expr_at(*out, position);
    return STATUS_OK;
}

// ---- by symbol ----

static Status bind_power(Binder *binder, Expr *left, Expr *right, int32_t position, Expr **out)
{
    return bind_function(binder, FUNCTION_POWER, 2, (Expr *[]){left, right}, position, out);
}

static Status bind_unary(Binder *binder, Scope *scope, const AstExpr *ast, Expr **out)
{
    Expr *operand = NULL;
    TRY(bind_expr(binder, scope, ast->args[0], &operand));
    if (strcmp(ast->text, "-") == 0) {
        return bind_negate(binder, operand, ast->position, out);
    }
    static const struct {
        const char *symbol;
        FunctionId function;
    } prefixes[] = {{"@", FUNCTION_ABS}, {"|/", FUNCTION_SQRT}, {"||/", FUNCTION_CBRT}};
    for (size_t i = 0; i < sizeof(prefixes) / sizeof(prefixes[0]); i++) {
        if (strcmp(ast->text, prefixes[i].symbol) == 0) {
            return bind_function(binder, prefixes[i].function, 1, &operand, ast->position, out);
        }
    }
    bool is_plus = strcmp(ast->text, "+") == 0;
    if (!is_plus || (!type_is_numeric(operand->type) && operand->type.id != TYPE_INTERVAL)) {
        return status_at(ast->position, SQLSTATE_UNDEFINED_FUNCTION,
                         "operator does not exist: %s %s", ast->text, type_name(operand->type));
    }
    *out = operand;
    return STATUS_OK;
}

// a ~~ b is LIKE, a ~ b a regular expression.
static Status bind_other(Binder *binder, const AstExpr *ast, Expr *left, Expr *right, Expr **out)
{
    static const struct {
        const char *symbol;
        FunctionId function;
        bool is_negated;
    } matches[] = {{"~~", FUNCTION_LIKE, false},
                   {"~~*", FUNCTION_ILIKE, false},
                   {"!~~", FUNCTION_LIKE, true},
                   {"!~~*", FUNCTION_ILIKE, true},
                   {"~", FUNCTION_REGEX_MATCH, false},
                   {"~*", FUNCTION_REGEX_MATCH_NO_CASE, false},
                   {"!~", FUNCTION_REGEX_MATCH, true},
                   {"!~*", FUNCTION_REGEX_MATCH_NO_CASE, true}};
    for (size_t i = 0; i < sizeof(matches) / sizeof(matches[0]); i++) {
        if (strcmp(ast->text, matches[i].symbol) == 0) {
            TRY(bind_function(binder, matches[i].function, 2, (Expr *[]){left, right},
                              ast->position, out));
            *out = matches[i].is_negated ? expr_not(binder->arena, *out) : *out;
            return STATUS_OK;
        }
    }
    static const char *const later[] = {"&", "|", "#", "<<", ">>"};
    for (size_t i = 0; i < sizeof(later) / sizeof(later[0]); i++) {
        if (strcmp(ast->text, later[i]) == 0) {
            return status_at(ast->position, SQLSTATE_FEATURE_NOT_SUPPORTED,
                             "operator %s is not supported yet", ast->text);
        }
    }
    return operator_missing(ast->text, left->type, right->type, ast->position);
}

Status bind_operator(Binder *binder, Scope *scope, const AstExpr *ast, Expr **out)
{
    FunctionId comparison;
    bool is_comparison = comparison_find(ast->text, &comparison);
    if (ast->arg_count == 1) {
        return bind_unary(binder, scope, ast, out);
    }
    bool has_row = ast->args[0]->kind == AST_ROW || ast->args[1]->kind == AST_ROW;
    if (is_comparison && has_row) {
        return bind_row_comparison(binder, scope, ast, comparison, out);
    }
    Expr *left = NULL, *right = NULL;
    TRY(bind_expr(binder, scope, ast->args[0], &left));
    TRY(bind_expr(binder, scope, ast->args[1], &right));
    if (is_comparison) {
        return bind_comparison(binder, comparison, left, right, ast->position, out);
    }
    for (size_t i = 0; i < sizeof(arithmetic_operators) / sizeof(arithmetic_operators[0]); i++) {
        if (strcmp(ast->text, arithmetic_operators[i].symbol) == 0) {
            return bind_arithmetic(binder, arithmetic_operators[i].function, left, right,
                                   ast->position, out);
        }
    }
    if (strcmp(ast->text, "||") == 0) {
        return bind_concat(binder, left, right, ast->position, out);
    }
    if (strcmp(ast->text, "^") == 0) {
        return bind_power(binder, left, right, ast->position, out);
    }
    return bind_other(binder, ast, left, right, out);
}
