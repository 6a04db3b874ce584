/*
 * bind_append.c — ALTER TABLE t APPEND FROM s: an INSERT of all rows of s, after which s is empty.
 *
 * Columns belong together by their names. IGNOREEXTRA leaves out those of s that t lacks,
 * FILLTARGET gives those of t that s lacks their default.
 */
#include <string.h>

#include "planner/binder/binder_internal.h"

typedef struct Appending {
    Binder *binder;
    const CatalogTable *target, *source;
    LogicalNode *rows; /* of the source */
    bool is_ignoring, is_filling;
    int32_t position; /* of the action */
} Appending;

static Status check_tables(const Appending *self)
{
    if (self->target->table_id == self->source->table_id) {
        return status_at(self->position, SQLSTATE_INVALID_TABLE_DEFINITION,
                         "cannot append table \"%s\" to itself", self->source->name);
    }
    return STATUS_OK;
}

static int32_t find_column(const CatalogTable *table, const char *name)
{
    for (uint32_t i = 0; i < table->column_count; i++) {
        if (strcmp(table->columns[i].name, name) == 0) {
            return (int32_t)i;
        }
    }
    return -1;
}

static Status check_extra(const Appending *self)
{
    for (uint32_t i = 0; !self->is_ignoring && i < self->source->column_count; i++) {
        const char *name = self->source->columns[i].name;
        if (find_column(self->target, name) < 0) {
            return status_with_hint(
                status_at(self->position, SQLSTATE_DATATYPE_MISMATCH,
                          "column \"%s\" of table \"%s\" is not in table \"%s\"", name,
                          self->source->name, self->target->name),
                "IGNOREEXTRA leaves such columns out");
        }
    }
    return STATUS_OK;
}

// What a column of the target gets that the source does not have.
static Status fill_column(const Appending *self, const CatalogColumn *column, Expr **out)
{
    if (!self->is_filling) {
        return status_with_hint(
            status_at(self->position, SQLSTATE_DATATYPE_MISMATCH,
                      "column \"%s\" of table \"%s\" is not in table \"%s\"", column->name,
                      self->target->name, self->source->name),
            "FILLTARGET gives such columns their default");
    }
    if (column->is_identity) {
        return status_at(self->position, SQLSTATE_FEATURE_NOT_SUPPORTED,
                         "APPEND to IDENTITY column \"%s\", which table \"%s\" does not have, is "
                         "not supported",
                         column->name, self->source->name);
    }
    return bind_column_default(self->binder, column, out);
}

// `index`: of the source's column of that name; -1.
static Status map_column(const Appending *self, const CatalogColumn *column, int32_t index,
                         Expr **out)
{
    if (index < 0) {
        return fill_column(self, column, out);
    }
    const CatalogColumn *source = &self->source->columns[index];
    if (!type_equal(column->type, source->type) || column->is_identity != source->is_identity) {
        return status_at(self->position, SQLSTATE_DATATYPE_MISMATCH,
                         "column \"%s\" of tables \"%s\" and \"%s\" is not of the same type",
                         column->name, self->source->name, self->target->name);
    }
    *out = logical_column_expr(self->binder->arena, &self->rows->columns[index]);
    return STATUS_OK;
}

static Status map_columns(const Appending *self, LogicalNode **out)
{
    Binder *binder = self->binder;
    const uint32_t count = self->target->column_count;
    Expr **exprs = ARENA_ARRAY(binder->arena, Expr *, count + 1);
    LogicalColumn *columns = ARENA_ARRAY(binder->arena, LogicalColumn, count + 1);
    TRY(check_extra(self));
    for (uint32_t i = 0; i < count; i++) {
        const CatalogColumn *column = &self->target->columns[i];
        const int32_t index = find_column(self->source, column->name);
        TRY(map_column(self, column, index, &exprs[i]));
        if (index >= 0) {
            columns[i] = self->rows->columns[index];
        } else {
            columns[i] = (LogicalColumn){.number = planner_new_column(binder->context),
                                         .name = column->name,
                                         .type = column->type,
                                         .is_nullable = true};
        }
    }
    *out = logical_project(binder->arena, self->rows, count, exprs, columns);
    return STATUS_OK;
}

Status bind_append(Binder *binder, const AstStatement *statement, BoundStatement *bound)
{
    const AstAlterTable *ast = statement->alter_table;
    const AstAlterAction *action = ast->actions.items[0];
    const char *word = action->name == NULL ? "" : action->name;
    Appending self = {.binder = binder,
                      .is_ignoring = strcmp(word, "ignoreextra") == 0,
                      .is_filling = strcmp(word, "filltarget") == 0,
                      .position = action->position};
    LogicalNode *rows = NULL;
    TRY(bind_writable_table(binder, ast->table, "append to", &self.target));
    TRY(bind_writable_table(binder, action->source, "append from", &self.source));
    TRY(check_tables(&self));
    if (word[0] != '\0' && !self.is_ignoring && !self.is_filling) {
        return status_at(action->position, SQLSTATE_SYNTAX_ERROR,
                         "APPEND FROM takes IGNOREEXTRA or FILLTARGET");
    }
    self.rows = get_make(binder, self.source, NULL);
    TRY(map_columns(&self, &rows));
    bound->kind = BOUND_APPEND;
    bound->target = self.target;
    bound->root = logical_insert(binder->context, self.target, rows);
    bound->truncate_count = 1;
    bound->truncate = ARENA_NEW(binder->arena, const CatalogTable *);
    bound->truncate[0] = self.source;
    return STATUS_OK;
}
