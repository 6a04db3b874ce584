/*
 * random_query.h — random logical trees over the world's random tables: joins, groupings, set
 * operations, and subqueries of every form, correlated with any enclosing query.
 */
#pragma once
#include "tests/support/planner/world.h"

typedef struct RandomQuery {
    World *world;
    uint64_t seed;
    uint32_t scope_count;
    const LogicalNode *scopes[16]; /* rows of enclosing queries, outermost first */
    uint32_t budget;               /* tables still allowed: keeps the naive run short */
} RandomQuery;

/* A query of `column_count` bigint columns. `depth`: levels of subqueries it may have. */
LogicalNode *random_query(RandomQuery *self, uint32_t column_count, uint32_t depth);
