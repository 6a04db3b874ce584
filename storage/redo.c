/* redo.c — see redo.h. */
#include "storage/redo.h"

#include "base/byte_reader.h"
#include "base/hash.h"

enum { CHECKSUM_BYTES = 8, ENTRY_BYTES_MIN = 37 };

bool redo_fits(const PendingRows *rows, uint32_t row_count)
{
    uint64_t bytes = 0;
    for (uint32_t i = 0; i < row_count; i++) {
        if (rows[i].rows->kind != ROWS_BATCH) {
            return false;
        }
        bytes += ENTRY_BYTES_MIN + rows[i].rows->byte_count;
    }
    return bytes <= REDO_BYTES_MAX;
}

void redo_encode(const PendingRows *rows, uint32_t row_count, ByteBuffer *target)
{
    const size_t start = target->bytes;
    byte_buffer_add_varint(target, row_count);
    for (uint32_t i = 0; i < row_count; i++) {
        const StoredRows *batch = rows[i].rows;
        byte_buffer_add_u64(target, batch->rowset_id);
        byte_buffer_add_u64(target, batch->table_id);
        byte_buffer_add_u32(target, batch->slice);
        byte_buffer_add_u16(target, batch->first_bucket);
        byte_buffer_add_u16(target, batch->last_bucket);
        byte_buffer_add_u32(target, rows[i].statement);
        byte_buffer_add_u64(target, batch->row_count);
        byte_buffer_add_blob(target, batch->bytes, batch->byte_count);
    }
    if (!target->is_failed) {
        byte_buffer_add_u64(
            target, hash_bytes(target->data + start, target->bytes - start, REDO_CHECKSUM_SEED));
    }
}

static Status damaged(void)
{
    return status_error(SQLSTATE_DATA_CORRUPTED, "the record of a small INSERT is damaged");
}

Status redo_decode(const uint8_t *data, size_t bytes, void *object,
                   Status (*visit)(void *object, const StoredRows *facts, const uint8_t *bytes,
                                   uint32_t statement))
{
    ByteReader reader;
    if (bytes < CHECKSUM_BYTES) {
        return damaged();
    }
    byte_reader_init(&reader, data + bytes - CHECKSUM_BYTES, CHECKSUM_BYTES);
    if (byte_reader_u64(&reader) != hash_bytes(data, bytes - CHECKSUM_BYTES, REDO_CHECKSUM_SEED)) {
        return damaged();
    }
    byte_reader_init(&reader, data, bytes - CHECKSUM_BYTES);
    const uint32_t count = byte_reader_count(&reader, ENTRY_BYTES_MIN);
    for (uint32_t i = 0; i < count; i++) {
        StoredRows facts = {.kind = ROWS_BATCH};
        size_t batch_bytes = 0;
        facts.rowset_id = byte_reader_u64(&reader);
        facts.table_id = byte_reader_u64(&reader);
        facts.slice = byte_reader_u32(&reader);
        facts.first_bucket = byte_reader_u16(&reader);
        facts.last_bucket = byte_reader_u16(&reader);
        const uint32_t statement = byte_reader_u32(&reader);
        facts.row_count = byte_reader_u64(&reader);
        const uint8_t *batch = byte_reader_blob(&reader, &batch_bytes);
        facts.byte_count = batch_bytes;
        if (!byte_reader_is_ok(&reader) || facts.table_id == 0 || facts.rowset_id == 0) {
            return damaged();
        }
        TRY(visit(object, &facts, batch, statement));
    }
    return byte_reader_is_ok(&reader) && byte_reader_remaining(&reader) == 0 ? STATUS_OK
                                                                             : damaged();
}
