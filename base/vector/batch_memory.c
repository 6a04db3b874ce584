/* batch_memory.c — blocks for batches, and shared batches that hand them back at the last unpin. */
#include "base/vector/batch_memory.h"

#include <string.h>

#define PIECE_ALIGNMENT 64u
#define PIECE_PADDING 64u

typedef struct BatchBlock {
    struct BatchBlock *next;
    size_t bytes;
    uint8_t padding[48];
} BatchBlock;
static_assert(sizeof(BatchBlock) == PIECE_ALIGNMENT, "pieces behind the header stay aligned");

void batch_memory_init(BatchMemory *memory, MemoryBudget *budget)
{
    *memory = (BatchMemory){.budget = budget};
}

/* The size that the pool would round to: it is charged in any case, so it may as well be used. */
static size_t pool_class_bytes(size_t bytes)
{
    const size_t piece_bytes_max = (size_t)32 << 10, unit_bytes = (size_t)64 << 10;
    size_t class_bytes = 64;
    if (bytes > piece_bytes_max) {
        return (bytes + unit_bytes - 1) & ~(unit_bytes - 1);
    }
    while (class_bytes < bytes) {
        class_bytes *= 2;
    }
    return class_bytes;
}

void *batch_memory_alloc(BatchMemory *memory, size_t bytes, size_t block_bytes)
{
    size_t needed = (bytes + PIECE_PADDING + PIECE_ALIGNMENT - 1) & ~(size_t)(PIECE_ALIGNMENT - 1);
    if (needed > memory->left_bytes) {
        size_t wanted = needed + sizeof(BatchBlock);
        wanted = pool_class_bytes(wanted < block_bytes ? block_bytes : wanted);
        BatchBlock *block = memory_alloc(memory->budget, wanted);
        if (block == NULL) {
            return NULL;
        }
        block->next = memory->blocks;
        block->bytes = wanted;
        memory->blocks = block;
        memory->cursor = (uint8_t *)(block + 1);
        memory->left_bytes = wanted - sizeof(BatchBlock);
        memory->held_bytes += wanted;
    }
    void *piece = memory->cursor;
    memory->cursor += needed;
    memory->left_bytes -= needed;
    return piece;
}

static void free_blocks(MemoryBudget *budget, BatchBlock *block)
{
    while (block != NULL) {
        BatchBlock *next = block->next;
        memory_free(budget, block, block->bytes);
        block = next;
    }
}

void batch_memory_free(BatchMemory *memory)
{
    free_blocks(memory->budget, memory->blocks);
    batch_memory_init(memory, memory->budget);
}

SharedBatch *shared_batch_create(BatchMemory *owned_memory, uint32_t column_count,
                                 uint32_t row_count)
{
    size_t columns_bytes = column_count * sizeof(Vector);
    SharedBatch *shared = batch_memory_alloc(owned_memory, sizeof *shared + columns_bytes, 0);
    if (shared == NULL) {
        batch_memory_free(owned_memory);
        return NULL;
    }
    Vector *columns = (Vector *)(shared + 1);
    memset(columns, 0, columns_bytes);
    *shared = (SharedBatch){
        .batch = {.row_count = row_count,
                  .selected_count = row_count,
                  .column_count = column_count,
                  .columns = columns},
        .reference_count = 1,
        .budget = owned_memory->budget,
        .bytes = owned_memory->held_bytes,
        .memory = owned_memory->blocks,
    };
    batch_memory_init(owned_memory, owned_memory->budget);
    return shared;
}

SharedBatch *shared_batch_pin(SharedBatch *shared)
{
    // relaxed: whoever pins holds a reference already
    __atomic_fetch_add(&shared->reference_count, 1, __ATOMIC_RELAXED);
    return shared;
}

void shared_batch_unpin(SharedBatch *shared)
{
    // release what this thread did to the batch, acquire what the others did before freeing it
    if (shared == NULL || __atomic_fetch_sub(&shared->reference_count, 1, __ATOMIC_ACQ_REL) != 1) {
        return;
    }
    free_blocks(shared->budget, shared->memory); // the batch lies in its own blocks
}

bool shared_batch_recharge(SharedBatch *shared, MemoryBudget *budget)
{
    MemoryBudget *source = shared->budget;
    if (source == budget) {
        return true;
    }
    for (BatchBlock *block = shared->memory; block != NULL; block = block->next) {
        if (!memory_move(source, budget, block->bytes)) {
            for (BatchBlock *moved = shared->memory; moved != block; moved = moved->next) {
                memory_move_back(budget, source, moved->bytes);
            }
            return false;
        }
    }
    shared->budget = budget;
    return true;
}
