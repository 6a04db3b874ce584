/* test_arithmetic_kernels.c — every triple of lanes against arithmetic modulo 2^64. */
#include "tests/unit/compute/kernels/kernel_fixture.h"

#include <math.h>

#include "compute/kernels/arithmetic_kernels.h"

static _Alignas(64) char left[LANES_BYTES], right[LANES_BYTES], target[LANES_BYTES];

static uint64_t wanted(ArithmeticOp op, uint64_t a, uint64_t b, const LaneTerms *terms)
{
    switch (op) {
    case ARITHMETIC_ADD:
        return a + b + terms->add;
    case ARITHMETIC_SUBTRACT:
        return a - b + terms->add;
    default:
        return (a + terms->left_add) * (b + terms->right_add) + terms->add;
    }
}

START_TEST(pairs)
{
    if (!fixture_level(_i)) {
        return;
    }
    for (uint32_t op = 0; op < 3; op++) {
        for (uint32_t combination = 0; combination < 64; combination++) {
            uint32_t a = combination % 4, b = combination / 4 % 4, out = combination / 16;
            LanePairKernel kernel = KERNELS(arithmetic_kernels)->pair[op][a][b][out];
            ck_assert_int_eq(kernel != NULL, out >= a && out >= b);
            for (uint32_t i = 0; i < ROW_COUNTS && kernel != NULL; i++) {
                LaneTerms terms = {random_next(&test_random), random_next(&test_random),
                                   random_next(&test_random)};
                lanes_randomise(left);
                lanes_randomise(right);
                kernel(left, right, row_counts[i], &terms, target);
                for (uint32_t row = 0; row < row_counts[i]; row++) {
                    uint64_t value = wanted((ArithmeticOp)op, lane_read(left, a, row),
                                            lane_read(right, b, row), &terms);
                    ck_assert_uint_eq(lane_read(target, out, row), value & lane_mask(out));
                }
            }
        }
    }
}
END_TEST

START_TEST(short_products)
{
    if (!fixture_level(_i)) {
        return;
    }
    for (uint32_t combination = 0; combination < 9; combination++) {
        uint32_t a = combination % 3, b = combination / 3;
        LaneTerms terms = {random_next(&test_random), random_next(&test_random),
                           random_next(&test_random)};
        lanes_randomise(left);
        lanes_randomise(right);
        KERNELS(arithmetic_kernels)->multiply_short[a][b](left, right, 1001, &terms, target);
        for (uint32_t row = 0; row < 1001; row++) {
            uint32_t x = (uint32_t)(lane_read(left, a, row) + terms.left_add);
            uint32_t y = (uint32_t)(lane_read(right, b, row) + terms.right_add);
            ck_assert_uint_eq(lane_read(target, LANE_I64, row), (uint64_t)x * y + terms.add);
        }
    }
}
END_TEST

START_TEST(scales)
{
    if (!fixture_level(_i)) {
        return;
    }
    for (uint32_t combination = 0; combination < 16; combination++) {
        uint32_t lane = combination % 4, out = combination / 4;
        LaneScaleKernel kernel = KERNELS(arithmetic_kernels)->scale[lane][out];
        ck_assert_int_eq(kernel != NULL, out >= lane);
        for (uint32_t i = 0; i < ROW_COUNTS && kernel != NULL; i++) {
            LaneTerms terms = {random_next(&test_random), random_next(&test_random),
                               random_next(&test_random)};
            lanes_randomise(left);
            kernel(left, row_counts[i], &terms, target);
            for (uint32_t row = 0; row < row_counts[i]; row++) {
                uint64_t value =
                    (lane_read(left, lane, row) + terms.left_add) * terms.right_add + terms.add;
                ck_assert_uint_eq(lane_read(target, out, row), value & lane_mask(out));
            }
        }
    }
}
END_TEST

/* Overflow in one row, at every place, is noticed; without one nothing is. */
START_TEST(checked_operations)
{
    static const int64_t overflows[3][2] = {{INT64_MAX, 1}, {INT64_MIN, 1}, {INT64_MAX / 2 + 1, 2}};
    int64_t *a = (int64_t *)left, *b = (int64_t *)right, *out = (int64_t *)target;
    if (!fixture_level(_i)) {
        return;
    }
    for (uint32_t op = 0; op < 3; op++) {
        CheckedKernel kernel = KERNELS(arithmetic_kernels)->checked[op];
        for (uint32_t i = 0; i < ROWS_MAX; i++) {
            a[i] = (int64_t)random_below(&test_random, 1000000) - 500000;
            b[i] = (int64_t)random_below(&test_random, 1000000) - 500000;
        }
        ck_assert(!kernel(a, b, ROWS_MAX, out));
        for (uint32_t i = 0; i < ROWS_MAX; i++) {
            ck_assert_int_eq(out[i], op == 0 ? a[i] + b[i] : op == 1 ? a[i] - b[i] : a[i] * b[i]);
        }
        for (uint32_t place = 0; place < 130; place++) {
            int64_t kept[2] = {a[place], b[place]};
            a[place] = overflows[op][0];
            b[place] = overflows[op][1];
            ck_assert(kernel(a, b, 130, out));
            ck_assert(!kernel(a, b, place, out));
            a[place] = kept[0];
            b[place] = kept[1];
        }
    }
}
END_TEST

START_TEST(rounded_division)
{
    static const int64_t divisors[] = {10, 100, 1000000, 1000000000000000000, 7, 2};
    int64_t *a = (int64_t *)left, *out = (int64_t *)target;
    if (!fixture_level(_i)) {
        return;
    }
    for (size_t d = 0; d < sizeof divisors / sizeof *divisors; d++) {
        for (uint32_t i = 0; i < ROWS_MAX; i++) {
            a[i] = (int64_t)random_next(&test_random) >> random_below(&test_random, 63);
        }
        a[0] = INT64_MIN;
        a[1] = INT64_MAX;
        a[2] = divisors[d] / 2;
        a[3] = -(divisors[d] / 2);
        KERNELS(arithmetic_kernels)->divide_rounded(a, ROWS_MAX, divisors[d], out);
        for (uint32_t i = 0; i < ROWS_MAX; i++) {
            Int128 twice = (Int128)a[i] * 2, away = a[i] < 0 ? -divisors[d] : divisors[d];
            ck_assert_int_eq(out[i], (int64_t)((twice + away) / (2 * (Int128)divisors[d])));
        }
    }
}
END_TEST

START_TEST(short_division)
{
    static const int64_t divisors[] = {
        1, -1, 2, 3, 7, 10, -10, 100, 1000003, 4503599627370496, -3, 4503599627370495};
    int64_t *a = (int64_t *)left, *out = (int64_t *)target;
    if (!fixture_level(_i)) {
        return;
    }
    for (size_t d = 0; d < sizeof divisors / sizeof *divisors; d++) {
        const int64_t divisor = divisors[d], size = divisor < 0 ? -divisor : divisor;
        for (uint32_t i = 0; i < ROWS_MAX; i++) {
            a[i] = (int64_t)(random_next(&test_random) >> (12 + random_below(&test_random, 50)));
            if (i % 3 == 0) { // near multiples
                a[i] = (int64_t)random_below(&test_random, (uint64_t)(DIVIDE_SHORT_MAX / size)) *
                           size +
                       (int64_t)random_below(&test_random, 3) - 1;
            }
            a[i] = i % 2 == 0 ? a[i] : -a[i];
        }
        for (int mode = DIVIDE_CUT; mode <= DIVIDE_REMAINDER; mode++) {
            KERNELS(arithmetic_kernels)->divide_short(a, ROWS_MAX, divisor, (DivideMode)mode, out);
            for (uint32_t i = 0; i < ROWS_MAX; i++) {
                int64_t rest = a[i] % divisor, quotient = a[i] / divisor;
                int64_t rest_size = rest < 0 ? -rest : rest;
                int64_t away = (a[i] < 0) == (divisor < 0) ? 1 : -1;
                int64_t value = mode == DIVIDE_REMAINDER ? rest
                                : mode == DIVIDE_CUT
                                    ? quotient
                                    : quotient + (rest_size >= size - rest_size ? away : 0);
                ck_assert_msg(out[i] == value, "%lld / %lld mode %d: %lld", (long long)a[i],
                              (long long)divisor, mode, (long long)out[i]);
            }
        }
    }
}
END_TEST

START_TEST(floats)
{
    double *a = (double *)left, *b = (double *)right, *out = (double *)target;
    float *narrow_a = (float *)left, *narrow_b = (float *)right, *narrow_out = (float *)target;
    if (!fixture_level(_i)) {
        return;
    }
    const ArithmeticKernels *kernels = KERNELS(arithmetic_kernels);
    for (uint32_t i = 0; i < ROWS_MAX; i++) {
        a[i] = i + 1;
        b[i] = 1.0 / (i + 2);
    }
    ck_assert_uint_eq(kernels->f64[ARITHMETIC_MULTIPLY](a, b, ROWS_MAX, out), 0);
    ck_assert(out[10] == a[10] * b[10]);
    ck_assert_uint_eq(kernels->f64[ARITHMETIC_DIVIDE](a, b, ROWS_MAX, out), 0);
    ck_assert(out[10] == a[10] / b[10]);
    a[99] = 0;
    ck_assert_uint_eq(kernels->f64[ARITHMETIC_MULTIPLY](a, b, ROWS_MAX, out), FLOAT_ZERO);
    a[77] = INFINITY;
    ck_assert_uint_eq(kernels->f64[ARITHMETIC_ADD](a, b, ROWS_MAX, out), FLOAT_NOT_FINITE);
    a[77] = NAN;
    ck_assert_uint_eq(kernels->f64[ARITHMETIC_SUBTRACT](a, b, ROWS_MAX, out), FLOAT_NOT_FINITE);
    ck_assert_uint_eq(kernels->f64[ARITHMETIC_SUBTRACT](a, b, 77, out), 0);
    for (uint32_t i = 0; i < ROWS_MAX; i++) {
        narrow_a[i] = (float)i;
        narrow_b[i] = 2;
    }
    ck_assert_uint_eq(kernels->f32[ARITHMETIC_SUBTRACT](narrow_a, narrow_b, ROWS_MAX, target), 0);
    ck_assert(narrow_out[1000] == 998);
    narrow_a[5] = 3e38f;
    ck_assert_uint_eq(kernels->f32[ARITHMETIC_MULTIPLY](narrow_a, narrow_b, ROWS_MAX, target),
                      FLOAT_NOT_FINITE | FLOAT_ZERO);
}
END_TEST

int main(void)
{
    TCase *arithmetic = tcase_create("arithmetic");
    tcase_set_timeout(arithmetic, 60);
    tcase_add_loop_test(arithmetic, pairs, 0, KERNEL_LEVELS);
    tcase_add_loop_test(arithmetic, short_products, 0, KERNEL_LEVELS);
    tcase_add_loop_test(arithmetic, scales, 0, KERNEL_LEVELS);
    tcase_add_loop_test(arithmetic, checked_operations, 0, KERNEL_LEVELS);
    tcase_add_loop_test(arithmetic, rounded_division, 0, KERNEL_LEVELS);
    tcase_add_loop_test(arithmetic, short_division, 0, KERNEL_LEVELS);
    tcase_add_loop_test(arithmetic, floats, 0, KERNEL_LEVELS);
    return fixture_run("arithmetic_kernels", arithmetic);
}
