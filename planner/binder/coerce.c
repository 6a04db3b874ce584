/*
 * coerce.c — from the type an expression has to the type its place wants.
 *
 * Casts come in three levels, PostgreSQL's: IMPLICIT ones happen anywhere, ASSIGNMENT ones when
 * a column takes a value, EXPLICIT ones only when written. Constants are cast here and now, so a
 * plan holds no casts of literals and errors keep their position.
 */
#include "planner/binder/binder_internal.h"

#include <string.h>
#include "base/types/datetime.h"
#include "base/types/decimal.h"
#include "base/types/text_format.h"

#define PARAMETER_SCALE_MIN 10 /* a decimal parameter takes at least this many fraction digits */

// Place in the order of numeric types: a cast upwards is implicit.
static int numeric_rank(Type type)
{
    switch ((TypeId)type.id) {
    case TYPE_SMALLINT:
        return 1;
    case TYPE_INTEGER:
        return 2;
    case TYPE_BIGINT:
        return 3;
    case TYPE_DECIMAL:
        return 4;
    case TYPE_REAL:
        return 5;
    case TYPE_DOUBLE:
        return 6;
    default:
        return 0;
    }
}

CastLevel cast_level(Type source, Type target)
{
    if (source.id == target.id || source.id == TYPE_UNKNOWN) {
        return CAST_IMPLICIT;
    }
    if (type_is_numeric(source) && type_is_numeric(target)) {
        return numeric_rank(source) < numeric_rank(target) ? CAST_IMPLICIT : CAST_ASSIGNMENT;
    }
    if (type_is_text(source) && type_is_text(target)) {
        return CAST_IMPLICIT;
    }
    if (type_is_text(target)) {
        return CAST_ASSIGNMENT;
    }
    if (type_is_text(source)) {
        return CAST_EXPLICIT;
    }
    if (source.id == TYPE_DATE && target.id == TYPE_TIMESTAMP) {
        return CAST_IMPLICIT;
    }
    if (source.id == TYPE_TIMESTAMP && target.id == TYPE_DATE) {
        return CAST_ASSIGNMENT;
    }
    bool is_boolean_integer = (source.id == TYPE_BOOLEAN && type_is_integer(target)) ||
                              (target.id == TYPE_BOOLEAN && type_is_integer(source));
    return is_boolean_integer ? CAST_EXPLICIT : CAST_NONE;
}

static Status cannot_cast(const Expr *expr, Type target)
{
    return status_at(expr->position, SQLSTATE_CANNOT_COERCE, "cannot cast type %s to %s",
                     type_name(expr->type), type_name(target));
}

// The words now, today … need the session's clock, which value_parse has not.
static bool parse_clock_word(Binder *binder, const TextView *text, Type target, Value *out)
{
    int64_t now_us, us;
    if (target.id != TYPE_DATE && target.id != TYPE_TIMESTAMP) {
        return false;
    }
    now_us = binder->catalog->statement_time_us(binder->catalog->self);
    if (!datetime_word_parse(text_view_data(text), text->length, now_us, &us)) {
        return false;
    }
    *out = value_int64(target, target.id == TYPE_DATE ? date_from_timestamp(us) : us);
    return true;
}

static Status coerce_constant(Binder *binder, const Expr *expr, Type target, CastLevel level,
                              Expr **out)
{
    Value value = {0};
    Status status = STATUS_OK;
    const Value *constant = &expr->constant;
    bool is_explicit = level == CAST_EXPLICIT;
    if (constant->is_null) {
        value = value_null(target);
    } else if (is_unknown(expr) && parse_clock_word(binder, &constant->text, target, &value)) {
        // done
    } else if (is_unknown(expr) && !type_is_text(target)) {
        status = value_parse(text_view_data(&constant->text), constant->text.length, target,
                             binder->arena, &value);
    } else {
        status = value_cast(constant, target, is_explicit, binder->arena, &value);
    }
    if (status != STATUS_OK) {
        return status_with_position(status, expr->position);
    }
    *out = constant_value(binder, &value, expr->position);
    return STATUS_OK;
}

// What type a parameter gets from the place it is used at: no limits of length, room for digits.
static Type parameter_type(Type target)
{
    if (type_is_text(target)) {
        return type_varchar(0);
    }
    if (target.id == TYPE_DECIMAL) {
        uint32_t scale = target.scale > PARAMETER_SCALE_MIN ? target.scale : PARAMETER_SCALE_MIN;
        return type_decimal(DECIMAL_PRECISION_MAX, scale);
    }
    return target;
}

// The first use decides a parameter's type; later uses cast from it.
static Status coerce_parameter(Binder *binder, Expr *expr, Type target, CastLevel level,
                               Expr **out)
{
    BindParameters *parameters = binder->parameters;
    Type *type = &parameters->types[expr->parameter - 1];
    bool is_open_decimal = type->id == TYPE_DECIMAL && type->precision == 0; // numeric, by its OID
    if (type->id == TYPE_UNKNOWN || is_open_decimal) {
        *type = parameter_type(is_open_decimal ? type_decimal(1, 0) : target);
    }
    Expr *typed = expr_copy(binder->arena, expr);
    typed->type = *type;
    if (parameters->values != NULL) {
        Value value = parameters->values[expr->parameter - 1];
        typed = constant_value(binder, &value, expr->position);
        TRY(coerce(binder, typed, *type, CAST_EXPLICIT, &typed));
    }
    return coerce(binder, typed, target, level, out);
}

Status coerce_parameter_freely(Binder *binder, Expr *expr, Type beside, Expr **out)
{
    Type declared = binder->parameters->types[expr->parameter - 1];
    Type type = declared.id == TYPE_UNKNOWN ? parameter_type(beside) : declared;
    return coerce(binder, expr, type, CAST_IMPLICIT, out);
}

Status coerce(Binder *binder, Expr *expr, Type target, CastLevel level, Expr **out)
{
    if (type_equal(expr->type, target)) {
        *out = expr;
        return STATUS_OK;
    }
    if (is_unknown(expr) && expr->kind == EXPR_PARAMETER) {
        return coerce_parameter(binder, expr, target, level, out);
    }
    if (cast_level(expr->type, target) < level) {
        return cannot_cast(expr, target);
    }
    if (expr->kind == EXPR_CONSTANT) {
        return coerce_constant(binder, expr, target, level, out);
    }
    *out = expr_cast(binder->arena, expr, target, level == CAST_EXPLICIT);
    return STATUS_OK;
}

Status coerce_unknown(Binder *binder, Expr *expr, Expr **out)
{
    if (!is_unknown(expr)) {
        *out = expr;
        return STATUS_OK;
    }
    int32_t length = 0;
    if (expr->kind == EXPR_CONSTANT && !expr->constant.is_null) {
        uint32_t bytes = expr->constant.text.length;
        length = bytes == 0 ? 1 : bytes > VARCHAR_BYTES_MAX ? 0 : (int32_t)bytes;
    }
    return coerce(binder, expr, type_varchar(length), CAST_IMPLICIT, out);
}

Status coerce_condition(Binder *binder, Expr *expr, const char *what, Expr **out)
{
    Type boolean = type_of(TYPE_BOOLEAN);
    // WHERE 1 AND …: clients of Redshift write 1 for true
    bool is_flag = is_constant(expr) && expr->type.id == TYPE_INTEGER &&
                   (expr->constant.i64 == 0 || expr->constant.i64 == 1);
    if (!is_flag && cast_level(expr->type, boolean) < CAST_IMPLICIT) {
        return status_at(expr->position, SQLSTATE_DATATYPE_MISMATCH,
                         "argument of %s must be type boolean, not type %s", what,
                         type_name(expr->type));
    }
    return coerce(binder, expr, boolean, is_flag ? CAST_EXPLICIT : CAST_IMPLICIT, out);
}

// ---- common types ----

static uint32_t larger(uint32_t left, uint32_t right)
{
    return left > right ? left : right;
}

// Redshift's rule for UNION, COALESCE …: the larger scale, the larger whole part.
static Type common_decimal(Type left, Type right)
{
    left = decimal_of_integer(left);
    right = decimal_of_integer(right);
    uint32_t scale = larger(left.scale, right.scale);
    uint32_t precision = scale + larger((uint32_t)(left.precision - left.scale),
                                        (uint32_t)(right.precision - right.scale));
    return type_decimal(precision > DECIMAL_PRECISION_MAX ? DECIMAL_PRECISION_MAX : precision,
                        scale);
}

static Type common_text(Type left, Type right)
{
    int32_t length = left.length > right.length ? left.length : right.length;
    if (left.length == 0 || right.length == 0) {
        length = 0;
    }
    bool is_char = left.id == TYPE_CHAR && right.id == TYPE_CHAR;
    return is_char ? type_char(length) : type_varchar(length);
}

bool common_type_of_two(Type left, Type right, Type *out)
{
    if (type_equal(left, right) || right.id == TYPE_UNKNOWN) {
        *out = left;
        return true;
    }
    if (left.id == TYPE_UNKNOWN) {
        *out = right;
        return true;
    }
    if (type_is_text(left) && type_is_text(right)) {
        *out = common_text(left, right);
        return true;
    }
    if (type_is_numeric(left) && type_is_numeric(right)) {
        if (type_is_float(left) || type_is_float(right)) {
            *out = type_of(TYPE_DOUBLE);
        } else if (left.id == TYPE_DECIMAL || right.id == TYPE_DECIMAL) {
            *out = common_decimal(left, right);
        } else {
            *out = numeric_rank(left) > numeric_rank(right) ? left : right;
        }
        return true;
    }
    if (left.id == right.id) {
        *out = left;
        return true;
    }
    bool are_dates = (left.id == TYPE_DATE && right.id == TYPE_TIMESTAMP) ||
                     (left.id == TYPE_TIMESTAMP && right.id == TYPE_DATE);
    *out = type_of(TYPE_TIMESTAMP);
    return are_dates;
}

// The VARCHAR that holds every one of some literals; no limit when there is a parameter.
static Type common_literal_type(uint32_t count, Expr *const *exprs)
{
    uint32_t length = 1;
    for (uint32_t i = 0; i < count; i++) {
        bool is_text = exprs[i]->kind == EXPR_CONSTANT && !exprs[i]->constant.is_null;
        uint32_t bytes = is_text ? exprs[i]->constant.text.length : 0;
        if (bytes > VARCHAR_BYTES_MAX || exprs[i]->kind == EXPR_PARAMETER) {
            return type_varchar(0);
        }
        length = larger(length, bytes);
    }
    return type_varchar((int32_t)length);
}

Status common_type(Binder *binder, uint32_t count, Expr *const *exprs, const char *what,
                   Type *out)
{
    (void)binder;
    Type type = type_of(TYPE_UNKNOWN);
    for (uint32_t i = 0; i < count; i++) {
        Type merged;
        if (!common_type_of_two(type, exprs[i]->type, &merged)) {
            return status_at(exprs[i]->position, SQLSTATE_DATATYPE_MISMATCH,
                             "%s types %s and %s cannot be matched", what, type_name(type),
                             type_name(exprs[i]->type));
        }
        type = merged;
    }
    if (type.id == TYPE_UNKNOWN) {
        type = common_literal_type(count, exprs);
    } else if (type_is_text(type)) {
        // a literal beside a VARCHAR(3) column may be longer than the column
        for (uint32_t i = 0; i < count; i++) {
            bool is_text = is_unknown(exprs[i]) && exprs[i]->kind == EXPR_CONSTANT &&
                           !exprs[i]->constant.is_null;
            if (is_text && type.length > 0 &&
                exprs[i]->constant.text.length > (uint32_t)type.length) {
                uint32_t bytes = exprs[i]->constant.text.length;
                type = type_varchar(bytes > VARCHAR_BYTES_MAX ? 0 : (int32_t)bytes);
            }
        }
    }
    *out = type;
    return STATUS_OK;
}

Status coerce_common(Binder *binder, uint32_t count, Expr **exprs, const char *what, Type *out)
{
    TRY(common_type(binder, count, exprs, what, out));
    for (uint32_t i = 0; i < count; i++) {
        TRY(coerce(binder, exprs[i], *out, CAST_IMPLICIT, &exprs[i]));
    }
    return STATUS_OK;
}

// ---- constants beside columns ----

static bool decimal_is_exact(const Value *value, Type target, Value *out)
{
    uint32_t scale = value->type.id == TYPE_DECIMAL ? value->type.scale : 0;
    Int128 number = value_int128(value), there, back;
    Status status = decimal_rescale(number, scale, target, &there);
    if (status == STATUS_OK) {
        status = decimal_rescale(there, target.scale,
                                 type_decimal(DECIMAL_PRECISION_MAX, scale), &back);
    }
    if (status != STATUS_OK) {
        status_ignore(status, "the constant keeps its own type");
        return false;
    }
    *out = (Value){.type = target};
    if (type_is_scaled_integer(target)) {
        out->i64 = (int64_t)there;
    } else {
        out->i128 = there;
    }
    return back == number;
}

bool constant_narrow(Binder *binder, const Expr *constant, Type target, Expr **out)
{
    const Value *value = &constant->constant;
    bool is_exact = type_is_integer(value->type) || value->type.id == TYPE_DECIMAL;
    Value narrow;
    if (value->is_null || !is_exact) {
        return false;
    }
    if (type_is_integer(target)) {
        Type whole = type_decimal(DECIMAL_PRECISION_MAX, 0);
        if (!decimal_is_exact(value, whole, &narrow) ||
            narrow.i128 > type_int64_max(target) || narrow.i128 < type_int64_min(target)) {
            return false;
        }
        narrow = value_int64(target, (int64_t)narrow.i128);
    } else if (target.id != TYPE_DECIMAL || !decimal_is_exact(value, target, &narrow)) {
        return false;
    }
    *out = constant_value(binder, &narrow, constant->position);
    return true;
}
