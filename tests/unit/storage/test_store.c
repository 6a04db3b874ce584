/* test_store.c — transactions on one node: prepare, commit, abort, statements, drops, horizon, and
 * what a directory copied at any moment opens as. */
#include <pthread.h>

#include "base/fault.h"
#include "storage/inspect.h"
#include "store_fixture.h"

static StoreFixture fixture;
static TestTable table;

static void setup(void)
{
    fixture_open(&fixture);
    test_table_init(&table, 10, DISTRIBUTION_STYLE_EVEN);
}

static void teardown(void)
{
    fixture_close(&fixture);
}

#define BIG 30000 /* rows that become a rowset file; SMALL ones an INSERT batch */
#define SMALL 50

static void expect_error(Status status, SqlState state, const char *part)
{
    ck_assert(status != STATUS_OK);
    EXPECT(status_sqlstate(status) == state, "%s %s", status_sqlstate_code(status),
           status_message(status));
    EXPECT(strstr(status_message(status), part) != NULL, "%s", status_message(status));
    status_free(status);
}

static uint32_t count_files(const char *directory)
{
    char command[256];
    uint32_t count = 0;
    snprintf(command, sizeof command, "find '%s' -name '*.rows' | wc -l", directory);
    FILE *pipe = popen(command, "r");
    ck_assert_int_eq(fscanf(pipe, "%u", &count), 1);
    pclose(pipe);
    return count;
}

/* Opens a copy of the directory as a node that was killed now would find it. */
static void crash_open(StoreFixture *copy)
{
    char command[256];
    *copy = fixture;
    snprintf(copy->directory, sizeof copy->directory, "%.40s_copy", fixture.directory);
    snprintf(command, sizeof command, "cp -r '%s' '%s'", fixture.directory, copy->directory);
    ck_assert_int_eq(system(command), 0);
    copy->store = NULL;
    fixture_reopen(copy);
}

static void crash_close(StoreFixture *copy)
{
    char command[256];
    store_close(copy->store);
    snprintf(command, sizeof command, "rm -rf '%s'", copy->directory);
    ck_assert_int_eq(system(command), 0);
}

START_TEST(unprepared_rows_vanish)
{
    StoreFixture copy;
    write_rows(&fixture, &table, 1, 1, 0, BIG);
    ck_assert_uint_gt(count_files(fixture.directory), 0);
    crash_open(&copy);
    ck_assert_uint_eq(count_files(copy.directory), 0);
    ck_assert_uint_eq(store_prepared(copy.store, NULL, 0), 0);
    expect_rows(&copy, &table, (Snapshot){.position = 9, .txn_id = 1, .statement = 9}, 0, 0, BIG);
    expect_error(store_commit(fixture.store, 1, 5), SQLSTATE_OBJECT_NOT_IN_PREREQUISITE_STATE,
                 "was not prepared");
    crash_close(&copy);
}
END_TEST

START_TEST(prepared_rows_wait_for_their_outcome)
{
    const uint32_t count = _i == 0 ? BIG : SMALL;
    StoreFixture copy;
    uint64_t txn = 0;
    write_rows(&fixture, &table, 7, 1, 0, count);
    must(store_prepare(fixture.store, 7));
    must(store_prepare(fixture.store, 7)); // twice is harmless
    crash_open(&copy);
    ck_assert_uint_eq(store_prepared(copy.store, &txn, 1), 1);
    ck_assert_uint_eq(txn, 7);
    expect_rows(&copy, &table, (Snapshot){.position = 99}, 0, 0, count);
    must(store_abort_unprepared(copy.store, 100)); // leaves prepared ones alone
    must(store_commit(copy.store, 7, 3));
    must(store_commit(copy.store, 7, 3));
    expect_rows(&copy, &table, (Snapshot){.position = 3}, 0, count, count);
    crash_close(&copy);

    crash_open(&copy);
    must(store_abort(copy.store, 7));
    must(store_abort(copy.store, 7));
    expect_rows(&copy, &table, (Snapshot){.position = 99}, 0, 0, count);
    ck_assert_uint_eq(count_files(copy.directory), 0);
    crash_close(&copy);
}
END_TEST

/* Votes of few rows, as the leader keeps them. */
static ByteBuffer vote(uint64_t txn_id, int64_t first, uint32_t count)
{
    ByteBuffer redo;
    byte_buffer_init(&redo, 1 << 20);
    write_rows(&fixture, &table, txn_id, 1, first, count);
    must(store_vote(fixture.store, txn_id, &redo));
    must(byte_buffer_status(&redo));
    return redo;
}

/* Killed after the vote, after the commit, after that was written: the redo brings the rows, once.
 */
START_TEST(few_rows_come_back_from_their_redo)
{
    StoreFixture copy;
    ByteBuffer first = vote(7, 0, SMALL), second = vote(8, SMALL, SMALL);
    const Snapshot snapshot = {.position = 9};
    ck_assert_uint_gt(first.bytes, 0);
    ck_assert_uint_eq(store_prepared(fixture.store, NULL, 0), 0);
    if (_i >= 1) {
        must(store_redo(fixture.store, 7, 3, first.data, first.bytes));
        expect_rows(&fixture, &table, snapshot, 0, SMALL, 2 * SMALL);
    }
    if (_i >= 2) {
        must(store_write_outcomes(fixture.store));
    }
    if (_i >= 3) {
        must(store_redo(fixture.store, 8, 4, second.data, second.bytes));
        must(store_write_outcomes(fixture.store));
    }
    crash_open(&copy);
    expect_rows(&copy, &table, snapshot, 0, _i < 2 ? 0 : _i == 2 ? SMALL : 2 * SMALL, 2 * SMALL);
    for (int i = 0; i < 2; i++) { // again is harmless
        must(store_redo(copy.store, 7, 3, first.data, first.bytes));
        must(store_redo(copy.store, 8, 4, second.data, second.bytes));
    }
    expect_rows(&copy, &table, snapshot, 0, 2 * SMALL, 2 * SMALL);
    expect_rows(&copy, &table, (Snapshot){.position = 3}, 0, SMALL, 2 * SMALL);
    fixture_reopen(&copy);
    must(store_redo(copy.store, 7, 3, first.data, first.bytes));
    expect_rows(&copy, &table, snapshot, 0, 2 * SMALL, 2 * SMALL);
    crash_close(&copy);
    byte_buffer_deinit(&first);
    byte_buffer_deinit(&second);
}
END_TEST

/* What was merged into a rowset since does not come again. */
START_TEST(redone_rows_that_were_dropped_stay_away)
{
    StoreFixture copy;
    ByteBuffer redo = vote(7, 0, SMALL);
    must(store_redo(fixture.store, 7, 3, redo.data, redo.bytes));
    must(store_truncate_table(fixture.store, table.table.table_id,
                              &(Snapshot){.position = 3, .txn_id = 8, .statement = 1}));
    must(store_prepare(fixture.store, 8));
    must(store_commit(fixture.store, 8, 4));
    must(store_write_outcomes(fixture.store));
    store_set_horizon(fixture.store, 4);
    crash_open(&copy);
    must(store_redo(copy.store, 7, 3, redo.data, redo.bytes));
    expect_rows(&copy, &table, (Snapshot){.position = 4}, 0, 0, SMALL);
    crash_close(&copy);
    byte_buffer_deinit(&redo);
}
END_TEST

/* Many rows, dropped ones: the vote is durable, and there is no redo. */
START_TEST(what_is_no_redo_is_prepared)
{
    StoreFixture copy;
    ByteBuffer redo = vote(7, 0, BIG);
    ck_assert_uint_eq(redo.bytes, 0);
    commit_rows(&fixture, &table, 8, 3, BIG, SMALL);
    write_rows(&fixture, &table, 9, 1, BIG + SMALL, SMALL);
    must(store_truncate_table(fixture.store, table.table.table_id,
                              &(Snapshot){.position = 3, .txn_id = 9, .statement = 2}));
    must(store_vote(fixture.store, 9, &redo));
    must(store_vote(fixture.store, 10, &redo)); // nothing was written
    ck_assert_uint_eq(redo.bytes, 0);
    uint64_t prepared[4];
    crash_open(&copy);
    ck_assert_uint_eq(store_prepared(copy.store, prepared, 4), 2);
    crash_close(&copy);
    byte_buffer_deinit(&redo);
}
END_TEST

START_TEST(a_damaged_redo_leaves_nothing)
{
    StoreFixture copy;
    ByteBuffer redo = vote(7, 0, SMALL);
    uint64_t prepared[4];
    crash_open(&copy);
    for (size_t bit = 0; bit < redo.bytes * 8; bit++) {
        redo.data[bit / 8] ^= (uint8_t)(1 << bit % 8);
        expect_error(store_redo(copy.store, 7, 3, redo.data, redo.bytes), SQLSTATE_DATA_CORRUPTED,
                     "damaged");
        redo.data[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
    for (size_t bytes = 1; bytes < redo.bytes; bytes++) {
        expect_error(store_redo(copy.store, 7, 3, redo.data, bytes), SQLSTATE_DATA_CORRUPTED,
                     "damaged");
    }
    ck_assert_uint_eq(store_prepared(copy.store, prepared, 4), 0);
    expect_rows(&copy, &table, (Snapshot){.position = 9}, 0, 0, SMALL);
    must(store_redo(copy.store, 7, 3, redo.data, redo.bytes));
    expect_rows(&copy, &table, (Snapshot){.position = 9}, 0, SMALL, SMALL);
    crash_close(&copy);
    must(store_abort(fixture.store, 7));
    expect_rows(&fixture, &table, (Snapshot){.position = 9}, 0, 0, SMALL);
    byte_buffer_deinit(&redo);
}
END_TEST

START_TEST(committed_rows_stay)
{
    StoreFixture copy;
    uint64_t txn = 0;
    commit_rows(&fixture, &table, 1, 1, 0, BIG);
    commit_rows(&fixture, &table, 2, 2, BIG, SMALL);
    crash_open(&copy); // the first outcome was written with the second vote
    ck_assert_uint_eq(store_applied_position(copy.store), 1);
    ck_assert_uint_eq(store_prepared(copy.store, &txn, 1), 1);
    ck_assert_uint_eq(txn, 2);
    expect_rows(&copy, &table, (Snapshot){.position = 2}, 0, BIG, BIG + SMALL);
    must(store_commit(copy.store, 2, 2)); // the leader knows
    expect_rows(&copy, &table, (Snapshot){.position = 2}, 0, BIG + SMALL, BIG + SMALL);
    crash_close(&copy);
    must(store_write_outcomes(fixture.store));
    crash_open(&copy);
    ck_assert_uint_eq(store_prepared(copy.store, NULL, 0), 0);
    ck_assert_uint_eq(store_applied_position(copy.store), 2);
    expect_rows(&copy, &table, (Snapshot){.position = 1}, 0, BIG, BIG + SMALL);
    expect_rows(&copy, &table, (Snapshot){.position = 2}, 0, BIG + SMALL, BIG + SMALL);
    crash_close(&copy);
}
END_TEST

START_TEST(statements_see_earlier_ones)
{
    write_rows(&fixture, &table, 1, 1, 0, SMALL);
    write_rows(&fixture, &table, 1, 2, SMALL, BIG);
    const int64_t all = SMALL + BIG;
    expect_rows(&fixture, &table, (Snapshot){.txn_id = 1, .statement = 1}, 0, 0, all);
    expect_rows(&fixture, &table, (Snapshot){.txn_id = 1, .statement = 2}, 0, SMALL, all);
    expect_rows(&fixture, &table, (Snapshot){.txn_id = 1, .statement = 3}, 0, all, all);
    expect_rows(&fixture, &table, (Snapshot){.txn_id = 2, .statement = 3}, 0, 0, all);
    must(store_rollback_statements(fixture.store, 1, 2));
    expect_rows(&fixture, &table, (Snapshot){.txn_id = 1, .statement = 3}, 0, SMALL, all);
    ck_assert_uint_eq(count_files(fixture.directory), 0);
    must(store_prepare(fixture.store, 1));
    expect_error(store_rollback_statements(fixture.store, 1, 1),
                 SQLSTATE_OBJECT_NOT_IN_PREREQUISITE_STATE, "prepared");
    must(store_commit(fixture.store, 1, 1));
    expect_rows(&fixture, &table, (Snapshot){.position = 1}, 0, SMALL, all);
}
END_TEST

START_TEST(truncate_drops_what_it_sees)
{
    commit_rows(&fixture, &table, 1, 1, 0, BIG);
    const Snapshot truncating = {.position = 1, .txn_id = 2, .statement = 1};
    must(store_truncate_table(fixture.store, 10, &truncating));
    commit_rows(&fixture, &table, 3, 2, BIG, SMALL); // another transaction, meanwhile
    Snapshot own = {.position = 1, .txn_id = 2, .statement = 2};
    expect_rows(&fixture, &table, own, 0, 0, BIG + SMALL);
    expect_rows(&fixture, &table, (Snapshot){.position = 2}, 0, BIG + SMALL, BIG + SMALL);
    must(store_prepare(fixture.store, 2));
    StoreFixture copy;
    crash_open(&copy);
    must(store_commit(copy.store, 2, 3));
    expect_rows(&copy, &table, (Snapshot){.position = 3}, BIG, SMALL, BIG + SMALL);
    crash_close(&copy);
    must(store_commit(fixture.store, 2, 3));
    expect_rows(&fixture, &table, (Snapshot){.position = 2}, 0, BIG + SMALL, BIG + SMALL);
    expect_rows(&fixture, &table, (Snapshot){.position = 3}, BIG, SMALL, BIG + SMALL);
}
END_TEST

START_TEST(drop_table_takes_everything)
{
    commit_rows(&fixture, &table, 1, 1, 0, BIG);
    const Snapshot dropping = {.position = 1, .txn_id = 2, .statement = 1};
    must(store_drop_table(fixture.store, 10, &dropping));
    commit_rows(&fixture, &table, 3, 2, BIG, SMALL);
    must(store_prepare(fixture.store, 2));
    must(store_commit(fixture.store, 2, 3));
    expect_rows(&fixture, &table, (Snapshot){.position = 3}, 0, 0, BIG + SMALL);
    fixture_reopen(&fixture);
    expect_rows(&fixture, &table, (Snapshot){.position = 3}, 0, 0, BIG + SMALL);
}
END_TEST

START_TEST(horizon_unlinks_what_nobody_reads)
{
    const uint32_t all[1] = {COLUMN_ID};
    commit_rows(&fixture, &table, 1, 1, 0, BIG);
    const Snapshot truncating = {.position = 1, .txn_id = 2, .statement = 1};
    must(store_truncate_table(fixture.store, 10, &truncating));
    must(store_prepare(fixture.store, 2));
    must(store_commit(fixture.store, 2, 2));
    const uint32_t files = count_files(fixture.directory);
    ck_assert_uint_gt(files, 0);
    store_set_horizon(fixture.store, 1); // position 1 may still be read
    ck_assert_uint_eq(count_files(fixture.directory), files);

    const ScanRequest request = {.store = fixture.store,
                                 .table = &table.table,
                                 .snapshot = {.position = 1},
                                 .column_count = 1,
                                 .columns = all,
                                 .budget = fixture.budget};
    TableScan *scan;
    TableScanLocal *local;
    must(table_scan_open(&request, fixture.arena, &scan));
    must(table_scan_local_create(scan, NULL, fixture.arena, &local));
    store_set_horizon(fixture.store, 2);
    ck_assert_uint_eq(count_files(fixture.directory), files); // pinned by the scan
    uint64_t rows = 0;
    bool is_done = false;
    while (!is_done) {
        Batch batch;
        must(table_scan_next(local, &batch, &is_done));
        rows += batch.selected_count;
    }
    ck_assert_uint_eq(rows, BIG);
    table_scan_local_destroy(local);
    table_scan_close(scan);
    ck_assert_uint_eq(count_files(fixture.directory), 0);
    fixture_reopen(&fixture);
    expect_rows(&fixture, &table, (Snapshot){.position = 2}, 0, 0, BIG);
}
END_TEST

/* Row i is committed at position i + 1; every tenth commit drops all rows there are. */
START_TEST(many_small_commits_keep_every_snapshot)
{
    enum { COMMITS = 200, DROPS_EVERY = 10, HORIZON = 105 };
    for (uint32_t i = 0; i < COMMITS; i++) {
        const uint64_t txn = i + 1;
        if (i % DROPS_EVERY == DROPS_EVERY - 1) {
            const Snapshot truncating = {.position = i, .txn_id = txn, .statement = 1};
            must(store_truncate_table(fixture.store, 10, &truncating));
        }
        write_rows(&fixture, &table, txn, 2, i, 1);
        must(store_prepare(fixture.store, txn));
        must(store_commit(fixture.store, txn, txn));
    }
    for (int pass = 0; pass < 3; pass++) {
        for (uint32_t seen = pass == 0 ? 1 : HORIZON; seen <= COMMITS; seen++) {
            const uint32_t first = seen < DROPS_EVERY ? 0 : seen / DROPS_EVERY * DROPS_EVERY - 1;
            expect_rows(&fixture, &table, (Snapshot){.position = seen}, first, seen - first,
                        COMMITS);
        }
        store_set_horizon(fixture.store, HORIZON);
        if (pass == 1) {
            fixture_reopen(&fixture);
        }
    }
}
END_TEST

START_TEST(unfinished_writers_leave_nothing)
{
    TableWriter *writer = open_writer(&fixture, &table, 1, 1);
    TableWriterLocal *local;
    must(table_writer_local_create(writer, &local));
    append_rows(local, &table, 0, 100000); // a row group is encoded
    must(table_writer_local_finish(local));
    ck_assert_uint_gt(count_files(fixture.directory), 0);
    table_writer_destroy(writer);
    ck_assert_uint_eq(count_files(fixture.directory), 0);
    writer = open_writer(&fixture, &table, 1, 1);
    must(table_writer_local_create(writer, &local));
    append_rows(local, &table, 0, 1000);
    table_writer_local_abandon(local);
    table_writer_destroy(writer);
    expect_rows(&fixture, &table, (Snapshot){.txn_id = 1, .statement = 9}, 0, 0, BIG);
}
END_TEST

START_TEST(refuses_nulls_and_long_text)
{
    TableWriter *writer = open_writer(&fixture, &table, 1, 1);
    TableWriterLocal *local;
    Value cells[COLUMN_COUNT];
    Type types[COLUMN_COUNT];
    char text[128], *long_text = calloc(1, 70000);
    Batch *batches;
    uint32_t count;
    memset(long_text, 'x', 70000);
    for (uint32_t c = 0; c < COLUMN_COUNT; c++) {
        types[c] = table.columns[c].type;
        cells[c] = test_value(&table, 5, c, text);
    }
    must(table_writer_local_create(writer, &local));
    cells[COLUMN_ID].is_null = true;
    value_batches(fixture.arena, types, COLUMN_COUNT, cells, 1, &batches, &count);
    expect_error(table_writer_append(local, &batches[0]), SQLSTATE_NOT_NULL_VIOLATION,
                 "null value in column \"id\" of table \"public.t\"");
    cells[COLUMN_ID].is_null = false;
    cells[COLUMN_NOTE] =
        (Value){.type = types[COLUMN_NOTE], .text = text_view_make(long_text, 70000)};
    value_batches(fixture.arena, types, COLUMN_COUNT, cells, 1, &batches, &count);
    expect_error(table_writer_append(local, &batches[0]), SQLSTATE_STRING_DATA_RIGHT_TRUNCATION,
                 "70000 bytes");
    table_writer_local_abandon(local);
    table_writer_destroy(writer);
    free(long_text);
}
END_TEST

START_TEST(refuses_rows_of_other_nodes)
{
    const SliceRange half = {0, 0, 100};
    must(store_set_slices(fixture.store, 2, &half, 1));
    const SliceRange two[2] = {{0, 0, 100}, {1, 200, 300}};
    must(store_set_slices(fixture.store, 3, two, 2));
    test_table_init(&table, 11, DISTRIBUTION_STYLE_KEY);
    TableWriter *writer = open_writer(&fixture, &table, 1, 1);
    TableWriterLocal *local;
    Value cells[COLUMN_COUNT];
    Type types[COLUMN_COUNT];
    char text[128];
    Batch *batches;
    uint32_t count;
    must(table_writer_local_create(writer, &local));
    for (uint32_t c = 0; c < COLUMN_COUNT; c++) {
        types[c] = table.columns[c].type;
        cells[c] = test_value(&table, 5, c, text);
    }
    value_batches(fixture.arena, types, COLUMN_COUNT, cells, 1, &batches, &count);
    expect_error(table_writer_append(local, &batches[0]), SQLSTATE_OBJECT_NOT_IN_PREREQUISITE_STATE,
                 "bucket map changed");
    table_writer_local_abandon(local);
    table_writer_destroy(writer);
}
END_TEST

START_TEST(refuses_a_directory_of_others)
{
    Store *store;
    StoreOptions options = {.host = &fixture.host,
                            .budget = fixture.budget,
                            .directory = fixture.directory,
                            .node_id = 2};
    store_close(fixture.store);
    fixture.store = NULL;
    memcpy(options.cluster_id, fixture.cluster_id, CLUSTER_ID_BYTES);
    expect_error(store_open(&options, &store), SQLSTATE_OBJECT_NOT_IN_PREREQUISITE_STATE,
                 "another node");
    options.node_id = 1;
    options.cluster_id[3] ^= 1;
    expect_error(store_open(&options, &store), SQLSTATE_OBJECT_NOT_IN_PREREQUISITE_STATE,
                 "another cluster");
}
END_TEST

START_TEST(an_expected_database_is_never_made_anew)
{
    Store *store;
    char path[300];
    StoreOptions options = {.host = &fixture.host,
                            .budget = fixture.budget,
                            .directory = fixture.directory,
                            .node_id = 1,
                            .is_expected = true};
    memcpy(options.cluster_id, fixture.cluster_id, CLUSTER_ID_BYTES);
    store_close(fixture.store);
    fixture.store = NULL;
    must(store_open(&options, &store));
    store_close(store);
    snprintf(path, sizeof path, "%s/node.db", fixture.directory);
    ck_assert_int_eq(truncate(path, 0), 0);
    expect_error(store_open(&options, &store), SQLSTATE_DATA_CORRUPTED, "lost its database");
    ck_assert_int_eq(unlink(path), 0);
    expect_error(store_open(&options, &store), SQLSTATE_DATA_CORRUPTED, "lost its database");
    options.is_expected = false;
    must(store_open(&options, &store));
    store_close(store);
}
END_TEST

START_TEST(leases_are_never_used_twice)
{
    test_table_init(&table, 10, DISTRIBUTION_STYLE_ALL);
    const uint64_t before = store_leased_rowsets(fixture.store);
    commit_rows(&fixture, &table, 1, 1, 0, SMALL);
    ck_assert_uint_eq(store_leased_rowsets(fixture.store), before - 1);
    StoreFixture copy;
    crash_open(&copy);
    ck_assert_uint_le(store_leased_rowsets(copy.store), before - 1);
    crash_close(&copy);
    must(store_lease_rowsets(fixture.store, 1, 100000)); // the same message again
    ck_assert_uint_eq(store_leased_rowsets(fixture.store), before - 1);
    must(store_lease_rowsets(fixture.store, 200000, 5));
    ck_assert_uint_eq(store_leased_rowsets(fixture.store), before + 4);
    expect_error(store_lease_rowsets(fixture.store, UINT64_C(1) << 42, 1),
                 SQLSTATE_INVALID_PARAMETER_VALUE, "rowset ids");
}
END_TEST

START_TEST(reports_usage_and_positions)
{
    TableUsage *usage;
    uint32_t count;
    commit_rows(&fixture, &table, 1, 4, 0, BIG);
    commit_rows(&fixture, &table, 2, 5, BIG, SMALL);
    store_advance(fixture.store, 9);
    store_advance(fixture.store, 8);
    ck_assert_uint_eq(store_applied_position(fixture.store), 9);
    const Snapshot snapshot = {.position = 9};
    must(store_table_usage(fixture.store, 10, &snapshot, fixture.arena, &usage, &count));
    uint64_t rows = 0, rowsets = 0, batches = 0;
    for (uint32_t i = 0; i < count; i++) {
        rows += usage[i].rows;
        rowsets += usage[i].rowsets;
        batches += usage[i].insert_batches;
    }
    ck_assert_uint_eq(rows, BIG + SMALL);
    ck_assert_uint_eq(rowsets, 1);
    ck_assert_uint_eq(batches, 1);
}
END_TEST

/* A budget so small that rowsets are sealed early, or the statement fails cleanly. */
START_TEST(small_grants_seal_early)
{
    test_table_init(&table, 10, DISTRIBUTION_STYLE_ALL);
    const size_t limit = (size_t)1 << (21 + _i);
    MemoryBudget *budget = memory_budget_create(fixture.pool, fixture.budget, "statement", limit);
    const TableWriteOptions options = {.store = fixture.store,
                                       .table = &table.table,
                                       .txn_id = 1,
                                       .statement = 1,
                                       .row_group_rows = 2000,
                                       .budget = budget};
    TableWriter *writer;
    TableWriterLocal *local = NULL;
    must(table_writer_create(&options, &writer));
    Status status = table_writer_local_create(writer, &local);
    Arena *arena = arena_create(NULL, "rows_arena");
    Type types[COLUMN_COUNT];
    for (uint32_t c = 0; c < COLUMN_COUNT; c++) {
        types[c] = table.columns[c].type;
    }
    for (int64_t id = 0; id < 60000 && status == STATUS_OK; id++) {
        Value cells[COLUMN_COUNT];
        char text[128];
        Batch *batches;
        uint32_t count;
        for (uint32_t c = 0; c < COLUMN_COUNT; c++) {
            cells[c] = test_value(&table, id, c, text);
        }
        value_batches(arena, types, COLUMN_COUNT, cells, 1, &batches, &count);
        status = table_writer_append(local, &batches[0]);
        arena_reset(arena);
    }
    arena_destroy(arena);
    if (status == STATUS_OK) {
        status = table_writer_local_finish(local);
        local = NULL;
    }
    if (status == STATUS_OK) {
        status = table_writer_finish(writer);
    }
    if (local != NULL) {
        table_writer_local_abandon(local);
    }
    table_writer_destroy(writer);
    ck_assert_uint_eq(memory_budget_used_bytes(budget), 0);
    memory_budget_destroy(budget);
    if (status != STATUS_OK) {
        expect_error(status, SQLSTATE_OUT_OF_MEMORY, "");
        ck_assert_uint_eq(count_files(fixture.directory), 0);
        return;
    }
    expect_rows(&fixture, &table, (Snapshot){.txn_id = 1, .statement = 2}, 0, 60000, 60000);
}
END_TEST

#ifdef BASALT_FAULTS
/* An error at any step before the commit is durable leaves nothing of the transaction. */
START_TEST(faults_before_prepared_lose_nothing_else)
{
    static const char *const points[] = {"storage.before_rowset",
                                         "file.open",
                                         "file.allocate",
                                         "file.write",
                                         "file.sync",
                                         "storage.after_sync",
                                         "file.sync_directory",
                                         "storage.before_prepared",
                                         "metadata.before_commit"};
    char specification[64];
    commit_rows(&fixture, &table, 1, 1, 0, SMALL);
    TableWriter *writer = open_writer(&fixture, &table, 2, 1);
    TableWriterLocal *local;
    must(table_writer_local_create(writer, &local));
    append_rows(local, &table, SMALL, BIG);
    snprintf(specification, sizeof specification, "%s=error", points[_i]);
    must(fault_arm(specification));
    Status status = table_writer_local_finish(local);
    if (status == STATUS_OK) {
        status = table_writer_finish(writer);
    }
    if (status == STATUS_OK) {
        status = store_prepare(fixture.store, 2);
    }
    EXPECT(status != STATUS_OK, "%s does nothing", points[_i]);
    status_free(status);
    fault_disarm_all();
    table_writer_destroy(writer);
    must(store_abort(fixture.store, 2));
    ck_assert_uint_eq(count_files(fixture.directory), 0);
    expect_rows(&fixture, &table, (Snapshot){.position = 1}, 0, SMALL, BIG + SMALL);
    fixture_reopen(&fixture);
    ck_assert_uint_eq(store_prepared(fixture.store, NULL, 0), 0);
    ck_assert_uint_eq(count_files(fixture.directory), 0);
    expect_rows(&fixture, &table, (Snapshot){.position = 9}, 0, SMALL, BIG + SMALL);
}
END_TEST

static char leftover[512];

static Status leave_beside(void *object, const char *name, bool is_directory)
{
    (void)is_directory;
    snprintf(leftover, sizeof leftover, "%s/%s", (const char *)object, name);
    return STATUS_OK;
}

/* A file may have been made by a call that failed: a clean stop leaves no file that no list names,
 * and every other one. */
START_TEST(given_up_files_do_not_outlive_a_stop)
{
    char folder[sizeof leftover];
    snprintf(folder, sizeof folder, "%s/tables", fixture.directory);
    commit_rows(&fixture, &table, 1, 1, 0, BIG); // in files
    write_rows(&fixture, &table, 2, 1, BIG, BIG);
    must(store_prepare(fixture.store, 2));
    const uint32_t listed = count_files(fixture.directory);
    ck_assert_uint_ge(listed, 2);
    TableWriter *writer = open_writer(&fixture, &table, 3, 1);
    TableWriterLocal *local;
    must(table_writer_local_create(writer, &local));
    append_rows(local, &table, 2 * BIG, BIG);
    must(fault_arm("storage.before_rowset=error"));
    Status status = table_writer_local_finish(local);
    if (status == STATUS_OK) {
        status = table_writer_finish(writer);
    }
    ck_assert(status != STATUS_OK);
    status_free(status);
    fault_disarm_all();
    table_writer_destroy(writer);
    must(store_abort(fixture.store, 3));
    must(file_list(fixture.host.files, folder, leave_beside, folder)); // the table's
    snprintf(folder, sizeof folder, "%s", leftover);
    must(file_list(fixture.host.files, folder, leave_beside, folder)); // a slice's
    strcat(leftover, "/999999.rows");
    must(file_write_whole(fixture.host.files, leftover, "", 0));
    ck_assert_uint_eq(count_files(fixture.directory), listed + 1);
    store_close(fixture.store);
    fixture.store = NULL;
    ck_assert_uint_eq(count_files(fixture.directory), listed);
    fixture_reopen(&fixture);
    must(store_commit(fixture.store, 2, 2));
    expect_rows(&fixture, &table, (Snapshot){.position = 2}, 0, 2 * BIG, 3 * BIG);
}
END_TEST

/* A commit that fails half-way is repeated; it is visible once and for all. */
START_TEST(commits_can_be_repeated)
{
    static const char *const points[] = {"storage.before_applied", "metadata.before_commit",
                                         "metadata.after_commit", "storage.after_applied"};
    char specification[64];
    write_rows(&fixture, &table, 2, 1, 0, BIG);
    must(store_prepare(fixture.store, 2));
    snprintf(specification, sizeof specification, "%s=error", points[_i]);
    must(fault_arm(specification));
    Status status = store_commit(fixture.store, 2, 5);
    if (status == STATUS_OK) {
        status = store_write_outcomes(fixture.store);
    }
    ck_assert(status != STATUS_OK);
    status_free(status);
    fault_disarm_all();
    must(store_commit(fixture.store, 2, 5));
    must(store_write_outcomes(fixture.store));
    expect_rows(&fixture, &table, (Snapshot){.position = 5}, 0, BIG, BIG);
    fixture_reopen(&fixture);
    expect_rows(&fixture, &table, (Snapshot){.position = 5}, 0, BIG, BIG);
    ck_assert_uint_eq(store_applied_position(fixture.store), 5);
}
END_TEST
#endif

#ifdef BASALT_FAULTS
/* The same for rows that come from a redo. */
START_TEST(redone_commits_can_be_repeated)
{
    static const char *const points[] = {"storage.before_redone", "metadata.before_commit",
                                         "metadata.after_commit", "storage.after_applied"};
    char specification[64];
    ByteBuffer redo = vote(2, 0, SMALL);
    snprintf(specification, sizeof specification, "%s=error", points[_i]);
    must(fault_arm(specification));
    Status status = store_redo(fixture.store, 2, 5, redo.data, redo.bytes);
    if (status == STATUS_OK) {
        status = store_write_outcomes(fixture.store);
    }
    ck_assert(status != STATUS_OK);
    status_free(status);
    fault_disarm_all();
    must(store_redo(fixture.store, 2, 5, redo.data, redo.bytes));
    must(store_write_outcomes(fixture.store));
    expect_rows(&fixture, &table, (Snapshot){.position = 5}, 0, SMALL, SMALL);
    fixture_reopen(&fixture);
    must(store_redo(fixture.store, 2, 5, redo.data, redo.bytes));
    expect_rows(&fixture, &table, (Snapshot){.position = 5}, 0, SMALL, SMALL);
    byte_buffer_deinit(&redo);
}
END_TEST

static void *run_prepare(void *object)
{
    (void)object;
    return store_prepare(fixture.store, 1);
}

static void *run_abort(void *object)
{
    (void)object;
    return store_abort(fixture.store, 1);
}

START_TEST(an_abort_waits_for_a_vote_that_is_being_written)
{
    pthread_t vote, abort;
    void *vote_status = NULL, *abort_status = NULL;
    uint64_t prepared[4];
    test_table_init(&table, 10, DISTRIBUTION_STYLE_ALL);
    write_rows(&fixture, &table, 1, 1, 0, SMALL);
    must(fault_arm("storage.after_sync=hang"));
    ck_assert_int_eq(pthread_create(&vote, NULL, run_prepare, NULL), 0);
    usleep(50000);
    ck_assert_int_eq(pthread_create(&abort, NULL, run_abort, NULL), 0);
    usleep(50000);
    fault_disarm_all();
    pthread_join(vote, &vote_status);
    pthread_join(abort, &abort_status);
    must(vote_status);
    must(abort_status);
    ck_assert_uint_eq(store_prepared(fixture.store, prepared, 4), 0);
    StoreFixture copy;
    crash_open(&copy);
    ck_assert_uint_eq(store_prepared(copy.store, prepared, 4), 0);
    crash_close(&copy);
}
END_TEST
#endif

int main(void)
{
    Suite *suite = suite_create("store");
    TCase *tests = tcase_create("transactions");
    tcase_set_timeout(tests, 120);
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_test(tests, unprepared_rows_vanish);
    tcase_add_loop_test(tests, prepared_rows_wait_for_their_outcome, 0, 2);
    tcase_add_loop_test(tests, few_rows_come_back_from_their_redo, 0, 4);
    tcase_add_test(tests, redone_rows_that_were_dropped_stay_away);
    tcase_add_test(tests, what_is_no_redo_is_prepared);
    tcase_add_test(tests, a_damaged_redo_leaves_nothing);
    tcase_add_test(tests, committed_rows_stay);
    tcase_add_test(tests, statements_see_earlier_ones);
    tcase_add_test(tests, truncate_drops_what_it_sees);
    tcase_add_test(tests, drop_table_takes_everything);
    tcase_add_test(tests, horizon_unlinks_what_nobody_reads);
    tcase_add_test(tests, many_small_commits_keep_every_snapshot);
    tcase_add_test(tests, unfinished_writers_leave_nothing);
    tcase_add_test(tests, refuses_nulls_and_long_text);
    tcase_add_test(tests, refuses_rows_of_other_nodes);
    tcase_add_test(tests, refuses_a_directory_of_others);
    tcase_add_test(tests, an_expected_database_is_never_made_anew);
    tcase_add_test(tests, leases_are_never_used_twice);
    tcase_add_test(tests, reports_usage_and_positions);
    tcase_add_loop_test(tests, small_grants_seal_early, 0, 5);
#ifdef BASALT_FAULTS
    tcase_add_loop_test(tests, faults_before_prepared_lose_nothing_else, 0, 9);
    tcase_add_loop_test(tests, redone_commits_can_be_repeated, 0, 4);
    tcase_add_test(tests, given_up_files_do_not_outlive_a_stop);
    tcase_add_loop_test(tests, commits_can_be_repeated, 0, 4);
    tcase_add_test(tests, an_abort_waits_for_a_vote_that_is_being_written);
#endif
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    const int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
