/* value_batch.h — rows of single values as batches: system tables, samples, messages to clients. */
#pragma once
#include "base/vector/batch.h"

/* Batches of at most VECTOR_ROWS rows over `cells` (row by row, column_count per row), in `arena`;
 * text bytes are borrowed from the cells. Values must be of their column's type, or NULL. */
void value_batches(Arena *arena, const Type *types, uint32_t column_count, const Value *cells,
                   uint32_t row_count, Batch **out, uint32_t *batch_count);
