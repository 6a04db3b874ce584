/* Suite of base/io/os_file.c, in a directory of its own. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/io/file.h"
#include "base/log.h"
#include "tests/support/check_status.h"

static char root[] = "/tmp/basalt_os_file_XXXXXX";
static FileSystem *os;

static const char *at(const char *name)
{
    static char paths[4][256];
    static size_t next;
    char *path = paths[next++ % 4];
    snprintf(path, sizeof paths[0], "%s/%s", root, name);
    return path;
}

static Status remove_entry(void *object, const char *name, bool is_directory)
{
    (void)object, (void)is_directory;
    return file_remove(os, at(name));
}

static void setup(void)
{
    log_set_level(LOG_ERROR);
    os = file_system_os();
    ck_assert_ptr_nonnull(mkdtemp(root));
}

static void teardown(void)
{
    ck_assert_ok(file_list(os, root, remove_entry, NULL));
    ck_assert_ok(file_remove(os, root));
}

START_TEST(writes_and_reads_back)
{
    File *file = NULL;
    char data[10] = "";
    size_t bytes = 99;
    uint64_t size = 0;
    ck_assert_ok(file_open(os, at("f"), FILE_READ | FILE_WRITE | FILE_CREATE, &file));
    ck_assert_ok(file_allocate(file, 1 << 20));
    ck_assert_ok(file_size(file, &size));
    ck_assert_uint_eq(size, 0); // set aside, not grown
    ck_assert_ok(file_write(file, "abcdef", 6, 2));
    ck_assert_ok(file_sync(file));
    ck_assert_ok(file_read(file, data, 10, 0, &bytes));
    ck_assert_uint_eq(bytes, 8);
    ck_assert_mem_eq(data, "\0\0abcdef", 8);
    ck_assert_ok(file_read(file, data, 10, 100, &bytes));
    ck_assert_uint_eq(bytes, 0);
    ck_assert_ok(file_truncate(file, 3));
    ck_assert_ok(file_sync(file));
    ck_assert_ok(file_size(file, &size));
    ck_assert_uint_eq(size, 3);
    file_close(file);
}
END_TEST

START_TEST(obeys_its_flags)
{
    File *file = NULL;
    ck_assert_state(file_open(os, at("f"), FILE_READ, &file), SQLSTATE_UNDEFINED_FILE);
    ck_assert_ok(file_open(os, at("f"), FILE_WRITE | FILE_EXCLUSIVE, &file));
    ck_assert_ok(file_write(file, "abc", 3, 0));
    char byte;
    size_t bytes;
    ck_assert_state(file_read(file, &byte, 1, 0, &bytes), SQLSTATE_IO_ERROR); // opened to write
    file_close(file);
    ck_assert_state(file_open(os, at("f"), FILE_WRITE | FILE_EXCLUSIVE, &file), SQLSTATE_IO_ERROR);
    ck_assert_ok(file_open(os, at("f"), FILE_READ | FILE_CREATE, &file));
    uint64_t size = 0;
    ck_assert_ok(file_size(file, &size));
    ck_assert_uint_eq(size, 3);
    ck_assert_state(file_write(file, "x", 1, 0), SQLSTATE_IO_ERROR);
    file_close(file);
    ck_assert_ok(file_open(os, at("f"), FILE_WRITE | FILE_TRUNCATE, &file));
    ck_assert_ok(file_size(file, &size));
    ck_assert_uint_eq(size, 0);
    file_close(file);
}
END_TEST

// In a file system that has it or does not: the same bytes.
START_TEST(direct_files_by_pages)
{
    enum { PAGE = 4096, PAGES = 8 };
    File *file = NULL;
    uint8_t *data = aligned_alloc(PAGE, PAGE * PAGES);
    uint8_t *back = aligned_alloc(PAGE, PAGE * PAGES);
    ck_assert(data != NULL && back != NULL);
    for (size_t i = 0; i < PAGE * PAGES; i++) {
        data[i] = (uint8_t)(i / 7);
    }
    uint32_t flags = FILE_READ | FILE_WRITE | FILE_EXCLUSIVE | FILE_DIRECT;
    ck_assert_ok(file_open(os, _i == 0 ? at("f") : "/dev/shm/basalt_os_file", flags, &file));
    ck_assert_ok(file_write(file, data, PAGE * PAGES, 0));
    ck_assert_ok(file_sync(file));
    ck_assert_ok(file_truncate(file, PAGE * PAGES - 100)); // an end inside a sector
    size_t bytes = 0;
    ck_assert_ok(file_read(file, back, PAGE * PAGES, 0, &bytes));
    ck_assert_uint_eq(bytes, PAGE * PAGES - 100);
    ck_assert_mem_eq(back, data, bytes);
    file_close(file);
    unlink("/dev/shm/basalt_os_file");
    free(data);
    free(back);
}
END_TEST

START_TEST(directories_come_and_go)
{
    bool exists = false;
    ck_assert_ok(file_make_directory(os, at("a/b//c/")));
    ck_assert_ok(file_make_directory(os, at("a/b/c")));
    ck_assert_ok(file_exists(os, at("a/b/c"), &exists));
    ck_assert(exists);
    ck_assert_ok(file_write_whole(os, at("a/f"), "x", 1));
    ck_assert_state(file_make_directory(os, at("a/f")), SQLSTATE_IO_ERROR);
    ck_assert_state(file_make_directory(os, at("a/f/g")), SQLSTATE_IO_ERROR);
    ck_assert_state(file_make_directory(os, ""), SQLSTATE_IO_ERROR);
    ck_assert_ok(file_exists(os, at("a/f/g"), &exists));
    ck_assert(!exists);
    ck_assert_state(file_remove(os, at("a")), SQLSTATE_IO_ERROR); // not empty
    ck_assert_ok(file_remove(os, at("a/b/c")));
    ck_assert_ok(file_remove(os, at("a/b")));
    ck_assert_ok(file_remove(os, at("a/f")));
    ck_assert_ok(file_remove(os, at("a/f"))); // a missing one is fine
    ck_assert_ok(file_sync_directory(os, at("a")));
    ck_assert_ok(file_remove(os, at("a")));
    ck_assert_state(file_sync_directory(os, at("a")), SQLSTATE_UNDEFINED_FILE);
}
END_TEST

static Status count_entry(void *object, const char *name, bool is_directory)
{
    int *counts = object;
    counts[is_directory]++;
    return strcmp(name, "stop") == 0 ? status_error(SQLSTATE_INTERNAL_ERROR, "stop") : STATUS_OK;
}

START_TEST(lists_entries)
{
    int counts[2] = {0};
    ck_assert_ok(file_write_whole(os, at("f"), "x", 1));
    ck_assert_ok(file_write_whole(os, at("g"), "x", 1));
    ck_assert_ok(file_make_directory(os, at("d")));
    ck_assert_ok(file_list(os, root, count_entry, counts));
    ck_assert_int_eq(counts[0], 2);
    ck_assert_int_eq(counts[1], 1);
    ck_assert_ok(file_rename(os, at("f"), at("stop")));
    ck_assert_state(file_list(os, root, count_entry, counts), SQLSTATE_INTERNAL_ERROR);
    ck_assert_state(file_list(os, at("none"), count_entry, counts), SQLSTATE_UNDEFINED_FILE);
    ck_assert_state(file_rename(os, at("none"), at("f")), SQLSTATE_UNDEFINED_FILE);
}
END_TEST

START_TEST(tells_free_space)
{
    uint64_t bytes = 0;
    ck_assert_ok(file_free_bytes(os, root, &bytes));
    ck_assert_uint_gt(bytes, 0);
    ck_assert_state(file_free_bytes(os, at("none"), &bytes), SQLSTATE_UNDEFINED_FILE);
}
END_TEST

START_TEST(a_full_device_is_53100)
{
    File *file = NULL;
    ck_assert_ok(file_open(os, "/dev/full", FILE_WRITE, &file));
    ck_assert_state(file_write(file, "x", 1, 0), SQLSTATE_DISK_FULL);
    ck_assert_state(file_sync(file), SQLSTATE_DISK_FULL); // the first error
    file_close(file);
}
END_TEST

static void add_case(Suite *suite, const char *name, const TTest *test, int loops)
{
    TCase *behaviour = tcase_create(name);
    tcase_add_checked_fixture(behaviour, setup, teardown);
    tcase_add_loop_test(behaviour, test, 0, loops);
    suite_add_tcase(suite, behaviour);
}

int main(void)
{
    Suite *suite = suite_create("base.io.os_file");
    add_case(suite, "bytes", writes_and_reads_back, 1);
    add_case(suite, "flags", obeys_its_flags, 1);
    add_case(suite, "direct", direct_files_by_pages, 2);
    add_case(suite, "directories", directories_come_and_go, 1);
    add_case(suite, "list", lists_entries, 1);
    add_case(suite, "space", tells_free_space, 1);
    add_case(suite, "full", a_full_device_is_53100, 1);
    return suite_main(suite);
}
