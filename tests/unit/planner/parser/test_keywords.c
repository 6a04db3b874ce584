/*
 * test_keywords.c — the words of keywords.def stand where their class says, and the list of words
 * that Redshift reserves is known.
 */
#include <check.h>
#include <stdlib.h>
#include <string.h>
#include "planner/parser/parse.h"

typedef enum WordClass { UNRESERVED, COLUMN_NAME, TYPE_FUNCTION, RESERVED } WordClass;
typedef enum Label { BARE, AS_ONLY } Label;
typedef struct Word {
    const char *text;
    WordClass class;
    Label label;
} Word;

static const Word words[] = {
#define KEYWORD(ID, word, class, label) {word, class, label},
#include "planner/parser/keywords.def"
#undef KEYWORD
};

/* Redshift manual, "Reserved words". */
static const char *const redshift_words[] = {
#define REDSHIFT_WORD(word) word,
#include "tests/unit/planner/parser/redshift_reserved_words.def"
#undef REDSHIFT_WORD
};
#define COUNT(array) ((int)(sizeof(array) / sizeof((array)[0])))

static Arena *arena;

static void setup(void)
{
    arena = arena_create(NULL, "test");
}

static void teardown(void)
{
    arena_destroy(arena);
}

// `pattern` with each % replaced by the word.
static bool parses(const char *pattern, const char *word)
{
    const char *text = "";
    for (; *pattern != '\0'; pattern++) {
        text = *pattern == '%' ? arena_printf(arena, "%s%s", text, word)
                               : arena_printf(arena, "%s%c", text, *pattern);
    }
    AstStatementList list = {0};
    Status status = parse_statements(text, strlen(text), arena, &list);
    bool is_ok = status == STATUS_OK;
    status_free(status);
    return is_ok;
}

START_TEST(is_in_order)
{
    ck_assert(_i == 0 || strcmp(words[_i - 1].text, words[_i].text) < 0);
}
END_TEST

START_TEST(stands_after_as)
{
    ck_assert(parses("select 1 as %", words[_i].text));
    ck_assert(parses("select t.% from t", words[_i].text));
    ck_assert(parses("select \"%\" from \"%\"", words[_i].text));
}
END_TEST

START_TEST(names_columns_and_tables_by_class)
{
    const Word *word = &words[_i];
    bool is_name = word->class == UNRESERVED || word->class == COLUMN_NAME;
    ck_assert_msg(parses("create table % (% int)", word->text) == is_name, "%s", word->text);
    ck_assert_msg(parses("select * from s.t as %", word->text) == is_name, "%s", word->text);
    ck_assert_msg(parses("insert into x (%) values (1)", word->text) == is_name, "%s",
                  word->text);
    if (is_name) {
        ck_assert_msg(parses("select %, a + %, % + 1 from %", word->text), "%s", word->text);
    }
}
END_TEST

START_TEST(names_functions_and_types_by_class)
{
    const Word *word = &words[_i];
    if (word->class == UNRESERVED || word->class == TYPE_FUNCTION) {
        ck_assert_msg(parses("select %(1)", word->text), "%s", word->text);
        ck_assert_msg(parses("select a::%", word->text), "%s", word->text);
    } else if (word->class == RESERVED) {
        ck_assert_msg(!parses("select a::%", word->text), "%s", word->text);
    }
}
END_TEST

START_TEST(labels_by_class)
{
    const Word *word = &words[_i];
    bool is_postfix = strcmp(word->text, "isnull") == 0 || strcmp(word->text, "notnull") == 0;
    if (!is_postfix) { // those make an expression of it
        ck_assert_msg(parses("select 1 %", word->text) == (word->label == BARE), "%s", word->text);
    }
}
END_TEST

START_TEST(quotes_what_redshift_reserves)
{
    const char *quoted = quote_identifier(arena, redshift_words[_i]);
    ck_assert_msg(quoted[0] == '"', "%s is not quoted", redshift_words[_i]);
}
END_TEST

START_TEST(quotes_only_where_needed)
{
    ck_assert_str_eq(quote_identifier(arena, "plain_1"), "plain_1");
    ck_assert_str_eq(quote_identifier(arena, "Upper"), "\"Upper\"");
    ck_assert_str_eq(quote_identifier(arena, "a\"b"), "\"a\"\"b\"");
    ck_assert_str_eq(quote_identifier(arena, "1a"), "\"1a\"");
    ck_assert_str_eq(quote_identifier(arena, "select"), "\"select\"");
    ck_assert_str_eq(quote_identifier(arena, "abort"), "abort");
    ck_assert_str_eq(quote_identifier(arena, ""), "\"\"");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("planner.parser.keywords");
    TCase *c = tcase_create("keywords");
    tcase_add_checked_fixture(c, setup, teardown);
    tcase_add_loop_test(c, is_in_order, 0, COUNT(words));
    tcase_add_loop_test(c, stands_after_as, 0, COUNT(words));
    tcase_add_loop_test(c, names_columns_and_tables_by_class, 0, COUNT(words));
    tcase_add_loop_test(c, names_functions_and_types_by_class, 0, COUNT(words));
    tcase_add_loop_test(c, labels_by_class, 0, COUNT(words));
    tcase_add_loop_test(c, quotes_what_redshift_reserves, 0, COUNT(redshift_words));
    tcase_add_test(c, quotes_only_where_needed);
    suite_add_tcase(suite, c);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
