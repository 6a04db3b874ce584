/* delete_fixture.h — row ids of the test table's rows, and statements that delete some of them. */
#pragma once
#include "store_fixture.h"

#define TEST_IDS 2000000 /* ids of all tests are below */

/* Where each row is; 0: the snapshot does not see it. */
typedef struct RowPlaces {
    int64_t *row_ids; /* per id */
    int64_t id_max;
    uint64_t count;
} RowPlaces;

typedef struct PlaceOptions {
    Snapshot snapshot;
    uint32_t batch_rows;
    uint32_t predicate_count;
    const ScanPredicate *predicates;
} PlaceOptions;

static inline void note_places(Batch *batch, RowPlaces *places)
{
    const Vector *ids;
    const Vector *row_ids = &batch->columns[1], *nodes = &batch->columns[2];
    EXPECT(batch->column_count == 3, "%u columns", batch->column_count);
    must(batch_column(batch, 0, &ids));
    for (uint32_t k = 0; k < batch->selected_count; k++) {
        const uint32_t row = batch_row(batch, k);
        const int64_t id = vector_value(ids, row).i64;
        const int64_t row_id = vector_value(row_ids, row).i64;
        EXPECT(id >= 0 && id < places->id_max, "id %lld", (long long)id);
        EXPECT(places->row_ids[id] == 0, "id %lld twice", (long long)id);
        EXPECT(row_id >= row_ids->lo && row_id <= row_ids->hi, "bounds");
        EXPECT(vector_value(nodes, row).i64 == 1 && nodes->form == VECTOR_CONSTANT, "node");
        places->row_ids[id] = row_id;
        places->count++;
    }
}

static inline RowPlaces find_places(StoreFixture *fixture, const TestTable *table, int64_t id_max,
                                    const PlaceOptions *options)
{
    static const uint32_t columns[1] = {COLUMN_ID};
    RowPlaces places = {.row_ids = calloc((size_t)id_max + 1, sizeof(int64_t)), .id_max = id_max};
    Arena *arena = arena_create(NULL, "places_arena");
    const ScanRequest request = {.store = fixture->store,
                                 .table = &table->table,
                                 .snapshot = options->snapshot,
                                 .column_count = 1,
                                 .columns = columns,
                                 .predicate_count = options->predicate_count,
                                 .predicates = options->predicates,
                                 .batch_rows = options->batch_rows,
                                 .budget = fixture->budget,
                                 .has_row_ids = true};
    TableScan *scan;
    TableScanLocal *local;
    must(table_scan_open(&request, arena, &scan));
    const uint64_t estimate = table_scan_row_estimate(scan);
    must(table_scan_local_create(scan, NULL, arena, &local));
    bool is_done = false;
    while (!is_done) {
        Batch batch;
        must(table_scan_next(local, &batch, &is_done));
        if (!is_done) {
            note_places(&batch, &places);
        }
    }
    EXPECT(options->predicate_count > 0 || estimate == places.count, "estimate %llu of %llu",
           (unsigned long long)estimate, (unsigned long long)places.count);
    table_scan_local_destroy(local);
    table_scan_close(scan);
    arena_destroy(arena);
    return places;
}

/* Which rows a statement deletes: first <= id < end, id % step == phase. */
typedef struct DeleteRange {
    int64_t first, end, step, phase;
} DeleteRange;

static inline bool range_has(const DeleteRange *range, int64_t id)
{
    return id >= range->first && id < range->end && id % range->step == range->phase;
}

static inline TableDeleter *open_deleter(StoreFixture *fixture, const TestTable *table,
                                         Snapshot snapshot)
{
    const TableDeleteOptions options = {.store = fixture->store,
                                        .table = &table->table,
                                        .snapshot = snapshot,
                                        .budget = fixture->budget};
    TableDeleter *deleter;
    must(table_deleter_create(&options, &deleter));
    return deleter;
}

/* One statement; returns how many rows went. */
static inline uint64_t delete_rows(StoreFixture *fixture, const TestTable *table, Snapshot snapshot,
                                   DeleteRange range)
{
    const PlaceOptions options = {.snapshot = snapshot};
    RowPlaces places = find_places(fixture, table, TEST_IDS, &options);
    TableDeleter *deleter = open_deleter(fixture, table, snapshot);
    uint64_t count = 0;
    for (int64_t id = range.first; id < range.end; id++) {
        if (range_has(&range, id) && places.row_ids[id] != 0) {
            must(table_deleter_add(deleter, &places.row_ids[id], 1));
        }
    }
    must(table_deleter_finish(deleter, &count));
    table_deleter_destroy(deleter);
    free(places.row_ids);
    return count;
}

static inline void commit_delete(StoreFixture *fixture, const TestTable *table, uint64_t txn,
                                 uint64_t position, DeleteRange range)
{
    const Snapshot snapshot = {.position = position - 1, .txn_id = txn, .statement = 1};
    delete_rows(fixture, table, snapshot, range);
    must(store_prepare(fixture->store, txn));
    must(store_commit(fixture->store, txn, position));
}

/* The snapshot sees rows 0 .. count, but for those of the range. */
static inline void expect_without(StoreFixture *fixture, const TestTable *table, Snapshot snapshot,
                                  int64_t count, DeleteRange range)
{
    const ScanOptions options = {.snapshot = snapshot};
    SeenRows seen = scan_rows(fixture, table, count, &options);
    for (int64_t id = 0; id < count; id++) {
        const uint8_t wanted = !range_has(&range, id);
        EXPECT(seen.seen[id] == wanted, "row %lld seen %u times", (long long)id, seen.seen[id]);
    }
    free(seen.seen);
}

static const DeleteRange no_rows = {.first = 0, .end = 0, .step = 1};
