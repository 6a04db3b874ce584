/*
 * logical_verify.c — does a logical tree still make sense? Debug builds ask after every rule.
 *
 * Checked: (1) every column an expression uses is given by a child, or by an enclosing query;
 * with the type it is used by; (2) no node gives a column number twice; (3) pass-through nodes
 * give their children's columns; (4) conditions are boolean; (5) set operations' sides have equal
 * types, CTE references an enclosing definition's.
 */
#include "planner/logical/logical_plan.h"

#include "planner/logical/logical_tree.h"

typedef struct Scope { /* columns that expressions may use; outer ones behind `outer` */
    const LogicalNode *nodes[2];
    const struct Scope *outer;
} Scope;

typedef struct CteScope {
    const LogicalCte *cte;
    const struct CteScope *outer;
} CteScope;

typedef struct Verifier {
    const char *rule_name;
    const Scope *scope;
    const CteScope *ctes;
    Status status;
} Verifier;

static void verify_node(Verifier *self, const LogicalNode *node, const Scope *outer);

static void fail(Verifier *self, const char *text, uint32_t number)
{
    if (self->status == STATUS_OK) {
        self->status =
            status_error(SQLSTATE_INTERNAL_ERROR, "%s: %s %u", self->rule_name, text, number);
    }
}

static const LogicalColumn *scope_find(const Scope *scope, ColumnNumber number)
{
    for (; scope != NULL; scope = scope->outer) {
        for (int i = 0; i < 2; i++) {
            const LogicalColumn *found =
                scope->nodes[i] == NULL ? NULL : logical_find_column(scope->nodes[i], number);
            if (found != NULL) {
                return found;
            }
        }
    }
    return NULL;
}

static bool verify_expr(void *object, const Expr *expr)
{
    Verifier *self = object;
    if (expr->kind == EXPR_COLUMN) {
        const LogicalColumn *column = scope_find(self->scope, expr->column);
        if (column == NULL) {
            fail(self, "no child gives column", expr->column);
        } else if (!type_equal(column->type, expr->type)) {
            fail(self, "another type is given for column", expr->column);
        }
    } else if (expr->kind == EXPR_SUBQUERY) {
        verify_node(self, expr->subquery.plan, self->scope);
    }
    return true;
}

static void verify_slot(void *object, Expr **slot)
{
    expr_walk(*slot, verify_expr, object);
}

static void verify_distinct_numbers(Verifier *self, const LogicalNode *node)
{
    // Wide outputs are rare and this is a debug check: quadratic, but cut off.
    uint32_t count = node->column_count < 500 ? node->column_count : 500;
    for (uint32_t i = 0; i < count; i++) {
        if (node->columns[i].number == 0) {
            fail(self, "a column has no number: output", i);
        }
        for (uint32_t k = i + 1; k < count; k++) {
            if (node->columns[i].number == node->columns[k].number) {
                fail(self, "given twice: column", node->columns[i].number);
            }
        }
    }
}

static void verify_prefix(Verifier *self, const LogicalNode *node, uint32_t first,
                          const LogicalNode *child)
{
    if (node->column_count < first + child->column_count) {
        fail(self, "fewer columns than its child has a node of kind", node->kind);
        return;
    }
    for (uint32_t i = 0; i < child->column_count; i++) {
        if (node->columns[first + i].number != child->columns[i].number) {
            fail(self, "not passed on: column", child->columns[i].number);
        }
    }
}

static void verify_same_types(Verifier *self, const LogicalNode *node, const LogicalNode *child)
{
    if (node->column_count != child->column_count) {
        fail(self, "another number of columns than its input has a node of kind", node->kind);
        return;
    }
    for (uint32_t i = 0; i < node->column_count; i++) {
        if (!type_equal(node->columns[i].type, child->columns[i].type)) {
            fail(self, "another type than its input has column", node->columns[i].number);
        }
    }
}

static void verify_outputs(Verifier *self, const LogicalNode *node)
{
    switch (node->kind) {
    case LOGICAL_FILTER:
    case LOGICAL_SORT:
    case LOGICAL_LIMIT:
    case LOGICAL_DISTINCT:
    case LOGICAL_WINDOW:
        verify_prefix(self, node, 0, logical_get_child(node, 0));
        break;
    case LOGICAL_CTE:
        verify_prefix(self, node, 0, logical_get_child(node, 1));
        break;
    case LOGICAL_JOIN: {
        const LogicalJoin *join = (const LogicalJoin *)node;
        verify_prefix(self, node, 0, join->left);
        if (join->join != JOIN_SEMI && join->join != JOIN_ANTI && join->join != JOIN_ANTI_NULL &&
            join->join != JOIN_MARK) {
            verify_prefix(self, node, join->left->column_count, join->right);
        }
        break;
    }
    case LOGICAL_SET:
        verify_same_types(self, node, ((const LogicalSet *)node)->left);
        verify_same_types(self, node, ((const LogicalSet *)node)->right);
        break;
    case LOGICAL_PROJECT:
        for (uint32_t i = 0; i < node->column_count; i++) {
            if (!type_equal(node->columns[i].type,
                            ((const LogicalProject *)node)->exprs[i]->type)) {
                fail(self, "another type than its expression has column", node->columns[i].number);
            }
        }
        break;
    case LOGICAL_DELETE: {
        const LogicalNode *child = logical_get_child(node, 0);
        if (child->column_count != 2 || child->columns[0].type.id != TYPE_BIGINT ||
            child->columns[1].type.id != TYPE_INTEGER) {
            fail(self, "neither row id nor node has a node of kind", child->kind);
        }
        break;
    }
    default:
        break;
    }
}

static void verify_condition(Verifier *self, const Expr *condition)
{
    if (condition != NULL && condition->type.id != TYPE_BOOLEAN) {
        fail(self, "not boolean: a condition of type", condition->type.id);
    }
}

static void verify_aggregate(Verifier *self, const LogicalAggregate *aggregate)
{
    if (aggregate->node.column_count != aggregate->key_count + aggregate->aggregate_count) {
        fail(self, "keys and aggregates are not the outputs, of which there are",
             aggregate->node.column_count);
        return;
    }
    for (uint32_t i = 0; i < aggregate->node.column_count; i++) {
        Type type = i < aggregate->key_count ? aggregate->keys[i]->type
                                             : aggregate->aggregates[i - aggregate->key_count].type;
        if (!type_equal(type, aggregate->node.columns[i].type)) {
            fail(self, "another type than its aggregate has column",
                 aggregate->node.columns[i].number);
        }
    }
}

static void verify_reference(Verifier *self, const LogicalCteReference *reference)
{
    const CteScope *scope = self->ctes;
    while (scope != NULL && scope->cte->cte_id != reference->cte_id) {
        scope = scope->outer;
    }
    if (scope == NULL) {
        fail(self, "not in scope: common table expression", reference->cte_id);
    } else {
        verify_same_types(self, &reference->node, scope->cte->definition);
    }
}

static void verify_own(Verifier *self, const LogicalNode *node)
{
    verify_distinct_numbers(self, node);
    verify_outputs(self, node);
    if (node->kind == LOGICAL_FILTER) {
        verify_condition(self, ((const LogicalFilter *)node)->condition);
    } else if (node->kind == LOGICAL_JOIN) {
        verify_condition(self, ((const LogicalJoin *)node)->condition);
    } else if (node->kind == LOGICAL_AGGREGATE) {
        verify_aggregate(self, (const LogicalAggregate *)node);
    } else if (node->kind == LOGICAL_CTE_REFERENCE) {
        verify_reference(self, (const LogicalCteReference *)node);
    }
}

static void verify_node(Verifier *self, const LogicalNode *node, const Scope *outer)
{
    const Scope *scope_before = self->scope;
    const CteScope *ctes_before = self->ctes;
    CteScope cte_scope = {.cte = (const LogicalCte *)node, .outer = self->ctes};
    LogicalNode *child;
    for (uint32_t i = 0; (child = logical_get_child(node, i)) != NULL; i++) {
        if (node->kind == LOGICAL_CTE && i == 1) {
            self->ctes = &cte_scope;
        }
        Scope lateral = {.nodes = {logical_get_child(node, 0)}, .outer = outer};
        bool is_lateral_side =
            node->kind == LOGICAL_JOIN && i == 1 && ((const LogicalJoin *)node)->is_lateral;
        verify_node(self, child, is_lateral_side ? &lateral : outer);
    }
    self->ctes = ctes_before;
    Scope own = {.outer = outer};
    if (node->kind == LOGICAL_GET) {
        own.nodes[0] = node; // pushed-down filters are over the table's own columns
    } else if (node->kind != LOGICAL_CTE) {
        own.nodes[0] = logical_get_child(node, 0);
        own.nodes[1] = own.nodes[0] == NULL ? NULL : logical_get_child(node, 1);
    }
    self->scope = &own;
    logical_each_expr((LogicalNode *)node, verify_slot, self);
    self->scope = scope_before;
    verify_own(self, node);
}

Status logical_verify(const LogicalNode *root, const char *rule_name)
{
    Verifier self = {.rule_name = rule_name};
    verify_node(&self, root, NULL);
    return self.status;
}
