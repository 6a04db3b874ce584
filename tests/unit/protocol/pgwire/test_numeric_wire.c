/* test_numeric_wire.c — decimals to PostgreSQL's binary numeric and back. */
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/types/decimal.h"
#include "protocol/pgwire/numeric_wire.h"
#include "tests/support/check_status.h"

static void check_write(Int128 value, uint32_t scale, const char *expected, size_t bytes)
{
    uint8_t target[NUMERIC_WIRE_BYTES_MAX];
    ck_assert_uint_eq(numeric_wire_write(value, scale, target), bytes);
    ck_assert_mem_eq(target, expected, bytes);
}

START_TEST(known_bytes)
{
    check_write(12345678, 3, "\0\3\0\1\0\0\0\3\0\1\x09\x29\x1a\x7c", 14); // 12345.678
    check_write(0, 2, "\0\0\0\0\0\0\0\2", 8);
    check_write(-1, 0, "\0\1\0\0\x40\0\0\0\0\1", 10);
    check_write(1, 4, "\0\1\xff\xff\0\0\0\4\0\1", 10);     // 0.0001
    check_write(1, 5, "\0\1\xff\xfe\0\0\0\5\x03\xe8", 10); // 0.00001
    check_write(100000000, 0, "\0\1\0\2\0\0\0\0\0\1", 10); // 10^8
    check_write(1500, 2, "\0\1\0\0\0\0\0\2\0\x0f", 10);    // 15.00
}
END_TEST

START_TEST(round_trip)
{
    Random random;
    uint64_t seed = getenv("SEED") == NULL ? 11 : strtoull(getenv("SEED"), NULL, 10);
    printf("SEED=%llu\n", (unsigned long long)seed);
    random_seed(&random, seed);
    for (int i = 0; i < 50000; i++) {
        uint32_t precision = 1 + (uint32_t)random_below(&random, DECIMAL_PRECISION_MAX);
        uint32_t scale = (uint32_t)random_below(&random, precision < 38 ? precision + 1 : 38);
        Int128 value = (Int128)random_next(&random) * (Int128)(random_next(&random) >> 1);
        value %= decimal_power_of_ten(precision);
        value = random_below(&random, 2) == 0 ? value : -value;
        if (random_below(&random, 4) == 0) { // many zero digits
            Int128 unit = decimal_power_of_ten((uint32_t)random_below(&random, precision));
            value = value / unit * unit;
        }
        uint8_t bytes[NUMERIC_WIRE_BYTES_MAX];
        size_t count = numeric_wire_write(value, scale, bytes);
        Int128 back;
        ck_assert_ok(numeric_wire_read(bytes, count, type_decimal(precision, scale), &back));
        ck_assert(back == value);
        Value exact;
        ck_assert_ok(numeric_wire_read_exact(bytes, count, &exact));
        ck_assert_uint_eq(exact.type.scale, scale);
        ck_assert((type_is_scaled_integer(exact.type) ? exact.i64 : exact.i128) == value);
    }
}
END_TEST

START_TEST(rounds_and_refuses)
{
    uint8_t bytes[NUMERIC_WIRE_BYTES_MAX];
    Int128 value;
    size_t count = numeric_wire_write(12345, 3, bytes); // 12.345
    ck_assert_ok(numeric_wire_read(bytes, count, type_decimal(10, 2), &value));
    ck_assert(value == 1235);
    ck_assert_ok(numeric_wire_read(bytes, count, type_decimal(10, 0), &value));
    ck_assert(value == 12);
    assert_fails(numeric_wire_read(bytes, count, type_decimal(3, 2), &value), "22003", "");
    count = numeric_wire_write(-9999999999, 5, bytes); // -99999.99999
    ck_assert_ok(numeric_wire_read(bytes, count, type_decimal(10, 2), &value));
    ck_assert(value == -10000000);
    static const struct {
        const char *bytes;
        size_t count;
        const char *code;
    } wrong[] = {
        {"\0\1\0\0\0\0\0\0", 8, "22P03"},          // a digit is missing
        {"\0\0\0\0\0\0\0\0\0", 9, "22P03"},        // a byte too many
        {"\0\1\0\0\0\0\0\0\x27\x10", 10, "22P03"}, // digit 10,000
        {"\0\0\0\0\x12\x34\0\0", 8, "22P03"},      // unknown sign
        {"\0\0\0\0\xc0\0\0\0", 8, "22003"},        // NaN
        {"\0\0\0\0\xd0\0\0\0", 8, "22003"},        // infinity
        {"\0\1\x7f\xff\0\0\0\0\0\1", 10, "22003"}, // 10^131068
        {"", 0, "22P03"},
    };
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        assert_fails(numeric_wire_read((const uint8_t *)wrong[i].bytes, wrong[i].count,
                                       type_decimal(38, 0), &value),
                     wrong[i].code, "");
    }
    // Zero with a large weight, and one far below the scale, are zero.
    ck_assert_ok(numeric_wire_read((const uint8_t *)"\0\1\x7f\xff\0\0\0\0\0\0", 10,
                                   type_decimal(5, 2), &value));
    ck_assert(value == 0);
    ck_assert_ok(numeric_wire_read((const uint8_t *)"\0\1\x80\0\0\0\x3f\xff\0\1", 10,
                                   type_decimal(5, 2), &value));
    ck_assert(value == 0);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("numeric_wire");
    TCase *tcase = tcase_create("numeric");
    tcase_set_timeout(tcase, 60);
    tcase_add_test(tcase, known_bytes);
    tcase_add_test(tcase, round_trip);
    tcase_add_test(tcase, rounds_and_refuses);
    suite_add_tcase(suite, tcase);
    return suite_main(suite);
}
