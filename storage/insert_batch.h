/*
 * insert_batch.h — the rows of a small INSERT as bytes: what the node's database keeps until they
 * are sealed into a rowset.
 *
 * Layout: version, column count, then id and type of each column; batch count; batches as
 * batch_codec.h writes them.
 */
#pragma once
#include "base/vector/batch_codec.h"
#include "planner/plan/plan.h"

/* Starts the bytes; then batch_encode per batch. */
void insert_batch_begin(ByteBuffer *target, const PlanTable *table, uint32_t batch_count);

/* What stands before the batches. */
typedef struct InsertBatchHead {
    uint32_t column_count;
    const uint32_t *column_ids;
    const Type *types;
    uint32_t batch_count;
} InsertBatchHead;
/* Reads it, in `arena`; the reader then stands at the first batch. XX001. */
Status insert_batch_read_head(ByteReader *reader, Arena *arena, InsertBatchHead *out) CHECKED;
