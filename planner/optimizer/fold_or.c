/*
 * fold_or.c — disjunctions: what all branches share comes out, equalities become a list.
 *
 *   (p = l and a) or (p = l and b)   ->  p = l and (a or b)
 *   x = 1 or x in (2, 3)             ->  x in (1, 2, 3)
 */
#include "planner/optimizer/fold.h"

#include <string.h>

static uint32_t branch_count(const Expr *branch)
{
    return branch->kind == EXPR_AND ? branch->arg_count : 1;
}

static Expr *branch_conjunct(Expr *branch, uint32_t index)
{
    return branch->kind == EXPR_AND ? branch->args[index] : branch;
}

static bool branch_has(Expr *branch, const Expr *conjunct)
{
    for (uint32_t i = 0; i < branch_count(branch); i++) {
        if (expr_equal(branch_conjunct(branch, i), conjunct)) {
            return true;
        }
    }
    return false;
}

/* The branch without the conjuncts in `common`; null when nothing is left. */
static Expr *branch_rest(Arena *arena, Expr *branch, const PointerList *common)
{
    PointerList rest = {0};
    for (uint32_t i = 0; i < branch_count(branch); i++) {
        Expr *conjunct = branch_conjunct(branch, i);
        bool is_common = false;
        for (uint32_t k = 0; k < common->count; k++) {
            is_common |= expr_equal(common->items[k], conjunct);
        }
        if (!is_common) {
            pointer_list_add(arena, &rest, conjunct);
        }
    }
    return rest.count == 0 ? NULL : expr_and(arena, rest.count, (Expr **)rest.items);
}

static Expr *factor_common(Arena *arena, Expr *expr)
{
    PointerList common = {0};
    for (uint32_t i = 0; i < branch_count(expr->args[0]); i++) {
        Expr *conjunct = branch_conjunct(expr->args[0], i);
        bool is_everywhere = true;
        for (uint32_t k = 1; k < expr->arg_count && is_everywhere; k++) {
            is_everywhere = branch_has(expr->args[k], conjunct);
        }
        if (is_everywhere) {
            pointer_list_add(arena, &common, conjunct);
        }
    }
    if (common.count == 0) {
        return expr;
    }
    PointerList rests = {0};
    for (uint32_t i = 0; i < expr->arg_count; i++) {
        Expr *rest = branch_rest(arena, expr->args[i], &common);
        if (rest == NULL) {
            rests.count = 0; // this branch is just the common part, so the others add nothing
            break;
        }
        pointer_list_add(arena, &rests, rest);
    }
    if (rests.count > 0) {
        Expr *rest = expr_or(arena, rests.count, (Expr **)rests.items);
        pointer_list_add(arena, &common, rest->kind == EXPR_OR ? fold_or(arena, rest) : rest);
    }
    return expr_and(arena, common.count, (Expr **)common.items);
}

/* `x = constant` or `x in (…)`: adds its values to `values`. */
static bool take_values(Arena *arena, const Expr *expr, PointerList *values)
{
    if (expr->kind == EXPR_IN) {
        if (expr->in.is_negated || expr->in.has_null_value) {
            return false;
        }
        for (uint32_t i = 0; i < expr->in.value_count; i++) {
            pointer_list_add(arena, values, (void *)&expr->in.values[i]);
        }
        return true;
    }
    const Value *value;
    if (expr->kind == EXPR_CALL && expr->function == FUNCTION_EQUAL &&
        expr_is_constant(expr->args[1], &value) && !value->is_null) {
        pointer_list_add(arena, values, (void *)value);
        return true;
    }
    return false;
}

static bool same_list_type(Type left, Type right)
{
    return (type_is_text(left) && type_is_text(right)) ||
           (left.id == right.id && left.scale == right.scale &&
            type_widest_lane(left) == type_widest_lane(right));
}

/* Sorted, without repetitions: what EXPR_IN promises. */
static uint32_t sort_values(Value *values, uint32_t count)
{
    for (uint32_t i = 1; i < count; i++) {
        Value value = values[i];
        uint32_t k = i;
        while (k > 0 && value_compare(&values[k - 1], &value) > 0) {
            values[k] = values[k - 1];
            k--;
        }
        values[k] = value;
    }
    uint32_t kept = count == 0 ? 0 : 1;
    for (uint32_t i = 1; i < count; i++) {
        if (value_compare(&values[kept - 1], &values[i]) != 0) {
            values[kept++] = values[i];
        }
    }
    return kept;
}

#define MERGED_VALUES_MAX 1000 /* insertion sort: longer lists stay as they are */

/* All branches that compare the same thing with constants become one list. */
static Expr *merge_equalities(Arena *arena, Expr *expr)
{
    Expr **args = ARENA_ARRAY(arena, Expr *, expr->arg_count);
    bool *is_done = ARENA_ARRAY(arena, bool, expr->arg_count);
    uint32_t count = 0;
    for (uint32_t i = 0; i < expr->arg_count; i++) {
        if (is_done[i]) {
            continue;
        }
        args[count++] = expr->args[i];
        PointerList values = {0};
        if (!take_values(arena, expr->args[i], &values)) {
            continue;
        }
        Expr *subject = expr->args[i]->args[0];
        bool is_merged = false;
        for (uint32_t k = i + 1; k < expr->arg_count; k++) {
            if (!is_done[k] && expr->args[k]->arg_count > 0 &&
                expr_equal(subject, expr->args[k]->args[0]) &&
                take_values(arena, expr->args[k], &values)) {
                is_done[k] = is_merged = true;
            }
        }
        bool has_one_type = values.count <= MERGED_VALUES_MAX;
        Value *list = ARENA_ARRAY(arena, Value, values.count);
        for (uint32_t k = 0; k < values.count; k++) {
            list[k] = *(const Value *)values.items[k];
            has_one_type = has_one_type && same_list_type(list[k].type, subject->type);
        }
        if (is_merged && !has_one_type) {
            return expr;
        }
        if (is_merged) {
            Expr *in = expr_is_null(arena, subject);
            in->kind = EXPR_IN;
            in->in.value_count = sort_values(list, values.count);
            in->in.values = list;
            args[count - 1] = in;
        }
    }
    return expr_or(arena, count, args);
}

Expr *fold_or(Arena *arena, Expr *expr)
{
    Expr *merged = merge_equalities(arena, expr);
    return merged->kind == EXPR_OR ? factor_common(arena, merged) : merged;
}
