/*
 * spill_partitions.h — rows scattered by their hash into the streams of one spill file.
 *
 * Depth 0 goes by the six highest bits of the hash, each further depth by the next six, so a
 * partition that is still too large can be cut again.
 */
#pragma once
#include "compute/exec/spill.h"

#define SPILL_PARTITIONS 64u
#define SPILL_DEPTH_MAX 8u

static inline uint32_t spill_partition(uint64_t hash, uint32_t depth)
{
    return (uint32_t)(hash >> (58 - 6 * depth)) & (SPILL_PARTITIONS - 1);
}

typedef struct SpillPartitions {
    SpillFile *file;
    uint32_t depth, batch_rows;
    BatchBuilder *builders[SPILL_PARTITIONS];
    uint32_t row_counts[SPILL_PARTITIONS];
    uint16_t *rows;            /* SPILL_PARTITIONS lists of VECTOR_ROWS */
    MemoryBudget *budget;
    const Type *types;
    uint32_t column_count;
} SpillPartitions;

Status spill_partitions_create(QueryContext *query, const Type *types, uint32_t column_count,
                               uint32_t depth, SpillPartitions **out) CHECKED;
void spill_partitions_destroy(SpillPartitions *partitions); /* null is allowed; also the file */
/* Adds rows[i] with hashes[i]; the batch's columns are loaded. */
Status spill_partitions_add(SpillPartitions *partitions, const Batch *batch, const uint16_t *rows,
                            const uint64_t *hashes, uint32_t row_count) CHECKED;
/* Writes all; the file is then ready to be read, a stream per partition. */
Status spill_partitions_finish(SpillPartitions *partitions) CHECKED;
