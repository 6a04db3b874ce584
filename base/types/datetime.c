/*
 * datetime.c — the calendar: days and civil dates, adding intervals, printing.
 *
 * Civil dates come from H. Hinnant, "chrono-compatible low-level date algorithms": years begin in
 * March, so the leap day is the last of its year; eras have 400 years and 146,097 days.
 */
#include "base/types/datetime.h"

#include <string.h>

#include "base/types/datetime_internal.h"
#include "base/types/digits_internal.h"

#define DAYS_PER_ERA 146097
#define DAYS_TO_EPOCH 719468 /* 0000-03-01 .. 1970-01-01 */

static bool is_leap_year(int32_t year)
{
    return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

int64_t days_from_civil(int32_t year, int32_t month, int32_t day)
{
    bool is_next_year = month <= 2;
    int64_t shifted_year = (int64_t)year - is_next_year;
    int64_t era = floor_divide(shifted_year, 400);
    uint32_t year_of_era = (uint32_t)(shifted_year - era * 400);
    uint32_t day_of_year = (uint32_t)(153 * (month + (is_next_year ? 9 : -3)) + 2) / 5;
    uint32_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    return era * DAYS_PER_ERA + day_of_era + day - 1 - DAYS_TO_EPOCH;
}

/* Any number of days, by eras. */
static void civil_from_far_days(int64_t days, CivilTime *civil)
{
    days += DAYS_TO_EPOCH;
    int64_t era = floor_divide(days, DAYS_PER_ERA);
    uint32_t day_of_era = (uint32_t)(days - era * DAYS_PER_ERA);
    uint32_t year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    uint32_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    uint32_t shifted_month = (5 * day_of_year + 2) / 153;
    *civil = (CivilTime){
        .month = (int32_t)(shifted_month < 10 ? shifted_month + 3 : shifted_month - 9),
        .day = (int32_t)(day_of_year - (153 * shifted_month + 2) / 5 + 1),
    };
    civil->year = (int32_t)(year_of_era + era * 400 + (civil->month <= 2));
}

/* Multiplications instead of divisions: C. Neri and L. Schneider, "Euclidean affine functions and
 * their application to calendar algorithms", 2023. */
void civil_from_days(int64_t days, CivilTime *civil)
{
    const uint32_t eras = 82; // days before 0000-03-01 that 32 bits may carry
    const uint32_t shift = DAYS_TO_EPOCH + eras * DAYS_PER_ERA;
    if (days < -(int64_t)shift || days >= (INT64_C(1) << 30) - shift) {
        civil_from_far_days(days, civil);
        return;
    }
    uint32_t quarters = 4 * (uint32_t)(days + shift) + 3;
    uint32_t century = quarters / DAYS_PER_ERA;
    quarters = quarters % DAYS_PER_ERA | 3;
    uint64_t product = UINT64_C(2939745) * quarters;
    uint32_t year_of_century = (uint32_t)(product >> 32);
    uint32_t day_of_year = (uint32_t)product / 2939745 / 4;
    uint32_t month_and_day = 2141 * day_of_year + 197913;
    bool is_next_year = day_of_year >= 306; // January and February
    *civil = (CivilTime){
        .year = (int32_t)(100 * century + year_of_century + is_next_year) - (int32_t)(400 * eras),
        .month = (int32_t)(month_and_day >> 16) - (is_next_year ? 12 : 0),
        .day = (int32_t)((month_and_day & 0xffff) / 2141) + 1,
    };
}

void civil_from_timestamp(int64_t timestamp_us, CivilTime *civil)
{
    int64_t days = floor_divide(timestamp_us, US_PER_DAY);
    int64_t us = timestamp_us - days * US_PER_DAY;
    civil_from_days(days, civil);
    civil->hour = (int32_t)(us / US_PER_HOUR);
    civil->minute = (int32_t)(us / US_PER_MINUTE % 60);
    civil->second = (int32_t)(us / US_PER_SECOND % 60);
    civil->us = (int32_t)(us % US_PER_SECOND);
}

int32_t days_in_month(int32_t year, int32_t month)
{
    static const uint8_t days[12] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    return days[month - 1] + (month == 2 && is_leap_year(year));
}

bool date_is_infinite(int64_t days)
{
    return days == DATE_INFINITY || days == DATE_MINUS_INFINITY;
}

bool timestamp_is_infinite(int64_t us)
{
    return us == TIMESTAMP_INFINITY || us == TIMESTAMP_MINUS_INFINITY;
}

bool timestamp_is_in_range(int64_t us)
{
    return us >= TIMESTAMP_MIN_US && us <= TIMESTAMP_MAX_US;
}

Status timestamp_out_of_range(void)
{
    return status_error(SQLSTATE_DATETIME_FIELD_OVERFLOW, "timestamp out of range");
}

Status timestamp_from_date(int64_t days, int64_t *us)
{
    if (date_is_infinite(days)) {
        *us = days == DATE_INFINITY ? TIMESTAMP_INFINITY : TIMESTAMP_MINUS_INFINITY;
        return STATUS_OK;
    }
    int64_t product;
    if (__builtin_mul_overflow(days, US_PER_DAY, &product) || !timestamp_is_in_range(product)) {
        return status_error(SQLSTATE_DATETIME_FIELD_OVERFLOW, "date out of range for timestamp");
    }
    *us = product;
    return STATUS_OK;
}

int64_t date_from_timestamp(int64_t us)
{
    if (timestamp_is_infinite(us)) {
        return us == TIMESTAMP_INFINITY ? DATE_INFINITY : DATE_MINUS_INFINITY;
    }
    return floor_divide(us, US_PER_DAY);
}

/* --- printing --- */

static char *print_civil_date(const CivilTime *civil, char *cursor)
{
    uint64_t year = (uint64_t)(civil->year > 0 ? civil->year : 1 - civil->year);
    size_t digits = year < 10000 ? 4 : digit_count(year);
    write_digits_padded(year, digits, cursor);
    cursor += digits;
    cursor[0] = '-';
    write_two_digits((uint32_t)civil->month, cursor + 1);
    cursor[3] = '-';
    write_two_digits((uint32_t)civil->day, cursor + 4);
    return cursor + 6;
}

static char *print_era(const CivilTime *civil, char *cursor)
{
    if (civil->year <= 0) {
        memcpy(cursor, " BC", 3);
        cursor += 3;
    }
    return cursor;
}

static size_t print_infinity(bool is_positive, char *target)
{
    const char *text = is_positive ? "infinity" : "-infinity";
    size_t bytes = strlen(text);
    memcpy(target, text, bytes);
    return bytes;
}

size_t date_print(int64_t days, char *target)
{
    if (date_is_infinite(days)) {
        return print_infinity(days == DATE_INFINITY, target);
    }
    CivilTime civil;
    civil_from_days(days, &civil);
    return (size_t)(print_era(&civil, print_civil_date(&civil, target)) - target);
}

char *print_second_fraction(uint32_t us, char *cursor)
{
    if (us == 0) {
        return cursor;
    }
    size_t digits = 6;
    for (; us % 10 == 0; us /= 10) {
        digits--;
    }
    *cursor = '.';
    write_digits_padded(us, digits, cursor + 1);
    return cursor + 1 + digits;
}

size_t timestamp_print(int64_t us, char *target)
{
    if (timestamp_is_infinite(us)) {
        return print_infinity(us == TIMESTAMP_INFINITY, target);
    }
    CivilTime civil;
    civil_from_timestamp(us, &civil);
    char *cursor = print_civil_date(&civil, target);
    cursor[0] = ' ';
    write_two_digits((uint32_t)civil.hour, cursor + 1);
    cursor[3] = ':';
    write_two_digits((uint32_t)civil.minute, cursor + 4);
    cursor[6] = ':';
    write_two_digits((uint32_t)civil.second, cursor + 7);
    cursor = print_second_fraction((uint32_t)civil.us, cursor + 9);
    return (size_t)(print_era(&civil, cursor) - target);
}

/* --- arithmetic --- */

Status timestamp_add_interval(int64_t us, const Interval *interval, int sign, int64_t *out)
{
    if (timestamp_is_infinite(us)) {
        *out = us;
        return STATUS_OK;
    }
    int64_t months = (int64_t)interval->months * sign, days = (int64_t)interval->days * sign;
    int64_t interval_us, result = us;
    if (__builtin_mul_overflow(interval->us, (int64_t)sign, &interval_us)) {
        return timestamp_out_of_range();
    }
    if (months != 0) {
        CivilTime civil;
        int64_t time_us = us - floor_divide(us, US_PER_DAY) * US_PER_DAY;
        civil_from_timestamp(us, &civil);
        int64_t month_index = (int64_t)civil.year * 12 + civil.month - 1 + months;
        int64_t year = floor_divide(month_index, 12);
        int32_t month = (int32_t)(month_index - year * 12) + 1;
        if (year < TIMESTAMP_YEAR_MIN || year > TIMESTAMP_YEAR_MAX) {
            return timestamp_out_of_range();
        }
        int32_t month_days = days_in_month((int32_t)year, month);
        int32_t day = civil.day > month_days ? month_days : civil.day;
        result = days_from_civil((int32_t)year, month, day) * US_PER_DAY + time_us;
    }
    int64_t days_us;
    if (__builtin_mul_overflow(days, US_PER_DAY, &days_us) ||
        __builtin_add_overflow(result, days_us, &result) ||
        __builtin_add_overflow(result, interval_us, &result) || !timestamp_is_in_range(result)) {
        return timestamp_out_of_range();
    }
    *out = result;
    return STATUS_OK;
}
