/*
 * bind_statement.c — the door: one parsed statement in, one bound statement out.
 */
#include "planner/binder/binder_internal.h"

#include <stdlib.h>
#include <string.h>
#include "planner/parser/parse.h"

#define COMPROWS_MIN 1000ll
#define COMPROWS_MAX 1000000000ll

/* Kinds that need no binding: the leader reads their syntax tree. */
typedef struct PlainStatement {
    AstStatementKind kind;
    BoundKind bound;
} PlainStatement;

static const PlainStatement plain_statements[] = {
    {AST_STATEMENT_TRANSACTION, BOUND_TRANSACTION},
    {AST_STATEMENT_SET, BOUND_SET},
    {AST_STATEMENT_EXECUTE, BOUND_EXECUTE},
    {AST_STATEMENT_DEALLOCATE, BOUND_DEALLOCATE},
    {AST_STATEMENT_DECLARE_CURSOR, BOUND_DECLARE_CURSOR},
    {AST_STATEMENT_FETCH, BOUND_FETCH},
    {AST_STATEMENT_CLOSE, BOUND_CLOSE},
    {AST_STATEMENT_DISCARD, BOUND_DISCARD},
    {AST_STATEMENT_USER, BOUND_USER},
};

static const struct {
    AstStatementKind kind;
    const char *name;
} unsupported_statements[] = {
    {AST_STATEMENT_ALTER_SCHEMA, "ALTER SCHEMA"},
    {AST_STATEMENT_COMMENT, "COMMENT"},
};

void bind_results(Binder *binder, BoundStatement *bound)
{
    const LogicalNode *root = bound->root;
    bound->result_count = root->column_count;
    bound->results = ARENA_ARRAY(binder->arena, PlanResultColumn, root->column_count + 1);
    for (uint32_t i = 0; i < root->column_count; i++) {
        const LogicalColumn *column = &root->columns[i];
        bound->results[i] = (PlanResultColumn){.name = column->name,
                                               .type = column->type,
                                               .table_id = column->table_id,
                                               .column_id = column->column_id};
    }
}

static Status bind_query_statement(Binder *binder, const AstStatement *ast, BoundStatement *bound)
{
    TRY(bind_query(binder, NULL, NULL, ast->query, false, &bound->root));
    bound->kind = BOUND_QUERY;
    bind_results(binder, bound);
    return STATUS_OK;
}

static Status bind_explain(Binder *binder, const AstStatement *ast, BoundStatement *bound);

static const PlanResultColumn compression_results[BOUND_COMPRESSION_COLUMNS] = {
    {.name = "Table", .type = {.id = TYPE_VARCHAR}},
    {.name = "Column", .type = {.id = TYPE_VARCHAR}},
    {.name = "Encoding", .type = {.id = TYPE_VARCHAR}},
    {.name = "Est_reduction_pct", .type = {.id = TYPE_DECIMAL, .precision = 5, .scale = 2}},
};

static Status read_comprows(const AstOption *option, uint64_t *out)
{
    char *end = NULL;
    const long long value = strtoll(option->value, &end, 10);
    if (*end != '\0' || value < COMPROWS_MIN || value > COMPROWS_MAX) {
        return status_at(option->position, SQLSTATE_INVALID_PARAMETER_VALUE,
                         "COMPROWS must lie between %lld and %lld", COMPROWS_MIN, COMPROWS_MAX);
    }
    *out = (uint64_t)value;
    return STATUS_OK;
}

static Status bind_compression(Binder *binder, const AstMaintenance *ast, BoundStatement *bound)
{
    BoundCompression *compression = ARENA_NEW(binder->arena, BoundCompression);
    if (bound->target != NULL && bound->target->kind != CATALOG_TABLE) {
        return status_at(ast->table->position, SQLSTATE_WRONG_OBJECT_TYPE,
                         "\"%s\" is not a table", bound->target->name);
    }
    for (uint32_t i = 0; i < ast->options.count; i++) {
        if (ast->options.items[i].value != NULL) {
            TRY(read_comprows(&ast->options.items[i], &compression->row_count));
        }
    }
    if (ast->columns != NULL) {
        compression->columns = ARENA_ARRAY(binder->arena, uint32_t, ast->columns->count);
        for (uint32_t i = 0; i < ast->columns->count; i++) {
            TRY(bind_column_name(bound->target, &ast->columns->items[i],
                                 &compression->columns[compression->column_count++]));
        }
    }
    bound->compression = compression;
    bound->result_count = BOUND_COMPRESSION_COLUMNS;
    bound->results =
        arena_memdup(binder->arena, compression_results, sizeof(compression_results));
    return STATUS_OK;
}

// ANALYZE and VACUUM name a table, or mean all of them.
static Status bind_analyze(Binder *binder, const AstStatement *ast, BoundStatement *bound)
{
    const AstMaintenance *maintenance = ast->maintenance;
    if (maintenance->table != NULL) {
        const CatalogTable *table = NULL;
        TRY(bind_table_name(binder, maintenance->table, &table));
        bound->target = table;
    }
    bound->kind = BOUND_ANALYZE;
    return maintenance->options.count > 0 ? bind_compression(binder, maintenance, bound)
                                          : STATUS_OK;
}

static Status bind_show(Binder *binder, const AstStatement *ast, BoundStatement *bound)
{
    if (ast->show->table != NULL) {
        return bind_show_object(binder, ast->show, bound);
    }
    bound->kind = BOUND_SHOW;
    return STATUS_OK;
}

static Status bind_prepare(Binder *binder, const AstStatement *ast, BoundStatement *bound)
{
    const AstTypeNameList *types = &ast->prepare->types;
    bound->parameter_types = ARENA_ARRAY(binder->arena, Type, types->count + 1);
    for (uint32_t i = 0; i < types->count; i++) {
        TRY(type_resolve(binder, types->items[i], false, &bound->parameter_types[i]));
    }
    bound->kind = BOUND_PREPARE;
    return STATUS_OK;
}

static Status bind_plain(const AstStatement *ast, BoundStatement *bound)
{
    for (size_t i = 0; i < sizeof(plain_statements) / sizeof(plain_statements[0]); i++) {
        if (plain_statements[i].kind == ast->kind) {
            bound->kind = plain_statements[i].bound;
            return STATUS_OK;
        }
    }
    for (size_t i = 0; i < sizeof(unsupported_statements) / sizeof(unsupported_statements[0]);
         i++) {
        if (unsupported_statements[i].kind == ast->kind) {
            return status_at(ast->start, SQLSTATE_FEATURE_NOT_SUPPORTED,
                             "%s is not supported yet", unsupported_statements[i].name);
        }
    }
    return status_at(ast->start, SQLSTATE_FEATURE_NOT_SUPPORTED, "%s is not supported yet",
                     ast->kind == AST_STATEMENT_GRANT && ast->grant->is_revoke ? "REVOKE"
                     : ast->kind == AST_STATEMENT_GRANT                        ? "GRANT"
                                                                               : "this statement");
}

static Status bind_kind(Binder *binder, const AstStatement *ast, BoundStatement *bound)
{
    bound->ast = ast;
    switch (ast->kind) {
    case AST_STATEMENT_QUERY:
        return bind_query_statement(binder, ast, bound);
    case AST_STATEMENT_INSERT:
        return bind_insert(binder, ast, bound);
    case AST_STATEMENT_UPDATE:
        return bind_update(binder, ast, bound);
    case AST_STATEMENT_DELETE:
        return bind_delete(binder, ast, bound);
    case AST_STATEMENT_MERGE:
        return bind_merge(binder, ast, bound);
    case AST_STATEMENT_COPY:
        return bind_copy(binder, ast, bound);
    case AST_STATEMENT_CREATE_TABLE:
        return bind_create_table(binder, ast, bound);
    case AST_STATEMENT_CREATE_VIEW:
        return bind_create_view(binder, ast, bound);
    case AST_STATEMENT_CREATE_SCHEMA:
        return bind_create_schema(binder, ast, bound);
    case AST_STATEMENT_ALTER_TABLE:
        return bind_alter_table(binder, ast, bound);
    case AST_STATEMENT_DROP:
        return bind_drop(binder, ast, bound);
    case AST_STATEMENT_TRUNCATE:
        return bind_truncate(binder, ast, bound);
    case AST_STATEMENT_LOCK:
        return bind_lock(binder, ast, bound);
    case AST_STATEMENT_EXPLAIN:
        return bind_explain(binder, ast, bound);
    case AST_STATEMENT_SHOW:
        return bind_show(binder, ast, bound);
    case AST_STATEMENT_PREPARE:
        return bind_prepare(binder, ast, bound);
    case AST_STATEMENT_ANALYZE:
        return bind_analyze(binder, ast, bound);
    case AST_STATEMENT_VACUUM:
        return bind_vacuum(binder, ast, bound);
    default:
        return bind_plain(ast, bound);
    }
}

static Status bind_explain(Binder *binder, const AstStatement *ast, BoundStatement *bound)
{
    const AstExplain *explain = ast->explain;
    bound->inner = ARENA_NEW(binder->arena, BoundStatement);
    TRY(bind_kind(binder, explain->statement, bound->inner));
    if (bound->inner->root == NULL) {
        return status_at(explain->statement->start, SQLSTATE_FEATURE_NOT_SUPPORTED,
                         "EXPLAIN of a statement without a plan is not supported");
    }
    bound->kind = BOUND_EXPLAIN;
    bound->is_analyze = explain->is_analyze;
    bound->is_verbose = explain->is_verbose;
    return STATUS_OK;
}

// Every parameter up to the highest must have got a type.
static Status check_parameters(const AstStatement *ast, const BindParameters *parameters)
{
    for (uint32_t i = 0; parameters != NULL && i < parameters->count; i++) {
        if (parameters->types[i].id == TYPE_UNKNOWN && parameters->values == NULL) {
            return status_at(ast->start, SQLSTATE_INDETERMINATE_DATATYPE,
                             "could not determine data type of parameter $%u", i + 1);
        }
    }
    return STATUS_OK;
}

static Binder make_binder(PlannerContext *context, BindParameters *parameters)
{
    return (Binder){.context = context,
                    .arena = context->arena,
                    .catalog = context->catalog,
                    .parameters = parameters};
}

Status bind_statement(PlannerContext *context, const AstStatement *statement,
                      BindParameters *parameters, BoundStatement **out)
{
    Binder binder = make_binder(context, parameters);
    BoundStatement *bound = ARENA_NEW(context->arena, BoundStatement);
    TRY(bind_kind(&binder, statement, bound));
    bool is_plain = bound->root == NULL && bound->inner == NULL;
    if (!is_plain) {
        TRY(check_parameters(statement, parameters));
    }
    *out = bound;
    return STATUS_OK;
}

LogicalNode *logical_rewrite(PlannerContext *context, const CatalogTable *from,
                             const CatalogTable *to)
{
    Binder binder = make_binder(context, NULL);
    return logical_insert(context, to, get_make(&binder, from, NULL));
}

LogicalNode *logical_analysis(PlannerContext *context, const CatalogTable *table)
{
    Binder binder = make_binder(context, NULL);
    LogicalNode *get = get_make(&binder, table, NULL);
    LogicalInsert *insert = (LogicalInsert *)logical_insert(context, table, get);
    insert->is_analysis = true;
    return &insert->node;
}

LogicalNode *logical_compression(PlannerContext *context, const CatalogTable *table,
                                 uint64_t row_count)
{
    LogicalInsert *insert = (LogicalInsert *)logical_analysis(context, table);
    insert->compression_rows = row_count;
    return &insert->node;
}

Status bind_constant(Binder *binder, const Expr *expr, const char *what, Value *out)
{
    const CatalogView *catalog = binder->catalog;
    if (expr->kind == EXPR_CONSTANT) {
        *out = expr->constant;
        return STATUS_OK;
    }
    if (catalog->evaluate_constant == NULL) {
        return status_at(expr->position, SQLSTATE_FEATURE_NOT_SUPPORTED, "%s must be a constant",
                         what);
    }
    Status status = catalog->evaluate_constant(catalog->self, expr, binder->arena, out);
    return status_with_position(status, expr->position);
}

Status bind_arguments(PlannerContext *context, const AstExecute *execute, uint32_t count,
                      const Type *types, Value **out)
{
    Binder binder = make_binder(context, NULL);
    Scope scope;
    if (execute->arguments.count != count) {
        Status status = status_at(execute->position, SQLSTATE_SYNTAX_ERROR,
                                  "wrong number of parameters for prepared statement \"%s\"",
                                  execute->name);
        return status_with_detail(status, "Expected %u parameters but got %u.", count,
                                  execute->arguments.count);
    }
    Value *values = ARENA_ARRAY(context->arena, Value, count + 1);
    scope_init(&scope, NULL, NULL, NULL);
    scope.clause = CLAUSE_ARGUMENTS;
    for (uint32_t i = 0; i < count; i++) {
        Expr *expr = NULL;
        TRY(bind_expr(&binder, &scope, execute->arguments.items[i], &expr));
        if (types[i].id == TYPE_UNKNOWN) {
            TRY(coerce_unknown(&binder, expr, &expr));
        } else {
            TRY(coerce(&binder, expr, types[i], CAST_ASSIGNMENT, &expr));
        }
        TRY(bind_constant(&binder, expr, "an argument of EXECUTE", &values[i]));
    }
    *out = values;
    return STATUS_OK;
}

Status bind_default(PlannerContext *context, const char *text, Type type, Expr **out)
{
    Binder binder = make_binder(context, NULL);
    AstExpr *ast = NULL;
    TRY(parse_expression(text, strlen(text), context->arena, &ast));
    return bind_default_expr(&binder, ast, type, out);
}
