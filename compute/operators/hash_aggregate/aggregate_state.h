/*
 * aggregate_state.h — the running values of one aggregate, one per group, side by side.
 *
 * Sums of scaled integers are kept in 64 bits while the bounds of what came prove that enough, and
 * are folded into 128 bits before they might not be. `seen` tells groups that have a value; it does
 * not exist while all have one.
 */
#pragma once
#include "compute/exec/text_heap.h"
#include "compute/operators/hash_aggregate/group_table.h"
#include "planner/plan/plan.h"
#include "storage/scan.h"

typedef enum AggregateOp {
    AGGREGATE_OP_COUNT,
    AGGREGATE_OP_SUM,
    AGGREGATE_OP_MIN,
    AGGREGATE_OP_MAX,
    AGGREGATE_OP_FIRST /* ANY_VALUE, SINGLE_VALUE */
} AggregateOp;

typedef enum ValueClass {
    VALUE_CLASS_INT64,
    VALUE_CLASS_INT128,
    VALUE_CLASS_DOUBLE,
    VALUE_CLASS_TEXT,
    VALUE_CLASS_INTERVAL
} ValueClass;

/* What is to be computed. */
typedef struct AggregateSpec {
    AggregateOp op;
    ValueClass class; /* of the argument */
    Type argument_type, result_type;
    bool has_argument;
    bool is_zero_without_rows; /* counts: 0, not NULL */
    bool is_single;            /* SINGLE_VALUE, SINGLE_MATCH: 21000 on the second row */
    bool is_match;             /* SINGLE_MATCH: words it */
    bool is_distinct;
    const char *name;
} AggregateSpec;
/* 0A000 for what has no implementation. */
Status aggregate_spec_init(AggregateSpec *spec, const AggregateCall *call) CHECKED;

#define SEEN_VALUE 1
#define SEEN_NULL 2 /* SINGLE_VALUE's only row was NULL */

typedef struct AggregateState {
    const AggregateSpec *spec;
    MemoryBudget *budget;
    uint32_t capacity; /* groups */
    void *values;      /* int64_t (counts, exact sums), else the class's type, per group */
    Int128 *wide;      /* sums of integers and decimals: what was folded; null: nothing */
    uint8_t *seen;     /* null: all groups have a value */
    UInt128 magnitude; /* no 64-bit sum is larger */
    TextHeap text;
} AggregateState;

/* Rows to be added: the i-th goes to groups[i] (null: all to group 0). */
typedef struct AggregateRows {
    const uint16_t *rows; /* physical; null for those of the mask, or without one 0 .. count - 1 */
    const uint32_t *groups;
    uint32_t count;
    uint32_t group_count;        /* there are now */
    uint32_t former_group_count; /* there were before this batch */
    const RowMask *mask;         /* what `rows` says, when nearly all physical rows are in it */
    uint32_t row_end;            /* with a mask: physical rows end there */
    bool has_gaps;               /* rows were left out: new groups may be without any here */
    /* Few groups only, and no row left out: */
    const int64_t *group_rows;  /* rows per group of this batch; or null */
    const uint32_t *all_groups; /* by physical row, group_count for none; or null */
    uint32_t all_count;
} AggregateRows;

void aggregate_state_init(AggregateState *state, const AggregateSpec *spec, MemoryBudget *budget);
void aggregate_state_deinit(AggregateState *state);
/* Room for `capacity` groups, new ones empty. 53200: as before. */
Status aggregate_state_reserve(AggregateState *state, uint32_t capacity) CHECKED;
/* `argument` is null for COUNT(*). 53200, 21000. */
Status aggregate_state_update(AggregateState *state, const Vector *argument,
                              const AggregateRows *rows) CHECKED;
/* Whether it may be given rows of group 0 as a mask alone. */
bool aggregate_state_takes_mask(const AggregateState *state, const Vector *argument);
/* Adds to group 0 what a scan knows of `row_count` rows that it did not read; `column` is null for
 * COUNT(*). 53200. */
Status aggregate_state_add_summary(AggregateState *state, uint64_t row_count,
                                   const ScanSummary *column) CHECKED;
/* Adds the values of source's groups to those of target: source_groups[i] to target_groups[i]. */
Status aggregate_state_merge(AggregateState *target, const AggregateState *source,
                             const uint32_t *source_groups, const uint32_t *target_groups,
                             uint32_t count, uint32_t former_group_count) CHECKED;
/* The results of the given groups. 22003. */
Status aggregate_state_gather(const AggregateState *state, const uint32_t *groups, uint32_t count,
                              VectorBuffer *buffer, Vector *out) CHECKED;
size_t aggregate_state_bytes(const AggregateState *state);

/* --- shared by the aggregate_*.c files --- */
static inline bool aggregate_is_exact_sum(const AggregateSpec *spec)
{
    return spec->op == AGGREGATE_OP_SUM &&
           (spec->class == VALUE_CLASS_INT64 || spec->class == VALUE_CLASS_INT128);
}
static inline bool aggregate_is_int64(const AggregateSpec *spec) /* kept in int64 lanes */
{
    return spec->op == AGGREGATE_OP_COUNT || spec->class == VALUE_CLASS_INT64 ||
           aggregate_is_exact_sum(spec);
}
static inline bool aggregate_compares(const AggregateSpec *spec) /* value by value; tracks `seen` */
{
    return spec->op == AGGREGATE_OP_FIRST ||
           (spec->class != VALUE_CLASS_INT64 &&
            (spec->op == AGGREGATE_OP_MIN || spec->op == AGGREGATE_OP_MAX));
}
/* Double sums, and minima, maxima and first values of any class; NULLs only for SINGLE_VALUE. */
Status aggregate_update_values(AggregateState *state, const Vector *argument,
                               const AggregateRows *rows) CHECKED;
/* Makes `seen` exist. */
Status aggregate_state_track_seen(AggregateState *state, uint32_t former_group_count) CHECKED;
/* Adds the 64-bit sums to the 128-bit ones and starts them anew. */
Status aggregate_state_fold(AggregateState *state) CHECKED;
