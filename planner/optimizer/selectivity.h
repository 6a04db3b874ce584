/* selectivity.h — the fraction of rows a condition keeps, from distinct counts and bounds. */
#pragma once
#include "planner/optimizer/cardinality.h"

/* A value as a number on the axis of its type: false for text, intervals and NULL. */
bool value_as_number(const Value *value, double *out);
/* `column <op> constant`, either way round: the column, the operator as seen from it, the value. */
typedef struct ColumnComparison {
    ColumnNumber column;
    FunctionId op;
    const Value *value;
} ColumnComparison;
bool match_column_comparison(const Expr *expr, ColumnComparison *out);
FunctionId comparison_swapped(FunctionId op); /* a < b is b > a */
FunctionId comparison_inverse(FunctionId op); /* not (a < b) is a >= b */
bool is_comparison(FunctionId op);            /* = <> < <= > >= */
