/*
 * hash_join_internal.h — the join's shared state, and what its parts ask of each other.
 *
 *   hash_join.c   what the plan needs: keys, payload, outputs; the pieces
 *   build.c       build side into the table; insertion; runtime_filters.c publishes what it knows
 *   probe.c       probe batches against a table: candidates, residual condition, matched rows
 *   emit.c        output batches of each kind of join
 *   unknown.c     NOT IN and marks: whether a missing match is false or unknown
 *   rest.c        what is given after the probe side: unmatched build rows, spilled partitions
 *   spill.c       both sides in partitions on disk
 */
#pragma once
#include "compute/exec/memory_share.h"
#include "compute/exec/spill_partitions.h"
#include "compute/expression/expr_eval.h"
#include "compute/operators/expr_columns.h"
#include "compute/operators/hash_join.h"
#include "compute/operators/hash_join/join_table.h"

/* Where an output column comes from. */
typedef enum JoinOutputKind {
    JOIN_OUTPUT_PROBE,
    JOIN_OUTPUT_PAYLOAD,
    JOIN_OUTPUT_MARK
} JoinOutputKind;
typedef struct JoinOutput {
    JoinOutputKind kind;
    uint32_t index; /* probe column, or payload column */
} JoinOutput;

/* Workers' partitions of one side. */
typedef struct JoinSpillList {
    SpillPartitions **items;
    uint32_t count;
} JoinSpillList;

/* Both sides on disk, when the build side does not fit: every row goes there, and the rest source
 * joins partition by partition. Rows are [keys][payload], and [keys][probe columns that are
 * needed]. */
typedef struct JoinSpill {
    bool is_active;                    /* atomic: set by the first worker that was refused */
    bool is_possible;                  /* not for joins that must see all build rows at once */
    uint32_t build_count, probe_count; /* columns on disk */
    const Type *build_types, *probe_types;
    const uint32_t *probe_columns; /* probe_count - key_count probe columns */
    JoinSpillList builds, probes;  /* guarded by the join's mutex */
    uint64_t bytes;
    uint32_t next_partition; /* atomic */
} JoinSpill;
typedef struct JoinFilters JoinFilters; /* runtime_filters.c */

typedef struct HashJoin {
    Sink build;
    Source insert, reinsert;
    Sink inserted, reinserted;
    Transform probe;
    Source rest;

    QueryContext *query;
    const PlanHashJoin *plan;
    JoinKind kind;
    uint32_t probe_count, build_count; /* columns of the two sides */
    ExprColumns probe_keys, build_keys;
    JoinShape shape, part_shape; /* of the join's table; of one for a partition from disk */
    MemoryShare *share;
    const uint32_t *payload; /* build columns that are kept */
    const Type *payload_types;
    JoinOutput *outputs;   /* output_count of the probe */
    ExprProgram *residual; /* over probe ++ build columns; may be null */
    bool *residual_probe,
        *residual_payload; /* columns the residual reads: by probe column, payload */
    bool *needed_probe;    /* probe columns that outputs or residual read */
    bool emits_build_rest; /* RIGHT, FULL, RIGHT_SEMI, RIGHT_ANTI */
    bool marks_build_rows; /* the link's matched flag is kept */
    bool is_null_aware;    /* ANTI_NULL, MARK: unknown differs from false */

    Mutex mutex; /* guards table and spill while workers merge */
    JoinTable table;
    uint32_t next_insert_page, next_reinsert_page, next_rest_page; /* atomic */
    bool needs_reinsert; /* the first insertion found keys twice */
    JoinFilters *filters;
    JoinSpill spill;
} HashJoin;

static inline HashJoin *join_of_build(Sink *self)
{
    return (HashJoin *)((char *)self - offsetof(HashJoin, build));
}
static inline HashJoin *join_of_insert(Source *self)
{
    return (HashJoin *)((char *)self - offsetof(HashJoin, insert));
}
static inline HashJoin *join_of_reinsert(Source *self)
{
    return (HashJoin *)((char *)self - offsetof(HashJoin, reinsert));
}
static inline HashJoin *join_of_inserted(Sink *self)
{
    return (HashJoin *)((char *)self - offsetof(HashJoin, inserted));
}
static inline HashJoin *join_of_reinserted(Sink *self)
{
    return (HashJoin *)((char *)self - offsetof(HashJoin, reinserted));
}
static inline HashJoin *join_of_probe(Transform *self)
{
    return (HashJoin *)((char *)self - offsetof(HashJoin, probe));
}
static inline HashJoin *join_of_rest(Source *self)
{
    return (HashJoin *)((char *)self - offsetof(HashJoin, rest));
}

extern const SinkOps hash_join_build_ops, hash_join_inserted_ops, hash_join_reinserted_ops;
extern const SourceOps hash_join_insert_ops, hash_join_reinsert_ops, hash_join_rest_ops;
extern const TransformOps hash_join_probe_ops;

/* Gives back the table and the partitions, once all rows have come. */
void join_release(HashJoin *join);

/* --- probing --- */
typedef enum ProbePhase { PROBE_START, PROBE_LEVELS, PROBE_PAIRS, PROBE_FINAL } ProbePhase;

/* One worker's probing of one table. */
typedef struct ProbeState {
    HashJoin *join;
    const JoinTable *table;
    ProbePhase phase; /* of the current batch */
    ExprState *residual;
    const Vector **keys;
    uint16_t *rows;  /* candidates when some rows of the batch are none */
    JoinProbe probe; /* what the lookup works on */
    uint16_t *scratch;
    uint16_t *active; /* physical rows that still have a chain to follow */
    uint32_t active_count;
    uint32_t level;
    JoinRow *chain;    /* by physical row: the build row that is next */
    RowMask matched;   /* physical rows that have a match */
    RowMask null_keys; /* physical rows with a NULL key that matches nothing */
    bool has_null_keys;
    RowMask unknown; /* null-aware joins: rows for which some residual was NULL */

    uint16_t *selection;           /* of the output */
    JoinRow *pointers;             /* compact build rows of an output */
    VectorBuffer *payload_buffers; /* by payload column */
    Batch pair;                    /* probe ++ build columns, for the residual */
    VectorBuffer *pair_buffers;    /* by probe column: copies for pairs; null lanes until used */
    uint16_t *pair_rows;
    JoinRow *pair_pointers;
    VectorBuffer mark;
    Arena *arena;
} ProbeState;

void probe_state_init(ProbeState *state, HashJoin *join, const JoinTable *table,
                      Arena *worker_arena);
/* Joins `in` whose keys are `keys` (null: they are evaluated by the caller into state->keys). The
 * first call for a batch has phase PROBE_START. */
Status probe_apply(ProbeState *state, Batch *in, Batch *out, Flow *flow) CHECKED;

/* --- spill.c --- */
static inline bool join_is_spilling(const HashJoin *join)
{
    // Relaxed: a worker that sees it late spills what it has at its merge.
    return __atomic_load_n(&join->spill.is_active, __ATOMIC_RELAXED);
}
void join_spill_plan(HashJoin *join, Arena *arena);
/* Whether a table of so many rows must go to disk because the settings say so. */
bool join_spill_is_forced(const HashJoin *join, const JoinTable *table, uint32_t depth);
/* Writes the table's rows to *partitions, made when needed, and empties the table. */
Status join_spill_table(HashJoin *join, JoinTable *table, uint32_t depth,
                        SpillPartitions **partitions) CHECKED;
/* Writes rows of the build side. */
Status join_spill_build(HashJoin *join, JoinTable *table, const JoinInput *input,
                        JoinAppendSpace *space, SpillPartitions **partitions) CHECKED;
/* Writes the selected rows of a probe batch whose keys are given. */
Status join_spill_probe(HashJoin *join, const Vector *const *keys, Batch *in,
                        SpillPartitions **partitions, Batch *columns, uint64_t *hashes) CHECKED;
/* A worker's partitions are complete and join the list. Takes them, also on failure. */
Status join_spill_add(HashJoin *join, JoinSpillList *list, SpillPartitions *owned) CHECKED;
void join_spill_close(HashJoin *join);

/* One worker's way through the partitions on disk, for the rest source. */
typedef struct JoinSpillReader JoinSpillReader;
JoinSpillReader *join_spill_reader_create(HashJoin *join, Arena *worker_arena);
/* Output of the join; FLOW_DONE when no partition is left. */
Status join_spill_reader_next(JoinSpillReader *reader, Batch *out, Flow *flow) CHECKED;
void join_spill_reader_close(JoinSpillReader *reader);

/* --- rest.c --- */
/* Build rows of `table` from page and slot on that the join gives after its probe side, up to a
 * batch; no rows at the end of the page. */
typedef struct RestCursor {
    uint32_t page, slot;
} RestCursor;
uint32_t join_rest_rows(const HashJoin *join, const JoinTable *table, RestCursor *cursor,
                        JoinRow *rows);

/* --- emit.c --- */
/* Rows `rows` of `in` with the build rows `pointers` (null pointers: NULLs, with `has_nulls`). */
void emit_joined(ProbeState *state, const Batch *in, const uint16_t *rows, const JoinRow *pointers,
                 uint32_t row_count, bool has_nulls, Batch *out);
/* The pairs of a dense batch: state->pair_rows and pair_pointers, narrowed to `selection` (may be
 * null). */
Status emit_pairs(ProbeState *state, Batch *in, uint32_t pair_count, const uint16_t *selection,
                  uint32_t selected_count, Batch *out) CHECKED;
/* What the join says at the end of a probe batch: unmatched rows, existence, marks. */
Status emit_final(ProbeState *state, Batch *in, Batch *out) CHECKED;
/* Build rows without a probe row: probe columns are NULL. */
void emit_build_rows(const HashJoin *join, const JoinTable *table, const JoinRow *pointers,
                     uint32_t row_count, VectorBuffer *payload_buffers, Batch *out);

/* --- unknown.c --- */
/* Of the unmatched selected rows, those for which the comparison is unknown. */
Status find_unknown(ProbeState *state, Batch *in, RowMask *unknown) CHECKED;

/* --- probe.c, for unknown.c: the pairs for which the residual is true. In a null-aware join those
 * for which it is NULL set their rows in state->unknown. --- */
Status filter_pairs(ProbeState *state, Batch *in, uint32_t pair_count, const uint16_t **selection,
                    uint32_t *selected_count) CHECKED;

/* --- runtime_filters.c --- */
Status join_filters_publish(HashJoin *join) CHECKED;
void join_filters_destroy(HashJoin *join);
