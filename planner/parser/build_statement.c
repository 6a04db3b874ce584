/*
 * build_statement.c — the grammar's actions for statements other than queries.
 */
#include "planner/parser/parse.h"
#include "planner/parser/parser_internal.h"

#include <string.h>

AstStatement *parser_statement(Parser *parser, AstStatementKind kind)
{
    AstStatement *statement = ARENA_NEW(parser->arena, AstStatement);
    statement->kind = kind;
    return statement;
}

AstStatement *parser_named(Parser *parser, AstStatementKind kind, const char *name)
{
    AstStatement *statement = parser_statement(parser, kind);
    statement->name = name;
    return statement;
}

AstStatement *parser_place(Parser *parser, AstStatement *statement, AstLocation location)
{
    statement->start = location.start;
    statement->end = location.end;
    statement->parameter_count = parser->parameter_max;
    return statement;
}

void parser_add_statement(Parser *parser, AstStatement *statement, AstLocation location)
{
    parser_place(parser, statement, location);
    AST_LIST_ADD(parser->arena, &parser->statements, statement);
    parser->parameter_max = 0;
}

AstStatement *parser_query_statement(Parser *parser, AstQuery *query)
{
    const AstQuery *first = query;
    while (first->kind == AST_QUERY_SET) {
        first = first->left;
    }
    AstInto *into = first->kind == AST_QUERY_SELECT ? first->select->into : NULL;
    if (into == NULL) {
        AstStatement *statement = parser_statement(parser, AST_STATEMENT_QUERY);
        statement->query = query;
        return statement;
    }
    first->select->into = NULL;
    AstStatement *statement =
        parser_create_table_as(parser, into->table, NULL, &(AstTableAttributes){0}, query);
    statement->create_table->is_temporary |= into->is_temporary;
    return statement;
}

AstStatement *parser_insert(Parser *parser, AstObjectName *table, AstWordList *columns,
                            AstQuery *query)
{
    AstStatement *statement = parser_statement(parser, AST_STATEMENT_INSERT);
    statement->insert = ARENA_NEW(parser->arena, AstInsert);
    *statement->insert = (AstInsert){.table = table, .columns = columns, .query = query};
    return statement;
}

AstStatement *parser_merge(AstStatement *actions, AstObjectName *table, const char *alias,
                           AstTable *source, AstExpr *condition)
{
    actions->merge->table = table;
    actions->merge->alias = alias;
    actions->merge->source = source;
    actions->merge->condition = condition;
    return actions;
}

AstStatement *parser_create_table(Parser *parser, AstObjectName *name, AstCreateTable *elements,
                                  const AstTableAttributes *attributes)
{
    AstStatement *statement = parser_statement(parser, AST_STATEMENT_CREATE_TABLE);
    statement->create_table = elements;
    elements->table = name;
    elements->attributes = *attributes;
    elements->is_temporary = name->name[0] == '#';
    return statement;
}

AstStatement *parser_create_table_as(Parser *parser, AstObjectName *name, AstWordList *columns,
                                     const AstTableAttributes *attributes, AstQuery *query)
{
    AstCreateTable *table = ARENA_NEW(parser->arena, AstCreateTable);
    table->query = query;
    for (uint32_t i = 0; columns != NULL && i < columns->count; i++) {
        AstColumnDefinition *column = ARENA_NEW(parser->arena, AstColumnDefinition);
        column->position = columns->items[i].position;
        column->name = columns->items[i].text;
        AST_LIST_ADD(parser->arena, &table->columns, column);
    }
    return parser_create_table(parser, name, table, attributes);
}

void parser_add_like(Parser *parser, AstCreateTable *table, AstObjectName *source,
                     bool is_including_defaults)
{
    AstTableLike like = {.table = source,
                         .is_including_defaults = is_including_defaults,
                         .column_index = table->columns.count};
    AST_LIST_ADD(parser->arena, &table->likes, like);
}

AstConstraint *parser_constraint(Parser *parser, AstConstraintKind kind, AstLocation location,
                                 AstWordList columns)
{
    AstConstraint *constraint = ARENA_NEW(parser->arena, AstConstraint);
    constraint->kind = kind;
    constraint->position = location.start;
    constraint->columns = columns;
    return constraint;
}

AstConstraint *parser_column_constraint(Parser *parser, AstColumnDefinition *column,
                                        AstConstraintKind kind, AstLocation location)
{
    AstConstraint *constraint = parser_constraint(parser, kind, location, (AstWordList){0});
    AstWord name = {.text = column->name, .position = column->position};
    AST_LIST_ADD(parser->arena, &constraint->columns, name);
    AST_LIST_ADD(parser->arena, &column->constraints, constraint);
    return constraint;
}

Status parser_backup(Parser *parser, AstLocation location, const char *word,
                     AstTableAttributes *attributes)
{
    attributes->has_backup = true;
    attributes->is_backup = strcmp(word, "yes") == 0;
    return attributes->is_backup ? STATUS_OK : parser_expect_word(parser, location, word, "no");
}

Status parser_sort_key_word(Parser *parser, AstLocation location, const char *word,
                            AstTableAttributes *attributes)
{
    attributes->sort_key_style =
        strcmp(word, "none") == 0 ? AST_SORT_KEY_NONE : AST_SORT_KEY_AUTO;
    return strcmp(word, "none") == 0 ? STATUS_OK
                                     : parser_expect_word(parser, location, word, "auto");
}

AstStatement *parser_drop(Parser *parser, int kind, const AstObjectNameList *names,
                          bool is_cascade)
{
    AstStatement *statement = parser_statement(parser, AST_STATEMENT_DROP);
    statement->drop = ARENA_NEW(parser->arena, AstDrop);
    *statement->drop =
        (AstDrop){.kind = (AstObjectKind)kind, .names = *names, .is_cascade = is_cascade};
    return statement;
}

AstStatement *parser_alter(Parser *parser, AstObjectKind kind, AstObjectName *name,
                           const AstAlterActionList *actions)
{
    AstStatement *statement = parser_statement(parser, AST_STATEMENT_ALTER_TABLE);
    statement->alter_table = ARENA_NEW(parser->arena, AstAlterTable);
    *statement->alter_table = (AstAlterTable){.kind = kind, .table = name, .actions = *actions};
    return statement;
}

AstAlterAction *parser_alter_action(Parser *parser, AstAlterKind kind, AstLocation location)
{
    AstAlterAction *action = ARENA_NEW(parser->arena, AstAlterAction);
    action->kind = kind;
    action->position = location.start;
    return action;
}

AstStatement *parser_transaction(Parser *parser, AstTransactionKind kind,
                                 AstTransactionModes modes, const char *savepoint)
{
    AstStatement *statement = parser_statement(parser, AST_STATEMENT_TRANSACTION);
    statement->transaction = ARENA_NEW(parser->arena, AstTransaction);
    *statement->transaction =
        (AstTransaction){.kind = kind, .modes = modes, .savepoint = savepoint};
    return statement;
}

AstTransactionModes parser_merge_modes(AstTransactionModes left, AstTransactionModes right)
{
    if (right.isolation != AST_ISOLATION_DEFAULT) {
        left.isolation = right.isolation;
    }
    if (right.has_access) {
        left.has_access = true;
        left.is_read_only = right.is_read_only;
    }
    return left;
}

// A list of one keeps its text as it is; items of a longer one are quoted where they need it.
static const char *join_values(Parser *parser, const SoupList *values)
{
    if (values->count == 1) {
        return values->items[0].text;
    }
    const char **texts = ARENA_ARRAY(parser->arena, const char *, values->count);
    size_t bytes = 1;
    for (uint32_t i = 0; i < values->count; i++) {
        const SoupItem *item = &values->items[i];
        texts[i] = item->kind == SOUP_NUMBER ? item->text
                                             : quote_identifier(parser->arena, item->text);
        bytes += strlen(texts[i]) + 2;
    }
    char *joined = arena_alloc(parser->arena, bytes);
    char *end = joined;
    for (uint32_t i = 0; i < values->count; i++) {
        size_t length = strlen(texts[i]);
        memcpy(end, ", ", i == 0 ? 0 : 2);
        end += i == 0 ? 0 : 2;
        memcpy(end, texts[i], length);
        end += length;
    }
    return joined;
}

AstStatement *parser_set_value(Parser *parser, AstLocation location, AstSetScope scope,
                               const char *name, const SoupList *values)
{
    AstStatement *statement = parser_statement(parser, AST_STATEMENT_SET);
    const SoupItem *first = &values->items[0];
    bool is_default = values->count == 1 && first->kind == SOUP_WORD &&
                      strcmp(first->text, "default") == 0;
    statement->set = ARENA_NEW(parser->arena, AstSet);
    *statement->set = (AstSet){.scope = scope,
                               .is_reset = is_default,
                               .name = name,
                               .value = is_default ? NULL : join_values(parser, values),
                               .position = location.start};
    return statement;
}

// SET TIME ZONE LOCAL means the default, like DEFAULT.
AstStatement *parser_set_time_zone(Parser *parser, AstLocation location, AstSetScope scope,
                                   const SoupList *values)
{
    SoupItem *item = &values->items[0];
    if (item->kind == SOUP_WORD && strcmp(item->text, "local") == 0) {
        item->text = "default";
    }
    return parser_set_value(parser, location, scope, "timezone", values);
}

AstStatement *parser_show(Parser *parser, const char *name)
{
    AstStatement *statement = parser_statement(parser, AST_STATEMENT_SHOW);
    statement->show = ARENA_NEW(parser->arena, AstShow);
    statement->show->name = name;
    return statement;
}

AstStatement *parser_reset(Parser *parser, AstLocation location, const char *name)
{
    AstStatement *statement = parser_statement(parser, AST_STATEMENT_SET);
    statement->set = ARENA_NEW(parser->arena, AstSet);
    *statement->set = (AstSet){.is_reset = true, .name = name, .position = location.start};
    return statement;
}

AstStatement *parser_explain(Parser *parser, AstLocation location, AstStatement *statement,
                             bool is_analyze, bool is_verbose)
{
    AstStatement *explain = parser_statement(parser, AST_STATEMENT_EXPLAIN);
    explain->explain = ARENA_NEW(parser->arena, AstExplain);
    *explain->explain = (AstExplain){.is_analyze = is_analyze,
                                     .is_verbose = is_verbose,
                                     .statement = parser_place(parser, statement, location)};
    return explain;
}

AstStatement *parser_fetch(Parser *parser, FetchRange range)
{
    AstStatement *statement = parser_statement(parser, AST_STATEMENT_FETCH);
    statement->fetch = ARENA_NEW(parser->arena, AstFetch);
    *statement->fetch = (AstFetch){.name = range.name,
                                   .is_all = range.is_all,
                                   .is_backward = range.is_backward,
                                   .count = range.count};
    return statement;
}

AstStatement *parser_grant(Parser *parser, const AstWordList *privileges,
                           const GrantTarget *target, const AstOptionList *grantees)
{
    AstStatement *statement = parser_statement(parser, AST_STATEMENT_GRANT);
    statement->grant = ARENA_NEW(parser->arena, AstGrant);
    *statement->grant = (AstGrant){.privileges = *privileges,
                                   .kind = target->kind,
                                   .is_all_in_schema = target->is_all_in_schema,
                                   .objects = target->objects,
                                   .grantees = *grantees};
    return statement;
}

AstOptionList parser_grantee(Parser *parser, AstLocation location, const char *kind,
                             const char *name)
{
    AstOptionList list = {0};
    AstOption grantee = {.name = kind, .value = name, .position = location.start};
    AST_LIST_ADD(parser->arena, &list, grantee);
    return list;
}

// COMMENT ON COLUMN [schema.]table.column: the grammar has read three parts as one object.
Status parser_comment(Parser *parser, int kind, AstObjectName *object, const char *text,
                      AstStatement **out)
{
    AstStatement *statement = parser_statement(parser, AST_STATEMENT_COMMENT);
    statement->comment = ARENA_NEW(parser->arena, AstComment);
    *statement->comment =
        (AstComment){.kind = (AstObjectKind)kind, .object = object, .text = text};
    if (kind == AST_OBJECT_COLUMN) {
        if (object->schema == NULL) {
            return status_at(object->position, SQLSTATE_SYNTAX_ERROR,
                             "column name must be qualified");
        }
        statement->comment->column = object->name;
        object->name = object->schema;
        object->schema = object->database;
        object->database = NULL;
    }
    *out = statement;
    return STATUS_OK;
}
