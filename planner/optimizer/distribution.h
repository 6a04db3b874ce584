/*
 * distribution.h — where the rows of a relation are: the property that decides what must move.
 *
 * HASHED lists the columns whose combined distribution hash says which node holds a row, position
 * by position. A position may know several columns that are equal in every row (o_orderkey after
 * a join on l_orderkey = o_orderkey): any of them stands for it.
 *
 * Invariants: (1) only HASHED has keys, at least one, each with at least one column;
 * (2) REPLICATED: every node holds all rows; (3) with one compute node nothing is HASHED,
 * SCATTERED or REPLICATED: all is SINGLE or at the LEADER.
 */
#pragma once
#include "planner/logical/column_set.h"

typedef enum DistributionKind {
    DISTRIBUTION_HASHED,
    DISTRIBUTION_SCATTERED, /* on all nodes, no rule which */
    DISTRIBUTION_REPLICATED,
    DISTRIBUTION_SINGLE, /* on one compute node */
    DISTRIBUTION_LEADER
} DistributionKind;

#define DISTRIBUTION_KEYS_MAX 4
#define DISTRIBUTION_ALIASES_MAX 6
/* Values for each node that suffice to move rows by fewer columns than might be: by chance the
 * fullest node gets 3 in 100 more than its share. Of 64 it would get 12 more, and all wait for it.
 */
#define DISTINCT_PER_NODE_MIN 1024

typedef struct DistributionKey {
    uint32_t count;
    ColumnNumber columns[DISTRIBUTION_ALIASES_MAX];
} DistributionKey;

typedef struct Distribution {
    DistributionKind kind;
    uint32_t key_count;
    DistributionKey keys[DISTRIBUTION_KEYS_MAX];
} Distribution;

/* One equality `left = right` (or IS NOT DISTINCT FROM) between two columns. */
typedef struct KeyPair {
    ColumnNumber left, right;
} KeyPair;

Distribution distribution_of(DistributionKind kind);
/* Hashed by at most DISTRIBUTION_KEYS_MAX columns. */
Distribution distribution_hashed(const ColumnNumber *columns, uint32_t count);
bool distribution_is_partitioned(const Distribution *distribution); /* HASHED or SCATTERED */
bool distribution_equal(const Distribution *left, const Distribution *right);
/* True when whoever accepts rows placed as `wanted` can take them as `given`. */
bool distribution_satisfies(const Distribution *given, const Distribution *wanted);
bool distribution_key_has(const DistributionKey *key, ColumnNumber column);
/* After rows were kept only where left = right: each column stands for the other. */
void distribution_add_pair(Distribution *distribution, KeyPair pair);
/* Adds `to` as another name of `from` (a project that passes a column on). */
void distribution_rename(Distribution *distribution, ColumnNumber from, ColumnNumber to);
/* Forgets columns that are not in `visible`; a key without columns makes it SCATTERED. */
void distribution_restrict(Distribution *distribution, const ColumnSet *visible);
/* Equal values of these columns imply the same place: groups by them are whole where they are. */
bool distribution_keeps_groups(const Distribution *distribution, const ColumnSet *group_columns);
/* Rows that match by `pairs` are on the same node: both HASHED, key by key over one pair. */
bool distribution_is_collocated(const Distribution *left, const Distribution *right,
                                const KeyPair *pairs, uint32_t pair_count);
/* The columns the other side must be hashed by to be collocated with `distribution`: false when
 * one of its keys is in no pair. `is_left`: `distribution` is the left side's. */
bool distribution_partner(const Distribution *distribution, bool is_left, const KeyPair *pairs,
                          uint32_t pair_count, Distribution *out);

/* The column an expression is, looking through casts that do not change the distribution hash
 * (integers and decimals widened, texts not cut); 0: none. */
ColumnNumber distribution_column_of(const Expr *expr);
