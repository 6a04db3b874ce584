/* seed_blocks.c — blocks of every encoding and type as first inputs of block_decode. */
#include <stdio.h>
#include <stdlib.h>

#include "base/heap.h"
#include "storage/encoding/encode_block.h"
#include "tests/fuzz/seeds.h"
#include "tests/unit/storage/sample_column.h"

/* The choices of fuzz_block_decode.c. */
static const Type types[] = {
    {.id = TYPE_BIGINT},   {.id = TYPE_DATE},
    {.id = TYPE_BOOLEAN},  {.id = TYPE_DECIMAL, .precision = 38, .scale = 4},
    {.id = TYPE_DOUBLE},   {.id = TYPE_REAL},
    {.id = TYPE_INTERVAL}, {.id = TYPE_VARCHAR, .length = 96},
};
#define TYPE_CHOICES (sizeof types / sizeof types[0])

static void require_ok(Status status)
{
    if (status != STATUS_OK) {
        fprintf(stderr, "%s\n", status_message(status));
        exit(1);
    }
}

static void seed_block(EncodeContext *context, uint32_t choice, Shape shape, Nulls nulls,
                       EncodingId hint)
{
    static const BlockIdentity identity = {
        .cluster = 1, .table_id = 2, .rowset_id = 3, .column_id = 4};
    char name[64];
    EncodingMemory memory = {0};
    SampleColumn column = sample_column(types[choice], shape, nulls, 70, 1);
    EncodedBlock *block = heap_alloc(sizeof *block);
    require_ok(encode_block(context, &column.chunk, &memory, hint, &identity, block));
    snprintf(name, sizeof name, "block_%s_%u_%d", encoding_ops(block->encoding)->name, choice,
             (int)nulls);
    seed_write("block_decode", name, (int)choice, block->bytes, block->byte_count);
    heap_free(block);
    encoding_memory_deinit(&memory);
    sample_column_free(&column);
}

void seed_blocks(void)
{
    static const Shape shapes[] = {SHAPE_CONSTANT, SHAPE_SMALL,    SHAPE_SORTED,
                                   SHAPE_RUNS,     SHAPE_FEW_WIDE, SHAPE_OUTLIERS};
    PagePool *pool;
    EncodeContext context;
    require_ok(page_pool_create(&pool, (size_t)256 << 20));
    MemoryBudget *budget = memory_budget_create(pool, NULL, "seeds", 0);
    require_ok(encode_context_init(&context, budget));
    for (uint32_t choice = 0; choice < TYPE_CHOICES; choice++) {
        for (size_t s = 0; s < sizeof shapes / sizeof shapes[0]; s++) {
            const bool is_narrow = choice == 1 || choice == 2 || choice == 6;
            for (uint32_t hint = 0; hint < ENCODING_ID_COUNT && !(is_narrow && s > 0); hint++) {
                seed_block(&context, choice, shapes[s], NULLS_NONE, (EncodingId)hint);
                seed_block(&context, choice, shapes[s], NULLS_SOME, (EncodingId)hint);
            }
        }
    }
    encode_context_deinit(&context);
    memory_budget_destroy(budget);
    page_pool_destroy(pool);
}
