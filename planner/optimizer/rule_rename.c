/*
 * rule_rename.c — projects that only rename or drop columns go; a project over a project becomes
 * one where nothing is computed twice by that.
 *
 * A renamed column's number is replaced by the original's everywhere: numbers are unique in the
 * query, so the place does not matter. Projects that fix an order of columns stay (rule_fix_order).
 */
#include "planner/optimizer/rules.h"

typedef struct Renamer {
    Arena *arena;
    ColumnNumber *origins; /* by number; 0: stays */
    uint32_t count;
    ColumnSet kept; /* numbers that a grouping gives as its own, too: they stay */
} Renamer;

static bool is_rename(const Renamer *self, const LogicalNode *node)
{
    if (node->kind != LOGICAL_PROJECT) {
        return false;
    }
    for (uint32_t i = 0; i < node->column_count; i++) {
        const Expr *expr = ((const LogicalProject *)node)->exprs[i];
        ColumnNumber to = node->columns[i].number;
        if (expr->kind != EXPR_COLUMN || (expr->column != to && column_set_has(&self->kept, to))) {
            return false;
        }
    }
    return true;
}

/* A grouping may give a column of its input under that very number: DISTINCT does, and so does the
 * upper one of two levels whose lower one has the column as a key. */
static void note_kept(Renamer *self, const LogicalNode *node)
{
    const LogicalAggregate *aggregate = (const LogicalAggregate *)node;
    for (uint32_t i = 0; node->kind == LOGICAL_AGGREGATE && i < aggregate->key_count; i++) {
        column_set_add(&self->kept, node->columns[i].number, self->arena);
    }
    LogicalNode *child;
    for (uint32_t i = 0; (child = logical_get_child(node, i)) != NULL; i++) {
        note_kept(self, child);
    }
}

static bool is_positional(const LogicalNode *parent)
{
    return parent->kind == LOGICAL_SET || parent->kind == LOGICAL_INSERT ||
           parent->kind == LOGICAL_DELETE ||
           parent->kind == LOGICAL_CTE; // its child is the statement's result
}

static void note_renames(Renamer *self, const LogicalProject *project)
{
    for (uint32_t i = 0; i < project->node.column_count; i++) {
        ColumnNumber from = project->exprs[i]->column, to = project->node.columns[i].number;
        // Children come first: what `from` itself was renamed from is known.
        self->origins[to] = self->origins[from] != 0 ? self->origins[from] : from;
    }
}

/* Drops the renaming projects below `node`, noting what they rename. */
static void drop_below(Renamer *self, LogicalNode *node)
{
    LogicalNode *child;
    for (uint32_t i = 0; (child = logical_get_child(node, i)) != NULL; i++) {
        drop_below(self, child);
        child = logical_get_child(node, i);
        while (is_rename(self, child) && !is_positional(node)) {
            note_renames(self, (LogicalProject *)child);
            child = logical_get_child(child, 0);
        }
        logical_set_child(node, i, child);
    }
}

/* A project that computes something, too, gives the columns it passes on under their new numbers;
 * one that was passed on under two names, once. */
static void rename_passed(Renamer *self, LogicalProject *project)
{
    uint32_t kept = 0;
    LogicalColumn *columns = ARENA_ARRAY(self->arena, LogicalColumn, project->node.column_count);
    ColumnSet given = {0};
    for (uint32_t i = 0; i < project->node.column_count; i++) {
        LogicalColumn column = project->node.columns[i];
        ColumnNumber origin = self->origins[column.number];
        bool is_passed =
            project->exprs[i]->kind == EXPR_COLUMN && project->exprs[i]->column == column.number;
        column.number = is_passed && origin != 0 ? origin : column.number;
        if (!column_set_has(&given, column.number)) {
            column_set_add(&given, column.number, self->arena);
            project->exprs[kept] = project->exprs[i];
            columns[kept++] = column;
        }
    }
    project->node.columns = columns;
    project->node.column_count = kept;
}

static void rename_outputs(Renamer *self, LogicalNode *node, bool is_positional_child)
{
    if (node->kind == LOGICAL_PROJECT && !is_positional_child) {
        rename_passed(self, (LogicalProject *)node);
    }
    LogicalNode *child;
    for (uint32_t i = 0; (child = logical_get_child(node, i)) != NULL; i++) {
        rename_outputs(self, child, is_positional(node));
    }
}

static Expr *to_origin(void *object, const Expr *column)
{
    const Renamer *self = object;
    ColumnNumber origin = column->column < self->count ? self->origins[column->column] : 0;
    return origin == 0 || origin == column->column ? NULL
                                                   : expr_column(self->arena, origin, column->type);
}

static void refresh(Arena *arena, LogicalNode *node)
{
    LogicalNode *child;
    for (uint32_t i = 0; (child = logical_get_child(node, i)) != NULL; i++) {
        refresh(arena, child);
    }
    logical_refresh_columns(arena, node);
}

static bool count_use(void *object, const Expr *expr)
{
    uint32_t *uses = object;
    if (expr->kind == EXPR_COLUMN) {
        uses[expr->column]++;
    }
    return true;
}

static bool can_merge(Arena *arena, uint32_t numbers, const LogicalProject *outer,
                      const LogicalProject *inner)
{
    uint32_t *uses = ARENA_ARRAY(arena, uint32_t, numbers);
    for (uint32_t i = 0; i < outer->node.column_count; i++) {
        expr_walk(outer->exprs[i], count_use, uses);
    }
    for (uint32_t i = 0; i < inner->node.column_count; i++) {
        const Expr *expr = inner->exprs[i];
        bool is_free = expr->kind == EXPR_COLUMN || expr->kind == EXPR_CONSTANT;
        if (expr_is_volatile(expr) || (!is_free && uses[inner->node.columns[i].number] > 1)) {
            return false;
        }
    }
    return true;
}

static Expr *inner_expr(void *object, const Expr *column)
{
    const LogicalProject *inner = object;
    for (uint32_t i = 0; i < inner->node.column_count; i++) {
        if (inner->node.columns[i].number == column->column) {
            return inner->exprs[i];
        }
    }
    return NULL;
}

static void merge_projects(PlannerContext *context, LogicalNode *node)
{
    while (node->kind == LOGICAL_PROJECT &&
           ((LogicalProject *)node)->child->kind == LOGICAL_PROJECT) {
        LogicalProject *outer = (LogicalProject *)node;
        LogicalProject *inner = (LogicalProject *)outer->child;
        if (!can_merge(context->arena, context->next_column, outer, inner)) {
            break;
        }
        for (uint32_t i = 0; i < node->column_count; i++) {
            outer->exprs[i] =
                expr_replace_columns(context->arena, outer->exprs[i], inner_expr, inner);
        }
        outer->child = inner->child;
    }
    LogicalNode *child;
    for (uint32_t i = 0; (child = logical_get_child(node, i)) != NULL; i++) {
        merge_projects(context, child);
    }
}

Status rule_rename(PlannerContext *context, LogicalNode **root)
{
    Renamer self = {.arena = context->arena, .count = context->next_column};
    self.origins = ARENA_ARRAY(context->arena, ColumnNumber, self.count);
    note_kept(&self, *root);
    drop_below(&self, *root);
    rename_outputs(&self, *root, true);
    logical_replace_columns(context->arena, *root, to_origin, &self);
    refresh(context->arena, *root);
    merge_projects(context, *root);
    return STATUS_OK;
}
