/* store_fixture.h — a store in a directory of its own, and a table whose rows follow from their
 * number, so that any set of rows can be checked. */
#pragma once
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "base/hash.h"
#include "base/vector/value_batch.h"
#include "storage/scan.h"

/* Check writes a message for every ck_assert: too slow for loops over values. */
#define EXPECT(condition, ...)                                                                     \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            ck_abort_msg(__VA_ARGS__);                                                             \
        }                                                                                          \
    } while (0)

typedef struct StoreFixture {
    char directory[64];
    PagePool *pool;
    Host host;
    MemoryBudget *budget;
    Store *store;
    Arena *arena;
    uint8_t cluster_id[CLUSTER_ID_BYTES];
} StoreFixture;

static inline void must(Status status)
{
    if (status != STATUS_OK) {
        ck_abort_msg("%s %s %s", status_sqlstate_code(status), status_message(status),
                     status_detail(status));
    }
}

static inline void fixture_reopen(StoreFixture *fixture)
{
    store_close(fixture->store);
    fixture->store = NULL;
    StoreOptions options = {.host = &fixture->host,
                            .budget = fixture->budget,
                            .directory = fixture->directory,
                            .node_id = 1,
                            .cache_bytes = (size_t)64 << 20};
    memcpy(options.cluster_id, fixture->cluster_id, CLUSTER_ID_BYTES);
    must(store_open(&options, &fixture->store));
}

static inline void fixture_open(StoreFixture *fixture)
{
    memset(fixture, 0, sizeof *fixture);
    memset(fixture->cluster_id, 7, CLUSTER_ID_BYTES);
    snprintf(fixture->directory, sizeof fixture->directory, "/tmp/basalt_store_XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(fixture->directory));
    must(page_pool_create(&fixture->pool, (size_t)2 << 30));
    fixture->budget = memory_budget_create(fixture->pool, NULL, "test", 0);
    fixture->host = (Host){.pool = fixture->pool,
                           .budget = fixture->budget,
                           .files = file_system_os(),
                           .clock = system_clock,
                           .worker_count = 2};
    fixture->arena = arena_create(NULL, "test_arena");
    fixture_reopen(fixture);
    const SliceRange slices[2] = {{0, 0, 8191}, {1, 8192, 16383}};
    must(store_set_slices(fixture->store, 1, slices, 2));
    must(store_lease_rowsets(fixture->store, 1, 100000));
}

static inline void fixture_close(StoreFixture *fixture)
{
    char command[128];
    store_close(fixture->store);
    arena_destroy(fixture->arena);
    ck_assert_uint_eq(memory_budget_used_bytes(fixture->budget), 0);
    memory_budget_destroy(fixture->budget);
    page_pool_destroy(fixture->pool);
    snprintf(command, sizeof command, "rm -rf '%s'", fixture->directory);
    ck_assert_int_eq(system(command), 0);
}

/* The test table. */
enum {
    COLUMN_ID,
    COLUMN_DAY,
    COLUMN_PRICE,
    COLUMN_FLAG,
    COLUMN_NOTE,
    COLUMN_BIG,
    COLUMN_RATIO,
    COLUMN_KNOWN,
    COLUMN_COUNT
};

typedef struct TestTable {
    PlanTable table;
    struct PlanTableColumn columns[COLUMN_COUNT];
    uint32_t sort_keys[2];
} TestTable;

static inline void test_table_init(TestTable *table, uint64_t table_id, DistributionStyle style)
{
    static const char *const names[COLUMN_COUNT] = {"id",   "day", "price", "flag",
                                                    "note", "big", "ratio", "known"};
    const Type types[COLUMN_COUNT] = {
        type_of(TYPE_BIGINT), type_of(TYPE_DATE),  type_decimal(12, 2),  type_char(1),
        type_varchar(200),    type_decimal(38, 4), type_of(TYPE_DOUBLE), type_of(TYPE_BOOLEAN)};
    memset(table, 0, sizeof *table);
    for (uint32_t i = 0; i < COLUMN_COUNT; i++) {
        table->columns[i].column_id = i + 1;
        table->columns[i].name = names[i];
        table->columns[i].type = types[i];
        table->columns[i].is_not_null = i == COLUMN_ID;
        table->columns[i].default_value = value_null(types[i]);
    }
    table->table =
        (PlanTable){.table_id = table_id,
                    .name = "public.t",
                    .style = style,
                    .column_count = COLUMN_COUNT,
                    .columns = table->columns,
                    .distribution_column = style == DISTRIBUTION_STYLE_KEY ? COLUMN_ID : -1,
                    .sort_keys = table->sort_keys};
}

static inline uint64_t row_random(int64_t id, uint32_t salt)
{
    return hash_mix((uint64_t)id * 16 + salt);
}

/* Value of a column in row `id`; long text goes into `text` (128 bytes). */
static inline Value test_value(const TestTable *table, int64_t id, uint32_t column, char *text)
{
    static const char *const words[] = {"carefully ", "final ",   "deposits ", "sleep ",
                                        "slyly ",     "regular ", "ideas ",    "across "};
    Value value = {.type = table->columns[column].type};
    const uint64_t random = row_random(id, column);
    int length = 0;
    switch (column) {
    case COLUMN_ID:
        value.i64 = id;
        break;
    case COLUMN_DAY:
        value.i64 = 8000 + (int64_t)(random % 2500);
        value.is_null = random % 97 == 0;
        break;
    case COLUMN_PRICE:
        value.i64 = (int64_t)(random % 10000000);
        break;
    case COLUMN_FLAG:
        value.text = text_view_make(&"ANR"[random % 3], 1);
        break;
    case COLUMN_NOTE:
        for (uint64_t i = 0; i < 1 + random % 6; i++) {
            length += snprintf(text + length, 100 - (size_t)length, "%s",
                               words[(random >> (8 + 3 * i)) % 8]);
        }
        value.text = text_view_make(text, (size_t)length - 1);
        value.is_null = random % 31 == 0;
        break;
    case COLUMN_BIG:
        value.i128 = (Int128)random * 1000003 - ((Int128)1 << 80);
        break;
    case COLUMN_RATIO:
        value.f64 = (double)(int64_t)random / 1024;
        break;
    default:
        value.i64 = (int64_t)(random & 1);
        value.is_null = random % 3 == 0;
        break;
    }
    return value;
}

/* Appends rows first .. of the table through one local, 1,000 at a time. */
static inline void append_rows(TableWriterLocal *local, const TestTable *table, int64_t first,
                               uint32_t count)
{
    Arena *arena = arena_create(NULL, "rows_arena");
    const uint32_t columns = table->table.column_count;
    for (uint32_t done = 0; done < count;) {
        const uint32_t rows = count - done < 1000 ? count - done : 1000;
        Value *cells = ARENA_ARRAY(arena, Value, (size_t)rows * columns);
        for (uint32_t r = 0; r < rows; r++) {
            char *text = arena_alloc(arena, 128);
            for (uint32_t c = 0; c < columns; c++) {
                cells[r * columns + c] = test_value(table, first + done + r, c, text);
            }
        }
        Type types[COLUMN_COUNT];
        for (uint32_t c = 0; c < columns; c++) {
            types[c] = table->columns[c].type;
        }
        Batch *batches;
        uint32_t batch_count;
        value_batches(arena, types, columns, cells, rows, &batches, &batch_count);
        for (uint32_t i = 0; i < batch_count; i++) {
            must(table_writer_append(local, &batches[i]));
        }
        done += rows;
        arena_reset(arena);
    }
    arena_destroy(arena);
}

static inline TableWriter *open_writer(StoreFixture *fixture, const TestTable *table, uint64_t txn,
                                       uint32_t statement)
{
    const TableWriteOptions options = {.store = fixture->store,
                                       .table = &table->table,
                                       .txn_id = txn,
                                       .statement = statement,
                                       .row_group_rows = 65536,
                                       .budget = fixture->budget};
    TableWriter *writer;
    must(table_writer_create(&options, &writer));
    return writer;
}

/* One statement that writes rows first .. with one worker. */
static inline void write_rows(StoreFixture *fixture, const TestTable *table, uint64_t txn,
                              uint32_t statement, int64_t first, uint32_t count)
{
    TableWriter *writer = open_writer(fixture, table, txn, statement);
    TableWriterLocal *local;
    must(table_writer_local_create(writer, &local));
    append_rows(local, table, first, count);
    must(table_writer_local_finish(local));
    must(table_writer_finish(writer));
    ck_assert_uint_eq(table_writer_row_count(writer), count);
    table_writer_destroy(writer);
}

static inline void commit_rows(StoreFixture *fixture, const TestTable *table, uint64_t txn,
                               uint64_t position, int64_t first, uint32_t count)
{
    write_rows(fixture, table, txn, 1, first, count);
    must(store_prepare(fixture->store, txn));
    must(store_commit(fixture->store, txn, position));
}

/* Reading: what a scan over all columns gives, each row checked against its number. */
typedef struct SeenRows {
    uint8_t *seen; /* per id: how often */
    int64_t id_max;
    uint64_t count;
} SeenRows;

static inline void check_batch(const TestTable *table, Batch *batch, SeenRows *seen)
{
    const Vector *vectors[COLUMN_COUNT];
    char text[128];
    for (uint32_t c = 0; c < COLUMN_COUNT; c++) {
        must(batch_column(batch, c, &vectors[c]));
    }
    for (uint32_t k = 0; k < batch->selected_count; k++) {
        const uint32_t row = batch_row(batch, k);
        const int64_t id = vector_value(vectors[COLUMN_ID], row).i64;
        EXPECT(id >= 0 && id < seen->id_max, "id %lld", (long long)id);
        for (uint32_t c = 1; c < COLUMN_COUNT; c++) {
            const Value expected = test_value(table, id, c, text);
            const Value found = vector_value(vectors[c], row);
            EXPECT(value_equal(&expected, &found), "id %lld column %u", (long long)id, c);
        }
        seen->seen[id]++;
        seen->count++;
    }
}

typedef struct ScanOptions {
    Snapshot snapshot;
    uint32_t batch_rows;
    uint32_t predicate_count;
    const ScanPredicate *predicates;
} ScanOptions;

static inline SeenRows scan_rows(StoreFixture *fixture, const TestTable *table, int64_t id_max,
                                 const ScanOptions *options)
{
    static const uint32_t all[COLUMN_COUNT] = {0, 1, 2, 3, 4, 5, 6, 7};
    SeenRows seen = {.seen = calloc((size_t)id_max + 1, 1), .id_max = id_max};
    Arena *arena = arena_create(NULL, "scan_arena");
    const ScanRequest request = {.store = fixture->store,
                                 .table = &table->table,
                                 .snapshot = options->snapshot,
                                 .column_count = COLUMN_COUNT,
                                 .columns = all,
                                 .predicate_count = options->predicate_count,
                                 .predicates = options->predicates,
                                 .batch_rows = options->batch_rows,
                                 .budget = fixture->budget};
    TableScan *scan;
    TableScanLocal *local;
    must(table_scan_open(&request, arena, &scan));
    must(table_scan_local_create(scan, NULL, arena, &local));
    bool is_done = false;
    while (!is_done) {
        Batch batch;
        must(table_scan_next(local, &batch, &is_done));
        check_batch(table, &batch, &seen);
    }
    table_scan_local_destroy(local);
    table_scan_close(scan);
    arena_destroy(arena);
    return seen;
}

/* Rows first .. + count are there once each, and no others below id_max. */
static inline void expect_rows(StoreFixture *fixture, const TestTable *table, Snapshot snapshot,
                               int64_t first, int64_t count, int64_t id_max)
{
    const ScanOptions options = {.snapshot = snapshot};
    SeenRows seen = scan_rows(fixture, table, id_max, &options);
    for (int64_t id = 0; id < id_max; id++) {
        const uint8_t wanted = id >= first && id < first + count;
        EXPECT(seen.seen[id] == wanted, "row %lld seen %u times", (long long)id, seen.seen[id]);
    }
    ck_assert_uint_eq(seen.count, (uint64_t)count);
    free(seen.seen);
}
