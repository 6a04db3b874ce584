/* test_table.c — rows written come back: distribution styles, sizes, snapshots, sort keys. */
#include "store_fixture.h"

static StoreFixture fixture;

static void setup(void)
{
    fixture_open(&fixture);
}

static void teardown(void)
{
    fixture_close(&fixture);
}

static const uint32_t row_counts[] = {1, 5, 1000, 1025, 9000, 70000, 200000};
#define ROW_COUNTS (sizeof row_counts / sizeof row_counts[0])

START_TEST(rows_written_come_back)
{
    TestTable table;
    const DistributionStyle style = (DistributionStyle)(_i % 3);
    const uint32_t count = row_counts[(size_t)_i / 3 % ROW_COUNTS];
    test_table_init(&table, 10, style);
    commit_rows(&fixture, &table, 1, 5, 100, count);
    expect_rows(&fixture, &table, (Snapshot){.position = 5}, 100, count, count + 200);
    expect_rows(&fixture, &table, (Snapshot){.position = 4}, 0, 0, count + 200);
    fixture_reopen(&fixture);
    ck_assert_uint_eq(store_applied_position(fixture.store), 5);
    expect_rows(&fixture, &table, (Snapshot){.position = 5}, 100, count, count + 200);
}
END_TEST

START_TEST(sort_key_orders_rowsets)
{
    TestTable table;
    test_table_init(&table, 10, DISTRIBUTION_STYLE_ALL);
    const uint32_t keys[][2] = {{COLUMN_DAY, COLUMN_NOTE},
                                {COLUMN_NOTE, COLUMN_ID},
                                {COLUMN_BIG, 0},
                                {COLUMN_RATIO, 0},
                                {COLUMN_FLAG, COLUMN_PRICE}};
    memcpy(table.sort_keys, keys[_i], sizeof table.sort_keys);
    table.table.sort_key_count = 2;
    commit_rows(&fixture, &table, 1, 5, 0, 100000);
    expect_rows(&fixture, &table, (Snapshot){.position = 5}, 0, 100000, 100000);

    const uint32_t all[COLUMN_COUNT] = {0, 1, 2, 3, 4, 5, 6, 7};
    const ScanRequest request = {.store = fixture.store,
                                 .table = &table.table,
                                 .snapshot = {.position = 5},
                                 .column_count = COLUMN_COUNT,
                                 .columns = all,
                                 .budget = fixture.budget};
    TableScan *scan;
    TableScanLocal *local;
    must(table_scan_open(&request, fixture.arena, &scan));
    must(table_scan_local_create(scan, NULL, fixture.arena, &local));
    Value last[2];
    char last_text[128] = "", text[128];
    bool is_done = false, is_first = true;
    while (!is_done) {
        Batch batch;
        must(table_scan_next(local, &batch, &is_done));
        must(batch_load_all(&batch));
        for (uint32_t k = 0; k < batch.selected_count; k++) {
            const int64_t id = vector_value(&batch.columns[COLUMN_ID], batch_row(&batch, k)).i64;
            const Value first = test_value(&table, id, keys[_i][0], text);
            if (!is_first && !last[0].is_null && !first.is_null) {
                EXPECT(value_compare(&last[0], &first) <= 0, "row %lld", (long long)id);
            }
            EXPECT(is_first || !last[0].is_null || first.is_null, "nulls come last");
            last[0] = first;
            memcpy(last_text, text, sizeof text);
            if (type_is_text(first.type) && !first.is_null) {
                last[0].text = text_view_make(
                    keys[_i][0] == COLUMN_NOTE ? last_text : text_view_data(&first.text),
                    first.text.length);
            }
            is_first = false;
        }
    }
    table_scan_local_destroy(local);
    table_scan_close(scan);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("table");
    TCase *tests = tcase_create("round_trip");
    tcase_set_timeout(tests, 120);
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_loop_test(tests, rows_written_come_back, 0, 3 * (int)ROW_COUNTS);
    tcase_add_loop_test(tests, sort_key_orders_rowsets, 0, 5);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    const int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
