/* test_table_merger.c — merges: rows before and after, order, what older snapshots see, who yields
 * to whom, what restarts and aborts leave. */
#include "base/fault.h"
#include "delete_fixture.h"
#include "storage/manifest.h"
#include "storage/store_internal.h"

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

static void sort_by(uint32_t first, uint32_t second)
{
    table.sort_keys[0] = first;
    table.sort_keys[1] = second;
    table.table.sort_key_count = 2;
}

/* Merges in a transaction that is not yet prepared; returns the rows read. */
static uint64_t merge_rows(uint64_t txn, uint64_t position, VacuumMode mode)
{
    const TableMergeOptions options = {
        .store = fixture.store,
        .table = &table.table,
        .snapshot = {.position = position, .txn_id = txn, .statement = 1},
        .row_group_rows = 4096,
        .mode = mode,
        .percent = 100,
        .idle_rows_max = 1u << 24,
        .ratio = 4,
        .runs_max = 8,
        .deleted_percent = 20,
        .budget = fixture.budget};
    TableMerger *merger;
    must(table_merger_create(&options, &merger));
    for (bool is_done = false; !is_done;) {
        must(table_merger_step(merger, &is_done));
    }
    const uint64_t rows = table_merger_row_count(merger);
    table_merger_destroy(merger);
    return rows;
}

static uint64_t commit_merge(uint64_t txn, uint64_t position, VacuumMode mode)
{
    const uint64_t rows = merge_rows(txn, position - 1, mode);
    must(store_prepare(fixture.store, txn));
    must(store_commit(fixture.store, txn, position));
    return rows;
}

static void expect_yield(uint64_t txn)
{
    Status status = store_prepare(fixture.store, txn);
    ck_assert(status != STATUS_OK);
    EXPECT(status_sqlstate(status) == SQLSTATE_SERIALIZATION_FAILURE, "%s", status_message(status));
    status_free(status);
    must(store_abort(fixture.store, txn));
}

static TableUsage usage_at(uint64_t position)
{
    TableUsage all = {0}, *slices;
    uint32_t count;
    const Snapshot snapshot = {.position = position};
    must(store_table_usage(fixture.store, 10, &snapshot, fixture.arena, &slices, &count));
    for (uint32_t i = 0; i < count; i++) {
        all.rows += slices[i].rows;
        all.bytes += slices[i].bytes;
        all.rowsets += slices[i].rowsets;
        all.insert_batches += slices[i].insert_batches;
    }
    return all;
}

static uint32_t count_files(void)
{
    char command[160], line[32] = "";
    snprintf(command, sizeof command, "find '%s' -name '*.rows' | wc -l", fixture.directory);
    FILE *pipe = popen(command, "r");
    ck_assert_ptr_nonnull(fgets(line, sizeof line, pipe));
    pclose(pipe);
    return (uint32_t)atoi(line);
}

/* Every rowset's rows ascend by the sort key, and no two of a slice overlap. */
static void expect_order(uint64_t position)
{
    VisibleRows *visible;
    uint32_t count;
    const uint32_t columns[2] = {table.sort_keys[0], table.sort_keys[1]};
    Arena *arena = arena_create(NULL, "order_arena");
    const Snapshot snapshot = {.position = position};
    must(manifest_visible(fixture.store->manifest, 10, &snapshot, arena, &visible, &count));
    Value *firsts = ARENA_ARRAY(arena, Value, count), *lasts = ARENA_ARRAY(arena, Value, count);
    for (uint32_t i = 0; i < count; i++) {
        ck_assert_int_eq(visible[i].rows->kind, ROWS_FILE);
        ck_assert_ptr_null(visible[i].deleted);
    }
    const ScanRequest request = {.store = fixture.store,
                                 .table = &table.table,
                                 .snapshot = snapshot,
                                 .column_count = 2,
                                 .columns = columns,
                                 .has_row_ids = true,
                                 .budget = fixture.budget};
    TableScan *scan;
    TableScanLocal *local;
    must(table_scan_open(&request, arena, &scan));
    must(table_scan_local_create(scan, NULL, arena, &local));
    uint64_t former = 0;
    uint32_t at = UINT32_MAX;
    for (bool is_done = false; !is_done;) {
        Batch batch;
        const Vector *keys;
        must(table_scan_next(local, &batch, &is_done));
        must(batch_column(&batch, 0, &keys));
        for (uint32_t k = 0; k < batch.selected_count; k++) {
            const uint32_t row = batch_row(&batch, k);
            const Value value = vector_value(keys, row);
            const uint64_t rowset = (uint64_t)vector_value(&batch.columns[2], row).i64 >> 22;
            if (rowset != former) {
                former = rowset;
                for (at = 0; visible[at].rows->rowset_id != rowset;) {
                    at++;
                }
                firsts[at] = value;
            } else {
                EXPECT(value.is_null || (!lasts[at].is_null && lasts[at].i64 <= value.i64),
                       "rowset %llu is not in order", (unsigned long long)rowset);
            }
            lasts[at] = value;
        }
    }
    table_scan_local_destroy(local);
    table_scan_close(scan);
    for (uint32_t i = 0; i < count; i++) {
        for (uint32_t k = 0; k < count; k++) {
            const bool is_apart = i == k || visible[i].rows->slice != visible[k].rows->slice ||
                                  (!lasts[i].is_null && lasts[i].i64 <= firsts[k].i64) ||
                                  (!lasts[k].is_null && lasts[k].i64 <= firsts[i].i64) ||
                                  firsts[i].is_null || firsts[k].is_null;
            EXPECT(is_apart, "rowsets overlap");
        }
    }
    manifest_unpin_visible(visible, count);
    arena_destroy(arena);
}

#define LOAD 21000
#define LOADS 4
#define PARTS 2 /* INSERT batches per load */
#define ALL (LOAD * LOADS)

static const DeleteRange evens = {0, ALL, 2, 0};

/* Loads, small inserts, deletes: the next position. */
static uint64_t fill_table(DeleteRange deleted)
{
    uint64_t position = 1;
    for (int64_t i = 0; i < LOADS; i++, position++) {
        commit_rows(&fixture, &table, position, position, i * LOAD, LOAD - 40);
    }
    for (int64_t i = 0; i < LOADS; i++) {
        for (int64_t part = 0; part < PARTS; part++, position++) {
            commit_rows(&fixture, &table, position, position,
                        (i + 1) * LOAD - 40 + part * (40 / PARTS), 40 / PARTS);
        }
    }
    commit_delete(&fixture, &table, position, position, deleted);
    return position + 1;
}

START_TEST(full_merges_sort_and_drop)
{
    const DeleteRange thirds = {0, ALL, 3, 1};
    const uint32_t keys[2][2] = {{COLUMN_DAY, COLUMN_ID}, {COLUMN_PRICE, COLUMN_NOTE}};
    const DistributionStyle styles[3] = {DISTRIBUTION_STYLE_EVEN, DISTRIBUTION_STYLE_KEY,
                                         DISTRIBUTION_STYLE_ALL};
    test_table_init(&table, 10, styles[_i % 3]);
    sort_by(keys[_i / 3][0], keys[_i / 3][1]);
    uint64_t position = fill_table(thirds);
    const uint64_t before = position - 1;
    while (commit_merge(position, position, VACUUM_FULL) > 0) {
        position++;
        EXPECT(position < before + 20, "still merging");
    }
    expect_order(position);
    const TableUsage usage = usage_at(position);
    ck_assert_uint_eq(usage.rows, ALL - ALL / 3);
    ck_assert_uint_eq(usage.insert_batches, 0);
    EXPECT(usage.rowsets <= 4, "%llu rowsets", (unsigned long long)usage.rowsets);
    for (int open = 0; open < 2; open++) {
        expect_without(&fixture, &table, (Snapshot){.position = position}, ALL, thirds);
        expect_without(&fixture, &table, (Snapshot){.position = before}, ALL, thirds);
        expect_without(&fixture, &table, (Snapshot){.position = before - 1}, ALL, no_rows);
        fixture_reopen(&fixture);
    }
    store_set_horizon(fixture.store, position);
    ck_assert_uint_eq(count_files(), usage.rowsets);
    expect_without(&fixture, &table, (Snapshot){.position = position}, ALL, thirds);
}
END_TEST

START_TEST(text_keys_sort)
{
    test_table_init(&table, 10, DISTRIBUTION_STYLE_ALL);
    sort_by(COLUMN_NOTE, COLUMN_FLAG);
    uint64_t position = fill_table(no_rows);
    while (commit_merge(position, position, VACUUM_FULL) > 0) {
        position++;
        EXPECT(position < 60, "still merging");
    }
    static const uint32_t columns[1] = {COLUMN_NOTE};
    const ScanRequest request = {.store = fixture.store,
                                 .table = &table.table,
                                 .snapshot = {.position = position},
                                 .column_count = 1,
                                 .columns = columns,
                                 .has_exclusive_replica = true,
                                 .budget = fixture.budget};
    TableScan *scan;
    TableScanLocal *local;
    char last[128] = "";
    size_t last_bytes = 0;
    bool was_null = false;
    uint64_t count = 0;
    must(table_scan_open(&request, fixture.arena, &scan));
    must(table_scan_local_create(scan, NULL, fixture.arena, &local));
    for (bool is_done = false; !is_done;) {
        Batch batch;
        const Vector *notes;
        must(table_scan_next(local, &batch, &is_done));
        must(batch_column(&batch, 0, &notes));
        for (uint32_t k = 0; k < batch.selected_count; k++, count++) {
            const Value value = vector_value(notes, batch_row(&batch, k));
            const TextView former = text_view_make(last, last_bytes);
            EXPECT(value.is_null || (!was_null && text_view_compare(&former, &value.text) <= 0),
                   "row %llu is out of order", (unsigned long long)count);
            was_null = value.is_null;
            if (!was_null) {
                last_bytes = value.text.length;
                memcpy(last, text_view_data(&value.text), last_bytes);
            }
        }
    }
    ck_assert_uint_eq(count, ALL);
    table_scan_local_destroy(local);
    table_scan_close(scan);
}
END_TEST

START_TEST(unsorted_tables_lose_deleted_rows)
{
    const DeleteRange half = {0, ALL, 2, 0};
    uint64_t position = fill_table(half);
    const TableUsage before = usage_at(position - 1);
    ck_assert_uint_gt(commit_merge(position, position, VACUUM_FULL), 0);
    ck_assert_uint_eq(commit_merge(position + 1, position + 1, VACUUM_FULL), 0);
    const TableUsage usage = usage_at(position + 1);
    EXPECT(usage.rowsets <= 2 && before.rowsets >= LOADS && usage.insert_batches == 0 &&
               before.insert_batches == PARTS * LOADS,
           "%llu rowsets of %llu", (unsigned long long)usage.rowsets,
           (unsigned long long)before.rowsets);
    EXPECT(usage.bytes < before.bytes, "%llu of %llu bytes", (unsigned long long)usage.bytes,
           (unsigned long long)before.bytes);
    expect_without(&fixture, &table, (Snapshot){.position = position}, ALL, half);
}
END_TEST

START_TEST(other_modes)
{
    const DeleteRange half = {0, LOAD, 2, 0};
    sort_by(COLUMN_DAY, COLUMN_ID);
    uint64_t position = fill_table(half);
    ck_assert_uint_gt(commit_merge(position, position, VACUUM_DELETE_ONLY), 0);
    ck_assert_uint_gt(usage_at(position).rowsets, 2); // neither joined nor merged
    expect_without(&fixture, &table, (Snapshot){.position = position}, ALL, half);
    ck_assert_uint_eq(commit_merge(position + 1, position + 1, VACUUM_DELETE_ONLY), 0);
    for (position += 2; commit_merge(position, position, VACUUM_SORT_ONLY) > 0; position++) {
        EXPECT(position < 60, "still merging");
    }
    expect_order(position);
    expect_without(&fixture, &table, (Snapshot){.position = position}, ALL, half);
}
END_TEST

START_TEST(wholly_deleted_rowsets_vanish)
{
    const DeleteRange everything = {0, ALL, 1, 0};
    if (_i == 1) {
        sort_by(COLUMN_DAY, COLUMN_ID);
    }
    const uint64_t position = fill_table(everything);
    ck_assert_uint_gt(commit_merge(position, position, VACUUM_FULL), 0);
    ck_assert_uint_eq(usage_at(position).rowsets + usage_at(position).insert_batches, 0);
    store_set_horizon(fixture.store, position);
    ck_assert_uint_eq(count_files(), 0);
}
END_TEST

START_TEST(idle_merges_join_small_inserts)
{
    if (_i == 1) {
        sort_by(COLUMN_DAY, COLUMN_ID);
    }
    for (uint64_t i = 0; i < 12; i++) {
        commit_rows(&fixture, &table, i + 1, i + 1, (int64_t)i * 10, 10);
    }
    ck_assert_uint_gt(commit_merge(13, 13, VACUUM_IDLE), 0);
    ck_assert_uint_eq(usage_at(13).insert_batches, 0);
    ck_assert_uint_eq(commit_merge(14, 14, VACUUM_IDLE), 0);
    expect_rows(&fixture, &table, (Snapshot){.position = 14}, 0, 120, 120);
}
END_TEST

/* Aborted, or never prepared before the process ended: as if it had not been. */
START_TEST(aborted_merges_leave_nothing)
{
    sort_by(COLUMN_DAY, COLUMN_ID);
    const uint64_t position = fill_table(no_rows);
    const uint32_t files = count_files();
    merge_rows(position, position - 1, VACUUM_FULL);
    ck_assert_uint_gt(count_files(), files);
    if (_i == 0) {
        must(store_abort(fixture.store, position));
    } else if (_i == 1) {
        must(store_prepare(fixture.store, position));
        must(store_abort(fixture.store, position));
    } else {
        fixture_reopen(&fixture);
    }
    ck_assert_uint_eq(count_files(), files);
    expect_rows(&fixture, &table, (Snapshot){.position = position}, 0, ALL, ALL);
}
END_TEST

START_TEST(prepared_merges_survive_restarts)
{
    const DeleteRange thirds = {0, ALL, 3, 1};
    sort_by(COLUMN_DAY, COLUMN_ID);
    const uint64_t position = fill_table(thirds);
    merge_rows(position, position - 1, VACUUM_FULL);
    must(store_prepare(fixture.store, position));
    fixture_reopen(&fixture);
    expect_without(&fixture, &table, (Snapshot){.position = position}, ALL, thirds);
    // What it drops may not be dropped by others: its rows would come back.
    const Snapshot snapshot = {.position = position - 1, .txn_id = 900, .statement = 1};
    must(store_truncate_table(fixture.store, 10, &snapshot));
    expect_yield(900);
    if (_i == 0) {
        must(store_commit(fixture.store, position, position));
        const TableUsage before = usage_at(position - 1), after = usage_at(position);
        EXPECT(before.insert_batches == PARTS * LOADS && after.insert_batches == 0, "%llu batches",
               (unsigned long long)after.insert_batches);
        EXPECT(after.rowsets <= before.rowsets, "%llu rowsets", (unsigned long long)after.rowsets);
    } else {
        must(store_abort(fixture.store, position));
    }
    expect_without(&fixture, &table, (Snapshot){.position = position}, ALL, thirds);
}
END_TEST

#ifdef BASALT_FAULTS
/* Whatever fails, the transaction can only end, and nothing has happened. */
START_TEST(failed_merges_leave_nothing)
{
    static const char *const points[] = {
        "storage.merge_step", "storage.merge_drop", "storage.before_rowset",
        "file.write",         "file.read",          "memory.alloc"};
    const char *point = points[_i / 2];
    const int hit = 1 + 9 * (_i % 2);
    char specification[64];
    sort_by(COLUMN_DAY, COLUMN_ID);
    const uint64_t position = fill_table(evens);
    fixture_reopen(&fixture); // blocks are read from the files again
    const uint32_t files = count_files();
    const TableMergeOptions options = {
        .store = fixture.store,
        .table = &table.table,
        .snapshot = {.position = position - 1, .txn_id = 500, .statement = 1},
        .row_group_rows = 4096,
        .mode = VACUUM_FULL,
        .percent = 100,
        .ratio = 4,
        .runs_max = 8,
        .budget = fixture.budget};
    TableMerger *merger = NULL;
    snprintf(specification, sizeof specification, "%s=%s:%d", point,
             strcmp(point, "memory.alloc") == 0 ? "nomem" : "error", hit);
    must(fault_arm(specification));
    Status status = table_merger_create(&options, &merger);
    for (bool is_done = false; status == STATUS_OK && !is_done;) {
        status = table_merger_step(merger, &is_done);
    }
    fault_disarm_all();
    if (status != STATUS_OK) {
        table_merger_destroy(merger);
        status_free(status);
        must(store_abort(fixture.store, 500));
        ck_assert_uint_eq(count_files(), files);
    } else { // the point was not reached so often
        table_merger_destroy(merger);
        must(store_prepare(fixture.store, 500));
        must(store_commit(fixture.store, 500, position));
    }
    expect_without(&fixture, &table, (Snapshot){.position = position}, ALL, evens);
}
END_TEST
#endif

/* Who changes the table during a merge. */
typedef enum Rival { DELETES, TRUNCATES, DROPS, RIVAL_COUNT } Rival;
typedef enum RivalState { OPEN, PREPARED, COMMITTED, STATE_COUNT } RivalState;

static void rival_acts(Rival rival, uint64_t txn, uint64_t position)
{
    const Snapshot snapshot = {.position = position, .txn_id = txn, .statement = 1};
    if (rival == DELETES) {
        delete_rows(&fixture, &table, snapshot, evens);
    } else if (rival == TRUNCATES) {
        must(store_truncate_table(fixture.store, 10, &snapshot));
    } else {
        must(store_drop_table(fixture.store, 10, &snapshot));
    }
}

static DeleteRange gone_after(Rival rival)
{
    return rival == DELETES ? evens : (DeleteRange){0, ALL, 1, 0};
}

/* Whatever has been done to the rowsets since its snapshot, by whom in whatever state: the merge
 * yields, nothing is lost, nothing comes back. */
START_TEST(merges_yield)
{
    const Rival rival = (Rival)(_i % RIVAL_COUNT);
    const RivalState state = (RivalState)(_i / RIVAL_COUNT);
    sort_by(COLUMN_DAY, COLUMN_ID);
    const uint64_t position = fill_table(no_rows);
    merge_rows(500, position - 1, VACUUM_FULL);
    rival_acts(rival, 400, position - 1);
    if (state >= PREPARED) {
        must(store_prepare(fixture.store, 400));
    }
    if (state == COMMITTED) {
        must(store_commit(fixture.store, 400, position));
    }
    expect_yield(500);
    if (state < PREPARED) {
        must(store_prepare(fixture.store, 400));
    }
    if (state < COMMITTED) {
        must(store_commit(fixture.store, 400, position));
    }
    expect_without(&fixture, &table, (Snapshot){.position = position}, ALL, gone_after(rival));
    commit_merge(600, position + 1, VACUUM_FULL); // tried again
    expect_without(&fixture, &table, (Snapshot){.position = position + 1}, ALL, gone_after(rival));
}
END_TEST

/* A statement that is still looking for rows to delete counts as well. */
START_TEST(merges_yield_to_running_deletes)
{
    const uint64_t position = fill_table(no_rows);
    merge_rows(500, position - 1, VACUUM_FULL);
    TableDeleter *deleter = open_deleter(
        &fixture, &table, (Snapshot){.position = position - 1, .txn_id = 400, .statement = 1});
    expect_yield(500);
    table_deleter_destroy(deleter);
    merge_rows(501, position - 1, VACUUM_FULL);
    must(store_prepare(fixture.store, 501));
    must(store_commit(fixture.store, 501, position));
}
END_TEST

/* The other way round: the merge has voted, or has committed, when others who began before it come.
 * Their changes are refused, but for a drop of the table, which takes the new rowsets, too. */
START_TEST(late_changes_are_refused)
{
    const Rival rival = (Rival)(_i % RIVAL_COUNT);
    const bool is_committed = _i / RIVAL_COUNT >= 1, is_restarted = _i / RIVAL_COUNT == 2;
    sort_by(COLUMN_DAY, COLUMN_ID);
    const uint64_t position = fill_table(no_rows);
    merge_rows(500, position - 1, VACUUM_FULL);
    must(store_prepare(fixture.store, 500));
    if (is_committed) {
        must(store_commit(fixture.store, 500, position));
    }
    if (is_restarted) {
        fixture_reopen(&fixture);
    }
    rival_acts(rival, 400, position - 1);
    if (rival == DROPS) {
        must(store_prepare(fixture.store, 400));
    } else {
        expect_yield(400);
    }
    if (!is_committed) {
        must(store_commit(fixture.store, 500, position));
    }
    expect_rows(&fixture, &table, (Snapshot){.position = position}, 0, ALL, ALL);
    if (rival == DROPS) {
        must(store_commit(fixture.store, 400, position + 1));
        expect_rows(&fixture, &table, (Snapshot){.position = position + 1}, 0, 0, ALL);
    }
}
END_TEST

/* Row groups that a scan of a few days reads. */
static uint64_t groups_of_days(uint64_t position)
{
    const Value lo = {.type = type_of(TYPE_DATE), .i64 = 8100};
    const Value hi = {.type = type_of(TYPE_DATE), .i64 = 8109};
    const Predicate predicate = {.kind = PREDICATE_RANGE,
                                 .type = lo.type,
                                 .has_lo = true,
                                 .lo = lo,
                                 .has_hi = true,
                                 .hi = hi};
    const ScanPredicate predicates[1] = {{1, &predicate}};
    static const uint32_t columns[2] = {COLUMN_ID, COLUMN_DAY};
    const ScanRequest request = {.store = fixture.store,
                                 .table = &table.table,
                                 .snapshot = {.position = position},
                                 .column_count = 2,
                                 .columns = columns,
                                 .predicate_count = 1,
                                 .predicates = predicates,
                                 .budget = fixture.budget};
    ScanStatistics statistics;
    TableScan *scan;
    TableScanLocal *local;
    must(table_scan_open(&request, fixture.arena, &scan));
    must(table_scan_local_create(scan, NULL, fixture.arena, &local));
    for (bool is_done = false; !is_done;) {
        Batch batch;
        must(table_scan_next(local, &batch, &is_done));
    }
    table_scan_local_destroy(local);
    table_scan_statistics(scan, &statistics);
    table_scan_close(scan);
    return statistics.row_groups_read;
}

START_TEST(ranges_read_less_afterwards)
{
    sort_by(COLUMN_DAY, COLUMN_ID);
    uint64_t position = fill_table(no_rows);
    const uint64_t before = groups_of_days(position - 1);
    while (commit_merge(position, position, VACUUM_FULL) > 0) {
        position++;
        EXPECT(position < 60, "still merging");
    }
    const uint64_t after = groups_of_days(position);
    EXPECT(before >= LOADS && after <= 4, "%llu row groups, then %llu", (unsigned long long)before,
           (unsigned long long)after); // of two slices: one each, or two
}
END_TEST

/* Memory does not grow with the rows: of four times as many, about as much. */
START_TEST(memory_is_bounded)
{
    sort_by(COLUMN_ID, COLUMN_DAY);
    uint64_t position = 1;
    for (int64_t i = 0; i < 4; i++, position++) { // every load spans the whole range
        TableWriter *writer = open_writer(&fixture, &table, position, 1);
        TableWriterLocal *local;
        must(table_writer_local_create(writer, &local));
        for (int64_t part = 0; part < 20; part++) {
            append_rows(local, &table, part * 20000 + i * 5000, 5000);
        }
        must(table_writer_local_finish(local));
        must(table_writer_finish(writer));
        table_writer_destroy(writer);
        must(store_prepare(fixture.store, position));
        must(store_commit(fixture.store, position, position));
    }
    MemoryBudget *budget = memory_budget_create(fixture.pool, fixture.budget, "merge", 24u << 20);
    const TableMergeOptions options = {.store = fixture.store,
                                       .table = &table.table,
                                       .snapshot = {.position = 4, .txn_id = 5, .statement = 1},
                                       .row_group_rows = 4096,
                                       .mode = VACUUM_FULL,
                                       .percent = 100,
                                       .ratio = 4,
                                       .runs_max = 8,
                                       .budget = budget};
    TableMerger *merger;
    must(table_merger_create(&options, &merger));
    for (bool is_done = false; !is_done;) {
        must(table_merger_step(merger, &is_done));
    }
    ck_assert_uint_eq(table_merger_row_count(merger), 400000);
    table_merger_destroy(merger);
    must(store_prepare(fixture.store, 5));
    must(store_commit(fixture.store, 5, 5));
    memory_budget_destroy(budget);
    expect_order(5);
    expect_rows(&fixture, &table, (Snapshot){.position = 5}, 0, 400000, 400000);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("table_merger");
    TCase *cases = tcase_create("table_merger");
    tcase_set_timeout(cases, 120);
    tcase_add_checked_fixture(cases, setup, teardown);
    tcase_add_loop_test(cases, full_merges_sort_and_drop, 0, 6);
    tcase_add_test(cases, text_keys_sort);
    tcase_add_test(cases, unsorted_tables_lose_deleted_rows);
    tcase_add_test(cases, other_modes);
    tcase_add_loop_test(cases, wholly_deleted_rowsets_vanish, 0, 2);
    tcase_add_loop_test(cases, idle_merges_join_small_inserts, 0, 2);
    tcase_add_loop_test(cases, aborted_merges_leave_nothing, 0, 3);
    tcase_add_loop_test(cases, prepared_merges_survive_restarts, 0, 2);
#ifdef BASALT_FAULTS
    tcase_add_loop_test(cases, failed_merges_leave_nothing, 0, 6 * 2);
#endif
    tcase_add_loop_test(cases, merges_yield, 0, RIVAL_COUNT * STATE_COUNT);
    tcase_add_test(cases, merges_yield_to_running_deletes);
    tcase_add_loop_test(cases, late_changes_are_refused, 0, 3 * RIVAL_COUNT);
    tcase_add_test(cases, ranges_read_less_afterwards);
    tcase_add_test(cases, memory_is_bounded);
    suite_add_tcase(suite, cases);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    const int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
