/* Suite of base/io/disk_reserve.c: who is stopped, and what they are told. */
#include <string.h>

#include "base/io/disk_reserve.h"
#include "tests/support/check_status.h"
#include "tests/support/simulated_files.h"

START_TEST(stops_below_the_reserve)
{
    SimulatedFiles *files = simulated_files_create();
    FileSystem *system = simulated_files_system(files);
    ck_assert_ok(file_make_directory(system, "d"));
    simulated_files_set_capacity(files, 1000);
    ck_assert_ok(disk_reserve_check(system, "d", 0));
    ck_assert_ok(disk_reserve_check(system, "d", 1000));
    ck_assert_state(disk_reserve_check(system, "d", UINT64_MAX), SQLSTATE_DISK_FULL);
    Status status = disk_reserve_check(system, "d", 1001);
    ck_assert_int_eq(status_sqlstate(status), SQLSTATE_DISK_FULL);
    ck_assert_ptr_nonnull(strstr(status_message(status), "1000 bytes are free"));
    ck_assert_ptr_nonnull(strstr(status_message(status), "needs 1001"));
    ck_assert_ptr_nonnull(strstr(status_detail(status), "disk_reserve_bytes"));
    status_free(status);
    simulated_files_destroy(files);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("disk_reserve");
    suite_add_case(suite, "reserve", stops_below_the_reserve);
    return suite_main(suite);
}
