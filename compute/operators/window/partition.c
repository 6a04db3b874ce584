/*
 * partition.c — the source: a worker claims a bucket, goes through its partitions, computes all
 * columns of one, and gives it out batch by batch.
 */
#include <string.h>

#include "compute/operators/window/window_internal.h"

enum { ROWS_MIN = 1024 };

typedef struct WindowSourceLocal {
    Arena *arena;
    bool has_bucket;
    SortRuns *runs;       /* of the bucket */
    RowStore kept, spare; /* rows of the partition when the runs' own do not stay */
    bool keeps_rows;
    const uint8_t **block; /* rows read from the runs: VECTOR_ROWS */
    uint32_t block_count, block_next;
    WindowPartition partition;
    uint32_t next_row; /* of the partition, to be given out */
    VectorBuffer *child_buffers, *column_buffers, *default_buffers;
    Batch columns; /* the computed ones */
    ExprColumnsLocal outputs;
    const Vector **output_vectors;
} WindowSourceLocal;

static Status source_local_open(Source *self, void *local, Arena *worker_arena)
{
    Window *window = window_of_source(self);
    WindowSourceLocal *state = local;
    state->arena = worker_arena;
    state->block = ARENA_ARRAY(worker_arena, const uint8_t *, VECTOR_ROWS);
    state->partition = (WindowPartition){
        .window = window,
        .results = ARENA_ARRAY(worker_arena, WindowResult, window->column_count),
    };
    state->child_buffers = ARENA_ARRAY(worker_arena, VectorBuffer, window->child_count);
    for (uint32_t c = 0; c < window->child_count; c++) {
        vector_buffer_init(&state->child_buffers[c], worker_arena);
    }
    state->column_buffers = ARENA_ARRAY(worker_arena, VectorBuffer, window->column_count);
    state->default_buffers = ARENA_ARRAY(worker_arena, VectorBuffer, window->column_count);
    for (uint32_t c = 0; c < window->column_count; c++) {
        vector_buffer_init(&state->column_buffers[c], worker_arena);
        if (window->columns[c].default_field != WINDOW_NO_FIELD) {
            vector_buffer_init(&state->default_buffers[c], worker_arena);
        }
    }
    batch_init(&state->columns, window->column_count, worker_arena);
    expr_columns_open(&window->outputs, &state->outputs, worker_arena);
    state->output_vectors = ARENA_ARRAY(worker_arena, const Vector *, window->outputs.count);
    row_store_init(&state->kept, &window->shape.layout, window->query->budget, worker_arena);
    row_store_init(&state->spare, &window->shape.layout, window->query->budget, worker_arena);
    return STATUS_OK;
}

// Bytes of all arrays of a partition for `capacity` rows.
static size_t partition_bytes(const Window *window, size_t capacity)
{
    size_t per_row = sizeof(const uint8_t *) + 2 * sizeof(uint32_t);
    per_row += window->column_count * (sizeof(WindowValue) + sizeof(uint8_t *) + 1);
    return per_row * capacity + 64;
}

// Lays the arrays out in the partition's memory; the rows so far are kept.
static Status grow_partition(WindowPartition *partition)
{
    const Window *window = partition->window;
    uint64_t capacity =
        partition->row_capacity > 0 ? partition->row_capacity * UINT64_C(2) : ROWS_MIN;
    size_t bytes = partition_bytes(window, capacity);
    uint8_t *memory = capacity > UINT32_MAX ? NULL : memory_alloc(window->query->budget, bytes);
    if (memory == NULL) {
        return memory_refused(window->query->budget, bytes, "the rows of a window's partition");
    }
    uint8_t *next = memory;
    for (uint32_t c = 0; c < window->column_count; c++) {
        partition->results[c].values = (WindowValue *)next;
        next += capacity * sizeof(WindowValue);
    }
    if (partition->row_count > 0) {
        memcpy(next, partition->rows, partition->row_count * sizeof *partition->rows);
    }
    partition->rows = (const uint8_t **)next;
    next += capacity * sizeof(const uint8_t *);
    for (uint32_t c = 0; c < window->column_count; c++) {
        partition->results[c].rows = (const uint8_t **)next;
        next += capacity * sizeof(const uint8_t *);
    }
    partition->first_peer = (uint32_t *)next;
    next += capacity * sizeof(uint32_t);
    partition->peers_end = (uint32_t *)next;
    next += capacity * sizeof(uint32_t);
    for (uint32_t c = 0; c < window->column_count; c++) {
        partition->results[c].nulls = next;
        next += capacity;
    }
    if (partition->memory != NULL) {
        memory_free(window->query->budget, partition->memory, partition->memory_bytes);
    }
    partition->memory = memory;
    partition->memory_bytes = bytes;
    partition->row_capacity = (uint32_t)capacity;
    return STATUS_OK;
}

static bool is_same_partition(const Window *window, const uint8_t *left, const uint8_t *right)
{
    return sort_keys_compare_first(&window->shape.keys, window->plan->partition_count,
                                   &window->shape.layout, left, right) == 0;
}

// Reads the next block of sorted rows; rows of spilled runs are copied, as theirs do not stay.
static Status read_block(WindowSourceLocal *local)
{
    local->block_next = 0;
    TRY(sort_runs_next(local->runs, local->block, VECTOR_ROWS, &local->block_count));
    if (!local->keeps_rows || local->block_count == 0) {
        return STATUS_OK;
    }
    for (uint32_t i = 0; i < local->block_count; i++) {
        uint64_t number = local->kept.row_count;
        TRY(row_store_copy(&local->kept, &local->runs->rows, &local->block[i], 1));
        local->block[i] = (const uint8_t *)(uintptr_t)(number + 1); // its page may still move
    }
    return STATUS_OK;
}

static const uint8_t *block_row(const WindowSourceLocal *local, uint32_t index)
{
    const uint8_t *row = local->block[index];
    return local->keeps_rows ? row_store_row(&local->kept, (uintptr_t)row - 1) : row;
}

static void find_peers(WindowPartition *partition)
{
    const Window *window = partition->window;
    uint32_t count = partition->row_count;
    bool has_order = window->plan->order_count > 0;
    uint32_t first = 0;
    for (uint32_t i = 1; i <= count; i++) {
        bool is_end = i == count;
        if (!is_end) {
            is_end = has_order &&
                     sort_keys_compare_rows(&window->shape.keys, &window->shape.layout,
                                            partition->rows[first], partition->rows[i]) != 0;
        }
        for (uint32_t p = first; is_end && p < i; p++) {
            partition->first_peer[p] = first;
            partition->peers_end[p] = i;
        }
        first = is_end ? i : first;
    }
}

static Status compute_columns(WindowPartition *partition)
{
    const Window *window = partition->window;
    find_peers(partition);
    for (uint32_t c = 0; c < window->column_count; c++) {
        switch (window->columns[c].kind) {
        case WINDOW_COLUMN_RANK:
            TRY(window_rank(partition, c));
            break;
        case WINDOW_COLUMN_REFERENCE:
            TRY(window_reference(partition, c));
            break;
        case WINDOW_COLUMN_AGGREGATE:
            TRY(window_aggregate(partition, c));
            break;
        }
    }
    return STATUS_OK;
}

static Status add_row(WindowPartition *partition, const uint8_t *row)
{
    if (partition->row_count == partition->row_capacity) {
        TRY(grow_partition(partition));
    }
    partition->rows[partition->row_count++] = row;
    return STATUS_OK;
}

// Drops rows of earlier partitions from the kept ones: only what is left of the block stays.
static Status drop_kept(WindowSourceLocal *local)
{
    row_store_clear(&local->spare);
    for (uint32_t i = local->block_next; i < local->block_count; i++) {
        const uint8_t *row = block_row(local, i);
        TRY(row_store_copy(&local->spare, &local->kept, &row, 1));
        local->block[i] = (const uint8_t *)(uintptr_t)local->spare.row_count;
    }
    row_store_clear(&local->kept);
    RowStore swap = local->kept;
    local->kept = local->spare;
    local->spare = swap;
    return STATUS_OK;
}

// Gathers the next partition of the bucket; no rows at its end.
static Status load_partition(Window *window, WindowSourceLocal *local)
{
    WindowPartition *partition = &local->partition;
    partition->row_count = 0;
    local->next_row = 0;
    if (local->keeps_rows && local->kept.row_count > 0) {
        TRY(drop_kept(local));
    }
    bool is_complete = false;
    while (!is_complete) {
        if (local->block_next == local->block_count) {
            TRY(read_block(local));
            TRY(query_context_check(window->query));
        }
        if (local->block_count == 0) {
            break;
        }
        for (; local->block_next < local->block_count && !is_complete;) {
            const uint8_t *row = block_row(local, local->block_next);
            const uint8_t *first = partition->row_count == 0 ? row : partition->rows[0];
            if (local->keeps_rows && partition->row_count > 0) {
                first = row_store_row(&local->kept, (uintptr_t)first - 1);
            }
            is_complete = !is_same_partition(window, first, row);
            if (!is_complete) {
                TRY(add_row(partition, local->block[local->block_next++]));
            }
        }
    }
    for (uint32_t i = 0; local->keeps_rows && i < partition->row_count; i++) {
        partition->rows[i] = row_store_row(&local->kept, (uintptr_t)partition->rows[i] - 1);
    }
    return partition->row_count > 0 ? compute_columns(partition) : STATUS_OK;
}

static Status next_bucket(Window *window, WindowSourceLocal *local)
{
    uint32_t bucket = __atomic_fetch_add(&window->next_bucket, 1, __ATOMIC_RELAXED);
    local->has_bucket = bucket < window->bucket_count;
    if (!local->has_bucket) {
        return STATUS_OK;
    }
    local->runs = &window->buckets[bucket];
    local->keeps_rows = local->runs->file_count > 0;
    local->block_count = local->block_next = 0;
    row_store_clear(&local->kept);
    return sort_runs_start(local->runs);
}

// Values computed per row as a vector.
static void values_vector(const WindowColumn *column, const WindowResult *result, uint32_t first,
                          uint32_t count, VectorBuffer *buffer, Vector *out)
{
    Lane lane = type_widest_lane(column->type);
    int64_t lo = INT64_MAX;
    int64_t hi = INT64_MIN;
    bool has_nulls = false;
    memset(buffer->validity, 0xFF, VALIDITY_WORDS * sizeof *buffer->validity);
    for (uint32_t i = 0; i < count; i++) {
        const WindowValue *value = &result->values[first + i];
        if (result->nulls[first + i] != 0) {
            validity_clear(buffer->validity, i);
            has_nulls = true;
            memset((uint8_t *)buffer->lanes + i * lane_bytes(lane), 0, lane_bytes(lane));
            continue;
        }
        lo = value->i64 < lo ? value->i64 : lo;
        hi = value->i64 > hi ? value->i64 : hi;
        if (lane == LANE_F32) {
            ((float *)buffer->lanes)[i] = (float)value->f64;
        } else {
            memcpy((uint8_t *)buffer->lanes + i * lane_bytes(lane), value, lane_bytes(lane));
        }
    }
    *out = (Vector){.type = column->type,
                    .lane = (uint8_t)lane,
                    .form = VECTOR_FLAT,
                    .has_trailing_blanks = lane == LANE_TEXT,
                    .validity = has_nulls ? buffer->validity : NULL,
                    .data = buffer->lanes};
    if (type_is_scaled_integer(column->type)) {
        out->lo = has_nulls && lo > 0 ? 0 : lo; // lanes of NULLs are 0
        out->hi = has_nulls && hi < 0 ? 0 : hi;
    }
}

// Values of other rows; where there is no row, the default of the row itself.
static void reference_vector(const WindowSourceLocal *local, uint32_t index, uint32_t first,
                             uint32_t count, Vector *out)
{
    const Window *window = local->partition.window;
    const WindowColumn *column = &window->columns[index];
    const RowStore *store = &local->runs->rows;
    const uint8_t *const *rows = local->partition.results[index].rows + first;
    VectorBuffer *buffer = &local->column_buffers[index];
    row_store_gather(store, column->field, rows, NULL, count, true, buffer, out);
    out->type = column->type;
    if (column->default_field == WINDOW_NO_FIELD) {
        return;
    }
    Vector defaults;
    row_store_gather(store, column->default_field, local->partition.rows + first, NULL, count,
                     false, &local->default_buffers[index], &defaults);
    size_t bytes = lane_bytes(out->lane);
    for (uint32_t i = 0; i < count; i++) {
        if (rows[i] == NULL && !vector_is_null(&defaults, i)) {
            memcpy((uint8_t *)buffer->lanes + i * bytes, (const uint8_t *)defaults.data + i * bytes,
                   bytes);
            validity_set(buffer->validity, i);
        }
    }
    out->lo = defaults.lo < out->lo ? defaults.lo : out->lo;
    out->hi = defaults.hi > out->hi ? defaults.hi : out->hi;
    out->has_trailing_blanks |= defaults.has_trailing_blanks;
}

static Status give_rows(Window *window, WindowSourceLocal *local, Batch *out)
{
    WindowPartition *partition = &local->partition;
    uint32_t first = local->next_row;
    uint32_t count = partition->row_count - first;
    count = count < window->query->batch_rows ? count : window->query->batch_rows;
    local->next_row += count;
    for (uint32_t c = 0; c < window->child_count; c++) {
        row_store_gather(&local->runs->rows, c, partition->rows + first, NULL, count, false,
                         &local->child_buffers[c], &out->columns[c]);
    }
    Batch *columns = &local->columns;
    for (uint32_t c = 0; c < window->column_count; c++) {
        if (window->columns[c].kind == WINDOW_COLUMN_REFERENCE) {
            reference_vector(local, c, first, count, &columns->columns[c]);
        } else {
            values_vector(&window->columns[c], &partition->results[c], first, count,
                          &local->column_buffers[c], &columns->columns[c]);
        }
    }
    columns->column_count = window->column_count;
    columns->row_count = columns->selected_count = count;
    columns->selection = NULL;
    TRY(expr_columns_evaluate(&window->outputs, &local->outputs, columns, local->output_vectors));
    for (uint32_t c = 0; c < window->outputs.count; c++) {
        out->columns[window->child_count + c] = *local->output_vectors[c];
    }
    out->column_count = window->child_count + window->outputs.count;
    out->row_count = out->selected_count = count;
    out->selection = NULL;
    return STATUS_OK;
}

static Status source_produce(Source *self, void *local, Batch *out, Flow *flow)
{
    Window *window = window_of_source(self);
    WindowSourceLocal *state = local;
    *flow = FLOW_MORE;
    while (state->next_row == state->partition.row_count) {
        if (state->has_bucket) {
            TRY(load_partition(window, state));
            if (state->partition.row_count > 0) {
                break;
            }
        }
        TRY(next_bucket(window, state));
        if (!state->has_bucket) {
            *flow = FLOW_DONE;
            return STATUS_OK;
        }
    }
    return give_rows(window, state, out);
}

static void source_local_close(Source *self, void *local)
{
    Window *window = window_of_source(self);
    WindowSourceLocal *state = local;
    if (state->partition.memory != NULL) {
        memory_free(window->query->budget, state->partition.memory, state->partition.memory_bytes);
    }
    row_store_deinit(&state->kept);
    row_store_deinit(&state->spare);
}

static uint32_t source_parallelism(Source *self)
{
    return window_of_source(self)->bucket_count;
}

const SourceOps window_source_ops = {
    .name = "WindowAgg",
    .local_bytes = sizeof(WindowSourceLocal),
    .local_open = source_local_open,
    .produce = source_produce,
    .local_close = source_local_close,
    .parallelism = source_parallelism,
};
