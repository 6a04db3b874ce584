/*
 * identity.c — the numbers of IDENTITY columns.
 *
 *   a integer identity(100, 10):  the n-th row ever made, n from 0, has 100 + 10 n
 *
 * Rows of VALUES take their numbers from the catalog one by one. Rows of a query are numbered by
 * row_number(), from the first number that is free: how many there were is known at the end.
 */
#include "planner/binder/binder_internal.h"

int32_t identity_column(const CatalogTable *table)
{
    for (uint32_t i = 0; i < table->column_count; i++) {
        if (table->columns[i].is_identity) {
            return (int32_t)i;
        }
    }
    return -1;
}

Status identity_check_assigned(const CatalogColumn *column, int32_t position)
{
    return !column->is_identity || column->is_identity_by_default
               ? STATUS_OK
               : status_at(position, SQLSTATE_GENERATED_ALWAYS,
                           "cannot set an identity column to a value");
}

static Status too_large(const CatalogColumn *column)
{
    return status_error(SQLSTATE_NUMERIC_VALUE_OUT_OF_RANGE,
                        "the numbers of identity column \"%s\" are used up", column->name);
}

/* seed + number * step */
static Status number_value(const CatalogColumn *column, int64_t number, int64_t *out)
{
    int64_t value = 0;
    bool is_over = __builtin_mul_overflow(number, column->identity_step, &value);
    is_over = __builtin_add_overflow(value, column->identity_seed, &value) || is_over;
    *out = value;
    return is_over ? too_large(column) : STATUS_OK;
}

Status identity_take(Binder *binder, const CatalogTable *table, uint32_t count, int64_t *first)
{
    const CatalogView *catalog = binder->catalog;
    *first = 0;
    return catalog->identity_numbers == NULL
               ? STATUS_OK
               : catalog->identity_numbers(catalog->self, table, count, first);
}

Status identity_constant(Binder *binder, const CatalogColumn *column, int64_t number, Expr **out)
{
    int64_t value = 0;
    TRY(number_value(column, number, &value));
    if (value < type_int64_min(column->type) || value > type_int64_max(column->type)) {
        return too_large(column);
    }
    *out = expr_int64(binder->arena, (TypeId)column->type.id, value);
    return STATUS_OK;
}

/* row_number() over () beside the rows. */
static LogicalNode *number_rows(Binder *binder, LogicalNode *rows, LogicalColumn *number)
{
    WindowCall *call = ARENA_NEW(binder->arena, WindowCall);
    *number = (LogicalColumn){.number = planner_new_column(binder->context),
                              .name = "number",
                              .type = type_of(TYPE_BIGINT)};
    *call = (WindowCall){.id = WINDOW_ROW_NUMBER,
                         .type = number->type,
                         .start = FRAME_UNBOUNDED_PRECEDING,
                         .end = FRAME_CURRENT_ROW};
    return logical_window(binder->arena, rows, 1, call, number);
}

Status identity_of_rows(Binder *binder, const CatalogTable *table, LogicalNode **rows, Expr **out)
{
    Arena *arena = binder->arena;
    const CatalogColumn *column = &table->columns[identity_column(table)];
    LogicalColumn *number = ARENA_NEW(arena, LogicalColumn);
    Type type = type_of(TYPE_BIGINT);
    int64_t first = 0, before = 0;
    TRY(identity_take(binder, table, 0, &first));
    TRY(number_value(column, first - 1, &before)); // row numbers begin at 1
    *rows = number_rows(binder, *rows, number);
    Expr *steps = expr_call2(arena, FUNCTION_MULTIPLY, type, logical_column_expr(arena, number),
                             expr_int64(arena, TYPE_BIGINT, column->identity_step));
    Expr *value = expr_call2(arena, FUNCTION_ADD, type, steps,
                             expr_int64(arena, TYPE_BIGINT, before));
    return coerce(binder, value, column->type, CAST_ASSIGNMENT, out);
}
