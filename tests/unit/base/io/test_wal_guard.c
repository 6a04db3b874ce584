/* Suite of base/io/wal_guard.c: by itself, and under SQLite with damage and power cuts. */
#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "base/fault.h"
#include "base/hash.h"
#include "base/io/wal_guard.h"
#include "tests/support/failing_heap.h"
#include "tests/support/metadata_fixture.h"

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

static void setup_guard(void)
{
    setup();
    fs = simulated_files_system(files);
    ck_assert_ok(file_make_directory(fs, "d"));
    ck_assert_ok(wal_guard_open(fs, "d/db", false, &guard));
}

static void teardown_guard(void)
{
    wal_guard_close(guard);
    guard = NULL;
    teardown();
}

static void write_commit(uint64_t index)
{
    ck_assert_ok(wal_guard_wrote(guard, commit_frame, sizeof commit_frame, frame_offset(index)));
    ck_assert_ok(
        wal_guard_wrote(guard, page, sizeof page, frame_offset(index) + WAL_FRAME_HEADER_BYTES));
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
    ck_assert_state(wal_guard_open(fs, "d/db", false, &guard), SQLSTATE_DATA_CORRUPTED);
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
    wal_guard_synced(guard); // of the emptied log
    ck_assert_ok(file_sync_directory(fs, "d"));
    simulated_files_cut_power(files, &random); // it is durable
    wal_guard_close(guard);
    guard = NULL;
    ck_assert_ok(wal_guard_open(fs, "d/db", false, &guard));
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
        ck_assert_ok(wal_guard_open(fs, "d/db", false, &guard));
        wal_guard_close(guard);
        guard = NULL;
        ck_assert(simulated_files_flip(files, "d/db-mark", bit));
    }
    ck_assert_state(wal_guard_open(fs, "d/db", false, &guard), SQLSTATE_DATA_CORRUPTED);
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
    ck_assert_state(wal_guard_open(fs, "d/db", false, &guard), SQLSTATE_DATA_CORRUPTED);
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
    ck_assert_state(wal_guard_forget(guard), SQLSTATE_IO_ERROR); // it may have been written
    simulated_files_fail_at(files, 0, 0, false);
    ck_assert_ok(wal_guard_forget(guard));
    write_commit(0);
    wal_guard_synced(guard); // and it is written again
    ck_assert_int_eq(simulated_files_length(files, "d/db-mark"), 40);
    ck_assert_ok(wal_guard_forget(guard));
}
END_TEST

/* A write that reports an error may have been done all the same. */
START_TEST(a_mark_that_may_be_written_is_withdrawn)
{
    uint8_t *mark;
    size_t bytes;
    ck_assert_ok(wal_guard_wrote(guard, header, sizeof header, 0));
    write_commit(0);
    wal_guard_synced(guard);
    ck_assert_ok(file_read_whole(fs, "d/db-mark", 100, &mark, &bytes));
    ck_assert_ok(wal_guard_forget(guard));
    write_commit(0);
    simulated_files_fail_at(files, simulated_files_calls(files) + 1, EIO, false);
    wal_guard_synced(guard);
    ck_assert_ok(file_write_whole(fs, "d/db-mark", mark, bytes));
    ck_assert_ok(wal_guard_forget(guard));
    wal_guard_close(guard);
    guard = NULL;
    ck_assert_ok(wal_guard_open(fs, "d/db", false, &guard)); // the log may be gone
    free(mark);
}
END_TEST

START_TEST(refused_memory_is_told)
{
    bool was_reached = true;
    wal_guard_close(guard);
    for (uint64_t n = 1; was_reached; n++) {
        guard = NULL;
        failing_heap_start(n, false);
        Status status = wal_guard_open(fs, "d/db", false, &guard);
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

// Any bit of the log of a process that died: refused, or harmless, but no row is lost or wrong.
START_TEST(finds_any_flipped_bit_of_the_log)
{
    ck_assert_ok(open_store());
    ck_assert_ok(metadata_store_checkpoint(store));
    for (int64_t key = 0; key < 8; key++) {
        ck_assert_ok(put(key, 3000));
    }
    uint64_t bits = (uint64_t)simulated_files_length(files, PATH "-wal") * 8;
    // The file starts with the four frames of the schema's generation, of which none is left.
    simulated_files_kill(files);
    metadata_store_close(store);
    store = NULL;
    Random random;
    random_seed(&random, 11);
    int refused = 0;
    for (int i = 0; i < 300; i++) {
        uint64_t bit = i < 80 ? (uint64_t)i * 6 : random_below(&random, bits);
        ck_assert(simulated_files_flip(files, PATH "-wal", bit));
        Status status = open_store();
        if (status == STATUS_OK) {
            ck_assert_msg(rows() == 8, "flip of bit %lu lost rows", bit);
            ck_assert_ok(metadata_store_verify(store));
        } else {
            ck_assert_int_eq(status_sqlstate(status), SQLSTATE_DATA_CORRUPTED);
            status_free(status);
            refused++;
        }
        simulated_files_kill(files);
        metadata_store_close(store);
        store = NULL;
        ck_assert(simulated_files_flip(files, PATH "-wal", bit));
    }
    ck_assert_int_gt(refused, 250);
    ck_assert_ok(open_store());
    ck_assert_int_eq(rows(), 8);
}
END_TEST

// The mark may be lost in a power cut; commits behind a bad frame still tell that it was synced.
START_TEST(finds_damage_without_the_mark)
{
    ck_assert_ok(open_store());
    for (int64_t key = 0; key < 8; key++) {
        ck_assert_ok(put(key, 3000));
    }
    uint64_t bits = (uint64_t)simulated_files_length(files, PATH "-wal") * 8;
    simulated_files_kill(files);
    metadata_store_close(store);
    store = NULL;
    ck_assert_ok(file_remove(simulated_files_system(files), PATH "-mark"));
    ck_assert(simulated_files_flip(files, PATH "-wal", bits / 3));
    ck_assert_state(open_store(), SQLSTATE_DATA_CORRUPTED);
}
END_TEST

START_TEST(finds_a_flip_in_a_log_being_read)
{
    ck_assert_ok(open_store());
    for (int64_t key = 0; key < 8; key++) {
        ck_assert_ok(put(key, 3000));
    }
    uint64_t bits = (uint64_t)simulated_files_length(files, PATH "-wal") * 8;
    ck_assert(simulated_files_flip(files, PATH "-wal", bits - 12345));
    ck_assert_state(metadata_store_verify(store), SQLSTATE_DATA_CORRUPTED);
}
END_TEST

// An emptied log is no lost one, whenever the power goes behind the checkpoint.
START_TEST(an_emptied_log_is_no_damage)
{
    Random random;
    random_seed(&random, 5);
    ck_assert_ok(open_store());
    for (int round = 0; round < 40; round++) {
        ck_assert_ok(put(round, 3000));
        simulated_files_fail_at(files, simulated_files_calls(files) + random_below(&random, 30),
                                EIO, true);
        status_ignore(metadata_store_exec(store, "PRAGMA wal_checkpoint(TRUNCATE)"), "cut");
        simulated_files_fail_at(files, 0, 0, false);
        simulated_files_cut_power(files, &random);
        reopen();
        ck_assert_int_eq(rows(), round + 1);
    }
}
END_TEST

// SQLite takes the salts of the next generation from a header that does not check. Those are the
// old ones when only its beginning was written: old frames must not stand behind the new ones then.
START_TEST(a_torn_header_starts_no_second_generation_of_its_name)
{
    static const uint8_t beginning[4] = {0xFF, 0xFF, 0xFF, 0xFF};
    File *log = NULL;
    ck_assert_ok(open_store());
    for (int64_t key = 0; key < 8; key++) {
        ck_assert_ok(put(key, 3000));
    }
    ck_assert_ok(metadata_store_exec(store, "PRAGMA wal_checkpoint(FULL)"));
    simulated_files_kill(files);
    metadata_store_close(store);
    store = NULL;
    ck_assert_ok(file_remove(simulated_files_system(files), PATH "-mark"));
    ck_assert_ok(
        file_open(simulated_files_system(files), PATH "-wal", FILE_READ | FILE_WRITE, &log));
    ck_assert_ok(file_write(log, beginning, sizeof beginning, 12));
    file_close(log);
    for (int64_t key = 8; key < 11; key++) {
        ck_assert_ok(open_store());
        ck_assert_int_eq(rows(), key);
        ck_assert_ok(put(key, 10));
        simulated_files_kill(files);
        metadata_store_close(store);
        store = NULL;
    }
}
END_TEST

START_TEST(refuses_a_missing_log)
{
    ck_assert_ok(open_store());
    ck_assert_ok(put(1, 10));
    simulated_files_kill(files);
    metadata_store_close(store);
    store = NULL;
    ck_assert_ok(file_remove(simulated_files_system(files), PATH "-wal"));
    ck_assert_state(open_store(), SQLSTATE_DATA_CORRUPTED);
}
END_TEST

// A transaction larger than SQLite's cache writes frames before it ends; what a rollback leaves of
// them behind the log's end must never be taken for damage.
START_TEST(spilled_and_rolled_back_frames_are_no_damage)
{
    Random random;
    random_seed(&random, 3);
    ck_assert_ok(open_store());
    ck_assert_ok(metadata_store_exec(store, "PRAGMA cache_size = 5"));
    for (int round = 0; round < 60; round++) {
        ck_assert_ok(metadata_store_begin(store));
        for (int64_t key = 0; key < 10; key++) {
            ck_assert_ok(put(1000 + key, 20000));
        }
        metadata_store_rollback(store);
        ck_assert_ok(put(round, 5000));
        simulated_files_fail_at(files, simulated_files_calls(files) + random_below(&random, 24),
                                EIO, true);
        status_ignore(put(500, 20000), "the power goes");
        simulated_files_fail_at(files, 0, 0, false);
        simulated_files_cut_power(files, &random);
        reopen();
        ck_assert_ok(metadata_store_exec(store, "DELETE FROM t WHERE k = 500"));
        ck_assert_ok(metadata_store_exec(store, "PRAGMA cache_size = 5"));
        ck_assert_int_eq(rows(), round + 1);
    }
}
END_TEST

#ifdef BASALT_FAULTS
// The same frames behind a commit that was torn before its sync.
START_TEST(stale_frames_behind_a_torn_commit_are_no_damage)
{
    Random random;
    random_seed(&random, (uint64_t)_i);
    ck_assert_ok(open_store());
    for (int round = 0; round < 20; round++) {
        ck_assert_ok(metadata_store_exec(store, "PRAGMA cache_size = 5"));
        ck_assert_ok(metadata_store_begin(store));
        for (int64_t key = 0; key < 10; key++) {
            ck_assert_ok(put(1000 + key, 20000));
        }
        metadata_store_rollback(store);
        ck_assert_ok(put(round, 5000));
        ck_assert_ok(fault_arm("file.sync=error"));
        ck_assert_state(put(500, 15000), SQLSTATE_IO_ERROR);
        fault_disarm_all();
        simulated_files_cut_power(files, &random);
        reopen();
        ck_assert_ok(metadata_store_exec(store, "DELETE FROM t WHERE k = 500"));
        ck_assert_int_eq(rows(), round + 1);
    }
}
END_TEST
#endif

static void add_guard_case(Suite *suite, const char *name, const TTest *test)
{
    TCase *behaviour = tcase_create(name);
    tcase_add_checked_fixture(behaviour, setup_guard, teardown_guard);
    tcase_add_test(behaviour, test);
    suite_add_tcase(suite, behaviour);
}

int main(void)
{
    Suite *suite = suite_create("base.io.wal_guard");
    add_guard_case(suite, "pages", a_page_must_be_what_was_written);
    add_guard_case(suite, "mark", the_mark_follows_synced_commits);
    add_guard_case(suite, "withdrawal", a_withdrawn_mark_promises_nothing);
    add_guard_case(suite, "unsound", a_mark_that_does_not_check_promises_nothing);
    add_guard_case(suite, "version", a_newer_mark_is_refused);
    add_guard_case(suite, "failure", a_mark_that_cannot_be_written_stops_no_commit);
    add_guard_case(suite, "doubt", a_mark_that_may_be_written_is_withdrawn);
    add_guard_case(suite, "memory", refused_memory_is_told);
    TCase *damage = add_case(suite, "damage");
    tcase_add_test(damage, finds_any_flipped_bit_of_the_log);
    tcase_add_test(damage, finds_damage_without_the_mark);
    tcase_add_test(damage, a_torn_header_starts_no_second_generation_of_its_name);
    tcase_add_test(damage, finds_a_flip_in_a_log_being_read);
    tcase_add_test(damage, refuses_a_missing_log);
    TCase *leftovers = add_case(suite, "leftovers");
    tcase_add_test(leftovers, an_emptied_log_is_no_damage);
    tcase_add_test(leftovers, spilled_and_rolled_back_frames_are_no_damage);
#ifdef BASALT_FAULTS
    tcase_add_loop_test(leftovers, stale_frames_behind_a_torn_commit_are_no_damage, 0, 10);
#endif
    return suite_main(suite);
}
