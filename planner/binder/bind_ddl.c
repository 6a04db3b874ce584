/*
 * bind_ddl.c — CREATE VIEW and SCHEMA, DROP, TRUNCATE.
 */
#include "planner/binder/binder_internal.h"

#include <stdlib.h>
#include <string.h>
#include "planner/parser/parse.h"

// ---- CREATE VIEW ----

static int compare_places(const void *left, const void *right)
{
    return ((const NamePlace *)left)->position - ((const NamePlace *)right)->position;
}

// The query's text with schema names put before the tables that were found by the search path:
//   select a from t join s.u …   ->   select a from public.t join s.u …
static const char *qualified_text(Binder *binder, const AstCreateView *ast,
                                  const NamePlaceList *places)
{
    if (places->count > 0) { // collected in the order of binding, not of the text
        qsort(places->items, places->count, sizeof(*places->items), compare_places);
    }
    size_t bytes = strlen(ast->query_text) + 1;
    const char **schemas = ARENA_ARRAY(binder->arena, const char *, places->count + 1);
    for (uint32_t i = 0; i < places->count; i++) {
        schemas[i] = quote_identifier(binder->arena, places->items[i].schema);
        bytes += strlen(schemas[i]) + 1;
    }
    char *text = arena_alloc(binder->arena, bytes);
    char *end = text;
    size_t done = 0;
    for (uint32_t i = 0; i < places->count; i++) {
        size_t at = (size_t)(places->items[i].position - ast->query_start);
        size_t length = strlen(schemas[i]);
        memcpy(end, ast->query_text + done, at - done);
        end += at - done;
        memcpy(end, schemas[i], length);
        end[length] = '.';
        end += length + 1;
        done = at;
    }
    memcpy(end, ast->query_text + done, strlen(ast->query_text + done));
    return text;
}

static Status view_columns(Binder *binder, const AstCreateView *ast, const LogicalNode *root,
                           CatalogTable *view)
{
    uint32_t named = ast->columns == NULL ? 0 : ast->columns->count;
    if (named > root->column_count) {
        return status_at(ast->columns->items[root->column_count].position, SQLSTATE_SYNTAX_ERROR,
                         "CREATE VIEW specifies more column names than columns");
    }
    view->column_count = root->column_count;
    view->columns = ARENA_ARRAY(binder->arena, CatalogColumn, root->column_count + 1);
    for (uint32_t i = 0; i < root->column_count; i++) {
        const char *name = i < named ? ast->columns->items[i].text : root->columns[i].name;
        for (uint32_t j = 0; j < i; j++) {
            if (strcmp(view->columns[j].name, name) == 0) {
                return status_at(i < named ? ast->columns->items[i].position
                                           : ast->query->position,
                                 SQLSTATE_DUPLICATE_COLUMN,
                                 "column \"%s\" specified more than once", name);
            }
        }
        view->columns[i] = (CatalogColumn){.column_id = i + 1,
                                           .name = name,
                                           .source_name = root->columns[i].name,
                                           .type = root->columns[i].type,
                                           .attribute_number = i + 1};
    }
    return STATUS_OK;
}

// A view outlives the session, temporary tables do not.
static Status check_places(const Binder *binder, const AstCreateView *ast,
                           const NamePlaceList *places)
{
    const CatalogView *catalog = binder->catalog;
    for (uint32_t i = 0; catalog->temporary_schema != NULL && i < places->count; i++) {
        if (strcmp(places->items[i].schema, catalog->temporary_schema(catalog->self)) == 0) {
            return status_at(places->items[i].position, SQLSTATE_FEATURE_NOT_SUPPORTED,
                             "view \"%s\" cannot read a temporary table", ast->view->name);
        }
    }
    return STATUS_OK;
}

static Status check_existing_view(Binder *binder, const AstCreateView *ast, const char *schema)
{
    const CatalogTable *existing = NULL;
    TRY(binder->catalog->find_table(binder->catalog->self, schema, ast->view->name,
                                    binder->arena, &existing));
    if (existing == NULL) {
        return STATUS_OK;
    }
    if (!ast->is_or_replace) {
        return status_at(ast->view->position, SQLSTATE_DUPLICATE_TABLE,
                         "relation \"%s\" already exists", ast->view->name);
    }
    if (existing->kind != CATALOG_VIEW) {
        return status_at(ast->view->position, SQLSTATE_WRONG_OBJECT_TYPE,
                         "\"%s\" is not a view", ast->view->name);
    }
    binder->replaced_view_id = existing->table_id;
    return STATUS_OK;
}

Status bind_create_view(Binder *binder, const AstStatement *statement, BoundStatement *bound)
{
    const AstCreateView *ast = statement->create_view;
    CatalogTable *view = ARENA_NEW(binder->arena, CatalogTable);
    NamePlaceList places = {0};
    LogicalNode *root = NULL;
    view->name = ast->view->name;
    view->kind = CATALOG_VIEW;
    view->distribution_column = -1;
    view->view_text = ast->query_text;
    TRY(bind_new_name(binder, ast->view, false, &view->schema_name));
    TRY(check_existing_view(binder, ast, view->schema_name));
    if (!ast->is_late_binding) {
        binder->parameters = NULL;
        binder->name_places = &places;
        Status status = bind_query(binder, NULL, NULL, ast->query, false, &root);
        binder->name_places = NULL;
        TRY(status);
        TRY(check_places(binder, ast, &places));
        TRY(view_columns(binder, ast, root, view));
        view->view_text = qualified_text(binder, ast, &places);
    }
    bound->kind = BOUND_CREATE_VIEW;
    bound->create = view;
    bound->is_or_replace = ast->is_or_replace;
    return STATUS_OK;
}

// ---- CREATE SCHEMA ----

Status bind_create_schema(Binder *binder, const AstStatement *statement, BoundStatement *bound)
{
    const AstCreateSchema *ast = statement->create_schema;
    const char *name = ast->name.text != NULL ? ast->name.text : ast->owner;
    if (strncmp(name, "pg_", 3) == 0) {
        Status status = status_at(ast->name.position, SQLSTATE_RESERVED_NAME,
                                  "unacceptable schema name \"%s\"", name);
        return status_with_detail(status,
                                  "The prefix \"pg_\" is reserved for system schemas.");
    }
    bool is_there = binder->catalog->schema_exists(binder->catalog->self, name);
    if (is_there && !ast->is_if_not_exists) {
        return status_at(ast->name.position, SQLSTATE_DUPLICATE_SCHEMA,
                         "schema \"%s\" already exists", name);
    }
    if (is_there) {
        bound->notice =
            arena_printf(binder->arena, "schema \"%s\" already exists, skipping", name);
    }
    bound->kind = BOUND_CREATE_SCHEMA;
    bound->schema_name = is_there ? NULL : name;
    return STATUS_OK;
}

// ---- DROP ----

static const char *const object_words[] = {
    [AST_OBJECT_TABLE] = "table",   [AST_OBJECT_VIEW] = "view",
    [AST_OBJECT_SCHEMA] = "schema", [AST_OBJECT_USER] = "user",
    [AST_OBJECT_COLUMN] = "column", [AST_OBJECT_DATABASE] = "database",
};

static Status check_kind(const AstDrop *ast, const AstObjectName *name, const CatalogTable *table)
{
    CatalogTableKind wanted = ast->kind == AST_OBJECT_VIEW ? CATALOG_VIEW : CATALOG_TABLE;
    if (table->kind == wanted) {
        return STATUS_OK;
    }
    if (table->kind == CATALOG_VIRTUAL) {
        return status_at(name->position, SQLSTATE_INSUFFICIENT_PRIVILEGE,
                         "permission denied: \"%s\" is a system catalog", table->name);
    }
    Status status = status_at(name->position, SQLSTATE_WRONG_OBJECT_TYPE, "\"%s\" is not a %s",
                              table->name, object_words[ast->kind]);
    return status_with_hint(status, "Use DROP %s to remove a %s.",
                            table->kind == CATALOG_VIEW ? "VIEW" : "TABLE",
                            table->kind == CATALOG_VIEW ? "view" : "table");
}

// One name: an item, or a missing object.
static Status find_object(Binder *binder, const AstDrop *ast, const AstObjectName *name,
                          struct BoundDropItem *item, bool *is_found)
{
    *item = (struct BoundDropItem){.name = name->name};
    if (ast->kind == AST_OBJECT_USER) { // users are the leader's to know
        *is_found = true;
        return STATUS_OK;
    }
    if (ast->kind == AST_OBJECT_SCHEMA) {
        *is_found = binder->catalog->schema_exists(binder->catalog->self, name->name);
        return STATUS_OK;
    }
    const CatalogTable *table = NULL;
    TRY(binder->catalog->find_table(binder->catalog->self, name->schema, name->name,
                                    binder->arena, &table));
    *is_found = table != NULL;
    if (table != NULL) {
        TRY(check_kind(ast, name, table));
        item->schema = table->schema_name;
        item->table_id = table->table_id;
    }
    return STATUS_OK;
}

static Status missing_object(const AstDrop *ast, const AstObjectName *name)
{
    SqlState state = ast->kind == AST_OBJECT_SCHEMA ? SQLSTATE_INVALID_SCHEMA_NAME
                                                    : SQLSTATE_UNDEFINED_TABLE;
    return status_at(name->position, state, "%s \"%s\" does not exist", object_words[ast->kind],
                     name->name);
}

Status bind_drop(Binder *binder, const AstStatement *statement, BoundStatement *bound)
{
    const AstDrop *ast = statement->drop;
    BoundDrop *drop = ARENA_NEW(binder->arena, BoundDrop);
    drop->kind = ast->kind;
    drop->is_cascade = ast->is_cascade;
    drop->items = ARENA_ARRAY(binder->arena, struct BoundDropItem, ast->names.count);
    drop->notices = ARENA_ARRAY(binder->arena, const char *, ast->names.count);
    for (uint32_t i = 0; i < ast->names.count; i++) {
        const AstObjectName *name = ast->names.items[i];
        bool is_found = false;
        TRY(find_object(binder, ast, name, &drop->items[drop->count], &is_found));
        if (is_found) {
            drop->count++;
        } else if (ast->is_if_exists) {
            drop->notices[drop->notice_count++] =
                arena_printf(binder->arena, "%s \"%s\" does not exist, skipping",
                             object_words[ast->kind], name->name);
        } else {
            return missing_object(ast, name);
        }
    }
    bound->kind = BOUND_DROP;
    bound->drop = drop;
    return STATUS_OK;
}

// ---- TRUNCATE ----

// There is one mode that keeps others out.
static Status check_lock_mode(const AstWordList *words)
{
    static const char *const only[] = {"access", "exclusive", "mode"};
    bool is_only = words->count == 0 || words->count == 3;
    for (uint32_t i = 0; is_only && i < words->count; i++) {
        is_only = strcmp(words->items[i].text, only[i]) == 0;
    }
    return is_only ? STATUS_OK
                   : status_at(words->items[0].position, SQLSTATE_FEATURE_NOT_SUPPORTED,
                               "LOCK in a mode other than ACCESS EXCLUSIVE is not supported");
}

Status bind_lock(Binder *binder, const AstStatement *statement, BoundStatement *bound)
{
    const AstLock *ast = statement->lock;
    TRY(check_lock_mode(&ast->mode));
    for (uint32_t i = 0; i < ast->tables.count; i++) {
        TRY(bind_writable_table(binder, ast->tables.items[i], "lock", &bound->target));
    }
    bound->kind = BOUND_LOCK;
    return STATUS_OK;
}

Status bind_truncate(Binder *binder, const AstStatement *statement, BoundStatement *bound)
{
    const AstObjectNameList *names = &statement->truncate->tables;
    bound->truncate = ARENA_ARRAY(binder->arena, const CatalogTable *, names->count);
    for (uint32_t i = 0; i < names->count; i++) {
        TRY(bind_writable_table(binder, names->items[i], "truncate",
                                &bound->truncate[bound->truncate_count]));
        bound->truncate_count++;
    }
    bound->kind = BOUND_TRUNCATE;
    return STATUS_OK;
}
