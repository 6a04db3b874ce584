/* test_expr_cast.c — every pair of types that can be cast, and some that cannot. */
#include "tests/unit/compute/expression/expr_fixture.h"

#define COUNT(cases) (sizeof(cases) / sizeof *(cases))
#define CAST 0

static const CallCase exact_cases[] = {
    {CAST, "i8", "32767", {"i2:32767"}},
    {CAST, "i2", "-32768", {"i8:-32768"}},
    {CAST, "i2", "!22003", {"i8:32768"}},
    {CAST, "i4", "!22003", {"i8:2147483648"}},
    {CAST, "i4", "1", {"b:t"}},
    {CAST, "i2", "0", {"b:f"}},
    {CAST, "b", "t", {"i4:7"}},
    {CAST, "b", "f", {"i4:0"}},
    {CAST, "b", "!42846", {"d12.2:1.00"}},
    {CAST, "d12.2", "!42846", {"b:t"}},
    {CAST, "d12.2", "7.00", {"i4:7"}},
    {CAST, "d12.2", "-7.00", {"i8:-7"}},
    {CAST, "d4.2", "!22003", {"i4:100"}},
    {CAST, "d18.2", "!22003", {"i8:9223372036854775807"}},
    {CAST, "d38.2", "9223372036854775807.00", {"i8:9223372036854775807"}},
    {CAST, "d38.19", "!22003", {"d38.0:10000000000000000000"}},
    {CAST, "i4", "8", {"d12.2:7.50"}},
    {CAST, "i4", "-8", {"d12.2:-7.50"}},
    {CAST, "i4", "7", {"d12.2:7.49"}},
    {CAST, "i4", "!22003", {"d12.2:2147483647.50"}},
    {CAST, "i8", "12345678901234567", {"d38.4:12345678901234567.4999"}},
    {CAST, "i8", "!22003", {"d38.0:9223372036854775808"}},
    {CAST, "d12.1", "7.6", {"d12.2:7.55"}},
    {CAST, "d12.1", "-7.6", {"d12.2:-7.55"}},
    {CAST, "d12.1", "7.5", {"d12.2:7.54"}},
    {CAST, "d12.4", "7.5500", {"d12.2:7.55"}},
    {CAST, "d3.2", "7.55", {"d12.2:7.55"}},
    {CAST, "d3.2", "!22003", {"d12.2:10.00"}},
    {CAST, "d3.1", "!22003", {"d12.2:99.95"}},
    {CAST, "d13.2", "9999999999.99", {"d12.2:9999999999.99"}},
    {CAST, "d12.2", "0.13", {"d38.20:0.12500000000000000000"}},
    {CAST, "d38.20", "-0.12500000000000000000", {"d12.3:-0.125"}},
    {CAST, "d20.2", "123456789012345678.13", {"d38.3:123456789012345678.125"}},
    {CAST, "d12.2", "!22003", {"d38.2:12345678901.00"}},
};

static const CallCase float_cases[] = {
    {CAST, "f8", "7", {"i4:7"}},
    {CAST, "f8", "9.223372036854776e+18", {"i8:9223372036854775807"}},
    {CAST, "f8", "0.1", {"d12.2:0.10"}},
    {CAST, "f8", "123456789.12", {"d12.2:123456789.12"}},
    {CAST, "f8", "1.2345678901234567e+19", {"d38.2:12345678901234567890.12"}},
    {CAST, "f4", "0.1", {"d12.2:0.10"}},
    {CAST, "f4", "7", {"i8:7"}},
    {CAST, "i4", "2", {"f8:2.5"}},
    {CAST, "i4", "4", {"f8:3.5"}},
    {CAST, "i4", "-3", {"f8:-3.4"}},
    {CAST, "i4", "!22003", {"f8:2147483648"}},
    {CAST, "i8", "!22003", {"f8:1e19"}},
    {CAST, "i8", "!22003", {"f8:NaN"}},
    {CAST, "d12.2", "0.10", {"f8:0.1"}},
    {CAST, "d12.2", "1.01", {"f8:1.005"}},
    {CAST, "d12.2", "!22003", {"f8:1e12"}},
    {CAST, "d12.2", "!22003", {"f8:Infinity"}},
    {CAST, "d12.2", "0.10", {"f4:0.1"}},
    {CAST, "f8", "0.5", {"f4:0.5"}},
    {CAST, "f4", "0.1", {"f8:0.1"}},
    {CAST, "f4", "!22003", {"f8:1e300"}},
    {CAST, "b", "!42846", {"f8:1"}},
};

static const CallCase text_cases[] = {
    {CAST, "t", "7", {"i4:7"}},
    {CAST, "v1", "7", {"i4:77"}},
    {CAST, "t", "-7.50", {"d12.2:-7.50"}},
    {CAST, "t", "0.1", {"f8:0.1"}},
    {CAST, "t", "true", {"b:t"}},
    {CAST, "t", "1994-01-31", {"date:1994-01-31"}},
    {CAST, "t", "1994-01-31 01:02:03.5", {"ts:1994-01-31 01:02:03.5"}},
    {CAST, "t", "1 mon 2 days", {"iv:1 month 2 days"}},
    {CAST, "i4", "7", {"v9: 7 "}},
    {CAST, "i4", "!22P02", {"v9:seven"}},
    {CAST, "i2", "!22003", {"v9:70000"}},
    {CAST, "d12.2", "7.55", {"v9:7.549"}},
    {CAST, "d12.2", "!22P02", {"v9:"}},
    {CAST, "f8", "0.1", {"v9:1e-1"}},
    {CAST, "b", "t", {"v9:yes"}},
    {CAST, "b", "!22P02", {"v9:maybe"}},
    {CAST, "date", "1994-01-31", {"v20:1994-01-31"}},
    {CAST, "date", "!22007", {"v20:tomorrowish"}},
    {CAST, "date", "!22008", {"v20:1994-02-31"}},
    {CAST, "ts", "1994-01-31 00:00:00", {"v20:1994-01-31"}},
    {CAST, "iv", "1 year", {"v20:1 year"}},
    {CAST, "v3", "hel", {"v20:hello"}},
    {CAST, "v3", "hä", {"v20:hällo"}},
    {CAST, "v10", "hello", {"v5:hello"}},
    {CAST, "c7", "hello", {"v20:hello  "}},
    {CAST, "t", "hello", {"c20:hello"}},
    {CAST, "v2", "a ", {"t:a long"}},
};

static const CallCase date_cases[] = {
    {CAST, "ts", "1994-01-31 00:00:00", {"date:1994-01-31"}},
    {CAST, "ts", "infinity", {"date:infinity"}},
    {CAST, "ts", "-infinity", {"date:-infinity"}},
    {CAST, "ts", "!22008", {"date:300000-01-01"}},
    {CAST, "date", "1994-01-31", {"ts:1994-01-31 23:59:59"}},
    {CAST, "date", "1969-12-31", {"ts:1969-12-31 23:59:59"}},
    {CAST, "date", "infinity", {"ts:infinity"}},
    {CAST, "date", "1994-01-31", {"date:1994-01-31"}},
    {CAST, "i4", "!42846", {"date:1994-01-31"}},
    {CAST, "date", "!42846", {"i4:7"}},
    {CAST, "date", "!42846", {"iv:1 day"}},
};

START_TEST(exact)
{
    fixture_run_cases(exact_cases, COUNT(exact_cases), true);
}
END_TEST

START_TEST(floats)
{
    fixture_run_cases(float_cases, COUNT(float_cases), true);
}
END_TEST

START_TEST(texts)
{
    fixture_run_cases(text_cases, COUNT(text_cases), true);
}
END_TEST

START_TEST(dates)
{
    fixture_run_cases(date_cases, COUNT(date_cases), true);
}
END_TEST

START_TEST(an_implicit_cast_refuses_to_cut)
{
    Arena *arena = arena_create(NULL, "test");
    Value value = fixture_value(arena, type_varchar(20), "hello");
    Expr *cast = expr_cast(arena, expr_constant(arena, &value), type_varchar(3), false);
    Status status = expr_evaluate_constant(cast, arena, &value);
    ck_assert(status_sqlstate(status) == SQLSTATE_STRING_DATA_RIGHT_TRUNCATION);
    status_free(status);
    arena_destroy(arena);
}
END_TEST

int main(void)
{
    TCase *casts = tcase_create("casts");
    tcase_add_test(casts, exact);
    tcase_add_test(casts, floats);
    tcase_add_test(casts, texts);
    tcase_add_test(casts, dates);
    tcase_add_test(casts, an_implicit_cast_refuses_to_cut);
    return fixture_run_suite("expr_cast", &casts, 1);
}
