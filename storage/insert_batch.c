/* insert_batch.c — see insert_batch.h. */
#include "storage/insert_batch.h"

#include "storage/format.h"
#include "storage/table_writer_internal.h"

#define INSERT_BATCH_VERSION 1

void insert_batch_begin(ByteBuffer *target, const PlanTable *table, uint32_t batch_count)
{
    byte_buffer_add_u8(target, INSERT_BATCH_VERSION);
    byte_buffer_add_varint(target, table->column_count);
    for (uint32_t i = 0; i < table->column_count; i++) {
        const Type type = table->columns[i].type;
        byte_buffer_add_u32(target, table->columns[i].column_id);
        byte_buffer_add_u8(target, type.id);
        byte_buffer_add_u8(target, type.precision);
        byte_buffer_add_u8(target, type.scale);
        byte_buffer_add_u32(target, (uint32_t)type.length);
    }
    byte_buffer_add_varint(target, batch_count);
}

Status insert_batch_read_head(ByteReader *reader, Arena *arena, InsertBatchHead *out)
{
    const uint8_t version = byte_reader_u8(reader);
    const uint32_t columns = byte_reader_count(reader, 11);
    if (columns > FORMAT_COLUMNS_MAX) {
        byte_reader_fail(reader);
    }
    uint32_t *ids = ARENA_ARRAY(arena, uint32_t, byte_reader_is_ok(reader) ? columns + 1 : 1);
    Type *types = ARENA_ARRAY(arena, Type, byte_reader_is_ok(reader) ? columns + 1 : 1);
    for (uint32_t i = 0; i < columns && byte_reader_is_ok(reader); i++) {
        ids[i] = byte_reader_u32(reader);
        types[i].id = byte_reader_u8(reader);
        types[i].precision = byte_reader_u8(reader);
        types[i].scale = byte_reader_u8(reader);
        types[i].length = (int32_t)byte_reader_u32(reader);
        if (!type_is_valid(types[i])) {
            byte_reader_fail(reader);
        }
    }
    const uint32_t batches = byte_reader_count(reader, 1);
    if (!byte_reader_is_ok(reader) || version != INSERT_BATCH_VERSION) {
        return status_error(SQLSTATE_DATA_CORRUPTED, "malformed INSERT batch");
    }
    *out = (InsertBatchHead){
        .column_count = columns, .column_ids = ids, .types = types, .batch_count = batches};
    return STATUS_OK;
}

static uint32_t count_batches(const WriteRest *rests, uint32_t slice_index)
{
    uint32_t count = 0;
    for (; rests != NULL; rests = rests->next) {
        if (rests->slice_index == slice_index) {
            count += (rests->rows->row_count + VECTOR_ROWS - 1) / VECTOR_ROWS;
        }
    }
    return count;
}

/* Appends the batches of one buffer, and sketches them: they were never encoded as columns. */
static void encode_rest(TableWriter *writer, const RowBuffer *rows, ByteBuffer *target)
{
    Vector *vectors = ARENA_ARRAY(writer->arena, Vector, rows->column_count);
    for (uint32_t first = 0; first < rows->row_count; first += VECTOR_ROWS) {
        Batch batch;
        row_buffer_batch(rows, first, vectors, &batch);
        batch_encode(&batch, target);
        for (uint32_t i = 0; i < rows->column_count; i++) {
            column_sketch_add(&writer->sketches[i], &vectors[i], &batch);
        }
    }
}

Status insert_batch_add(TableWriter *writer, uint32_t slice_index, const WriteRest *rests,
                        uint64_t row_count)
{
    const SliceRange *slice = &writer->slices[slice_index];
    ByteBuffer bytes;
    StoredRows *rows;
    byte_buffer_init(&bytes, 16 * INSERT_BATCH_BYTES_MAX);
    insert_batch_begin(&bytes, writer->table, count_batches(rests, slice_index));
    for (const WriteRest *rest = rests; rest != NULL; rest = rest->next) {
        if (rest->slice_index == slice_index) {
            encode_rest(writer, rest->rows, &bytes);
        }
    }
    StoredRows facts = {.kind = ROWS_BATCH,
                        .table_id = writer->table->table_id,
                        .slice = slice->slice,
                        .first_bucket = slice->first_bucket,
                        .last_bucket = slice->last_bucket,
                        .row_count = row_count,
                        .byte_count = bytes.bytes,
                        .budget = writer->store->budget,
                        .cache = writer->store->cache};
    Status status = byte_buffer_status(&bytes);
    if (status == STATUS_OK) {
        status = rowset_lease_take(&writer->store->lease, &facts.rowset_id);
    }
    if (status == STATUS_OK) {
        status = stored_rows_create(&facts, bytes.data, writer->store->system, "",
                                    writer->store->cluster, &rows);
    }
    if (status == STATUS_OK) {
        status =
            manifest_add(writer->store->manifest, writer->txn_id, writer->statement, rows, NULL);
    }
    byte_buffer_deinit(&bytes);
    return status;
}
