/*
 * join_cardinality.c — rows of joins, from the distinct values of what is compared.
 *
 * One key: of two domains the smaller is taken to lie in the larger, so each pair of rows matches
 * with 1 / the larger count. Several keys: combinations are fewer than the product of the counts
 * says, no more than the table they come from has rows; the smaller side's count is the better
 * guess, since that is where a combination is a key.
 */
#include <math.h>

#include "planner/logical/logical_tree.h"
#include "planner/optimizer/cardinality.h"

typedef struct JoinKeys {
    PointerList left, right; /* Expr */
    double residual;         /* selectivity of what is no equality between the sides */
} JoinKeys;

static Expr *below_casts(Expr *expr)
{
    while (expr->kind == EXPR_CAST) {
        expr = expr->args[0];
    }
    return expr;
}

static void add_conjunct(Estimator *self, Expr *conjunct, const ColumnSet *left_columns,
                         JoinKeys *keys)
{
    bool is_equality =
        conjunct->kind == EXPR_CALL &&
        (conjunct->function == FUNCTION_EQUAL || conjunct->function == FUNCTION_IS_NOT_DISTINCT);
    for (int side = 0; is_equality && side < 2; side++) {
        Expr *left = conjunct->args[side], *right = conjunct->args[1 - side];
        ColumnSet right_used = {0};
        column_set_add_expr(&right_used, right, self->arena);
        if (column_set_covers_expr(left_columns, left, self->arena) &&
            !column_set_is_empty(&right_used) &&
            !column_set_intersects(&right_used, left_columns)) {
            pointer_list_add(self->arena, &keys->left, below_casts(left));
            pointer_list_add(self->arena, &keys->right, below_casts(right));
            return;
        }
    }
    keys->residual *= estimate_selectivity(self, &conjunct, 1);
}

static double combinations(Estimator *self, const PointerList *keys)
{
    return estimate_groups(self, (Expr **)keys->items, keys->count, INFINITY);
}

double estimate_join(Estimator *estimator, JoinKind join, double left_rows, double right_rows,
                     Expr *const *conjuncts, uint32_t count, const ColumnSet *left_columns)
{
    JoinKeys keys = {.residual = 1};
    for (uint32_t i = 0; i < count; i++) {
        add_conjunct(estimator, conjuncts[i], left_columns, &keys);
    }
    double left = combinations(estimator, &keys.left);
    double right = combinations(estimator, &keys.right);
    double domain = keys.left.count == 0   ? 1
                    : keys.left.count == 1 ? fmax(left, right)
                                           : fmin(left, right);
    double inner = left_rows * right_rows / fmax(1, domain) * keys.residual;
    double left_found = keys.left.count == 0 ? fmin(1, right_rows)
                                             : fmin(1, fmin(right, right_rows) / fmax(1, left));
    double per_found = inner / fmax(1, left_rows * left_found * keys.residual);
    left_found *= 1 - pow(1 - fmin(keys.residual, 1), fmax(1, per_found));
    switch (join) {
    case JOIN_INNER:
        return fmax(1, inner);
    case JOIN_LEFT:
        return fmax(left_rows, inner);
    case JOIN_RIGHT:
        return fmax(right_rows, inner);
    case JOIN_FULL:
        return fmax(left_rows, inner) + right_rows * 0.1;
    case JOIN_SEMI:
        return fmax(1, left_rows * left_found);
    case JOIN_ANTI:
    case JOIN_ANTI_NULL:
        return fmax(1, left_rows * fmax(0.05, 1 - left_found));
    default:
        return left_rows;
    }
}

/* What is left of joined columns' values: those both have; of a semi join, those found. */
static void narrow_by_join(Estimator *self, const Expr *conjunct, const LogicalJoin *join)
{
    if (conjunct->kind != EXPR_CALL || conjunct->function != FUNCTION_EQUAL ||
        conjunct->args[0]->kind != EXPR_COLUMN || conjunct->args[1]->kind != EXPR_COLUMN) {
        return;
    }
    bool is_first_left = logical_find_column(join->left, conjunct->args[0]->column) != NULL;
    ColumnNumber left = conjunct->args[is_first_left ? 0 : 1]->column;
    ColumnNumber right = conjunct->args[is_first_left ? 1 : 0]->column;
    double left_distinct = estimate_column(self, left)->distinct;
    double right_distinct = estimate_column(self, right)->distinct;
    double both = fmin(left_distinct, right_distinct);
    if (join->join == JOIN_SEMI) {
        estimate_set_distinct(self, left, fmin(both, join->right->rows));
    } else if (join->join == JOIN_INNER) {
        estimate_set_distinct(self, left, both);
        estimate_set_distinct(self, right, both);
    }
}

void estimate_join_node(Estimator *self, LogicalJoin *join)
{
    PointerList conjuncts = {0};
    conjuncts_add(self->arena, &conjuncts, join->condition);
    ColumnSet left_columns = column_set_of_node(join->left, self->arena);
    join->node.rows =
        estimate_join(self, join->join, fmax(0, join->left->rows), fmax(0, join->right->rows),
                      (Expr **)conjuncts.items, conjuncts.count, &left_columns);
    for (uint32_t i = 0; i < conjuncts.count; i++) {
        narrow_by_join(self, conjuncts.items[i], join);
    }
}
