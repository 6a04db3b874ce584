/*
 * storage_bench.c — what storage alone does with TPC-H tables: rows written per second and core,
 * size, encoding and decoding time by column, scans.
 *
 *   storage_bench <directory of .tbl files> [workers] [rows at most per table] [table] [encoding]
 *
 * An encoding is taken for every column that it can encode.
 *
 * Text is parsed before the clock starts. Times are CPU seconds of the workers, wall time beside.
 */
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bench/micro/bench.h"
#include "base/thread.h"
#include "base/types/datetime.h"
#include "base/types/decimal.h"
#include "planner/plan/encode_word.h"
#include "storage/encoding/encoding.h"
#include "storage/scan.h"
#include "storage/store_internal.h"

#define COLUMNS_MAX 16u
#define WORKERS_MAX 64u
#define WRITE_ROUNDS 3u

/* i integer, b bigint, d date, p decimal(12,2), c text */
typedef struct TableShape {
    const char *name, *columns, *names;
} TableShape;
static const TableShape shapes[] = {
    {"lineitem", "bbbippppccdddccc",
     "orderkey partkey suppkey linenumber quantity extendedprice discount tax returnflag "
     "linestatus "
     "shipdate commitdate receiptdate shipinstruct shipmode comment"},
    {"orders", "bbcpdccic",
     "orderkey custkey orderstatus totalprice orderdate orderpriority clerk shippriority comment"},
    {"partsupp", "bbipc", "partkey suppkey availqty supplycost comment"},
    {"part", "bccccicpc", "partkey name mfgr brand type size container retailprice comment"},
    {"customer", "bccbcpcc", "custkey name address nationkey phone acctbal mktsegment comment"},
    {"supplier", "bccbcpc", "suppkey name address nationkey phone acctbal comment"},
    {"nation", "bcbc", "nationkey name regionkey comment"},
    {"region", "bcc", "regionkey name comment"},
};
#define SHAPE_COUNT (sizeof shapes / sizeof shapes[0])

static double wall_seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

/* A table in memory as batches of 1,024 rows. */
typedef struct Loaded {
    PlanTable table;
    Arena *arena;
    Batch *batches;
    uint32_t batch_count;
    uint64_t row_count;
} Loaded;

static Type type_of_letter(char letter)
{
    return letter == 'i'   ? type_of(TYPE_INTEGER)
           : letter == 'b' ? type_of(TYPE_BIGINT)
           : letter == 'd' ? type_of(TYPE_DATE)
           : letter == 'p' ? type_decimal(12, 2)
                           : type_varchar(200);
}

static int64_t parse_number(const char *text, size_t bytes)
{
    int64_t value = 0;
    const bool is_negative = bytes > 0 && text[0] == '-';
    for (size_t i = is_negative; i < bytes; i++) {
        if (text[i] != '.') {
            value = value * 10 + (text[i] - '0');
        }
    }
    return is_negative ? -value : value;
}

static void put_field(char letter, const char *text, size_t bytes, void *lanes, uint32_t row)
{
    int32_t days = 0;
    if (letter == 'c') {
        ((TextView *)lanes)[row] = text_view_make(text, bytes);
    } else if (letter == 'd') {
        must(date_parse(text, bytes, &days));
        ((int64_t *)lanes)[row] = days;
    } else {
        ((int64_t *)lanes)[row] = parse_number(text, bytes);
    }
}

static const char *parse_batch(const TableShape *shape, const char *text, const char *end,
                               Arena *arena, Batch *batch)
{
    const uint32_t columns = (uint32_t)strlen(shape->columns);
    Vector *vectors = ARENA_ARRAY(arena, Vector, columns);
    void *lanes[COLUMNS_MAX];
    for (uint32_t c = 0; c < columns; c++) {
        const Type type = type_of_letter(shape->columns[c]);
        const Lane lane = type_is_text(type) ? LANE_TEXT : LANE_I64;
        lanes[c] = arena_alloc_aligned(arena, VECTOR_ROWS * lane_bytes(lane) + 64, 64);
        vectors[c] = (Vector){.type = type,
                              .lane = (uint8_t)lane,
                              .form = VECTOR_FLAT,
                              .lo = INT64_MIN,
                              .hi = INT64_MAX,
                              .data = lanes[c]};
    }
    uint32_t row = 0;
    for (; row < VECTOR_ROWS && text < end; row++) {
        for (uint32_t c = 0; c < columns; c++) {
            const char *bar = memchr(text, '|', (size_t)(end - text));
            const char *line = memchr(text, '\n', (size_t)(end - text));
            const char *stop = bar != NULL && bar < line ? bar : line;
            put_field(shape->columns[c], text, (size_t)(stop - text), lanes[c], row);
            text = stop + 1;
        }
        if (text[-1] != '\n') {
            text = (const char *)memchr(text, '\n', (size_t)(end - text)) + 1;
        }
    }
    *batch = (Batch){
        .row_count = row, .selected_count = row, .column_count = columns, .columns = vectors};
    return text;
}

static Loaded load(const TableShape *shape, const char *directory, uint64_t rows_max, uint64_t id,
                   EncodingId hint)
{
    char path[4096];
    struct stat status;
    Loaded loaded = {.arena = arena_create(NULL, "bench_arena")};
    snprintf(path, sizeof path, "%s/%s.tbl", directory, shape->name);
    const int fd = open(path, O_RDONLY);
    if (fd < 0 || fstat(fd, &status) != 0) {
        perror(path);
        exit(1);
    }
    const char *text = mmap(NULL, (size_t)status.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
    const char *end = text + status.st_size;
    const size_t capacity = (size_t)status.st_size / 20 / VECTOR_ROWS + 2;
    loaded.batches = ARENA_ARRAY(loaded.arena, Batch, capacity);
    while (text < end && loaded.row_count < rows_max) {
        Batch *batch = &loaded.batches[loaded.batch_count++];
        text = parse_batch(shape, text, end, loaded.arena, batch);
        loaded.row_count += batch->row_count;
    }
    const uint32_t columns = (uint32_t)strlen(shape->columns);
    loaded.table = (PlanTable){.table_id = id,
                               .name = shape->name,
                               .column_count = columns,
                               .style = DISTRIBUTION_STYLE_KEY,
                               .distribution_column = 0};
    loaded.table.columns = arena_array(loaded.arena, columns, sizeof *loaded.table.columns);
    for (uint32_t c = 0; c < columns; c++) {
        loaded.table.columns[c].column_id = c + 1;
        loaded.table.columns[c].type = type_of_letter(shape->columns[c]);
        loaded.table.columns[c].name = shape->name;
        loaded.table.columns[c].encode_word =
            hint == ENCODING_AUTO ? 0 : (uint16_t)(ENCODE_WORD_ONE + hint);
    }
    return loaded;
}

/* Workers. */
typedef struct Work {
    const Loaded *loaded;
    TableWriter *writer;
    TableScan *scan;
    uint32_t number, worker_count;
    double cpu_seconds;
    uint64_t rows, checksum;
    bool loads_all;
} Work;

static void *write_part(void *object)
{
    Work *work = object;
    const int64_t start = thread_cpu_ns();
    TableWriterLocal *local;
    must(table_writer_local_create(work->writer, &local));
    // Contiguous parts: what a worker gets keeps the order of the file.
    const uint32_t count = work->loaded->batch_count;
    const uint32_t first = (uint32_t)((uint64_t)count * work->number / work->worker_count);
    const uint32_t last = (uint32_t)((uint64_t)count * (work->number + 1) / work->worker_count);
    for (uint32_t i = first; i < last; i++) {
        Batch batch = work->loaded->batches[i];
        must(table_writer_append(local, &batch));
    }
    must(table_writer_local_finish(local));
    work->cpu_seconds = (double)(thread_cpu_ns() - start) * 1e-9;
    return NULL;
}

static void *scan_part(void *object)
{
    Work *work = object;
    const int64_t start = thread_cpu_ns();
    Arena *arena = arena_create(NULL, "bench_scan_arena");
    TableScanLocal *local;
    bool is_done = false;
    must(table_scan_local_create(work->scan, NULL, arena, &local));
    while (!is_done) {
        Batch batch;
        must(table_scan_next(local, &batch, &is_done));
        if (work->loads_all) {
            must(batch_load_all(&batch));
        }
        work->rows += batch.selected_count;
    }
    table_scan_local_destroy(local);
    arena_destroy(arena);
    work->cpu_seconds = (double)(thread_cpu_ns() - start) * 1e-9;
    return NULL;
}

static double run_workers(Work *works, uint32_t count, void *(*run)(void *))
{
    pthread_t threads[WORKERS_MAX];
    double cpu = 0;
    for (uint32_t i = 0; i < count; i++) {
        works[i].number = i;
        works[i].worker_count = count;
        pthread_create(&threads[i], NULL, run, &works[i]);
    }
    for (uint32_t i = 0; i < count; i++) {
        pthread_join(threads[i], NULL);
        cpu += works[i].cpu_seconds;
    }
    return cpu;
}

/* Rounds after the first find warm memory; all but the last are rolled back. */
static void bench_write(Store *store, const Loaded *loaded, uint32_t workers, uint64_t txn,
                        bool is_last, MemoryBudget *budget)
{
    const TableWriteOptions options = {.store = store,
                                       .table = &loaded->table,
                                       .txn_id = txn,
                                       .statement = 1,
                                       .row_group_rows = 65536,
                                       .budget = budget};
    Work works[WORKERS_MAX] = {0};
    TableWriter *writer;
    const double start = wall_seconds();
    must(table_writer_create(&options, &writer));
    for (uint32_t i = 0; i < workers; i++) {
        works[i].loaded = loaded;
        works[i].writer = writer;
    }
    double cpu = run_workers(works, workers, write_part);
    const int64_t cpu_start = thread_cpu_ns();
    must(table_writer_finish(writer));
    cpu += (double)(thread_cpu_ns() - cpu_start) * 1e-9;
    table_writer_destroy(writer);
    must(store_prepare(store, txn));
    must(is_last ? store_commit(store, txn, txn) : store_abort(store, txn));
    const double wall = wall_seconds() - start;
    printf(
        "%-9s write %8llu rows: %6.1f ns CPU/row = %5.2f M rows/s/core; wall %.2f s; peak %zu MB\n",
        loaded->table.name, (unsigned long long)loaded->row_count,
        cpu * 1e9 / (double)loaded->row_count, (double)loaded->row_count / cpu * 1e-6, wall,
        memory_budget_peak_bytes(budget) >> 20);
}

static void bench_scan(Store *store, const Loaded *loaded, uint32_t workers, const char *what,
                       uint32_t column_count, const uint32_t *columns,
                       const ScanPredicate *predicates, uint32_t predicate_count,
                       MemoryBudget *budget)
{
    double best_cpu = 1e9, best_wall = 1e9;
    uint64_t rows = 0;
    for (int round = 0; round < 7; round++) {
        Arena *arena = arena_create(NULL, "bench_arena");
        const ScanRequest request = {.store = store,
                                     .table = &loaded->table,
                                     .snapshot = {.position = 1000},
                                     .column_count = column_count,
                                     .columns = columns,
                                     .predicate_count = predicate_count,
                                     .predicates = predicates,
                                     .budget = budget};
        Work works[WORKERS_MAX] = {0};
        TableScan *scan;
        const double start = wall_seconds();
        must(table_scan_open(&request, arena, &scan));
        for (uint32_t i = 0; i < workers; i++) {
            works[i].scan = scan;
            works[i].loads_all = true;
        }
        const double cpu = run_workers(works, workers, scan_part);
        const double wall = wall_seconds() - start;
        rows = 0;
        for (uint32_t i = 0; i < workers; i++) {
            rows += works[i].rows;
        }
        table_scan_close(scan);
        arena_destroy(arena);
        best_cpu = cpu < best_cpu ? cpu : best_cpu;
        best_wall = wall < best_wall ? wall : best_wall;
    }
    printf("  scan %-34s %8llu rows out: %7.3f ns CPU/row; wall %.2f ms\n", what,
           (unsigned long long)rows, best_cpu * 1e9 / (double)loaded->row_count, best_wall * 1e3);
}

/* What a column of a table takes and costs. */
typedef struct ColumnFigures {
    uint64_t bytes, uses[ENCODING_ID_COUNT];
    double decode_seconds;
} ColumnFigures;

/* Base columns, decoded anew for each vector: what a scan without the base column pays. */
typedef struct BenchBase {
    BaseReader reader;
    Store *store;
    Rowset *rowset;
    const RowsetFooter *footer;
    CacheEntry *entry;
    DecodeBuffer buffer;
    Vector vector;
} BenchBase;

static Status read_base(BaseReader *reader, const Block *block, uint32_t column_id, uint32_t vector,
                        const Vector **out)
{
    BenchBase *self = (BenchBase *)reader;
    uint64_t read = 0;
    if (self->entry == NULL) {
        const int32_t column = rowset_footer_column(self->footer, column_id);
        TRY(block_cache_pin(self->store->cache, self->rowset, (uint32_t)column,
                            block->header->row_group, &read, &self->entry));
    }
    const Block *base = &self->entry->block;
    TRY(base->encoding->decode(base, vector, NULL, 0, &self->buffer, &self->vector));
    *out = &self->vector;
    return STATUS_OK;
}

/* The best of several rounds over a block's vectors, in CPU seconds. */
static double time_decode(const Block *block, DecodeBuffer *buffer)
{
    int64_t best = INT64_MAX;
    for (int round = 0; round < 5; round++) {
        const int64_t start = thread_cpu_ns();
        for (uint32_t v = 0; v < block->vector_count; v++) {
            Vector vector;
            must(block->encoding->decode(block, v, NULL, 0, buffer, &vector));
        }
        const int64_t taken = thread_cpu_ns() - start;
        best = taken < best ? taken : best;
    }
    return (double)best * 1e-9;
}

static void add_rowset(Store *store, Rowset *rowset, DecodeBuffer *buffer, BenchBase *base,
                       ColumnFigures *figures)
{
    const RowsetFooter *footer;
    must(rowset_footer(rowset, &footer));
    base->rowset = rowset;
    base->footer = footer;
    for (uint32_t c = 0; c < footer->header->column_count; c++) {
        for (uint32_t g = 0; g < footer->header->row_group_count; g++) {
            uint64_t read = 0;
            CacheEntry *entry;
            must(block_cache_pin(store->cache, rowset, c, g, &read, &entry));
            figures[c].bytes += entry->byte_count;
            figures[c].uses[entry->block.encoding->id]++;
            figures[c].decode_seconds += time_decode(&entry->block, buffer);
            block_cache_unpin(entry);
            block_cache_unpin(base->entry);
            base->entry = NULL;
        }
    }
}

/* Bits per row, the encoding most row groups have, and nanoseconds to decode a row. */
static void print_columns(Store *store, const TableShape *shape, const Loaded *loaded,
                          MemoryBudget *budget)
{
    Arena *arena = arena_create(NULL, "bench_arena");
    VisibleRows *rows;
    uint32_t count;
    uint64_t total = 0;
    const Snapshot snapshot = {.position = 1000};
    const double row_count = (double)loaded->row_count;
    ColumnFigures figures[COLUMNS_MAX] = {0};
    BenchBase base = {.reader.read = read_base, .store = store};
    DecodeBuffer buffer;
    must(decode_buffer_init(&buffer, budget));
    must(decode_buffer_init(&base.buffer, budget));
    buffer.bases = &base.reader;
    must(
        manifest_visible(store->manifest, loaded->table.table_id, &snapshot, arena, &rows, &count));
    for (uint32_t i = 0; i < count; i++) {
        total += rows[i].rows->byte_count;
        if (rows[i].rows->kind == ROWS_FILE) {
            add_rowset(store, rows[i].rows->rowset, &buffer, &base, figures);
        }
        manifest_unpin_visible(&rows[i], 1);
    }
    printf("  %.1f MB on disk, %.2f bytes per row, %u files or batches\n", (double)total * 1e-6,
           (double)total / row_count, count);
    const char *name = shape->names;
    for (uint32_t c = 0; c < loaded->table.column_count; c++) {
        const int length = (int)strcspn(name, " ");
        uint32_t best = 0;
        for (uint32_t e = 1; e < ENCODING_ID_COUNT; e++) {
            best = figures[c].uses[e] > figures[c].uses[best] ? e : best;
        }
        printf("  %-14.*s %-11s %7.2f bits/row %8.3f MB %7.3f ns/row\n", length, name,
               best == 0 ? "" : encoding_ops(best)->name, (double)figures[c].bytes * 8 / row_count,
               (double)figures[c].bytes * 1e-6, figures[c].decode_seconds * 1e9 / row_count);
        name += length + (name[length] == ' ');
    }
    decode_buffer_deinit(&buffer);
    decode_buffer_deinit(&base.buffer);
    arena_destroy(arena);
}

static void bench_lineitem_scans(Store *store, const Loaded *loaded, uint32_t workers,
                                 MemoryBudget *budget)
{
    const Type date = type_of(TYPE_DATE), money = type_decimal(12, 2);
    const Predicate ship = {.kind = PREDICATE_RANGE,
                            .type = date,
                            .has_lo = true,
                            .has_hi = true,
                            .lo = value_int64(date, 8766),
                            .hi = value_int64(date, 9130)};
    const Predicate discount = {.kind = PREDICATE_RANGE,
                                .type = money,
                                .has_lo = true,
                                .has_hi = true,
                                .lo = value_int64(money, 5),
                                .hi = value_int64(money, 7)};
    const Predicate quantity = {
        .kind = PREDICATE_RANGE, .type = money, .has_hi = true, .hi = value_int64(money, 23)};
    const Predicate mode = {.kind = PREDICATE_RANGE,
                            .type = type_varchar(200),
                            .has_lo = true,
                            .has_hi = true,
                            .lo = {.type = type_varchar(200), .text = text_view_make("MAIL", 4)},
                            .hi = {.type = type_varchar(200), .text = text_view_make("MAIL", 4)}};
    const ScanPredicate q6[3] = {{0, &ship}, {1, &discount}, {2, &quantity}};
    const ScanPredicate by_date[1] = {{0, &ship}}, by_mode[1] = {{0, &mode}};
    const uint32_t q6_columns[4] = {10, 6, 4, 5}, one_date[1] = {10}, one_key[1] = {0};
    const uint32_t one_receipt[1] = {12}, three_dates[3] = {10, 11, 12};
    const uint32_t one_price[1] = {5}, one_comment[1] = {15}, one_mode[1] = {14};
    const uint32_t q1_columns[7] = {4, 5, 6, 7, 8, 9, 10};
    bench_scan(store, loaded, workers, "shipdate range", 1, one_date, by_date, 1, budget);
    bench_scan(store, loaded, workers, "Q6 predicates + price", 4, q6_columns, q6, 3, budget);
    bench_scan(store, loaded, workers, "shipmode = MAIL", 1, one_mode, by_mode, 1, budget);
    bench_scan(store, loaded, workers, "decode shipdate", 1, one_date, NULL, 0, budget);
    bench_scan(store, loaded, workers, "decode receiptdate", 1, one_receipt, NULL, 0, budget);
    bench_scan(store, loaded, workers, "decode three dates", 3, three_dates, NULL, 0, budget);
    bench_scan(store, loaded, workers, "decode extendedprice", 1, one_price, NULL, 0, budget);
    bench_scan(store, loaded, workers, "decode orderkey", 1, one_key, NULL, 0, budget);
    bench_scan(store, loaded, workers, "decode Q1's 7 columns", 7, q1_columns, NULL, 0, budget);
    bench_scan(store, loaded, workers, "decode comment", 1, one_comment, NULL, 0, budget);
}

int main(int argc, char **argv)
{
    if (argc < 2) {
        fprintf(stderr, "usage: storage_bench <directory> [workers] [rows] [table] [encoding]\n");
        return 2;
    }
    const uint32_t workers = argc > 2 ? (uint32_t)atoi(argv[2]) : 1;
    const uint64_t rows_max = argc > 3 ? strtoull(argv[3], NULL, 10) : UINT64_MAX;
    const EncodingId hint = argc > 5 ? encoding_by_name(argv[5]) : ENCODING_AUTO;
    char directory[] = "storage_bench_XXXXXX", command[64];
    PagePool *pool;
    if (workers == 0 || workers > WORKERS_MAX || mkdtemp(directory) == NULL) {
        return 2;
    }
    must(page_pool_create(&pool, (size_t)8 << 30));
    MemoryBudget *budget = memory_budget_create(pool, NULL, "node", 0);
    Host host = {.pool = pool,
                 .budget = budget,
                 .files = file_system_os(),
                 .clock = system_clock,
                 .worker_count = workers};
    const StoreOptions options = {.host = &host,
                                  .budget = budget,
                                  .directory = directory,
                                  .node_id = 1,
                                  .cache_bytes = (size_t)2 << 30};
    Store *store;
    must(store_open(&options, &store));
    const SliceRange slices[2] = {{0, 0, 8191}, {1, 8192, 16383}};
    must(store_set_slices(store, 1, slices, 2));
    must(store_lease_rowsets(store, 1, 100000));
    for (uint32_t i = 0; i < SHAPE_COUNT; i++) {
        if (argc > 4 && strcmp(argv[4], shapes[i].name) != 0) {
            continue;
        }
        Loaded loaded = load(&shapes[i], argv[1], rows_max, i + 1, hint);
        for (uint32_t round = 0; round < WRITE_ROUNDS; round++) {
            MemoryBudget *statement = memory_budget_create(pool, budget, "statement", 0);
            bench_write(store, &loaded, workers, i * WRITE_ROUNDS + round + 1,
                        round + 1 == WRITE_ROUNDS, statement);
            memory_budget_destroy(statement);
        }
        print_columns(store, &shapes[i], &loaded, budget);
        if (i == 0) {
            bench_lineitem_scans(store, &loaded, workers, budget);
        }
        arena_destroy(loaded.arena);
    }
    store_close(store);
    memory_budget_destroy(budget);
    page_pool_destroy(pool);
    snprintf(command, sizeof command, "rm -rf %s", directory);
    return system(command) == 0 ? 0 : 1;
}
