/*
 * copy_in.c — COPY FROM: drives the client's stream, or lets the nodes read their files.
 *
 * The leader only finds row ends (row_splitter.c) and hands blocks of whole rows to the nodes in
 * turn; it parses nothing. A client that goes away or sends CopyFail cancels the query, and with
 * it the transaction's writes.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/compress.h"
#include "leader/copy/copy_format.h"
#include "leader/session_internal.h"
#include "protocol/copy/row_splitter.h"

#define LINE_BYTES 8 /* the block's first line before its rows */
#define GUNZIP_BYTES (256u << 10)

typedef struct CopyIn {
    Session *session;
    Portal *portal;
    const PlanCopyRead *read;
    const CopyFormat *format;
    bool is_gzip;
    RowSplitter *splitter;
    GunzipStream *gunzip;
    BlockSender *sender;
    uint8_t *buffer; /* a block with its line number */
    size_t buffer_bytes;
    uint8_t *expanded;
} CopyIn;

static const PlanCopyRead *find_copy_read(const PlanNode *node);

static void visit_child(void *object, PlanNode *child)
{
    const PlanCopyRead **found = object;
    if (*found == NULL) {
        *found = find_copy_read(child);
    }
}

static const PlanCopyRead *find_copy_read(const PlanNode *node)
{
    if (node->kind == PLAN_COPY_READ) {
        return (const PlanCopyRead *)node;
    }
    const PlanCopyRead *found = NULL;
    plan_node_children(node, visit_child, &found);
    return found;
}

static Status send_block(CopyIn *copy, const RowBlock *block)
{
    if (block->data == NULL) {
        return STATUS_OK;
    }
    if (block->bytes + LINE_BYTES > copy->buffer_bytes) {
        size_t bytes = block->bytes + block->bytes / 4 + LINE_BYTES;
        uint8_t *buffer = realloc(copy->buffer, bytes);
        if (buffer == NULL) {
            return status_error(SQLSTATE_OUT_OF_MEMORY, "no memory for a block of rows");
        }
        copy->buffer = buffer;
        copy->buffer_bytes = bytes;
    }
    memcpy(copy->buffer, &block->first_line, LINE_BYTES);
    memcpy(copy->buffer + LINE_BYTES, block->data, block->bytes);
    return block_sender_send(copy->sender, copy->buffer, block->bytes + LINE_BYTES);
}

static Status split(CopyIn *copy, const uint8_t *data, size_t bytes)
{
    MemoryBudget *budget = copy->session->leader->budget;
    while (bytes > 0) {
        size_t taken = 0;
        RowBlock block = {0};
        TRY(row_splitter_add(copy->splitter, data, bytes, &taken, &block));
        Status status = send_block(copy, &block);
        row_block_free(budget, &block);
        TRY(status);
        data += taken;
        bytes -= taken;
    }
    return STATUS_OK;
}

static Status take_bytes(CopyIn *copy, const uint8_t *data, size_t bytes)
{
    if (copy->gunzip == NULL) {
        return split(copy, data, bytes);
    }
    bool is_end = false;
    while (bytes > 0) {
        uint8_t *target = copy->expanded;
        size_t room = GUNZIP_BYTES;
        TRY(gunzip_stream_run(copy->gunzip, &data, &bytes, &target, &room, &is_end));
        if (room == GUNZIP_BYTES && bytes > 0 && is_end) {
            return status_error(SQLSTATE_BAD_COPY_FILE_FORMAT, "bytes after the end of gzip data");
        }
        TRY(split(copy, copy->expanded, GUNZIP_BYTES - room));
    }
    return STATUS_OK;
}

/* Reads CopyData until CopyDone. */
static Status pump(CopyIn *copy)
{
    Session *session = copy->session;
    for (;;) {
        PgCopyKind kind = PG_COPY_BYTES;
        const uint8_t *body = NULL;
        size_t bytes = 0;
        TRY(pg_reader_copy(&session->reader, clock_monotonic_us() + CLIENT_MESSAGE_TIMEOUT_US,
                           &kind, &body, &bytes));
        switch (kind) {
        case PG_COPY_BYTES:
            TRY(take_bytes(copy, body, bytes));
            TRY(statement_check(session, copy->portal->query));
            break;
        case PG_COPY_DONE: {
            RowBlock block = {0};
            TRY(row_splitter_finish(copy->splitter, &block));
            Status status = send_block(copy, &block);
            row_block_free(session->leader->budget, &block);
            TRY(status);
            return block_sender_finish(copy->sender);
        }
        case PG_COPY_FAILED: {
            PgCopyFail fail;
            TRY(pg_decode_copy_fail(body, bytes, &fail));
            return status_error(SQLSTATE_QUERY_CANCELED, "COPY from stdin failed: %s", fail.reason);
        }
        case PG_COPY_CLOSED:
            return status_error(SQLSTATE_CONNECTION_FAILURE, "the client went away during COPY");
        }
    }
}

static Status run_stream(CopyIn *copy)
{
    Session *session = copy->session;
    const BoundStatement *bound = copy->portal->bound;
    TRY(row_splitter_create(copy->format, session->leader->budget, ROW_BLOCK_BYTES,
                            &copy->splitter));
    if (copy->is_gzip) {
        TRY(gunzip_stream_create(&copy->gunzip));
        copy->expanded = malloc(GUNZIP_BYTES);
        if (copy->expanded == NULL) {
            return status_error(SQLSTATE_OUT_OF_MEMORY, "no memory to expand gzip data");
        }
    }
    TRY(block_sender_open(copy->portal->query, copy->read->exchange_id, &copy->sender));
    pg_writer_copy_in_response(session_output(session), PG_FORMAT_TEXT, bound->copy_field_count);
    TRY(session_flush(session));
    return pump(copy);
}

static void close_stream(CopyIn *copy)
{
    block_sender_close(copy->sender);
    row_splitter_destroy(copy->splitter);
    gunzip_stream_destroy(copy->gunzip);
    free(copy->expanded);
    free(copy->buffer);
}

/* Puts the format into the plan. Nodes know a compressed file by its first bytes. */
static Status set_format(PlannerContext *planner, LogicalCopy *node, const CopyFormat *format)
{
    ByteBuffer bytes;
    byte_buffer_init(&bytes, 1 << 16);
    copy_format_encode(format, &bytes);
    Status status = byte_buffer_status(&bytes);
    if (status == STATUS_OK) {
        node->format = arena_memdup(planner->arena, bytes.data, bytes.bytes);
        node->format_bytes = bytes.bytes;
    }
    byte_buffer_deinit(&bytes);
    return status;
}

Status copy_in_run(Session *session, Portal *portal, PlannerContext *planner,
                   const Snapshot *snapshot)
{
    const BoundStatement *bound = portal->bound;
    static const PlanResultColumn rows = {.name = "rows", .type = {.id = TYPE_BIGINT}};
    Snapshot writing = *snapshot;
    const Plan *plan = NULL;
    CopyFormat format;
    bool is_gzip = false;
    TRY(copy_format_of_statement(bound->ast->copy, &format, &is_gzip));
    TRY(set_format(planner, bound->copy, &format));
    TRY(txn_begin_write(&session->txn, &writing));
    TRY(statement_start_query(session, portal, planner, &writing, bound->root, 1, &rows, NULL,
                              false, true, &plan));
    if (bound->is_copy_stdin) {
        CopyIn copy = {.session = session, .portal = portal, .format = &format, .is_gzip = is_gzip};
        for (uint32_t i = 0; copy.read == NULL && i < plan->fragment_count; i++) {
            copy.read = find_copy_read(plan->fragments[i].root);
        }
        Status status = copy.read == NULL
                            ? status_error(SQLSTATE_INTERNAL_ERROR, "the plan reads no COPY")
                            : run_stream(&copy);
        if (status != STATUS_OK) { // when the query failed first, its reason is the better one
            distributed_query_cancel(portal->query, status_copy(status));
            status_free(status);
        }
        close_stream(&copy);
    }
    TRY(statement_wait(session, portal->query));
    TRY(statement_collect_writes(&session->txn, portal->query, plan));
    portal->is_ended = true;
    int64_t row_count = result_queue_first_value(portal->results);
    session_note_identity(session, (uint64_t)row_count);
    snprintf(session->last_tag, sizeof(session->last_tag), "COPY %ld", (long)row_count);
    return STATUS_OK;
}
