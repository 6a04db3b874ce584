/* expr_columns.c — plain columns are taken from the batch, the rest is computed by one program. */
#include "compute/operators/expr_columns.h"

Status expr_columns_init(ExprColumns *self, Arena *arena, Expr *const *exprs, uint32_t expr_count,
                         const Type *input_types, uint32_t input_count)
{
    uint32_t *columns = ARENA_ARRAY(arena, uint32_t, expr_count);
    uint32_t *program_index = ARENA_ARRAY(arena, uint32_t, expr_count);
    Type *types = ARENA_ARRAY(arena, Type, expr_count);
    Expr **computed = ARENA_ARRAY(arena, Expr *, expr_count);
    uint32_t computed_count = 0;
    for (uint32_t i = 0; i < expr_count; i++) {
        types[i] = exprs[i]->type;
        columns[i] = EXPR_COLUMNS_NONE;
        if (exprs[i]->kind == EXPR_COLUMN) {
            columns[i] = exprs[i]->column;
        } else {
            program_index[i] = computed_count;
            computed[computed_count++] = exprs[i];
        }
    }
    *self = (ExprColumns){.count = expr_count, .columns = columns,
                          .program_index = program_index, .types = types};
    if (computed_count == 0) {
        return STATUS_OK;
    }
    return expr_compile(arena, computed, computed_count, input_types, input_count, &self->program);
}

void expr_columns_open(const ExprColumns *self, ExprColumnsLocal *local, Arena *worker_arena)
{
    local->state = self->program == NULL ? NULL : expr_state_create(self->program, worker_arena);
}

Status expr_columns_evaluate(const ExprColumns *self, ExprColumnsLocal *local, Batch *batch,
                             const Vector **out)
{
    if (local->state != NULL) {
        expr_begin(local->state, batch);
    }
    for (uint32_t i = 0; i < self->count; i++) {
        if (self->columns[i] != EXPR_COLUMNS_NONE) {
            TRY(batch_column(batch, self->columns[i], &out[i]));
        } else {
            TRY(expr_evaluate(local->state, self->program_index[i], &out[i]));
        }
    }
    return STATUS_OK;
}
