/*
 * batch_collector.h — keeps the rows of many batches as a list of full batches that own their
 * memory.
 *
 * What joins build from, sorts sort, and stores keep. One worker fills a collector; lists of
 * several workers are joined afterwards.
 */
#pragma once
#include "base/vector/batch.h"

typedef struct BatchList {
    SharedBatch **items;
    uint32_t count, capacity;
    uint64_t row_count;
    size_t bytes;
} BatchList;

/* Takes the reference, also on failure (53200). */
Status batch_list_add(BatchList *list, SharedBatch *owned_batch) CHECKED;
/* Moves all of `source` to the end of `target`; `source` is empty afterwards. */
Status batch_list_append(BatchList *target, BatchList *source) CHECKED;
void batch_list_clear(BatchList *list); /* unpins all, frees the list */

typedef struct BatchCollector {
    BatchBuilder *builder;
    BatchList list;
} BatchCollector;

/* Types are copied by the builder. 53200. */
Status batch_collector_init(BatchCollector *collector, MemoryBudget *budget, const Type *types,
                            uint32_t column_count, uint32_t batch_rows) CHECKED;
/* Adds the selected rows; lazy columns are loaded. 53200: some of them may have been added. */
Status batch_collector_add(BatchCollector *collector, Batch *batch) CHECKED;
/* Adds rows[0..row_count) of `batch`, physical row indexes; its columns are loaded. */
Status batch_collector_add_rows(BatchCollector *collector, const Batch *batch, const uint16_t *rows,
                                uint32_t row_count) CHECKED;
Status
batch_collector_flush(BatchCollector *collector) CHECKED; /* what is gathered joins the list */
void batch_collector_deinit(BatchCollector *collector);   /* also the list */

/* The selected rows of a batch as physical row indexes: its selection, or 0, 1, 2, … */
const uint16_t *batch_selected_rows(const Batch *batch);
