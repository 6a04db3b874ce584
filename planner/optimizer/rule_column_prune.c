/*
 * rule_column_prune.c — columns that nobody reads are not read.
 *
 * Top-down: a node is told which of its columns are wanted, drops the others where it makes them
 * (tables, projects, aggregates, windows, set operations, shared definitions), and asks its
 * children for those it uses. A shared definition gives what any of its references wants, so
 * definitions are visited after what refers to them.
 */
#include "planner/optimizer/rules.h"

#include <string.h>

typedef struct CteUse { /* of one shared definition, by position */
    uint32_t cte_id;
    bool *is_used;
    PointerList references; /* LogicalCteReference */
} CteUse;

typedef struct Pruner {
    Arena *arena;
    PointerList ctes; /* CteUse */
} Pruner;

static void prune(Pruner *self, LogicalNode *node, const ColumnSet *wanted);

/* Keeps the columns for which `is_kept` holds. */
static void keep_columns(Pruner *self, LogicalNode *node, const bool *is_kept)
{
    LogicalColumn *columns = ARENA_ARRAY(self->arena, LogicalColumn, node->column_count);
    uint32_t kept = 0;
    for (uint32_t i = 0; i < node->column_count; i++) {
        if (is_kept[i]) {
            columns[kept++] = node->columns[i];
        }
    }
    node->columns = columns;
    node->column_count = kept;
}

static bool *kept_by(Pruner *self, const LogicalNode *node, const ColumnSet *wanted)
{
    bool *is_kept = ARENA_ARRAY(self->arena, bool, node->column_count);
    for (uint32_t i = 0; i < node->column_count; i++) {
        is_kept[i] = column_set_has(wanted, node->columns[i].number);
    }
    return is_kept;
}

/* All columns the node's expressions use. */
static void add_used(Pruner *self, LogicalNode *node, ColumnSet *used)
{
    column_set_add_used(used, node, self->arena);
}

static void prune_get(Pruner *self, LogicalGet *get, const ColumnSet *wanted)
{
    ColumnSet used = {0};
    column_set_add_all(&used, wanted, self->arena);
    add_used(self, &get->node, &used);
    bool *is_kept = kept_by(self, &get->node, &used);
    uint32_t *table_columns = ARENA_ARRAY(self->arena, uint32_t, get->node.column_count);
    uint32_t kept = 0;
    for (uint32_t i = 0; i < get->node.column_count; i++) {
        if (is_kept[i]) {
            table_columns[kept++] = get->table_columns[i];
        }
    }
    get->table_columns = table_columns;
    keep_columns(self, &get->node, is_kept);
}

static void prune_values(Pruner *self, LogicalValues *values, const ColumnSet *wanted)
{
    bool *is_kept = kept_by(self, &values->node, wanted);
    uint32_t old_count = values->node.column_count, cell = 0;
    Expr **cells = ARENA_ARRAY(self->arena, Expr *, (size_t)old_count * values->row_count);
    for (uint32_t i = 0; i < old_count * values->row_count; i++) {
        if (is_kept[i % old_count]) {
            cells[cell++] = values->cells[i];
        }
    }
    values->cells = cells;
    keep_columns(self, &values->node, is_kept);
}

static void prune_project(Pruner *self, LogicalProject *project, const ColumnSet *wanted)
{
    bool *is_kept = kept_by(self, &project->node, wanted);
    Expr **exprs = ARENA_ARRAY(self->arena, Expr *, project->node.column_count);
    uint32_t kept = 0;
    ColumnSet used = {0};
    for (uint32_t i = 0; i < project->node.column_count; i++) {
        if (is_kept[i]) {
            exprs[kept++] = project->exprs[i];
            column_set_add_expr(&used, project->exprs[i], self->arena);
        }
    }
    project->exprs = exprs;
    keep_columns(self, &project->node, is_kept);
    prune(self, project->child, &used);
}

static void prune_aggregate(Pruner *self, LogicalAggregate *aggregate, const ColumnSet *wanted)
{
    bool *is_kept = kept_by(self, &aggregate->node, wanted);
    AggregateCall *calls = ARENA_ARRAY(self->arena, AggregateCall, aggregate->aggregate_count);
    uint32_t kept = 0;
    for (uint32_t i = 0; i < aggregate->node.column_count; i++) {
        bool is_key = i < aggregate->key_count; // keys make the groups, read or not
        is_kept[i] |= is_key;
        // The one that checks for a second row does so unread, too.
        is_kept[i] |=
            !is_key && aggregate->aggregates[i - aggregate->key_count].id == AGGREGATE_SINGLE_VALUE;
        if (!is_key && is_kept[i]) {
            calls[kept++] = aggregate->aggregates[i - aggregate->key_count];
        }
    }
    aggregate->aggregates = calls;
    aggregate->aggregate_count = kept;
    keep_columns(self, &aggregate->node, is_kept);
    ColumnSet used = {0};
    add_used(self, &aggregate->node, &used);
    prune(self, aggregate->child, &used);
}

static void prune_window(Pruner *self, LogicalWindow *window, const ColumnSet *wanted)
{
    uint32_t first = window->node.column_count - window->call_count, kept = 0;
    bool *is_kept = kept_by(self, &window->node, wanted);
    WindowCall *calls = ARENA_ARRAY(self->arena, WindowCall, window->call_count);
    for (uint32_t i = 0; i < window->call_count; i++) {
        if (is_kept[first + i]) {
            calls[kept++] = window->calls[i];
        }
    }
    window->calls = calls;
    window->call_count = kept;
    keep_columns(self, &window->node, is_kept);
    ColumnSet used = {0};
    column_set_add_all(&used, wanted, self->arena);
    add_used(self, &window->node, &used);
    prune(self, window->child, &used);
    logical_refresh_columns(self->arena, &window->node);
}

/* Positions that are not wanted go from both sides. */
static void prune_set(Pruner *self, LogicalSet *set, const ColumnSet *wanted)
{
    bool *is_kept = kept_by(self, &set->node, wanted);
    if (set->set != SET_UNION_ALL) {
        memset(is_kept, 1, set->node.column_count);
    }
    uint32_t count = set->node.column_count;
    keep_columns(self, &set->node, is_kept);
    for (uint32_t side = 0; side < 2; side++) {
        LogicalNode *child = logical_get_child(&set->node, side);
        ColumnSet used = {0};
        uint32_t kept = 0;
        LogicalColumn *columns = ARENA_ARRAY(self->arena, LogicalColumn, count);
        Expr **exprs = ARENA_ARRAY(self->arena, Expr *, count);
        for (uint32_t i = 0; i < count; i++) {
            if (is_kept[i]) {
                column_set_add(&used, child->columns[i].number, self->arena);
                exprs[kept] = logical_column_expr(self->arena, &child->columns[i]);
                columns[kept++] = child->columns[i];
            }
        }
        prune(self, child, &used);
        bool is_same = child->column_count == kept;
        for (uint32_t i = 0; is_same && i < kept; i++) {
            is_same = child->columns[i].number == columns[i].number;
        }
        if (!is_same) {
            logical_set_child(&set->node, side,
                              logical_project(self->arena, child, kept, exprs, columns));
        }
    }
}

/* Joins, filters, sorts, limits: what is wanted and what they use themselves, by side. */
static void prune_passing(Pruner *self, LogicalNode *node, const ColumnSet *wanted)
{
    ColumnSet used = {0};
    column_set_add_all(&used, wanted, self->arena);
    add_used(self, node, &used);
    LogicalNode *child;
    for (uint32_t i = 0; (child = logical_get_child(node, i)) != NULL; i++) {
        prune(self, child, &used);
    }
    logical_refresh_columns(self->arena, node);
}

static CteUse *find_use(Pruner *self, uint32_t cte_id)
{
    for (uint32_t i = 0; i < self->ctes.count; i++) {
        CteUse *use = self->ctes.items[i];
        if (use->cte_id == cte_id) {
            return use;
        }
    }
    return NULL;
}

static void prune_reference(Pruner *self, LogicalCteReference *reference, const ColumnSet *wanted)
{
    CteUse *use = find_use(self, reference->cte_id);
    if (use == NULL) {
        return;
    }
    pointer_list_add(self->arena, &use->references, reference);
    for (uint32_t i = 0; i < reference->node.column_count; i++) {
        use->is_used[i] |= column_set_has(wanted, reference->node.columns[i].number);
    }
}

static void refresh_tree(Arena *arena, LogicalNode *node)
{
    LogicalNode *child;
    for (uint32_t i = 0; (child = logical_get_child(node, i)) != NULL; i++) {
        refresh_tree(arena, child);
    }
    logical_refresh_columns(arena, node);
}

static void prune_cte(Pruner *self, LogicalCte *cte, const ColumnSet *wanted)
{
    CteUse *use = ARENA_NEW(self->arena, CteUse);
    use->cte_id = cte->cte_id;
    use->is_used = ARENA_ARRAY(self->arena, bool, cte->definition->column_count);
    pointer_list_add(self->arena, &self->ctes, use);
    prune(self, cte->child, wanted);
    uint32_t count = cte->definition->column_count;
    if (count > 0 && memchr(use->is_used, 1, count) == NULL) {
        use->is_used[0] = true; // only the number of rows is wanted: one column carries them
    }
    ColumnSet used = {0};
    LogicalColumn *columns = ARENA_ARRAY(self->arena, LogicalColumn, count);
    Expr **exprs = ARENA_ARRAY(self->arena, Expr *, count);
    uint32_t kept = 0;
    for (uint32_t i = 0; i < count; i++) {
        if (use->is_used[i]) {
            column_set_add(&used, cte->definition->columns[i].number, self->arena);
            exprs[kept] = logical_column_expr(self->arena, &cte->definition->columns[i]);
            columns[kept++] = cte->definition->columns[i];
        }
    }
    for (uint32_t i = 0; i < use->references.count; i++) {
        keep_columns(self, &((LogicalCteReference *)use->references.items[i])->node, use->is_used);
    }
    prune(self, cte->definition, &used);
    if (cte->definition->column_count != kept) {
        cte->definition = logical_project(self->arena, cte->definition, kept, exprs, columns);
    }
    refresh_tree(self->arena, cte->child); // references have lost columns
    logical_refresh_columns(self->arena, &cte->node);
}

static void prune(Pruner *self, LogicalNode *node, const ColumnSet *wanted)
{
    switch (node->kind) {
    case LOGICAL_GET:
        prune_get(self, (LogicalGet *)node, wanted);
        break;
    case LOGICAL_VALUES:
        prune_values(self, (LogicalValues *)node, wanted);
        break;
    case LOGICAL_PROJECT:
        prune_project(self, (LogicalProject *)node, wanted);
        break;
    case LOGICAL_AGGREGATE:
        prune_aggregate(self, (LogicalAggregate *)node, wanted);
        break;
    case LOGICAL_WINDOW:
        prune_window(self, (LogicalWindow *)node, wanted);
        break;
    case LOGICAL_SET:
        prune_set(self, (LogicalSet *)node, wanted);
        break;
    case LOGICAL_CTE:
        prune_cte(self, (LogicalCte *)node, wanted);
        break;
    case LOGICAL_CTE_REFERENCE:
        prune_reference(self, (LogicalCteReference *)node, wanted);
        break;
    case LOGICAL_INSERT:
    case LOGICAL_DELETE:
    case LOGICAL_CHANGE:
    case LOGICAL_DISTINCT: {
        LogicalNode *child;
        for (uint32_t i = 0; (child = logical_get_child(node, i)) != NULL; i++) {
            ColumnSet all = column_set_of_node(child, self->arena);
            prune(self, child, &all);
        }
        logical_refresh_columns(self->arena, node);
        break;
    }
    case LOGICAL_COPY:
    case LOGICAL_VACUUM:
        break;
    default:
        prune_passing(self, node, wanted);
        break;
    }
}

Status rule_column_prune(PlannerContext *context, LogicalNode **root)
{
    Pruner self = {.arena = context->arena};
    ColumnSet all = column_set_of_node(*root, context->arena);
    prune(&self, *root, &all);
    return STATUS_OK;
}
