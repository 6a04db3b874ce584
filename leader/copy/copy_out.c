/* copy_out.c — COPY … TO STDOUT: rows as text or CSV, each in a CopyData message. */
#include <stdio.h>

#include "base/clock.h"
#include "leader/copy/copy_format.h"
#include "leader/session_internal.h"
#include "protocol/copy/csv_writer.h"

#define TAKE_WAIT_US 20000

static Status encode_copy(void *self, Batch *batch, uint32_t first, size_t bytes_wanted,
                          ByteBuffer *out, uint32_t *next)
{
    return copy_writer_batch(self, batch, first, bytes_wanted, out, next);
}

static Status send_chunks(Session *session, Portal *portal)
{
    bool is_end = false;
    while (!is_end) {
        ResultChunk *chunk = result_queue_take(portal->results, TAKE_WAIT_US, &is_end);
        if (chunk == NULL) {
            status_ignore(statement_check(session, portal->query), "the query ends with it");
            continue;
        }
        byte_buffer_add(session_output(session), chunk->bytes.data, chunk->bytes.bytes);
        result_chunk_free(chunk);
        TRY(pg_connection_flush_if_full(session->connection,
                                        clock_monotonic_us() + CLIENT_WRITE_TIMEOUT_US));
    }
    return STATUS_OK;
}

Status copy_out_run(Session *session, Portal *portal, PlannerContext *planner,
                    const Snapshot *snapshot)
{
    const BoundStatement *bound = portal->bound;
    CopyFormat format;
    bool is_gzip = false;
    TRY(copy_format_of_statement(bound->ast->copy, &format, &is_gzip));
    if (is_gzip) {
        return status_error(SQLSTATE_FEATURE_NOT_SUPPORTED, "COPY TO with GZIP is not built yet");
    }
    Type *types = ARENA_ARRAY(portal->arena, Type, bound->result_count + 1);
    const char **names = ARENA_ARRAY(portal->arena, const char *, bound->result_count + 1);
    for (uint32_t i = 0; i < bound->result_count; i++) {
        types[i] = bound->results[i].type;
        names[i] = bound->results[i].name;
    }
    CopyWriter *writer =
        copy_writer_create(&format, types, bound->result_count, 'd', portal->arena);
    ResultEncoder encoder = {.self = writer, .encode = encode_copy};
    TRY(statement_start_query(session, portal, planner, snapshot, bound->root, bound->result_count,
                              bound->results, &encoder, false, false, NULL));
    pg_writer_copy_out_response(session_output(session), PG_FORMAT_TEXT, bound->result_count);
    copy_writer_header(writer, names, session_output(session));
    Status status = send_chunks(session, portal);
    if (status != STATUS_OK) {
        distributed_query_cancel(portal->query, status_copy(status));
        status_free(status);
    }
    TRY(statement_wait(session, portal->query));
    pg_writer_copy_done(session_output(session));
    portal->is_ended = true;
    snprintf(session->last_tag, sizeof(session->last_tag), "COPY %lu",
             (unsigned long)result_queue_row_count(portal->results));
    return STATUS_OK;
}
