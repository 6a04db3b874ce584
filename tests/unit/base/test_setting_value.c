/* Suite of base/setting_value.c. */
#include <stdio.h>
#include <string.h>

#include "base/setting_internal.h"
#include "tests/support/check_status.h"

static const SettingInfo bool_info = {.name = "b", .kind = SETTING_KIND_BOOL};
static const SettingInfo integer_info = {
    .name = "i", .kind = SETTING_KIND_INTEGER, .min = -15, .max = 100000};
static const SettingInfo bytes_info = {.name = "m", .kind = SETTING_KIND_BYTES, .max = INT64_MAX};
static const SettingInfo duration_info = {
    .name = "d", .kind = SETTING_KIND_DURATION, .max = INT32_MAX};
static const SettingInfo enum_info = {
    .name = "e", .kind = SETTING_KIND_ENUM, .words = "error|warn|info"};

static void assert_reads(const SettingInfo *info, const char *text, int64_t integer,
                         const char *shown)
{
    char buffer[SETTING_SHOWN_BYTES];
    int64_t found = -77;
    const char *found_shown = NULL;
    ck_assert_ok(setting_value_parse(info, text, &found, buffer, &found_shown));
    ck_assert_msg(found == integer, "\"%s\" gave %ld", text, found);
    ck_assert_str_eq(found_shown, shown);
}

static void assert_refused(const SettingInfo *info, const char *text, const char *message)
{
    char buffer[SETTING_SHOWN_BYTES];
    int64_t integer;
    const char *shown;
    Status status = setting_value_parse(info, text, &integer, buffer, &shown);
    ck_assert_msg(status != STATUS_OK, "\"%s\" was taken", text);
    ck_assert_int_eq(status_sqlstate(status), SQLSTATE_INVALID_PARAMETER_VALUE);
    ck_assert_str_eq(status_message(status), message);
    status_free(status);
}

START_TEST(booleans_by_any_beginning)
{
    static const char *const yes[] = {"on", "ON", "true", "t", "tr", "yes", "Y", "1"};
    static const char *const no[] = {"off", "of", "false", "F", "no", "n", "0"};
    static const char *const neither[] = {"o", "", "onn", "10", "maybe", "truee", " on"};
    for (size_t i = 0; i < sizeof yes / sizeof *yes; i++) {
        assert_reads(&bool_info, yes[i], 1, "on");
    }
    for (size_t i = 0; i < sizeof no / sizeof *no; i++) {
        assert_reads(&bool_info, no[i], 0, "off");
    }
    for (size_t i = 0; i < sizeof neither / sizeof *neither; i++) {
        assert_refused(&bool_info, neither[i], "parameter \"b\" requires a Boolean value");
    }
}
END_TEST

START_TEST(integers)
{
    assert_reads(&integer_info, "42", 42, "42");
    assert_reads(&integer_info, " -15 ", -15, "-15");
    assert_reads(&integer_info, "0x10", 16, "16");
    assert_reads(&integer_info, "1e3", 1000, "1000");
    assert_reads(&integer_info, "2.5", 2, "2"); // to even, as rint does
    assert_refused(&integer_info, "", "invalid value for parameter \"i\": \"\"");
    assert_refused(&integer_info, "x", "invalid value for parameter \"i\": \"x\"");
    assert_refused(&integer_info, "5MB", "invalid value for parameter \"i\": \"5MB\"");
    assert_refused(&integer_info, "5 5", "invalid value for parameter \"i\": \"5 5\"");
    assert_refused(&integer_info, "-16", "invalid value for parameter \"i\": \"-16\"");
    assert_refused(&integer_info, "1e30", "invalid value for parameter \"i\": \"1e30\"");
    assert_refused(&integer_info, "nan", "invalid value for parameter \"i\": \"nan\"");
    assert_refused(&integer_info, "99999999999999999999",
                   "invalid value for parameter \"i\": \"99999999999999999999\"");
}
END_TEST

START_TEST(bytes_with_units)
{
    assert_reads(&bytes_info, "0", 0, "0");
    assert_reads(&bytes_info, "65536", 65536, "64kB");
    assert_reads(&bytes_info, "64MB", 64 << 20, "64MB");
    assert_reads(&bytes_info, "1.5 GB", 1610612736, "1536MB");
    assert_reads(&bytes_info, "1024GB", INT64_C(1) << 40, "1TB");
    assert_reads(&bytes_info, "1000B", 1000, "1000B");
    assert_reads(&bytes_info, "9223372036854775807", INT64_MAX, "9223372036854775807B");
    assert_refused(&bytes_info, "1mb", "invalid value for parameter \"m\": \"1mb\"");
    assert_refused(&bytes_info, "9000000TB", "invalid value for parameter \"m\": \"9000000TB\"");
    assert_refused(&bytes_info, "8388608TB", "invalid value for parameter \"m\": \"8388608TB\"");
    assert_refused(&bytes_info, "-1MB", "invalid value for parameter \"m\": \"-1MB\"");
}
END_TEST

START_TEST(durations_with_units)
{
    assert_reads(&duration_info, "0", 0, "0");
    assert_reads(&duration_info, "5000", 5000, "5s");
    assert_reads(&duration_info, "90s", 90000, "90s");
    assert_reads(&duration_info, "1min", 60000, "1min");
    assert_reads(&duration_info, "1.5h", 5400000, "90min");
    assert_reads(&duration_info, "1d", 86400000, "1d");
    assert_reads(&duration_info, "2500us", 2, "2ms");
    assert_reads(&duration_info, "1234", 1234, "1234ms");
    assert_refused(&duration_info, "5 weeks", "invalid value for parameter \"d\": \"5 weeks\"");
    assert_refused(&duration_info, "30d", "invalid value for parameter \"d\": \"30d\"");
}
END_TEST

START_TEST(words_of_a_list)
{
    assert_reads(&enum_info, "warn", 1, "warn");
    assert_reads(&enum_info, "INFO", 2, "info");
    assert_refused(&enum_info, "war", "invalid value for parameter \"e\": \"war\"");
    assert_refused(&enum_info, "warn|info", "invalid value for parameter \"e\": \"warn|info\"");
    assert_refused(&enum_info, "", "invalid value for parameter \"e\": \"\"");
}
END_TEST

START_TEST(advice_names_the_choices)
{
    char buffer[SETTING_SHOWN_BYTES];
    int64_t integer;
    const char *shown;
    Status status = setting_value_parse(&enum_info, "x", &integer, buffer, &shown);
    ck_assert_str_eq(status_hint(status), "available values: error, warn, info");
    status_free(status);
    status = setting_value_parse(&bytes_info, "1x", &integer, buffer, &shown);
    ck_assert_ptr_nonnull(strstr(status_hint(status), "\"kB\""));
    status_free(status);
    status = setting_value_parse(&integer_info, "-16", &integer, buffer, &shown);
    ck_assert_str_eq(status_detail(status), "the value must lie between -15 and 100000");
    status_free(status);
}
END_TEST

// What SHOW prints is read back as the same value: shipping settings as text loses nothing.
START_TEST(shown_values_read_back)
{
    for (int64_t value = 0; value < INT64_MAX / 5; value = value * 4 + value % 3 + 1) {
        const SettingInfo *infos[] = {&bytes_info, &duration_info};
        for (size_t i = 0; i < 2; i++) {
            char text[32], buffer[SETTING_SHOWN_BYTES], again_buffer[SETTING_SHOWN_BYTES];
            int64_t integer, again;
            const char *shown, *again_shown;
            if (value > infos[i]->max || value > INT64_C(1) << 53) {
                continue;
            }
            snprintf(text, sizeof text, "%ld", value);
            ck_assert_ok(setting_value_parse(infos[i], text, &integer, buffer, &shown));
            ck_assert_ok(setting_value_parse(infos[i], shown, &again, again_buffer, &again_shown));
            ck_assert_int_eq(again, value);
        }
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("base.setting_value");
    suite_add_case(suite, "bool", booleans_by_any_beginning);
    suite_add_case(suite, "integer", integers);
    suite_add_case(suite, "bytes", bytes_with_units);
    suite_add_case(suite, "duration", durations_with_units);
    suite_add_case(suite, "enum", words_of_a_list);
    suite_add_case(suite, "advice", advice_names_the_choices);
    suite_add_case(suite, "show", shown_values_read_back);
    return suite_main(suite);
}
