/* fold.c — bottom-up simplification of expressions; see fold.h. */
#include "planner/optimizer/fold.h"

#include <string.h>

#include "base/types/text_format.h"
#include "planner/optimizer/selectivity.h"

static Expr *fold_node(PlannerContext *context, Expr *expr);

bool is_constant_true(const Expr *expr)
{
    const Value *value;
    return expr_is_constant(expr, &value) && !value->is_null && value->i64 != 0;
}

bool is_constant_false_or_null(const Expr *expr)
{
    const Value *value;
    return expr_is_constant(expr, &value) && (value->is_null || value->i64 == 0);
}

static bool is_null_constant(const Expr *expr)
{
    const Value *value;
    return expr_is_constant(expr, &value) && value->is_null;
}

static Expr *null_of(Arena *arena, Type type)
{
    Value value = value_null(type);
    return expr_constant(arena, &value);
}

static Expr *constant_of(Arena *arena, Value value, Type type)
{
    value.type = type;
    return expr_constant(arena, &value);
}

/* AND and OR: the neutral constant goes, the deciding one wins, repeated arguments go. */
static Expr *fold_connective(Arena *arena, Expr *expr)
{
    bool is_and = expr->kind == EXPR_AND;
    Expr **args = ARENA_ARRAY(arena, Expr *, expr->arg_count);
    uint32_t count = 0;
    for (uint32_t i = 0; i < expr->arg_count; i++) {
        const Value *value;
        if (expr_is_constant(expr->args[i], &value) && !value->is_null) {
            if ((value->i64 != 0) != is_and) {
                return expr_boolean(arena, !is_and);
            }
            continue;
        }
        bool is_repeated = false;
        for (uint32_t k = 0; k < count; k++) {
            is_repeated |= expr_equal(args[k], expr->args[i]);
        }
        if (!is_repeated) {
            args[count++] = expr->args[i];
        }
    }
    Expr *folded = is_and ? expr_and(arena, count, args) : expr_or(arena, count, args);
    return folded->kind == EXPR_OR ? fold_or(arena, folded) : folded;
}

static Expr *negated_list(PlannerContext *context, const Expr *expr)
{
    Expr **args = ARENA_ARRAY(context->arena, Expr *, expr->arg_count);
    for (uint32_t i = 0; i < expr->arg_count; i++) {
        args[i] = fold_node(context, expr_not(context->arena, expr->args[i]));
    }
    return expr->kind == EXPR_AND ? expr_or(context->arena, expr->arg_count, args)
                                  : expr_and(context->arena, expr->arg_count, args);
}

/* NOT moves inwards, where comparisons, IN and IS NULL swallow it; all of them keep NULL. */
static Expr *fold_not(PlannerContext *context, Expr *expr)
{
    Arena *arena = context->arena;
    Expr *arg = expr->args[0];
    const Value *value;
    if (expr_is_constant(arg, &value)) {
        return value->is_null ? arg : expr_boolean(arena, value->i64 == 0);
    }
    switch (arg->kind) {
    case EXPR_NOT:
        return arg->args[0];
    case EXPR_AND:
    case EXPR_OR:
        return fold_connective(arena, negated_list(context, arg));
    case EXPR_IS_NULL:
        return expr_is_not_null(arena, arg->args[0]);
    case EXPR_IS_NOT_NULL:
        return expr_is_null(arena, arg->args[0]);
    case EXPR_IN: {
        Expr *copy = arena_memdup(arena, arg, sizeof(*arg));
        copy->in.is_negated = !arg->in.is_negated;
        return copy;
    }
    case EXPR_SUBQUERY:
        if (arg->subquery.kind != SUBQUERY_SCALAR) {
            Expr *copy = arena_memdup(arena, arg, sizeof(*arg));
            copy->subquery.is_negated = !arg->subquery.is_negated;
            return copy;
        }
        return expr;
    case EXPR_CALL:
        if (is_comparison(arg->function)) {
            Expr *copy = arena_memdup(arena, arg, sizeof(*arg));
            copy->function = comparison_inverse(arg->function);
            return copy;
        }
        return expr;
    default:
        return expr;
    }
}

/* Branches that can never be taken go; a branch always taken ends the CASE. */
static Expr *fold_case(Arena *arena, Expr *expr)
{
    Expr **args = ARENA_ARRAY(arena, Expr *, expr->arg_count);
    uint32_t count = 0;
    Expr *otherwise = expr->args[expr->arg_count - 1];
    for (uint32_t i = 0; i + 1 < expr->arg_count; i += 2) {
        if (is_constant_false_or_null(expr->args[i])) {
            continue;
        }
        if (is_constant_true(expr->args[i])) {
            otherwise = expr->args[i + 1];
            break;
        }
        args[count++] = expr->args[i];
        args[count++] = expr->args[i + 1];
    }
    if (count == 0) {
        return type_equal(otherwise->type, expr->type) ? otherwise : expr;
    }
    if (count + 1 == expr->arg_count) {
        return expr;
    }
    args[count++] = otherwise;
    Expr *copy = arena_memdup(arena, expr, sizeof(*expr));
    copy->args = args;
    copy->arg_count = count;
    return copy;
}

static Expr *fold_coalesce(Arena *arena, Expr *expr)
{
    Expr **args = ARENA_ARRAY(arena, Expr *, expr->arg_count);
    uint32_t count = 0;
    for (uint32_t i = 0; i < expr->arg_count; i++) {
        if (is_null_constant(expr->args[i])) {
            continue;
        }
        args[count++] = expr->args[i];
        if (expr_is_constant(expr->args[i], NULL)) {
            break; // never NULL: nothing behind it counts
        }
    }
    if (count == 0) {
        return null_of(arena, expr->type);
    }
    if (count == 1 && type_equal(args[0]->type, expr->type)) {
        return args[0];
    }
    return expr_call(arena, FUNCTION_COALESCE, expr->type, count, args);
}

static bool are_all_constant(const Expr *expr)
{
    for (uint32_t i = 0; i < expr->arg_count; i++) {
        if (!expr_is_constant(expr->args[i], NULL)) {
            return false;
        }
    }
    return true;
}

/* Constant on the right; then the cast around a column, if there is one, goes to the constant. */
static Expr *fold_comparison(Arena *arena, Expr *expr)
{
    if (expr_is_constant(expr->args[0], NULL) && !expr_is_constant(expr->args[1], NULL)) {
        expr = expr_call2(arena, comparison_swapped(expr->function), expr->type, expr->args[1],
                          expr->args[0]);
    }
    Expr *unwrapped = fold_cast_comparison(arena, expr);
    return unwrapped == NULL ? expr : unwrapped;
}

static Expr *fold_function(PlannerContext *context, Expr *expr)
{
    Arena *arena = context->arena;
    for (uint32_t i = 0; i < expr->arg_count && function_is_strict(expr->function); i++) {
        if (is_null_constant(expr->args[i])) {
            return null_of(arena, expr->type);
        }
    }
    if (expr->function == FUNCTION_COALESCE) {
        return fold_coalesce(arena, expr);
    }
    if (are_all_constant(expr) && !function_is_volatile(expr->function)) {
        Value value;
        return fold_call(context, expr, &value) ? constant_of(arena, value, expr->type) : expr;
    }
    return is_comparison(expr->function) ? fold_comparison(arena, expr) : expr;
}

static Expr *fold_cast(PlannerContext *context, Expr *expr)
{
    const Value *value;
    if (type_equal(expr->type, expr->args[0]->type)) {
        return expr->args[0];
    }
    if (!expr_is_constant(expr->args[0], &value)) {
        return expr;
    }
    if (value->is_null) {
        return null_of(context->arena, expr->type);
    }
    Value result;
    Status status = value_cast(value, expr->type, expr->is_explicit, context->arena, &result);
    if (status != STATUS_OK) {
        status_ignore(status, "a cast that fails is left to the rows that reach it");
        return expr;
    }
    return constant_of(context->arena, result, expr->type);
}

static Expr *fold_in(Arena *arena, Expr *expr)
{
    const Value *value;
    if (expr_is_constant(expr->args[0], &value)) {
        bool is_found = false;
        for (uint32_t i = 0; !value->is_null && i < expr->in.value_count; i++) {
            is_found |= value_equal(value, &expr->in.values[i]);
        }
        if (value->is_null || (!is_found && expr->in.has_null_value)) {
            return null_of(arena, expr->type);
        }
        return expr_boolean(arena, is_found != expr->in.is_negated);
    }
    if (expr->in.value_count == 1 && !expr->in.has_null_value) {
        Expr *one = expr_constant(arena, &expr->in.values[0]);
        FunctionId op = expr->in.is_negated ? FUNCTION_NOT_EQUAL : FUNCTION_EQUAL;
        return expr_call2(arena, op, expr->type, expr->args[0], one);
    }
    return expr;
}

/* One node whose arguments are folded already. */
static Expr *fold_node(PlannerContext *context, Expr *expr)
{
    const Value *value;
    switch (expr->kind) {
    case EXPR_CALL:
        return fold_function(context, expr);
    case EXPR_CAST:
        return fold_cast(context, expr);
    case EXPR_CASE:
        return fold_case(context->arena, expr);
    case EXPR_AND:
    case EXPR_OR:
        return fold_connective(context->arena, expr);
    case EXPR_NOT:
        return fold_not(context, expr);
    case EXPR_IS_NULL:
    case EXPR_IS_NOT_NULL:
        if (expr_is_constant(expr->args[0], &value)) {
            return expr_boolean(context->arena, value->is_null == (expr->kind == EXPR_IS_NULL));
        }
        return expr;
    case EXPR_IN:
        return fold_in(context->arena, expr);
    default:
        return expr;
    }
}

Expr *fold_expr(PlannerContext *context, Expr *expr)
{
    if (expr->kind == EXPR_COLUMN || expr->kind == EXPR_CONSTANT) {
        return expr;
    }
    Expr **args = NULL;
    for (uint32_t i = 0; i < expr->arg_count; i++) {
        Expr *arg = fold_expr(context, expr->args[i]);
        if (arg != expr->args[i] && args == NULL) {
            args = arena_memdup(context->arena, expr->args, expr->arg_count * sizeof(*args));
        }
        if (args != NULL) {
            args[i] = arg;
        }
    }
    if (args != NULL) {
        expr = arena_memdup(context->arena, expr, sizeof(*expr));
        expr->args = args;
    }
    return fold_node(context, expr);
}
