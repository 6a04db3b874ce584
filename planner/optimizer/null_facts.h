/* null_facts.h — what becomes of an expression when some of its columns are NULL. */
#pragma once
#include "planner/logical/column_set.h"

/* Surely NULL when all columns of `nulls` are. */
bool expr_is_null_when(const Expr *expr, const ColumnSet *nulls);
/* Surely not true (false or NULL) when all columns of `nulls` are NULL. */
bool expr_is_rejected_when(const Expr *expr, const ColumnSet *nulls);
/* Adds the columns that make the condition not true when they alone are NULL. */
void column_set_add_rejecting(ColumnSet *set, const Expr *condition, Arena *arena);
/* Can the expression be NULL, over the columns of `input`? */
bool expr_is_nullable(const Expr *expr, const LogicalNode *input);
