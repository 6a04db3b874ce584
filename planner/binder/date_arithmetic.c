/*
 * date_arithmetic.c — + - * / on dates, timestamps and intervals; dates against timestamps.
 *
 *   date + 7, date - date              DATE, INTEGER days
 *   date + interval '1 month'          TIMESTAMP, as in PostgreSQL: folded when both are constants
 *   shipdate <= timestamp constant     the same comparison of dates, which scans can prune by
 *   date + '1 day'                     beside a date or timestamp the literal is an interval
 */
#include "planner/binder/binder_internal.h"

#include <math.h>
#include "base/types/datetime.h"
#include "base/types/decimal.h"
#include "base/types/text_format.h"

#define DAYS_PER_MONTH 30
#define SECONDS_PER_DAY 86400.0

static bool is_date(const Expr *expr)
{
    return expr->type.id == TYPE_DATE;
}

static bool is_timestamp(const Expr *expr)
{
    return expr->type.id == TYPE_TIMESTAMP;
}

static bool is_interval(const Expr *expr)
{
    return expr->type.id == TYPE_INTERVAL;
}

static Expr *call(Binder *binder, FunctionId function, TypeId type, Expr *left, Expr *right)
{
    return expr_call2(binder->arena, function, type_of(type), left, right);
}

static bool are_values(const Expr *left, const Expr *right)
{
    return is_constant(left) && is_constant(right) && !left->constant.is_null &&
           !right->constant.is_null;
}

// timestamp +- interval; `moment` is a date or a timestamp.
static Status add_interval(Binder *binder, Expr *moment, Expr *interval, int sign,
                           int32_t position, Expr **out)
{
    TRY(coerce(binder, moment, type_of(TYPE_TIMESTAMP), CAST_IMPLICIT, &moment));
    if (are_values(moment, interval)) {
        Value value = {.type = type_of(TYPE_TIMESTAMP)};
        Status status = timestamp_add_interval(moment->constant.i64, &interval->constant.interval,
                                               sign, &value.i64);
        if (status != STATUS_OK) {
            return status_with_position(status, position);
        }
        *out = constant_value(binder, &value, position);
        return STATUS_OK;
    }
    *out = call(binder, sign > 0 ? FUNCTION_TIMESTAMP_ADD_INTERVAL
                                 : FUNCTION_TIMESTAMP_SUBTRACT_INTERVAL,
                TYPE_TIMESTAMP, moment, interval);
    return STATUS_OK;
}

static Status interval_overflow(int32_t position)
{
    return status_at(position, SQLSTATE_DATETIME_FIELD_OVERFLOW, "interval out of range");
}

static Status add_intervals(Binder *binder, Expr *left, Expr *right, int sign, int32_t position,
                            Expr **out)
{
    if (!are_values(left, right)) {
        *out = call(binder, sign > 0 ? FUNCTION_INTERVAL_ADD : FUNCTION_INTERVAL_SUBTRACT,
                    TYPE_INTERVAL, left, right);
        return STATUS_OK;
    }
    Interval a = left->constant.interval, b = right->constant.interval;
    Value value = {.type = type_of(TYPE_INTERVAL)};
    int64_t us;
    int64_t months = (int64_t)a.months + sign * (int64_t)b.months;
    int64_t days = (int64_t)a.days + sign * (int64_t)b.days;
    bool is_over = sign > 0 ? __builtin_add_overflow(a.us, b.us, &us)
                            : __builtin_sub_overflow(a.us, b.us, &us);
    if (is_over || months != (int32_t)months || days != (int32_t)days) {
        return interval_overflow(position);
    }
    value.interval = (Interval){(int32_t)months, (int32_t)days, us};
    *out = constant_value(binder, &value, position);
    return STATUS_OK;
}

static double round_to_micro(double value)
{
    return rint(value * 1e6) / 1e6;
}

// PostgreSQL's rule: fractions of months go down to days of thirty, fractions of days to seconds,
// never up again; each remainder is rounded to six digits.  '1 month' * 0.5 = 15 days
static bool interval_scaled(Interval span, double factor, bool is_division, Interval *out)
{
    double months = is_division ? span.months / factor : span.months * factor;
    double days = is_division ? span.days / factor : span.days * factor;
    double us = is_division ? (double)span.us / factor : (double)span.us * factor;
    double month_days = round_to_micro((months - trunc(months)) * DAYS_PER_MONTH);
    double day_part = (days - trunc(days)) + (month_days - trunc(month_days));
    double seconds = round_to_micro(day_part * SECONDS_PER_DAY);
    days = trunc(days) + trunc(month_days) + trunc(seconds / SECONDS_PER_DAY);
    us = rint(us + fmod(seconds, SECONDS_PER_DAY) * (double)US_PER_SECOND);
    if (!(fabs(months) < INT32_MAX && fabs(days) < INT32_MAX && fabs(us) < 0x1p62)) {
        return false;
    }
    *out = (Interval){(int32_t)months, (int32_t)days, (int64_t)us};
    return true;
}

static Status scale_interval(Binder *binder, Expr *interval, Expr *number, bool is_division,
                             int32_t position, Expr **out)
{
    if (!are_values(interval, number)) {
        return status_at(position, SQLSTATE_FEATURE_NOT_SUPPORTED,
                         "multiplying intervals that are not constant is not supported yet");
    }
    Expr *factor_expr = NULL;
    TRY(coerce(binder, number, type_of(TYPE_DOUBLE), CAST_IMPLICIT, &factor_expr));
    double factor = factor_expr->constant.f64;
    if (is_division && !(factor < 0 || factor > 0)) {
        return status_at(position, SQLSTATE_DIVISION_BY_ZERO, "division by zero");
    }
    Value value = {.type = type_of(TYPE_INTERVAL)};
    if (!interval_scaled(interval->constant.interval, factor, is_division, &value.interval)) {
        return interval_overflow(position);
    }
    *out = constant_value(binder, &value, position);
    return STATUS_OK;
}

// date +- integer, folded for constants.
static Status add_days(Binder *binder, Expr *date, Expr *days, int sign, int32_t position,
                       Expr **out)
{
    if (are_values(date, days) && !date_is_infinite(date->constant.i64)) {
        int64_t sum = date->constant.i64 + sign * days->constant.i64;
        int64_t us;
        Status status = days->constant.i64 != (int32_t)days->constant.i64
                            ? status_error(SQLSTATE_DATETIME_FIELD_OVERFLOW, "date out of range")
                            : timestamp_from_date(sum, &us);
        if (status != STATUS_OK) {
            return status_with_position(status, position);
        }
        Value value = value_int64(type_of(TYPE_DATE), sum);
        *out = constant_value(binder, &value, position);
        return STATUS_OK;
    }
    *out = call(binder, sign > 0 ? FUNCTION_DATE_ADD_DAYS : FUNCTION_DATE_SUBTRACT_DAYS, TYPE_DATE,
                date, days);
    return STATUS_OK;
}

static Status subtract_moments(Binder *binder, Expr *left, Expr *right, Expr **out)
{
    if (is_date(left) && is_date(right)) {
        *out = call(binder, FUNCTION_DATE_DIFFERENCE, TYPE_INTEGER, left, right);
        return STATUS_OK;
    }
    TRY(coerce(binder, left, type_of(TYPE_TIMESTAMP), CAST_IMPLICIT, &left));
    TRY(coerce(binder, right, type_of(TYPE_TIMESTAMP), CAST_IMPLICIT, &right));
    *out = call(binder, FUNCTION_TIMESTAMP_DIFFERENCE, TYPE_INTERVAL, left, right);
    return STATUS_OK;
}

// A literal beside a moment or an interval: what PostgreSQL takes it for.
static Status resolve_unknowns(Binder *binder, FunctionId function, Expr **left, Expr **right)
{
    Expr **unknown = is_unknown(*left) ? left : is_unknown(*right) ? right : NULL;
    if (unknown == NULL) {
        return STATUS_OK;
    }
    const Expr *other = unknown == left ? *right : *left;
    if (is_interval(other) && (function == FUNCTION_ADD || function == FUNCTION_SUBTRACT)) {
        return coerce(binder, *unknown, type_of(TYPE_INTERVAL), CAST_IMPLICIT, unknown);
    }
    bool is_scaling = function == FUNCTION_MULTIPLY || function == FUNCTION_DIVIDE;
    if (is_interval(other) && is_scaling) {
        return coerce(binder, *unknown, type_of(TYPE_DOUBLE), CAST_IMPLICIT, unknown);
    }
    if ((is_date(other) || is_timestamp(other)) && function == FUNCTION_ADD) {
        TypeId type = (*unknown)->kind == EXPR_PARAMETER && is_date(other) ? TYPE_INTEGER
                                                                           : TYPE_INTERVAL;
        return coerce(binder, *unknown, type_of(type), CAST_IMPLICIT, unknown);
    }
    if ((is_date(other) || is_timestamp(other)) && function == FUNCTION_SUBTRACT) {
        return coerce(binder, *unknown, other->type, CAST_IMPLICIT, unknown);
    }
    return STATUS_OK;
}

Status bind_date_arithmetic(Binder *binder, FunctionId function, Expr *left, Expr *right,
                            int32_t position, bool *is_known, Expr **out)
{
    bool is_plus = function == FUNCTION_ADD, is_minus = function == FUNCTION_SUBTRACT;
    bool is_times = function == FUNCTION_MULTIPLY, is_division = function == FUNCTION_DIVIDE;
    int sign = is_minus ? -1 : 1;
    TRY(resolve_unknowns(binder, function, &left, &right));
    bool is_left_moment = is_date(left) || is_timestamp(left);
    bool is_right_moment = is_date(right) || is_timestamp(right);
    *is_known = true;
    if (is_left_moment && is_interval(right) && (is_plus || is_minus)) {
        return add_interval(binder, left, right, sign, position, out);
    }
    if (is_interval(left) && is_right_moment && is_plus) {
        return add_interval(binder, right, left, sign, position, out);
    }
    if (is_left_moment && is_right_moment && is_minus) {
        return subtract_moments(binder, left, right, out);
    }
    if (is_date(left) && type_is_integer(right->type) && (is_plus || is_minus)) {
        return add_days(binder, left, right, sign, position, out);
    }
    if (is_date(right) && type_is_integer(left->type) && is_plus) {
        return add_days(binder, right, left, sign, position, out);
    }
    if (is_interval(left) && is_interval(right) && (is_plus || is_minus)) {
        return add_intervals(binder, left, right, sign, position, out);
    }
    if (is_interval(left) && type_is_numeric(right->type) && (is_times || is_division)) {
        return scale_interval(binder, left, right, is_division, position, out);
    }
    if (is_interval(right) && type_is_numeric(left->type) && is_times) {
        return scale_interval(binder, right, left, false, position, out);
    }
    *is_known = false;
    return STATUS_OK;
}

// ---- comparing dates with timestamps ----

// The date that a timestamp expression always is midnight of, or null.
static Expr *as_date(Binder *binder, const Expr *expr)
{
    if (is_constant(expr) && !expr->constant.is_null) {
        int64_t us = expr->constant.i64;
        if (timestamp_is_infinite(us) || us % US_PER_DAY != 0) {
            return NULL;
        }
        Value date = value_int64(type_of(TYPE_DATE), date_from_timestamp(us));
        return constant_value(binder, &date, expr->position);
    }
    if (expr->kind == EXPR_CAST && is_date(expr->args[0])) {
        return expr->args[0];
    }
    bool is_addition = expr->kind == EXPR_CALL &&
                       (expr->function == FUNCTION_TIMESTAMP_ADD_INTERVAL ||
                        expr->function == FUNCTION_TIMESTAMP_SUBTRACT_INTERVAL);
    if (!is_addition || !is_constant(expr->args[1]) || expr->args[1]->constant.is_null) {
        return NULL;
    }
    Interval span = expr->args[1]->constant.interval;
    Expr *base = span.months == 0 && span.us == 0 ? as_date(binder, expr->args[0]) : NULL;
    if (base == NULL) {
        return NULL;
    }
    FunctionId function = expr->function == FUNCTION_TIMESTAMP_ADD_INTERVAL
                              ? FUNCTION_DATE_ADD_DAYS
                              : FUNCTION_DATE_SUBTRACT_DAYS;
    return call(binder, function, TYPE_DATE, base,
                expr_int64(binder->arena, TYPE_INTEGER, span.days));
}

// date < 1994-01-01 10:00  is  date <= 1994-01-01; and so on for a time of day that is not 0:00.
static bool compare_to_day_of(FunctionId function, FunctionId *by_day)
{
    switch (function) {
    case FUNCTION_LESS:
    case FUNCTION_LESS_EQUAL:
        *by_day = FUNCTION_LESS_EQUAL;
        return true;
    case FUNCTION_GREATER:
    case FUNCTION_GREATER_EQUAL:
        *by_day = FUNCTION_GREATER;
        return true;
    default:
        return false; // = is never true, but NULL must stay NULL: cast and compare
    }
}

Status compare_date_timestamp(Binder *binder, FunctionId function, Expr *date, Expr *timestamp,
                              bool *is_done, Expr **out)
{
    FunctionId by_day = function;
    Expr *day = as_date(binder, timestamp);
    bool is_moment = is_constant(timestamp) && !timestamp->constant.is_null &&
                     !timestamp_is_infinite(timestamp->constant.i64);
    if (day == NULL && is_moment && compare_to_day_of(function, &by_day)) {
        Value value =
            value_int64(type_of(TYPE_DATE), date_from_timestamp(timestamp->constant.i64));
        day = constant_value(binder, &value, timestamp->position);
    }
    *is_done = day != NULL;
    if (day != NULL) {
        *out = call(binder, by_day, TYPE_BOOLEAN, date, day);
    }
    return STATUS_OK;
}
