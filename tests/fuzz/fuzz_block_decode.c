/*
 * fuzz_block_decode.c — any bytes as a column block or as the footer of a rowset file.
 *
 * The first byte chooses what. Checksums are made right before decoding: a fuzzer cannot guess
 * them, and a decoder must survive what they let through. What opens must decode within its memory,
 * vector by vector and row by row, and filters must agree with what decoding shows.
 */
#include <string.h>

#include "base/hash.h"
#include "base/heap.h"
#include "storage/block_filter.h"
#include "storage/rowset_reader.h"
#include "tests/fuzz/fuzz.h"

static const Type types[] = {
    {.id = TYPE_BIGINT},   {.id = TYPE_DATE},
    {.id = TYPE_BOOLEAN},  {.id = TYPE_DECIMAL, .precision = 38, .scale = 4},
    {.id = TYPE_DOUBLE},   {.id = TYPE_REAL},
    {.id = TYPE_INTERVAL}, {.id = TYPE_VARCHAR, .length = 96},
};
#define TYPE_CHOICES (sizeof types / sizeof types[0])
#define FOOTER_CHOICE TYPE_CHOICES
#define BYTES_MAX ((size_t)256 << 10)

static MemoryBudget *budget;

/* Every row of every vector: reading them is what a wrong bound would not survive. */
static uint64_t read_vector(const Block *block, uint32_t number, const Vector *vector)
{
    uint64_t sum = 0;
    for (uint32_t row = 0; row < block_vector_rows(block, number); row++) {
        const Value value = vector_value(vector, row);
        if (!value.is_null && type_is_text(value.type)) {
            sum += hash_bytes(text_view_data(&value.text), value.text.length, sum);
        } else if (!value.is_null && type_is_scaled_integer(value.type)) {
            sum += (uint64_t)value.i64;
        }
    }
    return sum;
}

static void check_filter(const Block *block, uint32_t number, const Vector *vector,
                         DecodeBuffer *buffer)
{
    static uint64_t bitmap[BLOCK_FILTER_BITMAP_BYTES / sizeof(uint64_t)];
    const Value bound = vector_value(vector, 0);
    const Predicate predicate = {
        .kind = PREDICATE_RANGE, .type = block->type, .has_hi = true, .hi = bound};
    if (bound.is_null || block->type.id == TYPE_INTERVAL || type_is_text(block->type)) {
        return; // text borrows what the filter decodes anew
    }
    BlockFilter filter = {.bitmap = bitmap};
    RowMask mask;
    Vector decoded;
    bool is_decoded = false;
    row_mask_set_first(&mask, block_vector_rows(block, number));
    block_filter_prepare(block, &predicate, &filter);
    status_ignore(block_filter_apply(block, number, &filter, buffer, &decoded, &is_decoded, &mask),
                  "damage that only decoding shows");
}

static void decode_all(const Block *block)
{
    DecodeBuffer buffer;
    require(decode_buffer_init(&buffer, budget) == STATUS_OK);
    for (uint32_t v = 0; v < block->vector_count; v++) {
        Vector vector;
        const uint16_t some[2] = {0, (uint16_t)(block_vector_rows(block, v) - 1)};
        Status status = block->encoding->decode(block, v, NULL, 0, &buffer, &vector);
        if (status != STATUS_OK) {
            require(status_sqlstate(status) == SQLSTATE_DATA_CORRUPTED);
            status_free(status);
            continue;
        }
        read_vector(block, v, &vector);
        check_filter(block, v, &vector, &buffer);
        status_ignore(
            block->encoding->decode(block, v, some, some[0] == some[1] ? 1 : 2, &buffer, &vector),
            "it decoded as a whole");
    }
    plant(block->row_count == 77 && block->header->null_count == 7);
    decode_buffer_deinit(&buffer);
}

static void fuzz_block(const uint8_t *data, size_t bytes, Type type)
{
    const BlockIdentity identity = {.cluster = 1, .table_id = 2, .rowset_id = 3, .column_id = 4};
    const size_t block_bytes = bytes & ~(size_t)(FORMAT_ALIGNMENT - 1);
    Block block;
    if (block_bytes < sizeof(BlockHeader)) {
        return;
    }
    uint8_t *copy = memory_alloc(budget, block_bytes);
    require(copy != NULL);
    memcpy(copy, data, block_bytes);
    BlockHeader *header = (BlockHeader *)(void *)copy;
    header->magic = BLOCK_MAGIC;
    header->version = FORMAT_VERSION;
    header->encryption = 0;
    header->cluster = identity.cluster;
    header->table_id = identity.table_id;
    header->rowset_id = identity.rowset_id;
    header->column_id = identity.column_id;
    header->row_group = 0;
    header->block_bytes = (uint32_t)block_bytes;
    header->checksum = block_checksum(copy, block_bytes, &identity);
    Status status = block_open(copy, block_bytes, &identity, type, budget, &block);
    if (status == STATUS_OK) {
        decode_all(&block);
        block_close(&block);
    } else {
        require(status_sqlstate(status) == SQLSTATE_DATA_CORRUPTED);
        status_free(status);
    }
    memory_free(budget, copy, block_bytes);
}

static void fuzz_footer(const uint8_t *data, size_t bytes)
{
    const RowsetIdentity identity = {.cluster = 1, .table_id = 2, .rowset_id = 3};
    const uint64_t offset = 4096;
    RowsetFooter *footer;
    RowsetTrailer trailer = {.footer_offset = offset,
                             .file_bytes = offset + bytes + sizeof trailer,
                             .footer_bytes = bytes,
                             .cluster = 1,
                             .rowset_id = 3,
                             .version = FORMAT_VERSION,
                             .magic = TRAILER_MAGIC};
    uint8_t *copy = heap_alloc(bytes + sizeof trailer);
    require(copy != NULL);
    if (bytes > 0) {
        memcpy(copy, data, bytes);
    }
    memcpy(copy + bytes, &trailer, sizeof trailer);
    trailer.checksum = hash_bytes(copy, bytes + sizeof trailer, 1 ^ 3);
    memcpy(copy + bytes, &trailer, sizeof trailer);
    Status status = rowset_footer_parse(&identity, copy, bytes + sizeof trailer, offset, &footer);
    if (status != STATUS_OK) {
        require(status_sqlstate(status) == SQLSTATE_DATA_CORRUPTED);
        status_free(status);
        return;
    }
    for (uint32_t c = 0; c < footer->header->column_count; c++) {
        require(rowset_footer_type(footer, c).id < TYPE_COUNT);
        for (uint32_t g = 0; g < footer->header->row_group_count; g++) {
            require(footer->zones[rowset_footer_block(footer, c, g)].row_count ==
                    footer->row_group_rows[g]);
        }
    }
    rowset_footer_destroy(footer);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    static PagePool *pool;
    if (pool == NULL) {
        status_ignore(page_pool_create(&pool, (size_t)256 << 20), "checked below");
        require(pool != NULL);
        budget = memory_budget_create(pool, NULL, "fuzz", 0);
    }
    if (bytes < 1 || bytes > BYTES_MAX) {
        return 0;
    }
    const uint32_t choice = data[0] % (TYPE_CHOICES + 1);
    if (choice == FOOTER_CHOICE) {
        fuzz_footer(data + 1, bytes - 1);
    } else {
        fuzz_block(data + 1, bytes - 1, types[choice]);
    }
    require(memory_budget_used_bytes(budget) == 0);
    return 0;
}
