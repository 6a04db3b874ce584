/*
 * system_functions.c — functions whose answer the session knows: they become constants.
 *
 * The clock is that of the statement, so now() is one value in all of it. Functions that clients
 * ask pg_catalog with, and whose answer is the same for every object here, are constants too.
 */
#include "planner/binder/binder_internal.h"

#include <stdlib.h>
#include <string.h>
#include "base/types/datetime.h"
#include "base/types/text_format.h"

#define VERSION_DEFAULT                                                                        \
    "PostgreSQL 8.0.2 on x86_64-pc-linux-gnu, compiled by GCC, Redshift 1.0.0, Basalt"

/* Where the answer comes from. */
typedef enum SystemAnswer {
    ANSWER_DATE, ANSWER_TIMESTAMP, ANSWER_USER, ANSWER_SCHEMA, ANSWER_DATABASE, ANSWER_VERSION,
    ANSWER_BACKEND_PID, ANSWER_SETTING, ANSWER_TRUE, ANSWER_FALSE, ANSWER_NULL_TEXT, ANSWER_UTF8,
    ANSWER_ARGUMENT /* the first one: system tables hold texts for PostgreSQL's trees and arrays */
} SystemAnswer;

typedef struct SystemFunction {
    const char *name;
    SystemAnswer answer;
    uint32_t count_min, count_max;
} SystemFunction;

static const SystemFunction system_functions[] = {
    {"current_date", ANSWER_DATE, 0, 0},
    {"current_timestamp", ANSWER_TIMESTAMP, 0, 0},
    {"localtimestamp", ANSWER_TIMESTAMP, 0, 0},
    {"now", ANSWER_TIMESTAMP, 0, 0},
    {"getdate", ANSWER_TIMESTAMP, 0, 0},
    {"sysdate", ANSWER_TIMESTAMP, 0, 0},
    {"statement_timestamp", ANSWER_TIMESTAMP, 0, 0},
    {"transaction_timestamp", ANSWER_TIMESTAMP, 0, 0},
    {"current_user", ANSWER_USER, 0, 0},
    {"session_user", ANSWER_USER, 0, 0},
    {"user", ANSWER_USER, 0, 0},
    {"current_schema", ANSWER_SCHEMA, 0, 0},
    {"current_database", ANSWER_DATABASE, 0, 0},
    {"version", ANSWER_VERSION, 0, 0},
    {"pg_backend_pid", ANSWER_BACKEND_PID, 0, 0},
    {"current_setting", ANSWER_SETTING, 1, 2},
    {"pg_type_is_visible", ANSWER_TRUE, 1, 1},
    {"pg_function_is_visible", ANSWER_TRUE, 1, 1},
    {"has_table_privilege", ANSWER_TRUE, 2, 3},
    {"has_schema_privilege", ANSWER_TRUE, 2, 3},
    {"has_database_privilege", ANSWER_TRUE, 2, 3},
    {"has_column_privilege", ANSWER_TRUE, 3, 4},
    {"pg_is_in_recovery", ANSWER_FALSE, 0, 0},
    {"obj_description", ANSWER_NULL_TEXT, 1, 2},
    {"col_description", ANSWER_NULL_TEXT, 2, 2},
    {"shobj_description", ANSWER_NULL_TEXT, 2, 2},
    {"pg_get_expr", ANSWER_ARGUMENT, 2, 3},
    {"array_to_string", ANSWER_ARGUMENT, 2, 3},
    {"pg_get_constraintdef", ANSWER_NULL_TEXT, 1, 2},
    {"pg_get_function_arguments", ANSWER_NULL_TEXT, 1, 1},
    {"pg_get_function_identity_arguments", ANSWER_NULL_TEXT, 1, 1},
    {"pg_get_function_result", ANSWER_NULL_TEXT, 1, 1},
    {"pg_get_indexdef", ANSWER_NULL_TEXT, 1, 3},
    {"pg_get_partkeydef", ANSWER_NULL_TEXT, 1, 1},
    {"pg_get_ruledef", ANSWER_NULL_TEXT, 1, 2},
    {"pg_get_triggerdef", ANSWER_NULL_TEXT, 1, 2},
    {"pg_relation_size", ANSWER_NULL_TEXT, 1, 2},
    {"pg_size_pretty", ANSWER_ARGUMENT, 1, 1},
    {"pg_table_size", ANSWER_NULL_TEXT, 1, 1},
    {"pg_total_relation_size", ANSWER_NULL_TEXT, 1, 1},
    {"pg_database_size", ANSWER_NULL_TEXT, 1, 1},
    {"pg_tablespace_location", ANSWER_NULL_TEXT, 1, 1},
    {"pg_client_encoding", ANSWER_UTF8, 0, 0},
    {"pg_encoding_to_char", ANSWER_UTF8, 1, 1},
};

static Expr *text_answer(Binder *binder, const char *text)
{
    return text == NULL ? constant_null(binder, type_varchar(0))
                        : constant_text(binder, arena_strdup(binder->arena, text), type_varchar(0));
}

static Status answer_setting(Binder *binder, const AstExpr *ast, Expr **args, Expr **out)
{
    Expr *name = NULL;
    TRY(coerce_unknown(binder, args[0], &name));
    if (!is_constant(name) || !type_is_text(name->type) || name->constant.is_null) {
        return status_at(ast->position, SQLSTATE_FEATURE_NOT_SUPPORTED,
                         "the name given to current_setting must be a constant");
    }
    const char *text = arena_strndup(binder->arena, text_view_data(&name->constant.text),
                                     name->constant.text.length);
    const char *value = binder->catalog->setting(binder->catalog->self, text);
    bool is_missing_ok = ast->arg_count == 2 && args[1]->kind == EXPR_CONSTANT &&
                         args[1]->type.id == TYPE_BOOLEAN && args[1]->constant.i64 != 0;
    if (value == NULL && !is_missing_ok) {
        return status_at(name->position, SQLSTATE_UNDEFINED_OBJECT,
                         "unrecognized configuration parameter \"%s\"", text);
    }
    *out = text_answer(binder, value);
    return STATUS_OK;
}

static Expr *answer_clock(Binder *binder, SystemAnswer answer)
{
    int64_t us = binder->catalog->statement_time_us(binder->catalog->self);
    Value value = answer == ANSWER_DATE
                      ? value_int64(type_of(TYPE_DATE), date_from_timestamp(us))
                      : value_int64(type_of(TYPE_TIMESTAMP), us);
    return expr_constant(binder->arena, &value);
}

// The session tells its process id and version as if they were settings.
static Expr *answer_identity(Binder *binder, SystemAnswer answer)
{
    const CatalogView *catalog = binder->catalog;
    if (answer == ANSWER_VERSION) {
        const char *version = catalog->setting(catalog->self, "version");
        return text_answer(binder, version == NULL ? VERSION_DEFAULT : version);
    }
    const char *pid = catalog->setting(catalog->self, "pg_backend_pid");
    return expr_int64(binder->arena, TYPE_INTEGER, pid == NULL ? 0 : strtol(pid, NULL, 10));
}

static Status make_answer(Binder *binder, const AstExpr *ast, SystemAnswer answer, Expr **args,
                          Expr **out)
{
    const CatalogView *catalog = binder->catalog;
    switch (answer) {
    case ANSWER_DATE:
    case ANSWER_TIMESTAMP:
        *out = answer_clock(binder, answer);
        return STATUS_OK;
    case ANSWER_USER:
        *out = text_answer(binder, catalog->current_user(catalog->self));
        return STATUS_OK;
    case ANSWER_SCHEMA:
        *out = text_answer(binder, catalog->current_schema(catalog->self));
        return STATUS_OK;
    case ANSWER_DATABASE:
        *out = text_answer(binder, catalog->current_database(catalog->self));
        return STATUS_OK;
    case ANSWER_VERSION:
    case ANSWER_BACKEND_PID:
        *out = answer_identity(binder, answer);
        return STATUS_OK;
    case ANSWER_SETTING:
        return answer_setting(binder, ast, args, out);
    case ANSWER_TRUE:
    case ANSWER_FALSE:
        *out = expr_boolean(binder->arena, answer == ANSWER_TRUE);
        return STATUS_OK;
    case ANSWER_NULL_TEXT:
        *out = constant_null(binder, type_varchar(0));
        return STATUS_OK;
    case ANSWER_UTF8:
        *out = text_answer(binder, "UTF8");
        return STATUS_OK;
    case ANSWER_ARGUMENT:
        *out = args[0];
        return STATUS_OK;
    }
    return STATUS_OK;
}

Status bind_system_function(Binder *binder, const AstExpr *ast, uint32_t count, Expr **args,
                            bool *is_known, Expr **out)
{
    for (size_t i = 0; i < sizeof(system_functions) / sizeof(system_functions[0]); i++) {
        const SystemFunction *function = &system_functions[i];
        if (strcmp(function->name, ast->call->name) != 0) {
            continue;
        }
        if (count < function->count_min || count > function->count_max) {
            return function_missing(binder, ast->call->name, count, args, ast->position);
        }
        for (uint32_t j = 0; j < count; j++) {
            TRY(coerce_unknown(binder, args[j], &args[j]));
        }
        *is_known = true;
        return make_answer(binder, ast, function->answer, args, out);
    }
    *is_known = false;
    return STATUS_OK;
}
