/* batch.c — batches as views, lazy columns, and masks of rows. */
#include "base/vector/batch.h"

#include <string.h>

#include "base/vector/compress_vbmi2.h"
#include "base/vector/vector_kernels.h"

void batch_init(Batch *batch, uint32_t column_count, Arena *arena)
{
    *batch = (Batch){
        .column_count = column_count,
        .columns = ARENA_ARRAY(arena, Vector, column_count),
    };
}

void batch_set_view(Batch *target, const Batch *source)
{
    DEBUG_ASSERT(source->column_count >= target->column_count);
    target->row_count = source->row_count;
    target->selected_count = source->selected_count;
    target->selection = source->selection;
    target->mask = source->mask;
    if (target->columns != source->columns) {
        memcpy(target->columns, source->columns, target->column_count * sizeof(Vector));
    }
}

Status batch_column(Batch *batch, uint32_t index, const Vector **out)
{
    DEBUG_ASSERT(index < batch->column_count);
    Vector *vector = &batch->columns[index];
    if (vector->form == VECTOR_LAZY) {
        TRY(vector->loader->load(vector->loader, vector, batch->row_count, batch->selection,
                                 batch->selected_count));
        DEBUG_ASSERT(vector->form != VECTOR_LAZY);
    }
    *out = vector;
    return STATUS_OK;
}

Status batch_load_all(Batch *batch)
{
    for (uint32_t i = 0; i < batch->column_count; i++) {
        const Vector *vector;
        TRY(batch_column(batch, i, &vector));
    }
    return STATUS_OK;
}

/* --- row masks --- */

uint32_t row_mask_to_selection(const RowMask *mask, uint32_t row_count, uint16_t *selection)
{
    if (compress_vbmi2_is_used()) {
        return compress_vbmi2_mask_to_selection(mask->words, row_count, selection);
    }
    return KERNELS(vector_kernels)->mask_to_selection(mask->words, row_count, selection);
}

void row_mask_from_selection(RowMask *mask, const uint16_t *selection, uint32_t selected_count)
{
    memset(mask, 0, sizeof *mask);
    for (uint32_t i = 0; i < selected_count; i++) {
        mask->words[selection[i] >> 6] |= UINT64_C(1) << (selection[i] & 63);
    }
}

void row_mask_set_first(RowMask *mask, uint32_t row_count)
{
    memset(mask, 0, sizeof *mask);
    memset(mask->words, 0xff, row_count / 64 * sizeof(uint64_t));
    if (row_count % 64 != 0) {
        mask->words[row_count / 64] = (UINT64_C(1) << (row_count % 64)) - 1;
    }
}

uint32_t row_mask_count(const RowMask *mask)
{
    return KERNELS(vector_kernels)->count_bits(mask->words, VALIDITY_WORDS);
}
