/*
 * math_functions.c — functions of numbers: signs, rounding, roots, powers, angles.
 *
 * Errors and special values follow PostgreSQL. Decimals are rounded half away from zero, floats
 * without a number of digits to the nearest even integer.
 */
#include <math.h>
#include <string.h>

#include "base/types/decimal.h"
#include "compute/functions/function.h"

static Status out_of_range(const char *what)
{
    return status_error(SQLSTATE_NUMERIC_VALUE_OUT_OF_RANGE, "value out of range: %s", what);
}

static Status input_out_of_range(void)
{
    return status_error(SQLSTATE_NUMERIC_VALUE_OUT_OF_RANGE, "input is out of range");
}

/* --- signs --- */

static Status set_integer(FunctionFrame *frame, Int128 value, Slot *result)
{
    return function_set_decimal(frame, value, 0, result);
}

static Status call_abs(FunctionFrame *frame, const Slot *args, Slot *result)
{
    Type type = frame->arg_types[0];
    if (type_is_float(type)) {
        result->f64 = fabs(args[0].f64);
        return STATUS_OK;
    }
    if (type.id == TYPE_DECIMAL) {
        Int128 value = args[0].i128;
        return function_set_decimal(frame, value < 0 ? -value : value, type.scale, result);
    }
    Int128 value = args[0].i64;
    return set_integer(frame, value < 0 ? -value : value, result);
}

static Status call_sign(FunctionFrame *frame, const Slot *args, Slot *result)
{
    Type type = frame->arg_types[0];
    if (type_is_float(type)) {
        double value = args[0].f64;
        result->f64 = isnan(value) ? value : (double)((value > 0) - (value < 0));
        return STATUS_OK;
    }
    Int128 value = type.id == TYPE_DECIMAL ? args[0].i128 : args[0].i64;
    return set_integer(frame, (value > 0) - (value < 0), result);
}

/* --- rounding --- */

typedef enum Rounding { ROUNDING_DOWN, ROUNDING_UP, ROUNDING_NEAREST, ROUNDING_CUT } Rounding;

/* The decimal at `digits` digits behind the point, possibly negative. */
static Status round_decimal(FunctionFrame *frame, Int128 value, Rounding rounding, int64_t digits,
                            Slot *result)
{
    uint32_t scale = frame->arg_types[0].id == TYPE_DECIMAL ? frame->arg_types[0].scale : 0;
    if (digits >= (int64_t)scale) {
        return function_set_decimal(frame, value, scale, result);
    }
    uint64_t dropped = (uint64_t)((int64_t)scale - digits);
    if (dropped > DECIMAL_PRECISION_MAX) {
        return function_set_decimal(frame, 0, 0, result);
    }
    Int128 unit = decimal_power_of_ten((uint32_t)dropped);
    Int128 rest = value % unit, whole = value - rest;
    bool is_away = false; // from zero, by one unit
    switch (rounding) {
    case ROUNDING_DOWN:
        is_away = rest < 0;
        break;
    case ROUNDING_UP:
        is_away = rest > 0;
        break;
    case ROUNDING_NEAREST:
        is_away = rest != 0 && (rest < 0 ? -rest : rest) >= unit - (rest < 0 ? -rest : rest);
        break;
    default:
        break;
    }
    if (is_away) {
        whole += value < 0 ? -unit : unit; // below 2 * 10^38: no overflow
    }
    return function_set_decimal(frame, whole, scale, result);
}

static double round_whole(double value, Rounding rounding)
{
    switch (rounding) {
    case ROUNDING_DOWN:
        return floor(value);
    case ROUNDING_UP:
        return ceil(value);
    case ROUNDING_CUT:
        return trunc(value);
    default:
        return rint(value);
    }
}

static double round_digits(double value, Rounding rounding, int64_t digits)
{
    if (digits > 300 || !isfinite(value)) {
        return value;
    }
    if (digits < -308) {
        return 0;
    }
    double power = pow(10.0, (double)(digits < 0 ? -digits : digits));
    double shifted = digits < 0 ? value / power : value * power;
    if (!isfinite(shifted)) {
        return value; // no digits that far behind the point
    }
    shifted = rounding == ROUNDING_CUT ? trunc(shifted) : round(shifted);
    return digits < 0 ? shifted * power : shifted / power;
}

static Status call_rounding(FunctionFrame *frame, const Slot *args, Rounding rounding, Slot *result)
{
    Type type = frame->arg_types[0];
    bool has_digits = frame->arg_count > 1;
    int64_t digits = has_digits ? args[1].i64 : 0;
    if (type_is_float(type)) {
        result->f64 = has_digits ? round_digits(args[0].f64, rounding, digits)
                                 : round_whole(args[0].f64, rounding);
        return STATUS_OK;
    }
    Int128 value = type.id == TYPE_DECIMAL ? args[0].i128 : args[0].i64;
    return round_decimal(frame, value, rounding, digits, result);
}

static Status call_ceil(FunctionFrame *frame, const Slot *args, Slot *result)
{
    return call_rounding(frame, args, ROUNDING_UP, result);
}

static Status call_floor(FunctionFrame *frame, const Slot *args, Slot *result)
{
    return call_rounding(frame, args, ROUNDING_DOWN, result);
}

static Status call_round(FunctionFrame *frame, const Slot *args, Slot *result)
{
    return call_rounding(frame, args, ROUNDING_NEAREST, result);
}

static Status call_trunc(FunctionFrame *frame, const Slot *args, Slot *result)
{
    return call_rounding(frame, args, ROUNDING_CUT, result);
}

/* --- roots, powers, logarithms --- */

static Status call_sqrt(FunctionFrame *frame, const Slot *args, Slot *result)
{
    if (args[0].f64 < 0) {
        return status_error(SQLSTATE_INVALID_ARGUMENT_FOR_POWER,
                            "cannot take square root of a negative number");
    }
    return function_set_float(frame, sqrt(args[0].f64), isinf(args[0].f64), result);
}

static Status call_cbrt(FunctionFrame *frame, const Slot *args, Slot *result)
{
    double value = args[0].f64, root = cbrt(value);
    if (isfinite(root) && root != 0) { // the library is one unit off for some cubes, such as 27
        root -= (root * root * root - value) / (3 * root * root);
    }
    return function_set_float(frame, root, isinf(value), result);
}

static Status call_exp(FunctionFrame *frame, const Slot *args, Slot *result)
{
    double value = exp(args[0].f64);
    if (value == 0 && !isinf(args[0].f64)) {
        return out_of_range("underflow");
    }
    return function_set_float(frame, value, isinf(args[0].f64), result);
}

static Status check_logarithm(double value)
{
    if (value == 0 || value < 0) {
        return status_error(SQLSTATE_INVALID_ARGUMENT_FOR_LOGARITHM,
                            value == 0 ? "cannot take logarithm of zero"
                                       : "cannot take logarithm of a negative number");
    }
    return STATUS_OK;
}

static Status call_ln(FunctionFrame *frame, const Slot *args, Slot *result)
{
    TRY(check_logarithm(args[0].f64));
    return function_set_float(frame, log(args[0].f64), isinf(args[0].f64), result);
}

static Status call_log10(FunctionFrame *frame, const Slot *args, Slot *result)
{
    TRY(check_logarithm(args[0].f64));
    return function_set_float(frame, log10(args[0].f64), isinf(args[0].f64), result);
}

static Status call_power(FunctionFrame *frame, const Slot *args, Slot *result)
{
    double base = args[0].f64, exponent = args[1].f64;
    if (base == 0 && exponent < 0) {
        return status_error(SQLSTATE_INVALID_ARGUMENT_FOR_POWER,
                            "zero raised to a negative power is undefined");
    }
    if (base < 0 && isfinite(exponent) && floor(exponent) != exponent) {
        return status_error(SQLSTATE_INVALID_ARGUMENT_FOR_POWER,
                            "a negative number raised to a non-integer power yields a complex "
                            "result");
    }
    double value = pow(base, exponent);
    bool is_infinite_input = isinf(base) || isinf(exponent);
    if (value == 0 && base != 0 && !is_infinite_input) {
        return out_of_range("underflow");
    }
    return function_set_float(frame, value, is_infinite_input, result);
}

/* --- angles --- */

static Status call_periodic(FunctionFrame *frame, double (*function)(double), const Slot *args,
                            Slot *result)
{
    if (isinf(args[0].f64)) {
        return input_out_of_range();
    }
    return function_set_float(frame, function(args[0].f64), true, result);
}

static Status call_sin(FunctionFrame *frame, const Slot *args, Slot *result)
{
    return call_periodic(frame, sin, args, result);
}

static Status call_cos(FunctionFrame *frame, const Slot *args, Slot *result)
{
    return call_periodic(frame, cos, args, result);
}

static Status call_tan(FunctionFrame *frame, const Slot *args, Slot *result)
{
    return call_periodic(frame, tan, args, result);
}

static Status call_inverse(FunctionFrame *frame, double (*function)(double), const Slot *args,
                           Slot *result)
{
    if (args[0].f64 < -1 || args[0].f64 > 1) {
        return input_out_of_range();
    }
    return function_set_float(frame, function(args[0].f64), true, result);
}

static Status call_asin(FunctionFrame *frame, const Slot *args, Slot *result)
{
    return call_inverse(frame, asin, args, result);
}

static Status call_acos(FunctionFrame *frame, const Slot *args, Slot *result)
{
    return call_inverse(frame, acos, args, result);
}

static Status call_atan(FunctionFrame *frame, const Slot *args, Slot *result)
{
    return function_set_float(frame, atan(args[0].f64), true, result);
}

static Status call_atan2(FunctionFrame *frame, const Slot *args, Slot *result)
{
    return function_set_float(frame, atan2(args[0].f64, args[1].f64), true, result);
}

static Status call_degrees(FunctionFrame *frame, const Slot *args, Slot *result)
{
    return function_set_float(frame, args[0].f64 / (M_PI / 180.0), isinf(args[0].f64), result);
}

static Status call_radians(FunctionFrame *frame, const Slot *args, Slot *result)
{
    return function_set_float(frame, args[0].f64 * (M_PI / 180.0), isinf(args[0].f64), result);
}

static Status call_pi(FunctionFrame *frame, const Slot *args, Slot *result)
{
    (void)frame;
    (void)args;
    result->f64 = M_PI;
    return STATUS_OK;
}

static Status call_random(FunctionFrame *frame, const Slot *args, Slot *result)
{
    (void)args;
    result->f64 = (double)(random_next(&frame->random) >> 11) * 0x1p-53;
    return STATUS_OK;
}

/* --- aggregates' last steps --- */

/* sum, sum of squares, count, kind: see functions.def. */
static Status call_variance_final(FunctionFrame *frame, const Slot *args, Slot *result)
{
    double sum = args[0].f64, squares = args[1].f64, count = (double)args[2].i64;
    bool is_sample = args[3].i64 % 2 == 0, is_deviation = args[3].i64 >= 2;
    double divisor = is_sample ? count - 1 : count;
    if (divisor <= 0) {
        frame->is_null = true;
        return STATUS_OK;
    }
    double variance = (squares - sum * sum / count) / divisor;
    variance = variance < 0 ? 0 : variance; // rounding may leave a little less than nothing
    return function_set_float(frame, is_deviation ? sqrt(variance) : variance, true, result);
}

const FunctionEntry math_functions[] = {
    {FUNCTION_ABS, call_abs, NULL, true},
    {FUNCTION_SIGN, call_sign, NULL, true},
    {FUNCTION_CEIL, call_ceil, NULL, true},
    {FUNCTION_FLOOR, call_floor, NULL, true},
    {FUNCTION_ROUND, call_round, NULL, true},
    {FUNCTION_TRUNC, call_trunc, NULL, true},
    {FUNCTION_SQRT, call_sqrt, NULL, true},
    {FUNCTION_CBRT, call_cbrt, NULL, false},
    {FUNCTION_EXP, call_exp, NULL, true},
    {FUNCTION_LN, call_ln, NULL, true},
    {FUNCTION_LOG10, call_log10, NULL, true},
    {FUNCTION_POWER, call_power, NULL, true},
    {FUNCTION_SIN, call_sin, NULL, true},
    {FUNCTION_COS, call_cos, NULL, true},
    {FUNCTION_TAN, call_tan, NULL, true},
    {FUNCTION_ASIN, call_asin, NULL, true},
    {FUNCTION_ACOS, call_acos, NULL, true},
    {FUNCTION_ATAN, call_atan, NULL, false},
    {FUNCTION_ATAN2, call_atan2, NULL, false},
    {FUNCTION_DEGREES, call_degrees, NULL, true},
    {FUNCTION_RADIANS, call_radians, NULL, false},
    {FUNCTION_PI, call_pi, NULL, false},
    {FUNCTION_RANDOM, call_random, NULL, false},
    {FUNCTION_VARIANCE_FINAL, call_variance_final, NULL, false},
    {0},
};
