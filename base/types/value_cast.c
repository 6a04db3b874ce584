/*
 * value_cast.c — CAST of single values: constants of the planner, defaults, parameters.
 *
 * Numbers go by way of decimal or double, everything else by way of text or a direct rule.
 * Decimals round half away from zero, floats to the nearest even integer, as PostgreSQL's do.
 */
#include "base/types/text_format.h"

#include <math.h>
#include <string.h>

#include "base/types/datetime.h"
#include "base/types/decimal.h"

static Status cast_from_boolean(const Value *value, Type target, Value *out);
static Status cast_from_exact(const Value *value, Type target, Value *out);
static Status cast_from_float(const Value *value, Type target, Value *out);
static Status cast_from_datetime(const Value *value, Type target, Value *out);
static Status cast_from_text(const Value *value, Type target, bool is_explicit, Arena *arena,
                             Value *out);
static Status cast_to_text(const Value *value, Type target, bool is_explicit, Arena *arena,
                           Value *out);

static Status cannot_cast(Type source, Type target)
{
    return status_error(SQLSTATE_CANNOT_COERCE, "cannot cast type %s to %s", type_name(source),
                        type_name(target));
}

static Status out_of_range(Type target)
{
    return status_error(SQLSTATE_NUMERIC_VALUE_OUT_OF_RANGE, "%s out of range", type_name(target));
}

Status value_cast(const Value *value, Type target, bool is_explicit, Arena *arena, Value *out)
{
    Type source = value->type;
    Value result = {.type = target, .is_null = value->is_null};
    if (value->is_null) {
        *out = result;
        return STATUS_OK;
    }
    if (type_is_text(source)) {
        TRY(cast_from_text(value, target, is_explicit, arena, &result));
    } else if (type_is_text(target)) {
        TRY(cast_to_text(value, target, is_explicit, arena, &result));
    } else if (source.id == TYPE_BOOLEAN) {
        TRY(cast_from_boolean(value, target, &result));
    } else if (type_is_integer(source) || source.id == TYPE_DECIMAL) {
        TRY(cast_from_exact(value, target, &result));
    } else if (type_is_float(source)) {
        TRY(cast_from_float(value, target, &result));
    } else {
        TRY(cast_from_datetime(value, target, &result));
    }
    *out = result;
    return STATUS_OK;
}

/* --- numbers --- */

static Status set_integer(Int128 value, Type target, Value *out)
{
    if (value > type_int64_max(target) || value < type_int64_min(target)) {
        return out_of_range(target);
    }
    out->i64 = (int64_t)value;
    return STATUS_OK;
}

static Status set_decimal(Int128 value, Type target, Value *out)
{
    if (type_is_scaled_integer(target)) {
        out->i64 = (int64_t)value;
    } else {
        out->i128 = value;
    }
    return STATUS_OK;
}

static Status set_float(double value, Type target, Value *out)
{
    if (target.id == TYPE_REAL) {
        float narrow = (float)value;
        bool is_overflow = isinf(narrow) && !isinf(value);
        bool is_underflow = fpclassify(narrow) == FP_ZERO && fpclassify(value) != FP_ZERO;
        if (is_overflow || is_underflow) {
            return status_error(SQLSTATE_NUMERIC_VALUE_OUT_OF_RANGE, "value out of range: %s",
                                is_overflow ? "overflow" : "underflow");
        }
        value = (double)narrow;
    }
    out->f64 = value;
    return STATUS_OK;
}

static Status cast_from_boolean(const Value *value, Type target, Value *out)
{
    if (target.id != TYPE_BOOLEAN && !type_is_integer(target)) {
        return cannot_cast(value->type, target);
    }
    out->i64 = value->i64;
    return STATUS_OK;
}

static Status cast_from_exact(const Value *value, Type target, Value *out)
{
    Int128 number = value_int128(value);
    uint32_t scale = value->type.id == TYPE_DECIMAL ? value->type.scale : 0;
    Int128 rescaled;
    switch ((TypeId)target.id) {
    case TYPE_BOOLEAN:
        if (!type_is_integer(value->type)) {
            return cannot_cast(value->type, target);
        }
        out->i64 = number != 0;
        return STATUS_OK;
    case TYPE_SMALLINT:
    case TYPE_INTEGER:
    case TYPE_BIGINT:
        TRY(decimal_rescale(number, scale, type_decimal(DECIMAL_PRECISION_MAX, 0), &rescaled));
        return set_integer(rescaled, target, out);
    case TYPE_DECIMAL:
        TRY(decimal_rescale(number, scale, target, &rescaled));
        return set_decimal(rescaled, target, out);
    case TYPE_REAL:
    case TYPE_DOUBLE:
        return set_float(decimal_to_double(number, scale), target, out);
    default:
        return cannot_cast(value->type, target);
    }
}

static Status cast_from_float(const Value *value, Type target, Value *out)
{
    Int128 decimal;
    double rounded;
    switch ((TypeId)target.id) {
    case TYPE_SMALLINT:
    case TYPE_INTEGER:
    case TYPE_BIGINT:
        rounded = rint(value->f64);
        if (!(rounded >= -0x1p63 && rounded < 0x1p63)) { // NaN too
            return out_of_range(target);
        }
        return set_integer((int64_t)rounded, target, out);
    case TYPE_DECIMAL:
        TRY(decimal_from_float_digits(value->f64, value->type.id == TYPE_REAL ? 6 : 15, target,
                                      &decimal));
        return set_decimal(decimal, target, out);
    case TYPE_REAL:
    case TYPE_DOUBLE:
        return set_float(value->f64, target, out);
    default:
        return cannot_cast(value->type, target);
    }
}

/* --- dates --- */

static Status cast_from_datetime(const Value *value, Type target, Value *out)
{
    TypeId source = (TypeId)value->type.id;
    if (source == (TypeId)target.id) {
        Value same = *value;
        same.type = target;
        *out = same;
        return STATUS_OK;
    }
    if (source == TYPE_DATE && target.id == TYPE_TIMESTAMP) {
        return timestamp_from_date(value->i64, &out->i64);
    }
    if (source == TYPE_TIMESTAMP && target.id == TYPE_DATE) {
        out->i64 = date_from_timestamp(value->i64);
        return STATUS_OK;
    }
    return cannot_cast(value->type, target);
}

/* --- text --- */

static Status set_text(const char *text, size_t bytes, Type target, bool is_explicit, Arena *arena,
                       Value *out)
{
    size_t kept_bytes;
    TRY(text_fit(text, bytes, target, is_explicit, &kept_bytes));
    bool is_long = kept_bytes > TEXT_INLINE_MAX;
    out->text = text_view_make(is_long ? arena_memdup(arena, text, kept_bytes) : text, kept_bytes);
    return STATUS_OK;
}

static Status cast_from_text(const Value *value, Type target, bool is_explicit, Arena *arena,
                             Value *out)
{
    const char *text = text_view_data(&value->text);
    if (type_is_text(target)) {
        return set_text(text, value->text.length, target, is_explicit, arena, out);
    }
    return value_parse(text, value->text.length, target, arena, out);
}

static Status cast_to_text(const Value *value, Type target, bool is_explicit, Arena *arena,
                           Value *out)
{
    char text[DATETIME_TEXT_BYTES];
    if (value->type.id == TYPE_BOOLEAN) {
        const char *word = value->i64 != 0 ? "true" : "false";
        return set_text(word, strlen(word), target, is_explicit, arena, out);
    }
    return set_text(text, value_print_fixed(value, text), target, is_explicit, arena, out);
}
