/* pg_decode.c — bodies of client messages as structs; see pg_decode.h. */
#include "protocol/pgwire/pg_decode.h"

#include <string.h>

#include "base/byte_reader.h"
#include "base/types/text_format.h"

enum {
    CODE_MAJOR_SHIFT = 16,
    CODE_CANCEL = 80877102, /* 1234 << 16 | 5678, and so on: never a version number */
    CODE_SSL = 80877103,
    CODE_GSSENC = 80877104
};

static Status malformed(const char *title, const char *what);
static Status check_end(const ByteReader *reader, const char *title);
static Status read_text(ByteReader *reader, const char *title, const char *what, const char **out,
                        size_t *text_bytes);
static Status read_name(ByteReader *reader, const char *title, const char **out);
static Status read_formats(ByteReader *reader, Arena *arena, const char *title, uint32_t *count,
                           uint16_t **out);
static Status read_parameters(ByteReader *reader, Arena *arena, PgBind *out);
static Status read_startup_parameters(ByteReader *reader, Arena *arena, PgStartupPacket *out);
static Status read_target(const uint8_t *body, size_t bytes, const char *title, PgNamed *out);

Status pg_decode_startup(Arena *arena, const uint8_t *body, size_t bytes, PgStartupPacket *out)
{
    static const char *const title = "startup";
    ByteReader reader;
    byte_reader_init(&reader, body, bytes);
    uint32_t code = byte_reader_be32(&reader);
    *out = (PgStartupPacket){.kind = PG_STARTUP_SESSION};
    if (!byte_reader_is_ok(&reader)) {
        return malformed(title, "no protocol version");
    }
    switch (code) {
    case CODE_SSL:
        out->kind = PG_STARTUP_SSL;
        return check_end(&reader, "SSLRequest");
    case CODE_GSSENC:
        out->kind = PG_STARTUP_GSSENC;
        return check_end(&reader, "GSSENCRequest");
    case CODE_CANCEL:
        out->kind = PG_STARTUP_CANCEL;
        out->process_id = byte_reader_be32(&reader);
        out->cancel_key_bytes = byte_reader_remaining(&reader);
        out->cancel_key = byte_reader_view(&reader, out->cancel_key_bytes);
        if (!byte_reader_is_ok(&reader) || out->cancel_key_bytes < 4 ||
            out->cancel_key_bytes > PG_CANCEL_KEY_BYTES_MAX) {
            return malformed("CancelRequest", "wrong length of the key");
        }
        return STATUS_OK;
    default:
        break;
    }
    out->minor = code & 0xFFFF;
    if (code >> CODE_MAJOR_SHIFT != PG_PROTOCOL_MAJOR) {
        return status_error(SQLSTATE_FEATURE_NOT_SUPPORTED,
                            "unsupported frontend protocol %u.%u: server supports 3.0 to %u.%u",
                            code >> CODE_MAJOR_SHIFT, out->minor, PG_PROTOCOL_MAJOR,
                            PG_PROTOCOL_MINOR_MAX);
    }
    return read_startup_parameters(&reader, arena, out);
}

Status pg_decode_query(const uint8_t *body, size_t bytes, PgQuery *out)
{
    ByteReader reader;
    byte_reader_init(&reader, body, bytes);
    PgQuery query;
    TRY(read_text(&reader, "Query", "the statement", &query.text, &query.text_bytes));
    TRY(check_end(&reader, "Query"));
    *out = query;
    return STATUS_OK;
}

Status pg_decode_parse(Arena *arena, const uint8_t *body, size_t bytes, PgParse *out)
{
    static const char *const title = "Parse";
    ByteReader reader;
    byte_reader_init(&reader, body, bytes);
    PgParse parse = {.name = NULL};
    TRY(read_name(&reader, title, &parse.name));
    TRY(read_text(&reader, title, "the statement", &parse.text, &parse.text_bytes));
    parse.parameter_count = byte_reader_be16(&reader);
    if (!byte_reader_is_ok(&reader) ||
        byte_reader_remaining(&reader) < (size_t)parse.parameter_count * 4) {
        return malformed(title, "fewer parameter types than announced");
    }
    parse.parameter_oids = ARENA_ARRAY(arena, uint32_t, parse.parameter_count);
    for (uint32_t i = 0; i < parse.parameter_count; i++) {
        parse.parameter_oids[i] = byte_reader_be32(&reader);
    }
    TRY(check_end(&reader, title));
    *out = parse;
    return STATUS_OK;
}

Status pg_decode_bind(Arena *arena, const uint8_t *body, size_t bytes, PgBind *out)
{
    static const char *const title = "Bind";
    ByteReader reader;
    byte_reader_init(&reader, body, bytes);
    PgBind bind = {.portal = NULL};
    TRY(read_name(&reader, title, &bind.portal));
    TRY(read_name(&reader, title, &bind.statement));
    TRY(read_formats(&reader, arena, title, &bind.format_count, &bind.formats));
    TRY(read_parameters(&reader, arena, &bind));
    if (bind.format_count > 1 && bind.format_count != bind.parameter_count) {
        return status_error(SQLSTATE_PROTOCOL_VIOLATION,
                            "Bind message has %u parameter formats but %u parameters",
                            bind.format_count, bind.parameter_count);
    }
    TRY(read_formats(&reader, arena, title, &bind.result_format_count, &bind.result_formats));
    TRY(check_end(&reader, title));
    *out = bind;
    return STATUS_OK;
}

uint16_t pg_format_of(const uint16_t *formats, uint32_t format_count, uint32_t index)
{
    if (format_count == 0) {
        return PG_FORMAT_TEXT;
    }
    return formats[format_count == 1 ? 0 : index];
}

Status pg_decode_describe(const uint8_t *body, size_t bytes, PgNamed *out)
{
    return read_target(body, bytes, "Describe", out);
}

Status pg_decode_close(const uint8_t *body, size_t bytes, PgNamed *out)
{
    return read_target(body, bytes, "Close", out);
}

Status pg_decode_execute(const uint8_t *body, size_t bytes, PgExecute *out)
{
    ByteReader reader;
    byte_reader_init(&reader, body, bytes);
    PgExecute execute;
    TRY(read_name(&reader, "Execute", &execute.portal));
    int32_t rows_max = (int32_t)byte_reader_be32(&reader);
    TRY(check_end(&reader, "Execute"));
    // Like PostgreSQL: zero and less mean "all rows".
    execute.rows_max = rows_max > 0 ? (uint32_t)rows_max : 0;
    *out = execute;
    return STATUS_OK;
}

Status pg_decode_password(const uint8_t *body, size_t bytes, PgPassword *out)
{
    ByteReader reader;
    byte_reader_init(&reader, body, bytes);
    const char *password = byte_reader_cstring(&reader);
    TRY(check_end(&reader, "password"));
    out->password = password;
    return STATUS_OK;
}

Status pg_decode_sasl_initial(const uint8_t *body, size_t bytes, PgSaslInitial *out)
{
    static const char *const title = "SASLInitialResponse";
    ByteReader reader;
    byte_reader_init(&reader, body, bytes);
    PgSaslInitial initial = {.mechanism = byte_reader_cstring(&reader)};
    int32_t response_bytes = (int32_t)byte_reader_be32(&reader);
    if (!byte_reader_is_ok(&reader)) {
        return malformed(title, "the message is too short");
    }
    if (response_bytes < -1) {
        return malformed(title, "negative length of the response");
    }
    if (response_bytes >= 0) {
        initial.response_bytes = (size_t)response_bytes;
        initial.response = byte_reader_view(&reader, initial.response_bytes);
    }
    TRY(check_end(&reader, title));
    *out = initial;
    return STATUS_OK;
}

Status pg_decode_sasl_response(const uint8_t *body, size_t bytes, PgSaslResponse *out)
{
    *out = (PgSaslResponse){.response = body, .response_bytes = bytes};
    return STATUS_OK;
}

Status pg_decode_copy_fail(const uint8_t *body, size_t bytes, PgCopyFail *out)
{
    ByteReader reader;
    byte_reader_init(&reader, body, bytes);
    PgCopyFail fail;
    TRY(read_name(&reader, "CopyFail", &fail.reason));
    TRY(check_end(&reader, "CopyFail"));
    *out = fail;
    return STATUS_OK;
}

Status pg_decode_function_call(const uint8_t *body, size_t bytes)
{
    (void)body;
    if (bytes < 10) {
        return malformed("FunctionCall", "the message is too short");
    }
    return status_error(SQLSTATE_FEATURE_NOT_SUPPORTED,
                        "the FunctionCall message is not supported; use a SELECT");
}

static Status malformed(const char *title, const char *what)
{
    return status_error(SQLSTATE_PROTOCOL_VIOLATION, "malformed %s message: %s", title, what);
}

static Status check_end(const ByteReader *reader, const char *title)
{
    if (!byte_reader_is_ok(reader)) {
        return malformed(title, "the message is too short");
    }
    if (byte_reader_remaining(reader) != 0) {
        return malformed(title, "bytes are left over at its end");
    }
    return STATUS_OK;
}

static Status read_text(ByteReader *reader, const char *title, const char *what, const char **out,
                        size_t *text_bytes)
{
    size_t first = reader->offset;
    const char *text = byte_reader_cstring(reader);
    if (!byte_reader_is_ok(reader)) {
        return status_error(SQLSTATE_PROTOCOL_VIOLATION,
                            "malformed %s message: %s has no terminating zero", title, what);
    }
    *text_bytes = reader->offset - first - 1;
    if (!utf8_is_valid(text, *text_bytes)) {
        return status_error(SQLSTATE_CHARACTER_NOT_IN_REPERTOIRE,
                            "%s of a %s message is not valid UTF-8", what, title);
    }
    *out = text;
    return STATUS_OK;
}

static Status read_name(ByteReader *reader, const char *title, const char **out)
{
    size_t bytes;
    return read_text(reader, title, "a name", out, &bytes);
}

static Status read_formats(ByteReader *reader, Arena *arena, const char *title, uint32_t *count,
                           uint16_t **out)
{
    uint32_t format_count = byte_reader_be16(reader);
    if (!byte_reader_is_ok(reader) || byte_reader_remaining(reader) < (size_t)format_count * 2) {
        return malformed(title, "fewer format codes than announced");
    }
    uint16_t *formats = ARENA_ARRAY(arena, uint16_t, format_count);
    for (uint32_t i = 0; i < format_count; i++) {
        formats[i] = byte_reader_be16(reader);
        if (formats[i] != PG_FORMAT_TEXT && formats[i] != PG_FORMAT_BINARY) {
            return status_error(SQLSTATE_PROTOCOL_VIOLATION,
                                "malformed %s message: unknown format code %u", title, formats[i]);
        }
    }
    *count = format_count;
    *out = formats;
    return STATUS_OK;
}

static Status read_parameters(ByteReader *reader, Arena *arena, PgBind *out)
{
    uint32_t count = byte_reader_be16(reader);
    if (!byte_reader_is_ok(reader) || byte_reader_remaining(reader) < (size_t)count * 4) {
        return malformed("Bind", "fewer parameters than announced");
    }
    PgParameterBytes *parameters = ARENA_ARRAY(arena, PgParameterBytes, count);
    for (uint32_t i = 0; i < count; i++) {
        int32_t bytes = (int32_t)byte_reader_be32(reader);
        if (bytes < -1 || !byte_reader_is_ok(reader)) {
            return malformed("Bind", "wrong length of a parameter");
        }
        if (bytes >= 0) {
            parameters[i].bytes = (size_t)bytes;
            parameters[i].data = byte_reader_view(reader, (size_t)bytes);
            if (parameters[i].data == NULL) {
                return malformed("Bind", "a parameter is longer than the message");
            }
        }
    }
    out->parameter_count = count;
    out->parameters = parameters;
    return STATUS_OK;
}

/* Pairs of zero-terminated strings, closed by an empty name. */
static Status read_startup_parameters(ByteReader *reader, Arena *arena, PgStartupPacket *out)
{
    // A pair takes at least three bytes, so the packet's own limit bounds the array.
    size_t count_max = byte_reader_remaining(reader) / 3 + 1;
    out->parameters = ARENA_ARRAY(arena, PgSettingText, count_max);
    for (;;) {
        const char *name = byte_reader_cstring(reader);
        if (!byte_reader_is_ok(reader)) {
            return malformed("startup", "no terminator after the parameters");
        }
        if (name[0] == '\0') {
            return check_end(reader, "startup");
        }
        const char *value = byte_reader_cstring(reader);
        if (!byte_reader_is_ok(reader)) {
            return status_error(SQLSTATE_PROTOCOL_VIOLATION,
                                "malformed startup message: a parameter has no value");
        }
        if (!utf8_is_valid(name, strlen(name)) || !utf8_is_valid(value, strlen(value))) {
            return status_error(SQLSTATE_CHARACTER_NOT_IN_REPERTOIRE,
                                "a parameter of the startup message is not valid UTF-8");
        }
        out->parameters[out->parameter_count++] = (PgSettingText){.name = name, .value = value};
    }
}

static Status read_target(const uint8_t *body, size_t bytes, const char *title, PgNamed *out)
{
    ByteReader reader;
    byte_reader_init(&reader, body, bytes);
    uint8_t kind = byte_reader_u8(&reader);
    PgNamed named;
    if (kind != 'S' && kind != 'P') {
        return status_error(SQLSTATE_PROTOCOL_VIOLATION, "malformed %s message: unknown subtype %d",
                            title, kind);
    }
    named.target = kind == 'S' ? PG_TARGET_STATEMENT : PG_TARGET_PORTAL;
    TRY(read_name(&reader, title, &named.name));
    TRY(check_end(&reader, title));
    *out = named;
    return STATUS_OK;
}
