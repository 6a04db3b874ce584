/* test_aggregate_kernels.c — sums of all lanes but a few, sums of few groups, and keys of nearly all
 * rows, at every kernel level against plain loops. */
#include "compute/kernels/aggregate_kernels.h"
#include "compute/kernels/group_kernels.h"
#include "tests/unit/compute/kernels/kernel_fixture.h"

static _Alignas(64) uint8_t lanes[LANES_BYTES];
static uint64_t words[VALIDITY_WORDS];
static uint16_t rows[ROWS_MAX];
static uint32_t positions[ROWS_MAX], added[ROWS_MAX];

/* Takes about one row in `rarity` away; the rows that are left. Bits past `count` are arbitrary. */
static uint32_t draw_rows(uint32_t count, uint32_t rarity)
{
    uint32_t kept = 0;
    for (uint32_t row = 0; row < VALIDITY_WORDS * 64; row++) {
        const bool is_kept = random_below(&test_random, rarity) != 0;
        words[row / 64] &= ~(UINT64_C(1) << (row % 64));
        words[row / 64] |= (uint64_t)is_kept << (row % 64);
        if (is_kept && row < count) {
            rows[kept++] = (uint16_t)row;
        }
    }
    return kept;
}

START_TEST(sums_of_kept_rows)
{
    static const uint32_t rarities[] = {2, 5, 100, 100000};
    if (!fixture_level(_i)) {
        return;
    }
    for (uint32_t lane = 0; lane < 4; lane++) {
        lanes_randomise(lanes);
        for (uint32_t c = 0; c < ROW_COUNTS * 4; c++) {
            const uint32_t kept = draw_rows(row_counts[c / 4], rarities[c % 4]);
            uint64_t sum = 0;
            for (uint32_t i = 0; i < kept; i++) {
                sum += lane_read(lanes, lane, rows[i]);
            }
            ck_assert_uint_eq((uint64_t)KERNELS(aggregate_kernels)
                                  ->sum_kept[lane](lanes, words, row_counts[c / 4]),
                              sum);
        }
    }
}
END_TEST

START_TEST(sums_of_few_groups)
{
    if (!fixture_level(_i)) {
        return;
    }
    for (uint32_t lane = 0; lane < 3; lane++) {
        lanes_randomise(lanes);
        for (uint32_t c = 0; c < ROW_COUNTS; c++) {
            int64_t wanted[AGGREGATE_MASKED_GROUPS] = {0}, sums[AGGREGATE_MASKED_GROUPS] = {0};
            const uint32_t group_count = 1 + c % AGGREGATE_MASKED_GROUPS;
            for (uint32_t i = 0; i < row_counts[c]; i++) { // some rows are in no group
                positions[i] = (uint32_t)random_below(&test_random, group_count + 1);
                if (positions[i] < group_count) {
                    wanted[positions[i]] += (int64_t)lane_read(lanes, lane, i);
                }
            }
            for (uint32_t is_small = 0; is_small <= (lane < 2); is_small++) {
                memset(sums, 0, sizeof sums);
                KERNELS(aggregate_kernels)
                    ->sum_masked[lane](lanes, positions, row_counts[c], group_count, is_small != 0,
                                       sums);
                ck_assert_mem_eq(sums, wanted, sizeof sums);
            }
        }
    }
}
END_TEST

START_TEST(positions_of_selected_rows)
{
    static const uint32_t rarities[] = {2, 5, 100, 100000};
    if (!fixture_level(_i)) {
        return;
    }
    for (uint32_t lane = 0; lane < 4; lane++) {
        lanes_randomise(lanes);
        for (uint32_t c = 0; c < ROW_COUNTS * 4; c++) {
            const uint32_t kept = draw_rows(row_counts[c / 4], rarities[c % 4]);
            const uint32_t shift = c % 3;
            const GroupKernels *kernels = KERNELS(group_kernels);
            kernels->positions[lane](lanes, 77, shift, 3, rows, kept, false, positions);
            memcpy(added, positions, sizeof added);
            kernels->positions[lane](lanes, 5, 0, 2, rows, kept, true, added);
            for (uint32_t i = 0; i < kept; i++) {
                const uint32_t value = (uint32_t)lane_read(lanes, lane, rows[i]);
                const uint32_t position = ((value + 77) >> shift) * 3;
                ck_assert_uint_eq(positions[i], position);
                ck_assert_uint_eq(added[i], position + (value + 5) * 2);
            }
        }
    }
}
END_TEST

int main(void)
{
    TCase *aggregate = tcase_create("aggregate");
    tcase_set_timeout(aggregate, 60);
    tcase_add_loop_test(aggregate, sums_of_kept_rows, 0, KERNEL_LEVELS);
    tcase_add_loop_test(aggregate, sums_of_few_groups, 0, KERNEL_LEVELS);
    tcase_add_loop_test(aggregate, positions_of_selected_rows, 0, KERNEL_LEVELS);
    return fixture_run("aggregate_kernels", aggregate);
}
