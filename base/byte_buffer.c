/* byte_buffer.c — output that grows by doubling, up to its limit. */
#include "base/byte_buffer.h"

#include <stdio.h>
#include <string.h>

#include "base/heap.h"

enum { BYTE_BUFFER_BYTES_MIN = 256 }; /* the first allocation */

static bool buffer_grow(ByteBuffer *buffer, size_t bytes);
static size_t little_endian(uint8_t *target, uint64_t value, size_t bytes);
static size_t big_endian(uint8_t *target, uint64_t value, size_t bytes);

void byte_buffer_init(ByteBuffer *buffer, size_t limit_bytes)
{
    *buffer = (ByteBuffer){.limit_bytes = limit_bytes > 0 ? limit_bytes : SIZE_MAX};
}

void byte_buffer_deinit(ByteBuffer *buffer)
{
    heap_free(buffer->data);
    *buffer = (ByteBuffer){.limit_bytes = buffer->limit_bytes};
}

void byte_buffer_clear(ByteBuffer *buffer)
{
    buffer->bytes = 0;
    buffer->is_failed = false;
    buffer->is_over_limit = false;
}

uint8_t *byte_buffer_reserve(ByteBuffer *buffer, size_t bytes)
{
    if (buffer->is_failed) {
        return NULL;
    }
    // The capacity never exceeds the limit, so one comparison covers both.
    if (buffer->data == NULL || bytes > buffer->capacity - buffer->bytes) {
        if (!buffer_grow(buffer, bytes)) {
            return NULL;
        }
    }
    return buffer->data + buffer->bytes;
}

void byte_buffer_commit(ByteBuffer *buffer, size_t bytes)
{
    if (buffer->is_failed) {
        return;
    }
    ASSERT(bytes <= buffer->capacity - buffer->bytes);
    buffer->bytes += bytes;
}

void byte_buffer_add(ByteBuffer *buffer, const void *data, size_t bytes)
{
    if (bytes == 0) {
        return;
    }
    uint8_t *target = byte_buffer_reserve(buffer, bytes);
    if (target != NULL) {
        memcpy(target, data, bytes);
        buffer->bytes += bytes;
    }
}

void byte_buffer_add_u8(ByteBuffer *buffer, uint8_t value)
{
    uint8_t *target = byte_buffer_reserve(buffer, 1);
    if (target != NULL) {
        *target = value;
        buffer->bytes += 1;
    }
}

void byte_buffer_add_u16(ByteBuffer *buffer, uint16_t value)
{
    uint8_t bytes[2];
    byte_buffer_add(buffer, bytes, little_endian(bytes, value, sizeof bytes));
}

void byte_buffer_add_u32(ByteBuffer *buffer, uint32_t value)
{
    uint8_t bytes[4];
    byte_buffer_add(buffer, bytes, little_endian(bytes, value, sizeof bytes));
}

void byte_buffer_add_u64(ByteBuffer *buffer, uint64_t value)
{
    uint8_t bytes[8];
    byte_buffer_add(buffer, bytes, little_endian(bytes, value, sizeof bytes));
}

void byte_buffer_add_varint(ByteBuffer *buffer, uint64_t value)
{
    uint8_t bytes[10];
    size_t count = 0;
    while (value >= 0x80u) {
        bytes[count++] = (uint8_t)(value | 0x80u);
        value >>= 7;
    }
    bytes[count++] = (uint8_t)value;
    byte_buffer_add(buffer, bytes, count);
}

void byte_buffer_add_string(ByteBuffer *buffer, const char *text)
{
    byte_buffer_add_blob(buffer, text, strlen(text));
}

void byte_buffer_add_blob(ByteBuffer *buffer, const void *data, size_t bytes)
{
    byte_buffer_add_varint(buffer, bytes);
    byte_buffer_add(buffer, data, bytes);
}

void byte_buffer_add_be16(ByteBuffer *buffer, uint16_t value)
{
    uint8_t bytes[2];
    byte_buffer_add(buffer, bytes, big_endian(bytes, value, sizeof bytes));
}

void byte_buffer_add_be32(ByteBuffer *buffer, uint32_t value)
{
    uint8_t bytes[4];
    byte_buffer_add(buffer, bytes, big_endian(bytes, value, sizeof bytes));
}

void byte_buffer_add_be64(ByteBuffer *buffer, uint64_t value)
{
    uint8_t bytes[8];
    byte_buffer_add(buffer, bytes, big_endian(bytes, value, sizeof bytes));
}

void byte_buffer_align(ByteBuffer *buffer, size_t alignment)
{
    size_t past = buffer->bytes % alignment;
    if (past == 0) {
        return;
    }
    uint8_t *target = byte_buffer_reserve(buffer, alignment - past);
    if (target != NULL) {
        memset(target, 0, alignment - past);
        buffer->bytes += alignment - past;
    }
}

void byte_buffer_printf(ByteBuffer *buffer, const char *format, ...)
{
    if (buffer->is_failed) {
        return;
    }
    // First try in the room there is; most texts fit and are formatted once.
    size_t room = buffer->capacity - buffer->bytes;
    va_list arguments;
    va_start(arguments, format);
    int length =
        vsnprintf(room > 0 ? (char *)buffer->data + buffer->bytes : NULL, room, format, arguments);
    va_end(arguments);
    if (length < 0) {
        buffer->is_failed = true;
        return;
    }
    size_t bytes = (size_t)length;
    if (bytes >= room) {
        // vsnprintf writes a terminating zero too, which the text itself does not keep.
        uint8_t *target = byte_buffer_reserve(buffer, bytes + 1);
        if (target == NULL) {
            return;
        }
        va_start(arguments, format);
        vsnprintf((char *)target, bytes + 1, format, arguments);
        va_end(arguments);
    }
    buffer->bytes += bytes;
}

Status byte_buffer_status(const ByteBuffer *buffer)
{
    if (!buffer->is_failed) {
        return STATUS_OK;
    }
    if (buffer->is_over_limit) {
        return status_error(SQLSTATE_PROGRAM_LIMIT_EXCEEDED,
                            "message or value exceeds the limit of %zu bytes", buffer->limit_bytes);
    }
    return status_error(SQLSTATE_OUT_OF_MEMORY, "out of memory for a buffer of %zu bytes",
                        buffer->bytes);
}

static bool buffer_grow(ByteBuffer *buffer, size_t bytes)
{
    if (bytes > buffer->limit_bytes - buffer->bytes) {
        buffer->is_failed = true;
        buffer->is_over_limit = true;
        return false;
    }
    size_t needed = buffer->bytes + bytes;
    size_t capacity = buffer->capacity > SIZE_MAX / 2 ? SIZE_MAX : buffer->capacity * 2;
    capacity = capacity > needed ? capacity : needed;
    capacity = capacity > BYTE_BUFFER_BYTES_MIN ? capacity : BYTE_BUFFER_BYTES_MIN;
    capacity = capacity < buffer->limit_bytes ? capacity : buffer->limit_bytes;
    uint8_t *data = heap_realloc(buffer->data, capacity);
    if (data == NULL) {
        buffer->is_failed = true;
        return false;
    }
    buffer->data = data;
    buffer->capacity = capacity;
    return true;
}

static size_t little_endian(uint8_t *target, uint64_t value, size_t bytes)
{
    for (size_t i = 0; i < bytes; i++) {
        target[i] = (uint8_t)(value >> (8 * i));
    }
    return bytes;
}

static size_t big_endian(uint8_t *target, uint64_t value, size_t bytes)
{
    for (size_t i = 0; i < bytes; i++) {
        target[i] = (uint8_t)(value >> (8 * (bytes - 1 - i)));
    }
    return bytes;
}
