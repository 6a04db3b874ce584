/*
 * fold.h — expressions made simpler without changing what they mean, on any row and for any NULL.
 *
 * What fails when it is folded (a division by zero, a cast that overflows) stays as it is: the
 * error belongs to the rows that reach it.
 */
#pragma once
#include "planner/logical/logical_plan.h"

/* Constants folded, logic simplified, NOT pushed inwards, constants on the right of comparisons,
 * casts of columns moved to the constant they are compared with. */
Expr *fold_expr(PlannerContext *context, Expr *expr);
/* The value of a function of constants, where planning can tell: false where it cannot. */
bool fold_call(PlannerContext *context, const Expr *call, Value *out);
/* `column::type <op> constant` as a comparison of the column itself, or null. */
Expr *fold_cast_comparison(Arena *arena, const Expr *comparison);
/* (a and b) or (a and c) -> a and (b or c); x = 1 or x = 2 -> x in (1, 2). */
Expr *fold_or(Arena *arena, Expr *expr);
/* TRUE, FALSE or NULL as a constant condition. */
bool is_constant_true(const Expr *expr);
bool is_constant_false_or_null(const Expr *expr);
