/*
 * pg_message.h — frames of the PostgreSQL v3 protocol: their types, their limits, and where one
 * ends in a run of bytes.
 *
 * A frame is one type byte, a big-endian length that counts itself, and the body; startup packets
 * have no type byte. (PostgreSQL documentation, "Frontend/Backend Protocol".)
 */
#pragma once
#include "base/status.h"

#define PG_STARTUP_BYTES_MAX 10000         /* of a startup packet, length included */
#define PG_UNAUTHENTICATED_BYTES_MAX 65536 /* of a body before the login has succeeded */
#define PG_SMALL_BYTES_MAX 65536           /* of messages that carry a name or a reason */
#define PG_LARGE_BYTES_MAX (256u << 20)    /* of messages that carry SQL text or parameters */
#define PG_COPY_BYTES_MAX 0x3FFFFFFBu      /* of CopyData, which is handed on piece by piece */

typedef enum PgFrontend {
#define PG_FRONTEND(name, type, bytes_min, bytes_max, title) PG_FRONTEND_##name,
#include "protocol/pgwire/pg_messages.def"
#undef PG_FRONTEND
    PG_FRONTEND_COUNT
} PgFrontend;

typedef enum PgBackend {
#define PG_BACKEND(name, type, title) PG_BACKEND_##name = type,
#include "protocol/pgwire/pg_messages.def"
#undef PG_BACKEND
} PgBackend;

typedef enum PgPhase {
    PG_PHASE_STARTUP,        /* untyped packets */
    PG_PHASE_AUTHENTICATION, /* only `p` and Terminate, at most PG_UNAUTHENTICATED_BYTES_MAX */
    PG_PHASE_SESSION         /* everything but `p` */
} PgPhase;

typedef struct PgFrame {
    PgFrontend type; /* meaningless in PG_PHASE_STARTUP */
    size_t header_bytes, body_bytes;
} PgFrame;

/*
 * Reads the header of the frame at `data`. `*is_whole` tells whether the header was there at all;
 * the body may still be missing. Fails with 08P01 for an unknown type, a type that the phase
 * forbids, or a length out of its limits: the position of the next frame is unknown from then on.
 */
Status pg_frame_read(PgPhase phase, const uint8_t *data, size_t bytes, PgFrame *frame,
                     bool *is_whole) CHECKED;

/* "Bind", for messages to people. */
const char *pg_frontend_title(PgFrontend type);
