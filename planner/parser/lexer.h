/*
 * lexer.h — text to tokens; inside the parser only.
 *
 * Two layers: lexer.l cuts the text; token_filter.c looks one token ahead where the grammar needs
 * more than one (NOT IN, WITH TIME, NULLS FIRST …) and joins string literals on adjacent lines.
 */
#pragma once
#include "planner/parser/ast.h"

/* Bytes [start, end) of the text. */
typedef struct AstLocation {
    int32_t start, end;
} AstLocation;

typedef struct Token {
    int kind;            /* a token of the grammar; 0: end of input */
    AstLocation location;
    const char *text;    /* names, keywords, literals, operators: in the arena or static */
} Token;

typedef struct Lexer {
    Arena *arena;
    const char *text;
    size_t bytes;
    int32_t start, end;      /* of the current token */
    int32_t open_position;   /* of the comment or string being read */
    uint32_t comment_depth;
    const char *dollar_tag;  /* of the dollar quote being read, with both dollars */
    Status status;           /* set when a token is no token; kind is then TOKEN_ERROR */
    void *scanner;           /* flex's */
} Lexer;

Status lexer_init(Lexer *lexer, const char *text, size_t bytes, Arena *arena) CHECKED;
void lexer_deinit(Lexer *lexer);
Token lexer_next(Lexer *lexer);

typedef struct TokenFilter {
    Lexer lexer;
    Token ahead[2];
    uint32_t ahead_count;
    int previous_kind;
    int start_kind;          /* given out first when not 0: chooses what the grammar reads */
} TokenFilter;

Token token_filter_next(TokenFilter *filter);

/* Makers of tokens, for lexer.l: the current token spans lexer->start .. lexer->end. */
Token token_make(Lexer *lexer, int kind, const char *text);
Token token_error(Lexer *lexer, int32_t start, const char *what);
Token token_unsupported(Lexer *lexer, const char *what);
Token token_string(Lexer *lexer, const char *text, size_t bytes);
Token token_escaped_string(Lexer *lexer, const char *text, size_t bytes);
Token token_dollar_string(Lexer *lexer);
Token token_name(Lexer *lexer, const char *text, size_t bytes);
Token token_quoted_name(Lexer *lexer, const char *text, size_t bytes);
/* The longest operator that `text` starts with; `used` of its bytes. */
Token token_operator(Lexer *lexer, const char *text, size_t bytes, size_t *used);

bool keyword_needs_quotes(const char *word); /* as a name in SQL text; `word` is lower case */
/* "<what> at or near "x"" (42601) for the token at `location`. */
Status lexer_error_near(const Lexer *lexer, AstLocation location, const char *what) CHECKED;
