/*
 * bind_show.c — SHOW TABLE and SHOW VIEW: a query of one row that holds the statement which would
 * make the object again.
 */
#include "planner/binder/binder_internal.h"

#include <string.h>
#include "planner/parser/parse.h"

#define STATEMENT_BYTES_MAX (16u << 20)

static const char *quoted(Binder *binder, const char *name)
{
    return quote_identifier(binder->arena, name);
}

static void print_name(Binder *binder, const CatalogTable *table, ByteBuffer *text)
{
    byte_buffer_printf(text, "%s.", quoted(binder, table->schema_name));
    byte_buffer_printf(text, "%s", quoted(binder, table->name));
}

static void print_column(Binder *binder, const CatalogColumn *column, ByteBuffer *text)
{
    char type[TYPE_TEXT_BYTES];
    byte_buffer_printf(text, "    %s %s", quoted(binder, column->name),
                       type_print(column->type, type));
    if (column->is_not_null) {
        byte_buffer_printf(text, " NOT NULL");
    }
    if (column->default_text != NULL) {
        byte_buffer_printf(text, " DEFAULT %s", column->default_text);
    }
    if (column->encoding_text != NULL) {
        byte_buffer_printf(text, " ENCODE %s", column->encoding_text);
    }
}

static void print_layout(Binder *binder, const CatalogTable *table, ByteBuffer *text)
{
    const char *style = table->is_auto_style                          ? "AUTO"
                        : table->style == DISTRIBUTION_STYLE_ALL      ? "ALL"
                        : table->distribution_column >= 0             ? "KEY"
                                                                      : "EVEN";
    byte_buffer_printf(text, "\nDISTSTYLE %s", style);
    if (table->distribution_column >= 0 && !table->is_auto_style) {
        byte_buffer_printf(text, "\nDISTKEY (%s)",
                           quoted(binder, table->columns[table->distribution_column].name));
    }
    for (uint32_t i = 0; i < table->sort_key_count; i++) {
        byte_buffer_printf(text, "%s%s", i == 0 ? "\nSORTKEY (" : ", ",
                           quoted(binder, table->columns[table->sort_keys[i]].name));
    }
    byte_buffer_printf(text, "%s;", table->sort_key_count > 0 ? ")" : "");
}

static void print_table(Binder *binder, const CatalogTable *table, ByteBuffer *text)
{
    byte_buffer_printf(text, "CREATE TABLE ");
    print_name(binder, table, text);
    byte_buffer_printf(text, " (\n");
    for (uint32_t i = 0; i < table->column_count; i++) {
        print_column(binder, &table->columns[i], text);
        byte_buffer_printf(text, i + 1 < table->column_count ? ",\n" : "\n)");
    }
    print_layout(binder, table, text);
}

static void print_view(Binder *binder, const CatalogTable *view, ByteBuffer *text)
{
    byte_buffer_printf(text, "CREATE VIEW ");
    print_name(binder, view, text);
    for (uint32_t i = 0; i < view->column_count; i++) {
        byte_buffer_printf(text, "%s%s%s", i == 0 ? " (" : ", ",
                           quoted(binder, view->columns[i].name),
                           i + 1 == view->column_count ? ")" : "");
    }
    byte_buffer_printf(text, " AS %s%s;", view->view_text,
                       view->column_count == 0 ? " WITH NO SCHEMA BINDING" : "");
}

static Status print_object(Binder *binder, const CatalogTable *table, const char **out)
{
    ByteBuffer text;
    byte_buffer_init(&text, STATEMENT_BYTES_MAX);
    if (table->kind == CATALOG_VIEW) {
        print_view(binder, table, &text);
    } else {
        print_table(binder, table, &text);
    }
    Status status = byte_buffer_status(&text);
    if (status == STATUS_OK) {
        *out = arena_strndup(binder->arena, (const char *)text.data, text.bytes);
    }
    byte_buffer_deinit(&text);
    return status;
}

Status bind_show_object(Binder *binder, const AstShow *show, BoundStatement *bound)
{
    const CatalogTable *table = NULL;
    const char *text = NULL;
    TRY(bind_table_name(binder, show->table, &table));
    CatalogTableKind wanted =
        show->table_kind == AST_OBJECT_VIEW ? CATALOG_VIEW : CATALOG_TABLE;
    if (table->kind != wanted) {
        return status_at(show->table->position, SQLSTATE_WRONG_OBJECT_TYPE, "\"%s\" is not a %s",
                         table->name, wanted == CATALOG_VIEW ? "view" : "table");
    }
    TRY(print_object(binder, table, &text));
    LogicalColumn *column = ARENA_NEW(binder->arena, LogicalColumn);
    Expr **cell = ARENA_ARRAY(binder->arena, Expr *, 1);
    cell[0] = constant_text(binder, text, type_varchar(0));
    *column = (LogicalColumn){.number = planner_new_column(binder->context),
                              .name = wanted == CATALOG_VIEW ? "Show View DDL statement"
                                                             : "Show Table DDL statement",
                              .type = cell[0]->type};
    bound->kind = BOUND_QUERY;
    bound->root = values_make(binder, 1, cell, 1, column);
    bind_results(binder, bound);
    return STATUS_OK;
}
