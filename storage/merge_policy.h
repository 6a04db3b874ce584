/*
 * merge_policy.h — which rowsets of a slice are worth being written anew, and in how many runs.
 *
 * Pure arithmetic over what the manifest and the footers say; nothing is read here. A run is a list
 * of rowsets whose key ranges follow each other, so that reading them in turn gives ascending rows;
 * a merge of k runs gives rows in order whatever the number of rowsets.
 *
 * Example, sort key n:  [1..9] [5..14] [10..20] [30..40]  ->  runs {[1..9] [10..20]} {[5..14]}
 *
 * Invariants: (1) a choice is written with fewer rowsets, fewer deleted rows, less overlap or more
 * filters than it had, so choosing again and again ends; (2) rowsets of one choice are neighbours
 * in key order: what is written overlaps nothing that its sources did not; idle merges of small
 * ones excepted.
 */
#pragma once
#include "base/types/type.h"
#include "planner/plan/plan.h"

/* A value of the first sort key as a number that compares like it; text by its first 16 bytes. */
typedef struct MergeBound {
    bool is_null; /* comes last */
    UInt128 key;
} MergeBound;
int merge_bound_compare(const MergeBound *left, const MergeBound *right);

#define MERGE_NO_RUN UINT32_MAX

typedef struct MergeCandidate {
    uint64_t rowset_id;
    uint64_t row_count, deleted_count;
    bool is_unordered;   /* an INSERT batch: few rows, in no order */
    MergeBound min, max; /* of the first sort key, unless it is unordered or there is no sort key */
    bool lacks_filters;  /* columns that are looked up have none there (lookup_filter.h) */
    bool is_renewed;     /* its deleted rows shall go, or filters come; set by
                          * merge_policy_prepare */
    uint32_t run;        /* out: MERGE_NO_RUN when it is not chosen */
    uint32_t last;       /* while choosing: the r-th of a cluster knows the last of run r */
    void *object;        /* the caller's */
} MergeCandidate;

typedef struct MergePolicy {
    VacuumMode mode;
    bool has_sort_key;
    uint32_t percent;         /* TO n PERCENT: sorted enough, and of deleted rows reclaimed */
    uint64_t rowset_rows;     /* of a full rowset */
    uint64_t idle_rows_max;   /* read by one idle merge */
    uint32_t ratio, runs_max; /* rowsets of a tier before an idle merge; runs read at once */
    uint32_t deleted_percent; /* of a rowset before an idle merge */
    bool needs_sort;          /* set by merge_policy_prepare */
} MergePolicy;

/* Once per slice, before choosing: what of all the candidates exceeds the policy's bounds. */
void merge_policy_prepare(MergePolicy *policy, MergeCandidate *candidates, uint32_t count);
/* The next merge: sorts the candidates, the chosen ones first, by run and then in the order they
 * are to be read. Returns how many were chosen, 0 when nothing is left to do. The caller chooses
 * again among the others. */
uint32_t merge_policy_choose(const MergePolicy *policy, MergeCandidate *candidates, uint32_t count);
