/*
 * token.c — from the bytes of one token to its value: literals unescaped, names folded, operators
 * cut to their proper length, keywords found.
 */
#include "planner/parser/lexer.h"
#include "planner/parser/grammar.h"
#include "planner/parser/parse.h"

#include <string.h>
#include "base/types/text_format.h"

#define NEAR_BYTES_MAX 512 /* of a token, in messages */

typedef enum KeywordClass {
    KEYWORD_UNRESERVED, KEYWORD_COLUMN_NAME, KEYWORD_TYPE_FUNCTION, KEYWORD_RESERVED
} KeywordClass;
typedef struct Keyword {
    const char *word;
    int token;
    KeywordClass class;
} Keyword;

static const Keyword keywords[] = {
#define KEYWORD(ID, word, class, label) {word, TOKEN_KW_##ID, KEYWORD_##class},
#include "planner/parser/keywords.def"
#undef KEYWORD
};
static const char *const reserved_in_redshift[] = {
#define KEYWORD(ID, word, class, label)
#define RESERVED_IN_REDSHIFT(word) word,
#include "planner/parser/keywords.def"
#undef RESERVED_IN_REDSHIFT
#undef KEYWORD
};
#define KEYWORD_COUNT (sizeof(keywords) / sizeof(keywords[0]))
#define KEYWORD_BYTES_MAX 32

static const Keyword *find_keyword(const char *word, size_t bytes)
{
    size_t low = 0, high = KEYWORD_COUNT;
    while (low < high) {
        size_t middle = (low + high) / 2;
        int order = strncmp(keywords[middle].word, word, bytes);
        if (order == 0 && keywords[middle].word[bytes] != '\0') {
            order = 1;
        }
        if (order == 0) {
            return &keywords[middle];
        }
        if (order < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return NULL;
}

bool keyword_needs_quotes(const char *word)
{
    const Keyword *keyword = find_keyword(word, strlen(word));
    if (keyword != NULL && keyword->class != KEYWORD_UNRESERVED) {
        return true;
    }
    for (size_t i = 0; i < sizeof(reserved_in_redshift) / sizeof(reserved_in_redshift[0]); i++) {
        if (strcmp(reserved_in_redshift[i], word) == 0) {
            return true;
        }
    }
    return false;
}

// The longest prefix of at most `bytes` that cuts no UTF-8 character in two.
static size_t whole_characters(const char *text, size_t bytes, size_t bytes_max)
{
    if (bytes <= bytes_max) {
        return bytes;
    }
    while (bytes_max > 0 && ((unsigned char)text[bytes_max] & 0xC0) == 0x80) {
        bytes_max--;
    }
    return bytes_max;
}

Status lexer_error_near(const Lexer *lexer, AstLocation location, const char *what)
{
    if (location.start >= (int32_t)lexer->bytes) {
        return status_at(location.start, SQLSTATE_SYNTAX_ERROR, "%s at end of input", what);
    }
    const char *text = lexer->text + location.start;
    size_t bytes = (size_t)(location.end - location.start);
    size_t shown = whole_characters(text, bytes, NEAR_BYTES_MAX);
    return status_at(location.start, SQLSTATE_SYNTAX_ERROR, "%s at or near \"%.*s%s\"", what,
                     (int)shown, text, shown < bytes ? "..." : "");
}

Token token_make(Lexer *lexer, int kind, const char *text)
{
    return (Token){.kind = kind, .location = {lexer->start, lexer->end}, .text = text};
}

static Token token_failed(Lexer *lexer, Status owned_status)
{
    lexer->status = status_first(lexer->status, owned_status);
    return token_make(lexer, TOKEN_ERROR, "");
}

Token token_error(Lexer *lexer, int32_t start, const char *what)
{
    AstLocation location = {start, lexer->end};
    if (start >= (int32_t)lexer->bytes) {
        location.end = start;
    }
    // flex is at the token's end, where it has put a zero byte; the text itself is whole before it
    return token_failed(lexer, lexer_error_near(lexer, location, what));
}

Token token_unsupported(Lexer *lexer, const char *what)
{
    return token_failed(lexer, status_at(lexer->start, SQLSTATE_FEATURE_NOT_SUPPORTED,
                                         "%s are not supported", what));
}

// Copies with `quote` pairs made single.
static const char *unquote(Arena *arena, const char *text, size_t bytes, char quote)
{
    char *copy = arena_alloc(arena, bytes + 1);
    size_t length = 0;
    for (size_t i = 0; i < bytes; i++) {
        copy[length++] = text[i];
        if (text[i] == quote) {
            i++;
        }
    }
    return copy;
}

Token token_string(Lexer *lexer, const char *text, size_t bytes)
{
    return token_make(lexer, TOKEN_STRING, unquote(lexer->arena, text, bytes, '\''));
}

Token token_dollar_string(Lexer *lexer)
{
    size_t tag_bytes = strlen(lexer->dollar_tag);
    int32_t content_start = lexer->open_position + (int32_t)tag_bytes;
    int32_t content_end = lexer->end - (int32_t)tag_bytes;
    Token token = token_make(lexer, TOKEN_STRING,
                             arena_strndup(lexer->arena, lexer->text + content_start,
                                           (size_t)(content_end - content_start)));
    token.location.start = lexer->open_position;
    return token;
}

static int digit_value(char c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    char lower = (char)(c | 0x20);
    return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : 99;
}

// Reads up to `digits_max` digits; returns how many there were.
static size_t read_digits(const char *text, size_t bytes, size_t digits_max, int base,
                          uint32_t *value)
{
    size_t count = 0;
    *value = 0;
    while (count < bytes && count < digits_max && digit_value(text[count]) < base) {
        *value = *value * (uint32_t)base + (uint32_t)digit_value(text[count]);
        count++;
    }
    return count;
}

static size_t put_utf8(char *target, uint32_t code)
{
    if (code < 0x80) {
        target[0] = (char)code;
        return 1;
    }
    if (code < 0x800) {
        target[0] = (char)(0xC0 | (code >> 6));
        target[1] = (char)(0x80 | (code & 0x3F));
        return 2;
    }
    if (code < 0x10000) {
        target[0] = (char)(0xE0 | (code >> 12));
        target[1] = (char)(0x80 | ((code >> 6) & 0x3F));
        target[2] = (char)(0x80 | (code & 0x3F));
        return 3;
    }
    target[0] = (char)(0xF0 | (code >> 18));
    target[1] = (char)(0x80 | ((code >> 12) & 0x3F));
    target[2] = (char)(0x80 | ((code >> 6) & 0x3F));
    target[3] = (char)(0x80 | (code & 0x3F));
    return 4;
}

// \uXXXX and \UXXXXXXXX: 0 when malformed. Writes at most 4 bytes where at least 6 were read.
static size_t put_unicode_escape(const char *text, size_t bytes, char *target, size_t *used)
{
    size_t digits = text[0] == 'u' ? 4 : 8;
    uint32_t code;
    if (read_digits(text + 1, bytes - 1, digits, 16, &code) < digits || code == 0 ||
        code > 0x10FFFF || (code >= 0xD800 && code <= 0xDFFF)) {
        return 0;
    }
    *used = digits + 1;
    return put_utf8(target, code);
}

// One escape after its backslash; returns bytes written, 0 when it is no valid one.
static size_t put_escape(const char *text, size_t bytes, char *target, size_t *used)
{
    static const char letters[] = "bfnrt", meanings[] = "\b\f\n\r\t";
    uint32_t code;
    *used = 1;
    const char *letter = strchr(letters, text[0]);
    if (letter != NULL && text[0] != '\0') {
        target[0] = meanings[letter - letters];
        return 1;
    }
    if (text[0] == 'u' || text[0] == 'U') {
        return put_unicode_escape(text, bytes, target, used);
    }
    if (text[0] == 'x' && bytes > 1 && digit_value(text[1]) < 16) {
        *used = 1 + read_digits(text + 1, bytes - 1, 2, 16, &code);
        target[0] = (char)code;
        return code == 0 ? 0 : 1;
    }
    if (text[0] >= '0' && text[0] <= '7') {
        *used = read_digits(text, bytes, 3, 8, &code);
        target[0] = (char)code;
        return (code & 0xFF) == 0 ? 0 : 1;
    }
    target[0] = text[0];
    return 1;
}

Token token_escaped_string(Lexer *lexer, const char *text, size_t bytes)
{
    char *copy = arena_alloc(lexer->arena, bytes + 1);
    size_t length = 0;
    for (size_t i = 0; i < bytes;) {
        if (text[i] == '\'') {
            copy[length++] = '\'';
            i += 2;
        } else if (text[i] != '\\') {
            copy[length++] = text[i++];
        } else {
            size_t used = 0;
            size_t written = put_escape(text + i + 1, bytes - i - 1, copy + length, &used);
            if (written == 0) {
                return token_failed(lexer, status_at(lexer->start,
                                                     SQLSTATE_INVALID_ESCAPE_SEQUENCE,
                                                     "invalid escape in a string literal"));
            }
            length += written;
            i += 1 + used;
        }
    }
    copy[length] = '\0';
    if (!utf8_is_valid(copy, length)) {
        return token_failed(lexer, status_at(lexer->start, SQLSTATE_CHARACTER_NOT_IN_REPERTOIRE,
                                             "invalid byte sequence for encoding \"UTF8\""));
    }
    return token_make(lexer, TOKEN_STRING, copy);
}

Token token_name(Lexer *lexer, const char *text, size_t bytes)
{
    bytes = whole_characters(text, bytes, IDENTIFIER_BYTES_MAX);
    char folded[IDENTIFIER_BYTES_MAX + 1];
    for (size_t i = 0; i < bytes; i++) {
        char c = text[i];
        folded[i] = c >= 'A' && c <= 'Z' ? (char)(c + ('a' - 'A')) : c;
    }
    if (bytes <= KEYWORD_BYTES_MAX) {
        const Keyword *keyword = find_keyword(folded, bytes);
        if (keyword != NULL) {
            return token_make(lexer, keyword->token, keyword->word);
        }
    }
    return token_make(lexer, TOKEN_NAME, arena_strndup(lexer->arena, folded, bytes));
}

Token token_quoted_name(Lexer *lexer, const char *text, size_t bytes)
{
    if (bytes == 0) {
        return token_error(lexer, lexer->start, "zero-length delimited identifier");
    }
    const char *name = unquote(lexer->arena, text, bytes, '"');
    size_t kept = whole_characters(name, strlen(name), IDENTIFIER_BYTES_MAX);
    return token_make(lexer, TOKEN_NAME, arena_strndup(lexer->arena, name, kept));
}

// PostgreSQL's rule: a comment ends an operator, and one of several characters ends in + or - only
// when it also holds a character that no standard operator has. So "a<-1" is a < -1.
static size_t operator_length(const char *text, size_t bytes)
{
    size_t length = 1;
    while (length < bytes) {
        const char *next = text + length;
        bool is_pair = length + 1 < bytes;
        if (is_pair && (memcmp(next, "--", 2) == 0 || memcmp(next, "/*", 2) == 0)) {
            break;
        }
        length++;
    }
    while (length > 1 && (text[length - 1] == '+' || text[length - 1] == '-')) {
        bool is_special = false;
        for (size_t i = 0; i + 1 < length; i++) {
            is_special = is_special || strchr("~!@#%^&|`?", text[i]) != NULL;
        }
        if (is_special) {
            break;
        }
        length--;
    }
    return length;
}

Token token_operator(Lexer *lexer, const char *text, size_t bytes, size_t *used)
{
    size_t length = operator_length(text, bytes);
    *used = length;
    if (length == 1 && strchr("+-*/%^<>=", text[0]) != NULL) {
        return token_make(lexer, text[0], "");
    }
    if (length == 2) {
        static const struct {
            char symbol[3];
            int token;
        } comparisons[] = {{"<=", TOKEN_LESS_EQUAL},
                           {">=", TOKEN_GREATER_EQUAL},
                           {"<>", TOKEN_NOT_EQUAL},
                           {"!=", TOKEN_NOT_EQUAL}};
        for (size_t i = 0; i < sizeof(comparisons) / sizeof(comparisons[0]); i++) {
            if (memcmp(text, comparisons[i].symbol, 2) == 0) {
                return token_make(lexer, comparisons[i].token, "");
            }
        }
    }
    return token_make(lexer, TOKEN_OPERATOR, arena_strndup(lexer->arena, text, length));
}
