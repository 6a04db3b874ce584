/* test_text_reader.c — fields of delimited text: NULL, quotes around them, escapes; and the rules
 * for texts that both styles share. */
#include "base/types/type.h"
#include "protocol/copy/field_value.h"
#include "tests/support/check_status.h"

static Arena *arena;

static void setup(void)
{
    arena = arena_create(NULL, "test");
}

static void teardown(void)
{
    arena_destroy(arena);
}

static FieldText clean(const CopyFormat *format, const char *raw)
{
    FieldText text;
    ck_assert_ok(text_style_ops.clean(format, raw, strlen(raw), arena, &text));
    return text;
}

static void check_text(const CopyFormat *format, const char *raw, const char *expected)
{
    FieldText text = clean(format, raw);
    ck_assert(!text.is_null);
    ck_assert_uint_eq(text.bytes, strlen(expected));
    ck_assert_mem_eq(text.data, expected, text.bytes);
}

START_TEST(nulls)
{
    CopyFormat format = copy_format_postgres_text();
    ck_assert(clean(&format, "\\N").is_null);
    ck_assert(!clean(&format, "N").is_null);
    ck_assert(!clean(&format, "").is_null);
    check_text(&format, "\\\\N", "\\N");
    format.null_bytes = 0;
    ck_assert(clean(&format, "").is_null);
}
END_TEST

START_TEST(plain_escapes)
{
    CopyFormat format = copy_format_redshift_text();
    check_text(&format, "a\\|b", "a\\|b");
    format.escape_kind = COPY_ESCAPE_PLAIN;
    check_text(&format, "a\\|b", "a|b");
    check_text(&format, "a\\nb\\012\\\\", "anb012\\");
    check_text(&format, "a\\\nb", "a\nb");
    check_text(&format, "a\\", "a");
}
END_TEST

START_TEST(control_escapes)
{
    CopyFormat format = copy_format_postgres_text();
    check_text(&format, "\\b\\f\\n\\r\\t\\v", "\b\f\n\r\t\v");
    check_text(&format, "\\101\\60\\7x", "A0\ax");
    check_text(&format, "\\1011", "A1");
    check_text(&format, "\\x41\\x4a1\\xg\\x", "AJ1xgx");
    check_text(&format, "\\z\\.\\", "z.");
}
END_TEST

START_TEST(wrapping_quotes)
{
    CopyFormat format = copy_format_redshift_text();
    check_text(&format, "\"a|b\"", "\"a|b\"");
    format.removes_quotes = true;
    check_text(&format, "\"a|b\"", "a|b");
    check_text(&format, "'it\"s'", "it\"s");
    check_text(&format, "x\"y\"", "x\"y\"");
    check_text(&format, "''", "");
    FieldText text;
    assert_fails(text_style_ops.clean(&format, "\"abc", 4, arena, &text), "22P04",
                 "quotation mark");
    assert_fails(text_style_ops.clean(&format, "'", 1, arena, &text), "22P04", "quotation mark");
}
END_TEST

static Value read_as(const CopyFormat *format, const char *raw, Type type)
{
    FieldRules rules;
    Value value;
    ck_assert_ok(field_rules_init(&rules, format));
    ck_assert_ok(field_value_read(&rules, raw, strlen(raw), type, arena, &value));
    return value;
}

static Status read_status(const CopyFormat *format, const char *raw, size_t bytes, Type type)
{
    FieldRules rules;
    Value value;
    ck_assert_ok(field_rules_init(&rules, format));
    return field_value_read(&rules, raw, bytes, type, arena, &value);
}

static void check_value(const CopyFormat *format, const char *raw, Type type, const char *expected)
{
    Value value = read_as(format, raw, type);
    if (expected == NULL) {
        ck_assert(value.is_null);
        return;
    }
    ck_assert(!value.is_null);
    ck_assert_uint_eq(value.text.length, strlen(expected));
    ck_assert_mem_eq(text_view_data(&value.text), expected, strlen(expected));
}

START_TEST(texts)
{
    CopyFormat format = copy_format_redshift_text();
    check_value(&format, "", type_varchar(5), "");
    check_value(&format, "ab  ", type_varchar(5), "ab  ");
    check_value(&format, "ab     ", type_varchar(5), "ab   "); // blanks beyond are cut
    check_value(&format, "ab  ", type_char(5), "ab");
    assert_fails(read_status(&format, "abcdef", 6, type_varchar(5)), "22001",
                 "character varying(5)");
    assert_fails(read_status(&format, "a\0b", 3, type_varchar(5)), "22021", "0x00");
    assert_fails(read_status(&format, "a\xff", 2, type_varchar(5)), "22021", "UTF8");
    format.cuts_columns = true;
    check_value(&format, "abcdef", type_varchar(5), "abcde");
    check_value(&format, "abcd\xc3\xa9", type_varchar(5), "abcd"); // not inside a character
    format.trims_blanks = true;
    check_value(&format, "ab  ", type_varchar(5), "ab");
    format.invalid_replacement = '?';
    check_value(&format, "a\xff\xc3\xa9\xc3", type_varchar(9), "a?\xc3\xa9?");
    format.is_empty_null = true;
    format.is_blank_null = true;
    check_value(&format, "", type_varchar(5), NULL);
    check_value(&format, "  ", type_varchar(5), NULL);
    check_value(&format, "  ", type_char(5), NULL);
    check_value(&format, " a", type_char(5), " a");
}
END_TEST

START_TEST(numbers)
{
    CopyFormat format = copy_format_redshift_text();
    ck_assert(read_as(&format, "", type_of(TYPE_INTEGER)).is_null);
    ck_assert(read_as(&format, "  ", type_of(TYPE_DATE)).is_null);
    ck_assert_int_eq(read_as(&format, " 42 ", type_of(TYPE_INTEGER)).i64, 42);
    ck_assert_int_eq(read_as(&format, "1.239", type_decimal(5, 2)).i64, 123);
    ck_assert_int_eq(read_as(&format, "-1.239", type_decimal(5, 2)).i64, -123);
    ck_assert_int_eq(read_as(&format, "1.5", type_decimal(5, 0)).i64, 1);
    assert_fails(read_status(&format, "1.2x9", 5, type_decimal(5, 2)), "22P02", "");
    assert_fails(read_status(&format, "99999", 5, type_of(TYPE_SMALLINT)), "22003", "");
    assert_fails(read_status(&format, "abc", 3, type_of(TYPE_BIGINT)), "22P02", "");
    assert_fails(read_status(&format, "1.2", 3, type_of(TYPE_BIGINT)), "22P02", "");
    assert_fails(read_status(&format, "2023-13-01", 10, type_of(TYPE_DATE)), "22008", "");
    assert_fails(read_status(&format, "yesterdayish", 12, type_of(TYPE_DATE)), "22007", "");
    format.rounds_decimals = true;
    ck_assert_int_eq(read_as(&format, "1.239", type_decimal(5, 2)).i64, 124);
    format.accepts_any_date = true;
    ck_assert(read_as(&format, "2023-13-01", type_of(TYPE_DATE)).is_null);
    ck_assert(read_as(&format, "x", type_of(TYPE_TIMESTAMP)).is_null);
    format = copy_format_postgres_text();
    assert_fails(read_status(&format, "", 0, type_of(TYPE_INTEGER)), "22P02", "");
}
END_TEST

static void set_pattern(char *target, const char *pattern)
{
    memset(target, 0, COPY_PATTERN_BYTES_MAX);
    memcpy(target, pattern, strlen(pattern));
}

START_TEST(date_formats)
{
    CopyFormat format = copy_format_redshift_text();
    set_pattern(format.date_pattern, "DD/MM/YYYY");
    set_pattern(format.time_pattern, "epochsecs");
    ck_assert_int_eq(read_as(&format, "03/01/1970", type_of(TYPE_DATE)).i64, 2);
    ck_assert_int_eq(read_as(&format, "31/12/1969", type_of(TYPE_DATE)).i64, -1);
    ck_assert_int_eq(read_as(&format, "7", type_of(TYPE_TIMESTAMP)).i64, 7000000);
    set_pattern(format.time_pattern, "epochmillisecs");
    ck_assert_int_eq(read_as(&format, "-7", type_of(TYPE_TIMESTAMP)).i64, -7000);
    assert_fails(read_status(&format, "9223372036854775807", 19, type_of(TYPE_TIMESTAMP)), "22008",
                 "");
    set_pattern(format.time_pattern, "DD/MM/YYYY HH24");
    ck_assert_int_eq(read_as(&format, "01/01/1970 01", type_of(TYPE_TIMESTAMP)).i64, 3600000000);
    set_pattern(format.time_pattern, "auto");
    ck_assert_int_eq(read_as(&format, "1970-01-01 00:00:01", type_of(TYPE_TIMESTAMP)).i64, 1000000);
    set_pattern(format.time_pattern, "QQ");
    FieldRules rules;
    assert_fails(field_rules_init(&rules, &format), "22023", "QQ");
}
END_TEST

START_TEST(missing_columns)
{
    CopyFormat format = copy_format_redshift_text();
    FieldRules rules;
    ck_assert_ok(field_rules_init(&rules, &format));
    ck_assert(field_value_missing(&rules, type_of(TYPE_DATE)).is_null);
    ck_assert(field_value_missing(&rules, type_char(3)).is_null);
    ck_assert(!field_value_missing(&rules, type_varchar(3)).is_null);
    format.is_empty_null = true;
    ck_assert(field_value_missing(&rules, type_varchar(3)).is_null);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("text_reader");
    TCase *tcase = tcase_create("fields");
    tcase_set_timeout(tcase, 60);
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, nulls);
    tcase_add_test(tcase, plain_escapes);
    tcase_add_test(tcase, control_escapes);
    tcase_add_test(tcase, wrapping_quotes);
    suite_add_tcase(suite, tcase);
    tcase = tcase_create("values");
    tcase_set_timeout(tcase, 60);
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, texts);
    tcase_add_test(tcase, numbers);
    tcase_add_test(tcase, date_formats);
    tcase_add_test(tcase, missing_columns);
    suite_add_tcase(suite, tcase);
    return suite_main(suite);
}
