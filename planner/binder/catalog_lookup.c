/*
 * catalog_lookup.c — functions and casts that translate between OIDs and names.
 *
 * pg_get_userbyid(c.relowner) becomes
 *
 *     (select "value?" from (select usename as "value?", usesysid as "key?"
 *                            from pg_catalog.pg_user) l where "key?" = c.relowner)
 *
 * with names that no column of the query around it has. Casts of literals are answered here:
 * 'lineitem'::regclass is the table's OID.
 */
#include "planner/binder/binder_internal.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include "planner/parser/parse.h"

typedef struct CatalogLookup {
    const char *function, *table, *key, *value;
} CatalogLookup;

static const CatalogLookup catalog_lookups[] = {
#define CATALOG_LOOKUP(function, table, key, value) {function, table, key, value},
#include "planner/binder/catalog_lookups.def"
#undef CATALOG_LOOKUP
};

static const CatalogLookup *find_lookup(const char *function)
{
    for (size_t i = 0; i < sizeof(catalog_lookups) / sizeof(catalog_lookups[0]); i++) {
        if (strcmp(catalog_lookups[i].function, function) == 0) {
            return &catalog_lookups[i];
        }
    }
    return NULL;
}

static Status bind_lookup(Binder *binder, Scope *scope, const CatalogLookup *lookup, AstExpr *key,
                          Expr **out)
{
    AstStatementList list = {0};
    const char *text = arena_printf(
        binder->arena,
        "select \"value?\" from (select %s as \"value?\", %s as \"key?\" from pg_catalog.%s) l "
        "where \"key?\" = 0",
        lookup->value, lookup->key, lookup->table);
    TRY(parse_statements(text, strlen(text), binder->arena, &list));
    AstQuery *query = list.items[0]->query;
    query->select->where->args[1] = key;
    AstExpr subquery = {.kind = AST_SUBQUERY, .position = key->position, .query = query};
    return bind_subquery(binder, scope, &subquery, out);
}

Status bind_catalog_function(Binder *binder, Scope *scope, const AstExpr *ast, bool *is_known,
                             Expr **out)
{
    const CatalogLookup *lookup = find_lookup(ast->call->name);
    *is_known = lookup != NULL && strncmp(ast->call->name, "pg_", 3) == 0 &&
                (ast->arg_count == 1 || ast->arg_count == 2);
    return *is_known ? bind_lookup(binder, scope, lookup, ast->args[0], out) : STATUS_OK;
}

// ---- names in literals ----

/* schema.name, folded to lower case unless quoted; `*schema` null when there is none. */
static void split_name(Binder *binder, const char *text, const char **schema, const char **name)
{
    char *word = arena_strdup(binder->arena, text), *target = word;
    bool is_quoted = false;
    *schema = NULL;
    *name = word;
    for (const char *c = text; *c != '\0'; c++) {
        if (*c == '"') {
            is_quoted = !is_quoted;
        } else if (*c == '.' && !is_quoted) {
            *target++ = '\0';
            *schema = *name;
            *name = target;
        } else {
            *target++ = is_quoted ? *c : (char)tolower((unsigned char)*c);
        }
    }
    *target = '\0';
}

static Status oid_of_relation(Binder *binder, const AstExpr *ast, int64_t *oid)
{
    const char *schema, *name;
    const CatalogTable *table = NULL;
    split_name(binder, ast->text, &schema, &name);
    TRY(binder->catalog->find_table(binder->catalog->self, schema, name, binder->arena, &table));
    if (table == NULL) {
        return status_at(ast->position, SQLSTATE_UNDEFINED_TABLE,
                         "relation \"%s\" does not exist", ast->text);
    }
    *oid = (int64_t)table->table_id;
    return STATUS_OK;
}

static Status oid_of_type(Binder *binder, const AstExpr *ast, int64_t *oid)
{
    const int64_t trigger_oid = 2279; // psql asks which functions give one
    AstTypeName name = {.position = ast->position};
    Type type;
    split_name(binder, ast->text, &name.schema, &name.name);
    if (strcmp(name.name, "trigger") == 0) {
        *oid = trigger_oid;
        return STATUS_OK;
    }
    TRY(type_resolve(binder, &name, false, &type));
    *oid = type_oid(type);
    return STATUS_OK;
}

static Status bind_reg_literal(Binder *binder, const AstExpr *literal, const char *type,
                               Expr **out)
{
    int64_t oid = 0;
    size_t digits = strspn(literal->text, "0123456789");
    if (digits > 0 && literal->text[digits] == '\0') {
        oid = strtoll(literal->text, NULL, 10);
    } else if (strcmp(type, "regclass") == 0) {
        TRY(oid_of_relation(binder, literal, &oid));
    } else if (strcmp(type, "regtype") == 0) {
        TRY(oid_of_type(binder, literal, &oid));
    } else {
        return status_at(literal->position, SQLSTATE_FEATURE_NOT_SUPPORTED,
                         "names as type %s are not supported", type);
    }
    *out = expr_int64(binder->arena, TYPE_BIGINT, oid);
    return STATUS_OK;
}

Status bind_reg_cast(Binder *binder, Scope *scope, const AstExpr *ast, bool *is_known, Expr **out)
{
    const char *type = ast->type->name;
    const CatalogLookup *lookup = find_lookup(type);
    bool is_type = strcmp(type, "regtype") == 0;
    *is_known = (is_type || lookup != NULL) && strncmp(type, "reg", 3) == 0 &&
                !ast->type->is_array;
    if (!*is_known) {
        return STATUS_OK;
    }
    AstExpr *arg = ast->args[0];
    if (arg->kind == AST_STRING) {
        return bind_reg_literal(binder, arg, type, out);
    }
    if (!is_type) {
        return bind_lookup(binder, scope, lookup, arg, out);
    }
    Expr *args[2] = {NULL, constant_null(binder, type_of(TYPE_UNKNOWN))};
    TRY(bind_expr(binder, scope, arg, &args[0]));
    return bind_function(binder, FUNCTION_FORMAT_TYPE, 2, args, ast->position, out);
}
