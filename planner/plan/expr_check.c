/*
 * expr_check.c — do the parts of an expression fit? See plan_check.h.
 *
 * Each signature of functions.def has a pattern with a letter per argument:
 *   n numeric  i integer  t text  d date or timestamp  v interval  f double  a anything
 * and, last, one for the result ("=" the type of the last argument). The last letter repeats.
 */
#include "planner/plan/plan_check.h"

#include <string.h>

#include "planner/plan/plan_codec.h"

#define CORRUPT(...) status_error(SQLSTATE_DATA_CORRUPTED, __VA_ARGS__)

typedef enum Shape {
    SHAPE_NONE, /* not a line of functions.def */
    SHAPE_ARITHMETIC,
    SHAPE_SAME_NUMERIC,
    SHAPE_COMPARISON,
    SHAPE_LIKE,
    SHAPE_CONCAT,
    SHAPE_DATE_INTEGER,
    SHAPE_DATE_DATE,
    SHAPE_TIMESTAMP_INTERVAL,
    SHAPE_TIMESTAMP_TIMESTAMP,
    SHAPE_INTERVAL_INTERVAL,
    SHAPE_DATE_FIELD,
    SHAPE_DATE_TRUNC,
    SHAPE_DATEADD,
    SHAPE_DATEDIFF,
    SHAPE_ADD_MONTHS,
    SHAPE_LAST_DAY,
    SHAPE_TO_CHAR,
    SHAPE_TO_DATE,
    SHAPE_TEXT_TO_INTEGER,
    SHAPE_TEXT_TO_TEXT,
    SHAPE_SUBSTRING,
    SHAPE_TEXT_INTEGER,
    SHAPE_TRIM,
    SHAPE_TEXT_TEXT_TO_INTEGER,
    SHAPE_REPLACE,
    SHAPE_PAD,
    SHAPE_INTEGER_TO_TEXT,
    SHAPE_SPLIT_PART,
    SHAPE_REGEX,
    SHAPE_FORMAT_TYPE,
    SHAPE_ROUNDING,
    SHAPE_ROUND_DIGITS,
    SHAPE_DOUBLE_0,
    SHAPE_DOUBLE_1,
    SHAPE_DOUBLE_2,
    SHAPE_COMMON_TYPE,
    SHAPE_NULLIF,
    SHAPE_AVG_FINAL,
    SHAPE_VARIANCE_FINAL,
    SHAPE_BUCKET,
    SHAPE_COUNT
} Shape;

typedef struct ShapeRule {
    uint8_t arg_count_min, arg_count_max;
    const char *args;
    char result;
    bool is_same; /* all arguments are of one type id */
} ShapeRule;

static const ShapeRule shape_rules[SHAPE_COUNT] = {
    [SHAPE_ARITHMETIC] = {2, 2, "nn", 'n', true},
    [SHAPE_SAME_NUMERIC] = {1, 1, "a", 'a', false},
    [SHAPE_COMPARISON] = {2, 2, "aa", 'b', true},
    [SHAPE_LIKE] = {2, 3, "ttt", 'b', false},
    [SHAPE_CONCAT] = {2, 2, "aa", 't', false},
    [SHAPE_DATE_INTEGER] = {2, 2, "di", 'd', false},
    [SHAPE_DATE_DATE] = {2, 2, "dd", 'i', true},
    [SHAPE_TIMESTAMP_INTERVAL] = {2, 2, "dv", 'd', false},
    [SHAPE_TIMESTAMP_TIMESTAMP] = {2, 2, "dd", 'v', true},
    [SHAPE_INTERVAL_INTERVAL] = {2, 2, "vv", 'v', true},
    [SHAPE_DATE_FIELD] = {2, 2, "ta", 'n', false},
    [SHAPE_DATE_TRUNC] = {2, 2, "td", 'd', false},
    [SHAPE_DATEADD] = {3, 3, "tid", 'd', false},
    [SHAPE_DATEDIFF] = {3, 3, "tdd", 'i', false},
    [SHAPE_ADD_MONTHS] = {2, 2, "di", 'd', false},
    [SHAPE_LAST_DAY] = {1, 1, "d", 'd', false},
    [SHAPE_TO_CHAR] = {2, 2, "at", 't', false},
    [SHAPE_TO_DATE] = {2, 2, "tt", 'd', false},
    [SHAPE_TEXT_TO_INTEGER] = {1, 1, "t", 'i', false},
    [SHAPE_TEXT_TO_TEXT] = {1, 1, "t", 't', false},
    [SHAPE_SUBSTRING] = {2, 3, "tii", 't', false},
    [SHAPE_TEXT_INTEGER] = {2, 2, "ti", 't', false},
    [SHAPE_TRIM] = {1, 2, "tt", 't', false},
    [SHAPE_TEXT_TEXT_TO_INTEGER] = {2, 2, "tt", 'i', false},
    [SHAPE_REPLACE] = {3, 3, "ttt", 't', false},
    [SHAPE_PAD] = {2, 3, "tit", 't', false},
    [SHAPE_INTEGER_TO_TEXT] = {1, 1, "i", 't', false},
    [SHAPE_SPLIT_PART] = {3, 3, "tti", 't', false},
    [SHAPE_REGEX] = {2, 2, "tt", 'b', false},
    [SHAPE_FORMAT_TYPE] = {2, 2, "ii", 't', false},
    [SHAPE_ROUNDING] = {1, 1, "n", 'n', false},
    [SHAPE_ROUND_DIGITS] = {1, 2, "ni", 'n', false},
    [SHAPE_DOUBLE_0] = {0, 0, "", 'f', false},
    [SHAPE_DOUBLE_1] = {1, 1, "f", 'f', false},
    [SHAPE_DOUBLE_2] = {2, 2, "ff", 'f', false},
    [SHAPE_COMMON_TYPE] = {1, 255, "a", '=', true},
    [SHAPE_NULLIF] = {2, 2, "aa", 'a', true},
    [SHAPE_AVG_FINAL] = {2, 2, "ai", 'a', false},
    [SHAPE_VARIANCE_FINAL] = {4, 4, "ffii", 'f', false},
    [SHAPE_BUCKET] = {1, 255, "a", 'i', false},
};

static const uint8_t function_shapes[FUNCTION_ID_MAX + 1] = {
#define FUNCTION(id, number, name, signature, is_strict) [number] = SHAPE_##signature,
#include "planner/plan/functions.def"
#undef FUNCTION
};

static bool type_fits(char letter, Type type)
{
    switch (letter) {
    case 'n':
        return type_is_numeric(type);
    case 'i':
        return type_is_integer(type);
    case 't':
        return type_is_text(type);
    case 'd':
        return type.id == TYPE_DATE || type.id == TYPE_TIMESTAMP;
    case 'v':
        return type.id == TYPE_INTERVAL;
    case 'f':
        return type_is_float(type);
    case 'b':
        return type.id == TYPE_BOOLEAN;
    default:
        return true;
    }
}

/* Of one type id, decimals of one lane; the text types are one. */
static bool types_match(Type left, Type right)
{
    if (type_is_text(left) && type_is_text(right)) {
        return true;
    }
    return left.id == right.id && type_widest_lane(left) == type_widest_lane(right);
}

static Status check_call(const Expr *expr)
{
    uint8_t shape =
        function_is_known(expr->function) ? function_shapes[expr->function] : SHAPE_NONE;
    const ShapeRule *rule = &shape_rules[shape];
    if (shape == SHAPE_NONE || expr->arg_count < rule->arg_count_min ||
        expr->arg_count > rule->arg_count_max) {
        return CORRUPT("plan calls function %d with %u arguments", (int)expr->function,
                       expr->arg_count);
    }
    size_t letters = strlen(rule->args);
    for (uint32_t i = 0; i < expr->arg_count; i++) {
        Type type = expr->args[i]->type;
        bool is_decimal_pair = shape == SHAPE_ARITHMETIC && type.id == TYPE_DECIMAL;
        if (!type_fits(rule->args[i < letters ? i : letters - 1], type) ||
            (rule->is_same && !(is_decimal_pair ? expr->args[0]->type.id == TYPE_DECIMAL
                                                : types_match(type, expr->args[0]->type)))) {
            return CORRUPT("plan calls function %d with an argument of type %s",
                           (int)expr->function, type_name(type));
        }
    }
    bool is_result_ok = rule->result == '='
                            ? types_match(expr->type, expr->args[expr->arg_count - 1]->type)
                            : type_fits(rule->result, expr->type);
    return is_result_ok ? STATUS_OK
                        : CORRUPT("plan expects type %s from function %d", type_name(expr->type),
                                  (int)expr->function);
}

static Status check_case(const Expr *expr)
{
    if (expr->arg_count < 3 || expr->arg_count % 2 == 0) {
        return CORRUPT("plan holds a CASE of %u parts", expr->arg_count);
    }
    for (uint32_t i = 0; i < expr->arg_count; i++) {
        bool is_condition = i % 2 == 0 && i + 1 < expr->arg_count;
        Type type = expr->args[i]->type;
        if (is_condition ? type.id != TYPE_BOOLEAN : !types_match(type, expr->type)) {
            return CORRUPT("plan holds a CASE with a part of type %s", type_name(type));
        }
    }
    return STATUS_OK;
}

static Status check_in(const Expr *expr)
{
    if (expr->arg_count != 1 || expr->type.id != TYPE_BOOLEAN) {
        return CORRUPT("plan holds an invalid IN");
    }
    const Value *values = expr->in.values;
    for (uint32_t i = 0; i < expr->in.value_count; i++) {
        if (values[i].is_null || !types_match(values[i].type, expr->args[0]->type) ||
            (values[i].type.id == TYPE_DECIMAL &&
             values[i].type.scale != expr->args[0]->type.scale) ||
            (i > 0 && value_compare(&values[i - 1], &values[i]) >= 0)) {
            return CORRUPT("plan holds an IN whose values are not in order");
        }
    }
    return STATUS_OK;
}

static Status check_boolean(const Expr *expr, uint32_t arg_count_min, uint32_t arg_count_max,
                            bool has_boolean_args)
{
    bool is_ok = expr->type.id == TYPE_BOOLEAN && expr->arg_count >= arg_count_min &&
                 expr->arg_count <= arg_count_max;
    for (uint32_t i = 0; is_ok && has_boolean_args && i < expr->arg_count; i++) {
        is_ok = expr->args[i]->type.id == TYPE_BOOLEAN;
    }
    return is_ok ? STATUS_OK : CORRUPT("plan holds an invalid condition");
}

static Status check_own(const Expr *expr, const Type *columns, uint32_t column_count)
{
    switch (expr->kind) {
    case EXPR_COLUMN:
        if (expr->column >= column_count || expr->arg_count != 0) {
            return CORRUPT("plan uses column %u of %u", expr->column, column_count);
        }
        return type_equal(expr->type, columns[expr->column])
                   ? STATUS_OK
                   : CORRUPT("plan uses column %u with another type", expr->column);
    case EXPR_CONSTANT:
        return expr->arg_count == 0 && type_equal(expr->type, expr->constant.type)
                   ? STATUS_OK
                   : CORRUPT("plan holds an invalid constant");
    case EXPR_CALL:
        return check_call(expr);
    case EXPR_CAST:
        return expr->arg_count == 1 ? STATUS_OK : CORRUPT("plan holds an invalid cast");
    case EXPR_CASE:
        return check_case(expr);
    case EXPR_AND:
    case EXPR_OR:
        return check_boolean(expr, 1, UINT32_MAX, true);
    case EXPR_NOT:
        return check_boolean(expr, 1, 1, true);
    case EXPR_IS_NULL:
    case EXPR_IS_NOT_NULL:
        return check_boolean(expr, 1, 1, false);
    case EXPR_IN:
        return check_in(expr);
    default:
        return CORRUPT("plan holds an expression of kind %d", (int)expr->kind);
    }
}

static Status check_at(const Expr *expr, const Type *columns, uint32_t column_count, uint32_t depth)
{
    if (depth > PLAN_DEPTH_MAX) {
        return CORRUPT("plan holds an expression deeper than %d", PLAN_DEPTH_MAX);
    }
    for (uint32_t i = 0; i < expr->arg_count; i++) {
        TRY(check_at(expr->args[i], columns, column_count, depth + 1));
    }
    return check_own(expr, columns, column_count);
}

Status expr_check(const Expr *expr, const Type *columns, uint32_t column_count)
{
    return check_at(expr, columns, column_count, 0);
}
