/*
 * pg_decode.h — bodies of client messages as structs: pure functions of (bytes, arena).
 *
 * Strings, parameters and other views point into the body and live as long as it does; arrays live
 * in the arena. Anything malformed is 08P01 saying what was wrong; SQL text and names that are not
 * UTF-8 are 22021. No decoder reads past the body, whatever its counts claim.
 */
#pragma once
#include "base/arena.h"

#define PG_PROTOCOL_MAJOR 3u
#define PG_PROTOCOL_MINOR_MAX 2u /* the newest minor version spoken: 3.2, long cancel keys */
#define PG_CANCEL_KEY_BYTES_MAX 256
#define PG_FORMAT_TEXT 0
#define PG_FORMAT_BINARY 1

typedef enum PgStartupKind {
    PG_STARTUP_SESSION,
    PG_STARTUP_CANCEL,
    PG_STARTUP_SSL,
    PG_STARTUP_GSSENC
} PgStartupKind;

typedef struct PgSettingText {
    const char *name, *value;
} PgSettingText;

typedef struct PgStartupPacket {
    PgStartupKind kind;
    uint32_t minor;           /* SESSION: 3.minor as the client asked */
    uint32_t parameter_count; /* SESSION: in the order they came */
    PgSettingText *parameters;
    uint32_t process_id;       /* CANCEL */
    const uint8_t *cancel_key; /* CANCEL */
    size_t cancel_key_bytes;
} PgStartupPacket;
Status pg_decode_startup(Arena *arena, const uint8_t *body, size_t bytes,
                         PgStartupPacket *out) CHECKED;

typedef struct PgQuery {
    const char *text;
    size_t text_bytes;
} PgQuery;
Status pg_decode_query(const uint8_t *body, size_t bytes, PgQuery *out) CHECKED;

typedef struct PgParse {
    const char *name, *text;
    size_t text_bytes;
    uint32_t parameter_count;
    uint32_t *parameter_oids; /* 0: to be inferred */
} PgParse;
Status pg_decode_parse(Arena *arena, const uint8_t *body, size_t bytes, PgParse *out) CHECKED;

typedef struct PgParameterBytes {
    const uint8_t *data; /* null: the SQL NULL */
    size_t bytes;
} PgParameterBytes;

typedef struct PgBind {
    const char *portal, *statement;
    uint32_t format_count; /* 0: all text; 1: for all; else one per parameter */
    uint16_t *formats;
    uint32_t parameter_count;
    PgParameterBytes *parameters;
    uint32_t result_format_count; /* 0: all text; 1: for all; else one per result column */
    uint16_t *result_formats;
} PgBind;
Status pg_decode_bind(Arena *arena, const uint8_t *body, size_t bytes, PgBind *out) CHECKED;
/* The format of item `index` by the rule of 0, 1 or all. */
uint16_t pg_format_of(const uint16_t *formats, uint32_t format_count, uint32_t index);

typedef enum PgTarget { PG_TARGET_STATEMENT, PG_TARGET_PORTAL } PgTarget;
typedef struct PgNamed { /* Describe and Close */
    PgTarget target;
    const char *name;
} PgNamed;
Status pg_decode_describe(const uint8_t *body, size_t bytes, PgNamed *out) CHECKED;
Status pg_decode_close(const uint8_t *body, size_t bytes, PgNamed *out) CHECKED;

typedef struct PgExecute {
    const char *portal;
    uint32_t rows_max; /* 0: all */
} PgExecute;
Status pg_decode_execute(const uint8_t *body, size_t bytes, PgExecute *out) CHECKED;

/* `p` means one of these three, depending on what the server has asked for. */
typedef struct PgPassword {
    const char *password;
} PgPassword;
Status pg_decode_password(const uint8_t *body, size_t bytes, PgPassword *out) CHECKED;
typedef struct PgSaslInitial {
    const char *mechanism;
    const uint8_t *response; /* null: none was sent */
    size_t response_bytes;
} PgSaslInitial;
Status pg_decode_sasl_initial(const uint8_t *body, size_t bytes, PgSaslInitial *out) CHECKED;
typedef struct PgSaslResponse {
    const uint8_t *response;
    size_t response_bytes;
} PgSaslResponse;
Status pg_decode_sasl_response(const uint8_t *body, size_t bytes, PgSaslResponse *out) CHECKED;

typedef struct PgCopyFail {
    const char *reason;
} PgCopyFail;
Status pg_decode_copy_fail(const uint8_t *body, size_t bytes, PgCopyFail *out) CHECKED;

/* FunctionCall is never executed: always 0A000, or 08P01 when malformed. */
Status pg_decode_function_call(const uint8_t *body, size_t bytes) CHECKED;
