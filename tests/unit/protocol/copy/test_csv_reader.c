/* test_csv_reader.c — fields of CSV: quotes, escapes, NULL, and blanks around quotes. */
#include "protocol/copy/field_value.h"
#include "tests/support/check_status.h"

static Arena *arena;

static void setup(void)
{
    arena = arena_create(NULL, "test");
}

static void teardown(void)
{
    arena_destroy(arena);
}

static void check_text(const CopyFormat *format, const char *raw, const char *expected)
{
    // A copy of its own, so that the sanitizer sees a read beyond it.
    const char *copy = arena_memdup(arena, raw, strlen(raw));
    FieldText text;
    ck_assert_ok(csv_style_ops.clean(format, copy, strlen(raw), arena, &text));
    if (expected == NULL) {
        ck_assert(text.is_null);
        return;
    }
    ck_assert(!text.is_null);
    ck_assert_uint_eq(text.bytes, strlen(expected));
    ck_assert_mem_eq(text.data, expected, text.bytes);
}

START_TEST(quotes)
{
    CopyFormat format = copy_format_postgres_csv();
    check_text(&format, "a b", "a b");
    check_text(&format, "\"a, b\"", "a, b");
    check_text(&format, "\"a \"\"b\"\"\"", "a \"b\"");
    check_text(&format, "\"\"\"\"", "\"");
    check_text(&format, "x\"y,z\"w", "xy,zw");
    check_text(&format, "\"a\"\"\"", "a\"");
    check_text(&format, " \"a\" ", " a ");
    check_text(&format, "a\\n", "a\\n");
    FieldText text;
    assert_fails(csv_style_ops.clean(&format, "\"abc", 4, arena, &text), "22P04", "unterminated");
    assert_fails(csv_style_ops.clean(&format, "\"", 1, arena, &text), "22P04", "unterminated");
    assert_fails(csv_style_ops.clean(&format, "\"a\"\"", 4, arena, &text), "22P04", "unterminated");
}
END_TEST

START_TEST(nulls)
{
    CopyFormat format = copy_format_postgres_csv();
    check_text(&format, "", NULL);
    check_text(&format, "\"\"", "");
    memcpy(format.null_as, "NA", 2);
    format.null_bytes = 2;
    check_text(&format, "NA", NULL);
    check_text(&format, "\"NA\"", "NA");
    check_text(&format, "", "");
}
END_TEST

START_TEST(other_escapes)
{
    CopyFormat format = copy_format_postgres_csv();
    format.quote = '\'';
    format.quote_escape = '\\';
    check_text(&format, "'a\\'b'", "a'b");
    check_text(&format, "'a\\\\b'", "a\\b");
    check_text(&format, "'a\\nb'", "a\\nb");
    check_text(&format, "a\\b", "a\\b");
}
END_TEST

START_TEST(blanks_around_quotes)
{
    CopyFormat format = copy_format_postgres_csv();
    format.dialect = COPY_DIALECT_REDSHIFT;
    check_text(&format, "  \"a b\" ", "a b");
    check_text(&format, " \"\" ", "");
    check_text(&format, "  a ", "  a ");
    format.delimiter[0] = ' ';
    check_text(&format, "\t\"a\"", "\ta");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("csv_reader");
    TCase *tcase = tcase_create("fields");
    tcase_set_timeout(tcase, 60);
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, quotes);
    tcase_add_test(tcase, nulls);
    tcase_add_test(tcase, other_escapes);
    tcase_add_test(tcase, blanks_around_quotes);
    suite_add_tcase(suite, tcase);
    return suite_main(suite);
}
