/* Suite of base/types/decimal.c and decimal_text.c: result types, rounding, 256-bit steps, text. */
#include <math.h>
#include <string.h>

#include "base/types/decimal.h"
#include "tests/support/check_status.h"

static Int128 number(const char *text)
{
    Int128 value = 0;
    Status status = decimal_parse(text, strlen(text), type_decimal(38, 0), &value);
    if (status != STATUS_OK) {
        ck_abort_msg("%s: %s", text, status_message(status));
    }
    return value;
}

static void check_product(const char *left, const char *right, uint32_t drop, const char *wanted)
{
    Int128 product;
    bool is_done = decimal_multiply(number(left), number(right), drop, &product);
    if (is_done != (*wanted != '\0') || (is_done && product != number(wanted))) {
        ck_abort_msg("%s * %s / 10^%u", left, right, drop);
    }
}

static void check_quotient(const char *left, const char *right, uint32_t shift, const char *wanted)
{
    Int128 quotient;
    bool is_done = decimal_divide(number(left), number(right), shift, &quotient);
    if (is_done != (*wanted != '\0') || (is_done && quotient != number(wanted))) {
        ck_abort_msg("%s * 10^%u / %s", left, shift, right);
    }
}

#define DECIMAL_MULTIPLY(left, right, drop, product) check_product(left, right, drop, product);
#define DECIMAL_DIVIDE(left, right, shift, quotient) check_quotient(left, right, shift, quotient);

START_TEST(products_and_quotients_are_exact)
{
#include "tests/unit/base/types/decimal_cases.def"
}
END_TEST

/* The divisor's magnitude walks through all bit lengths: every normalisation shift of the long
 * division, and guesses that must be corrected. */
START_TEST(quotient_times_divisor_gives_the_dividend_back)
{
    uint64_t state = 3;
    for (uint32_t i = 0; i < 20000; i++) {
        Int128 parts[2];
        for (int k = 0; k < 2; k++) {
            state = state * UINT64_C(6364136223846793005) + 1442695040888963407u;
            UInt128 wide = (UInt128)state << 64;
            state = state * UINT64_C(6364136223846793005) + 1442695040888963407u;
            wide |= i % 3 == 0 ? 0 : i % 3 == 1 ? UINT64_MAX : state;
            parts[k] = (Int128)((wide >> (2 + i % 124)) %
                                (UInt128)decimal_power_of_ten(DECIMAL_PRECISION_MAX));
        }
        Int128 divisor = parts[1] + 1, quotient, back;
        if (!decimal_divide(parts[0], divisor, 0, &quotient)) {
            ck_abort_msg("round %u", i);
        }
        Int128 rest = parts[0] - quotient * divisor; // the product is near the dividend
        ck_assert(decimal_multiply(quotient, divisor, 0, &back));
        if (back != quotient * divisor || 2 * rest > divisor || 2 * rest <= -divisor - 1) {
            ck_abort_msg("round %u", i);
        }
    }
}
END_TEST

START_TEST(result_types_follow_redshift)
{
    ck_assert(type_equal(decimal_add_type(type_decimal(12, 2), type_decimal(10, 0)),
                         type_decimal(13, 2)));
    ck_assert(type_equal(decimal_multiply_type(type_decimal(12, 2), type_decimal(13, 2)),
                         type_decimal(26, 4)));
    ck_assert(type_equal(decimal_multiply_type(type_decimal(26, 4), type_decimal(13, 2)),
                         type_decimal(38, 6)));
    ck_assert(type_equal(decimal_multiply_type(type_decimal(38, 20), type_decimal(38, 20)),
                         type_decimal(38, 37)));
    ck_assert(type_equal(decimal_add_type(type_decimal(38, 10), type_decimal(38, 10)),
                         type_decimal(38, 10)));
    ck_assert(type_equal(decimal_divide_type(type_decimal(12, 2), type_decimal(12, 2)),
                         type_decimal(25, 13)));
    ck_assert(type_equal(decimal_divide_type(type_decimal(38, 10), type_decimal(38, 10)),
                         type_decimal(38, 4)));
    ck_assert(type_equal(decimal_divide_type(type_decimal(5, 0), type_decimal(1, 0)),
                         type_decimal(9, 4)));
    ck_assert(type_equal(decimal_of_integer(type_of(TYPE_SMALLINT)), type_decimal(5, 0)));
    ck_assert(type_equal(decimal_of_integer(type_of(TYPE_INTEGER)), type_decimal(10, 0)));
    ck_assert(type_equal(decimal_of_integer(type_of(TYPE_BIGINT)), type_decimal(19, 0)));
}
END_TEST

START_TEST(rescaling_rounds_half_away_from_zero)
{
    static const struct {
        int64_t value;
        uint32_t from;
        uint8_t precision, scale;
        int64_t wanted; /* INT64_MIN: too large */
    } cases[] = {
        {125, 2, 10, 1, 13},   {-125, 2, 10, 1, -13}, {124, 2, 10, 1, 12}, {5, 1, 10, 0, 1},
        {-5, 1, 10, 0, -1},    {4, 1, 10, 0, 0},      {12, 0, 10, 3, 12000}, {0, 5, 1, 0, 0},
        {999, 1, 2, 0, INT64_MIN}, {994, 1, 2, 0, 99}, {995, 1, 2, 0, INT64_MIN},
        {100, 0, 4, 2, INT64_MIN}, {99, 0, 4, 2, 9900}, {1, 37, 10, 0, 0},
    };
    Int128 out;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        Type target = type_decimal(cases[i].precision, cases[i].scale);
        Status status = decimal_rescale(cases[i].value, cases[i].from, target, &out);
        if (cases[i].wanted == INT64_MIN) {
            ck_assert_int_eq(status_sqlstate(status), SQLSTATE_NUMERIC_VALUE_OUT_OF_RANGE);
            status_free(status);
        } else {
            ck_assert_ok(status);
            ck_assert_int_eq((int64_t)out, cases[i].wanted);
        }
    }
    ck_assert_ok(decimal_rescale(number("12345678901234567890123456789012345678"), 20,
                                 type_decimal(38, 3), &out));
    ck_assert(out == number("123456789012345678901"));
    ck_assert_state(decimal_rescale(1, 0, type_decimal(38, 38), &out),
                    SQLSTATE_NUMERIC_VALUE_OUT_OF_RANGE);
}
END_TEST

static void check_print(const char *whole, uint32_t scale, const char *wanted)
{
    char text[DECIMAL_TEXT_BYTES];
    size_t bytes = decimal_print(number(whole), scale, text);
    ck_assert_uint_eq(bytes, strlen(wanted));
    ck_assert_mem_eq(text, wanted, bytes);
}

START_TEST(prints_every_digit)
{
    check_print("0", 0, "0");
    check_print("0", 3, "0.000");
    check_print("-1", 3, "-0.001");
    check_print("1234", 2, "12.34");
    check_print("-100", 2, "-1.00");
    check_print("99999999999999999999999999999999999999", 0,
                "99999999999999999999999999999999999999");
    check_print("-99999999999999999999999999999999999999", 37,
                "-9.9999999999999999999999999999999999999");
    check_print("10000000000000000000000000000000000000", 19, "1000000000000000000.0000000000000000000");
    check_print("18446744073709551616", 1, "1844674407370955161.6");
}
END_TEST

START_TEST(doubles_convert_both_ways)
{
    Int128 out;
    ck_assert_double_eq(decimal_to_double(1234, 2), 12.34);
    ck_assert_double_eq(decimal_to_double(-1, 1), -0.1);
    ck_assert_double_eq(decimal_to_double(number("12345678901234567890123456789012345678"), 10),
                        1234567890123456789012345678.9012345678);
    ck_assert_double_eq(decimal_to_double(number("99999999999999999999999999999999999999"), 38),
                        1.0);
    ck_assert_ok(decimal_from_double(0.1 + 0.2, type_decimal(38, 20), &out));
    ck_assert(out == number("30000000000000000000"));
    ck_assert_ok(decimal_from_double(-2.5, type_decimal(10, 0), &out));
    ck_assert(out == -3);
    ck_assert_ok(decimal_from_double(1e-300, type_decimal(10, 2), &out));
    ck_assert(out == 0);
    ck_assert_state(decimal_from_double(1e10, type_decimal(10, 0), &out),
                    SQLSTATE_NUMERIC_VALUE_OUT_OF_RANGE);
    ck_assert_state(decimal_from_double((double)NAN, type_decimal(10, 0), &out),
                    SQLSTATE_NUMERIC_VALUE_OUT_OF_RANGE);
    ck_assert_state(decimal_from_double(-INFINITY, type_decimal(10, 0), &out),
                    SQLSTATE_NUMERIC_VALUE_OUT_OF_RANGE);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("decimal");
    suite_add_case(suite, "exact", products_and_quotients_are_exact);
    suite_add_case(suite, "division", quotient_times_divisor_gives_the_dividend_back);
    suite_add_case(suite, "types", result_types_follow_redshift);
    suite_add_case(suite, "rounding", rescaling_rounds_half_away_from_zero);
    suite_add_case(suite, "print", prints_every_digit);
    suite_add_case(suite, "doubles", doubles_convert_both_ways);
    return suite_main(suite);
}
