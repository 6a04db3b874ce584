/* byte_reader.c — bounds-checked input. Every read goes through byte_reader_view. */
#include "base/byte_reader.h"

#include <string.h>

void byte_reader_init(ByteReader *reader, const void *data, size_t bytes)
{
    *reader = (ByteReader){.data = data, .bytes = bytes};
}

bool byte_reader_is_ok(const ByteReader *reader)
{
    return !reader->is_failed;
}

size_t byte_reader_remaining(const ByteReader *reader)
{
    return reader->is_failed ? 0 : reader->bytes - reader->offset;
}

static uint64_t read_little_endian(ByteReader *reader, size_t bytes)
{
    const uint8_t *source = byte_reader_view(reader, bytes);
    uint64_t value = 0;
    for (size_t i = 0; source != NULL && i < bytes; i++) {
        value |= (uint64_t)source[i] << (8 * i);
    }
    return value;
}

static uint64_t read_big_endian(ByteReader *reader, size_t bytes)
{
    const uint8_t *source = byte_reader_view(reader, bytes);
    uint64_t value = 0;
    for (size_t i = 0; source != NULL && i < bytes; i++) {
        value = value << 8 | source[i];
    }
    return value;
}

uint8_t byte_reader_u8(ByteReader *reader)
{
    return (uint8_t)read_little_endian(reader, 1);
}

uint16_t byte_reader_u16(ByteReader *reader)
{
    return (uint16_t)read_little_endian(reader, 2);
}

uint32_t byte_reader_u32(ByteReader *reader)
{
    return (uint32_t)read_little_endian(reader, 4);
}

uint64_t byte_reader_u64(ByteReader *reader)
{
    return read_little_endian(reader, 8);
}

uint16_t byte_reader_be16(ByteReader *reader)
{
    return (uint16_t)read_big_endian(reader, 2);
}

uint32_t byte_reader_be32(ByteReader *reader)
{
    return (uint32_t)read_big_endian(reader, 4);
}

uint64_t byte_reader_be64(ByteReader *reader)
{
    return read_big_endian(reader, 8);
}

uint64_t byte_reader_varint(ByteReader *reader)
{
    uint64_t value = 0;
    for (unsigned shift = 0; shift < 70; shift += 7) {
        const uint8_t *byte = byte_reader_view(reader, 1);
        if (byte == NULL) {
            return 0;
        }
        if (shift == 63 && *byte > 1) {
            break; // more than 64 bits
        }
        value |= (uint64_t)(*byte & 0x7Fu) << shift;
        if (*byte < 0x80u) {
            return value;
        }
    }
    byte_reader_fail(reader);
    return 0;
}

const uint8_t *byte_reader_view(ByteReader *reader, size_t bytes)
{
    if (reader->is_failed || bytes > reader->bytes - reader->offset) {
        reader->is_failed = true;
        return NULL;
    }
    if (bytes == 0) {
        // Never null for success, even when the input itself has no bytes.
        static const uint8_t nothing[1] = {0};
        return reader->data != NULL ? reader->data + reader->offset : nothing;
    }
    const uint8_t *view = reader->data + reader->offset;
    reader->offset += bytes;
    return view;
}

const uint8_t *byte_reader_blob(ByteReader *reader, size_t *bytes)
{
    uint64_t wanted = byte_reader_varint(reader);
    const uint8_t *view = byte_reader_view(reader, wanted);
    *bytes = view != NULL ? wanted : 0;
    return view;
}

char *byte_reader_string(ByteReader *reader, Arena *arena)
{
    size_t bytes = 0;
    const uint8_t *view = byte_reader_blob(reader, &bytes);
    if (view == NULL || (bytes > 0 && memchr(view, 0, bytes) != NULL)) {
        byte_reader_fail(reader);
        return arena_strndup(arena, "", 0);
    }
    return arena_strndup(arena, (const char *)view, bytes);
}

const char *byte_reader_cstring(ByteReader *reader)
{
    size_t remaining = byte_reader_remaining(reader);
    const uint8_t *start = remaining > 0 ? reader->data + reader->offset : NULL;
    const uint8_t *end = start != NULL ? memchr(start, 0, remaining) : NULL;
    if (end == NULL) {
        byte_reader_fail(reader);
        return "";
    }
    reader->offset += (size_t)(end - start) + 1;
    return (const char *)start;
}

uint32_t byte_reader_count(ByteReader *reader, size_t item_bytes_min)
{
    uint64_t count = byte_reader_varint(reader);
    size_t item_bytes = item_bytes_min > 0 ? item_bytes_min : 1;
    if (count > UINT32_MAX || count > byte_reader_remaining(reader) / item_bytes) {
        byte_reader_fail(reader);
        return 0;
    }
    return (uint32_t)count;
}

void byte_reader_skip(ByteReader *reader, size_t bytes)
{
    byte_reader_view(reader, bytes);
}

void byte_reader_fail(ByteReader *reader)
{
    reader->is_failed = true;
}
