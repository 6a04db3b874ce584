/* test_table_deleter.c — row ids and deletes of one transaction: who sees them when, what restarts,
 * aborts and rolled back statements leave, against arrays of what should be there. */
#include <pthread.h>
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

#define BIG 90000  /* a rowset file of two row groups */
#define SMALL 2500 /* an INSERT batch of several batches */
static const int64_t sizes[2] = {BIG, SMALL};

static void expect_error(Status status, SqlState state, const char *part)
{
    ck_assert(status != STATUS_OK);
    EXPECT(status_sqlstate(status) == state, "%s %s", status_sqlstate_code(status),
           status_message(status));
    EXPECT(strstr(status_message(status), part) != NULL, "%s", status_message(status));
    status_free(status);
}

/* Row ids. */

START_TEST(row_ids_do_not_depend_on_batches)
{
    static const uint32_t batch_rows[4] = {1024, 100, 7, 1000};
    commit_rows(&fixture, &table, 1, 1, 0, BIG);
    commit_rows(&fixture, &table, 2, 2, BIG, SMALL);
    PlaceOptions options = {.snapshot = {.position = 2}};
    RowPlaces whole = find_places(&fixture, &table, BIG + SMALL, &options);
    ck_assert_uint_eq(whole.count, BIG + SMALL);
    for (int i = 0; i < 4; i++) {
        options.batch_rows = batch_rows[i];
        RowPlaces cut = find_places(&fixture, &table, BIG + SMALL, &options);
        ck_assert_int_eq(memcmp(cut.row_ids, whole.row_ids, (BIG + SMALL) * sizeof(int64_t)), 0);
        free(cut.row_ids);
    }
    // One entry per statement and slice that got rows; the rows of each are numbered without gaps.
    for (int64_t id = 1; id < BIG + SMALL; id++) {
        const uint64_t place = (uint64_t)whole.row_ids[id];
        const uint32_t row = place & ((1u << FORMAT_ROW_BITS) - 1);
        EXPECT(place >> FORMAT_ROW_BITS >= 1 && place >> FORMAT_ROW_BITS < 100000, "rowset");
        EXPECT(row == (uint32_t)(id < BIG ? id : id - BIG), "row %u of id %lld", row,
               (long long)id);
    }
    free(whole.row_ids);
}
END_TEST

START_TEST(row_ids_are_those_of_rows_that_pass)
{
    commit_rows(&fixture, &table, 1, 1, 0, BIG);
    commit_rows(&fixture, &table, 2, 2, BIG, SMALL);
    PlaceOptions options = {.snapshot = {.position = 2}};
    RowPlaces all = find_places(&fixture, &table, BIG + SMALL, &options);
    const Value lo = {.type = type_of(TYPE_BIGINT), .i64 = 70000};
    const Predicate predicate = {
        .kind = PREDICATE_RANGE, .type = lo.type, .has_lo = true, .lo = lo};
    const ScanPredicate predicates[1] = {{0, &predicate}};
    options.predicate_count = 1;
    options.predicates = predicates;
    RowPlaces some = find_places(&fixture, &table, BIG + SMALL, &options);
    ck_assert_uint_eq(some.count, BIG + SMALL - 70000);
    for (int64_t id = 0; id < BIG + SMALL; id++) {
        EXPECT(some.row_ids[id] == (id < 70000 ? 0 : all.row_ids[id]), "id %lld", (long long)id);
    }
    free(all.row_ids);
    free(some.row_ids);
}
END_TEST

/* Visibility. */

START_TEST(deletes_are_seen_when_they_should_be)
{
    const int64_t count = sizes[_i];
    const DeleteRange third = {0, count, 3, 1};
    commit_rows(&fixture, &table, 1, 1, 0, (uint32_t)count);
    const Snapshot first = {.position = 1, .txn_id = 2, .statement = 1};
    ck_assert_uint_eq(delete_rows(&fixture, &table, first, third), (uint64_t)(count + 1) / 3);
    const Snapshot second = {.position = 1, .txn_id = 2, .statement = 2};
    expect_without(&fixture, &table, first, count, no_rows);
    expect_without(&fixture, &table, second, count, third);
    expect_without(&fixture, &table, (Snapshot){.position = 1}, count, no_rows);
    expect_without(&fixture, &table, (Snapshot){.position = 1, .txn_id = 3, .statement = 9}, count,
                   no_rows);
    must(store_prepare(fixture.store, 2));
    must(store_prepare(fixture.store, 2));
    expect_without(&fixture, &table, (Snapshot){.position = 1}, count, no_rows);
    must(store_commit(fixture.store, 2, 5));
    must(store_commit(fixture.store, 2, 5));
    for (int open = 0; open < 2; open++) {
        expect_without(&fixture, &table, (Snapshot){.position = 4}, count, no_rows);
        expect_without(&fixture, &table, (Snapshot){.position = 5}, count, third);
        fixture_reopen(&fixture);
    }
}
END_TEST

START_TEST(aborts_forget_deletes)
{
    const int64_t count = sizes[_i % 2];
    const bool is_prepared = _i / 2 == 1;
    const DeleteRange all = {0, count, 1, 0};
    commit_rows(&fixture, &table, 1, 1, 0, (uint32_t)count);
    const Snapshot snapshot = {.position = 1, .txn_id = 2, .statement = 1};
    delete_rows(&fixture, &table, snapshot, all);
    if (is_prepared) {
        must(store_prepare(fixture.store, 2));
    }
    must(store_abort(fixture.store, 2));
    must(store_abort(fixture.store, 2));
    fixture_reopen(&fixture);
    expect_without(&fixture, &table, (Snapshot){.position = 9, .txn_id = 2, .statement = 9}, count,
                   no_rows);
    commit_delete(&fixture, &table, 3, 2, all); // nobody is in the way
    expect_without(&fixture, &table, (Snapshot){.position = 2}, count, all);
}
END_TEST

START_TEST(statements_are_rolled_back)
{
    const DeleteRange evens = {0, SMALL, 2, 0}, odds = {0, SMALL, 2, 1}, all = {0, SMALL, 1, 0};
    commit_rows(&fixture, &table, 1, 1, 0, SMALL);
    Snapshot snapshot = {.position = 1, .txn_id = 2, .statement = 1};
    ck_assert_uint_eq(delete_rows(&fixture, &table, snapshot, evens), SMALL / 2);
    snapshot.statement = 2;
    ck_assert_uint_eq(delete_rows(&fixture, &table, snapshot, all), SMALL / 2);
    snapshot.statement = 3;
    expect_without(&fixture, &table, snapshot, SMALL, all);
    must(store_rollback_statements(fixture.store, 2, 2));
    expect_without(&fixture, &table, snapshot, SMALL, evens);
    snapshot.statement = 4;
    ck_assert_uint_eq(delete_rows(&fixture, &table, snapshot, odds), SMALL / 2);
    must(store_rollback_statements(fixture.store, 2, 4));
    must(store_prepare(fixture.store, 2));
    must(store_commit(fixture.store, 2, 2));
    expect_without(&fixture, &table, (Snapshot){.position = 2}, SMALL, evens);
}
END_TEST

/* Rows that a transaction wrote itself go and come back as others do. */
START_TEST(own_rows_can_be_deleted)
{
    const int64_t count = sizes[_i];
    const DeleteRange some = {0, count, 5, 2}, most = {0, count - 1, 1, 0};
    write_rows(&fixture, &table, 1, 1, 0, (uint32_t)count);
    delete_rows(&fixture, &table, (Snapshot){.txn_id = 1, .statement = 2}, some);
    expect_without(&fixture, &table, (Snapshot){.txn_id = 1, .statement = 3}, count, some);
    delete_rows(&fixture, &table, (Snapshot){.txn_id = 1, .statement = 3}, most);
    must(store_rollback_statements(fixture.store, 1, 3));
    must(store_prepare(fixture.store, 1));
    fixture_reopen(&fixture);
    must(store_commit(fixture.store, 1, 1));
    expect_without(&fixture, &table, (Snapshot){.position = 1}, count, some);
    fixture_reopen(&fixture);
    expect_without(&fixture, &table, (Snapshot){.position = 1}, count, some);
}
END_TEST

START_TEST(rows_are_counted_once)
{
    const PlaceOptions options = {.snapshot = {.position = 1}};
    Snapshot snapshot = {.position = 1, .txn_id = 2, .statement = 1};
    uint64_t count = 99;
    commit_rows(&fixture, &table, 1, 1, 0, SMALL);
    RowPlaces places = find_places(&fixture, &table, SMALL, &options);
    TableDeleter *deleter = open_deleter(&fixture, &table, snapshot);
    must(table_deleter_add(deleter, places.row_ids, 100));
    must(table_deleter_add(deleter, places.row_ids + 50, 100));
    must(table_deleter_finish(deleter, &count));
    ck_assert_uint_eq(count, 150);
    table_deleter_destroy(deleter);
    snapshot.statement = 2;
    deleter = open_deleter(&fixture, &table, snapshot);
    must(table_deleter_add(deleter, places.row_ids + 140, 20)); // ten of them are gone
    must(table_deleter_finish(deleter, &count));
    ck_assert_uint_eq(count, 10);
    table_deleter_destroy(deleter);
    deleter = open_deleter(&fixture, &table, (Snapshot){2, 2, 3});
    must(table_deleter_add(deleter, places.row_ids, 160)); // all of them
    must(table_deleter_finish(deleter, &count));
    ck_assert_uint_eq(count, 0);
    table_deleter_destroy(deleter);
    free(places.row_ids);
}
END_TEST

START_TEST(unknown_rows_are_refused)
{
    const PlaceOptions options = {.snapshot = {.position = 2}};
    commit_rows(&fixture, &table, 1, 1, 0, BIG);
    commit_rows(&fixture, &table, 2, 2, BIG, SMALL);
    RowPlaces places = find_places(&fixture, &table, BIG + SMALL, &options);
    TableDeleter *deleter = open_deleter(&fixture, &table, (Snapshot){1, 3, 1});
    const int64_t unknown[] = {
        0,
        -1,
        places.row_ids[0] + BIG,
        places.row_ids[0] + 4000000,
        places.row_ids[0] + (1 << 30),
        places.row_ids[BIG], // committed after the snapshot
    };
    for (size_t i = 0; i < sizeof unknown / sizeof *unknown; i++) {
        expect_error(table_deleter_add(deleter, &unknown[i], 1), SQLSTATE_INTERNAL_ERROR,
                     "has no row");
    }
    table_deleter_destroy(deleter);
    deleter = open_deleter(&fixture, &table, (Snapshot){2, 3, 1});
    const int64_t behind = places.row_ids[BIG] + SMALL;
    expect_error(table_deleter_add(deleter, &behind, 1), SQLSTATE_INTERNAL_ERROR, "has no row");
    must(table_deleter_add(deleter, &places.row_ids[5], 1));
    table_deleter_destroy(deleter); // unfinished: nothing is deleted
    expect_without(&fixture, &table, (Snapshot){2, 3, 9}, BIG + SMALL, no_rows);
    free(places.row_ids);
}
END_TEST

START_TEST(prepared_transactions_take_no_more)
{
    const PlaceOptions options = {.snapshot = {.position = 1}};
    uint64_t count;
    commit_rows(&fixture, &table, 1, 1, 0, SMALL);
    RowPlaces places = find_places(&fixture, &table, SMALL, &options);
    write_rows(&fixture, &table, 2, 1, SMALL, 10);
    TableDeleter *deleter = open_deleter(&fixture, &table, (Snapshot){1, 2, 2});
    must(table_deleter_add(deleter, places.row_ids, 1));
    must(store_prepare(fixture.store, 2));
    expect_error(table_deleter_finish(deleter, &count), SQLSTATE_OBJECT_NOT_IN_PREREQUISITE_STATE,
                 "is prepared");
    table_deleter_destroy(deleter);
    must(store_abort(fixture.store, 2));
    free(places.row_ids);
}
END_TEST

/* A row group without rows is not read, and is not counted. */
START_TEST(deleted_row_groups_are_skipped)
{
    static const uint32_t columns[1] = {COLUMN_NOTE};
    const DeleteRange group = {0, 65536, 1, 0};
    ScanStatistics statistics;
    TableUsage *usage;
    uint32_t slices;
    commit_rows(&fixture, &table, 1, 1, 0, BIG);
    commit_delete(&fixture, &table, 2, 2, group);
    const Snapshot snapshot = {.position = 2};
    const ScanRequest request = {.store = fixture.store,
                                 .table = &table.table,
                                 .snapshot = snapshot,
                                 .column_count = 1,
                                 .columns = columns,
                                 .budget = fixture.budget};
    TableScan *scan;
    TableScanLocal *local;
    bool is_done = false;
    must(table_scan_open(&request, fixture.arena, &scan));
    ck_assert_uint_eq(table_scan_row_estimate(scan), BIG - 65536);
    must(table_scan_local_create(scan, NULL, fixture.arena, &local));
    while (!is_done) {
        Batch batch;
        must(table_scan_next(local, &batch, &is_done));
        must(batch_load_all(&batch));
    }
    table_scan_statistics(scan, &statistics);
    ck_assert_uint_eq(statistics.row_groups_skipped, 1);
    ck_assert_uint_eq(statistics.row_groups_read, 1);
    ck_assert_uint_eq(statistics.rows_out, BIG - 65536);
    ck_assert_uint_eq(statistics.rows_seen, BIG - 65536);
    table_scan_local_destroy(local);
    table_scan_close(scan);
    for (uint64_t position = 1; position <= 2; position++) {
        const Snapshot at = {.position = position};
        uint64_t rows = 0;
        must(store_table_usage(fixture.store, 10, &at, fixture.arena, &usage, &slices));
        for (uint32_t i = 0; i < slices; i++) {
            rows += usage[i].rows;
        }
        ck_assert_uint_eq(rows, position == 1 ? BIG : BIG - 65536);
    }
    const DeleteRange all = {0, BIG, 1, 0};
    commit_delete(&fixture, &table, 3, 3, all);
    expect_without(&fixture, &table, (Snapshot){.position = 3}, BIG, all);
    expect_without(&fixture, &table, (Snapshot){.position = 2}, BIG, group);
}
END_TEST

START_TEST(prepared_deletes_survive_restarts)
{
    const int64_t count = sizes[_i % 2];
    const bool is_commit = _i / 2 == 1;
    const DeleteRange some = {0, count, 4, 3};
    uint64_t txn = 0;
    commit_rows(&fixture, &table, 1, 1, 0, (uint32_t)count);
    delete_rows(&fixture, &table, (Snapshot){1, 2, 1}, (DeleteRange){0, count, 8, 3});
    delete_rows(&fixture, &table, (Snapshot){1, 2, 2}, some);
    must(store_prepare(fixture.store, 2));
    fixture_reopen(&fixture);
    ck_assert_uint_eq(store_prepared(fixture.store, &txn, 1), 1);
    ck_assert_uint_eq(txn, 2);
    must(store_abort_unprepared(fixture.store, 100));
    expect_without(&fixture, &table, (Snapshot){.position = 9}, count, no_rows);
    if (is_commit) {
        must(store_commit(fixture.store, 2, 2));
    } else {
        must(store_abort(fixture.store, 2));
    }
    for (int open = 0; open < 2; open++) {
        expect_without(&fixture, &table, (Snapshot){.position = 2}, count,
                       is_commit ? some : no_rows);
        expect_without(&fixture, &table, (Snapshot){.position = 1}, count, no_rows);
        fixture_reopen(&fixture);
        ck_assert_uint_eq(store_prepared(fixture.store, &txn, 1), 0);
    }
}
END_TEST

/* Outcomes at positions in any order give the same. */
START_TEST(positions_may_come_in_any_order)
{
    const DeleteRange evens = {0, SMALL, 2, 0}, odds = {0, SMALL, 2, 1}, all = {0, SMALL, 1, 0};
    commit_rows(&fixture, &table, 1, 1, 0, SMALL);
    delete_rows(&fixture, &table, (Snapshot){1, 2, 1}, evens);
    delete_rows(&fixture, &table, (Snapshot){1, 3, 1}, odds);
    must(store_prepare(fixture.store, 2));
    must(store_prepare(fixture.store, 3));
    must(store_commit(fixture.store, 3, 7));
    must(store_commit(fixture.store, 2, 5));
    for (int open = 0; open < 2; open++) {
        expect_without(&fixture, &table, (Snapshot){.position = 4}, SMALL, no_rows);
        expect_without(&fixture, &table, (Snapshot){.position = 6}, SMALL, evens);
        expect_without(&fixture, &table, (Snapshot){.position = 7}, SMALL, all);
        fixture_reopen(&fixture);
    }
}
END_TEST

/* Many workers add rows of all row groups, some of them twice. */
typedef struct AddWork {
    pthread_t thread;
    TableDeleter *deleter;
    const RowPlaces *places;
    int64_t first;
} AddWork;

static void *add_part(void *object)
{
    const AddWork *work = object;
    for (int64_t id = work->first; id + 1000 <= BIG; id += 2000) {
        must(table_deleter_add(work->deleter, work->places->row_ids + id, 1000));
    }
    return NULL;
}

START_TEST(workers_add_in_parallel)
{
    const PlaceOptions options = {.snapshot = {.position = 1}};
    AddWork work[4];
    uint64_t count;
    commit_rows(&fixture, &table, 1, 1, 0, BIG);
    RowPlaces places = find_places(&fixture, &table, BIG, &options);
    TableDeleter *deleter = open_deleter(&fixture, &table, (Snapshot){1, 2, 1});
    for (int i = 0; i < 4; i++) {
        work[i] = (AddWork){.deleter = deleter, .places = &places, .first = i * 500};
        ck_assert_int_eq(pthread_create(&work[i].thread, NULL, add_part, &work[i]), 0);
    }
    for (int i = 0; i < 4; i++) {
        pthread_join(work[i].thread, NULL);
    }
    must(table_deleter_finish(deleter, &count));
    ck_assert_uint_eq(count, BIG);
    table_deleter_destroy(deleter);
    free(places.row_ids);
}
END_TEST

/* Rows left in a batch, by its mask or its selection. */
static uint64_t count_left(Batch *batch, uint8_t *seen)
{
    const Vector *ids;
    uint64_t count = 0;
    must(batch_column(batch, 0, &ids));
    for (uint32_t row = 0; batch_is_masked(batch) && row < batch->row_count; row++) {
        if (validity_get(batch->mask->words, row)) {
            seen[vector_value(ids, row).i64]++;
            count++;
        }
    }
    for (uint32_t k = 0; !batch_is_masked(batch) && k < batch->selected_count; k++) {
        seen[vector_value(ids, batch_row(batch, k)).i64]++;
        count++;
    }
    return count;
}

/* Who takes masks gets vectors with few deleted rows as they are; with many, their rows only. */
START_TEST(few_deleted_rows_stay_as_masks)
{
    static const DeleteRange one_of_50 = {0, BIG, 50, 7}, most = {60000, BIG, 10, 3};
    static const uint32_t columns[1] = {COLUMN_ID};
    const bool may_mask = _i == 0;
    uint32_t masked = 0, chosen = 0;
    commit_rows(&fixture, &table, 1, 1, 0, BIG);
    commit_delete(&fixture, &table, 2, 2, one_of_50);
    for (int64_t phase = 0; phase < 9; phase++) { // nine in ten rows of the end
        DeleteRange range = most;
        range.phase = phase;
        commit_delete(&fixture, &table, 3 + (uint64_t)phase, 3 + (uint64_t)phase, range);
    }
    const ScanRequest request = {.store = fixture.store,
                                 .table = &table.table,
                                 .snapshot = {.position = 11},
                                 .column_count = 1,
                                 .columns = columns,
                                 .batch_rows = VECTOR_ROWS,
                                 .budget = fixture.budget,
                                 .may_mask = may_mask};
    Arena *arena = arena_create(NULL, "mask_arena");
    uint8_t *seen = calloc(BIG, 1);
    TableScan *scan;
    TableScanLocal *local;
    must(table_scan_open(&request, arena, &scan));
    must(table_scan_local_create(scan, NULL, arena, &local));
    for (bool is_done = false; !is_done;) {
        Batch batch;
        must(table_scan_next(local, &batch, &is_done));
        if (!is_done) {
            ck_assert_uint_eq(count_left(&batch, seen), batch.selected_count);
            masked += batch_is_masked(&batch);
            chosen += batch.selection != NULL;
        }
    }
    ck_assert_uint_eq(masked, may_mask ? 58 : 0); // number 58 holds both kinds
    ck_assert_uint_eq(masked + chosen, 88);
    for (int64_t id = 0; id < BIG; id++) {
        const bool is_gone = range_has(&one_of_50, id) || (id >= 60000 && id % 10 < 9);
        EXPECT(seen[id] == !is_gone, "row %lld seen %u times", (long long)id, seen[id]);
    }
    table_scan_local_destroy(local);
    table_scan_close(scan);
    arena_destroy(arena);
    free(seen);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("table_deleter");
    TCase *tests = tcase_create("deletes");
    tcase_set_timeout(tests, 240);
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_test(tests, row_ids_do_not_depend_on_batches);
    tcase_add_test(tests, row_ids_are_those_of_rows_that_pass);
    tcase_add_loop_test(tests, deletes_are_seen_when_they_should_be, 0, 2);
    tcase_add_loop_test(tests, aborts_forget_deletes, 0, 4);
    tcase_add_test(tests, statements_are_rolled_back);
    tcase_add_loop_test(tests, own_rows_can_be_deleted, 0, 2);
    tcase_add_test(tests, rows_are_counted_once);
    tcase_add_test(tests, unknown_rows_are_refused);
    tcase_add_test(tests, prepared_transactions_take_no_more);
    tcase_add_test(tests, deleted_row_groups_are_skipped);
    tcase_add_loop_test(tests, prepared_deletes_survive_restarts, 0, 4);
    tcase_add_test(tests, positions_may_come_in_any_order);
    tcase_add_test(tests, workers_add_in_parallel);
    tcase_add_loop_test(tests, few_deleted_rows_stay_as_masks, 0, 2);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    const int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
