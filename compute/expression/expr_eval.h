/*
 * expr_eval.h — expressions compiled to a flat, typed list of kernel calls, run on batches.
 *
 * Compile once per operator (shared, read-only), make one ExprState per worker. Kernels are chosen
 * per vector by lane and bounds: narrow lanes stay narrow; overflow is proven impossible from the
 * bounds or checked (22003). Only selected rows are computed; errors of rows that are not selected
 * never surface (CASE and AND evaluate their later parts on the rows that reach them).
 */
#pragma once
#include "base/setting.h"
#include "base/vector/batch.h"
#include "base/vector/predicate.h"
#include "planner/plan/expr.h"

typedef struct ExprProgram ExprProgram;
typedef struct ExprState ExprState;

/* `input_types`: the columns EXPR_COLUMN refers to. Common subexpressions are computed once.
 * 0A000 for what has no kernel. */
Status expr_compile(Arena *arena, Expr *const *exprs, uint32_t expr_count, const Type *input_types,
                    uint32_t input_count, ExprProgram **out) CHECKED;
ExprState *expr_state_create(const ExprProgram *program, Arena *worker_arena);
/* Evaluates expression `index` (all results stay valid until the next call of expr_begin). */
void expr_begin(ExprState *state, Batch *input);
Status expr_evaluate(ExprState *state, uint32_t index, const Vector **out) CHECKED;
/* All expressions into out->columns; rows and selection as in `input`. */
Status expr_project(ExprState *state, Batch *input, Batch *out) CHECKED;
/* Treats the program's expressions as conjuncts: narrows `batch`'s selection to the rows where all
 * are true. The order adapts to measured cost and selectivity. `selection` space is the state's. */
Status expr_filter(ExprState *state, Batch *batch) CHECKED;

/* One row, no columns: constant folding. The value's text is in `arena`. */
Status expr_evaluate_constant(const Expr *expr, Arena *arena, Value *out) CHECKED;
/* Turns a conjunct over one column into a Predicate when it has such a shape (comparison with a
 * constant, IN, BETWEEN parts, IS [NOT] NULL, prefix LIKE as a range that may admit too much: then
 * *is_exact is false and the conjunct must be kept). */
bool expr_to_predicate(const Expr *expr, Arena *arena, uint32_t *column, Predicate *out,
                       bool *is_exact);
