/*
 * scope.c — which column a name means.
 *
 * A plain name is looked for among the items of the innermost query, then among the aliases its
 * select list has given so far (Redshift's lateral references), then in the enclosing queries. A
 * name of an enclosing query makes the subquery correlated; the enclosing scope remembers the use,
 * because grouping there must allow it.
 */
#include "planner/binder/binder_internal.h"

#include <stdlib.h>
#include <string.h>

void scope_init(Scope *scope, Scope *outer, CteBinding *ctes, const FromItem *from)
{
    *scope = (Scope){.outer = outer, .ctes = ctes, .clause = CLAUSE_SELECT};
    if (from != NULL) {
        scope->relations = from->relations;
        scope->items = from->items;
    }
}

ScopeRelation *scope_relation(Binder *binder, const LogicalNode *node, const char *name)
{
    ScopeRelation *relation = ARENA_NEW(binder->arena, ScopeRelation);
    relation->name = name;
    relation->position = node->position;
    relation->column_count = node->column_count;
    relation->columns = ARENA_ARRAY(binder->arena, ScopeColumn, node->column_count + 1);
    for (uint32_t i = 0; i < node->column_count; i++) {
        relation->columns[i].name = node->columns[i].name;
        relation->columns[i].expr = logical_column_expr(binder->arena, &node->columns[i]);
    }
    return relation;
}

// ---- hints: the name that was perhaps meant ----

#define NAME_BYTES_COMPARED 64
#define NAME_DISTANCE_MAX 3

// Levenshtein's distance of two short names; large when one is long.
static uint32_t name_distance(const char *left, const char *right)
{
    size_t rows = strlen(left), columns = strlen(right);
    if (rows >= NAME_BYTES_COMPARED || columns >= NAME_BYTES_COMPARED) {
        return NAME_BYTES_COMPARED;
    }
    uint32_t costs[NAME_BYTES_COMPARED];
    for (uint32_t j = 0; j <= columns; j++) {
        costs[j] = j;
    }
    for (size_t i = 1; i <= rows; i++) {
        uint32_t diagonal = costs[0];
        costs[0] = (uint32_t)i;
        for (size_t j = 1; j <= columns; j++) {
            uint32_t change = diagonal + (left[i - 1] == right[j - 1] ? 0 : 1);
            uint32_t insert = costs[j - 1] + 1, remove = costs[j] + 1;
            diagonal = costs[j];
            costs[j] = change < insert ? change : insert;
            costs[j] = costs[j] < remove ? costs[j] : remove;
        }
    }
    return costs[columns];
}

typedef struct Suggestion {
    const char *relation, *column;
    uint32_t distance;
} Suggestion;

static void suggest_from(Suggestion *best, const Scope *scope, const char *relation,
                         const char *name)
{
    for (uint32_t i = 0; i < scope->relations.count; i++) {
        const ScopeRelation *candidate = scope->relations.items[i];
        bool is_other = relation != NULL &&
                        (candidate->name == NULL || strcmp(candidate->name, relation) != 0);
        for (uint32_t j = 0; j < candidate->column_count; j++) {
            uint32_t distance = name_distance(name, candidate->columns[j].name) +
                                (is_other ? 1 : 0); // the right column of the wrong table
            if (distance < best->distance) {
                *best = (Suggestion){candidate->name, candidate->columns[j].name, distance};
            }
        }
    }
}

static Status with_suggestion(Status owned_status, const Scope *scope, const char *relation,
                              const char *name)
{
    // PostgreSQL's bounds: three letters wrong at most, and at least half of the name right
    uint32_t half = (uint32_t)strlen(name) / 2;
    Suggestion best = {.distance = (half < NAME_DISTANCE_MAX ? half : NAME_DISTANCE_MAX) + 1};
    for (; scope != NULL; scope = scope->outer) {
        suggest_from(&best, scope, relation, name);
    }
    if (best.column == NULL) {
        return owned_status;
    }
    return status_with_hint(owned_status, "Perhaps you meant to reference the column \"%s%s%s\".",
                            best.relation == NULL ? "" : best.relation,
                            best.relation == NULL ? "" : ".", best.column);
}

// ---- lookup ----

static Expr *use_column(Binder *binder, Scope *scope, bool is_outer, Expr *expr,
                        const char *relation, const char *name, int32_t position)
{
    bool is_checked = scope->clause == CLAUSE_SELECT || scope->clause == CLAUSE_HAVING ||
                      scope->clause == CLAUSE_QUALIFY || scope->clause == CLAUSE_ORDER_BY;
    if (is_outer && expr->kind == EXPR_COLUMN && is_checked) {
        OuterUse use = {.number = expr->column,
                        .position = position,
                        .relation = relation,
                        .name = name};
        AST_LIST_ADD(binder->arena, &scope->outer_uses, use);
    }
    Expr *used = arena_memdup(binder->arena, expr, sizeof(*expr));
    return expr_at(used, position);
}

static Status find_item(Binder *binder, Scope *scope, const AstExpr *ast, const char *name,
                        bool is_outer, Expr **out)
{
    const ScopeItem *found = NULL;
    for (uint32_t i = 0; i < scope->items.count; i++) {
        const ScopeItem *item = &scope->items.items[i];
        if (strcmp(item->name, name) != 0) {
            continue;
        }
        if (found != NULL) {
            return status_at(ast->position, SQLSTATE_AMBIGUOUS_COLUMN,
                             "column reference \"%s\" is ambiguous", name);
        }
        found = item;
    }
    if (found != NULL) {
        *out = use_column(binder, scope, is_outer, found->expr,
                          found->relation == NULL ? NULL : found->relation->name, name,
                          ast->position);
    }
    return STATUS_OK;
}

static bool find_lifted(void *object, const Expr *expr)
{
    const Expr **found = object;
    bool is_lifted = expr->kind == EXPR_AGGREGATE || expr->kind == EXPR_WINDOW;
    if (*found == NULL && is_lifted) {
        *found = expr;
    }
    return *found == NULL;
}

// An alias brings aggregates and windows along to where they could not have been written.
static Status check_alias(Clause clause, const Expr *expr, int32_t position)
{
    const Expr *found = NULL;
    expr_walk(expr, find_lifted, (void *)&found);
    bool is_inside = clause == CLAUSE_AGGREGATE || clause == CLAUSE_FILTER;
    if (found != NULL && is_inside) {
        return status_at(position, SQLSTATE_GROUPING_ERROR,
                         "aggregate function calls cannot contain aggregate or window function "
                         "calls");
    }
    if (found != NULL && found->kind == EXPR_WINDOW &&
        (clause == CLAUSE_HAVING || clause == CLAUSE_WINDOW)) {
        return status_at(position, SQLSTATE_WINDOWING_ERROR,
                         clause == CLAUSE_HAVING ? "window functions are not allowed in HAVING"
                                                 : "window function calls cannot be nested");
    }
    return STATUS_OK;
}

static Status find_alias(Binder *binder, const Scope *scope, const AstExpr *ast, const char *name,
                         Expr **out)
{
    const SelectItem *found = NULL;
    for (uint32_t i = 0; scope->aliases != NULL && i < scope->aliases->count; i++) {
        const SelectItem *item = &scope->aliases->items[i];
        if (item->alias == NULL || strcmp(item->alias, name) != 0) {
            continue;
        }
        if (found != NULL) {
            return status_at(ast->position, SQLSTATE_AMBIGUOUS_COLUMN,
                             "column reference \"%s\" is ambiguous", name);
        }
        found = item;
    }
    if (found == NULL) {
        return STATUS_OK;
    }
    TRY(check_alias(scope->clause, found->expr, ast->position));
    return bind_repeat(binder, found->expr, out);
}

static Status find_plain(Binder *binder, Scope *scope, const AstExpr *ast, Expr **out)
{
    const char *name = ast->names[0];
    Expr *found = NULL;
    for (Scope *at = scope; at != NULL && found == NULL; at = at->outer) {
        TRY(find_item(binder, at, ast, name, at != scope, &found));
        if (found == NULL && at == scope) {
            TRY(find_alias(binder, at, ast, name, &found));
        }
    }
    if (found == NULL) {
        Status status = status_at(ast->position, SQLSTATE_UNDEFINED_COLUMN,
                                  "column \"%s\" does not exist", name);
        return with_suggestion(status, scope, NULL, name);
    }
    *out = found;
    return STATUS_OK;
}

/* A column reference taken apart. */
typedef struct ColumnName {
    const char *schema, *relation, *column;
} ColumnName;

static Status split_name(Binder *binder, const AstExpr *ast, uint32_t part_count, ColumnName *out)
{
    uint32_t count = part_count;
    *out = (ColumnName){.column = count > 0 ? ast->names[count - 1] : NULL};
    out->relation = count > 1 ? ast->names[count - 2] : NULL;
    out->schema = count > 2 ? ast->names[count - 3] : NULL;
    if (count > 4) {
        return status_at(ast->position, SQLSTATE_SYNTAX_ERROR,
                         "improper qualified name (too many dotted names)");
    }
    const char *database = binder->catalog->current_database(binder->catalog->self);
    if (count == 4 && strcmp(ast->names[0], database) != 0) {
        return status_at(ast->position, SQLSTATE_FEATURE_NOT_SUPPORTED,
                         "cross-database references are not supported: \"%s\"", ast->names[0]);
    }
    return STATUS_OK;
}

static bool relation_matches(const ScopeRelation *relation, const ColumnName *name)
{
    if (relation->name == NULL || strcmp(relation->name, name->relation) != 0) {
        return false;
    }
    return name->schema == NULL ||
           (relation->schema != NULL && strcmp(relation->schema, name->schema) == 0);
}

static Status missing_relation(const Scope *scope, const AstExpr *ast, const ColumnName *name)
{
    for (; scope != NULL; scope = scope->outer) {
        for (uint32_t i = 0; i < scope->relations.count; i++) {
            const ScopeRelation *relation = scope->relations.items[i];
            if (relation->table_name != NULL && relation->name != NULL &&
                strcmp(relation->table_name, name->relation) == 0) {
                Status status =
                    status_at(ast->position, SQLSTATE_UNDEFINED_TABLE,
                              "invalid reference to FROM-clause entry for table \"%s\"",
                              name->relation);
                return status_with_hint(status,
                                        "Perhaps you meant to reference the table alias \"%s\".",
                                        relation->name);
            }
        }
    }
    return status_at(ast->position, SQLSTATE_UNDEFINED_TABLE,
                     "missing FROM-clause entry for table \"%s\"", name->relation);
}

// The relation that `name` calls, from the innermost scope outwards.
static Status find_relation(Scope *scope, const AstExpr *ast, const ColumnName *name,
                            Scope **found_scope, const ScopeRelation **out)
{
    for (Scope *at = scope; at != NULL; at = at->outer) {
        const ScopeRelation *found = NULL;
        for (uint32_t i = 0; i < at->relations.count; i++) {
            if (!relation_matches(at->relations.items[i], name)) {
                continue;
            }
            if (found != NULL) {
                return status_at(ast->position, SQLSTATE_AMBIGUOUS_ALIAS,
                                 "table reference \"%s\" is ambiguous", name->relation);
            }
            found = at->relations.items[i];
        }
        if (found != NULL) {
            *out = found;
            *found_scope = at;
            return STATUS_OK;
        }
    }
    return missing_relation(scope, ast, name);
}

static Status find_qualified(Binder *binder, Scope *scope, const AstExpr *ast, Expr **out)
{
    ColumnName name;
    Scope *found_scope = NULL;
    const ScopeRelation *relation = NULL;
    TRY(split_name(binder, ast, ast->name_count, &name));
    TRY(find_relation(scope, ast, &name, &found_scope, &relation));
    const ScopeColumn *found = NULL;
    for (uint32_t i = 0; i < relation->column_count; i++) {
        const ScopeColumn *column = &relation->columns[i];
        if (strcmp(column->name, name.column) != 0) {
            continue;
        }
        if (found != NULL) {
            return status_at(ast->position, SQLSTATE_AMBIGUOUS_COLUMN,
                             "column reference \"%s\" is ambiguous", name.column);
        }
        found = column;
    }
    if (found == NULL) {
        Status status = status_at(ast->position, SQLSTATE_UNDEFINED_COLUMN,
                                  "column %s.%s does not exist", name.relation, name.column);
        return with_suggestion(status, scope, name.relation, name.column);
    }
    *out = use_column(binder, found_scope, found_scope != scope, found->expr, relation->name,
                      name.column, ast->position);
    return STATUS_OK;
}

Status scope_find_column(Binder *binder, Scope *scope, const AstExpr *ast, Expr **out)
{
    return ast->name_count == 1 ? find_plain(binder, scope, ast, out)
                                : find_qualified(binder, scope, ast, out);
}

// ---- * ----

static bool is_excluded(const AstWordList *excluded, const char *name)
{
    for (uint32_t i = 0; excluded != NULL && i < excluded->count; i++) {
        if (strcmp(excluded->items[i].text, name) == 0) {
            return true;
        }
    }
    return false;
}

static Status check_excluded(const Scope *scope, const AstWordList *excluded)
{
    for (uint32_t i = 0; excluded != NULL && i < excluded->count; i++) {
        bool is_found = false;
        for (uint32_t j = 0; j < scope->items.count; j++) {
            is_found = is_found ||
                       strcmp(scope->items.items[j].name, excluded->items[i].text) == 0;
        }
        if (!is_found) {
            return status_at(excluded->items[i].position, SQLSTATE_UNDEFINED_COLUMN,
                             "column \"%s\" does not exist", excluded->items[i].text);
        }
    }
    return STATUS_OK;
}

Status scope_expand_star(Binder *binder, Scope *scope, const AstExpr *ast, ItemList *out)
{
    if (ast->name_count == 0) {
        if (scope->relations.count == 0) {
            return status_at(ast->position, SQLSTATE_SYNTAX_ERROR,
                             "SELECT * with no tables specified is not valid");
        }
        TRY(check_excluded(scope, ast->excluded));
        for (uint32_t i = 0; i < scope->items.count; i++) {
            if (!is_excluded(ast->excluded, scope->items.items[i].name)) {
                AST_LIST_ADD(binder->arena, out, scope->items.items[i]);
            }
        }
        return STATUS_OK;
    }
    ColumnName name = {0};
    const ScopeRelation *relation = NULL;
    Scope *found_scope = NULL;
    AstExpr qualifier = *ast; // a.b.* has the relation where a.b has the column
    TRY(split_name(binder, &qualifier, ast->name_count, &name));
    name = (ColumnName){.schema = name.relation, .relation = name.column};
    TRY(find_relation(scope, ast, &name, &found_scope, &relation));
    for (uint32_t i = 0; i < relation->column_count; i++) {
        Expr *expr = use_column(binder, found_scope, found_scope != scope,
                                relation->columns[i].expr, relation->name,
                                relation->columns[i].name, ast->position);
        ScopeItem item = {.name = relation->columns[i].name, .expr = expr, .relation = relation};
        AST_LIST_ADD(binder->arena, out, item);
    }
    return STATUS_OK;
}
