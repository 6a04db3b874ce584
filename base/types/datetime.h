/* datetime.h — dates, timestamps, intervals: proleptic Gregorian calendar, days from 1970-01-01. */
#pragma once
#include "base/types/type.h"

#define US_PER_SECOND INT64_C(1000000)
#define US_PER_DAY INT64_C(86400000000)
#define DATE_INFINITY INT32_MAX /* days; 'infinity' */
#define DATE_MINUS_INFINITY INT32_MIN
#define TIMESTAMP_INFINITY INT64_MAX
#define TIMESTAMP_MINUS_INFINITY INT64_MIN
#define POSTGRES_EPOCH_DAYS 10957 /* 2000-01-01, the wire's epoch */

typedef struct CivilTime {
    int32_t year;       /* astronomical: 1 BC is 0 */
    int32_t month, day; /* 1.. */
    int32_t hour, minute, second, us;
} CivilTime;

int64_t days_from_civil(int32_t year, int32_t month, int32_t day);
void civil_from_days(int64_t days, CivilTime *civil);
void civil_from_timestamp(int64_t timestamp_us, CivilTime *civil);
int32_t days_in_month(int32_t year, int32_t month);
bool date_is_infinite(int64_t days);
bool timestamp_is_infinite(int64_t us);
/* 22008 when the date is beyond what timestamps reach. */
Status timestamp_from_date(int64_t days, int64_t *us) CHECKED;
int64_t date_from_timestamp(int64_t us); /* the day it falls on */

/* Text in PostgreSQL's forms (ISO, and the common others under datestyle MDY). 22007 for what is
 * no date at all, 22008 for a field out of range. */
Status date_parse(const char *text, size_t bytes, int32_t *days) CHECKED;
Status timestamp_parse(const char *text, size_t bytes, int64_t *us) CHECKED;
Status interval_parse(const char *text, size_t bytes, Interval *out) CHECKED;
/* The words that need a clock, which the parsers above refuse: now, today, tomorrow, yesterday.
 * `now_us` is the session's time. */
bool datetime_word_parse(const char *text, size_t bytes, int64_t now_us, int64_t *us);
#define DATETIME_TEXT_BYTES 80
size_t date_print(int64_t days, char *target);
size_t timestamp_print(int64_t us, char *target);
size_t interval_print(const Interval *interval, char *target); /* intervalstyle postgres */

/* date/timestamp + interval: months first (clipped to the month's length), then days, then time.
 * 22008 on overflow. */
Status timestamp_add_interval(int64_t us, const Interval *interval, int sign, int64_t *out) CHECKED;
/* Fields of EXTRACT and DATE_TRUNC, DATE_PART, DATEADD, DATEDIFF. */
typedef enum DateField {
    DATE_FIELD_MICROSECOND,
    DATE_FIELD_MILLISECOND,
    DATE_FIELD_SECOND,
    DATE_FIELD_MINUTE,
    DATE_FIELD_HOUR,
    DATE_FIELD_DAY,
    DATE_FIELD_WEEK,
    DATE_FIELD_MONTH,
    DATE_FIELD_QUARTER,
    DATE_FIELD_YEAR,
    DATE_FIELD_DECADE,
    DATE_FIELD_CENTURY,
    DATE_FIELD_MILLENNIUM,
    DATE_FIELD_DAY_OF_WEEK,
    DATE_FIELD_DAY_OF_YEAR,
    DATE_FIELD_ISO_DAY_OF_WEEK,
    DATE_FIELD_ISO_YEAR,
    DATE_FIELD_EPOCH,
    DATE_FIELD_COUNT
} DateField;
bool date_field_parse(const char *text, size_t bytes,
                      DateField *field); /* with Redshift's aliases */
const char *date_field_name(DateField field);
int64_t date_extract(int64_t days, DateField field); /* whole-number fields of a date */
int64_t timestamp_extract(int64_t us, DateField field);
int64_t timestamp_truncate(int64_t us, DateField field);
