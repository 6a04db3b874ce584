/*
 * parser_internal.h — the parser's state and what the grammar's actions call; this folder only.
 */
#pragma once
#include "planner/parser/lexer.h"

/* One word, literal or symbol of a list of options that the grammar does not look into. */
typedef enum SoupKind { SOUP_WORD, SOUP_STRING, SOUP_NUMBER, SOUP_SYMBOL } SoupKind;
typedef struct SoupItem {
    SoupKind kind;
    AstLocation location;
    const char *text;
} SoupItem;
typedef struct SoupList {
    SoupItem *items;
    uint32_t count, capacity;
} SoupList;

typedef struct QueryLimits {
    AstExpr *limit, *offset;
    int32_t limit_position, offset_position;
} QueryLimits;
typedef struct TableAlias {
    const char *name;
    AstWordList *columns;
} TableAlias;
typedef struct FetchRange {
    const char *name;
    int64_t count;
    bool is_all, is_backward;
} FetchRange;

typedef struct GrantTarget {
    AstObjectKind kind;
    bool is_all_in_schema;
    AstObjectNameList objects;
} GrantTarget;

typedef struct Parser {
    TokenFilter filter;
    Arena *arena;
    AstStatementList statements;
    AstExpr *expression;       /* of parse_expression */
    uint32_t parameter_max;    /* of the statement being read */
    uint32_t syntax_error_count;
    Status status;
} Parser;

/* Flags added to small numbers that grammar rules pass on. */
#define IS_NEGATED 0x100

/* Errors: both set parser->status. */
int parser_syntax_error(Parser *parser, AstLocation location);
void parser_stack_exhausted(Parser *parser, AstLocation location, const char *message);
/* 42601 at `location` unless `word` is the expected one. */
Status parser_expect_word(Parser *parser, AstLocation location, const char *word,
                          const char *expected) CHECKED;
Status parser_error_near(Parser *parser, AstLocation location) CHECKED;

/* Names, types, literals. */
AstWordList *parser_words(Parser *parser, AstWordList words);
Status parser_object_name(Parser *parser, const AstWordList *parts, AstObjectName **out) CHECKED;
AstTypeName *parser_type(Parser *parser, AstLocation location, const char *name);
Status parser_qualified_type(Parser *parser, const AstWordList *parts, AstTypeName **out) CHECKED;
AstExpr *parser_text(Parser *parser, AstExprKind kind, AstLocation location, const char *text);
AstExpr *parser_typed_literal(Parser *parser, AstLocation location, AstTypeName *type,
                              const char *text);
Status parser_parameter(Parser *parser, AstLocation location, const char *digits,
                        AstExpr **out) CHECKED;
Status parser_integer(Parser *parser, AstLocation location, const char *digits, bool is_negative,
                      int64_t *out) CHECKED;
const char *parser_minus(Parser *parser, const char *digits);
const char *parser_source(Parser *parser, AstLocation location);

/* Expressions. */
AstExpr *parser_column(Parser *parser, AstLocation location, const char *name);
AstExpr *parser_qualified_column(Parser *parser, AstLocation location, const AstWordList *parts);
AstExpr *parser_operator(Parser *parser, AstLocation location, const char *symbol, AstExpr *left,
                         AstExpr *right);
AstExpr *parser_negate(Parser *parser, AstLocation location, AstExpr *operand);
AstExpr *parser_is(Parser *parser, AstLocation location, AstExpr *operand, int test);
AstExpr *parser_like(Parser *parser, AstLocation location, int like, AstExpr *value,
                     AstExpr *pattern, AstExpr *escape);
AstExpr *parser_in_list(Parser *parser, AstLocation location, AstExpr *value,
                        const AstExprList *items, bool is_negated);
AstExpr *parser_row(Parser *parser, AstLocation location, AstExpr *first, const AstExprList *rest);
AstExpr *parser_case(Parser *parser, AstLocation location, AstExpr *operand,
                     const AstExprList *branches, AstExpr *otherwise);
AstExpr *parser_name_call(Parser *parser, AstLocation location, const char *name, AstExpr *body);
Status parser_qualified_call(Parser *parser, AstLocation location, const AstWordList *parts,
                             AstExpr *body) CHECKED;
Status parser_frame(Parser *parser, int unit, AstFrameBound start, AstFrameBound end,
                    AstWindow **out) CHECKED;

/* Queries. */
AstQuery *parser_query(Parser *parser, AstQueryKind kind, AstLocation location);
AstQuery *parser_table_query(Parser *parser, AstLocation location, AstObjectName *name);
AstQuery *parser_set(Parser *parser, AstLocation location, AstSetKind set, bool is_all,
                     AstQuery *left, AstQuery *right);
/* Hangs WITH, ORDER BY and LIMIT (each may be null) on a query; one that has its own already, in
 * parentheses, becomes a subquery. */
AstQuery *parser_finish_query(Parser *parser, AstQuery *query, AstWith *with,
                              const AstSortList *order, const QueryLimits *limits);
AstTable *parser_table(Parser *parser, AstLocation location, AstTableKind kind,
                       const TableAlias *alias);
AstTable *parser_join(Parser *parser, AstLocation location, int kind, AstTable *left,
                      AstTable *right);
AstTable *parser_alias_join(Parser *parser, AstTable *join, const TableAlias *alias);

/* Statements. */
AstStatement *parser_statement(Parser *parser, AstStatementKind kind);
AstStatement *parser_named(Parser *parser, AstStatementKind kind, const char *name);
/* Gives a statement its text range. */
AstStatement *parser_place(Parser *parser, AstStatement *statement, AstLocation location);
void parser_add_statement(Parser *parser, AstStatement *statement, AstLocation location);
AstStatement *parser_query_statement(Parser *parser, AstQuery *query); /* SELECT INTO: a CTAS */
AstStatement *parser_insert(Parser *parser, AstObjectName *table, AstWordList *columns,
                            AstQuery *query);
/* What MERGE does, with what it does it to. */
AstStatement *parser_merge(AstStatement *actions, AstObjectName *table, const char *alias,
                           AstTable *source, AstExpr *condition);
AstStatement *parser_create_table(Parser *parser, AstObjectName *name, AstCreateTable *elements,
                                  const AstTableAttributes *attributes);
AstStatement *parser_create_table_as(Parser *parser, AstObjectName *name, AstWordList *columns,
                                     const AstTableAttributes *attributes, AstQuery *query);
void parser_add_like(Parser *parser, AstCreateTable *table, AstObjectName *source,
                     bool is_including_defaults);
AstConstraint *parser_constraint(Parser *parser, AstConstraintKind kind, AstLocation location,
                                 AstWordList columns);
AstConstraint *parser_column_constraint(Parser *parser, AstColumnDefinition *column,
                                        AstConstraintKind kind, AstLocation location);
Status parser_backup(Parser *parser, AstLocation location, const char *word,
                     AstTableAttributes *attributes) CHECKED;
Status parser_sort_key_word(Parser *parser, AstLocation location, const char *word,
                            AstTableAttributes *attributes) CHECKED;
AstStatement *parser_drop(Parser *parser, int kind, const AstObjectNameList *names,
                          bool is_cascade);
AstStatement *parser_alter(Parser *parser, AstObjectKind kind, AstObjectName *name,
                           const AstAlterActionList *actions);
AstAlterAction *parser_alter_action(Parser *parser, AstAlterKind kind, AstLocation location);
AstStatement *parser_transaction(Parser *parser, AstTransactionKind kind,
                                 AstTransactionModes modes, const char *savepoint);
AstTransactionModes parser_merge_modes(AstTransactionModes left, AstTransactionModes right);
AstStatement *parser_set_value(Parser *parser, AstLocation location, AstSetScope scope,
                               const char *name, const SoupList *values);
AstStatement *parser_set_time_zone(Parser *parser, AstLocation location, AstSetScope scope,
                                   const SoupList *values);
AstStatement *parser_show(Parser *parser, const char *name);
AstStatement *parser_reset(Parser *parser, AstLocation location, const char *name);
AstStatement *parser_explain(Parser *parser, AstLocation location, AstStatement *statement,
                             bool is_analyze, bool is_verbose);
AstStatement *parser_fetch(Parser *parser, FetchRange range);
AstStatement *parser_grant(Parser *parser, const AstWordList *privileges,
                           const GrantTarget *target, const AstOptionList *grantees);
AstOptionList parser_grantee(Parser *parser, AstLocation location, const char *kind,
                             const char *name);
Status parser_comment(Parser *parser, int kind, AstObjectName *object, const char *text,
                      AstStatement **out) CHECKED;

/* Options in free order (statement_options.c, copy_options.c). */
Status parser_copy(Parser *parser, const AstCopy *copy, const SoupList *soup,
                   AstStatement **out) CHECKED;
Status parser_user(Parser *parser, AstUserAction action, AstWord name, const SoupList *soup,
                   AstStatement **out) CHECKED;
Status parser_vacuum(Parser *parser, const SoupList *soup, AstStatement **out) CHECKED;
Status parser_analyze(Parser *parser, const SoupList *soup, AstStatement **out) CHECKED;
Status parser_explain_options(Parser *parser, const SoupList *soup, AstExplain *explain) CHECKED;
