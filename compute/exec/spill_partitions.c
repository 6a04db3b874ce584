/* spill_partitions.c — one builder per partition in front of the file's streams. */
#include "compute/exec/spill_partitions.h"

#include "base/heap.h"

enum { GATHERED_ROWS = 256 }; /* rows a partition keeps in memory before they are encoded */

Status spill_partitions_create(QueryContext *query, const Type *types, uint32_t column_count,
                               uint32_t depth, SpillPartitions **out)
{
    SpillPartitions *partitions = heap_alloc_zeroed(sizeof *partitions);
    uint16_t *rows = heap_alloc(SPILL_PARTITIONS * VECTOR_ROWS * sizeof *rows);
    if (partitions == NULL || rows == NULL) {
        heap_free(partitions);
        heap_free(rows);
        return status_error(SQLSTATE_OUT_OF_MEMORY, "out of memory for spilling");
    }
    *partitions = (SpillPartitions){.depth = depth, .batch_rows = GATHERED_ROWS, .rows = rows,
                                    .budget = query->budget, .types = types,
                                    .column_count = column_count};
    Status status = spill_file_create(query, SPILL_PARTITIONS, &partitions->file);
    if (status != STATUS_OK) {
        spill_partitions_destroy(partitions);
        return status;
    }
    *out = partitions;
    return STATUS_OK;
}

static void destroy_builders(SpillPartitions *partitions)
{
    for (uint32_t p = 0; p < SPILL_PARTITIONS; p++) {
        batch_builder_destroy(partitions->builders[p]);
        partitions->builders[p] = NULL;
    }
}

void spill_partitions_destroy(SpillPartitions *partitions)
{
    if (partitions == NULL) {
        return;
    }
    destroy_builders(partitions);
    spill_file_destroy(partitions->file);
    heap_free(partitions->rows);
    heap_free(partitions);
}

static Status write_partition(SpillPartitions *partitions, uint32_t partition)
{
    SharedBatch *full;
    TRY(batch_builder_take(partitions->builders[partition], &full));
    if (full == NULL) {
        return STATUS_OK;
    }
    Status status = spill_file_append(partitions->file, partition, &full->batch);
    shared_batch_unpin(full);
    return status;
}

static Status add_to_partition(SpillPartitions *partitions, uint32_t partition, const Batch *batch,
                               uint32_t row_count)
{
    BatchBuilder **builder = &partitions->builders[partition];
    if (*builder == NULL) {
        *builder = batch_builder_create(partitions->budget, partitions->types,
                                        partitions->column_count, partitions->batch_rows);
        if (*builder == NULL) {
            return status_error(SQLSTATE_OUT_OF_MEMORY, "out of memory for spilling");
        }
    }
    const uint16_t *rows = partitions->rows + (size_t)partition * VECTOR_ROWS;
    uint32_t done = 0;
    while (done < row_count) {
        uint32_t taken = 0;
        TRY(batch_builder_append(*builder, batch, rows + done, row_count - done, &taken));
        done += taken;
        if (batch_builder_row_count(*builder) == partitions->batch_rows) {
            TRY(write_partition(partitions, partition));
        }
    }
    return STATUS_OK;
}

Status spill_partitions_add(SpillPartitions *partitions, const Batch *batch, const uint16_t *rows,
                            const uint64_t *hashes, uint32_t row_count)
{
    uint32_t *row_counts = partitions->row_counts;
    for (uint32_t p = 0; p < SPILL_PARTITIONS; p++) {
        row_counts[p] = 0;
    }
    for (uint32_t i = 0; i < row_count; i++) {
        uint32_t p = spill_partition(hashes[i], partitions->depth);
        partitions->rows[(size_t)p * VECTOR_ROWS + row_counts[p]++] = rows[i];
    }
    for (uint32_t p = 0; p < SPILL_PARTITIONS; p++) {
        if (row_counts[p] > 0) {
            TRY(add_to_partition(partitions, p, batch, row_counts[p]));
        }
    }
    return STATUS_OK;
}

Status spill_partitions_finish(SpillPartitions *partitions)
{
    for (uint32_t p = 0; p < SPILL_PARTITIONS; p++) {
        if (partitions->builders[p] != NULL) {
            TRY(write_partition(partitions, p));
        }
    }
    destroy_builders(partitions);
    return spill_file_flush(partitions->file);
}
