/* test_join_kernels.c — positions of keys and bits of positions, at every kernel level against
 * plain loops. */
#include "compute/kernels/join_kernels.h"
#include "tests/unit/compute/kernels/kernel_fixture.h"

enum { BITMAP_WORDS = 1000 };

static _Alignas(64) uint8_t lanes[LANES_BYTES];
static uint64_t bitmap[BITMAP_WORDS];
static uint32_t positions[ROWS_MAX];
static uint16_t hits[ROWS_MAX];

START_TEST(positions_inside_of_the_range)
{
    // below and above the lanes' own range, and where 32 bits wrap
    static const int64_t deltas[] = {0,
                                     1,
                                     -1,
                                     -100,
                                     200,
                                     -40000,
                                     INT64_C(0xFFFFFF00),
                                     -INT64_C(0xFFFFFF00),
                                     -(INT64_C(1) << 32),
                                     INT64_C(1) << 32,
                                     INT64_C(-0x7FFFFFFFFFFFFF00)};
    static const uint64_t ranges[] = {1, 200, 50000, UINT32_MAX, UINT64_C(1) << 32};
    if (!fixture_level(_i)) {
        return;
    }
    lanes_randomise(lanes);
    for (uint32_t lane = 0; lane < 4; lane++) {
        for (uint32_t d = 0; d < sizeof deltas / sizeof deltas[0]; d++) {
            for (uint32_t r = 0; r < sizeof ranges / sizeof ranges[0]; r++) {
                const uint32_t count = row_counts[(d + r) % ROW_COUNTS], shift = r % 3;
                KERNELS(join_kernels)
                    ->positions[lane](lanes, (uint64_t)deltas[d], ranges[r], shift, NULL, count,
                                      positions);
                for (uint32_t i = 0; i < count; i++) {
                    const uint64_t offset = lane_read(lanes, lane, i) + (uint64_t)deltas[d];
                    const uint32_t wanted =
                        offset < ranges[r] ? (uint32_t)(offset >> shift) + 1 : 0;
                    ck_assert_uint_eq(positions[i], wanted);
                }
            }
        }
    }
}
END_TEST

START_TEST(bits_of_positions)
{
    static const uint32_t rarities[] = {2, 5, 100, 100000};
    if (!fixture_level(_i)) {
        return;
    }
    for (uint32_t c = 0; c < ROW_COUNTS * 4; c++) {
        const uint32_t count = row_counts[c / 4];
        for (uint32_t bit = 0; bit < BITMAP_WORDS * 64; bit++) {
            const uint64_t is_set = random_below(&test_random, rarities[c % 4]) == 0;
            bitmap[bit / 64] &= ~(UINT64_C(1) << (bit % 64));
            bitmap[bit / 64] |= is_set << (bit % 64);
        }
        for (uint32_t i = 0; i < count; i++) {
            positions[i] = (uint32_t)random_below(&test_random, BITMAP_WORDS * 64);
        }
        for (uint32_t wanted = 0; wanted < 2; wanted++) {
            const uint32_t found =
                KERNELS(join_kernels)->find_bits(bitmap, positions, count, wanted, hits);
            uint32_t expected = 0;
            for (uint32_t i = 0; i < count; i++) {
                if (validity_get(bitmap, positions[i]) == wanted) {
                    ck_assert_uint_lt(expected, found);
                    ck_assert_uint_eq(hits[expected++], i);
                }
            }
            ck_assert_uint_eq(found, expected);
        }
    }
}
END_TEST

int main(void)
{
    TCase *join = tcase_create("join");
    tcase_set_timeout(join, 60);
    tcase_add_loop_test(join, positions_inside_of_the_range, 0, KERNEL_LEVELS);
    tcase_add_loop_test(join, bits_of_positions, 0, KERNEL_LEVELS);
    return fixture_run("join_kernels", join);
}
