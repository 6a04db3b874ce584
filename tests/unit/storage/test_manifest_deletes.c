/* test_manifest_deletes.c — deletes of several transactions: who conflicts with whom, what the
 * horizon merges and forgets, what damage in the database is called, older databases. */
#include "base/fault.h"
#include "base/metadata_store.h"
#include "delete_fixture.h"
#include "storage/format.h"
#include "storage/inspect.h"

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

#define ROWS 3000 /* an INSERT batch */
static const DeleteRange all_rows = {0, ROWS, 1, 0};

static const char conflict_detail[] = "Serializable isolation violation on table - 10: another ";

static void expect_conflict(Status status)
{
    ck_assert(status != STATUS_OK);
    EXPECT(status_sqlstate(status) == SQLSTATE_SERIALIZATION_FAILURE, "%s %s",
           status_sqlstate_code(status), status_message(status));
    ck_assert_str_eq(status_message(status), "1023"); // what Redshift's clients look for
    EXPECT(strncmp(status_detail(status), conflict_detail, sizeof(conflict_detail) - 1) == 0, "%s",
           status_detail(status));
    status_free(status);
}

/* What a transaction of the matrix below does; all began at position 1. */
typedef enum Change { DELETE_ALL, DELETE_EVEN, DELETE_ODD, TRUNCATE, DROP, CHANGE_COUNT } Change;

static void make_change(uint64_t txn, Change change)
{
    const Snapshot snapshot = {.position = 1, .txn_id = txn, .statement = 1};
    switch (change) {
    case DELETE_ALL:
        delete_rows(&fixture, &table, snapshot, all_rows);
        break;
    case DELETE_EVEN:
        delete_rows(&fixture, &table, snapshot, (DeleteRange){0, ROWS, 2, 0});
        break;
    case DELETE_ODD:
        delete_rows(&fixture, &table, snapshot, (DeleteRange){0, ROWS, 2, 1});
        break;
    case TRUNCATE:
        must(store_truncate_table(fixture.store, 10, &snapshot));
        break;
    default:
        must(store_drop_table(fixture.store, 10, &snapshot));
        break;
    }
}

static bool do_conflict(Change first, Change second)
{
    const bool is_drop[2] = {first >= TRUNCATE, second >= TRUNCATE};
    if (is_drop[0] && is_drop[1]) {
        return false; // twice dropped is dropped
    }
    return is_drop[0] || is_drop[1] || first == second || first == DELETE_ALL ||
           second == DELETE_ALL;
}

static bool is_gone(Change change, int64_t id)
{
    return change == DELETE_EVEN ? id % 2 == 0 : change == DELETE_ODD ? id % 2 == 1 : true;
}

static void expect_gone(uint64_t position, const Change *changes, int count)
{
    const ScanOptions options = {.snapshot = {.position = position}};
    SeenRows seen = scan_rows(&fixture, &table, ROWS, &options);
    for (int64_t id = 0; id < ROWS; id++) {
        bool is_wanted = true;
        for (int i = 0; i < count; i++) {
            is_wanted = is_wanted && !is_gone(changes[i], id);
        }
        EXPECT(seen.seen[id] == is_wanted, "row %lld", (long long)id);
    }
    free(seen.seen);
}

/* All pairs; when the second prepares, the first is prepared, prepared and reloaded, or
 * committed. */
START_TEST(first_committer_wins)
{
    const Change first = (Change)(_i % CHANGE_COUNT);
    const Change second = (Change)(_i / CHANGE_COUNT % CHANGE_COUNT);
    const int state = _i / CHANGE_COUNT / CHANGE_COUNT;
    const Change both[2] = {first, second};
    commit_rows(&fixture, &table, 1, 1, 0, ROWS);
    make_change(2, first);
    must(store_prepare(fixture.store, 2));
    if (state == 1) {
        fixture_reopen(&fixture);
    }
    make_change(3, second);
    if (state == 2) {
        must(store_commit(fixture.store, 2, 2));
    }
    if (do_conflict(first, second)) {
        expect_conflict(store_prepare(fixture.store, 3));
        expect_conflict(store_prepare(fixture.store, 3)); // as often as it is asked
        must(store_abort(fixture.store, 3));
        must(store_commit(fixture.store, 2, 2));
        expect_gone(3, both, 1);
        return;
    }
    must(store_prepare(fixture.store, 3));
    must(store_commit(fixture.store, 3, 3));
    must(store_commit(fixture.store, 2, 2));
    expect_gone(3, both, 2);
    fixture_reopen(&fixture);
    expect_gone(3, both, 2);
}
END_TEST

START_TEST(aborted_changes_are_in_nobodys_way)
{
    const Change first = (Change)(_i % CHANGE_COUNT), second = (Change)(_i / CHANGE_COUNT);
    commit_rows(&fixture, &table, 1, 1, 0, ROWS);
    make_change(2, first); // not even prepared
    make_change(3, second);
    must(store_prepare(fixture.store, 3));
    must(store_abort(fixture.store, 3));
    must(store_prepare(fixture.store, 2));
    must(store_commit(fixture.store, 2, 2));
    expect_gone(2, &first, 1);
}
END_TEST

/* A later snapshot saw the other's deletes: nothing conflicts. */
START_TEST(what_was_seen_does_not_conflict)
{
    const DeleteRange evens = {0, ROWS, 2, 0};
    commit_rows(&fixture, &table, 1, 1, 0, ROWS);
    commit_delete(&fixture, &table, 2, 2, evens);
    commit_delete(&fixture, &table, 3, 3, all_rows);
    expect_without(&fixture, &table, (Snapshot){.position = 3}, ROWS, all_rows);
    commit_rows(&fixture, &table, 4, 4, 0, ROWS);
    commit_delete(&fixture, &table, 5, 5, evens);
    const Snapshot truncating = {.position = 5, .txn_id = 6, .statement = 1};
    must(store_truncate_table(fixture.store, 10, &truncating));
    must(store_prepare(fixture.store, 6));
    must(store_commit(fixture.store, 6, 6));
    expect_without(&fixture, &table, (Snapshot){.position = 5}, ROWS, evens);
    expect_without(&fixture, &table, (Snapshot){.position = 6}, ROWS, all_rows);
}
END_TEST

/* The rowset was dropped, and forgotten: the delete is refused all the same. */
START_TEST(forgotten_rowsets_conflict)
{
    commit_rows(&fixture, &table, 1, 1, 0, ROWS);
    make_change(2, DELETE_EVEN);
    make_change(3, TRUNCATE);
    must(store_prepare(fixture.store, 3));
    must(store_commit(fixture.store, 3, 2));
    store_set_horizon(fixture.store, 2);
    expect_conflict(store_prepare(fixture.store, 2));
    must(store_abort(fixture.store, 2));
}
END_TEST

/* Deleting and dropping in one transaction is no conflict with oneself. */
START_TEST(own_changes_do_not_conflict)
{
    commit_rows(&fixture, &table, 1, 1, 0, ROWS);
    make_change(2, DELETE_EVEN);
    const Snapshot snapshot = {.position = 1, .txn_id = 2, .statement = 2};
    must(store_truncate_table(fixture.store, 10, &snapshot));
    write_rows(&fixture, &table, 2, 3, 0, 100);
    delete_rows(&fixture, &table, (Snapshot){1, 2, 4}, (DeleteRange){0, 100, 2, 1});
    must(store_prepare(fixture.store, 2));
    must(store_commit(fixture.store, 2, 2));
    for (int open = 0; open < 2; open++) {
        expect_without(&fixture, &table, (Snapshot){.position = 2}, 100,
                       (DeleteRange){0, 100, 2, 1});
        expect_without(&fixture, &table, (Snapshot){.position = 1}, ROWS, no_rows);
        fixture_reopen(&fixture);
    }
}
END_TEST

#ifdef BASALT_FAULTS
/* What could not be made durable is no longer in the way, and may be tried again. */
START_TEST(failed_prepares_can_be_repeated)
{
    commit_rows(&fixture, &table, 1, 1, 0, ROWS);
    make_change(2, DELETE_EVEN);
    make_change(3, DELETE_ALL);
    must(fault_arm("storage.before_prepared=error"));
    Status status = store_prepare(fixture.store, 2);
    ck_assert_int_eq(status_sqlstate(status), SQLSTATE_IO_ERROR);
    status_free(status);
    fault_disarm_all();
    must(store_prepare(fixture.store, 3));
    expect_conflict(store_prepare(fixture.store, 2));
    must(store_abort(fixture.store, 3));
    must(store_prepare(fixture.store, 2));
    must(fault_arm("storage.after_applied=error"));
    status = store_commit(fixture.store, 2, 2);
    ck_assert(status != STATUS_OK);
    status_free(status);
    fault_disarm_all();
    expect_gone(2, NULL, 0);
    must(store_commit(fixture.store, 2, 2));
    const Change change = DELETE_EVEN;
    expect_gone(2, &change, 1);
    fixture_reopen(&fixture);
    expect_gone(2, &change, 1);
}
END_TEST
#endif

/* The horizon. */

static void inspect(bool is_verbose, InspectReport *report, ByteBuffer *text)
{
    store_close(fixture.store);
    fixture.store = NULL;
    byte_buffer_init(text, (size_t)16 << 20);
    must(inspect_path(file_system_os(), fixture.directory, is_verbose, text, report));
    byte_buffer_add_u8(text, 0);
    fixture_reopen(&fixture);
}

#define STEPS 100
START_TEST(horizons_merge_masks)
{
    InspectReport report;
    ByteBuffer text;
    commit_rows(&fixture, &table, 1, 1, 0, ROWS);
    const size_t before = memory_budget_used_bytes(fixture.budget);
    for (int64_t i = 0; i < STEPS; i++) { // one row each
        commit_delete(&fixture, &table, (uint64_t)(2 + i), (uint64_t)(2 + i),
                      (DeleteRange){i, i + 1, 1, 0});
    }
    const size_t most = memory_budget_used_bytes(fixture.budget);
    inspect(true, &report, &text);
    EXPECT(report.faults == 0, "%s", (char *)text.data);
    ck_assert_uint_eq(report.delete_masks, STEPS);
    ck_assert_ptr_nonnull(strstr((char *)text.data, "by transaction 2, statement 1, position 2"));
    byte_buffer_deinit(&text);
    store_set_horizon(fixture.store, 51); // 50 rows
    for (int64_t i = 50; i <= STEPS; i++) {
        expect_without(&fixture, &table, (Snapshot){.position = (uint64_t)i + 1}, ROWS,
                       (DeleteRange){0, i, 1, 0});
    }
    inspect(true, &report, &text);
    EXPECT(report.faults == 0, "%s", (char *)text.data);
    ck_assert_uint_eq(report.delete_masks, 51);
    ck_assert_ptr_nonnull(strstr((char *)text.data, "50 rows of table 10, rowset 1 deleted up to "
                                                    "position 51"));
    byte_buffer_deinit(&text);
    store_set_horizon(fixture.store, 200);
    ck_assert_uint_lt(memory_budget_used_bytes(fixture.budget), before + (most - before) / 20);
    inspect(false, &report, &text);
    ck_assert_uint_eq(report.delete_masks, 1);
    byte_buffer_deinit(&text);
    expect_without(&fixture, &table, (Snapshot){.position = 200}, ROWS,
                   (DeleteRange){0, STEPS, 1, 0});
    // Dropped rowsets lose their masks.
    const Snapshot truncating = {.position = 200, .txn_id = 500, .statement = 1};
    must(store_truncate_table(fixture.store, 10, &truncating));
    must(store_prepare(fixture.store, 500));
    must(store_commit(fixture.store, 500, 201));
    store_set_horizon(fixture.store, 201);
    inspect(false, &report, &text);
    ck_assert_uint_eq(report.delete_masks, 0);
    ck_assert_uint_eq(report.faults, 0);
    byte_buffer_deinit(&text);
}
END_TEST

/* A scan keeps what it sees while the horizon goes by. */
START_TEST(scans_keep_their_masks)
{
    static const uint32_t columns[1] = {COLUMN_ID};
    commit_rows(&fixture, &table, 1, 1, 0, ROWS);
    commit_delete(&fixture, &table, 2, 2, (DeleteRange){0, ROWS, 3, 0});
    const ScanRequest request = {.store = fixture.store,
                                 .table = &table.table,
                                 .snapshot = {.position = 2},
                                 .column_count = 1,
                                 .columns = columns,
                                 .budget = fixture.budget};
    TableScan *scan;
    TableScanLocal *local;
    bool is_done = false;
    uint64_t rows = 0;
    must(table_scan_open(&request, fixture.arena, &scan));
    must(table_scan_local_create(scan, NULL, fixture.arena, &local));
    commit_delete(&fixture, &table, 3, 3, all_rows);
    store_set_horizon(fixture.store, 3);
    while (!is_done) {
        Batch batch;
        must(table_scan_next(local, &batch, &is_done));
        rows += batch.selected_count;
    }
    ck_assert_uint_eq(rows, ROWS / 3 * 2);
    table_scan_local_destroy(local);
    table_scan_close(scan);
}
END_TEST

/* Damage. */

/* Changes the database as nobody should. */
static void spoil(const char *sql)
{
    char path[128];
    MetadataStore *database;
    store_close(fixture.store);
    fixture.store = NULL;
    snprintf(path, sizeof path, "%s/node.db", fixture.directory);
    must(metadata_store_open(file_system_os(), path, "", 2, &database));
    must(metadata_store_exec(database, sql));
    metadata_store_close(database);
}

static Status open_store(void)
{
    StoreOptions options = {.host = &fixture.host,
                            .budget = fixture.budget,
                            .directory = fixture.directory,
                            .node_id = 1,
                            .cache_bytes = (size_t)64 << 20};
    memcpy(options.cluster_id, fixture.cluster_id, CLUSTER_ID_BYTES);
    return store_open(&options, &fixture.store);
}

START_TEST(damage_names_table_and_rowset)
{
    static const char *const sql[] = {
        "UPDATE delete_mask SET bytes = CAST(substr(bytes, 1, 64) || x'01' || substr(bytes, 66)"
        " AS BLOB) WHERE rowset_id = 1",
        "UPDATE delete_mask SET bytes = (SELECT bytes FROM delete_mask WHERE rowset_id = 2)"
        " WHERE rowset_id = 1",
        "UPDATE delete_mask SET txn_id = 77 WHERE rowset_id = 1",
        "UPDATE delete_mask SET bytes = x'' WHERE rowset_id = 1",
        "DELETE FROM rowset WHERE rowset_id = 1",
    };
    InspectReport report;
    ByteBuffer text;
    commit_rows(&fixture, &table, 1, 1, 0, ROWS);
    commit_rows(&fixture, &table, 2, 2, ROWS, ROWS);
    commit_delete(&fixture, &table, 3, 3, (DeleteRange){0, 2 * ROWS, 7, 3});
    spoil(sql[_i]);
    byte_buffer_init(&text, (size_t)1 << 20);
    must(inspect_path(file_system_os(), fixture.directory, false, &text, &report));
    byte_buffer_add_u8(&text, 0);
    ck_assert_uint_eq(report.faults, 1);
    ck_assert_uint_eq(report.delete_masks, 2);
    EXPECT(strstr((char *)text.data, "deletes of table 10, rowset 1") != NULL, "%s",
           (char *)text.data);
    byte_buffer_deinit(&text);
    Status status = open_store();
    ck_assert(status != STATUS_OK);
    ck_assert_int_eq(status_sqlstate(status), SQLSTATE_DATA_CORRUPTED);
    EXPECT(strstr(status_message(status), "deletes of table 10, rowset 1") != NULL, "%s",
           status_message(status));
    status_free(status);
}
END_TEST

START_TEST(masks_of_rows_that_are_not_there)
{
    const Snapshot snapshot = {.position = 9};
    const ScanRequest request = {.store = fixture.store,
                                 .table = &table.table,
                                 .snapshot = snapshot,
                                 .budget = fixture.budget};
    TableScan *scan;
    commit_rows(&fixture, &table, 1, 1, 0, ROWS);
    commit_delete(&fixture, &table, 2, 2, all_rows);
    spoil("UPDATE rowset SET row_count = 100");
    must(open_store());
    ScanRequest again = request;
    again.store = fixture.store;
    Status status = table_scan_open(&again, fixture.arena, &scan);
    ck_assert(status != STATUS_OK);
    ck_assert_int_eq(status_sqlstate(status), SQLSTATE_DATA_CORRUPTED);
    ck_assert_ptr_nonnull(strstr(status_message(status), "table 10, rowset 1"));
    status_free(status);
}
END_TEST

START_TEST(older_databases_are_upgraded)
{
    commit_rows(&fixture, &table, 1, 1, 0, ROWS);
    spoil("DROP TABLE delete_mask; PRAGMA user_version = 1");
    must(open_store());
    expect_without(&fixture, &table, (Snapshot){.position = 1}, ROWS, no_rows);
    commit_delete(&fixture, &table, 2, 2, all_rows);
    fixture_reopen(&fixture);
    expect_without(&fixture, &table, (Snapshot){.position = 2}, ROWS, all_rows);
}
END_TEST

START_TEST(inspect_shows_prepared_deletes)
{
    InspectReport report;
    ByteBuffer text;
    commit_rows(&fixture, &table, 1, 1, 0, ROWS);
    make_change(2, DELETE_EVEN);
    must(store_prepare(fixture.store, 2));
    inspect(true, &report, &text);
    ck_assert_uint_eq(report.faults, 0);
    ck_assert_uint_eq(report.deleted_rows, ROWS / 2);
    EXPECT(strstr((char *)text.data, "1500 rows of table 10, rowset 1 deleted by transaction 2, "
                                     "statement 1, prepared, ") != NULL,
           "%s", (char *)text.data);
    byte_buffer_deinit(&text);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("manifest_deletes");
    TCase *tests = tcase_create("transactions");
    tcase_set_timeout(tests, 240);
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_loop_test(tests, first_committer_wins, 0, CHANGE_COUNT * CHANGE_COUNT * 3);
    tcase_add_loop_test(tests, aborted_changes_are_in_nobodys_way, 0, CHANGE_COUNT * CHANGE_COUNT);
    tcase_add_test(tests, what_was_seen_does_not_conflict);
    tcase_add_test(tests, forgotten_rowsets_conflict);
    tcase_add_test(tests, own_changes_do_not_conflict);
#ifdef BASALT_FAULTS
    tcase_add_test(tests, failed_prepares_can_be_repeated);
#endif
    tcase_add_test(tests, horizons_merge_masks);
    tcase_add_test(tests, scans_keep_their_masks);
    tcase_add_loop_test(tests, damage_names_table_and_rowset, 0, 5);
    tcase_add_test(tests, masks_of_rows_that_are_not_there);
    tcase_add_test(tests, older_databases_are_upgraded);
    tcase_add_test(tests, inspect_shows_prepared_deletes);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    const int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
