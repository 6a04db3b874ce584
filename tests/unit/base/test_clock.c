/* Suite of base/clock.c. */
#include <string.h>

#include "base/clock.h"
#include "tests/support/check_status.h"

START_TEST(time_goes_on)
{
    int64_t start_us = clock_monotonic_us();
    clock_sleep_us(10000);
    clock_sleep_us(0);
    clock_sleep_us(-1);
    ck_assert_int_ge(clock_monotonic_us() - start_us, 10000);
    ck_assert_int_gt(clock_wall_us(), INT64_C(1700000000000000));
    ck_assert_int_ge(system_clock.ops->monotonic_us(system_clock.self), start_us);
}
END_TEST

// First words of xoshiro256** for a state of 1, 2, 3, 4, as its authors' code gives them.
START_TEST(random_is_xoshiro)
{
    Random random = {.state = {1, 2, 3, 4}};
    ck_assert_uint_eq(random_next(&random), 11520);
    ck_assert_uint_eq(random_next(&random), 0);
    ck_assert_uint_eq(random_next(&random), 1509978240);
    ck_assert_uint_eq(random_next(&random), 1215971899390074240u);
}
END_TEST

START_TEST(random_repeats_by_seed)
{
    Random one, same, other;
    random_seed(&one, 5);
    random_seed(&same, 5);
    random_seed(&other, 6);
    for (int i = 0; i < 10; i++) {
        uint64_t value = random_next(&one);
        ck_assert_uint_eq(value, random_next(&same));
        ck_assert_uint_ne(value, random_next(&other));
    }
}
END_TEST

START_TEST(random_below_is_even)
{
    enum { BOUND = 7, DRAWS = 70000 };
    uint32_t counts[BOUND] = {0};
    Random random;
    random_seed(&random, 1);
    for (int i = 0; i < DRAWS; i++) {
        counts[random_below(&random, BOUND)]++;
    }
    for (size_t i = 0; i < BOUND; i++) {
        ck_assert_uint_gt(counts[i], 9500);
        ck_assert_uint_lt(counts[i], 10500);
    }
    ck_assert_uint_eq(random_below(&random, 1), 0);
    ck_assert_uint_lt(random_below(&random, UINT64_MAX), UINT64_MAX);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("base.clock");
    suite_add_case(suite, "time", time_goes_on);
    suite_add_case(suite, "vectors", random_is_xoshiro);
    suite_add_case(suite, "seed", random_repeats_by_seed);
    suite_add_case(suite, "below", random_below_is_even);
    return suite_main(suite);
}
