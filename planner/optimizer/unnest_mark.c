/*
 * unnest_mark.c — IN and EXISTS as values: a boolean column beside each row.
 *
 * With one key and nothing else the engine's mark join tells false from NULL by itself. With more
 * (a correlated list) two marks answer two questions that are never NULL:
 *   found:    is there a row where the condition is true?
 *   unknown:  is there one where it is NULL?
 *   mark = case when found then true when unknown then null else false end
 */
#include "planner/optimizer/null_facts.h"
#include "planner/optimizer/unnest.h"

static bool is_single_key(const Expr *condition, const Expr *same)
{
    return same == NULL && condition != NULL && condition->kind == EXPR_CALL &&
           condition->function == FUNCTION_EQUAL && !expr_is_constant(condition->args[0], NULL) &&
           !expr_is_constant(condition->args[1], NULL);
}

static bool can_be_unknown(const LogicalNode *left, const LogicalNode *right, const Expr *condition,
                           Arena *arena)
{
    if (condition == NULL) {
        return false;
    }
    LogicalNode *both =
        logical_join(arena, JOIN_INNER, (LogicalNode *)left, (LogicalNode *)right, NULL, 0);
    return expr_is_nullable(condition, both);
}

static Expr *mark_column(Arena *arena, ColumnNumber mark)
{
    return expr_column(arena, mark, type_of(TYPE_BOOLEAN));
}

/* The same right side once more; the conditions get the copy's columns. */
static LogicalNode *repeat_right(Unnester *unnester, const LogicalNode *right, Expr **condition,
                                 Expr **same)
{
    ColumnRenumbering map = {0};
    LogicalNode *copy = logical_copy(unnester->context, right, &map);
    *condition = logical_copied_expr(unnester->arena, *condition, &map);
    *same = logical_copied_expr(unnester->arena, *same, &map);
    return copy;
}

static LogicalNode *give_mark(Arena *arena, LogicalNode *node, Expr *value, ColumnNumber mark,
                              bool is_nullable)
{
    LogicalColumn column = {
        .number = mark, .name = "mark", .type = type_of(TYPE_BOOLEAN), .is_nullable = is_nullable};
    return logical_extend(arena, node, 1, &value, &column);
}

LogicalNode *mark_join(Unnester *unnester, LogicalNode *left, LogicalNode *right, Expr *condition,
                       Expr *same, ColumnNumber mark, bool is_exact)
{
    Arena *arena = unnester->arena;
    bool needs_null = is_exact && can_be_unknown(left, right, condition, arena);
    if (needs_null && is_single_key(condition, same)) {
        return logical_join(arena, JOIN_MARK, left, right, condition, mark);
    }
    Expr *other_condition = condition, *other_same = same;
    LogicalNode *other =
        needs_null ? repeat_right(unnester, right, &other_condition, &other_same) : NULL;
    ColumnNumber found = planner_new_column(unnester->context);
    LogicalNode *node =
        logical_join(arena, JOIN_MARK, left, right, expr_and2(arena, condition, same), found);
    Expr *is_found = null_as(arena, mark_column(arena, found), false);
    if (!needs_null) {
        return give_mark(arena, node, is_found, mark, false);
    }
    ColumnNumber unknown = planner_new_column(unnester->context);
    Expr *is_unknown = expr_and2(arena, expr_is_null(arena, other_condition), other_same);
    node = logical_join(arena, JOIN_MARK, node, other, is_unknown, unknown);
    Value null = value_null(type_of(TYPE_BOOLEAN));
    Expr **args = ARENA_ARRAY(arena, Expr *, 5);
    args[0] = is_found;
    args[1] = expr_boolean(arena, true);
    args[2] = null_as(arena, mark_column(arena, unknown), false);
    args[3] = expr_constant(arena, &null);
    args[4] = expr_boolean(arena, false);
    return give_mark(arena, node, expr_case(arena, type_of(TYPE_BOOLEAN), 5, args), mark, true);
}
