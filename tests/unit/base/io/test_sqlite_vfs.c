/* Suite of base/io/sqlite_vfs.c, through metadata stores where SQLite must be the caller. */
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/io/sqlite_vfs.h"
#include "tests/support/metadata_fixture.h"

#define TABLE "CREATE TABLE t(v)"
enum { PAGE_BYTES = 4096, FILE_BYTES_MAX = 1 << 20 };

// Any bit of any page of the file: the store refuses to open or tells XX001, and no row comes.
START_TEST(finds_any_flipped_bit_of_the_file)
{
    ck_assert_ok(open_store());
    for (int64_t key = 0; key < 20; key++) {
        ck_assert_ok(put(key, 3000));
    }
    metadata_store_close(store);
    store = NULL;
    uint64_t bits = (uint64_t)simulated_files_length(files, PATH) * 8;
    Random random;
    random_seed(&random, 7);
    for (int i = 0; i < 300; i++) {
        // The first pages bit by bit of their headers, then anywhere.
        uint64_t bit = i < 100 ? (uint64_t)i * 8 : random_below(&random, bits);
        ck_assert(simulated_files_flip(files, PATH, bit));
        Status status = open_store();
        if (status == STATUS_OK) {
            status = metadata_store_verify(store);
        }
        if (status == STATUS_OK) {
            int64_t count;
            status = count_rows(&count);
        }
        ck_assert_msg(status != STATUS_OK, "flip of bit %lu went unseen", bit);
        ck_assert_msg(status_sqlstate(status) == SQLSTATE_DATA_CORRUPTED, "bit %lu: %s", bit,
                      status_message(status));
        status_free(status);
        simulated_files_kill(files); // nothing is repaired at close
        metadata_store_close(store);
        store = NULL;
        ck_assert(simulated_files_flip(files, PATH, bit));
        ck_assert_ok(file_remove(simulated_files_system(files), PATH "-wal"));
        ck_assert_ok(file_remove(simulated_files_system(files), PATH "-mark"));
    }
    ck_assert_ok(open_store());
    ck_assert_int_eq(rows(), 20);
}
END_TEST

// The bytes at rest: a format others must be able to read for years.
START_TEST(pages_end_in_their_checksum)
{
    SimulatedFiles *disk = simulated_files_create();
    FileSystem *fs = simulated_files_system(disk);
    MetadataStore *metadata = NULL;
    uint8_t *data = NULL;
    size_t bytes = 0;
    ck_assert_ok(file_make_directory(fs, "d"));
    ck_assert_ok(metadata_store_open(fs, "d/db", TABLE, 1, &metadata));
    ck_assert_ok(metadata_store_exec(metadata, "INSERT INTO t VALUES(randomblob(50000))"));
    metadata_store_close(metadata);
    ck_assert_ok(file_read_whole(fs, "d/db", FILE_BYTES_MAX, &data, &bytes));
    ck_assert_uint_gt(bytes, 12 * PAGE_BYTES);
    ck_assert_uint_eq(bytes % PAGE_BYTES, 0);
    ck_assert_uint_eq(data[20], 8); // the header's word for reserved bytes
    for (size_t i = 0; i < bytes / PAGE_BYTES; i++) {
        const uint8_t *page = data + i * PAGE_BYTES;
        uint64_t sum;
        memcpy(&sum, page + PAGE_BYTES - 8, sizeof sum);
        ck_assert_uint_eq(sum, hash_bytes(page, PAGE_BYTES - 8, i + 1));
    }
    free(data);
    simulated_files_destroy(disk);
}
END_TEST

START_TEST(stores_do_not_meet)
{
    SimulatedFiles *disk = simulated_files_create(), *others = simulated_files_create();
    MetadataStore *first = NULL, *second = NULL;
    ck_assert_ok(metadata_store_open(simulated_files_system(disk), "db", TABLE, 1, &first));
    ck_assert_ok(metadata_store_open(simulated_files_system(others), "db", TABLE, 1, &second));
    ck_assert_ok(metadata_store_exec(first, "INSERT INTO t VALUES(zeroblob(90000))"));
    ck_assert_ok(metadata_store_exec(second, "INSERT INTO t VALUES(1)"));
    metadata_store_close(first);
    metadata_store_close(second);
    ck_assert_int_gt(simulated_files_length(disk, "db"), 90000);
    ck_assert_int_lt(simulated_files_length(others, "db"), 90000);
    simulated_files_destroy(disk);
    simulated_files_destroy(others);
}
END_TEST

START_TEST(a_swapped_page_is_found)
{
    SimulatedFiles *disk = simulated_files_create();
    FileSystem *fs = simulated_files_system(disk);
    MetadataStore *metadata = NULL;
    uint8_t *data = NULL;
    size_t bytes = 0;
    ck_assert_ok(metadata_store_open(fs, "db", TABLE, 1, &metadata));
    ck_assert_ok(metadata_store_exec(metadata, "INSERT INTO t VALUES(randomblob(50000))"));
    metadata_store_close(metadata);
    ck_assert_ok(file_read_whole(fs, "db", FILE_BYTES_MAX, &data, &bytes));
    uint8_t page[PAGE_BYTES];
    memcpy(page, data + 4 * PAGE_BYTES, PAGE_BYTES);
    memcpy(data + 4 * PAGE_BYTES, data + 5 * PAGE_BYTES, PAGE_BYTES);
    memcpy(data + 5 * PAGE_BYTES, page, PAGE_BYTES);
    ck_assert_ok(file_write_whole(fs, "db", data, bytes));
    ck_assert_ok(metadata_store_open(fs, "db", TABLE, 1, &metadata));
    ck_assert_state(metadata_store_verify(metadata), SQLSTATE_DATA_CORRUPTED);
    metadata_store_close(metadata);
    free(data);
    simulated_files_destroy(disk);
}
END_TEST

START_TEST(a_cut_file_is_found)
{
    SimulatedFiles *disk = simulated_files_create();
    FileSystem *fs = simulated_files_system(disk);
    MetadataStore *metadata = NULL;
    uint8_t *data = NULL;
    size_t bytes = 0;
    ck_assert_ok(metadata_store_open(fs, "db", TABLE, 1, &metadata));
    ck_assert_ok(metadata_store_exec(metadata, "INSERT INTO t VALUES(randomblob(50000))"));
    metadata_store_close(metadata);
    ck_assert_ok(file_read_whole(fs, "db", FILE_BYTES_MAX, &data, &bytes));
    for (size_t cut = 1; cut < bytes; cut += 1777) {
        ck_assert_ok(file_write_whole(fs, "db", data, bytes - cut));
        metadata = NULL;
        Status status = metadata_store_open(fs, "db", TABLE, 1, &metadata);
        if (status == STATUS_OK) {
            status = metadata_store_verify(metadata);
        }
        ck_assert_state(status, SQLSTATE_DATA_CORRUPTED);
        simulated_files_kill(disk);
        metadata_store_close(metadata);
        ck_assert_ok(file_remove(fs, "db-wal"));
        ck_assert_ok(file_remove(fs, "db-mark"));
    }
    free(data);
    simulated_files_destroy(disk);
}
END_TEST

// Read as a short page, a last byte of zero would be the same again.
START_TEST(a_missing_zero_is_found)
{
    SimulatedFiles *disk = simulated_files_create();
    FileSystem *fs = simulated_files_system(disk);
    MetadataStore *metadata = NULL;
    uint8_t *data = NULL;
    size_t bytes = 0;
    ck_assert_ok(metadata_store_open(fs, "db", TABLE, 1, &metadata));
    ck_assert_ok(metadata_store_exec(metadata, "INSERT INTO t VALUES(0)"));
    for (;;) {
        metadata_store_close(metadata);
        ck_assert_ok(file_read_whole(fs, "db", FILE_BYTES_MAX, &data, &bytes));
        if (data[bytes - 1] == 0) {
            break;
        }
        free(data);
        ck_assert_ok(metadata_store_open(fs, "db", TABLE, 1, &metadata));
        ck_assert_ok(metadata_store_exec(metadata, "UPDATE t SET v = v + 1"));
    }
    ck_assert_ok(file_write_whole(fs, "db", data, bytes - 1));
    metadata = NULL;
    Status status = metadata_store_open(fs, "db", TABLE, 1, &metadata);
    if (status == STATUS_OK) {
        status = metadata_store_verify(metadata);
    }
    ck_assert_state(status, SQLSTATE_DATA_CORRUPTED);
    metadata_store_close(metadata);
    free(data);
    simulated_files_destroy(disk);
}
END_TEST

// Another program's database has no checksums to check: it is not ours.
START_TEST(a_foreign_database_is_refused)
{
    char directory[] = "/tmp/basalt_vfs_XXXXXX", path[64];
    ck_assert_ptr_nonnull(mkdtemp(directory));
    snprintf(path, sizeof path, "%s/db", directory);
    sqlite3 *connection = NULL;
    ck_assert_int_eq(sqlite3_open(path, &connection), SQLITE_OK);
    ck_assert_int_eq(sqlite3_exec(connection, TABLE, NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(connection);
    MetadataStore *metadata = NULL;
    ck_assert_state(metadata_store_open(file_system_os(), path, TABLE, 1, &metadata),
                    SQLSTATE_DATA_CORRUPTED);
    char command[96];
    snprintf(command, sizeof command, "rm -r %s", directory);
    ck_assert_int_eq(system(command), 0);
}
END_TEST

START_TEST(text_is_no_database)
{
    SimulatedFiles *disk = simulated_files_create();
    FileSystem *fs = simulated_files_system(disk);
    MetadataStore *metadata = NULL;
    static char text[3 * PAGE_BYTES];
    memset(text, 'x', sizeof text);
    ck_assert_ok(file_write_whole(fs, "db", text, sizeof text));
    ck_assert_state(metadata_store_open(fs, "db", TABLE, 1, &metadata), SQLSTATE_DATA_CORRUPTED);
    ck_assert_ok(file_write_whole(fs, "db", text, 100));
    ck_assert_state(metadata_store_open(fs, "db", TABLE, 1, &metadata), SQLSTATE_DATA_CORRUPTED);
    simulated_files_destroy(disk);
}
END_TEST

START_TEST(the_first_error_is_handed_on_once)
{
    SimulatedFiles *disk = simulated_files_create();
    SqliteVfs *vfs = NULL;
    ck_assert_ok(sqlite_vfs_create(simulated_files_system(disk), "db", false, &vfs));
    sqlite3_vfs *methods = sqlite3_vfs_find(sqlite_vfs_name(vfs));
    ck_assert_ptr_nonnull(methods);
    int result = 0;
    ck_assert_ok(sqlite_vfs_take_error(vfs));
    simulated_files_fail_at(disk, simulated_files_calls(disk) + 1, 28, false); // ENOSPC
    ck_assert_int_eq(methods->xAccess(methods, "db", 0, &result), SQLITE_FULL);
    simulated_files_fail_at(disk, simulated_files_calls(disk) + 1, 5, false); // EIO
    ck_assert_int_eq(methods->xAccess(methods, "db", 0, &result), SQLITE_IOERR_ACCESS);
    ck_assert_state(sqlite_vfs_take_error(vfs), SQLSTATE_DISK_FULL);
    ck_assert_ok(sqlite_vfs_take_error(vfs));
    sqlite_vfs_destroy(vfs);
    simulated_files_destroy(disk);
}
END_TEST

START_TEST(time_and_chance_are_ours)
{
    SimulatedFiles *disk = simulated_files_create();
    SqliteVfs *vfs = NULL;
    ck_assert_ok(sqlite_vfs_create(simulated_files_system(disk), "db", false, &vfs));
    sqlite3_vfs *methods = sqlite3_vfs_find(sqlite_vfs_name(vfs));
    char one[32] = "", other[32] = "", path[8];
    ck_assert_int_eq(methods->xRandomness(methods, 32, one), 32);
    ck_assert_int_eq(methods->xRandomness(methods, 32, other), 32);
    ck_assert_mem_ne(one, other, 32);
    double days = 0;
    ck_assert_int_eq(methods->xCurrentTime(methods, &days), SQLITE_OK);
    ck_assert_double_gt(days, 2460000.0); // later than February 2023
    ck_assert_double_lt(days, 2500000.0);
    ck_assert_int_eq(methods->xSleep(methods, 1000), 1000);
    ck_assert_int_eq(methods->xFullPathname(methods, "a/b", 8, path), SQLITE_OK);
    ck_assert_str_eq(path, "a/b");
    ck_assert_int_eq(methods->xFullPathname(methods, "a/b/c/d/e", 8, path), SQLITE_CANTOPEN);
    sqlite_vfs_destroy(vfs);
    simulated_files_destroy(disk);
}
END_TEST

int main(void)
{
    log_set_level(LOG_ERROR);
    Suite *suite = suite_create("base.io.sqlite_vfs");
    tcase_add_test(add_case(suite, "flips"), finds_any_flipped_bit_of_the_file);
    suite_add_case(suite, "bytes", pages_end_in_their_checksum);
    suite_add_case(suite, "stores", stores_do_not_meet);
    suite_add_case(suite, "swapped", a_swapped_page_is_found);
    suite_add_case(suite, "cut", a_cut_file_is_found);
    suite_add_case(suite, "zero", a_missing_zero_is_found);
    suite_add_case(suite, "foreign", a_foreign_database_is_refused);
    suite_add_case(suite, "text", text_is_no_database);
    suite_add_case(suite, "error", the_first_error_is_handed_on_once);
    suite_add_case(suite, "time", time_and_chance_are_ours);
    return suite_main(suite);
}
