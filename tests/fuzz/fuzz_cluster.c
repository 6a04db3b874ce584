/*
 * fuzz_cluster.c — any bytes as a control message, a status or a frame from another process.
 *
 * The first byte chooses. What decodes must point into the input and come back the same when it is
 * encoded and decoded again. Frames are also sealed anew, so that the fuzzer needs no checksum.
 */
#include <string.h>

#include "protocol/cluster/frame.h"
#include "protocol/cluster/message.h"
#include "tests/fuzz/fuzz.h"

enum { ENCODED_BYTES_MAX = 1 << 20 };

static const uint8_t *input;
static size_t input_bytes;

static void require_inside(const uint8_t *view, size_t bytes)
{
    require(bytes == 0 || (view >= input && view + bytes <= input + input_bytes));
}

static void require_refusal(Status owned_status)
{
    require(status_sqlstate(owned_status) == SQLSTATE_PROTOCOL_VIOLATION);
    status_free(owned_status);
}

static void require_equal(const ByteBuffer *left, const ByteBuffer *right)
{
    require(left->bytes == right->bytes && memcmp(left->data, right->data, left->bytes) == 0);
}

static void check_request(Arena *arena)
{
    Request request, again;
    Status status = request_decode(input, input_bytes, arena, &request);
    if (status != STATUS_OK) {
        require_refusal(status);
        return;
    }
    if (request.kind == MESSAGE_RUN) {
        require_inside(request.run.settings, request.run.setting_bytes);
        require_inside(request.run.plan, request.run.plan_bytes);
    }
    ByteBuffer first, second;
    byte_buffer_init(&first, ENCODED_BYTES_MAX);
    byte_buffer_init(&second, ENCODED_BYTES_MAX);
    request_encode(&request, &first);
    require(request_decode(first.data, first.bytes, arena, &again) == STATUS_OK);
    request_encode(&again, &second);
    require_equal(&first, &second);
    plant(request.kind == MESSAGE_HELLO && request.hello.slice_count > 1 &&
          request.hello.slices[1].node > MESSAGE_NODES_MAX);
    byte_buffer_deinit(&first);
    byte_buffer_deinit(&second);
}

static void check_reply(Arena *arena)
{
    Reply reply, again;
    Status status = reply_decode(input, input_bytes, arena, &reply);
    if (status != STATUS_OK) {
        require_refusal(status);
        return;
    }
    if (reply.kind == MESSAGE_RUN) {
        require_inside(reply.run.write_statistics, reply.run.write_statistics_bytes);
        require_inside(reply.run.statistics, reply.run.statistics_bytes);
    }
    ByteBuffer first, second;
    byte_buffer_init(&first, ENCODED_BYTES_MAX);
    byte_buffer_init(&second, ENCODED_BYTES_MAX);
    reply_encode(&reply, &first);
    require(reply_decode(first.data, first.bytes, arena, &again) == STATUS_OK);
    reply_encode(&again, &second);
    require_equal(&first, &second);
    status_free(reply.status);
    status_free(again.status);
    byte_buffer_deinit(&first);
    byte_buffer_deinit(&second);
}

static void check_frame(bool is_sealed)
{
    FrameHeader header;
    uint8_t *frame = malloc(input_bytes + 1); // its own memory, since it is changed
    require(frame != NULL);
    memcpy(frame, input, input_bytes);
    if (is_sealed && input_bytes >= sizeof(header)) {
        memcpy(&header, frame, sizeof(header));
        frame_seal(&header, frame + sizeof(header), input_bytes - sizeof(header));
        memcpy(frame, &header, sizeof(header));
    }
    Status opened = frame_open(frame, input_bytes, &header);
    Status verified = frame_verify(frame, input_bytes);
    if (opened != STATUS_OK) {
        require(verified != STATUS_OK);
        require_refusal(opened);
        status_free(verified);
    } else {
        require(header.payload_bytes == input_bytes - sizeof(header));
        require(!is_sealed || verified == STATUS_OK);
        require(verified == STATUS_OK || status_sqlstate(verified) == SQLSTATE_DATA_CORRUPTED);
        status_free(verified);
    }
    free(frame);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    static Arena *arena;
    if (bytes == 0) {
        return 0;
    }
    if (arena == NULL) {
        arena = arena_create(NULL, "fuzz");
    }
    input = data + 1;
    input_bytes = bytes - 1;
    switch (data[0] % 4) {
    case 0:
        check_request(arena);
        break;
    case 1:
        check_reply(arena);
        break;
    case 2:
        check_frame(false);
        break;
    default:
        check_frame(true);
        break;
    }
    arena_reset(arena);
    return 0;
}
