/*
 * step.h — a physical plan while it is being chosen: operators with a place, not yet fragments.
 *
 * For every logical node the distributor keeps a few steps that differ in where their rows are
 * (StepList); the cheapest whole is cut into fragments at its exchanges (cut_fragments.h).
 * Expressions still refer to columns by number. Steps are immutable and shared by alternatives.
 *
 * Invariants: (1) a step gives at least the columns its user asked for; (2) two steps of a list
 * differ in distribution or home; (3) costs include all inputs; (4) copies of a table's rows are
 * never moved: a row id means another row on another node.
 */
#pragma once
#include "planner/optimizer/cardinality.h"
#include "planner/optimizer/join_strategy.h"

typedef enum StepKind {
    STEP_SCAN, /* of a GET: a table or a virtual table */
    STEP_VALUES,
    STEP_STORED, /* rows of a shared CTE */
    STEP_COPY,
    STEP_FILTER,
    STEP_PROJECT,
    STEP_JOIN,
    STEP_AGGREGATE,
    STEP_SORT, /* with a limit: top-N */
    STEP_LIMIT,
    STEP_UNION_ALL,
    STEP_WINDOW,
    STEP_EXCHANGE,
    STEP_WRITE,
    STEP_DELETE,
    STEP_VACUUM
} StepKind;

typedef struct StepSortKey {
    ColumnNumber column;
    bool is_descending, is_nulls_first;
} StepSortKey;

/* A join condition taken apart. */
typedef struct StepJoin {
    JoinKind join; /* logical: left and right */
    bool builds_left;
    uint32_t key_count;
    Expr **left_keys, **right_keys;
    bool *is_null_equal;
    Expr *residual; /* with no keys: the whole condition; null: none */
    ColumnNumber mark;
    bool is_build_unique;
    JoinMove left_move, right_move;
} StepJoin;

typedef struct Step Step;
struct Step {
    StepKind kind;
    const LogicalNode *node; /* what it computes; null where a logical node became several */
    Distribution distribution;
    ColumnNumber home; /* 0, or the column with the node that keeps a row of the table that is
                        * changed: such a row has not left it, or all nodes have their own copies */
    double cost, rows, width;
    uint32_t column_count;
    const LogicalColumn *columns;
    uint32_t input_count;
    Step **inputs;
    union {
        Expr *condition; /* FILTER */
        Expr **exprs;    /* PROJECT */
        StepJoin *join;
        struct {
            uint32_t key_count, aggregate_count;
            Expr **keys;
            AggregateCall *aggregates;
            bool is_partial;
        } aggregate;
        struct {
            uint32_t key_count;
            StepSortKey *keys;
            uint64_t limit, offset;
        } sort; /* LIMIT: without keys */
        struct {
            uint32_t partition_count, order_count, call_count;
            ColumnNumber *partition;
            StepSortKey *order;
            WindowCall *calls;
        } window;
        struct {
            ExchangeKind kind;
            uint32_t key_count, merge_key_count;
            ColumnNumber *keys;
            StepSortKey *merge_keys;
        } exchange;
        uint32_t cte_id; /* STORED */
    };
};

#define STEP_LIST_MAX 8
typedef struct StepList {
    uint32_t count;
    Step *steps[STEP_LIST_MAX];
} StepList;

/* A common table expression that is computed once. */
typedef struct SharedCte {
    uint32_t cte_id;
    const char *name;
    const Step *definition;
} SharedCte;

typedef struct Placer {
    PlannerContext *context;
    Arena *arena;
    Estimator *estimator;
    CostModel cost;
    PointerList ctes; /* SharedCte, in the order of definition */
} Placer;

/* The rows of a table on every node, each node's own copies. */
bool step_is_replica(const Step *step);
/* Adds a step unless another one is as good everywhere and no dearer; drops what it makes
 * superfluous. */
void step_list_add(StepList *list, Step *step);
const Step *step_list_cheapest(const StepList *list);

/* A step whose cost is `own_cost` above its inputs'. Columns, rows and distribution of the first
 * input, if there is one, until the caller changes them. */
Step *step_new(Placer *placer, StepKind kind, const LogicalNode *node, uint32_t input_count,
               Step *const *inputs, double own_cost);
void step_set_columns(Placer *placer, Step *step, uint32_t count, const LogicalColumn *columns);
const LogicalColumn *step_find_column(const Step *step, ColumnNumber number);
/* The step, or a project of it, that gives just the columns in `needed`. */
Step *step_trim(Placer *placer, Step *step, const ColumnSet *needed);
/* The step's rows brought to `target`: itself when they are there, else through an exchange of the
 * columns in `needed` and the hash keys. */
Step *step_move(Placer *placer, Step *step, const Distribution *target, const ColumnSet *needed);
/* Rows of a table to the nodes that keep them, as the column `home` says. */
Step *step_move_home(Placer *placer, Step *step, ColumnNumber home, const ColumnSet *needed);
/* The step's rows on every node, the same ones: sums of floating-point numbers that each node adds
 * up for itself may differ in their last digits. */
Step *step_replicate(Placer *placer, Step *step, const ColumnSet *needed);
/* To the leader or to one node, keeping the order by `keys` in which each sender's rows are. */
Step *step_merge(Placer *placer, Step *step, DistributionKind target, uint32_t key_count,
                 StepSortKey *keys, const ColumnSet *needed);
/* The step with the expressions that are not plain columns computed as extra columns; `numbers`
 * gets the column of each. */
Step *step_with_columns(Placer *placer, Step *step, uint32_t count, Expr *const *exprs,
                        ColumnNumber *numbers);
