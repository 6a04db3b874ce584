/* vector_stream.c — see vector_stream.h. */
#include "storage/encoding/vector_stream.h"

#include <string.h>
#include "storage/encoding/text_vector.h"

#define PLAIN_SPARE_BYTES 64u /* text_vector_gather writes a little behind the text */

size_t vector_stream_write(const EncodeJob *job, size_t bytes_max, VectorWriter write, void *state)
{
    const uint32_t count = job->profile->vector_count;
    BlockBuilder *builder = &job->context->builder;
    VectorEntry entries[FORMAT_ROW_GROUP_VECTORS];
    uint8_t *data = block_builder_stream(builder, STREAM_DATA, 0, bytes_max);
    if (data == NULL) {
        return 0;
    }
    size_t end = 0;
    for (uint32_t v = 0; v < count; v++) {
        entries[v] = (VectorEntry){.offset = (uint32_t)(end / 16),
                                   .flags = chunk_vector_flags(job->chunk, v)};
        end += write(job, v, &entries[v], data + end, state);
    }
    block_builder_close(builder, end);
    const size_t entry_bytes = count * sizeof(VectorEntry);
    uint8_t *target = block_builder_stream(builder, STREAM_VECTORS, 0, entry_bytes);
    if (target != NULL) {
        memcpy(target, entries, entry_bytes);
    }
    block_builder_close(builder, entry_bytes);
    return end;
}

size_t vector_stream_pack_codes(const EncodeJob *job, uint32_t vector, VectorEntry *entry,
                                uint8_t *target, void *plan)
{
    EncodeContext *context = job->context;
    return pack_vector(
        context->kernels,
        chunk_vector(context->residuals, job->chunk->row_count, vector, context->values), plan,
        context->lanes, entry, target);
}

Status vector_stream_write_texts(const EncodeJob *job, size_t bytes_max, VectorWriter write,
                                 size_t *bytes)
{
    const size_t plain_bytes = text_vector_largest(job->chunk) + PLAIN_SPARE_BYTES;
    char *plain = memory_alloc(job->context->budget, plain_bytes);
    if (plain == NULL) {
        return memory_refused(job->context->budget, plain_bytes, "text being compressed");
    }
    *bytes = vector_stream_write(job, bytes_max, write, plain);
    memory_free(job->context->budget, plain, plain_bytes);
    return STATUS_OK;
}

size_t vector_stream_pad(uint8_t *target, size_t bytes)
{
    const size_t padded = (bytes + 15) & ~(size_t)15;
    memset(target + bytes, 0, padded - bytes);
    return padded;
}

void vector_entry_mark_ascending(const EncodeJob *job, uint32_t vector, VectorEntry *entry)
{
    if ((entry->flags & VECTOR_FLAG_NULLS) == 0 &&
        job->profile->vectors[vector].descent_count == 0) {
        entry->flags |= VECTOR_FLAG_ASCENDING;
    }
}

bool filter_by_bounds(const BlockFilter *filter, int64_t lo, int64_t hi, RowMask *mask)
{
    switch (predicate_check_bounds(filter->predicate, lo, hi, false)) {
    case PREDICATE_ALL:
        return true;
    case PREDICATE_NONE:
        memset(mask, 0, sizeof *mask);
        return true;
    default:
        return false;
    }
}
