/*
 * logical_tree.h — building and walking trees of the logical algebra.
 *
 * Constructors set the output columns from the children. Rules change nodes in place: a node
 * belongs to exactly one parent, so nothing else sees the change.
 */
#pragma once
#include "planner/logical/logical_plan.h"

void logical_set_child(LogicalNode *node, uint32_t index, LogicalNode *child);
/* Calls `visit` with the place of every expression of this node (not of its children); optional
 * ones may hold null. */
void logical_each_expr(LogicalNode *node, void (*visit)(void *object, Expr **slot), void *object);
/* Output columns of a node that passes its children's on: filter, join, sort, limit, distinct,
 * CTE, and the first columns of a window. Others keep theirs. */
void logical_refresh_columns(Arena *arena, LogicalNode *node);
/* The column of that number among the node's outputs, or null. */
const LogicalColumn *logical_find_column(const LogicalNode *node, ColumnNumber number);
ColumnNumber planner_new_column(PlannerContext *context);
const char *join_kind_name(JoinKind join);

/* One row of no columns: what SELECT without FROM reads. */
LogicalNode *logical_one_row(Arena *arena);
LogicalNode *logical_filter(Arena *arena, LogicalNode *child, Expr *condition); /* null: child */
/* A project of `count` expressions giving `columns`. */
LogicalNode *logical_project(Arena *arena, LogicalNode *child, uint32_t count, Expr **exprs,
                             LogicalColumn *columns);
/* A project of all the child's columns and, after them, `count` new ones. */
LogicalNode *logical_extend(Arena *arena, LogicalNode *child, uint32_t count, Expr **exprs,
                            const LogicalColumn *columns);
/* MARK joins: `mark` is the number of the boolean column, else 0. */
LogicalNode *logical_join(Arena *arena, JoinKind join, LogicalNode *left, LogicalNode *right,
                          Expr *condition, ColumnNumber mark);
LogicalNode *logical_aggregate(Arena *arena, LogicalNode *child, uint32_t key_count, Expr **keys,
                               uint32_t aggregate_count, AggregateCall *aggregates,
                               LogicalColumn *columns);
/* The child's columns, then `columns`, one per call. */
LogicalNode *logical_window(Arena *arena, LogicalNode *child, uint32_t call_count,
                            WindowCall *calls, const LogicalColumn *columns);
LogicalNode *logical_distinct(Arena *arena, LogicalNode *child);
LogicalNode *logical_set(Arena *arena, SetKind set, LogicalNode *left, LogicalNode *right,
                         LogicalColumn *columns);
LogicalNode *logical_limit(Arena *arena, LogicalNode *child, uint64_t limit, uint64_t offset);
LogicalNode *logical_cte(Arena *arena, uint32_t cte_id, const char *name, LogicalNode *definition,
                         LogicalNode *child);
/* A reference giving fresh numbers for the definition's columns. */
LogicalNode *logical_cte_reference(PlannerContext *context, uint32_t cte_id,
                                   const LogicalNode *definition);
/* A new column of an expression: its type, name and, for a plain column, its origin. */
LogicalColumn logical_column(ColumnNumber number, const char *name, const Expr *expr,
                             const LogicalNode *child);
Expr *logical_column_expr(Arena *arena, const LogicalColumn *column);

/* From old to new column numbers, while copying. */
typedef struct ColumnRenumbering {
    ColumnNumber *numbers; /* by old number; 0: not copied, stays */
    uint32_t count;
} ColumnRenumbering;
ColumnNumber column_renumbering_get(const ColumnRenumbering *map, ColumnNumber number);
/* A deep copy whose columns all have new numbers; outer columns stay. `*map` may be used to
 * find the copies. CTEs defined inside get new ids. */
LogicalNode *logical_copy(PlannerContext *context, const LogicalNode *root, ColumnRenumbering *map);

/* An expression over the columns of a copied tree, for the copy. */
Expr *logical_copied_expr(Arena *arena, const Expr *expr, const ColumnRenumbering *map);

/* Does some expression of the tree give a new value at every call? */
bool logical_has_volatile(LogicalNode *root);
/* Replaces columns in all expressions of the tree, plans of subqueries included. `map` as in
 * expr_replace_columns. */
void logical_replace_columns(Arena *arena, LogicalNode *root,
                             Expr *(*map)(void *object, const Expr *column), void *object);
/* expr_replace_columns that also goes into the plans of subqueries (changed in place). */
Expr *logical_replace_in_expr(Arena *arena, Expr *expr,
                              Expr *(*map)(void *object, const Expr *column), void *object);

/* Conjuncts of a condition (null: none) in a list of Expr pointers, and back (null for none). */
void conjuncts_add(Arena *arena, PointerList *list, Expr *condition);
Expr *conjuncts_join(Arena *arena, const PointerList *list);
