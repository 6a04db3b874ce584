/* test_scan.c — scans: predicates against brute force, batch sizes, lazy columns, evaluators,
 * runtime predicates, added columns, workers in parallel and commits meanwhile. */
#include <pthread.h>
#include "store_fixture.h"

static StoreFixture fixture;
static TestTable table;
#define ROWS 150000

static void setup(void)
{
    fixture_open(&fixture);
    test_table_init(&table, 10, DISTRIBUTION_STYLE_KEY);
    commit_rows(&fixture, &table, 1, 1, 0, ROWS - 700);
    commit_rows(&fixture, &table, 2, 2, ROWS - 700, 700); // stays an INSERT batch
}

static void teardown(void)
{
    fixture_close(&fixture);
}

/* The predicates of these tests, over the test table's columns. */
typedef struct PredicateCase {
    uint32_t count;
    ScanPredicate list[3];
    Predicate predicates[3];
    Value values[4];
    uint64_t bitmap[64];
} PredicateCase;

static Value text_value(const char *text)
{
    return (Value){.type = type_varchar(200), .text = text_view_make(text, strlen(text))};
}

static void add_range(PredicateCase *test, uint32_t column, Value lo, Value hi)
{
    test->predicates[test->count] = (Predicate){.kind = PREDICATE_RANGE,
                                                .type = table.columns[column].type,
                                                .has_lo = true,
                                                .has_hi = true,
                                                .lo = lo,
                                                .hi = hi};
    test->list[test->count] = (ScanPredicate){column, &test->predicates[test->count]};
    test->count++;
}

static void add_kind(PredicateCase *test, uint32_t column, PredicateKind kind)
{
    test->predicates[test->count] = (Predicate){.kind = kind, .type = table.columns[column].type};
    test->list[test->count] = (ScanPredicate){column, &test->predicates[test->count]};
    test->count++;
}

#define CASES 12
static void make_case(PredicateCase *test, int number)
{
    const Type big = type_of(TYPE_BIGINT), day = type_of(TYPE_DATE), price = type_decimal(12, 2);
    memset(test, 0, sizeof *test);
    switch (number) {
    case 0:
        add_range(test, COLUMN_ID, value_int64(big, 60000), value_int64(big, 60999));
        break;
    case 1:
        add_range(test, COLUMN_DAY, value_int64(day, 8100), value_int64(day, 8200));
        break;
    case 2:
        add_range(test, COLUMN_FLAG, text_value("A"), text_value("A"));
        add_range(test, COLUMN_PRICE, value_int64(price, 0), value_int64(price, 100000));
        break;
    case 3:
        add_range(test, COLUMN_NOTE, text_value("final"), text_value("ideas"));
        break;
    case 4:
        add_kind(test, COLUMN_NOTE, PREDICATE_IS_NULL);
        break;
    case 5:
        add_kind(test, COLUMN_KNOWN, PREDICATE_IS_NOT_NULL);
        add_range(test, COLUMN_KNOWN, value_int64(type_of(TYPE_BOOLEAN), 1),
                  value_int64(type_of(TYPE_BOOLEAN), 1));
        break;
    case 6:
        test->values[0] = value_int64(big, 5);
        test->values[1] = value_int64(big, 77777);
        test->values[2] = value_int64(big, ROWS - 1);
        add_kind(test, COLUMN_ID, PREDICATE_IN);
        test->predicates[0].values = test->values;
        test->predicates[0].value_count = 3;
        break;
    case 7:
        for (int i = 0; i < 64; i++) {
            test->bitmap[i] = hash_mix((uint64_t)i);
        }
        add_kind(test, COLUMN_ID, PREDICATE_BITMAP);
        test->predicates[0].bitmap = test->bitmap;
        test->predicates[0].bitmap_base = 100000;
        test->predicates[0].bitmap_bits = 4096;
        break;
    case 8: // nothing passes
        add_range(test, COLUMN_ID, value_int64(big, ROWS), value_int64(big, ROWS + 5));
        break;
    case 9:
        add_range(test, COLUMN_BIG, test_value(&table, 17, COLUMN_BIG, NULL),
                  test_value(&table, 17, COLUMN_BIG, NULL));
        break;
    case 10:
        add_kind(test, COLUMN_FLAG, PREDICATE_NOT_EQUAL);
        test->predicates[0].lo = text_value("N");
        break;
    default:
        add_range(test, COLUMN_RATIO, (Value){.type = type_of(TYPE_DOUBLE), .f64 = -1e15},
                  (Value){.type = type_of(TYPE_DOUBLE), .f64 = 1e14});
        add_range(test, COLUMN_DAY, value_int64(day, 9000), value_int64(day, 20000));
        break;
    }
}

static bool passes(const PredicateCase *test, int64_t id)
{
    char text[128];
    for (uint32_t i = 0; i < test->count; i++) {
        const Value value = test_value(&table, id, test->list[i].column, text);
        if (!predicate_accepts(test->list[i].predicate, &value)) {
            return false;
        }
    }
    return true;
}

START_TEST(predicates_agree_with_brute_force)
{
    static const uint32_t batch_rows[] = {1024, 1000, 3};
    PredicateCase test;
    make_case(&test, _i % CASES);
    const ScanOptions options = {.snapshot = {.position = 2},
                                 .batch_rows = batch_rows[_i / CASES],
                                 .predicate_count = test.count,
                                 .predicates = test.list};
    SeenRows seen = scan_rows(&fixture, &table, ROWS, &options);
    for (int64_t id = 0; id < ROWS; id++) {
        EXPECT(seen.seen[id] == passes(&test, id), "case %d row %lld seen %u times", _i,
               (long long)id, seen.seen[id]);
    }
    free(seen.seen);
}
END_TEST

/* Keeps even ids, loading the id lazily. */
static Status keep_even(ScanEvaluator *self, Batch *batch)
{
    static _Thread_local uint16_t rows[VECTOR_ROWS];
    const Vector *ids;
    uint32_t kept = 0;
    (void)self;
    TRY(batch_column(batch, COLUMN_ID, &ids));
    for (uint32_t k = 0; k < batch->selected_count; k++) {
        const uint32_t row = batch_row(batch, k);
        rows[kept] = (uint16_t)row;
        kept += vector_int64(ids, row) % 2 == 0;
    }
    batch->selection = rows;
    batch->mask = NULL;
    batch->selected_count = kept;
    return STATUS_OK;
}

static const uint32_t all_columns[COLUMN_COUNT] = {0, 1, 2, 3, 4, 5, 6, 7};

static ScanRequest request_of(uint64_t position)
{
    return (ScanRequest){.store = fixture.store,
                         .table = &table.table,
                         .snapshot = {.position = position},
                         .column_count = COLUMN_COUNT,
                         .columns = all_columns,
                         .budget = fixture.budget};
}

START_TEST(evaluators_narrow_batches)
{
    ScanEvaluator evaluator = {.filter = keep_even};
    ScanRequest request = request_of(2);
    request.batch_rows = _i == 0 ? 1024 : 100;
    TableScan *scan;
    TableScanLocal *local;
    SeenRows seen = {.seen = calloc(ROWS + 1, 1), .id_max = ROWS};
    must(table_scan_open(&request, fixture.arena, &scan));
    must(table_scan_local_create(scan, &evaluator, fixture.arena, &local));
    bool is_done = false;
    while (!is_done) {
        Batch batch;
        must(table_scan_next(local, &batch, &is_done));
        check_batch(&table, &batch, &seen);
    }
    for (int64_t id = 0; id < ROWS; id++) {
        EXPECT(seen.seen[id] == (id % 2 == 0), "row %lld", (long long)id);
    }
    table_scan_local_destroy(local);
    table_scan_close(scan);
    free(seen.seen);
}
END_TEST

START_TEST(skips_what_nobody_needs)
{
    PredicateCase test;
    ScanStatistics statistics;
    make_case(&test, 8);
    ScanRequest request = request_of(2);
    request.predicate_count = test.count;
    request.predicates = test.list;
    TableScan *scan;
    TableScanLocal *local;
    Batch batch;
    bool is_done = false;
    must(table_scan_open(&request, fixture.arena, &scan));
    must(table_scan_local_create(scan, NULL, fixture.arena, &local));
    must(table_scan_next(local, &batch, &is_done));
    ck_assert(is_done);
    ck_assert_uint_eq(batch.selected_count, 0);
    table_scan_statistics(scan, &statistics);
    ck_assert_uint_eq(statistics.blocks_read, 0); // zone maps are enough
    ck_assert_uint_gt(statistics.row_groups_skipped, 0);
    table_scan_local_destroy(local);
    table_scan_close(scan);

    // Lazy columns that are not asked for are never read.
    request.predicate_count = 0;
    must(table_scan_open(&request, fixture.arena, &scan));
    must(table_scan_local_create(scan, NULL, fixture.arena, &local));
    for (is_done = false; !is_done;) {
        const Vector *ids;
        must(table_scan_next(local, &batch, &is_done));
        must(batch_column(&batch, COLUMN_ID, &ids));
    }
    table_scan_local_destroy(local);
    table_scan_statistics(scan, &statistics);
    ck_assert_uint_eq(statistics.rows_out, ROWS);
    ck_assert_uint_gt(statistics.blocks_skipped, statistics.blocks_read);
    table_scan_close(scan);
}
END_TEST

START_TEST(runtime_predicates_apply_from_the_next_unit)
{
    PredicateCase test;
    make_case(&test, 0);
    const ScanRequest request = request_of(2);
    TableScan *scan;
    TableScanLocal *local;
    must(table_scan_open(&request, fixture.arena, &scan));
    must(table_scan_local_create(scan, NULL, fixture.arena, &local));
    table_scan_add_predicate(scan, &test.list[0]);
    uint64_t rows = 0;
    for (bool is_done = false; !is_done;) {
        Batch batch;
        must(table_scan_next(local, &batch, &is_done));
        rows += batch.selected_count;
    }
    ck_assert_uint_eq(rows, 1000);
    table_scan_local_destroy(local);
    table_scan_close(scan);
}
END_TEST

START_TEST(added_columns_read_as_their_default)
{
    struct PlanTableColumn columns[COLUMN_COUNT + 2];
    memcpy(columns, table.columns, sizeof table.columns);
    columns[COLUMN_COUNT] =
        (struct PlanTableColumn){.column_id = 50,
                                 .name = "added",
                                 .type = type_of(TYPE_INTEGER),
                                 .default_value = value_int64(type_of(TYPE_INTEGER), 42)};
    columns[COLUMN_COUNT + 1] =
        (struct PlanTableColumn){.column_id = 51,
                                 .name = "empty",
                                 .type = type_varchar(9),
                                 .default_value = value_null(type_varchar(9))};
    PlanTable wider = table.table;
    wider.columns = columns;
    wider.column_count = COLUMN_COUNT + 2;
    const uint32_t wanted[3] = {COLUMN_COUNT, COLUMN_ID, COLUMN_COUNT + 1};
    const Predicate equal = {.kind = PREDICATE_RANGE,
                             .type = type_of(TYPE_INTEGER),
                             .has_lo = true,
                             .has_hi = true,
                             .lo = columns[COLUMN_COUNT].default_value,
                             .hi = columns[COLUMN_COUNT].default_value};
    const Predicate other = {.kind = PREDICATE_NOT_EQUAL,
                             .type = type_of(TYPE_INTEGER),
                             .lo = columns[COLUMN_COUNT].default_value};
    for (int round = 0; round < 2; round++) {
        const ScanPredicate predicate = {0, round == 0 ? &equal : &other};
        ScanRequest request = request_of(2);
        request.table = &wider;
        request.columns = wanted;
        request.column_count = 3;
        request.predicates = &predicate;
        request.predicate_count = 1;
        request.batch_rows = 500;
        TableScan *scan;
        TableScanLocal *local;
        uint64_t rows = 0;
        must(table_scan_open(&request, fixture.arena, &scan));
        must(table_scan_local_create(scan, NULL, fixture.arena, &local));
        for (bool is_done = false; !is_done;) {
            Batch batch;
            must(table_scan_next(local, &batch, &is_done));
            must(batch_load_all(&batch));
            for (uint32_t k = 0; k < batch.selected_count; k++) {
                const uint32_t row = batch_row(&batch, k);
                EXPECT(vector_value(&batch.columns[0], row).i64 == 42, "default");
                EXPECT(vector_is_null(&batch.columns[2], row), "null default");
            }
            rows += batch.selected_count;
        }
        ck_assert_uint_eq(rows, round == 0 ? ROWS : 0);
        table_scan_local_destroy(local);
        table_scan_close(scan);
    }
}
END_TEST

/* Workers share a scan; each id is seen once by one of them. */
typedef struct Worker {
    pthread_t thread;
    TableScan *scan;
    SeenRows seen;
} Worker;

static void *run_worker(void *object)
{
    Worker *worker = object;
    Arena *arena = arena_create(NULL, "worker_arena");
    TableScanLocal *local;
    must(table_scan_local_create(worker->scan, NULL, arena, &local));
    for (bool is_done = false; !is_done;) {
        Batch batch;
        must(table_scan_next(local, &batch, &is_done));
        check_batch(&table, &batch, &worker->seen);
    }
    table_scan_local_destroy(local);
    arena_destroy(arena);
    return NULL;
}

static void scan_with_workers(uint64_t position, int64_t expected)
{
    Worker workers[3] = {0};
    const ScanRequest request = request_of(position);
    Arena *arena = arena_create(NULL, "scan_arena");
    TableScan *scan;
    must(table_scan_open(&request, arena, &scan));
    ck_assert_uint_ge(table_scan_morsel_count(scan), 2);
    ck_assert_uint_eq(table_scan_row_estimate(scan), (uint64_t)expected);
    for (int i = 0; i < 3; i++) {
        workers[i].scan = scan;
        workers[i].seen = (SeenRows){.seen = calloc((size_t)expected + 1, 1), .id_max = expected};
        pthread_create(&workers[i].thread, NULL, run_worker, &workers[i]);
    }
    for (int i = 0; i < 3; i++) {
        pthread_join(workers[i].thread, NULL);
    }
    for (int64_t id = 0; id < expected; id++) {
        const int sum =
            workers[0].seen.seen[id] + workers[1].seen.seen[id] + workers[2].seen.seen[id];
        EXPECT(sum == 1, "row %lld seen %d times", (long long)id, sum);
    }
    for (int i = 0; i < 3; i++) {
        free(workers[i].seen.seen);
    }
    table_scan_close(scan);
    arena_destroy(arena);
}

/* What one column has in rows. */
typedef struct Facts {
    uint64_t rows, present;
    Int128 sum;
    bool has_range;
    Value min, max;
    char min_text[128], max_text[128];
} Facts;

static void keep(Value *target, char text[128], const Value *value)
{
    *target = *value;
    if (type_is_text(value->type)) {
        const uint32_t length = value->text.length;
        memcpy(text, text_view_data(&value->text), length);
        target->text = text_view_make(text, length);
    }
}

static void add_fact(Facts *facts, const Value *value)
{
    facts->rows++;
    if (value->is_null) {
        return;
    }
    facts->present++;
    facts->sum += type_is_scaled_integer(value->type) ? value->i64 : 0;
    if (!facts->has_range || value_compare(value, &facts->min) < 0) {
        keep(&facts->min, facts->min_text, value);
    }
    if (!facts->has_range || value_compare(value, &facts->max) > 0) {
        keep(&facts->max, facts->max_text, value);
    }
    facts->has_range = true;
}

/* Ranges of whole row groups, and of parts, of a table whose ids ascend. */
START_TEST(summaries_and_rows_make_the_whole)
{
    static const uint32_t columns[] = {COLUMN_ID, COLUMN_DAY, COLUMN_PRICE, COLUMN_FLAG,
                                       COLUMN_KNOWN};
    enum { SUMMARIZED = 5 };
    const bool is_filtered = _i > 0;
    const int64_t first = _i == 2 ? 70000 : 0; // the first filter keeps all rows
    const uint8_t all = SCAN_SUMMARY_COUNT | SCAN_SUMMARY_MIN | SCAN_SUMMARY_MAX;
    const uint8_t wanted[SUMMARIZED] = {all | SCAN_SUMMARY_SUM, all | SCAN_SUMMARY_SUM,
                                        all | SCAN_SUMMARY_SUM, all, 0};
    PredicateCase test = {0};
    add_range(&test, COLUMN_ID, value_int64(type_of(TYPE_BIGINT), first),
              value_int64(type_of(TYPE_BIGINT), ROWS));
    test.list[0].column = 0;
    ScanRequest request = request_of(2);
    request.columns = columns;
    request.column_count = SUMMARIZED;
    request.predicate_count = is_filtered;
    request.predicates = test.list;
    request.summaries = wanted;
    TableScan *scan;
    TableScanLocal *local;
    const ScanSummary *summaries;
    ScanStatistics statistics;
    must(table_scan_open(&request, fixture.arena, &scan));
    const uint64_t row_count = table_scan_summary(scan, &summaries);
    Facts seen[SUMMARIZED] = {0};
    must(table_scan_local_create(scan, NULL, fixture.arena, &local));
    for (bool is_done = false; !is_done;) {
        Batch batch;
        must(table_scan_next(local, &batch, &is_done));
        must(batch_load_all(&batch));
        for (uint32_t k = 0; k < batch.selected_count; k++) {
            for (uint32_t c = 0; c < SUMMARIZED; c++) {
                const Value value = vector_value(&batch.columns[c], batch_row(&batch, k));
                add_fact(&seen[c], &value);
            }
        }
    }
    table_scan_local_destroy(local);
    table_scan_statistics(scan, &statistics);
    ck_assert_uint_eq(row_count + seen[0].rows, (uint64_t)(ROWS - first));
    ck_assert_uint_eq(statistics.rows_out, seen[0].rows);
    if (first == 0) { // the INSERT batch has no zone map
        ck_assert_uint_gt(statistics.row_groups_summarized, 0);
        ck_assert_uint_eq(seen[0].rows, 700);
        ck_assert_uint_eq(statistics.blocks_read, 0);
    }
    for (uint32_t c = 0; c < SUMMARIZED - 1; c++) {
        Facts expected = {0};
        char text[128];
        for (int64_t id = first; id < ROWS; id++) {
            const Value value = test_value(&table, id, columns[c], text);
            add_fact(&expected, &value);
        }
        ck_assert(summaries[c].has_range || row_count == 0);
        ck_assert_uint_eq(summaries[c].present_rows + seen[c].present, expected.present);
        if ((wanted[c] & SCAN_SUMMARY_SUM) != 0) {
            ck_assert(summaries[c].sum + seen[c].sum == expected.sum);
        }
        for (int side = 0; side < 2; side++) {
            const Value *one = side == 0 ? &summaries[c].min : &summaries[c].max;
            const Value *other = side == 0 ? &seen[c].min : &seen[c].max;
            const int order = row_count == 0 ? 0 : value_compare(one, other);
            const Value *best = (side == 0) == (order < 0) ? one : other;
            best = row_count == 0 ? other : best;
            ck_assert_int_eq(value_compare(best, side == 0 ? &expected.min : &expected.max), 0);
        }
    }
    table_scan_close(scan);
}
END_TEST

START_TEST(workers_share_a_scan)
{
    scan_with_workers(2, ROWS);
}
END_TEST

/* One thread commits small and large transactions and moves the horizon; scans of fixed positions
 * see exactly what was committed by then. */
static void *run_commits(void *object)
{
    (void)object;
    for (uint64_t i = 0; i < 6; i++) {
        commit_rows(&fixture, &table, 10 + i, 3 + i, ROWS + (int64_t)i * 9000, 9000);
        store_set_horizon(fixture.store, 2);
    }
    return NULL;
}

START_TEST(scans_meet_commits)
{
    pthread_t thread;
    pthread_create(&thread, NULL, run_commits, NULL);
    for (int i = 0; i < 3; i++) {
        scan_with_workers(2, ROWS);
    }
    const uint64_t position = store_applied_position(fixture.store);
    scan_with_workers(position, ROWS + (int64_t)(position - 2) * 9000);
    pthread_join(thread, NULL);
    scan_with_workers(8, ROWS + 6 * 9000);
}
END_TEST

/* Several workers write one statement. */
typedef struct Loader {
    pthread_t thread;
    TableWriter *writer;
    int64_t first;
    uint32_t count;
} Loader;

static void *run_loader(void *object)
{
    Loader *loader = object;
    TableWriterLocal *local;
    must(table_writer_local_create(loader->writer, &local));
    append_rows(local, &table, loader->first, loader->count);
    must(table_writer_local_finish(local));
    return NULL;
}

START_TEST(workers_write_together)
{
    Loader loaders[3] = {{.first = 0, .count = 140000},
                         {.first = 140000, .count = 3000},
                         {.first = 143000, .count = 80000}};
    test_table_init(&table, 20, (DistributionStyle)_i);
    TableWriter *writer = open_writer(&fixture, &table, 50, 1);
    for (int i = 0; i < 3; i++) {
        loaders[i].writer = writer;
        pthread_create(&loaders[i].thread, NULL, run_loader, &loaders[i]);
    }
    for (int i = 0; i < 3; i++) {
        pthread_join(loaders[i].thread, NULL);
    }
    must(table_writer_finish(writer));
    ck_assert_uint_eq(table_writer_row_count(writer), 223000);
    ByteBuffer statistics;
    byte_buffer_init(&statistics, (size_t)64 << 20);
    table_writer_statistics(writer, &statistics);
    must(byte_buffer_status(&statistics));
    ByteReader reader;
    byte_reader_init(&reader, statistics.data, statistics.bytes);
    ck_assert_uint_eq(byte_reader_varint(&reader), COLUMN_COUNT);
    for (uint32_t c = 0; c < COLUMN_COUNT; c++) {
        ColumnSketch sketch;
        ck_assert_uint_eq(byte_reader_u32(&reader), c + 1);
        must(column_sketch_decode(&reader, &sketch));
        ck_assert_uint_eq(sketch.row_count, 223000);
        if (c == COLUMN_ID) {
            ck_assert_int_eq(sketch.min.i64, 0);
            ck_assert_int_eq(sketch.max.i64, 222999);
            ck_assert_double_ge(column_sketch_distinct(&sketch), 223000 * 0.9);
        } else if (c == COLUMN_FLAG) {
            ck_assert_double_eq_tol(column_sketch_distinct(&sketch), 3, 0.1);
        }
    }
    byte_buffer_deinit(&statistics);
    table_writer_destroy(writer);
    must(store_prepare(fixture.store, 50));
    must(store_commit(fixture.store, 50, 50));
    expect_rows(&fixture, &table, (Snapshot){.position = 50}, 0, 223000, 223000);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("scan");
    TCase *tests = tcase_create("scans");
    tcase_set_timeout(tests, 240);
    tcase_set_tags(tests, "one_thread"); // a race detector has nothing to see in these
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_loop_test(tests, predicates_agree_with_brute_force, 0, 3 * CASES);
    tcase_add_loop_test(tests, evaluators_narrow_batches, 0, 2);
    tcase_add_test(tests, skips_what_nobody_needs);
    tcase_add_test(tests, runtime_predicates_apply_from_the_next_unit);
    tcase_add_test(tests, added_columns_read_as_their_default);
    tcase_add_loop_test(tests, summaries_and_rows_make_the_whole, 0, 3);
    suite_add_tcase(suite, tests);
    TCase *threads = tcase_create("threads");
    tcase_set_timeout(threads, 240);
    tcase_add_checked_fixture(threads, setup, teardown);
    tcase_add_test(threads, workers_share_a_scan);
    tcase_add_test(threads, scans_meet_commits);
    tcase_add_loop_test(threads, workers_write_together, 0, 3);
    suite_add_tcase(suite, threads);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    const int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
