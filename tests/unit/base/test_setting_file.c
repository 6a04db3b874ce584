/* Suite of base/setting_file.c. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/setting.h"
#include "tests/support/check_status.h"

static char path[] = "/tmp/basalt_setting_XXXXXX";
static SettingSet *set;

static void setup(void)
{
    int fd = mkstemp(path);
    ck_assert_int_ge(fd, 0);
    close(fd);
    set = setting_set_create(NULL);
}

static void teardown(void)
{
    setting_set_destroy(set);
    unlink(path);
}

static Status load(const char *text, size_t bytes)
{
    FILE *file = fopen(path, "w");
    ck_assert_ptr_nonnull(file);
    ck_assert_uint_eq(fwrite(text, 1, bytes, file), bytes);
    ck_assert_int_eq(fclose(file), 0);
    return setting_load_file(set, path);
}

static void assert_refused(const char *text, int line, const char *reason, const char *quoted)
{
    char wanted[512];
    Status status = load(text, strlen(text));
    ck_assert_msg(status != STATUS_OK, "taken: %s", text);
    ck_assert_int_eq(status_sqlstate(status), SQLSTATE_CONFIG_FILE_ERROR);
    snprintf(wanted, sizeof wanted, "%s:%d: %s", path, line, reason);
    ck_assert_str_eq(status_message(status), wanted);
    snprintf(wanted, sizeof wanted, "line %d is: %s", line, quoted);
    ck_assert_str_eq(status_detail(status), wanted);
    status_free(status);
}

START_TEST(reads_names_and_values)
{
    static const char text[] = "# a comment\n"
                               "port = 1234\n"
                               "Memory_Limit = 1GB   # at the end\n"
                               "cluster_leader = \"tcp://10.0.0.1:5440\"\n"
                               "copy_roots = '/data/in:/data/two words'\n"
                               "search_path = \"\\\"$user\\\", public\"\n"
                               "\n"
                               "force_spill = on /* of course */\n"
                               "cluster_listen = tcp://1.2.3.4:5 // bare\n"
                               "query_group = '# // /* \\' kept'";
    ck_assert_ok(load(text, sizeof text - 1));
    ck_assert_int_eq(setting_integer(set, SETTING_PORT), 1234);
    ck_assert_int_eq(setting_integer(set, SETTING_MEMORY_LIMIT), 1 << 30);
    ck_assert_str_eq(setting_text(set, SETTING_CLUSTER_LEADER), "tcp://10.0.0.1:5440");
    ck_assert_str_eq(setting_text(set, SETTING_COPY_ROOTS), "/data/in:/data/two words");
    ck_assert_str_eq(setting_text(set, SETTING_SEARCH_PATH), "\"$user\", public");
    ck_assert(setting_bool(set, SETTING_FORCE_SPILL));
    ck_assert_str_eq(setting_text(set, SETTING_CLUSTER_LISTEN), "tcp://1.2.3.4:5");
    ck_assert_str_eq(setting_text(set, SETTING_QUERY_GROUP), "# // /* ' kept");
    ck_assert_ok(load("", 0));
}
END_TEST

START_TEST(names_the_line_of_an_error)
{
    assert_refused("port = 1\n\nprot = 5439\n", 3, "no such option 'prot'", "prot = 5439");
    assert_refused("port = 1\nport = many\nworkers = 1\n", 2,
                   "invalid value for parameter \"port\": \"many\"", "port = many");
    assert_refused("# one\n// two # \"\n/* three\n four */ port = 1 // \n\nprot = 1 # six", 6,
                   "no such option 'prot'", "prot = 1 # six");
    assert_refused("query_group = 'a # b\n// c' # d\nprot = 1", 3, "no such option 'prot'",
                   "prot = 1");
    assert_refused("copy_roots = '/a' # b\nprot = 1", 2, "no such option 'prot'", "prot = 1");
    assert_refused("port = 1\n query_group = 'a\nb\n", 2, "a string or comment does not end",
                   " query_group = 'a");
    assert_refused("log_level = loud", 1, "invalid value for parameter \"log_level\": \"loud\"",
                   "log_level = loud");
}
END_TEST

START_TEST(a_refused_file_changes_nothing)
{
    ck_assert_state(load("port = 1\nnope = 2\n", 18), SQLSTATE_CONFIG_FILE_ERROR);
    ck_assert_int_eq(setting_integer(set, SETTING_PORT), 5439);
}
END_TEST

START_TEST(refuses_what_is_no_configuration)
{
    static const char *const texts[] = {
        "port", "port =",      "= 5",        "port 5",    "port = 5 6",    "port = {1}",
        "{",    "\"",          "port = \"5", "port = '5", "/* never ends", "port = 5 /* never",
        "\\",   "port = 5 /*/"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        Status status = load(texts[i], strlen(texts[i]));
        ck_assert_msg(status != STATUS_OK, "taken: %s", texts[i]);
        ck_assert_int_eq(status_sqlstate(status), SQLSTATE_CONFIG_FILE_ERROR);
        status_free(status);
    }
    ck_assert_state(load("port = 1\0", 9), SQLSTATE_CONFIG_FILE_ERROR);
    ck_assert_ok(load("port = 8\n", 9)); // the parser is sound after all that
    ck_assert_int_eq(setting_integer(set, SETTING_PORT), 8);
}
END_TEST

START_TEST(tells_a_missing_file)
{
    Status status = setting_load_file(set, "/nowhere/basalt.conf");
    ck_assert_int_eq(status_sqlstate(status), SQLSTATE_CONFIG_FILE_ERROR);
    ck_assert_ptr_nonnull(strstr(status_message(status), "/nowhere/basalt.conf"));
    status_free(status);
}
END_TEST

static void add_case(Suite *suite, const char *name, const TTest *test)
{
    TCase *behaviour = tcase_create(name);
    tcase_add_checked_fixture(behaviour, setup, teardown);
    tcase_add_test(behaviour, test);
    suite_add_tcase(suite, behaviour);
}

int main(void)
{
    Suite *suite = suite_create("base.setting_file");
    add_case(suite, "values", reads_names_and_values);
    add_case(suite, "line", names_the_line_of_an_error);
    add_case(suite, "whole", a_refused_file_changes_nothing);
    add_case(suite, "syntax", refuses_what_is_no_configuration);
    add_case(suite, "missing", tells_a_missing_file);
    return suite_main(suite);
}
