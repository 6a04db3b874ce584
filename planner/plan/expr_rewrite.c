/*
 * expr_rewrite.c — copies of expressions with parts replaced.
 *
 * expr_rewrite is the one recursion: it rebuilds parents whose children changed and shares the
 * others. expr_copy and expr_replace_columns are two uses of it.
 */
#include "planner/plan/expr.h"

#include <string.h>

#include "planner/plan/plan.h"

typedef struct Rewrite {
    Arena *arena;
    Expr *(*map)(void *object, const Expr *expr);
    void *object;
    bool is_full_copy;
} Rewrite;

static Expr *rewrite(const Rewrite *self, const Expr *expr);

/* The rewritten list: `list` itself when nothing in it changed. */
static Expr **rewrite_list(const Rewrite *self, Expr **list, uint32_t count)
{
    Expr **copy = self->is_full_copy && count > 0 ? ARENA_ARRAY(self->arena, Expr *, count) : NULL;
    for (uint32_t i = 0; i < count; i++) {
        Expr *item = rewrite(self, list[i]);
        if (copy == NULL && item != list[i]) {
            copy = ARENA_ARRAY(self->arena, Expr *, count);
            memcpy(copy, list, i * sizeof(*list));
        }
        if (copy != NULL) {
            copy[i] = item;
        }
    }
    return copy == NULL ? list : copy;
}

static void aggregate_call_rewrite(const Rewrite *self, AggregateCall *call)
{
    call->argument = call->argument == NULL ? NULL : rewrite(self, call->argument);
    call->filter = call->filter == NULL ? NULL : rewrite(self, call->filter);
}

static void window_call_rewrite(const Rewrite *self, WindowCall *call)
{
    call->args = rewrite_list(self, call->args, call->arg_count);
    call->partition = rewrite_list(self, call->partition, call->partition_count);
    if (call->order_count > 0) {
        call->order =
            arena_memdup(self->arena, call->order, call->order_count * sizeof(*call->order));
    }
    for (uint32_t i = 0; i < call->order_count; i++) {
        call->order[i].expr = rewrite(self, call->order[i].expr);
    }
}

/* Brings text of constants into the copy's own arena. */
static void copy_values(Arena *arena, Expr *copy)
{
    if (copy->kind == EXPR_CONSTANT) {
        copy->constant = value_copy(arena, &copy->constant);
    } else if (copy->kind == EXPR_IN && copy->in.value_count > 0) {
        Value *values = ARENA_ARRAY(arena, Value, copy->in.value_count);
        for (uint32_t i = 0; i < copy->in.value_count; i++) {
            values[i] = value_copy(arena, &copy->in.values[i]);
        }
        copy->in.values = values;
    }
}

static Expr *rewrite(const Rewrite *self, const Expr *expr)
{
    Expr *replacement = self->map == NULL ? NULL : self->map(self->object, expr);
    if (replacement != NULL) {
        return replacement;
    }
    Expr **args = rewrite_list(self, expr->args, expr->arg_count);
    bool has_calls = expr->kind == EXPR_AGGREGATE || expr->kind == EXPR_WINDOW;
    if (args == expr->args && !has_calls && !self->is_full_copy) {
        return (Expr *)expr; // shared: expressions are immutable
    }
    Expr *copy = arena_memdup(self->arena, expr, sizeof(*expr));
    copy->args = args;
    if (self->is_full_copy) {
        copy_values(self->arena, copy);
    }
    if (expr->kind == EXPR_AGGREGATE) {
        copy->aggregate = arena_memdup(self->arena, expr->aggregate, sizeof(*expr->aggregate));
        aggregate_call_rewrite(self, copy->aggregate);
    } else if (expr->kind == EXPR_WINDOW) {
        copy->window = arena_memdup(self->arena, expr->window, sizeof(*expr->window));
        window_call_rewrite(self, copy->window);
    }
    return copy;
}

Expr *expr_copy(Arena *arena, const Expr *expr)
{
    Rewrite self = {.arena = arena, .is_full_copy = true};
    return rewrite(&self, expr);
}

Expr *expr_rewrite(Arena *arena, const Expr *expr, Expr *(*map)(void *object, const Expr *expr),
                   void *object)
{
    Rewrite self = {.arena = arena, .map = map, .object = object};
    return rewrite(&self, expr);
}

typedef struct ColumnMap {
    Expr *(*map)(void *object, const Expr *column);
    void *object;
} ColumnMap;

static Expr *map_column(void *object, const Expr *expr)
{
    const ColumnMap *columns = object;
    return expr->kind == EXPR_COLUMN ? columns->map(columns->object, expr) : NULL;
}

Expr *expr_replace_columns(Arena *arena, const Expr *expr,
                           Expr *(*map)(void *object, const Expr *column), void *object)
{
    ColumnMap columns = {map, object};
    return expr_rewrite(arena, expr, map_column, &columns);
}
