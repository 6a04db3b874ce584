/*
 * frame.h — the header of every data message between endpoints, little endian, 64 bytes.
 *
 * Data (BATCHES, BYTES) goes over the data link; END, CREDIT and STOP over the urgent one, so that
 * they do not queue behind bodies of a mebibyte. END may therefore arrive before the last data: a
 * stream is complete when as many data messages have come as END says. A stream whose last rows
 * leave when it ends needs no END: that message has FRAME_FLAG_LAST.
 */
#pragma once
#include <assert.h>
#include "base/status.h"

#define FRAME_MAGIC 0x464C5342u /* "BSLF" */
#define FRAME_VERSION 2u
#define FRAME_PAYLOAD_TARGET (256u << 10) /* a message is sent when it has grown to this */
#define FRAME_PAYLOAD_MAX (4u << 20)      /* larger batches go on in further messages */

typedef enum FrameKind {
    FRAME_BATCHES = 1, /* payload: encoded batches, one after the other */
    FRAME_BYTES = 2,   /* payload: raw bytes */
    FRAME_END = 3,     /* sequence: data messages sent; row_count: rows of the whole stream */
    FRAME_CREDIT = 4,  /* sequence: messages the sender may send more */
    FRAME_STOP = 5     /* the receiver wants nothing more */
} FrameKind;

#define FRAME_FLAG_MORE 1u /* the payload continues in the next message */
#define FRAME_FLAG_LAST 2u /* no data comes after this message: it takes the place of END */

typedef struct FrameHeader {
    uint32_t magic;         /*  0..3  */
    uint16_t version;       /*  4..5  */
    uint8_t kind;           /*  6     */
    uint8_t flags;          /*  7     */
    uint64_t query_id;      /*  8..15 */
    uint64_t epoch;         /* 16..23 */
    uint32_t exchange_id;   /* 24..27 */
    uint32_t source;        /* 28..31 */
    uint32_t target;        /* 32..35 */
    uint32_t sequence;      /* 36..39 */
    uint64_t row_count;     /* 40..47 */
    uint32_t payload_bytes; /* 48..51 */
    uint32_t reserved;      /* 52..55 */
    uint64_t checksum;      /* 56..63 XXH3-64 of header (checksum 0) and payload */
} FrameHeader;
static_assert(sizeof(FrameHeader) == 64, "a frame header is one cache line");

/* Completes `header` and its checksum over `payload`; the struct is then sent as it is. */
void frame_seal(FrameHeader *header, const void *payload, size_t payload_bytes);
/* Reads the header of a message; 08P01 on a wrong magic, version, kind or length. The checksum is
 * checked by frame_verify: marks when they arrive, data off the network thread. */
Status frame_open(const uint8_t *message, size_t bytes, FrameHeader *out) CHECKED;
Status frame_verify(const uint8_t *message, size_t bytes) CHECKED; /* XX001 */
