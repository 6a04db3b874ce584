/*
 * expr_columns.h — the values of a list of expressions over a batch; plain columns cost nothing.
 */
#pragma once
#include "compute/expression/expr_eval.h"

typedef struct ExprColumns {
    uint32_t count;
    const uint32_t *columns; /* per expression: the input column it is, or EXPR_COLUMNS_NONE */
    const uint32_t *program_index; /* else: its index in the program */
    const Type *types;
    ExprProgram *program; /* null: plain columns only */
} ExprColumns;
#define EXPR_COLUMNS_NONE UINT32_MAX

typedef struct ExprColumnsLocal {
    ExprState *state;
} ExprColumnsLocal;

Status expr_columns_init(ExprColumns *self, Arena *arena, Expr *const *exprs, uint32_t expr_count,
                         const Type *input_types, uint32_t input_count) CHECKED;
void expr_columns_open(const ExprColumns *self, ExprColumnsLocal *local, Arena *worker_arena);
/* One vector per expression, none of them lazy, valid for the selected rows of `batch` until the
 * next call and as long as the batch. */
Status expr_columns_evaluate(const ExprColumns *self, ExprColumnsLocal *local, Batch *batch,
                             const Vector **out) CHECKED;
