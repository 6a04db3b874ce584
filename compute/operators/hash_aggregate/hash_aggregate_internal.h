/* hash_aggregate_internal.h — the operator's shared state: sink in hash_aggregate.c, merging and
 * the source in aggregate_merge.c. */
#pragma once
#include "compute/exec/memory_share.h"
#include "compute/exec/spill_partitions.h"
#include "compute/operators/expr_columns.h"
#include "compute/operators/hash_aggregate.h"
#include "compute/operators/hash_aggregate/aggregate_table.h"

#define AGGREGATE_PARTITIONS SPILL_PARTITIONS

/* What one worker leaves behind. */
typedef struct AggregatePart {
    AggregateTable table;
    SpillPartitions *spill; /* rows of groups that had no room; may be null */
    uint32_t *groups;       /* all groups by partition, then the pairs; null until needed */
    size_t list_bytes;
    uint32_t group_offsets[AGGREGATE_PARTITIONS + 1];
    uint32_t (*pair_offsets)[AGGREGATE_PARTITIONS + 1]; /* per aggregate */
    uint32_t **pairs; /* per aggregate: pairs by the partition of their group */
} AggregatePart;

typedef struct HashAggregate {
    Sink sink;
    Source source;
    QueryContext *query;
    const PlanAggregate *plan;
    AggregateShape shape, part_shape; /* of workers' tables; of one for a partition */
    MemoryShare *share;
    ExprColumns inputs;
    ScanSummaries *summaries;  /* null: every row comes as a row */
    uint32_t *summary_columns; /* by aggregate: its argument among the columns the scan reads */
    Arena *arena;              /* guarded by mutex while workers merge */
    Mutex mutex;
    AggregatePart **parts;
    uint32_t part_count, part_capacity;
    /* Set by finish: */
    AggregateTable *result; /* everything, or null: partition by partition */
    bool has_key_ranges;    /* partitions are ranges of the one key, of `range_step` */
    int64_t range_first;
    uint64_t range_span, range_step;     /* the last key is range_first + range_span */
    uint32_t next_group, next_partition; /* atomic */
    uint64_t spilled_bytes;
} HashAggregate;

static inline HashAggregate *aggregate_of_source(Source *self)
{
    return (HashAggregate *)((char *)self - offsetof(HashAggregate, source));
}

extern const SourceOps hash_aggregate_source_ops;
/* A part of its own, in memory that lives until the operator is closed. Any worker. */
AggregatePart *aggregate_part_create(HashAggregate *aggregate);
/* Puts the part's groups (and pairs) into the order of their partitions. */
Status aggregate_part_partition(HashAggregate *aggregate, AggregatePart *part) CHECKED;
/* Whether partitions can be ranges of the key's words: the part needs no order then. */
bool aggregate_part_has_key_range(const HashAggregate *aggregate, const AggregatePart *part);
void aggregate_part_deinit(HashAggregate *aggregate, AggregatePart *part);
/* Gives all tables back, once the results have been given out. */
void aggregate_release(HashAggregate *aggregate);
/* Decides how results are given out; merges at once when there is little. */
Status aggregate_finish(HashAggregate *aggregate) CHECKED;
/* Adds rows to `table`; those that find no room go to `*spill`, made when needed. `columns` are the
 * inputs, as a batch whose selection is to be added. */
typedef struct AggregateFill {
    HashAggregate *aggregate;
    AggregateTable *table;
    AggregateSpace *space;
    SpillPartitions **spill;
    uint32_t depth;
    bool is_closed;
    GroupSpace *hash_space;
    uint64_t *hashes;
    uint16_t *left;
    const Vector **vectors;
} AggregateFill;
void aggregate_fill_init(AggregateFill *fill, HashAggregate *aggregate, AggregateTable *table,
                         SpillPartitions **spill, uint32_t depth, AggregateSpace *space,
                         Arena *worker_arena);
Status aggregate_fill_add(AggregateFill *fill, const Batch *columns) CHECKED;
