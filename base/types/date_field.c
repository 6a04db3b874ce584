/* date_field.c — the fields of EXTRACT, DATE_PART and DATE_TRUNC: names, values, truncation. */
#include <string.h>

#include "base/types/datetime_internal.h"
#include "base/types/digits_internal.h"

static const char *const field_names[DATE_FIELD_COUNT] = {
    [DATE_FIELD_MICROSECOND] = "microsecond",
    [DATE_FIELD_MILLISECOND] = "millisecond",
    [DATE_FIELD_SECOND] = "second",
    [DATE_FIELD_MINUTE] = "minute",
    [DATE_FIELD_HOUR] = "hour",
    [DATE_FIELD_DAY] = "day",
    [DATE_FIELD_WEEK] = "week",
    [DATE_FIELD_MONTH] = "month",
    [DATE_FIELD_QUARTER] = "quarter",
    [DATE_FIELD_YEAR] = "year",
    [DATE_FIELD_DECADE] = "decade",
    [DATE_FIELD_CENTURY] = "century",
    [DATE_FIELD_MILLENNIUM] = "millennium",
    [DATE_FIELD_DAY_OF_WEEK] = "dow",
    [DATE_FIELD_DAY_OF_YEAR] = "doy",
    [DATE_FIELD_ISO_DAY_OF_WEEK] = "isodow",
    [DATE_FIELD_ISO_YEAR] = "isoyear",
    [DATE_FIELD_EPOCH] = "epoch",
};

/* Redshift manual, "Date parts for date or timestamp functions", and PostgreSQL's iso fields. */
static const char *const field_words[DATE_FIELD_COUNT] = {
    [DATE_FIELD_MICROSECOND] = " microsecond microseconds microsec microsecs microsecon usecond "
                               "useconds us usec usecs ",
    [DATE_FIELD_MILLISECOND] = " millisecond milliseconds millisec millisecs millisecon msecond "
                               "mseconds ms msec msecs ",
    [DATE_FIELD_SECOND] = " second seconds sec secs s ",
    [DATE_FIELD_MINUTE] = " minute minutes min mins m ",
    [DATE_FIELD_HOUR] = " hour hours hr hrs h ",
    [DATE_FIELD_DAY] = " day days d ",
    [DATE_FIELD_WEEK] = " week weeks w ",
    [DATE_FIELD_MONTH] = " month months mon mons ",
    [DATE_FIELD_QUARTER] = " quarter quarters qtr qtrs ",
    [DATE_FIELD_YEAR] = " year years yr yrs y ",
    [DATE_FIELD_DECADE] = " decade decades dec decs ",
    [DATE_FIELD_CENTURY] = " century centuries cent cents c ",
    [DATE_FIELD_MILLENNIUM] = " millennium millennia mil mils ",
    [DATE_FIELD_DAY_OF_WEEK] = " dow dayofweek dw weekday ",
    [DATE_FIELD_DAY_OF_YEAR] = " doy dayofyear dy yearday ",
    [DATE_FIELD_ISO_DAY_OF_WEEK] = " isodow ",
    [DATE_FIELD_ISO_YEAR] = " isoyear ",
    [DATE_FIELD_EPOCH] = " epoch ",
};

bool date_field_parse(const char *text, size_t bytes, DateField *field)
{
    char word[20];
    if (bytes == 0 || bytes + 3 > sizeof word || memchr(text, ' ', bytes) != NULL) {
        return false;
    }
    word[0] = ' '; // between blanks, so that only whole words are found
    for (size_t i = 0; i < bytes; i++) {
        word[i + 1] = to_lower(text[i]);
    }
    word[bytes + 1] = ' ';
    word[bytes + 2] = '\0';
    for (int i = 0; i < DATE_FIELD_COUNT; i++) {
        if (strstr(field_words[i], word) != NULL) {
            *field = (DateField)i;
            return true;
        }
    }
    return false;
}

const char *date_field_name(DateField field)
{
    return field < DATE_FIELD_COUNT ? field_names[field] : "";
}

/* 1 (Monday) .. 7 (Sunday); 1970-01-01 was a Thursday. */
static int64_t iso_day_of_week(int64_t days)
{
    int64_t shifted = days + 3;
    return shifted - floor_divide(shifted, 7) * 7 + 1;
}

/* The ISO week's year and number: the week belongs to the year of its Thursday. */
static int64_t iso_week(int64_t days, int32_t *year)
{
    CivilTime thursday;
    int64_t thursday_days = days - iso_day_of_week(days) + 4;
    civil_from_days(thursday_days, &thursday);
    *year = thursday.year;
    return (thursday_days - days_from_civil(thursday.year, 1, 1)) / 7 + 1;
}

/* Years before 1 AD are counted as PostgreSQL does: no year zero, centuries run backwards. */
static int64_t year_period(int32_t year, int32_t years)
{
    return year > 0 ? (year + years - 1) / years : -((years - 1 - (year - 1)) / years);
}

int64_t date_extract(int64_t days, DateField field)
{
    CivilTime civil;
    int32_t iso_year;
    civil_from_days(days, &civil);
    switch (field) {
    case DATE_FIELD_DAY:
        return civil.day;
    case DATE_FIELD_WEEK:
        return iso_week(days, &iso_year);
    case DATE_FIELD_MONTH:
        return civil.month;
    case DATE_FIELD_QUARTER:
        return (civil.month - 1) / 3 + 1;
    case DATE_FIELD_YEAR:
        return civil.year > 0 ? civil.year : civil.year - 1;
    case DATE_FIELD_DECADE:
        return floor_divide(civil.year, 10);
    case DATE_FIELD_CENTURY:
        return year_period(civil.year, 100);
    case DATE_FIELD_MILLENNIUM:
        return year_period(civil.year, 1000);
    case DATE_FIELD_DAY_OF_WEEK:
        return iso_day_of_week(days) % 7;
    case DATE_FIELD_DAY_OF_YEAR:
        return days - days_from_civil(civil.year, 1, 1) + 1;
    case DATE_FIELD_ISO_DAY_OF_WEEK:
        return iso_day_of_week(days);
    case DATE_FIELD_ISO_YEAR:
        iso_week(days, &iso_year);
        return iso_year > 0 ? iso_year : iso_year - 1;
    case DATE_FIELD_EPOCH:
        return days * (US_PER_DAY / US_PER_SECOND);
    default:
        return 0; // a date's time of day is midnight
    }
}

int64_t timestamp_extract(int64_t us, DateField field)
{
    int64_t days = floor_divide(us, US_PER_DAY);
    int64_t time_us = us - days * US_PER_DAY;
    switch (field) {
    case DATE_FIELD_MICROSECOND:
        return time_us % US_PER_MINUTE;
    case DATE_FIELD_MILLISECOND:
        return time_us % US_PER_MINUTE / 1000;
    case DATE_FIELD_SECOND:
        return time_us / US_PER_SECOND % 60;
    case DATE_FIELD_MINUTE:
        return time_us / US_PER_MINUTE % 60;
    case DATE_FIELD_HOUR:
        return time_us / US_PER_HOUR;
    case DATE_FIELD_EPOCH:
        return floor_divide(us, US_PER_SECOND);
    default:
        return date_extract(days, field);
    }
}

static int64_t floor_to(int64_t us, int64_t step_us)
{
    return floor_divide(us, step_us) * step_us;
}

/* The first year of the period of `years` that holds `year`: centuries begin with year 1. */
static int32_t period_first_year(int32_t year, int32_t years)
{
    return (int32_t)(floor_divide(year - 1, years) * years) + 1;
}

int64_t timestamp_truncate(int64_t us, DateField field)
{
    if (timestamp_is_infinite(us)) {
        return us;
    }
    int64_t days = floor_divide(us, US_PER_DAY);
    CivilTime civil;
    civil_from_days(days, &civil);
    switch (field) {
    case DATE_FIELD_MILLISECOND:
        return floor_to(us, 1000);
    case DATE_FIELD_SECOND:
        return floor_to(us, US_PER_SECOND);
    case DATE_FIELD_MINUTE:
        return floor_to(us, US_PER_MINUTE);
    case DATE_FIELD_HOUR:
        return floor_to(us, US_PER_HOUR);
    case DATE_FIELD_DAY:
        return days * US_PER_DAY;
    case DATE_FIELD_WEEK:
        return (days - iso_day_of_week(days) + 1) * US_PER_DAY;
    case DATE_FIELD_MONTH:
        return days_from_civil(civil.year, civil.month, 1) * US_PER_DAY;
    case DATE_FIELD_QUARTER:
        return days_from_civil(civil.year, (civil.month - 1) / 3 * 3 + 1, 1) * US_PER_DAY;
    case DATE_FIELD_YEAR:
        return days_from_civil(civil.year, 1, 1) * US_PER_DAY;
    case DATE_FIELD_DECADE:
        return days_from_civil((int32_t)floor_divide(civil.year, 10) * 10, 1, 1) * US_PER_DAY;
    case DATE_FIELD_CENTURY:
        return days_from_civil(period_first_year(civil.year, 100), 1, 1) * US_PER_DAY;
    case DATE_FIELD_MILLENNIUM:
        return days_from_civil(period_first_year(civil.year, 1000), 1, 1) * US_PER_DAY;
    default:
        return us;
    }
}
