/*
 * rule_filter_pushdown.c — conditions go down to the rows they are about; outer joins that a
 * condition above makes inner become so.
 *
 * One walk from the root carries the conjuncts that hold for a node's rows. At an inner join all
 * conditions of the whole nest of inner joins are taken together first, so that what follows from
 * equalities (a = b and a = 5 -> b = 5) and from disjunctions is found wherever it was written.
 *
 * What may pass a join, by side:       from above            from its own condition
 *   INNER                              both                  both
 *   LEFT, SINGLE                       left                  right
 *   SEMI                               left                  both
 *   ANTI                               left                  right
 *   ANTI_NULL, MARK                    left                  -
 *   FULL                               -                     -
 * (RIGHT is turned into LEFT here.)
 */
#include "planner/optimizer/rules.h"

#include "planner/optimizer/fold.h"
#include "planner/optimizer/null_facts.h"
#include "planner/optimizer/predicate_infer.h"
#include "planner/optimizer/range_merge.h"

typedef struct Pusher {
    PlannerContext *context;
    Arena *arena;
} Pusher;

/* The node with all `conjuncts` applied, as low as they may go. `rejecting`: columns whose NULLs
 * somebody above throws away. */
static LogicalNode *push(Pusher *self, LogicalNode *node, PointerList *conjuncts,
                         const ColumnSet *rejecting);

static LogicalNode *filter_over(Pusher *self, LogicalNode *node, const PointerList *conjuncts)
{
    return logical_filter(self->arena, node, conjuncts_join(self->arena, conjuncts));
}

static void push_child(Pusher *self, LogicalNode *node, uint32_t index, PointerList *conjuncts,
                       const ColumnSet *rejecting)
{
    logical_set_child(node, index,
                      push(self, logical_get_child(node, index), conjuncts, rejecting));
}

/* Moves to `taken` the conjuncts that use columns of `side` only, and those that use none. */
static void take_covered(Pusher *self, PointerList *conjuncts, const ColumnSet *side,
                         PointerList *taken)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < conjuncts->count; i++) {
        Expr *conjunct = conjuncts->items[i];
        if (!expr_is_volatile(conjunct) && column_set_covers_expr(side, conjunct, self->arena)) {
            pointer_list_add(self->arena, taken, conjunct);
        } else {
            conjuncts->items[kept++] = conjunct;
        }
    }
    conjuncts->count = kept;
}

static void add_rejecting(Pusher *self, const PointerList *conjuncts, ColumnSet *rejecting)
{
    for (uint32_t i = 0; i < conjuncts->count; i++) {
        column_set_add_rejecting(rejecting, conjuncts->items[i], self->arena);
    }
}

static bool rejects_side(const PointerList *conjuncts, const ColumnSet *rejecting,
                         const ColumnSet *side)
{
    if (column_set_intersects(rejecting, side)) {
        return true;
    }
    for (uint32_t i = 0; i < conjuncts->count; i++) {
        if (expr_is_rejected_when(conjuncts->items[i], side)) {
            return true;
        }
    }
    return false;
}

static void swap_sides(LogicalJoin *join)
{
    LogicalNode *left = join->left;
    join->left = join->right;
    join->right = left;
}

/* LEFT whose filled-in rows somebody above rejects is INNER; FULL becomes LEFT or INNER. */
static void simplify_outer(Pusher *self, LogicalJoin *join, const PointerList *conjuncts,
                           const ColumnSet *rejecting)
{
    if (join->join == JOIN_RIGHT) {
        swap_sides(join);
        join->join = JOIN_LEFT;
    }
    ColumnSet left = column_set_of_node(join->left, self->arena);
    ColumnSet right = column_set_of_node(join->right, self->arena);
    if (join->join == JOIN_FULL) {
        bool needs_left = rejects_side(conjuncts, rejecting, &left);
        bool needs_right = rejects_side(conjuncts, rejecting, &right);
        if (needs_left && needs_right) {
            join->join = JOIN_INNER;
        } else if (needs_left) {
            join->join = JOIN_LEFT;
        } else if (needs_right) {
            swap_sides(join);
            join->join = JOIN_LEFT;
        }
    } else if (join->join == JOIN_LEFT && rejects_side(conjuncts, rejecting, &right)) {
        join->join = JOIN_INNER;
    }
    logical_refresh_columns(self->arena, &join->node);
}

/* Takes the conditions of a nest of inner joins and filters into one list. */
static LogicalNode *collect_inner(Pusher *self, LogicalNode *node, PointerList *conjuncts)
{
    if (node->kind == LOGICAL_FILTER) {
        LogicalFilter *filter = (LogicalFilter *)node;
        if (!expr_is_volatile(filter->condition)) {
            conjuncts_add(self->arena, conjuncts, filter->condition);
            return collect_inner(self, filter->child, conjuncts);
        }
        return node;
    }
    LogicalJoin *join = (LogicalJoin *)node;
    if (node->kind == LOGICAL_JOIN && join->join == JOIN_INNER) {
        conjuncts_add(self->arena, conjuncts, join->condition);
        join->condition = NULL;
        join->left = collect_inner(self, join->left, conjuncts);
        join->right = collect_inner(self, join->right, conjuncts);
        logical_refresh_columns(self->arena, node);
    }
    return node;
}

/* What disjunctions over both sides demand of each. */
static void add_from_or(Pusher *self, const PointerList *both, const ColumnSet *side,
                        PointerList *target)
{
    for (uint32_t i = 0; i < both->count; i++) {
        const Expr *conjunct = both->items[i];
        Expr *inferred =
            conjunct->kind == EXPR_OR ? infer_from_or(self->arena, conjunct, side) : NULL;
        if (inferred != NULL) {
            conjuncts_add(self->arena, target, inferred);
        }
    }
}

/* The inner join, its conditions being among `conjuncts` already. */
static LogicalNode *push_inner(Pusher *self, LogicalJoin *join, PointerList *conjuncts,
                               const ColumnSet *rejecting)
{
    ColumnSet left = column_set_of_node(join->left, self->arena);
    ColumnSet right = column_set_of_node(join->right, self->arena);
    ColumnSet below = {0};
    column_set_add_all(&below, rejecting, self->arena);
    add_rejecting(self, conjuncts, &below);
    PointerList left_list = {0}, right_list = {0}, above = {0};
    take_covered(self, conjuncts, &left, &left_list);
    take_covered(self, conjuncts, &right, &right_list);
    add_from_or(self, conjuncts, &left, &left_list);
    add_from_or(self, conjuncts, &right, &right_list);
    PointerList condition = {0};
    for (uint32_t i = 0; i < conjuncts->count; i++) {
        pointer_list_add(self->arena, expr_is_volatile(conjuncts->items[i]) ? &above : &condition,
                         conjuncts->items[i]);
    }
    join->condition = conjuncts_join(self->arena, &condition);
    join->left = push(self, join->left, &left_list, &below);
    join->right = push(self, join->right, &right_list, &below);
    logical_refresh_columns(self->arena, &join->node);
    return filter_over(self, &join->node, &above);
}

/* From the left rows' conditions and the join's equalities, conditions on right rows; those that
 * could not match anyway need not be read. */
static void infer_for_right(Pusher *self, const PointerList *left_list, const PointerList *on,
                            const ColumnSet *right, PointerList *right_list)
{
    PointerList all = {0};
    for (uint32_t i = 0; i < left_list->count; i++) {
        pointer_list_add(self->arena, &all, left_list->items[i]);
    }
    for (uint32_t i = 0; i < on->count; i++) {
        pointer_list_add(self->arena, &all, on->items[i]);
    }
    uint32_t given = all.count;
    infer_from_equalities(self->arena, &all);
    for (uint32_t i = given; i < all.count; i++) {
        if (column_set_covers_expr(right, all.items[i], self->arena)) {
            pointer_list_add(self->arena, right_list, all.items[i]);
        }
    }
}

static bool passes_own_right(JoinKind join)
{
    return join == JOIN_LEFT || join == JOIN_SINGLE || join == JOIN_SEMI || join == JOIN_ANTI;
}

/* Joins that keep left rows, each at most once or filled in. */
static LogicalNode *push_left_keeping(Pusher *self, LogicalJoin *join, PointerList *conjuncts,
                                      const ColumnSet *rejecting)
{
    ColumnSet left = column_set_of_node(join->left, self->arena);
    ColumnSet right = column_set_of_node(join->right, self->arena);
    PointerList left_list = {0}, right_list = {0}, on = {0};
    ColumnSet left_rejecting = {0}, right_rejecting = {0};
    column_set_add_all(&left_rejecting, rejecting, self->arena);
    add_rejecting(self, conjuncts, &left_rejecting);
    take_covered(self, conjuncts, &left, &left_list);
    conjuncts_add(self->arena, &on, join->condition);
    if (join->join == JOIN_SEMI) {
        take_covered(self, &on, &left, &left_list);
        add_from_or(self, &on, &left, &left_list);
        add_rejecting(self, &on, &left_rejecting);
    }
    if (passes_own_right(join->join)) {
        take_covered(self, &on, &right, &right_list);
        add_from_or(self, &on, &right, &right_list);
        add_rejecting(self, &on, &right_rejecting);
        infer_for_right(self, &left_list, &on, &right, &right_list);
    }
    join->condition = conjuncts_join(self->arena, &on);
    join->left = push(self, join->left, &left_list, &left_rejecting);
    join->right = push(self, join->right, &right_list, &right_rejecting);
    logical_refresh_columns(self->arena, &join->node);
    return filter_over(self, &join->node, conjuncts);
}

static LogicalNode *push_join(Pusher *self, LogicalJoin *join, PointerList *conjuncts,
                              const ColumnSet *rejecting)
{
    simplify_outer(self, join, conjuncts, rejecting);
    if (join->join == JOIN_INNER) {
        if (join->condition != NULL || join->left->kind == LOGICAL_FILTER ||
            join->right->kind == LOGICAL_FILTER || join->left->kind == LOGICAL_JOIN ||
            join->right->kind == LOGICAL_JOIN) {
            collect_inner(self, &join->node, conjuncts);
            infer_from_equalities(self->arena, conjuncts);
        }
        return push_inner(self, join, conjuncts, rejecting);
    }
    if (join->join == JOIN_FULL) {
        PointerList none = {0};
        ColumnSet empty = {0};
        push_child(self, &join->node, 0, &none, &empty);
        none.count = 0;
        push_child(self, &join->node, 1, &none, &empty);
        logical_refresh_columns(self->arena, &join->node);
        return filter_over(self, &join->node, conjuncts);
    }
    return push_left_keeping(self, join, conjuncts, rejecting);
}

/* Columns of a node to the expressions they stand for. */
typedef struct Substitution {
    const LogicalNode *node;
    Expr *const *exprs;
} Substitution;

static Expr *substitute(void *object, const Expr *column)
{
    const Substitution *self = object;
    for (uint32_t i = 0; i < self->node->column_count; i++) {
        if (self->node->columns[i].number == column->column) {
            return self->exprs[i];
        }
    }
    return NULL;
}

static bool uses_volatile(const LogicalProject *project, const Expr *conjunct, Arena *arena)
{
    for (uint32_t i = 0; i < project->node.column_count; i++) {
        ColumnSet one = {0};
        column_set_add(&one, project->node.columns[i].number, arena);
        ColumnSet used = {0};
        column_set_add_expr(&used, conjunct, arena);
        if (column_set_intersects(&one, &used) && expr_is_volatile(project->exprs[i])) {
            return true;
        }
    }
    return false;
}

static LogicalNode *push_project(Pusher *self, LogicalProject *project, PointerList *conjuncts,
                                 const ColumnSet *rejecting)
{
    PointerList below = {0}, above = {0};
    Substitution map = {&project->node, project->exprs};
    for (uint32_t i = 0; i < conjuncts->count; i++) {
        Expr *conjunct = conjuncts->items[i];
        if (expr_is_volatile(conjunct) || uses_volatile(project, conjunct, self->arena)) {
            pointer_list_add(self->arena, &above, conjunct);
            continue;
        }
        Expr *mapped = expr_replace_columns(self->arena, conjunct, substitute, &map);
        conjuncts_add(self->arena, &below, fold_expr(self->context, mapped));
    }
    ColumnSet rejecting_below = {0};
    for (uint32_t i = 0; i < project->node.column_count; i++) {
        if (column_set_has(rejecting, project->node.columns[i].number)) {
            ColumnSet used = {0};
            column_set_add_expr(&used, project->exprs[i], self->arena);
            for (ColumnNumber number = 0; (number = column_set_next(&used, number)) != 0;) {
                ColumnSet one = {0};
                column_set_add(&one, number, self->arena);
                if (expr_is_null_when(project->exprs[i], &one)) {
                    column_set_add(&rejecting_below, number, self->arena);
                }
            }
        }
    }
    push_child(self, &project->node, 0, &below, &rejecting_below);
    return filter_over(self, &project->node, &above);
}

/* Conditions on group keys choose whole groups: they may choose their rows instead. */
static LogicalNode *push_aggregate(Pusher *self, LogicalAggregate *aggregate,
                                   PointerList *conjuncts)
{
    ColumnSet keys = {0}, none = {0};
    for (uint32_t i = 0; i < aggregate->key_count; i++) {
        if (!expr_is_volatile(aggregate->keys[i])) {
            column_set_add(&keys, aggregate->node.columns[i].number, self->arena);
        }
    }
    PointerList taken = {0}, below = {0};
    if (aggregate->key_count > 0) {
        take_covered(self, conjuncts, &keys, &taken);
    }
    LogicalNode key_outputs = aggregate->node;
    key_outputs.column_count = aggregate->key_count;
    Substitution map = {&key_outputs, aggregate->keys};
    for (uint32_t i = 0; i < taken.count; i++) {
        Expr *mapped = expr_replace_columns(self->arena, taken.items[i], substitute, &map);
        conjuncts_add(self->arena, &below, fold_expr(self->context, mapped));
    }
    push_child(self, &aggregate->node, 0, &below, &none);
    return filter_over(self, &aggregate->node, conjuncts);
}

/* Conditions on columns that every partition list has keep or drop whole partitions. */
static LogicalNode *push_window(Pusher *self, LogicalWindow *window, PointerList *conjuncts)
{
    ColumnSet common = column_set_of_node(window->child, self->arena), none = {0};
    for (uint32_t i = 0; i < window->call_count; i++) {
        ColumnSet own = {0}, both = {0};
        for (uint32_t k = 0; k < window->calls[i].partition_count; k++) {
            const Expr *key = window->calls[i].partition[k];
            if (key->kind == EXPR_COLUMN && column_set_has(&common, key->column)) {
                column_set_add(&own, key->column, self->arena);
            }
        }
        column_set_add_all(&both, &own, self->arena);
        common = both;
    }
    PointerList below = {0};
    take_covered(self, conjuncts, &common, &below);
    push_child(self, &window->node, 0, &below, &none);
    logical_refresh_columns(self->arena, &window->node);
    return filter_over(self, &window->node, conjuncts);
}

/* Both sides of UNION, INTERSECT and EXCEPT may be filtered alike. */
static LogicalNode *push_set(Pusher *self, LogicalSet *set, PointerList *conjuncts)
{
    ColumnSet none = {0};
    for (uint32_t side = 0; side < 2; side++) {
        LogicalNode *child = logical_get_child(&set->node, side);
        Expr **exprs = ARENA_ARRAY(self->arena, Expr *, child->column_count);
        for (uint32_t i = 0; i < child->column_count; i++) {
            exprs[i] = logical_column_expr(self->arena, &child->columns[i]);
        }
        Substitution map = {&set->node, exprs};
        PointerList below = {0};
        for (uint32_t i = 0; i < conjuncts->count; i++) {
            pointer_list_add(
                self->arena, &below,
                expr_replace_columns(self->arena, conjuncts->items[i], substitute, &map));
        }
        push_child(self, &set->node, side, &below, &none);
    }
    return &set->node;
}

static LogicalNode *empty_rows(Pusher *self, const LogicalNode *node);

/* Scans filter by the table's own columns: conditions on row ids stay above. */
static bool is_about_row_ids(Pusher *self, const LogicalGet *get, const Expr *conjunct)
{
    ColumnSet used = {0};
    column_set_add_expr(&used, conjunct, self->arena);
    for (uint32_t i = 0; i < get->node.column_count; i++) {
        if (get->table_columns[i] >= get->table->column_count &&
            column_set_has(&used, get->node.columns[i].number)) {
            return true;
        }
    }
    return false;
}

static LogicalNode *push_get(Pusher *self, LogicalGet *get, const PointerList *conjuncts)
{
    PointerList all = {0}, above = {0};
    for (uint32_t i = 0; i < get->filter_count + conjuncts->count; i++) {
        Expr *filter =
            i < get->filter_count ? get->filters[i] : conjuncts->items[i - get->filter_count];
        if (is_about_row_ids(self, get, filter)) {
            pointer_list_add(self->arena, &above, filter);
            continue;
        }
        bool is_known = false;
        for (uint32_t k = 0; k < all.count; k++) {
            is_known |= expr_equal(all.items[k], filter);
        }
        if (!is_known) {
            pointer_list_add(self->arena, &all, filter);
        }
    }
    if (!ranges_merge(&all)) {
        return empty_rows(self, &get->node);
    }
    get->filters = (Expr **)all.items;
    get->filter_count = all.count;
    return filter_over(self, &get->node, &above);
}

static LogicalNode *empty_rows(Pusher *self, const LogicalNode *node)
{
    LogicalValues *values = ARENA_NEW(self->arena, LogicalValues);
    values->node = *node;
    values->node.kind = LOGICAL_VALUES;
    values->node.rows = -1;
    return &values->node;
}

/* A filter's condition joins the conjuncts; what is volatile stays where it was written. */
static LogicalNode *push_filter(Pusher *self, LogicalFilter *filter, PointerList *conjuncts,
                                const ColumnSet *rejecting)
{
    PointerList own = {0}, stay = {0};
    conjuncts_add(self->arena, &own, filter->condition);
    for (uint32_t i = 0; i < own.count; i++) {
        pointer_list_add(self->arena, expr_is_volatile(own.items[i]) ? &stay : conjuncts,
                         own.items[i]);
    }
    LogicalNode *child = push(self, filter->child, conjuncts, rejecting);
    return filter_over(self, child, &stay);
}

static bool has_contradiction(const PointerList *conjuncts)
{
    for (uint32_t i = 0; i < conjuncts->count; i++) {
        if (is_constant_false_or_null(conjuncts->items[i])) {
            return true;
        }
    }
    return false;
}

static LogicalNode *push(Pusher *self, LogicalNode *node, PointerList *conjuncts,
                         const ColumnSet *rejecting)
{
    PointerList none = {0};
    ColumnSet empty = {0};
    if (has_contradiction(conjuncts)) {
        return empty_rows(self, node);
    }
    switch (node->kind) {
    case LOGICAL_FILTER:
        return push_filter(self, (LogicalFilter *)node, conjuncts, rejecting);
    case LOGICAL_PROJECT:
        return push_project(self, (LogicalProject *)node, conjuncts, rejecting);
    case LOGICAL_JOIN:
        return push_join(self, (LogicalJoin *)node, conjuncts, rejecting);
    case LOGICAL_AGGREGATE:
        return push_aggregate(self, (LogicalAggregate *)node, conjuncts);
    case LOGICAL_WINDOW:
        return push_window(self, (LogicalWindow *)node, conjuncts);
    case LOGICAL_SET:
        return push_set(self, (LogicalSet *)node, conjuncts);
    case LOGICAL_GET:
        return push_get(self, (LogicalGet *)node, conjuncts);
    case LOGICAL_SORT:
    case LOGICAL_DISTINCT:
        push_child(self, node, 0, conjuncts, rejecting);
        logical_refresh_columns(self->arena, node);
        return node;
    case LOGICAL_CTE:
        push_child(self, node, 0, &none, &empty);
        push_child(self, node, 1, conjuncts, rejecting);
        logical_refresh_columns(self->arena, node);
        return node;
    case LOGICAL_CHANGE:
        push_child(self, node, 0, &none, &empty);
        push_child(self, node, 1, &none, &empty);
        return filter_over(self, node, conjuncts);
    case LOGICAL_LIMIT:
    case LOGICAL_INSERT:
    case LOGICAL_DELETE:
        push_child(self, node, 0, &none, &empty);
        if (node->kind == LOGICAL_LIMIT) {
            logical_refresh_columns(self->arena, node);
        }
        return filter_over(self, node, conjuncts);
    default:
        return filter_over(self, node, conjuncts);
    }
}

Status rule_filter_pushdown(PlannerContext *context, LogicalNode **root)
{
    Pusher self = {context, context->arena};
    PointerList none = {0};
    ColumnSet empty = {0};
    *root = push(&self, *root, &none, &empty);
    return STATUS_OK;
}
