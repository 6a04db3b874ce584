/*
 * fold_value.c — functions of constants, and constants moved through casts.
 *
 * The engine's evaluator, when the leader lends it, knows every function. Without it (tests, tools)
 * what date ranges and simple arithmetic need is computed here.
 */
#include "planner/optimizer/fold.h"

#include <math.h>

#include "base/types/datetime.h"
#include "base/types/decimal.h"
#include "planner/optimizer/selectivity.h"

static bool integer_result(Type type, bool has_overflow, int64_t value, Value *out)
{
    *out = value_int64(type, value);
    return !has_overflow && value >= type_int64_min(type) && value <= type_int64_max(type);
}

static bool fold_integers(const Expr *call, int64_t left, int64_t right, Value *out)
{
    int64_t result = 0;
    bool has_overflow = true;
    switch (call->function) {
    case FUNCTION_ADD:
    case FUNCTION_DATE_ADD_DAYS:
        has_overflow = __builtin_add_overflow(left, right, &result);
        break;
    case FUNCTION_SUBTRACT:
    case FUNCTION_DATE_SUBTRACT_DAYS:
    case FUNCTION_DATE_DIFFERENCE:
        has_overflow = __builtin_sub_overflow(left, right, &result);
        break;
    case FUNCTION_MULTIPLY:
        has_overflow =
            call->type.id == TYPE_DECIMAL || __builtin_mul_overflow(left, right, &result);
        break;
    default:
        break;
    }
    return integer_result(call->type, has_overflow, result, out);
}

static bool fold_doubles(const Expr *call, double left, double right, Value *out)
{
    *out = (Value){.type = call->type};
    switch (call->function) {
    case FUNCTION_ADD:
        out->f64 = left + right;
        break;
    case FUNCTION_SUBTRACT:
        out->f64 = left - right;
        break;
    case FUNCTION_MULTIPLY:
        out->f64 = left * right;
        break;
    default:
        return false;
    }
    return call->type.id == TYPE_DOUBLE && isfinite(out->f64);
}

static bool fold_interval(const Expr *call, const Value *left, const Value *right, Value *out)
{
    int sign = call->function == FUNCTION_TIMESTAMP_ADD_INTERVAL ? 1 : -1;
    int64_t us;
    Status status = timestamp_add_interval(left->i64, &right->interval, sign, &us);
    if (status != STATUS_OK) {
        status_ignore(status, "an overflow is left to the rows that reach it");
        return false;
    }
    *out = value_int64(call->type, us);
    return true;
}

static bool fold_compared(const Expr *call, const Value *left, const Value *right, Value *out)
{
    int order = value_compare(left, right);
    bool result = false;
    switch (call->function) {
    case FUNCTION_EQUAL:
        result = order == 0;
        break;
    case FUNCTION_NOT_EQUAL:
        result = order != 0;
        break;
    case FUNCTION_LESS:
        result = order < 0;
        break;
    case FUNCTION_LESS_EQUAL:
        result = order <= 0;
        break;
    case FUNCTION_GREATER:
        result = order > 0;
        break;
    default:
        result = order >= 0;
        break;
    }
    *out = value_int64(type_of(TYPE_BOOLEAN), result ? 1 : 0);
    return true;
}

/* Integers and dates of one kind, or decimals of the result's scale, all as int64. */
static bool are_plain_integers(const Expr *call, const Value *left, const Value *right)
{
    bool is_date = call->function == FUNCTION_DATE_ADD_DAYS ||
                   call->function == FUNCTION_DATE_SUBTRACT_DAYS ||
                   call->function == FUNCTION_DATE_DIFFERENCE;
    bool is_sum = call->function == FUNCTION_ADD || call->function == FUNCTION_SUBTRACT ||
                  call->function == FUNCTION_MULTIPLY;
    if (!type_is_scaled_integer(left->type) || !type_is_scaled_integer(right->type) ||
        !type_is_scaled_integer(call->type)) {
        return false;
    }
    if (is_date) {
        return left->type.id != TYPE_DATE ||
               (left->i64 != DATE_INFINITY && left->i64 != DATE_MINUS_INFINITY);
    }
    return is_sum && left->type.scale == right->type.scale &&
           left->type.scale == call->type.scale && type_is_numeric(call->type);
}

static bool fold_here(const Expr *call, Value *out)
{
    if (call->arg_count != 2) {
        return false;
    }
    const Value *left = &call->args[0]->constant, *right = &call->args[1]->constant;
    if (left->is_null || right->is_null) {
        return false;
    }
    if (is_comparison(call->function)) {
        bool is_text = type_is_text(left->type) && type_is_text(right->type);
        bool is_same = left->type.id == right->type.id && left->type.scale == right->type.scale &&
                       type_widest_lane(left->type) == type_widest_lane(right->type);
        return (is_text || is_same) && fold_compared(call, left, right, out);
    }
    if (call->function == FUNCTION_TIMESTAMP_ADD_INTERVAL ||
        call->function == FUNCTION_TIMESTAMP_SUBTRACT_INTERVAL) {
        return left->type.id == TYPE_TIMESTAMP && call->type.id == TYPE_TIMESTAMP &&
               fold_interval(call, left, right, out);
    }
    if (are_plain_integers(call, left, right)) {
        return fold_integers(call, left->i64, right->i64, out);
    }
    return left->type.id == TYPE_DOUBLE && right->type.id == TYPE_DOUBLE &&
           fold_doubles(call, left->f64, right->f64, out);
}

bool fold_call(PlannerContext *context, const Expr *call, Value *out)
{
    const CatalogView *catalog = context->catalog;
    if (catalog == NULL || catalog->evaluate_constant == NULL) {
        return fold_here(call, out);
    }
    Status status = catalog->evaluate_constant(catalog->self, call, context->arena, out);
    if (status != STATUS_OK) {
        status_ignore(status, "an error is left to the rows that reach it");
        return false;
    }
    return true;
}

/* floor(value) on the column's axis, and whether nothing was cut off. */
typedef struct FlooredValue {
    Int128 value;
    bool is_exact;
} FlooredValue;

static FlooredValue floor_divide(Int128 value, Int128 divisor)
{
    FlooredValue result = {value / divisor, value % divisor == 0};
    if (!result.is_exact && value < 0) {
        result.value--;
    }
    return result;
}

static bool is_exact_number(Type type)
{
    return type_is_integer(type) || type.id == TYPE_DECIMAL;
}

/* The constant of the cast's type on the axis of the type below the cast; false: cannot tell. */
static bool floor_to(Type from, const Value *value, FlooredValue *out)
{
    if (is_exact_number(from) && is_exact_number(value->type)) {
        uint32_t scale = value->type.id == TYPE_DECIMAL ? value->type.scale : 0;
        uint32_t from_scale = from.id == TYPE_DECIMAL ? from.scale : 0;
        if (scale < from_scale) {
            return false; // the cast rounds
        }
        *out = floor_divide(value_int128(value), decimal_power_of_ten(scale - from_scale));
        return true;
    }
    if (from.id == TYPE_DATE && value->type.id == TYPE_TIMESTAMP) {
        *out = floor_divide(value->i64, US_PER_DAY);
        return value->i64 != TIMESTAMP_INFINITY && value->i64 != TIMESTAMP_MINUS_INFINITY;
    }
    if ((from.id == TYPE_SMALLINT || from.id == TYPE_INTEGER) && value->type.id == TYPE_DOUBLE &&
        fabs(value->f64) < 1e15) {
        double whole = floor(value->f64);
        *out = (FlooredValue){(Int128)whole, whole == value->f64};
        return true;
    }
    return false;
}

Expr *fold_cast_comparison(Arena *arena, const Expr *comparison)
{
    const Expr *cast = comparison->args[0];
    const Value *value;
    if (cast->kind != EXPR_CAST || cast->args[0]->kind != EXPR_COLUMN ||
        !expr_is_constant(comparison->args[1], &value) || value->is_null) {
        return NULL;
    }
    Type from = cast->args[0]->type;
    if (type_is_text(from) && type_is_text(cast->type)) {
        bool is_cut =
            cast->type.length > 0 && (from.length == 0 || from.length > cast->type.length);
        return is_cut ? NULL
                      : expr_call2(arena, comparison->function, comparison->type, cast->args[0],
                                   comparison->args[1]);
    }
    FlooredValue floored;
    if (!type_is_scaled_integer(from) || from.id == TYPE_BOOLEAN ||
        !floor_to(from, value, &floored)) {
        return NULL;
    }
    FunctionId op = comparison->function;
    if (!floored.is_exact) {
        switch (op) {
        case FUNCTION_LESS:
        case FUNCTION_LESS_EQUAL:
            op = FUNCTION_LESS_EQUAL;
            break;
        case FUNCTION_GREATER:
        case FUNCTION_GREATER_EQUAL:
            op = FUNCTION_GREATER; // above the floor is at or above the next value
            break;
        default:
            return NULL;
        }
    }
    if (floored.value < type_int64_min(from) || floored.value > type_int64_max(from)) {
        return NULL;
    }
    Value bound = value_int64(from, (int64_t)floored.value);
    return expr_call2(arena, op, comparison->type, cast->args[0], expr_constant(arena, &bound));
}
