/* type.c — what a type is called, how wide it is, and how its values compare. */
#include "base/types/type.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/types/datetime.h"
#include "base/types/decimal.h"

static const char *const type_names[TYPE_COUNT] = {
#define SQL_TYPE(id, number, name, oid, wire_bytes) [number] = name,
#include "base/types/types.def"
#undef SQL_TYPE
};

static const uint32_t type_oids[TYPE_COUNT] = {
#define SQL_TYPE(id, number, name, oid, wire_bytes) [number] = oid,
#include "base/types/types.def"
#undef SQL_TYPE
};

Type type_decimal(uint32_t precision, uint32_t scale)
{
    return (Type){.id = TYPE_DECIMAL, .precision = (uint8_t)precision, .scale = (uint8_t)scale};
}

Type type_char(int32_t length)
{
    return (Type){.id = TYPE_CHAR, .length = length};
}

Type type_varchar(int32_t length)
{
    return (Type){.id = TYPE_VARCHAR, .length = length};
}

bool type_equal(Type left, Type right)
{
    return left.id == right.id && left.precision == right.precision && left.scale == right.scale &&
           left.length == right.length;
}

bool type_is_scaled_integer(Type type)
{
    switch ((TypeId)type.id) {
    case TYPE_BOOLEAN:
    case TYPE_SMALLINT:
    case TYPE_INTEGER:
    case TYPE_BIGINT:
    case TYPE_DATE:
    case TYPE_TIMESTAMP:
        return true;
    case TYPE_DECIMAL:
        return type.precision >= 1 && type.precision <= DECIMAL_PRECISION_INT64;
    default:
        return false;
    }
}

bool type_is_valid(Type type)
{
    const bool is_decimal = type.id == TYPE_DECIMAL;
    if (type.id >= TYPE_COUNT || type.length < 0 || (type.length > 0 && !type_is_text(type))) {
        return false;
    }
    return is_decimal ? type.precision >= 1 && type.precision <= DECIMAL_PRECISION_MAX &&
                            type.scale <= type.precision
                      : type.precision == 0 && type.scale == 0;
}

bool type_is_integer(Type type)
{
    return type.id == TYPE_SMALLINT || type.id == TYPE_INTEGER || type.id == TYPE_BIGINT;
}

bool type_is_float(Type type)
{
    return type.id == TYPE_REAL || type.id == TYPE_DOUBLE;
}

bool type_is_numeric(Type type)
{
    return type_is_integer(type) || type.id == TYPE_DECIMAL || type_is_float(type);
}

bool type_is_text(Type type)
{
    return type.id == TYPE_CHAR || type.id == TYPE_VARCHAR || type.id == TYPE_UNKNOWN;
}

Lane type_widest_lane(Type type)
{
    switch ((TypeId)type.id) {
    case TYPE_BOOLEAN:
        return LANE_U8;
    case TYPE_REAL:
        return LANE_F32;
    case TYPE_DOUBLE:
        return LANE_F64;
    case TYPE_CHAR:
    case TYPE_VARCHAR:
    case TYPE_UNKNOWN:
        return LANE_TEXT;
    case TYPE_INTERVAL:
        return LANE_I128;
    default:
        return type_is_scaled_integer(type) ? LANE_I64 : LANE_I128;
    }
}

size_t lane_bytes(Lane lane)
{
    static const uint8_t bytes[LANE_COUNT] = {
        [LANE_U8] = 1,    [LANE_U16] = 2, [LANE_U32] = 4, [LANE_I64] = 8,
        [LANE_I128] = 16, [LANE_F32] = 4, [LANE_F64] = 8, [LANE_TEXT] = sizeof(TextView),
    };
    return bytes[lane];
}

int64_t type_int64_max(Type type)
{
    switch ((TypeId)type.id) {
    case TYPE_BOOLEAN:
        return 1;
    case TYPE_SMALLINT:
        return INT16_MAX;
    case TYPE_INTEGER:
    case TYPE_DATE:
        return INT32_MAX;
    case TYPE_DECIMAL:
        return type.precision > DECIMAL_PRECISION_INT64
                   ? INT64_MAX
                   : (int64_t)decimal_power_of_ten(type.precision) - 1;
    default:
        return INT64_MAX;
    }
}

int64_t type_int64_min(Type type)
{
    switch ((TypeId)type.id) {
    case TYPE_BOOLEAN:
        return 0;
    case TYPE_SMALLINT:
        return INT16_MIN;
    case TYPE_INTEGER:
    case TYPE_DATE:
        return INT32_MIN;
    case TYPE_DECIMAL:
        return type.precision > DECIMAL_PRECISION_INT64 ? INT64_MIN : -type_int64_max(type);
    default:
        return INT64_MIN;
    }
}

const char *type_print(Type type, char text[TYPE_TEXT_BYTES])
{
    const char *name = type_name(type);
    if (type.id == TYPE_DECIMAL && type.precision > 0) {
        snprintf(text, TYPE_TEXT_BYTES, "%s(%u,%u)", name, type.precision, type.scale);
    } else if (type_is_text(type) && type.length > 0) {
        snprintf(text, TYPE_TEXT_BYTES, "%s(%d)", name, type.length);
    } else {
        snprintf(text, TYPE_TEXT_BYTES, "%s", name);
    }
    return text;
}

const char *type_name(Type type)
{
    return type.id < TYPE_COUNT ? type_names[type.id] : "unknown";
}

uint32_t type_oid(Type type)
{
    return type.id < TYPE_COUNT ? type_oids[type.id] : type_oids[TYPE_UNKNOWN];
}

int32_t type_modifier(Type type)
{
    const int32_t header_bytes = 4; // PostgreSQL counts a length word into every modifier
    if (type.id == TYPE_DECIMAL && type.precision > 0) {
        return (((int32_t)type.precision << 16) | type.scale) + header_bytes;
    }
    if ((type.id == TYPE_CHAR || type.id == TYPE_VARCHAR) && type.length > 0) {
        return type.length + header_bytes;
    }
    return -1;
}

Int128 value_int128(const Value *value)
{
    return type_widest_lane(value->type) == LANE_I128 ? value->i128 : value->i64;
}

Value value_null(Type type)
{
    return (Value){.type = type, .is_null = true};
}

Value value_int64(Type type, int64_t value)
{
    Value result = {.type = type};
    if (type_widest_lane(type) == LANE_I128) {
        result.i128 = value;
    } else {
        result.i64 = value;
    }
    return result;
}

int text_compare(const char *left, uint32_t left_bytes, const char *right, uint32_t right_bytes)
{
    left_bytes = text_trimmed_length(left, left_bytes);
    right_bytes = text_trimmed_length(right, right_bytes);
    int order = memcmp(left, right, left_bytes < right_bytes ? left_bytes : right_bytes);
    if (order != 0) {
        return order < 0 ? -1 : 1;
    }
    return (left_bytes > right_bytes) - (left_bytes < right_bytes);
}

int text_view_compare(const TextView *left, const TextView *right)
{
    return text_compare(text_view_data(left), left->length, text_view_data(right), right->length);
}

int double_compare(double left, double right)
{
    bool is_left_nan = isnan(left), is_right_nan = isnan(right);
    if (is_left_nan || is_right_nan) {
        return is_left_nan - is_right_nan;
    }
    return (left > right) - (left < right);
}

Int128 interval_span_us(const Interval *interval)
{
    Int128 days = (Int128)interval->months * 30 + interval->days;
    return days * US_PER_DAY + interval->us;
}

int value_compare(const Value *left, const Value *right)
{
    switch (type_widest_lane(left->type)) {
    case LANE_TEXT:
        return text_view_compare(&left->text, &right->text);
    case LANE_F32:
    case LANE_F64:
        return double_compare(left->f64, right->f64);
    case LANE_I128:
        if (left->type.id == TYPE_INTERVAL) {
            Int128 left_us = interval_span_us(&left->interval);
            Int128 right_us = interval_span_us(&right->interval);
            return (left_us > right_us) - (left_us < right_us);
        }
        return (left->i128 > right->i128) - (left->i128 < right->i128);
    default:
        return (left->i64 > right->i64) - (left->i64 < right->i64);
    }
}

bool value_equal(const Value *left, const Value *right)
{
    if (left->is_null || right->is_null) {
        return left->is_null && right->is_null;
    }
    return value_compare(left, right) == 0;
}
