/*
 * pg_connection.h — one client's socket with its input and output buffers.
 *
 * The socket is non-blocking; waiting is poll() on it and on a wake-up event, with a deadline.
 * Invariants: (1) one thread at a time uses a connection, but any thread may interrupt it;
 * (2) bytes pass through the transport table only, so TLS can replace the plain socket;
 * (3) a wait that ends early loses nothing: unsent output stays buffered, whole frames stay whole;
 * (4) input grows with the bytes that have arrived, never with a length that was announced.
 */
#pragma once
#include "base/byte_buffer.h"

#define PG_NO_DEADLINE INT64_MAX
#define PG_OUTPUT_FLUSH_BYTES (64u << 10) /* enough output to be worth a system call */
#define PG_OUTPUT_BYTES_MAX (512u << 20)  /* of buffered output: one widest row and some more */

/* What a transport answers instead of a count of bytes. */
enum { PG_IO_NEEDS_READ = -1, PG_IO_NEEDS_WRITE = -2, PG_IO_FAILED = -3 /* errno tells */ };

/* How bytes travel. No call blocks. */
typedef struct PgTransportOps {
    /* Bytes moved; 0 (reading only): the client closed; or one of PG_IO_…. */
    int64_t (*read)(void *self, void *data, size_t bytes);
    int64_t (*write)(void *self, const void *data, size_t bytes);
    bool (*has_input)(void *self); /* bytes wait inside the transport, where poll is blind */
    void (*close)(void *self);     /* the socket itself is closed by the connection */
} PgTransportOps;

/* Reasons to end a wait, combined as bits. */
typedef enum PgInterrupt {
    PG_INTERRUPT_CANCEL = 1,   /* 57014, the client's wish */
    PG_INTERRUPT_TIMEOUT = 2,  /* 57014, statement_timeout */
    PG_INTERRUPT_SHUTDOWN = 4, /* 57P01, the administrator's wish */
} PgInterrupt;

typedef struct PgConnection PgConnection;

/* Takes over the socket, also on failure. */
Status pg_connection_open(int owned_fd, PgConnection **out) CHECKED;
void pg_connection_close(PgConnection *connection); /* null is allowed */
int pg_connection_fd(const PgConnection *connection);
/* Replaces the transport; `self` is closed with the connection. */
void pg_connection_set_transport(PgConnection *connection, const PgTransportOps *ops, void *self);

/*
 * Waits until at least `bytes` of unread input are there. `*is_closed` tells that the client closed
 * before that. Fails with 57014 or 57P01 when interrupted, with 08006 at the deadline or when the
 * connection broke, with 53200 when the buffer cannot grow.
 */
Status pg_connection_fill(PgConnection *connection, size_t bytes, int64_t deadline_us,
                          bool *is_closed) CHECKED;
/* The unread input; borrowed until the next fill or trim. */
const uint8_t *pg_connection_input(const PgConnection *connection, size_t *bytes);
void pg_connection_consume(PgConnection *connection, size_t bytes);
/* True when input waits in a buffer, so that epoll must not be asked first. */
bool pg_connection_has_input(const PgConnection *connection);

/* Where writers append; sent by flush. */
ByteBuffer *pg_connection_output(PgConnection *connection);
Status pg_connection_flush(PgConnection *connection, int64_t deadline_us) CHECKED;
/* Flushes only when PG_OUTPUT_FLUSH_BYTES have gathered. */
Status pg_connection_flush_if_full(PgConnection *connection, int64_t deadline_us) CHECKED;

/* Gives the buffers back when they are empty: an idle client costs a few hundred bytes. */
void pg_connection_trim(PgConnection *connection);
/* True when the client has closed its side; does not wait. */
bool pg_connection_has_hung_up(const PgConnection *connection);

/* Ends the current or next wait; callable from any thread while the connection is open. */
void pg_connection_interrupt(PgConnection *connection, PgInterrupt interrupt);
uint32_t pg_connection_interrupts(const PgConnection *connection);
/* Forgets interrupts, as at the start of a statement; `interrupts` is a union of bits. */
void pg_connection_clear_interrupts(PgConnection *connection, uint32_t interrupts);
/* The error for the interrupts that are set, or STATUS_OK. */
Status pg_connection_interrupt_status(const PgConnection *connection) CHECKED;
