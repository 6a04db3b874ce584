/*
 * logical_copy.c — deep copies with new column numbers, and column replacement in whole trees.
 *
 * Copying clones every node, gives each column number that some node of the tree lists a new one,
 * and rewrites expressions; numbers from outside the tree (outer columns) stay as they are.
 */
#include "planner/logical/logical_tree.h"

#include <string.h>

typedef struct Copier {
    PlannerContext *context;
    Arena *arena;
    ColumnRenumbering *map;
    uint32_t *cte_ids; /* old, new, old, new … */
    uint32_t cte_count, cte_capacity;
} Copier;

ColumnNumber column_renumbering_get(const ColumnRenumbering *map, ColumnNumber number)
{
    return number < map->count && map->numbers[number] != 0 ? map->numbers[number] : number;
}

static void renumber(Copier *self, ColumnNumber number)
{
    ColumnRenumbering *map = self->map;
    if (number >= map->count) {
        uint32_t count = number + 64;
        ColumnNumber *numbers = ARENA_ARRAY(self->arena, ColumnNumber, count);
        if (map->count > 0) {
            memcpy(numbers, map->numbers, map->count * sizeof(*numbers));
        }
        map->numbers = numbers;
        map->count = count;
    }
    if (map->numbers[number] == 0) {
        map->numbers[number] = planner_new_column(self->context);
    }
}

static void *dup_array(Arena *arena, const void *items, size_t bytes)
{
    return bytes == 0 ? NULL : arena_memdup(arena, items, bytes);
}

static size_t node_bytes(LogicalKind kind)
{
    static const size_t bytes[LOGICAL_KIND_COUNT] = {
        [LOGICAL_GET] = sizeof(LogicalGet),
        [LOGICAL_VALUES] = sizeof(LogicalValues),
        [LOGICAL_FILTER] = sizeof(LogicalFilter),
        [LOGICAL_PROJECT] = sizeof(LogicalProject),
        [LOGICAL_JOIN] = sizeof(LogicalJoin),
        [LOGICAL_AGGREGATE] = sizeof(LogicalAggregate),
        [LOGICAL_SORT] = sizeof(LogicalSort),
        [LOGICAL_LIMIT] = sizeof(LogicalLimit),
        [LOGICAL_DISTINCT] = sizeof(LogicalDistinct),
        [LOGICAL_SET] = sizeof(LogicalSet),
        [LOGICAL_WINDOW] = sizeof(LogicalWindow),
        [LOGICAL_CTE] = sizeof(LogicalCte),
        [LOGICAL_CTE_REFERENCE] = sizeof(LogicalCteReference),
        [LOGICAL_INSERT] = sizeof(LogicalInsert),
        [LOGICAL_DELETE] = sizeof(LogicalDelete),
        [LOGICAL_CHANGE] = sizeof(LogicalChange),
        [LOGICAL_COPY] = sizeof(LogicalCopy),
        [LOGICAL_VACUUM] = sizeof(LogicalVacuum),
    };
    return bytes[kind];
}

static void copy_window_calls(Arena *arena, LogicalWindow *window)
{
    window->calls = dup_array(arena, window->calls, window->call_count * sizeof(WindowCall));
    for (uint32_t i = 0; i < window->call_count; i++) {
        WindowCall *call = &window->calls[i];
        call->args = dup_array(arena, call->args, call->arg_count * sizeof(*call->args));
        call->partition =
            dup_array(arena, call->partition, call->partition_count * sizeof(*call->partition));
        call->order = dup_array(arena, call->order, call->order_count * sizeof(*call->order));
    }
}

/* Gives the clone its own arrays of expressions, so that changes in place stay in the clone. */
static void copy_slots(Arena *arena, LogicalNode *node)
{
    switch (node->kind) {
    case LOGICAL_GET: {
        LogicalGet *get = (LogicalGet *)node;
        get->filters = dup_array(arena, get->filters, get->filter_count * sizeof(*get->filters));
        get->table_columns =
            dup_array(arena, get->table_columns, node->column_count * sizeof(*get->table_columns));
        break;
    }
    case LOGICAL_VALUES: {
        LogicalValues *values = (LogicalValues *)node;
        size_t count = (size_t)values->row_count * node->column_count;
        values->cells = dup_array(arena, values->cells, count * sizeof(*values->cells));
        break;
    }
    case LOGICAL_PROJECT: {
        LogicalProject *project = (LogicalProject *)node;
        project->exprs =
            dup_array(arena, project->exprs, node->column_count * sizeof(*project->exprs));
        break;
    }
    case LOGICAL_AGGREGATE: {
        LogicalAggregate *aggregate = (LogicalAggregate *)node;
        aggregate->keys =
            dup_array(arena, aggregate->keys, aggregate->key_count * sizeof(*aggregate->keys));
        aggregate->aggregates = dup_array(arena, aggregate->aggregates,
                                          aggregate->aggregate_count * sizeof(AggregateCall));
        break;
    }
    case LOGICAL_SORT: {
        LogicalSort *sort = (LogicalSort *)node;
        sort->keys = dup_array(arena, sort->keys, sort->key_count * sizeof(*sort->keys));
        break;
    }
    case LOGICAL_WINDOW:
        copy_window_calls(arena, (LogicalWindow *)node);
        break;
    default:
        break;
    }
}

static void clone_subqueries(void *object, Expr **slot);

static LogicalNode *clone(Copier *self, const LogicalNode *node)
{
    LogicalNode *copy = arena_memdup(self->arena, node, node_bytes(node->kind));
    copy->columns =
        dup_array(self->arena, node->columns, node->column_count * sizeof(*node->columns));
    copy_slots(self->arena, copy);
    for (uint32_t i = 0; i < copy->column_count; i++) {
        renumber(self, copy->columns[i].number);
    }
    if (copy->kind == LOGICAL_CTE) {
        if (self->cte_count == self->cte_capacity) {
            uint32_t *old = self->cte_ids;
            self->cte_capacity = self->cte_capacity * 2 + 4;
            self->cte_ids = ARENA_ARRAY(self->arena, uint32_t, (size_t)self->cte_capacity * 2);
            if (self->cte_count > 0) {
                memcpy(self->cte_ids, old, (size_t)self->cte_count * 2 * sizeof(*old));
            }
        }
        self->cte_ids[self->cte_count * 2] = ((LogicalCte *)copy)->cte_id;
        self->cte_ids[self->cte_count++ * 2 + 1] = self->context->next_cte++;
    }
    LogicalNode *child;
    for (uint32_t i = 0; (child = logical_get_child(node, i)) != NULL; i++) {
        logical_set_child(copy, i, clone(self, child));
    }
    logical_each_expr(copy, clone_subqueries, self);
    return copy;
}

static Expr *clone_subquery(void *object, const Expr *expr)
{
    Copier *self = object;
    if (expr->kind != EXPR_SUBQUERY) {
        return NULL;
    }
    Expr *copy = expr_copy(self->arena, expr);
    for (uint32_t i = 0; i < copy->arg_count; i++) {
        copy->args[i] = expr_rewrite(self->arena, copy->args[i], clone_subquery, self);
    }
    copy->subquery.plan = clone(self, expr->subquery.plan);
    return copy;
}

static void clone_subqueries(void *object, Expr **slot)
{
    Copier *self = object;
    if (*slot != NULL) {
        *slot = expr_rewrite(self->arena, *slot, clone_subquery, self);
    }
}

static uint32_t new_cte_id(const Copier *self, uint32_t cte_id)
{
    for (uint32_t i = 0; i < self->cte_count; i++) {
        if (self->cte_ids[i * 2] == cte_id) {
            return self->cte_ids[i * 2 + 1];
        }
    }
    return cte_id;
}

/* The second walk over a fresh clone: column numbers of outputs, and ids of its own CTEs. */
static void renumber_outputs(Copier *self, LogicalNode *node);

static bool renumber_subquery(void *object, const Expr *expr)
{
    if (expr->kind == EXPR_SUBQUERY) {
        renumber_outputs(object, expr->subquery.plan);
    }
    return true;
}

static void renumber_slot(void *object, Expr **slot)
{
    expr_walk(*slot, renumber_subquery, object);
}

static void renumber_outputs(Copier *self, LogicalNode *node)
{
    // Arrays of columns were cloned node by node, so each is visited once.
    for (uint32_t i = 0; i < node->column_count; i++) {
        node->columns[i].number = column_renumbering_get(self->map, node->columns[i].number);
    }
    if (node->kind == LOGICAL_CTE) {
        ((LogicalCte *)node)->cte_id = new_cte_id(self, ((LogicalCte *)node)->cte_id);
    } else if (node->kind == LOGICAL_CTE_REFERENCE) {
        LogicalCteReference *reference = (LogicalCteReference *)node;
        reference->cte_id = new_cte_id(self, reference->cte_id);
    }
    logical_each_expr(node, renumber_slot, self);
    LogicalNode *child;
    for (uint32_t i = 0; (child = logical_get_child(node, i)) != NULL; i++) {
        renumber_outputs(self, child);
    }
}

static Expr *renumbered_column(void *object, const Expr *column)
{
    const Copier *self = object;
    ColumnNumber number = column_renumbering_get(self->map, column->column);
    return number == column->column ? NULL : expr_column(self->arena, number, column->type);
}

LogicalNode *logical_copy(PlannerContext *context, const LogicalNode *root, ColumnRenumbering *map)
{
    Copier self = {.context = context, .arena = context->arena, .map = map};
    LogicalNode *copy = clone(&self, root);
    renumber_outputs(&self, copy);
    logical_replace_columns(self.arena, copy, renumbered_column, &self);
    return copy;
}

typedef struct CopiedColumns {
    Arena *arena;
    const ColumnRenumbering *map;
} CopiedColumns;

static Expr *copied_column(void *object, const Expr *column)
{
    const CopiedColumns *self = object;
    ColumnNumber number = column_renumbering_get(self->map, column->column);
    return number == column->column ? NULL : expr_column(self->arena, number, column->type);
}

Expr *logical_copied_expr(Arena *arena, const Expr *expr, const ColumnRenumbering *map)
{
    CopiedColumns self = {arena, map};
    return expr == NULL ? NULL : expr_replace_columns(arena, expr, copied_column, &self);
}

typedef struct Replacer {
    Arena *arena;
    Expr *(*map)(void *object, const Expr *column);
    void *object;
} Replacer;

static Expr *replace_one(void *object, const Expr *expr)
{
    Replacer *self = object;
    if (expr->kind == EXPR_SUBQUERY) {
        logical_replace_columns(self->arena, expr->subquery.plan, self->map, self->object);
    }
    return expr->kind == EXPR_COLUMN ? self->map(self->object, expr) : NULL;
}

static void replace_slot(void *object, Expr **slot)
{
    Replacer *self = object;
    if (*slot != NULL) {
        *slot = expr_rewrite(self->arena, *slot, replace_one, self);
    }
}

Expr *logical_replace_in_expr(Arena *arena, Expr *expr,
                              Expr *(*map)(void *object, const Expr *column), void *object)
{
    Replacer self = {arena, map, object};
    return expr_rewrite(arena, expr, replace_one, &self);
}

void logical_replace_columns(Arena *arena, LogicalNode *root,
                             Expr *(*map)(void *object, const Expr *column), void *object)
{
    Replacer self = {arena, map, object};
    logical_each_expr(root, replace_slot, &self);
    LogicalNode *child;
    for (uint32_t i = 0; (child = logical_get_child(root, i)) != NULL; i++) {
        logical_replace_columns(arena, child, map, object);
    }
}
