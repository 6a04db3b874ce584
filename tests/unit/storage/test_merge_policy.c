/* test_merge_policy.c — what is chosen for merging: runs, thresholds, tiers, and that choosing
 * ends. */
#include <check.h>
#include <stdlib.h>
#include <string.h>
#include "storage/merge_policy.h"

#define EXPECT(condition, ...)                                                                     \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            ck_abort_msg(__VA_ARGS__);                                                             \
        }                                                                                          \
    } while (0)

#define FULL_ROWS 1000000u
#define COUNT_MAX 200

static MergePolicy policy_of(VacuumMode mode, bool has_sort_key)
{
    return (MergePolicy){.mode = mode,
                         .has_sort_key = has_sort_key,
                         .percent = 100,
                         .rowset_rows = FULL_ROWS,
                         .idle_rows_max = 10 * FULL_ROWS,
                         .ratio = 4,
                         .runs_max = 16,
                         .deleted_percent = 20};
}

static MergeCandidate rowset(uint64_t id, uint64_t min, uint64_t max, uint64_t rows,
                             uint64_t deleted)
{
    return (MergeCandidate){.rowset_id = id,
                            .row_count = rows,
                            .deleted_count = deleted,
                            .min = {.key = min},
                            .max = {.key = max}};
}

static MergeCandidate batch(uint64_t id)
{
    return (MergeCandidate){.rowset_id = id, .row_count = 10, .is_unordered = true};
}

static uint32_t choose(MergePolicy policy, MergeCandidate *candidates, uint32_t count)
{
    merge_policy_prepare(&policy, candidates, count);
    return merge_policy_choose(&policy, candidates, count);
}

START_TEST(runs_are_as_many_as_ranges_overlap)
{
    MergeCandidate all[] = {rowset(1, 30, 40, FULL_ROWS, 0), rowset(2, 5, 14, FULL_ROWS, 0),
                            rowset(3, 10, 20, FULL_ROWS, 0), rowset(4, 1, 9, FULL_ROWS, 0)};
    ck_assert_uint_eq(choose(policy_of(VACUUM_SORT_ONLY, true), all, 4), 3);
    const uint64_t ids[3] = {4, 3, 2};
    const uint32_t runs[3] = {0, 0, 1};
    for (int i = 0; i < 3; i++) {
        ck_assert_uint_eq(all[i].rowset_id, ids[i]);
        ck_assert_uint_eq(all[i].run, runs[i]);
    }
    ck_assert_uint_eq(all[3].run, MERGE_NO_RUN);
}
END_TEST

START_TEST(touching_ranges_and_nulls_are_in_order)
{
    MergeCandidate all[] = {rowset(1, 1, 5, FULL_ROWS, 0), rowset(2, 5, 9, FULL_ROWS, 0),
                            rowset(3, 9, 0, FULL_ROWS, 0), rowset(4, 0, 0, FULL_ROWS, 0)};
    all[2].max.is_null = all[3].min.is_null = all[3].max.is_null = true;
    ck_assert_uint_eq(choose(policy_of(VACUUM_FULL, true), all, 4), 0);
}
END_TEST

START_TEST(thresholds_hold)
{
    MergePolicy policy = policy_of(VACUUM_FULL, true);
    policy.percent = 95;
    // Of 1,040,000 rows 40,000 stand outside the order: 96 % are sorted.
    MergeCandidate sorted[] = {rowset(1, 0, 100, FULL_ROWS, 0), rowset(2, 50, 60, 40000, 0)};
    ck_assert_uint_eq(choose(policy, sorted, 2), 0);
    MergeCandidate unsorted[] = {rowset(1, 0, 100, FULL_ROWS, 0), rowset(2, 50, 60, 60000, 0)};
    ck_assert_uint_eq(choose(policy, unsorted, 2), 2);
    // 96 of 100 deleted rows are in one rowset: that is enough.
    MergeCandidate deleted[] = {rowset(1, 0, 9, FULL_ROWS, 4), rowset(2, 10, 19, FULL_ROWS, 96)};
    policy.mode = VACUUM_DELETE_ONLY;
    ck_assert_uint_eq(choose(policy, deleted, 2), 1);
    ck_assert_uint_eq(deleted[0].rowset_id, 2);
    merge_policy_prepare(&policy, deleted, 2);
    ck_assert(!deleted[0].is_renewed || !deleted[1].is_renewed);
}
END_TEST

/* One by one with a sort key; a command about deleted rows or order does nothing else. */
START_TEST(rowsets_without_wanted_filters_are_renewed)
{
    for (int has_sort_key = 0; has_sort_key < 2; has_sort_key++) {
        MergeCandidate all[] = {rowset(1, 0, 9, FULL_ROWS, 0), rowset(2, 10, 19, FULL_ROWS, 0),
                                rowset(3, 20, 29, FULL_ROWS, 0)};
        all[0].lacks_filters = all[1].lacks_filters = true;
        const uint32_t chosen = has_sort_key ? 1 : 2;
        ck_assert_uint_eq(choose(policy_of(VACUUM_IDLE, has_sort_key), all, 3), chosen);
        ck_assert(all[0].lacks_filters && all[chosen - 1].lacks_filters);
        ck_assert_uint_eq(choose(policy_of(VACUUM_FULL, has_sort_key), all, 3), chosen);
        ck_assert_uint_eq(choose(policy_of(VACUUM_DELETE_ONLY, has_sort_key), all, 3), 0);
    }
}
END_TEST

START_TEST(modes_keep_to_their_part)
{
    MergeCandidate all[] = {rowset(1, 0, 100, FULL_ROWS, 0), rowset(2, 50, 60, FULL_ROWS, 0),
                            rowset(3, 200, 300, FULL_ROWS, 5)};
    ck_assert_uint_eq(choose(policy_of(VACUUM_DELETE_ONLY, true), all, 3), 1);
    ck_assert_uint_eq(all[0].rowset_id, 3);
    ck_assert_uint_eq(choose(policy_of(VACUUM_SORT_ONLY, true), all, 3), 2);
    ck_assert_uint_eq(all[2].rowset_id, 3);
    ck_assert_uint_eq(choose(policy_of(VACUUM_SORT_ONLY, false), all, 3), 0);
}
END_TEST

START_TEST(unsorted_tables_keep_the_order_of_loading)
{
    MergeCandidate all[] = {rowset(5, 0, 0, 10, 0), batch(3), rowset(1, 0, 0, FULL_ROWS, 0),
                            rowset(2, 0, 0, FULL_ROWS, 9), rowset(4, 0, 0, 10, 0)};
    ck_assert_uint_eq(choose(policy_of(VACUUM_FULL, false), all, 5), 4);
    for (uint32_t i = 0; i < 4; i++) {
        ck_assert_uint_eq(all[i].rowset_id, i + 2);
        ck_assert_uint_eq(all[i].run, 0);
    }
    MergeCandidate one[] = {rowset(5, 0, 0, 10, 0)};
    ck_assert_uint_eq(choose(policy_of(VACUUM_FULL, false), one, 1), 0);
}
END_TEST

START_TEST(idle_merges_wait_for_a_full_tier)
{
    MergeCandidate all[COUNT_MAX];
    const bool has_sort_key = _i == 1;
    for (uint64_t i = 0; i < 4; i++) { // as many small ones as the ratio says, and a large one
        all[i] = rowset(i + 1, 10 * i, 10 * i + 5, 5000, 0);
    }
    all[4] = rowset(9, 500, 600, FULL_ROWS, 0);
    ck_assert_uint_eq(choose(policy_of(VACUUM_IDLE, has_sort_key), all, 5), 4);
    ck_assert_uint_eq(all[4].rowset_id, 9);
    all[0] = all[4];
    all[0].rowset_id = 10;
    ck_assert_uint_eq(choose(policy_of(VACUUM_IDLE, has_sort_key), all + 1, 4), 0);
}
END_TEST

START_TEST(idle_merges_are_bounded)
{
    MergePolicy policy = policy_of(VACUUM_IDLE, false);
    policy.idle_rows_max = 25000;
    MergeCandidate all[COUNT_MAX];
    for (uint64_t i = 0; i < 50; i++) {
        all[i] = rowset(i + 1, 0, 0, 5000, i % 2 == 0 ? 2000 : 0);
    }
    ck_assert_uint_eq(choose(policy, all, 50), 5);
    policy.idle_rows_max = 1; // a rowset with many deleted rows by itself is not too much
    ck_assert_uint_eq(choose(policy, all, 50), 1);
}
END_TEST

/* What a merge of the chosen ones would write. */
static uint32_t written(MergeCandidate *candidates, uint32_t chosen, uint64_t *next_id,
                        MergeCandidate *out)
{
    uint64_t rows = 0, min = UINT64_MAX, max = 0;
    uint32_t count = 0;
    for (uint32_t i = 0; i < chosen; i++) {
        rows += candidates[i].row_count - candidates[i].deleted_count;
        min = candidates[i].min.key < min ? (uint64_t)candidates[i].min.key : min;
        max = candidates[i].max.key > max ? (uint64_t)candidates[i].max.key : max;
    }
    const uint64_t pieces = (rows + FULL_ROWS - 1) / FULL_ROWS;
    for (uint64_t i = 0; i < pieces; i++) {
        const uint64_t taken = rows < FULL_ROWS ? rows : FULL_ROWS;
        out[count++] = rowset((*next_id)++, min + (max - min) * i / pieces,
                              min + (max - min) * (i + 1) / pieces, taken, 0);
        rows -= taken;
    }
    return count;
}

/* Choosing and writing again and again comes to an end, where nothing overlaps, no row is deleted
 * and few rowsets are small. */
START_TEST(choosing_ends)
{
    srand((unsigned)_i);
    const bool has_sort_key = _i % 2 == 0;
    const VacuumMode mode = (VacuumMode)(_i / 2 % VACUUM_MODE_COUNT);
    MergeCandidate all[4 * COUNT_MAX];
    uint64_t next_id = 1;
    uint32_t count = 1 + (uint32_t)rand() % COUNT_MAX, rounds = 0;
    for (uint32_t i = 0; i < count; i++) {
        const uint64_t min = (uint64_t)rand() % 10000;
        const uint64_t rows = rand() % 2 == 0 ? FULL_ROWS : 1 + (uint64_t)rand() % FULL_ROWS;
        all[i] = rand() % 3 == 0 ? batch(next_id)
                                 : rowset(next_id, min, min + (uint64_t)rand() % 3000, rows,
                                          rand() % 2 == 0 ? 0 : (uint64_t)rand() % (rows + 1));
        next_id++;
    }
    for (;; rounds++) {
        EXPECT(rounds < 1000, "still choosing: mode %d, %u rowsets", (int)mode, count);
        MergeCandidate fresh[4 * COUNT_MAX];
        const uint32_t chosen = choose(policy_of(mode, has_sort_key), all, count);
        if (chosen == 0) {
            break;
        }
        const uint32_t made = written(all, chosen, &next_id, fresh);
        memmove(all, all + chosen, (count - chosen) * sizeof *all);
        memcpy(all + count - chosen, fresh, made * sizeof *all);
        count += made - chosen;
    }
    uint32_t small = 0;
    for (uint32_t i = 0; i < count; i++) {
        EXPECT(mode == VACUUM_SORT_ONLY || mode == VACUUM_IDLE || all[i].deleted_count == 0,
               "deleted rows stay");
        EXPECT(mode != VACUUM_FULL || !all[i].is_unordered, "an INSERT batch stays");
        small += all[i].row_count < FULL_ROWS / 2;
    }
    EXPECT(mode != VACUUM_FULL || has_sort_key || small <= 1, "%u small rowsets stay", small);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("merge_policy");
    TCase *cases = tcase_create("merge_policy");
    tcase_add_test(cases, runs_are_as_many_as_ranges_overlap);
    tcase_add_test(cases, touching_ranges_and_nulls_are_in_order);
    tcase_add_test(cases, thresholds_hold);
    tcase_add_test(cases, rowsets_without_wanted_filters_are_renewed);
    tcase_add_test(cases, modes_keep_to_their_part);
    tcase_add_test(cases, unsorted_tables_keep_the_order_of_loading);
    tcase_add_loop_test(cases, idle_merges_wait_for_a_full_tier, 0, 2);
    tcase_add_test(cases, idle_merges_are_bounded);
    tcase_add_loop_test(cases, choosing_ends, 0, 200);
    suite_add_tcase(suite, cases);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    const int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
