/* merge_policy.c — see merge_policy.h. */
#include "storage/merge_policy.h"

#include <stdlib.h>

#define BATCHES_MAX 64u          /* unordered candidates that are sorted in memory at once */
#define SMALLEST_TIER_ROWS 1024u /* candidates below are of one tier */

int merge_bound_compare(const MergeBound *left, const MergeBound *right)
{
    if (left->is_null != right->is_null) {
        return left->is_null ? 1 : -1;
    }
    return left->is_null || left->key == right->key ? 0 : left->key < right->key ? -1 : 1;
}

static uint64_t alive_rows(const MergeCandidate *candidate)
{
    return candidate->row_count - candidate->deleted_count;
}

static bool is_small(const MergePolicy *policy, const MergeCandidate *candidate)
{
    return alive_rows(candidate) < policy->rowset_rows / 2;
}

/* Sorting. */

static int compare_ids(const void *left, const void *right)
{
    const MergeCandidate *a = left, *b = right;
    return a->rowset_id < b->rowset_id ? -1 : a->rowset_id > b->rowset_id;
}

/* Unordered ones last. */
static int compare_keys(const void *left, const void *right)
{
    const MergeCandidate *a = left, *b = right;
    if (a->is_unordered != b->is_unordered) {
        return a->is_unordered ? 1 : -1;
    }
    const int order = a->is_unordered ? 0 : merge_bound_compare(&a->min, &b->min);
    return order != 0 ? order : compare_ids(left, right);
}

static int compare_deleted(const void *left, const void *right)
{
    const MergeCandidate *a = left, *b = right;
    if (a->deleted_count != b->deleted_count) {
        return a->deleted_count > b->deleted_count ? -1 : 1;
    }
    return compare_ids(left, right);
}

static int compare_runs_by_key(const void *left, const void *right)
{
    const MergeCandidate *a = left, *b = right;
    return a->run != b->run ? (a->run < b->run ? -1 : 1) : compare_keys(left, right);
}

static int compare_runs_by_id(const void *left, const void *right)
{
    const MergeCandidate *a = left, *b = right;
    return a->run != b->run ? (a->run < b->run ? -1 : 1) : compare_ids(left, right);
}

/* Overlaps. The candidates are in key order. */

/* The end of the cluster that begins at `first`: ranges that overlap one another, in a chain. */
static uint32_t cluster_end(const MergeCandidate *candidates, uint32_t count, uint32_t first)
{
    const MergeBound *max = &candidates[first].max;
    uint32_t end = first + 1;
    while (end < count && !candidates[end].is_unordered &&
           merge_bound_compare(&candidates[end].min, max) < 0) {
        max = merge_bound_compare(&candidates[end].max, max) > 0 ? &candidates[end].max : max;
        end++;
    }
    return end;
}

/* Gives each of first .. end a run, a new one when it overlaps the last of every run there is;
 * returns how many runs that makes: as many as ranges overlap in one place. */
static uint32_t assign_runs(MergeCandidate *candidates, uint32_t first, uint32_t end)
{
    uint32_t run_count = 0;
    for (uint32_t i = first; i < end; i++) {
        uint32_t run = 0;
        while (run < run_count && merge_bound_compare(&candidates[candidates[first + run].last].max,
                                                      &candidates[i].min) > 0) {
            run++;
        }
        run_count += run == run_count;
        candidates[i].run = run;
        candidates[first + run].last = i;
    }
    return run_count;
}

static void choose_none(MergeCandidate *candidates, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        candidates[i].run = MERGE_NO_RUN;
    }
}

/* Runs beyond what may be read at once wait for the next merge. */
static uint32_t keep_runs(const MergePolicy *policy, MergeCandidate *candidates, uint32_t count)
{
    uint32_t chosen = 0;
    for (uint32_t i = 0; i < count; i++) {
        if (candidates[i].run != MERGE_NO_RUN && candidates[i].run >= policy->runs_max) {
            candidates[i].run = MERGE_NO_RUN;
        }
        chosen += candidates[i].run != MERGE_NO_RUN;
    }
    return chosen;
}

static uint64_t sum_rows(const MergeCandidate *candidates, uint32_t first, uint32_t end)
{
    uint64_t rows = 0;
    for (uint32_t i = first; i < end; i++) {
        rows += candidates[i].row_count;
    }
    return rows;
}

static uint32_t choose_overlap(const MergePolicy *policy, MergeCandidate *candidates,
                               uint32_t count)
{
    for (uint32_t first = 0, end; first < count && !candidates[first].is_unordered; first = end) {
        end = cluster_end(candidates, count, first);
        if (end - first < 2) {
            continue;
        }
        const uint32_t run_count = assign_runs(candidates, first, end);
        const bool is_wanted = policy->mode != VACUUM_IDLE ||
                               (run_count >= policy->ratio &&
                                sum_rows(candidates, first, end) <= policy->idle_rows_max);
        if (is_wanted) {
            return keep_runs(policy, candidates, count);
        }
        choose_none(candidates, count);
    }
    return 0;
}

/* INSERT batches of a sorted table, each a run. */
static uint32_t choose_batches(const MergePolicy *policy, MergeCandidate *candidates,
                               uint32_t count)
{
    uint32_t batches = 0, chosen = 0;
    const bool is_partial = policy->mode == VACUUM_DELETE_ONLY;
    for (uint32_t i = 0; i < count; i++) {
        batches += candidates[i].is_unordered && (!is_partial || candidates[i].is_renewed);
    }
    if (batches == 0 || (policy->mode == VACUUM_IDLE && batches < policy->ratio)) {
        return 0;
    }
    for (uint32_t i = 0; i < count && chosen < BATCHES_MAX; i++) {
        if (candidates[i].is_unordered && (!is_partial || candidates[i].is_renewed)) {
            candidates[i].run = chosen++;
        }
    }
    return chosen;
}

/* One rowset by itself. */
static uint32_t choose_deleted(MergeCandidate *candidates, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        if (candidates[i].is_renewed) {
            candidates[i].run = 0;
            return 1;
        }
    }
    return 0;
}

/* Small neighbours in key order. */
static uint32_t choose_small(const MergePolicy *policy, MergeCandidate *candidates, uint32_t count)
{
    for (uint32_t first = 0, end; first < count && !candidates[first].is_unordered;
         first = end + 1) {
        end = first;
        while (end < count && !candidates[end].is_unordered && is_small(policy, &candidates[end])) {
            end++;
        }
        if (end - first >= 2) {
            assign_runs(candidates, first, end);
            return keep_runs(policy, candidates, count);
        }
    }
    return 0;
}

/* Tiers: candidates of about the same size, each tier `ratio` times the former. */

static uint32_t tier_of(const MergePolicy *policy, const MergeCandidate *candidate)
{
    uint32_t tier = 0;
    for (uint64_t rows = alive_rows(candidate); rows > SMALLEST_TIER_ROWS; rows /= policy->ratio) {
        tier++;
    }
    return tier;
}

/* The lowest tier that is full; what is of lower ones goes along. Written, they are of a higher
 * tier, so a row is written anew once per tier. */
static uint32_t choose_tier(const MergePolicy *policy, MergeCandidate *candidates, uint32_t count)
{
    uint32_t members[65] = {0};
    uint32_t tier = 0;
    for (uint32_t i = 0; i < count; i++) {
        members[tier_of(policy, &candidates[i])] += is_small(policy, &candidates[i]);
    }
    while (tier < 65 && members[tier] < policy->ratio) {
        tier++;
    }
    uint32_t chosen = 0;
    uint64_t rows = 0;
    for (uint32_t i = 0; i < count && tier < 65; i++) {
        MergeCandidate *candidate = &candidates[i];
        const bool is_chosen = is_small(policy, candidate) && tier_of(policy, candidate) <= tier &&
                               (!policy->has_sort_key || !candidate->is_unordered) &&
                               rows + candidate->row_count <= policy->idle_rows_max &&
                               (!policy->has_sort_key || chosen < policy->runs_max);
        if (is_chosen) {
            candidate->run = policy->has_sort_key ? chosen : 0;
            rows += candidate->row_count;
            chosen++;
        }
    }
    if (chosen >= 2) {
        return chosen;
    }
    choose_none(candidates, count);
    return 0;
}

/* Without a sort key: one run in the order of loading. */
static uint32_t choose_unsorted(const MergePolicy *policy, MergeCandidate *candidates,
                                uint32_t count)
{
    const bool joins_small = policy->mode == VACUUM_FULL;
    uint32_t deleted = 0, small = 0, batches = 0, chosen = 0;
    uint64_t rows = 0;
    for (uint32_t i = 0; i < count; i++) {
        deleted += candidates[i].is_renewed;
        small += is_small(policy, &candidates[i]);
        batches += candidates[i].is_unordered;
    }
    const bool has_work = deleted > 0 || (joins_small && (batches > 0 || small >= 2));
    for (uint32_t i = 0; i < count && has_work; i++) {
        const bool fits = policy->mode != VACUUM_IDLE || chosen == 0 ||
                          rows + candidates[i].row_count <= policy->idle_rows_max;
        if (fits &&
            (candidates[i].is_renewed || (joins_small && is_small(policy, &candidates[i])))) {
            candidates[i].run = 0;
            rows += candidates[i].row_count;
            chosen++;
        }
    }
    return chosen == 0 && policy->mode == VACUUM_IDLE ? choose_tier(policy, candidates, count)
                                                      : chosen;
}

static uint32_t choose_sorted(const MergePolicy *policy, MergeCandidate *candidates, uint32_t count)
{
    uint32_t chosen = choose_batches(policy, candidates, count);
    if (chosen == 0 && policy->needs_sort) {
        chosen = choose_overlap(policy, candidates, count);
    }
    if (chosen == 0) {
        chosen = choose_deleted(candidates, count);
    }
    if (chosen == 0 && policy->mode == VACUUM_FULL) {
        chosen = choose_small(policy, candidates, count);
    }
    if (chosen == 0 && policy->mode == VACUUM_IDLE) {
        chosen = choose_tier(policy, candidates, count);
    }
    return chosen;
}

uint32_t merge_policy_choose(const MergePolicy *policy, MergeCandidate *candidates, uint32_t count)
{
    uint32_t chosen = 0;
    choose_none(candidates, count);
    if (policy->has_sort_key) {
        qsort(candidates, count, sizeof *candidates, compare_keys);
        chosen = choose_sorted(policy, candidates, count);
    } else if (policy->mode != VACUUM_SORT_ONLY) {
        qsort(candidates, count, sizeof *candidates, compare_ids);
        chosen = choose_unsorted(policy, candidates, count);
    }
    qsort(candidates, count, sizeof *candidates,
          policy->has_sort_key ? compare_runs_by_key : compare_runs_by_id);
    return chosen;
}

/* Whose deleted rows go: the fewest rowsets that have `percent` of them all. Filters come unless
 * the command is about deleted rows alone. */
static void mark_renewed(const MergePolicy *policy, MergeCandidate *candidates, uint32_t count)
{
    uint64_t all = 0, reclaimed = 0;
    for (uint32_t i = 0; i < count; i++) {
        all += candidates[i].deleted_count;
    }
    qsort(candidates, count, sizeof *candidates, compare_deleted);
    for (uint32_t i = 0; i < count; i++) {
        MergeCandidate *candidate = &candidates[i];
        const uint64_t deleted = candidate->deleted_count;
        candidate->is_renewed =
            deleted > 0 && (policy->mode == VACUUM_IDLE
                                ? deleted * 100 >= candidate->row_count * policy->deleted_percent
                                : reclaimed * 100 < all * policy->percent);
        candidate->is_renewed = candidate->is_renewed ||
                                (candidate->lacks_filters && policy->mode != VACUUM_DELETE_ONLY);
        reclaimed += deleted;
    }
}

/* Rows that stand outside the order: of every cluster, all but its largest rowset. */
static uint64_t unsorted_rows(const MergeCandidate *candidates, uint32_t count)
{
    uint64_t rows = 0;
    for (uint32_t first = 0, end; first < count && !candidates[first].is_unordered; first = end) {
        uint64_t largest = 0;
        end = cluster_end(candidates, count, first);
        for (uint32_t i = first; i < end; i++) {
            largest = candidates[i].row_count > largest ? candidates[i].row_count : largest;
        }
        rows += sum_rows(candidates, first, end) - largest;
    }
    return rows;
}

void merge_policy_prepare(MergePolicy *policy, MergeCandidate *candidates, uint32_t count)
{
    policy->needs_sort = false;
    if (policy->mode != VACUUM_SORT_ONLY) {
        mark_renewed(policy, candidates, count);
    }
    if (!policy->has_sort_key || policy->mode == VACUUM_DELETE_ONLY) {
        return;
    }
    qsort(candidates, count, sizeof *candidates, compare_keys);
    const uint64_t unsorted = unsorted_rows(candidates, count);
    const uint64_t all = sum_rows(candidates, 0, count);
    policy->needs_sort =
        policy->mode == VACUUM_IDLE || unsorted * 100 > all * (100 - policy->percent);
}
