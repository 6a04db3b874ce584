/*
 * statement_options.c — options in free order of CREATE USER, VACUUM and EXPLAIN.
 */
#include "planner/parser/parser_internal.h"

#include <string.h>

static bool is_word(const SoupList *soup, uint32_t index, const char *word)
{
    return index < soup->count && soup->items[index].kind == SOUP_WORD &&
           strcmp(soup->items[index].text, word) == 0;
}

static bool is_literal(const SoupList *soup, uint32_t index)
{
    return index < soup->count && soup->items[index].kind != SOUP_SYMBOL &&
           soup->items[index].kind != SOUP_WORD;
}

// Error at item `index`, or at the last one when the list ended too early.
static Status error_at(Parser *parser, const SoupList *soup, uint32_t index)
{
    uint32_t shown = index < soup->count ? index : soup->count - 1;
    return parser_error_near(parser, soup->items[shown].location);
}

static void add_option(Parser *parser, AstOptionList *options, const SoupItem *item,
                       const char *name, const char *value)
{
    AstOption option = {.name = name, .value = value, .position = item->location.start};
    AST_LIST_ADD(parser->arena, options, option);
}

/* Words of CREATE USER that are options by themselves. */
static const char *const user_flags[][2] = {
    {"createdb", "createdb"},         {"nocreatedb", "nocreatedb"},
    {"createuser", "superuser"},      {"superuser", "superuser"},
    {"nocreateuser", "nosuperuser"},  {"nosuperuser", "nosuperuser"},
    {"login", "login"},               {"nologin", "nologin"},
};

static const char *user_flag(const SoupItem *item)
{
    for (size_t i = 0; item->kind == SOUP_WORD && i < sizeof(user_flags) / sizeof(user_flags[0]);
         i++) {
        if (strcmp(item->text, user_flags[i][0]) == 0) {
            return user_flags[i][1];
        }
    }
    return NULL;
}

// One option at soup item *at, which moves behind it.
static Status read_user_option(Parser *parser, const SoupList *soup, uint32_t *at, AstUser *user)
{
    uint32_t i = *at;
    const SoupItem *item = &soup->items[i];
    const char *flag = user_flag(item);
    if (flag != NULL) {
        add_option(parser, &user->options, item, flag, NULL);
        *at = i + 1;
        return STATUS_OK;
    }
    if (is_word(soup, i, "password")) {
        bool is_disabled = is_word(soup, i + 1, "disable") || is_word(soup, i + 1, "null");
        if (!is_disabled && !(i + 1 < soup->count && soup->items[i + 1].kind == SOUP_STRING)) {
            return error_at(parser, soup, i + 1);
        }
        add_option(parser, &user->options, item, is_disabled ? "password_disable" : "password",
                   is_disabled ? NULL : soup->items[i + 1].text);
        *at = i + 2;
        return STATUS_OK;
    }
    bool is_two_words = (is_word(soup, i, "valid") && is_word(soup, i + 1, "until")) ||
                        (is_word(soup, i, "connection") && is_word(soup, i + 1, "limit")) ||
                        (is_word(soup, i, "session") && is_word(soup, i + 1, "timeout"));
    bool is_unlimited = is_two_words && is_word(soup, i + 2, "unlimited");
    if (!is_two_words || (!is_literal(soup, i + 2) && !is_unlimited)) {
        return error_at(parser, soup, is_two_words ? i + 2 : i);
    }
    const char *name = is_word(soup, i, "valid")        ? "valid_until"
                       : is_word(soup, i, "connection") ? "connection_limit"
                                                        : "session_timeout";
    add_option(parser, &user->options, item, name, soup->items[i + 2].text);
    *at = i + 3;
    return STATUS_OK;
}

Status parser_user(Parser *parser, AstUserAction action, AstWord name, const SoupList *soup,
                   AstStatement **out)
{
    AstStatement *statement = parser_statement(parser, AST_STATEMENT_USER);
    AstUser *user = ARENA_NEW(parser->arena, AstUser);
    *user = (AstUser){.action = action, .name = name};
    uint32_t i = is_word(soup, 0, "with") ? 1 : 0;
    if (action == AST_USER_ALTER && is_word(soup, 0, "rename") && is_word(soup, 1, "to") &&
        soup->count == 3 && soup->items[2].kind == SOUP_WORD) {
        user->new_name = soup->items[2].text;
        i = 3;
    }
    while (i < soup->count) {
        TRY(read_user_option(parser, soup, &i, user));
    }
    statement->user = user;
    *out = statement;
    return STATUS_OK;
}

// What kind of VACUUM, if it is said: the word, and ONLY where it belongs to it.
static uint32_t vacuum_kind_words(const SoupList *soup)
{
    if ((is_word(soup, 0, "sort") || is_word(soup, 0, "delete")) && is_word(soup, 1, "only")) {
        return 2;
    }
    return is_word(soup, 0, "full") || is_word(soup, 0, "reindex") || is_word(soup, 0, "recluster");
}

// [schema.]table; words that may stand in its place are the caller's
static Status read_table(Parser *parser, const SoupList *soup, uint32_t *i, AstObjectName **table)
{
    AstWordList parts = {0};
    bool has_more = *i < soup->count && soup->items[*i].kind == SOUP_WORD;
    while (has_more) {
        AstWord part = {.text = soup->items[*i].text, .position = soup->items[*i].location.start};
        AST_LIST_ADD(parser->arena, &parts, part);
        ++*i;
        has_more = *i + 1 < soup->count && soup->items[*i].kind == SOUP_SYMBOL &&
                   strcmp(soup->items[*i].text, ".") == 0 &&
                   soup->items[*i + 1].kind == SOUP_WORD;
        *i += has_more;
    }
    if (parts.count > 1) {
        return parser_object_name(parser, &parts, table);
    }
    if (parts.count == 1) {
        *table = ARENA_NEW(parser->arena, AstObjectName);
        (*table)->name = parts.items[0].text;
        (*table)->position = parts.items[0].position;
    }
    return STATUS_OK;
}

// VACUUM [FULL | SORT ONLY | DELETE ONLY | REINDEX | RECLUSTER]
//        [table [TO n PERCENT]] [BOOST]
Status parser_vacuum(Parser *parser, const SoupList *soup, AstStatement **out)
{
    AstStatement *statement = parser_statement(parser, AST_STATEMENT_VACUUM);
    AstMaintenance *vacuum = ARENA_NEW(parser->arena, AstMaintenance);
    uint32_t i = vacuum_kind_words(soup);
    if (i > 0) {
        add_option(parser, &vacuum->options, &soup->items[0], soup->items[0].text, NULL);
    }
    if (!is_word(soup, i, "boost") && !is_word(soup, i, "to")) {
        TRY(read_table(parser, soup, &i, &vacuum->table));
    }
    if (vacuum->table != NULL && is_word(soup, i, "to") && is_literal(soup, i + 1) &&
        is_word(soup, i + 2, "percent")) {
        add_option(parser, &vacuum->options, &soup->items[i], "to", soup->items[i + 1].text);
        i += 3;
    }
    if (is_word(soup, i, "boost")) {
        add_option(parser, &vacuum->options, &soup->items[i], "boost", NULL);
        i++;
    }
    if (i < soup->count) {
        return error_at(parser, soup, i);
    }
    statement->maintenance = vacuum;
    *out = statement;
    return STATUS_OK;
}

static bool is_symbol(const SoupList *soup, uint32_t index, const char *symbol)
{
    return index < soup->count && soup->items[index].kind == SOUP_SYMBOL &&
           strcmp(soup->items[index].text, symbol) == 0;
}

// (a, b)
static Status read_columns(Parser *parser, const SoupList *soup, uint32_t *i, AstWordList **out)
{
    AstWordList *columns = ARENA_NEW(parser->arena, AstWordList);
    do {
        ++*i;
        if (*i >= soup->count || soup->items[*i].kind != SOUP_WORD) {
            return error_at(parser, soup, *i);
        }
        AstWord column = {.text = soup->items[*i].text,
                          .position = soup->items[*i].location.start};
        AST_LIST_ADD(parser->arena, columns, column);
        ++*i;
    } while (is_symbol(soup, *i, ","));
    if (!is_symbol(soup, *i, ")")) {
        return error_at(parser, soup, *i);
    }
    ++*i;
    *out = columns;
    return STATUS_OK;
}

// ANALYZE [VERBOSE] [table [(a, b)]] [PREDICATE COLUMNS | ALL COLUMNS]
// ANALYZE COMPRESSION [table [(a, b)]] [COMPROWS n]
Status parser_analyze(Parser *parser, const SoupList *soup, AstStatement **out)
{
    AstStatement *statement = parser_statement(parser, AST_STATEMENT_ANALYZE);
    AstMaintenance *analyze = ARENA_NEW(parser->arena, AstMaintenance);
    uint32_t i = is_word(soup, 0, "verbose") ? 1 : 0;
    const bool is_compression = i == 0 && is_word(soup, 0, "compression");
    if (is_compression) {
        add_option(parser, &analyze->options, &soup->items[i++], "compression", NULL);
    }
    bool has_table = !is_word(soup, i + 1, "columns");
    has_table = has_table && !(is_word(soup, i, "comprows") && is_literal(soup, i + 1));
    if (has_table) {
        TRY(read_table(parser, soup, &i, &analyze->table));
    }
    if (analyze->table != NULL && is_symbol(soup, i, "(")) {
        TRY(read_columns(parser, soup, &i, &analyze->columns));
    }
    if (is_compression && is_word(soup, i, "comprows") && is_literal(soup, i + 1)) {
        add_option(parser, &analyze->options, &soup->items[i + 1], "comprows",
                   soup->items[i + 1].text);
        i += 2;
    } else if (!is_compression && (is_word(soup, i, "predicate") || is_word(soup, i, "all")) &&
               is_word(soup, i + 1, "columns")) {
        i += 2;
    }
    if (i < soup->count) {
        return error_at(parser, soup, i);
    }
    statement->maintenance = analyze;
    *out = statement;
    return STATUS_OK;
}

// EXPLAIN (ANALYZE, VERBOSE off, FORMAT text)
Status parser_explain_options(Parser *parser, const SoupList *soup, AstExplain *explain)
{
    for (uint32_t i = 0; i < soup->count;) {
        const SoupItem *item = &soup->items[i];
        if (item->kind != SOUP_WORD) {
            return error_at(parser, soup, i);
        }
        i++;
        const char *value = NULL;
        if (i < soup->count && soup->items[i].kind != SOUP_SYMBOL) {
            value = soup->items[i++].text;
        }
        bool is_off = value != NULL && (strcmp(value, "off") == 0 || strcmp(value, "false") == 0 ||
                                        strcmp(value, "0") == 0);
        if (strcmp(item->text, "analyze") == 0) {
            explain->is_analyze = !is_off;
        } else if (strcmp(item->text, "verbose") == 0) {
            explain->is_verbose = !is_off;
        }
        add_option(parser, &explain->options, item, item->text, value);
        if (i < soup->count && soup->items[i].kind != SOUP_SYMBOL) {
            return error_at(parser, soup, i);
        }
        i++;
        if (i == soup->count) { // a comma and nothing behind it
            return error_at(parser, soup, i - 1);
        }
    }
    return STATUS_OK;
}
