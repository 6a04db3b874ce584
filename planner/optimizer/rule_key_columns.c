/*
 * rule_key_columns.c — computed join keys become columns, so that rows can be hashed by them.
 *
 *   JOIN a.x + 1 = b.y  ->  JOIN k = b.y  over  PROJECT a.*, k := a.x + 1
 */
#include "planner/optimizer/distribution.h"
#include "planner/optimizer/rules.h"

typedef struct SideKeys { /* of one child */
    ColumnSet columns;
    PointerList exprs;
    LogicalColumn *computed;
} SideKeys;

/* The expression as a column of the side: itself where rows can be hashed by it as it is. */
static Expr *as_column(PlannerContext *context, SideKeys *side, Expr *expr)
{
    if (distribution_column_of(expr) != 0 || expr_is_volatile(expr)) {
        return expr;
    }
    uint32_t index = 0;
    while (index < side->exprs.count && !expr_equal(side->exprs.items[index], expr)) {
        index++;
    }
    if (index == side->exprs.count) {
        pointer_list_add(context->arena, &side->exprs, expr);
        LogicalColumn *computed = ARENA_ARRAY(context->arena, LogicalColumn, index + 1);
        for (uint32_t i = 0; i < index; i++) {
            computed[i] = side->computed[i];
        }
        computed[index] = (LogicalColumn){.number = planner_new_column(context),
                                          .name = "key",
                                          .type = expr->type,
                                          .is_nullable = true};
        side->computed = computed;
    }
    return logical_column_expr(context->arena, &side->computed[index]);
}

static int side_of(PlannerContext *context, SideKeys sides[2], const Expr *expr)
{
    ColumnSet used = {0};
    column_set_add_expr(&used, expr, context->arena);
    for (int i = 0; i < 2 && !column_set_is_empty(&used); i++) {
        if (column_set_is_subset(&used, &sides[i].columns)) {
            return i;
        }
    }
    return -1;
}

static void rewrite_join(PlannerContext *context, LogicalJoin *join)
{
    Arena *arena = context->arena;
    SideKeys sides[2] = {{.columns = column_set_of_node(join->left, arena)},
                         {.columns = column_set_of_node(join->right, arena)}};
    PointerList conjuncts = {0};
    conjuncts_add(arena, &conjuncts, join->condition);
    for (uint32_t i = 0; i < conjuncts.count; i++) {
        const Expr *conjunct = conjuncts.items[i];
        if (conjunct->kind != EXPR_CALL || (conjunct->function != FUNCTION_EQUAL &&
                                            conjunct->function != FUNCTION_IS_NOT_DISTINCT)) {
            continue;
        }
        int left = side_of(context, sides, conjunct->args[0]);
        int right = side_of(context, sides, conjunct->args[1]);
        if (left >= 0 && right >= 0 && left != right) {
            conjuncts.items[i] = expr_call2(arena, conjunct->function, conjunct->type,
                                            as_column(context, &sides[left], conjunct->args[0]),
                                            as_column(context, &sides[right], conjunct->args[1]));
        }
    }
    join->condition = conjuncts_join(arena, &conjuncts);
    for (uint32_t i = 0; i < 2; i++) {
        if (sides[i].exprs.count > 0) {
            LogicalNode *child = logical_get_child(&join->node, i);
            logical_set_child(&join->node, i,
                              logical_extend(arena, child, sides[i].exprs.count,
                                             (Expr **)sides[i].exprs.items, sides[i].computed));
        }
    }
    logical_refresh_columns(arena, &join->node);
}

static void rewrite(PlannerContext *context, LogicalNode *node)
{
    LogicalNode *child;
    for (uint32_t i = 0; (child = logical_get_child(node, i)) != NULL; i++) {
        rewrite(context, child);
    }
    if (node->kind == LOGICAL_JOIN) {
        rewrite_join(context, (LogicalJoin *)node);
    } else {
        logical_refresh_columns(context->arena, node);
    }
}

Status rule_key_columns(PlannerContext *context, LogicalNode **root)
{
    rewrite(context, *root);
    return STATUS_OK;
}
