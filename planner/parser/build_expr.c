/*
 * build_expr.c — the grammar's actions for names, types, literals and expressions.
 */
#include "planner/parser/parser_internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define PARAMETER_MAX 65535 /* the protocol counts parameters in 16 bits */

Status parser_error_near(Parser *parser, AstLocation location)
{
    return lexer_error_near(&parser->filter.lexer, location, "syntax error");
}

Status parser_expect_word(Parser *parser, AstLocation location, const char *word,
                          const char *expected)
{
    return strcmp(word, expected) == 0 ? STATUS_OK : parser_error_near(parser, location);
}

AstWordList *parser_words(Parser *parser, AstWordList words)
{
    return arena_memdup(parser->arena, &words, sizeof(words));
}

Status parser_object_name(Parser *parser, const AstWordList *parts, AstObjectName **out)
{
    if (parts->count > 3) {
        return status_at(parts->items[0].position, SQLSTATE_SYNTAX_ERROR,
                         "improper qualified name (too many dotted names)");
    }
    AstObjectName *name = ARENA_NEW(parser->arena, AstObjectName);
    name->position = parts->items[0].position;
    name->name = parts->items[parts->count - 1].text;
    name->schema = parts->items[parts->count - 2].text;
    name->database = parts->count == 3 ? parts->items[0].text : NULL;
    *out = name;
    return STATUS_OK;
}

AstTypeName *parser_type(Parser *parser, AstLocation location, const char *name)
{
    AstTypeName *type = ARENA_NEW(parser->arena, AstTypeName);
    type->position = location.start;
    type->name = name;
    return type;
}

Status parser_qualified_type(Parser *parser, const AstWordList *parts, AstTypeName **out)
{
    AstObjectName *name = NULL;
    TRY(parser_object_name(parser, parts, &name));
    *out = parser_type(parser, (AstLocation){.start = name->position}, name->name);
    (*out)->schema = name->schema;
    return STATUS_OK;
}

AstExpr *parser_text(Parser *parser, AstExprKind kind, AstLocation location, const char *text)
{
    AstExpr *expr = ast_expr(parser->arena, kind, location.start);
    expr->text = text;
    expr->bytes = (uint32_t)strlen(text);
    return expr;
}

AstExpr *parser_typed_literal(Parser *parser, AstLocation location, AstTypeName *type,
                              const char *text)
{
    AstExpr *expr = parser_text(parser, AST_TYPED_LITERAL, location, text);
    expr->type = type;
    return expr;
}

Status parser_parameter(Parser *parser, AstLocation location, const char *digits, AstExpr **out)
{
    unsigned long number = strtoul(digits, NULL, 10); // ULONG_MAX when it is too long
    if (number == 0 || number > PARAMETER_MAX) {
        return status_at(location.start, SQLSTATE_UNDEFINED_PARAMETER,
                         "there is no parameter $%s", digits);
    }
    AstExpr *expr = ast_expr(parser->arena, AST_PARAMETER, location.start);
    expr->parameter = (uint32_t)number;
    if (expr->parameter > parser->parameter_max) {
        parser->parameter_max = expr->parameter;
    }
    *out = expr;
    return STATUS_OK;
}

Status parser_integer(Parser *parser, AstLocation location, const char *digits, bool is_negative,
                      int64_t *out)
{
    (void)parser;
    errno = 0;
    long long value = strtoll(digits, NULL, 10);
    if (errno == ERANGE) {
        return status_at(location.start, SQLSTATE_NUMERIC_VALUE_OUT_OF_RANGE,
                         "value \"%s\" is out of range for type bigint", digits);
    }
    *out = is_negative ? -value : value;
    return STATUS_OK;
}

const char *parser_minus(Parser *parser, const char *digits)
{
    return arena_printf(parser->arena, "-%s", digits);
}

const char *parser_source(Parser *parser, AstLocation location)
{
    return arena_strndup(parser->arena, parser->filter.lexer.text + location.start,
                         (size_t)(location.end - location.start));
}

AstExpr *parser_column(Parser *parser, AstLocation location, const char *name)
{
    AstExpr *expr = ast_expr(parser->arena, AST_COLUMN, location.start);
    expr->names = arena_memdup(parser->arena, &name, sizeof(name));
    expr->name_count = 1;
    return expr;
}

AstExpr *parser_qualified_column(Parser *parser, AstLocation location, const AstWordList *parts)
{
    AstExpr *expr = ast_expr(parser->arena, AST_COLUMN, location.start);
    expr->names = ARENA_ARRAY(parser->arena, const char *, parts->count);
    expr->name_count = parts->count;
    for (uint32_t i = 0; i < parts->count; i++) {
        expr->names[i] = parts->items[i].text;
    }
    return expr;
}

AstExpr *parser_operator(Parser *parser, AstLocation location, const char *symbol, AstExpr *left,
                         AstExpr *right)
{
    AstExpr *expr = ast_expr_args(parser->arena, AST_OPERATOR, location.start,
                                  right == NULL ? 1 : 2, (AstExpr *[]){left, right});
    expr->text = symbol;
    return expr;
}

// -5 is a literal of its own: only so can the smallest bigint be written.
AstExpr *parser_negate(Parser *parser, AstLocation location, AstExpr *operand)
{
    if (operand->kind == AST_NUMBER && operand->text[0] != '-' && !operand->is_parenthesised) {
        return parser_text(parser, AST_NUMBER, location, parser_minus(parser, operand->text));
    }
    return parser_operator(parser, location, "-", operand, NULL);
}

AstExpr *parser_is(Parser *parser, AstLocation location, AstExpr *operand, int test)
{
    AstExpr *expr = ast_expr_args(parser->arena, AST_IS, location.start, 1, &operand);
    expr->test = (AstIsTest)(test & ~IS_NEGATED);
    expr->is_negated = (test & IS_NEGATED) != 0;
    return expr;
}

AstExpr *parser_like(Parser *parser, AstLocation location, int like, AstExpr *value,
                     AstExpr *pattern, AstExpr *escape)
{
    AstExpr *expr = ast_expr_args(parser->arena, AST_LIKE, location.start, escape == NULL ? 2 : 3,
                                  (AstExpr *[]){value, pattern, escape});
    expr->like = (AstLike)(like & ~IS_NEGATED);
    expr->is_negated = (like & IS_NEGATED) != 0;
    return expr;
}

// first, then the items of `rest`, as one array.
static AstExpr *with_first(Parser *parser, AstExprKind kind, AstLocation location, AstExpr *first,
                           const AstExprList *rest)
{
    uint32_t lead = first == NULL ? 0 : 1;
    AstExpr *expr = ast_expr(parser->arena, kind, location.start);
    expr->arg_count = rest->count + lead;
    expr->args = ARENA_ARRAY(parser->arena, AstExpr *, expr->arg_count);
    if (first != NULL) {
        expr->args[0] = first;
    }
    memcpy(expr->args + lead, rest->items, rest->count * sizeof(*rest->items));
    return expr;
}

AstExpr *parser_in_list(Parser *parser, AstLocation location, AstExpr *value,
                        const AstExprList *items, bool is_negated)
{
    AstExpr *expr = with_first(parser, AST_IN_LIST, location, value, items);
    expr->is_negated = is_negated;
    return expr;
}

AstExpr *parser_row(Parser *parser, AstLocation location, AstExpr *first, const AstExprList *rest)
{
    return with_first(parser, AST_ROW, location, first, rest);
}

AstExpr *parser_case(Parser *parser, AstLocation location, AstExpr *operand,
                     const AstExprList *branches, AstExpr *otherwise)
{
    AstExprList list = *branches;
    if (otherwise != NULL) {
        AST_LIST_ADD(parser->arena, &list, otherwise);
    }
    AstExpr *expr = with_first(parser, AST_CASE, location, operand, &list);
    expr->has_operand = operand != NULL;
    expr->has_else = otherwise != NULL;
    return expr;
}

AstExpr *parser_name_call(Parser *parser, AstLocation location, const char *name, AstExpr *body)
{
    (void)parser;
    body->position = location.start;
    body->call->name = name;
    return body;
}

Status parser_qualified_call(Parser *parser, AstLocation location, const AstWordList *parts,
                             AstExpr *body)
{
    AstObjectName *name = NULL;
    TRY(parser_object_name(parser, parts, &name));
    parser_name_call(parser, location, name->name, body);
    body->call->schema = name->schema;
    return STATUS_OK;
}

Status parser_frame(Parser *parser, int unit, AstFrameBound start, AstFrameBound end,
                    AstWindow **out)
{
    const char *fault = NULL;
    int32_t position = start.position;
    if (start.kind == AST_BOUND_UNBOUNDED_FOLLOWING) {
        fault = "frame start cannot be UNBOUNDED FOLLOWING";
    } else if (end.kind == AST_BOUND_UNBOUNDED_PRECEDING) {
        fault = "frame end cannot be UNBOUNDED PRECEDING";
        position = end.position;
    } else if (start.kind == AST_BOUND_CURRENT_ROW && end.kind == AST_BOUND_PRECEDING) {
        fault = "frame starting from current row cannot have preceding rows";
    } else if (start.kind == AST_BOUND_FOLLOWING && end.kind < AST_BOUND_CURRENT_ROW) {
        fault = "frame starting from following row cannot have preceding rows";
    } else if (start.kind == AST_BOUND_FOLLOWING && end.kind == AST_BOUND_CURRENT_ROW) {
        fault = "frame starting from following row cannot end with current row";
    }
    if (fault != NULL) {
        return status_at(position, SQLSTATE_WINDOWING_ERROR, "%s", fault);
    }
    AstWindow *window = ARENA_NEW(parser->arena, AstWindow);
    window->has_frame = true;
    window->unit = (AstFrameUnit)unit;
    window->start = start;
    window->end = end;
    *out = window;
    return STATUS_OK;
}
