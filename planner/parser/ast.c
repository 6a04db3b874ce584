/*
 * ast.c — making nodes: the few constructors that are more than an allocation.
 */
#include "planner/parser/ast.h"

#include <string.h>

void *ast_list_grow(Arena *arena, void *items, uint32_t *capacity, size_t item_bytes)
{
    uint32_t grown = *capacity == 0 ? 4 : *capacity * 2;
    void *copy = arena_array(arena, grown, item_bytes);
    if (*capacity > 0) {
        memcpy(copy, items, *capacity * item_bytes);
    }
    *capacity = grown;
    return copy;
}

AstExpr *ast_expr(Arena *arena, AstExprKind kind, int32_t position)
{
    AstExpr *expr = ARENA_NEW(arena, AstExpr);
    expr->kind = (uint8_t)kind;
    expr->position = position;
    return expr;
}

AstExpr *ast_expr_args(Arena *arena, AstExprKind kind, int32_t position, uint32_t arg_count,
                       AstExpr *const *args)
{
    AstExpr *expr = ast_expr(arena, kind, position);
    expr->arg_count = arg_count;
    if (arg_count > 0) {
        expr->args = arena_memdup(arena, args, arg_count * sizeof(*args));
    }
    return expr;
}

// A chain of n terms would copy its args n times if each new term made a new array. The array has
// room for the next power of two, so a term is usually just written behind the last one; only the
// newest node of a chain is ever extended, and the older one is not used again.
AstExpr *ast_expr_connect(Arena *arena, AstExprKind kind, int32_t position, AstExpr *left,
                          AstExpr *right)
{
    if (left->kind != kind || left->is_parenthesised) {
        return ast_expr_args(arena, kind, position, 2, (AstExpr *[]){left, right});
    }
    uint32_t count = left->arg_count;
    bool is_full = (count & (count - 1)) == 0; // room is the next power of two
    if (is_full) {
        AstExpr **args = ARENA_ARRAY(arena, AstExpr *, (size_t)count * 2);
        memcpy(args, left->args, count * sizeof(*args));
        left->args = args;
    }
    left->args[count] = right;
    left->arg_count = count + 1;
    return left;
}

AstExpr *ast_expr_call(Arena *arena, const char *name, int32_t position, uint32_t arg_count,
                       AstExpr *const *args)
{
    AstExpr *expr = ast_expr_args(arena, AST_CALL, position, arg_count, args);
    expr->call = ARENA_NEW(arena, AstCall);
    expr->call->name = name;
    expr->call->has_parentheses = true;
    return expr;
}
