/*
 * bind_select.c — one SELECT block.
 *
 * Names are resolved in the order a reader would: FROM, WHERE, the select list, GROUP BY, HAVING,
 * QUALIFY, ORDER BY. Then the tree grows from the bottom:
 *
 *   FROM -> filter (WHERE) -> aggregate -> filter (HAVING) -> windows -> filter (QUALIFY)
 *        -> project -> distinct -> sort -> limit -> project without the columns only sorted by
 */
#include "planner/binder/binder_internal.h"

#include <string.h>

typedef struct Select {
    Binder *binder;
    const AstQuery *query;
    const AstSelect *ast;
    Scope scope;
    LogicalNode *node;
    SelectItemList items;        /* the select list, then columns only for ORDER BY */
    uint32_t visible_count;
    SelectItemList aliases;      /* the select list alone, for ORDER BY */
    Expr *having, *qualify;
    bool is_grouped;
    PointerList keys;            /* Expr: GROUP BY */
    uint32_t set_count;          /* GROUPING SETS; 0: one set of all keys */
    uint64_t *sets;
    uint32_t sort_count;
    uint32_t *sort_items;        /* index into items per ORDER BY key */
} Select;

// ---- names of output columns ----

static const char *last_name(const AstExpr *ast)
{
    return ast->names[ast->name_count - 1];
}

// Types as pg_type calls them: a cast literal's column is named so.
static const char *catalog_type_name(const char *name)
{
    static const char *const names[][2] = {
        {"int", "int4"},       {"integer", "int4"},          {"smallint", "int2"},
        {"bigint", "int8"},    {"real", "float4"},           {"double precision", "float8"},
        {"float", "float8"},   {"decimal", "numeric"},       {"dec", "numeric"},
        {"boolean", "bool"},   {"character varying", "varchar"}, {"character", "bpchar"},
    };
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (strcmp(names[i][0], name) == 0) {
            return names[i][1];
        }
    }
    return name;
}

// What PostgreSQL calls a column that has no name of its own.
static const char *figure_name(const AstExpr *ast)
{
    switch ((AstExprKind)ast->kind) {
    case AST_COLUMN:
        return last_name(ast);
    case AST_CALL:
        return ast->call->is_special_form ? "position" : ast->call->name;
    case AST_CAST: {
        const AstExpr *inner = ast->args[0];
        bool is_named = inner->kind == AST_COLUMN || inner->kind == AST_CALL ||
                        inner->kind == AST_CAST;
        return is_named ? figure_name(inner) : catalog_type_name(ast->type->name);
    }
    case AST_TYPED_LITERAL:
        return catalog_type_name(ast->type->name);
    case AST_CASE:
        return "case";
    case AST_EXISTS:
        return "exists";
    case AST_COLLATE:
    case AST_SUBSCRIPT:
        return figure_name(ast->args[0]);
    case AST_ARRAY_QUERY:
        return "array";
    case AST_ROW:
        return "row";
    default:
        return "?column?";
    }
}

static const char *item_name(const AstSelectItem *ast, const Expr *expr)
{
    if (ast->alias != NULL) {
        return ast->alias;
    }
    if (ast->expr->kind == AST_SUBQUERY && expr->kind == EXPR_SUBQUERY) {
        return expr->subquery.plan->columns[0].name; // a scalar subquery lends its column's name
    }
    return figure_name(ast->expr);
}

// ---- the select list ----

static Status add_star(Select *select, const AstExpr *star)
{
    ItemList items = {0};
    TRY(scope_expand_star(select->binder, &select->scope, star, &items));
    for (uint32_t i = 0; i < items.count; i++) {
        Expr *expr = arena_memdup(select->binder->arena, items.items[i].expr, sizeof(Expr));
        SelectItem item = {.expr = expr_at(expr, star->position),
                           .name = items.items[i].name,
                           .position = star->position};
        AST_LIST_ADD(select->binder->arena, &select->items, item);
    }
    return STATUS_OK;
}

static Status bind_items(Select *select, bool keeps_unknown)
{
    const AstSelectList *list = &select->ast->items;
    select->scope.clause = CLAUSE_SELECT;
    select->scope.aliases = &select->items;
    for (uint32_t i = 0; i < list->count; i++) {
        const AstSelectItem *ast = &list->items[i];
        Expr *expr = NULL;
        if (ast->expr->kind == AST_STAR) {
            TRY(add_star(select, ast->expr));
            continue;
        }
        TRY(bind_expr(select->binder, &select->scope, ast->expr, &expr));
        if (!keeps_unknown) {
            TRY(coerce_unknown(select->binder, expr, &expr));
        }
        SelectItem item = {.expr = expr,
                           .name = item_name(ast, expr),
                           .alias = ast->alias,
                           .position = ast->expr->position};
        AST_LIST_ADD(select->binder->arena, &select->items, item);
    }
    select->visible_count = select->items.count;
    return STATUS_OK;
}

// ---- GROUP BY ----

static bool find_aggregate(void *object, const Expr *expr)
{
    const Expr **found = object;
    if (*found == NULL && (expr->kind == EXPR_AGGREGATE || expr->kind == EXPR_WINDOW)) {
        *found = expr;
    }
    return *found == NULL;
}

static Status add_key(Select *select, Expr *key, uint32_t *index)
{
    const Expr *found = NULL;
    expr_walk(key, find_aggregate, (void *)&found);
    if (found != NULL) {
        bool is_window = found->kind == EXPR_WINDOW;
        return status_at(found->position,
                         is_window ? SQLSTATE_WINDOWING_ERROR : SQLSTATE_GROUPING_ERROR,
                         "%s functions are not allowed in GROUP BY",
                         is_window ? "window" : "aggregate");
    }
    for (*index = 0; *index < select->keys.count; (*index)++) {
        if (expr_equal(select->keys.items[*index], key)) {
            return STATUS_OK;
        }
    }
    pointer_list_add(select->binder->arena, &select->keys, key);
    return STATUS_OK;
}

// A plain name: a column of FROM first, then an alias of the select list (the scope's order).
static Status bind_key(void *self, const AstExpr *ast, uint32_t *index)
{
    Select *select = self;
    bool is_position = false;
    uint32_t position = 0;
    Expr *key = NULL;
    TRY(bind_position(ast, "GROUP BY", select->visible_count, &is_position, &position));
    if (is_position) {
        return add_key(select, select->items.items[position].expr, index);
    }
    TRY(bind_expr(select->binder, &select->scope, ast, &key));
    TRY(coerce_unknown(select->binder, key, &key));
    return add_key(select, key, index);
}

static Status group_all(Select *select)
{
    for (uint32_t i = 0; i < select->visible_count; i++) {
        const Expr *found = NULL;
        uint32_t index;
        expr_walk(select->items.items[i].expr, find_aggregate, (void *)&found);
        if (found == NULL) {
            TRY(add_key(select, select->items.items[i].expr, &index));
        }
    }
    return STATUS_OK;
}

static Status bind_group(Select *select)
{
    const AstGroupList *group = &select->ast->group;
    GroupKeySource source = {.self = select, .add_key = bind_key};
    bool has_sets = false;
    select->scope.clause = CLAUSE_GROUP_BY;
    select->is_grouped = group->count > 0 || select->ast->is_group_all;
    if (select->ast->is_group_all) {
        return group_all(select);
    }
    for (uint32_t i = 0; i < group->count; i++) {
        has_sets = has_sets || group->items[i].kind > AST_GROUP_EMPTY;
    }
    for (uint32_t i = 0; i < group->count && !has_sets; i++) {
        const AstExpr *ast = group->items[i].expr;
        bool is_row = ast != NULL && ast->kind == AST_ROW;
        for (uint32_t j = 0; ast != NULL && j < (is_row ? ast->arg_count : 1); j++) {
            uint32_t index;
            TRY(bind_key(select, is_row ? ast->args[j] : ast, &index));
        }
    }
    return has_sets ? grouping_sets_expand(select->binder, group, &source, &select->set_count,
                                           &select->sets)
                    : STATUS_OK;
}

// ---- ORDER BY ----

// The output column that a plain name means, if one does; two different ones are ambiguous.
static Status find_output(const Select *select, const AstExpr *ast, bool *is_found,
                          uint32_t *index)
{
    *is_found = false;
    if (ast->kind != AST_COLUMN || ast->name_count != 1) {
        return STATUS_OK;
    }
    for (uint32_t i = 0; i < select->visible_count; i++) {
        const SelectItem *item = &select->items.items[i];
        if (strcmp(item->name, ast->names[0]) != 0) {
            continue;
        }
        if (*is_found && !expr_equal(select->items.items[*index].expr, item->expr)) {
            return status_at(ast->position, SQLSTATE_AMBIGUOUS_COLUMN,
                             "ORDER BY \"%s\" is ambiguous", ast->names[0]);
        }
        if (!*is_found) {
            *is_found = true;
            *index = i;
        }
    }
    return STATUS_OK;
}

// Index of the item with this expression; a new hidden one when the select list has it not.
static Status item_of(Select *select, Expr *expr, int32_t position, uint32_t *index)
{
    for (uint32_t i = 0; i < select->items.count; i++) {
        if (expr_equal(select->items.items[i].expr, expr)) {
            *index = i;
            return STATUS_OK;
        }
    }
    if (select->ast->is_distinct) {
        return status_at(position, SQLSTATE_INVALID_COLUMN_REFERENCE,
                         "for SELECT DISTINCT, ORDER BY expressions must appear in select list");
    }
    SelectItem item = {.expr = expr, .name = "sort", .position = position};
    *index = select->items.count;
    AST_LIST_ADD(select->binder->arena, &select->items, item);
    return STATUS_OK;
}

static Status bind_order(Select *select)
{
    const AstSortList *order = &select->query->order;
    select->aliases = select->items; // hidden items that are added later have no alias
    select->sort_count = order->count;
    select->sort_items = ARENA_ARRAY(select->binder->arena, uint32_t, order->count + 1);
    select->scope.clause = CLAUSE_ORDER_BY;
    select->scope.aliases = &select->aliases;
    for (uint32_t i = 0; i < order->count; i++) {
        const AstExpr *ast = order->items[i].expr;
        uint32_t *index = &select->sort_items[i];
        bool is_found = false;
        Expr *expr = NULL;
        TRY(bind_position(ast, "ORDER BY", select->visible_count, &is_found, index));
        if (!is_found) {
            TRY(find_output(select, ast, &is_found, index));
        }
        if (!is_found) {
            TRY(bind_expr(select->binder, &select->scope, ast, &expr));
            TRY(coerce_unknown(select->binder, expr, &expr));
            TRY(item_of(select, expr, ast->position, index));
        }
    }
    return STATUS_OK;
}

// ---- building ----

// Places of all expressions above the grouping; `having` last.
static Expr ***expression_places(Select *select, uint32_t *count)
{
    *count = select->items.count + 2;
    Expr ***places = ARENA_ARRAY(select->binder->arena, Expr **, *count);
    for (uint32_t i = 0; i < select->items.count; i++) {
        places[i] = &select->items.items[i].expr;
    }
    places[*count - 2] = &select->qualify;
    places[*count - 1] = &select->having;
    return places;
}

static Status build_groups(Select *select)
{
    Grouping grouping = {.key_count = select->keys.count,
                         .keys = (Expr **)select->keys.items,
                         .set_count = select->set_count,
                         .sets = select->sets};
    uint32_t count = 0;
    Expr ***places = expression_places(select, &count);
    if (select->is_grouped || select->scope.has_aggregates || select->ast->having != NULL) {
        TRY(lift_aggregates(select->binder, &select->scope, &grouping, &select->node, count,
                            places));
    }
    select->node = logical_filter(select->binder->arena, select->node, select->having);
    if (select->scope.has_windows) {
        TRY(lift_windows(select->binder, &select->node, count - 1, places));
    }
    return STATUS_OK;
}

static bool gives_column(const LogicalColumn *columns, uint32_t count, ColumnNumber number)
{
    for (uint32_t i = 0; i < count; i++) {
        if (columns[i].number == number) {
            return true;
        }
    }
    return false;
}

// Columns that are only passed on keep their number, so that later rules see through the project.
static void build_project(Select *select)
{
    uint32_t count = select->items.count;
    Arena *arena = select->binder->arena;
    Expr **exprs = ARENA_ARRAY(arena, Expr *, count + 1);
    LogicalColumn *columns = ARENA_ARRAY(arena, LogicalColumn, count + 1);
    for (uint32_t i = 0; i < count; i++) {
        const SelectItem *item = &select->items.items[i];
        bool is_passed = item->expr->kind == EXPR_COLUMN &&
                         logical_find_column(select->node, item->expr->column) != NULL &&
                         !gives_column(columns, i, item->expr->column);
        ColumnNumber number =
            is_passed ? item->expr->column : planner_new_column(select->binder->context);
        exprs[i] = item->expr;
        columns[i] = logical_column(number, item->name, item->expr, select->node);
    }
    select->node = logical_project(arena, select->node, count, exprs, columns);
    select->node->position = select->query->position;
}

static void build_sort(Select *select)
{
    Arena *arena = select->binder->arena;
    LogicalSortKey *keys = ARENA_ARRAY(arena, LogicalSortKey, select->sort_count);
    for (uint32_t i = 0; i < select->sort_count; i++) {
        const LogicalColumn *column = &select->node->columns[select->sort_items[i]];
        keys[i] = sort_key_make(&select->query->order.items[i],
                                logical_column_expr(arena, column));
    }
    select->node = sort_make(select->binder, select->node, select->sort_count, keys);
}

static void drop_hidden(Select *select)
{
    uint32_t count = select->visible_count;
    Arena *arena = select->binder->arena;
    if (count == select->node->column_count) {
        return;
    }
    Expr **exprs = ARENA_ARRAY(arena, Expr *, count + 1);
    for (uint32_t i = 0; i < count; i++) {
        exprs[i] = logical_column_expr(arena, &select->node->columns[i]);
    }
    LogicalColumn *columns =
        arena_memdup(arena, select->node->columns, (count + 1) * sizeof(LogicalColumn));
    select->node = logical_project(arena, select->node, count, exprs, columns);
}

static Status build(Select *select)
{
    TRY(build_groups(select));
    select->node = logical_filter(select->binder->arena, select->node, select->qualify);
    build_project(select);
    if (select->ast->is_distinct) {
        select->node = logical_distinct(select->binder->arena, select->node);
    }
    if (select->sort_count > 0) {
        build_sort(select);
    }
    TRY(bind_limit(select->binder, select->query, select->ast->top, &select->node));
    drop_hidden(select);
    return STATUS_OK;
}

static Status bind_sources(Select *select, Scope *outer, CteBinding *ctes)
{
    FromItem from = {0};
    Expr *where = NULL;
    TRY(bind_from(select->binder, outer, ctes, &select->ast->from, &from));
    if (from.node == NULL) { // no FROM: one row of no columns
        from.node = logical_one_row(select->binder->arena);
    }
    scope_init(&select->scope, outer, ctes, &from);
    select->scope.windows = &select->ast->windows;
    select->node = from.node;
    if (select->ast->where != NULL) {
        TRY(bind_condition(select->binder, &select->scope, select->ast->where, CLAUSE_WHERE,
                           &where));
        select->node = logical_filter(select->binder->arena, select->node, where);
    }
    return STATUS_OK;
}

Status bind_select(Binder *binder, Scope *outer, CteBinding *ctes, const AstQuery *query,
                   bool keeps_unknown, LogicalNode **out)
{
    Select select = {.binder = binder, .query = query, .ast = query->select};
    const AstSelect *ast = query->select;
    bool is_plain = query->order.count == 0 && query->limit == NULL && query->offset == NULL &&
                    ast->top == NULL && !ast->is_distinct && ast->group.count == 0 &&
                    !ast->is_group_all;
    if (ast->into != NULL) {
        return status_at(ast->into->table->position, SQLSTATE_SYNTAX_ERROR,
                         "SELECT ... INTO is not allowed here");
    }
    if (ast->distinct_on.count > 0) {
        return status_at(ast->distinct_on.items[0]->position, SQLSTATE_FEATURE_NOT_SUPPORTED,
                         "SELECT DISTINCT ON is not supported");
    }
    TRY(bind_sources(&select, outer, ctes));
    TRY(bind_items(&select, keeps_unknown && is_plain));
    TRY(bind_group(&select));
    if (ast->having != NULL) {
        TRY(bind_condition(binder, &select.scope, ast->having, CLAUSE_HAVING, &select.having));
    }
    if (ast->qualify != NULL) {
        TRY(bind_condition(binder, &select.scope, ast->qualify, CLAUSE_QUALIFY, &select.qualify));
    }
    TRY(bind_order(&select));
    TRY(build(&select));
    *out = select.node;
    return STATUS_OK;
}
