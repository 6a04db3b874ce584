/* decode_buffer.c — what a worker lends to decoders; grows only for longer text. */
#include "storage/encoding/encoding.h"

#define LANES_BYTES (VECTOR_ROWS * 16 + 64)
#define SCRATCH_BYTES (VECTOR_ROWS * 8 + 64)
#define TEXT_BYTES_FIRST ((size_t)64 << 10)
#define TEXT_SPARE_BYTES 64 /* decoders write a little behind the text */

Status decode_buffer_init(DecodeBuffer *buffer, MemoryBudget *budget)
{
    *buffer = (DecodeBuffer){.budget = budget, .kernels = KERNELS(pack_kernels)};
    buffer->lanes = memory_alloc_zeroed(budget, LANES_BYTES);
    buffer->scratch = memory_alloc(budget, SCRATCH_BYTES);
    if (buffer->lanes == NULL || buffer->scratch == NULL) {
        decode_buffer_deinit(buffer);
        return memory_refused(budget, LANES_BYTES + SCRATCH_BYTES, "decoding");
    }
    return STATUS_OK;
}

void decode_buffer_deinit(DecodeBuffer *buffer)
{
    if (buffer->budget == NULL) {
        return;
    }
    memory_free(buffer->budget, buffer->lanes, LANES_BYTES);
    memory_free(buffer->budget, buffer->scratch, SCRATCH_BYTES);
    memory_free(buffer->budget, buffer->text, buffer->text_bytes);
    *buffer = (DecodeBuffer){0};
}

Status decode_buffer_reserve_text(DecodeBuffer *buffer, size_t bytes)
{
    const size_t wanted = bytes + TEXT_SPARE_BYTES;
    if (wanted <= buffer->text_bytes) {
        return STATUS_OK;
    }
    size_t capacity = buffer->text_bytes == 0 ? TEXT_BYTES_FIRST : buffer->text_bytes;
    while (capacity < wanted) {
        capacity *= 2;
    }
    memory_free(buffer->budget, buffer->text, buffer->text_bytes);
    buffer->text_bytes = 0;
    buffer->text = memory_alloc(buffer->budget, capacity);
    if (buffer->text == NULL) {
        return memory_refused(buffer->budget, capacity, "decoded text");
    }
    buffer->text_bytes = capacity;
    return STATUS_OK;
}
