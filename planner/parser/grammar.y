/*
 * grammar.y — the Redshift dialect as a grammar: zero conflicts, positions as byte offsets.
 *
 * CMake fills the two marked places from keywords.def before bison reads this file, so the words
 * and their classes are written once. In rules a word stands as itself: "select".
 *
 * Levels of an expression, outer first:
 *   expr     AND, OR, NOT, IS, comparisons, LIKE, BETWEEN, IN   (what WHERE takes)
 *   operand  arithmetic, ||, casts, AT TIME ZONE                (what BETWEEN … AND takes)
 *   primary  names, literals, calls, parentheses
 */
%require "3.8"
%define api.pure full
%define api.prefix {sql_}
%define api.token.prefix {TOKEN_}
%define api.location.type {AstLocation}
%define lr.type ielr
%define parse.error custom
%define parse.lac full
%locations
%param {Parser *parser}
%start input

%code requires {
#include "planner/parser/parser_internal.h"
}

%code {
static int sql_lex(SQL_STYPE *value, AstLocation *location, Parser *parser)
{
    Token token = token_filter_next(&parser->filter);
    value->text = token.text;
    *location = token.location;
    return token.kind;
}

static void sql_error(AstLocation *location, Parser *parser, const char *message)
{
    parser_stack_exhausted(parser, *location, message);
}

#define YYLLOC_DEFAULT(current, rhs, count)                                                    \
    do {                                                                                       \
        if ((count) > 0) {                                                                     \
            (current).start = YYRHSLOC(rhs, 1).start;                                          \
            (current).end = YYRHSLOC(rhs, count).end;                                          \
        } else {                                                                               \
            (current).start = (current).end = YYRHSLOC(rhs, 0).end;                            \
        }                                                                                      \
    } while (0)

#define arena (parser->arena)
#define NEW(Type) ARENA_NEW(arena, Type)
#define ADD(list, item) AST_LIST_ADD(arena, list, item)
/* Ends the parse with an error that the action has found. */
#define CHECK(call)                                                                            \
    do {                                                                                       \
        parser->status = (call);                                                               \
        if (parser->status != STATUS_OK) {                                                     \
            YYABORT;                                                                           \
        }                                                                                      \
    } while (0)
#define EXPR(kind, at) ast_expr(arena, kind, (at).start)
#define EXPR1(kind, at, a) ast_expr_args(arena, kind, (at).start, 1, (AstExpr *[]){a})
#define EXPR2(kind, at, a, b) ast_expr_args(arena, kind, (at).start, 2, (AstExpr *[]){a, b})
#define EXPR3(kind, at, a, b, c) ast_expr_args(arena, kind, (at).start, 3, (AstExpr *[]){a, b, c})
#define CALL(name, at, ...)                                                                    \
    ast_expr_call(arena, name, (at).start,                                                     \
                  (uint32_t)(sizeof((AstExpr *[]){__VA_ARGS__}) / sizeof(AstExpr *)),          \
                  (AstExpr *[]){__VA_ARGS__})
#define FRAME_BOUND(KIND, at, value)                                                           \
    ((AstFrameBound){.kind = AST_BOUND_##KIND, .offset = (value), .position = (at).start})
#define SOUP(KIND, at, string)                                                                 \
    ((SoupItem){.kind = SOUP_##KIND, .location = (at), .text = (string)})
#define STATEMENT(KIND, member, Type)                                                          \
    ({                                                                                         \
        AstStatement *made = parser_statement(parser, AST_STATEMENT_##KIND);                   \
        made->member = NEW(Type);                                                              \
        made;                                                                                  \
    })
#define ALTER(KIND, at) parser_alter_action(parser, AST_ALTER_##KIND, at)
#define TRANSACTION(KIND, savepoint)                                                           \
    parser_transaction(parser, AST_TRANSACTION_##KIND, (AstTransactionModes){0}, savepoint)
#define WORD(string, at) ((AstWord){.text = (string), .position = (at).start})
}

%union {
    const char *text;
    int integer;
    bool flag;
    int64_t number;
    AstWord word;
    AstWordList words;
    AstWordList *words_pointer;
    AstObjectName *object;
    AstObjectNameList objects;
    AstTypeName *type;
    AstTypeNameList types;
    AstExpr *expr;
    AstExprList exprs;
    AstSortKey sort_key;
    AstSortList sort_keys;
    AstWindow *window;
    AstWindowList windows;
    AstFrameBound bound;
    AstSelect *select;
    AstSelectItem select_item;
    AstSelectList select_items;
    AstInto *into;
    AstTable *table;
    AstTableList tables;
    TableAlias alias;
    AstGroupItem group_item;
    AstGroupList group_items;
    AstWith *with;
    AstCte cte;
    AstCteList ctes;
    AstQuery *query;
    AstRowList rows;
    QueryLimits limits;
    AstAssignment assignment;
    AstAssignmentList assignments;
    AstColumnDefinition *column;
    AstConstraint *constraint;
    AstCreateTable *create_table;
    AstTableAttributes *attributes;
    AstAlterAction *alter_action;
    AstAlterActionList alter_actions;
    AstTransactionModes modes;
    AstOptionList options;
    SoupItem soup_item;
    SoupList soup;
    FetchRange fetch_range;
    GrantTarget grant_target;
    AstStatement *statement;
}

/* Tokens without a word. */
%token <text> NAME STRING INTEGER NUMBER PARAMETER OPERATOR
%token LESS_EQUAL GREATER_EQUAL NOT_EQUAL TYPECAST
%token <text> NOT_PREDICATE NULLS_ORDER WITH_TIME IGNORE_NULLS RESPECT_NULLS
%token <text> IGNORE_NULLS_INSIDE RESPECT_NULLS_INSIDE APPROXIMATE_CALL
%token START_EXPRESSION ERROR
/* @KEYWORD_TOKENS@ */

/* Weakest first. */
%left "union" "except" "minus"
%left "intersect"
%left "or"
%left "and"
%precedence "not"
%precedence "is" "isnull" "notnull"
%nonassoc '<' '>' '=' LESS_EQUAL GREATER_EQUAL NOT_EQUAL
%left OPERATOR "operator"
%left '+' '-'
%left '*' '/' '%'
%left '^'
%left "at"
%precedence "collate"
%precedence SIGN
%precedence ')'
%precedence TYPECAST
/* Joins bind to the left, and tighter than a comma. */
%left "join" "cross" "left" "full" "right" "inner" "natural"

%type <text> col_id type_function_name col_label bare_label any_word unreserved_keyword
%type <text> column_name_keyword type_function_keyword reserved_keyword bare_keyword
%type <text> comparison interval_text any_operator all_operators collation trim_side
%type <text> constant_call date_word opt_window_base setting_name update_alias copy_path
%type <text> opt_owner close_name
%type <word> name_word privilege
%type <words> name_list qualified privileges opt_lock_mode lock_words
%type <words_pointer> column_names opt_column_names opt_exclude
%type <object> object_name
%type <objects> object_names
%type <type> type_name simple_type literal_type
%type <types> type_list opt_type_list
%type <integer> opt_interval_fields interval_fields is_test quantifier like opt_nulls_order
%type <integer> frame_unit join_kind drop_kind comment_kind isolation_level
%type <flag> time_zone between in opt_symmetric opt_distinct opt_nulls_treatment opt_nulls_inside opt_all
%type <flag> opt_direction opt_temporary opt_replace opt_cascade opt_hold
%type <flag> opt_without_data opt_no_binding opt_grant_option identity_kind copy_direction
%type <flag> opt_like_defaults opt_verbose
%type <expr> expr operand primary literal signed_number opt_expr case_expr call plain_call
%type <expr> call_body special_call subscripted column_ref opt_else opt_escape opt_filter
%type <expr> frame_offset extract_field opt_top top opt_where opt_having value limit_value
%type <exprs> expr_list when_list type_modifiers row_values value_list opt_partition
%type <exprs> opt_arguments
%type <sort_key> sort_key
%type <sort_keys> sort_keys order_by opt_order_by opt_within_group
%type <window> opt_over window_spec opt_frame window_definition
%type <windows> windows
%type <bound> frame_bound
%type <select> select select_head select_tail opt_group
%type <select_item> select_item
%type <select_items> select_items
%type <into> opt_into
%type <table> table_ref join
%type <tables> opt_from table_refs opt_using
%type <alias> alias opt_alias
%type <group_item> group_item
%type <group_items> group_items
%type <with> with
%type <cte> cte
%type <ctes> ctes
%type <query> query query_parens query_bare query_term query_core
%type <rows> values
%type <limits> limits limit offset
%type <statement> statement plain_statement explainable insert update delete merge merge_actions
%type <statement> merge_insert copy create drop
%type <statement> alter truncate transaction set show reset explain prepare execute deallocate
%type <statement> cursor maintenance grant comment
%type <assignment> assignment
%type <assignments> assignments
%type <column> column_definition
%type <constraint> table_constraint constraint_body
%type <create_table> table_elements
%type <attributes> table_attributes
%type <alter_action> alter_action alter_column
%type <alter_actions> alter_actions
%type <modes> modes opt_modes mode
%type <number> signed_integer
%type <fetch_range> fetch_range
%type <grant_target> grant_target
%type <soup_item> soup_item set_value explain_word
%type <soup> soup set_values explain_options
%type <options> grantees grantee

%%

input:
    statements
  | START_EXPRESSION expr                  { parser->expression = $2; }
  ;

statements:
    opt_statement
  | statements ';' opt_statement
  ;

opt_statement:
    %empty                                 { parser->parameter_max = 0; }
  | statement                              { parser_add_statement(parser, $1, @1); }
  ;

statement:
    plain_statement
  | explain
  | prepare
  ;

plain_statement:
    query
    {
        $$ = parser_query_statement(parser, $1);
    }
  | insert | update | delete | merge | copy | create | drop | alter | truncate | transaction | set
  | show | reset | execute | deallocate | cursor | maintenance | grant | comment
  ;

/* ---- names ---- */

col_id:             NAME | unreserved_keyword | column_name_keyword ;
type_function_name: NAME | unreserved_keyword | type_function_keyword ;
col_label:          any_word ;
bare_label:         NAME | bare_keyword ;
any_word:
    NAME | unreserved_keyword | column_name_keyword | type_function_keyword | reserved_keyword
  ;

/* @KEYWORD_RULES@ */

name_word:
    col_id                                 { $$ = WORD($1, @1); }
  ;

name_list:
    name_word                              { $$ = (AstWordList){0}; ADD(&$$, $1); }
  | name_list ',' name_word                { $$ = $1; ADD(&$$, $3); }
  ;

column_names:
    '(' name_list ')'                      { $$ = parser_words(parser, $2); }
  ;

opt_column_names:
    %empty                                 { $$ = NULL; }
  | column_names
  ;

qualified:
    col_id '.' col_label                   { $$ = (AstWordList){0};
                                             ADD(&$$, WORD($1, @1)); ADD(&$$, WORD($3, @3)); }
  | qualified '.' col_label                { $$ = $1; ADD(&$$, WORD($3, @3)); }
  ;

object_name:
    col_id                                 { $$ = NEW(AstObjectName);
                                             $$->position = @1.start; $$->name = $1; }
  | qualified                              { CHECK(parser_object_name(parser, &$1, &$$)); }
  ;

object_names:
    object_name                            { $$ = (AstObjectNameList){0}; ADD(&$$, $1); }
  | object_names ',' object_name           { $$ = $1; ADD(&$$, $3); }
  ;

/* ---- types ---- */

type_name:
    simple_type
  | simple_type '[' ']'                    { $$ = $1; $$->is_array = true; }
  | simple_type "array"                    { $$ = $1; $$->is_array = true; }
  ;

simple_type:
    literal_type
  | type_function_name                     { $$ = parser_type(parser, @1, $1); }
  | type_function_name type_modifiers      { $$ = parser_type(parser, @1, $1);
                                             $$->modifiers = $2; }
  | qualified                              { CHECK(parser_qualified_type(parser, &$1, &$$)); }
  | qualified type_modifiers               { CHECK(parser_qualified_type(parser, &$1, &$$));
                                             $$->modifiers = $2; }
  | "interval" opt_interval_fields         { $$ = parser_type(parser, @1, "interval");
                                             $$->interval_fields = (uint32_t)$2; }
  | "interval" type_modifiers              { $$ = parser_type(parser, @1, "interval");
                                             $$->modifiers = $2; }
  ;

/* Types of several words; each may stand before a string literal. */
literal_type:
    "double" "precision"                   { $$ = parser_type(parser, @1, "double precision"); }
  | char_word                              { $$ = parser_type(parser, @1, "character"); }
  | char_word type_modifiers               { $$ = parser_type(parser, @1, "character");
                                             $$->modifiers = $2; }
  | char_word "varying"                    { $$ = parser_type(parser, @1, "character varying"); }
  | char_word "varying" type_modifiers     { $$ = parser_type(parser, @1, "character varying");
                                             $$->modifiers = $3; }
  | "varchar"                              { $$ = parser_type(parser, @1, "character varying"); }
  | "varchar" type_modifiers               { $$ = parser_type(parser, @1, "character varying");
                                             $$->modifiers = $2; }
  | "timestamp" opt_precision time_zone    { $$ = parser_type(parser, @1, "timestamp");
                                             $$->has_time_zone = $3; }
  | "time" opt_precision time_zone         { $$ = parser_type(parser, @1, "time");
                                             $$->has_time_zone = $3; }
  ;

char_word:       "char" | "character" ;
opt_precision:   %empty | '(' INTEGER ')' ;
time_zone:
    %empty                                 { $$ = false; }
  | WITH_TIME "time" "zone"                { $$ = true; }
  | "without" "time" "zone"                { $$ = false; }
  ;

type_modifiers:
    '(' expr_list ')'                      { $$ = $2; }
  ;

type_list:
    type_name                              { $$ = (AstTypeNameList){0}; ADD(&$$, $1); }
  | type_list ',' type_name                { $$ = $1; ADD(&$$, $3); }
  ;

opt_type_list:
    %empty                                 { $$ = (AstTypeNameList){0}; }
  | '(' type_list ')'                      { $$ = $2; }
  ;

opt_interval_fields:
    %empty                                 { $$ = 0; }
  | interval_fields
  ;

interval_fields:
    "year"                                 { $$ = AST_INTERVAL_YEAR; }
  | "month"                                { $$ = AST_INTERVAL_MONTH; }
  | "day" opt_precision                    { $$ = AST_INTERVAL_DAY; }
  | "hour" opt_precision                   { $$ = AST_INTERVAL_HOUR; }
  | "minute" opt_precision                 { $$ = AST_INTERVAL_MINUTE; }
  | "second" opt_precision                 { $$ = AST_INTERVAL_SECOND; }
  | "year" "to" "month"                    { $$ = AST_INTERVAL_YEAR | AST_INTERVAL_MONTH; }
  | "day" opt_precision "to" "hour"        { $$ = AST_INTERVAL_DAY | AST_INTERVAL_HOUR; }
  | "day" opt_precision "to" "minute"      { $$ = AST_INTERVAL_DAY | AST_INTERVAL_HOUR |
                                                  AST_INTERVAL_MINUTE; }
  | "day" opt_precision "to" "second" opt_precision
                                           { $$ = AST_INTERVAL_DAY | AST_INTERVAL_HOUR |
                                                  AST_INTERVAL_MINUTE | AST_INTERVAL_SECOND; }
  | "hour" opt_precision "to" "minute"     { $$ = AST_INTERVAL_HOUR | AST_INTERVAL_MINUTE; }
  | "hour" opt_precision "to" "second" opt_precision
                                           { $$ = AST_INTERVAL_HOUR | AST_INTERVAL_MINUTE |
                                                  AST_INTERVAL_SECOND; }
  | "minute" opt_precision "to" "second" opt_precision
                                           { $$ = AST_INTERVAL_MINUTE | AST_INTERVAL_SECOND; }
  ;

/* ---- expressions ---- */

expr_list:
    expr                                   { $$ = (AstExprList){0}; ADD(&$$, $1); }
  | expr_list ',' expr                     { $$ = $1; ADD(&$$, $3); }
  ;

expr:
    operand
  | expr "or" expr                         { $$ = ast_expr_connect(arena, AST_OR, @2.start, $1, $3); }
  | expr "and" expr                        { $$ = ast_expr_connect(arena, AST_AND, @2.start, $1, $3); }
  | "not" expr                             { $$ = EXPR1(AST_NOT, @1, $2); }
  | expr "is" is_test                      { $$ = parser_is(parser, @2, $1, $3); }
  | expr "isnull"                          { $$ = parser_is(parser, @2, $1, AST_IS_NULL); }
  | expr "notnull"                         { $$ = parser_is(parser, @2, $1, AST_IS_NULL | IS_NEGATED); }
  | expr "is" "distinct" "from" operand    { $$ = EXPR2(AST_IS_DISTINCT, @2, $1, $5); }
  | expr "is" "not" "distinct" "from" operand
                                           { $$ = EXPR2(AST_IS_DISTINCT, @2, $1, $6);
                                             $$->is_negated = true; }
  | expr '<' expr                          { $$ = parser_operator(parser, @2, "<", $1, $3); }
  | expr '>' expr                          { $$ = parser_operator(parser, @2, ">", $1, $3); }
  | expr '=' expr                          { $$ = parser_operator(parser, @2, "=", $1, $3); }
  | expr LESS_EQUAL expr                   { $$ = parser_operator(parser, @2, "<=", $1, $3); }
  | expr GREATER_EQUAL expr                { $$ = parser_operator(parser, @2, ">=", $1, $3); }
  | expr NOT_EQUAL expr                    { $$ = parser_operator(parser, @2, "<>", $1, $3); }
  | expr comparison quantifier query_parens %prec ')'
    {
        $$ = EXPR1(AST_QUANTIFIED, @2, $1);
        $$->query = $4;
        $$->comparison = $2;
        $$->is_all = $3 != 0;
    }
  | expr comparison quantifier '(' expr ')'
    {
        $$ = EXPR2(AST_QUANTIFIED, @2, $1, $5);
        $$->comparison = $2;
        $$->is_all = $3 != 0;
    }
  | operand like operand opt_escape         { $$ = parser_like(parser, @2, $2, $1, $3, $4); }
  | operand between opt_symmetric operand "and" operand
                                           { $$ = EXPR3(AST_BETWEEN, @2, $1, $4, $6);
                                             $$->is_negated = $2;
                                             $$->is_symmetric = $3; }
  | operand in '(' expr_list ')'           { $$ = parser_in_list(parser, @2, $1, &$4, $2); }
  | operand in query_parens %prec ')'      { $$ = EXPR1(AST_IN_QUERY, @2, $1); $$->query = $3;
                                             $$->is_negated = $2; }
  ;

like:
    "like"                                 { $$ = AST_LIKE_LIKE; }
  | "ilike"                                { $$ = AST_LIKE_ILIKE; }
  | "similar" "to"                         { $$ = AST_LIKE_SIMILAR; }
  | NOT_PREDICATE "like"                   { $$ = AST_LIKE_LIKE | IS_NEGATED; }
  | NOT_PREDICATE "ilike"                  { $$ = AST_LIKE_ILIKE | IS_NEGATED; }
  | NOT_PREDICATE "similar" "to"           { $$ = AST_LIKE_SIMILAR | IS_NEGATED; }
  ;

between:
    "between"                              { $$ = false; }
  | NOT_PREDICATE "between"                { $$ = true; }
  ;

in:
    "in"                                   { $$ = false; }
  | NOT_PREDICATE "in"                     { $$ = true; }
  ;

opt_escape:
    %empty                                 { $$ = NULL; }
  | "escape" operand                       { $$ = $2; }
  ;

opt_symmetric:
    %empty                                 { $$ = false; }
  | "asymmetric"                           { $$ = false; }
  | "symmetric"                            { $$ = true; }
  ;

comparison:
    '<'                                    { $$ = "<"; }
  | '>'                                    { $$ = ">"; }
  | '='                                    { $$ = "="; }
  | LESS_EQUAL                             { $$ = "<="; }
  | GREATER_EQUAL                          { $$ = ">="; }
  | NOT_EQUAL                              { $$ = "<>"; }
  ;

quantifier:
    "any"                                  { $$ = 0; }
  | "some"                                 { $$ = 0; }
  | "all"                                  { $$ = 1; }
  ;

is_test:
    "null"                                 { $$ = AST_IS_NULL; }
  | "true"                                 { $$ = AST_IS_TRUE; }
  | "false"                                { $$ = AST_IS_FALSE; }
  | "unknown"                              { $$ = AST_IS_UNKNOWN; }
  | "not" "null"                           { $$ = AST_IS_NULL | IS_NEGATED; }
  | "not" "true"                           { $$ = AST_IS_TRUE | IS_NEGATED; }
  | "not" "false"                          { $$ = AST_IS_FALSE | IS_NEGATED; }
  | "not" "unknown"                        { $$ = AST_IS_UNKNOWN | IS_NEGATED; }
  ;

operand:
    primary
  | operand TYPECAST type_name             { $$ = EXPR1(AST_CAST, @2, $1); $$->type = $3; }
  | operand "at" "time" "zone" operand %prec "at"
                                           { $$ = ast_expr_call(arena, "timezone", @2.start, 2,
                                                                (AstExpr *[]){$5, $1}); }
  | operand "collate" collation            { $$ = EXPR1(AST_COLLATE, @2, $1); $$->text = $3; }
  | '+' operand %prec SIGN                 { $$ = parser_operator(parser, @1, "+", $2, NULL); }
  | '-' operand %prec SIGN                 { $$ = parser_negate(parser, @1, $2); }
  | operand '+' operand                    { $$ = parser_operator(parser, @2, "+", $1, $3); }
  | operand '-' operand                    { $$ = parser_operator(parser, @2, "-", $1, $3); }
  | operand '*' operand                    { $$ = parser_operator(parser, @2, "*", $1, $3); }
  | operand '/' operand                    { $$ = parser_operator(parser, @2, "/", $1, $3); }
  | operand '%' operand                    { $$ = parser_operator(parser, @2, "%", $1, $3); }
  | operand '^' operand                    { $$ = parser_operator(parser, @2, "^", $1, $3); }
  | operand "operator" '(' any_operator ')' operand %prec OPERATOR
                                           { $$ = parser_operator(parser, @2, $4, $1, $6); }
  | operand OPERATOR operand               { $$ = parser_operator(parser, @2, $2, $1, $3); }
  | OPERATOR operand                       { $$ = parser_operator(parser, @1, $1, $2, NULL); }
  ;

any_operator:
    all_operators
  | any_word '.' all_operators             { $$ = $3; }
  ;

all_operators:
    OPERATOR
  | comparison
  | '+'                                    { $$ = "+"; }
  | '-'                                    { $$ = "-"; }
  | '*'                                    { $$ = "*"; }
  | '/'                                    { $$ = "/"; }
  | '%'                                    { $$ = "%"; }
  | '^'                                    { $$ = "^"; }
  ;

collation:
    any_word
  | any_word '.' any_word                  { $$ = $3; }
  ;

primary:
    column_ref
  | literal
  | PARAMETER                              { CHECK(parser_parameter(parser, @1, $1, &$$)); }
  | '(' expr ')'                           { $$ = $2; $$->is_parenthesised = true; }
  | query_parens %prec SIGN                { $$ = EXPR(AST_SUBQUERY, @1); $$->query = $1; }
  | "exists" query_parens                  { $$ = EXPR(AST_EXISTS, @1); $$->query = $2; }
  | '(' expr ',' expr_list ')'             { $$ = parser_row(parser, @1, $2, &$4); }
  | "row" '(' expr_list ')'                { $$ = parser_row(parser, @1, NULL, &$3); }
  | "array" '[' expr_list ']'              { $$ = ast_expr_args(arena, AST_ARRAY, @1.start,
                                                                $3.count, $3.items); }
  | "array" '[' ']'                        { $$ = EXPR(AST_ARRAY, @1); }
  | "array" query_parens                   { $$ = EXPR(AST_ARRAY_QUERY, @1); $$->query = $2; }
  | case_expr
  | call
  | special_call
  | subscripted
  ;

subscripted:
    column_ref '[' expr ']'                { $$ = EXPR2(AST_SUBSCRIPT, @2, $1, $3); }
  | '(' expr ')' '[' expr ']'              { $$ = EXPR2(AST_SUBSCRIPT, @4, $2, $5); }
  | subscripted '[' expr ']'               { $$ = EXPR2(AST_SUBSCRIPT, @2, $1, $3); }
  ;

column_ref:
    col_id                                 { $$ = parser_column(parser, @1, $1); }
  | qualified                              { $$ = parser_qualified_column(parser, @1, &$1); }
  ;

literal:
    INTEGER                                { $$ = parser_text(parser, AST_NUMBER, @1, $1); }
  | NUMBER                                 { $$ = parser_text(parser, AST_NUMBER, @1, $1); }
  | STRING                                 { $$ = parser_text(parser, AST_STRING, @1, $1); }
  | "null"                                 { $$ = EXPR(AST_NULL, @1); }
  | "true"                                 { $$ = EXPR(AST_BOOLEAN, @1); $$->is_true = true; }
  | "false"                                { $$ = EXPR(AST_BOOLEAN, @1); }
  | type_function_name STRING              { $$ = parser_typed_literal(parser, @2,
                                                      parser_type(parser, @1, $1), $2); }
  | qualified STRING                       { AstTypeName *type;
                                             CHECK(parser_qualified_type(parser, &$1, &type));
                                             $$ = parser_typed_literal(parser, @2, type, $2); }
  | literal_type STRING                    { $$ = parser_typed_literal(parser, @2, $1, $2); }
  | "interval" interval_text opt_interval_fields
    {
        AstTypeName *type = parser_type(parser, @1, "interval");
        type->interval_fields = (uint32_t)$3;
        $$ = parser_typed_literal(parser, @2, type, $2);
    }
  ;

interval_text:
    STRING
  | '(' INTEGER ')' STRING                 { $$ = $4; }
  ;

case_expr:
    "case" opt_expr when_list opt_else "end"
                                           { $$ = parser_case(parser, @1, $2, &$3, $4); }
  ;

opt_expr:
    %empty                                 { $$ = NULL; }
  | expr
  ;

when_list:
    "when" expr "then" expr                { $$ = (AstExprList){0}; ADD(&$$, $2); ADD(&$$, $4); }
  | when_list "when" expr "then" expr      { $$ = $1; ADD(&$$, $3); ADD(&$$, $5); }
  ;

opt_else:
    %empty                                 { $$ = NULL; }
  | "else" expr                            { $$ = $2; }
  ;

/* ---- calls ---- */

call:
    plain_call opt_within_group opt_filter opt_nulls_treatment opt_over
    {
        $$ = $1;
        $$->call->within_group = $2;
        $$->call->filter = $3;
        $$->call->is_ignore_nulls = $$->call->is_ignore_nulls || $4;
        $$->call->over = $5;
    }
  ;

plain_call:
    type_function_name '(' call_body ')'   { $$ = parser_name_call(parser, @1, $1, $3); }
  | qualified '(' call_body ')'            { CHECK(parser_qualified_call(parser, @1, &$1, $3));
                                             $$ = $3; }
  | APPROXIMATE_CALL NAME '(' call_body ')'
                                           { $$ = parser_name_call(parser, @2, $2, $4);
                                             $$->call->is_approximate = true; }
  ;

call_body:
    %empty                                 { $$ = ast_expr_call(arena, "", 0, 0, NULL); }
  | '*'                                    { $$ = ast_expr_call(arena, "", 0, 0, NULL);
                                             $$->call->is_star = true; }
  | opt_distinct expr_list opt_order_by opt_nulls_inside
                                           { $$ = ast_expr_call(arena, "", 0, $2.count, $2.items);
                                             $$->call->is_distinct = $1;
                                             $$->call->order = $3;
                                             $$->call->is_ignore_nulls = $4; }
  ;

opt_distinct:
    %empty                                 { $$ = false; }
  | "all"                                  { $$ = false; }
  | "distinct"                             { $$ = true; }
  ;

opt_nulls_treatment:
    %empty                                 { $$ = false; }
  | IGNORE_NULLS "nulls"                   { $$ = true; }
  | RESPECT_NULLS "nulls"                  { $$ = false; }
  ;

/* first_value(x IGNORE NULLS) OVER …: Redshift's place for it. */
opt_nulls_inside:
    %empty                                 { $$ = false; }
  | IGNORE_NULLS_INSIDE "nulls"            { $$ = true; }
  | RESPECT_NULLS_INSIDE "nulls"           { $$ = false; }
  ;

opt_within_group:
    %empty                                 { $$ = (AstSortList){0}; }
  | "within" "group" '(' order_by ')'      { $$ = $4; }
  ;

opt_filter:
    %empty                                 { $$ = NULL; }
  | "filter" '(' "where" expr ')'          { $$ = $4; }
  ;

opt_over:
    %empty                                 { $$ = NULL; }
  | "over" col_id                          { $$ = NEW(AstWindow); $$->position = @2.start;
                                             $$->name = $2; }
  | "over" '(' window_spec ')'             { $$ = $3; $$->position = @2.start; }
  ;

window_spec:
    opt_window_base opt_partition opt_order_by opt_frame
    {
        $$ = $4;
        $$->base = $1;
        $$->partition = $2;
        $$->order = $3;
    }
  ;

opt_window_base:
    %empty                                 { $$ = NULL; }
  | NAME
  ;

opt_partition:
    %empty                                 { $$ = (AstExprList){0}; }
  | "partition" "by" expr_list             { $$ = $3; }
  ;

opt_frame:
    %empty                                 { $$ = NEW(AstWindow); }
  | frame_unit frame_bound                 { CHECK(parser_frame(parser, $1, $2,
                                                 (AstFrameBound){.kind = AST_BOUND_CURRENT_ROW,
                                                                 .position = @2.start}, &$$)); }
  | frame_unit "between" frame_bound "and" frame_bound
                                           { CHECK(parser_frame(parser, $1, $3, $5, &$$)); }
  ;

frame_unit:
    "range"                                { $$ = AST_FRAME_RANGE; }
  | "rows"                                 { $$ = AST_FRAME_ROWS; }
  | "groups"                               { $$ = AST_FRAME_GROUPS; }
  ;

frame_bound:
    "unbounded" "preceding"                { $$ = FRAME_BOUND(UNBOUNDED_PRECEDING, @1, NULL); }
  | "unbounded" "following"                { $$ = FRAME_BOUND(UNBOUNDED_FOLLOWING, @1, NULL); }
  | "current" "row"                        { $$ = FRAME_BOUND(CURRENT_ROW, @1, NULL); }
  | frame_offset "preceding"               { $$ = FRAME_BOUND(PRECEDING, @1, $1); }
  | frame_offset "following"               { $$ = FRAME_BOUND(FOLLOWING, @1, $1); }
  ;

frame_offset:
    signed_number
  | PARAMETER                              { CHECK(parser_parameter(parser, @1, $1, &$$)); }
  | '(' expr ')'                           { $$ = $2; }
  | "interval" interval_text opt_interval_fields
    {
        AstTypeName *type = parser_type(parser, @1, "interval");
        type->interval_fields = (uint32_t)$3;
        $$ = parser_typed_literal(parser, @2, type, $2);
    }
  ;

signed_number:
    INTEGER                                { $$ = parser_text(parser, AST_NUMBER, @1, $1); }
  | NUMBER                                 { $$ = parser_text(parser, AST_NUMBER, @1, $1); }
  | '-' INTEGER                            { $$ = parser_negate(parser, @1,
                                                 parser_text(parser, AST_NUMBER, @2, $2)); }
  | '-' NUMBER                             { $$ = parser_negate(parser, @1,
                                                 parser_text(parser, AST_NUMBER, @2, $2)); }
  ;

/* Functions whose arguments are joined by words; they become calls with ordinary arguments. */
special_call:
    "extract" '(' extract_field "from" expr ')'
                                           { $$ = CALL("date_part", @1, $3, $5); }
  | "position" '(' operand "in" operand ')'
                                           { $$ = CALL("strpos", @1, $5, $3);
                                             $$->call->is_special_form = true; }
  | "substring" '(' expr "from" expr ')'   { $$ = CALL("substring", @1, $3, $5); }
  | "substring" '(' expr "from" expr "for" expr ')'
                                           { $$ = CALL("substring", @1, $3, $5, $7); }
  | "substring" '(' expr "for" expr ')'    { $$ = CALL("substring", @1, $3,
                                                 parser_text(parser, AST_NUMBER, @4, "1"), $5); }
  | "substring" '(' expr_list ')'          { $$ = ast_expr_call(arena, "substring", @1.start,
                                                                $3.count, $3.items); }
  | "trim" '(' trim_side expr "from" expr ')'
                                           { $$ = CALL($3, @1, $6, $4); }
  | "trim" '(' trim_side "from" expr ')'   { $$ = CALL($3, @1, $5); }
  | "trim" '(' trim_side expr_list ')'     { $$ = ast_expr_call(arena, $3, @1.start, $4.count,
                                                                $4.items); }
  | "trim" '(' expr "from" expr ')'        { $$ = CALL("btrim", @1, $5, $3); }
  | "trim" '(' "from" expr ')'             { $$ = CALL("btrim", @1, $4); }
  | "trim" '(' expr_list ')'               { $$ = ast_expr_call(arena, "btrim", @1.start,
                                                                $3.count, $3.items); }
  | "cast" '(' expr "as" type_name ')'     { $$ = EXPR1(AST_CAST, @1, $3); $$->type = $5; }
  | "try_cast" '(' expr "as" type_name ')' { $$ = EXPR1(AST_CAST, @1, $3); $$->type = $5;
                                             $$->is_try = true; }
  | "convert" '(' type_name ',' expr ')'   { $$ = EXPR1(AST_CAST, @1, $5); $$->type = $3; }
  | "grouping" '(' expr_list ')'           { $$ = ast_expr_call(arena, "grouping", @1.start,
                                                                $3.count, $3.items); }
  | constant_call                          { $$ = ast_expr_call(arena, $1, @1.start, 0, NULL);
                                             $$->call->has_parentheses = false; }
  ;

extract_field:
    NAME                                   { $$ = parser_text(parser, AST_STRING, @1, $1); }
  | STRING                                 { $$ = parser_text(parser, AST_STRING, @1, $1); }
  | date_word                              { $$ = parser_text(parser, AST_STRING, @1, $1); }
  ;

date_word: "year" | "month" | "day" | "hour" | "minute" | "second" ;

trim_side:
    "both"                                 { $$ = "btrim"; }
  | "leading"                              { $$ = "ltrim"; }
  | "trailing"                             { $$ = "rtrim"; }
  ;

constant_call:
    "current_date" | "current_time" opt_precision | "current_timestamp" opt_precision
  | "localtime" opt_precision | "localtimestamp" opt_precision
  | "current_user" | "current_user_id" | "session_user" | "user" | "current_schema" | "sysdate"
  ;

/* ---- queries ---- */

query:
    query_bare %prec SIGN
  | query_parens %prec SIGN
  ;

query_parens:
    '(' query_bare ')'                     { $$ = $2; }
  | '(' query_parens ')'                   { $$ = $2; }
  ;

query_bare:
    query_core
  | query_term order_by                    { $$ = parser_finish_query(parser, $1, NULL, &$2, NULL); }
  | query_term opt_order_by limits         { $$ = parser_finish_query(parser, $1, NULL, &$2, &$3); }
  | with query_term                        { $$ = parser_finish_query(parser, $2, $1, NULL, NULL); }
  | with query_term order_by               { $$ = parser_finish_query(parser, $2, $1, &$3, NULL); }
  | with query_term opt_order_by limits    { $$ = parser_finish_query(parser, $2, $1, &$3, &$4); }
  ;

query_term:
    query_core
  | query_parens
  ;

query_core:
    select                                 { $$ = parser_query(parser, AST_QUERY_SELECT, @1);
                                             $$->select = $1; }
  | values                                 { $$ = parser_query(parser, AST_QUERY_VALUES, @1);
                                             $$->values = $1; }
  | "table" object_name                    { $$ = parser_table_query(parser, @1, $2); }
  | query_term "union" opt_all query_term  { $$ = parser_set(parser, @2, AST_SET_UNION, $3, $1, $4); }
  | query_term "intersect" opt_all query_term
                                           { $$ = parser_set(parser, @2, AST_SET_INTERSECT, $3, $1, $4); }
  | query_term "except" opt_all query_term { $$ = parser_set(parser, @2, AST_SET_EXCEPT, $3, $1, $4); }
  | query_term "minus" opt_all query_term  { $$ = parser_set(parser, @2, AST_SET_EXCEPT, $3, $1, $4); }
  ;

opt_all:
    %empty                                 { $$ = false; }
  | "all"                                  { $$ = true; }
  | "distinct"                             { $$ = false; }
  ;

with:
    with_word ctes                         { $$ = NEW(AstWith); $$->position = @1.start;
                                             $$->ctes = $2; }
  | with_word "recursive" ctes             { $$ = NEW(AstWith); $$->position = @1.start;
                                             $$->is_recursive = true; $$->ctes = $3; }
  ;

with_word: "with" | WITH_TIME ;

ctes:
    cte                                    { $$ = (AstCteList){0}; ADD(&$$, $1); }
  | ctes ',' cte                           { $$ = $1; ADD(&$$, $3); }
  ;

cte:
    col_id opt_column_names "as" opt_materialized query_parens
                                           { $$ = (AstCte){.position = @1.start, .name = $1,
                                                           .columns = $2, .query = $5}; }
  ;

opt_materialized: %empty | "materialized" | "not" "materialized" ;

select:
    select_head select_items opt_into opt_from opt_where select_tail
    {
        $$ = $6;
        $$->is_distinct = $1->is_distinct;
        $$->distinct_on = $1->distinct_on;
        $$->top = $1->top;
        $$->items = $2;
        $$->into = $3;
        $$->from = $4;
        $$->where = $5;
    }
  ;

select_head:
    "select" opt_top                       { $$ = NEW(AstSelect); $$->top = $2; }
  | "select" "all" opt_top                 { $$ = NEW(AstSelect); $$->top = $3; }
  | "select" "distinct" opt_top            { $$ = NEW(AstSelect); $$->top = $3;
                                             $$->is_distinct = true; }
  | "select" "distinct" "on" '(' expr_list ')'
                                           { $$ = NEW(AstSelect); $$->is_distinct = true;
                                             $$->distinct_on = $5; }
  | "select" top "distinct"                { $$ = NEW(AstSelect); $$->top = $2;
                                             $$->is_distinct = true; }
  ;

opt_top:
    %empty                                 { $$ = NULL; }
  | top
  ;

top:
    "top" INTEGER                          { $$ = parser_text(parser, AST_NUMBER, @2, $2); }
  | "top" PARAMETER                        { CHECK(parser_parameter(parser, @2, $2, &$$)); }
  | "top" '(' expr ')'                     { $$ = $3; }
  ;

select_items:
    select_item                            { $$ = (AstSelectList){0}; ADD(&$$, $1); }
  | select_items ',' select_item           { $$ = $1; ADD(&$$, $3); }
  ;

select_item:
    expr                                   { $$ = (AstSelectItem){.expr = $1}; }
  | expr "as" col_label                    { $$ = (AstSelectItem){.expr = $1, .alias = $3}; }
  | expr bare_label                        { $$ = (AstSelectItem){.expr = $1, .alias = $2}; }
  | '*' opt_exclude                        { $$ = (AstSelectItem){.expr = EXPR(AST_STAR, @1)};
                                             $$.expr->excluded = $2; }
  | col_id '.' '*'                         { $$ = (AstSelectItem){
                                                 .expr = parser_column(parser, @1, $1)};
                                             $$.expr->kind = AST_STAR; }
  | qualified '.' '*'                      { $$ = (AstSelectItem){
                                                 .expr = parser_qualified_column(parser, @1, &$1)};
                                             $$.expr->kind = AST_STAR; }
  ;

opt_exclude:
    %empty                                 { $$ = NULL; }
  | "exclude" name_word                    { AstWordList one = {0}; ADD(&one, $2);
                                             $$ = parser_words(parser, one); }
  | "exclude" column_names                 { $$ = $2; }
  ;

opt_into:
    %empty                                 { $$ = NULL; }
  | "into" object_name                     { $$ = NEW(AstInto); $$->table = $2; }
  | "into" "table" object_name             { $$ = NEW(AstInto); $$->table = $3; }
  | "into" temporary opt_table object_name { $$ = NEW(AstInto); $$->table = $4;
                                             $$->is_temporary = true; }
  ;

opt_table: %empty | "table" ;

opt_where:
    %empty                                 { $$ = NULL; }
  | "where" expr                           { $$ = $2; }
  ;

select_tail:
    opt_group opt_having
    {
        $$ = $1;
        $$->having = $2;
    }
  | opt_group opt_having "qualify" expr
    {
        $$ = $1;
        $$->having = $2;
        $$->qualify = $4;
    }
  | opt_group opt_having "window" windows
    {
        $$ = $1;
        $$->having = $2;
        $$->windows = $4;
    }
  | opt_group opt_having "window" windows "qualify" expr
    {
        $$ = $1;
        $$->having = $2;
        $$->windows = $4;
        $$->qualify = $6;
    }
  | opt_group opt_having "qualify" expr "window" windows
    {
        $$ = $1;
        $$->having = $2;
        $$->windows = $6;
        $$->qualify = $4;
    }
  ;

opt_group:
    %empty                                 { $$ = NEW(AstSelect); }
  | "group" "by" "all"                     { $$ = NEW(AstSelect); $$->is_group_all = true; }
  | "group" "by" group_items               { $$ = NEW(AstSelect); $$->group = $3; }
  ;

group_items:
    group_item                             { $$ = (AstGroupList){0}; ADD(&$$, $1); }
  | group_items ',' group_item             { $$ = $1; ADD(&$$, $3); }
  ;

group_item:
    expr                                   { $$ = (AstGroupItem){.kind = AST_GROUP_EXPR,
                                                 .position = @1.start, .expr = $1}; }
  | '(' ')'                                { $$ = (AstGroupItem){.kind = AST_GROUP_EMPTY,
                                                 .position = @1.start}; }
  | "rollup" '(' expr_list ')'             { $$ = (AstGroupItem){.kind = AST_GROUP_ROLLUP,
                                                 .position = @1.start, .exprs = $3}; }
  | "cube" '(' expr_list ')'               { $$ = (AstGroupItem){.kind = AST_GROUP_CUBE,
                                                 .position = @1.start, .exprs = $3}; }
  | "grouping" "sets" '(' group_items ')'  { $$ = (AstGroupItem){.kind = AST_GROUP_SETS,
                                                 .position = @1.start, .items = $4.items,
                                                 .item_count = $4.count}; }
  ;

opt_having:
    %empty                                 { $$ = NULL; }
  | "having" expr                          { $$ = $2; }
  ;

windows:
    window_definition                      { $$ = (AstWindowList){0}; ADD(&$$, $1); }
  | windows ',' window_definition          { $$ = $1; ADD(&$$, $3); }
  ;

window_definition:
    col_id "as" '(' window_spec ')'        { $$ = $4; $$->name = $1; $$->position = @3.start; }
  ;

values:
    "values" row_values                    { $$ = (AstRowList){0}; ADD(&$$, $2); }
  | values ',' row_values                  { $$ = $1; ADD(&$$, $3); }
  ;

row_values:
    '(' value_list ')'                     { $$ = $2; }
  ;

value_list:
    value                                  { $$ = (AstExprList){0}; ADD(&$$, $1); }
  | value_list ',' value                   { $$ = $1; ADD(&$$, $3); }
  ;

value:
    expr
  | "default"                              { $$ = EXPR(AST_DEFAULT, @1); }
  ;

opt_order_by:
    %empty                                 { $$ = (AstSortList){0}; }
  | order_by
  ;

order_by:
    "order" "by" sort_keys                 { $$ = $3; }
  ;

sort_keys:
    sort_key                               { $$ = (AstSortList){0}; ADD(&$$, $1); }
  | sort_keys ',' sort_key                 { $$ = $1; ADD(&$$, $3); }
  ;

sort_key:
    expr opt_direction opt_nulls_order     { $$ = (AstSortKey){.expr = $1, .is_descending = $2,
                                                 .nulls = (AstNullsOrder)$3,
                                                 .position = @1.start}; }
  ;

opt_direction:
    %empty                                 { $$ = false; }
  | "asc"                                  { $$ = false; }
  | "desc"                                 { $$ = true; }
  ;

opt_nulls_order:
    %empty                                 { $$ = AST_NULLS_DEFAULT; }
  | NULLS_ORDER "first"                    { $$ = AST_NULLS_FIRST; }
  | NULLS_ORDER "last"                     { $$ = AST_NULLS_LAST; }
  ;

limits:
    limit                                  { $$ = $1; }
  | offset                                 { $$ = $1; }
  | limit offset                           { $$ = $1; $$.offset = $2.offset;
                                             $$.offset_position = $2.offset_position; }
  | offset limit                           { $$ = $2; $$.offset = $1.offset;
                                             $$.offset_position = $1.offset_position; }
  ;

limit:
    "limit" expr                           { $$ = (QueryLimits){.limit = $2,
                                                 .limit_position = @2.start}; }
  | "limit" "all"                          { $$ = (QueryLimits){0}; }
  | "fetch" first_or_next row_or_rows "only"
                                           { $$ = (QueryLimits){.limit_position = @1.start,
                                                 .limit = parser_text(parser, AST_NUMBER, @1, "1")}; }
  | "fetch" first_or_next limit_value row_or_rows "only"
                                           { $$ = (QueryLimits){.limit = $3,
                                                 .limit_position = @3.start}; }
  ;

offset:
    "offset" expr                          { $$ = (QueryLimits){.offset = $2,
                                                 .offset_position = @2.start}; }
  | "offset" limit_value row_or_rows       { $$ = (QueryLimits){.offset = $2,
                                                 .offset_position = @2.start}; }
  ;

limit_value:
    signed_number
  | PARAMETER                              { CHECK(parser_parameter(parser, @1, $1, &$$)); }
  | '(' expr ')'                           { $$ = $2; }
  ;

first_or_next: "first" | "next" ;
row_or_rows:   "row" | "rows" ;

/* ---- FROM ---- */

opt_from:
    %empty                                 { $$ = (AstTableList){0}; }
  | "from" table_refs                      { $$ = $2; }
  ;

table_refs:
    table_ref                              { $$ = (AstTableList){0}; ADD(&$$, $1); }
  | table_refs ',' table_ref               { $$ = $1; ADD(&$$, $3); }
  ;

table_ref:
    object_name opt_alias                  { $$ = parser_table(parser, @1, AST_TABLE_NAME, &$2);
                                             $$->name = $1; }
  | query_parens opt_alias                 { $$ = parser_table(parser, @1, AST_TABLE_SUBQUERY, &$2);
                                             $$->query = $1; }
  | "lateral" query_parens opt_alias       { $$ = parser_table(parser, @2, AST_TABLE_SUBQUERY, &$3);
                                             $$->query = $2; $$->is_lateral = true; }
  | plain_call opt_alias                   { $$ = parser_table(parser, @1, AST_TABLE_FUNCTION, &$2);
                                             $$->function = $1; }
  | "lateral" plain_call opt_alias         { $$ = parser_table(parser, @2, AST_TABLE_FUNCTION, &$3);
                                             $$->function = $2; $$->is_lateral = true; }
  | join
  | '(' join ')' alias                     { $$ = parser_alias_join(parser, $2, &$4); }
  ;

opt_alias:
    %empty                                 { $$ = (TableAlias){0}; }
  | alias
  ;

alias:
    col_id opt_column_names                { $$ = (TableAlias){$1, $2}; }
  | "as" col_id opt_column_names           { $$ = (TableAlias){$2, $3}; }
  ;

join:
    '(' join ')'                           { $$ = $2; }
  | table_ref "cross" "join" table_ref     { $$ = parser_join(parser, @2, AST_JOIN_CROSS, $1, $4); }
  | table_ref "natural" join_kind table_ref
                                           { $$ = parser_join(parser, @2, $3, $1, $4);
                                             $$->is_natural = true; }
  | table_ref join_kind table_ref "on" expr
                                           { $$ = parser_join(parser, @2, $2, $1, $3);
                                             $$->condition = $5; }
  | table_ref join_kind table_ref "using" column_names
                                           { $$ = parser_join(parser, @2, $2, $1, $3);
                                             $$->using_columns = $5; }
  ;

join_kind:
    "join"                                 { $$ = AST_JOIN_INNER; }
  | "inner" "join"                         { $$ = AST_JOIN_INNER; }
  | "left" opt_outer "join"                { $$ = AST_JOIN_LEFT; }
  | "right" opt_outer "join"               { $$ = AST_JOIN_RIGHT; }
  | "full" opt_outer "join"                { $$ = AST_JOIN_FULL; }
  ;

opt_outer: %empty | "outer" ;

/* ---- changing rows ---- */

insert:
    "insert" "into" object_name query      { $$ = parser_insert(parser, $3, NULL, $4); }
  | "insert" "into" object_name column_names query
                                           { $$ = parser_insert(parser, $3, $4, $5); }
  | "insert" "into" object_name "default" "values"
                                           { $$ = parser_insert(parser, $3, NULL, NULL); }
  ;

update:
    "update" object_name update_alias "set" assignments opt_from opt_where
    {
        $$ = STATEMENT(UPDATE, update, AstUpdate);
        *$$->update = (AstUpdate){.table = $2, .alias = $3, .assignments = $5, .from = $6,
                                  .where = $7};
    }
  | with "update" object_name update_alias "set" assignments opt_from opt_where
    {
        $$ = STATEMENT(UPDATE, update, AstUpdate);
        *$$->update = (AstUpdate){.table = $3, .alias = $4, .assignments = $6, .from = $7,
                                  .where = $8, .with = $1};
    }
  ;

update_alias:
    %empty                                 { $$ = NULL; }
  | NAME
  | "as" col_id                            { $$ = $2; }
  ;

assignments:
    assignment                             { $$ = (AstAssignmentList){0}; ADD(&$$, $1); }
  | assignments ',' assignment             { $$ = $1; ADD(&$$, $3); }
  ;

assignment:
    name_word '=' value                    { $$ = (AstAssignment){$1, $3}; }
  ;

delete:
    "delete" opt_from_word object_name update_alias opt_using opt_where
    {
        $$ = STATEMENT(DELETE, delete_from, AstDelete);
        *$$->delete_from = (AstDelete){.table = $3, .alias = $4, .using_tables = $5, .where = $6};
    }
  | with "delete" opt_from_word object_name update_alias opt_using opt_where
    {
        $$ = STATEMENT(DELETE, delete_from, AstDelete);
        *$$->delete_from = (AstDelete){.table = $4, .alias = $5, .using_tables = $6, .where = $7,
                                       .with = $1};
    }
  ;

opt_from_word: %empty | "from" ;

opt_using:
    %empty                                 { $$ = (AstTableList){0}; }
  | "using" table_refs                     { $$ = $2; }
  ;

merge:
    "merge" "into" object_name update_alias "using" table_ref "on" expr merge_actions
    {
        $$ = parser_merge($9, $3, $4, $6, $8);
    }
  | with "merge" "into" object_name update_alias "using" table_ref "on" expr merge_actions
    {
        $$ = parser_merge($10, $4, $5, $7, $9);
        $$->merge->with = $1;
    }
  ;

merge_actions:
    "remove" "duplicates"                  { $$ = STATEMENT(MERGE, merge, AstMerge);
                                             $$->merge->removes_duplicates = true; }
  | "when" "matched" "then" "update" "set" assignments merge_insert
                                           { $$ = $7; $$->merge->assignments = $6; }
  | "when" "matched" "then" "delete" merge_insert
                                           { $$ = $5; $$->merge->is_deleting = true; }
  ;

merge_insert:
    "when" "not" "matched" "then" "insert" opt_column_names "values" row_values
                                           { $$ = STATEMENT(MERGE, merge, AstMerge);
                                             $$->merge->columns = $6; $$->merge->values = $8; }
  ;

truncate:
    "truncate" opt_table object_names      { $$ = STATEMENT(TRUNCATE, truncate, AstTruncate);
                                             $$->truncate->tables = $3; }
  ;

/* Options of COPY come in any order, in two styles; copy_options.c reads them. */
copy:
    "copy" object_name opt_column_names copy_direction copy_path soup
    {
        AstCopy copy = {.table = $2, .columns = $3, .is_from = $4, .path = $5};
        CHECK(parser_copy(parser, &copy, &$6, &$$));
    }
  | "copy" query_parens "to" copy_path soup
    {
        AstCopy copy = {.query = $2, .path = $4};
        CHECK(parser_copy(parser, &copy, &$5, &$$));
    }
  ;

copy_direction:
    "from"                                 { $$ = true; }
  | "to"                                   { $$ = false; }
  ;

copy_path:
    STRING
  | "stdin"                                { $$ = NULL; }
  | "stdout"                               { $$ = NULL; }
  ;

soup:
    %empty                                 { $$ = (SoupList){0}; }
  | soup soup_item                         { $$ = $1; ADD(&$$, $2); }
  ;

soup_item:
    any_word                               { $$ = SOUP(WORD, @1, $1); }
  | STRING                                 { $$ = SOUP(STRING, @1, $1); }
  | INTEGER                                { $$ = SOUP(NUMBER, @1, $1); }
  | NUMBER                                 { $$ = SOUP(NUMBER, @1, $1); }
  | '-'                                    { $$ = SOUP(SYMBOL, @1, "-"); }
  | ','                                    { $$ = SOUP(SYMBOL, @1, ","); }
  | '.'                                    { $$ = SOUP(SYMBOL, @1, "."); }
  | '*'                                    { $$ = SOUP(SYMBOL, @1, "*"); }
  | '('                                    { $$ = SOUP(SYMBOL, @1, "("); }
  | ')'                                    { $$ = SOUP(SYMBOL, @1, ")"); }
  ;

/* ---- making and dropping ---- */

create:
    "create" opt_temporary "table" object_name '(' table_elements ')' table_attributes
    {
        $$ = parser_create_table(parser, $4, $6, $8);
        $$->create_table->is_temporary |= $2;
    }
  | "create" opt_temporary "table" "if" "not" "exists" object_name '(' table_elements ')'
        table_attributes
    {
        $$ = parser_create_table(parser, $7, $9, $11);
        $$->create_table->is_temporary |= $2;
        $$->create_table->is_if_not_exists = true;
    }
  | "create" opt_temporary "table" object_name opt_column_names table_attributes "as" query
        opt_without_data
    {
        $$ = parser_create_table_as(parser, $4, $5, $6, $8);
        $$->create_table->is_temporary |= $2;
        $$->create_table->is_without_data = $9;
    }
  | "create" opt_temporary "table" "if" "not" "exists" object_name opt_column_names
        table_attributes "as" query opt_without_data
    {
        $$ = parser_create_table_as(parser, $7, $8, $9, $11);
        $$->create_table->is_temporary |= $2;
        $$->create_table->is_without_data = $12;
        $$->create_table->is_if_not_exists = true;
    }
  | "create" opt_replace "view" object_name opt_column_names "as" query opt_no_binding
    {
        $$ = STATEMENT(CREATE_VIEW, create_view, AstCreateView);
        *$$->create_view = (AstCreateView){.view = $4, .is_or_replace = $2, .columns = $5,
                                           .query = $7, .query_start = @7.start,
                                           .query_end = @7.end,
                                           .query_text = parser_source(parser, @7),
                                           .is_late_binding = $8};
    }
  | "create" "schema" name_word opt_owner opt_quota
    {
        $$ = STATEMENT(CREATE_SCHEMA, create_schema, AstCreateSchema);
        *$$->create_schema = (AstCreateSchema){.name = $3, .owner = $4};
    }
  | "create" "schema" "if" "not" "exists" name_word opt_owner opt_quota
    {
        $$ = STATEMENT(CREATE_SCHEMA, create_schema, AstCreateSchema);
        *$$->create_schema = (AstCreateSchema){.name = $6, .owner = $7,
                                               .is_if_not_exists = true};
    }
  | "create" "schema" "authorization" name_word
    {
        $$ = STATEMENT(CREATE_SCHEMA, create_schema, AstCreateSchema);
        *$$->create_schema = (AstCreateSchema){.name = {.position = @4.start},
                                               .owner = $4.text};
    }
  | "create" "user" name_word soup
    {
        CHECK(parser_user(parser, AST_USER_CREATE, $3, &$4, &$$));
    }
  ;

temporary: "temp" | "temporary" | "local" "temp" | "local" "temporary" ;
opt_temporary:
    %empty                                 { $$ = false; }
  | temporary                              { $$ = true; }
  ;

opt_replace:
    %empty                                 { $$ = false; }
  | "or" "replace"                         { $$ = true; }
  ;

opt_owner:
    %empty                                 { $$ = NULL; }
  | "authorization" col_id                 { $$ = $2; }
  ;

/* QUOTA 10 GB, QUOTA UNLIMITED: read, not kept. */
opt_quota: %empty | NAME INTEGER | NAME INTEGER NAME | NAME NAME ;

opt_without_data:
    %empty                                 { $$ = false; }
  | "with" "data"                          { $$ = false; }
  | "with" "no" "data"                     { $$ = true; }
  ;

opt_no_binding:
    %empty                                 { $$ = false; }
  | "with" "no" "schema" NAME              { CHECK(parser_expect_word(parser, @4, $4, "binding"));
                                             $$ = true; }
  ;

table_elements:
    column_definition                      { $$ = NEW(AstCreateTable); ADD(&$$->columns, $1); }
  | table_constraint                       { $$ = NEW(AstCreateTable);
                                             ADD(&$$->constraints, $1); }
  | "like" object_name opt_like_defaults   { $$ = NEW(AstCreateTable);
                                             parser_add_like(parser, $$, $2, $3); }
  | table_elements ',' column_definition   { $$ = $1; ADD(&$$->columns, $3); }
  | table_elements ',' table_constraint    { $$ = $1; ADD(&$$->constraints, $3); }
  | table_elements ',' "like" object_name opt_like_defaults
                                           { $$ = $1; parser_add_like(parser, $$, $4, $5); }
  ;

opt_like_defaults:
    %empty                                 { $$ = false; }
  | "including" "defaults"                 { $$ = true; }
  | "excluding" "defaults"                 { $$ = false; }
  ;

column_definition:
    col_id type_name                       { $$ = NEW(AstColumnDefinition);
                                             $$->position = @1.start; $$->name = $1;
                                             $$->type = $2; }
  | column_definition "not" "null"         { $$ = $1; $$->is_not_null = true; }
  | column_definition "null"               { $$ = $1; $$->is_null = true; }
  | column_definition "default" operand %prec "union"
                                           { $$ = $1; $$->default_value = $3;
                                             $$->default_text = parser_source(parser, @3); }
  | column_definition identity_kind '(' signed_integer ',' signed_integer ')'
                                           { $$ = $1; $$->is_identity = true;
                                             $$->is_identity_by_default = $2;
                                             $$->identity_seed = $4; $$->identity_step = $6; }
  | column_definition "encode" any_word    { $$ = $1; $$->encoding = $3;
                                             $$->encoding_position = @3.start; }
  | column_definition "distkey"            { $$ = $1; $$->is_distribution_key = true; }
  | column_definition "sortkey"            { $$ = $1; $$->is_sort_key = true; }
  | column_definition "collate" any_word   { $$ = $1; $$->collation = $3; }
  | column_definition "unique"             { $$ = $1; parser_column_constraint(parser, $$,
                                                 AST_CONSTRAINT_UNIQUE, @2); }
  | column_definition "primary" "key"      { $$ = $1; parser_column_constraint(parser, $$,
                                                 AST_CONSTRAINT_PRIMARY_KEY, @2);
                                             $$->is_not_null = true; }
  | column_definition "references" object_name opt_column_names
    {
        $$ = $1;
        AstConstraint *constraint =
            parser_column_constraint(parser, $$, AST_CONSTRAINT_FOREIGN_KEY, @2);
        constraint->referenced_table = $3;
        constraint->referenced_columns = $4;
    }
  | column_definition "check" '(' expr ')' { $$ = $1; parser_column_constraint(parser, $$,
                                                 AST_CONSTRAINT_CHECK, @2); }
  | column_definition "constraint" col_id  { $$ = $1; }
  ;

identity_kind:
    "identity"                             { $$ = false; }
  | "generated" "by" "default" "as" "identity"
                                           { $$ = true; }
  | "generated" "always" "as" "identity"   { $$ = false; }
  ;

table_constraint:
    constraint_body
  | "constraint" col_id constraint_body    { $$ = $3; $$->name = $2; }
  ;

constraint_body:
    "primary" "key" '(' name_list ')'      { $$ = parser_constraint(parser,
                                                 AST_CONSTRAINT_PRIMARY_KEY, @1, $4); }
  | "unique" '(' name_list ')'             { $$ = parser_constraint(parser,
                                                 AST_CONSTRAINT_UNIQUE, @1, $3); }
  | "foreign" "key" '(' name_list ')' "references" object_name opt_column_names
                                           { $$ = parser_constraint(parser,
                                                 AST_CONSTRAINT_FOREIGN_KEY, @1, $4);
                                             $$->referenced_table = $7;
                                             $$->referenced_columns = $8; }
  | "check" '(' expr ')'                   { $$ = parser_constraint(parser,
                                                 AST_CONSTRAINT_CHECK, @1, (AstWordList){0}); }
  ;

table_attributes:
    %empty                                 { $$ = NEW(AstTableAttributes); }
  | table_attributes "diststyle" any_word  { $$ = $1; $$->distribution_style = WORD($3, @3); }
  | table_attributes "distkey" '(' col_id ')'
                                           { $$ = $1; $$->distribution_key = WORD($4, @4); }
  | table_attributes "sortkey" '(' name_list ')'
                                           { $$ = $1; $$->sort_keys = $4;
                                             $$->sort_key_style = AST_SORT_KEY_COMPOUND;
                                             $$->sort_key_position = @2.start; }
  | table_attributes "compound" "sortkey" '(' name_list ')'
                                           { $$ = $1; $$->sort_keys = $5;
                                             $$->sort_key_style = AST_SORT_KEY_COMPOUND;
                                             $$->sort_key_position = @2.start; }
  | table_attributes "interleaved" "sortkey" '(' name_list ')'
                                           { $$ = $1; $$->sort_keys = $5;
                                             $$->sort_key_style = AST_SORT_KEY_INTERLEAVED;
                                             $$->sort_key_position = @2.start; }
  | table_attributes "sortkey" NAME        { CHECK(parser_expect_word(parser, @3, $3, "auto"));
                                             $$ = $1; $$->sort_key_style = AST_SORT_KEY_AUTO;
                                             $$->sort_key_position = @2.start; }
  | table_attributes "encode" NAME         { CHECK(parser_expect_word(parser, @3, $3, "auto"));
                                             $$ = $1; $$->is_encode_auto = true; }
  | table_attributes "backup" any_word     { CHECK(parser_backup(parser, @3, $3, $1)); $$ = $1; }
  ;

drop:
    "drop" drop_kind object_names opt_cascade
                                           { $$ = parser_drop(parser, $2, &$3, $4); }
  | "drop" drop_kind "if" "exists" object_names opt_cascade
                                           { $$ = parser_drop(parser, $2, &$5, $6);
                                             $$->drop->is_if_exists = true; }
  ;

drop_kind:
    "table"                                { $$ = AST_OBJECT_TABLE; }
  | "view"                                 { $$ = AST_OBJECT_VIEW; }
  | "schema"                               { $$ = AST_OBJECT_SCHEMA; }
  | "user"                                 { $$ = AST_OBJECT_USER; }
  ;

opt_cascade:
    %empty                                 { $$ = false; }
  | "cascade"                              { $$ = true; }
  | "restrict"                             { $$ = false; }
  ;

alter:
    "alter" "table" object_name alter_actions
                                           { $$ = parser_alter(parser, AST_OBJECT_TABLE, $3, &$4); }
  | "alter" "table" "if" "exists" object_name alter_actions
                                           { $$ = parser_alter(parser, AST_OBJECT_TABLE, $5, &$6);
                                             $$->alter_table->is_if_exists = true; }
  | "alter" "view" object_name alter_actions
                                           { $$ = parser_alter(parser, AST_OBJECT_VIEW, $3, &$4); }
  | "alter" "schema" name_word "rename" "to" col_id
    {
        $$ = STATEMENT(ALTER_SCHEMA, alter_schema, AstAlterSchema);
        *$$->alter_schema = (AstAlterSchema){.name = $3, .new_name = $6};
    }
  | "alter" "schema" name_word "owner" "to" col_id
    {
        $$ = STATEMENT(ALTER_SCHEMA, alter_schema, AstAlterSchema);
        *$$->alter_schema = (AstAlterSchema){.name = $3, .new_owner = $6};
    }
  | "alter" "user" name_word soup
    {
        CHECK(parser_user(parser, AST_USER_ALTER, $3, &$4, &$$));
    }
  ;

alter_actions:
    alter_action                           { $$ = (AstAlterActionList){0}; ADD(&$$, $1); }
  | alter_actions ',' alter_action         { $$ = $1; ADD(&$$, $3); }
  ;

alter_action:
    "add" opt_column_word column_definition
                                           { $$ = ALTER(ADD_COLUMN, @1);
                                             $$->definition = $3; }
  | "add" table_constraint                 { $$ = ALTER(ADD_CONSTRAINT, @1);
                                             $$->constraint = $2; }
  | "drop" name_word opt_cascade           { $$ = ALTER(DROP_COLUMN, @1); $$->column = $2;
                                             $$->is_cascade = $3; }
  | "drop" "column" name_word opt_cascade  { $$ = ALTER(DROP_COLUMN, @1); $$->column = $3;
                                             $$->is_cascade = $4; }
  | "drop" "column" "if" "exists" name_word opt_cascade
                                           { $$ = ALTER(DROP_COLUMN, @1); $$->column = $5;
                                             $$->is_if_exists = true; $$->is_cascade = $6; }
  | "drop" "constraint" col_id opt_cascade { $$ = ALTER(DROP_CONSTRAINT, @1); $$->name = $3;
                                             $$->is_cascade = $4; }
  | "rename" "to" col_id                   { $$ = ALTER(RENAME_TABLE, @1); $$->name = $3; }
  | "rename" opt_column_word name_word "to" col_id
                                           { $$ = ALTER(RENAME_COLUMN, @1); $$->column = $3;
                                             $$->name = $5; }
  | "owner" "to" col_id                    { $$ = ALTER(OWNER, @1); $$->name = $3; }
  | "set" "schema" col_id                  { $$ = ALTER(SET_SCHEMA, @1); $$->name = $3; }
  | "alter" "column" name_word alter_column
                                           { $$ = $4; $$->column = $3;
                                             if ($$->kind != AST_ALTER_COLUMN_ENCODE) {
                                                 $$->position = @1.start;
                                             } }
  | "alter" "distkey" name_word            { $$ = ALTER(DISTRIBUTION, @1);
                                             $$->attributes.distribution_key = $3; }
  | "alter" "diststyle" any_word           { $$ = ALTER(DISTRIBUTION, @1);
                                             $$->attributes.distribution_style = WORD($3, @3); }
  | "alter" "diststyle" any_word "distkey" name_word
                                           { $$ = ALTER(DISTRIBUTION, @1);
                                             $$->attributes.distribution_style = WORD($3, @3);
                                             $$->attributes.distribution_key = $5; }
  | "alter" "compound" "sortkey" '(' name_list ')'
                                           { $$ = ALTER(SORT_KEY, @1);
                                             $$->attributes.sort_key_style = AST_SORT_KEY_COMPOUND;
                                             $$->attributes.sort_keys = $5; }
  | "alter" "sortkey" '(' name_list ')'    { $$ = ALTER(SORT_KEY, @1);
                                             $$->attributes.sort_key_style = AST_SORT_KEY_COMPOUND;
                                             $$->attributes.sort_keys = $4; }
  | "alter" "sortkey" NAME                 { $$ = ALTER(SORT_KEY, @1);
                                             CHECK(parser_sort_key_word(parser, @3, $3,
                                                                        &$$->attributes)); }
  | "alter" "encode" NAME                  { CHECK(parser_expect_word(parser, @3, $3, "auto"));
                                             $$ = ALTER(ENCODE_AUTO, @1); }
  | "append" "from" object_name            { $$ = ALTER(APPEND, @1); $$->source = $3; }
  | "append" "from" object_name NAME       { $$ = ALTER(APPEND, @1); $$->source = $3;
                                             $$->name = $4; }
  ;

opt_column_word: %empty | "column" ;

alter_column:
    "type" type_name                       { $$ = ALTER(COLUMN_TYPE, @1); $$->type = $2; }
  | "encode" any_word                      { $$ = ALTER(COLUMN_ENCODE, @2); $$->name = $2; }
  | "set" "default" operand                { $$ = ALTER(COLUMN_DEFAULT, @1); $$->default_value = $3;
                                             $$->default_text = parser_source(parser, @3); }
  | "drop" "default"                       { $$ = ALTER(COLUMN_DEFAULT, @1); }
  | "set" "not" "null"                     { $$ = ALTER(COLUMN_NOT_NULL, @1);
                                             $$->is_not_null = true; }
  | "drop" "not" "null"                    { $$ = ALTER(COLUMN_NOT_NULL, @1); }
  ;

/* ---- transactions and settings ---- */

transaction:
    "begin" opt_work opt_modes             { $$ = parser_transaction(parser, AST_TRANSACTION_BEGIN,
                                                                     $3, NULL); }
  | "start" "transaction" opt_modes        { $$ = parser_transaction(parser, AST_TRANSACTION_BEGIN,
                                                                     $3, NULL);
                                             $$->transaction->is_start = true; }
  | "commit" opt_work                      { $$ = TRANSACTION(COMMIT, NULL); }
  | "end" opt_work                         { $$ = TRANSACTION(COMMIT, NULL); }
  | "rollback" opt_work                    { $$ = TRANSACTION(ROLLBACK, NULL); }
  | "abort" opt_work                       { $$ = TRANSACTION(ROLLBACK, NULL); }
  | "savepoint" col_id                     { $$ = TRANSACTION(SAVEPOINT, $2); }
  | "release" col_id                       { $$ = TRANSACTION(RELEASE, $2); }
  | "release" "savepoint" col_id           { $$ = TRANSACTION(RELEASE, $3); }
  | "rollback" opt_work "to" col_id        { $$ = TRANSACTION(ROLLBACK_TO, $4); }
  | "rollback" opt_work "to" "savepoint" col_id
                                           { $$ = TRANSACTION(ROLLBACK_TO, $5); }
  ;

opt_work: %empty | "work" | "transaction" ;

opt_modes:
    %empty                                 { $$ = (AstTransactionModes){0}; }
  | modes
  ;

modes:
    mode
  | modes mode                             { $$ = parser_merge_modes($1, $2); }
  | modes ',' mode                         { $$ = parser_merge_modes($1, $3); }
  ;

mode:
    "isolation" "level" isolation_level    { $$ = (AstTransactionModes){
                                                 .isolation = (AstIsolation)$3}; }
  | "read" "only"                          { $$ = (AstTransactionModes){.has_access = true,
                                                                        .is_read_only = true}; }
  | "read" "write"                         { $$ = (AstTransactionModes){.has_access = true}; }
  ;

isolation_level:
    "serializable"                         { $$ = AST_ISOLATION_SERIALIZABLE; }
  | "snapshot"                             { $$ = AST_ISOLATION_SNAPSHOT; }
  | "repeatable" "read"                    { $$ = AST_ISOLATION_REPEATABLE_READ; }
  | "read" "committed"                     { $$ = AST_ISOLATION_READ_COMMITTED; }
  | "read" "uncommitted"                   { $$ = AST_ISOLATION_READ_UNCOMMITTED; }
  ;

set:
    "set" setting_name to set_values       { $$ = parser_set_value(parser, @2, AST_SET_SESSION, $2, &$4); }
  | "set" "session" setting_name to set_values
                                           { $$ = parser_set_value(parser, @3, AST_SET_SESSION, $3, &$5); }
  | "set" "local" setting_name to set_values
                                           { $$ = parser_set_value(parser, @3, AST_SET_LOCAL, $3, &$5); }
  | "set" "time" "zone" set_value          { SoupList one = {0}; ADD(&one, $4);
                                             $$ = parser_set_time_zone(parser, @2,
                                                                       AST_SET_SESSION, &one); }
  | "set" "session" "time" "zone" set_value
                                           { SoupList one = {0}; ADD(&one, $5);
                                             $$ = parser_set_time_zone(parser, @3,
                                                                       AST_SET_SESSION, &one); }
  | "set" "local" "time" "zone" set_value  { SoupList one = {0}; ADD(&one, $5);
                                             $$ = parser_set_time_zone(parser, @3,
                                                                       AST_SET_LOCAL, &one); }
  | "set" "names" STRING                   { SoupList one = {0};
                                             ADD(&one, SOUP(STRING, @3, $3));
                                             $$ = parser_set_value(parser, @2, AST_SET_SESSION,
                                                             "client_encoding", &one); }
  | "set" "session" "authorization" set_value
                                           { SoupList one = {0}; ADD(&one, $4);
                                             $$ = parser_set_value(parser, @3, AST_SET_SESSION,
                                                             "session_authorization", &one); }
  | "set" "transaction" modes              { $$ = parser_transaction(parser,
                                                 AST_TRANSACTION_SET, $3, NULL); }
  | "set" "session" "characteristics" "as" "transaction" modes
                                           { $$ = parser_transaction(parser,
                                                 AST_TRANSACTION_SET_SESSION, $6, NULL); }
  ;

to: '=' | "to" ;

setting_name:
    NAME
  | unreserved_keyword
  | setting_name '.' any_word              { $$ = arena_printf(arena, "%s.%s", $1, $3); }
  ;

set_values:
    set_value                              { $$ = (SoupList){0}; ADD(&$$, $1); }
  | set_values ',' set_value               { $$ = $1; ADD(&$$, $3); }
  ;

set_value:
    any_word                               { $$ = SOUP(WORD, @1, $1); }
  | STRING                                 { $$ = SOUP(STRING, @1, $1); }
  | INTEGER                                { $$ = SOUP(NUMBER, @1, $1); }
  | NUMBER                                 { $$ = SOUP(NUMBER, @1, $1); }
  | '-' INTEGER                            { $$ = SOUP(NUMBER, @1, parser_minus(parser, $2)); }
  | '-' NUMBER                             { $$ = SOUP(NUMBER, @1, parser_minus(parser, $2)); }
  ;

show:
    "show" setting_name                    { $$ = parser_show(parser, $2); }
  | "show" "all"                           { $$ = parser_show(parser, NULL); }
  | "show" "time" "zone"                   { $$ = parser_show(parser, "timezone"); }
  | "show" "transaction" "isolation" "level"
                                           { $$ = parser_show(parser, "transaction_isolation"); }
  | "show" "session" "authorization"       { $$ = parser_show(parser, "session_authorization"); }
  | "show" "table" object_name             { $$ = parser_show(parser, NULL); $$->show->table = $3; }
  | "show" "view" object_name              { $$ = parser_show(parser, NULL); $$->show->table = $3;
                                             $$->show->table_kind = AST_OBJECT_VIEW; }
  ;

reset:
    "reset" setting_name                   { $$ = parser_reset(parser, @2, $2); }
  | "reset" "all"                          { $$ = parser_reset(parser, @2, NULL); }
  | "reset" "time" "zone"                  { $$ = parser_reset(parser, @2, "timezone"); }
  | "reset" "session" "authorization"      { $$ = parser_reset(parser, @2, "session_authorization"); }
  ;

/* ---- about statements ---- */

explainable:
    query                                  { $$ = parser_query_statement(parser, $1); }
  | insert | update | delete | merge | create | execute | cursor
  ;

explain:
    "explain" explainable                  { $$ = parser_explain(parser, @2, $2, false, false); }
  | "explain" "analyze" opt_verbose explainable
                                           { $$ = parser_explain(parser, @4, $4, true, $3); }
  | "explain" "verbose" explainable        { $$ = parser_explain(parser, @3, $3, false, true); }
  | "explain" '(' explain_options ')' explainable
                                           { $$ = parser_explain(parser, @5, $5, false, false);
                                             CHECK(parser_explain_options(parser, &$3,
                                                                          $$->explain)); }
  ;

opt_verbose:
    %empty                                 { $$ = false; }
  | "verbose"                              { $$ = true; }
  ;

explain_options:
    explain_word                           { $$ = (SoupList){0}; ADD(&$$, $1); }
  | explain_options explain_word           { $$ = $1; ADD(&$$, $2); }
  ;

explain_word:
    NAME                                   { $$ = SOUP(WORD, @1, $1); }
  | unreserved_keyword                     { $$ = SOUP(WORD, @1, $1); }
  | type_function_keyword                  { $$ = SOUP(WORD, @1, $1); }
  | "analyze"                              { $$ = SOUP(WORD, @1, "analyze"); }
  | "true"                                 { $$ = SOUP(WORD, @1, "true"); }
  | "false"                                { $$ = SOUP(WORD, @1, "false"); }
  | "on"                                   { $$ = SOUP(WORD, @1, "on"); }
  | INTEGER                                { $$ = SOUP(NUMBER, @1, $1); }
  | STRING                                 { $$ = SOUP(STRING, @1, $1); }
  | ','                                    { $$ = SOUP(SYMBOL, @1, ","); }
  ;

prepare:
    "prepare" col_id opt_type_list "as" plain_statement
                                           { $$ = STATEMENT(PREPARE, prepare, AstPrepare);
                                             $$->prepare->name = $2; $$->prepare->types = $3;
                                             $$->prepare->statement =
                                                 parser_place(parser, $5, @5);
                                             parser->parameter_max = 0; }
  ;

execute:
    "execute" col_id opt_arguments         { $$ = STATEMENT(EXECUTE, execute, AstExecute);
                                             $$->execute->name = $2;
                                             $$->execute->position = @2.start;
                                             $$->execute->arguments = $3; }
  ;

opt_arguments:
    %empty                                 { $$ = (AstExprList){0}; }
  | '(' expr_list ')'                      { $$ = $2; }
  ;

deallocate:
    "deallocate" close_name                { $$ = parser_named(parser, AST_STATEMENT_DEALLOCATE, $2); }
  | "deallocate" "prepare" close_name      { $$ = parser_named(parser, AST_STATEMENT_DEALLOCATE, $3); }
  ;

close_name:
    col_id
  | "all"                                  { $$ = NULL; }
  ;

cursor:
    "declare" col_id cursor_options "cursor" opt_hold "for" query
    {
        $$ = STATEMENT(DECLARE_CURSOR, declare_cursor, AstDeclareCursor);
        *$$->declare_cursor = (AstDeclareCursor){.name = $2, .is_hold = $5, .query = $7,
                                                 .query_start = @7.start, .query_end = @7.end};
    }
  | "fetch" fetch_range                    { $$ = parser_fetch(parser, $2); }
  | "close" close_name                     { $$ = parser_named(parser, AST_STATEMENT_CLOSE, $2); }
  ;

cursor_options: %empty | cursor_options cursor_option ;
cursor_option:  NAME | "insensitive" | "scroll" | "no" "scroll" ;

opt_hold:
    %empty                                 { $$ = false; }
  | "with" "hold"                          { $$ = true; }
  | "without" "hold"                       { $$ = false; }
  ;

/* The cursor's name comes last: FETCH 10 FROM c, FETCH NEXT c, FETCH c. */
fetch_range:
    col_id                                 { $$ = (FetchRange){.name = $1, .count = 1}; }
  | from_or_in col_id                      { $$ = (FetchRange){.name = $2, .count = 1}; }
  | "next" opt_from_or_in col_id           { $$ = (FetchRange){.name = $3, .count = 1}; }
  | "prior" opt_from_or_in col_id          { $$ = (FetchRange){.name = $3, .count = 1,
                                                               .is_backward = true}; }
  | "forward" opt_from_or_in col_id        { $$ = (FetchRange){.name = $3, .count = 1}; }
  | "backward" opt_from_or_in col_id       { $$ = (FetchRange){.name = $3, .count = 1,
                                                               .is_backward = true}; }
  | "all" opt_from_or_in col_id            { $$ = (FetchRange){.name = $3, .is_all = true}; }
  | "forward" "all" opt_from_or_in col_id  { $$ = (FetchRange){.name = $4, .is_all = true}; }
  | signed_integer opt_from_or_in col_id   { $$ = (FetchRange){.name = $3, .count = $1}; }
  | "forward" signed_integer opt_from_or_in col_id
                                           { $$ = (FetchRange){.name = $4, .count = $2}; }
  | "backward" signed_integer opt_from_or_in col_id
                                           { $$ = (FetchRange){.name = $4, .count = $2,
                                                               .is_backward = true}; }
  ;

from_or_in:     "from" | "in" ;
opt_from_or_in: %empty | from_or_in ;

signed_integer:
    INTEGER                                { CHECK(parser_integer(parser, @1, $1, false, &$$)); }
  | '-' INTEGER                            { CHECK(parser_integer(parser, @2, $2, true, &$$)); }
  ;

/* ---- maintenance, users, rights ---- */

maintenance:
    "analyze" soup                         { CHECK(parser_analyze(parser, &$2, &$$)); }
  | "vacuum" soup                          { CHECK(parser_vacuum(parser, &$2, &$$)); }
  | "lock" opt_table object_names opt_lock_mode
                                           { $$ = STATEMENT(LOCK, lock, AstLock);
                                             *$$->lock = (AstLock){.tables = $3, .mode = $4}; }
  | "discard" any_word                     { $$ = parser_named(parser, AST_STATEMENT_DISCARD, $2); }
  ;

opt_lock_mode:
    %empty                                 { $$ = (AstWordList){0}; }
  | "in" lock_words                        { $$ = $2; }
  ;
lock_words:
    any_word                               { $$ = (AstWordList){0}; ADD(&$$, WORD($1, @1)); }
  | lock_words any_word                    { $$ = $1; ADD(&$$, WORD($2, @2)); }
  ;

grant:
    "grant" privileges "on" grant_target "to" grantees opt_grant_option
                                           { $$ = parser_grant(parser, &$2, &$4, &$6);
                                             $$->grant->has_grant_option = $7; }
  | "revoke" privileges "on" grant_target "from" grantees opt_cascade
                                           { $$ = parser_grant(parser, &$2, &$4, &$6);
                                             $$->grant->is_revoke = true;
                                             $$->grant->is_cascade = $7; }
  | "revoke" "grant" "option" "for" privileges "on" grant_target "from" grantees opt_cascade
                                           { $$ = parser_grant(parser, &$5, &$7, &$9);
                                             $$->grant->is_revoke = true;
                                             $$->grant->has_grant_option = true;
                                             $$->grant->is_cascade = $10; }
  ;

privileges:
    privilege                              { $$ = (AstWordList){0}; ADD(&$$, $1); }
  | privileges ',' privilege               { $$ = $1; ADD(&$$, $3); }
  ;

privilege:
    name_word
  | "select"                               { $$ = WORD("select", @1); }
  | "references"                           { $$ = WORD("references", @1); }
  | "create"                               { $$ = WORD("create", @1); }
  | "all"                                  { $$ = WORD("all", @1); }
  | "all" "privileges"                     { $$ = WORD("all", @1); }
  ;

grant_target:
    object_names                           { $$ = (GrantTarget){AST_OBJECT_TABLE, false, $1}; }
  | "table" object_names                   { $$ = (GrantTarget){AST_OBJECT_TABLE, false, $2}; }
  | "schema" object_names                  { $$ = (GrantTarget){AST_OBJECT_SCHEMA, false, $2}; }
  | "database" object_names                { $$ = (GrantTarget){AST_OBJECT_DATABASE, false, $2}; }
  | "all" NAME "in" "schema" object_names  { CHECK(parser_expect_word(parser, @2, $2, "tables"));
                                             $$ = (GrantTarget){AST_OBJECT_TABLE, true, $5}; }
  ;

grantees:
    grantee
  | grantees ',' grantee                   { $$ = $1; ADD(&$$, $3.items[0]); }
  ;

grantee:
    col_id                                 { $$ = parser_grantee(parser, @1, "user", $1); }
  | "group" col_id                         { $$ = parser_grantee(parser, @2, "group", $2); }
  ;

opt_grant_option:
    %empty                                 { $$ = false; }
  | "with" "grant" "option"                { $$ = true; }
  ;

comment:
    "comment" "on" comment_kind object_name "is" STRING
                                           { CHECK(parser_comment(parser, $3, $4, $6, &$$)); }
  | "comment" "on" comment_kind object_name "is" "null"
                                           { CHECK(parser_comment(parser, $3, $4, NULL, &$$)); }
  ;

comment_kind:
    "table"                                { $$ = AST_OBJECT_TABLE; }
  | "view"                                 { $$ = AST_OBJECT_VIEW; }
  | "column"                               { $$ = AST_OBJECT_COLUMN; }
  | "schema"                               { $$ = AST_OBJECT_SCHEMA; }
  | "database"                             { $$ = AST_OBJECT_DATABASE; }
  ;

%%

static int yyreport_syntax_error(const yypcontext_t *context, Parser *parser)
{
    return parser_syntax_error(parser, *yypcontext_location(context));
}
