/* null_facts.c — three-valued logic, looked at from the NULLs. */
#include "planner/optimizer/null_facts.h"

#include "planner/logical/logical_tree.h"

bool expr_is_null_when(const Expr *expr, const ColumnSet *nulls)
{
    const Value *value;
    switch (expr->kind) {
    case EXPR_COLUMN:
        return column_set_has(nulls, expr->column);
    case EXPR_CONSTANT:
        return expr_is_constant(expr, &value) && value->is_null;
    case EXPR_CAST:
    case EXPR_NOT:
    case EXPR_IN:
        return expr_is_null_when(expr->args[0], nulls);
    case EXPR_CALL:
        for (uint32_t i = 0; i < expr->arg_count && function_is_strict(expr->function); i++) {
            if (expr_is_null_when(expr->args[i], nulls)) {
                return true;
            }
        }
        return false;
    default:
        return false;
    }
}

bool expr_is_rejected_when(const Expr *expr, const ColumnSet *nulls)
{
    const Value *value;
    switch (expr->kind) {
    case EXPR_CONSTANT:
        return expr_is_constant(expr, &value) && (value->is_null || value->i64 == 0);
    case EXPR_AND:
        for (uint32_t i = 0; i < expr->arg_count; i++) {
            if (expr_is_rejected_when(expr->args[i], nulls)) {
                return true;
            }
        }
        return false;
    case EXPR_OR:
        for (uint32_t i = 0; i < expr->arg_count; i++) {
            if (!expr_is_rejected_when(expr->args[i], nulls)) {
                return false;
            }
        }
        return true;
    case EXPR_IS_NOT_NULL:
        return expr_is_null_when(expr->args[0], nulls);
    default:
        return expr_is_null_when(expr, nulls);
    }
}

void column_set_add_rejecting(ColumnSet *set, const Expr *condition, Arena *arena)
{
    ColumnSet used = {0};
    column_set_add_expr(&used, condition, arena);
    for (ColumnNumber number = 0; (number = column_set_next(&used, number)) != 0;) {
        ColumnSet one = {0};
        column_set_add(&one, number, arena);
        if (expr_is_rejected_when(condition, &one)) {
            column_set_add(set, number, arena);
        }
    }
}

bool expr_is_nullable(const Expr *expr, const LogicalNode *input)
{
    switch (expr->kind) {
    case EXPR_COLUMN: {
        const LogicalColumn *column = logical_find_column(input, expr->column);
        return column == NULL || column->is_nullable;
    }
    case EXPR_CONSTANT:
        return expr->constant.is_null;
    case EXPR_IS_NULL:
    case EXPR_IS_NOT_NULL:
        return false;
    case EXPR_IN:
        return expr->in.has_null_value || expr_is_nullable(expr->args[0], input);
    case EXPR_CALL:
        if (expr->function == FUNCTION_COALESCE) {
            return expr_is_nullable(expr->args[expr->arg_count - 1], input);
        }
        if (expr->function == FUNCTION_IS_NOT_DISTINCT) {
            return false;
        }
        if (!function_is_strict(expr->function) || expr->function == FUNCTION_TO_DATE) {
            return true;
        }
        break; // strict: NULL only from NULL
    case EXPR_CAST:
    case EXPR_NOT:
    case EXPR_AND:
    case EXPR_OR:
        break;
    default:
        return true;
    }
    for (uint32_t i = 0; i < expr->arg_count; i++) {
        if (expr_is_nullable(expr->args[i], input)) {
            return true;
        }
    }
    return false;
}
