/*
 * expr.c — building, comparing and rewriting expressions.
 *
 * Expressions are immutable, so rewriting copies only the path from the root to what changed and
 * shares the rest. A subquery's plan is opaque here: whoever rewrites columns that a correlated
 * subquery uses must look into its plan too (planner/logical/logical_expr.h).
 */
#include "planner/plan/expr.h"

#include <string.h>

#include "base/hash.h"
#include "planner/plan/plan.h"

static Expr *expr_new(Arena *arena, ExprKind kind, Type type)
{
    Expr *expr = ARENA_NEW(arena, Expr);
    expr->kind = kind;
    expr->type = type;
    expr->position = POSITION_NONE;
    return expr;
}

Expr *expr_column(Arena *arena, uint32_t column, Type type)
{
    Expr *expr = expr_new(arena, EXPR_COLUMN, type);
    expr->column = column;
    return expr;
}

Value value_copy(Arena *arena, const Value *value)
{
    Value copy = *value;
    if (!value->is_null && type_is_text(value->type) && value->text.length > TEXT_INLINE_MAX) {
        copy.text.data = arena_memdup(arena, value->text.data, value->text.length);
    }
    return copy;
}

Expr *expr_constant(Arena *arena, const Value *value)
{
    Expr *expr = expr_new(arena, EXPR_CONSTANT, value->type);
    expr->constant = value_copy(arena, value);
    return expr;
}

Expr *expr_int64(Arena *arena, TypeId type, int64_t value)
{
    Value constant = value_int64(type_of(type), value);
    return expr_constant(arena, &constant);
}

Expr *expr_boolean(Arena *arena, bool value)
{
    return expr_int64(arena, TYPE_BOOLEAN, value ? 1 : 0);
}

Expr *expr_call(Arena *arena, FunctionId function, Type type, uint32_t arg_count, Expr **args)
{
    Expr *expr = expr_new(arena, EXPR_CALL, type);
    expr->function = function;
    expr->arg_count = arg_count;
    expr->args = args;
    if (arg_count > 0) {
        expr->position = args[0]->position;
    }
    return expr;
}

Expr *expr_call2(Arena *arena, FunctionId function, Type type, Expr *left, Expr *right)
{
    Expr **args = ARENA_ARRAY(arena, Expr *, 2);
    args[0] = left;
    args[1] = right;
    return expr_call(arena, function, type, 2, args);
}

Expr *expr_case(Arena *arena, Type type, uint32_t arg_count, Expr **args)
{
    Expr *expr = expr_new(arena, EXPR_CASE, type);
    expr->position = args[0]->position;
    expr->arg_count = arg_count;
    expr->args = args;
    return expr;
}

/* A node of `kind` with one argument. */
static Expr *expr_unary(Arena *arena, ExprKind kind, Type type, Expr *arg)
{
    Expr *expr = expr_new(arena, kind, type);
    expr->position = arg->position;
    expr->arg_count = 1;
    expr->args = ARENA_ARRAY(arena, Expr *, 1);
    expr->args[0] = arg;
    return expr;
}

Expr *expr_cast(Arena *arena, Expr *arg, Type type, bool is_explicit)
{
    Expr *expr = expr_unary(arena, EXPR_CAST, type, arg);
    expr->is_explicit = is_explicit;
    return expr;
}

Expr *expr_not(Arena *arena, Expr *arg)
{
    return expr_unary(arena, EXPR_NOT, type_of(TYPE_BOOLEAN), arg);
}

Expr *expr_is_null(Arena *arena, Expr *arg)
{
    return expr_unary(arena, EXPR_IS_NULL, type_of(TYPE_BOOLEAN), arg);
}

Expr *expr_is_not_null(Arena *arena, Expr *arg)
{
    return expr_unary(arena, EXPR_IS_NOT_NULL, type_of(TYPE_BOOLEAN), arg);
}

/* AND or OR of `args`, taking in the arguments of nested nodes of the same kind. */
static Expr *expr_connective(Arena *arena, ExprKind kind, uint32_t arg_count, Expr **args)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < arg_count; i++) {
        count += args[i]->kind == kind ? args[i]->arg_count : 1;
    }
    if (count == 0) {
        return expr_boolean(arena, kind == EXPR_AND);
    }
    if (arg_count == 1) {
        return args[0];
    }
    Expr *expr = expr_new(arena, kind, type_of(TYPE_BOOLEAN));
    expr->position = args[0]->position;
    expr->args = ARENA_ARRAY(arena, Expr *, count);
    for (uint32_t i = 0; i < arg_count; i++) {
        uint32_t inner_count = args[i]->kind == kind ? args[i]->arg_count : 1;
        Expr *const *inner = args[i]->kind == kind ? args[i]->args : &args[i];
        memcpy(expr->args + expr->arg_count, inner, inner_count * sizeof(*inner));
        expr->arg_count += inner_count;
    }
    return expr;
}

Expr *expr_and(Arena *arena, uint32_t arg_count, Expr **args)
{
    return expr_connective(arena, EXPR_AND, arg_count, args);
}

Expr *expr_or(Arena *arena, uint32_t arg_count, Expr **args)
{
    return expr_connective(arena, EXPR_OR, arg_count, args);
}

Expr *expr_and2(Arena *arena, Expr *left, Expr *right)
{
    if (left == NULL || right == NULL) {
        return left == NULL ? right : left;
    }
    return expr_and(arena, 2, (Expr *[]){left, right});
}

/* Equal as written: 'a' and 'a ' differ here although SQL finds them equal. */
static bool value_identical(const Value *left, const Value *right)
{
    if (!type_equal(left->type, right->type) || left->is_null != right->is_null) {
        return false;
    }
    if (left->is_null) {
        return true;
    }
    switch (type_widest_lane(left->type)) {
    case LANE_TEXT:
        return left->text.length == right->text.length &&
               memcmp(text_view_data(&left->text), text_view_data(&right->text),
                      left->text.length) == 0;
    case LANE_F32:
    case LANE_F64:
        return memcmp(&left->f64, &right->f64, sizeof(double)) == 0;
    case LANE_I128:
        return left->type.id == TYPE_INTERVAL
                   ? memcmp(&left->interval, &right->interval, sizeof(Interval)) == 0
                   : left->i128 == right->i128;
    default:
        return left->i64 == right->i64;
    }
}

static bool expr_equal_or_null(const Expr *left, const Expr *right)
{
    return left == NULL || right == NULL ? left == right : expr_equal(left, right);
}

static bool exprs_equal(Expr *const *left, uint32_t left_count, Expr *const *right,
                        uint32_t right_count)
{
    if (left_count != right_count) {
        return false;
    }
    for (uint32_t i = 0; i < left_count; i++) {
        if (!expr_equal(left[i], right[i])) {
            return false;
        }
    }
    return true;
}

bool aggregate_call_equal(const AggregateCall *left, const AggregateCall *right)
{
    return left->id == right->id && left->is_distinct == right->is_distinct &&
           expr_equal_or_null(left->argument, right->argument) &&
           expr_equal_or_null(left->filter, right->filter);
}

bool window_call_same_order(const WindowCall *left, const WindowCall *right)
{
    if (!exprs_equal(left->partition, left->partition_count, right->partition,
                     right->partition_count) ||
        left->order_count != right->order_count) {
        return false;
    }
    for (uint32_t i = 0; i < left->order_count; i++) {
        const LogicalSortKey *a = &left->order[i], *b = &right->order[i];
        if (a->is_descending != b->is_descending || a->is_nulls_first != b->is_nulls_first ||
            !expr_equal(a->expr, b->expr)) {
            return false;
        }
    }
    return true;
}

static bool window_call_equal(const WindowCall *left, const WindowCall *right)
{
    return left->id == right->id && left->aggregate == right->aggregate &&
           left->is_rows == right->is_rows && left->is_ignore_nulls == right->is_ignore_nulls &&
           left->start == right->start && left->end == right->end &&
           left->start_rows == right->start_rows && left->end_rows == right->end_rows &&
           exprs_equal(left->args, left->arg_count, right->args, right->arg_count) &&
           window_call_same_order(left, right);
}

static bool in_lists_equal(const Expr *left, const Expr *right)
{
    if (left->in.value_count != right->in.value_count ||
        left->in.is_negated != right->in.is_negated ||
        left->in.has_null_value != right->in.has_null_value) {
        return false;
    }
    for (uint32_t i = 0; i < left->in.value_count; i++) {
        if (!value_identical(&left->in.values[i], &right->in.values[i])) {
            return false;
        }
    }
    return true;
}

bool expr_equal(const Expr *left, const Expr *right)
{
    if (left->kind != right->kind || !type_equal(left->type, right->type) ||
        !exprs_equal(left->args, left->arg_count, right->args, right->arg_count)) {
        return false;
    }
    switch (left->kind) {
    case EXPR_COLUMN:
        return left->column == right->column;
    case EXPR_CONSTANT:
        return value_identical(&left->constant, &right->constant);
    case EXPR_CALL:
        return left->function == right->function && !function_is_volatile(left->function);
    case EXPR_IN:
        return in_lists_equal(left, right);
    case EXPR_PARAMETER:
        return left->parameter == right->parameter;
    case EXPR_AGGREGATE:
        return aggregate_call_equal(left->aggregate, right->aggregate);
    case EXPR_SUBQUERY:
        return left->subquery.plan == right->subquery.plan &&
               left->subquery.kind == right->subquery.kind &&
               left->subquery.is_negated == right->subquery.is_negated &&
               left->subquery.comparison == right->subquery.comparison;
    case EXPR_WINDOW:
        return window_call_equal(left->window, right->window);
    default:
        return true;
    }
}

static uint64_t value_hash(const Value *value)
{
    if (value->is_null) {
        return 1;
    }
    switch (type_widest_lane(value->type)) {
    case LANE_TEXT:
        return hash_bytes(text_view_data(&value->text), value->text.length, 0);
    case LANE_F32:
    case LANE_F64:
        return hash_bytes(&value->f64, sizeof(double), 0);
    case LANE_I128:
        return value->type.id == TYPE_INTERVAL ? hash_bytes(&value->interval, sizeof(Interval), 0)
                                               : hash_mix((uint64_t)value->i128);
    default:
        return hash_mix((uint64_t)value->i64);
    }
}

uint64_t expr_hash(const Expr *expr)
{
    uint64_t hash = hash_mix((uint64_t)expr->kind * 256 + expr->type.id);
    switch (expr->kind) {
    case EXPR_COLUMN:
        hash = hash_combine(hash, expr->column);
        break;
    case EXPR_CONSTANT:
        hash = hash_combine(hash, value_hash(&expr->constant));
        break;
    case EXPR_CALL:
        hash = hash_combine(hash, expr->function);
        break;
    case EXPR_IN:
        hash = hash_combine(hash, expr->in.value_count);
        break;
    case EXPR_PARAMETER:
        hash = hash_combine(hash, expr->parameter);
        break;
    case EXPR_AGGREGATE:
        hash = hash_combine(hash, expr->aggregate->id);
        if (expr->aggregate->argument != NULL) {
            hash = hash_combine(hash, expr_hash(expr->aggregate->argument));
        }
        break;
    default:
        break;
    }
    for (uint32_t i = 0; i < expr->arg_count; i++) {
        hash = hash_combine(hash, expr_hash(expr->args[i]));
    }
    return hash;
}

bool expr_is_constant(const Expr *expr, const Value **value)
{
    if (expr->kind != EXPR_CONSTANT) {
        return false;
    }
    if (value != NULL) {
        *value = &expr->constant;
    }
    return true;
}

static bool find_volatile(void *object, const Expr *expr)
{
    bool *is_found = object;
    *is_found |= expr->kind == EXPR_CALL && function_is_volatile(expr->function);
    return !*is_found;
}

bool expr_is_volatile(const Expr *expr)
{
    bool is_found = false;
    expr_walk(expr, find_volatile, &is_found);
    return is_found;
}

typedef struct Walk {
    bool (*visit)(void *object, const Expr *expr);
    void *object;
} Walk;

static void walk_list(Expr *const *exprs, uint32_t count, const Walk *walk)
{
    for (uint32_t i = 0; i < count; i++) {
        expr_walk(exprs[i], walk->visit, walk->object);
    }
}

void expr_walk(const Expr *expr, bool (*visit)(void *object, const Expr *expr), void *object)
{
    if (expr == NULL || !visit(object, expr)) {
        return;
    }
    Walk walk = {visit, object};
    walk_list(expr->args, expr->arg_count, &walk);
    if (expr->kind == EXPR_AGGREGATE) {
        expr_walk(expr->aggregate->argument, visit, object);
        expr_walk(expr->aggregate->filter, visit, object);
    } else if (expr->kind == EXPR_WINDOW) {
        const WindowCall *window = expr->window;
        walk_list(window->args, window->arg_count, &walk);
        walk_list(window->partition, window->partition_count, &walk);
        for (uint32_t i = 0; i < window->order_count; i++) {
            expr_walk(window->order[i].expr, visit, object);
        }
    }
}
