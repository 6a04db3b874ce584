/*
 * batch_codec.h — batches as bytes, for the network, spill files and stored INSERT batches.
 *
 * Layout per batch: row count, column count, then per column: type, form, lane, flags, base, lo,
 * hi, validity, lanes (bit-packed to the width of hi - lo), text as lengths + bytes, or dictionary
 * codes with the dictionary's used entries. Little endian, no alignment assumed. Decoders bound
 * everything and allocate from a budget; 64 readable bytes follow each decoded array.
 */
#pragma once
#include "base/byte_buffer.h"
#include "base/byte_reader.h"
#include "base/vector/batch.h"

/* Appends the selected rows of `batch` (lazy columns loaded before). */
void batch_encode(const Batch *batch, ByteBuffer *target);
/* XX001 on malformed bytes; the result owns all its memory. `types`: what the plan expects; a
 * different type is malformed. */
Status batch_decode(ByteReader *reader, const Type *types, uint32_t column_count,
                    MemoryBudget *budget, SharedBatch **out) CHECKED;
