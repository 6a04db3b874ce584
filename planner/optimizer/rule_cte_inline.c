/*
 * rule_cte_inline.c — common table expressions: used once or cheap ones go where they are used,
 * the others are computed once for the whole statement.
 *
 * Shared definitions are moved to the root of the statement, in the order of definition, so that
 * no later rule meets one inside a query. A definition that uses columns of an enclosing query has
 * other rows for each of its rows: it is copied to its uses and unnested there.
 */
#include "planner/optimizer/rules.h"

#include <string.h>

typedef struct Inliner {
    PlannerContext *context;
    Arena *arena;
    PointerList shared; /* LogicalCte, in the order of definition */
} Inliner;

typedef LogicalNode *(*NodeMap)(void *object, LogicalNode *node);

/* Replaces nodes everywhere below `node`, in plans of subqueries too; children first. */
typedef struct TreeMap {
    NodeMap map;
    void *object;
} TreeMap;

static LogicalNode *map_tree(TreeMap *self, LogicalNode *node);

static bool map_subquery(void *object, const Expr *expr)
{
    if (expr->kind == EXPR_SUBQUERY) {
        ((Expr *)expr)->subquery.plan = map_tree(object, expr->subquery.plan);
    }
    return true;
}

static void map_slot(void *object, Expr **slot)
{
    expr_walk(*slot, map_subquery, object);
}

static LogicalNode *map_tree(TreeMap *self, LogicalNode *node)
{
    LogicalNode *child;
    for (uint32_t i = 0; (child = logical_get_child(node, i)) != NULL; i++) {
        logical_set_child(node, i, map_tree(self, child));
    }
    logical_each_expr(node, map_slot, self);
    return self->map(self->object, node);
}

typedef struct ReferenceCount {
    uint32_t cte_id, count;
} ReferenceCount;

static LogicalNode *count_reference(void *object, LogicalNode *node)
{
    ReferenceCount *self = object;
    self->count += node->kind == LOGICAL_CTE_REFERENCE &&
                   ((LogicalCteReference *)node)->cte_id == self->cte_id;
    return node;
}

static uint32_t count_references(LogicalNode *node, uint32_t cte_id)
{
    ReferenceCount count = {cte_id, 0};
    TreeMap map = {count_reference, &count};
    map_tree(&map, node);
    return count.count;
}

typedef struct Replacement {
    Inliner *inliner;
    LogicalCte *cte;
    uint32_t left; /* references still to come: the last one gets the definition itself */
} Replacement;

static LogicalNode *replace_reference(void *object, LogicalNode *node)
{
    Replacement *self = object;
    if (node->kind != LOGICAL_CTE_REFERENCE ||
        ((LogicalCteReference *)node)->cte_id != self->cte->cte_id) {
        return node;
    }
    LogicalNode *definition = self->cte->definition;
    if (--self->left > 0) {
        ColumnRenumbering map = {0};
        definition = logical_copy(self->inliner->context, definition, &map);
    }
    Arena *arena = self->inliner->arena;
    Expr **exprs = ARENA_ARRAY(arena, Expr *, definition->column_count);
    for (uint32_t i = 0; i < definition->column_count; i++) {
        exprs[i] = logical_column_expr(arena, &definition->columns[i]);
    }
    return logical_project(arena, definition, definition->column_count, exprs, node->columns);
}

static bool find_subquery(void *object, const Expr *expr)
{
    *(bool *)object |= expr->kind == EXPR_SUBQUERY;
    return true;
}

static void find_in_slot(void *object, Expr **slot)
{
    expr_walk(*slot, find_subquery, object);
}

bool is_cheap_to_repeat(LogicalNode *node)
{
    if (logical_has_volatile(node)) {
        return false;
    }
    while (node->kind == LOGICAL_FILTER || node->kind == LOGICAL_PROJECT) {
        bool has_subquery = false;
        logical_each_expr(node, find_in_slot, &has_subquery);
        if (has_subquery) {
            return false;
        }
        node = logical_get_child(node, 0);
    }
    return node->kind == LOGICAL_GET || node->kind == LOGICAL_VALUES ||
           node->kind == LOGICAL_CTE_REFERENCE;
}

static LogicalNode *resolve_cte(Inliner *self, LogicalCte *cte)
{
    uint32_t count = count_references(cte->child, cte->cte_id);
    if (count == 0) {
        return cte->child;
    }
    bool is_copied = count == 1 || is_cheap_to_repeat(cte->definition) ||
                     logical_is_correlated(cte->definition, self->arena);
    if (!is_copied) {
        pointer_list_add(self->arena, &self->shared, cte);
        return cte->child;
    }
    Replacement replacement = {self, cte, count};
    TreeMap map = {replace_reference, &replacement};
    return map_tree(&map, cte->child);
}

static LogicalNode *resolve(Inliner *self, LogicalNode *node);

static bool resolve_subquery(void *object, const Expr *expr)
{
    if (expr->kind == EXPR_SUBQUERY) {
        ((Expr *)expr)->subquery.plan = resolve(object, expr->subquery.plan);
    }
    return true;
}

static void resolve_slot(void *object, Expr **slot)
{
    expr_walk(*slot, resolve_subquery, object);
}

/* Parents first, so that a definition is settled before what is inside its scope. */
static LogicalNode *resolve(Inliner *self, LogicalNode *node)
{
    while (node->kind == LOGICAL_CTE) {
        LogicalCte *cte = (LogicalCte *)node;
        cte->definition = resolve(self, cte->definition);
        node = resolve_cte(self, cte);
    }
    LogicalNode *child;
    for (uint32_t i = 0; (child = logical_get_child(node, i)) != NULL; i++) {
        logical_set_child(node, i, resolve(self, child));
    }
    logical_each_expr(node, resolve_slot, self);
    logical_refresh_columns(self->arena, node);
    return node;
}

Status rule_cte_inline(PlannerContext *context, LogicalNode **root)
{
    Inliner self = {.context = context, .arena = context->arena};
    LogicalNode *body = resolve(&self, *root);
    for (uint32_t i = self.shared.count; i > 0; i--) {
        LogicalCte *cte = self.shared.items[i - 1];
        body = logical_cte(self.arena, cte->cte_id, cte->name, cte->definition, body);
    }
    *root = body;
    return STATUS_OK;
}
