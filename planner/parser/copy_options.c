/*
 * copy_options.c — the options of COPY, from Redshift's free order and PostgreSQL's list alike.
 *
 *   CSV QUOTE AS '"' IGNOREHEADER 1 GZIP     -> format=csv quote=" ignoreheader=1 compression=gzip
 *   WITH (FORMAT csv, HEADER true, NULL 'x') -> format=csv header=true null=x
 */
#include "planner/parser/parser_internal.h"

#include <string.h>

typedef enum ArgumentKind {
    ARGUMENT_NONE, ARGUMENT_TEXT, ARGUMENT_INTEGER, ARGUMENT_WORD, ARGUMENT_OPTIONAL_TEXT,
    ARGUMENT_OPTIONAL_WORD, ARGUMENT_COLUMNS
} ArgumentKind;

typedef struct CopyOption {
    const char *word, *name, *value;
    ArgumentKind argument;
} CopyOption;

static const CopyOption copy_options[] = {
#define COPY_OPTION(word, name, value, argument) {word, name, value, ARGUMENT_##argument},
#include "planner/parser/copy_options.def"
#undef COPY_OPTION
};

/* Where the reading of a soup stands. */
typedef struct SoupReader {
    Parser *parser;
    const SoupList *soup;
    uint32_t next;
    bool is_list;       /* inside WITH (…): options end at commas */
    AstOptionList options;
} SoupReader;

static const CopyOption *find_option(const char *word)
{
    for (size_t i = 0; i < sizeof(copy_options) / sizeof(copy_options[0]); i++) {
        if (strcmp(copy_options[i].word, word) == 0) {
            return &copy_options[i];
        }
    }
    return NULL;
}

static const SoupItem *current(const SoupReader *reader)
{
    return reader->next < reader->soup->count ? &reader->soup->items[reader->next] : NULL;
}

static bool is_symbol(const SoupItem *item, const char *symbol)
{
    return item != NULL && item->kind == SOUP_SYMBOL && strcmp(item->text, symbol) == 0;
}

static bool is_word(const SoupItem *item, const char *word)
{
    return item != NULL && item->kind == SOUP_WORD && strcmp(item->text, word) == 0;
}

static bool skip_symbol(SoupReader *reader, const char *symbol)
{
    bool is_found = is_symbol(current(reader), symbol);
    reader->next += is_found ? 1 : 0;
    return is_found;
}

static Status expect_symbol(SoupReader *reader, const char *symbol)
{
    if (skip_symbol(reader, symbol)) {
        return STATUS_OK;
    }
    const SoupItem *item = current(reader);
    AstLocation location = item != NULL ? item->location
                                        : reader->soup->items[reader->soup->count - 1].location;
    return parser_error_near(reader->parser, location);
}

// (a, b) or *
static Status read_columns(SoupReader *reader, AstOption *option)
{
    AstWordList words = {0};
    if (skip_symbol(reader, "*")) {
        option->columns = parser_words(reader->parser, words);
        return STATUS_OK;
    }
    TRY(expect_symbol(reader, "("));
    do {
        const SoupItem *item = current(reader);
        if (item == NULL || item->kind != SOUP_WORD) {
            return expect_symbol(reader, "(");
        }
        AstWord word = {.text = item->text, .position = item->location.start};
        AST_LIST_ADD(reader->parser->arena, &words, word);
        reader->next++;
    } while (skip_symbol(reader, ","));
    option->columns = parser_words(reader->parser, words);
    return expect_symbol(reader, ")");
}

// True when `item` can be the value of an option: a word is one only where the option wants it,
// because in free order the next option is a word too.
static bool is_value(const SoupReader *reader, const SoupItem *item, ArgumentKind argument)
{
    if (item == NULL) {
        return false;
    }
    switch (argument) {
    case ARGUMENT_TEXT:
    case ARGUMENT_OPTIONAL_TEXT:
        return item->kind == SOUP_STRING || (reader->is_list && item->kind == SOUP_WORD);
    case ARGUMENT_INTEGER:
        return item->kind == SOUP_NUMBER || item->kind == SOUP_STRING;
    case ARGUMENT_WORD:
        return item->kind == SOUP_STRING || item->kind == SOUP_WORD;
    case ARGUMENT_OPTIONAL_WORD:
        if (reader->is_list) {
            return item->kind != SOUP_SYMBOL;
        }
        return is_word(item, "on") || is_word(item, "off") || is_word(item, "true") ||
               is_word(item, "false") || is_word(item, "preset");
    case ARGUMENT_NONE:
        return reader->is_list && item->kind != SOUP_SYMBOL; // (csv true)
    case ARGUMENT_COLUMNS:
        break;
    }
    return false;
}

static Status read_argument(SoupReader *reader, const CopyOption *known, AstOption *option)
{
    if (known->argument == ARGUMENT_COLUMNS) {
        return read_columns(reader, option);
    }
    if (is_word(current(reader), "as") && known->argument != ARGUMENT_NONE) {
        reader->next++;
    }
    const SoupItem *item = current(reader);
    if (is_value(reader, item, known->argument)) {
        option->value = known->value == NULL ? item->text : known->value;
        reader->next++;
        return STATUS_OK;
    }
    bool is_required = known->argument == ARGUMENT_TEXT || known->argument == ARGUMENT_INTEGER ||
                       known->argument == ARGUMENT_WORD;
    if (!is_required) {
        return STATUS_OK;
    }
    if (item != NULL) {
        return parser_error_near(reader->parser, item->location);
    }
    return status_at(option->position, SQLSTATE_SYNTAX_ERROR, "option \"%s\" requires a value",
                     known->word);
}

static Status read_option(SoupReader *reader)
{
    const SoupItem *item = current(reader);
    const CopyOption *known = item->kind == SOUP_WORD ? find_option(item->text) : NULL;
    if (known == NULL) {
        if (reader->is_list && item->kind == SOUP_WORD) {
            return status_at(item->location.start, SQLSTATE_SYNTAX_ERROR,
                             "option \"%s\" not recognized", item->text);
        }
        return parser_error_near(reader->parser, item->location);
    }
    AstOption option = {
        .name = known->name, .value = known->value, .position = item->location.start};
    reader->next++;
    TRY(read_argument(reader, known, &option));
    for (uint32_t i = 0; i < reader->options.count; i++) {
        if (strcmp(reader->options.items[i].name, option.name) == 0) {
            return status_at(option.position, SQLSTATE_SYNTAX_ERROR,
                             "conflicting or redundant options");
        }
    }
    AST_LIST_ADD(reader->parser->arena, &reader->options, option);
    return STATUS_OK;
}

static Status read_list(SoupReader *reader)
{
    reader->is_list = true;
    do {
        if (current(reader) == NULL) {
            return expect_symbol(reader, ")");
        }
        TRY(read_option(reader));
    } while (skip_symbol(reader, ","));
    reader->is_list = false;
    return expect_symbol(reader, ")");
}

Status parser_copy(Parser *parser, const AstCopy *copy, const SoupList *soup, AstStatement **out)
{
    SoupReader reader = {.parser = parser, .soup = soup};
    while (current(&reader) != NULL) {
        const SoupItem *item = current(&reader);
        bool is_noise = is_word(item, "with") || (is_word(item, "as") && reader.next == 0);
        if (is_noise) {
            reader.next++;
        } else if (skip_symbol(&reader, "(")) {
            TRY(read_list(&reader));
        } else {
            TRY(read_option(&reader));
        }
    }
    AstStatement *statement = parser_statement(parser, AST_STATEMENT_COPY);
    statement->copy = ARENA_NEW(parser->arena, AstCopy);
    *statement->copy = *copy;
    statement->copy->is_standard_stream = copy->path == NULL;
    statement->copy->options = reader.options;
    *out = statement;
    return STATUS_OK;
}
