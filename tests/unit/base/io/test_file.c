/* Suite of base/io/file.c: what holds for every file table, on the simulated one. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/fault.h"
#include "base/log.h"
#include "base/metrics.h"
#include "tests/support/check_status.h"
#include "tests/support/failing_heap.h"
#include "tests/support/simulated_files.h"

static SimulatedFiles *files;
static FileSystem *system_under_test;

static void setup(void)
{
    log_set_level(LOG_ERROR);
    files = simulated_files_create();
    system_under_test = simulated_files_system(files);
    ck_assert_ok(file_make_directory(system_under_test, "d"));
}

static void teardown(void)
{
    simulated_files_destroy(files);
}

static File *open_file(const char *path)
{
    File *file = NULL;
    ck_assert_ok(file_open(system_under_test, path, FILE_READ | FILE_WRITE | FILE_CREATE, &file));
    return file;
}

START_TEST(a_failed_write_poisons)
{
    uint8_t byte = 1;
    size_t bytes = 0;
    uint64_t size = 0;
    File *file = open_file("d/f");
    ck_assert_ok(file_write(file, &byte, 1, 0));
    simulated_files_fail_at(files, simulated_files_calls(files) + 1, _i == 2 ? ENOSPC : EIO, false);
    SqlState wanted = _i == 2 ? SQLSTATE_DISK_FULL : SQLSTATE_IO_ERROR;
    Status status = _i == 0   ? file_sync(file)
                    : _i == 1 ? file_truncate(file, 0)
                              : file_write(file, &byte, 1, 1);
    ck_assert_state(status, wanted);
    uint64_t calls = simulated_files_calls(files);
    // Every later call tells the first error, without asking the table.
    ck_assert_state(file_write(file, &byte, 1, 1), wanted);
    ck_assert_state(file_sync(file), wanted);
    ck_assert_state(file_truncate(file, 0), wanted);
    ck_assert_state(file_allocate(file, 10), wanted);
    ck_assert_state(file_read(file, &byte, 1, 0, &bytes), wanted);
    ck_assert_state(file_size(file, &size), wanted);
    ck_assert_uint_eq(simulated_files_calls(files), calls);
    ck_assert_int_eq(metric_value(METRIC_FILE_POISONS), 1);
    file_close(file);
    file = open_file("d/f");
    ck_assert_ok(file_sync(file));
    file_close(file);
}
END_TEST

START_TEST(a_failed_read_or_allocation_does_not)
{
    uint8_t byte = 1;
    size_t bytes = 0;
    File *file = open_file("d/f");
    simulated_files_fail_at(files, simulated_files_calls(files) + 1, EIO, false);
    ck_assert_state(file_read(file, &byte, 1, 0, &bytes), SQLSTATE_IO_ERROR);
    simulated_files_fail_at(files, simulated_files_calls(files) + 1, ENOSPC, false);
    ck_assert_state(file_allocate(file, 100), SQLSTATE_DISK_FULL);
    ck_assert_ok(file_write(file, &byte, 1, 0));
    ck_assert_ok(file_sync(file));
    ck_assert_state(file_read_exact(file, &byte, 1, 1), SQLSTATE_DATA_CORRUPTED);
    ck_assert_ok(file_read_exact(file, &byte, 1, 0));
    file_close(file);
    file_close(NULL);
}
END_TEST

static Status read_text(const char *path, char *text)
{
    uint8_t *data = NULL;
    size_t bytes = 0;
    TRY(file_read_whole(system_under_test, path, 100, &data, &bytes));
    memcpy(text, data, bytes + 1); // with the zero behind it
    free(data);
    return STATUS_OK;
}

// Cut anywhere, by error or by power: the file is the old one or the new one, whole.
START_TEST(whole_writes_are_all_or_nothing)
{
    Random random;
    random_seed(&random, 3);
    for (int round = 0; round < 400; round++) {
        char text[101] = "";
        teardown();
        setup();
        ck_assert_ok(file_write_whole(system_under_test, "d/f", "old", 3));
        simulated_files_fail_at(files, simulated_files_calls(files) + 1 + random_below(&random, 8),
                                EIO, true);
        Status status = file_write_whole(system_under_test, "d/f", "newer", 5);
        bool was_told = status == STATUS_OK;
        status_free(status);
        simulated_files_fail_at(files, 0, 0, false);
        simulated_files_cut_power(files, &random);
        ck_assert_ok(read_text("d/f", text));
        ck_assert(strcmp(text, "newer") == 0 || (!was_told && strcmp(text, "old") == 0));
    }
}
END_TEST

START_TEST(whole_writes_leave_nothing_behind)
{
    bool exists = true;
    simulated_files_set_capacity(files, 4);
    ck_assert_state(file_write_whole(system_under_test, "d/f", "newer", 5), SQLSTATE_DISK_FULL);
    ck_assert_ok(file_exists(system_under_test, "d/f.new", &exists));
    ck_assert(!exists);
    static char path[5000];
    memset(path, 'x', sizeof path - 1);
    ck_assert_state(file_write_whole(system_under_test, path, "", 0), SQLSTATE_NAME_TOO_LONG);
}
END_TEST

START_TEST(reads_whole_files_up_to_a_limit)
{
    static char data[101];
    uint8_t *read_back = NULL;
    size_t bytes = 0;
    ck_assert_ok(file_write_whole(system_under_test, "d/f", data, 101));
    ck_assert_state(file_read_whole(system_under_test, "d/f", 100, &read_back, &bytes),
                    SQLSTATE_PROGRAM_LIMIT_EXCEEDED);
    ck_assert_state(file_read_whole(system_under_test, "d/none", 100, &read_back, &bytes),
                    SQLSTATE_UNDEFINED_FILE);
    failing_heap_start(1, false);
    Status status = file_read_whole(system_under_test, "d/f", 200, &read_back, &bytes);
    failing_heap_stop();
    ck_assert_state(status, SQLSTATE_OUT_OF_MEMORY);
    ck_assert_ok(file_write_whole(system_under_test, "d/f", NULL, 0));
    ck_assert_ok(file_read_whole(system_under_test, "d/f", 0, &read_back, &bytes));
    ck_assert_uint_eq(bytes, 0);
    free(read_back);
}
END_TEST

START_TEST(syncs_the_right_parent)
{
    Random random;
    random_seed(&random, 1);
    file_close(open_file("d/a"));
    file_close(open_file("b"));
    ck_assert_ok(file_sync_parent(system_under_test, "d/x"));
    ck_assert_ok(file_sync_parent(system_under_test, "x"));
    for (int i = 0; i < 20; i++) {
        simulated_files_cut_power(files, &random);
    }
    bool has_a = false, has_b = false;
    ck_assert_ok(file_exists(system_under_test, "d/a", &has_a));
    ck_assert_ok(file_exists(system_under_test, "b", &has_b));
    ck_assert(has_a && has_b);
}
END_TEST

#ifdef BASALT_FAULTS
START_TEST(faults_reach_every_call)
{
    uint8_t byte = 0;
    size_t bytes = 0;
    File *file = open_file("d/f"), *other = NULL;
    ck_assert_ok(
        fault_arm("file.open=error;file.read=error;file.allocate=error;file.remove=error;"
                  "file.rename=error;file.make_directory=error;file.sync_directory=error"));
    ck_assert_state(file_open(system_under_test, "d/g", FILE_READ, &other), SQLSTATE_IO_ERROR);
    ck_assert_state(file_read(file, &byte, 1, 0, &bytes), SQLSTATE_IO_ERROR);
    ck_assert_state(file_allocate(file, 1), SQLSTATE_IO_ERROR);
    ck_assert_state(file_remove(system_under_test, "d/g"), SQLSTATE_IO_ERROR);
    ck_assert_state(file_rename(system_under_test, "d/f", "d/g"), SQLSTATE_IO_ERROR);
    ck_assert_state(file_make_directory(system_under_test, "e"), SQLSTATE_IO_ERROR);
    ck_assert_state(file_sync_directory(system_under_test, "d"), SQLSTATE_IO_ERROR);
    ck_assert_ok(fault_arm("file.sync=nospace"));
    ck_assert_state(file_sync(file), SQLSTATE_DISK_FULL);
    fault_disarm_all();
    ck_assert_state(file_write(file, &byte, 1, 0), SQLSTATE_DISK_FULL); // poisoned
    file_close(file);
}
END_TEST
#endif

static void add_case(Suite *suite, const char *name, const TTest *test, int loops)
{
    TCase *behaviour = tcase_create(name);
    tcase_add_checked_fixture(behaviour, setup, teardown);
    tcase_add_loop_test(behaviour, test, 0, loops);
    suite_add_tcase(suite, behaviour);
}

int main(void)
{
    Suite *suite = suite_create("base.io.file");
    add_case(suite, "poison", a_failed_write_poisons, 3);
    add_case(suite, "no_poison", a_failed_read_or_allocation_does_not, 1);
    add_case(suite, "whole_write", whole_writes_are_all_or_nothing, 1);
    add_case(suite, "whole_write_rest", whole_writes_leave_nothing_behind, 1);
    add_case(suite, "whole_read", reads_whole_files_up_to_a_limit, 1);
    add_case(suite, "parent", syncs_the_right_parent, 1);
#ifdef BASALT_FAULTS
    add_case(suite, "faults", faults_reach_every_call, 1);
#endif
    return suite_main(suite);
}
