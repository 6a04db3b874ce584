/*
 * rule_aggregate_split.c — aggregates made of simpler ones, whose partial states can be merged.
 *
 *   avg(x)               ->  avg_final(sum(x), count(x))
 *   variance(x)          ->  variance_final(sum(x), sum(x * x), count(x)), as doubles
 *   count(x), x not null ->  count(*)
 *   equal ones           ->  one
 *   count(distinct x), sum(y) by k
 *     ->  count(x), sum(s) by k  over  AGGREGATE s := sum(y) by k, x
 */
#include "planner/optimizer/rules.h"

#include <string.h>

#include "planner/optimizer/null_facts.h"

typedef struct Splitter {
    PlannerContext *context;
    Arena *arena;
    const LogicalAggregate *aggregate;
    PointerList calls;      /* AggregateCall: the new ones, each once */
    LogicalColumn *columns; /* of the calls */
} Splitter;

/* The column of `call` among the new calls, added if it is not there yet. */
static Expr *column_of_call(Splitter *self, AggregateCall call, const char *name)
{
    uint32_t index = 0;
    while (index < self->calls.count && !aggregate_call_equal(self->calls.items[index], &call)) {
        index++;
    }
    if (index == self->calls.count) {
        pointer_list_add(self->arena, &self->calls, arena_memdup(self->arena, &call, sizeof(call)));
        LogicalColumn *columns = ARENA_ARRAY(self->arena, LogicalColumn, index + 1);
        for (uint32_t i = 0; i < index; i++) {
            columns[i] = self->columns[i];
        }
        columns[index] = (LogicalColumn){.number = planner_new_column(self->context),
                                         .name = name,
                                         .type = call.type,
                                         .is_nullable = true};
        self->columns = columns;
    }
    return logical_column_expr(self->arena, &self->columns[index]);
}

static AggregateCall count_of(const Splitter *self, const AggregateCall *call)
{
    AggregateCall count = *call;
    count.type = type_of(TYPE_BIGINT);
    bool is_star = !call->is_distinct && !expr_is_nullable(call->argument, self->aggregate->child);
    count.id = is_star ? AGGREGATE_COUNT_STAR : AGGREGATE_COUNT;
    count.argument = is_star ? NULL : call->argument;
    return count;
}

static Expr *split_average(Splitter *self, const AggregateCall *call, const char *name)
{
    AggregateCall sum = *call;
    sum.id = AGGREGATE_SUM;
    sum.type = aggregate_sum_type(call->argument->type);
    return expr_call2(self->arena, FUNCTION_AVG_FINAL, call->type, column_of_call(self, sum, name),
                      column_of_call(self, count_of(self, call), name));
}

static Expr *split_variance(Splitter *self, const AggregateCall *call, const char *name)
{
    Type real = type_of(TYPE_DOUBLE);
    Expr *argument = type_equal(call->argument->type, real)
                         ? call->argument
                         : expr_cast(self->arena, call->argument, real, false);
    AggregateCall sum = {.id = AGGREGATE_SUM,
                         .argument = argument,
                         .filter = call->filter,
                         .is_distinct = call->is_distinct,
                         .type = real};
    AggregateCall squares = sum;
    squares.argument = expr_call2(self->arena, FUNCTION_MULTIPLY, real, argument, argument);
    int64_t kind = (int64_t)call->id - (int64_t)AGGREGATE_VAR_SAMP;
    Expr **args = ARENA_ARRAY(self->arena, Expr *, 4);
    args[0] = column_of_call(self, sum, name);
    args[1] = column_of_call(self, squares, name);
    args[2] = column_of_call(self, count_of(self, call), name);
    args[3] = expr_int64(self->arena, TYPE_INTEGER, kind);
    Expr *result = expr_call(self->arena, FUNCTION_VARIANCE_FINAL, real, 4, args);
    return type_equal(call->type, real) ? result
                                        : expr_cast(self->arena, result, call->type, false);
}

/* What stands for the call above the new aggregate. */
static Expr *split_call(Splitter *self, const AggregateCall *call, const char *name)
{
    AggregateCall plain = *call;
    switch (call->id) {
    case AGGREGATE_AVG:
        return split_average(self, call, name);
    case AGGREGATE_VAR_SAMP:
    case AGGREGATE_VAR_POP:
    case AGGREGATE_STDDEV_SAMP:
    case AGGREGATE_STDDEV_POP:
        return split_variance(self, call, name);
    case AGGREGATE_COUNT:
        return column_of_call(self, count_of(self, call), name);
    case AGGREGATE_MIN:
    case AGGREGATE_MAX:
    case AGGREGATE_BOOL_AND:
    case AGGREGATE_BOOL_OR:
    case AGGREGATE_ANY_VALUE:
        plain.is_distinct = false; // repetitions change nothing
        return column_of_call(self, plain, name);
    default:
        return column_of_call(self, plain, name);
    }
}

/* The one DISTINCT argument of the calls, when two levels of grouping can compute them all. */
static Expr *common_distinct_argument(const Splitter *self)
{
    Expr *argument = NULL;
    for (uint32_t i = 0; i < self->calls.count; i++) {
        const AggregateCall *call = self->calls.items[i];
        if (!call->is_distinct) {
            if (call->id == AGGREGATE_SINGLE_VALUE) {
                return NULL;
            }
            continue;
        }
        if (call->filter != NULL || (call->id != AGGREGATE_COUNT && call->id != AGGREGATE_SUM) ||
            (argument != NULL && !expr_equal(argument, call->argument))) {
            return NULL;
        }
        argument = call->argument;
    }
    return argument;
}

/* AGGREGATE keys, argument; the other calls' partial states. */
static LogicalNode *inner_groups(Splitter *self, Expr *argument, LogicalColumn **out_columns)
{
    const LogicalAggregate *old = self->aggregate;
    uint32_t key_count = old->key_count + 1;
    Expr **keys = ARENA_ARRAY(self->arena, Expr *, key_count);
    LogicalColumn *columns = ARENA_ARRAY(self->arena, LogicalColumn, key_count + self->calls.count);
    AggregateCall *calls = ARENA_ARRAY(self->arena, AggregateCall, self->calls.count);
    uint32_t call_count = 0;
    for (uint32_t i = 0; i < old->key_count; i++) {
        keys[i] = old->keys[i];
        columns[i] = logical_column(planner_new_column(self->context), NULL, keys[i], old->child);
    }
    keys[old->key_count] = argument;
    columns[old->key_count] =
        logical_column(planner_new_column(self->context), "distinct", argument, old->child);
    for (uint32_t i = 0; i < self->calls.count; i++) {
        const AggregateCall *call = self->calls.items[i];
        if (!call->is_distinct) {
            columns[key_count + call_count] = self->columns[i];
            columns[key_count + call_count].number = planner_new_column(self->context);
            calls[call_count++] = *call;
        }
    }
    *out_columns = columns;
    return logical_aggregate(self->arena, old->child, key_count, keys, call_count, calls, columns);
}

/* Rewrites the splitter's calls over groups of keys and argument. */
static LogicalNode *two_levels(Splitter *self, Expr *argument, LogicalColumn *columns)
{
    const LogicalAggregate *old = self->aggregate;
    LogicalColumn *inner_columns;
    LogicalNode *inner = inner_groups(self, argument, &inner_columns);
    Expr **keys = ARENA_ARRAY(self->arena, Expr *, old->key_count);
    for (uint32_t i = 0; i < old->key_count; i++) {
        keys[i] = logical_column_expr(self->arena, &inner_columns[i]);
    }
    AggregateCall *calls = ARENA_ARRAY(self->arena, AggregateCall, self->calls.count);
    uint32_t merged = old->key_count + 1;
    for (uint32_t i = 0; i < self->calls.count; i++) {
        const AggregateCall *call = self->calls.items[i];
        calls[i] = *call;
        calls[i].is_distinct = false;
        if (call->is_distinct) {
            calls[i].argument = logical_column_expr(self->arena, &inner_columns[old->key_count]);
        } else {
            calls[i].id = aggregate_merged_by(call->id);
            calls[i].argument = logical_column_expr(self->arena, &inner_columns[merged++]);
            calls[i].filter = NULL;
        }
    }
    return logical_aggregate(self->arena, inner, old->key_count, keys, self->calls.count, calls,
                             columns);
}

static LogicalNode *new_aggregate(Splitter *self);

/* Which calls are computed together: those with the same DISTINCT argument, and the plain ones. */
static bool is_same_group(const AggregateCall *left, const AggregateCall *right)
{
    if (left->is_distinct != right->is_distinct) {
        return false;
    }
    return !left->is_distinct || expr_equal(left->argument, right->argument);
}

static uint32_t count_groups(const Splitter *self)
{
    uint32_t groups = 0;
    for (uint32_t i = 0; i < self->calls.count; i++) {
        bool is_first = true;
        for (uint32_t k = 0; k < i; k++) {
            is_first = is_first && !is_same_group(self->calls.items[k], self->calls.items[i]);
        }
        groups += is_first ? 1 : 0;
    }
    return groups;
}

/* One group of calls over a copy of the input. */
static LogicalNode *aggregate_group(Splitter *self, uint32_t first)
{
    LogicalAggregate part = *self->aggregate;
    ColumnRenumbering map = {0};
    part.child = logical_copy(self->context, self->aggregate->child, &map);
    Splitter group = {.context = self->context, .arena = self->arena, .aggregate = &part};
    group.columns = ARENA_ARRAY(self->arena, LogicalColumn, self->calls.count);
    for (uint32_t i = first; i < self->calls.count; i++) {
        AggregateCall *call = self->calls.items[i];
        if (!is_same_group(self->calls.items[first], call)) {
            continue;
        }
        AggregateCall *copy = arena_memdup(self->arena, call, sizeof(*call));
        copy->argument = logical_copied_expr(self->arena, call->argument, &map);
        copy->filter = logical_copied_expr(self->arena, call->filter, &map);
        group.columns[group.calls.count] = self->columns[i];
        pointer_list_add(self->arena, &group.calls, copy);
    }
    return new_aggregate(&group);
}

/* Totals with several DISTINCT arguments: each over its own reading of the input, so that every
 * node can drop repetitions before anything moves; their single rows are joined. */
static LogicalNode *separate_totals(Splitter *self)
{
    LogicalNode *all = NULL;
    for (uint32_t i = 0; i < self->calls.count; i++) {
        bool is_first = true;
        for (uint32_t k = 0; k < i; k++) {
            is_first = is_first && !is_same_group(self->calls.items[k], self->calls.items[i]);
        }
        if (is_first) {
            LogicalNode *part = aggregate_group(self, i);
            all = all == NULL ? part : logical_join(self->arena, JOIN_INNER, all, part, NULL, 0);
        }
    }
    return all;
}

static bool can_separate(const Splitter *self)
{
    const LogicalAggregate *aggregate = self->aggregate;
    if (aggregate->key_count > 0 || self->context->node_count <= 1 || count_groups(self) < 2 ||
        logical_has_volatile(aggregate->child)) {
        return false;
    }
    uint32_t distinct = 0;
    for (uint32_t i = 0; i < self->calls.count; i++) {
        const AggregateCall *call = self->calls.items[i];
        distinct += call->is_distinct ? 1 : 0;
        if (call->is_distinct && call->filter != NULL) {
            return false;
        }
    }
    return distinct > 1;
}

static LogicalNode *new_aggregate(Splitter *self)
{
    if (common_distinct_argument(self) == NULL && can_separate(self)) {
        return separate_totals(self);
    }
    const LogicalAggregate *old = self->aggregate;
    uint32_t count = old->key_count + self->calls.count;
    LogicalColumn *columns = ARENA_ARRAY(self->arena, LogicalColumn, count);
    memcpy(columns, old->node.columns, old->key_count * sizeof(*columns));
    if (self->calls.count > 0) {
        memcpy(columns + old->key_count, self->columns, self->calls.count * sizeof(*columns));
    }
    Expr *argument = common_distinct_argument(self);
    if (argument != NULL) {
        return two_levels(self, argument, columns);
    }
    AggregateCall *calls = ARENA_ARRAY(self->arena, AggregateCall, self->calls.count);
    for (uint32_t i = 0; i < self->calls.count; i++) {
        calls[i] = *(const AggregateCall *)self->calls.items[i];
    }
    return logical_aggregate(self->arena, old->child, old->key_count, old->keys, self->calls.count,
                             calls, columns);
}

static LogicalNode *split(PlannerContext *context, LogicalAggregate *aggregate)
{
    Splitter self = {.context = context, .arena = context->arena, .aggregate = aggregate};
    LogicalNode *node = &aggregate->node;
    Expr **exprs = ARENA_ARRAY(self.arena, Expr *, node->column_count);
    for (uint32_t i = 0; i < node->column_count; i++) {
        exprs[i] = i < aggregate->key_count
                       ? logical_column_expr(self.arena, &node->columns[i])
                       : split_call(&self, &aggregate->aggregates[i - aggregate->key_count],
                                    node->columns[i].name);
    }
    if (aggregate->aggregate_count == 0) {
        return node;
    }
    return logical_project(self.arena, new_aggregate(&self), node->column_count, exprs,
                           node->columns);
}

static LogicalNode *rewrite(PlannerContext *context, LogicalNode *node)
{
    LogicalNode *child;
    for (uint32_t i = 0; (child = logical_get_child(node, i)) != NULL; i++) {
        logical_set_child(node, i, rewrite(context, child));
    }
    logical_refresh_columns(context->arena, node);
    return node->kind == LOGICAL_AGGREGATE ? split(context, (LogicalAggregate *)node) : node;
}

Status rule_aggregate_split(PlannerContext *context, LogicalNode **root)
{
    *root = rewrite(context, *root);
    return STATUS_OK;
}
