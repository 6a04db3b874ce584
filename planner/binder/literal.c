/*
 * literal.c — literals to constants.
 *
 *   42 -> INTEGER   3000000000 -> BIGINT   1.50 -> DECIMAL(3,2)   1e3 -> DOUBLE   'x' -> UNKNOWN
 */
#include "planner/binder/binder_internal.h"

#include <stdlib.h>
#include <string.h>
#include "base/types/datetime.h"
#include "base/types/decimal.h"
#include "base/types/text_format.h"

Expr *constant_value(Binder *binder, const Value *value, int32_t position)
{
    return expr_at(expr_constant(binder->arena, value), position);
}

Expr *constant_text(Binder *binder, const char *text, Type type)
{
    Value value = {.type = type, .text = text_view_make(text, strlen(text))};
    return expr_constant(binder->arena, &value);
}

Expr *constant_null(Binder *binder, Type type)
{
    Value value = value_null(type);
    return expr_constant(binder->arena, &value);
}

bool is_unknown(const Expr *expr)
{
    return expr->type.id == TYPE_UNKNOWN;
}

bool is_constant(const Expr *expr)
{
    return expr->kind == EXPR_CONSTANT && !is_unknown(expr);
}

static Status out_of_range(const AstExpr *ast)
{
    return status_at(ast->position, SQLSTATE_NUMERIC_VALUE_OUT_OF_RANGE,
                     "number \"%.60s\" is out of range", ast->text);
}

static Status bind_decimal(Binder *binder, const AstExpr *ast, Expr **out)
{
    const char *digits = ast->text + (ast->text[0] == '-' ? 1 : 0);
    digits += strspn(digits, "0");
    const char *point = strchr(digits, '.');
    size_t whole = point == NULL ? strlen(digits) : (size_t)(point - digits);
    size_t scale = point == NULL ? 0 : strlen(point + 1);
    size_t precision = whole + scale == 0 ? 1 : whole + scale;
    if (precision > DECIMAL_PRECISION_MAX || scale > DECIMAL_PRECISION_MAX - 1) {
        return out_of_range(ast);
    }
    Type type = type_decimal((uint32_t)precision, (uint32_t)scale);
    Value value;
    Status status = value_parse(ast->text, ast->bytes, type, binder->arena, &value);
    if (status != STATUS_OK) {
        return status_with_position(status, ast->position);
    }
    *out = constant_value(binder, &value, ast->position);
    return STATUS_OK;
}

Status bind_number(Binder *binder, const AstExpr *ast, Expr **out)
{
    if (strpbrk(ast->text, "eE") != NULL) {
        Value value = {.type = type_of(TYPE_DOUBLE)};
        Status status = double_parse(ast->text, ast->bytes, value.type, &value.f64);
        if (status != STATUS_OK) {
            return status_with_position(status, ast->position);
        }
        *out = constant_value(binder, &value, ast->position);
        return STATUS_OK;
    }
    Value value = value_int64(type_of(TYPE_BIGINT), 0);
    Status status = strchr(ast->text, '.') != NULL
                        ? status_error(SQLSTATE_NUMERIC_VALUE_OUT_OF_RANGE, "not an integer")
                        : integer_parse(ast->text, ast->bytes, value.type, &value.i64);
    if (status != STATUS_OK) {
        status_ignore(status, "what is no bigint is a decimal");
        return bind_decimal(binder, ast, out);
    }
    if (value.i64 >= INT32_MIN && value.i64 <= INT32_MAX) {
        value.type = type_of(TYPE_INTEGER);
    }
    *out = constant_value(binder, &value, ast->position);
    return STATUS_OK;
}

static const char *field_unit(uint32_t fields)
{
    // the last field counts: '1' DAY TO HOUR is one hour
    return fields & AST_INTERVAL_SECOND   ? "second"
           : fields & AST_INTERVAL_MINUTE ? "minute"
           : fields & AST_INTERVAL_HOUR   ? "hour"
           : fields & AST_INTERVAL_DAY    ? "day"
           : fields & AST_INTERVAL_MONTH  ? "month"
                                          : "year";
}

static bool is_plain_number(const char *text)
{
    size_t start = strspn(text, " +-");
    size_t digits = strspn(text + start, "0123456789.");
    return digits > 0 && text[start + digits + strspn(text + start + digits, " ")] == '\0';
}

// interval '3' day: the field is the unit of a bare number. '4:05' MINUTE TO SECOND has no hour.
static const char *interval_text(Binder *binder, const AstExpr *ast)
{
    uint32_t fields = ast->type->interval_fields;
    if (fields == 0) {
        return ast->text;
    }
    if (is_plain_number(ast->text)) {
        return arena_printf(binder->arena, "%s %s", ast->text, field_unit(fields));
    }
    const char *colon = strchr(ast->text, ':');
    bool is_minutes = fields == (AST_INTERVAL_MINUTE | AST_INTERVAL_SECOND) && colon != NULL &&
                      strchr(colon + 1, ':') == NULL;
    return is_minutes ? arena_printf(binder->arena, "00:%s", ast->text) : ast->text;
}

Status bind_typed_literal(Binder *binder, const AstExpr *ast, Expr **out)
{
    Type type;
    TRY(type_resolve(binder, ast->type, false, &type));
    const char *text = type.id == TYPE_INTERVAL ? interval_text(binder, ast) : ast->text;
    Expr *literal = expr_at(constant_text(binder, text, type_of(TYPE_UNKNOWN)), ast->position);
    TRY(coerce(binder, literal, type, CAST_EXPLICIT, out));
    *out = expr_at(*out, ast->position);
    return STATUS_OK;
}
