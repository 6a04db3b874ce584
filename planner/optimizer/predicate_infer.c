/* predicate_infer.c — equalities carry conditions from column to column; branches of an OR agree
 * on more than they say. */
#include "planner/optimizer/predicate_infer.h"

#include "planner/logical/logical_tree.h"
#include "planner/optimizer/fold.h"
#include "planner/optimizer/selectivity.h"

#define INFERRED_MAX 200 /* conjuncts altogether: a bound for generated SQL */

static bool is_column_equality(const Expr *expr)
{
    return expr->kind == EXPR_CALL && expr->function == FUNCTION_EQUAL &&
           expr->args[0]->kind == EXPR_COLUMN && expr->args[1]->kind == EXPR_COLUMN &&
           type_equal(expr->args[0]->type, expr->args[1]->type);
}

/* The column of a condition that may travel along equalities; 0: it stays. */
static ColumnNumber condition_column(const Expr *expr)
{
    ColumnComparison comparison;
    if (match_column_comparison(expr, &comparison) && expr->args[0]->kind == EXPR_COLUMN) {
        return comparison.column;
    }
    return expr->kind == EXPR_IN && expr->args[0]->kind == EXPR_COLUMN ? expr->args[0]->column : 0;
}

typedef struct ColumnSwap {
    Arena *arena;
    ColumnNumber from, to;
} ColumnSwap;

static Expr *swap_column(void *object, const Expr *column)
{
    const ColumnSwap *swap = object;
    return column->column == swap->from ? expr_column(swap->arena, swap->to, column->type) : NULL;
}

static bool has_conjunct(const PointerList *conjuncts, const Expr *expr)
{
    for (uint32_t i = 0; i < conjuncts->count; i++) {
        if (expr_equal(conjuncts->items[i], expr)) {
            return true;
        }
    }
    return false;
}

void infer_from_equalities(Arena *arena, PointerList *conjuncts)
{
    // New conditions are appended and looked at in turn, so they travel over chains of equalities.
    for (uint32_t i = 0; i < conjuncts->count && conjuncts->count < INFERRED_MAX; i++) {
        const Expr *condition = conjuncts->items[i];
        ColumnNumber column = condition_column(condition);
        for (uint32_t k = 0; column != 0 && k < conjuncts->count; k++) {
            const Expr *equality = conjuncts->items[k];
            if (!is_column_equality(equality)) {
                continue;
            }
            ColumnNumber left = equality->args[0]->column, right = equality->args[1]->column;
            if (left != column && right != column) {
                continue;
            }
            ColumnSwap swap = {arena, column, left == column ? right : left};
            Expr *inferred = expr_replace_columns(arena, condition, swap_column, &swap);
            if (!has_conjunct(conjuncts, inferred)) {
                pointer_list_add(arena, conjuncts, inferred);
            }
        }
    }
}

Expr *infer_from_or(Arena *arena, const Expr *disjunction, const ColumnSet *side)
{
    Expr **branches = ARENA_ARRAY(arena, Expr *, disjunction->arg_count);
    for (uint32_t i = 0; i < disjunction->arg_count; i++) {
        PointerList conjuncts = {0}, own = {0};
        conjuncts_add(arena, &conjuncts, disjunction->args[i]);
        for (uint32_t k = 0; k < conjuncts.count; k++) {
            Expr *conjunct = conjuncts.items[k];
            if (column_set_covers_expr(side, conjunct, arena) && !expr_is_volatile(conjunct)) {
                pointer_list_add(arena, &own, conjunct);
            } else if (conjunct->kind == EXPR_OR) {
                Expr *inner = infer_from_or(arena, conjunct, side);
                if (inner != NULL) {
                    pointer_list_add(arena, &own, inner);
                }
            }
        }
        if (own.count == 0) {
            return NULL;
        }
        branches[i] = conjuncts_join(arena, &own);
    }
    Expr *inferred = expr_or(arena, disjunction->arg_count, branches);
    return inferred->kind == EXPR_OR ? fold_or(arena, inferred) : inferred;
}
