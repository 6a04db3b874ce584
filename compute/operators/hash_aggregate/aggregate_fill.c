/*
 * aggregate_fill.c — rows into a table while there is memory, and to disk when there is not.
 *
 * A table that is full is closed: rows of its groups are still added, rows of other groups go to
 * disk by the hash of their keys, to be added later, partition by partition. A DISTINCT aggregate
 * grows with its values, so with one of those all further rows go to disk.
 */
#include "compute/operators/batch_collector.h"
#include "compute/operators/hash_aggregate/group_internal.h"
#include "compute/operators/hash_aggregate/hash_aggregate_internal.h"

enum { FORCED_GROUPS = 64, FORCED_DEPTHS = 2, HEADROOM_BYTES = 4 << 20 };

void aggregate_fill_init(AggregateFill *fill, HashAggregate *aggregate, AggregateTable *table,
                         SpillPartitions **spill, uint32_t depth, AggregateSpace *space,
                         Arena *worker_arena)
{
    *fill = (AggregateFill){
        .aggregate = aggregate, .table = table, .space = space, .spill = spill, .depth = depth};
    fill->vectors = ARENA_ARRAY(worker_arena, const Vector *, aggregate->shape.input_count);
    fill->left = ARENA_ARRAY(worker_arena, uint16_t, VECTOR_ROWS);
    fill->hashes = ARENA_ARRAY(worker_arena, uint64_t, VECTOR_ROWS);
    if (aggregate->shape.key_count > 0) {
        fill->hash_space = group_space_create(&aggregate->shape.groups, worker_arena);
    }
}

static bool has_distinct(const AggregateShape *shape)
{
    for (uint32_t a = 0; a < shape->aggregate_count; a++) {
        if (shape->specs[a].is_distinct) {
            return true;
        }
    }
    return false;
}

// Whether the table should take no more groups: its next growth might be refused.
static bool is_full(const AggregateFill *fill)
{
    const AggregateShape *shape = &fill->aggregate->shape;
    const QueryContext *query = shape->query;
    if (shape->key_count == 0 || fill->depth >= SPILL_DEPTH_MAX) {
        return false;
    }
    if (query->force_spill && fill->depth < FORCED_DEPTHS &&
        fill->table->group_count >= FORCED_GROUPS) {
        return true;
    }
    if (fill->depth > 0 && memory_is_short(query) && fill->table->group_count >= VECTOR_ROWS) {
        return true;
    }
    size_t available = memory_budget_available_bytes(fill->table->shape->budget);
    return available < HEADROOM_BYTES || (fill->table->group_count > VECTOR_ROWS &&
                                          available < 2 * aggregate_table_bytes(fill->table));
}

static Status spill_rows(AggregateFill *fill, const Batch *columns, const uint16_t *rows,
                         uint32_t row_count)
{
    HashAggregate *aggregate = fill->aggregate;
    const AggregateShape *shape = &aggregate->shape;
    if (row_count == 0) {
        return STATUS_OK;
    }
    if (*fill->spill == NULL) {
        TRY(spill_partitions_create(aggregate->query, shape->input_types, shape->input_count,
                                    fill->depth, fill->spill));
    }
    group_hash_rows(&shape->groups, fill->hash_space, fill->vectors, rows, row_count, fill->hashes);
    return spill_partitions_add(*fill->spill, columns, rows, fill->hashes, row_count);
}

Status aggregate_fill_add(AggregateFill *fill, const Batch *columns)
{
    for (uint32_t c = 0; c < columns->column_count; c++) {
        fill->vectors[c] = &columns->columns[c];
    }
    fill->is_closed = fill->is_closed || is_full(fill);
    uint32_t left_count = 0;
    if (fill->is_closed && has_distinct(&fill->aggregate->shape)) {
        return spill_rows(fill, columns, batch_selected_rows(columns), columns->selected_count);
    }
    Status status = aggregate_table_update(fill->table, fill->space, fill->vectors, columns,
                                           fill->is_closed, fill->left, &left_count);
    bool may_spill = !fill->is_closed && fill->aggregate->shape.key_count > 0 &&
                     fill->depth < SPILL_DEPTH_MAX && !has_distinct(&fill->aggregate->shape);
    if (status != STATUS_OK && may_spill && status_sqlstate(status) == SQLSTATE_OUT_OF_MEMORY) {
        status_ignore(status, "rows of new groups go to disk from now on");
        fill->is_closed = true;
        status = aggregate_table_update(fill->table, fill->space, fill->vectors, columns, true,
                                        fill->left, &left_count);
    }
    TRY(status);
    return spill_rows(fill, columns, fill->left, left_count);
}
