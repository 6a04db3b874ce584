/*
 * byte_reader.h — bounds-checked input: every decoder of bytes from client, peer or disk uses it.
 *
 * A read past the end marks the reader failed and gives zero; the decoder checks once at the end
 * (`byte_reader_is_ok`) or before it trusts a count.
 */
#pragma once
#include "base/arena.h"
#include "base/status.h"

typedef struct ByteReader {
    const uint8_t *data;
    size_t bytes, offset;
    bool is_failed;
} ByteReader;

void byte_reader_init(ByteReader *reader, const void *data, size_t bytes);
bool byte_reader_is_ok(const ByteReader *reader);
size_t byte_reader_remaining(const ByteReader *reader);
uint8_t byte_reader_u8(ByteReader *reader);
uint16_t byte_reader_u16(ByteReader *reader); /* little endian */
uint32_t byte_reader_u32(ByteReader *reader);
uint64_t byte_reader_u64(ByteReader *reader);
uint16_t byte_reader_be16(ByteReader *reader); /* big endian */
uint32_t byte_reader_be32(ByteReader *reader);
uint64_t byte_reader_be64(ByteReader *reader);
uint64_t byte_reader_varint(ByteReader *reader);
/* A view of the next `bytes`; null when there are fewer. Borrowed from the input. */
const uint8_t *byte_reader_view(ByteReader *reader, size_t bytes);
/* A view of a varint-prefixed blob; `*bytes` gets its length. */
const uint8_t *byte_reader_blob(ByteReader *reader, size_t *bytes);
/* A zero-terminated copy of a varint-prefixed string; "" when failed. Rejects embedded zeroes. */
char *byte_reader_string(ByteReader *reader, Arena *arena);
/* A view of a zero-terminated string in the input (PostgreSQL protocol); "" when failed. */
const char *byte_reader_cstring(ByteReader *reader);
/* A varint count of items that take at least `item_bytes_min` (>= 1) each; fails when they cannot
 * fit into what remains, so that nobody allocates for a count that lies. */
uint32_t byte_reader_count(ByteReader *reader, size_t item_bytes_min);
void byte_reader_skip(ByteReader *reader, size_t bytes);
void byte_reader_fail(ByteReader *reader);
