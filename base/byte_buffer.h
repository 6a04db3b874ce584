/*
 * byte_buffer.h — output that grows: the one way to build messages, rows and encoded bytes.
 *
 * A refused growth (limit or memory) marks the buffer failed; further writes are dropped and
 * `byte_buffer_status` tells once, so that writers need no check per field.
 */
#pragma once
#include "base/status.h"

typedef struct ByteBuffer {
    uint8_t *data;
    size_t bytes, capacity, limit_bytes;
    bool is_failed, is_over_limit;
} ByteBuffer;

/* A limit of 0 is none: only for bytes whose size is bounded elsewhere. */
void byte_buffer_init(ByteBuffer *buffer, size_t limit_bytes);
void byte_buffer_deinit(ByteBuffer *buffer);
void byte_buffer_clear(ByteBuffer *buffer); /* empty and not failed; the memory is kept */
/* Room for `bytes` more; returns where to write (caller then calls _commit), null when refused. */
uint8_t *byte_buffer_reserve(ByteBuffer *buffer, size_t bytes);
void byte_buffer_commit(ByteBuffer *buffer, size_t bytes);
void byte_buffer_add(ByteBuffer *buffer, const void *data, size_t bytes);
void byte_buffer_add_u8(ByteBuffer *buffer, uint8_t value);
/* Little endian: our own formats. */
void byte_buffer_add_u16(ByteBuffer *buffer, uint16_t value);
void byte_buffer_add_u32(ByteBuffer *buffer, uint32_t value);
void byte_buffer_add_u64(ByteBuffer *buffer, uint64_t value);
void byte_buffer_add_varint(ByteBuffer *buffer, uint64_t value);   /* LEB128, at most 10 bytes */
void byte_buffer_add_string(ByteBuffer *buffer, const char *text); /* varint length, bytes */
void byte_buffer_add_blob(ByteBuffer *buffer, const void *data, size_t bytes); /* the same */
/* Big endian: the PostgreSQL protocol. */
void byte_buffer_add_be16(ByteBuffer *buffer, uint16_t value);
void byte_buffer_add_be32(ByteBuffer *buffer, uint32_t value);
void byte_buffer_add_be64(ByteBuffer *buffer, uint64_t value);
void byte_buffer_align(ByteBuffer *buffer, size_t alignment); /* pads with zeroes */
void byte_buffer_printf(ByteBuffer *buffer, const char *format, ...) PRINTF_LIKE(2, 3);
Status byte_buffer_status(const ByteBuffer *buffer) CHECKED; /* 53200 or 54000 when failed */
