/* Suite of base/metadata_store.c: statements, transactions, and what faults do to them. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fault.h"
#include "tests/support/failing_heap.h"
#include "tests/support/metadata_fixture.h"

START_TEST(keeps_values_over_reopen)
{
    ck_assert_ok(open_store());
    MetadataQuery *query = NULL;
    ck_assert_ok(metadata_store_exec(store, "CREATE TABLE u(a, b, c, d, e)"));
    ck_assert_ok(metadata_query_prepare(store, "INSERT INTO u VALUES(?,?,?,?,?)", &query));
    metadata_query_bind_i64(query, 1, INT64_MIN);
    metadata_query_bind_f64(query, 2, 0.1);
    metadata_query_bind_text(query, 3, "zwölf");
    metadata_query_bind_blob(query, 4, NULL, 0);
    metadata_query_bind_null(query, 5);
    ck_assert_ok(metadata_query_run(query));
    reopen();
    ck_assert_ok(metadata_query_prepare(store, "SELECT * FROM u", &query));
    bool has_row = false;
    ck_assert_ok(metadata_query_step(query, &has_row));
    ck_assert(has_row);
    ck_assert_int_eq(metadata_query_i64(query, 0), INT64_MIN);
    ck_assert_double_eq(metadata_query_f64(query, 1), 0.1);
    ck_assert_str_eq(metadata_query_text(query, 2), "zwölf");
    size_t bytes = 1;
    metadata_query_blob(query, 3, &bytes);
    ck_assert_uint_eq(bytes, 0);
    ck_assert(!metadata_query_is_null(query, 3));
    ck_assert(metadata_query_is_null(query, 4));
    ck_assert_ok(metadata_query_step(query, &has_row));
    ck_assert(!has_row);
}
END_TEST

START_TEST(a_look_changes_nothing)
{
    FileSystem *system = simulated_files_system(files);
    MetadataStore *look = NULL;
    uint8_t *before[3], *after[3];
    size_t bytes_before[3], bytes_after[3];
    static const char *const paths[] = {PATH, PATH "-wal", PATH "-mark"};
    ck_assert_state(metadata_store_open_read(system, PATH, &look), SQLSTATE_UNDEFINED_FILE);
    ck_assert_ok(open_store());
    ck_assert_ok(put(1, 5000));
    for (int i = 0; i < 3; i++) {
        ck_assert_ok(file_read_whole(system, paths[i], 1 << 20, &before[i], &bytes_before[i]));
    }
    ck_assert_ok(metadata_store_open_read(system, PATH, &look));
    ck_assert_ok(metadata_store_verify(look));
    ck_assert_state(metadata_store_exec(look, "DELETE FROM t"), SQLSTATE_INTERNAL_ERROR);
    metadata_store_close(look);
    for (int i = 0; i < 3; i++) {
        ck_assert_ok(file_read_whole(system, paths[i], 1 << 20, &after[i], &bytes_after[i]));
        ck_assert_uint_eq(bytes_after[i], bytes_before[i]);
        ck_assert_mem_eq(after[i], before[i], bytes_before[i]);
        free(before[i]);
        free(after[i]);
    }
    ck_assert_int_eq(rows(), 1);
}
END_TEST

START_TEST(binds_again_after_a_loop_left_early)
{
    ck_assert_ok(open_store());
    ck_assert_ok(put(1, 10));
    ck_assert_ok(put(2, 20));
    MetadataQuery *query = NULL;
    bool has_row = false;
    ck_assert_ok(metadata_query_prepare(store, "SELECT length(v) FROM t WHERE k >= ?", &query));
    for (int64_t key = 1; key <= 2; key++) {
        metadata_query_bind_i64(query, 1, key);
        ck_assert_ok(metadata_query_step(query, &has_row));
        ck_assert_int_eq(metadata_query_i64(query, 0), key * 10);
    }
    metadata_query_reset(query);
    metadata_query_bind_i64(query, 7, 1);
    ck_assert_state(metadata_query_step(query, &has_row), SQLSTATE_INTERNAL_ERROR);
    ck_assert_ok(metadata_query_step(query, &has_row));
}
END_TEST

START_TEST(queries_end_in_any_order)
{
    ck_assert_ok(open_store());
    MetadataQuery *queries[4] = {NULL};
    bool has_row = false;
    for (size_t i = 0; i < 4; i++) {
        ck_assert_ok(metadata_query_prepare(store, "SELECT 1", &queries[i]));
        ck_assert_ok(metadata_query_step(queries[i], &has_row));
    }
    metadata_query_destroy(queries[1]);
    metadata_query_destroy(queries[3]);
    metadata_query_destroy(NULL);
    // Rows left half read hold the log: a checkpoint says so instead of waiting.
    ck_assert_ok(metadata_query_prepare(store, "SELECT * FROM t", &queries[1]));
    ck_assert_ok(put(1, 1));
    ck_assert_ok(metadata_query_step(queries[1], &has_row));
    ck_assert_state(metadata_store_checkpoint(store), SQLSTATE_OBJECT_IN_USE);
    metadata_query_reset(queries[1]);
    ck_assert_ok(metadata_store_checkpoint(store));
    reopen(); // the rest dies with the store
}
END_TEST

START_TEST(rolls_back)
{
    ck_assert_ok(open_store());
    ck_assert_ok(metadata_store_begin(store));
    ck_assert_ok(put(1, 10));
    metadata_store_rollback(store);
    metadata_store_rollback(store); // without a transaction: nothing
    ck_assert_int_eq(rows(), 0);
    ck_assert_ok(metadata_store_begin(store));
    ck_assert_ok(put(1, 10));
    ck_assert_ok(metadata_store_commit(store));
    ck_assert_int_eq(rows(), 1);
    ck_assert_state(metadata_store_commit(store), SQLSTATE_INTERNAL_ERROR);
}
END_TEST

START_TEST(makes_the_schema_once_and_refuses_a_newer_one)
{
    ck_assert_ok(open_store());
    reopen(); // SCHEMA would fail a second time
    ck_assert_ok(metadata_store_exec(store, "PRAGMA user_version = 2"));
    metadata_store_close(store);
    store = NULL;
    ck_assert_state(open_store(), SQLSTATE_DATA_CORRUPTED);
}
END_TEST

START_TEST(a_broken_schema_leaves_nothing)
{
    FileSystem *system = simulated_files_system(files);
    ck_assert_state(metadata_store_open(system, PATH, SCHEMA "; CREATE TABL x(a)", 1, &store),
                    SQLSTATE_INTERNAL_ERROR);
    ck_assert_ptr_null(store);
    ck_assert_ok(open_store());
}
END_TEST

START_TEST(tells_a_bad_statement)
{
    ck_assert_ok(open_store());
    MetadataQuery *query = NULL;
    ck_assert_state(metadata_query_prepare(store, "SELECT nope FROM t", &query),
                    SQLSTATE_INTERNAL_ERROR);
    ck_assert_state(metadata_store_exec(store, "SELEC 1"), SQLSTATE_INTERNAL_ERROR);
}
END_TEST

START_TEST(survives_death_with_its_log)
{
    ck_assert_ok(open_store());
    for (int64_t key = 0; key < 50; key++) {
        ck_assert_ok(put(key, 5000));
    }
    simulated_files_kill(files);
    reopen();
    ck_assert_int_eq(rows(), 50);
    ck_assert_ok(metadata_store_verify(store));
}
END_TEST

START_TEST(checkpoints_into_the_file)
{
    ck_assert_ok(open_store());
    ck_assert_ok(put(1, 50000));
    int64_t before = simulated_files_length(files, PATH);
    ck_assert_ok(metadata_store_checkpoint(store));
    ck_assert_int_gt(simulated_files_length(files, PATH), before);
    int64_t log_bytes = simulated_files_length(files, PATH "-wal");
    ck_assert_ok(put(2, 1000));
    ck_assert_int_eq(simulated_files_length(files, PATH "-wal"), log_bytes); // from its start
    ck_assert_ok(metadata_store_verify(store));
    metadata_store_close(store);
    store = NULL;
    ck_assert_int_eq(simulated_files_length(files, PATH "-wal"), -1);
}
END_TEST

// A process that died between making a file and syncing its name leaves the name to the next one.
START_TEST(keeps_commits_of_the_process_after_one_that_died_early)
{
    Random random;
    random_seed(&random, 11);
    int64_t told = 0;
    for (uint64_t n = 1; n <= 60; n++) {
        simulated_files_fail_at(files, simulated_files_calls(files) + n, EIO, true);
        Status status = open_store();
        if (status == STATUS_OK) {
            status = put(1000, 1);
        }
        status_free(status);
        simulated_files_fail_at(files, 0, 0, false);
        simulated_files_kill(files);
        metadata_store_close(store);
        ck_assert_ok(open_store());
        ck_assert_ok(put((int64_t)n, 100));
        told++;
        simulated_files_cut_power(files, &random);
        metadata_store_close(store);
        ck_assert_ok(open_store());
        ck_assert_int_ge(rows(), told);
        metadata_store_close(store);
        store = NULL;
    }
}
END_TEST

// Transactions until the power goes, at any call; then every commit that was told is there whole,
// the one in flight is there whole or not at all, and the store opens.
START_TEST(keeps_commits_over_power_cuts)
{
    Random random;
    random_seed(&random, (uint64_t)_i * 7919 + 1);
    for (int round = 0; round < 25; round++) {
        int64_t told = 0, begun = 0;
        simulated_files_fail_at(
            files, simulated_files_calls(files) + 1 + random_below(&random, 400), EIO, true);
        Status status = open_store();
        while (status == STATUS_OK) {
            begun = told + 1;
            status = metadata_store_begin(store);
            for (int64_t part = 0; status == STATUS_OK && part < 3; part++) {
                status = put(begun * 3 + part, random_below(&random, 9000));
            }
            if (status == STATUS_OK && random_below(&random, 4) == 0) {
                metadata_store_rollback(store);
                continue;
            }
            if (status == STATUS_OK) {
                status = metadata_store_commit(store);
                told += status == STATUS_OK;
            }
            if (status == STATUS_OK && random_below(&random, 6) == 0) {
                status = metadata_store_checkpoint(store);
            }
            if (status == STATUS_OK && random_below(&random, 6) == 0) {
                metadata_store_rest(store, 0);
            }
        }
        ck_assert_int_ne(status_sqlstate(status), SQLSTATE_DATA_CORRUPTED);
        status_free(status);
        simulated_files_fail_at(files, 0, 0, false);
        if (random_below(&random, 3) == 0) {
            simulated_files_kill(files);
        } else {
            simulated_files_cut_power(files, &random);
        }
        metadata_store_close(store);
        store = NULL;
        ck_assert_ok(open_store());
        ck_assert_ok(metadata_store_verify(store));
        int64_t found = rows();
        ck_assert_msg(found == told * 3 || found == begun * 3, "%ld rows of %ld commits", found,
                      told);
        ck_assert_ok(metadata_store_exec(store, "DELETE FROM t"));
        if (random_below(&random, 2) == 0) {
            simulated_files_kill(files);
        }
        metadata_store_close(store);
        store = NULL;
    }
}
END_TEST

START_TEST(a_full_disk_ends_the_transaction_only)
{
    ck_assert_ok(open_store());
    ck_assert_ok(put(1, 1000));
    simulated_files_set_capacity(files, 3 << 20);
    Status status = STATUS_OK;
    int64_t key = 2;
    for (; status == STATUS_OK; key++) {
        status = put(key, 50000);
    }
    ck_assert_int_eq(status_sqlstate(status), SQLSTATE_DISK_FULL);
    status_free(status);
    int64_t found = rows(); // reads go on
    ck_assert_int_eq(found, key - 2);
    simulated_files_set_capacity(files, UINT64_MAX);
    ck_assert_ok(put(key, 50000)); // and so do writes, without a restart
    ck_assert_int_eq(rows(), found + 1);
    ck_assert_ok(metadata_store_verify(store));
}
END_TEST

// The n-th call of the file table fails once, for each n: the right error, and no harm.
START_TEST(survives_any_failed_call)
{
    static const int errors[] = {EIO, ENOSPC, EMFILE};
    int error = errors[_i];
    for (uint64_t n = 1;; n++) {
        teardown();
        setup();
        simulated_files_fail_at(files, simulated_files_calls(files) + n, error, false);
        uint64_t last = simulated_files_calls(files) + n;
        int64_t told = 0;
        Status status = open_store();
        for (int64_t key = 0; status == STATUS_OK && key < 6; key++) {
            status = put(key, 3000);
            told += status == STATUS_OK;
            if (status == STATUS_OK && key == 3) {
                status = metadata_store_checkpoint(store);
            }
            if (status == STATUS_OK && key == 1) {
                metadata_store_rest(store, 0);
            }
        }
        bool was_reached = simulated_files_calls(files) >= last;
        if (status != STATUS_OK) {
            SqlState state = status_sqlstate(status);
            SqlState wanted = error == EIO      ? SQLSTATE_IO_ERROR
                              : error == ENOSPC ? SQLSTATE_DISK_FULL
                                                : SQLSTATE_INSUFFICIENT_RESOURCES;
            ck_assert_msg(state == wanted, "call %lu: %s %s", n, status_sqlstate_code(status),
                          status_message(status));
            status_free(status);
        }
        metadata_store_close(store);
        store = NULL;
        simulated_files_fail_at(files, 0, 0, false);
        ck_assert_ok(open_store());
        ck_assert_ok(metadata_store_verify(store));
        ck_assert_int_ge(rows(), told);
        ck_assert_int_le(rows(), told + 1);
        if (!was_reached) {
            break;
        }
    }
}
END_TEST

START_TEST(survives_any_refused_allocation)
{
    for (uint64_t n = 1;; n++) {
        teardown();
        setup();
        failing_heap_start(n, _i == 1);
        Status status = open_store();
        for (int64_t key = 0; status == STATUS_OK && key < 3; key++) {
            status = put(key, 3000);
        }
        bool was_reached = failing_heap_stop();
        if (status != STATUS_OK) {
            ck_assert_msg(status_sqlstate(status) == SQLSTATE_OUT_OF_MEMORY, "allocation %lu: %s",
                          n, status_message(status));
            status_free(status);
        }
        metadata_store_close(store);
        store = NULL;
        ck_assert_ok(open_store());
        ck_assert_ok(metadata_store_verify(store));
        if (!was_reached) {
            break;
        }
    }
}
END_TEST

#ifdef BASALT_FAULTS
START_TEST(a_fault_before_the_commit_undoes_it)
{
    ck_assert_ok(open_store());
    ck_assert_ok(fault_arm("metadata.before_commit=error"));
    ck_assert_ok(metadata_store_begin(store));
    ck_assert_ok(put(1, 10));
    ck_assert_state(metadata_store_commit(store), SQLSTATE_IO_ERROR);
    fault_disarm_all();
    ck_assert_int_eq(rows(), 0);
    ck_assert_ok(fault_arm("metadata.after_commit=error"));
    ck_assert_ok(metadata_store_begin(store));
    ck_assert_ok(put(1, 10));
    ck_assert_state(metadata_store_commit(store), SQLSTATE_IO_ERROR);
    fault_disarm_all();
    ck_assert_int_eq(rows(), 1);
}
END_TEST

// Whatever failed: reopened, the store has what was told, and works. What was not told is there
// whole or not at all.
START_TEST(a_broken_store_opens_again)
{
    static const char *const faults[] = {"file.write=error:1", "file.sync=error:1",
                                         "file.write=nospace:2", "metadata.after_commit=nomem:1"};
    MetadataQuery *count = NULL;
    bool has_row = false;
    ck_assert_ok(open_store());
    ck_assert_ok(put(1, 10));
    ck_assert_ok(metadata_query_prepare(store, "SELECT count(*) FROM t", &count));
    ck_assert(!metadata_store_is_broken(store));
    ck_assert_ok(fault_arm(faults[_i]));
    ck_assert_ok(metadata_store_begin(store));
    ck_assert_ok(put(2, 10));
    Status status = metadata_store_commit(store);
    ck_assert_ptr_nonnull(status);
    status_free(status);
    ck_assert(metadata_store_is_broken(store));
    ck_assert_ok(fault_arm("metadata.checkpoint=error"));
    ck_assert_state(metadata_store_reopen(store), SQLSTATE_IO_ERROR);
    ck_assert(metadata_store_is_broken(store));
    ck_assert_state(metadata_query_step(count, &has_row), SQLSTATE_IO_ERROR);
    ck_assert_state(metadata_store_begin(store), SQLSTATE_IO_ERROR);
    fault_disarm_all();
    ck_assert_ok(metadata_store_reopen(store));
    ck_assert(!metadata_store_is_broken(store));
    ck_assert_ok(metadata_query_step(count, &has_row));
    ck_assert_int_ge(metadata_query_i64(count, 0), 1);
    metadata_query_reset(count);
    ck_assert_ok(put(3, 10));
    ck_assert_ok(metadata_query_step(count, &has_row));
    ck_assert_int_ge(metadata_query_i64(count, 0), 2);
    metadata_query_reset(count);
    ck_assert_ok(metadata_store_verify(store));
}
END_TEST

// What a refused rollback leaves open would swallow all that is written later.
START_TEST(a_failed_rollback_is_noticed)
{
    ck_assert_ok(open_store());
    ck_assert_ok(put(1, 10));
    ck_assert_ok(metadata_store_begin(store));
    ck_assert_ok(put(2, 10));
    failing_heap_start(1, true);
    metadata_store_rollback(store);
    failing_heap_stop();
    ck_assert(metadata_store_is_broken(store));
    ck_assert_ok(metadata_store_reopen(store));
    ck_assert(!metadata_store_is_broken(store));
    ck_assert_int_eq(rows(), 1);
    ck_assert_ok(put(3, 10));
    reopen();
    ck_assert_int_eq(rows(), 2);
}
END_TEST

// The log moves into the file by itself; that it cannot does not fail the commit.
START_TEST(a_long_log_moves_into_the_file)
{
    ck_assert_ok(open_store());
    ck_assert_ok(metadata_store_limit_log(store, 65536));
    ck_assert_ok(fault_arm("metadata.checkpoint=error:1"));
    for (int i = 0; i < 40; i++) {
        ck_assert_ok(metadata_store_begin(store));
        ck_assert_ok(put(i, 10000));
        ck_assert_ok(metadata_store_commit(store));
    }
    fault_disarm_all();
    ck_assert_int_gt(simulated_files_length(files, PATH), 100000);
    ck_assert_int_lt(simulated_files_length(files, PATH "-wal"), 200000);
    ck_assert_int_eq(rows(), 40);
}
END_TEST
#endif

// With nothing to do the log goes into the file, which is whole without it.
START_TEST(a_quiet_store_empties_its_log)
{
    ck_assert_ok(open_store());
    for (int i = 0; i < 40; i++) {
        ck_assert_ok(metadata_store_begin(store));
        ck_assert_ok(put(i, 10000));
        ck_assert_ok(metadata_store_commit(store));
        metadata_store_rest(store, METADATA_QUIET_US);
    }
    const int64_t log_bytes = simulated_files_length(files, PATH "-wal");
    ck_assert_int_gt(log_bytes, 400000); // it is not quiet yet
#ifdef BASALT_FAULTS
    ck_assert_ok(fault_arm("metadata.checkpoint=error:1"));
    metadata_store_rest(store, 0);
    fault_disarm_all();
    ck_assert_int_eq(simulated_files_length(files, PATH "-wal"), log_bytes);
#endif
    metadata_store_rest(store, 0);
    ck_assert_int_eq(simulated_files_length(files, PATH "-wal"), 0);
    ck_assert_int_eq(rows(), 40);
    ck_assert_ok(metadata_store_begin(store));
    ck_assert_ok(put(40, 10));
    ck_assert_ok(metadata_store_commit(store));
    ck_assert_int_gt(simulated_files_length(files, PATH "-wal"), 0);
    simulated_files_kill(files); // who comes after it finds a log, and empties it
    reopen();
    ck_assert_int_gt(simulated_files_length(files, PATH "-wal"), 0);
    metadata_store_rest(store, 0);
    ck_assert_int_eq(simulated_files_length(files, PATH "-wal"), 0);
    ck_assert_int_eq(rows(), 41);
}
END_TEST

START_TEST(a_quiet_store_gives_free_pages_back)
{
    enum { STEP_BYTES = 4096 * 4096, MAP_BYTES = 64 * 4096 }; // and pages that map others
    ck_assert_ok(open_store());
    ck_assert_ok(put(0, 10000));
    for (int i = 1; i <= 250; i++) {
        ck_assert_ok(put(i, 100000));
    }
    ck_assert_ok(put(1000, 10000)); // stands at the end, and moves
    metadata_store_rest(store, 0);
    const int64_t full = simulated_files_length(files, PATH);
    ck_assert_int_gt(full, 250 * 100000);
    ck_assert_ok(metadata_store_exec(store, "DELETE FROM t WHERE k BETWEEN 1 AND 999"));
    metadata_store_rest(store, 0);
    const int64_t cut = simulated_files_length(files, PATH);
    ck_assert_int_le(cut, full - STEP_BYTES);
    ck_assert_int_ge(cut, full - STEP_BYTES - MAP_BYTES);
    ck_assert_ok(put(1, 100)); // somebody wants to commit in between
    metadata_store_rest(store, METADATA_QUIET_US);
    ck_assert_int_eq(simulated_files_length(files, PATH), cut);
    for (int i = 0; i < 3; i++) {
        metadata_store_rest(store, 0);
    }
    ck_assert_int_lt(simulated_files_length(files, PATH), 80 * 4096);
    ck_assert_ok(metadata_store_verify(store));
    ck_assert_int_eq(rows(), 3);
    reopen();
    ck_assert_int_eq(rows(), 3);
}
END_TEST

// A workload with deletes, overwrites and large values, checkpointed and reopened: pages move
// through the free list, and each read of the file is checked.
START_TEST(random_work_equals_its_model)
{
    enum { KEYS = 64 };
    size_t model[KEYS];
    memset(model, 0xFF, sizeof model);
    Random random;
    random_seed(&random, (uint64_t)_i + 100);
    ck_assert_ok(open_store());
    for (int step = 0; step < 600; step++) {
        size_t key = random_below(&random, KEYS);
        size_t bytes = random_below(&random, 30000);
        if (random_below(&random, 3) == 0) {
            char sql[64];
            snprintf(sql, sizeof sql, "DELETE FROM t WHERE k = %zu", key);
            ck_assert_ok(metadata_store_exec(store, sql));
            model[key] = SIZE_MAX;
        } else {
            ck_assert_ok(put((int64_t)key, bytes));
            model[key] = bytes;
        }
        if (random_below(&random, 20) == 0) {
            ck_assert_ok(metadata_store_checkpoint(store));
        }
        if (random_below(&random, 20) == 0) {
            metadata_store_rest(store, 0);
        }
        if (random_below(&random, 60) == 0) {
            reopen();
        }
    }
    ck_assert_ok(metadata_store_verify(store));
    MetadataQuery *query = NULL;
    bool has_row = false;
    ck_assert_ok(metadata_query_prepare(store, "SELECT length(v) FROM t WHERE k = ?", &query));
    for (size_t key = 0; key < KEYS; key++) {
        metadata_query_bind_i64(query, 1, (int64_t)key);
        ck_assert_ok(metadata_query_step(query, &has_row));
        ck_assert_int_eq(has_row, model[key] != SIZE_MAX);
        ck_assert(!has_row || metadata_query_i64(query, 0) == (int64_t)model[key]);
    }
}
END_TEST

START_TEST(works_on_real_files)
{
    char directory[] = "/tmp/basalt_metadata_XXXXXX";
    char path[64], other[80];
    ck_assert_ptr_nonnull(mkdtemp(directory));
    snprintf(path, sizeof path, "%s/meta.db", directory);
    for (int round = 0; round < 3; round++) {
        ck_assert_ok(metadata_store_open(file_system_os(), path, SCHEMA, 1, &store));
        ck_assert_ok(put(round, 100000));
        ck_assert_ok(metadata_store_checkpoint(store));
        ck_assert_ok(put(round + 100, 100000));
        ck_assert_int_eq(rows(), (round + 1) * 2);
        ck_assert_ok(metadata_store_verify(store));
        metadata_store_close(store);
        store = NULL;
    }
    ck_assert_ok(file_remove(file_system_os(), path));
    snprintf(other, sizeof other, "%s-mark", path);
    ck_assert_ok(file_remove(file_system_os(), other));
    ck_assert_ok(file_remove(file_system_os(), directory));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("base.metadata_store");
    TCase *values = add_case(suite, "values");
    tcase_add_test(values, keeps_values_over_reopen);
    tcase_add_test(values, binds_again_after_a_loop_left_early);
    tcase_add_test(values, a_look_changes_nothing);
    tcase_add_test(values, tells_a_bad_statement);
    tcase_add_test(values, queries_end_in_any_order);
    TCase *transactions = add_case(suite, "transactions");
    tcase_add_test(transactions, rolls_back);
    tcase_add_test(transactions, checkpoints_into_the_file);
    tcase_add_loop_test(transactions, random_work_equals_its_model, 0, 4);
    TCase *schema = add_case(suite, "schema");
    tcase_add_test(schema, makes_the_schema_once_and_refuses_a_newer_one);
    tcase_add_test(schema, a_broken_schema_leaves_nothing);
    TCase *power = add_case(suite, "power");
    tcase_add_test(power, survives_death_with_its_log);
    tcase_add_test(power, keeps_commits_of_the_process_after_one_that_died_early);
    tcase_add_loop_test(power, keeps_commits_over_power_cuts, 0, 8);
    TCase *faults = add_case(suite, "faults");
    tcase_add_test(faults, a_full_disk_ends_the_transaction_only);
    tcase_add_test(faults, a_quiet_store_empties_its_log);
    tcase_add_test(faults, a_quiet_store_gives_free_pages_back);
    tcase_add_loop_test(faults, survives_any_failed_call, 0, 3);
    tcase_add_loop_test(faults, survives_any_refused_allocation, 0, 2);
#ifdef BASALT_FAULTS
    tcase_add_test(faults, a_fault_before_the_commit_undoes_it);
    tcase_add_loop_test(faults, a_broken_store_opens_again, 0, 4);
    tcase_add_test(faults, a_failed_rollback_is_noticed);
    tcase_add_test(faults, a_long_log_moves_into_the_file);
#endif
    tcase_add_test(add_case(suite, "files"), works_on_real_files);
    return suite_main(suite);
}
