/* Suite of base/types/text_format.c, decimal_text.c, datetime_parse.c, interval_text.c and utf8.c:
 * text in, text out. */
#include <float.h>
#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/types/text_format.h"
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

typedef struct ParseCase {
    Type type;
    const char *text;
    const char *printed; /* "!" and a SQLSTATE when it must fail */
} ParseCase;

/* What parsing and printing `text` gives, in the same form. */
static void parse_and_print(Type type, const char *text, size_t bytes, char *out, size_t out_bytes)
{
    char *exact = arena_memdup(arena, text, bytes); // not zero-terminated
    Value value;
    Status status = value_parse(exact, bytes, type, arena, &value);
    if (status != STATUS_OK) {
        snprintf(out, out_bytes, "!%s", status_sqlstate_code(status));
        status_free(status);
        return;
    }
    ByteBuffer buffer;
    byte_buffer_init(&buffer, 1 << 20);
    value_print(&value, &buffer);
    snprintf(out, out_bytes, "%.*s", (int)buffer.bytes, (const char *)buffer.data);
    byte_buffer_deinit(&buffer);
}

static void check_cases(const ParseCase *cases, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        char printed[256];
        parse_and_print(cases[i].type, cases[i].text, strlen(cases[i].text), printed,
                        sizeof printed);
        if (strcmp(printed, cases[i].printed) != 0) {
            ck_abort_msg("%s '%s' gives '%s' instead of '%s'", type_name(cases[i].type),
                         cases[i].text, printed, cases[i].printed);
        }
    }
}

#define TYPE_OF(name) {.id = TYPE_##name}
#define TYPE_OF_DECIMAL(p, s) {.id = TYPE_DECIMAL, .precision = p, .scale = s}
#define PARSE_CASE(type, text, printed) {type, text, printed},

START_TEST(numbers_as_postgresql_reads_them)
{
    static const ParseCase cases[] = {
#include "tests/unit/base/types/parse_numbers.def"
    };
    check_cases(cases, sizeof cases / sizeof cases[0]);
}
END_TEST

START_TEST(dates_and_intervals_as_postgresql_reads_them)
{
    static const ParseCase cases[] = {
#include "tests/unit/base/types/parse_datetimes.def"
    };
    check_cases(cases, sizeof cases / sizeof cases[0]);
}
END_TEST

/* Where we differ on purpose: no NaN in decimals, nothing beside infinity, no zones by name, no
 * clock in here, timestamps up to 294246, a quarter as an interval. */
START_TEST(differences_from_postgresql)
{
    static const ParseCase cases[] = {
        PARSE_CASE(TYPE_OF_DECIMAL(10, 2), "NaN", "!22P02")
        PARSE_CASE(TYPE_OF_DECIMAL(10, 2), "Infinity", "!22P02")
        PARSE_CASE(TYPE_OF(DOUBLE), "1e23", "1e+23")
        PARSE_CASE(TYPE_OF(DOUBLE), "nan(1)", "!22P02")
        PARSE_CASE(TYPE_OF(DATE), "+infinity", "infinity")
        PARSE_CASE(TYPE_OF(DATE), "2024-01-01 infinity", "!22007")
        PARSE_CASE(TYPE_OF(DATE), "epoch 10:00", "!22007")
        PARSE_CASE(TYPE_OF(DATE), "1999-01-08 J", "!22007")
        PARSE_CASE(TYPE_OF(DATE), "y2024m01d01", "!22007")
        PARSE_CASE(TYPE_OF(DATE), "now", "!22007")
        PARSE_CASE(TYPE_OF(DATE), "today", "!22007")
        PARSE_CASE(TYPE_OF(TIMESTAMP), "2024-01-01 10:11:12+16", "!22008")
        PARSE_CASE(TYPE_OF(TIMESTAMP), "2024-01-01 10:11:12 Europe/Berlin", "!22007")
        PARSE_CASE(TYPE_OF(TIMESTAMP), "294246-12-31 23:59:59.999999",
                   "294246-12-31 23:59:59.999999")
        PARSE_CASE(TYPE_OF(TIMESTAMP), "294247-01-01", "!22008")
        PARSE_CASE(TYPE_OF(INTERVAL), "2 quarters", "6 mons")
        PARSE_CASE(TYPE_OF(INTERVAL), "PT", "!22007")
        PARSE_CASE(TYPE_OF(INTERVAL), "2147483648 days", "!22008")
        PARSE_CASE(TYPE_OF(INTERVAL), "2562047788:00:54.775807", "2562047788:00:54.775807")
        PARSE_CASE(TYPE_OF(INTERVAL), "2562047788:00:54.775808", "!22015")
    };
    check_cases(cases, sizeof cases / sizeof cases[0]);
}
END_TEST

START_TEST(texts_keep_to_their_length)
{
    static const ParseCase cases[] = {
        {{.id = TYPE_VARCHAR, .length = 3}, "abc", "abc"},
        {{.id = TYPE_VARCHAR, .length = 3}, "abcd", "!22001"},
        {{.id = TYPE_VARCHAR, .length = 3}, "abc   ", "abc"},
        {{.id = TYPE_VARCHAR, .length = 3}, "ab    ", "ab "},
        {{.id = TYPE_VARCHAR, .length = 3}, "  c", "  c"},
        {{.id = TYPE_VARCHAR, .length = 3}, "", ""},
        {{.id = TYPE_VARCHAR, .length = 3}, "\xc3\xa4\xc3\xb6", "!22001"}, // four bytes
        {{.id = TYPE_VARCHAR}, "as long as it wants to be", "as long as it wants to be"},
        {{.id = TYPE_UNKNOWN}, "as long as it wants to be ", "as long as it wants to be "},
        {{.id = TYPE_CHAR, .length = 5}, "ab", "ab   "},
        {{.id = TYPE_CHAR, .length = 5}, "ab       ", "ab   "},
        {{.id = TYPE_CHAR, .length = 5}, "abcdef", "!22001"},
        {{.id = TYPE_CHAR, .length = 5}, "     ", "     "},
    };
    check_cases(cases, sizeof cases / sizeof cases[0]);
    Value value;
    ck_assert_ok(value_parse("ab   ", 5, type_char(5), arena, &value));
    ck_assert_uint_eq(value.text.length, 2); // kept trimmed
}
END_TEST

START_TEST(messages_name_type_and_text)
{
    Value value;
    Status status = value_parse("12x", 3, type_of(TYPE_INTEGER), arena, &value);
    ck_assert_str_eq(status_message(status), "invalid input syntax for type integer: \"12x\"");
    status_free(status);
    status = value_parse("99999", 5, type_of(TYPE_SMALLINT), arena, &value);
    ck_assert_str_eq(status_message(status), "value \"99999\" is out of range for type smallint");
    status_free(status);
    status = value_parse("100", 3, type_decimal(4, 2), arena, &value);
    ck_assert_str_eq(status_message(status), "numeric field overflow");
    ck_assert_str_eq(status_detail(status), "a field with precision 4, scale 2 must round to an "
                                            "absolute value less than 10^2");
    status_free(status);
    status = value_parse("13/13/2024", 10, type_of(TYPE_DATE), arena, &value);
    ck_assert_str_eq(status_message(status),
                     "date/time field value out of range: \"13/13/2024\"");
    ck_assert_str_ne(status_hint(status), "");
    status_free(status);
}
END_TEST

START_TEST(embedded_zeroes_and_long_input_are_refused)
{
    static const TypeId ids[] = {TYPE_BOOLEAN, TYPE_INTEGER,   TYPE_DECIMAL,  TYPE_REAL,
                                 TYPE_DATE,    TYPE_TIMESTAMP, TYPE_INTERVAL, TYPE_DOUBLE};
    char text[5000], printed[64];
    memset(text, '1', sizeof text);
    for (size_t i = 0; i < sizeof ids / sizeof ids[0]; i++) {
        Type type = ids[i] == TYPE_DECIMAL ? type_decimal(18, 2) : type_of(ids[i]);
        parse_and_print(type, text, sizeof text, printed, sizeof printed);
        ck_assert_int_eq(printed[0], '!');
        parse_and_print(type, "1\0002", 3, printed, sizeof printed);
        ck_assert_int_eq(printed[0], '!');
        parse_and_print(type, "1\000", 2, printed, sizeof printed);
        ck_assert_int_eq(printed[0], '!');
    }
}
END_TEST

/* Every bit pattern that is a number reads back as itself. */
START_TEST(floats_read_back)
{
    uint64_t state = 88172645463325252u;
    char text[NUMBER_TEXT_BYTES];
    for (uint32_t i = 0; i < 200000; i++) {
        state ^= state << 7;
        state ^= state >> 9;
        double number, back = 0;
        float narrow;
        uint32_t half = (uint32_t)(state >> 32);
        memcpy(&number, &state, sizeof number);
        memcpy(&narrow, &half, sizeof narrow);
        if (isfinite(number)) {
            size_t bytes = double_print(number, text);
            Status status = double_parse(text, bytes, type_of(TYPE_DOUBLE), &back);
            if (status != STATUS_OK || memcmp(&back, &number, sizeof back) != 0) {
                ck_abort_msg("%a printed %.*s", number, (int)bytes, text);
            }
        }
        if (isfinite(narrow)) {
            size_t bytes = real_print(narrow, text);
            Status status = double_parse(text, bytes, type_of(TYPE_REAL), &back);
            float back_narrow = (float)back;
            if (status != STATUS_OK || memcmp(&back_narrow, &narrow, sizeof narrow) != 0) {
                ck_abort_msg("%a printed %.*s", (double)narrow, (int)bytes, text);
            }
        }
    }
}
END_TEST

START_TEST(numbers_do_not_depend_on_the_locale)
{
    char printed[64];
    if (setlocale(LC_ALL, "de_DE.UTF-8") == NULL && setlocale(LC_ALL, "fr_FR.UTF-8") == NULL) {
        return; // neither is installed
    }
    parse_and_print(type_of(TYPE_DOUBLE), "1.5", 3, printed, sizeof printed);
    ck_assert_str_eq(printed, "1.5");
    parse_and_print(type_of(TYPE_DOUBLE), "1,5", 3, printed, sizeof printed);
    ck_assert_str_eq(printed, "!22P02");
    setlocale(LC_ALL, "C");
}
END_TEST

START_TEST(integers_print)
{
    static const int64_t numbers[] = {0,     9,    10,        -1, 99,        100, 12345, 1000000,
                                      -4096, 9999, INT64_MAX, 7,  INT64_MIN, 123456789012345};
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        char text[NUMBER_TEXT_BYTES], wanted[32];
        size_t bytes = integer_print(numbers[i], text);
        snprintf(wanted, sizeof wanted, "%lld", (long long)numbers[i]);
        ck_assert_uint_eq(bytes, strlen(wanted));
        ck_assert_mem_eq(text, wanted, bytes);
    }
}
END_TEST

START_TEST(utf8)
{
    static const struct {
        const char *text;
        bool is_valid;
    } cases[] = {
        {"", true},
        {"plain text, longer than eight bytes", true},
        {"\xc3\xa4", true},
        {"a\xe2\x82\xac!", true},
        {"\xf0\x9f\x98\x80", true},
        {"\xf4\x8f\xbf\xbf", true},
        {"\xc3", false},
        {"\xe2\x82", false},
        {"\xf0\x9f\x98", false},
        {"\x80", false},
        {"\xc0\xaf", false},         // overlong
        {"\xe0\x80\xaf", false},     // overlong
        {"\xf0\x80\x80\xaf", false}, // overlong
        {"\xed\xa0\x80", false},     // a surrogate
        {"\xf4\x90\x80\x80", false}, // above U+10FFFF
        {"\xf5\x80\x80\x80", false},
        {"\xff", false},
        {"12345678\xc3", false},
        {"\xc3\x28", false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        ck_assert_int_eq(utf8_is_valid(cases[i].text, strlen(cases[i].text)), cases[i].is_valid);
    }
    ck_assert(!utf8_is_valid("a\0b", 3));
    ck_assert(!utf8_is_valid("12345\0789", 9));
    const char *text = "a\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80z"; // 1 + 2 + 3 + 4 + 1 bytes
    const size_t offsets[] = {0, 1, 3, 6, 10, 11, 11};
    ck_assert_uint_eq(utf8_length(text, 11), 5);
    for (size_t i = 0; i < 7; i++) {
        ck_assert_uint_eq(utf8_offset(text, 11, i), offsets[i]);
    }
    ck_assert_uint_eq(utf8_offset(text, 11, SIZE_MAX), 11);
    const size_t clipped[] = {0, 1, 1, 3, 3, 3, 6, 6, 6, 6, 10, 11, 11};
    for (size_t limit = 0; limit <= 12; limit++) {
        ck_assert_uint_eq(utf8_clip(text, 11, limit), clipped[limit]);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("text_format");
    TCase *text = tcase_create("text");
    tcase_add_checked_fixture(text, setup, teardown);
    tcase_set_timeout(text, 60);
    tcase_add_test(text, numbers_as_postgresql_reads_them);
    tcase_add_test(text, dates_and_intervals_as_postgresql_reads_them);
    tcase_add_test(text, differences_from_postgresql);
    tcase_add_test(text, texts_keep_to_their_length);
    tcase_add_test(text, messages_name_type_and_text);
    tcase_add_test(text, embedded_zeroes_and_long_input_are_refused);
    tcase_add_test(text, floats_read_back);
    tcase_add_test(text, numbers_do_not_depend_on_the_locale);
    tcase_add_test(text, integers_print);
    tcase_add_test(text, utf8);
    suite_add_tcase(suite, text);
    return suite_main(suite);
}
