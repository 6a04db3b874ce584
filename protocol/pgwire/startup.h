/*
 * startup.h — the conversation before the first statement: encryption, version, settings, login.
 *
 *   startup_receive        SSLRequest, GSSENCRequest (once each) -> startup or cancel packet
 *   (the leader looks the user up)
 *   startup_authenticate   SCRAM-SHA-256 -> AuthenticationOk
 *   (the leader writes ParameterStatus, BackendKeyData and ReadyForQuery)
 *
 * Neither reports its error to the client: the caller writes it as FATAL and closes.
 */
#pragma once
#include "base/arena.h"
#include "protocol/pgwire/auth_scram.h"
#include "protocol/pgwire/pg_decode.h"
#include "protocol/pgwire/pg_reader.h"

/* How TLS is started; without it SSLRequest is answered `N`. */
typedef struct StartupTls {
    /* Does the handshake and puts its transport into the connection. */
    Status (*start)(void *self, PgConnection *connection, int64_t deadline_us);
    void *self;
    bool is_required; /* a plain startup packet is refused with 28000 */
} StartupTls;

typedef enum StartupKind {
    STARTUP_SESSION,
    STARTUP_CANCEL,
    STARTUP_CLOSED /* the client went away without a word, as port probes do */
} StartupKind;

typedef struct StartupSetting {
    const char *name, *value;
    bool is_from_options; /* -c name=value: an unknown name is an error; elsewhere it is ignored */
} StartupSetting;

typedef struct StartupRequest {
    StartupKind kind;
    bool is_encrypted;
    /* SESSION */
    uint32_t minor; /* protocol 3.minor agreed on */
    const char *user;
    const char *database; /* the user's name when the client named none */
    uint32_t setting_count;
    StartupSetting *settings; /* to be applied in this order */
    /* CANCEL */
    uint32_t process_id;
    const uint8_t *cancel_key;
    size_t cancel_key_bytes;
} StartupRequest;

/* `tls` may be null. Everything in `out` lives in `session_arena`. 08P01 for malformed packets,
 * 0A000 for other protocols and replication, 28000 without a user or without required TLS, 42601
 * for bad options, 08006 when the connection breaks or the time is over. */
Status startup_receive(PgReader *reader, const StartupTls *tls, Arena *session_arena,
                       int64_t deadline_us, StartupRequest *out) CHECKED;

/* Runs SCRAM against `verifier` and writes AuthenticationOk. 28P01 when the proof is wrong, 08P01
 * for malformed messages, 0A000 for channel binding, 08006 when the client goes away. */
Status startup_authenticate(PgReader *reader, const ScramVerifier *verifier, const char *user,
                            Arena *session_arena, int64_t deadline_us) CHECKED;

/* For a login without a password: AuthenticationOk and on to the session. */
void startup_trust(PgReader *reader);

/* Settings of the `options` text: `-c name=value`, `-cname=value`, `--name=value`; backslash
 * protects blanks. Appends to request->settings, which has room for one per two characters. */
Status startup_parse_options(Arena *session_arena, const char *options,
                             StartupRequest *request) CHECKED;
