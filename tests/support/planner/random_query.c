/* random_query.c — see random_query.h. */
#include "tests/support/planner/random_query.h"

#include <string.h>

static Expr *number(RandomQuery *self, const LogicalNode *node, uint32_t depth);
static Expr *condition(RandomQuery *self, const LogicalNode *node, uint32_t depth);

static uint32_t pick(RandomQuery *self, uint32_t limit)
{
    return (uint32_t)world_random(&self->seed, limit);
}

static Type bigint(void)
{
    return type_of(TYPE_BIGINT);
}

static Expr *any_column(RandomQuery *self, const LogicalNode *node)
{
    return logical_column_expr(self->world->arena, &node->columns[pick(self, node->column_count)]);
}

/* A column of an enclosing query, more often of the next one; null when there is none. */
static Expr *outer_column(RandomQuery *self)
{
    if (self->scope_count == 0) {
        return NULL;
    }
    uint32_t index = pick(self, 3) > 0 ? self->scope_count - 1 : pick(self, self->scope_count);
    return any_column(self, self->scopes[index]);
}

static Expr *simple_number(RandomQuery *self, const LogicalNode *node)
{
    Expr *outer = pick(self, 4) == 0 ? outer_column(self) : NULL;
    if (outer != NULL) {
        return outer;
    }
    return pick(self, 5) == 0 ? world_number(self->world, pick(self, 4)) : any_column(self, node);
}

static LogicalNode *inside(RandomQuery *self, const LogicalNode *node, uint32_t columns,
                           uint32_t depth)
{
    self->scopes[self->scope_count++] = node;
    LogicalNode *plan = random_query(self, columns, depth - 1);
    self->scope_count--;
    return plan;
}

static AggregateCall random_call(RandomQuery *self, const LogicalNode *node)
{
    static const AggregateId ids[] = {AGGREGATE_COUNT_STAR, AGGREGATE_COUNT, AGGREGATE_MIN,
                                      AGGREGATE_MAX, AGGREGATE_COUNT};
    uint32_t index = pick(self, 5);
    AggregateCall call = world_call_of(
        ids[index], ids[index] == AGGREGATE_COUNT_STAR ? NULL : simple_number(self, node));
    call.is_distinct = index == 4;
    return call;
}

static LogicalNode *from(RandomQuery *self, uint32_t depth);

/* A query of one row: an aggregate without keys, with expressions around it at times. */
static LogicalNode *one_row_query(RandomQuery *self, const LogicalNode *outer, uint32_t depth)
{
    World *world = self->world;
    self->scopes[self->scope_count++] = outer;
    LogicalNode *node = from(self, depth - 1);
    node = logical_filter(world->arena, node, condition(self, node, depth - 1));
    AggregateCall calls[] = {random_call(self, node), random_call(self, node)};
    LogicalNode *plan = world_aggregate(world, node, 0, NULL, 2, calls);
    if (pick(self, 4) == 0) {
        plan = logical_filter(world->arena, plan, condition(self, plan, 0));
    }
    Expr *expr = number(self, plan, 0);
    plan = world_project(world, plan, 1, &expr);
    self->scope_count--;
    return plan;
}

/* The first value of a query, in order. */
static LogicalNode *first_value_query(RandomQuery *self, const LogicalNode *outer, uint32_t depth)
{
    LogicalNode *plan = inside(self, outer, 1, depth);
    plan = world_sort(self->world, plan, logical_column_expr(self->world->arena, plan->columns),
                      pick(self, 2) == 0);
    return logical_limit(self->world->arena, plan, 1, 0);
}

static Expr *scalar_subquery(RandomQuery *self, const LogicalNode *node, uint32_t depth)
{
    uint32_t form = pick(self, 8);
    LogicalNode *plan = form < 6   ? one_row_query(self, node, depth)
                        : form < 7 ? first_value_query(self, node, depth)
                                   : inside(self, node, 1, depth);
    return world_subquery(self->world, SUBQUERY_SCALAR, plan, NULL, FUNCTION_EQUAL, false);
}

static Expr *number(RandomQuery *self, const LogicalNode *node, uint32_t depth)
{
    Arena *arena = self->world->arena;
    uint32_t form = pick(self, depth > 0 && self->budget > 0 ? 10 : 7);
    switch (form) {
    case 4:
        return expr_call2(arena, FUNCTION_ADD, bigint(), simple_number(self, node),
                          simple_number(self, node));
    case 5:
        return expr_call2(arena, FUNCTION_COALESCE, bigint(), simple_number(self, node),
                          simple_number(self, node));
    case 6: {
        Expr **args = ARENA_ARRAY(arena, Expr *, 3);
        args[0] = condition(self, node, 0);
        args[1] = simple_number(self, node);
        args[2] = simple_number(self, node);
        return expr_case(arena, bigint(), 3, args);
    }
    case 7:
    case 8:
        return scalar_subquery(self, node, depth);
    default:
        return simple_number(self, node);
    }
}

static FunctionId random_comparison(RandomQuery *self)
{
    return pick(self, 2) > 0 ? FUNCTION_EQUAL : (FunctionId)(FUNCTION_EQUAL + pick(self, 6));
}

static Expr *subquery_condition(RandomQuery *self, const LogicalNode *node, uint32_t depth)
{
    World *world = self->world;
    bool is_negated = pick(self, 2) == 0;
    switch (pick(self, 5)) {
    case 0:
    case 1: {
        LogicalNode *plan = inside(self, node, 1 + pick(self, 2), depth);
        return world_subquery(world, SUBQUERY_EXISTS, plan, NULL, FUNCTION_EQUAL, is_negated);
    }
    case 2:
    case 3: {
        Expr *arg = number(self, node, 0);
        LogicalNode *plan = inside(self, node, 1, depth);
        FunctionId comparison = pick(self, 4) > 0 ? FUNCTION_EQUAL : random_comparison(self);
        return world_subquery(world, SUBQUERY_IN, plan, arg, comparison, is_negated);
    }
    default: {
        Expr *arg = number(self, node, 0);
        LogicalNode *plan = inside(self, node, 1, depth);
        return world_subquery(world, SUBQUERY_ALL, plan, arg, random_comparison(self), is_negated);
    }
    }
}

static Expr *condition(RandomQuery *self, const LogicalNode *node, uint32_t depth)
{
    World *world = self->world;
    Arena *arena = world->arena;
    uint32_t form = pick(self, depth > 0 && self->budget > 0 ? 14 : 8);
    switch (form) {
    case 4:
        return pick(self, 2) == 0 ? expr_is_null(arena, simple_number(self, node))
                                  : expr_is_not_null(arena, simple_number(self, node));
    case 5:
    case 6: {
        Expr *args[] = {condition(self, node, depth), condition(self, node, 0)};
        return pick(self, 2) == 0 ? expr_or(arena, 2, args) : expr_and(arena, 2, args);
    }
    case 7:
        return expr_not(arena, condition(self, node, depth));
    case 8:
    case 9:
    case 10:
    case 11:
        return subquery_condition(self, node, depth);
    case 12:
    case 13: {
        Expr *args[] = {subquery_condition(self, node, depth), condition(self, node, 0)};
        return expr_and(arena, 2, args);
    }
    default:
        return world_call(world, random_comparison(self), number(self, node, depth),
                          simple_number(self, node));
    }
}

static LogicalNode *table(RandomQuery *self)
{
    static const char *const names[] = {"r", "s", "u", "d"};
    self->budget -= self->budget > 0 ? 1 : 0;
    return world_get(self->world, names[pick(self, 4)]);
}

static LogicalNode *grouped(RandomQuery *self, LogicalNode *node)
{
    Expr *keys[] = {any_column(self, node), any_column(self, node)};
    AggregateCall calls[] = {random_call(self, node), random_call(self, node)};
    return world_aggregate(self->world, node, 1 + pick(self, 2), keys, 2, calls);
}

static LogicalNode *joined(RandomQuery *self, uint32_t depth)
{
    static const JoinKind kinds[] = {JOIN_INNER, JOIN_INNER, JOIN_INNER, JOIN_LEFT,
                                     JOIN_RIGHT, JOIN_FULL,  JOIN_LEFT};
    Arena *arena = self->world->arena;
    JoinKind kind = kinds[pick(self, 7)];
    LogicalNode *left = from(self, 0), *right;
    bool is_lateral = depth > 0 && (kind == JOIN_INNER || kind == JOIN_LEFT) && pick(self, 4) == 0;
    right = is_lateral ? inside(self, left, 2, depth) : table(self);
    Expr *on =
        world_call(self->world, FUNCTION_EQUAL, any_column(self, left), any_column(self, right));
    if (pick(self, 4) == 0) {
        LogicalNode *both = logical_join(arena, JOIN_INNER, left, right, NULL, 0);
        on = expr_and2(arena, on, condition(self, both, 0));
    }
    LogicalNode *join = logical_join(arena, kind, left, right, on, 0);
    ((LogicalJoin *)join)->is_lateral = is_lateral;
    return join;
}

static LogicalNode *from(RandomQuery *self, uint32_t depth)
{
    if (self->budget < 2) {
        return table(self);
    }
    switch (pick(self, 6)) {
    case 0:
    case 1:
        return joined(self, depth);
    case 2:
        return grouped(self, table(self));
    default:
        return table(self);
    }
}

static LogicalNode *select_query(RandomQuery *self, uint32_t column_count, uint32_t depth)
{
    World *world = self->world;
    LogicalNode *node = from(self, depth);
    if (pick(self, 5) > 0) {
        node = logical_filter(world->arena, node, condition(self, node, depth));
    }
    if (pick(self, 5) == 0) {
        node = grouped(self, node);
        if (pick(self, 2) == 0) {
            node = logical_filter(world->arena, node, condition(self, node, depth));
        }
    }
    Expr *exprs[8];
    for (uint32_t i = 0; i < column_count; i++) {
        exprs[i] = number(self, node, depth);
    }
    node = world_project(world, node, column_count, exprs);
    return pick(self, 6) == 0 ? world_distinct(world, node) : node;
}

/* Rows in a total order, cut: which rows remain does not depend on chance. */
static LogicalNode *cut(RandomQuery *self, LogicalNode *node)
{
    World *world = self->world;
    LogicalNode *sorted = world_sort(world, node, logical_column_expr(world->arena, node->columns),
                                     pick(self, 2) == 0);
    LogicalSort *sort = (LogicalSort *)sorted;
    sort->key_count = node->column_count;
    sort->keys = ARENA_ARRAY(world->arena, LogicalSortKey, node->column_count);
    for (uint32_t i = 0; i < node->column_count; i++) {
        sort->keys[i] = (LogicalSortKey){logical_column_expr(world->arena, &node->columns[i]),
                                         pick(self, 2) == 0, pick(self, 2) == 0};
    }
    return logical_limit(world->arena, sorted, 1 + pick(self, 3), pick(self, 2));
}

LogicalNode *random_query(RandomQuery *self, uint32_t column_count, uint32_t depth)
{
    World *world = self->world;
    uint32_t form = pick(self, 12);
    if (form == 0 && self->budget >= 2) {
        LogicalNode *left = select_query(self, column_count, depth);
        LogicalNode *right = select_query(self, column_count, depth);
        return world_set(world, (SetKind)pick(self, 4), left, right);
    }
    if (form == 1) {
        return cut(self, select_query(self, column_count, depth));
    }
    return select_query(self, column_count, depth);
}
