/* predicate_infer.h — conditions that follow from others, so that they can filter earlier. */
#pragma once
#include "planner/logical/column_set.h"

/* Adds to `conjuncts`, all of which hold: a = b and p(a) -> p(b), for comparisons of a column with
 * a constant and IN lists. Columns must have the same type. */
void infer_from_equalities(Arena *arena, PointerList *conjuncts);
/* From a disjunction over several inputs, what it demands of the columns in `side` alone:
 * (x = 1 and y = 2) or (x = 3 and z) -> x in (1, 3); null when a branch demands nothing. */
Expr *infer_from_or(Arena *arena, const Expr *disjunction, const ColumnSet *side);
