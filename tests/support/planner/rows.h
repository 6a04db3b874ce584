/*
 * rows.h — rows of values, and expressions over them, for the planner's tests: slow, short, and
 * written from SQL's definitions, not from the engine.
 */
#pragma once
#include "planner/logical/logical_plan.h"

typedef struct Rows {
    Arena *arena;
    uint32_t column_count, count, capacity;
    Value **items;
} Rows;

Rows *rows_create(Arena *arena, uint32_t column_count);
Value *rows_add(Rows *rows); /* a new row's values, to be set */
void rows_add_copy(Rows *rows, const Value *values);
/* One line per row, sorted unless `is_ordered`: equal texts are equal bags of rows. */
const char *rows_print(const Rows *rows, bool is_ordered);

/* Where EXPR_COLUMN finds its value, and what runs EXPR_SUBQUERY. */
typedef struct Evaluator {
    Arena *arena;
    Value (*column)(void *object, uint32_t column);
    Value (*subquery)(void *object, const Expr *expr);
    void *object;
    const char *failure; /* the first run-time error, else null */
} Evaluator;
Value evaluate(Evaluator *self, const Expr *expr);
bool evaluate_condition(Evaluator *self, const Expr *condition); /* null: true; NULL: false */
Value evaluate_comparison(FunctionId op, const Value *left, const Value *right);

/* An aggregate's running state. */
typedef struct Accumulator {
    const AggregateCall *call;
    Rows *distinct;
    uint64_t count;
    Value value;
} Accumulator;
void accumulator_add(Accumulator *self, Evaluator *evaluator);
Value accumulator_result(const Accumulator *self, Evaluator *evaluator);

/* The node that owns a row of a table, for `node_count` nodes counted from 0; -1: all of them. */
int row_node(DistributionStyle style, int32_t distribution_column, const Value *row,
             uint32_t row_index, uint32_t node_count);
