/*
 * pg_reader.h — the client's messages, one after another, and the bytes of a COPY.
 *
 * Message bodies are views into the connection's input buffer: nothing is copied. CopyData is
 * handed on in pieces as it arrives, so that a frame of any size needs no buffer of that size.
 * Invariant: an error of pg_reader_next or pg_reader_copy means that the position of the next frame
 * is unknown: report it and close. Interrupts (57014, 57P01) are no such errors: the call may be
 * made again. Errors of pg_decode_… leave the reader usable.
 */
#pragma once
#include "protocol/pgwire/pg_connection.h"
#include "protocol/pgwire/pg_message.h"

typedef struct PgReader {
    PgConnection *connection;
    PgPhase phase;
    size_t held_bytes;      /* of the last message, consumed by the next call */
    size_t copy_left_bytes; /* of a CopyData frame, not handed on yet */
} PgReader;

typedef struct PgMessage {
    PgFrontend type; /* meaningless in PG_PHASE_STARTUP */
    const uint8_t *body;
    size_t bytes;
} PgMessage;

void pg_reader_init(PgReader *reader, PgConnection *connection);

/* The next message; its body is borrowed until the next call. `*is_closed`: the client closed
 * between two messages; closing inside one is 08006. CopyData, CopyDone and CopyFail are passed
 * over: a client may still send them after its COPY has failed. Output is not flushed here. */
Status pg_reader_next(PgReader *reader, int64_t deadline_us, PgMessage *out,
                      bool *is_closed) CHECKED;
/* Gives the last message's bytes back before the next call does. */
void pg_reader_release(PgReader *reader);
/* True when a whole message (or a bad header) has arrived: pg_reader_next would not wait. */
bool pg_reader_has_message(const PgReader *reader);
/* True when a whole message of that type has arrived behind the last one. */
bool pg_reader_is_followed_by(const PgReader *reader, PgFrontend type);

typedef enum PgCopyKind {
    PG_COPY_BYTES, /* `body`, at least one byte */
    PG_COPY_DONE,
    PG_COPY_FAILED, /* `body` is that of CopyFail */
    PG_COPY_CLOSED  /* the client went away */
} PgCopyKind;

/* The next piece of a COPY FROM STDIN. Flush and Sync are passed over, as the protocol asks; any
 * other message is 08P01. */
Status pg_reader_copy(PgReader *reader, int64_t deadline_us, PgCopyKind *kind, const uint8_t **body,
                      size_t *bytes) CHECKED;
