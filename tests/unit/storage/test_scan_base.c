/* test_scan_base.c — scans of columns stored as differences: with the base in the request or not,
 * in whole vectors and small windows, under predicates, with nulls; inspection; sorted tables. */
#include "storage/inspect.h"
#include "store_fixture.h"

enum { COLUMN_SHIP = 1, COLUMN_COMMIT, COLUMN_RECEIPT, DATE_COLUMNS };
#define ROWS 90000

static StoreFixture fixture;
static PlanTable dates;
static struct PlanTableColumn date_columns[DATE_COLUMNS];
static uint32_t sort_keys[1] = {COLUMN_SHIP};

static Value date_value(int64_t id, uint32_t column)
{
    Value value = {.type = date_columns[column].type};
    const int64_t ship = 8000 + (int64_t)(row_random(id, 1) % 2500);
    const uint64_t random = row_random(id, column);
    value.i64 = column == COLUMN_ID       ? id
                : column == COLUMN_SHIP   ? ship
                : column == COLUMN_COMMIT ? ship - 90 + (int64_t)(random % 150)
                                          : ship + 1 + (int64_t)(random % 30);
    value.is_null = column == COLUMN_RECEIPT && random % 41 == 0;
    return value;
}

static void init_table(uint64_t table_id, bool is_sorted)
{
    static const char *const names[DATE_COLUMNS] = {"id", "ship", "commit", "receipt"};
    for (uint32_t i = 0; i < DATE_COLUMNS; i++) {
        const Type type = type_of(i == COLUMN_ID ? TYPE_BIGINT : TYPE_DATE);
        date_columns[i] = (struct PlanTableColumn){
            .column_id = i + 1, .name = names[i], .type = type, .default_value = value_null(type)};
    }
    dates = (PlanTable){.table_id = table_id,
                        .name = "public.dates",
                        .style = DISTRIBUTION_STYLE_KEY,
                        .column_count = DATE_COLUMNS,
                        .columns = date_columns,
                        .sort_keys = sort_keys,
                        .sort_key_count = is_sorted ? 1 : 0};
}

static void write_dates(uint64_t txn)
{
    const TableWriteOptions options = {.store = fixture.store,
                                       .table = &dates,
                                       .txn_id = txn,
                                       .statement = 1,
                                       .row_group_rows = 20000,
                                       .budget = fixture.budget};
    Type types[DATE_COLUMNS];
    TableWriter *writer;
    TableWriterLocal *local;
    Arena *arena = arena_create(NULL, "rows_arena");
    Value *cells = ARENA_ARRAY(arena, Value, (size_t)ROWS * DATE_COLUMNS);
    for (uint32_t c = 0; c < DATE_COLUMNS; c++) {
        types[c] = date_columns[c].type;
    }
    for (int64_t id = 0; id < ROWS; id++) {
        for (uint32_t c = 0; c < DATE_COLUMNS; c++) {
            cells[id * DATE_COLUMNS + c] = date_value(id, c);
        }
    }
    Batch *batches;
    uint32_t batch_count;
    value_batches(arena, types, DATE_COLUMNS, cells, ROWS, &batches, &batch_count);
    must(table_writer_create(&options, &writer));
    must(table_writer_local_create(writer, &local));
    for (uint32_t i = 0; i < batch_count; i++) {
        must(table_writer_append(local, &batches[i]));
    }
    must(table_writer_local_finish(local));
    must(table_writer_finish(writer));
    table_writer_destroy(writer);
    must(store_prepare(fixture.store, txn));
    must(store_commit(fixture.store, txn, txn));
    arena_destroy(arena);
}

static void setup(void)
{
    fixture_open(&fixture);
    init_table(10, false);
    write_dates(1);
}

static void teardown(void)
{
    fixture_close(&fixture);
}

/* Scans `columns`, the id the first of them, and compares each row; returns their count. */
static uint64_t scan_dates(const uint32_t *columns, uint32_t column_count, uint32_t batch_rows,
                           const ScanPredicate *predicate)
{
    Arena *arena = arena_create(NULL, "scan_arena");
    const ScanRequest request = {.store = fixture.store,
                                 .table = &dates,
                                 .snapshot = {.position = 1000},
                                 .column_count = column_count,
                                 .columns = columns,
                                 .predicate_count = predicate == NULL ? 0 : 1,
                                 .predicates = predicate,
                                 .batch_rows = batch_rows,
                                 .budget = fixture.budget};
    TableScan *scan;
    TableScanLocal *local;
    uint64_t count = 0;
    bool is_done = false;
    must(table_scan_open(&request, arena, &scan));
    must(table_scan_local_create(scan, NULL, arena, &local));
    while (!is_done) {
        Batch batch;
        must(table_scan_next(local, &batch, &is_done));
        const Vector *vectors[DATE_COLUMNS];
        for (uint32_t c = column_count; c > 0; c--) { // bases may come after who needs them
            must(batch_column(&batch, c - 1, &vectors[c - 1]));
        }
        for (uint32_t k = 0; k < batch.selected_count; k++) {
            const uint32_t row = batch_row(&batch, k);
            const int64_t id = vector_value(vectors[0], row).i64;
            for (uint32_t c = 1; c < column_count; c++) {
                const Value expected = date_value(id, columns[c]);
                const Value found = vector_value(vectors[c], row);
                EXPECT(expected.is_null == found.is_null &&
                           (found.is_null || expected.i64 == found.i64),
                       "row %lld column %u", (long long)id, columns[c]);
            }
        }
        count += batch.selected_count;
    }
    table_scan_local_destroy(local);
    table_scan_close(scan);
    arena_destroy(arena);
    return count;
}

static const struct {
    uint32_t count, columns[DATE_COLUMNS];
} column_sets[] = {{2, {COLUMN_ID, COLUMN_RECEIPT}},
                   {3, {COLUMN_ID, COLUMN_COMMIT, COLUMN_RECEIPT}},
                   {3, {COLUMN_ID, COLUMN_SHIP, COLUMN_RECEIPT}},
                   {3, {COLUMN_ID, COLUMN_RECEIPT, COLUMN_SHIP}},
                   {4, {COLUMN_ID, COLUMN_COMMIT, COLUMN_SHIP, COLUMN_RECEIPT}}};

START_TEST(reads_with_and_without_the_base)
{
    static const uint32_t batch_rows[] = {0, 100, 3};
    for (size_t i = 0; i < 3; i++) {
        ck_assert_uint_eq(
            scan_dates(column_sets[_i].columns, column_sets[_i].count, batch_rows[i], NULL), ROWS);
    }
}
END_TEST

START_TEST(filters_differences)
{
    const Type date = type_of(TYPE_DATE);
    for (uint32_t width = 1; width < 3000; width *= 7) {
        const Predicate range = {.kind = PREDICATE_RANGE,
                                 .type = date,
                                 .has_lo = true,
                                 .has_hi = true,
                                 .lo = value_int64(date, 9000),
                                 .hi = value_int64(date, 9000 + width)};
        const uint32_t column = column_sets[_i].columns[1];
        uint64_t wanted = 0;
        for (int64_t id = 0; id < ROWS; id++) {
            const Value value = date_value(id, column);
            wanted += !value.is_null && predicate_accepts(&range, &value);
        }
        const ScanPredicate predicate = {1, &range};
        ck_assert_uint_eq(scan_dates(column_sets[_i].columns, column_sets[_i].count, 0, &predicate),
                          wanted);
    }
}
END_TEST

static void inspect(bool has_differences)
{
    ByteBuffer text;
    InspectReport report;
    byte_buffer_init(&text, (size_t)1 << 24);
    must(inspect_path(file_system_os(), fixture.directory, true, &text, &report));
    byte_buffer_add(&text, "", 1);
    ck_assert_uint_eq(report.faults, 0);
    const char *found = strstr((const char *)text.data, "difference from column 2,");
    ck_assert_int_eq(found != NULL, has_differences);
    byte_buffer_deinit(&text);
}

START_TEST(inspection_finds_the_base)
{
    inspect(true);
}
END_TEST

START_TEST(sorted_tables_do_without)
{
    fixture_close(&fixture);
    fixture_open(&fixture);
    init_table(11, true);
    write_dates(1);
    inspect(false);
    ck_assert_uint_eq(scan_dates(column_sets[4].columns, column_sets[4].count, 0, NULL), ROWS);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("scan_base");
    TCase *tests = tcase_create("scan_base");
    tcase_set_timeout(tests, 120);
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_loop_test(tests, reads_with_and_without_the_base, 0, 5);
    tcase_add_loop_test(tests, filters_differences, 0, 5);
    tcase_add_test(tests, inspection_finds_the_base);
    tcase_add_test(tests, sorted_tables_do_without);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    const int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
