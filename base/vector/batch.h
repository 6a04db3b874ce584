/*
 * batch.h — up to 1,024 rows of several vectors, with an optional selection of the rows alive.
 *
 * A batch is a view: its vectors belong to the producer and live until the producer's next call.
 * Who keeps rows copies them (batch_builder.h, row_layout.h) or shares the whole (SharedBatch).
 */
#pragma once
#include "base/vector/vector.h"

/* A mask of up to 1,024 rows as words. */
typedef struct RowMask {
    uint64_t words[VALIDITY_WORDS];
} RowMask;

typedef struct Batch {
    uint32_t row_count;        /* rows in the vectors, at most VECTOR_ROWS */
    uint32_t selected_count;   /* rows alive; equals row_count when selection is null */
    const uint16_t *selection; /* ascending row indexes; null: all rows */
    const RowMask *mask;       /* the same rows as `selection`; null: nobody has it at hand. Who
                                * changes the selection of a batch clears it. Without a selection
                                * the rows are the mask's: only sinks that take masks (operator.h)
                                * are given such a batch */
    uint32_t column_count;
    Vector *columns;
} Batch;

/* A batch of `column_count` empty vectors in `arena`. */
void batch_init(Batch *batch, uint32_t column_count, Arena *arena);
/* Takes over rows, selection and the first `column_count` vectors as views. */
void batch_set_view(Batch *target, const Batch *source);
/* The column, decoded when it was lazy. */
Status batch_column(Batch *batch, uint32_t index, const Vector **out) CHECKED;
Status batch_load_all(Batch *batch) CHECKED; /* no lazy column remains */
/* The rows are in the mask alone. */
static inline bool batch_is_masked(const Batch *batch)
{
    return batch->selection == NULL && batch->mask != NULL;
}
static inline uint32_t batch_row(const Batch *batch, uint32_t index)
{
    return batch->selection == NULL ? index : batch->selection[index];
}

/* From mask to selection (returns the count). A selection made here has room for VECTOR_ROWS rows:
 * whole groups are written. */
uint32_t row_mask_to_selection(const RowMask *mask, uint32_t row_count, uint16_t *selection);
void row_mask_from_selection(RowMask *mask, const uint16_t *selection, uint32_t selected_count);
void row_mask_set_first(RowMask *mask, uint32_t row_count); /* rows 0..row_count, no others */
uint32_t row_mask_count(const RowMask *mask);

/*
 * BatchBuilder — gathers selected rows of batches into full batches that own their memory.
 * Scaled integers keep narrow lanes where bounds allow; text bytes are copied into pool pages.
 */
typedef struct SharedBatch { /* counted; immutable once shared */
    Batch batch;
    uint32_t reference_count; /* atomic */
    MemoryBudget *budget;     /* charged until the last unpin */
    size_t bytes;             /* pool bytes held */
    void *memory;
} SharedBatch;
SharedBatch *shared_batch_pin(SharedBatch *shared);
void shared_batch_unpin(SharedBatch *shared); /* null is allowed */
/* Moves the charge to another budget of the same pool, before the batch leaves its query; false
 * when that one refuses. Only while one thread holds the batch, or when it is charged there
 * already. */
bool shared_batch_recharge(SharedBatch *shared, MemoryBudget *budget);

typedef struct BatchBuilder BatchBuilder;
/* `types` is copied. `rows_max` <= VECTOR_ROWS. */
BatchBuilder *batch_builder_create(MemoryBudget *budget, const Type *types, uint32_t column_count,
                                   uint32_t rows_max);
void batch_builder_destroy(BatchBuilder *builder);
uint32_t batch_builder_row_count(const BatchBuilder *builder);
/* Appends rows rows[from..] of `batch` (physical row indexes) as long as there is room; `*taken`
 * rows went in. 53200 when memory is refused. Lazy columns must be loaded. */
Status batch_builder_append(BatchBuilder *builder, const Batch *batch, const uint16_t *rows,
                            uint32_t row_count, uint32_t *taken) CHECKED;
/* Hands out the rows gathered so far (null when there are none); the builder starts anew. */
Status batch_builder_take(BatchBuilder *builder, SharedBatch **out) CHECKED;
