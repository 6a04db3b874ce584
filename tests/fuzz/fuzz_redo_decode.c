/*
 * fuzz_redo_decode.c — any bytes as the redo of a small INSERT that a commit record holds.
 *
 * Its checksum is made right, unless bit 0 of the first byte is set: a fuzzer cannot guess it.
 *
 * Promised of what is accepted: every batch names a table and a rowset and lies within the input;
 * the batches, encoded and decoded once more, are the same.
 */
#include <string.h>

#include "base/hash.h"
#include "storage/redo.h"
#include "tests/fuzz/fuzz.h"

enum { BATCHES_MAX = 2048, CHECKSUM_BYTES = 8 };
#define BYTES_MAX ((size_t)64 << 10)

typedef struct Batches {
    const uint8_t *data; /* what is decoded */
    size_t bytes;
    uint32_t count;
    StoredRows rows[BATCHES_MAX];
    PendingRows pending[BATCHES_MAX];
} Batches;

static Status add_batch(void *object, const StoredRows *facts, const uint8_t *bytes,
                        uint32_t statement)
{
    Batches *batches = object;
    require(batches->count < BATCHES_MAX);
    require(facts->kind == ROWS_BATCH && facts->table_id > 0 && facts->rowset_id > 0);
    require(facts->byte_count <= batches->bytes);
    require(facts->byte_count == 0 ||
            (bytes >= batches->data &&
             bytes + facts->byte_count <= batches->data + batches->bytes - CHECKSUM_BYTES));
    StoredRows *rows = &batches->rows[batches->count];
    memset(rows, 0, sizeof(*rows));
    rows->kind = ROWS_BATCH;
    rows->rowset_id = facts->rowset_id;
    rows->table_id = facts->table_id;
    rows->slice = facts->slice;
    rows->first_bucket = facts->first_bucket;
    rows->last_bucket = facts->last_bucket;
    rows->row_count = facts->row_count;
    rows->byte_count = facts->byte_count;
    rows->bytes = (uint8_t *)(uintptr_t)bytes; // only read
    batches->pending[batches->count++] = (PendingRows){.rows = rows, .statement = statement};
    return STATUS_OK;
}

static void check_same(const PendingRows *left, const PendingRows *right)
{
    const StoredRows *a = left->rows, *b = right->rows;
    require(left->statement == right->statement && a->rowset_id == b->rowset_id);
    require(a->table_id == b->table_id && a->slice == b->slice && a->row_count == b->row_count);
    require(a->first_bucket == b->first_bucket && a->last_bucket == b->last_bucket);
    require(a->byte_count == b->byte_count);
    require(a->byte_count == 0 || memcmp(a->bytes, b->bytes, a->byte_count) == 0);
}

static void check_again(const Batches *batches)
{
    static Batches again;
    ByteBuffer bytes;
    byte_buffer_init(&bytes, 0);
    redo_encode(batches->pending, batches->count, &bytes);
    require(!bytes.is_failed);
    again.data = bytes.data;
    again.bytes = bytes.bytes;
    again.count = 0;
    require(redo_decode(bytes.data, bytes.bytes, &again, add_batch) == STATUS_OK);
    require(again.count == batches->count);
    for (uint32_t i = 0; i < again.count; i++) {
        check_same(&batches->pending[i], &again.pending[i]);
    }
    byte_buffer_deinit(&bytes);
    plant(again.count == 2 && again.rows[0].byte_count > 0 && again.rows[0].byte_count < 4 &&
          again.rows[1].byte_count == 0);
}

static void make_right(uint8_t *bytes, size_t byte_count)
{
    const uint64_t sum = hash_bytes(bytes, byte_count - CHECKSUM_BYTES, REDO_CHECKSUM_SEED);
    for (uint32_t i = 0; i < CHECKSUM_BYTES; i++) {
        bytes[byte_count - CHECKSUM_BYTES + i] = (uint8_t)(sum >> 8 * i);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    static Batches batches;
    if (bytes == 0 || bytes > BYTES_MAX) {
        return 0;
    }
    uint8_t *copy = malloc(bytes - 1 + (bytes == 1)); // nothing is readable behind it
    require(copy != NULL);
    const size_t byte_count = bytes - 1; // behind the choice
    memcpy(copy, data + 1, byte_count);
    if ((data[0] & 1) == 0 && byte_count >= CHECKSUM_BYTES) {
        make_right(copy, byte_count);
    }
    batches.data = copy;
    batches.bytes = byte_count;
    batches.count = 0;
    Status status = redo_decode(copy, byte_count, &batches, add_batch);
    if (status == STATUS_OK) {
        check_again(&batches);
    } else {
        require(status_sqlstate(status) == SQLSTATE_DATA_CORRUPTED);
        status_free(status);
    }
    free(copy);
    return 0;
}
