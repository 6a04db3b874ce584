/* Suite of base/types/datetime.c and date_field.c: the calendar, fields, truncation, addition. */
#include <string.h>

#include "base/types/datetime.h"
#include "tests/support/check_status.h"

static int64_t timestamp_of(const char *text)
{
    int64_t us;
    Status status = timestamp_parse(text, strlen(text), &us);
    if (status != STATUS_OK) {
        ck_abort_msg("%s: %s", text, status_message(status));
    }
    return us;
}

static DateField field_of(const char *name)
{
    DateField field;
    if (!date_field_parse(name, strlen(name), &field)) {
        ck_abort_msg("no field %s", name);
    }
    return field;
}

START_TEST(days_and_civil_dates_are_inverse)
{
    CivilTime before = {.year = -4713, .month = 11, .day = 23};
    for (int64_t days = -2440588; days < 3000000; days++) {
        CivilTime civil;
        civil_from_days(days, &civil);
        bool is_next_day = civil.day == before.day + 1 && civil.month == before.month;
        bool is_next_month = civil.day == 1 && before.day == days_in_month(before.year, before.month);
        if ((!is_next_day && !is_next_month) ||
            days_from_civil(civil.year, civil.month, civil.day) != days) {
            ck_abort_msg("day %lld", (long long)days);
        }
        before = civil;
    }
    ck_assert_int_eq(days_from_civil(1970, 1, 1), 0);
    ck_assert_int_eq(days_from_civil(2000, 1, 1), POSTGRES_EPOCH_DAYS);
    ck_assert_int_eq(days_in_month(1900, 2), 28);
    ck_assert_int_eq(days_in_month(2000, 2), 29);
}
END_TEST

static const DateField row_fields[] = {
    DATE_FIELD_MICROSECOND, DATE_FIELD_MILLISECOND, DATE_FIELD_SECOND,
    DATE_FIELD_MINUTE,      DATE_FIELD_HOUR,        DATE_FIELD_DAY,
    DATE_FIELD_WEEK,        DATE_FIELD_MONTH,       DATE_FIELD_QUARTER,
    DATE_FIELD_YEAR,        DATE_FIELD_DECADE,      DATE_FIELD_CENTURY,
    DATE_FIELD_MILLENNIUM,  DATE_FIELD_DAY_OF_WEEK, DATE_FIELD_DAY_OF_YEAR,
    DATE_FIELD_ISO_DAY_OF_WEEK, DATE_FIELD_ISO_YEAR, DATE_FIELD_EPOCH};

static void check_extract(const char *timestamp, const int64_t *wanted)
{
    int64_t us = timestamp_of(timestamp);
    for (size_t i = 0; i < sizeof row_fields / sizeof row_fields[0]; i++) {
        int64_t found = timestamp_extract(us, row_fields[i]);
        if (found != wanted[i]) {
            ck_abort_msg("%s of %s is %lld, not %lld", date_field_name(row_fields[i]), timestamp,
                         (long long)found, (long long)wanted[i]);
        }
        if (row_fields[i] >= DATE_FIELD_DAY && row_fields[i] != DATE_FIELD_EPOCH) {
            ck_assert_int_eq(date_extract(date_from_timestamp(us), row_fields[i]), wanted[i]);
        }
    }
}

static void check_truncate(const char *timestamp, const char *field, const char *wanted)
{
    char text[DATETIME_TEXT_BYTES];
    size_t bytes = timestamp_print(timestamp_truncate(timestamp_of(timestamp), field_of(field)),
                                   text);
    if (bytes != strlen(wanted) || memcmp(text, wanted, bytes) != 0) {
        ck_abort_msg("%s to %s is %.*s, not %s", timestamp, field, (int)bytes, text, wanted);
    }
}

static void check_add(const char *timestamp, const char *interval_text, const char *wanted)
{
    Interval interval;
    int64_t sum, back;
    char text[DATETIME_TEXT_BYTES] = "!";
    size_t bytes;
    ck_assert_ok(interval_parse(interval_text, strlen(interval_text), &interval));
    Status status = timestamp_add_interval(timestamp_of(timestamp), &interval, 1, &sum);
    if (status != STATUS_OK) {
        memcpy(text + 1, status_sqlstate_code(status), 5);
        bytes = 6;
        status_free(status);
    } else {
        bytes = timestamp_print(sum, text);
        Interval opposite = {-interval.months, -interval.days, -interval.us};
        ck_assert_ok(timestamp_add_interval(timestamp_of(timestamp), &opposite, -1, &back));
        ck_assert_int_eq(back, sum);
    }
    if (bytes != strlen(wanted) || memcmp(text, wanted, bytes) != 0) {
        ck_abort_msg("%s + %s is %.*s, not %s", timestamp, interval_text, (int)bytes, text, wanted);
    }
}

#define EXTRACT_ROW(timestamp, ...) check_extract(timestamp, (const int64_t[]){__VA_ARGS__});
#define TRUNCATE_CASE(timestamp, field, wanted) check_truncate(timestamp, field, wanted);
#define ADD_CASE(timestamp, interval, wanted) check_add(timestamp, interval, wanted);

START_TEST(fields_and_sums_as_postgresql_computes_them)
{
#include "tests/unit/base/types/datetime_fields.def"
}
END_TEST

START_TEST(infinite_values_stay)
{
    Interval day = {.days = 1};
    int64_t us;
    ck_assert_ok(timestamp_add_interval(TIMESTAMP_INFINITY, &day, 1, &us));
    ck_assert_int_eq(us, TIMESTAMP_INFINITY);
    ck_assert_int_eq(timestamp_truncate(TIMESTAMP_MINUS_INFINITY, DATE_FIELD_DAY),
                     TIMESTAMP_MINUS_INFINITY);
    ck_assert_ok(timestamp_from_date(DATE_INFINITY, &us));
    ck_assert_int_eq(us, TIMESTAMP_INFINITY);
    ck_assert_int_eq(date_from_timestamp(TIMESTAMP_MINUS_INFINITY), DATE_MINUS_INFINITY);
    ck_assert_state(timestamp_from_date(2000000000, &us), SQLSTATE_DATETIME_FIELD_OVERFLOW);
    ck_assert_int_eq(date_from_timestamp(-1), -1);
}
END_TEST

START_TEST(sums_beyond_the_range_are_refused)
{
    Interval huge = {.us = INT64_MIN}, months = {.months = INT32_MIN}, days = {.days = INT32_MAX};
    int64_t us;
    ck_assert_state(timestamp_add_interval(0, &huge, -1, &us), SQLSTATE_DATETIME_FIELD_OVERFLOW);
    ck_assert_state(timestamp_add_interval(0, &huge, 1, &us), SQLSTATE_DATETIME_FIELD_OVERFLOW);
    ck_assert_state(timestamp_add_interval(0, &months, -1, &us), SQLSTATE_DATETIME_FIELD_OVERFLOW);
    ck_assert_state(timestamp_add_interval(0, &months, 1, &us), SQLSTATE_DATETIME_FIELD_OVERFLOW);
    ck_assert_state(timestamp_add_interval(0, &days, 1, &us), SQLSTATE_DATETIME_FIELD_OVERFLOW);
}
END_TEST

START_TEST(field_names)
{
    DateField field;
    for (int i = 0; i < DATE_FIELD_COUNT; i++) {
        const char *name = date_field_name((DateField)i);
        ck_assert(date_field_parse(name, strlen(name), &field));
        ck_assert_int_eq(field, i);
    }
    ck_assert_int_eq(field_of("DayOfWeek"), DATE_FIELD_DAY_OF_WEEK);
    ck_assert_int_eq(field_of("qtr"), DATE_FIELD_QUARTER);
    ck_assert_int_eq(field_of("m"), DATE_FIELD_MINUTE);
    ck_assert_int_eq(field_of("mon"), DATE_FIELD_MONTH);
    ck_assert_int_eq(field_of("US"), DATE_FIELD_MICROSECOND);
    ck_assert(!date_field_parse("yea", 3, &field));
    ck_assert(!date_field_parse("", 0, &field));
    ck_assert(!date_field_parse("year years", 10, &field));
    ck_assert(!date_field_parse("a name that is far too long", 27, &field));
}
END_TEST

START_TEST(words_that_need_a_clock)
{
    const int64_t now_us = 90061000001; // 1970-01-02 01:01:01.000001
    int64_t us;
    ck_assert(datetime_word_parse(" Now ", 5, now_us, &us));
    ck_assert_int_eq(us, now_us);
    ck_assert(datetime_word_parse("today", 5, now_us, &us));
    ck_assert_int_eq(us, US_PER_DAY);
    ck_assert(datetime_word_parse("TOMORROW", 8, now_us, &us));
    ck_assert_int_eq(us, 2 * US_PER_DAY);
    ck_assert(datetime_word_parse("yesterday", 9, now_us, &us));
    ck_assert_int_eq(us, 0);
    ck_assert(!datetime_word_parse("2024-01-01", 10, now_us, &us));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("datetime");
    suite_add_case(suite, "calendar", days_and_civil_dates_are_inverse);
    suite_add_case(suite, "fields", fields_and_sums_as_postgresql_computes_them);
    suite_add_case(suite, "infinity", infinite_values_stay);
    suite_add_case(suite, "range", sums_beyond_the_range_are_refused);
    suite_add_case(suite, "names", field_names);
    suite_add_case(suite, "words", words_that_need_a_clock);
    return suite_main(suite);
}
