/* aggregate_table.c — rows to groups, then every aggregate over the groups' rows. */
#include "compute/operators/hash_aggregate/aggregate_table.h"

#include <string.h>

#include "compute/kernels/aggregate_kernels.h"
#include "compute/kernels/lanes.h"

enum { GROUPS_MIN = 64, MASKED_ROWS_MIN = 64, GAP_ROWS_MIN = 8 };

struct AggregateSpace {
    GroupSpace *groups;
    GroupSpace **distinct; /* per aggregate */
    uint32_t *row_groups;  /* group of each row */
    uint16_t *kept_rows;
    uint32_t *kept_groups;
    uint16_t *aggregate_rows; /* those that pass an aggregate's filter */
    uint32_t *aggregate_groups, *pairs;
    int64_t group_rows[AGGREGATE_FEW_GROUPS]; /* of the batch */
    uint32_t *all_groups;                     /* by physical row */
    int64_t *group_lanes;                     /* groups as a key column of DISTINCT tables */
    uint32_t *target_groups;
    VectorBuffer value_buffer, group_buffer;
};

AggregateSpace *aggregate_space_create(const AggregateShape *shape, Arena *worker_arena)
{
    AggregateSpace *space = ARENA_NEW(worker_arena, AggregateSpace);
    space->row_groups = ARENA_ARRAY(worker_arena, uint32_t, VECTOR_ROWS);
    space->kept_rows = ARENA_ARRAY(worker_arena, uint16_t, VECTOR_ROWS);
    space->kept_groups = ARENA_ARRAY(worker_arena, uint32_t, VECTOR_ROWS);
    space->aggregate_rows = ARENA_ARRAY(worker_arena, uint16_t, VECTOR_ROWS);
    space->aggregate_groups = ARENA_ARRAY(worker_arena, uint32_t, VECTOR_ROWS);
    space->target_groups = ARENA_ARRAY(worker_arena, uint32_t, VECTOR_ROWS);
    space->all_groups = ARENA_ARRAY(worker_arena, uint32_t, VECTOR_ROWS);
    if (shape->key_count > 0) {
        space->groups = group_space_create(&shape->groups, worker_arena);
    }
    space->distinct = ARENA_ARRAY(worker_arena, GroupSpace *, shape->aggregate_count);
    for (uint32_t a = 0; a < shape->aggregate_count; a++) {
        if (!shape->specs[a].is_distinct) {
            continue;
        }
        space->distinct[a] = group_space_create(&shape->distinct[a], worker_arena);
        if (space->pairs == NULL) {
            space->pairs = ARENA_ARRAY(worker_arena, uint32_t, VECTOR_ROWS);
            space->group_lanes =
                arena_alloc_aligned(worker_arena, (VECTOR_ROWS + 8) * sizeof(int64_t), 64);
            vector_buffer_init(&space->value_buffer, worker_arena);
            vector_buffer_init(&space->group_buffer, worker_arena);
        }
    }
    return space;
}

void aggregate_table_init(AggregateTable *table, const AggregateShape *shape, Arena *arena)
{
    *table = (AggregateTable){.shape = shape};
    if (shape->key_count > 0) {
        group_table_init(&table->groups, &shape->groups, arena);
    }
    table->states = ARENA_ARRAY(arena, AggregateState, shape->aggregate_count);
    table->distinct = ARENA_ARRAY(arena, GroupTable, shape->aggregate_count);
    for (uint32_t a = 0; a < shape->aggregate_count; a++) {
        aggregate_state_init(&table->states[a], &shape->specs[a], shape->budget);
        if (shape->specs[a].is_distinct) {
            group_table_init(&table->distinct[a], &shape->distinct[a], arena);
        }
    }
}

void aggregate_table_deinit(AggregateTable *table)
{
    if (table->shape == NULL) {
        return;
    }
    group_table_deinit(&table->groups);
    for (uint32_t a = 0; a < table->shape->aggregate_count; a++) {
        aggregate_state_deinit(&table->states[a]);
        group_table_deinit(&table->distinct[a]);
    }
    table->shape = NULL;
}

// Room in all states for the groups there are, and to spare.
static Status reserve_states(AggregateTable *table, uint32_t group_count)
{
    for (uint32_t a = 0; a < table->shape->aggregate_count; a++) {
        AggregateState *state = &table->states[a];
        if (group_count > state->capacity) {
            uint64_t capacity = state->capacity > 0 ? state->capacity * UINT64_C(2) : GROUPS_MIN;
            capacity = capacity < group_count ? group_count : capacity;
            capacity = capacity < GROUP_NONE ? capacity : GROUP_NONE - 1;
            if (table->shape->key_count == 0) {
                capacity = 1;
            }
            TRY(aggregate_state_reserve(state, (uint32_t)capacity));
        }
    }
    return STATUS_OK;
}

Status aggregate_table_ensure_group(AggregateTable *table)
{
    if (table->group_count > 0) {
        return STATUS_OK;
    }
    TRY(reserve_states(table, 1));
    for (uint32_t a = 0; a < table->shape->aggregate_count; a++) {
        TRY(aggregate_state_track_seen(&table->states[a], 0));
    }
    table->group_count = 1;
    return STATUS_OK;
}

// Keeps the rows of known groups and lists the others.
static void split_unknown(AggregateSpace *space, AggregateRows *rows, uint16_t *left,
                          uint32_t *left_count)
{
    uint32_t kept = 0;
    *left_count = 0;
    for (uint32_t i = 0; i < rows->count; i++) {
        uint16_t row = (uint16_t)(rows->rows == NULL ? i : rows->rows[i]);
        uint32_t group = rows->groups[i];
        if (group == GROUP_NONE) {
            left[(*left_count)++] = row;
        } else {
            space->kept_rows[kept] = row;
            space->kept_groups[kept++] = group;
        }
    }
    rows->rows = space->kept_rows;
    rows->mask = NULL;
    rows->groups = space->kept_groups;
    rows->count = kept;
}

static bool is_true(const Vector *filter, uint32_t row)
{
    return !vector_is_null(filter, row) && vector_int64(filter, row) != 0;
}

// FILTER (WHERE …): rows for which the filter is true.
static void apply_filter(AggregateSpace *space, const Vector *filter, AggregateRows *rows)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < rows->count; i++) {
        uint16_t row = (uint16_t)(rows->rows == NULL ? i : rows->rows[i]);
        uint32_t group = rows->groups == NULL ? 0 : rows->groups[i];
        space->aggregate_rows[kept] = row;
        space->aggregate_groups[kept] = group;
        kept += is_true(filter, row);
    }
    rows->has_gaps |= kept < rows->count;
    rows->group_rows = NULL;
    rows->all_groups = NULL;
    rows->rows = space->aggregate_rows;
    rows->mask = NULL;
    rows->groups = rows->groups == NULL ? NULL : space->aggregate_groups;
    rows->count = kept;
}

// Keeps the rows that bring a (group, value) pair for the first time; NULLs bring none.
static Status apply_distinct(AggregateTable *table, AggregateSpace *space, uint32_t aggregate,
                             const Vector *argument, AggregateRows *rows)
{
    GroupTable *pairs = &table->distinct[aggregate];
    uint32_t former_count = pairs->group_count;
    for (uint32_t i = 0; i < rows->count; i++) {
        uint32_t row = rows->rows == NULL ? i : rows->rows[i];
        space->group_lanes[row] = rows->groups == NULL ? 0 : rows->groups[i];
    }
    Vector groups = {.type = type_of(TYPE_BIGINT),
                     .lane = LANE_I64,
                     .form = VECTOR_FLAT,
                     .hi = GROUP_NONE,
                     .data = space->group_lanes};
    const Vector *keys[2] = {&groups, argument};
    TRY(group_table_find(pairs, space->distinct[aggregate], keys, rows->rows, rows->count, false,
                         space->pairs));
    bool is_counted[VECTOR_ROWS] = {false}; // by new pair
    uint32_t kept = 0;
    for (uint32_t i = 0; i < rows->count; i++) {
        uint16_t row = (uint16_t)(rows->rows == NULL ? i : rows->rows[i]);
        uint32_t pair = space->pairs[i];
        bool is_new = pair >= former_count && !is_counted[pair - former_count] &&
                      !vector_is_null(argument, row);
        if (is_new) {
            is_counted[pair - former_count] = true;
        }
        space->aggregate_rows[kept] = row;
        space->aggregate_groups[kept] = rows->groups == NULL ? 0 : rows->groups[i];
        kept += is_new;
    }
    rows->has_gaps |= kept < rows->count;
    rows->group_rows = NULL;
    rows->all_groups = NULL;
    rows->rows = space->aggregate_rows;
    rows->mask = NULL;
    rows->groups = rows->groups == NULL ? NULL : space->aggregate_groups;
    rows->count = kept;
    return STATUS_OK;
}

// Few groups: counts their rows once for all aggregates, and lists the group of every physical row,
// so that sums run over whole vectors.
static void prepare_few_groups(AggregateSpace *space, AggregateRows *rows)
{
    const AggregateKernels *kernels = KERNELS(aggregate_kernels);
    if (rows->groups == NULL || rows->group_count > AGGREGATE_FEW_GROUPS || rows->count == 0) {
        return;
    }
    memset(space->group_rows, 0, rows->group_count * sizeof *space->group_rows);
    rows->group_rows = space->group_rows;
    uint32_t physical = rows->rows == NULL ? rows->count : rows->rows[rows->count - 1] + 1u;
    bool is_dense = rows->count >= MASKED_ROWS_MIN && physical < 2 * rows->count;
    if (rows->group_count > AGGREGATE_MASKED_GROUPS || !is_dense) {
        kernels->count_few(rows->groups, rows->count, rows->group_count, space->group_rows);
        return;
    }
    rows->all_groups = rows->groups;
    rows->all_count = physical;
    if (rows->rows != NULL) {
        for (uint32_t i = 0; i < physical; i++) {
            space->all_groups[i] = rows->group_count;
        }
        for (uint32_t i = 0; i < rows->count; i++) {
            space->all_groups[rows->rows[i]] = rows->groups[i];
        }
        rows->all_groups = space->all_groups;
    }
    kernels->count_masked(rows->all_groups, physical, rows->group_count, space->group_rows);
}

static Status update_aggregate(AggregateTable *table, AggregateSpace *space, uint32_t aggregate,
                               const Vector *const *inputs, AggregateRows rows)
{
    const AggregateInput *input = &table->shape->inputs[aggregate];
    const Vector *argument = input->argument == AGGREGATE_NO_INPUT ? NULL : inputs[input->argument];
    if (input->filter != AGGREGATE_NO_INPUT) {
        apply_filter(space, inputs[input->filter], &rows);
    }
    if (table->shape->specs[aggregate].is_distinct && rows.count > 0) {
        TRY(apply_distinct(table, space, aggregate, argument, &rows));
    }
    return aggregate_state_update(&table->states[aggregate], argument, &rows);
}

bool aggregate_table_takes_mask(const AggregateTable *table, const Vector *const *inputs)
{
    const AggregateShape *shape = table->shape;
    bool all_take = shape->key_count == 0;
    for (uint32_t a = 0; all_take && a < shape->aggregate_count; a++) {
        const AggregateInput *input = &shape->inputs[a];
        all_take = input->filter == AGGREGATE_NO_INPUT &&
                   aggregate_state_takes_mask(
                       &table->states[a],
                       input->argument == AGGREGATE_NO_INPUT ? NULL : inputs[input->argument]);
    }
    return all_take;
}

static AggregateRows rows_of_batch(const AggregateTable *table, const Batch *selected)
{
    const uint32_t row_count = selected->selected_count;
    AggregateRows rows = {
        .rows = selected->selection, .count = row_count, .former_group_count = table->group_count};
    if (selected->mask == NULL || row_count == 0) {
        return rows;
    }
    rows.row_end = rows.rows == NULL ? selected->row_count : rows.rows[row_count - 1] + 1u;
    const bool is_dense = rows.row_end <= row_count + row_count / GAP_ROWS_MIN;
    rows.mask = is_dense || rows.rows == NULL ? selected->mask : NULL;
    return rows;
}

Status aggregate_table_update(AggregateTable *table, AggregateSpace *space,
                              const Vector *const *inputs, const Batch *selected, bool is_closed,
                              uint16_t *left, uint32_t *left_count)
{
    const AggregateShape *shape = table->shape;
    const uint32_t row_count = selected->selected_count;
    AggregateRows batch = rows_of_batch(table, selected);
    if (shape->key_count == 0) {
        TRY(reserve_states(table, 1));
        table->group_count = 1;
    } else {
        uint32_t new_max = is_closed ? 0 : row_count;
        TRY(reserve_states(table, table->groups.group_count + new_max));
        TRY(group_table_find(&table->groups, space->groups, inputs, batch.rows, row_count,
                             is_closed, space->row_groups));
        table->group_count = table->groups.group_count;
        batch.groups = space->row_groups;
        if (is_closed) {
            split_unknown(space, &batch, left, left_count);
        }
    }
    batch.group_count = table->group_count;
    prepare_few_groups(space, &batch);
    for (uint32_t a = 0; a < shape->aggregate_count; a++) {
        TRY(update_aggregate(table, space, a, inputs, batch));
    }
    return STATUS_OK;
}

Status aggregate_table_merge(AggregateTable *table, AggregateSpace *space,
                             const AggregateTable *source, const uint32_t *groups, uint32_t count)
{
    const AggregateShape *shape = table->shape;
    uint32_t former_group_count = table->group_count;
    if (shape->key_count == 0) {
        TRY(reserve_states(table, 1));
        table->group_count = 1;
        space->target_groups[0] = 0;
    } else {
        TRY(reserve_states(table, table->groups.group_count + count));
        TRY(group_table_find_groups(&table->groups, space->groups, &source->groups, groups, count,
                                    space->target_groups));
        table->group_count = table->groups.group_count;
    }
    for (uint32_t a = 0; a < shape->aggregate_count; a++) {
        if (shape->specs[a].is_distinct) {
            // Its pairs come later: until then the groups have no value.
            TRY(aggregate_state_track_seen(&table->states[a], former_group_count));
            continue;
        }
        TRY(aggregate_state_merge(&table->states[a], &source->states[a], groups,
                                  space->target_groups, count, former_group_count));
    }
    return STATUS_OK;
}

const uint32_t *aggregate_space_targets(const AggregateSpace *space)
{
    return space->target_groups;
}

Status aggregate_table_merge_pairs(AggregateTable *table, AggregateSpace *space,
                                   const AggregateTable *source, uint32_t aggregate,
                                   const uint32_t *pairs, uint32_t count,
                                   const uint32_t *target_of_group)
{
    const GroupTable *from = &source->distinct[aggregate];
    Vector groups;
    Vector values;
    group_table_gather(from, 0, pairs, count, &space->group_buffer, &groups);
    group_table_gather(from, 1, pairs, count, &space->value_buffer, &values);
    for (uint32_t i = 0; i < count; i++) {
        space->kept_groups[i] = target_of_group[vector_int64(&groups, i)];
    }
    AggregateRows rows = {.groups = table->shape->key_count == 0 ? NULL : space->kept_groups,
                          .count = count,
                          .group_count = table->group_count,
                          .former_group_count = table->group_count};
    TRY(apply_distinct(table, space, aggregate, &values, &rows));
    return aggregate_state_update(&table->states[aggregate], &values, &rows);
}

Status aggregate_table_gather(const AggregateTable *table, const uint32_t *groups, uint32_t count,
                              VectorBuffer *buffers, Batch *out)
{
    const AggregateShape *shape = table->shape;
    for (uint32_t k = 0; k < shape->key_count; k++) {
        group_table_gather(&table->groups, k, groups, count, &buffers[k], &out->columns[k]);
    }
    for (uint32_t a = 0; a < shape->aggregate_count; a++) {
        uint32_t column = shape->key_count + a;
        TRY(aggregate_state_gather(&table->states[a], groups, count, &buffers[column],
                                   &out->columns[column]));
    }
    out->column_count = shape->key_count + shape->aggregate_count;
    out->row_count = out->selected_count = count;
    out->selection = NULL;
    return STATUS_OK;
}

size_t aggregate_table_bytes(const AggregateTable *table)
{
    const AggregateShape *shape = table->shape;
    size_t bytes = shape->key_count == 0 ? 0 : group_table_bytes(&table->groups);
    for (uint32_t a = 0; a < shape->aggregate_count; a++) {
        bytes += aggregate_state_bytes(&table->states[a]);
        bytes += shape->specs[a].is_distinct ? group_table_bytes(&table->distinct[a]) : 0;
    }
    return bytes;
}
