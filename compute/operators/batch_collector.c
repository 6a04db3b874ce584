/* batch_collector.c — a builder and the list of what it has filled. */
#include "compute/operators/batch_collector.h"

#include <string.h>

#include "base/heap.h"

enum { LIST_CAPACITY_MIN = 16 };

#define ROWS_4(n) (n), (n) + 1, (n) + 2, (n) + 3
#define ROWS_16(n) ROWS_4(n), ROWS_4((n) + 4), ROWS_4((n) + 8), ROWS_4((n) + 12)
#define ROWS_64(n) ROWS_16(n), ROWS_16((n) + 16), ROWS_16((n) + 32), ROWS_16((n) + 48)
#define ROWS_256(n) ROWS_64(n), ROWS_64((n) + 64), ROWS_64((n) + 128), ROWS_64((n) + 192)
static const uint16_t all_rows[VECTOR_ROWS] = {ROWS_256(0), ROWS_256(256), ROWS_256(512),
                                               ROWS_256(768)};

const uint16_t *batch_selected_rows(const Batch *batch)
{
    return batch->selection != NULL ? batch->selection : all_rows;
}

static Status list_reserve(BatchList *list, uint32_t extra)
{
    if (list->count + extra <= list->capacity) {
        return STATUS_OK;
    }
    uint32_t capacity = list->capacity > 0 ? list->capacity * 2 : LIST_CAPACITY_MIN;
    while (capacity < list->count + extra) {
        capacity *= 2;
    }
    SharedBatch **items = heap_realloc(list->items, capacity * sizeof *items);
    if (items == NULL) {
        return status_error(SQLSTATE_OUT_OF_MEMORY, "out of memory for a list of batches");
    }
    list->items = items;
    list->capacity = capacity;
    return STATUS_OK;
}

Status batch_list_add(BatchList *list, SharedBatch *owned_batch)
{
    Status status = list_reserve(list, 1);
    if (status != STATUS_OK) {
        shared_batch_unpin(owned_batch);
        return status;
    }
    list->items[list->count++] = owned_batch;
    list->row_count += owned_batch->batch.selected_count;
    list->bytes += owned_batch->bytes;
    return STATUS_OK;
}

Status batch_list_append(BatchList *target, BatchList *source)
{
    if (target->count == 0) { // the usual case: one worker
        heap_free(target->items);
        *target = *source;
        *source = (BatchList){0};
        return STATUS_OK;
    }
    TRY(list_reserve(target, source->count));
    if (source->count > 0) {
        memcpy(target->items + target->count, source->items,
               source->count * sizeof *source->items);
    }
    target->count += source->count;
    target->row_count += source->row_count;
    target->bytes += source->bytes;
    heap_free(source->items);
    *source = (BatchList){0};
    return STATUS_OK;
}

void batch_list_clear(BatchList *list)
{
    for (uint32_t i = 0; i < list->count; i++) {
        shared_batch_unpin(list->items[i]);
    }
    heap_free(list->items);
    *list = (BatchList){0};
}

Status batch_collector_init(BatchCollector *collector, MemoryBudget *budget, const Type *types,
                            uint32_t column_count, uint32_t batch_rows)
{
    *collector = (BatchCollector){
        .builder = batch_builder_create(budget, types, column_count, batch_rows)};
    if (collector->builder == NULL) {
        return status_error(SQLSTATE_OUT_OF_MEMORY, "out of memory for gathered rows");
    }
    return STATUS_OK;
}

Status batch_collector_add_rows(BatchCollector *collector, const Batch *batch,
                                const uint16_t *rows, uint32_t row_count)
{
    uint32_t done = 0;
    while (done < row_count) {
        uint32_t taken = 0;
        TRY(batch_builder_append(collector->builder, batch, rows + done, row_count - done,
                                 &taken));
        done += taken;
        if (done < row_count) {
            TRY(batch_collector_flush(collector)); // full
        }
    }
    return STATUS_OK;
}

Status batch_collector_add(BatchCollector *collector, Batch *batch)
{
    TRY(batch_load_all(batch));
    return batch_collector_add_rows(collector, batch, batch_selected_rows(batch),
                                    batch->selected_count);
}

Status batch_collector_flush(BatchCollector *collector)
{
    SharedBatch *full = NULL;
    TRY(batch_builder_take(collector->builder, &full));
    return full == NULL ? STATUS_OK : batch_list_add(&collector->list, full);
}

void batch_collector_deinit(BatchCollector *collector)
{
    if (collector->builder != NULL) {
        batch_builder_destroy(collector->builder);
        collector->builder = NULL;
    }
    batch_list_clear(&collector->list);
}
