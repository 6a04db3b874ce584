/*
 * test_parse.c — which texts are statements, what their trees hold, and how errors are worded.
 */
#include <check.h>
#include <stdlib.h>
#include <string.h>
#include "planner/parser/parse.h"

static Arena *arena;

static void setup(void)
{
    arena = arena_create(NULL, "test");
}

static void teardown(void)
{
    arena_destroy(arena);
}

static AstStatementList parse_all(const char *text)
{
    AstStatementList list = {0};
    Status status = parse_statements(text, strlen(text), arena, &list);
    ck_assert_msg(status == STATUS_OK, "%s\n  %s at %d", text, status_message(status),
                  status_position(status));
    return list;
}

static const AstStatement *parse_one(const char *text)
{
    AstStatementList list = parse_all(text);
    ck_assert_uint_eq(list.count, 1);
    return list.items[0];
}

/* ---- statements that must parse ---- */

static const char *const accepted[] = {
#define ACCEPTED(text) text,
#include "tests/unit/planner/parser/accepted.def"
#undef ACCEPTED
};

START_TEST(accepts)
{
    parse_one(accepted[_i]);
}
END_TEST

/* ---- statements that must not, with SQLSTATE, position and words ---- */

typedef struct Refused {
    const char *text, *code;
    int position;
    const char *message;
} Refused;

static const Refused refused[] = {
#define REFUSED(text, code, position, message) {text, code, position, message},
#include "tests/unit/planner/parser/refused.def"
#undef REFUSED
};

START_TEST(refuses)
{
    const Refused *r = &refused[_i];
    AstStatementList list = {0};
    Status status = parse_statements(r->text, strlen(r->text), arena, &list);
    ck_assert_msg(status != STATUS_OK, "accepted: %s", r->text);
    ck_assert_str_eq(status_message(status), r->message);
    ck_assert_str_eq(status_sqlstate_code(status), r->code);
    ck_assert_msg(status_position(status) == r->position, "%s: position %d", r->text,
                  status_position(status));
    status_free(status);
}
END_TEST

/* ---- what the trees hold ---- */

static const AstExpr *parse_item(const char *expression)
{
    AstExpr *expr = NULL;
    Status status = parse_expression(expression, strlen(expression), arena, &expr);
    ck_assert_msg(status == STATUS_OK, "%s: %s", expression, status_message(status));
    return expr;
}

START_TEST(splits_statements_with_their_text)
{
    const char *text = " select 1 ;; begin;\n-- nothing\n;commit";
    AstStatementList list = parse_all(text);
    ck_assert_uint_eq(list.count, 3);
    const char *const texts[] = {"select 1", "begin", "commit"};
    for (uint32_t i = 0; i < 3; i++) {
        const AstStatement *statement = list.items[i];
        size_t bytes = (size_t)(statement->end - statement->start);
        ck_assert_uint_eq(bytes, strlen(texts[i]));
        ck_assert_mem_eq(text + statement->start, texts[i], bytes);
    }
}
END_TEST

START_TEST(folds_names_unless_quoted)
{
    ck_assert_str_eq(parse_item("FooBar")->names[0], "foobar");
    ck_assert_str_eq(parse_item("\"Foo\"\"Bar\"")->names[0], "Foo\"Bar");
    const AstExpr *expr = parse_item("A.\"B\".c");
    ck_assert_uint_eq(expr->name_count, 3);
    ck_assert_str_eq(expr->names[1], "B");
}
END_TEST

START_TEST(cuts_long_names_at_characters)
{
    char text[400] = "x";
    for (int i = 1; i < 130; i += 2) {
        strcat(text, "\xc3\xa4");
    }
    const char *name = parse_item(text)->names[0];
    ck_assert_uint_eq(strlen(name), IDENTIFIER_BYTES_MAX);
    text[0] = '_';
    strcat(text + 1, "tail"); // the 64th character would now end behind the limit
    ck_assert_uint_eq(strlen(parse_item(text)->names[0]), IDENTIFIER_BYTES_MAX);
    ck_assert_uint_eq(strlen(parse_item(arena_printf(arena, "a%s", text))->names[0]),
                      IDENTIFIER_BYTES_MAX - 1);
}
END_TEST

START_TEST(unescapes_literals)
{
    ck_assert_str_eq(parse_item("'it''s'")->text, "it's");
    ck_assert_str_eq(parse_item("'a\\n'")->text, "a\\n");
    ck_assert_str_eq(parse_item("E'a\\n\\x41\\101\\u00e4\\\\'''")->text, "a\nAA\xc3\xa4\\'");
    ck_assert_str_eq(parse_item("$$it's$$")->text, "it's");
    ck_assert_str_eq(parse_item("$a$x$$b$a$")->text, "x$$b");
    ck_assert_str_eq(parse_item("'a'\n  'b' -- c\n 'c'")->text, "abc");
}
END_TEST

START_TEST(binds_operators_by_precedence)
{
    const AstExpr *expr = parse_item("a or b and not c = d + e * f");
    ck_assert_int_eq(expr->kind, AST_OR);
    expr = expr->args[1];
    ck_assert_int_eq(expr->kind, AST_AND);
    expr = expr->args[1];
    ck_assert_int_eq(expr->kind, AST_NOT);
    expr = expr->args[0];
    ck_assert_str_eq(expr->text, "=");
    expr = expr->args[1];
    ck_assert_str_eq(expr->text, "+");
    ck_assert_str_eq(expr->args[1]->text, "*");

    ck_assert_str_eq(parse_item("a - b - c")->args[0]->text, "-");
    ck_assert_int_eq(parse_item("-a::int")->kind, AST_OPERATOR);
    ck_assert_int_eq(parse_item("a = b is null")->kind, AST_IS);
    ck_assert_int_eq(parse_item("a between b and c and d")->kind, AST_AND);
    ck_assert_str_eq(parse_item("a<-1")->text, "<");
    ck_assert_str_eq(parse_item("-9223372036854775808")->text, "-9223372036854775808");
}
END_TEST

START_TEST(flattens_chains)
{
    const AstExpr *expr = parse_item("a and b and c and d and e");
    ck_assert_uint_eq(expr->arg_count, 5);
    expr = parse_item("a and (b and c) and d");
    ck_assert_uint_eq(expr->arg_count, 3);
    ck_assert_uint_eq(expr->args[1]->arg_count, 2);
}
END_TEST

START_TEST(gives_ignore_nulls_to_the_right_call)
{
    const AstExpr *expr = parse_item("first_value(g(x) ignore nulls) over w");
    ck_assert(expr->call->is_ignore_nulls);
    ck_assert(!expr->args[0]->call->is_ignore_nulls);
    ck_assert(parse_item("lag(x) ignore nulls over w")->call->is_ignore_nulls);
}
END_TEST

START_TEST(keeps_default_text)
{
    const AstStatement *statement =
        parse_one("create table t (a int default  1 + f(2)  not null encode raw)");
    const AstColumnDefinition *column = statement->create_table->columns.items[0];
    ck_assert_str_eq(column->default_text, "1 + f(2)");
    ck_assert(column->is_not_null);
    ck_assert_str_eq(column->encoding, "raw");
}
END_TEST

START_TEST(reads_copy_options_in_both_styles)
{
    const char *const texts[] = {
        "copy t from stdin delimiter '|' null as 'x' ignoreheader as 2 csv gzip",
        "copy t from stdin with (format csv, null 'x', ignoreheader 2, delimiter '|', gzip)",
    };
    const char *const names[] = {"delimiter", "null", "ignoreheader", "format", "compression"};
    const char *const values[] = {"|", "x", "2", "csv", "gzip"};
    for (size_t i = 0; i < 2; i++) {
        const AstCopy *copy = parse_one(texts[i])->copy;
        ck_assert_uint_eq(copy->options.count, 5);
        for (uint32_t j = 0; j < 5; j++) {
            const AstOption *found = NULL;
            for (uint32_t k = 0; k < copy->options.count; k++) {
                if (strcmp(copy->options.items[k].name, names[j]) == 0) {
                    found = &copy->options.items[k];
                }
            }
            ck_assert_ptr_nonnull(found);
            ck_assert_str_eq(found->value, values[j]);
        }
    }
}
END_TEST

START_TEST(joins_set_values)
{
    const AstSet *set = parse_one("set search_path to a, \"B\", '$user', -1")->set;
    ck_assert_str_eq(set->value, "a, \"B\", \"$user\", -1");
    ck_assert_str_eq(parse_one("set x.y = 'a b'")->set->value, "a b");
    ck_assert(parse_one("set x to default")->set->is_reset);
    ck_assert_str_eq(parse_one("set time zone 'UTC'")->set->name, "timezone");
}
END_TEST

START_TEST(counts_parameters_per_statement)
{
    AstStatementList list = parse_all("select $2, $1; select 1; select $3");
    ck_assert_uint_eq(list.items[0]->parameter_count, 2);
    ck_assert_uint_eq(list.items[1]->parameter_count, 0);
    ck_assert_uint_eq(list.items[2]->parameter_count, 3);
}
END_TEST

START_TEST(wraps_a_query_that_has_its_own_limit)
{
    const AstQuery *query = parse_one("(select a from t order by a limit 3) order by b")->query;
    ck_assert_int_eq(query->kind, AST_QUERY_SELECT);
    ck_assert_ptr_null(query->limit);
    ck_assert_uint_eq(query->order.count, 1);
    ck_assert_int_eq(query->select->from.items[0]->kind, AST_TABLE_SUBQUERY);
}
END_TEST

/* ---- size and depth ---- */

static char *repeat(const char *head, const char *unit, size_t count, const char *tail)
{
    size_t unit_bytes = strlen(unit), at = strlen(head);
    char *text = malloc(at + unit_bytes * count + strlen(tail) + 1);
    memcpy(text, head, at);
    for (size_t i = 0; i < count; i++, at += unit_bytes) {
        memcpy(text + at, unit, unit_bytes);
    }
    strcpy(text + at, tail);
    return text;
}

START_TEST(parses_a_megabyte)
{
    static const char *const shapes[][3] = {
        {"select a in (1", ",1", ")"},   {"select 1", "+1", ""},
        {"select a", " and a", ""},      {"select '", "''", "'"},
        {"insert into t values (1)", ",(1)", ""}, {"select 1", " union select 1", ""},
        {"select 1 /*", " *", "*/"},     {"select a", "::int", ""},
        {"set x to a", ",b", ""},        {"select 'a'", "\n'b'", ""},
    };
    const char *const *shape = shapes[_i];
    char *text = repeat(shape[0], shape[1], 1000000 / strlen(shape[1]), shape[2]);
    parse_one(text);
    free(text);
}
END_TEST

START_TEST(refuses_deep_nesting)
{
    static const char *const shapes[][2] = {
        {"select ", "("}, {"select ", "- "}, {"select ", "not "},
        {"select ", "case when "}, {"", "select ("}, {"select ", "f("},
    };
    char *text = repeat(shapes[_i][0], shapes[_i][1], 100000, "");
    AstStatementList list;
    Status status = parse_statements(text, strlen(text), arena, &list);
    ck_assert_ptr_nonnull(status);
    ck_assert_str_eq(status_sqlstate_code(status), "54001");
    status_free(status);
    free(text);
}
END_TEST

START_TEST(refuses_bytes_that_are_no_utf8)
{
    AstStatementList list;
    Status status = parse_statements("select '\xff'", 10, arena, &list);
    ck_assert_str_eq(status_sqlstate_code(status), "22021");
    status_free(status);
    status = parse_statements("select 1\0x", 10, arena, &list);
    ck_assert_str_eq(status_sqlstate_code(status), "22021");
    status_free(status);
}
END_TEST

#define COUNT(array) ((int)(sizeof(array) / sizeof((array)[0])))

int main(void)
{
    Suite *suite = suite_create("planner.parser.parse");
    TCase *c = tcase_create("parse");
    tcase_set_timeout(c, 60);
    tcase_add_checked_fixture(c, setup, teardown);
    tcase_add_loop_test(c, accepts, 0, COUNT(accepted));
    tcase_add_loop_test(c, refuses, 0, COUNT(refused));
    tcase_add_test(c, splits_statements_with_their_text);
    tcase_add_test(c, folds_names_unless_quoted);
    tcase_add_test(c, cuts_long_names_at_characters);
    tcase_add_test(c, unescapes_literals);
    tcase_add_test(c, binds_operators_by_precedence);
    tcase_add_test(c, flattens_chains);
    tcase_add_test(c, gives_ignore_nulls_to_the_right_call);
    tcase_add_test(c, keeps_default_text);
    tcase_add_test(c, reads_copy_options_in_both_styles);
    tcase_add_test(c, joins_set_values);
    tcase_add_test(c, counts_parameters_per_statement);
    tcase_add_test(c, wraps_a_query_that_has_its_own_limit);
    tcase_add_loop_test(c, parses_a_megabyte, 0, 10);
    tcase_add_loop_test(c, refuses_deep_nesting, 0, 6);
    tcase_add_test(c, refuses_bytes_that_are_no_utf8);
    suite_add_tcase(suite, c);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
