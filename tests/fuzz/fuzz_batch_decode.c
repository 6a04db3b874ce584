/*
 * fuzz_batch_decode.c — any bytes as a batch from a peer, a spill file or a stored INSERT.
 *
 * The first bytes choose the columns that the plan expects. What decodes must be readable, within
 * its bounds, and must come back equal when it is encoded and decoded again.
 */
#include <string.h>

#include "base/vector/batch_codec.h"
#include "base/vector/distribution_hash.h"
#include "tests/fuzz/fuzz.h"

enum { COLUMNS_MAX = 4 };

static const Type types[] = {
    {.id = TYPE_BOOLEAN},
    {.id = TYPE_SMALLINT},
    {.id = TYPE_INTEGER},
    {.id = TYPE_BIGINT},
    {.id = TYPE_DECIMAL, .precision = 12, .scale = 2},
    {.id = TYPE_DECIMAL, .precision = 38, .scale = 4},
    {.id = TYPE_REAL},
    {.id = TYPE_DOUBLE},
    {.id = TYPE_CHAR, .length = 8},
    {.id = TYPE_VARCHAR, .length = 40},
    {.id = TYPE_DATE},
    {.id = TYPE_TIMESTAMP},
    {.id = TYPE_INTERVAL},
};
#define TYPE_CHOICES (sizeof types / sizeof types[0])

static void check_values(const Batch *batch)
{
    uint64_t hashes[VECTOR_ROWS];
    for (uint32_t i = 0; i < batch->column_count; i++) {
        const Vector *vector = &batch->columns[i];
        row_hash_column(vector, batch, false, hashes);
        for (uint32_t row = 0; row < batch->row_count; row++) {
            Value value = vector_value(vector, row);
            if (!value.is_null && type_is_scaled_integer(value.type)) {
                require(value.i64 >= vector->lo && value.i64 <= vector->hi);
                require(value.i64 >= type_int64_min(value.type));
                require(value.i64 <= type_int64_max(value.type));
            }
        }
    }
}

static void check_equal(const Batch *left, const Batch *right)
{
    require(left->row_count == right->row_count);
    for (uint32_t i = 0; i < left->column_count; i++) {
        for (uint32_t row = 0; row < left->row_count; row++) {
            Value left_value = vector_value(&left->columns[i], row);
            Value right_value = vector_value(&right->columns[i], row);
            require(value_equal(&left_value, &right_value));
        }
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    static PagePool *pool;
    static MemoryBudget *budget;
    if (pool == NULL) {
        status_ignore(page_pool_create(&pool, (size_t)64 << 20), "checked below");
        require(pool != NULL);
        budget = memory_budget_create(pool, NULL, "fuzz", 0);
    }
    if (bytes < 1 + COLUMNS_MAX) {
        return 0;
    }
    Type expected[COLUMNS_MAX];
    uint32_t column_count = data[0] % (COLUMNS_MAX + 1);
    for (uint32_t i = 0; i < COLUMNS_MAX; i++) {
        expected[i] = types[data[1 + i] % TYPE_CHOICES];
    }
    ByteReader reader;
    byte_reader_init(&reader, data + 1 + COLUMNS_MAX, bytes - 1 - COLUMNS_MAX);
    SharedBatch *shared = NULL, *again = NULL;
    Status status = batch_decode(&reader, expected, column_count, budget, &shared);
    if (status != STATUS_OK) {
        require(status_sqlstate(status) == SQLSTATE_DATA_CORRUPTED);
        status_free(status);
        require(memory_budget_used_bytes(budget) == 0);
        return 0;
    }
    check_values(&shared->batch);
    plant(column_count == 3 && shared->batch.row_count > 8);
    ByteBuffer encoded;
    byte_buffer_init(&encoded, (size_t)16 << 20);
    batch_encode(&shared->batch, &encoded);
    byte_reader_init(&reader, encoded.data, encoded.bytes);
    require(batch_decode(&reader, expected, column_count, budget, &again) == STATUS_OK);
    check_equal(&shared->batch, &again->batch);
    byte_buffer_deinit(&encoded);
    shared_batch_unpin(shared);
    shared_batch_unpin(again);
    require(memory_budget_used_bytes(budget) == 0);
    return 0;
}
