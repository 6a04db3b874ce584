/*
 * logical_print.c — an indented text of a logical tree, for tests and for debugging rules.
 *
 * Columns are written name#number, so that a test can see which of several equal names is meant:
 *   FILTER (a#1 > 3)
 *     GET t: a#1 b#2
 */
#include "planner/logical/logical_plan.h"

#include "planner/logical/logical_tree.h"

#define LOGICAL_DEPTH_MAX 200

typedef struct NamedColumns { /* by column number */
    const char **names;
    uint32_t count;
} NamedColumns;

typedef struct TreePrinter {
    ByteBuffer *target;
    Arena *arena;
    NamedColumns names;
} TreePrinter;

static void print_node(TreePrinter *self, const LogicalNode *node, uint32_t depth);

static const char *const kind_names[LOGICAL_KIND_COUNT] = {
    [LOGICAL_GET] = "GET",
    [LOGICAL_VALUES] = "VALUES",
    [LOGICAL_FILTER] = "FILTER",
    [LOGICAL_PROJECT] = "PROJECT",
    [LOGICAL_JOIN] = "JOIN",
    [LOGICAL_AGGREGATE] = "AGGREGATE",
    [LOGICAL_SORT] = "SORT",
    [LOGICAL_LIMIT] = "LIMIT",
    [LOGICAL_DISTINCT] = "DISTINCT",
    [LOGICAL_SET] = "SET",
    [LOGICAL_WINDOW] = "WINDOW",
    [LOGICAL_CTE] = "CTE",
    [LOGICAL_CTE_REFERENCE] = "CTE REFERENCE",
    [LOGICAL_INSERT] = "INSERT",
    [LOGICAL_DELETE] = "DELETE",
    [LOGICAL_CHANGE] = "CHANGE",
    [LOGICAL_COPY] = "COPY",
    [LOGICAL_VACUUM] = "VACUUM",
};

const char *join_kind_name(JoinKind join)
{
    static const char *const names[] = {
        [JOIN_INNER] = "INNER",
        [JOIN_LEFT] = "LEFT",
        [JOIN_RIGHT] = "RIGHT",
        [JOIN_FULL] = "FULL",
        [JOIN_SEMI] = "SEMI",
        [JOIN_ANTI] = "ANTI",
        [JOIN_ANTI_NULL] = "ANTI NULL",
        [JOIN_RIGHT_SEMI] = "RIGHT SEMI",
        [JOIN_RIGHT_ANTI] = "RIGHT ANTI",
        [JOIN_MARK] = "MARK",
        [JOIN_SINGLE] = "SINGLE",
    };
    return names[join];
}

static const char *column_text(void *object, uint32_t number)
{
    const TreePrinter *self = object;
    const char *name = number < self->names.count ? self->names.names[number] : NULL;
    return arena_printf(self->arena, "%s#%u", name == NULL ? "outer" : name, number);
}

static void remember_names(TreePrinter *self, const LogicalNode *node);

static bool remember_subquery(void *object, const Expr *expr)
{
    if (expr->kind == EXPR_SUBQUERY) {
        remember_names(object, expr->subquery.plan);
    }
    return true;
}

static void remember_slot(void *object, Expr **slot)
{
    expr_walk(*slot, remember_subquery, object);
}

static void remember_names(TreePrinter *self, const LogicalNode *node)
{
    for (uint32_t i = 0; i < node->column_count; i++) {
        ColumnNumber number = node->columns[i].number;
        if (number >= self->names.count) {
            uint32_t count = number * 2 + 64;
            const char **names = ARENA_ARRAY(self->arena, const char *, count);
            for (uint32_t k = 0; k < self->names.count; k++) {
                names[k] = self->names.names[k];
            }
            self->names = (NamedColumns){names, count};
        }
        self->names.names[number] = node->columns[i].name;
    }
    logical_each_expr((LogicalNode *)node, remember_slot, self);
    LogicalNode *child;
    for (uint32_t i = 0; (child = logical_get_child(node, i)) != NULL; i++) {
        remember_names(self, child);
    }
}

static void print_expr(TreePrinter *self, const Expr *expr)
{
    byte_buffer_printf(self->target, " %s", expr_print(self->arena, expr, column_text, self));
}

static void print_columns(TreePrinter *self, const LogicalNode *node, uint32_t first)
{
    byte_buffer_printf(self->target, ":");
    for (uint32_t i = first; i < node->column_count; i++) {
        byte_buffer_printf(self->target, " %s", column_text(self, node->columns[i].number));
    }
}

static void print_aggregate(TreePrinter *self, const LogicalAggregate *aggregate)
{
    for (uint32_t i = 0; i < aggregate->node.column_count; i++) {
        byte_buffer_printf(self->target, "%s %s :=", i == 0 ? "" : ",",
                           column_text(self, aggregate->node.columns[i].number));
        if (i < aggregate->key_count) {
            print_expr(self, aggregate->keys[i]);
        } else {
            const AggregateCall *call = &aggregate->aggregates[i - aggregate->key_count];
            byte_buffer_printf(self->target, " %s",
                               aggregate_call_print(self->arena, call, column_text, self));
        }
    }
}

static void print_sort(TreePrinter *self, const LogicalSort *sort)
{
    for (uint32_t i = 0; i < sort->key_count; i++) {
        byte_buffer_printf(self->target, "%s", i == 0 ? "" : ",");
        print_expr(self, sort->keys[i].expr);
        byte_buffer_printf(self->target, "%s%s", sort->keys[i].is_descending ? " DESC" : "",
                           sort->keys[i].is_nulls_first ? " NULLS FIRST" : "");
    }
}

static void print_get(TreePrinter *self, const LogicalGet *get)
{
    byte_buffer_printf(self->target, " %s", get->table->name);
    print_columns(self, &get->node, 0);
    for (uint32_t i = 0; i < get->filter_count; i++) {
        byte_buffer_printf(self->target, "%s", i == 0 ? " WHERE" : " AND");
        print_expr(self, get->filters[i]);
    }
}

static void print_limit(TreePrinter *self, const LogicalLimit *limit)
{
    if (limit->limit != PLAN_NO_LIMIT) {
        byte_buffer_printf(self->target, " %llu", (unsigned long long)limit->limit);
    }
    if (limit->offset > 0) {
        byte_buffer_printf(self->target, " OFFSET %llu", (unsigned long long)limit->offset);
    }
}

static void print_details(TreePrinter *self, const LogicalNode *node)
{
    static const char *const set_names[] = {"UNION ALL", "UNION", "INTERSECT", "EXCEPT"};
    switch (node->kind) {
    case LOGICAL_GET:
        print_get(self, (const LogicalGet *)node);
        break;
    case LOGICAL_FILTER:
        print_expr(self, ((const LogicalFilter *)node)->condition);
        break;
    case LOGICAL_PROJECT:
        for (uint32_t i = 0; i < node->column_count; i++) {
            byte_buffer_printf(self->target, "%s %s :=", i == 0 ? "" : ",",
                               column_text(self, node->columns[i].number));
            print_expr(self, ((const LogicalProject *)node)->exprs[i]);
        }
        break;
    case LOGICAL_JOIN: {
        const LogicalJoin *join = (const LogicalJoin *)node;
        byte_buffer_printf(self->target, " %s%s", join_kind_name(join->join),
                           join->is_lateral ? " LATERAL" : "");
        if (join->join == JOIN_MARK) {
            print_columns(self, node, node->column_count - 1);
        }
        if (join->condition != NULL) {
            print_expr(self, join->condition);
        }
        break;
    }
    case LOGICAL_AGGREGATE:
        print_aggregate(self, (const LogicalAggregate *)node);
        break;
    case LOGICAL_SORT:
        print_sort(self, (const LogicalSort *)node);
        break;
    case LOGICAL_LIMIT:
        print_limit(self, (const LogicalLimit *)node);
        break;
    case LOGICAL_SET:
        byte_buffer_printf(self->target, " %s", set_names[((const LogicalSet *)node)->set]);
        print_columns(self, node, 0);
        break;
    case LOGICAL_WINDOW:
        for (uint32_t i = 0; i < ((const LogicalWindow *)node)->call_count; i++) {
            byte_buffer_printf(self->target, " %s",
                               window_call_print(self->arena,
                                                 &((const LogicalWindow *)node)->calls[i],
                                                 column_text, self));
        }
        break;
    case LOGICAL_CTE:
        byte_buffer_printf(self->target, " %u", ((const LogicalCte *)node)->cte_id);
        break;
    case LOGICAL_CTE_REFERENCE:
        byte_buffer_printf(self->target, " %u", ((const LogicalCteReference *)node)->cte_id);
        print_columns(self, node, 0);
        break;
    case LOGICAL_VALUES:
        byte_buffer_printf(self->target, " %u rows", ((const LogicalValues *)node)->row_count);
        print_columns(self, node, 0);
        break;
    default:
        break;
    }
}

typedef struct SubqueryPrinter {
    TreePrinter *printer;
    uint32_t depth;
} SubqueryPrinter;

static bool print_subquery(void *object, const Expr *expr)
{
    const SubqueryPrinter *self = object;
    if (expr->kind == EXPR_SUBQUERY) {
        byte_buffer_printf(self->printer->target, "%*ssubquery:\n", (int)self->depth * 2, "");
        print_node(self->printer, expr->subquery.plan, self->depth + 1);
    }
    return true;
}

static void print_slot_subqueries(void *object, Expr **slot)
{
    expr_walk(*slot, print_subquery, object);
}

static void print_node(TreePrinter *self, const LogicalNode *node, uint32_t depth)
{
    if (depth > LOGICAL_DEPTH_MAX) {
        return;
    }
    byte_buffer_printf(self->target, "%*s%s", (int)depth * 2, "", kind_names[node->kind]);
    print_details(self, node);
    byte_buffer_printf(self->target, "\n");
    SubqueryPrinter subqueries = {self, depth + 1};
    logical_each_expr((LogicalNode *)node, print_slot_subqueries, &subqueries);
    LogicalNode *child;
    for (uint32_t i = 0; (child = logical_get_child(node, i)) != NULL; i++) {
        print_node(self, child, depth + 1);
    }
}

void logical_print(const LogicalNode *node, ByteBuffer *target)
{
    TreePrinter self = {.target = target, .arena = arena_create(NULL, "logical_print")};
    remember_names(&self, node);
    print_node(&self, node, 0);
    arena_destroy(self.arena);
}
