/*
 * token_filter.c — a token or two of look-ahead between lexer and grammar.
 *
 * Example: in  a NOT IN (1)  the word NOT starts a predicate's second half, in  NOT a  it is the
 * boolean operator. One token of bison's own look-ahead cannot tell; here NOT before BETWEEN, IN,
 * LIKE, ILIKE and SIMILAR becomes TOKEN_NOT_PREDICATE. Cost: constant per token.
 */
#include "planner/parser/lexer.h"
#include "planner/parser/grammar.h"

#include <string.h>

static Token take(TokenFilter *filter)
{
    if (filter->ahead_count == 0) {
        return lexer_next(&filter->lexer);
    }
    Token token = filter->ahead[0];
    filter->ahead[0] = filter->ahead[1];
    filter->ahead_count--;
    return token;
}

// The next token, or with 1 the one after it, which stays to be taken.
static const Token *peek(TokenFilter *filter, uint32_t distance)
{
    while (filter->ahead_count <= distance) {
        filter->ahead[filter->ahead_count++] = lexer_next(&filter->lexer);
    }
    return &filter->ahead[distance];
}

// 'a' and 'b' with only white space holding a line break between them are one literal, 'ab'.
static Token join_strings(TokenFilter *filter, Token first)
{
    Lexer *lexer = &filter->lexer;
    size_t length = 0, capacity = 0;
    char *joined = NULL;
    while (peek(filter, 0)->kind == TOKEN_STRING) {
        const char *gap = lexer->text + first.location.end;
        size_t gap_bytes = (size_t)(filter->ahead[0].location.start - first.location.end);
        if (memchr(gap, '\n', gap_bytes) == NULL && memchr(gap, '\r', gap_bytes) == NULL) {
            break;
        }
        if (joined == NULL) {
            length = strlen(first.text);
        }
        size_t added = strlen(filter->ahead[0].text);
        if (joined == NULL || length + added + 1 > capacity) {
            capacity = (length + added + 1) * 2;
            char *grown = arena_alloc(lexer->arena, capacity);
            memcpy(grown, joined == NULL ? first.text : joined, length);
            joined = grown;
        }
        memcpy(joined + length, filter->ahead[0].text, added + 1);
        length += added;
        first.location.end = filter->ahead[0].location.end;
        first.text = joined;
        filter->ahead_count--;
        filter->ahead[0] = filter->ahead[1];
    }
    return first;
}

// #name after a word that a table's name follows is a temporary table in Redshift's spelling.
static bool is_table_place(int kind)
{
    switch (kind) {
    case TOKEN_KW_TABLE:
    case TOKEN_KW_EXISTS:
    case TOKEN_KW_INTO:
    case TOKEN_KW_FROM:
    case TOKEN_KW_JOIN:
    case TOKEN_KW_UPDATE:
    case TOKEN_KW_TRUNCATE:
    case TOKEN_KW_COPY:
        return true;
    default:
        return false;
    }
}

static Token join_hash_name(TokenFilter *filter, Token hash)
{
    const Token *name = peek(filter, 0);
    if (name->kind != TOKEN_NAME || name->location.start != hash.location.end) {
        return hash;
    }
    Token token = take(filter);
    token.text = arena_printf(filter->lexer.arena, "#%s", token.text);
    token.location.start = hash.location.start;
    return token;
}

// f(g(x) IGNORE NULLS) OVER w means f's nulls: the words stand before the closing parenthesis.
static int nulls_kind(TokenFilter *filter, int kind, int outside, int inside)
{
    if (peek(filter, 0)->kind != TOKEN_KW_NULLS) {
        return kind;
    }
    return peek(filter, 1)->kind == ')' ? inside : outside;
}

// APPROXIMATE is a word of its own only before the functions it goes with.
static bool is_approximated(const Token *token)
{
    return token->kind == TOKEN_NAME &&
           (strcmp(token->text, "count") == 0 || strcmp(token->text, "percentile_disc") == 0);
}

static int filtered_kind(TokenFilter *filter, int kind)
{
    switch (kind) {
    case TOKEN_KW_NOT:
        switch (peek(filter, 0)->kind) {
        case TOKEN_KW_BETWEEN:
        case TOKEN_KW_IN:
        case TOKEN_KW_LIKE:
        case TOKEN_KW_ILIKE:
        case TOKEN_KW_SIMILAR:
            return TOKEN_NOT_PREDICATE;
        default:
            return kind;
        }
    case TOKEN_KW_NULLS:
        return peek(filter, 0)->kind == TOKEN_KW_FIRST || peek(filter, 0)->kind == TOKEN_KW_LAST
                   ? TOKEN_NULLS_ORDER
                   : kind;
    case TOKEN_KW_WITH:
        return peek(filter, 0)->kind == TOKEN_KW_TIME ? TOKEN_WITH_TIME : kind;
    case TOKEN_KW_IGNORE:
        return nulls_kind(filter, kind, TOKEN_IGNORE_NULLS, TOKEN_IGNORE_NULLS_INSIDE);
    case TOKEN_KW_RESPECT:
        return nulls_kind(filter, kind, TOKEN_RESPECT_NULLS, TOKEN_RESPECT_NULLS_INSIDE);
    case TOKEN_KW_APPROXIMATE:
        return is_approximated(peek(filter, 0)) && peek(filter, 1)->kind == '('
                   ? TOKEN_APPROXIMATE_CALL
                   : kind;
    default:
        return kind;
    }
}

Token token_filter_next(TokenFilter *filter)
{
    if (filter->start_kind != 0) {
        Token start = {.kind = filter->start_kind, .text = ""};
        filter->start_kind = 0;
        return start;
    }
    Token token = take(filter);
    if (token.kind == TOKEN_STRING) {
        token = join_strings(filter, token);
    } else if (token.kind == TOKEN_OPERATOR && strcmp(token.text, "#") == 0 &&
               is_table_place(filter->previous_kind)) {
        token = join_hash_name(filter, token);
    } else {
        token.kind = filtered_kind(filter, token.kind);
    }
    filter->previous_kind = token.kind;
    return token;
}
