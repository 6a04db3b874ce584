/*
 * bind_dml.c — INSERT: rows of the table's columns, in order, each of its column's type.
 */
#include "planner/binder/binder_internal.h"

#include <string.h>
#include "planner/parser/parse.h"

/* Where the values go. */
typedef struct InsertTarget {
    Binder *binder;
    const CatalogTable *table;
    uint32_t count;              /* of columns that take values */
    uint32_t *columns;           /* their indexes in the table */
    int32_t *positions;          /* where the statement names them */
    bool is_explicit;            /* a column list was written */
} InsertTarget;

// ---- defaults ----

Status bind_default_expr(Binder *binder, const AstExpr *ast, Type type, Expr **out)
{
    Scope scope;
    Expr *expr = NULL;
    scope_init(&scope, NULL, NULL, NULL);
    scope.clause = CLAUSE_DEFAULT;
    TRY(bind_expr(binder, &scope, ast, &expr));
    if (cast_level(expr->type, type) < CAST_ASSIGNMENT) {
        Status status = status_at(expr->position, SQLSTATE_DATATYPE_MISMATCH,
                                  "default expression is of type %s but its column is of type %s",
                                  type_name(expr->type), type_name(type));
        return status_with_hint(status, "You will need to rewrite or cast the expression.");
    }
    return coerce(binder, expr, type, CAST_ASSIGNMENT, out);
}

Status bind_column_default(Binder *binder, const CatalogColumn *column, Expr **out)
{
    AstExpr *ast = NULL;
    if (column->default_text == NULL) {
        *out = constant_null(binder, column->type);
        return STATUS_OK;
    }
    TRY(parse_expression(column->default_text, strlen(column->default_text), binder->arena, &ast));
    return bind_default_expr(binder, ast, column->type, out);
}

static Status column_default(InsertTarget *target, uint32_t index, Expr **out)
{
    return bind_column_default(target->binder, &target->table->columns[index], out);
}

// ---- the column list ----

Status bind_column_name(const CatalogTable *table, const AstWord *name, uint32_t *index)
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

static Status bind_columns(InsertTarget *target, const AstWordList *names)
{
    const CatalogTable *table = target->table;
    target->is_explicit = names != NULL;
    target->count = names == NULL ? table->column_count : names->count;
    target->columns = ARENA_ARRAY(target->binder->arena, uint32_t, target->count + 1);
    target->positions = ARENA_ARRAY(target->binder->arena, int32_t, target->count + 1);
    for (uint32_t i = 0; i < target->count; i++) {
        target->columns[i] = i;
        target->positions[i] = POSITION_NONE;
        if (names == NULL) {
            continue;
        }
        TRY(bind_column_name(table, &names->items[i], &target->columns[i]));
        target->positions[i] = names->items[i].position;
        for (uint32_t j = 0; j < i; j++) {
            if (target->columns[j] == target->columns[i]) {
                return status_at(names->items[i].position, SQLSTATE_DUPLICATE_COLUMN,
                                 "column \"%s\" specified more than once", names->items[i].text);
            }
        }
    }
    return STATUS_OK;
}

// `given` values for the listed columns; fewer are allowed only without a list.
static Status check_count(const InsertTarget *target, uint32_t given, int32_t position)
{
    if (given > target->count) {
        return status_at(position, SQLSTATE_SYNTAX_ERROR,
                         "INSERT has more expressions than target columns");
    }
    if (given < target->count && target->is_explicit) {
        return status_at(target->positions[given], SQLSTATE_SYNTAX_ERROR,
                         "INSERT has more target columns than expressions");
    }
    return STATUS_OK;
}

Status bind_assignment(Binder *binder, const CatalogColumn *column, Expr *expr, Expr **out)
{
    if (cast_level(expr->type, column->type) < CAST_ASSIGNMENT) {
        Status status = status_at(expr->position, SQLSTATE_DATATYPE_MISMATCH,
                                  "column \"%s\" is of type %s but expression is of type %s",
                                  column->name, type_name(column->type), type_name(expr->type));
        return status_with_hint(status, "You will need to rewrite or cast the expression.");
    }
    return coerce(binder, expr, column->type, CAST_ASSIGNMENT, out);
}

static Status assign(InsertTarget *target, Expr *expr, uint32_t index, Expr **out)
{
    TRY(identity_check_assigned(&target->table->columns[index], expr->position));
    return bind_assignment(target->binder, &target->table->columns[index], expr, out);
}

static LogicalColumn *output_columns(InsertTarget *target)
{
    uint32_t count = target->table->column_count;
    LogicalColumn *columns = ARENA_ARRAY(target->binder->arena, LogicalColumn, count + 1);
    for (uint32_t i = 0; i < count; i++) {
        columns[i] = (LogicalColumn){.number = planner_new_column(target->binder->context),
                                     .name = target->table->columns[i].name,
                                     .type = target->table->columns[i].type,
                                     .is_nullable = true};
    }
    return columns;
}

// ---- VALUES ----

// One row of the statement as one row of the table.
static Status bind_row(InsertTarget *target, Scope *scope, const AstExprList *row, Expr **cells)
{
    TRY(check_count(target, row->count, row->count > target->count
                                            ? row->items[target->count]->position
                                            : row->items[0]->position));
    for (uint32_t i = 0; i < row->count; i++) {
        uint32_t index = target->columns[i];
        Expr *expr = NULL;
        if (row->items[i]->kind == AST_DEFAULT && target->table->columns[index].is_identity) {
            continue; // numbered with the others
        }
        if (row->items[i]->kind == AST_DEFAULT) {
            TRY(column_default(target, index, &cells[index]));
            continue;
        }
        TRY(bind_expr(target->binder, scope, row->items[i], &expr));
        TRY(assign(target, expr, index, &cells[index]));
    }
    return STATUS_OK;
}

Status bind_new_row(Binder *binder, const CatalogTable *table, Scope *scope,
                    const AstWordList *names, const AstExprList *values, Expr ***out)
{
    InsertTarget target = {.binder = binder, .table = table};
    Expr **cells = ARENA_ARRAY(binder->arena, Expr *, table->column_count + 1);
    TRY(bind_columns(&target, names));
    TRY(bind_row(&target, scope, values, cells));
    for (uint32_t i = 0; i < table->column_count; i++) {
        if (cells[i] == NULL && !table->columns[i].is_identity) {
            TRY(column_default(&target, i, &cells[i]));
        }
    }
    *out = cells;
    return STATUS_OK;
}

/* Numbers for the rows that were given none. */
static Status number_rows(InsertTarget *target, uint32_t row_count, Expr **cells)
{
    const CatalogTable *table = target->table;
    int32_t index = identity_column(table);
    int64_t first = -1;
    for (uint32_t i = 0; index >= 0 && i < row_count; i++) {
        Expr **cell = &cells[(size_t)i * table->column_count + (uint32_t)index];
        if (*cell == NULL && first < 0) {
            TRY(identity_take(target->binder, table, row_count, &first));
        }
        if (*cell == NULL) {
            TRY(identity_constant(target->binder, &table->columns[index], first + i, cell));
        }
    }
    return STATUS_OK;
}

static Status bind_rows(InsertTarget *target, const AstRowList *rows, LogicalNode **out)
{
    uint32_t width = target->table->column_count;
    Expr **cells = ARENA_ARRAY(target->binder->arena, Expr *, (size_t)rows->count * width + 1);
    Expr **defaults = ARENA_ARRAY(target->binder->arena, Expr *, width + 1);
    Scope scope;
    scope_init(&scope, NULL, NULL, NULL);
    scope.clause = CLAUSE_VALUES;
    for (uint32_t i = 0; i < rows->count; i++) {
        if (rows->items[i].count != rows->items[0].count) {
            return status_at(rows->items[i].items[0]->position, SQLSTATE_SYNTAX_ERROR,
                             "VALUES lists must all be the same length");
        }
        Expr **row = cells + (size_t)i * width;
        TRY(bind_row(target, &scope, &rows->items[i], row));
        for (uint32_t j = 0; j < width; j++) {
            if (row[j] == NULL && defaults[j] == NULL && !target->table->columns[j].is_identity) {
                TRY(column_default(target, j, &defaults[j]));
            }
            row[j] = row[j] == NULL ? defaults[j] : row[j];
        }
    }
    TRY(number_rows(target, rows->count, cells));
    *out = values_make(target->binder, rows->count, cells, width, output_columns(target));
    return STATUS_OK;
}

// ---- SELECT ----

static Status bind_source(InsertTarget *target, const AstQuery *query, LogicalNode **out)
{
    Binder *binder = target->binder;
    LogicalNode *node = NULL;
    TRY(bind_query(binder, NULL, NULL, query, true, &node));
    bool has_extra = node->column_count > target->count && node->kind == LOGICAL_PROJECT;
    TRY(check_count(target, node->column_count,
                    has_extra ? ((LogicalProject *)node)->exprs[target->count]->position
                              : query->position));
    uint32_t width = target->table->column_count;
    Expr **exprs = ARENA_ARRAY(binder->arena, Expr *, width + 1);
    for (uint32_t i = 0; i < node->column_count; i++) {
        uint32_t index = target->columns[i];
        const LogicalProject *project = (const LogicalProject *)node;
        Expr *source = node->kind == LOGICAL_PROJECT ? project->exprs[i] : NULL;
        Expr *expr = logical_column_expr(binder->arena, &node->columns[i]);
        expr->position = source == NULL ? query->position : source->position;
        // literals and parameters are taken from the list itself, to be of the column's type
        bool is_taken = source != NULL && (source->kind == EXPR_CONSTANT || is_unknown(source));
        TRY(assign(target, is_taken ? source : expr, index, &exprs[index]));
    }
    // an output column that stayed a literal is not needed from below any more
    for (uint32_t i = 0; i < node->column_count; i++) {
        if (node->columns[i].type.id == TYPE_UNKNOWN) {
            LogicalProject *project = (LogicalProject *)node;
            project->exprs[i] = constant_null(binder, type_varchar(0));
            project->node.columns[i].type = type_varchar(0);
        }
    }
    for (uint32_t j = 0; j < width; j++) {
        if (exprs[j] == NULL && target->table->columns[j].is_identity) {
            TRY(identity_of_rows(binder, target->table, &node, &exprs[j]));
        } else if (exprs[j] == NULL) {
            TRY(column_default(target, j, &exprs[j]));
        }
    }
    *out = logical_project(binder->arena, node, width, exprs, output_columns(target));
    return STATUS_OK;
}

static Status bind_defaults(InsertTarget *target, LogicalNode **out)
{
    uint32_t width = target->table->column_count;
    Expr **cells = ARENA_ARRAY(target->binder->arena, Expr *, width + 1);
    for (uint32_t j = 0; j < width; j++) {
        if (!target->table->columns[j].is_identity) {
            TRY(column_default(target, j, &cells[j]));
        }
    }
    TRY(number_rows(target, 1, cells));
    *out = values_make(target->binder, 1, cells, width, output_columns(target));
    return STATUS_OK;
}

// ---- the statement ----

LogicalColumn *row_count_column(PlannerContext *context)
{
    LogicalColumn *rows = ARENA_NEW(context->arena, LogicalColumn);
    *rows = (LogicalColumn){.number = planner_new_column(context),
                            .name = "rows",
                            .type = type_of(TYPE_BIGINT)};
    return rows;
}

LogicalNode *logical_insert(PlannerContext *context, const CatalogTable *table, LogicalNode *child)
{
    LogicalInsert *insert = ARENA_NEW(context->arena, LogicalInsert);
    insert->node = (LogicalNode){.kind = LOGICAL_INSERT,
                                 .position = POSITION_NONE,
                                 .column_count = 1,
                                 .columns = row_count_column(context),
                                 .rows = 1};
    insert->child = child;
    insert->table = table;
    return &insert->node;
}

static bool is_bare_values(const AstQuery *query)
{
    return query->kind == AST_QUERY_VALUES && query->with == NULL && query->order.count == 0 &&
           query->limit == NULL && query->offset == NULL;
}

Status bind_writable_table(Binder *binder, const AstObjectName *name, const char *action,
                           const CatalogTable **out)
{
    TRY(bind_table_name(binder, name, out));
    if ((*out)->kind == CATALOG_TABLE) {
        return STATUS_OK;
    }
    return status_at(name->position, SQLSTATE_WRONG_OBJECT_TYPE, "cannot %s %s \"%s\"", action,
                     (*out)->kind == CATALOG_VIEW ? "view" : "system table", (*out)->name);
}

Status bind_insert(Binder *binder, const AstStatement *ast, BoundStatement *bound)
{
    const AstInsert *insert = ast->insert;
    InsertTarget target = {.binder = binder};
    LogicalNode *source = NULL;
    TRY(bind_writable_table(binder, insert->table, "insert into", &target.table));
    TRY(bind_columns(&target, insert->columns));
    if (insert->query == NULL) {
        TRY(bind_defaults(&target, &source));
    } else if (is_bare_values(insert->query)) {
        TRY(bind_rows(&target, &insert->query->values, &source));
    } else {
        TRY(bind_source(&target, insert->query, &source));
    }
    bound->kind = BOUND_INSERT;
    bound->target = target.table;
    bound->root = logical_insert(binder->context, target.table, source);
    return STATUS_OK;
}
