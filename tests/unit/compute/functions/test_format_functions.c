/* test_format_functions.c — TO_CHAR and TO_DATE against PostgreSQL's answers. */
#include "tests/unit/compute/expression/expr_fixture.h"

#define COUNT(cases) (sizeof(cases) / sizeof *(cases))
#define TO_CHAR FUNCTION_TO_CHAR
#define TO_DATE FUNCTION_TO_DATE

static const CallCase date_cases[] = {
    {TO_CHAR, "t", "1996-02-29", {"date:1996-02-29", "t:YYYY-MM-DD"}},
    {TO_CHAR, "t", "1996-02-29 13:04:05", {"ts:1996-02-29 13:04:05", "t:YYYY-MM-DD HH24:MI:SS"}},
    {TO_CHAR, "t", "01:04 PM", {"ts:1996-02-29 13:04:05", "t:HH12:MI AM"}},
    {TO_CHAR, "t", "12:04 a.m.", {"ts:1996-02-29 00:04:05", "t:HH:MI p.m."}},
    {TO_CHAR, "t", "February  29", {"date:1996-02-29", "t:Month DD"}},
    {TO_CHAR, "t", "February 29", {"date:1996-02-29", "t:FMMonth DD"}},
    {TO_CHAR, "t", "FEB feb Feb", {"date:1996-02-29", "t:MON mon Mon"}},
    {TO_CHAR, "t", "THURSDAY  Thu", {"date:1996-02-29", "t:DAY Dy"}},
    {TO_CHAR,
     "t",
     "5 4 060 Q1 W5 WW09 IW09",
     {"date:1996-02-29", "t:D ID DDD \"Q\"Q \"W\"W \"WW\"WW \"IW\"IW"}},
    {TO_CHAR, "t", "29th 2ND", {"date:1996-02-29", "t:DDth FMMMTH"}},
    {TO_CHAR, "t", "2/9", {"date:1996-02-09", "t:FMMM/FMDD"}},
    {TO_CHAR, "t", "96 996 6 1,996", {"date:1996-02-29", "t:YY YYY Y Y,YYY"}},
    {TO_CHAR, "t", "0044 BC", {"date:0044-03-15 BC", "t:YYYY BC"}},
    {TO_CHAR, "t", "678 678900 47045", {"ts:1996-02-29 13:04:05.6789", "t:MS US SSSS"}},
    {TO_CHAR, "t", "20 2450143", {"date:1996-02-29", "t:CC J"}},
    {TO_CHAR, "t", "NULL", {"date:infinity", "t:YYYY"}},
    {TO_CHAR, "t", "!0A000", {"date:1996-02-29", "t:YYYY TZ"}},
    {TO_CHAR, "t", "!0A000", {"iv:1 day", "t:YYYY"}},
    {TO_DATE, "date", "2000-12-05", {"v20:05 Dec 2000", "t:DD Mon YYYY"}},
    {TO_DATE, "date", "2000-12-05", {"v20:20001205", "t:YYYYMMDD"}},
    {TO_DATE, "date", "2000-12-05", {"v20:2000/12/05", "t:YYYY-MM-DD"}},
    {TO_DATE, "date", "2000-12-05", {"v20:december 5 2000", "t:Month DD YYYY"}},
    {TO_DATE, "date", "1999-01-01", {"v20:99", "t:YY"}},
    {TO_DATE, "date", "2021-01-01", {"v20:21", "t:YY"}},
    {TO_DATE, "date", "1996-02-29", {"v20:1996-060", "t:YYYY-DDD"}},
    {TO_DATE,
     "ts",
     "1996-02-29 13:04:05",
     {"v20:1996-02-29 1:04:05PM", "t:YYYY-MM-DD HH12:MI:SSPM"}},
    {TO_DATE,
     "ts",
     "1996-02-29 13:04:05.5",
     {"v30:1996-02-29 13:04:05.5", "t:YYYY-MM-DD HH24:MI:SS.MS"}},
    {TO_DATE, "date", "0044-03-15 BC", {"v20:0044-03-15 BC", "t:YYYY-MM-DD BC"}},
    {TO_DATE, "date", "!22008", {"v20:1997-02-29", "t:YYYY-MM-DD"}},
    {TO_DATE, "date", "!22008", {"v20:1997-13-01", "t:YYYY-MM-DD"}},
    {TO_DATE, "date", "!22007", {"v20:hello", "t:YYYY-MM-DD"}},
    {TO_DATE, "date", "!22007", {"v20:05 Foo 2000", "t:DD Mon YYYY"}},
    {TO_DATE, "ts", "!22007", {"v20:13:00", "t:HH12:MI"}},
};

static const CallCase number_cases[] = {
    {TO_CHAR, "t", "  12", {"i4:12", "t:999"}},
    {TO_CHAR, "t", " -12", {"i4:-12", "t:999"}},
    {TO_CHAR, "t", "-012", {"i4:-12", "t:000"}},
    {TO_CHAR, "t", "   0", {"i4:0", "t:999"}},
    {TO_CHAR, "t", " ###", {"i4:1234", "t:999"}},
    {TO_CHAR, "t", " 1,485", {"i4:1485", "t:9,999"}},
    {TO_CHAR, "t", "   485", {"i4:485", "t:9,999"}},
    {TO_CHAR, "t", " 4 8 5", {"i4:485", "t:9 9 9"}},
    {TO_CHAR, "t", " 148.500", {"d12.2:148.50", "t:999.999"}},
    {TO_CHAR, "t", "148.5", {"d12.2:148.50", "t:FM999.999"}},
    {TO_CHAR, "t", "148.500", {"d12.2:148.50", "t:FM999.990"}},
    {TO_CHAR, "t", "  -.10", {"d12.2:-0.10", "t:99.99"}},
    {TO_CHAR, "t", "-.1", {"d12.2:-0.10", "t:FM9.99"}},
    {TO_CHAR, "t", "-0.1", {"d12.2:-0.10", "t:FM90.99"}},
    {TO_CHAR, "t", " 0.1", {"d12.2:0.10", "t:0.9"}},
    {TO_CHAR, "t", "    0012.0", {"i4:12", "t:9990999.9"}},
    {TO_CHAR, "t", "0012.", {"i4:12", "t:FM9990999.9"}},
    {TO_CHAR, "t", "485-", {"i4:-485", "t:999MI"}},
    {TO_CHAR, "t", "485 ", {"i4:485", "t:999MI"}},
    {TO_CHAR, "t", "485", {"i4:485", "t:FM999MI"}},
    {TO_CHAR, "t", "+485", {"i4:485", "t:PL999"}},
    {TO_CHAR, "t", "+485", {"i4:485", "t:SG999"}},
    {TO_CHAR, "t", "-485", {"i4:-485", "t:SG999"}},
    {TO_CHAR, "t", "4-85", {"i4:-485", "t:9SG99"}},
    {TO_CHAR, "t", "<485>", {"i4:-485", "t:999PR"}},
    {TO_CHAR, "t", " 485 ", {"i4:485", "t:999PR"}},
    {TO_CHAR, "t", " -12", {"i4:-12", "t:S999"}},
    {TO_CHAR, "t", " 12-", {"i4:-12", "t:999S"}},
    {TO_CHAR, "t", "Good number: 485", {"i4:485", "t:\"Good number:\"999"}},
    {TO_CHAR, "t", " 3,148.50", {"d12.2:3148.50", "t:9G999D99"}},
    {TO_CHAR, "t", "$ 12.35", {"f8:12.346", "t:L99.99"}},
    {TO_CHAR, "t", " 12.35", {"d12.3:12.345", "t:99.99"}},
    {TO_CHAR, "t", "!0A000", {"i4:485", "t:RN"}},
    {TO_CHAR, "t", "!0A000", {"f8:485", "t:9.99EEEE"}},
};

START_TEST(dates)
{
    fixture_run_cases(date_cases, COUNT(date_cases), true);
}
END_TEST

START_TEST(numbers)
{
    fixture_run_cases(number_cases, COUNT(number_cases), true);
}
END_TEST

int main(void)
{
    TCase *formats = tcase_create("formats");
    tcase_add_test(formats, dates);
    tcase_add_test(formats, numbers);
    return fixture_run_suite("format_functions", &formats, 1);
}
