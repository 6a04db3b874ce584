/* Suite of base/types/type.c and value_cast.c: names, lanes, order of values, casts. */
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

static Value value_of(Type type, const char *text)
{
    Value value;
    Status status = value_parse(text, strlen(text), type, arena, &value);
    if (status != STATUS_OK) {
        ck_abort_msg("%s: %s", text, status_message(status));
    }
    return value;
}

START_TEST(names_and_catalog_numbers)
{
    char text[TYPE_TEXT_BYTES];
    ck_assert_str_eq(type_print(type_decimal(12, 2), text), "numeric(12,2)");
    ck_assert_str_eq(type_print(type_varchar(25), text), "character varying(25)");
    ck_assert_str_eq(type_print(type_varchar(0), text), "character varying");
    ck_assert_str_eq(type_print(type_char(4), text), "character(4)");
    ck_assert_str_eq(type_print(type_of(TYPE_TIMESTAMP), text), "timestamp without time zone");
    ck_assert_str_eq(type_name((Type){.id = 200}), "unknown");
    ck_assert_uint_eq(type_oid(type_of(TYPE_BIGINT)), 20);
    ck_assert_uint_eq(type_oid(type_decimal(5, 1)), 1700);
    ck_assert_int_eq(type_modifier(type_decimal(12, 2)), ((12 << 16) | 2) + 4);
    ck_assert_int_eq(type_modifier(type_varchar(25)), 29);
    ck_assert_int_eq(type_modifier(type_of(TYPE_DATE)), -1);
    ck_assert(type_equal(type_char(3), type_char(3)));
    ck_assert(!type_equal(type_char(3), type_char(4)));
}
END_TEST

START_TEST(lanes_and_bounds)
{
    ck_assert_int_eq(type_widest_lane(type_of(TYPE_BOOLEAN)), LANE_U8);
    ck_assert_int_eq(type_widest_lane(type_decimal(18, 4)), LANE_I64);
    ck_assert_int_eq(type_widest_lane(type_decimal(19, 4)), LANE_I128);
    ck_assert_int_eq(type_widest_lane(type_of(TYPE_REAL)), LANE_F32);
    ck_assert_int_eq(type_widest_lane(type_of(TYPE_UNKNOWN)), LANE_TEXT);
    ck_assert_int_eq(type_widest_lane(type_of(TYPE_INTERVAL)), LANE_I128);
    ck_assert_uint_eq(lane_bytes(LANE_TEXT), 16);
    ck_assert_int_eq(type_int64_max(type_decimal(4, 2)), 9999);
    ck_assert_int_eq(type_int64_min(type_decimal(4, 2)), -9999);
    ck_assert_int_eq(type_int64_min(type_of(TYPE_SMALLINT)), -32768);
    ck_assert_int_eq(type_int64_max(type_of(TYPE_BOOLEAN)), 1);
}
END_TEST

/* Each list is in ascending order, entries between bars are equal. */
static void check_order(Type type, const char *const *texts, const int *ranks, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        for (size_t j = 0; j < count; j++) {
            Value left = value_of(type, texts[i]), right = value_of(type, texts[j]);
            int wanted = (ranks[i] > ranks[j]) - (ranks[i] < ranks[j]);
            if (value_compare(&left, &right) != wanted) {
                ck_abort_msg("%s: '%s' against '%s'", type_name(type), texts[i], texts[j]);
            }
            ck_assert_int_eq(value_equal(&left, &right), wanted == 0);
        }
    }
}

START_TEST(only_possible_types_are_valid)
{
    static const Type possible[] = {
        {.id = TYPE_BOOLEAN},
        {.id = TYPE_DECIMAL, .precision = 1},
        {.id = TYPE_DECIMAL, .precision = 38, .scale = 38},
        {.id = TYPE_VARCHAR},
        {.id = TYPE_CHAR, .length = 5},
    };
    static const Type impossible[] = {
        {.id = TYPE_COUNT},
        {.id = TYPE_DECIMAL},
        {.id = TYPE_DECIMAL, .precision = 39},
        {.id = TYPE_DECIMAL, .precision = 3, .scale = 4},
        {.id = TYPE_DECIMAL, .precision = 3, .length = 1},
        {.id = TYPE_DATE, .precision = 3},
        {.id = TYPE_BIGINT, .scale = 1},
        {.id = TYPE_INTEGER, .length = 4},
        {.id = TYPE_VARCHAR, .length = -1},
    };
    for (size_t i = 0; i < sizeof possible / sizeof possible[0]; i++) {
        ck_assert_msg(type_is_valid(possible[i]), "possible type %zu", i);
    }
    for (size_t i = 0; i < sizeof impossible / sizeof impossible[0]; i++) {
        ck_assert_msg(!type_is_valid(impossible[i]), "impossible type %zu", i);
    }
}
END_TEST

START_TEST(values_are_ordered)
{
    static const char *const texts[] = {"", "  ", " a", "A", "a", "a  ", "a\x01", "ab", "b"};
    check_order(type_varchar(10), texts, (const int[]){0, 0, 1, 2, 3, 3, 4, 5, 6}, 9);
    static const char *const floats[] = {"-inf", "-1", "-0", "0", "1e-300", "inf", "nan", "nan"};
    check_order(type_of(TYPE_DOUBLE), floats, (const int[]){0, 1, 2, 2, 3, 4, 5, 5}, 8);
    static const char *const intervals[] = {"-1 day", "0", "23 hours", "24 hours", "1 day",
                                            "29 days", "30 days", "1 mon", "1 mon 1 us"};
    check_order(type_of(TYPE_INTERVAL), intervals, (const int[]){0, 1, 2, 3, 3, 4, 5, 5, 6}, 9);
    static const char *const wides[] = {"-99999999999999999999", "-1", "0",
                                        "9999999999999999999999999"};
    check_order(type_decimal(30, 2), wides, (const int[]){0, 1, 2, 3}, 4);
    Value null_value = value_null(type_of(TYPE_INTEGER));
    Value zero = value_int64(type_of(TYPE_INTEGER), 0);
    ck_assert(value_equal(&null_value, &null_value));
    ck_assert(!value_equal(&null_value, &zero));
}
END_TEST

#define TYPE_OF(name) ((Type){.id = TYPE_##name})

typedef struct CastCase {
    Type source;
    const char *text;
    Type target;
    const char *wanted; /* or "!" and a SQLSTATE */
} CastCase;

static void check_cast(const CastCase *test)
{
    Value value = value_of(test->source, test->text), out;
    char printed[100];
    Status status = value_cast(&value, test->target, true, arena, &out);
    if (status != STATUS_OK) {
        snprintf(printed, sizeof printed, "!%s", status_sqlstate_code(status));
        status_free(status);
    } else {
        ck_assert(type_equal(out.type, test->target));
        ByteBuffer buffer;
        byte_buffer_init(&buffer, 1000);
        value_print(&out, &buffer);
        snprintf(printed, sizeof printed, "%.*s", (int)buffer.bytes, (char *)buffer.data);
        byte_buffer_deinit(&buffer);
    }
    if (strcmp(printed, test->wanted) != 0) {
        ck_abort_msg("%s '%s' as %s is '%s', not '%s'", type_name(test->source), test->text,
                     type_name(test->target), printed, test->wanted);
    }
    Value null_value = value_null(test->source);
    ck_assert_ok(value_cast(&null_value, test->target, true, arena, &out));
    ck_assert(out.is_null);
}

START_TEST(casts)
{
    const CastCase cases[] = {
        {TYPE_OF(INTEGER), "70000", TYPE_OF(SMALLINT), "!22003"},
        {TYPE_OF(INTEGER), "7", TYPE_OF(BIGINT), "7"},
        {TYPE_OF(INTEGER), "7", type_decimal(5, 2), "7.00"},
        {TYPE_OF(INTEGER), "1000", type_decimal(5, 2), "!22003"},
        {TYPE_OF(INTEGER), "7", TYPE_OF(DOUBLE), "7"},
        {TYPE_OF(INTEGER), "7", TYPE_OF(BOOLEAN), "t"},
        {TYPE_OF(INTEGER), "0", TYPE_OF(BOOLEAN), "f"},
        {TYPE_OF(INTEGER), "7", TYPE_OF(DATE), "!42846"},
        {TYPE_OF(BOOLEAN), "true", TYPE_OF(INTEGER), "1"},
        {TYPE_OF(BOOLEAN), "true", type_varchar(10), "true"},
        {TYPE_OF(BOOLEAN), "true", TYPE_OF(DOUBLE), "!42846"},
        {type_decimal(5, 2), "2.50", TYPE_OF(INTEGER), "3"},
        {type_decimal(5, 2), "-2.50", TYPE_OF(INTEGER), "-3"},
        {type_decimal(5, 2), "2.49", type_decimal(5, 1), "2.5"},
        {type_decimal(38, 2), "99999999999999999999", TYPE_OF(BIGINT), "!22003"},
        {type_decimal(38, 2), "12.50", type_decimal(10, 1), "12.5"},
        {type_decimal(10, 1), "12.5", type_decimal(38, 2), "12.50"},
        {type_decimal(5, 2), "2.50", TYPE_OF(REAL), "2.5"},
        {type_decimal(5, 2), "2.50", TYPE_OF(BOOLEAN), "!42846"},
        {TYPE_OF(DOUBLE), "2.5", TYPE_OF(INTEGER), "2"},
        {TYPE_OF(DOUBLE), "3.5", TYPE_OF(INTEGER), "4"},
        {TYPE_OF(DOUBLE), "1e10", TYPE_OF(INTEGER), "!22003"},
        {TYPE_OF(DOUBLE), "nan", TYPE_OF(BIGINT), "!22003"},
        {TYPE_OF(DOUBLE), "1e300", TYPE_OF(REAL), "!22003"},
        {TYPE_OF(DOUBLE), "1e-300", TYPE_OF(REAL), "!22003"},
        {TYPE_OF(DOUBLE), "inf", TYPE_OF(REAL), "Infinity"},
        {TYPE_OF(DOUBLE), "0.3000000000000000444", type_decimal(38, 20), "0.30000000000000000000"},
        {TYPE_OF(REAL), "0.1", type_decimal(10, 8), "0.10000000"},
        {TYPE_OF(REAL), "0.1", TYPE_OF(DOUBLE), "0.10000000149011612"},
        {TYPE_OF(DATE), "2024-02-29", TYPE_OF(TIMESTAMP), "2024-02-29 00:00:00"},
        {TYPE_OF(DATE), "5874897-12-31", TYPE_OF(TIMESTAMP), "!22008"},
        {TYPE_OF(DATE), "infinity", TYPE_OF(TIMESTAMP), "infinity"},
        {TYPE_OF(DATE), "2024-02-29", TYPE_OF(INTEGER), "!42846"},
        {TYPE_OF(TIMESTAMP), "1969-12-31 23:00:00", TYPE_OF(DATE), "1969-12-31"},
        {TYPE_OF(TIMESTAMP), "2024-02-29 23:00:00", type_varchar(0), "2024-02-29 23:00:00"},
        {TYPE_OF(INTERVAL), "36 hours", type_varchar(0), "36:00:00"},
        {TYPE_OF(INTERVAL), "36 hours", TYPE_OF(INTERVAL), "36:00:00"},
        {type_varchar(20), " 12 ", TYPE_OF(INTEGER), "12"},
        {type_varchar(20), "1e2", type_decimal(5, 1), "100.0"},
        {type_varchar(20), "x", TYPE_OF(INTEGER), "!22P02"},
        {type_varchar(20), "2024-02-30", TYPE_OF(DATE), "!22008"},
        {type_varchar(20), "a \xc3\xa4", type_varchar(3), "a "},
        {type_varchar(20), "ab  ", type_char(3), "ab "},
        {type_varchar(20), "abcd", type_char(3), "abc"},
        {type_char(5), "ab", type_varchar(5), "ab"},
        {TYPE_OF(INTEGER), "12345", type_varchar(3), "123"},
        {TYPE_OF(UNKNOWN), "a text of some length", type_varchar(0), "a text of some length"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        check_cast(&cases[i]);
    }
}
END_TEST

START_TEST(implicit_casts_do_not_cut_text)
{
    Value value = value_of(type_varchar(20), "abcd"), out;
    ck_assert_state(value_cast(&value, type_varchar(3), false, arena, &out),
                    SQLSTATE_STRING_DATA_RIGHT_TRUNCATION);
    ck_assert_state(value_cast(&value, type_char(3), false, arena, &out),
                    SQLSTATE_STRING_DATA_RIGHT_TRUNCATION);
    value = value_of(type_varchar(20), "abc   ");
    ck_assert_ok(value_cast(&value, type_varchar(3), false, arena, &out));
    ck_assert_uint_eq(out.text.length, 3);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("type");
    TCase *values = tcase_create("values");
    tcase_add_checked_fixture(values, setup, teardown);
    tcase_add_test(values, names_and_catalog_numbers);
    tcase_add_test(values, lanes_and_bounds);
    tcase_add_test(values, only_possible_types_are_valid);
    tcase_add_test(values, values_are_ordered);
    tcase_add_test(values, casts);
    tcase_add_test(values, implicit_casts_do_not_cut_text);
    suite_add_tcase(suite, values);
    return suite_main(suite);
}
