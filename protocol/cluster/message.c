/* message.c — control messages as bytes and back. */
#include "protocol/cluster/message.h"

#include <string.h>

const char *message_name(MessageKind kind)
{
    switch ((int)kind) {
#define MESSAGE(id, number, name)                                                                  \
    case number:                                                                                   \
        return name;
#include "protocol/cluster/messages.def"
#undef MESSAGE
    default:
        return "unknown";
    }
}

static Status malformed(const char *what)
{
    return status_error(SQLSTATE_PROTOCOL_VIOLATION, "malformed cluster message: %s", what);
}

void status_encode(Status status, ByteBuffer *target)
{
    byte_buffer_add_u8(target, status != STATUS_OK);
    if (status == STATUS_OK) {
        return;
    }
    byte_buffer_add(target, status_sqlstate_code(status), 5);
    byte_buffer_add_string(target, status_message(status));
    byte_buffer_add_string(target, status_detail(status));
    byte_buffer_add_string(target, status_hint(status));
    byte_buffer_add_string(target, status_context(status));
    byte_buffer_add_u32(target, (uint32_t)status_position(status));
    byte_buffer_add_u32(target, status_node(status));
}

Status status_decode(ByteReader *reader, Arena *arena, Status *out)
{
    *out = STATUS_OK;
    if (byte_reader_u8(reader) == 0) {
        return byte_reader_is_ok(reader) ? STATUS_OK : malformed("status");
    }
    const uint8_t *code = byte_reader_view(reader, 5);
    const char *message = byte_reader_string(reader, arena);
    const char *detail = byte_reader_string(reader, arena);
    const char *hint = byte_reader_string(reader, arena);
    const char *context = byte_reader_string(reader, arena);
    int32_t position = (int32_t)byte_reader_u32(reader);
    uint32_t node = byte_reader_u32(reader);
    if (!byte_reader_is_ok(reader)) {
        return malformed("status");
    }
    char text[5];
    memcpy(text, code, sizeof(text));
    Status status = status_error(sqlstate_from_code(text), "%s", message);
    if (detail[0] != '\0') {
        status = status_with_detail(status, "%s", detail);
    }
    if (hint[0] != '\0') {
        status = status_with_hint(status, "%s", hint);
    }
    if (context[0] != '\0') {
        status = status_with_context(status, "%s", context);
    }
    if (position != POSITION_NONE) {
        status = status_with_position(status, position);
    }
    *out = node == 0 ? status : status_with_node(status, node);
    return STATUS_OK;
}

/* ---- requests ---- */

static void hello_encode(const HelloMessage *hello, ByteBuffer *target)
{
    byte_buffer_add(target, hello->cluster_id, sizeof(hello->cluster_id));
    byte_buffer_add_u32(target, hello->node);
    byte_buffer_add_u32(target, hello->node_count);
    byte_buffer_add_u64(target, hello->boot_id);
    byte_buffer_add_u64(target, hello->map_epoch);
    byte_buffer_add_u64(target, hello->position);
    byte_buffer_add_u64(target, hello->txn_floor);
    byte_buffer_add_u64(target, hello->lease_first);
    byte_buffer_add_u64(target, hello->lease_count);
    byte_buffer_add_varint(target, hello->slice_count);
    for (uint32_t i = 0; i < hello->slice_count; i++) {
        byte_buffer_add_u32(target, hello->slices[i].slice);
        byte_buffer_add_u32(target, hello->slices[i].node);
        byte_buffer_add_u16(target, hello->slices[i].first_bucket);
        byte_buffer_add_u16(target, hello->slices[i].last_bucket);
    }
    byte_buffer_add_varint(target, hello->peer_count);
    for (uint32_t i = 0; i < hello->peer_count; i++) {
        byte_buffer_add_u32(target, hello->peers[i].endpoint);
        byte_buffer_add_string(target, hello->peers[i].address);
        byte_buffer_add_u64(target, hello->peers[i].process);
    }
}

static Status hello_decode(ByteReader *reader, Arena *arena, HelloMessage *hello)
{
    const uint8_t *id = byte_reader_view(reader, sizeof(hello->cluster_id));
    if (id == NULL) {
        return malformed("hello");
    }
    memcpy(hello->cluster_id, id, sizeof(hello->cluster_id));
    hello->node = byte_reader_u32(reader);
    hello->node_count = byte_reader_u32(reader);
    hello->boot_id = byte_reader_u64(reader);
    hello->map_epoch = byte_reader_u64(reader);
    hello->position = byte_reader_u64(reader);
    hello->txn_floor = byte_reader_u64(reader);
    hello->lease_first = byte_reader_u64(reader);
    hello->lease_count = byte_reader_u64(reader);
    hello->slice_count = byte_reader_count(reader, 12);
    hello->slices = ARENA_ARRAY(arena, MessageSlice, hello->slice_count + 1);
    for (uint32_t i = 0; i < hello->slice_count; i++) {
        hello->slices[i].slice = byte_reader_u32(reader);
        hello->slices[i].node = byte_reader_u32(reader);
        hello->slices[i].first_bucket = byte_reader_u16(reader);
        hello->slices[i].last_bucket = byte_reader_u16(reader);
    }
    hello->peer_count = byte_reader_count(reader, 13);
    hello->peers = ARENA_ARRAY(arena, MessagePeer, hello->peer_count + 1);
    for (uint32_t i = 0; i < hello->peer_count; i++) {
        hello->peers[i].endpoint = byte_reader_u32(reader);
        hello->peers[i].address = byte_reader_string(reader, arena);
        hello->peers[i].process = byte_reader_u64(reader);
        if (hello->peers[i].endpoint > MESSAGE_NODES_MAX) {
            return malformed("peer");
        }
    }
    if (!byte_reader_is_ok(reader) || hello->node == 0 || hello->node > MESSAGE_NODES_MAX ||
        hello->node_count == 0 || hello->node_count > MESSAGE_NODES_MAX) {
        return malformed("hello");
    }
    return STATUS_OK;
}

static void run_encode(const RunMessage *run, ByteBuffer *target)
{
    byte_buffer_add_u64(target, run->query_id);
    byte_buffer_add_u64(target, run->txn_id);
    byte_buffer_add_u64(target, run->position);
    byte_buffer_add_u64(target, run->map_epoch);
    byte_buffer_add_u32(target, run->statement);
    byte_buffer_add_u8(target, run->is_replica_reader);
    byte_buffer_add_u8(target, run->has_statistics);
    byte_buffer_add_u8(target, run->is_voting);
    byte_buffer_add_u8(target, run->takes_redo);
    byte_buffer_add_u64(target, (uint64_t)run->timeout_us);
    byte_buffer_add_u64(target, run->lease_first);
    byte_buffer_add_u64(target, run->lease_count);
    byte_buffer_add_blob(target, run->settings, run->setting_bytes);
    byte_buffer_add_blob(target, run->plan, run->plan_bytes);
}

static void run_decode(ByteReader *reader, RunMessage *run)
{
    run->query_id = byte_reader_u64(reader);
    run->txn_id = byte_reader_u64(reader);
    run->position = byte_reader_u64(reader);
    run->map_epoch = byte_reader_u64(reader);
    run->statement = byte_reader_u32(reader);
    run->is_replica_reader = byte_reader_u8(reader) != 0;
    run->has_statistics = byte_reader_u8(reader) != 0;
    run->is_voting = byte_reader_u8(reader) != 0;
    run->takes_redo = byte_reader_u8(reader) != 0;
    run->timeout_us = (int64_t)byte_reader_u64(reader);
    run->lease_first = byte_reader_u64(reader);
    run->lease_count = byte_reader_u64(reader);
    run->settings = byte_reader_blob(reader, &run->setting_bytes);
    run->plan = byte_reader_blob(reader, &run->plan_bytes);
}

static void beat_encode(const BeatMessage *beat, ByteBuffer *target)
{
    byte_buffer_add(target, beat->cluster_id, sizeof(beat->cluster_id));
    byte_buffer_add_u32(target, beat->node);
    byte_buffer_add_u64(target, beat->boot_id);
    byte_buffer_add_string(target, beat->address);
    byte_buffer_add_u64(target, beat->epoch);
    byte_buffer_add_u64(target, beat->applied_position);
    byte_buffer_add_u64(target, beat->disk_free_bytes);
    byte_buffer_add_u64(target, beat->memory_bytes);
}

static void beat_decode(ByteReader *reader, Arena *arena, BeatMessage *beat)
{
    const uint8_t *id = byte_reader_view(reader, sizeof(beat->cluster_id));
    if (id != NULL) {
        memcpy(beat->cluster_id, id, sizeof(beat->cluster_id));
    }
    beat->node = byte_reader_u32(reader);
    beat->boot_id = byte_reader_u64(reader);
    beat->address = byte_reader_string(reader, arena);
    beat->epoch = byte_reader_u64(reader);
    beat->applied_position = byte_reader_u64(reader);
    beat->disk_free_bytes = byte_reader_u64(reader);
    beat->memory_bytes = byte_reader_u64(reader);
    if (beat->node > MESSAGE_NODES_MAX) {
        byte_reader_fail(reader);
    }
}

void request_encode(const Request *request, ByteBuffer *target)
{
    byte_buffer_add_u16(target, (uint16_t)request->kind);
    byte_buffer_add_u16(target, MESSAGE_VERSION);
    byte_buffer_add_u64(target, request->epoch);
    byte_buffer_add_u64(target, request->greeting);
    byte_buffer_add_u64(target, request->horizon);
    byte_buffer_add_varint(target, request->outcome_count);
    for (uint32_t i = 0; i < request->outcome_count; i++) {
        byte_buffer_add_u64(target, request->outcomes[i].txn_id);
        byte_buffer_add_u64(target, request->outcomes[i].position);
        byte_buffer_add_u8(target, request->outcomes[i].state);
        byte_buffer_add_blob(target, request->outcomes[i].redo, request->outcomes[i].redo_bytes);
    }
    switch (request->kind) {
    case MESSAGE_HELLO:
        hello_encode(&request->hello, target);
        break;
    case MESSAGE_RUN:
        run_encode(&request->run, target);
        break;
    case MESSAGE_CANCEL:
        byte_buffer_add_u64(target, request->cancel.query_id);
        break;
    case MESSAGE_PREPARE:
        byte_buffer_add_u64(target, request->prepare.txn_id);
        break;
    case MESSAGE_TRUNCATE:
        byte_buffer_add_u64(target, request->truncate.txn_id);
        byte_buffer_add_u64(target, request->truncate.position);
        byte_buffer_add_u64(target, request->truncate.table_id);
        byte_buffer_add_u32(target, request->truncate.statement);
        byte_buffer_add_u8(target, request->truncate.is_drop);
        break;
    case MESSAGE_ROLLBACK:
        byte_buffer_add_u64(target, request->rollback.txn_id);
        byte_buffer_add_u32(target, request->rollback.statement);
        break;
    case MESSAGE_USAGE:
        byte_buffer_add_u64(target, request->usage.table_id);
        byte_buffer_add_u64(target, request->usage.position);
        break;
    case MESSAGE_BEAT:
        beat_encode(&request->beat, target);
        break;
    case MESSAGE_OUTCOME:
    case MESSAGE_KIND_MAX:
        break;
    }
}

static Status outcomes_decode(ByteReader *reader, Arena *arena, Request *out)
{
    out->outcome_count = byte_reader_count(reader, 18);
    out->outcomes = ARENA_ARRAY(arena, Outcome, out->outcome_count + 1);
    for (uint32_t i = 0; i < out->outcome_count; i++) {
        Outcome *outcome = &out->outcomes[i];
        outcome->txn_id = byte_reader_u64(reader);
        outcome->position = byte_reader_u64(reader);
        outcome->state = byte_reader_u8(reader);
        outcome->redo = byte_reader_blob(reader, &outcome->redo_bytes);
        if (outcome->state != OUTCOME_COMMITTED && outcome->state != OUTCOME_ABORTED) {
            return malformed("outcome");
        }
    }
    return STATUS_OK;
}

static Status body_decode(ByteReader *reader, Arena *arena, Request *out)
{
    switch (out->kind) {
    case MESSAGE_HELLO:
        return hello_decode(reader, arena, &out->hello);
    case MESSAGE_RUN:
        run_decode(reader, &out->run);
        return STATUS_OK;
    case MESSAGE_CANCEL:
        out->cancel.query_id = byte_reader_u64(reader);
        return STATUS_OK;
    case MESSAGE_PREPARE:
        out->prepare.txn_id = byte_reader_u64(reader);
        return STATUS_OK;
    case MESSAGE_TRUNCATE:
        out->truncate.txn_id = byte_reader_u64(reader);
        out->truncate.position = byte_reader_u64(reader);
        out->truncate.table_id = byte_reader_u64(reader);
        out->truncate.statement = byte_reader_u32(reader);
        out->truncate.is_drop = byte_reader_u8(reader) != 0;
        return STATUS_OK;
    case MESSAGE_ROLLBACK:
        out->rollback.txn_id = byte_reader_u64(reader);
        out->rollback.statement = byte_reader_u32(reader);
        return STATUS_OK;
    case MESSAGE_USAGE:
        out->usage.table_id = byte_reader_u64(reader);
        out->usage.position = byte_reader_u64(reader);
        return STATUS_OK;
    case MESSAGE_BEAT:
        beat_decode(reader, arena, &out->beat);
        return STATUS_OK;
    case MESSAGE_OUTCOME:
        return STATUS_OK;
    case MESSAGE_KIND_MAX:
        break;
    }
    return malformed("unknown kind");
}

static Status head_decode(ByteReader *reader, MessageKind *kind)
{
    uint16_t number = byte_reader_u16(reader);
    uint16_t version = byte_reader_u16(reader);
    if (!byte_reader_is_ok(reader) || number == 0 || number > MESSAGE_BEAT) {
        return malformed("unknown kind");
    }
    if (version != MESSAGE_VERSION) {
        return status_error(SQLSTATE_PROTOCOL_VIOLATION,
                            "cluster message of version %u, this program speaks version %u",
                            version, MESSAGE_VERSION);
    }
    *kind = (MessageKind)number;
    return STATUS_OK;
}

Status request_decode(const uint8_t *data, size_t bytes, Arena *arena, Request *out)
{
    memset(out, 0, sizeof(*out));
    ByteReader reader;
    byte_reader_init(&reader, data, bytes);
    TRY(head_decode(&reader, &out->kind));
    out->epoch = byte_reader_u64(&reader);
    out->greeting = byte_reader_u64(&reader);
    out->horizon = byte_reader_u64(&reader);
    TRY(outcomes_decode(&reader, arena, out));
    TRY(body_decode(&reader, arena, out));
    if (!byte_reader_is_ok(&reader) || byte_reader_remaining(&reader) != 0) {
        return malformed(message_name(out->kind));
    }
    return STATUS_OK;
}

/* ---- replies ---- */

void reply_encode(const Reply *reply, ByteBuffer *target)
{
    byte_buffer_add_u16(target, (uint16_t)reply->kind);
    byte_buffer_add_u16(target, MESSAGE_VERSION);
    status_encode(reply->status, target);
    if (reply->kind == MESSAGE_HELLO) {
        byte_buffer_add_u64(target, reply->hello.applied_position);
        byte_buffer_add_u64(target, reply->hello.lease_left);
        byte_buffer_add_varint(target, reply->hello.prepared_count);
        for (uint32_t i = 0; i < reply->hello.prepared_count; i++) {
            byte_buffer_add_u64(target, reply->hello.prepared[i]);
        }
    } else if (reply->kind == MESSAGE_RUN) {
        byte_buffer_add_u64(target, reply->run.lease_left);
        byte_buffer_add_u8(target, reply->run.has_writes);
        byte_buffer_add_blob(target, reply->run.write_statistics,
                             reply->run.write_statistics_bytes);
        byte_buffer_add_blob(target, reply->run.statistics, reply->run.statistics_bytes);
        byte_buffer_add_blob(target, reply->run.redo, reply->run.redo_bytes);
    } else if (reply->kind == MESSAGE_USAGE) {
        byte_buffer_add_varint(target, reply->usage.count);
        for (uint32_t i = 0; i < reply->usage.count; i++) {
            byte_buffer_add_u32(target, reply->usage.rows[i].slice);
            byte_buffer_add_u64(target, reply->usage.rows[i].rows);
            byte_buffer_add_u64(target, reply->usage.rows[i].bytes);
            byte_buffer_add_u64(target, reply->usage.rows[i].rowsets);
            byte_buffer_add_u64(target, reply->usage.rows[i].insert_batches);
        }
    }
}

static void reply_body_decode(ByteReader *reader, Arena *arena, Reply *out)
{
    if (out->kind == MESSAGE_HELLO) {
        out->hello.applied_position = byte_reader_u64(reader);
        out->hello.lease_left = byte_reader_u64(reader);
        out->hello.prepared_count = byte_reader_count(reader, 8);
        out->hello.prepared = ARENA_ARRAY(arena, uint64_t, out->hello.prepared_count + 1);
        for (uint32_t i = 0; i < out->hello.prepared_count; i++) {
            out->hello.prepared[i] = byte_reader_u64(reader);
        }
    } else if (out->kind == MESSAGE_RUN) {
        out->run.lease_left = byte_reader_u64(reader);
        out->run.has_writes = byte_reader_u8(reader) != 0;
        out->run.write_statistics = byte_reader_blob(reader, &out->run.write_statistics_bytes);
        out->run.statistics = byte_reader_blob(reader, &out->run.statistics_bytes);
        out->run.redo = byte_reader_blob(reader, &out->run.redo_bytes);
        if (out->run.redo_bytes > MESSAGE_REDO_BYTES_MAX) {
            byte_reader_fail(reader);
        }
    } else if (out->kind == MESSAGE_USAGE) {
        out->usage.count = byte_reader_count(reader, 36);
        out->usage.rows = ARENA_ARRAY(arena, struct UsageRow, out->usage.count + 1);
        for (uint32_t i = 0; i < out->usage.count; i++) {
            out->usage.rows[i].slice = byte_reader_u32(reader);
            out->usage.rows[i].rows = byte_reader_u64(reader);
            out->usage.rows[i].bytes = byte_reader_u64(reader);
            out->usage.rows[i].rowsets = byte_reader_u64(reader);
            out->usage.rows[i].insert_batches = byte_reader_u64(reader);
        }
    }
}

Status reply_decode(const uint8_t *data, size_t bytes, Arena *arena, Reply *out)
{
    memset(out, 0, sizeof(*out));
    ByteReader reader;
    byte_reader_init(&reader, data, bytes);
    TRY(head_decode(&reader, &out->kind));
    Status status = STATUS_OK;
    TRY(status_decode(&reader, arena, &status));
    reply_body_decode(&reader, arena, out);
    if (!byte_reader_is_ok(&reader) || byte_reader_remaining(&reader) != 0) {
        status_free(status);
        return malformed(message_name(out->kind));
    }
    out->status = status;
    return STATUS_OK;
}
