/* test_datetime_functions.c — dates, timestamps, intervals. */
#include "tests/unit/compute/expression/expr_fixture.h"

#define COUNT(cases) (sizeof(cases) / sizeof *(cases))
#define F(name) FUNCTION_##name

static const CallCase arithmetic_cases[] = {
    {F(DATE_ADD_DAYS), "date", "1994-03-01", {"date:1994-02-28", "i4:1"}},
    {F(DATE_ADD_DAYS), "date", "1996-02-29", {"date:1996-02-28", "i4:1"}},
    {F(DATE_ADD_DAYS), "date", "infinity", {"date:infinity", "i4:1"}},
    {F(DATE_ADD_DAYS), "date", "!22008", {"date:1994-02-28", "i4:2147483647"}},
    {F(DATE_SUBTRACT_DAYS), "date", "1998-09-02", {"date:1998-12-01", "i4:90"}},
    {F(DATE_SUBTRACT_DAYS), "date", "!22008", {"date:1994-02-28", "i4:2147483647"}},
    {F(DATE_DIFFERENCE), "i4", "365", {"date:1995-01-01", "date:1994-01-01"}},
    {F(DATE_DIFFERENCE), "i4", "-366", {"date:1996-01-01", "date:1997-01-01"}},
    {F(DATE_DIFFERENCE), "i4", "!22008", {"date:infinity", "date:1994-01-01"}},
    {F(TIMESTAMP_ADD_INTERVAL), "ts", "1995-01-01 00:00:00", {"date:1994-01-01", "iv:1 year"}},
    {F(TIMESTAMP_ADD_INTERVAL), "date", "1995-01-01", {"date:1994-01-01", "iv:1 year"}},
    {F(TIMESTAMP_ADD_INTERVAL),
     "ts",
     "1994-02-28 12:00:00",
     {"ts:1994-01-31 12:00:00", "iv:1 month"}},
    {F(TIMESTAMP_ADD_INTERVAL), "ts", "1994-02-01 01:30:00", {"ts:1994-01-31 23:00:00", "iv:2:30"}},
    {F(TIMESTAMP_SUBTRACT_INTERVAL),
     "ts",
     "1993-12-31 00:00:00",
     {"ts:1994-01-31 00:00:00", "iv:1 month"}},
    {F(TIMESTAMP_SUBTRACT_INTERVAL),
     "ts",
     "1998-09-02 00:00:00",
     {"date:1998-12-01", "iv:90 days"}},
    {F(TIMESTAMP_ADD_INTERVAL), "ts", "!22008", {"ts:1994-01-31 00:00:00", "iv:300000 years"}},
    {F(TIMESTAMP_DIFFERENCE),
     "iv",
     "31 days 01:00:00",
     {"ts:1994-02-01 01:00:00", "ts:1994-01-01 00:00:00"}},
    {F(TIMESTAMP_DIFFERENCE),
     "iv",
     "-31 days -01:00:00",
     {"ts:1994-01-01 00:00:00", "ts:1994-02-01 01:00:00"}},
    {F(INTERVAL_ADD), "iv", "1 mon 1 day", {"iv:1 month", "iv:1 day"}},
    {F(INTERVAL_SUBTRACT), "iv", "1 mon -1 days", {"iv:1 month", "iv:1 day"}},
    {F(INTERVAL_ADD), "iv", "!22008", {"iv:2147483647 days", "iv:1 day"}},
    {F(NEGATE), "iv", "-1 mons -2 days", {"iv:1 month 2 days"}},
    {F(EQUAL), "b", "t", {"iv:1 month", "iv:30 days"}},
    {F(LESS), "b", "t", {"iv:23 hours", "iv:1 day"}},
    {F(GREATER), "b", "t", {"iv:1 year", "iv:359 days"}},
    {F(DATEADD), "ts", "2008-05-30 00:00:00", {"v9:month", "i4:1", "date:2008-04-30"}},
    {F(DATEADD), "ts", "2008-02-29 00:00:00", {"v9:months", "i4:1", "date:2008-01-31"}},
    {F(DATEADD), "ts", "2008-03-08 00:00:00", {"v9:day", "i4:8", "date:2008-02-29"}},
    {F(DATEADD), "ts", "2008-02-29 00:30:00", {"v9:minute", "i4:30", "ts:2008-02-29 00:00:00"}},
    {F(DATEADD), "ts", "2008-02-28 23:59:59.5", {"v9:ms", "i4:-500", "ts:2008-02-29 00:00:00"}},
    {F(DATEADD), "ts", "2010-01-31 00:00:00", {"v9:qtr", "i4:4", "date:2009-01-31"}},
    {F(DATEADD), "ts", "2009-02-07 00:00:00", {"v9:week", "i4:1", "date:2009-01-31"}},
    {F(DATEADD), "ts", "1909-01-31 00:00:00", {"v9:century", "i4:-1", "date:2009-01-31"}},
    {F(DATEADD), "ts", "!22023", {"v9:fortnight", "i4:-1", "date:2009-01-31"}},
    {F(DATEADD), "ts", "!0A000", {"v9:epoch", "i4:-1", "date:2009-01-31"}},
    {F(DATEADD), "ts", "!22008", {"v9:year", "i4:2147483647", "date:2009-01-31"}},
    {F(DATEDIFF), "i8", "1", {"v9:year", "date:2008-12-31", "date:2009-01-01"}},
    {F(DATEDIFF), "i8", "-1", {"v9:year", "date:2009-01-01", "date:2008-12-31"}},
    {F(DATEDIFF), "i8", "52", {"v9:week", "date:2009-01-01", "date:2009-12-31"}},
    {F(DATEDIFF), "i8", "40", {"v9:qtr", "date:1998-07-01", "date:2008-07-01"}},
    {F(DATEDIFF), "i8", "13", {"v9:month", "date:2008-01-31", "date:2009-02-01"}},
    {F(DATEDIFF), "i8", "48", {"v9:hour", "date:2009-01-01", "date:2009-01-03"}},
    {F(DATEDIFF), "i8", "1", {"v9:minute", "ts:2009-01-01 00:00:59", "ts:2009-01-01 00:01:00"}},
    {F(DATEDIFF), "i8", "1500", {"v9:ms", "ts:2009-01-01 00:00:00", "ts:2009-01-01 00:00:01.5"}},
    {F(DATEDIFF), "i8", "1", {"v9:century", "date:2000-12-31", "date:2001-01-01"}},
    {F(ADD_MONTHS), "ts", "2008-05-31 00:00:00", {"date:2008-04-30", "i4:1"}},
    {F(ADD_MONTHS), "ts", "2008-02-29 00:00:00", {"date:2008-01-31", "i4:1"}},
    {F(ADD_MONTHS), "ts", "2008-02-15 01:02:03", {"ts:2008-01-15 01:02:03", "i4:1"}},
    {F(ADD_MONTHS), "ts", "2007-02-28 00:00:00", {"date:2008-02-29", "i4:-12"}},
    {F(LAST_DAY), "date", "2008-02-29", {"date:2008-02-03"}},
    {F(LAST_DAY), "date", "1900-02-28", {"ts:1900-02-03 11:00:00"}},
};

static const CallCase field_cases[] = {
    {F(EXTRACT), "i4", "1994", {"v9:year", "date:1994-06-30"}},
    {F(EXTRACT), "i4", "-44", {"v9:year", "date:0044-03-15 BC"}},
    {F(EXTRACT), "i4", "1", {"v9:year", "date:0001-01-01"}},
    {F(EXTRACT), "i4", "5874897", {"v9:year", "date:5874897-12-31"}},
    {F(EXTRACT), "i4", "NULL", {"v9:year", "date:infinity"}},
    {F(EXTRACT), "i4", "2", {"v9:month", "date:1996-02-29"}},
    {F(EXTRACT), "i4", "29", {"v9:day", "date:1996-02-29"}},
    {F(EXTRACT), "i4", "3", {"v9:month", "date:1900-03-01"}},
    {F(EXTRACT), "i4", "31", {"v9:day", "date:1999-12-31"}},
    {F(EXTRACT), "i4", "12", {"v9:month", "date:0099-12-31 BC"}},
    {F(EXTRACT), "i4", "2", {"v9:quarter", "date:1996-06-29"}},
    {F(EXTRACT), "i4", "4", {"v9:dow", "date:1970-01-01"}},
    {F(EXTRACT), "i4", "60", {"v9:doy", "date:1996-02-29"}},
    {F(EXTRACT), "i4", "53", {"v9:week", "date:2005-01-01"}},
    {F(EXTRACT), "f8", "86400", {"v9:epoch", "date:1970-01-02"}},
    {F(EXTRACT), "i4", "13", {"v9:hour", "ts:1996-02-29 13:14:15.678"}},
    {F(EXTRACT), "i4", "14", {"v9:minute", "ts:1996-02-29 13:14:15.678"}},
    {F(EXTRACT), "f8", "15.678", {"v9:second", "ts:1996-02-29 13:14:15.678"}},
    {F(EXTRACT), "i4", "15", {"v9:second", "ts:1996-02-29 13:14:15.678"}},
    {F(EXTRACT), "i4", "15678", {"v9:ms", "ts:1996-02-29 13:14:15.678"}},
    {F(EXTRACT), "f8", "0.5", {"v9:epoch", "ts:1970-01-01 00:00:00.5"}},
    {F(EXTRACT), "i4", "20", {"v9:century", "ts:2000-12-31 00:00:00"}},
    {F(EXTRACT), "i4", "14", {"v9:hour", "iv:1 day 14:00"}},
    {F(EXTRACT), "i4", "2", {"v9:year", "iv:30 months"}},
    {F(EXTRACT), "i4", "!22023", {"v9:foo", "date:1994-06-30"}},
    {F(DATE_TRUNC), "ts", "1994-06-01 00:00:00", {"v9:month", "ts:1994-06-30 12:00:00"}},
    {F(DATE_TRUNC), "ts", "1994-04-01 00:00:00", {"v9:quarter", "ts:1994-06-30 12:00:00"}},
    {F(DATE_TRUNC), "ts", "1994-06-27 00:00:00", {"v9:week", "ts:1994-06-30 12:00:00"}},
    {F(DATE_TRUNC), "ts", "1994-06-30 12:00:00", {"v9:hour", "ts:1994-06-30 12:59:59"}},
    {F(DATE_TRUNC), "ts", "1994-01-01 00:00:00", {"v9:year", "date:1994-06-30"}},
    {F(DATE_TRUNC), "date", "1994-01-01", {"v9:year", "date:1994-06-30"}},
    {F(DATE_TRUNC), "ts", "!0A000", {"v9:dow", "date:1994-06-30"}},
    {F(LESS), "b", "t", {"date:1994-01-01", "date:1995-01-01"}},
    {F(GREATER_EQUAL), "b", "f", {"ts:1994-01-01 00:00:00", "ts:1995-01-01 00:00:00"}},
    {F(EQUAL), "b", "t", {"date:infinity", "date:infinity"}},
};

START_TEST(arithmetic)
{
    fixture_run_cases(arithmetic_cases, COUNT(arithmetic_cases), true);
}
END_TEST

START_TEST(fields)
{
    fixture_run_cases(field_cases, COUNT(field_cases), true);
}
END_TEST

/* Every way of computing year, month and day against the calendar, over ranges of every width. */
START_TEST(fields_follow_the_calendar)
{
    static const struct {
        int64_t first, step;
    } ranges[] = {{8766, 1}, {8000, 3},        {-719162, 7}, {-719162, 15000}, {10000000, 5917},
                  {0, 0},    {-1000000, 1234}, {-100, 1},    {2147483000, 1}};
    static const char *const names[] = {"year", "month", "day", "doy"};
    for (size_t i = 0; i < COUNT(ranges); i++) {
        Arena *arena = arena_create(NULL, "test");
        Type type = type_of(TYPE_DATE);
        Value *values = ARENA_ARRAY(arena, Value, VECTOR_ROWS);
        for (uint32_t row = 0; row < VECTOR_ROWS; row++) {
            int64_t days = ranges[i].first + ranges[i].step * row;
            values[row] = value_int64(type, days > INT32_MAX ? INT32_MAX : days);
        }
        Expr **exprs = ARENA_ARRAY(arena, Expr *, COUNT(names));
        for (size_t j = 0; j < COUNT(names); j++) {
            Value name = fixture_value(arena, type_varchar(0), names[j]);
            exprs[j] = expr_call2(arena, FUNCTION_EXTRACT, type_of(TYPE_INTEGER),
                                  expr_constant(arena, &name), expr_column(arena, 0, type));
        }
        ExprProgram *program;
        ck_assert(expr_compile(arena, exprs, COUNT(names), &type, 1, &program) == STATUS_OK);
        ExprState *state = expr_state_create(program, arena);
        for (int form = 0; form < FORM_COUNT; form++) {
            Vector column = fixture_vector(arena, type, values, VECTOR_ROWS, (FixtureForm)form);
            Batch batch = fixture_batch(&column, 1, VECTOR_ROWS);
            expr_begin(state, &batch);
            for (uint32_t j = 0; j < COUNT(names); j++) {
                static const DateField wanted[] = {DATE_FIELD_YEAR, DATE_FIELD_MONTH,
                                                   DATE_FIELD_DAY, DATE_FIELD_DAY_OF_YEAR};
                const Vector *vector;
                ck_assert(expr_evaluate(state, j, &vector) == STATUS_OK);
                for (uint32_t row = 0; row < VECTOR_ROWS; row++) {
                    int64_t days = values[row].i64;
                    Value got = vector_value(vector, row);
                    if (date_is_infinite(days)) {
                        ck_assert(got.is_null);
                        continue;
                    }
                    ck_assert_msg(got.i64 == date_extract(days, wanted[j]), "%s of %lld: %lld",
                                  names[j], (long long)days, (long long)got.i64);
                    ck_assert(got.i64 >= vector->lo && got.i64 <= vector->hi);
                }
            }
        }
        arena_destroy(arena);
    }
}
END_TEST

/* Timestamps take the days' way where they are short enough. */
START_TEST(fields_of_timestamps)
{
    static const int64_t starts[] = {0, 757382400000000, -86400000001, 4500000000000000};
    for (size_t i = 0; i < COUNT(starts); i++) {
        Arena *arena = arena_create(NULL, "test");
        Type type = type_of(TYPE_TIMESTAMP);
        Value *values = ARENA_ARRAY(arena, Value, 500), name;
        for (uint32_t row = 0; row < 500; row++) {
            values[row] = value_int64(type, starts[i] + row * INT64_C(43199999999));
        }
        static const char *const names[] = {"year", "month", "day"};
        static const DateField wanted[] = {DATE_FIELD_YEAR, DATE_FIELD_MONTH, DATE_FIELD_DAY};
        Expr **exprs = ARENA_ARRAY(arena, Expr *, 3);
        for (uint32_t j = 0; j < 3; j++) {
            name = fixture_value(arena, type_varchar(0), names[j]);
            exprs[j] = expr_call2(arena, FUNCTION_EXTRACT, type_of(TYPE_INTEGER),
                                  expr_constant(arena, &name), expr_column(arena, 0, type));
        }
        ExprProgram *program;
        ck_assert(expr_compile(arena, exprs, 3, &type, 1, &program) == STATUS_OK);
        ExprState *state = expr_state_create(program, arena);
        Vector column = fixture_vector(arena, type, values, 500, FORM_WIDE);
        Batch batch = fixture_batch(&column, 1, 500);
        expr_begin(state, &batch);
        for (uint32_t j = 0; j < 3; j++) {
            const Vector *vector;
            ck_assert(expr_evaluate(state, j, &vector) == STATUS_OK);
            for (uint32_t row = 0; row < 500; row++) {
                ck_assert_int_eq(vector_int64(vector, row),
                                 timestamp_extract(values[row].i64, wanted[j]));
            }
        }
        arena_destroy(arena);
    }
}
END_TEST

int main(void)
{
    TCase *dates = tcase_create("dates");
    tcase_add_test(dates, arithmetic);
    tcase_add_test(dates, fields);
    tcase_add_test(dates, fields_follow_the_calendar);
    tcase_add_test(dates, fields_of_timestamps);
    return fixture_run_suite("datetime_functions", &dates, 1);
}
