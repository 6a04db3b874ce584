/* frame.c — sealing and checking the headers of data messages. */
#include "protocol/cluster/frame.h"

#include <string.h>

#include "base/hash.h"

#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "frames are little endian and written as they lie in memory"
#endif

static uint64_t frame_checksum(const FrameHeader *header, const void *payload, size_t payload_bytes)
{
    FrameHeader copy = *header;
    copy.checksum = 0;
    uint64_t seed = hash_bytes(&copy, sizeof(copy), 0);
    return hash_bytes(payload, payload_bytes, seed);
}

void frame_seal(FrameHeader *header, const void *payload, size_t payload_bytes)
{
    header->magic = FRAME_MAGIC;
    header->version = FRAME_VERSION;
    header->payload_bytes = (uint32_t)payload_bytes;
    header->reserved = 0;
    header->checksum = frame_checksum(header, payload, payload_bytes);
}

Status frame_open(const uint8_t *message, size_t bytes, FrameHeader *out)
{
    if (bytes < sizeof(*out)) {
        return status_error(SQLSTATE_PROTOCOL_VIOLATION, "frame of %zu bytes is too short", bytes);
    }
    memcpy(out, message, sizeof(*out));
    if (out->magic != FRAME_MAGIC || out->version != FRAME_VERSION) {
        return status_error(SQLSTATE_PROTOCOL_VIOLATION, "frame of unknown format %08x version %u",
                            out->magic, out->version);
    }
    if (out->kind < FRAME_BATCHES || out->kind > FRAME_STOP ||
        out->payload_bytes != bytes - sizeof(*out)) {
        return status_error(SQLSTATE_PROTOCOL_VIOLATION,
                            "malformed frame: kind %u, %u of %zu bytes", out->kind,
                            out->payload_bytes, bytes - sizeof(*out));
    }
    return STATUS_OK;
}

Status frame_verify(const uint8_t *message, size_t bytes)
{
    FrameHeader header;
    TRY(frame_open(message, bytes, &header));
    if (frame_checksum(&header, message + sizeof(header), header.payload_bytes) !=
        header.checksum) {
        return status_error(SQLSTATE_DATA_CORRUPTED,
                            "frame %u from endpoint %u arrived damaged (exchange %u)",
                            header.sequence, header.source, header.exchange_id);
    }
    return STATUS_OK;
}
