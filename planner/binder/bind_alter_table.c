/*
 * bind_alter_table.c — ALTER TABLE: the definition as it will be; rows are touched only when they
 * are to lie elsewhere, or in another order: then all of them are written anew.
 *
 *   ALTER TABLE t ADD COLUMN c integer DEFAULT 7
 *   ->  the columns of t and c, which reads 7 in the rowsets written before
 *
 * A dropped column's number is never given again, so what rowsets keep of it is out of reach.
 */
#include "planner/binder/binder_internal.h"

#include <string.h>

#define TABLE_COLUMNS_MAX 1600

typedef struct Alteration {
    Binder *binder;
    const CatalogTable *old;
    CatalogTable *table;
    BoundStatement *bound;
} Alteration;

static int32_t find_column(const CatalogTable *table, const char *name)
{
    for (uint32_t i = 0; i < table->column_count; i++) {
        if (strcmp(table->columns[i].name, name) == 0) {
            return (int32_t)i;
        }
    }
    return -1;
}

static Status check_free_name(const Alteration *alteration, const char *name, int32_t position)
{
    return find_column(alteration->table, name) < 0
               ? STATUS_OK
               : status_at(position, SQLSTATE_DUPLICATE_COLUMN,
                           "column \"%s\" of relation \"%s\" already exists", name,
                           alteration->table->name);
}

// ---- ADD COLUMN ----

// What rows have that were written before: the default's value now, once for all of them.
static Status set_missing_value(Alteration *alteration, const AstColumnDefinition *ast,
                                CatalogColumn *column)
{
    column->missing_value = value_null(column->type);
    if (ast->default_value != NULL) {
        Expr *expr = NULL;
        TRY(bind_default_expr(alteration->binder, ast->default_value, column->type, &expr));
        TRY(bind_constant(alteration->binder, expr, "the default of an added column",
                          &column->missing_value));
    }
    if (column->is_not_null && column->missing_value.is_null) {
        return status_at(ast->position, SQLSTATE_INVALID_TABLE_DEFINITION,
                         "ALTER TABLE ADD COLUMN defined as NOT NULL must have a non-null default "
                         "expression");
    }
    return STATUS_OK;
}

static Status add_column(Alteration *alteration, const AstAlterAction *action)
{
    const AstColumnDefinition *ast = action->definition;
    CatalogTable *table = alteration->table;
    CatalogColumn column;
    TRY(bind_column(alteration->binder, ast, table->name, &column));
    TRY(check_free_name(alteration, ast->name, ast->position));
    if (ast->is_identity) {
        return status_at(ast->position, SQLSTATE_INVALID_TABLE_DEFINITION,
                         "an added column cannot be IDENTITY");
    }
    if (ast->is_distribution_key || ast->is_sort_key) {
        return status_at(ast->position, SQLSTATE_INVALID_TABLE_DEFINITION,
                         "an added column cannot be DISTKEY or SORTKEY");
    }
    if (ast->constraints.count > 0) {
        return status_at(ast->position, SQLSTATE_INVALID_TABLE_DEFINITION,
                         "an added column cannot have constraints");
    }
    if (table->column_count == TABLE_COLUMNS_MAX) {
        return status_at(ast->position, SQLSTATE_TOO_MANY_COLUMNS,
                         "tables can have at most %d columns", TABLE_COLUMNS_MAX);
    }
    TRY(set_missing_value(alteration, ast, &column));
    column.column_id = table->next_column_id++;
    column.attribute_number = column.column_id;
    CatalogColumn *columns =
        ARENA_ARRAY(alteration->binder->arena, CatalogColumn, table->column_count + 1);
    memcpy(columns, table->columns, table->column_count * sizeof(*columns));
    columns[table->column_count++] = column;
    table->columns = columns;
    return STATUS_OK;
}

// ---- DROP COLUMN ----

static Status check_droppable(const CatalogTable *table, const AstWord *name, uint32_t index)
{
    bool is_sort_key = false;
    for (uint32_t i = 0; i < table->sort_key_count; i++) {
        is_sort_key = is_sort_key || table->sort_keys[i] == index;
    }
    if (table->distribution_column == (int32_t)index || is_sort_key) {
        return status_at(name->position, SQLSTATE_DEPENDENT_OBJECTS_STILL_EXIST,
                         "cannot drop %s column \"%s\"", is_sort_key ? "sortkey" : "distkey",
                         name->text);
    }
    return table->column_count > 1
               ? STATUS_OK
               : status_at(name->position, SQLSTATE_INVALID_TABLE_DEFINITION,
                           "cannot drop the only column of table \"%s\"", table->name);
}

static Status drop_column(Alteration *alteration, const AstAlterAction *action)
{
    CatalogTable *table = alteration->table;
    uint32_t index = 0;
    if (action->is_if_exists && find_column(table, action->column.text) < 0) {
        alteration->bound->notice =
            arena_printf(alteration->binder->arena,
                         "column \"%s\" of relation \"%s\" does not exist, skipping",
                         action->column.text, table->name);
        return STATUS_OK;
    }
    TRY(bind_column_name(table, &action->column, &index));
    TRY(check_droppable(table, &action->column, index));
    CatalogColumn *columns =
        ARENA_ARRAY(alteration->binder->arena, CatalogColumn, table->column_count);
    memcpy(columns, table->columns, index * sizeof(*columns));
    memcpy(columns + index, table->columns + index + 1,
           (table->column_count - index - 1) * sizeof(*columns));
    table->columns = columns;
    table->column_count--;
    table->distribution_column -= table->distribution_column > (int32_t)index;
    uint32_t *keys = arena_memdup(alteration->binder->arena, table->sort_keys,
                                  table->sort_key_count * sizeof(*keys));
    for (uint32_t i = 0; i < table->sort_key_count; i++) {
        keys[i] -= keys[i] > index;
    }
    table->sort_keys = keys;
    return STATUS_OK;
}

// ---- names and types ----

static Status rename_table(Alteration *alteration, const AstAlterAction *action)
{
    const CatalogView *catalog = alteration->binder->catalog;
    const CatalogTable *existing = NULL;
    TRY(catalog->find_table(catalog->self, alteration->table->schema_name, action->name,
                            alteration->binder->arena, &existing));
    if (existing != NULL) {
        return status_at(action->position, SQLSTATE_DUPLICATE_TABLE,
                         "relation \"%s\" already exists", action->name);
    }
    alteration->table->name = action->name;
    return STATUS_OK;
}

static Status rename_column(Alteration *alteration, const AstAlterAction *action)
{
    uint32_t index = 0;
    TRY(bind_column_name(alteration->table, &action->column, &index));
    TRY(check_free_name(alteration, action->name, action->column.position));
    alteration->table->columns[index].name = action->name;
    return STATUS_OK;
}

// A longer VARCHAR holds what a shorter one held.
static Status change_type(Alteration *alteration, const AstAlterAction *action)
{
    uint32_t index = 0;
    Type type;
    TRY(bind_column_name(alteration->table, &action->column, &index));
    TRY(type_resolve(alteration->binder, action->type, true, &type));
    CatalogColumn *column = &alteration->table->columns[index];
    if (type.id != TYPE_VARCHAR || column->type.id != TYPE_VARCHAR ||
        type.length < column->type.length) {
        return status_at(action->position, SQLSTATE_FEATURE_NOT_SUPPORTED,
                         "ALTER COLUMN TYPE is supported for longer VARCHAR only");
    }
    if (column->default_text != NULL) {
        return status_at(action->position, SQLSTATE_FEATURE_NOT_SUPPORTED,
                         "cannot alter the type of column \"%s\", which has a default",
                         column->name);
    }
    column->type = type;
    column->missing_value.type = type;
    return STATUS_OK;
}

// ---- ENCODE ----

// Blocks written from now on obey; those that are there when they are merged.
static Status change_encoding(Alteration *alteration, const AstAlterAction *action)
{
    uint32_t index = 0;
    TRY(bind_column_name(alteration->table, &action->column, &index));
    CatalogColumn *column = &alteration->table->columns[index];
    TRY(bind_encode_word(action->name, action->position, column->name, column->type));
    column->encoding_text = action->name;
    return STATUS_OK;
}

static void forget_encodings(const Alteration *alteration)
{
    for (uint32_t i = 0; i < alteration->table->column_count; i++) {
        alteration->table->columns[i].encoding_text = NULL;
    }
}

// ---- distribution and sort keys ----

static bool is_laid_out_alike(const CatalogTable *one, const CatalogTable *other)
{
    bool is_same = one->style == other->style &&
                   one->distribution_column == other->distribution_column &&
                   one->sort_key_count == other->sort_key_count &&
                   one->is_interleaved == other->is_interleaved;
    for (uint32_t i = 0; is_same && i < one->sort_key_count; i++) {
        is_same = one->sort_keys[i] == other->sort_keys[i];
    }
    return is_same;
}

// AUTO keeps what there is. Without a sort key rows may stay in whatever order they have.
static Status change_layout(Alteration *alteration, const AstAlterAction *action)
{
    Binder *binder = alteration->binder;
    CatalogTable *table = alteration->table;
    const AstTableAttributes *attributes = &action->attributes;
    const AstWord *style = &attributes->distribution_style;
    if (style->text != NULL && strcmp(style->text, "auto") == 0 &&
        attributes->distribution_key.text == NULL) {
        table->is_auto_style = true;
        return STATUS_OK;
    }
    if (action->kind == AST_ALTER_SORT_KEY && attributes->sort_keys.count == 0) {
        table->is_auto_sorted = attributes->sort_key_style == AST_SORT_KEY_AUTO;
        table->sort_key_count = table->is_auto_sorted ? table->sort_key_count : 0;
        table->is_interleaved = table->is_interleaved && table->is_auto_sorted;
        return STATUS_OK;
    }
    TRY(bind_table_layout(binder, attributes, table));
    if (style->text != NULL && strcmp(style->text, "key") == 0 && table->distribution_column < 0) {
        return status_at(style->position, SQLSTATE_INVALID_TABLE_DEFINITION,
                         "DISTSTYLE KEY needs a DISTKEY");
    }
    if (!is_laid_out_alike(alteration->old, table)) {
        alteration->bound->root = get_make(binder, alteration->old, NULL);
    }
    return STATUS_OK;
}

// ---- the statement ----

static Status apply_action(Alteration *alteration, const AstAlterAction *action)
{
    if (alteration->table->kind != CATALOG_TABLE && action->kind != AST_ALTER_RENAME_TABLE) {
        return status_at(action->position, SQLSTATE_WRONG_OBJECT_TYPE, "\"%s\" is not a table",
                         alteration->table->name);
    }
    switch (action->kind) {
    case AST_ALTER_ADD_COLUMN:
        return add_column(alteration, action);
    case AST_ALTER_DROP_COLUMN:
        return drop_column(alteration, action);
    case AST_ALTER_RENAME_TABLE:
        return rename_table(alteration, action);
    case AST_ALTER_RENAME_COLUMN:
        return rename_column(alteration, action);
    case AST_ALTER_COLUMN_TYPE:
        return change_type(alteration, action);
    case AST_ALTER_COLUMN_ENCODE:
        return change_encoding(alteration, action);
    case AST_ALTER_ENCODE_AUTO:
        forget_encodings(alteration);
        return STATUS_OK;
    case AST_ALTER_DISTRIBUTION:
    case AST_ALTER_SORT_KEY:
        return change_layout(alteration, action);
    default:
        return status_at(action->position, SQLSTATE_FEATURE_NOT_SUPPORTED,
                         "this form of ALTER TABLE is not supported yet");
    }
}

static Status find_altered(Binder *binder, const AstAlterTable *ast, BoundStatement *bound,
                           const CatalogTable **out)
{
    TRY(binder->catalog->find_table(binder->catalog->self, ast->table->schema, ast->table->name,
                                    binder->arena, out));
    if (*out == NULL && ast->is_if_exists) {
        bound->notice = arena_printf(binder->arena, "relation \"%s\" does not exist, skipping",
                                     ast->table->name);
        return STATUS_OK;
    }
    TRY(bind_table_name(binder, ast->table, out));
    if ((*out)->kind == CATALOG_VIRTUAL) {
        return status_at(ast->table->position, SQLSTATE_INSUFFICIENT_PRIVILEGE,
                         "permission denied: \"%s\" is a system catalog", (*out)->name);
    }
    return STATUS_OK;
}

Status bind_alter_table(Binder *binder, const AstStatement *statement, BoundStatement *bound)
{
    const AstAlterTable *ast = statement->alter_table;
    const CatalogTable *old = NULL;
    if (ast->actions.count == 1 && ast->actions.items[0]->kind == AST_ALTER_APPEND) {
        return bind_append(binder, statement, bound);
    }
    bound->kind = BOUND_ALTER_TABLE;
    TRY(find_altered(binder, ast, bound, &old));
    if (old == NULL) {
        return STATUS_OK;
    }
    CatalogTable *table = arena_memdup(binder->arena, old, sizeof(*table));
    table->columns =
        arena_memdup(binder->arena, old->columns, old->column_count * sizeof(*old->columns));
    Alteration alteration = {.binder = binder, .old = old, .table = table, .bound = bound};
    for (uint32_t i = 0; i < ast->actions.count; i++) {
        TRY(apply_action(&alteration, ast->actions.items[i]));
    }
    if (bound->root != NULL && ast->actions.count > 1) {
        return status_at(ast->actions.items[0]->position, SQLSTATE_FEATURE_NOT_SUPPORTED,
                         "a change of distribution or sort key together with another one is not "
                         "supported");
    }
    bound->target = old;
    bound->create = table;
    return STATUS_OK;
}
