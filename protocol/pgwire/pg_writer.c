/* pg_writer.c — the server's messages; see pg_writer.h. */
#include "protocol/pgwire/pg_writer.h"

#include <string.h>

#include "base/types/text_format.h"
#include "protocol/pgwire/pg_decode.h"

enum { /* codes of the Authentication message */
       AUTHENTICATION_OK = 0,
       AUTHENTICATION_SASL = 10,
       AUTHENTICATION_SASL_CONTINUE = 11,
       AUTHENTICATION_SASL_FINAL = 12
};

static void write_empty(ByteBuffer *out, PgBackend type);
static void write_authentication(ByteBuffer *out, uint32_t code, const char *data, size_t bytes);
static void write_copy_response(ByteBuffer *out, PgBackend type, uint16_t format,
                                uint32_t column_count);
static void write_field(ByteBuffer *out, char code, const char *text);
static uint32_t type_wire_bytes(Type type);

size_t pg_writer_begin(ByteBuffer *out, PgBackend type)
{
    byte_buffer_add_u8(out, (uint8_t)type);
    size_t mark = out->bytes;
    byte_buffer_add_be32(out, 0);
    return mark;
}

void pg_writer_end(ByteBuffer *out, size_t mark)
{
    if (out->is_failed) {
        return;
    }
    uint32_t length = __builtin_bswap32((uint32_t)(out->bytes - mark));
    memcpy(out->data + mark, &length, sizeof(length));
}

void pg_writer_cstring(ByteBuffer *out, const char *text)
{
    byte_buffer_add(out, text, strlen(text) + 1);
}

void pg_writer_authentication_ok(ByteBuffer *out)
{
    write_authentication(out, AUTHENTICATION_OK, "", 0);
}

void pg_writer_authentication_sasl(ByteBuffer *out)
{
    // A list of names, each with its terminator, closed by an empty one.
    static const char mechanisms[] = "SCRAM-SHA-256\0";
    write_authentication(out, AUTHENTICATION_SASL, mechanisms, sizeof(mechanisms));
}

void pg_writer_authentication_sasl_continue(ByteBuffer *out, const char *data, size_t bytes)
{
    write_authentication(out, AUTHENTICATION_SASL_CONTINUE, data, bytes);
}

void pg_writer_authentication_sasl_final(ByteBuffer *out, const char *data, size_t bytes)
{
    write_authentication(out, AUTHENTICATION_SASL_FINAL, data, bytes);
}

void pg_writer_negotiate_protocol_version(ByteBuffer *out, uint32_t minor,
                                          const char *const *option_names, uint32_t option_count)
{
    size_t mark = pg_writer_begin(out, PG_BACKEND_NEGOTIATE_PROTOCOL_VERSION);
    byte_buffer_add_be32(out, PG_PROTOCOL_MAJOR << 16 | minor);
    byte_buffer_add_be32(out, option_count);
    for (uint32_t i = 0; i < option_count; i++) {
        pg_writer_cstring(out, option_names[i]);
    }
    pg_writer_end(out, mark);
}

void pg_writer_parameter_status(ByteBuffer *out, const char *name, const char *value)
{
    size_t mark = pg_writer_begin(out, PG_BACKEND_PARAMETER_STATUS);
    pg_writer_cstring(out, name);
    pg_writer_cstring(out, value);
    pg_writer_end(out, mark);
}

void pg_writer_backend_key_data(ByteBuffer *out, uint32_t process_id, const uint8_t *key,
                                size_t key_bytes)
{
    size_t mark = pg_writer_begin(out, PG_BACKEND_BACKEND_KEY_DATA);
    byte_buffer_add_be32(out, process_id);
    byte_buffer_add(out, key, key_bytes);
    pg_writer_end(out, mark);
}

void pg_writer_ready_for_query(ByteBuffer *out, PgTxnState state)
{
    size_t mark = pg_writer_begin(out, PG_BACKEND_READY_FOR_QUERY);
    byte_buffer_add_u8(out, (uint8_t)state);
    pg_writer_end(out, mark);
}

void pg_writer_row_description(ByteBuffer *out, const PgColumn *columns, uint32_t column_count)
{
    size_t mark = pg_writer_begin(out, PG_BACKEND_ROW_DESCRIPTION);
    byte_buffer_add_be16(out, (uint16_t)column_count);
    for (uint32_t i = 0; i < column_count; i++) {
        const PgColumn *column = &columns[i];
        pg_writer_cstring(out, column->name);
        byte_buffer_add_be32(out, column->table_oid);
        byte_buffer_add_be16(out, column->column_number);
        byte_buffer_add_be32(out, type_oid(column->type));
        byte_buffer_add_be16(out, (uint16_t)type_wire_bytes(column->type));
        byte_buffer_add_be32(out, (uint32_t)type_modifier(column->type));
        byte_buffer_add_be16(out, column->format);
    }
    pg_writer_end(out, mark);
}

void pg_writer_command_complete(ByteBuffer *out, const char *tag)
{
    size_t mark = pg_writer_begin(out, PG_BACKEND_COMMAND_COMPLETE);
    pg_writer_cstring(out, tag);
    pg_writer_end(out, mark);
}

void pg_writer_empty_query_response(ByteBuffer *out)
{
    write_empty(out, PG_BACKEND_EMPTY_QUERY_RESPONSE);
}

void pg_writer_parse_complete(ByteBuffer *out)
{
    write_empty(out, PG_BACKEND_PARSE_COMPLETE);
}

void pg_writer_bind_complete(ByteBuffer *out)
{
    write_empty(out, PG_BACKEND_BIND_COMPLETE);
}

void pg_writer_close_complete(ByteBuffer *out)
{
    write_empty(out, PG_BACKEND_CLOSE_COMPLETE);
}

void pg_writer_no_data(ByteBuffer *out)
{
    write_empty(out, PG_BACKEND_NO_DATA);
}

void pg_writer_parameter_description(ByteBuffer *out, const Type *types, uint32_t type_count)
{
    size_t mark = pg_writer_begin(out, PG_BACKEND_PARAMETER_DESCRIPTION);
    byte_buffer_add_be16(out, (uint16_t)type_count);
    for (uint32_t i = 0; i < type_count; i++) {
        byte_buffer_add_be32(out, type_oid(types[i]));
    }
    pg_writer_end(out, mark);
}

void pg_writer_portal_suspended(ByteBuffer *out)
{
    write_empty(out, PG_BACKEND_PORTAL_SUSPENDED);
}

void pg_writer_copy_in_response(ByteBuffer *out, uint16_t format, uint32_t column_count)
{
    write_copy_response(out, PG_BACKEND_COPY_IN_RESPONSE, format, column_count);
}

void pg_writer_copy_out_response(ByteBuffer *out, uint16_t format, uint32_t column_count)
{
    write_copy_response(out, PG_BACKEND_COPY_OUT_RESPONSE, format, column_count);
}

void pg_writer_copy_data(ByteBuffer *out, const void *data, size_t bytes)
{
    size_t mark = pg_writer_begin(out, PG_BACKEND_COPY_DATA);
    byte_buffer_add(out, data, bytes);
    pg_writer_end(out, mark);
}

void pg_writer_copy_done(ByteBuffer *out)
{
    write_empty(out, PG_BACKEND_COPY_DONE);
}

void pg_writer_status(ByteBuffer *out, PgSeverity severity, Status status, const char *statement)
{
    static const char *const names[] = {
        [PG_SEVERITY_ERROR] = "ERROR",   [PG_SEVERITY_FATAL] = "FATAL",
        [PG_SEVERITY_PANIC] = "PANIC",   [PG_SEVERITY_WARNING] = "WARNING",
        [PG_SEVERITY_NOTICE] = "NOTICE", [PG_SEVERITY_INFO] = "INFO",
        [PG_SEVERITY_LOG] = "LOG",       [PG_SEVERITY_DEBUG] = "DEBUG",
    };
    bool is_error = severity <= PG_SEVERITY_PANIC;
    size_t mark =
        pg_writer_begin(out, is_error ? PG_BACKEND_ERROR_RESPONSE : PG_BACKEND_NOTICE_RESPONSE);
    write_field(out, 'S', names[severity]);
    write_field(out, 'V', names[severity]);
    write_field(out, 'C', status_sqlstate_code(status));
    write_field(out, 'M', status_message(status));
    if (status_detail(status)[0] != '\0') {
        write_field(out, 'D', status_detail(status));
    }
    if (status_hint(status)[0] != '\0') {
        write_field(out, 'H', status_hint(status));
    }
    int32_t position = status_position(status);
    if (statement != NULL && position >= 0 && (size_t)position <= strlen(statement)) {
        byte_buffer_add_u8(out, 'P');
        byte_buffer_printf(out, "%zu", utf8_length(statement, (size_t)position) + 1);
        byte_buffer_add_u8(out, 0);
    }
    if (status_context(status)[0] != '\0') {
        write_field(out, 'W', status_context(status));
    }
    byte_buffer_add_u8(out, 0);
    pg_writer_end(out, mark);
}

static void write_empty(ByteBuffer *out, PgBackend type)
{
    pg_writer_end(out, pg_writer_begin(out, type));
}

static void write_authentication(ByteBuffer *out, uint32_t code, const char *data, size_t bytes)
{
    size_t mark = pg_writer_begin(out, PG_BACKEND_AUTHENTICATION);
    byte_buffer_add_be32(out, code);
    byte_buffer_add(out, data, bytes);
    pg_writer_end(out, mark);
}

static void write_copy_response(ByteBuffer *out, PgBackend type, uint16_t format,
                                uint32_t column_count)
{
    size_t mark = pg_writer_begin(out, type);
    byte_buffer_add_u8(out, (uint8_t)format);
    byte_buffer_add_be16(out, (uint16_t)column_count);
    for (uint32_t i = 0; i < column_count; i++) {
        byte_buffer_add_be16(out, format);
    }
    pg_writer_end(out, mark);
}

static void write_field(ByteBuffer *out, char code, const char *text)
{
    byte_buffer_add_u8(out, (uint8_t)code);
    pg_writer_cstring(out, text);
}

/* pg_type.typlen of the type. */
static uint32_t type_wire_bytes(Type type)
{
    static const int16_t wire_bytes[TYPE_COUNT] = {
#define SQL_TYPE(id, number, name, oid, bytes) [number] = bytes,
#include "base/types/types.def"
#undef SQL_TYPE
    };
    return (uint32_t)(int32_t)wire_bytes[type.id];
}
