/* test_regex_functions.c — ~ and ~*: matches, characters of several bytes, bounds, bad patterns. */
#include "tests/unit/compute/expression/expr_fixture.h"

#define COUNT(cases) (sizeof(cases) / sizeof *(cases))
#define MATCH FUNCTION_REGEX_MATCH
#define NO_CASE FUNCTION_REGEX_MATCH_NO_CASE

static const CallCase match_cases[] = {
    {MATCH, "b", "t", {"v20:hello", "v20:ell"}},
    {MATCH, "b", "f", {"v20:hello", "v20:^ell"}},
    {MATCH, "b", "t", {"v20:hello", "v20:^h.*o$"}},
    {MATCH, "b", "t", {"v20:hello", "v20:"}},
    {MATCH, "b", "t", {"v20:", "v20:^$"}},
    {MATCH, "b", "f", {"v20:", "v20:a"}},
    {MATCH, "b", "t", {"v20:däüö", "v20:^d...$"}},
    {MATCH, "b", "f", {"v20:HELLO", "v20:hello"}},
    {MATCH, "b", "t", {"v20:a\nb", "v20:^a.b$"}},
    {MATCH, "b", "f", {"v20:b\n", "v20:b$"}},
    {NO_CASE, "b", "t", {"v20:HELLO", "v20:hello"}},
    {NO_CASE, "b", "t", {"v20:DÄÜÖ", "v20:äü"}},
    {NO_CASE, "b", "f", {"v20:HELLO", "v20:hallo"}},
};

static const CallCase refused_cases[] = {
    {MATCH, "b", "!2201B", {"v20:a", "v20:("}},
    {MATCH, "b", "!2201B", {"v20:a", "v20:[z-a]"}},
    {MATCH, "b", "!2201B", {"v20:a", "v20:\\C"}},
    {MATCH, "b", "!54001", {"v60:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab", "v20:^(a|aa|a*)*$"}},
};

START_TEST(matching)
{
    fixture_run_cases(match_cases, COUNT(match_cases), true);
}
END_TEST

START_TEST(refusing)
{
    fixture_run_cases(refused_cases, COUNT(refused_cases), true);
}
END_TEST

int main(void)
{
    TCase *regexes = tcase_create("regexes");
    tcase_add_test(regexes, matching);
    tcase_add_test(regexes, refusing);
    return fixture_run_suite("regex_functions", &regexes, 1);
}
