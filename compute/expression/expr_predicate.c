/*
 * expr_predicate.c — conjuncts over one column as predicates, and comparisons made simpler.
 *
 * Binders compare in a common type: cast(o_orderdate as timestamp) < '1993-10-01 00:00:00'. Such a
 * cast is undone where the constant allows it, o_orderdate <= '1993-09-30', so that zone maps and
 * encoded blocks can answer it.
 */
#include <string.h>

#include "base/types/datetime.h"
#include "base/types/decimal.h"
#include "compute/expression/expr_internal.h"
#include "compute/expression/expr_like.h"
#include "compute/expression/expr_simplify.h"
#include "compute/kernels/text_pattern.h"

static FunctionId flip(FunctionId op)
{
    switch (op) {
    case FUNCTION_LESS:
        return FUNCTION_GREATER;
    case FUNCTION_LESS_EQUAL:
        return FUNCTION_GREATER_EQUAL;
    case FUNCTION_GREATER:
        return FUNCTION_LESS;
    case FUNCTION_GREATER_EQUAL:
        return FUNCTION_LESS_EQUAL;
    default:
        return op;
    }
}

static bool is_comparison(FunctionId op)
{
    return op >= FUNCTION_EQUAL && op <= FUNCTION_GREATER_EQUAL;
}

/* --- undoing casts --- */

/* What the cast multiplies every value by, as int64: 1 keeps it, 86,400,000,000 makes midnights of
 * days, 100 gives two digits behind the point. 0: the cast is another one, or it can fail. */
static Int128 cast_unit(Type source, Type target)
{
    if (source.id == TYPE_DATE && target.id == TYPE_TIMESTAMP) {
        return US_PER_DAY;
    }
    if (type_is_integer(source) && type_is_integer(target)) {
        return type_int64_max(source) <= type_int64_max(target);
    }
    bool is_exact = type_is_integer(source) || source.id == TYPE_DECIMAL;
    uint32_t scale = source.id == TYPE_DECIMAL ? source.scale : 0;
    if (!is_exact || !type_is_scaled_integer(source) || target.id != TYPE_DECIMAL ||
        target.scale < scale || target.scale - scale > DECIMAL_PRECISION_INT64) {
        return 0;
    }
    Int128 unit = decimal_power_of_ten(target.scale - scale);
    Int128 limit =
        decimal_power_of_ten(target.precision == 0 ? DECIMAL_PRECISION_MAX : target.precision);
    return -(Int128)type_int64_min(source) * unit < limit ? unit : 0;
}

/* value * unit <op> bound as value <op> *out; false for '=' beside every multiple, and when the
 * bound is out of reach. */
static bool divide_bound(FunctionId *op, Int128 bound, Int128 unit, int64_t *out)
{
    Int128 quotient = bound / unit;
    quotient -= bound % unit < 0;
    bool is_multiple = quotient * unit == bound;
    if (quotient != (int64_t)quotient) {
        return false;
    }
    *out = (int64_t)quotient;
    switch (*op) {
    case FUNCTION_LESS: // before a time of that day: on or before the day
        *op = is_multiple ? FUNCTION_LESS : FUNCTION_LESS_EQUAL;
        return true;
    case FUNCTION_LESS_EQUAL:
    case FUNCTION_GREATER:
        return true;
    case FUNCTION_GREATER_EQUAL:
        *op = is_multiple ? FUNCTION_GREATER_EQUAL : FUNCTION_GREATER;
        return true;
    default:
        return is_multiple;
    }
}

/* The column under casts of texts that change nothing but the type. */
static const Expr *without_view_cast(const Expr *expr)
{
    while (expr->kind == EXPR_CAST && type_is_text(expr->type) &&
           type_is_text(expr->args[0]->type) && expr_text_fits(expr->args[0]->type, expr->type)) {
        expr = expr->args[0];
    }
    return expr;
}

static void undo_cast(Comparison *comparison)
{
    const Expr *cast = comparison->value;
    Type source = cast->args[0]->type;
    FunctionId op = comparison->op;
    int64_t bound;
    Int128 unit = cast_unit(source, cast->type);
    bool is_infinite =
        cast->type.id == TYPE_TIMESTAMP && timestamp_is_infinite(comparison->bound.i64);
    if (unit == 0 || is_infinite ||
        !divide_bound(&op, value_int128(&comparison->bound), unit, &bound)) {
        return;
    }
    comparison->op = op;
    comparison->value = cast->args[0];
    comparison->bound = value_int64(source, bound);
}

bool expr_simplify_comparison(const Expr *expr, Comparison *out)
{
    if (expr->kind != EXPR_CALL || !is_comparison(expr->function)) {
        return false;
    }
    const Expr *value = expr->args[0], *bound = expr->args[1];
    FunctionId op = expr->function;
    if (value->kind == EXPR_CONSTANT) {
        value = expr->args[1];
        bound = expr->args[0];
        op = flip(op);
    }
    if (bound->kind != EXPR_CONSTANT || bound->constant.is_null || value->kind == EXPR_CONSTANT) {
        return false;
    }
    *out = (Comparison){.op = op, .value = value, .bound = bound->constant};
    out->value = without_view_cast(value);
    if (value->kind == EXPR_CAST && out->value == value) {
        undo_cast(out);
    }
    return true;
}

/* --- predicates --- */

/* Bounds of scaled integers are closed: < 5 is <= 4. */
static void set_closed_range(FunctionId op, int64_t bound, Predicate *out)
{
    int64_t lo = bound, hi = bound;
    bool is_empty = (op == FUNCTION_LESS && bound == INT64_MIN) ||
                    (op == FUNCTION_GREATER && bound == INT64_MAX);
    if (is_empty) {
        lo = 1;
        hi = 0;
    } else {
        hi -= op == FUNCTION_LESS;
        lo += op == FUNCTION_GREATER;
    }
    out->has_lo =
        is_empty || op == FUNCTION_EQUAL || op == FUNCTION_GREATER || op == FUNCTION_GREATER_EQUAL;
    out->has_hi =
        is_empty || op == FUNCTION_EQUAL || op == FUNCTION_LESS || op == FUNCTION_LESS_EQUAL;
    out->lo = value_int64(out->type, lo);
    out->hi = value_int64(out->type, hi);
}

static bool compare_to_predicate(const Expr *expr, Arena *arena, uint32_t *column, Predicate *out)
{
    Comparison comparison;
    if (!expr_simplify_comparison(expr, &comparison) || comparison.value->kind != EXPR_COLUMN) {
        return false;
    }
    FunctionId op = comparison.op;
    Type type = comparison.value->type;
    *column = comparison.value->column;
    *out = (Predicate){
        .kind = op == FUNCTION_NOT_EQUAL ? PREDICATE_NOT_EQUAL : PREDICATE_RANGE,
        .type = type,
    };
    Value bound = value_copy(arena, &comparison.bound);
    bound.type = type;
    if (type.id == TYPE_DECIMAL &&
        type_widest_lane(comparison.bound.type) != type_widest_lane(type)) {
        Int128 number = value_int128(&comparison.bound); // of another precision
        if (type_is_scaled_integer(type) && number != (int64_t)number) {
            return false;
        }
        bound = value_null(type);
        bound.is_null = false;
        if (type_is_scaled_integer(type)) {
            bound.i64 = (int64_t)number;
        } else {
            bound.i128 = number;
        }
    }
    if (op == FUNCTION_NOT_EQUAL) {
        out->lo = out->hi = bound;
    } else if (type_is_scaled_integer(type)) {
        set_closed_range(op, bound.i64, out);
    } else {
        out->has_lo = op != FUNCTION_LESS && op != FUNCTION_LESS_EQUAL;
        out->has_hi = op != FUNCTION_GREATER && op != FUNCTION_GREATER_EQUAL;
        out->is_lo_open = op == FUNCTION_GREATER;
        out->is_hi_open = op == FUNCTION_LESS;
        out->lo = out->hi = bound;
    }
    return true;
}

static bool in_to_predicate(const Expr *expr, Arena *arena, uint32_t *column, Predicate *out)
{
    const Expr *value = without_view_cast(expr->args[0]);
    if (value->kind == EXPR_CAST && cast_unit(value->args[0]->type, value->type) == 1) {
        value = value->args[0];
    }
    if (expr->in.is_negated || value->kind != EXPR_COLUMN || expr->in.value_count == 0) {
        return false;
    }
    Value *values = ARENA_ARRAY(arena, Value, expr->in.value_count);
    bool is_scaled = type_is_scaled_integer(value->type);
    uint32_t count = 0;
    for (uint32_t i = 0; i < expr->in.value_count; i++) {
        const Value *listed = &expr->in.values[i];
        if (!is_scaled) {
            values[count] = value_copy(arena, listed);
            values[count].type = value->type;
            if (value->type.id == TYPE_DECIMAL) {
                values[count].i128 = value_int128(listed);
            }
            count++;
            continue;
        }
        Int128 number = value_int128(listed);
        if (number == (int64_t)number) { // else no value of the column equals it
            values[count++] = value_int64(value->type, (int64_t)number);
        }
    }
    if (count == 0) {
        return false;
    }
    *column = value->column;
    *out = (Predicate){
        .kind = PREDICATE_IN, .type = value->type, .values = values, .value_count = count};
    return true;
}

/* 'abc%' admits the texts from 'abc' up to, but without, 'abd'. */
static bool like_to_predicate(const Expr *expr, Arena *arena, uint32_t *column, Predicate *out,
                              bool *is_exact)
{
    const Expr *text = without_view_cast(expr->args[0]);
    const Value *constants[3] = {NULL};
    if (text->kind != EXPR_COLUMN) {
        return false;
    }
    for (uint32_t i = 1; i < expr->arg_count; i++) {
        if (expr->args[i]->kind != EXPR_CONSTANT || expr->args[i]->constant.is_null) {
            return false;
        }
        constants[i] = &expr->args[i]->constant;
    }
    const void *prepared = NULL;
    Status status = expr_like_prepare(expr, constants, arena, &prepared);
    if (status != STATUS_OK) {
        status_ignore(status, "the conjunct is kept and raises it");
        return false;
    }
    const TextPattern *pattern = prepared;
    const char *prefix, *whole;
    size_t whole_bytes, bytes = text_pattern_prefix(pattern, &prefix);
    uint8_t last = bytes == 0 ? UINT8_MAX : (uint8_t)prefix[bytes - 1];
    if (last == UINT8_MAX || last + 1 == ' ') { // no bound above it, or one that is trimmed away
        return false;
    }
    char *above = arena_memdup(arena, prefix, bytes);
    above[bytes - 1] = (char)(last + 1);
    *column = text->column;
    *out = (Predicate){
        .kind = PREDICATE_RANGE,
        .type = text->type,
        .has_lo = true,
        .has_hi = true,
        .is_hi_open = true,
        .lo = {.type = text->type, .text = text_view_make(prefix, bytes)},
        .hi = {.type = text->type, .text = text_view_make(above, bytes)},
    };
    // comparison does not see trailing blanks, LIKE does: a prefix must not end in one
    *is_exact = text_pattern_is_prefix(pattern, &whole, &whole_bytes) && last != ' ';
    return true;
}

static bool boolean_to_predicate(const Expr *column_expr, bool is_true, uint32_t *column,
                                 Predicate *out)
{
    if (column_expr->kind != EXPR_COLUMN || column_expr->type.id != TYPE_BOOLEAN) {
        return false;
    }
    Value value = value_int64(column_expr->type, is_true);
    *column = column_expr->column;
    *out = (Predicate){.kind = PREDICATE_RANGE,
                       .type = column_expr->type,
                       .has_lo = true,
                       .has_hi = true,
                       .lo = value,
                       .hi = value};
    return true;
}

bool expr_to_predicate(const Expr *expr, Arena *arena, uint32_t *column, Predicate *out,
                       bool *is_exact)
{
    *is_exact = true;
    switch (expr->kind) {
    case EXPR_COLUMN:
        return boolean_to_predicate(expr, true, column, out);
    case EXPR_NOT:
        return boolean_to_predicate(expr->args[0], false, column, out);
    case EXPR_IS_NULL:
    case EXPR_IS_NOT_NULL:
        if (expr->args[0]->kind != EXPR_COLUMN) {
            return false;
        }
        *column = expr->args[0]->column;
        *out = (Predicate){
            .kind = expr->kind == EXPR_IS_NULL ? PREDICATE_IS_NULL : PREDICATE_IS_NOT_NULL,
            .type = expr->args[0]->type,
        };
        return true;
    case EXPR_IN:
        return in_to_predicate(expr, arena, column, out);
    case EXPR_CALL:
        return expr->function == FUNCTION_LIKE
                   ? like_to_predicate(expr, arena, column, out, is_exact)
                   : compare_to_predicate(expr, arena, column, out);
    default:
        return false;
    }
}
