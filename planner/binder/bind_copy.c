/*
 * bind_copy.c — COPY in both directions: which table, which columns, which query, what format.
 */
#include "planner/binder/binder_internal.h"

#include <string.h>

static Status field_index(const CatalogTable *table, const AstWord *name, uint32_t *index)
{
    for (uint32_t i = 0; i < table->column_count; i++) {
        if (strcmp(table->columns[i].name, name->text) == 0) {
            *index = i;
            return STATUS_OK;
        }
    }
    return status_at(name->position, SQLSTATE_UNDEFINED_COLUMN,
                     "column \"%s\" of relation \"%s\" does not exist", name->text, table->name);
}

// Table columns in the order of the fields: those listed, or all that are not numbered.
static Status bind_fields(Binder *binder, const CatalogTable *table, const AstWordList *names,
                          bool is_from, uint32_t *count, uint32_t **out)
{
    *count = names == NULL ? table->column_count : names->count;
    uint32_t *fields = ARENA_ARRAY(binder->arena, uint32_t, *count + 1);
    uint32_t all = 0;
    for (uint32_t i = 0; names == NULL && i < table->column_count; i++) {
        fields[all] = i;
        all += !is_from || !table->columns[i].is_identity;
    }
    *count = names == NULL ? all : names->count;
    for (uint32_t i = 0; names != NULL && i < *count; i++) {
        TRY(field_index(table, &names->items[i], &fields[i]));
        for (uint32_t j = 0; j < i; j++) {
            if (fields[j] == fields[i]) {
                return status_at(names->items[i].position, SQLSTATE_DUPLICATE_COLUMN,
                                 "column \"%s\" specified more than once", names->items[i].text);
            }
        }
    }
    *out = fields;
    return STATUS_OK;
}

static Status check_source(const AstStatement *ast)
{
    const char *scheme_end = ast->copy->path == NULL ? NULL : strstr(ast->copy->path, "://");
    if (scheme_end == NULL) {
        return STATUS_OK;
    }
    return status_at(ast->start, SQLSTATE_FEATURE_NOT_SUPPORTED,
                     "COPY from %.*s:// is not supported yet",
                     (int)(scheme_end - ast->copy->path), ast->copy->path);
}

// Columns that no field fills get their defaults and numbers; null in `*out` when there are none.
static Status fill_columns(Binder *binder, const CatalogTable *table, const LogicalCopy *copy,
                           LogicalNode **rows)
{
    LogicalNode *node = *rows;
    uint32_t width = table->column_count;
    Expr **exprs = ARENA_ARRAY(binder->arena, Expr *, width + 1);
    LogicalColumn *columns = arena_memdup(binder->arena, node->columns, width * sizeof(*columns));
    for (uint32_t i = 0; i < copy->field_count; i++) {
        uint32_t index = copy->fields[i];
        exprs[index] = logical_column_expr(binder->arena, &copy->node.columns[index]);
    }
    if (copy->field_count == width) {
        return STATUS_OK;
    }
    for (uint32_t i = 0; i < width; i++) {
        if (exprs[i] != NULL) {
            continue;
        }
        TRY(table->columns[i].is_identity
                ? identity_of_rows(binder, table, &node, &exprs[i])
                : bind_column_default(binder, &table->columns[i], &exprs[i]));
        columns[i].number = planner_new_column(binder->context);
    }
    *rows = logical_project(binder->arena, node, width, exprs, columns);
    return STATUS_OK;
}

static Status check_fields(const CatalogTable *table, const AstWordList *names,
                           const LogicalCopy *copy)
{
    for (uint32_t i = 0; names != NULL && i < copy->field_count; i++) {
        TRY(identity_check_assigned(&table->columns[copy->fields[i]], names->items[i].position));
    }
    return STATUS_OK;
}

static Status bind_copy_from(Binder *binder, const AstStatement *ast, BoundStatement *bound)
{
    const AstCopy *copy = ast->copy;
    const CatalogTable *table = NULL;
    TRY(check_source(ast));
    TRY(bind_writable_table(binder, copy->table, "copy to", &table));
    LogicalCopy *node = ARENA_NEW(binder->arena, LogicalCopy);
    uint32_t width = table->column_count;
    node->node = (LogicalNode){.kind = LOGICAL_COPY, .position = POSITION_NONE, .rows = -1};
    node->node.column_count = width;
    node->node.columns = ARENA_ARRAY(binder->arena, LogicalColumn, width + 1);
    for (uint32_t i = 0; i < width; i++) {
        node->node.columns[i] = (LogicalColumn){.number = planner_new_column(binder->context),
                                                .name = table->columns[i].name,
                                                .type = table->columns[i].type,
                                                .is_nullable = true};
    }
    TRY(bind_fields(binder, table, copy->columns, true, &node->field_count, &node->fields));
    TRY(check_fields(table, copy->columns, node));
    TRY(bind_copy_format(binder, copy, &node->format_bytes, &node->format, &bound->is_copy_gzip));
    node->table = table;
    node->is_stdin = copy->is_standard_stream;
    if (copy->path != NULL) {
        node->path_count = 1;
        node->paths = ARENA_ARRAY(binder->arena, const char *, 1);
        node->paths[0] = copy->path;
    }
    bound->kind = BOUND_COPY_FROM;
    bound->copy_table = table;
    bound->copy_field_count = node->field_count;
    bound->is_copy_stdin = copy->is_standard_stream;
    bound->copy = node;
    LogicalNode *rows = &node->node;
    TRY(fill_columns(binder, table, node, &rows));
    bound->root = logical_insert(binder->context, table, rows);
    return STATUS_OK;
}

// COPY t (a, b) TO is COPY (SELECT a, b FROM t) TO.
static Status bind_table_source(Binder *binder, const AstCopy *copy, LogicalNode **out)
{
    const CatalogTable *table = NULL;
    uint32_t count = 0, *fields = NULL;
    TRY(bind_table_name(binder, copy->table, &table));
    if (table->kind == CATALOG_VIEW) {
        Status status = status_at(copy->table->position, SQLSTATE_WRONG_OBJECT_TYPE,
                                  "cannot copy from view \"%s\"", table->name);
        return status_with_hint(status, "Try the COPY (SELECT ...) TO variant.");
    }
    TRY(bind_fields(binder, table, copy->columns, false, &count, &fields));
    LogicalNode *get = get_make(binder, table, NULL);
    Expr **exprs = ARENA_ARRAY(binder->arena, Expr *, count + 1);
    LogicalColumn *columns = ARENA_ARRAY(binder->arena, LogicalColumn, count + 1);
    for (uint32_t i = 0; i < count; i++) {
        columns[i] = get->columns[fields[i]];
        exprs[i] = logical_column_expr(binder->arena, &columns[i]);
    }
    *out = logical_project(binder->arena, get, count, exprs, columns);
    return STATUS_OK;
}

Status bind_copy(Binder *binder, const AstStatement *ast, BoundStatement *bound)
{
    const AstCopy *copy = ast->copy;
    if (copy->is_from) {
        return bind_copy_from(binder, ast, bound);
    }
    if (!copy->is_standard_stream) {
        return status_at(ast->start, SQLSTATE_FEATURE_NOT_SUPPORTED,
                         "COPY TO a file is not supported; COPY TO STDOUT is");
    }
    TRY(bind_copy_format(binder, copy, &bound->format_bytes, &bound->format,
                         &bound->is_copy_gzip));
    if (copy->query != NULL) {
        TRY(bind_query(binder, NULL, NULL, copy->query, false, &bound->root));
    } else {
        TRY(bind_table_source(binder, copy, &bound->root));
    }
    bound->kind = BOUND_COPY_TO;
    bound->is_copy_stdin = false;
    bind_results(binder, bound);
    return STATUS_OK;
}
