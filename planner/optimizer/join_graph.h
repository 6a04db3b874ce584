/*
 * join_graph.h — a nest of joins taken apart: inputs, and the conditions between them.
 *
 * Inner joins may be done in any order. Joins that keep left rows (LEFT, SEMI, ANTI, MARK, …) take
 * part as attached inputs: an attached input can only be the right side of its own join, once the
 * inputs its condition uses are together. That is all the order that is left of
 *   (A left join B on p(a, b)) join C on q(a, c)  =  (A join C on q(a, c)) left join B on p(a, b)
 *
 * Sets of inputs are bit masks.
 */
#pragma once
#include "planner/logical/column_set.h"
#include "planner/optimizer/cardinality.h"

#define JOIN_INPUTS_MAX 60
typedef uint64_t InputMask;

typedef struct JoinGraphInput {
    LogicalNode *node;
    ColumnSet columns; /* what others may refer to: an attached SEMI side gives none */
    bool is_attached;
    JoinKind join; /* attached: its join's kind */
    ColumnNumber mark;
    PointerList conjuncts; /* attached: its join's own condition */
    InputMask required;    /* attached: inputs the condition uses besides its own */
} JoinGraphInput;

typedef struct JoinPredicate {
    Expr *expr;
    InputMask inputs;
} JoinPredicate;

/* Columns that are equal in every result row; at most one per input (others are filtered there). */
typedef struct JoinClass {
    InputMask inputs;
    ColumnNumber columns[JOIN_INPUTS_MAX]; /* by input; 0: none */
    Type type;
} JoinClass;

typedef struct JoinGraph {
    Arena *arena;
    uint32_t input_count;
    JoinGraphInput inputs[JOIN_INPUTS_MAX];
    InputMask attached;
    PointerList predicates;             /* JoinPredicate */
    PointerList classes;                /* JoinClass */
    InputMask bridges[JOIN_INPUTS_MAX]; /* per input: others it may be cross joined with */
} JoinGraph;

bool join_graph_can_flatten(const LogicalNode *node);
/* Takes the nest with `root` on top apart. Inputs are the nodes below it, as they are. */
JoinGraph *join_graph_create(Arena *arena, LogicalNode *root);
/* Connects what no condition connects, by the inputs with fewest rows. After estimates are known.
 */
void join_graph_add_bridges(JoinGraph *graph);

/* Can these sets be inputs of one inner join without a cross product? */
bool join_graph_is_connected(const JoinGraph *graph, InputMask left, InputMask right);
/* The conjuncts that an inner join of the two sets must apply. */
void join_graph_conditions(const JoinGraph *graph, InputMask left, InputMask right,
                           PointerList *conjuncts);
/* Those that become possible above an attached input's join: for a filter over it. */
void join_graph_conditions_above(const JoinGraph *graph, InputMask left, uint32_t attached,
                                 PointerList *conjuncts);
