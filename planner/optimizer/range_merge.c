/* range_merge.c — pairs of comparisons on one column: implied, contradictory, or neither. */
#include "planner/optimizer/range_merge.h"

#include "planner/optimizer/selectivity.h"

#define CONJUNCTS_MAX 100 /* pairs are compared: longer lists stay as they are */

typedef enum Relation { RELATION_NONE, RELATION_IMPLIED, RELATION_CONTRADICTION } Relation;

static bool match_plain(const Expr *expr, ColumnComparison *out)
{
    return match_column_comparison(expr, out) && expr->args[0]->kind == EXPR_COLUMN &&
           !out->value->is_null && out->op != FUNCTION_NOT_EQUAL;
}

static bool are_comparable(Type left, Type right)
{
    return (type_is_text(left) && type_is_text(right)) ||
           (left.id == right.id && left.scale == right.scale &&
            type_widest_lane(left) == type_widest_lane(right));
}

static bool is_lower(FunctionId op)
{
    return op == FUNCTION_GREATER || op == FUNCTION_GREATER_EQUAL;
}

static bool is_open(FunctionId op)
{
    return op == FUNCTION_GREATER || op == FUNCTION_LESS;
}

/* Does `value` satisfy `<op> bound`, given value_compare(value, bound)? */
static bool satisfies(FunctionId op, int order)
{
    switch (op) {
    case FUNCTION_LESS:
        return order < 0;
    case FUNCTION_LESS_EQUAL:
        return order <= 0;
    case FUNCTION_GREATER:
        return order > 0;
    case FUNCTION_GREATER_EQUAL:
        return order >= 0;
    default:
        return order == 0;
    }
}

/* What `given` says of `other`: both are conditions on the same column. */
static Relation relation(const ColumnComparison *given, const ColumnComparison *other)
{
    int order = value_compare(given->value, other->value);
    if (given->op == FUNCTION_EQUAL) {
        return satisfies(other->op, order) ? RELATION_IMPLIED : RELATION_CONTRADICTION;
    }
    if (other->op == FUNCTION_EQUAL) {
        return RELATION_NONE; // told from the other's side
    }
    if (is_lower(given->op) == is_lower(other->op)) {
        bool is_tighter = is_lower(given->op) ? order > 0 : order < 0;
        bool is_as_tight = order == 0 && (is_open(given->op) || !is_open(other->op));
        return is_tighter || is_as_tight ? RELATION_IMPLIED : RELATION_NONE;
    }
    bool is_empty = is_lower(given->op) ? order > 0 : order < 0;
    bool is_point = order == 0;
    return is_empty || (is_point && (is_open(given->op) || is_open(other->op)))
               ? RELATION_CONTRADICTION
               : RELATION_NONE;
}

/* Drops what the condition at `index` implies; gives its new index, or -1 for a contradiction. */
static int64_t drop_implied(PointerList *conjuncts, uint32_t index)
{
    ColumnComparison given, other;
    if (!match_plain(conjuncts->items[index], &given)) {
        return index;
    }
    uint32_t kept = 0, own = 0;
    for (uint32_t i = 0; i < conjuncts->count; i++) {
        Relation found = RELATION_NONE;
        if (i == index) {
            own = kept;
        } else if (match_plain(conjuncts->items[i], &other) && other.column == given.column &&
                   are_comparable(given.value->type, other.value->type)) {
            found = relation(&given, &other);
        }
        if (found == RELATION_CONTRADICTION) {
            return -1;
        }
        if (found == RELATION_NONE) {
            conjuncts->items[kept++] = conjuncts->items[i];
        }
    }
    conjuncts->count = kept;
    return own;
}

bool ranges_merge(PointerList *conjuncts)
{
    if (conjuncts->count > CONJUNCTS_MAX) {
        return true;
    }
    for (int64_t i = 0; i < conjuncts->count; i++) {
        i = drop_implied(conjuncts, (uint32_t)i);
        if (i < 0) {
            return false;
        }
    }
    return true;
}
