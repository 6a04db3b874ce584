/*
 * slow_evaluator.h — SQL's rules for one row, one value at a time: what vectors are compared with.
 *
 * Knows the functions that random trees use. False means that the row raises an error.
 */
#pragma once
#include <string.h>

#include "base/types/datetime.h"
#include "base/types/decimal.h"
#include "base/types/text_format.h"
#include "planner/plan/expr.h"

static bool ref_eval(Arena *arena, const Expr *expr, const Value *row, Value *out);

static bool ref_store(Type type, Int128 number, Value *out)
{
    *out = (Value){.type = type};
    if (type_is_scaled_integer(type)) {
        if (number > type_int64_max(type) || number < type_int64_min(type)) {
            return false;
        }
        out->i64 = (int64_t)number;
        return true;
    }
    Int128 limit = decimal_power_of_ten(type.precision);
    out->i128 = number;
    return number < limit && number > -limit;
}

static bool ref_arithmetic(const Expr *expr, const Value *args, Value *out)
{
    if (type_is_float(expr->type)) {
        *out = (Value){.type = expr->type};
        double a = args[0].f64, b = args[1].f64;
        out->f64 = expr->function == FUNCTION_ADD ? a + b : a * b;
        bool is_underflow =
            expr->function == FUNCTION_MULTIPLY && out->f64 == 0 && a != 0 && b != 0;
        return !is_underflow && out->f64 - out->f64 == 0;
    }
    Int128 a = value_int128(&args[0]), b = value_int128(&args[1]), value;
    switch (expr->function) {
    case FUNCTION_ADD:
        return !__builtin_add_overflow(a, b, &value) && ref_store(expr->type, value, out);
    case FUNCTION_SUBTRACT:
        return !__builtin_sub_overflow(a, b, &value) && ref_store(expr->type, value, out);
    case FUNCTION_MULTIPLY: {
        uint32_t scale =
            expr->type.id == TYPE_DECIMAL ? args[0].type.scale + args[1].type.scale : 0;
        uint32_t drop = scale > expr->type.scale ? scale - expr->type.scale : 0;
        return decimal_multiply(a, b, drop, &value) && ref_store(expr->type, value, out);
    }
    case FUNCTION_DIVIDE:
        if (b == 0) {
            return false;
        }
        if (expr->type.id != TYPE_DECIMAL) {
            return ref_store(expr->type, a / b, out);
        }
        return decimal_divide(
                   a, b, (uint32_t)(expr->type.scale + args[1].type.scale - args[0].type.scale),
                   &value) &&
               ref_store(expr->type, value, out);
    case FUNCTION_MODULO:
        return b != 0 && ref_store(expr->type, a % b, out);
    default:
        return ref_store(expr->type, a < 0 ? -a : a, out); // ABS
    }
}

static bool ref_compare(FunctionId op, int order)
{
    switch (op) {
    case FUNCTION_EQUAL:
        return order == 0;
    case FUNCTION_NOT_EQUAL:
        return order != 0;
    case FUNCTION_LESS:
        return order < 0;
    case FUNCTION_LESS_EQUAL:
        return order <= 0;
    case FUNCTION_GREATER:
        return order > 0;
    default:
        return order >= 0;
    }
}

static bool ref_like(const char *text, size_t bytes, const char *pattern, size_t pattern_bytes)
{
    if (pattern_bytes == 0) {
        return bytes == 0;
    }
    if (*pattern == '%') {
        return ref_like(text, bytes, pattern + 1, pattern_bytes - 1) ||
               (bytes > 0 && ref_like(text + 1, bytes - 1, pattern, pattern_bytes));
    }
    return bytes > 0 && (*pattern == '_' || *pattern == *text) &&
           ref_like(text + 1, bytes - 1, pattern + 1, pattern_bytes - 1);
}

static Value ref_text(Arena *arena, Type type, const char *text, size_t bytes)
{
    return (Value){.type = type, .text = text_view_make(arena_strndup(arena, text, bytes), bytes)};
}

static bool ref_text_call(Arena *arena, const Expr *expr, const Value *args, Value *out)
{
    const char *text = text_view_data(&args[0].text);
    size_t bytes = args[0].text.length;
    switch (expr->function) {
    case FUNCTION_LIKE:
        *out = value_int64(
            expr->type, ref_like(text, bytes, text_view_data(&args[1].text), args[1].text.length));
        return true;
    case FUNCTION_LENGTH:
        *out = value_int64(expr->type, (int64_t)bytes);
        return true;
    case FUNCTION_UPPER: {
        *out = ref_text(arena, expr->type, text, bytes);
        char *copy = (char *)(uintptr_t)text_view_data(&out->text);
        for (size_t i = 0; i < bytes; i++) {
            copy[i] = (char)(copy[i] >= 'a' && copy[i] <= 'z' ? copy[i] - 32 : copy[i]);
        }
        return true;
    }
    case FUNCTION_CONCAT: {
        char *joined = arena_alloc(arena, bytes + args[1].text.length + 1);
        memcpy(joined, text, bytes);
        memcpy(joined + bytes, text_view_data(&args[1].text), args[1].text.length);
        *out = ref_text(arena, expr->type, joined, bytes + args[1].text.length);
        return true;
    }
    default: { // SUBSTRING with start >= 1
        if (args[2].i64 < 0) {
            return false;
        }
        size_t from = (size_t)args[1].i64 - 1;
        from = from > bytes ? bytes : from;
        size_t count = (size_t)args[2].i64;
        *out =
            ref_text(arena, expr->type, text + from, count > bytes - from ? bytes - from : count);
        return true;
    }
    }
}

static bool ref_call(Arena *arena, const Expr *expr, const Value *args, Value *out)
{
    FunctionId function = expr->function;
    if (function >= FUNCTION_EQUAL && function <= FUNCTION_GREATER_EQUAL) {
        *out = value_int64(expr->type, ref_compare(function, value_compare(&args[0], &args[1])));
        return true;
    }
    if (function == FUNCTION_EXTRACT) {
        *out = value_int64(expr->type, date_extract(args[1].i64, DATE_FIELD_YEAR));
        return true;
    }
    if (function == FUNCTION_DATE_ADD_DAYS) {
        *out = value_int64(expr->type, args[0].i64 + args[1].i64);
        return out->i64 >= -2440588 && out->i64 <= 2145042905;
    }
    if (type_is_text(args[0].type)) {
        return ref_text_call(arena, expr, args, out);
    }
    return ref_arithmetic(expr, args, out);
}

/* AND and OR, left to right; stops where the outcome is known. */
static bool ref_connective(Arena *arena, const Expr *expr, const Value *row, Value *out)
{
    bool is_and = expr->kind == EXPR_AND, has_null = false;
    for (uint32_t i = 0; i < expr->arg_count; i++) {
        Value part;
        if (!ref_eval(arena, expr->args[i], row, &part)) {
            return false;
        }
        has_null |= part.is_null;
        if (!part.is_null && (part.i64 != 0) != is_and) {
            *out = part;
            return true;
        }
    }
    *out = has_null ? value_null(expr->type) : value_int64(expr->type, is_and);
    return true;
}

static bool ref_case(Arena *arena, const Expr *expr, const Value *row, Value *out)
{
    for (uint32_t i = 0; i + 1 < expr->arg_count; i += 2) {
        Value when;
        if (!ref_eval(arena, expr->args[i], row, &when)) {
            return false;
        }
        if (!when.is_null && when.i64 != 0) {
            return ref_eval(arena, expr->args[i + 1], row, out);
        }
    }
    return ref_eval(arena, expr->args[expr->arg_count - 1], row, out);
}

static bool ref_conditional(Arena *arena, const Expr *expr, const Value *row, Value *out)
{
    Value best = value_null(expr->type);
    for (uint32_t i = 0; i < expr->arg_count; i++) {
        Value value;
        if (!ref_eval(arena, expr->args[i], row, &value)) {
            return false;
        }
        if (value.is_null) {
            continue;
        }
        if (expr->function == FUNCTION_COALESCE) {
            *out = value;
            return true;
        }
        if (best.is_null || value_compare(&value, &best) > 0) {
            best = value;
        }
    }
    *out = best;
    return true;
}

static bool ref_in(const Expr *expr, const Value *arg, Value *out)
{
    bool is_found = false;
    for (uint32_t i = 0; i < expr->in.value_count; i++) {
        is_found |= value_compare(&expr->in.values[i], arg) == 0;
    }
    bool is_null = !is_found && expr->in.has_null_value;
    *out =
        is_null ? value_null(expr->type) : value_int64(expr->type, is_found != expr->in.is_negated);
    return true;
}

static bool ref_strict(Arena *arena, const Expr *expr, const Value *row, Value *out)
{
    Value args[4];
    bool has_null = false;
    for (uint32_t i = 0; i < expr->arg_count; i++) {
        if (!ref_eval(arena, expr->args[i], row, &args[i])) {
            return false;
        }
        has_null |= args[i].is_null;
    }
    if (expr->kind == EXPR_IS_NULL || expr->kind == EXPR_IS_NOT_NULL) {
        *out = value_int64(expr->type, has_null == (expr->kind == EXPR_IS_NULL));
        return true;
    }
    if (has_null) {
        *out = value_null(expr->type);
        return true;
    }
    switch (expr->kind) {
    case EXPR_NOT:
        *out = value_int64(expr->type, args[0].i64 == 0);
        return true;
    case EXPR_IN:
        return ref_in(expr, &args[0], out);
    case EXPR_CAST: {
        Status status = value_cast(&args[0], expr->type, expr->is_explicit, arena, out);
        bool is_ok = status == STATUS_OK;
        status_free(status);
        return is_ok;
    }
    default:
        return ref_call(arena, expr, args, out);
    }
}

static bool ref_eval(Arena *arena, const Expr *expr, const Value *row, Value *out)
{
    switch (expr->kind) {
    case EXPR_COLUMN:
        *out = row[expr->column];
        return true;
    case EXPR_CONSTANT:
        *out = expr->constant;
        return true;
    case EXPR_AND:
    case EXPR_OR:
        return ref_connective(arena, expr, row, out);
    case EXPR_CASE:
        return ref_case(arena, expr, row, out);
    default:
        if (expr->kind == EXPR_CALL &&
            (expr->function == FUNCTION_COALESCE || expr->function == FUNCTION_GREATEST)) {
            return ref_conditional(arena, expr, row, out);
        }
        return ref_strict(arena, expr, row, out);
    }
}
