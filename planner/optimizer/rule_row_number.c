/*
 * rule_row_number.c — a first row per partition is every row where partitions have one row each.
 *
 *   FILTER match = 1 over WINDOW row_number() over (partition by a)  ->  match := 1
 *
 * Updates from other tables pick one match per row so; most have only one by construction.
 */
#include "planner/optimizer/rules.h"
#include "planner/optimizer/unique_rows.h"

/* Is the conjunct `number = 1`? */
static bool is_first(const Expr *conjunct, ColumnNumber number)
{
    if (conjunct->kind != EXPR_CALL || conjunct->function != FUNCTION_EQUAL) {
        return false;
    }
    for (int side = 0; side < 2; side++) {
        const Value *value;
        const Expr *column = conjunct->args[side];
        if (column->kind == EXPR_COLUMN && column->column == number &&
            expr_is_constant(conjunct->args[1 - side], &value) && !value->is_null &&
            value->i64 == 1) {
            return true;
        }
    }
    return false;
}

static bool has_single_rows(const LogicalWindow *window, Arena *arena)
{
    ColumnSet partition = {0};
    const WindowCall *call = &window->calls[0];
    if (window->call_count != 1 || call->id != WINDOW_ROW_NUMBER) {
        return false;
    }
    for (uint32_t i = 0; i < call->partition_count; i++) {
        if (call->partition[i]->kind == EXPR_COLUMN) {
            column_set_add(&partition, call->partition[i]->column, arena);
        }
    }
    return rows_are_unique(window->child, &partition, arena);
}

static LogicalNode *simplify(Arena *arena, LogicalFilter *filter)
{
    LogicalWindow *window = (LogicalWindow *)filter->child;
    PointerList conjuncts = {0}, rest = {0};
    const LogicalColumn *number = &window->node.columns[window->node.column_count - 1];
    conjuncts_add(arena, &conjuncts, filter->condition);
    for (uint32_t i = 0; i < conjuncts.count; i++) {
        if (!is_first(conjuncts.items[i], number->number)) {
            pointer_list_add(arena, &rest, conjuncts.items[i]);
        }
    }
    if (rest.count == conjuncts.count || !has_single_rows(window, arena)) {
        return &filter->node;
    }
    Expr **one = ARENA_NEW(arena, Expr *);
    *one = expr_int64(arena, TYPE_BIGINT, 1);
    LogicalNode *numbered = logical_extend(arena, window->child, 1, one, number);
    return logical_filter(arena, numbered, conjuncts_join(arena, &rest));
}

static LogicalNode *visit(Arena *arena, LogicalNode *node)
{
    LogicalNode *child;
    for (uint32_t i = 0; (child = logical_get_child(node, i)) != NULL; i++) {
        logical_set_child(node, i, visit(arena, child));
    }
    bool is_candidate =
        node->kind == LOGICAL_FILTER && ((LogicalFilter *)node)->child->kind == LOGICAL_WINDOW;
    return is_candidate ? simplify(arena, (LogicalFilter *)node) : node;
}

Status rule_row_number(PlannerContext *context, LogicalNode **root)
{
    *root = visit(context->arena, *root);
    return STATUS_OK;
}
