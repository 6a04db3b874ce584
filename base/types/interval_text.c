/*
 * interval_text.c — intervals from text and back, intervalstyle postgres.
 *
 * Fields are read from the right, so that a unit comes before its number: "1 year 2 mons
 * 3 days 04:05:06.5". ISO 8601 durations (P1Y2M3DT4H5M6.5S) are tried when that fails.
 */
#include <math.h>
#include <string.h>

#include "base/types/datetime_internal.h"
#include "base/types/digits_internal.h"

/* A sum under way; every addition checks for overflow. */
typedef struct IntervalSum {
    int64_t months, days, us;
    uint32_t fields; /* bit per DateField already given */
} IntervalSum;

/* A number with its fraction, both with the number's sign. */
typedef struct Quantity {
    int64_t whole;
    double fraction;
} Quantity;

static DecodeResult decode_interval(const FieldList *fields, IntervalSum *sum);
static DecodeResult decode_iso(const char *text, size_t bytes, IntervalSum *sum);
static DecodeResult add_quantity(IntervalSum *sum, Quantity quantity, DateField unit);

static Status interval_error(DecodeResult result, const char *text, size_t bytes)
{
    int shown = (int)(bytes > 256 ? 256 : bytes);
    if (result == DECODE_INVALID) {
        return status_error(SQLSTATE_INVALID_DATETIME_FORMAT,
                            "invalid input syntax for type interval: \"%.*s\"", shown, text);
    }
    return status_error(SQLSTATE_INTERVAL_FIELD_OVERFLOW,
                        "interval field value out of range: \"%.*s\"", shown, text);
}

Status interval_parse(const char *text, size_t bytes, Interval *out)
{
    FieldList fields;
    IntervalSum sum = {0};
    DecodeResult result = DECODE_INVALID;
    if (text_fields_split(text, bytes, &fields)) {
        result = decode_interval(&fields, &sum);
    }
    if (result == DECODE_INVALID) {
        sum = (IntervalSum){0};
        result = decode_iso(text, bytes, &sum);
    }
    if (result != DECODE_OK) {
        return interval_error(result, text, bytes);
    }
    if (sum.months > INT32_MAX || sum.months < INT32_MIN || sum.days > INT32_MAX ||
        sum.days < INT32_MIN) {
        return status_error(SQLSTATE_DATETIME_FIELD_OVERFLOW, "interval out of range");
    }
    *out = (Interval){.months = (int32_t)sum.months, .days = (int32_t)sum.days, .us = sum.us};
    return STATUS_OK;
}

/* --- sums --- */

/* *total += value * factor + fraction * factor, the last rounded to nearest. */
static bool add_scaled(int64_t *total, int64_t value, double fraction, int64_t factor)
{
    int64_t product;
    double extra = rint(fraction * (double)factor); // below one unit, so it fits
    return !__builtin_mul_overflow(value, factor, &product) &&
           !__builtin_add_overflow(*total, product, total) &&
           !__builtin_add_overflow(*total, (int64_t)extra, total);
}

/* Adds whole days of `fraction` * `days_per_unit`, and what remains as time. */
static bool add_day_fraction(IntervalSum *sum, double fraction, int64_t days_per_unit)
{
    double days = fraction * (double)days_per_unit;
    int64_t whole_days = (int64_t)days;
    return !__builtin_add_overflow(sum->days, whole_days, &sum->days) &&
           add_scaled(&sum->us, 0, days - (double)whole_days, US_PER_DAY);
}

/* Years and longer round their fraction to months; weeks and months hand it down to days and
 * time, days to time. */
static DecodeResult add_quantity(IntervalSum *sum, Quantity quantity, DateField unit)
{
    static const int64_t month_factors[DATE_FIELD_COUNT] = {
        [DATE_FIELD_YEAR] = 12,
        [DATE_FIELD_DECADE] = 120,
        [DATE_FIELD_CENTURY] = 1200,
        [DATE_FIELD_MILLENNIUM] = 12000,
    };
    static const int64_t us_factors[DATE_FIELD_COUNT] = {
        [DATE_FIELD_MICROSECOND] = 1,        [DATE_FIELD_MILLISECOND] = 1000,
        [DATE_FIELD_SECOND] = US_PER_SECOND, [DATE_FIELD_MINUTE] = US_PER_MINUTE,
        [DATE_FIELD_HOUR] = US_PER_HOUR,
    };
    uint32_t field = 1u << unit;
    bool has_fraction = fpclassify(quantity.fraction) != FP_ZERO;
    if (unit == DATE_FIELD_SECOND && has_fraction) {
        field |= 1u << DATE_FIELD_MILLISECOND | 1u << DATE_FIELD_MICROSECOND;
    }
    if ((sum->fields & field) != 0) {
        return DECODE_INVALID;
    }
    sum->fields |= field;
    bool is_in_range;
    if (us_factors[unit] != 0) {
        is_in_range = add_scaled(&sum->us, quantity.whole, quantity.fraction, us_factors[unit]);
    } else if (month_factors[unit] != 0) {
        is_in_range =
            add_scaled(&sum->months, quantity.whole, quantity.fraction, month_factors[unit]);
    } else if (unit == DATE_FIELD_DAY || unit == DATE_FIELD_WEEK) {
        int64_t days = unit == DATE_FIELD_WEEK ? 7 : 1;
        is_in_range = add_scaled(&sum->days, quantity.whole, 0, days) &&
                      add_day_fraction(sum, quantity.fraction, days);
    } else if (unit == DATE_FIELD_MONTH || unit == DATE_FIELD_QUARTER) {
        int64_t months = unit == DATE_FIELD_QUARTER ? 3 : 1;
        double fraction_months = quantity.fraction * (double)months;
        int64_t whole_months = (int64_t)fraction_months;
        is_in_range = add_scaled(&sum->months, quantity.whole, 0, months) &&
                      add_scaled(&sum->months, whole_months, 0, 1) &&
                      add_day_fraction(sum, fraction_months - (double)whole_months, 30);
    } else {
        return DECODE_INVALID;
    }
    return is_in_range ? DECODE_OK : DECODE_OVERFLOW;
}

/* The clock's hours when they are too many for read_clock: h:m:s with h of ten digits and more.
 * `rest` gets a clock of no hours. */
static DecodeResult read_many_hours(const char *text, int64_t *hours, char *rest)
{
    const char *colon = strchr(text, ':');
    *hours = 0;
    if (colon == NULL || colon - text < 10 || strchr(colon + 1, ':') == NULL) {
        memcpy(rest, text, strlen(text) + 1);
        return DECODE_OK;
    }
    for (; text < colon; text++) {
        if (!is_digit(*text)) {
            return DECODE_INVALID;
        }
        if (__builtin_mul_overflow(*hours, INT64_C(10), hours) ||
            __builtin_add_overflow(*hours, (int64_t)(*text - '0'), hours)) {
            return DECODE_OVERFLOW;
        }
    }
    rest[0] = '0';
    memcpy(rest + 1, colon, strlen(colon) + 1);
    return DECODE_OK;
}

static DecodeResult add_clock(IntervalSum *sum, const char *text, bool is_negative)
{
    const uint32_t clock_fields = 1u << DATE_FIELD_HOUR | 1u << DATE_FIELD_MINUTE |
                                  1u << DATE_FIELD_SECOND | 1u << DATE_FIELD_MILLISECOND |
                                  1u << DATE_FIELD_MICROSECOND;
    CivilTime time;
    int64_t many_hours, us;
    char rest[DATETIME_INPUT_MAX + 1];
    DecodeResult result = read_many_hours(text, &many_hours, rest);
    if (result == DECODE_OK) {
        result = read_clock(rest, &time);
    }
    if (result != DECODE_OK) {
        return result;
    }
    if ((sum->fields & clock_fields) != 0) {
        return DECODE_INVALID;
    }
    sum->fields |= clock_fields;
    int64_t clock_us = time.hour * US_PER_HOUR + time.minute * US_PER_MINUTE +
                       time.second * US_PER_SECOND + time.us; // hours < 2^31: below 2^63
    if (__builtin_mul_overflow(many_hours, is_negative ? -US_PER_HOUR : US_PER_HOUR, &us) ||
        __builtin_add_overflow(us, is_negative ? -clock_us : clock_us, &us) ||
        __builtin_add_overflow(sum->us, us, &sum->us)) {
        return DECODE_OVERFLOW;
    }
    return DECODE_OK;
}

/* --- numbers --- */

/* "12", "-3.25", ".5"; the cursor moves behind it. */
static DecodeResult read_quantity(const char **cursor, Quantity *quantity)
{
    bool is_negative = **cursor == '-';
    *cursor += **cursor == '-' || **cursor == '+';
    if (!is_digit(**cursor) && **cursor != '.') {
        return DECODE_INVALID;
    }
    *quantity = (Quantity){0};
    for (; is_digit(**cursor); (*cursor)++) {
        if (__builtin_mul_overflow(quantity->whole, INT64_C(10), &quantity->whole) ||
            __builtin_add_overflow(quantity->whole, (int64_t)(**cursor - '0'), &quantity->whole)) {
            return DECODE_OVERFLOW;
        }
    }
    if (**cursor == '.') {
        uint64_t digits = 0, scale = 1;
        for ((*cursor)++; is_digit(**cursor); (*cursor)++) {
            if (scale < UINT64_C(1000000000000000)) { // 15 digits: more than a double tells apart
                digits = digits * 10 + (uint64_t)(**cursor - '0');
                scale *= 10;
            }
        }
        quantity->fraction = (double)digits / (double)scale;
    }
    if (is_negative) {
        quantity->whole = -quantity->whole;
        quantity->fraction = -quantity->fraction;
    }
    return DECODE_OK;
}

/* A number field: "3", "-1.5", or SQL's years-months "1-2". */
static DecodeResult decode_amount(IntervalSum *sum, const char *text, DateField *unit)
{
    Quantity quantity;
    const char *cursor = text;
    DecodeResult result = read_quantity(&cursor, &quantity);
    if (result != DECODE_OK) {
        return result;
    }
    if (*cursor == '-' && fpclassify(quantity.fraction) == FP_ZERO) {
        int32_t months;
        cursor++;
        result = read_number(&cursor, &months);
        if (result == DECODE_OK && months >= 12) {
            result = DECODE_OVERFLOW;
        }
        if (result != DECODE_OK || *cursor != '\0') {
            return result == DECODE_OK ? DECODE_INVALID : result;
        }
        if (__builtin_mul_overflow(quantity.whole, INT64_C(12), &quantity.whole) ||
            __builtin_add_overflow(quantity.whole, *text == '-' ? -months : months,
                                   &quantity.whole)) {
            return DECODE_OVERFLOW;
        }
        *unit = DATE_FIELD_MONTH;
    } else if (*cursor != '\0') {
        return DECODE_INVALID;
    }
    return add_quantity(sum, quantity, *unit);
}

static DecodeResult decode_interval(const FieldList *fields, IntervalSum *sum)
{
    DateField unit = DATE_FIELD_SECOND; // of a number at the end without one
    bool is_ago = false;
    for (size_t i = fields->count; i-- > 0;) {
        const TextField *field = &fields->items[i];
        DecodeResult result = DECODE_OK;
        bool is_clock = field->kind == FIELD_TIME ||
                        (field->kind == FIELD_SIGNED && strchr(field->text, ':') != NULL);
        if (is_clock) {
            result =
                add_clock(sum, field->text + (field->kind == FIELD_SIGNED), *field->text == '-');
            unit = DATE_FIELD_DAY; // "1 02:03": a number before a time counts days
        } else if (field->kind == FIELD_WORD) {
            if (strcmp(field->text, "ago") == 0 && i + 1 == fields->count) {
                is_ago = true;
            } else if (!date_field_parse(field->text, field->bytes, &unit)) {
                result = DECODE_INVALID;
            }
        } else if (field->kind == FIELD_SPECIAL) {
            result = DECODE_INVALID;
        } else {
            result = decode_amount(sum, field->text, &unit);
        }
        if (result != DECODE_OK) {
            return result;
        }
    }
    if (is_ago) {
        if (sum->us == INT64_MIN) {
            return DECODE_OVERFLOW;
        }
        sum->months = -sum->months;
        sum->days = -sum->days;
        sum->us = -sum->us;
    }
    return sum->fields != 0 ? DECODE_OK : DECODE_INVALID;
}

static DecodeResult decode_iso(const char *text, size_t bytes, IntervalSum *sum)
{
    static const char date_letters[] = "YMWD", time_letters[] = "HMS";
    static const DateField date_units[] = {DATE_FIELD_YEAR, DATE_FIELD_MONTH, DATE_FIELD_WEEK,
                                           DATE_FIELD_DAY};
    static const DateField time_units[] = {DATE_FIELD_HOUR, DATE_FIELD_MINUTE, DATE_FIELD_SECOND};
    char input[DATETIME_INPUT_MAX + 1];
    trim_blanks(&text, &bytes);
    if (bytes < 2 || bytes > DATETIME_INPUT_MAX || text[0] != 'P') {
        return DECODE_INVALID;
    }
    memcpy(input, text, bytes);
    input[bytes] = '\0';
    bool is_time = false;
    for (const char *cursor = input + 1; *cursor != '\0';) {
        if (*cursor == 'T' && !is_time) {
            is_time = true;
            cursor++;
            if (*cursor == '\0') {
                return DECODE_INVALID;
            }
            continue;
        }
        Quantity quantity;
        DecodeResult result = read_quantity(&cursor, &quantity);
        if (result != DECODE_OK) {
            return result;
        }
        const char *letters = is_time ? time_letters : date_letters;
        const char *letter = *cursor == '\0' ? NULL : strchr(letters, *cursor);
        if (letter == NULL) {
            return DECODE_INVALID;
        }
        cursor++;
        result = add_quantity(sum, quantity, (is_time ? time_units : date_units)[letter - letters]);
        if (result != DECODE_OK) {
            return result;
        }
    }
    return DECODE_OK;
}

/* --- printing --- */

/* " 2 mons": after a negative part a positive one shows its sign. */
static char *print_part(int64_t value, const char *unit, bool *is_first, bool *is_after_negative,
                        char *cursor)
{
    if (value == 0) {
        return cursor;
    }
    if (!*is_first) {
        *cursor++ = ' ';
    }
    if (*is_after_negative && value > 0) {
        *cursor++ = '+';
    }
    if (value < 0) {
        *cursor++ = '-';
    }
    cursor += write_digits((uint64_t)(value < 0 ? -value : value), cursor);
    *cursor++ = ' ';
    size_t unit_bytes = strlen(unit);
    memcpy(cursor, unit, unit_bytes);
    cursor += unit_bytes;
    if (value != 1) {
        *cursor++ = 's';
    }
    *is_first = false;
    *is_after_negative = value < 0;
    return cursor;
}

size_t interval_print(const Interval *interval, char *target)
{
    bool is_first = true, is_after_negative = false;
    char *cursor = target;
    cursor = print_part(interval->months / 12, "year", &is_first, &is_after_negative, cursor);
    cursor = print_part(interval->months % 12, "mon", &is_first, &is_after_negative, cursor);
    cursor = print_part(interval->days, "day", &is_first, &is_after_negative, cursor);
    if (interval->us == 0 && !is_first) {
        return (size_t)(cursor - target);
    }
    if (!is_first) {
        *cursor++ = ' ';
    }
    if (interval->us < 0) {
        *cursor++ = '-';
    } else if (is_after_negative) {
        *cursor++ = '+';
    }
    uint64_t us = interval->us < 0 ? -(uint64_t)interval->us : (uint64_t)interval->us;
    uint64_t hours = us / (uint64_t)US_PER_HOUR;
    size_t hour_digits = hours < 100 ? 2 : digit_count(hours);
    write_digits_padded(hours, hour_digits, cursor);
    cursor += hour_digits;
    cursor[0] = ':';
    write_two_digits((uint32_t)(us / (uint64_t)US_PER_MINUTE % 60), cursor + 1);
    cursor[3] = ':';
    write_two_digits((uint32_t)(us / (uint64_t)US_PER_SECOND % 60), cursor + 4);
    cursor = print_second_fraction((uint32_t)(us % (uint64_t)US_PER_SECOND), cursor + 6);
    return (size_t)(cursor - target);
}
