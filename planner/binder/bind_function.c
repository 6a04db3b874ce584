/*
 * bind_function.c — calls by name: which kind of function it is, and who binds it.
 *
 * In this order: window functions (OVER), aggregates, the conditionals that become CASE, constants
 * of the session, functions of functions.def and their aliases, casts written as calls (date(x)).
 */
#include "planner/binder/binder_internal.h"

#include <string.h>

static const char *const unsupported_functions[] = {
#define FUNCTION_ALIAS(alias, name)
#define FUNCTION_UNSUPPORTED(name) name,
#include "planner/binder/function_aliases.def"
#undef FUNCTION_ALIAS
#undef FUNCTION_UNSUPPORTED
};

Status function_missing(Binder *binder, const char *name, uint32_t count, Expr *const *args,
                        int32_t position)
{
    const char *types = "";
    for (uint32_t i = 0; i < count && i < 32; i++) { // long lists are cut
        types = arena_printf(binder->arena, "%s%s%s", types, i == 0 ? "" : ", ",
                             type_name(args[i]->type));
    }
    Status status = status_at(position, SQLSTATE_UNDEFINED_FUNCTION,
                              "function %s(%s%s) does not exist", name, types,
                              count > 32 ? ", ..." : "");
    return status_with_hint(status, "No function matches the given name and argument types. You "
                                    "might need to add explicit type casts.");
}

static Status check_schema(Binder *binder, const AstExpr *ast)
{
    const AstCall *call = ast->call;
    if (call->schema == NULL || strcmp(call->schema, "pg_catalog") == 0) {
        return STATUS_OK;
    }
    if (!binder->catalog->schema_exists(binder->catalog->self, call->schema)) {
        return status_at(ast->position, SQLSTATE_INVALID_SCHEMA_NAME,
                         "schema \"%s\" does not exist", call->schema);
    }
    return status_at(ast->position, SQLSTATE_UNDEFINED_FUNCTION,
                     "function %s.%s does not exist", call->schema, call->name);
}

// What only aggregates take.
static Status check_plain_call(const AstExpr *ast)
{
    const AstCall *call = ast->call;
    const char *what = call->is_star                  ? "(*)"
                       : call->is_distinct            ? "DISTINCT"
                       : call->filter != NULL         ? "FILTER"
                       : call->order.count > 0        ? "ORDER BY"
                       : call->within_group.count > 0 ? "WITHIN GROUP"
                                                      : NULL;
    if (what == NULL) {
        return STATUS_OK;
    }
    return status_at(ast->position, SQLSTATE_WRONG_OBJECT_TYPE,
                     "%s%s specified, but %s is not an aggregate function",
                     call->is_star ? call->name : "", what, call->name);
}

static bool takes_field_name(const char *name)
{
    static const char *const names[] = {"date_part", "date_trunc", "dateadd",
                                        "date_add",  "datediff",   "date_diff"};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (strcmp(names[i], name) == 0) {
            return true;
        }
    }
    return false;
}

// dateadd(month, 1, d): the first argument is a word, not a column.
static Status bind_call_arguments(Binder *binder, Scope *scope, const AstExpr *ast, Expr ***out)
{
    Expr **args = ARENA_ARRAY(binder->arena, Expr *, ast->arg_count + 1);
    for (uint32_t i = 0; i < ast->arg_count; i++) {
        const AstExpr *arg = ast->args[i];
        bool is_word = i == 0 && arg->kind == AST_COLUMN && arg->name_count == 1 &&
                       takes_field_name(ast->call->name);
        if (is_word) {
            args[i] = expr_at(constant_text(binder, arg->names[0], type_of(TYPE_UNKNOWN)),
                              arg->position);
        } else {
            TRY(bind_expr(binder, scope, arg, &args[i]));
        }
    }
    *out = args;
    return STATUS_OK;
}

// date(x), varchar(x): a type's name called with one argument is a cast.
static Status bind_type_call(Binder *binder, const AstExpr *ast, Expr **args, bool *is_known,
                             Expr **out)
{
    static const char *const castable[] = {"date", "timestamp", "varchar", "text", "int", "int2",
                                           "int4", "int8", "bigint", "float4", "float8", "bool",
                                           "numeric"};
    bool is_cast = false;
    for (size_t i = 0; i < sizeof(castable) / sizeof(castable[0]); i++) {
        is_cast = is_cast || strcmp(castable[i], ast->call->name) == 0;
    }
    *is_known = is_cast && ast->arg_count == 1;
    if (!*is_known) {
        return STATUS_OK;
    }
    Type type;
    AstTypeName name = {.name = ast->call->name, .position = ast->position};
    TRY(type_resolve(binder, &name, false, &type));
    if (cast_level(args[0]->type, type) == CAST_NONE) {
        return function_missing(binder, ast->call->name, 1, args, ast->position);
    }
    return coerce(binder, args[0], type, CAST_EXPLICIT, out);
}

static Status bind_named(Binder *binder, const AstExpr *ast, Expr **args, Expr **out)
{
    const char *name = ast->call->name;
    uint32_t count = ast->arg_count;
    bool is_known = false;
    FunctionId function;
    if (strcmp(name, "decode") == 0 && count >= 3) {
        return bind_decode(binder, count, args, ast->position, out);
    }
    if (strcmp(name, "nvl2") == 0 && count == 3) {
        return bind_nvl2(binder, args, ast->position, out);
    }
    if (strcmp(name, "charindex") == 0 && count == 2) { // the text comes second
        return bind_function(binder, FUNCTION_STRPOS, 2, (Expr *[]){args[1], args[0]},
                             ast->position, out);
    }
    if (strcmp(name, "concat") == 0) {
        return bind_function(binder, FUNCTION_CONCAT, count, args, ast->position, out);
    }
    TRY(bind_system_function(binder, ast, count, args, &is_known, out));
    if (is_known) {
        return STATUS_OK;
    }
    if (function_by_name(name, &function)) {
        return bind_function(binder, function, count, args, ast->position, out);
    }
    TRY(bind_type_call(binder, ast, args, &is_known, out));
    if (is_known) {
        return STATUS_OK;
    }
    return function_missing(binder, name, count, args, ast->position);
}

Status bind_call(Binder *binder, Scope *scope, const AstExpr *ast, Expr **out)
{
    AggregateId aggregate;
    WindowFunctionId window;
    TRY(check_schema(binder, ast));
    if (ast->call->over != NULL) {
        return bind_window_call(binder, scope, ast, out);
    }
    if (strcmp(ast->call->name, "grouping") == 0) {
        return bind_grouping_call(binder, scope, ast, out);
    }
    if (aggregate_find(ast->call->name, &aggregate)) {
        return bind_aggregate(binder, scope, ast, aggregate, out);
    }
    if (window_function_find(ast->call->name, &window)) {
        return status_at(ast->position, SQLSTATE_WRONG_OBJECT_TYPE,
                         "window function %s requires an OVER clause", ast->call->name);
    }
    for (size_t i = 0; i < sizeof(unsupported_functions) / sizeof(unsupported_functions[0]); i++) {
        if (strcmp(unsupported_functions[i], ast->call->name) == 0) {
            return status_at(ast->position, SQLSTATE_FEATURE_NOT_SUPPORTED,
                             "function %s is not supported yet", ast->call->name);
        }
    }
    Expr **args = NULL;
    TRY(check_plain_call(ast));
    bool is_known = false;
    TRY(bind_catalog_function(binder, scope, ast, &is_known, out));
    if (is_known) {
        return STATUS_OK;
    }
    TRY(bind_call_arguments(binder, scope, ast, &args));
    return bind_named(binder, ast, args, out);
}
