/* logical_plan.c — children, expressions and output columns of every logical node. */
#include "planner/logical/logical_plan.h"

#include <string.h>

#include "planner/logical/logical_tree.h"

/* The place that holds child `index`, or null beyond the last. */
static LogicalNode **child_slot(LogicalNode *node, uint32_t index)
{
    switch (node->kind) {
    case LOGICAL_JOIN: {
        LogicalJoin *join = (LogicalJoin *)node;
        return index == 0 ? &join->left : index == 1 ? &join->right : NULL;
    }
    case LOGICAL_SET: {
        LogicalSet *set = (LogicalSet *)node;
        return index == 0 ? &set->left : index == 1 ? &set->right : NULL;
    }
    case LOGICAL_CHANGE: {
        LogicalChange *change = (LogicalChange *)node;
        return index == 0 ? &change->deletion : index == 1 ? &change->insertion : NULL;
    }
    case LOGICAL_CTE: {
        LogicalCte *cte = (LogicalCte *)node;
        return index == 0 ? &cte->definition : index == 1 ? &cte->child : NULL;
    }
    default:
        break;
    }
    if (index > 0) {
        return NULL;
    }
    switch (node->kind) {
    case LOGICAL_FILTER:
        return &((LogicalFilter *)node)->child;
    case LOGICAL_PROJECT:
        return &((LogicalProject *)node)->child;
    case LOGICAL_AGGREGATE:
        return &((LogicalAggregate *)node)->child;
    case LOGICAL_SORT:
        return &((LogicalSort *)node)->child;
    case LOGICAL_LIMIT:
        return &((LogicalLimit *)node)->child;
    case LOGICAL_DISTINCT:
        return &((LogicalDistinct *)node)->child;
    case LOGICAL_WINDOW:
        return &((LogicalWindow *)node)->child;
    case LOGICAL_INSERT:
        return &((LogicalInsert *)node)->child;
    case LOGICAL_DELETE:
        return &((LogicalDelete *)node)->child;
    default:
        return NULL;
    }
}

LogicalNode *logical_get_child(const LogicalNode *node, uint32_t index)
{
    LogicalNode **slot = child_slot((LogicalNode *)node, index);
    return slot == NULL ? NULL : *slot;
}

void logical_set_child(LogicalNode *node, uint32_t index, LogicalNode *child)
{
    LogicalNode **slot = child_slot(node, index);
    ASSERT(slot != NULL);
    *slot = child;
}

typedef struct SlotVisitor {
    void (*visit)(void *object, Expr **slot);
    void *object;
} SlotVisitor;

static void visit_slots(const SlotVisitor *self, Expr **slots, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        self->visit(self->object, &slots[i]);
    }
}

static void visit_window_calls(const SlotVisitor *self, WindowCall *calls, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        visit_slots(self, calls[i].args, calls[i].arg_count);
        visit_slots(self, calls[i].partition, calls[i].partition_count);
        for (uint32_t k = 0; k < calls[i].order_count; k++) {
            self->visit(self->object, &calls[i].order[k].expr);
        }
    }
}

void logical_each_expr(LogicalNode *node, void (*visit)(void *object, Expr **slot), void *object)
{
    SlotVisitor self = {visit, object};
    switch (node->kind) {
    case LOGICAL_GET: {
        LogicalGet *get = (LogicalGet *)node;
        visit_slots(&self, get->filters, get->filter_count);
        break;
    }
    case LOGICAL_VALUES: {
        LogicalValues *values = (LogicalValues *)node;
        visit_slots(&self, values->cells, values->row_count * node->column_count);
        break;
    }
    case LOGICAL_FILTER:
        visit(object, &((LogicalFilter *)node)->condition);
        break;
    case LOGICAL_PROJECT:
        visit_slots(&self, ((LogicalProject *)node)->exprs, node->column_count);
        break;
    case LOGICAL_JOIN:
        visit(object, &((LogicalJoin *)node)->condition);
        break;
    case LOGICAL_AGGREGATE: {
        LogicalAggregate *aggregate = (LogicalAggregate *)node;
        visit_slots(&self, aggregate->keys, aggregate->key_count);
        for (uint32_t i = 0; i < aggregate->aggregate_count; i++) {
            visit(object, &aggregate->aggregates[i].argument);
            visit(object, &aggregate->aggregates[i].filter);
        }
        break;
    }
    case LOGICAL_SORT: {
        LogicalSort *sort = (LogicalSort *)node;
        for (uint32_t i = 0; i < sort->key_count; i++) {
            visit(object, &sort->keys[i].expr);
        }
        break;
    }
    case LOGICAL_WINDOW: {
        LogicalWindow *window = (LogicalWindow *)node;
        visit_window_calls(&self, window->calls, window->call_count);
        break;
    }
    default:
        break;
    }
}

const LogicalColumn *logical_find_column(const LogicalNode *node, ColumnNumber number)
{
    for (uint32_t i = 0; i < node->column_count; i++) {
        if (node->columns[i].number == number) {
            return &node->columns[i];
        }
    }
    return NULL;
}

static void set_columns(LogicalNode *node, const LogicalNode *child)
{
    node->column_count = child->column_count;
    node->columns = child->columns;
}

/* Left columns, then right ones; those a join may fill with NULL are nullable. */
static void refresh_join_columns(Arena *arena, LogicalJoin *join)
{
    LogicalNode *node = &join->node;
    bool is_left_only =
        join->join == JOIN_SEMI || join->join == JOIN_ANTI || join->join == JOIN_ANTI_NULL;
    if (is_left_only) {
        set_columns(node, join->left);
        return;
    }
    bool is_mark = join->join == JOIN_MARK;
    LogicalColumn mark = {0};
    if (is_mark) {
        mark = node->columns[node->column_count - 1];
    }
    uint32_t right_count = is_mark ? 1 : join->right->column_count;
    LogicalColumn *columns =
        ARENA_ARRAY(arena, LogicalColumn, join->left->column_count + right_count);
    memcpy(columns, join->left->columns, join->left->column_count * sizeof(*columns));
    if (is_mark) {
        columns[join->left->column_count] = mark;
    } else if (right_count > 0) {
        memcpy(columns + join->left->column_count, join->right->columns,
               right_count * sizeof(*columns));
    }
    bool is_left_nullable = join->join == JOIN_RIGHT || join->join == JOIN_FULL;
    bool is_right_nullable =
        join->join == JOIN_LEFT || join->join == JOIN_FULL || join->join == JOIN_SINGLE;
    node->column_count = join->left->column_count + right_count;
    node->columns = columns;
    for (uint32_t i = 0; i < node->column_count; i++) {
        columns[i].is_nullable |=
            i < join->left->column_count ? is_left_nullable : is_right_nullable;
    }
}

void logical_refresh_columns(Arena *arena, LogicalNode *node)
{
    switch (node->kind) {
    case LOGICAL_FILTER:
    case LOGICAL_SORT:
    case LOGICAL_LIMIT:
    case LOGICAL_DISTINCT:
        set_columns(node, logical_get_child(node, 0));
        break;
    case LOGICAL_CTE:
        set_columns(node, ((LogicalCte *)node)->child);
        break;
    case LOGICAL_JOIN:
        refresh_join_columns(arena, (LogicalJoin *)node);
        break;
    case LOGICAL_WINDOW: {
        LogicalWindow *window = (LogicalWindow *)node;
        uint32_t kept = window->child->column_count;
        LogicalColumn *columns = ARENA_ARRAY(arena, LogicalColumn, kept + window->call_count);
        memcpy(columns, window->child->columns, kept * sizeof(*columns));
        memcpy(columns + kept, node->columns + (node->column_count - window->call_count),
               window->call_count * sizeof(*columns));
        node->column_count = kept + window->call_count;
        node->columns = columns;
        break;
    }
    default:
        break;
    }
}

static void note_volatile(void *object, Expr **slot)
{
    *(bool *)object |= *slot != NULL && expr_is_volatile(*slot);
}

bool logical_has_volatile(LogicalNode *root)
{
    bool is_volatile = false;
    logical_each_expr(root, note_volatile, &is_volatile);
    LogicalNode *child;
    for (uint32_t i = 0; !is_volatile && (child = logical_get_child(root, i)) != NULL; i++) {
        is_volatile = logical_has_volatile(child);
    }
    return is_volatile;
}

void conjuncts_add(Arena *arena, PointerList *list, Expr *condition)
{
    if (condition == NULL) {
        return;
    }
    if (condition->kind != EXPR_AND) {
        const Value *value;
        if (!expr_is_constant(condition, &value) || value->is_null || value->i64 == 0) {
            pointer_list_add(arena, list, condition);
        }
        return;
    }
    for (uint32_t i = 0; i < condition->arg_count; i++) {
        conjuncts_add(arena, list, condition->args[i]);
    }
}

Expr *conjuncts_join(Arena *arena, const PointerList *list)
{
    return list->count == 0 ? NULL : expr_and(arena, list->count, (Expr **)list->items);
}
