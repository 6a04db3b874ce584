/*
 * parse.c — runs lexer, filter and grammar over a text, and words what went wrong.
 */
#include "planner/parser/parse.h"
#include "planner/parser/parser_internal.h"
#include "planner/parser/grammar.h"

#include <stdio.h>
#include <string.h>
#include "base/types/text_format.h"

#define LEADING_BYTES_MAX 64 /* longest line of unsupported_statements.def, and then some */

typedef struct UnsupportedStatement {
    const char *words, *name;
} UnsupportedStatement;

static const UnsupportedStatement unsupported_statements[] = {
#define UNSUPPORTED(words, name) {words, name},
#include "planner/parser/unsupported_statements.def"
#undef UNSUPPORTED
};

// True when `leading` starts with all of `words`.
static bool starts_with(const char *leading, const char *words)
{
    size_t bytes = strlen(words);
    return strncmp(leading, words, bytes) == 0 && (leading[bytes] == ' ' || leading[bytes] == '\0');
}

// Reads the text again as mere tokens up to the error, to see how the statement at fault begins:
// "create or replace function f(" -> its first words, joined by single blanks.
static void leading_words(Parser *parser, int32_t error_position, char words[LEADING_BYTES_MAX],
                          int32_t *position)
{
    TokenFilter filter = {0};
    size_t length = 0;
    bool is_start = true, is_leading = true;
    words[0] = '\0';
    Status status = lexer_init(&filter.lexer, parser->filter.lexer.text,
                               parser->filter.lexer.bytes, parser->arena);
    if (status != STATUS_OK) {
        status_ignore(status, "the syntax error itself is told");
        return;
    }
    for (;;) {
        Token token = token_filter_next(&filter);
        bool is_end = token.kind == 0 || token.kind == TOKEN_ERROR;
        if (is_end || (token.kind == ';' && token.location.start >= error_position)) {
            break;
        }
        if (token.kind == ';') {
            is_start = is_leading = true;
            length = 0;
            continue;
        }
        if (is_start) {
            *position = token.location.start;
            is_start = false;
        }
        size_t bytes = strlen(token.text);
        is_leading = is_leading && bytes > 0 && length + bytes + 2 < LEADING_BYTES_MAX;
        if (is_leading) {
            length += (size_t)snprintf(words + length, LEADING_BYTES_MAX - length, "%s%s",
                                       length == 0 ? "" : " ", token.text);
        }
        if (token.location.start > error_position && !is_leading) {
            break;
        }
    }
    lexer_deinit(&filter.lexer);
}

static Status unsupported_statement(Parser *parser, Status owned_error)
{
    char words[LEADING_BYTES_MAX];
    int32_t position = POSITION_NONE;
    leading_words(parser, status_position(owned_error), words, &position);
    size_t count = sizeof(unsupported_statements) / sizeof(unsupported_statements[0]);
    for (size_t i = 0; i < count; i++) {
        if (starts_with(words, unsupported_statements[i].words)) {
            status_free(owned_error);
            return status_at(position, SQLSTATE_FEATURE_NOT_SUPPORTED,
                             "%s is not supported yet", unsupported_statements[i].name);
        }
    }
    return owned_error;
}

int parser_syntax_error(Parser *parser, AstLocation location)
{
    if (parser->filter.lexer.status != STATUS_OK) {
        parser->status = parser->filter.lexer.status; // the lexer knows better
        parser->filter.lexer.status = STATUS_OK;
        return 0;
    }
    parser->status = parser_error_near(parser, location);
    return 0;
}

void parser_stack_exhausted(Parser *parser, AstLocation location, const char *message)
{
    (void)message;
    parser->status = status_first(
        parser->status, status_at(location.start, SQLSTATE_STATEMENT_TOO_COMPLEX,
                                  "statement is nested too deeply"));
}

static Status run_parser(Parser *parser, const char *text, size_t bytes, Arena *arena,
                         int start_kind)
{
    if (bytes > INT32_MAX - 2) {
        return status_error(SQLSTATE_PROGRAM_LIMIT_EXCEEDED, "statement is too long");
    }
    if (!utf8_is_valid(text, bytes)) {
        return status_error(SQLSTATE_CHARACTER_NOT_IN_REPERTOIRE,
                            "invalid byte sequence for encoding \"UTF8\"");
    }
    *parser = (Parser){.arena = arena, .filter = {.start_kind = start_kind}};
    TRY(lexer_init(&parser->filter.lexer, text, bytes, arena));
    int result = sql_parse(parser);
    if (result == 0 && parser->status != STATUS_OK) {
        result = 1;
    }
    if (result != 0 && parser->status == STATUS_OK) {
        parser->status = status_error(SQLSTATE_INTERNAL_ERROR, "the parser stopped");
    }
    Status status = parser->status;
    parser->status = STATUS_OK;
    if (status != STATUS_OK && status_sqlstate(status) == SQLSTATE_SYNTAX_ERROR) {
        status = unsupported_statement(parser, status);
    }
    lexer_deinit(&parser->filter.lexer);
    return status;
}

Status parse_statements(const char *text, size_t bytes, Arena *arena, AstStatementList *out)
{
    Parser parser;
    TRY(run_parser(&parser, text, bytes, arena, 0));
    *out = parser.statements;
    return STATUS_OK;
}

Status parse_expression(const char *text, size_t bytes, Arena *arena, AstExpr **out)
{
    Parser parser;
    TRY(run_parser(&parser, text, bytes, arena, TOKEN_START_EXPRESSION));
    *out = parser.expression;
    return STATUS_OK;
}

const char *quote_identifier(Arena *arena, const char *name)
{
    bool is_plain = (name[0] >= 'a' && name[0] <= 'z') || name[0] == '_';
    size_t length = strlen(name), quote_count = 0;
    for (size_t i = 0; i < length; i++) {
        char c = name[i];
        is_plain = is_plain &&
                   ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_');
        quote_count += c == '"' ? 1 : 0;
    }
    if (is_plain && !keyword_needs_quotes(name)) {
        return name;
    }
    char *quoted = arena_alloc(arena, length + quote_count + 3);
    char *end = quoted;
    *end++ = '"';
    for (size_t i = 0; i < length; i++) {
        if (name[i] == '"') {
            *end++ = '"';
        }
        *end++ = name[i];
    }
    *end++ = '"';
    return quoted;
}
