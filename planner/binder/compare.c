/*
 * compare.c — = <> < <= > >= and IS NOT DISTINCT FROM between sides of any types.
 *
 * The kernels compare one type with itself, so one side is often cast. A constant is cast rather
 * than a column where that loses nothing: price < 24 becomes price < 24.00, and the scan can still
 * skip blocks by their zone maps.
 */
#include "planner/binder/binder_internal.h"

#include <string.h>
#include "base/types/decimal.h"

typedef struct Comparison {
    const char *symbol;
    FunctionId function, swapped, negated;
} Comparison;

static const Comparison comparisons[] = {
    {"=", FUNCTION_EQUAL, FUNCTION_EQUAL, FUNCTION_NOT_EQUAL},
    {"<>", FUNCTION_NOT_EQUAL, FUNCTION_NOT_EQUAL, FUNCTION_EQUAL},
    {"<", FUNCTION_LESS, FUNCTION_GREATER, FUNCTION_GREATER_EQUAL},
    {"<=", FUNCTION_LESS_EQUAL, FUNCTION_GREATER_EQUAL, FUNCTION_GREATER},
    {">", FUNCTION_GREATER, FUNCTION_LESS, FUNCTION_LESS_EQUAL},
    {">=", FUNCTION_GREATER_EQUAL, FUNCTION_LESS_EQUAL, FUNCTION_LESS},
    {"IS DISTINCT FROM", FUNCTION_IS_NOT_DISTINCT, FUNCTION_IS_NOT_DISTINCT,
     FUNCTION_IS_NOT_DISTINCT},
};
#define COMPARISON_COUNT (sizeof(comparisons) / sizeof(comparisons[0]))

static const Comparison *comparison_of(FunctionId function)
{
    for (size_t i = 0; i < COMPARISON_COUNT; i++) {
        if (comparisons[i].function == function) {
            return &comparisons[i];
        }
    }
    return &comparisons[0];
}

bool comparison_find(const char *symbol, FunctionId *function)
{
    for (size_t i = 0; i < COMPARISON_COUNT; i++) {
        if (strcmp(comparisons[i].symbol, symbol) == 0) {
            *function = comparisons[i].function;
            return true;
        }
    }
    return false;
}

FunctionId comparison_negate(FunctionId function)
{
    return comparison_of(function)->negated;
}

Status operator_missing(const char *symbol, Type left, Type right, int32_t position)
{
    Status status = status_at(position, SQLSTATE_UNDEFINED_FUNCTION,
                              "operator does not exist: %s %s %s", type_name(left), symbol,
                              type_name(right));
    return status_with_hint(status, "No operator matches the given name and argument types. You "
                                    "might need to add explicit type casts.");
}

bool comparison_type(Type left, Type right, Type *out)
{
    bool is_ordered = left.id != TYPE_UNKNOWN || right.id != TYPE_UNKNOWN;
    return common_type_of_two(left, right, out) && is_ordered;
}

// '1.505' beside a DECIMAL(15,2) keeps its own digits: the literal is a number in quotes.
static Status literal_as_number(Binder *binder, Expr *literal, Expr **out)
{
    const char *text = arena_strndup(binder->arena, text_view_data(&literal->constant.text),
                                     literal->constant.text.length);
    size_t start = strspn(text, " \t\n");
    size_t bytes = strcspn(text + start, " \t\n");
    bool is_number = text[start + strspn(text + start, "+-0123456789.")] == '\0' && bytes > 0;
    AstExpr number = {.kind = AST_NUMBER, .position = literal->position};
    number.text = text + start + (text[start] == '+' ? 1 : 0);
    number.bytes = (uint32_t)strlen(number.text);
    if (!is_number) {
        return coerce(binder, literal, type_decimal(DECIMAL_PRECISION_MAX, 0), CAST_IMPLICIT, out);
    }
    return bind_number(binder, &number, out);
}

Status comparison_resolve(Binder *binder, Expr **side, const Expr *other)
{
    if (!is_unknown(*side)) {
        return STATUS_OK;
    }
    bool is_literal = (*side)->kind == EXPR_CONSTANT && !(*side)->constant.is_null;
    if (other->type.id == TYPE_DECIMAL && is_literal) {
        return literal_as_number(binder, *side, side);
    }
    Type type = other->type;
    if (type.id == TYPE_DECIMAL && (*side)->kind == EXPR_PARAMETER) {
        // a parameter brings its own digits: it must not be rounded to the column's
        return coerce_parameter_freely(binder, *side, type, side);
    }
    if (is_unknown(other) || type.id == TYPE_VARCHAR) {
        type = type_varchar(0);
    } else if (type.id == TYPE_CHAR) {
        type = type_char(0);
    }
    return coerce(binder, *side, type, CAST_IMPLICIT, side);
}

// CHAR and VARCHAR of any lengths compare as they are.
static bool needs_no_cast(Type left, Type right)
{
    return type_equal(left, right) || (type_is_text(left) && type_is_text(right));
}

static Status cast_sides(Binder *binder, Expr **left, Expr **right, const char *symbol,
                         int32_t position)
{
    if (needs_no_cast((*left)->type, (*right)->type)) {
        return STATUS_OK;
    }
    if (is_constant(*right) && constant_narrow(binder, *right, (*left)->type, right)) {
        return STATUS_OK;
    }
    if (is_constant(*left) && constant_narrow(binder, *left, (*right)->type, left)) {
        return STATUS_OK;
    }
    Type type;
    if (!comparison_type((*left)->type, (*right)->type, &type)) {
        return operator_missing(symbol, (*left)->type, (*right)->type, position);
    }
    TRY(coerce(binder, *left, type, CAST_IMPLICIT, left));
    return coerce(binder, *right, type, CAST_IMPLICIT, right);
}

Status bind_comparison(Binder *binder, FunctionId function, Expr *left, Expr *right,
                       int32_t position, Expr **out)
{
    const Comparison *comparison = comparison_of(function);
    TRY(comparison_resolve(binder, &left, right));
    TRY(comparison_resolve(binder, &right, left));
    bool is_done = false;
    if (left->type.id == TYPE_DATE && right->type.id == TYPE_TIMESTAMP) {
        TRY(compare_date_timestamp(binder, function, left, right, &is_done, out));
    } else if (left->type.id == TYPE_TIMESTAMP && right->type.id == TYPE_DATE) {
        TRY(compare_date_timestamp(binder, comparison->swapped, right, left, &is_done, out));
    }
    if (!is_done) {
        TRY(cast_sides(binder, &left, &right, comparison->symbol, position));
        *out = expr_call2(binder->arena, function, type_of(TYPE_BOOLEAN), left, right);
    }
    *out = expr_at(*out, position);
    return STATUS_OK;
}
