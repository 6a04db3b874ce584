/*
 * bind_create_table.c — CREATE TABLE in its three forms: columns, LIKE, AS query.
 *
 * The result is a CatalogTable without an id. Keys and references are checked for their names and
 * then forgotten: they inform nobody yet. Types, defaults, distribution and sort keys are there.
 */
#include "planner/binder/binder_internal.h"

#include <string.h>

#include "planner/plan/encode_word.h"

#define TABLE_COLUMNS_MAX 1600
#define SORT_KEYS_MAX 400

typedef struct TableMaker {
    Binder *binder;
    const AstCreateTable *ast;
    CatalogTable *table;
    uint32_t capacity;           /* of table->columns */
    int32_t column_distribution_key; /* by a column's attribute; -1 */
    int32_t column_sort_key;
} TableMaker;

// ---- names ----

Status bind_new_name(Binder *binder, const AstObjectName *name, bool is_temporary,
                     const char **schema)
{
    const CatalogView *catalog = binder->catalog;
    if (name->database != NULL &&
        strcmp(name->database, catalog->current_database(catalog->self)) != 0) {
        return status_at(name->position, SQLSTATE_FEATURE_NOT_SUPPORTED,
                         "cross-database references are not supported: \"%s\"", name->database);
    }
    bool is_in_temporary = name->schema != NULL && strcmp(name->schema, "pg_temp") == 0;
    if (is_temporary && name->schema != NULL && !is_in_temporary) {
        return status_at(name->position, SQLSTATE_INVALID_TABLE_DEFINITION,
                         "cannot create temporary relation in non-temporary schema");
    }
    if ((is_temporary || is_in_temporary) && catalog->temporary_schema != NULL) {
        *schema = catalog->temporary_schema(catalog->self);
        return STATUS_OK;
    }
    *schema = name->schema != NULL ? name->schema : catalog->current_schema(catalog->self);
    if (*schema == NULL) {
        return status_at(name->position, SQLSTATE_INVALID_SCHEMA_NAME,
                         "no schema has been selected to create in");
    }
    if (!catalog->schema_exists(catalog->self, *schema)) {
        return status_at(name->position, SQLSTATE_INVALID_SCHEMA_NAME,
                         "schema \"%s\" does not exist", *schema);
    }
    return STATUS_OK;
}

// `*is_there`: it exists and need not be made.
static Status check_new(Binder *binder, const AstCreateTable *ast, const char *schema,
                        bool *is_there)
{
    const CatalogTable *existing = NULL;
    TRY(binder->catalog->find_table(binder->catalog->self, schema, ast->table->name,
                                    binder->arena, &existing));
    *is_there = existing != NULL;
    if (existing == NULL || ast->is_if_not_exists) {
        return STATUS_OK;
    }
    return status_at(ast->table->position, SQLSTATE_DUPLICATE_TABLE,
                     "relation \"%s\" already exists", ast->table->name);
}

// ---- columns ----

static int32_t find_column(const CatalogTable *table, const char *name)
{
    for (uint32_t i = 0; i < table->column_count; i++) {
        if (strcmp(table->columns[i].name, name) == 0) {
            return (int32_t)i;
        }
    }
    return -1;
}

static Status add_column(TableMaker *maker, const CatalogColumn *column, int32_t position)
{
    CatalogTable *table = maker->table;
    if (find_column(table, column->name) >= 0) {
        return status_at(position, SQLSTATE_DUPLICATE_COLUMN,
                         "column \"%s\" specified more than once", column->name);
    }
    if (table->column_count == TABLE_COLUMNS_MAX) {
        return status_at(position, SQLSTATE_TOO_MANY_COLUMNS,
                         "tables can have at most %d columns", TABLE_COLUMNS_MAX);
    }
    if (table->column_count == maker->capacity) {
        table->columns = ast_list_grow(maker->binder->arena, table->columns, &maker->capacity,
                                       sizeof(*table->columns));
    }
    CatalogColumn *added = &table->columns[table->column_count++];
    *added = *column;
    added->column_id = added->attribute_number = table->column_count;
    added->missing_value = value_null(added->type);
    table->next_column_id = table->column_count + 1;
    return STATUS_OK;
}

Status bind_encode_word(const char *name, int32_t position, const char *column, Type type)
{
    const EncodeWord word = encode_word_find(name);
    if (word == ENCODE_WORD_COUNT) {
        return status_at(position, SQLSTATE_INVALID_PARAMETER_VALUE,
                         "encoding \"%s\" is not known", name);
    }
    return encode_word_fits(word, type)
               ? STATUS_OK
               : status_at(position, SQLSTATE_INVALID_TABLE_DEFINITION,
                           "encoding \"%s\" does not fit type %s of column \"%s\"", name,
                           type_name(type), column);
}

static Status check_identity(const AstColumnDefinition *ast, Type type)
{
    if (!ast->is_identity) {
        return STATUS_OK;
    }
    if (type.id != TYPE_INTEGER && type.id != TYPE_BIGINT) {
        return status_at(ast->position, SQLSTATE_INVALID_TABLE_DEFINITION,
                         "identity column \"%s\" must be INTEGER or BIGINT", ast->name);
    }
    if (ast->default_value != NULL || ast->is_null) {
        return status_at(ast->position, SQLSTATE_SYNTAX_ERROR,
                         "identity column \"%s\" cannot be NULL or have a DEFAULT", ast->name);
    }
    return ast->identity_step != 0
               ? STATUS_OK
               : status_at(ast->position, SQLSTATE_INVALID_PARAMETER_VALUE,
                           "the step of identity column \"%s\" must not be 0", ast->name);
}

static Status check_attributes(const AstColumnDefinition *ast, const char *table)
{
    if (ast->is_null && ast->is_not_null) {
        return status_at(ast->position, SQLSTATE_SYNTAX_ERROR,
                         "conflicting NULL/NOT NULL declarations for column \"%s\" of table "
                         "\"%s\"",
                         ast->name, table);
    }
    if (ast->collation != NULL && strcmp(ast->collation, "case_sensitive") != 0) {
        return status_at(ast->position, SQLSTATE_FEATURE_NOT_SUPPORTED,
                         "collation \"%s\" is not supported", ast->collation);
    }
    return STATUS_OK;
}

// A column of CREATE TABLE or of ALTER TABLE ADD.
Status bind_column(Binder *binder, const AstColumnDefinition *ast, const char *table,
                   CatalogColumn *out)
{
    Type type;
    TRY(check_attributes(ast, table));
    TRY(type_resolve(binder, ast->type, true, &type));
    TRY(bind_encode_word(ast->encoding, ast->encoding_position, ast->name, type));
    TRY(check_identity(ast, type));
    if (ast->default_value != NULL) {
        Expr *value = NULL;
        TRY(bind_default_expr(binder, ast->default_value, type, &value));
    }
    *out = (CatalogColumn){.name = ast->name,
                           .type = type,
                           .is_not_null = ast->is_not_null || ast->is_identity,
                           .is_identity = ast->is_identity,
                           .is_identity_by_default = ast->is_identity_by_default,
                           .identity_seed = ast->identity_seed,
                           .identity_step = ast->identity_step,
                           .default_text = ast->default_text,
                           .encoding_text = ast->encoding};
    return STATUS_OK;
}

static Status keep_position(const AstColumnDefinition *ast, const char *what, uint32_t index,
                            int32_t *kept)
{
    if (*kept >= 0) {
        return status_at(ast->position, SQLSTATE_INVALID_TABLE_DEFINITION,
                         "more than one column is %s", what);
    }
    *kept = (int32_t)index;
    return STATUS_OK;
}

static Status add_definition(TableMaker *maker, const AstColumnDefinition *ast)
{
    CatalogColumn column;
    TRY(bind_column(maker->binder, ast, maker->table->name, &column));
    if (column.is_identity && identity_column(maker->table) >= 0) {
        return status_at(ast->position, SQLSTATE_INVALID_TABLE_DEFINITION,
                         "a table can have one identity column only");
    }
    TRY(add_column(maker, &column, ast->position));
    uint32_t index = maker->table->column_count - 1;
    if (ast->is_distribution_key) {
        TRY(keep_position(ast, "DISTKEY", index, &maker->column_distribution_key));
    }
    if (ast->is_sort_key) {
        TRY(keep_position(ast, "SORTKEY", index, &maker->column_sort_key));
    }
    return STATUS_OK;
}

// LIKE copies columns with their types, NOT NULL and encodings, and how the table is laid out.
static Status add_like(TableMaker *maker, const AstTableLike *like)
{
    const CatalogTable *source = NULL;
    CatalogTable *table = maker->table;
    TRY(bind_table_name(maker->binder, like->table, &source));
    uint32_t first = table->column_count;
    for (uint32_t i = 0; i < source->column_count; i++) {
        CatalogColumn column = source->columns[i];
        column.is_identity = false;
        column.default_text = like->is_including_defaults ? column.default_text : NULL;
        TRY(add_column(maker, &column, like->table->position));
    }
    table->style = source->style;
    table->is_auto_style = source->is_auto_style;
    if (source->distribution_column >= 0) {
        table->distribution_column = source->distribution_column + (int32_t)first;
    }
    table->sort_key_count = source->sort_key_count;
    table->is_interleaved = source->is_interleaved;
    table->is_auto_sorted = source->is_auto_sorted;
    table->sort_keys = ARENA_ARRAY(maker->binder->arena, uint32_t, source->sort_key_count + 1);
    for (uint32_t i = 0; i < source->sort_key_count; i++) {
        table->sort_keys[i] = source->sort_keys[i] + first;
    }
    return STATUS_OK;
}

static Status add_elements(TableMaker *maker)
{
    const AstCreateTable *ast = maker->ast;
    uint32_t next_like = 0;
    for (uint32_t i = 0; i <= ast->columns.count; i++) {
        while (next_like < ast->likes.count && ast->likes.items[next_like].column_index == i) {
            TRY(add_like(maker, &ast->likes.items[next_like++]));
        }
        if (i < ast->columns.count) {
            TRY(add_definition(maker, ast->columns.items[i]));
        }
    }
    return STATUS_OK;
}

// ---- keys ----

static Status key_column(const CatalogTable *table, const AstWord *name, uint32_t *out)
{
    int32_t index = find_column(table, name->text);
    if (index < 0) {
        return status_at(name->position, SQLSTATE_UNDEFINED_COLUMN,
                         "column \"%s\" named in key does not exist", name->text);
    }
    *out = (uint32_t)index;
    return STATUS_OK;
}

static Status check_reference(TableMaker *maker, const AstConstraint *constraint)
{
    const CatalogTable *table = NULL;
    const AstObjectName *name = constraint->referenced_table;
    if (strcmp(name->name, maker->table->name) == 0) {
        return STATUS_OK; // a table may refer to itself
    }
    TRY(bind_table_name(maker->binder, name, &table));
    const AstWordList *columns = constraint->referenced_columns;
    for (uint32_t i = 0; columns != NULL && i < columns->count; i++) {
        if (find_column(table, columns->items[i].text) < 0) {
            return status_at(columns->items[i].position, SQLSTATE_UNDEFINED_COLUMN,
                             "column \"%s\" referenced in foreign key constraint does not exist",
                             columns->items[i].text);
        }
    }
    return STATUS_OK;
}

static Status add_constraint(TableMaker *maker, const AstConstraint *constraint,
                             bool *has_primary_key)
{
    if (constraint->kind == AST_CONSTRAINT_CHECK) {
        return status_at(constraint->position, SQLSTATE_FEATURE_NOT_SUPPORTED,
                         "CHECK constraints are not supported");
    }
    bool is_primary = constraint->kind == AST_CONSTRAINT_PRIMARY_KEY;
    if (is_primary && *has_primary_key) {
        return status_at(constraint->position, SQLSTATE_INVALID_TABLE_DEFINITION,
                         "multiple primary keys for table \"%s\" are not allowed",
                         maker->table->name);
    }
    *has_primary_key = *has_primary_key || is_primary;
    for (uint32_t i = 0; i < constraint->columns.count; i++) {
        uint32_t index;
        TRY(key_column(maker->table, &constraint->columns.items[i], &index));
        if (is_primary) {
            maker->table->columns[index].is_not_null = true;
        }
    }
    return constraint->kind == AST_CONSTRAINT_FOREIGN_KEY ? check_reference(maker, constraint)
                                                          : STATUS_OK;
}

static Status add_constraints(TableMaker *maker)
{
    const AstCreateTable *ast = maker->ast;
    bool has_primary_key = false;
    for (uint32_t i = 0; i < ast->columns.count; i++) {
        const AstConstraintList *list = &ast->columns.items[i]->constraints;
        for (uint32_t j = 0; j < list->count; j++) {
            TRY(add_constraint(maker, list->items[j], &has_primary_key));
        }
    }
    for (uint32_t i = 0; i < ast->constraints.count; i++) {
        TRY(add_constraint(maker, ast->constraints.items[i], &has_primary_key));
    }
    return STATUS_OK;
}

// ---- distribution and sort keys ----

static Status conflict(const AstWord *word, const char *message)
{
    return status_at(word->position, SQLSTATE_INVALID_TABLE_DEFINITION, "%s", message);
}

static Status set_distribution(TableMaker *maker)
{
    static const char *const words[] = {"auto", "even", "key", "all"};
    const AstTableAttributes *attributes = &maker->ast->attributes;
    const AstWord *style = &attributes->distribution_style, *key = &attributes->distribution_key;
    CatalogTable *table = maker->table;
    int32_t column = maker->column_distribution_key;
    if (key->text != NULL) {
        uint32_t index;
        TRY(key_column(table, key, &index));
        if (column >= 0) {
            return conflict(key, "more than one column is DISTKEY");
        }
        column = (int32_t)index;
    }
    size_t word = 0;
    while (style->text != NULL && word < 4 && strcmp(words[word], style->text) != 0) {
        word++;
    }
    if (word == 4) {
        return status_at(style->position, SQLSTATE_SYNTAX_ERROR,
                         "DISTSTYLE must be AUTO, EVEN, KEY or ALL");
    }
    bool is_key_word = style->text != NULL && word == 2;
    if (column >= 0 && style->text != NULL && !is_key_word) {
        return conflict(style, "DISTKEY goes with DISTSTYLE KEY only");
    }
    if (is_key_word && column < 0 && table->distribution_column < 0) {
        return conflict(style, "DISTSTYLE KEY needs a DISTKEY");
    }
    if (column >= 0) {
        table->style = DISTRIBUTION_STYLE_KEY;
        table->is_auto_style = false;
        table->distribution_column = column;
    } else if (style->text != NULL && !is_key_word) {
        table->style = word == 3 ? DISTRIBUTION_STYLE_ALL : DISTRIBUTION_STYLE_EVEN;
        table->is_auto_style = word == 0;
        table->distribution_column = -1;
    }
    return STATUS_OK;
}

static Status set_sort_keys(TableMaker *maker)
{
    const AstTableAttributes *attributes = &maker->ast->attributes;
    const AstWordList *words = &attributes->sort_keys;
    CatalogTable *table = maker->table;
    const bool is_interleaved = attributes->sort_key_style == AST_SORT_KEY_INTERLEAVED;
    if (is_interleaved && words->count > INTERLEAVED_KEYS_MAX) {
        return status_at(attributes->sort_key_position, SQLSTATE_PROGRAM_LIMIT_EXCEEDED,
                         "an interleaved sort key can have at most %d columns",
                         INTERLEAVED_KEYS_MAX);
    }
    if (maker->column_sort_key >= 0 && words->count > 0) {
        return conflict(&words->items[0], "SORTKEY is given for a column and for the table");
    }
    if (words->count > SORT_KEYS_MAX) {
        return status_at(attributes->sort_key_position, SQLSTATE_PROGRAM_LIMIT_EXCEEDED,
                         "a sort key can have at most %d columns", SORT_KEYS_MAX);
    }
    uint32_t count = maker->column_sort_key >= 0 ? 1 : words->count;
    const bool is_auto = attributes->sort_key_style == AST_SORT_KEY_AUTO;
    if (is_auto && maker->column_sort_key >= 0) {
        return status_at(attributes->sort_key_position, SQLSTATE_INVALID_TABLE_DEFINITION,
                         "SORTKEY is given for a column and for the table");
    }
    table->is_auto_sorted = is_auto || (count == 0 && table->is_auto_sorted);
    if (count == 0) {
        return STATUS_OK;
    }
    table->sort_key_count = count;
    table->is_interleaved = is_interleaved;
    table->sort_keys = ARENA_ARRAY(maker->binder->arena, uint32_t, count);
    for (uint32_t i = 0; i < count; i++) {
        if (maker->column_sort_key >= 0) {
            table->sort_keys[i] = (uint32_t)maker->column_sort_key;
            continue;
        }
        TRY(key_column(table, &words->items[i], &table->sort_keys[i]));
        for (uint32_t j = 0; j < i; j++) {
            if (table->sort_keys[j] == table->sort_keys[i]) {
                return status_at(words->items[i].position, SQLSTATE_DUPLICATE_COLUMN,
                                 "column \"%s\" appears twice in the sort key",
                                 words->items[i].text);
            }
        }
    }
    return STATUS_OK;
}

Status bind_table_layout(Binder *binder, const AstTableAttributes *attributes, CatalogTable *table)
{
    const AstCreateTable ast = {.attributes = *attributes};
    TableMaker maker = {.binder = binder,
                        .ast = &ast,
                        .table = table,
                        .column_distribution_key = -1,
                        .column_sort_key = -1};
    TRY(set_distribution(&maker));
    return set_sort_keys(&maker);
}

// ---- AS query ----

// What a column of a query becomes when a table keeps it: text has a limit there.
static Type stored_type(Type type)
{
    if (type_is_text(type) && type.length == 0) {
        return type.id == TYPE_CHAR ? type_char(CHAR_BYTES_MAX) : type_varchar(VARCHAR_BYTES_MAX);
    }
    return type;
}

static Status add_query(TableMaker *maker, LogicalNode **root)
{
    Binder *binder = maker->binder;
    const AstCreateTable *ast = maker->ast;
    TRY(bind_query(binder, NULL, NULL, ast->query, false, root));
    if (ast->columns.count > (*root)->column_count) {
        return status_at(ast->columns.items[(*root)->column_count]->position,
                         SQLSTATE_SYNTAX_ERROR, "too many column names were specified");
    }
    uint32_t count = (*root)->column_count;
    Type *types = ARENA_ARRAY(binder->arena, Type, count + 1);
    for (uint32_t i = 0; i < count; i++) {
        bool is_named = i < ast->columns.count;
        types[i] = stored_type((*root)->columns[i].type);
        CatalogColumn column = {.name = is_named ? ast->columns.items[i]->name
                                                 : (*root)->columns[i].name,
                                .type = types[i]};
        TRY(add_column(maker, &column,
                       is_named ? ast->columns.items[i]->position : ast->query->position));
    }
    TRY(query_coerce(binder, root, types, CAST_IMPLICIT));
    if (ast->is_without_data) {
        *root = logical_limit(binder->arena, *root, 0, 0);
    }
    return STATUS_OK;
}

Status bind_create_table(Binder *binder, const AstStatement *statement, BoundStatement *bound)
{
    const AstCreateTable *ast = statement->create_table;
    CatalogTable *table = ARENA_NEW(binder->arena, CatalogTable);
    TableMaker maker = {.binder = binder, .ast = ast, .table = table,
                        .column_distribution_key = -1, .column_sort_key = -1};
    table->name = ast->table->name;
    table->kind = CATALOG_TABLE;
    table->style = DISTRIBUTION_STYLE_EVEN;
    table->is_auto_style = true;
    table->distribution_column = -1;
    TRY(bind_new_name(binder, ast->table, ast->is_temporary, &table->schema_name));
    bound->kind = BOUND_CREATE_TABLE;
    bool is_there = false;
    TRY(check_new(binder, ast, table->schema_name, &is_there));
    if (is_there) {
        bound->notice = arena_printf(binder->arena, "relation \"%s\" already exists, skipping",
                                     table->name);
        return STATUS_OK;
    }
    if (ast->query != NULL) {
        TRY(add_query(&maker, &bound->root));
        bind_results(binder, bound);
    } else {
        TRY(add_elements(&maker));
        TRY(add_constraints(&maker));
    }
    TRY(set_distribution(&maker));
    TRY(set_sort_keys(&maker));
    bound->create = table;
    bool is_in_temporary =
        ast->table->schema != NULL && strcmp(ast->table->schema, "pg_temp") == 0;
    bound->is_temporary = ast->is_temporary || is_in_temporary;
    return STATUS_OK;
}
