/*
 * cardinality.h — how many rows a plan node gives, guessed from the catalog's statistics.
 *
 * Row counts of tables are exact; single-table conjuncts are evaluated on the table's sample where
 * there is one; joins and groups go by distinct counts. Every estimate is at least one row.
 */
#pragma once
#include "planner/logical/column_set.h"

/* What is known of a column's values, wherever in the plan it is. */
typedef struct ColumnEstimate {
    bool is_known;
    double distinct; /* values, before filters on other columns; at least 1 */
    double null_fraction;
    bool has_bounds;
    double lo, hi;     /* numbers, dates, timestamps as numbers */
    double bytes;      /* a value's average size */
    double table_rows; /* of the table it comes from; 0: computed */
    uint64_t table_id;
    ColumnNumber origin; /* the GET's column it is a copy of; itself otherwise */
} ColumnEstimate;

typedef struct Estimator {
    PlannerContext *context;
    Arena *arena;
    ColumnEstimate *columns; /* by column number */
    uint32_t column_capacity;
    const LogicalNode **cte_definitions; /* by cte id */
    uint32_t cte_capacity;
} Estimator;

Estimator *estimator_create(PlannerContext *context);
/* Sets `rows` of every node of the tree and learns its columns, children first. */
void estimate_tree(Estimator *estimator, LogicalNode *root);
/* The same for one node whose children are done. */
void estimate_node(Estimator *estimator, LogicalNode *node);

const ColumnEstimate *estimate_column(Estimator *estimator, ColumnNumber column);
void estimate_set_distinct(Estimator *estimator, ColumnNumber column, double distinct);
double estimate_width(Estimator *estimator, const LogicalColumn *columns, uint32_t count);
double type_width(Type type);
/* Fraction of rows that satisfy all `count` conjuncts, 0..1. */
double estimate_selectivity(Estimator *estimator, Expr *const *conjuncts, uint32_t count);
/* Rows of a join of inputs with so many rows. */
double estimate_join(Estimator *estimator, JoinKind join, double left_rows, double right_rows,
                     Expr *const *conjuncts, uint32_t count, const ColumnSet *left_columns);
/* Sets the node's rows, its sides being done, and narrows the columns it joins. */
void estimate_join_node(Estimator *estimator, LogicalJoin *join);
/* Distinct combinations of `keys` among `rows`. */
double estimate_groups(Estimator *estimator, Expr *const *keys, uint32_t count, double rows);
