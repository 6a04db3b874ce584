/* pg_reader.c — frames out of the connection's input; see pg_reader.h. */
#include "protocol/pgwire/pg_reader.h"

static Status read_frame(PgReader *reader, int64_t deadline_us, PgFrame *frame, bool *is_closed);
static Status take_message(PgReader *reader, const PgFrame *frame, int64_t deadline_us,
                           PgMessage *out);
static Status skip_copy_data(PgReader *reader, int64_t deadline_us);
static Status closed_inside(void);

void pg_reader_init(PgReader *reader, PgConnection *connection)
{
    *reader = (PgReader){.connection = connection, .phase = PG_PHASE_STARTUP};
}

Status pg_reader_next(PgReader *reader, int64_t deadline_us, PgMessage *out, bool *is_closed)
{
    pg_reader_release(reader);
    for (;;) {
        PgFrame frame;
        TRY(skip_copy_data(reader, deadline_us));
        TRY(read_frame(reader, deadline_us, &frame, is_closed));
        if (*is_closed) {
            return STATUS_OK;
        }
        if (reader->phase == PG_PHASE_SESSION && frame.type == PG_FRONTEND_COPY_DATA) {
            pg_connection_consume(reader->connection, frame.header_bytes);
            reader->copy_left_bytes = frame.body_bytes;
            continue;
        }
        TRY(take_message(reader, &frame, deadline_us, out));
        if (reader->phase == PG_PHASE_STARTUP ||
            (frame.type != PG_FRONTEND_COPY_DONE && frame.type != PG_FRONTEND_COPY_FAIL)) {
            return STATUS_OK;
        }
        pg_reader_release(reader);
    }
}

void pg_reader_release(PgReader *reader)
{
    if (reader->held_bytes > 0) {
        size_t held_bytes = reader->held_bytes;
        reader->held_bytes = 0;
        pg_connection_consume(reader->connection, held_bytes);
    }
}

/* The frame behind the last message; `*is_whole`: with all its body. */
static Status look_ahead(const PgReader *reader, PgFrame *frame, bool *is_whole)
{
    size_t available;
    const uint8_t *data = pg_connection_input(reader->connection, &available);
    data += reader->held_bytes;
    available -= reader->held_bytes;
    TRY(pg_frame_read(reader->phase, data, available, frame, is_whole));
    *is_whole = *is_whole && available >= frame->header_bytes + frame->body_bytes;
    return STATUS_OK;
}

bool pg_reader_has_message(const PgReader *reader)
{
    PgFrame frame;
    bool is_whole = false;
    Status status = look_ahead(reader, &frame, &is_whole);
    if (status != STATUS_OK) {
        status_ignore(status, "pg_reader_next reports it");
        return true;
    }
    return is_whole;
}

bool pg_reader_is_followed_by(const PgReader *reader, PgFrontend type)
{
    PgFrame frame = {0};
    bool is_whole = false;
    Status status = look_ahead(reader, &frame, &is_whole);
    status_ignore(status, "pg_reader_next reports it");
    return is_whole && frame.type == type;
}

Status pg_reader_copy(PgReader *reader, int64_t deadline_us, PgCopyKind *kind, const uint8_t **body,
                      size_t *bytes)
{
    pg_reader_release(reader);
    bool is_closed;
    *kind = PG_COPY_CLOSED;
    *body = NULL;
    *bytes = 0;
    while (reader->copy_left_bytes == 0) {
        PgFrame frame;
        TRY(read_frame(reader, deadline_us, &frame, &is_closed));
        if (is_closed) {
            return STATUS_OK;
        }
        if (frame.type == PG_FRONTEND_COPY_DATA) {
            pg_connection_consume(reader->connection, frame.header_bytes);
            reader->copy_left_bytes = frame.body_bytes;
            continue;
        }
        PgMessage message;
        TRY(take_message(reader, &frame, deadline_us, &message));
        switch (message.type) {
        case PG_FRONTEND_FLUSH:
        case PG_FRONTEND_SYNC:
            pg_reader_release(reader);
            continue;
        case PG_FRONTEND_COPY_DONE:
            *kind = PG_COPY_DONE;
            return STATUS_OK;
        case PG_FRONTEND_COPY_FAIL:
            *kind = PG_COPY_FAILED;
            *body = message.body;
            *bytes = message.bytes;
            return STATUS_OK;
        default:
            return status_error(SQLSTATE_PROTOCOL_VIOLATION,
                                "unexpected %s message during COPY from stdin",
                                pg_frontend_title(message.type));
        }
    }
    TRY(pg_connection_fill(reader->connection, 1, deadline_us, &is_closed));
    if (is_closed) {
        return STATUS_OK;
    }
    size_t available;
    *body = pg_connection_input(reader->connection, &available);
    *bytes = available < reader->copy_left_bytes ? available : reader->copy_left_bytes;
    *kind = PG_COPY_BYTES;
    reader->held_bytes = *bytes;
    reader->copy_left_bytes -= *bytes;
    return STATUS_OK;
}

/* Waits for the header of the next frame and judges it before its body is awaited. */
static Status read_frame(PgReader *reader, int64_t deadline_us, PgFrame *frame, bool *is_closed)
{
    bool is_whole = false;
    size_t wanted = 1;
    *is_closed = false;
    for (;;) {
        TRY(pg_connection_fill(reader->connection, wanted, deadline_us, is_closed));
        size_t available;
        const uint8_t *data = pg_connection_input(reader->connection, &available);
        if (*is_closed) {
            return available == 0 ? STATUS_OK : closed_inside();
        }
        TRY(pg_frame_read(reader->phase, data, available, frame, &is_whole));
        if (is_whole) {
            return STATUS_OK;
        }
        wanted = available + 1;
    }
}

/* Waits for the body of a frame whose header has been read. */
static Status take_message(PgReader *reader, const PgFrame *frame, int64_t deadline_us,
                           PgMessage *out)
{
    bool is_closed;
    size_t frame_bytes = frame->header_bytes + frame->body_bytes;
    TRY(pg_connection_fill(reader->connection, frame_bytes, deadline_us, &is_closed));
    if (is_closed) {
        return closed_inside();
    }
    size_t available;
    const uint8_t *data = pg_connection_input(reader->connection, &available);
    *out = (PgMessage){
        .type = frame->type, .body = data + frame->header_bytes, .bytes = frame->body_bytes};
    reader->held_bytes = frame_bytes;
    return STATUS_OK;
}

/* Drops the rest of a CopyData that nobody wants. */
static Status skip_copy_data(PgReader *reader, int64_t deadline_us)
{
    while (reader->copy_left_bytes > 0) {
        bool is_closed;
        TRY(pg_connection_fill(reader->connection, 1, deadline_us, &is_closed));
        if (is_closed) {
            return closed_inside();
        }
        size_t available;
        (void)pg_connection_input(reader->connection, &available);
        size_t dropped = available < reader->copy_left_bytes ? available : reader->copy_left_bytes;
        pg_connection_consume(reader->connection, dropped);
        reader->copy_left_bytes -= dropped;
    }
    return STATUS_OK;
}

static Status closed_inside(void)
{
    return status_error(SQLSTATE_CONNECTION_FAILURE,
                        "the client closed the connection inside a message");
}
