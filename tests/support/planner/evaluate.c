/* evaluate.c — SQL expressions on single values, three-valued, straight from the definitions. */
#include <math.h>
#include <string.h>

#include "base/types/datetime.h"
#include "base/types/decimal.h"
#include "base/types/text_format.h"
#include "tests/support/planner/rows.h"

static Value fail(Evaluator *self, const char *text, Type type)
{
    self->failure = self->failure == NULL ? text : self->failure;
    return value_null(type);
}

static Value boolean(bool value)
{
    return value_int64(type_of(TYPE_BOOLEAN), value ? 1 : 0);
}

static Value unknown(void)
{
    return value_null(type_of(TYPE_BOOLEAN));
}

static Value from_int128(Type type, Int128 number)
{
    Value value = {.type = type};
    if (type_widest_lane(type) == LANE_I128) {
        value.i128 = number;
    } else {
        value.i64 = (int64_t)number;
    }
    return value;
}

Value evaluate_comparison(FunctionId op, const Value *left, const Value *right)
{
    if (op == FUNCTION_IS_NOT_DISTINCT) {
        return boolean(left->is_null || right->is_null ? left->is_null == right->is_null
                                                       : value_compare(left, right) == 0);
    }
    if (left->is_null || right->is_null) {
        return unknown();
    }
    int order = value_compare(left, right);
    switch (op) {
    case FUNCTION_EQUAL:
        return boolean(order == 0);
    case FUNCTION_NOT_EQUAL:
        return boolean(order != 0);
    case FUNCTION_LESS:
        return boolean(order < 0);
    case FUNCTION_LESS_EQUAL:
        return boolean(order <= 0);
    case FUNCTION_GREATER:
        return boolean(order > 0);
    default:
        return boolean(order >= 0);
    }
}

static Int128 power(uint32_t exponent)
{
    return decimal_power_of_ten(exponent);
}

static Int128 rescale(Int128 value, int from, int to)
{
    return to >= from ? value * power((uint32_t)(to - from)) : value / power((uint32_t)(from - to));
}

static int scale_of(Type type)
{
    return type.id == TYPE_DECIMAL ? type.scale : 0;
}

static Value exact_arithmetic(Evaluator *self, const Expr *expr, const Value *left,
                              const Value *right)
{
    Int128 a = value_int128(left), b = value_int128(right);
    int result = scale_of(expr->type);
    switch (expr->function) {
    case FUNCTION_ADD:
    case FUNCTION_SUBTRACT:
        a = rescale(a, scale_of(left->type), result);
        b = rescale(b, scale_of(right->type), result);
        return from_int128(expr->type, expr->function == FUNCTION_ADD ? a + b : a - b);
    case FUNCTION_MULTIPLY:
        return from_int128(expr->type,
                           rescale(a * b, scale_of(left->type) + scale_of(right->type), result));
    case FUNCTION_DIVIDE:
        if (b == 0) {
            return fail(self, "division by zero", expr->type);
        }
        return from_int128(expr->type,
                           rescale(a, scale_of(left->type), result + scale_of(right->type)) / b);
    default:
        return b == 0 ? fail(self, "division by zero", expr->type) : from_int128(expr->type, a % b);
    }
}

static Value float_arithmetic(const Expr *expr, double a, double b)
{
    Value value = {.type = expr->type};
    value.f64 = expr->function == FUNCTION_ADD        ? a + b
                : expr->function == FUNCTION_SUBTRACT ? a - b
                : expr->function == FUNCTION_MULTIPLY ? a * b
                                                      : a / b;
    return value;
}

static bool like(const char *text, size_t bytes, const char *pattern, size_t pattern_bytes)
{
    if (pattern_bytes == 0) {
        return bytes == 0;
    }
    if (pattern[0] == '%') {
        for (size_t i = 0; i <= bytes; i++) {
            if (like(text + i, bytes - i, pattern + 1, pattern_bytes - 1)) {
                return true;
            }
        }
        return false;
    }
    return bytes > 0 && (pattern[0] == '_' || pattern[0] == text[0]) &&
           like(text + 1, bytes - 1, pattern + 1, pattern_bytes - 1);
}

static Value text_value(Evaluator *self, Type type, const char *data, size_t bytes)
{
    Value value = {.type = type};
    value.text = text_view_make(arena_strndup(self->arena, data, bytes), bytes);
    return value;
}

static Value substring(Evaluator *self, const Expr *expr, const Value *args)
{
    const char *data = text_view_data(&args[0].text);
    int64_t bytes = args[0].text.length, start = args[1].i64 - 1;
    int64_t end = expr->arg_count > 2 ? start + args[2].i64 : bytes;
    start = start < 0 ? 0 : start > bytes ? bytes : start;
    end = end < start ? start : end > bytes ? bytes : end;
    return text_value(self, expr->type, data + start, (size_t)(end - start));
}

static Value average(Evaluator *self, Type type, const Value *sum, const Value *count)
{
    if (count->i64 == 0 || sum->is_null) {
        return value_null(type);
    }
    if (type_is_float(type)) {
        Value value = {.type = type, .f64 = sum->f64 / (double)count->i64};
        return value;
    }
    if (type_is_float(sum->type)) {
        return fail(self, "average of a float is no float", type);
    }
    return from_int128(type, rescale(value_int128(sum), scale_of(sum->type), scale_of(type)) /
                                 count->i64);
}

static Value date_function(Evaluator *self, const Expr *expr, const Value *args)
{
    DateField field;
    int64_t us;
    switch (expr->function) {
    case FUNCTION_DATE_ADD_DAYS:
        return value_int64(expr->type, args[0].i64 + args[1].i64);
    case FUNCTION_DATE_SUBTRACT_DAYS:
    case FUNCTION_DATE_DIFFERENCE:
        return value_int64(expr->type, args[0].i64 - args[1].i64);
    case FUNCTION_EXTRACT:
        if (!date_field_parse(text_view_data(&args[0].text), args[0].text.length, &field)) {
            return fail(self, "unknown date field", expr->type);
        }
        return value_int64(expr->type, args[1].type.id == TYPE_DATE
                                           ? date_extract(args[1].i64, field)
                                           : timestamp_extract(args[1].i64, field));
    default: {
        int sign = expr->function == FUNCTION_TIMESTAMP_ADD_INTERVAL ? 1 : -1;
        Status status = timestamp_add_interval(args[0].i64, &args[1].interval, sign, &us);
        if (status != STATUS_OK) {
            status_free(status);
            return fail(self, "timestamp out of range", expr->type);
        }
        return value_int64(expr->type, us);
    }
    }
}

static Value strict_call(Evaluator *self, const Expr *expr, const Value *args)
{
    switch (expr->function) {
    case FUNCTION_ADD:
    case FUNCTION_SUBTRACT:
    case FUNCTION_MULTIPLY:
    case FUNCTION_DIVIDE:
    case FUNCTION_MODULO:
        return type_is_float(expr->type) ? float_arithmetic(expr, args[0].f64, args[1].f64)
                                         : exact_arithmetic(self, expr, &args[0], &args[1]);
    case FUNCTION_NEGATE:
        return from_int128(expr->type, -value_int128(&args[0]));
    case FUNCTION_LIKE:
        return boolean(like(text_view_data(&args[0].text), args[0].text.length,
                            text_view_data(&args[1].text), args[1].text.length));
    case FUNCTION_CONCAT: {
        size_t first = args[0].text.length, second = args[1].text.length;
        char *both = arena_alloc(self->arena, first + second + 1);
        memcpy(both, text_view_data(&args[0].text), first);
        memcpy(both + first, text_view_data(&args[1].text), second);
        return text_value(self, expr->type, both, first + second);
    }
    case FUNCTION_OCTET_LENGTH:
        return value_int64(expr->type, (int64_t)args[0].text.length);
    case FUNCTION_SUBSTRING:
        return substring(self, expr, args);
    case FUNCTION_ABS:
        return value_int128(&args[0]) < 0 ? from_int128(expr->type, -value_int128(&args[0]))
                                          : args[0];
    case FUNCTION_AVG_FINAL:
        return average(self, expr->type, &args[0], &args[1]);
    case FUNCTION_DATE_ADD_DAYS:
    case FUNCTION_DATE_SUBTRACT_DAYS:
    case FUNCTION_DATE_DIFFERENCE:
    case FUNCTION_EXTRACT:
    case FUNCTION_TIMESTAMP_ADD_INTERVAL:
    case FUNCTION_TIMESTAMP_SUBTRACT_INTERVAL:
        return date_function(self, expr, args);
    default:
        return fail(self, function_name(expr->function), expr->type);
    }
}

static Value evaluate_call(Evaluator *self, const Expr *expr)
{
    Value args[16];
    for (uint32_t i = 0; i < expr->arg_count && i < 16; i++) {
        args[i] = evaluate(self, expr->args[i]);
        if (args[i].is_null && function_is_strict(expr->function)) {
            return value_null(expr->type);
        }
        if (expr->function == FUNCTION_COALESCE && !args[i].is_null) {
            return args[i];
        }
    }
    if (expr->function == FUNCTION_COALESCE) {
        return value_null(expr->type);
    }
    if (expr->function == FUNCTION_NULLIF) {
        Value equal = evaluate_comparison(FUNCTION_EQUAL, &args[0], &args[1]);
        return !equal.is_null && equal.i64 != 0 ? value_null(expr->type) : args[0];
    }
    bool is_comparison =
        expr->function >= FUNCTION_EQUAL && expr->function <= FUNCTION_IS_NOT_DISTINCT;
    return is_comparison ? evaluate_comparison(expr->function, &args[0], &args[1])
                         : strict_call(self, expr, args);
}

static Value evaluate_connective(Evaluator *self, const Expr *expr)
{
    bool is_and = expr->kind == EXPR_AND, has_unknown = false;
    for (uint32_t i = 0; i < expr->arg_count; i++) {
        Value value = evaluate(self, expr->args[i]);
        if (value.is_null) {
            has_unknown = true;
        } else if ((value.i64 != 0) != is_and) {
            return boolean(!is_and);
        }
    }
    return has_unknown ? unknown() : boolean(is_and);
}

static Value evaluate_in(Evaluator *self, const Expr *expr)
{
    Value value = evaluate(self, expr->args[0]);
    if (value.is_null) {
        return unknown();
    }
    for (uint32_t i = 0; i < expr->in.value_count; i++) {
        if (value_compare(&value, &expr->in.values[i]) == 0) {
            return boolean(!expr->in.is_negated);
        }
    }
    return expr->in.has_null_value ? unknown() : boolean(expr->in.is_negated);
}

static Value evaluate_cast(Evaluator *self, const Expr *expr)
{
    Value value = evaluate(self, expr->args[0]), result;
    if (value.is_null) {
        return value_null(expr->type);
    }
    Status status = value_cast(&value, expr->type, expr->is_explicit, self->arena, &result);
    if (status != STATUS_OK) {
        status_free(status);
        return fail(self, "cast failed", expr->type);
    }
    return result;
}

Value evaluate(Evaluator *self, const Expr *expr)
{
    Value value;
    switch (expr->kind) {
    case EXPR_COLUMN:
        return self->column(self->object, expr->column);
    case EXPR_CONSTANT:
        return expr->constant;
    case EXPR_CALL:
        return evaluate_call(self, expr);
    case EXPR_CAST:
        return evaluate_cast(self, expr);
    case EXPR_CASE:
        for (uint32_t i = 0; i + 1 < expr->arg_count; i += 2) {
            if (evaluate_condition(self, expr->args[i])) {
                return evaluate(self, expr->args[i + 1]);
            }
        }
        return evaluate(self, expr->args[expr->arg_count - 1]);
    case EXPR_AND:
    case EXPR_OR:
        return evaluate_connective(self, expr);
    case EXPR_NOT:
        value = evaluate(self, expr->args[0]);
        return value.is_null ? value : boolean(value.i64 == 0);
    case EXPR_IS_NULL:
        return boolean(evaluate(self, expr->args[0]).is_null);
    case EXPR_IS_NOT_NULL:
        return boolean(!evaluate(self, expr->args[0]).is_null);
    case EXPR_IN:
        return evaluate_in(self, expr);
    case EXPR_SUBQUERY:
        return self->subquery(self->object, expr);
    default:
        return fail(self, "an expression that is not evaluated", expr->type);
    }
}

bool evaluate_condition(Evaluator *self, const Expr *condition)
{
    if (condition == NULL) {
        return true;
    }
    Value value = evaluate(self, condition);
    return !value.is_null && value.i64 != 0;
}

static bool is_new_value(Accumulator *self, const Value *value, Arena *arena)
{
    if (!self->call->is_distinct) {
        return true;
    }
    if (self->distinct == NULL) {
        self->distinct = rows_create(arena, 1);
    }
    for (uint32_t i = 0; i < self->distinct->count; i++) {
        if (value_equal(self->distinct->items[i], value)) {
            return false;
        }
    }
    rows_add_copy(self->distinct, value);
    return true;
}

static void add_number(Accumulator *self, const Value *value)
{
    Type type =
        self->call->id == AGGREGATE_AVG ? aggregate_sum_type(value->type) : self->call->type;
    if (self->value.is_null || self->count == 0) {
        self->value = type_is_float(type) ? (Value){.type = type} : from_int128(type, 0);
    }
    if (type_is_float(type)) {
        self->value.f64 += type_is_float(value->type) ? value->f64 : (double)value->i64;
    } else {
        Int128 sum = value_int128(&self->value) + value_int128(value);
        self->value = from_int128(type, sum);
    }
}

void accumulator_add(Accumulator *self, Evaluator *evaluator)
{
    const AggregateCall *call = self->call;
    if (!evaluate_condition(evaluator, call->filter)) {
        return;
    }
    if (call->argument == NULL) {
        self->count++;
        return;
    }
    Value value = evaluate(evaluator, call->argument);
    if (call->id == AGGREGATE_SINGLE_VALUE || call->id == AGGREGATE_SINGLE_MATCH) {
        if (self->count > 0) {
            fail(evaluator, "more than one row returned by a subquery", call->type);
        }
        self->value = value;
        self->count++;
        return;
    }
    if (value.is_null || !is_new_value(self, &value, evaluator->arena)) {
        return;
    }
    bool is_first = self->count == 0;
    switch (call->id) {
    case AGGREGATE_SUM:
    case AGGREGATE_SUM_COUNT:
    case AGGREGATE_AVG:
        add_number(self, &value);
        break;
    case AGGREGATE_MIN:
    case AGGREGATE_BOOL_AND:
        self->value = is_first || value_compare(&value, &self->value) < 0 ? value : self->value;
        break;
    case AGGREGATE_MAX:
    case AGGREGATE_BOOL_OR:
        self->value = is_first || value_compare(&value, &self->value) > 0 ? value : self->value;
        break;
    case AGGREGATE_ANY_VALUE:
        self->value = is_first ? value : self->value;
        break;
    default:
        break;
    }
    self->count++;
}

Value accumulator_result(const Accumulator *self, Evaluator *evaluator)
{
    const AggregateCall *call = self->call;
    switch (call->id) {
    case AGGREGATE_COUNT_STAR:
    case AGGREGATE_COUNT:
        return value_int64(call->type, (int64_t)self->count);
    case AGGREGATE_SUM_COUNT:
        return self->count == 0 ? value_int64(call->type, 0) : self->value;
    case AGGREGATE_AVG: {
        Value count = value_int64(type_of(TYPE_BIGINT), (int64_t)self->count);
        return self->count == 0 ? value_null(call->type)
                                : average(evaluator, call->type, &self->value, &count);
    }
    default:
        return self->count == 0 ? value_null(call->type) : self->value;
    }
}
