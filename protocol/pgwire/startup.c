/* startup.c — encryption, version, settings, login; see startup.h. */
#include "protocol/pgwire/startup.h"

#include <string.h>
#include <strings.h>

#include "protocol/pgwire/pg_writer.h"

static Status answer_encryption(PgReader *reader, const StartupTls *tls, PgStartupKind kind,
                                int64_t deadline_us, bool *is_encrypted);
static Status take_packet(PgReader *reader, Arena *arena, int64_t deadline_us, PgStartupPacket *out,
                          bool *is_closed);
static Status read_session(PgReader *reader, const PgStartupPacket *packet, Arena *arena,
                           StartupRequest *out);
static Status read_parameters(const PgStartupPacket *packet, Arena *arena, StartupRequest *out);
static Status check_replication(const char *value);
static void negotiate(PgReader *reader, const PgStartupPacket *packet, Arena *arena,
                      StartupRequest *out);
static char *next_word(Arena *arena, const char **at);
static Status receive_response(PgReader *reader, int64_t deadline_us, PgMessage *out);
static Status receive_first(PgReader *reader, int64_t deadline_us, PgSaslResponse *out);

Status startup_receive(PgReader *reader, const StartupTls *tls, Arena *session_arena,
                       int64_t deadline_us, StartupRequest *out)
{
    *out = (StartupRequest){.kind = STARTUP_CLOSED};
    bool has_asked[2] = {false, false}; // TLS, GSSAPI: a bounded loop instead of a recursion
    for (;;) {
        PgStartupPacket packet;
        bool is_closed;
        TRY(take_packet(reader, session_arena, deadline_us, &packet, &is_closed));
        if (is_closed) {
            return STATUS_OK;
        }
        if (packet.kind == PG_STARTUP_SSL || packet.kind == PG_STARTUP_GSSENC) {
            bool *has_asked_this = &has_asked[packet.kind == PG_STARTUP_GSSENC];
            if (*has_asked_this) {
                return status_error(SQLSTATE_PROTOCOL_VIOLATION,
                                    "encryption was requested more than once");
            }
            *has_asked_this = true;
            TRY(answer_encryption(reader, tls, packet.kind, deadline_us, &out->is_encrypted));
            continue;
        }
        if (packet.kind == PG_STARTUP_CANCEL) {
            out->kind = STARTUP_CANCEL;
            out->process_id = packet.process_id;
            out->cancel_key = packet.cancel_key;
            out->cancel_key_bytes = packet.cancel_key_bytes;
            return STATUS_OK;
        }
        if (tls != NULL && tls->is_required && !out->is_encrypted) {
            return status_error(SQLSTATE_INVALID_AUTHORIZATION,
                                "this server accepts encrypted connections only");
        }
        return read_session(reader, &packet, session_arena, out);
    }
}

Status startup_authenticate(PgReader *reader, const ScramVerifier *verifier, const char *user,
                            Arena *session_arena, int64_t deadline_us)
{
    ByteBuffer *output = pg_connection_output(reader->connection);
    reader->phase = PG_PHASE_AUTHENTICATION;
    pg_writer_authentication_sasl(output);
    TRY(pg_connection_flush(reader->connection, deadline_us));

    ScramExchange exchange;
    TRY(scram_exchange_init(&exchange, session_arena, verifier, NULL));
    PgSaslResponse first;
    TRY(receive_first(reader, deadline_us, &first));
    const char *answer;
    TRY(scram_exchange_first(&exchange, first.response, first.response_bytes, &answer));
    pg_writer_authentication_sasl_continue(output, answer, strlen(answer));
    TRY(pg_connection_flush(reader->connection, deadline_us));

    PgMessage message;
    PgSaslResponse final;
    bool is_authenticated;
    TRY(receive_response(reader, deadline_us, &message));
    TRY(pg_decode_sasl_response(message.body, message.bytes, &final));
    TRY(scram_exchange_final(&exchange, final.response, final.response_bytes, &answer,
                             &is_authenticated));
    if (!is_authenticated) {
        return status_error(SQLSTATE_INVALID_PASSWORD,
                            "password authentication failed for user \"%s\"", user);
    }
    pg_writer_authentication_sasl_final(output, answer, strlen(answer));
    startup_trust(reader);
    return STATUS_OK;
}

void startup_trust(PgReader *reader)
{
    pg_writer_authentication_ok(pg_connection_output(reader->connection));
    reader->phase = PG_PHASE_SESSION;
}

Status startup_parse_options(Arena *session_arena, const char *options, StartupRequest *request)
{
    const char *at = options;
    for (char *word = next_word(session_arena, &at); word != NULL;
         word = next_word(session_arena, &at)) {
        char *setting = NULL;
        if (strcmp(word, "-c") == 0) {
            setting = next_word(session_arena, &at);
        } else if (strncmp(word, "-c", 2) == 0 || strncmp(word, "--", 2) == 0) {
            setting = word + 2;
        }
        char *equals = setting == NULL ? NULL : strchr(setting, '=');
        if (equals == NULL || equals == setting) {
            return status_error(SQLSTATE_SYNTAX_ERROR,
                                "invalid command-line argument for server process: %s", word);
        }
        *equals = '\0';
        for (char *c = setting; *c != '\0'; c++) {
            *c = *c == '-' ? '_' : *c;
        }
        request->settings[request->setting_count++] =
            (StartupSetting){.name = setting, .value = equals + 1, .is_from_options = true};
    }
    return STATUS_OK;
}

/* `S` and a handshake, or `N`. */
static Status answer_encryption(PgReader *reader, const StartupTls *tls, PgStartupKind kind,
                                int64_t deadline_us, bool *is_encrypted)
{
    PgConnection *connection = reader->connection;
    bool is_accepted = kind == PG_STARTUP_SSL && tls != NULL && !*is_encrypted;
    byte_buffer_add_u8(pg_connection_output(connection), is_accepted ? 'S' : 'N');
    TRY(pg_connection_flush(connection, deadline_us));
    if (!is_accepted) {
        return STATUS_OK;
    }
    // Bytes sent in the clear behind the request would be taken for encrypted ones.
    if (pg_connection_has_input(connection)) {
        return status_error(SQLSTATE_PROTOCOL_VIOLATION,
                            "received unencrypted data after the request for TLS");
    }
    TRY(tls->start(tls->self, connection, deadline_us));
    *is_encrypted = true;
    return STATUS_OK;
}

/* The next untyped packet, copied into the arena: its strings outlive the input buffer. */
static Status take_packet(PgReader *reader, Arena *arena, int64_t deadline_us, PgStartupPacket *out,
                          bool *is_closed)
{
    PgMessage message;
    TRY(pg_reader_next(reader, deadline_us, &message, is_closed));
    if (*is_closed) {
        return STATUS_OK;
    }
    const uint8_t *body = arena_memdup(arena, message.body, message.bytes);
    pg_reader_release(reader);
    return pg_decode_startup(arena, body, message.bytes, out);
}

static Status read_session(PgReader *reader, const PgStartupPacket *packet, Arena *arena,
                           StartupRequest *out)
{
    TRY(read_parameters(packet, arena, out));
    if (out->user == NULL || out->user[0] == '\0') {
        return status_error(SQLSTATE_INVALID_AUTHORIZATION,
                            "no user name specified in startup packet");
    }
    if (out->database == NULL || out->database[0] == '\0') {
        out->database = out->user;
    }
    negotiate(reader, packet, arena, out);
    out->kind = STARTUP_SESSION;
    reader->phase = PG_PHASE_SESSION;
    return STATUS_OK;
}

static Status read_parameters(const PgStartupPacket *packet, Arena *arena, StartupRequest *out)
{
    const char *options = "";
    for (uint32_t i = 0; i < packet->parameter_count; i++) {
        if (strcmp(packet->parameters[i].name, "options") == 0) {
            options = packet->parameters[i].value;
        }
    }
    // Each setting of the options takes at least three characters.
    out->settings =
        ARENA_ARRAY(arena, StartupSetting, packet->parameter_count + strlen(options) / 2 + 1);
    TRY(startup_parse_options(arena, options, out));
    for (uint32_t i = 0; i < packet->parameter_count; i++) {
        const PgSettingText *parameter = &packet->parameters[i];
        if (strcmp(parameter->name, "user") == 0) {
            out->user = parameter->value;
        } else if (strcmp(parameter->name, "database") == 0) {
            out->database = parameter->value;
        } else if (strcmp(parameter->name, "replication") == 0) {
            TRY(check_replication(parameter->value));
        } else if (strcmp(parameter->name, "options") != 0 &&
                   strncmp(parameter->name, "_pq_.", 5) != 0) {
            out->settings[out->setting_count++] =
                (StartupSetting){.name = parameter->name, .value = parameter->value};
        }
    }
    return STATUS_OK;
}

static Status check_replication(const char *value)
{
    static const char *const negations[] = {"off", "false", "no", "0", "f", "n"};
    for (size_t i = 0; i < sizeof(negations) / sizeof(negations[0]); i++) {
        if (strcasecmp(value, negations[i]) == 0) {
            return STATUS_OK;
        }
    }
    return status_error(SQLSTATE_FEATURE_NOT_SUPPORTED,
                        "replication connections are not supported");
}

/* Tells a client that asked for more than we speak what it gets. */
static void negotiate(PgReader *reader, const PgStartupPacket *packet, Arena *arena,
                      StartupRequest *out)
{
    const char **unknown = ARENA_ARRAY(arena, const char *, packet->parameter_count);
    uint32_t unknown_count = 0;
    for (uint32_t i = 0; i < packet->parameter_count; i++) {
        const char *name = packet->parameters[i].name;
        // Redshift's drivers send _pq_.compression and do not know the negotiation message; for
        // them silence means "not compressed".
        if (strncmp(name, "_pq_.", 5) == 0 && strcmp(name, "_pq_.compression") != 0) {
            unknown[unknown_count++] = name;
        }
    }
    bool is_newer = packet->minor > PG_PROTOCOL_MINOR_MAX;
    out->minor = is_newer ? PG_PROTOCOL_MINOR_MAX : packet->minor;
    if (is_newer || unknown_count > 0) {
        pg_writer_negotiate_protocol_version(pg_connection_output(reader->connection), out->minor,
                                             unknown, unknown_count);
    }
}

/* The next word of an options text, a backslash protecting the character after it. */
static char *next_word(Arena *arena, const char **at)
{
    const char *text = *at;
    while (*text == ' ' || (*text >= '\t' && *text <= '\r')) {
        text++;
    }
    if (*text == '\0') {
        return NULL;
    }
    char *word = arena_alloc(arena, strlen(text) + 1);
    size_t bytes = 0;
    for (; *text != '\0' && *text != ' ' && (*text < '\t' || *text > '\r'); text++) {
        if (*text == '\\' && text[1] != '\0') {
            text++;
        }
        word[bytes++] = *text;
    }
    *at = text;
    return word;
}

static Status receive_response(PgReader *reader, int64_t deadline_us, PgMessage *out)
{
    bool is_closed;
    TRY(pg_reader_next(reader, deadline_us, out, &is_closed));
    if (is_closed || out->type == PG_FRONTEND_TERMINATE) {
        return status_error(SQLSTATE_CONNECTION_FAILURE,
                            "the client closed the connection during the login");
    }
    return STATUS_OK;
}

/* SASLInitialResponse; a client may send the mechanism alone and its first message after it. */
static Status receive_first(PgReader *reader, int64_t deadline_us, PgSaslResponse *out)
{
    PgMessage message;
    PgSaslInitial initial;
    TRY(receive_response(reader, deadline_us, &message));
    TRY(pg_decode_sasl_initial(message.body, message.bytes, &initial));
    if (strcmp(initial.mechanism, "SCRAM-SHA-256") != 0) {
        return status_error(SQLSTATE_PROTOCOL_VIOLATION,
                            "client selected an invalid SASL authentication mechanism");
    }
    if (initial.response != NULL) {
        *out = (PgSaslResponse){initial.response, initial.response_bytes};
        return STATUS_OK;
    }
    pg_writer_authentication_sasl_continue(pg_connection_output(reader->connection), "", 0);
    TRY(pg_connection_flush(reader->connection, deadline_us));
    TRY(receive_response(reader, deadline_us, &message));
    return pg_decode_sasl_response(message.body, message.bytes, out);
}
