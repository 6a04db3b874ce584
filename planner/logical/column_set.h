/*
 * column_set.h — sets of query-wide column numbers, as bits that grow in an arena.
 *
 * A zeroed set is empty. Sets are passed by pointer and never shared between owners.
 */
#pragma once
#include "planner/logical/logical_plan.h"

typedef struct ColumnSet {
    uint64_t *words;
    uint32_t word_count;
} ColumnSet;

void column_set_add(ColumnSet *set, ColumnNumber column, Arena *arena);
void column_set_remove(ColumnSet *set, ColumnNumber column);
bool column_set_has(const ColumnSet *set, ColumnNumber column);
void column_set_add_all(ColumnSet *set, const ColumnSet *other, Arena *arena);
void column_set_remove_all(ColumnSet *set, const ColumnSet *other);
bool column_set_is_subset(const ColumnSet *set, const ColumnSet *of);
bool column_set_intersects(const ColumnSet *set, const ColumnSet *other);
bool column_set_is_empty(const ColumnSet *set);
uint32_t column_set_count(const ColumnSet *set);
/* The smallest member above `after`; 0 when there is none. Start with 0. */
ColumnNumber column_set_next(const ColumnSet *set, ColumnNumber after);

/* The node's output columns. */
ColumnSet column_set_of_node(const LogicalNode *node, Arena *arena);
/* Columns an expression uses; for subqueries also the outer columns their plans use. */
void column_set_add_expr(ColumnSet *set, const Expr *expr, Arena *arena);
/* Columns the expressions of this one node use. */
void column_set_add_used(ColumnSet *set, const LogicalNode *node, Arena *arena);
bool column_set_covers_expr(const ColumnSet *set, const Expr *expr, Arena *arena);
/* Columns used somewhere in the tree that no node of it gives: what makes it correlated. */
void column_set_add_free(ColumnSet *set, const LogicalNode *root, Arena *arena);
bool logical_is_correlated(const LogicalNode *root, Arena *arena);
