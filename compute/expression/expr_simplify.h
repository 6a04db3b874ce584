/* expr_simplify.h — comparisons with constants, without the casts that binding put in. */
#pragma once
#include "compute/expression/expr_eval.h"

typedef struct Comparison {
    FunctionId op;
    const Expr *value; /* <op> */
    Value bound;       /* not NULL; borrowed */
} Comparison;
/* False when `expr` is no comparison of something with a constant. */
bool expr_simplify_comparison(const Expr *expr, Comparison *out);
