/* test_pg_parameter.c — parameters of Bind: every type, text and binary, and what is refused. */
#include "base/types/datetime.h"
#include "protocol/pgwire/numeric_wire.h"
#include "protocol/pgwire/pg_parameter.h"
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

static Status read_as(uint16_t format, uint32_t oid, const void *data, size_t bytes, Type target,
                      Value *out)
{
    // A copy of its own, so that the sanitizer sees a read beyond it.
    PgParameter parameter = {
        .bytes = {.data = arena_memdup(arena, data, bytes), .bytes = bytes},
        .format = format,
        .declared_oid = oid,
        .number = 3,
    };
    return pg_parameter_read(&parameter, target, arena, out);
}

static Value text(const char *data, Type target)
{
    Value value;
    ck_assert_ok(read_as(PG_FORMAT_TEXT, 0, data, strlen(data), target, &value));
    return value;
}

START_TEST(text_form)
{
    ck_assert_int_eq(text("42", type_of(TYPE_INTEGER)).i64, 42);
    ck_assert_int_eq(text("-1.25", type_decimal(10, 2)).i64, -125);
    ck_assert_int_eq(text("t", type_of(TYPE_BOOLEAN)).i64, 1);
    ck_assert_double_eq(text("1e3", type_of(TYPE_DOUBLE)).f64, 1000);
    ck_assert_int_eq(text("1970-01-03", type_of(TYPE_DATE)).i64, 2);
    ck_assert_int_eq(text("1970-01-01 00:00:01", type_of(TYPE_TIMESTAMP)).i64, 1000000);
    Value value = text("a longer text", type_varchar(0));
    ck_assert_uint_eq(value.text.length, 13);
    ck_assert_mem_eq(text_view_data(&value.text), "a longer text", 13);
}
END_TEST

START_TEST(null)
{
    PgParameter parameter = {.number = 1};
    Value value;
    ck_assert_ok(pg_parameter_read(&parameter, type_of(TYPE_DATE), arena, &value));
    ck_assert(value.is_null);
    ck_assert_int_eq(value.type.id, TYPE_DATE);
}
END_TEST

START_TEST(text_must_be_utf8)
{
    Value value;
    assert_fails(read_as(PG_FORMAT_TEXT, 0, "a\xff", 2, type_varchar(0), &value), "22021", "UTF8");
    assert_fails(read_as(PG_FORMAT_TEXT, 0, "a\0b", 3, type_varchar(0), &value), "22021", "UTF8");
    assert_fails(read_as(PG_FORMAT_BINARY, 25, "a\0b", 3, type_varchar(0), &value), "22021",
                 "UTF8");
    Status status = read_as(PG_FORMAT_TEXT, 0, "x", 1, type_of(TYPE_INTEGER), &value);
    ck_assert_str_eq(status_context(status), "parameter $3");
    assert_fails(status, "22P02", "");
}
END_TEST

static Value binary(uint32_t oid, const char *data, size_t bytes, Type target)
{
    Value value;
    ck_assert_ok(read_as(PG_FORMAT_BINARY, oid, data, bytes, target, &value));
    ck_assert(type_equal(value.type, target));
    return value;
}

START_TEST(binary_form)
{
    ck_assert_int_eq(binary(0, "\1", 1, type_of(TYPE_BOOLEAN)).i64, 1);
    ck_assert_int_eq(binary(0, "\xff\xfe", 2, type_of(TYPE_SMALLINT)).i64, -2);
    ck_assert_int_eq(binary(0, "\xff\xff\xff\xfe", 4, type_of(TYPE_INTEGER)).i64, -2);
    ck_assert_int_eq(binary(0, "\0\0\0\1\0\0\0\0", 8, type_of(TYPE_BIGINT)).i64, 1LL << 32);
    ck_assert_double_eq(binary(0, "\x3f\xc0\0\0", 4, type_of(TYPE_REAL)).f64, 1.5);
    ck_assert_double_eq(binary(0, "\x3f\xf8\0\0\0\0\0\0", 8, type_of(TYPE_DOUBLE)).f64, 1.5);
    ck_assert_int_eq(binary(0, "\0\0\0\1", 4, type_of(TYPE_DATE)).i64, POSTGRES_EPOCH_DAYS + 1);
    ck_assert_int_eq(binary(0, "\x7f\xff\xff\xff", 4, type_of(TYPE_DATE)).i64, DATE_INFINITY);
    ck_assert_int_eq(binary(0, "\0\0\0\0\0\0\0\1", 8, type_of(TYPE_TIMESTAMP)).i64,
                     POSTGRES_EPOCH_DAYS * US_PER_DAY + 1);
    Interval interval =
        binary(0, "\0\0\0\0\0\0\0\5\0\0\0\2\0\0\0\1", 16, type_of(TYPE_INTERVAL)).interval;
    ck_assert(interval.us == 5 && interval.days == 2 && interval.months == 1);
    ck_assert_int_eq(binary(1700, "\0\1\0\0\0\0\0\0\0\7", 10, type_decimal(10, 2)).i64, 700);
    ck_assert_uint_eq(binary(25, "abc", 3, type_varchar(0)).text.length, 3);
}
END_TEST

START_TEST(binary_of_another_type_is_cast)
{
    ck_assert_int_eq(binary(23, "\0\0\0\7", 4, type_of(TYPE_BIGINT)).i64, 7);
    ck_assert_int_eq(binary(20, "\0\0\0\0\0\0\0\7", 8, type_decimal(10, 2)).i64, 700);
    ck_assert_int_eq(binary(1700, "\0\1\0\0\0\0\0\0\0\7", 10, type_of(TYPE_INTEGER)).i64, 7);
    ck_assert_int_eq(binary(26, "\xff\xff\xff\xff", 4, type_of(TYPE_BIGINT)).i64, UINT32_MAX);
    Value value;
    assert_fails(
        read_as(PG_FORMAT_BINARY, 20, "\1\0\0\0\0\0\0\0", 8, type_of(TYPE_INTEGER), &value),
        "22003", "");
}
END_TEST

START_TEST(binary_of_a_wrong_length)
{
    static const TypeId types[] = {TYPE_BOOLEAN, TYPE_SMALLINT,  TYPE_INTEGER,
                                   TYPE_BIGINT,  TYPE_REAL,      TYPE_DOUBLE,
                                   TYPE_DATE,    TYPE_TIMESTAMP, TYPE_INTERVAL};
    static const size_t lengths[] = {1, 2, 4, 8, 4, 8, 4, 8, 16};
    static const uint8_t zeroes[20];
    for (size_t bytes = 0; bytes < sizeof(zeroes); bytes++) {
        Value value;
        Status status = read_as(PG_FORMAT_BINARY, 0, zeroes, bytes, type_of(types[_i]), &value);
        if (bytes == lengths[_i]) {
            ck_assert_ok(status);
        } else {
            assert_fails(status, "22P03", "binary data format");
        }
    }
}
END_TEST

START_TEST(timestamp_beyond_range)
{
    Value value;
    assert_fails(read_as(PG_FORMAT_BINARY, 0, "\x7f\xff\xff\xff\xff\xff\xff\xfe", 8,
                         type_of(TYPE_TIMESTAMP), &value),
                 "22008", "out of range");
}
END_TEST

START_TEST(declared_types)
{
    Type type;
    ck_assert(pg_parameter_type(23, &type) && type.id == TYPE_INTEGER);
    ck_assert(pg_parameter_type(25, &type) && type.id == TYPE_VARCHAR && type.length == 0);
    ck_assert(pg_parameter_type(1042, &type) && type.id == TYPE_VARCHAR);
    ck_assert(pg_parameter_type(1700, &type) && type.id == TYPE_UNKNOWN);
    ck_assert(pg_parameter_type(1114, &type) && type.id == TYPE_TIMESTAMP);
    ck_assert(!pg_parameter_type(2950, &type));
    ck_assert(!pg_parameter_type(0, &type));
    Value value;
    assert_fails(read_as(PG_FORMAT_BINARY, 2950, "x", 1, type_varchar(0), &value), "0A000", "2950");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("pg_parameter");
    TCase *tcase = tcase_create("parameters");
    tcase_set_timeout(tcase, 60);
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, text_form);
    tcase_add_test(tcase, null);
    tcase_add_test(tcase, text_must_be_utf8);
    tcase_add_test(tcase, binary_form);
    tcase_add_test(tcase, binary_of_another_type_is_cast);
    tcase_add_loop_test(tcase, binary_of_a_wrong_length, 0, 9);
    tcase_add_test(tcase, timestamp_beyond_range);
    tcase_add_test(tcase, declared_types);
    suite_add_tcase(suite, tcase);
    return suite_main(suite);
}
