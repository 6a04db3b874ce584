/*
 * table_writer.c — one statement writing one table on this node: rows are checked, sketched, routed
 * to slices and handed to a WriteBuffer per worker and slice.
 *
 * A worker that wrote whole row groups to a slice seals its last rows with them; rows of workers
 * that did not are gathered at the end into one rowset per slice, or into an INSERT batch when few.
 */
#include <string.h>
#include "base/heap.h"
#include "base/vector/distribution_hash.h"
#include "storage/table_writer_internal.h"

#define SAMPLE_ROWS 4096u

struct TableWriterLocal {
    TableWriter *writer;
    Arena *arena;
    EncodeContext context;
    WriteBuffer *buffers; /* per slice; set up when first used */
    ColumnSketch *sketches;
    RowSample *sample;
    uint32_t slice_index; /* EVEN: where this worker's rows go now */
    uint64_t row_count;
    uint64_t *hashes;     /* VECTOR_ROWS */
    uint16_t *routed;     /* VECTOR_ROWS row numbers, slice by slice */
    uint32_t *slice_ends; /* slice_count + 1 */
};

/* Slices that rows of the table may go to. */
static Status find_slices(TableWriter *writer)
{
    if (writer->table->style == DISTRIBUTION_STYLE_ALL) {
        writer->slices = ARENA_NEW(writer->arena, SliceRange);
        *writer->slices = (SliceRange){
            .slice = REPLICA_SLICE, .first_bucket = 0, .last_bucket = BUCKET_COUNT - 1};
        writer->slice_count = 1;
        return STATUS_OK;
    }
    TRY(store_slices(writer->store, writer->arena, &writer->slices, &writer->slice_count));
    writer->slice_of_bucket = ARENA_ARRAY(writer->arena, uint16_t, BUCKET_COUNT);
    for (uint32_t i = 0; i < writer->slice_count; i++) {
        const SliceRange *slice = &writer->slices[i];
        for (uint32_t b = slice->first_bucket; b <= slice->last_bucket && b < BUCKET_COUNT; b++) {
            writer->slice_of_bucket[b] = (uint16_t)(i + 1);
        }
    }
    return STATUS_OK;
}

static Status check_table(const PlanTable *table)
{
    if (table->column_count == 0 || table->column_count > FORMAT_COLUMNS_MAX) {
        return status_error(SQLSTATE_TOO_MANY_COLUMNS, "table \"%s\" has %u columns", table->name,
                            table->column_count);
    }
    for (uint32_t i = 0; i < table->column_count; i++) {
        if (table->columns[i].column_id > FORMAT_COLUMN_ID_MAX) {
            return status_error(SQLSTATE_TOO_MANY_COLUMNS, "table \"%s\" used up its column ids",
                                table->name);
        }
    }
    return STATUS_OK;
}

Status table_writer_create(const TableWriteOptions *options, TableWriter **out)
{
    const PlanTable *table = options->table;
    TRY(check_table(table));
    TRY(store_check_room(options->store));
    Arena *arena = arena_create(NULL, "table_writer_arena");
    TableWriter *writer = ARENA_NEW(arena, TableWriter);
    const uint32_t wanted = options->row_group_rows;
    *writer = (TableWriter){
        .store = options->store,
        .table = table,
        .txn_id = options->txn_id,
        .statement = options->statement,
        .row_group_rows =
            wanted > 0 && wanted < FORMAT_ROW_GROUP_ROWS ? wanted : FORMAT_ROW_GROUP_ROWS,
        .budget = options->budget,
        .is_canceled = options->is_canceled,
        .arena = arena,
        .types = ARENA_ARRAY(arena, Type, table->column_count),
        .columns = ARENA_ARRAY(arena, RowsetColumn, table->column_count),
        .sketches = ARENA_ARRAY(arena, ColumnSketch, table->column_count),
    };
    mutex_init(&writer->mutex, MUTEX_RANK_TABLE);
    for (uint32_t i = 0; i < table->column_count; i++) {
        writer->types[i] = table->columns[i].type;
        writer->columns[i] =
            (RowsetColumn){.column_id = table->columns[i].column_id,
                           .type = table->columns[i].type,
                           .is_looked_up = lookup_counts_want(&writer->store->lookups, table, i)};
        column_sketch_init(&writer->sketches[i], table->columns[i].type);
    }
    writer->sample = row_sample_create(writer->types, table->column_count, SAMPLE_ROWS,
                                       options->txn_id ^ table->table_id);
    Status status = writer->sample == NULL
                        ? memory_refused(writer->budget, SAMPLE_ROWS, "a sample of rows")
                        : find_slices(writer);
    if (status != STATUS_OK) {
        table_writer_destroy(writer);
        return status;
    }
    *out = writer;
    return STATUS_OK;
}

static void free_rests(TableWriter *writer)
{
    while (writer->rests != NULL) {
        WriteRest *rest = writer->rests;
        writer->rests = rest->next;
        row_buffer_destroy(rest->rows);
        heap_free(rest);
    }
}

void table_writer_destroy(TableWriter *writer)
{
    if (writer == NULL) {
        return;
    }
    if (!writer->is_finished && writer->local_count > 0) {
        status_ignore(manifest_forget(writer->store->manifest, writer->txn_id, writer->statement,
                                      writer->table->table_id),
                      "the statement failed; its transaction can only abort or roll it back");
    }
    free_rests(writer);
    row_sample_destroy(writer->sample);
    mutex_deinit(&writer->mutex);
    arena_destroy(writer->arena);
}

uint64_t table_writer_row_count(const TableWriter *writer)
{
    return writer->row_count;
}

void table_writer_statistics(const TableWriter *writer, ByteBuffer *target)
{
    byte_buffer_add_varint(target, writer->table->column_count);
    for (uint32_t i = 0; i < writer->table->column_count; i++) {
        byte_buffer_add_u32(target, writer->columns[i].column_id);
        column_sketch_encode(&writer->sketches[i], target);
    }
    row_sample_encode(writer->sample, target);
}

static void local_destroy(TableWriterLocal *local)
{
    for (uint32_t i = 0; i < local->writer->slice_count; i++) {
        if (local->buffers[i].writer != NULL) {
            write_buffer_deinit(&local->buffers[i]);
        }
    }
    encode_context_deinit(&local->context);
    row_sample_destroy(local->sample);
    arena_destroy(local->arena);
}

Status table_writer_local_create(TableWriter *writer, TableWriterLocal **out)
{
    const uint32_t column_count = writer->table->column_count;
    Arena *arena = arena_create(NULL, "table_writer_local_arena");
    TableWriterLocal *local = ARENA_NEW(arena, TableWriterLocal);
    local->writer = writer;
    local->arena = arena;
    local->buffers = ARENA_ARRAY(arena, WriteBuffer, writer->slice_count);
    local->sketches = ARENA_ARRAY(arena, ColumnSketch, column_count);
    local->hashes = ARENA_ARRAY(arena, uint64_t, VECTOR_ROWS);
    local->routed = ARENA_ARRAY(arena, uint16_t, VECTOR_ROWS);
    local->slice_ends = ARENA_ARRAY(arena, uint32_t, writer->slice_count + 1);
    for (uint32_t i = 0; i < column_count; i++) {
        column_sketch_init(&local->sketches[i], writer->types[i]);
    }
    mutex_lock(&writer->mutex);
    const uint32_t number = writer->local_count++;
    mutex_unlock(&writer->mutex);
    // Statements of one worker spread over the slices too.
    local->slice_index = (uint32_t)((writer->txn_id + number) % writer->slice_count);
    local->sample =
        row_sample_create(writer->types, column_count, SAMPLE_ROWS, writer->txn_id + number);
    Status status = local->sample == NULL
                        ? memory_refused(writer->budget, SAMPLE_ROWS, "a sample of rows")
                        : encode_context_init(&local->context, writer->budget);
    if (status != STATUS_OK) {
        local_destroy(local);
        return status;
    }
    *out = local;
    return STATUS_OK;
}

/* 23502 for the first column with a NULL where none is allowed. */
static Status check_nulls(const TableWriter *writer, const Batch *batch)
{
    for (uint32_t i = 0; i < writer->table->column_count; i++) {
        const uint64_t *validity = batch->columns[i].validity;
        if (!writer->table->columns[i].is_not_null || validity == NULL) {
            continue;
        }
        for (uint32_t k = 0; k < batch->selected_count; k++) {
            if (vector_is_null(&batch->columns[i], batch_row(batch, k))) {
                return status_error(SQLSTATE_NOT_NULL_VIOLATION,
                                    "null value in column \"%s\" of table \"%s\"",
                                    writer->table->columns[i].name, writer->table->name);
            }
        }
    }
    return STATUS_OK;
}

static Status use_buffer(TableWriterLocal *local, uint32_t slice_index, WriteBuffer **out)
{
    *out = &local->buffers[slice_index];
    if ((*out)->writer != NULL) {
        return STATUS_OK;
    }
    return write_buffer_init(*out, local->writer, slice_index, local->sketches);
}

/* Row numbers slice by slice into `routed`, by the bucket of the distribution column. */
static Status route_rows(TableWriterLocal *local, const Batch *batch)
{
    const TableWriter *writer = local->writer;
    const int32_t column = writer->table->distribution_column;
    uint32_t *ends = local->slice_ends;
    uint16_t slices[VECTOR_ROWS];
    distribution_hash_column(&batch->columns[column], batch, false, local->hashes);
    memset(ends, 0, (writer->slice_count + 1) * sizeof *ends);
    for (uint32_t i = 0; i < batch->selected_count; i++) {
        const uint32_t bucket = bucket_of_hash(local->hashes[i]);
        slices[i] = writer->slice_of_bucket[bucket];
        if (slices[i] == 0) {
            return status_error(SQLSTATE_OBJECT_NOT_IN_PREREQUISITE_STATE,
                                "bucket %u is not on this node: the bucket map changed", bucket);
        }
        ends[slices[i]]++;
    }
    for (uint32_t i = 1; i <= writer->slice_count; i++) {
        ends[i] += ends[i - 1];
    }
    // ends[s] is where slice s starts until its rows are placed, then where it ends.
    for (uint32_t i = 0; i < batch->selected_count; i++) {
        local->routed[ends[slices[i] - 1]++] = (uint16_t)batch_row(batch, i);
    }
    return STATUS_OK;
}

static Status append_routed(TableWriterLocal *local, const Batch *batch)
{
    TRY(route_rows(local, batch));
    uint32_t start = 0;
    for (uint32_t i = 0; i < local->writer->slice_count; i++) {
        const uint32_t count = local->slice_ends[i] - start;
        WriteBuffer *buffer;
        if (count > 0) {
            TRY(use_buffer(local, i, &buffer));
            TRY(write_buffer_append(buffer, &local->context, batch, local->routed + start, count));
        }
        start += count;
    }
    return STATUS_OK;
}

Status table_writer_append(TableWriterLocal *local, Batch *batch)
{
    const TableWriter *writer = local->writer;
    if (batch->selected_count == 0) {
        return STATUS_OK;
    }
    ASSERT(batch->column_count == writer->table->column_count);
    TRY(batch_load_all(batch));
    TRY(check_nulls(writer, batch));
    TRY(row_sample_add(local->sample, batch));
    local->row_count += batch->selected_count;
    if (writer->table->style == DISTRIBUTION_STYLE_KEY && writer->slice_count > 1) {
        return append_routed(local, batch);
    }
    WriteBuffer *buffer;
    TRY(use_buffer(local, local->slice_index, &buffer));
    TRY(write_buffer_append(buffer, &local->context, batch, batch->selection,
                            batch->selected_count));
    // A rowset is full: the next one goes to the next slice.
    if (writer->table->style == DISTRIBUTION_STYLE_EVEN && buffer->rowset == NULL &&
        buffer->rows->row_count == 0) {
        local->slice_index = (local->slice_index + 1) % writer->slice_count;
    }
    return STATUS_OK;
}

/* Rows that made no row group go to the writer, which puts them together with others'. */
static Status hand_over(TableWriterLocal *local, uint32_t slice_index)
{
    WriteBuffer *buffer = &local->buffers[slice_index];
    WriteRest *rest = heap_alloc(sizeof *rest);
    if (rest == NULL) {
        return memory_refused(local->writer->budget, sizeof *rest, "rows being written");
    }
    *rest = (WriteRest){.slice_index = slice_index, .rows = buffer->rows};
    buffer->rows = NULL;
    mutex_lock(&local->writer->mutex);
    rest->next = local->writer->rests;
    local->writer->rests = rest;
    mutex_unlock(&local->writer->mutex);
    return STATUS_OK;
}

static Status finish_buffers(TableWriterLocal *local)
{
    for (uint32_t i = 0; i < local->writer->slice_count; i++) {
        WriteBuffer *buffer = &local->buffers[i];
        if (buffer->writer == NULL) {
            continue;
        }
        if (buffer->rowset != NULL) {
            TRY(write_buffer_flush(buffer, &local->context));
        } else if (buffer->rows->row_count > 0) {
            TRY(hand_over(local, i));
        }
    }
    return STATUS_OK;
}

void table_writer_local_abandon(TableWriterLocal *owned_local)
{
    local_destroy(owned_local);
}

Status table_writer_local_finish(TableWriterLocal *owned_local)
{
    TableWriter *writer = owned_local->writer;
    Status status = finish_buffers(owned_local);
    mutex_lock(&writer->mutex);
    if (status == STATUS_OK) {
        writer->row_count += owned_local->row_count;
        for (uint32_t i = 0; i < writer->table->column_count; i++) {
            column_sketch_merge(&writer->sketches[i], &owned_local->sketches[i]);
        }
        status = row_sample_merge(writer->sample, owned_local->sample);
    }
    mutex_unlock(&writer->mutex);
    local_destroy(owned_local);
    return status;
}

/* All rests of a slice as one rowset. */
static Status seal_rests(TableWriter *writer, uint32_t slice_index, EncodeContext *context)
{
    WriteBuffer buffer;
    Vector *vectors = ARENA_ARRAY(writer->arena, Vector, writer->table->column_count);
    Status status = write_buffer_init(&buffer, writer, slice_index, writer->sketches);
    for (const WriteRest *rest = writer->rests; rest != NULL; rest = rest->next) {
        if (rest->slice_index != slice_index) {
            continue;
        }
        for (uint32_t first = 0; first < rest->rows->row_count && status == STATUS_OK;
             first += VECTOR_ROWS) {
            Batch batch;
            const uint32_t rows = row_buffer_batch(rest->rows, first, vectors, &batch);
            status = write_buffer_append(&buffer, context, &batch, NULL, rows);
        }
    }
    if (status == STATUS_OK) {
        status = write_buffer_flush(&buffer, context);
    }
    write_buffer_deinit(&buffer);
    return status;
}

Status table_writer_finish(TableWriter *writer)
{
    EncodeContext context = {0};
    Status status = STATUS_OK;
    for (uint32_t i = 0; i < writer->slice_count && status == STATUS_OK; i++) {
        uint64_t rows = 0;
        size_t bytes = 0;
        for (const WriteRest *rest = writer->rests; rest != NULL; rest = rest->next) {
            rows += rest->slice_index == i ? rest->rows->row_count : 0;
            bytes += rest->slice_index == i ? row_buffer_bytes(rest->rows) : 0;
        }
        if (rows == 0) {
            continue;
        }
        if (rows <= INSERT_BATCH_ROWS_MAX && bytes <= INSERT_BATCH_BYTES_MAX) {
            status = insert_batch_add(writer, i, writer->rests, rows);
            continue;
        }
        if (context.budget == NULL) {
            status = encode_context_init(&context, writer->budget);
        }
        if (status == STATUS_OK) {
            status = seal_rests(writer, i, &context);
        }
    }
    encode_context_deinit(&context);
    free_rests(writer);
    writer->is_finished = status == STATUS_OK;
    return status;
}
