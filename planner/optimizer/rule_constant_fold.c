/* rule_constant_fold.c — folds every expression of the tree, plans of subqueries included. */
#include "planner/optimizer/fold.h"
#include "planner/optimizer/rules.h"

static void fold_tree(PlannerContext *context, LogicalNode *node);

static bool fold_subquery(void *object, const Expr *expr)
{
    if (expr->kind == EXPR_SUBQUERY) {
        fold_tree(object, expr->subquery.plan);
    }
    return true;
}

static void fold_slot(void *object, Expr **slot)
{
    if (*slot != NULL) {
        expr_walk(*slot, fold_subquery, object);
        *slot = fold_expr(object, *slot);
    }
}

static void fold_tree(PlannerContext *context, LogicalNode *node)
{
    logical_each_expr(node, fold_slot, context);
    LogicalNode *child;
    for (uint32_t i = 0; (child = logical_get_child(node, i)) != NULL; i++) {
        fold_tree(context, child);
    }
}

Status rule_constant_fold(PlannerContext *context, LogicalNode **root)
{
    fold_tree(context, *root);
    return STATUS_OK;
}
