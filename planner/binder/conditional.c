/*
 * conditional.c — CASE in both forms, DECODE and NVL2: all become the searched CASE.
 *
 *   CASE x WHEN 1 THEN a END   ->  CASE WHEN x = 1 THEN a ELSE NULL END
 *   DECODE(x, 1, a, b)         ->  CASE WHEN x IS NOT DISTINCT FROM 1 THEN a ELSE b END
 *   NVL2(x, a, b)              ->  CASE WHEN x IS NOT NULL THEN a ELSE b END
 */
#include "planner/binder/binder_internal.h"

Expr *case_make(Binder *binder, uint32_t count, Expr **parts, Type type, int32_t position)
{
    Expr *expr = ARENA_NEW(binder->arena, Expr);
    *expr = (Expr){.kind = EXPR_CASE,
                   .type = type,
                   .position = position,
                   .arg_count = count,
                   .args = parts};
    return expr;
}

// `parts` are when, then, …, else with ready conditions; results get one type.
static Status finish_case(Binder *binder, uint32_t count, Expr **parts, const char *what,
                          int32_t position, Expr **out)
{
    uint32_t result_count = count / 2 + 1;
    Expr **results = ARENA_ARRAY(binder->arena, Expr *, result_count);
    for (uint32_t i = 0; i < result_count; i++) {
        // ELSE first: PostgreSQL prefers its type, and names it first in errors
        results[i] = i == 0 ? parts[count - 1] : parts[i * 2 - 1];
    }
    Type type;
    TRY(coerce_common(binder, result_count, results, what, &type));
    for (uint32_t i = 0; i < result_count; i++) {
        parts[i == 0 ? count - 1 : i * 2 - 1] = results[i];
    }
    *out = case_make(binder, count, parts, type, position);
    return STATUS_OK;
}

Status bind_case(Binder *binder, Scope *scope, const AstExpr *ast, Expr **out)
{
    uint32_t first = ast->has_operand ? 1 : 0;
    uint32_t branch_count = (ast->arg_count - first) / 2;
    uint32_t count = branch_count * 2 + 1;
    Expr **parts = ARENA_ARRAY(binder->arena, Expr *, count);
    Expr *operand = NULL;
    if (ast->has_operand) {
        TRY(bind_expr(binder, scope, ast->args[0], &operand));
        if (operand->kind == EXPR_CONSTANT) {
            TRY(coerce_unknown(binder, operand, &operand));
        }
    }
    for (uint32_t i = 0; i < branch_count; i++) {
        const AstExpr *when = ast->args[first + i * 2];
        TRY(bind_expr(binder, scope, when, &parts[i * 2]));
        if (operand != NULL) {
            Expr *again = operand;
            if (i > 0) {
                TRY(bind_repeat(binder, operand, &again));
            }
            TRY(bind_comparison(binder, FUNCTION_EQUAL, again, parts[i * 2], when->position,
                                &parts[i * 2]));
        } else {
            TRY(coerce_condition(binder, parts[i * 2], "CASE/WHEN", &parts[i * 2]));
        }
        TRY(bind_expr(binder, scope, ast->args[first + i * 2 + 1], &parts[i * 2 + 1]));
    }
    if (ast->has_else) {
        TRY(bind_expr(binder, scope, ast->args[ast->arg_count - 1], &parts[count - 1]));
    } else {
        parts[count - 1] = constant_null(binder, type_of(TYPE_UNKNOWN));
    }
    return finish_case(binder, count, parts, "CASE", ast->position, out);
}

Status bind_decode(Binder *binder, uint32_t count, Expr **args, int32_t position, Expr **out)
{
    uint32_t branch_count = (count - 1) / 2;
    bool has_default = count % 2 == 0;
    uint32_t part_count = branch_count * 2 + 1;
    Expr **parts = ARENA_ARRAY(binder->arena, Expr *, part_count);
    for (uint32_t i = 0; i < branch_count; i++) {
        Expr *operand = args[0];
        if (i > 0) {
            TRY(bind_repeat(binder, args[0], &operand));
        }
        TRY(bind_comparison(binder, FUNCTION_IS_NOT_DISTINCT, operand, args[i * 2 + 1],
                            args[i * 2 + 1]->position, &parts[i * 2]));
        parts[i * 2 + 1] = args[i * 2 + 2];
    }
    parts[part_count - 1] =
        has_default ? args[count - 1] : constant_null(binder, type_of(TYPE_UNKNOWN));
    return finish_case(binder, part_count, parts, "DECODE", position, out);
}

Status bind_nvl2(Binder *binder, Expr **args, int32_t position, Expr **out)
{
    Expr **parts = ARENA_ARRAY(binder->arena, Expr *, 3);
    TRY(coerce_unknown(binder, args[0], &args[0]));
    parts[0] = expr_is_not_null(binder->arena, args[0]);
    parts[1] = args[1];
    parts[2] = args[2];
    return finish_case(binder, 3, parts, "NVL2", position, out);
}
