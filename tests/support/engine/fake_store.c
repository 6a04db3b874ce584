/* fake_store.c — see fake_store.h. */
#include "tests/support/engine/fake_store.h"

#include <stdlib.h>
#include <string.h>

#include "base/mutex.h"

enum { MORSEL_ROWS = 100, READABLE_BYTES = 64, FILTERS_MAX = 16 };

struct Store {
    FakeStoreOptions options;
    uint64_t filtered_rows, written_rows; /* atomic */
};

struct TableScan {
    Store *store;
    ScanRequest request;
    Value **rows;             /* those of this node that pass the predicates */
    uint32_t row_count;
    uint32_t next_row;        /* atomic */
    uint64_t random;
    Mutex mutex;
    ScanPredicate filters[FILTERS_MAX];
    uint32_t filter_count;    /* guarded by mutex */
};

struct TableScanLocal {
    TableScan *scan;
    ScanEvaluator *evaluator;
    Arena *arena;
    Type *types;
    uint64_t random;
    uint32_t next_row, end_row;
};

typedef struct LazyColumn {
    VectorLoader loader;
    Vector loaded;
} LazyColumn;

static uint64_t draw(uint64_t *state, uint64_t limit)
{
    *state = *state * 6364136223846793005u + 1442695040888963407u;
    return limit == 0 ? 0 : (*state >> 33) % limit;
}

Store *fake_store_create(const FakeStoreOptions *options)
{
    Store *store = calloc(1, sizeof *store);
    ASSERT(store != NULL);
    store->options = *options;
    return store;
}

void fake_store_destroy(Store *store)
{
    free(store);
}

uint64_t fake_store_filtered_rows(const Store *store)
{
    return store->filtered_rows;
}

uint64_t fake_store_written_rows(const Store *store)
{
    return store->written_rows;
}

static bool row_passes(const Value *row, const uint32_t *columns, const ScanPredicate *predicate)
{
    return predicate_accepts(predicate->predicate, &row[columns[predicate->column]]);
}

Status table_scan_open(const ScanRequest *request, Arena *arena, TableScan **out)
{
    TableScan *scan = ARENA_NEW(arena, TableScan);
    scan->store = request->store;
    scan->request = *request;
    scan->random = request->store->options.seed;
    mutex_init(&scan->mutex, MUTEX_RANK_TABLE);
    const FakeStoreOptions *options = &request->store->options;
    const Rows *rows = options->tables->find(options->tables->self, request->table->table_id);
    scan->rows = ARENA_ARRAY(arena, Value *, rows->count);
    for (uint32_t i = 0; i < rows->count; i++) {
        int owner = row_node(request->table->style, request->table->distribution_column,
                             rows->items[i], i, options->node_count);
        bool is_kept = owner < 0 || (uint32_t)owner == options->node;
        for (uint32_t p = 0; p < request->predicate_count && is_kept; p++) {
            is_kept = row_passes(rows->items[i], request->columns, &request->predicates[p]);
        }
        if (is_kept) {
            scan->rows[scan->row_count++] = rows->items[i];
        }
    }
    *out = scan;
    return STATUS_OK;
}

void table_scan_close(TableScan *scan)
{
    mutex_deinit(&scan->mutex);
}

void table_scan_add_predicate(TableScan *scan, const ScanPredicate *predicate)
{
    mutex_lock(&scan->mutex);
    ASSERT(scan->filter_count < FILTERS_MAX);
    scan->filters[scan->filter_count++] = *predicate;
    mutex_unlock(&scan->mutex);
}

/* No zone maps here. */
uint64_t table_scan_summary(const TableScan *scan, const ScanSummary **columns)
{
    (void)scan;
    *columns = NULL;
    return 0;
}

uint64_t table_scan_row_estimate(const TableScan *scan)
{
    return scan->row_count;
}

static uint32_t morsel_rows(const TableScan *scan)
{
    uint32_t rows = scan->store->options.morsel_rows;
    return rows == 0 ? MORSEL_ROWS : rows;
}

uint32_t table_scan_morsel_count(const TableScan *scan)
{
    return (scan->row_count + morsel_rows(scan) - 1) / morsel_rows(scan);
}

Status table_scan_local_create(TableScan *scan, ScanEvaluator *evaluator, Arena *arena,
                               TableScanLocal **out)
{
    TableScanLocal *local = ARENA_NEW(arena, TableScanLocal);
    local->scan = scan;
    local->evaluator = evaluator;
    local->arena = arena_create(NULL, "fake scan");
    local->random = __atomic_add_fetch(&scan->random, 7919, __ATOMIC_RELAXED);
    local->types = ARENA_ARRAY(arena, Type, scan->request.column_count);
    for (uint32_t c = 0; c < scan->request.column_count; c++) {
        local->types[c] = scan->request.table->columns[scan->request.columns[c]].type;
    }
    *out = local;
    return STATUS_OK;
}

void table_scan_local_destroy(TableScanLocal *local)
{
    arena_destroy(local->arena);
}

/* --- vectors of every form --- */

static void store_lane(Lane lane, int64_t base, void *lanes, uint32_t index, const Value *value)
{
    int64_t offset = value->i64 - base;
    switch (lane) {
    case LANE_U8:
        ((uint8_t *)lanes)[index] = (uint8_t)offset;
        break;
    case LANE_U16:
        ((uint16_t *)lanes)[index] = (uint16_t)offset;
        break;
    case LANE_U32:
        ((uint32_t *)lanes)[index] = (uint32_t)offset;
        break;
    case LANE_I64:
        ((int64_t *)lanes)[index] = value->i64;
        break;
    case LANE_F32:
        ((float *)lanes)[index] = (float)value->f64;
        break;
    case LANE_F64:
        ((double *)lanes)[index] = value->f64;
        break;
    default:
        memcpy((Int128 *)lanes + index, &value->i128, sizeof value->i128);
        break;
    }
}

static void find_bounds(Value *const *rows, uint32_t column, uint32_t row_count, int64_t *lo,
                        int64_t *hi)
{
    *lo = INT64_MAX;
    *hi = INT64_MIN;
    for (uint32_t i = 0; i < row_count; i++) {
        const Value *value = &rows[i][column];
        if (!value->is_null) {
            *lo = value->i64 < *lo ? value->i64 : *lo;
            *hi = value->i64 > *hi ? value->i64 : *hi;
        }
    }
    if (*lo > *hi) {
        *lo = *hi = 0;
    }
}

static Lane choose_lane(Type type, int64_t lo, int64_t hi, uint64_t *random, int64_t *base)
{
    *base = 0;
    Lane widest = type_widest_lane(type);
    if (!type_is_scaled_integer(type) || widest == LANE_U8) {
        return widest;
    }
    uint64_t span = (uint64_t)hi - (uint64_t)lo;
    Lane narrowest = span <= UINT8_MAX    ? LANE_U8
                     : span <= UINT16_MAX ? LANE_U16
                     : span <= UINT32_MAX ? LANE_U32
                                          : LANE_I64;
    Lane lane = (Lane)(narrowest + draw(random, (uint64_t)(LANE_I64 - narrowest) + 1));
    *base = lane == LANE_I64 ? 0 : lo;
    return lane;
}

static void set_nulls(Arena *arena, Value *const *rows, uint32_t column, uint32_t row_count,
                      Vector *out)
{
    uint64_t *validity = ARENA_ARRAY(arena, uint64_t, VALIDITY_WORDS);
    bool has_nulls = false;
    for (uint32_t i = 0; i < row_count; i++) {
        if (rows[i][column].is_null) {
            has_nulls = true;
        } else {
            validity_set(validity, i);
        }
    }
    out->validity = has_nulls ? validity : NULL;
}

static Vector flat_vector(Arena *arena, Type type, Value *const *rows, uint32_t column,
                          uint32_t row_count, uint64_t *random)
{
    Vector out = {.type = type, .form = VECTOR_FLAT, .has_trailing_blanks = type_is_text(type)};
    if (type_is_scaled_integer(type)) {
        find_bounds(rows, column, row_count, &out.lo, &out.hi);
    }
    out.lane = (uint8_t)choose_lane(type, out.lo, out.hi, random, &out.base);
    void *lanes =
        arena_alloc_aligned(arena, row_count * lane_bytes(out.lane) + READABLE_BYTES, 64);
    for (uint32_t i = 0; i < row_count; i++) {
        Value value = rows[i][column];
        if (value.is_null) {
            value = (Value){.type = type, .i128 = 0};
            value.i64 = out.base;
        }
        store_lane(out.lane, out.base, lanes, i, &value);
    }
    out.data = lanes;
    set_nulls(arena, rows, column, row_count, &out);
    return out;
}

// The same bytes too: trailing blanks are kept though they do not count.
static bool is_same(const Value *left, const Value *right)
{
    if (!value_equal(left, right)) {
        return false;
    }
    if (left->is_null) {
        return true;
    }
    if (left->type.id == TYPE_INTERVAL) { // 30 days equal a month
        return left->i128 == right->i128;
    }
    return !type_is_text(left->type) || left->text.length == right->text.length;
}

static Vector dictionary_vector(Arena *arena, Type type, Value *const *rows, uint32_t column,
                                uint32_t row_count, uint64_t *random)
{
    Lane entry_lane = type_is_text(type) ? LANE_TEXT : LANE_I64;
    uint8_t *entries =
        arena_alloc_aligned(arena, (row_count + 1) * lane_bytes(entry_lane) + READABLE_BYTES, 64);
    uint16_t *codes = arena_alloc_aligned(arena, row_count * 2 + READABLE_BYTES, 64);
    Value *seen = ARENA_ARRAY(arena, Value, row_count);
    uint32_t count = 0;
    Vector out = {.type = type, .form = VECTOR_DICTIONARY, .lane = LANE_U16,
                  .has_trailing_blanks = type_is_text(type)};
    if (type_is_scaled_integer(type)) {
        find_bounds(rows, column, row_count, &out.lo, &out.hi);
    }
    for (uint32_t i = 0; i < row_count; i++) {
        const Value *value = &rows[i][column];
        uint32_t code = 0;
        while (!value->is_null && code < count && !is_same(&seen[code], value)) {
            code++;
        }
        if (!value->is_null && code == count) {
            seen[count] = *value;
            store_lane(entry_lane, 0, entries, count++, value);
        }
        codes[i] = (uint16_t)(value->is_null ? 0 : code);
    }
    Dictionary *dictionary = ARENA_NEW(arena, Dictionary);
    *dictionary = (Dictionary){.lane = entry_lane, .entry_count = count, .entries = entries,
                               .is_unique = !type_is_text(type), .identity = draw(random, 2) == 0 ? 0 : *random};
    out.data = codes;
    out.dictionary = dictionary;
    set_nulls(arena, rows, column, row_count, &out);
    return out;
}

static bool is_constant(Value *const *rows, uint32_t column, uint32_t row_count)
{
    for (uint32_t i = 1; i < row_count; i++) {
        if (!is_same(&rows[0][column], &rows[i][column])) {
            return false;
        }
    }
    return row_count > 0;
}

static Status load_lazy(VectorLoader *self, Vector *vector, uint32_t row_count,
                        const uint16_t *selection, uint32_t selected_count)
{
    (void)row_count;
    (void)selection;
    (void)selected_count;
    *vector = ((LazyColumn *)self)->loaded;
    return STATUS_OK;
}

static Vector any_vector(Arena *arena, Type type, Value *const *rows, uint32_t column,
                         uint32_t row_count, uint64_t *random, bool is_plain)
{
    if (is_plain) {
        uint64_t narrow = 0;
        return flat_vector(arena, type, rows, column, row_count, &narrow);
    }
    Vector out;
    if (is_constant(rows, column, row_count) && draw(random, 2) == 0) {
        void *storage = arena_alloc_aligned(arena, 16 + READABLE_BYTES, 64);
        vector_set_constant(&out, &rows[0][column], storage);
        out.type = type;
    } else if ((type_is_text(type) || type_is_scaled_integer(type)) &&
               type.id != TYPE_BOOLEAN && draw(random, 3) == 0) {
        out = dictionary_vector(arena, type, rows, column, row_count, random);
    } else {
        out = flat_vector(arena, type, rows, column, row_count, random);
    }
    if (draw(random, 3) == 0) {
        LazyColumn *lazy = ARENA_NEW(arena, LazyColumn);
        lazy->loader.load = load_lazy;
        lazy->loaded = out;
        return (Vector){.type = type, .form = VECTOR_LAZY, .loader = &lazy->loader,
                        .lo = out.lo, .hi = out.hi};
    }
    return out;
}

void fake_batch(Arena *arena, const Type *types, uint32_t column_count, Value *const *rows,
                uint32_t row_count, uint64_t *random, bool is_plain, Batch *out)
{
    bool has_rubbish = !is_plain && row_count > 0 && row_count < VECTOR_ROWS / 2 &&
                       draw(random, 2) == 0;
    uint16_t *selection = ARENA_ARRAY(arena, uint16_t, VECTOR_ROWS);
    Value **physical = ARENA_ARRAY(arena, Value *, VECTOR_ROWS);
    uint32_t physical_count = 0;
    for (uint32_t i = 0; i < row_count; i++) {
        if (has_rubbish && draw(random, 3) == 0) { // a copy of some row, not selected
            physical[physical_count++] = rows[draw(random, row_count)];
        }
        selection[i] = (uint16_t)physical_count;
        physical[physical_count++] = rows[i];
    }
    Vector *columns = ARENA_ARRAY(arena, Vector, column_count);
    for (uint32_t c = 0; c < column_count; c++) {
        columns[c] = any_vector(arena, types[c], physical, c, physical_count, random, is_plain);
    }
    *out = (Batch){.row_count = physical_count,
                   .selected_count = row_count,
                   .selection = physical_count == row_count ? NULL : selection,
                   .column_count = column_count,
                   .columns = columns};
}

static bool passes_filters(TableScan *scan, const Value *row)
{
    mutex_lock(&scan->mutex);
    uint32_t count = scan->filter_count;
    mutex_unlock(&scan->mutex);
    for (uint32_t f = 0; f < count; f++) {
        if (!row_passes(row, scan->request.columns, &scan->filters[f])) {
            __atomic_fetch_add(&scan->store->filtered_rows, 1, __ATOMIC_RELAXED);
            return false;
        }
    }
    return true;
}

Status table_scan_next(TableScanLocal *local, Batch *out, bool *is_done)
{
    TableScan *scan = local->scan;
    const ScanRequest *request = &scan->request;
    if (local->next_row == local->end_row) {
        uint32_t rows = morsel_rows(scan);
        uint32_t first = __atomic_fetch_add(&scan->next_row, rows, __ATOMIC_RELAXED);
        if (first >= scan->row_count) {
            *is_done = true;
            return STATUS_OK;
        }
        local->next_row = first;
        local->end_row = scan->row_count - first < rows ? scan->row_count : first + rows;
    }
    arena_reset(local->arena);
    Value **rows = ARENA_ARRAY(local->arena, Value *, VECTOR_ROWS);
    uint32_t row_count = 0;
    uint32_t batch_rows = request->batch_rows;
    while (local->next_row < local->end_row && row_count < batch_rows) {
        const Value *row = scan->rows[local->next_row++];
        if (!passes_filters(scan, row)) {
            continue;
        }
        Value *read = ARENA_ARRAY(local->arena, Value, request->column_count);
        for (uint32_t c = 0; c < request->column_count; c++) {
            read[c] = row[request->columns[c]];
        }
        rows[row_count++] = read;
    }
    Batch batch;
    fake_batch(local->arena, local->types, request->column_count, rows, row_count,
               &local->random, scan->store->options.is_plain, &batch);
    batch_set_view(out, &batch);
    *is_done = false;
    return local->evaluator == NULL || row_count == 0 ? STATUS_OK
                                                      : local->evaluator->filter(local->evaluator,
                                                                                 out);
}

void table_scan_statistics(const TableScan *scan, ScanStatistics *out)
{
    *out = (ScanStatistics){.rows_seen = scan->row_count};
}

/* --- writing: rows are counted --- */

struct TableWriter {
    TableWriteOptions options;
    uint64_t row_count; /* atomic */
};
struct TableWriterLocal {
    TableWriter *writer;
};

Status table_writer_create(const TableWriteOptions *options, TableWriter **out)
{
    *out = calloc(1, sizeof **out);
    (*out)->options = *options;
    return STATUS_OK;
}

Status table_writer_local_create(TableWriter *writer, TableWriterLocal **out)
{
    *out = calloc(1, sizeof **out);
    (*out)->writer = writer;
    return STATUS_OK;
}

Status table_writer_append(TableWriterLocal *local, Batch *batch)
{
    __atomic_fetch_add(&local->writer->row_count, batch->selected_count, __ATOMIC_RELAXED);
    return STATUS_OK;
}

Status table_writer_local_finish(TableWriterLocal *owned_local)
{
    free(owned_local);
    return STATUS_OK;
}

void table_writer_local_abandon(TableWriterLocal *owned_local)
{
    free(owned_local);
}

Status table_writer_finish(TableWriter *writer)
{
    __atomic_fetch_add(&writer->options.store->written_rows, writer->row_count, __ATOMIC_RELAXED);
    return STATUS_OK;
}

uint64_t table_writer_row_count(const TableWriter *writer)
{
    return writer->row_count;
}

void table_writer_statistics(const TableWriter *writer, ByteBuffer *target)
{
    byte_buffer_add_u64(target, writer->row_count);
}

void table_writer_destroy(TableWriter *writer)
{
    free(writer);
}

/* Deletes are storage's own matter, and their suites'. */
Status table_deleter_create(const TableDeleteOptions *options, TableDeleter **out)
{
    (void)options;
    *out = NULL;
    return status_error(SQLSTATE_FEATURE_NOT_SUPPORTED, "the fake store deletes nothing");
}

Status table_deleter_add(TableDeleter *deleter, const int64_t *row_ids, uint32_t count)
{
    (void)deleter;
    (void)row_ids;
    (void)count;
    return STATUS_OK;
}

Status table_deleter_finish(TableDeleter *deleter, uint64_t *row_count)
{
    (void)deleter;
    *row_count = 0;
    return STATUS_OK;
}

void table_deleter_destroy(TableDeleter *deleter)
{
    (void)deleter;
}

Status table_merger_create(const TableMergeOptions *options, TableMerger **out)
{
    (void)options;
    *out = NULL;
    return status_error(SQLSTATE_FEATURE_NOT_SUPPORTED, "the fake store merges nothing");
}

Status table_merger_step(TableMerger *merger, bool *is_done)
{
    (void)merger;
    *is_done = true;
    return STATUS_OK;
}

uint64_t table_merger_row_count(const TableMerger *merger)
{
    (void)merger;
    return 0;
}

void table_merger_destroy(TableMerger *merger)
{
    (void)merger;
}
