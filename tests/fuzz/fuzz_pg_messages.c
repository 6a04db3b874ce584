/*
 * fuzz_pg_messages.c — any bytes as client messages: decoders, frames, parameters, the login.
 *
 * The first byte chooses who reads the rest. Nothing may crash, hang or read beyond the input;
 * what is decoded must point into it.
 */
#include <string.h>

#include "protocol/pgwire/auth_scram.h"
#include "protocol/pgwire/numeric_wire.h"
#include "protocol/pgwire/pg_decode.h"
#include "protocol/pgwire/pg_message.h"
#include "protocol/pgwire/pg_parameter.h"
#include "protocol/pgwire/startup.h"
#include "tests/fuzz/fuzz.h"

static void check_bind(Arena *arena, const uint8_t *data, size_t bytes)
{
    PgBind bind;
    Status status = pg_decode_bind(arena, data, bytes, &bind);
    if (status == STATUS_OK) {
        for (uint32_t i = 0; i < bind.parameter_count; i++) {
            const PgParameterBytes *item = &bind.parameters[i];
            require(item->data == NULL ||
                    (item->data >= data && item->data + item->bytes <= data + bytes));
            (void)pg_format_of(bind.formats, bind.format_count, i);
        }
        plant(bind.parameter_count > 1 && bind.statement[0] != '\0' && bind.statement[1] != '\0');
    }
    status_free(status);
}

/* Frames one after another, as a connection would hand them out. */
static void check_frames(PgPhase phase, const uint8_t *data, size_t bytes)
{
    while (bytes > 0) {
        PgFrame frame;
        bool is_whole;
        Status status = pg_frame_read(phase, data, bytes, &frame, &is_whole);
        if (status != STATUS_OK || !is_whole || bytes - frame.header_bytes < frame.body_bytes) {
            status_free(status);
            return;
        }
        data += frame.header_bytes + frame.body_bytes;
        bytes -= frame.header_bytes + frame.body_bytes;
    }
}

static void check_parameter(Arena *arena, const uint8_t *data, size_t bytes)
{
    static const TypeId ids[] = {TYPE_BOOLEAN, TYPE_SMALLINT, TYPE_INTEGER,  TYPE_BIGINT,
                                 TYPE_REAL,    TYPE_DOUBLE,   TYPE_DATE,     TYPE_TIMESTAMP,
                                 TYPE_CHAR,    TYPE_VARCHAR,  TYPE_INTERVAL, TYPE_DECIMAL};
    static const uint32_t oids[] = {0, 16, 20, 21, 23, 25, 26, 700, 701, 1082, 1114, 1186, 1700, 7};
    if (bytes < 2) {
        return;
    }
    TypeId id = ids[data[0] % (sizeof(ids) / sizeof(ids[0]))];
    Type target = id == TYPE_DECIMAL ? type_decimal(1 + data[0] % 38u, data[0] % 2u) : type_of(id);
    PgParameter parameter = {
        .bytes = {.data = data + 2, .bytes = bytes - 2},
        .format = data[1] % 2,
        .declared_oid = oids[data[1] / 2 % (sizeof(oids) / sizeof(oids[0]))],
        .number = 1,
    };
    Value value;
    status_free(pg_parameter_read(&parameter, target, arena, &value));
}

/* A number that is read is written, and reads back the same. */
static void check_numeric(const uint8_t *data, size_t bytes)
{
    if (bytes < 2) {
        return;
    }
    Type type = type_decimal(38, data[0] % 38u);
    uint8_t written[NUMERIC_WIRE_BYTES_MAX];
    Int128 number, again;
    Status status = numeric_wire_read(data + 1, bytes - 1, type, &number);
    if (status == STATUS_OK) {
        size_t written_bytes = numeric_wire_write(number, type.scale, written);
        require(written_bytes <= sizeof(written));
        require(numeric_wire_read(written, written_bytes, type, &again) == STATUS_OK);
        require(number == again);
    }
    status_free(status);
    Value value;
    status = numeric_wire_read_exact(data + 1, bytes - 1, &value);
    if (status == STATUS_OK) {
        size_t written_bytes = numeric_wire_write(value_int128(&value), value.type.scale, written);
        require(numeric_wire_read(written, written_bytes, value.type, &again) == STATUS_OK);
        require(value_int128(&value) == again);
    }
    status_free(status);
}

static void check_scram(Arena *arena, const uint8_t *data, size_t bytes)
{
    ScramVerifier verifier;
    ScramExchange exchange;
    const char *response;
    bool is_authenticated = false;
    const uint8_t *cut = memchr(data, '\n', bytes);
    size_t first_bytes = cut == NULL ? bytes : (size_t)(cut - data);
    scram_verifier_fake(&verifier, (const uint8_t *)"secret", 6, "user");
    status_free(scram_exchange_init(&exchange, arena, &verifier, "nonce"));
    Status status = scram_exchange_first(&exchange, data, first_bytes, &response);
    if (status == STATUS_OK && cut != NULL) {
        status = scram_exchange_final(&exchange, cut + 1, bytes - first_bytes - 1, &response,
                                      &is_authenticated);
        require(!is_authenticated);
    }
    status_free(status);
    char *text = arena_strndup(arena, (const char *)data, strnlen((const char *)data, bytes));
    if (scram_verifier_parse(text, &verifier)) {
        char printed[SCRAM_VERIFIER_TEXT_BYTES];
        ScramVerifier again;
        scram_verifier_print(&verifier, printed);
        require(scram_verifier_parse(printed, &again));
        if (verifier.iterations < 100) { // more would take the fuzzer's time
            require(!scram_verifier_matches(&verifier, "not its password"));
        }
    }
}

static void check_options(Arena *arena, const uint8_t *data, size_t bytes)
{
    char *text = arena_strndup(arena, (const char *)data, strnlen((const char *)data, bytes));
    StartupRequest request = {.settings = ARENA_ARRAY(arena, StartupSetting, bytes / 2 + 1)};
    status_free(startup_parse_options(arena, text, &request));
    require(request.setting_count <= bytes / 2 + 1);
}

static void check_message(Arena *arena, uint8_t choice, const uint8_t *data, size_t bytes)
{
    union {
        PgStartupPacket startup;
        PgQuery query;
        PgParse parse;
        PgNamed named;
        PgExecute execute;
        PgPassword password;
        PgSaslInitial initial;
        PgCopyFail fail;
    } out;
    switch (choice % 10) {
    case 0:
        status_free(pg_decode_startup(arena, data, bytes, &out.startup));
        break;
    case 1:
        status_free(pg_decode_query(data, bytes, &out.query));
        break;
    case 2:
        status_free(pg_decode_parse(arena, data, bytes, &out.parse));
        break;
    case 3:
        status_free(pg_decode_describe(data, bytes, &out.named));
        break;
    case 4:
        status_free(pg_decode_close(data, bytes, &out.named));
        break;
    case 5:
        status_free(pg_decode_execute(data, bytes, &out.execute));
        break;
    case 6:
        status_free(pg_decode_password(data, bytes, &out.password));
        break;
    case 7:
        status_free(pg_decode_sasl_initial(data, bytes, &out.initial));
        break;
    case 8:
        status_free(pg_decode_copy_fail(data, bytes, &out.fail));
        break;
    default:
        status_free(pg_decode_function_call(data, bytes));
        break;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    static Arena *arena;
    if (bytes == 0) {
        return 0;
    }
    if (arena == NULL) {
        arena = arena_create(NULL, "fuzz");
    }
    uint8_t choice = *data++;
    bytes--;
    switch (choice % 16) {
    case 10:
        check_bind(arena, data, bytes);
        break;
    case 11:
        check_frames((PgPhase)(choice / 16 % 3), data, bytes);
        break;
    case 12:
        check_parameter(arena, data, bytes);
        break;
    case 13:
        check_numeric(data, bytes);
        break;
    case 14:
        check_scram(arena, data, bytes);
        break;
    case 15:
        check_options(arena, data, bytes);
        break;
    default:
        check_message(arena, choice % 16, data, bytes);
        break;
    }
    arena_reset(arena);
    return 0;
}
