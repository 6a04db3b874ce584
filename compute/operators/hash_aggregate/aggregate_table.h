/*
 * aggregate_table.h — groups with their aggregates: what a worker fills, and what workers' results
 * are merged into.
 *
 * The input is a list of vectors: the keys, then per aggregate its argument and its filter where
 * there is one (AggregateInput tells the places). DISTINCT aggregates keep a table of (group,
 * value) pairs and see only the first of each.
 */
#pragma once
#include "compute/operators/hash_aggregate/aggregate_state.h"

#define AGGREGATE_NO_INPUT UINT32_MAX

typedef struct AggregateInput {
    uint32_t argument, filter; /* index of the input vector, or AGGREGATE_NO_INPUT */
} AggregateInput;

typedef struct AggregateShape {
    QueryContext *query;
    MemoryBudget *budget; /* of groups and states */
    uint32_t key_count, aggregate_count, input_count;
    const Type *input_types;
    GroupShape groups;
    AggregateSpec *specs;
    AggregateInput *inputs;
    GroupShape *distinct; /* per aggregate: keys (group, value) */
} AggregateShape;

typedef struct AggregateSpace AggregateSpace; /* scratch of one worker */
AggregateSpace *aggregate_space_create(const AggregateShape *shape, Arena *worker_arena);

typedef struct AggregateTable {
    const AggregateShape *shape;
    GroupTable groups; /* unused without keys: then there is group 0 only */
    uint32_t group_count;
    AggregateState *states;
    GroupTable *distinct; /* per aggregate */
} AggregateTable;

void aggregate_table_init(AggregateTable *table, const AggregateShape *shape, Arena *arena);
void aggregate_table_deinit(AggregateTable *table);
/* Whether the rows of a batch may come as its mask alone (batch_is_masked). */
bool aggregate_table_takes_mask(const AggregateTable *table, const Vector *const *inputs);
/* Adds the rows that are alive in `selected`, whose columns are not looked at. With `is_closed`
 * only those of known groups; the others are listed in `left` (VECTOR_ROWS) and counted in
 * `*left_count`. 53200 before any value was added: the call may be repeated, closed. */
Status aggregate_table_update(AggregateTable *table, AggregateSpace *space,
                              const Vector *const *inputs, const Batch *selected, bool is_closed,
                              uint16_t *left, uint32_t *left_count) CHECKED;
/* Adds groups of another table, at most VECTOR_ROWS of them; DISTINCT aggregates are left out. */
Status aggregate_table_merge(AggregateTable *table, AggregateSpace *space,
                             const AggregateTable *source, const uint32_t *groups,
                             uint32_t count) CHECKED;
/* Where the groups of the last merge went. */
const uint32_t *aggregate_space_targets(const AggregateSpace *space);
/* Adds (group, value) pairs of a DISTINCT aggregate of another table, at most VECTOR_ROWS:
 * target_of_group[g] is the group here of the source's group g. */
Status aggregate_table_merge_pairs(AggregateTable *table, AggregateSpace *space,
                                   const AggregateTable *source, uint32_t aggregate,
                                   const uint32_t *pairs, uint32_t count,
                                   const uint32_t *target_of_group) CHECKED;
/* Makes sure that group 0 exists: an aggregate without keys has a result for no input. */
Status aggregate_table_ensure_group(AggregateTable *table) CHECKED;
/* Keys and results of the groups into out->columns. */
Status aggregate_table_gather(const AggregateTable *table, const uint32_t *groups, uint32_t count,
                              VectorBuffer *buffers, Batch *out) CHECKED;
size_t aggregate_table_bytes(const AggregateTable *table);
