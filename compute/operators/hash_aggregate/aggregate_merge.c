/*
 * aggregate_merge.c — the parts of all workers become results.
 *
 * Little is merged at once, into the largest part. Much is merged by partition of the key's hash,
 * by as many workers as there are: a partition's groups of all parts go into a fresh table, then
 * its rows from disk. A partition that does not fit itself goes to disk again, cut by the next
 * bits.
 *
 * Parts whose groups lie in arrays over the values of one key are merged by ranges of that key: a
 * range of each array, in order, into an array over the range alone.
 */
#include <string.h>

#include "compute/operators/hash_aggregate/hash_aggregate_internal.h"

enum { MERGE_AT_ONCE_GROUPS = 16384, GROUPS_PER_WORKER = 65536 };

/* Rows on disk of one partition, cut from a partition that was too large. */
typedef struct SubPartition {
    struct SubPartition *next;
    SpillPartitions *spill;
    uint32_t stream, depth;
    bool is_last; /* of its file, which is destroyed after it */
} SubPartition;

typedef struct SourceLocal {
    Arena *arena, *table_arena;
    AggregateSpace *space;
    uint32_t *groups;
    VectorBuffer *buffers;
    AggregateTable table;    /* of the partition that is given out */
    AggregateTable *current; /* it, or the whole result; null: none */
    uint32_t next_group, end_group;
    SubPartition *waiting;
} SourceLocal;

static uint32_t partition_of(uint64_t hash)
{
    return spill_partition(hash, 0);
}

// Orders items 0 .. count - 1 by their partitions: offsets and the ordered list.
static void order_by_partition(const uint8_t *partitions, uint32_t count, uint32_t *offsets,
                               uint32_t *ordered)
{
    uint32_t next[AGGREGATE_PARTITIONS + 1] = {0};
    for (uint32_t i = 0; i < count; i++) {
        next[partitions[i] + 1]++;
    }
    for (uint32_t p = 0; p < AGGREGATE_PARTITIONS; p++) {
        next[p + 1] += next[p];
    }
    memcpy(offsets, next, sizeof next);
    for (uint32_t i = 0; i < count; i++) {
        ordered[next[partitions[i]]++] = i;
    }
}

static void find_partitions(const AggregateTable *table, GroupSpace *space, uint8_t *partitions)
{
    uint32_t groups[VECTOR_ROWS];
    uint64_t hashes[VECTOR_ROWS];
    for (uint32_t first = 0; first < table->group_count; first += VECTOR_ROWS) {
        uint32_t count = table->group_count - first;
        count = count < VECTOR_ROWS ? count : VECTOR_ROWS;
        for (uint32_t i = 0; i < count; i++) {
            groups[i] = first + i;
        }
        group_table_hashes(&table->groups, space, groups, count, hashes);
        for (uint32_t i = 0; i < count; i++) {
            partitions[first + i] = (uint8_t)partition_of(hashes[i]);
        }
    }
}

// The pairs of a DISTINCT aggregate by the partitions of their groups.
static void order_pairs(const GroupTable *pairs, const uint8_t *group_partitions,
                        uint8_t *partitions, Arena *arena, uint32_t *offsets, uint32_t *ordered)
{
    VectorBuffer buffer;
    vector_buffer_init(&buffer, arena);
    uint32_t ids[VECTOR_ROWS];
    for (uint32_t first = 0; first < pairs->group_count; first += VECTOR_ROWS) {
        uint32_t count = pairs->group_count - first;
        count = count < VECTOR_ROWS ? count : VECTOR_ROWS;
        for (uint32_t i = 0; i < count; i++) {
            ids[i] = first + i;
        }
        Vector groups;
        group_table_gather(pairs, 0, ids, count, &buffer, &groups);
        for (uint32_t i = 0; i < count; i++) {
            partitions[first + i] = group_partitions[vector_int64(&groups, i)];
        }
    }
    order_by_partition(partitions, pairs->group_count, offsets, ordered);
}

Status aggregate_part_partition(HashAggregate *aggregate, AggregatePart *part)
{
    const AggregateShape *shape = &aggregate->shape;
    MemoryBudget *budget = aggregate->query->budget;
    uint32_t group_count = part->table.group_count;
    uint32_t pair_count = 0;
    uint32_t item_max = group_count;
    for (uint32_t a = 0; a < shape->aggregate_count; a++) {
        uint32_t count = shape->specs[a].is_distinct ? part->table.distinct[a].group_count : 0;
        pair_count += count;
        item_max = count > item_max ? count : item_max;
    }
    size_t bytes = ((size_t)group_count + pair_count + 1) * sizeof(uint32_t);
    part->groups = memory_alloc(budget, bytes);
    uint8_t *partitions = memory_alloc(budget, (size_t)group_count + item_max + 1);
    if (part->groups == NULL || partitions == NULL) {
        if (partitions != NULL) {
            memory_free(budget, partitions, (size_t)group_count + item_max + 1);
        }
        return memory_refused(budget, bytes, "merging groups");
    }
    part->list_bytes = bytes;
    Arena *arena = arena_create(NULL, "partitions");
    GroupSpace *space = group_space_create(&shape->groups, arena);
    find_partitions(&part->table, space, partitions);
    order_by_partition(partitions, group_count, part->group_offsets, part->groups);
    uint32_t *pairs = part->groups + group_count;
    for (uint32_t a = 0; a < shape->aggregate_count; a++) {
        if (shape->specs[a].is_distinct) {
            part->pairs[a] = pairs;
            order_pairs(&part->table.distinct[a], partitions, partitions + group_count, arena,
                        part->pair_offsets[a], pairs);
            pairs += part->table.distinct[a].group_count;
        }
    }
    arena_destroy(arena);
    memory_free(budget, partitions, (size_t)group_count + item_max + 1);
    return STATUS_OK;
}

AggregatePart *aggregate_part_create(HashAggregate *aggregate)
{
    const AggregateShape *shape = &aggregate->shape;
    mutex_lock(&aggregate->mutex);
    if (aggregate->parts == NULL || aggregate->part_count == aggregate->part_capacity) {
        aggregate->part_capacity *= aggregate->parts == NULL ? 1 : 2;
        AggregatePart **parts =
            ARENA_ARRAY(aggregate->arena, AggregatePart *, aggregate->part_capacity);
        if (aggregate->part_count > 0) {
            memcpy(parts, aggregate->parts, aggregate->part_count * sizeof *parts);
        }
        aggregate->parts = parts;
    }
    AggregatePart *part = ARENA_NEW(aggregate->arena, AggregatePart);
    part->pairs = ARENA_ARRAY(aggregate->arena, uint32_t *, shape->aggregate_count);
    part->pair_offsets =
        arena_array(aggregate->arena, shape->aggregate_count, sizeof *part->pair_offsets);
    aggregate_table_init(&part->table, shape, aggregate->arena);
    aggregate->parts[aggregate->part_count++] = part;
    mutex_unlock(&aggregate->mutex);
    return part;
}

void aggregate_part_deinit(HashAggregate *aggregate, AggregatePart *part)
{
    if (part->groups != NULL) {
        memory_free(aggregate->query->budget, part->groups, part->list_bytes);
        part->groups = NULL;
    }
    aggregate_table_deinit(&part->table);
    spill_partitions_destroy(part->spill);
    part->spill = NULL;
}

// Merges the listed groups of `part`, with their DISTINCT pairs, into `table`. `partition`
// AGGREGATE_PARTITIONS stands for all.
static Status merge_part(HashAggregate *aggregate, AggregateTable *table, AggregateSpace *space,
                         const AggregatePart *part, uint32_t partition, Arena *arena)
{
    const AggregateShape *shape = &aggregate->shape;
    bool is_all = partition == AGGREGATE_PARTITIONS;
    uint32_t first = is_all ? 0 : part->group_offsets[partition];
    uint32_t end = is_all ? part->table.group_count : part->group_offsets[partition + 1];
    uint32_t *targets = NULL; // only pairs need them
    for (uint32_t a = 0; a < shape->aggregate_count && targets == NULL; a++) {
        if (shape->specs[a].is_distinct) {
            targets = ARENA_ARRAY(arena, uint32_t, (size_t)part->table.group_count + 1);
        }
    }
    uint32_t ids[VECTOR_ROWS];
    for (uint32_t i = first; i < end; i += VECTOR_ROWS) {
        uint32_t count = end - i < VECTOR_ROWS ? end - i : VECTOR_ROWS;
        for (uint32_t j = 0; j < count; j++) {
            ids[j] = is_all ? i + j : part->groups[i + j];
        }
        TRY(aggregate_table_merge(table, space, &part->table, ids, count));
        const uint32_t *merged = aggregate_space_targets(space);
        for (uint32_t j = 0; targets != NULL && j < count; j++) {
            targets[ids[j]] = merged[j];
        }
    }
    for (uint32_t a = 0; a < shape->aggregate_count; a++) {
        if (!shape->specs[a].is_distinct) {
            continue;
        }
        first = is_all ? 0 : part->pair_offsets[a][partition];
        end = is_all ? part->table.distinct[a].group_count : part->pair_offsets[a][partition + 1];
        for (uint32_t i = first; i < end; i += VECTOR_ROWS) {
            uint32_t count = end - i < VECTOR_ROWS ? end - i : VECTOR_ROWS;
            for (uint32_t j = 0; j < count; j++) {
                ids[j] = is_all ? i + j : part->pairs[a][i + j];
            }
            TRY(aggregate_table_merge_pairs(table, space, &part->table, a, ids, count, targets));
        }
    }
    return STATUS_OK;
}

static Status merge_at_once(HashAggregate *aggregate)
{
    uint32_t largest = 0;
    for (uint32_t i = 1; i < aggregate->part_count; i++) {
        if (aggregate->parts[i]->table.group_count > aggregate->parts[largest]->table.group_count) {
            largest = i;
        }
    }
    aggregate->result = &aggregate->parts[largest]->table;
    Arena *arena = arena_create(NULL, "merging groups");
    AggregateSpace *space = aggregate_space_create(&aggregate->shape, arena);
    Status status = STATUS_OK;
    for (uint32_t i = 0; i < aggregate->part_count && status == STATUS_OK; i++) {
        if (i != largest && aggregate->parts[i]->table.group_count > 0) {
            status = merge_part(aggregate, aggregate->result, space, aggregate->parts[i],
                                AGGREGATE_PARTITIONS, arena);
        }
    }
    arena_destroy(arena);
    return status;
}

bool aggregate_part_has_key_range(const HashAggregate *aggregate, const AggregatePart *part)
{
    const AggregateShape *shape = &aggregate->shape;
    int64_t min;
    uint64_t range;
    for (uint32_t a = 0; a < shape->aggregate_count; a++) {
        if (shape->specs[a].is_distinct) {
            return false; // pairs go with the partitions of their groups
        }
    }
    return part->spill == NULL && group_table_key_range(&part->table.groups, &min, &range);
}

// Cuts the key's range into partitions; false when some part has another order.
static bool find_key_ranges(HashAggregate *aggregate)
{
    bool is_first = true;
    int64_t first = 0, last = 0;
    for (uint32_t i = 0; i < aggregate->part_count; i++) {
        const AggregatePart *part = aggregate->parts[i];
        int64_t min;
        uint64_t range;
        if (part->groups != NULL || !aggregate_part_has_key_range(aggregate, part)) {
            return false;
        }
        group_table_key_range(&part->table.groups, &min, &range);
        if (range == 0) {
            continue;
        }
        int64_t max = (int64_t)((uint64_t)min + range - 1);
        first = is_first || min < first ? min : first;
        last = is_first || max > last ? max : last;
        is_first = false;
    }
    uint64_t span = (uint64_t)last - (uint64_t)first;
    aggregate->range_first = first;
    aggregate->range_span = span;
    const uint64_t known = (UINT64_C(1) << aggregate->shape.groups.key_shift) - 1;
    aggregate->range_step = ((span / AGGREGATE_PARTITIONS) | known) + 1;
    return true;
}

Status aggregate_finish(HashAggregate *aggregate)
{
    uint64_t group_count = 0;
    uint32_t used_parts = 0;
    bool has_spilled = false;
    if (aggregate->part_count == 0) {
        aggregate_part_create(aggregate); // no worker had anything to do
    }
    for (uint32_t i = 0; i < aggregate->part_count; i++) {
        const AggregatePart *part = aggregate->parts[i];
        group_count += part->table.group_count;
        used_parts += part->table.group_count > 0;
        if (part->spill != NULL) {
            has_spilled = true;
            aggregate->spilled_bytes += spill_file_bytes(part->spill->file);
        }
    }
    if (has_spilled || (used_parts > 1 && group_count > MERGE_AT_ONCE_GROUPS)) {
        aggregate->has_key_ranges = !has_spilled && find_key_ranges(aggregate);
        if (aggregate->has_key_ranges) {
            return STATUS_OK;
        }
        for (uint32_t i = 0; i < aggregate->part_count; i++) {
            if (aggregate->parts[i]->groups == NULL) {
                TRY(aggregate_part_partition(aggregate, aggregate->parts[i]));
            }
        }
        return STATUS_OK;
    }
    TRY(merge_at_once(aggregate));
    if (aggregate->shape.key_count == 0 && !aggregate->plan->is_partial) {
        TRY(aggregate_table_ensure_group(aggregate->result));
    }
    return STATUS_OK;
}

/* --- the source --- */

static Status source_local_open(Source *self, void *local, Arena *worker_arena)
{
    HashAggregate *aggregate = aggregate_of_source(self);
    SourceLocal *state = local;
    state->arena = worker_arena;
    state->space = aggregate_space_create(&aggregate->shape, worker_arena);
    state->groups = ARENA_ARRAY(worker_arena, uint32_t, VECTOR_ROWS);
    state->buffers = ARENA_ARRAY(worker_arena, VectorBuffer, self->output_count);
    for (uint32_t c = 0; c < self->output_count; c++) {
        vector_buffer_init(&state->buffers[c], worker_arena);
    }
    return STATUS_OK;
}

static void drop_table(SourceLocal *local)
{
    if (local->table_arena != NULL) {
        aggregate_table_deinit(&local->table);
        arena_destroy(local->table_arena);
        local->table_arena = NULL;
    }
    local->current = NULL;
}

static void start_table(HashAggregate *aggregate, SourceLocal *local)
{
    drop_table(local);
    local->table_arena = arena_create(NULL, "partition");
    aggregate_table_init(&local->table, &aggregate->part_shape, local->table_arena);
    local->current = &local->table;
    local->next_group = 0;
}

// Adds the rows of a stream on disk to the table.
static Status read_stream(AggregateFill *fill, SpillFile *file, uint32_t stream)
{
    const AggregateShape *shape = &fill->aggregate->shape;
    SpillReader reader;
    spill_reader_init(&reader, file, stream, shape->input_types, shape->input_count,
                      shape->query->budget);
    Status status = STATUS_OK;
    for (;;) {
        SharedBatch *shared;
        status = spill_reader_next(&reader, &shared);
        if (status != STATUS_OK || shared == NULL) {
            break;
        }
        status = aggregate_fill_add(fill, &shared->batch);
        shared_batch_unpin(shared);
        if (status == STATUS_OK) {
            status = query_context_check(shape->query);
        }
        if (status != STATUS_OK) {
            break;
        }
    }
    spill_reader_deinit(&reader);
    return status;
}

// What did not fit goes to the worker's own list.
static Status keep_sub_partitions(HashAggregate *aggregate, SourceLocal *local,
                                  SpillPartitions *spill, uint32_t depth)
{
    TRY(spill_partitions_finish(spill));
    __atomic_fetch_add(&aggregate->spilled_bytes, spill_file_bytes(spill->file), __ATOMIC_RELAXED);
    for (uint32_t p = 0; p < SPILL_PARTITIONS; p++) {
        SubPartition *sub = ARENA_NEW(local->arena, SubPartition);
        *sub = (SubPartition){.next = local->waiting,
                              .spill = spill,
                              .stream = p,
                              .depth = depth + 1,
                              .is_last = p == 0};
        local->waiting = sub;
    }
    return STATUS_OK;
}

// Merges all groups of the partition's range of keys.
static Status load_key_range(HashAggregate *aggregate, SourceLocal *local, uint32_t partition)
{
    uint64_t offset = partition * aggregate->range_step;
    if (offset > aggregate->range_span) {
        local->end_group = 0;
        return STATUS_OK;
    }
    uint64_t left = aggregate->range_span - offset + 1;
    uint64_t range = aggregate->range_step < left ? aggregate->range_step : left;
    int64_t first = (int64_t)((uint64_t)aggregate->range_first + offset);
    uint32_t ids[VECTOR_ROWS];
    group_table_expect_range(&local->table.groups, first, range);
    for (uint32_t i = 0; i < aggregate->part_count; i++) {
        const AggregateTable *part = &aggregate->parts[i]->table;
        uint64_t cursor = 0;
        uint32_t count;
        while ((count = group_table_range_groups(&part->groups, first, range, partition == 0,
                                                 &cursor, ids)) > 0) {
            TRY(aggregate_table_merge(&local->table, local->space, part, ids, count));
        }
    }
    local->end_group = local->table.group_count;
    return STATUS_OK;
}

static Status load_partition(HashAggregate *aggregate, SourceLocal *local, uint32_t partition)
{
    start_table(aggregate, local);
    if (aggregate->has_key_ranges) {
        return load_key_range(aggregate, local, partition);
    }
    SpillPartitions *spill = NULL;
    AggregateFill fill;
    aggregate_fill_init(&fill, aggregate, &local->table, &spill, 1, local->space,
                        local->table_arena);
    for (uint32_t i = 0; i < aggregate->part_count; i++) {
        const AggregatePart *part = aggregate->parts[i];
        TRY(merge_part(aggregate, &local->table, local->space, part, partition,
                       local->table_arena));
    }
    Status status = STATUS_OK;
    for (uint32_t i = 0; i < aggregate->part_count && status == STATUS_OK; i++) {
        if (aggregate->parts[i]->spill != NULL) {
            status = read_stream(&fill, aggregate->parts[i]->spill->file, partition);
        }
    }
    if (spill != NULL && status == STATUS_OK) {
        status = keep_sub_partitions(aggregate, local, spill, 1);
    } else if (spill != NULL) {
        spill_partitions_destroy(spill);
    }
    local->end_group = local->table.group_count;
    return status;
}

static Status load_sub_partition(HashAggregate *aggregate, SourceLocal *local)
{
    SubPartition *sub = local->waiting;
    local->waiting = sub->next;
    start_table(aggregate, local);
    SpillPartitions *spill = NULL;
    AggregateFill fill;
    aggregate_fill_init(&fill, aggregate, &local->table, &spill, sub->depth, local->space,
                        local->table_arena);
    Status status = read_stream(&fill, sub->spill->file, sub->stream);
    if (sub->is_last) {
        spill_partitions_destroy(sub->spill);
    }
    if (spill != NULL && status == STATUS_OK) {
        status = keep_sub_partitions(aggregate, local, spill, sub->depth);
    } else if (spill != NULL) {
        spill_partitions_destroy(spill);
    }
    local->end_group = local->table.group_count;
    return status;
}

// The next groups to be given out; false when there are none for this worker.
static Status next_groups(HashAggregate *aggregate, SourceLocal *local, bool *has_groups)
{
    *has_groups = true;
    if (aggregate->result != NULL) {
        uint32_t first = __atomic_fetch_add(&aggregate->next_group, VECTOR_ROWS, __ATOMIC_RELAXED);
        uint32_t count = aggregate->result->group_count;
        *has_groups = first < count;
        local->current = aggregate->result;
        local->next_group = first;
        local->end_group = count - first < VECTOR_ROWS ? count : first + VECTOR_ROWS;
        return STATUS_OK;
    }
    if (local->waiting != NULL) {
        return load_sub_partition(aggregate, local);
    }
    uint32_t partition = __atomic_fetch_add(&aggregate->next_partition, 1, __ATOMIC_RELAXED);
    *has_groups = partition < AGGREGATE_PARTITIONS;
    return *has_groups ? load_partition(aggregate, local, partition) : STATUS_OK;
}

static Status source_produce(Source *self, void *local, Batch *out, Flow *flow)
{
    HashAggregate *aggregate = aggregate_of_source(self);
    SourceLocal *state = local;
    *flow = FLOW_MORE;
    if (state->current == NULL || state->next_group >= state->end_group) {
        bool has_groups;
        TRY(next_groups(aggregate, state, &has_groups));
        if (!has_groups) {
            *flow = FLOW_DONE;
            return STATUS_OK;
        }
    }
    uint32_t count = state->end_group - state->next_group;
    count = count < aggregate->query->batch_rows ? count : aggregate->query->batch_rows;
    if (count == 0) {
        return STATUS_OK; // an empty partition
    }
    for (uint32_t i = 0; i < count; i++) {
        state->groups[i] = state->next_group + i;
    }
    state->next_group += count;
    return aggregate_table_gather(state->current, state->groups, count, state->buffers, out);
}

static void source_local_close(Source *self, void *local)
{
    (void)self;
    SourceLocal *state = local;
    drop_table(state);
    for (SubPartition *sub = state->waiting; sub != NULL; sub = sub->next) {
        if (sub->is_last) {
            spill_partitions_destroy(sub->spill);
        }
    }
}

static void source_stop(Source *self)
{
    aggregate_release(aggregate_of_source(self));
}

static uint32_t source_parallelism(Source *self)
{
    HashAggregate *aggregate = aggregate_of_source(self);
    if (aggregate->result != NULL) {
        return aggregate->result->group_count / GROUPS_PER_WORKER + 1;
    }
    return AGGREGATE_PARTITIONS;
}

const SourceOps hash_aggregate_source_ops = {
    .name = "HashAggregate",
    .local_bytes = sizeof(SourceLocal),
    .local_open = source_local_open,
    .produce = source_produce,
    .local_close = source_local_close,
    .stop = source_stop,
    .parallelism = source_parallelism,
};
