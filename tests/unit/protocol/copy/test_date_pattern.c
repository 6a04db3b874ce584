/* test_date_pattern.c — dates and timestamps by DATEFORMAT and TIMEFORMAT. */
#include "base/types/datetime.h"
#include "protocol/copy/date_pattern.h"
#include "tests/support/check_status.h"

static Status parse(const char *pattern, const char *text, bool allows_rest, int64_t *us)
{
    DatePattern compiled;
    ck_assert_ok(date_pattern_compile(pattern, &compiled));
    return date_pattern_parse(&compiled, text, strlen(text), allows_rest, us);
}

START_TEST(reads)
{
    static const struct {
        const char *pattern, *text, *expected;
    } good[] = {
        {"YYYY-MM-DD", "1996-03-13", "1996-03-13 00:00:00"},
        {"YYYYMMDD", "19960313", "1996-03-13 00:00:00"},
        {"DD.MM.YYYY HH24:MI", "7.5.1996 03:04", "1996-05-07 03:04:00"},
        {"MM/DD/YY", "12/31/99", "1999-12-31 00:00:00"},
        {"MM/DD/YY", "12/31/23", "2023-12-31 00:00:00"},
        {"DD-MON-YYYY", "05-Feb-2024", "2024-02-05 00:00:00"},
        {"DD MONTH YYYY", "29 february 2024", "2024-02-29 00:00:00"},
        {"YYYY.DDD", "2024.366", "2024-12-31 00:00:00"},
        {"YYYY-MM-DD HH12:MI:SS AM", "2024-01-02 12:30:00 am", "2024-01-02 00:30:00"},
        {"YYYY-MM-DD HH:MI:SS PM", "2024-01-02 01:30:05 PM", "2024-01-02 13:30:05"},
        {"YYYY-MM-DDTHH24:MI:SS", "2024-01-02T03:04:05", "2024-01-02 03:04:05"},
        {"YYYY-MM-DD HH24:MI:SS", "2024-01-02 03:04:05.25", "2024-01-02 03:04:05.25"},
        {"YYYY-MM-DD HH24:MI:SS.US", "2024-01-02 03:04:05.000007", "2024-01-02 03:04:05.000007"},
        {"YYYY-MM-DD HH24:MI:SSOF", "2024-01-02 03:04:05+02", "2024-01-02 01:04:05"},
        {"YYYY-MM-DD HH24:MI:SSOF", "2024-01-02 03:04:05-05:30", "2024-01-02 08:34:05"},
        {"YYYY-MM-DD", "1996-03-13   ", "1996-03-13 00:00:00"},
    };
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        int64_t us;
        char text[DATETIME_TEXT_BYTES];
        ck_assert_ok(parse(good[i].pattern, good[i].text, false, &us));
        text[timestamp_print(us, text)] = '\0';
        ck_assert_str_eq(text, good[i].expected);
    }
}
END_TEST

START_TEST(refuses)
{
    static const struct {
        const char *pattern, *text, *code;
    } wrong[] = {
        {"YYYY-MM-DD", "", "22007"},
        {"YYYY-MM-DD", "1996/03/13", "22007"},
        {"YYYY-MM-DD", "1996-03-13x", "22007"},
        {"YYYY-MM-DD", "1996-03", "22007"},
        {"YYYY-MM-DD", "1996-13-01", "22008"},
        {"YYYY-MM-DD", "1996-00-01", "22008"},
        {"YYYY-MM-DD", "1996-02-30", "22008"},
        {"YYYY-MM-DD", "0000-01-01", "22008"},
        {"YYYY.DDD", "2023.366", "22008"},
        {"DD MON YYYY", "1 Foo 2023", "22007"},
        {"HH24:MI:SS", "24:00:00", "22008"},
        {"HH12:MI AM", "13:00 PM", "22008"},
        {"HH12:MI AM", "1:00 XM", "22007"},
        {"SSOF", "1+99", "22007"},
    };
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        int64_t us;
        assert_fails(parse(wrong[i].pattern, wrong[i].text, false, &us), wrong[i].code, "");
    }
}
END_TEST

START_TEST(rest_may_be_ignored)
{
    int64_t us;
    ck_assert_ok(parse("YYYY-MM-DD", "1970-01-02 03:04:05", true, &us));
    ck_assert_int_eq(us, US_PER_DAY);
}
END_TEST

START_TEST(patterns)
{
    DatePattern pattern;
    assert_fails(date_pattern_compile("YYYY-MM-DD Q", &pattern), "22023", "\"Q\"");
    assert_fails(date_pattern_compile("----------------------------------", &pattern), "22023",
                 "too long");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("date_pattern");
    TCase *tcase = tcase_create("patterns");
    tcase_set_timeout(tcase, 60);
    tcase_add_test(tcase, reads);
    tcase_add_test(tcase, refuses);
    tcase_add_test(tcase, rest_may_be_ignored);
    tcase_add_test(tcase, patterns);
    suite_add_tcase(suite, tcase);
    return suite_main(suite);
}
