/*
 * pg_writer.h — the server's messages, appended to an output buffer.
 *
 * A refused growth marks the buffer failed (byte_buffer.h); flushing reports it, so that no writer
 * needs a check.
 */
#pragma once
#include "base/byte_buffer.h"
#include "base/types/type.h"
#include "protocol/pgwire/pg_message.h"

/* Frames: begin writes type and a length to be filled in, and returns the mark that end needs. */
size_t pg_writer_begin(ByteBuffer *out, PgBackend type);
void pg_writer_end(ByteBuffer *out, size_t mark);
void pg_writer_cstring(ByteBuffer *out, const char *text); /* with its terminator */

typedef enum PgTxnState { PG_TXN_IDLE = 'I', PG_TXN_OPEN = 'T', PG_TXN_FAILED = 'E' } PgTxnState;

void pg_writer_authentication_ok(ByteBuffer *out);
void pg_writer_authentication_sasl(ByteBuffer *out); /* offers SCRAM-SHA-256 */
void pg_writer_authentication_sasl_continue(ByteBuffer *out, const char *data, size_t bytes);
void pg_writer_authentication_sasl_final(ByteBuffer *out, const char *data, size_t bytes);
void pg_writer_negotiate_protocol_version(ByteBuffer *out, uint32_t minor,
                                          const char *const *option_names, uint32_t option_count);
void pg_writer_parameter_status(ByteBuffer *out, const char *name, const char *value);
/* 4 bytes of key for protocol 3.0, up to PG_CANCEL_KEY_BYTES_MAX from 3.2 on. */
void pg_writer_backend_key_data(ByteBuffer *out, uint32_t process_id, const uint8_t *key,
                                size_t key_bytes);
void pg_writer_ready_for_query(ByteBuffer *out, PgTxnState state);

/* One column of a RowDescription. */
typedef struct PgColumn {
    const char *name;
    Type type;
    uint32_t table_oid;     /* 0: not a plain column of a table */
    uint16_t column_number; /* from 1; 0 likewise */
    uint16_t format;        /* PG_FORMAT_TEXT or _BINARY; TEXT before Bind */
} PgColumn;
void pg_writer_row_description(ByteBuffer *out, const PgColumn *columns, uint32_t column_count);
void pg_writer_command_complete(ByteBuffer *out, const char *tag); /* "SELECT 5" */
void pg_writer_empty_query_response(ByteBuffer *out);
void pg_writer_parse_complete(ByteBuffer *out);
void pg_writer_bind_complete(ByteBuffer *out);
void pg_writer_close_complete(ByteBuffer *out);
void pg_writer_no_data(ByteBuffer *out);
void pg_writer_parameter_description(ByteBuffer *out, const Type *types, uint32_t type_count);
void pg_writer_portal_suspended(ByteBuffer *out);
/* Every column has the one format: text, or binary. */
void pg_writer_copy_in_response(ByteBuffer *out, uint16_t format, uint32_t column_count);
void pg_writer_copy_out_response(ByteBuffer *out, uint16_t format, uint32_t column_count);
void pg_writer_copy_data(ByteBuffer *out, const void *data, size_t bytes);
void pg_writer_copy_done(ByteBuffer *out);

typedef enum PgSeverity { /* of errors and notices */
                          PG_SEVERITY_ERROR,
                          PG_SEVERITY_FATAL, /* the connection closes after it */
                          PG_SEVERITY_PANIC,
                          PG_SEVERITY_WARNING,
                          PG_SEVERITY_NOTICE,
                          PG_SEVERITY_INFO,
                          PG_SEVERITY_LOG,
                          PG_SEVERITY_DEBUG
} PgSeverity;
/*
 * ErrorResponse for the first three severities, NoticeResponse for the others. `statement` is the
 * text that the status's position refers to, from which the position in characters is counted;
 * null: no position is sent. Reads the status, does not free it.
 */
void pg_writer_status(ByteBuffer *out, PgSeverity severity, Status status, const char *statement);
