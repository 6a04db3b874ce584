/*
 * rule_subquery_to_join.c — finds subqueries, innermost first, and joins them in.
 *
 * A subquery in an expression of a node is joined to that node's input. Conditions without
 * subqueries are applied before, so that fewer rows ask. Lateral joins are unnested the same way.
 * Afterwards the tree has neither subqueries nor lateral joins.
 */
#include "planner/optimizer/rules.h"
#include "planner/optimizer/subquery_forms.h"

#include "planner/optimizer/fold.h"

static Status unnest_tree(Unnester *self, LogicalNode *node, LogicalNode **out);

static bool note_subquery(void *object, const Expr *expr)
{
    *(bool *)object |= expr->kind == EXPR_SUBQUERY;
    return true;
}

static bool has_subquery(const Expr *expr)
{
    bool is_found = false;
    expr_walk(expr, note_subquery, &is_found);
    return is_found;
}

/* Replaces the subqueries of an expression by columns of `*input`. */
typedef struct Replacer {
    Unnester *unnester;
    LogicalNode **input;
    Status status;
} Replacer;

static Expr *replace_subquery(void *object, const Expr *expr)
{
    Replacer *self = object;
    if (expr->kind != EXPR_SUBQUERY || self->status != STATUS_OK) {
        return NULL;
    }
    Expr *copy = arena_memdup(self->unnester->arena, expr, sizeof(*expr));
    copy->args = ARENA_ARRAY(self->unnester->arena, Expr *, expr->arg_count);
    for (uint32_t i = 0; i < expr->arg_count; i++) {
        copy->args[i] = expr_rewrite(self->unnester->arena, expr->args[i], replace_subquery, self);
    }
    Expr *value = NULL;
    if (self->status == STATUS_OK) {
        self->status = unnest_tree(self->unnester, copy->subquery.plan, &copy->subquery.plan);
    }
    if (self->status == STATUS_OK) {
        self->status = subquery_value(self->unnester, copy, self->input, &value);
    }
    return value;
}

static Status replace_in(Unnester *self, Expr **expr, LogicalNode **input)
{
    Replacer replacer = {.unnester = self, .input = input};
    *expr = expr_rewrite(self->arena, *expr, replace_subquery, &replacer);
    return replacer.status;
}

/* A project of just these columns of `node`. */
static LogicalNode *only_columns(Arena *arena, LogicalNode *node, const LogicalColumn *columns,
                                 uint32_t count)
{
    if (node->column_count == count) {
        return node;
    }
    Expr **exprs = ARENA_ARRAY(arena, Expr *, count);
    for (uint32_t i = 0; i < count; i++) {
        exprs[i] = logical_column_expr(arena, &columns[i]);
    }
    return logical_project(arena, node, count, exprs,
                           arena_memdup(arena, columns, count * sizeof(*columns)));
}

static Status apply_conjunct(Unnester *self, Expr *conjunct, LogicalNode **input)
{
    bool is_done = false;
    if (conjunct->kind == EXPR_SUBQUERY) {
        Expr *copy = arena_memdup(self->arena, conjunct, sizeof(*conjunct));
        copy->args = ARENA_ARRAY(self->arena, Expr *, conjunct->arg_count);
        for (uint32_t i = 0; i < conjunct->arg_count; i++) {
            copy->args[i] = conjunct->args[i];
            TRY(replace_in(self, &copy->args[i], input));
        }
        TRY(unnest_tree(self, copy->subquery.plan, &copy->subquery.plan));
        TRY(subquery_filter(self, copy, input, &is_done));
        if (!is_done) {
            Expr *value;
            TRY(subquery_value(self, copy, input, &value));
            *input = logical_filter(self->arena, *input, value);
        }
        return STATUS_OK;
    }
    TRY(replace_in(self, &conjunct, input));
    *input = logical_filter(self->arena, *input, conjunct);
    return STATUS_OK;
}

static Status unnest_filter(Unnester *self, LogicalFilter *filter, LogicalNode **out)
{
    const LogicalColumn *columns = filter->node.columns;
    uint32_t count = filter->node.column_count;
    PointerList conjuncts = {0}, plain = {0}, asking = {0};
    conjuncts_add(self->arena, &conjuncts, filter->condition);
    for (uint32_t i = 0; i < conjuncts.count; i++) {
        pointer_list_add(self->arena, has_subquery(conjuncts.items[i]) ? &asking : &plain,
                         conjuncts.items[i]);
    }
    LogicalNode *input =
        logical_filter(self->arena, filter->child, conjuncts_join(self->arena, &plain));
    for (uint32_t i = 0; i < asking.count; i++) {
        TRY(apply_conjunct(self, asking.items[i], &input));
    }
    *out = only_columns(self->arena, input, columns, count);
    return STATUS_OK;
}

/* Subqueries in ON: of an inner join they may as well be asked after it. Of an outer one they are
 * asked on the side whose columns they use. */
static Status unnest_join(Unnester *self, LogicalJoin *join, LogicalNode **out)
{
    const LogicalColumn *columns = join->node.columns;
    uint32_t count = join->node.column_count;
    if (join->join == JOIN_INNER) {
        Expr *condition = join->condition;
        join->condition = NULL;
        LogicalNode *filter = logical_filter(self->arena, &join->node, condition);
        return unnest_filter(self, (LogicalFilter *)filter, out);
    }
    PointerList conjuncts = {0};
    conjuncts_add(self->arena, &conjuncts, join->condition);
    for (uint32_t i = 0; i < conjuncts.count; i++) {
        Expr *conjunct = conjuncts.items[i];
        if (!has_subquery(conjunct)) {
            continue;
        }
        ColumnSet used = {0};
        column_set_add_expr(&used, conjunct, self->arena);
        ColumnSet left = column_set_of_node(join->left, self->arena);
        ColumnSet right = column_set_of_node(join->right, self->arena);
        if (column_set_intersects(&used, &left) && column_set_intersects(&used, &right)) {
            return status_error(SQLSTATE_FEATURE_NOT_SUPPORTED,
                                "a subquery in the condition of an outer join may use columns of "
                                "one side only");
        }
        bool is_left = column_set_intersects(&used, &left);
        TRY(replace_in(self, &conjunct, is_left ? &join->left : &join->right));
        conjuncts.items[i] = conjunct;
    }
    join->condition = conjuncts_join(self->arena, &conjuncts);
    logical_refresh_columns(self->arena, &join->node);
    *out = only_columns(self->arena, &join->node, columns, count);
    return STATUS_OK;
}

static Status unnest_lateral(Unnester *self, LogicalJoin *join, LogicalNode **out)
{
    Arena *arena = self->arena;
    const LogicalColumn *columns = join->node.columns;
    uint32_t count = join->node.column_count;
    join->is_lateral = false;
    *out = &join->node;
    Domain domain = domain_create(self, &join->left, join->right);
    if (domain.count == 0) {
        return STATUS_OK;
    }
    if (join->join != JOIN_INNER && join->join != JOIN_LEFT) {
        return status_error(SQLSTATE_FEATURE_NOT_SUPPORTED,
                            "a lateral subquery must be joined by an inner or a left join");
    }
    PointerList conjuncts = {0};
    conjuncts_add(arena, &conjuncts, join->condition);
    if (pull_is_possible(&domain, join->right, false)) {
        join->right = pull_conditions(&domain, join->right, &conjuncts);
    } else {
        ColumnNumber *numbers = ARENA_ARRAY(arena, ColumnNumber, domain.count);
        TRY(push_domain(&domain, join->right, numbers, &join->right));
        domain_add_conditions(&domain, numbers, &conjuncts);
    }
    join->condition = conjuncts_join(arena, &conjuncts);
    logical_refresh_columns(arena, &join->node);
    *out = only_columns(arena, &join->node, columns, count);
    return STATUS_OK;
}

/* VALUES with subqueries: each row becomes a project over one row of no columns. */
static Status unnest_values(Unnester *self, LogicalValues *values, LogicalNode **out)
{
    Arena *arena = self->arena;
    uint32_t count = values->node.column_count;
    LogicalNode *all = NULL;
    for (uint32_t row = 0; row < values->row_count; row++) {
        LogicalNode *input = logical_one_row(arena);
        Expr **exprs = ARENA_ARRAY(arena, Expr *, count);
        LogicalColumn *columns =
            arena_memdup(arena, values->node.columns, count * sizeof(*columns));
        for (uint32_t i = 0; i < count; i++) {
            exprs[i] = values->cells[row * count + i];
            TRY(replace_in(self, &exprs[i], &input));
            columns[i].number = planner_new_column(self->context);
        }
        LogicalNode *project = logical_project(arena, input, count, exprs, columns);
        LogicalColumn *outputs = arena_memdup(arena, columns, count * sizeof(*columns));
        for (uint32_t i = 0; i < count; i++) {
            outputs[i].number = planner_new_column(self->context);
        }
        all = all == NULL ? project : logical_set(arena, SET_UNION_ALL, all, project, outputs);
    }
    Expr **exprs = ARENA_ARRAY(arena, Expr *, count);
    for (uint32_t i = 0; i < count; i++) {
        exprs[i] = logical_column_expr(arena, &all->columns[i]);
    }
    *out = logical_project(arena, all, count, exprs, values->node.columns);
    return STATUS_OK;
}

typedef struct SlotReplacer {
    Unnester *unnester;
    LogicalNode *input;
    Status status;
} SlotReplacer;

static void replace_slot(void *object, Expr **slot)
{
    SlotReplacer *self = object;
    if (*slot != NULL && self->status == STATUS_OK && has_subquery(*slot)) {
        self->status = replace_in(self->unnester, slot, &self->input);
    }
}

/* Project, aggregate, sort, window: subqueries are joined to the child. */
static Status unnest_over_child(Unnester *self, LogicalNode *node, LogicalNode **out)
{
    const LogicalColumn *columns = node->columns;
    uint32_t count = node->column_count;
    SlotReplacer replacer = {.unnester = self, .input = logical_get_child(node, 0)};
    logical_each_expr(node, replace_slot, &replacer);
    TRY(replacer.status);
    logical_set_child(node, 0, replacer.input);
    logical_refresh_columns(self->arena, node);
    *out = only_columns(self->arena, node, columns, count);
    return STATUS_OK;
}

static void note_slot(void *object, Expr **slot)
{
    *(bool *)object |= *slot != NULL && has_subquery(*slot);
}

static Status unnest_own(Unnester *self, LogicalNode *node, LogicalNode **out)
{
    bool asks = false;
    logical_each_expr(node, note_slot, &asks);
    if (node->kind == LOGICAL_JOIN && ((LogicalJoin *)node)->is_lateral) {
        LogicalJoin *join = (LogicalJoin *)node;
        const LogicalColumn *columns = node->columns;
        uint32_t count = node->column_count;
        TRY(unnest_lateral(self, join, out));
        if (!asks) {
            return STATUS_OK;
        }
        // its condition asks still, below a project that the lateral side may have wanted
        TRY(unnest_join(self, join, out));
        *out = only_columns(self->arena, *out, columns, count);
        return STATUS_OK;
    }
    *out = node;
    if (!asks) {
        return STATUS_OK;
    }
    switch (node->kind) {
    case LOGICAL_FILTER:
        return unnest_filter(self, (LogicalFilter *)node, out);
    case LOGICAL_JOIN:
        return unnest_join(self, (LogicalJoin *)node, out);
    case LOGICAL_VALUES:
        return unnest_values(self, (LogicalValues *)node, out);
    default:
        return unnest_over_child(self, node, out);
    }
}

static Status unnest_tree(Unnester *self, LogicalNode *node, LogicalNode **out)
{
    LogicalNode *child;
    for (uint32_t i = 0; (child = logical_get_child(node, i)) != NULL; i++) {
        TRY(unnest_tree(self, child, &child));
        logical_set_child(node, i, child);
    }
    logical_refresh_columns(self->arena, node);
    return unnest_own(self, node, out);
}

/* Shared outer sides go just above what they were found in. */
static LogicalNode *with_shared(Unnester *self, LogicalNode *body)
{
    for (uint32_t i = self->shared.count; i > 0; i--) {
        LogicalCte *cte = self->shared.items[i - 1];
        body = logical_cte(self->arena, cte->cte_id, cte->name, cte->definition, body);
    }
    self->shared.count = 0;
    return body;
}

/* Common table expressions stand in a chain at the root. */
static Status unnest_root(PlannerContext *context, LogicalNode *node, LogicalNode **out)
{
    Unnester self = {.context = context, .arena = context->arena};
    if (node->kind != LOGICAL_CTE) {
        LogicalNode *body;
        TRY(unnest_tree(&self, node, &body));
        *out = with_shared(&self, body);
        return STATUS_OK;
    }
    LogicalCte *cte = (LogicalCte *)node;
    TRY(unnest_tree(&self, cte->definition, &cte->definition));
    TRY(unnest_root(context, cte->child, &cte->child));
    logical_refresh_columns(context->arena, node);
    *out = with_shared(&self, node);
    return STATUS_OK;
}

Status rule_subquery_to_join(PlannerContext *context, LogicalNode **root)
{
    return unnest_root(context, *root, root);
}
