/* Suite of base/io/file_journal.c; in builds without fault points there is no journal. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/heap.h"
#include "base/io/file_journal.h"
#include "base/log.h"
#include "tests/support/check_status.h"

#ifdef BASALT_FAULTS

enum { LINES_BYTES_MAX = 4096 };

static char root[] = "/tmp/basalt_file_journal_XXXXXX";

static const char *at(const char *name)
{
    static char paths[4][256];
    static size_t next;
    char *path = paths[next++ % 4];
    snprintf(path, sizeof paths[0], "%s/%s", root, name);
    return path;
}

/* The journal as text: "kind file offset name data", names without their directory. */
static void read_journal(char *lines)
{
    uint8_t *data = NULL;
    size_t bytes = 0, length = 0;
    int64_t last_us = 0;
    ck_assert_ok(file_read_whole(file_system_os(), at("journal"), 1 << 20, &data, &bytes));
    for (size_t i = 0; i < bytes;) {
        FileJournalRecord record;
        ck_assert_uint_le(sizeof record, bytes - i);
        memcpy(&record, data + i, sizeof record);
        i += sizeof record;
        ck_assert_int_ge(record.monotonic_us, last_us);
        last_us = record.monotonic_us;
        char path[256] = "", text[256] = "";
        memcpy(path, data + i, record.path_bytes);
        memcpy(text, data + i + record.path_bytes, record.data_bytes);
        i += record.path_bytes + record.data_bytes;
        const char *name = record.path_bytes > 0 ? path + strlen(root) : "";
        const char *rest = strncmp(text, root, strlen(root)) == 0 ? text + strlen(root) : text;
        length += (size_t)snprintf(lines + length, LINES_BYTES_MAX - length, "%u %u %lu %s %s\n",
                                   record.kind, record.file, record.offset, name, rest);
    }
    heap_free(data);
    ck_assert_int_le(last_us, clock_monotonic_us());
}

START_TEST(notes_every_change)
{
    FileSystem *files = NULL;
    File *first = NULL, *second = NULL;
    char byte, lines[LINES_BYTES_MAX] = "";
    size_t bytes = 0;
    bool exists = true;
    ck_assert_ok(file_journal_open(&files));
    ck_assert_ok(file_make_directory(files, at("d")));
    ck_assert_ok(file_open(files, at("d/a"), FILE_READ | FILE_WRITE | FILE_CREATE, &first));
    ck_assert_ok(file_write(first, "abc", 3, 7));
    ck_assert_ok(file_read(first, &byte, 1, 8, &bytes));
    ck_assert_int_eq(byte, 'b');
    ck_assert_ok(file_sync(first));
    ck_assert_ok(file_open(files, at("d/b"), FILE_WRITE | FILE_EXCLUSIVE, &second));
    ck_assert_ok(file_truncate(second, 5));
    ck_assert_ok(file_allocate(second, 4096));
    file_close(second);
    ck_assert_ok(file_rename(files, at("d/b"), at("d/c")));
    ck_assert_ok(file_sync_directory(files, at("d")));
    ck_assert_ok(file_write(first, "z", 1, 0));
    file_close(first);
    ck_assert_ok(file_remove(files, at("d/a")));
    ck_assert_ok(file_exists(files, at("d/a"), &exists));
    ck_assert(!exists);
    ck_assert_state(file_open(files, at("d/a"), FILE_READ, &first), SQLSTATE_UNDEFINED_FILE);
    read_journal(lines);
    ck_assert_str_eq(lines, "7 0 0 /d \n"
                            "1 1 7 /d/a \n"
                            "2 1 7  abc\n"
                            "4 1 1  \n"
                            "9 0 1  \n"
                            "1 2 10 /d/b \n"
                            "3 2 5  \n"
                            "6 0 0 /d/b /d/c\n"
                            "8 0 2 /d \n"
                            "9 0 2  \n"
                            "2 1 0  z\n"
                            "5 0 0 /d/a \n");
}
END_TEST

START_TEST(a_failed_sync_has_no_end)
{
    FileSystem *files = NULL;
    char lines[LINES_BYTES_MAX] = "";
    ck_assert_ok(file_journal_open(&files));
    ck_assert_state(file_sync_directory(files, at("none")), SQLSTATE_UNDEFINED_FILE);
    read_journal(lines);
    ck_assert_str_eq(lines, "8 0 1 /none \n");
}
END_TEST

START_TEST(is_the_system_itself_unless_asked)
{
    FileSystem *files = NULL;
    unsetenv("BASALT_FILE_JOURNAL");
    ck_assert_ok(file_journal_open(&files));
    ck_assert_ptr_eq(files, file_system_os());
}
END_TEST

static void setup(void)
{
    log_set_level(LOG_ERROR);
    ck_assert_ptr_nonnull(mkdtemp(root));
    setenv("BASALT_FILE_JOURNAL", at("journal"), 1);
}

static void teardown(void)
{
    static const char *const names[] = {"d/a", "d/b", "d/c", "d", "journal", ""};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        ck_assert_ok(file_remove(file_system_os(), at(names[i])));
    }
}

static void add_case(Suite *suite, const char *name, const TTest *test)
{
    TCase *behaviour = tcase_create(name);
    tcase_add_checked_fixture(behaviour, setup, teardown);
    tcase_add_test(behaviour, test);
    suite_add_tcase(suite, behaviour);
}

int main(void)
{
    Suite *suite = suite_create("base.io.file_journal");
    add_case(suite, "changes", notes_every_change);
    add_case(suite, "failed sync", a_failed_sync_has_no_end);
    add_case(suite, "unasked", is_the_system_itself_unless_asked);
    return suite_main(suite);
}

#else

int main(void)
{
    return suite_main(suite_create("base.io.file_journal"));
}

#endif
