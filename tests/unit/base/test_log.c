/* Suite of base/log.c. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/thread.h"
#include "tests/support/check_status.h"

static char logged[1 << 16];
static int log_file;

static void setup(void)
{
    log_file = fileno(tmpfile());
    log_open(log_file, LOG_INFO);
}

/* What was logged since the start, and its start behind the time. */
static const char *read_log(void)
{
    ssize_t bytes = pread(log_file, logged, sizeof logged - 1, 0);
    ck_assert_int_ge(bytes, 0);
    logged[bytes] = '\0';
    if (bytes == 0) {
        return "";
    }
    ck_assert_int_eq(strncmp(logged, "{\"ts\":\"20", 9), 0);
    ck_assert_int_eq(strncmp(logged + 33, "Z\",", 3), 0);
    ck_assert_int_eq(logged[bytes - 1], '\n');
    return logged + 36;
}

START_TEST(writes_fields_by_kind)
{
    thread_set_context(2, 77);
    log_info("rowset_sealed", "table=%u rows=%lu path=%s name=\"%s\" rate=%.1f hex=%x", 7u, 65536ul,
             "/a/b", "two words", 2.5, 16u);
    ck_assert_str_eq(read_log(),
                     "\"level\":\"info\",\"event\":\"rowset_sealed\",\"node\":2,\"query\":77,"
                     "\"table\":7,\"rows\":65536,\"path\":\"/a/b\",\"name\":\"two words\","
                     "\"rate\":2.5,\"hex\":\"10\"}\n");
}
END_TEST

START_TEST(escapes_values)
{
    log_warn("odd", "text=\"%s\"", "a\"b\\c\nd\te\x01\x7F é \xFF\xC3 \xED\xA0\x80");
    ck_assert_str_eq(read_log(),
                     "\"level\":\"warn\",\"event\":\"odd\",\"text\":\"a\\\"b\\\\c\\nd\\te"
                     "\\u0001\\u007f é \\ufffd\\ufffd \\ufffd\\ufffd\\ufffd\"}\n");
}
END_TEST

START_TEST(values_forge_nothing)
{
    log_info("login", "user=\"%s\" ok=%d",
             "x\" ok=1 y=\"\x1f"
             "1\x1f",
             0);
    const char *line = read_log();
    ck_assert_ptr_nonnull(strstr(line, ",\"text\":\""));
    ck_assert_ptr_null(strstr(line, ",\"ok\":"));
    ck_assert_ptr_eq(strchr(line, '\n'), strrchr(line, '\n'));
}
END_TEST

START_TEST(numbers_must_be_numbers)
{
    log_info("odd", "nan=%f inf=%f minus=%d exp=%g", 0.0 / 0.0, 1.0 / 0.0, -5, 1e300);
    const char *line = read_log();
    ck_assert_ptr_nonnull(strstr(line, "\"inf\":\"inf\",\"minus\":-5,\"exp\":1e+300}"));
}
END_TEST

START_TEST(formats_of_another_shape_are_texts)
{
    log_info("plain", "hello %s", "world");
    ck_assert_str_eq(read_log(),
                     "\"level\":\"info\",\"event\":\"plain\",\"text\":\"hello world\"}\n");
}
END_TEST

START_TEST(an_empty_format_has_no_fields)
{
    log_info("started", "%s", "");
    ck_assert_str_eq(read_log(), "\"level\":\"info\",\"event\":\"started\"}\n");
}
END_TEST

START_TEST(levels_are_obeyed)
{
    log_debug("hidden", "a=%d", 1);
    ck_assert_str_eq(read_log(), "");
    log_set_level(LOG_ERROR);
    log_warn("hidden", "a=%d", 1);
    ck_assert_str_eq(read_log(), "");
    log_set_level(LOG_DEBUG);
    status_ignore(status_error(SQLSTATE_IO_ERROR, "gone"), "test");
    ck_assert_ptr_nonnull(strstr(read_log(), "\"event\":\"status_ignored\",\"reason\":\"test\""));
}
END_TEST

START_TEST(statuses_are_whole)
{
    Status status = status_at(3, SQLSTATE_IO_ERROR, "could not \"do\"");
    status = status_with_node(status_with_detail(status, "d"), 4);
    errno = 7;
    log_status(LOG_ERROR, "failed", status);
    ck_assert_int_eq(errno, 7);
    ck_assert_str_eq(read_log(), "\"level\":\"error\",\"event\":\"failed\",\"sqlstate\":\"58030\","
                                 "\"position\":3,\"origin_node\":4,\"message\":\"could not "
                                 "\\\"do\\\"\",\"detail\":\"d\"}\n");
    status_free(status);
}
END_TEST

// Whatever is cut, the line stays one JSON object: quotes even, one end.
START_TEST(long_lines_are_cut_and_stay_whole)
{
    static char text[40000];
    for (size_t length = 1; length < sizeof text; length += 397) {
        memset(text, _i == 0 ? 'x' : '"', length);
        text[length] = '\0';
        ck_assert_int_eq(ftruncate(log_file, 0), 0);
        lseek(log_file, 0, SEEK_SET);
        if (_i == 2) {
            Status status = status_error(SQLSTATE_IO_ERROR, "%s", text);
            status = status_with_detail(status_with_hint(status, "%s", text), "%s", text);
            log_status(LOG_INFO, "long", status);
            status_free(status);
        } else {
            log_info("long", "a=\"%s\" b=%d c=\"%s\"", text, 5, text);
        }
        const char *line = read_log();
        size_t bytes = strlen(line), quotes = 0;
        ck_assert_int_eq(line[bytes - 2], '}');
        for (size_t i = 0; i < bytes; i++) {
            if (line[i] == '\\') {
                i++;
            } else {
                quotes += line[i] == '"';
            }
        }
        ck_assert_uint_eq(quotes % 2, 0);
        ck_assert(length < 9000 || strstr(line, ",\"is_cut\":true}") != NULL || _i == 2);
    }
}
END_TEST

START_TEST(too_many_fields_are_a_text)
{
    log_info("many",
             "a=%d a=%d a=%d a=%d a=%d a=%d a=%d a=%d a=%d a=%d a=%d a=%d a=%d a=%d a=%d "
             "a=%d a=%d a=%d a=%d a=%d a=%d a=%d a=%d a=%d a=%d",
             1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24,
             25);
    ck_assert_ptr_nonnull(strstr(read_log(), "\"text\":\"a=1 a=2"));
}
END_TEST

static void add_case(Suite *suite, const char *name, const TTest *test, int loops)
{
    TCase *behaviour = tcase_create(name);
    tcase_add_checked_fixture(behaviour, setup, NULL);
    tcase_add_loop_test(behaviour, test, 0, loops);
    suite_add_tcase(suite, behaviour);
}

int main(void)
{
    Suite *suite = suite_create("base.log");
    add_case(suite, "fields", writes_fields_by_kind, 1);
    add_case(suite, "escapes", escapes_values, 1);
    add_case(suite, "forgery", values_forge_nothing, 1);
    add_case(suite, "numbers", numbers_must_be_numbers, 1);
    add_case(suite, "texts", formats_of_another_shape_are_texts, 1);
    add_case(suite, "empty", an_empty_format_has_no_fields, 1);
    add_case(suite, "levels", levels_are_obeyed, 1);
    add_case(suite, "status", statuses_are_whole, 1);
    add_case(suite, "length", long_lines_are_cut_and_stay_whole, 3);
    add_case(suite, "count", too_many_fields_are_a_text, 1);
    return suite_main(suite);
}
