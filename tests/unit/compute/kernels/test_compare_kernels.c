/* test_compare_kernels.c — comparisons of every pair of lanes; blending; calendar fields. */
#include "tests/unit/compute/kernels/kernel_fixture.h"

#include <math.h>

#include "base/types/datetime.h"
#include "compute/kernels/blend_kernels.h"
#include "compute/kernels/cast_kernels.h"
#include "compute/kernels/compare_kernels.h"
#include "compute/kernels/date_kernels.h"

static _Alignas(64) char left[LANES_BYTES], right[LANES_BYTES], target[LANES_BYTES];

static bool bit_of(const uint64_t *words, uint32_t row)
{
    return (words[row / 64] >> (row % 64) & 1) != 0;
}

START_TEST(lanes)
{
    if (!fixture_level(_i)) {
        return;
    }
    const CompareKernels *kernels = KERNELS(compare_kernels);
    for (uint32_t combination = 0; combination < 64; combination++) {
        uint32_t a = combination % 4, b = combination / 4 % 4;
        bool is_less = combination % 32 < 16, is_inverted = combination >= 32;
        for (uint32_t i = 0; i < ROW_COUNTS; i++) {
            uint64_t words[ROWS_MAX / 64], before[ROWS_MAX / 64];
            CompareTerms terms = {(int64_t)random_below(&test_random, 60000),
                                  (int64_t)random_below(&test_random, 60000), is_inverted};
            if (a == LANE_I64 || b == LANE_I64) {
                terms.left_add = terms.right_add = 0;
            }
            lanes_randomise(left);
            lanes_randomise(right);
            for (uint32_t word = 0; word < ROWS_MAX / 64; word++) {
                before[word] = words[word] = word % 5 == 3 ? 0 : random_next(&test_random);
            }
            (is_less ? kernels->less : kernels->equal)[a][b](left, right, row_counts[i], &terms,
                                                             words);
            for (uint32_t row = 0; row < row_counts[i]; row++) {
                int64_t x = (int64_t)lane_read(left, a, row) + terms.left_add;
                int64_t y = (int64_t)lane_read(right, b, row) + terms.right_add;
                bool is_kept = (is_less ? x < y : x == y) != is_inverted;
                ck_assert_int_eq(bit_of(words, row), bit_of(before, row) && is_kept);
            }
        }
    }
}
END_TEST

START_TEST(floats)
{
    static const double values[] = {-INFINITY, -1, 0, 1, 1e300, INFINITY, NAN};
    double *a = (double *)left, *b = (double *)right;
    float *narrow_a = (float *)target, *narrow_b = narrow_a + ROWS_MAX;
    if (!fixture_level(_i)) {
        return;
    }
    const CompareKernels *kernels = KERNELS(compare_kernels);
    for (uint32_t i = 0; i < 49; i++) {
        a[i] = values[i % 7];
        b[i] = values[i / 7];
        narrow_a[i] = (float)a[i];
        narrow_b[i] = (float)b[i];
    }
    for (int is_inverted = 0; is_inverted < 2; is_inverted++) {
        uint64_t words[4] = {UINT64_MAX, UINT64_MAX, UINT64_MAX, UINT64_MAX};
        kernels->less_f64(a, b, 49, is_inverted, &words[0]);
        kernels->equal_f64(a, b, 49, is_inverted, &words[1]);
        kernels->less_f32(narrow_a, narrow_b, 49, is_inverted, &words[2]);
        kernels->equal_f32(narrow_a, narrow_b, 49, is_inverted, &words[3]);
        for (uint32_t i = 0; i < 49; i++) {
            int order = double_compare(a[i], b[i]);
            int narrow_order = double_compare((double)narrow_a[i], (double)narrow_b[i]);
            ck_assert_int_eq(bit_of(&words[0], i), (order < 0) != (is_inverted == 1));
            ck_assert_int_eq(bit_of(&words[1], i), (order == 0) != (is_inverted == 1));
            ck_assert_int_eq(bit_of(&words[2], i), (narrow_order < 0) != (is_inverted == 1));
            ck_assert_int_eq(bit_of(&words[3], i), (narrow_order == 0) != (is_inverted == 1));
        }
    }
}
END_TEST

START_TEST(blending)
{
    if (!fixture_level(_i)) {
        return;
    }
    const BlendKernels *kernels = KERNELS(blend_kernels);
    for (uint32_t combination = 0; combination < 16; combination++) {
        uint32_t in = combination % 4, out = combination / 4;
        for (uint32_t i = 0; i < ROW_COUNTS; i++) {
            uint64_t words[ROWS_MAX / 64], add = random_next(&test_random);
            uint8_t flags[ROWS_MAX + 64];
            for (uint32_t word = 0; word < ROWS_MAX / 64; word++) {
                words[word] = random_next(&test_random);
            }
            lanes_randomise(left);
            lanes_randomise(target);
            memcpy(right, target, sizeof right);
            kernels->words_to_lanes(words, row_counts[i], flags);
            kernels->blend[in][out](left, row_counts[i], add, flags, target);
            for (uint32_t row = 0; row < row_counts[i]; row++) {
                uint64_t value = (lane_read(left, in, row) + add) & lane_mask(out);
                ck_assert_int_eq(flags[row], bit_of(words, row));
                ck_assert_uint_eq(lane_read(target, out, row),
                                  bit_of(words, row) ? value : lane_read(right, out, row));
            }
            kernels->fill[out](add, row_counts[i], flags, target);
            for (uint32_t row = 0; row < row_counts[i]; row++) {
                ck_assert_uint_eq(lane_read(target, out, row), bit_of(words, row)
                                                                   ? add & lane_mask(out)
                                                                   : lane_read(right, out, row));
            }
        }
    }
}
END_TEST

START_TEST(calendar)
{
    uint16_t years[ROWS_MAX];
    uint8_t months[ROWS_MAX], days[ROWS_MAX], counts[ROWS_MAX];
    if (!fixture_level(_i)) {
        return;
    }
    const DateKernels *kernels = KERNELS(date_kernels);
    for (uint32_t lane = 0; lane < 4; lane++) {
        for (int64_t base = -719162; base < 10000000; base += 300017) {
            int64_t lane_base = lane == LANE_I64 ? 0 : base;
            for (uint32_t row = 0; row < ROWS_MAX; row++) {
                uint64_t offset = random_below(&test_random, lane < 2 ? lane_mask(lane) : 6000000);
                switch (lane) {
                case LANE_U8:
                    ((uint8_t *)left)[row] = (uint8_t)offset;
                    break;
                case LANE_U16:
                    ((uint16_t *)left)[row] = (uint16_t)offset;
                    break;
                case LANE_U32:
                    ((uint32_t *)left)[row] = (uint32_t)offset;
                    break;
                default:
                    ((int64_t *)left)[row] = base + (int64_t)offset;
                    break;
                }
            }
            DateFields fields = {years, months, days};
            kernels->fields[lane](left, ROWS_MAX, lane_base, fields);
            uint64_t bounds[2] = {50, 200};
            kernels->count_bounds[lane](left, 1000, bounds, 2, counts);
            for (uint32_t row = 0; row < ROWS_MAX; row++) {
                CivilTime civil;
                int64_t value = (int64_t)lane_read(left, lane, row);
                civil_from_days(value + lane_base, &civil);
                ck_assert_int_eq(years[row], civil.year);
                ck_assert_int_eq(months[row], civil.month);
                ck_assert_int_eq(days[row], civil.day);
                if (row < 1000) {
                    ck_assert_int_eq(counts[row], (value >= 50) + (value >= 200));
                }
            }
        }
    }
}
END_TEST

START_TEST(casting)
{
    double *out = (double *)target;
    if (!fixture_level(_i)) {
        return;
    }
    for (uint32_t lane = 0; lane < 4; lane++) {
        lanes_randomise(left);
        for (uint32_t row = 0; row < ROWS_MAX && lane == LANE_I64; row++) {
            ((int64_t *)left)[row] >>= 12;
        }
        KERNELS(cast_kernels)
            ->to_f64[lane](left, ROWS_MAX, lane == LANE_I64 ? 0 : -1000, 100.0, out);
        for (uint32_t row = 0; row < ROWS_MAX; row++) {
            int64_t value = (int64_t)lane_read(left, lane, row) - (lane == LANE_I64 ? 0 : 1000);
            ck_assert(out[row] == (double)value / 100.0);
        }
    }
}
END_TEST

int main(void)
{
    TCase *compare = tcase_create("compare");
    tcase_set_timeout(compare, 60);
    tcase_add_loop_test(compare, lanes, 0, KERNEL_LEVELS);
    tcase_add_loop_test(compare, floats, 0, KERNEL_LEVELS);
    tcase_add_loop_test(compare, blending, 0, KERNEL_LEVELS);
    tcase_add_loop_test(compare, calendar, 0, KERNEL_LEVELS);
    tcase_add_loop_test(compare, casting, 0, KERNEL_LEVELS);
    return fixture_run("compare_kernels", compare);
}
