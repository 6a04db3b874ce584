/*
 * selectivity.c — how much of its input a conjunction keeps.
 *
 * Conjuncts are taken as independent, but for ranges on one column: d >= a and d < b cut one piece
 * out of the column's bounds, so their fractions are added up from both ends, not multiplied.
 */
#include "planner/optimizer/selectivity.h"

#include <math.h>
#include <string.h>

#define SELECTIVITY_DEFAULT (1.0 / 3)
#define SELECTIVITY_LIKE 0.1
#define SELECTIVITY_LIKE_CONTAINS 0.05
#define SELECTIVITY_UNKNOWN_EQUAL 0.005

static double selectivity_of(Estimator *estimator, const Expr *expr);

bool value_as_number(const Value *value, double *out)
{
    if (value->is_null) {
        return false;
    }
    if (type_is_float(value->type)) {
        *out = value->f64;
        return isfinite(value->f64);
    }
    if (type_widest_lane(value->type) == LANE_I128 && value->type.id == TYPE_DECIMAL) {
        *out = (double)value->i128 / pow(10, value->type.scale);
        return true;
    }
    if (type_is_scaled_integer(value->type)) {
        *out = value->type.id == TYPE_DECIMAL ? (double)value->i64 / pow(10, value->type.scale)
                                              : (double)value->i64;
        return true;
    }
    return false;
}

FunctionId comparison_swapped(FunctionId op)
{
    switch (op) {
    case FUNCTION_LESS:
        return FUNCTION_GREATER;
    case FUNCTION_LESS_EQUAL:
        return FUNCTION_GREATER_EQUAL;
    case FUNCTION_GREATER:
        return FUNCTION_LESS;
    case FUNCTION_GREATER_EQUAL:
        return FUNCTION_LESS_EQUAL;
    default:
        return op;
    }
}

FunctionId comparison_inverse(FunctionId op)
{
    switch (op) {
    case FUNCTION_EQUAL:
        return FUNCTION_NOT_EQUAL;
    case FUNCTION_NOT_EQUAL:
        return FUNCTION_EQUAL;
    case FUNCTION_LESS:
        return FUNCTION_GREATER_EQUAL;
    case FUNCTION_LESS_EQUAL:
        return FUNCTION_GREATER;
    case FUNCTION_GREATER:
        return FUNCTION_LESS_EQUAL;
    case FUNCTION_GREATER_EQUAL:
        return FUNCTION_LESS;
    default:
        return op;
    }
}

bool is_comparison(FunctionId op)
{
    return op >= FUNCTION_EQUAL && op <= FUNCTION_GREATER_EQUAL;
}

/* The column below casts: good enough for estimates. */
static const Expr *column_below_casts(const Expr *expr)
{
    while (expr->kind == EXPR_CAST) {
        expr = expr->args[0];
    }
    return expr->kind == EXPR_COLUMN ? expr : NULL;
}

bool match_column_comparison(const Expr *expr, ColumnComparison *out)
{
    if (expr->kind != EXPR_CALL || !is_comparison(expr->function)) {
        return false;
    }
    for (int side = 0; side < 2; side++) {
        const Expr *column = column_below_casts(expr->args[side]);
        const Value *value;
        if (column != NULL && expr_is_constant(expr->args[1 - side], &value)) {
            *out = (ColumnComparison){
                column->column, side == 0 ? expr->function : comparison_swapped(expr->function),
                value};
            return true;
        }
    }
    return false;
}

/* A date column compared through a cast to timestamp: microseconds back to days. */
static double on_column_axis(const Value *value, const ColumnEstimate *column, double number)
{
    bool is_date_column = column->has_bounds && fabs(column->hi) < 1e7;
    return value->type.id == TYPE_TIMESTAMP && is_date_column ? number / 86400e6 : number;
}

/* The share of [lo, hi] below `value`; < 0 when the bounds are not known. */
static double fraction_below(const ColumnEstimate *column, const Value *value)
{
    double number;
    if (!column->has_bounds || !value_as_number(value, &number)) {
        return -1;
    }
    number = on_column_axis(value, column, number);
    if (column->hi <= column->lo) {
        return number > column->lo ? 1 : 0;
    }
    double fraction = (number - column->lo) / (column->hi - column->lo);
    return fraction < 0 ? 0 : fraction > 1 ? 1 : fraction;
}

static double equal_selectivity(const ColumnEstimate *column)
{
    return column->is_known ? (1 - column->null_fraction) / column->distinct
                            : SELECTIVITY_UNKNOWN_EQUAL;
}

static double comparison_selectivity(Estimator *estimator, const ColumnComparison *comparison)
{
    const ColumnEstimate *column = estimate_column(estimator, comparison->column);
    double below = fraction_below(column, comparison->value);
    double present = 1 - column->null_fraction;
    switch (comparison->op) {
    case FUNCTION_EQUAL:
        return equal_selectivity(column);
    case FUNCTION_NOT_EQUAL:
        return present - equal_selectivity(column);
    case FUNCTION_LESS:
    case FUNCTION_LESS_EQUAL:
        return below < 0 ? SELECTIVITY_DEFAULT : below * present;
    default:
        return below < 0 ? SELECTIVITY_DEFAULT : (1 - below) * present;
    }
}

static double like_selectivity(const Expr *expr)
{
    const Value *pattern;
    if (!expr_is_constant(expr->args[1], &pattern) || pattern->is_null ||
        pattern->text.length == 0) {
        return SELECTIVITY_LIKE;
    }
    const char *text = text_view_data(&pattern->text);
    return text[0] == '%' ? SELECTIVITY_LIKE_CONTAINS : SELECTIVITY_LIKE;
}

static double call_selectivity(Estimator *estimator, const Expr *expr)
{
    ColumnComparison comparison;
    if (match_column_comparison(expr, &comparison)) {
        return comparison_selectivity(estimator, &comparison);
    }
    if (expr->function == FUNCTION_LIKE || expr->function == FUNCTION_ILIKE) {
        return like_selectivity(expr);
    }
    if (expr->function == FUNCTION_EQUAL || expr->function == FUNCTION_IS_NOT_DISTINCT) {
        double distinct = 1;
        for (int i = 0; i < 2; i++) {
            const Expr *column = column_below_casts(expr->args[i]);
            double own = column == NULL ? 10 : estimate_column(estimator, column->column)->distinct;
            distinct = fmax(distinct, own);
        }
        return 1 / distinct;
    }
    return expr->function == FUNCTION_NOT_EQUAL ? 0.9 : SELECTIVITY_DEFAULT;
}

static double in_selectivity(Estimator *estimator, const Expr *expr)
{
    const Expr *column = column_below_casts(expr->args[0]);
    double one = SELECTIVITY_UNKNOWN_EQUAL;
    if (column != NULL) {
        one = equal_selectivity(estimate_column(estimator, column->column));
    } else if (expr->args[0]->kind == EXPR_CALL) {
        one = 0.05; // a computed value: few distinct ones, such as a prefix
    }
    double found = fmin(1, one * expr->in.value_count);
    return expr->in.is_negated ? 1 - found : found;
}

static double null_selectivity(Estimator *estimator, const Expr *expr)
{
    const Expr *column = column_below_casts(expr->args[0]);
    double nulls =
        column == NULL ? 0.01 : estimate_column(estimator, column->column)->null_fraction;
    return expr->kind == EXPR_IS_NULL ? nulls : 1 - nulls;
}

static double selectivity_of(Estimator *estimator, const Expr *expr)
{
    const Value *value;
    switch (expr->kind) {
    case EXPR_CONSTANT:
        return expr_is_constant(expr, &value) && !value->is_null && value->i64 != 0 ? 1 : 0;
    case EXPR_CALL:
        return call_selectivity(estimator, expr);
    case EXPR_AND:
        return estimate_selectivity(estimator, expr->args, expr->arg_count);
    case EXPR_OR: {
        double none = 1;
        for (uint32_t i = 0; i < expr->arg_count; i++) {
            none *= 1 - selectivity_of(estimator, expr->args[i]);
        }
        return 1 - none;
    }
    case EXPR_NOT:
        return 1 - selectivity_of(estimator, expr->args[0]);
    case EXPR_IS_NULL:
    case EXPR_IS_NOT_NULL:
        return null_selectivity(estimator, expr);
    case EXPR_IN:
        return in_selectivity(estimator, expr);
    case EXPR_COLUMN:
        return 0.5;
    default:
        return SELECTIVITY_DEFAULT;
    }
}

typedef struct RangePiece { /* of one column */
    ColumnNumber column;
    double from, to; /* fractions of its bounds */
} RangePiece;
#define RANGE_PIECES_MAX 16

/* Takes a range conjunct into its column's piece; false when it is none. */
static bool add_to_pieces(Estimator *estimator, const Expr *expr, RangePiece *pieces,
                          uint32_t *piece_count)
{
    ColumnComparison comparison;
    if (!match_column_comparison(expr, &comparison) || comparison.op == FUNCTION_EQUAL ||
        comparison.op == FUNCTION_NOT_EQUAL) {
        return false;
    }
    const ColumnEstimate *column = estimate_column(estimator, comparison.column);
    double below = fraction_below(column, comparison.value);
    if (below < 0) {
        return false;
    }
    uint32_t i = 0;
    while (i < *piece_count && pieces[i].column != comparison.column) {
        i++;
    }
    if (i == RANGE_PIECES_MAX) {
        return false;
    }
    if (i == *piece_count) {
        pieces[(*piece_count)++] = (RangePiece){comparison.column, 0, 1};
    }
    if (comparison.op == FUNCTION_LESS || comparison.op == FUNCTION_LESS_EQUAL) {
        pieces[i].to = fmin(pieces[i].to, below);
    } else {
        pieces[i].from = fmax(pieces[i].from, below);
    }
    return true;
}

double estimate_selectivity(Estimator *estimator, Expr *const *conjuncts, uint32_t count)
{
    RangePiece pieces[RANGE_PIECES_MAX];
    uint32_t piece_count = 0;
    double selectivity = 1;
    for (uint32_t i = 0; i < count; i++) {
        if (!add_to_pieces(estimator, conjuncts[i], pieces, &piece_count)) {
            selectivity *= selectivity_of(estimator, conjuncts[i]);
        }
    }
    for (uint32_t i = 0; i < piece_count; i++) {
        const ColumnEstimate *column = estimate_column(estimator, pieces[i].column);
        // Where the bounds meet at least one of the values remains.
        double piece = fmax(pieces[i].to - pieces[i].from, 1 / column->distinct);
        selectivity *= fmin(piece, 1) * (1 - column->null_fraction);
    }
    return selectivity < 0 ? 0 : selectivity > 1 ? 1 : selectivity;
}
