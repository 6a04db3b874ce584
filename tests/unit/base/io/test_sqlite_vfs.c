/* Suite of base/io/sqlite_vfs.c, through metadata stores where SQLite must be the caller. */
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/io/sqlite_vfs.h"
#include "base/log.h"
#include "base/metadata_store.h"
#include "tests/support/check_status.h"
#include "tests/support/simulated_files.h"

#define SCHEMA "CREATE TABLE t(v)"
enum { PAGE_BYTES = 4096, FILE_BYTES_MAX = 1 << 20 };

// The bytes at rest: a format others must be able to read for years.
START_TEST(pages_end_in_their_checksum)
{
    SimulatedFiles *files = simulated_files_create();
    FileSystem *fs = simulated_files_system(files);
    MetadataStore *store = NULL;
    uint8_t *data = NULL;
    size_t bytes = 0;
    ck_assert_ok(file_make_directory(fs, "d"));
    ck_assert_ok(metadata_store_open(fs, "d/db", SCHEMA, 1, &store));
    ck_assert_ok(metadata_store_exec(store, "INSERT INTO t VALUES(randomblob(50000))"));
    metadata_store_close(store);
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
    simulated_files_destroy(files);
}
END_TEST

START_TEST(stores_do_not_meet)
{
    SimulatedFiles *files = simulated_files_create(), *others = simulated_files_create();
    MetadataStore *first = NULL, *second = NULL;
    ck_assert_ok(metadata_store_open(simulated_files_system(files), "db", SCHEMA, 1, &first));
    ck_assert_ok(metadata_store_open(simulated_files_system(others), "db", SCHEMA, 1, &second));
    ck_assert_ok(metadata_store_exec(first, "INSERT INTO t VALUES(zeroblob(90000))"));
    ck_assert_ok(metadata_store_exec(second, "INSERT INTO t VALUES(1)"));
    metadata_store_close(first);
    metadata_store_close(second);
    ck_assert_int_gt(simulated_files_length(files, "db"), 90000);
    ck_assert_int_lt(simulated_files_length(others, "db"), 90000);
    simulated_files_destroy(files);
    simulated_files_destroy(others);
}
END_TEST

START_TEST(a_swapped_page_is_found)
{
    SimulatedFiles *files = simulated_files_create();
    FileSystem *fs = simulated_files_system(files);
    MetadataStore *store = NULL;
    uint8_t *data = NULL;
    size_t bytes = 0;
    ck_assert_ok(metadata_store_open(fs, "db", SCHEMA, 1, &store));
    ck_assert_ok(metadata_store_exec(store, "INSERT INTO t VALUES(randomblob(50000))"));
    metadata_store_close(store);
    ck_assert_ok(file_read_whole(fs, "db", FILE_BYTES_MAX, &data, &bytes));
    uint8_t page[PAGE_BYTES];
    memcpy(page, data + 4 * PAGE_BYTES, PAGE_BYTES);
    memcpy(data + 4 * PAGE_BYTES, data + 5 * PAGE_BYTES, PAGE_BYTES);
    memcpy(data + 5 * PAGE_BYTES, page, PAGE_BYTES);
    ck_assert_ok(file_write_whole(fs, "db", data, bytes));
    ck_assert_ok(metadata_store_open(fs, "db", SCHEMA, 1, &store));
    ck_assert_state(metadata_store_verify(store), SQLSTATE_DATA_CORRUPTED);
    metadata_store_close(store);
    free(data);
    simulated_files_destroy(files);
}
END_TEST

START_TEST(a_cut_file_is_found)
{
    SimulatedFiles *files = simulated_files_create();
    FileSystem *fs = simulated_files_system(files);
    MetadataStore *store = NULL;
    uint8_t *data = NULL;
    size_t bytes = 0;
    ck_assert_ok(metadata_store_open(fs, "db", SCHEMA, 1, &store));
    ck_assert_ok(metadata_store_exec(store, "INSERT INTO t VALUES(randomblob(50000))"));
    metadata_store_close(store);
    ck_assert_ok(file_read_whole(fs, "db", FILE_BYTES_MAX, &data, &bytes));
    for (size_t cut = 1; cut < bytes; cut += 1777) {
        ck_assert_ok(file_write_whole(fs, "db", data, bytes - cut));
        store = NULL;
        Status status = metadata_store_open(fs, "db", SCHEMA, 1, &store);
        if (status == STATUS_OK) {
            status = metadata_store_verify(store);
        }
        ck_assert_state(status, SQLSTATE_DATA_CORRUPTED);
        simulated_files_kill(files);
        metadata_store_close(store);
        ck_assert_ok(file_remove(fs, "db-wal"));
        ck_assert_ok(file_remove(fs, "db-mark"));
    }
    free(data);
    simulated_files_destroy(files);
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
    ck_assert_int_eq(sqlite3_exec(connection, SCHEMA, NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(connection);
    MetadataStore *store = NULL;
    ck_assert_state(metadata_store_open(file_system_os(), path, SCHEMA, 1, &store),
                    SQLSTATE_DATA_CORRUPTED);
    char command[96];
    snprintf(command, sizeof command, "rm -r %s", directory);
    ck_assert_int_eq(system(command), 0);
}
END_TEST

START_TEST(text_is_no_database)
{
    SimulatedFiles *files = simulated_files_create();
    FileSystem *fs = simulated_files_system(files);
    MetadataStore *store = NULL;
    static char text[3 * PAGE_BYTES];
    memset(text, 'x', sizeof text);
    ck_assert_ok(file_write_whole(fs, "db", text, sizeof text));
    ck_assert_state(metadata_store_open(fs, "db", SCHEMA, 1, &store), SQLSTATE_DATA_CORRUPTED);
    ck_assert_ok(file_write_whole(fs, "db", text, 100));
    ck_assert_state(metadata_store_open(fs, "db", SCHEMA, 1, &store), SQLSTATE_DATA_CORRUPTED);
    simulated_files_destroy(files);
}
END_TEST

START_TEST(the_first_error_is_handed_on_once)
{
    SimulatedFiles *files = simulated_files_create();
    SqliteVfs *vfs = NULL;
    ck_assert_ok(sqlite_vfs_create(simulated_files_system(files), "db", &vfs));
    sqlite3_vfs *methods = sqlite3_vfs_find(sqlite_vfs_name(vfs));
    ck_assert_ptr_nonnull(methods);
    int result = 0;
    ck_assert_ok(sqlite_vfs_take_error(vfs));
    simulated_files_fail_at(files, simulated_files_calls(files) + 1, 28, false); // ENOSPC
    ck_assert_int_eq(methods->xAccess(methods, "db", 0, &result), SQLITE_FULL);
    simulated_files_fail_at(files, simulated_files_calls(files) + 1, 5, false); // EIO
    ck_assert_int_eq(methods->xAccess(methods, "db", 0, &result), SQLITE_IOERR_ACCESS);
    ck_assert_state(sqlite_vfs_take_error(vfs), SQLSTATE_DISK_FULL);
    ck_assert_ok(sqlite_vfs_take_error(vfs));
    sqlite_vfs_destroy(vfs);
    simulated_files_destroy(files);
}
END_TEST

int main(void)
{
    log_set_level(LOG_ERROR);
    Suite *suite = suite_create("base.io.sqlite_vfs");
    suite_add_case(suite, "bytes", pages_end_in_their_checksum);
    suite_add_case(suite, "stores", stores_do_not_meet);
    suite_add_case(suite, "swapped", a_swapped_page_is_found);
    suite_add_case(suite, "cut", a_cut_file_is_found);
    suite_add_case(suite, "foreign", a_foreign_database_is_refused);
    suite_add_case(suite, "text", text_is_no_database);
    suite_add_case(suite, "error", the_first_error_is_handed_on_once);
    return suite_main(suite);
}
