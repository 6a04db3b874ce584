/*
 * unnest_push.c — joins the domain into a subquery, operator by operator; see unnest.h.
 *
 * Each case below is one equivalence for the dependent join  D >< plan:
 *   plan does not use D      D x plan
 *   filter, project, sort    of D >< child, the domain's columns carried along
 *   group by K               group by K and D's columns; without keys: D left join that
 *   join                     D into the sides that use it; into both: joined on D's columns, too
 *   limit                    row numbers within each combination of D
 *   window                   partitions within each combination of D
 *   union, intersect, …      of both sides with D's columns
 */
#include "planner/optimizer/unnest.h"

#include <string.h>

#include "planner/optimizer/rules.h"

/* Shares the outer side's rows between the query and the domain, unless copying is as good. The
 * shared definition is a copy, so that column numbers stay unique in the query. */
static void share_outer(Domain *domain)
{
    Unnester *unnester = domain->unnester;
    LogicalNode *outer = *domain->outer;
    Arena *arena = unnester->arena;
    if (domain->cte != NULL || is_cheap_to_repeat(outer) || logical_is_correlated(outer, arena)) {
        return;
    }
    uint32_t cte_id = unnester->context->next_cte++, count = outer->column_count;
    ColumnRenumbering map = {0};
    LogicalNode *copy = logical_copy(unnester->context, outer, &map);
    Expr **exprs = ARENA_ARRAY(arena, Expr *, count);
    for (uint32_t i = 0; i < count; i++) {
        exprs[i] = logical_column_expr(arena, &copy->columns[i]);
    }
    LogicalColumn *columns = arena_memdup(arena, copy->columns, count * sizeof(*columns));
    LogicalNode *definition = logical_project(arena, copy, count, exprs, columns);
    domain->cte = (LogicalCte *)logical_cte(arena, cte_id, "outer", definition, definition);
    pointer_list_add(arena, &unnester->shared, domain->cte);
    LogicalNode *reference = logical_cte_reference(unnester->context, cte_id, definition);
    Expr **renames = ARENA_ARRAY(arena, Expr *, count);
    for (uint32_t i = 0; i < count; i++) {
        renames[i] = logical_column_expr(arena, &reference->columns[i]);
    }
    *domain->outer = logical_project(arena, reference, count, renames,
                                     arena_memdup(arena, outer->columns, count * sizeof(*columns)));
}

/* Another reading of the outer side: `copies[i]` gets what stands for the domain's column i. */
static LogicalNode *outer_rows(Domain *domain, ColumnNumber *copies)
{
    Unnester *unnester = domain->unnester;
    ColumnRenumbering map = {0};
    LogicalNode *rows = domain->cte == NULL
                            ? logical_copy(unnester->context, *domain->outer, &map)
                            : logical_cte_reference(unnester->context, domain->cte->cte_id,
                                                    domain->cte->definition);
    for (uint32_t i = 0; i < domain->count; i++) {
        for (uint32_t k = 0; k < (*domain->outer)->column_count; k++) {
            if ((*domain->outer)->columns[k].number == domain->list[i].number) {
                copies[i] = rows->columns[k].number;
            }
        }
    }
    return rows;
}

/* The domain's distinct rows, with new column numbers. */
static LogicalNode *domain_rows(Domain *domain, ColumnNumber *numbers)
{
    Arena *arena = domain->unnester->arena;
    share_outer(domain);
    ColumnNumber *copies = ARENA_ARRAY(arena, ColumnNumber, domain->count);
    LogicalNode *outer = outer_rows(domain, copies);
    Expr **exprs = ARENA_ARRAY(arena, Expr *, domain->count);
    LogicalColumn *columns = ARENA_ARRAY(arena, LogicalColumn, domain->count);
    for (uint32_t i = 0; i < domain->count; i++) {
        exprs[i] = expr_column(arena, copies[i], domain->list[i].type);
        columns[i] = domain->list[i];
        columns[i].number = numbers[i] = planner_new_column(domain->unnester->context);
    }
    return logical_aggregate(arena, outer, domain->count, exprs, 0, NULL, columns);
}

/* Outer columns to the domain's columns inside the subquery. */
typedef struct DomainMap {
    const Domain *domain;
    const ColumnNumber *numbers;
} DomainMap;

static Expr *map_column(void *object, const Expr *column)
{
    const DomainMap *self = object;
    for (uint32_t i = 0; i < self->domain->count; i++) {
        if (self->domain->list[i].number == column->column) {
            return expr_column(self->domain->unnester->arena, self->numbers[i], column->type);
        }
    }
    return NULL;
}

static Expr *mapped(const Domain *domain, const ColumnNumber *numbers, Expr *expr)
{
    DomainMap map = {domain, numbers};
    return expr == NULL ? NULL
                        : expr_replace_columns(domain->unnester->arena, expr, map_column, &map);
}

static void map_slot(void *object, Expr **slot)
{
    const DomainMap *map = object;
    *slot = mapped(map->domain, map->numbers, *slot);
}

static void map_own(const Domain *domain, const ColumnNumber *numbers, LogicalNode *node)
{
    DomainMap map = {domain, numbers};
    logical_each_expr(node, map_slot, &map);
}

static Expr *domain_column(const Domain *domain, const ColumnNumber *numbers, uint32_t index)
{
    return expr_column(domain->unnester->arena, numbers[index], domain->list[index].type);
}

static LogicalColumn domain_output(const Domain *domain, ColumnNumber number, uint32_t index)
{
    LogicalColumn column = domain->list[index];
    column.number = number;
    return column;
}

static Expr *same_domain_row(const Domain *domain, const ColumnNumber *left,
                             const ColumnNumber *right)
{
    Arena *arena = domain->unnester->arena;
    Expr **conjuncts = ARENA_ARRAY(arena, Expr *, domain->count);
    for (uint32_t i = 0; i < domain->count; i++) {
        FunctionId equal = domain->list[i].is_nullable ? FUNCTION_IS_NOT_DISTINCT : FUNCTION_EQUAL;
        conjuncts[i] = expr_call2(arena, equal, type_of(TYPE_BOOLEAN),
                                  domain_column(domain, left, i), domain_column(domain, right, i));
    }
    return expr_and(arena, domain->count, conjuncts);
}

void domain_add_conditions(const Domain *domain, const ColumnNumber *numbers,
                           PointerList *conjuncts)
{
    Arena *arena = domain->unnester->arena;
    ColumnNumber *outer = ARENA_ARRAY(arena, ColumnNumber, domain->count);
    for (uint32_t i = 0; i < domain->count; i++) {
        outer[i] = domain->list[i].number;
    }
    conjuncts_add(arena, conjuncts, same_domain_row(domain, outer, numbers));
}

static Status push_project(Domain *domain, LogicalProject *project, ColumnNumber *numbers,
                           LogicalNode **out)
{
    Arena *arena = domain->unnester->arena;
    TRY(push_domain(domain, project->child, numbers, &project->child));
    map_own(domain, numbers, &project->node);
    uint32_t count = project->node.column_count;
    Expr **exprs = ARENA_ARRAY(arena, Expr *, count + domain->count);
    LogicalColumn *columns = ARENA_ARRAY(arena, LogicalColumn, count + domain->count);
    for (uint32_t i = 0; i < count + domain->count; i++) {
        exprs[i] = i < count ? project->exprs[i] : domain_column(domain, numbers, i - count);
        columns[i] = i < count ? project->node.columns[i]
                               : domain_output(domain, numbers[i - count], i - count);
    }
    *out = logical_project(arena, project->child, count + domain->count, exprs, columns);
    return STATUS_OK;
}

/* D left join the groups: a combination without rows still has its one row of an empty group. */
static LogicalNode *with_empty_groups(Domain *domain, LogicalAggregate *groups,
                                      ColumnNumber *numbers)
{
    Arena *arena = domain->unnester->arena;
    ColumnNumber *group_numbers = ARENA_ARRAY(arena, ColumnNumber, domain->count);
    uint32_t count = groups->aggregate_count;
    LogicalColumn *results =
        arena_memdup(arena, groups->node.columns + domain->count, count * sizeof(*results));
    for (uint32_t i = 0; i < domain->count; i++) {
        group_numbers[i] = groups->node.columns[i].number;
    }
    Expr **exprs = ARENA_ARRAY(arena, Expr *, count + domain->count);
    LogicalColumn *columns = ARENA_ARRAY(arena, LogicalColumn, count + domain->count);
    for (uint32_t i = 0; i < count; i++) {
        LogicalColumn *state = &groups->node.columns[domain->count + i];
        state->number = planner_new_column(domain->unnester->context);
        exprs[i] = logical_column_expr(arena, state);
        AggregateId id = groups->aggregates[i].id;
        if (id == AGGREGATE_COUNT || id == AGGREGATE_COUNT_STAR || id == AGGREGATE_SUM_COUNT) {
            exprs[i] = expr_call2(arena, FUNCTION_COALESCE, state->type, exprs[i],
                                  expr_int64(arena, (TypeId)state->type.id, 0));
        }
        columns[i] = results[i];
    }
    LogicalNode *rows = domain_rows(domain, numbers);
    LogicalNode *join = logical_join(arena, JOIN_LEFT, rows, &groups->node,
                                     same_domain_row(domain, numbers, group_numbers), 0);
    for (uint32_t i = 0; i < domain->count; i++) {
        exprs[count + i] = domain_column(domain, numbers, i);
        columns[count + i] = domain_output(domain, numbers[i], i);
    }
    return logical_project(arena, join, count + domain->count, exprs, columns);
}

static Status push_aggregate(Domain *domain, LogicalAggregate *aggregate, ColumnNumber *numbers,
                             LogicalNode **out)
{
    Arena *arena = domain->unnester->arena;
    TRY(push_domain(domain, aggregate->child, numbers, &aggregate->child));
    map_own(domain, numbers, &aggregate->node);
    bool has_keys = aggregate->key_count > 0;
    uint32_t old_keys = aggregate->key_count, key_count = old_keys + domain->count;
    Expr **keys = ARENA_ARRAY(arena, Expr *, key_count);
    LogicalColumn *columns =
        ARENA_ARRAY(arena, LogicalColumn, key_count + aggregate->aggregate_count);
    for (uint32_t i = 0; i < key_count; i++) {
        keys[i] = i < old_keys ? aggregate->keys[i] : domain_column(domain, numbers, i - old_keys);
        columns[i] = i < old_keys
                         ? aggregate->node.columns[i]
                         : domain_output(domain, planner_new_column(domain->unnester->context),
                                         i - old_keys);
    }
    memcpy(columns + key_count, aggregate->node.columns + old_keys,
           aggregate->aggregate_count * sizeof(*columns));
    *out = logical_aggregate(arena, aggregate->child, key_count, keys, aggregate->aggregate_count,
                             aggregate->aggregates, columns);
    if (!has_keys) {
        *out = with_empty_groups(domain, (LogicalAggregate *)*out, numbers);
        return STATUS_OK;
    }
    for (uint32_t i = 0; i < domain->count; i++) {
        numbers[i] = columns[old_keys + i].number;
    }
    return STATUS_OK;
}

static Status push_inner(Domain *domain, LogicalJoin *join, ColumnNumber *numbers,
                         LogicalNode **out)
{
    Arena *arena = domain->unnester->arena;
    bool is_left_used = domain_is_used(domain, join->left);
    bool is_right_used = domain_is_used(domain, join->right);
    if (is_right_used) {
        TRY(push_domain(domain, join->right, numbers, &join->right));
    }
    if (is_left_used || !is_right_used) {
        ColumnNumber *right = arena_memdup(arena, numbers, domain->count * sizeof(*right));
        TRY(push_domain(domain, join->left, numbers, &join->left));
        if (is_right_used) {
            Expr *same = same_domain_row(domain, numbers, right);
            join->condition = expr_and2(arena, join->condition, same);
        }
    }
    join->condition = mapped(domain, numbers, join->condition);
    logical_refresh_columns(arena, &join->node);
    *out = &join->node;
    return STATUS_OK;
}

/* A NOT IN whose list depends on the domain: NULL must be looked for within the combination. */
static void make_anti_of_not_in(const Domain *domain, LogicalJoin *join)
{
    join->join = JOIN_ANTI;
    join->condition = null_as(domain->unnester->arena, join->condition, true);
}

static Status push_left_keeping(Domain *domain, LogicalJoin *join, ColumnNumber *numbers,
                                LogicalNode **out)
{
    Arena *arena = domain->unnester->arena;
    bool is_right_used = domain_is_used(domain, join->right);
    if (join->join == JOIN_ANTI_NULL &&
        (is_right_used || domain_is_used_by(domain, join->condition))) {
        make_anti_of_not_in(domain, join);
    }
    ColumnNumber *right = ARENA_ARRAY(arena, ColumnNumber, domain->count);
    if (is_right_used) {
        TRY(push_domain(domain, join->right, right, &join->right));
    }
    TRY(push_domain(domain, join->left, numbers, &join->left));
    Expr *same = is_right_used ? same_domain_row(domain, numbers, right) : NULL;
    bool was_dependent =
        is_right_used || (join->condition != NULL && domain_is_used_by(domain, join->condition));
    join->condition = mapped(domain, numbers, join->condition);
    if (join->join == JOIN_MARK && was_dependent) {
        ColumnNumber mark = join->node.columns[join->node.column_count - 1].number;
        *out =
            mark_join(domain->unnester, join->left, join->right, join->condition, same, mark, true);
        return STATUS_OK;
    }
    join->condition = expr_and2(arena, join->condition, same);
    logical_refresh_columns(arena, &join->node);
    *out = &join->node;
    return STATUS_OK;
}

/* Either side may be missing in a row of the result: the domain's value is the other's. */
static Status push_full(Domain *domain, LogicalJoin *join, ColumnNumber *numbers, LogicalNode **out)
{
    Arena *arena = domain->unnester->arena;
    ColumnNumber *left = ARENA_ARRAY(arena, ColumnNumber, domain->count);
    ColumnNumber *right = ARENA_ARRAY(arena, ColumnNumber, domain->count);
    TRY(push_domain(domain, join->left, left, &join->left));
    TRY(push_domain(domain, join->right, right, &join->right));
    Expr *condition = mapped(domain, left, join->condition);
    join->condition = expr_and2(arena, condition, same_domain_row(domain, left, right));
    logical_refresh_columns(arena, &join->node);
    Expr **exprs = ARENA_ARRAY(arena, Expr *, domain->count);
    LogicalColumn *columns = ARENA_ARRAY(arena, LogicalColumn, domain->count);
    for (uint32_t i = 0; i < domain->count; i++) {
        exprs[i] = expr_call2(arena, FUNCTION_COALESCE, domain->list[i].type,
                              domain_column(domain, left, i), domain_column(domain, right, i));
        numbers[i] = planner_new_column(domain->unnester->context);
        columns[i] = domain_output(domain, numbers[i], i);
    }
    *out = logical_extend(arena, &join->node, domain->count, exprs, columns);
    return STATUS_OK;
}

static Status push_join(Domain *domain, LogicalJoin *join, ColumnNumber *numbers, LogicalNode **out)
{
    if (join->join == JOIN_RIGHT) {
        LogicalNode *left = join->left;
        join->left = join->right;
        join->right = left;
        join->join = JOIN_LEFT;
    }
    if (join->join == JOIN_INNER) {
        return push_inner(domain, join, numbers, out);
    }
    return join->join == JOIN_FULL ? push_full(domain, join, numbers, out)
                                   : push_left_keeping(domain, join, numbers, out);
}

static Expr **domain_partition(const Domain *domain, const ColumnNumber *numbers, Expr **partition,
                               uint32_t *count)
{
    Expr **extended = ARENA_ARRAY(domain->unnester->arena, Expr *, *count + domain->count);
    for (uint32_t i = 0; i < *count + domain->count; i++) {
        extended[i] = i < *count ? partition[i] : domain_column(domain, numbers, i - *count);
    }
    *count += domain->count;
    return extended;
}

/* LIMIT per combination: keep the rows whose number is within the limit. */
static Status push_limit(Domain *domain, LogicalLimit *limit, ColumnNumber *numbers,
                         LogicalNode **out)
{
    Arena *arena = domain->unnester->arena;
    if (limit->child->kind == LOGICAL_PROJECT) { // first to where the order still is
        LogicalProject *project = (LogicalProject *)limit->child;
        limit->child = project->child;
        logical_refresh_columns(arena, &limit->node);
        project->child = &limit->node;
        return push_domain(domain, &project->node, numbers, out);
    }
    LogicalSort *sort = limit->child->kind == LOGICAL_SORT ? (LogicalSort *)limit->child : NULL;
    TRY(push_domain(domain, limit->child, numbers, &limit->child));
    LogicalWindow *window = ARENA_NEW(arena, LogicalWindow);
    window->node.kind = LOGICAL_WINDOW;
    window->node.rows = -1;
    window->node.position = POSITION_NONE;
    window->child = limit->child;
    window->call_count = 1;
    window->calls = ARENA_NEW(arena, WindowCall);
    *window->calls = (WindowCall){.id = WINDOW_ROW_NUMBER,
                                  .type = type_of(TYPE_BIGINT),
                                  .is_rows = true,
                                  .start = FRAME_UNBOUNDED_PRECEDING,
                                  .end = FRAME_CURRENT_ROW};
    window->calls->partition =
        domain_partition(domain, numbers, NULL, &window->calls->partition_count);
    if (sort != NULL) {
        window->calls->order_count = sort->key_count;
        window->calls->order = sort->keys; // push_domain has mapped them
    }
    window->node.column_count = 1;
    window->node.columns = ARENA_NEW(arena, LogicalColumn);
    *window->node.columns = (LogicalColumn){.number = planner_new_column(domain->unnester->context),
                                            .name = "row_number",
                                            .type = type_of(TYPE_BIGINT)};
    Expr *row = logical_column_expr(arena, window->node.columns);
    logical_refresh_columns(arena, &window->node);
    Type boolean = type_of(TYPE_BOOLEAN);
    Expr *condition = expr_call2(arena, FUNCTION_GREATER, boolean, row,
                                 expr_int64(arena, TYPE_BIGINT, (int64_t)limit->offset));
    uint64_t end;
    if (!__builtin_add_overflow(limit->limit, limit->offset, &end) && end <= INT64_MAX) {
        condition = expr_and2(arena, condition,
                              expr_call2(arena, FUNCTION_LESS_EQUAL, boolean, row,
                                         expr_int64(arena, TYPE_BIGINT, (int64_t)end)));
    }
    *out = logical_filter(arena, &window->node, condition);
    return STATUS_OK;
}

static Status push_window(Domain *domain, LogicalWindow *window, ColumnNumber *numbers,
                          LogicalNode **out)
{
    TRY(push_domain(domain, window->child, numbers, &window->child));
    map_own(domain, numbers, &window->node);
    for (uint32_t i = 0; i < window->call_count; i++) {
        WindowCall *call = &window->calls[i];
        call->partition =
            domain_partition(domain, numbers, call->partition, &call->partition_count);
    }
    logical_refresh_columns(domain->unnester->arena, &window->node);
    *out = &window->node;
    return STATUS_OK;
}

/* The node's own columns, then the domain's, and nothing else. */
static Status push_exactly(Domain *domain, LogicalNode *node, ColumnNumber *numbers,
                           LogicalNode **out)
{
    Arena *arena = domain->unnester->arena;
    uint32_t count = node->column_count;
    LogicalColumn *columns = ARENA_ARRAY(arena, LogicalColumn, count + domain->count);
    memcpy(columns, node->columns, count * sizeof(*columns));
    LogicalNode *pushed;
    TRY(push_domain(domain, node, numbers, &pushed));
    Expr **exprs = ARENA_ARRAY(arena, Expr *, count + domain->count);
    for (uint32_t i = 0; i < count + domain->count; i++) {
        if (i >= count) {
            columns[i] = domain_output(domain, numbers[i - count], i - count);
        }
        exprs[i] = logical_column_expr(arena, &columns[i]);
    }
    *out = logical_project(arena, pushed, count + domain->count, exprs, columns);
    return STATUS_OK;
}

static Status push_set(Domain *domain, LogicalSet *set, ColumnNumber *numbers, LogicalNode **out)
{
    Arena *arena = domain->unnester->arena;
    LogicalNode *left, *right;
    ColumnNumber *side = ARENA_ARRAY(arena, ColumnNumber, domain->count);
    TRY(push_exactly(domain, set->left, side, &left));
    TRY(push_exactly(domain, set->right, side, &right));
    uint32_t count = set->node.column_count;
    LogicalColumn *columns = ARENA_ARRAY(arena, LogicalColumn, count + domain->count);
    memcpy(columns, set->node.columns, count * sizeof(*columns));
    for (uint32_t i = 0; i < domain->count; i++) {
        numbers[i] = planner_new_column(domain->unnester->context);
        columns[count + i] = domain_output(domain, numbers[i], i);
    }
    *out = logical_set(arena, set->set, left, right, columns);
    return STATUS_OK;
}

/* Rows of expressions over the domain: a project per row, all together. */
static LogicalNode *push_values(Domain *domain, LogicalValues *values, ColumnNumber *numbers)
{
    Arena *arena = domain->unnester->arena;
    uint32_t count = values->node.column_count, total = count + domain->count;
    LogicalNode *all = NULL;
    for (uint32_t row = 0; row < values->row_count; row++) {
        ColumnNumber *own = ARENA_ARRAY(arena, ColumnNumber, domain->count);
        LogicalNode *rows = domain_rows(domain, own);
        Expr **exprs = ARENA_ARRAY(arena, Expr *, total);
        LogicalColumn *columns = ARENA_ARRAY(arena, LogicalColumn, total);
        for (uint32_t i = 0; i < total; i++) {
            exprs[i] = i < count ? mapped(domain, own, values->cells[row * count + i])
                                 : domain_column(domain, own, i - count);
            columns[i] = i < count ? values->node.columns[i] : domain_output(domain, 0, i - count);
            columns[i].number = planner_new_column(domain->unnester->context);
        }
        LogicalNode *project = logical_project(arena, rows, total, exprs, columns);
        LogicalColumn *outputs = arena_memdup(arena, columns, total * sizeof(*columns));
        for (uint32_t i = 0; all != NULL && i < total; i++) {
            outputs[i].number = planner_new_column(domain->unnester->context);
        }
        all = all == NULL ? project : logical_set(arena, SET_UNION_ALL, all, project, outputs);
    }
    // The last step gives the values' own numbers again.
    Expr **exprs = ARENA_ARRAY(arena, Expr *, total);
    LogicalColumn *columns = ARENA_ARRAY(arena, LogicalColumn, total);
    for (uint32_t i = 0; i < total; i++) {
        exprs[i] = logical_column_expr(arena, &all->columns[i]);
        columns[i] = i < count ? values->node.columns[i] : all->columns[i];
        if (i >= count) {
            numbers[i - count] = columns[i].number;
        }
    }
    return logical_project(arena, all, total, exprs, columns);
}

Status push_domain(Domain *domain, LogicalNode *plan, ColumnNumber *numbers, LogicalNode **out)
{
    Arena *arena = domain->unnester->arena;
    if (!domain_is_used(domain, plan)) {
        LogicalNode *rows = domain_rows(domain, numbers);
        *out = logical_join(arena, JOIN_INNER, rows, plan, NULL, 0);
        return STATUS_OK;
    }
    switch (plan->kind) {
    case LOGICAL_FILTER:
    case LOGICAL_SORT:
    case LOGICAL_DISTINCT: {
        LogicalNode *child;
        if (plan->kind == LOGICAL_DISTINCT) {
            TRY(push_exactly(domain, logical_get_child(plan, 0), numbers, &child));
        } else {
            TRY(push_domain(domain, logical_get_child(plan, 0), numbers, &child));
        }
        logical_set_child(plan, 0, child);
        map_own(domain, numbers, plan);
        logical_refresh_columns(arena, plan);
        *out = plan;
        return STATUS_OK;
    }
    case LOGICAL_PROJECT:
        return push_project(domain, (LogicalProject *)plan, numbers, out);
    case LOGICAL_AGGREGATE:
        return push_aggregate(domain, (LogicalAggregate *)plan, numbers, out);
    case LOGICAL_JOIN:
        return push_join(domain, (LogicalJoin *)plan, numbers, out);
    case LOGICAL_LIMIT:
        return push_limit(domain, (LogicalLimit *)plan, numbers, out);
    case LOGICAL_WINDOW:
        return push_window(domain, (LogicalWindow *)plan, numbers, out);
    case LOGICAL_SET:
        return push_set(domain, (LogicalSet *)plan, numbers, out);
    case LOGICAL_VALUES:
        *out = push_values(domain, (LogicalValues *)plan, numbers);
        return STATUS_OK;
    default:
        return status_error(SQLSTATE_FEATURE_NOT_SUPPORTED,
                            "this form of correlated subquery is not supported");
    }
}
