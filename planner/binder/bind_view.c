/*
 * bind_view.c — views: their text is parsed and bound wherever they are named.
 *
 * The text sees no parameters, no common table expressions and no columns of the query around it.
 */
#include "planner/binder/binder_internal.h"

#include <string.h>
#include "planner/parser/parse.h"

// An error inside the view's text has no place in the statement's: the position goes.
static Status in_view(Status owned_status, const CatalogTable *view)
{
    Status status = status_error(status_sqlstate(owned_status), "%s",
                                 status_message(owned_status));
    if (status_detail(owned_status)[0] != '\0') {
        status = status_with_detail(status, "%s", status_detail(owned_status));
    }
    if (status_hint(owned_status)[0] != '\0') {
        status = status_with_hint(status, "%s", status_hint(owned_status));
    }
    status_free(owned_status);
    return status_with_context(status, "view \"%s\"", view->name);
}

// Which column of the query is the view's: tables may have got or lost columns that its * stands
// for.
static Status find_source(const CatalogTable *view, const LogicalNode *node, uint32_t index,
                          uint32_t *out)
{
    const char *name = view->columns[index].source_name;
    *out = index;
    if (name == NULL && node->column_count == view->column_count) {
        return STATUS_OK;
    }
    name = name == NULL ? view->columns[index].name : name;
    if (index < node->column_count && strcmp(node->columns[index].name, name) == 0) {
        return STATUS_OK;
    }
    for (uint32_t i = 0; i < node->column_count; i++) {
        if (strcmp(node->columns[i].name, name) == 0) {
            *out = i;
            return STATUS_OK;
        }
    }
    return status_error(SQLSTATE_UNDEFINED_COLUMN, "column \"%s\" does not exist", name);
}

// The view's columns keep the names and types they had when it was made.
static Status fit_columns(Binder *binder, const CatalogTable *view, LogicalNode **node)
{
    uint32_t count = view->column_count;
    if (count == 0) { // late binding: the query's columns as they are now
        return STATUS_OK;
    }
    uint32_t *sources = ARENA_ARRAY(binder->arena, uint32_t, count);
    Type *types = ARENA_ARRAY(binder->arena, Type, (*node)->column_count + 1);
    Expr **exprs = ARENA_ARRAY(binder->arena, Expr *, count);
    for (uint32_t i = 0; i < (*node)->column_count; i++) {
        types[i] = (*node)->columns[i].type;
    }
    for (uint32_t i = 0; i < count; i++) {
        TRY(find_source(view, *node, i, &sources[i]));
        types[sources[i]] = view->columns[i].type;
    }
    TRY(query_coerce(binder, node, types, CAST_ASSIGNMENT));
    LogicalColumn *columns = ARENA_ARRAY(binder->arena, LogicalColumn, count);
    for (uint32_t i = 0; i < count; i++) {
        columns[i] = (*node)->columns[sources[i]];
        exprs[i] = logical_column_expr(binder->arena, &columns[i]);
        columns[i].name = view->columns[i].name;
    }
    *node = logical_project(binder->arena, *node, count, exprs, columns);
    return STATUS_OK;
}

static Status bind_text(Binder *binder, const CatalogTable *view, LogicalNode **out)
{
    AstStatementList list = {0};
    LogicalNode *node = NULL;
    TRY(parse_statements(view->view_text, strlen(view->view_text), binder->arena, &list));
    if (list.count != 1 || list.items[0]->kind != AST_STATEMENT_QUERY) {
        return status_error(SQLSTATE_INVALID_TABLE_DEFINITION,
                            "the text of view \"%s\" is not a query", view->name);
    }
    TRY(bind_query(binder, NULL, NULL, list.items[0]->query, false, &node));
    TRY(fit_columns(binder, view, &node));
    *out = node;
    return STATUS_OK;
}

Status bind_view(Binder *binder, const CatalogTable *view, LogicalNode **out)
{
    if (binder->view_depth >= VIEW_DEPTH_MAX) {
        return status_error(SQLSTATE_STATEMENT_TOO_COMPLEX, "views are nested too deeply");
    }
    BindParameters *parameters = binder->parameters;
    binder->parameters = NULL;
    binder->view_depth++;
    Status status = bind_text(binder, view, out);
    binder->view_depth--;
    binder->parameters = parameters;
    return status == STATUS_OK ? STATUS_OK : in_view(status, view);
}
