/*
 * grouping_sets.c — ROLLUP, CUBE and GROUPING SETS: what they stand for, and the tree of it.
 *
 *   GROUP BY a, ROLLUP (b, c)   ->   {a, b, c} {a, b} {a}
 *   each set: an aggregate by its keys, NULL for the others; UNION ALL of them. The input becomes a
 *   common table expression, so that it is written once and the optimizer may share it.
 */
#include "planner/binder/binder_internal.h"

/* Sets in the making. */
typedef struct SetList {
    uint64_t *items;
    uint32_t count, capacity;
} SetList;

typedef struct Expander {
    Binder *binder;
    const GroupKeySource *source;
} Expander;

static Status too_many(int32_t position)
{
    return status_at(position, SQLSTATE_STATEMENT_TOO_COMPLEX, "too many grouping sets present");
}

static Status add_set(Expander *self, SetList *list, uint64_t set, int32_t position)
{
    if (list->count == GROUPING_SETS_MAX) {
        return too_many(position);
    }
    AST_LIST_ADD(self->binder->arena, list, set);
    return STATUS_OK;
}

// The bits of an item: one key, or those of (a, b).
static Status key_bits(Expander *self, const AstExpr *ast, uint64_t *bits)
{
    uint32_t count = ast->kind == AST_ROW ? ast->arg_count : 1;
    *bits = 0;
    for (uint32_t i = 0; i < count; i++) {
        uint32_t index = 0;
        TRY(self->source->add_key(self->source->self, ast->kind == AST_ROW ? ast->args[i] : ast,
                                  &index));
        if (index >= GROUPING_KEYS_MAX) {
            return too_many(ast->position);
        }
        *bits |= UINT64_C(1) << index;
    }
    return STATUS_OK;
}

// ROLLUP: all of them, then one fewer from the end, down to none.
static Status expand_rollup(Expander *self, const AstGroupItem *item, SetList *out)
{
    SetList prefixes = {0};
    uint64_t set = 0;
    TRY(add_set(self, &prefixes, 0, item->position));
    for (uint32_t i = 0; i < item->exprs.count; i++) {
        uint64_t bits = 0;
        TRY(key_bits(self, item->exprs.items[i], &bits));
        set |= bits;
        TRY(add_set(self, &prefixes, set, item->position));
    }
    for (uint32_t i = prefixes.count; i-- > 0;) {
        TRY(add_set(self, out, prefixes.items[i], item->position));
    }
    return STATUS_OK;
}

// CUBE: every subset, the full one first.
static Status expand_cube(Expander *self, const AstGroupItem *item, SetList *out)
{
    uint64_t bits[GROUPING_KEYS_MAX];
    uint32_t count = item->exprs.count;
    if (count >= GROUPING_KEYS_MAX || (UINT64_C(1) << count) > GROUPING_SETS_MAX) {
        return too_many(item->position);
    }
    for (uint32_t i = 0; i < count; i++) {
        TRY(key_bits(self, item->exprs.items[i], &bits[i]));
    }
    for (uint32_t subset = UINT32_C(1) << count; subset-- > 0;) {
        uint64_t set = 0;
        for (uint32_t i = 0; i < count; i++) {
            set |= (subset >> (count - 1 - i)) & 1 ? bits[i] : 0;
        }
        TRY(add_set(self, out, set, item->position));
    }
    return STATUS_OK;
}

static Status expand_item(Expander *self, const AstGroupItem *item, SetList *out)
{
    uint64_t bits = 0;
    TRY(binder_enter(self->binder, 1, item->position));
    Status status = STATUS_OK;
    switch (item->kind) {
    case AST_GROUP_EXPR:
        status = key_bits(self, item->expr, &bits);
        status = status == STATUS_OK ? add_set(self, out, bits, item->position) : status;
        break;
    case AST_GROUP_EMPTY:
        status = add_set(self, out, 0, item->position);
        break;
    case AST_GROUP_ROLLUP:
        status = expand_rollup(self, item, out);
        break;
    case AST_GROUP_CUBE:
        status = expand_cube(self, item, out);
        break;
    case AST_GROUP_SETS:
        for (uint32_t i = 0; i < item->item_count && status == STATUS_OK; i++) {
            status = expand_item(self, &item->items[i], out);
        }
        break;
    }
    binder_leave(self->binder, 1);
    return status;
}

Status grouping_sets_expand(Binder *binder, const AstGroupList *list, const GroupKeySource *source,
                            uint32_t *count, uint64_t **out)
{
    Expander self = {.binder = binder, .source = source};
    SetList all = {0};
    TRY(add_set(&self, &all, 0, POSITION_NONE));
    for (uint32_t i = 0; i < list->count; i++) { // each item multiplies the sets so far
        SetList own = {0}, product = {0};
        TRY(expand_item(&self, &list->items[i], &own));
        for (uint32_t j = 0; j < all.count; j++) {
            for (uint32_t k = 0; k < own.count; k++) {
                TRY(add_set(&self, &product, all.items[j] | own.items[k],
                            list->items[i].position));
            }
        }
        all = product;
    }
    *count = all.count;
    *out = all.items;
    return STATUS_OK;
}

// ---- the tree ----

typedef struct SetBuilder {
    Binder *binder;
    const Grouping *grouping;
    const LogicalAggregate *aggregate;
    uint32_t grouping_count;
    const uint32_t *grouping_keys;
    uint32_t cte_id;
    LogicalNode *reference;      /* of the set being built */
} SetBuilder;

// A column of the input as the same column of this set's reference to it.
static Expr *to_reference(void *object, const Expr *column)
{
    const SetBuilder *self = object;
    const LogicalNode *input = self->aggregate->child;
    for (uint32_t i = 0; i < input->column_count; i++) {
        if (input->columns[i].number == column->column) {
            return expr_at(logical_column_expr(self->binder->arena, &self->reference->columns[i]),
                           column->position);
        }
    }
    return NULL;
}

static bool find_subquery(void *object, const Expr *expr)
{
    bool *is_found = object;
    *is_found = *is_found || expr->kind == EXPR_SUBQUERY;
    return !*is_found;
}

static Status move(SetBuilder *self, const Expr *expr, Expr **out)
{
    bool has_subquery = false;
    *out = NULL;
    if (expr == NULL) {
        return STATUS_OK;
    }
    expr_walk(expr, find_subquery, &has_subquery);
    if (has_subquery) {
        return status_at(expr->position, SQLSTATE_FEATURE_NOT_SUPPORTED,
                         "subqueries inside GROUPING SETS are not supported yet");
    }
    *out = expr_replace_columns(self->binder->arena, expr, to_reference, self);
    return STATUS_OK;
}

static bool is_in_set(uint64_t set, uint32_t key)
{
    return ((set >> key) & 1) != 0;
}

static LogicalColumn renumbered(SetBuilder *self, const LogicalColumn *column)
{
    LogicalColumn copy = *column;
    copy.number = planner_new_column(self->binder->context);
    return copy;
}

static Status build_aggregate(SetBuilder *self, uint64_t set, LogicalNode **out)
{
    const LogicalAggregate *aggregate = self->aggregate;
    Arena *arena = self->binder->arena;
    uint32_t key_count = 0, count = aggregate->aggregate_count;
    Expr **keys = ARENA_ARRAY(arena, Expr *, aggregate->key_count + 1);
    AggregateCall *calls = ARENA_ARRAY(arena, AggregateCall, count + 1);
    LogicalColumn *columns =
        ARENA_ARRAY(arena, LogicalColumn, aggregate->node.column_count + 1);
    self->reference =
        logical_cte_reference(self->binder->context, self->cte_id, aggregate->child);
    for (uint32_t i = 0; i < aggregate->key_count; i++) {
        if (is_in_set(set, i)) {
            TRY(move(self, aggregate->keys[i], &keys[key_count]));
            columns[key_count++] = renumbered(self, &aggregate->node.columns[i]);
        }
    }
    for (uint32_t i = 0; i < count; i++) {
        calls[i] = aggregate->aggregates[i];
        TRY(move(self, aggregate->aggregates[i].argument, &calls[i].argument));
        TRY(move(self, aggregate->aggregates[i].filter, &calls[i].filter));
        columns[key_count + i] =
            renumbered(self, &aggregate->node.columns[aggregate->key_count + i]);
    }
    *out = logical_aggregate(arena, self->reference, key_count, keys, count, calls, columns);
    return STATUS_OK;
}

// The set's aggregate with all columns of the result: NULL for keys that it does not group by.
static Status build_set(SetBuilder *self, uint64_t set, LogicalNode **out)
{
    const LogicalAggregate *aggregate = self->aggregate;
    Arena *arena = self->binder->arena;
    LogicalNode *child = NULL;
    TRY(build_aggregate(self, set, &child));
    uint32_t own_count = aggregate->node.column_count;
    uint32_t count = own_count + self->grouping_count, next = 0;
    Expr **exprs = ARENA_ARRAY(arena, Expr *, count + 1);
    LogicalColumn *columns = ARENA_ARRAY(arena, LogicalColumn, count + 1);
    for (uint32_t i = 0; i < own_count; i++) {
        bool is_given = i >= aggregate->key_count || is_in_set(set, i);
        exprs[i] = is_given
                       ? logical_column_expr(arena, &child->columns[next++])
                       : constant_null(self->binder, aggregate->node.columns[i].type);
        columns[i] = renumbered(self, &aggregate->node.columns[i]);
        columns[i].is_nullable = columns[i].is_nullable || !is_given;
    }
    for (uint32_t i = 0; i < self->grouping_count; i++) {
        bool is_grouped = is_in_set(set, self->grouping_keys[i]);
        exprs[own_count + i] = expr_int64(arena, TYPE_INTEGER, is_grouped ? 0 : 1);
        columns[own_count + i] =
            logical_column(planner_new_column(self->binder->context), "grouping",
                           exprs[own_count + i], child);
    }
    *out = logical_project(arena, child, count, exprs, columns);
    return STATUS_OK;
}

// UNION ALL of nodes[first .. first + count), halved; the topmost gives `columns`.
static LogicalNode *unite(SetBuilder *self, LogicalNode **nodes, uint32_t count,
                          LogicalColumn *columns)
{
    if (count == 1) {
        return nodes[0];
    }
    uint32_t half = count / 2;
    LogicalNode *left = unite(self, nodes, half, NULL);
    LogicalNode *right = unite(self, nodes + half, count - half, NULL);
    if (columns == NULL) {
        columns = ARENA_ARRAY(self->binder->arena, LogicalColumn, left->column_count);
        for (uint32_t i = 0; i < left->column_count; i++) {
            columns[i] = renumbered(self, &left->columns[i]);
            columns[i].is_nullable = true;
        }
    }
    return logical_set(self->binder->arena, SET_UNION_ALL, left, right, columns);
}

Status grouping_sets_build(Binder *binder, const Grouping *grouping, LogicalAggregate *aggregate,
                           uint32_t grouping_count, const uint32_t *grouping_keys,
                           const LogicalColumn *grouping_columns, LogicalNode **out)
{
    SetBuilder self = {.binder = binder,
                       .grouping = grouping,
                       .aggregate = aggregate,
                       .grouping_count = grouping_count,
                       .grouping_keys = grouping_keys,
                       .cte_id = binder->context->next_cte++};
    uint32_t own_count = aggregate->node.column_count;
    LogicalNode **sets = ARENA_ARRAY(binder->arena, LogicalNode *, grouping->set_count);
    LogicalColumn *columns =
        ARENA_ARRAY(binder->arena, LogicalColumn, own_count + grouping_count + 1);
    for (uint32_t i = 0; i < own_count; i++) {
        columns[i] = aggregate->node.columns[i];
        columns[i].is_nullable = true;
    }
    for (uint32_t i = 0; i < grouping_count; i++) {
        columns[own_count + i] = grouping_columns[i];
    }
    for (uint32_t i = 0; i < grouping->set_count; i++) {
        TRY(build_set(&self, grouping->sets[i], &sets[i]));
    }
    LogicalNode *node = unite(&self, sets, grouping->set_count, columns);
    *out = logical_cte(binder->arena, self.cte_id, "grouping sets", aggregate->child, node);
    return STATUS_OK;
}
