/*
 * datetime_functions.c — dates, timestamps and intervals: arithmetic, fields, truncation.
 *
 * A date stands for its midnight wherever a timestamp is wanted. Fields ("month", "dow") are
 * constants in almost every query and are looked up once, by prepare.
 */
#include <string.h>

#include "base/types/datetime.h"
#include "compute/functions/datetime_functions.h"
#include "compute/functions/function.h"

#define US_PER_MINUTE (60 * US_PER_SECOND)
#define US_PER_HOUR (60 * US_PER_MINUTE)

static int64_t floor_divide(int64_t value, int64_t divisor)
{
    int64_t quotient = value / divisor;
    return quotient - (value % divisor < 0);
}

static Status datetime_overflow(const char *what)
{
    return status_error(SQLSTATE_DATETIME_FIELD_OVERFLOW, "%s", what);
}

/* The argument as a timestamp. */
static Status read_timestamp(Type type, const Slot *arg, int64_t *us)
{
    if (type.id == TYPE_DATE) {
        return timestamp_from_date(arg->i64, us);
    }
    *us = arg->i64;
    return STATUS_OK;
}

static Status set_timestamp(FunctionFrame *frame, int64_t us, Slot *result)
{
    result->i64 = frame->type.id == TYPE_DATE ? date_from_timestamp(us) : us;
    return STATUS_OK;
}

/* --- days --- */

Status date_add_days(int64_t days, int64_t count, int64_t *out)
{
    if (date_is_infinite(days)) {
        *out = days;
        return STATUS_OK;
    }
    int64_t sum;
    if (__builtin_add_overflow(days, count, &sum) || sum < DATE_DAYS_MIN || sum > DATE_DAYS_MAX) {
        return datetime_overflow("date out of range");
    }
    *out = sum;
    return STATUS_OK;
}

static Status add_days(FunctionFrame *frame, const Slot *args, bool is_negated, Slot *result)
{
    int64_t count = args[1].i64;
    if (is_negated && count == INT64_MIN) {
        return datetime_overflow("date out of range");
    }
    count = is_negated ? -count : count;
    if (frame->arg_types[0].id == TYPE_DATE && frame->type.id == TYPE_DATE) {
        return date_add_days(args[0].i64, count, &result->i64);
    }
    int64_t us;
    Interval interval = {.days = (int32_t)count};
    if (count != interval.days) {
        return datetime_overflow("timestamp out of range");
    }
    TRY(read_timestamp(frame->arg_types[0], &args[0], &us));
    TRY(timestamp_add_interval(us, &interval, 1, &us));
    return set_timestamp(frame, us, result);
}

static Status call_date_add_days(FunctionFrame *frame, const Slot *args, Slot *result)
{
    return add_days(frame, args, false, result);
}

static Status call_date_subtract_days(FunctionFrame *frame, const Slot *args, Slot *result)
{
    return add_days(frame, args, true, result);
}

static Status call_date_difference(FunctionFrame *frame, const Slot *args, Slot *result)
{
    (void)frame;
    if (date_is_infinite(args[0].i64) || date_is_infinite(args[1].i64)) {
        return datetime_overflow("cannot subtract infinite dates");
    }
    result->i64 = args[0].i64 - args[1].i64;
    return STATUS_OK;
}

/* --- intervals --- */

static Status add_interval(FunctionFrame *frame, const Slot *args, int sign, Slot *result)
{
    int64_t us;
    TRY(read_timestamp(frame->arg_types[0], &args[0], &us));
    TRY(timestamp_add_interval(us, &args[1].interval, sign, &us));
    return set_timestamp(frame, us, result);
}

static Status call_timestamp_add_interval(FunctionFrame *frame, const Slot *args, Slot *result)
{
    return add_interval(frame, args, 1, result);
}

static Status call_timestamp_subtract_interval(FunctionFrame *frame, const Slot *args, Slot *result)
{
    return add_interval(frame, args, -1, result);
}

/* Days and a time of day, no months, as PostgreSQL gives it. */
static Status call_timestamp_difference(FunctionFrame *frame, const Slot *args, Slot *result)
{
    int64_t left, right, us;
    TRY(read_timestamp(frame->arg_types[0], &args[0], &left));
    TRY(read_timestamp(frame->arg_types[1], &args[1], &right));
    if (timestamp_is_infinite(left) || timestamp_is_infinite(right)) {
        return datetime_overflow("cannot subtract infinite timestamps");
    }
    if (__builtin_sub_overflow(left, right, &us)) {
        return datetime_overflow("interval out of range");
    }
    result->interval = (Interval){.days = (int32_t)(us / US_PER_DAY), .us = us % US_PER_DAY};
    return STATUS_OK;
}

static Status combine_intervals(const Interval *left, const Interval *right, int sign, Slot *result)
{
    int64_t months = (int64_t)left->months + (int64_t)right->months * sign;
    int64_t days = (int64_t)left->days + (int64_t)right->days * sign;
    int64_t us;
    bool is_overflow = sign > 0 ? __builtin_add_overflow(left->us, right->us, &us)
                                : __builtin_sub_overflow(left->us, right->us, &us);
    if (is_overflow || months != (int32_t)months || days != (int32_t)days) {
        return datetime_overflow("interval out of range");
    }
    result->interval = (Interval){.months = (int32_t)months, .days = (int32_t)days, .us = us};
    return STATUS_OK;
}

static Status call_interval_add(FunctionFrame *frame, const Slot *args, Slot *result)
{
    (void)frame;
    return combine_intervals(&args[0].interval, &args[1].interval, 1, result);
}

static Status call_interval_subtract(FunctionFrame *frame, const Slot *args, Slot *result)
{
    (void)frame;
    return combine_intervals(&args[0].interval, &args[1].interval, -1, result);
}

/* --- fields --- */

static Status unknown_field(const TextView *name)
{
    return status_error(SQLSTATE_INVALID_PARAMETER_VALUE, "date part \"%.*s\" not recognized",
                        (int)name->length, text_view_data(name));
}

static Status unsupported_field(DateField field, const char *function)
{
    return status_error(SQLSTATE_FEATURE_NOT_SUPPORTED, "date part \"%s\" is not supported by %s",
                        date_field_name(field), function);
}

static Status prepare_field(const Expr *call, const Value *const *constants, Arena *arena,
                            const void **prepared)
{
    (void)call;
    const Value *name = constants[0];
    if (name == NULL || name->is_null) {
        return STATUS_OK;
    }
    DateField *field = ARENA_NEW(arena, DateField);
    if (!date_field_parse(text_view_data(&name->text), name->text.length, field)) {
        return unknown_field(&name->text);
    }
    *prepared = field;
    return STATUS_OK;
}

static Status find_field(const FunctionFrame *frame, const Slot *name, DateField *field)
{
    if (frame->prepared != NULL) {
        *field = *(const DateField *)frame->prepared;
        return STATUS_OK;
    }
    return date_field_parse(text_view_data(&name->text), name->text.length, field)
               ? STATUS_OK
               : unknown_field(&name->text);
}

static Status extract_interval(FunctionFrame *frame, const Interval *interval, DateField field,
                               Slot *result)
{
    int64_t us = interval->us, months = interval->months;
    double value;
    switch (field) {
    case DATE_FIELD_MICROSECOND:
        value = (double)(us % US_PER_MINUTE);
        break;
    case DATE_FIELD_MILLISECOND:
        value = (double)(us % US_PER_MINUTE) / 1e3;
        break;
    case DATE_FIELD_SECOND:
        value = (double)(us % US_PER_MINUTE) / 1e6;
        break;
    case DATE_FIELD_MINUTE:
        value = (double)(us / US_PER_MINUTE % 60);
        break;
    case DATE_FIELD_HOUR:
        value = (double)(us / US_PER_HOUR);
        break;
    case DATE_FIELD_DAY:
        value = interval->days;
        break;
    case DATE_FIELD_MONTH:
        value = (double)(months % 12);
        break;
    case DATE_FIELD_QUARTER:
        value = (double)(months % 12 / 3 + 1);
        break;
    case DATE_FIELD_YEAR:
        value = (double)(months / 12);
        break;
    case DATE_FIELD_EPOCH: // a year has 365.25 days, a month 30
        value = (double)(months / 12) * 365.25 * 86400 + (double)(months % 12) * 30 * 86400 +
                (double)interval->days * 86400 + (double)us / 1e6;
        break;
    default:
        return unsupported_field(field, "interval");
    }
    if (type_is_float(frame->type)) {
        result->f64 = value;
    } else {
        result->i64 = (int64_t)value;
    }
    return STATUS_OK;
}

/* The part of a second that whole-number fields leave out. */
static double extract_fraction(int64_t us, DateField field)
{
    int64_t time_us = us - floor_divide(us, US_PER_DAY) * US_PER_DAY;
    switch (field) {
    case DATE_FIELD_MILLISECOND:
        return (double)(time_us % US_PER_MINUTE) / 1e3;
    case DATE_FIELD_SECOND:
        return (double)(time_us % US_PER_MINUTE) / 1e6;
    case DATE_FIELD_EPOCH:
        return (double)us / 1e6;
    default:
        return (double)timestamp_extract(us, field);
    }
}

static Status call_extract(FunctionFrame *frame, const Slot *args, Slot *result)
{
    DateField field;
    TRY(find_field(frame, &args[0], &field));
    Type type = frame->arg_types[1];
    if (type.id == TYPE_INTERVAL) {
        return extract_interval(frame, &args[1].interval, field, result);
    }
    if (type.id != TYPE_DATE && type.id != TYPE_TIMESTAMP) {
        return status_error(SQLSTATE_FEATURE_NOT_SUPPORTED, "extract from %s", type_name(type));
    }
    bool is_date = type.id == TYPE_DATE;
    if (is_date ? date_is_infinite(args[1].i64) : timestamp_is_infinite(args[1].i64)) {
        frame->is_null = true; // infinity has no month
        return STATUS_OK;
    }
    if (!type_is_float(frame->type)) {
        result->i64 =
            is_date ? date_extract(args[1].i64, field) : timestamp_extract(args[1].i64, field);
    } else {
        result->f64 = is_date ? (double)date_extract(args[1].i64, field)
                              : extract_fraction(args[1].i64, field);
    }
    return STATUS_OK;
}

static Status call_date_trunc(FunctionFrame *frame, const Slot *args, Slot *result)
{
    DateField field;
    int64_t us;
    TRY(find_field(frame, &args[0], &field));
    if (field == DATE_FIELD_DAY_OF_WEEK || field == DATE_FIELD_DAY_OF_YEAR ||
        field == DATE_FIELD_ISO_DAY_OF_WEEK || field == DATE_FIELD_ISO_YEAR ||
        field == DATE_FIELD_EPOCH) {
        return unsupported_field(field, "date_trunc");
    }
    TRY(read_timestamp(frame->arg_types[1], &args[1], &us));
    return set_timestamp(frame, timestamp_truncate(us, field), result);
}

/* --- dateadd, datediff --- */

/* `count` units of the field as an interval. */
static Status scale_field(DateField field, int64_t count, Interval *out)
{
    static const int64_t units[DATE_FIELD_COUNT] = {
        [DATE_FIELD_MICROSECOND] = 1,
        [DATE_FIELD_MILLISECOND] = 1000,
        [DATE_FIELD_SECOND] = US_PER_SECOND,
        [DATE_FIELD_MINUTE] = US_PER_MINUTE,
        [DATE_FIELD_HOUR] = US_PER_HOUR,
        [DATE_FIELD_DAY] = 1,
        [DATE_FIELD_DAY_OF_WEEK] = 1,
        [DATE_FIELD_DAY_OF_YEAR] = 1,
        [DATE_FIELD_WEEK] = 7,
        [DATE_FIELD_MONTH] = 1,
        [DATE_FIELD_QUARTER] = 3,
        [DATE_FIELD_YEAR] = 12,
        [DATE_FIELD_DECADE] = 120,
        [DATE_FIELD_CENTURY] = 1200,
        [DATE_FIELD_MILLENNIUM] = 12000,
    };
    int64_t total;
    if (units[field] == 0) {
        return unsupported_field(field, "dateadd");
    }
    if (__builtin_mul_overflow(count, units[field], &total)) {
        return datetime_overflow("timestamp out of range");
    }
    *out = (Interval){0};
    if (field <= DATE_FIELD_HOUR) {
        out->us = total;
        return STATUS_OK;
    }
    if (total != (int32_t)total) {
        return datetime_overflow("timestamp out of range");
    }
    bool is_days = field == DATE_FIELD_DAY || field == DATE_FIELD_WEEK ||
                   field == DATE_FIELD_DAY_OF_WEEK || field == DATE_FIELD_DAY_OF_YEAR;
    *(is_days ? &out->days : &out->months) = (int32_t)total;
    return STATUS_OK;
}

static Status call_dateadd(FunctionFrame *frame, const Slot *args, Slot *result)
{
    DateField field;
    Interval interval;
    int64_t us;
    TRY(find_field(frame, &args[0], &field));
    TRY(scale_field(field, args[1].i64, &interval));
    TRY(read_timestamp(frame->arg_types[2], &args[2], &us));
    TRY(timestamp_add_interval(us, &interval, 1, &us));
    return set_timestamp(frame, us, result);
}

/* The number of the unit that holds `us`; differences of these count the bounds crossed. */
static Status unit_number(DateField field, int64_t us, int64_t *out)
{
    int64_t days = floor_divide(us, US_PER_DAY);
    CivilTime civil;
    civil_from_days(days, &civil);
    switch (field) {
    case DATE_FIELD_MICROSECOND:
        *out = us;
        break;
    case DATE_FIELD_MILLISECOND:
        *out = floor_divide(us, 1000);
        break;
    case DATE_FIELD_SECOND:
    case DATE_FIELD_EPOCH:
        *out = floor_divide(us, US_PER_SECOND);
        break;
    case DATE_FIELD_MINUTE:
        *out = floor_divide(us, US_PER_MINUTE);
        break;
    case DATE_FIELD_HOUR:
        *out = floor_divide(us, US_PER_HOUR);
        break;
    case DATE_FIELD_DAY:
    case DATE_FIELD_DAY_OF_WEEK:
    case DATE_FIELD_DAY_OF_YEAR:
        *out = days;
        break;
    case DATE_FIELD_WEEK: // from Mondays, as date_trunc has it; 1970-01-01 was a Thursday
        *out = floor_divide(days + 3, 7);
        break;
    case DATE_FIELD_MONTH:
        *out = (int64_t)civil.year * 12 + civil.month - 1;
        break;
    case DATE_FIELD_QUARTER:
        *out = (int64_t)civil.year * 4 + (civil.month - 1) / 3;
        break;
    case DATE_FIELD_YEAR:
        *out = civil.year;
        break;
    case DATE_FIELD_DECADE:
        *out = floor_divide(civil.year, 10);
        break;
    case DATE_FIELD_CENTURY: // centuries begin with year 1
        *out = floor_divide(civil.year - 1, 100);
        break;
    case DATE_FIELD_MILLENNIUM:
        *out = floor_divide(civil.year - 1, 1000);
        break;
    default:
        return unsupported_field(field, "datediff");
    }
    return STATUS_OK;
}

static Status call_datediff(FunctionFrame *frame, const Slot *args, Slot *result)
{
    DateField field;
    int64_t first_us, last_us, first, last;
    TRY(find_field(frame, &args[0], &field));
    TRY(read_timestamp(frame->arg_types[1], &args[1], &first_us));
    TRY(read_timestamp(frame->arg_types[2], &args[2], &last_us));
    if (timestamp_is_infinite(first_us) || timestamp_is_infinite(last_us)) {
        return datetime_overflow("cannot subtract infinite timestamps");
    }
    TRY(unit_number(field, first_us, &first));
    TRY(unit_number(field, last_us, &last));
    int64_t difference;
    if (__builtin_sub_overflow(last, first, &difference) ||
        difference > type_int64_max(frame->type) || difference < type_int64_min(frame->type)) {
        return status_error(SQLSTATE_NUMERIC_VALUE_OUT_OF_RANGE, "%s out of range",
                            type_name(frame->type));
    }
    result->i64 = difference;
    return STATUS_OK;
}

/* --- months --- */

/* Adding months to the last day of a month gives the last day of a month. */
static Status call_add_months(FunctionFrame *frame, const Slot *args, Slot *result)
{
    int64_t us, count = args[1].i64;
    if (count != (int32_t)count) {
        return datetime_overflow("timestamp out of range");
    }
    TRY(read_timestamp(frame->arg_types[0], &args[0], &us));
    CivilTime civil = {0};
    bool is_last_day = false;
    if (!timestamp_is_infinite(us)) {
        civil_from_days(floor_divide(us, US_PER_DAY), &civil);
        is_last_day = civil.day == days_in_month(civil.year, civil.month);
    }
    Interval interval = {.months = (int32_t)count};
    TRY(timestamp_add_interval(us, &interval, 1, &us));
    if (is_last_day) {
        civil_from_days(floor_divide(us, US_PER_DAY), &civil);
        us += (days_in_month(civil.year, civil.month) - civil.day) * US_PER_DAY;
    }
    return set_timestamp(frame, us, result);
}

static Status call_last_day(FunctionFrame *frame, const Slot *args, Slot *result)
{
    int64_t days =
        frame->arg_types[0].id == TYPE_DATE ? args[0].i64 : date_from_timestamp(args[0].i64);
    if (!date_is_infinite(days)) {
        CivilTime civil;
        civil_from_days(days, &civil);
        days = days_from_civil(civil.year, civil.month, days_in_month(civil.year, civil.month));
    }
    if (frame->type.id == TYPE_DATE) {
        result->i64 = days;
        return STATUS_OK;
    }
    return timestamp_from_date(days, &result->i64);
}

const FunctionEntry datetime_functions[] = {
    {FUNCTION_DATE_ADD_DAYS, call_date_add_days, NULL, true},
    {FUNCTION_DATE_SUBTRACT_DAYS, call_date_subtract_days, NULL, true},
    {FUNCTION_DATE_DIFFERENCE, call_date_difference, NULL, true},
    {FUNCTION_TIMESTAMP_ADD_INTERVAL, call_timestamp_add_interval, NULL, true},
    {FUNCTION_TIMESTAMP_SUBTRACT_INTERVAL, call_timestamp_subtract_interval, NULL, true},
    {FUNCTION_TIMESTAMP_DIFFERENCE, call_timestamp_difference, NULL, true},
    {FUNCTION_INTERVAL_ADD, call_interval_add, NULL, true},
    {FUNCTION_INTERVAL_SUBTRACT, call_interval_subtract, NULL, true},
    {FUNCTION_EXTRACT, call_extract, prepare_field, true},
    {FUNCTION_DATE_TRUNC, call_date_trunc, prepare_field, true},
    {FUNCTION_DATEADD, call_dateadd, prepare_field, true},
    {FUNCTION_DATEDIFF, call_datediff, prepare_field, true},
    {FUNCTION_ADD_MONTHS, call_add_months, NULL, true},
    {FUNCTION_LAST_DAY, call_last_day, NULL, true},
    {0},
};
