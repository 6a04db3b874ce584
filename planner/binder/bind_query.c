/*
 * bind_query.c — query expressions: WITH, set operations, VALUES, ORDER BY and LIMIT over them.
 *
 * A chain of UNIONs of one kind becomes a balanced tree, so that a thousand branches are ten
 * levels deep:  a UNION b UNION c UNION d  ->  (a UNION ALL b) UNION (c UNION ALL d)
 */
#include "planner/binder/binder_internal.h"

#include <stdlib.h>
#include <string.h>

// ---- nodes ----

LogicalNode *values_make(Binder *binder, uint32_t row_count, Expr **cells, uint32_t column_count,
                         LogicalColumn *columns)
{
    LogicalValues *values = ARENA_NEW(binder->arena, LogicalValues);
    values->node = (LogicalNode){.kind = LOGICAL_VALUES,
                                 .position = POSITION_NONE,
                                 .column_count = column_count,
                                 .columns = columns,
                                 .rows = -1};
    values->row_count = row_count;
    values->cells = cells;
    return &values->node;
}

LogicalNode *sort_make(Binder *binder, LogicalNode *child, uint32_t count, LogicalSortKey *keys)
{
    LogicalSort *sort = ARENA_NEW(binder->arena, LogicalSort);
    sort->node = (LogicalNode){.kind = LOGICAL_SORT, .position = POSITION_NONE, .rows = -1};
    sort->child = child;
    sort->key_count = count;
    sort->keys = keys;
    logical_refresh_columns(binder->arena, &sort->node);
    return &sort->node;
}

// ---- ORDER BY, LIMIT ----

LogicalSortKey sort_key_make(const AstSortKey *ast, Expr *expr)
{
    bool is_nulls_first = ast->nulls == AST_NULLS_DEFAULT ? ast->is_descending
                                                          : ast->nulls == AST_NULLS_FIRST;
    return (LogicalSortKey){
        .expr = expr, .is_descending = ast->is_descending, .is_nulls_first = is_nulls_first};
}

Status bind_sort(Binder *binder, Scope *scope, const AstSortList *order, LogicalSortKey **out)
{
    LogicalSortKey *keys = ARENA_ARRAY(binder->arena, LogicalSortKey, order->count + 1);
    for (uint32_t i = 0; i < order->count; i++) {
        Expr *expr = NULL;
        TRY(bind_expr(binder, scope, order->items[i].expr, &expr));
        TRY(coerce_unknown(binder, expr, &expr));
        keys[i] = sort_key_make(&order->items[i], expr);
    }
    *out = keys;
    return STATUS_OK;
}

Status bind_position(const AstExpr *ast, const char *clause, uint32_t column_count,
                     bool *is_position, uint32_t *index)
{
    *is_position = ast->kind == AST_NUMBER && strpbrk(ast->text, ".eE") == NULL;
    if (!*is_position && (ast->kind == AST_NUMBER || ast->kind == AST_STRING)) {
        return status_at(ast->position, SQLSTATE_SYNTAX_ERROR, "non-integer constant in %s",
                         clause);
    }
    if (!*is_position) {
        return STATUS_OK;
    }
    long position = strtol(ast->text, NULL, 10);
    if (position < 1 || position > (long)column_count) {
        return status_at(ast->position, SQLSTATE_INVALID_COLUMN_REFERENCE,
                         "%s position %s is not in select list", clause, ast->text);
    }
    *index = (uint32_t)(position - 1);
    return STATUS_OK;
}

// ORDER BY over a finished result: positions, its column names, expressions of those.
static Status order_output(Binder *binder, Scope *outer, CteBinding *ctes,
                           const AstSortList *order, LogicalNode **node)
{
    FromItem item = {.node = *node};
    ScopeRelation *relation = scope_relation(binder, *node, NULL);
    AST_LIST_ADD(binder->arena, &item.relations, relation);
    for (uint32_t i = 0; i < relation->column_count; i++) {
        ScopeItem column = {.name = relation->columns[i].name,
                            .expr = relation->columns[i].expr,
                            .relation = relation};
        AST_LIST_ADD(binder->arena, &item.items, column);
    }
    Scope scope;
    scope_init(&scope, outer, ctes, &item);
    scope.clause = CLAUSE_LIMIT; // neither aggregates nor windows
    LogicalSortKey *keys = ARENA_ARRAY(binder->arena, LogicalSortKey, order->count);
    for (uint32_t i = 0; i < order->count; i++) {
        const AstExpr *ast = order->items[i].expr;
        bool is_position = false;
        uint32_t index = 0;
        Expr *expr = NULL;
        TRY(bind_position(ast, "ORDER BY", (*node)->column_count, &is_position, &index));
        if (is_position) {
            expr = logical_column_expr(binder->arena, &(*node)->columns[index]);
        } else {
            TRY(bind_expr(binder, &scope, ast, &expr));
        }
        keys[i] = sort_key_make(&order->items[i], expr);
    }
    *node = sort_make(binder, *node, order->count, keys);
    return STATUS_OK;
}

// LIMIT or OFFSET as a number; `*out` stays when it is NULL or only described.
static Status bind_row_count(Binder *binder, const AstExpr *ast, const char *clause,
                             SqlState state, uint64_t *out)
{
    Scope scope;
    Expr *expr = NULL;
    if (ast == NULL) {
        return STATUS_OK;
    }
    scope_init(&scope, NULL, NULL, NULL);
    scope.clause = CLAUSE_LIMIT;
    TRY(bind_expr(binder, &scope, ast, &expr));
    if (!is_unknown(expr) && !type_is_numeric(expr->type)) {
        return status_at(ast->position, SQLSTATE_DATATYPE_MISMATCH,
                         "argument of %s must be type bigint, not type %s", clause,
                         type_name(expr->type));
    }
    TRY(coerce(binder, expr, type_of(TYPE_BIGINT), CAST_ASSIGNMENT, &expr));
    if (expr->kind == EXPR_PARAMETER) {
        return STATUS_OK;
    }
    if (!is_constant(expr)) {
        return status_at(ast->position, SQLSTATE_FEATURE_NOT_SUPPORTED,
                         "the argument of %s must be a constant", clause);
    }
    if (!expr->constant.is_null && expr->constant.i64 < 0) {
        return status_at(ast->position, state, "%s must not be negative", clause);
    }
    if (!expr->constant.is_null) {
        *out = (uint64_t)expr->constant.i64;
    }
    return STATUS_OK;
}

Status bind_limit(Binder *binder, const AstQuery *query, const AstExpr *top, LogicalNode **node)
{
    uint64_t limit = PLAN_NO_LIMIT, offset = 0;
    if (top != NULL && query->limit != NULL) {
        return status_at(query->limit->position, SQLSTATE_SYNTAX_ERROR,
                         "TOP and LIMIT cannot be used together");
    }
    TRY(bind_row_count(binder, top, "TOP", SQLSTATE_INVALID_ROW_COUNT_IN_LIMIT, &limit));
    TRY(bind_row_count(binder, query->limit, "LIMIT", SQLSTATE_INVALID_ROW_COUNT_IN_LIMIT,
                       &limit));
    TRY(bind_row_count(binder, query->offset, "OFFSET", SQLSTATE_INVALID_ROW_COUNT_IN_OFFSET,
                       &offset));
    if (limit != PLAN_NO_LIMIT || offset > 0) {
        *node = logical_limit(binder->arena, *node, limit, offset);
    }
    return STATUS_OK;
}

// ---- VALUES ----

static Status bind_values(Binder *binder, Scope *outer, CteBinding *ctes, const AstQuery *query,
                          LogicalNode **out)
{
    const AstRowList *rows = &query->values;
    uint32_t width = rows->items[0].count;
    Expr **cells = ARENA_ARRAY(binder->arena, Expr *, (size_t)rows->count * width);
    Scope scope;
    scope_init(&scope, outer, ctes, NULL);
    scope.clause = CLAUSE_VALUES;
    for (uint32_t i = 0; i < rows->count; i++) {
        if (rows->items[i].count != width) {
            return status_at(rows->items[i].items[0]->position, SQLSTATE_SYNTAX_ERROR,
                             "VALUES lists must all be the same length");
        }
        for (uint32_t j = 0; j < width; j++) {
            TRY(bind_expr(binder, &scope, rows->items[i].items[j], &cells[i * width + j]));
        }
    }
    LogicalColumn *columns = ARENA_ARRAY(binder->arena, LogicalColumn, width);
    Expr **column = ARENA_ARRAY(binder->arena, Expr *, rows->count);
    for (uint32_t j = 0; j < width; j++) {
        for (uint32_t i = 0; i < rows->count; i++) {
            column[i] = cells[i * width + j];
        }
        columns[j] = (LogicalColumn){.number = planner_new_column(binder->context),
                                     .name = arena_printf(binder->arena, "column%u", j + 1),
                                     .is_nullable = true};
        TRY(coerce_common(binder, rows->count, column, "VALUES", &columns[j].type));
        for (uint32_t i = 0; i < rows->count; i++) {
            cells[i * width + j] = column[i];
        }
    }
    *out = values_make(binder, rows->count, cells, width, columns);
    return STATUS_OK;
}

// ---- output types ----

// A project's expressions are coerced where they stand: so a literal is still one.
static Status coerce_project(Binder *binder, LogicalProject *project, const Type *types,
                             CastLevel level)
{
    for (uint32_t i = 0; i < project->node.column_count; i++) {
        LogicalColumn *column = &project->node.columns[i];
        if (!type_equal(column->type, types[i])) {
            TRY(coerce(binder, project->exprs[i], types[i], level, &project->exprs[i]));
            *column = (LogicalColumn){.number = planner_new_column(binder->context),
                                      .name = column->name,
                                      .type = types[i],
                                      .is_nullable = column->is_nullable};
        }
    }
    return STATUS_OK;
}

Status query_coerce(Binder *binder, LogicalNode **node, const Type *types, CastLevel level)
{
    LogicalNode *child = *node;
    bool is_same = true;
    for (uint32_t i = 0; i < child->column_count; i++) {
        is_same = is_same && type_equal(child->columns[i].type, types[i]);
    }
    if (is_same) {
        return STATUS_OK;
    }
    if (child->kind == LOGICAL_PROJECT) {
        return coerce_project(binder, (LogicalProject *)child, types, level);
    }
    uint32_t count = child->column_count;
    Expr **exprs = ARENA_ARRAY(binder->arena, Expr *, count);
    LogicalColumn *columns = ARENA_ARRAY(binder->arena, LogicalColumn, count);
    for (uint32_t i = 0; i < count; i++) {
        exprs[i] = logical_column_expr(binder->arena, &child->columns[i]);
        columns[i] = child->columns[i];
    }
    LogicalNode *project = logical_project(binder->arena, child, count, exprs, columns);
    *node = project;
    return coerce_project(binder, (LogicalProject *)project, types, level);
}

// ---- set operations ----

typedef struct SetOperation {
    Binder *binder;
    const AstQuery *ast;
    const char *name;
    PointerList asts;           /* AstQuery, left to right */
    LogicalNode **branches;
    Type *types;                /* of the result's columns */
} SetOperation;

static bool continues_chain(const AstQuery *ast, const AstQuery *query)
{
    bool is_bare = query->with == NULL && query->order.count == 0 && query->limit == NULL &&
                   query->offset == NULL;
    return is_bare && query->kind == AST_QUERY_SET && query->set == AST_SET_UNION &&
           ast->set == AST_SET_UNION && query->is_all == ast->is_all;
}

static void collect_branches(SetOperation *set)
{
    PointerList reversed = {0};
    const AstQuery *at = set->ast;
    do {
        pointer_list_add(set->binder->arena, &reversed, at->right);
        at = at->left;
    } while (continues_chain(set->ast, at));
    pointer_list_add(set->binder->arena, &set->asts, (void *)(uintptr_t)at);
    for (uint32_t i = reversed.count; i-- > 0;) {
        pointer_list_add(set->binder->arena, &set->asts, reversed.items[i]);
    }
}

// Where a branch's output begins: its first item.
static int32_t output_position(const AstQuery *ast)
{
    while (ast->kind == AST_QUERY_SET) {
        ast = ast->left;
    }
    return ast->kind == AST_QUERY_SELECT ? ast->select->items.items[0].expr->position
                                         : ast->values.items[0].items[0]->position;
}

static Status bind_branches(SetOperation *set, Scope *outer, CteBinding *ctes)
{
    uint32_t count = set->asts.count;
    set->branches = ARENA_ARRAY(set->binder->arena, LogicalNode *, count);
    for (uint32_t i = 0; i < count; i++) {
        const AstQuery *ast = set->asts.items[i];
        TRY(bind_query(set->binder, outer, ctes, ast, true, &set->branches[i]));
        if (set->branches[i]->column_count != set->branches[0]->column_count) {
            return status_at(output_position(ast), SQLSTATE_SYNTAX_ERROR,
                             "each %s query must have the same number of columns", set->name);
        }
    }
    return STATUS_OK;
}

static Status unify_branches(SetOperation *set)
{
    uint32_t width = set->branches[0]->column_count;
    set->types = ARENA_ARRAY(set->binder->arena, Type, width + 1);
    for (uint32_t j = 0; j < width; j++) {
        Type type = type_of(TYPE_UNKNOWN);
        for (uint32_t i = 0; i < set->asts.count; i++) {
            Type merged, column = set->branches[i]->columns[j].type;
            if (!common_type_of_two(type, column, &merged)) {
                const AstQuery *ast = set->asts.items[i];
                return status_at(output_position(ast), SQLSTATE_DATATYPE_MISMATCH,
                                 "%s types %s and %s cannot be matched", set->name,
                                 type_name(type), type_name(column));
            }
            // a literal may be longer than the columns it meets
            bool has_literal = type_is_text(merged) && column.id == TYPE_UNKNOWN && i > 0;
            bool had_literal = type_is_text(merged) && type.id == TYPE_UNKNOWN && i > 0;
            type = has_literal || had_literal ? type_varchar(0) : merged;
        }
        set->types[j] = type.id == TYPE_UNKNOWN ? type_varchar(0) : type;
    }
    for (uint32_t i = 0; i < set->asts.count; i++) {
        TRY(query_coerce(set->binder, &set->branches[i], set->types, CAST_IMPLICIT));
    }
    return STATUS_OK;
}

static LogicalNode *combine(SetOperation *set, uint32_t first, uint32_t count, SetKind kind)
{
    if (count == 1) {
        return set->branches[first];
    }
    // duplicates between the halves go at the top, those inside a half with them
    SetKind inner = kind == SET_UNION ? SET_UNION_ALL : kind;
    LogicalNode *left = combine(set, first, count / 2, inner);
    LogicalNode *right = combine(set, first + count / 2, count - count / 2, inner);
    uint32_t width = left->column_count;
    LogicalColumn *columns = ARENA_ARRAY(set->binder->arena, LogicalColumn, width + 1);
    for (uint32_t j = 0; j < width; j++) {
        columns[j] = (LogicalColumn){
            .number = planner_new_column(set->binder->context),
            .name = left->columns[j].name,
            .type = set->types[j],
            .is_nullable = left->columns[j].is_nullable || right->columns[j].is_nullable};
    }
    return logical_set(set->binder->arena, kind, left, right, columns);
}

static Status bind_set_operation(Binder *binder, Scope *outer, CteBinding *ctes,
                                 const AstQuery *query, LogicalNode **out)
{
    static const char *const names[] = {[AST_SET_UNION] = "UNION",
                                        [AST_SET_INTERSECT] = "INTERSECT",
                                        [AST_SET_EXCEPT] = "EXCEPT"};
    SetOperation set = {.binder = binder, .ast = query, .name = names[query->set]};
    if (query->set != AST_SET_UNION && query->is_all) {
        return status_at(query->position, SQLSTATE_FEATURE_NOT_SUPPORTED,
                         "%s ALL is not supported yet", set.name);
    }
    SetKind kind = query->set == AST_SET_INTERSECT ? SET_INTERSECT
                   : query->set == AST_SET_EXCEPT  ? SET_EXCEPT
                   : query->is_all                 ? SET_UNION_ALL
                                                   : SET_UNION;
    collect_branches(&set);
    TRY(bind_branches(&set, outer, ctes));
    TRY(unify_branches(&set));
    *out = combine(&set, 0, set.asts.count, kind);
    return STATUS_OK;
}

// ---- WITH ----

static Status bind_cte(Binder *binder, Scope *outer, const AstWith *with, const AstCte *ast,
                       CteBinding **ctes)
{
    CteBinding *cte = ARENA_NEW(binder->arena, CteBinding);
    *cte = (CteBinding){.name = ast->name, .ast = ast, .outer = *ctes};
    LogicalNode *definition = NULL;
    // without RECURSIVE the name means, inside its own definition, whatever it meant before
    TRY(bind_query(binder, outer, with->is_recursive ? cte : *ctes, ast->query, false,
                   &definition));
    if (ast->columns != NULL && ast->columns->count > definition->column_count) {
        return status_at(ast->position, SQLSTATE_INVALID_COLUMN_REFERENCE,
                         "WITH query \"%s\" has %u columns available but %u columns specified",
                         ast->name, definition->column_count, ast->columns->count);
    }
    cte->definition = definition;
    cte->cte_id = binder->context->next_cte++;
    *ctes = cte;
    return STATUS_OK;
}

Status bind_with(Binder *binder, Scope *outer, const AstWith *with, CteBinding **ctes)
{
    for (uint32_t i = 0; with != NULL && i < with->ctes.count; i++) {
        for (uint32_t j = 0; j < i; j++) {
            if (strcmp(with->ctes.items[i].name, with->ctes.items[j].name) == 0) {
                return status_at(with->ctes.items[i].position, SQLSTATE_DUPLICATE_ALIAS,
                                 "WITH query name \"%s\" specified more than once",
                                 with->ctes.items[i].name);
            }
        }
        TRY(bind_cte(binder, outer, with, &with->ctes.items[i], ctes));
    }
    return STATUS_OK;
}

// The first definition becomes the outermost: later ones may name it.
LogicalNode *wrap_ctes(Binder *binder, const CteBinding *cte, const CteBinding *outer,
                       LogicalNode *node)
{
    for (; cte != outer; cte = cte->outer) {
        if (cte->use_count > 0) {
            node = logical_cte(binder->arena, cte->cte_id, cte->name, cte->definition, node);
        }
    }
    return node;
}

static Status bind_body(Binder *binder, Scope *outer, CteBinding *ctes, const AstQuery *query,
                        bool keeps_unknown, LogicalNode **out)
{
    if (query->kind == AST_QUERY_SELECT) {
        return bind_select(binder, outer, ctes, query, keeps_unknown, out);
    }
    if (query->kind == AST_QUERY_VALUES) {
        TRY(bind_values(binder, outer, ctes, query, out));
    } else {
        TRY(bind_set_operation(binder, outer, ctes, query, out));
    }
    if (query->order.count > 0) {
        TRY(order_output(binder, outer, ctes, &query->order, out));
    }
    return bind_limit(binder, query, NULL, out);
}

Status bind_query(Binder *binder, Scope *outer, CteBinding *ctes, const AstQuery *query,
                  bool keeps_unknown, LogicalNode **out)
{
    CteBinding *inner = ctes;
    LogicalNode *node = NULL;
    TRY(binder_enter(binder, BIND_QUERY_DEPTH, query->position));
    Status status = bind_with(binder, outer, query->with, &inner);
    if (status == STATUS_OK) {
        status = bind_body(binder, outer, inner, query, keeps_unknown && query->with == NULL,
                           &node);
    }
    binder_leave(binder, BIND_QUERY_DEPTH);
    TRY(status);
    *out = wrap_ctes(binder, inner, ctes, node);
    return STATUS_OK;
}
