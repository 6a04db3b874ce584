/* Suite of base/io/wal_guard.c. What SQLite makes of it is proven by base.metadata_store. */
#include <stddef.h>
#include <string.h>

#include "base/hash.h"
#include "base/io/wal_guard.h"
#include "base/log.h"
#include "tests/support/check_status.h"
#include "tests/support/failing_heap.h"
#include "tests/support/simulated_files.h"

static SimulatedFiles *files;
static FileSystem *fs;
static WalGuard *guard;

/* The header of a generation, and of a frame that commits; sums are not looked at while writing. */
static const uint8_t header[WAL_HEADER_BYTES] = {[16] = 1, [20] = 2};
static const uint8_t commit_frame[WAL_FRAME_HEADER_BYTES] = {[3] = 1, [7] = 9, [16] = 5};
static uint8_t page[SQLITE_PAGE_BYTES];

static uint64_t frame_offset(uint64_t index)
{
    return WAL_HEADER_BYTES + index * WAL_FRAME_BYTES;
}

static void setup(void)
{
    log_set_level(LOG_ERROR);
    files = simulated_files_create();
    fs = simulated_files_system(files);
    ck_assert_ok(file_make_directory(fs, "d"));
    ck_assert_ok(wal_guard_open(fs, "d/db", &guard));
}

static void teardown(void)
{
    wal_guard_close(guard);
    guard = NULL;
    simulated_files_destroy(files);
}

static void write_commit(uint64_t index)
{
    ck_assert_ok(wal_guard_wrote(guard, commit_frame, sizeof commit_frame, frame_offset(index)));
    ck_assert_ok(wal_guard_wrote(guard, page, sizeof page,
                                 frame_offset(index) + WAL_FRAME_HEADER_BYTES));
}

START_TEST(a_page_must_be_what_was_written)
{
    uint8_t frame[WAL_FRAME_BYTES] = {0};
    uint64_t at_page = frame_offset(3) + WAL_FRAME_HEADER_BYTES;
    write_commit(3);
    ck_assert_ok(wal_guard_check(guard, page, sizeof page, at_page));
    ck_assert_ok(wal_guard_check(guard, frame, sizeof frame, frame_offset(3)));
    frame[1000] ^= 1;
    ck_assert_state(wal_guard_check(guard, frame, sizeof frame, frame_offset(3)),
                    SQLSTATE_DATA_CORRUPTED);
    ck_assert_state(wal_guard_check(guard, frame, SQLITE_PAGE_BYTES, at_page),
                    SQLSTATE_DATA_CORRUPTED);
    // Of others nothing is known: frames never written, parts of frames, the header.
    ck_assert_ok(wal_guard_check(guard, frame, SQLITE_PAGE_BYTES, frame_offset(2) + 24));
    ck_assert_ok(wal_guard_check(guard, frame, SQLITE_PAGE_BYTES, frame_offset(4) + 24));
    ck_assert_ok(wal_guard_check(guard, frame, WAL_FRAME_HEADER_BYTES, frame_offset(3)));
    ck_assert_ok(wal_guard_check(guard, frame, WAL_HEADER_BYTES, 0));
    // A part written makes the whole unknown; a new generation forgets all.
    ck_assert_ok(wal_guard_wrote(guard, frame, 100, at_page + 7));
    ck_assert_ok(wal_guard_check(guard, frame, sizeof frame, frame_offset(3)));
    write_commit(3);
    ck_assert_ok(wal_guard_wrote(guard, header, sizeof header, 0));
    ck_assert_ok(wal_guard_check(guard, frame, sizeof frame, frame_offset(3)));
}
END_TEST

START_TEST(the_mark_follows_synced_commits)
{
    ck_assert_ok(wal_guard_wrote(guard, header, sizeof header, 0));
    wal_guard_synced(guard);
    ck_assert_int_eq(simulated_files_length(files, "d/db-mark"), 0); // nothing to promise
    write_commit(0);
    wal_guard_synced(guard);
    ck_assert_int_eq(simulated_files_length(files, "d/db-mark"), 40);
    uint64_t calls = simulated_files_calls(files);
    wal_guard_synced(guard);
    ck_assert_uint_eq(simulated_files_calls(files), calls); // the same is not written again
    wal_guard_close(guard);
    guard = NULL;
    ck_assert_state(wal_guard_open(fs, "d/db", &guard), SQLSTATE_DATA_CORRUPTED);
}
END_TEST

START_TEST(a_withdrawn_mark_promises_nothing)
{
    Random random;
    random_seed(&random, 1);
    ck_assert_ok(wal_guard_wrote(guard, header, sizeof header, 0));
    write_commit(0);
    wal_guard_synced(guard);
    ck_assert_ok(wal_guard_forget(guard));
    ck_assert_ok(wal_guard_forget(guard));
    ck_assert_ok(file_sync_directory(fs, "d"));
    simulated_files_cut_power(files, &random); // it is durable
    wal_guard_close(guard);
    guard = NULL;
    ck_assert_ok(wal_guard_open(fs, "d/db", &guard));
}
END_TEST

START_TEST(a_mark_that_does_not_check_promises_nothing)
{
    ck_assert_ok(wal_guard_wrote(guard, header, sizeof header, 0));
    write_commit(0);
    wal_guard_synced(guard);
    wal_guard_close(guard);
    guard = NULL;
    for (uint64_t bit = 0; bit < 320; bit++) {
        ck_assert(simulated_files_flip(files, "d/db-mark", bit));
        ck_assert_ok(wal_guard_open(fs, "d/db", &guard));
        wal_guard_close(guard);
        guard = NULL;
        ck_assert(simulated_files_flip(files, "d/db-mark", bit));
    }
    ck_assert_state(wal_guard_open(fs, "d/db", &guard), SQLSTATE_DATA_CORRUPTED);
}
END_TEST

START_TEST(a_newer_mark_is_refused)
{
    uint8_t mark[40] = "BWALMARK\x02";
    uint64_t hash = hash_bytes(mark, 32, 1);
    memcpy(mark + 32, &hash, 8);
    ck_assert_ok(file_write_whole(fs, "d/db-mark", mark, sizeof mark));
    wal_guard_close(guard);
    guard = NULL;
    ck_assert_state(wal_guard_open(fs, "d/db", &guard), SQLSTATE_DATA_CORRUPTED);
}
END_TEST

START_TEST(a_mark_that_cannot_be_written_stops_no_commit)
{
    ck_assert_ok(wal_guard_wrote(guard, header, sizeof header, 0));
    write_commit(0);
    simulated_files_fail_at(files, simulated_files_calls(files) + 1, 5, true);
    wal_guard_synced(guard);
    write_commit(1);
    wal_guard_synced(guard);
    ck_assert_ok(wal_guard_forget(guard)); // none was ever written
}
END_TEST

START_TEST(refused_memory_is_told)
{
    bool was_reached = true;
    wal_guard_close(guard);
    for (uint64_t n = 1; was_reached; n++) {
        guard = NULL;
        failing_heap_start(n, false);
        Status status = wal_guard_open(fs, "d/db", &guard);
        was_reached = failing_heap_stop();
        ck_assert(status == STATUS_OK || status_sqlstate(status) == SQLSTATE_OUT_OF_MEMORY);
        status_free(status);
        if (was_reached) {
            wal_guard_close(guard);
        }
    }
    failing_heap_start(1, false);
    Status status = wal_guard_wrote(guard, page, sizeof page, frame_offset(0) + 24);
    failing_heap_stop();
    ck_assert_state(status, SQLSTATE_OUT_OF_MEMORY);
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
    Suite *suite = suite_create("base.io.wal_guard");
    add_case(suite, "pages", a_page_must_be_what_was_written);
    add_case(suite, "mark", the_mark_follows_synced_commits);
    add_case(suite, "withdrawal", a_withdrawn_mark_promises_nothing);
    add_case(suite, "unsound", a_mark_that_does_not_check_promises_nothing);
    add_case(suite, "version", a_newer_mark_is_refused);
    add_case(suite, "failure", a_mark_that_cannot_be_written_stops_no_commit);
    add_case(suite, "memory", refused_memory_is_told);
    return suite_main(suite);
}
