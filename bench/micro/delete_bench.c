/*
 * delete_bench.c — what deleted rows cost a scan: one table of 4 Mi rows, read by one worker at the
 * position before 1 row in 100 was deleted at random, and at the one after; in turns, medians.
 *
 * Usage: delete_bench DIRECTORY, which must not exist and is left behind.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/micro/bench.h"
#include "storage/scan.h"

enum { TABLE_ROWS = 4 << 20, ROUNDS = 15, COLUMNS = 5 };
enum { COLUMN_ID, COLUMN_DAY, COLUMN_PRICE, COLUMN_FLAG, COLUMN_NOTE };

static PagePool *pool;
static Host host;
static Store *store;
static MemoryBudget *budget;
static struct PlanTableColumn columns[COLUMNS];
static PlanTable table = {.table_id = 1,
                          .name = "bench",
                          .style = DISTRIBUTION_STYLE_ALL,
                          .distribution_column = -1,
                          .column_count = COLUMNS,
                          .columns = columns};

static void open_store(const char *directory)
{
    must(page_pool_create(&pool, (size_t)4 << 30));
    budget = memory_budget_create(pool, NULL, "bench", 0);
    host = (Host){.pool = pool,
                  .budget = budget,
                  .files = file_system_os(),
                  .clock = system_clock,
                  .worker_count = 1};
    const StoreOptions options = {.host = &host,
                                  .budget = budget,
                                  .directory = directory,
                                  .node_id = 1,
                                  .cache_bytes = (size_t)1 << 30};
    must(store_open(&options, &store));
    must(store_lease_rowsets(store, 1, 1000));
}

static void fill_batch(Batch *batch, int64_t first, char (*notes)[32])
{
    static const char *const words[8] = {"carefully", "final",   "deposits", "sleep",
                                         "slyly",     "regular", "ideas",    "across"};
    for (uint32_t c = 0; c < COLUMNS; c++) {
        batch->columns[c].lo = INT64_MIN;
        batch->columns[c].hi = INT64_MAX;
    }
    for (uint32_t i = 0; i < VECTOR_ROWS; i++) {
        ((int64_t *)(void *)batch->columns[COLUMN_ID].data)[i] = first + i;
        ((int64_t *)(void *)batch->columns[COLUMN_DAY].data)[i] = 8000 + (int64_t)draw(2500);
        ((int64_t *)(void *)batch->columns[COLUMN_PRICE].data)[i] = (int64_t)draw(10000000);
        ((TextView *)(void *)batch->columns[COLUMN_FLAG].data)[i] =
            text_view_make(&"ANR"[draw(3)], 1);
        const int bytes = snprintf(notes[i], sizeof notes[i], "%s %s %u", words[draw(8)],
                                   words[draw(8)], (unsigned)draw(1000));
        ((TextView *)(void *)batch->columns[COLUMN_NOTE].data)[i] =
            text_view_make(notes[i], (size_t)bytes);
    }
}

static void write_table(Arena *arena)
{
    const Type types[COLUMNS] = {type_of(TYPE_BIGINT), type_of(TYPE_DATE), type_decimal(12, 2),
                                 type_char(1), type_varchar(40)};
    const TableWriteOptions options = {.store = store,
                                       .table = &table,
                                       .txn_id = 1,
                                       .statement = 1,
                                       .row_group_rows = 65536,
                                       .budget = budget};
    char(*notes)[32] = arena_alloc(arena, VECTOR_ROWS * sizeof *notes);
    TableWriter *writer;
    TableWriterLocal *local;
    Batch batch;
    batch_init(&batch, COLUMNS, arena);
    batch.row_count = batch.selected_count = VECTOR_ROWS;
    for (uint32_t c = 0; c < COLUMNS; c++) {
        const Lane lane = type_is_text(types[c]) ? LANE_TEXT : LANE_I64;
        columns[c] = (struct PlanTableColumn){.column_id = c + 1,
                                              .name = "column",
                                              .type = types[c],
                                              .default_value = value_null(types[c])};
        batch.columns[c] =
            (Vector){.type = types[c],
                     .lane = (uint8_t)lane,
                     .form = VECTOR_FLAT,
                     .data = arena_alloc_aligned(arena, VECTOR_ROWS * lane_bytes(lane) + 64, 64)};
    }
    must(table_writer_create(&options, &writer));
    must(table_writer_local_create(writer, &local));
    for (int64_t row = 0; row < TABLE_ROWS; row += VECTOR_ROWS) {
        fill_batch(&batch, row, notes);
        must(table_writer_append(local, &batch));
    }
    must(table_writer_local_finish(local));
    must(table_writer_finish(writer));
    table_writer_destroy(writer);
    must(store_prepare(store, 1));
    must(store_commit(store, 1, 1));
}

/* What is read: columns, perhaps with a predicate on the day. */
typedef struct Reading {
    const char *name;
    uint32_t column_count;
    uint32_t columns[COLUMNS];
    bool has_predicate, has_row_ids;
} Reading;

static const Reading readings[] = {
    {.name = "no column (count)"},
    {.name = "day", .column_count = 1, .columns = {COLUMN_DAY}},
    {.name = "id, price", .column_count = 2, .columns = {COLUMN_ID, COLUMN_PRICE}},
    {.name = "price where day < half",
     .column_count = 2,
     .columns = {COLUMN_DAY, COLUMN_PRICE},
     .has_predicate = true},
    {.name = "flag", .column_count = 1, .columns = {COLUMN_FLAG}},
    {.name = "note", .column_count = 1, .columns = {COLUMN_NOTE}},
    {.name = "all, row ids", .column_count = 5, .columns = {0, 1, 2, 3, 4}, .has_row_ids = true},
};

/* Adds 1 in 100 row ids to `deleter` when it is not null; returns the rows read. */
static uint64_t read_table(const Reading *reading, uint64_t position, TableDeleter *deleter)
{
    Arena *arena = arena_create(NULL, "bench_arena");
    const Predicate predicate = {.kind = PREDICATE_RANGE,
                                 .type = type_of(TYPE_DATE),
                                 .has_hi = true,
                                 .hi = {.type = type_of(TYPE_DATE), .i64 = 9249}};
    const ScanPredicate predicates[1] = {{.column = 0, .predicate = &predicate}};
    const ScanRequest request = {.store = store,
                                 .table = &table,
                                 .snapshot = {.position = position},
                                 .column_count = reading->column_count,
                                 .columns = reading->columns,
                                 .predicate_count = reading->has_predicate,
                                 .predicates = predicates,
                                 .budget = budget,
                                 .has_row_ids = reading->has_row_ids};
    TableScan *scan;
    TableScanLocal *local;
    uint64_t rows = 0;
    bool is_done = false;
    must(table_scan_open(&request, arena, &scan));
    must(table_scan_local_create(scan, NULL, arena, &local));
    while (!is_done) {
        Batch batch;
        must(table_scan_next(local, &batch, &is_done));
        must(batch_load_all(&batch));
        rows += batch.selected_count;
        for (uint32_t i = 0; deleter != NULL && i < batch.selected_count; i++) {
            const int64_t row_id =
                vector_int64(&batch.columns[batch.column_count - 2], batch_row(&batch, i));
            if (draw(100) == 0) {
                must(table_deleter_add(deleter, &row_id, 1));
            }
        }
    }
    table_scan_local_destroy(local);
    table_scan_close(scan);
    arena_destroy(arena);
    return rows;
}

static void delete_rows(void)
{
    const Reading ids = {.has_row_ids = true};
    const TableDeleteOptions options = {.store = store,
                                        .table = &table,
                                        .snapshot = {.position = 1, .txn_id = 2, .statement = 1},
                                        .budget = budget};
    TableDeleter *deleter;
    uint64_t rows;
    must(table_deleter_create(&options, &deleter));
    read_table(&ids, 1, deleter);
    const double start = cpu_ns();
    must(table_deleter_finish(deleter, &rows));
    const double finished = cpu_ns();
    must(store_prepare(store, 2));
    must(store_commit(store, 2, 2));
    table_deleter_destroy(deleter);
    printf("%lu of %d rows deleted: finish %.2f ms, prepare and commit %.2f ms of CPU\n",
           (unsigned long)rows, TABLE_ROWS, (finished - start) / 1e6, (cpu_ns() - finished) / 1e6);
}

static int compare_times(const void *left, const void *right)
{
    const double a = *(const double *)left, b = *(const double *)right;
    return a < b ? -1 : a > b;
}

static void measure(const Reading *reading)
{
    double times[2][ROUNDS];
    uint64_t rows[2] = {0};
    read_table(reading, 1, NULL); // into the cache
    for (int round = 0; round < ROUNDS; round++) {
        for (int side = 0; side < 2; side++) {
            const double start = cpu_ns();
            rows[side] = read_table(reading, (uint64_t)side + 1, NULL);
            times[side][round] = cpu_ns() - start;
        }
    }
    for (int side = 0; side < 2; side++) {
        qsort(times[side], ROUNDS, sizeof(double), compare_times);
    }
    const double before = times[0][ROUNDS / 2], after = times[1][ROUNDS / 2];
    printf("%-24s %7.2f ms, %7.2f ms with deletes: %+5.1f %%  (%lu and %lu rows)\n", reading->name,
           before / 1e6, after / 1e6, (after / before - 1) * 100, (unsigned long)rows[0],
           (unsigned long)rows[1]);
}

int main(int argument_count, char **arguments)
{
    if (argument_count != 2) {
        fprintf(stderr, "usage: delete_bench DIRECTORY\n");
        return 2;
    }
    Arena *arena = arena_create(NULL, "bench_arena");
    open_store(arguments[1]);
    write_table(arena);
    delete_rows();
    for (size_t i = 0; i < sizeof readings / sizeof *readings; i++) {
        measure(&readings[i]);
    }
    store_close(store);
    arena_destroy(arena);
    memory_budget_destroy(budget);
    page_pool_destroy(pool);
    return 0;
}
