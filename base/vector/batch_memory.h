/*
 * batch_memory.h — the memory of one batch: blocks of pool pages, charged to a budget, freed at
 * once.
 *
 * Every piece is 64-byte aligned with 64 readable bytes after it, as vectors want.
 */
#pragma once
#include "base/memory_budget.h"
#include "base/vector/batch.h"

typedef struct BatchMemory {
    MemoryBudget *budget;
    struct BatchBlock *blocks; /* newest first */
    uint8_t *cursor;           /* free part of the newest block */
    size_t left_bytes;
    size_t held_bytes;
} BatchMemory;

void batch_memory_init(BatchMemory *memory, MemoryBudget *budget);
/* Null when the budget refuses. Not zeroed. `block_bytes`: how much to take from the pool when a
 * new block is needed (at least what is asked for). */
void *batch_memory_alloc(BatchMemory *memory, size_t bytes, size_t block_bytes);
void batch_memory_free(BatchMemory *memory);
/* A shared batch of all rows whose columns the caller fills in; all of it lies in `owned_memory`,
 * which is empty afterwards. Null when the budget refuses: the memory is freed then. */
SharedBatch *shared_batch_create(BatchMemory *owned_memory, uint32_t column_count,
                                 uint32_t row_count);
