/* Suite of base/unit_pool.c. */
#include <string.h>

#include "base/clock.h"
#include "base/unit_pool.h"
#include "tests/support/check_status.h"

#define MIB ((size_t)1 << 20)
enum { REGION_UNITS = 1024 };

static UnitPool pool;

static void setup(void)
{
    ck_assert_ok(unit_pool_init(&pool, 128 * MIB));
}

static void teardown(void)
{
    unit_pool_deinit(&pool);
}

START_TEST(splits_and_joins)
{
    uint32_t whole = unit_pool_alloc(&pool, REGION_UNITS);
    ck_assert_uint_eq(whole, 0);
    unit_pool_free(&pool, whole, REGION_UNITS);
    // 18 units leave 14 of their block of 32 to others.
    uint32_t run = unit_pool_alloc(&pool, 18);
    uint32_t rest = unit_pool_alloc(&pool, 8);
    ck_assert_uint_eq(rest / 32, run / 32);
    unit_pool_free(&pool, run, 5); // in parts
    unit_pool_free(&pool, run + 5, 13);
    unit_pool_free(&pool, rest, 8);
    ck_assert_uint_eq(pool.region_count, 1);
    ck_assert_uint_eq(unit_pool_alloc(&pool, REGION_UNITS), 0);
    ck_assert_uint_eq(pool.region_count, 1);
}
END_TEST

START_TEST(ends_with_its_reservation)
{
    uint32_t count = 0;
    while (unit_pool_alloc(&pool, REGION_UNITS) != UNIT_NONE) {
        count++;
    }
    ck_assert_uint_eq(count, pool.regions_max);
    ck_assert_uint_ge(count, 2 * 128 / 64);
    ck_assert_uint_eq(unit_pool_alloc(&pool, 1), UNIT_NONE);
    unit_pool_free(&pool, 0, REGION_UNITS);
    ck_assert_uint_ne(unit_pool_alloc(&pool, 1), UNIT_NONE);
}
END_TEST

START_TEST(every_unit_is_given_once)
{
    static uint8_t is_given[8 * REGION_UNITS];
    static uint32_t firsts[3000], counts[3000];
    Random random;
    random_seed(&random, 1);
    for (int step = 0; step < 60000; step++) {
        size_t i = random_below(&random, 3000);
        if (counts[i] == 0) {
            uint32_t count = 1 + (uint32_t)random_below(&random, step % 50 == 0 ? 900 : 6);
            uint32_t first = unit_pool_alloc(&pool, count);
            for (uint32_t unit = first; first != UNIT_NONE && unit < first + count; unit++) {
                ASSERT(!is_given[unit]);
                is_given[unit] = 1;
            }
            firsts[i] = first;
            counts[i] = first != UNIT_NONE ? count : 0;
        } else {
            memset(is_given + firsts[i], 0, counts[i]);
            unit_pool_free(&pool, firsts[i], counts[i]);
            counts[i] = 0;
        }
    }
}
END_TEST

START_TEST(gives_free_frames_back_above_its_limit)
{
    char *memory = unit_pool_address(&pool, unit_pool_alloc(&pool, REGION_UNITS));
    memset(memory, 7, REGION_UNITS * UNIT_BYTES);
    uint32_t kept = unit_pool_alloc(&pool, 1);
    memset(unit_pool_address(&pool, kept), 9, UNIT_BYTES);
    unit_pool_free(&pool, unit_pool_index(&pool, memory), REGION_UNITS);
    ck_assert_uint_eq(pool.resident_units, 33 * 32);
    char *first = unit_pool_map(&pool, 64 * MIB); // within the limit: all stays
    ck_assert_int_eq(memory[UNIT_BYTES], 7);
    ck_assert_uint_eq(pool.resident_units, 65 * 32);
    char *second = unit_pool_map(&pool, 64 * MIB);
    ck_assert_uint_eq(pool.resident_units, 64 * 32 + 1); // 33 + 64 frames less what is free
    ck_assert_int_eq(memory[UNIT_BYTES], 0);
    ck_assert_int_eq(unit_pool_address(&pool, kept)[100], 9);
    unit_pool_unmap(&pool, first, 64 * MIB);
    unit_pool_unmap(&pool, second, 64 * MIB);
}
END_TEST

// A unit in use in each frame: the others go one by one, and what comes next finds small pages.
START_TEST(gives_scraps_back_when_frames_do_not_suffice)
{
    enum { FRAMES = 60, FRAME_UNITS = UNIT_FRAME_BYTES / UNIT_BYTES };
    uint32_t units[FRAMES][FRAME_UNITS];
    for (uint32_t u = 0; u < FRAMES * FRAME_UNITS; u++) {
        uint32_t unit = unit_pool_alloc(&pool, 1);
        units[u / FRAME_UNITS][u % FRAME_UNITS] = unit;
        memset(unit_pool_address(&pool, unit), (int)(unit % 251), UNIT_BYTES);
    }
    for (uint32_t f = 0; f < FRAMES; f++) {
        for (uint32_t u = 1; u < FRAME_UNITS; u++) {
            unit_pool_free(&pool, units[f][u], 1);
        }
    }
    ck_assert_uint_eq(pool.resident_units, FRAMES * FRAME_UNITS);
    char *large = unit_pool_map(&pool, 100 * MIB);
    ck_assert_uint_le(pool.resident_units, pool.limit_units);
    uint32_t again = unit_pool_alloc(&pool, 8);
    memset(unit_pool_address(&pool, again), 1, 8 * UNIT_BYTES);
    ck_assert_uint_le(pool.resident_units, pool.purge_above_units);
    for (uint32_t f = 0; f < FRAMES; f++) {
        const char *kept = unit_pool_address(&pool, units[f][0]);
        ck_assert_int_eq((uint8_t)kept[UNIT_BYTES - 1], units[f][0] % 251);
        unit_pool_free(&pool, units[f][0], 1);
    }
    unit_pool_free(&pool, again, 8);
    unit_pool_unmap(&pool, large, 100 * MIB);
}
END_TEST

START_TEST(keeps_mappings_for_the_next_user)
{
    char *first = unit_pool_map(&pool, 40 * MIB);
    memset(first, 7, 40 * MIB);
    unit_pool_unmap(&pool, first, 40 * MIB);
    ck_assert_uint_eq(pool.resident_units, 20 * 32);
    char *other = unit_pool_map(&pool, 42 * MIB); // no other size serves
    ck_assert_ptr_ne(other, first);
    ck_assert_ptr_eq(unit_pool_map(&pool, 40 * MIB), first);
    ck_assert_int_eq(first[39 * MIB], 7);
    ck_assert_uint_eq(pool.resident_units, 41 * 32);
    unit_pool_unmap(&pool, first, 40 * MIB);
    unit_pool_unmap(&pool, other, 42 * MIB);
    char *large = unit_pool_map(&pool, 80 * MIB); // beyond the limit: the oldest goes
    ck_assert_uint_eq(pool.resident_units, 61 * 32);
    ck_assert_uint_eq(pool.kept_count, 1);
    unit_pool_unmap(&pool, large, 80 * MIB);
    for (size_t i = 0; i < 2 * UNIT_KEPT_MAX; i++) { // no more than so many
        char *memories[2] = {unit_pool_map(&pool, 2 * MIB), unit_pool_map(&pool, 2 * MIB)};
        unit_pool_unmap(&pool, memories[0], 2 * MIB);
        unit_pool_unmap(&pool, memories[1], 2 * MIB);
    }
    ck_assert_uint_le(pool.kept_count, UNIT_KEPT_MAX);
}
END_TEST

static void add_case(Suite *suite, const char *name, const TTest *test)
{
    TCase *behaviour = tcase_create(name);
    tcase_add_checked_fixture(behaviour, setup, teardown);
    tcase_add_test(behaviour, test);
    tcase_set_timeout(behaviour, 60);
    suite_add_tcase(suite, behaviour);
}

int main(void)
{
    Suite *suite = suite_create("base.unit_pool");
    add_case(suite, "buddies", splits_and_joins);
    add_case(suite, "end", ends_with_its_reservation);
    add_case(suite, "once", every_unit_is_given_once);
    add_case(suite, "purge", gives_free_frames_back_above_its_limit);
    add_case(suite, "scraps", gives_scraps_back_when_frames_do_not_suffice);
    add_case(suite, "mappings", keeps_mappings_for_the_next_user);
    return suite_main(suite);
}
